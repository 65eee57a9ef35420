//! Golden files: `tests/golden/CATEGORY/*.stellar` (`*.json` for profiles) with what is expected beside them in `.out`.
//! `UPDATE=1 cargo test --test golden` rewrites what is expected.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use stellar::config::FixedClock;
use stellar::diagnostic::{Allowed, Source, Span, brief, plain};
use stellar::engine::Engine;
use stellar::functions::lints::{Known, of_script};
use stellar::shell::{Session, Shown};
use stellar::syntax::{ParseLimits, WIDTH, format_script, statements};

/// Runs every case of a category and compares; `produce` makes the output from the text of a case.
fn run(category: &str, produce: impl Fn(&str) -> String) {
    run_on(category, "stellar", produce);
}

/// The same on files that end otherwise.
fn run_on(category: &str, extension: &str, produce: impl Fn(&str) -> String) {
    let folder = Path::new("tests/golden").join(category);
    let mut cases: Vec<PathBuf> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == extension))
        .collect();
    cases.sort();
    assert!(!cases.is_empty(), "no cases in {}", folder.display());
    let update = std::env::var_os("UPDATE").is_some();
    let mut failures = Vec::new();
    for case in cases {
        let output = produce(&fs::read_to_string(&case).unwrap());
        let expected_file = case.with_extension("out");
        if update {
            fs::write(&expected_file, &output).unwrap();
            continue;
        }
        let expected = fs::read_to_string(&expected_file).unwrap_or_default();
        if output != expected {
            let at = output
                .lines()
                .zip(expected.lines())
                .take_while(|(a, b)| a == b)
                .count();
            failures.push(format!(
                "{}: line {} differs\n  is:        {}\n  should be: {}",
                case.display(),
                at + 1,
                output.lines().nth(at).unwrap_or("(end)"),
                expected.lines().nth(at).unwrap_or("(end)"),
            ));
        }
    }
    assert!(
        failures.is_empty(),
        "{}\n(UPDATE=1 rewrites what is expected)",
        failures.join("\n")
    );
}

/// What each statement of a script gives, in a session whose clock stands still.
fn session(text: &str) -> Vec<Result<Shown, String>> {
    let mut engine = Engine::bare();
    engine.context.clock = Arc::new(FixedClock(1_600_000_000_000));
    let session = Session::new(&engine);
    statements(&Source::named("script", text))
        .iter()
        .map(|statement| session.run(statement).map_err(|fault| plain(&fault)))
        .collect()
}

#[test]
fn fmt() {
    let format = |text: &str| {
        let source = Source::named("script", text);
        format_script(&source, ParseLimits::default(), WIDTH)
    };
    run("fmt", |text| {
        let formatted = format(text);
        let again = format(&formatted.text);
        assert_eq!(again.text, formatted.text, "formatting twice");
        formatted.text
    });
}

/// The diagnostics of a script that goes on after each.
#[test]
fn errors() {
    run("errors", |text| {
        let faults = session(text).into_iter().filter_map(Result::err);
        faults.map(|fault| fault + "\n").collect()
    });
}

/// What lints say about a script, with the changes that they suggest.
#[test]
fn lints() {
    let engine = Engine::bare();
    run("lints", |text| {
        let source = Source::named("script", text);
        let read: Vec<_> = statements(&source)
            .into_iter()
            .map(|statement| {
                let said = statement.read(ParseLimits::default()).ok();
                (statement, said)
            })
            .collect();
        let allowed = Allowed::default();
        let found = of_script(&source, &read, &engine.context, &Known::default(), &allowed);
        let mut output = String::new();
        for fault in found {
            let at = fault.position().unwrap();
            let place = format!("{}:{}", at.line, at.column);
            output.push_str(&format!("{place}: {}\n", brief(&fault)));
            let (Some(fix), Some(source)) = (&fault.fix, &fault.source) else {
                continue;
            };
            let changed = fix.applied(&source.text, Span::new(0, source.text.len()));
            let promise = if fix.keeps_meaning { "=" } else { "~" };
            output.push_str(&format!("    {promise} {changed}\n"));
        }
        output
    });
}

/// What is wrong with definitions of profiles.
#[test]
fn profiles() {
    let context = Engine::bare().context;
    run_on("profiles", "json", |text| {
        let source = Arc::new(Source::named("profiles.json", text));
        let faults = stellar::profile::definition::check(&source, &context);
        faults.iter().map(|fault| plain(fault) + "\n").collect()
    });
}

/// What a script prints, diagnostics in their place.
#[test]
fn eval() {
    run("eval", |text| {
        let shown = session(text).into_iter().filter_map(|shown| match shown {
            Ok(shown) => shown.print(),
            Err(fault) => Some(fault),
        });
        shown.map(|line| line + "\n").collect()
    });
}
