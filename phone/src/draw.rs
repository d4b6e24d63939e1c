//! Putting a code out: as a picture, as text, or into the terminal.

use std::io::Write as _;
use std::path::Path;

use image::{ExtendedColorType, ImageFormat};
use yika_core::codes::CodeFrame;
use yika_core::codes::qr::{to_luma, to_svg, to_terminal};

use crate::args::Drawing;
use crate::error::PhoneError;

/// The side of a module in a PNG: whole pixels, so that every module is as wide as the next.
const MODULE_PX: u8 = 8;

/// Does everything that is asked for; draws in the terminal if nothing is.
pub(crate) fn draw(frame: &CodeFrame, drawing: &Drawing) -> Result<(), PhoneError> {
    yika_fault::reach("phone.code.before-show");
    if let Some(path) = &drawing.png {
        write_png(frame, path)?;
    }
    if let Some(path) = &drawing.svg {
        std::fs::write(path, to_svg(&frame.modules)).map_err(|error| unwritten(path, &error))?;
    }
    let mut out = std::io::stdout().lock();
    if drawing.text {
        writeln!(out, "{}", frame.text)?;
    } else if drawing.png.is_none() && drawing.svg.is_none() {
        writeln!(out, "{}", to_terminal(&frame.modules))?;
        writeln!(out, "new code in {} s", frame.refresh_in.as_secs())?;
    }
    yika_fault::reach("phone.code.after-show");
    Ok(())
}

fn write_png(frame: &CodeFrame, path: &Path) -> Result<(), PhoneError> {
    let bitmap = to_luma(&frame.modules, MODULE_PX);
    let side = u32::try_from(bitmap.side).unwrap_or(u32::MAX);
    image::save_buffer_with_format(
        path,
        &bitmap.pixels,
        side,
        side,
        ExtendedColorType::L8,
        ImageFormat::Png,
    )
    .map_err(|error| unwritten(path, &error))
}

pub(crate) fn unwritten(path: &Path, error: &dyn std::fmt::Display) -> PhoneError {
    PhoneError::Write {
        path: path.to_owned(),
        reason: error.to_string(),
    }
}
