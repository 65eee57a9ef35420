//! Functions by what they are about: `?subnet` finds IN_SUBNET.

use super::registry::Registry;
use super::spec::FunctionSpec;
use crate::diagnostic::Outcome;
use crate::eval::Context;
use smol_str::SmolStr;

/// A function that a search has found.
#[derive(Debug, Clone)]
pub struct Found {
    /// Its name.
    pub name: SmolStr,
    /// What it does, in one sentence.
    pub summary: String,
    /// How well it fits; more is better.
    pub score: u32,
}

/// Words that say nothing about what is wanted.
const EMPTY: &[&str] = &[
    "a", "an", "and", "for", "from", "how", "in", "is", "of", "or", "the", "to", "with",
];

/// The functions whose documentation holds all of these words, the fitting ones first.
///
/// Errors: a library that does not parse.
pub fn search(registry: &Registry, words: &str, context: &Context) -> Outcome<Vec<Found>> {
    let mut wanted: Vec<String> = words_of(words).collect();
    wanted.retain(|word| !EMPTY.contains(&word.as_str()));
    let mut found = Vec::new();
    for spec in registry.specs() {
        let scores = wanted.iter().map(|word| score_of_spec(spec, word));
        found.extend(judge(scores, spec.name, spec.summary));
    }
    let mut definitions = registry.library(context)?;
    definitions.extend(registry.definitions());
    for definition in definitions {
        let summary = definition.documentation.lines().next().unwrap_or("");
        let scores = wanted.iter().map(|word| {
            name_score(&definition.name, word)
                .max(text_score(summary, word, 4))
                .max(text_score(&definition.documentation, word, 1))
        });
        found.extend(judge(scores, &definition.name, summary));
    }
    found.sort_by(|a, b| b.score.cmp(&a.score).then_with(|| a.name.cmp(&b.name)));
    found.dedup_by(|a, b| a.name == b.name);
    Ok(found)
}

/// The sum of the scores, if every word has one.
fn judge(scores: impl Iterator<Item = u32>, name: &str, summary: &str) -> Option<Found> {
    let mut score = 0;
    for one in scores {
        if one == 0 {
            return None;
        }
        score += one;
    }
    (score > 0).then(|| Found {
        name: name.into(),
        summary: summary.to_string(),
        score,
    })
}

fn score_of_spec(spec: &FunctionSpec, word: &str) -> u32 {
    let own = if spec.words.iter().any(|w| words_of(w).any(|w| w == word)) {
        6
    } else {
        0
    };
    let parameters = spec.parameters.iter();
    let parameter =
        parameters.map(|p| text_score(p.name, word, 2).max(text_score(p.text, word, 1)));
    [
        name_score(spec.name, word),
        own,
        text_score(spec.summary, word, 4),
        text_score(spec.family.title(), word, 3),
        text_score(spec.details, word, 1),
        text_score(spec.returns, word, 1),
        parameter.max().unwrap_or(0),
    ]
    .into_iter()
    .max()
    .unwrap_or(0)
}

fn name_score(name: &str, word: &str) -> u32 {
    if words_of(name).any(|part| part == word) {
        8
    } else if name.to_lowercase().contains(word) {
        5
    } else {
        0
    }
}

fn text_score(text: &str, word: &str, score: u32) -> u32 {
    if words_of(text).any(|part| part == word) {
        score
    } else {
        0
    }
}

/// The words of a text in small letters, without the s of a plural.
fn words_of(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(|word| {
            let word = word.to_lowercase();
            match word.strip_suffix('s') {
                Some(stem) if stem.len() > 2 && !stem.ends_with('s') => stem.to_string(),
                _ => word,
            }
        })
}
