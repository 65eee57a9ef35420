//! PROFILER_INIT, PROFILER_APPLY and PROFILER_FLUSH in a session, as Metron answers; and `stellar check` on profiles.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;
use stellar::config::{Config, FixedClock, Options, Surroundings};
use stellar::diagnostic::Code;
use stellar::engine::{Engine, Overrides};
use stellar::shell::Session;

/// A session whose clock stands still, after these statements.
fn session(statements: &[&str]) -> Session {
    let mut engine = Engine::bare();
    engine.context.clock = Arc::new(FixedClock(1_502_665_200_000));
    let session = Session::new(&engine);
    for statement in statements {
        said(&session, statement).unwrap();
    }
    session
}

/// What the shell prints, or the code of the error.
fn said(session: &Session, text: &str) -> Result<String, Code> {
    let shown = session.run_text(text).map_err(|fault| fault.code)?;
    Ok(shown.iter().filter_map(|s| s.print()).collect())
}

const HELLO: &str = r#"p := PROFILER_INIT('{"profiles":[{"profile":"hello-world","foreach":"ip","init":{"count":"0"},"update":{"count":"count + 1"},"result":"count"}]}')"#;

#[test]
fn what_counts_as_messages() {
    let session = session(&["p := PROFILER_INIT('{}')", "zz := 'unset'", "%undefine zz"]);
    for (call, answer) in [
        ("PROFILER_INIT()", Err(Code::ArgumentCount)),
        ("PROFILER_INIT(nothing)", Err(Code::ArgumentType)),
        ("PROFILER_INIT(5)", Err(Code::ArgumentType)),
        ("PROFILER_INIT('hello')", Err(Code::BadProfile)),
        (
            "PROFILER_INIT('{\"profiles\":null}')",
            Err(Code::BadProfile),
        ),
        ("PROFILER_APPLY()", Err(Code::ArgumentCount)),
        ("PROFILER_APPLY('{}')", Err(Code::ArgumentCount)),
        ("PROFILER_APPLY('{}', nothing)", Err(Code::ArgumentType)),
        ("PROFILER_APPLY('{}', 'x')", Err(Code::ArgumentType)),
        ("PROFILER_APPLY('5', p)", Err(Code::ArgumentType)),
        ("PROFILER_APPLY('nope', p)", Err(Code::NotJson)),
        ("PROFILER_APPLY('', p)", Err(Code::NotJson)),
        ("PROFILER_APPLY(5, p)", Err(Code::ArgumentType)),
        ("PROFILER_APPLY(nothing, p)", Err(Code::ArgumentType)),
        ("PROFILER_APPLY([1], p)", Err(Code::ArgumentType)),
        ("PROFILER_APPLY({'a':1}, p)", Err(Code::ArgumentType)),
        ("PROFILER_APPLY([{'a':1}], p)", Err(Code::ArgumentType)),
        ("PROFILER_APPLY('[1]', p)", Err(Code::ArgumentType)),
        ("PROFILER_APPLY('[null]', p)", Err(Code::ArgumentType)),
        ("PROFILER_APPLY(['{}','nope'], p)", Err(Code::NotJson)),
        ("PROFILER_FLUSH()", Err(Code::ArgumentCount)),
        ("PROFILER_FLUSH(nothing)", Err(Code::ArgumentType)),
        ("PROFILER_FLUSH('x')", Err(Code::ArgumentType)),
        ("PROFILER_FLUSH(p, 5)", Err(Code::ArgumentType)),
        (
            "PROFILER_FLUSH(p, {'store': 'yes'})",
            Err(Code::ArgumentValue),
        ),
        // Nothing was applied so far: messages are read before any is applied.
        ("p", Ok("Profiler{0 profile(s), 0 messages(s), 0 route(s)}")),
        (
            "PROFILER_APPLY('[ ]', p)",
            Ok("Profiler{0 profile(s), 0 messages(s), 0 route(s)}"),
        ),
        (
            "PROFILER_APPLY(['{}','[{},{}]'], p)",
            Ok("Profiler{0 profile(s), 3 messages(s), 0 route(s)}"),
        ),
        (
            r#"PROFILER_APPLY('["{}", ["{}"]]', p)"#,
            Ok("Profiler{0 profile(s), 5 messages(s), 0 route(s)}"),
        ),
        (
            "PROFILER_APPLY(TO_JSON_MAP('{\"a\":1}'), p)",
            Ok("Profiler{0 profile(s), 6 messages(s), 0 route(s)}"),
        ),
        ("PROFILER_FLUSH(p)", Ok("[]")),
    ] {
        assert_eq!(
            said(&session, call).as_deref(),
            answer.as_ref().copied(),
            "{call}"
        );
    }
}

