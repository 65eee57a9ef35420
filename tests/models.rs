//! MAAS_GET_ENDPOINT and MAAS_MODEL_APPLY against models on 127.0.0.1.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::collections::BTreeSet;
use stellar::config::{Config, Secretive, Surroundings};
use stellar::engine::{Engine, Overrides};
use stellar::eval::text::to_text;
use support::http::{Server, answer};

fn engine(models: &[(&str, String)]) -> Engine {
    let mut config = Config::default();
    config.functions.network = true;
    for (key, text) in models {
        config.models.insert(key.to_string(), Secretive::new(text));
    }
    let around = Surroundings {
        home: Some("/".into()),
        ..Surroundings::default()
    };
    Engine::new(config, &around, &Overrides::default()).unwrap()
}

fn says(engine: &Engine, expression: &str) -> String {
    match engine.evaluate(expression) {
        Ok(value) => to_text(&value).to_string(),
        Err(fault) => format!("{} {}", fault.code.name(), fault.message),
    }
}

#[test]
fn endpoints() {
    let engine = engine(&[
        ("dga", "http://127.0.0.1:1/".into()),
        (
            "spam:1.0",
            "http://127.0.0.1:2 apply=predict score=v1/score".into(),
        ),
        ("spam:1.2", "http://127.0.0.1:3".into()),
        ("spam:1.10", "http://127.0.0.1:4".into()),
        ("bad", "somewhere".into()),
        ("worse", "apply=x".into()),
    ]);
    for (expression, expected) in [
        (
            "MAAS_GET_ENDPOINT('dga')",
            "{url=http://127.0.0.1:1/, name=dga, version=}",
        ),
        (
            "MAAS_GET_ENDPOINT('spam')",
            "{url=http://127.0.0.1:3, name=spam, version=1.2}",
        ),
        (
            "MAAS_GET_ENDPOINT('spam', '1.0')",
            "{url=http://127.0.0.1:2, name=spam, version=1.0, endpoint:apply=predict, endpoint:score=v1/score}",
        ),
        (
            "MAAS_GET_ENDPOINT('spam', 1.2)",
            "{url=http://127.0.0.1:3, name=spam, version=1.2}",
        ),
        ("MAAS_GET_ENDPOINT('spam', '2')", "null"),
        ("MAAS_GET_ENDPOINT('ham')", "null"),
    ] {
        assert_eq!(says(&engine, expression), expected, "{expression}");
    }
    for (expression, code) in [
        ("MAAS_GET_ENDPOINT('bad')", "E0501"),
        ("MAAS_GET_ENDPOINT('worse')", "E0501"),
        ("MAAS_GET_ENDPOINT('dga', null)", "E0203"),
        ("MAAS_GET_ENDPOINT()", "E0202"),
        ("MAAS_MODEL_APPLY({})", "E0202"),
        ("MAAS_MODEL_APPLY({}, 'apply')", "E0202"),
    ] {
        assert!(says(&engine, expression).starts_with(code), "{expression}");
    }
}

#[test]
fn answers_are_kept_by_content() {
    let server = Server::start(|seen, stream| {
        use std::io::Write;
        let body = format!("{{\"target\": \"{}\", \"list\": []}}", seen.target());
        stream.write_all(&answer("200 OK", &body)).is_ok()
    });
    let engine = engine(&[("dga:1", server.url("/"))]);
    let apply = |rest: &str| {
        says(
            &engine,
            &format!("MAP_GET('target', MAAS_MODEL_APPLY(MAAS_GET_ENDPOINT('dga'), {rest}))"),
        )
    };
    assert_eq!(
        apply("{'domain' : 'a&b', 'n' : 5}"),
        "/apply?domain=a%26b&n=5"
    );
    assert_eq!(
        apply("{'n' : 5, 'domain' : 'a&b'}"),
        "/apply?domain=a%26b&n=5"
    );
    assert_eq!(server.seen().len(), 1);
    assert_eq!(
        apply("'score', {'domain' : 'a&b', 'n' : 5}"),
        "/score?domain=a%26b&n=5"
    );
    assert_eq!(apply("'/v2/score', {}"), "/v2/score?");
    assert_eq!(apply("'apply', null"), "/apply?");
    assert_eq!(server.seen().len(), 4);
    // What an expression does to an answer stays its own.
    let change = "MAAS_MODEL_APPLY(MAAS_GET_ENDPOINT('dga'), {'x' : 'y'})";
    let changed = format!("MAP_PUT('list', LIST_ADD(MAP_GET('list', {change}), 1), {change})");
    assert_eq!(says(&engine, &changed), "{target=/apply?x=y, list=[1]}");
    assert_eq!(says(&engine, change), "{target=/apply?x=y, list=[]}");
    assert_eq!(server.seen().len(), 5);
}

