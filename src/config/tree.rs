//! A TOML text as a tree of values that know their places.

use crate::diagnostic::{Code, Diagnostic, Fault, Outcome, Source, Span};
use serde_json::{Map, Number, Value as Json};
use std::sync::Arc;
use toml::de::{DeTable, DeValue};

/// A value.
#[derive(Clone)]
pub(super) enum Node {
    Text(String),
    Whole(i64),
    Real(f64),
    Flag(bool),
    Date(String),
    List(Vec<Spot>),
    Table(Vec<Entry>),
}

/// A value and where it stands.
#[derive(Clone)]
pub(super) struct Spot {
    pub span: Span,
    pub node: Node,
}

/// A key, where it stands, and its value.
#[derive(Clone)]
pub(super) struct Entry {
    pub key: String,
    pub span: Span,
    pub value: Spot,
}

impl Node {
    /// What the value is, with its article.
    pub fn kind(&self) -> &'static str {
        match self {
            Node::Text(_) => "a text",
            Node::Whole(_) => "a whole number",
            Node::Real(_) => "a number with a fraction",
            Node::Flag(_) => "true or false",
            Node::Date(_) => "a date",
            Node::List(_) => "a list",
            Node::Table(_) => "a table",
        }
    }
}

/// Parses `text`; `shown` is the same text with its secrets masked, for the messages.
pub(super) fn parse(text: &str, shown: &Arc<Source>) -> Outcome<Vec<Entry>> {
    let table = DeTable::parse(text).map_err(|error| {
        // A parser's message may quote the text, so only its first line is taken.
        let message = error.message().lines().next().unwrap_or_default();
        let fault = Diagnostic::new(Code::Configuration, format!("this is not TOML: {message}"));
        match error.span() {
            Some(range) => fault
                .or_at(Span::new(range.start, range.end))
                .in_source(shown),
            None => fault,
        }
    })?;
    entries(table.into_inner()).map_err(|fault| fault.in_source(shown))
}

fn entries(table: DeTable<'_>) -> Outcome<Vec<Entry>> {
    let mut found = Vec::with_capacity(table.len());
    for (key, value) in table {
        let span = span(key.span());
        found.push(Entry {
            key: key.into_inner().into_owned(),
            span,
            value: spot(value)?,
        });
    }
    Ok(found)
}

fn spot(value: toml::Spanned<DeValue<'_>>) -> Outcome<Spot> {
    let span = span(value.span());
    let beyond = |what: &str| -> Fault {
        Diagnostic::at(
            Code::Configuration,
            span,
            format!("a {what} number beyond 64 bits"),
        )
    };
    let node = match value.into_inner() {
        DeValue::String(text) => Node::Text(text.into_owned()),
        DeValue::Integer(number) => Node::Whole(
            i64::from_str_radix(number.as_str(), number.radix()).map_err(|_| beyond("whole"))?,
        ),
        DeValue::Float(number) => {
            Node::Real(number.as_str().parse().map_err(|_| beyond("fractional"))?)
        }
        DeValue::Boolean(flag) => Node::Flag(flag),
        DeValue::Datetime(date) => Node::Date(date.to_string()),
        DeValue::Array(items) => Node::List(items.into_iter().map(spot).collect::<Outcome<_>>()?),
        DeValue::Table(table) => Node::Table(entries(table)?),
    };
    Ok(Spot { span, node })
}

fn span(range: std::ops::Range<usize>) -> Span {
    Span::new(range.start, range.end)
}

/// The value as JSON; dates become texts. E0501 for nan and the infinities, which JSON does not know.
pub(super) fn to_json(spot: &Spot) -> Outcome<Json> {
    Ok(match &spot.node {
        Node::Text(text) | Node::Date(text) => Json::String(text.clone()),
        Node::Whole(number) => Json::from(*number),
        Node::Real(number) => Number::from_f64(*number).map(Json::Number).ok_or_else(|| {
            Diagnostic::at(
                Code::Configuration,
                spot.span,
                "globals are JSON, which has no nan and no infinities",
            )
        })?,
        Node::Flag(flag) => Json::Bool(*flag),
        Node::List(items) => Json::Array(items.iter().map(to_json).collect::<Outcome<_>>()?),
        Node::Table(entries) => {
            let pairs = entries
                .iter()
                .map(|e| Ok((e.key.clone(), to_json(&e.value)?)));
            Json::Object(pairs.collect::<Outcome<Map<_, _>>>()?)
        }
    })
}
