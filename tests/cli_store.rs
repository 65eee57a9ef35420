//! The embedded store on the command line: enrich and store.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use serde_json::json;
use support::Home;

const ASSETS: &str = "ip,owner,level\n10.0.0.1,alice,3\n10.0.0.2,\"bob, jr\",\n";

fn with_assets() -> Home {
    let home = Home::new();
    home.write("assets.csv", ASSETS);
    let ran = home
        .run(
            &[
                "enrich",
                "load",
                "assets.csv",
                "--type",
                "asset",
                "--indicator",
                "ip",
            ],
            "",
        )
        .ended(0);
    assert!(
        ran.out().starts_with("2 enrichments of type asset loaded"),
        "{}",
        ran.out()
    );
    home
}

fn eval(home: &Home, expression: &str) -> String {
    home.run(&["eval", expression], "")
        .ended(0)
        .out()
        .trim_end()
        .to_string()
}

#[test]
fn enrichments_from_csv_are_found_in_expressions() {
    let home = with_assets();
    assert_eq!(
        eval(
            &home,
            "ENRICHMENT_GET('asset', '10.0.0.1', 'enrichment', 't')"
        ),
        "{owner=alice, level=3}"
    );
    assert_eq!(
        eval(&home, "ENRICH('asset', '10.0.0.2')"),
        "{owner=bob, jr, level=null}"
    );
    assert_eq!(
        eval(
            &home,
            "ENRICHMENT_EXISTS('asset', '10.0.0.1', 'enrichment', 't')"
        ),
        "true"
    );
    assert_eq!(
        eval(
            &home,
            "ENRICHMENT_EXISTS('asset', '10.0.0.9', 'enrichment', 't')"
        ),
        "false"
    );
    assert_eq!(
        eval(
            &home,
            "ENRICHMENT_EXISTS('threat', '10.0.0.1', 'enrichment', 't')"
        ),
        "false"
    );
    assert_eq!(
        eval(
            &home,
            "ENRICHMENT_EXISTS('asset', '10.0.0.1', 'other', 't')"
        ),
        "false"
    );
    assert_eq!(eval(&home, "ENRICH('asset', null)"), "{}");
    let ran = home
        .run(
            &[
                "map",
                "MAP_GET('owner', ENRICH('asset', src), 'nobody')",
                "--threads",
                "2",
            ],
            "{\"src\":\"10.0.0.1\"}\n{\"src\":\"x\"}\n{}\n",
        )
        .ended(0);
    assert_eq!(ran.out(), "\"alice\"\n\"nobody\"\n\"nobody\"\n");
    let ran = home
        .run(
            &[
                "filter",
                "ENRICHMENT_EXISTS('asset', src, 'enrichment', 't')",
            ],
            "{\"src\":\"10.0.0.2\"}\n{\"src\":\"x\"}\n",
        )
        .ended(0);
    assert_eq!(ran.out(), "{\"src\":\"10.0.0.2\"}\n");
}

#[test]
fn enrichments_are_loaded_listed_replaced_and_removed() {
    let home = with_assets();
    home.write("more.jsonl", "{\"ip\":\"10.0.0.1\",\"owner\":\"eve\",\"tags\":[\"a\",1]}\n\n{\"ip\":5,\"owner\":\"five\"}\n");
    home.run(
        &[
            "enrich",
            "load",
            "more.jsonl",
            "--type",
            "asset",
            "--indicator",
            "ip",
        ],
        "",
    )
    .ended(0);
    assert_eq!(
        eval(&home, "ENRICH('asset', '10.0.0.1')"),
        "{owner=eve, tags=[a, 1]}"
    );
    assert_eq!(eval(&home, "ENRICH('asset', '5')"), "{owner=five}");
    assert_eq!(
        eval(&home, "MAP_GET('owner', ENRICH('asset', '10.0.0.2'))"),
        "bob, jr"
    );
    home.run(
        &[
            "enrich",
            "load",
            "more.jsonl",
            "--type",
            "threat",
            "--indicator",
            "owner",
            "--table",
            "other",
            "--family",
            "f",
        ],
        "",
    )
    .ended(0);
    let list = home.run(&["enrich", "list"], "").ended(0);
    assert_eq!(
        list.json(),
        [
            json!({"type": "asset", "count": 3, "table": "enrichment", "column_family": "t"}),
            json!({"type": "threat", "count": 2, "table": "other", "column_family": "f"}),
        ]
    );
    assert_eq!(
        home.run(&["enrich", "list", "--format", "csv"], "")
            .ended(0)
            .lines()[0],
        "type,count,table,column_family"
    );
    assert_eq!(
        home.run(&["enrich", "list", "--format", "ids"], "")
            .ended(0)
            .out(),
        "asset\nthreat\n"
    );
    assert!(
        home.run(&["enrich", "list", "--format", "table"], "")
            .ended(0)
            .out()
            .contains("threat")
    );
    let ran = home.run(&["enrich", "remove", "asset"], "").ended(0);
    assert!(ran.out().contains('3'), "{}", ran.out());
    assert_eq!(eval(&home, "ENRICH('asset', '10.0.0.1')"), "{}");
    assert_eq!(
        eval(&home, "ENRICHMENT_EXISTS('threat', 'eve', 'other', 'f')"),
        "true"
    );
    assert!(
        home.run(&["enrich", "remove", "asset"], "")
            .ended(0)
            .out()
            .contains('0')
    );
}

