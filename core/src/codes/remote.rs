//! The credential's requests.

use yika_api::credential::{Challenge, CredentialStatus, IssuedCredential};

use super::model::PendingIssue;
use crate::error::CoreError;
use crate::http::Call;
use crate::session::{HttpOrCore, Sessions};
use yika_api::ProblemCode;

/// How things stand; `None` where the platform knows no credential of this phone.
pub(super) async fn status(sessions: &Sessions) -> Result<Option<CredentialStatus>, CoreError> {
    match sessions.send(&Call::get("/v1/credentials/current")).await {
        Ok(answer) => Ok(Some(answer.json()?)),
        Err(error) if error.problem() == Some(ProblemCode::NoCredential) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// A nonce to prove the code key with.
pub(super) async fn challenge(sessions: &Sessions) -> Result<[u8; 32], CoreError> {
    let answer = sessions.send(&Call::post("/v1/credentials/challenge")).await?;
    let Challenge { nonce, .. } = answer.json()?;
    nonce.to_array().ok_or(CoreError::AppOutdated)
}

/// Asks for a credential: as often as need be, always in the same words under the same name.
pub(super) async fn issue(
    sessions: &Sessions,
    pending: &PendingIssue,
) -> Result<IssuedCredential, HttpOrCore> {
    let call = Call::post("/v1/credentials")
        .json(&pending.request)?
        .operation(pending.operation);
    Ok(sessions.send(&call).await?.json()?)
}
