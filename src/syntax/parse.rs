//! Text to tree. The only place, with `complain`, that knows pest.

use super::scan;
use super::tree::{ArithOp, CompareOp, Expr, ExprKind, LogicOp};
use crate::diagnostic::{Code, Diagnostic, Outcome, Source, Span};
use pest::Parser as _;
use pest::iterators::{Pair, Pairs};
use pest::pratt_parser::{Assoc, Op, PrattParser};
use smol_str::SmolStr;
use std::sync::{Arc, LazyLock};

/// The parser made from the grammar.
#[derive(pest_derive::Parser)]
#[grammar = "grammar/stellar.pest"]
pub(super) struct Grammar;

/// Precedence from loose to tight. `*` binds tighter than `/`, as in Metron.
static PRECEDENCE: LazyLock<PrattParser<Rule>> = LazyLock::new(|| {
    PrattParser::new()
        .op(Op::infix(Rule::in_word, Assoc::Right) | Op::infix(Rule::not_in, Assoc::Right))
        .op(Op::infix(Rule::equal, Assoc::Left)
            | Op::infix(Rule::unequal, Assoc::Left)
            | Op::infix(Rule::less, Assoc::Left)
            | Op::infix(Rule::at_most, Assoc::Left)
            | Op::infix(Rule::greater, Assoc::Left)
            | Op::infix(Rule::at_least, Assoc::Left))
        .op(Op::infix(Rule::plus, Assoc::Left) | Op::infix(Rule::dash, Assoc::Left))
        .op(Op::infix(Rule::over, Assoc::Left))
        .op(Op::infix(Rule::times, Assoc::Left))
});

/// Bounds of a text to parse.
#[derive(Debug, Clone, Copy)]
pub struct ParseLimits {
    /// Bytes of the text.
    pub length: usize,
    /// Levels of nesting.
    pub depth: usize,
}

impl Default for ParseLimits {
    fn default() -> Self {
        ParseLimits {
            length: 64 << 10,
            depth: 256,
        }
    }
}

/// Parses one expression; `None` when the text holds nothing but blanks, which mean null.
///
/// Errors: everything of the codes E01xx, and E0301, E0302 for texts beyond the limits. They carry `source`.
pub fn parse(source: &Arc<Source>, limits: ParseLimits) -> Outcome<Option<Expr>> {
    super::with_stack(|| parse_text(&source.text, limits)).map_err(|fault| fault.in_source(source))
}

fn parse_text(text: &str, limits: ParseLimits) -> Outcome<Option<Expr>> {
    if text.len() > limits.length {
        let message = format!(
            "the expression has {} bytes; at most {} are allowed",
            text.len(),
            limits.length
        );
        return Err(Diagnostic::new(Code::ExpressionLength, message));
    }
    if text.trim().is_empty() {
        return Ok(None);
    }
    let prepared = scan::check(text, limits.depth)?;
    let mut pairs = Grammar::parse(Rule::program, &prepared)
        .map_err(|error| super::complain::explain(text, &error, limits.depth))?;
    let mut builder = Builder {
        limit: limits.depth,
        depth: 0,
    };
    match pairs.next() {
        Some(pair) => builder.expression(pair).map(Some),
        None => Ok(None),
    }
}

struct Builder {
    limit: usize,
    depth: usize,
}

fn span(pair: &Pair<'_, Rule>) -> Span {
    let span = pair.as_span();
    Span::new(span.start(), span.end())
}

/// A state that the grammar makes impossible.
fn impossible<T>(what: &str) -> Outcome<T> {
    Err(Diagnostic::new(
        Code::Internal,
        format!("the parser met {what} where it cannot be"),
    ))
}

impl Builder {
    /// Runs `build` one level deeper.
    fn deeper<T>(
        &mut self,
        place: Span,
        build: impl FnOnce(&mut Self) -> Outcome<T>,
    ) -> Outcome<T> {
        if self.depth >= self.limit {
            return Err(scan::too_deep(place, self.limit));
        }
        self.depth += 1;
        let built = build(self);
        self.depth -= 1;
        built
    }

