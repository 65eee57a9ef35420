//! `filter_collect` and `output_redis`

use crate::collect::Collections;
use crate::collect::entry::{About, EVENTDATE, Entry};
use crate::collect::key::{Base, Field, Key, Kind};
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome};
use crate::eval::{Value, json};
use crate::input::moment;
use crate::pipeline::event::Event;
use crate::pipeline::expression::{Expression, World, field};
use crate::pipeline::spec::{
    ActionKind, ActionSpec, Build, ParameterKind, ParameterSpec, Parameters,
};
use crate::pipeline::step::{Done, Flow, Kept, Now, Render, Sink, Step};
use crate::pipeline::yaml::{Kind as NodeKind, Node};
use crate::store::{Deadline, Within};
use serde_json::{Map, Value as Json, json};
use smol_str::SmolStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// What both actions take.
const PARAMETERS: &[ParameterSpec] = &[
    ParameterSpec::required(
        "collection",
        ParameterKind::Text,
        "the name of the collection, by which COLLECTION_HAS and COLLECTION_GET find it",
    ),
    ParameterSpec::required(
        "expire_in",
        ParameterKind::Seconds,
        "how long an entry is kept after the time of its event",
    ),
    ParameterSpec::required(
        "keys",
        ParameterKind::Texts,
        "the expressions that make the key, in order; most are names of fields",
    ),
    ParameterSpec::optional(
        "values",
        ParameterKind::Any,
        "the time alone",
        "what is kept besides: names of fields, or a map of names to expressions",
    ),
    ParameterSpec::optional(
        "time_key",
        ParameterKind::Text,
        "the time of the event",
        "the field with the time: seconds, milliseconds or ISO 8601",
    ),
    ParameterSpec::optional(
        "description",
        ParameterKind::Text,
        "",
        "what the collection is for",
    ),
    ParameterSpec::optional(
        "patience",
        ParameterKind::Seconds,
        "1m",
        "how long the pipeline waits for a store that cannot be reached",
    ),
];

pub const FILTER_COLLECT: ActionSpec = ActionSpec {
    name: "filter_collect",
    kind: ActionKind::Filter,
    summary: "Notes in a collection what the events are about; they pass unchanged.",
    details: "An entry has a key, made of the values of `keys`, the time of the event, and what `values` names. A later event of the same key replaces the entry, an earlier one does not; it is forgotten `expire_in` after its time. The collection lies where `store.collection` says: in the embedded file, or in Redis. Any expression finds it by COLLECTION_HAS and COLLECTION_GET, other programs as docs/collections.md describes.\n\nEntries are written together, and before places and states are saved: after a crash what was not written comes again, and writing it twice changes nothing. While the store cannot be reached the pipeline waits, for `patience` at most, and ends then with an error. An event that has no key (a list or a map among its parts) or no time goes to the dead letters.",
    parameters: PARAMETERS,
    examples: &[
        "- name: filter_collect\n  match: login\n  collection: logins\n  expire_in: 1h\n  keys: [domain, username]\n  values: [ip_src_addr]",
    ],
    make: make_filter,
};

pub const OUTPUT_REDIS: ActionSpec = ActionSpec {
    name: "output_redis",
    kind: ActionKind::Output,
    summary: "Writes events as entries of a collection, in Redis or in the embedded file.",
    details: "As `filter_collect`, for the end of a pipeline: keys and values are made on all threads. Where they go says `store.collection`; without it they lie in the embedded file.",
    parameters: PARAMETERS,
    examples: &[
        "- name: output_redis\n  match: dns\n  collection: domains\n  expire_in: 1d\n  keys: DOMAIN_REMOVE_SUBDOMAINS(query)\n  values: {client: source_ip, kind: \"'dns'\"}",
    ],
    make: make_output,
};

/// So many entries are written together.
const TOGETHER: usize = 4_000;

/// So long a call of the store may take.
const CALL: Duration = Duration::from_secs(10);

/// So long the store is waited for when the program shall end.
const LAST: Duration = Duration::from_secs(3);

/// From an event to an entry.
struct Maker {
    world: World,
    base: Base,
    life: i64,
    keys: Vec<Expression>,
    values: Vec<(SmolStr, Expression)>,
    time_key: Option<SmolStr>,
}

/// Entries on their way into the store.
struct Shelf {
    collections: Arc<Collections>,
    world: World,
    about: About,
    life: i64,
    described: bool,
    patience: Duration,
    /// Set when the pipelines shall end.
    stop: Arc<AtomicBool>,
    entries: Vec<Entry>,
    stored: u64,
    older: u64,
    expired: u64,
}

