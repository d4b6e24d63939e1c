//! The core's own runtime. Requests live on it and not in the caller's future: a Kotlin coroutine or a Swift task that is cancelled
//! loses the answer, never the request. It starts when it is first needed, which showing a code is not.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::oneshot;

use crate::error::{CoreError, InternalFault};

const FAULT: CoreError = CoreError::Internal {
    fault: InternalFault::Runtime,
};

// The runtime's code is compiled once for each type of task, a few kilobytes each time. So it sees two types only.
type Task = Pin<Box<dyn Future<Output = ()> + Send>>;
type Job = Box<dyn FnOnce() + Send>;

/// A small tokio runtime, made lazily.
#[derive(Debug, Default)]
pub(crate) struct OwnRuntime(Mutex<Option<Runtime>>);

impl OwnRuntime {
    fn handle(&self) -> Result<Handle, CoreError> {
        let mut runtime = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(runtime) = runtime.as_ref() {
            return Ok(runtime.handle().clone());
        }
        let new = Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("yika")
            .enable_all()
            .build();
        Ok(runtime.insert(new.map_err(|_| FAULT)?).handle().clone())
    }

    /// Runs `work` to its end, whatever becomes of the future returned here. May be awaited on any executor.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, CoreError>> + Send + 'static,
    ) -> Result<T, CoreError> {
        let (done, answer) = oneshot::channel();
        // Where nobody waits any more, the answer is dropped here.
        let task: Task = Box::pin(async move { drop(done.send(work.await)) });
        self.handle()?.spawn(task);
        ended(answer.await)
    }

    /// Runs `work`, which may block, to its end.
    pub(crate) async fn run_blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, CoreError> + Send + 'static,
    ) -> Result<T, CoreError> {
        let (done, answer) = oneshot::channel();
        self.start_blocking(move || drop(done.send(work())))?;
        ended(answer.await)
    }

    /// Starts `work`, which may block, and doesn't wait for it.
    pub(crate) fn start_blocking(&self, work: impl FnOnce() + Send + 'static) -> Result<(), CoreError> {
        let job: Job = Box::new(work);
        self.handle()?.spawn_blocking(job);
        Ok(())
    }

    /// Waits for `work` on this thread, which must not be one of a runtime's.
    #[cfg(test)]
    fn wait<T>(&self, work: impl Future<Output = Result<T, CoreError>>) -> Result<T, CoreError> {
        self.handle()?.block_on(work)
    }
}

/// The answer of a task, unless it panicked.
pub(crate) fn ended<T>(
    answer: Result<Result<T, CoreError>, oneshot::error::RecvError>,
) -> Result<T, CoreError> {
    answer.unwrap_or(Err(CoreError::Internal {
        fault: InternalFault::TaskEnded,
    }))
}

impl Drop for OwnRuntime {
    fn drop(&mut self) {
        // An ordinary drop waits, and panics where waiting is forbidden: inside another runtime.
        if let Some(runtime) = self.0.get_mut().unwrap_or_else(PoisonError::into_inner).take() {
            runtime.shutdown_background();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use tokio::sync::oneshot;

    #[test]
    fn a_dropped_future_does_not_stop_its_work() {
        let runtime = OwnRuntime::default();
        let (go, wait) = oneshot::channel::<()>();
        let (done, finished) = std::sync::mpsc::channel();
        let mut future = Box::pin(runtime.run(async move {
            // An error means that the sender is gone, which ends the wait as well.
            let _ = wait.await;
            let _ = done.send(());
            Ok(())
        }));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(future.as_mut().poll(&mut context).is_pending());
        drop(future);
        go.send(()).unwrap();
        assert_eq!(finished.recv(), Ok(()));
    }

    #[test]
    fn it_can_be_dropped_inside_another_runtime_and_outside_of_any() {
        let outside = Arc::new(OwnRuntime::default());
        assert_eq!(outside.wait(async { Ok(1) }), Ok(1));
        drop(outside);
        let other = Builder::new_current_thread().build().unwrap();
        other.block_on(async {
            let inside = OwnRuntime::default();
            assert_eq!(inside.run(async { Ok(2) }).await, Ok(2));
            drop(inside);
        });
    }

    #[test]
    fn work_that_panics_is_an_error() {
        let runtime = OwnRuntime::default();
        let panicked: Result<(), _> = runtime.wait(runtime.run_blocking(|| panic!("told to")));
        assert_eq!(
            panicked,
            Err(CoreError::Internal {
                fault: InternalFault::TaskEnded
            })
        );
    }
}
