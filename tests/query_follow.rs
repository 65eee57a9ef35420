//! Queries over what grows.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::io::Write;
use std::time::Duration;
use support::{Home, Talk};

/// One line for each second.
fn lines(seconds: &[i64]) -> String {
    let line = |second: &i64| {
        format!(
            "{{\"timestamp\": {}, \"n\": {second}}}\n",
            1_000_000 + second
        )
    };
    seconds.iter().map(line).collect()
}

fn add(home: &Home, name: &str, text: &str) {
    let file = std::fs::OpenOptions::new()
        .append(true)
        .create(true)
        .open(home.path(name));
    file.unwrap().write_all(text.as_bytes()).unwrap();
}

fn home() -> Home {
    let home = Home::new();
    home.write("app.log", lines(&[1, 2]));
    home.write(
        "stellar.toml",
        "[sources.app]\nfiles = \"app.log*\"\nfollow = true\nlag = \"10s\"\n",
    );
    home
}

fn follow(home: &Home, text: &str) -> Talk {
    home.talk(&["--now", "1002000000", "query", text, "--follow"])
}

fn hears(talk: &Talk, wanted: &[&str]) {
    for line in wanted {
        assert_eq!(talk.hear(), *line);
    }
}

fn ends(mut talk: Talk) {
    talk.interrupt();
    assert_eq!(talk.end().0, Some(0));
}

#[test]
fn lines_come_as_they_are_written() {
    let home = home();
    let talk = follow(&home, "from app select n");
    hears(&talk, &["{\"n\":1}", "{\"n\":2}"]);
    add(&home, "app.log", &lines(&[3]));
    hears(&talk, &["{\"n\":3}"]);
    // Half a line waits for its end.
    let text = lines(&[4]);
    let (half, rest) = text.split_at(9);
    add(&home, "app.log", half);
    assert!(talk.is_silent(Duration::from_millis(300)));
    add(&home, "app.log", rest);
    hears(&talk, &["{\"n\":4}"]);
    ends(talk);
}

#[test]
fn files_are_followed_through_rotation() {
    let home = home();
    let talk = follow(&home, "from app select n");
    hears(&talk, &["{\"n\":1}", "{\"n\":2}"]);
    // Renamed: what is written to the old name for a moment counts, and nothing comes twice.
    std::fs::rename(home.path("app.log"), home.path("app.log.1")).unwrap();
    add(&home, "app.log.1", &lines(&[3]));
    hears(&talk, &["{\"n\":3}"]);
    add(&home, "app.log", &lines(&[4]));
    hears(&talk, &["{\"n\":4}"]);
    // Shifted once more.
    std::fs::rename(home.path("app.log.1"), home.path("app.log.2")).unwrap();
    std::fs::rename(home.path("app.log"), home.path("app.log.1")).unwrap();
    add(&home, "app.log", &lines(&[5]));
    hears(&talk, &["{\"n\":5}"]);
    // Copied and emptied: the copy brings nothing but what had not been read.
    std::fs::copy(home.path("app.log"), home.path("app.log.0")).unwrap();
    home.write("app.log", lines(&[60, 70, 80]));
    hears(&talk, &["{\"n\":60}", "{\"n\":70}", "{\"n\":80}"]);
    // Compressed.
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(lines(&[1, 2, 3]).as_bytes()).unwrap();
    home.write("app.log.3.gz", packed.finish().unwrap());
    std::fs::remove_file(home.path("app.log.2")).unwrap();
    add(&home, "app.log", &lines(&[90]));
    hears(&talk, &["{\"n\":90}"]);
    assert!(talk.is_silent(Duration::from_millis(1500)));
    ends(talk);
}

#[test]
fn groups_are_told_when_their_time_is_over() {
    let home = home();
    let talk = follow(
        &home,
        "from app group every 10s select eventdate, count() as n",
    );
    add(&home, "app.log", &lines(&[12, 19]));
    assert!(talk.is_silent(Duration::from_millis(500)));
    // Late by less than the lag.
    add(&home, "app.log", &lines(&[3, 20]));
    hears(&talk, &["{\"eventdate\":1000000000,\"n\":3}"]);
    // Too late, and a wrong clock.
    add(&home, "app.log", &lines(&[4, 90_000]));
    add(&home, "app.log", &lines(&[30]));
    hears(&talk, &["{\"eventdate\":1000010000,\"n\":2}"]);
    ends(talk);
}

#[test]
fn what_is_there_is_read_in_the_order_of_time() {
    let home = home();
    let seconds: Vec<i64> = (0..20_000).collect();
    home.write("app.log", lines(&seconds));
    let even: Vec<i64> = (0..10_000).map(|n| 2 * n).collect();
    home.write("app.log-b", lines(&even));
    let talk = home.talk(&[
        "query",
        "from app group every 5000s select count() as n limit 3",
        "--follow",
    ]);
    hears(&talk, &["{\"n\":7500}"; 3]);
}

