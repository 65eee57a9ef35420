//! The API of rules as an integrator meets it: every row of its tables, every error, every relation, who may do what.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use serde_json::{Value as Json, json};
use support::api::{ADMIN, Api, READER, RUNNER, WRITER};

const CREATE: &str = "/cruddy/v2/logmule_go_rules/create";
const RULES: &str = "/cruddy/v2/logmule_go_rules";

/// The request of the description, word for word.
const EXAMPLE: &str = r#"{
  "id": "uuid",
  "created_at": "2023-12-20T00:00:01.652259Z",
  "updated_at": "2023-12-20T00:00:01.652259Z",
  "trace_id": "uuid",
  "name": "string",
  "frontend_data": null,
  "test_data": [
    {}
  ],
  "settings": {
    "function_metrics": false,
    "is_constructor": false,
    "max_alerts": 1,
    "max_alerts_per_second": 1,
    "max_rule_memory_mb": 1
  },
  "active": true,
  "reload": true,
  "finding_id": "uuid",
  "description": "string",
  "lua": "string",
  "is_retro": false,
  "is_system": true,
  "stats": {
    "result_count": 1,
    "error_count": 0
  },
  "is_error": 0,
  "running_at": "2023-12-20T00:00:01.652259Z",
  "logmule_go_filters": null,
  "logmule_go_modules": null,
  "finding": null,
  "logmule_go_results": null
}"#;

/// What the visual constructor drew in the answer of the description.
const DRAWN: &str = r#"{
    "alert": {
      "id": "uuid",
      "trace_id": "uuid",
      "name": "string",
      "create_incident": true,
      "assign_to_customer": true,
      "risk_level": 5.35,
      "asset_ip": "string",
      "asset_hostname": "string",
      "asset_fqdn": "string",
      "asset_mac": "string",
      "first_and_last_logs": false,
      "trim_logs": 1,
      "template": "string",
      "mitre": ""
    },
    "grouper": {
      "id": "uuid",
      "trace_id": "uuid",
      "name": "string",
      "grouped_by": [
        "string"
      ],
      "aggregated_by": [
        "string"
      ],
      "grouped_time_field": "string",
      "grouped_time_type": "2023-12-20T00:00:01.652259Z",
      "detection_windows": 5,
      "detection_windows_unit": "ms",
      "aggregate_count": 1,
      "aggregate_unique": true
    },
    "actions": [
      {
        "TTL": "string",
        "key": {
          "_default": {
            "type": "value",
            "value": "string"
          }
        },
        "type": "store-set",
        "store": "string",
        "value": "string",
        "column": "string"
      }
    ],
    "conditions": [
      {
        "type": "compare-condition",
        "id": "uuid",
        "parentId": null,
        "negation": false,
        "compareFn": "eq",
        "expressions": [
          {
            "type": "logline-get",
            "value": "string"
          }
        ]
      }
    ],
    "version": 2
  }"#;

/// The least that a rule needs.
fn rule(name: &str) -> Json {
    json!({
        "name": name, "settings": {}, "active": false, "reload": true, "finding_id": "f", "description": "",
        "is_retro": false, "is_system": false,
    })
}

fn with(name: &str, more: Json) -> Json {
    let mut rule = rule(name);
    for (key, value) in more.as_object().unwrap() {
        rule[key] = value.clone();
    }
    rule
}

fn without(mut rule: Json, field: &str) -> Json {
    rule.as_object_mut().unwrap().shift_remove(field);
    rule
}

fn id(created: &Json) -> String {
    created["id"].as_str().unwrap().to_owned()
}

fn path(id: &str) -> String {
    format!("{RULES}/{id}")
}

fn is_uuid(value: &Json) -> bool {
    let text = value.as_str().unwrap();
    text.len() == 36 && text.split('-').map(str::len).eq([8, 4, 4, 4, 12])
}

#[test]
fn the_request_of_the_description_is_taken() {
    let api = Api::start(&[]);
    let sent: Json = serde_json::from_str(EXAMPLE).unwrap();
    let told = api.raw(CREATE, EXAMPLE.as_bytes());
    let answer = told.ok(201);
    assert_eq!(answer, sent);
    let fields: Vec<&String> = answer.as_object().unwrap().keys().collect();
    assert!(fields.starts_with(&[&"id".to_string(), &"created_at".to_string()]));
    // Its Lua is a word, which is no program: that is told beside the answer.
    let warning = told.header("warning").unwrap();
    assert!(
        warning.contains("lua: ") && warning.contains("line 1"),
        "{warning}"
    );
    assert_eq!(api.get(&path("uuid")).ok(200), sent);
    // The other way in is the same one.
    let extra = api
        .raw("/logmule_go_rules/create", EXAMPLE.as_bytes())
        .refused(409);
    assert_eq!(extra, json!({"fields": ["name", "id"]}));
    assert_eq!(api.get("/logmule_go_rules/uuid").ok(200), sent);
}

#[test]
fn a_rule_that_takes_no_events_is_stored_with_a_warning() {
    let api = Api::start(&[]);
    let lua = |id: &str, lua: &str| with(id, json!({"lua": lua}));
    let told = api.post(CREATE, &lua("none", "x = 1 -- on_logline"));
    let none = id(&told.ok(201));
    let warning = told.header("warning").unwrap();
    assert!(warning.contains("no function on_logline"), "{warning}");
    let good = "_G['on_logline'] = function(e) end";
    let told = api.post(CREATE, &lua("some", good));
    let some = id(&told.ok(201));
    assert!(told.header("warning").is_none(), "{}", told.head);
    // A module may have it.
    let module = json!({"id": "m", "name": "m", "content": "function on_logline(e) end"});
    api.post("/logmule_go_modules/create", &module).ok(201);
    let told = api.post(&path(&none), &json!({"_relations": {"modules": ["m"]}}));
    told.ok(200);
    assert!(told.header("warning").is_none(), "{}", told.head);
    let told = api.post(&path(&some), &json!({"lua": "y = 2"}));
    assert!(told.header("warning").is_some(), "{}", told.head);
}

#[test]
fn options_in_the_settings_are_checked_when_they_are_stored() {
    let api = Api::start(&[]);
    for (settings, paths) in [
        (
            json!({"options": {"when": "later", "time_ms": 5}}),
            vec!["settings.options.when"],
        ),
        (
            json!([{"options": {"wehn": "feed"}}]),
            vec!["settings.0.options.wehn"],
        ),
        (json!({"options": []}), vec!["settings.options"]),
        (
            json!({"max_alerts": "x", "options": {"clear": 1, "modules": {}, "memory_mb": -1}}),
            vec![
                "settings.max_alerts",
                "settings.options.clear",
                "settings.options.memory_mb",
            ],
        ),
    ] {
        let told = api.post(CREATE, &with("o", json!({"settings": settings})));
        assert_eq!(told.bad(), paths, "{settings}");
    }
    let body = with("o", json!({"settings": {"options": {"wehn": "feed"}}}));
    let told = api.post(CREATE, &body);
    let said = String::from_utf8_lossy(&told.body);
    assert!(said.contains("did you mean when?"), "{said}");
    let good =
        json!({"options": {"when": "batch", "clear": "all", "escapes": "drop", "time_ms": 20}});
    let told = api.post(CREATE, &with("o", json!({"settings": good})));
    let at = path(&id(&told.ok(201)));
    let wrong = json!({"settings": {"options": {"escapes": true}}});
    assert_eq!(api.post(&at, &wrong).bad(), ["settings.options.escapes"]);
    api.post(&at, &json!({"settings": {"options": null}}))
        .ok(200);
}

