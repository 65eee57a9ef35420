//! `stellar map` and `stellar filter` over JSON Lines: what is kept, written, bad, failed, and in which order.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use support::{Home, Ran};

fn run(arguments: &[&str], input: impl AsRef<[u8]>) -> Ran {
    Home::new().run(arguments, input)
}

#[test]
fn filter_keeps_the_bytes_of_the_events_that_fit() {
    let input = "{\"a\": 1 , \"b\":\"\\u0041\"}\n{\"a\":2}\n  {\"a\":1.0}\t\n\n{\"a\":\"1\"}\n{\"b\":1}\n{\"a\":1}";
    let ran = run(&["filter", "a == 1"], input).ended(0);
    assert_eq!(
        ran.out(),
        "{\"a\": 1 , \"b\":\"\\u0041\"}\n  {\"a\":1.0}\t\n{\"a\":1}\n"
    );
    assert_eq!(ran.err, "");
    let ran = run(&["filter", "--not", "a == 1"], input).ended(0);
    assert_eq!(ran.out(), "{\"a\":2}\n{\"a\":\"1\"}\n{\"b\":1}\n");
    // Line ends of Windows are bytes of the line.
    let ran = run(
        &["filter", "a == 1"],
        "{\"a\":1}\r\n{\"a\":2}\r\n\r\n{\"a\":1}\n",
    )
    .ended(0);
    assert_eq!(ran.out(), "{\"a\":1}\r\n{\"a\":1}\n");
}

#[test]
fn true_keeps_and_false_null_and_empty_collections_drop() {
    for (expression, kept) in [
        ("true", true),
        ("false", false),
        ("null", false),
        ("[]", false),
        ("{}", false),
        ("SET_INIT([])", false),
        ("missing", false),
    ] {
        let ran = run(&["filter", expression], "{}\n").ended(0);
        assert_eq!(ran.out() == "{}\n", kept, "{expression}");
        let ran = run(&["filter", "--not", expression], "{}\n").ended(0);
        assert_eq!(ran.out() == "{}\n", !kept, "not {expression}");
    }
    for expression in ["1", "0", "'true'", "''", "[1]", "{'a':1}", "x -> x"] {
        let ran = run(&["filter", expression], "{}\n").ended(1);
        assert_eq!(ran.out(), "", "{expression}");
        assert!(
            ran.err.starts_with("standard input:1: E"),
            "{expression}: {}",
            ran.err
        );
    }
}

#[test]
fn map_writes_a_value_for_every_event() {
    let input = "{\"a\":1,\"b\":\"x\"}\n{\"a\":2.5}\n{\"a\":null}\n";
    let out = |arguments: &[&str]| {
        run(&[&["map"], arguments].concat(), input)
            .ended(0)
            .out()
            .to_string()
    };
    assert_eq!(out(&["a"]), "1\n2.5\nnull\n");
    assert_eq!(out(&["b"]), "\"x\"\nnull\nnull\n");
    assert_eq!(out(&["--raw", "b"]), "x\nnull\nnull\n");
    assert_eq!(
        out(&["--raw", "[a, b]"]),
        "[1, x]\n[2.5, null]\n[null, null]\n"
    );
    assert_eq!(
        out(&["[a, {'k' : b}]"]),
        "[1,{\"k\":\"x\"}]\n[2.5,{\"k\":null}]\n[null,{\"k\":null}]\n"
    );
    assert_eq!(out(&["_"]), input);
    assert_eq!(
        out(&["-e", "x=a", "-e", "y z=b"]),
        "{\"x\":1,\"y z\":\"x\"}\n{\"x\":2.5,\"y z\":null}\n{\"x\":null,\"y z\":null}\n"
    );
    assert_eq!(
        out(&["--set", "c=a", "--set", "b=1"]),
        "{\"a\":1,\"b\":1,\"c\":1}\n{\"a\":2.5,\"c\":2.5,\"b\":1}\n{\"a\":null,\"c\":null,\"b\":1}\n"
    );
    assert_eq!(
        out(&["--set=a='x' == b"]),
        "{\"a\":true,\"b\":\"x\"}\n{\"a\":false}\n{\"a\":false}\n"
    );
    assert_eq!(out(&["a + n", "--var", "n=10"]), "11\n12.5\n10\n");
    assert_eq!(out(&["a", "--var", "a=7"]), "7\n7\n7\n");
}

