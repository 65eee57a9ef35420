//! What messages are made of, what is refused and in which words.
#![allow(clippy::unwrap_used, clippy::panic)]

mod rows;

use super::*;
use crate::eval::text::to_text;
use std::sync::Arc;

fn options() -> Options {
    Options {
        ids: Arc::new(Ids::seeded(7)),
        ..Options::default()
    }
}

#[track_caller]
fn message(json: &str) -> Message {
    match Message::parse(json.as_bytes(), &options()) {
        Ok(message) => message,
        Err(fault) => panic!("{json}: {}", fault.message),
    }
}

#[track_caller]
fn stored(json: &str) -> String {
    String::from_utf8(message(json).to_json()).unwrap()
}

/// A message with the members given, besides those that every message has.
fn with(members: &str) -> String {
    let comma = if members.is_empty() { "" } else { "," };
    format!(
        r#"{{"Format":"IDEA0","ID":"e1","DetectTime":"2026-01-01T00:00:00Z","Category":["Test"]{comma}{members}}}"#
    )
}

/// What is said about a message that is refused.
#[track_caller]
fn refused(json: &str) -> String {
    match Message::parse(json.as_bytes(), &options()) {
        Ok(message) => panic!("{json} is taken: {message:?}"),
        Err(fault) => {
            assert_eq!(fault.code, Code::BadMessage);
            let notes = fault.notes.iter().map(|note| format!("; {note}"));
            [fault.message.clone()].into_iter().chain(notes).collect()
        }
    }
}

/// The value of one key as it is stored.
#[track_caller]
fn kept(key: &str, value: &str) -> String {
    let message = message(&with(&format!("{key:?}:{value}")));
    format!("{:?}", message.get(key).unwrap())
}

