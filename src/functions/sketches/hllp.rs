//! HLLP_*: how many different items there were.

use super::hyperloglog::{Flaw, Form, HyperLogLog, words};
use super::murmur;
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome};
use crate::eval::convert;
use crate::eval::text::to_text_within;
use crate::eval::{Call, Object, Value};
use crate::functions::spec::{
    Family, FunctionSpec, Kind, Parameter, SPEC, example, fails, optional, required,
};
use parking_lot::Mutex;
use std::any::Any;
use std::sync::Arc;

/// A HyperLogLog++ sketch as a value.
#[derive(Debug)]
pub struct Hllp(pub Mutex<HyperLogLog>);

impl Hllp {
    /// The value of a sketch.
    pub fn value(sketch: HyperLogLog) -> Value {
        Value::Object(Arc::new(Hllp(Mutex::new(sketch))))
    }
}

impl Object for Hllp {
    fn type_name(&self) -> &'static str {
        "HLLP"
    }

    fn text(&self) -> String {
        // Printing must not change what is stored, so a copy is counted.
        let mut copy = self.0.lock().clone();
        format!("HLLP{{cardinality={}}}", copy.cardinality())
    }

    fn equals(&self, other: &dyn Object) -> bool {
        let Some(other) = other.as_any().downcast_ref::<Hllp>() else {
            return false;
        };
        let (mut mine, mut theirs) = (self.0.lock().clone(), other.0.lock().clone());
        mine.settle();
        theirs.settle();
        match (mine.form(), theirs.form()) {
            (Form::Normal(a), Form::Normal(b)) => a == b,
            (Form::Sparse { set: a, .. }, Form::Sparse { set: b, .. }) => a == b,
            _ => false,
        }
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

const HLLP: Kind = Kind::Object("HLLP");

const SKETCH: Parameter = required("hllp", HLLP, "the sketch, or null for a new one");

pub(super) const HLLP_INIT: FunctionSpec = FunctionSpec {
    name: "HLLP_INIT",
    family: Family::Sketches,
    summary: "Makes an empty HyperLogLog++ sketch, which counts different items in a few kilobytes.",
    details: "The error of the count is about 1.04 divided by the square root of 2^p: 0.8 percent with 14. \
        A sketch begins in a sparse form, which is nearly exact, as long as sp is given or nothing is.",
    parameters: &[
        optional(
            "p",
            Kind::Integer,
            "the precision, from 4: there are 2^p registers; 14 when left out",
        ),
        optional(
            "sp",
            Kind::Integer,
            "the precision of the sparse form, from p to 32, or 0 for none; none when only p is given, 25 without both",
        ),
    ],
    returns: "an HLLP object",
    errors: &[
        "p or sp is not a whole number",
        "p is below 4 or above sp, or sp is above 32",
        "the registers would take more words than [limits] collection allows",
    ],
    examples: &[
        example("HLLP_INIT()", "HLLP{cardinality=0}"),
        example(
            "HLLP_ADD(HLLP_INIT(5, 6), ['a', 'b', 'a'])",
            "HLLP{cardinality=2}",
        ),
        fails("HLLP_INIT('turkey')", "E0203"),
        fails("HLLP_INIT(3)", "E0204"),
    ],
    see: &["HLLP_ADD", "HLLP_CARDINALITY", "HLLP_MERGE", "BLOOM_INIT"],
    words: &[
        "hyperloglog",
        "distinct",
        "count",
        "unique",
        "cardinality",
        "approximate",
    ],
    // What it makes is changed in place, so it must be made anew each time.
    pure: false,
    run: hllp_init,
    ..SPEC
};

pub(super) const HLLP_ADD: FunctionSpec = FunctionSpec {
    name: "HLLP_ADD",
    family: Family::Sketches,
    summary: "Adds an item, or each element of a list, to a HyperLogLog++ sketch, in place.",
    details: "The sketch itself is changed: a variable that holds it sees the item. Items are told apart by their text, \
        so 1, 1L and '1' are one item, and 1.0 is another. null is an item. Any collection but a list is one item.",
    parameters: &[
        SKETCH,
        required("value", Kind::Any, "the item, or a list of items"),
    ],
    returns: "the same sketch, or the new one",
    errors: &[
        "fewer than two arguments are given",
        "the first argument is neither an HLLP object nor null",
        "the text of an item is longer than [limits] string allows",
    ],
    examples: &[
        example("HLLP_ADD(null, 'a')", "HLLP{cardinality=1}"),
        example(
            "HLLP_ADD(HLLP_INIT(), [1, 1L, '1', 1.0])",
            "HLLP{cardinality=2}",
        ),
        fails("HLLP_ADD('a', 'b')", "E0203"),
        fails("HLLP_ADD(null)", "E0202"),
    ],
    see: &["HLLP_INIT", "HLLP_CARDINALITY", "HLLP_MERGE"],
    words: &["hyperloglog", "distinct", "count", "unique", "insert"],
    pure: false,
    borrows: false,
    run: hllp_add,
    ..SPEC
};

pub(super) const HLLP_CARDINALITY: FunctionSpec = FunctionSpec {
    name: "HLLP_CARDINALITY",
    family: Family::Sketches,
    summary: "Tells about how many different items were added to a HyperLogLog++ sketch.",
    details: "Anything that is not exactly one sketch counts as 0.",
    parameters: &[optional("hllp", HLLP, "the sketch")],
    returns: "the count, a long",
    examples: &[
        example(
            "HLLP_CARDINALITY(HLLP_ADD(null, ['a', 'b', 'a', 'c']))",
            "3",
        ),
        example("HLLP_CARDINALITY(null)", "0"),
    ],
    see: &["HLLP_INIT", "HLLP_ADD", "HLLP_MERGE"],
    words: &["hyperloglog", "distinct", "unique", "estimate"],
    // It merges what waits in the sketch, which shows in the stored bytes.
    pure: false,
    run: |call| {
        let sketch = match call.count() {
            1 => call.arg(0).as_object::<Hllp>(),
            _ => None,
        };
        Ok(Value::Long(sketch.map_or(0, |s| s.0.lock().cardinality())))
    },
    ..SPEC
};

pub(super) const HLLP_MERGE: FunctionSpec = FunctionSpec {
    name: "HLLP_MERGE",
    family: Family::Sketches,
    summary: "Makes one HyperLogLog++ sketch of several, which counts the items of all of them.",
    details: "The new sketch has the precisions of the first one. A list with one sketch gives that sketch itself.",
    parameters: &[required(
        "hllps",
        Kind::List,
        "a list of sketches, or one sketch",
    )],
    returns: "a new HLLP object; null for an empty list",
    errors: &[
        "not exactly one argument is given",
        "an element is not an HLLP object",
        "the sketches differ in p",
    ],
    examples: &[
        example(
            "HLLP_CARDINALITY(HLLP_MERGE([HLLP_ADD(null, ['a', 'b']), HLLP_ADD(null, ['b', 'c'])]))",
            "3",
        ),
        example("HLLP_MERGE([])", "null"),
        fails("HLLP_MERGE([HLLP_INIT(5), HLLP_INIT(6)])", "E0204"),
        fails("HLLP_MERGE('a')", "E0203"),
    ],
    see: &["HLLP_INIT", "HLLP_ADD", "HLLP_CARDINALITY"],
    words: &["hyperloglog", "distinct", "union", "combine"],
    pure: false,
    borrows: false,
    strict: true,
    run: hllp_merge,
    ..SPEC
};

fn hllp_init(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let (p, sp) = match call.count() {
        0 => (14, 25),
        1 => (precision(call, 0)?, 0),
        _ => (precision(call, 0)?, precision(call, 1)?),
    };
    let limit = call.context().limits.collection;
    let large = u32::try_from(p).is_ok_and(|p| p > 30 || (p >= 4 && words(p) > limit));
    if large && (p <= sp || sp == 0) && sp <= 32 {
        let message = format!("HLLP_INIT: 2^{p} registers would take more than {limit} words");
        return Err(Diagnostic::new(Code::CollectionSize, message).of_argument(0));
    }
    let sketch = HyperLogLog::new(p, sp).map_err(|flaw| match flaw {
        Flaw::Sp => call.wrong_value(1, format!("sp must be at most 32, not {sp}")),
        _ if sp == 0 => call.wrong_value(0, format!("p must be at least 4, not {p}")),
        _ => call.wrong_value(0, format!("p must be from 4 to sp, which is {sp}, not {p}")),
    })?;
    Ok(Hllp::value(sketch))
}

fn precision(call: &Call<'_, '_>, index: usize) -> Outcome<i32> {
    convert::to_int(call.arg(index)).ok_or_else(|| call.wrong_type(index, "a whole number"))
}

fn hllp_add(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let longest = call.context().limits.string;
    let target = match call.take(0) {
        Value::Null => Hllp::value(default_sketch(call)?),
        other => other,
    };
    let Some(sketch) = target.as_object::<Hllp>() else {
        let found = target.kind_in_words();
        let message = format!("HLLP_ADD expects an HLLP object as its first argument, not {found}");
        return Err(Diagnostic::new(Code::ArgumentType, message)
            .of_argument(0)
            .labelled(format!("this is {found}")));
    };
    match call.arg(1) {
        Value::List(list) => {
            // The text of an item may be that of the sketch, so it is not locked meanwhile.
            let items = list.items();
            let mut hashes = Vec::with_capacity(items.len().min(CHUNK));
            for chunk in items.chunks(CHUNK) {
                for item in chunk {
                    call.step()?;
                    hashes.push(hash(item, longest).map_err(|fault| fault.of_argument(1))?);
                }
                let mut sketch = sketch.0.lock();
                hashes.drain(..).for_each(|hash| sketch.add(hash));
            }
        }
        item => {
            let hash = hash(item, longest).map_err(|fault| fault.of_argument(1))?;
            sketch.0.lock().add(hash);
        }
    }
    Ok(target)
}

/// So many items are added under one lock.
const CHUNK: usize = 1024;

fn default_sketch(call: &Call<'_, '_>) -> Outcome<HyperLogLog> {
    HyperLogLog::new(14, 25).map_err(|_| call.wrong_value(0, "no sketch can be made"))
}

/// The hash of an item: of its text; 0 for null. Errors: E0303.
#[inline]
pub fn hash(item: &Value, longest: usize) -> Outcome<u64> {
    Ok(match item {
        Value::Text(text) => murmur::hash64(text.as_bytes()),
        Value::Int(n) => hash_whole(i64::from(*n)),
        Value::Long(n) => hash_whole(*n),
        Value::Null => 0,
        other => murmur::hash64(to_text_within(other, longest)?.as_bytes()),
    })
}

fn hash_whole(n: i64) -> u64 {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    let mut left = n.unsigned_abs();
    loop {
        at -= 1;
        if let Some(digit) = digits.get_mut(at) {
            // Below ten, so nothing is lost.
            *digit = b'0' + (left % 10) as u8;
        }
        left /= 10;
        if left == 0 {
            break;
        }
    }
    if n < 0 {
        at -= 1;
        if let Some(sign) = digits.get_mut(at) {
            *sign = b'-';
        }
    }
    murmur::hash64(digits.get(at..).unwrap_or(&[]))
}

fn hllp_merge(call: &mut Call<'_, '_>) -> Outcome<Value> {
    if call.count() != 1 {
        return Err(call.wrong_count("one list of sketches"));
    }
    let sketches = match call.arg(0) {
        Value::List(list) => list.items(),
        other => vec![other.clone()],
    };
    let Some((first, others)) = sketches.split_first() else {
        return Ok(Value::Null);
    };
    if others.is_empty() {
        return match first {
            Value::Null => Ok(Value::Null),
            value if value.as_object::<Hllp>().is_some() => Ok(value.clone()),
            value => Err(no_sketch(call, value, 0)),
        };
    }
    let sketch = |value: &Value, position: usize| -> Outcome<HyperLogLog> {
        let object = value.as_object::<Hllp>();
        let object = object.ok_or_else(|| no_sketch(call, value, position))?;
        // What waits is merged first, in the sketch itself too.
        let mut sketch = object.0.lock();
        sketch.settle();
        Ok(sketch.clone())
    };
    let mut first = sketch(first, 0)?;
    let (p, sp) = (first.p() as i32, first.sp() as i32);
    let mut merged =
        HyperLogLog::new(p, sp).map_err(|_| call.wrong_value(0, "no sketch can be made"))?;
    let differ = |other: &HyperLogLog| {
        let message = format!(
            "sketches with p={p} and p={} cannot be merged; all must have the same p",
            other.p()
        );
        call.wrong_value(0, message)
    };
    merged.merge(&mut first).ok_or_else(|| differ(&first))?;
    for (i, other) in others.iter().enumerate() {
        call.step()?;
        let mut other = sketch(other, i + 1)?;
        merged.merge(&mut other).ok_or_else(|| differ(&other))?;
    }
    Ok(Hllp::value(merged))
}

#[cold]
fn no_sketch(call: &Call<'_, '_>, value: &Value, position: usize) -> Fault {
    match call.arg(0) {
        Value::List(_) => {
            let message = format!(
                "HLLP_MERGE expects HLLP objects in its list, but element {} is {}",
                position + 1,
                value.kind_in_words()
            );
            Diagnostic::new(Code::ArgumentType, message).of_argument(0)
        }
        _ => call.wrong_type(0, "a list of HLLP objects"),
    }
}
