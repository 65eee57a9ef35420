//! Reads Java's pattern syntax into a tree.

use super::RegexError;
use super::ast::{Assert, Case, Kind, MAX_REPEAT, Node, Parsed, syntax, too_big, unsupported};
use super::props;
use super::scan::{Flags, Scanner, Tok};

/// Groups and classes may be nested this deep.
const MAX_NESTING: usize = 200;
/// Rough compiled size of a class taken from the Unicode tables.
const PROPERTY_BYTES: usize = 2048;

/// What an escape stands for.
pub(super) enum Escape {
    /// A code point, possibly a lone surrogate.
    Code(u32),
    /// Items of a class.
    Items(String),
    Node(Node),
}

/// Where an escape stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Outside,
    Class,
    RangeEnd,
}

/// State of one parse.
pub(super) struct Parser {
    pub scan: Scanner,
    pub depth: usize,
    deepest: usize,
    groups: u32,
    names: Vec<(String, u32)>,
    room: usize,
}

/// Parses a pattern; `room` bounds the size of the Unicode classes it may name.
pub(super) fn parse(pattern: &str, room: usize) -> Result<Parsed, RegexError> {
    let mut parser = Parser {
        scan: Scanner::new(pattern),
        depth: 0,
        deepest: 0,
        groups: 0,
        names: Vec::new(),
        room,
    };
    let node = parser.alternatives()?;
    if parser.scan.peek().is_some() {
        return Err(syntax("unmatched closing ')'", parser.scan.at()));
    }
    Ok(Parsed {
        node,
        depth: parser.deepest,
        group_count: parser.groups,
        names: parser.names,
    })
}

impl Parser {
    pub fn flags(&self) -> Flags {
        self.scan.flags
    }

    /// Goes one level deeper, up to the limit.
    pub fn enter(&mut self, at: usize) -> Result<(), RegexError> {
        self.depth += 1;
        self.deepest = self.deepest.max(self.depth);
        if self.depth > MAX_NESTING {
            let mut error = too_big(format!("nested more than {MAX_NESTING} deep"));
            error.offset = Some(at);
            return Err(error);
        }
        Ok(())
    }

    /// Accounts for a class out of the Unicode tables.
    pub fn charge_property(&mut self) -> Result<(), RegexError> {
        self.charge(PROPERTY_BYTES)
    }

    /// Accounts for the letters that a wide range brings along when case does not matter.
    pub fn charge_range(&mut self, first: u32, last: u32) -> Result<(), RegexError> {
        match self.case() == Case::Unicode && last - first > 128 {
            true => self.charge(8 * PROPERTY_BYTES),
            false => Ok(()),
        }
    }

    fn charge(&mut self, bytes: usize) -> Result<(), RegexError> {
        match self.room.checked_sub(bytes) {
            Some(left) => self.room = left,
            None => return Err(too_big("too many Unicode classes for the size limit")),
        }
        Ok(())
    }

    fn alternatives(&mut self) -> Result<Node, RegexError> {
        let mut branches = vec![self.sequence()?];
        while self.scan.eat('|') {
            branches.push(self.sequence()?);
        }
        Ok(match branches.len() {
            1 => branches.pop().unwrap_or(Node::Empty),
            _ => Node::Alt(branches),
        })
    }

    fn sequence(&mut self) -> Result<Node, RegexError> {
        let mut list = Vec::new();
        while let Some(tok) = self.scan.peek() {
            let atom = if tok.quoted {
                self.scan.take();
                self.literal(tok.c)
            } else {
                match tok.c {
                    '|' | ')' => break,
                    '(' => match self.group()? {
                        Some(node) => node,
                        None => continue,
                    },
                    '*' | '+' | '?' => {
                        return Err(syntax(format!("dangling '{}'", tok.c), tok.at));
                    }
                    // Nothing stands before the brace, so nothing is repeated.
                    '{' => Node::Empty,
                    _ => self.atom(tok)?,
                }
            };
            match self.quantified(atom)? {
                Node::Empty => {}
                node => list.push(node),
            }
        }
        Ok(match list.len() {
            0 => Node::Empty,
            1 => list.pop().unwrap_or(Node::Empty),
            _ => Node::Concat(list),
        })
    }

