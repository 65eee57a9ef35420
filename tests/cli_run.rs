//! Scripts: `stellar run`, and scripts on standard input.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use serde_json::json;
use std::time::Duration;
use support::{Home, Ran};

/// Runs one script from a file.
fn script(text: &str) -> Ran {
    let home = Home::new();
    home.write("s.stellar", text);
    home.run(&["run", "s.stellar"], "")
}

/// What a good script prints.
#[track_caller]
fn prints(text: &str, lines: &[&str]) {
    let ran = script(text).ended(0);
    assert_eq!(ran.lines(), lines, "{text}");
    assert_eq!(ran.err, "", "{text}");
}

#[test]
fn a_statement_ends_with_its_line() {
    prints("1\n2\n", &["1", "2"]);
    prints("1\r\n2\r\n", &["1", "2"]);
    prints("1\n2", &["1", "2"]);
    prints("\n\n1\n\n\n2\n\n", &["1", "2"]);
    prints("", &[]);
    prints("\u{feff}1\n", &["1"]);
    prints("   1   \n\t2\t\n", &["1", "2"]);
}

#[test]
fn open_brackets_and_strings_hold_a_statement_together() {
    prints("(1 +\n 2)\n[1,\n\n2\n]\n3", &["3", "[1, 2]", "3"]);
    prints("{\n'a' : 1,\n'b' : [\n2]\n}\n", &["{a=1, b=[2]}"]);
    prints("'a\nb'\n1\n", &["a", "b", "1"]);
    prints("\"(\"\n1\n'['\n", &["(", "1", "["]);
    prints("(1 // a comment with ( and '\n + 2)\n3\n", &["3", "3"]);
    prints("match{\n 1 == 2 => 'a',\n default => 'b'\n}\n", &["b"]);
    prints("x := [1,\n2]\nx\n", &["[1, 2]", "[1, 2]"]);
}

#[test]
fn a_blank_and_a_backslash_go_on_in_the_next_line() {
    prints("1 + \\\n2\n3\n", &["3", "3"]);
    prints("1 \\\n+ \\\n2\n", &["3"]);
    prints("1 + \\\r\n2\r\n", &["3"]);
    prints("x := \\\n5\nx + 1", &["5", "6"]);
    prints("'a \\\\'\n1\n", &["a \\", "1"]);
    let ran = script("1 +\\\n2\n").ended(1);
    assert!(
        ran.err.contains("E0107") && ran.err.contains("s.stellar:1:4"),
        "{}",
        ran.err
    );
}

#[test]
fn comments_are_no_statements() {
    prints(
        "# one\n// two\n  # three ' (\n1 // four\n/// five\n2\n//\n3\n",
        &["1", "2", "3"],
    );
    prints("1\n# x := [\n2", &["1", "2"]);
    prints("1 // it's (\n2", &["1", "2"]);
    prints(
        "'# no comment'\n\"// none\"\n",
        &["# no comment", "// none"],
    );
}

#[test]
fn assignments_print_their_value_and_null_prints_nothing() {
    prints(
        "x := 3\nx\ny := null\ny\nz\nx := 'a'\nx\n",
        &["3", "3", "a", "a"],
    );
    prints("x := 1\nx := x + 1\nx\n", &["1", "2", "2"]);
    prints("a := {'b.c' : 1}\na.b.c\n", &["{b.c=1}", "1"]);
    prints(
        "l := [1]\nLIST_ADD(l, 2)\nl\n",
        &["[1]", "[1, 2]", "[1, 2]"],
    );
}

#[test]
fn wrong_assignments_are_errors_at_their_place() {
    for (text, code, place) in [
        ("x := y := 1", "E0110", "1:8"),
        ("1\n(x := 1)", "E0110", "2:4"),
        (":= 1", "E0113", "1:1"),
        ("if := 1", "E0111", "1:1"),
        ("x + 1 := 1", "E0113", "1:1"),
        ("x := (1 +", "E0102", "1:6"),
        ("x := 1 +", "E0101", "1:9"),
        ("x := nope()", "E0201", "1:6"),
    ] {
        let ran = script(text).ended(1);
        assert!(
            ran.err.starts_with(&format!("error[{code}]")),
            "{text}: {}",
            ran.err
        );
        assert!(
            ran.err.contains(&format!("s.stellar:{place}\n")),
            "{text}: {}",
            ran.err
        );
    }
    let ran = script("x := 1\nx := nope()\n").ended(1);
    assert_eq!(ran.lines(), ["1"]);
}

