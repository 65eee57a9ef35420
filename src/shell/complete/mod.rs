//! What may stand at the cursor: functions, variables, fields, keys, commands, settings, files.
//! Works on unfinished text, anywhere in it, for the shell and for notebooks.

mod collected;
mod files;
mod keys;
mod place;
mod plot;
mod query;

pub use place::{OpenCall, open_call};

use super::magic::{self, Argument, MAGICS, first_word};
use super::session::Session;
use super::show::Mode;
use crate::config::STORES;
use crate::diagnostic::{CODES, floor};
use crate::eval::{Value, Variables, look_up};
use crate::functions::keywords;
use crate::syntax::scan::{self, KEYWORDS, Token, TokenKind};
use crate::syntax::{is_command, last_statement};
use std::ops::Range;

/// What a candidate is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A variable, a parameter, a field of the event at hand.
    Variable,
    /// A key of a map.
    Key,
    /// A function.
    Function,
    /// A reserved word.
    Keyword,
    /// A command of the shell.
    Command,
    /// A setting, a mode, a code: a word from a list.
    Word,
    /// A file or a folder.
    File,
}

/// Something that may stand at the cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// What replaces the text before the cursor.
    pub text: String,
    /// What it is.
    pub kind: Kind,
}

impl Candidate {
    /// What a list of candidates shows: of a path its last part.
    pub fn shown(&self) -> &str {
        let text = self.text.as_str();
        match self.kind {
            Kind::File => {
                let folder = text.trim_end_matches('/').rfind('/');
                folder.map_or(text, |i| &text[i + 1..])
            }
            _ => text,
        }
    }
}

/// What may stand at the cursor instead of `replaces`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completions {
    /// The bytes before the cursor that a candidate replaces.
    pub replaces: Range<usize>,
    /// The candidates, in order.
    pub candidates: Vec<Candidate>,
}

/// More candidates than anybody reads are not collected.
const MOST: usize = 20_000;

/// What may stand at byte `at` of `text`, which may hold several statements.
pub fn complete(session: &Session, text: &str, at: usize) -> Completions {
    let at = floor(text, at);
    let head = &text[..at];
    let nothing = Completions {
        replaces: at..at,
        candidates: Vec::new(),
    };
    let Some(start) = last_statement(head) else {
        // An empty line may become anything.
        return match head.rsplit('\n').next() {
            Some(line) if line.trim().is_empty() => expression(session, text, at, at),
            _ => nothing,
        };
    };
    let statement = &head[start..];
    if is_command(statement) || statement == ":" {
        return command(session, text, start, at);
    }
    if let Some(topic) = statement.strip_prefix("help ") {
        let from = at - topic.trim_start().len();
        return words(from, at, topic.trim_start(), topics(session));
    }
    // x := %load …
    if let Some((name, rest)) = statement.split_once(":=")
        && rest.trim_start().starts_with(['%', '?'])
        && !name.contains(['\'', '"', '('])
    {
        return command(session, text, at - rest.trim_start().len(), at);
    }
    expression(session, text, start, at)
}

/// Candidates that begin with `prefix`; when none does, those that do in another case.
fn words(
    from: usize,
    to: usize,
    prefix: &str,
    all: impl IntoIterator<Item = (Kind, String)>,
) -> Completions {
    let lower = prefix.to_lowercase();
    let (mut exact, mut loose) = (Vec::new(), Vec::new());
    for (kind, text) in all {
        if text.starts_with(prefix) {
            exact.push(Candidate { text, kind });
        } else if exact.is_empty() && starts_with_ignoring_case(&text, &lower) {
            loose.push(Candidate { text, kind });
        }
        if exact.len() >= MOST {
            break;
        }
    }
    let mut candidates = if exact.is_empty() { loose } else { exact };
    candidates.sort_by(|a, b| a.text.cmp(&b.text).then(a.kind.cmp(&b.kind)));
    candidates.dedup_by(|a, b| a.text == b.text);
    Completions {
        replaces: from..to,
        candidates,
    }
}

fn starts_with_ignoring_case(text: &str, lower: &str) -> bool {
    match text.get(..lower.len()) {
        Some(start) => start.eq_ignore_ascii_case(lower),
        None => false,
    }
}

