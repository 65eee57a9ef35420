#![allow(clippy::unwrap_used, clippy::panic)]

use super::patterns::{Refusal, common, expand, expand_common};
use crate::engine::Engine;
use crate::eval::collections::List;
use crate::eval::text::to_text;
use crate::eval::{Value, Variables};
use proptest::prelude::*;
use smol_str::SmolStr;
use std::sync::Arc;

struct Given(Vec<(SmolStr, Value)>);

impl Variables for Given {
    fn get(&self, name: &str) -> Option<Value> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.clone())
    }

    fn all(&self) -> Vec<(SmolStr, Value)> {
        self.0.clone()
    }
}

/// The answer to a call with these values as `e` and `d`.
fn answer(call: &str, expression: Value, data: Value) -> Result<Value, String> {
    let mut engine = Engine::bare();
    let given = vec![("e".into(), expression), ("d".into(), data)];
    engine.context.variables = Arc::new(Given(given));
    let result = engine.evaluate(call);
    result.map_err(|fault| fault.code.name().to_string())
}

/// The table of GROK_EVAL without its lines: columns, then rows, cells by bars.
fn table(expression: &str, data: Value) -> String {
    let value = match answer("GROK_EVAL(e, d)", expression.into(), data) {
        Ok(value) => to_text(&value).to_string(),
        Err(code) => return code,
    };
    let rows: Vec<String> = value
        .lines()
        .filter(|line| line.starts_with('║'))
        .map(|line| {
            let cells: Vec<&str> = line.trim_matches('║').split('│').map(str::trim).collect();
            cells.join("|")
        })
        .collect();
    match rows.is_empty() {
        true => value,
        false => rows.join(" / "),
    }
}

fn map(expression: &str, data: &str) -> String {
    let answer = answer("GROK_MAP(e, d)", expression.into(), data.into());
    answer.map_or_else(|code| code, |value| to_text(&value).to_string())
}

const APACHE: &str =
    "127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] \"GET /apache_pb.gif HTTP/1.0\" 200 2326";

/// Recorded from Metron's way of calling java-grok 0.1.0, with the patterns bundled here.
#[test]
fn tables_are_those_of_the_real_library() {
    for (expression, data, expected) in [
        ("%{INT:a} %{INT:a}", "1 2", "a / 1"),
        ("%{INT:a} %{WORD:a}", "1 b", "a / b"),
        ("%{INT} %{INT}", "1 2", "INT / 1"),
        (
            "%{IP:a} %{IP:b}",
            "1.2.3.4 5.6.7.8",
            "a|b / 1.2.3.4|5.6.7.8",
        ),
        ("a", "a", "NO MATCH"),
        ("", "a", "null"),
        ("   ", "a", "null"),
        ("(", "a", "E0209"),
        ("(?<foo>a+)(?<foo_bar>b)?", "aa", "foo|foo_bar / aa|null"),
        ("(?<foo>a)(?<foo>b)", "ab", "foo / a"),
        ("%{A}\nA %{A}", "a", "null"),
        ("%{A:k}\nA x%{B:l}\nB y+", "xyy", "k|l / xyy|yy"),
        ("%{NEW=\\d+}-%{NEW:z}", "12-13", "NEW=\\d+|z / 12|13"),
        ("%{NEW:q=\\d+}", "12", "q / 12"),
        ("%{QS:q}", "\"abc\"", "q / abc"),
        ("%{QS:q}", "''", "q / "),
        ("%{NOTSPACE:n}", "007", "n / 7"),
        ("%{NOTSPACE:n}", "+5", "n / 5"),
        ("%{NOTSPACE:n}", "-5", "n / -5"),
        ("%{NOTSPACE:n}", "99999999999", "n / 99999999999"),
        ("%{NOTSPACE:n}", "٣٤", "n / 34"),
        ("%{NUMBER:bytes:int}", "5", "bytes:int / 5"),
        ("%{NUMBER:bytes;int}", "5", "E0209"),
        ("%{DATA:pattern}x", "ax", "NO MATCH"),
        ("%{DATA:UNWANTED}x", "ax", "NO MATCH"),
        ("%{INT:a}", "", "NO MATCH"),
        (
            "%{SYSLOGBASE} %{GREEDYDATA:msg}",
            "Mar  1 12:00:00 host1 sshd[123]: hello",
            "HOUR|IPORHOST|MINUTE|MONTH|MONTHDAY|SECOND|SYSLOGBASE|SYSLOGFACILITY|SYSLOGPROG|TIME|facility|logsource|msg|pid|priority|program|timestamp \
             / 12|host1|0|Mar|1|0|Mar  1 12:00:00 host1 sshd[123]:|null|sshd[123]|12:00:00|null|host1|hello|123|null|sshd|Mar  1 12:00:00",
        ),
    ] {
        assert_eq!(table(expression, data.into()), expected, "{expression}");
    }
    let several = vec!["10.0.0.1 22".into(), "x".into(), Value::Null, "".into()];
    assert_eq!(
        table("%{IP:src} %{INT:port}", several.into()),
        "port|src / 22|10.0.0.1 / MISSING|MISSING / MISSING|MISSING / MISSING|MISSING"
    );
    let apache = table("%{COMMONAPACHELOG}", APACHE.into());
    let columns = "COMMONAPACHELOG|HOUR|INT|MINUTE|MONTH|MONTHDAY|SECOND|TIME|YEAR|auth|bytes|clientip|httpversion|ident|rawrequest|request|response|timestamp|verb";
    assert!(apache.starts_with(columns), "{apache}");
    let values = "|13|-700|55|Oct|10|36|13:55:36|2000|frank|2326|127.0.0.1|1.0|-|null|/apache_pb.gif|200|10/Oct/2000:13:55:36 -0700|GET";
    assert!(apache.ends_with(values), "{apache}");
}

