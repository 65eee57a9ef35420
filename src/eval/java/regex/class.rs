//! Character classes `[...]` and named classes `\p{...}`, rewritten for `regex-syntax`.

use super::RegexError;
use super::ast::{syntax, unsupported};
use super::parse::{Escape, Parser, Place};
use super::props;

impl Parser {
    /// Reads a class whose `[`, at `at`, has been taken; gives it with brackets.
    pub fn class(&mut self, at: usize) -> Result<String, RegexError> {
        self.enter(at)?;
        let class = self.class_body(at, true);
        self.depth -= 1;
        class
    }

    /// `whole` is false for the right side of `&&`, which leaves the `]` to its caller.
    fn class_body(&mut self, at: usize, whole: bool) -> Result<String, RegexError> {
        let mut items = String::new();
        // Java takes '^' only straight after the bracket, before white space is skipped.
        let negative = whole && self.scan.raw().is_some_and(|t| !t.quoted && t.c == '^');
        if negative {
            self.scan.take_raw();
        }
        loop {
            let Some(tok) = self.scan.peek() else {
                return Err(syntax("unclosed character class", at));
            };
            match tok.c {
                '[' if !tok.quoted => {
                    self.scan.take();
                    items.push_str(&self.class(tok.at)?);
                }
                // A bracket with nothing before it stands for itself.
                ']' if !tok.quoted && !items.is_empty() => {
                    if whole {
                        self.scan.take();
                    }
                    break;
                }
                '&' if !tok.quoted && self.at_intersection() => {
                    let right = self.right_side(at)?;
                    items = match (items.is_empty(), right) {
                        (true, None) => return Err(syntax("nothing to intersect", tok.at)),
                        (true, Some(right)) => right,
                        (false, None) => items,
                        (false, Some(right)) => format!("[{items}&&{right}]"),
                    };
                }
                _ => items.push_str(&self.class_item(at)?),
            }
        }
        let sign = if negative { "^" } else { "" };
        Ok(format!("[{sign}{items}]"))
    }

    /// Takes `&&` if it comes next.
    fn at_intersection(&mut self) -> bool {
        let before = self.scan.pos();
        self.scan.take();
        if self.scan.eat('&') {
            return true;
        }
        self.scan.back_to(before);
        false
    }

    /// The operand after `&&`, up to the next `&&` between brackets or the end.
    fn right_side(&mut self, at: usize) -> Result<Option<String>, RegexError> {
        let mut right: Option<String> = None;
        loop {
            let Some(tok) = self.scan.peek() else {
                return Err(syntax("unclosed character class", at));
            };
            match tok.c {
                ']' | '&' if !tok.quoted => return Ok(right.map(|r| format!("[{r}]"))),
                '[' if !tok.quoted => {
                    self.scan.take();
                    let class = self.class(tok.at)?;
                    right.get_or_insert_default().push_str(&class);
                }
                _ => {
                    self.enter(at)?;
                    let rest = self.class_body(at, false)?;
                    right.get_or_insert_default().push_str(&rest);
                    self.depth -= 1;
                }
            }
        }
    }

    /// One character, range or named class.
    fn class_item(&mut self, open: usize) -> Result<String, RegexError> {
        let first = match self.class_char(Place::Class, open)? {
            Escape::Code(code) => code,
            Escape::Items(items) => return Ok(items),
            Escape::Node(_) => return Err(syntax("illegal in a class", self.scan.at())),
        };
        let case = self.case();
        if self.scan.peek_plain() == Some('-') {
            let next = self.scan.raw_after(1).filter(|t| !t.quoted).map(|t| t.c);
            if next != Some('[') && next != Some(']') {
                let at = self.scan.at();
                self.scan.take();
                return match self.class_char(Place::RangeEnd, open)? {
                    Escape::Code(last) if last >= first => {
                        self.charge_range(first, last)?;
                        Ok(props::range_items(first, last, case))
                    }
                    _ => Err(syntax("illegal character range", at)),
                };
            }
        }
        Ok(props::char_items(first, case))
    }

    fn class_char(&mut self, place: Place, open: usize) -> Result<Escape, RegexError> {
        let at = self.scan.at();
        match self.scan.take() {
            Some(t) if t.c == '\\' && !t.quoted => self.escape(at, place),
            Some(t) => Ok(Escape::Code(t.c as u32)),
            None => Err(syntax("unclosed character class", open)),
        }
    }

    /// Reads what follows `\p` or `\P`, which stands at `at`.
    pub fn property(&mut self, negative: bool, at: usize) -> Result<String, RegexError> {
        self.charge_property()?;
        let mut name = String::new();
        if self.scan.eat('{') {
            loop {
                match self.scan.take_raw() {
                    Some(t) if t.c == '}' => break,
                    Some(t) => name.push(t.c),
                    None => return Err(syntax("unclosed character family", at)),
                }
            }
            if name.is_empty() {
                return Err(syntax("empty character family", at));
            }
        } else {
            match self.scan.take() {
                Some(t) => name.push(t.c),
                None => return Err(syntax("\\p without a name", at)),
            }
        }
        let flags = self.flags();
        match props::property(&name, flags.case_insensitive, flags.unicode_classes) {
            Some(items) if negative => Ok(format!("[^{items}]")),
            Some(items) => Ok(items),
            None if name == "javaMirrored" => {
                Err(unsupported("\\p{javaMirrored} is not supported", at))
            }
            None => Err(syntax(format!("unknown character property '{name}'"), at)),
        }
    }
}
