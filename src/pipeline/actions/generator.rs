//! `input_generator`

mod chance;
mod maker;

use crate::diagnostic::{Code, Diagnostic, Fault, Outcome, nearest};
use crate::eval::Value;
use crate::pipeline::expression::{Expression, World};
use crate::pipeline::spec::{
    ActionKind, ActionSpec, Build, ParameterKind, ParameterSpec, Parameters,
};
use crate::pipeline::step::{Feed, Input, Packed, Step, Token, Unpacked};
use crate::pipeline::template::Template;
use crate::pipeline::trial::seconds;
use crate::pipeline::yaml::{Kind, Node};
use chance::{Chance, Pick};
use maker::{Clock, Fields, Maker};
use serde_json::{Value as Json, json};
use smol_str::SmolStr;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub const INPUT_GENERATOR: ActionSpec = ActionSpec {
    name: "input_generator",
    kind: ActionKind::Input,
    summary: "Makes events by expressions, as many and as fast as wanted, the same ones each time.",
    details: "`record` is a map of fields, in which every text is an expression (numbers, booleans and null stand for themselves, maps and lists may hold more of them, and what is null or empty is left out), or the expression of the whole record; a list of maps makes as many events, null none. Expressions see `n`, the number of the event, from 0; `random`, a number from 0 up to 1, another one for each field; `time`, the time of the event in milliseconds; the names in `pick` and `vars`; and the fields above. A name that is none of these is a fault of the file.\n\nChance depends on `seed`, the number of the event and the name of the field alone: every run makes the same events, and so does one that goes on after a crash, for the number is the place that `--state` and `db_path` keep. What looks at the clock differs of course, and so does the time of events without `start`.\n\nWith `rate` an event comes when it is due; a pipeline that is more than a second behind goes on at its rate from there. With `--once` a `count` is needed. Functions that look elsewhere (ENRICHMENT_GET) are run in order, others on all cores.",
    parameters: &[
        ParameterSpec::required("tag", ParameterKind::Text, "the tag of the events"),
        ParameterSpec::required(
            "record",
            ParameterKind::Any,
            "the fields with their expressions, or the expression of the record",
        ),
        ParameterSpec::optional(
            "count",
            ParameterKind::Whole,
            "without end",
            "how many numbers there are",
        ),
        ParameterSpec::optional(
            "rate",
            ParameterKind::Number,
            "as fast as the pipeline takes them",
            "how many events there are in a second",
        ),
        ParameterSpec::optional(
            "pick",
            ParameterKind::Map,
            "",
            "names, each with a list of values one of which is chosen for every event, or a map of values with their weights",
        ),
        ParameterSpec::optional(
            "vars",
            ParameterKind::Map,
            "",
            "values by name, as they stand, for the expressions",
        ),
        ParameterSpec::optional(
            "seed",
            ParameterKind::Whole,
            "0",
            "where chance begins; another one makes other events",
        ),
        ParameterSpec::optional(
            "start",
            ParameterKind::Any,
            "the clock",
            "the time of the first event: seconds since 1970, or ISO 8601",
        ),
        ParameterSpec::optional(
            "step",
            ParameterKind::Seconds,
            "1s",
            "from `start` on, how much later each event is",
        ),
        super::alert::DB_PATH,
    ],
    examples: &[
        "- name: input_generator\n  tag: number\n  count: 3\n  record: {number: n, square: n * n}",
        "- name: input_generator\n  tag: web\n  rate: 1000\n  seed: 7\n  pick:\n    path: [/, /index.html, /login]\n    status: {200: 90, 404: 8, 500: 2}\n  record:\n    timestamp: time / 1000\n    source_ip: FORMAT('10.0.0.%d', TO_INTEGER(random * 256))\n    request: {path: path, method: \"if path == '/login' then 'POST' else 'GET'\"}\n    status: status",
        "- name: input_generator\n  tag: login\n  count: 86400\n  start: 2026-11-16T00:00:00Z\n  step: 1s\n  vars: {users: [alice, bob, carol]}\n  record: \"if random < 0.1 then {'at': time, 'user': GET(users, n - 3 * (n / 3))} else null\"",
    ],
    make,
};

/// So many numbers make a batch at most.
const BATCH: u64 = 1000;

