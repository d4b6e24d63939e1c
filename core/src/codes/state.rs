//! What codes are made of, in memory: the credential with its key, the counters, the moment that is on the screen and the one
//! that comes next. Everything is read from the journal and the witness; whatever stands in the way is an error that says
//! what to do.

use std::sync::Arc;

use uuid::Uuid;
use yika_api::UnixMillis;
use yika_format::code::{ClockConfidence, Dynamic, Moment, Site, Use};
use yika_format::credential::Credential;
use yika_format::{Counter, SchoolHash, Slot, UnixSeconds};

use super::cache::WitnessMark;
use super::flow::{Counters, Known, Restored, Validity};
use super::frame::{MomentPlan, SignedMoment};
use super::model::{CodePurpose, CounterRecord, EnrolmentRecord, Preferences, Stop};
use crate::accounts::Payers;
use crate::clock::Reading;
use crate::error::CoreError;
use crate::keys::{Keys, Signer};
use crate::lost::{LostDrafts, local_stop};
use crate::ports::WitnessError;
use crate::session::SessionRecord;
use crate::store::{Loss, LossCause, Store};
use crate::wallet::MoneyReason;

/// A credential that this phone can use, if nothing stops it.
pub(super) struct Enrolment {
    pub school: SchoolHash,
    pub record: EnrolmentRecord,
    pub credential: Credential,
    pub signer: Arc<Signer>,
    /// An error while codes could repeat.
    pub counters: Result<Counters, Restored>,
    /// The reserved counter at the last commit, for planning.
    pub reserved: u32,
    pub stop: Option<Stop>,
    /// What the holder reported here, and the platform has not heard of.
    pub stopped_here: Option<Stop>,
    pub payers: Payers,
    pub preferences: Preferences,
}

impl Enrolment {
    /// Reads everything anew. `witness` is what the port has just answered.
    pub(super) fn load(
        store: &Store,
        keys: &Arc<Keys>,
        witness: Result<Option<Vec<u8>>, WitnessError>,
    ) -> Result<Self, CoreError> {
        if let Some(Loss { cause, kept }) = store.get()? {
            return Err(match cause {
                LossCause::Damaged => CoreError::StoreDamaged { kept },
                LossCause::KeyInvalidated => CoreError::KeyInvalidated,
            });
        }
        let bytes = witness?;
        let Some(session) = store.get::<SessionRecord>()? else {
            // A witness without a store: the store was lost, and with it what it knew.
            let lost = store.is_new() && bytes.is_some();
            return Err(if lost {
                CoreError::StoreDamaged { kept: None }
            } else {
                CoreError::NotBound
            });
        };
        let record: EnrolmentRecord = store.get()?.ok_or(CoreError::NotEnrolled)?;
        let counter: CounterRecord = store.get()?.ok_or(CoreError::StoreDamaged { kept: None })?;
        let credential =
            Credential::decode(&record.credential.0).map_err(|_| CoreError::StoreDamaged { kept: None })?;
        let expected = witness_mark(&credential, 0);
        let found = bytes.as_deref().and_then(WitnessMark::from_bytes);
        let resumed = Counters::resume(counter.reserved, expected, found);
        Ok(Self {
            school: session.school_hash(),
            signer: keys.signer(&record.key)?,
            credential,
            counters: if counter.restored { Err(Restored) } else { resumed },
            reserved: counter.reserved,
            stop: store.get()?,
            stopped_here: store
                .get::<LostDrafts>()?
                .and_then(|drafts| local_stop(&drafts, session.device_id)),
            payers: store.get()?.unwrap_or_default(),
            preferences: store.get()?.unwrap_or_default(),
            record,
        })
    }

    /// The witness's bytes for a ceiling.
    pub(super) fn witness_mark(&self, ceiling: u32) -> WitnessMark {
        witness_mark(&self.credential, ceiling)
    }

    /// Whether a moment is of this very credential's epoch.
    pub(super) fn made(&self, signed: &SignedMoment) -> bool {
        let body = &self.credential.body;
        (signed.moment.pseudonym, signed.moment.epoch) == (body.pseudonym, body.epoch)
    }

    /// Whether anything but time stands in the way of codes.
    pub(super) fn admit(&self) -> Result<(), CoreError> {
        match self.stopped_here.or(self.stop) {
            Some(Stop::PhoneLost) => Err(CoreError::PhoneLost),
            Some(Stop::CardFrozen) => Err(CoreError::CardFrozen),
            Some(Stop::Revoked) => Err(CoreError::CredentialRevoked),
            None => self
                .counters
                .map(|_| ())
                .map_err(|Restored| CoreError::StoreRestored),
        }
    }

    pub(super) fn validity(&self) -> Validity {
        Validity {
            certificate_until: self.record.certificate_until,
            row_until: self.record.row_until,
            epoch_began: self.record.epoch_began,
        }
    }

    /// What to tell the platform's answer against.
    pub(super) fn known(&self) -> Known {
        Known {
            epoch: self.credential.body.epoch.get(),
            next_counter: self.counters.map_or(self.reserved, |counters| counters.next()),
            certificate_until: self.record.certificate_until,
            life_ms: i64::from(self.credential.body.life_hours) * 3_600_000,
            renew_below_percent: self.record.policy.renew_below_percent,
            restored: self.counters.is_err(),
            stopped: self.stop.is_some(),
        }
    }