#[test]
fn paths_of_functions() {
    let server = Server::saying(answer("200 OK", "{}"));
    let url = server.url("");
    let engine = engine(&[]);
    let target = |expression: &str| {
        assert_eq!(says(&engine, expression), "{}");
        server.seen().pop().unwrap().target().to_string()
    };
    let endpoint = |more: &str| format!("MAAS_MODEL_APPLY({{'url' : '{url}'{more}}}, ");
    let mapped = endpoint(", 'endpoint:score' : 'v1/score'");
    assert_eq!(target(&format!("{mapped}'score', {{}})")), "/v1/score?");
    assert_eq!(target(&format!("{mapped}{{}})")), "/apply?");
    let both = endpoint(", 'endpoint:score' : 's', 'endpoint:apply' : 'a'");
    assert_eq!(target(&format!("{both}'score', {{'b' : 1}})")), "/a?b=1");
    assert_eq!(target(&format!("{both}'score', null)")), "/s?");
}

#[test]
fn failing_models_are_passed_over() {
    let good = Server::saying(answer("200 OK", "{\"ok\": 1}"));
    let bad = Server::saying(answer("500 No", ""));
    let engine = engine(&[("m", format!("{} {} apply=x", bad.url(""), good.url("")))]);
    let url = || says(&engine, "MAP_GET('url', MAAS_GET_ENDPOINT('m'))");
    let both: BTreeSet<String> = (0..4).map(|_| url()).collect();
    assert_eq!(both, [bad.url(""), good.url("")].into());
    let apply = |n: usize| {
        says(
            &engine,
            &format!("MAAS_MODEL_APPLY(MAAS_GET_ENDPOINT('m'), {{'n' : {n}}})"),
        )
    };
    let answers: Vec<String> = (0..6).map(apply).collect();
    assert_eq!(
        answers.iter().filter(|a| *a == "null").count(),
        1,
        "{answers:?}"
    );
    assert_eq!(bad.seen().len(), 1);
    assert!((0..4).all(|_| url() == good.url("")));
    // An empty answer is no answer, and an endpoint without a use is none.
    let silent = Server::saying(answer("200 OK", ""));
    let apply = format!("MAAS_MODEL_APPLY({{'url' : '{}'}}, {{}})", silent.url(""));
    assert_eq!(says(&engine, &apply), "null");
    assert_eq!(
        says(&engine, "MAAS_MODEL_APPLY({'name' : 'x'}, {})"),
        "null"
    );
    assert_eq!(says(&engine, "MAAS_MODEL_APPLY(5, {})"), "null");
}

#[test]
fn passwords_of_models_are_sent_and_not_shown() {
    let server = Server::saying(answer("200 OK", "{}"));
    let engine = engine(&[("m", server.url("").replace("http://", "http://me:hunter2@"))]);
    let shown = says(&engine, "MAAS_GET_ENDPOINT('m')");
    assert!(shown.contains("http://me:****@127.0.0.1"), "{shown}");
    assert_eq!(
        says(&engine, "MAAS_MODEL_APPLY(MAAS_GET_ENDPOINT('m'), {})"),
        "{}"
    );
    assert_eq!(
        server.seen()[0].header("authorization"),
        "Basic bWU6aHVudGVyMg=="
    );
}
