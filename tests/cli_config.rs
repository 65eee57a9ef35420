//! The configuration on the command line: --config, --set, --globals, --now, --tz, --locale, doctor; and no secret in
//! any output.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use serde_json::{Value as Json, json};
use support::{Home, Ran};

#[test]
fn the_first_configuration_that_is_found_is_used_alone() {
    let home = Home::new();
    let depth = |arguments: &[&str]| -> (String, String) {
        let ran = home.run(&[arguments, &["doctor"]].concat(), "").ended(0);
        let rows = ran.json();
        let row = rows
            .iter()
            .find(|row| row["key"] == "limits.depth")
            .unwrap();
        (
            row["value"].as_str().unwrap().to_string(),
            row["from"].as_str().unwrap().to_string(),
        )
    };
    assert_eq!(depth(&[]), ("256".to_string(), "default".to_string()));
    home.write(
        "config/stellar/stellar.toml",
        "[limits]\ndepth = 101\nregex = 1000\n",
    );
    assert_eq!(depth(&[]).0, "101");
    home.write("stellar.toml", "[limits]\ndepth = 102\n");
    assert_eq!(depth(&[]).0, "102");
    home.write("other.toml", "# nothing\n[limits]\ndepth = 103\n");
    let (value, from) = depth(&["--config", "other.toml"]);
    assert_eq!(value, "103");
    assert!(from.contains("other.toml:3"), "{from}");
    assert_eq!(
        depth(&["--config", "other.toml", "--set", "limits.depth=104"]),
        ("104".to_string(), "--set".to_string())
    );
    let mut named = home.command(&["doctor"]);
    let out = named
        .env("STELLAR_CONFIG", home.path("other.toml"))
        .output()
        .unwrap();
    assert!(String::from_utf8(out.stdout).unwrap().contains("\"103\""));
    home.run(&["--config", "missing.toml", "doctor"], "")
        .ended(1);
}

#[test]
fn settings_count_wherever_they_stand_and_in_order() {
    let home = Home::new();
    let deep = "((((((((1))))))))";
    let fails = |arguments: &[&str]| home.run(arguments, "").ended(1).err.contains("E0302");
    assert!(fails(&["--set", "limits.depth=5", "eval", deep]));
    assert!(fails(&["eval", deep, "--set", "limits.depth=5"]));
    assert!(fails(&["eval", "--set=limits.depth=5", deep]));
    assert!(
        fails(&[
            "--set",
            "limits.depth=5",
            "eval",
            "--set",
            "run.tz=UTC",
            deep
        ]),
        "the first is not forgotten"
    );
    assert!(
        fails(&[
            "--set",
            "limits.depth=50",
            "eval",
            "--set",
            "limits.depth=5",
            deep
        ]),
        "the last one wins"
    );
    home.run(
        &[
            "--set",
            "limits.depth=5",
            "eval",
            "--set",
            "limits.depth=50",
            deep,
        ],
        "",
    )
    .ended(0);
    // Behind map it is a field; before it a setting.
    let ran = home
        .run(&["--set", "limits.depth=50", "map", "--set", "a=2"], "{}\n")
        .ended(0);
    assert_eq!(ran.out(), "{\"a\":2}\n");
    home.write("s", "args\n");
    let ran = home
        .run(
            &["--set", "limits.depth=50", "run", "s", "--", "--set", "x"],
            "",
        )
        .ended(0);
    assert_eq!(ran.out(), "[--set, x]\n");
    let ran = home
        .run(
            &[
                "--set",
                "run.tz=America/New_York",
                "store",
                "check",
                "--set",
                "limits.depth=9",
                "--format",
                "json",
            ],
            "",
        )
        .ended(0);
    assert_eq!(ran.json(), [json!([])]);
}

