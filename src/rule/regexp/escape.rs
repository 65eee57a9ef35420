//! Characters behind a backslash, and classes in brackets.

use super::parse::{LOOK_AROUND, Parsed, Parser, problem};
use super::{Problem, class};
use regex_syntax::hir::ClassUnicode;

impl Parser<'_> {
    /// `\d`, `\pL` and their like, inside and outside of classes.
    pub(super) fn class_escape(&mut self) -> Parsed<Option<ClassUnicode>> {
        let start = self.at;
        let (Some(b'\\'), Some(letter)) = (self.byte(0), self.byte(1)) else {
            return Ok(None);
        };
        if !matches!(letter, b'p' | b'P') {
            let set = class::perl(letter, self.flags.fold);
            if set.is_some() {
                self.at += 2;
            }
            return Ok(set);
        }
        self.at += 2;
        let name = match self.peek() {
            Some('{') => match self.rest().split_once('}') {
                Some((name, _)) => {
                    self.at += name.len() + 1;
                    name.get(1..).unwrap_or_default()
                }
                None => {
                    self.at = self.text.len();
                    return Err(self.wrong(start, "this brace is never closed"));
                }
            },
            Some(c) => {
                let name = self.rest().get(..c.len_utf8()).unwrap_or_default();
                self.at += c.len_utf8();
                name
            }
            None => "",
        };
        let (name, opposite) = match name.strip_prefix('^') {
            Some(name) => (name, true),
            None => (name, false),
        };
        let set = class::unicode(name, self.flags.fold, opposite != (letter == b'P'));
        match set {
            Some(set) => Ok(Some(set)),
            None => Err(self.wrong(start, "no category or script of Unicode has this name")),
        }
    }

    /// A backslash that stands for one character.
    pub(super) fn escape(&mut self) -> Parsed<u32> {
        let start = self.at;
        self.at += 1;
        let Some(c) = self.next() else {
            return Err(self.wrong(start, "the pattern ends in a backslash"));
        };
        let octal = |byte: Option<u8>| byte.filter(|b| (b'0'..=b'7').contains(b));
        let found = match c {
            '0'..='7' if c == '0' || octal(self.byte(0)).is_some() => {
                let mut value = c.to_digit(8).unwrap_or(0);
                for _ in 1..3 {
                    let Some(digit) = octal(self.byte(0)) else {
                        break;
                    };
                    value = value * 8 + u32::from(digit - b'0');
                    self.at += 1;
                }
                Some(value)
            }
            'x' => self.hexadecimal(),
            'a' => Some(7),
            'f' => Some(0x0C),
            'n' => Some(0x0A),
            'r' => Some(0x0D),
            't' => Some(0x09),
            'v' => Some(0x0B),
            c if c.is_ascii() && !c.is_ascii_alphanumeric() => Some(u32::from(c)),
            _ => None,
        };
        let help = match c {
            '1'..='9' | 'k' => Some(LOOK_AROUND),
            'Z' => Some(r"the end of the text is \z"),
            'u' => Some(r"a character by its number is \x{…}"),
            _ => None,
        };
        found.ok_or_else(|| Problem {
            help,
            ..self.wrong(start, "unknown escape")
        })
    }

    /// What follows `\x`.
    fn hexadecimal(&mut self) -> Option<u32> {
        let first = self.next()?;
        if first != '{' {
            let second = self.next()?;
            return Some(first.to_digit(16)? * 16 + second.to_digit(16)?);
        }
        let mut value = None;
        loop {
            match self.next()? {
                '}' => return value,
                c => {
                    let next = value.unwrap_or(0) * 16 + c.to_digit(16)?;
                    if next > u32::from(char::MAX) {
                        return None;
                    }
                    value = Some(next);
                }
            }
        }
    }

    /// A class in brackets.
    pub(super) fn class(&mut self) -> Parsed<ClassUnicode> {
        let start = self.at;
        self.at += 1;
        let negated = self.byte(0) == Some(b'^');
        self.at += usize::from(negated);
        let mut set = ClassUnicode::empty();
        let mut first = true;
        while first || self.byte(0) != Some(b']') {
            first = false;
            if let Some(inner) = self.posix()? {
                set.union(&inner);
                continue;
            }
            if let Some(inner) = self.class_escape()? {
                set.union(&inner);
                continue;
            }
            let begin = self.at;
            let low = self.class_character(start)?;
            let mut high = low;
            if self.byte(0) == Some(b'-') && self.byte(1).is_some_and(|b| b != b']') {
                self.at += 1;
                high = self.class_character(start)?;
                if high < low {
                    return Err(self.wrong(begin, "a range whose end comes before its beginning"));
                }
            }
            set.union(&class::range(low, high));
        }
        self.at += 1;
        if self.flags.fold {
            class::fold(&mut set);
        }
        if negated {
            set.negate();
        }
        Ok(set)
    }

    fn class_character(&mut self, open: usize) -> Parsed<u32> {
        match self.peek() {
            None => Err(problem(open, open + 1, "this bracket is never closed")),
            Some('\\') => self.escape(),
            Some(c) => {
                self.at += c.len_utf8();
                Ok(u32::from(c))
            }
        }
    }

    /// `[:name:]` within a class.
    fn posix(&mut self) -> Parsed<Option<ClassUnicode>> {
        let start = self.at;
        let Some(inner) = self.rest().strip_prefix("[:") else {
            return Ok(None);
        };
        let Some((name, _)) = inner.split_once(":]") else {
            return Ok(None);
        };
        self.at += name.len() + 4;
        match class::posix(name, self.flags.fold) {
            Some(set) => Ok(Some(set)),
            None => Err(self.wrong(start, "no class has this name")),
        }
    }
}
