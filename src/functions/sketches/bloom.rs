//! BLOOM_*: whether an item has been seen.

use super::filter::{Filter, plan};
use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::eval::convert;
use crate::eval::{Call, Object, Value};
use crate::functions::kryo;
use crate::functions::spec::{
    Family, FunctionSpec, Kind, SPEC, default, example, fails, optional, repeated, required,
};
use parking_lot::Mutex;
use std::any::Any;
use std::sync::Arc;

/// A Bloom filter as a value.
#[derive(Debug)]
pub struct Bloom(pub Mutex<Filter>);

impl Bloom {
    /// The value of a filter.
    pub fn value(filter: Filter) -> Value {
        Value::Object(Arc::new(Bloom(Mutex::new(filter))))
    }
}

impl Object for Bloom {
    fn type_name(&self) -> &'static str {
        "Bloom"
    }

    fn text(&self) -> String {
        let filter = self.0.lock();
        let (items, bits, hashes) = (filter.items(), filter.bits(), filter.hashes());
        format!("Bloom{{items={items}, bits={bits}, hashes={hashes}}}")
    }

    fn equals(&self, other: &dyn Object) -> bool {
        let Some(other) = other.as_any().downcast_ref::<Bloom>() else {
            return false;
        };
        let mine = self.0.lock().clone();
        mine == *other.0.lock()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

const BLOOM: Kind = Kind::Object("Bloom");

/// How many items a filter is made for when nobody says.
const EXPECTED: i32 = 100_000;

/// The share of false alarms when nobody says.
const RATE: f32 = 0.01;

pub(super) const BLOOM_INIT: FunctionSpec = FunctionSpec {
    name: "BLOOM_INIT",
    family: Family::Sketches,
    summary: "Makes an empty Bloom filter, which remembers items in about ten bits each.",
    details: "A filter knows every item that was added, and takes a few others for known: the share of those stays below \
        the rate as long as no more items are added than were expected.",
    parameters: &[
        default(
            "expected",
            Kind::Integer,
            "how many items will be added",
            "100000",
        ),
        default(
            "rate",
            Kind::Number,
            "the share of false alarms, above 0 and below 1",
            "0.01",
        ),
    ],
    returns: "a Bloom object",
    errors: &[
        "expected is not a whole number, or negative",
        "rate is not a number above 0 and below 1",
        "there would be no bit, because few items are expected at a high rate",
        "the filter would take more words of 64 bits than [limits] collection allows",
    ],
    examples: &[
        example(
            "BLOOM_INIT(100, 0.01)",
            "Bloom{items=0, bits=960, hashes=6}",
        ),
        example("BLOOM_INIT()", "Bloom{items=0, bits=958528, hashes=6}"),
        fails("BLOOM_INIT('many')", "E0203"),
        fails("BLOOM_INIT(100, 1)", "E0204"),
    ],
    see: &["BLOOM_ADD", "BLOOM_EXISTS", "BLOOM_MERGE", "HLLP_INIT"],
    words: &["filter", "membership", "seen", "probabilistic"],
    // What it makes is changed in place, so it must be made anew each time.
    pure: false,
    run: bloom_init,
    ..SPEC
};

pub(super) const BLOOM_ADD: FunctionSpec = FunctionSpec {
    name: "BLOOM_ADD",
    family: Family::Sketches,
    summary: "Adds items to a Bloom filter, in place.",
    details: "The filter itself is changed: a variable that holds it sees the items. 1, 1L and '1' are three items; \
        a list is one item. null is skipped.",
    parameters: &[
        required("bloom", BLOOM, "the filter"),
        repeated("values", Kind::Any, "the items"),
    ],
    returns: "the same filter; null for null without items",
    errors: &[
        "the first argument is not a Bloom object",
        "an item is or holds a lambda or another object that cannot be stored",
    ],
    examples: &[
        example(
            "BLOOM_ADD(BLOOM_INIT(100), 'a', 'b')",
            "Bloom{items=2, bits=960, hashes=6}",
        ),
        example(
            "BLOOM_EXISTS(BLOOM_ADD(BLOOM_INIT(), 'a', 'b'), 'b')",
            "true",
        ),
        fails("BLOOM_ADD(null, 'a')", "E0203"),
    ],
    see: &["BLOOM_INIT", "BLOOM_EXISTS", "BLOOM_MERGE"],
    words: &["filter", "insert", "remember"],
    pure: false,
    borrows: false,
    run: |call| {
        let mut added = false;
        let mut item = Vec::new();
        for index in 1..call.count() {
            call.step()?;
            if !call.arg(index).is_null() {
                let filter = filter(call)?;
                write_item(call, index, &mut item)?;
                filter.0.lock().add(&item);
                added = true;
            }
        }
        if !added && !call.arg(0).is_null() {
            filter(call)?;
        }
        Ok(call.take(0))
    },
    ..SPEC
};

pub(super) const BLOOM_EXISTS: FunctionSpec = FunctionSpec {
    name: "BLOOM_EXISTS",
    family: Family::Sketches,
    summary: "Tells whether an item may have been added to a Bloom filter.",
    details: "false is certain; true is wrong for the share of items that BLOOM_INIT was told.",
    parameters: &[
        optional("bloom", BLOOM, "the filter"),
        optional("value", Kind::Any, "the item"),
    ],
    returns: "true or false; false when the item is null or left out",
    errors: &[
        "the first argument is neither a Bloom object nor null",
        "the first argument is null and there is an item",
        "the item is or holds a lambda or another object that cannot be stored",
    ],
    examples: &[
        example("BLOOM_EXISTS(BLOOM_ADD(BLOOM_INIT(), 'a'), 'a')", "true"),
        example("BLOOM_EXISTS(BLOOM_ADD(BLOOM_INIT(), 1), '1')", "false"),
        example("BLOOM_EXISTS(BLOOM_INIT(), null)", "false"),
        fails("BLOOM_EXISTS('a', 'a')", "E0203"),
    ],
    see: &["BLOOM_INIT", "BLOOM_ADD", "BLOOM_MERGE", "SET_ADD"],
    words: &["filter", "contains", "membership", "seen"],
    run: |call| {
        if call.arg(1).is_null() {
            if !call.arg(0).is_null() {
                filter(call)?;
            }
            return Ok(Value::Bool(false));
        }
        let filter = filter(call)?;
        let mut item = Vec::new();
        write_item(call, 1, &mut item)?;
        Ok(Value::Bool(filter.0.lock().has(&item)))
    },
    ..SPEC
};

pub(super) const BLOOM_MERGE: FunctionSpec = FunctionSpec {
    name: "BLOOM_MERGE",
    family: Family::Sketches,
    summary: "Adds the items of several Bloom filters to the first of them, in place.",
    details: "All filters must have been made with the same arguments. What is not a filter is skipped.",
    parameters: &[optional("blooms", Kind::List, "a list of filters")],
    returns: "the first filter; null when the argument is not a list or holds no filter",
    errors: &[
        "the filters differ in size",
        "one filter is twice in the list",
    ],
    examples: &[
        example(
            "BLOOM_EXISTS(BLOOM_MERGE([BLOOM_ADD(BLOOM_INIT(), 'a'), BLOOM_ADD(BLOOM_INIT(), 'b')]), 'b')",
            "true",
        ),
        example("BLOOM_MERGE([])", "null"),
        fails("BLOOM_MERGE([BLOOM_INIT(10), BLOOM_INIT(1000)])", "E0204"),
    ],
    see: &["BLOOM_INIT", "BLOOM_ADD", "BLOOM_EXISTS"],
    words: &["filter", "union", "combine"],
    pure: false,
    borrows: false,
    run: bloom_merge,
    ..SPEC
};

fn bloom_init(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let expected = match call.arg(0) {
        Value::Null if call.count() < 2 => EXPECTED,
        value => convert::to_int(value).ok_or_else(|| call.wrong_type(0, "a whole number"))?,
    };
    let rate = match call.count() {
        0 | 1 => RATE,
        _ => convert::to_float(call.arg(1)).ok_or_else(|| call.wrong_type(1, "a number"))?,
    };
    let expected = u32::try_from(expected).map_err(|_| {
        let message = format!("the number of expected items must not be negative: {expected}");
        call.wrong_value(0, message)
    })?;
    if !(rate > 0.0 && rate < 1.0) {
        let message = format!("the rate of false alarms must be above 0 and below 1, not {rate}");
        return Err(call.wrong_value(1, message));
    }
    let (bits, hashes) = plan(expected, f64::from(rate));
    if bits == 0 {
        let message = format!("a filter for {expected} items at a rate of {rate} has no bits");
        return Err(call.wrong_value(1, message));
    }
    let limit = call.context().limits.collection;
    if bits.div_ceil(64) > limit as u64 {
        let message =
            format!("BLOOM_INIT: the filter would have {bits} bits, more than {limit} words of 64");
        return Err(Diagnostic::new(Code::CollectionSize, message).of_argument(0));
    }
    Ok(Bloom::value(Filter::new(bits, hashes)))
}

/// The filter among the arguments.
fn filter<'c>(call: &'c Call<'_, '_>) -> Outcome<&'c Bloom> {
    let filter = call.arg(0).as_object();
    filter.ok_or_else(|| call.wrong_type(0, "a Bloom object (BLOOM_INIT makes one)"))
}

