//! The parser of Go's dialect (package regexp/syntax with its flags for Perl), which makes what `regex-automata` builds from.

use super::{MAX_PATTERN, Problem, class};
use crate::diagnostic::Span;
use regex_syntax::hir::{Class, ClassUnicode, Hir, Look, Repetition};

/// How often something may be repeated, all repetitions around it multiplied.
const MAX_REPEAT: u32 = 1000;

/// How deep a pattern may nest.
const MAX_HEIGHT: u32 = 1000;

pub(super) const LOOK_AROUND: &str = "this dialect has no look-around and no back-references; \
    search twice, or take the other branch in the rule";

/// What `(?…)` sets.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Flags {
    pub fold: bool,
    lines: bool,
    all: bool,
    lazy: bool,
}

/// A piece of an expression.
struct Part {
    hir: Hir,
    /// The product of the repetitions inside, at most.
    product: u32,
    height: u32,
}

impl Part {
    fn leaf(hir: Hir) -> Part {
        Part {
            hir,
            product: 1,
            height: 1,
        }
    }

    /// Several parts as one.
    fn joined(parts: Vec<Part>, join: fn(Vec<Hir>) -> Hir) -> Part {
        let product = parts.iter().map(|part| part.product).max().unwrap_or(1);
        let height = parts.iter().map(|part| part.height).max().unwrap_or(0);
        let above = u32::from(parts.len() != 1);
        Part {
            hir: join(parts.into_iter().map(|part| part.hir).collect()),
            product,
            height: height + above,
        }
    }
}

/// An open parenthesis, or the whole.
struct Frame {
    branches: Vec<Part>,
    parts: Vec<Part>,
    /// The flags that hold again behind the parenthesis.
    outer: Flags,
    open: usize,
    /// Whether it counts as a level of its own. What a group caught is never asked for.
    captures: bool,
}

impl Frame {
    fn new(outer: Flags, open: usize, captures: bool) -> Frame {
        Frame {
            branches: Vec::new(),
            parts: Vec::new(),
            outer,
            open,
            captures,
        }
    }

    fn end_branch(&mut self) {
        let parts = std::mem::take(&mut self.parts);
        self.branches.push(Part::joined(parts, Hir::concat));
    }

    fn finish(mut self) -> Part {
        self.end_branch();
        let mut part = Part::joined(self.branches, Hir::alternation);
        part.height += u32::from(self.captures);
        part
    }
}

pub(super) struct Parser<'a> {
    pub text: &'a str,
    pub at: usize,
    pub flags: Flags,
    top: Frame,
    /// The frames around `top`.
    outer: Vec<Frame>,
}

pub(super) type Parsed<T> = Result<T, Problem>;

/// Reads a pattern.
pub(super) fn parse(text: &str) -> Parsed<Hir> {
    let mut parser = Parser {
        text,
        at: 0,
        flags: Flags::default(),
        top: Frame::new(Flags::default(), 0, false),
        outer: Vec::new(),
    };
    if text.len() > MAX_PATTERN {
        return Err(parser.too_large("it is too long"));
    }
    parser.expression()?;
    if !parser.outer.is_empty() {
        let open = parser.top.open;
        return Err(problem(open, open + 1, "this parenthesis is never closed"));
    }
    let whole = parser.top.finish();
    Ok(whole.hir)
}

pub(super) fn problem(start: usize, end: usize, what: &'static str) -> Problem {
    Problem {
        span: Span::new(start, end),
        what,
        help: None,
        large: false,
    }
}

