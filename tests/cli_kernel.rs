//! The kernel as a command: where it is installed, and connection files that are none.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use serde_json::{Value, json};
use std::net::TcpListener;
use support::Home;

/// A connection file at free ports; those that are held stay so until they are dropped.
fn connection(held: &TcpListener) -> Value {
    let free = || TcpListener::bind("127.0.0.1:0").unwrap();
    let port = |listener: &TcpListener| listener.local_addr().unwrap().port();
    json!({
        "ip": "127.0.0.1", "transport": "tcp", "key": "k", "signature_scheme": "hmac-sha256",
        "shell_port": port(&free()), "iopub_port": port(held), "stdin_port": port(&free()),
        "control_port": port(&free()), "hb_port": port(&free()),
    })
}

#[test]
fn connection_files_that_are_none_are_told() {
    let home = Home::new();
    home.write("text", "no json");
    home.write("less.json", "{\"ip\": \"127.0.0.1\"}");
    home.write("bytes.json", [0xff, 0xfe]);
    let held = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut other = connection(&held);
    other["signature_scheme"] = json!("hmac-md5");
    home.write("scheme.json", other.to_string());
    for (name, expected) in [
        ("missing.json", "error[E0403]"),
        ("text", "text is no connection file"),
        ("less.json", "missing field"),
        ("bytes.json", "error[E0402]"),
        ("scheme.json", "only hmac-sha256 is known"),
        (".", "error[E0403]"),
    ] {
        let ran = home.run(&["kernel", "run", name], "").ended(1);
        assert!(ran.err.contains(expected), "{name}: {}", ran.err);
        assert!(!ran.err.contains("panicked"), "{}", ran.err);
    }
}

#[test]
fn a_port_that_another_has_is_named() {
    let home = Home::new();
    let held = TcpListener::bind("127.0.0.1:0").unwrap();
    let info = connection(&held);
    home.write("taken.json", info.to_string());
    let ran = home.run(&["kernel", "run", "taken.json"], "").ended(1);
    let expected = format!(
        "the iopub channel cannot be had at tcp://127.0.0.1:{}",
        info["iopub_port"]
    );
    assert!(ran.err.contains(&expected), "{}", ran.err);
    assert!(ran.err.contains("another kernel"), "{}", ran.err);
}

#[test]
fn settings_before_the_command_are_those_of_the_kernel() {
    let home = Home::new();
    let arguments = "--tz Europe/Prague kernel install --prefix env";
    let arguments: Vec<&str> = arguments.split(' ').collect();
    home.run(&arguments, "").ended(0);
    let spec = home.path("env/share/jupyter/kernels/stellar/kernel.json");
    let spec: Value = serde_json::from_slice(&std::fs::read(spec).unwrap()).unwrap();
    let argv: Vec<&str> = spec["argv"].as_array().unwrap()[1..]
        .iter()
        .map(|one| one.as_str().unwrap())
        .collect();
    assert_eq!(
        argv,
        [
            "--tz",
            "Europe/Prague",
            "kernel",
            "run",
            "{connection_file}"
        ]
    );
    // A file where the folder should be.
    home.write("file", "");
    let ran = home
        .run(&["kernel", "install", "--prefix", "file"], "")
        .ended(1);
    assert!(ran.err.contains("error[E0404]"), "{}", ran.err);
}
