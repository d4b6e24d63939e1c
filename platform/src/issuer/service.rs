//! Credentials: enrolled, renewed, moved to the next epoch, suspended, brought back, revoked.

use super::flow::{
    EnrolmentState, Standing, Step, Wish, is_renewal_due, min_epoch_of_suspended, not_before_hours, step,
};
use super::keyring::{KeyRing, format_millis};
use super::lists::{end_of_row, lists_until, terminal_policy};
use super::reach::{Ending, Reach};
use super::store::{self, Enrolment};
use crate::Platform;
use crate::accounts::{HolderRow, HolderStatus, slots_of};
use crate::clock::{DAY, HOUR, MINUTE};
use crate::db::{Connection, transact};
use crate::error::{Error, Result};
use crate::http::IdempotencyKey;
use crate::idempotency::{Deed, Operation};
use crate::limits::credential_limits;
use crate::random::random_bytes;
use crate::sessions::Session;
use uuid::Uuid;
use yika_api::credential::{
    Challenge, CredentialState, CredentialStatus, IssueRequest, IssuedCredential, KeyProof, KeyStorage,
};
use yika_api::{ProblemCode, UnixMillis};
use yika_format::credential::{self, Attributes, Credential, CredentialBody, HolderClass, Scopes};
use yika_format::lists::{Role, Row, SettledMark, SignedTime};
use yika_format::proof::key_proof_preimage;
use yika_format::{
    AccountMask, Epoch, Hours, LimitUnits, MinEpoch, Profile, Pseudonym, PublicKey, Signature,
};

const CHALLENGE_MS: i64 = 5 * MINUTE;
/// How long a signed time may be relied on; terminals take it only within seconds of their question.
const TIME_GOOD_MS: i64 = MINUTE;
const MARK_GOOD_MS: i64 = 400 * DAY;

/// Gives a device a nonce for a key proof.
pub(super) async fn challenge(platform: &Platform, session: &Session) -> Result<Challenge> {
    let now = platform.now();
    let (nonce, expires_at) = (random_bytes::<32>()?, now.plus_millis(CHALLENGE_MS));
    transact!(platform.db().writer(), |tx| {
        store::insert_challenge(tx, &nonce, session.device, expires_at, now).await
    })?;
    Ok(Challenge {
        nonce: nonce.into(),
        expires_at,
    })
}

/// Issues what is asked for, once per operation. Returns the reply as JSON.
pub(super) async fn issue(
    platform: &Platform,
    session: &Session,
    key: IdempotencyKey,
    request: &IssueRequest,
) -> Result<String> {
    let device = session.device.to_string();
    let deed = Deed::of_device("credential", session.holder, &device, key, request)?;
    let work = Issuing {
        platform,
        session,
        now: platform.now(),
    };
    let reply: Result<_> = transact!(platform.db().writer(), |tx| {
        let slot = match deed.begin(tx).await? {
            Operation::Done(reply) => return Ok(reply),
            Operation::New(slot) => slot,
        };
        let issued = match request {
            IssueRequest::Enrol { proof } => work.enrol(tx, proof).await?,
            IssueRequest::Renew => work.advance(tx, Wish::Renew).await?,
            IssueRequest::NextEpoch { reason } => work.advance(tx, Wish::NextEpoch(*reason)).await?,
        };
        let reply = slot.store(tx, &issued, work.now).await?;
        yika_fault::reach("platform.issue.before-commit");
        Ok(reply)
    });
    let reply: String = reply?;
    yika_fault::reach("platform.issue.after-commit");
    Ok(reply)
}

/// How things stand with a device's credential.
pub(super) async fn status(platform: &Platform, session: &Session) -> Result<CredentialStatus> {
    let mut reader = platform.db().read().await?;
    let no_credential = || Error::refused(ProblemCode::NoCredential);
    let enrolment = store::enrolment_of_device(&mut reader, session.device)
        .await?
        .ok_or_else(no_credential)?;
    let holder = holder_row(&mut reader, enrolment.holder).await?;
    let wanted = wanted_attributes(&mut reader, platform, &holder, enrolment.key_storage).await?;
    Ok(CredentialStatus {
        state: match enrolment.standing.state {
            EnrolmentState::Active => CredentialState::Active,
            EnrolmentState::Suspended => CredentialState::Suspended,
            EnrolmentState::Revoked | EnrolmentState::Replaced => CredentialState::Revoked,
        },
        epoch: enrolment.standing.epoch.get(),
        highest_settled: enrolment.highest_settled,
        renewal_due: is_renewal_due(&enrolment.standing, &wanted)
            || !platform.keys().has(enrolment.certificate.body.issuer),
    })
}

