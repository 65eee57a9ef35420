//! Profiles over a stream of records that somebody else reads: a period closes when the watermark passes its end.
//!
//! What is open can be saved and taken up again, so that a stop loses nothing.

use super::late::{key, variables};
use super::route::hash;
use super::row::copy;
use crate::config::FixedClock;
use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::eval::collections::{List, Map};
use crate::eval::{Context, Value};
use crate::functions::kryo;
use crate::profile::definition::{Definition, Definitions};
use crate::profile::measurement::Measurement;
use crate::profile::period::Period;
use crate::profile::runner::{
    Builder, Fields, Plan, Row, Trouble, nameless, note, time, troubles, unless_interrupted,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use indexmap::IndexMap;
use serde_json::{Map as JsonMap, Value as Json, json};
use smol_str::SmolStr;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The entities of each profile.
type Entities = Vec<IndexMap<SmolStr, Builder, ahash::RandomState>>;

/// Where the fields of a record come from.
pub trait Fieldful {
    /// The value of a name, which may lead into maps.
    fn field(&self, name: &str) -> Option<Value>;
    /// All fields, as a map that cannot be changed.
    fn whole(&self) -> Map;
}

/// What became of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// So many profiles took it.
    By(usize),
    /// Its period has been closed already.
    Late,
}

/// Profiles at work on a stream.
pub struct Stream {
    plans: Vec<Plan>,
    troubles: Vec<Vec<Trouble>>,
    fields: Vec<SmolStr>,
    whole: bool,
    duration: i64,
    /// No more entities than this are kept in all open periods together.
    most: usize,
    context: Context,
    at_end: Context,
    open: BTreeMap<i64, Entities>,
    entities: usize,
    watermark: i64,
    late: u64,
    refused: u64,
    /// Memory to work in.
    row: Vec<Value>,
    slots: Vec<Value>,
}

impl Stream {
    /// Compiles definitions for periods of so many milliseconds, with at most so many entities at once.
    ///
    /// Errors: E0222 without profiles.
    pub fn new(
        definitions: &Definitions,
        duration: i64,
        most: usize,
        context: &Context,
    ) -> Outcome<Stream> {
        if definitions.profiles.is_empty() {
            let message = "there are no profiles in the definitions";
            return Err(Diagnostic::new(Code::BadProfile, message));
        }
        let context = crate::profile::runner::Profiler::context(context);
        let mut fields = Fields::default();
        let mut profiles: Vec<&Arc<Definition>> = Vec::new();
        for definition in &definitions.profiles {
            if !profiles.iter().any(|known| known.same(definition)) {
                profiles.push(definition);
            }
        }
        let plans: Vec<Plan> = profiles
            .iter()
            .map(|definition| Plan::new(definition, &mut fields, &context))
            .collect();
        Ok(Stream {
            troubles: profiles
                .iter()
                .map(|definition| troubles(definition))
                .collect(),
            plans,
            whole: fields.whole,
            fields: fields.into_names(),
            duration: duration.max(1),
            most,
            at_end: context.clone(),
            context,
            open: BTreeMap::new(),
            entities: 0,
            watermark: i64::MIN,
            late: 0,
            refused: 0,
            row: Vec::new(),
            slots: Vec::new(),
        })
    }

    /// The time in a field of a record, as the profiler reads it: milliseconds since 1970.
    pub fn time(value: &Value) -> Option<i64> {
        time(value)
    }