    fn atom(&mut self, tok: Tok) -> Result<Node, RegexError> {
        self.scan.take();
        let flags = self.flags();
        let unix = flags.unix_lines;
        Ok(match tok.c {
            '[' => Node::Set(self.class(tok.at)?),
            '\\' => match self.escape(tok.at, Place::Outside)? {
                Escape::Code(code) => match char::from_u32(code) {
                    Some(c) => self.literal(c),
                    None => Node::Set(props::NEVER.to_owned()),
                },
                Escape::Items(items) => Node::Set(format!("[{items}]")),
                Escape::Node(node) => node,
            },
            '^' if flags.multi_line => Node::Assert(Assert::LineStart { unix }),
            '^' => Node::Assert(Assert::TextStart),
            '$' if flags.multi_line => Node::Assert(Assert::LineEnd { unix }),
            '$' => Node::Assert(Assert::FinalEnd { unix }),
            '.' => Node::Set(
                match (flags.dot_all, unix) {
                    (true, _) => r"[\x{0}-\x{10FFFF}]",
                    (false, true) => r"[^\n]",
                    (false, false) => r"[^\n\r\x{85}\x{2028}\x{2029}]",
                }
                .to_owned(),
            ),
            c => self.literal(c),
        })
    }

    fn literal(&self, c: char) -> Node {
        match self.case() {
            Case::Exact => Node::Char(c),
            Case::Ascii if !c.is_ascii_alphabetic() => Node::Char(c),
            case => {
                let items = props::char_items(c as u32, case);
                if items == props::range_items(c as u32, c as u32, Case::Exact) {
                    Node::Char(c)
                } else {
                    Node::Set(format!("[{items}]"))
                }
            }
        }
    }

    pub fn case(&self) -> Case {
        match (self.flags().case_insensitive, self.flags().unicode_case) {
            (false, _) => Case::Exact,
            (true, false) => Case::Ascii,
            (true, true) => Case::Unicode,
        }
    }

    fn group(&mut self) -> Result<Option<Node>, RegexError> {
        let at = self.scan.at();
        self.scan.take();
        let outer = self.flags();
        self.enter(at)?;
        let node = if self.scan.eat('?') {
            let tok = self.scan.raw().filter(|t| !t.quoted);
            match tok.map(|t| t.c) {
                Some(c @ ('=' | '!')) => {
                    self.scan.take_raw();
                    self.look(true, c == '!', at)?
                }
                Some('>') => {
                    self.scan.take_raw();
                    Node::Atomic(Box::new(self.body(at)?))
                }
                Some('<') => {
                    self.scan.take_raw();
                    match self.scan.peek_plain() {
                        Some(c @ ('=' | '!')) => {
                            self.scan.take();
                            self.look(false, c == '!', at)?
                        }
                        _ => {
                            let name = self.group_name()?;
                            if self.names.iter().any(|(n, _)| *n == name) {
                                let message = format!("group '{name}' is already defined");
                                return Err(syntax(message, at));
                            }
                            self.names.push((name, self.groups + 1));
                            self.capture(at)?
                        }
                    }
                }
                _ => {
                    self.inline_flags();
                    let at_end = self.scan.at();
                    match self.scan.take().map(|t| t.c) {
                        Some(')') => {
                            self.depth -= 1;
                            return Ok(None);
                        }
                        Some(':') => self.body(at)?,
                        Some('c') => {
                            let message = "canonical equivalence (?c) is not supported";
                            return Err(unsupported(message, at_end));
                        }
                        _ => return Err(syntax("unknown inline modifier", at_end)),
                    }
                }
            }
        } else {
            self.capture(at)?
        };
        self.scan.flags = outer;
        self.depth -= 1;
        Ok(Some(node))
    }

    fn inline_flags(&mut self) {
        let mut on = true;
        while let Some(c) = self.scan.peek_plain() {
            if c == '-' && on {
                on = false;
            } else if !self.scan.flags.set(c, on) {
                return;
            }
            // The flag may change how the next character is read, so it is taken raw.
            self.scan.take_raw();
        }
    }

    fn capture(&mut self, at: usize) -> Result<Node, RegexError> {
        self.groups += 1;
        let index = self.groups;
        Ok(Node::Group(index, Box::new(self.body(at)?)))
    }

    /// The inside of a group and its closing parenthesis.
    fn body(&mut self, at: usize) -> Result<Node, RegexError> {
        let node = self.alternatives()?;
        match self.scan.eat(')') {
            true => Ok(node),
            false => Err(syntax("unclosed group", at)),
        }
    }

    fn look(&mut self, ahead: bool, negative: bool, at: usize) -> Result<Node, RegexError> {
        let node = Box::new(self.body(at)?);
        if !ahead && !node.look_behind_width().bounded {
            let message = "look-behind group does not have an obvious maximum length";
            return Err(syntax(message, at));
        }
        Ok(Node::Look {
            ahead,
            negative,
            node,
        })
    }

