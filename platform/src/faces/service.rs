//! What a holder does about face photos: agrees, announces a portrait, sends it, looks how it stands, takes the consent back.

use super::intake;
use super::store::{self, FaceEvent, FaceEventKind, PhotoRow};
use super::sweep::destroy_keys;
use crate::Platform;
use crate::db::{Connection, transact};
use crate::error::{Error, Result};
use uuid::Uuid;
use yika_api::face::{BeginPhoto, FaceDeletion, FaceFile, FacePhoto, GiveConsent, MAX_PORTRAIT, PhotoPhase};
use yika_api::{ProblemCode, UnixMillis};

/// Advice of an announced portrait: more than there are codes.
const MOST_ADVICE: usize = 32;
/// Characters of a code.
const MAX_CODE: usize = 32;

fn invalid<T>(why: &str) -> Result<T> {
    Err(Error::refused_because(ProblemCode::InvalidRequest, why))
}

/// Everything about a holder's photo but the photo.
pub(super) async fn file(platform: &Platform, holder: i64) -> Result<FaceFile> {
    let (now, policy) = (platform.now(), &platform.config().faces);
    let mut snapshot = platform.db().snapshot().await?;
    let db = &mut *snapshot;
    let newest = store::newest_consent(db, holder).await?;
    let photos = store::photos_of(db, holder).await?;
    let ended = newest.as_ref().and_then(|row| row.withdrawn_at);
    let deletion = match ended {
        None => None,
        Some(withdrawn_at) => Some(FaceDeletion {
            withdrawn_at,
            deleted_at: store::keys_gone_at(db, holder)
                .await?
                .map(|gone| gone.max(withdrawn_at)),
            terminals_left: store::copies_left(db, holder, now.plus_millis(-policy.lease_ms)).await?,
            gone_by: withdrawn_at.plus_millis(policy.lease_ms),
        }),
    };
    Ok(FaceFile {
        text: policy.text.clone(),
        is_on_file: photos.iter().any(|row| row.photo.phase == PhotoPhase::Accepted),
        photo: photos.into_iter().next().map(|row| row.photo),
        consent: newest
            .filter(|row| row.withdrawn_at.is_none())
            .map(|row| row.consent),
        deletion,
        version: store::version(db, holder).await?,
        as_of: now,
    })
}

/// Records that a holder agrees to the text in force.
pub(super) async fn give_consent(
    platform: &Platform,
    holder: i64,
    id: Uuid,
    request: &GiveConsent,
) -> Result<FaceFile> {
    let now = platform.now();
    let recorded: Result<()> = transact!(platform.db().writer(), |tx| {
        if let Some(known) = store::consent(tx, id).await? {
            let given = (known.holder, known.consent.version, known.consent.agreed_at);
            return match given == (holder, request.version, request.agreed_at) {
                true => Ok(()),
                false => Err(Error::refused(ProblemCode::IdempotencyConflict)),
            };
        }
        if request.version != platform.config().faces.text.version {
            return Err(Error::refused(ProblemCode::TermsChanged));
        }
        store::insert_consent(tx, holder, id, request, now).await?;
        note(tx, holder, FaceEventKind::ConsentGiven, now).await
    });
    recorded?;
    file(platform, holder).await
}

async fn note(tx: &mut Connection, holder: i64, kind: FaceEventKind, at: UnixMillis) -> Result<()> {
    let event = FaceEvent {
        kind,
        photo: None,
        terminal: None,
        at,
    };
    store::note(tx, holder, event).await
}

/// Ends a holder's consent, this one and those that came after it, and deletes every portrait. One that has ended already ends
/// nothing: a request that comes again does not take back what was agreed to since.
pub(super) async fn withdraw(platform: &Platform, holder: i64, id: Uuid) -> Result<FaceFile> {
    let now = platform.now();
    let ended: Result<()> = transact!(platform.db().writer(), |tx| {
        let known = store::consent(tx, id).await?;
        let known = known.filter(|known| known.holder == holder);
        let known = known.ok_or_else(|| Error::refused(ProblemCode::NotFound))?;
        if known.withdrawn_at.is_some() {
            return Ok(());
        }
        store::end_consents(tx, holder, now).await?;
        note(tx, holder, FaceEventKind::ConsentWithdrawn, now).await?;
        for photo in store::photos_of(tx, holder).await? {
            if is_kept(&photo) {
                store::end(tx, &photo, None, now).await?;
            }
        }
        Ok(())
    });
    ended?;
    destroy_keys(platform).await?;
    file(platform, holder).await
}

fn is_kept(photo: &PhotoRow) -> bool {
    matches!(
        photo.photo.phase,
        PhotoPhase::Receiving | PhotoPhase::Pending | PhotoPhase::Accepted
    )
}

