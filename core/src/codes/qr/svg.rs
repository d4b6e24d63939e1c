//! A code as SVG: for pages, mail and print.

use std::fmt::Write as _;

use super::matrix::{ModuleMatrix, QUIET_ZONE};

/// An SVG document, black on white with its quiet zone, one unit a module; give it a size where it is shown.
pub fn to_svg(matrix: &ModuleMatrix) -> String {
    let side = u16::from(matrix.size()) + 2 * u16::from(QUIET_ZONE);
    let mut path = String::new();
    for y in 0..matrix.size() {
        let mut x = 0;
        while x < matrix.size() {
            let length = (x..matrix.size()).take_while(|&x| matrix.is_dark(x, y)).count();
            if length > 0 {
                // Writing to a String cannot fail.
                let _ = write!(
                    path,
                    "M{} {}h{length}v1h-{length}z",
                    x + QUIET_ZONE,
                    y + QUIET_ZONE
                );
            }
            x += u8::try_from(length).unwrap_or(u8::MAX).max(1);
        }
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" shape-rendering=\"crispEdges\">\
         <path fill=\"#fff\" d=\"M0 0h{side}v{side}H0z\"/><path fill=\"#000\" d=\"{path}\"/></svg>"
    )
}
