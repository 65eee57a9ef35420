//! Good and bad texts, each tried alone, in a list, as a member, and as a member that is wanted.

use super::super::{After, BadKind, Extractor, Field, parse, parse_event};
use super::{Values, whole};

/// Texts that are one JSON value.
const GOOD: &[&str] = &[
    "null",
    "true",
    "false",
    "0",
    "-0",
    "1",
    "-1",
    "10",
    "123456789",
    "-123456789",
    "2147483647",
    "2147483648",
    "-2147483648",
    "-2147483649",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775809",
    "123456789012345678901234567890",
    "0.0",
    "-0.0",
    "0.5",
    "1.5",
    "10.25",
    "0e0",
    "0E0",
    "0e+0",
    "0e-0",
    "1e1",
    "1E1",
    "1e+1",
    "1e-1",
    "1e01",
    "1.0e10",
    "1.5E-07",
    "-1.5e+3",
    "1e400",
    "-1e400",
    "1e-400",
    "1e99999999999999",
    "0.00000000000000000000000000001",
    "1234567.12345678",
    "12345678",
    "1234567890123456",
    "12345678.12345678e12",
    "\"\"",
    "\" \"",
    "\"a\"",
    "\"abc def\"",
    "\"{}[],:\"",
    "\"\\\"\"",
    "\"\\\\\"",
    "\"\\/\"",
    "\"/\"",
    "\"\\b\\f\\n\\r\\t\"",
    "\"\\u0000\"",
    "\"\\u0041\"",
    "\"\\u00e9\"",
    "\"\\uABCD\"",
    "\"\\uabcd\"",
    "\"\\ud83d\\ude00\"",
    "\"\\ud800\"",
    "\"\\udc00\"",
    "\"\\udc00\\ud800\"",
    "\"\\ud800x\"",
    "\"\\ud800\\n\"",
    "\"\\\\u0041\"",
    "\"\\\\\\\\\"",
    "\"\\\\\\\"\"",
    "\"é\"",
    "\"日本語\"",
    "\"😀\"",
    "\"\u{7f}\"",
    "\"\u{80}\"",
    "\"\u{2028}\u{2029}\"",
    "\"\u{feff}\"",
    "\"\u{ffff}\"",
    "\"\u{10ffff}\"",
    "\"'\"",
    "\"# no comment\"",
    "\"0123456789abcde\"",
    "\"0123456789abcdef\"",
    "\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789\"",
    "[]",
    "[ ]",
    "[\t\n\r ]",
    "[0]",
    "[1,2]",
    "[ 1 , 2 ]",
    "[[]]",
    "[[],[]]",
    "[[[[]]]]",
    "[{}]",
    "[null]",
    "[true,false,null]",
    "[\"a\",\"b\"]",
    "[1,\"a\",{},[],null]",
    "[\"]\"]",
    "[1\n,2\t,\r3 ]",
    "[\"\",\"\"]",
    "{}",
    "{ }",
    "{\t\n\r }",
    "{\"\":0}",
    "{\"\":\"\"}",
    "{\"a\":1}",
    "{ \"a\" : 1 }",
    "{\"a\":1,\"b\":2}",
    "{\"a\":1,\"a\":2}",
    "{\"a\":{}}",
    "{\"a\":[]}",
    "{\"a\":{\"b\":{\"c\":null}}}",
    "{\"\\u0061\":1}",
    "{\"a\\\"b\":1}",
    "{\"a\":1 , \"b\":2}",
    "{\"a\"\t:\n1\r}",
    "{\"é\":1}",
    "{\"}\":\"{\"}",
    "{\"a\":\"\\\"}\"}",
    "{\"a\":[{\"b\":[{\"c\":[]}]}]}",
    "{\"long key with more than sixteen bytes\":1}",
    "{\"a\":-0}",
    "{\"\\ud800\":1}",
    "{\"a\":[1,{\"b\":2},[3,{\"c\":4}]],\"d\":5}",
    "{\"a.b\":1}",
];

