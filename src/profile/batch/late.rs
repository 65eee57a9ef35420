//! Events that come after their period was closed, where they are let in: the variables of closed periods are kept for
//! some time, go on with the late events, and are measured anew.
//!
//! They go on where they were instead of being joined with those of a second start: sums are the same either way, and
//! digests are those of files read in the same order, to the last bit.

use super::close::{Entities, LONGEST};
use super::{Batch, Plans};
use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::eval::collections::List;
use crate::eval::{Context, Value};
use crate::functions::kryo;
use crate::profile::definition::{Definition, Expression};
use crate::profile::merge::{Merge, moving_group};
use crate::profile::period::Period;
use crate::profile::runner::Builder;
use crate::profile::store::{Keeper, Marks, Passed, Within};
use indexmap::IndexMap;
use serde_json::json;
use smol_str::SmolStr;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Late events are measured after this time at the latest, also when no period closes,
const PATIENCE: Duration = Duration::from_secs(5);

/// and when they are about so many entities.
const MANY: usize = 10_000;

/// What becomes of events that come too late.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Late {
    /// They are counted and dropped.
    Drop,
    /// Profiles that are marked mergeable take them in, up to so many milliseconds behind the watermark.
    Merge(i64),
}

/// The variables of closed periods.
pub struct Closed<'b> {
    batch: &'b Batch,
    marks: &'b Marks,
    /// Under which name they are kept.
    pub name: String,
    keep: i64,
    /// Those of each plan that takes late events.
    keepers: Vec<Option<Keeper>>,
    /// Those that go on, by period.
    open: BTreeMap<i64, Entities>,
    waiting: usize,
    /// When the first of them came.
    since: Option<Instant>,
}

impl<'b> Closed<'b> {
    /// Finds out which profiles take late events. What is new is complete for periods that end after `from`.
    ///
    /// Errors: E0222 when a profile cannot take them, and when none is to.
    pub fn new(
        batch: &'b Batch,
        keep: i64,
        name: String,
        from: i64,
        marks: &'b Marks,
    ) -> Outcome<Closed<'b>> {
        let context = &batch.context;
        let keys = keys(&batch.plans, batch.setting.duration, context)?;
        let all: Vec<String> = keys.iter().flatten().cloned().collect();
        let kept = marks.keep(&name, &all, from, Within::context(context))?;
        let mut kept = kept.into_iter();
        let keepers = keys
            .iter()
            .map(|key| key.as_ref().and_then(|_| kept.next()));
        Ok(Closed {
            batch,
            marks,
            keep,
            keepers: keepers.collect(),
            name,
            open: BTreeMap::new(),
            waiting: 0,
            since: None,
        })
    }

    /// Forgets everything that is kept.
    pub fn forget(&self) -> Outcome<()> {
        let within = Within::context(&self.batch.context);
        self.marks.keep(&self.name, &[], 0, within).map(|_| ())
    }

    /// Whether there are late events that are not measured yet.
    pub fn waits(&self) -> bool {
        self.waiting > 0
    }

    /// The number under which the variables of each plan are kept.
    pub fn numbers(&self) -> Vec<Option<i64>> {
        let number = |keeper: &Option<Keeper>| keeper.map(|keeper| keeper.profile);
        self.keepers.iter().map(number).collect()
    }

    /// By how much a period may lie behind the watermark.
    pub fn keep(&self) -> i64 {
        self.keep
    }

    /// The entities of a closed period, where the variables of this one go on. `None` when they were not kept.
    ///
    /// Errors: those of the embedded file, E0605.
    pub fn entities(
        &mut self,
        plan: usize,
        period: Period,
        entity: &SmolStr,
    ) -> Outcome<Option<&mut Entities>> {
        let keeper = self.keepers.get(plan).copied().flatten();
        let Some(keeper) = keeper.filter(|keeper| period.end() > keeper.since) else {
            return Ok(None);
        };
        let known = self.open.get(&period.number).and_then(|all| all.get(plan));
        if !known.is_some_and(|entities| entities.contains_key(entity)) {
            let within = Within::context(&self.batch.context);
            let found = self
                .marks
                .state(keeper.profile, period.number, entity, within)?;
            let builder = match found {
                Some(None) => return Ok(None),
                Some(Some(bytes)) => match self.resumed(plan, &bytes)? {
                    Some(builder) => Some(builder),
                    None => return Ok(None),
                },
                None => None,
            };
            self.waiting += 1;
            self.since.get_or_insert_with(Instant::now);
            if let (Some(builder), Some(entities)) =
                (builder, self.period(period.number).get_mut(plan))
            {
                entities.insert(entity.clone(), builder);
            }
        }
        Ok(Some(self.period(period.number)))
    }

    fn period(&mut self, number: i64) -> &mut Entities {
        let plans = &self.batch.plans.plans;
        let none = || plans.iter().map(|_| IndexMap::default()).collect();
        self.open.entry(number).or_insert_with(none)
    }

    /// The variables in bytes that were kept.
    fn resumed(&self, plan: usize, bytes: &[u8]) -> Outcome<Option<Builder>> {
        let plan = self.batch.plans.plans.get(plan);
        let value = kryo::read(bytes)
            .map_err(|fault| fault.note("it is the state of a period that was closed"))?;
        Ok(match (plan, value) {
            (Some(plan), Value::List(values)) => Builder::resumed(plan.names.len(), values.items()),
            _ => None,
        })
    }

    /// Whether something should be measured now.
    pub fn is_due(&self) -> bool {
        self.waiting >= MANY || self.since.is_some_and(|since| since.elapsed() >= PATIENCE)
    }

    /// What is to be measured anew, the earliest period first.
    pub fn take(&mut self) -> BTreeMap<i64, Entities> {
        (self.waiting, self.since) = (0, None);
        std::mem::take(&mut self.open)
    }

    /// What is too old by this watermark, and forgotten from now on.
    pub fn passed(&mut self, watermark: i64) -> Vec<Passed> {
        let horizon = watermark.saturating_sub(self.keep);
        let duration = self.batch.setting.duration;
        let now = self.batch.context.clock.now();
        let passed = |keeper: &mut Keeper| {
            keeper.since = keeper.since.max(horizon);
            Passed {
                profile: keeper.profile,
                first: horizon.div_euclid(duration),
                since: keeper.since,
                now,
            }
        };
        self.keepers.iter_mut().flatten().map(passed).collect()
    }
}

