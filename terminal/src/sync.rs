//! Fetching what the terminal decides by: keyset, time, revocations, and the table or what changed in it; last, for a
//! library desk, the directory, and for gates and POS the faces.
//!
//! Each step counts by itself and is durable before the next, so a sync that breaks off has still done what it did. The
//! same steps are there one by one, for lists that come another way.

use ring::rand::{SecureRandom as _, SystemRandom};
use yika_api::ProblemCode;
use yika_api::terminal::DeltaChain;
use yika_format::lists::{Keyset, SignedTime};

use crate::clock::{Anchor, ClockSample, TerminalClock};
use crate::error::TerminalError;
use crate::faces::FacesReport;
use crate::http::{Call, Platform};
use crate::lists::{Accepted, MAX_DELTAS};
use crate::store::ListKind;
use crate::terminal::Terminal;

/// What a sync left behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SyncReport {
    /// What came of the keyset.
    pub keyset: Accepted,
    /// What came of the revocations.
    pub revocations: Accepted,
    /// What came of the table.
    pub table: Accepted,
    /// The deltas that were applied; 0 where the table came whole or had not changed.
    pub deltas: usize,
    /// What came of the directory; `None` where the terminal has none.
    pub directory: Option<Accepted>,
    /// What came of the faces; `None` where the terminal or the platform has none.
    pub faces: Option<FacesReport>,
}

/// A question about the time, on its way.
#[derive(Clone, Copy, Debug)]
pub struct TimeQuestion {
    nonce: [u8; 16],
    asked: ClockSample,
}

impl TimeQuestion {
    /// Asks now.
    pub(crate) fn new(clock: &TerminalClock) -> Result<Self, TerminalError> {
        let mut nonce = [0; 16];
        SystemRandom::new()
            .fill(&mut nonce)
            .map_err(|_| TerminalError::Random)?;
        Ok(Self {
            nonce,
            asked: clock.sample()?,
        })
    }

    /// What the platform must sign with the time.
    pub const fn nonce(&self) -> &[u8; 16] {
        &self.nonce
    }

    /// The anchor that an answer makes, if it came in time.
    pub(crate) fn anchor(
        &self,
        answer: &[u8],
        keyset: &Keyset,
        clock: &TerminalClock,
    ) -> Result<Anchor, TerminalError> {
        let answered = clock.sample()?;
        let time = SignedTime::open(answer, keyset, &self.nonce).map_err(TerminalError::list("time"))?;
        Ok(Anchor::new(self.asked, answered, time.now)?)
    }
}

/// Asks the platform for the time.
pub(crate) async fn ask_time(
    platform: &Platform,
    keyset: &Keyset,
    clock: &TerminalClock,
) -> Result<Anchor, TerminalError> {
    let question = TimeQuestion::new(clock)?;
    let call = Call::post_bytes("/v1/terminals/time", question.nonce());
    let answer = platform.bytes(&call).await?;
    question.anchor(&answer, keyset, clock)
}

impl Terminal {
    /// Fetches everything that the terminal decides by, and after it a library desk's directory or a gate's or POS's faces.
    ///
    /// # Errors
    ///
    /// [`TerminalError`] of the first step that failed. What was fetched before it serves.
    pub async fn sync(&self) -> Result<SyncReport, TerminalError> {
        self.forget_if_out_of_date();
        let platform = self.connect().await?;
        let keyset = self.accept_keyset(&platform.bytes(&Call::get("/v1/school/keyset")).await?)?;
        let anchor = ask_time(&platform, self.lists().keyset(), &self.clock).await?;
        self.set_anchor(anchor)?;
        let revocations = platform.bytes(&Call::get("/v1/terminals/revocations")).await?;
        let revocations = self.accept_revocations(&revocations)?;
        let (table, deltas) = self.sync_table(&platform).await?;
        let now = self.clock.now().now;
        self.store().prune(now)?;
        let directory = match self.directory_key {
            None => None,
            Some(_) => {
                let directory = platform.bytes(&Call::get("/v1/terminals/directory")).await?;
                Some(self.accept_directory(&directory)?)
            }
        };
        Ok(SyncReport {
            keyset,
            revocations,
            table,
            deltas,
            directory,
            faces: self.sync_faces(&platform).await?,
        })
    }

    /// Brings the table up to date, by deltas where they lead there. A gap or a bad link is mended by the whole table.
    async fn sync_table(&self, platform: &Platform) -> Result<(Accepted, usize), TerminalError> {
        if let Some(deltas) = self.fetch_deltas(platform).await? {
            match self.accept_deltas(&deltas) {
                Err(TerminalError::List { source, .. }) => {
                    tracing::warn!(error = %source, "the deltas do not apply; fetching the whole table");
                }
                other => return Ok((other?, deltas.len())),
            }
        }
        let table = platform.bytes(&Call::get("/v1/terminals/table")).await?;
        Ok((self.accept_table(&table)?, 0))
    }

    /// The deltas on the table; `None` where there is no table yet, no chain leads from it to the newest, or it would
    /// become too long.
    async fn fetch_deltas(&self, platform: &Platform) -> Result<Option<Vec<Vec<u8>>>, TerminalError> {
        if self.lists().table().is_none() {
            return Ok(None);
        }
        let known = self.store().list(ListKind::Table)?;
        let call = Call::get("/v1/terminals/deltas").query(format!("base={}", known.version));
        let chain: DeltaChain = match platform.json(&call).await {
            Err(error) if error.problem() == Some(ProblemCode::DeltaUnavailable) => return Ok(None),
            other => other?,
        };
        let kept = known.version - known.base;
        let is_short = u64::try_from(chain.deltas.len()).is_ok_and(|new| kept + new <= MAX_DELTAS);
        Ok(is_short.then(|| chain.deltas.into_iter().map(|delta| delta.0).collect()))
    }

    /// Asks a question about the time, to be answered within five seconds.
    ///
    /// # Errors
    ///
    /// [`TerminalError::Clock`], [`TerminalError::Random`].
    pub fn ask_time(&self) -> Result<TimeQuestion, TerminalError> {
        TimeQuestion::new(&self.clock)
    }

    /// Sets the clock by the platform's signed answer.
    ///
    /// # Errors
    ///
    /// [`TerminalError::List`] where the answer doesn't check out, [`TerminalError::Anchor`] where it came too late,
    /// [`TerminalError::Store`].
    pub fn accept_time(&self, question: &TimeQuestion, answer: &[u8]) -> Result<(), TerminalError> {
        let anchor = question.anchor(answer, self.lists().keyset(), &self.clock)?;
        self.set_anchor(anchor)
    }

    /// The anchor serves once it is durable.
    fn set_anchor(&self, anchor: Anchor) -> Result<(), TerminalError> {
        let mut state = self.clock.state();
        state.set_anchor(anchor);
        self.store().keep_clock(&state)?;
        self.clock.update(|state| state.set_anchor(anchor));
        Ok(())
    }
}