#[test]
fn what_was_drawn_comes_back_and_is_compiled() {
    let api = Api::start(&[]);
    let drawn: Json = serde_json::from_str(DRAWN).unwrap();
    let body = with(
        "drawn",
        json!({"frontend_data": drawn, "settings": {"is_constructor": true}}),
    );
    let told = api.post(CREATE, &body);
    let answer = told.ok(201);
    assert_eq!(answer["frontend_data"].to_string(), drawn.to_string());
    let lua = answer["lua"].as_str().unwrap();
    assert!(lua.contains("function on_logline"), "{lua}");
    assert!(told.header("warning").is_none(), "{:?}", told.head);
    // Without the flag, or with an empty or null lua, the default comes.
    let default = include_str!("../src/rule/model/default.lua");
    for (number, more) in [
        json!({"frontend_data": drawn}),
        json!({"frontend_data": drawn, "settings": {"is_constructor": true}, "lua": null}),
        json!({"frontend_data": drawn, "settings": [{"is_constructor": true}], "lua": ""}),
        json!({"settings": {"is_constructor": true}}),
    ]
    .into_iter()
    .enumerate()
    {
        let answer = api
            .post(CREATE, &with(&format!("default {number}"), more))
            .ok(201);
        assert_eq!(answer["lua"], default);
    }
    // What the constructor does not know is told with its place, and nothing is stored.
    let mut odd = body.clone();
    odd["name"] = json!("odd");
    odd["frontend_data"]["conditions"][0]["compareFn"] = json!("resembles");
    let told = api.post(CREATE, &odd);
    assert_eq!(told.bad(), ["frontend_data.conditions[0].compareFn"]);
    assert_eq!(api.count(&format!("{RULES}?text=odd")), 0);
}

#[test]
fn what_is_missing_is_made_or_refused() {
    let api = Api::start(&[]);
    let answer = api.post(CREATE, &rule("least")).ok(201);
    for field in ["id", "trace_id"] {
        assert!(is_uuid(&answer[field]), "{answer}");
    }
    for field in ["created_at", "updated_at", "running_at"] {
        assert!(chrono::DateTime::parse_from_rfc3339(answer[field].as_str().unwrap()).is_ok());
    }
    assert_eq!(answer["is_error"], 0);
    assert_eq!(
        answer["stats"],
        json!({"result_count": 0, "error_count": 0})
    );
    for field in [
        "frontend_data",
        "test_data",
        "logmule_go_filters",
        "logmule_go_modules",
        "logmule_go_results",
        "finding",
    ] {
        assert_eq!(answer.get(field), Some(&Json::Null), "{field}");
    }
    let nulls = json!({"id": null, "created_at": null, "updated_at": null, "trace_id": null, "running_at": null, "is_error": null});
    assert!(is_uuid(
        &api.post(CREATE, &with("nulls", nulls)).ok(201)["id"]
    ));
    for field in [
        "name",
        "settings",
        "active",
        "reload",
        "finding_id",
        "description",
        "is_retro",
        "is_system",
    ] {
        let mut null = rule("missing");
        null[field] = Json::Null;
        assert_eq!(api.post(CREATE, &null).bad(), [field]);
        assert_eq!(
            api.post(CREATE, &without(rule("missing"), field)).bad(),
            [field]
        );
    }
    // All that is wrong is told at once.
    assert_eq!(api.raw(CREATE, b"{}").bad().len(), 8);
    assert_eq!(api.count(RULES), 2);
}

/// Each row of the tables: what fits comes back, what does not is refused with its path.
#[test]
fn every_field_is_checked() {
    let api = Api::start(&[]);
    let time = "2023-12-20T00:00:01.652259+03:00";
    let rows = [
        (
            "id",
            vec![json!("an id"), json!("x/y?z#%20"), json!("идентификатор")],
            vec![json!(1), json!(""), json!({}), json!("create")],
        ),
        (
            "created_at",
            vec![json!(time)],
            vec![
                json!("yesterday"),
                json!(1_700_000_000),
                json!("2023-13-20T00:00:01Z"),
            ],
        ),
        ("updated_at", vec![json!(time)], vec![json!(""), json!([])]),
        (
            "trace_id",
            vec![json!("t"), json!("")],
            vec![json!(7), json!(true)],
        ),
        (
            "name",
            vec![json!("Имя \u{1F600}")],
            vec![json!(""), json!(" "), json!(5), json!("n".repeat(1025))],
        ),
        (
            "frontend_data",
            vec![json!({"any": [1.50, null]}), json!(null)],
            vec![json!("x"), json!([]), json!(1)],
        ),
        (
            "test_data",
            vec![json!([{"a": 1}]), json!([]), json!(null)],
            vec![json!({}), json!("x")],
        ),
        (
            "settings",
            vec![json!({}), json!([{"max_alerts": 3}]), json!({"other": 1})],
            vec![json!([]), json!([{}, {}]), json!("x"), json!(1)],
        ),
        (
            "active",
            vec![json!(true), json!(false)],
            vec![json!(1), json!("true")],
        ),
        ("reload", vec![json!(false)], vec![json!(0), json!("no")]),
        (
            "finding_id",
            vec![json!("x"), json!("")],
            vec![json!(1), json!({})],
        ),
        (
            "description",
            vec![json!("Описание\n\"'"), json!("")],
            vec![json!(1), json!([])],
        ),
        ("lua", vec![json!("x = 1\r\n")], vec![json!(1), json!({})]),
        ("is_retro", vec![json!(true)], vec![json!("x"), json!(1)]),
        ("is_system", vec![json!(true)], vec![json!("x"), json!([])]),
        (
            "stats",
            vec![json!({"result_count": 5, "error_count": 6})],
            vec![json!([]), json!("x")],
        ),
        (
            "is_error",
            vec![json!(7)],
            vec![json!("x"), json!(1.5), json!(-1), json!(true)],
        ),
        (
            "running_at",
            vec![json!(time)],
            vec![json!(1), json!("now")],
        ),
    ];
    let mut number = 0;
    for (field, good, bad) in rows {
        for value in good {
            number += 1;
            let sent = with(&format!("good {number}"), json!({field: value}));
            let answer = api.post(CREATE, &sent).ok(201);
            assert_eq!(answer[field].to_string(), value.to_string(), "{field}");
            let stored = api.get(&format!("{RULES}?limit=1000")).ok(200);
            let items = stored["items"].as_array().unwrap();
            assert!(items.contains(&answer), "{answer}");
        }
        for value in bad {
            let told = api.post(CREATE, &with("bad", json!({field: value})));
            assert_eq!(told.bad(), [field], "{value}");
        }
    }
    for (path, value) in [
        ("settings.function_metrics", json!(1)),
        ("settings.is_constructor", json!("x")),
        ("settings.max_alerts", json!(-1)),
        ("settings.max_alerts_per_second", json!(1.5)),
        ("settings.max_rule_memory_mb", json!("1")),
        ("stats.result_count", json!("1")),
        ("stats.error_count", json!(-1)),
    ] {
        let (outer, inner) = path.split_once('.').unwrap();
        let told = api.post(CREATE, &with("bad", json!({outer: {inner: value}})));
        assert_eq!(told.bad(), [path]);
    }
    let told = api.post(CREATE, &with("bad", json!({"test_data": [{}, 1, "x"]})));
    assert_eq!(told.bad(), ["test_data.1", "test_data.2"]);
    assert_eq!(api.count(RULES), number);
    // What relations are is not looked at in the body.
    let ignored = json!({"logmule_go_filters": [{"id": "x"}], "logmule_go_modules": 5, "finding": "x", "logmule_go_results": {}});
    let answer = api.post(CREATE, &with("ignored", ignored)).ok(201);
    for field in [
        "logmule_go_filters",
        "logmule_go_modules",
        "finding",
        "logmule_go_results",
    ] {
        assert_eq!(answer[field], Json::Null);
    }
}