#[test]
fn fields_of_map_may_be_named_by_free_words_and_read_the_event_as_it_was() {
    let home = Home::new();
    home.write("in.jsonl", "{\"a\":1}\n");
    let ran = home
        .run(&["map", "--set", "a=2", "--set", "b=a", "in.jsonl"], "")
        .ended(0);
    assert_eq!(ran.out(), "{\"a\":2,\"b\":1}\n");
    let ran = home
        .run(&["map", "-e", "n=LENGTH(_)", "in.jsonl"], "")
        .ended(0);
    assert_eq!(ran.out(), "{\"n\":1}\n");
    for wrong in [
        &["map", "-e", "a"][..],
        &["map", "-e", "=1"],
        &["map", "-e", "x=1", "--set", "y=2"],
        &["map"],
        &["map", "--raw", "-e", "a=1"],
    ] {
        home.run(wrong, "").ended(2);
    }
    let ran = home.run(&["map", "-e", "x=1 +"], "").ended(1);
    assert!(ran.err.contains("E0101"), "{}", ran.err);
    home.run(&["filter", "1 +"], "{}").ended(1);
}

#[test]
fn names_are_verbatim_first_and_then_walked() {
    let event = r#"{"source":{"ip":"a","x.y":1},"source.ip":"b","p":{"q":{"r":2}},"l":[{"a":1}],"source.z":null}"#;
    for (expression, value) in [
        ("source.ip", "\"b\""),
        ("source.x.y", "1"),
        ("p.q.r", "2"),
        ("p.q", "{\"r\":2}"),
        ("p.x", "null"),
        ("p.q.r.s", "null"),
        ("l.a", "null"),
        ("source.z", "null"),
        ("exists(p.q)", "true"),
        ("MAP_GET('source.ip', _)", "\"b\""),
        ("MAP_GET('ip', source)", "\"a\""),
        ("[p.q.r, LENGTH(_)]", "[2,5]"),
    ] {
        let ran = run(&["map", expression], event).ended(0);
        assert_eq!(ran.out().trim_end(), value, "{expression}");
    }
}