/// One request for a credential at work.
struct Issuing<'a> {
    platform: &'a Platform,
    session: &'a Session,
    now: UnixMillis,
}

impl Issuing<'_> {
    async fn enrol(&self, tx: &mut Connection, proof: &KeyProof) -> Result<IssuedCredential> {
        let holder = self.unfrozen_holder(tx).await?;
        let key = self.check_proof(tx, proof).await?;
        if let Some(known) = store::enrolment_of_key(tx, &key).await? {
            if known.device != self.session.device || known.standing.state != EnrolmentState::Active {
                return Err(Error::refused_because(
                    ProblemCode::Forbidden,
                    "this key was enrolled before; make a new one",
                ));
            }
            return self.advance(tx, Wish::Renew).await;
        }
        if let Some(old) = store::enrolment_of_device(tx, self.session.device).await?
            && matches!(
                old.standing.state,
                EnrolmentState::Active | EnrolmentState::Suspended
            )
        {
            store::set_state(tx, old.pseudonym, EnrolmentState::Replaced).await?;
            store::raise_min_epoch(tx, old.pseudonym, MinEpoch::DEAD, old.standing.certificate_until).await?;
            store::mark_dirty(tx, old.pseudonym).await?;
        }
        let attributes = wanted_attributes(tx, self.platform, &holder, proof.key_storage).await?;
        let row_until = self.new_row_until()?;
        loop {
            let pseudonym = Pseudonym(random_bytes()?);
            let (certificate, times) = self.sign(pseudonym, Epoch::FIRST, attributes, key)?;
            let enrolment = Enrolment {
                pseudonym,
                holder: holder.id,
                device: self.session.device,
                code_key: key,
                key_storage: proof.key_storage,
                row_until,
                highest_settled: 0,
                certificate,
                standing: Standing {
                    state: EnrolmentState::Active,
                    epoch: Epoch::FIRST,
                    epoch_due: false,
                    attributes,
                    certificate_from: times.0,
                    certificate_until: times.1,
                },
            };
            if store::insert_enrolment(tx, &enrolment, self.now).await? {
                store::store_certificate(tx, &certificate, times, row_until, self.now).await?;
                store::mark_dirty(tx, pseudonym).await?;
                return Ok(self.issued(&enrolment));
            }
        }
    }

    async fn advance(&self, tx: &mut Connection, wish: Wish) -> Result<IssuedCredential> {
        let none = || Error::refused(ProblemCode::NoCredential);
        let mut enrolment = store::enrolment_of_device(tx, self.session.device)
            .await?
            .ok_or_else(none)?;
        let holder = holder_row(tx, enrolment.holder).await?;
        let policy = &self.platform.config().credentials;
        let wanted = wanted_attributes(tx, self.platform, &holder, enrolment.key_storage).await?;
        let (epoch, attributes) = match step(&enrolment.standing, wish, &wanted, policy, self.now) {
            Step::Frozen => return Err(Error::refused(ProblemCode::CardFrozen)),
            Step::EnrolAgain => return Err(none()),
            Step::Keep if self.platform.keys().has(enrolment.certificate.body.issuer) => {
                return Ok(self.issued(&enrolment));
            }
            // Its key was struck out: it holds no more, however long it was made for.
            Step::Keep | Step::Renew => (enrolment.standing.epoch, enrolment.standing.attributes),
            Step::NextEpoch { epoch, old_until } => {
                let min_epoch = MinEpoch::new(epoch.get())?;
                store::raise_min_epoch(tx, enrolment.pseudonym, min_epoch, old_until).await?;
                store::mark_dirty(tx, enrolment.pseudonym).await?;
                (epoch, wanted)
            }
        };
        let (certificate, times) = self.sign(enrolment.pseudonym, epoch, attributes, enrolment.code_key)?;
        let row_until = self.extended_row_until(enrolment.row_until)?;
        if row_until != enrolment.row_until {
            store::mark_dirty(tx, enrolment.pseudonym).await?;
        }
        store::store_certificate(tx, &certificate, times, row_until, self.now).await?;
        enrolment.certificate = certificate;
        (
            enrolment.standing.certificate_from,
            enrolment.standing.certificate_until,
        ) = times;
        enrolment.row_until = row_until;
        Ok(self.issued(&enrolment))
    }

    async fn unfrozen_holder(&self, db: &mut Connection) -> Result<HolderRow> {
        let holder = holder_row(db, self.session.holder).await?;
        match holder.status {
            HolderStatus::Active => Ok(holder),
            HolderStatus::Frozen => Err(Error::refused(ProblemCode::CardFrozen)),
        }
    }

    /// Checks that the phone has the key, over a nonce that it got and has not used.
    async fn check_proof(&self, tx: &mut Connection, proof: &KeyProof) -> Result<PublicKey> {
        let invalid = || Error::refused(ProblemCode::InvalidKeyProof);
        let nonce = proof.nonce.to_array::<32>().ok_or_else(invalid)?;
        if !store::take_challenge(tx, &nonce, self.session.device, self.now).await? {
            return Err(Error::refused(ProblemCode::ChallengeExpired));
        }
        let key = proof
            .code_key
            .to_array()
            .and_then(|bytes| PublicKey::from_compressed(bytes).ok())
            .ok_or_else(invalid)?;
        let expanded = key.expand().map_err(|_| invalid())?;
        let signature = Signature::from_raw_or_der(&proof.signature.0).map_err(|_| invalid())?;
        let school = &self.platform.keys().school;
        let preimage = key_proof_preimage(school, &nonce, self.session.device.as_bytes(), &key);
        expanded.verify(&preimage, &signature).map_err(|_| invalid())?;
        Ok(key)
    }

    fn sign(
        &self,
        pseudonym: Pseudonym,
        epoch: Epoch,
        attributes: Attributes,
        device_key: PublicKey,
    ) -> Result<(Credential, (UnixMillis, UnixMillis))> {
        let policy = &self.platform.config().credentials;
        let keys = self.platform.keys();
        let issuer = keys.signer(Role::Credential, self.now)?;
        let not_before =
            not_before_hours(issuer.entry.from.0, self.now).ok_or_else(|| Error::StoredValue {
                what: "clock",
                value: self.now.0.to_string(),
            })?;
        let body = CredentialBody {
            profile: Profile::P256,
            issuer: issuer.entry.id,
            pseudonym,
            epoch,
            not_before: Hours(not_before),
            life_hours: policy.certificate_hours,
            code_life_s: policy.codes.code_life_s,
            attributes,
            device_key,
        };
        let signature = issuer.signer.sign(&body.preimage(&keys.school))?;
        let from = UnixMillis(i64::from(issuer.entry.from.0) * 1000 + i64::from(not_before) * HOUR);
        let until = from.plus_millis(i64::from(policy.certificate_hours) * HOUR);
        Ok((body.with_signature(signature), (from, until)))
    }

    fn new_row_until(&self) -> Result<u16> {
        let today = Row::day_of(format_millis(self.now)).ok_or_else(|| Error::StoredValue {
            what: "clock",
            value: self.now.0.to_string(),
        })?;
        Ok(today.saturating_add(self.platform.config().credentials.row_days))
    }

    /// A row is moved on when half of its days are gone, so that most renewals change no row.
    fn extended_row_until(&self, row_until: u16) -> Result<u16> {
        let new = self.new_row_until()?;
        let gone = new.saturating_sub(row_until);
        Ok(if gone > self.platform.config().credentials.row_days / 2 {
            new
        } else {
            row_until
        })
    }

    fn issued(&self, enrolment: &Enrolment) -> IssuedCredential {
        IssuedCredential {
            credential: enrolment.certificate.to_bytes().to_vec().into(),
            certificate_until: enrolment.standing.certificate_until,
            row_until: enrolment.last_of_row(),
            policy: self.platform.config().credentials.codes,
            highest_settled: enrolment.highest_settled,
        }
    }
}

