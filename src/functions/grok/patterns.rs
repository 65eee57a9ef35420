//! Patterns with names, put together to one regular expression.

use ahash::AHashMap;
use smol_str::{SmolStr, format_smolstr};
use std::sync::OnceLock;

/// The longest regular expression that names may stand for, in bytes.
const LONGEST: usize = 64 << 10;

/// How many patterns may stand inside each other.
const DEEPEST: usize = 256;

/// What is not captured under its name.
const UNWANTED: &str = "UNWANTED";

/// Why there is no regular expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// There is no pattern at all, or one that stands for nothing.
    Empty,
    /// A pattern that holds itself.
    Endless(String),
    /// A name without a pattern.
    Unknown(String),
    /// More than [`LONGEST`] bytes, or nested deeper than [`DEEPEST`].
    TooLong,
}

/// A part of a text that is captured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capture {
    /// What it is called in the result.
    pub key: SmolStr,
    /// What its group is called in the regular expression.
    pub group: SmolStr,
    /// Whether somebody has given the key; otherwise it is the pattern's own name.
    pub named: bool,
}

/// A regular expression and what it captures, in order.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Expanded {
    /// The regular expression.
    pub regex: String,
    /// What it captures.
    pub captures: Vec<Capture>,
}

/// The bundled patterns by name.
pub fn common() -> &'static AHashMap<&'static str, &'static str> {
    static COMMON: OnceLock<AHashMap<&'static str, &'static str>> = OnceLock::new();
    COMMON.get_or_init(|| {
        let text = include_str!("../../../stdlib/grok/common");
        text.lines().filter_map(definition).collect()
    })
}

/// A line that defines a pattern: a name, blanks, the pattern.
fn definition(line: &str) -> Option<(&str, &str)> {
    let end = line.find(|c| !in_name(c)).filter(|end| *end > 0)?;
    let (name, rest) = line.split_at(end);
    let pattern = rest.trim_start_matches(blank);
    (pattern.len() < rest.len()).then_some((name, pattern))
}

fn blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\u{b}' | '\u{c}' | '\r')
}

/// Java's `[A-z0-9]`, which takes in the characters between the two alphabets as well.
fn in_name(c: char) -> bool {
    matches!(c, 'A'..='z' | '0'..='9')
}

/// The regular expression of a Grok expression. Its first line is the expression; each further line may define
/// a pattern by name. Errors: see [`Refusal`].
pub fn expand(expression: &str) -> Result<Expanded, Refusal> {
    let mut own = AHashMap::new();
    let mut lines = expression.split(['\n', '\r']);
    let first = lines.next().unwrap_or_default().trim_start_matches(blank);
    own.insert("pattern".into(), first.into());
    for (name, pattern) in lines.filter_map(definition) {
        own.insert(name.into(), pattern.into());
    }
    let empty = |pattern: &SmolStr| pattern.chars().all(char::is_whitespace);
    if own.values().any(empty) {
        return Err(Refusal::Empty);
    }
    Expansion::of("pattern", own)
}

/// The regular expression of a bundled pattern.
pub fn expand_common(name: &str) -> Result<Expanded, Refusal> {
    Expansion::of(name, AHashMap::new())
}

/// What stands between `%{` and `}`.
struct Token<'t> {
    pattern: &'t str,
    key: Option<&'t str>,
    definition: Option<&'t str>,
    /// All of it, with the braces, in bytes.
    length: usize,
}

/// The token that `text` begins with.
fn token(text: &str) -> Option<Token<'_>> {
    let inner = text.strip_prefix("%{")?;
    let (pattern, mut rest) = inner.split_at(inner.find(|c| !in_name(c))?);
    let (mut key, mut definition) = (None, None);
    if let Some(behind) = rest.strip_prefix(':') {
        let (name, left) = behind.split_at(behind.find(|c| !(in_name(c) || c == ':'))?);
        (key, rest) = (Some(name), left);
    }
    if let Some(behind) = rest.strip_prefix('=') {
        let (given, left) = behind.split_at(behind.find(['{', '}'])?);
        (definition, rest) = (Some(given), left);
    }
    rest = rest.strip_prefix('}')?;
    let whole = !pattern.is_empty() && key != Some("") && definition != Some("");
    whole.then_some(Token {
        pattern,
        key,
        definition,
        length: text.len() - rest.len(),
    })
}

#[derive(Default)]
struct Expansion {
    /// Patterns that are not bundled, or hide bundled ones.
    own: AHashMap<SmolStr, SmolStr>,
    /// Tokens met so far with their patterns: all alike are one, and only the first of them captures.
    met: AHashMap<SmolStr, SmolStr>,
    /// Tokens that are being put in.
    active: Vec<SmolStr>,
    /// Groups that the patterns name themselves, with the names they got.
    groups: AHashMap<SmolStr, SmolStr>,
    done: Expanded,
}

