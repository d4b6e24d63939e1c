//! Threads outside of the runtime. A [`Worker`] does one thing after the other, started when the first comes. It may hang in a
//! port for ever, so nobody joins it; it ends when its owner is gone and its work is done. [`apart`] does one thing only,
//! for those who have no runtime yet.

use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;

use tokio::sync::oneshot;

use crate::error::{CoreError, InternalFault};
use crate::runtime::ended;

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

/// Does `work`, which may block, on a thread of its own and to its end, whatever becomes of the future returned here. May be
/// awaited on any executor.
pub(crate) async fn apart<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> Result<T, CoreError> + Send + 'static,
) -> Result<T, CoreError> {
    let (done, answer) = oneshot::channel();
    thread::Builder::new()
        .name(name.to_owned())
        // Where nobody waits any more, the answer is dropped here.
        .spawn(move || drop(done.send(work())))
        .map_err(|_| CoreError::Internal {
            fault: InternalFault::Runtime,
        })?;
    ended(answer.await)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::block_on;
    use std::task::{Context, Waker};

    #[test]
    fn what_is_done_apart_blocks_nobody_and_goes_on_without_its_caller() {
        let (go, wait) = mpsc::channel::<()>();
        let (done, finished) = mpsc::channel();
        let mut future = Box::pin(apart("test", move || {
            // An error means that the sender is gone, which ends the wait as well.
            let _ = wait.recv();
            done.send(thread::current().id()).unwrap();
            Ok(())
        }));
        let mut context = Context::from_waker(Waker::noop());
        assert!(future.as_mut().poll(&mut context).is_pending());
        drop(future);
        go.send(()).unwrap();
        assert_ne!(finished.recv(), Ok(thread::current().id()));
    }

    #[test]
    fn work_that_panics_apart_is_an_error() {
        let panicked: Result<(), _> = block_on(apart("test", || panic!("told to")));
        let fault = InternalFault::TaskEnded;
        assert_eq!(panicked, Err(CoreError::Internal { fault }));
    }
}