/// Recorded likewise.
#[test]
fn suggestions_are_those_of_the_real_library() {
    for (text, expected) in [
        ("1474583653.416", "%{BASE10NUM}"),
        (
            "Hello 10.0.0.1 at 2016-01-01T10:00:00Z",
            "Hello %{BASE10NUM}.0.1 at 20%{DATE}T%{TIME}Z",
        ),
        ("", ""),
        ("  ", "  "),
        ("a", "a"),
        (
            APACHE,
            "%{BASE10NUM}.0.1 - frank [10/Oct/%{HOSTPORT}:55:36 %{ISO8601_TIMEZONE}] %{QS} 200 2326",
        ),
        (
            "Mar  1 12:00:00 host1 sshd[123]: Failed password for root from 10.1.2.3 port 22",
            "%{MESSAGESLOG}Failed password for root from %{IP} port 22",
        ),
        (
            "user=bob id=550e8400-e29b-41d4-a716-446655440000 00:11:22:33:44:55",
            "user=bob id=550e8400-e29b-41d4-a716%{ISO8601_TIMEZONE}655440000 %{COMMONMAC}",
        ),
        (
            "GET http://example.com:80/a?b=c ERROR",
            "GET http://%{HOSTPORT}/a%{URIPARAM} ERROR",
        ),
        (
            "1467011157.401 415 127.0.0.1 TCP_MISS/200 337891 GET http://www.aliexpress.com/af/shoes.html? - DIRECT/207.109.73.154 text/html",
            "%{BASE10NUM} 415 %{IP} TCP_MISS%{PATH} 337891 GET %{URI} - DIRECT/207.109.73.154 text/html",
        ),
        ("%{x}", "%{x}"),
        ("10.0.0.1", "%{BASE10NUM}.0.1"),
        (
            "2016/01/02 12:13:14 é日本 [info] a-b_c",
            "20%{DATE} %{HOSTPORT}:14 é日本 [info] a-b_c",
        ),
    ] {
        let found = answer("GROK_PREDICT(d)", Value::Null, text.into()).unwrap();
        assert_eq!(to_text(&found), expected, "{text}");
    }
    for bad in [Value::Int(5), Value::Bool(true)] {
        assert_eq!(
            answer("GROK_PREDICT(d)", Value::Null, bad).unwrap_err(),
            "E0203"
        );
    }
}

