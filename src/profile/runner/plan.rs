//! A profile at work: its compiled expressions, its entities, and what went wrong.

use super::builder::{Builder, Failed, Flushed, OF_MEASUREMENT, unless_interrupted};
use super::expression::{Names, Ready, Sight};
use super::message::{Fields, Row};
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome};
use crate::eval::collections::MapKind;
use crate::eval::convert::{to_bool, to_string};
use crate::eval::json::write_json;
use crate::eval::text::to_text;
use crate::eval::{Context, Value};
use crate::profile::definition::{Definition, Expression, Role};
use indexmap::IndexMap;
use smol_str::SmolStr;
use std::borrow::Cow;
use std::sync::Arc;

/// Entities by name, in the order in which they came.
type Entities = IndexMap<SmolStr, Builder, ahash::RandomState>;

/// What went wrong with one expression of a profile.
#[derive(Debug, Clone)]
pub struct Trouble {
    /// What the expression is for.
    pub role: Role,
    /// Its text.
    pub expression: SmolStr,
    /// How often it failed.
    pub count: u64,
    /// The last failure.
    pub last: Option<Fault>,
    /// The entity of the last failure, where it was known.
    pub entity: Option<SmolStr>,
    /// When the last failure was, in the order of the work.
    pub(in crate::profile) turn: (i64, u64),
}

/// The compiled part of a profile.
pub(in crate::profile) struct Plan {
    pub definition: Arc<Definition>,
    /// The variables of the profile.
    pub names: Vec<SmolStr>,
    only_if: Ready,
    foreach: Ready,
    /// The variable that each expression sets.
    pub init: Vec<(usize, Ready)>,
    pub update: Vec<(usize, Ready)>,
    pub result: Ready,
    pub triage: Vec<(SmolStr, Ready)>,
    pub groups: Vec<Ready>,
}

/// A profile at work.
pub(super) struct Worker {
    pub plan: Plan,
    pub active: Entities,
    /// Entities that were idle for too long, until they are flushed for the last time.
    expired: Entities,
    pub routes: u64,
    pub troubles: Vec<Trouble>,
}

impl Plan {
    pub fn new(definition: &Arc<Definition>, fields: &mut Fields, context: &Context) -> Plan {
        let names = definition.variables();
        // In the order of Definition::expressions, for the numbers.
        let mut maker = Maker {
            next: 0,
            fields,
            context,
        };
        let foreach = maker.of_message(&definition.foreach, &[]);
        let only_if = maker.of_message(&definition.only_if, &[]);
        let init = maker.assignments(&definition.init, &names);
        let update = maker.assignments(&definition.update, &names);
        let groups = definition.group_by.iter();
        let groups = groups
            .map(|e| maker.of_state(e, &names, &OF_MEASUREMENT))
            .collect();
        let result = maker.of_state(&definition.result, &names, &[]);
        let triage = definition.triage.iter();
        let triage = triage.map(|(name, e)| (name.clone(), maker.of_state(e, &names, &[])));
        Plan {
            triage: triage.collect(),
            only_if,
            foreach,
            init,
            update,
            groups,
            result,
            definition: definition.clone(),
            names,
        }
    }
}

impl Plan {
    /// Whether a message matters. Errors: that of `onlyif`.
    #[inline]
    pub fn wants(
        &self,
        message: Row<'_>,
        slots: &mut Vec<Value>,
        context: &Context,
    ) -> Result<bool, Failed> {
        if self.only_if.is_true() {
            return Ok(true);
        }
        wanted(&self.only_if, of_message(message), slots, context)
            .map_err(|fault| (self.only_if.number, fault))
    }

    /// What a message is about. Errors: that of `foreach`.
    #[inline]
    pub fn entity<'a>(
        &'a self,
        message: Row<'a>,
        slots: &mut Vec<Value>,
        context: &Context,
    ) -> Result<Cow<'a, SmolStr>, Failed> {
        let sight = of_message(message);
        match self.foreach.look(sight) {
            Some(Value::Text(text)) => Ok(Cow::Borrowed(text)),
            _ => entity(&self.foreach, sight, slots, context)
                .map(Cow::Owned)
                .map_err(|fault| (self.foreach.number, fault)),
        }
    }

    /// The fields of messages that `init` and `update` read, in order, and whether they read the whole message.
    pub fn reads(&self) -> (Vec<usize>, bool) {
        let mut fields = Vec::new();
        let mut whole = false;
        for (_, ready) in self.init.iter().chain(&self.update) {
            whole |= ready.reads(&mut fields);
        }
        fields.sort_unstable();
        fields.dedup();
        (fields, whole)
    }

    /// The number of `foreach` among the expressions.
    pub fn number_of_foreach(&self) -> usize {
        self.foreach.number
    }

    /// The number of `result` among the expressions.
    pub fn number_of_result(&self) -> usize {
        self.result.number
    }
}

