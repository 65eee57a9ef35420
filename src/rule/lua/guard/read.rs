//! Reads what a function begins with, as far as it only looks at the event.

use super::{Case, Expr, Guard, Pattern, Reading, Step, run::Seen};
use crate::rule::event::Way;
use crate::rule::lua::source::{Escapes, Kind, Token, tokens};
use smol_str::SmolStr;
use std::cell::OnceCell;

/// How many parts a beginning may have, and how long a chain of methods or comparisons may be.
const PARTS: usize = 2_000;
const CHAIN: usize = 16;
/// How deep it may nest.
const DEEPEST: usize = 50;
/// How many local names it may have.
const NAMES: usize = 100;

/// How tight `and`, `not` and `#` bind.
const AND: u8 = 2;
const UNARY: u8 = 8;

/// The beginning of `on_logline` in a text that [`super::super::source::prepare`] has found good; nothing where the
/// function does something else at once. `modules` are texts that run before.
pub fn read<'t>(
    text: &'t str,
    escapes: Escapes,
    modules: impl Iterator<Item = &'t str> + Clone,
) -> Option<Guard> {
    let tokens = tokens(text).ok()?;
    let mut reader = Reader {
        text,
        tokens: &tokens,
        escapes,
        at: 0,
        event: "",
        names: Vec::new(),
        slots: 0,
        parts: 0,
        depth: 0,
        modules: String::new(),
    };
    for module in modules.clone() {
        reader.modules.push_str(module);
    }
    let head = reader.head()?;
    reader.event = reader.word(head + 2);
    reader.at = head + 4;
    let body = reader.block();
    let useless = match body.first() {
        Some(Step::Enter) => true,
        Some(Step::If(branches, _)) => branches.first().is_some_and(|(c, _)| c.begins_unknown()),
        _ => false,
    };
    if useless {
        return None;
    }
    let start = tokens.get(head.checked_sub(1)?)?.start;
    let line = 1 + text.get(..start)?.bytes().filter(|b| *b == b'\n').count();
    let slots = (0..reader.slots).map(|_| Seen::Nil).collect();
    Some(Guard {
        body,
        slots,
        line,
        tried: 0,
        passed: 0,
        rest: 0,
    })
}

pub(super) struct Reader<'t> {
    pub(super) text: &'t str,
    pub(super) tokens: &'t [Token],
    pub(super) escapes: Escapes,
    pub(super) at: usize,
    /// What the function calls its event.
    pub(super) event: &'t str,
    /// Local names with their slots, the innermost last.
    pub(super) names: Vec<(&'t str, usize)>,
    pub(super) slots: usize,
    pub(super) parts: usize,
    pub(super) depth: usize,
    /// The texts of all modules.
    pub(super) modules: String,
}