#[test]
fn definitions_have_documentation_and_can_be_made_anew() {
    prints("def f(a, b) := a + b\nf(1, 2)\n", &["3"]);
    prints("def f() := 1\nf()\n", &["1"]);
    prints("def f(a) := \\\n a", &[]);
    let ran = script("def f(a) := a\nf(1)\ndef f(a) := a + 1\nf(1)\n").ended(0);
    assert_eq!(ran.lines(), ["1", "2"]);
    let ran = script("/// Adds one.\n/// To a number.\ndef inc(x) := x + 1\n?inc\n").ended(0);
    assert_eq!(ran.lines()[..3], ["inc", "Adds one.", "To a number."]);
    // What stands between does away with the documentation.
    let ran = script("/// Not of this one.\n\ndef inc(x) := x + 1\n?inc\n").ended(0);
    assert!(!ran.out().contains("Not of this one"), "{}", ran.out());
    for (text, code, place) in [
        ("def f(a, a) := 1", "E0219", "1:10"),
        ("def f(a := 1", "E0113", "1:9"),
        ("def if(a) := 1", "E0113", "1:5"),
        ("def f(a)\n", "E0113", "1:9"),
        ("def f(1) := 1", "E0113", "1:7"),
        ("def f(a) := \n", "E0113", "1:12"),
        ("\ndef TO_UPPER(a) := 1", "E0213", "2:5"),
        ("def f(a) := f(a)\nf(1)\n", "E0212", "1:13"),
    ] {
        let ran = script(text).ended(1);
        assert!(
            ran.err.starts_with(&format!("error[{code}]")),
            "{text}: {}",
            ran.err
        );
        assert!(
            ran.err.contains(&format!("s.stellar:{place}\n")),
            "{text}: {}",
            ran.err
        );
    }
}

#[test]
fn an_error_inside_a_definition_shows_both_places() {
    let ran = script("def f(a) := a / 0\n\n1 + f(2)\n").ended(1);
    assert!(
        ran.err.contains("s.stellar:1:13") && ran.err.contains("s.stellar:3:5"),
        "{}",
        ran.err
    );
}

#[test]
fn an_error_stops_the_script_and_names_file_line_and_column() {
    let ran = script("1\n\n# c\n  'é' + nope()\n3\n").ended(1);
    assert_eq!(ran.lines(), ["1"]);
    assert!(ran.err.contains("--> s.stellar:4:9\n"), "{}", ran.err);
    let ran = script("1\n[1,\n 2,\n nope()\n]\n").ended(1);
    assert!(ran.err.contains("--> s.stellar:4:2\n"), "{}", ran.err);
    let ran = script("1\n1 + \\\n \\\n nope()\n").ended(1);
    assert!(ran.err.contains("--> s.stellar:4:2\n"), "{}", ran.err);
    for (text, place) in [
        ("1\nx := ?NOPE\n", "2:1"),
        ("1\n?NOPE\n", "2:1"),
        ("1\nx := %nope\n", "2:1"),
        ("1\n%nope\n", "2:1"),
        ("\n\n%define a\n", "3:1"),
    ] {
        let ran = script(text).ended(1);
        assert!(
            ran.err.contains(&format!("--> s.stellar:{place}\n")),
            "{text}: {}",
            ran.err
        );
    }
}

#[test]
fn an_open_bracket_at_the_end_is_pointed_at() {
    let ran = script("1\nf(1,\n[2\n\n3\n4 + 5\n").ended(1);
    assert!(ran.err.contains("E0102"), "{}", ran.err);
    assert!(ran.err.contains("--> s.stellar:3:1\n"), "{}", ran.err);
    let ran = script("1\n'abc\n2\n3").ended(1);
    assert!(
        ran.err.contains("E0104") && ran.err.contains("--> s.stellar:2:1\n"),
        "{}",
        ran.err
    );
    let ran = script("1\n)\n2").ended(1);
    assert!(
        ran.err.contains("E0103") && ran.err.contains("--> s.stellar:2:1\n"),
        "{}",
        ran.err
    );
}

#[test]
fn keep_going_runs_what_follows_and_ends_with_1() {
    let home = Home::new();
    home.write("a", "1\nnope()\n2\n1 +\n3\n");
    home.write("b", "4\n");
    let ran = home.run(&["run", "--keep-going", "a", "b"], "").ended(1);
    assert_eq!(ran.lines(), ["1", "2", "3", "4"]);
    assert_eq!(ran.err.matches("error[").count(), 2);
    let ran = home.run(&["run", "a", "b"], "").ended(1);
    assert_eq!(ran.lines(), ["1"]);
    let ran = home
        .run(&["run", "--keep-going", "missing", "b"], "")
        .ended(1);
    assert_eq!(ran.lines(), ["4"]);
    assert!(
        ran.err.contains("E0403") && ran.err.contains("missing"),
        "{}",
        ran.err
    );
    home.run(&["run", "--keep-going", "b"], "").ended(0);
}

