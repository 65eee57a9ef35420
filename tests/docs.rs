//! The documentation says what is true: generated pages are fresh, examples give what they show.
//!
//! `UPDATE=1 cargo test --test docs` writes the generated pages and the output in console blocks anew.
//!
//! In `README.md` and `docs/*.md`, inline code of the form expression, arrow `-->`, result is run in a session of
//! its own: the result is a text form, `error` with a code, or `nothing`; `⏎` stands for the end of a line.
//! In fenced blocks marked `console` a line that begins with `$ ` is run by the shell, a `\` at its end takes the
//! next line along; what follows is its output, then its errors, where `…` alone on a line stands for any lines.
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "support/generator.rs"]
mod generator;
#[path = "support/pages.rs"]
mod pages;

use pages::{Compared, Piece, compared, fence, fits, joined, pieces};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use stellar::diagnostic::Source;
use stellar::engine::Engine;
use stellar::eval::text::to_text;
use stellar::shell::{Session, Shown};
use stellar::syntax::statements;

/// How many seconds a command of a console block may take.
const PATIENCE: &str = "120";

/// Fails with all complaints at once.
#[track_caller]
fn none(complaints: Vec<String>) {
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

fn update() -> bool {
    std::env::var_os("UPDATE").is_some_and(|value| !value.is_empty())
}

fn files(patterns: &[&str]) -> Vec<PathBuf> {
    patterns
        .iter()
        .flat_map(|pattern| glob::glob(pattern).unwrap())
        .map(Result::unwrap)
        .collect()
}

fn guides() -> Vec<PathBuf> {
    files(&["README.md", "docs/*.md"])
}

/// Runs a command in `folder` as a user who has nothing but the empty home `home`, and the program on the path.
fn run(command: &mut Command, folder: &Path, home: &Path) -> Output {
    let program = Path::new(env!("CARGO_BIN_EXE_stellar")).parent().unwrap();
    let mut path = vec![program.to_path_buf()];
    path.extend(std::env::split_paths(
        &std::env::var_os("PATH").unwrap_or_default(),
    ));
    for name in ["STELLAR_CONFIG", "NO_COLOR", "UPDATE", "XDG_RUNTIME_DIR"] {
        command.env_remove(name);
    }
    command
        .current_dir(folder)
        .env("PATH", std::env::join_paths(path).unwrap())
        .env("HOME", home)
        .env("TMPDIR", home)
        .env("XDG_DATA_HOME", home.join(".local/share"))
        .env("XDG_STATE_HOME", home.join(".local/state"))
        .env("XDG_CONFIG_HOME", home.join(".config"))
        .env("XDG_CACHE_HOME", home.join(".cache"))
        .env("TZ", "UTC")
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

#[test]
fn generated_pages_are_fresh() {
    let home = tempfile::tempdir().unwrap();
    let mut complaints = Vec::new();
    for (file, arguments) in [
        ("docs/actions.md", &["pipeline", "list", "--markdown"][..]),
        ("docs/functions.md", &["docs", "--markdown"]),
        ("docs/errors.md", &["docs", "--errors"]),
        ("docs/lints.md", &["docs", "--lints"]),
        ("docs/profiles.md", &["docs", "--profiles"]),
        ("docs/rules-library.md", &["docs", "--rules"]),
        ("docs/stellar.1", &["docs", "--man"]),
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stellar"));
        let output = run(command.args(arguments), home.path(), home.path());
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "stellar {arguments:?}: {said}");
        if update() {
            std::fs::write(file, &output.stdout).unwrap();
        } else if std::fs::read(file).unwrap_or_default() != output.stdout {
            complaints.push(format!(
                "{file} is stale: UPDATE=1 cargo test --test docs writes it anew"
            ));
        }
    }
    none(complaints);
}

#[test]
fn the_table_of_families_is_fresh() {
    const START: &str = "<!-- stellar docs --families -->\n";
    let home = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_stellar"));
    let output = run(
        command.args(["docs", "--families"]),
        home.path(),
        home.path(),
    );
    let table = String::from_utf8(output.stdout).unwrap();
    let text = std::fs::read_to_string("README.md").unwrap();
    let (before, rest) = text.split_once(START).unwrap();
    let (shown, after) = rest.split_once("<!-- end -->").unwrap();
    if update() {
        std::fs::write(
            "README.md",
            format!("{before}{START}{table}<!-- end -->{after}"),
        )
        .unwrap();
    } else {
        assert_eq!(
            shown, table,
            "README.md is stale: UPDATE=1 cargo test --test docs"
        );
    }
}

/// The inline code of a line of Markdown.
fn inline_code(line: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = line;
    while let Some(at) = rest.find('`') {
        let ticks = rest[at..].bytes().take_while(|b| *b == b'`').count();
        let inner = &rest[at + ticks..];
        let Some(length) = closing(inner, ticks) else {
            rest = inner;
            continue;
        };
        let code = &inner[..length];
        // One blank on either side only keeps ticks apart.
        let bare = code.strip_prefix(' ').and_then(|c| c.strip_suffix(' '));
        let code = bare.filter(|c| !c.trim().is_empty()).unwrap_or(code);
        // In a table a bar needs a backslash.
        found.push(match line.trim_start().starts_with('|') {
            true => code.replace("\\|", "|"),
            false => code.to_string(),
        });
        rest = &inner[length + ticks..];
    }
    found
}

/// Where a run of exactly so many ticks begins.
fn closing(text: &str, ticks: usize) -> Option<usize> {
    let mut at = 0;
    while let Some(found) = text[at..].find('`') {
        at += found;
        let run = text[at..].bytes().take_while(|b| *b == b'`').count();
        if run == ticks {
            return Some(at);
        }
        at += run;
    }
    None
}

/// The lines of a page with their numbers, without those of fenced blocks.
fn prose(text: &str) -> Vec<(usize, &str)> {
    let mut open = None;
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        match (open, fence(line)) {
            (None, Some((marks, _))) => open = Some(marks),
            (Some(marks), Some((more, ""))) if more >= marks => open = None,
            (None, None) => found.push((number + 1, line)),
            _ => {}
        }
    }
    found
}

