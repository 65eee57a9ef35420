//! stellar profile, and what the shell says about empty answers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use serde_json::json;
use support::Home;

/// Noon, in period 1669628 of 15 minutes.
const NOW: &str = "2017-08-13T23:05:00Z";

fn with_profiles() -> Home {
    let home = Home::new();
    let put = |entity: &str, period: i64, groups: &str, value: &str| {
        format!(
            "PROFILE_PUT({{'profile': 'logins', 'entity': '{entity}', 'groups': {groups}, 'value': {value}, \
             'period': {{'duration': 900000, 'period': {period}}}}})\n"
        )
    };
    let script = [
        put("alice", 1_669_600, "[]", "1"),
        put("alice", 1_669_627, "[]", "2.5"),
        put("alice", 1_669_628, "[]", "STATS_ADD(STATS_INIT(), 1, 2)"),
        put("bob", 1_669_628, "['weekends', 3]", "'x'"),
    ]
    .concat();
    let ran = home.run(&["--now", NOW], script).ended(0);
    assert_eq!(ran.lines(), ["1"; 4]);
    home
}

#[test]
fn profiles_and_entities_are_listed() {
    let home = with_profiles();
    let listed = home.run(&["profile", "list"], "").ended(0).json();
    assert_eq!(
        listed,
        [json!({
            "profile": "logins", "duration": 900_000, "series": 2,
            "table": "profiler", "column_family": "P", "salt_divisor": 1000,
        })]
    );
    let listed = home.run(&["profile", "list", "logins"], "").ended(0).json();
    assert_eq!(
        listed,
        [
            json!({"entity": "alice", "groups": [], "from": "2017-08-13T16:00:00Z", "to": "2017-08-13T23:15:00Z",
                "duration": 900_000}),
            json!({"entity": "bob", "groups": ["weekends", "3"], "from": "2017-08-13T23:00:00Z",
                "to": "2017-08-13T23:15:00Z", "duration": 900_000}),
        ]
    );
    let ran = home
        .run(
            &[
                "profile", "list", "logins", "--limit", "1", "--format", "ids",
            ],
            "",
        )
        .ended(0);
    assert_eq!(ran.lines(), ["alice"]);
    assert_eq!(ran.err, "note: there are more than 1: --limit shows more\n");
    let ran = home
        .run(&["profile", "list", "--format", "csv"], "")
        .ended(0);
    assert_eq!(ran.lines()[1], "logins,900000,2,profiler,P,1000");
    let elsewhere = [
        "profile",
        "list",
        "logins",
        "--set",
        "globals.\"profiler.client.hbase.table\"=\"t\"",
    ];
    assert_eq!(home.run(&elsewhere, "").ended(0).out(), "");
    let ran = home.run(&["profile", "list", "login"], "").ended(0);
    assert_eq!(
        (ran.out(), ran.err.as_str()),
        (
            "",
            "note: nothing was found: there is no profile login; did you mean logins?\n"
        )
    );
}

#[test]
fn one_wrong_clock_does_not_hide_the_rest_unsaid() {
    let home = with_profiles();
    let put = "PROFILE_PUT({'profile': 'logins', 'entity': 'alice', 'groups': [], 'value': 7, \
               'period': {'duration': 900000, 'period': 99000000}})";
    home.run(&["--now", NOW], put).ended(0);
    let ran = home
        .run(&["profile", "get", "logins", "alice"], "")
        .ended(0);
    assert_eq!(ran.lines().len(), 1);
    assert!(
        ran.err.contains("begin in 2017-08-13T16:00:00Z") && ran.err.contains("--window"),
        "{}",
        ran.err
    );
}

#[test]
fn times_in_another_unit_are_told() {
    let home = Home::new();
    home.write(
        "p.json",
        r#"{"timestampField": "at", "profiles": [{"profile": "p", "foreach": "u", "result": "1"}]}"#,
    );
    let apply = |times: &[&str], more: &[&str]| {
        let line = |time: &&str| format!("{{\"u\": \"a\", \"at\": {time}}}\n");
        let lines: String = times.iter().map(line).collect();
        let arguments = [&["profile", "apply", "-c", "p.json", "-"], more].concat();
        home.run(&arguments, lines)
    };
    let good = "1783000000000";
    assert_eq!(apply(&[good], &[]).ended(0).err, "");
    let seconds = "note: 2 events are from before 1980: if at holds seconds, make it milliseconds since 1970\n";
    let ran = apply(&["1783000000", good, "1783000001"], &[]).ended(0);
    assert_eq!(ran.err, seconds);
    let micros = "note: 1 event is from after 2200: if at holds micro- or nanoseconds, make it milliseconds since 1970\n";
    assert_eq!(apply(&["1783000000000000"], &[]).ended(0).err, micros);
    // Those that are left out do not matter.
    let ran = apply(&["1783000000", good], &["--begin", "2000-01-01"]);
    assert_eq!(ran.ended(0).err, "");
    let ran = apply(&[good], &["--begin", "x"]).ended(2);
    assert!(ran.err.contains("--begin: \"x\" is neither"), "{}", ran.err);
    let ran = apply(&[good], &["--begin", "2026-01-02", "--end", "2026-01-01"]);
    assert!(ran.ended(2).err.contains("--end is the earlier one"));
}