#[test]
fn several_scripts_share_their_variables() {
    let home = Home::new();
    home.write("a", "x := 1\ndef f(y) := y + x\n");
    home.write("b", "x + 1\nf(5)\n");
    let ran = home.run(&["run", "a", "b"], "").ended(0);
    assert_eq!(ran.lines(), ["1", "2", "6"]);
    let ran = home.run(&["run", "a", "-"], "f(1)\n").ended(0);
    assert_eq!(ran.lines(), ["1", "2"]);
}

#[test]
fn quit_ends_with_0() {
    let home = Home::new();
    home.write("a", "1\nquit\n2\n");
    home.write("b", "3\n");
    assert_eq!(home.run(&["run", "a", "b"], "").ended(0).lines(), ["1"]);
    assert_eq!(home.run(&[], "1\nexit\n2\n").ended(0).lines(), ["1"]);
    // A variable of that name is none of its business.
    assert_eq!(
        home.run(&[], "quit := 1\nquit + 1\n").ended(0).lines(),
        ["1", "2"]
    );
    // Errors before it have not gone away.
    home.write("c", "nope()\nquit\n");
    home.run(&["run", "--keep-going", "c"], "").ended(1);
}

#[test]
fn arguments_and_variables_come_from_the_command_line() {
    let home = Home::new();
    home.write("a", "args\nGET(args, 1)\n");
    assert_eq!(
        home.run(&["run", "a", "--", "x", "y z", "--keep-going"], "")
            .ended(0)
            .lines(),
        ["[x, y z, --keep-going]", "y z"]
    );
    home.write("b", "args\nx\ny.z\n");
    home.write("vars.json", "{\"x\":1,\"y\":{\"z\":[2]}}");
    assert_eq!(
        home.run(&["run", "b", "--vars", "vars.json"], "")
            .ended(0)
            .lines(),
        ["[]", "1", "[2]"]
    );
    let arguments = [
        "run",
        "b",
        "--vars",
        "vars.json",
        "--var",
        "x=3",
        "--var",
        "y.z=four",
    ];
    assert_eq!(
        home.run(&arguments, "").ended(0).lines(),
        ["[]", "3", "four"]
    );
    home.run(&["run"], "").ended(2);
    home.run(&["run", "a", "--var", "x"], "").ended(2);
}

#[test]
fn json_lines_say_what_each_statement_gave() {
    let home = Home::new();
    home.write(
        "a",
        "x := 3\n\n  [1.0,\n 'b']  \nnull\n?TO_LOWER\ndef f(a) := a\nNaN\n1 / 0\n4\n",
    );
    let ran = home.run(&["run", "--format", "jsonl", "a"], "").ended(1);
    assert_eq!(ran.err, "");
    let all = ran.json();
    assert_eq!(all.len(), 7);
    assert_eq!(
        all[0],
        json!({"file": "a", "line": 1, "in": "x := 3", "ok": true, "print": "3", "type": "Integer", "value": 3})
    );
    assert_eq!(
        (&all[1]["line"], &all[1]["in"]),
        (&json!(3), &json!("[1.0,\n 'b']"))
    );
    assert_eq!(
        (&all[1]["print"], &all[1]["value"]),
        (&json!("[1.0, b]"), &json!([1.0, "b"]))
    );
    assert_eq!(
        (&all[2]["print"], &all[2]["type"], &all[2]["value"]),
        (&json!(""), &json!("Null"), &json!(null))
    );
    assert!(all[3]["print"].as_str().unwrap().starts_with("TO_LOWER"));
    assert_eq!(
        (&all[4]["line"], &all[4]["ok"], &all[4]["print"]),
        (&json!(7), &json!(true), &json!(""))
    );
    assert_eq!(
        (&all[5]["type"], &all[5]["value"]),
        (&json!("Double"), &json!("NaN"))
    );
    assert_eq!(
        (&all[6]["ok"], &all[6]["line"], &all[6]["file"]),
        (&json!(false), &json!(9), &json!("a"))
    );
    let error = &all[6]["error"];
    assert_eq!(
        (&error["kind"], &error["code"]),
        (&json!("evaluation"), &json!("E0206"))
    );
    assert_eq!((&error["line"], &error["column"]), (&json!(9), &json!(1)));
    let ran = home
        .run(
            &["run", "--format", "jsonl", "--keep-going", "a", "missing"],
            "",
        )
        .ended(1);
    assert_eq!(ran.json().len(), 9);
    assert_eq!(ran.json()[7]["value"], json!(4));
    assert_eq!(ran.json()[8]["error"]["code"], json!("E0403"));
}