/// Texts that are none.
const BAD: &[&str] = &[
    "",
    " ",
    "\n",
    "n",
    "nul",
    "nulll",
    "Null",
    "NULL",
    "tru",
    "truee",
    "True",
    "fals",
    "falsee",
    "nan",
    "NaN",
    "Infinity",
    "-Infinity",
    "inf",
    "undefined",
    "-",
    "+",
    "+1",
    "--1",
    "01",
    "-01",
    "00",
    "-00",
    "012",
    "1.",
    "-1.",
    ".5",
    "-.5",
    "0.",
    "1.e1",
    "1e",
    "1E",
    "1e+",
    "1e-",
    "1e1.5",
    "1.5.5",
    "1e1e1",
    "1_000",
    "1,000",
    "0x1F",
    "0b1",
    "1a",
    "1 2",
    "1f",
    "1L",
    "1.5f",
    "２",
    "1.2.",
    "1..2",
    "1e++1",
    "-e1",
    "0e",
    "0e+",
    "1-",
    "1-2",
    "- 1",
    "1 .5",
    "'a'",
    "\"",
    "\"a",
    "a",
    "a\"",
    "\"\\",
    "\"\\\"",
    "\"\\\\\\\"",
    "\"a\"b",
    "\"a\"\"b\"",
    "\"\\a\"",
    "\"\\x41\"",
    "\"\\'\"",
    "\"\\0\"",
    "\"\\U0041\"",
    "\"\\u\"",
    "\"\\u0\"",
    "\"\\u00\"",
    "\"\\u004\"",
    "\"\\u004g\"",
    "\"\\u 041\"",
    "\"\\u-041\"",
    "\"\\u+041\"",
    "\"\\ud800\\u\"",
    "\"\\ud800\\u12\"",
    "\"\\",
    "\"\\u",
    "\"\\u004",
    "\"\u{0}\"",
    "\"\u{1}\"",
    "\"\t\"",
    "\"\n\"",
    "\"\r\"",
    "\"\u{1f}\"",
    "\"a\u{8}b\"",
    "\"\\\n\"",
    "\"\\ \"",
    "\"\\é\"",
    "\"0123456789abcdef\t\"",
    "\"0123456789abcdef",
    "[",
    "]",
    "[,",
    "[,]",
    "[1",
    "[1,",
    "[1,]",
    "[1,,2]",
    "[,1]",
    "[1 2]",
    "[1;2]",
    "[1}",
    "[\"a\"",
    "[\"a\",",
    "[\"a\" \"b\"]",
    "[1]]",
    "[[1]",
    "[]]",
    "[][]",
    "[1],",
    "[1:2]",
    "[true false]",
    "[nul]",
    "[-]",
    "[01]",
    "[\"]",
    "[a]",
    "[{]",
    "[}",
    "[{]}",
    "[1,\u{b}2]",
    "[\u{c}]",
    "[\u{a0}]",
    "[\u{2028}]",
    "[1]x",
    "[1]#",
    "[1]//",
    "[1]\u{0}",
    "{",
    "}",
    "{]",
    "{,",
    "{,}",
    "{\"a\"",
    "{\"a\":",
    "{\"a\":}",
    "{\"a\",}",
    "{\"a\" 1}",
    "{\"a\":1",
    "{\"a\":1,",
    "{\"a\":1,}",
    "{\"a\":1,,\"b\":2}",
    "{,\"a\":1}",
    "{\"a\":1 \"b\":2}",
    "{\"a\":1;\"b\":2}",
    "{\"a\":1]",
    "{a:1}",
    "{'a':1}",
    "{1:1}",
    "{null:1}",
    "{[]:1}",
    "{{}:1}",
    "{\"a\"::1}",
    "{\"a\":1:2}",
    "{\"a\"=1}",
    "{\"a\":1}}",
    "{\"a\":1}x",
    "{\"a\":1}{\"b\":2}",
    "{\"a\":1},",
    "{} {}",
    "{}[]",
    "{}1",
    "{}\u{0}",
    "\u{0}{}",
    "{\"a\":1 /* no */}",
    "{//\n}",
    "#{}",
    "{\"a\":01}",
    "{\"a\":tru}",
    "{\"a\":\"\t\"}",
    "{\"\t\":1}",
    "{\"\\x\":1}",
    "{\"a\\u12\":1}",
    "{\"a\":{\"b\":1}",
    "{\"a\":[1}",
    "{\"a\":[1}]",
    "{\"a\":{]}",
    "{\"a\" : }",
    "{\"a\":1 ,}",
    "{\"a",
    "{\"a\\",
    "{\"a\\\":1}",
    "{\"a\":\"b}",
    "\u{feff}{}",
    "{\u{a0}}",
    "{\"a\":1\u{b}}",
    "*",
    "\\",
    "\"a\":1",
    ",",
    ":",
    "[\"a\":1]",
    "(1)",
    "<a/>",
    "{\"a\":1}\u{1a}",
    "{\"a\":b}",
    "{\"a\":\u{7f}1}",
];