/// A line that is a command, from byte `start` on.
fn command(session: &Session, text: &str, start: usize, at: usize) -> Completions {
    let line = &text[start..at];
    if let Some(topic) = line.strip_prefix('?') {
        let topic = topic.trim_start();
        return words(at - topic.len(), at, topic, topics(session));
    }
    let Some((name, rest)) = line.split_once(char::is_whitespace) else {
        let names = MAGICS.iter().map(|m| (Kind::Command, m.name.to_string()));
        return words(start, at, line, names);
    };
    let rest = rest.trim_start();
    let from = at - rest.len();
    let list = |names: Vec<String>| {
        let names = names.into_iter().map(|name| (Kind::Word, name));
        words(from, at, rest, names)
    };
    match magic::find(name).map_or(Argument::None, |magic| magic.argument) {
        Argument::None => list(Vec::new()),
        Argument::Function => {
            let specs = session.engine().registry.specs();
            let names = specs
                .into_iter()
                .map(|s| (Kind::Function, s.name.to_string()));
            words(from, at, rest, names)
        }
        Argument::Expression => expression(session, text, from, at),
        Argument::Plot => plot::complete(session, text, rest, at),
        Argument::Counted => match magic::split_count(rest) {
            (Some(_), "") if !rest.ends_with(char::is_whitespace) => list(Vec::new()),
            (Some(""), _) => list(Vec::new()),
            (_, code) => expression(session, text, at - code.len(), at),
        },
        Argument::Definition => match rest.split_once(":=") {
            Some((_, value)) => expression(session, text, at - value.trim_start().len(), at),
            None => list(globals(session)),
        },
        Argument::Global => list(globals(session)),
        Argument::Sources => sources(session, text, rest, at),
        Argument::Target => target(session, text, rest, at),
        Argument::Mode => list(Mode::NAMES.iter().map(|name| name.to_string()).collect()),
        Argument::Setting => {
            let settings = session.engine().config.describe();
            list(settings.into_iter().map(|setting| setting.key).collect())
        }
        Argument::Store => list(
            STORES
                .iter()
                .map(|room| format!("{} ", room.name))
                .collect(),
        ),
        Argument::Upkeep => list(magic::STORE_PARTS.iter().map(|p| p.to_string()).collect()),
        Argument::Topic => words(from, at, rest, topics(session)),
    }
}

/// Behind `%load`: files, then a condition.
fn sources(session: &Session, text: &str, rest: &str, at: usize) -> Completions {
    let mut word = rest;
    loop {
        match first_word(word) {
            (_, "") => break,
            ("where", code) => return expression(session, text, at - code.trim_start().len(), at),
            (_, behind) => word = behind.trim_start(),
        }
    }
    let mut found = files::complete_word(word, at);
    if !word.is_empty() && "where".starts_with(word) {
        found.candidates.push(Candidate {
            text: "where ".to_string(),
            kind: Kind::Keyword,
        });
    }
    found
}

/// Behind `%save`: `-f`, a file, an expression.
fn target(session: &Session, text: &str, rest: &str, at: usize) -> Completions {
    let (word, forced) = match first_word(rest) {
        ("-f", behind) if !behind.is_empty() => (behind.trim_start(), true),
        _ => (rest, false),
    };
    match first_word(word) {
        (_, "") => {
            let mut found = files::complete_word(word, at);
            if !forced && word.starts_with('-') && "-f".starts_with(word) {
                found.candidates.push(Candidate {
                    text: "-f ".to_string(),
                    kind: Kind::Word,
                });
            }
            found
        }
        (_, code) => expression(session, text, at - code.trim_start().len(), at),
    }
}

fn globals(session: &Session) -> Vec<String> {
    let engine = session.engine();
    let globals = engine.context.globals.read();
    globals.keys().map(|name| name.to_string()).collect()
}

