//! Running pipelines: states over a stop, what is written once, signals, the list of actions.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::time::Duration;
use support::Home;

const FREQUENCY: &str = "pipelines:\n  p:\n    - {name: input_dummy, tag: log, data: [{k: a}, {k: 5}]}\n    - {name: filter_frequency, match: log, tag: al, alert: {}, query_key: k, num_events: 2, timeframe: 3600}\n    - {name: output_stdout, match: al}\n";

#[test]
fn states_survive_a_stop() {
    for state in ["states.json", "store"] {
        let home = Home::new();
        home.write("p.yaml", FREQUENCY);
        let run = || {
            let ran = home.run(
                &["pipeline", "run", "--once", "p.yaml", "--state", state],
                "",
            );
            ran.ended(0).lines().len()
        };
        assert_eq!((run(), run(), run()), (0, 2, 2), "{state}");
        home.run(&["pipeline", "run", "--once", "p.yaml"], "")
            .ended(0);
    }
}

#[test]
fn a_broken_state_is_told() {
    let home = Home::new();
    home.write("p.yaml", FREQUENCY);
    home.write("states.json", "[1]");
    let ran = home.run(
        &[
            "pipeline",
            "run",
            "--once",
            "p.yaml",
            "--state",
            "states.json",
        ],
        "",
    );
    assert!(ran.ended(1).err.contains("holds no states of pipelines"));
    let own = FREQUENCY.replace("timeframe: 3600", "timeframe: 3600, db_path: own.json");
    home.write("p.yaml", &own);
    home.write("own.json", "{");
    let ran = home
        .run(&["pipeline", "run", "--once", "p.yaml"], "")
        .ended(0);
    assert!(ran.err.contains("own.json is no JSON"), "{}", ran.err);
    let state = std::fs::read_to_string(home.path("own.json")).unwrap();
    assert!(state.starts_with("{\n    \"data\": {\n"), "{state}");
}

fn archive(data: &str) -> String {
    format!(
        "pipelines:\n  p:\n    - {{name: input_dummy, tag: log, data: {data}}}\n    - {{name: output_archive, match: log, time_key: t, path_template: 'out/{{s}}-%Y.json'}}\n"
    )
}

#[test]
fn an_archive_takes_what_comes_again_after_a_crash_once() {
    let home = Home::new();
    let run = |data: &str| {
        home.write("p.yaml", archive(data));
        home.run(
            &["pipeline", "run", "--once", "p.yaml", "--state", "s.json"],
            "",
        )
        .ended(0);
        std::fs::read_to_string(home.path("out/x-1970.json")).unwrap()
    };
    let a = "{\"t\": 1, \"s\": \"x\", \"n\": 1}\n";
    let b = a.replace("1}", "2}");
    let c = a.replace("1}", "3}");
    assert_eq!(run("[{t: 1, s: x, n: 1}]"), a);
    // What a crash leaves: lines behind the last saved state, which no end has marked.
    let state = std::fs::read_to_string(home.path("s.json")).unwrap();
    assert!(state.contains("\"clean\":true"), "{state}");
    home.write("s.json", state.replace("\"clean\":true", "\"clean\":false"));
    home.write("out/x-1970.json", format!("{a}{b}"));
    let data = "[{t: 1, s: x, n: 2}, {t: 1, s: x, n: 2}, {t: 1, s: x, n: 3}]";
    assert_eq!(run(data), format!("{a}{b}{b}{c}"));
    // After a clean end nothing comes again, however equal it is.
    assert_eq!(run("[{t: 1, s: x, n: 3}]"), format!("{a}{b}{b}{c}{c}"));
}

#[test]
fn paths_stay_below_their_folder() {
    let home = Home::new();
    home.write("p.yaml", archive("[{t: 1, s: ../../up}, {t: x, s: y}]"));
    let arguments = ["pipeline", "run", "--once", "p.yaml", "--stats"];
    let ran = home.run(&arguments, "").ended(0);
    assert!(home.path("out/______up-1970.json").exists());
    assert!(
        ran.err.contains("t is a string, not a time in seconds"),
        "{}",
        ran.err
    );
    assert!(
        ran.err
            .contains("in 2, bypass 0, do 2, out 0, dropped 0, failed 1"),
        "{}",
        ran.err
    );
}

#[test]
fn a_signal_ends_inputs_and_loses_nothing() {
    let home = Home::new();
    let file = archive("[{t: 1, s: x}, {t: 1, s: y}]").replace("data:", "repeat: 0, data:");
    home.write("p.yaml", file);
    let mut talk = home.talk(&["pipeline", "run", "p.yaml"]);
    while !home.path("out/y-1970.json").exists() {
        std::thread::sleep(Duration::from_millis(20));
    }
    talk.interrupt();
    assert_eq!(talk.end().0, Some(0));
    let count = |name: &str| {
        let text = std::fs::read_to_string(home.path(name)).unwrap();
        assert!(text.ends_with("}\n"));
        text.lines().count()
    };
    assert!(count("out/x-1970.json") > 0);
    assert_eq!(count("out/x-1970.json"), count("out/y-1970.json"));
}

#[test]
fn events_keep_their_order_over_all_cores() {
    let home = Home::new();
    let lines: String = (0..50_000).map(|n| format!("{{\"n\": {n}}}\n")).collect();
    home.write("in/a.log", lines);
    home.write(
        "p.yaml",
        "pipelines:\n  p:\n    - {name: input_file, tag: l, watch_path: in, path_pattern: 'in/*.log'}\n    - {name: parser_json, match: l, key: log}\n    - {name: filter_change, match: l, tag: c, alert: {}, compare_key: n, query_key: none}\n    - {name: output_stdout, match: l}\n",
    );
    let ran = home.run(
        &["pipeline", "run", "--once", "p.yaml", "--threads", "4"],
        "",
    );
    let ran = ran.ended(0);
    for (n, line) in ran.lines().iter().enumerate() {
        assert!(line.ends_with(&format!("{{'n': {n}}}")), "{n}: {line}");
    }
    assert_eq!(ran.lines().len(), 50_000);
}

#[test]
fn actions_are_listed_with_their_parameters() {
    let home = Home::new();
    let ids = home
        .run(&["pipeline", "list", "--format", "ids"], "")
        .ended(0);
    assert!(ids.lines().contains(&"parser_json"));
    for action in ids.lines() {
        let shown = home.run(&["pipeline", "list", action], "").ended(0);
        assert!(shown.out().contains("\n- name: "), "{action}");
    }
    let wrong = home.run(&["pipeline", "list", "parser_jsn"], "").ended(2);
    assert!(wrong.err.contains("did you mean parser_json?"));
}

#[test]
fn every_example_of_an_action_can_be_used() {
    use stellar::engine::Engine;
    use stellar::pipeline::config;
    for spec in Engine::actions().iter() {
        assert!(!spec.examples.is_empty(), "{}", spec.name);
        for example in spec.examples {
            let steps = example.replace('\n', "\n    ");
            let text = format!("pipelines:\n  p:\n    {steps}\n");
            let source = std::sync::Arc::new(stellar::diagnostic::Source::named("x", text));
            let file = config::from_source(&source, &Engine::actions());
            let file = file.unwrap_or_else(|faults| panic!("{}: {faults:?}", spec.name));
            let built = stellar::pipeline::engine::build(&file, &Engine::bare().context);
            // Secrets, certificates and definitions are somebody's own.
            let own = ["${", ".pem", ".json", ".lua"];
            let foreign = own.iter().any(|own| example.contains(own));
            assert!(built.is_ok() || foreign, "{}", spec.name);
        }
    }
}
