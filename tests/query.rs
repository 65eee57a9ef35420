//! Queries over files.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use support::Home;

const EVENTS: &str = r#"{"timestamp": 1000000, "user": "ann", "bytes": 5, "geo": {"city": "Brno"}}
{"timestamp": 1060000, "user": "bob", "bytes": 7}
{"timestamp": 1301000, "user": "ann", "bytes": 2.5}
{"timestamp": "1970-01-01T00:21:42Z", "user": "ann", "bytes": null}
{"user": "no time"}
no json
"#;

fn home() -> Home {
    let home = Home::new();
    home.write("web.jsonl", EVENTS);
    home.write(
        "stellar.toml",
        "[sources.web]\nfiles = \"web.jsonl\"\ntime = \"timestamp\"\n[sources.all]\nfiles = [\"*.jsonl\"]\n",
    );
    home
}

/// The lines of a query that meets two bad lines.
fn asked(text: &str) -> Vec<String> {
    let ran = home()
        .run(&["query", text, "--format", "jsonl"], "")
        .ended(1);
    assert!(
        ran.err.contains("web.jsonl:5: it has no timestamp"),
        "{}",
        ran.err
    );
    assert!(ran.err.contains("web.jsonl:6: "), "{}", ran.err);
    ran.lines().iter().map(|line| (*line).to_owned()).collect()
}

