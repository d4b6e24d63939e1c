//! Portraits at gates and POS: which may be held, says the signed list of faces; the files lie beside it in the home.
//!
//! The list is a lease. Whatever it doesn't have is deleted as soon as it is taken, before anything new is fetched, and the
//! platform hears so at the end of each sync. Once the list is out of date, every portrait goes: when the terminal is
//! opened, asked how it stands, synced, or asked for faces. While the time is not confirmed none is given out, since a wall
//! clock that was put back must not lengthen a lease; but none is deleted either, unless even that clock says that it is
//! over. A portrait has no say in whether a code is approved.

mod portraits;

use std::fmt;
use std::sync::Arc;

use yika_api::terminal::FacesApplied;
use yika_format::FaceReference;
use yika_format::lists::{FaceEntry, Faces};
use yika_format::verifier::TerminalKind;

use crate::error::TerminalError;
use crate::http::{Call, HttpError, Platform};
use crate::lists::{Accepted, Lists};
use crate::status::ListStatus;
use crate::terminal::Terminal;

pub(crate) use portraits::Portraits;

/// The largest portrait, in bytes.
pub const MAX_PORTRAIT: usize = 100_000;

/// A portrait that may be compared with faces now.
#[derive(Clone, PartialEq, Eq)]
pub struct Face {
    /// Its name. A new portrait of the same holder has another one.
    pub reference: FaceReference,
    /// The JPEG file.
    pub jpeg: Vec<u8>,
}

/// Without the portrait: that belongs to a person.
impl fmt::Debug for Face {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Face")
            .field("reference", &self.reference)
            .finish_non_exhaustive()
    }
}

/// What a sync made of the faces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FacesReport {
    /// What came of the list.
    pub accepted: Accepted,
    /// The portraits that came.
    pub fetched: usize,
    /// The portraits that were deleted because the list doesn't have them.
    pub removed: usize,
    /// The portraits whose bytes are not those that the list names. None of them is kept.
    pub refused: usize,
}

/// How a terminal stands with faces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FacesStatus {
    /// The list.
    pub list: ListStatus,
    /// How many portraits it has.
    pub listed: usize,
    /// How many of them are here.
    pub kept: usize,
}

/// What came of asking for a portrait.
enum Fetched {
    Kept,
    Refused,
    /// It was taken back since the list was made.
    Gone,
}

