//! What becomes of drawings, right and wrong.

use super::*;
use serde_json::json;

/// The sample of the platform's documentation.
fn sample() -> Json {
    json!({
        "alert": {
            "id": "uuid", "trace_id": "uuid", "name": "string", "create_incident": true, "assign_to_customer": true,
            "risk_level": 5.35, "asset_ip": "string", "asset_hostname": "string", "asset_fqdn": "string",
            "asset_mac": "string", "first_and_last_logs": false, "trim_logs": 1, "template": "string", "mitre": ""
        },
        "grouper": {
            "id": "uuid", "trace_id": "uuid", "name": "string", "grouped_by": ["string"], "aggregated_by": ["string"],
            "grouped_time_field": "string", "grouped_time_type": "2023-12-20T00:00:01.652259Z", "detection_windows": 5,
            "detection_windows_unit": "ms", "aggregate_count": 1, "aggregate_unique": true
        },
        "actions": [{
            "TTL": "string", "key": {"_default": {"type": "value", "value": "string"}}, "type": "store-set",
            "store": "string", "value": "string", "column": "string"
        }],
        "conditions": [{
            "type": "compare-condition", "id": "uuid", "parentId": null, "negation": false, "compareFn": "eq",
            "expressions": [{"type": "logline-get", "value": "string"}]
        }],
        "version": 2
    })
}

fn wrong(data: &Json) -> Vec<String> {
    let found = compile(data).unwrap_err();
    found.into_iter().map(|found| found.path).collect()
}

/// Compiles conditions and gives back the expression.
fn condition(conditions: Json) -> Result<String, Vec<String>> {
    let data = json!({"version": 2, "alert": {}, "conditions": conditions});
    let drawn = compile(&data)
        .map_err(|found| found.into_iter().map(|one| one.path).collect::<Vec<_>>())?;
    let line = drawn
        .lua
        .lines()
        .find(|line| line.starts_with("  if "))
        .unwrap();
    let text = line.trim().strip_prefix("if ").unwrap();
    Ok(text.strip_suffix(" then").unwrap().to_string())
}

fn test(id: &str, parent: Json, name: &str, expressions: Json) -> Json {
    json!({"type": "compare-condition", "id": id, "parentId": parent, "compareFn": name, "expressions": expressions})
}

#[test]
fn the_sample_compiles() {
    let drawn = compile(&sample()).unwrap();
    let expected = r#"-- Made of what the visual constructor drew.
-- string

local store1 = storage.new("string")

function on_logline(logline)
  if compare(logline:gets("string", ""), EQ, "") then
    grouper1:feed(logline)
  end
end

function on_grouped(grouped)
  local loglines = grouped.aggregatedData.loglines
  local logline = loglines[1]
  if grouped.aggregatedData.unique.total >= 1 then
    alert({
      template = "string",
      risk_level = 5.35,
      asset_ip = logline:get_asset_data("string"),
      asset_hostname = logline:get_asset_data("string"),
      asset_fqdn = logline:get_asset_data("string"),
      asset_mac = logline:get_asset_data("string"),
      create_incident = true,
      assign_to_customer = true,
      first_and_last_logs = false,
      trim_logs = 1,
      mitre = {},
      logs = loglines,
    })
    store1:set("string", "string", "string")
    grouper1:clear()
  end
end

grouper1 = grouper.new({"string"}, {"string"}, "string", "5ms", on_grouped)
"#;
    assert_eq!(drawn.lua, expected);
    let notes: Vec<&str> = drawn.notes.iter().map(|note| note.path.as_str()).collect();
    let expected = [
        "conditions[0].expressions",
        "actions[0].TTL",
        "grouper.grouped_time_type",
    ];
    assert_eq!(notes, expected);
}

#[test]
fn conditions_are_a_tree() {
    let field = |name: &str, value: &str| json!([{"type": "logline-get", "value": name}, {"type": "value", "value": value}]);
    let text = condition(json!([
        {"type": "or-condition", "id": "o", "parentId": null, "negation": true},
        test("a", json!("o"), "eq", field("x", "1")),
        {"type": "group", "operator": "AND", "id": "g", "parentId": "o"},
        test("b", json!("g"), "neq", field("y", "2")),
        test("c", json!("g"), "gte", field("z", "3")),
        test("d", json!(null), "contains", field("w", "\"quoted\"\n")),
    ]));
    let expected = r#"not ((compare(logline:gets("x", ""), EQ, "1") or (compare(logline:gets("y", ""), NE, "2") and compare(logline:gets("z", ""), GE, "3")))) and substr(logline:gets("w", ""), "\"quoted\"\n")"#;
    assert_eq!(text.unwrap(), expected);
}

