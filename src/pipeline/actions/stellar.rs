//! `filter_stellar`

use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::eval::collections::Map;
use crate::eval::{Context, Later, Value};
use crate::pipeline::event::Event;
use crate::pipeline::expression::{Expression, World};
use crate::pipeline::record::Record;
use crate::pipeline::spec::{
    ActionKind, ActionSpec, Build, ParameterKind, ParameterSpec, Parameters,
};
use crate::pipeline::step::{Done, Flow, Kept, Now, Pure, Step};
use crate::pipeline::yaml::Kind;
use smallvec::SmallVec;
use smol_str::SmolStr;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

pub const FILTER_STELLAR: ActionSpec = ActionSpec {
    name: "filter_stellar",
    kind: ActionKind::Filter,
    summary: "Keeps or drops events, sets fields, makes new records and tags, all by expressions.",
    details: "Names stand for the fields of the event (`geo.city` for what is below), `_` for all of them, as in `stellar filter` and `stellar map`; what is not there is null. First `expr`: false, null and what is empty drop the event, and a value that is neither true nor false is an error. Then `set`, one field after the other, later ones seeing those before. Then `record`: a map becomes the event's record, a list of maps as many events; null and an empty list leave none. Then `tag`, which sees the new record. What cannot be evaluated goes to the dead letters as it came.\n\nThe functions of a step run on all cores when they depend on their arguments alone or look up collections (COLLECTION_HAS; the questions of a batch go to the store together), else event by event in order; `parallel: true` lets functions that look elsewhere (ENRICHMENT_GET, GEO_GET) run on all cores, too. `now` is the time of the pipeline: with `--clock event:FIELD` that of the event.",
    parameters: &[
        ParameterSpec::optional(
            "expr",
            ParameterKind::Expression,
            "",
            "the condition under which an event is kept",
        ),
        ParameterSpec::optional(
            "set",
            ParameterKind::Map,
            "",
            "fields with the expressions of their values; numbers, booleans and null stand for themselves",
        ),
        ParameterSpec::optional(
            "record",
            ParameterKind::Expression,
            "",
            "the expression of a new record",
        ),
        ParameterSpec::optional(
            "tag",
            ParameterKind::Expression,
            "",
            "the expression of a new tag",
        ),
        ParameterSpec::optional(
            "vars",
            ParameterKind::Map,
            "",
            "values by name, as they stand, for the expressions; they hide fields",
        ),
        ParameterSpec::optional(
            "parallel",
            ParameterKind::Flag,
            "whether all functions depend on their arguments alone, or look up collections",
            "whether the expressions may run on several threads at once",
        ),
    ],
    examples: &[
        "- name: filter_stellar\n  match: login\n  expr: result == 'failure' and not(IN_SUBNET(source_ip, '10.0.0.0/8'))",
        "- name: filter_stellar\n  match: web\n  vars: {office: [10.1.0.0/16, 10.2.0.0/16]}\n  set:\n    domain: DOMAIN_REMOVE_TLD(host)\n    inside: IN_SUBNET(src_ip, GET(office, 0), GET(office, 1))\n    severity: 3",
        "- name: filter_stellar\n  match: dns\n  record: \"MAP(answers, answer -> {'query': query, 'answer': answer})\"\n  tag: \"'dns.answer'\"",
    ],
    make,
};

struct Filter {
    world: World,
    keeps: Option<Expression>,
    sets: Vec<(SmolStr, Expression)>,
    record: Option<Expression>,
    tag: Option<Expression>,
    /// Whether expressions ask servers, so that the questions of a batch can go there together: a number of its own.
    asks: Option<u64>,
}

thread_local! {
    /// What the steps of this thread asked for the events that come now, by their numbers.
    static ANSWERS: RefCell<HashMap<u64, Rc<Answers>>> = RefCell::default();
}

/// A context in which questions are answered by what was asked for all events.
struct Answers {
    later: Arc<Later>,
    context: Context,
}

/// The same where order matters.
struct InOrder(Filter);

/// The number of the next step that asks servers.
static NEXT: AtomicU64 = AtomicU64::new(0);

fn make(parameters: &Parameters, build: &Build<'_>) -> Outcome<Step> {
    let world = World::new(build.context);
    let mut given: Vec<(SmolStr, Value)> = Vec::new();
    for (name, value) in parameters.map("vars") {
        match name {
            Value::Text(name) => given.push((name, value)),
            _ => return Err(parameters.fault("vars", "the names of variables are texts")),
        }
    }
    let one = |name: &str| -> Outcome<Option<Expression>> {
        let node = parameters.raw(name);
        node.map(|node| Expression::new(node, &given, &world))
            .transpose()
    };
    let (keeps, record, tag) = (one("expr")?, one("record")?, one("tag")?);
    let mut sets = Vec::new();
    if let Some(Kind::Map(entries)) = parameters.raw("set").map(|node| &node.kind) {
        for (key, node) in entries {
            let Some(name) = key.as_text() else {
                let text = "the names of fields are texts";
                return Err(Diagnostic::at(Code::BadPipeline, key.span, text));
            };
            let expression = Expression::or_constant(node, &given, &world)?;
            sets.push((SmolStr::new(name), expression));
        }
    }
    let all = sets.iter().map(|(_, expression)| expression);
    let all: Vec<&Expression> = all.chain(&keeps).chain(&record).chain(&tag).collect();
    if all.is_empty() {
        let fault = Diagnostic::at(
            Code::BadPipeline,
            parameters.span,
            "filter_stellar does nothing without expr, set, record or tag",
        );
        return Err(fault.help("write `expr: status == 'failure'`"));
    }
    let alone = |expression: &&Expression| expression.is_pure() || expression.asks();
    let alone = all.iter().all(alone);
    let asks = (alone && all.iter().any(|expression| expression.asks()))
        .then(|| NEXT.fetch_add(1, Ordering::Relaxed));
    let parallel = parameters.flag("parallel").unwrap_or(alone);
    let filter = Filter {
        world,
        keeps,
        sets,
        record,
        tag,
        asks,
    };
    Ok(match parallel {
        true => Step::Pure(Arc::new(filter)),
        false => Step::Kept(Box::new(InOrder(filter))),
    })
}

