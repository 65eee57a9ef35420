//! What is computed over the rows of a group.

use super::groups::weight;
use crate::eval::Value;
use crate::eval::order;
use crate::functions::sketches::hash;
use crate::functions::sketches::hyperloglog::{Form, HyperLogLog};
use std::cmp::Ordering;

/// A way to compute one value of many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// How many rows; with an argument, in how many it is not null.
    Count,
    /// The sum of numbers.
    Sum,
    /// Their mean.
    Avg,
    /// The smallest value.
    Min,
    /// The largest value.
    Max,
    /// The value of the earliest row.
    First,
    /// The value of the latest row.
    Last,
    /// How many different values, by a sketch (1 % off).
    CountDistinct,
}

/// All of them with their names.
pub const KINDS: &[(&str, Kind)] = &[
    ("count", Kind::Count),
    ("sum", Kind::Sum),
    ("avg", Kind::Avg),
    ("min", Kind::Min),
    ("max", Kind::Max),
    ("first", Kind::First),
    ("last", Kind::Last),
    ("countdistinct", Kind::CountDistinct),
];

impl Kind {
    /// The aggregate with this name, in any case as the words of the language.
    pub fn named(name: &str) -> Option<Kind> {
        let found = KINDS.iter().find(|(known, _)| *known == name);
        found.map(|(_, kind)| *kind)
    }

    /// The type of its values, as [`crate::input::Column`] has it.
    pub fn column(self) -> &'static str {
        match self {
            Kind::Count | Kind::CountDistinct => "int8",
            Kind::Avg => "float8",
            _ => "",
        }
    }

    /// What it has seen of no row.
    pub fn start(self) -> State {
        match self {
            Kind::Count => State::Count(0),
            Kind::Sum => State::Sum(None),
            Kind::Avg => State::Avg(0.0, 0),
            Kind::Min => State::Extreme(Value::Null, Ordering::Less),
            Kind::Max => State::Extreme(Value::Null, Ordering::Greater),
            Kind::First => State::At(i64::MAX, Value::Null, Ordering::Less),
            Kind::Last => State::At(i64::MIN, Value::Null, Ordering::Greater),
            // The sizes that HLLP_INIT takes by itself; they are good.
            Kind::CountDistinct => match HyperLogLog::new(14, 25) {
                Ok(sketch) => State::Distinct(Box::new(sketch)),
                Err(_) => State::Count(0),
            },
        }
    }
}

/// What an aggregate has seen of a group.
pub enum State {
    Count(i64),
    Sum(Option<Sum>),
    Avg(f64, u64),
    /// The best value, and how a better one compares with it.
    Extreme(Value, Ordering),
    /// The value at a time, and how the time of a better one compares.
    At(i64, Value, Ordering),
    Distinct(Box<HyperLogLog>),
}

/// A sum stays whole as long as all numbers are.
#[derive(Debug, Clone, Copy)]
pub enum Sum {
    Whole(i128),
    Real(f64),
}

fn real(value: &Value) -> Option<f64> {
    match value {
        Value::Int(n) => Some(f64::from(*n)),
        Value::Long(n) => Some(*n as f64),
        Value::Float(n) => Some(f64::from(*n)),
        Value::Double(n) => Some(*n),
        Value::Big(n) => n.to_string().parse().ok(),
        _ => None,
    }
}

fn whole(value: &Value) -> Option<i128> {
    match value {
        Value::Int(n) => Some(i128::from(*n)),
        Value::Long(n) => Some(i128::from(*n)),
        Value::Big(n) => i128::try_from(n.as_ref()).ok(),
        _ => None,
    }
}

impl State {
    /// Takes the value of one more row; null counts for nothing but `count()`. Errors: what is wrong with the value.
    pub fn add(&mut self, value: Option<&Value>, time: i64, longest: usize) -> Result<(), String> {
        let value = match (value, &mut *self) {
            (None, State::Count(n)) => {
                *n += 1;
                return Ok(());
            }
            (None | Some(Value::Null), _) => return Ok(()),
            (Some(value), _) => value,
        };
        match self {
            State::Count(n) => *n += 1,
            State::Sum(sum) => {
                *sum = Some(match (sum.take(), whole(value), real(value)) {
                    (None, Some(n), _) => Sum::Whole(n),
                    (Some(Sum::Whole(so_far)), Some(n), _) => Sum::Whole(so_far.saturating_add(n)),
                    (Some(Sum::Whole(so_far)), None, Some(n)) => Sum::Real(so_far as f64 + n),
                    (Some(Sum::Real(so_far)), _, Some(n)) => Sum::Real(so_far + n),
                    (None, None, Some(n)) => Sum::Real(n),
                    (so_far, ..) => {
                        *sum = so_far;
                        return Err(no_number("sum", value));
                    }
                });
            }
            State::Avg(sum, count) => {
                *sum += real(value).ok_or_else(|| no_number("avg", value))?;
                *count += 1;
            }
            State::Extreme(best, better) => {
                if best.is_null() {
                    *best = value.clone();
                } else {
                    let found = order(value, best).map_err(|fault| fault.message.clone())?;
                    if found == Some(*better) {
                        *best = value.clone();
                    }
                }
            }
            State::At(best, kept, better) => {
                let order = time.cmp(best);
                // Of rows of one time the first is the first, and the last the last.
                let takes = order == *better
                    || kept.is_null()
                    || (order == Ordering::Equal && *better == Ordering::Greater);
                if takes {
                    (*best, *kept) = (time, value.clone());
                }
            }
            State::Distinct(sketch) => {
                sketch.add(hash(value, longest).map_err(|fault| fault.message.clone())?);
            }
        }
        Ok(())
    }

    /// What it keeps beyond its own size, roughly, in bytes.
    pub fn weight(&self) -> usize {
        match self {
            State::Extreme(value, _) | State::At(_, value, _) => weight(value),
            State::Distinct(sketch) => {
                4 * match sketch.form() {
                    Form::Sparse { set, waiting, .. } => set.len() + waiting.len(),
                    Form::Normal(registers) => registers.len(),
                }
            }
            _ => 0,
        }
    }

    /// The value for the whole group.
    pub fn value(self) -> Value {
        match self {
            State::Count(n) => Value::Long(n),
            State::Sum(None) => Value::Null,
            State::Sum(Some(Sum::Whole(n))) => match i64::try_from(n) {
                Ok(n) => Value::Long(n),
                Err(_) => Value::Double(n as f64),
            },
            State::Sum(Some(Sum::Real(n))) => Value::Double(n),
            State::Avg(_, 0) => Value::Null,
            State::Avg(sum, count) => Value::Double(sum / count as f64),
            State::Extreme(value, _) | State::At(_, value, _) => value,
            State::Distinct(mut sketch) => Value::Long(sketch.cardinality()),
        }
    }
}

fn no_number(name: &str, value: &Value) -> String {
    format!("{name} takes numbers, not {}", value.kind_in_words())
}
