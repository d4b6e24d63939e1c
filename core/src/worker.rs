//! One thread that does one thing after the other, started when the first comes. It may hang in a port for ever, so nobody joins it;
//! it ends when its owner is gone and its work is done.

use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;

type Job = Box<dyn FnOnce() + Send>;

/// The thread could not be started, or has died.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WorkerGone;

/// The thread's owner.
#[derive(Debug)]
pub(crate) struct Worker {
    name: &'static str,
    jobs: Mutex<Option<mpsc::Sender<Job>>>,
}

impl Worker {
    pub(crate) fn new(name: &'static str) -> Self {
        Self {
            name,
            jobs: Mutex::new(None),
        }
    }

    /// Leaves `job` to the thread.
    pub(crate) fn start(&self, job: impl FnOnce() + Send + 'static) -> Result<(), WorkerGone> {
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        let sender = match jobs.as_ref() {
            Some(sender) => sender,
            None => {
                let (sender, queue) = mpsc::channel::<Job>();
                thread::Builder::new()
                    .name(self.name.to_owned())
                    .spawn(move || queue.into_iter().for_each(|job| job()))
                    .map_err(|_| WorkerGone)?;
                jobs.insert(sender)
            }
        };
        sender.send(Box::new(job)).map_err(|_| WorkerGone)
    }

    /// Waits until everything left to the thread so far is done.
    pub(crate) fn finish(&self) {
        let (done, wait) = mpsc::channel::<()>();
        let idle = self.jobs.lock().unwrap_or_else(PoisonError::into_inner).is_none();
        if !idle && self.start(move || drop(done)).is_ok() {
            // Ends with an error when the sender is dropped, which is what is waited for.
            let _ = wait.recv();
        }
    }
}
