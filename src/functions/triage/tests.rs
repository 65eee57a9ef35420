#![allow(clippy::unwrap_used, clippy::panic)]

use super::config::{AGGREGATORS, Aggregator, TriageConfig};
use super::engine::aggregate;
use crate::diagnostic::Source;
use crate::engine::Engine;
use crate::eval::text::to_text;
use crate::eval::{Value, Variables};
use crate::functions::library;
use crate::syntax::statements;
use parking_lot::Mutex;
use smol_str::SmolStr;
use std::sync::Arc;

/// Variables that a test sets.
struct Given(Mutex<Vec<(SmolStr, Value)>>);

impl Variables for Given {
    fn get(&self, name: &str) -> Option<Value> {
        let given = self.0.lock();
        given
            .iter()
            .rev()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.clone())
    }

    fn all(&self) -> Vec<(SmolStr, Value)> {
        self.0.lock().clone()
    }
}

struct Session(Engine, Arc<Given>);

impl Session {
    fn new() -> Session {
        let given = Arc::new(Given(Mutex::default()));
        let mut engine = Engine::bare();
        engine.context.variables = given.clone();
        Session(engine, given)
    }

    fn set(&self, name: &str, expression: &str) {
        let value = self.0.evaluate(expression).unwrap();
        self.1.0.lock().push((name.into(), value));
    }

    fn text(&self, expression: &str) -> String {
        match self.0.evaluate(expression) {
            Ok(value) => to_text(&value).to_string(),
            Err(fault) => format!("{} {}", fault.code.name(), fault.message),
        }
    }

    /// An engine named `t` with these rules, each a map literal.
    fn with_rules(rules: &[&str]) -> Session {
        let session = Session::new();
        session.set("t", "THREAT_TRIAGE_INIT()");
        session.set(
            "added",
            &format!("THREAT_TRIAGE_ADD(t, [{}])", rules.join(", ")),
        );
        session
    }
}

#[test]
fn rules_that_are_met_add_up() {
    let session = Session::with_rules(&[
        "{'name': 'ssh', 'comment': 'remote', 'rule': 'port == 22', 'score': 10, 'reason': 'FORMAT(\"port %d\", port)'}",
        "{'rule': 'user.name == \"root\"', 'score': 'port * 2'}",
        "{'rule': 'port > 1000', 'score': 99}",
        "{'rule': ' ', 'score': 1}",
    ]);
    assert_eq!(session.text("t"), "ThreatTriage{rules=4, aggregator=MAX}");
    let message = "'{\"port\": 22, \"user\": {\"name\": \"root\"}}'";
    let score = session.text(&format!("THREAT_TRIAGE_SCORE({message}, t)"));
    assert_eq!(
        score,
        "{score=44.0, rules=[{name=ssh, rule=port == 22, score=10.0, reason=port 22, comment=remote}, \
         {rule=user.name == \"root\", score=44.0}, {rule= , score=1.0}], aggregator=MAX}"
    );
    for (aggregator, expected) in [
        ("SUM", "55.0"),
        ("MIN", "1.0"),
        ("MEAN", "18.333333333333332"),
    ] {
        session.set(
            "added",
            &format!("THREAT_TRIAGE_SET_AGGREGATOR(t, '{aggregator}')"),
        );
        let score = format!("MAP_GET('score', THREAT_TRIAGE_SCORE({message}, t))");
        assert_eq!(session.text(&score), expected, "{aggregator}");
    }
    // A map serves as well as text.
    assert_eq!(
        session.text("MAP_GET('score', THREAT_TRIAGE_SCORE({'port': 22}, t))"),
        "5.5"
    );
}