#[test]
fn settings_come_back_as_they_were_sent() {
    let api = Api::start(&[]);
    for (name, settings) in [
        ("object", json!({"max_alerts": 1, "unknown": {"a": [1e2]}})),
        (
            "list",
            json!([{"function_metrics": true, "max_rule_memory_mb": 64}]),
        ),
    ] {
        let answer = api
            .post(CREATE, &with(name, json!({"settings": settings})))
            .ok(201);
        assert_eq!(answer["settings"].to_string(), settings.to_string());
        assert_eq!(
            api.get(&path(&id(&answer))).ok(200)["settings"].to_string(),
            settings.to_string()
        );
    }
}

#[test]
fn strict_servers_demand_every_field() {
    for (config, arguments) in [
        ("", &["--strict-api"][..]),
        ("", &["--set", "serve.strict_api=true"][..]),
    ] {
        let api = Api::with(support::Home::new(), config, arguments);
        let whole: Json = serde_json::from_str(EXAMPLE).unwrap();
        for field in [
            "id",
            "created_at",
            "updated_at",
            "trace_id",
            "is_error",
            "running_at",
            "name",
            "settings",
            "active",
            "reload",
            "finding_id",
            "description",
            "is_retro",
            "is_system",
        ] {
            assert_eq!(
                api.post(CREATE, &without(whole.clone(), field)).bad(),
                [field]
            );
        }
        let answer = api.post(CREATE, &without(whole.clone(), "lua")).ok(201);
        assert!(
            answer["lua"]
                .as_str()
                .unwrap()
                .starts_with("local detection_windows = \"10m\"")
        );
        for field in ["frontend_data", "test_data", "stats"] {
            let mut optional = without(whole.clone(), field);
            optional["id"] = json!(field);
            optional["name"] = json!(field);
            api.post(CREATE, &optional).ok(201);
        }
    }
}

#[test]
fn names_and_identifiers_are_used_once() {
    let api = Api::start(&[]);
    api.post(CREATE, &with("one", json!({"id": "1"}))).ok(201);
    api.post(CREATE, &with("two", json!({"id": "2"}))).ok(201);
    let name = api.post(CREATE, &rule("one"));
    assert_eq!(
        name.ok(409),
        json!({"error": "name_already_used", "error_code": 409, "extra": {"fields": ["name"]}})
    );
    let same = api.post(CREATE, &with("three", json!({"id": "1"})));
    assert_eq!(same.refused(409), json!({"fields": ["id"]}));
    assert_eq!(same.ok(409)["error"], "name_already_used");
    assert_eq!(
        api.post(CREATE, &with("two", json!({"id": "1"})))
            .refused(409),
        json!({"fields": ["name", "id"]})
    );
    assert_eq!(
        api.post(&path("2"), &json!({"name": "one"})).refused(409),
        json!({"fields": ["name"]})
    );
    assert_eq!(api.get(&path("2")).ok(200)["name"], "two");
    assert_eq!(api.count(RULES), 2);
    for (list, field) in [
        ("logmule_go_filters", "expression"),
        ("logmule_go_modules", "content"),
        ("findings", "x"),
        ("tables", "x"),
    ] {
        let body = json!({"id": "1", "name": "one", field: "x = 1"});
        let body = if list == "logmule_go_filters" {
            json!({"id": "1", "name": "one", field: "x == 1"})
        } else {
            body
        };
        let create = format!("/cruddy/v2/{list}/create");
        api.post(&create, &body).ok(201);
        assert_eq!(
            api.post(&create, &body).refused(409),
            json!({"fields": ["name", "id"]})
        );
    }
}

/// Two filters, a module and a finding.
fn parts(api: &Api) {
    for (list, id, program) in [
        ("logmule_go_filters", "f1", json!({"expression": "a == 1"})),
        (
            "logmule_go_filters",
            "f2",
            json!({"expression": "EXISTS(b)"}),
        ),
        (
            "logmule_go_modules",
            "m1",
            json!({"content": "function shout(s) return s:upper() end"}),
        ),
        ("findings", "i1", json!({"description": "Brute force"})),
        ("findings", "i2", json!({})),
    ] {
        let mut body = program;
        body["id"] = json!(id);
        body["name"] = json!(format!("name of {id}"));
        api.post(&format!("/cruddy/v2/{list}/create"), &body)
            .ok(201);
    }
}

#[test]
fn relations_become_what_is_said() {
    let api = Api::start(&[]);
    parts(&api);
    let relations = |id: &str| api.get(&format!("{}/relations", path(id))).ok(200);
    let nothing = json!({"filters": [], "modules": [], "finding": []});
    let all =
        json!({"filters": ["f2", "f1", "f2"], "modules": ["m1"], "finding": ["i1"], "results": []});
    let answer = api
        .post(CREATE, &with("all", json!({"id": "a", "_relations": all})))
        .ok(201);
    assert!(answer.get("_relations").is_none());
    assert_eq!(answer["logmule_go_filters"], Json::Null);
    assert_eq!(
        relations("a"),
        json!({"filters": ["f2", "f1"], "modules": ["m1"], "finding": ["i1"]})
    );
    // Not there: they stay. A list: it becomes that. An empty one: none.
    api.post(&path("a"), &json!({"description": "new"})).ok(200);
    api.post(&path("a"), &json!({"_relations": {}})).ok(200);
    api.post(&path("a"), &json!({"_relations": null})).ok(200);
    assert_eq!(relations("a")["filters"], json!(["f2", "f1"]));
    api.by(
        ADMIN,
        "PUT",
        &path("a"),
        &json!({"_relations": {"filters": ["f1"]}}),
    )
    .ok(200);
    assert_eq!(
        relations("a"),
        json!({"filters": ["f1"], "modules": ["m1"], "finding": ["i1"]})
    );
    api.post(
        &path("a"),
        &json!({"_relations": {"logmule_go_filters": [], "finding": ["i2"]}}),
    )
    .ok(200);
    assert_eq!(
        relations("a"),
        json!({"filters": [], "modules": ["m1"], "finding": ["i2"]})
    );
    // Full names do as well.
    let full = json!({"logmule_go_filters": ["f1"], "logmule_go_modules": ["m1"], "logmule_go_results": [], "finding": []});
    api.post(
        CREATE,
        &with("full", json!({"id": "b", "_relations": full})),
    )
    .ok(201);
    assert_eq!(
        relations("b"),
        json!({"filters": ["f1"], "modules": ["m1"], "finding": []})
    );
    let usage = api.get("/logmule_go_filters/f1/rules").ok(200);
    assert_eq!(
        usage,
        json!({"items": [{"id": "b", "name": "full"}], "total": 1})
    );
    // What is unknown is refused, and nothing of the request is done.
    for (wrong, paths) in [
        (
            json!({"filters": ["f1", "nowhere"]}),
            vec!["_relations.filters.1"],
        ),
        (
            json!({"modules": ["f1"], "finding": ["x"]}),
            vec!["_relations.modules.0", "_relations.finding.0"],
        ),
        (json!({"results": ["r"]}), vec!["_relations.results.0"]),
        (json!({"colours": []}), vec!["_relations.colours"]),
        (json!({"filters": "f1"}), vec!["_relations.filters"]),
        (json!({"filters": null}), vec!["_relations.filters"]),
        (json!({"filters": [1]}), vec!["_relations.filters.0"]),
        (
            json!({"filters": [], "logmule_go_filters": []}),
            vec!["_relations.logmule_go_filters"],
        ),
        (json!({"finding": ["i1", "i2"]}), vec!["_relations.finding"]),
        (json!([]), vec!["_relations"]),
    ] {
        let told = api.post(
            CREATE,
            &with("wrong", json!({"id": "w", "_relations": wrong})),
        );
        assert_eq!(told.bad(), paths, "{wrong}");
        let told = api.post(
            &path("b"),
            &json!({"description": "wrong", "_relations": wrong}),
        );
        assert_eq!(told.bad(), paths, "{wrong}");
    }
    api.get(&path("w")).refused(404);
    assert_eq!(api.get(&path("b")).ok(200)["description"], "");
    assert_eq!(
        relations("b"),
        json!({"filters": ["f1"], "modules": ["m1"], "finding": []})
    );
    assert_eq!(relations("a")["filters"], nothing["filters"]);
    // What is removed is in no rule any more.
    api.delete("/logmule_go_modules/m1").ok(200);
    assert_eq!(relations("b")["modules"], json!([]));
}

