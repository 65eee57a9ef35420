//! Information theory.

use crate::diagnostic::Outcome;
use crate::eval::{Call, Value};
use crate::functions::spec::{Family, FunctionSpec, Kind, SPEC, example, fails, required};

pub(super) const IT_ENTROPY: FunctionSpec = FunctionSpec {
    name: "IT_ENTROPY",
    family: Family::Statistics,
    summary: "Measures in bits how evenly the counts of a multiset are spread.",
    details: "Shannon's entropy: 0.0 when only one element occurs, the logarithm to base 2 of the number of elements \
        when all occur equally often. Any map with integers as its values will do.",
    parameters: &[required(
        "multiset",
        Kind::Map,
        "a map from elements to counts, or null",
    )],
    returns: "the entropy, a double; 0.0 for an empty multiset, null for null",
    errors: &[
        "the argument is neither a map nor null",
        "a count is not an integer",
    ],
    examples: &[
        example("IT_ENTROPY(MULTISET_INIT(['a', 'b', 'a', 'b']))", "1.0"),
        example("IT_ENTROPY({'a': 8})", "0.0"),
        example("IT_ENTROPY(null)", "null"),
        fails("IT_ENTROPY({'a': 1L})", "E0204"),
    ],
    see: &["STRING_ENTROPY", "MULTISET_INIT"],
    words: &["Shannon", "information", "randomness", "diversity"],
    run: it_entropy,
    ..SPEC
};

fn it_entropy(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let entries = match call.arg(0) {
        Value::Null => return Ok(Value::Null),
        Value::Map(map) => map.entries(),
        _ => return Err(call.wrong_type(0, "a map of counts")),
    };
    let mut counts = Vec::with_capacity(entries.len());
    let mut total = 0i64;
    for (key, count) in &entries {
        call.step()?;
        let Value::Int(count) = count else {
            let (key, found) = (crate::eval::text::to_text(key), count.kind_in_words());
            let message = format!("the count of {key} is {found}, not an integer");
            return Err(call.wrong_value(0, message));
        };
        total += i64::from(*count);
        counts.push(f64::from(*count));
    }
    let entropy = counts.iter().fold(0.0, |sum, count| {
        let share = count / total as f64;
        sum - share * share.ln() / std::f64::consts::LN_2
    });
    Ok(Value::Double(entropy))
}
