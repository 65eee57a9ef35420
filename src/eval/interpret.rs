//! Program to value.

use super::arithmetic;
use super::collections::{Entries, List, Map, MapKind, check_size};
use super::compare;
use super::context::{Context, look_up};
use super::convert::{condition, truth};
use super::function::{Arguments, Call, named, wrong_count};
use super::lambda::Lambda;
use super::program::{
    Arithmetic, Binary, Branches, CallNode, Comparison, Container, In, LambdaCode, NamedCall, Node,
    Place, Program,
};
use super::run::Run;
use super::value::Value;
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome, Source, Span};
use crate::syntax::{ArithOp, CompareOp, LogicOp, with_stack};
use smol_str::SmolStr;
use std::cmp::Ordering;
use std::sync::{Arc, LazyLock};
use std::time::Instant;

static NULL: Value = Value::Null;

/// One program at work on its slots.
pub(super) struct Machine<'a> {
    pub run: &'a Run<'a>,
    program: &'a Arc<Program>,
    slots: &'a [Value],
}

struct Frame<'a> {
    parameters: &'a [Value],
    captured: &'a [Value],
}

static TOP: Frame<'static> = Frame {
    parameters: &[],
    captured: &[],
};

impl Program {
    /// Evaluates with the values of [`Program::variables`] in `slots`.
    ///
    /// Errors: everything of the codes E02xx and E03xx, with its place.
    pub fn run(self: &Arc<Self>, context: &Context, slots: &[Value]) -> Outcome<Value> {
        self.run_in(&Run::new(context), slots)
    }

    /// Evaluates and counts in `run`.
    pub(super) fn run_in(self: &Arc<Self>, run: &Run<'_>, slots: &[Value]) -> Outcome<Value> {
        let machine = Machine {
            run,
            program: self,
            slots,
        };
        with_stack(|| machine.eval(&self.root, &TOP)).map_err(|fault| fault.in_source(&self.source))
    }

    /// Evaluates with the variables of the context.
    pub fn evaluate(self: &Arc<Self>, context: &Context) -> Outcome<Value> {
        self.run(context, &self.fill(context))
    }

    /// The slots filled from the context's variables.
    pub fn fill(&self, context: &Context) -> Vec<Value> {
        let get = |name: &str| match name {
            "_" => Some(view(context)),
            name => context.variables.get(name),
        };
        let value = |name: &SmolStr| look_up(name, get).unwrap_or(Value::Null);
        self.variables.iter().map(value).collect()
    }
}

/// What `_` stands for: all variables with a value as one map that cannot be changed, unless a front end knows better.
fn view(context: &Context) -> Value {
    if let Some(whole) = context.variables.whole() {
        return whole;
    }
    let all = context
        .variables
        .all()
        .into_iter()
        .filter(|(_, v)| !v.is_null());
    let entries: Entries = all.map(|(k, v)| (Value::Text(k), v)).collect();
    Value::Map(Map::new(MapKind::View, entries))
}