#[test]
fn unknown_keys_and_wrong_values_end_with_2_and_a_suggestion() {
    let home = Home::new();
    for (text, parts) in [
        (
            "[limits]\ndeph = 3\n",
            &["E0502", "limits.depth", "stellar.toml:2:1"][..],
        ),
        (
            "[limit]\ndepth = 3\n",
            &["E0502", "limits", "stellar.toml:1:2"],
        ),
        ("depth = 3\n", &["E0502"]),
        (
            "[limits]\ndepth = 'x'\n",
            &["E0501", "limits.depth", "stellar.toml:2:9"],
        ),
        ("[limits]\ndepth = 0\n", &["E0501", "limits.depth"]),
        ("[limits\n", &["stellar.toml:1"]),
        ("[limits]\ntime = '10 parsecs'\n", &["E0501", "limits.time"]),
    ] {
        home.write("stellar.toml", text);
        let ran = home.run(&["eval", "1"], "").ended(2);
        for part in parts {
            assert!(ran.err.contains(part), "{text}: {}", ran.err);
        }
    }
    home.write("stellar.toml", "");
    for setting in [
        "limits.deph=3",
        "nothing",
        "limits.depth=x",
        "=1",
        "limits=3",
    ] {
        let ran = home.run(&["eval", "1", "--set", setting], "").ended(2);
        assert!(ran.err.starts_with("error[E05"), "{setting}: {}", ran.err);
    }
    for wrong in [
        &["--tz", "Mars/Base"][..],
        &["--locale", "!"],
        &["--now", "yesterday"],
    ] {
        let ran = home.run(&[wrong, &["eval", "1"]].concat(), "").ended(2);
        assert!(ran.err.contains(wrong[1]), "{}", ran.err);
    }
}

#[test]
fn globals_come_from_metron_files_and_settings() {
    let home = Home::new();
    home.write(
        "global.json",
        r#"{"es.clustername": "metron", "n": 3, "m": {"a": [1]}}"#,
    );
    home.write(
        "profiler.properties",
        "# c\nprofiler.period.duration=5\nprofiler.period.duration.units=MINUTES\n",
    );
    home.write(
        "stellar.toml",
        "[globals]\n\"es.clustername\" = \"ours\"\nown = 1.5\n",
    );
    let globals = |arguments: &[&str]| {
        home.run(arguments, "%globals\n")
            .ended(0)
            .out()
            .trim_end()
            .to_string()
    };
    assert_eq!(globals(&[]), "{es.clustername=ours, own=1.5}");
    assert_eq!(
        globals(&["--globals", "global.json"]),
        "{es.clustername=metron, own=1.5, n=3, m={a=[1]}}"
    );
    let properties = globals(&["--globals", "profiler.properties"]);
    assert!(
        properties.contains("profiler.client.period.duration=5") && properties.contains("MINUTES"),
        "{properties}"
    );
    assert!(
        globals(&["--set", "globals.own=text", "--set", "globals.b=[1, true]"])
            .contains("own=text, b=[1, true]")
    );
    home.write("bad.json", "[1]");
    let ran = home.run(&["--globals", "bad.json"], "1\n");
    assert_ne!(ran.code, Some(0), "{}", ran.err);
    assert!(ran.err.contains("bad.json"), "{}", ran.err);
}

#[test]
fn time_zone_and_locale_are_inputs() {
    let home = Home::new();
    let out = |arguments: &[&str], expression: &str| {
        home.run(&[arguments, &["eval", expression]].concat(), "")
            .ended(0)
            .out()
            .trim_end()
            .to_string()
    };
    let now = "DATE_FORMAT('EEEE d. MMMM yyyy HH:mm', TO_LONG(1514292480000L), 'UTC')";
    assert_eq!(
        out(
            &["--tz", "UTC"],
            "TO_EPOCH_TIMESTAMP('2017-12-26 12:48', 'yyyy-MM-dd HH:mm')"
        ),
        "1514292480000"
    );
    assert_eq!(
        out(
            &["--tz", "America/New_York"],
            "TO_EPOCH_TIMESTAMP('2017-12-26 12:48', 'yyyy-MM-dd HH:mm')"
        ),
        "1514310480000"
    );
    assert_eq!(
        out(
            &["--set", "run.tz=Asia/Tokyo"],
            "TO_EPOCH_TIMESTAMP('2017-12-26 12:48', 'yyyy-MM-dd HH:mm')"
        ),
        "1514260080000"
    );
    assert_eq!(out(&[], now), "Tuesday 26. December 2017 12:48");
    assert_eq!(out(&["--now", "1514292480000"], "YEAR() + 0"), "2017");
    assert_eq!(
        out(
            &["--now", "2016-02-29T23:30:00Z", "--tz", "UTC"],
            "[YEAR(), MONTH(), DAY_OF_MONTH()]"
        ),
        "[2016, 1, 29]"
    );
    assert_eq!(
        out(
            &["--now", "2016-02-29T23:30:00Z", "--tz", "Asia/Tokyo"],
            "[YEAR(), MONTH(), DAY_OF_MONTH()]"
        ),
        "[2016, 2, 1]"
    );
    assert_eq!(out(&["--now", "-1", "--tz", "UTC"], "YEAR()"), "1969");
}