#[test]
fn every_bundled_pattern_can_be_used() {
    assert!(common().len() > 60);
    for name in common().keys() {
        expand_common(name).unwrap_or_else(|refusal| panic!("{name}: {refusal:?}"));
        let found = map(&format!("%{{{name}:x}}"), "probe 1");
        assert!(
            found == "null" || found.starts_with("{x="),
            "{name}: {found}"
        );
    }
}

#[test]
fn maps_hold_what_has_a_key() {
    for (expression, data, expected) in [
        (
            "%{IP:ip}:%{INT:port:int}",
            "10.0.0.1:22",
            "{ip=10.0.0.1, port=22}",
        ),
        ("%{IP:ip}:%{INT:port}", "nothing", "null"),
        ("%{IP}", "10.0.0.1", "{}"),
        (
            "%{INT:n:int} %{NUMBER:x:float}",
            "99999999999 2",
            "{n=99999999999, x=2.0}",
        ),
        ("%{WORD:n:int}", "abc", "{n=abc}"),
        ("%{WORD:a:b}", "abc", "{a:b=abc}"),
        ("(?<a>x)(?<b_c>y)?", "x", "{a=x}"),
        ("(?<q>.)%{DATA}\\k<q>", "'it'", "{q='}"),
        ("%{QS:q}", "\"abc\"", "{q=\"abc\"}"),
        ("", "abc", "E0204"),
        ("%{A}\nA %{B}\nB %{A}", "abc", "E0204"),
        ("%{IPP:x}", "abc", "E0204"),
    ] {
        assert_eq!(map(expression, data), expected, "{expression}");
    }
    let list = Value::List(List::array(vec!["a 1".into(), Value::Null]));
    let found = answer("GROK_MAP(e, d)", "%{INT:n}".into(), list).unwrap();
    assert_eq!(to_text(&found), "[{n=1}, null]");
}

#[test]
fn arguments_of_other_types() {
    let list = |item: Value| Value::List(List::array(vec![item]));
    for (call, expression, data, expected) in [
        ("GROK_EVAL(e, d)", Value::Null, "a".into(), "null"),
        ("GROK_EVAL(e, d)", "a".into(), Value::Null, "null"),
        ("GROK_EVAL(e, d)", "a".into(), Value::Int(5), "null"),
        ("GROK_EVAL(e, d)", Value::Int(5), "a".into(), "E0203"),
        ("GROK_EVAL(e, d)", "a".into(), list(Value::Int(5)), "E0204"),
        ("GROK_EVAL(e)", "a".into(), Value::Null, "E0202"),
        (
            "GROK_EVAL(e, d)",
            "a".into(),
            Value::List(List::array(vec![])),
            "NO MATCH",
        ),
        ("GROK_MAP(e, d)", "a".into(), Value::Int(5), "E0203"),
        ("GROK_MAP(e, d)", "a".into(), list(Value::Int(5)), "E0204"),
        ("GROK_MAP(e, d)", Value::Null, "a".into(), "null"),
        ("GROK_MAP(e, d)", "a".into(), Value::Null, "null"),
    ] {
        let found = answer(call, expression, data);
        let found = found.map_or_else(|code| code, |value| to_text(&value).to_string());
        assert_eq!(found, expected, "{call}");
    }
}

#[test]
fn an_unknown_pattern_is_named_with_a_suggestion() {
    let fault = Engine::bare()
        .evaluate("GROK_EVAL('%{HOSTNAM:h}', 'a')")
        .unwrap_err();
    assert!(fault.message.contains("HOSTNAM"), "{fault}");
    assert!(
        fault.help.clone().unwrap().contains("HOSTNAME"),
        "{fault:?}"
    );
    // A literal expression is judged before anything runs.
    let program = Engine::bare()
        .compile("GROK_MAP('%{HOSTNAM:h}', d)")
        .unwrap();
    assert_eq!(program.problems.len(), 1);
}

