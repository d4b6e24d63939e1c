//! What the commands answer: the documented JSON, and the same for people. `README.md` beside this crate's manifest is
//! its documentation; fields are added, never renamed.

use std::fmt;

use serde::Serialize;
use serde::ser::{SerializeMap as _, Serializer};
use uuid::Uuid;
use yika_api::Fen;
use yika_api::terminal::{EnrolledTerminal, Merchant, SaleOutcome, TerminalKind};
use yika_format::confirmation::Confirmation;
use yika_format::credential::HolderClass;
use yika_format::{Amount, UnixMillis};
use yika_terminal::{
    Accepted, Approval, CONFIRMATION_LIFE_MS, FacesReport, FacesStatus, Holder, ListStatus, SyncReport,
    Terminal, TerminalError, UploadReport, Verdict, Void, VoidRefusal,
};

use super::CommandError;

/// What a command answers.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Answer {
    Verdict(VerdictAnswer),
    Void(VoidAnswer),
    Asked(Asked),
    Enrolled(Enrolled),
    Synced(Synced),
    Uploaded(Uploaded),
    Status(Box<StatusAnswer>),
    Failed(Failure),
}

/// What was approved.
#[derive(Debug, Serialize)]
pub(crate) struct Approved {
    purpose: &'static str,
    sale: Uuid,
    holder_class: &'static str,
    time_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sequence: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_slot: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    voided: Option<bool>,
}

/// Whose identity a library desk approved: `holder_number`, or `holder_number_missing` with the reason.
#[derive(Debug)]
pub(crate) struct HolderAnswer(Holder);

#[derive(Debug, Serialize)]
#[serde(tag = "decision", rename_all = "snake_case")]
pub(crate) enum VerdictAnswer {
    Approved {
        #[serde(flatten)]
        approval: Approved,
        repeated: bool,
        #[serde(flatten)]
        holder: Option<HolderAnswer>,
    },
    Refused {
        reason: &'static str,
        message: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        offset_s: Option<i64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        earlier: Option<Approved>,
    },
}

#[derive(Debug, Serialize)]
#[serde(tag = "decision", rename_all = "snake_case")]
pub(crate) enum VoidAnswer {
    Voided {
        sequence: u64,
        voids: u64,
        amount: String,
        time_ms: u64,
    },
    Refused {
        reason: &'static str,
        message: String,
    },
}

#[derive(Debug, Serialize)]
pub(crate) struct Asked {
    text: String,
    amount: String,
    expires_in_s: u64,
}

#[derive(Debug, Serialize)]
pub(crate) struct Enrolled {
    terminal: u64,
    kind: TerminalKind,
    label: String,
    school: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    merchant: Option<Merchant>,
    sites: Vec<u8>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Synced {
    keyset: &'static str,
    revocations: &'static str,
    table: &'static str,
    deltas: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    directory: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    faces: Option<SyncedFaces>,
}

#[derive(Clone, Copy, Debug, Serialize)]
struct SyncedFaces {
    list: &'static str,
    fetched: usize,
    removed: usize,
    refused: usize,
}

#[derive(Debug, Serialize)]
pub(crate) struct Uploaded {
    uploaded: usize,
    outcomes: Vec<SaleOutcome>,
    next_sequence: u64,
    settled_sequence: u64,
    frozen: bool,
}

#[derive(Debug, Serialize)]
pub(crate) struct StatusAnswer {
    #[serde(flatten)]
    enrolled: Enrolled,
    clock: Clock,
    keyset: List,
    table: Option<List>,
    holders: usize,
    revocations: Option<List>,
    directory: Option<List>,
    faces: Option<Faces>,
    pending_uploads: u64,
    last_sequence: u64,
    settled_sequence: u64,
    last_approval: Option<Approved>,
}

#[derive(Debug, Serialize)]
struct Clock {
    anchored: bool,
    now_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    uncertainty_s: Option<u32>,
}

#[derive(Debug, Serialize)]
struct List {
    version: u64,
    age_s: u64,
    good_until_ms: u64,
    in_date: bool,
}

#[derive(Debug, Serialize)]
struct Faces {
    #[serde(flatten)]
    list: List,
    listed: usize,
    kept: usize,
}

/// Why a command was not done.
#[derive(Debug, Serialize)]
pub(crate) struct Failure {
    error: &'static str,
    message: String,
}

impl Failure {
    pub(crate) fn of(error: &CommandError) -> Self {
        Self {
            error: error.code(),
            message: error.to_string(),
        }
    }
}

impl Approved {
    fn of(approval: &Approval) -> Self {
        let payment = approval.payment;
        Self {
            purpose: if payment.is_some() { "payment" } else { "identity" },
            sale: Uuid::from_bytes(approval.sale.0),
            holder_class: match approval.holder_class {
                HolderClass::Student => "student",
                HolderClass::Staff => "staff",
                HolderClass::Visitor => "visitor",
                HolderClass::Other => "other",
            },
            time_ms: approval.time.0,
            amount: payment.map(|payment| yuan(payment.amount)),
            sequence: payment.map(|payment| payment.record),
            account_slot: payment.map(|payment| payment.slot.get()),
            voided: payment.map(|payment| payment.is_void),
        }
    }
}

impl Enrolled {
    fn of(terminal: &EnrolledTerminal) -> Self {
        Self {
            terminal: terminal.id.0,
            kind: terminal.kind,
            label: terminal.label.clone(),
            school: terminal.school.domain.clone(),
            merchant: terminal.merchant.clone(),
            sites: terminal.sites.clone(),
        }
    }
}

impl List {
    fn of(list: &ListStatus, now: UnixMillis) -> Self {
        Self {
            version: list.version,
            age_s: now.0.saturating_sub(list.issued.0) / 1000,
            good_until_ms: list.good_until.0,
            in_date: list.in_date,
        }
    }
}

impl Faces {
    fn of(faces: &FacesStatus, now: UnixMillis) -> Self {
        Self {
            list: List::of(&faces.list, now),
            listed: faces.listed,
            kept: faces.kept,
        }
    }
}

impl Answer {
    /// Whether the terminal says no.
    pub(crate) const fn is_refusal(&self) -> bool {
        matches!(
            self,
            Self::Verdict(VerdictAnswer::Refused { .. }) | Self::Void(VoidAnswer::Refused { .. })
        )
    }