/// Byte sequences that are no UTF-8.
const NOT_UTF8: &[&[u8]] = &[
    b"\x80",
    b"\xFF",
    b"\xFE",
    b"\xC0\x80",
    b"\xC1\xBF",
    b"\xC3",
    b"\xC3\x28",
    b"\xE0\x80\x80",
    b"\xE2\x82",
    b"\xED\xA0\x80",
    b"\xED\xBF\xBF",
    b"\xF0\x80\x80\x80",
    b"\xF0\x9F\x98",
    b"\xF4\x90\x80\x80",
    b"\xF5\x80\x80\x80",
];

/// Whether a line is an event: the three ways in must agree, on the fault and its place too.
fn is_event(line: &[u8]) -> bool {
    let tree = parse_event(line, &mut Values);
    for names in [&[][..], &["k"], &["k.a", "a"], &["a.b.c", "k.a.b", "é"]] {
        let mut out = vec![Field::Null; names.len()];
        let read = Extractor::new(names).extract(line, &mut out);
        assert_eq!(
            tree.as_ref().err(),
            read.as_ref().err(),
            "{:?}",
            String::from_utf8_lossy(line)
        );
    }
    tree.is_ok()
}

#[test]
fn the_lists_are_long_enough() {
    assert!(
        GOOD.len() >= 100 && BAD.len() >= 150,
        "{} {}",
        GOOD.len(),
        BAD.len()
    );
}

#[test]
fn good_texts_are_accepted_everywhere() {
    for text in GOOD {
        assert!(whole(text).is_ok(), "{text:?}: {:?}", whole(text));
        assert!(whole(&format!(" \t\r\n{text}\n\r\t ")).is_ok(), "{text:?}");
        assert!(whole(&format!("[{text},{text}]")).is_ok(), "{text:?}");
        assert_eq!(is_event(text.as_bytes()), text.starts_with('{'), "{text:?}");
        for line in [
            format!("{{\"k\":{text}}}"),
            format!(" {{ \"x\" : {text} , \"k\" : {text} }} "),
        ] {
            assert!(is_event(line.as_bytes()), "{line:?}");
        }
    }
}

#[test]
fn bad_texts_are_refused_everywhere() {
    for text in BAD {
        assert!(whole(text).is_err(), "{text:?}");
        assert!(!is_event(text.as_bytes()), "{text:?}");
        for line in [
            format!("{{\"k\":{text}}}"),
            format!("{{\"k\":[{text},0]}}"),
            format!("{{\"x\":{{\"y\":{text}}}}}"),
        ] {
            // What is wrong alone may be right in between: `1,` is not, but `1` and a stray end may cancel out.
            let strict = serde_json::from_str::<serde::de::IgnoredAny>(&line).is_ok();
            assert_eq!(is_event(line.as_bytes()), strict, "{line:?}");
        }
    }
}

#[test]
fn every_prefix_of_an_event_is_refused() {
    let line = r#" {"a":[1,-2.5e+3,{"b":"c\u00e9\\\"é"},[]],"long enough to need more than one block":true,"n":null} "#;
    let end = line.trim_end().len();
    for cut in 0..end {
        let prefix = &line.as_bytes()[..cut];
        assert!(!is_event(prefix), "{cut}");
        if std::str::from_utf8(prefix).is_ok() {
            let fault = parse_event(prefix, &mut Values).unwrap_err();
            assert_eq!((fault.kind, fault.offset), (BadKind::UnexpectedEnd, cut));
        }
    }
    assert!(is_event(&line.as_bytes()[..end]) && is_event(line.as_bytes()));
}

