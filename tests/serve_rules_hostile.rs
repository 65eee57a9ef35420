//! Hostile bodies for the API of rules: each is refused with a reason, nothing of it is stored, nothing falls over.
//! Seeds are fixed, so that a failure comes again.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use serde_json::{Value as Json, json};
use support::api::{Api, Told};

const CREATE: &str = "/cruddy/v2/logmule_go_rules/create";

/// SplitMix64 (Steele, Lea and Flood).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let x = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    fn below(&mut self, most: usize) -> usize {
        usize::try_from(self.next() % most as u64).unwrap()
    }

    fn of<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())].clone()
    }
}

/// Calls that store something, with a body that they take.
fn calls(number: usize) -> Vec<(String, Json)> {
    let name = format!("hostile {number}");
    let rule = json!({
        "id": format!("h{number}"), "created_at": "2023-12-20T00:00:01.652259Z", "trace_id": "t", "name": name,
        "frontend_data": {"version": 2, "deep": {"er": [1, "two", null]}}, "test_data": [{"a": {"b": 1}}],
        "settings": [{"max_alerts": 1, "is_constructor": false}], "active": true, "reload": true, "finding_id": "f",
        "description": "описание", "lua": "x = 1", "is_retro": false, "is_system": false,
        "stats": {"result_count": 1, "error_count": 0}, "is_error": 0, "_relations": {"filters": []},
    });
    let mut change = rule.clone();
    change["id"] = json!("kept");
    vec![
        (CREATE.into(), rule.clone()),
        ("/logmule_go_rules/create".into(), rule),
        ("/cruddy/v2/logmule_go_rules/kept".into(), change),
        (
            "/cruddy/v2/logmule_go_filters/create".into(),
            json!({"name": name, "expression": "a == 1"}),
        ),
        (
            "/cruddy/v2/logmule_go_modules/create".into(),
            json!({"name": name, "content": "x = 1"}),
        ),
        (
            "/findings/create".into(),
            json!({"name": name, "description": "d"}),
        ),
        (
            "/tables/create".into(),
            json!({"name": name, "values_scheme": {"a": "b"}}),
        ),
        (
            "/tables/kept/rows".into(),
            json!({"rows": [{"key": name, "cells": {"a": [1, "x"]}}]}),
        ),
    ]
}

/// Makes a body that no call may take.
fn spoiled(body: &Json, chance: &mut Chance) -> (&'static str, Vec<u8>) {
    let text = body.to_string();
    let inner = &text[1..text.len() - 1];
    // A place behind some quotation mark or blank of the text, on the border of a character.
    let within = |chance: &mut Chance| {
        let marks: Vec<usize> = text.match_indices("\":\"").map(|(at, _)| at + 3).collect();
        chance.of(&marks)
    };
    let put =
        |at: usize, what: &[u8]| [&text.as_bytes()[..at], what, &text.as_bytes()[at..]].concat();
    let bytes = |text: String| text.into_bytes();
    match chance.below(16) {
        0 => {
            let mut at = chance.below(text.len());
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            ("truncated", text.as_bytes()[..at].to_vec())
        }
        1 => {
            let wrong: [&[u8]; 6] = [
                b"\xff",
                b"\xc3\x28",
                b"\xed\xa0\x80",
                b"\xf0\x9f\x98",
                b"\xc0\x80",
                b"\xf8\x88\x80\x80\x80",
            ];
            let at = within(chance);
            ("bad UTF-8", put(at, chance.of(&wrong)))
        }
        2 => {
            let nul: [&[u8]; 3] = [b"\\u0000", b"x\\u0000y", b"\0"];
            let at = within(chance);
            ("NUL", put(at, chance.of(&nul)))
        }
        3 => (
            "NUL in a name",
            bytes(format!("{{{inner},\"x\\u0000\":1}}")),
        ),
        4 => {
            let name = chance.of(&body
                .as_object()
                .unwrap()
                .keys()
                .cloned()
                .collect::<Vec<_>>());
            let value = chance.of(&["null", "1", "{}", "\"x\"", "[]"]);
            (
                "a name twice",
                bytes(format!("{{{inner},\"{name}\":{value}}}")),
            )
        }
        5 => (
            "a name twice inside",
            bytes(format!(
                "{{{inner},\"x\":[{{\"a\":{{\"b\":1,\"\\u0062\":2}}}}]}}"
            )),
        ),
        6 => {
            let depth = 128 + chance.below(20_000);
            let (open, close) = chance.of(&[("[", "]"), ("{\"a\":", "}")]);
            let nest = format!("{}1{}", open.repeat(depth), close.repeat(depth));
            ("deep nesting", bytes(format!("{{{inner},\"x\":{nest}}}")))
        }
        7 => (
            "deep nesting that never ends",
            bytes(format!("{{{inner},\"x\":{}", "[".repeat(500_000))),
        ),
        8 => {
            let odd = [
                "NaN", "Infinity", "-", "01", "+1", "0x10", ".5", "1.", "1e", "--1", "1_000", "١",
            ];
            (
                "odd numbers",
                bytes(format!("{{{inner},\"x\":{}}}", chance.of(&odd))),
            )
        }
        9 => {
            let odd = [
                "undefined",
                "True",
                "'x'",
                "\"\\x41\"",
                "\"\\ud800\"",
                "\"\\u12\"",
                "\"a\nb\"",
                "/* */ 1",
                "[1,]",
                "{,}",
                "1 2",
            ];
            (
                "what is no JSON",
                bytes(format!("{{{inner},\"x\":{}}}", chance.of(&odd))),
            )
        }
        10 => {
            let rest = ["}", "{}", "x", ",", "\u{feff}", "null", "\\"];
            (
                "more behind it",
                bytes(format!("{text}{}", chance.of(&rest))),
            )
        }
        11 => {
            let whole = [
                "", " ", "null", "true", "1", "\"x\"", "[]", "[{}]", "[", "{", "\u{feff}",
                "<xml/>", "a=b&c=d",
            ];
            ("no object", bytes(chance.of(&whole).to_string()))
        }
        12 => {
            let length = 1 + chance.below(2000);
            let random: Vec<u8> = (0..length).map(|_| chance.next() as u8 | 0x80).collect();
            ("random bytes", random)
        }
        13 => (
            "another encoding",
            text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        ),
        14 => (
            "a huge body",
            bytes(format!(
                "{{{inner},\"x\":\"{}\"}}",
                "y".repeat((1 << 20) + chance.below(1 << 20))
            )),
        ),
        _ => {
            // Whatever stands for the name: there is no call that can do without, but for rows.
            let mut body = body.clone();
            let wrong = chance.of(&[
                json!(null),
                json!(""),
                json!(1),
                json!([]),
                json!({}),
                json!(" "),
                json!("n".repeat(1025)),
                json!(true),
            ]);
            match body.get_mut("rows") {
                Some(rows) => *rows = if wrong == json!([]) { json!(7) } else { wrong },
                None => body["name"] = wrong,
            }
            ("a wrong name", bytes(body.to_string()))
        }
    }
}

