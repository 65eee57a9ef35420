//! stellar rule: rules in files and in the store, tried, run, listed, added, removed, exported; and RULE_* of them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use serde_json::{Value as Json, json};
use support::Home;

/// Three failures of a user within a minute.
const BRUTE: &str = r#"
local re = "^(?i)(root|admin)$"
function on_logline(e)
  if compare(e:get("id"), "==", "4625") and e:gets("user"):search(re) then
    log("failed: " .. e:gets("user"))
    failed:feed(e)
  end
end
function on_failed(g)
  if g.aggregatedData.aggregated.total >= 3 then
    alert({template = "{{ .Meta.user }} fails", risk_level = 6, logs = g.aggregatedData.loglines,
      mitre = {"T1110"}, meta = {user = g.aggregatedData.loglines[1]:gets("user")}})
    failed:clear()
  end
end
failed = grouper.new({"user"}, {"ip"}, "@timestamp,RFC3339", "1m", on_failed)
"#;

/// Four events that concern the rule, one that does not.
fn events() -> String {
    let event = |second: u32, id: Json, user: &str| {
        json!({"@timestamp": format!("2024-05-01T10:00:0{second}Z"), "id": id, "user": user, "ip": "10.0.0.1"})
            .to_string()
    };
    [
        event(0, json!(4625), "root"),
        event(1, json!("4625"), "bob"),
        event(2, json!("4625"), "root"),
        event(3, json!("4625"), "Admin"),
        event(4, json!("4625"), "root"),
    ]
    .join("\n")
}

fn with_rule() -> Home {
    let home = Home::new();
    home.write("brute.lua", BRUTE);
    home.write("events.jsonl", events());
    home
}

fn one(ran: &support::Ran) -> Json {
    serde_json::from_str(ran.out()).unwrap()
}

#[test]
fn rules_are_added_listed_exported_and_removed() {
    let home = with_rule();
    let added = home.run(
        &[
            "rule",
            "add",
            "brute.lua",
            "--description",
            "Failed logins",
            "--filter",
            "id != 1",
            "--active",
        ],
        "",
    );
    let added = added.ended(0);
    assert!(
        added.err.contains("brute is added: active"),
        "{}",
        added.err
    );
    let id = added.out().trim().to_string();
    let listed = home.run(&["rule", "list"], "").ended(0).json();
    assert_eq!(listed[0]["id"], json!(id));
    assert_eq!(listed[0]["filters"], json!(["brute: filter"]));
    assert_eq!(listed[0]["active"], json!(true));
    let ids = home.run(&["rule", "list", "FAILED", "--format", "ids"], "");
    assert_eq!(ids.ended(0).lines(), [id.as_str()]);
    assert!(
        home.run(&["rule", "list", "other"], "")
            .ended(0)
            .json()
            .is_empty()
    );
    assert!(
        home.run(&["rule", "list", "--inactive"], "")
            .ended(0)
            .json()
            .is_empty()
    );
    let table = home
        .run(&["rule", "list", "--format", "table"], "")
        .ended(0);
    assert!(table.out().contains("brute: filter"), "{}", table.out());
    // What is exported is what the API answers, and comes back as it was.
    let lua = home.run(&["rule", "export", "brute", "--lua"], "").ended(0);
    assert_eq!(lua.out().trim(), BRUTE.trim());
    let exported = home.run(&["rule", "export", id.as_str()], "").ended(0);
    let whole = one(&exported);
    assert_eq!(whole["description"], json!("Failed logins"));
    assert_eq!(
        whole["logmule_go_filters"][0]["expression"],
        json!("id != 1")
    );
    assert_eq!(whole["logmule_go_results"], Json::Null);
    let all = home.run(&["rule", "export"], "").ended(0);
    let line = home.run(&["rule", "export", "--jsonl"], "").ended(0);
    assert_eq!(line.json(), [whole]);
    home.run(&["rule", "remove", "brute"], "").ended(0);
    assert!(home.run(&["rule", "list"], "").ended(0).json().is_empty());
    home.run(&["rule", "add", "-"], all.out()).ended(0);
    let again = home.run(&["rule", "export"], "").ended(0);
    assert_eq!(all.out(), again.out());
    // Into another store, with everything that belongs to it.
    let other = Home::new();
    home.run(&["rule", "export", "--into", "out"], "").ended(0);
    let text = std::fs::read(home.path("out/brute.json")).unwrap();
    other.write("rule.json", text);
    other.run(&["rule", "add", "rule.json"], "").ended(0);
    assert_eq!(other.run(&["rule", "export"], "").ended(0).out(), all.out());
}