/// Announces a portrait. What is under way makes room for it; what is on file stays until it is accepted.
pub(super) async fn begin(
    platform: &Platform,
    holder: i64,
    id: Uuid,
    request: &BeginPhoto,
) -> Result<FacePhoto> {
    let digest = check_announced(request)?;
    let now = platform.now();
    // Before the portrait is known there is its key: one of no portrait is a few random bytes.
    platform.photo_keys().get_or_create(id).await?;
    let begun: Result<bool> = transact!(platform.db().writer(), |tx| {
        if let Some(known) = store::photo(tx, id).await? {
            let announced = (
                known.holder,
                known.consent,
                known.photo.bytes,
                known.digest,
                &known.advice,
            );
            let asked = (holder, request.consent_id, request.bytes, digest, &request.advice);
            return match announced == asked {
                true => Ok(false),
                false => Err(Error::refused(ProblemCode::IdempotencyConflict)),
            };
        }
        let newest = store::newest_consent(tx, holder).await?;
        let is_given = newest.is_some_and(|row| {
            row.withdrawn_at.is_none()
                && row.consent.id == request.consent_id
                && row.consent.version == platform.config().faces.text.version
        });
        if !is_given {
            return Err(Error::refused(ProblemCode::ConsentRequired));
        }
        let mut others = store::photos_of(tx, holder).await?;
        others.retain(|other| matches!(other.photo.phase, PhotoPhase::Receiving | PhotoPhase::Pending));
        for other in &others {
            store::end(tx, other, None, now).await?;
        }
        store::insert_photo(tx, holder, id, request, digest, now).await?;
        let photo = own_photo(tx, holder, id).await?;
        store::note_photo(tx, &photo, FaceEventKind::Begun, now).await?;
        Ok(!others.is_empty())
    });
    if begun? {
        destroy_keys(platform).await?;
    }
    shown(platform, holder, id).await
}

fn check_announced(request: &BeginPhoto) -> Result<[u8; 32]> {
    if !(1..=MAX_PORTRAIT).contains(&request.bytes) {
        return invalid("a portrait has 1 to 100000 bytes");
    }
    let is_code = |code: &String| {
        (1..=MAX_CODE).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
    };
    if request.advice.len() > MOST_ADVICE || !request.advice.iter().all(is_code) {
        return invalid("`advice` has at most 32 codes of lower-case letters and underscores");
    }
    match request.sha256.to_array() {
        Some(digest) => Ok(digest),
        None => invalid("`sha256` has 32 bytes"),
    }
}

/// Takes bytes of a portrait, and looks into it once all are there. Those that are there already are left out; where some before
/// them are missing nothing is taken, and the answer says where to go on.
pub(super) async fn append(
    platform: &Platform,
    holder: i64,
    id: Uuid,
    from: u32,
    body: &[u8],
) -> Result<FacePhoto> {
    let mut reader = platform.db().read().await?;
    let found = own_photo(&mut reader, holder, id).await?;
    drop(reader);
    if found.photo.phase != PhotoPhase::Receiving {
        return Ok(found.photo);
    }
    let key = platform.photo_keys().get(id).await?;
    let key = key.ok_or_else(|| std::io::Error::other(format!("the key of portrait {id} is missing")))?;
    let taken: Result<bool> = transact!(platform.db().writer(), |tx| {
        let photo = own_photo(tx, holder, id).await?;
        let skip = photo.photo.received.checked_sub(from);
        let new = skip.and_then(|skip| body.get(usize::try_from(skip).ok()?..));
        let new = new.filter(|new| !new.is_empty() && photo.photo.phase == PhotoPhase::Receiving);
        if let Some(new) = new {
            let left = photo.photo.bytes - photo.photo.received;
            let len = u32::try_from(new.len()).ok().filter(|&len| len <= left);
            let Some(len) = len else {
                return invalid("that is more than was announced");
            };
            let start = photo.photo.received;
            store::add_part(tx, id, start, key.seal(start, new)?, start + len).await?;
        }
        Ok(own_photo(tx, holder, id).await?.is_whole())
    });
    if taken? {
        intake::look_into(platform, id).await?;
    }
    shown(platform, holder, id).await
}

async fn own_photo(db: &mut Connection, holder: i64, id: Uuid) -> Result<PhotoRow> {
    let found = store::photo(db, id).await?;
    let own = found.filter(|row| row.holder == holder);
    own.ok_or_else(|| Error::refused(ProblemCode::NotFound))
}

async fn shown(platform: &Platform, holder: i64, id: Uuid) -> Result<FacePhoto> {
    let mut reader = platform.db().read().await?;
    Ok(own_photo(&mut reader, holder, id).await?.photo)
}