/// Fields of rules with values that they never take.
fn mistyped(body: &Json, chance: &mut Chance) -> (&'static str, Json) {
    let mut body = body.clone();
    let huge = "x".repeat(300_000);
    let all = [
        ("created_at", json!(1)),
        ("created_at", json!("12:00")),
        ("trace_id", json!({})),
        ("trace_id", json!("t".repeat(2000))),
        ("frontend_data", json!([])),
        ("frontend_data", json!("x")),
        ("test_data", json!({})),
        ("test_data", json!([[], 1])),
        ("settings", json!([])),
        ("settings", json!([1])),
        ("settings", json!({"max_alerts": -1})),
        ("settings", json!({"max_alerts": 1.5})),
        (
            "settings",
            serde_json::from_str(r#"{"max_alerts": 1e400}"#).unwrap(),
        ),
        (
            "settings",
            serde_json::from_str(r#"{"max_rule_memory_mb": 99999999999999999999999}"#).unwrap(),
        ),
        ("settings", json!({"function_metrics": "yes"})),
        ("active", json!("true")),
        ("active", json!(1)),
        ("reload", json!([])),
        ("finding_id", json!(1)),
        ("finding_id", json!(huge)),
        ("description", json!(huge)),
        ("description", json!({})),
        ("lua", json!(1)),
        ("lua", json!(["x"])),
        ("is_retro", json!(0)),
        ("is_system", json!("false")),
        ("stats", json!([])),
        ("stats", json!({"result_count": -1})),
        ("stats", json!({"error_count": "x"})),
        ("is_error", json!(-1)),
        ("is_error", json!("0")),
        ("is_error", serde_json::from_str("-0.0").unwrap()),
        ("is_error", serde_json::from_str("1E+2000").unwrap()),
        ("running_at", json!("2023-02-30T00:00:00Z")),
        ("_relations", json!([])),
        ("_relations", json!({"x": []})),
        ("_relations", json!({"filters": {}})),
        ("_relations", json!({"filters": ["nowhere"]})),
        ("_relations", json!({"results": [1]})),
        ("_relations", json!({"finding": ["a", "b"]})),
        ("_relations", json!({"modules": ["'; DROP TABLE rule; --"]})),
        ("id", json!(7)),
        ("id", json!("")),
        ("id", json!("x".repeat(2000))),
    ];
    let (field, value) = chance.of(&all);
    body[field] = value;
    (field, body)
}

#[track_caller]
fn refused(told: &Told, what: &str, path: &str, body: &[u8]) {
    let shown: String = String::from_utf8_lossy(body).chars().take(300).collect();
    assert!(
        matches!(told.status, 400 | 409 | 413),
        "{what} at {path}: {} {shown}",
        told.status
    );
    let extra = told.refused(told.status);
    assert!(
        !extra["fields"].as_array().unwrap().is_empty(),
        "{what} at {path}: {extra}"
    );
}

/// Everything that is stored.
fn stored(api: &Api) -> Vec<Json> {
    [
        "logmule_go_rules",
        "logmule_go_filters",
        "logmule_go_modules",
        "findings",
        "tables",
        "tables/kept/rows",
    ]
    .iter()
    .map(|list| api.get(&format!("/cruddy/v2/{list}")).ok(200))
    .collect()
}

fn prepared() -> Api {
    let api = Api::start(&[]);
    for (path, mut body) in calls(0)
        .into_iter()
        .filter(|(path, _)| path.ends_with("/create"))
        .skip(1)
    {
        body["id"] = json!("kept");
        body["name"] = json!("kept");
        api.post(&path, &body).ok(201);
    }
    api
}

#[test]
fn hostile_bodies_are_refused_with_a_reason() {
    let api = prepared();
    let before = stored(&api);
    let mut chance = Chance(1);
    for number in 0..700 {
        let calls = calls(number);
        let (path, body) = chance.of(&calls);
        let (what, body) = spoiled(&body, &mut chance);
        refused(&api.raw(&path, &body), what, &path, &body);
    }
    for number in 0..300 {
        let calls = &calls(number)[..3];
        let (path, body) = chance.of(calls);
        let (field, body) = mistyped(&body, &mut chance);
        let told = api.post(&path, &body);
        refused(&told, field, &path, body.to_string().as_bytes());
    }
    // A name that is used, however the rest is.
    for number in 0..30 {
        let (path, mut body) = chance.of(&calls(number)[..2]);
        body["name"] = json!("kept");
        assert_eq!(
            api.post(&path, &body).refused(409)["fields"],
            json!(["name"])
        );
    }
    assert_eq!(stored(&api), before);
    let metrics = String::from_utf8(api.get("/metrics").body).unwrap();
    assert!(!metrics.contains("status=\"500\""), "{metrics}");
}

/// A body with some other bytes in it is taken or refused; what is taken comes back as it was.
#[test]
fn bodies_with_changed_bytes_do_no_harm() {
    let api = prepared();
    let mut chance = Chance(2);
    let (mut taken, mut not) = (0, 0);
    for number in 0..500 {
        let (_, body) = calls(number).remove(0);
        let mut bytes = body.to_string().into_bytes();
        for _ in 0..=chance.below(2) {
            let at = chance.below(bytes.len());
            match chance.below(3) {
                0 => bytes[at] = b" {}[]\",:0123456789.eE-+\\/untrfalsx\x7f"[chance.below(35)],
                1 => drop(bytes.remove(at)),
                _ => bytes[at] ^= 1 << chance.below(8),
            }
        }
        let told = api.raw(CREATE, &bytes);
        match told.status {
            201 => {
                taken += 1;
                let rule = told.ok(201);
                let id = rule["id"].as_str().unwrap().to_owned();
                let id: String = url::form_urlencoded::byte_serialize(id.as_bytes()).collect();
                let path = format!("/logmule_go_rules/{}", id.replace('+', "%20"));
                assert_eq!(api.get(&path).ok(200), rule);
                api.delete(&path).ok(200);
            }
            _ => {
                not += 1;
                refused(&told, "changed bytes", CREATE, &bytes);
            }
        }
    }
    assert!(taken > 50 && not > 50, "{taken} {not}");
    assert_eq!(api.count("/logmule_go_rules"), 1);
}

/// What a private name of the library that reads JSON could do.
#[test]
fn private_names_of_libraries_do_no_harm() {
    let api = prepared();
    for (number, value) in [
        r#"{"$serde_json::private::Number": "1"}"#,
        r#"{"$serde_json::private::Number": "x"}"#,
        r#"{"$serde_json::private::RawValue": "[1"}"#,
        r#"[{"$serde_json::private::Number": {}}]"#,
    ]
    .iter()
    .enumerate()
    {
        let body = calls(number).remove(0).1.to_string();
        let body = body.replace(r#"{"er":[1,"two",null]}"#, value);
        let told = api.raw(CREATE, body.as_bytes());
        assert!(matches!(told.status, 201 | 400), "{value}: {}", told.status);
    }
}