/// The variables of an entity as they are kept; `None` for what cannot be written.
pub fn variables(builder: &Builder) -> Option<Vec<u8>> {
    let values = List::array(builder.values().to_vec());
    kryo::write(&Value::List(values), LONGEST).ok()
}

/// What the variables of each plan that takes late events depend on. Errors: E0222.
fn keys(plans: &Plans, duration: i64, context: &Context) -> Outcome<Vec<Option<String>>> {
    let mut keys = Vec::with_capacity(plans.plans.len());
    for plan in &plans.plans {
        let definition = &*plan.definition;
        keys.push(match definition.mergeable {
            Some(true) => {
                check(definition, context)?;
                Some(key(definition, duration))
            }
            _ => None,
        });
    }
    if keys.iter().all(Option::is_none) {
        let message =
            "late events are for profiles that are marked mergeable, and none of these is";
        return Err(Diagnostic::new(Code::BadProfile, message).help(
            "add \"mergeable\": true to a profile, or leave late events out with --late drop",
        ));
    }
    Ok(keys)
}

/// Whether late events can be let in. Errors: E0222 with the reason.
fn check(definition: &Definition, context: &Context) -> Outcome<()> {
    let name = &definition.profile;
    if let Err(reasons) = Merge::of(definition, context) {
        let mut fault = Diagnostic::new(
            Code::BadProfile,
            format!("profile {name} is marked mergeable and cannot take late events"),
        );
        for reason in &reasons {
            fault = fault.note(reason.to_string());
        }
        let help = reasons.iter().find_map(|reason| reason.help());
        return Err(fault.help(help.unwrap_or_else(|| "leave mergeable out".to_string())));
    }
    match moving_group(definition, context) {
        None => Ok(()),
        Some((index, of)) => {
            let message = format!("profile {name} is marked mergeable and cannot take late events");
            let number = index + 1;
            Err(Diagnostic::new(Code::BadProfile, message)
                .note(format!("groupBy {number} depends on {of}"))
                .note(
                    "late events may change it, and the measurement under the old group would stay",
                )
                .help("leave mergeable out"))
        }
    }
}

/// A changed profile must not go on with the variables of the old one.
pub fn key(definition: &Definition, duration: i64) -> String {
    let pairs = |entries: &[(SmolStr, Expression)]| -> Vec<[String; 2]> {
        let pair = |(name, e): &(SmolStr, Expression)| [name.to_string(), e.text().to_string()];
        entries.iter().map(pair).collect()
    };
    let groups = definition.group_by.iter();
    json!([
        duration,
        definition.profile.as_str(),
        definition.foreach.text().as_str(),
        definition.only_if.text().as_str(),
        pairs(&definition.init),
        pairs(&definition.update),
        definition.result.text().as_str(),
        groups
            .map(|group| group.text().as_str())
            .collect::<Vec<_>>(),
        definition.expires,
        pairs(&definition.triage),
    ])
    .to_string()
}