    fn group_name(&mut self) -> Result<String, RegexError> {
        let at = self.scan.at();
        let mut name = String::new();
        while let Some(c) = self.scan.peek_plain().filter(char::is_ascii_alphanumeric) {
            name.push(c);
            self.scan.take();
        }
        if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return Err(syntax("a group name must start with a Latin letter", at));
        }
        match self.scan.eat('>') {
            true => Ok(name),
            false => Err(syntax("group name is missing its trailing '>'", at)),
        }
    }

    fn quantified(&mut self, node: Node) -> Result<Node, RegexError> {
        let (min, max) = match self.scan.peek_plain() {
            Some('?') => (0, Some(1)),
            Some('*') => (0, None),
            Some('+') => (1, None),
            Some('{') => return self.counted(node),
            _ => return Ok(node),
        };
        self.scan.take();
        Ok(self.repeat(node, min, max))
    }

    fn counted(&mut self, node: Node) -> Result<Node, RegexError> {
        let at = self.scan.at();
        if !self.scan.raw_after(1).is_some_and(|t| t.c.is_ascii_digit()) {
            return Err(syntax("illegal repetition: '{' without a number", at));
        }
        self.scan.take();
        let min = self.number(at)?.unwrap_or(0);
        let mut max = Some(min);
        if self.scan.eat(',') {
            max = match self.scan.peek_plain() {
                Some('}') => None,
                _ => Some(self.number(at)?.unwrap_or(0)),
            };
        }
        if !self.scan.eat('}') {
            return Err(syntax("unclosed counted quantifier", at));
        }
        if max.is_some_and(|m| m < min) {
            return Err(syntax("illegal repetition range", at));
        }
        Ok(self.repeat(node, min, max))
    }

    fn number(&mut self, at: usize) -> Result<Option<u32>, RegexError> {
        let mut value: Option<u32> = None;
        while let Some(digit) = self.scan.peek().and_then(|t| t.c.to_digit(10)) {
            self.scan.take();
            value = Some(
                value
                    .unwrap_or(0)
                    .checked_mul(10)
                    .and_then(|v| v.checked_add(digit))
                    .filter(|v| *v <= MAX_REPEAT)
                    .ok_or_else(|| syntax("illegal repetition range", at))?,
            );
        }
        Ok(value)
    }

    fn repeat(&mut self, node: Node, min: u32, max: Option<u32>) -> Node {
        let kind = if self.scan.eat('?') {
            Kind::Lazy
        } else if self.scan.eat('+') {
            Kind::Possessive
        } else {
            Kind::Greedy
        };
        // A bare condition needs no loop: it holds or it does not.
        match node {
            Node::Empty => Node::Empty,
            Node::Assert(_) if min == 0 => Node::Empty,
            Node::Assert(a) => Node::Assert(a),
            node => Node::Repeat {
                node: Box::new(node),
                min,
                max: max.filter(|m| *m < MAX_REPEAT),
                kind,
            },
        }
    }

    /// Reads an escape whose backslash, at `at`, has been taken.
    pub fn escape(&mut self, at: usize, place: Place) -> Result<Escape, RegexError> {
        let in_class = place != Place::Outside;
        let Some(tok) = self.scan.take_raw() else {
            return Err(syntax("nothing follows the backslash", at));
        };
        let outside = !in_class;
        let unicode = self.flags().unicode_classes;
        let assert = |a| Ok(Escape::Node(Node::Assert(a)));
        match tok.c {
            'p' | 'P' => Ok(Escape::Items(self.property(tok.c == 'P', at)?)),
            // An older meaning survives where a class needs one character.
            'v' if place == Place::RangeEnd || (in_class && self.before_dash()) => {
                Ok(Escape::Code(11))
            }
            'd' | 'D' | 'w' | 'W' | 's' | 'S' | 'h' | 'H' | 'v' | 'V' => {
                if unicode {
                    self.charge_property()?;
                }
                Ok(Escape::Items(props::shorthand(tok.c, unicode)))
            }
            'A' if outside => assert(Assert::TextStart),
            'z' if outside => assert(Assert::TextEnd),
            'Z' if outside => assert(Assert::FinalEnd {
                unix: self.flags().unix_lines,
            }),
            'G' if outside => assert(Assert::LastMatch),
            'b' if outside && self.grapheme_boundary() => {
                Err(unsupported("\\b{g} is not supported", at))
            }
            'b' | 'B' if outside => assert(Assert::WordBoundary {
                negative: tok.c == 'B',
                unicode,
            }),
            'R' if outside => Ok(Escape::Node(Node::LineBreak)),
            'X' if outside => Err(unsupported("\\X is not supported", at)),
            'N' if self.scan.raw().is_some_and(|t| t.c == '{') => {
                Err(unsupported("\\N{name} is not supported", at))
            }
            'k' if outside => self.named_reference(at),
            '1'..='9' if outside => Ok(self.numbered_reference(tok.c)),
            't' => Ok(Escape::Code(9)),
            'n' => Ok(Escape::Code(10)),
            'r' => Ok(Escape::Code(13)),
            'f' => Ok(Escape::Code(12)),
            'a' => Ok(Escape::Code(7)),
            'e' => Ok(Escape::Code(27)),
            '0' => self.octal(at),
            'x' => self.hexadecimal(at),
            'u' => self.utf16(at),
            'c' => match self.scan.take() {
                Some(t) => Ok(Escape::Code(t.c as u32 ^ 64)),
                None => Err(syntax("illegal control escape sequence", at)),
            },
            c if c.is_ascii_alphanumeric() => {
                Err(syntax(format!("illegal escape sequence '\\{c}'"), at))
            }
            c => Ok(Escape::Code(c as u32)),
        }
    }

    fn before_dash(&self) -> bool {
        self.scan.raw().is_some_and(|t| t.c == '-' && !t.quoted)
    }

    fn grapheme_boundary(&self) -> bool {
        let next = |n| self.scan.raw_after(n).map(|t: Tok| t.c);
        next(0) == Some('{') && next(1) == Some('g') && next(2) == Some('}')
    }

    fn named_reference(&mut self, at: usize) -> Result<Escape, RegexError> {
        if !self.scan.eat('<') {
            return Err(syntax("\\k is not followed by '<'", at));
        }
        let name = self.group_name()?;
        match self.names.iter().find(|(n, _)| *n == name) {
            Some(&(_, group)) => Ok(Escape::Node(Node::Backref {
                group,
                case: self.case(),
            })),
            None => Err(syntax(format!("no group is named '{name}' so far"), at)),
        }
    }

    /// Takes as many digits as there are groups opened so far.
    fn numbered_reference(&mut self, first: char) -> Escape {
        let mut group = first.to_digit(10).unwrap_or(0);
        while let Some(digit) = self.scan.peek_plain().and_then(|c| c.to_digit(10)) {
            match group.checked_mul(10).and_then(|g| g.checked_add(digit)) {
                Some(longer) if longer <= self.groups => group = longer,
                _ => break,
            }
            self.scan.take();
        }
        Escape::Node(Node::Backref {
            group,
            case: self.case(),
        })
    }

    fn octal(&mut self, at: usize) -> Result<Escape, RegexError> {
        let mut value = None;
        for _ in 0..3 {
            let digit = self.scan.peek_plain().and_then(|c| c.to_digit(8));
            match (value, digit) {
                // A third digit must keep the value in one byte.
                (Some(v), Some(_)) if v > 0o37 => break,
                (v, Some(d)) => value = Some(v.unwrap_or(0) * 8 + d),
                (_, None) => break,
            }
            self.scan.take();
        }
        match value {
            Some(v) => Ok(Escape::Code(v)),
            None => Err(syntax("illegal octal escape sequence", at)),
        }
    }

    fn hexadecimal(&mut self, at: usize) -> Result<Escape, RegexError> {
        if self.scan.eat('{') {
            let mut value: Option<u32> = None;
            while let Some(d) = self.scan.peek().and_then(|t| t.c.to_digit(16)) {
                self.scan.take();
                let next = value.unwrap_or(0) * 16 + d;
                if next > 0x0010_FFFF {
                    return Err(syntax("hexadecimal code point is too big", at));
                }
                value = Some(next);
            }
            return match value {
                None => Err(syntax("illegal hexadecimal escape sequence", at)),
                Some(v) if self.scan.eat('}') => Ok(Escape::Code(v)),
                Some(_) => Err(syntax("unclosed hexadecimal escape sequence", at)),
            };
        }
        match self.hex_digits(2) {
            Some(value) => Ok(Escape::Code(value)),
            None => Err(syntax("illegal hexadecimal escape sequence", at)),
        }
    }

    fn hex_digits(&mut self, count: usize) -> Option<u32> {
        let mut value = 0;
        for _ in 0..count {
            value = value * 16 + self.scan.take()?.c.to_digit(16)?;
        }
        Some(value)
    }

    /// Four digits; two escapes in a row may form a surrogate pair.
    fn utf16(&mut self, at: usize) -> Result<Escape, RegexError> {
        let Some(high) = self.hex_digits(4) else {
            return Err(syntax("illegal Unicode escape sequence", at));
        };
        if !(0xD800..0xDC00).contains(&high) {
            return Ok(Escape::Code(high));
        }
        let before = self.scan.pos();
        if self.scan.eat('\\') && self.scan.eat('u') {
            match self.hex_digits(4) {
                Some(low @ 0xDC00..=0xDFFF) => {
                    let code = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
                    return Ok(Escape::Code(code));
                }
                Some(_) => {}
                None => return Err(syntax("illegal Unicode escape sequence", at)),
            }
        }
        self.scan.back_to(before);
        Ok(Escape::Code(high))
    }
}
