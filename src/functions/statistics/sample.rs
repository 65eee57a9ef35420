//! Samples of a stream in which every element stands with the same probability.
//!
//! J. Vitter: Random Sampling with a Reservoir, ACM Transactions on Mathematical Software 11 (1985), algorithm R. The
//! numbers are those of Java's generator with the seed 0, so that a sample is the same each time, and Metron's.

use crate::diagnostic::{Fault, Outcome};
use crate::eval::collections::List;
use crate::eval::java::random::Random;
use crate::eval::{Call, Object, Value, convert, same};
use crate::functions::spec::{
    Family, FunctionSpec, Kind, Parameter, SPEC, default, example, fails, optional,
};
use parking_lot::Mutex;
use std::any::Any;
use std::sync::Arc;

/// How many elements a sampler keeps when nothing is said.
const SIZE: i32 = 1024;

/// A reservoir, changed in place by SAMPLE_ADD.
#[derive(Debug)]
pub struct Sampler {
    /// How many elements are kept at most.
    size: usize,
    /// SAMPLE_GET gives this very list.
    kept: List,
    chance: Mutex<Chance>,
}

#[derive(Debug)]
struct Chance {
    /// How many elements came.
    seen: u64,
    random: Random,
}

/// What [`Sampler`] is made of, for those that store it.
#[derive(Debug, Clone)]
pub struct SamplerParts {
    /// How many elements are kept at most.
    pub size: usize,
    /// The elements kept, in the order of their slots.
    pub values: Vec<Value>,
    /// How many elements came.
    pub seen: u64,
    /// The inner state of the random generator, 48 bits: what Java keeps in the field `seed`.
    pub random: u64,
}

impl Sampler {
    /// An empty sampler of `size` elements.
    pub fn new(size: usize) -> Sampler {
        Sampler {
            size,
            kept: List::array(Vec::new()),
            chance: Mutex::new(Chance {
                seen: 0,
                random: Random::new(0),
            }),
        }
    }

    /// Rebuilds a sampler from its parts.
    pub fn from_parts(parts: SamplerParts) -> Sampler {
        Sampler {
            size: parts.size,
            kept: List::array(parts.values),
            chance: Mutex::new(Chance {
                seen: parts.seen,
                random: Random::from_state(parts.random),
            }),
        }
    }

    /// What it is made of.
    pub fn parts(&self) -> SamplerParts {
        let chance = self.chance.lock();
        SamplerParts {
            size: self.size,
            values: self.kept.items(),
            seen: chance.seen,
            random: chance.random.state(),
        }
    }

    /// Adds an element; null is passed over. Errors: E0214 for its own list, E0304 beyond `limit`.
    pub fn add(&self, value: Value, limit: usize) -> Outcome<()> {
        if value.is_null() {
            return Ok(());
        }
        let mut chance = self.chance.lock();
        if self.kept.len() < self.size {
            self.kept.push(value, limit)?;
        } else {
            // Java's numbers have 31 bits; behind them the probability stays what it is there.
            let bound = i32::try_from(chance.seen + 1).unwrap_or(i32::MAX);
            let slot = chance.random.next_int(bound);
            if let Ok(slot) = usize::try_from(slot)
                && slot < self.size
            {
                self.kept.replace(slot, value)?;
            }
        }
        chance.seen += 1;
        Ok(())
    }
}