#[test]
fn applying_changes_the_profiler_that_a_variable_holds() {
    let session = session(&[HELLO, r#"m := '{"ip":"10.0.0.1"}'"#]);
    assert_eq!(
        said(&session, "PROFILER_APPLY([m, m, m], p)").unwrap(),
        "Profiler{1 profile(s), 3 messages(s), 3 route(s)}"
    );
    assert_eq!(
        said(&session, "p").unwrap(),
        "Profiler{1 profile(s), 3 messages(s), 3 route(s)}"
    );
    assert_eq!(
        said(&session, "PROFILER_FLUSH(p)").unwrap(),
        "[{period={duration=900000, period=1669628, start=1502665200000, end=1502666100000}, profile=hello-world, groups=[], value=3, entity=10.0.0.1}]"
    );
    assert_eq!(said(&session, "PROFILER_FLUSH(p)").unwrap(), "[]");
    assert_eq!(
        said(&session, "p").unwrap(),
        "Profiler{1 profile(s), 3 messages(s), 3 route(s)}"
    );
}

#[test]
fn variables_of_the_session_are_not_seen() {
    let session = session(&[
        HELLO,
        "count := 100",
        "ip := 'x'",
        "PROFILER_APPLY('{\"a\":1}', p)",
    ]);
    assert_eq!(
        said(&session, "p").unwrap(),
        "Profiler{1 profile(s), 1 messages(s), 0 route(s)}"
    );
}

#[test]
fn the_length_of_a_period_is_a_global() {
    let session = session(&[
        "%define profiler.client.period.duration := 1",
        "%define profiler.client.period.duration.units := 'HOURS'",
        HELLO,
    ]);
    said(&session, r#"PROFILER_APPLY('{"ip":"a"}', p)"#).unwrap();
    let flushed = said(&session, "MAP_GET('period', GET_FIRST(PROFILER_FLUSH(p)))").unwrap();
    assert_eq!(
        flushed,
        "{duration=3600000, period=417407, start=1502665200000, end=1502668800000}"
    );
    said(&session, "%define profiler.client.period.duration := 0").unwrap();
    assert_eq!(said(&session, HELLO), Err(Code::ArgumentValue));
}

#[test]
fn a_profiler_does_not_wait_for_itself() {
    let inner = r#"q := PROFILER_INIT('{"profiles":[{"profile":"x","foreach":"\'e\'","update":{"s":"PROFILER_APPLY(\'{}\', me)"},"result":"1"}]}')"#;
    let session = session(&[inner]);
    let applied = said(&session, "PROFILER_APPLY(MAP_MERGE([{'me': q}, {}]), q)").unwrap();
    assert_eq!(applied, "Profiler{1 profile(s), 1 messages(s), 1 route(s)}");
}

/// An engine with its embedded file in a folder.
fn with_store(folder: &std::path::Path) -> Engine {
    let around = Surroundings::default();
    let options = Options {
        set: vec![format!("store.path={}", folder.join("s.db").display())],
        ..Options::default()
    };
    let config = Config::load(&options, &around).unwrap();
    Engine::new(config, &around, &Overrides::default()).unwrap()
}

#[test]
fn measurements_are_stored_when_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let mut engine = with_store(folder.path());
    engine.context.clock = Arc::new(FixedClock(1_502_665_200_000));
    let session = Session::new(&engine);
    let read = "PROFILE_GET('hello-world', 'a', PROFILE_FIXED(1, 'HOURS'))";
    said(&session, HELLO).unwrap();
    said(&session, r#"PROFILER_APPLY('{"ip":"a"}', p)"#).unwrap();
    said(&session, "PROFILER_FLUSH(p, {'store': false})").unwrap();
    assert_eq!(said(&session, read).unwrap(), "[]");
    said(&session, r#"PROFILER_APPLY('[{"ip":"a"},{"ip":"b"}]', p)"#).unwrap();
    said(&session, "f := PROFILER_FLUSH(p, {'store': true})").unwrap();
    let value = said(&session, read).unwrap();
    assert_ne!(value, "[]");
    // What PROFILE_PUT writes afterwards is read back just so.
    assert_eq!(said(&session, "PROFILE_PUT(f)").unwrap(), "2");
    assert_eq!(said(&session, read).unwrap(), value);
}

/// The walk-through of Metron's documentation, with its own inputs: definitions and message come from an editor.
#[test]
fn the_documented_walk_through() {
    let folder = tempfile::tempdir().unwrap();
    let conf = r#"{
  "profiles": [
    {
      "profile": "hello-world",
      "onlyif": "exists(ip_src_addr)",
      "foreach": "ip_src_addr",
      "init": { "count": "0" },
      "update": { "count": "count + 1" },
      "result": "count"
    }
  ]
}"#;
    let message = r#"{
  "ip_src_addr": "10.0.0.1",
  "protocol": "HTTPS",
  "length": "10",
  "bytes_in": "234"
}"#;
    let session = session(&[]);
    session.provide(Arc::new(stellar::world::Terminal::Editor));
    let edits = |text: &str| {
        let typed = folder.path().join("typed");
        std::fs::write(&typed, text).unwrap();
        let editor = format!("%define EDITOR := 'cp {}'", typed.display());
        said(&session, &editor).unwrap();
    };
    let flushed = "[{period={duration=900000, period=1669628, start=1502665200000, end=1502666100000}, profile=hello-world, groups=[], value=3, entity=10.0.0.1}]";
    for (before, typed, printed) in [
        (conf, "conf := SHELL_EDIT()", conf),
        ("", "conf", conf),
        (
            "",
            "profiler := PROFILER_INIT(conf)",
            "Profiler{1 profile(s), 0 messages(s), 0 route(s)}",
        ),
        (
            "",
            "profiler",
            "Profiler{1 profile(s), 0 messages(s), 0 route(s)}",
        ),
        (message, "message := SHELL_EDIT()", message),
        ("", "message", message),
        (
            "",
            "PROFILER_APPLY(message, profiler)",
            "Profiler{1 profile(s), 1 messages(s), 1 route(s)}",
        ),
        (
            "",
            "PROFILER_APPLY(message, profiler)",
            "Profiler{1 profile(s), 2 messages(s), 2 route(s)}",
        ),
        (
            "",
            "PROFILER_APPLY(message, profiler)",
            "Profiler{1 profile(s), 3 messages(s), 3 route(s)}",
        ),
        ("", "values := PROFILER_FLUSH(profiler)", flushed),
        ("", "values", flushed),
    ] {
        if !before.is_empty() {
            edits(before);
        }
        assert_eq!(said(&session, typed).unwrap(), printed, "{typed}");
    }
    let help = said(&session, "?PROFILE_GET").unwrap();
    assert_eq!(help.lines().next(), Some("PROFILE_GET"));
}

#[test]
fn what_expires_does_so_after_being_put() {
    let folder = tempfile::tempdir().unwrap();
    let mut engine = with_store(folder.path());
    let start = 1_502_665_200_000;
    engine.context.clock = Arc::new(FixedClock(start));
    let session = Session::new(&engine);
    for (name, expires) in [
        ("kept", ""),
        ("lost", r#","expires":2"#),
        ("gone", r#","expires":"99999999999""#),
    ] {
        let definitions = format!(
            r#"{{"profiles":[{{"profile":"{name}","foreach":"ip","init":{{"n":"0"}},"update":{{"n":"n + 1"}},"result":"n"{expires}}}]}}"#
        );
        said(&session, &format!("p := PROFILER_INIT('{definitions}')")).unwrap();
        said(&session, r#"PROFILER_APPLY('[{"ip":"a"},{"ip":"a"}]', p)"#).unwrap();
        // Metron's maps have no entry for it.
        let text = said(&session, "f := PROFILER_FLUSH(p)").unwrap();
        assert_eq!(
            text,
            format!(
                "[{{period={{duration=900000, period=1669628, start=1502665200000, end=1502666100000}}, profile={name}, groups=[], value=2, entity=a}}]"
            )
        );
        assert_eq!(
            said(&session, "MAP_GET('expires', GET_FIRST(f))").unwrap(),
            ""
        );
        // What is kept of a list, and what is changed in it, expires as well.
        said(&session, "g := FILTER(f, m -> MAP_GET('value', m) == 2)").unwrap();
        said(&session, "MAP_PUT('value', 3, GET_FIRST(g))").unwrap();
        assert_eq!(said(&session, "PROFILE_PUT(g)").unwrap(), "1");
        // An entry of its own counts more.
        said(
            &session,
            "MAP_PUT('entity', 'b', MAP_PUT('expires', 9, GET_FIRST(g)))",
        )
        .unwrap();
        assert_eq!(said(&session, "PROFILE_PUT(g)").unwrap(), "1");
    }
    let after = |days: i64, profile: &str, entity: &str| {
        let mut later = engine.clone();
        later.context.clock = Arc::new(FixedClock(start + days * 86_400_000));
        let read =
            format!("PROFILE_GET('{profile}', '{entity}', PROFILE_WINDOW('1 hour', {start}L))");
        said(&Session::new(&later), &read).unwrap()
    };
    for (days, profile, entity, values) in [
        (1, "kept", "a", "[3]"),
        (400, "kept", "a", "[3]"),
        (1, "lost", "a", "[3]"),
        (3, "lost", "a", "[]"),
        (3, "lost", "b", "[3]"),
        (10, "lost", "b", "[]"),
        (400, "gone", "a", "[3]"),
        (10, "kept", "b", "[]"),
    ] {
        assert_eq!(
            after(days, profile, entity),
            values,
            "{profile} {entity} after {days} days"
        );
    }
}

#[test]
fn the_shell_shows_whether_profiles_are_mergeable() {
    let profile = |name: &str, mark: &str| {
        format!(r#"{{"profile":"{name}","foreach":"ip","result":"1"{mark}}}"#)
    };
    let definitions = [
        profile("a", r#","mergeable":true"#),
        profile("b", r#","mergeable":false"#),
        profile("c", ""),
    ];
    let session = session(&[&format!(
        "p := PROFILER_INIT('{{\"profiles\":[{}]}}')",
        definitions.join(",")
    )]);
    assert_eq!(
        said(&session, "%profiler p").unwrap(),
        "a: messages 0, routes 0, entities 0, mergeable\nb: messages 0, routes 0, entities 0, not mergeable\nc: messages 0, routes 0, entities 0"
    );
    let wrong = profile("a", r#","mergeable":"yes""#);
    assert_eq!(
        said(
            &session,
            &format!("PROFILER_INIT('{{\"profiles\":[{wrong}]}}')")
        ),
        Err(Code::BadProfile)
    );
}

#[test]
fn check_takes_definitions_of_profiles() {
    let check = |name: &str| {
        let program = env!("CARGO_BIN_EXE_stellar");
        let file = format!("tests/golden/profiles/{name}.json");
        let output = std::process::Command::new(program)
            .args(["check", "--format", "json", &file])
            .env_remove("STELLAR_CONFIG")
            .output()
            .unwrap();
        let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        (output.status.code(), found.as_array().unwrap().clone())
    };
    assert_eq!(check("good"), (Some(0), Vec::new()));
    let (code, found) = check("expressions");
    assert_eq!(code, Some(1));
    let first = found.first().unwrap();
    assert_eq!(first["code"], "E0201");
    assert_eq!(
        (first["line"].as_u64(), first["column"].as_u64()),
        (Some(5), Some(19))
    );
    assert!(
        first["file"]
            .as_str()
            .unwrap()
            .ends_with("expressions.json")
    );
    assert_eq!(found.len(), 6);
}

#[test]
fn the_shell_shows_what_profiles_did_and_what_failed() {
    let session = session(&[
        r#"p := PROFILER_INIT('{"profiles":[{"profile":"good","foreach":"ip","update":{"n":"1"},"result":"n"},{"profile":"bad","foreach":"ip","update":{"n":"1 / zero"},"result":"n"}]}')"#,
        r#"PROFILER_APPLY('[{"ip":"a"},{"ip":"b"},{"other":1}]', p)"#,
    ]);
    let page = said(&session, "%profiler p").unwrap();
    let lines: Vec<&str> = page.lines().collect();
    assert_eq!(lines[0], "good: messages 3, routes 2, entities 2");
    assert!(
        lines[1].contains("failed 1×") && lines[1].contains("foreach ip"),
        "{page}"
    );
    assert_eq!(lines[2], "bad: messages 3, routes 2, entities 2");
    assert!(page.contains("1 / zero  E0206: "), "{page}");
    assert_eq!(said(&session, "%profiler 5"), Err(Code::BadMagic));
}
