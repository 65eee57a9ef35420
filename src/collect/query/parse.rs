//! A query's text to its tree. The only place here that knows pest.

use super::tree::{Clause, Every, Item, Named, Tree, Written};
use crate::config::duration;
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome, Source, Span, nearest, quoted_list};
use crate::syntax::{self, ParseLimits};
use pest::Parser as _;
use pest::error::{ErrorVariant, InputLocation};
use pest::iterators::Pair;
use std::sync::Arc;

/// The parser made from the grammar.
#[derive(pest_derive::Parser)]
#[grammar = "grammar/linq.pest"]
struct Grammar;

/// The name that queries have in messages.
const NAME: &str = "query";

/// The words of the language.
pub const WORDS: &[&str] = &[
    "from", "where", "select", "group", "every", "limit", "offset", "by", "as",
];

/// Reads a query. Errors: E0410 with the place, E01xx of an expression, E0301 and E0302 for texts beyond the limits.
pub fn parse(text: &str, limits: ParseLimits) -> Outcome<Tree> {
    let source = Arc::new(Source::named(NAME, text));
    if text.len() > limits.length {
        let message = format!(
            "the query has {} bytes; at most {} are allowed",
            text.len(),
            limits.length
        );
        return Err(Diagnostic::new(Code::ExpressionLength, message));
    }
    syntax::with_stack(|| read(&source, limits)).map_err(|fault| fault.in_source(&source))
}

/// The first bracket, outside of texts, that opens a level too many. E0302 tells it before the grammar walks them all.
fn too_deep(text: &str, depth: usize) -> Option<usize> {
    let (mut levels, mut quote) = (0usize, None);
    let mut bytes = text.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match (quote, byte) {
            (Some(_), b'\\') => drop(bytes.next()),
            (Some(open), _) if open == byte => quote = None,
            (Some(_), _) => {}
            (None, b'\'' | b'"') => quote = Some(byte),
            (None, b'(' | b'[' | b'{') if levels == depth => return Some(at),
            (None, b'(' | b'[' | b'{') => levels += 1,
            (None, b')' | b']' | b'}') => levels = levels.saturating_sub(1),
            _ => {}
        }
    }
    None
}

fn read(source: &Arc<Source>, limits: ParseLimits) -> Outcome<Tree> {
    let text = source.text.as_str();
    if let Some(at) = too_deep(text, limits.depth) {
        return Err(syntax::scan::too_deep(Span::new(at, at + 1), limits.depth));
    }
    let pairs = Grammar::parse(Rule::query, text).map_err(|error| {
        let at = match error.location {
            InputLocation::Pos(at) | InputLocation::Span((at, _)) => at,
        };
        match &error.variant {
            ErrorVariant::ParsingError { positives, .. } => unexpected(text, at, positives),
            // The only other error is the guard of the native stack.
            ErrorVariant::CustomError { .. } => Diagnostic::at(
                Code::Nesting,
                Span::new(at, at + 1),
                "brackets are nested too deep",
            ),
        }
    })?;
    let reader = Reader { source, limits };
    let mut from = None;
    let mut clauses = Vec::new();
    for pair in pairs {
        match pair.as_rule() {
            Rule::from => from = pair.into_inner().find(|p| p.as_rule() == Rule::source),
            Rule::EOI | Rule::pragma => {}
            _ => clauses.push(reader.clause(pair)?),
        }
    }
    let Some(from) = from else {
        return Err(Diagnostic::new(Code::BadQuery, "a query begins with from"));
    };
    Ok(Tree {
        text: source.clone(),
        from: named(&from),
        clauses,
    })
}

struct Reader<'s> {
    source: &'s Arc<Source>,
    limits: ParseLimits,
}

fn span(pair: &Pair<'_, Rule>) -> Span {
    let span = pair.as_span();
    Span::new(span.start(), span.end())
}

fn named(pair: &Pair<'_, Rule>) -> Named {
    Named {
        name: pair.as_str().into(),
        span: span(pair),
    }
}

