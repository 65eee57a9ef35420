//! Turns what the grammar refuses into a sentence: what was expected, in words, and what stands there instead.

use super::parse::Rule;
use super::scan::{self, Token, TokenKind};
use crate::diagnostic::{Code, Diagnostic, Fault, Span, quoted_list};
use pest::error::{Error, ErrorVariant, InputLocation};

/// The diagnostic for a text that the grammar refused.
pub(super) fn explain(text: &str, error: &Error<Rule>, depth: usize) -> Fault {
    let at = match error.location {
        InputLocation::Pos(at) | InputLocation::Span((at, _)) => at,
    };
    let ErrorVariant::ParsingError { positives, .. } = &error.variant else {
        // The only other error is the guard of the native stack.
        return scan::too_deep(Span::new(at, at + 1), depth);
    };
    let (found, span) = token_at(text, at);
    special(text, positives, found, span).unwrap_or_else(|| {
        let fault = Diagnostic::at(
            Code::Unexpected,
            span,
            format!("unexpected {}", describe(text, found)),
        );
        let expected = expected(positives);
        if expected.is_empty() {
            fault
        } else {
            fault.labelled(format!("expected {}", quoted_list(&expected)))
        }
    })
}

/// The first token that is no blank from `at` on.
fn token_at(text: &str, at: usize) -> (Option<Token>, Span) {
    let found = scan::tokens(text)
        .find(|t| t.span.end > at && !matches!(t.kind, TokenKind::Blank | TokenKind::Comment));
    match found {
        Some(token) => (found, Span::new(token.span.start.max(at), token.span.end)),
        None => {
            let end = text.trim_end().len();
            (None, Span::new(end, end))
        }
    }
}

fn part(text: &str, token: Token) -> &str {
    &text[token.span.start..token.span.end]
}

fn describe(text: &str, found: Option<Token>) -> String {
    let Some(token) = found else {
        return "end of the expression".into();
    };
    let mut shown: String = part(text, token).chars().take(40).collect();
    if shown.len() < token.span.end - token.span.start {
        shown.push('…');
    }
    match token.kind {
        TokenKind::Text => format!("string {shown}"),
        TokenKind::Number => format!("number {shown}"),
        TokenKind::Keyword => format!("keyword {shown}"),
        TokenKind::Word => format!("name {shown}"),
        _ => shown,
    }
}