/// Something that must never be seen.
const CANARY: &str = "hunter2canary";

fn has_canary(ran: &Ran) -> bool {
    ran.err.contains(CANARY) || String::from_utf8_lossy(&ran.bytes).contains(CANARY)
}

#[test]
fn secrets_are_never_shown() {
    let home = Home::new();
    home.write("secret.txt", CANARY);
    let config = format!(
        "[store]\nevent = \"postgres://user:{CANARY}@127.0.0.1:1/mentat\"\ncollection = \"redis://:{CANARY}@127.0.0.1:1/0\"\n\
         rule = \"postgres://u:${{file:secret.txt}}@127.0.0.1:1/r\"\n[serve]\ntokens = [\"{CANARY}\"]\n\
         [globals]\n\"api.password\" = \"{CANARY}\"\n\"hook.url\" = \"https://user:{CANARY}@example.org/\"\n"
    );
    home.write("stellar.toml", &config);
    for format in ["table", "json", "jsonl", "csv", "text", "ids"] {
        let ran = home.run(&["doctor", "--format", format], "");
        assert!(!has_canary(&ran), "{format}: {} {}", ran.out(), ran.err);
        assert!(
            format == "ids" || ran.out().contains("mentat"),
            "the rest of the address is shown: {}",
            ran.out()
        );
    }
    let rows: Vec<Json> = home
        .run(&["doctor", "--format", "jsonl"], "")
        .ended(0)
        .json();
    assert!(rows.iter().any(|row| row["key"] == "serve.tokens"));
    for wrong in [
        config.replace("[serve]", "[serve]\nnothing = 1"),
        config.replace("tokens = [", "tokens = [[1], "),
        config.replace("[globals]", "[globals"),
        format!("{config}\npassword = {CANARY}"),
        format!("{config}\n\"my.token\" = {CANARY}\n"),
        format!("{config}\nsecret = \"{CANARY}\n"),
    ] {
        home.write("stellar.toml", wrong);
        let ran = home.run(&["eval", "1"], "");
        assert_ne!(ran.code, Some(0));
        assert!(!has_canary(&ran), "{}", ran.err);
    }
    home.write("stellar.toml", "");
    let setting = format!("serve.tokens={CANARY}");
    for arguments in [
        &["doctor", "--set", &setting][..],
        &[
            "doctor",
            "--format",
            "table",
            "--set",
            &format!("store.event=postgres://u:{CANARY}@127.0.0.1:1/x"),
        ],
    ] {
        let ran = home.run(arguments, "");
        assert!(!has_canary(&ran), "{} {}", ran.out(), ran.err);
    }
}

#[test]
fn doctor_says_what_does_not_answer() {
    let home = Home::new();
    let ran = home.run(&["doctor", "--format", "table"], "").ended(0);
    assert!(ran.out().contains("does not exist yet"), "{}", ran.out());
    let arguments = [
        "doctor",
        "--format",
        "table",
        "--set",
        "store.collection=redis://127.0.0.1:1/0",
    ];
    let ran = home.run(&arguments, "").ended(1);
    assert!(
        ran.out()
            .contains("collection store: 127.0.0.1:1 does not answer"),
        "{}",
        ran.out()
    );
    let arguments = [
        "doctor",
        "--format",
        "table",
        "--set",
        "store.rule=postgres://u:sesame@127.0.0.1:1/d",
    ];
    let ran = home.run(&arguments, "").ended(1);
    let line = ran
        .out()
        .lines()
        .find(|line| line.starts_with("rule store: "));
    assert!(
        line.is_some_and(|line| line.contains("127.0.0.1")),
        "{}",
        ran.out()
    );
    assert!(!ran.out().contains("sesame"));
}
