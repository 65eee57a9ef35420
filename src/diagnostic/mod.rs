//! One model of an error: a code, a sentence, the places it is about, notes and a hint; and its renderers.

#[macro_use]
mod lints;
mod codes;
mod explain;
mod page;
mod picture;
mod render;
mod source;
mod suggest;

pub use codes::{CODES, Code, CodeInfo, Kind};
pub use explain::explanation;
pub use lints::{Allowed, Level, LintInfo, lint_names};
pub use page::{Page, Style, Table, escaped, paint, visible};
pub use picture::{Drawing, Picture, Room, Size, Theme};
pub use render::{brief, html, json, notebook, plain, terminal};
pub use source::{Position, Source, Span, floor};
pub use suggest::{nearest, quoted_list};

use std::sync::Arc;

/// What goes wrong anywhere in the program. Boxed, so that a `Result` of a value stays small.
pub type Fault = Box<Diagnostic>;

/// A result whose error is a [`Diagnostic`].
pub type Outcome<T> = Result<T, Fault>;

/// A place with a few words about it.
#[derive(Debug, Clone)]
pub struct Label {
    /// The half-open range of bytes in the source.
    pub span: Span,
    /// What is to be said there; may be empty.
    pub text: String,
    /// The text that the span counts in; `None` means the diagnostic's own source.
    pub source: Option<Arc<Source>>,
}

/// An error or a warning.
#[derive(Debug, Clone)]
pub struct Diagnostic {
    /// The stable number of this kind of problem.
    pub code: Code,
    /// A plain sentence without a full stop.
    pub message: String,
    /// The text the primary span counts in.
    pub source: Option<Arc<Source>>,
    /// Where it went wrong.
    pub span: Option<Span>,
    /// Words at the primary span.
    pub label: String,
    /// Which argument of the running call is meant, until the interpreter turns it into a span.
    pub argument: Option<usize>,
    /// Other places that matter: an opening bracket, the call that led here.
    pub related: Vec<Label>,
    /// Facts that help to understand.
    pub notes: Vec<String>,
    /// What to do about it.
    pub help: Option<String>,
    /// The text that an editor may put in.
    pub fix: Option<Fix>,
}

/// A change of the text that does away with a finding.
#[derive(Debug, Clone, PartialEq)]
pub struct Fix {
    /// What to replace by what, in order, none touching another; places in the diagnostic's own source.
    pub edits: Vec<(Span, String)>,
    /// Whether the text means the same afterwards, so that nobody needs to look.
    pub keeps_meaning: bool,
}

impl Fix {
    /// Puts parentheses around places without changing what the text means.
    pub fn parentheses(around: &[Span]) -> Fix {
        let mut edits: Vec<(Span, String)> = around
            .iter()
            .flat_map(|span| {
                [
                    (Span::new(span.start, span.start), "(".to_string()),
                    (Span::new(span.end, span.end), ")".to_string()),
                ]
            })
            .collect();
        edits.sort_by_key(|(span, _)| span.start);
        Fix {
            edits,
            keeps_meaning: true,
        }
    }

    /// Puts `text` in the place of `span`, which may change the meaning.
    pub fn replace(span: Span, text: impl Into<String>) -> Fix {
        Fix {
            edits: vec![(span, text.into())],
            keeps_meaning: false,
        }
    }

    /// The part of `text` at `span` with the edits made.
    pub fn applied(&self, text: &str, span: Span) -> String {
        let mut changed = String::new();
        let mut at = span.start;
        for (place, new) in &self.edits {
            if place.start < at || place.end > span.end {
                continue;
            }
            changed.push_str(text.get(at..place.start).unwrap_or_default());
            changed.push_str(new);
            at = place.end;
        }
        changed.push_str(text.get(at..span.end).unwrap_or_default());
        changed
    }
}

