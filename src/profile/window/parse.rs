//! A selector's text to its tree. The only place here that knows pest.

use super::complain::{self, Expected};
use super::tree::{Amount, Argument, Day, Reach, Selector, Specifier, Unit};
use crate::diagnostic::{Code, Diagnostic, Outcome, Source, Span};
use pest::Parser as _;
use pest::error::{ErrorVariant, InputLocation};
use pest::iterators::Pair;
use std::sync::Arc;

/// The parser made from the grammar.
#[derive(pest_derive::Parser)]
#[grammar = "grammar/window.pest"]
struct Grammar;

/// Bytes that a selector may have.
pub const LONGEST: usize = 64 << 10;

/// The name that selectors have in messages.
const NAME: &str = "selector";

/// Reads a selector. Errors: E0221 with the place in the selector, E0301 for one of more than 64 KiB.
pub fn parse(text: &str) -> Outcome<Selector> {
    if text.len() > LONGEST {
        let message = format!(
            "the selector has {} bytes; at most {LONGEST} are allowed",
            text.len()
        );
        return Err(Diagnostic::new(Code::ExpressionLength, message));
    }
    let source = Arc::new(Source::named(NAME, text));
    read(&source).map_err(|fault| fault.in_source(&source))
}

fn read(source: &Arc<Source>) -> Outcome<Selector> {
    // What Java's trim takes away: blanks and control characters.
    let text = source.text.trim_end_matches(|c| c <= ' ');
    let trimmed = text.trim_start_matches(|c| c <= ' ');
    let shift = text.len() - trimmed.len();
    if trimmed.is_empty() {
        return Err(complain::empty(text.len()));
    }
    let pairs = Grammar::parse(Rule::selector, trimmed).map_err(|error| {
        let at = match error.location {
            InputLocation::Pos(at) | InputLocation::Span((at, _)) => at,
        };
        let ErrorVariant::ParsingError { positives, .. } = &error.variant else {
            return complain::unexpected(text, at + shift, &[]);
        };
        let expected: Vec<Expected> = positives.iter().filter_map(|rule| wanted(*rule)).collect();
        complain::unexpected(text, at + shift, &expected)
    })?;
    let mut selector = Selector {
        source: source.clone(),
        width: None,
        every: None,
        reach: None,
        include: Vec::new(),
        exclude: Vec::new(),
    };
    for pair in pairs {
        match pair.as_rule() {
            Rule::span => selector.reach = Some(reach(pair, shift)?),
            Rule::windows => windows(pair, shift, &mut selector)?,
            _ => {}
        }
    }
    Ok(selector)
}

/// What a rule that could have gone on means to a reader.
fn wanted(rule: Rule) -> Option<Expected> {
    Some(match rule {
        Rule::number | Rule::interval | Rule::windows => Expected::Number,
        Rule::unit => Expected::Unit,
        Rule::window => Expected::Window,
        Rule::every => Expected::Every,
        Rule::from | Rule::span => Expected::From,
        Rule::to => Expected::To,
        Rule::ago => Expected::Ago,
        Rule::including | Rule::include => Expected::Include,
        Rule::excluding | Rule::exclude => Expected::Exclude,
        Rule::specifier | Rule::day => Expected::Day,
        Rule::argument => Expected::Argument,
        Rule::comma => Expected::Comma,
        Rule::EOI => Expected::End,
        _ => return None,
    })
}

fn place(pair: &Pair<'_, Rule>, shift: usize) -> Span {
    let span = pair.as_span();
    Span::new(span.start(), span.end()).shifted(shift)
}

fn windows(pair: Pair<'_, Rule>, shift: usize, selector: &mut Selector) -> Outcome<()> {
    for part in pair.into_inner() {
        match part.as_rule() {
            Rule::interval => {
                let amount = amount(part, shift)?;
                match selector.width {
                    None => selector.width = Some(amount),
                    Some(_) => selector.every = Some(amount),
                }
            }
            Rule::span => selector.reach = Some(reach(part, shift)?),
            Rule::include => selector.include = specifiers(part, shift),
            Rule::exclude => selector.exclude = specifiers(part, shift),
            _ => {}
        }
    }
    Ok(())
}

fn reach(pair: Pair<'_, Rule>, shift: usize) -> Outcome<Reach> {
    let whole = place(&pair, shift);
    let mut amounts = pair
        .into_inner()
        .filter(|part| part.as_rule() == Rule::interval)
        .map(|part| amount(part, shift));
    let from = amounts.next().unwrap_or_else(|| Err(impossible(whole)))?;
    Ok(Reach {
        from,
        to: amounts.next().transpose()?,
    })
}

fn amount(pair: Pair<'_, Rule>, shift: usize) -> Outcome<Amount> {
    let span = place(&pair, shift);
    let mut parts = pair.into_inner();
    let (Some(number), Some(unit)) = (parts.next(), parts.next()) else {
        return Err(impossible(span));
    };
    let unit = match unit.as_str().as_bytes().first() {
        Some(b's' | b'S') => Unit::Second,
        Some(b'm' | b'M') => Unit::Minute,
        Some(b'h' | b'H') => Unit::Hour,
        _ => Unit::Day,
    };
    match number.as_str().parse() {
        Ok(number) => Ok(Amount { number, unit, span }),
        Err(_) => Err(complain::too_large(place(&number, shift))),
    }
}

fn specifiers(pair: Pair<'_, Rule>, shift: usize) -> Vec<Specifier> {
    pair.into_inner()
        .filter(|part| part.as_rule() == Rule::specifier)
        .map(|part| specifier(part, shift))
        .collect()
}

fn specifier(pair: Pair<'_, Rule>, shift: usize) -> Specifier {
    let span = place(&pair, shift);
    let mut made = Specifier {
        day: Day::Date,
        arguments: Vec::new(),
        span,
    };
    for part in pair.into_inner() {
        let text = part.as_str();
        match part.as_rule() {
            Rule::day => made.day = day(text),
            Rule::argument => made.arguments.push(Argument {
                // The original cuts one character off, be it the colon or the first digit.
                text: text.get(1..).unwrap_or("").to_string(),
                bare: !text.starts_with(':'),
                span: place(&part, shift),
            }),
            _ => {}
        }
    }
    made
}

fn day(word: &str) -> Day {
    let word = word.to_ascii_lowercase();
    match word.get(..3).unwrap_or("") {
        "mon" => Day::Weekday(0),
        "tue" => Day::Weekday(1),
        "wed" => Day::Weekday(2),
        "thu" => Day::Weekday(3),
        "fri" => Day::Weekday(4),
        "sat" => Day::Weekday(5),
        "sun" => Day::Weekday(6),
        "hol" => Day::Holidays,
        "wee" if word.starts_with("weekd") => Day::Weekdays,
        "wee" => Day::Weekend,
        "dat" => Day::Date,
        _ => Day::ThisDay,
    }
}

/// A state that the grammar makes impossible.
fn impossible(span: Span) -> crate::diagnostic::Fault {
    Diagnostic::at(
        Code::Internal,
        span,
        "the parser of selectors met what cannot be",
    )
}
