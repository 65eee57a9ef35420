//! The tree both engines are built from: Java's syntax with every flag already applied.

use super::{RegexError, RegexErrorKind};

/// Java counts repetitions in a signed 32-bit number.
pub(super) const MAX_REPEAT: u32 = i32::MAX as u32;

/// One node of a parsed pattern.
#[derive(Debug, Clone)]
pub(super) enum Node {
    Empty,
    /// One exact character.
    Char(char),
    /// One character out of a class, written in the syntax of `regex-syntax`.
    Set(String),
    /// `\R`: `\r\n` or one of the characters that break a line.
    LineBreak,
    Concat(Vec<Node>),
    Alt(Vec<Node>),
    /// A capturing group.
    Group(u32, Box<Node>),
    Repeat {
        node: Box<Node>,
        min: u32,
        max: Option<u32>,
        kind: Kind,
    },
    Look {
        ahead: bool,
        negative: bool,
        node: Box<Node>,
    },
    Atomic(Box<Node>),
    Backref {
        group: u32,
        case: Case,
    },
    Assert(Assert),
}

/// How a quantifier prefers to match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Greedy,
    Lazy,
    Possessive,
}

/// How letters are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Case {
    Exact,
    Ascii,
    Unicode,
}

/// Conditions on a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Assert {
    TextStart,
    TextEnd,
    /// `$` and `\Z`: the end, or before a final line terminator.
    FinalEnd {
        unix: bool,
    },
    LineStart {
        unix: bool,
    },
    LineEnd {
        unix: bool,
    },
    WordBoundary {
        negative: bool,
        unicode: bool,
    },
    /// `\G`: where the previous match ended.
    LastMatch,
}

/// The lengths of what a node matches.
#[derive(Debug, Clone, Copy)]
pub(super) struct Width {
    pub min: u32,
    max: i32,
    /// Java sees a longest length.
    pub bounded: bool,
    /// There is but one way to match from a given position.
    one_way: bool,
}

impl Width {
    const START: Width = Width {
        min: 0,
        max: 0,
        bounded: true,
        one_way: true,
    };

    /// The longest length, where it is a number to rely on.
    pub fn max(&self) -> u32 {
        u32::try_from(self.max).unwrap_or(MAX_REPEAT)
    }

    fn add(&mut self, min: u32, max: i32) {
        self.min = self.min.saturating_add(min);
        self.max = self.max.wrapping_add(max);
    }
}

/// A parsed pattern.
#[derive(Debug)]
pub(super) struct Parsed {
    pub node: Node,
    /// How deep groups and classes are nested.
    pub depth: usize,
    pub group_count: u32,
    pub names: Vec<(String, u32)>,
}

/// What one walk over the tree finds out.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Facts {
    pub word_boundary: bool,
    /// A repeated part can be empty or is left out, where the engines set groups differently.
    pub empty_loop: bool,
    pub last_match: bool,
}

impl Node {
    /// Collects facts about the whole tree.
    pub fn facts(&self) -> Facts {
        let mut facts = Facts::default();
        self.visit(&mut |n| match n {
            Node::Assert(Assert::WordBoundary { unicode: false, .. }) => {
                facts.word_boundary = true;
            }
            Node::Assert(Assert::LastMatch) => facts.last_match = true,
            Node::Repeat { node, max, .. } if *max != Some(1) => {
                facts.empty_loop |= node.nullable() || *max == Some(0);
            }
            _ => {}
        });
        facts
    }

    fn visit(&self, see: &mut impl FnMut(&Node)) {
        see(self);
        match self {
            Node::Concat(list) | Node::Alt(list) => list.iter().for_each(|n| n.visit(see)),
            Node::Group(_, n) | Node::Atomic(n) => n.visit(see),
            Node::Repeat { node, .. } | Node::Look { node, .. } => node.visit(see),
            _ => {}
        }
    }

    /// Whether the node can match without consuming anything.
    pub fn nullable(&self) -> bool {
        match self {
            Node::Empty | Node::Look { .. } | Node::Backref { .. } | Node::Assert(_) => true,
            Node::Char(_) | Node::Set(_) | Node::LineBreak => false,
            Node::Concat(list) => list.iter().all(Node::nullable),
            Node::Alt(list) => list.iter().any(Node::nullable),
            Node::Group(_, n) | Node::Atomic(n) => n.nullable(),
            Node::Repeat { node, min, .. } => *min == 0 || node.nullable(),
        }
    }

