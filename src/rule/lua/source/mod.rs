//! The text of a rule made fit for Luau: what rules may write and Luau does not read is rewritten, and every line
//! keeps its number.
//!
//! - Infix `& | ~ << >>` become calls; they bind tighter than `^`, shifts the tightest and from the right.
//! - `< > <= >=` become calls, so that values of different kinds are in no order instead of an error.
//! - Escapes that Lua does not know keep their backslash (`"\d"`), or lose it as in gopher-lua.

mod literals;
mod parser;
mod tokens;

pub use literals::{Literal, Purpose, look};

use crate::diagnostic::{Code, Diagnostic, Outcome, Source, Span};
use std::sync::Arc;
pub(super) use tokens::{Kind, Token, tokens};

/// The longest text of a rule in bytes.
pub const LONGEST: usize = 1 << 20;

/// What becomes of escapes that Lua does not know, such as `\d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Escapes {
    /// They keep the backslash, as regular expressions and Windows paths written with one need it; `\b` does, too.
    #[default]
    Repair,
    /// They lose it, and `\b` is a backspace, as in gopher-lua.
    Drop,
}

/// A text that Luau reads, and what was seen on the way.
#[derive(Debug)]
pub struct Prepared {
    /// The text.
    pub text: String,
    /// Escapes that were repaired or dropped, by their places in the rule.
    pub escapes: Vec<Span>,
    /// Whether `on_logline` only reads, writes and feeds its event, and keeps it nowhere.
    pub passing: bool,
}

/// Prepares the text of a rule. Errors: E0101 and others of syntax with the place, E0301.
pub fn prepare(name: &str, text: &str, escapes: Escapes) -> Outcome<Prepared> {
    let prepared = rewritten(text, escapes);
    prepared.map_err(|fault| fault.in_source(&Arc::new(Source::named(name, text))))
}

/// Whether a text speaks of a name anywhere but in its comments.
pub fn speaks_of(text: &str, name: &str) -> bool {
    let is = |token: &Token| {
        let word = text.get(token.start..token.end).unwrap_or_default();
        match token.kind {
            Kind::Name => word == name,
            Kind::Text | Kind::Long => word.contains(name),
            _ => false,
        }
    };
    tokens(text).is_ok_and(|tokens| tokens.iter().any(is))
}

/// Whether a text has the syntax of Lua.
pub fn reads_as_lua(text: &str, escapes: Escapes) -> bool {
    rewritten(text, escapes).is_ok()
}

fn rewritten(text: &str, escapes: Escapes) -> Outcome<Prepared> {
    if text.len() > LONGEST {
        return Err(Diagnostic::new(
            Code::ExpressionLength,
            format!("the rule has {} bytes; {LONGEST} are allowed", text.len()),
        ));
    }
    let tokens = tokens(text)?;
    let mut edits = parser::rewrites(text, &tokens)?;
    let mut seen = Vec::new();
    for token in tokens.iter().filter(|token| token.kind == Kind::Text) {
        let old = text.get(token.start..token.end).unwrap_or_default();
        if let Some(new) = escaped(old, escapes) {
            seen.push(Span::new(token.start, token.end));
            edits.push(Edit {
                start: token.start,
                end: token.end,
                text: new.into(),
                order: i64::MAX,
            });
        }
    }
    // Of what is put in at one place, what closes comes first, then what opens from the outside to the inside.
    edits.sort_by_key(|edit| (edit.start, edit.order));
    let mut new = String::with_capacity(text.len() + 64);
    let mut at = 0;
    for edit in &edits {
        new.push_str(text.get(at..edit.start).unwrap_or_default());
        new.push_str(&edit.text);
        at = edit.end;
    }
    new.push_str(text.get(at..).unwrap_or_default());
    // What Lua skips and Luau does not.
    if let Some(rest) = new.strip_prefix('\u{feff}') {
        new = rest.to_string();
    }
    if new.starts_with("#!") {
        new.insert_str(0, "--");
    }
    Ok(Prepared {
        text: new,
        escapes: seen,
        passing: passes_through(text, &tokens),
    })
}

/// A change of the text: `text` in the place of `start..end`.
#[derive(Debug)]
struct Edit {
    start: usize,
    end: usize,
    text: std::borrow::Cow<'static, str>,
    order: i64,
}

/// A quoted text with its unknown escapes made known; `None` when there are none.
fn escaped(quoted: &str, escapes: Escapes) -> Option<String> {
    let mut new = String::new();
    let mut chars = quoted.char_indices();
    let mut from = 0;
    while let Some((at, c)) = chars.next() {
        if c != '\\' {
            continue;
        }
        let (behind, escape) = chars.next()?;
        let known = match escape {
            'b' => escapes == Escapes::Drop,
            'a' | 'f' | 'n' | 'r' | 't' | 'v' | '\\' | '"' | '\'' | '\n' | '\r' => true,
            c => c.is_ascii_digit(),
        };
        if !known {
            new.push_str(quoted.get(from..at)?);
            if escapes == Escapes::Repair {
                new.push_str("\\\\");
            }
            from = behind;
        }
    }
    if from == 0 {
        return None;
    }
    new.push_str(quoted.get(from..)?);
    Some(new)
}

