//! The backtracking engine for what the linear one cannot say. Every step is counted, characters
//! looked at included, so a pattern ends in an error rather than in a long wait.

use super::ast::{Assert, Case, Kind};
use super::program::{Inst, Program};
use super::scan::is_line_end;
use super::{RegexError, RegexErrorKind};

/// Choices kept at a time (32 bytes each).
const MAX_STACK: usize = 1 << 20;
/// A register that holds nothing.
const NONE: usize = usize::MAX;

/// What to do when the current way fails.
enum Frame {
    Branch {
        pc: usize,
        pos: usize,
    },
    /// Give one character back, down to `low`.
    Shrink {
        pc: usize,
        pos: usize,
        low: usize,
    },
    /// Take one character more, up to `left` times.
    Grow {
        pc: usize,
        pos: usize,
        left: u32,
    },
    /// Start a look-behind one character further back.
    Behind {
        pc: usize,
        pos: usize,
        left: usize,
    },
    Restore {
        reg: usize,
        old: usize,
    },
}

/// One search in one text.
pub(super) struct Run<'a> {
    program: &'a Program,
    text: &'a str,
    /// The match must reach the end of the text.
    whole: bool,
    /// Where the match before this one ended.
    last_end: usize,
    regs: Vec<usize>,
    stack: Vec<Frame>,
    steps: u64,
}

pub(super) fn too_many_steps() -> RegexError {
    RegexError {
        kind: RegexErrorKind::TooManySteps,
        message: "matching takes too many steps".to_owned(),
        offset: None,
    }
}

impl<'a> Run<'a> {
    /// Prepares a run that may take so many `steps`.
    pub fn new(program: &'a Program, text: &'a str, whole: bool, steps: u64) -> Self {
        Run {
            program,
            text,
            whole,
            last_end: 0,
            regs: vec![NONE; program.registers],
            stack: Vec::new(),
            steps,
        }
    }

    /// Finds the first match that begins at or after `from`, given the end of the last one.
    pub fn find(
        &mut self,
        from: usize,
        last_end: usize,
    ) -> Result<Option<(usize, usize)>, RegexError> {
        self.last_end = last_end;
        self.spend(self.regs.len())?;
        self.regs.fill(NONE);
        let mut start = from;
        loop {
            if let Some(end) = self.at(start)? {
                self.regs[0] = start;
                self.regs[1] = end;
                return Ok(Some((start, end)));
            }
            match self.next_char(start) {
                Some(c) if !self.whole => start += c.len_utf8(),
                _ => return Ok(None),
            }
        }
    }

    /// Bounds of the groups of the last match.
    pub fn spans(&self) -> Vec<Option<(usize, usize)>> {
        (0..self.program.groups).map(|g| self.group(g)).collect()
    }

    /// Bounds of one group of the last match.
    pub fn group(&self, group: usize) -> Option<(usize, usize)> {
        match (self.regs[2 * group], self.regs[2 * group + 1]) {
            (NONE, _) | (_, NONE) => None,
            span => Some(span),
        }
    }

    fn spend(&mut self, count: usize) -> Result<(), RegexError> {
        match self.steps.checked_sub(count as u64) {
            Some(left) if self.stack.len() <= MAX_STACK => {
                self.steps = left;
                Ok(())
            }
            _ => Err(too_many_steps()),
        }
    }

    #[inline]
    fn next_char(&self, pos: usize) -> Option<char> {
        match self.text.as_bytes().get(pos) {
            Some(b) if b.is_ascii() => Some(*b as char),
            Some(_) => self.text.get(pos..).and_then(|t| t.chars().next()),
            None => None,
        }
    }

    #[inline]
    fn prev_char(&self, pos: usize) -> Option<char> {
        match self.text.as_bytes().get(pos.checked_sub(1)?) {
            Some(b) if b.is_ascii() => Some(*b as char),
            _ => self.text.get(..pos).and_then(|t| t.chars().next_back()),
        }
    }

    fn set_reg(&mut self, reg: usize, value: usize) {
        let old = std::mem::replace(&mut self.regs[reg], value);
        self.stack.push(Frame::Restore { reg, old });
    }

