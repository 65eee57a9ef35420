#![allow(clippy::unwrap_used, clippy::panic)]

use crate::config::FixedClock;
use crate::engine::Engine;
use crate::eval::java::date_format::{Locale, Zone};
use crate::eval::text::to_text;
use crate::eval::{Value, Variables};
use smol_str::SmolStr;
use std::sync::Arc;

fn text(engine: &Engine, expression: &str) -> String {
    to_text(&engine.evaluate(expression).unwrap()).to_string()
}

#[test]
fn now_is_the_clock_of_the_context() {
    let mut engine = Engine::bare();
    engine.context.clock = Arc::new(FixedClock(1_514_289_600_000));
    assert!(matches!(
        engine.evaluate("NOW()").unwrap(),
        Value::Long(1_514_289_600_000)
    ));
    // It is no constant: a compiled expression sees the clock of each run.
    let program = engine.compile("NOW()").unwrap();
    engine.context.clock = Arc::new(FixedClock(5));
    let later = program.evaluate(&engine.context).unwrap();
    assert!(matches!(later, Value::Long(5)));
}

#[test]
fn a_variable_of_the_environment_is_found() {
    let engine = Engine::bare();
    let (name, value) = std::env::vars()
        .find(|(name, value)| {
            let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
            name.chars().all(plain) && !value.is_empty()
        })
        .unwrap();
    assert_eq!(text(&engine, &format!("SYSTEM_ENV_GET('{name}')")), value);
}

#[test]
fn impossible_names_and_other_types_give_null() {
    let engine = Engine::bare();
    for argument in ["''", "'a=b'", "7", "['PATH']", "{}", "null", ""] {
        for function in ["SYSTEM_ENV_GET", "SYSTEM_PROPERTY_GET"] {
            let expression = format!("{function}({argument})");
            assert!(
                engine.evaluate(&expression).unwrap().is_null(),
                "{expression}"
            );
        }
    }
    struct Nul;
    impl Variables for Nul {
        fn get(&self, _: &str) -> Option<Value> {
            Some(Value::text("a\0b"))
        }
        fn all(&self) -> Vec<(SmolStr, Value)> {
            Vec::new()
        }
    }
    let context = engine.context.with_variables(Arc::new(Nul));
    let program = engine.compile("SYSTEM_ENV_GET(x)").unwrap();
    assert!(program.evaluate(&context).unwrap().is_null());
}

#[test]
fn globals_come_before_the_system() {
    let mut engine = Engine::bare();
    assert_ne!(text(&engine, "SYSTEM_PROPERTY_GET('os.name')"), "mine");
    for (name, value) in [
        ("os.name", Value::text("mine")),
        ("my.key", Value::Int(5)),
        ("user.timezone", Value::Null),
    ] {
        engine.context.globals.write().insert(name.into(), value);
    }
    engine.context.zone = Zone::from_name_strict("America/New_York").unwrap();
    engine.context.locale = Arc::new(Locale::parse("de_AT").unwrap());
    for (key, value) in [
        ("os.name", "mine"),
        ("my.key", "5"),
        ("user.timezone", "America/New_York"),
        ("user.language", "de"),
        ("user.country", "AT"),
        ("line.separator", "\n"),
    ] {
        let expression = format!("SYSTEM_PROPERTY_GET('{key}')");
        assert_eq!(text(&engine, &expression), value, "{key}");
    }
}
