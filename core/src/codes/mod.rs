//! Codes: rotating, signed, offline. A counter is durable before the code that carries it leaves this module; nothing here touches the
//! network but `Codes::synchronise`. Ports and keystores are called without a lock held, so a slow one never blanks a code
//! that is still good.

mod cache;
mod check;
mod flow;
mod frame;
mod issue;
#[cfg(test)]
mod keystore_tests;
mod model;
pub mod qr;
mod remote;
mod state;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod trust_tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use yika_api::UnixMillis;
use yika_format::Counter;
use yika_format::code::Use;

pub use model::{CodeForm, CodeFrame, CodePurpose, CodesUntil, FormChoice};

use crate::clock::{Reading, TrustedClock};
use crate::error::CoreError;
use crate::keys::Keys;
use crate::ports::{Witness, WitnessError};
use crate::store::{Changes, Store};
use crate::worker::Worker;
use flow::{Counters, Take};
use frame::SignedMoment;
use state::{Enrolment, Screen, Unsigned};
use uuid::Uuid;

pub(crate) use model::{CounterRecord, EnrolmentRecord, PendingIssue, Preferences, Stop};

/// Makes codes.
pub(crate) struct Codes {
    store: Arc<Store>,
    keys: Arc<Keys>,
    clock: Arc<TrustedClock>,
    witness: Arc<dyn Witness>,
    /// Held while the witness is asked to vouch: one at a time, so that a lower ceiling never replaces a higher one.
    vouching: Mutex<()>,
    /// Does what nobody waits for, after the code is shown.
    keeper: Worker,
    /// Signs ahead.
    ahead: Worker,
    state: Mutex<State>,
    synchronising: tokio::sync::Mutex<()>,
}

struct State {
    /// Or why there is none.
    enrolment: Result<Enrolment, CoreError>,
    screen: Screen,
}

impl State {
    /// Puts a moment on the screen, if it is of the credential there is, later than all before, and not already made up
    /// for: of callers that come at once, all get the code of whoever was first.
    fn accept(&mut self, signed: SignedMoment) -> bool {
        let ours = self
            .enrolment
            .as_ref()
            .is_ok_and(|enrolment| enrolment.made(&signed));
        ours && !self.screen.serves(&signed) && self.screen.show(signed)
    }
}

/// A counter, or what it takes to get one.
enum Taken {
    Counter(Counter),
    /// The witness must vouch for this ceiling first.
    Witness {
        ceiling: u32,
    },
}

/// What a look at the state came to.
enum Step {
    /// This is on the screen.
    Show(Box<SignedMoment>),
    /// This must be signed first.
    Sign(Box<Unsigned>),
    /// The witness must vouch for this ceiling first.
    Witness { ceiling: u32, bytes: [u8; 11] },
}

impl Codes {
    pub(crate) fn open(
        store: Arc<Store>,
        keys: Arc<Keys>,
        clock: Arc<TrustedClock>,
        witness: Arc<dyn Witness>,
    ) -> Self {
        let enrolment = Enrolment::load(&store, &keys, witness.load());
        let state = Mutex::new(State {
            enrolment,
            screen: Screen::default(),
        });
        let (keeper, ahead) = (Worker::new("yika-keeper"), Worker::new("yika-ahead"));
        Self {
            store,
            keys,
            clock,
            witness,
            vouching: Mutex::new(()),
            keeper,
            ahead,
            state,
            synchronising: tokio::sync::Mutex::new(()),
        }
    }

    /// The code to show now. The same one until it is due for a change; always one whose sequence is higher than all that
    /// were shown before.
    pub(crate) fn show(
        self: &Arc<Self>,
        purpose: CodePurpose,
        choice: FormChoice,
    ) -> Result<CodeFrame, CoreError> {
        self.retry_load();
        loop {
            let now = self.clock.now()?;
            let signed = match self.step(purpose, choice, now)? {
                Step::Show(signed) => *signed,
                Step::Witness { ceiling, bytes } => {
                    self.vouch(ceiling, &bytes)?;
                    continue;
                }
                Step::Sign(unsigned) => match unsigned.sign() {
                    Ok(signed) if self.lock().accept(signed) => signed,
                    // Another caller's is on the screen meanwhile, or the credential is another.
                    Ok(_) => continue,
                    Err(error) => self.still_good(purpose).ok_or(error)?,
                },
            };
            self.sign_ahead(signed, now);
            return self.draw(&signed, choice, &now);
        }
    }