#[test]
fn expressions_that_grow_without_bounds_are_stopped() {
    let mut lines = String::from("%{A0}");
    for i in 0..40 {
        lines.push_str(&format!("\nA{i} %{{A{}}}%{{A{}:k{i}}}", i + 1, i + 1));
    }
    lines.push_str("\nA40 x");
    assert_eq!(expand(&lines), Err(Refusal::TooLong));
    let deep: String = (0..300)
        .map(|i| format!("\nD{i} %{{D{}}}", i + 1))
        .collect();
    assert_eq!(
        expand(&format!("%{{D0}}{deep}\nD300 x")),
        Err(Refusal::TooLong)
    );
    assert_eq!(expand("%{A}\nA %{A:x}"), Err(Refusal::Endless("A".into())));
    let long = format!("{}a", "x".repeat(100_000));
    assert_eq!(map(&long, "a"), "E0309");
    for odd in [
        "%{", "%{}", "%{:a}", "%{A:}", "%{A=}", "%", "[", "(?<", "(?<>", "\\", "\\k<", "%{é}",
        "(?<é>a)",
    ] {
        let _ = expand(odd);
        let _ = map(odd, "probe");
    }
}

#[test]
fn catastrophic_patterns_end() {
    let text = format!("{}b", "a".repeat(5_000));
    for expression in [
        "(a+)+$(?=c)",
        "(?<x>(a|aa)+)\\k<x>c",
        "%{EVIL:x}c\nEVIL (?:(?=a)a*)*",
    ] {
        let found = map(expression, &text);
        assert!(found == "E0308" || found == "null", "{expression}: {found}");
    }
    let many = "12:34:56 10.0.0.1 /a/b ".repeat(20_000);
    let found = answer("GROK_PREDICT(d)", Value::Null, many.into());
    assert!(found.is_ok() || found == Err("E0308".into()), "{found:?}");
}

#[test]
fn a_table_that_is_too_large_is_refused() {
    let mut engine = Engine::bare();
    engine.context.limits.string = 1 << 20;
    let wide = Value::string(format!("1 {}", "x".repeat(10_000)));
    let rows: Vec<Value> = std::iter::once(wide)
        .chain((0..5_000).map(|_| "1 y".into()))
        .collect();
    let given = vec![("d".into(), rows.into())];
    engine.context.variables = Arc::new(Given(given));
    let fault = engine
        .evaluate("GROK_EVAL('%{INT:n} %{DATA:t}$', d)")
        .unwrap_err();
    assert_eq!(fault.code.name(), "E0303");
}

proptest! {
    #[test]
    fn lines_are_taken_apart_into_what_they_were_made_of(
        address in any::<[u8; 4]>(), user in "[a-z][a-z0-9._-]{0,10}", verb in "(GET|POST|PUT)",
        path in "(/[a-z0-9]{1,6}){1,3}", status in 100..600i32, bytes in 0..1_000_000i32,
        day in 1..29u32, hour in 0..24u32, minute in 0..60u32,
    ) {
        let [a, b, c, d] = address;
        let line = format!(
            "{a}.{b}.{c}.{d} - {user} [{day:02}/Oct/2020:{hour:02}:{minute:02}:07 +0000] \"{verb} {path} HTTP/1.1\" {status} {bytes}"
        );
        let expected = format!(
            "{{clientip={a}.{b}.{c}.{d}, ident=-, auth={user}, timestamp={day:02}/Oct/2020:{hour:02}:{minute:02}:07 +0000, \
             verb={verb}, request={path}, httpversion=1.1, response={status}, bytes={bytes}}}"
        );
        prop_assert_eq!(map("%{COMMONAPACHELOG}", &line), expected);
    }

    #[test]
    fn nothing_fails_badly(expression in "[%{}:=A-Z(?<>a\\[\\]\\\\|*+]{0,24}", text in ".{0,40}") {
        let _ = map(&expression, &text);
        let _ = table(&expression, text.into());
    }
}