    /// Tries a match at one position and gives its end.
    fn at(&mut self, start: usize) -> Result<Option<usize>, RegexError> {
        self.stack.clear();
        let (mut pc, mut pos) = (0, start);
        loop {
            self.spend(1)?;
            let next = match self.program.code[pc] {
                Inst::Char(c) => match self.next_char(pos) {
                    Some(found) if found == c => Some((pc + 1, pos + c.len_utf8())),
                    _ => None,
                },
                Inst::Set(set) => match self.next_char(pos) {
                    Some(c) if self.program.sets[set].contains(c) => {
                        Some((pc + 1, pos + c.len_utf8()))
                    }
                    _ => None,
                },
                Inst::Span {
                    set,
                    min,
                    max,
                    kind,
                } => self
                    .span(pc, pos, set, (min, max), kind)?
                    .map(|pos| (pc + 1, pos)),
                Inst::Jump(to) => Some((to, pos)),
                Inst::Split(first, second) => {
                    self.stack.push(Frame::Branch { pc: second, pos });
                    Some((first, pos))
                }
                Inst::Save(reg) => {
                    self.set_reg(reg, pos);
                    Some((pc + 1, pos))
                }
                Inst::Close { group, start } => {
                    self.set_reg(2 * group, self.regs[start]);
                    self.set_reg(2 * group + 1, pos);
                    Some((pc + 1, pos))
                }
                Inst::LoopInit(reg) => {
                    self.set_reg(reg, 0);
                    self.set_reg(reg + 1, NONE);
                    Some((pc + 1, pos))
                }
                Inst::Loop {
                    reg,
                    min,
                    max,
                    lazy,
                    exit,
                } => {
                    let count = self.regs[reg];
                    // A round that took nothing is the last one.
                    if (count > 0 && self.regs[reg + 1] == pos) || (count >= max) {
                        Some((exit, pos))
                    } else if count < min {
                        Some((pc + 1, pos))
                    } else if lazy {
                        self.stack.push(Frame::Branch { pc: pc + 1, pos });
                        Some((exit, pos))
                    } else {
                        self.stack.push(Frame::Branch { pc: exit, pos });
                        Some((pc + 1, pos))
                    }
                }
                Inst::LoopBody(reg) => {
                    self.set_reg(reg, self.regs[reg] + 1);
                    self.set_reg(reg + 1, pos);
                    Some((pc + 1, pos))
                }
                Inst::Mark(reg) => {
                    self.mark(reg, pos);
                    Some((pc + 1, pos))
                }
                Inst::MarkElse { reg, otherwise } => {
                    self.mark(reg, pos);
                    self.stack.push(Frame::Branch { pc: otherwise, pos });
                    Some((pc + 1, pos))
                }
                Inst::Commit(reg) => {
                    self.commit(self.regs[reg])?;
                    Some((pc + 1, pos))
                }
                Inst::CommitBack(reg) => {
                    let back = self.regs[reg + 1];
                    self.commit(self.regs[reg])?;
                    Some((pc + 1, back))
                }
                Inst::Refuse(reg) => {
                    let height = self.regs[reg];
                    self.unwind(height)?;
                    None
                }
                Inst::Behind { min, max } => self.behind(pc, pos, min, max)?,
                Inst::BehindEnd(reg) => (self.regs[reg + 1] == pos).then_some((pc + 1, pos)),
                Inst::Backref { group, case } => {
                    self.backref(group, case, pos)?.map(|pos| (pc + 1, pos))
                }
                Inst::Assert(assert) => self.holds(assert, pos)?.then_some((pc + 1, pos)),
                Inst::Match => {
                    if !self.whole || pos == self.text.len() {
                        return Ok(Some(pos));
                    }
                    None
                }
            };
            (pc, pos) = match next {
                Some(next) => next,
                None => match self.fail()? {
                    Some(next) => next,
                    None => return Ok(None),
                },
            };
        }
    }