#[test]
fn whole_numbers_of_messages_are_longs() {
    let session = Session::with_rules(&["{'rule': 'port in [22]', 'score': 1}"]);
    let score = |message: &str| {
        session.text(&format!(
            "MAP_GET('score', THREAT_TRIAGE_SCORE({message}, t))"
        ))
    };
    assert_eq!(score("'{\"port\": 22}'"), "0.0");
    assert_eq!(score("{'port': 22}"), "1.0");
    let session =
        Session::with_rules(&["{'rule': 'ports == [22L] and GET(ports, 0) in [22L]', 'score': 1}"]);
    assert_eq!(
        session.text("MAP_GET('score', THREAT_TRIAGE_SCORE('{\"ports\": [22]}', t))"),
        "1.0"
    );
}

/// The layout was recorded from Jackson 2.9.
#[test]
fn the_configuration_is_written_as_metron_writes_it() {
    let session = Session::with_rules(&[
        "{'name': 'n', 'rule': 'a == \"é/\"', 'score': 10.5}",
        "{'comment': 'c', 'rule': 'true', 'score': '2 * 2', 'reason': \"'why'\"}",
    ]);
    let expected = r#"{
  "enrichment" : {
    "fieldMap" : { },
    "fieldToTypeMap" : { },
    "config" : { }
  },
  "threatIntel" : {
    "fieldMap" : { },
    "fieldToTypeMap" : { },
    "config" : { },
    "triageConfig" : {
      "riskLevelRules" : [ {
        "name" : "n",
        "rule" : "a == \"é/\"",
        "score" : "10.5"
      }, {
        "comment" : "c",
        "rule" : "true",
        "reason" : "'why'",
        "score" : "2 * 2"
      } ],
      "aggregator" : "MAX",
      "aggregationConfig" : { }
    }
  },
  "configuration" : { }
}"#;
    assert_eq!(session.text("added"), expected);
    assert_eq!(session.text("THREAT_TRIAGE_CONFIG(t)"), expected);
    // What was written is read as the same.
    session.set("again", "THREAT_TRIAGE_INIT(added)");
    assert_eq!(session.text("THREAT_TRIAGE_CONFIG(again)"), expected);
}

#[test]
fn other_parts_of_the_configuration_are_kept() {
    let text = r#"{"enrichment": {"fieldMap": {"geo": ["ip", 1.0e10]}}, "threatIntel": {"config": {"limit": 5},
        "triageConfig": {"riskLevelRules": [{"rule": "x > limit and kind == 'web'", "score": 3}], "aggregator": "SUM",
        "aggregationConfig": {"negativeValuesTrump": "false"}}}, "configuration": {"kind": "web"}}"#;
    let config = TriageConfig::read(text, 64).unwrap();
    let written = config.write();
    assert!(
        written.contains("\"geo\" : [ \"ip\", 1.0E10 ]"),
        "{written}"
    );
    assert_eq!(TriageConfig::read(&written, 64).unwrap().write(), written);
    let session = Session::new();
    session.1.0.lock().push(("c".into(), text.into()));
    session.set("t", "THREAT_TRIAGE_INIT(c)");
    // The configuration stands in for what the message does not hold.
    for (message, score) in [
        ("{\"x\": 6}", "3.0"),
        ("{\"x\": 6, \"kind\": \"dns\"}", "0.0"),
        ("{\"x\": 6, \"limit\": 7}", "0.0"),
    ] {
        let expression = format!("MAP_GET('score', THREAT_TRIAGE_SCORE('{message}', t))");
        assert_eq!(session.text(&expression), score, "{message}");
    }
}