    /// What a code for this purpose says, and the account's name.
    pub(super) fn usage(&self, purpose: CodePurpose) -> Result<(Use, Option<Uuid>), CoreError> {
        let wanted = match purpose {
            CodePurpose::Identity => return Ok((Use::Identity, None)),
            CodePurpose::Payment { account } => account.or(self.preferences.default_account),
        };
        let accounts = self.credential.body.attributes.accounts;
        let mut payers = self
            .payers
            .payers
            .iter()
            .filter_map(|payer| Some((payer.id, Slot::new(payer.slot).ok()?)));
        if let Some(id) = wanted {
            let found = payers.find(|(payer, _)| *payer == id);
            let (_, slot) = found.ok_or(CoreError::AccountUnknown)?;
            // Never another one instead: whose money it is, the holder chose.
            return match accounts.contains(slot) {
                true => Ok((Use::Payment(slot), Some(id))),
                false => Err(MoneyReason::AccountNotOpen.into()),
            };
        }
        // Without a choice the first account pays, also before its name is known.
        let named = payers.find(|(_, slot)| accounts.contains(*slot));
        let first = named.map(|(id, slot)| (Some(id), slot)).or_else(|| {
            (1..=8)
                .filter_map(|slot| Slot::new(slot).ok())
                .find(|slot| accounts.contains(*slot))
                .map(|slot| (None, slot))
        });
        let (account, slot) = first.ok_or(MoneyReason::AccountNotOpen)?;
        Ok((Use::Payment(slot), account))
    }

    /// The moment with this counter, to be shown from `shown_at` on.
    pub(super) fn moment(
        &self,
        usage: Use,
        account: Option<Uuid>,
        counter: Counter,
        now: Reading,
        shown_at: UnixMillis,
    ) -> Result<Unsigned, CoreError> {
        let body = &self.credential.body;
        let seconds = u32::try_from(shown_at.0.div_euclid(1000)).map_err(|_| CoreError::ClockImpossible)?;
        let dynamic = Dynamic {
            time: UnixSeconds(seconds),
            counter,
            usage,
            site: Site::Any,
            clock: now.confidence,
        };
        let moment = Moment {
            profile: body.profile,
            pseudonym: body.pseudonym,
            epoch: body.epoch,
            dynamic,
        };
        let life_s = self.record.policy.code_life_s.min(body.code_life_s);
        let plan = MomentPlan {
            account,
            planned: now,
            shown_at,
            refresh_at: shown_at.plus_millis(i64::from(self.record.policy.rotation_s.min(life_s)) * 1000),
            // Terminals count from the whole second in the code.
            expires_at: UnixMillis((i64::from(seconds) + i64::from(life_s)) * 1000),
        };
        Ok(Unsigned {
            moment,
            plan,
            preimage: moment.preimage(&self.school, None),
            signer: Arc::clone(&self.signer),
        })
    }
}

fn witness_mark(credential: &Credential, ceiling: u32) -> WitnessMark {
    WitnessMark {
        pseudonym: credential.body.pseudonym,
        epoch: credential.body.epoch,
        ceiling,
    }
}

/// A moment whose counter is durable and that waits for its signature.
pub(super) struct Unsigned {
    moment: Moment,
    plan: MomentPlan,
    preimage: Vec<u8>,
    signer: Arc<Signer>,
}

impl Unsigned {
    /// Signs. Blocks, with a keystore for seconds; hold no lock.
    pub(super) fn sign(self) -> Result<SignedMoment, CoreError> {
        let signature = self.signer.sign(&self.preimage)?;
        Ok(SignedMoment {
            moment: self.moment,
            signature,
            plan: self.plan,
        })
    }
}

/// What is on the screen, and what comes next.
#[derive(Default)]
pub(super) struct Screen {
    pub shown: Option<SignedMoment>,
    /// Only where signing takes long: the next moment, signed ahead.
    pub next: Option<SignedMoment>,
    /// Whether the next moment is being signed.
    pub signing_ahead: bool,
    /// The highest sequence that was ever on the screen, of the credential there is.
    pub highest: u32,
}

impl Screen {
    /// Forgets what doesn't fit any more: another purpose, or a clock that jumped.
    pub(super) fn drop_unfit(&mut self, usage: Use, now: &Reading) {
        let fits = |signed: &SignedMoment| {
            signed.moment.dynamic.usage == usage
                && now.continues(&signed.plan.planned)
                // An anchor gained since is worth a new code.
                && (signed.moment.dynamic.clock.uncertainty_s().is_some() || is_guess(now.confidence))
        };
        self.shown = self.shown.filter(fits);
        self.next = self.next.filter(fits);
    }

    /// Puts the next moment on the screen if its time has come.
    pub(super) fn promote(&mut self, now: &Reading) {
        let due = self.next.filter(|next| now.now >= next.plan.shown_at);
        if let Some(next) = due {
            self.next = None;
            if now.now < next.plan.refresh_at {
                self.show(next);
            }
        }
    }

    /// Whether what is on the screen does for whoever had this moment signed.
    pub(super) fn serves(&self, signed: &SignedMoment) -> bool {
        self.shown.is_some_and(|shown| {
            let same_use = shown.moment.dynamic.usage == signed.moment.dynamic.usage;
            same_use && signed.plan.shown_at < shown.plan.refresh_at
        })
    }

    /// Puts a moment on the screen, unless a later one was there before.
    pub(super) fn show(&mut self, signed: SignedMoment) -> bool {
        let rises = signed.sequence() > self.highest;
        if rises {
            self.highest = signed.sequence();
            self.shown = Some(signed);
        }
        rises
    }

    /// Takes everything off the screen.
    pub(super) fn clear(&mut self) {
        (self.shown, self.next) = (None, None);
    }
}

fn is_guess(confidence: ClockConfidence) -> bool {
    confidence.uncertainty_s().is_none()
}
