//! What the card office does about suspensions, and what the school's card system asks for.

use super::effect::{self, Source};
use super::store;
use crate::Admin;
use crate::db::{Connection, transact};
use crate::error::{Error, Result};
use crate::office::Action;
use crate::random::new_id;
use uuid::Uuid;
use yika_api::lost::{Lost, SuspendedBy, Suspension};
use yika_api::{ProblemCode, UnixMillis};

/// Changes that are told at once.
const CHANGES: i64 = 500;

/// What the school's card system has to do about a plastic card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardChange {
    /// Its place in the feed: ask for what is after it.
    pub number: u64,
    /// The student or staff number.
    pub holder: String,
    /// Whether the card is refused from now on, or taken again.
    pub is_suspended: bool,
    /// When the platform heard of it.
    pub at: UnixMillis,
}

impl Admin<'_> {
    /// Freezes a holder's card: all codes shown so far are dead at terminals that learn of it, none is issued, nothing is paid off
    /// the accounts. The holder can't undo it. Does nothing where it is frozen by the card office already.
    ///
    /// # Errors
    /// Where there is no such holder, or the database fails.
    pub async fn suspend(&self, number: &str) -> Result<()> {
        let now = self.platform().now();
        transact!(self.platform().db().writer(), |tx| {
            let holder = self.holder(tx, number).await?;
            let open = store::open(tx, holder).await?;
            let is_frozen = |known: &Suspension| known.lost == Lost::All && known.by == SuspendedBy::Office;
            if open.iter().any(is_frozen) {
                return Ok(());
            }
            let new = (new_id(now), Lost::All, now);
            effect::begin(tx, self.platform(), holder, new, Source::Office).await?;
            self.record(tx, Action::Suspended, number, String::new()).await
        })
    }

    /// Takes back whatever suspends everything, be it the card office's or the holder's: phones get a new epoch, what was shown
    /// before stays dead. A phone or a plastic card that is reported lost by itself stays so.
    ///
    /// # Errors
    /// Where there is no such holder, or the database fails.
    pub async fn undo_suspension(&self, number: &str) -> Result<()> {
        let now = self.platform().now();
        transact!(self.platform().db().writer(), |tx| {
            let holder = self.holder(tx, number).await?;
            end_all(tx, holder, now).await?;
            self.record(tx, Action::Restored, number, String::new()).await
        })
    }

    /// What is suspended of a holder.
    ///
    /// # Errors
    /// Where there is no such holder, or the database fails.
    pub async fn suspensions(&self, number: &str) -> Result<Vec<Suspension>> {
        let mut snapshot = self.platform().db().snapshot().await?;
        let holder = self.holder(&mut snapshot, number).await?;
        store::open(&mut snapshot, holder).await
    }

    /// Ends one suspension, whoever reported it: for a holder who stands at the desk and has nothing else to show.
    ///
    /// # Errors
    /// Where the holder has no such suspension that is open, or the database fails.
    pub async fn end_suspension(&self, number: &str, id: Uuid) -> Result<()> {
        let now = self.platform().now();
        transact!(self.platform().db().writer(), |tx| {
            let holder = self.holder(tx, number).await?;
            let mut ended = store::open(tx, holder).await?;
            ended.retain(|known| known.id == id);
            if ended.is_empty() {
                return Err(Error::refused(ProblemCode::NotFound));
            }
            effect::end(tx, holder, &ended, SuspendedBy::Office, now).await
        })
    }

    /// What the school's card system has to know of plastic cards after a place in the feed, 0 for all of it, in its order: at most
    /// 500 changes.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn card_changes(&self, after: u64) -> Result<Vec<CardChange>> {
        let mut reader = self.platform().db().read().await?;
        store::card_changes(&mut reader, after, CHANGES).await
    }
}

/// Ends whatever suspends everything of a holder.
pub(crate) async fn end_all(tx: &mut Connection, holder: i64, now: UnixMillis) -> Result<()> {
    let mut ended = store::open(tx, holder).await?;
    ended.retain(|known| known.lost == Lost::All);
    effect::end(tx, holder, &ended, SuspendedBy::Office, now).await
}
