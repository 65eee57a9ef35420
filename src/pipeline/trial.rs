//! Tests of pipelines: cases in their file or beside it.

use super::config::File;
use super::engine::{self, Trial};
use super::event::{Event, Time};
use super::python;
use super::record::Record;
use super::spec::Common;
use super::step::Now;
use super::yaml::{self, Kind, Limits, Node};
use crate::diagnostic::{Code, Diagnostic, Fault, Source, Span, nearest};
use crate::eval::convert::truth;
use crate::eval::{Clock, Context, Program, Value, Variables, compile, look_up};
use smol_str::SmolStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

const KEYS: &[&str] = &[
    "name",
    "pipeline",
    "clock",
    "at",
    "input",
    "expect",
    "dead_letters",
];
const INPUT: &[&str] = &["tag", "time", "record", "line", "lines", "wait"];
const EXPECT: &[&str] = &["tag", "record", "fields", "where"];

/// A case.
pub struct Case {
    /// Its name.
    pub name: String,
    /// The text it stands in.
    pub source: Arc<Source>,
    span: Span,
    pipeline: usize,
    at: Option<usize>,
    clock: i64,
    input: Vec<Put>,
    /// The step, or all outputs, and what is expected of them.
    expect: Vec<(Option<usize>, Span, Vec<Expected>)>,
    dead: usize,
}

enum Put {
    Event(SmolStr, Option<f64>, Record),
    Wait(i64),
}

struct Expected {
    span: Span,
    tag: Option<SmolStr>,
    record: Option<Record>,
    /// Whether other fields may be there.
    part: bool,
    truth: Option<Arc<Program>>,
}

/// What came of a case.
pub struct Verdict {
    /// What is wrong, each with its line and column; nothing when it has passed.
    pub failures: Vec<(usize, usize, String)>,
}

impl Case {
    /// Its line in its file.
    pub fn line(&self) -> usize {
        self.source.position(self.span.start).line
    }
}

/// Where the tests of a file stand when they stand beside it.
pub fn beside(path: &Path) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!("{stem}.test.yaml"))
}

/// Reads the cases of a file and those beside it. Errors: every fault that there is.
pub fn load(path: &Path, file: &File, context: &Context) -> Result<Vec<Case>, Vec<Fault>> {
    let mut reader = Reader {
        file,
        context,
        faults: Vec::new(),
        cases: Vec::new(),
    };
    if let Some((node, source)) = &file.tests {
        reader.cases(node, source);
    }
    let own = beside(path);
    match std::fs::read_to_string(&own) {
        Ok(text) => {
            let source = Arc::new(Source::named(own.display().to_string(), text));
            match yaml::read(&source, Limits::default()) {
                Ok(Some(node)) => reader.cases(node.get("tests").unwrap_or(&node), &source),
                Ok(None) => {}
                Err(fault) => reader.faults.push(fault),
            }
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => {
            let text = format!("{} cannot be read: {error}", own.display());
            reader.faults.push(Diagnostic::new(Code::CannotRead, text));
        }
    }
    match reader.faults.is_empty() {
        true => Ok(reader.cases),
        false => Err(reader.faults),
    }
}

struct Reader<'a> {
    file: &'a File,
    context: &'a Context,
    faults: Vec<Fault>,
    cases: Vec<Case>,
}