#[test]
fn bad_lines_of_enrichments_are_told_and_left_out() {
    let home = Home::new();
    home.write(
        "in.jsonl",
        "{\"ip\":\"a\",\"x\":1}\nbad\n{\"x\":2}\n{\"ip\":null}\n{\"ip\":\"b\",\"x\":3}\n",
    );
    let ran = home
        .run(
            &[
                "enrich",
                "load",
                "in.jsonl",
                "--type",
                "t",
                "--indicator",
                "ip",
            ],
            "",
        )
        .ended(1);
    assert!(
        ran.out()
            .starts_with("2 enrichments of type t loaded, 3 lines bad"),
        "{}",
        ran.out()
    );
    for line in ["in.jsonl:2:", "in.jsonl:3:", "in.jsonl:4:"] {
        assert!(ran.err.contains(line), "{}", ran.err);
    }
    home.write(
        "long.jsonl",
        format!(
            "{{\"ip\":\"{}\"}}\n{{\"ip\":\"c\",\"x\":4}}\n",
            "x".repeat(200_000)
        ),
    );
    let arguments = [
        "enrich",
        "load",
        "long.jsonl",
        "--type",
        "t",
        "--indicator",
        "ip",
        "--set",
        "limits.line=100000",
    ];
    let ran = home.run(&arguments, "").ended(1);
    assert!(
        ran.err.contains("long.jsonl:1:") && ran.out().starts_with("1 enrichments"),
        "{} {}",
        ran.err,
        ran.out()
    );
    home.run(
        &[
            "enrich",
            "load",
            "missing",
            "--type",
            "t",
            "--indicator",
            "ip",
        ],
        "",
    )
    .ended(1);
    home.run(&["enrich", "load", "in.jsonl", "--type", "t"], "")
        .ended(2);
}

#[test]
fn reading_creates_no_file() {
    let home = Home::new();
    assert_eq!(eval(&home, "ENRICH('asset', 'x')"), "{}");
    assert_eq!(home.run(&["enrich", "list"], "").ended(0).out(), "");
    let ran = home
        .run(&["store", "check", "--format", "json"], "")
        .ended(0);
    assert_eq!(ran.json(), [json!([])]);
    assert!(ran.err.contains("does not exist yet"), "{}", ran.err);
    home.run(&["doctor"], "").ended(0);
    assert!(
        !home.path("data").exists(),
        "the first write creates the store"
    );
}

#[test]
fn the_store_is_checked_copied_compacted_and_expired() {
    let home = with_assets();
    let database = home.path("data/stellar/stellar.db");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&database).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let tables = home.run(&["store", "check"], "").ended(0).json();
    assert!(
        tables.contains(&json!({"table": "enrichment_value", "rows": 2})),
        "{tables:?}"
    );
    let table = home
        .run(&["store", "check", "--format", "table"], "")
        .ended(0);
    assert!(
        table.out().contains("stellar.db") && table.out().contains("bytes"),
        "{}",
        table.out()
    );
    home.run(&["store", "backup", "copy.db"], "").ended(0);
    home.run(&["store", "backup", "copy.db"], "").ended(1);
    let ran = home
        .run(
            &[
                "eval",
                "ENRICH('asset', '10.0.0.1')",
                "--set",
                "store.path='copy.db'",
            ],
            "",
        )
        .ended(0);
    assert_eq!(ran.out(), "{owner=alice, level=3}\n");
    home.run(&["store", "compact"], "").ended(0);
    assert_eq!(
        home.run(&["store", "expire"], "").ended(0).out(),
        "collect: 0 rows removed\nprofile: 0 rows removed\nfollow: 0 rows removed\nrule: 0 rows removed\n"
    );
    assert_eq!(
        eval(&home, "MAP_GET('level', ENRICH('asset', '10.0.0.1'))"),
        "3"
    );
    std::fs::write(
        &database,
        "this is no database, and long enough to be seen as none",
    )
    .unwrap();
    for arguments in [
        &["store", "check"][..],
        &["enrich", "list"],
        &["eval", "ENRICH('asset', 'x')"],
        &["store", "compact"],
    ] {
        let ran = home.run(arguments, "");
        assert_eq!(
            ran.code,
            Some(1),
            "{arguments:?}: {} {}",
            ran.out(),
            ran.err
        );
        assert!(ran.err.contains("stellar.db"), "{arguments:?}: {}", ran.err);
    }
}