    /// Looks at the state, and reserves a counter where a new code is needed.
    fn step(
        self: &Arc<Self>,
        purpose: CodePurpose,
        choice: FormChoice,
        now: Reading,
    ) -> Result<Step, CoreError> {
        let mut state = self.lock();
        let State { enrolment, screen } = &mut *state;
        let enrolment = enrolment.as_mut().map_err(|error| error.clone())?;
        enrolment.admit()?;
        let (usage, account) = enrolment.usage(purpose)?;
        screen.drop_unfit(usage, &now);
        screen.promote(&now);
        if let Some(shown) = screen.shown {
            let waits = screen.signing_ahead && now.now < shown.plan.expires_at;
            if now.now < shown.plan.refresh_at || waits {
                return Ok(Step::Show(Box::new(shown)));
            }
        }
        // Before a counter is spent: can it be shown in the form that is wanted?
        flow::form(choice, enrolment.validity(), now.now, None)?;
        match self.take(enrolment, &now)? {
            Taken::Counter(counter) => {
                let unsigned = enrolment.moment(usage, account, counter, now, now.now)?;
                Ok(Step::Sign(Box::new(unsigned)))
            }
            Taken::Witness { ceiling } => Ok(Step::Witness {
                ceiling,
                bytes: enrolment.witness_mark(ceiling).to_bytes(),
            }),
        }
    }

    /// The code on the screen, where it is for this purpose and not over: better than none while the keystore sulks.
    fn still_good(&self, purpose: CodePurpose) -> Option<SignedMoment> {
        let now = self.clock.now().ok()?;
        let state = self.lock();
        let (usage, _) = state.enrolment.as_ref().ok()?.usage(purpose).ok()?;
        let fits =
            |shown: &SignedMoment| shown.moment.dynamic.usage == usage && now.now < shown.plan.expires_at;
        state.screen.shown.filter(fits)
    }

    /// A counter, or the ceiling that the witness must vouch for first. Commits where a block begins.
    fn take(self: &Arc<Self>, enrolment: &mut Enrolment, now: &Reading) -> Result<Taken, CoreError> {
        loop {
            let counters = enrolment
                .counters
                .as_mut()
                .map_err(|_| CoreError::StoreRestored)?;
            match counters.take() {
                Take::Counter(counter) => return Ok(Taken::Counter(counter)),
                Take::Witness { ceiling } => return Ok(Taken::Witness { ceiling }),
                Take::Exhausted => {
                    return Err(CoreError::CredentialExpired {
                        since: now.now,
                        short_form_until: None,
                    });
                }
                Take::Reserve { reserved } => {
                    let counter = CounterRecord {
                        reserved,
                        restored: false,
                    };
                    let clock = self.clock.vouch(now);
                    self.store.commit(&Changes::new().put(&counter)?.put(&clock)?)?;
                    let ahead = counters.reserved(reserved);
                    enrolment.reserved = reserved;
                    if let Some(ceiling) = ahead {
                        self.bring_witness_ahead(ceiling, enrolment.witness_mark(ceiling).to_bytes());
                    }
                }
            }
        }
    }

    /// Leaves to the keeper what need not be done before the code is shown. What fails is done when it is needed.
    fn bring_witness_ahead(self: &Arc<Self>, ceiling: u32, bytes: [u8; 11]) {
        let codes = Arc::clone(self);
        let started = self.keeper.start(move || {
            if let Err(error) = codes.vouch(ceiling, &bytes) {
                tracing::debug!(%error, "the witness does not vouch ahead");
            }
            if let Err(error) = codes.store.tidy() {
                tracing::debug!(%error, "the journal's log was not emptied");
            }
        });
        if started.is_err() {
            tracing::debug!("the keeper could not be started");
        }
    }

    /// Has the witness vouch for a ceiling, unless it does already or the credential is another meanwhile.
    fn vouch(&self, ceiling: u32, bytes: &[u8; 11]) -> Result<(), WitnessError> {
        let _one_at_a_time = self.vouching();
        let covers = |counters: &mut Counters| counters.is_witnessed(ceiling);
        if self.with_counters(ceiling, bytes, covers) == Some(false) {
            self.witness.store(bytes)?;
            self.with_counters(ceiling, bytes, |counters| counters.witnessed(ceiling));
        }
        Ok(())
    }

    fn vouching(&self) -> MutexGuard<'_, ()> {
        self.vouching.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Works on the counters, where they are those of the credential that the witness's bytes are of.
    fn with_counters<T>(
        &self,
        ceiling: u32,
        bytes: &[u8; 11],
        work: impl FnOnce(&mut Counters) -> T,
    ) -> Option<T> {
        let mut state = self.lock();
        let enrolment = state.enrolment.as_mut().ok()?;
        let same = enrolment.witness_mark(ceiling).to_bytes() == *bytes;
        enrolment.counters.as_mut().ok().filter(|_| same).map(work)
    }

