//! PROFILE_FIXED and PROFILE_WINDOW: their arguments, settings, results and faults.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use stellar::config::FixedClock;
use stellar::engine::Engine;
use stellar::eval::java::date_format::Locale;
use stellar::eval::json::write_json;
use stellar::eval::text::to_text;
use stellar::profile::{explain_window, lint_window};

/// 2017-08-13T23:00Z
const NOW: i64 = 1_502_665_200_000;

fn engine() -> Engine {
    let mut engine = Engine::bare();
    engine.context.clock = Arc::new(FixedClock(NOW));
    engine
}

fn says(engine: &Engine, expression: &str) -> String {
    match engine.evaluate(expression) {
        Ok(value) => to_text(&value).to_string(),
        Err(fault) => fault.code.name().to_string(),
    }
}

fn count(expression: &str) -> String {
    says(&engine(), &format!("LENGTH({expression})"))
}

#[test]
fn arguments_of_profile_fixed() {
    for (call, expected) in [
        ("PROFILE_FIXED(1, 'HOURS')", "5"),
        ("PROFILE_FIXED('1', 'HOURS')", "5"),
        ("PROFILE_FIXED(1.9, 'HOURS')", "5"),
        ("PROFILE_FIXED(0, 'HOURS')", "1"),
        ("PROFILE_FIXED(-1, 'HOURS')", "0"),
        ("PROFILE_FIXED(1, 'HOURS', null)", "5"),
        ("PROFILE_FIXED(1, 'HOURS', {})", "5"),
        (
            "PROFILE_FIXED(1, 'HOURS', {'profiler.client.period.duration' : '1'})",
            "61",
        ),
        (
            "PROFILE_FIXED(1, 'HOURS', {'profiler.client.period.duration.units' : 'SECONDS'})",
            "241",
        ),
        (
            "PROFILE_FIXED(1, 'HOURS', {'profiler.client.period.duration' : 'abc'})",
            "5",
        ),
        (
            "PROFILE_FIXED(1, 'HOURS', {'profiler.client.period.duration' : null, 'other' : 1})",
            "5",
        ),
        (
            "PROFILE_FIXED(1, 'HOURS', {'profiler.client.period.duration' : 0})",
            "E0204",
        ),
        (
            "PROFILE_FIXED(1, 'HOURS', {'profiler.client.period.duration' : -3})",
            "E0204",
        ),
        (
            "PROFILE_FIXED(1, 'HOURS', {'profiler.client.period.duration.units' : 'NANOSECONDS'})",
            "E0204",
        ),
        (
            "PROFILE_FIXED(1, 'HOURS', {'profiler.client.period.duration.units' : 'hours'})",
            "E0204",
        ),
        ("PROFILE_FIXED(1, 'HOURS', 'x')", "E0203"),
        ("PROFILE_FIXED(1, 'HOURS', [])", "E0203"),
        ("PROFILE_FIXED(1, 'hours')", "E0204"),
        ("PROFILE_FIXED(1, 'MONTHS')", "E0204"),
        ("PROFILE_FIXED(1, null)", "E0203"),
        ("PROFILE_FIXED('x', 'HOURS')", "E0203"),
        ("PROFILE_FIXED(null, 'HOURS')", "E0203"),
        ("PROFILE_FIXED(1)", "E0202"),
        ("PROFILE_FIXED()", "E0202"),
        ("PROFILE_FIXED(9223372036854775807L, 'DAYS')", "E0204"),
        ("PROFILE_FIXED(-9223372036854775807L, 'DAYS')", "0"),
        (
            "PROFILE_FIXED(1, 'DAYS', {'profiler.client.period.duration.units' : 'MILLISECONDS', 'profiler.client.period.duration' : 1})",
            "E0304",
        ),
        (
            "PROFILE_FIXED(1, 'DAYS', {'profiler.client.period.duration.units' : 'DAYS', 'profiler.client.period.duration' : 9223372036854775807L})",
            "1",
        ),
    ] {
        assert_eq!(count(call), expected, "{call}");
    }
}

#[test]
fn arguments_of_profile_window() {
    for (call, expected) in [
        ("PROFILE_WINDOW('1 hour')", "5"),
        ("PROFILE_WINDOW('1 hour', 1502665200001L)", "4"),
        ("PROFILE_WINDOW('1 hour', 1502665200001.9)", "4"),
        // Only numbers count as now.
        ("PROFILE_WINDOW('1 hour', '1502665200001')", "5"),
        ("PROFILE_WINDOW('1 hour', null)", "5"),
        ("PROFILE_WINDOW('1 hour', [1])", "5"),
        (
            "PROFILE_WINDOW('1 hour', {'profiler.client.period.duration' : 1})",
            "61",
        ),
        (
            "PROFILE_WINDOW('1 hour', {'profiler.client.period.duration' : 1}, null)",
            "61",
        ),
        (
            "PROFILE_WINDOW('1 hour', {'profiler.client.period.duration' : 1}, {})",
            "5",
        ),
        (
            "PROFILE_WINDOW('1 hour', null, {'profiler.client.period.duration' : 1})",
            "61",
        ),
        (
            "PROFILE_WINDOW('1 hour', 1502665200001L, {'profiler.client.period.duration' : 1})",
            "60",
        ),
        ("PROFILE_WINDOW('1 hour', 1502665200000L, 'zz')", "E0203"),
        ("PROFILE_WINDOW(['1 hour', 'x'])", "5"),
        ("PROFILE_WINDOW(JOIN(['1', ' hour'], ''))", "5"),
        ("PROFILE_WINDOW(5)", "E0221"),
        ("PROFILE_WINDOW('')", "E0221"),
        ("PROFILE_WINDOW(' ')", "E0221"),
        ("PROFILE_WINDOW(null)", "E0203"),
        ("PROFILE_WINDOW([])", "E0203"),
        ("PROFILE_WINDOW()", "E0202"),
        ("PROFILE_WINDOW('1 hour', 0)", "E0204"),
        (
            "PROFILE_WINDOW('1 hour', {'profiler.holidays.edition' : 'new'})",
            "E0204",
        ),
    ] {
        assert_eq!(count(call), expected, "{call}");
    }
}

