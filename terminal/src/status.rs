//! How the terminal stands: what it has, how old that is, what the platform has not heard of yet. Asks nobody.

use yika_format::UnixMillis;
use yika_format::lists::Header;
use yika_format::verifier::TerminalTime;

use crate::error::TerminalError;
use crate::faces::FacesStatus;
use crate::terminal::Terminal;
use crate::verify::Approval;

/// One list that the terminal decides by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListStatus {
    /// Its version.
    pub version: u64,
    /// When it was made.
    pub issued: UnixMillis,
    /// Until when it may be relied on.
    pub good_until: UnixMillis,
    /// Whether that is still so.
    pub in_date: bool,
}

impl ListStatus {
    pub(crate) fn of(header: &Header, now: UnixMillis) -> Self {
        Self {
            version: header.version,
            issued: header.issued,
            good_until: header.good_until,
            in_date: header.is_in_date(now),
        }
    }
}

/// How the terminal stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The time.
    pub time: TerminalTime,
    /// The school's keys.
    pub keyset: ListStatus,
    /// The table; without one only full codes are verified.
    pub table: Option<ListStatus>,
    /// How many holders the table has.
    pub holders: usize,
    /// The revocations; without them no payment is taken.
    pub revocations: Option<ListStatus>,
    /// A library desk's directory; without it holders' numbers are not known.
    pub directory: Option<ListStatus>,
    /// The portraits of a gate or a POS; `None` where there is no list of them.
    pub faces: Option<FacesStatus>,
    /// How many records the platform has not answered for.
    pub pending_records: u64,
    /// The last record in the journal; 0 for none.
    pub last_record: u64,
    /// The record up to which all are settled; 0 for none.
    pub settled_record: u64,
    /// What was approved last: what a till shows first after a restart.
    pub last_approval: Option<Approval>,
}

impl Terminal {
    /// How the terminal stands. Portraits whose list is out of date are deleted first.
    ///
    /// # Errors
    ///
    /// [`TerminalError::Store`].
    pub fn status(&self) -> Result<Status, TerminalError> {
        let time = self.clock.now();
        let faces = self.faces_status()?;
        let lists = self.lists();
        let store = self.store();
        let pending = store.pending()?;
        Ok(Status {
            time,
            keyset: ListStatus::of(lists.keyset().header(), time.now),
            table: lists
                .table()
                .map(|table| ListStatus::of(table.header(), time.now)),
            holders: lists.table().map_or(0, yika_format::lists::Table::len),
            revocations: lists
                .revocations()
                .map(|list| ListStatus::of(list.header(), time.now)),
            directory: lists
                .directory()
                .map(|list| ListStatus::of(list.header(), time.now)),
            faces,
            pending_records: pending.records,
            last_record: store.head()?.sequence,
            settled_record: pending.settled,
            last_approval: store.last_approval()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{Desk, pay};
    use yika_api::terminal::TerminalKind;

    #[test]
    fn a_new_terminal_has_lists_and_nothing_to_upload() {
        let status = Desk::new(TerminalKind::Pos).status().unwrap();
        assert!(status.time.is_anchored && status.keyset.in_date);
        assert_eq!((status.table.unwrap().version, status.holders), (7, 1));
        assert_eq!(
            (status.pending_records, status.last_record, status.settled_record),
            (0, 0, 0)
        );
        assert_eq!(status.last_approval, None);
    }

    #[test]
    fn the_last_approval_is_told_after_a_restart() {
        let mut desk = Desk::new(TerminalKind::Pos);
        let approval = desk.approval(&desk.code(100), pay(1250));
        desk.restart();
        let status = desk.status().unwrap();
        assert_eq!(status.last_approval, Some(approval));
        assert_eq!((status.pending_records, status.last_record), (1, 1));
    }

    #[test]
    fn lists_past_their_date_are_told_as_such() {
        let desk = Desk::new(TerminalKind::Pos);
        desk.clock.advance(86_400_001);
        let status = desk.status().unwrap();
        assert!(!status.table.unwrap().in_date && !status.revocations.unwrap().in_date);
    }
}
