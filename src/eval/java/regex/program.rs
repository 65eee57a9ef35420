//! Turns a tree into the instructions of the backtracking engine.

use std::collections::HashMap;

use super::ast::{Assert, Case, Kind, Node};
use super::props;

/// One instruction; positions are indices into the program, registers into the state.
#[derive(Debug)]
pub(super) enum Inst {
    Char(char),
    Set(usize),
    /// A quantified single character.
    Span {
        set: usize,
        min: u32,
        max: u32,
        kind: Kind,
    },
    Jump(usize),
    /// Tries the first, later the second.
    Split(usize, usize),
    Save(usize),
    /// Makes the group from the saved start and the current position.
    Close {
        group: usize,
        start: usize,
    },
    LoopInit(usize),
    Loop {
        reg: usize,
        min: usize,
        max: usize,
        lazy: bool,
        exit: usize,
    },
    /// One more round of the loop that precedes it.
    LoopBody(usize),
    /// Remembers how much there is to go back to.
    Mark(usize),
    /// Drops every choice since the mark.
    Commit(usize),
    /// Like `Commit`, and goes back to the position of the mark.
    CommitBack(usize),
    /// Marks, and leaves the way on for the case that what follows fails.
    MarkElse {
        reg: usize,
        otherwise: usize,
    },
    /// Undoes everything since the mark and fails.
    Refuse(usize),
    /// Tries what follows from every start that is far enough back.
    Behind {
        min: usize,
        max: usize,
    },
    /// Checks that a look-behind ended where it began.
    BehindEnd(usize),
    Backref {
        group: usize,
        case: Case,
    },
    Assert(Assert),
    Match,
}

/// Characters of a class: a bitmap for ASCII, ranges for the rest.
#[derive(Debug)]
pub(super) struct CharSet {
    ascii: u128,
    ranges: Vec<(char, char)>,
}

impl CharSet {
    pub fn new(class: &str) -> Self {
        let mut ascii = 0;
        let mut ranges = Vec::new();
        for range in props::parse_class(class).iter() {
            let (low, high) = (range.start(), range.end());
            for c in low as u32..=(high as u32).min(127) {
                ascii |= 1 << c;
            }
            if !high.is_ascii() {
                ranges.push((low, high));
            }
        }
        CharSet { ascii, ranges }
    }

    #[inline]
    pub fn contains(&self, c: char) -> bool {
        if c.is_ascii() {
            return self.ascii >> (c as u32) & 1 == 1;
        }
        let after = self.ranges.partition_point(|r| r.0 <= c);
        after > 0 && self.ranges[after - 1].1 >= c
    }
}

/// A compiled pattern. Registers hold two bounds for each group, then whatever is needed.
#[derive(Debug)]
pub(super) struct Program {
    pub code: Vec<Inst>,
    pub sets: Vec<CharSet>,
    pub registers: usize,
    pub groups: usize,
}

/// Compiles a tree with so many groups.
pub(super) fn compile(node: &Node, groups: u32) -> Program {
    let groups = groups as usize + 1;
    let mut builder = Builder {
        program: Program {
            code: Vec::new(),
            sets: Vec::new(),
            registers: groups * 2,
            groups,
        },
        known: HashMap::new(),
    };
    builder.node(node);
    builder.push(Inst::Match);
    builder.program
}

struct Builder {
    program: Program,
    known: HashMap<String, usize>,
}

impl Builder {
    fn push(&mut self, inst: Inst) -> usize {
        self.program.code.push(inst);
        self.here() - 1
    }

    fn here(&self) -> usize {
        self.program.code.len()
    }

    fn registers(&mut self, count: usize) -> usize {
        self.program.registers += count;
        self.program.registers - count
    }

    fn set(&mut self, class: &str) -> usize {
        if let Some(&index) = self.known.get(class) {
            return index;
        }
        let index = self.program.sets.len();
        self.program.sets.push(CharSet::new(class));
        self.known.insert(class.to_owned(), index);
        index
    }

