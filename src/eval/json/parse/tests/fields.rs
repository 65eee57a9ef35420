//! What the reader of fields finds.

use super::super::{Extractor, Field, parse_event};
use super::{Values, lookup, value_of};
use std::borrow::Cow;

fn read<'a>(line: &'a str, names: &[&str]) -> Vec<Field<'a>> {
    let mut out = vec![Field::Missing; names.len()];
    Extractor::new(names)
        .extract(line.as_bytes(), &mut out)
        .unwrap_or_else(|fault| panic!("{line}: {fault}"));
    let tree = parse_event(line.as_bytes(), &mut Values).expect("both agree");
    for (name, field) in names.iter().zip(&out) {
        assert_eq!(
            value_of(field).as_ref(),
            lookup(&tree, name),
            "{name} in {line}"
        );
    }
    out
}

fn one<'a>(line: &'a str, name: &str) -> Field<'a> {
    read(line, &[name]).swap_remove(0)
}

fn text(text: &str) -> Field<'_> {
    Field::Str(Cow::Borrowed(text))
}

#[test]
fn each_kind_of_value() {
    let line =
        r#"{"n":null,"t":true,"f":false,"s":"x","e":"\u0041\n","o":{"a":[1]},"l":[1, 2],"z":""}"#;
    let out = read(line, &["n", "t", "f", "s", "e", "o", "l", "z", "none"]);
    let expected = [
        Field::Null,
        Field::Bool(true),
        Field::Bool(false),
        text("x"),
        text("A\n"),
        Field::Raw(r#"{"a":[1]}"#),
        Field::Raw("[1, 2]"),
        text(""),
        Field::Missing,
    ];
    assert_eq!(out, expected);
    assert!(
        matches!(out[3], Field::Str(Cow::Borrowed(_)))
            && matches!(out[4], Field::Str(Cow::Owned(_)))
    );
}

#[test]
fn numbers_take_the_smallest_whole_type() {
    for (number, field) in [
        ("0", Field::Int(0)),
        ("-0", Field::Int(0)),
        ("2147483647", Field::Int(i32::MAX)),
        ("-2147483648", Field::Int(i32::MIN)),
        ("2147483648", Field::Long(2_147_483_648)),
        ("-2147483649", Field::Long(-2_147_483_649)),
        ("9223372036854775807", Field::Long(i64::MAX)),
        ("-9223372036854775808", Field::Long(i64::MIN)),
        ("9223372036854775808", Field::Big("9223372036854775808")),
        ("-9223372036854775809", Field::Big("-9223372036854775809")),
        ("1.0", Field::Double(1.0)),
        ("1e3", Field::Double(1000.0)),
        ("0.1", Field::Double(0.1)),
        ("1e309", Field::Double(f64::INFINITY)),
        ("-1e309", Field::Double(f64::NEG_INFINITY)),
        ("5e-324", Field::Double(5e-324)),
        ("1e-400", Field::Double(0.0)),
        (
            "123456789012345678901234567890.5",
            Field::Double(1.234_567_890_123_456_8e29),
        ),
    ] {
        assert_eq!(one(&format!("{{\"a\":{number}}}"), "a"), field, "{number}");
        assert_eq!(
            one(&format!("{{\"a\":{number} , \"b\":1}}"), "a"),
            field,
            "{number}"
        );
    }
    let Field::Double(zero) = one("{\"a\":-0.0}", "a") else {
        panic!()
    };
    assert!(zero == 0.0 && zero.is_sign_negative());
}

#[test]
fn the_last_of_equal_keys_counts() {
    assert_eq!(one(r#"{"a":1,"a":2}"#, "a"), Field::Int(2));
    assert_eq!(one(r#"{"a":1,"\u0061":"x"}"#, "a"), text("x"));
    assert_eq!(one(r#"{"\u0061":1,"a":null}"#, "a"), Field::Null);
    assert_eq!(one(r#"{"a":{"b":1},"a":{"b":2}}"#, "a.b"), Field::Int(2));
    assert_eq!(one(r#"{"a":{"b":1},"a":{"c":2}}"#, "a.b"), Field::Missing);
    assert_eq!(one(r#"{"a":{"b":1},"a":5}"#, "a.b"), Field::Missing);
    assert_eq!(one(r#"{"a":{"b":1},"a":[{"b":2}]}"#, "a.b"), Field::Missing);
    assert_eq!(one(r#"{"a":5,"a":{"b":1}}"#, "a.b"), Field::Int(1));
    assert_eq!(
        one(r#"{"a":{"b":{"c":1},"b":{}}}"#, "a.b.c"),
        Field::Missing
    );
    assert_eq!(
        one(r#"{"a":{"b":{"c":1}},"\u0061":{"b":{}}}"#, "a.b.c"),
        Field::Missing
    );
}

#[test]
fn a_name_is_a_key_before_it_is_a_path() {
    assert_eq!(one(r#"{"a":{"b":1},"a.b":2}"#, "a.b"), Field::Int(2));
    assert_eq!(one(r#"{"a.b":null,"a":{"b":1}}"#, "a.b"), Field::Null);
    assert_eq!(
        one(r#"{"a":{"b":{"c":1},"b.c":2}}"#, "a.b.c"),
        Field::Int(2)
    );
    assert_eq!(one(r#"{"a":{"b":{"c":1}}}"#, "a.b.c"), Field::Int(1));
    assert_eq!(one(r#"{"a.b":{"c":1}}"#, "a.b.c"), Field::Missing);
    assert_eq!(one(r#"{"a":[{"b":1}]}"#, "a.b"), Field::Missing);
    assert_eq!(one(r#"{"a":null}"#, "a.b"), Field::Missing);
    assert_eq!(one(r#"{"a":{"":{"b":1}}}"#, "a..b"), Field::Int(1));
    assert_eq!(one(r#"{"":{"":1}}"#, "."), Field::Int(1));
    assert_eq!(one(r#"{"":7}"#, ""), Field::Int(7));
    assert_eq!(one(r#"{"x":{"a":1},"a":2}"#, "a"), Field::Int(2));
}

#[test]
fn many_names_share_their_ways() {
    let line = r#"{"a":{"b":{"c":1,"d":[2]},"x.y":3},"source":{"ip":"1.2.3.4"},"a.z":4}"#;
    let names = [
        "a",
        "a.b",
        "a.b.c",
        "a.b.d",
        "a.x.y",
        "a.z",
        "source.ip",
        "a.b.c",
        "source.ip.x",
        "source",
    ];
    let out = read(line, &names);
    assert_eq!(out[0], Field::Raw(r#"{"b":{"c":1,"d":[2]},"x.y":3}"#));
    assert_eq!(out[1], Field::Raw(r#"{"c":1,"d":[2]}"#));
    assert_eq!(out[2], out[7]);
    assert_eq!(out[4..7], [Field::Int(3), Field::Int(4), text("1.2.3.4")]);
    assert_eq!(out[8], Field::Missing);
}

#[test]
fn keys_of_every_length_are_told_apart() {
    for len in 0..40 {
        let name = "k".repeat(len);
        let other = format!("{}x", "k".repeat(len.saturating_sub(1)));
        let line = format!("{{\"{name}\":1,\"{name}k\":2,\"{other}\":3,\"{name}\\u0078\":4}}");
        let longer = format!("{name}k");
        let escaped = format!("{name}x");
        read(&line, &[&name, &longer, &other, &escaped]);
        // The same where the key is the last thing in the line, closer to its end than a block.
        read(&format!("{{\"{name}\":1}}"), &[&name, &longer, &other]);
    }
}

#[test]
fn hundreds_of_names() {
    let names: Vec<String> = (0..500).map(|n| format!("field_{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let members: Vec<String> = names
        .iter()
        .rev()
        .enumerate()
        .map(|(n, name)| format!("\"{name}\":{n}"))
        .collect();
    let line = format!("{{{}}}", members.join(","));
    let out = read(&line, &names);
    assert!(
        (0i32..)
            .zip(out.iter().rev())
            .all(|(n, field)| *field == Field::Int(n))
    );
}

#[test]
fn a_bad_line_changes_nothing_and_a_good_one_everything() {
    let mut extractor = Extractor::new(&["a", "b.c"]);
    let mut out = [Field::Bool(true), Field::Bool(true)];
    assert!(
        extractor
            .extract(br#"{"a":1,"b":{"c":2}"#, &mut out)
            .is_err()
    );
    assert_eq!(out, [Field::Bool(true), Field::Bool(true)]);
    extractor.extract(br#"{"b":{"c":3}}"#, &mut out).unwrap();
    assert_eq!(out, [Field::Missing, Field::Int(3)]);
    extractor.extract(b"{}", &mut out).unwrap();
    assert_eq!(out, [Field::Missing, Field::Missing]);
}
