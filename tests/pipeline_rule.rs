//! `filter_rule`: rules of files and of the store in pipelines, their groups over a restart, their alerts as events.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use serde_json::{Value as Json, json};
use std::sync::Arc;
use support::serving::{lines, put, store, within};
use support::{Home, Ran};

/// Three failed logins of a user within ten minutes.
const BRUTE: &str = r#"
function on_logline(line)
    if line:gets("outcome") == "failure" then failed:feed(line) end
end
function on_grouped(grouped)
    if grouped.aggregatedData.aggregated.total >= 3 then
        alert({template = "{{.Meta.user}} failed", risk_level = 7, asset_ip = grouped.aggregatedData.loglines[1]:gets("ip"),
               logs = grouped.aggregatedData.loglines, mitre = {"T1110", "none"}, meta = {user = grouped.aggregatedData.loglines[1]:gets("user")}})
        failed:clear()
    end
end
failed = grouper.new({"user"}, {}, "time", "10m", on_grouped)
"#;

fn login(user: &str, outcome: &str, second: u32) -> String {
    let time = format!("2026-01-01T10:00:{second:02}Z");
    let line = json!({"user": user, "outcome": outcome, "time": time, "ip": "192.0.2.7"});
    format!("{line}\n")
}

fn run(home: &Home, steps: &str, more: &[&str]) -> Ran {
    let head = "pipelines:\n  p:\n    - {name: input_file, tag: log, watch_path: in, path_pattern: 'in/*.log'}\n    - {name: parser_json, match: log, key: log, mode: merge}\n";
    home.write("p.yaml", format!("{head}{steps}"));
    home.run(
        &[&["pipeline", "run", "--once", "p.yaml"], more].concat(),
        "",
    )
}

#[test]
fn alerts_of_files_become_events_and_groups_outlive_a_restart() {
    let home = Home::new();
    home.write("brute.lua", BRUTE);
    home.write(
        "in/a.log",
        [
            login("eve", "failure", 0),
            login("bob", "success", 1),
            login("eve", "failure", 2),
        ]
        .concat(),
    );
    let steps = "    - {name: filter_rule, match: log, rules: brute.lua, tag: raised}\n    - {name: output_file, match: raised, path: alerts}\n    - {name: output_file, match: log, path: events}\n";
    let state = ["--state", "s.json", "--stats"];
    run(&home, steps, &state).ended(0);
    assert_eq!(lines(&home, "alerts"), Vec::<Json>::new());
    assert_eq!(lines(&home, "events").len(), 3);
    // Another process goes on with the groups of the first.
    home.write("in/b.log", login("eve", "failure", 3));
    let ran = run(&home, steps, &state).ended(0);
    let alerts = lines(&home, "alerts");
    assert_eq!(alerts.len(), 1, "{}", ran.err);
    let alert = &alerts[0];
    assert_eq!(alert["text"], "eve failed");
    assert_eq!(alert["rule"], "brute");
    assert_eq!(alert["rule_id"], "brute");
    assert_eq!(alert["logs_total"], 3);
    assert_eq!(alert["logs"][2]["time"], "2026-01-01T10:00:03Z");
    assert_eq!(alert["notice"], false);
    assert!(ran.err.contains("alerts 1"), "{}", ran.err);
    // Nothing is raised again.
    run(&home, steps, &state).ended(0);
    assert_eq!(lines(&home, "alerts").len(), 1);
}

#[test]
fn events_go_on_unless_that_is_not_wanted() {
    let home = Home::new();
    home.write(
        "all.lua",
        "function on_logline(e) alert({template = e:gets('user')}) end",
    );
    home.write(
        "in/a.log",
        (0..5000)
            .map(|n| login(&format!("u{n}"), "failure", 1))
            .collect::<String>(),
    );
    let steps = "    - {name: filter_rule, match: log, rules: [all.lua], pass: false, threads: 2}\n    - {name: output_file, match: '*', path: out, with_tag: tag}\n";
    run(&home, steps, &[]).ended(0);
    let out = lines(&home, "out");
    assert_eq!(out.len(), 5000);
    for (number, alert) in out.iter().enumerate() {
        assert_eq!(alert["text"], format!("u{number}"));
        assert_eq!(alert["tag"], "alert");
    }
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let home = Home::new();
    home.write("in/a.log", login("eve", "failure", 0));
    home.write("bad.lua", "function on_logline(e)\n  x = = 1\nend");
    home.write(
        "bad.json",
        json!({"lua": "x = 1", "settings": {"max_alerts": "many"}}).to_string(),
    );
    put(&home, "1", "brute force", BRUTE, json!({}));
    for (rules, expected) in [
        ("bad.lua", "bad.lua:2: "),
        ("missing.lua", "missing.lua: "),
        ("bad.json", "settings.max_alerts"),
        ("brute farce", "brute force"),
        ("[]", "no rule is named"),
        ("[brute force, '1']", "two rules have the name brute force"),
    ] {
        let steps = format!("    - {{name: filter_rule, match: log, rules: {rules}}}\n");
        let ran = run(&home, &steps, &[]).ended(1);
        assert!(ran.err.contains(expected), "{rules}: {}", ran.err);
        assert!(ran.err.contains("p.yaml:5:"), "{rules}: {}", ran.err);
    }
    let steps = "    - {name: filter_rule, match: log, threads: 0}\n";
    let ran = run(&home, steps, &[]).ended(1);
    assert!(ran.err.contains("between 1 and 256"), "{}", ran.err);
}