impl Reader<'_> {
    fn clause(&self, pair: Pair<'_, Rule>) -> Outcome<Clause> {
        let place = span(&pair);
        let rule = pair.as_rule();
        let mut every_part = None;
        let mut items = Vec::new();
        let mut conditions = Vec::new();
        let mut number = 0;
        for part in pair.clone().into_inner() {
            match part.as_rule() {
                Rule::item => items.push(self.item(part)?),
                Rule::expression => conditions.push(self.expression(&part)?),
                Rule::every => every_part = Some(every(&part)?),
                Rule::number => {
                    number = part.as_str().parse().map_err(|_| {
                        Diagnostic::at(Code::BadQuery, span(&part), "this number is too large")
                    })?;
                }
                _ => {}
            }
        }
        Ok(match rule {
            Rule::filter => Clause::Where(conditions),
            Rule::select => Clause::Select(items, place),
            Rule::every => Clause::Every(every(&pair)?),
            Rule::limit => Clause::Limit(number, place),
            Rule::offset => Clause::Offset(number, place),
            _ => Clause::Group {
                every: every_part,
                by: items,
                span: place,
            },
        })
    }

    fn item(&self, pair: Pair<'_, Rule>) -> Outcome<Item> {
        let mut written = None;
        let mut name = None;
        for part in pair.clone().into_inner() {
            match part.as_rule() {
                Rule::expression => written = Some(self.expression(&part)?),
                Rule::name => name = Some(named(&part)),
                _ => {}
            }
        }
        Ok(written.map_or(Item::All(span(&pair)), |written| Item::One(written, name)))
    }

    /// What stands before the expression becomes blanks, so that places count in the whole query.
    fn expression(&self, pair: &Pair<'_, Rule>) -> Outcome<Written> {
        let place = span(pair);
        let limits = ParseLimits {
            length: usize::MAX,
            ..self.limits
        };
        let padded = format!("{}{}", " ".repeat(place.start), pair.as_str());
        let tree = syntax::parse(&Arc::new(Source::named(NAME, padded)), limits);
        let tree = tree.map_err(|mut fault| {
            fault.source = Some(self.source.clone());
            fault
        })?;
        let missing = || Diagnostic::at(Code::BadQuery, place, "an expression is missing here");
        Ok(Written {
            tree: tree.ok_or_else(missing)?,
            span: place,
        })
    }
}

fn every(pair: &Pair<'_, Rule>) -> Outcome<Every> {
    let inner = pair.clone().into_inner();
    let found = inner.into_iter().find(|p| p.as_rule() == Rule::duration);
    let place = found.as_ref().map_or(span(pair), span);
    let text = found.map(|part| part.as_str().to_ascii_lowercase());
    let time = text
        .and_then(|text| duration(&text).ok())
        .filter(|time| !time.is_zero());
    let millis = time.and_then(|time| i64::try_from(time.as_millis()).ok());
    millis
        .map(|millis| Every {
            millis,
            span: place,
        })
        .ok_or_else(|| {
            Diagnostic::at(Code::BadQuery, place, "this is no length of time")
                .help("write for example every 5m, every 1h or every 1d")
        })
}

fn wanted(rule: Rule) -> Option<&'static str> {
    Some(match rule {
        Rule::from | Rule::kw_from => "from",
        Rule::source => "the name of a source",
        Rule::filter | Rule::kw_where => "where",
        Rule::select | Rule::kw_select => "select",
        Rule::group | Rule::kw_group => "group",
        Rule::every | Rule::kw_every => "every",
        Rule::limit | Rule::kw_limit => "limit",
        Rule::offset | Rule::kw_offset => "offset",
        Rule::kw_by => "by",
        Rule::kw_as => "as",
        Rule::item | Rule::expression | Rule::star => "an expression",
        Rule::name => "a name",
        Rule::duration => "a length of time such as 5m",
        Rule::number => "a number",
        Rule::comma => "a comma",
        Rule::EOI => "the end",
        _ => return None,
    })
}

fn unexpected(text: &str, at: usize, positives: &[Rule]) -> Fault {
    let rest = text.get(at..).unwrap_or_default();
    let blanks = rest.len() - rest.trim_start().len();
    let (at, rest) = (at + blanks, rest.trim_start());
    if text.trim().is_empty() {
        return Diagnostic::new(Code::BadQuery, "the query is empty")
            .help("write from SOURCE where … select …");
    }
    let long = rest
        .find(|c: char| !(c.is_alphanumeric() || "_.-".contains(c)))
        .filter(|long| *long > 0)
        .unwrap_or_else(|| match rest.starts_with(|c: char| c.is_alphanumeric()) {
            true => rest.len(),
            false => rest.chars().next().map_or(0, char::len_utf8),
        });
    let word = rest.get(..long).unwrap_or_default();
    let place = Span::new(at, at + word.len());
    let mut expected: Vec<&str> = positives.iter().filter_map(|rule| wanted(*rule)).collect();
    expected.sort_unstable();
    expected.dedup();
    let found = match word {
        "" => "the query ends too early".to_owned(),
        "'" | "\"" => "this quotation mark is never closed".to_owned(),
        "(" | "[" | "{" => format!("this {word} is never closed"),
        word => format!("unexpected {word}"),
    };
    let mut fault = Diagnostic::at(Code::BadQuery, place, found);
    if !expected.is_empty() && !"'\"([{".contains(word) || word.is_empty() {
        fault = fault.labelled(format!("expected {}", quoted_list(&expected)));
    }
    let near = nearest(&word.to_ascii_lowercase(), WORDS.iter().copied());
    fault.did_you_mean(near.filter(|near| *near != word.to_ascii_lowercase()))
}