#[test]
fn a_rule_that_is_there_is_changed_only_when_that_is_said() {
    let home = with_rule();
    home.run(
        &[
            "rule",
            "add",
            "brute.lua",
            "--description",
            "first",
            "--active",
        ],
        "",
    )
    .ended(0);
    let refused = home.run(&["rule", "add", "brute.lua"], "").ended(1);
    assert!(refused.err.contains("--replace"), "{}", refused.err);
    home.write("brute.lua", format!("-- new\n{BRUTE}"));
    home.run(&["rule", "add", "brute.lua", "--replace"], "")
        .ended(0);
    let whole = one(&home.run(&["rule", "export", "brute"], "").ended(0));
    // What was not given stays.
    assert_eq!(whole["description"], json!("first"));
    assert_eq!(whole["active"], json!(true));
    assert!(whole["lua"].as_str().unwrap().starts_with("-- new"));
    home.run(&["rule", "deactivate", "brute"], "").ended(0);
    let listed = home.run(&["rule", "list"], "").ended(0).json();
    assert_eq!(listed[0]["active"], json!(false));
    home.run(&["rule", "activate", "brute"], "").ended(0);
    let listed = home.run(&["rule", "list", "--active"], "").ended(0).json();
    assert_eq!(listed.len(), 1);
}

#[test]
fn what_cannot_run_is_not_stored() {
    let home = with_rule();
    home.write("bad.lua", "function on_logline(e) x = = 1 end");
    let refused = home
        .run(&["rule", "add", "brute.lua", "bad.lua"], "")
        .ended(1);
    assert!(refused.err.contains("bad.lua:1:28"), "{}", refused.err);
    let refused = home.run(&["rule", "add", "brute.lua", "--filter", "id =="], "");
    assert!(refused.ended(1).err.contains("filter brute: filter:1:"));
    home.write(
        "typed.json",
        r#"[{"name": "a", "lua": ""}, {"name": "b", "active": 1}]"#,
    );
    let refused = home.run(&["rule", "add", "typed.json"], "").ended(1);
    assert!(
        refused
            .err
            .contains("typed.json: active: must be a boolean"),
        "{}",
        refused.err
    );
    home.write("twice.json", "{\"name\": \"a\",\n \"name\": \"b\"}");
    let refused = home.run(&["rule", "add", "twice.json"], "").ended(1);
    assert!(
        refused.err.contains("name: stands twice"),
        "{}",
        refused.err
    );
    home.write("empty.json", "[]");
    home.run(&["rule", "add", "empty.json"], "").ended(1);
    home.run(&["rule", "add", "missing.lua"], "").ended(1);
    assert!(home.run(&["rule", "list"], "").ended(0).json().is_empty());
    let unknown = home.run(&["rule", "remove", "nothing"], "").ended(1);
    assert!(
        unknown.err.contains("there is no rule nothing"),
        "{}",
        unknown.err
    );
    home.run(&["rule", "add", "brute.lua"], "").ended(0);
    for command in ["remove", "test", "check", "export", "activate"] {
        let unknown = home.run(&["rule", command, "brut"], "").ended(1);
        assert!(
            unknown.err.contains("did you mean brute?"),
            "{command}: {}",
            unknown.err
        );
    }
}