impl<'t> Reader<'t> {
    pub(super) fn word(&self, at: usize) -> &'t str {
        let token = self.tokens.get(at);
        let token = token.filter(|t| !matches!(t.kind, Kind::Text | Kind::Long));
        token.map_or("", |t| self.text.get(t.start..t.end).unwrap_or_default())
    }

    pub(super) fn kind(&self, at: usize) -> Kind {
        self.tokens.get(at).map_or(Kind::End, |token| token.kind)
    }

    pub(super) fn is(&self, word: &str) -> bool {
        self.word(self.at) == word
    }

    pub(super) fn take(&mut self, word: &str) -> bool {
        let is = self.is(word);
        self.at += usize::from(is);
        is
    }

    fn must(&mut self, word: &str) -> Option<()> {
        self.take(word).then_some(())
    }

    fn name(&mut self) -> Option<&'t str> {
        let name = (self.kind(self.at) == Kind::Name).then(|| self.word(self.at))?;
        self.at += 1;
        Some(name)
    }

    /// The statements of a block, up to the first that only the function can do; `at` is behind all of them.
    fn block(&mut self) -> Vec<Step> {
        let names = self.names.len();
        let mut steps = Vec::new();
        loop {
            while self.take(";") {}
            if matches!(self.word(self.at), "end" | "else" | "elseif") {
                break;
            }
            let (begin, depth) = (self.at, self.depth);
            match self.statement() {
                Some(Step::Return) => {
                    steps.push(Step::Return);
                    break;
                }
                Some(step) => steps.push(step),
                None => {
                    (self.at, self.depth) = (begin, depth);
                    self.skip();
                    steps.push(Step::Enter);
                    break;
                }
            }
        }
        self.names.truncate(names);
        steps
    }

    /// Goes to the end of the block.
    fn skip(&mut self) {
        let mut depth = 0;
        while self.kind(self.at) != Kind::End {
            if depth == 0 && matches!(self.word(self.at), "end" | "else" | "elseif" | "until") {
                return;
            }
            let (opens, closes) = self.nests(self.at);
            depth = (depth + opens).saturating_sub(closes);
            self.at += 1;
        }
    }

    fn statement(&mut self) -> Option<Step> {
        self.part()?;
        if self.take("return") {
            self.take(";");
            return matches!(self.word(self.at), "end" | "else" | "elseif").then_some(Step::Return);
        }
        if self.take("if") {
            return self.conditional();
        }
        let local = self.take("local");
        let name = self.name()?;
        self.must("=")?;
        let value = self.expression(0)?;
        // What goes on is no plain value.
        let over = self.kind(self.at) == Kind::Name
            || self.kind(self.at) == Kind::Keyword && !matches!(self.word(self.at), "and" | "or")
            || self.is(";");
        if !over {
            return None;
        }
        let slot = match (local, self.slot(name)) {
            (true, _) => {
                let slot = self.slots;
                self.slots += 1;
                self.names.push((name, slot));
                slot
            }
            (false, slot) => slot?,
        };
        (self.slots <= NAMES).then_some(Step::Set(slot, value))
    }

    pub(super) fn slot(&self, name: &str) -> Option<usize> {
        let known = self.names.iter().rev().find(|known| known.0 == name);
        known.map(|known| known.1)
    }

    fn conditional(&mut self) -> Option<Step> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return None;
        }
        let mut branches = Vec::new();
        let mut rest = Vec::new();
        loop {
            let condition = self.any()?;
            self.must("then")?;
            branches.push((condition, self.block()));
            if self.take("elseif") {
                continue;
            }
            if self.take("else") {
                rest = self.block();
            }
            self.must("end")?;
            self.depth -= 1;
            return Some(Step::If(branches, rest));
        }
    }

    /// A condition: conditions of which one must hold.
    fn any(&mut self) -> Option<Expr> {
        let mut parts = vec![self.all()?];
        while self.take("or") {
            parts.push(self.all()?);
        }
        Some(joined(parts, Expr::Or))
    }

    /// Conditions that must hold together.
    fn all(&mut self) -> Option<Expr> {
        let mut parts = vec![self.one()?];
        while self.take("and") {
            parts.push(self.one()?);
        }
        Some(joined(parts, Expr::And))
    }

    /// One condition, or a place where only the function knows.
    fn one(&mut self) -> Option<Expr> {
        self.part()?;
        let (begin, depth) = (self.at, self.depth);
        if depth < DEEPEST && self.take("(") {
            self.depth += 1;
            let inner = self.any();
            self.depth = depth;
            if let Some(inner) = inner.filter(|_| self.take(")") && self.is_bound()) {
                return Some(inner);
            }
            self.at = begin;
        }
        if let Some(expr) = self.expression(AND).filter(|_| self.is_bound()) {
            return Some(expr);
        }
        (self.at, self.depth) = (begin, depth);
        let mut open = 0;
        loop {
            match self.word(self.at) {
                "(" | "[" | "{" => open += 1,
                _ if open == 0 && self.is_bound() => return Some(Expr::Unknown),
                ")" | "]" | "}" => open -= 1,
                "function" if open == 0 => return None,
                _ if self.kind(self.at) == Kind::End => return None,
                _ => {}
            }
            self.at += 1;
        }
    }

    /// Whether a condition ends here.
    fn is_bound(&self) -> bool {
        matches!(self.word(self.at), "and" | "or" | "then" | ")")
    }

    /// One more part; nothing where there are too many.
    fn part(&mut self) -> Option<()> {
        self.parts += 1;
        (self.parts <= PARTS).then_some(())
    }

    fn expression(&mut self, limit: u8) -> Option<Expr> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return None;
        }
        let mut left = if self.take("not") {
            Expr::Not(Box::new(self.expression(UNARY)?))
        } else if self.take("#") {
            Expr::Length(Box::new(self.expression(UNARY)?))
        } else {
            self.suffixed()?
        };
        let mut chain = 0;
        loop {
            let sign = self.word(self.at);
            let tight = match sign {
                "or" => 1,
                "and" => 2,
                "==" | "~=" | "<" | ">" | "<=" | ">=" => 3,
                ".." | "+" | "-" | "*" | "/" | "%" | "^" | "|" | "~" | "&" | "<<" | ">>" => {
                    return None;
                }
                _ => break,
            };
            if tight <= limit {
                break;
            }
            self.part()?;
            self.at += 1;
            let right = self.expression(tight)?;
            left = match (sign, left) {
                ("or", Expr::Or(parts)) => Expr::Or(more(parts, right)),
                ("or", left) => Expr::Or(vec![left, right]),
                ("and", Expr::And(parts)) => Expr::And(more(parts, right)),
                ("and", left) => Expr::And(vec![left, right]),
                (sign, left) => {
                    chain += 1;
                    if chain > CHAIN {
                        return None;
                    }
                    let (left, right) = (Box::new(left), Box::new(right));
                    match sign {
                        "==" => Expr::Same(left, right),
                        "~=" => Expr::Other(left, right),
                        "<" => Expr::Less(left, right, false),
                        "<=" => Expr::Less(left, right, true),
                        ">" => Expr::Less(right, left, false),
                        _ => Expr::Less(right, left, true),
                    }
                }
            };
        }
        self.depth -= 1;
        Some(left)
    }

    /// A value with the methods that are called on it.
    fn suffixed(&mut self) -> Option<Expr> {
        self.part()?;
        let mut value = self.simple()?;
        for _ in 0..CHAIN {
            if !self.take(":") {
                // Fields, calls and texts as arguments are not for here.
                let over = !matches!(self.word(self.at), "." | "[" | "(" | "{");
                let over = over && !matches!(self.kind(self.at), Kind::Text | Kind::Long);
                return over.then_some(value);
            }
            let method = self.name()?;
            self.must("(")?;
            value = self.method(method, value)?;
            self.must(")")?;
        }
        None
    }

    fn method(&mut self, method: &str, value: Expr) -> Option<Expr> {
        let inner = Box::new(value);
        Some(match method {
            "lower" => Expr::Case(Case::Lower, inner),
            "upper" => Expr::Case(Case::Upper, inner),
            "len" => Expr::Length(inner),
            "search" => Expr::Search(inner, pattern(self.constant()?), false),
            "contains" => Expr::Contains(inner, self.constant()?),
            "find" => {
                let part = self.constant()?;
                let mut plain = !part.bytes().any(|b| b"^$*+?.([%-".contains(&b));
                if self.take(",") {
                    let first = self.word(self.at) == "1";
                    self.at += 1;
                    let truly = self.take(",").then(|| self.take("true"));
                    if !first || truly == Some(false) {
                        return None;
                    }
                    plain |= truly == Some(true);
                }
                if !plain {
                    return None;
                }
                Expr::Find(inner, part)
            }
            _ => return None,
        })
    }

    fn simple(&mut self) -> Option<Expr> {
        if let Some(text) = self.literal() {
            return Some(Expr::Text(text));
        }
        let (kind, word) = (self.kind(self.at), self.word(self.at));
        let expr = match (kind, word) {
            (Kind::Keyword, "nil") => Expr::Nil,
            (Kind::Keyword, "true") => Expr::Bool(true),
            (Kind::Keyword, "false") => Expr::Bool(false),
            (Kind::Number, number) => {
                let plain = number.bytes().all(|b| b.is_ascii_digit() || b == b'.');
                Expr::Number(number.parse().ok().filter(|_| plain)?)
            }
            (Kind::Sign, "(") => {
                self.at += 1;
                let inner = self.expression(0)?;
                self.is(")").then_some(inner)?
            }
            (Kind::Name, name) => return self.named(name),
            _ => return None,
        };
        self.at += 1;
        Some(expr)
    }

    fn named(&mut self, name: &'t str) -> Option<Expr> {
        if let Some(slot) = self.slot(name) {
            self.at += 1;
            return Some(Expr::Slot(slot));
        }
        if name == self.event {
            return self.field();
        }
        if self.word(self.at + 1) != "(" {
            return self.constant().map(Expr::Text);
        }
        if !self.is_built_in(name) {
            return None;
        }
        self.at += 2;
        let expr = match name {
            "search" => {
                let text = Box::new(self.expression(0)?);
                self.must(",")?;
                Expr::Search(text, pattern(self.constant()?), true)
            }
            "tostring" => Expr::ToString(Box::new(self.expression(0)?)),
            "get_field_value" if self.is(self.event) && self.slot(self.event).is_none() => {
                self.at += 1;
                self.must(",")?;
                self.reading(Reading::Raw)?
            }
            _ => return None,
        };
        self.must(")")?;
        Some(expr)
    }

    /// `e:get(path, default)`.
    fn field(&mut self) -> Option<Expr> {
        self.at += 1;
        self.must(":")?;
        let reading = match self.name()? {
            "get" => Reading::Raw,
            "gets" => Reading::Text,
            _ => return None,
        };
        self.must("(")?;
        let expr = self.reading(reading)?;
        self.must(")")?;
        Some(expr)
    }

    fn reading(&mut self, reading: Reading) -> Option<Expr> {
        let way = Way::new(&self.constant()?);
        let default = match self.take(",") {
            true => Some(Box::new(self.expression(0)?)),
            false => None,
        };
        Some(Expr::Get(reading, way, default))
    }
}

impl Expr {
    fn begins_unknown(&self) -> bool {
        match self {
            Expr::Unknown => true,
            Expr::And(parts) | Expr::Or(parts) => parts.first().is_some_and(Expr::begins_unknown),
            _ => false,
        }
    }
}

fn joined(mut parts: Vec<Expr>, join: fn(Vec<Expr>) -> Expr) -> Expr {
    match (parts.pop(), parts.is_empty()) {
        (Some(only), true) => only,
        (last, _) => {
            parts.extend(last);
            join(parts)
        }
    }
}

fn more(mut parts: Vec<Expr>, last: Expr) -> Vec<Expr> {
    parts.push(last);
    parts
}

fn pattern(text: SmolStr) -> Pattern {
    Pattern {
        text,
        compiled: OnceCell::new(),
    }
}
