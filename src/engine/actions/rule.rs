//! `filter_rule`

use crate::diagnostic::{Code, Diagnostic, Fault, Outcome};
use crate::engine::rules::Gauges;
use crate::eval::collections::{Map, MapKind};
use crate::eval::json::{read_object, to_json};
use crate::eval::{Context, Value};
use crate::input::read_text;
use crate::pipeline::event::{Event, Time};
use crate::pipeline::spec::{
    ActionKind, ActionSpec, Build, Common, ParameterKind, ParameterSpec, Parameters,
};
use crate::pipeline::step::{Done, Flow, Kept, Now, Step};
use crate::rule::active::{
    Fleet, Keep, Manner, Metrics, Outcomes, Pace, Raised, Ready, Said, Which, find,
};
use crate::rule::event::Event as Seen;
use crate::rule::lua::{NoteKind, Options};
use crate::rule::model::Settings;
use crate::rule::store::Rules;
use crate::rule::trial::Written;
use ahash::{AHashMap, AHashSet};
use serde_json::Value as Json;
use smol_str::SmolStr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub const FILTER_RULE: ActionSpec = ActionSpec {
    name: "filter_rule",
    kind: ActionKind::Filter,
    summary: "Runs correlation rules in Lua over the events and adds what they raise as events.",
    details: "Every rule sees every event that its own filters let through, in order; rules run on threads of their own. An alert becomes an event with the tag in `tag` whose record has the fields of the alert (`rule`, `text`, `risk_level`, `asset_ip`, `mitre`, `meta`, `logs`, …) and `id` (the same when its event comes again after a crash), `rule_id`, `finding`, `finding_id` and `notice`; its time is that of the event that raised it. Alerts come in the order of the events, after them: soon, and before states are saved and the events are answered.\n\n`rules` names rules of the store, by name or identifier, or files (`.lua`, and `.json` in the shape of the API); without it all active rules of the store run but those for the past, and changes in the store are taken over while the pipeline runs. What fails in a rule is counted and said, and stops neither the rule nor the pipeline; a rule of `rules` that cannot be loaded is a fault of the file.\n\nThe groups of the rules are saved with the states of the pipeline; with `save` they lie in the store of rules instead, and are saved that often. Alerts of rules of the store are kept there as their results, unless `results` is false. Tests of pipelines write nothing, and table lists are empty there.",
    parameters: &[
        ParameterSpec::optional(
            "rules",
            ParameterKind::Texts,
            "all active rules of the store",
            "names or identifiers of rules of the store, or files",
        ),
        ParameterSpec::optional("tag", ParameterKind::Text, "alert", "the tag of alerts"),
        ParameterSpec::optional(
            "pass",
            ParameterKind::Flag,
            "true",
            "whether the events go on, too",
        ),
        ParameterSpec::optional(
            "threads",
            ParameterKind::Whole,
            "one for each core",
            "how many threads run rules; each rule stays on one",
        ),
        ParameterSpec::optional(
            "results",
            ParameterKind::Flag,
            "true",
            "whether alerts are kept in the store as results of their rule",
        ),
        ParameterSpec::optional(
            "save",
            ParameterKind::Seconds,
            "with the states of the pipeline",
            "how often groups are saved in the store of rules",
        ),
        ParameterSpec::optional(
            "reload",
            ParameterKind::Seconds,
            "2s",
            "how often the store is asked for changed rules",
        ),
        ParameterSpec::optional(
            "pace",
            ParameterKind::Choice(&["events", "machine"]),
            "events",
            "whose seconds count for `max_alerts_per_second`: those of the events, or of the machine",
        ),
    ],
    examples: &[
        "- name: filter_rule\n  match: log.*",
        "- name: filter_rule\n  match: \"*\"\n  rules: [brute force, port_scan.lua]\n  tag: alert\n  pass: false",
    ],
    make,
};

/// So many events are given to the rules together.
const BATCH: usize = 1024;

/// How often counters are looked at.
const LOOK: Duration = Duration::from_millis(500);

/// So many notes of a rule are said in a minute; the rest is counted.
const NOTES: u32 = 10;

/// The minute.
const MINUTE: Duration = Duration::from_secs(60);

/// The most threads.
const THREADS: i64 = 256;