#[test]
fn measurements_are_shown() {
    let home = with_profiles();
    let get = |more: &[&str]| {
        let arguments = [&["profile", "get", "--now", NOW, "--format", "csv"], more].concat();
        let ran = home.run(&arguments, "").ended(0);
        let rows: Vec<String> = ran.lines()[1..].iter().map(|row| row.to_string()).collect();
        (rows, ran.err)
    };
    let first = "2017-08-13T16:00:00Z,2017-08-13T16:15:00Z,1,1669600,900000";
    let (rows, err) = get(&["logins", "alice"]);
    assert_eq!((rows.len(), rows[0].as_str(), err.as_str()), (3, first, ""));
    assert!(rows[2].contains("1669628"), "{rows:?}");
    let (rows, _) = get(&[
        "logins",
        "alice",
        "--window",
        "from 30 minutes ago to 10 minutes ago",
    ]);
    assert_eq!(
        rows,
        ["2017-08-13T22:45:00Z,2017-08-13T23:00:00Z,2.5,1669627,900000"]
    );
    let (rows, _) = get(&["logins", "bob", "--group", "weekends", "--group", "3"]);
    assert_eq!(
        rows,
        ["2017-08-13T23:00:00Z,2017-08-13T23:15:00Z,x,1669628,900000"]
    );

    let (rows, err) = get(&["logins", "bob"]);
    assert!(rows.is_empty());
    assert_eq!(
        err,
        "note: nothing was found: it was measured in the groups [weekends, 3], not in []\n"
    );
    let (_, err) = get(&["login", "bob"]);
    assert_eq!(
        err,
        "note: nothing was found: there is no profile login; did you mean logins?\n"
    );
    let (_, err) = get(&[
        "logins",
        "alice",
        "--window",
        "from 4 hours ago to 3 hours ago",
    ]);
    assert!(
        err.contains("it was measured at times from 2017-08-13T16:00:00Z to 2017-08-13T23:15:00Z"),
        "{err}"
    );
    home.run(
        &["profile", "get", "logins", "alice", "--window", "1 week"],
        "",
    )
    .ended(1);
}

#[test]
fn measurements_are_removed() {
    let home = with_profiles();
    let delete = |more: &[&str]| {
        let arguments = [&["profile", "delete"], more].concat();
        home.run(&arguments, "").ended(0).out().to_string()
    };
    assert_eq!(delete(&["zzz"]), "0 measurements of profile zzz removed\n");
    assert_eq!(
        delete(&["logins", "--entity", "bob", "--group", "x"]),
        "0 measurements of profile logins removed\n"
    );
    assert_eq!(
        delete(&["logins", "--entity", "bob"]),
        "1 measurement of profile logins removed\n"
    );
    assert_eq!(
        delete(&["logins"]),
        "3 measurements of profile logins removed\n"
    );
    assert_eq!(home.run(&["profile", "list"], "").ended(0).out(), "");
    home.run(&["profile", "delete"], "").ended(2);
    home.run(&["profile", "delete", "p", "--group", "g"], "")
        .ended(2);
}

#[test]
fn scripts_say_why_nothing_is_found() {
    let home = with_profiles();
    let script = "PROFILE_GET('logins', 'alice', PROFILE_FIXED(1, 'HOURS'), ['x'])\n1 + 1\n";
    let ran = home.run(&["--now", NOW], script).ended(0);
    assert_eq!(ran.lines(), ["[]", "2"]);
    assert_eq!(
        ran.err,
        "note: PROFILE_GET finds nothing: it was measured in the groups [], not in [x]\n"
    );
    // Events are no people.
    let ran = home
        .run(
            &[
                "map",
                "PROFILE_GET('logins', user, PROFILE_FIXED(1, 'HOURS'))",
            ],
            "{\"user\":\"eve\"}\n",
        )
        .ended(0);
    assert_eq!(ran.err, "");
}

#[test]
fn what_has_expired_is_removed_on_demand() {
    let home = Home::new();
    let script = "PROFILE_PUT({'profile': 'p', 'entity': 'e', 'value': 1, 'expires': 1, \
                  'period': {'duration': 900000, 'period': 1669628}})\n";
    home.run(&["--now", NOW], script).ended(0);
    let expire = |now: &str| {
        home.run(&["store", "expire", "--now", now], "")
            .ended(0)
            .out()
            .to_string()
    };
    assert_eq!(
        expire("2017-08-14T23:00:00Z"),
        "collect: 0 rows removed\nprofile: 0 rows removed\nfollow: 0 rows removed\nrule: 0 rows removed\n"
    );
    assert_eq!(
        expire("2017-08-15T23:00:00Z"),
        "collect: 0 rows removed\nprofile: 1 rows removed\nfollow: 0 rows removed\nrule: 0 rows removed\n"
    );
}
