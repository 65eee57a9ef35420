//! Inside of a query: sources, saved queries, columns, the words of the language, aggregates and functions.

use super::{Completions, Kind, functions, words};
use crate::collect::query::{Query, Range, Saved, WORDS, aggregate_names};
use crate::eval::Context;
use crate::input::{Catalogue, Columns, EVENTDATE};
use crate::shell::session::Session;
use crate::store::Within;
use std::time::{Duration, Instant};

/// So long a source may take to tell its columns.
const PATIENCE: Duration = Duration::from_millis(300);

/// Of a source whose rows differ so many rows tell the columns.
const LOOKED_AT: usize = 20;

/// The functions whose first argument is a query.
const TAKERS: [&str; 2] = ["QUERY", "REDIS_COLLECT"];

/// Whether the argument of a function is a query.
pub(super) fn takes_query(name: &str, index: usize) -> bool {
    index == 0 && TAKERS.contains(&name)
}

/// At the end of an unfinished query.
pub(super) fn complete(session: &Session, inside: &str, at: usize) -> Completions {
    let engine = session.engine();
    let context = Context {
        deadline: Instant::now().checked_add(PATIENCE),
        ..engine.context.clone()
    };
    let long = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-');
    let before = inside.trim_end_matches(long);
    let prefix = inside.get(before.len()..).unwrap_or_default();
    let from = at - prefix.len();
    let said: Vec<&str> = before.split_whitespace().collect();
    let is = |word: &str, other: &str| word.eq_ignore_ascii_case(other);
    if said.is_empty() {
        let mut all = vec![(Kind::Keyword, "from ".to_owned())];
        let saved = context.services.get::<Saved>();
        let saved = saved.and_then(|saved| saved.list(Within::context(&context)).ok());
        let saved = saved.into_iter().flatten();
        all.extend(saved.map(|saved| (Kind::Word, saved.name)));
        return words(from, at, prefix, all);
    }
    if said.last().is_some_and(|last| is(last, "from")) {
        let catalogue = context.services.get::<Catalogue>();
        let names = catalogue.iter().flat_map(|all| all.iter());
        let names = names.map(|(name, _)| (Kind::Word, format!("{name} ")));
        return words(from, at, prefix, names);
    }
    let mut all: Vec<(Kind, String)> = WORDS
        .iter()
        .filter(|word| **word != "from")
        .map(|word| (Kind::Keyword, format!("{word} ")))
        .collect();
    if let (Some(first), Some(source)) = (said.first(), said.get(1))
        && is(first, "from")
    {
        let columns = columns(source, &context).into_iter();
        all.extend(columns.map(|name| (Kind::Key, name)));
    }
    if said.iter().any(|word| is(word, "group")) {
        all.extend(aggregate_names().map(|name| (Kind::Function, format!("{name}("))));
    }
    if !prefix.is_empty() {
        all.extend(functions(session, "("));
    }
    words(from, at, prefix, all)
}

/// The columns of a source; of one whose rows differ those of the first rows.
fn columns(source: &str, context: &Context) -> Vec<String> {
    let mut names = vec![EVENTDATE.to_owned()];
    let mut add = |name: &str| {
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    };
    let Ok(query) = Query::compile(&format!("from {source} limit {LOOKED_AT}"), context) else {
        return names;
    };
    match query.columns() {
        Columns::Fixed(columns) => columns.iter().for_each(|column| add(&column.name)),
        Columns::Open => {
            // What cannot be read tells nothing.
            let _ = query.run(
                Range::all(),
                context,
                &mut |row| {
                    row.fields(|name, _| add(name));
                    Ok(true)
                },
                &mut |_| Ok(()),
            );
        }
    }
    names
}
