//! Builders for tests: fixed keys, credentials, codes, lists, records of sales and a bank, every field of which can be
//! overridden, and the test vectors that are made with them.
//!
//! All keys are derived from names and signatures follow RFC 6979, so the same test sees the same bytes every time.
//! Nothing here belongs into a product: whoever reads this knows every private key.

// A kit for tests stops where a test would.
#![allow(clippy::expect_used)]

mod bank;
mod code;
mod credential;
mod directory;
mod keys;
mod lists;
mod message;
mod sale;
mod sealing;
#[cfg(feature = "tls")]
pub mod tls;
pub mod vectors;

pub use bank::BankKit;
pub use code::CodeBuilder;
pub use credential::{CredentialBuilder, attributes};
pub use directory::{DirectoryBuilder, directory_entry};
pub use keys::{SignerKit, TestKey};
pub use lists::{ListBuilder, Opened, face_entry};
pub use message::{MessageBuilder, sha256, sign_full, sign_short, to_text};
pub use sale::SaleBuilder;

use yika_format::{Amount, LimitUnits, Slot, UnixMillis, UnixSeconds};

/// The moment at which the builders' defaults are good: 2026-09-01T08:00:00Z.
pub const NOW: UnixSeconds = UnixSeconds(1_788_249_600);

/// [`NOW`], moved by so many seconds.
pub fn at(offset_s: i64) -> UnixSeconds {
    UnixSeconds(u32::try_from(i64::from(NOW.0) + offset_s).expect("a moment between 1970 and 2106"))
}

/// [`at`] in milliseconds.
pub fn at_ms(offset_s: i64) -> UnixMillis {
    at(offset_s).into()
}

/// The limit of so many yuan.
pub fn yuan(yuan: u16) -> LimitUnits {
    LimitUnits(yuan.checked_mul(10).expect("a limit has 16 bits of 10 fen"))
}

/// So many fen.
pub const fn fen(fen: u64) -> Amount {
    Amount(fen)
}

/// A slot from 1 to 8.
pub fn slot(number: u8) -> Slot {
    Slot::new(number).expect("a slot is 1 to 8")
}
