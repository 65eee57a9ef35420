//! Tools for those who write pipelines: test, schema, graph.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/pictures.rs"]
mod checks;
mod support;

use serde_json::Value as Json;
use support::Home;

const FILE: &str = "pipelines:
  p:
    - {name: input_file, tag: raw, watch_path: in, path_pattern: 'in/*'}
    - {name: parser_json, match: raw, key: log}
    - {name: filter_retag, match: raw, value: ev}
    - {name: filter_frequency, match: ev, tag: al, alert: {}, query_key: k, num_events: 2, timeframe: 60}
    - {name: output_stdout, match: '*'}
tests:
  - name: two are too many
    clock: 2026-07-14T00:00:00Z
    input:
      - {tag: raw, lines: ['{\"k\": \"a\"}', '{\"k\": \"a\"}']}
      - {wait: 2m}
      - {tag: raw, line: '{\"k\": \"a\"}'}
    expect:
      - {tag: ev, record: {k: a}}
      - {tag: ev, fields: {k: a}}
      - {tag: al, where: \"num_events == 2 and tag == 'al'\"}
      - {tag: ev}
";

#[test]
fn cases_pass_and_fail_with_their_places() {
    let home = Home::new();
    home.write("p.yaml", FILE);
    let ran = home.run(&["pipeline", "test", "p.yaml"], "").ended(0);
    assert!(
        ran.out().contains("passed  p.yaml:9: two are too many"),
        "{}",
        ran.out()
    );
    home.write(
        "p.test.yaml",
        "- name: wrong\n  at: filter_retag\n  input: [{tag: raw, record: {a: 1, c: 3}}, {tag: raw, record: {}}]\n  expect:\n    output_stdout:\n      - {tag: other, record: {a: 2, b: 5}}\n- name: refused\n  input: [{tag: raw, line: '[1]'}]\n  expect: []\n",
    );
    let ran = home.run(&["pipeline", "test", "p.yaml"], "").ended(1);
    for part in [
        "FAILED  p.test.yaml:1: wrong",
        "p.test.yaml:6:9: event 1: the tag is ev, not other",
        "event 1: - 'a': 2",
        "event 1: + 'a': 1",
        "event 1: - 'b': 5",
        "event 1: + 'c': 3",
        "event 2 is one too many: ev: {}",
        "1 dead letters instead of 0",
        "1 passed, 2 failed",
    ] {
        assert!(ran.out().contains(part), "{part} in\n{}", ran.out());
    }
    let ran = home
        .run(&["pipeline", "test", "p.yaml", "--format", "jsonl"], "")
        .ended(1);
    let rows = ran.json();
    assert_eq!(rows.len(), 3);
    assert_eq!(
        (&rows[0]["passed"], &rows[1]["passed"]),
        (&Json::Bool(true), &Json::Bool(false))
    );
}

#[test]
fn bad_cases_are_found_by_check() {
    let home = Home::new();
    let bad = FILE
        .replace("expect:", "expct:")
        .replace("{wait: 2m}", "{wait: long}");
    home.write(
        "p.yaml",
        bad.replace("num_events == 2 and", "num_events == "),
    );
    let ran = home.run(&["pipeline", "check", "p.yaml"], "").ended(1);
    for part in [
        "a test has no key expct",
        "did you mean expect?",
        "wait is a number of seconds",
    ] {
        assert!(ran.err.contains(part), "{part} in\n{}", ran.err);
    }
    home.write(
        "p.yaml",
        FILE.replace("num_events == 2 and", "num_events == and"),
    );
    let ran = home.run(&["pipeline", "check", "p.yaml"], "").ended(1);
    assert!(ran.err.contains("where: "), "{}", ran.err);
    home.write("q.yaml", FILE.split("tests:").next().unwrap());
    home.run(&["pipeline", "check", "q.yaml"], "").ended(0);
    let ran = home.run(&["pipeline", "test", "q.yaml"], "").ended(1);
    assert!(ran.err.contains("q.yaml has no tests"), "{}", ran.err);
}

/// Whether a value is what a schema says, for the words that the schema of pipelines has.
fn fits(schema: &Json, root: &Json, value: &Json) -> bool {
    let kind = |name: &str| match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        other => panic!("no type is named {other}"),
    };
    let all = |schemas: &Json| {
        schemas
            .as_array()
            .unwrap()
            .iter()
            .all(|s| fits(s, root, value))
    };
    schema
        .as_object()
        .unwrap()
        .iter()
        .all(|(word, says)| match word.as_str() {
            "$schema" | "title" | "description" | "deprecated" | "$defs" | "then" => true,
            "minimum" => value.as_f64().is_none_or(|n| n >= says.as_f64().unwrap()),
            "maximum" => value.as_f64().is_none_or(|n| n <= says.as_f64().unwrap()),
            "maxItems" => value
                .as_array()
                .is_none_or(|a| a.len() as u64 <= says.as_u64().unwrap()),
            "type" => match says {
                Json::String(name) => kind(name),
                names => names
                    .as_array()
                    .unwrap()
                    .iter()
                    .any(|name| kind(name.as_str().unwrap())),
            },
            "enum" => says.as_array().unwrap().contains(value),
            "const" => says == value,
            "pattern" => {
                let pattern = regex::Regex::new(says.as_str().unwrap()).unwrap();
                value.as_str().is_none_or(|text| pattern.is_match(text))
            }
            "required" => value.as_object().is_none_or(|fields| {
                says.as_array()
                    .unwrap()
                    .iter()
                    .all(|name| fields.contains_key(name.as_str().unwrap()))
            }),
            "properties" => value.as_object().is_none_or(|fields| {
                fields
                    .iter()
                    .all(|(name, own)| says.get(name).is_none_or(|s| fits(s, root, own)))
            }),
            "additionalProperties" => value.as_object().is_none_or(|fields| {
                let known = |name: &str| {
                    schema
                        .get("properties")
                        .is_some_and(|p| p.get(name).is_some())
                };
                let others = fields.iter().filter(|(name, _)| !known(name));
                let mut others = others.map(|(_, own)| says.is_object() && fits(says, root, own));
                others.all(|good| good)
            }),
            "items" => value
                .as_array()
                .is_none_or(|items| items.iter().all(|item| fits(says, root, item))),
            "allOf" => all(says),
            "anyOf" => says
                .as_array()
                .unwrap()
                .iter()
                .any(|s| fits(s, root, value)),
            "if" => !fits(says, root, value) || fits(&schema["then"], root, value),
            "$ref" => {
                let name = says.as_str().unwrap().strip_prefix("#").unwrap();
                fits(root.pointer(name).unwrap(), root, value)
            }
            other => panic!("the schema says {other}"),
        })
}

