//! Evaluation of a parsed JSONPath, by RFC 9535, section 2.

use crate::diagnostic::Outcome;
use crate::eval::collections::check_size;
use crate::eval::{Call, Value};
use ahash::AHashMap;
use jsonpath_rust::parser::model::{
    Comparable, Comparison, Filter, FilterAtom, FnArg, JpQuery, Literal, Segment, Selector,
    SingularQuery, SingularQuerySegment, Test, TestFunction,
};
use regex::Regex;
use std::cell::RefCell;
use std::cmp::Ordering;

/// Values that nest deeper are not compared any further.
const DEEPEST: usize = 512;

/// All parts of `root` that a query describes. Errors: E0304, and those of steps.
pub(super) fn run(call: &Call<'_, '_>, query: &JpQuery, root: &Value) -> Outcome<Vec<Value>> {
    let walk = Walk {
        call,
        root,
        patterns: RefCell::default(),
    };
    walk.segments(&query.segments, root)
}

/// The first function in a query that is not one of RFC 9535.
pub(super) fn check(query: &JpQuery) -> Result<(), String> {
    segments_known(&query.segments)
}

fn segments_known(segments: &[Segment]) -> Result<(), String> {
    segments.iter().try_for_each(|segment| match segment {
        Segment::Descendant(inner) => segments_known(std::slice::from_ref(inner)),
        Segment::Selector(selector) => selector_known(selector),
        Segment::Selectors(selectors) => selectors.iter().try_for_each(selector_known),
    })
}

fn selector_known(selector: &Selector) -> Result<(), String> {
    match selector {
        Selector::Filter(filter) => filter_known(filter),
        _ => Ok(()),
    }
}

fn filter_known(filter: &Filter) -> Result<(), String> {
    match filter {
        Filter::Or(parts) | Filter::And(parts) => parts.iter().try_for_each(filter_known),
        Filter::Atom(FilterAtom::Filter { expr, .. }) => filter_known(expr),
        Filter::Atom(FilterAtom::Test { expr, .. }) => test_known(expr),
        Filter::Atom(FilterAtom::Comparison(comparison)) => {
            let (left, right) = sides(comparison);
            [left, right].into_iter().try_for_each(|side| match side {
                Comparable::Function(function) => function_known(function),
                _ => Ok(()),
            })
        }
    }
}

fn test_known(test: &Test) -> Result<(), String> {
    match test {
        Test::RelQuery(segments) => segments_known(segments),
        Test::AbsQuery(query) => segments_known(&query.segments),
        Test::Function(function) => function_known(function),
    }
}

fn function_known(function: &TestFunction) -> Result<(), String> {
    let argument = |argument: &FnArg| match argument {
        FnArg::Literal(_) => Ok(()),
        FnArg::Test(test) => test_known(test),
        FnArg::Filter(filter) => filter_known(filter),
    };
    match function {
        TestFunction::Custom(name, _) => Err(name.clone()),
        TestFunction::Length(a) => argument(a),
        TestFunction::Value(a) | TestFunction::Count(a) => argument(a),
        TestFunction::Search(a, b) | TestFunction::Match(a, b) => {
            argument(a).and_then(|()| argument(b))
        }
    }
}

fn sides(comparison: &Comparison) -> (&Comparable, &Comparable) {
    match comparison {
        Comparison::Eq(a, b)
        | Comparison::Ne(a, b)
        | Comparison::Gt(a, b)
        | Comparison::Gte(a, b)
        | Comparison::Lt(a, b)
        | Comparison::Lte(a, b) => (a, b),
    }
}

struct Walk<'w, 'c, 'm> {
    call: &'w Call<'c, 'm>,
    root: &'w Value,
    /// Regular expressions that were needed, `None` for what is none.
    patterns: RefCell<AHashMap<String, Option<Regex>>>,
}