#[test]
fn json_is_one_array_whatever_happens() {
    let home = Home::new();
    home.write("a", "1\n2\n");
    home.write("bad", "3\n1 +\n4\n");
    let array = |arguments: &[&str], code| {
        home.run(&[&["run", "--format", "json"], arguments].concat(), "")
            .ended(code)
            .json()
            .remove(0)
    };
    assert_eq!(array(&["a"], 0).as_array().unwrap().len(), 2);
    assert_eq!(array(&["bad"], 1).as_array().unwrap().len(), 2);
    assert_eq!(
        array(&["bad", "--keep-going"], 1).as_array().unwrap().len(),
        3
    );
    assert_eq!(array(&["a", "missing"], 1).as_array().unwrap().len(), 3);
    home.write("empty", "");
    assert_eq!(array(&["empty"], 0), json!([]));
    // A value that has no JSON is an error of its statement.
    home.write("deep", "1\nREDUCE(SPLIT(REGEXP_REPLACE(FILL_LEFT('', 'x', 600), 'x', 'x,'), ','), (s, x) -> [s], 1)\n");
    let deep = array(&["deep"], 1);
    assert_eq!(
        (&deep[0]["value"], &deep[1]["error"]["code"]),
        (&json!(1), &json!("E0302"))
    );
}

#[test]
fn standard_input_is_a_script_without_a_command() {
    let home = Home::new();
    assert_eq!(
        home.run(&[], "x := 1\nx + \\\n1\n").ended(0).lines(),
        ["1", "2"]
    );
    let ran = home.run(&[], "1\nnope()\n2\n").ended(1);
    assert_eq!(ran.lines(), ["1"]);
    assert!(ran.err.contains("--> standard input:2:1\n"), "{}", ran.err);
    home.write("vars.json", "{\"v\":{\"w\":3}}");
    for arguments in [
        &["-v", "vars.json"][..],
        &["--variables", "vars.json"],
        &["-na", "-v", "vars.json"],
    ] {
        assert_eq!(
            home.run(arguments, "v.w\n").ended(0).lines(),
            ["3"],
            "{arguments:?}"
        );
    }
    assert_eq!(home.run(&["-na"], "1\n").ended(0).lines(), ["1"]);
    assert_eq!(home.run(&[], "").ended(0).out(), "");
}

#[test]
fn options_of_metron_that_mean_nothing_here_say_what_to_use() {
    let home = Home::new();
    for (option, instead) in [
        ("-z", "--globals"),
        ("--zookeeper", "--globals"),
        ("-p", "--config"),
        ("--properties", "--config"),
        ("-l", "--log"),
        ("--log4j", "--log"),
        ("-irc", "stellar.toml"),
        ("--inputrc", "stellar.toml"),
    ] {
        let ran = home.run(&[option, "x"], "1\n").ended(2);
        assert!(ran.err.contains(instead), "{option}: {}", ran.err);
        assert_eq!(ran.out(), "");
    }
}

#[test]
fn magics_show_and_change_the_session() {
    prints("%vars\n", &["args = []"]);
    prints(
        "x := 1 + 2\ny := 'a'\n%vars\n",
        &["3", "a", "args = [], x = 3 via `1 + 2`, y = a via `'a'`"],
    );
    prints(
        "%define a := 1 + 1\n%globals\n%undefine a\n%globals\n",
        &["2", "{a=2}", "", "{}"],
    );
    prints("%functions TO_UPP\n", &["TO_UPPER"]);
    let ran = script("%functions\n").ended(0);
    let names: Vec<&str> = ran.out().trim().split(", ").collect();
    assert!(names.is_sorted() && names.contains(&"SPLIT") && names.contains(&"MAP"));
    prints("def my_f(a) := a\n%functions my_\n", &["my_f"]);
    prints(
        "v := %functions TO_UPP\nv + '!'\n",
        &["TO_UPPER", "TO_UPPER!"],
    );
    let ran = script("h := ?TO_UPPER\nSTARTS_WITH(h, 'TO_UPPER')\n").ended(0);
    assert_eq!(ran.lines().last(), Some(&"true"));
    for (text, code) in [
        ("%nope", "E0115"),
        ("%define", "E0116"),
        ("%define a", "E0116"),
        ("%define := 1", "E0116"),
        ("%define a :=", "E0116"),
        ("%undefine", "E0116"),
        ("%vasr", "E0115"),
    ] {
        let ran = script(text).ended(1);
        assert!(
            ran.err.starts_with(&format!("error[{code}]")),
            "{text}: {}",
            ran.err
        );
    }
    assert!(script("%vasr").err.contains("did you mean %vars?"));
}