#[test]
fn rules_are_read_listed_changed_and_removed() {
    let api = Api::start(&[]);
    for number in 0..25 {
        let more = json!({"id": format!("r{number:02}"), "active": number % 2 == 0, "is_retro": number % 5 == 0,
            "description": if number == 7 { "Über 100% \\_x" } else { "" }});
        api.post(CREATE, &with(&format!("Rule {number:02}"), more))
            .ok(201);
    }
    let page = |query: &str| api.get(&format!("{RULES}?{query}")).ok(200);
    let names =
        |page: &Json| -> Vec<String> { page["items"].as_array().unwrap().iter().map(id).collect() };
    let first = page("limit=10");
    assert_eq!(
        (
            first["total"].clone(),
            first["offset"].clone(),
            first["limit"].clone(),
            first["next"].clone()
        ),
        (json!(25), json!(0), json!(10), json!(10))
    );
    let mut all = names(&first);
    let mut next = first["next"].clone();
    while !next.is_null() {
        let more = page(&format!("limit=10&offset={next}"));
        all.extend(names(&more));
        next = more["next"].clone();
    }
    assert_eq!(all, (0..25).map(|n| format!("r{n:02}")).collect::<Vec<_>>());
    assert_eq!(names(&page("")), all);
    assert_eq!(page("active=true")["total"], 13);
    assert_eq!(page("active=false&retro=true")["total"], 2);
    assert_eq!(names(&page("text=RULE%2007")), ["r07"]);
    assert_eq!(names(&page("text=%C3%BCBER%20100%25%20%5C_x")), ["r07"]);
    assert_eq!(page("text=%25")["total"], 1);
    assert_eq!(api.get(&format!("{RULES}?text=%00")).bad(), ["text"]);
    assert_eq!(
        page("limit=0"),
        json!({"items": [], "total": 25, "offset": 0, "limit": 0, "next": null})
    );
    assert_eq!(page("offset=1000")["items"], json!([]));
    for (query, path) in [
        ("limit=1001", "limit"),
        ("limit=-1", "limit"),
        ("offset=x", "offset"),
        ("active=maybe", "active"),
        ("lmit=1", "lmit"),
        ("limit=1&limit=2", "limit"),
    ] {
        assert_eq!(api.get(&format!("{RULES}?{query}")).bad(), [path]);
    }
    assert!(
        api.get(&format!("{RULES}?lmit=1"))
            .reasons()
            .contains("did you mean limit?")
    );
    // Changing.
    let before = api.get(&path("r03")).ok(200);
    let after = api
        .post(
            &path("r03"),
            &json!({"name": "Renamed", "lua": "x = 2", "reload": false}),
        )
        .ok(200);
    assert_eq!(
        (&after["name"], &after["lua"], &after["reload"]),
        (&json!("Renamed"), &json!("x = 2"), &json!(false))
    );
    assert_eq!(after["created_at"], before["created_at"]);
    assert_ne!(after["updated_at"], before["updated_at"]);
    assert_eq!(api.get(&path("r03")).ok(200), after);
    assert_eq!(
        api.by(ADMIN, "PUT", &path("r03"), &before).ok(200)["name"],
        "Rule 03"
    );
    for (body, path_) in [
        (json!({"active": 1}), "active"),
        (json!({"id": "other"}), "id"),
        (json!({"name": null}), "name"),
        (json!({"settings": []}), "settings"),
    ] {
        assert_eq!(api.post(&path("r03"), &body).bad(), [path_]);
    }
    let lua = api.post(&path("r03"), &json!({"lua": "x = = 1"}));
    assert!(
        lua.header("warning").unwrap().contains("line 1, column"),
        "{}",
        lua.head
    );
    // Activating.
    assert_eq!(
        api.post(&format!("{}/activate", path("r03")), &Json::Null)
            .ok(200)["active"],
        true
    );
    assert_eq!(page("active=true")["total"], 14);
    assert_eq!(
        api.post(&format!("{}/deactivate", path("r03")), &Json::Null)
            .ok(200)["active"],
        false
    );
    assert_eq!(api.get(&path("r03")).ok(200)["active"], false);
    assert_eq!(
        api.get(&format!("{}/results", path("r03"))).ok(200),
        json!({"items": [], "total": 0, "offset": 0, "limit": 100, "next": null})
    );
    // Removing.
    assert_eq!(id(&api.delete(&path("r03")).ok(200)), "r03");
    for (method, end) in [
        ("GET", ""),
        ("DELETE", ""),
        ("GET", "/results"),
        ("GET", "/relations"),
        ("POST", "/activate"),
    ] {
        let told = api.by(ADMIN, method, &format!("{}{end}", path("r03")), &Json::Null);
        assert!(
            told.refused(404)["reason"]
                .as_str()
                .unwrap()
                .contains("r03")
        );
    }
    api.post(&path("r03"), &json!({"name": "x"})).refused(404);
    assert_eq!(api.count(RULES), 24);
}

