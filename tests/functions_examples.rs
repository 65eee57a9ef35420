//! Runs every example of every function, and checks that the documentation is whole.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use stellar::config::{Config, Options, Surroundings};
use stellar::engine::{Engine, Overrides};
use stellar::eval::text::to_text;
use stellar::functions::spec::{Expected, Family, FunctionSpec, Kind, Presence};

/// Functions that documentation may name before they are built.
const LATER: &[&str] = &[
    "BLOOM_ADD",
    "DATE_FORMAT",
    "IS_NAN",
    "LENGTH",
    "MAP_GET",
    "REGEXP_GROUP_VAL",
    "REGEXP_MATCH",
    "ROUND",
    "TLSH_DIST",
    "TO_EPOCH_TIMESTAMP",
];

fn specs() -> Vec<&'static FunctionSpec> {
    Engine::bare().registry.specs()
}

/// Fails with all complaints at once.
#[track_caller]
fn none(complaints: Vec<String>) {
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

/// An engine with an empty store in this folder.
fn with_store(folder: &std::path::Path) -> Engine {
    let options = Options {
        set: vec![format!(
            "store.path={}",
            folder.join("stellar.db").display()
        )],
        ..Options::default()
    };
    let around = Surroundings::default();
    let config = Config::load(&options, &around).unwrap();
    Engine::new(config, &around, &Overrides::default()).unwrap()
}

#[test]
fn examples_give_what_they_say() {
    let bare = Engine::bare();
    let mut complaints = Vec::new();
    for spec in specs() {
        // The examples of a function that stores events run one after the other, on a store of their own.
        let folder = matches!(
            spec.family,
            Family::Events | Family::Collected | Family::Rules
        )
        .then(|| tempfile::tempdir().unwrap());
        let stored = folder.as_ref().map(|folder| with_store(folder.path()));
        let engine = stored.as_ref().unwrap_or(&bare);
        for example in spec.examples {
            let result = engine.evaluate(example.expression);
            let found = match &result {
                Ok(value) => to_text(value).to_string(),
                Err(fault) => format!("{} {}", fault.code.name(), fault.message),
            };
            let good = match example.result {
                Expected::Text(text) => result.is_ok() && found == text,
                Expected::Error(code) => result.is_err_and(|fault| fault.code.name() == code),
            };
            // An example may call functions that are not built yet.
            let later = LATER.iter().any(|name| example.expression.contains(name));
            if !good && !later {
                let said = example.result;
                complaints.push(format!("{}: {found}, said {said:?}", example.expression));
            }
        }
    }
    none(complaints);
}

#[test]
fn documentation_is_whole() {
    let mut complaints = Vec::new();
    for spec in specs() {
        let mut complain = |what: &str| complaints.push(format!("{}: {what}", spec.name));
        if !spec.summary.ends_with('.') || spec.summary.matches(". ").count() > 0 {
            complain("the summary is not one sentence");
        }
        if spec.returns.is_empty() {
            complain("it does not say what comes out");
        }
        if spec.examples.len() < 2 {
            complain("it has fewer than two examples");
        }
        let fails = |e: &stellar::functions::spec::Example| matches!(e.result, Expected::Error(_));
        if spec.examples.iter().any(fails) && spec.errors.is_empty() {
            complain("an example fails, but no error is documented");
        }
        if !spec
            .examples
            .iter()
            .any(|e| e.expression.contains(spec.name))
        {
            complain("no example calls it");
        }
        let mut optional = false;
        let mut names = BTreeSet::new();
        for parameter in spec.parameters {
            let small = |c: char| c.is_ascii_lowercase() || c == '_' || c.is_ascii_digit();
            if parameter.name.is_empty() || !parameter.name.chars().all(small) {
                complain("a parameter's name is not in small letters");
            }
            if !names.insert(parameter.name) {
                complain("two parameters have one name");
            }
            if parameter.text.is_empty() {
                complain("a parameter is not documented");
            }
            if optional && parameter.presence == Presence::Required {
                complain("a required parameter stands behind an optional one");
            }
            optional |= parameter.presence != Presence::Required;
            if matches!(parameter.kind, Kind::Object("")) {
                complain("a parameter's type has no name");
            }
        }
    }
    none(complaints);
}

#[test]
fn related_functions_exist() {
    let engine = Engine::bare();
    let library = engine.registry.library(&engine.context).unwrap();
    let mut names: BTreeSet<&str> = specs().iter().map(|spec| spec.name).collect();
    names.extend(library.iter().map(|definition| definition.name.as_str()));
    let mut complaints = Vec::new();
    for spec in specs() {
        for see in spec.see {
            if *see == spec.name || !(names.contains(see) || LATER.contains(see)) {
                complaints.push(format!("{}: see {see}", spec.name));
            }
        }
    }
    none(complaints);
}

#[test]
fn names_are_unique() {
    let mut names = BTreeSet::new();
    let twice = stellar::functions::FAMILIES
        .iter()
        .flat_map(|family| family.iter())
        .filter(|spec| !names.insert(spec.name))
        .map(|spec| spec.name.to_string());
    none(twice.collect());
}
