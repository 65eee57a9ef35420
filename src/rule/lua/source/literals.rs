//! Texts that a rule gives to functions which read them only when they are called, so that they can be looked at before.

use super::Escapes;
use super::tokens::{Kind, Token, tokens};
use crate::diagnostic::{Outcome, Span};
use ahash::{HashMap, HashSet};

/// What a text is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A regular expression: `text:search("…")`, `search(text, "…")`.
    Expression,
    /// The template of an alert: `template = "…"` in a table.
    Template,
    /// The mode of `contains` or `substr`.
    Mode,
    /// The operator of `compare`.
    Operator,
}

/// A text that stands in the rule itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Literal {
    /// What it is for.
    pub purpose: Purpose,
    /// The text without quotation marks and escapes.
    pub value: String,
    /// For each byte of the text, and for its end, where that stands in the rule.
    places: Vec<usize>,
}

impl Literal {
    /// Where a part of the text stands in the rule.
    pub fn place(&self, span: Span) -> Span {
        let at = |byte: usize| {
            let found = self.places.get(byte).or(self.places.last());
            found.copied().unwrap_or_default()
        };
        let start = at(span.start);
        // Behind the last byte of the part, not before what follows it.
        let end = match span.end > span.start {
            true => at(span.end - 1) + 1,
            false => start,
        };
        Span::new(start, end.max(start))
    }
}

/// What is seen of a rule without running it.
#[derive(Debug, Default)]
pub struct Seen {
    /// Texts that functions are given.
    pub literals: Vec<Literal>,
    /// Names that are called, and that nothing in the rule makes; where they are called first.
    pub called: Vec<(String, Span)>,
}

/// Looks at a rule. What is not plain to see is left out. Errors: E0101, E0104.
pub fn look(text: &str, escapes: Escapes) -> Outcome<Seen> {
    let tokens = tokens(text)?;
    let mut look = Look {
        text,
        escapes,
        inside: inside(text, &tokens),
        tokens: &tokens,
        constants: HashMap::default(),
        made: HashSet::default(),
        stores: HashSet::default(),
    };
    look.names();
    Ok(look.seen())
}

struct Look<'t> {
    text: &'t str,
    tokens: &'t [Token],
    escapes: Escapes,
    /// For each token the bracket that it stands in, or 0.
    inside: Vec<u8>,
    /// Names that are one text for good: where that begins, by its token.
    constants: HashMap<&'t str, usize>,
    /// Names that the rule gives something.
    made: HashSet<&'t str>,
    /// Names of table lists.
    stores: HashSet<&'t str>,
}

/// A text with the places of its bytes.
type Placed = (String, Vec<usize>);