#[test]
fn filters_modules_and_findings_are_entities() {
    let api = Api::start(&[]);
    let filters = "/cruddy/v2/logmule_go_filters";
    let made = api.post(&format!("{filters}/create"), &json!({"name": "web", "expression": "IN_SUBNET(ip, '10.0.0.0/8') and port == 80", "description": "d"})).ok(201);
    let keys: Vec<&String> = made.as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        [
            "id",
            "created_at",
            "updated_at",
            "trace_id",
            "name",
            "description",
            "expression"
        ]
    );
    let one = format!("{filters}/{}", id(&made));
    assert_eq!(api.get(&one).ok(200), made);
    assert_eq!(api.get(&one.replace("/cruddy/v2", "")).ok(200), made);
    assert_eq!(
        api.get(&format!("{filters}?text=WEB")).ok(200)["items"],
        json!([made])
    );
    // Expressions are compiled before they are stored.
    for (wrong, word) in [
        ("a ==", "column"),
        ("NO_SUCH_FUNCTION(a)", "NO_SUCH_FUNCTION"),
        ("TO_UPPERR(a)", "did you mean TO_UPPER"),
        ("IN_SUBNET(a)", "IN_SUBNET"),
    ] {
        let told = api.post(
            &format!("{filters}/create"),
            &json!({"name": "bad", "expression": wrong}),
        );
        assert_eq!(told.bad(), ["expression"]);
        assert!(told.reasons().contains(word), "{}", told.reasons());
        assert_eq!(
            api.post(&one, &json!({"expression": wrong})).bad(),
            ["expression"]
        );
    }
    assert_eq!(
        api.post(&format!("{filters}/create"), &json!({"name": "bad"}))
            .bad(),
        ["expression"]
    );
    assert_eq!(api.get(&one).ok(200), made);
    assert_eq!(
        api.post(&one, &json!({"expression": "port == 81"})).ok(200)["expression"],
        "port == 81"
    );
    // Modules are read before they are stored.
    let modules = "/cruddy/v2/logmule_go_modules";
    let told = api.post(
        &format!("{modules}/create"),
        &json!({"name": "m", "content": "x = 1\nfunction ("}),
    );
    assert_eq!(told.bad(), ["content"]);
    assert!(told.reasons().contains("line 2"), "{}", told.reasons());
    api.post(
        &format!("{modules}/create"),
        &json!({"name": "m", "content": "return {a = 1}"}),
    )
    .ok(201);
    assert_eq!(api.count(modules), 1);
    // Findings have nothing to run.
    let made = api
        .post("/findings/create", &json!({"id": "i", "name": "n"}))
        .ok(201);
    assert_eq!(made.as_object().unwrap().len(), 6);
    assert_eq!(
        api.by(
            ADMIN,
            "PUT",
            "/cruddy/v2/findings/i",
            &json!({"description": "d"})
        )
        .ok(200)["description"],
        "d"
    );
    assert_eq!(id(&api.delete("/cruddy/v2/findings/i").ok(200)), "i");
    api.get("/findings/i").refused(404);
    api.delete("/findings/i").refused(404);
    api.post("/findings/i", &json!({"description": "d"}))
        .refused(404);
}

#[test]
fn rights_are_respected() {
    let api = Api::start(&[]);
    parts(&api);
    api.post(
        CREATE,
        &with(
            "system",
            json!({"id": "s", "is_system": true, "_relations": {"filters": ["f1"]}}),
        ),
    )
    .ok(201);
    api.post(CREATE, &with("plain", json!({"id": "p"}))).ok(201);
    let no = Json::Null;
    let activate = format!("{}/activate", path("s"));
    let sent = rule("new");
    let refused = |told: support::api::Told, status: u16, word: &str| {
        let extra = told.refused(status);
        assert!(extra["reason"].as_str().unwrap().contains(word), "{extra}");
    };
    // Without credentials, or with wrong ones, nobody is let in, in the shape of the API.
    for headers in ["", "Authorization: Bearer wrong\r\n"] {
        let told = api.send("POST", CREATE, headers, sent.to_string().as_bytes());
        assert_eq!(told.ok(401)["error"], "Unauthorized");
        refused(told, 401, "");
        refused(api.send("GET", "/findings", headers, b""), 401, "");
    }
    refused(
        api.by(READER, "POST", CREATE, &sent),
        403,
        "reader may not write",
    );
    refused(api.by(READER, "DELETE", &path("p"), &no), 403, "write");
    refused(
        api.by(READER, "POST", "/tables/create", &json!({"name": "t"})),
        403,
        "write",
    );
    refused(api.by(RUNNER, "GET", &path("p"), &no), 403, "read");
    api.by(READER, "GET", &path("p"), &no).ok(200);
    api.by(READER, "GET", RULES, &no).ok(200);
    // Rules of the system, and what they are made of, are for administrators.
    let admin = "admin";
    refused(
        api.by(
            WRITER,
            "POST",
            CREATE,
            &with("x", json!({"is_system": true})),
        ),
        403,
        admin,
    );
    refused(
        api.by(WRITER, "POST", &path("s"), &json!({"description": "x"})),
        403,
        admin,
    );
    refused(
        api.by(WRITER, "POST", &path("s"), &json!({"is_system": false})),
        403,
        admin,
    );
    refused(
        api.by(WRITER, "POST", &path("p"), &json!({"is_system": true})),
        403,
        admin,
    );
    refused(api.by(WRITER, "DELETE", &path("s"), &no), 403, admin);
    refused(api.by(WRITER, "POST", &activate, &no), 403, admin);
    refused(
        api.by(
            WRITER,
            "POST",
            "/logmule_go_filters/f1",
            &json!({"description": "x"}),
        ),
        403,
        admin,
    );
    refused(
        api.by(WRITER, "DELETE", "/logmule_go_filters/f1", &no),
        403,
        admin,
    );
    assert_eq!(api.get(&path("s")).ok(200)["active"], false);
    api.by(
        WRITER,
        "POST",
        "/logmule_go_filters/f2",
        &json!({"description": "x"}),
    )
    .ok(200);
    api.by(WRITER, "POST", &path("p"), &json!({"description": "x"}))
        .ok(200);
    api.by(WRITER, "POST", CREATE, &sent).ok(201);
    api.post(&path("s"), &json!({"description": "x"})).ok(200);
    api.post(&activate, &no).ok(200);
    api.delete(&path("s")).ok(200);
}

#[test]
fn the_frame_refuses_in_the_shape_of_the_api() {
    let api = Api::start(&["--set", "serve.body=20000"]);
    let long = with("long", json!({"description": "x".repeat(30_000)}));
    assert_eq!(
        api.post(CREATE, &long).refused(413)["fields"][0]["reason"],
        "a body has at most 20000 bytes"
    );
    for (method, path, status) in [
        ("GET", CREATE, 405),
        ("PATCH", "/logmule_go_rules/x", 405),
        ("POST", "/findings", 405),
        ("GET", "/cruddy/v2/nothing", 404),
        ("GET", "/cruddy/v3/logmule_go_rules", 404),
        ("GET", "/tables/a/b/c/d/e", 404),
        ("GET", "/logmule_go_rules/", 404),
        ("GET", "/logmule_go_rules/%ff", 404),
        ("GET", "/logmule_go_rules/a%00b", 404),
        ("POST", "/logmule_go_rules/a%00b/activate", 404),
        ("DELETE", "/logmule_go_rules/a%00b", 404),
    ] {
        let told = api.by(ADMIN, method, path, &Json::Null);
        assert!(
            told.refused(status)["reason"].is_string(),
            "{method} {path}"
        );
    }
    // Elsewhere the server's own shape stays.
    assert_eq!(api.get("/nothing").ok(404)["status"], 404);
    assert_eq!(api.count(RULES), 0);
}