impl Terminal {
    /// The portraits that may be used now, each checked as it is read. None where the list is out of date or the time is not
    /// confirmed. What was given out before is not given for good: whoever keeps something of it asks again after each
    /// sync, and forgets who is not among them any more.
    pub fn faces(&self) -> impl Iterator<Item = Face> + '_ {
        let mut last = None;
        std::iter::from_fn(move || {
            let face = self.face_after(last)?;
            last = Some(face.reference);
            Some(face)
        })
    }

    /// The next of [`Self::faces`] after this reference, or the first. For callers that can't hold an iterator: each call
    /// looks at the newest list.
    pub fn face_after(&self, reference: Option<FaceReference>) -> Option<Face> {
        self.forget_if_out_of_date();
        let faces = self.faces_in_use()?;
        let is_before = |entry: &FaceEntry| Some(entry.reference) <= reference;
        let rest = &faces.entries()[faces.entries().partition_point(is_before)..];
        rest.iter().find_map(|entry| self.face(entry.reference))
    }

    /// This portrait, if it may be used now and is here. One that was damaged is deleted, and fetched again by the next sync.
    pub fn face(&self, reference: FaceReference) -> Option<Face> {
        let digest = self.faces_in_use()?.digest(reference)?;
        let entry = FaceEntry { reference, digest };
        match self.portraits.read(&entry) {
            Ok(jpeg) => jpeg.map(|jpeg| Face { reference, jpeg }),
            Err(error) => {
                tracing::warn!(%error, "a portrait cannot be read");
                None
            }
        }
    }

    /// The list, where it may be relied on: in date, by a clock that is confirmed.
    fn faces_in_use(&self) -> Option<Arc<Faces>> {
        let time = self.clock.now();
        self.lists()
            .shared_faces()
            .filter(|faces| time.is_anchored && faces.header().is_in_date(time.now))
    }

    /// Deletes all portraits where no list allows them any more. That they can't be deleted stops nothing else: they
    /// are not given out, and it is tried again.
    pub(crate) fn forget_if_out_of_date(&self) {
        if self.is_leased() {
            return;
        }
        let _changing = self.changing();
        // Another thread may have taken a new list meanwhile.
        if !self.is_leased()
            && let Err(error) = self.portraits.remove_but(|_| false)
        {
            tracing::warn!(%error, "portraits that may not be kept cannot be deleted");
        }
    }

    /// Deletes what a crash or another list left behind. Errors as for [`Self::forget_if_out_of_date`].
    pub(crate) fn remove_leftovers(&self) {
        let _changing = self.changing();
        if let Err(error) = self.remove_unlisted(&self.lists()) {
            tracing::warn!(%error, "portraits that may not be kept cannot be deleted");
        }
    }

    /// Whether portraits may lie here.
    fn is_leased(&self) -> bool {
        let now = self.clock.now().now;
        self.lists()
            .faces()
            .is_some_and(|faces| faces.header().is_in_date(now))
    }

    /// Deletes what these lists don't allow to be kept; returns how many portraits that were. Called while lists are being
    /// changed.
    pub(crate) fn remove_unlisted(&self, lists: &Lists) -> Result<usize, TerminalError> {
        let now = self.clock.now().now;
        let faces = lists.faces().filter(|faces| faces.header().is_in_date(now));
        let is_listed = |reference| faces.is_some_and(|faces: &Faces| faces.digest(reference).is_some());
        Ok(self.portraits.remove_but(is_listed)?)
    }

    /// How the terminal stands with faces; `None` where it has no list.
    pub(crate) fn faces_status(&self) -> Result<Option<FacesStatus>, TerminalError> {
        self.forget_if_out_of_date();
        let lists = self.lists();
        let Some(faces) = lists.faces() else {
            return Ok(None);
        };
        let kept = self.portraits.kept()?;
        let kept = kept
            .into_iter()
            .filter(|reference| faces.digest(*reference).is_some());
        Ok(Some(FacesStatus {
            list: ListStatus::of(faces.header(), self.clock.now().now),
            listed: faces.entries().len(),
            kept: kept.count(),
        }))
    }

    /// Whether this kind of terminal has faces: a library desk has none.
    pub(crate) fn has_faces(&self) -> bool {
        match self.profile.kind {
            TerminalKind::Pos | TerminalKind::Gate => true,
            TerminalKind::Library => false,
        }
    }

    /// Takes the newest list, deletes what it doesn't have, fetches what is missing, and tells the platform. `None` for a
    /// terminal without faces, and where the platform has none for anybody.
    pub(crate) async fn sync_faces(&self, platform: &Platform) -> Result<Option<FacesReport>, TerminalError> {
        if !self.has_faces() {
            return Ok(None);
        }
        let list = match platform.bytes(&Call::get("/v1/terminals/faces")).await {
            Err(error) if error.is_not_found() => return Ok(None),
            other => other?,
        };
        let (accepted, removed) = self.take_faces(&list)?;
        let mut report = FacesReport {
            accepted,
            fetched: 0,
            removed,
            refused: 0,
        };
        for entry in self.missing_portraits()? {
            match self.fetch_portrait(platform, &entry).await? {
                Fetched::Kept => report.fetched += 1,
                Fetched::Refused => report.refused += 1,
                Fetched::Gone => {}
            }
        }
        self.tell_applied(platform).await?;
        Ok(Some(report))
    }

    /// The portraits that are listed and not here.
    fn missing_portraits(&self) -> Result<Vec<FaceEntry>, TerminalError> {
        let Some(faces) = self.faces_in_use() else {
            return Ok(Vec::new());
        };
        let kept = self.portraits.kept()?;
        let missing = faces
            .entries()
            .iter()
            .filter(|entry| !kept.contains(&entry.reference));
        Ok(missing.copied().collect())
    }

    async fn fetch_portrait(&self, platform: &Platform, entry: &FaceEntry) -> Result<Fetched, TerminalError> {
        let call = Call::get(format!("/v1/terminals/faces/{}", entry.reference));
        match platform.bytes_up_to(&call, MAX_PORTRAIT).await {
            Ok(jpeg) => self.keep_portrait(entry, &jpeg),
            Err(HttpError::TooLarge) => Ok(refused(entry, "it is too large")),
            Err(error) if error.is_not_found() => Ok(Fetched::Gone),
            Err(error) => Err(error.into()),
        }
    }

    /// Keeps a portrait, unless a list that was taken meanwhile doesn't have it any more.
    fn keep_portrait(&self, entry: &FaceEntry, jpeg: &[u8]) -> Result<Fetched, TerminalError> {
        if !portraits::is_of(entry, jpeg) {
            return Ok(refused(entry, "its bytes are not those that the list names"));
        }
        let _changing = self.changing();
        let faces = self.faces_in_use();
        if faces.and_then(|faces| faces.digest(entry.reference)) != Some(entry.digest) {
            return Ok(Fetched::Gone);
        }
        self.portraits.keep(entry.reference, jpeg)?;
        Ok(Fetched::Kept)
    }

    /// Tells the platform that nothing is here that the list doesn't have. Told again by each sync, lest it was lost.
    async fn tell_applied(&self, platform: &Platform) -> Result<(), TerminalError> {
        let version = self.lists().faces().map(|faces| faces.header().version);
        if let Some(version) = version {
            let applied = FacesApplied { version };
            let call = Call::post_json("/v1/terminals/faces/applied", &applied)?;
            platform.bytes(&call).await?;
        }
        Ok(())
    }
}

fn refused(entry: &FaceEntry, why: &str) -> Fetched {
    tracing::warn!(reference = %entry.reference, why, "a portrait is refused");
    Fetched::Refused
}

#[cfg(test)]
mod tests;