impl Expansion {
    fn of(name: &str, own: AHashMap<SmolStr, SmolStr>) -> Result<Expanded, Refusal> {
        let mut expansion = Expansion {
            own,
            ..Expansion::default()
        };
        expansion.text(&format!("%{{{name}}}"))?;
        // The whole match is no capture of its own.
        let whole = |capture: &Capture| capture.key == "pattern" || capture.key == UNWANTED;
        expansion.done.captures.retain(|capture| !whole(capture));
        Ok(expansion.done)
    }

    fn push(&mut self, part: &str) -> Result<(), Refusal> {
        if self.done.regex.len() + part.len() > LONGEST {
            return Err(Refusal::TooLong);
        }
        self.done.regex.push_str(part);
        Ok(())
    }

    /// Opens a group that captures; gives the name it gets.
    fn open(&mut self, key: SmolStr, named: bool) -> Result<SmolStr, Refusal> {
        let group = format_smolstr!("g{}", self.done.captures.len());
        self.push(&format!("(?<{group}>"))?;
        self.done.captures.push(Capture {
            key,
            group: group.clone(),
            named,
        });
        Ok(group)
    }

    fn text(&mut self, text: &str) -> Result<(), Refusal> {
        let mut rest = text;
        let mut class = 0usize;
        while let Some(c) = rest.chars().next() {
            if let Some(token) = token(rest) {
                self.token(&token)?;
                rest = rest.get(token.length..).unwrap_or_default();
                continue;
            }
            let mut length = c.len_utf8();
            match c {
                '\\' => {
                    if let Some((old, behind)) = quoted(rest, "\\k<") {
                        let name = self.groups.get(old).cloned().unwrap_or_else(|| old.into());
                        self.push(&format!("\\k<{name}>"))?;
                        rest = behind;
                        continue;
                    }
                    length += rest.chars().nth(1).map_or(0, char::len_utf8);
                }
                '[' => class += 1,
                ']' => class = class.saturating_sub(1),
                '(' if class == 0 && !rest.starts_with("(?<=") && !rest.starts_with("(?<!") => {
                    if let Some((name, behind)) = quoted(rest, "(?<") {
                        // Of groups with one name the first counts.
                        if self.groups.contains_key(name) {
                            self.push("(")?;
                        } else {
                            let group = self.open(name.into(), true)?;
                            self.groups.insert(name.into(), group);
                        }
                        rest = behind;
                        continue;
                    }
                }
                _ => {}
            }
            let (part, behind) = rest.split_at_checked(length).unwrap_or((rest, ""));
            self.push(part)?;
            rest = behind;
        }
        Ok(())
    }

    fn token(&mut self, token: &Token<'_>) -> Result<(), Refusal> {
        let name = token.pattern;
        if let Some(definition) = token.definition {
            if definition.chars().all(char::is_whitespace) {
                return Err(Refusal::Endless(name.into()));
            }
            self.own.insert(name.into(), definition.into());
        }
        let own_key = match token.definition {
            Some(definition) => format_smolstr!("{name}={definition}"),
            None => name.into(),
        };
        let whole = format_smolstr!("{own_key}:{}", token.key.unwrap_or_default());
        if self.active.contains(&whole) {
            return Err(Refusal::Endless(name.into()));
        }
        if self.active.len() >= DEEPEST {
            return Err(Refusal::TooLong);
        }
        let pattern = match self.met.get(&whole) {
            Some(pattern) => {
                let pattern = pattern.clone();
                self.push("(")?;
                pattern
            }
            None => {
                let bundled = || common().get(name).copied().map(SmolStr::new_static);
                let pattern = self.own.get(name).cloned().or_else(bundled);
                let pattern = pattern.ok_or_else(|| Refusal::Unknown(name.into()))?;
                self.met.insert(whole.clone(), pattern.clone());
                let key = token.key.map_or(own_key, SmolStr::new);
                self.open(key, token.key.is_some())?;
                pattern
            }
        };
        self.active.push(whole);
        self.text(&pattern)?;
        self.active.pop();
        self.push(")")
    }
}

/// The name between `before` and `>`, and what is behind.
fn quoted<'t>(text: &'t str, before: &str) -> Option<(&'t str, &'t str)> {
    let (name, behind) = text.strip_prefix(before)?.split_once('>')?;
    (!name.is_empty()).then_some((name, behind))
}