impl Walk<'_, '_, '_> {
    fn segments(&self, segments: &[Segment], start: &Value) -> Outcome<Vec<Value>> {
        let mut nodes = vec![start.clone()];
        for segment in segments {
            let mut next = Vec::new();
            for node in &nodes {
                self.segment(segment, node, &mut next)?;
            }
            nodes = next;
        }
        Ok(nodes)
    }

    fn segment(&self, segment: &Segment, node: &Value, out: &mut Vec<Value>) -> Outcome<()> {
        match segment {
            Segment::Selector(selector) => self.selector(selector, node, out),
            Segment::Selectors(selectors) => selectors
                .iter()
                .try_for_each(|selector| self.selector(selector, node, out)),
            Segment::Descendant(inner) => {
                let mut waiting = vec![node.clone()];
                while let Some(node) = waiting.pop() {
                    self.call.step()?;
                    self.segment(inner, &node, out)?;
                    waiting.extend(children(&node).into_iter().rev());
                }
                Ok(())
            }
        }
    }

    fn push(&self, node: Value, out: &mut Vec<Value>) -> Outcome<()> {
        self.call.step()?;
        check_size(out.len() + 1, self.call.context().limits.collection)?;
        out.push(node);
        Ok(())
    }

    fn selector(&self, selector: &Selector, node: &Value, out: &mut Vec<Value>) -> Outcome<()> {
        match selector {
            Selector::Name(name) => match member(node, name) {
                Some(value) => self.push(value, out),
                None => Ok(()),
            },
            Selector::Index(index) => match element(node, *index) {
                Some(value) => self.push(value, out),
                None => Ok(()),
            },
            Selector::Wildcard => children(node)
                .into_iter()
                .try_for_each(|child| self.push(child, out)),
            Selector::Slice(start, end, step) => {
                let Some(items) = array(node) else {
                    return Ok(());
                };
                let mut at = Slice::new(items.len(), *start, *end, step.unwrap_or(1));
                while let Some(item) = at.next().and_then(|i| items.get(i)) {
                    self.push(item.clone(), out)?;
                }
                Ok(())
            }
            Selector::Filter(filter) => {
                for child in children(node) {
                    if self.fits(filter, &child)? {
                        self.push(child, out)?;
                    }
                }
                Ok(())
            }
        }
    }

    fn fits(&self, filter: &Filter, node: &Value) -> Outcome<bool> {
        self.call.step()?;
        Ok(match filter {
            Filter::Or(parts) => {
                for part in parts {
                    if self.fits(part, node)? {
                        return Ok(true);
                    }
                }
                false
            }
            Filter::And(parts) => {
                for part in parts {
                    if !self.fits(part, node)? {
                        return Ok(false);
                    }
                }
                true
            }
            Filter::Atom(FilterAtom::Filter { expr, not }) => self.fits(expr, node)? != *not,
            Filter::Atom(FilterAtom::Test { expr, not }) => self.holds(expr, node)? != *not,
            Filter::Atom(FilterAtom::Comparison(comparison)) => self.compares(comparison, node)?,
        })
    }

    /// Whether a query finds anything, or a function is true.
    fn holds(&self, test: &Test, node: &Value) -> Outcome<bool> {
        Ok(match test {
            Test::RelQuery(segments) => !self.segments(segments, node)?.is_empty(),
            Test::AbsQuery(query) => !self.segments(&query.segments, self.root)?.is_empty(),
            Test::Function(function) => {
                matches!(self.function(function, node)?, Some(Value::Bool(true)))
            }
        })
    }

    fn compares(&self, comparison: &Comparison, node: &Value) -> Outcome<bool> {
        let (left, right) = sides(comparison);
        let (left, right) = (self.comparable(left, node)?, self.comparable(right, node)?);
        let equal = || match (&left, &right) {
            (None, None) => true,
            (Some(a), Some(b)) => equal(a, b, 0),
            _ => false,
        };
        let order = || match (&left, &right) {
            (Some(a), Some(b)) => order(a, b),
            _ => None,
        };
        Ok(match comparison {
            Comparison::Eq(..) => equal(),
            Comparison::Ne(..) => !equal(),
            Comparison::Lt(..) => order() == Some(Ordering::Less),
            Comparison::Gt(..) => order() == Some(Ordering::Greater),
            Comparison::Lte(..) => order() == Some(Ordering::Less) || equal(),
            Comparison::Gte(..) => order() == Some(Ordering::Greater) || equal(),
        })
    }

    /// A side of a comparison; `None` for nothing.
    fn comparable(&self, side: &Comparable, node: &Value) -> Outcome<Option<Value>> {
        Ok(match side {
            Comparable::Literal(literal) => Some(constant(literal)),
            Comparable::Function(function) => self.function(function, node)?,
            Comparable::SingularQuery(SingularQuery::Current(path)) => follow(path, node),
            Comparable::SingularQuery(SingularQuery::Root(path)) => follow(path, self.root),
        })
    }

    /// What a function gives; `None` for nothing.
    fn function(&self, function: &TestFunction, node: &Value) -> Outcome<Option<Value>> {
        Ok(match function {
            TestFunction::Length(argument) => {
                let length = match self.value(argument, node)? {
                    Some(Value::Text(text)) => text.chars().count(),
                    Some(Value::Map(map)) => map.len(),
                    Some(value) => match array(&value) {
                        Some(items) => items.len(),
                        None => return Ok(None),
                    },
                    None => return Ok(None),
                };
                Some(Value::Long(length as i64))
            }
            TestFunction::Count(argument) => {
                Some(Value::Long(self.nodes(argument, node)?.len() as i64))
            }
            TestFunction::Value(argument) => self.value(argument, node)?,
            TestFunction::Match(text, pattern) => {
                Some(Value::Bool(self.matches(text, pattern, node, true)?))
            }
            TestFunction::Search(text, pattern) => {
                Some(Value::Bool(self.matches(text, pattern, node, false)?))
            }
            // Refused when the path was read.
            TestFunction::Custom(..) => None,
        })
    }

    fn nodes(&self, argument: &FnArg, node: &Value) -> Outcome<Vec<Value>> {
        match argument {
            FnArg::Test(test) => match test.as_ref() {
                Test::RelQuery(segments) => self.segments(segments, node),
                Test::AbsQuery(query) => self.segments(&query.segments, self.root),
                Test::Function(function) => {
                    Ok(self.function(function, node)?.into_iter().collect())
                }
            },
            FnArg::Literal(literal) => Ok(vec![constant(literal)]),
            FnArg::Filter(_) => Ok(Vec::new()),
        }
    }

    /// An argument as one value; `None` when a query finds nothing or several.
    fn value(&self, argument: &FnArg, node: &Value) -> Outcome<Option<Value>> {
        let mut nodes = self.nodes(argument, node)?;
        Ok(if nodes.len() == 1 { nodes.pop() } else { None })
    }

    fn matches(&self, text: &FnArg, pattern: &FnArg, node: &Value, whole: bool) -> Outcome<bool> {
        let (text, pattern) = (self.value(text, node)?, self.value(pattern, node)?);
        let (Some(Value::Text(text)), Some(Value::Text(pattern))) = (text, pattern) else {
            return Ok(false);
        };
        let limit = self.call.context().limits.regex;
        if pattern.len() > limit {
            return Ok(false);
        }
        let translated = translated(&pattern, whole);
        let mut patterns = self.patterns.borrow_mut();
        // Patterns may come from the data, each another one.
        if patterns.len() > 64 {
            patterns.clear();
        }
        let regex = patterns
            .entry(translated)
            .or_insert_with_key(|pattern| Regex::new(pattern).ok());
        Ok(regex.as_ref().is_some_and(|regex| regex.is_match(&text)))
    }
}