#[test]
fn any_content_type_is_read_as_json() {
    let api = Api::start(&[]);
    for (number, kind) in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/json; charset=utf-8",
        "image/png",
        "",
    ]
    .iter()
    .enumerate()
    {
        let headers = match kind.is_empty() {
            true => format!("Authorization: Bearer {ADMIN}\r\n"),
            false => format!("Authorization: Bearer {ADMIN}\r\nContent-Type: {kind}\r\n"),
        };
        let body = rule(&format!("rule {number}")).to_string();
        api.send("POST", CREATE, &headers, body.as_bytes()).ok(201);
        // A mark of the byte order does not matter either.
        let body = format!("\u{feff}{}", rule(&format!("marked {number}")));
        api.send("POST", CREATE, &headers, body.as_bytes()).ok(201);
    }
}

const WATCHES: &str = r#"
local seen = storage.new("seen")
function on_logline(e)
    log("at " .. e:gets("n"))
    if seen:get(e:gets("n"), "x") == nil then
        seen:set(e:gets("n"), "x", e:gets("n"))
        alert({template = "first " .. e:gets("n") .. shout("!"), logs = {e}, risk_level = 5.5})
    end
end
"#;

#[test]
fn rules_are_run_over_posted_events() {
    let api = Api::start(&[]);
    api.post(
        "/logmule_go_filters/create",
        &json!({"id": "f", "name": "f", "expression": "n > 1"}),
    )
    .ok(201);
    api.post(
        "/logmule_go_modules/create",
        &json!({"id": "m", "name": "m", "content": "function shout(s) return s .. s end"}),
    )
    .ok(201);
    api.post("/tables/create", &json!({"id": "t", "name": "seen"}))
        .ok(201);
    api.by(
        ADMIN,
        "PUT",
        "/tables/t/rows/3",
        &json!({"cells": {"x": "3"}}),
    )
    .ok(200);
    let more = json!({"id": "r", "lua": WATCHES, "test_data": [{"n": 5}], "_relations": {"filters": ["f"], "modules": ["m"]}});
    api.post(CREATE, &with("watches", more)).ok(201);
    let run = format!("{}/run", path("r"));
    let events = json!([{"n": 1}, {"n": 2}, {"n": 3}, {"n": 2}, {"n": 4}]);
    let report = api.post(&run, &events).ok(200);
    assert_eq!(
        (&report["events"], &report["filtered"]),
        (&json!(5), &json!(1)),
        "{report}"
    );
    let told = |report: &Json, what: &str| -> Vec<(i64, String)> {
        let list = report[what].as_array().unwrap().iter();
        list.map(|one| {
            (
                one["event"].as_i64().unwrap(),
                one["text"].as_str().unwrap().to_owned(),
            )
        })
        .collect()
    };
    assert_eq!(
        told(&report, "alerts"),
        [(1, "first 2!!".to_owned()), (4, "first 4!!".to_owned())]
    );
    assert_eq!(told(&report, "logs").len(), 4);
    assert_eq!(report["alerts"][0]["logs"], json!([{"n": 2}]));
    assert_eq!(report["errors"], json!([]));
    // The same once more: nothing of it was kept.
    let again = api.post(&run, &json!({"events": events})).ok(200);
    assert_eq!(told(&again, "alerts"), told(&report, "alerts"));
    assert_eq!(api.count("/tables/t/rows"), 1);
    assert_eq!(api.count(&format!("{}/results", path("r"))), 0);
    assert_eq!(
        api.get(&path("r")).ok(200)["stats"],
        json!({"result_count": 0, "error_count": 0})
    );
    // Without events: its own. With options: its limits.
    assert_eq!(
        told(&api.post(&run, &Json::Null).ok(200), "alerts"),
        [(0, "first 5!!".to_owned())]
    );
    assert_eq!(
        api.by(RUNNER, "POST", &run, &json!([])).ok(200)["events"],
        0
    );
    api.by(READER, "POST", &run, &json!([])).refused(403);
    for (body, path) in [
        (json!([1]), "events.0"),
        (json!({"events": {}}), "events"),
        (json!({"event": []}), "event"),
        (json!({"options": {"when": "never"}}), "options"),
        (json!({"options": 1}), "options"),
        (json!(7), ""),
    ] {
        assert_eq!(api.post(&run, &body).bad(), [path], "{body}");
    }
    assert_eq!(api.raw(&run, b"[{\"a\": 1, \"a\": 2}]").bad(), ["0.a"]);
    api.post(&format!("{}/run", path("nobody")), &json!([]))
        .refused(404);
    // What cannot be loaded says where; what fails is told and hurts nobody.
    api.post(&path("r"), &json!({"lua": "\nx = = 1"})).ok(200);
    let told = api.post(&run, &events);
    assert_eq!(told.bad(), ["lua"]);
    assert!(told.reasons().contains("line 2"), "{}", told.reasons());
    let endless = "function on_logline(e) if e:gets('n') == '2' then while true do end end alert({template = 'x'}) end";
    api.post(&path("r"), &json!({"lua": endless})).ok(200);
    let report = api.post(&run, &events).ok(200);
    assert_eq!(report["errors"].as_array().unwrap().len(), 2, "{report}");
    assert!(
        report["errors"][0]["text"]
            .as_str()
            .unwrap()
            .contains("stopped"),
        "{report}"
    );
    assert_eq!(report["alerts"].as_array().unwrap().len(), 2);
    // Who floods is refused, not served without end.
    let flood = "local t = ('x'):rep(500000) function on_logline(e) alert({template = t}) end";
    api.post(
        &path("r"),
        &json!({"lua": flood, "_relations": {"filters": []}}),
    )
    .ok(200);
    let many = json!({"events": vec![json!({"n": 9}); 200], "options": {"time_ms": 5000}});
    let told = api.post(&run, &many);
    assert_eq!(told.status, 400);
    assert_eq!(told.bad(), ["events"]);
}

#[test]
fn what_takes_too_long_ends() {
    let api = Api::start(&["--set", "serve.time=1s"]);
    let slow = "function on_logline(e) local x = 0 for i = 1, 100000 do x = x + i end log(x) end";
    api.post(CREATE, &with("slow", json!({"id": "r", "lua": slow})))
        .ok(201);
    let many = json!(vec![json!({"n": 9}); 60_000]);
    let told = api.post(&format!("{}/run", path("r")), &many);
    assert_eq!(told.refused(504)["reason"], "this took longer than allowed");
    api.get(&path("r")).ok(200);
}

