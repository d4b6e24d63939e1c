//! Handing in what was sold: signed records in batches, from the one that the platform expects next.
//!
//! Records are named by their numbers, so a batch that is sent twice is settled once; after any interruption the platform
//! says where to go on. Its signed mark tells how far everything is settled: those payments leave the holders' sums.

use yika_api::terminal::{SaleOutcome, SaleUpload, SaleUploadReply, TerminalStatus};
use yika_format::lists::SettledMark;

use crate::error::TerminalError;
use crate::http::{Call, Platform, bytes, json};
use crate::terminal::Terminal;

/// The most records in one batch.
pub const MAX_BATCH: usize = 500;

/// What came of an upload.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UploadReport {
    /// What became of each record that was sent, in the order of their numbers.
    pub outcomes: Vec<SaleOutcome>,
    /// The next record number that the platform expects.
    pub next_record: u64,
    /// The record up to which all are settled; 0 for none.
    pub settled_record: u64,
    /// Whether the card office has frozen the terminal.
    pub is_frozen: bool,
}

impl Terminal {
    /// Uploads everything that the platform has not got, and whatever it has got without this terminal knowing what
    /// became of it.
    ///
    /// # Errors
    ///
    /// [`TerminalError`]. What was sent before the error is kept by the platform, and the next upload goes on there.
    pub async fn upload(&self) -> Result<UploadReport, TerminalError> {
        let platform = self.connect().await?;
        let status: TerminalStatus = platform.json(&Call::get("/v1/terminals/current")).await?;
        let mut report = UploadReport {
            next_record: status.next_sequence,
            is_frozen: status.frozen,
            ..UploadReport::default()
        };
        let mut next = self.first_to_send(status.next_sequence)?;
        loop {
            let records = self.store().records_from(next, MAX_BATCH)?;
            if records.is_empty() {
                break;
            }
            let sent = u64::try_from(records.len()).map_err(|_| TerminalError::UploadAnswer("too many"))?;
            let reply = send(&platform, records).await?;
            self.accept_reply(next, sent, &reply)?;
            next += sent;
            report.next_record = reply.next_sequence;
            report.outcomes.extend(reply.outcomes);
        }
        let now = self.clock.now().now;
        let mut store = self.store();
        store.prune(now)?;
        report.settled_record = store.pending()?.settled;
        Ok(report)
    }

    /// Where to begin: at the first record that the platform lacks, or whose outcome is not known here. With nothing
    /// new but not all settled, the last record is sent again: the answer brings the newest mark.
    fn first_to_send(&self, expected: u64) -> Result<u64, TerminalError> {
        let store = self.store();
        let journal = store.head()?.sequence;
        if expected > journal + 1 {
            return Err(TerminalError::JournalBehind {
                platform: expected - 1,
                journal,
            });
        }
        let first = store.first_unanswered()?.unwrap_or(journal + 1).min(expected);
        let is_settled = store.pending()?.settled >= journal;
        Ok(if is_settled { first } else { first.min(journal) })
    }

    /// Checks an answer and keeps it.
    fn accept_reply(&self, first: u64, sent: u64, reply: &SaleUploadReply) -> Result<(), TerminalError> {
        let numbers = reply.outcomes.iter().map(|outcome| outcome.sequence);
        if !numbers.eq(first..first + sent) {
            return Err(TerminalError::UploadAnswer("outcomes of other records"));
        }
        if reply.next_sequence < first + sent {
            return Err(TerminalError::UploadAnswer(
                "it still expects a record that it has just answered for",
            ));
        }
        let mark = SettledMark::open(&reply.settled_mark.0, self.lists().keyset())
            .map_err(TerminalError::list("settled mark"))?;
        if mark.terminal != self.enrolment.answer.id.0 {
            return Err(TerminalError::UploadAnswer(
                "the settled mark of another terminal",
            ));
        }
        if mark.sequence >= reply.next_sequence {
            return Err(TerminalError::UploadAnswer(
                "a settled mark beyond the records that it has",
            ));
        }
        self.store()
            .keep_outcomes(&reply.outcomes, mark.sequence, &reply.settled_mark.0)?;
        Ok(())
    }
}

async fn send(platform: &Platform, records: Vec<Vec<u8>>) -> Result<SaleUploadReply, TerminalError> {
    let upload = SaleUpload {
        records: records.into_iter().map(Into::into).collect(),
    };
    let call = Call::post_json("/v1/terminals/sales", &upload)?;
    yika_fault::reach("terminal.upload.before-send");
    let response = platform.send(&call).await?;
    yika_fault::reach("terminal.upload.after-send");
    let reply = json(&bytes(response).await?)?;
    yika_fault::reach("terminal.upload.after-reply");
    Ok(reply)
}

#[cfg(test)]
mod tests;