impl Enrolment {
    /// The last instant of its row in the table.
    fn last_of_row(&self) -> UnixMillis {
        end_of_row(self.row_until, self.pseudonym, self.code_key, &self.certificate)
    }
}

async fn holder_row(db: &mut Connection, holder: i64) -> Result<HolderRow> {
    crate::accounts::holder_by_id(db, holder)
        .await?
        .ok_or_else(|| Error::refused(ProblemCode::NotFound))
}

/// The attributes that a holder has today, for a key that lives there.
async fn wanted_attributes(
    db: &mut Connection,
    platform: &Platform,
    holder: &HolderRow,
    storage: KeyStorage,
) -> Result<Attributes> {
    let limits = credential_limits(db, platform, holder.id, storage).await?;
    let scopes = [
        Scopes::LIBRARY,
        Scopes::POS,
        Scopes::LIBRARY_FEE,
        Scopes::CONFIRMED,
    ];
    Ok(Attributes {
        per_use: LimitUnits(limits.per_use),
        cumulative: LimitUnits(limits.cumulative),
        accounts: AccountMask::of(slots_of(db, holder.id).await?),
        scopes: scopes.into_iter().fold(Scopes::GATE, Scopes::union),
        class: match holder.class {
            1 => HolderClass::Student,
            2 => HolderClass::Staff,
            3 => HolderClass::Visitor,
            _ => HolderClass::Other,
        },
        key_storage: match storage {
            KeyStorage::Software => credential::KeyStorage::Software,
            KeyStorage::Tee => credential::KeyStorage::Tee,
            KeyStorage::SecureElement => credential::KeyStorage::SecureElement,
        },
    })
}

