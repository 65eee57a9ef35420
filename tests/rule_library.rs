//! The rules of `stdlib/rules/`: each is sound, raises what it should of NAME.alert.jsonl and nothing of
//! NAME.quiet.jsonl, in both ways of calling groups, and its notes name what it reads. What it raises stands in
//! `tests/golden/rules/NAME.out`; `UPDATE=1` writes it anew.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;
use std::process::Command;
use stellar::rule::event::Event;
use stellar::rule::grouper::When;
use stellar::rule::library::{Entry, LIBRARY, find};
use stellar::rule::lua::{NoteKind, Options};
use stellar::rule::trial::{Trial, Written, trial};

fn run(entry: &Entry, events: &[Event], when: When) -> Trial {
    let options = Options {
        when,
        ..Options::default()
    };
    let mut running = Written::text(entry.name, entry.lua).load(options).unwrap();
    let done = trial(&mut running, events, || Ok(())).unwrap();
    let said: Vec<&str> = done
        .notes
        .iter()
        .map(|(_, note)| note.text.as_str())
        .collect();
    assert!(said.is_empty(), "{}: {said:?}", entry.name);
    assert!(done.suspended.is_none());
    done
}

fn shown(done: &Trial) -> String {
    let mut text = String::new();
    for (at, alert) in &done.alerts {
        assert!(
            alert.template_error.is_none() && !alert.text.contains("<no value>"),
            "{}",
            alert.text
        );
        assert!(!alert.asset_ip.is_empty() || !alert.asset_hostname.is_empty());
        assert!((1.0..=10.0).contains(&alert.risk_level) && !alert.incident_identifier.is_empty());
        let assets = [&alert.asset_ip, &alert.asset_hostname, &alert.asset_fqdn];
        let assets: Vec<&str> = assets
            .iter()
            .map(|asset| asset.as_str())
            .filter(|asset| !asset.is_empty())
            .collect();
        let _ = writeln!(
            text,
            "event {}: {}\n  risk {}, {}, assets {}, incident {}, logs {} of {}",
            at + 1,
            alert.text,
            alert.risk_level,
            alert.mitre.join(" "),
            assets.join(" "),
            alert.incident_identifier,
            alert.logs.len(),
            alert.logs_total
        );
    }
    text
}

