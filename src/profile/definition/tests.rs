use super::*;
use crate::diagnostic::{Span, plain};
use crate::engine::Engine;
use proptest::prelude::*;

fn read(text: &str) -> Result<Definitions, Vec<Fault>> {
    parse(&Arc::new(Source::expression(text)))
}

fn one(text: &str) -> Definition {
    let definitions = read(&format!("{{\"profiles\": [{text}]}}")).unwrap();
    definitions.profiles.first().unwrap().as_ref().clone()
}

/// Where each problem stands, and what it says.
fn problems(text: &str) -> Vec<String> {
    let faults = read(text).unwrap_err();
    let said = faults.iter().map(|fault| {
        let place = fault.position().unwrap();
        let help = fault
            .help
            .as_ref()
            .map(|h| format!("; {h}"))
            .unwrap_or_default();
        format!("{}:{} {}{help}", place.line, place.column, fault.message)
    });
    said.collect()
}

fn texts(entries: &[(SmolStr, Expression)]) -> Vec<(&str, &str)> {
    let texts = entries
        .iter()
        .map(|(name, e)| (name.as_str(), e.text().as_str()));
    texts.collect()
}

#[test]
fn what_is_left_out_has_its_default() {
    let profile = one(r#"{"profile": "p", "foreach": "ip", "result": "1"}"#);
    assert_eq!(profile.only_if.text(), "true");
    assert!(profile.init.is_empty() && profile.update.is_empty());
    assert!(profile.group_by.is_empty() && profile.triage.is_empty());
    assert_eq!(profile.expires, None);
    let empty = read("{}").unwrap();
    assert!(empty.profiles.is_empty() && empty.timestamp_field.is_none());
}

#[test]
fn the_order_of_assignments_is_kept() {
    let profile = one(
        r#"{"profile": "p", "foreach": "ip", "init": {"z": "1", "a": "2"}, "update": {"m": "1", "b": "2", "m": "3"},
            "result": {"profile": "z", "triage": {"y": "z", "x": "a"}}}"#,
    );
    assert_eq!(texts(&profile.init), [("z", "1"), ("a", "2")]);
    assert_eq!(texts(&profile.update), [("m", "3"), ("b", "2")]);
    assert_eq!(texts(&profile.triage), [("y", "z"), ("x", "a")]);
    assert_eq!(profile.result.text(), "z");
}

#[test]
fn scalars_become_texts_as_they_are_written() {
    let profile = one(
        r#"{"profile": 7, "foreach": true, "onlyif": 1, "init": {"x": 1.0, "y": 2, "z": true, "n": null},
            "groupBy": [1.50, null], "expires": "30", "result": {"profile": 5}}"#,
    );
    assert_eq!(profile.profile, "7");
    assert_eq!(profile.foreach.text(), "true");
    assert_eq!(
        texts(&profile.init),
        [("x", "1.0"), ("y", "2"), ("z", "true"), ("n", "")]
    );
    assert_eq!(
        profile
            .group_by
            .iter()
            .map(|e| e.text().as_str())
            .collect::<Vec<_>>(),
        ["1.50", ""]
    );
    assert_eq!(profile.expires, Some(30));
    assert_eq!(profile.result.text(), "5");
}

#[test]
fn expires_is_a_whole_number_of_days() {
    for (json, days) in [
        ("30", Some(30)),
        ("1.9", Some(1)),
        ("\" 7 \"", Some(7)),
        ("\"\"", None),
        ("null", None),
        ("-1", Some(-1)),
    ] {
        let profile = one(&format!(
            r#"{{"profile": "p", "foreach": "1", "result": "1", "expires": {json}}}"#
        ));
        assert_eq!(profile.expires, days, "{json}");
    }
    for json in ["\"z\"", "true", "[]", "1e30"] {
        let text = format!(
            r#"{{"profiles": [{{"profile": "p", "foreach": "1", "result": "1", "expires": {json}}}]}}"#
        );
        assert_eq!(
            problems(&text),
            ["1:74 expires must be a whole number of days"],
            "{json}"
        );
    }
}

#[test]
fn comments_and_what_follows_are_passed_over() {
    let text = "/* a */ { // b\n \"profiles\": [] /* c */ } and more";
    assert!(read(text).unwrap().profiles.is_empty());
}

#[test]
fn problems_name_field_and_place() {
    let cases = [
        (
            "hello",
            "1:1 hello is no JSON value; texts stand in double quotes",
        ),
        ("[]", "1:1 a profiler must be an object, not a list"),
        (
            "{\"profiles\": null}",
            "1:14 profiles must be a list, not null",
        ),
        (
            "{\"profiles\": [],\n \"timestampfield\": \"ts\"}",
            "2:2 a profiler has no field timestampfield; did you mean timestampField?",
        ),
        (
            "{\"profiles\": [",
            "1:15 a JSON value was expected, but the text ends here",
        ),
        (
            "{\"profiles\" []}",
            "1:13 a colon was expected after the key",
        ),
        (
            "{'profiles': []}",
            "1:2 a key in double quotes was expected",
        ),
        ("/* {}", "1:1 this comment has no end: write */"),
        (
            "{\"timestampField\": \"a\nb\"}",
            "1:22 a line break or another control character stands in a string; write \\n, or close the string before the end of the line",
        ),
    ];
    for (text, said) in cases {
        assert_eq!(problems(text), [said], "{text}");
    }
}