/// Batches are not closer together than this when there is a rate.
const PAUSE: f64 = 0.005;

/// So far the events may be behind their rate, in seconds; what is missed beyond that is not made up for.
const BEHIND: f64 = 1.0;

struct Generator {
    maker: Arc<Maker>,
    /// Whether events may be made on several threads at once.
    pure: bool,
    count: Option<u64>,
    rate: Option<f64>,
    next: u64,
}

fn make(parameters: &Parameters, build: &Build<'_>) -> Outcome<Step> {
    let world = World::new(build.context);
    let positive = |name: &str| match parameters.whole(name) {
        Some(number) => match u64::try_from(number) {
            Ok(number) if number > 0 => Ok(Some(number)),
            _ => Err(parameters.fault(name, format!("{name} is 1 or more, not {number}"))),
        },
        None => Ok(None),
    };
    let count = positive("count")?;
    if count.is_none() && build.common().once {
        let text = "input_generator has no count, and with --once it would never end";
        return Err(parameters
            .fault("count", text)
            .help("write `count: 1000`, or leave --once away"));
    }
    let rate = parameters.number("rate");
    if let Some(rate) = rate.filter(|rate| !(rate.is_finite() && *rate > 0.0)) {
        let text = format!("rate is a number of events in a second above 0, not {rate}");
        return Err(parameters.fault("rate", text));
    }
    let clock = clock(parameters)?;
    let chance = Chance::new(parameters.whole("seed").unwrap_or_default());
    let mut names: Vec<SmolStr> = ["n", "random", "time"].map(SmolStr::new_static).to_vec();
    let mut picks = Vec::new();
    for (name, node) in entries(parameters, "pick") {
        let name = free(name, &names)?;
        picks.push((name.clone(), Pick::new(node, chance.of(&name))?));
        names.push(name);
    }
    let mut given: Vec<(SmolStr, Value)> = Vec::new();
    for (name, node) in entries(parameters, "vars") {
        let name = free(name, &names)?;
        given.push((name.clone(), node.value()));
        names.push(name);
    }
    let mut pure = true;
    let fields = match parameters.raw("record") {
        Some(node) => match &node.kind {
            Kind::Map(parts) => {
                let mut fields = Vec::new();
                for (key, node) in parts {
                    let name = text_of(key)?;
                    let template = Template::new(node, &given, &world)?;
                    let mut seen = Ok(());
                    template.each(&mut |expression| {
                        pure &= expression.is_pure();
                        if seen.is_ok() {
                            seen = known(expression, &names, node);
                        }
                    });
                    seen?;
                    fields.push((name.clone(), chance.of(&name), template));
                    names.push(name);
                }
                Fields::Each(fields)
            }
            _ => {
                let expression = Expression::new(node, &given, &world)?;
                known(&expression, &names, node)?;
                pure = expression.is_pure();
                Fields::Whole(chance.of(""), expression)
            }
        },
        None => return Err(parameters.fault("record", "input_generator lacks record")),
    };
    Ok(Step::Input(Box::new(Generator {
        maker: Arc::new(Maker {
            world,
            tag: parameters.text_or("tag", ""),
            clock,
            picks,
            fields,
        }),
        pure,
        count,
        rate,
        next: 0,
    })))
}

fn clock(parameters: &Parameters) -> Outcome<Option<Clock>> {
    let Some(start) = parameters.value("start").filter(|value| !value.is_null()) else {
        return match parameters.has("step") {
            true => Err(parameters
                .fault("step", "step has no start")
                .help("write `start: 2026-11-16T00:00:00Z`, or leave step away")),
            false => Ok(None),
        };
    };
    let start = seconds(&start).filter(|start| start.abs() < 1e12);
    let start = start
        .ok_or_else(|| parameters.fault("start", "start is a time in seconds, or in ISO 8601"))?;
    let step = parameters.seconds("step");
    Ok(Some(Clock {
        start: start * 1000.0,
        step: step.unwrap_or(Duration::from_secs(1)).as_secs_f64() * 1000.0,
    }))
}

fn entries<'a>(parameters: &'a Parameters, name: &str) -> &'a [(Node, Node)] {
    match parameters.raw(name).map(|node| &node.kind) {
        Some(Kind::Map(entries)) => entries,
        _ => &[],
    }
}