    /// Applies a record with its time in milliseconds. What an expression cannot do with it is counted.
    ///
    /// Errors: E0307.
    pub fn apply(&mut self, record: &impl Fieldful, time: i64) -> Outcome<Taken> {
        let period = Period::of(time, self.duration);
        let number = period.number;
        if period.end() <= self.watermark {
            self.late += 1;
            return Ok(Taken::Late);
        }
        self.row.clear();
        for name in &self.fields {
            let value = record.field(name).unwrap_or_default();
            self.row.push(long(value));
        }
        if self.whole {
            self.row.push(Value::Map(record.whole()));
        }
        let message = Row::new(&self.row);
        let mut taken = 0;
        for (index, (plan, troubles)) in self.plans.iter().zip(&mut self.troubles).enumerate() {
            let (slots, context) = (&mut self.slots, &self.context);
            let entity = match plan.wants(message, slots, context) {
                Ok(false) => continue,
                Ok(true) => plan.entity(message, slots, context),
                Err(failed) => Err(failed),
            };
            let entity = match entity {
                Ok(entity) if entity.is_empty() => Err((plan.number_of_foreach(), nameless(plan))),
                other => other,
            };
            let turn = (number, 0);
            let entity = match entity {
                Ok(entity) => entity,
                Err(failed) => {
                    note(troubles, plan, unless_interrupted(failed)?, None, turn);
                    continue;
                }
            };
            let plans = self.plans.len();
            let open = self
                .open
                .entry(number)
                .or_insert_with(|| (0..plans).map(|_| IndexMap::default()).collect());
            let Some(entities) = open.get_mut(index) else {
                continue;
            };
            let builder = match entities.get_mut(entity.as_ref()) {
                Some(builder) => builder,
                None if self.entities >= self.most => {
                    self.refused += 1;
                    continue;
                }
                None => {
                    self.entities += 1;
                    entities
                        .entry(entity.as_ref().clone())
                        .or_insert_with(|| Builder::new(plan.names.len()))
                }
            };
            taken += 1;
            if let Err(failed) = builder.apply(plan, message, time, slots, context) {
                let failed = unless_interrupted(failed)?;
                note(troubles, plan, failed, Some(entity.as_ref()), turn);
            }
        }
        Ok(Taken::By(taken))
    }

    /// Whether a period would close at this watermark.
    pub fn is_due(&self, watermark: i64) -> bool {
        let first = self.open.keys().next();
        first.is_some_and(|number| self.period(*number).end() <= watermark)
    }

    fn period(&self, number: i64) -> Period {
        Period {
            number,
            duration: self.duration,
        }
    }

    /// Moves the watermark, and measures the periods that it has passed, the earliest first. It never goes back.
    ///
    /// Errors: E0307.
    pub fn advance(&mut self, watermark: i64) -> Outcome<Vec<Measurement>> {
        if watermark > self.watermark {
            self.watermark = watermark;
        }
        let mut measured = Vec::new();
        while let Some(number) = self.open.keys().next().copied() {
            let period = self.period(number);
            if period.end() > self.watermark {
                break;
            }
            if let Some(entities) = self.open.remove(&number) {
                self.measure(period, entities, &mut measured)?;
            }
        }
        Ok(measured)
    }

    /// Measures all periods that are open.
    pub fn end(&mut self) -> Outcome<Vec<Measurement>> {
        match self.open.keys().next_back().copied() {
            Some(last) => self.advance(self.period(last).end()),
            None => Ok(Vec::new()),
        }
    }

    fn measure(
        &mut self,
        period: Period,
        entities: Entities,
        out: &mut Vec<Measurement>,
    ) -> Outcome<()> {
        self.at_end.clock = Arc::new(FixedClock(period.end()));
        let plans = self.plans.iter().zip(&mut self.troubles);
        for ((plan, troubles), entities) in plans.zip(entities) {
            for (entity, builder) in entities {
                self.entities = self.entities.saturating_sub(1);
                if !builder.is_initialised() {
                    continue;
                }
                match builder.measure(plan, &entity, period, &mut self.slots, &self.at_end) {
                    Ok(flushed) => out.push(flushed.measurement),
                    Err(failed) => {
                        let failed = unless_interrupted(failed)?;
                        note(troubles, plan, failed, Some(&entity), (period.number, 1));
                    }
                }
            }
        }
        Ok(())
    }

    /// How many entities all open periods have.
    pub fn entities(&self) -> usize {
        self.entities
    }

