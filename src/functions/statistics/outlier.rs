//! Outliers by the median absolute deviation, which a few extreme values cannot move.
//!
//! B. Iglewicz, D. Hoaglin: How to Detect and Handle Outliers (1993): the modified z-score.

use super::online::{Online, OnlineParts, Refusal};
use crate::diagnostic::{Fault, Outcome};
use crate::eval::{Call, Object, Value, text::to_text};
use crate::functions::spec::{
    Family, FunctionSpec, Kind, SPEC, default, example, fails, optional, required,
};
use parking_lot::Mutex;
use std::any::Any;
use std::sync::Arc;

/// The values of a tick of time and of the window of ticks behind it, with their deviations from the median.
///
/// A window may be the tick of another state, and then grows with it: what is added to either is seen by both.
#[derive(Debug)]
pub struct MadState {
    tick: Pair,
    window: Pair,
}

/// Values, and how far each was from the median when it came.
#[derive(Debug, Clone, Default)]
struct Pair {
    values: Arc<Mutex<Online>>,
    deviations: Arc<Mutex<Online>>,
}

/// What [`MadState`] is made of, for those that store it.
#[derive(Debug, Clone, PartialEq)]
pub struct MadParts {
    /// The values of the present tick: Metron's tick median provider.
    pub tick_values: OnlineParts,
    /// Their deviations: the tick MAD provider.
    pub tick_deviations: OnlineParts,
    /// The values of the window: the window median provider.
    pub window_values: OnlineParts,
    /// Their deviations: the window MAD provider.
    pub window_deviations: OnlineParts,
}

impl Pair {
    fn from_parts(values: OnlineParts, deviations: OnlineParts) -> Option<Pair> {
        let online = |parts| Some(Arc::new(Mutex::new(Online::from_parts(parts)?)));
        Some(Pair {
            values: online(values)?,
            deviations: online(deviations)?,
        })
    }

    /// Both sides together, as a new pair.
    fn merged(&self, other: &Pair) -> Result<Pair, Refusal> {
        let merged = |a: &Mutex<Online>, b: &Mutex<Online>| {
            // Copies one after the other: both may be one and the same, and cannot be locked twice.
            let mut a = a.lock().clone();
            let mut b = b.lock().clone();
            Ok(Arc::new(Mutex::new(a.merged(&mut b)?)))
        };
        Ok(Pair {
            values: merged(&self.values, &other.values)?,
            deviations: merged(&self.deviations, &other.deviations)?,
        })
    }
}

/// The median; NaN without values.
fn median(online: &Mutex<Online>) -> f64 {
    online.lock().percentile(50.0).unwrap_or(f64::NAN)
}

/// What it is made of; the lock ends here.
fn parts(online: &Mutex<Online>) -> OnlineParts {
    online.lock().parts()
}

impl MadState {
    /// A state whose window is the tick of `current` and those of `previous` together.
    fn after(previous: &[&MadState], current: Option<&MadState>) -> Result<MadState, Refusal> {
        let start = current.map(|state| state.tick.clone()).unwrap_or_default();
        let merge = |window: Pair, state: &&MadState| window.merged(&state.tick);
        Ok(MadState {
            tick: Pair::default(),
            window: previous.iter().try_fold(start, merge)?,
        })
    }

    /// Rebuilds a state from its parts. `None` when a centroid is impossible.
    pub fn from_parts(parts: MadParts) -> Option<MadState> {
        Some(MadState {
            tick: Pair::from_parts(parts.tick_values, parts.tick_deviations)?,
            window: Pair::from_parts(parts.window_values, parts.window_deviations)?,
        })
    }

    /// What it is made of.
    pub fn parts(&self) -> MadParts {
        MadParts {
            tick_values: parts(&self.tick.values),
            tick_deviations: parts(&self.tick.deviations),
            window_values: parts(&self.window.values),
            window_deviations: parts(&self.window.deviations),
        }
    }

    /// Adds a value; NaN is passed over.
    fn add(&self, value: f64) -> Result<(), Refusal> {
        if value.is_nan() {
            return Ok(());
        }
        self.tick.values.lock().add(value)?;
        // Against the median before the value came, so that the very first has no deviation.
        let deviation = (value - median(&self.window.values)).abs();
        self.window.values.lock().add(value)?;
        if !deviation.is_nan() {
            self.window.deviations.lock().add(deviation)?;
            self.tick.deviations.lock().add(deviation)?;
        }
        Ok(())
    }