#[test]
fn every_function_has_its_call() {
    let field = json!({"type": "logline-get", "value": "x"});
    for (name, folded, rest, expected) in [
        (
            "eq",
            true,
            json!("A"),
            r#"compare(logline:gets("x", ""), EQ | IGNORE_CASE, "A")"#,
        ),
        (
            "gt",
            false,
            json!(5),
            r#"compare(logline:gets("x", ""), GT, 5)"#,
        ),
        (
            "lt",
            false,
            json!(5.5),
            r#"compare(logline:gets("x", ""), LT, 5.5)"#,
        ),
        (
            "lte",
            false,
            json!(true),
            r#"compare(logline:gets("x", ""), LE, true)"#,
        ),
        (
            "contains",
            true,
            json!("ПРИ"),
            r#"substr(logline:gets("x", ""):lower(), "при")"#,
        ),
        (
            "prefix",
            false,
            json!("a"),
            r#"substr(logline:gets("x", ""), "a", "pref")"#,
        ),
        (
            "suffix",
            false,
            json!("a"),
            r#"substr(logline:gets("x", ""), "a", "suff")"#,
        ),
        (
            "regex",
            false,
            json!(r"\d+"),
            r#"search(logline:gets("x", ""), "\\d+")"#,
        ),
        (
            "regex",
            true,
            json!("a"),
            r#"search(logline:gets("x", ""), "(?i)a")"#,
        ),
        (
            "in",
            false,
            json!(["a", 1]),
            r#"contains({"a", "1"}, logline:gets("x", ""))"#,
        ),
        (
            "in_sub",
            true,
            json!(["A"]),
            r#"contains({"a"}, logline:gets("x", ""):lower(), "sub")"#,
        ),
        (
            "in",
            false,
            json!([]),
            r#"contains({}, logline:gets("x", ""))"#,
        ),
    ] {
        let mut one = test(
            "a",
            json!(null),
            name,
            json!([field, {"type": "value", "value": rest}]),
        );
        one["ignoreCase"] = json!(folded);
        assert_eq!(condition(json!([one])).unwrap(), expected, "{name}");
    }
    let stored = json!({"type": "store-get", "store": "list", "key": field, "column": "c"});
    let text = condition(json!([test(
        "a",
        json!(null),
        "eq",
        json!([stored, field])
    )]))
    .unwrap();
    assert_eq!(
        text,
        r#"compare(store1:get(logline:gets("x", ""), "c"), EQ, logline:gets("x", ""))"#
    );
}

