//! The grammar of Lua 5.1 with infix bit operators, read for the places of operators that Luau reads otherwise.

use super::Edit;
use super::tokens::{Kind, Token};
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome, Span};

/// How deep blocks and expressions may nest.
const DEEPEST: usize = 200;

/// How tight `not`, `-` and `#` bind.
const UNARY: u8 = 8;

/// How tight an operator binds to its left and to its right, and the function it becomes.
fn operator(sign: &str) -> Option<(u8, u8, Option<&'static str>)> {
    Some(match sign {
        "or" => (1, 1, None),
        "and" => (2, 2, None),
        "<" => (3, 3, Some("__lt(")),
        ">" => (3, 3, Some("__gt(")),
        "<=" => (3, 3, Some("__le(")),
        ">=" => (3, 3, Some("__ge(")),
        "==" | "~=" => (3, 3, None),
        // It groups from the right, which does not matter here, and long chains are no nests this way.
        ".." => (5, 5, None),
        "+" | "-" => (6, 6, None),
        "*" | "/" | "%" => (7, 7, None),
        "^" => (10, 9, None),
        "|" => (11, 11, Some("__bor(")),
        "~" => (12, 12, Some("__bxor(")),
        "&" => (13, 13, Some("__band(")),
        "<<" => (15, 14, Some("__shl(")),
        ">>" => (15, 14, Some("__shr(")),
        _ => return None,
    })
}

/// The changes that make calls of operators. Errors: E0101, E0102, E0302 with the place.
pub(super) fn rewrites(text: &str, tokens: &[Token]) -> Outcome<Vec<Edit>> {
    let mut parser = Parser {
        text,
        tokens,
        at: 0,
        depth: 0,
        edits: Vec::new(),
    };
    parser.block()?;
    if parser.token().kind != Kind::End {
        return Err(parser.unexpected("a statement"));
    }
    Ok(parser.edits)
}

struct Parser<'t> {
    text: &'t str,
    tokens: &'t [Token],
    at: usize,
    depth: usize,
    edits: Vec<Edit>,
}

impl<'t> Parser<'t> {
    fn token(&self) -> Token {
        let last = Token {
            kind: Kind::End,
            start: self.text.len(),
            end: self.text.len(),
        };
        self.tokens.get(self.at).copied().unwrap_or(last)
    }

