//! Enrolling terminals, and knowing them by their keys.

use super::store::{self, MerchantRow, NewCode, NewTerminal, PlannedCode, TerminalRow};
use crate::Platform;
use crate::clock::DAY;
use crate::config::TerminalEnrolment;
use crate::db::{Connection, transact};
use crate::error::{Error, Result};
use crate::http::one_header;
use crate::random::{random_bytes, sha256};
use crate::sessions::{ProofKey, Target};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use yika_api::terminal::{EnrolTerminal, EnrolledTerminal, MerchantId, TerminalKind, TerminalStatus};
use yika_api::{Base64Url, DPOP, ProblemCode, UnixMillis};
use yika_format::PublicKey;

const CODE_GOOD_MS: i64 = 2 * DAY;
/// A code for one terminal alone may wait longer: until somebody has driven to where it stands.
const PLANNED_CODE_GOOD_MS: i64 = 30 * DAY;
/// Letters and digits that nobody confuses (Crockford's Base32): 16 of them are 80 bits.
const CODE_ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const MAX_LABEL_CHARS: usize = 64;

/// Who makes a request: an enrolled terminal, its proof checked.
#[derive(Clone, Debug)]
pub(crate) struct Terminal(pub(crate) TerminalRow);

/// The key of a proof that came without a token; whose key it is, is another question.
pub(super) struct TerminalKey(pub(super) ProofKey);

impl FromRequestParts<Platform> for TerminalKey {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, platform: &Platform) -> Result<Self> {
        let target = Target {
            method: &parts.method,
            uri: &parts.uri,
            origin: &platform.config().public_origin,
            access_token: None,
        };
        let proof = one_header(&parts.headers, DPOP);
        let nonces = platform.nonces();
        nonces.verify(proof, target, platform.now()).await.map(Self)
    }
}

impl FromRequestParts<Platform> for Terminal {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, platform: &Platform) -> Result<Self> {
        let TerminalKey(proof) = TerminalKey::from_request_parts(parts, platform).await?;
        let mut reader = platform.db().read().await?;
        let known = store::terminal_of_key(&mut reader, &proof.key.compress()).await?;
        known.map(Self).ok_or_else(|| {
            Error::refused_because(
                ProblemCode::Forbidden,
                "no terminal is enrolled with this key; enrol it first",
            )
        })
    }
}

/// Enrols the terminal of this key. The same key again gets the same answer.
pub(super) async fn enrol(
    platform: &Platform,
    key: &ProofKey,
    request: &EnrolTerminal,
) -> Result<EnrolledTerminal> {
    let label = checked_label(request.label.as_deref())?;
    let directory_key = checked_directory_key(request.kind, request.directory_key.as_ref())?;
    let now = platform.now();
    let public = key.key.compress();
    let enrolled = transact!(platform.db().writer(), |tx| {
        if let Some(known) = store::terminal_of_key(tx, &public).await? {
            return answer_again(platform, tx, known, request, directory_key).await;
        }
        let planned = match platform.config().terminal_enrolment {
            TerminalEnrolment::CodeRequired => {
                let code = request.enrolment_code.as_deref().unwrap_or_default();
                store::use_code(tx, &code_hash(code), now).await?
            }
            TerminalEnrolment::Open => None,
        };
        let asked = asked_merchant(request, planned.as_ref())?;
        let merchant = merchant_for(tx, request.kind, asked).await?;
        let planned_label = planned.as_ref().map(|planned| planned.label.as_str());
        let new = NewTerminal {
            key: public,
            kind: request.kind,
            merchant: merchant.as_ref().map(|merchant| merchant.id),
            label: planned_label.or(label),
            directory_key,
        };
        let terminal = store::insert_terminal(tx, &new, now).await?;
        Ok(enrolled(platform, terminal, merchant))
    })?;
    tracing::info!(terminal = enrolled.id.0, kind = ?enrolled.kind, "a terminal is enrolled");
    Ok(enrolled)
}

/// For whom a terminal is to take payments. One with a code of its own becomes what the card office planned, or nothing.
fn asked_merchant(request: &EnrolTerminal, planned: Option<&PlannedCode>) -> Result<Option<MerchantId>> {
    let Some(planned) = planned else {
        return Ok(request.merchant);
    };
    let merchant = planned
        .merchant
        .and_then(|id| u64::try_from(id).ok())
        .map(MerchantId);
    if planned.kind != request.kind || (request.merchant.is_some() && request.merchant != merchant) {
        return Err(Error::refused_because(
            ProblemCode::Forbidden,
            "the code was made for another kind of terminal, or for another merchant",
        ));
    }
    Ok(merchant)
}

/// The reply to an enrolment was lost, or the terminal asks what it is. It cannot become something else that way.
async fn answer_again(
    platform: &Platform,
    db: &mut Connection,
    known: TerminalRow,
    request: &EnrolTerminal,
    directory_key: Option<PublicKey>,
) -> Result<EnrolledTerminal> {
    let asked = request
        .merchant
        .map(|merchant| i64::try_from(merchant.0).unwrap_or(i64::MAX));
    if known.kind != request.kind
        || (asked.is_some() && asked != known.merchant)
        || directory_key != known.directory_key
    {
        return Err(Error::refused_because(
            ProblemCode::Forbidden,
            "this key is enrolled as another terminal",
        ));
    }
    let merchant = match known.merchant {
        Some(id) => store::merchant_by_id(db, id).await?,
        None => None,
    };
    Ok(enrolled(platform, known, merchant))
}