fn json(yaml: &str) -> Json {
    use stellar::pipeline::yaml;
    let source = std::sync::Arc::new(stellar::diagnostic::Source::named("x", yaml));
    let node = yaml::read(&source, yaml::Limits::default())
        .unwrap()
        .unwrap();
    stellar::eval::json::to_json(&node.value()).unwrap()
}

#[test]
fn the_schema_takes_every_example_and_refuses_what_is_wrong() {
    let home = Home::new();
    let ran = home.run(&["pipeline", "schema"], "").ended(0);
    let schema: Json = serde_json::from_str(ran.out()).unwrap();
    let takes = |steps: &str| {
        let file = json(&format!(
            "pipelines:\n  p:\n    {}\n",
            steps.replace('\n', "\n    ")
        ));
        fits(&schema, &schema, &file)
    };
    for spec in stellar::engine::Engine::actions().iter() {
        for example in spec.examples {
            assert!(takes(example), "{}", spec.name);
            assert!(!takes(&format!("{example}\n  bogus: 1")), "{}", spec.name);
            assert!(
                !takes(&example.replace(spec.name, "no_action")),
                "{}",
                spec.name
            );
        }
        let bare = format!("- name: {}", spec.name);
        let needs = spec.parameters.iter().any(|parameter| parameter.required)
            || spec.kind != stellar::pipeline::spec::ActionKind::Input;
        assert_eq!(!takes(&bare), needs, "{}", spec.name);
    }
    for (step, good) in [
        ("- {name: input_dummy, tag: a, data: {}, repeat: 3}", true),
        ("- {name: input_dummy, tag: a, data: {}, repeat: '3'}", true),
        (
            "- {name: input_dummy, tag: a, data: {}, repeat: '{n}'}",
            true,
        ),
        (
            "- {name: input_dummy, tag: a, data: {}, repeat: many}",
            false,
        ),
        ("- {name: input_dummy, tag: [a], data: {}}", false),
        (
            "- {name: output_file, match: a, path: x, compress: zip}",
            false,
        ),
        (
            "- {name: output_file, match: a, path: x, compress: gzip, rotate_every: 1h}",
            true,
        ),
    ] {
        assert_eq!(takes(step), good, "{step}");
    }
    assert!(fits(&schema, &schema, &json(FILE)));
    assert!(!fits(&schema, &schema, &json("pipeline: {}")));
}

