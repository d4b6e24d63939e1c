//! The library's log, for shells that want it. What is logged is queued and handed over on a thread of its own: a sink that is slow,
//! throws or calls back into the library holds up nothing but the log, and where the queue is full the newest entry is
//! dropped. Only the library's own words pass; those of its dependencies may have headers and tokens in them.

use std::fmt;
use std::sync::mpsc::{self, SyncSender};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};
use yika_core::InternalFault;

use crate::error::YikaError;

/// Entries that wait for a slow sink.
const QUEUE: usize = 256;
/// How the targets of this workspace's crates begin.
const OWN: &str = "yika";

static QUEUE_TO_SINK: Mutex<Option<SyncSender<LogEntry>>> = Mutex::new(None);
static INSTALLED: OnceLock<bool> = OnceLock::new();

/// Where the library's log goes.
#[uniffi::export(foreign)]
pub trait LogSink: Send + Sync {
    /// Takes one entry, on a thread that does nothing else.
    fn log(&self, entry: LogEntry) -> Result<(), LogSinkError>;
}

/// An entry of the log. There is nothing secret in it.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct LogEntry {
    /// How much it matters.
    pub level: LogLevel,
    /// The part of the library that it comes from.
    pub target: String,
    /// What happened, and its facts as `name=value`.
    pub message: String,
}

/// How much an entry of the log matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum LogLevel {
    /// Something failed that should not.
    Error,
    /// Something is odd, and was coped with.
    Warn,
    /// A milestone.
    Info,
    /// For whoever looks for a fault.
    Debug,
}

/// Why a sink did not take an entry. The entry is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum LogSinkError {
    /// It failed.
    #[error("the log sink failed")]
    Failed,
}

impl From<uniffi::UnexpectedUniFFICallbackError> for LogSinkError {
    fn from(_: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::Failed
    }
}

/// Sends the library's log to `sink` from now on, instead of where it went before; nowhere if absent, as at the beginning.
/// Fails with `Internal` where no thread can be started, or where something else in the process takes the log.
#[uniffi::export]
pub fn set_log_sink(sink: Option<Arc<dyn LogSink>>) -> Result<(), YikaError> {
    let unavailable = || YikaError::Internal {
        fault: InternalFault::Runtime,
    };
    let queue = sink.map(start).transpose().map_err(|_| unavailable())?;
    *QUEUE_TO_SINK.lock().unwrap_or_else(PoisonError::into_inner) = queue;
    let installed = INSTALLED.get_or_init(|| tracing::subscriber::set_global_default(Bridge).is_ok());
    installed.then_some(()).ok_or_else(unavailable)
}

/// Starts the sink's thread, which ends when the queue's sender is gone.
fn start(sink: Arc<dyn LogSink>) -> std::io::Result<SyncSender<LogEntry>> {
    let (sender, queue) = mpsc::sync_channel::<LogEntry>(QUEUE);
    thread::Builder::new()
        .name("yika-log".to_owned())
        .spawn(move || {
            for entry in queue {
                // Nobody is left to be told.
                let _ = sink.log(entry);
            }
        })?;
    Ok(sender)
}

/// Takes the library's own events and no spans.
struct Bridge;

impl Subscriber for Bridge {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && metadata.target().starts_with(OWN) && *metadata.level() <= Level::DEBUG
    }

    fn event(&self, event: &Event<'_>) {
        let queue = QUEUE_TO_SINK
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some(queue) = queue {
            // A full queue, or a sink whose thread has ended, loses the entry.
            let _ = queue.try_send(entry(event));
        }
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

fn entry(event: &Event<'_>) -> LogEntry {
    let mut text = Text::default();
    event.record(&mut text);
    let level = match *event.metadata().level() {
        Level::ERROR => LogLevel::Error,
        Level::WARN => LogLevel::Warn,
        Level::INFO => LogLevel::Info,
        _ => LogLevel::Debug,
    };
    LogEntry {
        level,
        target: event.metadata().target().to_owned(),
        message: text.message + &text.facts,
    }
}

/// The message of an event, and its other fields.
#[derive(Default)]
struct Text {
    message: String,
    facts: String,
}

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.message = format!("{value:?}");
        } else {
            self.facts.push_str(&format!(" {}={value:?}", field.name()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    struct Channel(Mutex<mpsc::Sender<LogEntry>>);

    impl LogSink for Channel {
        fn log(&self, entry: LogEntry) -> Result<(), LogSinkError> {
            self.0
                .lock()
                .unwrap()
                .send(entry)
                .map_err(|_| LogSinkError::Failed)
        }
    }

    /// One test, because the log is the process's.
    #[test]
    fn the_librarys_words_reach_the_sink_on_another_thread_and_nobody_elses_do() {
        let (sender, entries) = mpsc::channel();
        set_log_sink(Some(Arc::new(Channel(Mutex::new(sender))))).unwrap();
        tracing::warn!(target: "h2::frame", "authorization: token");
        tracing::warn!(target: "yika_test", attempt = 2, "the keeper is busy");
        // Other tests may log meanwhile.
        let heard = loop {
            let entry = entries.recv_timeout(Duration::from_secs(30)).unwrap();
            assert_ne!(entry.target, "h2::frame");
            if entry.target == "yika_test" {
                break entry;
            }
        };
        let message = "the keeper is busy attempt=2".to_owned();
        assert_eq!(
            heard,
            LogEntry {
                level: LogLevel::Warn,
                target: "yika_test".to_owned(),
                message
            }
        );

        set_log_sink(None).unwrap();
        tracing::warn!(target: "yika_test", "nobody listens");
        // Ends when the old sink was dropped with its thread.
        assert_eq!(entries.iter().find(|entry| entry.target == "yika_test"), None);
    }
}
