//! Numbers that describe texts.

use super::super::spec::{FunctionSpec, Kind, SPEC, example, fails, required};
use super::string_or_null;
use crate::diagnostic::Outcome;
use crate::eval::{Call, Value, convert};

pub(super) const STRING_ENTROPY: FunctionSpec = FunctionSpec {
    name: "STRING_ENTROPY",
    summary: "Measures in bits per character how mixed the characters of a string are.",
    details: "Shannon's entropy: 0.0 when all characters are the same, the higher the more different ones there are. \
              Names made by machines tend to be high. Values that are no strings are turned into text first, \
              lists by their first element.",
    parameters: &[required("input", Kind::Text, "the string")],
    returns: "the entropy, a double; 0.0 for null and the empty string",
    errors: &["there is not exactly one argument"],
    examples: &[
        example("STRING_ENTROPY('aaaaaaaaaabbbbbccccc')", "1.5"),
        example("STRING_ENTROPY('abcd')", "2.0"),
        example("STRING_ENTROPY('aaaa')", "0.0"),
        example("STRING_ENTROPY(null)", "0.0"),
        fails("STRING_ENTROPY('a', 'b')", "E0202"),
    ],
    see: &["COUNT_MATCHES", "LENGTH", "IT_ENTROPY"],
    words: &[
        "Shannon",
        "randomness",
        "DGA",
        "domain generation",
        "information",
    ],
    strict: true,
    run: |call| {
        let text = convert::to_string(call.arg(0));
        Ok(Value::Double(text.map_or(0.0, |text| entropy(&text))))
    },
    ..SPEC
};

pub(super) const COUNT_MATCHES: FunctionSpec = FunctionSpec {
    name: "COUNT_MATCHES",
    summary: "Counts how often a string holds another.",
    details: "Occurrences do not overlap. The text sought is plain, not a pattern; capitals and small letters differ.",
    parameters: &[
        required("string", Kind::Text, "the string to search"),
        required("sought", Kind::Text, "what to count"),
    ],
    returns: "the number, an integer; 0 when either is null or empty",
    errors: &[
        "an argument is neither a string nor null",
        "there are not exactly two arguments",
    ],
    examples: &[
        example("COUNT_MATCHES('10.0.0.1', '.')", "3"),
        example("COUNT_MATCHES('aaaa', 'aa')", "2"),
        example("COUNT_MATCHES('abc', '')", "0"),
        example("COUNT_MATCHES(null, 'a')", "0"),
        fails("COUNT_MATCHES(101, '1')", "E0203"),
    ],
    see: &["STRING_ENTROPY", "REGEXP_MATCH", "SPLIT"],
    words: &["occurrences", "how many", "frequency"],
    strict: true,
    run: count_matches,
    ..SPEC
};

/// Entropy over UTF-16 units.
fn entropy(text: &str) -> f64 {
    if text.is_ascii() {
        let mut counts = [0u32; 128];
        for byte in text.bytes() {
            if let Some(count) = counts.get_mut(usize::from(byte)) {
                *count += 1;
            }
        }
        return bits(counts.iter().copied().filter(|n| *n > 0), text.len());
    }
    let mut units: Vec<u16> = text.encode_utf16().collect();
    units.sort_unstable();
    let counts = units.chunk_by(|a, b| a == b).map(|same| same.len() as u32);
    bits(counts, units.len())
}

fn bits(counts: impl Iterator<Item = u32>, total: usize) -> f64 {
    counts.fold(0.0, |sum, count| {
        let share = f64::from(count) / total as f64;
        sum - share * share.ln() / std::f64::consts::LN_2
    })
}

fn count_matches(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let (text, sought) = (string_or_null(call, 0)?, string_or_null(call, 1)?);
    let count = match (text, sought) {
        (Some(text), Some(sought)) if !sought.is_empty() => match sought.as_bytes() {
            [byte] => memchr::memchr_iter(*byte, text.as_bytes()).count(),
            sought => memchr::memmem::find_iter(text.as_bytes(), sought).count(),
        },
        _ => 0,
    };
    Ok(Value::Int(i32::try_from(count).unwrap_or(i32::MAX)))
}
