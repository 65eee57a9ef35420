//! Events of numbers.

use super::chance::{Chance, Pick};
use crate::eval::Value;
use crate::pipeline::actions::stellar::records;
use crate::pipeline::event::{Event, Time};
use crate::pipeline::expression::{Expression, World};
use crate::pipeline::record::Record;
use crate::pipeline::step::{Now, Unpacked, whole};
use crate::pipeline::template::Template;
use smol_str::SmolStr;

/// The time of events, in milliseconds.
pub struct Clock {
    /// That of the first one.
    pub start: f64,
    /// From one to the next.
    pub step: f64,
}

/// What records are made of.
pub enum Fields {
    /// One after the other.
    Each(Vec<(SmolStr, Chance, Template)>),
    /// A map, or a list of them.
    Whole(Chance, Expression),
}

/// Makes the events of a number; it depends on nothing else, but for what looks at the clock.
pub struct Maker {
    pub world: World,
    pub tag: SmolStr,
    pub clock: Option<Clock>,
    pub picks: Vec<(SmolStr, Pick)>,
    pub fields: Fields,
}

impl Maker {
    /// Gives the events of the number `n`, made at the moment `now`.
    pub fn make(&self, n: u64, now: i64, take: &mut dyn FnMut(Unpacked)) {
        let (millis, time) = match &self.clock {
            // Events of the clock have whole seconds, as those of other inputs.
            None => (now, Time::Whole(now.div_euclid(1000))),
            Some(clock) => {
                let millis = (clock.start + n as f64 * clock.step).round() as i64;
                let time = match millis.rem_euclid(1000) {
                    0 => Time::Whole(millis.div_euclid(1000)),
                    _ => Time::Fraction(millis as f64 / 1000.0),
                };
                (millis, time)
            }
        };
        let event = |record: Record| Event {
            tag: self.tag.clone(),
            time,
            record,
        };
        let mut scope = Record::with_capacity(3 + self.picks.len());
        scope.set("n", whole(i64::try_from(n).unwrap_or(i64::MAX)));
        scope.set("time", whole(millis));
        for (name, pick) in &self.picks {
            scope.set(name.clone(), pick.at(n));
        }
        match self.records(n, &mut scope, millis) {
            Ok(records) => records
                .into_iter()
                .for_each(|record| take(Ok(event(record)))),
            Err(reason) => take(Err((event(scope), reason))),
        }
    }

    /// The records of a number. Errors: why there are none; what there was until then is in `scope`.
    fn records(&self, n: u64, scope: &mut Record, millis: i64) -> Result<Vec<Record>, String> {
        let context = self.world.at(Now(millis));
        match &self.fields {
            Fields::Whole(chance, expression) => {
                scope.set("random", Value::Double(chance.at(n)));
                records(expression.run(scope, context)?)
            }
            Fields::Each(fields) => {
                let mut record = Record::with_capacity(fields.len());
                for (name, chance, template) in fields {
                    if record.get("random").is_none() {
                        scope.set("random", Value::Double(chance.at(n)));
                    }
                    let made = template.fill(scope, context);
                    let made = made.map_err(|reason| format!("{name}: {reason}"))?;
                    scope.set(name.clone(), made.clone().unwrap_or_default());
                    if let Some(value) = made {
                        record.set(name.clone(), value);
                    }
                }
                Ok(vec![record])
            }
        }
    }
}
