//! Thresholding, as Mentat's reporter does it with the pieces of the store (its module `mentat.reports.utils`, the
//! class `StorageThresholdingCache`, and `mentat.reports.event`): who was told about something is not told again for
//! a time.
//!
//! What an event is about has a key for each of its sources: the class of the event, or its categories where it has
//! none, and the address. The first event of a key is reported, and a window begins. Events of that key that come in
//! the window are held back and noted. The last part of the window is for relapses: the trouble has not ended although
//! it was reported. When the window has ended, the events that were held back in that part are found by
//! [`Events::relapsed`]; who reports them calls [`renew`], which begins a new window.

use super::store::{Threshold, Thresholded};
use super::{Events, Message};
use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::store::Within;
use ahash::HashMap;
use indexmap::IndexSet;

/// What stands between the parts of a key.
const BETWEEN: &str = "+++";

const SECOND: i64 = 1_000_000;
const HOUR: i64 = 3600 * SECOND;
const DAY: i64 = 24 * HOUR;

/// The severities of events that are reported, with the timing that Mentat gives them.
pub const SEVERITIES: &[(&str, Timing)] = &[
    ("low", Timing::new(6 * DAY, 2 * DAY)),
    ("medium", Timing::new(6 * DAY, 2 * DAY)),
    ("high", Timing::new(DAY, 12 * HOUR)),
    ("critical", Timing::new(2 * HOUR, 0)),
];

/// How long a window is, and the last part of it that is for relapses. Microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// The whole window.
    pub window: i64,
    /// Its last part; nothing relapses when it is 0.
    pub relapse: i64,
}

impl Timing {
    const fn new(window: i64, relapse: i64) -> Timing {
        Timing { window, relapse }
    }

    /// What Mentat takes for a severity.
    pub fn of(severity: &str) -> Option<Timing> {
        let mut known = SEVERITIES.iter();
        known
            .find(|(name, _)| *name == severity)
            .map(|(_, timing)| *timing)
    }

    /// The threshold of a key from a moment on. E0204 when the relapse part is longer than the window, or a time is
    /// beyond all years.
    pub fn threshold(self, key: &str, from: i64) -> Outcome<Threshold> {
        let bad = |message: &str| Diagnostic::new(Code::ArgumentValue, message);
        if self.window < 0 || self.relapse < 0 || self.relapse > self.window {
            return Err(bad(
                "the relapse part must not be longer than the window, and neither can be below zero",
            ));
        }
        let ttltime = from
            .checked_add(self.window)
            .ok_or_else(|| bad("the window ends beyond all years"))?;
        Ok(Threshold {
            id: key.to_string(),
            thresholdtime: from,
            relapsetime: ttltime - self.relapse,
            ttltime,
        })
    }
}

/// What to do with an event, or with one of its sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Hold it back: this was reported lately.
    Suppress,
    /// Hold it back until the window has ended, and report it then: the trouble goes on although it was reported.
    Relapse,
    /// Report it: this is news.
    Report,
}

impl Verdict {
    /// `suppress`, `relapse` or `report`.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Suppress => "suppress",
            Verdict::Relapse => "relapse",
            Verdict::Report => "report",
        }
    }
}

/// What is decided about one source of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// The address, a network or a range; empty for an event without sources.
    pub source: String,
    /// The threshold that holds from now on.
    pub threshold: Threshold,
    /// What to do.
    pub verdict: Verdict,
}

/// What is decided about an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// `Report` when one of its sources is news, else `Relapse` when one relapses.
    pub verdict: Verdict,
    /// Its sources, in the message's order.
    pub sources: Vec<Decided>,
}

/// Who would be told, how bad it is, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct Setting<'a> {
    /// The group.
    pub group: &'a str,
    /// The severity.
    pub severity: &'a str,
    /// The length of windows.
    pub timing: Timing,
}

/// The key of an event and one of its sources.
pub fn key(message: &Message, source: &str) -> String {
    let class = message.class().filter(|class| !class.is_empty());
    let class = class.map_or_else(
        || message.categories().collect::<Vec<_>>().join("/"),
        str::to_string,
    );
    format!("{class}{BETWEEN}{source}")
}

/// The source in a key; the whole key when it has no parts.
pub fn source_of(key: &str) -> &str {
    key.split(BETWEEN).nth(1).unwrap_or(key)
}

/// The sources of an event, each once; one empty text when it has none.
pub fn sources(message: &Message) -> Vec<String> {
    let sources = message.addresses("Source");
    let mut sources: IndexSet<String> = sources.map(|address| address.to_string()).collect();
    if sources.is_empty() {
        sources.insert(String::new());
    }
    sources.into_iter().collect()
}

/// The windows that the sources of an event would begin.
fn fresh(message: &Message, timing: Timing, now: i64) -> Outcome<Vec<(String, Threshold)>> {
    let sources = sources(message).into_iter();
    let fresh = |source: String| {
        let threshold = timing.threshold(&key(message, &source), now)?;
        Ok((source, threshold))
    };
    sources.map(fresh).collect()
}