impl Reader<'_> {
    fn bad(&mut self, source: &Arc<Source>, span: Span, text: impl Into<String>) {
        let fault = Diagnostic::at(Code::BadPipeline, span, text);
        self.faults.push(fault.in_source(source));
    }

    fn known(&mut self, node: &Node, keys: &[&str], what: &str, source: &Arc<Source>) -> bool {
        let Kind::Map(entries) = &node.kind else {
            let text = format!("{what} is a map, not {}", node.in_words());
            self.bad(source, node.span, text);
            return false;
        };
        for (key, _) in entries {
            let name = key.as_text().unwrap_or_default();
            if !keys.contains(&name) {
                let text = format!("{what} has no key {name}");
                let fault = Diagnostic::at(Code::BadPipeline, key.span, text).in_source(source);
                let near = nearest(name, keys.iter().copied());
                self.faults.push(match near {
                    Some(_) => fault.did_you_mean(near),
                    None => fault.help(format!("it has {}", keys.join(", "))),
                });
            }
        }
        true
    }

    fn list<'n>(&mut self, node: Option<&'n Node>, what: &str, source: &Arc<Source>) -> &'n [Node] {
        match node.map(|node| (&node.kind, node.span)) {
            Some((Kind::List(items), _)) => items,
            None => &[],
            Some((_, span)) => {
                self.bad(source, span, format!("{what} is a list"));
                &[]
            }
        }
    }

    fn cases(&mut self, node: &Node, source: &Arc<Source>) {
        for case in self.list(Some(node), "tests", source) {
            if self.known(case, KEYS, "a test", source) {
                self.case(case, source);
            }
        }
    }

    fn case(&mut self, node: &Node, source: &Arc<Source>) {
        let name = node
            .get("name")
            .and_then(Node::as_text)
            .unwrap_or("a test")
            .to_owned();
        let pipeline = match node.get("pipeline") {
            Some(wanted) => {
                let id = crate::eval::text::to_text(&wanted.value()).to_string();
                match self.file.pipelines.iter().position(|p| p.id == id) {
                    Some(at) => at,
                    None => {
                        return self.bad(source, wanted.span, format!("no pipeline is named {id}"));
                    }
                }
            }
            None if self.file.pipelines.len() == 1 => 0,
            None => {
                let text = "the file has several pipelines: say which with `pipeline:`";
                return self.bad(source, node.span, text);
            }
        };
        let mut at = None;
        if let Some(step) = node.get("at") {
            at = self.step(pipeline, &step.value());
            if at.is_none() {
                self.bad(
                    source,
                    step.span,
                    "at is the number of a step, or its action",
                );
            }
        }
        let clock = node.get("clock").map_or(Some(0.0), |n| seconds(&n.value()));
        if clock.is_none() {
            self.bad(
                source,
                node.span,
                "clock is a time in seconds, or in ISO 8601",
            );
        }
        let mut input = Vec::new();
        for put in self.list(node.get("input"), "input", source) {
            if self.known(put, INPUT, "an input event", source) {
                self.put(put, source, &mut input);
            }
        }
        let mut expect = Vec::new();
        match node.get("expect").map(|node| (&node.kind, node)) {
            Some((Kind::Map(outputs), _)) => {
                for (output, events) in outputs {
                    match self.step(pipeline, &output.value()) {
                        Some(step) => {
                            let events = self.expected(events, source);
                            expect.push((Some(step), output.span, events));
                        }
                        None => {
                            let text = "the key is the number of an output, or its action";
                            self.bad(source, output.span, text);
                        }
                    }
                }
            }
            Some((_, events)) => expect.push((None, events.span, self.expected(events, source))),
            None => self.bad(
                source,
                node.span,
                "a test needs `expect:`; `[]` means nothing",
            ),
        }
        let dead = node.get("dead_letters").map(Node::value);
        let dead = match dead {
            None => 0,
            Some(Value::Int(n)) if n >= 0 => usize::try_from(n).unwrap_or(0),
            Some(_) => {
                self.bad(source, node.span, "dead_letters is how many there are");
                0
            }
        };
        self.cases.push(Case {
            name,
            source: source.clone(),
            span: node.span,
            pipeline,
            at,
            clock: clock.map_or(0, |seconds| (seconds * 1000.0) as i64),
            input,
            expect,
            dead,
        });
    }

    /// The step of that number, from 1, or the only one of that action.
    fn step(&self, pipeline: usize, wanted: &Value) -> Option<usize> {
        let steps = &self.file.pipelines.get(pipeline)?.steps;
        match wanted {
            Value::Int(n) => {
                let at = usize::try_from(*n).ok()?.checked_sub(1)?;
                (at < steps.len()).then_some(at)
            }
            Value::Text(name) => steps
                .iter()
                .position(|step| step.spec.name == name.as_str()),
            _ => None,
        }
    }

    fn put(&mut self, node: &Node, source: &Arc<Source>, input: &mut Vec<Put>) {
        if let Some(wait) = node.get("wait") {
            let value = wait.value();
            let millis = match value.as_text() {
                Some(text) => crate::config::duration(text)
                    .ok()
                    .map(|time| time.as_secs_f64()),
                None => seconds(&value),
            };
            return match millis {
                Some(seconds) if (0.0..1e9).contains(&seconds) => {
                    input.push(Put::Wait((seconds * 1000.0) as i64));
                }
                _ => self.bad(
                    source,
                    wait.span,
                    "wait is a number of seconds, or a text such as 5m",
                ),
            };
        }
        let Some(tag) = node.get("tag").and_then(Node::as_text) else {
            return self.bad(source, node.span, "an input event needs a tag");
        };
        let time = node.get("time").map(|node| seconds(&node.value()));
        if time == Some(None) {
            self.bad(source, node.span, "time is in seconds, or in ISO 8601");
        }
        let time = time.flatten();
        let line = |text: &str| {
            let mut record = Record::with_capacity(1);
            record.set("log", Value::text(text));
            record
        };
        let mut records = Vec::new();
        if let Some(record) = node.get("record") {
            match self.record(record, source) {
                Some(record) => records.push(record),
                None => return,
            }
        }
        records.extend(node.get("line").and_then(Node::as_text).map(line));
        let lines = self.list(node.get("lines"), "lines", source);
        records.extend(lines.iter().filter_map(Node::as_text).map(line));
        if records.is_empty() {
            self.bad(
                source,
                node.span,
                "an input event needs record, line or lines",
            );
        }
        let events = records.into_iter();
        input.extend(events.map(|record| Put::Event(tag.into(), time, record)));
    }

    fn record(&mut self, node: &Node, source: &Arc<Source>) -> Option<Record> {
        match node.value() {
            Value::Map(map) => Some(map.entries().into_iter().collect()),
            _ => {
                self.bad(source, node.span, "a record is a map");
                None
            }
        }
    }

    fn expected(&mut self, node: &Node, source: &Arc<Source>) -> Vec<Expected> {
        let mut all = Vec::new();
        for event in self.list(Some(node), "expect", source) {
            if !self.known(event, EXPECT, "an expected event", source) {
                continue;
            }
            let truth = event.get("where").and_then(|node| {
                let text = node.as_text().unwrap_or_default();
                let own = Arc::new(Source::expression(text));
                match compile(&own, self.context) {
                    Ok(program) => Some(program),
                    Err(fault) => {
                        self.bad(source, node.span, format!("where: {}", fault.message));
                        None
                    }
                }
            });
            let record = event.get("record").or(event.get("fields"));
            all.push(Expected {
                span: event.span,
                tag: event.get("tag").and_then(Node::as_text).map(SmolStr::new),
                record: record.and_then(|node| self.record(node, source)),
                part: event.get("record").is_none(),
                truth,
            });
        }
        all
    }
}