    /// How many records came for entities that found no room.
    pub fn refused(&self) -> u64 {
        self.refused
    }

    /// How many records came too late.
    pub fn late(&self) -> u64 {
        self.late
    }

    /// How many expressions have failed.
    pub fn failed(&self) -> u64 {
        self.troubles
            .iter()
            .flatten()
            .map(|trouble| trouble.count)
            .sum()
    }

    /// What a stream needs to go on where it is: variables are in Kryo, written in base64.
    pub fn save(&self) -> Json {
        let mut periods = JsonMap::new();
        for (number, entities) in &self.open {
            let all = entities.iter().map(|entities| {
                let one = |(entity, builder): (&SmolStr, &Builder)| {
                    // An entity for which init has failed knows nothing.
                    let bytes = variables(builder).filter(|_| builder.is_initialised());
                    bytes.map(|bytes| (entity.to_string(), json!(STANDARD.encode(bytes))))
                };
                Json::Object(entities.iter().filter_map(one).collect())
            });
            periods.insert(number.to_string(), all.collect());
        }
        json!({
            "profiles": self.keys(),
            "watermark": self.watermark,
            "late": self.late,
            "refused": self.refused,
            "periods": periods,
        })
    }

    /// What the variables of each profile depend on, short.
    fn keys(&self) -> Vec<String> {
        let key = |plan: &Plan| format!("{:016x}", hash(&key(&plan.definition, self.duration)));
        self.plans.iter().map(key).collect()
    }

    /// Goes on where [`Stream::save`] was. Errors: why that is not possible; nothing is changed then.
    pub fn load(&mut self, state: &Json) -> Result<(), String> {
        if state.get("profiles") != Some(&json!(self.keys())) {
            return Err("the profiles or the length of their periods have changed".to_owned());
        }
        let whole = |name: &str| state.get(name).and_then(Json::as_i64);
        let periods = state.get("periods").and_then(Json::as_object);
        let (Some(watermark), Some(periods)) = (whole("watermark"), periods) else {
            return Err("it holds no `watermark` and `periods`".to_owned());
        };
        let mut open = BTreeMap::new();
        let mut count = 0;
        for (number, saved) in periods {
            let number: i64 = number
                .parse()
                .map_err(|_| format!("{number} is no period"))?;
            let mut all = Entities::new();
            for (index, plan) in self.plans.iter().enumerate() {
                let saved = saved.get(index).and_then(Json::as_object);
                let mut entities = IndexMap::default();
                for (entity, bytes) in saved.into_iter().flatten() {
                    let builder = resumed(plan, bytes)
                        .ok_or_else(|| format!("the variables of {entity} are damaged"))?;
                    entities.insert(SmolStr::new(entity), builder);
                    count += 1;
                }
                all.push(entities);
            }
            open.insert(number, all);
        }
        self.open = open;
        self.entities = count;
        self.watermark = watermark;
        self.late = whole("late")
            .and_then(|n| u64::try_from(n).ok())
            .unwrap_or(0);
        self.refused = whole("refused")
            .and_then(|n| u64::try_from(n).ok())
            .unwrap_or(0);
        Ok(())
    }
}

fn resumed(plan: &Plan, bytes: &Json) -> Option<Builder> {
    let bytes = STANDARD.decode(bytes.as_str()?).ok()?;
    match kryo::read(&bytes).ok()? {
        Value::List(values) => Builder::resumed(plan.names.len(), values.items()),
        _ => None,
    }
}

/// A value as profiles see it: whole numbers have 64 bits, and a collection is nobody else's.
fn long(value: Value) -> Value {
    match value {
        Value::Int(n) => Value::Long(i64::from(n)),
        // What cannot be copied is not kept over a stop either.
        Value::List(list) => {
            let items: Vec<Value> = list.items().into_iter().map(long).collect();
            Value::List(List::array(items))
        }
        map @ (Value::Map(_) | Value::Set(_)) => copy(&map).unwrap_or(map),
        other => other,
    }
}
