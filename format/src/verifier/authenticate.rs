//! First half: whose code it is, and how far it reaches. Everything here is answered by signatures and lists.

use super::{Reason, TerminalTime};
use crate::code::{Code, FullCode, ShortCode};
use crate::confirmation::Confirmation;
use crate::credential::{Attributes, Scopes};
use crate::lists::{Keyset, Revocations, Role, Row, Table, TablePolicy};
use crate::{ExpandedKey, KeyError, LimitUnits, MinEpoch, Profile, Pseudonym, PublicKey, SchoolHash};

/// What a terminal holds of one school that it accepts.
#[derive(Clone, Copy, Debug)]
pub struct SchoolLists<'a> {
    /// The school's keys.
    pub keyset: &'a Keyset,
    /// The table, in date or not; without one only full codes are verified.
    pub table: Option<&'a Table>,
    /// The revocations, in date or not.
    pub revocations: Option<&'a Revocations>,
}

/// Expanding keys, for a verifier that remembers those it has seen: it takes a tenth of a verification.
pub trait ExpandKeys {
    /// The key with both coordinates.
    fn expand(&self, key: &PublicKey) -> Result<ExpandedKey, KeyError>;
}

/// Expands each key anew.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoKeyCache;

impl ExpandKeys for NoKeyCache {
    fn expand(&self, key: &PublicKey) -> Result<ExpandedKey, KeyError> {
        key.expand()
    }
}

/// A genuine code of a credential that is accepted now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Authenticated {
    /// The code.
    pub code: Code,
    /// The school.
    pub school: SchoolHash,
    /// How far it reaches, after table and certificate were weighed.
    pub attributes: Attributes,
    /// Seconds that it lasts.
    pub code_life_s: u8,
    /// What the holder confirmed; `None` where the code is not a confirmed one.
    pub confirmed: Option<Confirmation>,
    /// What the school wants of its terminals.
    pub policy: TablePolicy,
    /// Whether the revocations that were looked at are in date.
    pub revocations_in_date: bool,
    /// The version of the table that was looked at; 0 for none.
    pub table_version: u64,
    /// The version of the revocations that were looked at; 0 for none.
    pub revocations_version: u64,
}

impl Authenticated {
    /// The enrolment.
    pub fn pseudonym(&self) -> Pseudonym {
        self.code.moment().pseudonym
    }
}

/// What holds for a terminal that never had a table: nothing without an anchored clock.
const POLICY_WITHOUT_TABLE: TablePolicy = TablePolicy {
    code_life_s: 30,
    max_skew_s: 60,
    unanchored_limit: LimitUnits(0),
    identity_without_revocations: false,
};

