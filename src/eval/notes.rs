//! What a function wants to say beside its value.

use parking_lot::Mutex;
use std::collections::HashSet;

/// How many notes are kept until somebody shows them.
const KEPT: usize = 10;

/// A service with what functions want to say to people beside their values. Front ends that show it provide it;
/// where it is missing nobody listens, and functions save the work.
#[derive(Default)]
pub struct Notes(Mutex<Said>);

#[derive(Default)]
struct Said {
    fresh: Vec<String>,
    /// What needs to be said only once.
    once: HashSet<String>,
}

impl Notes {
    /// Says something: a sentence without a full stop.
    pub fn say(&self, text: impl Into<String>) {
        let (text, mut said) = (text.into(), self.0.lock());
        if said.fresh.len() < KEPT && !said.fresh.contains(&text) {
            said.fresh.push(text);
        }
    }

    /// Says something unless it was said this way before.
    pub fn say_once(&self, text: impl Into<String>) {
        let text = text.into();
        if self.0.lock().once.insert(text.clone()) {
            self.say(text);
        }
    }

    /// Leaves out what shall be said once, because somebody knows it already.
    pub fn known(&self, text: impl Into<String>) {
        self.0.lock().once.insert(text.into());
    }

    /// Whether nothing more is listened to, so that nobody needs to think of what to say.
    pub fn full(&self) -> bool {
        self.0.lock().fresh.len() >= KEPT
    }

    /// What was said since the last time.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().fresh)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_shown_once_each_and_are_not_endless() {
        let notes = Notes::default();
        notes.say("a");
        notes.say("a");
        notes.say_once("b");
        assert_eq!(notes.take(), ["a", "b"]);
        notes.say("a");
        notes.say_once("b");
        assert_eq!(notes.take(), ["a"]);
        notes.known("c");
        notes.say_once("c");
        assert!(notes.take().is_empty());
        assert!(!notes.full());
        (0..100).for_each(|n| notes.say(n.to_string()));
        assert!(notes.full());
        assert_eq!(notes.take().len(), KEPT);
        assert!(notes.take().is_empty());
    }
}
