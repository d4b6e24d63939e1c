//! The requests about face photos. All of them are named by their addresses, so each may be sent again.

use ring::digest::{SHA256, digest};
use yika_api::face::{BeginPhoto, FaceFile, FacePhoto, GiveConsent, PhotoBytesQuery};

use super::drafts::{ConsentDraft, PhotoDraft, Withdrawal};
use crate::http::Call;
use crate::session::{HttpOrCore, Sessions};

/// Bytes of one request: on a bad network not much is lost with one.
const PART: usize = 16 * 1024;

pub(super) async fn file(sessions: &Sessions) -> Result<FaceFile, HttpOrCore> {
    Ok(sessions.send(&Call::get("/v1/face")).await?.json()?)
}

pub(super) async fn give_consent(sessions: &Sessions, draft: &ConsentDraft) -> Result<FaceFile, HttpOrCore> {
    let request = GiveConsent {
        version: draft.version,
        agreed_at: draft.agreed_at,
    };
    let call = Call::put(format!("/v1/face/consents/{}", draft.id)).json(&request)?;
    Ok(sessions.send(&call.repeatable()).await?.json()?)
}

pub(super) async fn withdraw(sessions: &Sessions, withdrawal: &Withdrawal) -> Result<FaceFile, HttpOrCore> {
    let call = Call::delete(format!("/v1/face/consents/{}", withdrawal.consent_id));
    Ok(sessions.send(&call.repeatable()).await?.json()?)
}

pub(super) async fn begin(
    sessions: &Sessions,
    draft: &PhotoDraft,
    jpeg: &[u8],
) -> Result<FacePhoto, HttpOrCore> {
    let request = BeginPhoto {
        consent_id: draft.consent_id,
        bytes: draft.bytes,
        sha256: digest(&SHA256, jpeg).as_ref().to_vec().into(),
        advice: draft.advice.clone(),
    };
    let call = Call::put(format!("/v1/face/photos/{}", draft.id)).json(&request)?;
    Ok(sessions.send(&call.repeatable()).await?.json()?)
}

/// Sends the next part of a portrait, of which the platform has so many bytes.
pub(super) async fn append(
    sessions: &Sessions,
    draft: &PhotoDraft,
    jpeg: &[u8],
    received: u32,
) -> Result<FacePhoto, HttpOrCore> {
    let rest = usize::try_from(received).ok().and_then(|start| jpeg.get(start..));
    let rest = rest.unwrap_or_default();
    let part = rest[..rest.len().min(PART)].to_vec();
    let call = Call::post(format!("/v1/face/photos/{}/bytes", draft.id))
        .query(&PhotoBytesQuery { from: received })?
        .octets(part);
    Ok(sessions.send(&call.repeatable()).await?.json()?)
}
