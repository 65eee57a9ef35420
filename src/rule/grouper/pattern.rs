//! Groups in which events follow a pattern.

use super::{Budget, Counters, Fed, Group, GroupId, Grouper, Item, Settings};
use crate::diagnostic::{Code, Diagnostic, Outcome};
use ahash::AHashMap;
use smol_str::SmolStr;
use std::cmp::Ordering;
use std::ops::Range;
use std::sync::Arc;

/// How many steps a pattern has at most.
pub const STEPS: usize = 64;
/// How many events a pattern asks for at most, and so many a group of a matcher holds: all of them are looked through.
pub const LENGTH: usize = 10_000;

/// A step of a pattern: so many events whose field has one of the values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The path of the field.
    pub field: SmolStr,
    /// The texts that it may have.
    pub values: Vec<SmolStr>,
    /// How many such events.
    pub count: usize,
}

/// Steps that follow each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    steps: Vec<Step>,
    /// The step of each event that is asked for.
    events: Vec<u8>,
}

impl Pattern {
    /// A pattern of these steps. E0204 when no events could follow it, or too many would have to.
    pub fn new(steps: Vec<Step>) -> Outcome<Pattern> {
        let wrong = |message: String| Err(Diagnostic::new(Code::ArgumentValue, message));
        if steps.is_empty() {
            return wrong("a pattern has at least one step".to_string());
        }
        if steps.len() > STEPS {
            let message = format!("a pattern has at most {STEPS} steps, not {}", steps.len());
            return wrong(message);
        }
        let mut events = Vec::new();
        for (number, step) in (1u8..).zip(&steps) {
            if step.field.is_empty() {
                return wrong(format!("step {number} of the pattern names no field"));
            }
            if step.values.is_empty() {
                return wrong(format!("step {number} of the pattern has no values"));
            }
            if step.count == 0 {
                return wrong(format!("step {number} of the pattern asks for no event"));
            }
            if step.count > LENGTH - events.len() {
                return wrong(format!("a pattern asks for at most {LENGTH} events"));
            }
            events.extend(std::iter::repeat_n(number - 1, step.count));
        }
        Ok(Pattern { steps, events })
    }

    /// The steps.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Which steps an event fits, a bit each. `text` gives the text of a field; a missing one is the empty text.
    pub fn fits<T: AsRef<str>>(&self, mut text: impl FnMut(&str) -> Option<T>) -> u64 {
        let mut bits = 0;
        for (number, step) in self.steps.iter().enumerate() {
            let found = text(&step.field);
            let found = found.as_ref().map_or("", AsRef::as_ref);
            if step.values.iter().any(|value| value == found) {
                bits |= 1 << number;
            }
        }
        bits
    }

    fn step(&self, event: usize) -> u64 {
        self.events.get(event).map_or(0, |step| 1 << step)
    }

    /// The positions of events that follow the pattern, the one at `through` among them; others may lie between.
    fn search<E>(&self, group: &Group<Marked<E>>, through: usize) -> Option<Vec<usize>> {
        let last = self.events.len().checked_sub(1)?;
        let steps = |at: usize| group.event(at).map_or(0, |marked| marked.steps);
        let own = steps(through);
        // How much of the pattern's end lies behind the event.
        let mut behind = 0;
        for at in (through + 1..group.total()).rev() {
            if behind == last {
                break;
            }
            behind += usize::from(steps(at) & self.step(last - behind) != 0);
        }
        let least = last - behind;
        // Most events end no pattern; that is seen before the many events before them are looked at.
        if (least..=last).all(|event| own & self.step(event) == 0) {
            return None;
        }
        let mut found = Vec::new();
        self.follow(group, 0..through, last, &mut found);
        let place = (least..=found.len())
            .rev()
            .find(|event| own & self.step(*event) != 0)?;
        found.truncate(place);
        found.push(through);
        self.follow(group, through + 1..group.total(), last + 1, &mut found);
        Some(found)
    }

    /// Adds the first events in a range that go on with the pattern, until so many are found.
    fn follow<E>(
        &self,
        group: &Group<Marked<E>>,
        range: Range<usize>,
        most: usize,
        found: &mut Vec<usize>,
    ) {
        for at in range {
            if found.len() == most {
                return;
            }
            let steps = group.event(at).map_or(0, |marked| marked.steps);
            if steps & self.step(found.len()) != 0 {
                found.push(at);
            }
        }
    }
}

/// An event in a group of a [`Matcher`].
#[derive(Debug, Clone)]
pub struct Marked<E> {
    pub(super) steps: u64,
    pub(super) order: Box<[SmolStr]>,
    pub(super) number: u64,
    /// The event.
    pub event: E,
}

/// Events that follow the pattern.
#[derive(Debug, Clone)]
pub struct Match<E> {
    /// Their group.
    pub group: GroupId,
    /// The events in the order of the pattern.
    pub events: Vec<E>,
    /// Their numbers, sorted.
    numbers: Vec<u64>,
}

/// Groups of events, and where in them a pattern is.
#[derive(Debug)]
pub struct Matcher<E> {
    pub(super) grouper: Grouper<Marked<E>>,
    pattern: Pattern,
    /// How many events were fed.
    pub(super) fed: u64,
    /// Events of groups that no match was looked for with.
    pub(super) fresh: AHashMap<GroupId, Vec<(i64, u64)>>,
}

