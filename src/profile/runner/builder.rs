//! What a profile knows about one entity: its variables, changed by messages, and what a flush makes of them.

use super::expression::{Ready, Sight};
use super::message::Row;
use super::plan::Plan;
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome};
use crate::eval::collections::MapKind;
use crate::eval::{Context, Value};
use crate::profile::measurement::Measurement;
use crate::profile::period::Period;
use smallvec::SmallVec;
use smol_str::SmolStr;

/// The names that `groupBy` sees beside the variables.
pub const OF_MEASUREMENT: [&str; 6] = ["profile", "entity", "start", "end", "duration", "result"];

/// The state of one entity of a profile. It outlives a flush; only `init` sets it anew.
#[derive(Clone)]
pub(in crate::profile) struct Builder {
    /// The variables, in the order of the plan.
    state: SmallVec<[Value; 2]>,
    /// Whether `init` has run since the last flush.
    initialised: bool,
    /// The latest time of a message that was applied without an error.
    latest: i64,
    /// When it was last used, by the clock.
    pub touched: i64,
    /// By which message it was last used.
    pub turn: u64,
}

/// An expression that failed: its number, and how.
pub(in crate::profile) type Failed = (usize, Fault);

/// A measurement, with the values of `triage` by name.
#[derive(Debug, Clone)]
pub struct Flushed {
    /// The measurement.
    pub measurement: Measurement,
    /// What goes to triage.
    pub triage: Vec<(SmolStr, Value)>,
}

impl Builder {
    /// Nothing is known yet of so many variables.
    pub fn new(variables: usize) -> Builder {
        Builder {
            state: smallvec::smallvec![Value::Null; variables],
            initialised: false,
            latest: 0,
            touched: 0,
            turn: 0,
        }
    }

    /// One whose variables have these values already; `None` when there are more or fewer.
    pub fn resumed(variables: usize, values: Vec<Value>) -> Option<Builder> {
        (values.len() == variables).then(|| Builder {
            state: values.into(),
            initialised: true,
            ..Builder::new(0)
        })
    }

    /// The values of the variables, in the order of the plan.
    pub fn values(&self) -> &[Value] {
        &self.state
    }

    /// Applies a message. Errors: the first expression that fails; what was assigned before stays.
    pub fn apply(
        &mut self,
        plan: &Plan,
        message: Row<'_>,
        time: i64,
        slots: &mut Vec<Value>,
        context: &Context,
    ) -> Result<(), Failed> {
        if !self.initialised {
            self.assign(&plan.init, plan, message, slots, context)?;
            self.initialised = true;
        }
        self.assign(&plan.update, plan, message, slots, context)?;
        self.latest = self.latest.max(time);
        Ok(())
    }

    /// Each assignment sees those before it; null assigns nothing.
    #[inline]
    fn assign(
        &mut self,
        assignments: &[(usize, Ready)],
        plan: &Plan,
        message: Row<'_>,
        slots: &mut Vec<Value>,
        context: &Context,
    ) -> Result<(), Failed> {
        for (variable, ready) in assignments {
            let sight = Sight {
                state: &self.state,
                names: &plan.names,
                message,
                extra: &[],
            };
            match ready.run(sight, slots, context) {
                Ok(Value::Null) => {}
                Ok(Value::Map(map)) if map.kind() == MapKind::View => {
                    return Err((ready.number, keeps_itself()));
                }
                Ok(value) => {
                    if let Some(place) = self.state.get_mut(*variable) {
                        *place = value;
                    }
                }
                Err(fault) => return Err((ready.number, fault)),
            }
        }
        Ok(())
    }

    /// What was measured since the last flush; `None` when no message came. Errors: the first expression that fails.
    pub fn flush(
        &mut self,
        plan: &Plan,
        entity: &SmolStr,
        duration: i64,
        slots: &mut Vec<Value>,
        context: &Context,
    ) -> Result<Option<Flushed>, Failed> {
        if !std::mem::take(&mut self.initialised) {
            return Ok(None);
        }
        let period = Period::of(self.latest, duration);
        self.measure(plan, entity, period, slots, context).map(Some)
    }

    /// Whether `init` has run.
    pub fn is_initialised(&self) -> bool {
        self.initialised
    }

    /// What the variables come to in a period. Errors: the first expression that fails.
    pub fn measure(
        &self,
        plan: &Plan,
        entity: &SmolStr,
        period: Period,
        slots: &mut Vec<Value>,
        context: &Context,
    ) -> Result<Flushed, Failed> {
        let definition = &plan.definition;
        let mut run = |ready: &Ready, extra: &[(&'static str, Value)]| {
            let sight = Sight {
                state: &self.state,
                names: &plan.names,
                message: Row::new(&[]),
                extra,
            };
            let value = ready.run(sight, slots, context);
            value
                .and_then(|value| {
                    if value.is_null() {
                        Err(null())
                    } else {
                        Ok(value)
                    }
                })
                .map_err(|fault| (ready.number, fault))
        };
        let value = run(&plan.result, &[])?;
        let mut triage = Vec::with_capacity(plan.triage.len());
        for (name, ready) in &plan.triage {
            triage.push((name.clone(), run(ready, &[])?));
        }
        let mut groups = Vec::with_capacity(plan.groups.len());
        if !plan.groups.is_empty() {
            // In the order of OF_MEASUREMENT.
            let [name, of, start, end, length, result] = OF_MEASUREMENT;
            let extra = [
                (name, Value::Text(definition.profile.clone())),
                (of, Value::Text(entity.clone())),
                (start, Value::Long(period.start())),
                (end, Value::Long(period.end())),
                (length, Value::Long(period.duration)),
                (result, value.clone()),
            ];
            for ready in &plan.groups {
                groups.push(run(ready, &extra)?);
            }
        }
        let measurement = Measurement {
            profile: definition.profile.clone(),
            entity: entity.clone(),
            groups,
            period,
            value,
            expires: definition.expires,
        };
        Ok(Flushed {
            measurement,
            triage,
        })
    }
}

#[cold]
fn null() -> Fault {
    Diagnostic::new(
        Code::ArgumentValue,
        "it gives null, where a measurement needs a value",
    )
    .help("messages cannot be seen here, only the variables of init and update")
}

#[cold]
fn keeps_itself() -> Fault {
    Diagnostic::new(
        Code::SelfContaining,
        "_ holds the variables of the profile, and cannot become one of them",
    )
}

/// A time that is seen as such: what Metron's converter makes a long of.
pub(in crate::profile) fn time(value: &Value) -> Option<i64> {
    crate::eval::convert::to_long(value)
}

/// The fault of an expression, unless the whole work was interrupted.
pub(in crate::profile) fn unless_interrupted(failed: Failed) -> Outcome<Failed> {
    match failed.1.code {
        Code::Interrupted => Err(failed.1),
        _ => Ok(failed),
    }
}
