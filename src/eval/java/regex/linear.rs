//! Writes a tree in the syntax of the `regex` crate, as far as that can say it.

use super::ast::{Assert, Kind, Node};
use super::props::{LINE_BREAK, push_char};

/// A line terminator that may stand between `$` and the end of the text.
const FINAL: &str = r"(?:\r\n|[\n\r\x{85}\x{2028}\x{2029}])?\z";
/// Far above what the nesting limit of the parser can lead to.
const ENGINE_NESTING: u32 = 4000;

/// A pattern for searching; with `shifted`, group 1 is the match and the rest is moved by one.
#[derive(Debug)]
pub(super) struct Search {
    pub regex: regex::Regex,
    pub shifted: bool,
}

/// The form that matches the whole text, or `None` if the linear engine cannot say it or it grows
/// beyond the limit.
pub(super) fn whole(node: &Node, captures: bool, max_bytes: usize) -> Option<regex::Regex> {
    let mut out = String::from(r"\A(?:");
    let mut writer = Writer {
        out: &mut out,
        captures,
        whole: true,
        consumes: node.min_width() > 0,
    };
    if !writer.node(node, true, true) {
        return None;
    }
    out.push_str(r")\z");
    build(&out, max_bytes)
}

/// The form that searches, or `None` as above.
pub(super) fn search(node: &Node, max_bytes: usize) -> Option<Search> {
    let mut out = String::new();
    let (body, unix) = match node {
        Node::Concat(list) => match list.split_last() {
            Some((Node::Assert(Assert::FinalEnd { unix }), body)) => (body, Some(*unix)),
            _ => (std::slice::from_ref(node), None),
        },
        _ => (std::slice::from_ref(node), None),
    };
    if unix.is_some() {
        out.push('(');
    }
    let mut writer = Writer {
        out: &mut out,
        captures: true,
        whole: false,
        consumes: false,
    };
    if !body.iter().all(|n| writer.wrapped(n, false, false)) {
        return None;
    }
    match unix {
        // The end is looked for after the match, in place of a look-ahead.
        Some(true) => out.push_str(r")\n?\z"),
        Some(false) => {
            out.push(')');
            out.push_str(FINAL);
        }
        None => {}
    }
    let shifted = unix.is_some();
    let regex = build(&out, max_bytes)?;
    Some(Search { regex, shifted })
}

fn build(pattern: &str, max_bytes: usize) -> Option<regex::Regex> {
    regex::RegexBuilder::new(pattern)
        .size_limit(max_bytes)
        .nest_limit(ENGINE_NESTING)
        .build()
        .ok()
}

struct Writer<'a> {
    out: &'a mut String,
    captures: bool,
    /// The pattern must match the whole text.
    whole: bool,
    /// Every match takes at least one character.
    consumes: bool,
}

impl Writer<'_> {
    /// Writes a node; false if it has no linear form. `head`: nothing is consumed before it;
    /// `tail`: nothing comes after it.
    fn node(&mut self, node: &Node, head: bool, tail: bool) -> bool {
        match node {
            Node::Empty => true,
            Node::Char(c) => {
                push_char(self.out, *c);
                true
            }
            Node::Set(set) => {
                self.out.push_str(set);
                true
            }
            Node::LineBreak => {
                self.out.push_str("(?:\\r\\n|");
                self.out.push_str(LINE_BREAK);
                self.out.push(')');
                true
            }
            Node::Concat(list) => {
                let mut head = head;
                list.iter().enumerate().all(|(i, n)| {
                    let done = self.wrapped(n, head, tail && i + 1 == list.len());
                    head &= matches!(n, Node::Assert(_));
                    done
                })
            }
            Node::Alt(list) => list.iter().enumerate().all(|(i, n)| {
                if i > 0 {
                    self.out.push('|');
                }
                self.node(n, head, tail)
            }),
            Node::Group(_, n) => {
                self.out.push_str(if self.captures { "(" } else { "(?:" });
                let done = self.node(n, head, tail);
                self.out.push(')');
                done
            }
            Node::Repeat {
                node,
                min,
                max,
                kind,
            } => self.repeat(node, *min, *max, *kind, tail),
            Node::Assert(assert) => self.assert(*assert, head, tail),
            Node::Look { .. } | Node::Atomic(_) | Node::Backref { .. } => false,
        }
    }

    fn wrapped(&mut self, node: &Node, head: bool, tail: bool) -> bool {
        if !matches!(node, Node::Alt(_) | Node::Empty) {
            return self.node(node, head, tail);
        }
        self.out.push_str("(?:");
        let done = self.node(node, head, tail);
        self.out.push(')');
        done
    }

    fn repeat(&mut self, node: &Node, min: u32, max: Option<u32>, kind: Kind, tail: bool) -> bool {
        let single = matches!(node, Node::Char(_) | Node::Set(_));
        // At the very end giving back a character could never help.
        if kind == Kind::Possessive && !(self.whole && tail && single && max.is_none()) {
            return false;
        }
        self.out.push_str("(?:");
        let done = self.node(node, false, false);
        self.out.push(')');
        self.out.push_str(&match (min, max) {
            (0, None) => "*".to_owned(),
            (1, None) => "+".to_owned(),
            (0, Some(1)) => "?".to_owned(),
            (min, None) => format!("{{{min},}}"),
            (min, Some(max)) => format!("{{{min},{max}}}"),
        });
        if kind == Kind::Lazy {
            self.out.push('?');
        }
        done
    }

    fn assert(&mut self, assert: Assert, head: bool, tail: bool) -> bool {
        let text = match assert {
            Assert::TextStart => r"\A",
            Assert::TextEnd => r"\z",
            Assert::FinalEnd { .. } | Assert::LineEnd { .. } if self.whole && tail => r"\z",
            Assert::LineStart { .. } if self.whole && head && self.consumes => r"\A",
            Assert::LastMatch if self.whole => r"\A",
            Assert::WordBoundary {
                negative: false, ..
            } => r"\b",
            Assert::WordBoundary { negative: true, .. } => r"\B",
            _ => return false,
        };
        self.out.push_str(text);
        true
    }
}
