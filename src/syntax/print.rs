//! Tree to tidy text.
//!
//! A tree that the parser made is printed with exactly the parentheses that were written. A tree made in
//! another way gets parentheses where it would read differently without them. Lines break inside brackets only,
//! since a statement ends where a line ends outside of them.

use super::layout::{Piece, Style, lines};
use super::spelling;
use super::tree::{ArithOp, Expr, ExprKind, LogicOp};
use crate::diagnostic::Span;
use std::borrow::Cow;

/// The text of an expression, with numbers spelled by their values.
///
/// Parsing it gives the same tree, but for spans and for the parentheses that had to be added.
/// Two values have no spelling: a float that is no number is printed as `NaN`, which reads as a double.
pub fn print(expr: &Expr, width: usize) -> String {
    print_written(expr, "", width)
}

/// The text of an expression that was parsed from `source`: numbers keep their digits (`1.50`, `1e3`), with `L`
/// as a capital and `d`, `e`, `f` as small letters; strings with line breaks inside stay as they are.
pub fn print_written(expr: &Expr, source: &str, width: usize) -> String {
    let style = Style {
        width,
        newline: "\n",
        continued: false,
    };
    print_with_comments(expr, source, &[], style, 0).unwrap_or_default()
}

/// A comment inside an expression.
#[derive(Debug, Clone, Copy)]
pub(super) struct Comment<'a> {
    /// Where it stands.
    pub span: Span,
    /// Its text, without blanks at its end.
    pub text: &'a str,
    /// Whether nothing else stands before it in its line.
    pub alone: bool,
}

/// The text of an expression whose first line begins at `column`, with the comments inside of it;
/// `None` when one of them has no place where it could be kept.
pub(super) fn print_with_comments(
    expr: &Expr,
    source: &str,
    comments: &[Comment<'_>],
    style: Style,
    column: usize,
) -> Option<String> {
    let mut printer = Printer {
        source,
        comments,
        style,
        depth: 0,
        stack: vec![Work::Expr(expr, ANYTHING.at(Place::Inner))],
        pieces: Vec::new(),
        sound: true,
    };
    printer.run();
    let sound = printer.sound && printer.comments.is_empty();
    let printed = lines(&printer.pieces, style, column);
    (sound && printed.sound).then_some(printed.text)
}

// How tightly an expression holds together; each form may hold what is at least as tight as it says.
const LOOSE: u8 = 0;
const CHAIN: u8 = 1;
const TERM: u8 = 2;
const SUM: u8 = 3;
const OPERAND: u8 = 6;

/// Where an expression stands, which decides how far its next lines are moved to the right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Alone between brackets.
    Sole,
    /// At the start of its line, but not alone.
    Item,
    /// Behind something else.
    Inner,
}

/// What the surroundings of an expression ask of it.
#[derive(Debug, Clone, Copy)]
struct Want {
    level: u8,
    /// Whether an operator follows, which the body of a lambda would take for its own.
    followed: bool,
    place: Place,
}

const ANYTHING: Want = Want {
    level: LOOSE,
    followed: false,
    place: Place::Inner,
};

impl Want {
    fn at(self, place: Place) -> Want {
        Want { place, ..self }
    }
}

/// What stands between two commas.
#[derive(Clone, Copy)]
enum Item<'a> {
    Plain(&'a Expr),
    Entry(&'a Expr, &'a Expr),
    Clause(&'a Expr, &'a Expr),
    Default(&'a Expr),
}

impl Item<'_> {
    fn span(&self) -> Span {
        match self {
            Item::Plain(x) | Item::Default(x) => x.span,
            Item::Entry(left, right) | Item::Clause(left, right) => left.span.to(right.span),
        }
    }
}