/// What is noted about an event that is held back.
fn noted(id: &str, held: &Threshold, setting: Setting<'_>, now: i64) -> Thresholded {
    Thresholded {
        eventid: id.to_string(),
        keyid: held.id.clone(),
        groupname: setting.group.to_string(),
        eventseverity: setting.severity.to_string(),
        createtime: now,
    }
}

/// Decides about an event at a moment, in microseconds, and keeps the books, all in one transaction: what is reported
/// begins a window, what is held back is noted. The same event decided again is held back. Errors: those of the store,
/// E0204 for impossible windows.
pub fn decide(
    events: &Events,
    message: &Message,
    setting: Setting<'_>,
    now: i64,
    within: Within<'_>,
) -> Outcome<Decision> {
    let fresh = fresh(message, setting.timing, now)?;
    let wanted: Vec<(Threshold, Thresholded)> = fresh
        .iter()
        .map(|(_, fresh)| (fresh.clone(), noted(message.id(), fresh, setting, now)))
        .collect();
    let known = events.write(within, move |session| {
        let mut known = Vec::with_capacity(wanted.len());
        for (threshold, note) in &wanted {
            let held = session.threshold_open(threshold, now)?;
            if held.is_some() {
                session.threshold_note(note)?;
            }
            known.push(held);
        }
        Ok(known)
    })?;
    Ok(Decision::of(fresh, known, now))
}

impl Decision {
    /// What follows from the windows that last.
    fn of(fresh: Vec<(String, Threshold)>, known: Vec<Option<Threshold>>, now: i64) -> Decision {
        let decided = fresh.into_iter().zip(known).map(|((source, fresh), held)| {
            let verdict = match &held {
                None => Verdict::Report,
                Some(held) if held.relapsetime < held.ttltime && now >= held.relapsetime => {
                    Verdict::Relapse
                }
                Some(_) => Verdict::Suppress,
            };
            Decided {
                source,
                threshold: held.unwrap_or(fresh),
                verdict,
            }
        });
        let sources: Vec<Decided> = decided.collect();
        let verdicts = sources.iter().map(|decided| decided.verdict);
        Decision {
            verdict: verdicts.max().unwrap_or(Verdict::Report),
            sources,
        }
    }
}

/// Decisions that somebody has to learn of before they count: what dies between the two is decided again, so that no
/// report is lost, and perhaps one is made twice.
#[derive(Debug, Default)]
pub struct Books {
    windows: HashMap<String, Threshold>,
    notes: Vec<Thresholded>,
    now: i64,
}

impl Books {
    /// As [`decide`], and what follows from it waits for [`Books::keep`].
    pub fn decide(
        &mut self,
        events: &Events,
        message: &Message,
        setting: Setting<'_>,
        now: i64,
        within: Within<'_>,
    ) -> Outcome<Decision> {
        let fresh = fresh(message, setting.timing, now)?;
        let begun = |threshold: &Threshold| {
            let begun = self.windows.get(&threshold.id);
            begun.filter(|begun| begun.ttltime >= now).cloned()
        };
        let mut known: Vec<Option<Threshold>> =
            fresh.iter().map(|(_, fresh)| begun(fresh)).collect();
        if known.iter().any(Option::is_none) {
            let stored = events.read(within, |session| {
                let mut held = Vec::with_capacity(fresh.len());
                for ((_, fresh), known) in fresh.iter().zip(&known) {
                    held.push(match known {
                        Some(_) => None,
                        None => session.threshold_check(&fresh.id, now)?,
                    });
                }
                Ok(held)
            })?;
            for (known, stored) in known.iter_mut().zip(stored) {
                *known = known.take().or(stored);
            }
        }
        for ((_, fresh), held) in fresh.iter().zip(&known) {
            match held {
                Some(held) => self.notes.push(noted(message.id(), held, setting, now)),
                None => drop(self.windows.insert(fresh.id.clone(), fresh.clone())),
            }
        }
        self.now = now;
        Ok(Decision::of(fresh, known, now))
    }

    /// Keeps what was decided, in one transaction. A window that somebody else has begun meanwhile stays.
    pub fn keep(&mut self, events: &Events, within: Within<'_>) -> Outcome<()> {
        if self.windows.is_empty() && self.notes.is_empty() {
            return Ok(());
        }
        let Books {
            windows,
            notes,
            now,
        } = std::mem::take(self);
        events.write(within, move |session| {
            for threshold in windows.values() {
                session.threshold_open(threshold, now)?;
            }
            notes
                .iter()
                .try_for_each(|note| session.threshold_note(note))
        })
    }
}

/// Begins new windows for keys whose relapsed events were reported. Errors: those of the store, E0204 for impossible
/// windows.
pub fn renew(
    events: &Events,
    keys: &[String],
    timing: Timing,
    now: i64,
    within: Within<'_>,
) -> Outcome<()> {
    let thresholds: Outcome<Vec<Threshold>> =
        keys.iter().map(|key| timing.threshold(key, now)).collect();
    let thresholds = thresholds?;
    events.write(within, move |session| {
        thresholds
            .iter()
            .try_for_each(|threshold| session.threshold_set(threshold))
    })
}
