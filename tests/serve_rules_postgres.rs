//! The API of rules over a real PostgreSQL: the life of a rule, and a database that goes away.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use serde_json::{Value as Json, json};
use support::api::Api;
use support::postgres::{Own, run};

const CREATE: &str = "/cruddy/v2/logmule_go_rules/create";

fn main() {
    support::live::run(
        "STELLAR_TEST_POSTGRES",
        &[
            ("rules_live_in_the_database", rules_live_in_the_database),
            ("one_of_many_is_stored", one_of_many_is_stored),
            (
                "a_lost_database_tells_nothing",
                a_lost_database_tells_nothing,
            ),
        ],
    );
}

fn start(own: &Own) -> Api {
    let store = format!("[store]\nrule = \"{}\"\n", own.address);
    Api::with(support::Home::new(), &store, &[])
}

fn rule(id: &str, name: &str) -> Json {
    json!({
        "id": id, "name": name, "settings": [{"max_alerts": 5}], "active": true, "reload": true, "finding_id": "f",
        "description": "Überwacht Логины", "is_retro": false, "is_system": false, "lua": "-- 'ё' \"$1\" ?1",
        "test_data": [{"a": 1.50}],
    })
}

fn rules_live_in_the_database(server: &str) {
    let own = Own::empty(server);
    let api = start(&own);
    assert_eq!(api.count("/logmule_go_rules"), 0);
    api.post(
        "/logmule_go_filters/create",
        &json!({"id": "f", "name": "f", "expression": "a > 1"}),
    )
    .ok(201);
    let mut body = rule("r", "Правило");
    body["_relations"] = json!({"filters": ["f"]});
    let made = api.post(CREATE, &body).ok(201);
    assert_eq!(
        api.get("/logmule_go_rules/r").ok(200).to_string(),
        made.to_string()
    );
    assert_eq!(
        api.post(CREATE, &rule("r", "Правило")).refused(409),
        json!({"fields": ["name", "id"]})
    );
    let mut wrong = rule("w", "w");
    wrong["_relations"] = json!({"filters": ["f", "nowhere"]});
    assert_eq!(api.post(CREATE, &wrong).bad(), ["_relations.filters.1"]);
    api.get("/logmule_go_rules/w").refused(404);
    for nul in [
        "/logmule_go_rules/a%00",
        "/logmule_go_filters/a%00",
        "/tables/a%00/rows",
    ] {
        api.get(nul).refused(404);
    }
    for number in 0..30 {
        api.post(
            CREATE,
            &rule(&format!("n{number}"), &format!("n {number:02}")),
        )
        .ok(201);
    }
    let page = api
        .get("/logmule_go_rules?text=N%20&offset=20&limit=5&active=true&retro=false")
        .ok(200);
    assert_eq!(
        (&page["total"], &page["next"], &page["items"][0]["id"]),
        (&json!(30), &json!(25), &json!("n20"))
    );
    assert_eq!(
        api.post("/logmule_go_rules/r", &json!({"description": "neu"}))
            .ok(200)["description"],
        "neu"
    );
    assert_eq!(
        api.get("/logmule_go_rules/r/relations").ok(200)["filters"],
        json!(["f"])
    );
    api.post("/tables/create", &json!({"id": "t", "name": "Список"}))
        .ok(201);
    let rows = json!({"rows": [{"key": "ключ", "cells": {"n": [1, null]}, "ttl": "1h"}, {"key": "b", "cells": {}}]});
    assert_eq!(
        api.post("/tables/t/rows", &rows).ok(200),
        json!({"stored": 2})
    );
    assert_eq!(api.get("/tables/t/rows").ok(200)["items"][0]["key"], "b");
    assert_eq!(api.delete("/tables/t/rows").ok(200), json!({"removed": 2}));
    let report = api
        .post("/logmule_go_rules/r/run", &json!([{"a": 1}, {"a": 2}]))
        .ok(200);
    assert_eq!(report["filtered"], 1);
    api.delete("/logmule_go_rules/r").ok(200);
    api.get("/logmule_go_rules/r").refused(404);
    drop(api);
    assert_eq!(start(&own).count("/logmule_go_rules"), 30);
}

fn one_of_many_is_stored(server: &str) {
    let own = Own::empty(server);
    let api = start(&own);
    api.post(CREATE, &rule("first", "first")).ok(201);
    let told: Vec<u16> = std::thread::scope(|scope| {
        let post = |number| {
            api.post(CREATE, &rule(&format!("r{number}"), "the same"))
                .status
        };
        let all: Vec<_> = (0..8)
            .map(|number| scope.spawn(move || post(number)))
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
    assert_eq!(api.count("/logmule_go_rules"), 2);
}

fn a_lost_database_tells_nothing(server: &str) {
    let own = Own::empty(server);
    let api = start(&own);
    api.post(CREATE, &rule("r", "r")).ok(201);
    run(server, &format!("DROP SCHEMA {} CASCADE", own.schema));
    run(server, &format!("CREATE SCHEMA {}", own.schema));
    run(
        server,
        &format!("CREATE TABLE {}.rule (id bigint)", own.schema),
    );
    let told = api.post(CREATE, &rule("s", "s"));
    assert_eq!(
        told.ok(500),
        json!({"error": "Internal Server Error", "error_code": 500})
    );
    let text = String::from_utf8(told.body).unwrap();
    assert!(
        !text.contains("column") && !text.contains("postgres"),
        "{text}"
    );
}
