//! The generator of the example data.
#![allow(clippy::unwrap_used, dead_code)]

use std::path::{Path, PathBuf};
use std::process::Command;

/// The generator of the example data, built as this test was.
pub fn path() -> PathBuf {
    let folder = Path::new(env!("CARGO_BIN_EXE_stellar")).parent().unwrap();
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--example", "generate"]);
    if folder.ends_with("release") {
        cargo.arg("--release");
    }
    // What this test was told of its package would make build scripts run again, and much be compiled.
    for (name, _) in std::env::vars_os() {
        let told = ["CARGO_PKG_", "CARGO_MANIFEST_"];
        if name
            .to_str()
            .is_some_and(|name| told.iter().any(|t| name.starts_with(t)))
        {
            cargo.env_remove(name);
        }
    }
    assert!(cargo.status().unwrap().success());
    folder.join("examples/generate")
}