#[test]
fn rules_are_removed_by_name_and_by_condition() {
    let session = Session::with_rules(&[
        "{'name': 'a', 'rule': 'x == 1', 'score': 1}",
        "{'name': 'b', 'rule': 'x == 2', 'score': 1}",
        "{'rule': 'x == 3', 'score': 1}",
        "{'rule': 'x == 3', 'score': 7}",
        "{'score': 7}",
        "null",
    ]);
    assert_eq!(session.text("t"), "ThreatTriage{rules=3, aggregator=MAX}");
    session.set("config", "THREAT_TRIAGE_CONFIG(t)");
    session.set(
        "left",
        "THREAT_TRIAGE_REMOVE(config, ['a', 'x == 3', 'none', 5])",
    );
    let table = session.text("THREAT_TRIAGE_PRINT(left)");
    assert!(
        table.contains("║ b    │") && !table.contains("║ a    │"),
        "{table}"
    );
    assert!(table.ends_with("╝\nAggregation: MAX"), "{table}");
    // Of a text the engine it came from knows nothing.
    assert_eq!(session.text("t"), "ThreatTriage{rules=3, aggregator=MAX}");
    session.set("left", "THREAT_TRIAGE_REMOVE(t, null)");
    session.set("left", "THREAT_TRIAGE_REMOVE(t, ['b'])");
    assert_eq!(session.text("t"), "ThreatTriage{rules=2, aggregator=MAX}");
}

#[test]
fn errors_name_the_rule() {
    for (rule, code, words) in [
        (
            "{'name': 'odd', 'rule': 'x + 1', 'score': 1}",
            "E0207",
            "the rule 'odd' must give true or false",
        ),
        (
            "{'rule': 'missing', 'score': 1}",
            "E0207",
            "the rule missing must give true or false, not null",
        ),
        (
            "{'name': 'div', 'rule': '1 / 0 == 1', 'score': 1}",
            "E0206",
            "the rule 'div' fails",
        ),
        (
            "{'name': 's', 'rule': 'true', 'score': '\"abc\"'}",
            "E0218",
            "the score of the rule 's'",
        ),
        (
            "{'name': 's', 'rule': 'true', 'score': ''}",
            "E0218",
            "the score of the rule 's'",
        ),
        (
            "{'name': 's', 'rule': 'true', 'score': 'NO_SUCH()'}",
            "E0201",
            "the score of the rule 's' fails",
        ),
        (
            "{'name': 'r', 'rule': 'true', 'score': 1, 'reason': '1 / 0'}",
            "E0206",
            "the reason of the rule 'r' fails",
        ),
    ] {
        let session = Session::with_rules(&[rule]);
        let found = session.text("THREAT_TRIAGE_SCORE('{\"x\": 1}', t)");
        assert!(
            found.starts_with(code) && found.contains(words),
            "{rule}: {found}"
        );
    }
    // The place is one in the rule, not in the expression that scores.
    let session = Session::with_rules(&["{'rule': 'x == 1 / 0', 'score': 1}"]);
    let fault = session
        .0
        .evaluate("THREAT_TRIAGE_SCORE('{}', t)")
        .unwrap_err();
    assert_eq!(fault.source.clone().unwrap().text, "x == 1 / 0");
}