    pub(crate) fn enrolled(terminal: &EnrolledTerminal) -> Self {
        Self::Enrolled(Enrolled::of(terminal))
    }

    pub(crate) fn verdict(verdict: &Verdict) -> Self {
        Self::Verdict(match verdict {
            Verdict::Approved {
                approval,
                repeated,
                holder,
            } => VerdictAnswer::Approved {
                approval: Approved::of(approval),
                repeated: *repeated,
                holder: holder.map(HolderAnswer),
            },
            Verdict::Refused { refusal, earlier } => VerdictAnswer::Refused {
                reason: refusal.reason.code(),
                message: refusal.to_string(),
                offset_s: refusal.offset_s,
                earlier: earlier.as_ref().map(Approved::of),
            },
        })
    }

    pub(crate) fn voided(result: Result<Void, VoidRefusal>) -> Self {
        Self::Void(match result {
            Ok(void) => VoidAnswer::Voided {
                sequence: void.record,
                voids: void.voids,
                amount: yuan(void.amount),
                time_ms: void.time.0,
            },
            Err(refusal) => VoidAnswer::Refused {
                reason: refusal.code(),
                message: refusal.to_string(),
            },
        })
    }

    pub(crate) fn asked(confirmation: &Confirmation) -> Self {
        Self::Asked(Asked {
            text: confirmation.to_text(),
            amount: yuan(confirmation.amount),
            expires_in_s: CONFIRMATION_LIFE_MS / 1000,
        })
    }

    pub(crate) fn synced(report: &SyncReport) -> Self {
        let word = |accepted| match accepted {
            Accepted::New => "new",
            Accepted::Unchanged => "unchanged",
        };
        let faces = |faces: FacesReport| SyncedFaces {
            list: word(faces.accepted),
            fetched: faces.fetched,
            removed: faces.removed,
            refused: faces.refused,
        };
        Self::Synced(Synced {
            keyset: word(report.keyset),
            revocations: word(report.revocations),
            table: word(report.table),
            deltas: report.deltas,
            directory: report.directory.map(word),
            faces: report.faces.map(faces),
        })
    }

    pub(crate) fn uploaded(report: &UploadReport) -> Self {
        Self::Uploaded(Uploaded {
            uploaded: report.outcomes.len(),
            outcomes: report.outcomes.clone(),
            next_sequence: report.next_record,
            settled_sequence: report.settled_record,
            frozen: report.is_frozen,
        })
    }

    pub(crate) fn status(terminal: &Terminal) -> Result<Self, TerminalError> {
        let status = terminal.status()?;
        let list = |list: ListStatus| List::of(&list, status.time.now);
        Ok(Self::Status(Box::new(StatusAnswer {
            enrolled: Enrolled::of(terminal.enrolled()),
            clock: Clock {
                anchored: status.time.is_anchored,
                now_ms: status.time.now.0,
                uncertainty_s: Some(status.time.uncertainty_s).filter(|_| status.time.is_anchored),
            },
            keyset: list(status.keyset),
            table: status.table.map(list),
            holders: status.holders,
            revocations: status.revocations.map(list),
            directory: status.directory.map(list),
            faces: status.faces.map(|faces| Faces::of(&faces, status.time.now)),
            pending_uploads: status.pending_records,
            last_sequence: status.last_record,
            settled_sequence: status.settled_record,
            last_approval: status.last_approval.as_ref().map(Approved::of),
        })))
    }
}

/// Yuan with two decimals. Amounts of records come from `Fen` and fit it again.
fn yuan(amount: Amount) -> String {
    Fen::new(i64::try_from(amount.0).unwrap_or(i64::MAX)).to_string()
}

impl fmt::Display for Approved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.amount, self.sequence) {
            (Some(amount), Some(sequence)) => {
                write!(f, "¥{amount} by {}, record {sequence}", self.holder_class)?;
            }
            _ => f.write_str(self.holder_class)?,
        }
        f.write_str(if self.voided == Some(true) {
            ", taken back"
        } else {
            ""
        })
    }
}