    fn node(&mut self, node: &Node) {
        match node {
            Node::Empty => {}
            Node::Char(c) => {
                self.push(Inst::Char(*c));
            }
            Node::Set(class) => {
                let set = self.set(class);
                self.push(Inst::Set(set));
            }
            Node::LineBreak => self.alternatives(&[
                Node::Concat(vec![Node::Char('\r'), Node::Char('\n')]),
                Node::Set(props::LINE_BREAK.to_owned()),
            ]),
            Node::Concat(list) => list.iter().for_each(|n| self.node(n)),
            Node::Alt(list) => self.alternatives(list),
            Node::Group(index, n) => {
                // The old bounds stay readable inside the group until it closes.
                let start = self.registers(1);
                self.push(Inst::Save(start));
                self.node(n);
                let group = *index as usize;
                self.push(Inst::Close { group, start });
            }
            Node::Repeat {
                node,
                min,
                max,
                kind,
            } => self.repeat(node, *min, *max, *kind),
            Node::Atomic(n) => self.atomic(n),
            Node::Look {
                ahead,
                negative,
                node,
            } => self.look(node, *ahead, *negative),
            Node::Backref { group, case } => {
                let group = *group as usize;
                // A group that does not exist never matches.
                match group < self.program.groups {
                    true => self.push(Inst::Backref { group, case: *case }),
                    false => {
                        let never = self.set(props::NEVER);
                        self.push(Inst::Set(never))
                    }
                };
            }
            Node::Assert(assert) => {
                self.push(Inst::Assert(*assert));
            }
        }
    }

    fn alternatives(&mut self, list: &[Node]) {
        let mut jumps = Vec::new();
        for (i, branch) in list.iter().enumerate() {
            if i + 1 == list.len() {
                self.node(branch);
                break;
            }
            let split = self.push(Inst::Split(self.here() + 1, 0));
            self.node(branch);
            jumps.push(self.push(Inst::Jump(0)));
            self.program.code[split] = Inst::Split(split + 1, self.here());
        }
        for jump in jumps {
            self.program.code[jump] = Inst::Jump(self.here());
        }
    }

    fn repeat(&mut self, node: &Node, min: u32, max: Option<u32>, kind: Kind) {
        let class = match node {
            Node::Char(c) => {
                let mut items = String::from("[");
                props::push_char(&mut items, *c);
                items.push(']');
                Some(items)
            }
            Node::Set(class) => Some(class.clone()),
            _ => None,
        };
        if let Some(class) = class {
            let set = self.set(&class);
            let max = max.unwrap_or(u32::MAX);
            self.push(Inst::Span {
                set,
                min,
                max,
                kind,
            });
            return;
        }
        let mark = (kind == Kind::Possessive).then(|| self.registers(2));
        if let Some(mark) = mark {
            self.push(Inst::Mark(mark));
        }
        // The count, and where the round began.
        let reg = self.registers(2);
        self.push(Inst::LoopInit(reg));
        let top = self.push(Inst::Jump(0));
        self.push(Inst::LoopBody(reg));
        match mark {
            // Every round of a possessive loop is final by itself.
            Some(_) => self.atomic(node),
            None => self.node(node),
        }
        self.push(Inst::Jump(top));
        self.program.code[top] = Inst::Loop {
            reg,
            min: min as usize,
            max: max.map_or(usize::MAX, |m| m as usize),
            lazy: kind == Kind::Lazy,
            exit: self.here(),
        };
        if let Some(mark) = mark {
            self.push(Inst::Commit(mark));
        }
    }

    fn atomic(&mut self, node: &Node) {
        let mark = self.registers(2);
        self.push(Inst::Mark(mark));
        self.node(node);
        self.push(Inst::Commit(mark));
    }

    fn look(&mut self, node: &Node, ahead: bool, negative: bool) {
        let mark = self.registers(2);
        let start = match negative {
            true => self.push(Inst::MarkElse {
                reg: mark,
                otherwise: 0,
            }),
            false => self.push(Inst::Mark(mark)),
        };
        if !ahead {
            let width = node.look_behind_width();
            self.push(Inst::Behind {
                min: width.min as usize,
                max: width.max() as usize,
            });
        }
        self.node(node);
        if !ahead {
            self.push(Inst::BehindEnd(mark));
        }
        if negative {
            self.push(Inst::Refuse(mark));
            let otherwise = self.here();
            self.program.code[start] = Inst::MarkElse {
                reg: mark,
                otherwise,
            };
        } else {
            self.push(Inst::CommitBack(mark));
        }
    }
}
