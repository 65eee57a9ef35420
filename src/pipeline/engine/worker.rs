//! What runs on all cores: from the batches of inputs to bytes for outputs and events for steps that remember.

use super::counts::Counts;
use super::run::Timing;
use super::walk::{Hands, walk_with};
use super::{Shared, Stage};
use crate::eval::Value;
use crate::pipeline::event::Event;
use crate::pipeline::record::Record;
use crate::pipeline::step::{Batch, Done, Events, Flow, Now, Render, Token};
use memchr::memchr2;
use smol_str::SmolStr;
use std::sync::Arc;
use std::time::Instant;

/// A batch after the steps that all threads may run.
pub(super) struct Finished {
    pub number: u64,
    pub input: usize,
    /// When the input fed it.
    pub sent: Instant,
    /// How many bytes it came with.
    pub size: usize,
    pub token: Option<Arc<dyn Token>>,
    /// In their order.
    pub items: Vec<Item>,
    /// The bytes of [`Item::Bytes`].
    pub bytes: Vec<u8>,
    /// For outputs where only the order within a route matters.
    pub groups: Vec<Group>,
    pub counts: Vec<Counts>,
    /// Whether the program has a fault that ended the work on the batch.
    pub broken: bool,
}

/// Where the way of an event goes on.
pub(super) enum Item {
    /// At a step that remembers.
    Event { at: usize, event: Event },
    /// With the dead letters.
    Failed {
        at: usize,
        event: Event,
        reason: String,
    },
    /// In an output: so many bytes more.
    Bytes {
        at: usize,
        route: SmolStr,
        length: usize,
        count: usize,
    },
}

/// What goes to one route.
pub(super) struct Group {
    pub at: usize,
    pub route: String,
    pub bytes: Vec<u8>,
    pub count: usize,
}

/// Does one batch.
pub(super) fn work(stages: &[Stage], timing: &Timing, batch: Batch) -> Finished {
    let now = timing.now();
    let mut hands = Worker {
        timing,
        done: Finished {
            number: batch.number,
            input: batch.input,
            sent: batch.sent,
            size: batch.size,
            token: batch.token,
            items: Vec::new(),
            bytes: Vec::new(),
            groups: Vec::new(),
            counts: vec![Counts::default(); stages.len()],
            broken: false,
        },
        route: String::new(),
        last: 0,
        held: Vec::new(),
        released: 0,
    };
    let input = batch.input;
    let last = input + 1 == stages.len();
    let mut more = Vec::new();
    match batch.events {
        Events::Made(events) => {
            for event in events {
                if let Some(counts) = hands.counts(input).filter(|_| !last) {
                    counts.one(&event.tag, super::counts::OUT);
                }
                walk_with(stages, &mut hands, input + 1, event, now, &mut more);
            }
        }
        Events::Packed(packed) => packed.unpack(&mut |unpacked| match unpacked {
            Ok(event) => {
                if let Some(counts) = hands.counts(input).filter(|_| !last) {
                    counts.one(&event.tag, super::counts::OUT);
                }
                walk_with(stages, &mut hands, input + 1, event, now, &mut more);
            }
            Err((event, reason)) => {
                if let Some(counts) = hands.counts(input) {
                    counts.one(&event.tag, super::counts::FAILED);
                }
                hands.fail(input, event, reason);
            }
        }),
        Events::Lines { bytes, tag, also } => {
            let whole = simdutf8::basic::from_utf8(&bytes).ok();
            let mut rest = bytes.as_slice();
            let mut number = 0;
            while !rest.is_empty() {
                let (line, behind) = cut(rest);
                let from = bytes.len() - rest.len();
                let text = match whole {
                    Some(text) => text.get(from..from + line.len()),
                    None => std::str::from_utf8(line).ok(),
                };
                let log = match text {
                    Some(text) => Value::Text(SmolStr::new(strip(text))),
                    None => Value::string(String::from_utf8_lossy(line).into_owned()),
                };
                rest = behind;
                let mut record = Record::with_capacity(1 + usize::from(also.is_some()));
                record.set(LOG, log);
                if let Some((name, text)) = &also {
                    record.set(name.clone(), Value::Text(text.clone()));
                }
                let event = Event {
                    tag: tag.clone(),
                    time: batch.time,
                    record,
                };
                if text.is_none() {
                    if let Some(counts) = hands.counts(input) {
                        counts.one(&tag, super::counts::FAILED);
                    }
                    hands.fail(input, event, "the line is not UTF-8".to_owned());
                    continue;
                }
                number += 1;
                walk_with(stages, &mut hands, input + 1, event, now, &mut more);
            }
            if let Some(counts) = hands.counts(input).filter(|_| !last) {
                counts.add(&tag, super::counts::OUT, number);
            }
        }
        Events::Bad(event, reason) => {
            if let Some(counts) = hands.counts(input) {
                counts.one(&event.tag, super::counts::FAILED);
            }
            hands.fail(input, event, reason);
        }
    }
    hands.release(stages, now, &mut more);
    hands.done
}

/// The field of events that are lines.
const LOG: SmolStr = SmolStr::new_static("log");

