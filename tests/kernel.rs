//! The kernel with Jupyter's own client, nbclient and jupyter_kernel_test.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::path::Path;
use std::process::Command;
use support::Home;

fn main() {
    support::live::run(
        "STELLAR_TEST_JUPYTER",
        &[
            ("the_protocol_is_kept", |at| check(at, &["protocol"])),
            ("cells_show_what_they_give", |at| check(at, &["cells"])),
            ("errors_point_at_their_place", |at| check(at, &["errors"])),
            ("an_interrupt_keeps_the_variables", |at| {
                check(at, &["interrupt"]);
            }),
            ("a_restart_forgets_everything", |at| check(at, &["restart"])),
            ("quit_ends_the_kernel", |at| check(at, &["quit"])),
            ("an_orphan_ends", |at| check(at, &["orphan"])),
            ("functions_ask_for_input", |at| check(at, &["input"])),
            ("what_comes_is_shown_while_a_cell_runs", |at| {
                check(at, &["streams", "streams.stellar"]);
            }),
            ("commands_work_in_cells", |at| check(at, &["commands"])),
            ("several_front_ends_do_not_disturb_each_other", |at| {
                check(at, &["several"]);
            }),
            ("large_results_are_cut", |at| check(at, &["sizes"])),
            ("floods_are_cut", |at| {
                check(at, &["flood", "flood.stellar"])
            }),
            ("no_output_is_lost_or_late", |at| check(at, &["order"])),
            ("what_is_asked_while_a_cell_is_written", |at| {
                check(at, &["asked"]);
            }),
            ("hostile_messages_do_no_harm", |at| check(at, &["hostile"])),
            ("the_example_notebooks_show_what_they_hold", notebooks),
        ],
    );
}

/// Runs the example notebooks as their README says; with UPDATE=1 they hold afterwards what they have shown.
fn notebooks(command: &str) {
    let home = Home::new();
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let copied = Command::new("cp")
        .args(["-r", examples.to_str().unwrap(), "."])
        .current_dir(home.path(""))
        .status()
        .unwrap();
    assert!(copied.success());
    let logins = Command::new(support::generator::path())
        .args("--kind login --count 40000 --seed 8 --start 2026-10-05 --days 42".split(' '))
        .output()
        .unwrap();
    assert!(logins.status.success(), "{logins:?}");
    home.write("stellar-example-logins.jsonl", logins.stdout);
    // Entries of collections and windows hang on the time.
    let now = ["--now", "2026-11-16T00:00:00Z"];
    let config = ["--config", "examples/notebooks/stellar.toml"];
    for command in [
        "profile apply -c examples/06-profile/profiler.json stellar-example-logins.jsonl",
        "event load examples/notebooks/reports.jsonl",
    ] {
        let arguments: Vec<&str> = config.into_iter().chain(command.split(' ')).collect();
        home.run(&arguments, "").ended(0);
    }
    let update = std::env::var("UPDATE").unwrap_or_default();
    for name in ["01-first-steps", "02-profile", "03-investigation"] {
        let path = format!("examples/notebooks/{name}.ipynb");
        run(&home, command, &now, &["notebook", &path, &update]);
        if update == "1" {
            std::fs::copy(home.path(&path), examples.join("../").join(&path)).unwrap();
        }
    }
}

/// Runs a check of client.py.
fn check(command: &str, arguments: &[&str]) {
    run(&Home::new(), command, &[], arguments);
}

/// The same in a home, with a kernel that was installed for it with options.
fn run(home: &Home, command: &str, options: &[&str], arguments: &[&str]) {
    let prefix = home.path("prefix");
    let install = ["kernel", "install", "--prefix", prefix.to_str().unwrap()];
    let install: Vec<&str> = options.iter().copied().chain(install).collect();
    home.run(&install, "").ended(0);
    let done = Command::new(command)
        .args(arguments)
        .current_dir(home.path(""))
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", home.path(""))
        .env("XDG_DATA_HOME", home.path("data"))
        .env("JUPYTER_PATH", prefix.join("share/jupyter"))
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        done.status.success(),
        "{}\n{}",
        text(&done.stdout),
        text(&done.stderr)
    );
}
