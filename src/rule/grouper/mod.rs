//! Groupers: events with the same values in some fields, as far as they lie within a time of each other.
//!
//! A grouper knows neither Lua nor events: it is fed with texts, times and handles of events, and says which group the
//! rule is to be called for. It never calls back, so that a rule may feed it while it is being called.
//!
//! * **Window.** A group holds the events that are at most the window older than its latest one, however they come.
//! * **Out of order.** An event is put at its place by its time. One that is older than the window is *late*: it is
//!   counted and left out. After [`LATE`] late events in a row for a group, time has been set back (a clock was wrong, a
//!   file with older events follows): the group begins anew with them.
//! * **Without a time.** Such an event has the time of the one that was fed before it.
//! * **Memory.** Above its share of the [`Budget`] a grouper gives up the groups that were fed longest ago, then the
//!   oldest events of the last one. Both are counted. A group that nobody fed for twice the window is forgotten.

mod budget;
mod group;
mod groups;
mod pattern;
mod state;

#[cfg(test)]
mod tests;

pub use budget::Budget;
pub use group::Group;
pub use groups::GroupId;
pub use pattern::{Marked, Match, Matcher, Pattern, Step};

use group::{Entry, GROUP_BYTES};
use groups::Groups;
use smol_str::{SmolStr, SmolStrBuilder};
use std::cmp::Ordering;
use std::fmt::Write;
use std::sync::Arc;

/// How many late events in a row make a group begin anew.
pub const LATE: u8 = 16;
/// How many events a group holds unless the settings say otherwise.
pub const GROUP_EVENTS: usize = 100_000;
/// How many groups at most are forgotten at one feed: one event of the far future must not end all of them.
const FORGET: usize = 2;

/// When a rule is called for a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum When {
    /// At every event that is fed.
    #[default]
    EveryFeed,
    /// Once for all events of a batch.
    AfterBatch,
}

/// What `clear` removes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scope {
    /// The group that the rule is called for; all of them outside of a call.
    #[default]
    Group,
    /// All groups.
    All,
}

/// How a grouper works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// How long events stay together, in the unit of their times.
    pub window: i64,
    /// When the rule is called.
    pub when: When,
    /// What `clear` removes.
    pub clear: Scope,
    /// How many events a group holds; the oldest give way.
    pub group_events: usize,
}

impl Settings {
    /// The usual settings with this window.
    pub fn new(window: i64) -> Settings {
        Settings {
            window,
            when: When::default(),
            clear: Scope::default(),
            group_events: GROUP_EVENTS,
        }
    }
}

/// An event for a grouper.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item<E> {
    /// The values of the fields that it is grouped by: [`key_of`].
    pub key: SmolStr,
    /// The values of the fields whose different values are counted: [`key_of`].
    pub unique: SmolStr,
    /// When it happened; times may count in any unit, and all of a grouper in the same.
    pub time: Option<i64>,
    /// About how many bytes the event takes.
    pub weight: u32,
    /// The event.
    pub event: E,
}

/// What became of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fed<E> {
    /// It is in this group, for which the rule is to be called now.
    Call(GroupId),
    /// It is in this group, which waits for the end of the batch.
    Waits(GroupId),
    /// It came too late.
    Late,
    /// It is not taken yet: it would push out events of this group, for which the rule has not been called in this
    /// batch. The rule is to be called for it ([`Grouper::call_waiting`]), then the event is to be fed again.
    Due(GroupId, Item<E>),
}

/// What a grouper has done since it was made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Events that were fed.
    pub fed: u64,
    /// Events that came too late.
    pub late: u64,
    /// Groups that began anew because time was set back.
    pub restarted: u64,
    /// Groups given up for want of memory.
    pub evicted_groups: u64,
    /// Events given up for want of memory, with and without their group.
    pub evicted_events: u64,
    /// Groups forgotten after their time.
    pub expired_groups: u64,
}

/// Groups of events, by their keys.
#[derive(Debug)]
pub struct Grouper<E> {
    settings: Settings,
    budget: Arc<Budget>,
    groups: Groups<E>,
    /// What all groups take.
    bytes: usize,
    /// The time of the event that was fed last.
    now: Option<i64>,
    /// Groups that wait for the end of the batch.
    waiting: Vec<GroupId>,
    /// The keys of the groups that the rule is being called for, the innermost last; none for one that was gone.
    calls: Vec<Option<SmolStr>>,
    counters: Counters,
    /// The order of events of the same time.
    tie: fn(&E, &E) -> Ordering,
}

