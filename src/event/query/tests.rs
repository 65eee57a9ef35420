//! Parameters, and what becomes of them.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::diagnostic::Code;
use crate::eval::Value;
use crate::event::COLUMNS;
use serde_json::{Value as Json, json};

fn read(parameters: Json) -> Query {
    Query::from_json(&parameters).unwrap()
}

/// What a query demands, as SQL without its head.
fn demands(parameters: Json) -> String {
    let sql = read(parameters).sql(Kind::Select(&[Column::Id])).mogrify();
    sql.strip_prefix("SELECT \"id\" FROM events")
        .unwrap()
        .trim()
        .to_string()
}

fn refusal(parameters: Json) -> (Code, String) {
    let fault = Query::from_json(&parameters).unwrap_err();
    (fault.code, fault.message.clone())
}

#[test]
fn what_counts_as_nothing_is_not_given() {
    for nothing in [
        json!(null),
        json!(false),
        json!(0),
        json!(""),
        json!([]),
        json!({}),
    ] {
        let mut all = json!({});
        for name in [
            "st_to",
            "host_addrs",
            "source_ports",
            "host_types",
            "groups",
            "description",
            "sortby",
            "limit",
        ] {
            // For times 0 is a moment.
            if name != "st_to" || nothing != json!(0) {
                all[name] = nothing.clone();
            }
        }
        assert_eq!(read(all), Query::all(), "{nothing}");
    }
    assert_eq!(read(json!(null)), Query::all());
    assert!(read(json!({"limit": 5})).is_unlimited());
    assert!(!read(json!({"dt_to": 0})).is_unlimited());
}

#[test]
fn times_are_texts_or_milliseconds() {
    let from = |value: Json| demands(json!({"dt_from": value}));
    let ten = "WHERE \"detecttime\" >= '2026-01-10T08:00:00'::timestamp";
    for text in [
        "2026-01-10T08:00:00Z",
        "2026-01-10t08:00:00z",
        "2026-01-10 08:00",
        "2026-01-10T08:00:00.000",
        "2026-01-10T10:00:00+02:00",
        "2026-01-10T10:00+02:00",
        "2026-01-10 10:00:00.0000004+0200",
        " 2026-01-10T08:00:00 ",
    ] {
        assert_eq!(from(json!(text)), ten, "{text}");
    }
    assert_eq!(from(json!(1_768_032_000_000_i64)), ten);
    assert_eq!(from(json!("2026-01-10")), ten.replace("08:", "00:"));
    assert_eq!(
        from(json!("2026-01-10T08:00:00.25")),
        ten.replace("00'", "00.250000'")
    );
    for (value, code) in [
        (json!("yesterday"), Code::ArgumentValue),
        (json!("2026-13-10"), Code::ArgumentValue),
        (json!("2026-01-10T08"), Code::ArgumentValue),
        (json!("２０２６-01-10"), Code::ArgumentValue),
        (json!(1.5), Code::ArgumentValue),
        (json!(i64::MAX), Code::ArgumentValue),
        (json!([1]), Code::ArgumentType),
        (json!(true), Code::ArgumentType),
    ] {
        assert_eq!(refusal(json!({"st_from": value})).0, code, "{value}");
    }
}

#[test]
fn conditions_stand_in_their_order() {
    let all = json!({
        "description": "d", "inspection_errs": ["i"], "groups": ["g"], "detector_types": ["__ANY__"],
        "detectors": ["n"], "severities": ["__EMPTY__"], "classes": ["c"], "not_classes": "no", "categories": ["k"],
        "protocols": ["p", "__EMPTY__"], "not_protocols": 1, "target_types": ["t"], "source_types": ["__EMPTY__"],
        "host_ports": ["22", " 443 ", 80.0], "source_ports": [1], "target_addrs": ["::1"],
        "source_addrs": ["10.0.0.0/8"], "st_to": "2026-01-04", "st_from": "2026-01-03", "dt_to": "2026-01-02",
        "dt_from": "2026-01-01",
    });
    assert_eq!(
        demands(all),
        "WHERE \"detecttime\" >= '2026-01-01T00:00:00'::timestamp \
         AND \"detecttime\" <= '2026-01-02T00:00:00'::timestamp \
         AND \"cesnet_storagetime\" >= '2026-01-03T00:00:00'::timestamp \
         AND \"cesnet_storagetime\" <= '2026-01-04T00:00:00'::timestamp \
         AND ('10.0.0.0/8'::iprange && ANY(\"source_ip\")) AND ('::1'::iprange && ANY(\"target_ip\")) \
         AND (\"source_port\" && ARRAY[22,443,80] OR \"target_port\" && ARRAY[22,443,80]) \
         AND \"source_type\" && ARRAY['__EMPTY__'] AND \"target_type\" && ARRAY['t'] \
         AND NOT (\"protocol\" = '{}') AND \"category\" && ARRAY['k'] \
         AND NOT (\"cesnet_eventclass\" = ANY(ARRAY['c'])) AND COALESCE(\"cesnet_eventseverity\",'') = '' \
         AND \"node_name\" && ARRAY['n'] AND \"node_type\" != '{}' AND \"cesnet_resolvedabuses\" && ARRAY['g'] \
         AND \"cesnet_inspectionerrors\" && ARRAY['i'] AND \"description\" = 'd'"
    );
}

