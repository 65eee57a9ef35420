//! What a function wants to say beside its value.

use parking_lot::Mutex;
use std::collections::HashSet;

/// How many notes are kept until somebody shows them.
const KEPT: usize = 10;

type Listener = Box<dyn Fn(&str) + Send + Sync>;

/// A service with what functions want to say to people beside their values. Front ends that show it provide it;
/// where it is missing nobody listens, and functions save the work.
#[derive(Default)]
pub struct Notes {
    said: Mutex<Said>,
    /// Who hears a note at once, instead of taking it later.
    listener: Option<Listener>,
}

#[derive(Default)]
struct Said {
    /// What was said since the last time that somebody took it.
    fresh: Vec<String>,
    /// What needs to be said only once.
    once: HashSet<String>,
}

impl Notes {
    /// Notes that somebody hears at once; nothing is left to be taken.
    pub fn heard_by(listener: impl Fn(&str) + Send + Sync + 'static) -> Notes {
        Notes {
            said: Mutex::default(),
            listener: Some(Box::new(listener)),
        }
    }

    /// Says something: a sentence without a full stop.
    pub fn say(&self, text: impl Into<String>) {
        let (text, mut said) = (text.into(), self.said.lock());
        if said.fresh.len() >= KEPT || said.fresh.contains(&text) {
            return;
        }
        said.fresh.push(text.clone());
        drop(said);
        if let Some(listener) = &self.listener {
            listener(&text);
        }
    }

    /// Says something unless it was said this way before.
    pub fn say_once(&self, text: impl Into<String>) {
        let text = text.into();
        if self.said.lock().once.insert(text.clone()) {
            self.say(text);
        }
    }

    /// Leaves out what shall be said once, because somebody knows it already.
    pub fn known(&self, text: impl Into<String>) {
        self.said.lock().once.insert(text.into());
    }

    /// Whether nothing more is listened to, so that nobody needs to think of what to say.
    pub fn full(&self) -> bool {
        self.said.lock().fresh.len() >= KEPT
    }

    /// What was said since the last time and not heard yet. As much may be said again afterwards.
    pub fn take(&self) -> Vec<String> {
        let fresh = std::mem::take(&mut self.said.lock().fresh);
        match self.listener {
            None => fresh,
            Some(_) => Vec::new(),
        }
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

    #[test]
    fn a_listener_hears_at_once_and_no_more_than_others_would_take() {
        let heard = std::sync::Arc::new(Mutex::new(Vec::new()));
        let own = heard.clone();
        let notes = Notes::heard_by(move |note| own.lock().push(note.to_string()));
        notes.say("a");
        notes.say("a");
        assert_eq!(*heard.lock(), ["a"]);
        assert!(notes.take().is_empty());
        (0..100).for_each(|n| notes.say(n.to_string()));
        assert_eq!(heard.lock().len(), 1 + KEPT);
    }
}