#[test]
fn numbers_keys_and_texts_are_read_by_the_rules_of_events() {
    for (event, value) in [
        (r#"{"a":1,"a":2}"#, "2"),
        (r#"{"a":{"b":1},"a":{"c":2}}"#, "{\"c\":2}"),
        (r#"{"a":2147483647}"#, "2147483647"),
        (r#"{"a":3000000000}"#, "3000000000"),
        (
            r#"{"a":123456789012345678901234567890}"#,
            "123456789012345678901234567890",
        ),
        (r#"{"a":1e999}"#, "\"Infinity\""),
        (r#"{"a":-1e999}"#, "\"-Infinity\""),
        (r#"{"a":1e-999}"#, "0.0"),
        (r#"{"a":-0}"#, "0"),
        (r#"{"a":-0.0}"#, "-0.0"),
        (r#"{"a":1.0}"#, "1.0"),
        (r#"{"a":"\ud83d\ude00"}"#, "\"😀\""),
        (r#"{"a":"\ud83d"}"#, "\"\u{fffd}\""),
        (r#"{"a":"\ude00x"}"#, "\"\u{fffd}x\""),
        (r#"{"a":"\u0000"}"#, "\"\\u0000\""),
        (r#"{"\u0061":5}"#, "5"),
        (r#"{"a":[]}"#, "[]"),
        (r#" { "a" : [ 1 , 2 ] } "#, "[1,2]"),
        ("{}", "null"),
    ] {
        // Once over the fast path, once over the whole event.
        assert_eq!(
            run(&["map", "a"], event).ended(0).out().trim_end(),
            value,
            "{event}"
        );
        let whole = run(&["map", "MAP_GET('a', _)"], event).ended(0);
        assert_eq!(whole.out().trim_end(), value, "{event} as a whole");
    }
    let types = run(
        &["map", "[a, a + 1]"],
        "{\"a\":2147483647}\n{\"a\":2147483648}\n",
    )
    .ended(0);
    assert_eq!(
        types.out(),
        "[2147483647,-2147483648]\n[2147483648,2147483649]\n"
    );
}

#[test]
fn what_is_not_one_complete_object_is_bad_on_every_path() {
    let deep = |levels: usize| {
        format!(
            "{{\"x\":{}{}}}",
            "[".repeat(levels - 1),
            "]".repeat(levels - 1)
        )
        .into_bytes()
    };
    let bad: Vec<Vec<u8>> = vec![
        b"nonsense".into(),
        b"[1]".into(),
        b"1".into(),
        b"null".into(),
        b"\"a\"".into(),
        b"{".into(),
        b"{\"a\"}".into(),
        b"{\"a\":}".into(),
        b"{\"a\":1,}".into(),
        b"{\"a\":1}}".into(),
        b"{\"a\":1} {\"a\":2}".into(),
        b"{\"a\":01}".into(),
        b"{\"a\":1.}".into(),
        b"{\"a\":.5}".into(),
        b"{\"a\":+1}".into(),
        b"{\"a\":NaN}".into(),
        b"{\"a\":Infinity}".into(),
        b"{'a':1}".into(),
        b"{a:1}".into(),
        b"{\"a\":\"\x01\"}".into(),
        b"{\"a\":\"x\0y\"}".into(),
        b"\0{\"a\":1}".into(),
        b"{\"a\":1}\0".into(),
        b"{\"a\":\"\xff\"}".into(),
        b"{\"a\":\"\xed\xa0\x80\"}".into(),
        b"{\"b\":\"\\x\"}".into(),
        b"{\"b\":\"\\u12\"}".into(),
        b"{\"b\":tru}".into(),
        b"{\"a\":1 \"b\":2}".into(),
        b"{\"b\":{\"c\":[1,2}}".into(),
        b"\xef\xbb\xbf{\"a\":1}".into(),
        deep(257),
    ];
    let mut input = b"{\"ok\":1}\n".to_vec();
    bad.iter()
        .for_each(|line| input.extend([line.as_slice(), b"\n"].concat()));
    input.extend(deep(256));
    for arguments in [
        &["filter", "true"][..],
        &["filter", "exists(ok) or exists(x)"],
        &["filter", "LENGTH(_) == 1"],
        &["map", "a"],
        &["map", "_"],
        &["map", "--set", "z=1"],
        &["map", "-e", "z=1"],
    ] {
        let ran = run(&[arguments, &["--stats"]].concat(), &input).ended(1);
        assert_eq!(ran.lines().len(), 2, "{arguments:?}: {}", ran.err);
        let stats = format!(
            "read {}, kept 2, bad {}, failed 0",
            bad.len() + 2,
            bad.len()
        );
        assert!(ran.err.contains(&stats), "{arguments:?}: {}", ran.err);
    }
    for (i, line) in bad.iter().enumerate() {
        let ran = run(&["map", "a"], [b"{}\n", line.as_slice()].concat()).ended(1);
        assert!(
            ran.err.starts_with("standard input:2: E0401"),
            "{i}: {}",
            ran.err
        );
    }
}

#[test]
fn a_byte_order_mark_and_blank_lines_are_skipped_and_numbered() {
    let home = Home::new();
    let ran = home
        .run(&["map", "a"], b"\xef\xbb\xbf{\"a\":1}\n\n \t \n\r\nbad\n")
        .ended(1);
    assert_eq!(ran.out(), "1\n");
    assert!(ran.err.starts_with("standard input:5: "), "{}", ran.err);
    home.write("bom.jsonl", b"\xef\xbb\xbf{\"a\":1}");
    let ran = home
        .run(&["filter", "a == 1", "bom.jsonl", "bom.jsonl"], "")
        .ended(0);
    assert_eq!(ran.out(), "{\"a\":1}\n{\"a\":1}\n");
    assert_eq!(home.run(&["map", "a"], "").ended(0).out(), "");
    assert_eq!(home.run(&["map", "a"], b"\xef\xbb\xbf").ended(0).out(), "");
    assert_eq!(home.run(&["map", "a"], "\n\n").ended(0).out(), "");
}

#[test]
fn bad_and_failed_lines_are_shown_ten_times_and_counted() {
    let home = Home::new();
    let mut text = String::new();
    for i in 1..=30 {
        text.push_str(if i % 2 == 0 { "bad\n" } else { "{\"a\":0}\n" });
    }
    text.push_str("{\"a\":1}\n");
    home.write("in.jsonl", &text);
    for threads in ["1", "2"] {
        let ran = home
            .run(
                &["map", "1 / a", "in.jsonl", "--stats", "--threads", threads],
                "",
            )
            .ended(1);
        assert_eq!(ran.out(), "1\n");
        let shown: Vec<&str> = ran
            .err
            .lines()
            .filter(|l| l.starts_with("in.jsonl:"))
            .collect();
        assert_eq!(shown.len(), 10);
        assert!(shown[0].starts_with("in.jsonl:1: E0206"), "{}", ran.err);
        assert!(shown[1].starts_with("in.jsonl:2: E0401"), "{}", ran.err);
        assert!(shown[9].starts_with("in.jsonl:10: "), "{}", ran.err);
        assert!(ran.err.contains("20 more"), "{}", ran.err);
        assert!(
            ran.err.contains("read 31, kept 1, bad 15, failed 15"),
            "{}",
            ran.err
        );
    }
}

#[test]
fn an_event_on_which_the_expression_fails_is_not_passed_on() {
    let input = "{\"a\":1}\n{\"a\":0}\n{\"a\":2}\n";
    for (arguments, out) in [
        (&["map", "2 / a"][..], "2\n1\n"),
        (
            &["map", "-e", "x=a", "-e", "y=2 / a"],
            "{\"x\":1,\"y\":2}\n{\"x\":2,\"y\":1}\n",
        ),
        (
            &["map", "--set", "y=2 / a"],
            "{\"a\":1,\"y\":2}\n{\"a\":2,\"y\":1}\n",
        ),
        (&["filter", "2 / a > 0"], "{\"a\":1}\n{\"a\":2}\n"),
        (&["filter", "--not", "2 / a > 5"], "{\"a\":1}\n{\"a\":2}\n"),
    ] {
        let ran = run(arguments, input).ended(1);
        assert_eq!(ran.out(), out, "{arguments:?}");
        assert!(ran.err.contains("standard input:2: E0206"), "{}", ran.err);
    }
}

#[test]
fn strict_stops_at_the_first_bad_or_failed_line() {
    let input = "{\"a\":1}\nbad\n{\"a\":2}\nbad\n";
    for threads in ["1", "2"] {
        let ran = run(&["map", "a", "--strict", "--threads", threads], input).ended(1);
        assert_eq!(ran.out(), "1\n");
        assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
        assert!(
            ran.err.starts_with("standard input:2: E0401"),
            "{}",
            ran.err
        );
    }
    let home = Home::new();
    home.write("a.jsonl", "{\"a\":0}\n");
    home.write("b.jsonl", "{\"a\":1}\n");
    let ran = home
        .run(&["map", "1 / a", "--strict", "a.jsonl", "b.jsonl"], "")
        .ended(1);
    assert_eq!(ran.out(), "");
    home.write(
        "many.jsonl",
        "{\"a\":1}\n".repeat(300_000) + "bad\n" + &"{\"a\":2}\n".repeat(300_000),
    );
    let ran = home
        .run(
            &["filter", "true", "--strict", "many.jsonl", "--threads", "2"],
            "",
        )
        .ended(1);
    assert_eq!(ran.out(), "{\"a\":1}\n".repeat(300_000));
    assert!(ran.err.starts_with("many.jsonl:300001: "), "{}", ran.err);
}

#[test]
fn a_limit_ends_the_run_as_if_nothing_followed() {
    let input = "{\"a\":1}\n{\"a\":2}\n{\"a\":3}\nbad\n";
    for (limit, out) in [("0", ""), ("1", "1\n"), ("2", "1\n2\n"), ("3", "1\n2\n3\n")] {
        let ran = run(&["map", "a", "--limit", limit, "--stats"], input).ended(0);
        assert_eq!(ran.out(), out);
        assert!(
            ran.err
                .contains(&format!("read {limit}, kept {limit}, bad 0")),
            "{}",
            ran.err
        );
    }
    let ran = run(&["map", "a", "--limit", "4"], input).ended(1);
    assert_eq!(ran.lines().len(), 3);
    let ran = run(
        &["filter", "a > 1", "--limit", "1"],
        "bad\n{\"a\":1}\n{\"a\":2}\n{\"a\":3}\nbad\n",
    )
    .ended(1);
    assert_eq!(ran.out(), "{\"a\":2}\n");
    assert_eq!(
        ran.err.lines().count(),
        1,
        "only the bad line before: {}",
        ran.err
    );
    let home = Home::new();
    let many: String = (0..400_000).map(|i| format!("{{\"a\":{i}}}\n")).collect();
    home.write("many.jsonl", &many);
    for (threads, limit) in [("1", "250000"), ("2", "250000"), ("2", "7")] {
        let ran = home
            .run(
                &[
                    "map",
                    "a",
                    "--limit",
                    limit,
                    "--threads",
                    threads,
                    "many.jsonl",
                ],
                "",
            )
            .ended(0);
        assert_eq!(ran.lines().len().to_string(), limit);
        assert_eq!(
            ran.lines().last().unwrap().parse::<usize>().unwrap() + 1,
            limit.parse::<usize>().unwrap()
        );
    }
}

#[test]
fn counts_and_nothing_found() {
    let input = "{\"a\":1}\n{\"a\":2}\n{\"a\":1}\n";
    let count = |arguments: &[&str]| {
        run(&[&["filter", "--count"], arguments].concat(), input)
            .out()
            .to_string()
    };
    assert_eq!(count(&["a == 1"]), "2\n");
    assert_eq!(count(&["--not", "a == 1"]), "1\n");
    assert_eq!(count(&["a == 9"]), "0\n");
    assert_eq!(count(&["a == 1", "--limit", "1"]), "1\n");
    run(&["filter", "a == 9"], input).ended(0);
    run(&["filter", "a == 9", "--fail-if-none"], input).ended(1);
    run(&["filter", "a == 1", "--fail-if-none"], input).ended(0);
    run(&["filter", "a == 9", "--fail-if-none", "--count"], input).ended(1);
}