impl Machine<'_> {
    /// Evaluates a node that reads no variables.
    pub fn constant(node: &Node, context: &Context) -> Outcome<Value> {
        Machine::with_empty(context, |machine| machine.eval(node, &TOP))
    }

    /// A machine on an empty program.
    pub fn with_empty<T>(context: &Context, work: impl FnOnce(&Machine<'_>) -> T) -> T {
        static EMPTY: LazyLock<Arc<Program>> = LazyLock::new(|| {
            Arc::new(Program {
                source: Arc::new(Source::expression("")),
                variables: Vec::new(),
                parameters: Vec::new(),
                problems: Vec::new(),
                root: Node::Constant(Value::Null),
                depth: 0,
            })
        });
        let run = Run::new(context);
        work(&Machine {
            run: &run,
            program: &EMPTY,
            slots: &[],
        })
    }

    fn eval(&self, node: &Node, frame: &Frame<'_>) -> Outcome<Value> {
        match node {
            Node::Constant(value) => Ok(value.clone()),
            Node::Slot(_) | Node::Local(_) => Ok(self.stored(node, frame).clone()),
            Node::Binary(binary) => self.binary(binary, frame),
            Node::Arithmetic(chain) => self.arithmetic(chain, frame),
            Node::CompareConstant(comparison) => {
                let (op, left, right, span) = comparison.as_ref();
                let mut scratch = Value::Null;
                let left = self.operand(left, frame, &mut scratch)?;
                compare(*op, left, right)
                    .map(Value::Bool)
                    .map_err(|f| f.or_at(*span))
            }
            Node::Comparison(chain) => self.comparison(chain, frame),
            Node::Logic(logic) => self.logic(&logic.0, &logic.1, frame),
            Node::In(inside) => self.inside(inside, frame),
            Node::Branches(branches) => self.branches(branches, frame),
            Node::Call(call) => self.call(call, frame),
            Node::Not(inner) => Ok(Value::Bool(!truth(&self.eval(inner, frame)?))),
            Node::Exists(inner) => Ok(Value::Bool(!self.stored(inner, frame).is_null())),
            Node::Negate(inner) => {
                let value = self.eval(&inner.0, frame)?;
                arithmetic::negate(&value).map_err(|f| f.or_at(inner.1))
            }
            Node::NullPlus(inner) => self.null_plus(&inner.0, inner.1, frame),
            Node::List(items) => self.list(items, frame),
            Node::Map(entries) => self.map(entries, frame),
            Node::CallByName(call) => self.call_by_name(call, frame),
            Node::Lambda(code) => Ok(self.lambda(code, frame)),
            Node::Raise(fault) => Err(fault.clone()),
            Node::Traced(part) => self.traced(part.0, &part.1, frame),
        }
    }

    #[cold]
    fn traced(&self, part: usize, node: &Node, frame: &Frame<'_>) -> Outcome<Value> {
        let started = Instant::now();
        let result = self.eval(node, frame);
        if let Some(trace) = &self.run.trace {
            trace.note(self.program, part, &result, started.elapsed());
        }
        result
    }

    /// The value of a node that only reads.
    #[inline]
    fn stored<'v>(&'v self, node: &'v Node, frame: &'v Frame<'v>) -> &'v Value {
        match node {
            Node::Constant(value) => value,
            Node::Slot(slot) => self.slots.get(*slot).unwrap_or(&NULL),
            Node::Local(place) => local(*place, frame),
            _ => &NULL,
        }
    }

    /// The value of a node, borrowed where it exists already.
    #[inline]
    fn operand<'v>(
        &'v self,
        node: &'v Node,
        frame: &'v Frame<'v>,
        scratch: &'v mut Value,
    ) -> Outcome<&'v Value> {
        match node {
            Node::Constant(_) | Node::Slot(_) | Node::Local(_) => Ok(self.stored(node, frame)),
            _ => {
                *scratch = self.eval(node, frame)?;
                Ok(scratch)
            }
        }
    }

    /// The value of a node that only reads, `None` for any other.
    #[inline(always)]
    fn leaf<'v>(&'v self, node: &'v Node, frame: &'v Frame<'v>) -> Option<&'v Value> {
        match node {
            Node::Constant(value) => Some(value),
            Node::Slot(slot) => Some(self.slots.get(*slot).unwrap_or(&NULL)),
            Node::Local(place) => Some(local(*place, frame)),
            _ => None,
        }
    }

    #[inline]
    fn binary(&self, binary: &Binary, frame: &Frame<'_>) -> Outcome<Value> {
        let Binary {
            op,
            left,
            right,
            span,
        } = binary;
        let longest = self.run.context.limits.string;
        let apply = |l: &Value, r: &Value| match (l, r) {
            (Value::Int(a), Value::Int(b)) if *op != ArithOp::Divide => Ok(Value::Int(match op {
                ArithOp::Add => a.wrapping_add(*b),
                ArithOp::Subtract => a.wrapping_sub(*b),
                _ => a.wrapping_mul(*b),
            })),
            _ => arithmetic::apply(*op, l, r, longest).map_err(|f| f.or_at(*span)),
        };
        match (self.leaf(left, frame), self.leaf(right, frame)) {
            (Some(l), Some(r)) => apply(l, r),
            (Some(l), None) => apply(l, &self.eval(right, frame)?),
            (None, Some(r)) => apply(&self.eval(left, frame)?, r),
            (None, None) => apply(&self.eval(left, frame)?, &self.eval(right, frame)?),
        }
    }

    #[inline(never)]
    fn arithmetic(&self, chain: &Arithmetic, frame: &Frame<'_>) -> Outcome<Value> {
        let mut scratch = Value::Null;
        let first = self.operand(&chain.first, frame, &mut scratch)?;
        let Some((&(op, ref second), rest)) = chain.rest.split_first() else {
            return Ok(first.clone());
        };
        let mut result = self.apply(op, first, second, chain.span, frame)?;
        for (op, node) in rest {
            result = self.apply(*op, &result, node, chain.span, frame)?;
        }
        Ok(result)
    }

    #[inline]
    fn apply(
        &self,
        op: ArithOp,
        left: &Value,
        right: &Node,
        span: Span,
        frame: &Frame<'_>,
    ) -> Outcome<Value> {
        let mut scratch = Value::Null;
        let right = self.operand(right, frame, &mut scratch)?;
        arithmetic::apply(op, left, right, self.run.context.limits.string)
            .map_err(|f| f.or_at(span))
    }

    #[inline(never)]
    fn lambda(&self, code: &Arc<LambdaCode>, frame: &Frame<'_>) -> Value {
        let captured = code
            .captures
            .iter()
            .map(|place| local(*place, frame).clone())
            .collect();
        Value::Lambda(Arc::new(Lambda {
            program: self.program.clone(),
            code: code.clone(),
            captured,
        }))
    }

    /// A literal null beside `+`: fine with a text, else refused as Metron does.
    #[inline(never)]
    fn null_plus(&self, other: &Node, span: Span, frame: &Frame<'_>) -> Outcome<Value> {
        match self.eval(other, frame)? {
            text @ Value::Text(_) => Ok(text),
            _ => Err(
                Diagnostic::at(Code::OperandHere, span, "null cannot be added to a number")
                    .help("a missing variable counts as 0; write 0 for null"),
            ),
        }
    }

    #[inline(never)]
    fn comparison(&self, chain: &Comparison, frame: &Frame<'_>) -> Outcome<Value> {
        let mut scratch = Value::Null;
        let first = self.operand(&chain.first, frame, &mut scratch)?;
        let Some((&(op, ref second), rest)) = chain.rest.split_first() else {
            return Ok(first.clone());
        };
        let one = |op, left: &Value, node| {
            let mut scratch = Value::Null;
            let right = self.operand(node, frame, &mut scratch)?;
            compare(op, left, right).map_err(|f| f.or_at(chain.span))
        };
        let mut result = one(op, first, second)?;
        for (op, node) in rest {
            result = one(*op, &Value::Bool(result), node)?;
        }
        Ok(Value::Bool(result))
    }

    /// `a and (b or (c …))`: the outermost operand that fixes the result wins, but what Metron evaluates is evaluated.
    #[inline(never)]
    fn logic(&self, operands: &[Node], operators: &[LogicOp], frame: &Frame<'_>) -> Outcome<Value> {
        let mut fixed = None;
        let mut operators = operators.iter();
        for operand in operands {
            let mut scratch = Value::Null;
            let value = self.operand(operand, frame, &mut scratch)?;
            let Some(operator) = operators.next() else {
                return Ok(Value::Bool(fixed.unwrap_or_else(|| truth(value))));
            };
            let decides = *operator == LogicOp::Or;
            match condition(value) {
                Some(known) if known == decides => return Ok(Value::Bool(fixed.unwrap_or(known))),
                Some(_) => {}
                // Anything but a boolean never stops the evaluation of the rest.
                None if truth(value) == decides => {
                    fixed.get_or_insert(decides);
                }
                None => {}
            }
        }
        Ok(Value::Bool(fixed.unwrap_or(false)))
    }

    fn inside(&self, inside: &In, frame: &Frame<'_>) -> Outcome<Value> {
        let mut scratch = Value::Null;
        let item = self.operand(&inside.item, frame, &mut scratch)?;
        let found = match &inside.container {
            Container::Constants(constants) => constants.has(item),
            Container::Node(node) => {
                let mut scratch = Value::Null;
                let container = self.operand(node, frame, &mut scratch)?;
                is_in(item, container)
            }
        };
        Ok(Value::Bool(found != inside.negated))
    }

    fn branches(&self, branches: &Branches, frame: &Frame<'_>) -> Outcome<Value> {
        let mut chosen = &branches.otherwise;
        for (i, (check, result)) in branches.branches.iter().enumerate() {
            let mut scratch = Value::Null;
            let value = self.operand(check, frame, &mut scratch)?;
            match condition(value) {
                Some(true) => {
                    chosen = result;
                    break;
                }
                Some(false) => {}
                None => return Err(no_condition(value, branches.conditions.get(i))),
            }
        }
        let value = self.eval(chosen, frame)?;
        match &value {
            Value::Lambda(lambda) if branches.calls_lambdas => self.invoke(lambda, &[]),
            _ => Ok(value),
        }
    }

    #[inline(never)]
    fn list(&self, items: &[Node], frame: &Frame<'_>) -> Outcome<Value> {
        check_size(items.len(), self.run.context.limits.collection)?;
        let items: Outcome<Vec<Value>> = items.iter().map(|item| self.eval(item, frame)).collect();
        Ok(Value::List(List::linked(items?)))
    }

    /// The first of equal keys wins.
    #[inline(never)]
    fn map(&self, entries: &[(Node, Node)], frame: &Frame<'_>) -> Outcome<Value> {
        check_size(entries.len(), self.run.context.limits.collection)?;
        let mut built = Entries::with_capacity_and_hasher(entries.len(), Default::default());
        for (key, value) in entries {
            let key = self.eval(key, frame)?;
            let value = self.eval(value, frame)?;
            built.entry(key).or_insert(value);
        }
        Ok(Value::Map(Map::new(MapKind::Hash, built)))
    }

    fn call(&self, node: &CallNode, frame: &Frame<'_>) -> Outcome<Value> {
        self.run.step()?;
        let mut arguments = Arguments::new();
        for argument in &node.arguments {
            match argument {
                Node::Constant(_) | Node::Slot(_) | Node::Local(_) => {
                    arguments.push(self.stored(argument, frame).clone());
                }
                other => arguments.push(self.eval(other, frame)?),
            }
        }
        // A definition may have been compiled for somebody else.
        self.run
            .context
            .check_right(&node.builtin)
            .map_err(|fault| place(fault, node))?;
        let mut call = Call {
            name: node.builtin.name,
            arguments,
            prepared: node.prepared.as_ref(),
            machine: self,
        };
        (node.builtin.run)(&mut call).map_err(|fault| place(fault, node))
    }

    #[inline(never)]
    fn call_by_name(&self, node: &NamedCall, frame: &Frame<'_>) -> Outcome<Value> {
        let run = self.run;
        run.step()?;
        let context = run.context;
        let Some(definition) = context.functions.defined(&node.name, context)? else {
            return Err(unknown_function(&node.name, node.name_span, context));
        };
        let wanted = definition.parameters.len();
        if node.arguments.len() < wanted {
            let expected = if wanted == 1 {
                "1 argument".to_string()
            } else {
                format!("{wanted} arguments")
            };
            return Err(wrong_count(&node.name, &expected, node.arguments.len()).or_at(node.span));
        }
        let arguments: Outcome<Arguments> =
            node.arguments.iter().map(|a| self.eval(a, frame)).collect();
        let arguments = arguments?;
        if run.calls.borrow().contains(&node.name) {
            let mut chain: Vec<String> = run.calls.borrow().iter().map(|n| n.to_string()).collect();
            chain.push(node.name.to_string());
            return Err(Diagnostic::at(
                Code::Recursion,
                node.name_span,
                format!("{} calls itself", node.name),
            )
            .note(format!("the calls: {}", chain.join(" → "))));
        }
        let program = definition.program(context);
        let slots = program.fill(context);
        run.calls.borrow_mut().push(node.name.clone());
        let result = run.nested(program.depth, || {
            let machine = Machine {
                run,
                program,
                slots: &slots,
            };
            let frame = Frame {
                parameters: &arguments,
                captured: &[],
            };
            machine.eval(&program.root, &frame)
        });
        run.calls.borrow_mut().pop();
        result.map_err(|fault| {
            if fault.source.is_none() && fault.span.is_none() {
                return fault.or_at(node.span);
            }
            let fault = fault.in_source(&definition.source);
            fault.also_in(
                self.program.source.clone(),
                node.span,
                format!("called here by way of {}", node.name),
            )
        })
    }

    /// Calls a lambda; one of another program finds its variables by name now.
    pub(super) fn invoke(&self, lambda: &Arc<Lambda>, arguments: &[Value]) -> Outcome<Value> {
        let run = self.run;
        run.step()?;
        let code = &lambda.code;
        let padded: Arguments;
        let parameters = if arguments.len() < code.parameters.len() {
            let missing = std::iter::repeat_n(Value::Null, code.parameters.len() - arguments.len());
            padded = arguments.iter().cloned().chain(missing).collect();
            padded.as_slice()
        } else {
            arguments
        };
        let frame = Frame {
            parameters,
            captured: &lambda.captured,
        };
        run.nested(code.depth, || {
            if Arc::ptr_eq(&lambda.program, self.program) {
                return self.eval(&code.body, &frame);
            }
            let slots = lambda.program.fill(run.context);
            let machine = Machine {
                run,
                program: &lambda.program,
                slots: &slots,
            };
            machine
                .eval(&code.body, &frame)
                .map_err(|fault| fault.in_source(&lambda.program.source))
        })
    }
}