#[test]
fn bad_arguments_are_refused() {
    let session = Session::with_rules(&[]);
    for (expression, expected) in [
        ("THREAT_TRIAGE_INIT(null)", "E0203"),
        ("THREAT_TRIAGE_INIT('')", "E0216"),
        ("THREAT_TRIAGE_INIT('[]')", "E0216"),
        (
            "THREAT_TRIAGE_INIT('{\"index\": \"bro\"}')",
            "E0204 THREAT_TRIAGE_INIT: the configuration has no key index",
        ),
        (
            "THREAT_TRIAGE_INIT('{\"threatIntel\": {\"triageConfig\": {\"riskLevelRules\": [{\"rule\": \"true\"}]}}}')",
            "E0204",
        ),
        (
            "THREAT_TRIAGE_INIT('{\"threatIntel\": {\"triageConfig\": {\"riskLevelRules\": [{\"rule\": \"a =\", \"score\": 1}]}}}')",
            "E0204",
        ),
        (
            "THREAT_TRIAGE_INIT('{\"threatIntel\": {\"triageConfig\": {\"aggregator\": \"MEDIAN\"}}}')",
            "E0204",
        ),
        ("THREAT_TRIAGE_SCORE()", "E0202"),
        ("THREAT_TRIAGE_SCORE(null, t)", "E0203"),
        ("THREAT_TRIAGE_SCORE('[1]', t)", "E0216"),
        ("THREAT_TRIAGE_SCORE('{} {}', t)", "E0216"),
        ("THREAT_TRIAGE_SCORE('{}', '{}')", "E0203"),
        ("THREAT_TRIAGE_CONFIG('{}')", "E0203"),
        ("THREAT_TRIAGE_ADD(5, {})", "E0203"),
        ("THREAT_TRIAGE_ADD('{}', null)", "E0203"),
        ("THREAT_TRIAGE_ADD('{}', [5])", "E0204"),
        ("THREAT_TRIAGE_ADD('{}', {'rule': 5, 'score': 1})", "E0204"),
        (
            "THREAT_TRIAGE_ADD('{}', {'rule': null, 'score': 1})",
            "E0204",
        ),
        (
            "THREAT_TRIAGE_ADD('{}', {'rule': 'true', 'score': null})",
            "E0204",
        ),
        (
            "THREAT_TRIAGE_ADD('{}', {'rule': 'true', 'score': []})",
            "E0204",
        ),
        ("THREAT_TRIAGE_REMOVE('{}')", "E0202"),
        ("THREAT_TRIAGE_SET_AGGREGATOR('{}', null)", "E0203"),
        ("THREAT_TRIAGE_SET_AGGREGATOR('{}', 'MAX', 5)", "E0203"),
    ] {
        let found = session.text(expression);
        assert!(found.starts_with(expected), "{expression}: {found}");
    }
    // A change that fails leaves the engine as it was.
    assert!(
        session
            .text(
                "THREAT_TRIAGE_ADD(t, [{'rule': 'true', 'score': 1}, {'rule': 'a =', 'score': 1}])"
            )
            .starts_with("E0204")
    );
    assert_eq!(session.text("t"), "ThreatTriage{rules=0, aggregator=MAX}");
}

#[test]
fn rules_that_score_inside_of_rules_end() {
    let session = Session::new();
    let define = |text: &str| {
        let context = &session.0.context;
        for statement in &statements(&Source::expression(text)) {
            let definition = library::define(statement, context).unwrap();
            session
                .0
                .registry
                .define(definition.unwrap(), context)
                .unwrap();
        }
    };
    define(
        "def AGAIN(x) := MAP_GET('score', THREAT_TRIAGE_SCORE({'x': x}, THREAT_TRIAGE_INIT(THREAT_TRIAGE_ADD('{}', {'rule': 'AGAIN(x) > 0', 'score': 1}))))",
    );
    let found = session.text("AGAIN(1)");
    assert!(found.starts_with("E0302"), "{found}");
    // Afterwards it works again.
    assert!(
        session
            .text("THREAT_TRIAGE_SCORE({}, THREAT_TRIAGE_INIT())")
            .starts_with("{score=0.0")
    );
}

#[test]
fn aggregators_count_as_in_metron() {
    let low = f64::NEG_INFINITY;
    for (scores, trumps, expected) in [
        (&[][..], true, [0.0, 0.0, 0.0, 0.0, 0.0]),
        (&[1.0, 4.0, 0.0], true, [4.0, 0.0, 5.0, 5.0 / 3.0, 2.5]),
        (&[1.0, -4.0], true, [low; 5]),
        (&[1.0, -4.0], false, [1.0, -4.0, -3.0, -1.5, 1.0]),
        (&[-1.0, -4.0], false, [0.0, -4.0, -5.0, -2.5, 0.0]),
    ] {
        for ((name, aggregator), expected) in AGGREGATORS.iter().zip(expected) {
            assert_eq!(
                aggregate(scores, *aggregator, trumps),
                expected,
                "{name} {scores:?} {trumps}"
            );
        }
    }
    assert!(aggregate(&[f64::NAN, 1.0], Aggregator::Max, true).is_nan());
}
