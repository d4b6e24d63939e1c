//! A code as text for a terminal emulator: two modules a character, so that they come out square.

use super::matrix::{ModuleMatrix, QUIET_ZONE};

/// Black on white, from the fixed part of the 256-colour palette: themes don't reach it, so it is never drawn
/// inverted.
const INK: &str = "\x1b[38;5;16;48;5;231m";
const RESET: &str = "\x1b[0m";

/// Lines of half blocks with the quiet zone, always dark on white whatever the theme; each ends with a line
/// feed and the terminal's own colours.
pub fn to_terminal(matrix: &ModuleMatrix) -> String {
    let size = i16::from(matrix.size());
    let quiet_zone = i16::from(QUIET_ZONE);
    let is_dark = |x: i16, y: i16| match (u8::try_from(x), u8::try_from(y)) {
        (Ok(x), Ok(y)) => matrix.is_dark(x, y),
        _ => false,
    };
    let mut text = String::new();
    for y in (-quiet_zone..size + quiet_zone).step_by(2) {
        text.push_str(INK);
        text.extend(
            (-quiet_zone..size + quiet_zone).map(|x| match (is_dark(x, y), is_dark(x, y + 1)) {
                (true, true) => '█',
                (true, false) => '▀',
                (false, true) => '▄',
                (false, false) => ' ',
            }),
        );
        text.push_str(RESET);
        text.push('\n');
    }
    text
}
