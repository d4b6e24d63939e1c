//! Whose word the phone takes. The school's root key is pinned: given by the app, or else taken from the platform at the
//! first binding and never another one after that. It signs the keyset, which only gets newer, and the keyset names the
//! keys that may sign a credential. Decisions only: the session fetches, the journal keeps, and nothing here happens while
//! a code is shown.

use serde::{Deserialize, Serialize};
use yika_api::school::School;
use yika_api::{Base64Url, UnixMillis};
use yika_format::lists::{Keyset, Root};
use yika_format::{PublicKey, SchoolHash};
use yika_link::Origin;

use crate::error::CoreError;
use crate::session::SessionRecord;
use crate::store::Record;

/// What is wrong with something that the school should have signed for this phone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum TrustFault {
    /// The keyset is none, or another school's, or not signed by the school's root key.
    #[error("the keyset is not signed by the school's root key")]
    Keyset,
    /// The keyset is older than one that this phone has seen.
    #[error("the keyset is older than one seen before")]
    KeysetOlder,
    /// The keyset may not be relied on any more.
    #[error("the keyset is out of date")]
    KeysetEnded,
    /// The keyset has no such key for credentials now.
    #[error("the credential is signed by a key that is not in the keyset")]
    Issuer,
    /// The signature is not that key's, or for another school.
    #[error("the credential's signature does not verify")]
    Signature,
    /// It is for another key than this phone's.
    #[error("the credential is for another device key")]
    DeviceKey,
    /// It has another pseudonym where the same one was asked for, or the same one where another was.
    #[error("the credential has not the pseudonym that was asked for")]
    Pseudonym,
    /// Its epoch is not the one that was asked for, or older than the one in use.
    #[error("the credential has not the epoch that was asked for")]
    Epoch,
    /// It has not begun, or is older than the one in use.
    #[error("the credential has not begun, or is older than the one in use")]
    Times,
    /// The bank's root key is another than the one that this phone trusts the bank by.
    #[error("the bank's root key is not the one trusted before")]
    BankRoot,
    /// The bank's keys are not signed by its root.
    #[error("the bank's keys are not signed by the bank's root key")]
    BankKeys,
    /// The bank's keys may not be relied on any more.
    #[error("the bank's keys are out of date")]
    BankKeysEnded,
}

/// The newest keyset that this phone has seen, as it came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeysetRecord {
    pub bytes: Base64Url,
}

impl Record for KeysetRecord {
    const NAME: &'static str = "keyset";
}

/// The root key to trust a school by: the one the app was given, or else the one the school told when it was pinned.
pub(crate) fn root(given: Option<PublicKey>, school: &School) -> Result<Root, CoreError> {
    let key = match given {
        Some(key) => key,
        None => told_key(school)?,
    };
    Ok(Root {
        school: SchoolHash::of_domain(&school.domain),
        // Not a point of the curve: nothing can be signed by it.
        key: key.expand().map_err(|_| CoreError::RootKeyMismatch)?,
    })
}

/// Whether what a platform tells at a binding is the school that this phone knows. The key that the app was given decides
/// alone; without one the first binding pins.
pub(crate) fn check_root(
    given: Option<PublicKey>,
    bound: Option<&SessionRecord>,
    origin: &Origin,
    school: &School,
) -> Result<(), CoreError> {
    let told = told_key(school)?;
    let pinned = bound
        .filter(|bound| bound.origin == *origin || bound.school.domain == school.domain)
        .map(|bound| told_key(&bound.school))
        .transpose()?;
    match given.or(pinned) {
        Some(trusted) if trusted != told => Err(CoreError::RootKeyMismatch),
        _ => Ok(()),
    }
}

fn told_key(school: &School) -> Result<PublicKey, CoreError> {
    let bytes = school.root_key.to_array().ok_or(CoreError::AppOutdated)?;
    PublicKey::from_compressed(bytes).map_err(|_| CoreError::AppOutdated)
}

/// Opens a keyset under the root, if it is in date and not older than the one that was `kept`.
pub(crate) fn open_keyset(
    record: &KeysetRecord,
    kept: Option<&KeysetRecord>,
    root: &Root,
    now: UnixMillis,
) -> Result<Keyset, TrustFault> {
    let keyset = Keyset::open(&record.bytes.0, root).map_err(|_| TrustFault::Keyset)?;
    // One that another root signed, or for another school, says nothing about this one.
    let have = kept
        .and_then(|kept| Keyset::open(&kept.bytes.0, root).ok())
        .map_or(0, |kept| kept.header().version);
    if keyset.header().version < have {
        Err(TrustFault::KeysetOlder)
    } else if !keyset.header().is_in_date(format_millis(now)) {
        Err(TrustFault::KeysetEnded)
    } else {
        Ok(keyset)
    }
}

/// The instant as the format counts it, which knows none before 1970.
pub(crate) fn format_millis(instant: UnixMillis) -> yika_format::UnixMillis {
    yika_format::UnixMillis(u64::try_from(instant.0).unwrap_or(0))
}
