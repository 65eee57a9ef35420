#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]
use super::*;
use crate::eval::Value;
use crate::eval::collections::{List, Map};
use crate::eval::json;
use chrono::{DateTime, FixedOffset};

/// What Python 3.11 answered: kind, input, output, each a text in JSON. An output of NUL alone is an exception.
const ANSWERS: &str = include_str!("../../../tests/python.tsv");

fn rows(kind: &str) -> Vec<(String, String)> {
    let rows = ANSWERS.lines().map(|line| {
        let cells: Vec<String> = line
            .split('\t')
            .map(|c| serde_json::from_str(c).unwrap())
            .collect();
        let [kind, input, output] = cells.try_into().unwrap();
        (kind, input, output)
    });
    let rows: Vec<_> = rows.filter(|r| r.0 == kind).map(|r| (r.1, r.2)).collect();
    assert!(rows.len() > 20, "{kind}");
    rows
}

fn hex_float(text: &str) -> f64 {
    let (sign, rest) = text
        .strip_prefix('-')
        .map_or((1.0, text), |rest| (-1.0, rest));
    let Some(rest) = rest.strip_prefix("0x") else {
        return sign * rest.parse::<f64>().unwrap();
    };
    let (digits, power) = rest.split_once('p').unwrap();
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let mantissa = u64::from_str_radix(&format!("{whole}{fraction}"), 16).unwrap();
    let power = power.parse::<i32>().unwrap() - 4 * i32::try_from(fraction.len()).unwrap();
    // Two steps, so that the smallest numbers do not vanish on the way.
    sign * mantissa as f64 * 2f64.powi(power / 2) * 2f64.powi(power - power / 2)
}

#[test]
fn floats_print_as_in_python() {
    for (input, output) in rows("float") {
        assert_eq!(float(hex_float(&input)), output, "{input}");
    }
}

#[test]
fn texts_print_as_in_python() {
    for (input, output) in rows("text") {
        let text: String = serde_json::from_str(&input).unwrap();
        let (printed, dumped) = output.split_once('\u{1}').unwrap();
        let mut out = String::new();
        write_repr(&Value::text(&text), &mut out);
        assert_eq!(out, printed, "{input}");
        let mut out = Vec::new();
        write_json_text(&text, &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), dumped);
    }
}

#[test]
fn formats_are_those_of_python() {
    for (input, output) in rows("format") {
        let (value, spec) = input.split_once('\u{1}').unwrap();
        let value = json::from_json(&serde_json::from_str(value).unwrap(), 10).unwrap();
        let template = Template::new(&format!("{{v:{spec}}}"));
        let filled = template.and_then(|t| t.fill(Missing::Error, |_| Some(value.clone())));
        assert_eq!(filled.as_deref().unwrap_or("\0"), output, "{input}");
    }
}

#[test]
fn templates_are_those_of_python() {
    let look = |name: &str| {
        Some(match name {
            "x" => Value::text("wörld"),
            "l" => Value::List(List::array(vec![Value::Int(1), Value::Int(2)])),
            "m" => Value::Map(Map::of_texts([("k", Value::text("v"))])),
            "w" => Value::Int(8),
            "u" => Value::text("é\u{2028}😀"),
            _ => return None,
        })
    };
    for (input, output) in rows("template") {
        let filled = Template::new(&input).and_then(|t| t.fill(Missing::Kept, look));
        assert_eq!(filled.as_deref().unwrap_or("\0"), output, "{input}");
    }
    let missing = Template::new("a/{b}").unwrap().fill(Missing::Error, look);
    assert_eq!(missing.unwrap_err(), "there is no field b");
}

#[test]
fn times_are_written_as_by_c() {
    for (input, output) in rows("time") {
        let (seconds, pattern) = input.split_once('\u{1}').unwrap();
        let utc = DateTime::from_timestamp(seconds.parse().unwrap(), 0).unwrap();
        let moment: DateTime<FixedOffset> = utc.fixed_offset();
        assert_eq!(strftime(pattern, &moment, "UTC"), output, "{input}");
    }
}

#[test]
fn equality_is_that_of_python() {
    let list = |items: &[Value]| Value::List(List::array(items.to_vec()));
    let big = |n: &str| json::number_value(n);
    for (a, b, expected) in [
        (Value::Int(1), Value::Double(1.0), true),
        (Value::Bool(true), Value::Long(1), true),
        (Value::Bool(false), Value::Double(-0.0), true),
        (Value::Int(1), Value::text("1"), false),
        (Value::Null, Value::Bool(false), false),
        (Value::Double(f64::NAN), Value::Double(f64::NAN), false),
        (
            big("9007199254740993"),
            Value::Double(9007199254740992.0),
            false,
        ),
        (big("100000000000000000000"), Value::Double(1e20), true),
        (list(&[Value::Int(1)]), list(&[Value::Bool(true)]), true),
        (list(&[Value::Int(1)]), list(&[]), false),
    ] {
        assert_eq!(equal(&a, &b), expected, "{a:?} {b:?}");
        if let (Some(x), Some(y)) = (Key::of(&a), Key::of(&b))
            && expected
        {
            assert_eq!(x, y, "{a:?} {b:?}");
        }
    }
    assert_eq!(Key::of(&list(&[])), None);
}
