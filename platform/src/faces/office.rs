//! What the card office does about face photos, and what it can be asked about them.

use super::intake;
use super::store::{self, FaceEvent, FaceEventKind, PhotoRow};
use super::sweep::destroy_keys;
use crate::accounts::{holder_by_id, holder_by_number};
use crate::admin::Admin;
use crate::db::{Connection, transact};
use crate::error::{Error, Result};
use uuid::Uuid;
use yika_api::face::{MAX_REPLY, PhotoPhase, PhotoRefusal, PhotoRefusalReason};
use yika_api::{ProblemCode, UnixMillis};

/// Portraits of a queue.
const MOST_SHOWN: i64 = 200;

/// A portrait that somebody has to look at.
#[derive(Clone, Debug)]
pub struct FaceReview {
    /// The portrait.
    pub id: Uuid,
    /// The holder's student or staff number.
    pub number: String,
    /// The holder's name.
    pub name: String,
    /// What the phone's check would have changed, by its codes: the holder asks a person to look in spite of it.
    pub advice: Vec<String>,
    /// What the platform's own check would change.
    pub findings: Vec<String>,
    /// Since when it waits.
    pub since: UnixMillis,
}

async fn pending(tx: &mut Connection, id: Uuid) -> Result<PhotoRow> {
    let found = store::photo(tx, id).await?;
    let pending = found.filter(|photo| photo.photo.phase == PhotoPhase::Pending);
    pending.ok_or_else(|| Error::refused(ProblemCode::NotFound))
}

impl Admin<'_> {
    /// The portraits that somebody has to look at, the oldest first.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn face_reviews(&self) -> Result<Vec<FaceReview>> {
        let mut snapshot = self.platform().db().snapshot().await?;
        let ever = UnixMillis(i64::MAX);
        let mut reviews = Vec::new();
        for photo in store::photos_in(&mut snapshot, PhotoPhase::Pending, ever, MOST_SHOWN).await? {
            if let Some(holder) = holder_by_id(&mut snapshot, photo.holder).await? {
                reviews.push(FaceReview {
                    id: photo.photo.id,
                    number: holder.number,
                    name: holder.name,
                    advice: photo.advice,
                    findings: photo.findings,
                    since: photo.photo.changed_at,
                });
            }
        }
        Ok(reviews)
    }

    /// The file of a portrait that somebody has to look at. That it was seen is noted.
    ///
    /// # Errors
    /// Where no such portrait waits, its key is gone, or the database fails.
    pub async fn face_portrait(&self, id: Uuid) -> Result<Vec<u8>> {
        let now = self.platform().now();
        let seen: Result<PhotoRow> = transact!(self.platform().db().writer(), |tx| {
            let photo = pending(tx, id).await?;
            store::note_photo(tx, &photo, FaceEventKind::Seen, now).await?;
            Ok(photo)
        });
        let bytes = intake::bytes(self.platform(), &seen?).await?;
        bytes.ok_or_else(|| Error::refused(ProblemCode::NotFound))
    }

    /// Takes a portrait on file; the one that was there is deleted.
    ///
    /// # Errors
    /// Where no such portrait waits, or the database fails.
    pub async fn accept_face(&self, id: Uuid) -> Result<()> {
        let now = self.platform().now();
        let accepted: Result<()> = transact!(self.platform().db().writer(), |tx| {
            let photo = pending(tx, id).await?;
            for other in store::photos_of(tx, photo.holder).await? {
                if other.photo.phase == PhotoPhase::Accepted {
                    store::end(tx, &other, None, now).await?;
                }
            }
            store::advance(tx, &photo, PhotoPhase::Accepted, None, now).await?;
            store::note_photo(tx, &photo, FaceEventKind::Accepted, now).await
        });
        accepted?;
        destroy_keys(self.platform()).await
    }

    /// Refuses a portrait, which is deleted, and says why.
    ///
    /// # Errors
    /// Where no such portrait waits, the reply is longer than 500 characters or missing where the reason is `Other`, or the
    /// database fails.
    pub async fn refuse_face(&self, id: Uuid, reason: PhotoRefusalReason, reply: Option<&str>) -> Result<()> {
        let reply = reply.map(str::trim).filter(|reply| !reply.is_empty());
        let is_short = reply.is_none_or(|reply| reply.chars().count() <= MAX_REPLY && !reply.contains('\0'));
        if !is_short || (reason == PhotoRefusalReason::Other && reply.is_none()) {
            let why = "say why, in at most 500 characters";
            return Err(Error::refused_because(ProblemCode::InvalidRequest, why));
        }
        let refusal = PhotoRefusal {
            reason,
            reply: reply.map(str::to_owned),
        };
        let now = self.platform().now();
        let refused: Result<()> = transact!(self.platform().db().writer(), |tx| {
            let photo = pending(tx, id).await?;
            store::end(tx, &photo, Some(&refusal), now).await
        });
        refused?;
        destroy_keys(self.platform()).await
    }

    /// Everything that was done with a holder's face photos, in its order.
    ///
    /// # Errors
    /// Where there is no holder of this number, or the database fails.
    pub async fn face_events(&self, number: &str) -> Result<Vec<FaceEvent>> {
        let mut snapshot = self.platform().db().snapshot().await?;
        let holder = holder_by_number(&mut snapshot, number).await?;
        let holder = holder.ok_or_else(|| Error::refused(ProblemCode::NotFound))?;
        store::events(&mut snapshot, holder.id).await
    }
}