#[test]
fn periods_show_themselves() {
    let engine = engine();
    let value = engine.evaluate("PROFILE_WINDOW('1 minute')").unwrap();
    assert_eq!(
        to_text(&value),
        "[ProfilePeriod{period=1669628, durationMillis=900000, startTime=2017-08-13T23:00:00Z, endTime=2017-08-13T23:15:00Z}]"
    );
    let mut json = Vec::new();
    write_json(&value, &mut json).unwrap();
    assert_eq!(json, br#"[{"period":1669628,"duration":900000}]"#);
    assert_eq!(
        says(
            &engine,
            "PROFILE_FIXED(0, 'DAYS') == PROFILE_WINDOW('1 minute')"
        ),
        "true"
    );
    let short = "PROFILE_FIXED(0, 'DAYS', {'profiler.client.period.duration' : 1, 'profiler.client.period.duration.units' : 'MILLISECONDS'})";
    assert_eq!(
        says(&engine, short),
        "[ProfilePeriod{period=1502665200000, durationMillis=1, startTime=2017-08-13T23:00:00Z, endTime=2017-08-13T23:00:00.001Z}]"
    );
}

#[test]
fn global_settings_count() {
    let engine = engine();
    let set = |key: &str, value: &str| {
        let value = engine.evaluate(value).unwrap();
        engine.context.globals.write().insert(key.into(), value);
    };
    set("profiler.client.period.duration", "'30'");
    assert_eq!(says(&engine, "LENGTH(PROFILE_FIXED(1, 'HOURS'))"), "3");
    set("profiler.client.period.duration.units", "'SECONDS'");
    assert_eq!(says(&engine, "LENGTH(PROFILE_FIXED(1, 'HOURS'))"), "121");
    let over = "LENGTH(PROFILE_FIXED(1, 'HOURS', {'profiler.client.period.duration' : 60}))";
    assert_eq!(says(&engine, over), "61");
    // 2024-06-20T09:00Z: the day before is Juneteenth.
    let call = "LENGTH(PROFILE_WINDOW('1 day excluding holidays:us', 1718874000000L, {'profiler.client.period.duration' : 900}))";
    assert_eq!(says(&engine, call), "97");
    set("profiler.holidays.edition", "'Current'");
    assert_eq!(says(&engine, call), "0");
    set("profiler.holidays.edition", "'latest'");
    assert_eq!(says(&engine, call), "E0204");
}

#[test]
fn a_literal_selector_is_read_when_the_call_is_compiled() {
    let engine = engine();
    let program = engine
        .compile("PROFILE_WINDOW('1 hour window every 1 dya from 2 days')")
        .unwrap();
    let problem = &program.problems[0];
    assert_eq!(problem.code.name(), "E0221");
    assert_eq!(problem.span.unwrap().start, 15);
    let shown = problem.to_string();
    assert!(
        shown.contains("unexpected dya (at its character 23)"),
        "{shown}"
    );
    assert!(shown.contains("did you mean day?"), "{shown}");
    // The zone is that of the evaluation, not of the compilation.
    let program = engine
        .compile("LENGTH(PROFILE_WINDOW('1 hour including sundays'))")
        .unwrap();
    let mut there = engine.context.clone();
    assert_eq!(to_text(&program.evaluate(&there).unwrap()), "5");
    there.zone = stellar::eval::java::date_format::Zone::from_java_id("Asia/Tokyo");
    assert_eq!(to_text(&program.evaluate(&there).unwrap()), "0");
    there.locale = Arc::new(Locale::parse("de").unwrap());
    let fault = engine
        .compile("PROFILE_WINDOW('1 hour including holidays')")
        .unwrap()
        .evaluate(&there);
    assert!(fault.unwrap_err().message.contains("needs a country"));
}

#[test]
fn explanations_take_the_settings_of_the_context() {
    let engine = engine();
    let explain = |selector: &str| explain_window(&engine.context, selector, 80).unwrap();
    assert_eq!(explain("'1 hour'"), explain("  1 hour "));
    assert!(explain("1 hour").contains("5 of 15 minutes"));
    engine
        .context
        .globals
        .write()
        .insert("profiler.client.period.duration".into(), 5.into());
    assert!(explain("\"1 hour\"").contains("13 of 5 minutes"));
    assert!(explain_window(&engine.context, "1 week", 80).is_err());
    let lints = lint_window(
        &engine.context,
        "'1 day window every 1 day from 365 days ago excluding holidays:us'",
    )
    .unwrap();
    assert_eq!(lints.len(), 1);
    assert_eq!(
        lints[0].to_string(),
        "the editions of holidays differ for holidays:us in this span: 2016-10-10 Columbus Day, \
         2017-01-16 Martin Luther King, Jr. Day and 2017-02-20 Washington's Birthday only in the current edition; \
         the recorded edition is used; profiler.holidays.edition = \"current\" chooses the other"
    );
}
