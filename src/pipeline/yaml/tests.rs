#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]
use super::*;
use crate::diagnostic::Source;
use crate::eval::text::to_text;
use std::sync::Arc;

fn node(text: &str) -> Node {
    let source = Arc::new(Source::named("test.yaml", text));
    match read(&source, Limits::default()) {
        Ok(node) => node.unwrap(),
        Err(fault) => panic!("{}", fault.message),
    }
}

fn message(text: &str) -> String {
    let source = Arc::new(Source::named("test.yaml", text));
    let limits = Limits {
        depth: 20,
        nodes: 1000,
    };
    let fault = read(&source, limits).unwrap_err();
    let at = fault.position().unwrap();
    format!("{}:{} {}", at.line, at.column, fault.message)
}

/// The type and text of a plain scalar.
fn plain(text: &str) -> String {
    let value = node(&format!("- {text}\n")).value();
    let Value::List(list) = value else {
        panic!("no list")
    };
    let value = list.get(0).unwrap();
    format!("{} {}", value.type_name(), to_text(&value))
}

#[test]
fn plain_scalars_have_the_types_of_yaml_1_1() {
    for (text, expected) in [
        ("yes", "Boolean true"),
        ("Off", "Boolean false"),
        ("y", "String y"),
        ("~", "Null null"),
        ("", "Null null"),
        ("nULL", "String nULL"),
        ("0", "Integer 0"),
        ("-0", "Integer 0"),
        ("017", "Integer 15"),
        ("08", "String 08"),
        ("0o17", "String 0o17"),
        ("0x1F", "Integer 31"),
        ("0b101", "Integer 5"),
        ("1_000", "Integer 1000"),
        ("12:30:45", "Integer 45045"),
        ("12:60", "String 12:60"),
        ("2147483648", "Long 2147483648"),
        (
            "123456789012345678901234567890",
            "BigInteger 123456789012345678901234567890",
        ),
        ("1e3", "String 1e3"),
        ("1.0e3", "String 1.0e3"),
        ("1.0e+3", "Double 1000.0"),
        (".5", "Double 0.5"),
        ("-.5", "String -.5"),
        ("1.", "Double 1.0"),
        ("1_0.2_5", "Double 10.25"),
        ("1:30.5", "Double 90.5"),
        (".inf", "Double Infinity"),
        ("-.INF", "Double -Infinity"),
        (".nan", "Double NaN"),
        ("+", "String +"),
        ("-", "List [null]"),
        ("2020-12-11", "Date 2020-12-11"),
        ("2020-1-1", "String 2020-1-1"),
        ("2020-12-11T08:30:13Z", "DateTime 2020-12-11 08:30:13+00:00"),
        (
            "2020-12-11 8:30:13.5 +2",
            "DateTime 2020-12-11 08:30:13.500+02:00",
        ),
        ("2020-12-11 08:30:13", "DateTime 2020-12-11 08:30:13"),
        ("2020-12-11 08:30", "String 2020-12-11 08:30"),
        ("192.0.2.1", "String 192.0.2.1"),
        ("'12'", "String 12"),
        ("!!str 12", "String 12"),
        ("!!float 12", "Double 12.0"),
        ("!!int '12'", "Integer 12"),
        ("!!binary aGVsbG8=", "Bytes hello"),
    ] {
        assert_eq!(plain(text), expected, "{text}");
    }
}

#[test]
fn maps_keep_their_order_and_merge() {
    let text = "a: &a {x: 1, y: 2}\nb:\n  z: 0\n  <<: *a\n  y: 3\n";
    assert_eq!(
        to_text(&node(text).value()).as_str(),
        "{a={x=1, y=2}, b={x=1, y=3, z=0}}"
    );
    let text = "{1: a, true: b, 1.0: c, x: 1, x: 2}";
    assert_eq!(to_text(&node(text).value()).as_str(), "{1=c, x=2}");
}

#[test]
fn nodes_know_their_places() {
    let text = "pipelines:\n  p1:\n    - name: input_dummy\n      tag: x\n";
    let top = node(text);
    let action = top.get("pipelines").and_then(|p| p.get("p1")).unwrap();
    let Kind::List(actions) = &action.kind else {
        panic!("no list")
    };
    let name = actions[0].get("name").unwrap();
    assert_eq!(
        text.get(name.span.start..name.span.end),
        Some("input_dummy")
    );
    assert_eq!(
        text.get(actions[0].span.start..actions[0].span.end),
        Some("name: input_dummy\n      tag: x")
    );
}

#[test]
fn faults_name_the_place() {
    for (text, expected) in [
        ("a: [1, 2", "this is no YAML"),
        ("a: *b", "this is no YAML"),
        ("a: &a [*a]", "1:8 a value cannot hold itself"),
        ("a: !foo 1", "1:9 the tag !foo is not known here"),
        ("a: 2020-13-45", "1:4 2020-13-45 is no date of the calendar"),
        ("[1]: 2", "1:1 a list cannot be a key"),
        ("a: 1\n---\nb: 2\n", "2:1 a second document begins here"),
        ("<<: 1", "1:5 `<<` joins maps only"),
        (
            "[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]",
            "1:21 lists and maps nest deeper than 20",
        ),
        (
            "a: &a [1,2,3,4,5,6,7,8,9]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c]\n",
            "the document has more than 1000 values",
        ),
    ] {
        let said = message(text);
        assert!(said.contains(expected), "{text}: {said}");
    }
}

#[test]
fn an_empty_document_is_none() {
    for text in ["", "# nothing\n", "\u{feff}"] {
        let source = Arc::new(Source::named("test.yaml", text));
        assert!(
            read(&source, Limits::default()).unwrap().is_none(),
            "{text:?}"
        );
    }
}
