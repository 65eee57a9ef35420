//! Tree to program.

use super::context::Context;
use super::function::{Builtin, Call, named, wrong_count};
use super::interpret::{Machine, unknown_function};
use super::program::{
    Arithmetic, Binary, Branches, CallNode, Comparison, Constants, Container, In, LambdaCode,
    NamedCall, Node, Place, Program,
};
use super::value::Value;
use crate::diagnostic::{Fault, Outcome, Source, Span};
use crate::syntax::{self, ArithOp, CompareOp, Expr, ExprKind, ParseLimits, with_stack};
use smol_str::SmolStr;
use std::sync::Arc;

/// Parses and compiles one expression; blank text is null.
///
/// Errors: E01xx and E0301, E0302, with their places in `source`.
pub fn compile(source: &Arc<Source>, context: &Context) -> Outcome<Arc<Program>> {
    let limits = ParseLimits {
        length: context.limits.expression,
        depth: context.limits.depth,
    };
    let tree = syntax::parse(source, limits)?;
    Ok(compile_tree(tree.as_ref(), source, &[], context))
}

/// Compiles a tree; `parameters` are bound by the caller of a definition.
pub fn compile_tree(
    tree: Option<&Expr>,
    source: &Arc<Source>,
    parameters: &[SmolStr],
    context: &Context,
) -> Arc<Program> {
    let (program, _) = Compiler::new(parameters, context).finish(tree, source);
    program
}

/// Compiles a tree so that every part but literals notes its values; gives the parts, a whole before
/// its parts.
pub(super) fn compile_traced(
    tree: Option<&Expr>,
    source: &Arc<Source>,
    context: &Context,
) -> (Arc<Program>, Vec<Span>) {
    let mut compiler = Compiler::new(&[], context);
    compiler.parts = Some(Vec::new());
    compiler.finish(tree, source)
}

impl<'a> Compiler<'a> {
    fn new(parameters: &[SmolStr], context: &'a Context) -> Compiler<'a> {
        Compiler {
            context,
            variables: Vec::new(),
            problems: Vec::new(),
            unknown: Vec::new(),
            scopes: vec![Scope {
                parameters: parameters.to_vec(),
                captured: Vec::new(),
            }],
            level: 0,
            deepest: 0,
            parts: None,
        }
    }

    fn finish(mut self, tree: Option<&Expr>, source: &Arc<Source>) -> (Arc<Program>, Vec<Span>) {
        let outermost = self.scopes.first();
        let parameters = outermost.map_or(Vec::new(), |scope| scope.parameters.clone());
        let root = with_stack(|| tree.map_or(Node::Constant(Value::Null), |tree| self.node(tree)));
        let problems = self.problems.into_iter();
        let program = Program {
            source: source.clone(),
            variables: self.variables,
            parameters,
            problems: problems.map(|fault| fault.in_source(source)).collect(),
            root,
            depth: self.deepest,
        };
        (Arc::new(program), self.parts.unwrap_or_default())
    }
}

/// The names that a lambda, or the top, binds.
struct Scope {
    parameters: Vec<SmolStr>,
    /// What it takes from the scopes around it: name, and place in the scope just outside.
    captured: Vec<(SmolStr, Place)>,
}

struct Compiler<'a> {
    context: &'a Context,
    variables: Vec<SmolStr>,
    problems: Vec<Fault>,
    /// Names among the problems.
    unknown: Vec<SmolStr>,
    scopes: Vec<Scope>,
    level: usize,
    deepest: usize,
    /// Where the parts of a traced program stand.
    parts: Option<Vec<Span>>,
}