#[test]
fn table_lists_have_rows() {
    let api = Api::start(&[]);
    let tables = "/cruddy/v2/tables";
    let scheme = json!([{"name": "user", "type": "string"}]);
    let made = api
        .post(
            &format!("{tables}/create"),
            &json!({"id": "t", "name": "users", "values_scheme": scheme}),
        )
        .ok(201);
    assert_eq!(made["values_scheme"], scheme);
    let rows = format!("{tables}/t/rows");
    let row = |key: &str| format!("{rows}/{key}");
    let put = |key: &str, body: Json| api.by(ADMIN, "PUT", &row(key), &body);
    assert_eq!(
        put(
            "kim",
            json!({"cells": {"user": "Kim", "n": 1.25, "deep": {"a": [null]}}})
        )
        .ok(200)["key"],
        "kim"
    );
    let one = api.get(&row("kim")).ok(200);
    assert_eq!(
        one.to_string(),
        r#"{"key":"kim","cells":{"user":"Kim","n":1.25,"deep":{"a":[null]}},"until":null}"#
    );
    // A row is written as a whole; what was read can be sent back.
    put("kim", json!({"cells": {"b": 1}})).ok(200);
    assert_eq!(api.get(&row("kim")).ok(200)["cells"], json!({"b": 1}));
    put("kim", one.clone()).ok(200);
    assert_eq!(api.get(&row("kim")).ok(200), one);
    put(
        "a%2Fb%20%D1%91",
        json!({"cells": {}, "until": "2100-01-01T00:00:00+01:00"}),
    )
    .ok(200);
    assert_eq!(
        api.get(&row("a%2Fb%20%D1%91")).ok(200),
        json!({"key": "a/b ё", "cells": {}, "until": "2099-12-31T23:00:00.000Z"})
    );
    put("old", json!({"cells": {}, "until": "2000-01-01T00:00:00Z"})).ok(200);
    api.get(&row("old")).refused(404);
    put("soon", json!({"cells": {}, "ttl": "1h30m"})).ok(200);
    assert_eq!(api.count(&rows), 3);
    let many: Vec<Json> = (0..300)
        .map(|n| json!({"key": format!("k{n:03}"), "cells": {"n": n}}))
        .collect();
    assert_eq!(
        api.post(&rows, &json!({"rows": many})).ok(200),
        json!({"stored": 300})
    );
    let page = api.get(&format!("{rows}?offset=1&limit=299")).ok(200);
    assert_eq!((&page["total"], &page["next"]), (&json!(303), &json!(300)));
    assert_eq!(page["items"][0]["key"], "k000");
    assert_eq!(page["items"].as_array().unwrap().len(), 299);
    for (body, paths) in [
        (
            json!({"rows": [{"key": "x", "cells": {}}, {"key": 1, "cells": {}}, {"cells": {}}, 5]}),
            vec!["rows.1.key", "rows.2.key", "rows.3"],
        ),
        (json!({"rows": [{"key": "x"}]}), vec!["rows.0.cells"]),
        (
            json!({"rows": [{"key": "x", "cells": 1, "ttl": "soon", "other": 1}]}),
            vec!["rows.0.cells", "rows.0.ttl", "rows.0.other"],
        ),
        (
            json!({"rows": [{"key": "x", "cells": {}, "ttl": "1h", "until": "2100-01-01T00:00:00Z"}]}),
            vec!["rows.0.ttl"],
        ),
        (
            json!({"rows": [{"key": "x", "cells": {"c": "y".repeat(70_000)}}]}),
            vec!["rows"],
        ),
        (
            json!({"rows": [{"key": "x".repeat(2000), "cells": {}}]}),
            vec!["rows"],
        ),
        (json!({"rows": {}}), vec!["rows"]),
        (json!({"lines": []}), vec!["lines", "rows"]),
    ] {
        assert_eq!(api.post(&rows, &body).bad(), paths, "{body}");
    }
    let cells: serde_json::Map<String, Json> =
        (0..257).map(|n| (format!("c{n}"), json!(n))).collect();
    assert_eq!(put("x", json!({"cells": cells})).bad(), ["rows"]);
    assert_eq!(put("x", json!({"cells": {}, "key": "y"})).bad(), ["key"]);
    api.get(&row("x")).refused(404);
    api.delete(&row("k000")).ok(200);
    api.delete(&row("k000")).refused(404);
    // A list that is renamed keeps its rows; they go with it.
    api.post(&format!("{tables}/t"), &json!({"name": "people"}))
        .ok(200);
    assert_eq!(api.count(&rows), 302);
    assert_eq!(api.delete(&rows).ok(200), json!({"removed": 302}));
    assert_eq!(api.count(&rows), 0);
    api.delete(&format!("{tables}/t")).ok(200);
    for (method, path) in [
        ("GET", rows.clone()),
        ("DELETE", rows.clone()),
        ("GET", row("k")),
    ] {
        api.by(ADMIN, method, &path, &Json::Null).refused(404);
    }
    api.post(&rows, &json!({"rows": []})).refused(404);
    put("x", json!({"cells": {}})).refused(404);
    api.by(READER, "PUT", &row("x"), &json!({"cells": {}}))
        .refused(403);
}

/// Results as a rule at work would store them.
fn results(api: &Api, rule: &str, count: i64) {
    use std::sync::Arc;
    use stellar::rule::store::{Embedded, NewResult, RULE, Rules};
    use stellar::store::{Deadline, Store, Within};
    let store = Store::new(&api.home.path("data/stellar/stellar.db"), &[&RULE]);
    let rules = Rules::new(Arc::new(Embedded::new(&store)));
    let cancel = Arc::default();
    let within = Within {
        now: 0,
        deadline: Deadline::NONE,
        cancel: &cancel,
    };
    let results = (0..count).map(|at| NewResult {
        id: format!("{rule}-{at}"),
        rule: Some(rule.to_owned()),
        at: 1_700_000_000_000 + at,
        alert: json!({"text": format!("alert {at}")}),
    });
    rules.add_results(results.collect(), within).unwrap();
}

#[test]
fn alerts_of_rules_are_results() {
    let api = Api::start(&[]);
    api.post(CREATE, &with("noisy", json!({"id": "r"}))).ok(201);
    api.post(
        CREATE,
        &with("system", json!({"id": "s", "is_system": true})),
    )
    .ok(201);
    results(&api, "r", 12);
    results(&api, "s", 1);
    let of_r = format!("{}/results", path("r"));
    let page = api.get(&format!("{of_r}?limit=5&offset=1")).ok(200);
    assert_eq!((&page["total"], &page["next"]), (&json!(12), &json!(6)));
    assert_eq!(
        page["items"][0].to_string(),
        r#"{"id":"r-10","rule":"r","created_at":"2023-11-14T22:13:20.010Z","alert":{"text":"alert 10"}}"#
    );
    // A relation as well: what is not named is nobody's.
    api.post(
        &path("r"),
        &json!({"_relations": {"results": ["r-3", "r-4"]}}),
    )
    .ok(200);
    assert_eq!(api.count(&of_r), 2);
    api.post(
        CREATE,
        &with(
            "heir",
            json!({"id": "h", "_relations": {"logmule_go_results": ["r-3", "r-9"]}}),
        ),
    )
    .ok(201);
    assert_eq!(
        (
            api.count(&of_r),
            api.count(&format!("{}/results", path("h")))
        ),
        (1, 2)
    );
    // Those of rules of the system stay there unless an administrator moves them.
    let take = json!({"_relations": {"results": ["s-0"]}});
    api.by(WRITER, "POST", &path("h"), &take).refused(403);
    api.by(WRITER, "POST", CREATE, &with("thief", take.clone()))
        .refused(403);
    assert_eq!(api.count(&format!("{}/results", path("s"))), 1);
    api.post(&path("h"), &take).ok(200);
    assert_eq!(api.count(&format!("{}/results", path("s"))), 0);
    api.delete(&path("h")).ok(200);
}