/// What is still to be printed.
enum Work<'a> {
    Expr(&'a Expr, Want),
    Item(Item<'a>, Place),
    Text(Cow<'a, str>),
    Open(Cow<'a, str>),
    Close(&'static str),
    Begin {
        indent: usize,
        fill: bool,
    },
    End,
    /// A place to break, with the comments that were written between two bytes.
    Gap {
        between: Span,
        blank: bool,
        outward: bool,
    },
}

/// Walks the tree with a stack of its own: nesting costs no native stack.
struct Printer<'a> {
    source: &'a str,
    /// The comments that are still to be placed, in order.
    comments: &'a [Comment<'a>],
    style: Style,
    /// How many brackets are open.
    depth: usize,
    stack: Vec<Work<'a>>,
    pieces: Vec<Piece<'a>>,
    /// Whether all comments so far have found their place.
    sound: bool,
}

impl<'a> Printer<'a> {
    fn run(&mut self) {
        while let Some(work) = self.stack.pop() {
            // What one step adds is added in the order of the text and turned round for the stack.
            let mark = self.stack.len();
            match work {
                Work::Expr(expr, want) => self.expr(expr, want),
                Work::Item(item, place) => self.item(item, place),
                Work::Text(text) => self.pieces.push(Piece::Text(text)),
                Work::Open(text) => {
                    self.depth += 1;
                    self.pieces.push(Piece::Text(text));
                }
                Work::Close(text) => {
                    self.depth = self.depth.saturating_sub(1);
                    self.pieces.push(Piece::Text(text.into()));
                }
                Work::Begin { indent, fill } => self.pieces.push(Piece::Begin { indent, fill }),
                Work::End => self.pieces.push(Piece::End),
                Work::Gap {
                    between,
                    blank,
                    outward,
                } => self.gap(between, blank, outward),
            }
            if let Some(added) = self.stack.get_mut(mark..) {
                added.reverse();
            }
        }
    }

    fn text(&mut self, text: impl Into<Cow<'a, str>>) {
        self.stack.push(Work::Text(text.into()));
    }

    fn part(&mut self, expr: &'a Expr, level: u8, followed: bool, place: Place) {
        let want = Want {
            level,
            followed,
            place,
        };
        self.stack.push(Work::Expr(expr, want));
    }

    /// Whether lines may end here.
    fn may_break(&self) -> bool {
        self.depth > 0 || self.style.continued
    }

    fn gap(&mut self, between: Span, blank: bool, outward: bool) {
        let count = self
            .comments
            .iter()
            .take_while(|c| between.start <= c.span.start && c.span.start < between.end)
            .count();
        let Some((here, rest)) = self.comments.split_at_checked(count) else {
            return;
        };
        self.comments = rest;
        if !self.may_break() {
            self.sound &= here.is_empty();
            if blank {
                self.pieces.push(Piece::Text(" ".into()));
            }
            return;
        }
        let next = |outward| Piece::Break {
            blank,
            outward,
            backslash: self.depth == 0,
        };
        for (index, comment) in here.iter().enumerate() {
            if index > 0 || comment.alone {
                self.pieces.push(next(false));
            }
            self.pieces.push(Piece::Comment(comment.text));
        }
        self.pieces.push(next(outward));
    }

    fn has_comment(&self, span: Span) -> bool {
        let from = self.comments.partition_point(|c| c.span.start < span.start);
        self.comments
            .get(from)
            .is_some_and(|c| c.span.start < span.end)
    }

    fn item(&mut self, item: Item<'a>, place: Place) {
        match item {
            Item::Plain(expr) => self.stack.push(Work::Expr(expr, ANYTHING.at(place))),
            Item::Entry(key, value) => {
                self.stack.push(Work::Expr(key, ANYTHING.at(Place::Inner)));
                // A colon glued to a word is easily read as a part of it.
                self.text(if is_constant(key) { ": " } else { " : " });
                self.stack.push(Work::Expr(value, ANYTHING));
            }
            Item::Clause(check, result) => {
                self.stack.push(Work::Expr(check, ANYTHING));
                self.text(" => ");
                self.stack.push(Work::Expr(result, ANYTHING));
            }
            Item::Default(result) => {
                self.text("default => ");
                self.stack.push(Work::Expr(result, ANYTHING));
            }
        }
    }

    /// Brackets with items; `span` is from the opening to the closing bracket.
    fn bracket(
        &mut self,
        open: Cow<'a, str>,
        items: Vec<Item<'a>>,
        close: &'static str,
        span: Span,
    ) {
        let blank = open.starts_with("match");
        let gap = |start, end, blank, outward| Work::Gap {
            between: Span::new(start, end),
            blank,
            outward,
        };
        if items.is_empty() && !self.has_comment(span) {
            self.text(open);
            self.text(close);
            return;
        }
        if let [Item::Plain(only)] = items.as_slice()
            && is_bracketed(only)
            && !self.has_comment(Span::new(span.start, only.span.start))
            && !self.has_comment(Span::new(only.span.end, span.end))
        {
            self.stack.push(Work::Open(open));
            self.part(only, LOOSE, false, Place::Sole);
            self.stack.push(Work::Close(close));
            return;
        }
        let fill = close == "]"
            && items.len() > 1
            && items
                .iter()
                .all(|item| matches!(item, Item::Plain(x) if is_atom(x)))
            && !self.has_comment(span);
        let place = if items.len() == 1 {
            Place::Sole
        } else {
            Place::Item
        };
        self.stack.push(Work::Begin {
            indent: 2,
            fill: false,
        });
        self.stack.push(Work::Open(open));
        let mut from = span.start;
        for (index, item) in items.into_iter().enumerate() {
            let place_of_item = item.span();
            if index > 0 {
                self.text(",");
            }
            let outermost = index == 0;
            self.stack
                .push(gap(from, place_of_item.start, blank || !outermost, false));
            if outermost && fill {
                self.stack.push(Work::Begin {
                    indent: 0,
                    fill: true,
                });
            }
            self.stack.push(Work::Item(item, place));
            from = place_of_item.end;
        }
        if fill {
            self.stack.push(Work::End);
        }
        self.stack.push(gap(from, span.end, blank, true));
        self.stack.push(Work::Close(close));
        self.stack.push(Work::End);
    }

    /// Operands with operators between them.
    fn chain(
        &mut self,
        first: (&'a Expr, u8),
        rest: Vec<(&'static str, &'a Expr, u8)>,
        want: Want,
    ) {
        // The brackets of a last operand break by themselves and need no line of their own.
        let glued = match rest.as_slice() {
            [(_, only, level)] => {
                (is_bracketed(only) || in_parentheses(only, *level, want.followed))
                    && !self.has_comment(Span::new(first.0.span.end, only.span.start))
            }
            _ => false,
        };
        let grouped = self.may_break() && !glued;
        if grouped {
            let indent = if want.place == Place::Sole { 0 } else { 2 };
            self.stack.push(Work::Begin {
                indent,
                fill: false,
            });
        }
        let (first, level) = first;
        self.part(first, level, true, Place::Inner);
        let mut from = first.span.end;
        let last = rest.len();
        for (index, (operator, operand, level)) in rest.into_iter().enumerate() {
            if glued {
                self.text(" ");
            } else {
                self.stack.push(Work::Gap {
                    between: Span::new(from, operand.span.start),
                    blank: true,
                    outward: false,
                });
            }
            self.text(operator);
            self.text(" ");
            let followed = index + 1 < last || want.followed;
            self.part(operand, level, followed, Place::Inner);
            from = operand.span.end;
        }
        if grouped {
            self.stack.push(Work::End);
        }
    }

    fn conditional(
        &mut self,
        branches: &'a [(Expr, Expr)],
        otherwise: &'a Expr,
        words: bool,
        want: Want,
    ) {
        let grouped = self.may_break();
        let begin = |indent| Work::Begin {
            indent,
            fill: false,
        };
        let gap = |from: &Expr, to: &Expr| Work::Gap {
            between: Span::new(from.span.end, to.span.start),
            blank: true,
            outward: false,
        };
        let (first, then, next) = if words {
            ("if ", "then ", "else ")
        } else {
            ("", "? ", ": ")
        };
        if grouped {
            let aligned = words && want.place != Place::Inner;
            self.stack.push(begin(if aligned { 0 } else { 2 }));
        }
        let mut before: Option<&Expr> = None;
        for (condition, result) in branches {
            if let Some(before) = before {
                self.stack.push(gap(before, condition));
                self.text(next);
            }
            if grouped {
                self.stack.push(begin(2));
            }
            self.text(first);
            self.part(condition, CHAIN, !words, Place::Inner);
            self.stack.push(gap(condition, result));
            self.text(then);
            self.part(result, LOOSE, false, Place::Inner);
            if grouped {
                self.stack.push(Work::End);
            }
            before = Some(result);
        }
        if let Some(before) = before {
            self.stack.push(gap(before, otherwise));
        }
        self.text(next);
        // A conditional of the same kind would become one more branch of this one.
        let level = match &otherwise.kind {
            ExprKind::Conditional { words: inner, .. } if *inner == words => CHAIN,
            _ => LOOSE,
        };
        self.part(otherwise, level, want.followed, Place::Inner);
        if grouped {
            self.stack.push(Work::End);
        }
    }

    fn expr(&mut self, expr: &'a Expr, want: Want) {
        if in_parentheses(expr, want.level, want.followed) {
            return self.bracket("(".into(), vec![Item::Plain(expr)], ")", expr.span);
        }
        let plain = |items: &'a [Expr]| items.iter().map(Item::Plain).collect();
        match &expr.kind {
            ExprKind::Null => self.text("null"),
            ExprKind::Bool(true) => self.text("true"),
            ExprKind::Bool(false) => self.text("false"),
            ExprKind::Int(_) | ExprKind::Long(_) | ExprKind::Float(_) | ExprKind::Double(_) => {
                let text = spelling::number(expr, self.source);
                self.text(text);
            }
            ExprKind::Text(text) => {
                let text = spelling::string(text, expr.span, self.source);
                self.text(text);
            }
            ExprKind::Name(name) => self.text(name.as_str()),
            ExprKind::Exists(name) => self.text(format!("exists({name})")),
            ExprKind::Negate(inner) => {
                // A minus belongs to the digit behind it, and two of them are hard to read.
                let apart = match is_number(inner) {
                    true => spelling::number(inner, self.source)
                        .starts_with(|c: char| c == '-' || c.is_ascii_digit()),
                    false => matches!(inner.kind, ExprKind::Negate(_)),
                };
                self.text(if apart { "- " } else { "-" });
                self.part(inner, OPERAND, want.followed, Place::Inner);
            }
            ExprKind::Not(inner) => {
                self.bracket("not(".into(), vec![Item::Plain(inner)], ")", expr.span);
            }
            ExprKind::Group(inner) => {
                self.bracket("(".into(), vec![Item::Plain(inner)], ")", expr.span);
            }
            ExprKind::Arithmetic(first, rest) => {
                let level = level(expr) + 1;
                let rest = rest.iter().map(|(op, x)| (op.symbol(), x, level)).collect();
                self.chain((first, level), rest, want);
            }
            ExprKind::Comparison(first, rest) => {
                let rest = rest.iter().map(|(op, x)| (op.symbol(), x, SUM)).collect();
                self.chain((first, SUM), rest, want);
            }
            ExprKind::Logic(operands, operators) => {
                let word = |op: &LogicOp| match op {
                    LogicOp::And => "and",
                    LogicOp::Or => "or",
                };
                if let Some((first, rest)) = operands.split_first() {
                    let rest = operators.iter().zip(rest);
                    let rest = rest.map(|(op, x)| (word(op), x, TERM)).collect();
                    self.chain((first, TERM), rest, want);
                }
            }
            ExprKind::In {
                item,
                container,
                negated,
            } => {
                let word = if *negated { "not in" } else { "in" };
                self.chain((item, SUM), vec![(word, container, TERM)], want);
            }
            ExprKind::Conditional {
                branches,
                otherwise,
                words,
            } => self.conditional(branches, otherwise, *words, want),
            ExprKind::Match { clauses, default } => {
                let clauses = clauses.iter().map(|(check, x)| Item::Clause(check, x));
                let items = clauses.chain([Item::Default(default)]).collect();
                self.bracket("match{".into(), items, "}", expr.span);
            }
            ExprKind::Call {
                name,
                name_span,
                arguments,
            } => {
                let span = Span::new(name_span.end, expr.span.end);
                self.bracket(format!("{name}(").into(), plain(arguments), ")", span);
            }
            ExprKind::List(items) => self.bracket("[".into(), plain(items), "]", expr.span),
            ExprKind::Map(entries) => {
                let items = entries.iter().map(|(key, x)| Item::Entry(key, x));
                self.bracket("{".into(), items.collect(), "}", expr.span);
            }
            ExprKind::Lambda { parameters, body } => {
                let names: Vec<&str> = parameters.iter().map(|(name, _)| name.as_str()).collect();
                let head = match names.as_slice() {
                    [only] => format!("{only} -> "),
                    _ => format!("({}) -> ", names.join(", ")),
                };
                self.text(head);
                self.part(body, LOOSE, want.followed, Place::Inner);
            }
        }
    }
}

fn level(expr: &Expr) -> u8 {
    match &expr.kind {
        ExprKind::Conditional { .. } => LOOSE,
        ExprKind::Logic(..) => CHAIN,
        ExprKind::In { .. } | ExprKind::Comparison(..) => TERM,
        ExprKind::Arithmetic(_, rest) => match rest.first() {
            Some((ArithOp::Multiply, _)) => SUM + 2,
            Some((ArithOp::Divide, _)) => SUM + 1,
            _ => SUM,
        },
        _ => OPERAND,
    }
}

/// Whether it would read differently without parentheses; the body of a lambda takes all that follows.
fn in_parentheses(expr: &Expr, least: u8, followed: bool) -> bool {
    level(expr) < least || (followed && matches!(expr.kind, ExprKind::Lambda { .. }))
}

fn is_number(expr: &Expr) -> bool {
    matches!(
        expr.kind,
        ExprKind::Int(_) | ExprKind::Long(_) | ExprKind::Float(_) | ExprKind::Double(_)
    )
}

/// Whether a colon may stand directly behind it: a string or a number.
fn is_constant(expr: &Expr) -> bool {
    let nan = matches!(expr.kind, ExprKind::Double(x) if x.is_nan());
    matches!(expr.kind, ExprKind::Text(_)) || (is_number(expr) && !nan)
}

/// Whether many of it may share a line.
fn is_atom(expr: &Expr) -> bool {
    is_number(expr)
        || matches!(
            expr.kind,
            ExprKind::Null | ExprKind::Bool(_) | ExprKind::Text(_) | ExprKind::Name(_)
        )
}

/// Whether it ends in a bracket that can break over lines.
fn is_bracketed(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Group(_) | ExprKind::Not(_) | ExprKind::Match { .. } => true,
        ExprKind::List(items)
        | ExprKind::Call {
            arguments: items, ..
        } => !items.is_empty(),
        ExprKind::Map(entries) => !entries.is_empty(),
        _ => false,
    }
}
