//! The tour of the shell: statements behind the shell's prompt in blocks marked `session` of `docs/*.md` give what
//! is shown below them, on a window of 80 columns. All such blocks of a page are one session, in a folder with the
//! examples. `…` alone on a line stands for any lines; `UPDATE=1 cargo test --test tour` writes the output anew.
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "support/pages.rs"]
mod pages;

use pages::{Compared, Piece, compared, joined, pieces};
use std::sync::Arc;
use stellar::config::{Config, FixedClock, Options, Surroundings};
use stellar::diagnostic::{Source, terminal};
use stellar::engine::{Engine, Overrides};
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
        let store = workshop.path().join("stellar.db");
        let options = Options {
            set: vec![format!("store.path={}", store.display())],
            ..Options::default()
        };
        let around = Surroundings::default();
        let config = Config::load(&options, &around).unwrap();
        let mut engine = Engine::new(config, &around, &Overrides::default()).unwrap();
        engine.context.clock = Arc::new(FixedClock(1_793_664_000_000));
        let session = Session::new(&engine);
        session.set_window(Some((80, 24)));
        session.set_mode(Mode::Table);
        let text = std::fs::read_to_string(&page).unwrap();
        let mut pieces = pieces(&text, "session", PROMPT, |written| {
            is_incomplete(&typed(written))
        });
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