/// The text that a literal stands for; nothing where it is no literal of a text, or its bytes are no UTF-8.
pub(super) fn literal(kind: Kind, quoted: &str, escapes: Escapes) -> Option<String> {
    match kind {
        Kind::Text => {
            let known = escaped(quoted, escapes);
            unescaped(known.as_deref().unwrap_or(quoted))
        }
        Kind::Long if !quoted.contains('\r') => {
            let level = quoted.get(1..)?.find('[')? + 2;
            let inner = quoted.get(level..quoted.len().checked_sub(level)?)?;
            Some(inner.strip_prefix('\n').unwrap_or(inner).to_string())
        }
        _ => None,
    }
}

/// What stands between quotation marks, with its escapes read as Luau does.
fn unescaped(quoted: &str) -> Option<String> {
    let mut inner = quoted.get(1..quoted.len().checked_sub(1)?)?;
    let mut text = Vec::with_capacity(inner.len());
    while let Some(at) = inner.find('\\') {
        text.extend_from_slice(inner.get(..at)?.as_bytes());
        inner = inner.get(at + 1..)?;
        let digits = inner.bytes().take(3).take_while(u8::is_ascii_digit).count();
        if digits > 0 {
            text.push(inner.get(..digits)?.parse().ok()?);
            inner = inner.get(digits..)?;
            continue;
        }
        text.push(match inner.bytes().next()? {
            b'a' => 7,
            b'b' => 8,
            b'f' => 12,
            b'n' | b'\n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'v' => 11,
            sign @ (b'\\' | b'"' | b'\'') => sign,
            _ => return None,
        });
        inner = inner.get(1..)?;
    }
    text.extend_from_slice(inner.as_bytes());
    String::from_utf8(text).ok()
}

/// Functions that take the event first and do not keep it.
const READERS: &[&str] = &["get_field_value", "get_fields_value", "set_field_value"];

/// Whether `function on_logline(e)` uses `e` only in `e:method(…)`, as the first argument of [`READERS`] and in
/// `group:feed(e)`, and in no function within; where nothing else bears one of these names.
fn passes_through(text: &str, tokens: &[Token]) -> bool {
    let word = |at: usize| {
        let token = tokens.get(at);
        token.map_or("", |t| text.get(t.start..t.end).unwrap_or_default())
    };
    let mut heads = (0..tokens.len()).filter(|at| word(*at) == "on_logline");
    let Some(head) = heads.next() else {
        return false;
    };
    let shape = at_head(&word, head);
    let Some(event) = shape.filter(|_| heads.next().is_none()) else {
        return false;
    };
    for at in 0..tokens.len() {
        let before = if at > 0 { word(at - 1) } else { "" };
        let called = word(at + 1) == "(" && !is_defined(&word, at);
        let made = READERS.contains(&word(at)) && !called;
        let fed = word(at) == "feed" && !(called && before == ":");
        if made || fed {
            return false;
        }
    }
    let mut depth = 1;
    let mut inner = 0;
    for at in head + 4..tokens.len() {
        match word(at) {
            // `elseif` has a `then` of its own and no `end`; `while` and `for` end with the block of their `do`.
            "function" => {
                inner += 1;
                depth += 1;
            }
            "if" | "do" | "repeat" => depth += 1,
            "end" | "until" => depth -= 1,
            name if name == event && !matches!(word(at - 1), "." | ":") => {
                let read = word(at + 1) == ":";
                let given = READERS.contains(&word(at - 2)) && word(at - 1) == "(";
                let fed = word(at - 2) == "feed" && word(at - 1) == "(" && word(at + 1) == ")";
                if inner > 0 || !(read || given || fed) {
                    return false;
                }
            }
            _ => {}
        }
        if depth == 0 {
            return true;
        }
    }
    false
}

/// Whether the name at `at` is the last one of `function a.b:name`.
fn is_defined<'t>(word: &impl Fn(usize) -> &'t str, mut at: usize) -> bool {
    while at > 1 && matches!(word(at - 1), "." | ":") {
        at -= 2;
    }
    at > 0 && word(at - 1) == "function"
}

/// The parameter in `function on_logline(e)`.
fn at_head<'t>(word: &impl Fn(usize) -> &'t str, head: usize) -> Option<&'t str> {
    let whole =
        head > 0 && word(head - 1) == "function" && word(head + 1) == "(" && word(head + 3) == ")";
    whole.then(|| word(head + 2))
}

#[cfg(test)]
mod tests;