/// What a session without configuration answers to the statements of an example.
fn answer(engine: &Engine, example: &str) -> String {
    let session = Session::new(engine);
    let mut last = "nothing".to_string();
    for statement in statements(&Source::expression(example.replace('⏎', "\n"))) {
        last = match session.run(&statement) {
            Ok(Shown::Value(value)) => to_text(&value).to_string(),
            Ok(shown) => shown.print().unwrap_or_else(|| "nothing".to_string()),
            Err(fault) => return format!("error {}", fault.code.name()),
        };
    }
    last.replace('\n', "⏎")
}

/// Runs one example; gives a complaint when the answer is not the one shown.
fn complaint(engine: &Engine, place: &str, example: &str) -> Option<String> {
    let (expression, wanted) = example.rsplit_once("-->")?;
    let found = answer(engine, expression.trim());
    (found != wanted.trim()).then(|| format!("{place}: {example}\n    gives {found}"))
}

#[test]
fn inline_examples_give_what_they_show() {
    let engine = Engine::bare();
    let mut complaints = Vec::new();
    let mut count = 0;
    for page in guides() {
        let text = std::fs::read_to_string(&page).unwrap();
        for (number, line) in prose(&text) {
            let place = format!("{}:{number}", page.display());
            for code in inline_code(line) {
                if code.contains("-->") {
                    count += 1;
                    complaints.extend(complaint(&engine, &place, &code));
                }
            }
        }
    }
    // A page that is no longer read, or a mark that is no longer known, must not pass in silence.
    assert!(count >= 130, "{count} examples only");
    none(complaints);
}

