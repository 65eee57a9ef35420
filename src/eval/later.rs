//! Questions to servers that many evaluations ask together.
//!
//! Who evaluates an expression over many events puts a [`Later`] among the services. A function that would have to ask
//! a server then only notes its question and leaves off; once all events have been tried, the server is asked once, and
//! the evaluations that left off are done again from the beginning. Only expressions that may be evaluated twice
//! ([`Effects::repeats`](super::Effects)) are done so.

use super::context::Context;
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome};
use parking_lot::Mutex;
use std::any::{Any, TypeId};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// After so many rounds the rest asks one by one: what it asks may be another thing each time.
const ROUNDS: usize = 32;

/// The questions of one kind.
pub trait Asker: Any + Send + Sync {
    /// Asks all that was noted, and keeps the answers or why there are none.
    fn ask(&self, context: &Context);
    /// Forgets the answers.
    fn forget(&self);
    /// For getting at the concrete type.
    fn any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync>;
}

/// Where functions note what they want to know. One thread uses it.
#[derive(Default)]
pub struct Later {
    left: AtomicBool,
    direct: AtomicBool,
    askers: Mutex<Vec<(TypeId, Arc<dyn Asker>)>>,
}

impl Later {
    /// The asker of a type, made when it is wanted first.
    pub fn asker<A: Asker>(&self, make: impl FnOnce() -> A) -> Arc<A> {
        let mut askers = self.askers.lock();
        let known = askers.iter().find(|(kind, _)| *kind == TypeId::of::<A>());
        let known = known.and_then(|(_, asker)| asker.clone().any().downcast().ok());
        known.unwrap_or_else(|| {
            let made = Arc::new(make());
            askers.push((TypeId::of::<A>(), made.clone()));
            made
        })
    }

    /// Whether questions are noted now; otherwise functions ask by themselves.
    pub fn gathers(&self) -> bool {
        !self.direct.load(Ordering::Relaxed)
    }

    /// The error with which an evaluation leaves off; nobody sees it.
    #[cold]
    pub fn leave(&self) -> Fault {
        self.left.store(true, Ordering::Relaxed);
        Diagnostic::new(Code::Internal, "an answer is not there yet")
    }

    /// Whether an evaluation left off since this was asked last.
    #[inline]
    pub fn left(&self) -> bool {
        self.left.load(Ordering::Relaxed) && self.left.swap(false, Ordering::Relaxed)
    }

    /// Asks all that was noted.
    pub fn ask(&self, context: &Context) {
        for asker in self.all() {
            asker.ask(context);
        }
    }

    /// Forgets all answers; what comes later asks anew.
    pub fn forget(&self) {
        for asker in self.all() {
            asker.forget();
        }
    }

    fn all(&self) -> Vec<Arc<dyn Asker>> {
        let askers = self.askers.lock();
        askers.iter().map(|(_, asker)| asker.clone()).collect()
    }

    /// Evaluates the items of so many numbers until none leaves off; `work` is called again for those that did, and its
    /// last call counts. The answers stay until they are forgotten. E0307.
    pub fn settle(
        &self,
        many: usize,
        context: &Context,
        mut work: impl FnMut(usize),
    ) -> Outcome<()> {
        let mut waiting = Vec::new();
        for n in 0..many {
            work(n);
            if self.left() {
                waiting.push(n);
            }
        }
        // Each round answers one more question of each.
        for _ in 0..ROUNDS {
            if waiting.is_empty() {
                return Ok(());
            }
            context.check_cancelled()?;
            self.ask(context);
            waiting.retain(|n| {
                work(*n);
                self.left()
            });
        }
        self.direct.store(true, Ordering::Relaxed);
        waiting.into_iter().for_each(work);
        self.direct.store(false, Ordering::Relaxed);
        context.check_cancelled()
    }
}