    /// Where a keystore signs slowly: has the next moment signed while this one is shown. One, and in memory only.
    fn sign_ahead(self: &Arc<Self>, shown: SignedMoment, now: Reading) {
        let mut state = self.lock();
        let State { enrolment, screen } = &mut *state;
        let Ok(enrolment) = enrolment else { return };
        if enrolment.signer.is_fast() || screen.next.is_some() || screen.signing_ahead {
            return;
        }
        let usage = shown.moment.dynamic.usage;
        let at = shown.plan.refresh_at.max(now.now);
        let Ok(unsigned) = self.unsigned(enrolment, usage, shown.plan.account, &now, at) else {
            return;
        };
        // A keystore may take its time: it doesn't keep the store from being closed.
        let codes = Arc::downgrade(self);
        let started = self.ahead.start(move || {
            let signed = unsigned.sign();
            let Some(codes) = codes.upgrade() else { return };
            let mut state = codes.lock();
            state.screen.signing_ahead = false;
            match signed {
                // Taken off the screen, or put to another use, meanwhile: then it is for nothing.
                Ok(signed) if state.screen.shown.is_some_and(|shown| shown.precedes(&signed)) => {
                    state.screen.next = Some(signed);
                }
                Ok(_) => {}
                Err(error) => tracing::debug!(%error, "the next code could not be signed ahead"),
            }
        });
        screen.signing_ahead = started.is_ok();
    }

    fn unsigned(
        self: &Arc<Self>,
        enrolment: &mut Enrolment,
        usage: Use,
        account: Option<Uuid>,
        now: &Reading,
        at: UnixMillis,
    ) -> Result<Unsigned, CoreError> {
        match self.take(enrolment, now)? {
            Taken::Counter(counter) => enrolment.moment(usage, account, counter, *now, at),
            // Not worth a wait for the witness: the code is signed when it is due.
            Taken::Witness { .. } => Err(CoreError::KeyBusy),
        }
    }

    fn draw(&self, signed: &SignedMoment, choice: FormChoice, now: &Reading) -> Result<CodeFrame, CoreError> {
        let (credential, validity) = {
            let state = self.lock();
            let enrolment = state.enrolment.as_ref().map_err(|error| error.clone())?;
            (enrolment.credential, enrolment.validity())
        };
        let form = flow::form(choice, validity, now.now, Some(signed.moment.dynamic.counter))?;
        signed.frame(&credential, form, now)
    }

    /// Takes the code off the screen for good: the next one has a higher sequence. For leaving the screen, and for a
    /// picture taken of it.
    pub(crate) fn erase(&self) {
        self.lock().screen.clear();
    }

    /// How long codes are good, or why there are none.
    pub(crate) fn until(&self) -> Result<CodesUntil, CoreError> {
        self.retry_load();
        let state = self.lock();
        let enrolment = state.enrolment.as_ref().map_err(|error| error.clone())?;
        enrolment.admit()?;
        let record = &enrolment.record;
        Ok(CodesUntil {
            full_until: record.certificate_until,
            short_until: record.row_until,
            rotation_s: record.policy.rotation_s,
            code_life_s: record
                .policy
                .code_life_s
                .min(enrolment.credential.body.code_life_s),
        })
    }

    /// Sets the account that pays where none is named.
    pub(crate) fn set_default_account(&self, account: Option<Uuid>) -> Result<(), CoreError> {
        let mut state = self.lock();
        let enrolment = state.enrolment.as_mut().map_err(|error| error.clone())?;
        enrolment.usage(CodePurpose::Payment { account })?;
        let preferences = Preferences {
            default_account: account,
        };
        self.store.commit(&Changes::new().put(&preferences)?)?;
        enrolment.preferences = preferences;
        Ok(())
    }

    /// Reads everything anew, after the journal was changed elsewhere.
    pub(crate) fn reload(&self) {
        // A port, so not under the lock; the journal, however, must not move between reading and installing.
        let witness = self.witness.load();
        let mut state = self.lock();
        let enrolment = Enrolment::load(&self.store, &self.keys, witness);
        let same = matches!((&state.enrolment, &enrolment), (Ok(before), Ok(after))
            if before.witness_mark(0) == after.witness_mark(0) && after.admit().is_ok());
        if !same {
            state.screen = Screen::default();
        }
        state.enrolment = enrolment;
    }

    /// A port that did not answer may answer now.
    fn retry_load(&self) {
        if self.lock().enrolment.as_ref().is_err_and(CoreError::retryable) {
            self.reload();
        }
    }

    /// Waits until the keeper has done what was left to it.
    pub(crate) fn finish(&self) {
        self.keeper.finish();
    }

    /// Waits until the next code is signed, or cannot be.
    #[cfg(test)]
    pub(crate) fn finish_ahead(&self) {
        self.ahead.finish();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
