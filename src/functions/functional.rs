//! Functions that call lambdas, and the pairing of lists.

use super::spec::{
    Example, Family, FunctionSpec, Kind, Parameter, SPEC, example, fails, optional, repeated,
    required,
};
use crate::diagnostic::Outcome;
use crate::eval::collections::{List, check_size};
use crate::eval::{Call, Lambda, Value};
use smol_str::SmolStr;
use std::sync::Arc;

const WALKED: Parameter = required(
    "list",
    Kind::Iterable,
    "a list, a set, or a string, which is walked character by character",
);

/// The functions of this family.
pub const FUNCTIONS: &[FunctionSpec] = &[MAP, FILTER, REDUCE, ZIP, ZIP_LONGEST];

const MAP: FunctionSpec = FunctionSpec {
    name: "MAP",
    family: Family::Functional,
    summary: "Calls a lambda with every element and makes a list of the results.",
    details: "A string is walked by characters, and a character is never equal to a string of one letter: \
        turn it into one with TO_STRING first. The walk is over the elements that were there when it began, \
        so the lambda may change the list. With null in place of the lambda the first argument comes back as it is.",
    parameters: &[
        WALKED,
        required("f", Kind::Lambda, "called with one element"),
    ],
    returns: "a new list of the results, in order; null for a null list",
    errors: &[
        "the first argument is a map, a number or anything else that has no elements to walk",
        "the second argument is not a lambda",
        "whatever the lambda fails with",
    ],
    examples: &[
        example("MAP([1, 2, 3], x -> x * x)", "[1, 4, 9]"),
        example("MAP('abc', c -> TO_UPPER(c))", "[A, B, C]"),
        example("MAP(null, x -> x)", "null"),
        fails("MAP({'a': 1}, x -> x)", "E0203"),
    ],
    see: &["FILTER", "REDUCE", "ZIP"],
    words: &["transform", "apply", "for each", "loop", "collect"],
    pure: false,
    borrows: false,
    run: map,
    ..SPEC
};

const FILTER: FunctionSpec = FunctionSpec {
    name: "FILTER",
    family: Family::Functional,
    summary: "Keeps the elements for which a lambda gives true.",
    details: "Only the boolean true keeps an element: null, 1 and 'true' do not, and are no errors either. \
        Elements that are null are asked about like any other. \
        With null in place of the lambda the first argument comes back as it is.",
    parameters: &[
        WALKED,
        required("predicate", Kind::Lambda, "called with one element"),
    ],
    returns: "a new list of the elements kept, in order; null for a null list",
    errors: &[
        "the first argument is a map, a number or anything else that has no elements to walk",
        "the second argument is not a lambda",
        "whatever the lambda fails with",
    ],
    examples: &[
        example("FILTER([1, 5, 2, 8], x -> x > 2)", "[5, 8]"),
        example("FILTER(['a', null], x -> x != null)", "[a]"),
        example("FILTER([1, 2], x -> 'true')", "[]"),
        example("FILTER(null, x -> true)", "null"),
    ],
    see: &["MAP", "REDUCE"],
    words: &["select", "where", "grep", "remove", "predicate"],
    pure: false,
    borrows: false,
    run: filter,
    ..SPEC
};

const REDUCE: FunctionSpec = FunctionSpec {
    name: "REDUCE",
    family: Family::Functional,
    summary: "Works through the elements with a lambda that takes the result so far and the next element.",
    details: "The first call gets the initial value as its result so far; what the last call gives is the answer. \
        A null list, lambda or initial value gives null, and so does leaving the lambda or the initial value out. \
        A null result in the middle is handed on like any other.",
    parameters: &[
        WALKED,
        optional(
            "f",
            Kind::Lambda,
            "called with the result so far and the next element",
        ),
        optional("initial", Kind::Any, "the result before the first element"),
    ],
    returns: "the last result; the initial value when there are no elements",
    errors: &[
        "the first argument is a map, a number or anything else that has no elements to walk",
        "the second argument is not a lambda",
        "whatever the lambda fails with",
    ],
    examples: &[
        example("REDUCE([1, 2, 3], (sum, x) -> sum + x, 0)", "6"),
        example("REDUCE([], (sum, x) -> sum + x, 10)", "10"),
        example("REDUCE([1, 2], (sum, x) -> sum + x, null)", "null"),
        example(
            "REDUCE(['a', 'b'], (m, x) -> MAP_PUT(x, LENGTH(x), m), {})",
            "{a=1, b=1}",
        ),
    ],
    see: &["MAP", "FILTER", "MAX", "MIN", "JOIN"],
    words: &["fold", "accumulate", "aggregate", "sum", "inject"],
    pure: false,
    borrows: false,
    run: reduce,
    ..SPEC
};