#[test]
fn rows_pass_conditions_and_columns() {
    assert_eq!(
        asked("from web where bytes > 3 select user, bytes * 2 as twice, geo.city, eventdate"),
        [
            r#"{"user":"ann","twice":10,"geo.city":"Brno","eventdate":1000000000}"#,
            r#"{"user":"bob","twice":14,"geo.city":null,"eventdate":1060000000}"#,
        ]
    );
    assert_eq!(
        asked("from web where user == 'bob' select *, TO_UPPER(user) as name"),
        [r#"{"eventdate":1060000000,"timestamp":1060000,"user":"bob","bytes":7,"name":"BOB"}"#]
    );
    assert_eq!(
        asked("from web select user offset 3"),
        [r#"{"user":"ann"}"#]
    );
}

#[test]
fn rows_become_groups() {
    assert_eq!(
        asked(
            "from web group by user select user, count() as n, count(bytes) as m, sum(bytes) as b, avg(bytes) as a, min(bytes) as low, max(bytes) as high, first(bytes) as f, last(bytes) as l, countdistinct(bytes) as d where n > 1"
        ),
        [r#"{"user":"ann","n":3,"m":2,"b":7.5,"a":3.75,"low":2.5,"high":5,"f":5,"l":2.5,"d":2}"#]
    );
    // Without a select: the start of the bucket, the keys, the aggregates.
    assert_eq!(
        asked("from web group every 1000h by user where count() > 1"),
        [r#"{"eventdate":0,"user":"ann","count()":3}"#]
    );
    assert_eq!(
        asked("from web group select max(bytes) - min(bytes) as spread"),
        [r#"{"spread":4.5}"#]
    );
    assert_eq!(
        asked("from web group by user, bytes > 4 as much select user, much, count() as n limit 2"),
        [
            r#"{"user":"ann","much":true,"n":1}"#,
            r#"{"user":"bob","much":true,"n":1}"#,
        ]
    );
}

#[test]
fn times_cut_rows_out() {
    let home = home();
    let count = |from: &str, to: &str| {
        let ran = home.run(
            &[
                "query",
                "from web select user",
                "--from",
                from,
                "--to",
                to,
                "--format",
                "jsonl",
            ],
            "",
        );
        ran.lines().len()
    };
    assert_eq!(count("1000000", "1301000"), 2);
    assert_eq!(count("1970-01-12T13:46:40Z", "now()"), 3);
    assert_eq!(count("yesterday()", "now()+1h"), 0);
    let ran = home
        .run(&["query", "from web", "--from", "soon"], "")
        .ended(2);
    assert!(ran.err.contains("\"soon\" is no time"), "{}", ran.err);
}

#[test]
fn what_does_not_exist_is_told_with_its_place() {
    let home = home();
    for (text, said) in [
        ("from webb", "there is no source webb"),
        ("from web select count()", "count needs a group before it"),
        ("from web group by user select usr", "did you mean user?"),
        (
            "from web group by user select sum(count())",
            "an aggregate of an aggregate",
        ),
        (
            "from web group by user select user select count()",
            "the first select behind its group",
        ),
        (
            "from web group by user select sum()",
            "sum takes one argument, not 0",
        ),
        (
            "from web select user, bytes as user",
            "there are two columns user",
        ),
        ("from web every 5m", "every stands behind a group"),
        ("from web group every 10m by user every 15m", "no multiple"),
        ("from web where NO_SUCH(user)", "NO_SUCH"),
    ] {
        let ran = home.run(&["query", text], "").ended(1);
        assert!(ran.err.contains(said), "{text}: {}", ran.err);
        assert!(ran.err.contains("query:1:"), "{text}: {}", ran.err);
    }
    let ran = home
        .run(
            &["query", "sources", "--source", "x=y", "--format", "ids"],
            "",
        )
        .ended(0);
    assert_eq!(
        ran.lines(),
        [
            "web",
            "all",
            "events",
            "profile",
            "system.internal.serrea.task",
            "system.internal.serrea.task.redis",
            "x"
        ]
    );
    home.write("stellar.toml", "[sources.web]\nfile = \"x\"\n");
    let ran = home.run(&["query", "sources"], "").ended(2);
    assert!(
        ran.err.contains("did you mean sources.web.files?"),
        "{}",
        ran.err
    );
}

#[test]
fn a_row_that_fails_is_left_out_and_told() {
    let home = home();
    let ran = home
        .run(
            &[
                "query",
                "from web where user + 1 select bytes / 0 as x",
                "--format",
                "jsonl",
            ],
            "",
        )
        .ended(1);
    assert!(ran.lines().is_empty());
    assert!(ran.err.contains("E0406"), "{}", ran.err);
}

#[test]
fn the_queries_of_the_published_examples_run() {
    let home = Home::new();
    home.write(
        "web.jsonl",
        "{\"eventdate\": 1000000, \"domain\": \"d\", \"username\": \"u\"}\n{\"eventdate\": 1000301, \"domain\": \"d\", \"username\": \"u\"}\n",
    );
    home.write(
        "stellar.toml",
        "[sources.siem.logtrust.web.activity]\nfiles = \"web.jsonl\"\n[sources]\n\"siem.logtrust.web.activityAll\" = {files = \"web.jsonl\"}\n",
    );
    let ran = home.run(
        &[
            "query",
            "from siem.logtrust.web.activity select * limit 10",
            "--from",
            "yesterday()",
            "--to",
            "now()",
        ],
        "",
    );
    assert!(ran.ended(0).lines().is_empty());
    let ran = home.run(
        &["query", "from siem.logtrust.web.activity select * limit 1"],
        "",
    );
    assert_eq!(
        ran.ended(0).lines(),
        [r#"{"eventdate":1000000000,"domain":"d","username":"u"}"#]
    );
    let text = "from siem.logtrust.web.activityAll group every 5m by domain, username every 5m";
    assert_eq!(
        home.run(&["query", text], "").ended(0).lines(),
        [
            r#"{"eventdate":999900000,"domain":"d","username":"u"}"#,
            r#"{"eventdate":1000200000,"domain":"d","username":"u"}"#,
        ]
    );
}

#[test]
fn a_source_names_one_place() {
    let home = Home::new();
    for (text, said) in [
        (
            "[sources.x]\ntime = \"a\"\n",
            "needs one of files, path, url and pipeline",
        ),
        (
            "[sources.x]\nfiles = \"a\"\npath = \"b\"\n",
            "needs one of files, path, url and pipeline",
        ),
        ("[sources.x]\npath = \"a\"\n", "needs table and time"),
        (
            "[sources.x]\nfiles = \"a\"\ntable = \"b\"\n",
            "has no meaning for files",
        ),
        (
            "[sources.x]\nfiles = \"a\"\nlag = \"soon\"\n",
            "sources.x.lag cannot have this value",
        ),
        (
            "[sources.a.b]\nfles = \"a\"\n",
            "did you mean sources.a.b.files?",
        ),
        ("sources.x = 3\n", "a table with files"),
    ] {
        home.write("stellar.toml", text);
        let ran = home.run(&["query", "sources"], "").ended(2);
        assert!(ran.err.contains(said), "{text}: {}", ran.err);
    }
}

#[test]
fn queries_are_saved_under_names() {
    let home = home();
    let text = "from web group by user select user, count() as n where n > 1";
    home.run(&["query", "save", "busy", text], "").ended(0);
    let ran = home.run(&["query", "busy", "--format", "jsonl"], "");
    assert_eq!(ran.lines(), [r#"{"user":"ann","n":3}"#]);
    let ran = home.run(&["eval", "QUERY('busy')"], "").ended(0);
    assert_eq!(ran.out().trim(), "[{user=ann, n=3}]");
    let ran = home.run(
        &[
            "eval",
            "QUERY('from web select user', {'limit': 1, 'from': 1000001, 'to': '1970-01-16'})",
        ],
        "",
    );
    assert_eq!(ran.out().trim(), "[{user=bob}]", "{}", ran.err);
    // Again the same is no matter; another one only in its place.
    home.run(&["query", "save", "busy", text], "").ended(0);
    let ran = home
        .run(&["query", "save", "busy", "from web"], "")
        .ended(2);
    assert!(ran.err.contains("--replace"), "{}", ran.err);
    home.run(&["query", "save", "busy", "from web", "--replace"], "")
        .ended(0);
    let ran = home.run(&["query", "show", "busy"], "").ended(0);
    assert_eq!(ran.out(), "from web\n");
    let ran = home.run(&["query", "list", "--format", "ids"], "").ended(0);
    assert_eq!(ran.lines(), ["busy"]);
    for (arguments, code, said) in [
        (
            &["query", "save", "a b", "from web"][..],
            2,
            "cannot name a query",
        ),
        (
            &["query", "save", "wrong", "from web where"][..],
            1,
            "the query ends too early",
        ),
        (
            &["query", "save", "wrong", "from webb"][..],
            1,
            "did you mean web?",
        ),
        (&["query", "busi"][..], 1, "did you mean busy?"),
        (
            &["query", "remove", "wrong"][..],
            1,
            "there is no saved query wrong",
        ),
    ] {
        let ran = home.run(arguments, "").ended(code);
        assert!(ran.err.contains(said), "{}", ran.err);
    }
    home.run(&["query", "remove", "busy"], "").ended(0);
    assert!(home.run(&["query", "list"], "").ended(0).lines().is_empty());
}

#[test]
fn hostile_texts_and_files_end_well() {
    let home = home();
    home.write("empty.jsonl", "");
    home.write("odd.jsonl", b"{\"eventdate\": 1, \"a\": \"\xff\"}\n{\"eventdate\": 1, \"a\": [1]}\n{\"eventdate\": 1e300}\n{\"eventdate\": 1, \"a\": 3}\n");
    let deep = format!(
        "from web where {}1{} == 1",
        "(".repeat(5000),
        ")".repeat(5000)
    );
    let long = format!("from web where {}", "x or ".repeat(20_000));
    for (text, code) in [
        ("from empty group by a", 0),
        ("from empty group select count() as n", 0),
        ("from web limit 0", 0),
        ("from web offset 18446744073709551615", 1),
        ("from web limit 18446744073709551616", 1),
        ("from web group every 9223372036854775807d by user", 1),
        ("from web group every 0s", 1),
        (
            "from odd group select sum(a) as s, max(a) as m, countdistinct(a) as d",
            1,
        ),
        ("from odd where a", 1),
        ("from web where 'unclosed", 1),
        ("from web where f(", 1),
        ("", 1),
        ("from", 1),
        ("select *", 1),
        ("from web select * select * select user as user", 1),
        (deep.as_str(), 1),
        (long.as_str(), 1),
    ] {
        let ran = home.run(
            &[
                "query",
                text,
                "--source",
                "empty=empty.jsonl",
                "--source",
                "odd=odd.jsonl",
            ],
            "",
        );
        assert!(
            ran.code == Some(code),
            "{:.100}: {:?} {:.2000}",
            text,
            ran.code,
            ran.err
        );
        assert!(!ran.err.contains("panic"), "{text}: {}", ran.err);
    }
}
