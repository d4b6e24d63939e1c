//! Any value of each type that the format can carry, for property tests.

// Each test uses some of them, and their ranges are those of the types.
#![allow(dead_code, clippy::unwrap_used)]

use proptest::prelude::*;
use yika_format::code::{ClockConfidence, Code, Dynamic, FullCode, Moment, ShortCode, Site, Use};
use yika_format::confirmation::Confirmation;
use yika_format::credential::{Attributes, Credential, CredentialBody, HolderClass, KeyStorage, Scopes};
use yika_format::lists::{
    DirectoryEntry, FaceEntry, HolderNumber, KeysetEntry, Revocation, Role, Row, RowFlags, TablePolicy,
};
use yika_format::sale::{SaleKind, SaleRecord};
use yika_format::{
    AccountMask, Amount, Counter, Epoch, FaceReference, Hours, KeyId, LimitUnits, MinEpoch, Profile,
    Pseudonym, PublicKey, SchoolHash, Sequence, Signature, Slot, UnixMillis, UnixSeconds,
};
use yika_testkit::TestKey;

pub(crate) fn school() -> impl Strategy<Value = SchoolHash> {
    any::<[u8; 16]>().prop_map(SchoolHash)
}

pub(crate) fn pseudonym() -> impl Strategy<Value = Pseudonym> {
    // Few enough that rows and deletes meet.
    prop_oneof![any::<[u8; 5]>(), (0..12_u8).prop_map(|last| [0, 0, 0, 0, last])].prop_map(Pseudonym)
}

pub(crate) fn epoch() -> impl Strategy<Value = Epoch> {
    (1..=254_u8).prop_map(|number| Epoch::new(number).unwrap())
}

pub(crate) fn min_epoch() -> impl Strategy<Value = MinEpoch> {
    (1..=255_u8).prop_map(|number| MinEpoch::new(number).unwrap())
}

pub(crate) fn counter() -> impl Strategy<Value = Counter> {
    (1..=u16::MAX).prop_map(|number| Counter::new(number).unwrap())
}

pub(crate) fn sequence() -> impl Strategy<Value = Sequence> {
    (epoch(), counter()).prop_map(|(epoch, counter)| Sequence::new(epoch, counter))
}

pub(crate) fn slot() -> impl Strategy<Value = Slot> {
    (1..=8_u8).prop_map(|number| Slot::new(number).unwrap())
}

/// One of four keys: making one takes as long as signing.
pub(crate) fn key() -> impl Strategy<Value = PublicKey> {
    (0..4_u8).prop_map(|number| TestKey::named(&format!("key {number}")).public())
}

pub(crate) fn signature() -> impl Strategy<Value = Signature> {
    any::<[u8; 64]>().prop_filter_map("r and s in range", |bytes| Signature::from_raw(bytes).ok())
}

pub(crate) fn profile() -> impl Strategy<Value = Profile> {
    prop_oneof![Just(Profile::P256), Just(Profile::Sm2)]
}

pub(crate) fn attributes() -> impl Strategy<Value = Attributes> {
    let limits = any::<[u16; 2]>().prop_map(|[a, b]| (LimitUnits(a.min(b)), LimitUnits(a.max(b))));
    let class = prop::sample::select(vec![
        HolderClass::Student,
        HolderClass::Staff,
        HolderClass::Visitor,
        HolderClass::Other,
    ]);
    let storage = prop::sample::select(vec![
        KeyStorage::Software,
        KeyStorage::Tee,
        KeyStorage::SecureElement,
    ]);
    (limits, any::<u8>(), 0..0x40_u8, class, storage).prop_map(
        |((per_use, cumulative), accounts, scopes, class, key_storage)| Attributes {
            per_use,
            cumulative,
            accounts: AccountMask(accounts),
            scopes: Scopes::from_bits(scopes).unwrap(),
            class,
            key_storage,
        },
    )
}