#[test]
fn rules_of_the_original_platform_are_taken_as_they_are() {
    let home = Home::new();
    let rule = |id: &str, name: &str| {
        json!({
            "id": id, "created_at": "2023-12-20T00:00:01.652259Z", "updated_at": "2023-12-20T00:00:01.652259Z",
            "trace_id": "t", "name": name, "frontend_data": null, "test_data": [{"a": 1}],
            "settings": {"max_alerts": 5, "max_rule_memory_mb": 64, "unknown": [1]}, "active": false, "reload": true,
            "finding_id": "f-1", "description": "d", "lua": "function on_logline(logline) log(tostring(logline:get('a'))) end",
            "is_retro": false, "is_system": false, "stats": {"result_count": 3, "error_count": 1}, "is_error": 0,
            "running_at": "2023-12-20T00:00:01.652259Z",
            "logmule_go_filters": [{"id": "x", "name": "windows", "query": {"match": 1}}],
            "logmule_go_modules": [{"id": "m", "name": "tools", "content": "function helper() return 1 end"}],
            "logmule_go_results": null, "finding": {"id": "f-1", "name": "Brute force"},
        })
    };
    // A list, an answer that lists, one after the other.
    for (text, first) in [
        (
            json!([rule("1", "one"), rule("2", "two")]).to_string(),
            "one",
        ),
        (
            json!({"items": [rule("3", "three")], "total": 1}).to_string(),
            "three",
        ),
        (
            format!("{}\n{}\n", rule("4", "four"), rule("5", "five")),
            "four",
        ),
    ] {
        let added = home.run(&["rule", "add", "-"], text).ended(0);
        assert!(
            added
                .err
                .contains("a filter without a name and a Stellar expression is left out"),
            "{}",
            added.err
        );
        let whole = one(&home.run(&["rule", "export", first], "").ended(0));
        let sent = rule(whole["id"].as_str().unwrap(), first);
        for field in [
            "settings",
            "test_data",
            "stats",
            "created_at",
            "updated_at",
            "lua",
            "finding_id",
        ] {
            assert_eq!(whole[field], sent[field], "{field}");
        }
        assert_eq!(
            whole["logmule_go_modules"][0]["content"],
            sent["logmule_go_modules"][0]["content"]
        );
        assert_eq!(whole["finding"]["name"], json!("Brute force"));
    }
    assert_eq!(home.run(&["rule", "list"], "").ended(0).json().len(), 5);
}