#[test]
fn tables_and_pipes_are_followed() {
    let home = home();
    home.write("conn.csv", "eventdate,n\n1000001,1\n");
    let talk = home.talk(&[
        "query",
        "from c select n",
        "--source",
        "c=conn.csv",
        "--follow",
    ]);
    hears(&talk, &["{\"n\":1}"]);
    add(&home, "conn.csv", "1000002,2\n");
    hears(&talk, &["{\"n\":2}"]);
    ends(talk);
    let mut talk = home.talk(&["query", "from c select n", "--source", "c=-", "--follow"]);
    talk.say(lines(&[7]));
    hears(&talk, &["{\"n\":7}"]);
    talk.say("{\"timestamp\": 1000008, \"n\": 8}");
    talk.hang_up();
    hears(&talk, &["{\"n\":8}"]);
    assert_eq!(talk.end().0, Some(0));
}

#[test]
fn a_limit_and_an_end_end_it() {
    let home = home();
    let mut talk = follow(&home, "from app select n limit 2");
    hears(&talk, &["{\"n\":1}", "{\"n\":2}"]);
    assert_eq!(talk.end().0, Some(0));
    // The clock has passed the end, so what is there is all.
    let text = "from app group every 1h select count() as n";
    let ran = home
        .run(&["query", text, "--follow", "--to", "now()-1h"], "")
        .ended(0);
    assert_eq!(ran.lines(), ["{\"n\":2}"]);
    let ran = home
        .run(&["query", "from app group by n", "--follow"], "")
        .ended(1);
    assert!(ran.err.contains("write group every 5m"), "{}", ran.err);
    let ran = home.run(&["query", "from app", "--follow", "--format", "csv"], "");
    assert!(ran.ended(2).err.contains("only jsonl can be"));
}

#[test]
fn a_table_of_sqlite_is_read_and_followed() {
    let home = Home::new();
    home.write(
        "stellar.toml",
        "[sources.logins]\npath = \"l.db\"\ntable = \"logins\"\ntime = \"at\"\nlag = \"10s\"\n[sources.wrong]\npath = \"l.db\"\ntable = \"login\"\ntime = \"at\"\n",
    );
    let conn = rusqlite::Connection::open(home.path("l.db")).unwrap();
    conn.execute_batch(
        "CREATE TABLE logins (at, user TEXT, bytes INTEGER, raw BLOB);
         INSERT INTO logins VALUES (1000, 'ann', 5, x'00ff'), (2000000.5, 'bob', NULL, NULL), ('1970-01-01T00:50:00Z', 'eve', 9999999999, 'x'),
             (4000000000000, 'dan', 1, NULL), ('never', 'x', 1, 1);",
    )
    .unwrap();
    let ran = home.run(
        &[
            "query",
            "from logins where user != 'bob' select eventdate, user, bytes, raw, at",
            "--to",
            "3600000000",
        ],
        "",
    );
    let ran = ran.ended(1);
    assert_eq!(
        ran.lines(),
        [
            r#"{"eventdate":1000000,"user":"ann","bytes":5,"raw":"00ff","at":1000}"#,
            r#"{"eventdate":3000000,"user":"eve","bytes":9999999999,"raw":"x","at":"1970-01-01T00:50:00Z"}"#,
        ]
    );
    assert!(ran.err.contains("never is no time"), "{}", ran.err);
    let ran = home.run(
        &[
            "query",
            "from logins select user",
            "--from",
            "2000000",
            "--to",
            "3000000",
        ],
        "",
    );
    assert_eq!(ran.lines(), [r#"{"user":"bob"}"#]);
    for (text, said) in [
        ("from wrong", "did you mean logins?"),
        ("from logins select usr", "did you mean user?"),
    ] {
        let ran = home.run(&["query", text], "").ended(1);
        assert!(ran.err.contains(said), "{}", ran.err);
    }
    conn.execute_batch("DELETE FROM logins WHERE at = 'never'")
        .unwrap();
    let talk = home.talk(&[
        "query",
        "from logins where bytes > 0 select user",
        "--follow",
    ]);
    hears(
        &talk,
        &[
            "{\"user\":\"ann\"}",
            "{\"user\":\"dan\"}",
            "{\"user\":\"eve\"}",
        ],
    );
    let add = "INSERT INTO logins VALUES (4000000000, 'two', 1, 1), (4000000000, 'two', 1, 1)";
    conn.execute_batch(add).unwrap();
    hears(&talk, &["{\"user\":\"two\"}", "{\"user\":\"two\"}"]);
    conn.execute_batch(add).unwrap();
    hears(&talk, &["{\"user\":\"two\"}", "{\"user\":\"two\"}"]);
    ends(talk);
}