const ZIP_EXAMPLES: &[Example] = &[
    example("ZIP([1, 2], ['a', 'b'])", "[[1, a], [2, b]]"),
    example("ZIP([1, 2, 3], ['a'])", "[[1, a]]"),
    example("ZIP([1, 2])", "[[1], [2]]"),
    example("ZIP()", "[]"),
];

const ZIP: FunctionSpec = FunctionSpec {
    name: "ZIP",
    family: Family::Functional,
    summary: "Puts the first elements of several lists together, then the second ones, and so on to the end of the shortest.",
    details: "Arguments that are not lists, null and sets among them, are left out without a word.",
    parameters: &[repeated(
        "lists",
        Kind::List,
        "the lists to go through side by side",
    )],
    returns: "a list of lists, as many as the shortest list has elements",
    examples: ZIP_EXAMPLES,
    see: &["ZIP_LONGEST", "MAP"],
    words: &["pair", "combine", "transpose", "side by side"],
    run: |call| zip(call, |lengths| lengths.min()),
    ..SPEC
};

const ZIP_LONGEST: FunctionSpec = FunctionSpec {
    name: "ZIP_LONGEST",
    family: Family::Functional,
    summary: "Puts the first elements of several lists together, then the second ones, and so on to the end of the longest.",
    details: "Where a list has ended there is null. Arguments that are not lists, null and sets among them, are left out \
        without a word.",
    parameters: &[repeated(
        "lists",
        Kind::List,
        "the lists to go through side by side",
    )],
    returns: "a list of lists, as many as the longest list has elements",
    examples: &[
        example(
            "ZIP_LONGEST([1, 2], [3, 4, 5])",
            "[[1, 3], [2, 4], [null, 5]]",
        ),
        example("ZIP_LONGEST([1], 'x')", "[[1]]"),
        example("ZIP_LONGEST()", "[]"),
    ],
    see: &["ZIP", "MAP"],
    words: &["pair", "combine", "transpose", "pad"],
    run: |call| zip(call, |lengths| lengths.max()),
    ..SPEC
};

/// What a walk goes over: a copy of the element pointers, or a string.
enum Walk {
    Items(Vec<Value>),
    Text(SmolStr),
}

/// The first argument as something to walk; `None` for null.
fn walk(call: &Call<'_, '_>) -> Outcome<Option<Walk>> {
    Ok(Some(match call.arg(0) {
        Value::Null => return Ok(None),
        Value::List(list) => Walk::Items(list.items()),
        Value::Set(set) => Walk::Items(set.items()),
        Value::Text(text) => Walk::Text(text.clone()),
        _ => return Err(call.wrong_type(0, "a list, a set or a string")),
    }))
}

/// The second argument as a lambda; `None` for null.
fn lambda(call: &Call<'_, '_>) -> Outcome<Option<Arc<Lambda>>> {
    match call.arg(1) {
        Value::Null => Ok(None),
        Value::Lambda(lambda) => Ok(Some(lambda.clone())),
        _ => Err(call.wrong_type(1, "a lambda")),
    }
}

/// The walk and the lambda of MAP and FILTER; `None` when the first argument is the answer.
fn both(call: &Call<'_, '_>) -> Outcome<Option<(Walk, Arc<Lambda>)>> {
    // A wrong type is an error even where the other argument is null.
    let lambda = lambda(call)?;
    Ok(walk(call)?.zip(lambda))
}

fn map(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let Some((walk, lambda)) = both(call)? else {
        return Ok(call.take(0));
    };
    let items = match walk {
        Walk::Items(mut items) => {
            for item in &mut items {
                *item = call.invoke(&lambda, std::slice::from_ref(item))?;
            }
            items
        }
        Walk::Text(text) => {
            let limit = call.context().limits.collection;
            let mut results = Vec::new();
            for unit in text.encode_utf16() {
                check_size(results.len() + 1, limit)?;
                results.push(call.invoke(&lambda, &[Value::Char(unit)])?);
            }
            results
        }
    };
    Ok(Value::List(List::array(items)))
}