/// Seconds since 1970 of a number or a date.
pub(super) fn seconds(value: &Value) -> Option<f64> {
    match value {
        Value::Int(n) => Some(f64::from(*n)),
        Value::Long(n) => Some(*n as f64),
        Value::Double(n) if n.is_finite() => Some(*n),
        Value::Object(_) | Value::Text(_) => {
            let text = python::text(value).replace(' ', "T");
            let zoned = [
                text.clone(),
                format!("{text}Z"),
                format!("{text}T00:00:00Z"),
            ];
            let mut parsed = zoned
                .iter()
                .filter_map(|text| chrono::DateTime::parse_from_rfc3339(text).ok());
            parsed
                .next()
                .map(|moment| moment.timestamp_millis() as f64 / 1000.0)
        }
        _ => None,
    }
}

/// The clock of a case.
#[derive(Debug)]
struct Told(AtomicI64);

impl Clock for Told {
    fn now(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// The fields of an event as variables, and its tag unless a field has that name.
struct Fields<'a>(&'a Event);

struct Owned(Event);

impl Fields<'_> {
    fn get(&self, name: &str) -> Option<Value> {
        let field = self.0.record.get(name).cloned();
        field.or_else(|| (name == "tag").then(|| Value::Text(self.0.tag.clone())))
    }
}

impl Variables for Owned {
    fn get(&self, name: &str) -> Option<Value> {
        look_up(name, |name| Fields(&self.0).get(name))
    }

    fn all(&self) -> Vec<(SmolStr, Value)> {
        let fields = self.0.record.iter();
        let named =
            fields.filter_map(|(name, value)| Some((SmolStr::new(name.as_text()?), value.clone())));
        named.collect()
    }
}

