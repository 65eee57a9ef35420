//! Requests of the API: what is taken, what is refused and why.
#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use proptest::prelude::*;
use serde_json::{Map, Value as Json, json};

/// The request of the documentation.
const EXAMPLE: &str = r#"{
  "id": "uuid", "created_at": "2023-12-20T00:00:01.652259Z", "updated_at": "2023-12-20T00:00:01.652259Z",
  "trace_id": "uuid", "name": "string", "frontend_data": null, "test_data": [{}],
  "settings": {"function_metrics": false, "is_constructor": false, "max_alerts": 1, "max_alerts_per_second": 1,
    "max_rule_memory_mb": 1},
  "active": true, "reload": true, "finding_id": "uuid", "description": "string", "lua": "string",
  "is_retro": false, "is_system": true, "stats": {"result_count": 1, "error_count": 0}, "is_error": 0,
  "running_at": "2023-12-20T00:00:01.652259Z", "logmule_go_filters": null, "logmule_go_modules": null,
  "finding": null, "logmule_go_results": null
}"#;

fn with<T>(strict: bool, work: impl FnOnce(&Making<'_>) -> T) -> T {
    let count = std::cell::Cell::new(0);
    let id = || {
        count.set(count.get() + 1);
        format!("made-{}", count.get())
    };
    let compile = |drawn: &Json| match drawn["version"].as_i64() {
        Some(2) => Ok("-- compiled".to_string()),
        _ => Err(vec![Reason::new("version", "must be 2")]),
    };
    work(&Making {
        strict,
        now: "2026-01-01T00:00:00Z",
        id: &id,
        compile: &compile,
    })
}

fn example() -> Map<String, Json> {
    read_body(EXAMPLE.as_bytes()).unwrap()
}

/// The example with some fields in other values; a field without a value is left out.
fn changed(changes: &[(&str, Option<Json>)]) -> Map<String, Json> {
    let mut body = example();
    for (name, value) in changes {
        match value {
            Some(value) => body.insert((*name).to_string(), value.clone()),
            None => body.shift_remove(*name),
        };
    }
    body
}

fn create(body: &Map<String, Json>) -> Result<(Rule, Relations), Refusal> {
    with(false, |making| Rule::create(body, making))
}

#[track_caller]
fn paths(refused: Result<(Rule, Relations), Refusal>) -> Vec<String> {
    match refused {
        Err(Refusal::Bad(reasons)) => reasons.into_iter().map(|one| one.path).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_example_comes_back_as_it_was_sent() {
    let (rule, relations) = with(true, |making| Rule::create(&example(), making)).unwrap();
    assert_eq!(rule.to_json(), Json::Object(example()));
    assert_eq!(relations, Relations::default());
    let settings = rule.settings();
    assert_eq!(
        (settings.max_alerts, settings.is_constructor),
        (Some(1), false)
    );
    let list = json!([example()["settings"]]);
    let (rule, _) = create(&changed(&[("settings", Some(list.clone()))])).unwrap();
    assert_eq!(
        (rule.to_json()["settings"].clone(), rule.settings()),
        (list, settings)
    );
}

#[test]
fn what_can_be_made_up_is_made_up_unless_all_is_demanded() {
    let made = [
        "id",
        "created_at",
        "updated_at",
        "trace_id",
        "running_at",
        "is_error",
    ];
    for absent in [None, Some(Json::Null)] {
        let changes: Vec<_> = made.iter().map(|name| (*name, absent.clone())).collect();
        let (rule, _) = create(&changed(&changes)).unwrap();
        assert!(rule.id.starts_with("made-") && rule.trace_id.starts_with("made-"));
        assert_ne!(rule.id, rule.trace_id);
        for time in [&rule.created_at, &rule.updated_at, &rule.running_at] {
            assert_eq!(time, "2026-01-01T00:00:00Z");
        }
        assert_eq!(rule.is_error, 0);
        let strict = with(true, |making| Rule::create(&changed(&changes), making));
        let mut refused = paths(strict);
        refused.sort_unstable();
        let mut all = made.to_vec();
        all.sort_unstable();
        assert_eq!(refused, all);
    }
}

#[test]
fn every_other_field_that_is_needed_must_be_there() {
    let needed = [
        "name",
        "settings",
        "active",
        "reload",
        "finding_id",
        "description",
        "is_retro",
        "is_system",
    ];
    for name in needed {
        for absent in [None, Some(Json::Null)] {
            assert_eq!(paths(create(&changed(&[(name, absent)]))), [name]);
        }
    }
    for name in [
        "frontend_data",
        "test_data",
        "stats",
        "logmule_go_filters",
        "finding",
    ] {
        create(&changed(&[(name, None)])).unwrap();
    }
    // All that is wrong is told at once.
    let body = read_body(b"{}").unwrap();
    assert_eq!(paths(create(&body)), needed);
}

#[test]
fn wrong_types_are_refused_by_their_path() {
    let wrong = [
        ("id", json!(1), "id"),
        ("id", json!(" "), "id"),
        ("name", json!(""), "name"),
        ("name", json!("x".repeat(2000)), "name"),
        ("created_at", json!("yesterday"), "created_at"),
        ("created_at", json!("2023-12-20"), "created_at"),
        ("updated_at", json!(1_703_030_401), "updated_at"),
        ("running_at", json!("2023-13-20T00:00:00Z"), "running_at"),
        ("trace_id", json!([]), "trace_id"),
        ("frontend_data", json!([]), "frontend_data"),
        ("frontend_data", json!("x"), "frontend_data"),
        ("test_data", json!({}), "test_data"),
        ("test_data", json!([{}, 1]), "test_data.1"),
        ("settings", json!("x"), "settings"),
        ("settings", json!([]), "settings"),
        ("settings", json!([{}, {}]), "settings"),
        ("settings", json!([1]), "settings.0"),
        (
            "settings",
            json!({"max_alerts": "1"}),
            "settings.max_alerts",
        ),
        (
            "settings",
            json!({"max_alerts": 1.5}),
            "settings.max_alerts",
        ),
        ("settings", json!({"max_alerts": -1}), "settings.max_alerts"),
        (
            "settings",
            json!([{"is_constructor": 1}]),
            "settings.0.is_constructor",
        ),
        ("active", json!("true"), "active"),
        ("reload", json!(0), "reload"),
        ("finding_id", json!(7), "finding_id"),
        ("description", json!({}), "description"),
        ("lua", json!(["x"]), "lua"),
        ("lua", json!("x".repeat((1 << 20) + 1)), "lua"),
        ("is_retro", json!("no"), "is_retro"),
        ("is_system", json!([]), "is_system"),
        ("stats", json!([]), "stats"),
        ("stats", json!({"result_count": "1"}), "stats.result_count"),
        ("stats", json!({"error_count": 1e30}), "stats.error_count"),
        ("is_error", json!(true), "is_error"),
        ("is_error", json!(-1), "is_error"),
        ("_relations", json!([]), "_relations"),
        ("_relations", json!({"filter": []}), "_relations.filter"),
        ("_relations", json!({"filters": null}), "_relations.filters"),
        (
            "_relations",
            json!({"filters": "uuid1"}),
            "_relations.filters",
        ),
        (
            "_relations",
            json!({"filters": ["a", 1]}),
            "_relations.filters.1",
        ),
        (
            "_relations",
            json!({"filters": [""]}),
            "_relations.filters.0",
        ),
        (
            "_relations",
            json!({"finding": ["a", "b"]}),
            "_relations.finding",
        ),
        (
            "_relations",
            json!({"modules": [], "logmule_go_modules": []}),
            "_relations.logmule_go_modules",
        ),
    ];
    for (name, value, path) in wrong {
        let refused = create(&changed(&[(name, Some(value.clone()))]));
        let Err(refusal) = &refused else {
            panic!("{name} {value}");
        };
        let answer = refusal.to_json();
        assert_eq!(
            (answer["error"].as_str(), &answer["error_code"]),
            (Some("Bad Request"), &json!(400))
        );
        assert!(
            !answer["extra"]["fields"][0]["reason"]
                .as_str()
                .unwrap()
                .is_empty()
        );
        assert_eq!(paths(refused), [path], "{value}");
    }
}

#[test]
fn a_missing_program_is_the_usual_one_or_the_drawn_one() {
    assert!(DEFAULT_LUA.starts_with("local detection_windows = \"10m\"\nlocal create_incident"));
    assert!(DEFAULT_LUA.ends_with("--     on_grouped\n-- )"));
    for absent in [None, Some(Json::Null), Some(json!(""))] {
        assert_eq!(
            create(&changed(&[("lua", absent)])).unwrap().0.lua,
            DEFAULT_LUA
        );
    }
    let drawn = |constructor: bool, frontend: Json, lua: Option<Json>| {
        create(&changed(&[
            ("settings", Some(json!({"is_constructor": constructor}))),
            ("frontend_data", Some(frontend)),
            ("lua", lua),
        ]))
    };
    let good = json!({"version": 2});
    assert_eq!(
        drawn(true, good.clone(), None).unwrap().0.lua,
        "-- compiled"
    );
    assert_eq!(
        drawn(true, good.clone(), Some(Json::Null)).unwrap().0.lua,
        DEFAULT_LUA
    );
    assert_eq!(
        drawn(true, good.clone(), Some(json!("x"))).unwrap().0.lua,
        "x"
    );
    assert_eq!(drawn(true, Json::Null, None).unwrap().0.lua, DEFAULT_LUA);
    assert_eq!(
        drawn(false, json!({"version": 1}), None).unwrap().0.lua,
        DEFAULT_LUA
    );
    assert_eq!(
        paths(drawn(true, json!({}), None)),
        ["frontend_data.version"]
    );
    assert_eq!(
        drawn(true, good.clone(), None).unwrap().0.frontend_data,
        good
    );
}

#[test]
fn relations_are_absent_or_lists() {
    let read = |relations: Json| {
        create(&changed(&[("_relations", Some(relations))]))
            .unwrap()
            .1
    };
    assert_eq!(read(json!({})), Relations::default());
    let some =
        read(json!({"filters": ["b", "a", "b"], "logmule_go_modules": [], "finding": ["f"]}));
    assert_eq!(some.get(Relation::Filters).unwrap(), ["b", "a"]);
    assert_eq!(some.get(Relation::Modules).unwrap().len(), 0);
    assert_eq!(some.get(Relation::Finding).unwrap(), ["f"]);
    assert!(some.get(Relation::Results).is_none());
    // Relation fields of the body mean nothing.
    let body = changed(&[
        ("logmule_go_filters", Some(json!([{"id": "x"}]))),
        ("finding", Some(json!(1))),
    ]);
    let (rule, relations) = create(&body).unwrap();
    assert_eq!(relations, Relations::default());
    assert_eq!(
        (
            &rule.to_json()["logmule_go_filters"],
            &rule.to_json()["finding"]
        ),
        (&Json::Null, &Json::Null)
    );
}

#[test]
fn an_update_changes_what_it_names() {
    let (rule, _) = create(&example()).unwrap();
    let update = |body: Json| {
        with(true, |making| {
            rule.update(body.as_object().unwrap(), making)
        })
    };
    let (after, _) =
        update(json!({"name": "new", "stats": {"result_count": 9}, "is_error": 5})).unwrap();
    assert_eq!((after.name.as_str(), after.lua.as_str()), ("new", "string"));
    assert_eq!((after.stats, after.is_error), (rule.stats, 0));
    assert_eq!(
        (after.updated_at.as_str(), &after.created_at),
        ("2026-01-01T00:00:00Z", &rule.created_at)
    );
    // What was read may be sent back.
    let (after, _) = update(rule.to_json()).unwrap();
    assert_eq!(after.updated_at, "2026-01-01T00:00:00Z");
    let (after, _) = update(json!({"updated_at": "2025-01-01T00:00:00Z", "id": null})).unwrap();
    assert_eq!(
        (after.updated_at.as_str(), &after.id),
        ("2025-01-01T00:00:00Z", &rule.id)
    );
    assert_eq!(paths(update(json!({"id": "other"}))), ["id"]);
    assert_eq!(paths(update(json!({"name": null}))), ["name"]);
    assert_eq!(
        paths(update(json!({"active": 1, "lua": 2}))),
        ["active", "lua"]
    );
    assert_eq!(update(json!({"lua": ""})).unwrap().0.lua, DEFAULT_LUA);
    let drawn = json!({"settings": {"is_constructor": true}, "frontend_data": {"version": 2}});
    assert_eq!(update(drawn).unwrap().0.lua, "-- compiled");
}

#[test]
fn entities_are_read_likewise() {
    with(false, |making| {
        let make = |kind, body: Json| Entity::create(kind, body.as_object().unwrap(), making);
        let filter = make(
            EntityKind::Filter,
            json!({"name": "f", "expression": "a == 1"}),
        )
        .unwrap();
        assert_eq!(filter.to_json()["expression"], json!("a == 1"));
        assert!(make(EntityKind::Filter, json!({"name": "f"})).is_err());
        assert!(make(EntityKind::Module, json!({"name": "f", "content": 1})).is_err());
        let finding = make(EntityKind::Finding, json!({"name": "f", "id": "x"})).unwrap();
        assert!(finding.to_json().get("content").is_none());
        let change = json!({"description": "d"});
        let after = finding.update(change.as_object().unwrap(), making).unwrap();
        assert_eq!((after.id.as_str(), after.description.as_str()), ("x", "d"));
        assert!(
            finding
                .update(json!({"id": "y"}).as_object().unwrap(), making)
                .is_err()
        );
        let table = make(
            EntityKind::Table,
            json!({"name": "t", "values_scheme": [{"name": "c"}]}),
        )
        .unwrap();
        assert_eq!(table.to_json()["values_scheme"], json!([{"name": "c"}]));
        assert!(make(EntityKind::Table, json!({"name": "t", "values_scheme": 1})).is_err());
    });
}

#[test]
fn bodies_that_are_no_objects_are_refused() {
    let deep = format!("{{\"a\": {}{}}}", "[".repeat(500), "]".repeat(500));
    for bad in [
        &b""[..],
        b"[]",
        b"1",
        b"{",
        b"{} {}",
        b"{\"a\": NaN}",
        b"{\"a\": \"\xff\"}",
        b"{'a': 1}",
        deep.as_bytes(),
    ] {
        assert_eq!(read_body(bad).unwrap_err().status(), 400);
    }
    assert!(read_body(&vec![b' '; (16 << 20) + 1]).is_err());
    assert!(read_body("\u{feff}{}".as_bytes()).is_ok());
    let path = |body: &str| match read_body(body.as_bytes()) {
        Err(Refusal::Bad(reasons)) => reasons.into_iter().next().unwrap().path,
        other => panic!("{other:?}"),
    };
    assert_eq!(path(r#"{"a": 1, "b": {"a": 1}, "\u0061": 2}"#), "a");
    assert_eq!(path(r#"{"x": [1, {"k": [], "q": "k", "k": 2}]}"#), "x.1.k");
    assert_eq!(path(r#"{"x": [{}, {"y": ["a\u0000"]}]}"#), "x.1.y.0");
    assert_eq!(path(r#"{"x": {"\u0000": 1}}"#), "x.\\0");
    for good in [
        r#"{"a": {"a": ["a", "a"], "b": "a"}, "b": "\"a\":"}"#,
        r#"{"a\\": 1, "a": 2}"#,
    ] {
        read_body(good.as_bytes()).unwrap();
    }
}

fn anything() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        ".{0,8}".prop_map(Json::from),
        Just(json!("2023-12-20T00:00:01.652259Z")),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            prop::collection::vec(("[a-z_]{0,12}", inner), 0..4)
                .prop_map(|map| Json::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    /// Whatever stands in a field: the rule is refused with its path, or comes back with what was sent.
    #[test]
    fn hostile_fields_are_refused_or_kept(at in 0usize..18, value in anything()) {
        let name = example().keys().nth(at).unwrap().clone();
        match create(&changed(&[(&name, Some(value.clone()))])) {
            Err(Refusal::Bad(reasons)) => {
                prop_assert!(reasons.iter().all(|one| one.path.starts_with(&name)), "{:?}", reasons);
            }
            Err(other) => prop_assert!(false, "{:?}", other),
            Ok((rule, _)) => {
                let made = value.is_null() || name == "lua" || name == "stats";
                prop_assert!(made || rule.to_json()[&name] == value);
                // What is stored can be sent again.
                let again = rule.to_json();
                let (second, _) = create(again.as_object().unwrap()).unwrap();
                prop_assert_eq!(second, rule);
            }
        }
    }

    #[test]
    fn names_that_stand_twice_are_seen_and_others_are_not(value in anything()) {
        let body = json!({"x": value}).to_string();
        let refused = read_body(body.as_bytes()).is_err();
        // A map of serde holds no name twice; NUL is the only other reason.
        prop_assert_eq!(refused, body.contains("\\u0000"));
    }
}