#[test]
fn pictures_show_where_tags_go() {
    let home = Home::new();
    home.write("p.yaml", FILE.replace("\n  p:", "\n  'a<b&\"c':"));
    let graph = |format: &str| {
        let ran = home
            .run(&["pipeline", "graph", "p.yaml", "--format", format], "")
            .ended(0);
        ran.out().to_owned()
    };
    let mermaid = graph("mermaid");
    for part in [
        "flowchart TD",
        "p0[\"a#lt;b#amp;#quot;c\"]",
        "p0s0([\"input_file<br/>raw\"])",
        "p0s0 -->|\"raw\"| p0s1",
        "p0s2 -->|\"ev\"| p0s3",
        "p0s3 -->|\"al, ev\"| p0s4",
    ] {
        assert!(mermaid.contains(part), "{part} in\n{mermaid}");
    }
    assert!(!mermaid.contains("p0s0 -->|\"raw\"| p0s4"), "{mermaid}");
    assert!(graph("dot").contains("p0s3 -> p0s4 [label=\"al, ev\"];"));
    let svg = graph("svg");
    assert!(
        svg.contains("a&lt;b&amp;&quot;c") && svg.contains("prefers-color-scheme:dark"),
        "{svg}"
    );
    assert_eq!(svg.matches("<rect class=\"box").count(), 5);
    assert_eq!(svg.matches("class=\"way\"").count(), 4);
    checks::check(&svg).unwrap();
}

#[test]
fn tags_that_clients_give_are_followed_where_they_are_named() {
    let home = Home::new();
    home.write(
        "p.yaml",
        "pipelines:\n  p:\n    - {name: input_http, port: 1}\n    - {name: parser_json, match: login, key: log}\n    - {name: filter_stellar, match: login, tag: \"'alert'\"}\n    - {name: filter_stellar, match: other, tag: user}\n    - {name: output_stdout, match: alert}\n    - {name: output_stdout, match: '*'}\n",
    );
    let ran = home
        .run(&["pipeline", "graph", "p.yaml", "--format", "mermaid"], "")
        .ended(0);
    let arrows = ran.out().lines().filter(|line| line.contains("-->"));
    let arrows: Vec<&str> = arrows.map(str::trim).collect();
    assert_eq!(
        arrows,
        [
            "p0s0 -->|\"login\"| p0s1",
            "p0s1 -->|\"login\"| p0s2",
            "p0s0 -->|\"other\"| p0s3",
            "p0s2 -->|\"alert\"| p0s4",
            "p0s4 -->|\"alert\"| p0s5",
            "p0s0 -->|\"…\"| p0s5",
            "p0s3 -->|\"…\"| p0s5",
        ]
    );
    let wanted = "p\n\
        1 ● input_http      …\n  │ login\n\
        2 ● parser_json     login\n  │ login\n\
        3 ● filter_stellar  login\n\n\
        4 ● filter_stellar  other  ← 1 other\n\n\
        5 ● output_stdout   alert  ← 3 alert\n  │ alert\n\
        6 ● output_stdout   *  ← 1 …  ← 4 …\n";
    let ran = home.run(&["pipeline", "graph", "p.yaml", "--format", "text"], "");
    assert_eq!(ran.ended(0).out(), wanted);
    // The shell draws the same.
    let ran = home.run(&[], "%plot p.yaml\n%save p.svg\n").ended(0);
    assert!(ran.out().starts_with(wanted), "{}", ran.out());
    let svg = std::fs::read_to_string(home.path("p.svg")).unwrap();
    checks::check(&svg).unwrap();
    assert_eq!(svg.matches("<rect class=\"box").count(), 6);
}
