use crate::engine::Engine;
use crate::eval::text::to_text;
use crate::eval::{Value, Variables};
use smol_str::SmolStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

struct Two(Value, Value);

impl Variables for Two {
    fn get(&self, name: &str) -> Option<Value> {
        match name {
            "v" => Some(self.0.clone()),
            "path" => Some(self.1.clone()),
            _ => None,
        }
    }

    fn all(&self) -> Vec<(SmolStr, Value)> {
        Vec::new()
    }
}

fn found(value: Value, path: &str) -> String {
    let mut engine = Engine::bare();
    engine.context.variables = Arc::new(Two(value, Value::text(path)));
    match engine.evaluate("JSON_PATH(v, path)") {
        Ok(value) => to_text(&value).to_string(),
        Err(fault) => fault.code.name().to_string(),
    }
}

#[track_caller]
fn check(json: &str, rows: &[(&str, &str)]) {
    for (path, expected) in rows {
        assert_eq!(found(Value::text(json), path), *expected, "{path}");
    }
}

/// The bookstore of RFC 9535, figure 1, and the answers of its table 2.
#[test]
fn the_bookstore() {
    let store = r#"{"store": {"book": [
        {"category": "reference", "author": "Nigel Rees", "title": "Sayings", "price": 8.95},
        {"category": "fiction", "author": "Evelyn Waugh", "title": "Sword", "price": 12.99},
        {"category": "fiction", "author": "Herman Melville", "title": "Moby Dick", "isbn": "0-553", "price": 8.99},
        {"category": "fiction", "author": "J. R. R. Tolkien", "title": "The Lord", "isbn": "0-395", "price": 22.99}],
        "bicycle": {"color": "red", "price": 399}}}"#;
    let authors = "[Nigel Rees, Evelyn Waugh, Herman Melville, J. R. R. Tolkien]";
    check(
        store,
        &[
            ("$.store.book[*].author", authors),
            ("$..author", authors),
            ("$.store..price", "[8.95, 12.99, 8.99, 22.99, 399]"),
            ("$..book[2].author", "[Herman Melville]"),
            ("$..book[2].publisher", "[]"),
            ("$..book[-1].title", "[The Lord]"),
            ("$..book[0,1].title", "[Sayings, Sword]"),
            ("$..book[:2].title", "[Sayings, Sword]"),
            ("$..book[?@.isbn].title", "[Moby Dick, The Lord]"),
            ("$..book[?@.price<10].title", "[Sayings, Moby Dick]"),
        ],
    );
}

#[test]
fn slices_of_the_rfc() {
    check(
        r#"["a", "b", "c", "d", "e", "f", "g"]"#,
        &[
            ("$[1:3]", "[b, c]"),
            ("$[5:]", "[f, g]"),
            ("$[1:5:2]", "[b, d]"),
            ("$[5:1:-2]", "[f, d]"),
            ("$[::-1]", "[g, f, e, d, c, b, a]"),
            ("$[::0]", "[]"),
            ("$[-2:]", "[f, g]"),
            ("$[10:-20:-1]", "[g, f, e, d, c, b, a]"),
            ("$[9007199254740991]", "[]"),
            ("$[-8]", "[]"),
        ],
    );
}

#[test]
fn filters_of_the_rfc() {
    let json = r#"{"a": [3, 5, 1, 2, 4, 6, {"b": "j"}, {"b": "k"}, {"b": {}}, {"b": "kilo"}],
        "o": {"p": 1, "q": 2, "r": 3, "s": 5, "t": {"u": 6}}, "e": "f"}"#;
    check(
        json,
        &[
            ("$.a[?@.b == 'kilo']", "[{b=kilo}]"),
            ("$.a[?(@.b == 'kilo')]", "[{b=kilo}]"),
            ("$.a[?@>3.5]", "[5, 4, 6]"),
            ("$.a[?@.b]", "[{b=j}, {b=k}, {b={}}, {b=kilo}]"),
            ("$.a[?@<2 || @.b == \"k\"]", "[1, {b=k}]"),
            ("$.a[?match(@.b, \"[jk]\")]", "[{b=j}, {b=k}]"),
            ("$.a[?search(@.b, \"[jk]\")]", "[{b=j}, {b=k}, {b=kilo}]"),
            ("$.o[?@>1 && @<4]", "[2, 3]"),
            ("$.o[?@.u || @.x]", "[{u=6}]"),
            ("$.a[?@.b == $.x]", "[3, 5, 1, 2, 4, 6]"),
            (
                "$.a[?@ == @]",
                "[3, 5, 1, 2, 4, 6, {b=j}, {b=k}, {b={}}, {b=kilo}]",
            ),
            ("$.a[?!@.b]", "[3, 5, 1, 2, 4, 6]"),
            ("$.a[?length(@.b) == 4]", "[{b=kilo}]"),
            ("$.a[?count(@.*) == 1].b", "[j, k, {}, kilo]"),
            ("$.a[?value(@..b) == 'j'].b", "[j]"),
            ("$['o']['p', 'q']", "[1, 2]"),
            ("$.a[?match(@.b, '(')]", "[]"),
            ("$ .a [ 0 , 1 ]", "[3, 5]"),
            ("$.a[ ? @ > 4 && ! @.b ]", "[5, 6]"),
            ("$[ 'a b' , 'e' ]", "[f]"),
        ],
    );
}

