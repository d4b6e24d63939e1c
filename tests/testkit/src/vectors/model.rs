//! What the JSON files hold. `tests/vectors/README.md` describes the same for readers in other languages.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Bytes, as lower-case hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Hex(pub Vec<u8>);

impl TryFrom<String> for Hex {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let digit = |byte: u8| {
            char::from(byte)
                .to_digit(16)
                .and_then(|digit| u8::try_from(digit).ok())
        };
        let pairs = text.as_bytes().chunks(2);
        pairs
            .map(|pair| match pair {
                [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
                _ => None,
            })
            .collect::<Option<_>>()
            .map(Self)
            .ok_or_else(|| format!("not hexadecimal: {text}"))
    }
}

impl From<Hex> for String {
    fn from(hex: Hex) -> Self {
        hex.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl<const N: usize> From<[u8; N]> for Hex {
    fn from(bytes: [u8; N]) -> Self {
        Self(bytes.to_vec())
    }
}

/// One file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Vector {
    /// What is shown, as a sentence; the file's name besides.
    pub name: String,
    /// Why it matters.
    pub why: String,
    /// What is put in.
    #[serde(flatten)]
    pub case: Case,
    /// `APPROVE`, `ANSWER_AS_BEFORE`, `ACCEPT` or the one reason.
    pub expect: String,
    /// What is read from the bytes, where they are accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fields: Option<serde_json::Value>,
}

/// What a vector puts in.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Case {
    /// A code at a terminal.
    Code(Box<CodeCase>),
    /// A credential by itself.
    Credential(CredentialCase),
    /// A signed message.
    List(Box<ListCase>),
    /// A terminal's record.
    Sale(SaleCase),
    /// The text of a terminal's QR code.
    Confirmation(ConfirmationCase),
    /// A proof of possession at enrolment.
    Proof(ProofCase),
}

/// A code at a terminal.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CodeCase {
    /// What the terminal holds of each school that it accepts, in its order.
    pub schools: Vec<Held>,
    /// The terminal.
    pub terminal: Place,
    /// What it knows of the time.
    pub time: Time,
    /// What is asked.
    pub request: Asked,
    /// What it remembers of the holder.
    pub standing: Standing,
    /// What it asked to be confirmed.
    pub confirmation: Option<Sought>,
    /// What the scanner typed.
    pub input: String,
}

/// What a terminal holds of one school; lists by their names in `common.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Held {
    /// The school's name in `common.json`.
    pub school: String,
    /// The keyset.
    pub keyset: String,
    /// The table.
    pub table: Option<String>,
    /// The revocations.
    pub revocations: Option<String>,
}

/// The kinds of terminals.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Takes payments.
    Pos,
    /// Opens for an identity.
    Gate,
    /// Lends, and takes fees.
    Library,
}

/// A terminal.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Place {
    /// What it stands for.
    pub kind: Kind,
    /// Its groups of sites.
    pub sites: Vec<u8>,
    /// Whether somebody attends it.
    pub attended: bool,
    /// Where its memory begins, in Unix seconds.
    pub installed: u32,
}

/// What a terminal knows of the time.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Time {
    /// Unix milliseconds.
    pub now_ms: u64,
    /// How far that may be off.
    pub uncertainty_s: u32,
    /// Whether it stems from signed time.
    pub anchored: bool,
}

/// What is asked of the terminal.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Asked {
    /// `null` for identity, else the fen to be paid.
    pub pay_fen: Option<u64>,
    /// The till's 16 bytes for this sale.
    pub sale: Hex,
}

/// What a terminal remembers of a holder.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Standing {
    /// The highest sequence accepted.
    pub last: Option<u32>,
    /// The sum approved and not settled, in fen.
    pub spent_fen: u64,
    /// The sale for which exactly this code was accepted.
    pub accepted_for: Option<Hex>,
}

/// What a terminal asked to be confirmed.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Sought {
    /// The terminal's number.
    pub terminal: u64,
    /// Its nonce.
    pub nonce: u64,
    /// The fen to be paid.
    pub amount_fen: u64,
}

