//! Keys of maps, inside of strings and behind points; parameters of lambdas.

use super::place::open_call;
use super::{Completions, Kind, collected, files, query, value_of, words};
use crate::eval::{Value, Variables};
use crate::functions::spec::FunctionSpec;
use crate::shell::session::Session;
use crate::syntax::escaped;
use crate::syntax::scan::{self, Token, TokenKind};

/// Inside of an unfinished string that holds `inside` so far: keys of the maps that the statement names, or files.
pub(super) fn in_text(
    session: &Session,
    text: &str,
    start: usize,
    at: usize,
    inside: &str,
    before: &[Token],
) -> Completions {
    let code = &text[start..at];
    let call = open_call(&code[..code.len() - inside.len() - 1], before);
    if call
        .as_ref()
        .is_some_and(|call| query::takes_query(call.name, call.index))
    {
        return query::complete(session, inside, at);
    }
    let engine = session.engine();
    let spec = call
        .as_ref()
        .and_then(|call| engine.registry.spec(call.name));
    let wants_file = spec.is_some_and(|spec| {
        let index = call.as_ref().map_or(0, |call| call.index);
        takes_file(spec, index)
    });
    let looks_like_path = inside.starts_with(['/', '~']) || inside.starts_with("./");
    if wants_file || looks_like_path {
        return files::complete(inside, at);
    }
    let mark = &code[code.len() - inside.len() - 1..code.len() - inside.len()];
    let closed = text[at..].starts_with(mark);
    let end = if closed { "" } else { mark };
    let quote = mark.chars().next().unwrap_or('\'');
    let collected = call
        .as_ref()
        .and_then(|call| collected::names(session, call.name, call.index));
    if let Some(names) = collected {
        let names = names.into_iter();
        let names = names.map(|name| (Kind::Word, escaped(&name, quote) + end));
        return words(at - inside.len(), at, inside, names);
    }
    let mut keys = Vec::new();
    let mut add = |value: Value| {
        let Value::Map(map) = value else { return };
        map.with(|entries| {
            let texts = entries.keys().filter_map(Value::as_text);
            keys.extend(texts.map(|key| (Kind::Key, escaped(key, quote) + end)));
        });
    };
    let named = names(text, start, at);
    let mut known = named
        .iter()
        .filter_map(|name| value_of(session, name))
        .peekable();
    if known.peek().is_some() {
        known.for_each(&mut add);
    } else {
        // The map may come behind the key: MAP_GET('k', m).
        session.variables.whole().into_iter().for_each(&mut add);
        session
            .variables
            .all()
            .into_iter()
            .for_each(|(_, value)| add(value));
    }
    words(at - inside.len(), at, inside, keys)
}

fn takes_file(spec: &FunctionSpec, index: usize) -> bool {
    let parameter = spec.parameters.get(index);
    parameter.is_some_and(|p| matches!(p.name, "path" | "file"))
}

/// The names in the statement around the cursor, before and behind it.
fn names(text: &str, start: usize, at: usize) -> Vec<String> {
    let mut names = Vec::new();
    for part in [&text[start..at], text[at..].lines().next().unwrap_or("")] {
        // Behind the cursor the string's end opens another one for the scanner.
        for piece in part.split(['\'', '"']) {
            let tokens = scan::tokens(piece).filter(|t| t.kind == TokenKind::Word);
            names.extend(tokens.map(|t| piece[t.span.start..t.span.end].to_string()));
        }
    }
    names.sort();
    names.dedup();
    names
}

/// The keys of the map that `base` names, each behind `base.`.
pub(super) fn below(session: &Session, base: &str) -> Vec<(Kind, String)> {
    let Some(Value::Map(map)) = value_of(session, base) else {
        return Vec::new();
    };
    let plain = |key: &str| {
        !key.is_empty()
            && key
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | ':'))
    };
    map.with(|entries| {
        let keys = entries.keys().filter_map(Value::as_text);
        keys.filter(|key| plain(key))
            .map(|key| (Kind::Key, format!("{base}.{key}")))
            .collect()
    })
}

/// The parameters of the lambdas in a text.
pub(super) fn parameters(code: &str, tokens: &[Token]) -> Vec<String> {
    let solid: Vec<&Token> = tokens
        .iter()
        .filter(|t| t.kind != TokenKind::Blank)
        .collect();
    let part = |token: &Token| &code[token.span.start..token.span.end];
    let mut names = Vec::new();
    for (index, token) in solid.iter().enumerate() {
        if part(token) != "->" {
            continue;
        }
        let mut before = solid[..index].iter().rev();
        match before.next() {
            Some(name) if name.kind == TokenKind::Word => names.push(part(name).to_string()),
            Some(close) if part(close) == ")" => {
                for token in before.take_while(|token| part(token) != "(") {
                    if token.kind == TokenKind::Word {
                        names.push(part(token).to_string());
                    }
                }
            }
            _ => {}
        }
    }
    names
}