    fn expression(&mut self, pair: Pair<'_, Rule>) -> Outcome<Expr> {
        let place = span(&pair);
        let mut parts = pair
            .into_inner()
            .filter(|p| !matches!(p.as_rule(), Rule::question | Rule::colon));
        let Some(first) = parts.next() else {
            return impossible("an empty expression");
        };
        if first.as_rule() == Rule::conditional {
            return self.conditional(first);
        }
        let mut condition = self.chain(first)?;
        let mut branches = Vec::new();
        while let (Some(then), Some(otherwise)) = (parts.next(), parts.next()) {
            let then = self.deeper(span(&then), |b| b.expression(then))?;
            let next = match otherwise.as_rule() {
                Rule::conditional => self.deeper(span(&otherwise), |b| b.conditional(otherwise))?,
                _ => self.chain(otherwise)?,
            };
            branches.push((condition, then));
            condition = next;
        }
        if branches.is_empty() {
            return Ok(condition);
        }
        let place = Span::new(place.start, condition.span.end);
        let kind = ExprKind::Conditional {
            branches,
            otherwise: Box::new(condition),
            words: false,
        };
        Ok(Expr { kind, span: place })
    }

    fn conditional(&mut self, pair: Pair<'_, Rule>) -> Outcome<Expr> {
        let place = span(&pair);
        let mut branches = Vec::new();
        let mut waiting = None;
        let mut last = None;
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::chain => waiting = Some(self.deeper(span(&part), |b| b.chain(part))?),
                Rule::expression => {
                    let result = self.deeper(span(&part), |b| b.expression(part))?;
                    match waiting.take() {
                        Some(condition) => branches.push((condition, result)),
                        None => last = Some(result),
                    }
                }
                _ => {}
            }
        }
        let Some(otherwise) = last else {
            return impossible("a conditional without else");
        };
        let place = Span::new(place.start, otherwise.span.end);
        let kind = ExprKind::Conditional {
            branches,
            otherwise: Box::new(otherwise),
            words: true,
        };
        Ok(Expr { kind, span: place })
    }

    /// A flat run of operands and operators: first cut at `and` and `or`, then by precedence.
    fn chain(&mut self, pair: Pair<'_, Rule>) -> Outcome<Expr> {
        let mut operands = Vec::new();
        let mut operators = Vec::new();
        let mut term: Vec<Pair<'_, Rule>> = Vec::new();
        for part in pair.into_inner() {
            let operator = match part.as_rule() {
                Rule::and_word => LogicOp::And,
                Rule::or_word => LogicOp::Or,
                _ => {
                    term.push(part);
                    continue;
                }
            };
            operands.push(self.term(std::mem::take(&mut term))?);
            operators.push(operator);
        }
        let last = self.term(term)?;
        let Some(first) = operands.first() else {
            return Ok(last);
        };
        let place = first.span.to(last.span);
        operands.push(last);
        Ok(Expr {
            kind: ExprKind::Logic(operands, operators),
            span: place,
        })
    }

    /// What stands between `and` and `or`: perhaps `not`, then operands with tighter operators.
    fn term(&mut self, mut parts: Vec<Pair<'_, Rule>>) -> Outcome<Expr> {
        let nots = parts
            .iter()
            .take_while(|p| p.as_rule() == Rule::not_prefix)
            .count();
        let rest = parts.split_off(nots);
        if let Some(extra) = rest.iter().find(|p| p.as_rule() == Rule::not_prefix) {
            return Err(Diagnostic::at(
                Code::OperandHere,
                span(extra),
                "not needs parentheses here",
            )
            .help("write (not(…)) around what it negates"));
        }
        if let Some(extra) = parts.get(self.limit.saturating_sub(self.depth)) {
            return Err(scan::too_deep(span(extra), self.limit));
        }
        self.depth += nots;
        let built = self.operators(rest);
        self.depth -= nots;
        let mut expr = built?;
        for not in parts.iter().rev() {
            let place = span(not).to(expr.span);
            expr = Expr {
                kind: ExprKind::Not(Box::new(expr)),
                span: place,
            };
        }
        Ok(expr)
    }

    fn operators(&mut self, parts: Vec<Pair<'_, Rule>>) -> Outcome<Expr> {
        let mut ins = parts
            .iter()
            .filter(|p| matches!(p.as_rule(), Rule::in_word | Rule::not_in));
        // `in` groups to the right, so a chain of them is as deep as it is long.
        if let Some(extra) = ins.nth(self.limit.saturating_sub(self.depth)) {
            return Err(scan::too_deep(span(extra), self.limit));
        }
        PRECEDENCE
            .map_primary(|pair| self.operand(pair))
            .map_infix(|left, operator, right| join(left?, &operator, right?))
            .parse(parts.into_iter())
    }

    fn operand(&mut self, pair: Pair<'_, Rule>) -> Outcome<Expr> {
        let mut parts: Vec<_> = pair.into_inner().collect();
        let Some(primary) = parts.pop() else {
            return impossible("an operand of nothing");
        };
        if let Some(extra) = parts.get(self.limit.saturating_sub(self.depth)) {
            return Err(scan::too_deep(span(extra), self.limit));
        }
        self.depth += parts.len();
        let built = self.primary(primary);
        self.depth -= parts.len();
        let mut expr = built?;
        for minus in parts.iter().rev() {
            let place = span(minus).to(expr.span);
            expr = Expr {
                kind: ExprKind::Negate(Box::new(expr)),
                span: place,
            };
        }
        Ok(expr)
    }

    fn primary(&mut self, pair: Pair<'_, Rule>) -> Outcome<Expr> {
        let place = span(&pair);
        let text = pair.as_str();
        let kind = match pair.as_rule() {
            Rule::number => number(text, place)?,
            Rule::string => ExprKind::Text(unescape(text)),
            Rule::nothing => ExprKind::Null,
            Rule::truth => ExprKind::Bool(text.eq_ignore_ascii_case("true")),
            Rule::nan => ExprKind::Double(f64::NAN),
            Rule::group | Rule::not_group => {
                let not = pair.as_rule() == Rule::not_group;
                let Some(inner) = pair.into_inner().find(|p| p.as_rule() == Rule::expression)
                else {
                    return impossible("empty parentheses");
                };
                let inner = Box::new(self.deeper(place, |b| b.expression(inner))?);
                if not {
                    ExprKind::Not(inner)
                } else {
                    ExprKind::Group(inner)
                }
            }
            Rule::list => ExprKind::List(self.expressions(pair, place)?),
            Rule::map => {
                let entries = pair.into_inner().filter(|p| p.as_rule() == Rule::entry);
                ExprKind::Map(self.pairs(entries.map(Pair::into_inner), place)?)
            }
            Rule::lambda => self.lambda(pair)?,
            Rule::match_form => self.match_form(pair)?,
            Rule::exists => match pair.into_inner().find(|p| p.as_rule() == Rule::name) {
                Some(name) => ExprKind::Exists(name.as_str().into()),
                None => return impossible("exists of nothing"),
            },
            Rule::name_or_call => {
                let mut parts = pair.into_inner();
                let Some(name) = parts.next() else {
                    return impossible("a name of nothing");
                };
                match parts.next() {
                    None => ExprKind::Name(name.as_str().into()),
                    Some(arguments) => ExprKind::Call {
                        name: name.as_str().into(),
                        name_span: span(&name),
                        arguments: self.expressions(arguments, place)?,
                    },
                }
            }
            other => return impossible(&format!("{other:?}")),
        };
        // Pest counts the blanks and comments behind these forms as theirs.
        let end = match &kind {
            ExprKind::Name(name) => place.start + name.len(),
            ExprKind::Lambda { body, .. } => body.span.end,
            _ => place.end,
        };
        let place = Span::new(place.start, end);
        Ok(Expr { kind, span: place })
    }

    fn expressions(&mut self, pair: Pair<'_, Rule>, place: Span) -> Outcome<Vec<Expr>> {
        let items = pair
            .into_inner()
            .filter(|p| p.as_rule() == Rule::expression);
        self.deeper(place, |b| items.map(|item| b.expression(item)).collect())
    }

    /// Two expressions from each of `pairs`.
    fn pairs<'i>(
        &mut self,
        pairs: impl Iterator<Item = Pairs<'i, Rule>>,
        place: Span,
    ) -> Outcome<Vec<(Expr, Expr)>> {
        self.deeper(place, |b| {
            let mut built = Vec::new();
            for inner in pairs {
                let mut sides = inner.filter(|p| p.as_rule() == Rule::expression);
                let (Some(left), Some(right)) = (sides.next(), sides.next()) else {
                    return impossible("half a pair");
                };
                built.push((b.expression(left)?, b.expression(right)?));
            }
            Ok(built)
        })
    }

    fn lambda(&mut self, pair: Pair<'_, Rule>) -> Outcome<ExprKind> {
        let place = span(&pair);
        let mut parameters: Vec<(SmolStr, Span)> = Vec::new();
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::name => parameters.push((part.as_str().into(), span(&part))),
                Rule::expression => {
                    let body = Box::new(self.deeper(place, |b| b.expression(part))?);
                    return Ok(ExprKind::Lambda { parameters, body });
                }
                _ => {}
            }
        }
        impossible("a lambda without a body")
    }

    fn match_form(&mut self, pair: Pair<'_, Rule>) -> Outcome<ExprKind> {
        let place = span(&pair);
        let mut clauses = Vec::new();
        let mut default = None;
        for clause in pair.into_inner().filter(|p| p.as_rule() == Rule::clause) {
            let clause_place = span(&clause);
            if default.is_some() {
                return Err(Diagnostic::at(
                    Code::Incomplete,
                    clause_place,
                    "nothing may follow the default of a match",
                ));
            }
            let is_default = clause
                .clone()
                .into_inner()
                .next()
                .is_some_and(|p| p.as_rule() == Rule::default_word);
            if is_default {
                let result = clause
                    .into_inner()
                    .find(|p| p.as_rule() == Rule::expression);
                let Some(result) = result else {
                    return impossible("a default without a result");
                };
                default = Some(Box::new(
                    self.deeper(clause_place, |b| b.expression(result))?,
                ));
            } else {
                clauses
                    .append(&mut self.pairs(std::iter::once(clause.into_inner()), clause_place)?);
            }
        }
        let Some(default) = default else {
            return Err(
                Diagnostic::at(Code::Incomplete, place, "this match has no default")
                    .help("end it with: default => …"),
            );
        };
        if clauses.is_empty() {
            return Err(Diagnostic::at(
                Code::Incomplete,
                place,
                "this match has nothing but its default",
            )
            .help("put at least one check before it: x == 1 => …"));
        }
        Ok(ExprKind::Match { clauses, default })
    }
}

