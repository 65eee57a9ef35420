use crate::engine::Engine;
use crate::eval::collections::{List, ListKind, Map, MapKind};
use crate::eval::{Value, Variables};
use smol_str::SmolStr;
use std::sync::Arc;

struct One(Value);

impl Variables for One {
    fn get(&self, name: &str) -> Option<Value> {
        (name == "v").then(|| self.0.clone())
    }

    fn all(&self) -> Vec<(SmolStr, Value)> {
        vec![("v".into(), self.0.clone())]
    }
}

/// An engine whose variable `v` has this value.
fn engine(value: &Value) -> Engine {
    let mut engine = Engine::bare();
    engine.context.variables = Arc::new(One(value.clone()));
    engine
}

fn code(engine: &Engine, expression: &str) -> &'static str {
    engine
        .evaluate(expression)
        .map_or_else(|fault| fault.code.name(), |value| panic!("{value:?}"))
}

#[test]
fn changes_are_seen_through_variables() {
    let list = Value::List(List::linked(vec![Value::Int(1)]));
    let engine = engine(&list);
    engine.evaluate("LIST_ADD(v, 2)").unwrap();
    engine.evaluate("LIST_ADD(MAP_MERGE([v]), 3)").unwrap();
    assert_eq!(format!("{list:?}"), "List([1, 2, 3])");
    // A literal is made anew by each evaluation.
    let program = engine.compile("LIST_ADD([], 1)").unwrap();
    for _ in 0..2 {
        let value = program.evaluate(&engine.context).unwrap();
        assert_eq!(format!("{value:?}"), "List([1])");
    }
}

#[test]
fn nothing_gets_into_itself() {
    let list = engine(&Value::List(List::linked(Vec::new())));
    assert_eq!(code(&list, "LIST_ADD(v, v)"), "E0214");
    assert_eq!(code(&list, "LIST_ADD(v, [[v]])"), "E0214");
    assert_eq!(code(&list, "LIST_ADD(v, {'k': v})"), "E0214");
    let map = engine(&Value::Map(Map::empty(MapKind::Ordered)));
    for expression in [
        "MAP_PUT('k', v, v)",
        "MAP_PUT(v, 1, v)",
        "MAP_PUT('k', [v], v)",
        "MULTISET_ADD(v, v)",
        "MULTISET_ADD(v, [v])",
    ] {
        assert_eq!(code(&map, expression), "E0214", "{expression}");
    }
    let set = engine(&Engine::bare().evaluate("SET_INIT()").unwrap());
    assert_eq!(code(&set, "SET_ADD(v, v)"), "E0214");
    // The long way round: a holds v, then v would hold a.
    assert_eq!(code(&list, "LIST_ADD(v, LIST_ADD([], v))"), "E0214");
}

#[test]
fn the_view_of_variables_stays_as_it_is() {
    let engine = engine(&Value::Int(1));
    assert_eq!(code(&engine, "MAP_PUT('k', 1, _)"), "E0215");
    assert_eq!(code(&engine, "MULTISET_ADD(_, 1)"), "E0215");
    let copy = engine.evaluate("MAP_PUT('k', 2, MAP_MERGE([_, {}]))");
    assert_eq!(format!("{:?}", copy.unwrap()), "Map({v=1, k=2})");
}

#[test]
fn kinds() {
    let kind = |expression: &str| match Engine::bare().evaluate(expression).unwrap() {
        Value::Map(map) => map.kind(),
        other => panic!("{other:?}"),
    };
    assert_eq!(kind("MAP_PUT(1, 2, null)"), MapKind::Hash);
    assert_eq!(kind("MAP_MERGE([{}, {}])"), MapKind::Ordered);
    assert_eq!(kind("MAP_MERGE([{}])"), MapKind::Hash);
    assert_eq!(kind("MULTISET_MERGE([{'a': 1}])"), MapKind::Ordered);
    assert_eq!(kind("MULTISET_ADD(null)"), MapKind::Ordered);
    let list = Engine::bare().evaluate("ZIP([1])").unwrap();
    assert!(matches!(list, Value::List(list) if list.kind() == ListKind::Array));
}

#[test]
fn counts_that_are_no_counts() {
    let text = |expression: &str, start: &str| {
        let json = serde_json::from_str(start).unwrap();
        let engine = engine(&crate::eval::json::from_json(&json, 9).unwrap());
        match engine.evaluate(expression) {
            Ok(value) => format!("{value:?}"),
            Err(fault) => fault.code.name().to_string(),
        }
    };
    let start = r#"{"a": 2147483647, "n": null, "z": 0, "t": "x"}"#;
    assert_eq!(
        text("MULTISET_ADD(v, 'a', 'n', 'z')", start),
        "Map({a=-2147483648, n=1, z=1, t=x})"
    );
    assert_eq!(
        text("MULTISET_REMOVE(v, 'n', 'z', null)", start),
        "Map({a=2147483647, n=null, z=-1, t=x})"
    );
    assert_eq!(text("MULTISET_ADD(v, 't')", start), "E0204");
    assert_eq!(text("MULTISET_MERGE([v])", start), "E0204");
}

#[test]
fn limits_hold() {
    let mut engine = engine(&Value::List(List::linked(vec![Value::Null; 3])));
    engine.context.limits.collection = 3;
    for expression in [
        "LIST_ADD(v, 1)",
        "SET_ADD(SET_INIT([1, 2, 3]), 4)",
        "SET_MERGE([[1, 2], [3, 4]])",
        "MAP_PUT(4, 4, {1: 1, 2: 2, 3: 3})",
        "MAP_MERGE([{1: 1, 2: 2}, {3: 3, 4: 4}])",
        "MULTISET_MERGE([{1: 1, 2: 2}, {3: 3, 4: 4}])",
        "MAP('abcd', c -> c)",
    ] {
        assert_eq!(code(&engine, expression), "E0304", "{expression}");
    }
    for expression in [
        "SET_ADD(SET_INIT([1, 2, 3]), 3)",
        "MAP_PUT(3, 4, {1: 1, 2: 2, 3: 3})",
        "MULTISET_ADD(MULTISET_INIT([1, 2, 3]), 3)",
    ] {
        engine.evaluate(expression).unwrap();
    }
}

#[test]
fn a_loop_can_be_stopped() {
    let mut engine = engine(&Value::List(List::linked(vec![Value::Null; 1000])));
    engine.context.limits.steps = 300;
    for expression in [
        "SET_INIT(v)",
        "MULTISET_INIT(v)",
        "SET_MERGE([v, v])",
        "ZIP(v)",
    ] {
        assert_eq!(code(&engine, expression), "E0305", "{expression}");
    }
}