    /// Goes back to the last choice.
    fn fail(&mut self) -> Result<Option<(usize, usize)>, RegexError> {
        while let Some(frame) = self.stack.pop() {
            self.spend(1)?;
            match frame {
                Frame::Restore { reg, old } => self.regs[reg] = old,
                Frame::Branch { pc, pos } => return Ok(Some((pc, pos))),
                Frame::Shrink { pc, pos, low } => {
                    if pos > low {
                        let pos = pos - self.prev_char(pos).map_or(1, char::len_utf8);
                        if pos > low {
                            self.stack.push(Frame::Shrink { pc, pos, low });
                        }
                        return Ok(Some((pc + 1, pos)));
                    }
                }
                Frame::Grow { pc, pos, left } => {
                    let Inst::Span { set, .. } = self.program.code[pc] else {
                        continue;
                    };
                    if let Some(c) = self.next_char(pos)
                        && self.program.sets[set].contains(c)
                    {
                        let pos = pos + c.len_utf8();
                        if left > 1 {
                            let left = left - 1;
                            self.stack.push(Frame::Grow { pc, pos, left });
                        }
                        return Ok(Some((pc + 1, pos)));
                    }
                }
                Frame::Behind { pc, pos, left } => {
                    if let Some(c) = self.prev_char(pos) {
                        let pos = pos - c.len_utf8();
                        if left > 1 {
                            let left = left - 1;
                            self.stack.push(Frame::Behind { pc, pos, left });
                        }
                        return Ok(Some((pc + 1, pos)));
                    }
                }
            }
        }
        Ok(None)
    }

    /// Runs over a quantified single character and leaves the other lengths as a choice.
    fn span(
        &mut self,
        pc: usize,
        pos: usize,
        set: usize,
        (min, max): (u32, u32),
        kind: Kind,
    ) -> Result<Option<usize>, RegexError> {
        let chars = &self.program.sets[set];
        let (mut end, mut low, mut count) = (pos, pos, 0);
        let goal = if kind == Kind::Lazy { min } else { max };
        while count < goal
            && let Some(c) = self.next_char(end)
            && chars.contains(c)
        {
            end += c.len_utf8();
            count += 1;
            if count == min {
                low = end;
            }
        }
        self.spend(count as usize)?;
        if count < min {
            return Ok(None);
        }
        if kind == Kind::Greedy && end > low {
            self.stack.push(Frame::Shrink { pc, pos: end, low });
        } else if kind == Kind::Lazy && max > min {
            let left = max - min;
            self.stack.push(Frame::Grow { pc, pos: end, left });
        }
        Ok(Some(end))
    }

    /// Notes the height of the stack and the position.
    fn mark(&mut self, reg: usize, pos: usize) {
        self.set_reg(reg + 1, pos);
        self.set_reg(reg, self.stack.len() + 1);
    }

    /// Drops the choices above the height, keeping what undoes the registers. Java does not undo
    /// groups set in there, nor does this.
    fn commit(&mut self, height: usize) -> Result<(), RegexError> {
        self.spend(self.stack.len().saturating_sub(height))?;
        let groups = 2 * self.program.groups;
        let mut keep = height;
        for i in height..self.stack.len() {
            if matches!(self.stack[i], Frame::Restore { reg, .. } if reg >= groups) {
                self.stack.swap(keep, i);
                keep += 1;
            }
        }
        self.stack.truncate(keep);
        Ok(())
    }

    /// Undoes the registers down to the height, again without the groups.
    fn unwind(&mut self, height: usize) -> Result<(), RegexError> {
        self.spend(self.stack.len().saturating_sub(height))?;
        while self.stack.len() > height {
            if let Some(Frame::Restore { reg, old }) = self.stack.pop()
                && reg >= 2 * self.program.groups
            {
                self.regs[reg] = old;
            }
        }
        Ok(())
    }