/// Cases that deserve a better sentence than "unexpected".
fn special(text: &str, positives: &[Rule], found: Option<Token>, span: Span) -> Option<Fault> {
    let wants = |rule: Rule| positives.contains(&rule);
    let operand_wanted = positives.iter().any(|rule| begins_value(*rule));
    let before = || {
        scan::tokens(text)
            .take_while(|t| t.span.end <= span.start)
            .filter(|t| !matches!(t.kind, TokenKind::Blank | TokenKind::Comment))
            .last()
    };
    let word = found.map(|token| part(text, token)).unwrap_or("");
    if wants(Rule::then_word) && !operand_wanted {
        return Some(
            Diagnostic::at(Code::Incomplete, span, "this conditional has no then")
                .labelled("expected then")
                .help("write: if condition then value else other"),
        );
    }
    if wants(Rule::else_word) && !operand_wanted {
        return Some(
            Diagnostic::at(Code::Incomplete, span, "this conditional has no else")
                .labelled("expected else")
                .help("write: if condition then value else other"),
        );
    }
    if wants(Rule::name) && !operand_wanted && before().is_some_and(|t| part(text, t) == "(") {
        let inside_exists = text[..span.start]
            .trim_end()
            .trim_end_matches('(')
            .trim_end()
            .to_ascii_lowercase();
        if inside_exists.ends_with("exists") {
            return Some(
                Diagnostic::at(
                    Code::Unexpected,
                    span,
                    "exists takes the name of one variable",
                )
                .help("write exists(name), without quotation marks"),
            );
        }
    }
    if operand_wanted && let Some(token) = found {
        if token.kind == TokenKind::Keyword {
            let fault = match word {
                "if" | "IF" => Diagnostic::at(
                    Code::OperandHere,
                    span,
                    "a conditional needs parentheses here",
                )
                .help("write (if … then … else …)"),
                // Glued to a bracket it is meant as a name: in(1).
                _ if text[token.span.end..].starts_with('(') => Diagnostic::at(
                    Code::KeywordName,
                    span,
                    format!("{word} is a keyword and cannot name a function"),
                ),
                "then" | "THEN" | "else" | "ELSE" | "and" | "AND" | "or" | "OR" | "in" | "IN" => {
                    Diagnostic::at(
                        Code::Unexpected,
                        span,
                        format!("a value is missing before {word}"),
                    )
                    .labelled("expected a value")
                }
                _ => Diagnostic::at(
                    Code::KeywordName,
                    span,
                    format!("{word} is a keyword and cannot stand here"),
                ),
            };
            return Some(fault);
        }
        let reserved = token.kind == TokenKind::Word
            && word.len() > 1
            && word.starts_with(['e', 'E'])
            && word[1..].bytes().all(|b| b.is_ascii_digit());
        if reserved {
            return Some(
                Diagnostic::at(
                    Code::KeywordName,
                    span,
                    format!("{word} reads as the exponent of a number"),
                )
                .help(format!("take the value with MAP_GET('{word}', _)")),
            );
        }
    }
    if !operand_wanted && word == "(" && before().is_some_and(|t| t.kind == TokenKind::Keyword) {
        return Some(Diagnostic::at(
            Code::KeywordName,
            span,
            "a keyword cannot name a function",
        ));
    }
    if !operand_wanted && word == "[" {
        return Some(
            Diagnostic::at(Code::Unexpected, span, "values have no index in brackets")
                .help("write GET(list, 0) or MAP_GET('key', map)"),
        );
    }
    if wants(Rule::colon) && !operand_wanted && matches!(word, "}" | ",") {
        return Some(
            Diagnostic::at(Code::Incomplete, span, "this entry of a map has no value")
                .labelled("expected : and a value")
                .help("write {key : value}"),
        );
    }
    None
}

/// Whether a value may stand where the rule was tried; pest names the outermost rule that began there.
fn begins_value(rule: Rule) -> bool {
    matches!(
        rule,
        Rule::number
            | Rule::string
            | Rule::group
            | Rule::list
            | Rule::map
            | Rule::lambda
            | Rule::nothing
            | Rule::truth
            | Rule::nan
            | Rule::name_or_call
            | Rule::operand
            | Rule::chain
            | Rule::expression
            | Rule::conditional
            | Rule::not_group
            | Rule::not_prefix
            | Rule::match_form
            | Rule::exists
            | Rule::minus
            | Rule::not_word
            | Rule::if_word
            | Rule::match_word
            | Rule::exists_word
            | Rule::primary
    )
}

/// What the grammar could have gone on with, in words.
fn expected(positives: &[Rule]) -> Vec<&'static str> {
    const VALUE: &str = "a value";
    let mut words = Vec::new();
    let mut add = |word: &'static str| {
        if !words.contains(&word) {
            words.push(word);
        }
    };
    for rule in positives {
        match rule {
            rule if begins_value(*rule) => {
                add(VALUE);
            }
            Rule::equal
            | Rule::unequal
            | Rule::less
            | Rule::at_most
            | Rule::greater
            | Rule::at_least
            | Rule::plus
            | Rule::dash
            | Rule::times
            | Rule::over
            | Rule::and_word
            | Rule::or_word
            | Rule::in_word
            | Rule::not_in
            | Rule::operator
            | Rule::question => add("an operator"),
            Rule::name => add("a name"),
            Rule::open => add("("),
            Rule::close => add(")"),
            Rule::close_list => add("]"),
            Rule::close_map => add("}"),
            Rule::comma => add("a comma"),
            Rule::colon => add(":"),
            Rule::double_arrow => add("=>"),
            Rule::default_word | Rule::clause => add("a check or default"),
            Rule::entry => add("key : value"),
            Rule::then_word => add("then"),
            Rule::else_word => add("else"),
            Rule::EOI => add("the end"),
            Rule::arguments => add("an operator"),
            _ => {}
        }
    }
    if words.contains(&VALUE) {
        words.retain(|w| *w != "a name");
    }
    words
}