impl<E: Clone> Matcher<E> {
    /// A matcher without groups. Ties of time are broken by the texts that each event is fed with.
    pub fn new(settings: Settings, pattern: Pattern, budget: &Arc<Budget>) -> Matcher<E> {
        let tie = |a: &Marked<E>, b: &Marked<E>| -> Ordering { a.order.cmp(&b.order) };
        let settings = Settings {
            group_events: settings.group_events.min(LENGTH),
            ..settings
        };
        Matcher {
            grouper: Grouper::ordered(settings, budget, tie),
            pattern,
            fed: 0,
            fresh: AHashMap::new(),
        }
    }

    /// The pattern.
    pub fn pattern(&self) -> &Pattern {
        &self.pattern
    }

    /// Takes an event, with the texts of the fields that it is sorted by and the steps that it fits
    /// ([`Pattern::fits`]). "Call" in the answer means to look for matches: [`Matcher::next_match`].
    pub fn feed(&mut self, item: Item<E>, order: Box<[SmolStr]>, steps: u64, now: i64) -> Fed<E> {
        let order_bytes: usize = order.iter().map(|text| 24 + super::heap(text)).sum();
        let marked = Item {
            key: item.key,
            unique: item.unique,
            time: item.time,
            weight: item
                .weight
                .saturating_add(u32::try_from(order_bytes + 32).unwrap_or(u32::MAX)),
            event: Marked {
                steps,
                order,
                number: self.fed,
                event: item.event,
            },
        };
        let fed = match self.grouper.feed(marked, now) {
            Fed::Due(id, back) => {
                let item = Item {
                    key: back.key,
                    unique: back.unique,
                    time: back.time,
                    weight: item.weight,
                    event: back.event.event,
                };
                return Fed::Due(id, item);
            }
            Fed::Late => return Fed::Late,
            Fed::Call(id) => Fed::Call(id),
            Fed::Waits(id) => Fed::Waits(id),
        };
        if let Fed::Call(id) | Fed::Waits(id) = fed {
            let time = self.grouper.now.unwrap_or(now);
            self.fresh.entry(id).or_default().push((time, self.fed));
        }
        self.fed += 1;
        fed
    }

    /// The next events of a group that follow the pattern, with an event among them that was not looked at before.
    pub fn next_match(&mut self, id: GroupId) -> Option<Match<E>> {
        let mut fresh = self.fresh.remove(&id)?;
        let group = self.grouper.group(id)?;
        // In the order of their times, the first one at the end.
        fresh.sort_unstable_by(|a, b| b.cmp(a));
        while let Some((time, number)) = fresh.pop() {
            let at = group.entries.partition_point(|entry| entry.time < time);
            let same = group
                .entries
                .range(at..)
                .take_while(|entry| entry.time == time);
            let Some(offset) = same.into_iter().position(|e| e.event.number == number) else {
                continue;
            };
            let Some(found) = self.pattern.search(group, at + offset) else {
                continue;
            };
            let marked: Vec<&Marked<E>> = found.iter().filter_map(|at| group.event(*at)).collect();
            let mut numbers: Vec<u64> = marked.iter().map(|one| one.number).collect();
            numbers.sort_unstable();
            let found = Match {
                group: id,
                numbers,
                events: marked.into_iter().map(|one| one.event.clone()).collect(),
            };
            // One that is kept is not found once more for each of its events.
            fresh.retain(|(_, number)| found.numbers.binary_search(number).is_err());
            if !fresh.is_empty() {
                self.fresh.insert(id, fresh);
            }
            return Some(found);
        }
        None
    }

    /// Ends with a match: when it was handled, its events leave their group.
    pub fn matched(&mut self, found: &Match<E>, handled: bool) {
        if handled {
            let of = |marked: &Marked<E>| found.numbers.binary_search(&marked.number).is_ok();
            self.grouper.remove_events(found.group, of);
        }
    }

    /// As [`Grouper::end_batch`].
    pub fn end_batch(&mut self) -> Vec<GroupId> {
        let due = self.grouper.end_batch();
        self.fresh
            .retain(|id, _| self.grouper.groups.get(*id).is_some());
        due
    }

    /// As [`Grouper::group`]; the events are in it as [`Marked`].
    pub fn group(&self, id: GroupId) -> Option<&Group<Marked<E>>> {
        self.grouper.group(id)
    }

    /// As [`Grouper::call_waiting`].
    pub fn call_waiting(&mut self, id: GroupId) {
        self.grouper.call_waiting(id);
    }

    /// As [`Grouper::enter`].
    pub fn enter(&mut self, id: GroupId) {
        self.grouper.enter(id);
    }

    /// As [`Grouper::leave`].
    pub fn leave(&mut self) {
        self.grouper.leave();
    }

    /// As [`Grouper::clear`].
    pub fn clear(&mut self) {
        self.grouper.clear();
    }

    /// How many groups there are.
    pub fn len(&self) -> usize {
        self.grouper.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.grouper.is_empty()
    }

    /// As [`Grouper::bytes`].
    pub fn bytes(&self) -> usize {
        self.grouper.bytes()
    }

    /// As [`Grouper::counters`].
    pub fn counters(&self) -> Counters {
        self.grouper.counters()
    }
}