impl Object for Sampler {
    fn type_name(&self) -> &'static str {
        "Sampler"
    }

    fn text(&self) -> String {
        let seen = self.chance.lock().seen;
        let (size, kept) = (self.size, self.kept.len());
        format!("Sampler{{size={size}, seen={seen}, kept={kept}}}")
    }

    /// Samplers are equal when they keep the same, as in Metron.
    fn equals(&self, other: &dyn Object) -> bool {
        let list = |sampler: &Sampler| Value::List(sampler.kept.clone());
        other
            .as_any()
            .downcast_ref::<Sampler>()
            .is_some_and(|other| self.size == other.size && same(&list(self), &list(other)))
    }

    fn kept(&self) -> Option<&List> {
        Some(&self.kept)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

pub(super) const SAMPLE_INIT: FunctionSpec = FunctionSpec {
    name: "SAMPLE_INIT",
    family: Family::Statistics,
    summary: "Makes a sampler, which keeps a random choice of what is added to it.",
    details: "Whatever the number of elements added, each of them is in the sample with the same probability. \
        The choice is random but the same each time.",
    parameters: &[default(
        "size",
        Kind::Integer,
        "how many elements are kept; null means the default",
        "1024",
    )],
    returns: "a new sampler",
    errors: &["the size is not positive, or cannot be converted to an integer"],
    examples: &[
        example("SAMPLE_INIT()", "Sampler{size=1024, seen=0, kept=0}"),
        example(
            "SAMPLE_GET(SAMPLE_ADD(SAMPLE_INIT(2), ['a', 'b', 'c', 'd']))",
            "[c, b]",
        ),
        fails("SAMPLE_INIT(0)", "E0204"),
    ],
    see: &["SAMPLE_ADD", "SAMPLE_GET", "SAMPLE_MERGE"],
    words: &["reservoir", "random", "choice", "uniform"],
    pure: false,
    run: |call| {
        let size = match call.arg(0) {
            Value::Null => SIZE,
            given => convert::to_int(given)
                .ok_or_else(|| call.wrong_type(0, "a size that is an integer"))?,
        };
        match usize::try_from(size) {
            Ok(size) if size > 0 => Ok(Value::Object(Arc::new(Sampler::new(size)))),
            _ => Err(call.wrong_value(0, format!("the size must be positive, not {size}"))),
        }
    },
    ..SPEC
};

const SAMPLER: Parameter = optional("sampler", Kind::Object("Sampler"), "the sampler, or null");

pub(super) const SAMPLE_ADD: FunctionSpec = FunctionSpec {
    name: "SAMPLE_ADD",
    family: Family::Statistics,
    summary: "Adds elements to a sampler, in place.",
    details: "The sampler itself is changed: a variable that holds it sees the elements. null is skipped, a string is \
        one element.",
    parameters: &[
        SAMPLER,
        optional(
            "element",
            Kind::Any,
            "what to add; of a list or a set every element",
        ),
    ],
    returns: "the same sampler, or a new one when the first argument is null; null without arguments",
    errors: &[
        "there is a sampler but nothing to add",
        "the first argument is neither a sampler nor null",
        "the sample would get into itself, or larger than [limits] collection allows",
    ],
    examples: &[
        example(
            "SAMPLE_ADD(SAMPLE_INIT(2), [1, 2, 3])",
            "Sampler{size=2, seen=3, kept=2}",
        ),
        example("SAMPLE_GET(SAMPLE_ADD(null, 'abc'))", "[abc]"),
        fails("SAMPLE_ADD(SAMPLE_INIT())", "E0202"),
        fails("SAMPLE_ADD('abc', 'd')", "E0203"),
    ],
    see: &["SAMPLE_INIT", "SAMPLE_GET", "STATS_ADD"],
    words: &["reservoir", "random", "observe"],
    pure: false,
    borrows: false,
    run: sample_add,
    ..SPEC
};

pub(super) const SAMPLE_GET: FunctionSpec = FunctionSpec {
    name: "SAMPLE_GET",
    family: Family::Statistics,
    summary: "Gives the sample that a sampler keeps.",
    details: "It is the sampler's own list: what is added to the sampler later shows in it.",
    parameters: &[SAMPLER],
    returns: "a list; null for null and without arguments",
    errors: &["the argument is neither a sampler nor null"],
    examples: &[
        example("SAMPLE_GET(SAMPLE_ADD(null, [1, null, 2]))", "[1, 2]"),
        example("SAMPLE_GET(null)", "null"),
        fails("SAMPLE_GET([1])", "E0203"),
    ],
    see: &["SAMPLE_ADD", "SAMPLE_INIT"],
    words: &["reservoir", "values", "elements"],
    pure: false,
    borrows: false,
    run: |call| match call.arg(0) {
        Value::Null => Ok(Value::Null),
        _ => Ok(Value::List(sampler(call, 0)?.kept.clone())),
    },
    ..SPEC
};

pub(super) const SAMPLE_MERGE: FunctionSpec = FunctionSpec {
    name: "SAMPLE_MERGE",
    family: Family::Statistics,
    summary: "Makes one sampler of several by sampling their samples.",
    details: "A sample of few elements weighs as much as one of many that came from a longer stream. \
        Only the base sampler is changed.",
    parameters: &[
        optional("samplers", Kind::List, "a list or set of samplers, or null"),
        optional(
            "base_sampler",
            Kind::Object("Sampler"),
            "the sampler to add to; without it, or with null, a new one of the first one's size",
        ),
    ],
    returns: "the base sampler or the new one; null when there are no samplers",
    errors: &[
        "the first argument is neither a list, a set nor null",
        "an element of it is no sampler",
        "the second argument is neither a sampler nor null",
    ],
    examples: &[
        example(
            "SAMPLE_GET(SAMPLE_MERGE([SAMPLE_ADD(null, [1, 2]), SAMPLE_ADD(null, 3)]))",
            "[1, 2, 3]",
        ),
        example(
            "SAMPLE_MERGE([SAMPLE_INIT(5)])",
            "Sampler{size=5, seen=0, kept=0}",
        ),
        example("SAMPLE_MERGE([])", "null"),
        fails("SAMPLE_MERGE([[1, 2]])", "E0204"),
    ],
    see: &["SAMPLE_ADD", "STATS_MERGE"],
    words: &["reservoir", "combine", "union", "resample"],
    pure: false,
    borrows: false,
    run: sample_merge,
    ..SPEC
};

/// The sampler at `index`.
fn sampler<'a>(call: &'a Call<'_, '_>, index: usize) -> Outcome<&'a Sampler> {
    let found = call.arg(index).as_object();
    found.ok_or_else(|| call.wrong_type(index, "a sampler (SAMPLE_INIT makes one)"))
}

