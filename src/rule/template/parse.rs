//! Tokens to a tree.

use super::functions::{self, Function};
use super::lex::{Kind, Token};
use super::tree::{Command, Control, Node, Pipe, Term, TermKind};
use super::{MAX_NESTING, Problem, STACK_LEFT, STACK_MORE, constant};
use crate::diagnostic::{Code, Span, nearest};
use smol_str::SmolStr;

type Parsed<T> = Result<T, Problem>;

/// The main template and those with names.
type Templates = (Vec<Node>, Vec<(String, Vec<Node>)>);

/// What ended a list of pieces.
enum Ending {
    End,
    /// `else`, with the word behind it, `if` or `with`, if there is one.
    Else(Option<Which>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Which {
    If,
    With,
    Range,
}

struct Parser<'t> {
    tokens: &'t [Token<'t>],
    at: usize,
    variables: Vec<SmolStr>,
    loops: usize,
    depth: usize,
    defined: Vec<(String, Vec<Node>)>,
}

/// Reads all tokens of a template.
pub(super) fn parse(tokens: &[Token<'_>]) -> Parsed<Templates> {
    let mut parser = Parser {
        tokens,
        at: 0,
        variables: vec![SmolStr::new_static("$")],
        loops: 0,
        depth: 0,
        defined: Vec::new(),
    };
    let mut root = Vec::new();
    loop {
        let token = parser.peek();
        match token.kind {
            Kind::End => break,
            Kind::Open => {
                parser.at += 1;
                let word = parser.skip_space();
                if word.kind == Kind::Keyword && word.text == "define" {
                    parser.at += 1;
                    parser.definition()?;
                    continue;
                }
                if let Some(node) = parser.outermost(token.span)? {
                    root.push(node);
                }
            }
            _ => {
                parser.at += 1;
                root.push(Node::Text(token.text.to_string()));
            }
        }
    }
    Ok((root, parser.defined))
}

impl<'t> Parser<'t> {
    fn peek(&self) -> Token<'t> {
        let last = self.tokens.last();
        let token = self.tokens.get(self.at).or(last);
        token.cloned().unwrap_or(Token {
            kind: Kind::End,
            text: "",
            span: Span::default(),
        })
    }

    fn next(&mut self) -> Token<'t> {
        let token = self.peek();
        self.at += 1;
        token
    }

    /// The token after blanks, which stays the next one.
    fn skip_space(&mut self) -> Token<'t> {
        while self.peek().kind == Kind::Space {
            self.at += 1;
        }
        self.peek()
    }

    fn after_space(&mut self) -> Token<'t> {
        self.skip_space();
        self.next()
    }

    fn unexpected(&self, token: &Token<'_>, place: &str) -> Problem {
        let what = match token.kind {
            Kind::End => format!("the template ends within {place}"),
            Kind::Close => format!("the action ends within {place}"),
            _ => format!("{:?} cannot stand in {place}", token.text),
        };
        Problem::new(token.span, what)
    }

    fn close(&mut self, place: &str) -> Parsed<()> {
        let token = self.after_space();
        match token.kind {
            Kind::Close => Ok(()),
            _ => Err(self.unexpected(&token, place)),
        }
    }

    /// An action outside of all others.
    fn outermost(&mut self, open: Span) -> Parsed<Option<Node>> {
        match self.action(open)? {
            Ok(node) => Ok(Some(node)),
            Err((_, span)) => Err(Problem::new(
                span,
                "nothing is open that this could belong to",
            )),
        }
    }

    fn definition(&mut self) -> Parsed<()> {
        let token = self.after_space();
        let name = self.template_name(&token, "define")?;
        self.close("define")?;
        self.apart(name, token.span)
    }

    /// The pieces of a template of its own, up to their end.
    fn apart(&mut self, name: String, span: Span) -> Parsed<()> {
        let variables = std::mem::replace(&mut self.variables, vec![SmolStr::new_static("$")]);
        let loops = std::mem::take(&mut self.loops);
        let (nodes, ending) = self.list(span)?;
        if let Ending::Else(_) = ending {
            return Err(Problem::new(span, "a template with a name has no else"));
        }
        (self.variables, self.loops) = (variables, loops);
        match self.defined.iter_mut().find(|(known, _)| *known == name) {
            Some((_, old)) if is_empty(old) => *old = nodes,
            Some(_) if is_empty(&nodes) => {}
            Some(_) => {
                let what = format!("the template {name:?} is defined twice");
                return Err(Problem::new(span, what));
            }
            None => self.defined.push((name, nodes)),
        }
        Ok(())
    }

    fn template_name(&mut self, token: &Token<'_>, place: &str) -> Parsed<String> {
        match token.kind {
            Kind::Quoted => match constant::text(token.text) {
                Some(name) => Ok(name.to_string()),
                None => Err(Problem::new(token.span, "malformed text")),
            },
            _ => Err(self.unexpected(token, place)),
        }
    }

    /// Pieces up to an end or an else.
    fn list(&mut self, open: Span) -> Parsed<(Vec<Node>, Ending)> {
        let mut nodes = Vec::new();
        loop {
            let token = self.after_space();
            match token.kind {
                Kind::End => return Err(Problem::new(open, "this is never closed by {{ end }}")),
                Kind::Open => {
                    match stacker::maybe_grow(STACK_LEFT, STACK_MORE, || self.action(token.span))? {
                        Ok(node) => nodes.push(node),
                        Err((ending, _)) => return Ok((nodes, ending)),
                    }
                }
                _ => nodes.push(Node::Text(token.text.to_string())),
            }
        }
    }

    /// What stands behind two braces: a piece, or what ends pieces.
    fn action(&mut self, open: Span) -> Parsed<Result<Node, (Ending, Span)>> {
        let token = self.skip_space();
        if token.kind != Kind::Keyword || token.text == "nil" {
            let pipe = self.pipeline("an action", Kind::Close, false)?;
            return Ok(Ok(Node::Action(pipe)));
        }
        self.at += 1;
        let span = open.to(token.span);
        if self.depth >= MAX_NESTING {
            let what = format!("actions stand in one another more than {MAX_NESTING} deep");
            return Err(Problem::limit(Code::Nesting, span, what));
        }
        self.depth += 1;
        let node = match token.text {
            "if" => Node::If(self.control(Which::If, span)?),
            "with" => Node::With(self.control(Which::With, span)?),
            "range" => Node::Range(self.control(Which::Range, span)?),
            "break" | "continue" => {
                self.close(token.text)?;
                if self.loops == 0 {
                    let what = format!("{} stands outside of any range", token.text);
                    return Err(Problem::new(span, what));
                }
                match token.text {
                    "break" => Node::Break,
                    _ => Node::Continue,
                }
            }
            "template" => {
                let name = self.after_space();
                let called = self.template_name(&name, "template")?;
                let pipe = match self.skip_space().kind {
                    Kind::Close => {
                        self.at += 1;
                        None
                    }
                    _ => Some(self.pipeline("template", Kind::Close, false)?),
                };
                Node::Call(called, pipe, span.to(name.span))
            }
            "block" => {
                let name = self.after_space();
                let called = self.template_name(&name, "block")?;
                let pipe = self.pipeline("block", Kind::Close, false)?;
                let span = span.to(name.span);
                self.apart(called.clone(), span)?;
                Node::Call(called, Some(pipe), span)
            }
            "end" => {
                self.close("end")?;
                self.depth -= 1;
                return Ok(Err((Ending::End, span)));
            }
            "else" => {
                let next = self.skip_space();
                let which = match (next.kind, next.text) {
                    (Kind::Keyword, "if") => Some(Which::If),
                    (Kind::Keyword, "with") => Some(Which::With),
                    _ => {
                        self.close("else")?;
                        None
                    }
                };
                self.depth -= 1;
                return Ok(Err((Ending::Else(which), span)));
            }
            _ => return Err(self.unexpected(&token, "an action")),
        };
        self.depth -= 1;
        Ok(Ok(node))
    }

    fn control(&mut self, which: Which, span: Span) -> Parsed<Control> {
        let known = self.variables.len();
        let place = match which {
            Which::If => "if",
            Which::With => "with",
            Which::Range => "range",
        };
        let pipe = self.pipeline(place, Kind::Close, which == Which::Range)?;
        self.loops += usize::from(which == Which::Range);
        let (body, ending) = self.list(span)?;
        self.loops -= usize::from(which == Which::Range);
        let otherwise = match ending {
            Ending::End => None,
            // The end of the inner one is the end of this one as well.
            Ending::Else(Some(inner)) if inner == which => {
                let token = self.next();
                if self.depth >= MAX_NESTING {
                    let what = format!("actions stand in one another more than {MAX_NESTING} deep");
                    return Err(Problem::limit(Code::Nesting, token.span, what));
                }
                self.depth += 1;
                let inner = stacker::maybe_grow(STACK_LEFT, STACK_MORE, || {
                    self.control(inner, token.span)
                })?;
                self.depth -= 1;
                Some(vec![match which {
                    Which::With => Node::With(inner),
                    _ => Node::If(inner),
                }])
            }
            Ending::Else(Some(_)) => {
                let token = self.peek();
                return Err(self.unexpected(&token, &format!("the else of {place}")));
            }
            Ending::Else(None) => {
                let (nodes, ending) = self.list(span)?;
                if let Ending::Else(_) = ending {
                    return Err(Problem::new(span, "this has a second else"));
                }
                Some(nodes)
            }
        };
        self.variables.truncate(known);
        Ok(Control {
            pipe,
            body,
            otherwise,
        })
    }

    fn pipeline(&mut self, place: &str, end: Kind, range: bool) -> Parsed<Pipe> {
        let first = self.skip_space();
        let mut pipe = Pipe {
            span: first.span,
            variables: Vec::new(),
            assigns: false,
            commands: Vec::new(),
        };
        self.declarations(&mut pipe, place, range)?;
        let mut end_of_last = first.span;
        loop {
            let token = self.skip_space();
            match token.kind {
                kind if kind == end => {
                    self.at += 1;
                    break;
                }
                Kind::Bool
                | Kind::Character
                | Kind::Dot
                | Kind::Field
                | Kind::Word
                | Kind::Number
                | Kind::Quoted
                | Kind::Variable
                | Kind::OpenParen => {
                    pipe.commands.push(self.command()?);
                    end_of_last = self
                        .tokens
                        .get(self.at.saturating_sub(1))
                        .map_or(token.span, |token| token.span);
                }
                Kind::Keyword if token.text == "nil" => pipe.commands.push(self.command()?),
                _ => return Err(self.unexpected(&token, place)),
            }
        }
        pipe.span = first.span.to(end_of_last);
        if pipe.commands.is_empty() {
            return Err(Problem::new(first.span, format!("{place} lacks a value")));
        }
        for command in pipe.commands.iter().skip(1) {
            if matches!(
                command.word.kind,
                TermKind::Bool(_)
                    | TermKind::Dot
                    | TermKind::Nil
                    | TermKind::Int(_)
                    | TermKind::Float(_)
                    | TermKind::Text(_)
            ) {
                let what = "only a function can stand behind |";
                return Err(Problem::new(command.word.span, what));
            }
        }
        Ok(pipe)
    }

    /// `$x :=`, `$x =`, and for a range `$i, $x :=`.
    fn declarations(&mut self, pipe: &mut Pipe, place: &str, range: bool) -> Parsed<()> {
        loop {
            let variable = self.skip_space();
            if variable.kind != Kind::Variable {
                return Ok(());
            }
            let back = self.at;
            self.at += 1;
            let next = self.skip_space();
            let name = SmolStr::new(variable.text);
            match next.kind {
                Kind::Assign | Kind::Declare => {
                    self.at += 1;
                    pipe.assigns = next.kind == Kind::Assign;
                    if pipe.assigns {
                        self.known(&variable)?;
                    }
                    pipe.variables.push(name.clone());
                    self.variables.push(name);
                    return Ok(());
                }
                Kind::Comma => {
                    self.at += 1;
                    pipe.variables.push(name.clone());
                    self.variables.push(name);
                    if !range || pipe.variables.len() > 1 {
                        let what = format!("{place} sets too many variables");
                        return Err(Problem::new(next.span, what));
                    }
                    if self.skip_space().kind != Kind::Variable {
                        let what = "range sets variables only";
                        return Err(Problem::new(self.peek().span, what));
                    }
                }
                _ => {
                    self.at = back;
                    return Ok(());
                }
            }
        }
    }

    fn known(&self, token: &Token<'_>) -> Parsed<()> {
        if self.variables.iter().any(|known| known == token.text) {
            return Ok(());
        }
        let what = format!("the variable {} is not set anywhere before", token.text);
        Err(Problem::new(token.span, what))
    }

    fn command(&mut self) -> Parsed<Command> {
        let begin = self.skip_space().span;
        let mut terms = Vec::new();
        loop {
            self.skip_space();
            if let Some(term) = self.operand()? {
                terms.push(term);
            }
            let token = self.next();
            match token.kind {
                Kind::Space => continue,
                Kind::Close | Kind::CloseParen => self.at -= 1,
                Kind::Pipe => {}
                _ => return Err(self.unexpected(&token, "a command")),
            }
            break;
        }
        let mut terms = terms.into_iter();
        match terms.next() {
            Some(word) => Ok(Command {
                word,
                arguments: terms.collect(),
            }),
            None => Err(Problem::new(begin, "a command is missing")),
        }
    }

    /// A term and the path behind it.
    fn operand(&mut self) -> Parsed<Option<Term>> {
        let Some(term) = self.term()? else {
            return Ok(None);
        };
        let mut path = Vec::new();
        let mut span = term.span;
        while self.peek().kind == Kind::Field {
            let field = self.next();
            span = span.to(field.span);
            path.push(SmolStr::new(field.text.trim_start_matches('.')));
        }
        if path.is_empty() {
            return Ok(Some(term));
        }
        let kind = match term.kind {
            TermKind::Field(mut fields) => {
                fields.append(&mut path);
                TermKind::Field(fields)
            }
            TermKind::Variable(name, mut fields) => {
                fields.append(&mut path);
                TermKind::Variable(name, fields)
            }
            TermKind::Function(_) | TermKind::Pipe(_) | TermKind::Chain(..) => {
                TermKind::Chain(Box::new(term), path)
            }
            _ => return Err(Problem::new(span, "this has no fields")),
        };
        Ok(Some(Term { span, kind }))
    }

    fn term(&mut self) -> Parsed<Option<Term>> {
        let token = self.skip_space();
        self.at += 1;
        let kind = match token.kind {
            Kind::Word => TermKind::Function(self.function(&token)?),
            Kind::Dot => TermKind::Dot,
            Kind::Keyword if token.text == "nil" => TermKind::Nil,
            Kind::Bool => TermKind::Bool(token.text == "true"),
            Kind::Field => TermKind::Field(vec![SmolStr::new(token.text.trim_start_matches('.'))]),
            Kind::Variable => {
                self.known(&token)?;
                TermKind::Variable(SmolStr::new(token.text), Vec::new())
            }
            Kind::Number => constant::number(token.text)
                .ok_or_else(|| Problem::new(token.span, "malformed or too large a number"))?,
            Kind::Character => constant::letter(token.text)
                .map(TermKind::Int)
                .ok_or_else(|| Problem::new(token.span, "malformed character"))?,
            Kind::Quoted => constant::text(token.text)
                .map(TermKind::Text)
                .ok_or_else(|| Problem::new(token.span, "malformed text: unknown escape"))?,
            Kind::OpenParen => {
                if self.depth >= MAX_NESTING {
                    let what = format!("more than {MAX_NESTING} parentheses in one another");
                    return Err(Problem::limit(Code::Nesting, token.span, what));
                }
                self.depth += 1;
                let pipe = stacker::maybe_grow(STACK_LEFT, STACK_MORE, || {
                    self.pipeline("parentheses", Kind::CloseParen, false)
                })?;
                self.depth -= 1;
                TermKind::Pipe(Box::new(pipe))
            }
            _ => {
                self.at -= 1;
                return Ok(None);
            }
        };
        let end = self.tokens.get(self.at.saturating_sub(1));
        let span = token.span.to(end.map_or(token.span, |end| end.span));
        Ok(Some(Term { span, kind }))
    }

    fn function(&self, token: &Token<'_>) -> Parsed<Function> {
        functions::find(token.text).ok_or_else(|| {
            let near = nearest(token.text, functions::names());
            let hint = near.map(|name| format!("; did you mean {name}?"));
            let what = format!(
                "there is no function {}{}",
                token.text,
                hint.unwrap_or_default()
            );
            Problem::new(token.span, what)
                .help("fields are written with a dot before them: .First.user, .Meta.name")
        })
    }
}

/// Whether there is nothing but blanks.
fn is_empty(nodes: &[Node]) -> bool {
    nodes.iter().all(|node| match node {
        Node::Text(text) => text.trim().is_empty(),
        _ => false,
    })
}
