//! The kernel with Jupyter's own client, nbclient and jupyter_kernel_test.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

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
            ("floods_are_cut", |at| {
                check(at, &["flood", "flood.stellar"])
            }),
            ("no_output_is_lost_or_late", |at| check(at, &["order"])),
            ("what_is_asked_while_a_cell_is_written", |at| {
                check(at, &["asked"]);
            }),
            ("hostile_messages_do_no_harm", |at| check(at, &["hostile"])),
        ],
    );
}

/// Runs a check of client.py with a kernel that was installed for it.
fn check(command: &str, arguments: &[&str]) {
    let home = Home::new();
    let prefix = home.path("prefix");
    let installed = home
        .command(&["kernel", "install", "--prefix", prefix.to_str().unwrap()])
        .output()
        .unwrap();
    assert!(installed.status.success(), "{installed:?}");
    let done = Command::new(command)
        .args(arguments)
        .current_dir(home.path(""))
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", home.path(""))
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