#[test]
fn bytes_that_are_no_utf8_are_refused_with_their_place() {
    for bytes in NOT_UTF8 {
        for filler in [0, 1, 30, 61, 64, 200] {
            let mut line = b"{\"k\":\"".to_vec();
            line.extend(std::iter::repeat_n(b'x', filler));
            let place = line.len();
            line.extend_from_slice(bytes);
            line.extend_from_slice(b"\"}");
            assert!(!is_event(&line));
            let fault = parse_event(&line, &mut Values).unwrap_err();
            assert_eq!((fault.kind, fault.offset), (BadKind::NotUtf8, place));
        }
    }
}

#[test]
fn every_byte_alone_between_tokens() {
    let parts = [
        "", "{", "\"k\"", ":", "[", "1", ",", "\"s\"", "]", ",", "\"l\"", ":", "true", "}", "",
    ];
    for gap in 1..parts.len() {
        for byte in 0..=127u8 {
            let mut line = parts[..gap].concat().into_bytes();
            line.push(byte);
            line.extend_from_slice(parts[gap..].concat().as_bytes());
            let strict = line.trim_ascii_start().first() == Some(&b'{')
                && serde_json::from_slice::<serde::de::IgnoredAny>(&line).is_ok();
            assert_eq!(
                is_event(&line),
                strict,
                "{:?}",
                String::from_utf8_lossy(&line)
            );
        }
    }
}

#[test]
fn faults_have_a_place_and_a_plain_message() {
    for (line, offset, kind) in [
        ("", 0, BadKind::UnexpectedEnd),
        ("[1]", 0, BadKind::NotAnObject),
        (" 7", 1, BadKind::NotAnObject),
        ("{\"a\" 1}", 5, BadKind::ExpectedColon),
        ("{\"a\":1 \"b\":2}", 7, BadKind::ExpectedCommaOrBrace),
        ("{\"a\":[1 2]}", 8, BadKind::ExpectedCommaOrBracket),
        ("{\"a\":1,}", 7, BadKind::ExpectedKey),
        ("{a:1}", 1, BadKind::ExpectedKey),
        ("{\"a\":}", 5, BadKind::ExpectedValue),
        ("{\"a\":yes}", 5, BadKind::ExpectedValue),
        ("{\"a\":\"x\ty\"}", 7, BadKind::ControlCharacter),
        ("{\"a\":\"x\\qy\"}", 7, BadKind::BadEscape),
        ("{\"a\":01}", 6, BadKind::BadNumber),
        ("{\"a\":1.}", 7, BadKind::BadNumber),
        ("{\"a\":1}}", 7, BadKind::TrailingText),
        ("{\"a\":\"x", 7, BadKind::UnexpectedEnd),
    ] {
        let fault = parse_event(line.as_bytes(), &mut Values).unwrap_err();
        assert_eq!((fault.offset, fault.kind), (offset, kind), "{line}");
        assert_eq!(
            fault.to_string(),
            format!("{} (byte {offset})", kind.message())
        );
        assert!(!is_event(line.as_bytes()));
    }
}

#[test]
fn a_prefix_is_the_first_complete_value() {
    let first = |text: &str| {
        parse(text, 256, After::Anything, &mut Values)
            .map(|(_, end)| end)
            .ok()
    };
    for (text, end) in [
        ("{\"a\":1}garbage", Some(7)),
        ("[1] ]", Some(3)),
        ("\"a\"\"b", Some(3)),
        (" 12 x", Some(3)),
        ("12", Some(2)),
        ("12abc", None),
        ("12,", None),
        ("1.5.", None),
        ("true,", Some(4)),
        ("truex", None),
        ("null\u{e9}", None),
        ("null \u{e9}", Some(4)),
        ("{}\u{0}", Some(2)),
        ("{\"a\":1", None),
        ("{bad", None),
        ("x", None),
        ("", None),
    ] {
        assert_eq!(first(text), end, "{text:?}");
    }
}
