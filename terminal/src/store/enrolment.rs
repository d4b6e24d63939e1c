//! Who the terminal is, and what it knows of the time.

use rusqlite::{OptionalExtension as _, Transaction, params};
use yika_api::terminal::EnrolledTerminal;
use yika_format::lists::Root;
use yika_format::verifier::{TerminalKind, TerminalProfile};
use yika_format::{ExpandedKey, PublicKey, SchoolHash, UnixMillis, UnixSeconds};
use yika_link::Origin;

use super::{ListKind, Store, array, from_sql, to_sql};
use crate::clock::{Anchor, BootId, ClockState};
use crate::error::StoreError;

/// What the terminal was told when it was enrolled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Enrolment {
    /// Where its platform is.
    pub(crate) platform: Origin,
    /// The school's root key, pinned.
    pub(crate) root_key: ExpandedKey,
    /// The terminal's own key.
    pub(crate) own_key: PublicKey,
    /// When its memory begins.
    pub(crate) installed: UnixSeconds,
    /// The platform's answer.
    pub(crate) answer: EnrolledTerminal,
}

impl Enrolment {
    /// The root key with the school that it speaks for.
    pub(crate) fn root(&self) -> Root {
        Root {
            school: SchoolHash::of_domain(&self.answer.school.domain),
            key: self.root_key,
        }
    }

    /// What the verifier must know of this terminal. Machines that nobody attends are not enrolled yet.
    pub(crate) fn profile(&self) -> TerminalProfile {
        use yika_api::terminal::TerminalKind as Enrolled;
        TerminalProfile {
            kind: match self.answer.kind {
                Enrolled::Pos => TerminalKind::Pos,
                Enrolled::Gate => TerminalKind::Gate,
                Enrolled::Library => TerminalKind::Library,
            },
            sites: self.answer.sites.clone(),
            is_attended: true,
            installed: self.installed,
        }
    }
}

impl Store {
    /// The enrolment, if there is one.
    pub(crate) fn enrolment(&self) -> Result<Option<Enrolment>, StoreError> {
        let sql = "SELECT platform, root_key, own_key, installed_s, answer FROM enrolment";
        let row = self
            .connection
            .query_row(sql, [], |row| {
                Ok((
                    row.get::<_, String>(0)?,
                    row.get::<_, Vec<u8>>(1)?,
                    row.get::<_, Vec<u8>>(2)?,
                    row.get::<_, u32>(3)?,
                    row.get::<_, String>(4)?,
                ))
            })
            .optional()?;
        row.map(|(platform, root_key, own_key, installed, answer)| {
            let root_key = public_key(&root_key)?;
            Ok(Enrolment {
                platform: platform.parse().map_err(|_| StoreError::Corrupt)?,
                root_key: root_key.expand().map_err(|_| StoreError::Corrupt)?,
                own_key: public_key(&own_key)?,
                installed: UnixSeconds(installed),
                answer: serde_json::from_str(&answer).map_err(|_| StoreError::Corrupt)?,
            })
        })
        .transpose()
    }

    /// Keeps enrolment, keyset and time, all or nothing.
    pub(crate) fn enrol(
        &mut self,
        enrolment: &Enrolment,
        keyset: (u64, &[u8]),
        clock: &ClockState,
    ) -> Result<(), StoreError> {
        let answer = serde_json::to_string(&enrolment.answer).map_err(|_| StoreError::Number)?;
        let (version, bytes) = keyset;
        let transaction = self.begin()?;
        transaction.execute(
            "INSERT INTO enrolment (id, platform, root_key, own_key, installed_s, answer) VALUES (1, ?1, ?2, ?3, ?4, ?5)",
            params![
                enrolment.platform.to_string(),
                enrolment.root_key.compress().as_bytes(),
                enrolment.own_key.as_bytes(),
                enrolment.installed.0,
                answer
            ],
        )?;
        super::lists::keep(&transaction, ListKind::Keyset, version, Some(bytes))?;
        keep_clock(&transaction, clock)?;
        Ok(yika_fault::commit!("terminal.enrol", transaction.commit())?)
    }

    /// What is known of the time.
    pub(crate) fn clock(&self) -> Result<ClockState, StoreError> {
        let sql = "SELECT boot_id, monotonic_ms, platform_ms, round_trip_ms, floor_ms FROM clock";
        let row = self
            .connection
            .query_row(sql, [], |row| {
                Ok((
                    row.get::<_, Vec<u8>>(0)?,
                    row.get::<_, i64>(1)?,
                    row.get::<_, i64>(2)?,
                    row.get::<_, i64>(3)?,
                    row.get::<_, i64>(4)?,
                ))
            })
            .optional()?;
        let Some((boot_id, monotonic_ms, platform_ms, round_trip_ms, floor_ms)) = row else {
            return Ok(ClockState::default());
        };
        Ok(ClockState {
            anchor: Some(Anchor {
                boot_id: BootId(array(&boot_id)?),
                monotonic_ms: from_sql(monotonic_ms)?,
                platform: UnixMillis(from_sql(platform_ms)?),
                round_trip_ms: from_sql(round_trip_ms)?,
            }),
            floor: UnixMillis(from_sql(floor_ms)?),
        })
    }

    /// Keeps what is known of the time.
    pub(crate) fn keep_clock(&mut self, clock: &ClockState) -> Result<(), StoreError> {
        let transaction = self.begin()?;
        keep_clock(&transaction, clock)?;
        Ok(yika_fault::commit!("terminal.clock", transaction.commit())?)
    }
}

/// Without an anchor there is nothing to keep.
fn keep_clock(transaction: &Transaction<'_>, clock: &ClockState) -> Result<(), StoreError> {
    let Some(anchor) = clock.anchor else { return Ok(()) };
    transaction.execute(
        "INSERT INTO clock (id, boot_id, monotonic_ms, platform_ms, round_trip_ms, floor_ms) VALUES (1, ?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (id) DO UPDATE SET boot_id = excluded.boot_id, monotonic_ms = excluded.monotonic_ms,
             platform_ms = excluded.platform_ms, round_trip_ms = excluded.round_trip_ms,
             floor_ms = MAX(floor_ms, excluded.floor_ms)",
        params![
            anchor.boot_id.0,
            to_sql(anchor.monotonic_ms)?,
            to_sql(anchor.platform.0)?,
            to_sql(anchor.round_trip_ms)?,
            to_sql(clock.floor.0)?
        ],
    )?;
    Ok(())
}

fn public_key(bytes: &[u8]) -> Result<PublicKey, StoreError> {
    PublicKey::from_compressed(array(bytes)?).map_err(|_| StoreError::Corrupt)
}