impl Serialize for HolderAnswer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        match self.0.number() {
            Some(number) => map.serialize_entry("holder_number", number.as_str())?,
            None => map.serialize_entry("holder_number_missing", &self.0.missing())?,
        }
        map.end()
    }
}

impl fmt::Display for HolderAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Holder::Number(number) => write!(f, ", number {}", number.as_str()),
            Holder::Unknown => f.write_str(", number not known: not in the directory"),
            Holder::OutOfDate => f.write_str(", number not known: the directory is out of date"),
            Holder::NoDirectory => f.write_str(", number not known: there is no directory"),
        }
    }
}

impl fmt::Display for SyncedFaces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            ", faces {} ({} fetched, {} removed",
            self.list, self.fetched, self.removed
        )?;
        match self.refused {
            0 => f.write_str(")"),
            refused => write!(f, ", {refused} REFUSED)"),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.error, self.message)
    }
}

impl fmt::Display for Enrolled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "terminal {} ({}) of {}",
            self.terminal, self.label, self.school
        )
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Verdict(VerdictAnswer::Approved {
                approval,
                repeated,
                holder,
            }) => {
                write!(f, "APPROVED {approval}")?;
                holder.as_ref().map_or(Ok(()), |holder| holder.fmt(f))?;
                f.write_str(if *repeated { " (as before)" } else { "" })
            }
            Self::Verdict(VerdictAnswer::Refused {
                reason,
                message,
                offset_s,
                earlier,
            }) => {
                write!(f, "REFUSED {reason}: {message}")?;
                offset_s.map_or(Ok(()), |offset_s| write!(f, " (off by {offset_s} s)"))?;
                earlier
                    .as_ref()
                    .map_or(Ok(()), |earlier| write!(f, " (it was: {earlier})"))
            }
            Self::Void(VoidAnswer::Voided {
                sequence,
                voids,
                amount,
                ..
            }) => {
                write!(f, "TAKEN BACK ¥{amount} of record {voids}, record {sequence}")
            }
            Self::Void(VoidAnswer::Refused { reason, message }) => write!(f, "REFUSED {reason}: {message}"),
            Self::Asked(asked) => f.write_str(&asked.text),
            Self::Enrolled(enrolled) => write!(f, "enrolled as {enrolled}"),
            Self::Synced(synced) => {
                write!(
                    f,
                    "keyset {}, revocations {}, table {} ({} deltas)",
                    synced.keyset, synced.revocations, synced.table, synced.deltas
                )?;
                synced
                    .directory
                    .map_or(Ok(()), |directory| write!(f, ", directory {directory}"))?;
                synced.faces.map_or(Ok(()), |faces| faces.fmt(f))
            }
            Self::Uploaded(uploaded) => write!(
                f,
                "{} records uploaded, settled up to {}{}",
                uploaded.uploaded,
                uploaded.settled_sequence,
                if uploaded.frozen {
                    "; the terminal is frozen"
                } else {
                    ""
                }
            ),
            Self::Status(status) => status.fmt(f),
            Self::Failed(failure) => failure.fmt(f),
        }
    }
}

impl fmt::Display for StatusAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.enrolled)?;
        match self.clock.uncertainty_s {
            Some(seconds) => writeln!(f, "time confirmed, sure to {seconds} s")?,
            None => writeln!(f, "time not confirmed: no payments until the next sync")?,
        }
        let mut list = |name: &str, list: Option<&List>| match list {
            None => writeln!(f, "{name}: none"),
            Some(list) => writeln!(
                f,
                "{name}: version {}, {} s old{}",
                list.version,
                list.age_s,
                if list.in_date { "" } else { ", OUT OF DATE" }
            ),
        };
        list("keyset", Some(&self.keyset))?;
        list("table", self.table.as_ref())?;
        list("revocations", self.revocations.as_ref())?;
        if self.enrolled.kind == TerminalKind::Library {
            list("directory", self.directory.as_ref())?;
        }
        if let Some(faces) = &self.faces {
            list("faces", Some(&faces.list))?;
            writeln!(f, "{} of {} portraits", faces.kept, faces.listed)?;
        }
        writeln!(
            f,
            "{} holders, {} records to upload, settled up to {} of {}",
            self.holders, self.pending_uploads, self.settled_sequence, self.last_sequence
        )?;
        match &self.last_approval {
            None => write!(f, "nothing approved yet"),
            Some(approval) => write!(f, "last approved: {approval}"),
        }
    }
}

#[cfg(test)]
mod tests;