fn text_of(key: &Node) -> Outcome<SmolStr> {
    let text = key.as_text().map(SmolStr::new);
    text.ok_or_else(|| bad(key, "a name is a text"))
}

/// A name that nothing else has.
fn free(key: &Node, names: &[SmolStr]) -> Outcome<SmolStr> {
    let name = text_of(key)?;
    match names.contains(&name) || name == "_" {
        true => Err(bad(key, format!("{name} is there already"))),
        false => Ok(name),
    }
}

/// Errors: a name that an expression reads and nothing has.
fn known(expression: &Expression, names: &[SmolStr], node: &Node) -> Outcome<()> {
    let is = |name: &str| names.iter().any(|known| known == name);
    let unknown = expression.fields().find(|name| {
        let mut points = name.match_indices('.');
        !is(name) && !points.any(|(at, _)| is(name.get(..at).unwrap_or_default()))
    });
    match unknown {
        None => Ok(()),
        Some(name) => {
            let fault = bad(node, format!("nothing here is named {name}"));
            let near = nearest(name, names.iter().map(SmolStr::as_str));
            Err(match near {
                Some(_) => fault.did_you_mean(near),
                None => fault.help(format!("there are {}", names.join(", "))),
            })
        }
    }
}

fn bad(node: &Node, message: impl Into<String>) -> Fault {
    Diagnostic::at(Code::BadPipeline, node.span, message)
}

/// Numbers of which events are made on the way.
struct Numbers {
    maker: Arc<Maker>,
    numbers: Range<u64>,
    /// The time by the clock, in milliseconds.
    now: i64,
}

impl Packed for Numbers {
    fn unpack(&self, take: &mut dyn FnMut(Unpacked)) {
        for n in self.numbers.clone() {
            self.maker.make(n, self.now, take);
        }
    }
}

/// The number of the next event.
struct Place(u64);

impl Token for Place {
    fn position(&self) -> Option<Json> {
        Some(json!({"next": self.0}))
    }
}

impl Generator {
    /// Feeds some events. False when the pipeline has ended.
    fn feed(&self, numbers: Range<u64>, feed: &Feed) -> bool {
        let token: Option<Arc<dyn Token>> = Some(Arc::new(Place(numbers.end)));
        let now = feed.clock.now();
        if self.pure {
            let maker = self.maker.clone();
            let batch = Numbers {
                maker,
                numbers,
                now,
            };
            return feed.packed(Box::new(batch), token);
        }
        let mut made = Vec::new();
        for n in numbers {
            let mut bad = None;
            self.maker.make(n, now, &mut |one| match one {
                Ok(event) => made.push(event),
                Err(refused) => bad = Some(refused),
            });
            if let Some((event, reason)) = bad
                && !(feed.events(std::mem::take(&mut made), None) && feed.bad(event, reason, None))
            {
                return false;
            }
        }
        feed.events(made, token)
    }
}

impl Input for Generator {
    fn run(&mut self, feed: &Feed) -> Outcome<()> {
        let (mut began, mut fed) = (Instant::now(), 0u64);
        while !feed.stopped() {
            let left = self
                .count
                .map_or(u64::MAX, |count| count.saturating_sub(self.next));
            if left == 0 {
                break;
            }
            let mut size = left.min(BATCH);
            if let Some(rate) = self.rate {
                let passed = began.elapsed().as_secs_f64();
                let (due, wanted) = (fed as f64 / rate, (passed * rate) as u64);
                if wanted < fed {
                    // A rate may be far below one a second, and then Ctrl-C is heard while it waits.
                    let rest = (due - passed).clamp(PAUSE, 3600.0);
                    feed.pause(Duration::from_secs_f64(rest));
                    continue;
                }
                if passed - due > BEHIND {
                    (began, fed) = (Instant::now(), 0);
                    continue;
                }
                size = size.min((wanted - fed).saturating_add(1));
            }
            let end = self.next.saturating_add(size);
            if !self.feed(self.next..end, feed) {
                break;
            }
            self.next = end;
            fed += size;
        }
        Ok(())
    }

    fn load(&mut self, position: &Json) -> Result<(), String> {
        let next = position.get("next").and_then(Json::as_u64);
        self.next = next.ok_or("the place of input_generator is no number of an event")?;
        Ok(())
    }
}