#[test]
fn texts_never_become_sql() {
    let query =
        read(json!({"groups": ["'; DROP TABLE events; --", "$1"], "description": "\\' OR 1=1"}));
    let sql = query.sql(Kind::Count);
    assert_eq!(
        sql.text(),
        "SELECT count(id) FROM events WHERE \"cesnet_resolvedabuses\" && $1 AND \"description\" = $2"
    );
    assert_eq!(
        sql.arguments,
        [
            Argument::Texts(vec!["'; DROP TABLE events; --".into(), "$1".into()]),
            Argument::Text("\\' OR 1=1".into()),
        ]
    );
    assert_eq!(
        sql.mogrify(),
        "SELECT count(id) FROM events WHERE \"cesnet_resolvedabuses\" && ARRAY['''; DROP TABLE events; --','$1'] \
         AND \"description\" = '\\'' OR 1=1'"
    );
}

#[test]
fn order_and_pages() {
    let ends = |sortby: &str, stored: bool| {
        let mut parameters = json!({"sortby": sortby});
        if stored {
            parameters["st_to"] = json!("2026-01-01");
        }
        let query = read(parameters);
        let order = query.order.unwrap();
        let direction = if order.descending { "desc" } else { "asc" };
        (
            format!("{}.{direction}", order.column.name()),
            query.notes.len(),
        )
    };
    assert_eq!(ends("detecttime.asc", true), ("detecttime.asc".into(), 0));
    assert_eq!(
        ends("storagetime.desc", false),
        ("cesnet_storagetime.desc".into(), 0)
    );
    assert_eq!(ends("id.asc", false), ("detecttime.asc".into(), 1));
    assert_eq!(ends("id.asc", true), ("cesnet_storagetime.asc".into(), 1));
    assert_eq!(ends("detecttime.ASC", false), ("detecttime.desc".into(), 1));
    for bad in ["detecttime", "a.b.c", "detecttime asc"] {
        assert_eq!(refusal(json!({"sortby": bad})).0, Code::ArgumentValue);
    }
    assert_eq!(
        demands(json!({"limit": "20", "page": 3})),
        "LIMIT 20 OFFSET 40"
    );
    assert_eq!(demands(json!({"limit": 20, "page": 1})), "LIMIT 20");
    assert_eq!(demands(json!({"limit": 20, "page": -3})), "LIMIT 20");
    assert_eq!(demands(json!({"page": 3})), "");
    assert_eq!(refusal(json!({"limit": "many"})).0, Code::ArgumentValue);
    assert_eq!(refusal(json!({"limit": 1.5})).0, Code::ArgumentValue);
    assert_eq!(
        refusal(json!({"limit": i64::MAX, "page": 9})).0,
        Code::EventData
    );
    assert_eq!(
        read(json!({"limit": -1})).check().unwrap_err().code,
        Code::EventData
    );
    // What only counts or deletes is neither sorted nor limited.
    let query = read(json!({"limit": 20, "page": 3, "sortby": "detecttime.asc"}));
    assert_eq!(
        query.sql(Kind::Count).mogrify(),
        "SELECT count(id) FROM events"
    );
    assert_eq!(query.sql(Kind::Delete).mogrify(), "DELETE FROM events");
}

