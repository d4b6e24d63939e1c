//! The table: a row of 50 bytes for each credential, so that the everyday code need not carry one.
//!
//! The signature covers the policy and a hash for each chunk of 4,096 rows; the rows follow the message. Opening checks
//! every chunk and that the rows rise strictly. Rows stay as bytes: a million take 50 MB and are found by bisection.

use super::{Delta, Header, Keyset, ListError, MessageKind, Unsigned};
use crate::credential::Attributes;
use crate::decode::Reader;
use crate::{DecodeError, Epoch, LimitUnits, MinEpoch, Profile, Pseudonym, PublicKey, Signature, UnixMillis};
use ring::digest::{SHA256, digest};

/// The rows that one hash covers.
pub const CHUNK_ROWS: usize = 4096;
/// The bytes of a row.
pub const ROW_LEN: usize = 50;
const CHUNK_LEN: usize = CHUNK_ROWS * ROW_LEN;
/// 2026-01-01T00:00:00Z in Unix seconds: day 0 of `Row::until_day`.
const DAY_ZERO_S: u64 = 1_767_225_600;
const DAY_S: u64 = 86_400;

/// What a terminal knows of one credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The enrolment.
    pub pseudonym: Pseudonym,
    /// The newest epoch issued.
    pub epoch: Epoch,
    /// The lowest epoch accepted.
    pub min_epoch: MinEpoch,
    /// The last UTC day on which it is valid, counted from 2026-01-01.
    pub until_day: u16,
    /// How far the newest epoch reaches.
    pub attributes: Attributes,
    /// The device key's algorithm, and whether it may pay offline.
    pub flags: RowFlags,
    /// The device key.
    pub key: PublicKey,
}

/// The flags of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RowFlags {
    /// The device key's algorithm.
    pub profile: Profile,
    /// Whether it may pay offline. Taken away from who owes.
    pub offline_payment: bool,
}

impl Row {
    /// The day that `at` falls on, as `until_day` counts: `None` before 2026 and after 2205.
    pub fn day_of(at: UnixMillis) -> Option<u16> {
        at.seconds()
            .checked_sub(DAY_ZERO_S)
            .and_then(|seconds| u16::try_from(seconds / DAY_S).ok())
    }

    /// The last millisecond of `until_day`.
    pub fn until(&self) -> UnixMillis {
        UnixMillis((DAY_ZERO_S + (u64::from(self.until_day) + 1) * DAY_S) * 1000 - 1)
    }

    /// The 50 bytes.
    pub fn to_bytes(&self) -> [u8; ROW_LEN] {
        let mut bytes = [0; ROW_LEN];
        bytes[..5].copy_from_slice(&self.pseudonym.0);
        bytes[5] = self.epoch.get();
        bytes[6] = self.min_epoch.get();
        bytes[7..9].copy_from_slice(&self.until_day.to_be_bytes());
        bytes[9..16].copy_from_slice(&self.attributes.to_bytes());
        bytes[16] = self.flags.profile as u8 | u8::from(self.flags.offline_payment) << 2;
        bytes[17..].copy_from_slice(self.key.as_bytes());
        bytes
    }

    /// Reads a row.
    pub fn decode(bytes: &[u8; ROW_LEN]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let pseudonym = Pseudonym(reader.array()?);
        let epoch = Epoch::new(reader.u8()?)?;
        let min_epoch = MinEpoch::new(reader.u8()?)?;
        let until_day = reader.u16()?;
        let attributes = Attributes::read(&mut reader)?;
        let flags = reader.u8()?;
        if flags >> 3 != 0 {
            return Err(DecodeError::Field("flags"));
        }
        let flags = RowFlags {
            profile: Profile::from_bits(flags & 0b11)?,
            offline_payment: flags & 0b100 != 0,
        };
        Ok(Self {
            pseudonym,
            epoch,
            min_epoch,
            until_day,
            attributes,
            flags,
            key: PublicKey::from_compressed(reader.array()?)?,
        })
    }
}

/// What the school wants of every terminal. Signed with the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TablePolicy {
    /// Seconds that a short code lasts, 10–120.
    pub code_life_s: u8,
    /// The most that the uncertainty of clocks may widen the window of a code, 0–60 seconds.
    pub max_skew_s: u8,
    /// The most that one payment may take when the phone's time is not anchored.
    pub unanchored_limit: LimitUnits,
    /// Whether identity is still accepted when the revocations are out of date. Payments never are.
    pub identity_without_revocations: bool,
}

impl TablePolicy {
    fn write(&self, body: &mut Vec<u8>) {
        body.extend_from_slice(&[self.code_life_s, self.max_skew_s]);
        body.extend_from_slice(&self.unanchored_limit.0.to_be_bytes());
        body.push(u8::from(self.identity_without_revocations));
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let (code_life_s, max_skew_s) = (reader.u8()?, reader.u8()?);
        if !(10..=120).contains(&code_life_s) {
            return Err(DecodeError::Field("code_life"));
        }
        if max_skew_s > 60 {
            return Err(DecodeError::Field("max_skew"));
        }
        let unanchored_limit = LimitUnits(reader.u16()?);
        let identity_without_revocations = match reader.u8()? {
            0 => false,
            1 => true,
            _ => return Err(DecodeError::Field("policy")),
        };
        Ok(Self {
            code_life_s,
            max_skew_s,
            unanchored_limit,
            identity_without_revocations,
        })
    }
}