impl<'a> Parser<'a> {
    pub(super) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// The byte `ahead` of the place.
    pub(super) fn byte(&self, ahead: usize) -> Option<u8> {
        self.text.as_bytes().get(self.at + ahead).copied()
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    /// A problem between `start` and the place.
    pub(super) fn wrong(&self, start: usize, what: &'static str) -> Problem {
        problem(start, self.at, what)
    }

    fn too_large(&self, what: &'static str) -> Problem {
        Problem {
            large: true,
            ..problem(0, self.text.len(), what)
        }
    }

    fn push(&mut self, hir: Hir) {
        self.top.parts.push(Part::leaf(hir));
    }

    fn push_class(&mut self, set: ClassUnicode) {
        self.push(Hir::class(Class::Unicode(set)));
    }

    fn literal(&mut self, c: u32) {
        let mut set = class::range(c, c);
        if self.flags.fold {
            class::fold(&mut set);
        }
        self.push_class(set);
    }

    fn expression(&mut self) -> Parsed<()> {
        // Where the repetition began that ended at this place, if one did.
        let mut last = None;
        while let Some(c) = self.peek() {
            let start = self.at;
            let mut repeated = false;
            match c {
                '(' if self.byte(1) == Some(b'?') => self.group()?,
                '(' => {
                    self.at += 1;
                    self.open(start, true);
                }
                ')' => self.close()?,
                '|' => {
                    self.at += 1;
                    self.top.end_branch();
                }
                '^' => self.look(1, [Look::Start, Look::StartLF]),
                '$' => self.look(1, [Look::End, Look::EndLF]),
                '.' => {
                    self.at += 1;
                    let mut set = class::range(u32::from('\n'), u32::from('\n'));
                    set.negate();
                    if self.flags.all {
                        set = class::range(0, u32::MAX);
                    }
                    self.push_class(set);
                }
                '[' => {
                    let set = self.class()?;
                    self.push_class(set);
                }
                '*' | '+' | '?' => {
                    self.at += 1;
                    let (min, max) = match c {
                        '*' => (0, None),
                        '+' => (1, None),
                        _ => (0, Some(1)),
                    };
                    self.repeat(start, min, max, last)?;
                    repeated = true;
                }
                '{' => match self.braces() {
                    Some((min, max)) => {
                        self.counted(start, min, max, last)?;
                        repeated = true;
                    }
                    None => {
                        self.at = start + 1;
                        self.literal(u32::from('{'));
                    }
                },
                '\\' => self.escaped()?,
                other => {
                    self.at += other.len_utf8();
                    self.literal(u32::from(other));
                }
            }
            last = repeated.then_some(start);
        }
        Ok(())
    }

    /// An assertion of `length` bytes that is the second of two when lines count.
    fn look(&mut self, length: usize, looks: [Look; 2]) {
        self.at += length;
        let [whole, line] = looks;
        self.push(Hir::look(if self.flags.lines { line } else { whole }));
    }

    fn open(&mut self, at: usize, captures: bool) {
        let frame = Frame::new(self.flags, at, captures);
        self.outer.push(std::mem::replace(&mut self.top, frame));
    }

    fn close(&mut self) -> Parsed<()> {
        let start = self.at;
        self.at += 1;
        let Some(outer) = self.outer.pop() else {
            return Err(self.wrong(start, "this parenthesis was never opened"));
        };
        let inner = std::mem::replace(&mut self.top, outer);
        self.flags = inner.outer;
        let part = inner.finish();
        if part.height > MAX_HEIGHT {
            return Err(self.too_large("it nests too deeply"));
        }
        self.top.parts.push(part);
        Ok(())
    }

    /// `(?` and what follows: a named group, flags, a group with flags.
    fn group(&mut self) -> Parsed<()> {
        let start = self.at;
        let rest = self.rest();
        let named = (rest.starts_with("(?P<") && rest.len() > 4)
            || (rest.starts_with("(?<") && rest.len() > 3);
        if named {
            return self.named(start);
        }
        self.at += 2;
        let (mut on, mut off) = (self.flags, Flags::default());
        let (mut minus, mut any) = (false, false);
        while let Some(c) = self.next() {
            let flags = match minus {
                true => &mut off,
                false => &mut on,
            };
            match c {
                'i' => flags.fold = true,
                'm' => flags.lines = true,
                's' => flags.all = true,
                'U' => flags.lazy = true,
                '-' if !minus => {
                    (minus, any) = (true, false);
                    continue;
                }
                ':' | ')' if !minus || any => {
                    if c == ':' {
                        self.open(start, false);
                    }
                    self.flags = Flags {
                        fold: on.fold && !off.fold,
                        lines: on.lines && !off.lines,
                        all: on.all && !off.all,
                        lazy: on.lazy && !off.lazy,
                    };
                    return Ok(());
                }
                _ => break,
            }
            any = true;
        }
        let wrong = self.wrong(start, "unknown kind of group");
        let look = ["(?=", "(?!", "(?>", "(?P="];
        Err(match look.iter().any(|known| rest.starts_with(known)) {
            true => Problem {
                help: Some(LOOK_AROUND),
                ..wrong
            },
            false => wrong,
        })
    }

    fn named(&mut self, start: usize) -> Parsed<()> {
        let rest = self.rest();
        let end = rest.find('>');
        self.at = end.map_or(self.text.len(), |end| start + end + 1);
        let name = end
            .and_then(|end| rest.get(..end))
            .and_then(|all| all.split_once('<'))
            .map_or("", |(_, name)| name);
        let good = |c: char| c == '_' || c.is_ascii_alphanumeric();
        if name.is_empty() || !name.chars().all(good) {
            let wrong = self.wrong(start, "malformed name of a group");
            let look = rest.starts_with("(?<=") || rest.starts_with("(?<!");
            return Err(Problem {
                help: look.then_some(LOOK_AROUND),
                ..wrong
            });
        }
        self.open(start, true);
        Ok(())
    }

    /// The numbers of `{n}`, `{n,}` or `{n,m}`, the place behind it; nothing when the brace means itself.
    /// A number beyond all limits is `u32::MAX`.
    fn braces(&mut self) -> Option<(u32, Option<u32>)> {
        self.at += 1;
        let min = self.number()?;
        let mut max = Some(min);
        if self.byte(0) == Some(b',') {
            self.at += 1;
            max = match self.byte(0)? {
                b'}' => None,
                _ => Some(self.number()?),
            };
        }
        if self.byte(0)? != b'}' {
            return None;
        }
        self.at += 1;
        Some((min, max))
    }

    fn number(&mut self) -> Option<u32> {
        let rest = self.rest();
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let text = rest.get(..digits)?;
        if text.is_empty() || (text.len() > 1 && text.starts_with('0')) {
            return None;
        }
        self.at += digits;
        Some(text.parse().unwrap_or(u32::MAX))
    }

    fn counted(
        &mut self,
        start: usize,
        min: u32,
        max: Option<u32>,
        last: Option<usize>,
    ) -> Parsed<()> {
        let greatest = max.unwrap_or(min);
        if min > MAX_REPEAT || greatest > MAX_REPEAT || greatest < min {
            return Err(self.wrong(
                start,
                "a repetition has at most 1000 rounds, and not fewer than it begins with",
            ));
        }
        self.repeat(start, min, max, last)?;
        let product = self.top.parts.last().map_or(1, |part| part.product);
        if (min > 1 || max.is_some_and(|max| max > 1)) && product > MAX_REPEAT {
            return Err(self.wrong(
                start,
                "repetitions within each other come to more than 1000 rounds",
            ));
        }
        Ok(())
    }

    fn repeat(
        &mut self,
        start: usize,
        min: u32,
        max: Option<u32>,
        last: Option<usize>,
    ) -> Parsed<()> {
        let mut greedy = !self.flags.lazy;
        let counted = self.text.as_bytes().get(start) == Some(&b'{');
        if self.byte(0) == Some(b'?') {
            self.at += 1;
            greedy = !greedy;
        }
        if let Some(last) = last {
            let wrong = self.wrong(last, "a repetition of a repetition");
            let help = "put the inner one into (?:…)";
            return Err(Problem {
                help: Some(help),
                ..wrong
            });
        }
        let Some(part) = self.top.parts.pop() else {
            return Err(self.wrong(start, "nothing stands here that could be repeated"));
        };
        let product = match (counted, max) {
            (false, _) => part.product,
            (true, Some(0)) => 1,
            (true, max) => part.product.saturating_mul(max.unwrap_or(min).max(1)),
        };
        let height = part.height + 1;
        if height > MAX_HEIGHT {
            return Err(self.too_large("it nests too deeply"));
        }
        self.top.parts.push(Part {
            hir: Hir::repetition(Repetition {
                min,
                max,
                greedy,
                sub: Box::new(part.hir),
            }),
            product,
            height,
        });
        Ok(())
    }

    /// A backslash outside of a class, and what follows.
    fn escaped(&mut self) -> Parsed<()> {
        let start = self.at;
        match self.byte(1) {
            Some(b'A') => self.look(2, [Look::Start; 2]),
            Some(b'z') => self.look(2, [Look::End; 2]),
            Some(b'b') => self.look(2, [Look::WordAscii; 2]),
            Some(b'B') => self.look(2, [Look::WordAsciiNegate; 2]),
            Some(b'Q') => {
                self.at += 2;
                let rest = self.rest();
                let (quoted, length) = match rest.split_once(r"\E") {
                    Some((quoted, _)) => (quoted, quoted.len() + 2),
                    None => (rest, rest.len()),
                };
                for c in quoted.chars() {
                    self.literal(u32::from(c));
                }
                self.at += length;
            }
            Some(b'C') => {
                self.at += 2;
                return Err(self.wrong(start, "single bytes cannot be matched"));
            }
            _ => match self.class_escape()? {
                Some(set) => self.push_class(set),
                None => {
                    let c = self.escape()?;
                    self.literal(c);
                }
            },
        }
        Ok(())
    }
}