/// The document is complete: everything that is served stands in it, what it refers to is there, names are used once.
#[test]
fn the_document_describes_everything() {
    let api = Api::start(&[]);
    let told = api.send("GET", "/openapi.json", "", b"");
    let document = told.ok(200);
    assert_eq!(document["openapi"], "3.1.0");
    let routes = api
        .home
        .run(&["serve", "--routes", "--format", "jsonl"], "")
        .ended(0)
        .json();
    let mut count = 0;
    let mut ids = std::collections::HashSet::new();
    for route in &routes {
        let (method, path) = (
            route["method"].as_str().unwrap(),
            route["path"].as_str().unwrap(),
        );
        let operation = &document["paths"][path][method.to_lowercase()];
        assert_eq!(operation["summary"], route["does"], "{method} {path}");
        assert_eq!(
            operation["x-right"].as_str().unwrap_or_default(),
            route["right"]
        );
        assert!(ids.insert(operation["operationId"].clone()), "{operation}");
        for part in path.split('/').filter(|part| part.starts_with('{')) {
            let name = part.trim_matches(['{', '}']);
            let parameters = operation["parameters"].as_array().unwrap().iter();
            assert_eq!(
                parameters
                    .filter(|one| one["in"] == "path" && one["name"] == name)
                    .count(),
                1,
                "{path}"
            );
        }
        count += 1;
    }
    let paths = document["paths"].as_object().unwrap().values();
    assert_eq!(
        paths
            .map(|path| path.as_object().unwrap().len())
            .sum::<usize>(),
        count
    );
    let text = document.to_string();
    for reference in text.split("\"$ref\":\"#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(
            document["components"]["schemas"][name].is_object(),
            "{name}"
        );
    }
    for schema in document["components"]["schemas"]
        .as_object()
        .unwrap()
        .keys()
    {
        assert!(
            text.contains(&format!("schemas/{schema}\"")),
            "{schema} is used nowhere"
        );
    }
    // What a new rule needs depends on the server.
    let needed = |api: &Api| {
        api.described.0["components"]["schemas"]["NewRule"]["required"]
            .as_array()
            .unwrap()
            .len()
    };
    assert_eq!(
        (needed(&api), needed(&Api::start(&["--strict-api"]))),
        (8, 14)
    );
}

/// The commands of the guide, one after the other, and what it says that they answer.
#[test]
fn the_guide_is_right() {
    let guide = std::fs::read_to_string("docs/rules.md").unwrap();
    let start = guide.find("\n## Over HTTP\n").unwrap();
    let end = start + 5 + guide[start + 5..].find("\n## ").unwrap();
    let mut rest = &guide[start..end];
    let api = Api::start(&[]);
    let mut count = 0;
    while let Some(at) = rest.find("```sh\n") {
        rest = &rest[at + 6..];
        let (script, behind) = rest.split_once("```").unwrap();
        let shown = behind.strip_prefix("\n\n```json\n");
        let shown = shown.map(|shown| shown.split_once("```").unwrap().0);
        let fails = shown.is_some_and(|shown| shown.contains("error_code"));
        let curl = if fails {
            "curl -sS "
        } else {
            "curl -sS --fail-with-body "
        };
        let script = script.replace("http://127.0.0.1:8650", &format!("http://{}", api.address));
        let ran = std::process::Command::new("timeout")
            .args(["120", "sh", "-ec", &script.replace("curl ", curl)])
            .env("STELLAR_TOKEN", ADMIN)
            .output()
            .unwrap();
        let out = String::from_utf8_lossy(&ran.stdout);
        assert!(ran.status.success(), "{script}\n{out}");
        count += script.matches("curl ").count();
        if let Some(shown) = shown {
            let shown: Json = serde_json::from_str(shown).unwrap();
            let told: Json = serde_json::from_str(out.lines().last().unwrap()).unwrap();
            assert!(within(&shown, &told), "{script}\n{shown}\n{told}");
        }
        rest = behind;
    }
    assert!(count >= 12, "{count} commands only");
}

/// Whether an answer has everything that is shown.
fn within(shown: &Json, told: &Json) -> bool {
    match (shown, told) {
        (Json::Object(shown), Json::Object(told)) => {
            let mut shown = shown.iter();
            shown.all(|(key, value)| told.get(key).is_some_and(|told| within(value, told)))
        }
        (Json::Array(shown), Json::Array(told)) => {
            shown.len() == told.len()
                && shown
                    .iter()
                    .zip(told)
                    .all(|(shown, told)| within(shown, told))
        }
        _ => shown == told,
    }
}

/// Changes and refusals stand in the log with the caller and the trace, whatever somebody wrote into it.
#[test]
fn the_log_tells_changes_and_refusals() {
    use std::io::Read;
    let home = support::Home::new();
    home.write("stellar.toml", "[serve]\ntokens = [\"all the rights\"]\n");
    let mut command = home.command(&["serve", "--listen", "127.0.0.1:0"]);
    let log = home.path("log");
    command.stderr(std::fs::File::create(&log).unwrap());
    let mut child = command.spawn().unwrap();
    let mut out = child.stdout.take().unwrap();
    let mut said = Vec::new();
    while !said.ends_with(b"\n") {
        let mut byte = [0];
        out.read_exact(&mut byte).unwrap();
        said.push(byte[0]);
    }
    let address = String::from_utf8(said).unwrap();
    let address = address
        .trim()
        .trim_start_matches("listening at http://")
        .trim_end_matches('/');
    let api = Api::at(home, address);
    let trace = "my trace\n\u{1b}[31m";
    api.post(
        CREATE,
        &with("logged", json!({"id": "x/y \u{451}", "trace_id": trace})),
    )
    .ok(201);
    let one = "/logmule_go_rules/x%2Fy%20%D1%91";
    assert_eq!(api.get(one).ok(200)["trace_id"], trace);
    api.post(
        one,
        &json!({"trace_id": "changing", "description": "secret text"}),
    )
    .ok(200);
    api.post(&format!("{one}/activate?trace_id=waking"), &Json::Null)
        .ok(200);
    api.post(CREATE, &with("logged", json!({"trace_id": "again"})))
        .refused(409);
    api.post(CREATE, &json!({"trace_id": "empty"})).bad();
    api.delete(&format!("{one}?trace_id=ending")).ok(200);
    api.delete(&format!("{one}?trace_id=gone")).refused(404);
    let _ = child.kill();
    let _ = child.wait();
    // Each line was written before its answer was sent.
    let log = std::fs::read_to_string(log).unwrap();
    for (did, trace) in [
        (
            "token created the rule \"x/y \u{451}\" \"logged\"",
            r"my trace\n\u{1b}[31m",
        ),
        ("token changed the rule", "changing"),
        ("token activated the rule", "waking"),
        ("token refused: \"already used: name\"", "again"),
        ("token refused: \"name: is required", "empty"),
        ("token removed the rule", "ending"),
        ("token refused: \"", "gone"),
    ] {
        let trace = format!("trace \"{trace}\"");
        assert!(
            log.lines()
                .any(|line| line.contains(did) && line.ends_with(&trace)),
            "{did} {trace}\n{log}"
        );
    }
    assert!(
        !log.contains("secret text") && !log.contains("all the rights") && !log.contains('\u{1b}'),
        "{log}"
    );
}

/// Of many who want the same name one gets it.
#[test]
fn one_of_many_is_stored() {
    let api = Api::start(&[]);
    let told: Vec<u16> = std::thread::scope(|scope| {
        let all: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| api.post(CREATE, &rule("the same")).status))
            .collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert_eq!(
        told.iter().filter(|status| **status == 201).count(),
        1,
        "{told:?}"
    );
    assert!(
        told.iter().all(|status| [201, 409].contains(status)),
        "{told:?}"
    );
    assert_eq!(api.count(RULES), 1);
}
