//! The signed bytes of Yika, and how a verifier decides about them.
//!
//! Everything that crosses between phone, terminal and platform under a signature is laid out here: the codes a phone
//! shows ([`code`]), the credential inside them ([`credential`]), the lists a terminal holds ([`lists`]), the record of a
//! sale ([`sale`]), and the decision itself as a pure function ([`verifier`]). There is no clock, no storage and no I/O:
//! callers bring time, lists and history as values. `docs/code-format.md` is the open specification of the same bytes.
//!
//! Decoders take anything and never panic. They are canonical: for each value there is one encoding, and whatever
//! differs from it is refused.

pub mod bank;
mod base45;
pub mod code;
pub mod confirmation;
pub mod credential;
mod curve;
mod decode;
mod ids;
mod keys;
pub mod lists;
pub mod proof;
pub mod sale;
mod sealing;
pub mod verifier;

pub use decode::DecodeError;
pub use ids::{
    AccountMask, Amount, Counter, Epoch, FaceReference, Hours, KeyId, LimitUnits, MinEpoch, Profile,
    Pseudonym, SchoolHash, Sequence, Slot, UnixMillis, UnixSeconds,
};
pub use keys::{ExpandedKey, KeyError, PublicKey, Signature, SignatureError};
pub use sealing::{RecipientKey, SealError};