/// Suspends the credentials of a holder, or of one device: what was shown so far is dead, and nothing is issued for them. Answers
/// until when a terminal that hears nothing of it may go on.
pub(crate) async fn suspend(
    tx: &mut Connection,
    platform: &Platform,
    holder: i64,
    device: Option<Uuid>,
) -> Result<Reach> {
    let now = platform.now();
    let enrolments = store::accepted_enrolments(tx, holder, device, now).await?;
    let endings: Vec<Ending> = enrolments
        .iter()
        .map(|enrolment| Ending {
            certificate_until: enrolment.standing.certificate_until,
            row_until: enrolment.last_of_row(),
        })
        .collect();
    for enrolment in &enrolments {
        let min_epoch = match enrolment.standing.state {
            EnrolmentState::Active => {
                store::set_state(tx, enrolment.pseudonym, EnrolmentState::Suspended).await?;
                min_epoch_of_suspended(enrolment.standing.epoch)
            }
            // Nobody shows codes of it any more.
            _ => MinEpoch::DEAD,
        };
        store::raise_min_epoch(tx, enrolment.pseudonym, min_epoch, now).await?;
        store::mark_dirty(tx, enrolment.pseudonym).await?;
    }
    let lists = lists_until(tx).await?;
    Ok(Reach::of(
        &endings,
        lists,
        terminal_policy(platform).identity_without_revocations,
        now,
    ))
}

/// Takes suspensions back where nothing stands against it any more. The phones get a new epoch; pictures of before stay dead.
pub(crate) async fn resume(
    tx: &mut Connection,
    holder: i64,
    is_suspended: impl Fn(Uuid) -> bool + Send,
) -> Result<()> {
    for enrolment in store::live_enrolments(tx, holder).await? {
        if enrolment.standing.state == EnrolmentState::Suspended && !is_suspended(enrolment.device) {
            store::set_state(tx, enrolment.pseudonym, EnrolmentState::Active).await?;
            store::set_epoch_due(tx, enrolment.pseudonym).await?;
        }
    }
    Ok(())
}

/// Kills a holder's credentials for good. The holder may enrol new keys.
pub(crate) async fn revoke_holder(tx: &mut Connection, holder: i64, now: UnixMillis) -> Result<()> {
    for enrolment in store::live_enrolments(tx, holder).await? {
        revoke(tx, &enrolment, now).await?;
    }
    Ok(())
}

/// Kills the credential of one device for good.
pub(crate) async fn revoke_device(tx: &mut Connection, device: Uuid, now: UnixMillis) -> Result<()> {
    match store::enrolment_of_device(tx, device).await? {
        Some(enrolment) => revoke(tx, &enrolment, now).await,
        None => Ok(()),
    }
}

async fn revoke(tx: &mut Connection, enrolment: &Enrolment, now: UnixMillis) -> Result<()> {
    if matches!(
        enrolment.standing.state,
        EnrolmentState::Revoked | EnrolmentState::Replaced
    ) {
        return Ok(());
    }
    store::set_state(tx, enrolment.pseudonym, EnrolmentState::Revoked).await?;
    store::raise_min_epoch(tx, enrolment.pseudonym, MinEpoch::DEAD, now).await?;
    store::mark_dirty(tx, enrolment.pseudonym).await
}

/// The platform's time for a terminal's nonce.
pub(super) fn signed_time(keys: &KeyRing, nonce: &[u8; 16], now: UnixMillis) -> Result<Vec<u8>> {
    let at = format_millis(now);
    let key = keys.signer(Role::Time, now)?;
    let header = keys.header(key.entry.id, at.0, now, now.plus_millis(TIME_GOOD_MS));
    let unsigned = SignedTime::unsigned(&header, nonce, at);
    let signature = key.signer.sign(unsigned.preimage())?;
    Ok(unsigned.with_signature(&signature))
}

/// The mark up to which a terminal's records are settled. Its version is that number: it rises with it.
pub(crate) fn settled_mark(keys: &KeyRing, mark: &SettledMark, now: UnixMillis) -> Result<Vec<u8>> {
    let times = (mark.sequence, now, now.plus_millis(MARK_GOOD_MS));
    keys.sign_list(times, |header| mark.unsigned(header))
}