    /// The least number of characters a match takes.
    pub fn min_width(&self) -> u32 {
        self.look_behind_width().min
    }

    /// The lengths Java sees when the node stands in a look-behind. Java adds in 32 bits and
    /// notices an overflow only in some places; which patterns it refuses depends on that.
    pub fn look_behind_width(&self) -> Width {
        let mut width = Width::START;
        self.measure(&mut width);
        width
    }

    fn measure(&self, w: &mut Width) {
        match self {
            Node::Empty | Node::Look { .. } | Node::Assert(_) => {}
            Node::Char(_) | Node::Set(_) => w.add(1, 1),
            Node::LineBreak => w.add(1, 2),
            Node::Backref { .. } => w.bounded = false,
            Node::Group(_, n) | Node::Atomic(n) => n.measure(w),
            Node::Concat(list) => list.iter().for_each(|n| n.measure(w)),
            Node::Alt(list) => {
                let (mut min, mut max) = (u32::MAX, -1);
                for n in list {
                    let part = n.look_behind_width();
                    min = min.min(part.min);
                    max = max.max(part.max);
                    w.bounded &= part.bounded;
                }
                w.add(min, max);
                w.one_way = false;
            }
            Node::Repeat {
                node,
                min,
                max,
                kind,
            } => {
                let part = node.look_behind_width();
                let single = matches!(**node, Node::Char(_) | Node::Set(_));
                // Java looks into groups only, to choose a kind of loop.
                let plain = !matches!(**node, Node::Group(..) | Node::Concat(_) | Node::Alt(_))
                    && !matches!(**node, Node::Repeat { .. });
                let times = max.map_or(MAX_REPEAT, |m| m.min(MAX_REPEAT)) as i32;
                let before = *w;
                w.add(part.min.saturating_mul(*min), part.max.wrapping_mul(times));
                w.bounded &= part.bounded;
                let greedy_span = single && *kind == Kind::Greedy && max.is_none();
                if (*min, times) == (0, 1) || greedy_span {
                    w.one_way = false;
                } else {
                    w.bounded &= w.max >= before.max;
                    w.bounded &= plain || *kind == Kind::Possessive || part.one_way;
                    w.one_way &= part.one_way && *min as i32 == times;
                }
            }
        }
    }

    /// How many single characters and conditions the pattern has once its counts are spelt out:
    /// the threads the linear engine may have to follow.
    pub fn positions(&self) -> u64 {
        match self {
            Node::Empty => 0,
            Node::Char(_) | Node::Set(_) | Node::Backref { .. } | Node::Assert(_) => 1,
            Node::LineBreak => 3,
            Node::Concat(list) | Node::Alt(list) => list
                .iter()
                .fold(0, |sum, n| n.positions().saturating_add(sum)),
            Node::Group(_, n) => n.positions().saturating_add(2),
            Node::Atomic(n) | Node::Look { node: n, .. } => n.positions(),
            Node::Repeat { node, min, max, .. } => {
                let times = u64::from(max.unwrap_or(*min).max(1));
                node.positions().saturating_add(1).saturating_mul(times)
            }
        }
    }

    /// The text this pattern spells, if it is nothing but plain characters.
    pub fn literal(&self) -> Option<String> {
        match self {
            Node::Empty => Some(String::new()),
            Node::Char(c) => Some(c.to_string()),
            Node::Concat(list) => list
                .iter()
                .map(|n| match n {
                    Node::Char(c) => Some(*c),
                    _ => None,
                })
                .collect(),
            _ => None,
        }
    }
}

/// A refusal of the pattern at a byte offset.
pub(super) fn syntax(message: impl Into<String>, offset: usize) -> RegexError {
    RegexError {
        kind: RegexErrorKind::Syntax,
        message: message.into(),
        offset: Some(offset),
    }
}

/// Something Java has and this module has not.
pub(super) fn unsupported(message: impl Into<String>, offset: usize) -> RegexError {
    RegexError {
        kind: RegexErrorKind::Unsupported,
        message: message.into(),
        offset: Some(offset),
    }
}

/// A size limit was passed.
pub(super) fn too_big(message: impl Into<String>) -> RegexError {
    RegexError {
        kind: RegexErrorKind::TooBig,
        message: message.into(),
        offset: None,
    }
}