pub(crate) fn credential() -> impl Strategy<Value = Credential> {
    let who = (profile(), any::<u16>(), pseudonym(), epoch());
    let when = (any::<u16>(), 1..=u8::MAX, 10..=120_u8);
    (who, when, attributes(), key(), signature()).prop_map(
        |(
            (profile, issuer, pseudonym, epoch),
            (hours, life_hours, code_life_s),
            attributes,
            device_key,
            signature,
        )| {
            CredentialBody {
                profile,
                issuer: KeyId(issuer),
                pseudonym,
                epoch,
                not_before: Hours(hours),
                life_hours,
                code_life_s,
                attributes,
                device_key,
            }
            .with_signature(signature)
        },
    )
}

pub(crate) fn paying() -> impl Strategy<Value = Use> {
    prop_oneof![
        slot().prop_map(Use::Payment),
        slot().prop_map(Use::ConfirmedPayment)
    ]
}

pub(crate) fn usage() -> impl Strategy<Value = Use> {
    prop_oneof![Just(Use::Identity), paying()]
}

pub(crate) fn dynamic_for(usage: impl Strategy<Value = Use>) -> impl Strategy<Value = Dynamic> {
    let site = prop_oneof![Just(Site::Any), (1..=254_u8).prop_map(Site::Group)];
    let clock = prop_oneof![
        (0..=250_u8).prop_map(ClockConfidence::Anchored),
        Just(ClockConfidence::Rebooted),
        Just(ClockConfidence::WallOnly),
    ];
    (any::<u32>(), counter(), usage, site, clock).prop_map(|(time, counter, usage, site, clock)| Dynamic {
        time: UnixSeconds(time),
        counter,
        usage,
        site,
        clock,
    })
}

pub(crate) fn code_for(usage: impl Strategy<Value = Use>) -> impl Strategy<Value = Code> {
    (any::<bool>(), credential(), dynamic_for(usage), signature()).prop_map(
        |(is_full, credential, dynamic, signature)| {
            if is_full {
                Code::Full(FullCode {
                    credential,
                    dynamic,
                    signature,
                })
            } else {
                let body = credential.body;
                let moment = Moment {
                    profile: body.profile,
                    pseudonym: body.pseudonym,
                    epoch: body.epoch,
                    dynamic,
                };
                Code::Short(ShortCode { moment, signature })
            }
        },
    )
}

pub(crate) fn row() -> impl Strategy<Value = Row> {
    let flags = (profile(), any::<bool>()).prop_map(|(profile, offline_payment)| RowFlags {
        profile,
        offline_payment,
    });
    (
        pseudonym(),
        epoch(),
        min_epoch(),
        any::<u16>(),
        attributes(),
        flags,
        key(),
    )
        .prop_map(
            |(pseudonym, epoch, min_epoch, until_day, attributes, flags, key)| Row {
                pseudonym,
                epoch,
                min_epoch,
                until_day,
                attributes,
                flags,
                key,
            },
        )
}

/// Rows in rising order, none twice.
pub(crate) fn rows() -> impl Strategy<Value = Vec<Row>> {
    prop::collection::vec(row(), 0..20).prop_map(|mut rows| {
        rows.sort_by_key(|row| row.pseudonym);
        rows.dedup_by_key(|row| row.pseudonym);
        rows
    })
}

/// Pseudonyms in rising order, none twice.
pub(crate) fn pseudonyms() -> impl Strategy<Value = Vec<Pseudonym>> {
    prop::collection::btree_set(pseudonym(), 0..10).prop_map(|set| set.into_iter().collect())
}

pub(crate) fn policy() -> impl Strategy<Value = TablePolicy> {
    (10..=120_u8, 0..=60_u8, any::<u16>(), any::<bool>()).prop_map(
        |(code_life_s, max_skew_s, unanchored, identity_without_revocations)| TablePolicy {
            code_life_s,
            max_skew_s,
            unanchored_limit: LimitUnits(unanchored),
            identity_without_revocations,
        },
    )
}

