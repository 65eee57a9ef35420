//! Rules in the embedded file.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/rules.rs"]
mod rules;

use rules::{hostile, rule, suite, within};
use std::sync::Arc;
use stellar::rule::model::Relations;
use stellar::rule::store::{Embedded, RULE, Rules, Search};
use stellar::store::Store;

fn open(folder: &tempfile::TempDir) -> Rules {
    let store = Store::new(&folder.path().join("stellar.db"), &[&RULE]);
    Rules::new(Arc::new(Embedded::new(&store)))
}

#[test]
fn it_does_what_every_store_must_do() {
    suite(&open(&tempfile::tempdir().unwrap()));
}

#[test]
fn hostile_bodies_are_refused_or_come_back() {
    hostile(&open(&tempfile::tempdir().unwrap()), 250);
}

#[test]
fn looking_creates_no_file_and_rules_outlive_the_store() {
    let folder = tempfile::tempdir().unwrap();
    let cancel = Arc::default();
    let rules = open(&folder);
    assert_eq!(
        rules
            .rules(&Search::default(), within(&cancel))
            .unwrap()
            .total,
        0
    );
    assert!(std::fs::read_dir(folder.path()).unwrap().next().is_none());
    let relations = Relations::default();
    rules
        .create(&rule("a", "A"), &relations, within(&cancel))
        .unwrap()
        .unwrap();
    drop(rules);
    let again = open(&folder);
    assert_eq!(
        again.rule("a", within(&cancel)).unwrap().unwrap(),
        rule_like(&again)
    );
    assert!(again.place().contains("stellar.db"));
}

fn rule_like(rules: &Rules) -> stellar::rule::model::Rule {
    let cancel = Arc::default();
    let stored = rules.rule("a", within(&cancel)).unwrap().unwrap();
    stellar::rule::model::Rule {
        trace_id: stored.trace_id,
        ..rule("a", "A")
    }
}

#[test]
fn what_was_cancelled_is_not_stored() {
    let folder = tempfile::tempdir().unwrap();
    let rules = open(&folder);
    let cancel = Arc::new(std::sync::atomic::AtomicBool::new(true));
    let stored = rules.create(&rule("a", "A"), &Relations::default(), within(&cancel));
    assert_eq!(
        stored.unwrap_err().code,
        stellar::diagnostic::Code::Interrupted
    );
    let cancel = Arc::default();
    assert!(rules.rule("a", within(&cancel)).unwrap().is_none());
}