#[inline]
fn local<'v>(place: Place, frame: &'v Frame<'v>) -> &'v Value {
    match place {
        Place::Parameter(index) => frame.parameters.get(index),
        Place::Captured(index) => frame.captured.get(index),
    }
    .unwrap_or(&NULL)
}

/// One comparison.
#[inline]
pub(super) fn compare(op: CompareOp, left: &Value, right: &Value) -> Outcome<bool> {
    Ok(match op {
        CompareOp::Equal => compare::equal(left, right),
        CompareOp::Unequal => !compare::equal(left, right),
        _ => {
            let order = match (left, right) {
                (Value::Int(a), Value::Int(b)) => Some(a.cmp(b)),
                _ => compare::order(left, right)?,
            };
            order.is_some_and(|order| match op {
                CompareOp::Less => order == Ordering::Less,
                CompareOp::AtMost => order != Ordering::Greater,
                CompareOp::Greater => order == Ordering::Greater,
                _ => order != Ordering::Less,
            })
        }
    })
}

/// `item in container`.
pub(super) fn is_in(item: &Value, container: &Value) -> bool {
    match container {
        Value::Null => false,
        Value::Text(whole) => item.as_text().is_some_and(|part| whole.contains(part)),
        Value::List(list) => list.with(|items| items.iter().any(|v| compare::same(v, item))),
        Value::Set(set) => set.has(item),
        Value::Map(map) => map.has(item),
        other => compare::same(item, other),
    }
}

#[cold]
fn no_condition(value: &Value, span: Option<&Span>) -> Fault {
    let message = format!(
        "a condition must be true or false, not {}",
        value.kind_in_words()
    );
    let fault = Diagnostic::new(Code::ConditionType, message).help("compare it: x == …, x != null");
    match span {
        Some(span) => fault.or_at(*span),
        None => fault,
    }
}

/// The error for a name that is no function.
#[cold]
pub(super) fn unknown_function(name: &str, span: Span, context: &Context) -> Fault {
    if let Some((message, help)) = context.functions.unavailable(name) {
        return Diagnostic::at(Code::NotWanted, span, message).help(help);
    }
    let near = context.functions.nearest(name);
    Diagnostic::at(
        Code::UnknownFunction,
        span,
        format!("there is no function {name}"),
    )
    .did_you_mean(near.as_deref())
}

/// Gives an error of a function its place: the argument it names, or the call.
#[cold]
fn place(mut fault: Fault, node: &CallNode) -> Fault {
    if fault.span.is_some() {
        return fault;
    }
    let argument = fault.argument.take().and_then(|i| node.spans.get(i));
    named(fault, node.builtin.name).or_at(argument.copied().unwrap_or(node.span))
}