impl Diagnostic {
    /// A diagnostic without a place.
    pub fn new(code: Code, message: impl Into<String>) -> Fault {
        Box::new(Diagnostic {
            code,
            message: message.into(),
            source: None,
            span: None,
            label: String::new(),
            argument: None,
            related: Vec::new(),
            notes: Vec::new(),
            help: None,
            fix: None,
        })
    }

    /// A diagnostic about the bytes at `span`.
    pub fn at(code: Code, span: Span, message: impl Into<String>) -> Fault {
        let mut fault = Diagnostic::new(code, message);
        fault.span = Some(span);
        fault
    }

    /// Names the argument (counted from 0) of the running call that is to blame.
    pub fn of_argument(mut self: Box<Self>, index: usize) -> Fault {
        self.argument = Some(index);
        self
    }

    /// Puts words at the primary place.
    pub fn labelled(mut self: Box<Self>, text: impl Into<String>) -> Fault {
        self.label = text.into();
        self
    }

    /// Adds a second place in the same source.
    pub fn also(mut self: Box<Self>, span: Span, text: impl Into<String>) -> Fault {
        self.related.push(Label {
            span,
            text: text.into(),
            source: None,
        });
        self
    }

    /// Adds a place in another source.
    pub fn also_in(
        mut self: Box<Self>,
        source: Arc<Source>,
        span: Span,
        text: impl Into<String>,
    ) -> Fault {
        self.related.push(Label {
            span,
            text: text.into(),
            source: Some(source),
        });
        self
    }

    /// Adds a fact.
    pub fn note(mut self: Box<Self>, text: impl Into<String>) -> Fault {
        self.notes.push(text.into());
        self
    }

    /// Says what to do.
    pub fn help(mut self: Box<Self>, text: impl Into<String>) -> Fault {
        self.help = Some(text.into());
        self
    }

    /// Says how to change the text.
    pub fn fix(mut self: Box<Self>, fix: Fix) -> Fault {
        self.fix = Some(fix);
        self
    }

    /// Adds "did you mean …?" when a name that exists is near.
    pub fn did_you_mean(self: Box<Self>, near: Option<&str>) -> Fault {
        match near {
            Some(name) => self.help(format!("did you mean {name}?")),
            None => self,
        }
    }

    /// Adds which name may be meant, or else all there are.
    pub fn one_of(self: Box<Self>, name: &str, names: &[&str]) -> Fault {
        match nearest(name, names.iter().copied()) {
            Some(near) => self.did_you_mean(Some(near)),
            None => {
                let all = quoted_list(names).replace(" or ", " and ");
                self.help(format!("it has {all}"))
            }
        }
    }

    /// All of it in one line: what is wrong, where, and what helps.
    pub fn in_one_line(&self) -> String {
        let mut text = self.message.replace(['\n', '\r'], " ");
        if let Some(place) = self.position() {
            text.push_str(&format!(" (line {}, column {})", place.line, place.column));
        }
        for more in self.help.iter().chain(self.notes.first()) {
            text.push_str("; ");
            text.push_str(&more.replace(['\n', '\r'], " "));
        }
        text
    }

    /// Sets the place unless there is one already.
    pub fn or_at(mut self: Box<Self>, span: Span) -> Fault {
        self.span.get_or_insert(span);
        self
    }

    /// Sets the source unless there is one already.
    pub fn in_source(mut self: Box<Self>, source: &Arc<Source>) -> Fault {
        self.source.get_or_insert_with(|| source.clone());
        self
    }

    /// How much it weighs.
    pub fn level(&self) -> Level {
        self.code.level()
    }

    /// Which of the kinds of failure this is.
    pub fn kind(&self) -> Kind {
        self.code.info().kind
    }

    /// Line and column of the primary place, both counted from 1, the column in characters.
    pub fn position(&self) -> Option<Position> {
        let source = self.source.as_ref()?;
        Some(source.position(self.span?.start))
    }
}

impl std::fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&plain(self))
    }
}

impl std::error::Error for Diagnostic {}