fn enrolled(platform: &Platform, terminal: TerminalRow, merchant: Option<MerchantRow>) -> EnrolledTerminal {
    EnrolledTerminal {
        id: terminal.public_id(),
        kind: terminal.kind,
        label: terminal.label,
        merchant: merchant.map(|merchant| merchant.to_api()),
        sites: Vec::new(),
        school: platform.school(),
    }
}

async fn merchant_for(
    db: &mut Connection,
    kind: TerminalKind,
    asked: Option<MerchantId>,
) -> Result<Option<MerchantRow>> {
    let refused = |why: &str| Error::refused_because(ProblemCode::InvalidRequest, why);
    match (kind, asked) {
        (TerminalKind::Gate, None) => Ok(None),
        (TerminalKind::Gate, Some(_)) => Err(refused("a gate takes payments for nobody")),
        (_, Some(id)) => {
            let id = i64::try_from(id.0).map_err(|_| Error::refused(ProblemCode::NotFound))?;
            let found = store::merchant_by_id(db, id).await?;
            found
                .map(Some)
                .ok_or_else(|| Error::refused_because(ProblemCode::NotFound, "no merchant of that number"))
        }
        (_, None) => {
            let found = store::default_merchant(db, kind).await?;
            found
                .map(Some)
                .ok_or_else(|| refused("the school has no default merchant; name one"))
        }
    }
}

/// The key to which the terminal's directories will be sealed: a library desk has one, nobody else has.
fn checked_directory_key(kind: TerminalKind, asked: Option<&Base64Url>) -> Result<Option<PublicKey>> {
    let refused = |why: &str| Error::refused_because(ProblemCode::InvalidRequest, why);
    match (kind, asked) {
        (TerminalKind::Library, Some(bytes)) => {
            let key = bytes
                .to_array()
                .and_then(|bytes| PublicKey::from_compressed(bytes).ok());
            key.filter(|key| key.expand().is_ok())
                .map(Some)
                .ok_or_else(|| refused("the directory key is not a compressed P-256 public key"))
        }
        (TerminalKind::Library, None) => Err(refused("a library desk needs a directory key")),
        (TerminalKind::Pos | TerminalKind::Gate, Some(_)) => {
            Err(refused("only a library desk has a directory key"))
        }
        (TerminalKind::Pos | TerminalKind::Gate, None) => Ok(None),
    }
}

fn checked_label(label: Option<&str>) -> Result<Option<&str>> {
    match label.map(str::trim) {
        Some(label)
            if label.is_empty()
                || label.chars().count() > MAX_LABEL_CHARS
                || label.contains(char::is_control) =>
        {
            Err(Error::refused_because(
                ProblemCode::InvalidRequest,
                "a label has 1 to 64 characters",
            ))
        }
        label => Ok(label),
    }
}

/// How the platform sees this terminal.
pub(super) fn status(terminal: &TerminalRow) -> TerminalStatus {
    TerminalStatus {
        id: terminal.public_id(),
        next_sequence: terminal.next_sequence,
        frozen: terminal.is_frozen,
    }
}

/// Makes a one-use enrolment code, good for two days. Only its hash is kept.
pub(crate) async fn new_enrolment_code(platform: &Platform) -> Result<String> {
    let code = random_code()?;
    let expires_at = platform.now().plus_millis(CODE_GOOD_MS);
    let hash = code_hash(&code);
    transact!(platform.db().writer(), |tx| {
        store::insert_code(tx, &hash, None, expires_at).await
    })?;
    Ok(code)
}

/// Makes the code with which one terminal can be enrolled as what is planned. One that was made for it before enrols it no more.
pub(crate) async fn plan(tx: &mut Connection, planned: &NewCode<'_>, now: UnixMillis) -> Result<String> {
    let code = random_code()?;
    store::drop_codes(tx, planned.label).await?;
    let expires_at = now.plus_millis(PLANNED_CODE_GOOD_MS);
    store::insert_code(tx, &code_hash(&code), Some(planned), expires_at).await?;
    Ok(code)
}

fn random_code() -> Result<String> {
    let random = random_bytes::<16>()?;
    let characters: Vec<char> = random
        .iter()
        .map(|byte| char::from(CODE_ALPHABET[usize::from(byte % 32)]))
        .collect();
    let code: Vec<String> = characters.chunks(4).map(|group| group.iter().collect()).collect();
    Ok(code.join("-"))
}

/// The hash of a code as people type it: case and dashes don't matter.
fn code_hash(code: &str) -> [u8; 32] {
    let typed: String = code
        .chars()
        .filter(|c| !matches!(c, '-' | ' '))
        .map(|c| c.to_ascii_uppercase())
        .collect();
    sha256(typed.as_bytes())
}