/// Keys in rising order of their numbers, each for a year at most.
pub(crate) fn keys() -> impl Strategy<Value = Vec<KeysetEntry>> {
    let role = prop::sample::select(vec![Role::Credential, Role::Table, Role::Time]);
    let entry = (role, 0..4_000_000_000_u32, 1..31_536_000_u32, key());
    prop::collection::btree_map(1..=u16::MAX, entry, 0..8).prop_map(|entries| {
        entries
            .into_iter()
            .map(|(id, (role, from, life, key))| KeysetEntry {
                id: KeyId(id),
                role,
                from: UnixSeconds(from),
                to: UnixSeconds(from + life),
                key,
            })
            .collect()
    })
}

pub(crate) fn revocations() -> impl Strategy<Value = Vec<Revocation>> {
    prop::collection::btree_map(pseudonym(), min_epoch(), 0..20).prop_map(|entries| {
        entries
            .into_iter()
            .map(|(pseudonym, min_epoch)| Revocation { pseudonym, min_epoch })
            .collect()
    })
}

/// Entries of a directory in rising order, none twice; more than one mark apart.
pub(crate) fn directory_entries() -> impl Strategy<Value = Vec<DirectoryEntry>> {
    prop::collection::btree_map(pseudonym(), "[!-~]{1,32}", 0..200).prop_map(|entries| {
        entries
            .into_iter()
            .map(|(pseudonym, number)| DirectoryEntry {
                pseudonym,
                number: HolderNumber::new(&number).unwrap(),
            })
            .collect()
    })
}

pub(crate) fn face_reference() -> impl Strategy<Value = FaceReference> {
    // Few enough that what is asked for is sometimes there.
    let few = (0..12_u8).prop_map(|last| {
        let mut bytes = [0; 16];
        bytes[15] = last;
        bytes
    });
    prop_oneof![any::<[u8; 16]>(), few].prop_map(FaceReference)
}

/// Entries of a list of faces in rising order, none twice.
pub(crate) fn face_entries() -> impl Strategy<Value = Vec<FaceEntry>> {
    prop::collection::btree_map(face_reference(), any::<[u8; 32]>(), 0..20).prop_map(|entries| {
        entries
            .into_iter()
            .map(|(reference, digest)| FaceEntry { reference, digest })
            .collect()
    })
}

pub(crate) fn confirmation() -> impl Strategy<Value = Confirmation> {
    (any::<u64>(), 1..=u64::MAX, 1..=u64::MAX).prop_map(|(terminal, nonce, amount)| Confirmation {
        terminal,
        nonce,
        amount: Amount(amount),
    })
}

pub(crate) fn sale() -> impl Strategy<Value = SaleRecord> {
    let kind = prop_oneof![
        code_for(paying()).prop_map(SaleKind::Purchase),
        code_for(paying()).prop_map(SaleKind::LibraryFee),
        Just(SaleKind::Void { sequence: 1 }),
    ];
    let numbers = (
        any::<u64>(),
        2..=u64::MAX,
        1..=u64::MAX,
        any::<u64>(),
        any::<u64>(),
        any::<u16>(),
    );
    let versions = (any::<u64>(), any::<u64>(), 1..=u64::MAX);
    (school(), any::<[u8; 32]>(), kind, numbers, versions).prop_map(
        |(school, previous, kind, numbers, (table_version, revocations_version, nonce))| {
            let (terminal, sequence, amount, merchant, time, uncertainty_s) = numbers;
            let is_confirmed = match &kind {
                SaleKind::Purchase(code) | SaleKind::LibraryFee(code) => {
                    code.moment().dynamic.usage.is_confirmed()
                }
                SaleKind::Void { .. } => false,
            };
            SaleRecord {
                school,
                terminal,
                sequence,
                previous,
                kind,
                amount: Amount(amount),
                merchant,
                time: UnixMillis(time),
                uncertainty_s,
                table_version,
                revocations_version,
                nonce: if is_confirmed { nonce } else { 0 },
            }
        },
    )
}
