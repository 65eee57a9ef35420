//! A clock that costs nothing to read: a thread that counts milliseconds while rules run.

use parking_lot::{Condvar, Mutex};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How exact the clock is.
const STEP: Duration = Duration::from_millis(2);

/// How long it runs on when nobody looks.
const IDLE: Duration = Duration::from_secs(1);

struct Timer {
    /// Milliseconds since the first look.
    elapsed: AtomicU64,
    /// Whether somebody has looked of late.
    wanted: AtomicBool,
    asleep: AtomicBool,
    lock: Mutex<()>,
    wake: Condvar,
    start: Instant,
}

static TIMER: OnceLock<Timer> = OnceLock::new();

fn timer() -> &'static Timer {
    TIMER.get_or_init(|| {
        // Without a thread every look is at the system's clock.
        let asleep = std::thread::Builder::new()
            .name("rule-clock".to_string())
            .spawn(|| run(TIMER.wait()))
            .is_err();
        Timer {
            elapsed: AtomicU64::new(0),
            wanted: AtomicBool::new(true),
            asleep: AtomicBool::new(asleep),
            lock: Mutex::new(()),
            wake: Condvar::new(),
            start: Instant::now(),
        }
    })
}

fn run(timer: &Timer) {
    let mut idle = Instant::now();
    loop {
        std::thread::sleep(STEP);
        let now = Instant::now();
        timer
            .elapsed
            .store(since(timer.start, now), Ordering::Relaxed);
        if timer.wanted.swap(false, Ordering::Relaxed) {
            idle = now;
        } else if now - idle > IDLE {
            let mut guard = timer.lock.lock();
            timer.asleep.store(true, Ordering::SeqCst);
            while timer.asleep.load(Ordering::SeqCst) {
                timer.wake.wait(&mut guard);
            }
            idle = Instant::now();
        }
    }
}

fn since(start: Instant, now: Instant) -> u64 {
    u64::try_from((now - start).as_millis()).unwrap_or(u64::MAX)
}

/// Milliseconds since some point in time, a few late.
#[inline]
pub(super) fn millis() -> u64 {
    let timer = timer();
    timer.wanted.store(true, Ordering::Relaxed);
    if timer.asleep.load(Ordering::Relaxed) {
        return wake(timer);
    }
    timer.elapsed.load(Ordering::Relaxed)
}

#[cold]
fn wake(timer: &Timer) -> u64 {
    let now = since(timer.start, Instant::now());
    timer.elapsed.fetch_max(now, Ordering::Relaxed);
    let _guard = timer.lock.lock();
    timer.asleep.store(false, Ordering::SeqCst);
    timer.wake.notify_one();
    now
}
