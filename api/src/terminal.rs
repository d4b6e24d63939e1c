//! What terminals ask of the platform: enrolment, the signed lists, signed time, and taking in what they sold offline.
//!
//! A terminal authenticates with a [`crate::dpop`] proof under its own key, and no token. The lists are signed bytes
//! (`application/octet-stream`) at `GET /v1/school/keyset` (open to everyone), `/v1/terminals/table`,
//! `/v1/terminals/deltas?base=VERSION` ([`DeltaChain`], JSON) and `/v1/terminals/revocations`, and for a library desk
//! `/v1/terminals/directory`, which is sealed to the key that it enrolled ([`EnrolTerminal::directory_key`]). Gates and POS
//! have `/v1/terminals/faces`, the list of the portraits that they may hold, and each portrait as a JPEG file (`image/jpeg`)
//! at `/v1/terminals/faces/{reference}`, the reference as 32 lower-case hexadecimal digits; with
//! `POST /v1/terminals/faces/applied` ([`FacesApplied`]) they say that what was taken back is gone.
//! `POST /v1/terminals/time` takes 16 random bytes and answers a signed time. `POST /v1/terminals` enrols,
//! `GET /v1/terminals/current` answers [`TerminalStatus`], `POST /v1/terminals/sales` takes [`SaleUpload`].

use crate::school::School;
use crate::{Base64Url, LocalizedText};
use serde::{Deserialize, Serialize};

/// A terminal's number. Covered by its signature in every sale record.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(transparent)]
#[schema(value_type = u64)]
pub struct TerminalId(pub u64);

/// A merchant's number.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(transparent)]
#[schema(value_type = u64)]
pub struct MerchantId(pub u64);

/// What a terminal stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TerminalKind {
    /// Takes payments for a merchant.
    Pos,
    /// Opens for an identity.
    Gate,
    /// Lends on an identity, and takes payments for fees.
    Library,
}

/// `POST /v1/terminals`. The request's proof is made with the key that is being enrolled.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct EnrolTerminal {
    /// What the terminal stands for.
    pub kind: TerminalKind,
    /// For whom it takes payments. A gate has none; a POS and a library desk without one get the school's default.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub merchant: Option<MerchantId>,
    /// The name that receipts show; the platform makes one if absent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub label: Option<String>,
    /// The one-use code from the card office, where the school asks for one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub enrolment_code: Option<String>,
    /// The compressed P-256 key to which a library desk's directories are sealed. Every library desk has one, no other
    /// terminal has.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub directory_key: Option<Base64Url>,
}

impl std::fmt::Debug for EnrolTerminal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "EnrolTerminal {{ kind: {:?}, merchant: {:?}, … }}",
            self.kind, self.merchant
        )
    }
}

/// An enrolled terminal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct EnrolledTerminal {
    /// Its number.
    pub id: TerminalId,
    /// What it stands for.
    pub kind: TerminalKind,
    /// Its name on receipts.
    pub label: String,
    /// For whom it takes payments.
    pub merchant: Option<Merchant>,
    /// The site groups (1–254) whose codes it takes beside those for any site.
    pub sites: Vec<u8>,
    /// The school, with the root key to pin.
    pub school: School,
}

/// Who is paid at a terminal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Merchant {
    /// The merchant's number.
    pub id: MerchantId,
    /// The merchant's name.
    pub name: LocalizedText,
}

/// How the platform sees this terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct TerminalStatus {
    /// Its number.
    pub id: TerminalId,
    /// The next record number that the platform expects: an upload resumes here.
    pub next_sequence: u64,
    /// Whether the card office has frozen it.
    pub frozen: bool,
}

/// The query of `GET /v1/terminals/deltas`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DeltaQuery {
    /// The version of the table that the terminal has.
    pub base: u64,
}

/// Signed deltas, each on the version before it, up to the newest table. Empty where the table is current.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct DeltaChain {
    /// In the order in which they apply.
    pub deltas: Vec<Base64Url>,
}

/// `POST /v1/terminals/faces/applied`: the terminal holds no portrait that isn't in this version of its list. It may lack
/// some that are. Said again as often as it likes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct FacesApplied {
    /// The version of the list.
    pub version: u64,
}

/// `POST /v1/terminals/sales`: records in the order of their numbers, at most 500.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct SaleUpload {
    /// Signed sale records as the code format lays them out.
    pub records: Vec<Base64Url>,
}

/// What became of an upload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct SaleUploadReply {
    /// One for each record that was sent, in the same order.
    pub outcomes: Vec<SaleOutcome>,
    /// The next record number that the platform expects.
    pub next_sequence: u64,
    /// The signed mark up to which everything of this terminal is settled: those payments leave the spent sums.
    pub settled_mark: Base64Url,
}

/// What became of one record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct SaleOutcome {
    /// The record's number.
    pub sequence: u64,
    /// What the platform did.
    pub result: SaleResult,
    /// Whether the platform had this record, byte for byte, before.
    pub repeated: bool,
}

/// What the platform did with a record. The merchant is paid in each case but the last two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SaleResult {
    /// Charged to the holder.
    Posted,
    /// Charged to the holder, who now owes what was missing on the account.
    PostedShort,
    /// Charged to the holder although the phone used this counter before: both are, and the phone gets a new epoch.
    PostedCounterReuse,
    /// This code was accepted before: the school's risk account pays, and the card office looks at it.
    Disputed,
    /// Accepted after the credential was revoked, by a terminal whose lists were in date: the school pays.
    PaidBySchool,
    /// Accepted after the credential was revoked, by a terminal whose lists were out of date: the merchant bears it.
    BorneByMerchant,
    /// The payment that this record names was taken back.
    Voided,
    /// The record doesn't verify, or names nothing that can be voided; it is kept as evidence, nothing is booked.
    Refused,
}