#[test]
fn a_rule_needs_neither_grouper_nor_conditions() {
    let drawn = compile(&json!({"version": 2, "alert": {"mitre": "T1078, T1059.001"}})).unwrap();
    assert!(drawn.lua.contains("  alert({\n"));
    assert!(drawn.lua.contains(r#"mitre = {"T1078", "T1059.001"},"#));
    assert!(drawn.lua.contains("logs = {logline},"));
    assert!(!drawn.lua.contains("grouper"));
}

#[test]
fn actions_have_keys_and_lifetimes() {
    let mut data = sample();
    data["actions"] = json!([{
        "type": "store-set", "store": "a", "column": "c", "value": {"type": "logline-get", "value": "v"}, "TTL": "24h",
        "key": {"_default": {"type": "value", "value": "d"}, "c": {"type": "logline-get", "value": "k"}}
    }]);
    let drawn = compile(&data).unwrap();
    let call = r#"store1:set(logline:gets("k", ""), "c", logline:gets("v", ""), "24h")"#;
    assert!(drawn.lua.contains(call), "{}", drawn.lua);
}

#[test]
fn every_problem_has_its_path() {
    for (pointer, value, path) in [
        ("/version", json!(1), "version"),
        ("/version", json!("2"), "version"),
        ("/alert", json!(null), "alert"),
        ("/alert/risk_level", json!(11), "alert.risk_level"),
        ("/alert/trim_logs", json!(1.5), "alert.trim_logs"),
        ("/alert/template", json!("{{ if }}"), "alert.template"),
        ("/alert/mitre", json!([1]), "alert.mitre[0]"),
        ("/grouper/grouped_by", json!("x"), "grouper.grouped_by"),
        ("/grouper/grouped_by/0", json!(1), "grouper.grouped_by[0]"),
        (
            "/grouper/detection_windows",
            json!(0),
            "grouper.detection_windows",
        ),
        (
            "/grouper/detection_windows",
            json!(null),
            "grouper.detection_windows",
        ),
        (
            "/grouper/detection_windows_unit",
            json!("d"),
            "grouper.detection_windows_unit",
        ),
        (
            "/grouper/grouped_time_type",
            json!("RFC333x"),
            "grouper.grouped_time_type",
        ),
        (
            "/grouper/aggregate_unique",
            json!("yes"),
            "grouper.aggregate_unique",
        ),
        ("/actions/0/type", json!("mail"), "actions[0].type"),
        ("/actions/0/key", json!({}), "actions[0].key"),
        (
            "/actions/0/key/_default/type",
            json!("x"),
            "actions[0].key._default.type",
        ),
        ("/actions/0/TTL", json!([]), "actions[0].TTL"),
        ("/actions/0", json!(7), "actions[0]"),
        ("/conditions/0/type", json!("x"), "conditions[0].type"),
        ("/conditions/0/id", json!(""), "conditions[0].id"),
        (
            "/conditions/0/parentId",
            json!("nobody"),
            "conditions[0].parentId",
        ),
        (
            "/conditions/0/parentId",
            json!("uuid"),
            "conditions[0].parentId",
        ),
        (
            "/conditions/0/compareFn",
            json!("equals to"),
            "conditions[0].compareFn",
        ),
        (
            "/conditions/0/expressions",
            json!([]),
            "conditions[0].expressions",
        ),
        (
            "/conditions/0/expressions/0/type",
            json!("get"),
            "conditions[0].expressions[0].type",
        ),
        (
            "/conditions/0/expressions/0/value",
            json!(1),
            "conditions[0].expressions[0].value",
        ),
    ] {
        let mut data = sample();
        *data.pointer_mut(pointer).unwrap() = value.clone();
        assert_eq!(wrong(&data), [path], "{pointer} {value}");
    }
    for (pointer, path) in [
        ("", "extra"),
        ("/alert", "alert.extra"),
        ("/grouper", "grouper.extra"),
        ("/actions/0", "actions[0].extra"),
        ("/conditions/0", "conditions[0].extra"),
        (
            "/conditions/0/expressions/0",
            "conditions[0].expressions[0].extra",
        ),
    ] {
        let mut data = sample();
        data.pointer_mut(pointer).unwrap()["extra"] = json!(1);
        assert_eq!(wrong(&data), [path], "{pointer}");
    }
    for data in [json!(null), json!([]), json!("x"), json!(2)] {
        assert_eq!(wrong(&data), [""]);
    }
}

#[test]
fn circles_and_depths_are_refused() {
    let group = |id: usize, parent: Option<usize>| json!({"type": "and-condition", "id": id.to_string(), "parentId": parent.map(|p| p.to_string())});
    assert_eq!(
        condition(json!([group(0, Some(1)), group(1, Some(0))])).unwrap_err(),
        ["conditions"]
    );
    let deep: Vec<Json> = (0..200).map(|i| group(i, i.checked_sub(1))).collect();
    assert!(condition(json!(deep)).unwrap_err()[0].starts_with("conditions["));
    assert_eq!(
        condition(json!([group(0, None)])).unwrap_err(),
        ["conditions[0]"]
    );
    assert_eq!(
        condition(json!([group(0, None), group(0, None)])).unwrap_err()[0],
        "conditions[1].id"
    );
}

#[test]
fn texts_stay_literals_whatever_they_hold() {
    let hostile = "\" .. os.exit() .. \"\\\n]]\0\r--[[ \u{2028}";
    let text = lua::text(hostile);
    assert_eq!(
        text,
        "\"\\\" .. os.exit() .. \\\"\\\\\\n]]\\000\\r--[[ \u{2028}\""
    );
}