/// An I-Regexp (RFC 9485) in the notation of the regex crate, where the dot takes carriage returns too.
fn translated(pattern: &str, whole: bool) -> String {
    let mut out = String::with_capacity(pattern.len() + 8);
    if whole {
        out.push_str("^(?:");
    }
    let (mut escaped, mut in_class) = (false, false);
    for c in pattern.chars() {
        match c {
            '.' if !escaped && !in_class => out.push_str("[^\\n\\r]"),
            c => out.push(c),
        }
        if !escaped {
            in_class = c == '[' || in_class && c != ']';
        }
        escaped = c == '\\' && !escaped;
    }
    if whole {
        out.push_str(")$");
    }
    out
}

/// The indexes of a slice, section 2.3.4.2.
struct Slice {
    next: i64,
    bound: i64,
    step: i64,
}

impl Slice {
    fn new(length: usize, start: Option<i64>, end: Option<i64>, step: i64) -> Slice {
        let length = i64::try_from(length).unwrap_or(i64::MAX);
        let from_start = |index: i64| {
            if index < 0 {
                index.saturating_add(length)
            } else {
                index
            }
        };
        let (low, high) = if step > 0 {
            (0, length)
        } else {
            (-1, length - 1)
        };
        let bounded = |index: Option<i64>, missing| match index {
            Some(index) => from_start(index).clamp(low, high.max(low)),
            None => missing,
        };
        let (first, last) = if step > 0 { (low, high) } else { (high, low) };
        Slice {
            next: bounded(start, first),
            bound: bounded(end, last),
            step,
        }
    }

