//! How the printer spells numbers and strings.

use super::parse::{number as read_number, unescape};
use super::tree::{Expr, ExprKind};
use crate::diagnostic::Span;
use std::borrow::Cow;

/// The text of `source` at `span`; nothing when the span is not of this source.
fn written(span: Span, source: &str) -> &str {
    source.get(span.start..span.end).unwrap_or("")
}

/// A number with the digits it was written with, `L` as a capital and other letters small;
/// by its value when the source does not say it.
pub(super) fn number(expr: &Expr, source: &str) -> String {
    let written = written(expr.span, source);
    let is_spelled = written.starts_with(|c: char| "-.0123456789".contains(c))
        && match (read_number(written, expr.span), &expr.kind) {
            (Ok(ExprKind::Int(a)), ExprKind::Int(b)) => a == *b,
            (Ok(ExprKind::Long(a)), ExprKind::Long(b)) => a == *b,
            (Ok(ExprKind::Float(a)), ExprKind::Float(b)) => a.to_bits() == b.to_bits(),
            (Ok(ExprKind::Double(a)), ExprKind::Double(b)) => a.to_bits() == b.to_bits(),
            _ => false,
        };
    if is_spelled {
        let mut text = written.to_ascii_lowercase();
        if text.ends_with('l') {
            text.make_ascii_uppercase();
        }
        return text;
    }
    // No literal stands for an infinity, but a literal beyond the range is read as one.
    let beyond = |negative: bool| if negative { "-1e999" } else { "1e999" };
    match expr.kind {
        ExprKind::Int(n) => n.to_string(),
        ExprKind::Long(n) => format!("{n}L"),
        ExprKind::Float(x) if x.is_infinite() => format!("{}f", beyond(x < 0.0)),
        ExprKind::Float(x) if !x.is_nan() => format!("{x:?}f"),
        ExprKind::Double(x) if x.is_infinite() => beyond(x < 0.0).to_string(),
        ExprKind::Double(x) if !x.is_nan() => format!("{x:?}"),
        _ => "NaN".to_string(),
    }
}

/// A string in quotation marks; one that was written over several lines stays as it is.
pub(super) fn string<'a>(text: &str, span: Span, source: &'a str) -> Cow<'a, str> {
    let written = written(span, source);
    if written.contains('\n')
        && written.len() > 1
        && written.starts_with(['\'', '"'])
        && written.ends_with(['\'', '"'])
        && unescape(written) == text
    {
        return Cow::Borrowed(written);
    }
    Cow::Owned(quoted(text))
}

/// A string in the quotation marks that need fewer escapes, single ones when there is no difference.
pub fn quoted(text: &str) -> String {
    let count = |mark: char| text.matches(mark).count();
    let mark = if count('\'') > count('"') { '"' } else { '\'' };
    format!("{mark}{}{mark}", escaped(text, mark))
}

/// A text as it stands between these quotation marks.
pub fn escaped(text: &str, mark: char) -> String {
    let mut escaped = String::with_capacity(text.len() + 2);
    for c in text.chars() {
        let escape = match c {
            '\n' => 'n',
            '\r' => 'r',
            '\t' => 't',
            c if c == mark || c == '\\' => c,
            c => {
                escaped.push(c);
                continue;
            }
        };
        escaped.push('\\');
        escaped.push(escape);
    }
    escaped
}