#[test]
fn rules_alert_and_stay_silent_as_they_say() {
    let update = std::env::var_os("UPDATE").is_some_and(|value| !value.is_empty());
    let mut wrong = Vec::new();
    let mut files = 0;
    for file in glob::glob("stdlib/rules/*.lua").unwrap() {
        let file = file.unwrap();
        let name = file.file_stem().unwrap().to_str().unwrap();
        let entry = find(name).unwrap();
        assert_eq!(entry.lua, std::fs::read_to_string(&file).unwrap());
        let (alerting, silent) = (entry.alerting().unwrap(), entry.silent().unwrap());
        let found = shown(&run(&entry, &alerting, When::EveryFeed));
        assert!(!found.is_empty(), "{name}");
        let expected = format!("tests/golden/rules/{name}.out");
        if update {
            std::fs::create_dir_all("tests/golden/rules").unwrap();
            std::fs::write(&expected, &found).unwrap();
        } else if std::fs::read_to_string(&expected).unwrap_or_default() != found {
            wrong.push(format!("{expected} differs:\n{found}"));
        }
        assert!(
            !run(&entry, &alerting, When::AfterBatch).alerts.is_empty(),
            "{name}"
        );
        for when in [When::EveryFeed, When::AfterBatch] {
            wrong.extend(Some(shown(&run(&entry, &silent, when))).filter(|text| !text.is_empty()));
        }
        files += 1;
    }
    assert_eq!(files, LIBRARY.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The texts of a rule that look like paths of fields.
fn paths(lua: &str) -> BTreeSet<String> {
    let code: String = lua
        .lines()
        .filter(|line| !line.trim_start().starts_with("--"))
        .collect::<Vec<_>>()
        .join("\n");
    let roots = [
        "observer.",
        "initiator.",
        "target.",
        "event.",
        "outcome.",
        "geo.",
    ];
    let texts = code.split('"').skip(1).step_by(2);
    let texts = texts.filter(|text| roots.iter().any(|root| text.starts_with(root)));
    texts.map(str::to_string).collect()
}

#[test]
fn notes_name_the_fields_and_every_setting_is_explained() {
    for entry in LIBRARY {
        let notes = entry.notes();
        let fields = notes
            .split("Fields: ")
            .nth(1)
            .unwrap()
            .split("\n\n")
            .next()
            .unwrap();
        let fields: BTreeSet<String> = fields
            .split('`')
            .skip(1)
            .step_by(2)
            .map(str::to_string)
            .collect();
        let code = &entry.lua[entry.lua.find("\n\n").unwrap()..];
        for field in &fields {
            assert!(
                code.contains(&format!("\"{field}")),
                "{}: {field} is not read",
                entry.name
            );
        }
        for path in paths(code) {
            assert!(
                fields.contains(&path),
                "{}: {path} is read and not named",
                entry.name
            );
        }
        assert!(notes.contains("False positives: "), "{}", entry.name);
        let description = entry.description();
        assert!(
            description.ends_with('.') && description.len() < 200,
            "{description}"
        );
        // All variables in capital letters are settings, and the notes speak of none that is not there.
        let settings: BTreeSet<&str> = entry
            .settings()
            .iter()
            .map(|setting| setting.name)
            .collect();
        let variables = entry
            .lua
            .lines()
            .filter_map(|line| line.strip_prefix("local ")?.split_once(" ="));
        let capital = |name: &str| name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
        let variables: BTreeSet<&str> = variables
            .map(|(name, _)| name)
            .filter(|name| capital(name))
            .collect();
        assert_eq!(settings, variables, "{}", entry.name);
        assert!(settings.len() >= 4);
        for word in notes
            .split('`')
            .skip(1)
            .step_by(2)
            .filter(|word| !word.is_empty() && capital(word))
        {
            assert!(settings.contains(word), "{}: {word}", entry.name);
        }
        for setting in entry.settings() {
            assert!(
                entry.lua.matches(setting.name).count() > 1,
                "{}: {}",
                entry.name,
                setting.name
            );
        }
    }
}

#[test]
fn bodies_are_rules_of_the_api() {
    for entry in LIBRARY {
        let body = entry.body();
        let map = stellar::eval::json::read_object(&body.to_string(), 100).unwrap();
        let written = Written::map(&map).unwrap();
        assert_eq!(written.test_data.len(), entry.alerting().unwrap().len());
        assert!(body["description"].as_str().unwrap().len() < 256 << 10);
    }
    assert_eq!(
        find("port-scn").unwrap_err().help.as_deref(),
        Some("did you mean port-scan?")
    );
}

/// What the notes of a rule give as steps of a pipeline, without the rule itself, which the test runs.
fn steps(entry: &Entry) -> String {
    let notes = entry.notes();
    let yaml = notes
        .split("```yaml\n")
        .nth(1)
        .unwrap()
        .split("```")
        .next()
        .unwrap();
    let before = yaml.split("- name: filter_rule").next().unwrap();
    before.lines().map(|line| format!("    {line}\n")).collect()
}

fn stellar(folder: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stellar"));
    command
        .current_dir(folder)
        .env("HOME", folder)
        .env("XDG_DATA_HOME", folder)
        .env("TZ", "UTC");
    for name in ["STELLAR_CONFIG", "XDG_CONFIG_HOME"] {
        command.env_remove(name);
    }
    let output = command.args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn what_a_host_sends_is_measured_and_compared_as_the_notes_of_data_exfiltration_say() {
    let entry = find("data-exfiltration").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut lines = String::new();
    for hour in 0..60 {
        for (host, bytes) in [("10.1.4.4", 20_000_000u64), ("10.1.4.5", 30_000_000)] {
            let loud = if host == "10.1.4.4" && hour == 55 {
                40
            } else {
                1
            };
            for target in ["203.0.113.9", "10.9.9.9"] {
                let day = 1 + hour / 24;
                let _ = writeln!(
                    lines,
                    r#"{{"@timestamp":"2024-05-0{day}T{:02}:10:00Z","initiator":{{"host":{{"ip":"{host}"}}}},"target":{{"host":{{"ip":"{target}"}}}},"bytes_out":{}}}"#,
                    hour % 24,
                    (bytes + hour * 10_000) * loud
                );
            }
        }
    }
    std::fs::write(folder.path().join("connections.jsonl"), lines).unwrap();
    let pipeline = format!(
        "pipelines:\n  p:\n    - {{name: input_file, tag: connection, watch_path: ., path_pattern: '*connections.jsonl'}}\n    \
         - {{name: parser_json, match: connection, key: log}}\n{}    - {{name: output_file, match: sent, path: sent.jsonl}}\n",
        steps(&entry)
    );
    std::fs::write(folder.path().join("p.yaml"), pipeline).unwrap();
    std::fs::write(folder.path().join("rule.lua"), entry.lua).unwrap();
    stellar(
        folder.path(),
        &[
            "--set",
            "store.path=\"s.db\"",
            "pipeline",
            "run",
            "--once",
            "p.yaml",
        ],
    );
    let alerts = stellar(
        folder.path(),
        &["rule", "run", "--rule", "rule.lua", "sent.jsonl"],
    );
    let alerts: Vec<&str> = alerts.lines().collect();
    assert_eq!(alerts.len(), 1, "{alerts:?}");
    assert!(
        alerts[0]
            .contains("10.1.4.4 has sent 822 MB to the outside in one period; 21 MB are usual"),
        "{}",
        alerts[0]
    );
}

#[test]
fn rules_load_without_warnings() {
    for entry in LIBRARY {
        let mut running = Written::text(entry.name, entry.lua)
            .load(Options::default())
            .unwrap();
        assert!(running.takes_events());
        assert!(
            !running
                .notes()
                .0
                .iter()
                .any(|note| note.kind == NoteKind::Warning)
        );
    }
}

/// Events whose fields hold what nobody expects there, one after the other.
fn hostile(event: &serde_json::Value) -> Vec<serde_json::Value> {
    fn paths(value: &serde_json::Value, path: &str, out: &mut Vec<String>) {
        for (name, inner) in value.as_object().into_iter().flatten() {
            let path = format!("{path}/{name}");
            paths(inner, &path, out);
            out.push(path);
        }
    }
    let long = "9".repeat(400);
    let odd = serde_json::json!([
        null, [], {}, true, -1, 1e300, 0, "", "NaN", [["a"]], {"a": {"b": 1}}, "2024-13-45T99:99:99Z",
        "2024-05-01T10:00:00+14:00", "%s{{", "я\u{0}", long
    ]);
    let mut all = Vec::new();
    paths(event, "", &mut all);
    let mut events = Vec::new();
    for path in all {
        for value in odd.as_array().unwrap() {
            let mut event = event.clone();
            *event.pointer_mut(&path).unwrap() = value.clone();
            events.push(event);
        }
    }
    events
}

#[test]
fn no_event_makes_a_rule_fail() {
    for entry in LIBRARY {
        let mut events = Vec::new();
        for line in entry.alert.lines().rev().take(12) {
            events.extend(hostile(&serde_json::from_str(line).unwrap()));
        }
        let events: Vec<Event> = events
            .iter()
            .map(|event| Event::read(event.to_string().as_bytes()).unwrap())
            .collect();
        run(entry, &events, When::EveryFeed);
    }
}

#[test]
fn the_command_lists_and_prints() {
    let folder = tempfile::tempdir().unwrap();
    let listed = stellar(folder.path(), &["rule", "library", "--format", "ids"]);
    let names: Vec<&str> = LIBRARY.iter().map(|entry| entry.name).collect();
    assert_eq!(listed.lines().collect::<Vec<_>>(), names);
    for entry in LIBRARY {
        let print = |more: &[&str]| {
            stellar(
                folder.path(),
                &[&["rule", "library", entry.name], more].concat(),
            )
        };
        assert_eq!(print(&[]), entry.lua);
        assert_eq!(print(&["--events", "alert"]), entry.alert);
        assert_eq!(print(&["--events", "quiet"]), entry.quiet);
        std::fs::write(
            folder.path().join("rule.json"),
            print(&["--format", "json"]),
        )
        .unwrap();
        // The rule brings its events along.
        let report = stellar(
            folder.path(),
            &["rule", "test", "rule.json", "--format", "jsonl"],
        );
        let report: serde_json::Value = serde_json::from_str(&report).unwrap();
        assert!(!report["alerts"].as_array().unwrap().is_empty());
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_stellar"));
    let output = command
        .args(["rule", "library", "port-scn"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("port-scan"));
}

#[test]
fn a_template_goes_into_the_store() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        stellar(
            folder.path(),
            &[&["--set", "store.path=\"s.db\"", "rule"], arguments].concat(),
        )
    };
    let entry = find("port-scan").unwrap();
    run(&[
        "add",
        "--template",
        "port-scan",
        "--template",
        "silence",
        "--active",
    ]);
    run(&[
        "add",
        "--template",
        "port-scan",
        "--name",
        "scans of the office",
    ]);
    let exported = run(&["export", "--lua", "scans of the office"]);
    assert_eq!(exported.trim_end(), entry.lua.trim_end());
    let rules = run(&["list", "--format", "json"]);
    let rules: serde_json::Value = serde_json::from_str(&rules).unwrap();
    assert_eq!(rules.as_array().unwrap().len(), 3, "{rules}");
    let report = run(&["test", "port-scan", "--format", "jsonl"]);
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["alerts"].as_array().unwrap().len(), 3);
}