impl Compiler<'_> {
    fn node(&mut self, expr: &Expr) -> Node {
        self.level += 1;
        self.deepest = self.deepest.max(self.level);
        let part = match &mut self.parts {
            Some(parts) if !matches!(expr.kind, ExprKind::Group(_)) && !is_literal(expr) => {
                parts.push(expr.span);
                Some(parts.len() - 1)
            }
            _ => None,
        };
        let node = self.build(expr);
        self.level -= 1;
        match part {
            Some(part) => Node::Traced(Box::new((part, node))),
            None => node,
        }
    }

    fn boxed(&mut self, expr: &Expr) -> Box<Node> {
        Box::new(self.node(expr))
    }

    fn build(&mut self, expr: &Expr) -> Node {
        match &expr.kind {
            ExprKind::Null => Node::Constant(Value::Null),
            ExprKind::Bool(b) => Node::Constant(Value::Bool(*b)),
            ExprKind::Int(n) => Node::Constant(Value::Int(*n)),
            ExprKind::Long(n) => Node::Constant(Value::Long(*n)),
            ExprKind::Float(x) => Node::Constant(Value::Float(*x)),
            ExprKind::Double(x) => Node::Constant(Value::Double(*x)),
            ExprKind::Text(text) => Node::Constant(Value::Text(text.clone())),
            ExprKind::Name(name) => self.name(name),
            ExprKind::Exists(name) => Node::Exists(Box::new(self.name(name))),
            ExprKind::Group(inner) => self.node(inner),
            ExprKind::Negate(inner) => Node::Negate(Box::new((self.node(inner), expr.span))),
            ExprKind::Not(inner) => Node::Not(self.boxed(inner)),
            ExprKind::Arithmetic(first, rest) => self.arithmetic(first, rest, expr.span),
            ExprKind::Comparison(first, rest) => self.comparison(first, rest, expr.span),
            ExprKind::Logic(operands, operators) => {
                let operands = operands.iter().map(|o| self.node(o)).collect();
                Node::Logic(Box::new((operands, operators.clone())))
            }
            ExprKind::In {
                item,
                container,
                negated,
            } => {
                let item = self.node(item);
                let container = match self.constants(container) {
                    Some(values) => Container::Constants(Constants::new(values)),
                    None => Container::Node(self.node(container)),
                };
                Node::In(Box::new(In {
                    item,
                    container,
                    negated: *negated,
                }))
            }
            ExprKind::Conditional {
                branches,
                otherwise,
                ..
            } => self.branches(branches, otherwise, false),
            ExprKind::Match { clauses, default } => self.branches(clauses, default, true),
            ExprKind::List(items) => Node::List(items.iter().map(|item| self.node(item)).collect()),
            ExprKind::Map(entries) => Node::Map(
                entries
                    .iter()
                    .map(|(key, value)| (self.node(key), self.node(value)))
                    .collect(),
            ),
            ExprKind::Lambda { parameters, body } => self.lambda(parameters, body, expr.span),
            ExprKind::Call {
                name,
                name_span,
                arguments,
            } => self.call(name, *name_span, arguments, expr.span),
        }
    }

    fn name(&mut self, name: &SmolStr) -> Node {
        if let Some(place) = self.bound(name, self.scopes.len() - 1) {
            return Node::Local(place);
        }
        let slot = self
            .variables
            .iter()
            .position(|v| v == name)
            .unwrap_or_else(|| {
                self.variables.push(name.clone());
                self.variables.len() - 1
            });
        Node::Slot(slot)
    }

    /// Where scope number `index` finds `name`, capturing it from the scopes around when needed.
    fn bound(&mut self, name: &str, index: usize) -> Option<Place> {
        let scope = self.scopes.get(index)?;
        // The last parameter of a name hides earlier ones, as a later binding does.
        if let Some(i) = scope.parameters.iter().rposition(|p| p == name) {
            return Some(Place::Parameter(i));
        }
        if let Some(i) = scope.captured.iter().position(|(n, _)| n == name) {
            return Some(Place::Captured(i));
        }
        let outside = self.bound(name, index.checked_sub(1)?)?;
        let scope = self.scopes.get_mut(index)?;
        scope.captured.push((name.into(), outside));
        Some(Place::Captured(scope.captured.len() - 1))
    }

    fn arithmetic(&mut self, first: &Expr, rest: &[(ArithOp, Expr)], span: Span) -> Node {
        let is_null = |e: &Expr| e.kind == ExprKind::Null;
        if is_null(first) || rest.iter().any(|(_, e)| is_null(e)) {
            return self.null_arithmetic(first, rest, span);
        }
        let first = self.node(first);
        let mut rest: Vec<_> = rest.iter().map(|(op, e)| (*op, self.node(e))).collect();
        let all = std::iter::once(&first).chain(rest.iter().map(|(_, n)| n));
        let constant = all.clone().all(|n| matches!(n, Node::Constant(_)));
        let node = match (rest.len(), rest.pop()) {
            (1, Some((op, right))) => Node::Binary(Box::new(Binary {
                op,
                left: first,
                right,
                span,
            })),
            (_, last) => {
                rest.extend(last);
                Node::Arithmetic(Box::new(Arithmetic { first, rest, span }))
            }
        };
        if constant { self.folded(node) } else { node }
    }

    /// Metron has no null in arithmetic; beside a text `+` takes it for the empty text.
    fn null_arithmetic(&mut self, first: &Expr, rest: &[(ArithOp, Expr)], span: Span) -> Node {
        let mut built = (first.kind != ExprKind::Null).then(|| self.node(first));
        for (op, operand) in rest {
            let right = (operand.kind != ExprKind::Null).then(|| self.node(operand));
            built = Some(match (built, right) {
                (Some(left), Some(right)) => Node::Arithmetic(Box::new(Arithmetic {
                    first: left,
                    rest: vec![(*op, right)],
                    span,
                })),
                (Some(one), None) | (None, Some(one)) if *op == ArithOp::Add => {
                    Node::NullPlus(Box::new((one, span)))
                }
                _ => {
                    let message = format!("null cannot stand beside {}", op.symbol());
                    let fault = crate::diagnostic::Diagnostic::at(
                        crate::diagnostic::Code::OperandHere,
                        span,
                        message,
                    );
                    Node::Raise(fault.help("a missing variable counts as 0; write 0 for null"))
                }
            });
        }
        built.unwrap_or(Node::Constant(Value::Null))
    }

    fn comparison(&mut self, first: &Expr, rest: &[(CompareOp, Expr)], span: Span) -> Node {
        let first = self.node(first);
        let mut rest: Vec<_> = rest.iter().map(|(op, e)| (*op, self.node(e))).collect();
        if let [(op, Node::Constant(value))] = rest.as_slice() {
            let constant = matches!(first, Node::Constant(_));
            let node = Node::CompareConstant(Box::new((*op, first, value.clone(), span)));
            return if constant { self.folded(node) } else { node };
        }
        rest.shrink_to_fit();
        Node::Comparison(Box::new(Comparison { first, rest, span }))
    }

    fn branches(
        &mut self,
        branches: &[(Expr, Expr)],
        otherwise: &Expr,
        calls_lambdas: bool,
    ) -> Node {
        Node::Branches(Box::new(Branches {
            conditions: branches.iter().map(|(check, _)| check.span).collect(),
            branches: branches
                .iter()
                .map(|(check, result)| (self.node(check), self.node(result)))
                .collect(),
            otherwise: self.node(otherwise),
            calls_lambdas,
        }))
    }

    fn lambda(&mut self, parameters: &[(SmolStr, Span)], body: &Expr, span: Span) -> Node {
        let names: Vec<SmolStr> = parameters.iter().map(|(name, _)| name.clone()).collect();
        self.scopes.push(Scope {
            parameters: names.clone(),
            captured: Vec::new(),
        });
        let (level, deepest) = (
            std::mem::take(&mut self.level),
            std::mem::take(&mut self.deepest),
        );
        let body = self.node(body);
        let depth = std::mem::replace(&mut self.deepest, deepest);
        self.level = level;
        let captures = self.scopes.pop().map_or(Vec::new(), |scope| {
            scope.captured.into_iter().map(|(_, place)| place).collect()
        });
        Node::Lambda(Arc::new(LambdaCode {
            parameters: names,
            captures,
            body,
            depth,
            span,
        }))
    }

    fn call(&mut self, name: &SmolStr, name_span: Span, arguments: &[Expr], span: Span) -> Node {
        let Some(builtin) = self.context.functions.builtin(name) else {
            // A definition may come later; only `check` and the shell complain now.
            // A name that is used a thousand times is complained about once.
            let known = self.unknown.contains(name)
                || !matches!(self.context.functions.defined(name, self.context), Ok(None));
            if !known {
                self.unknown.push(name.clone());
                self.problems
                    .push(unknown_function(name, name_span, self.context));
            }
            let arguments = arguments.iter().map(|a| self.node(a)).collect();
            return Node::CallByName(Box::new(NamedCall {
                name: name.clone(),
                name_span,
                arguments,
                span,
            }));
        };
        let spans = arguments.iter().map(|a| a.span).collect();
        let arguments: Vec<Node> = arguments
            .iter()
            .map(|a| match self.constants(a) {
                // Nothing keeps or changes this literal: one list serves all evaluations.
                Some(values) if builtin.borrows => {
                    Node::Constant(Value::List(super::collections::List::linked(values)))
                }
                _ => self.node(a),
            })
            .collect();
        if arguments.len() < builtin.least || (builtin.strict && arguments.len() > builtin.most) {
            let expected = expected_count(&builtin);
            let fault = wrong_count(name, &expected, arguments.len()).or_at(span);
            self.problems.push(fault.clone());
            return Node::Raise(fault);
        }
        if let Err(fault) = self.context.check_right(&builtin) {
            let fault = fault.or_at(name_span);
            self.problems.push(fault.clone());
            return Node::Raise(fault);
        }
        let constants: Vec<Option<&Value>> = arguments
            .iter()
            .map(|a| match a {
                Node::Constant(value) => Some(value),
                _ => None,
            })
            .collect();
        let foldable = builtin.pure && constants.iter().all(Option::is_some);
        let prepared = match builtin
            .prepare
            .map(|prepare| prepare(&constants, self.context))
        {
            Some(Ok(prepared)) => prepared,
            Some(Err(mut fault)) => {
                let place: Option<Span> = fault.argument.take().and_then(|i: usize| {
                    let spans: &Vec<Span> = &spans;
                    spans.get(i).copied()
                });
                self.problems.push(fault.or_at(place.unwrap_or(span)));
                None
            }
            None => None,
        };
        let node = Node::Call(Box::new(CallNode {
            builtin,
            arguments,
            prepared,
            span,
            spans,
        }));
        if foldable { self.folded(node) } else { node }
    }

    /// The value of a constant node when it has a plain one; errors stay where they are raised.
    fn folded(&self, node: Node) -> Node {
        match constant_value(&node, self.context) {
            Ok(value) if is_plain(&value) => Node::Constant(value),
            _ => node,
        }
    }

    /// The elements of a list literal that holds nothing but plain constants.
    fn constants(&mut self, expr: &Expr) -> Option<Vec<Value>> {
        let ExprKind::List(items) = &expr.inner().kind else {
            return None;
        };
        items.iter().map(plain_constant).collect()
    }
}