    fn next(&mut self) -> Option<usize> {
        let more = match self.step {
            0 => false,
            1.. => self.next < self.bound,
            _ => self.next > self.bound,
        };
        let at = usize::try_from(self.next).ok().filter(|_| more)?;
        self.next = self.next.saturating_add(self.step);
        Some(at)
    }
}

/// The elements of an array.
fn array(node: &Value) -> Option<Vec<Value>> {
    match node {
        Value::List(list) => Some(list.items()),
        Value::Set(set) => Some(set.items()),
        _ => None,
    }
}

/// The elements of an array, the values of an object.
fn children(node: &Value) -> Vec<Value> {
    match node {
        Value::Map(map) => map.with(|entries| entries.values().cloned().collect()),
        other => array(other).unwrap_or_default(),
    }
}

fn member(node: &Value, name: &str) -> Option<Value> {
    match node {
        Value::Map(map) => map.get_text(name),
        _ => None,
    }
}

/// An element, counted from the end when negative.
fn element(node: &Value, index: i64) -> Option<Value> {
    let at = |length: usize| {
        let length = i64::try_from(length).ok()?;
        usize::try_from(if index < 0 {
            index.checked_add(length)?
        } else {
            index
        })
        .ok()
    };
    match node {
        Value::List(list) => list.get(at(list.len())?),
        Value::Set(set) => set.with(|items| items.get_index(at(items.len())?).cloned()),
        _ => None,
    }
}

fn follow(path: &[SingularQuerySegment], start: &Value) -> Option<Value> {
    path.iter()
        .try_fold(start.clone(), |node, segment| match segment {
            SingularQuerySegment::Name(name) => member(&node, name),
            SingularQuerySegment::Index(index) => element(&node, *index),
        })
}

fn constant(literal: &Literal) -> Value {
    match literal {
        Literal::Int(n) => Value::Long(*n),
        Literal::Float(x) => Value::Double(*x),
        Literal::String(text) => Value::text(text),
        Literal::Bool(b) => Value::Bool(*b),
        Literal::Null => Value::Null,
    }
}

/// Numbers by value, texts by their characters; anything else has no order.
fn order(a: &Value, b: &Value) -> Option<Ordering> {
    match (a, b) {
        (Value::Text(a), Value::Text(b)) => Some(a.as_str().cmp(b.as_str())),
        _ => match (whole(a), whole(b)) {
            // Exact where doubles are not.
            (Some(a), Some(b)) => Some(a.cmp(&b)),
            _ => a.as_double()?.partial_cmp(&b.as_double()?),
        },
    }
}

fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Int(n) => Some(i64::from(*n)),
        Value::Long(n) => Some(*n),
        _ => None,
    }
}

fn equal(a: &Value, b: &Value, depth: usize) -> bool {
    if depth > DEEPEST {
        return false;
    }
    match (a, b) {
        (Value::Null, Value::Null) => true,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Text(a), Value::Text(b)) => a == b,
        (Value::Map(a), Value::Map(b)) => {
            if a.same(b) {
                return true;
            }
            a.len() == b.len()
                && a.entries().iter().all(|(key, value)| {
                    b.get(key)
                        .is_some_and(|other| equal(value, &other, depth + 1))
                })
        }
        _ => match (array(a), array(b)) {
            (Some(a), Some(b)) => {
                a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| equal(a, b, depth + 1))
            }
            _ => order(a, b) == Some(Ordering::Equal),
        },
    }
}
