//! A store whose notices are shown while somebody follows files, who may not see the end for weeks.

use super::super::output;
use crate::diagnostic::Outcome;
use crate::eval::Value;
use crate::profile::Profiles;
use crate::profile::measurement::Measurement;
use crate::profile::store::{
    Filter, Mark, Place, ProfileStore, Query, Reason, Series, StoredProfile, Within,
};
use std::sync::atomic::{AtomicBool, Ordering};

/// A store that says when its writes begin to be noteworthy, and when they are as they should be again.
pub struct Heard<'p> {
    profiles: &'p Profiles,
    noted: AtomicBool,
}

impl<'p> Heard<'p> {
    /// The same store.
    pub fn new(profiles: &'p Profiles) -> Heard<'p> {
        Heard {
            profiles,
            noted: AtomicBool::new(false),
        }
    }

    fn note(&self) {
        let notices = self.profiles.notices();
        let before = self.noted.swap(!notices.is_empty(), Ordering::Relaxed);
        match (before, notices.as_slice()) {
            (false, notices) => notices.iter().for_each(|notice| output::note(notice)),
            (true, []) => output::note("measurements are stored again, and nothing waits"),
            (true, _) => {}
        }
    }
}

impl ProfileStore for Heard<'_> {
    fn write(&self, place: &Place, rows: &[Measurement], within: Within<'_>) -> Outcome<()> {
        let written = self.profiles.write(place, rows, within);
        // Nothing was tried where there is nothing to write.
        if !rows.is_empty() {
            self.note();
        }
        written
    }

    fn write_with_mark(
        &self,
        place: &Place,
        rows: &[Measurement],
        mark: &Mark,
        within: Within<'_>,
    ) -> Outcome<bool> {
        self.profiles.write_with_mark(place, rows, mark, within)
    }

    fn read(&self, query: &Query, within: Within<'_>) -> Outcome<Vec<Option<Value>>> {
        self.profiles.read(query, within)
    }

    fn profiles(&self, filter: &Filter, within: Within<'_>) -> Outcome<Vec<StoredProfile>> {
        self.profiles.profiles(filter, within)
    }

    fn list(&self, filter: &Filter, most: usize, within: Within<'_>) -> Outcome<Vec<Series>> {
        self.profiles.list(filter, most, within)
    }

    fn delete(&self, filter: &Filter, within: Within<'_>) -> Outcome<usize> {
        self.profiles.delete(filter, within)
    }

    fn explain_empty(&self, query: &Query, within: Within<'_>) -> Outcome<Vec<Reason>> {
        self.profiles.explain_empty(query, within)
    }

    fn notices(&self) -> Vec<String> {
        self.profiles.notices()
    }
}