impl<'t> Look<'t> {
    fn word(&self, at: usize) -> &'t str {
        let token = self.tokens.get(at);
        token.map_or("", |token| {
            self.text.get(token.start..token.end).unwrap_or_default()
        })
    }

    fn kind(&self, at: usize) -> Kind {
        self.tokens.get(at).map_or(Kind::End, |token| token.kind)
    }

    fn before(&self, at: usize) -> &'t str {
        at.checked_sub(1).map_or("", |at| self.word(at))
    }

    /// Finds what names stand for.
    fn names(&mut self) {
        let mut given: HashMap<&'t str, usize> = HashMap::default();
        let mut parameters = false;
        for at in 0..self.tokens.len() {
            let word = self.word(at);
            match self.kind(at) {
                Kind::Keyword if word == "function" => parameters = true,
                Kind::Sign if word == ")" => parameters = false,
                Kind::Name => {
                    let (before, behind) = (self.before(at), self.word(at + 1));
                    let field = matches!(before, "." | ":")
                        || (self.inside.get(at) == Some(&b'{') && behind == "=");
                    let makes = behind == "="
                        || matches!(before, "local" | "function" | "for" | ",")
                        || parameters;
                    if field || !makes {
                        continue;
                    }
                    self.made.insert(word);
                    *given.entry(word).or_default() += 1;
                    if behind != "=" || before == "," {
                        // It stands for something else as well.
                        *given.entry(word).or_default() += 1;
                        continue;
                    }
                    if self.word(at + 2) == "storage" {
                        self.stores.insert(word);
                    }
                    if matches!(self.kind(at + 2), Kind::Text | Kind::Long) {
                        self.constants.insert(word, at + 2);
                    }
                }
                _ => {}
            }
        }
        self.constants.retain(|name, _| given.get(name) == Some(&1));
    }

    fn seen(&self) -> Seen {
        let mut seen = Seen::default();
        let mut called = HashSet::default();
        for at in 0..self.tokens.len() {
            if self.kind(at) != Kind::Name {
                continue;
            }
            let (word, before, behind) = (self.word(at), self.before(at), self.word(at + 1));
            let field = matches!(before, "." | ":");
            if word == "template" && behind == "=" && self.inside.get(at) == Some(&b'{') {
                let end = self.end(at + 2);
                self.add(&mut seen, Purpose::Template, at + 2, end);
            }
            let call =
                matches!(behind, "(" | "{") || matches!(self.kind(at + 1), Kind::Text | Kind::Long);
            if !call || before == "function" {
                continue;
            }
            if !field && !self.made.contains(word) && called.insert(word) {
                let span = self
                    .tokens
                    .get(at)
                    .map(|token| Span::new(token.start, token.end));
                seen.called
                    .extend(span.map(|span| (word.to_string(), span)));
            }
            let own = !field && self.made.contains(word);
            let method = before == ":";
            let (purpose, number) = match (word, method) {
                ("search", true) => (Purpose::Expression, 0),
                ("search", false) if !own => (Purpose::Expression, 1),
                ("contains" | "substr", false) if !field && !own => (Purpose::Mode, 2),
                ("compare", false) if !field && !own => (Purpose::Operator, 1),
                _ => continue,
            };
            if behind == "{" {
                continue;
            }
            if behind != "(" {
                self.add(&mut seen, purpose, at + 1, at + 2);
                continue;
            }
            let arguments = self.arguments(at + 1);
            // Table lists have a method of this name, too.
            let store = at.checked_sub(2).map_or("", |at| self.word(at));
            if method && (arguments.len() != 1 || self.stores.contains(store)) {
                continue;
            }
            if let Some((start, end)) = arguments.get(number) {
                self.add(&mut seen, purpose, *start, *end);
            }
        }
        seen
    }

    /// The arguments behind the bracket at `open`, by their first tokens and those behind them.
    fn arguments(&self, open: usize) -> Vec<(usize, usize)> {
        let mut all = Vec::new();
        let mut start = open + 1;
        loop {
            let end = self.end(start);
            if end > start {
                all.push((start, end));
            }
            if self.word(end) != "," {
                return all;
            }
            start = end + 1;
        }
    }

    /// The token behind the expression at `start`: a comma, a semicolon or a closing bracket of what it stands in.
    fn end(&self, start: usize) -> usize {
        let mut depth = 0usize;
        for at in start..self.tokens.len() {
            match (self.kind(at), self.word(at)) {
                (Kind::End, _) => return at,
                (Kind::Sign, "(" | "{" | "[") => depth += 1,
                (Kind::Sign, ")" | "}" | "]") if depth == 0 => return at,
                (Kind::Sign, ")" | "}" | "]") => depth -= 1,
                (Kind::Sign, "," | ";") if depth == 0 => return at,
                _ => {}
            }
        }
        self.tokens.len()
    }

    fn add(&self, seen: &mut Seen, purpose: Purpose, start: usize, end: usize) {
        if let Some((value, places)) = self.value(start, end, 0) {
            seen.literals.push(Literal {
                purpose,
                value,
                places,
            });
        }
    }

    /// The text that an expression is, if it is one: texts and names of texts, joined by `..`.
    fn value(&self, start: usize, end: usize, depth: usize) -> Option<Placed> {
        let mut value = String::new();
        let mut places = Vec::new();
        let mut at = start;
        loop {
            let token = self.tokens.get(at).filter(|_| at < end)?;
            let (part, mut where_) = match token.kind {
                Kind::Text | Kind::Long => self.unquoted(*token)?,
                Kind::Name if depth == 0 => {
                    let constant = *self.constants.get(self.word(at))?;
                    self.value(constant, self.statement(constant), 1)?
                }
                _ => return None,
            };
            places.pop();
            value.push_str(&part);
            places.append(&mut where_);
            at += 1;
            if at == end {
                return Some((value, places));
            }
            if self.word(at) != ".." {
                return None;
            }
            at += 1;
        }
    }

    /// The token behind the texts at `start` that a name is given; `start` itself when more is done with them.
    fn statement(&self, start: usize) -> usize {
        let mut at = start + 1;
        while self.word(at) == ".." && matches!(self.kind(at + 1), Kind::Text | Kind::Long) {
            at += 2;
        }
        let ends = match self.kind(at) {
            Kind::Name | Kind::End => true,
            Kind::Keyword => !matches!(self.word(at), "and" | "or"),
            _ => matches!(self.word(at), ";" | "}" | ")"),
        };
        if ends { at } else { start }
    }

    /// A literal without quotation marks and escapes; none where it is no UTF-8.
    fn unquoted(&self, token: Token) -> Option<Placed> {
        let whole = self.text.get(token.start..token.end)?;
        let mut value = String::new();
        let mut places = Vec::new();
        let mut push = |c: char, at: usize| {
            places.extend(std::iter::repeat_n(at, c.len_utf8()));
            value.push(c);
        };
        if token.kind == Kind::Long {
            let level = whole.get(1..)?.bytes().take_while(|b| *b == b'=').count() + 2;
            let inner = whole.get(level..whole.len().checked_sub(level)?)?;
            let first = ["\r\n", "\n"].iter().find(|n| inner.starts_with(**n));
            let skip = first.map_or(0, |n| n.len());
            let start = token.start + level;
            for (at, c) in inner.char_indices().filter(|(at, _)| *at >= skip) {
                push(c, start + at);
            }
            places.push(token.end - level);
            return Some((value, places));
        }
        let inner = whole.get(1..whole.len().checked_sub(1)?)?;
        let start = token.start + 1;
        let mut chars = inner.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            let at = start + at;
            if c != '\\' {
                push(c, at);
                continue;
            }
            let (_, escape) = chars.next()?;
            match escape {
                'a' => push('\x07', at),
                'b' if self.escapes == Escapes::Drop => push('\x08', at),
                'f' => push('\x0c', at),
                'n' | '\n' => push('\n', at),
                'r' => push('\r', at),
                't' => push('\t', at),
                'v' => push('\x0b', at),
                '\r' => {
                    chars.next_if(|(_, c)| *c == '\n');
                    push('\n', at);
                }
                '\\' | '"' | '\'' => push(escape, at),
                digit if digit.is_ascii_digit() => {
                    let mut code = digit.to_digit(10)?;
                    for _ in 0..2 {
                        if let Some((_, more)) = chars.next_if(|(_, c)| c.is_ascii_digit()) {
                            code = code * 10 + more.to_digit(10)?;
                        }
                    }
                    push(u8::try_from(code).ok().filter(u8::is_ascii)?.into(), at);
                }
                other => {
                    if self.escapes == Escapes::Repair {
                        push('\\', at);
                    }
                    push(other, at + 1);
                }
            }
        }
        places.push(token.end - 1);
        Some((value, places))
    }
}

