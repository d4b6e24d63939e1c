//! The HTTP messages that phone, terminal and platform share.
//!
//! Types and their JSON only: no client, no server, no storage. Both ends compile against the same structs, so they
//! cannot drift; the platform publishes the same types as OpenAPI 3.1. Amounts are [`Fen`], instants are [`UnixMillis`],
//! byte strings are [`Base64Url`]. Failures are [`Problem`] documents (RFC 9457), except at the token endpoint, which
//! answers as OAuth 2.0 does ([`session::TokenError`]).

pub mod account;
pub mod approval;
pub mod auto_top_up;
pub mod bank;
pub mod credential;
pub mod device;
pub mod dispute;
pub mod dpop;
mod encoding;
pub mod face;
mod fen;
pub mod limit;
pub mod lost;
pub mod merchant;
pub mod operation;
pub mod payment;
mod problem;
pub mod school;
pub mod session;
pub mod terminal;
pub mod utility;
pub mod wallet;

pub use encoding::{Base64Url, LocalizedText, UnixMillis};
pub use fen::{Fen, FenError};
pub use problem::{Problem, ProblemCode};

/// Header that names an operation, so that a retry is the same operation (draft-ietf-httpapi-idempotency-key-header).
pub const IDEMPOTENCY_KEY: &str = "Idempotency-Key";
/// Header that carries a proof of possession (RFC 9449, section 4).
pub const DPOP: &str = "DPoP";
/// Header by which the server hands out the nonce that the next proof must carry (RFC 9449, section 8).
pub const DPOP_NONCE: &str = "DPoP-Nonce";