/// Everything that there is help on.
fn topics(session: &Session) -> Vec<(Kind, String)> {
    let mut all = functions(session, "");
    all.extend(MAGICS.iter().map(|m| (Kind::Command, m.name.to_string())));
    if let Some(cells) = session.engine().context.services.get::<magic::Cells>() {
        let names = cells.0.iter();
        all.extend(names.map(|cell| (Kind::Command, cell.name.to_string())));
    }
    let words = keywords::KEYWORDS.iter().flat_map(|keyword| keyword.words);
    all.extend(words.map(|word| (Kind::Keyword, word.to_string())));
    all.extend(CODES.iter().map(|info| (Kind::Word, info.name.to_string())));
    all
}

/// All functions, each followed by `open`.
fn functions(session: &Session, open: &str) -> Vec<(Kind, String)> {
    let engine = session.engine();
    let registry = &engine.registry;
    let named = |name: &str| (Kind::Function, format!("{name}{open}"));
    let mut all: Vec<_> = registry.specs().iter().map(|s| named(s.name)).collect();
    let library = registry.library(&engine.context).unwrap_or_default();
    let defined = library.into_iter().chain(registry.definitions());
    all.extend(defined.map(|definition| named(&definition.name)));
    all
}

/// Inside an expression that begins at byte `start`.
fn expression(session: &Session, text: &str, start: usize, at: usize) -> Completions {
    let code = &text[start..at];
    let tokens: Vec<Token> = scan::tokens(code).collect();
    let part = |token: &Token| &code[token.span.start..token.span.end];
    let none = Completions {
        replaces: at..at,
        candidates: Vec::new(),
    };
    let (prefix, before) = match tokens.split_last() {
        Some((last, before)) => match last.kind {
            TokenKind::OpenText => {
                let inside = part(last).get(1..).unwrap_or("");
                return keys::in_text(session, text, start, at, inside, before);
            }
            TokenKind::Word | TokenKind::Keyword => (part(last), before),
            TokenKind::Comment | TokenKind::Number | TokenKind::BadNumber | TokenKind::Text => {
                return none;
            }
            _ => ("", tokens.as_slice()),
        },
        None => ("", tokens.as_slice()),
    };
    // Behind a point there may be nothing yet: `event.`
    let prefix = match text[..at].rfind(|c: char| !is_name(c)) {
        Some(i) if prefix.is_empty() => text.get(i + 1..at).unwrap_or(""),
        None if prefix.is_empty() => &text[..at],
        _ => prefix,
    };
    let prefix = if prefix.len() > code.len() {
        ""
    } else {
        prefix
    };
    let from = at - prefix.len();
    let mut all = variables(session);
    all.extend(
        keys::parameters(code, &tokens)
            .into_iter()
            .map(|name| (Kind::Variable, name)),
    );
    if let Some((base, _)) = prefix.rsplit_once('.') {
        all.extend(keys::below(session, base));
        return words(from, at, prefix, all);
    }
    let blank = prefix.is_empty();
    // With nothing typed, what the user has named comes first; functions are too many to read.
    if !blank || all.is_empty() {
        all.extend(functions(session, "("));
    }
    if !blank {
        let keywords = KEYWORDS
            .iter()
            .filter(|word| word.chars().all(|c| !c.is_ascii_uppercase()));
        all.extend(keywords.map(|word| (Kind::Keyword, word.to_string())));
    }
    let first = before.iter().all(|token| token.kind == TokenKind::Blank);
    if first && !blank {
        for word in ["def", "help", "quit", "exit"] {
            all.push((Kind::Keyword, word.to_string()));
        }
    }
    words(from, at, prefix, all)
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '.')
}

/// The variables of the session, `_`, and the fields of the loaded events.
fn variables(session: &Session) -> Vec<(Kind, String)> {
    let mut all = Vec::new();
    let variables = &session.variables;
    variables.each_name(|name| all.push((Kind::Variable, name.to_string())));
    let _ = variables.loaded(|loaded| {
        all.push((Kind::Variable, "_".to_string()));
        all.extend(
            loaded
                .fields()
                .iter()
                .map(|name| (Kind::Key, name.to_string())),
        );
    });
    all
}

/// The value that a name stands for, `_` among them.
fn value_of(session: &Session, name: &str) -> Option<Value> {
    let variables = &session.variables;
    look_up(name, |n| match n {
        "_" => variables.whole(),
        n => variables.get(n),
    })
}