#[test]
fn a_message_is_stored_with_sorted_keys_and_what_was_left_out() {
    assert_eq!(
        stored(r#"{"b":1,"Category":[],"a":{"z":1,"y":[]},"DetectTime":0,"ID":"x"}"#),
        r#"{"Category": [], "DetectTime": "1970-01-01T00:00:00Z", "Format": "IDEA0", "ID": "x", "a": {"y": [], "z": 1}, "b": 1}"#
    );
}

#[test]
fn identifiers_are_random_unless_a_seed_is_given() {
    let made = |ids: Ids| {
        let options = Options {
            ids: Arc::new(ids),
            ..Options::default()
        };
        let message = Message::parse(b"{}", &options).unwrap();
        message.id().to_string()
    };
    let id = made(Ids::seeded(1));
    assert_eq!(id, made(Ids::seeded(1)));
    assert_ne!(id, made(Ids::seeded(2)));
    assert_ne!(made(Ids::default()), made(Ids::default()));
    for id in [id, made(Ids::default())] {
        let parts: Vec<usize> = id.split('-').map(str::len).collect();
        assert_eq!(parts, [8, 4, 4, 4, 12], "{id}");
        assert!(id.split('-').nth(2).unwrap().starts_with('4'), "{id}");
        let variant = id.split('-').nth(3).unwrap().chars().next().unwrap();
        assert!("89ab".contains(variant), "{id}");
    }
    let ids = Ids::seeded(1);
    assert_ne!(ids.next(), ids.next());
}

#[test]
fn times_are_utc_with_six_digits_or_none() {
    for (given, time) in [
        (r#""2026-01-01T00:00:00Z""#, "2026-01-01T00:00:00Z"),
        (r#""2026-01-01 00:00:00.5z""#, "2026-01-01T00:00:00.500000Z"),
        (
            r#""2026-01-01t00:00:00.1234567+05:30""#,
            "2025-12-31T18:30:00.123456Z",
        ),
        // Python takes the minutes of a negative zone with the wrong sign.
        (r#""2026-01-01T00:00:00-05:30""#, "2026-01-01T05:30:00Z"),
        (r#""2026-01-01T00:00:00-00:30""#, "2026-01-01T00:30:00Z"),
        ("1767225600", "2026-01-01T00:00:00Z"),
        ("1767225600.5", "2026-01-01T00:00:00.500000Z"),
        (r#"" 1767225600 ""#, "2026-01-01T00:00:00Z"),
        ("-0.0000015", "1969-12-31T23:59:59.999998Z"),
        (r#""0001-01-01T00:00:00Z""#, "0001-01-01T00:00:00Z"),
        (
            r#""9999-12-31T23:59:59.999999Z""#,
            "9999-12-31T23:59:59.999999Z",
        ),
        (r#""2024-02-29T00:00:00Z""#, "2024-02-29T00:00:00Z"),
    ] {
        assert_eq!(kept("EventTime", given), format!("{time:?}"), "{given}");
    }
    for given in [
        r#""2026-01-01T00:00:00""#,
        r#""2026-02-29T00:00:00Z""#,
        r#""2026-01-01T24:00:00Z""#,
        r#""2026-01-01T00:00:60Z""#,
        r#""0001-01-01T00:00:00+01:00""#,
        r#""9999-12-31T23:00:00-01:00""#,
        r#""0000-01-01T00:00:00Z""#,
        r#""2026-01-01T00:00:00.Z""#,
        r#""2026-01-01T00:00:00Z\n""#,
        r#""""#,
        r#""nan""#,
        "NaN",
        "1e300",
        "253402300800",
        "null",
        "[]",
        "{}",
        r#""2026-01-01""#,
        r#""\u0663""#,
        r#""\ud800""#,
    ] {
        let said = refused(&with(&format!(r#""EventTime":{given}"#)));
        assert!(said.starts_with("EventTime: "), "{said}");
        assert!(said.contains("is no time"), "{said}");
    }
}

#[test]
fn durations_have_days_in_front_and_can_be_read_again() {
    for (given, duration) in [
        (r#""00:05:00""#, "00:05:00"),
        (r#""1d02:03:04""#, "1D02:03:04"),
        (r#""99:99:99""#, "4D04:40:39"),
        ("300", "00:05:00"),
        ("1.5", "00:00:01.500000"),
        // Python forgets the zeros in front of a fraction.
        (r#""00:00:00.05""#, "00:00:00.050000"),
        (r#""90061""#, "1D01:01:01"),
    ] {
        let json = with(&format!(r#""Node":[{{"AggrWin":{given}}}]"#));
        let bytes = stored(&json);
        assert!(
            bytes.contains(&format!(r#""AggrWin": "{duration}""#)),
            "{bytes}"
        );
        assert_eq!(stored(&bytes), bytes);
    }
    for given in [
        "-1",
        r#""5 minutes""#,
        "1e13",
        r#""999999999999D00:00:00""#,
        r#""99999999999999999999D00:00:00""#,
        "null",
    ] {
        let said = refused(&with(&format!(r#""Node":[{{"AggrWin":{given}}}]"#)));
        assert!(said.starts_with("Node[0].AggrWin: "), "{said}");
    }
}

#[test]
fn addresses_keep_their_form() {
    for (key, given, address) in [
        ("IP4", "10.0.0.5/24", "10.0.0.5/24"),
        ("IP4", "10.0.0.9-10.0.0.1", "10.0.0.1-10.0.0.9"),
        ("IP4", "10.0.0.1-10.0.0.1", "10.0.0.1-10.0.0.1"),
        ("IP4", "0.0.0.0/0", "0.0.0.0/0"),
        ("IP4", "10.0.0.0/ +0_8 ", "10.0.0.0/8"),
        ("IP6", "2001:DB8::0:1", "2001:db8::1"),
        ("IP6", "::ffff:1.2.3.4", "::ffff:1.2.3.4"),
        ("IP6", "::ffff:0:1.2.3.4", "::ffff:0:102:304"),
        ("IP6", "::1:2", "::0.1.0.2"),
        ("IP6", "fe80::2-fe80::1", "fe80::1-fe80::2"),
        ("IP6", "2001:db8::ff00:42:0/112", "2001:db8::ff00:42:0/112"),
    ] {
        let bytes = stored(&with(&format!(r#""Source":[{{"{key}":["{given}"]}}]"#)));
        assert!(
            bytes.contains(&format!(r#""{key}": ["{address}"]"#)),
            "{bytes}"
        );
    }
    let bytes = stored(&with(r#""Source":[{"IP4":[16909060],"IP6":[1]}]"#));
    assert!(
        bytes.contains(r#""IP4": ["1.2.3.4"], "IP6": ["::1"]"#),
        "{bytes}"
    );
}

#[test]
fn a_fault_names_the_place_what_is_there_and_what_belongs_there() {
    for (members, said) in [
        (
            r#""Source":[{"IP4":["10.0.0.1","300.1.1.1"]}]"#,
            r#"Source[0].IP4[1]: "300.1.1.1" is no IPv4 address, network or range"#,
        ),
        (
            r#""Target":[{},{"IP6":["10.0.0.1"]}]"#,
            r#"Target[1].IP6[0]: "10.0.0.1" is no IPv6 address, network or range"#,
        ),
        (
            r#""Source":[{"Port":["http"]}]"#,
            r#"Source[0].Port[0]: "http" is no whole number"#,
        ),
        (r#""Source":[{"Port":22}]"#, "Source[0].Port: 22 is no list"),
        (
            r#""Source":{"Port":[22]}"#,
            "Source: an object is no list of objects",
        ),
        (
            r#""Source":["10.0.0.1"]"#,
            r#"Source[0]: "10.0.0.1" is no object"#,
        ),
        (
            r#""Source":[{"Spoofed":"false"}]"#,
            r#"Source[0].Spoofed: "false" is no boolean"#,
        ),
        (
            r#""Confidence":"high""#,
            r#"Confidence: "high" is no number"#,
        ),
        (r#""Description":["a"]"#, "Description: a list is no text"),
        (
            r#""_CESNET":{"ResolvedAbuses":"a@b"}"#,
            r#"_CESNET.ResolvedAbuses: "a@b" is no list"#,
        ),
    ] {
        assert_eq!(refused(&with(members)), said, "{members}");
    }
    for (members, said) in [
        (r#""ID":"a b""#, r#"ID: "a b" is no identifier"#),
        (r#""ID":"a\n""#, r#"ID: "a\n" is no identifier"#),
        (r#""ID":null"#, "ID: null is no identifier"),
        (
            r#""Format":"IDEA1""#,
            r#"Format: "IDEA1" is no known format"#,
        ),
        (
            r#""Category":["A.B.C"]"#,
            r#"Category[0]: "A.B.C" is no category"#,
        ),
        (
            r#""Node":[{"Name":"Org.a"}]"#,
            r#"Node[0].Name: "Org.a" is no name of a detector"#,
        ),
        (
            r#""Node":[{"Type":["a b"]}]"#,
            r#"Node[0].Type[0]: "a b" is no type"#,
        ),
        (
            r#""Attach":[{"Handle":"1a"}]"#,
            r#"Attach[0].Handle: "1a" is no handle"#,
        ),
        (
            r#""Attach":[{"ContentEncoding":"gzip"}]"#,
            r#"Attach[0].ContentEncoding: "gzip" is no known encoding"#,
        ),
        (
            r#""Ref":["http://a b"]"#,
            r#"Ref[0]: "http://a b" is no reference"#,
        ),
        (
            r#""Source":[{"MAC":["00-1b-44-11-3a-b7"]}]"#,
            r#"Source[0].MAC[0]: "00-1b-44-11-3a-b7" is no MAC address"#,
        ),
        (
            r#""Source":[{"Proto":[null]}]"#,
            "Source[0].Proto[0]: null is no name of a protocol",
        ),
    ] {
        let all = refused(&with(members));
        assert!(all.starts_with(said), "{members}: {all}");
    }
}

#[test]
fn several_faults_are_told_at_once_and_long_values_are_cut() {
    let said = refused(&with(
        r#""ConnCount":"x","Source":[{"IP4":["a"]}],"Target":[{"ASN":[[]]}]"#,
    ));
    assert_eq!(
        said,
        concat!(
            r#"ConnCount: "x" is no whole number; "#,
            r#"also Source[0].IP4[0]: "a" is no IPv4 address, network or range; "#,
            "also Target[0].ASN[0]: a list is no whole number"
        )
    );
    let said = refused(&with(&format!(r#""ConnCount":"{}""#, "x".repeat(10_000))));
    assert!(said.len() < 200, "{said}");
    let many = vec!["[]"; 1000].join(",");
    let said = refused(&with(&format!(r#""AltNames":[{many}]"#)));
    assert_eq!(said.matches("is no text").count(), 8, "{said}");
}

#[test]
fn scalars_become_what_python_makes_of_them() {
    for (key, given, value) in [
        ("Description", "5", r#""5""#),
        ("Description", "true", r#""True""#),
        ("Description", "1e16", r#""1e+16""#),
        ("Description", "NaN", r#""nan""#),
        (
            "Description",
            "123456789012345678901234567890",
            r#""123456789012345678901234567890""#,
        ),
        ("ConnCount", "1.9", "1"),
        ("ConnCount", "-0.5", "0"),
        ("ConnCount", r#"" +1_000 ""#, "1000"),
        ("ConnCount", "1e22", "10000000000000000000000"),
        ("ConnCount", "true", "1"),
        ("Confidence", "1", "1.0"),
        ("Confidence", r#""1e-5""#, "1e-05"),
        ("Confidence", "-0", "0.0"),
        ("Unknown", "-0", "0"),
        ("Unknown", "-0.0", "-0.0"),
        ("Unknown", "1.50", "1.5"),
        ("Unknown", "1E400", "Infinity"),
        ("Unknown", "123456789012345680.0", "1.2345678901234568e+17"),
        ("Unknown", "1e15", "1000000000000000.0"),
        ("Unknown", "0.0001", "0.0001"),
        (
            "Unknown",
            "[NaN,Infinity,-Infinity,null,true]",
            "[NaN, Infinity, -Infinity, null, true]",
        ),
    ] {
        assert_eq!(kept(key, given), value, "{key} {given}");
    }
    // Python would store the text None.
    assert_eq!(
        stored(&with(r#""Description":null,"Note":null"#)),
        stored(&with(""))
    );
    assert_eq!(
        stored(&with(r#""_CESNET":null"#)),
        stored(&with(r#""_CESNET":{}"#))
    );
}

#[test]
fn texts_are_escaped_beyond_ascii_and_half_pairs_survive() {
    for (given, value) in [
        (r#""é\u20ac😀""#, r#""\u00e9\u20ac\ud83d\ude00""#),
        (r#""\"\\\/\b\f\n\r\t""#, r#""\"\\/\b\f\n\r\t""#),
        ("\"a\u{7f}\\u0000\"", r#""a\u007f\u0000""#),
        (
            r#""\ud800é\"\\x\udC00\ud83d\ude00""#,
            r#""\ud800\u00e9\"\\x\udc00\ud83d\ude00""#,
        ),
        (r#""\ud83d\ude00\ude00""#, r#""\ud83d\ude00\ude00""#),
    ] {
        assert_eq!(kept("Unknown", given), value);
        assert_eq!(kept("Unknown", value), value);
    }
    // Keys are sorted by code points: U+E000 stands between half a pair and a whole one.
    let keys = r#"{"😀":1,"\ue000":2,"\ud800":3,"\ud800a":4,"z":5,"\ud800":6}"#;
    assert_eq!(
        kept("Unknown", keys),
        r#"{"z": 5, "\ud800": 6, "\ud800a": 4, "\ue000": 2, "\ud83d\ude00": 1}"#
    );
    let item = message(&with(r#""Unknown":"a\ud800\"\ud83d\ude00""#));
    assert_eq!(
        to_text(&item.get("Unknown").unwrap().to_value()),
        "a\u{fffd}\"😀"
    );
}

#[test]
fn of_equal_keys_the_last_counts() {
    assert_eq!(
        stored(&with(
            r#""Unknown":{"a":1,"b":2,"a":3},"ID":"e2","Source":"?","Source":[]"#
        )),
        r#"{"Category": ["Test"], "DetectTime": "2026-01-01T00:00:00Z", "Format": "IDEA0", "ID": "e2", "Source": [], "Unknown": {"a": 3, "b": 2}}"#
    );
}

#[test]
fn what_is_no_json_is_refused_with_its_place() {
    let deep = format!("{}1{}", "[".repeat(300), "]".repeat(300));
    let digits = format!("[{}]", "1".repeat(5000));
    for (json, byte) in [
        (&b""[..], 1),
        (b"{", 2),
        (b"{\"a\":1,}", 8),
        (b"{\"a\" 1}", 6),
        (b"{\"a\":01}", 8),
        (b"{\"a\":1} x", 9),
        (b"{\"a\":\"\x01\"}", 7),
        (b"{\"a\":\"\xff\"}", 7),
        (b"{\"a\":\"\\x\"}", 8),
        (b"{\"a\":\"\\u12g4\"}", 8),
        (b"{\"a\":.5}", 6),
        (b"{\"a\":1.}", 8),
        (b"{\"a\":-}", 7),
        (b"{\"a\":\"b", 8),
        (b"{'a':1}", 2),
        (b"nul", 1),
        (b"{\"a\":-Infinite}", 6),
        (deep.as_bytes(), 257),
        (digits.as_bytes(), 5002),
    ] {
        let fault = Message::parse(json, &options()).unwrap_err();
        assert_eq!(fault.code, Code::BadMessage);
        let place = format!("(at byte {byte})");
        let text = String::from_utf8_lossy(json);
        assert!(
            fault.message.ends_with(&place),
            "{text:.40}: {}",
            fault.message
        );
    }
    for json in ["[]", "1", "null", "\"{}\""] {
        assert_eq!(
            refused(json),
            "a message is a JSON object, and this is none"
        );
    }
    assert_eq!(
        stored(&format!("\u{feff} {}\n", with(""))),
        stored(&with(""))
    );
}