/// For each token the bracket that it stands in, or 0.
fn inside(text: &str, tokens: &[Token]) -> Vec<u8> {
    let mut open = Vec::new();
    let mut all = Vec::with_capacity(tokens.len());
    for token in tokens {
        let sign = match token.kind {
            Kind::Sign => text.as_bytes().get(token.start).copied().unwrap_or(0),
            _ => 0,
        };
        if matches!(sign, b')' | b'}' | b']') {
            open.pop();
        }
        all.push(open.last().copied().unwrap_or(0));
        if matches!(sign, b'(' | b'{' | b'[') {
            open.push(sign);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str, purpose: Purpose) -> Vec<String> {
        let seen = look(text, Escapes::Repair).unwrap();
        let all = seen.literals.into_iter();
        all.filter(|one| one.purpose == purpose)
            .map(|one| one.value)
            .collect()
    }

    #[test]
    fn expressions_are_seen_where_they_stand_and_by_their_names() {
        for (text, found) in [
            (r#"x:search("a\s")"#, vec![r"a\s"]),
            (r#"x:search("a\\s")"#, vec![r"a\s"]),
            ("x:search[[\n(]]", vec!["("]),
            ("search(f(a, b), '(' .. \"b\")", vec!["(b"]),
            ("string.search(x, 'a')", vec!["a"]),
            ("local re = [==[a]b]==]\nx:search(re)", vec!["a]b"]),
            ("re = 'a' .. 'b' return x:search(re)", vec!["ab"]),
            // What is not plain is left out.
            ("re = 'a' if y then re = 'b' end x:search(re)", vec![]),
            ("local re = 'a' .. y x:search(re)", vec![]),
            ("local re, other = 'a', 'b' x:search(other)", vec![]),
            ("for _, re in ipairs{'('} do x:search(re) end", vec![]),
            ("function f(re) x:search(re) end re = '('", vec![]),
            ("list = storage.new('l') list:search('(')", vec![]),
            ("list:search('column', '(')", vec![]),
            ("function search(a, b) end search(1, '(')", vec![]),
            ("x:search('\\200')", vec![]),
        ] {
            assert_eq!(of(text, Purpose::Expression), found, "{text}");
        }
        let seen = look("x:search('a\\n(b')", Escapes::Repair).unwrap();
        let place = seen.literals[0].place(Span::new(2, 3));
        assert_eq!((place.start, place.end), (13, 14));
    }

    #[test]
    fn templates_modes_and_operators_are_seen() {
        let text = "local t = '{{.A}}' alert({template = t, meta = {}})
            alert{template = '{{' .. 'x', logs = {}} template = 'no' f{template = x}";
        assert_eq!(of(text, Purpose::Template), ["{{.A}}", "{{x"]);
        let text =
            "contains({'a'}, x, 'sub') substr(a, b, 'pref') a:contains('x') compare(a, '==', 'b')";
        assert_eq!(of(text, Purpose::Mode), ["sub", "pref"]);
        assert_eq!(of(text, Purpose::Operator), ["=="]);
    }

    #[test]
    fn names_that_are_called_and_not_made_are_seen() {
        let text = "local function a(b) b() c() e.f() e:g() n{} end h = 1 h() function i.j() end
            for k, l in pairs(x) do k() l() end c() local m m()";
        let seen = look(text, Escapes::Repair).unwrap();
        let names: Vec<&str> = seen.called.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["c", "n", "pairs"]);
    }
}
