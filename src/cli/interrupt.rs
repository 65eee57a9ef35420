//! Ctrl-C: the first one stops what is being evaluated, a second one ends the program.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Lets Ctrl-C set `cancel`.
pub fn listen(cancel: &Arc<AtomicBool>) {
    let cancel = cancel.clone();
    // Without a handler Ctrl-C ends the program at once, which is no reason to fail.
    let _ = ctrlc::set_handler(move || {
        if cancel.swap(true, Ordering::SeqCst) {
            std::process::exit(130);
        }
    });
}
