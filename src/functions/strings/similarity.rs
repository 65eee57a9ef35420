//! How alike two texts are.

use super::super::spec::{FunctionSpec, Kind, SPEC, example, fails, required};
use super::string_or_null;
use crate::diagnostic::Outcome;
use crate::eval::{Call, Value};

pub(super) const LEVENSHTEIN: FunctionSpec = FunctionSpec {
    name: "LEVENSHTEIN",
    summary: "Counts how many characters must be put in, taken out or replaced to make one text of another.",
    details: "The distance of V. I. Levenshtein (1966), over Unicode characters. Capitals and small letters are different. \
              A small distance to a well-known name, but not 0, is what imitations of domains and processes have.",
    parameters: &[
        required("a", Kind::Text, "a text"),
        required("b", Kind::Text, "another one"),
    ],
    returns: "the distance, an integer; null when a text is null",
    errors: &[
        "an argument is neither a string nor null",
        "both texts are very long",
    ],
    examples: &[
        example("LEVENSHTEIN('kitten', 'sitting')", "3"),
        example("LEVENSHTEIN('paypal.com', 'paypa1.com')", "1"),
        example("LEVENSHTEIN('same', 'same')", "0"),
        example("LEVENSHTEIN(null, 'a')", "null"),
        fails("LEVENSHTEIN('a', 1)", "E0203"),
    ],
    see: &["JARO_WINKLER", "FUZZY_SCORE", "TLSH_DIST"],
    words: &[
        "edit distance",
        "similarity",
        "typo",
        "typosquat",
        "lookalike",
    ],
    run: |call| {
        Ok(match texts(call)? {
            Some((a, b)) => {
                let distance = strsim::levenshtein(a, b);
                Value::Int(i32::try_from(distance).unwrap_or(i32::MAX))
            }
            None => Value::Null,
        })
    },
    ..SPEC
};

pub(super) const JARO_WINKLER: FunctionSpec = FunctionSpec {
    name: "JARO_WINKLER",
    summary: "Measures how alike two texts are, from 0.0 to 1.0, with more weight on how they begin.",
    details: "The similarity of W. E. Winkler (1990), made for names: shared characters that stand at about the same \
              place, and a bonus for the first four. 1.0 means the same text.",
    parameters: &[
        required("a", Kind::Text, "a text"),
        required("b", Kind::Text, "another one"),
    ],
    returns: "the similarity, a double; null when a text is null",
    errors: &[
        "an argument is neither a string nor null",
        "both texts are very long",
    ],
    examples: &[
        example("ROUND(JARO_WINKLER('MARTHA', 'MARHTA') * 1000)", "961"),
        example("JARO_WINKLER('svchost.exe', 'svchost.exe')", "1.0"),
        example("JARO_WINKLER('svchost.exe', 'scvhost.exe') > 0.9", "true"),
        example("JARO_WINKLER('abc', null)", "null"),
        fails("JARO_WINKLER(1, 'a')", "E0203"),
    ],
    see: &["LEVENSHTEIN", "FUZZY_SCORE"],
    words: &[
        "similarity",
        "fuzzy",
        "typo",
        "typosquat",
        "lookalike",
        "names",
    ],
    run: |call| {
        Ok(match texts(call)? {
            Some((a, b)) => Value::Double(strsim::jaro_winkler(a, b)),
            None => Value::Null,
        })
    },
    ..SPEC
};

/// The work that one comparison may be: the product of both lengths.
const MOST: usize = 100_000_000;

fn texts<'c>(call: &'c Call<'_, '_>) -> Outcome<Option<(&'c str, &'c str)>> {
    let (a, b) = (string_or_null(call, 0)?, string_or_null(call, 1)?);
    let (Some(a), Some(b)) = (a, b) else {
        return Ok(None);
    };
    if a.len().saturating_mul(b.len()) > MOST {
        let message = format!(
            "texts of {} and {} bytes are too long to be compared",
            a.len(),
            b.len()
        );
        return Err(call
            .wrong_value(0, message)
            .help("compare their beginnings: SUBSTRING(…, 0, 1000)"));
    }
    Ok(Some((a, b)))
}