fn sample_add(call: &mut Call<'_, '_>) -> Outcome<Value> {
    match call.count() {
        0 => return Ok(Value::Null),
        1 => return Err(call.wrong_count("a sampler and what to add")),
        _ => {}
    }
    if call.arg(0).is_null() {
        let fresh = Sampler::new(usize::try_from(SIZE).unwrap_or(1));
        if let Some(first) = call.arguments.first_mut() {
            *first = Value::Object(Arc::new(fresh));
        }
    }
    let added = call.take(1);
    let sampler = sampler(call, 0)?;
    let limit = call.context().limits.collection;
    let at = |fault: Fault| fault.of_argument(1);
    let items = match &added {
        Value::List(list) => list.items(),
        Value::Set(set) => set.items(),
        _ => vec![added],
    };
    for item in items {
        call.step()?;
        sampler.add(item, limit).map_err(at)?;
    }
    Ok(call.take(0))
}

fn sample_merge(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let items = match call.arg(0) {
        Value::Null => return Ok(Value::Null),
        Value::List(list) => list.items(),
        Value::Set(set) => set.items(),
        _ => return Err(call.wrong_type(0, "a list or a set of samplers")),
    };
    let base = match call.arg(1) {
        Value::Null => None,
        given => {
            sampler(call, 1)?;
            Some(given.clone())
        }
    };
    let mut samplers: Vec<&Sampler> = Vec::with_capacity(items.len());
    for (at, item) in items.iter().enumerate() {
        match item.as_object() {
            Some(sampler) => samplers.push(sampler),
            None => {
                let found = item.kind_in_words();
                let message = format!("element {} is {found}, not a sampler", at + 1);
                return Err(call.wrong_value(0, message));
            }
        }
    }
    let Some(first) = samplers.first() else {
        return Ok(Value::Null);
    };
    let result = base.unwrap_or_else(|| Value::Object(Arc::new(Sampler::new(first.size))));
    let limit = call.context().limits.collection;
    if let Some(target) = result.as_object::<Sampler>() {
        for sampler in samplers {
            for value in sampler.kept.items() {
                call.step()?;
                target.add(value, limit)?;
            }
        }
    }
    Ok(result)
}