#[test]
fn all_problems_of_the_fields_are_told_at_once() {
    let text = "{\"profiles\": [\n {\"foreach\": \"ip\", \"tickUpdate\": {}, \"groupBy\": \"1\",\n  \"result\": 5, \"update\": [], \"init\": {\"x\": []}, \"forEach\": \"ip\"}\n]}";
    assert_eq!(
        problems(text),
        [
            "2:20 a profile has no field tickUpdate; the fields are profile, foreach, onlyif, init, update, groupBy, result, expires, description and mergeable",
            "2:49 groupBy must be a list of expressions, not a string",
            "3:13 result must be a string or an object with profile and triage, not a number",
            "3:26 update must be an object of names and expressions, not a list",
            "3:44 x in init must be a string, not a list",
            "3:49 a profile has no field forEach; did you mean foreach?",
            "3:64 the profile has no profile, which is required",
        ]
    );
    let text = r#"{"profiles": [{"profile": "p", "foreach": "1", "result": {"triage": {}, "value": "1"}}]}"#;
    assert_eq!(
        problems(text),
        [
            "1:73 result has no field value; the fields are profile and triage",
            "1:85 result has no profile, which is required",
        ]
    );
}

#[test]
fn equal_profiles_are_equal_in_any_order_of_assignments() {
    let a =
        one(r#"{"profile": "p", "foreach": "ip", "init": {"a": "1", "b": "2"}, "result": "a"}"#);
    let b = one(
        r#"{"result": "a", "description": "d", "init": {"b": "2", "a": 1}, "onlyif": "true", "foreach": "ip", "profile": "p"}"#,
    );
    let c =
        one(r#"{"profile": "p", "foreach": "ip", "init": {"a": "1", "b": "3"}, "result": "a"}"#);
    assert!(a.same(&b) && b.same(&a));
    assert!(!a.same(&c));
}

#[test]
fn a_check_finds_every_bad_expression_at_its_place() {
    let text = "{\"profiles\": [{\"profile\": \"p\",\n \"foreach\": \"ip_src_addr\",\n \"onlyif\": \"x == \\\"a\\\" and NOSUCH(x)\",\n \"update\": {\"s\": \"STATS_AD(s, 1)\", \"t\": \"2 / \"},\n \"result\": \"STATS_MEAN(s)\"}]}";
    let source = Arc::new(Source::named("p.json", text));
    let found = check(&source, &Engine::bare().context);
    let said: Vec<String> = found.iter().map(|f| plain(f)).collect();
    let places: Vec<(usize, usize)> = found
        .iter()
        .map(|f| f.position().map(|p| (p.line, p.column)).unwrap())
        .collect();
    assert_eq!(places, [(3, 28), (4, 19), (4, 45)], "{said:?}");
    let span = found.first().and_then(|f| f.span).unwrap();
    assert_eq!(text.get(span.start..span.end), Some("NOSUCH"));
    assert!(
        found
            .iter()
            .all(|f| f.source.as_ref().is_some_and(|s| s.name == "p.json"))
    );
    assert!(
        said.get(1)
            .is_some_and(|s| s.contains("STATS_ADD") && s.contains("update of s of p")),
        "{said:?}"
    );
}

#[test]
fn a_map_of_the_language_is_read_as_its_json() {
    let value = Engine::bare()
        .evaluate("{'profiles': [{'profile': 'p', 'foreach': 'ip', 'init': {'n': 0}, 'result': 'n'}], 'timestampField': 'ts'}")
        .unwrap();
    let Value::Map(map) = value else {
        panic!("no map")
    };
    let definitions = from_map(&map).unwrap();
    assert_eq!(definitions.timestamp_field.as_deref(), Some("ts"));
    assert_eq!(
        texts(&definitions.profiles.first().unwrap().init),
        [("n", "0")]
    );
}

/// Pieces that make texts which are nearly definitions.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "\"profiles\"",
        "\"profile\"",
        "\"foreach\"",
        "\"result\"",
        "\"init\"",
        "\"groupBy\"",
        "\"a + \\\"b\\u00e9\\\"\"",
        "\"\\ud83d\\ude00 (\"",
        "1.5",
        "-",
        "null",
        "true",
        "//",
        "/*",
        "*/",
        "\n",
        "\"",
        "\\",
        "é",
        "\\u12",
    ]);
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_text_stops_the_reader(text in prop_oneof![pieces(), ".*"]) {
        let source = Arc::new(Source::expression(text.clone()));
        if let Err(faults) = parse(&source) {
            prop_assert!(!faults.is_empty());
            for fault in faults {
                let span = fault.span.unwrap();
                prop_assert!(span.start <= span.end && span.end <= text.len());
                prop_assert!(text.is_char_boundary(span.start));
            }
        }
    }

    #[test]
    fn every_byte_of_a_text_knows_its_place(parts in prop::collection::vec(prop_oneof!["[a-z]{0,3}", Just("\"".to_string()), Just("é".to_string()), Just("😀".to_string()), Just("\n".to_string())], 0..8)) {
        let text = parts.concat();
        let json = serde_json::to_string(&text).unwrap();
        let profile = one(&format!(r#"{{"profile": "p", "foreach": {json}, "result": "1"}}"#));
        let Expression(read) = profile.foreach;
        prop_assert_eq!(read.text.as_str(), text.as_str());
        let before = r#"{"profiles": [{"profile": "p", "foreach": ""#.len();
        let end = read.place(Span::new(0, text.len())).end;
        prop_assert_eq!(end, before + json.len() - 2);
    }
}
