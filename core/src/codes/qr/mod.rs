//! Drawing codes: text to modules, and modules to pictures. The text goes into one segment of the mode that
//! the code format names (never split to save bits), so a form's length alone decides its size on the screen.
//! The result is bit for bit what the `qrcode` crate draws; why that crate does only part of the work is in
//! `docs/adr/0001-qr-mask-scoring.md`.

mod codewords;
mod error;
mod layout;
mod luma;
mod mask;
mod matrix;
mod segment;
mod svg;
mod symbol;
mod terminal;
#[cfg(test)]
mod tests;

pub use error::QrError;
pub use luma::{LumaBitmap, to_luma};
pub use matrix::{ModuleMatrix, QUIET_ZONE};
pub use svg::to_svg;
pub use symbol::{EccLevel, Symbol, Version};
pub use terminal::to_terminal;

use layout::Layout;

/// Draws `text` as one alphanumeric segment: short and full codes, confirmations.
///
/// ```
/// use yika_core::codes::qr::{Symbol, encode_alphanumeric};
///
/// let code = encode_alphanumeric("C3 A TEXT IN BASE45", Symbol::CONFIRMATION)?;
/// assert_eq!(code.size(), 25);
/// # Ok::<(), yika_core::codes::qr::QrError>(())
/// ```
///
/// # Errors
///
/// [`QrError::NotAlphanumeric`], or [`QrError::TooLong`] for this symbol.
pub fn encode_alphanumeric(text: &str, symbol: Symbol) -> Result<ModuleMatrix, QrError> {
    Ok(draw(&segment::alphanumeric(text, symbol)?, symbol))
}

/// Draws `digits` as one numeric segment: online numbers.
///
/// # Errors
///
/// [`QrError::NotNumeric`], or [`QrError::TooLong`] for this symbol.
pub fn encode_numeric(digits: &str, symbol: Symbol) -> Result<ModuleMatrix, QrError> {
    Ok(draw(&segment::numeric(digits, symbol)?, symbol))
}

fn draw(data_codewords: &[u8], symbol: Symbol) -> ModuleMatrix {
    ModuleMatrix::new(symbol.version, Layout::of(symbol).draw(data_codewords))
}
