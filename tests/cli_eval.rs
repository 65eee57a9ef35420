//! `stellar eval`: one expression, and the partner process that `--jsonl` starts.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use serde_json::{Value as Json, json};
use std::time::Duration;
use support::Home;

/// The answers to these lines.
fn answers(home: &Home, options: &[&str], lines: &[&str]) -> Vec<Json> {
    let mut input = lines.join("\n").into_bytes();
    input.push(b'\n');
    let arguments = [&["eval", "--jsonl"], options].concat();
    home.run(&arguments, input).ended(0).json()
}

/// The answer to one line.
fn answer(line: &str) -> Json {
    let mut all = answers(&Home::new(), &[], &[line]);
    assert_eq!(all.len(), 1);
    all.remove(0)
}

fn error(line: &str) -> Json {
    let answer = answer(line);
    assert_eq!(answer["ok"], json!(false), "{answer}");
    answer["error"].clone()
}

#[test]
fn an_expression_prints_its_text_form() {
    let home = Home::new();
    for (expression, text) in [
        ("1 + 2", "3"),
        ("null", "null"),
        ("", "null"),
        ("'a' + 1", "a1"),
        ("[1, 2.0, 'x', null]", "[1, 2.0, x, null]"),
        ("{'a' : 1}", "{a=1}"),
        ("1e10", "1.0E10"),
        ("x -> x + 1", "x -> x + 1"),
        ("-1", "-1"),
        ("TO_UPPER('straße')", "STRASSE"),
    ] {
        let ran = home.run(&["eval", expression], "").ended(0);
        assert_eq!(
            (ran.out(), ran.err.as_str()),
            (format!("{text}\n").as_str(), ""),
            "{expression}"
        );
    }
}

#[test]
fn a_value_prints_as_json_and_typed() {
    let home = Home::new();
    let expression = "{'a' : [1, 2L, 2.5f, 1.0, NaN, null], 'b' : SET_INIT(['x']), 3 : true}";
    let ran = home
        .run(&["eval", "--format", "json", expression], "")
        .ended(0);
    assert_eq!(
        ran.json(),
        [json!({"a": [1, 2, 2.5, 1.0, "NaN", null], "b": ["x"], "3": true})]
    );
    assert!(
        ran.out().contains("1.0,\"NaN\""),
        "a double keeps its fraction: {}",
        ran.out()
    );
    let ran = home.run(&["eval", "--typed", expression], "").ended(0);
    let text = |t: &str| json!({"type": "String", "value": t});
    let numbers = json!([
        {"type": "Integer", "value": 1},
        {"type": "Long", "value": 2},
        {"type": "Float", "value": "2.5"},
        {"type": "Double", "value": "1.0"},
        {"type": "Double", "value": "NaN"},
        {"type": "null"},
    ]);
    let expected = json!({"type": "Map", "value": [
        [text("a"), {"type": "List", "value": numbers}],
        [text("b"), {"type": "Set", "value": [text("x")]}],
        [{"type": "Integer", "value": 3}, {"type": "Boolean", "value": true}],
    ]});
    assert_eq!(ran.json(), [expected]);
}