impl<E> Drop for Grouper<E> {
    fn drop(&mut self) {
        self.budget.leave();
    }
}

impl<E> Grouper<E> {
    /// A grouper without groups, which shares `budget` with the others of its rule.
    pub fn new(settings: Settings, budget: &Arc<Budget>) -> Grouper<E> {
        Grouper::ordered(settings, budget, |_, _| Ordering::Equal)
    }

    fn ordered(
        settings: Settings,
        budget: &Arc<Budget>,
        tie: fn(&E, &E) -> Ordering,
    ) -> Grouper<E> {
        budget.join();
        Grouper {
            settings,
            budget: budget.clone(),
            groups: Groups::new(),
            bytes: 0,
            now: None,
            waiting: Vec::new(),
            calls: Vec::new(),
            counters: Counters::default(),
            tie,
        }
    }

    /// Takes an event. `now` is its time when neither it nor the one before it has any.
    pub fn feed(&mut self, item: Item<E>, now: i64) -> Fed<E> {
        let time = item.time.or(self.now).unwrap_or(now);
        let before = time.saturating_sub(self.settings.window);
        let mut found = self.groups.find(&item.key);
        if let Some(id) = found
            && let Some(group) = self.groups.get_mut(id)
        {
            let late = group
                .newest()
                .is_some_and(|newest| time < newest.saturating_sub(self.settings.window));
            let restart = late && group.late + 1 >= LATE;
            let pushes = group
                .entries
                .front()
                .is_some_and(|entry| entry.time < before);
            if group.waits && (restart || pushes) {
                return Fed::Due(id, item);
            }
            group.late = match late {
                true => group.late + 1,
                false => 0,
            };
            if restart {
                self.remove(id);
                self.counters.restarted += 1;
                found = None;
            } else if late {
                self.counters.fed += 1;
                self.counters.late += 1;
                return Fed::Late;
            }
        }
        self.counters.fed += 1;
        self.now = Some(time);
        let Some(id) = found.or_else(|| self.add(&item.key)) else {
            // There are no more numbers for groups; memory ends before.
            self.counters.evicted_events += 1;
            return Fed::Late;
        };
        self.groups.touch(id);
        self.forget(time, id);
        let entry = Entry {
            time,
            unique: item.unique,
            weight: item.weight,
            event: item.event,
        };
        self.insert(id, entry);
        match self.settings.when {
            When::EveryFeed => Fed::Call(id),
            When::AfterBatch => {
                self.wait(id);
                Fed::Waits(id)
            }
        }
    }

    /// A group, if it is still there.
    pub fn group(&self, id: GroupId) -> Option<&Group<E>> {
        self.groups.get(id)
    }

    /// The groups that wait for the end of the batch, in the order of their latest events. The rule is to be called for
    /// those that are still there when their turn comes; what is fed meanwhile waits for the next call of this.
    pub fn end_batch(&mut self) -> Vec<GroupId> {
        let mut due: Vec<(i64, GroupId)> = Vec::with_capacity(self.waiting.len());
        for id in std::mem::take(&mut self.waiting) {
            if let Some(group) = self.groups.get_mut(id).filter(|group| group.waits) {
                group.waits = false;
                due.push((group.newest().unwrap_or_default(), id));
            }
        }
        // The same order for the same times: that in which they were fed.
        due.sort_by_key(|(newest, _)| *newest);
        due.into_iter().map(|(_, id)| id).collect()
    }

    /// Notes that the rule is called for a group in the middle of a batch.
    pub fn call_waiting(&mut self, id: GroupId) {
        if let Some(group) = self.groups.get_mut(id) {
            group.waits = false;
        }
    }

    /// Notes that a call for a group begins: [`Grouper::clear`] is about it until [`Grouper::leave`].
    pub fn enter(&mut self, id: GroupId) {
        let key = self.groups.get(id).map(|group| group.key.clone());
        self.calls.push(key);
    }

    /// Notes that the call that began last is over.
    pub fn leave(&mut self) {
        self.calls.pop();
    }

    /// Removes the group of the call that began last, or all groups, as the settings say.
    pub fn clear(&mut self) {
        match self.calls.last() {
            Some(key) if self.settings.clear == Scope::Group => {
                let found = key.as_ref().and_then(|key| self.groups.find(key));
                if let Some(id) = found {
                    self.remove(id);
                }
            }
            _ => self.clear_all(),
        }
    }