fn filter(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let Some((walk, lambda)) = both(call)? else {
        return Ok(call.take(0));
    };
    let wanted = |item: Value| match call.invoke(&lambda, std::slice::from_ref(&item)) {
        Ok(Value::Bool(true)) => Some(Ok(item)),
        Ok(_) => None,
        Err(fault) => Some(Err(fault)),
    };
    let kept: Outcome<Vec<Value>> = match walk {
        Walk::Items(items) => items.into_iter().filter_map(wanted).collect(),
        Walk::Text(text) => {
            let limit = call.context().limits.collection;
            let mut kept = Vec::new();
            for item in text.encode_utf16().map(Value::Char).filter_map(wanted) {
                check_size(kept.len() + 1, limit)?;
                kept.push(item?);
            }
            Ok(kept)
        }
    };
    Ok(Value::List(List::array(kept?)))
}

fn reduce(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let walk = walk(call)?;
    if call.count() < 3 {
        return Ok(Value::Null);
    }
    let Some((walk, lambda)) = walk.zip(lambda(call)?) else {
        return Ok(Value::Null);
    };
    let mut result = call.take(2);
    if result.is_null() {
        return Ok(result);
    }
    match walk {
        Walk::Items(items) => {
            for item in items {
                result = call.invoke(&lambda, &[result, item])?;
            }
        }
        Walk::Text(text) => {
            for unit in text.encode_utf16() {
                result = call.invoke(&lambda, &[result, Value::Char(unit)])?;
            }
        }
    }
    Ok(result)
}

/// Goes through all lists side by side, to the length that `choose` picks.
fn zip(
    call: &mut Call<'_, '_>,
    choose: fn(&mut dyn Iterator<Item = usize>) -> Option<usize>,
) -> Outcome<Value> {
    let lists: Vec<List> = call
        .arguments
        .iter()
        .filter_map(|argument| match argument {
            Value::List(list) => Some(list.clone()),
            _ => None,
        })
        .collect();
    let length = choose(&mut lists.iter().map(List::len)).unwrap_or(0);
    let mut rows = Vec::with_capacity(length);
    for index in 0..length {
        call.step()?;
        let row = lists
            .iter()
            .map(|list| list.get(index).unwrap_or(Value::Null));
        rows.push(Value::List(List::array(row.collect())));
    }
    Ok(Value::List(List::array(rows)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use crate::engine::Engine;
    use crate::eval::Value;

    fn typed(expression: &str) -> String {
        format!("{:?}", Engine::bare().evaluate(expression).unwrap())
    }

    #[test]
    fn a_change_during_a_walk_is_not_seen_by_it() {
        let engine = Engine::bare();
        assert_eq!(
            typed("MAP([1, 2], x -> LENGTH(LIST_ADD([1, 2], x)))"),
            "List([3, 3])"
        );
        // The lambda gets at the list that is walked by way of REDUCE's running result.
        let grown =
            "REDUCE([[1, 2]], (n, l) -> LENGTH(MAP(l, x -> LIST_ADD(l, x))) + LENGTH(l), 0)";
        assert!(matches!(engine.evaluate(grown).unwrap(), Value::Int(6)));
        assert_eq!(
            engine
                .evaluate("MAP([[1]], l -> LIST_ADD(l, l))")
                .unwrap_err()
                .code
                .name(),
            "E0214"
        );
    }

    #[test]
    fn strings_are_walked_by_units() {
        assert_eq!(typed("FILTER('aba', c -> c == 'a')"), "List([])");
        assert_eq!(
            typed("FILTER('aba', c -> TO_UPPER(c) == 'A')"),
            "List([a, a])"
        );
        assert_eq!(typed("LENGTH(MAP('a😀', c -> c))"), "Integer(3)");
        assert_eq!(typed("REDUCE('abc', (t, c) -> t + 1, 0)"), "Integer(3)");
        assert_eq!(typed("REDUCE('abc', 5)"), "Null(null)");
        assert_eq!(typed("MAP('abc', null)"), "String(abc)");
    }

    #[test]
    fn what_comes_back_as_it_is_is_the_same_list() {
        assert_eq!(
            typed("REDUCE([[1]], (n, l) -> LENGTH(LIST_ADD(FILTER(l, null), 2)) + LENGTH(l), 0)"),
            "Integer(4)"
        );
    }

    #[test]
    fn wrong_types_are_errors_even_beside_null() {
        let engine = Engine::bare();
        for expression in [
            "MAP(null, 5)",
            "MAP(5, null)",
            "FILTER([], '12')",
            "REDUCE(5)",
            "REDUCE([1], 5, 0)",
        ] {
            let fault = engine.evaluate(expression).unwrap_err();
            assert_eq!(fault.code.name(), "E0203", "{expression}");
        }
    }
}
