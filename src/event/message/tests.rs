//! What messages are made of, what is refused and in which words, rows, ghosts.
#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use crate::eval::text::to_text;
use crate::event::{COLUMNS, Column, Record, Row};
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

#[test]
fn a_row_has_the_columns_of_the_table() {
    let message = message(&with(concat!(
        r#""Description":"d","Source":[{"IP4":["10.0.0.5/24"],"IP6":["::2-::1"],"Port":[443,"22",22],"Type":["B","A"],"#,
        r#""Proto":["TCP","tcp",6]},{"IP6":["::3"],"IP4":["10.0.0.9","10.0.0.9"],"Type":["A"]}],"#,
        r#""Target":[{"Proto":["ÄÖ","udp"],"Port":[]}],"Node":[{"Name":"a.b","Type":["Z","Y"]},{"Type":["Q"]},{"Name":"a.b"}],"#,
        r#""_CESNET":{"StorageTime":"2026-01-01T00:00:01Z","EventClass":"UPPER","EventSeverity":"","#,
        r#""ResolvedAbuses":["b","a","b"],"InspectionErrors":["z","a"]}"#
    )));
    let row = message.to_row().unwrap();
    let texts = |texts: &[&str]| {
        texts
            .iter()
            .map(|&text| text.to_string())
            .collect::<Vec<_>>()
    };
    let ips: Vec<String> = row.source_ip.iter().map(ToString::to_string).collect();
    assert_eq!(
        ips,
        ["10.0.0.0/24", "::1-::2", "10.0.0.9", "10.0.0.9", "::3"]
    );
    let expected = Row {
        id: "e1".to_string(),
        detecttime: 1_767_225_600_000_000,
        category: texts(&["Test"]),
        description: Some("d".to_string()),
        source_ip: row.source_ip.clone(),
        source_port: vec![22, 443],
        source_type: texts(&["A", "B"]),
        protocol: texts(&["6", "tcp", "udp", "äö"]),
        node_name: texts(&["a.b", "a.b"]),
        node_type: texts(&["Q", "Y", "Z"]),
        storagetime: Some(1_767_225_601_000_000),
        resolvedabuses: texts(&["b", "a", "b"]),
        eventclass: Some("upper".to_string()),
        eventseverity: Some(String::new()),
        inspectionerrors: texts(&["z", "a"]),
        event: Some(message.to_json()),
        ..Row::default()
    };
    assert_eq!(row, expected);
    assert!(row.storable().is_ok());
}

