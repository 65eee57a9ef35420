//! How much memory the groupers of a rule may take.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Memory that the groupers of a rule share, each having the same part of it.
#[derive(Debug)]
pub struct Budget {
    bytes: AtomicUsize,
    members: AtomicUsize,
}

impl Budget {
    /// So many bytes for all groupers together.
    pub fn new(bytes: usize) -> Budget {
        Budget {
            bytes: AtomicUsize::new(bytes),
            members: AtomicUsize::new(0),
        }
    }

    /// Changes how much there is; a grouper keeps to it from its next event on.
    pub fn set(&self, bytes: usize) {
        self.bytes.store(bytes, Ordering::Relaxed);
    }

    /// What one grouper may take.
    pub fn share(&self) -> usize {
        self.bytes.load(Ordering::Relaxed) / self.members.load(Ordering::Relaxed).max(1)
    }

    pub(super) fn join(&self) {
        self.members.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn leave(&self) {
        self.members.fetch_sub(1, Ordering::Relaxed);
    }
}
