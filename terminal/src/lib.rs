//! The verifier: POS, gate and library desk, deciding offline and keeping a journal.
//!
//! [`enrol`] makes a terminal known to its platform, [`Terminal::open`] opens it, [`Terminal::sync`] fetches what it
//! decides by, [`Terminal::verify`] decides without any network, and [`Terminal::upload`] hands in what it sold. The
//! decision itself is `yika-format`'s, pure; this crate remembers, and says "approved" only once it is on the disk.
//!
//! ```no_run
//! # async fn example() -> Result<(), yika_terminal::TerminalError> {
//! use yika_format::Amount;
//! use yika_terminal::{Purpose, Request, Terminal, TerminalOptions, Verdict, new_sale_id};
//!
//! let terminal = Terminal::open("/var/lib/till-7".as_ref(), &TerminalOptions::default())?;
//! terminal.sync().await?;
//! let purpose = Purpose::Payment { amount: Amount(1250) };
//! match terminal.verify(b"C1...", Request { purpose, sale: new_sale_id() })? {
//!     Verdict::Approved { approval, .. } => println!("approved: {approval:?}"),
//!     Verdict::Refused { refusal, .. } => println!("{}: {refusal}", refusal.reason.code()),
//! }
//! # Ok(())
//! # }
//! ```

#[cfg(test)]
extern crate self as yika_terminal;

pub mod clock;
mod confirm;
mod directory;
mod enrol;
mod error;
mod faces;
mod home;
mod http;
mod journal;
mod keys;
mod lists;
mod status;
mod store;
mod sync;
mod terminal;
#[cfg(test)]
mod testing;
mod upload;
mod verify;
mod void;

pub use confirm::CONFIRMATION_LIFE_MS;
pub use directory::Holder;
pub use enrol::{Enrol, enrol};
pub use error::{StoreError, TerminalError};
pub use faces::{Face, FacesReport, FacesStatus, MAX_PORTRAIT};
pub use http::HttpError;
pub use keys::{KeyCache, REMEMBERED_KEYS, TerminalKey, TerminalKeyError};
pub use lists::{Accepted, Lists};
pub use status::{ListStatus, Status};
pub use sync::{SyncReport, TimeQuestion};
pub use terminal::{Terminal, TerminalOptions};
pub use upload::{MAX_BATCH, UploadReport};
pub use verify::{Approval, Payment, Verdict, new_sale_id};
pub use void::{VOID_WITHIN_MS, Void, VoidRefusal};

pub use yika_format::FaceReference;
pub use yika_format::lists::HolderNumber;
pub use yika_format::verifier::{Purpose, Reason, Refusal, Request, SaleId};
pub use yika_link::{Authority, AuthorityError, LinkError, Origin, OriginError};