/// What `onlyif` and `foreach` see.
fn of_message(message: Row<'_>) -> Sight<'_> {
    Sight {
        state: &[],
        names: &[],
        message,
        extra: &[],
    }
}

/// No trouble yet with any expression.
pub(in crate::profile) fn troubles(definition: &Definition) -> Vec<Trouble> {
    let none = |(role, expression): (Role, &Expression)| Trouble {
        role,
        expression: expression.text().clone(),
        count: 0,
        last: None,
        entity: None,
        turn: (0, 0),
    };
    definition.expressions().map(none).collect()
}

/// Compiles the expressions of a profile one after the other.
struct Maker<'a> {
    /// The number of the next one.
    next: usize,
    fields: &'a mut Fields,
    context: &'a Context,
}

impl Maker<'_> {
    fn number(&mut self) -> usize {
        self.next += 1;
        self.next - 1
    }

    /// One that sees the variables and the message.
    fn of_message(&mut self, expression: &Expression, state: &[SmolStr]) -> Ready {
        let number = self.number();
        let mut names = Names {
            state,
            fields: Some(self.fields),
            extra: &[],
        };
        Ready::new(number, expression, &mut names, self.context)
    }

    /// One that sees the variables and further names.
    fn of_state(
        &mut self,
        expression: &Expression,
        state: &[SmolStr],
        extra: &[&'static str],
    ) -> Ready {
        let mut names = Names {
            state,
            fields: None,
            extra,
        };
        Ready::new(self.number(), expression, &mut names, self.context)
    }

    fn assignments(
        &mut self,
        entries: &[(SmolStr, Expression)],
        state: &[SmolStr],
    ) -> Vec<(usize, Ready)> {
        let one = |(name, expression): &(SmolStr, Expression)| {
            let variable = state.iter().position(|n| n == name);
            (
                variable.unwrap_or(usize::MAX),
                self.of_message(expression, state),
            )
        };
        entries.iter().map(one).collect()
    }
}

impl Worker {
    pub fn new(definition: &Arc<Definition>, fields: &mut Fields, context: &Context) -> Worker {
        Worker {
            troubles: troubles(definition),
            plan: Plan::new(definition, fields, context),
            active: Entities::default(),
            expired: Entities::default(),
            routes: 0,
        }
    }

    /// Sends a message to the builder of its entity, if it has one; `true` when it has.
    ///
    /// Errors: E0204 for an entity without a name, E0307. What else fails is noted.
    pub fn apply(
        &mut self,
        message: Row<'_>,
        time: Option<i64>,
        (now, turn): (i64, u64),
        slots: &mut Vec<Value>,
        context: &Context,
    ) -> Outcome<bool> {
        let Worker {
            plan,
            active,
            expired: _,
            routes,
            troubles,
        } = self;
        let routed = plan.wants(message, slots, context).and_then(|wanted| {
            let routed = wanted && time.is_some();
            routed
                .then(|| plan.entity(message, slots, context))
                .transpose()
        });
        let entity = match routed {
            Ok(Some(entity)) => entity,
            Ok(None) => return Ok(false),
            Err(failed) => {
                note(
                    troubles,
                    plan,
                    unless_interrupted(failed)?,
                    None,
                    Default::default(),
                );
                return Ok(false);
            }
        };
        let Some(time) = time else {
            return Ok(false);
        };
        let entity = entity.as_ref();
        let builder = match active.get_mut(entity) {
            Some(builder) => builder,
            None if entity.is_empty() => return Err(nameless(plan)),
            None => active
                .entry(entity.clone())
                .or_insert(Builder::new(plan.names.len())),
        };
        builder.touched = now;
        builder.turn = turn;
        *routes += 1;
        if let Err(failed) = builder.apply(plan, message, time, slots, context) {
            note(
                troubles,
                plan,
                unless_interrupted(failed)?,
                Some(entity),
                Default::default(),
            );
        }
        Ok(true)
    }

    /// The measurements of entities that had messages since the last flush.
    pub fn flush(
        &mut self,
        duration: i64,
        slots: &mut Vec<Value>,
        context: &Context,
        out: &mut Vec<Flushed>,
    ) -> Outcome<()> {
        let Worker { plan, active, .. } = self;
        flush(
            plan,
            &mut self.troubles,
            active,
            duration,
            slots,
            context,
            out,
        )
    }

