//! `stellar check`: errors, lints behind them, silencing them, changing scripts.
#![allow(clippy::unwrap_used, clippy::panic)]

use serde_json::Value as Json;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// Runs the program in `folder`; exit code, standard output, standard error.
fn stellar(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_stellar"))
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("HOME", folder)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    (
        output.status.code().unwrap(),
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

const SCRIPT: &str = "x := 1\na and b or c\nTO_UPER('a')\n8 / 2 * 4\ny in ('1')\n";

fn rows(text: &str) -> Vec<Json> {
    text.lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect()
}

#[test]
fn lints_stand_behind_the_errors_in_the_order_of_their_places() {
    let folder = folder(&[("s", SCRIPT)]);
    let (code, out, _) = stellar(folder.path(), &["check", "--format", "jsonl", "s"]);
    assert_eq!(code, 1);
    let rows = rows(&out);
    let said: Vec<_> = rows
        .iter()
        .map(|r| {
            (
                r["code"].as_str().unwrap(),
                r["severity"].as_str().unwrap(),
                r["line"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        said,
        [
            ("E0201", "error", 3),
            ("L0101", "warning", 2),
            ("L0102", "warning", 4),
            ("L0106", "note", 5)
        ]
    );
    assert_eq!(rows[0].get("lint"), None);
    assert_eq!(rows[1]["lint"], "mixed-and-or");
    assert_eq!(rows[1]["kind"], "lint");
    assert_eq!(rows[1]["file"], "s");
    assert_eq!(rows[1]["fix"]["keeps_meaning"], true);
    let edits = rows[1]["fix"]["edits"].as_array().unwrap();
    assert_eq!(edits[0]["text"], "(");
    assert_eq!(edits[0]["start"]["line"], 2);
    assert_eq!(edits[0]["start"]["column"], 7);
}

#[test]
fn text_shows_the_place_and_the_name() {
    let folder = folder(&[]);
    let (code, out, err) = stellar(folder.path(), &["check", "-e", "8 / 2 * 4"]);
    assert_eq!((code, out.as_str()), (0, ""));
    let first = "warning[L0102 multiply-before-divide]: Stellar reads this as 8 / (2 * 4)\n";
    assert!(err.starts_with(first), "{err}");
    assert!(err.contains("this is the divisor"), "{err}");
    assert!(
        err.contains("help: write these parentheses, or (8 / 2) * 4 if that is meant"),
        "{err}"
    );
}

#[test]
fn only_errors_and_denied_warnings_fail() {
    let folder = folder(&[
        ("warns", "8 / 2 * 4"),
        ("notes", "x in ('a')"),
        ("fails", "("),
    ]);
    for (arguments, wanted) in [
        (&["check", "warns", "notes"][..], 0),
        (&["check", "--deny-warnings", "warns"], 1),
        (&["check", "--deny-warnings", "notes"], 0),
        (
            &["check", "--deny-warnings", "--allow", "L0102", "warns"],
            0,
        ),
        (&["check", "--deny-warnings", "--allow", "all", "warns"], 0),
        (
            &[
                "check",
                "--deny-warnings",
                "--allow",
                "mixed-and-or,multiply-before-divide",
                "warns",
            ],
            0,
        ),
        (&["check", "--allow", "all", "fails"], 1),
        (&["check", "--allow", "nonsense", "warns"], 2),
        (&["check", "--allow", "E0101", "warns"], 2),
        (&["check"], 2),
        (&["check", "--fix", "-e", "1"], 2),
        (&["check", "-e", "1 +"], 1),
    ] {
        let (code, _, err) = stellar(folder.path(), arguments);
        assert_eq!(code, wanted, "{arguments:?}: {err}");
    }
}

#[test]
fn the_configuration_allows() {
    let folder = folder(&[
        ("s", "8 / 2 * 4"),
        (
            "stellar.toml",
            "[check]\nallow = [\"multiply-before-divide\"]\n",
        ),
        ("bad.toml", "[check]\nallow = [\"multiply-before-divid\"]\n"),
    ]);
    let (_, _, err) = stellar(folder.path(), &["check", "s"]);
    assert_eq!(err, "");
    let (code, _, err) = stellar(folder.path(), &["check", "--config", "bad.toml", "s"]);
    assert_eq!(code, 2);
    assert!(
        err.contains("did you mean multiply-before-divide?"),
        "{err}"
    );
    let (_, out, _) = stellar(folder.path(), &["doctor", "--format", "jsonl"]);
    assert!(out.contains("multiply-before-divide"), "{out}");
}

#[test]
fn fix_writes_what_keeps_the_meaning() {
    let text = "# é: a comment\na and b or c   // stays\n\nf(\n  8 / 2 * 4,\n  x and 8 / 2 * 4 == 1 or y < z < 2\n)\n1 / 2\n";
    let folder = folder(&[("s", text), ("clean", "1 + 1\n")]);
    let (code, _, err) = stellar(folder.path(), &["check", "--fix", "s", "clean"]);
    let fixed = fs::read_to_string(folder.path().join("s")).unwrap();
    assert_eq!(
        fixed,
        "# é: a comment\na and (b or c)   // stays\n\nf(\n  8 / (2 * 4),\n  x and (8 / (2 * 4) == 1 or (y < z) < 2)\n)\n1 / 2\n"
    );
    // f is unknown, and what does not keep the meaning is left to the user.
    assert_eq!(code, 1);
    assert!(err.contains("L0107") && err.contains("E0201"), "{err}");
    assert!(!err.contains("L0101"), "{err}");
    let (_, _, again) = stellar(folder.path(), &["check", "--fix", "s"]);
    assert!(!again.contains("changed"), "{again}");
}

#[test]
fn events_say_which_fields_there_are() {
    let folder = folder(&[
        (
            "s",
            "src_prt == 1\nsrc_port == '1'\nsrc_port == 1\nnested.deep == 1\nx := 1\nx\nname in [1]\n",
        ),
        (
            "e.jsonl",
            "{\"src_port\":1,\"nested\":{\"deep\":2},\"name\":\"a\"}\nbad\n{\"src_port\":2,\"name\":3}\n",
        ),
        ("e.csv", "src_port,name\n1,a\n"),
    ]);
    let (_, out, _) = stellar(
        folder.path(),
        &["check", "--format", "jsonl", "--events", "e.jsonl", "s"],
    );
    let said: Vec<_> = rows(&out)
        .iter()
        .map(|r| {
            (
                r["lint"].as_str().unwrap().to_string(),
                r["line"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        said,
        [
            ("unknown-field".to_string(), 1),
            ("unlike-types".to_string(), 2)
        ]
    );
    assert!(out.contains("did you mean src_port?"), "{out}");
    let (_, out, _) = stellar(
        folder.path(),
        &["check", "--format", "jsonl", "--events", "e.csv", "s"],
    );
    let lines: Vec<_> = rows(&out)
        .iter()
        .map(|r| r["line"].as_u64().unwrap())
        .collect();
    assert_eq!(lines, [1, 2, 4, 7], "{out}");
    let (code, ..) = stellar(folder.path(), &["check", "--events", "none", "s"]);
    assert_eq!(code, 1);
}

#[test]
fn help_explains_a_lint_by_code_and_name() {
    let folder = folder(&[]);
    let (code, by_code, _) = stellar(folder.path(), &["help", "L0101"]);
    assert_eq!(code, 0);
    assert!(
        by_code.contains("# stellar: allow(mixed-and-or)"),
        "{by_code}"
    );
    let (_, by_name, _) = stellar(folder.path(), &["help", "mixed-and-or"]);
    assert_eq!(by_code, by_name);
    let (code, _, err) = stellar(folder.path(), &["help", "mixed-and-xor"]);
    assert_eq!(code, 2);
    assert!(err.contains("did you mean mixed-and-or?"), "{err}");
}