fn parts(parameters: &Parameters, build: &Build<'_>) -> Outcome<(Maker, Shelf)> {
    let world = World::new(build.context);
    let Some(collections) = build.context.services.get::<Collections>() else {
        return Err(parameters.fault("collection", "there is no store of collections here"));
    };
    let name = parameters.text_or("collection", "");
    if name.trim().is_empty() {
        return Err(parameters.fault("collection", "a collection has a name"));
    }
    let life = parameters.seconds("expire_in").unwrap_or_default();
    let life = i64::try_from(life.as_millis()).unwrap_or(i64::MAX);
    if life < 1000 {
        return Err(parameters.fault("expire_in", "an entry is kept for a second at least"));
    }
    let mut names = Vec::new();
    let mut keys = Vec::new();
    for node in listed(parameters.raw("keys")) {
        names.push(Field::new(node.as_text().unwrap_or_default(), Kind::Any));
        keys.push(Expression::new(node, &[], &world)?);
    }
    if keys.is_empty() {
        return Err(parameters.fault("keys", "a key has one part at least"));
    }
    let mut values = Vec::new();
    match parameters.raw("values").map(|node| (node, &node.kind)) {
        None => {}
        Some((_, NodeKind::Map(entries))) => {
            for (key, node) in entries {
                let name = key.as_text().unwrap_or_default();
                if name.is_empty() {
                    return Err(parameters.fault("values", "the name of a value is a text"));
                }
                values.push((name.into(), Expression::or_constant(node, &[], &world)?));
            }
        }
        Some((node, _)) => {
            for node in listed(Some(node)) {
                let Some(name) = node.as_text() else {
                    return Err(parameters.fault("values", "the name of a field is a text"));
                };
                values.push((name.into(), Expression::new(node, &[], &world)?));
            }
        }
    }
    // The time is kept in any case, by this name.
    values.retain(|(name, _): &(SmolStr, Expression)| name != EVENTDATE);
    let about = About {
        name,
        domain: collections.domain().clone(),
        description: parameters.text_or("description", ""),
        expire_in: life / 1000,
        key_fields: names,
        value_fields: values
            .iter()
            .map(|(name, _)| Field::new(name.clone(), Kind::Any))
            .collect(),
    };
    let maker = Maker {
        world: world.clone(),
        base: about.base(),
        life,
        keys,
        values,
        time_key: parameters.text("time_key"),
    };
    let patience = parameters.seconds("patience");
    let shelf = Shelf {
        collections,
        world,
        about,
        life,
        described: false,
        patience: patience.unwrap_or(Duration::from_secs(60)),
        stop: build.common().stop.clone(),
        entries: Vec::new(),
        stored: 0,
        older: 0,
        expired: 0,
    };
    Ok((maker, shelf))
}

/// The nodes of a list; one alone is a list of one.
fn listed(node: Option<&Node>) -> &[Node] {
    match node.map(|node| (node, &node.kind)) {
        None => &[],
        Some((_, NodeKind::List(items))) => items,
        Some((node, _)) => std::slice::from_ref(node),
    }
}

fn make_filter(parameters: &Parameters, build: &Build<'_>) -> Outcome<Step> {
    let (maker, shelf) = parts(parameters, build)?;
    let failed = None;
    Ok(Step::Kept(Box::new(Collect {
        maker,
        shelf,
        failed,
    })))
}

fn make_output(parameters: &Parameters, build: &Build<'_>) -> Outcome<Step> {
    let (maker, shelf) = parts(parameters, build)?;
    Ok(Step::Output(Arc::new(maker), Box::new(shelf)))
}

impl Maker {
    /// The entry of an event. Errors: why it has none.
    fn entry(&self, event: &Event) -> Result<Entry, String> {
        let context = self.world.at(Now(event.time.millis()));
        let date = match &self.time_key {
            None => event.time.millis(),
            Some(name) => {
                let value = field(&event.record, name).unwrap_or_default();
                moment(&value)
                    .ok_or_else(|| format!("{name} is {}, not a time", value.kind_in_words()))?
            }
        };
        let mut keys = smallvec::SmallVec::<[Value; 4]>::new();
        for key in &self.keys {
            keys.push(key.run(&event.record, context)?);
        }
        let key = Key::of(&self.base, &keys).map_err(|fault| fault.message.clone())?;
        let mut fields = Vec::with_capacity(self.values.len());
        for (name, value) in &self.values {
            fields.push((name.clone(), value.run(&event.record, context)?));
        }
        Ok(Entry {
            key,
            date,
            expires: date.saturating_add(self.life),
            fields: (!self.values.is_empty()).then_some(fields),
        })
    }
}