#[test]
fn variables_come_from_the_command_line_and_files() {
    let home = Home::new();
    home.write("vars.json", r#"{"a": 1, "b": {"c": [1, 2]}}"#);
    let run = |arguments: &[&str]| {
        home.run(&[&["eval"], arguments].concat(), "")
            .ended(0)
            .out()
            .to_string()
    };
    assert_eq!(
        run(&["a + b.c", "--vars", "vars.json", "--var", "b.c=5"]),
        "6\n"
    );
    assert_eq!(run(&["b.c", "--vars", "vars.json"]), "[1, 2]\n");
    assert_eq!(run(&["t", "--var", "t=not JSON"]), "not JSON\n");
    assert_eq!(run(&["t", "--var", "t={\"x\":1}"]), "{x=1}\n");
    assert_eq!(run(&["t", "--var", "t=1", "--var", "t=2"]), "2\n");
    assert_eq!(run(&["missing"]), "null\n");
    let ran = home.run(&["eval", "1", "--var", "nothing"], "").ended(2);
    assert!(ran.err.contains("E0504"), "{}", ran.err);
    let ran = home
        .run(&["eval", "1", "--vars", "missing.json"], "")
        .ended(1);
    assert!(
        ran.err.contains("E0403") && ran.err.contains("missing.json"),
        "{}",
        ran.err
    );
    home.write("list.json", "[1]");
    home.run(&["eval", "1", "--vars", "list.json"], "").ended(1);
}

#[test]
fn failures_end_with_1_and_wrong_use_with_2() {
    let home = Home::new();
    for (expression, code) in [
        ("1 +", "E0101"),
        ("NOPE()", "E0201"),
        ("1 / 0", "E0206"),
        ("((", "E0102"),
        ("x := 1", "E0110"),
    ] {
        let ran = home.run(&["eval", expression], "").ended(1);
        assert!(
            ran.err.starts_with(&format!("error[{code}]")),
            "{}",
            ran.err
        );
        assert!(
            ran.err.contains('^'),
            "a caret shows the place: {}",
            ran.err
        );
        assert_eq!(ran.out(), "");
    }
    for arguments in [
        &["eval"][..],
        &["eval", "1", "--jsonl"],
        &["eval", "1", "--nope"],
        &["eval", "1", "--format", "xml"],
        &["nope"],
    ] {
        let ran = home.run(arguments, "").ended(2);
        assert_eq!(ran.out(), "");
        assert!(!ran.err.is_empty());
    }
}

#[test]
fn an_answer_has_these_fields_in_this_order() {
    let home = Home::new();
    let ran = home
        .run(
            &["eval", "--jsonl"],
            "{\"id\": 7, \"expr\": \"1 + 2\"}\n{\"expr\":\"1 +\"}\n",
        )
        .ended(0);
    let lines = ran.lines();
    assert_eq!(
        lines[0],
        r#"{"id":7,"ok":true,"type":"Integer","value":3,"text":"3"}"#
    );
    assert_eq!(lines.len(), 2);
    let keys: Vec<String> = ran.json()[1]["error"]
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect();
    assert_eq!(
        keys,
        ["kind", "code", "message", "span", "line", "column", "hint"]
    );
    assert_eq!(ran.json()[1]["id"], Json::Null);
    assert_eq!(ran.json()[1]["ok"], json!(false));
}

#[test]
fn an_id_of_any_type_comes_back() {
    for id in [
        "null",
        "1",
        "1.5",
        "-0.0",
        "\"x\"",
        "\"\"",
        "true",
        "[1,{\"a\":null}]",
        "{\"b\":[],\"a\":1}",
        "123456789012345678901234567890",
        "\"é\\u0000\"",
    ] {
        for expression in ["1", "1 +", "nope()"] {
            let line = format!("{{\"id\":{id},\"expr\":\"{expression}\"}}");
            let expected: Json = serde_json::from_str(id).unwrap();
            assert_eq!(answer(&line)["id"], expected, "{line}");
        }
    }
    assert_eq!(answer(r#"{"expr":"1"}"#)["id"], Json::Null);
    // Also when something else in the request is wrong.
    assert_eq!(answer(r#"{"id":5}"#)["id"], json!(5));
    assert_eq!(answer(r#"{"id":5,"expr":1}"#)["id"], json!(5));
    assert_eq!(answer(r#"{"id":5,"expr":"1","vars":3}"#)["id"], json!(5));
}

#[test]
fn every_type_has_its_name_and_plain_json() {
    for (expression, kind, value, text) in [
        ("null", "Null", json!(null), "null"),
        ("true", "Boolean", json!(true), "true"),
        ("1", "Integer", json!(1), "1"),
        ("1L", "Long", json!(1), "1"),
        (
            "big",
            "BigInteger",
            serde_json::from_str("12345678901234567890123").unwrap(),
            "12345678901234567890123",
        ),
        ("1.0f", "Float", json!(1.0), "1.0"),
        ("1.0", "Double", json!(1.0), "1.0"),
        ("NaN", "Double", json!("NaN"), "NaN"),
        ("1.0 / 0", "Double", json!("Infinity"), "Infinity"),
        ("-1.0 / 0", "Double", json!("-Infinity"), "-Infinity"),
        ("huge", "Double", json!("Infinity"), "Infinity"),
        ("GET_FIRST(MAP('xy', c -> c))", "Character", json!("x"), "x"),
        ("'é\\n'", "String", json!("é\n"), "é\n"),
        ("[1, [2]]", "List", json!([1, [2]]), "[1, [2]]"),
        ("SET_INIT([2, 1, 2])", "Set", json!([2, 1]), "[2, 1]"),
        (
            "{1 : 'a', 'b' : null}",
            "Map",
            json!({"1": "a", "b": null}),
            "{1=a, b=null}",
        ),
        ("x -> x", "Lambda", json!("x -> x"), "x -> x"),
        ("", "Null", json!(null), "null"),
    ] {
        let vars = r#"{"big": 12345678901234567890123, "huge": 1e999}"#;
        let line = format!("{{\"expr\":{},\"vars\":{vars}}}", json!(expression));
        let answer = answer(&line);
        assert_eq!(answer["ok"], json!(true), "{expression}: {answer}");
        assert_eq!(
            (&answer["type"], &answer["value"]),
            (&json!(kind), &value),
            "{expression}"
        );
        assert_eq!(answer["text"], json!(text), "{expression}");
        assert_eq!(answer.get("typed"), None);
    }
}

#[test]
fn typed_answers_lose_nothing() {
    let home = Home::new();
    let lines = [
        r#"{"expr":"1.0f"}"#,
        r#"{"expr":"{1 : 'a', '1' : 'b'}"}"#,
        r#"{"expr":"NaN"}"#,
        r#"{"expr":"null"}"#,
        r#"{"expr":"nope()"}"#,
    ];
    let all = answers(&home, &["--typed"], &lines);
    assert_eq!(all[0]["typed"], json!({"type": "Float", "value": "1.0"}));
    let text = |t: &str| json!({"type": "String", "value": t});
    let pairs = json!([[{"type": "Integer", "value": 1}, text("a")], [text("1"), text("b")]]);
    assert_eq!(all[1]["typed"], json!({"type": "Map", "value": pairs}));
    assert_eq!(all[2]["typed"], json!({"type": "Double", "value": "NaN"}));
    assert_eq!(all[3]["typed"], json!({"type": "null"}));
    assert_eq!(
        (all[4]["ok"].clone(), all[4].get("typed")),
        (json!(false), None)
    );
    assert_eq!(
        (&all[0]["type"], &all[0]["value"]),
        (&json!("Float"), &json!(1.0)),
        "the plain form stays"
    );
}

#[test]
fn variables_are_read_by_name_and_by_path() {
    let vars = r#"{"x":{"y":{"z":1},"y.z":2},"x.q":3,"e":null,"d":1,"d":2,"l":[{"a":1}],"big":3000000000}"#;
    for (expression, value) in [
        ("x.y.z", json!(2)),
        ("x.q", json!(3)),
        ("x.nothing", json!(null)),
        ("e", json!(null)),
        ("exists(e)", json!(false)),
        ("exists(x.y)", json!(true)),
        ("d", json!(2)),
        ("l.a", json!(null)),
        ("big + 1", json!(3_000_000_001_i64)),
        ("LENGTH(_)", json!(5)),
        ("MAP_GET('d', _)", json!(2)),
    ] {
        let line = format!(
            "{{\"vars\":{vars},\"expr\":{},\"other\":[1]}}",
            json!(expression)
        );
        assert_eq!(answer(&line)["value"], value, "{expression}");
    }
    assert_eq!(answer(r#"{"expr":"x","vars":null}"#)["value"], json!(null));
    assert_eq!(answer(r#"{"expr":"x"}"#)["value"], json!(null));
}

#[test]
fn lines_do_not_see_the_variables_of_others() {
    let home = Home::new();
    let lines = [
        r#"{"expr":"x","vars":{"x":1}}"#,
        r#"{"expr":"x"}"#,
        r#"{"expr":"x","vars":{"x":"b"}}"#,
    ];
    let values: Vec<Json> = answers(&home, &[], &lines)
        .iter()
        .map(|a| a["value"].clone())
        .collect();
    assert_eq!(values, [json!(1), json!(null), json!("b")]);
}

#[test]
fn the_globals_of_the_process_are_seen() {
    let home = Home::new();
    home.write("global.json", r#"{"answer": 42}"#);
    let input = "{\"expr\":\"GET_GLOBALS('answer')\"}\n{\"expr\":\"answer\"}\n";
    let ran = home
        .run(&["eval", "--jsonl", "--globals", "global.json"], input)
        .ended(0);
    assert_eq!(ran.json().len(), 2);
    assert_eq!(
        ran.json()[1]["value"],
        json!(null),
        "a global is no variable"
    );
}

#[test]
fn a_request_that_cannot_be_read_is_of_kind_input() {
    for line in [
        "nonsense",
        "[1]",
        "\"1\"",
        "1",
        "null",
        "{\"expr\":\"1\"",
        "{\"expr\":\"1\"} x",
        "{\"expr\":\"1\",}",
        "{'expr':'1'}",
        "{}",
        r#"{"expr":null}"#,
        r#"{"expr":1}"#,
        r#"{"expr":["1"]}"#,
        r#"{"expr":"1","vars":[]}"#,
        r#"{"expr":"1","vars":"x"}"#,
        r#"{"expr":"1","vars":1}"#,
        r#"{"Expr":"1"}"#,
        "{\"expr\":\"1\0\"}",
        "\0",
        "{\"expr\":\"a\tb\"}",
        "NaN",
        "{\"expr\":NaN}",
    ] {
        let error = error(line);
        assert_eq!(error["kind"], json!("input"), "{line}: {error}");
        assert_eq!(
            (&error["span"], &error["line"], &error["column"]),
            (&json!(null), &json!(null), &json!(null))
        );
    }
    let home = Home::new();
    let ran = home
        .run(
            &["eval", "--jsonl"],
            b"{\"expr\":\"'\xff'\"}\n{\"expr\":\"1\"}\n",
        )
        .ended(0);
    assert_eq!(ran.json()[0]["error"]["kind"], json!("input"));
    assert_eq!(ran.json()[0]["error"]["code"], json!("E0402"));
    assert_eq!(
        ran.json()[1]["value"],
        json!(1),
        "the next line is answered"
    );
}

#[test]
fn variables_nest_to_256_levels() {
    let nested = |levels: usize| {
        let (open, close) = ("[".repeat(levels - 1), "]".repeat(levels - 1));
        format!("{{\"expr\":\"LENGTH(x)\",\"vars\":{{\"x\":{open}{close}}}}}")
    };
    assert_eq!(answer(&nested(256))["ok"], json!(true));
    let error = error(&nested(258));
    assert!(
        ["input", "limit"].contains(&error["kind"].as_str().unwrap()),
        "{error}"
    );
}

#[test]
fn what_only_the_shell_knows_is_a_syntax_error() {
    for expression in [
        "x := 1",
        "%vars",
        "%define a := 1",
        "?TO_UPPER",
        "def f(x) := x",
        "1; 2",
        "1\n2",
    ] {
        let error = error(&json!({"expr": expression}).to_string());
        assert_eq!(error["kind"], json!("syntax"), "{expression}: {error}");
    }
}

#[test]
fn errors_have_their_kind_and_place() {
    for (expression, kind, code, span, line, column) in [
        ("1 +", "syntax", "E0101", json!([3, 3]), 1, 4),
        ("nope(1)", "evaluation", "E0201", json!([0, 4]), 1, 1),
        ("SPLIT('a')", "evaluation", "E0202", json!([0, 10]), 1, 1),
        ("1 / 0", "evaluation", "E0206", json!([0, 5]), 1, 1),
        (
            "FILL_LEFT('', 'x', 2000000000)",
            "limit",
            "E0303",
            json!([0, 30]),
            1,
            1,
        ),
        // Spans count bytes, columns characters, both in the text as it was sent.
        ("'é😀' + (1 +", "syntax", "E0102", json!([11, 12]), 1, 8),
        ("'é' + nope()", "evaluation", "E0201", json!([7, 11]), 1, 7),
        (
            "1 +\r\n  'é' + nope()",
            "evaluation",
            "E0201",
            json!([14, 18]),
            2,
            9,
        ),
        ("\n\n  nope()", "evaluation", "E0201", json!([4, 8]), 3, 3),
        ("\t nope()", "evaluation", "E0201", json!([2, 6]), 1, 3),
    ] {
        let error = error(&json!({"expr": expression}).to_string());
        assert_eq!(
            (&error["kind"], &error["code"]),
            (&json!(kind), &json!(code)),
            "{expression}: {error}"
        );
        assert_eq!(error["span"], span, "{expression}: {error}");
        assert_eq!(
            (&error["line"], &error["column"]),
            (&json!(line), &json!(column)),
            "{expression}: {error}"
        );
        assert!(!error["message"].as_str().unwrap().is_empty());
    }
    assert_eq!(
        error(r#"{"expr":"TO_UPER('a')"}"#)["hint"],
        json!("did you mean TO_UPPER?")
    );
    assert_eq!(error(r#"{"expr":"1 + true"}"#)["kind"], json!("evaluation"));
    let deep = json!({"expr": format!("{}1{}", "(".repeat(300), ")".repeat(300))});
    let error = error(&deep.to_string());
    assert_eq!(
        (&error["kind"], &error["span"]),
        (&json!("limit"), &json!([256, 257]))
    );
}

#[test]
fn a_text_beyond_the_limit_of_expressions_is_a_limit() {
    let error = error(&json!({"expr": "1+".repeat(40_000)}).to_string());
    assert_eq!(
        (&error["kind"], &error["code"]),
        (&json!("limit"), &json!("E0301"))
    );
}

#[test]
fn blank_lines_are_no_requests_and_the_last_line_may_lack_its_end() {
    let home = Home::new();
    let ran = home
        .run(
            &["eval", "--jsonl"],
            "\n  \r\n{\"expr\":\"1\"}\r\n\n\t\n{\"expr\":\"2\"}",
        )
        .ended(0);
    let values: Vec<Json> = ran.json().iter().map(|a| a["value"].clone()).collect();
    assert_eq!(values, [json!(1), json!(2)]);
    assert_eq!(home.run(&["eval", "--jsonl"], "").ended(0).out(), "");
}

#[test]
fn a_line_beyond_the_limit_is_refused_and_the_next_is_answered() {
    let home = Home::new();
    let long = json!({"id": 1, "expr": "x", "vars": {"x": "y".repeat(300_000)}}).to_string();
    let input = format!("{long}\n{{\"expr\":\"1\"}}\n{long}\n{{\"expr\":\"2\"}}\n{long}");
    let ran = home
        .run(&["eval", "--jsonl", "--set", "limits.line=100000"], input)
        .ended(0);
    let all = ran.json();
    assert_eq!(all.len(), 5);
    for i in [0, 2, 4] {
        assert_eq!(all[i]["error"]["code"], json!("E0405"));
        assert_eq!(all[i]["id"], json!(null));
    }
    assert_eq!((&all[1]["value"], &all[3]["value"]), (&json!(1), &json!(2)));
}

#[test]
fn many_lines_are_answered_in_order() {
    let home = Home::new();
    let input: String = (0..20_000)
        .map(|i| format!("{{\"id\":{i},\"expr\":\"x * 2\",\"vars\":{{\"x\":{i}}}}}\n"))
        .collect();
    let ran = home.run(&["eval", "--jsonl"], input).ended(0);
    let all = ran.json();
    assert_eq!(all.len(), 20_000);
    for (i, answer) in all.iter().enumerate() {
        assert_eq!(
            (&answer["id"], &answer["value"]),
            (&json!(i), &json!(2 * i))
        );
    }
}

#[test]
fn an_answer_comes_before_the_next_line_is_sent() {
    let home = Home::new();
    let mut talk = home.talk(&["eval", "--jsonl"]);
    for i in 0..50 {
        talk.say(format!("{{\"expr\":\"{i}\"}}\n"));
        let answer: Json = serde_json::from_str(&talk.hear()).unwrap();
        assert_eq!(answer["value"], json!(i));
    }
    // Several at once, the last one in pieces.
    talk.say("{\"expr\":\"1\"}\n{\"expr\":\"2\"}\n{\"expr\":");
    assert!(talk.hear().contains("\"value\":1"));
    assert!(talk.hear().contains("\"value\":2"));
    talk.say("\"3\"}\n");
    assert!(talk.hear().contains("\"value\":3"));
    talk.hang_up();
    assert_eq!(talk.end().0, Some(0));
}

/// Would run for minutes.
const LONG: &str = "REDUCE(SPLIT(REGEXP_REPLACE(FILL_LEFT('', 'x', 3000), 'x', 'x,'), ','), (s, x) -> \
                    REDUCE(SPLIT(REGEXP_REPLACE(FILL_LEFT('', 'x', 3000), 'x', 'x,'), ','), (t, y) -> t + 1, 0), 0)";

#[test]
fn an_interrupt_ends_a_long_evaluation() {
    let home = Home::new();
    let mut talk = home.talk(&["eval", LONG]);
    std::thread::sleep(Duration::from_millis(700));
    talk.interrupt();
    let (code, time) = talk.end();
    println!("ended after {time:?}");
    assert_eq!(code, Some(1));
    assert!(time < Duration::from_secs(60), "{time:?}");
}

#[test]
fn an_interrupt_ends_a_partner_process_at_work_and_at_rest() {
    let home = Home::new();
    let mut talk = home.talk(&["eval", "--jsonl"]);
    talk.say(json!({"id": 1, "expr": LONG}).to_string() + "\n");
    std::thread::sleep(Duration::from_millis(700));
    talk.interrupt();
    let answer: Json = serde_json::from_str(&talk.hear()).unwrap();
    assert_eq!(
        (&answer["error"]["code"], &answer["error"]["kind"]),
        (&json!("E0307"), &json!("limit"))
    );
    let (code, time) = talk.end();
    assert_eq!(code, Some(1));
    assert!(time < Duration::from_secs(60), "{time:?}");

    let mut talk = home.talk(&["eval", "--jsonl"]);
    talk.say("{\"expr\":\"1\"}\n");
    talk.hear();
    talk.interrupt();
    let (code, time) = talk.end();
    assert_eq!(code, Some(1));
    assert!(time < Duration::from_secs(60), "{time:?}");
}
