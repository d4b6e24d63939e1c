//! Agreeing to an approval key, and what shows that the holder is there.

use super::{Presence, store};
use crate::Platform;
use crate::db::transact;
use crate::error::{Error, Result};
use crate::http::IdempotencyKey;
use crate::idempotency::{Deed, Operation};
use crate::operations::check_sealed;
use crate::sessions::Session;
use crate::wallet::open_customer;
use yika_api::approval::{Act, ApprovalKey, SetApprovalKey, StepUp, approval_text};
use yika_api::bank::CheckPassword;
use yika_api::credential::KeyStorage;
use yika_api::wallet::SealedField;
use yika_api::{Base64Url, ProblemCode};
use yika_format::{ExpandedKey, Signature};

/// Lets the session's phone approve with this key, once the bank has checked the password.
pub(super) async fn set(
    platform: &Platform,
    session: &Session,
    key: IdempotencyKey,
    request: &SetApprovalKey,
) -> Result<String> {
    let device = session.device.to_string();
    let deed = Deed::of_device("approval-key", session.holder, &device, key, request)?;
    if request.storage == KeyStorage::Software {
        let why = "a key in software asks nobody";
        return Err(Error::refused_because(ProblemCode::ApprovalRefused, why));
    }
    let point = ExpandedKey::from_uncompressed(&request.public_key.0)
        .map_err(|_| Error::refused_because(ProblemCode::InvalidRequest, "not a key on P-256"))?;
    verify(platform, &point, key, Act::ApprovalKey, &request.proof)?;
    let before: Result<Option<String>> = transact!(platform.db().writer(), |tx| { deed.reply(tx).await });
    if let Some(reply) = before? {
        return Ok(reply);
    }
    check_password(platform, session.holder, key, &request.password).await?;
    let now = platform.now();
    transact!(platform.db().writer(), |tx| {
        let slot = match deed.begin(tx).await? {
            Operation::Done(reply) => return Ok(reply),
            Operation::New(slot) => slot,
        };
        store::set(tx, session.device, point.compress(), request.storage, now).await?;
        let told = ApprovalKey {
            storage: request.storage,
            since: now,
        };
        slot.store(tx, &told, now).await
    })
}

/// Forgets the key of the session's phone.
pub(super) async fn forget(platform: &Platform, session: &Session) -> Result<()> {
    transact!(platform.db().writer(), |tx| {
        store::forget(tx, session.device).await
    })
}

/// Whether the holder is there. What is given and isn't right is refused.
pub(crate) async fn prove(
    platform: &Platform,
    session: &Session,
    key: IdempotencyKey,
    act: Act,
    step_up: Option<&StepUp>,
) -> Result<Presence> {
    match step_up {
        None => return Ok(Presence::Unproven),
        Some(StepUp::Password { password }) => {
            check_password(platform, session.holder, key, password).await?;
        }
        Some(StepUp::Approval { signature }) => {
            let mut reader = platform.db().read().await?;
            let known = store::key(&mut reader, session.device).await?;
            let known = known.and_then(|key| key.expand().ok());
            let known = known.ok_or_else(|| Error::refused(ProblemCode::ApprovalRefused))?;
            verify(platform, &known, key, act, signature)?;
        }
        Some(StepUp::SignIn { .. }) => {
            let why = "a sign-in does not do here";
            return Err(Error::refused_because(ProblemCode::StepUpRequired, why));
        }
    }
    Ok(Presence::Proven)
}

/// Has the bank check the payment password.
async fn check_password(
    platform: &Platform,
    holder: i64,
    key: IdempotencyKey,
    password: &SealedField,
) -> Result<()> {
    let check = CheckPassword {
        operation: key.0,
        password: check_sealed(password)?.clone(),
    };
    let mut reader = platform.db().read().await?;
    let customer = open_customer(&mut reader, holder).await?;
    drop(reader);
    let bank = platform.bank()?.gateway();
    Ok(bank.check_password(customer, &check).await?)
}

fn verify(
    platform: &Platform,
    key: &ExpandedKey,
    operation: IdempotencyKey,
    act: Act,
    signature: &Base64Url,
) -> Result<()> {
    let refused = || Error::refused(ProblemCode::ApprovalRefused);
    let signature = signature.to_array().ok_or_else(refused)?;
    let signature = Signature::from_raw(signature).map_err(|_| refused())?;
    let text = approval_text(&platform.config().school.domain, operation.0, act);
    key.verify(text.as_bytes(), &signature).map_err(|_| refused())
}