fn join(left: Expr, operator: &Pair<'_, Rule>, right: Expr) -> Outcome<Expr> {
    let place = left.span.to(right.span);
    let arithmetic = match operator.as_rule() {
        Rule::plus => Some(ArithOp::Add),
        Rule::dash => Some(ArithOp::Subtract),
        Rule::times => Some(ArithOp::Multiply),
        Rule::over => Some(ArithOp::Divide),
        _ => None,
    };
    if let Some(op) = arithmetic {
        let level = |op| match op {
            ArithOp::Add | ArithOp::Subtract => 0,
            ArithOp::Divide => 1,
            ArithOp::Multiply => 2,
        };
        let kind = match left.kind {
            ExprKind::Arithmetic(first, mut rest)
                if rest.first().is_some_and(|(o, _)| level(*o) == level(op)) =>
            {
                rest.push((op, right));
                ExprKind::Arithmetic(first, rest)
            }
            kind => ExprKind::Arithmetic(
                Box::new(Expr {
                    kind,
                    span: left.span,
                }),
                vec![(op, right)],
            ),
        };
        return Ok(Expr { kind, span: place });
    }
    let comparison = match operator.as_rule() {
        Rule::equal => CompareOp::Equal,
        Rule::unequal => CompareOp::Unequal,
        Rule::less => CompareOp::Less,
        Rule::at_most => CompareOp::AtMost,
        Rule::greater => CompareOp::Greater,
        Rule::at_least => CompareOp::AtLeast,
        rule => {
            if let ExprKind::Comparison(..) = left.kind {
                return Err(Diagnostic::at(
                    Code::OperandHere,
                    left.span,
                    "a comparison before in needs parentheses",
                )
                .labelled("write (…) around this, or around the part with in"));
            }
            let negated = rule == Rule::not_in;
            let kind = ExprKind::In {
                item: Box::new(left),
                container: Box::new(right),
                negated,
            };
            return Ok(Expr { kind, span: place });
        }
    };
    let kind = match left.kind {
        ExprKind::Comparison(first, mut rest) => {
            rest.push((comparison, right));
            ExprKind::Comparison(first, rest)
        }
        kind => ExprKind::Comparison(
            Box::new(Expr {
                kind,
                span: left.span,
            }),
            vec![(comparison, right)],
        ),
    };
    Ok(Expr { kind, span: place })
}

