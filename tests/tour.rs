//! The tour of the shell: statements behind the shell's prompt in blocks marked `session` of `docs/*.md` give what
//! is shown below them, on a window of 80 columns. All such blocks of a page are one session, in a folder with the
//! examples; a comment such as `<!-- session --now 1502665200000 --tz America/New_York -->` begins a new one, at that
//! time and in that zone. `…` alone on a line stands for any lines; `UPDATE=1 cargo test --test tour` writes the
//! output anew.
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "support/pages.rs"]
mod pages;

use pages::{Compared, Piece, compared, joined, pieces};
use std::path::Path;
use std::sync::Arc;
use stellar::config::{Config, Options, Surroundings};
use stellar::diagnostic::{Source, terminal};
use stellar::engine::{Engine, Overrides};
use stellar::eval::Notes;
use stellar::shell::{Mode, Session, Shown};
use stellar::syntax::{is_incomplete, statements};

const PROMPT: &str = "[Stellar]>>> ";

/// A statement without its prompt.
fn typed(written: &[String]) -> String {
    let text = written.join("\n");
    text.strip_prefix(PROMPT).unwrap_or(&text).to_string()
}

/// What the shell shows for a text, errors too.
fn shown(session: &Session, text: &str) -> String {
    let mut all = Vec::new();
    for statement in statements(&Source::expression(text)) {
        match session.run(&statement) {
            Ok(shown) => put(&shown, session, &mut all),
            Err(fault) => all.push(terminal(&fault, 80, false)),
        }
        all.extend(session.notes().iter().map(|note| format!("note: {note}")));
    }
    all.join("\n")
}

fn put(shown: &Shown, session: &Session, all: &mut Vec<String>) {
    match shown {
        Shown::Done(Some(note)) => all.push(format!("note: {note}")),
        Shown::Several(inner, fault) => {
            inner.iter().for_each(|one| put(one, session, all));
            all.extend(fault.iter().map(|fault| terminal(fault, 80, false)));
        }
        shown => match shown.print_as(session.look()) {
            Ok(text) => all.extend(text),
            Err(fault) => all.push(terminal(&fault, 80, false)),
        },
    }
}

/// A session with an empty store, at a moment and in a zone that options may name.
fn begin(folder: &Path, options: &[&str]) -> Session {
    let mut overrides = Overrides {
        now: Some("1793664000000".to_string()),
        tz: Some("UTC".to_string()),
        ..Overrides::default()
    };
    for option in options.chunks(2) {
        match option {
            ["--now", now] => overrides.now = Some((*now).to_string()),
            ["--tz", zone] => overrides.tz = Some((*zone).to_string()),
            other => panic!("a session takes no {other:?}"),
        }
    }
    let store = folder.join("stellar.db");
    let _ = std::fs::remove_file(&store);
    let options = Options {
        set: vec![format!("store.path={}", store.display())],
        ..Options::default()
    };
    let around = Surroundings::default();
    let config = Config::load(&options, &around).unwrap();
    let mut engine = Engine::new(config, &around, &overrides).unwrap();
    engine.context.services.add(Arc::new(Notes::default()));
    let session = Session::new(&engine);
    session.set_window(Some((80, 24)));
    session.set_mode(Mode::Table);
    session
}

#[test]
fn sessions_on_pages_give_what_they_show() {
    let root = std::env::current_dir().unwrap();
    // Statements may write files, and name those of the examples.
    let workshop = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(root.join("examples"), workshop.path().join("examples")).unwrap();
    std::env::set_current_dir(&workshop).unwrap();
    colored::control::set_override(false);
    let update = std::env::var_os("UPDATE").is_some_and(|value| !value.is_empty());
    let mut complaints = Vec::new();
    let mut count = 0;
    for page in glob::glob(root.join("docs/*.md").to_str().unwrap()).unwrap() {
        let page = page.unwrap();
        let mut session = begin(workshop.path(), &[]);
        let text = std::fs::read_to_string(&page).unwrap();
        let mut pieces = pieces(&text, "session", PROMPT, |written| {
            is_incomplete(&typed(written))
        });
        let mut changed = false;
        for piece in &mut pieces {
            let (number, written, output) = match piece {
                Piece::Command {
                    number,
                    written,
                    output,
                } => (number, written, output),
                Piece::Line(line) => {
                    let options = line.strip_prefix("<!-- session ");
                    if let Some(options) = options.and_then(|o| o.strip_suffix(" -->")) {
                        let options: Vec<&str> = options.split(' ').collect();
                        session = begin(workshop.path(), &options);
                    }
                    continue;
                }
            };
            count += 1;
            let found = shown(&session, &typed(written));
            match compared(output, &found, update) {
                Compared::Same => {}
                Compared::Changed => changed = true,
                Compared::Differs => {
                    let place = page.strip_prefix(&root).unwrap().display();
                    complaints.push(format!("{place}:{number}: {}\n{found}", written.join("\n")));
                }
            }
        }
        if changed {
            std::fs::write(&page, joined(&pieces)).unwrap();
        }
    }
    assert!(count > 20, "{count} statements only");
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}
