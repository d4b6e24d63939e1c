//! The session's requests.

use yika_api::school::{School, ServerTime};
use yika_api::session::{ID_TOKEN_TYPE, TokenRequest, TokenResponse};

use super::model::HostIdToken;
use crate::clock::{Anchor, TrustedClock};
use crate::error::CoreError;
use crate::http::{Call, Http, HttpError, Sender};
use crate::secret::SecretText;
use crate::trust::KeysetRecord;

const TOKEN: &str = "/v1/sessions/token";

/// Who the school is.
pub(super) async fn school(http: &Http) -> Result<School, HttpError> {
    http.send(&Call::get("/v1/school"), None).await?.json()
}

/// The school's keys, signed by its root key; not checked yet.
pub(super) async fn keyset(http: &Http) -> Result<KeysetRecord, HttpError> {
    let answer = http.send(&Call::get("/v1/school/keyset"), None).await?;
    Ok(KeysetRecord {
        bytes: answer.into_bytes().into(),
    })
}

/// Asks for the platform's time; `None` where the answer took too long to say much.
pub(super) async fn anchor(http: &Http, clock: &TrustedClock) -> Result<Option<Anchor>, CoreError> {
    let before = clock.sample()?;
    let answer = http.send(&Call::get("/v1/time"), None).await?;
    let after = clock.sample()?;
    let ServerTime { now } = answer.json()?;
    Ok(Anchor::new(before, after, now))
}

pub(super) async fn exchange(
    http: &Http,
    sender: &Sender,
    token: &HostIdToken,
    device_name: &str,
) -> Result<TokenResponse, HttpError> {
    let request = TokenRequest::Exchange {
        subject_token: token.expose().to_owned(),
        subject_token_type: ID_TOKEN_TYPE.to_owned(),
        device_name: device_name.to_owned(),
    };
    http.send(&Call::post(TOKEN).form(&request)?, Some(sender))
        .await?
        .json()
}

pub(super) async fn refresh(
    http: &Http,
    sender: &Sender,
    refresh_token: &SecretText,
) -> Result<TokenResponse, HttpError> {
    let request = TokenRequest::Refresh {
        refresh_token: refresh_token.expose().to_owned(),
    };
    http.send(&Call::post(TOKEN).form(&request)?, Some(sender))
        .await?
        .json()
}

pub(super) async fn end(http: &Http, sender: &Sender) -> Result<(), HttpError> {
    http.send(&Call::delete("/v1/sessions/current"), Some(sender))
        .await
        .map(|_| ())
}