#[test]
fn values_keep_their_types() {
    let mut engine = Engine::bare();
    for (expression, expected) in [
        ("JSON_PATH([1, 1.0, 1L, '1'], '$[?@ == 1]')", "[1, 1.0, 1]"),
        ("JSON_PATH({'s': SET_INIT([7, 8])}, '$.s[1]')", "[8]"),
        ("JSON_PATH(5, '$')", "[5]"),
        ("JSON_PATH('5', '$')", "[5]"),
        ("JSON_PATH({'a': 1}, null)", "null"),
        ("JSON_PATH({'a': 1}, 5)", "E0203"),
        ("JSON_PATH({'a': 1})", "E0202"),
        ("JSON_PATH('{\"a\": 1} x', '$')", "E0216"),
    ] {
        let result = engine.evaluate(expression);
        let found = match result {
            Ok(value) => to_text(&value).to_string(),
            Err(fault) => fault.code.name().to_string(),
        };
        assert_eq!(found, expected, "{expression}");
    }
    // What is found is the part itself, not a copy.
    let list = Value::from(vec![Value::from(vec![Value::Int(1)])]);
    engine.context.variables = Arc::new(Two(list.clone(), Value::Null));
    engine
        .evaluate("LIST_ADD(GET_FIRST(JSON_PATH(v, '$[0]')), 2)")
        .unwrap();
    assert_eq!(to_text(&list), "[[1, 2]]");
}

#[test]
fn wrong_paths() {
    for path in [
        "",
        "a",
        "$.",
        "$[",
        "$[?",
        "$[01]",
        "$['a]",
        "$.a b",
        "$. a",
        "$[?@.a b]",
        "$.a\u{a0}b c",
        "$ .. a",
        "$[1 0]",
        "$[?@.a = 1]",
        "$[?f(@)]",
        "$[?in(@.a, @.b)]",
        "$[?length(@.*) < 3",
        "$[9007199254740993]",
    ] {
        assert_eq!(found(Value::text("{}"), path), "E0204", "{path}");
    }
}

#[test]
fn errors_say_where() {
    let fault = Engine::bare()
        .evaluate("JSON_PATH({}, '$.a[?@.b = 1]')")
        .unwrap_err();
    assert_eq!(
        fault.message,
        "JSON_PATH: the path goes wrong at character 10"
    );
}

#[test]
fn hostile_paths_and_values() {
    let begin = Instant::now();
    for path in [
        "$".repeat(5000),
        format!("${}", "[?@".repeat(1000)),
        format!("$[?{}@{}]", "(".repeat(2000), ")".repeat(2000)),
        format!("$[?{}@{}]", "length(".repeat(8), ")".repeat(8)),
        format!("$[?{}@{}==1]", "value(".repeat(8), ")".repeat(8)),
        format!("$[?{}@{}>1]", "count(@[?".repeat(8), "])".repeat(8)),
        format!("$[?{}x", "length(".repeat(8)),
        format!("$[?{}", "!".repeat(4000)),
    ] {
        found(Value::text("[1]"), &path);
    }
    let took = begin.elapsed();
    assert!(took < Duration::from_secs(20), "{took:?}");
    // A walk over every pair of levels stops at the limit of a collection.
    let deep = format!("{}1{}", "[".repeat(250), "]".repeat(250));
    assert_eq!(found(Value::text(&deep), "$..*..*..*..*"), "E0304");
}
