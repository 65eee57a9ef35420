use super::answers::{byte_of, char_of, is_complete};
use super::history::History;
use super::languages::{self, CELLS};
use crate::engine::Engine;
use crate::eval::Value;
use crate::shell::magic::Cells;
use crate::shell::{Session, Shown, help_on};
use jupyter_protocol::{HistoryEntry, HistoryRequest, IsCompleteReplyStatus};
use serde_json::json;
use std::sync::Arc;

#[test]
fn what_is_complete() {
    for code in [
        "1 + 2",
        "x := 1",
        "",
        "# (",
        "'('",
        "a\nb",
        "%plot [1, 2]",
        "?TO_UPPER",
        "f(1,\n  2)",
        "%%map a.jsonl\nx\n",
        "%%map\nx\n\n",
        "1 +",
        ")",
    ] {
        let reply = is_complete(code);
        assert_eq!(reply.status, IsCompleteReplyStatus::Complete, "{code:?}");
    }
    for code in [
        "f(",
        "[1,\n",
        "{'a': ",
        "'abc",
        "1 + \\",
        "x := (\n",
        "%%map",
        "%%map a.jsonl\nx",
    ] {
        let reply = is_complete(code);
        assert_eq!(reply.status, IsCompleteReplyStatus::Incomplete, "{code:?}");
    }
}

#[test]
fn places_count_characters() {
    let code = "ä𝄞b";
    let bytes: Vec<usize> = (0..6).map(|at| byte_of(code, at)).collect();
    assert_eq!(bytes, [0, 2, 6, 7, 7, 7]);
    let chars: Vec<usize> = [0, 1, 2, 3, 6, 7, 9].map(|at| char_of(code, at)).into();
    assert_eq!(chars, [0, 0, 1, 1, 2, 3, 3]);
}

/// The cells that are found, with their numbers.
fn found(history: &mut History, request: serde_json::Value) -> Vec<(usize, String)> {
    let request: HistoryRequest = serde_json::from_value(request).unwrap();
    let entry = |entry: HistoryEntry| match entry {
        HistoryEntry::Input(_, number, code) => (number, code),
        HistoryEntry::InputOutput(_, number, (code, _)) => (number, code),
    };
    history
        .answer(&request)
        .history
        .into_iter()
        .map(entry)
        .collect()
}

fn codes(history: &mut History, request: serde_json::Value) -> Vec<String> {
    let all = found(history, request);
    all.into_iter().map(|(_, code)| code).collect()
}

#[test]
fn history_is_searched_by_patterns() {
    let mut history = History::open(None);
    for (at, code) in ["a1", "b", "a2", "a1", "c\nd", "[a]", " "]
        .into_iter()
        .enumerate()
    {
        history.add(at + 1, code);
    }
    let mut search = |pattern: &str, unique: bool, n: i32| {
        let request = json!({"hist_access_type": "search", "pattern": pattern, "unique": unique, "n": n,
                             "output": false, "raw": true});
        codes(&mut history, request)
    };
    assert_eq!(search("a*", false, 100), ["a1", "a2", "a1"]);
    assert_eq!(search("a?", false, 100), ["a1", "a2", "a1"]);
    // Of what was written several times the last one counts.
    assert_eq!(search("a*", true, 100), ["a2", "a1"]);
    assert_eq!(search("*", false, 2), ["c\nd", "[a]"]);
    assert_eq!(search("c*", false, 100), ["c\nd"]);
    assert!(search("nothing*", false, 100).is_empty());
    // What is no pattern finds what holds it.
    assert_eq!(search("[a", false, 100), ["[a]"]);
    assert_eq!(search("*", false, 0), Vec::<String>::new());
}

#[test]
fn history_gives_tails_and_ranges() {
    let mut history = History::open(None);
    (1..=5).for_each(|number| history.add(number, &format!("c{number}")));
    let mut tail = |n: i32| {
        codes(
            &mut history,
            json!({"hist_access_type": "tail", "n": n, "output": false, "raw": true}),
        )
    };
    assert_eq!(tail(2), ["c4", "c5"]);
    assert_eq!(tail(100).len(), 5);
    let mut range = |session: i32, start: i32, stop: i32| {
        found(
            &mut history,
            json!({"hist_access_type": "range", "session": session, "start": start, "stop": stop,
                               "output": true, "raw": true}),
        )
    };
    assert_eq!(
        range(0, 2, 4),
        [(2, "c2".to_string()), (3, "c3".to_string())]
    );
    assert_eq!(range(0, 4, 0).len(), 2);
    assert!(range(7, 1, 3).is_empty());
}

