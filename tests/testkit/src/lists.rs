//! The lists of a school: keyset, table, delta, revocations, time, settled mark, directory and faces.

use crate::{SignerKit, at, at_ms, attributes, yuan};
use yika_format::lists::{
    Delta, Directory, DirectoryEntry, FaceEntry, Faces, Header, Keyset, KeysetEntry, Revocation, Revocations,
    Role, Row, RowFlags, SettledMark, SignedTime, Table, TablePolicy, Unsigned,
};
use yika_format::verifier::SchoolLists;
use yika_format::{
    Epoch, ExpandedKey, FaceReference, KeyId, MinEpoch, Profile, Pseudonym, UnixMillis, UnixSeconds,
};

/// From when the usual keys are valid: 2026-07-01T00:00:00Z.
pub(crate) const KEYS_FROM: UnixSeconds = UnixSeconds(1_782_864_000);
const YEAR_S: u32 = 365 * 86_400;

/// The lists of one school to be, version 7, issued ten minutes before [`crate::NOW`] and good for a day after it.
#[derive(Clone)]
pub struct ListBuilder {
    /// Who signs.
    pub kit: SignerKit,
    /// The version of each list.
    pub version: u64,
    /// When each was made.
    pub issued: UnixMillis,
    /// Until when each may be relied on.
    pub good_until: UnixMillis,
    /// What the keyset lists.
    pub keys: Vec<KeysetEntry>,
    /// What the table wants of every terminal.
    pub policy: TablePolicy,
    /// The table's rows.
    pub rows: Vec<Row>,
    /// The lowest accepted epochs.
    pub revoked: Vec<Revocation>,
}

/// The entry of a portrait whose reference is 16 times this byte.
pub fn face_entry(reference: u8, portrait: &[u8]) -> FaceEntry {
    FaceEntry {
        reference: FaceReference([reference; 16]),
        digest: crate::sha256(portrait),
    }
}

/// The lists of one school, opened.
#[derive(Clone, Debug)]
pub struct Opened {
    /// The school's keys.
    pub keyset: Keyset,
    /// Its table.
    pub table: Table,
    /// Its revocations.
    pub revocations: Revocations,
}

impl Opened {
    /// As the verifier takes them.
    pub fn lists(&self) -> SchoolLists<'_> {
        SchoolLists {
            keyset: &self.keyset,
            table: Some(&self.table),
            revocations: Some(&self.revocations),
        }
    }
}

impl ListBuilder {
    /// The usual lists: one key a role, one row for the kit's device, nobody revoked.
    pub fn new(kit: &SignerKit) -> Self {
        let entry = |id, role, key: &crate::TestKey| KeysetEntry {
            id: KeyId(id),
            role,
            from: KEYS_FROM,
            to: UnixSeconds(KEYS_FROM.0 + YEAR_S),
            key: key.public(),
        };
        Self {
            kit: kit.clone(),
            version: 7,
            issued: at_ms(-600),
            good_until: at_ms(86_400),
            keys: vec![
                entry(1, Role::Credential, &kit.credential),
                entry(10, Role::Table, &kit.table),
                entry(20, Role::Time, &kit.time),
            ],
            policy: TablePolicy {
                code_life_s: 30,
                max_skew_s: 60,
                unanchored_limit: yuan(20),
                identity_without_revocations: true,
            },
            rows: vec![Self::row(kit)],
            revoked: Vec::new(),
        }
    }

    /// The row that fits [`crate::CredentialBuilder::new`]: until 2026-09-08, paying offline.
    pub fn row(kit: &SignerKit) -> Row {
        Row {
            pseudonym: Pseudonym(*b"alice"),
            epoch: Epoch::new(3).expect("3 is an epoch"),
            min_epoch: MinEpoch::new(2).expect("2 is a lowest epoch"),
            until_day: Row::day_of(at(7 * 86_400).into()).expect("after 2026"),
            attributes: attributes(),
            flags: RowFlags {
                profile: Profile::P256,
                offline_payment: true,
            },
            key: kit.device.public(),
        }
    }

    /// The header of a list that key `signer` signs.
    pub fn header(&self, signer: u16) -> Header {
        Header {
            school: self.kit.school,
            signer: KeyId(signer),
            version: self.version,
            issued: self.issued,
            good_until: self.good_until,
        }
    }

    fn signed_by_table(&self, unsigned: Unsigned) -> Vec<u8> {
        let signature = self.kit.table.sign(unsigned.preimage());
        unsigned.with_signature(&signature)
    }

    /// The keyset.
    pub fn keyset(&self) -> Vec<u8> {
        let unsigned = Keyset::unsigned(&self.header(0), &self.keys);
        let signature = self.kit.root.sign(unsigned.preimage());
        unsigned.with_signature(&signature)
    }

    /// The table and its rows.
    pub fn table(&self) -> Vec<u8> {
        let unsigned = Table::unsigned(&self.header(10), &self.policy, &self.rows);
        let signature = self.kit.table.sign(unsigned.preimage());
        unsigned.with_signature(&signature)
    }

    /// A delta on the version before this one.
    pub fn delta(&self, upserts: &[Row], deletes: &[Pseudonym]) -> Vec<u8> {
        self.signed_by_table(Delta::unsigned(&self.header(10), upserts, deletes))
    }

    /// The revocations.
    pub fn revocations(&self) -> Vec<u8> {
        self.signed_by_table(Revocations::unsigned(&self.header(10), &self.revoked))
    }

    /// The answer to `nonce` that it is now `now`.
    pub fn time(&self, nonce: &[u8; 16], now: UnixMillis) -> Vec<u8> {
        let unsigned = SignedTime::unsigned(&self.header(20), nonce, now);
        let signature = self.kit.time.sign(unsigned.preimage());
        unsigned.with_signature(&signature)
    }

    /// The mark that all records of `terminal` up to `sequence` are settled.
    pub fn mark(&self, terminal: u64, sequence: u64) -> Vec<u8> {
        self.signed_by_table(SettledMark { terminal, sequence }.unsigned(&self.header(10)))
    }

    /// The directory of `terminal`, sealed to this key: the same bytes each time.
    pub fn directory(&self, terminal: u64, recipient: &ExpandedKey, entries: &[DirectoryEntry]) -> Vec<u8> {
        let random = crate::sha256(format!("yika test directory {terminal} {}", self.version).as_bytes());
        let unsigned = Directory::unsigned(&self.header(10), terminal, recipient, entries, random);
        self.signed_by_table(unsigned.expect("tests seal little"))
    }

    /// The faces that a terminal may hold.
    pub fn faces(&self, entries: &[FaceEntry]) -> Vec<u8> {
        self.signed_by_table(Faces::unsigned(&self.header(10), entries))
    }

    /// Keyset, table and revocations, opened.
    pub fn open(&self) -> Opened {
        let keyset = Keyset::open(&self.keyset(), &self.kit.pinned_root()).expect("a good keyset opens");
        Opened {
            table: Table::open(&self.table(), &keyset).expect("a good table opens"),
            revocations: Revocations::open(&self.revocations(), &keyset).expect("good revocations open"),
            keyset,
        }
    }
}