#[test]
fn a_row_needs_its_time_and_its_category_and_texts_that_are_texts() {
    let said = |json: &str| {
        let fault = message(json).to_row().unwrap_err();
        (fault.code, fault.message.clone(), fault.notes.join("; "))
    };
    let bad = Code::BadMessage;
    let missing = |what: &str, more: &str| (bad, format!("{what} is missing"), more.to_string());
    assert_eq!(said(r#"{"Category":[]}"#), missing("DetectTime", ""));
    assert_eq!(said(r#"{"DetectTime":0}"#), missing("Category", ""));
    assert_eq!(
        said("{}"),
        missing("DetectTime", "also Category is missing")
    );
    for (members, place) in [
        (r#""Description":"\ud800""#, "Description"),
        (
            r#""_CESNET":{"ResolvedAbuses":["a","\udc00"]}"#,
            "_CESNET.ResolvedAbuses[1]",
        ),
        (r#""_CESNET":{"EventClass":"\udc00"}"#, "_CESNET.EventClass"),
        (r#""Target":[{"Proto":["a\udc00"]}]"#, "Target[0].Proto[0]"),
    ] {
        let (code, message, _) = said(&with(members));
        assert_eq!(code, bad);
        assert!(message.starts_with(&format!("{place}: ")), "{message}");
        assert!(message.contains("half a surrogate pair"), "{message}");
    }
    let (code, text, _) = said(&with(r#""Source":[{"Port":[1,9223372036854775808]}]"#));
    assert_eq!(code, Code::EventData);
    assert!(
        text.starts_with("Source[0].Port[1]: 9223372036854775808 "),
        "{text}"
    );
    // A NUL is kept in the bytes; only a column cannot hold it.
    let row = message(&with(r#""Note":"\u0000","_CESNET":{"StorageTime":0}"#))
        .to_row()
        .unwrap();
    assert!(row.storable().is_ok());
    let row = message(&with(
        r#""Description":"\u0000","_CESNET":{"StorageTime":0}"#,
    ))
    .to_row();
    assert_eq!(row.unwrap().storable().unwrap_err().code, Code::EventData);
}

#[test]
fn another_private_key_is_stored_as_mentats_own() {
    let json = with(r#""_Mentat":{"StorageTime":5,"EventClass":"X"},"_Z":1"#);
    let newer = Options {
        private_key: "_Mentat".into(),
        ..options()
    };
    let renamed = Message::parse(json.as_bytes(), &newer).unwrap();
    assert_eq!(renamed.storage_time(), Some(5_000_000));
    assert_eq!(renamed.class(), Some("X"));
    let bytes = String::from_utf8(renamed.to_json()).unwrap();
    assert!(
        bytes.ends_with(
            r#""_CESNET": {"EventClass": "X", "StorageTime": "1970-01-01T00:00:05Z"}, "_Z": 1}"#
        ),
        "{bytes}"
    );
    assert_eq!(message(&json).storage_time(), None);
    assert!(stored(&json).contains(r#""StorageTime": 5"#));
    let fault =
        Message::parse(with(r#""_Mentat":{},"_CESNET":{}"#).as_bytes(), &newer).unwrap_err();
    assert!(fault.message.contains("_CESNET"), "{}", fault.message);
    let same = Message::parse(with(r#""_CESNET":{"StorageTime":5}"#).as_bytes(), &newer).unwrap();
    assert_eq!(same.storage_time(), Some(5_000_000));
}

#[test]
fn a_storage_time_is_filled_in_where_there_is_none() {
    let filling = Options {
        storage_time: Some(1_000_000),
        ..options()
    };
    for (members, time) in [
        ("", 1_000_000),
        (r#""_CESNET":{"EventClass":"a"}"#, 1_000_000),
        (r#""_CESNET":{"StorageTime":7}"#, 7_000_000),
    ] {
        let message = Message::parse(with(members).as_bytes(), &filling).unwrap();
        assert_eq!(message.storage_time(), Some(time), "{members}");
        assert_eq!(message.class().is_some(), members.contains("EventClass"));
    }
    let mut message = message(&with(""));
    message.set_storage_time(i64::MAX);
    assert_eq!(message.storage_time(), None);
    message.set_storage_time(1);
    message.set_storage_time(2);
    assert_eq!(message.storage_time(), Some(2));
    assert!(
        format!("{message:?}")
            .ends_with(r#""_CESNET": {"StorageTime": "1970-01-01T00:00:00.000002Z"}}"#)
    );
}

fn record(row: Row, columns: &[Column]) -> Record {
    Record {
        columns: columns.into(),
        row,
    }
}

#[test]
fn a_record_gives_the_message_or_its_ghost() {
    let original = message(&with(concat!(
        r#""Description":"d","Unknown":1,"Source":[{"IP4":["10.0.0.5/24"],"IP6":["::1"],"Port":[443,22],"Proto":["TCP"]},{"Type":["A"]}],"#,
        r#""Node":[{"Name":"c.d","Type":["Z"]},{"Name":"a.b","Type":["Y"],"SW":["s"]}],"#,
        r#""_CESNET":{"StorageTime":"2026-01-01T00:00:01Z","EventClass":"UPPER","ResolvedAbuses":["b"],"Other":1}"#
    )));
    let row = original.to_row().unwrap();
    let all = record(row.clone(), COLUMNS);
    assert_eq!(Message::from_record(&all).unwrap(), original);
    let ghost = Message::ghost(&all).unwrap();
    assert_eq!(
        format!("{ghost:?}"),
        concat!(
            r#"{"Category": ["Test"], "Description": "d", "DetectTime": "2026-01-01T00:00:00Z", "Format": "IDEA0", "ID": "e1", "#,
            r#""Node": [{"Name": "c.d", "Type": ["Y", "Z"]}, {"Name": "a.b", "Type": ["Y", "Z"]}], "#,
            r#""Source": [{"IP4": ["10.0.0.0/24"], "IP6": ["::1"], "Port": [22, 443], "Proto": ["tcp"], "Type": ["A"]}], "#,
            r#""Target": [{"Proto": ["tcp"]}], "#,
            r#""_CESNET": {"EventClass": "upper", "ResolvedAbuses": ["b"], "StorageTime": "2026-01-01T00:00:01Z"}}"#
        )
    );
    // Python's ghost has the description None where there is none.
    let bare = Row {
        description: None,
        ..row.clone()
    };
    assert_eq!(
        Message::ghost(&record(bare, COLUMNS))
            .unwrap()
            .description(),
        None
    );
    let some = record(row.clone(), &[Column::Id, Column::SourcePort]);
    assert_eq!(
        format!("{:?}", Message::ghost(&some).unwrap()),
        r#"{"Format": "IDEA0", "ID": "e1", "Source": [{"Port": [22, 443]}]}"#
    );
    for made in [
        Message::from_record(&some),
        Message::from_record(&record(
            Row {
                event: None,
                ..row.clone()
            },
            COLUMNS,
        )),
        Message::ghost(&record(row.clone(), &[Column::Event])),
    ] {
        assert_eq!(made.unwrap_err().code, Code::EventStorage);
    }
    let damaged = record(
        Row {
            event: Some(b"{".to_vec()),
            ..row
        },
        COLUMNS,
    );
    assert_eq!(
        Message::from_record(&damaged).unwrap_err().code,
        Code::BadMessage
    );
}

#[test]
fn the_parts_of_a_message_are_at_hand() {
    let message = message(&with(concat!(
        r#""Description":"d","Confidence":0.5,"ConnCount":3,"Source":[{"IP6":["::1"],"IP4":["10.0.0.1"],"Spoofed":true},{"IP4":["10.0.0.2/31"]}],"#,
        r#""Node":[{"Name":"a.b","AggrWin":1.5},{}],"_CESNET":{"EventSeverity":"low","ResolvedAbuses":["g"]}"#
    )));
    assert_eq!(message.id(), "e1");
    assert_eq!(message.detect_time(), Some(1_767_225_600_000_000));
    assert_eq!(message.categories().collect::<Vec<_>>(), ["Test"]);
    assert_eq!(message.description(), Some("d"));
    let addresses: Vec<String> = message
        .addresses("Source")
        .map(|one| one.to_string())
        .collect();
    assert_eq!(addresses, ["10.0.0.1", "::1", "10.0.0.2/31"]);
    assert_eq!(message.addresses("Target").count(), 0);
    assert_eq!(message.detectors().collect::<Vec<_>>(), ["a.b"]);
    assert_eq!(message.severity(), Some("low"));
    assert_eq!(message.class(), None);
    assert_eq!(message.abuses().collect::<Vec<_>>(), ["g"]);
    let root = message.root();
    assert_eq!(
        root.find("Source[1].IP4[0]").unwrap().as_address(),
        Some(Address::Net4(0x0a00_0002, 31))
    );
    assert_eq!(
        root.find("Source[0].Spoofed").unwrap().as_bool(),
        Some(true)
    );
    assert_eq!(root.find("Confidence").unwrap().as_f64(), Some(0.5));
    assert_eq!(root.find("ConnCount").unwrap().as_i64(), Some(3));
    assert_eq!(
        root.find("Node[0].AggrWin").unwrap().as_duration(),
        Some(1_500_000)
    );
    for path in [
        "Source[2]",
        "Source.IP4",
        "Source[x]",
        "Nothing",
        "ID.x",
        "ID[0]",
    ] {
        assert!(root.find(path).is_none(), "{path}");
    }
    let keys: Vec<_> = root.members().map(|(key, _)| key.into_owned()).collect();
    assert_eq!(keys.first().map(String::as_str), Some("Category"));
}

#[test]
fn a_message_comes_from_values_and_goes_back() {
    let json = with(
        r#""Source":[{"IP4":["10.0.0.1/8"],"Port":[22]}],"big":[5000000000,123456789012345678901234567890,1.5,null,true]"#,
    );
    let first = message(&json);
    let value = first.to_value();
    assert_eq!(Message::from_value(&value, &options()).unwrap(), first);
    let tree: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(Message::from_json(&tree, &options()).unwrap(), first);
    let Value::Map(map) = &value else {
        panic!("{value:?}")
    };
    assert_eq!(
        to_text(&map.get_text("DetectTime").unwrap()),
        "2026-01-01T00:00:00Z"
    );
    let fault = Message::from_value(&Value::text("x"), &options()).unwrap_err();
    assert_eq!(fault.code, Code::BadMessage);
}
