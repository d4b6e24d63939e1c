//! Getting a credential onto a phone and keeping it alive.
//!
//! `POST /v1/credentials/challenge` answers [`Challenge`]. `POST /v1/credentials` takes [`IssueRequest`] under an
//! idempotency key and answers [`IssuedCredential`]. `GET /v1/credentials/current` answers [`CredentialStatus`].
//! The bytes of a credential and of the key proof are those of the code format.

use crate::{Base64Url, UnixMillis};
use serde::{Deserialize, Serialize};

/// A nonce for one key proof.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Challenge {
    /// 32 random bytes, good once.
    pub nonce: Base64Url,
    /// When it ends.
    pub expires_at: UnixMillis,
}

/// Where the code key lives. Goes, signed, into the credential: software keys get lower limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyStorage {
    /// Sealed in the app's store.
    Software,
    /// A trusted execution environment.
    Tee,
    /// A secure element of its own.
    SecureElement,
}

/// Possession of the code key, shown over a [`Challenge`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct KeyProof {
    /// The compressed P-256 key, 33 bytes.
    pub code_key: Base64Url,
    /// Where the key lives.
    pub key_storage: KeyStorage,
    /// The challenge's nonce.
    pub nonce: Base64Url,
    /// r‖s over the key-proof preimage of the code format.
    pub signature: Base64Url,
}

/// What the phone asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "purpose", rename_all = "snake_case")]
pub enum IssueRequest {
    /// A first credential for this key, or a new pseudonym and key instead of the old one.
    Enrol {
        /// The key and that this phone has it.
        proof: KeyProof,
    },
    /// The same credential with a later end. Where the holder's attributes changed since, the answer has a new epoch.
    Renew,
    /// The next epoch: the counter runs out, or the store was restored and counters may repeat.
    NextEpoch {
        /// Why.
        reason: EpochReason,
    },
}

/// Why a phone wants the next epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EpochReason {
    /// The counter has passed the mark after which a new epoch is due.
    Counter,
    /// The store is older than what the phone has shown.
    StoreRestored,
}

/// A credential, and what the phone needs to know around it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct IssuedCredential {
    /// The signed credential: the first 117 bytes of a full code.
    pub credential: Base64Url,
    /// When the certificate ends: after it the full code is refused.
    pub certificate_until: UnixMillis,
    /// When the row in the terminals' table ends at the earliest: after it the short code is refused.
    pub row_until: UnixMillis,
    /// How the phone rotates its codes.
    pub policy: CodePolicy,
    /// The highest sequence (epoch·65536 + counter) that the platform has settled for this pseudonym; 0 for none.
    pub highest_settled: u32,
}

/// Rotation of codes, as the school wants it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CodePolicy {
    /// Seconds after which the next code is shown.
    pub rotation_s: u8,
    /// Seconds after which a code is refused.
    pub code_life_s: u8,
    /// The phone asks for a renewal when less than this part of the certificate's life is left, in percent.
    pub renew_below_percent: u8,
}

/// How things stand with this phone's credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CredentialStatus {
    /// What may be done with it.
    pub state: CredentialState,
    /// The newest epoch issued.
    pub epoch: u8,
    /// The highest sequence that the platform has settled for this pseudonym; 0 for none.
    pub highest_settled: u32,
    /// Whether a renewal would bring other attributes, and so a new epoch.
    pub renewal_due: bool,
}

/// Whether a credential is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CredentialState {
    /// Terminals accept its codes.
    Active,
    /// Suspended: found again, a new epoch brings it back.
    Suspended,
    /// Dead for good: a new key is needed.
    Revoked,
}