impl Shelf {
    /// Writes what waits. Errors: those of the store, after some patience.
    fn store(&mut self) -> Outcome<()> {
        if self.entries.is_empty() {
            return Ok(());
        }
        let began = Instant::now();
        let mut pause = Duration::from_millis(100);
        loop {
            match self.try_store() {
                Ok(()) => break,
                Err(fault)
                    if fault.code == Code::Interrupted
                        || began.elapsed() + pause > self.patience() =>
                {
                    return Err(fault);
                }
                Err(fault) => {
                    let name = &self.about.name;
                    tracing::warn!(
                        "the collection {name} waits for its store: {}",
                        fault.message
                    );
                    std::thread::sleep(pause);
                    pause = (pause * 2).min(Duration::from_secs(2));
                }
            }
        }
        self.entries.clear();
        Ok(())
    }

    /// How long the store is waited for now.
    fn patience(&self) -> Duration {
        match self.stop.load(Ordering::Relaxed) {
            true => self.patience.min(LAST),
            false => self.patience,
        }
    }

    fn try_store(&mut self) -> Outcome<()> {
        let within = Within {
            deadline: Deadline::after(CALL),
            ..Within::context(self.world.context())
        };
        if !self.described {
            self.collections.describe(&self.about, within)?;
            self.described = true;
        }
        let written = self.collections.put(&self.entries, within)?;
        self.stored += written.stored;
        self.older += written.older;
        self.expired += written.expired;
        Ok(())
    }

    fn counted(&self) -> Vec<(&'static str, u64)> {
        vec![
            ("stored", self.stored),
            ("older", self.older),
            ("expired", self.expired),
        ]
    }
}

/// Events that pass while they are noted.
struct Collect {
    maker: Maker,
    shelf: Shelf,
    /// What kept entries from being written; it ends the pipeline.
    failed: Option<Fault>,
}

impl Kept for Collect {
    fn apply(&mut self, event: &mut Event, _: Now, _: &mut Vec<Event>) -> Done {
        let entry = self.maker.entry(event)?;
        self.shelf.entries.push(entry);
        if self.shelf.entries.len() >= TOGETHER && self.failed.is_none() {
            self.failed = self.shelf.store().err();
        }
        Ok(Flow::Pass)
    }

    fn flush(&mut self) -> Outcome<()> {
        match self.failed.take() {
            Some(fault) => Err(fault),
            None => self.shelf.store(),
        }
    }

    fn others(&self) -> Vec<(&'static str, u64)> {
        self.shelf.counted()
    }
}

impl Render for Maker {
    fn render(&self, event: &Event, _: &mut String, out: &mut Vec<u8>) -> Result<(), String> {
        let entry = self.entry(event)?;
        let fields = match &entry.fields {
            None => Json::Null,
            Some(fields) => {
                let mut all = Map::new();
                for (name, value) in fields {
                    let value = json::to_json(value).map_err(|fault| fault.message.clone())?;
                    all.insert(name.to_string(), value);
                }
                Json::Object(all)
            }
        };
        let line = json!([entry.date, entry.key.hash, fields]);
        serde_json::to_writer(&mut *out, &line).map_err(|error| error.to_string())?;
        out.push(b'\n');
        Ok(())
    }
}

impl Sink for Shelf {
    fn until(&mut self, stop: &Arc<AtomicBool>) {
        self.stop = stop.clone();
    }

    fn write(&mut self, _: &str, bytes: &[u8], _: usize) -> Outcome<()> {
        let odd = || Diagnostic::new(Code::Internal, "output_redis cannot read what it wrote");
        let base = self.about.base();
        let depth = self.world.context().limits.depth;
        for line in bytes.split(|byte| *byte == b'\n') {
            if line.is_empty() {
                continue;
            }
            let read = serde_json::from_slice(line).map_err(|_| odd())?;
            let (date, hash, fields): (i64, [u8; 16], Option<Map<String, Json>>) = read;
            let fields = fields.map(|fields| {
                let field = |(name, value): (String, Json)| {
                    Ok((SmolStr::from(name), json::from_json(&value, depth)?))
                };
                fields.into_iter().map(field).collect::<Outcome<Vec<_>>>()
            });
            self.entries.push(Entry {
                key: Key {
                    base: base.clone(),
                    hash,
                },
                date,
                expires: date.saturating_add(self.life),
                fields: fields.transpose()?,
            });
            if self.entries.len() >= TOGETHER {
                self.store()?;
            }
        }
        Ok(())
    }

    fn tick(&mut self, _: Now, _: bool) -> Outcome<()> {
        self.store()
    }

    fn flush(&mut self, _: bool) -> Outcome<()> {
        self.store()
    }

    fn others(&self) -> Vec<(&'static str, u64)> {
        self.counted()
    }
}