    /// How unusual a value is, in deviations times `scale`.
    fn score(&self, value: f64, scale: f64) -> f64 {
        let deviation = (value - median(&self.window.values)).abs();
        scale * deviation / median(&self.window.deviations)
    }
}

impl Object for MadState {
    fn type_name(&self) -> &'static str {
        "MedianAbsoluteDeviation"
    }

    fn text(&self) -> String {
        let count = self.window.values.lock().count();
        let text = |online| to_text(&Value::Double(median(online)));
        let (median, deviation) = (text(&self.window.values), text(&self.window.deviations));
        format!(
            "{}{{count={count}, median={median}, mad={deviation}}}",
            self.type_name()
        )
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

const STATE: &str = "an outlier state (OUTLIER_MAD_STATE_MERGE makes one)";

pub(super) const OUTLIER_MAD_STATE_MERGE: FunctionSpec = FunctionSpec {
    name: "OUTLIER_MAD_STATE_MERGE",
    family: Family::Statistics,
    summary: "Makes a state that judges new values by those of earlier states.",
    details: "Call it with null or [] to begin, and at the start of each period with the states of the periods before: \
        their values become the window against which OUTLIER_MAD_SCORE measures. With a current state alone, its \
        values are the window, and values added to the new state count for both.",
    parameters: &[
        required(
            "states",
            Kind::List,
            "a list of states of earlier periods, or null",
        ),
        optional(
            "current_state",
            Kind::Object("MedianAbsoluteDeviation"),
            "a state that belongs to the window too, or null",
        ),
    ],
    returns: "a new state, with no values of its own yet",
    errors: &[
        "the first argument is neither a list nor null",
        "an element of it is no state; null is none either",
        "the second argument is neither a state nor null",
        "a moment leaves the range of a double",
    ],
    examples: &[
        example(
            "OUTLIER_MAD_STATE_MERGE([])",
            "MedianAbsoluteDeviation{count=0, median=NaN, mad=NaN}",
        ),
        example(
            "OUTLIER_MAD_STATE_MERGE([OUTLIER_MAD_ADD(OUTLIER_MAD_STATE_MERGE(null), [1, 2, 3, 4, 100])])",
            "MedianAbsoluteDeviation{count=5, median=3.0, mad=1.75}",
        ),
        fails("OUTLIER_MAD_STATE_MERGE([1])", "E0204"),
    ],
    see: &["OUTLIER_MAD_ADD", "OUTLIER_MAD_SCORE", "STATS_MERGE"],
    words: &["median absolute deviation", "anomaly", "robust", "combine"],
    pure: false,
    run: state_merge,
    ..SPEC
};

pub(super) const OUTLIER_MAD_ADD: FunctionSpec = FunctionSpec {
    name: "OUTLIER_MAD_ADD",
    family: Family::Statistics,
    summary: "Adds values to an outlier state, in place.",
    details: "The state itself is changed: a variable that holds it sees the values. Texts are not converted.",
    parameters: &[
        required(
            "state",
            Kind::Object("MedianAbsoluteDeviation"),
            "the state, or null, which stays null",
        ),
        required(
            "value",
            Kind::Any,
            "a number or a list of numbers; null adds nothing",
        ),
    ],
    returns: "the same state",
    errors: &[
        "the first argument is neither a state nor null",
        "a value is no number; null inside of a list is none either",
        "a moment leaves the range of a double",
    ],
    examples: &[
        example(
            "OUTLIER_MAD_ADD(OUTLIER_MAD_STATE_MERGE([]), [1, 2, 3])",
            "MedianAbsoluteDeviation{count=3, median=2.0, mad=1.25}",
        ),
        example("OUTLIER_MAD_ADD(null, 1)", "null"),
        fails("OUTLIER_MAD_ADD(OUTLIER_MAD_STATE_MERGE([]), '1')", "E0203"),
    ],
    see: &["OUTLIER_MAD_SCORE", "OUTLIER_MAD_STATE_MERGE", "STATS_ADD"],
    words: &["median absolute deviation", "anomaly", "observe"],
    pure: false,
    run: add,
    ..SPEC
};

pub(super) const OUTLIER_MAD_SCORE: FunctionSpec = FunctionSpec {
    name: "OUTLIER_MAD_SCORE",
    family: Family::Statistics,
    summary: "Says how unusual a value is among those of an outlier state.",
    details: "The modified z-score: scale times the distance from the median, over the median of the distances. \
        Beyond 3.5 is commonly taken for an outlier.",
    parameters: &[
        required(
            "state",
            Kind::Object("MedianAbsoluteDeviation"),
            "the state, or null",
        ),
        required("value", Kind::Number, "the value to judge, or null"),
        default(
            "scale",
            Kind::Number,
            "makes the score comparable to a z-score of normally distributed values",
            "0.6745",
        ),
    ],
    returns: "a double; NaN for null and without values; an infinity where the values do not differ and this one does",
    errors: &[
        "the first argument is neither a state nor null",
        "the value or the scale is neither a number nor null",
    ],
    examples: &[
        example(
            "OUTLIER_MAD_SCORE(OUTLIER_MAD_ADD(OUTLIER_MAD_STATE_MERGE([]), [1, 2, 3, 4, 100]), 3)",
            "0.0",
        ),
        example(
            "OUTLIER_MAD_SCORE(OUTLIER_MAD_ADD(OUTLIER_MAD_STATE_MERGE([]), [1, 2, 3, 4, 100]), 100) > 3.5",
            "true",
        ),
        example("OUTLIER_MAD_SCORE(null, 1)", "NaN"),
        fails("OUTLIER_MAD_SCORE(5, 1)", "E0203"),
    ],
    see: &["OUTLIER_MAD_ADD", "OUTLIER_MAD_STATE_MERGE", "STATS_ZSCORE"],
    words: &["modified z-score", "anomaly", "robust", "unusual"],
    run: |call| {
        let state = state(call, 0)?;
        let (value, scale) = (number(call, 1)?, number(call, 2)?);
        let (Some(state), Some(value)) = (state, value) else {
            return Ok(Value::Double(f64::NAN));
        };
        Ok(Value::Double(state.score(value, scale.unwrap_or(0.6745))))
    },
    ..SPEC
};

/// The state at `index`; `None` for null.
fn state<'a>(call: &'a Call<'_, '_>, index: usize) -> Outcome<Option<&'a MadState>> {
    match call.arg(index) {
        Value::Null => Ok(None),
        value => match value.as_object() {
            Some(state) => Ok(Some(state)),
            None => Err(call.wrong_type(index, STATE)),
        },
    }
}