fn make(parameters: &Parameters, build: &Build<'_>) -> Outcome<Step> {
    let context = build.context;
    let common = build.common();
    let threads = match parameters.whole("threads") {
        None => 0,
        Some(n @ 1..=THREADS) => usize::try_from(n).unwrap_or(1),
        Some(n) => {
            let text = format!("threads is between 1 and {THREADS}, not {n}");
            return Err(parameters.fault("threads", text));
        }
    };
    let usual = Manner::default();
    let save = parameters.seconds("save").filter(|_| !common.trial);
    let manner = Manner {
        runner: SmolStr::new(build.pipeline),
        threads,
        pace: match parameters.text("pace").as_deref() {
            Some("machine") => Pace::Machine,
            _ => Pace::Events,
        },
        reload: parameters.seconds("reload").unwrap_or(usual.reload),
        save: save.unwrap_or(usual.save),
        keep: match save {
            Some(_) => Keep::Store,
            None => Keep::Owner,
        },
        results: parameters.flag("results").unwrap_or(true) && !common.trial,
        counts: !common.trial,
    };
    let which = match parameters.has("rules") {
        false => Which::Active,
        true => {
            let names = parameters.texts("rules");
            if names.is_empty() {
                return Err(parameters.fault("rules", "no rule is named"));
            }
            let ready = names.iter().map(|name| {
                let placed = |fault: Fault| named(parameters, name, &fault);
                let ready = ready(name, context).map_err(placed)?;
                // A rule that cannot be loaded is told before anything runs.
                ready.load(Options::default()).map_err(placed)?;
                Ok(ready)
            });
            let ready = ready.collect::<Outcome<Vec<Ready>>>()?;
            let mut seen = AHashSet::new();
            if let Some(twice) = ready.iter().find(|one| !seen.insert(one.id.clone())) {
                let text = format!("two rules have the name {}", twice.name());
                return Err(parameters.fault("rules", text));
            }
            Which::Given(ready)
        }
    };
    Ok(Step::Kept(Box::new(Watch {
        context: context.clone(),
        common,
        gauges: context.services.get(),
        begin: Some((which, manner)),
        broken: None,
        fleet: None,
        tag: parameters.text_or("tag", "alert"),
        flow: match parameters.flag("pass") {
            Some(false) => Flow::Drop,
            _ => Flow::Pass,
        },
        batch: Vec::new(),
        sums: Sums::default(),
        looked: None,
        minutes: AHashMap::new(),
    })))
}

/// The rule that a text names: a file by its ending, else a rule of the store.
fn ready(name: &str, context: &Context) -> Outcome<Ready> {
    let path = Path::new(name);
    let ending = path.extension().and_then(|ending| ending.to_str());
    match ending {
        Some("lua") => {
            let own = path.file_stem().unwrap_or_default().to_string_lossy();
            let rule = Written::text(&own, read_text(path)?);
            Ok(Ready::written(rule, Settings::default()))
        }
        Some("json") => {
            let map = read_object(&read_text(path)?, context.limits.depth)?;
            let rule = Written::map(&map)?;
            let settings = map.get_text("settings").unwrap_or_default();
            let settings = match settings {
                Value::Null => Settings::default(),
                settings => Settings::read(&to_json(&settings)?)
                    .map_err(|refusal| Diagnostic::new(Code::BadRule, refusal.to_string()))?,
            };
            Ok(Ready::written(rule, settings))
        }
        _ => {
            let missing = || Diagnostic::new(Code::Internal, "there is no store of rules here");
            let rules = context.services.get::<Rules>().ok_or_else(missing)?;
            find(&rules, name, context)
        }
    }
}

/// A fault of a rule, at the parameter that names it.
fn named(parameters: &Parameters, name: &str, fault: &Fault) -> Fault {
    let place = fault
        .position()
        .map_or_else(String::new, |at| format!(":{}", at.line));
    let text = format!("{name}{place}: {}", fault.message);
    let mut made = parameters.fault("rules", text);
    made.help.clone_from(&fault.help);
    made
}

/// What rules did since the pipeline began.
#[derive(Default)]
struct Sums {
    alerts: u64,
    failed: u64,
    stopped: u64,
    filtered: u64,
    dropped: u64,
    late: u64,
    groups: usize,
    evicted: u64,
}

struct Watch {
    context: Context,
    common: Arc<Common>,
    gauges: Option<Arc<Gauges>>,
    /// Until the rules are started: checking a file must not run any.
    begin: Option<(Which, Manner)>,
    /// Why they could not be started.
    broken: Option<String>,
    fleet: Option<Fleet>,
    tag: SmolStr,
    flow: Flow,
    batch: Vec<Seen>,
    sums: Sums,
    /// When the counters were looked at.
    looked: Option<Instant>,
    /// For each rule, when its minute began and how many notes it had.
    minutes: AHashMap<SmolStr, (Instant, u32)>,
}

impl Watch {
    /// The rules, which are started when they are needed first.
    fn fleet(&mut self) -> Result<&Fleet, String> {
        if let Some((which, manner)) = self.begin.take() {
            let fleet = match self.common.trial {
                false => Fleet::start(&self.context, which, manner),
                true => {
                    let clock = self.context.clock.clone();
                    let options = Options {
                        now: Arc::new(move || clock.now()),
                        ..Options::default()
                    };
                    Fleet::with(&self.context, which, manner, options)
                }
            };
            match fleet {
                Ok(fleet) => self.fleet = Some(fleet),
                Err(fault) => self.broken = Some(why(fault)),
            }
        }
        self.fleet
            .as_ref()
            .ok_or_else(|| self.broken.clone().unwrap_or_default())
    }

