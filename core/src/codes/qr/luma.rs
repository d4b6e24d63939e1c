//! A code as plain pixels: what a picture file is made from, and what readers are tried on.

use super::matrix::{ModuleMatrix, QUIET_ZONE};

/// A square picture, one byte a pixel, row by row from the top: 0 black, 255 white.
#[derive(Clone, PartialEq, Eq)]
pub struct LumaBitmap {
    /// Pixels on a side.
    pub side: usize,
    /// `side × side` bytes.
    pub pixels: Vec<u8>,
}

/// Pixels with the quiet zone, each module a square of `module_px` pixels (0 gives an empty picture).
pub fn to_luma(matrix: &ModuleMatrix, module_px: u8) -> LumaBitmap {
    let module_px = usize::from(module_px);
    let quiet_zone = usize::from(QUIET_ZONE) * module_px;
    let side = usize::from(matrix.size()) * module_px + 2 * quiet_zone;
    let mut pixels = vec![u8::MAX; side * side];
    for y in 0..matrix.size() {
        for x in (0..matrix.size()).filter(|&x| matrix.is_dark(x, y)) {
            let left = quiet_zone + usize::from(x) * module_px;
            let top = quiet_zone + usize::from(y) * module_px;
            for row in top..top + module_px {
                pixels[row * side + left..][..module_px].fill(0);
            }
        }
    }
    LumaBitmap { side, pixels }
}