/// The value of a number as it is spelled.
pub(super) fn number(text: &str, place: Span) -> Outcome<ExprKind> {
    let digits = |cut: usize| &text[..text.len() - cut];
    let out_of_range = |bits: u32, help: &str| {
        let fault = Diagnostic::at(
            Code::IntegerRange,
            place,
            format!("{text} does not fit {bits} bits"),
        );
        if help.is_empty() {
            fault
        } else {
            fault.help(help)
        }
    };
    let bad = || Diagnostic::at(Code::BadNumber, place, format!("{text} is not a number"));
    match text.as_bytes().last() {
        Some(b'l' | b'L') => match digits(1).parse() {
            Ok(value) => Ok(ExprKind::Long(value)),
            Err(_) if digits(1).bytes().all(|b| b.is_ascii_digit() || b == b'-') => {
                Err(out_of_range(64, ""))
            }
            Err(_) => Err(bad()),
        },
        Some(b'f' | b'F') => digits(1).parse().map(ExprKind::Float).map_err(|_| bad()),
        Some(b'd' | b'D') => digits(1).parse().map(ExprKind::Double).map_err(|_| bad()),
        _ if text.bytes().all(|b| b.is_ascii_digit() || b == b'-') => text
            .parse()
            .map(ExprKind::Int)
            .map_err(|_| out_of_range(32, &format!("write {text}L"))),
        _ => text.parse().map(ExprKind::Double).map_err(|_| bad()),
    }
}

/// The characters of a string literal; its escapes have been checked by the scanner.
pub(super) fn unescape(literal: &str) -> SmolStr {
    let inner = &literal[1..literal.len() - 1];
    if !inner.contains('\\') {
        return SmolStr::new(inner);
    }
    let mut text = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        text.push(match c {
            '\\' => match chars.next() {
                Some('n') => '\n',
                Some('r') => '\r',
                Some('t') => '\t',
                Some(other) => other,
                None => '\\',
            },
            plain => plain,
        });
    }
    SmolStr::new(text)
}