#[test]
fn a_test_shows_events_groups_logs_and_alerts() {
    let home = with_rule();
    let ran = home.run(
        &[
            "rule",
            "test",
            "brute.lua",
            "--events",
            "events.jsonl",
            "--expect",
            "1",
        ],
        "",
    );
    let text = ran.ended(0).out().to_string();
    for part in [
        "brute.lua: 5 events, 1 alert\n",
        "  1 {\"@timestamp\":\"2024-05-01T10:00:00Z\",\"id\":4625",
        "log in on_logline: failed: root",
        "on_failed [root]: 2 events, 1 value",
        "ALERT, risk 6\n        | root fails\n",
        "ATT&CK: T1110",
        "on_failed [root]: no events any more",
        "left in on_failed [Admin]: 1 event, 1 value",
        "on_logline: 5 calls",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    home.run(
        &[
            "rule",
            "test",
            "brute.lua",
            "--events",
            "events.jsonl",
            "--expect",
            "2",
        ],
        "",
    )
    .ended(1);
    home.run(
        &["rule", "add", "brute.lua", "--filter", "user != 'bob'"],
        "",
    )
    .ended(0);
    let arguments = [
        "rule",
        "test",
        "brute",
        "--events",
        "events.jsonl",
        "--format",
        "json",
    ];
    let report = one(&home.run(&arguments, "").ended(0));
    assert_eq!(report[0]["rule"], json!("brute"));
    assert_eq!(
        report[0]["filtered"],
        json!([{"event": 1, "filter": "brute: filter"}])
    );
    assert_eq!(report[0]["alerts"][0]["text"], json!("root fails"));
    assert_eq!(report[0]["changes"].as_array().unwrap().len(), 4);
    assert_eq!(report[0]["left"][0]["key"], json!(["Admin"]));
    // What a rule writes to table lists while it is tried stays with the trial.
    home.write(
        "table.lua",
        "local t = storage.new('t') function on_logline(e) log(tostring(t:count())) t:set(e:gets('user'), 'c', 1) end",
    );
    for _ in 0..2 {
        let ran = home.run(
            &["rule", "test", "table.lua", "--events", "events.jsonl"],
            "",
        );
        assert!(ran.ended(0).out().contains("log in on_logline: 0\n"));
    }
}

#[test]
fn a_check_finds_what_only_a_call_would_show() {
    let home = with_rule();
    home.run(&["rule", "check", "brute.lua", "--deny-warnings"], "")
        .ended(0);
    home.write(
        "bad.lua",
        "local re = \"a\\s(b\"\nfunction on_logline(e)\n  if e:gets('x'):search(re) then truncate(e) alrt{} end\n  \
         alert{template = '{{ .A', logs = {e}}\n  contains({'a'}, 'b', 'subb')\n  compare(1, '=>', 2)\nend",
    );
    let ran = home.run(&["rule", "check", "bad.lua"], "").ended(1);
    for part in [
        "error[E0209]",
        "bad.lua:1:16",
        "error[E0412]",
        "bad.lua:4:21",
        "bad.lua:5:25",
        "bad.lua:6:15",
        "bad.lua:3: nothing makes the function truncate",
        "bad.lua:3: nothing makes the function alrt, which is called here; did you mean alert?",
    ] {
        assert!(ran.err.contains(part), "{part}\n{}", ran.err);
    }
    let arguments = ["rule", "check", "bad.lua", "--format", "jsonl"];
    let lines = home.run(&arguments, "").ended(1).json();
    assert_eq!(lines[0]["line"], json!(1));
    assert_eq!(lines[0]["severity"], json!("error"));
    assert!(
        lines
            .iter()
            .any(|line| line["severity"] == json!("warning"))
    );
    // The parts of a rule, and what the visual constructor drew.
    home.write(
        "parts.json",
        json!({
            "name": "parts", "lua": "function on_logline(e) end",
            "settings": {"is_constructor": true},
            "frontend_data": {"version": 2, "conditions": [{"type": "none"}]},
            "logmule_go_filters": [{"name": "f", "expression": "a +"}],
            "logmule_go_modules": [{"name": "m", "content": "function h(x) return x:search('(') end"}],
        })
        .to_string(),
    );
    let ran = home.run(&["rule", "check", "parts.json"], "").ended(1);
    for part in ["filter f:1:", "m:1:", "frontend_data.conditions[0]"] {
        assert!(ran.err.contains(part), "{part}\n{}", ran.err);
    }
}

#[test]
fn rules_of_files_and_of_the_store_run_together() {
    let home = with_rule();
    home.write(
        "each.lua",
        "function on_logline(e) alert{template = 'seen', logs = {e}} end",
    );
    home.run(&["rule", "add", "brute.lua", "--active"], "")
        .ended(0);
    let arguments = [
        "rule",
        "run",
        "-r",
        "each.lua",
        "--active",
        "events.jsonl",
        "--stats",
        "--jobs",
        "2",
    ];
    let ran = home.run(&arguments, "").ended(0);
    let rules: Vec<Json> = ran
        .json()
        .iter()
        .map(|alert| alert["rule"].clone())
        .collect();
    assert_eq!(rules, ["each", "each", "each", "each", "each", "brute"]);
    assert!(
        ran.err
            .contains("note: brute: 5 events, 1 alerts, 1 groups left"),
        "{}",
        ran.err
    );
    assert!(
        ran.err.contains("read 5, bad 0, alerts 6, failed calls 0"),
        "{}",
        ran.err
    );
    // Nothing of it is kept, unless that is said.
    let alerts = |home: &Home| home.run(&["rule", "list"], "").ended(0).json()[0]["alerts"].clone();
    assert_eq!(alerts(&home), json!(0));
    home.run(
        &["rule", "run", "-r", "brute", "--record", "events.jsonl"],
        "",
    )
    .ended(0);
    assert_eq!(alerts(&home), json!(1));
    home.run(&["rule", "run", "events.jsonl"], "").ended(2);
    let other = Home::new();
    let none = other.run(&["rule", "run", "--active"], "").ended(1);
    assert!(none.err.contains("no active rules"), "{}", none.err);
    // The settings hold.
    home.write("most.json", json!({"name": "most", "settings": {"max_alerts": 2}, "lua": "function on_logline(e) alert{template = 'x'} end"}).to_string());
    let ran = home.run(&["rule", "run", "-r", "most.json", "events.jsonl"], "");
    let notices: Vec<Json> = ran
        .ended(0)
        .json()
        .iter()
        .map(|a| a["notice"].clone())
        .collect();
    assert_eq!(notices, [json!(false), json!(false), json!(true)]);
}

#[test]
fn functions_know_rules_by_name_and_file() {
    let home = with_rule();
    home.run(
        &["rule", "add", "brute.lua", "--filter", "user != 'bob'"],
        "",
    )
    .ended(0);
    let eval = |expression: &str| home.run(&["eval", expression], "");
    let list = "[{'id': 4625, 'user': 'root'}, {'id': 4625, 'user': 'root'}, {'id': 4625, 'user': 'root'}]";
    let texts = |rule: &str| format!("MAP(RULE_EVAL('{rule}', {list}), a -> MAP_GET('text', a))");
    assert_eq!(eval(&texts("brute")).ended(0).lines(), ["[root fails]"]);
    let near = eval("RULE_EVAL('brutes', {})").ended(1);
    assert!(near.err.contains("did you mean brute?"), "{}", near.err);
    // Files, where functions may read them.
    assert!(eval(&texts("brute.lua")).ended(1).err.contains("E0217"));
    let allowed = format!("functions.files=[\"{}\"]", home.path("").display());
    let ran = home.run(&["--set", &allowed, "eval", &texts("brute.lua")], "");
    assert_eq!(ran.ended(0).lines(), ["[root fails]"]);
    // A name that reads as Lua is the rule that has it.
    home.run(&["rule", "add", "brute.lua", "--name", "x = 1"], "")
        .ended(0);
    assert_eq!(eval(&texts("x = 1")).ended(0).lines(), ["[root fails]"]);
    assert_eq!(eval("RULE_EVAL('x = 2', {})").ended(0).lines(), ["[]"]);
    assert!(
        eval("RULE_EVAL('x = = 2', {})")
            .ended(1)
            .err
            .contains("E0101")
    );
    // What it writes to table lists stays with the call.
    let writer = "local t = storage.new(\"t\") function on_logline(e) log(tostring(t:count())) t:set(\"k\", \"c\", 1) end";
    eval(&format!(
        "RULE_LOAD('{writer}', {{'name': 'writer', 'test_data': [{{}}]}})"
    ))
    .ended(0);
    for _ in 0..2 {
        let logs = eval("MAP(MAP_GET('logs', RULE_TEST('writer')), n -> MAP_GET('text', n))");
        assert_eq!(logs.ended(0).lines(), ["[0]"]);
    }
    let names = eval("MAP(RULES('WRIT'), r -> MAP_GET('name', r))").ended(0);
    assert_eq!(names.lines(), ["[writer]"]);
    let taken = eval("RULE_LOAD('function on_logline(e) end', {'name': 'writer'})").ended(1);
    assert!(taken.err.contains("already used: name"), "{}", taken.err);
    let system = eval("RULE_LOAD({'name': 's', 'is_system': true, 'lua': ''})").ended(1);
    assert!(system.err.contains("rule of the system"), "{}", system.err);
}

#[test]
fn who_may_only_read_stores_no_rule() {
    let folder = tempfile::tempdir().unwrap();
    let options = stellar::config::Options {
        set: vec![format!(
            "store.path={}",
            folder.path().join("s.db").display()
        )],
        ..Default::default()
    };
    let around = stellar::config::Surroundings::default();
    let config = stellar::config::Config::load(&options, &around).unwrap();
    let mut engine = stellar::engine::Engine::new(config, &around, &Default::default()).unwrap();
    let load = "RULE_LOAD('function on_logline(e) end', {'name': 'quiet', 'replace': true})";
    engine.evaluate(load).unwrap();
    engine.context.only_reads = true;
    assert_eq!(engine.evaluate(load).unwrap_err().code.name(), "E0217");
    let may = "MAP(RULES(), r -> MAP_GET('name', r))";
    let names = stellar::eval::text::to_text(&engine.evaluate(may).unwrap());
    assert_eq!(names, "[quiet]");
    engine.evaluate("RULE_EVAL('quiet', {})").unwrap();
}

#[test]
fn a_check_tells_of_every_file() {
    let home = Home::new();
    home.write("bad.lua", b"\xff\xfe");
    home.write("wrong.lua", "x = = 1");
    home.write(
        "loop.lua",
        "function on_logline(e)\n  while true do end\nend",
    );
    let ran = home
        .run(
            &["rule", "check", "bad.lua", "nowhere.lua", "wrong.lua"],
            "",
        )
        .ended(1);
    for part in [
        "bad.lua is not UTF-8",
        "nowhere.lua cannot be read",
        "wrong.lua:1",
    ] {
        assert!(ran.err.contains(part), "{part}: {}", ran.err);
    }
    let lines = home
        .run(
            &["rule", "check", "--format", "jsonl", "bad.lua", "wrong.lua"],
            "",
        )
        .ended(1);
    let rules: Vec<_> = lines
        .json()
        .into_iter()
        .map(|one| one["rule"].clone())
        .collect();
    assert_eq!(rules, ["bad.lua", "wrong.lua"]);
    // A rule that is stopped is told with its line.
    let ran = home
        .run(&["rule", "run", "-r", "loop.lua"], "{}\n")
        .ended(1);
    assert!(
        ran.err.contains("loop:2: on_logline: stopped after 50 ms"),
        "{}",
        ran.err
    );
}