/// What a field was before it was set; `None` when it was not there.
type Undo<'a> = SmallVec<[(&'a SmolStr, Option<Value>); 4]>;

impl Filter {
    /// Sets the fields; those set before one that fails are in `undo`.
    fn set<'a>(
        &'a self,
        event: &mut Event,
        context: &Context,
        undo: &mut Undo<'a>,
    ) -> Result<(), String> {
        for (name, expression) in &self.sets {
            let value = expression
                .run(&event.record, context)
                .map_err(|reason| format!("{name}: {reason}"))?;
            match event.record.get_mut(name) {
                Some(old) => undo.push((name, Some(std::mem::replace(old, value)))),
                None => {
                    event.record.set(name.clone(), value);
                    undo.push((name, None));
                }
            }
        }
        Ok(())
    }

    /// The records and the tag that the event becomes; `None` when it stays what it is.
    fn rest(&self, event: &Event, context: &Context) -> Result<Option<Vec<Event>>, String> {
        let made = match &self.record {
            Some(record) => records(record.run(&event.record, context)?)?,
            None if self.tag.is_none() => return Ok(None),
            None => vec![event.record.clone()],
        };
        let mut events = Vec::with_capacity(made.len());
        for record in made {
            let mut made = Event {
                tag: event.tag.clone(),
                time: event.time,
                record,
            };
            if let Some(tag) = &self.tag {
                made.tag = tag.text("the tag", &made, context)?;
            }
            events.push(made);
        }
        Ok(Some(events))
    }

    fn work(&self, event: &mut Event, now: Now, more: &mut Vec<Event>) -> Done {
        let context = self.world.at(now);
        let Some(number) = self.asks else {
            return self.done(event, context, more);
        };
        let answers = ANSWERS.with_borrow(|answers| answers.get(&number).cloned());
        if let Some(answers) = answers {
            let done = self.done(event, &answers.context, more);
            if !answers.later.left() {
                return done;
            }
        }
        // Not asked before: nothing has been done to the event yet.
        self.done(event, context, more)
    }

    fn done(&self, event: &mut Event, context: &Context, more: &mut Vec<Event>) -> Done {
        if let Some(keeps) = &self.keeps
            && !keeps.holds(&event.record, context)?
        {
            return Ok(Flow::Drop);
        }
        let mut undo = Undo::new();
        let done = self
            .set(event, context, &mut undo)
            .and_then(|()| self.rest(event, context));
        let made = match done {
            Ok(made) => made,
            Err(reason) => {
                for (name, old) in undo.into_iter().rev() {
                    match old {
                        Some(old) => event.record.set(name.clone(), old),
                        None => drop(event.record.remove(name)),
                    }
                }
                return Err(reason);
            }
        };
        let Some(made) = made else {
            return Ok(Flow::Pass);
        };
        let mut made = made.into_iter();
        let Some(first) = made.next() else {
            return Ok(Flow::Drop);
        };
        *event = first;
        more.extend(made);
        Ok(Flow::Pass)
    }
}

/// The records in a value. Errors: it is neither a map nor a list of maps.
pub(super) fn records(value: Value) -> Result<Vec<Record>, String> {
    let record = |map: &Map| map.entries().into_iter().collect::<Record>();
    match value {
        Value::Null => Ok(Vec::new()),
        Value::Map(map) => Ok(vec![record(&map)]),
        Value::List(list) => list.with(|items| {
            let one = |item: &Value| match item {
                Value::Map(map) => Ok(record(map)),
                other => Err(format!(
                    "the list of records holds {}, not a map",
                    other.kind_in_words()
                )),
            };
            items.iter().map(one).collect()
        }),
        other => Err(format!(
            "the record is {}, not a map or a list of maps",
            other.kind_in_words()
        )),
    }
}

impl Pure for Filter {
    fn waits(&self) -> bool {
        self.asks.is_some()
    }

    fn ahead(&self, events: &[&Event], now: Now) {
        let Some(number) = self.asks else { return };
        let later = Arc::new(Later::default());
        let mut context = self.world.at(now).clone();
        context.services.add(later.clone());
        let rest = self.sets.iter().map(|(_, expression)| expression);
        let rest: Vec<&Expression> = rest.chain(&self.record).chain(&self.tag).collect();
        // What comes of it does not count here, but the answers do, and so do failures.
        let _ = later.settle(events.len(), &context, |n| {
            let Some(event) = events.get(n) else { return };
            let keeps = self.keeps.as_ref();
            if keeps.is_some_and(|keeps| keeps.holds(&event.record, &context) != Ok(true)) {
                return;
            }
            for expression in rest.iter().filter(|expression| expression.asks()) {
                let _ = expression.run(&event.record, &context);
            }
        });
        let answers = Rc::new(Answers { later, context });
        ANSWERS.with_borrow_mut(|all| all.insert(number, answers));
    }

    fn apply(&self, event: &mut Event, now: Now, more: &mut Vec<Event>) -> Done {
        self.work(event, now, more)
    }
}

impl Kept for InOrder {
    fn apply(&mut self, event: &mut Event, now: Now, more: &mut Vec<Event>) -> Done {
        self.0.work(event, now, more)
    }
}