#[test]
fn parameters_without_effect_are_named() {
    let notes = |parameters: Json| read(parameters).notes.join("; ");
    assert_eq!(
        notes(json!({"categories": ["a"], "not_categories": true})),
        ""
    );
    assert_eq!(
        notes(json!({"catgories": ["a"]})),
        "catgories has no effect; did you mean categories?"
    );
    assert_eq!(
        notes(json!({"xyz": 5})),
        "xyz has no effect: it is no parameter of a query"
    );
    assert_eq!(
        notes(json!({"tlps": ["RED"]})),
        "tlps has no effect: the tables of Mentat 2.4 have no such column"
    );
    assert_eq!(
        notes(json!({"host_ports": [1], "source_ports": [2]})),
        "source_ports has no effect beside host_ports"
    );
    assert_eq!(
        notes(json!({"page": 2})),
        "page has no effect without limit"
    );
}

#[test]
fn wrong_values_are_named() {
    assert_eq!(
        refusal(json!({"categories": "Test"})),
        (Code::EventData, "categories must be a list of texts".into())
    );
    assert_eq!(
        refusal(json!({"categories": ["a", 2]})),
        (
            Code::ArgumentType,
            "item 2 of categories must be a text, and it is a number".into()
        )
    );
    assert_eq!(
        refusal(json!({"host_ports": [22, "ssh"]})),
        (
            Code::ArgumentValue,
            "item 2 of host_ports must be a whole number of 64 bits, and it is \"ssh\"".into()
        )
    );
    assert_eq!(refusal(json!({"source_addrs": 5})).0, Code::ArgumentType);
    assert_eq!(refusal(json!({"description": ["a"]})).0, Code::ArgumentType);
    assert_eq!(refusal(json!(["a"])).0, Code::ArgumentType);
    let fault = read(json!({"host_addrs": ["192.168.1.5/24"]}))
        .check()
        .unwrap_err();
    assert_eq!(fault.code, Code::EventData);
    assert_eq!(fault.help.as_deref(), Some("the network is 192.168.1.0/24"));
}

#[test]
fn a_map_of_stellar_is_read_as_its_json() {
    let json = json!({"source_ports": [22], "dt_from": 1_768_032_000_000_i64, "not_groups": true});
    let value = crate::eval::json::from_json(&json, 10).unwrap();
    assert_eq!(Query::from_value(&value).unwrap(), read(json));
    let fault = Query::from_value(&Value::text("x")).unwrap_err();
    assert_eq!(fault.code, Code::ArgumentType);
}

#[test]
fn timelines_begin_where_they_are_asked_to() {
    let timeline = Timeline {
        column: Column::DetectTime,
        from: 25,
        to: 60,
        step: 10,
        by: None,
        top: None,
    };
    assert_eq!(timeline.starts(), [25, 30, 40, 50]);
    assert_eq!(
        Timeline {
            from: -15,
            to: 5,
            ..timeline
        }
        .starts(),
        [-15, -10, 0]
    );
    assert_eq!(
        Timeline {
            from: 60,
            ..timeline
        }
        .starts(),
        [0; 0]
    );
    let far = Timeline {
        from: i64::MAX - 15,
        to: i64::MAX,
        ..timeline
    };
    assert!(far.starts().len() <= 3);
    assert!(
        Timeline {
            from: i64::MIN,
            to: i64::MAX,
            ..timeline
        }
        .check()
        .is_err()
    );
    let query = read(json!({"groups": ["g"]}));
    let by = Timeline {
        by: Some(Column::Category),
        ..timeline
    };
    assert_eq!(
        query.sql(Kind::Timeline(&by)).text(),
        "SELECT width_bucket(\"detecttime\", $1) - 1 AS bucket, unnest(\"category\")::text AS set, count(*) \
         FROM events WHERE \"detecttime\" >= $2 AND \"detecttime\" < $3 AND \"cesnet_resolvedabuses\" && $4 \
         GROUP BY bucket, set"
    );
    let aggregate = Aggregate {
        column: Column::EventClass,
        limit: Some(3),
    };
    assert_eq!(
        query.sql(Kind::Aggregate(aggregate)).mogrify(),
        "SELECT set, count FROM (SELECT COALESCE(\"cesnet_eventclass\", '__unknown__') AS set, count(*) AS count \
         FROM events WHERE \"cesnet_resolvedabuses\" && ARRAY['g'] GROUP BY set) AS groups \
         ORDER BY count DESC, set COLLATE \"C\" LIMIT 3"
    );
    assert_eq!(read(json!({})).sql(Kind::Select(COLUMNS)).arguments, []);
}
