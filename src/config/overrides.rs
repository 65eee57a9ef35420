//! `--set KEY=VALUE`.

use super::settings::{self, Place};
use super::tree::{self, Entry, Node, Spot};
use super::{Config, global_name, secret};
use crate::diagnostic::{Code, Diagnostic, Outcome, Source, Span};
use serde_json::{Map, Value as Json};
use std::sync::Arc;

/// Applies one override: KEY is a dotted TOML path; VALUE is TOML, or a text when it is none.
pub(super) fn set(config: &mut Config, text: &str, from: &str) -> Outcome<()> {
    let Some(equals) = equals_sign(text) else {
        return Err(
            Diagnostic::new(Code::Usage, format!("{from} wants KEY=VALUE"))
                .help(format!("for example {from} limits.depth=300")),
        );
    };
    let source = Arc::new(Source::named(from, secret::mask_source(text)));
    let bare = tree::parse(&format!("{}=0", &text[..equals]), &source).map_err(|_| {
        // Without a key nobody can tell whether the value is a secret, so it is not shown.
        let key = Arc::new(Source::named(from, &text[..equals]));
        Diagnostic::at(Code::Usage, Span::new(0, equals), "this is no key").in_source(&key).help(
            "a key is dotted words, in quotes where a word holds dots: globals.\"profiler.client.period.duration\"",
        )
    })?;
    let path = path(&bare);
    let value = value(text, equals, path.len());
    let place = Place {
        source: source.clone(),
        base: None,
        lines: false,
    };
    match path.as_slice() {
        // A deep global replaces only itself, so it cannot go the way of whole sections.
        [(section, _), first, rest @ ..] if section == "globals" && !rest.is_empty() => {
            let value = tree::to_json(&value).map_err(|fault| fault.in_source(&source))?;
            let slot = config.globals.entry(first.0.clone()).or_insert(Json::Null);
            *inner(slot, rest) = value;
            config
                .origins
                .insert(global_name(&first.0), from.to_string());
            Ok(())
        }
        _ => {
            let start = value.span;
            let entry = path
                .into_iter()
                .rev()
                .fold(None, |below: Option<Entry>, (key, span)| {
                    let value = match below {
                        Some(entry) => Spot {
                            span: entry.span.to(start),
                            node: Node::Table(vec![entry]),
                        },
                        None => value.clone(),
                    };
                    Some(Entry { key, span, value })
                });
            settings::apply(config, entry.as_slice(), &place)
        }
    }
}

/// The first equals sign outside quotes.
fn equals_sign(text: &str) -> Option<usize> {
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (None, '=') => return Some(at),
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), _) if open == c => quote = None,
            _ => {}
        }
    }
    None
}

fn path(entries: &[Entry]) -> Vec<(String, Span)> {
    let mut path = Vec::new();
    let mut level = entries;
    while let [entry] = level {
        path.push((entry.key.clone(), entry.span));
        let Node::Table(below) = &entry.value.node else {
            break;
        };
        level = below;
    }
    path
}

fn value(text: &str, equals: usize, depth: usize) -> Spot {
    let raw = text[equals + 1..].trim();
    let start = text.len() - text[equals + 1..].trim_start().len();
    let end = start + raw.len();
    let nowhere = Arc::new(Source::expression(""));
    let parsed = tree::parse(text, &nowhere)
        .ok()
        .and_then(|entries| leaf(entries, depth));
    match parsed {
        // A comment, or further keys on further lines, would silently get lost.
        Some(spot) if spot.span.end == end => spot,
        _ => Spot {
            span: Span::new(start, end),
            node: Node::Text(raw.to_string()),
        },
    }
}

fn leaf(entries: Vec<Entry>, depth: usize) -> Option<Spot> {
    let [entry]: [Entry; 1] = entries.try_into().ok()?;
    match (depth, entry.value) {
        (1, value) => Some(value),
        (
            _,
            Spot {
                node: Node::Table(below),
                ..
            },
        ) => leaf(below, depth - 1),
        _ => None,
    }
}

fn inner<'a>(slot: &'a mut Json, path: &[(String, Span)]) -> &'a mut Json {
    let Some(((key, _), rest)) = path.split_first() else {
        return slot;
    };
    if !slot.is_object() {
        *slot = Json::Object(Map::new());
    }
    inner(&mut slot[key.as_str()], rest)
}
