//! How well a text matches what somebody typed.

use super::super::spec::{FunctionSpec, Kind, SPEC, example, fails, required};
use crate::diagnostic::{Fault, Outcome, nearest};
use crate::eval::collections::List;
use crate::eval::{Call, Value};
use smol_str::SmolStr;
use std::sync::LazyLock;

/// Language tags as Java 17 lists them, sorted by their bytes.
static LANGUAGES: LazyLock<Vec<&str>> =
    LazyLock::new(|| include_str!("languages.txt").lines().collect());

pub(super) const FUZZY_SCORE: FunctionSpec = FunctionSpec {
    name: "FUZZY_SCORE",
    summary: "Scores how well the characters of a query are found in a text, in their order.",
    details: "Every character of the query that is found behind the one before it gives 1 point, \
              and 2 more when it follows directly. Capitals and small letters count as the same, by the rules of the language. \
              Once a character of the query is missing, the rest finds nothing.",
    parameters: &[
        required("term", Kind::Text, "the text to search"),
        required("query", Kind::Text, "the characters to find"),
        required(
            "language",
            Kind::Text,
            "a language tag such as en, one of FUZZY_LANGS()",
        ),
    ],
    returns: "the score, an integer; 0 when an argument is not a string, or the term or query is empty",
    errors: &["the language is a string but none of FUZZY_LANGS()"],
    examples: &[
        example(
            "FUZZY_SCORE('Apache Software Foundation', 'asf', 'en')",
            "3",
        ),
        example("FUZZY_SCORE('metron', 'metron', 'en')", "16"),
        example("FUZZY_SCORE('metron', 'x', 'en')", "0"),
        example("FUZZY_SCORE('metron', null, 'en')", "0"),
        fails("FUZZY_SCORE('metron', 'm', 'klingon')", "E0204"),
    ],
    see: &["FUZZY_LANGS", "COUNT_MATCHES", "TLSH_DIST"],
    words: &["similarity", "approximate", "typo", "distance"],
    run: fuzzy_score,
    ..SPEC
};

pub(super) const FUZZY_LANGS: FunctionSpec = FunctionSpec {
    name: "FUZZY_LANGS",
    summary: "Lists the language tags that FUZZY_SCORE knows.",
    details: "Tags are written as in IETF BCP 47: en, de-CH, zh-Hant-TW.",
    returns: "the tags, a list of strings",
    examples: &[
        example("'en' in FUZZY_LANGS()", "true"),
        example("'klingon' in FUZZY_LANGS()", "false"),
        example("GET_FIRST(FUZZY_LANGS())", "af"),
    ],
    see: &["FUZZY_SCORE"],
    words: &["locale", "BCP 47", "languages"],
    run: |_| {
        let tags = LANGUAGES
            .iter()
            .map(|tag| Value::Text(SmolStr::new_static(tag)));
        Ok(Value::List(List::array(tags.collect())))
    },
    ..SPEC
};

/// The tags, sorted.
#[cfg(test)]
pub(super) fn tags() -> &'static [&'static str] {
    &LANGUAGES
}

fn fuzzy_score(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let (Value::Text(term), Value::Text(query), Value::Text(tag)) =
        (call.arg(0), call.arg(1), call.arg(2))
    else {
        return Ok(Value::Int(0));
    };
    if LANGUAGES.binary_search(&tag.as_str()).is_err() {
        return Err(unknown_language(call, tag));
    }
    if term.is_empty() || query.is_empty() {
        return Ok(Value::Int(0));
    }
    let turkic = matches!(tag.split('-').next(), Some("tr" | "az"));
    Ok(Value::Int(score(
        &lower(term, turkic),
        &lower(query, turkic),
    )))
}

#[cold]
fn unknown_language(call: &Call<'_, '_>, tag: &str) -> Fault {
    // The comparison with all tags takes long for long texts.
    if tag.len() > 40 {
        return call.wrong_value(2, "this is not a language tag, such as en or de-CH");
    }
    let fault = call.wrong_value(2, format!("{tag:?} is not a known language tag"));
    match nearest(tag, LANGUAGES.iter().copied()) {
        Some(near) => fault.did_you_mean(Some(near)),
        None => fault.help("FUZZY_LANGS() lists the tags, such as en or de-CH"),
    }
}

/// Small letters; in Turkish and Azerbaijani the dotted and the dotless i are two letters.
fn lower(text: &str, turkic: bool) -> String {
    if turkic {
        text.replace("I\u{307}", "i")
            .replace('İ', "i")
            .replace('I', "ı")
            .to_lowercase()
    } else {
        text.to_lowercase()
    }
}

fn score(term: &str, query: &str) -> i32 {
    let mut units = term.encode_utf16().enumerate();
    let mut last = None;
    let mut score = 0i32;
    for wanted in query.encode_utf16() {
        match units.find(|(_, unit)| *unit == wanted) {
            Some((at, _)) => {
                let follows = last.is_some_and(|last| last + 1 == at);
                score = score.saturating_add(if follows { 3 } else { 1 });
                last = Some(at);
            }
            None => break,
        }
    }
    score
}