/// A credential by itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CredentialCase {
    /// The school's name in `common.json`.
    pub school: String,
    /// The issuer's public key.
    pub issuer_key: Hex,
    /// The 117 bytes.
    pub input: Hex,
}

/// The kinds of signed messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ListMessage {
    /// Type 1.
    Keyset,
    /// Type 2.
    Table,
    /// Type 3.
    Delta,
    /// Type 4.
    Revocations,
    /// Type 5.
    Time,
    /// Type 6.
    Directory,
    /// Type 7.
    Mark,
    /// Type 8.
    Faces,
}

/// A signed message.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ListCase {
    /// What the reader asks for.
    pub message: ListMessage,
    /// The school whose root is pinned.
    pub school: String,
    /// The keyset that it is opened with; `null` for keysets, which the root signs.
    pub keyset: Option<String>,
    /// The version that the reader already has.
    pub have_version: Option<u64>,
    /// The nonce that a signed time has to answer.
    pub nonce: Option<Hex>,
    /// The number of the terminal that opens a directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terminal: Option<u64>,
    /// That terminal's private key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private_key: Option<Hex>,
    /// The table that a delta is applied to.
    pub table: Option<String>,
    /// The bytes.
    pub input: ListInput,
}

/// The bytes of a message.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ListInput {
    /// The message; a small table's rows are part of it.
    pub hex: Hex,
    /// Rows that follow it, made by a rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<NumberedRows>,
}

impl ListInput {
    /// All bytes.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.hex.0.clone();
        if let Some(rows) = &self.rows {
            bytes.extend(rows.bytes());
        }
        bytes
    }
}

/// `count` rows like `template`, whose first five bytes are the row's number from 0, big-endian.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NumberedRows {
    /// A row of 50 bytes.
    pub template: Hex,
    /// How many.
    pub count: u32,
}

impl NumberedRows {
    /// The rows.
    pub fn bytes(&self) -> Vec<u8> {
        let row = |number: u32| [&u64::from(number).to_be_bytes()[3..], &self.template.0[5..]].concat();
        (0..self.count).flat_map(row).collect()
    }
}

/// A terminal's record.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SaleCase {
    /// The school that it is uploaded to.
    pub school: String,
    /// The terminal's public key.
    pub terminal_key: Hex,
    /// The public key that is enrolled for the code's pseudonym; `null` for a void.
    pub device_key: Option<Hex>,
    /// The record.
    pub input: Hex,
}

/// The text of a terminal's QR code.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ConfirmationCase {
    /// What the phone scanned.
    pub input: String,
}

/// A proof of possession at enrolment.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ProofCase {
    /// The school's name in `common.json`.
    pub school: String,
    /// The platform's 32 bytes.
    pub nonce: Hex,
    /// The device's 16 bytes.
    pub device: Hex,
    /// The code key, compressed.
    pub key: Hex,
    /// The signature, raw or DER.
    pub input: Hex,
}

/// What the files share.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Common {
    /// The schools by name.
    pub schools: BTreeMap<String, SchoolFacts>,
    /// The keys by name.
    pub keys: BTreeMap<String, KeyFacts>,
    /// Keysets, tables and revocations by name, as signed messages.
    pub lists: BTreeMap<String, Hex>,
}

/// A school as a client pins it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SchoolFacts {
    /// Its DNS name.
    pub domain: String,
    /// The 16 bytes that are signed.
    pub hash: Hex,
    /// Its root key, compressed.
    pub root: Hex,
}

/// A key pair for tests.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct KeyFacts {
    /// The private number.
    pub private: Hex,
    /// The public key, compressed.
    pub public: Hex,
}

impl From<Sought> for yika_format::confirmation::Confirmation {
    fn from(sought: Sought) -> Self {
        Self {
            terminal: sought.terminal,
            nonce: sought.nonce,
            amount: yika_format::Amount(sought.amount_fen),
        }
    }
}