    fn behind(
        &mut self,
        pc: usize,
        pos: usize,
        min: usize,
        max: usize,
    ) -> Result<Option<(usize, usize)>, RegexError> {
        let mut start = pos;
        for _ in 0..min {
            match self.prev_char(start) {
                Some(c) => start -= c.len_utf8(),
                None => return Ok(None),
            }
            self.spend(1)?;
        }
        if max > min {
            let left = max - min;
            self.stack.push(Frame::Behind {
                pc,
                pos: start,
                left,
            });
        }
        Ok(Some((pc + 1, start)))
    }

    fn backref(
        &mut self,
        group: usize,
        case: Case,
        pos: usize,
    ) -> Result<Option<usize>, RegexError> {
        let Some((start, end)) = self.group(group) else {
            return Ok(None);
        };
        self.spend(end - start)?;
        let wanted = self.text.get(start..end).unwrap_or_default();
        let rest = self.text.get(pos..).unwrap_or_default();
        if case == Case::Exact {
            return Ok(rest.starts_with(wanted).then_some(pos + wanted.len()));
        }
        let mut found = rest.chars();
        for want in wanted.chars() {
            match found.next() {
                Some(c) if same_letter(want, c, case) => {}
                _ => return Ok(None),
            }
        }
        Ok(Some(self.text.len() - found.as_str().len()))
    }

    fn holds(&mut self, assert: Assert, pos: usize) -> Result<bool, RegexError> {
        let (prev, next) = (self.prev_char(pos), self.next_char(pos));
        let inside_crlf = prev == Some('\r') && next == Some('\n');
        Ok(match assert {
            Assert::TextStart => pos == 0,
            Assert::TextEnd => next.is_none(),
            Assert::LastMatch => pos == self.last_end,
            Assert::FinalEnd { unix } => match next {
                None => true,
                Some(c) if !is_line_end(c, unix) || (!unix && inside_crlf) => false,
                Some(c) => match self.text.get(pos + c.len_utf8()..) {
                    Some("") => true,
                    Some("\n") => !unix && c == '\r',
                    _ => false,
                },
            },
            Assert::LineStart { unix } => match prev {
                // At the very end there is no further line.
                _ if next.is_none() => false,
                None => true,
                Some(c) => is_line_end(c, unix) && (unix || !inside_crlf),
            },
            Assert::LineEnd { unix } => match next {
                None => true,
                Some(c) => is_line_end(c, unix) && (unix || !inside_crlf),
            },
            Assert::WordBoundary { negative, unicode } => {
                let left = self.in_word(prev, pos, unicode)?;
                let right = self.in_word(next, pos, unicode)?;
                (left != right) != negative
            }
        })
    }

    /// Whether a character next to `pos` counts as part of a word.
    fn in_word(&mut self, c: Option<char>, pos: usize, unicode: bool) -> Result<bool, RegexError> {
        let Some(c) = c else { return Ok(false) };
        if c.is_ascii() {
            return Ok(c.is_ascii_alphanumeric() || c == '_');
        }
        let kinds = super::words::kinds();
        if unicode {
            return Ok(kinds.unicode_word.contains(c));
        }
        if kinds.java_word.contains(c) {
            return Ok(true);
        }
        if !kinds.mark.contains(c) {
            return Ok(false);
        }
        // A mark belongs to the letter or digit it stands on.
        let mut at = pos;
        while let Some(before) = self.prev_char(at) {
            self.spend(1)?;
            if kinds.java_letter_or_digit.contains(before) {
                return Ok(true);
            }
            if !kinds.mark.contains(before) {
                return Ok(false);
            }
            at -= before.len_utf8();
        }
        Ok(false)
    }
}

fn same_letter(a: char, b: char, case: Case) -> bool {
    if case == Case::Ascii {
        return a.eq_ignore_ascii_case(&b);
    }
    a == b || fold(a) == fold(b)
}

/// Java's way: the lower case of the upper case, where these are one character.
fn fold(c: char) -> char {
    let mut upper = c.to_uppercase();
    let upper = match (upper.next(), upper.next()) {
        (Some(u), None) => u,
        _ => c,
    };
    match upper {
        // The one letter whose lower case is two characters.
        '\u{130}' => 'i',
        u => {
            let mut lower = u.to_lowercase();
            lower.next().unwrap_or(u)
        }
    }
}
