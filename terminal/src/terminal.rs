//! An open terminal: its home, key, clock, store and lists, and how they are shared between threads.
//!
//! Verifying takes the store for a moment and the lists as a snapshot, so it goes on while another thread downloads and
//! checks new lists. No lock is held across the network.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use yika_api::terminal::EnrolledTerminal;
use yika_format::PublicKey;
use yika_format::verifier::TerminalProfile;

use crate::clock::{SystemClock, TerminalClock};
use crate::directory::DirectoryKey;
use crate::error::TerminalError;
use crate::faces::Portraits;
use crate::home::Home;
use crate::http::Platform;
use crate::keys::{KeyCache, TerminalKey, TerminalKeyError};
use crate::lists::{Lists, Shelf};
use crate::store::{Enrolment, Store};

/// What opening a terminal needs besides its folder.
#[derive(Clone)]
pub struct TerminalOptions {
    /// The machine's clocks.
    pub clock: Arc<dyn SystemClock>,
    /// How long to wait for another process to leave the home.
    pub patience: Duration,
}

impl TerminalOptions {
    /// These clocks, and five seconds of patience: a till may run one command right after the other.
    pub fn new(clock: Arc<dyn SystemClock>) -> Self {
        Self {
            clock,
            patience: Duration::from_secs(5),
        }
    }
}

#[cfg(target_os = "linux")]
impl Default for TerminalOptions {
    fn default() -> Self {
        Self::new(Arc::new(crate::clock::LinuxClock))
    }
}

impl fmt::Debug for TerminalOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TerminalOptions")
            .field("patience", &self.patience)
            .finish_non_exhaustive()
    }
}

/// An open terminal. Its home belongs to this process until it is dropped.
#[derive(Debug)]
pub struct Terminal {
    pub(crate) home: Home,
    pub(crate) enrolment: Enrolment,
    pub(crate) profile: TerminalProfile,
    pub(crate) key: Arc<TerminalKey>,
    pub(crate) clock: Arc<TerminalClock>,
    pub(crate) keys: KeyCache,
    /// What opens the directories of a library desk.
    pub(crate) directory_key: Option<DirectoryKey>,
    pub(crate) lists: Shelf,
    pub(crate) portraits: Portraits,
    store: Mutex<Store>,
}

impl Terminal {
    /// Opens the terminal in this folder, and checks its store and lists. Portraits that its list doesn't allow are
    /// deleted.
    ///
    /// # Errors
    ///
    /// [`TerminalError::NotEnrolled`]; [`TerminalError::Store`] where another process stays in the home beyond the
    /// patience, or where the store is damaged; [`TerminalError::Key`] where the key is not the enrolled one.
    pub fn open(dir: &Path, options: &TerminalOptions) -> Result<Self, TerminalError> {
        let home = Home::take(dir, options.patience)?;
        if !home.database().exists() {
            return Err(TerminalError::NotEnrolled);
        }
        let store = Store::open(&home)?;
        let enrolment = store.enrolment()?.ok_or(TerminalError::NotEnrolled)?;
        let key = TerminalKey::load(&home.key())?.ok_or(TerminalKeyError::NotEnrolled)?;
        if key.public().compress() != enrolment.own_key {
            return Err(TerminalKeyError::NotEnrolled.into());
        }
        let clock = TerminalClock::new(Arc::clone(&options.clock), store.clock()?);
        let directory_key = DirectoryKey::load(&home, &enrolment);
        let lists = Lists::load(&home, &store, &enrolment.root(), directory_key.as_ref())?;
        let terminal = Self {
            profile: enrolment.profile(),
            portraits: Portraits::new(home.faces()),
            home,
            enrolment,
            key: Arc::new(key),
            clock: Arc::new(clock),
            keys: KeyCache::default(),
            directory_key,
            lists: Shelf::new(lists),
            store: Mutex::new(store),
        };
        terminal.remove_leftovers();
        Ok(terminal)
    }

    /// What the platform said when the terminal was enrolled.
    pub const fn enrolled(&self) -> &EnrolledTerminal {
        &self.enrolment.answer
    }

    /// The terminal's own key.
    pub fn public_key(&self) -> PublicKey {
        self.enrolment.own_key
    }

    /// The lists that it decides by, as they are now.
    pub fn lists(&self) -> Arc<Lists> {
        self.lists.snapshot()
    }

    pub(crate) fn store(&self) -> MutexGuard<'_, Store> {
        // A panic elsewhere leaves no half-done commit: SQLite rolled it back.
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) async fn connect(&self) -> Result<Platform, TerminalError> {
        let (clock, key) = (Arc::clone(&self.clock), Arc::clone(&self.key));
        let servers = self.home.servers()?;
        Ok(Platform::connect(self.enrolment.platform.clone(), &servers, clock, key).await?)
    }
}
