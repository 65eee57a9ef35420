//! `stellar fmt`: what it writes, what it leaves alone, how it ends.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn stellar(folder: &Path, arguments: &[&str], input: &str) -> (i32, String, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_stellar"))
        .current_dir(folder)
        .env("HOME", folder)
        .env_remove("STELLAR_CONFIG")
        .env_remove("XDG_CONFIG_HOME")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = child.stdin.take().unwrap();
    // A command that reads no input may have ended already.
    let _ = pipe.write_all(input.as_bytes());
    drop(pipe);
    let Output {
        status,
        stdout,
        stderr,
    } = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn rewrites_what_changes_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("untidy"), "x:=1").unwrap();
    fs::write(at("tidy"), "x := 1\n").unwrap();
    let long_ago = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000);
    let tidy = fs::File::options().write(true).open(at("tidy")).unwrap();
    tidy.set_modified(long_ago).unwrap();

    let (code, out, err) = stellar(folder.path(), &["fmt", "--check", "untidy", "tidy"], "");
    assert_eq!((code, out.as_str(), err.as_str()), (1, "untidy\n", ""));
    assert_eq!(fs::read_to_string(at("untidy")).unwrap(), "x:=1");

    let (code, out, _) = stellar(folder.path(), &["fmt", "--stdout", "untidy"], "");
    assert_eq!((code, out.as_str()), (0, "x := 1\n"));
    assert_eq!(fs::read_to_string(at("untidy")).unwrap(), "x:=1");

    let (code, out, err) = stellar(folder.path(), &["fmt", "untidy", "tidy"], "");
    assert_eq!((code, out.as_str(), err.as_str()), (0, "", ""));
    assert_eq!(fs::read_to_string(at("untidy")).unwrap(), "x := 1\n");
    assert_eq!(
        fs::metadata(at("tidy")).unwrap().modified().unwrap(),
        long_ago
    );
    assert_eq!(names(folder.path()), ["tidy", "untidy"]);

    let (code, out, _) = stellar(folder.path(), &["fmt", "--check", "untidy", "tidy"], "");
    assert_eq!((code, out.as_str()), (0, ""));
}

#[test]
fn leaves_what_does_not_parse_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.stellar");
    fs::write(&file, "x:=1\n  y  := 1 +  \nz:=3\n").unwrap();
    let (code, _, err) = stellar(folder.path(), &["fmt", "missing", "a.stellar"], "");
    assert_eq!(code, 1);
    assert!(
        err.contains("E0403") && err.contains("a.stellar:2:"),
        "{err}"
    );
    assert!(err.contains("left as it is"), "{err}");
    assert_eq!(
        fs::read_to_string(&file).unwrap(),
        "x := 1\n  y  := 1 +  \nz := 3\n"
    );
}

#[test]
fn formats_standard_input() {
    let folder = tempfile::tempdir().unwrap();
    let (code, out, _) = stellar(folder.path(), &["fmt", "-"], "{a:1}");
    assert_eq!((code, out.as_str()), (0, "{a : 1}\n"));
    let (code, out, _) = stellar(folder.path(), &["fmt", "--check", "-"], "{a:1}");
    assert_eq!((code, out.as_str()), (1, "standard input\n"));
    let (code, _, _) = stellar(folder.path(), &["fmt", "--check", "--stdout", "-"], "");
    assert_eq!(code, 2);
}

#[cfg(unix)]
#[test]
fn keeps_permissions_and_links() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("real"), "x:=1").unwrap();
    fs::set_permissions(at("real"), fs::Permissions::from_mode(0o750)).unwrap();
    symlink("real", at("link")).unwrap();
    let (code, _, err) = stellar(folder.path(), &["fmt", "link"], "");
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(fs::symlink_metadata(at("link")).unwrap().is_symlink());
    assert_eq!(fs::read_to_string(at("real")).unwrap(), "x := 1\n");
    let mode = fs::metadata(at("real")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o750);
    assert_eq!(names(folder.path()), ["link", "real"]);
}
