//! Ctrl-C: the first one stops what is being evaluated, a second one ends the program.

use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// A signal that follows another one so soon is the same one: it may come to the process and to its group.
const SAME: Duration = Duration::from_millis(200);

/// Lets Ctrl-C set `cancel`.
pub fn listen(cancel: &Arc<AtomicBool>) {
    let cancel = cancel.clone();
    let first = Mutex::new(None::<Instant>);
    // Without a handler Ctrl-C ends the program at once, which is no reason to fail.
    let _ = ctrlc::set_handler(move || {
        let mut first = first.lock();
        if !cancel.swap(true, Ordering::SeqCst) {
            *first = Some(Instant::now());
        } else if first.is_none_or(|first| first.elapsed() >= SAME) {
            std::process::exit(130);
        }
    });
}