/// Runs a case. Errors: the pipeline cannot be made.
pub fn run(case: &Case, file: &File, context: &Context) -> Result<Verdict, Vec<Fault>> {
    let clock = Arc::new(Told(AtomicI64::new(case.clock)));
    let mut context = Context {
        clock: clock.clone(),
        ..context.clone()
    };
    context.services.add(Arc::new(Common {
        trial: true,
        ..Common::default()
    }));
    let pipelines = engine::build(file, &context)?;
    let mut trial = match pipelines.into_iter().nth(case.pipeline) {
        Some(pipeline) => Trial::new(pipeline),
        None => {
            return Ok(Verdict {
                failures: Vec::new(),
            });
        }
    };
    let at = case.at.unwrap_or(trial.first());
    trial.tick(Now(clock.now()));
    for put in &case.input {
        match put {
            Put::Wait(millis) => {
                // In steps of a second, as time passes.
                let end = clock.now().saturating_add(*millis);
                let step = (millis / 10_000).max(1000);
                while clock.now() < end {
                    let next = clock.now().saturating_add(step).min(end);
                    clock.0.store(next, Ordering::SeqCst);
                    trial.tick(Now(next));
                }
            }
            Put::Event(tag, time, record) => {
                let now = clock.now();
                let time = match time {
                    Some(seconds) if seconds.fract() == 0.0 => Time::Whole(*seconds as i64),
                    Some(seconds) => Time::Fraction(*seconds),
                    None => Time::Whole(now.div_euclid(1000)),
                };
                let (tag, record) = (tag.clone(), record.clone());
                trial.feed(at, Event { tag, time, record }, Now(now));
            }
        }
    }
    let mut failures = Vec::new();
    let mut fail = |span: Span, text: String| {
        let place = case.source.position(span.start);
        failures.push((place.line, place.column, text));
    };
    for (step, span, expected) in &case.expect {
        let taken = trial.taken.iter();
        let taken = taken.filter(|taken| step.is_none_or(|step| taken.step == step));
        let taken: Vec<&Event> = taken.map(|taken| &taken.event).collect();
        for (number, expected) in expected.iter().enumerate() {
            match taken.get(number) {
                Some(event) => {
                    for text in compare(expected, event, &context) {
                        fail(expected.span, format!("event {}: {text}", number + 1));
                    }
                }
                None => fail(expected.span, format!("event {} does not come", number + 1)),
            }
        }
        for (number, event) in taken.iter().enumerate().skip(expected.len()) {
            fail(
                *span,
                format!("event {} is one too many: {}", number + 1, shown(event)),
            );
        }
    }
    if trial.refused.len() != case.dead {
        let text = format!(
            "{} dead letters instead of {}",
            trial.refused.len(),
            case.dead
        );
        fail(case.span, text);
        for refused in &trial.refused {
            let (number, reason, event) =
                (refused.step + 1, &refused.reason, shown(&refused.event));
            fail(case.span, format!("  step {number}: {reason}: {event}"));
        }
    }
    if let Some(reason) = trial.ended {
        fail(case.span, format!("the pipeline ends: {reason}"));
    }
    Ok(Verdict { failures })
}

fn shown(event: &Event) -> String {
    let mut text = format!("{}: ", event.tag);
    python::write_record(&event.record, &mut text);
    text
}

fn repr(value: &Value) -> String {
    let mut text = String::new();
    python::write_repr(value, &mut text);
    text
}

/// How an event differs from what is expected.
fn compare(expected: &Expected, event: &Event, context: &Context) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(tag) = expected.tag.as_ref().filter(|tag| **tag != event.tag) {
        found.push(format!("the tag is {}, not {tag}", event.tag));
    }
    if let Some(record) = &expected.record {
        let get = |record: &Record, name: &Value| {
            let mut fields = record.iter();
            fields
                .find(|(key, _)| python::equal(key, name))
                .map(|(_, value)| value.clone())
        };
        for (name, value) in record.iter() {
            match get(&event.record, name) {
                None => found.push(format!("- {}: {}", repr(name), repr(value))),
                Some(own) if !python::equal(&own, value) => {
                    let name = repr(name);
                    found.push(format!("- {name}: {}", repr(value)));
                    found.push(format!("+ {name}: {}", repr(&own)));
                }
                Some(_) => {}
            }
        }
        for (name, value) in event.record.iter().filter(|_| !expected.part) {
            if get(record, name).is_none() {
                found.push(format!("+ {}: {}", repr(name), repr(value)));
            }
        }
    }
    if let Some(program) = &expected.truth {
        let context = context.with_variables(Arc::new(Owned(event.clone())));
        match program.evaluate(&context) {
            Ok(value) if truth(&value) => {}
            Ok(value) => found.push(format!("where is {}, of {}", repr(&value), shown(event))),
            Err(fault) => found.push(format!("where: {}", fault.message)),
        }
    }
    found
}
