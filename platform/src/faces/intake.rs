//! Looking into a portrait once it is whole. A phone has done so before; here it is done again, because a phone can lie.

use super::store::{self, FaceEventKind, PhotoRow};
use super::sweep::destroy_keys;
use crate::Platform;
use crate::db::transact;
use crate::error::{Error, Result};
use crate::random::sha256;
use std::sync::LazyLock;
use uuid::Uuid;
use yika_api::face::{PhotoPhase, PhotoRefusal, PhotoRefusalReason};
use yika_face::{Advice, Detector, check, open_portrait};

static DETECTOR: LazyLock<Detector> = LazyLock::new(Detector::new);

/// The portrait's file. Nothing where its key or some of its bytes are gone or don't belong to it.
pub(super) async fn bytes(platform: &Platform, photo: &PhotoRow) -> Result<Option<Vec<u8>>> {
    let id = photo.photo.id;
    let Some(key) = platform.photo_keys().get(id).await? else {
        return Ok(None);
    };
    let mut reader = platform.db().read().await?;
    let parts = store::parts(&mut reader, id).await?;
    let opened: Option<Vec<_>> = parts
        .iter()
        .map(|(start, sealed)| key.open(*start, sealed))
        .collect();
    let bytes = opened.map(|parts| parts.concat());
    Ok(bytes.filter(|bytes| sha256(bytes) == photo.digest))
}

/// Looks into a portrait that is whole: it waits for the card office then, or is refused where it is none.
pub(super) async fn look_into(platform: &Platform, id: Uuid) -> Result<()> {
    let mut reader = platform.db().read().await?;
    let found = store::photo(&mut reader, id).await?;
    drop(reader);
    let is_due = |photo: &PhotoRow| photo.photo.phase == PhotoPhase::Receiving && photo.is_whole();
    let Some(photo) = found.filter(is_due) else {
        return Ok(());
    };
    let findings = match bytes(platform, &photo).await? {
        Some(jpeg) => tokio::task::spawn_blocking(move || findings(&jpeg)).await?,
        None => None,
    };
    let now = platform.now();
    let is_refused: Result<bool> = transact!(platform.db().writer(), |tx| {
        let Some(photo) = store::photo(tx, id).await?.filter(is_due) else {
            return Ok(false);
        };
        store::note_photo(tx, &photo, FaceEventKind::Received, now).await?;
        match &findings {
            Some(findings) => {
                store::advance(tx, &photo, PhotoPhase::Pending, Some(findings), now).await?;
            }
            None => {
                let refusal = PhotoRefusal {
                    reason: PhotoRefusalReason::Unreadable,
                    reply: None,
                };
                store::end(tx, &photo, Some(&refusal), now).await?;
            }
        }
        Ok::<_, Error>(findings.is_none())
    });
    if is_refused? {
        destroy_keys(platform).await?;
    }
    Ok(())
}

/// What would have to be changed, by its stable codes. Nothing where the file is no portrait. Where the face is in it follows from
/// how portraits are cut, so that is not judged again.
fn findings(jpeg: &[u8]) -> Option<Vec<String>> {
    let picture = open_portrait(jpeg)
        .inspect_err(|error| tracing::info!(%error, "a portrait was refused"))
        .ok()?;
    let (verdict, _) = check(&DETECTOR, &picture);
    let of_the_cut = [
        Advice::Small,
        Advice::Closer,
        Advice::Back,
        Advice::Centre,
        Advice::Roll,
    ];
    let advice = verdict
        .advice
        .iter()
        .filter(|advice| !of_the_cut.contains(advice));
    Some(advice.map(|advice| advice.code().to_owned()).collect())
}
