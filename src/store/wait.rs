//! The one Tokio runtime, and the one way into it.

use super::deadline::{Deadline, TICK, interrupted, proceed, timeout};
use super::fault::panicked;
use crate::diagnostic::{Code, Diagnostic, Outcome};
use parking_lot::Mutex;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::runtime::{Builder, Handle, Runtime};

static RUNTIME: OnceLock<Runtime> = OnceLock::new();
static CREATING: Mutex<()> = Mutex::new(());

pub(super) fn runtime() -> Outcome<&'static Runtime> {
    let _one_at_a_time = CREATING.lock();
    if let Some(runtime) = RUNTIME.get() {
        return Ok(runtime);
    }
    let built = Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("stellar-io")
        .enable_all()
        .build();
    let built = built.map_err(|error| {
        Diagnostic::new(
            Code::Internal,
            format!("cannot start the threads for servers: {error}"),
        )
    })?;
    Ok(RUNTIME.get_or_init(|| built))
}

/// Lets a task run by itself on the runtime. Errors: E0901 when there are no threads.
pub fn background<F>(task: F) -> Outcome<tokio::task::JoinHandle<F::Output>>
where
    F: Future<Output: Send> + Send + 'static,
{
    Ok(runtime()?.spawn(task))
}

/// Blocks the calling thread until `future` is done. E0306 when `deadline` passes first, E0307 when `cancel` is set
/// first (noticed within 50 ms), E0901 on a thread of a runtime and when the future panics.
pub fn wait<F: Future>(future: F, deadline: Deadline, cancel: &AtomicBool) -> Outcome<F::Output> {
    if Handle::try_current().is_ok() {
        // Blocking here could stop the very task that is waited for.
        return Err(Diagnostic::new(
            Code::Internal,
            "a thread of the runtime waits for the runtime",
        ));
    }
    proceed(deadline, cancel)?;
    let runtime = runtime()?;
    let cancelled = async {
        while !cancel.load(Ordering::Relaxed) {
            tokio::time::sleep(TICK).await;
        }
    };
    let late = async {
        match deadline.moment() {
            Some(moment) => tokio::time::sleep_until(moment.into()).await,
            None => std::future::pending().await,
        }
    };
    let race = async {
        tokio::select! {
            biased;
            output = future => Ok(output),
            () = cancelled => Err(interrupted()),
            () = late => Err(timeout()),
        }
    };
    catch_unwind(AssertUnwindSafe(|| runtime.block_on(race)))
        .unwrap_or_else(|payload| Err(panicked(payload.as_ref())))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    static GO: AtomicBool = AtomicBool::new(false);

    #[test]
    fn gives_the_output() {
        let task = async {
            tokio::spawn(async { std::thread::current().name().map(String::from) })
                .await
                .unwrap()
        };
        assert_eq!(
            wait(task, Deadline::NONE, &GO).unwrap().as_deref(),
            Some("stellar-io")
        );
    }

    #[test]
    fn honours_the_deadline() {
        let begun = Instant::now();
        let fault = wait(
            std::future::pending::<()>(),
            Deadline::after(Duration::from_millis(50)),
            &GO,
        )
        .unwrap_err();
        assert_eq!(fault.code, Code::Timeout);
        assert!(begun.elapsed() < Duration::from_secs(60));
        let mut polled = false;
        let gone = Deadline::after(Duration::ZERO);
        assert_eq!(
            wait(async { polled = true }, gone, &GO).unwrap_err().code,
            Code::Timeout
        );
        assert!(!polled);
    }

    #[test]
    fn notices_cancellation() {
        let cancel = Arc::new(AtomicBool::new(false));
        let flag = cancel.clone();
        let setter = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(30));
            flag.store(true, Ordering::Relaxed);
            Instant::now()
        });
        let fault = wait(std::future::pending::<()>(), Deadline::NONE, &cancel).unwrap_err();
        assert_eq!(fault.code, Code::Interrupted);
        // 50 ms are the aim; without the flag it would wait for ever.
        assert!(setter.join().unwrap().elapsed() < Duration::from_secs(60));
    }

    #[test]
    fn refuses_on_a_runtime_thread() {
        let nested = async {
            tokio::spawn(async { wait(async {}, Deadline::NONE, &GO) })
                .await
                .unwrap()
        };
        assert_eq!(
            wait(nested, Deadline::NONE, &GO).unwrap().unwrap_err().code,
            Code::Internal
        );
        let same_thread = wait(
            async { wait(async {}, Deadline::NONE, &GO) },
            Deadline::NONE,
            &GO,
        );
        assert_eq!(same_thread.unwrap().unwrap_err().code, Code::Internal);
    }

    #[test]
    fn catches_panics() {
        let fault = wait(async { panic!("a test panics") }, Deadline::NONE, &GO).unwrap_err();
        assert_eq!(fault.code, Code::Internal);
    }
}
