//! A drawn code as every consumer gets it: a square of modules, a bit each. How to paint one is beside
//! (`svg`, `terminal`, `luma`); shells paint [`ModuleMatrix::to_packed_bytes`] themselves.

use std::fmt;

use super::symbol::Version;

/// White modules that must surround a code on every side (ISO/IEC 18004 §6.3.8). Not part of a
/// [`ModuleMatrix`]; every drawing here adds it.
pub const QUIET_ZONE: u8 = 4;

/// A drawn code, without its quiet zone.
///
/// While it lives a code is worth money, so `Debug` shows the size only.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ModuleMatrix {
    version: Version,
    /// Bit `x` of word `y` is the module in column `x` of row `y`; 1 is dark.
    rows: Vec<u64>,
}

impl ModuleMatrix {
    /// `rows` are as many words as the version has rows, with no bit beyond the last column.
    pub(super) fn new(version: Version, rows: Vec<u64>) -> Self {
        Self { version, rows }
    }

    /// The version drawn.
    pub fn version(&self) -> Version {
        self.version
    }

    /// Modules on a side, without the quiet zone.
    pub fn size(&self) -> u8 {
        self.version.size()
    }

    /// Whether the module in column `x` of row `y` is dark, counted from the top left. Outside the code all
    /// is light.
    pub fn is_dark(&self, x: u8, y: u8) -> bool {
        x < self.size()
            && self
                .rows
                .get(usize::from(y))
                .is_some_and(|row| (row >> x) & 1 == 1)
    }

    /// The modules, row by row from the top; in a row the left-most module is the highest bit of the first
    /// byte, 1 is dark, and each row is filled up with zeros to whole bytes: `size × ⌈size / 8⌉` bytes.
    pub fn to_packed_bytes(&self) -> Vec<u8> {
        let row_length = usize::from(self.size().div_ceil(8));
        self.rows
            .iter()
            .flat_map(|row| row.reverse_bits().to_be_bytes().into_iter().take(row_length))
            .collect()
    }
}

impl fmt::Debug for ModuleMatrix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ModuleMatrix")
            .field("size", &self.size())
            .finish_non_exhaustive()
    }
}
