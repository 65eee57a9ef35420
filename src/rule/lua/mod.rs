//! Rules in Lua: a state of Luau for each rule, with the names that rules use and nothing else, and limits that hold.
//!
//! A rule lives on one thread. Nothing that it does stops the program: errors are counted and noted with their line,
//! and a call that takes too long or too much is stopped.

mod alerts;
mod format;
mod globals;
mod grouping;
mod guard;
mod limits;
mod logline;
mod numbers;
mod places;
mod running;
mod sandbox;
mod shared;
mod source;
mod storage;
mod strings;
mod timer;
mod values;

#[cfg(test)]
mod tests;

pub use globals::{is_mode, is_operator};
pub use running::{Counters, Running, Saved};
pub use shared::{Note, NoteKind};
pub use source::{Escapes, LONGEST, Literal, Purpose, look, reads_as_lua, speaks_of};
pub use values::textual;

use super::grouper::{Scope, When};
use super::tables::{MemoryTables, Tables};
use crate::diagnostic::Outcome;
use smol_str::SmolStr;
use std::sync::Arc;
use std::time::Duration;

/// What one call of a rule may use up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The time of one call.
    pub time: Duration,
    /// The time of the first run, which makes the rule's functions.
    pub load: Duration,
    /// Bytes that the rule's values may take.
    pub memory: usize,
    /// Bytes that the rule's groups may take.
    pub groups: usize,
    /// Alerts of one call.
    pub alerts: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            time: Duration::from_millis(50),
            load: Duration::from_millis(500),
            memory: 32 << 20,
            groups: 256 << 20,
            alerts: 1000,
        }
    }
}

impl Limits {
    /// The limits of a rule whose settings grant it so many MiB for its values and its groups together.
    pub fn of_rule_memory(self, mebibytes: usize) -> Limits {
        let all = mebibytes.saturating_mul(1 << 20);
        let memory = (all / 2).clamp(4 << 20, self.memory.max(4 << 20));
        Limits {
            memory,
            groups: all.saturating_sub(memory).max(1 << 20),
            ..self
        }
    }
}

/// Reads a text of Lua without running it. Errors: E0101 and others of syntax with the place, E0301.
pub fn check(name: &str, text: &str) -> Outcome<()> {
    source::prepare(name, text, Escapes::default()).map(|_| ())
}

/// A text of Lua that rules share: it is run before the rule, which sees what it defines; `require(name)` gives what it
/// returns.
#[derive(Debug, Clone)]
pub struct Module {
    /// Its name.
    pub name: SmolStr,
    /// Its text.
    pub text: String,
}

/// Tells the time in milliseconds since 1970.
pub type Now = Arc<dyn Fn() -> i64 + Send + Sync>;

/// How a rule is to be run.
#[derive(Clone)]
pub struct Options {
    /// The name of the rule.
    pub name: SmolStr,
    /// What a call may use up.
    pub limits: Limits,
    /// What becomes of escapes that Lua does not know.
    pub escapes: Escapes,
    /// When groups call the rule.
    pub when: When,
    /// What `clear` removes.
    pub clear: Scope,
    /// Texts that are run before the rule.
    pub modules: Vec<Module>,
    /// Where table lists live.
    pub tables: Arc<dyn Tables>,
    /// The time.
    pub now: Now,
    /// Whether the time of every call is measured.
    pub metrics: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            name: SmolStr::new_static("rule"),
            limits: Limits::default(),
            escapes: Escapes::default(),
            when: When::default(),
            clear: Scope::default(),
            modules: Vec::new(),
            tables: Arc::new(MemoryTables::default()),
            now: Arc::new(|| chrono::Utc::now().timestamp_millis()),
            metrics: false,
        }
    }
}
