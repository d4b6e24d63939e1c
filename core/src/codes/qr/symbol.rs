//! Which symbol to draw: the version (how many modules) and the error-correction level, by type, so that
//! nothing that cannot be drawn can be asked for. Only what a row of 64 bits can hold is here: every code
//! form fits well within.

use std::fmt;

/// Versions there are here.
pub(super) const VERSIONS: usize = 11;
/// Error-correction levels there are here.
pub(super) const LEVELS: usize = 2;

/// A QR version (ISO/IEC 18004 §6.3): version `n` is a square of `17 + 4n` modules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Version {
    /// 21×21 modules.
    V1 = 1,
    /// 25×25 modules.
    V2,
    /// 29×29 modules.
    V3,
    /// 33×33 modules.
    V4,
    /// 37×37 modules.
    V5,
    /// 41×41 modules.
    V6,
    /// 45×45 modules.
    V7,
    /// 49×49 modules.
    V8,
    /// 53×53 modules.
    V9,
    /// 57×57 modules.
    V10,
    /// 61×61 modules.
    V11,
}

impl Version {
    /// Every version, smallest first.
    pub const ALL: [Self; VERSIONS] = [
        Self::V1,
        Self::V2,
        Self::V3,
        Self::V4,
        Self::V5,
        Self::V6,
        Self::V7,
        Self::V8,
        Self::V9,
        Self::V10,
        Self::V11,
    ];

    /// The version's number, 1 to 11.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// Modules on a side, without the quiet zone.
    pub const fn size(self) -> u8 {
        17 + 4 * self.number()
    }
}

/// How much of a symbol may be unreadable (ISO/IEC 18004 §7.5.1). Screens need no more than these two: they
/// are neither torn nor dirty, and a higher level only makes modules smaller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EccLevel {
    /// Recovers about 7 % of the codewords.
    L,
    /// Recovers about 15 % of the codewords.
    M,
}

/// A version at an error-correction level, written `5-M`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Symbol {
    /// How many modules.
    pub version: Version,
    /// How much may be unreadable.
    pub level: EccLevel,
}

impl Symbol {
    /// A short code: 122 alphanumeric characters fill it to the last pair.
    pub const SHORT_CODE: Self = Self::new(Version::V5, EccLevel::M);
    /// A full code: 287 alphanumeric characters (it holds 311).
    pub const FULL_CODE: Self = Self::new(Version::V10, EccLevel::M);
    /// A full code with larger modules on a small screen: 287 alphanumeric characters (it holds 335).
    pub const FULL_CODE_COARSE: Self = Self::new(Version::V9, EccLevel::L);
    /// What a terminal asks to be confirmed: 38 alphanumeric characters fill it.
    pub const CONFIRMATION: Self = Self::new(Version::V2, EccLevel::M);
    /// An online number: 18 digits (it holds 34).
    pub const ONLINE_NUMBER: Self = Self::new(Version::V1, EccLevel::M);

    /// Names a symbol.
    pub const fn new(version: Version, level: EccLevel) -> Self {
        Self { version, level }
    }

    /// How the codewords are split into blocks, each with its own error correction.
    pub(super) const fn blocks(self) -> Blocks {
        BLOCKS[self.version as usize - 1][self.level as usize]
    }

    /// The same version, in the words of the `qrcode` crate.
    pub(super) fn reference_version(self) -> qrcode::Version {
        qrcode::Version::Normal(i16::from(self.version.number()))
    }

    /// The same level, in the words of the `qrcode` crate.
    pub(super) const fn reference_level(self) -> qrcode::EcLevel {
        match self.level {
            EccLevel::L => qrcode::EcLevel::L,
            EccLevel::M => qrcode::EcLevel::M,
        }
    }
}

impl fmt::Display for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{:?}", self.version.number(), self.level)
    }
}

/// A symbol's codewords (bytes) by block. All blocks have the same number of check codewords; the last `long`
/// blocks have one data codeword more than the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Blocks {
    /// Check codewords of each block.
    pub check: usize,
    /// Data codewords of a short block.
    pub data: usize,
    /// How many short blocks.
    pub short: usize,
    /// How many blocks with one data codeword more.
    pub long: usize,
}

impl Blocks {
    /// The number of blocks.
    pub(super) const fn count(self) -> usize {
        self.short + self.long
    }

    /// Data codewords of the whole symbol.
    pub(super) const fn data_total(self) -> usize {
        self.short * self.data + self.long * (self.data + 1)
    }

    /// Data codewords of the block at `index`.
    pub(super) const fn data_of(self, index: usize) -> usize {
        if index < self.short {
            self.data
        } else {
            self.data + 1
        }
    }
}

const fn blocks(check: usize, data: usize, short: usize, long: usize) -> Blocks {
    Blocks {
        check,
        data,
        short,
        long,
    }
}

/// ISO/IEC 18004 Table 9, by version and level.
const BLOCKS: [[Blocks; LEVELS]; VERSIONS] = [
    [blocks(7, 19, 1, 0), blocks(10, 16, 1, 0)],
    [blocks(10, 34, 1, 0), blocks(16, 28, 1, 0)],
    [blocks(15, 55, 1, 0), blocks(26, 44, 1, 0)],
    [blocks(20, 80, 1, 0), blocks(18, 32, 2, 0)],
    [blocks(26, 108, 1, 0), blocks(24, 43, 2, 0)],
    [blocks(18, 68, 2, 0), blocks(16, 27, 4, 0)],
    [blocks(20, 78, 2, 0), blocks(18, 31, 4, 0)],
    [blocks(24, 97, 2, 0), blocks(22, 38, 2, 2)],
    [blocks(30, 116, 2, 0), blocks(22, 36, 3, 2)],
    [blocks(18, 68, 2, 2), blocks(26, 43, 4, 1)],
    [blocks(20, 81, 4, 0), blocks(30, 50, 1, 4)],
];