/// Checks that a code is genuine and its credential accepted at this time by one of these schools.
///
/// `confirmation` is what this terminal asked to be confirmed, if it did. With several schools the refusal is the one
/// that came furthest.
pub fn authenticate(
    code: &Code,
    schools: &[SchoolLists<'_>],
    time: &TerminalTime,
    keys: &dyn ExpandKeys,
    confirmation: Option<&Confirmation>,
) -> Result<Authenticated, Reason> {
    let asked = confirmation.filter(|_| code.moment().dynamic.usage.is_confirmed());
    let (key_of_full, nothing_fits) = match code {
        Code::Full(full) => (on_curve(full, keys)?, Reason::IssuerUnknown),
        Code::Short(_) => (None, Reason::Unknown),
    };
    let mut furthest = nothing_fits;
    for lists in schools {
        let weighed = match code {
            Code::Full(full) => weigh_full(full, lists, time),
            Code::Short(short) => weigh_short(short, lists, time),
        };
        let outcome = weighed.and_then(|weighed| {
            check_accepted(code, lists, &weighed, asked)?;
            let key = match key_of_full {
                Some(key) => key,
                None => keys.expand(&weighed.key).map_err(|_| Reason::DeviceSignature)?,
            };
            code.verify_device(&lists.keyset.header().school, &key, asked)
                .map_err(|_| Reason::DeviceSignature)?;
            Ok(conclude(code, lists, time, &weighed, asked))
        });
        match outcome {
            Ok(authenticated) => return Ok(authenticated),
            Err(reason) => furthest = furthest.max(reason),
        }
    }
    Err(furthest)
}

/// A full code's device key. One that is not on the curve is not canonical.
fn on_curve(code: &FullCode, keys: &dyn ExpandKeys) -> Result<Option<ExpandedKey>, Reason> {
    match code.credential.body.profile {
        Profile::P256 => keys
            .expand(&code.credential.body.device_key)
            .map(Some)
            .map_err(|_| Reason::Malformed),
        Profile::Sm2 => Ok(None),
    }
}

/// What lists and certificate together say of a code, before its own signature is looked at.
#[derive(Clone, Copy)]
struct Weighed {
    key: PublicKey,
    attributes: Attributes,
    code_life_s: u8,
    min_epoch: MinEpoch,
}

fn weigh_full(code: &FullCode, lists: &SchoolLists<'_>, time: &TerminalTime) -> Result<Weighed, Reason> {
    let body = &code.credential.body;
    let issuer = lists
        .keyset
        .key(body.issuer, Role::Credential, time.now)
        .ok_or(Reason::IssuerUnknown)?;
    code.credential
        .verify(&lists.keyset.header().school, &issuer.key)
        .map_err(|_| Reason::IssuerSignature)?;
    let (start, end) = body.validity(issuer.from);
    if time.now.seconds() < start {
        return Err(Reason::NotYet);
    }
    if time.now.seconds() >= end {
        return Err(Reason::Expired);
    }
    let weighed = Weighed {
        key: body.device_key,
        attributes: body.attributes,
        code_life_s: body.code_life_s,
        min_epoch: MinEpoch::ALL,
    };
    match lists.table.and_then(|table| table.row(body.pseudonym)) {
        None => Ok(weighed),
        Some(row) => weigh_against_row(code, weighed, &row),
    }
}

fn weigh_against_row(code: &FullCode, certificate: Weighed, row: &Row) -> Result<Weighed, Reason> {
    let epoch = code.credential.body.epoch;
    if row.key != certificate.key {
        return Err(Reason::KeyConflict);
    }
    if epoch == row.epoch && certificate.attributes != row.attributes {
        return Err(Reason::AttributeConflict);
    }
    if row.flags.profile != code.credential.body.profile {
        return Err(Reason::Profile);
    }
    let attributes = if epoch < row.epoch {
        certificate.attributes.least(row.attributes)
    } else {
        certificate.attributes
    };
    Ok(Weighed {
        attributes: without_offline_payment(attributes, row),
        min_epoch: row.min_epoch,
        ..certificate
    })
}

fn weigh_short(code: &ShortCode, lists: &SchoolLists<'_>, time: &TerminalTime) -> Result<Weighed, Reason> {
    let moment = &code.moment;
    let table = lists
        .table
        .filter(|table| table.header().is_in_date(time.now))
        .ok_or(Reason::Unknown)?;
    let row = table
        .row(moment.pseudonym)
        .filter(|row| moment.epoch <= row.epoch)
        .ok_or(Reason::Unknown)?;
    if time.now > row.until() {
        return Err(Reason::Expired);
    }
    if moment.profile != row.flags.profile {
        return Err(Reason::Profile);
    }
    Ok(Weighed {
        key: row.key,
        attributes: without_offline_payment(row.attributes, &row),
        code_life_s: table.policy().code_life_s,
        min_epoch: row.min_epoch,
    })
}

fn without_offline_payment(attributes: Attributes, row: &Row) -> Attributes {
    if row.flags.offline_payment {
        attributes
    } else {
        Attributes {
            scopes: attributes.scopes.without(Scopes::PAYMENTS),
            ..attributes
        }
    }
}

/// The last checks before the device's signature: algorithm, revocation, and whether this terminal asked.
fn check_accepted(
    code: &Code,
    lists: &SchoolLists<'_>,
    weighed: &Weighed,
    confirmation: Option<&Confirmation>,
) -> Result<(), Reason> {
    let moment = code.moment();
    if moment.profile != Profile::P256 {
        return Err(Reason::Profile);
    }
    let revoked = lists
        .revocations
        .map_or(MinEpoch::ALL, |list| list.min_epoch(moment.pseudonym));
    if !weighed.min_epoch.max(revoked).accepts(moment.epoch) {
        return Err(Reason::Revoked);
    }
    if moment.dynamic.usage.is_confirmed() && confirmation.is_none() {
        return Err(Reason::NotAsked);
    }
    Ok(())
}

fn conclude(
    code: &Code,
    lists: &SchoolLists<'_>,
    time: &TerminalTime,
    weighed: &Weighed,
    confirmation: Option<&Confirmation>,
) -> Authenticated {
    Authenticated {
        code: *code,
        school: lists.keyset.header().school,
        attributes: weighed.attributes,
        code_life_s: weighed.code_life_s,
        confirmed: confirmation.copied(),
        policy: lists.table.map_or(POLICY_WITHOUT_TABLE, |table| *table.policy()),
        revocations_in_date: lists
            .revocations
            .is_some_and(|list| list.header().is_in_date(time.now)),
        table_version: lists.table.map_or(0, |table| table.header().version),
        revocations_version: lists.revocations.map_or(0, |list| list.header().version),
    }
}