/// An opened table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    header: Header,
    policy: TablePolicy,
    rows: Vec<u8>,
}

/// A table that still has to be signed: the message and the rows that will follow it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnsignedTable {
    message: Unsigned,
    rows: Vec<u8>,
}

impl UnsignedTable {
    /// What the signer signs.
    pub fn preimage(&self) -> &[u8] {
        self.message.preimage()
    }

    /// The finished table.
    pub fn with_signature(self, signature: &Signature) -> Vec<u8> {
        let mut bytes = self.message.with_signature(signature);
        bytes.extend_from_slice(&self.rows);
        bytes
    }
}

impl Table {
    /// Lays out a table for signing. Rows come in rising order of their pseudonyms.
    pub fn unsigned(header: &Header, policy: &TablePolicy, rows: &[Row]) -> UnsignedTable {
        let rows: Vec<u8> = rows.iter().flat_map(Row::to_bytes).collect();
        let mut body = Vec::new();
        policy.write(&mut body);
        let count = u32::try_from(rows.len() / ROW_LEN).unwrap_or(u32::MAX);
        body.extend_from_slice(&count.to_be_bytes());
        rows.chunks(CHUNK_LEN)
            .for_each(|chunk| body.extend_from_slice(digest(&SHA256, chunk).as_ref()));
        UnsignedTable {
            message: Unsigned::new(MessageKind::Table, header, &body),
            rows,
        }
    }

    /// Opens a whole table, checking every chunk and every row.
    pub fn open(bytes: &[u8], keyset: &Keyset) -> Result<Self, ListError> {
        let (header, body, rows) = super::open(bytes, MessageKind::Table, keyset)?;
        let mut reader = Reader::new(body);
        let policy = TablePolicy::read(&mut reader)?;
        let count = usize::try_from(reader.u32()?).map_err(|_| DecodeError::Length)?;
        let hashes = reader.rest();
        if count.checked_mul(ROW_LEN) != Some(rows.len()) || hashes.len() != count.div_ceil(CHUNK_ROWS) * 32 {
            return Err(DecodeError::Length.into());
        }
        for (index, (chunk, hash)) in rows.chunks(CHUNK_LEN).zip(hashes.chunks_exact(32)).enumerate() {
            if digest(&SHA256, chunk).as_ref() != hash {
                let first = index * CHUNK_ROWS;
                return Err(ListError::ChunkMismatch {
                    first,
                    last: first + chunk.len() / ROW_LEN - 1,
                });
            }
        }
        check_rows(rows)?;
        Ok(Self {
            header,
            policy,
            rows: rows.to_vec(),
        })
    }

    /// Who says it, and until when. A delta that was applied has moved version and times on.
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// What the school wants of every terminal.
    pub const fn policy(&self) -> &TablePolicy {
        &self.policy
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows.len() / ROW_LEN
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The rows, in the order of their pseudonyms.
    pub fn rows(&self) -> impl Iterator<Item = Row> + '_ {
        self.rows
            .as_chunks::<ROW_LEN>()
            .0
            .iter()
            .filter_map(|bytes| Row::decode(bytes).ok())
    }

    /// The row of this pseudonym.
    pub fn row(&self, pseudonym: Pseudonym) -> Option<Row> {
        let (rows, _) = self.rows.as_chunks::<ROW_LEN>();
        let found = rows.binary_search_by(|row| row[..5].cmp(&pseudonym.0)).ok()?;
        Row::decode(&rows[found]).ok()
    }

    /// The table one version later. This one stays as it is, so it can serve until the new one takes its place.
    pub fn apply(&self, delta: &Delta) -> Result<Self, ListError> {
        if delta.base() != self.header.version {
            return Err(ListError::WrongBase {
                base: delta.base(),
                have: self.header.version,
            });
        }
        let (old, _) = self.rows.as_chunks::<ROW_LEN>();
        let mut rows = Vec::with_capacity(self.rows.len() + delta.upserts().len() * ROW_LEN);
        let mut kept = 0;
        for change in delta.changes() {
            let place = kept + old[kept..].partition_point(|row| row[..5] < change.pseudonym().0[..]);
            rows.extend_from_slice(old[kept..place].as_flattened());
            let replaces = old.get(place).is_some_and(|row| row[..5] == change.pseudonym().0);
            kept = place + usize::from(replaces);
            if let Some(row) = change.row() {
                rows.extend_from_slice(&row.to_bytes());
            }
        }
        rows.extend_from_slice(old[kept..].as_flattened());
        Ok(Self {
            header: *delta.header(),
            policy: self.policy,
            rows,
        })
    }
}

/// Checks that each row is canonical and that their pseudonyms rise strictly.
fn check_rows(rows: &[u8]) -> Result<(), DecodeError> {
    let (rows, _) = rows.as_chunks::<ROW_LEN>();
    let mut last: Option<&[u8]> = None;
    for row in rows {
        Row::decode(row)?;
        if last.is_some_and(|last| last >= &row[..5]) {
            return Err(DecodeError::Field("pseudonym"));
        }
        last = Some(&row[..5]);
    }
    Ok(())
}