/// The number at `index`; `None` for null.
fn number(call: &Call<'_, '_>, index: usize) -> Outcome<Option<f64>> {
    match call.arg(index) {
        Value::Null => Ok(None),
        value => match value.as_double() {
            Some(number) => Ok(Some(number)),
            None => Err(call.wrong_type(index, "a number")),
        },
    }
}

/// The error for an element of a list.
#[cold]
fn bad_element(call: &Call<'_, '_>, index: usize, at: usize, item: &Value, wanted: &str) -> Fault {
    let found = item.kind_in_words();
    call.wrong_value(
        index,
        format!("element {} is {found}, not {wanted}", at + 1),
    )
}

fn state_merge(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let items = match call.arg(0) {
        Value::Null => Vec::new(),
        Value::List(list) => list.items(),
        _ => return Err(call.wrong_type(0, "a list of outlier states")),
    };
    let current = state(call, 1)?;
    let mut states: Vec<&MadState> = Vec::with_capacity(items.len());
    for (at, item) in items.iter().enumerate() {
        call.step()?;
        match item.as_object() {
            Some(state) => states.push(state),
            None => return Err(bad_element(call, 0, at, item, STATE)),
        }
    }
    let merged = MadState::after(&states, current).map_err(|why| call.wrong_value(0, why))?;
    Ok(Value::Object(Arc::new(merged)))
}

fn add(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let state = state(call, 0)?;
    let mut values = Vec::new();
    match call.arg(1) {
        Value::List(list) => {
            for (at, item) in list.items().iter().enumerate() {
                let value = item.as_double();
                values.push(value.ok_or_else(|| bad_element(call, 1, at, item, "a number"))?);
            }
        }
        _ => values.extend(number(call, 1)?),
    }
    if let Some(state) = state {
        for value in values {
            call.step()?;
            state.add(value).map_err(|why| call.wrong_value(1, why))?;
        }
    }
    Ok(call.take(0))
}
