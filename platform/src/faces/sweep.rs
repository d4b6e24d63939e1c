//! What is done sooner or later, by whichever server comes to it: keys are destroyed, portraits looked into that a crash left
//! alone, and those dropped that never came whole.

use super::intake;
use super::store;
use crate::Platform;
use crate::db::transact;
use crate::error::Result;
use std::time::Duration;
use yika_api::face::PhotoPhase;

/// How many at once.
const BATCH: i64 = 100;
/// After how long nobody is at a portrait any more that is whole and was not looked into, in milliseconds.
const ALONE_MS: i64 = 60_000;
const PAUSE: Duration = Duration::from_secs(10);

/// Destroys the keys of portraits that have ended. That they are gone is noted afterwards, so a crash between both does it again.
pub(super) async fn destroy_keys(platform: &Platform) -> Result<()> {
    let mut reader = platform.db().read().await?;
    let photos = store::keys_to_destroy(&mut reader, BATCH).await?;
    drop(reader);
    for photo in photos {
        platform.photo_keys().destroy(photo).await?;
        yika_fault::reach("platform.photo-key.destroyed");
        let now = platform.now();
        let noted: Result<()> = transact!(platform.db().writer(), |tx| {
            store::key_destroyed(tx, photo, now).await
        });
        noted?;
    }
    Ok(())
}

/// Does what is due again and again, and tries anew where that fails.
pub(crate) async fn sweep_for_ever(platform: &Platform) {
    loop {
        if let Err(error) = sweep(platform).await {
            tracing::error!(%error, "face photos could not be swept; trying again");
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Does what is due.
pub(crate) async fn sweep(platform: &Platform) -> Result<()> {
    destroy_keys(platform).await?;
    let now = platform.now();
    let mut reader = platform.db().read().await?;
    let alone = now.plus_millis(-ALONE_MS);
    let left = store::photos_in(&mut reader, PhotoPhase::Receiving, alone, BATCH).await?;
    drop(reader);
    let too_old = now.plus_millis(-platform.config().faces.patience_ms);
    for photo in left {
        if photo.is_whole() {
            intake::look_into(platform, photo.photo.id).await?;
        } else if photo.photo.changed_at < too_old {
            let dropped: Result<()> = transact!(platform.db().writer(), |tx| {
                match store::photo(tx, photo.photo.id).await? {
                    Some(photo) if photo.photo.phase == PhotoPhase::Receiving && !photo.is_whole() => {
                        store::end(tx, &photo, None, now).await
                    }
                    _ => Ok(()),
                }
            });
            dropped?;
        }
    }
    destroy_keys(platform).await
}