    /// The same for those that were idle for too long; they are forgotten.
    pub fn flush_expired(
        &mut self,
        duration: i64,
        slots: &mut Vec<Value>,
        context: &Context,
        out: &mut Vec<Flushed>,
    ) -> Outcome<()> {
        let Worker { plan, expired, .. } = self;
        flush(
            plan,
            &mut self.troubles,
            expired,
            duration,
            slots,
            context,
            out,
        )?;
        self.expired.clear();
        Ok(())
    }

    /// Takes the entities that are idle out of service.
    pub fn expire(&mut self, idle: impl Fn(&Builder) -> bool) {
        if !self.active.values().any(&idle) {
            return;
        }
        let (gone, kept) = std::mem::take(&mut self.active)
            .into_iter()
            .partition::<Entities, _>(|(_, builder)| idle(builder));
        self.active = kept;
        self.expired.extend(gone);
    }

    /// Forgets those that are out of service and were not used since `before`.
    pub fn forget(&mut self, before: i64) {
        self.expired.retain(|_, builder| builder.touched >= before);
    }
}

/// What builders have measured.
fn flush(
    plan: &Plan,
    troubles: &mut [Trouble],
    entities: &mut Entities,
    duration: i64,
    slots: &mut Vec<Value>,
    context: &Context,
    out: &mut Vec<Flushed>,
) -> Outcome<()> {
    for (entity, builder) in entities {
        match builder.flush(plan, entity, duration, slots, context) {
            Ok(Some(flushed)) => out.push(flushed),
            Ok(None) => {}
            Err(failed) => note(
                troubles,
                plan,
                unless_interrupted(failed)?,
                Some(entity),
                Default::default(),
            ),
        }
    }
    Ok(())
}

/// Counts a failure; the first of an expression is logged as a warning.
#[cold]
pub(in crate::profile) fn note(
    troubles: &mut [Trouble],
    plan: &Plan,
    failed: Failed,
    entity: Option<&SmolStr>,
    turn: (i64, u64),
) {
    let (number, fault) = failed;
    let Some(trouble) = troubles.get_mut(number) else {
        return;
    };
    trouble.count += 1;
    let (profile, role, expression) =
        (&plan.definition.profile, &trouble.role, &trouble.expression);
    if trouble.count == 1 {
        tracing::warn!(
            "profile {profile}: {role}: {} in {expression}",
            fault.message
        );
    } else {
        tracing::debug!(
            "profile {profile}: {role}: {} in {expression}",
            fault.message
        );
    }
    trouble.last = Some(fault);
    trouble.turn = turn;
    trouble.entity = entity.cloned();
}

#[cold]
pub(in crate::profile) fn nameless(plan: &Plan) -> Fault {
    let message = format!(
        "the foreach of profile {} gives an empty text: an entity must have a name",
        plan.definition.profile
    );
    Diagnostic::new(Code::ArgumentValue, message).help("leave such messages out by onlyif")
}

/// Whether a message matters. Errors: those of the expression, E0203 when it is neither true nor false.
fn wanted(
    ready: &Ready,
    sight: Sight<'_>,
    slots: &mut Vec<Value>,
    context: &Context,
) -> Outcome<bool> {
    match ready.run(sight, slots, context)? {
        Value::Bool(b) => Ok(b),
        other => to_bool(&other).ok_or_else(|| {
            let message = format!("it gives {} instead of true or false", said(&other));
            Diagnostic::new(Code::ArgumentType, message)
        }),
    }
}

/// What a message is about. Errors: those of the expression, E0203 when there is no text to it.
fn entity(
    ready: &Ready,
    sight: Sight<'_>,
    slots: &mut Vec<Value>,
    context: &Context,
) -> Outcome<SmolStr> {
    let value = ready.run(sight, slots, context)?;
    name(&value).ok_or_else(|| {
        let message = format!("it gives {}, which names no entity", said(&value));
        Diagnostic::new(Code::ArgumentType, message)
    })
}

/// The text of an entity: a list stands for its first element, and a map made from JSON is written as JSON.
fn name(value: &Value) -> Option<SmolStr> {
    let first = match value {
        Value::Text(text) => return Some(text.clone()),
        Value::List(list) => list.get(0)?,
        other => other.clone(),
    };
    match &first {
        Value::Map(map) if matches!(map.kind(), MapKind::Ordered | MapKind::View) => {
            let mut json = Vec::new();
            write_json(&first, &mut json).ok()?;
            String::from_utf8(json).ok().map(SmolStr::from)
        }
        other => to_string(other),
    }
}

/// A value in words, with its text where that is short.
fn said(value: &Value) -> String {
    let words = value.kind_in_words();
    let short = matches!(value, Value::Bool(_)) || value.is_number();
    match value {
        Value::Text(text) if text.chars().count() <= 40 => format!("the string '{text}'"),
        _ if short => format!("{words} ({})", to_text(value)),
        _ => words,
    }
}
