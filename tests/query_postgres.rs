//! Queries over tables of a real PostgreSQL.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use support::Home;
use support::postgres::{Own, run};

fn main() {
    support::live::run(
        "STELLAR_TEST_POSTGRES",
        &[
            ("tables_are_read", tables_are_read),
            ("tables_are_followed", tables_are_followed),
        ],
    );
}

/// A table for each kind of time, and a home that knows them.
fn home(own: &Own) -> Home {
    for (name, kind, times) in [
        (
            "zoned",
            "timestamptz",
            [
                "'1970-01-01 00:16:40.5+00'",
                "'1970-01-01 03:00:00+01'",
                "'infinity'",
            ],
        ),
        (
            "bare",
            "timestamp",
            [
                "'1970-01-01 00:16:40.5'",
                "'1970-01-01 02:00:00'",
                "'infinity'",
            ],
        ),
        ("numbers", "numeric", ["1000.5", "7200000000000", "NULL"]),
        (
            "texts",
            "text",
            ["'1970-01-01T00:16:40.5Z'", "'7200'", "'never'"],
        ),
    ] {
        let schema = &own.schema;
        run(
            &own.server,
            &format!(
                "CREATE TABLE {schema}.\"{name} \"\"x\"\"\" (\"at\" {kind}, who text, n bigint, \"Big\" jsonb, ips inet[])"
            ),
        );
        let [one, two, three] = times;
        run(
            &own.server,
            &format!(
                "INSERT INTO {schema}.\"{name} \"\"x\"\"\" VALUES ({one}, 'ann', 1, '{{\"a\": [1]}}', ARRAY['192.0.2.1'::inet]), ({two}, 'bob', 9999999999, NULL, NULL), ({three}, 'eve', 1, NULL, NULL)"
            ),
        );
    }
    let home = Home::new();
    let mut config = String::new();
    for name in ["zoned", "bare", "numbers", "texts"] {
        config += &format!(
            "[sources.{name}]\nurl = \"{}\"\ntable = '\"{name} \"\"x\"\"\"'\ntime = \"at\"\nlag = \"10s\"\n",
            own.address
        );
    }
    config += &format!(
        "[sources.none]\nurl = \"{}\"\ntable = \"zone\"\ntime = \"at\"\n",
        own.address
    );
    config += &format!(
        "[sources.untimed]\nurl = \"{}\"\ntable = '\"texts \"\"x\"\"\"'\ntime = \"att\"\n",
        own.address
    );
    config += "[sources.away]\nurl = \"postgres://me:secret@127.0.0.1:1/x\"\ntable = \"x\"\ntime = \"at\"\n";
    home.write("stellar.toml", config);
    home
}

fn tables_are_read(server: &str) {
    let own = Own::empty(server);
    let home = home(&own);
    for name in ["zoned", "bare", "numbers", "texts"] {
        let second = if name == "numbers" {
            7_200_000_000_000i64
        } else {
            7_200_000
        };
        let text = format!("from {name} select eventdate, who, n, Big.a as a, ips");
        let ran = home.run(&["query", &text], "");
        assert_eq!(
            ran.lines(),
            [
                r#"{"eventdate":1000500,"who":"ann","n":1,"a":[1],"ips":["192.0.2.1"]}"#.to_owned(),
                format!(
                    r#"{{"eventdate":{second},"who":"bob","n":9999999999,"a":null,"ips":null}}"#
                ),
            ],
            "{name}: {}",
            ran.err
        );
        let text = format!("from {name} where n < 5 select who");
        let ran = home.run(&["query", &text, "--from", "1000", "--to", "2000"], "");
        assert_eq!(ran.lines(), [r#"{"who":"ann"}"#], "{name}: {}", ran.err);
        let ran = home.run(&["query", &text, "--from", "1001", "--to", "2000"], "");
        assert!(ran.lines().is_empty(), "{name}: {}", ran.err);
    }
    for (text, said) in [
        ("from none", "there is no table zone"),
        ("from untimed", "did you mean at?"),
        ("from bare select whom", "did you mean who?"),
        ("from away", "127.0.0.1:1 does not answer"),
    ] {
        let ran = home.run(&["query", text], "").ended(1);
        assert!(ran.err.contains(said), "{text}: {}", ran.err);
        assert!(!ran.err.contains("secret"), "{}", ran.err);
    }
    let ran = home
        .run(&["query", "sources", "--format", "csv"], "")
        .ended(0);
    assert!(
        ran.out().contains("of postgres://me:****@127.0.0.1:1/x"),
        "{}",
        ran.out()
    );
}

fn tables_are_followed(server: &str) {
    let own = Own::empty(server);
    let home = home(&own);
    let mut talk = home.talk(&["query", "from zoned select who", "--follow"]);
    assert_eq!(talk.hear(), r#"{"who":"ann"}"#);
    assert_eq!(talk.hear(), r#"{"who":"bob"}"#);
    let add = format!(
        "INSERT INTO {}.\"zoned \"\"x\"\"\" VALUES ('1970-01-01 02:00:00+00', 'dan', 1), ('1970-01-01 02:00:00+00', 'dan', 1)",
        own.schema
    );
    for _ in 0..2 {
        run(server, &add);
        assert_eq!(talk.hear(), r#"{"who":"dan"}"#);
        assert_eq!(talk.hear(), r#"{"who":"dan"}"#);
    }
    talk.interrupt();
    assert_eq!(talk.end().0, Some(0));
}