    fn word_at(&self, at: usize) -> &'t str {
        let token = self.tokens.get(at);
        let token = token.filter(|t| !matches!(t.kind, Kind::Text | Kind::Long));
        token.map_or("", |t| self.text.get(t.start..t.end).unwrap_or_default())
    }

    fn word(&self) -> &'t str {
        self.word_at(self.at)
    }

    fn is(&self, word: &str) -> bool {
        self.word() == word
    }

    fn take(&mut self, word: &str) -> bool {
        let is = self.is(word);
        self.at += usize::from(is);
        is
    }

    /// Takes what must stand here; `open` is what it closes.
    fn must(&mut self, word: &str, open: Option<Token>) -> Outcome<()> {
        if self.take(word) {
            return Ok(());
        }
        let fault = self.unexpected(&format!("`{word}`"));
        Err(match open {
            Some(open) => {
                let span = Span::new(open.start, open.end);
                fault.also(span, format!("`{word}` closes what begins here"))
            }
            None => fault,
        })
    }

    fn name(&mut self) -> Outcome<()> {
        if self.token().kind != Kind::Name {
            return Err(self.unexpected("a name"));
        }
        self.at += 1;
        Ok(())
    }

    #[cold]
    fn unexpected(&self, expected: &str) -> Fault {
        let token = self.token();
        let found = match token.kind {
            Kind::End => "the end of the text".to_string(),
            _ => {
                let word = self.text.get(token.start..token.end).unwrap_or_default();
                let short: String = word.chars().take(20).collect();
                format!("`{}`", short.escape_debug())
            }
        };
        let span = Span::new(token.start, token.end);
        let fault = Diagnostic::at(
            Code::Unexpected,
            span,
            format!("{expected} was expected here, not {found}"),
        );
        match self.word() {
            "!" => fault.help("not equal is written ~="),
            "=" => fault.help("a comparison is written =="),
            _ => fault,
        }
    }

    fn deeper(&mut self) -> Outcome<()> {
        self.depth += 1;
        if self.depth > DEEPEST {
            let token = self.token();
            return Err(Diagnostic::at(
                Code::Nesting,
                Span::new(token.start, token.end),
                format!("a rule may nest {DEEPEST} levels deep"),
            ));
        }
        Ok(())
    }

    fn block(&mut self) -> Outcome<()> {
        self.deeper()?;
        while !matches!(self.word(), "end" | "else" | "elseif" | "until")
            && self.token().kind != Kind::End
        {
            if self.take("return") {
                let over = matches!(self.word(), "end" | "else" | "elseif" | "until" | ";");
                if !over && self.token().kind != Kind::End {
                    self.expressions()?;
                }
                self.take(";");
                break;
            }
            self.statement()?;
        }
        self.depth -= 1;
        Ok(())
    }

    /// A block and the `end` of what `open` began.
    fn body(&mut self, open: Token) -> Outcome<()> {
        self.block()?;
        self.must("end", Some(open))
    }

    fn statement(&mut self) -> Outcome<()> {
        let open = self.token();
        match self.word() {
            ";" | "break" => {
                self.at += 1;
                Ok(())
            }
            "if" => self.conditional(open),
            "while" => {
                self.at += 1;
                self.expression(0)?;
                self.must("do", Some(open))?;
                self.body(open)
            }
            "do" => {
                self.at += 1;
                self.body(open)
            }
            "for" => self.counting(open),
            "repeat" => {
                self.at += 1;
                self.block()?;
                self.must("until", Some(open))?;
                self.expression(0).map(drop)
            }
            "function" => {
                self.at += 1;
                self.name()?;
                while self.take(".") {
                    self.name()?;
                }
                if self.take(":") {
                    self.name()?;
                }
                self.function(open)
            }
            "local" => self.local(),
            "goto" | "::" => Err(Diagnostic::at(
                Code::Unexpected,
                Span::new(open.start, open.end),
                "`goto` and its labels are not available",
            )
            .help("write a loop with `break`, or an `if`")),
            _ => self.assignment_or_call(),
        }
    }

    fn conditional(&mut self, open: Token) -> Outcome<()> {
        loop {
            self.at += 1;
            self.expression(0)?;
            self.must("then", Some(open))?;
            self.block()?;
            if !self.is("elseif") {
                break;
            }
        }
        if self.take("else") {
            self.block()?;
        }
        self.must("end", Some(open))
    }

    fn counting(&mut self, open: Token) -> Outcome<()> {
        self.at += 1;
        self.name()?;
        if self.take("=") {
            self.expressions()?;
        } else {
            while self.take(",") {
                self.name()?;
            }
            self.must("in", Some(open))?;
            self.expressions()?;
        }
        self.must("do", Some(open))?;
        self.body(open)
    }

    fn local(&mut self) -> Outcome<()> {
        self.at += 1;
        let open = self.token();
        if self.take("function") {
            self.name()?;
            return self.function(open);
        }
        self.name()?;
        while self.take(",") {
            self.name()?;
        }
        if self.take("=") {
            self.expressions()?;
        }
        Ok(())
    }

    fn assignment_or_call(&mut self) -> Outcome<()> {
        let first = self.token();
        if !matches!(first.kind, Kind::Name) && !self.is("(") {
            return Err(self.unexpected("a statement"));
        }
        let call = self.suffixed()?;
        if self.is("=") || self.is(",") {
            while self.take(",") {
                self.suffixed()?;
            }
            self.must("=", None)?;
            return self.expressions();
        }
        if call {
            return Ok(());
        }
        Err(self.unexpected("`=` or a call"))
    }

    fn expressions(&mut self) -> Outcome<()> {
        self.expression(0)?;
        while self.take(",") {
            self.expression(0)?;
        }
        Ok(())
    }

    /// Parameters and body of a function that `open` began.
    fn function(&mut self, open: Token) -> Outcome<()> {
        self.must("(", None)?;
        if !self.take(")") {
            loop {
                if self.take("...") {
                    break;
                }
                self.name()?;
                if !self.take(",") {
                    break;
                }
            }
            self.must(")", None)?;
        }
        self.body(open)
    }

    /// An expression of operators that bind tighter than `limit`; where it begins.
    fn expression(&mut self, limit: u8) -> Outcome<usize> {
        self.deeper()?;
        let start = self.token().start;
        if matches!(self.word(), "not" | "-" | "#") {
            self.at += 1;
            self.expression(UNARY)?;
        } else if self.is("~") {
            return Err(self.unexpected("a value"));
        } else {
            self.simple()?;
        }
        while let Some((_, right, call)) = operator(self.word()).filter(|o| o.0 > limit) {
            let sign = self.token();
            self.at += 1;
            self.expression(right)?;
            if let Some(call) = call {
                self.call(call, start, sign);
            }
        }
        self.depth -= 1;
        Ok(start)
    }

    /// Makes a call of what was read since `start` with the operator at `sign`.
    fn call(&mut self, function: &'static str, start: usize, sign: Token) {
        let end = self.at.checked_sub(1).and_then(|at| self.tokens.get(at));
        let end = end.map_or(self.text.len(), |token| token.end);
        let order = i64::try_from(self.edits.len()).unwrap_or(i64::MAX);
        self.edits.extend([
            // What is found later lies further out.
            Edit {
                start,
                end: start,
                text: function.into(),
                order: i64::MAX - order,
            },
            Edit {
                start: sign.start,
                end: sign.end,
                text: ",".into(),
                order: 0,
            },
            Edit {
                start: end,
                end,
                text: ")".into(),
                order: order - i64::MAX,
            },
        ]);
    }

    fn simple(&mut self) -> Outcome<()> {
        let token = self.token();
        match token.kind {
            Kind::Number | Kind::Text | Kind::Long => self.at += 1,
            Kind::Keyword if matches!(self.word(), "nil" | "true" | "false") => self.at += 1,
            Kind::Keyword if self.is("function") => {
                self.at += 1;
                return self.function(token);
            }
            Kind::Sign if self.is("...") => self.at += 1,
            Kind::Sign if self.is("{") => return self.table(),
            _ => {
                self.suffixed()?;
            }
        }
        Ok(())
    }

    /// A name or parentheses with what follows; whether it ends in a call.
    fn suffixed(&mut self) -> Outcome<bool> {
        let open = self.token();
        if self.take("(") {
            self.expression(0)?;
            self.must(")", Some(open))?;
        } else if open.kind == Kind::Name {
            self.at += 1;
        } else {
            return Err(self.unexpected("a value"));
        }
        let mut call = false;
        loop {
            let open = self.token();
            match self.word() {
                "." => {
                    self.at += 1;
                    self.name()?;
                    call = false;
                }
                "[" => {
                    self.at += 1;
                    self.expression(0)?;
                    self.must("]", Some(open))?;
                    call = false;
                }
                ":" => {
                    self.at += 1;
                    self.name()?;
                    self.arguments()?;
                    call = true;
                }
                "(" | "{" => {
                    self.arguments()?;
                    call = true;
                }
                _ if matches!(open.kind, Kind::Text | Kind::Long) => {
                    self.at += 1;
                    call = true;
                }
                _ => return Ok(call),
            }
        }
    }

    fn arguments(&mut self) -> Outcome<()> {
        let open = self.token();
        if matches!(open.kind, Kind::Text | Kind::Long) {
            self.at += 1;
            return Ok(());
        }
        if self.is("{") {
            return self.table();
        }
        self.must("(", None)?;
        if self.take(")") {
            return Ok(());
        }
        self.expressions()?;
        self.must(")", Some(open))
    }

    fn table(&mut self) -> Outcome<()> {
        let open = self.token();
        self.must("{", None)?;
        while !self.is("}") {
            if self.take("[") {
                self.expression(0)?;
                self.must("]", None)?;
                self.must("=", None)?;
            } else if self.token().kind == Kind::Name && self.word_at(self.at + 1) == "=" {
                self.at += 2;
            }
            self.expression(0)?;
            if !self.take(",") && !self.take(";") {
                break;
            }
        }
        self.must("}", Some(open))
    }
}