/// The bytes by which items are told apart: what Metron would store.
fn write_item(call: &Call<'_, '_>, index: usize, item: &mut Vec<u8>) -> Outcome<()> {
    item.clear();
    let longest = call.context().limits.string;
    kryo::append(call.arg(index), longest, item).map_err(|fault| fault.of_argument(index))
}

fn bloom_merge(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let Value::List(list) = call.arg(0) else {
        return Ok(Value::Null);
    };
    let mut first: Option<(usize, Value)> = None;
    for (i, value) in list.items().into_iter().enumerate() {
        call.step()?;
        let Some(filter) = value.as_object::<Bloom>() else {
            continue;
        };
        let Some((position, target)) = &first else {
            first = Some((i + 1, value));
            continue;
        };
        let Some(target) = target.as_object::<Bloom>() else {
            continue;
        };
        let positions = format!("elements {position} and {}", i + 1);
        if std::ptr::eq(target, filter) {
            let message = format!("{positions} of the list are one and the same filter");
            return Err(call.wrong_value(0, message));
        }
        let copy = filter.0.lock().clone();
        let merged = target.0.lock().merge(&copy);
        merged.ok_or_else(|| {
            let message = format!(
                "{positions} of the list differ in size; make them with the same arguments"
            );
            call.wrong_value(0, message)
        })?;
    }
    Ok(first.map_or(Value::Null, |(_, value)| value))
}