    /// Gives the rules the events that wait.
    fn send(&mut self, more: &mut Vec<Event>) -> Result<(), String> {
        let batch = std::mem::take(&mut self.batch);
        let fleet = self.fleet()?;
        if !batch.is_empty() {
            fleet.send(batch).map_err(why)?;
        }
        while let Some(done) = self.fleet()?.done().map_err(why)? {
            self.take(done, more);
        }
        Ok(())
    }

    /// What became of a batch.
    fn take(&mut self, done: Outcomes, more: &mut Vec<Event>) {
        for text in &done.told {
            (self.common.say)(text);
        }
        self.sums.alerts += done.raised.len() as u64;
        more.extend(done.raised.iter().map(|raised| event(&self.tag, raised)));
        for said in done.said {
            self.say(said);
        }
    }

    /// Passes on what a rule said, or what was said about it; a rule that says much is heard less.
    fn say(&mut self, said: Said) {
        let place = match said.note.line {
            Some(line) => format!("rule {}, line {line}", said.name),
            None => format!("rule {}", said.name),
        };
        match said.note.kind {
            NoteKind::Error => self.sums.failed += 1,
            NoteKind::Stop => self.sums.stopped += 1,
            NoteKind::Log => {
                tracing::info!(target: "stellar::rule", "{place}: {}", said.note.text);
                return;
            }
            NoteKind::Warning => {}
        }
        let (began, count) = self.minutes.entry(said.rule).or_insert((Instant::now(), 0));
        if began.elapsed() >= MINUTE {
            (*began, *count) = (Instant::now(), 0);
        }
        *count += 1;
        if *count <= NOTES {
            (self.common.say)(&format!("{place}: {}", said.note.text));
        }
        if *count == NOTES {
            (self.common.say)(&format!("{place}: more in this minute is counted only"));
        }
    }

    /// Looks at the counters.
    fn look(&mut self) {
        if self.looked.is_some_and(|looked| looked.elapsed() < LOOK) {
            return;
        }
        self.looked = Some(Instant::now());
        let Some(fleet) = &self.fleet else { return };
        let metrics = fleet.metrics();
        let sum = |of: fn(&Metrics) -> u64| metrics.iter().map(of).sum::<u64>();
        self.sums.filtered = sum(|one| one.filtered);
        self.sums.dropped = sum(|one| one.dropped);
        self.sums.late = sum(|one| one.late);
        self.sums.evicted = sum(|one| one.evicted);
        self.sums.groups = usize::try_from(sum(|one| one.groups)).unwrap_or(usize::MAX);
        if let Some(gauges) = &self.gauges {
            gauges.set(metrics);
        }
    }
}

fn why(fault: Fault) -> String {
    fault.message.clone()
}

/// An alert as an event.
fn event(tag: &SmolStr, raised: &Raised) -> Event {
    Event {
        tag: tag.clone(),
        time: Time::of_millis(raised.alert.time),
        record: raised.to_map().entries().into_iter().collect(),
    }
}

impl Kept for Watch {
    fn apply(&mut self, event: &mut Event, _: Now, more: &mut Vec<Event>) -> Done {
        let entries = event.record.iter().cloned().collect();
        let seen = Seen::new(Map::new(MapKind::Ordered, entries));
        self.batch.push(seen);
        if self.batch.len() >= BATCH {
            // What goes wrong here goes wrong with the next tick, too, which ends the pipeline.
            self.send(more)?;
        }
        Ok(self.flow)
    }

    fn drain(&mut self, _: Now, more: &mut Vec<Event>) -> Result<(), String> {
        self.send(more)?;
        while let Some(done) = self.fleet()?.receive().map_err(why)? {
            self.take(done, more);
        }
        for text in self.fleet()?.told() {
            (self.common.say)(&text);
        }
        self.look();
        Ok(())
    }

    fn end(&mut self, now: Now, _: bool, more: &mut Vec<Event>) {
        // What goes wrong is told when the states are saved.
        let _ = self.drain(now, more);
    }

    fn save(&self) -> Option<Json> {
        match self.fleet.as_ref()?.save() {
            Ok(saved) => Some(saved),
            Err(fault) => {
                (self.common.say)(&format!(
                    "the states of rules are not saved: {}",
                    fault.message
                ));
                None
            }
        }
    }

    fn load(&mut self, state: &Json) -> Result<(), String> {
        self.fleet()?.load(state).map_err(why)?;
        Ok(())
    }

    fn others(&self) -> Vec<(&'static str, u64)> {
        let sums = &self.sums;
        vec![
            ("alerts", sums.alerts),
            ("filtered", sums.filtered),
            ("over_bounds", sums.dropped),
            ("failed_calls", sums.failed),
            ("stopped_calls", sums.stopped),
            ("late", sums.late),
        ]
    }

    fn size(&self) -> usize {
        self.sums.groups
    }

    fn evicted(&self) -> u64 {
        self.sums.evicted
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let told = self.fleet.as_ref().map(Fleet::end);
        for text in told.into_iter().flatten() {
            (self.common.say)(&text);
        }
    }
}