#[test]
fn rules_of_the_store_run_and_leave_their_results() {
    let home = Home::new();
    put(&home, "1", "brute force", BRUTE, json!({}));
    put(
        &home,
        "2",
        "silent",
        "function on_logline(e) alert({template = 'never'}) end",
        json!({"active": false}),
    );
    put(
        &home,
        "3",
        "past",
        "function on_logline(e) alert({template = 'never'}) end",
        json!({"is_retro": true}),
    );
    put(
        &home,
        "4",
        "broken",
        "function on_logline(e) error('oh') end",
        json!({}),
    );
    home.write(
        "in/a.log",
        (0..3)
            .map(|n| login("eve", "failure", n))
            .collect::<String>(),
    );
    let steps = "    - {name: filter_rule, match: log}\n    - {name: output_file, match: alert, path: alerts}\n";
    let ran = run(&home, steps, &["--stats"]).ended(0);
    let alerts = lines(&home, "alerts");
    assert_eq!(alerts.len(), 1, "{}", ran.err);
    assert_eq!(alerts[0]["rule"], "brute force");
    assert!(ran.err.contains("rule broken, line 1: "), "{}", ran.err);
    assert!(ran.err.contains("failed_calls 3"), "{}", ran.err);
    let (rules, cancel) = (store(&home), Arc::default());
    let results = rules.results("1", (0, 10), within(&cancel)).unwrap();
    assert_eq!(results.total, 1);
    assert_eq!(results.items[0].alert["id"], alerts[0]["id"]);
    let rule = |id| rules.rule(id, within(&cancel)).unwrap().unwrap();
    assert_eq!(rule("1").stats.result_count, 1);
    assert_eq!(rule("4").stats.error_count, 3);
    assert_eq!(rule("2").stats.result_count, 0);
    // Named, a rule runs although it is not active; nothing is kept where that is not wanted.
    let steps = "    - {name: filter_rule, match: log, rules: [silent], results: false}\n    - {name: output_file, match: alert, path: named}\n";
    run(&home, steps, &[]).ended(0);
    assert_eq!(lines(&home, "named").len(), 3);
    assert_eq!(
        rules.results("2", (0, 10), within(&cancel)).unwrap().total,
        0
    );
}

#[test]
fn cases_of_pipelines_see_alerts_and_write_nothing() {
    let home = Home::new();
    put(&home, "1", "brute force", BRUTE, json!({}));
    home.write(
        "p.yaml",
        "pipelines:\n  p:\n    - {name: input_dummy, tag: log, data: {}}\n    - {name: filter_rule, match: log, rules: brute force, pass: false}\n    - {name: output_stdout, match: '*'}\ntests:\n  - name: three failures\n    input:\n      - {tag: log, record: {user: eve, outcome: failure, time: '2026-01-01T10:00:00Z'}}\n      - {tag: log, record: {user: eve, outcome: failure, time: '2026-01-01T10:00:01Z'}}\n      - {tag: log, record: {user: eve, outcome: failure, time: '2026-01-01T10:00:02Z'}}\n    expect:\n      - {tag: alert, fields: {text: eve failed, risk_level: 7.0}}\n  - name: two failures\n    input:\n      - {tag: log, record: {user: eve, outcome: failure, time: '2026-01-01T10:00:00Z'}}\n      - {tag: log, record: {user: eve, outcome: failure, time: '2026-01-01T10:00:01Z'}}\n    expect: []\n",
    );
    let ran = home.run(&["pipeline", "test", "p.yaml"], "").ended(0);
    assert!(ran.out().contains("2 passed, 0 failed"), "{}", ran.out());
    let (rules, cancel) = (store(&home), Arc::default());
    assert_eq!(
        rules.results("1", (0, 10), within(&cancel)).unwrap().total,
        0
    );
    let rule = rules.rule("1", within(&cancel)).unwrap().unwrap();
    assert_eq!(rule.stats.result_count, 0);
}