#[test]
fn history_lives_on_and_holds_no_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/history");
    let mut history = History::open(Some(path.clone()));
    history.add(1, "first := 1\nsecond := 2");
    history.add(2, "%connect event postgres://user:hidden@host/db");
    let mut again = History::open(Some(path));
    let tail = json!({"hist_access_type": "tail", "n": 10, "output": false, "raw": true});
    let found = codes(&mut again, tail);
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!(found[0], "first := 1\nsecond := 2");
    assert!(!found[1].contains("hidden"), "{found:?}");
}

fn session() -> Session {
    let session = Session::new(&Engine::bare());
    session.provide(Arc::new(Cells(CELLS)));
    session
}

#[test]
fn cells_have_help_and_their_examples_run() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("logins.jsonl");
    let line = r#"{"result": "failure", "user": "Ann", "source_ip": "10.0.0.1", "date": "2026-10-05T00:00:00Z"}"#;
    std::fs::write(&file, format!("{line}\n")).unwrap();
    let session = session();
    for cell in CELLS {
        let Ok(Shown::Page(page, _)) = help_on(&session, cell.name) else {
            panic!("{} has no help", cell.name);
        };
        let text = page.plain();
        for part in [cell.usage, cell.summary, cell.details] {
            assert!(text.contains(part), "{text}");
        }
        let code = cell
            .example
            .replace("logins.jsonl", &file.display().to_string());
        let told =
            languages::run(&session, &code).map_err(|fault| crate::diagnostic::plain(&fault));
        let told = told.unwrap_or_else(|fault| panic!("{code}\n{fault}"));
        let Shown::Value(value) = told.shown else {
            panic!("{} gives no value", cell.name);
        };
        assert!(
            !matches!(&value, Value::List(list) if list.is_empty()),
            "{} gives nothing",
            cell.name
        );
        // A question mark behind the name asks as well.
        let asked = languages::run(&session, &format!("{}?", cell.name)).map_err(|_| ());
        assert!(matches!(asked.unwrap().shown, Shown::Page(..)));
    }
    let fault = languages::run(&session, "%%mapp\n1").err().unwrap();
    assert!(fault.help.unwrap().contains("%%map"));
    // At the shell they are for notebooks.
    let shell = Session::new(&Engine::bare());
    let fault = shell.run_text("?%%map").err().unwrap();
    assert!(fault.help.unwrap().contains("notebooks"));
    assert!(shell.run_text("%help").is_ok());
}

#[test]
fn the_first_line_of_a_cell_completes() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("one.jsonl"), "{}\n").unwrap();
    let session = session();
    session.run_text("known_profiler := 1").unwrap();
    let offered = |code: &str| {
        let found = languages::complete(&session, code, code.len());
        let texts = found.candidates.into_iter().map(|one| one.text);
        (found.replaces.start, texts.collect::<Vec<_>>())
    };
    assert_eq!(offered("%%p").1, ["%%profile", "%%pipeline"]);
    assert_eq!(offered("%%").1.len(), CELLS.len());
    let begin = format!("{}/o", folder.path().display());
    for name in ["%%map", "%%rule", "%%profile p"] {
        let (at, files) = offered(&format!("{name} {begin}"));
        assert_eq!(files, [format!("{begin}ne.jsonl")], "{name}");
        assert_eq!(at, name.len() + 1);
        let (_, words) = offered(&format!("{name} {begin}ne.jsonl wh"));
        assert_eq!(words, ["where "], "{name}");
        let (_, words) = offered(&format!("{name} {begin}ne.jsonl where TO_UPP"));
        assert_eq!(words, ["TO_UPPER("], "{name}");
    }
    assert_eq!(offered("%%profile known_p").1, ["known_profiler"]);
    assert!(offered("%%pipeline ").1.is_empty());
    assert_eq!(offered("%%map a.jsonl\nTO_UPP").1, ["TO_UPPER("]);
}