#[test]
fn library_examples_give_what_they_show() {
    let engine = Engine::bare();
    let mut complaints = Vec::new();
    let mut count = 0;
    for file in files(&["stdlib/*.stellar"]) {
        let text = std::fs::read_to_string(&file).unwrap();
        for (number, line) in text.lines().enumerate() {
            let place = format!("{}:{}", file.display(), number + 1);
            if let Some(documentation) = line.trim().strip_prefix("///") {
                count += usize::from(documentation.contains("-->"));
                complaints.extend(complaint(&engine, &place, documentation.trim()));
            }
        }
    }
    assert!(count >= 50, "{count} examples only");
    none(complaints);
}

/// The commands of the console blocks of a page.
fn console(text: &str) -> Vec<Piece> {
    pieces(text, "console", "$ ", |written| {
        written.last().is_some_and(|line| line.ends_with('\\'))
    })
}

/// Whether a command makes the events of an example, with a program that is built already.
fn is_generator(script: &str) -> bool {
    let mut words = script.split_whitespace().skip(1);
    words.next() == Some("sh") && words.next().is_some_and(|file| file.ends_with("events"))
}

#[test]
fn console_blocks_give_what_they_show() {
    let root = std::env::current_dir().unwrap();
    let mut complaints = Vec::new();
    let mut count = 0;
    let mut guides = guides();
    guides.extend(files(&["examples/*/README.md"]));
    for page in guides {
        let home = tempfile::tempdir().unwrap();
        let folder = match page.starts_with("examples") {
            true => root.join(page.parent().unwrap()),
            false => root.clone(),
        };
        let text = std::fs::read_to_string(&page).unwrap();
        let mut pieces = console(&text);
        let mut changed = false;
        for piece in &mut pieces {
            let Piece::Command {
                number,
                written,
                output,
            } = piece
            else {
                continue;
            };
            count += 1;
            let script = written.join("\n");
            let mut shell = Command::new("timeout");
            if is_generator(&script) {
                shell.env("GENERATE", generator::path());
            }
            shell.args([PATIENCE, "sh", "-c", &script[2..]]);
            let said = run(&mut shell, &folder, home.path());
            let text = String::from_utf8_lossy(&said.stdout).into_owned()
                + &String::from_utf8_lossy(&said.stderr);
            match compared(output, &text, update()) {
                Compared::Same => {}
                Compared::Changed => changed = true,
                Compared::Differs => {
                    complaints.push(format!("{}:{number}: {script}\n{text}", page.display()));
                }
            }
        }
        if changed {
            std::fs::write(&page, joined(&pieces)).unwrap();
        }
    }
    assert!(count >= 30, "{count} commands only");
    none(complaints);
}

#[test]
fn pages_are_read_rightly() {
    assert_eq!(
        inline_code("a `b` and `` c`d `` and ` e"),
        ["b".to_string(), "c`d".to_string()]
    );
    assert_eq!(inline_code("| `a \\|\\| b` |"), ["a || b".to_string()]);
    let text = "one\n```console\n$ echo a \\\n  b\na b\n…\n\n$ true\n```\ntwo `x`\n";
    assert_eq!(prose(text), [(1, "one"), (10, "two `x`")]);
    let commands: Vec<(usize, usize, usize)> = console(text)
        .iter()
        .filter_map(|piece| match piece {
            Piece::Command {
                number,
                written,
                output,
            } => Some((*number, written.len(), output.len())),
            Piece::Line(_) => None,
        })
        .collect();
    assert_eq!(commands, [(3, 2, 3), (8, 1, 0)]);
    let shown = |lines: &[&str]| lines.iter().map(|l| l.to_string()).collect::<Vec<_>>();
    assert!(fits(&shown(&["a", "…", "d"]), &["a", "b", "c", "d"]));
    assert!(fits(&shown(&["…"]), &[]));
    assert!(!fits(&shown(&["a", "…", "d"]), &["a", "b"]));
    let engine = Engine::bare();
    assert_eq!(answer(&engine, "x := [1] ⏎ x == [1]"), "true");
    assert_eq!(answer(&engine, "1 / 0"), "error E0206");
    assert_eq!(answer(&engine, "# x"), "nothing");
    assert_eq!(answer(&engine, "null"), "null");
}