#[test]
fn a_loaded_script_that_fails_shows_what_came_before() {
    let home = Home::new();
    home.write("inner.stellar", "'first'\n1 / 0\n'never'\n");
    home.write("s.stellar", "%load inner.stellar\n'behind'\n");
    let ran = home.run(&["run", "s.stellar"], "").ended(1);
    assert_eq!(ran.lines(), ["first"]);
    assert!(
        ran.err.contains("E0206") && ran.err.contains("inner.stellar:2:"),
        "{}",
        ran.err
    );
    let ran = home.run(&["run", "--keep-going", "s.stellar"], "").ended(1);
    assert_eq!(ran.lines(), ["first", "behind"]);
    assert_eq!(ran.err.matches("E0206").count(), 1, "{}", ran.err);
    let ran = home.run(&["run", "--format", "jsonl", "s.stellar"], "");
    let lines = ran.ended(1).lines().join("\n");
    let record: serde_json::Value = serde_json::from_str(&lines).unwrap();
    assert_eq!(record["print"], json!("first"));
    assert_eq!(record["error"]["code"], json!("E0206"));
}

#[test]
fn a_loaded_script_can_end_the_session() {
    let home = Home::new();
    home.write("inner.stellar", "'first'\nquit\n'never'\n");
    home.write("s.stellar", "%load inner.stellar\n'behind'\n");
    let ran = home.run(&["run", "s.stellar"], "").ended(0);
    assert_eq!(ran.lines(), ["first"]);
}

#[test]
fn a_question_mark_shows_documentation() {
    let ran = script("?TO_UPPER\n? SPLIT\n").ended(0);
    assert_eq!(
        ran.lines()
            .iter()
            .filter(|l| ["TO_UPPER", "SPLIT"].contains(l))
            .count(),
        2
    );
    let ran = script("?TO_UPER\n").ended(1);
    assert!(
        ran.err.contains("E0201") && ran.err.contains("did you mean TO_UPPER?"),
        "{}",
        ran.err
    );
}

#[test]
fn a_script_that_cannot_be_read_is_an_error() {
    let home = Home::new();
    home.write("bad", b"1\n'\xff'\n");
    let ran = home.run(&["run", "bad"], "").ended(1);
    assert!(
        ran.err.contains("E0402") && ran.err.contains("byte 3"),
        "{}",
        ran.err
    );
    let ran = home.run(&[], b"\xff\n").ended(1);
    assert!(ran.err.contains("E0402"), "{}", ran.err);
    let ran = home.run(&["run", "missing"], "").ended(1);
    assert!(ran.err.contains("E0403"), "{}", ran.err);
    let ran = home.run(&["run", "."], "").ended(1);
    assert!(ran.err.contains("E0403"), "{}", ran.err);
    let ran = script("1\0\n").ended(1);
    assert!(ran.err.contains("E0107"), "{}", ran.err);
}

#[test]
fn a_long_script_keeps_its_line_numbers() {
    let mut text: String = (1..=20_000)
        .map(|i| format!("x := {i}\n\n// c\n"))
        .collect();
    text.push_str("nope()\n");
    let ran = script(&text).ended(1);
    assert_eq!(ran.lines().len(), 20_000);
    assert!(ran.err.contains("--> s.stellar:60001:1\n"), "{}", ran.err);
}

#[test]
fn an_interrupt_ends_a_script_of_many_short_statements_even_when_it_keeps_going() {
    let home = Home::new();
    let line =
        "LENGTH(MAP(SPLIT(REGEXP_REPLACE(FILL_LEFT('', 'x', 100), 'x', 'x,'), ','), x -> x + 1))\n";
    home.write("s", line.repeat(100_000));
    let mut talk = home.talk(&["run", "--keep-going", "s"]);
    talk.hear();
    talk.interrupt();
    let (code, time) = talk.end();
    assert_eq!(code, Some(1));
    assert!(time < Duration::from_secs(60), "{time:?}");
}