fn is_literal(expr: &Expr) -> bool {
    plain_constant(expr).is_some()
}

/// A value that nothing can change.
fn is_plain(value: &Value) -> bool {
    !value.is_collection() && !matches!(value, Value::Lambda(_) | Value::Object(_))
}

fn plain_constant(expr: &Expr) -> Option<Value> {
    Some(match &expr.inner().kind {
        ExprKind::Null => Value::Null,
        ExprKind::Bool(b) => Value::Bool(*b),
        ExprKind::Int(n) => Value::Int(*n),
        ExprKind::Long(n) => Value::Long(*n),
        ExprKind::Float(x) => Value::Float(*x),
        ExprKind::Double(x) => Value::Double(*x),
        ExprKind::Text(text) => Value::Text(text.clone()),
        _ => return None,
    })
}

fn constant_value(node: &Node, context: &Context) -> Outcome<Value> {
    Machine::constant(node, context)
}

fn expected_count(builtin: &Builtin) -> String {
    let arguments = |n: usize| if n == 1 { "argument" } else { "arguments" };
    let (least, most) = (builtin.least, builtin.most);
    if most == 0 {
        "no argument".to_string()
    } else if most == usize::MAX {
        format!("at least {least} {}", arguments(least))
    } else if least == most {
        format!("{least} {}", arguments(least))
    } else {
        format!("{least} to {most} arguments")
    }
}

/// Runs a built-in outside of any program, for front ends that need one function's answer.
pub fn call_builtin(builtin: &Builtin, arguments: Vec<Value>, context: &Context) -> Outcome<Value> {
    Machine::with_empty(context, |machine| {
        let mut call = Call {
            name: builtin.name,
            arguments: arguments.into(),
            prepared: None,
            machine,
        };
        (builtin.run)(&mut call).map_err(|fault| named(fault, builtin.name))
    })
}
