//! Thresholding, as Mentat's reporter does it with the pieces of the store (its module `mentat.reports.utils`, the
//! class `StorageThresholdingCache`, and `mentat.reports.event`): who was told about something is not told again for
//! a time.
//!
//! What an event is about has a key for each of its sources: the class of the event, or its categories where it has
//! none, and the address. The first event of a key is reported, and a window begins. Events of that key that come in
//! the window are held back and noted. The last part of the window is for relapses: the trouble has not ended although
//! it was reported. When the window has ended, the events that were held back in that part are found by
//! [`Events::relapsed`]; who reports them calls [`renew`], which begins a new window.

use super::store::{Session, Threshold, Thresholded};
use super::{Events, Message};
use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::store::Within;

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
    let mut sources: Vec<String> = Vec::new();
    for address in message.addresses("Source") {
        let source = address.to_string();
        if !sources.contains(&source) {
            sources.push(source);
        }
    }
    if sources.is_empty() {
        sources.push(String::new());
    }
    sources
}

/// Decides about an event at a moment, in microseconds, and keeps the books: what is reported begins a window, what is
/// held back is noted. The same event decided again is held back. Errors: those of the store, E0204 for impossible
/// windows.
pub fn decide(
    events: &Events,
    message: &Message,
    setting: Setting<'_>,
    now: i64,
    within: Within<'_>,
) -> Outcome<Decision> {
    let sources = sources(message);
    let mut fresh = Vec::with_capacity(sources.len());
    for source in &sources {
        fresh.push(setting.timing.threshold(&key(message, source), now)?);
    }
    let checked = |session: &mut dyn Session| -> Outcome<Vec<Option<Threshold>>> {
        let mut held = Vec::with_capacity(fresh.len());
        for threshold in &fresh {
            held.push(session.threshold_check(&threshold.id, now)?);
        }
        Ok(held)
    };
    let mut known = events.read(within, checked)?;
    // What is held back is noted first: after a failure everything can be done again.
    for held in known.iter().flatten() {
        note(events, message.id(), held, setting, now, within)?;
    }
    if known.iter().any(Option::is_none) {
        let wanted = fresh.clone();
        let found = events.write(within, move |session| {
            let mut found = Vec::with_capacity(wanted.len());
            for threshold in &wanted {
                // Somebody else may have begun a window meanwhile.
                let held = session.threshold_check(&threshold.id, now)?;
                if held.is_none() {
                    session.threshold_set(threshold)?;
                }
                found.push(held);
            }
            Ok(found)
        })?;
        for (known, found) in known.iter_mut().zip(found) {
            if let (None, Some(held)) = (&known, &found) {
                note(events, message.id(), held, setting, now, within)?;
                *known = found;
            }
        }
    }
    let mut decided = Vec::with_capacity(sources.len());
    for ((source, fresh), held) in sources.into_iter().zip(fresh).zip(known) {
        let verdict = match &held {
            None => Verdict::Report,
            Some(held) if held.relapsetime < held.ttltime && now >= held.relapsetime => {
                Verdict::Relapse
            }
            Some(_) => Verdict::Suppress,
        };
        decided.push(Decided {
            source,
            threshold: held.unwrap_or(fresh),
            verdict,
        });
    }
    let verdicts = decided.iter().map(|decided| decided.verdict);
    Ok(Decision {
        verdict: verdicts.max().unwrap_or(Verdict::Report),
        sources: decided,
    })
}

/// Notes that an event was held back, unless that is noted already.
fn note(
    events: &Events,
    id: &str,
    held: &Threshold,
    setting: Setting<'_>,
    now: i64,
    within: Within<'_>,
) -> Outcome<()> {
    let noted = events.threshold_save(
        Thresholded {
            eventid: id.to_string(),
            keyid: held.id.clone(),
            groupname: setting.group.to_string(),
            eventseverity: setting.severity.to_string(),
            createtime: now,
        },
        within,
    );
    match noted {
        Err(fault) if fault.code == Code::EventIntegrity => Ok(()),
        noted => noted,
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