/// The first line and what is behind it; `\n`, `\r\n` and `\r` end lines.
fn cut(bytes: &[u8]) -> (&[u8], &[u8]) {
    let Some(end) = memchr2(b'\n', b'\r', bytes) else {
        return (bytes, &[]);
    };
    let (line, rest) = bytes.split_at_checked(end).unwrap_or((bytes, &[]));
    let rest = rest
        .strip_prefix(b"\r\n")
        .or_else(|| rest.get(1..))
        .unwrap_or_default();
    (line, rest)
}

/// Without the blanks at the end, of which Python knows some more.
fn strip(text: &str) -> &str {
    match text.as_bytes().last() {
        Some(b'!'..=b'~') => text,
        _ => text.trim_end_matches(|c: char| c.is_whitespace() || ('\x1c'..='\x1f').contains(&c)),
    }
}

struct Worker<'a> {
    timing: &'a Timing,
    done: Finished,
    route: String,
    /// The group that was written to last.
    last: usize,
    /// Events that wait at a step, in order.
    held: Vec<(usize, Event)>,
    /// Steps before this one let no event wait any more.
    released: usize,
}

impl Worker<'_> {
    /// Leads the events on that wait, from step to step.
    fn release(&mut self, stages: &[Stage], now: Now, more: &mut Vec<Event>) {
        while let Some(at) = self.held.iter().map(|(at, _)| *at).min() {
            let (ready, later): (Vec<_>, Vec<_>) =
                self.held.drain(..).partition(|(step, _)| *step == at);
            self.held = later;
            if let Some(stage) = stages.get(at)
                && let Shared::Pure(pure) = &stage.shared
            {
                let matched = ready.iter().map(|(_, event)| event);
                let matched = matched.filter(|event| {
                    let pattern = stage.pattern.as_ref();
                    pattern.is_some_and(|p| p.matches(&event.tag))
                });
                let matched: Vec<&Event> = matched.collect();
                if let Some(first) = matched.first() {
                    let now = self.timing.of(first).unwrap_or(now);
                    pure.ahead(&matched, now);
                }
            }
            self.released = at + 1;
            for (at, event) in ready {
                walk_with(stages, self, at, event, now, more);
            }
        }
    }
}

impl Hands for Worker<'_> {
    fn counts(&mut self, at: usize) -> Option<&mut Counts> {
        self.done.counts.get_mut(at)
    }

    fn hands_over(&self) -> bool {
        true
    }

    fn hand_over(&mut self, at: usize, event: Event) {
        self.done.items.push(Item::Event { at, event });
    }

    fn holds(&self, at: usize) -> bool {
        at >= self.released
    }

    fn hold(&mut self, at: usize, event: Event) {
        self.held.push((at, event));
    }

    fn keep(&mut self, _: usize, _: &mut Event, _: Now, _: &mut Vec<Event>) -> Done {
        Ok(Flow::Pass)
    }

    fn write(&mut self, at: usize, render: &dyn Render, event: &Event) -> Result<(), String> {
        let done = &mut self.done;
        if !render.by_route() {
            let from = done.bytes.len();
            self.route.clear();
            if let Err(reason) = render.render(event, &mut self.route, &mut done.bytes) {
                done.bytes.truncate(from);
                return Err(reason);
            }
            let added = done.bytes.len() - from;
            if let Some(Item::Bytes {
                at: known,
                route,
                length,
                count,
            }) = done.items.last_mut()
                && *known == at
                && route == self.route.as_str()
            {
                *length += added;
                *count += 1;
                return Ok(());
            }
            done.items.push(Item::Bytes {
                at,
                route: self.route.as_str().into(),
                length: added,
                count: 1,
            });
            return Ok(());
        }
        // Rendered behind the last group, and moved when it belongs elsewhere.
        let from = done.bytes.len();
        self.route.clear();
        let rendered = render.render(event, &mut self.route, &mut done.bytes);
        let route = &self.route;
        if rendered.is_ok() {
            let is = |group: &Group| group.at == at && group.route == *route;
            let place = match done.groups.get(self.last).is_some_and(is) {
                true => Some(self.last),
                false => done.groups.iter().position(is),
            };
            let place = place.unwrap_or_else(|| {
                done.groups.push(Group {
                    at,
                    route: route.clone(),
                    bytes: Vec::new(),
                    count: 0,
                });
                done.groups.len() - 1
            });
            self.last = place;
            if let Some(group) = done.groups.get_mut(place) {
                group
                    .bytes
                    .extend_from_slice(done.bytes.get(from..).unwrap_or_default());
                group.count += 1;
            }
        }
        done.bytes.truncate(from);
        rendered
    }

    fn fail(&mut self, at: usize, event: Event, reason: String) {
        self.done.items.push(Item::Failed { at, event, reason });
    }

    fn moment(&mut self, event: &Event, now: Now) -> Now {
        self.timing.of(event).unwrap_or(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_as_in_python() {
        let mut rest: &[u8] = b"one  \n  two\t\n\nthree\r\nfour\rfive";
        let mut lines = Vec::new();
        while !rest.is_empty() {
            let (line, behind) = cut(rest);
            lines.push(strip(std::str::from_utf8(line).unwrap()));
            rest = behind;
        }
        assert_eq!(lines, ["one", "  two", "", "three", "four", "five"]);
    }
}