    /// Removes all groups.
    pub fn clear_all(&mut self) {
        self.groups.clear();
        self.waiting.clear();
        self.bytes = 0;
    }

    /// How many groups there are.
    pub fn len(&self) -> usize {
        self.groups.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// About how many bytes the groups and their events take. An event in several groups counts in each.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// What was done so far.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// How it works.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    fn add(&mut self, key: &SmolStr) -> Option<GroupId> {
        let id = self.groups.add(Group::new(key.clone()))?;
        self.bytes += GROUP_BYTES + heap(key);
        Some(id)
    }

    fn wait(&mut self, id: GroupId) {
        if let Some(group) = self.groups.get_mut(id)
            && !group.waits
        {
            group.waits = true;
            self.waiting.push(id);
        }
    }

    fn insert(&mut self, id: GroupId, entry: Entry<E>) {
        let tie = self.tie;
        let most = self.settings.group_events.max(1);
        let Some(group) = self.groups.get_mut(id) else {
            return;
        };
        self.bytes += entry.bytes();
        group.insert(entry, tie);
        if let Some(newest) = group.newest() {
            self.bytes -= group.expire(newest.saturating_sub(self.settings.window));
        }
        while group.total() > most
            && let Some(entry) = group.pop()
        {
            self.bytes -= entry.bytes();
            self.counters.evicted_events += 1;
        }
        self.make_room(id);
    }

    /// Gives up what was fed longest ago until the rest fits; the last event of group `id` stays.
    fn make_room(&mut self, id: GroupId) {
        let share = self.budget.share();
        while self.bytes > share
            && let Some(oldest) = self.groups.oldest()
        {
            if oldest != id {
                let events = self.remove(oldest);
                self.counters.evicted_groups += 1;
                self.counters.evicted_events += events as u64;
                continue;
            }
            let Some(group) = self.groups.get_mut(id).filter(|group| group.total() > 1) else {
                return;
            };
            if let Some(entry) = group.pop() {
                self.bytes -= entry.bytes();
                self.counters.evicted_events += 1;
            }
        }
    }

    /// Forgets groups, but for group `fed`, that were not fed for so long that no event in time belongs to them any more.
    fn forget(&mut self, time: i64, fed: GroupId) {
        let window = self.settings.window;
        for _ in 0..FORGET {
            let Some(id) = self.groups.oldest().filter(|id| *id != fed) else {
                return;
            };
            let over = |group: &Group<E>| {
                let end = group
                    .newest()
                    .map(|n| n.saturating_add(window).saturating_add(window));
                !group.waits && end.is_none_or(|end| end < time)
            };
            if !self.groups.get(id).is_some_and(over) {
                return;
            }
            self.remove(id);
            self.counters.expired_groups += 1;
        }
    }

    /// Removes a group and says how many events it had.
    fn remove(&mut self, id: GroupId) -> usize {
        let Some(group) = self.groups.remove(id) else {
            return 0;
        };
        self.bytes -= GROUP_BYTES + heap(&group.key) + group.bytes;
        group.total()
    }

    /// Removes the events of a group for which `of` is true, and the group when nothing is left.
    fn remove_events(&mut self, id: GroupId, of: impl Fn(&E) -> bool) {
        let Some(group) = self.groups.get_mut(id) else {
            return;
        };
        self.bytes -= group.remove(of);
        if group.total() == 0 {
            self.remove(id);
        }
    }
}

/// What a text takes beside its place.
fn heap(text: &SmolStr) -> usize {
    match text.is_heap_allocated() {
        true => text.len() + 16,
        false => 0,
    }
}

/// The values of some fields as one text: two are equal when all values are. A missing value is the empty text.
pub fn key_of<T: AsRef<str>>(values: impl IntoIterator<Item = T>) -> SmolStr {
    let mut key = SmolStrBuilder::new();
    for value in values {
        let value = value.as_ref();
        // Writing into a text cannot fail.
        let _ = write!(key, "{}:{value}", value.len());
    }
    key.finish()
}

/// The values that [`key_of`] was given.
pub fn key_parts(key: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = key;
    while let Some((length, after)) = rest.split_once(':') {
        let part = length
            .parse()
            .ok()
            .and_then(|length| after.split_at_checked(length));
        let Some((part, after)) = part else {
            break;
        };
        parts.push(part);
        rest = after;
    }
    parts
}
