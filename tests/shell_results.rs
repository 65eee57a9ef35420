//! What the shell shows and keeps: results in full, tables, files, settings, scripts, help.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::time::{Duration, Instant};
use stellar::config::{Config, Options, STORES, Surroundings};
use stellar::diagnostic::{Code, Diagnostic, Page, Source};
use stellar::engine::{Engine, Overrides};
use stellar::eval::text::to_text;
use stellar::functions::keywords::KEYWORDS;
use stellar::shell::complete::complete;
use stellar::shell::{Mode, Session, Shown};
use stellar::syntax::statements;

fn session(statements: &[&str]) -> Session {
    colored::control::set_override(false);
    let session = Session::new(&Engine::bare());
    session.set_window(Some((40, 24)));
    session.set_mode(Mode::Table);
    for statement in statements {
        session.run_text(statement).unwrap();
    }
    session
}

/// A session with settings, its store in `folder`.
fn configured(folder: &std::path::Path, settings: &[&str]) -> (Session, Vec<String>) {
    let mut set = vec![format!("store.path={}", folder.join("s.db").display())];
    set.extend(settings.iter().map(|setting| setting.to_string()));
    let options = Options {
        set,
        ..Options::default()
    };
    let around = Surroundings::default();
    let config = Config::load(&options, &around).unwrap();
    let notes = config.notes().to_vec();
    let engine = Engine::new(config, &around, &Overrides::default()).unwrap();
    (Session::new(&engine), notes)
}

/// What the window shows.
fn shown(session: &Session, text: &str) -> String {
    let all = session.run_text(text).unwrap();
    let texts = all
        .iter()
        .filter_map(|one| one.print_as(session.look()).unwrap());
    texts.collect::<Vec<_>>().join("\n")
}

fn fails(session: &Session, text: &str) -> String {
    let fault = session.run_text(text).err().unwrap();
    let help = fault.help.clone().unwrap_or_default();
    format!("{} {}; {help}", fault.code.name(), fault.message)
}

fn offered(session: &Session, text: &str) -> Vec<String> {
    let found = complete(session, text, text.len());
    found.candidates.into_iter().map(|c| c.text).collect()
}

#[test]
fn a_long_line_is_broken_in_linear_time() {
    let mut page = Page::new();
    page.line("word ".repeat(200_000))
        .line("x".repeat(1_000_000))
        .line(" ".repeat(1_000_000) + "end");
    let started = Instant::now();
    let text = page.styled(80);
    assert!(started.elapsed() < Duration::from_secs(60));
    assert!(text.lines().all(|line| line.len() <= 80));
    assert_eq!(text.matches("word").count(), 200_000);
    assert_eq!(text.matches('x').count(), 1_000_000);
}

#[test]
fn the_last_result_is_shown_without_broken_lines() {
    let session =
        session(&["rows := MAP([1, 2], i -> {'name' : FILL_LEFT('', 'n', 60), 'i' : i})"]);
    let table = shown(&session, "%last");
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines.len(), 6, "{table}");
    assert!(
        lines.iter().all(|line| line.chars().count() == 68),
        "{table}"
    );
    let words = "one two ".repeat(20);
    session.run_text(&format!("'{words}'")).unwrap();
    assert_eq!(shown(&session, "%last"), words);
    session.run_text("%mode json").unwrap();
    session.run_text(&format!("['{words}']")).unwrap();
    assert_eq!(shown(&session, "%last"), format!("[\n  \"{words}\"\n]"));
    // Colours of tables stay, those of data do not.
    session.run_text("%mode table").unwrap();
    session
        .run_text(r#"TO_JSON_LIST('[{"\\u001b[1m": "\\u001b[2m"}]')"#)
        .unwrap();
    let table = shown(&session, "%last");
    assert!(
        table.contains("\\u{1b}[1m") && table.contains("\\u{1b}[2m"),
        "{table}"
    );
    assert!(!table.contains('\u{1b}'));
    session
        .run_text(r#"TO_JSON_LIST('["\\u001b[2m"]')"#)
        .unwrap();
    assert_eq!(shown(&session, "%last"), "[\\u{1b}[2m]");
    let nothing = Session::new(&Engine::bare());
    assert_eq!(shown(&nothing, "%last"), "there is no result yet");
}

#[test]
fn undefine_leaves_the_last_result_alone() {
    let session = session(&["%define a := 1", "6 * 7"]);
    assert_eq!(shown(&session, "%undefine a"), "");
    assert_eq!(shown(&session, "%last"), "42");
    assert_eq!(shown(&session, "%globals"), "{}");
}

#[test]
fn keys_that_are_no_texts_have_columns() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("k.csv").display().to_string();
    let session =
        session(&["rows := [{80 : 'web', 'b' : 1, null : 'n'}, {'80' : 'text', 80 : 'both'}]"]);
    let table = shown(&session, "rows");
    let cells: Vec<Vec<&str>> = table
        .lines()
        .filter(|line| line.starts_with('│'))
        .map(|line| {
            let cells = line.trim_matches('│').split('┆');
            cells.map(str::trim).collect()
        })
        .collect();
    assert_eq!(
        cells,
        [
            ["80", "b", "null", "80_2"],
            ["web", "1", "n", ""],
            ["text", "", "", "both"]
        ]
    );
    session.run_text(&format!("%save {path} rows")).unwrap();
    assert_eq!(
        std::fs::read_to_string(&path).unwrap(),
        "80,b,null,80_2\nweb,1,n,\ntext,,,both\n"
    );
    // No two columns have one name, whatever the keys are called.
    let row = "[{1 : 'a', '1' : 'b', '1_2' : 'c'}]";
    session.run_text(&format!("%save -f {path} {row}")).unwrap();
    assert_eq!(
        std::fs::read_to_string(&path).unwrap(),
        "1,1_3,1_2\na,b,c\n"
    );
}

#[test]
fn csv_without_rows_is_an_empty_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("e.csv").display().to_string();
    let session = Session::new(&Engine::bare());
    let said = shown(&session, &format!("%save {path} []"));
    assert!(
        said.starts_with("wrote [], which has no rows, to "),
        "{said}"
    );
    assert_eq!(std::fs::read(&path).unwrap(), b"");
    let no = |value: &str| fails(&session, &format!("%save -f {path} {value}"));
    assert!(no("5").contains("a .csv file holds maps, and this is Integer"));
    assert!(no("[{}]").contains("these maps have no keys"));
    assert!(no("null").contains("E0116"));
}

#[test]
fn stores_are_shown_as_they_are_used() {
    let folder = tempfile::tempdir().unwrap();
    let (session, notes) = configured(
        folder.path(),
        &["store.collection=redis://me:secret@cache:6379/0"],
    );
    // Whichever rooms learn to use a server: the list and the notes tell the same.
    let file = folder.path().join("s.db").display().to_string();
    let page = shown(&session, "%connect");
    assert_eq!(page.lines().count(), STORES.len());
    let collection = STORES
        .iter()
        .find(|room| room.name == "collection")
        .unwrap();
    let usable = collection.server("redis").unwrap().usable;
    let line = page
        .lines()
        .find(|line| line.starts_with("collection"))
        .unwrap();
    assert!(
        line.contains("redis://") && !line.contains("secret"),
        "{line}"
    );
    assert_eq!(line.contains("cannot store there yet"), !usable, "{line}");
    assert_eq!(notes.len(), usize::from(!usable), "{notes:?}");
    let profile = page
        .lines()
        .find(|line| line.starts_with("profile"))
        .unwrap();
    assert!(profile.ends_with(&format!("embedded, {file}")), "{profile}");
    assert_eq!(
        offered(&session, "%connect "),
        ["collection ", "event ", "profile ", "rule "]
    );
    assert!(fails(&session, "%connect rule redis://h").contains("rule has no store on redis"));
    assert!(fails(&session, "%connect postgres://h").contains("could be meant"));
}

#[test]
fn servers_are_tried_before_they_are_taken() {
    let folder = tempfile::tempdir().unwrap();
    let (session, _) = configured(folder.path(), &[]);
    let listener = || std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let (one, other) = (listener(), listener());
    let at = |listener: &std::net::TcpListener| listener.local_addr().unwrap().to_string();
    let (one, other, nobody) = (at(&one), at(&other), "127.0.0.1:1");
    // Of several servers one must answer, and what is said of the others is not hidden.
    let said = shown(
        &session,
        &format!("%connect profile hbase://{nobody},{one},{other}"),
    );
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 3, "{said}");
    let told = format!("profile store: {nobody} does not answer: ");
    assert!(lines[0].starts_with(&told), "{said}");
    for (line, place) in lines[1..].iter().zip([&one, &other]) {
        assert!(
            line.starts_with(&format!("profile store: {place} answers in ")),
            "{said}"
        );
    }
    let listed = shown(&session, "%connect");
    assert!(
        listed.contains(&format!("hbase://{nobody},{one},{other}")),
        "{listed}"
    );
    // Where none does, everything stays as it was.
    let fault = session.run_text("%connect hbase://127.0.0.1:1,127.0.0.1:2");
    let fault = fault.err().unwrap();
    let told =
        |text: &str, port: u16| text.starts_with(&format!("127.0.0.1:{port} does not answer: "));
    assert!(
        told(&fault.message, 1) && told(&fault.notes[0], 2),
        "{fault:?}"
    );
    assert_eq!(shown(&session, "%connect"), listed);
    // The address of a room that is named, with a password that is not shown.
    let said = shown(
        &session,
        &format!("%connect event postgres://me:secret@{one}/db"),
    );
    assert!(
        said.starts_with(&format!("event store: {one} answers in ")),
        "{said}"
    );
    let listed = shown(&session, "%connect");
    let event = listed
        .lines()
        .find(|line| line.starts_with("event"))
        .unwrap();
    assert!(
        event.contains(&format!("postgres://me:****@{one}/db")),
        "{event}"
    );
    assert!(!event.contains("embedded"), "{event}");
    assert!(fails(&session, "%connect event foo://h").contains("event has no store on foo"));
}

#[test]
fn plots_are_completed_and_saved() {
    let folder = tempfile::tempdir().unwrap();
    let (session, _) = configured(folder.path(), &[]);
    let put = |profile: &str, entity: &str| {
        let text = format!(
            "PROFILE_PUT({{'profile': '{profile}', 'entity': '{entity}', 'value': 3, \
             'period': {{'duration': 900000, 'period': 5}}}})"
        );
        session.run_text(&text).unwrap();
    };
    for (profile, entity) in [
        ("logins", "alice"),
        ("logins", "bob smith"),
        ("logins", "carol"),
        ("bytes-in", "alice"),
    ] {
        put(profile, entity);
    }
    let has = |text: &str, wanted: &[&str]| {
        let found = offered(&session, text);
        for wanted in wanted {
            assert!(found.iter().any(|one| one == wanted), "{text}: {found:?}");
        }
    };
    has("%plot ", &["logins", "bytes-in"]);
    assert_eq!(offered(&session, "%plot bytes-"), ["bytes-in"]);
    has("%plot STATS_ME", &["STATS_MEAN("]);
    has(
        "%plot logins ",
        &["alice", "'bob smith'", "carol", "--window ", "--svg "],
    );
    assert_eq!(offered(&session, "%plot logins ca"), ["carol"]);
    assert_eq!(offered(&session, "%plot 'logins' alice ca"), ["carol"]);
    assert_eq!(
        offered(&session, "%plot logins alice --w"),
        ["--window ", "--width "]
    );
    assert_eq!(offered(&session, "%plot [1, 2] --same"), ["--same-scale "]);
    assert_eq!(
        offered(&session, "%plot logins alice --width "),
        [] as [&str; 0]
    );
    has("%plot logins alice --expr STATS_ME", &["STATS_MEAN("]);
    has("%plot MAP([1], x -> STATS_ME", &["STATS_MEAN("]);
    let path = folder.path().join("pic.svg").display().to_string();
    session.run_text("p := %plot [1, 5, 3]").unwrap();
    let said = shown(&session, &format!("%save {path} p"));
    assert_eq!(said, format!("wrote p to {path}"));
    let drawn = std::fs::read_to_string(&path).unwrap();
    assert!(
        drawn.starts_with("<svg") && drawn.ends_with("</svg>\n"),
        "{drawn}"
    );
    // The last result serves as well.
    std::fs::remove_file(&path).unwrap();
    session.run_text("%plot [1, 5, 3]").unwrap();
    session.run_text(&format!("%save {path}")).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), drawn);
    let no = fails(&session, &format!("%save -f {path} [1, 5, 3]"));
    assert!(
        no.contains("an .svg file holds a picture, and this is a list"),
        "{no}"
    );
    let file = folder.path().join("pi").display().to_string();
    assert_eq!(
        offered(&session, &format!("%plot [1] --svg {file}")),
        [path]
    );
}

#[test]
fn an_address_that_no_system_knows_is_told_as_it_is_used() {
    let folder = tempfile::tempdir().unwrap();
    let (session, notes) = configured(folder.path(), &["store.event=foo://me:secret@h"]);
    let told = "foo://me:****@h is no address for it: one begins with postgres:// or postgresql://";
    assert_eq!(notes, [format!("store.event: {told}")]);
    let listed = shown(&session, "%connect");
    let event = listed
        .lines()
        .find(|line| line.starts_with("event"))
        .unwrap();
    assert!(
        event.ends_with(&format!("({told})")) && !event.contains("embedded"),
        "{event}"
    );
    // Nothing is stored anywhere else in silence.
    let said = fails(&session, "EVENT_COUNT({})");
    assert!(
        said.starts_with("E0501") && !said.contains("secret"),
        "{said}"
    );
}

#[test]
fn settings_of_the_start_are_refused_later() {
    let folder = tempfile::tempdir().unwrap();
    let (session, _) = configured(folder.path(), &["shell.keys=vi"]);
    for text in [
        "%set shell.keys emacs",
        "%set shell.keys = vi",
        "%set \"shell\".history /nowhere/h",
        "%set shell.startup = [\"x := 1\"]",
        "%set shell = {keys = \"vi\"}",
    ] {
        let said = fails(&session, text);
        assert!(said.starts_with("E0116 shell."), "{text}: {said}");
        assert!(said.contains("is read when the shell starts"), "{said}");
    }
    assert!(shown(&session, "%set shell.keys").starts_with("shell.keys = vi"));
    session.run_text("%set shell.prompt '> '").unwrap();
    assert!(shown(&session, "%set shell.prompt").contains("(%set)"));
}

#[test]
fn only_time_takes_a_count() {
    let session = session(&["name := 3"]);
    assert!(shown(&session, "%time -name").starts_with("-3\n"));
    assert!(shown(&session, "%time -n 3 name").starts_with("3 evaluations"));
    assert!(shown(&session, "%time -n3 name").starts_with("3 evaluations"));
    assert!(shown(&session, "%explain -name").contains("-3"));
    assert!(fails(&session, "%time -n x").contains("a count from 1"));
    let remarks = |text: &str| -> Vec<&'static str> {
        let source = stellar::diagnostic::Source::expression(text);
        let statements = stellar::syntax::statements(&source);
        let found = statements.iter().flat_map(|s| session.remarks(s));
        found.map(|fault| fault.code.name()).collect()
    };
    let wanted = remarks("8 / 2 * 4");
    assert_eq!(wanted.len(), 1);
    for command in [
        "%time",
        "%time -n 5",
        "%explain",
        "%save -f f.txt",
        "%save 'a b.txt'",
    ] {
        assert_eq!(
            remarks(&format!("{command} 8 / 2 * 4")),
            wanted,
            "{command}"
        );
    }
    assert_eq!(remarks("%explain -name / 2 * 4"), wanted);
    assert_eq!(offered(&session, "%time -n 5 SUBSTRI"), ["SUBSTRING("]);
    assert_eq!(offered(&session, "%time -n 5"), [""; 0]);
}

#[test]
fn completed_keys_are_escaped_for_their_quotation_marks() {
    let session = session(&[r#"m := {"it's" : 1, 'say "hi"' : 2, 'back\\slash' : 3}"#]);
    assert_eq!(offered(&session, "MAP_GET('it"), [r"it\'s'"]);
    assert_eq!(offered(&session, "MAP_GET(\"it"), ["it's\""]);
    assert_eq!(offered(&session, "MAP_GET(\"say"), [r#"say \"hi\"""#]);
    assert_eq!(offered(&session, r"MAP_GET('it\'"), [r"it\'s'"]);
    for (typed, value) in [("'it", "1"), ("\"say", "2"), ("'back", "3")] {
        let text = format!("MAP_GET({typed}");
        let found = complete(&session, &text, text.len());
        let key = &found.candidates[0].text;
        let line = format!("{}{key}, m)", &text[..found.replaces.start]);
        assert_eq!(shown(&session, &line), value, "{line}");
    }
}

#[test]
fn save_and_load_are_completed_word_by_word() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["rows.csv", "two words.csv"] {
        std::fs::write(folder.path().join(name), "a\n1\n").unwrap();
    }
    let at = folder.path().display();
    let session = session(&["x_axis := 1"]);
    assert_eq!(offered(&session, "%save -"), ["-f "]);
    for text in [
        format!("%save {at}/ro"),
        format!("%save -f {at}/ro"),
        format!("%load {at}/ro"),
        format!("%load other.csv {at}/ro"),
    ] {
        assert_eq!(
            offered(&session, &text),
            [format!("{at}/rows.csv")],
            "{text}"
        );
    }
    assert_eq!(
        offered(&session, &format!("%save {at}/tw")),
        [format!("'{at}/two words.csv'")]
    );
    for text in [
        format!("%save {at}/n.txt x_a"),
        format!("%save -f {at}/n.txt x_a"),
        format!("%save -f '{at}/two words.csv' x_a"),
        format!("%load {at}/rows.csv where x_a"),
    ] {
        assert_eq!(offered(&session, &text), ["x_axis"], "{text}");
    }
    assert_eq!(offered(&session, "%load a.csv whe"), ["where "]);
}

#[test]
fn several_files_are_loaded_and_events_picked() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let one = write("log-1.jsonl", "{\"a\":1,\"u\":\"x\"}\n{\"a\":2}\n");
    let two = write("log-2.csv", "a,b\n3,y\n4,z\n");
    let blank = write("with blank.json", "[{\"a\": 5},\n {\"a\": 6}]");
    let pattern = folder.path().join("log-*").display().to_string();
    let loaded = |text: &str| {
        let session = session(&["least := 2"]);
        session.run_text(&format!("all := {text}")).unwrap();
        shown(&session, "MAP(all, e -> MAP_GET('a', e))")
    };
    assert_eq!(loaded(&format!("%load {one} {two}")), "[1, 2, 3, 4]");
    assert_eq!(loaded(&format!("%load {pattern}")), "[1, 2, 3, 4]");
    assert_eq!(loaded(&format!("%load {blank}")), "[5, 6]");
    assert_eq!(loaded(&format!("%load '{blank}' {one}")), "[5, 6, 1, 2]");
    assert_eq!(loaded(&format!("%load {blank} where a > 5")), "[6]");
    assert_eq!(
        loaded(&format!(
            "%load {pattern} where a > least and not(exists(u))"
        )),
        "[3, 4]"
    );
    assert_eq!(loaded(&format!("%load {one} where _.u == 'x'")), "[1]");
    let session = session(&[&format!("%load {one} {two}")]);
    assert!(shown(&session, "%load").starts_with("4 events of 2 files\n"));
    let page = shown(&session, "%load where a < 3");
    assert!(
        page.starts_with("2 events of 2 files, 2 left out"),
        "{page}"
    );
    assert_eq!(shown(&session, "%each a"), "[1, 2]");
    // What finds nothing, or fails, leaves the loaded events alone.
    let none = fails(&session, "%load where a > 100");
    assert!(
        none.starts_with("E0116 where holds for none of the 2 events"),
        "{none}"
    );
    assert!(fails(&session, &format!("%load {two} where a > 100")).contains("of the 2 events"));
    assert!(fails(&session, &format!("%load {two} where a")).starts_with("E0207"));
    let fault = session
        .run_text(&format!("%load {one} where LENGTH(u) > 'x'"))
        .err();
    assert!(fault.is_some());
    assert!(fails(&session, &format!("%load {one} where")).contains("expression is missing"));
    assert_eq!(shown(&session, "%each a"), "[1, 2]");
    assert!(fails(&session, "%load no such files").contains("no does not exist"));
    assert!(fails(&session, "%load -").starts_with("E0403"));
    let script = write("s.stellar", "x := 1\n");
    assert!(fails(&session, &format!("%load {script} {one}")).contains("separately"));
    assert!(fails(&session, &format!("%load {script} where x")).contains("script"));
}

#[test]
fn numbers_of_events_out_of_range_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("e.jsonl");
    std::fs::write(&file, "{\"a\":1}\n{\"a\":2}\n").unwrap();
    let session = session(&[&format!("%load {}", file.display())]);
    for number in ["0", "99"] {
        assert_eq!(
            fails(&session, &format!(":go {number}")),
            format!("E0116 there is no event {number}; they are numbered from 1 to 2")
        );
    }
    assert!(fails(&session, ":next 5").contains("there is none further: this is event 1 of 2"));
    assert!(fails(&session, ":prev").contains("there is none further"));
    session.run_text(":go 2").unwrap();
    assert_eq!(shown(&session, "a"), "2");
}

#[test]
fn columns_of_one_name_keep_their_values() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("d.csv");
    std::fs::write(&file, "user,user,user_2,user\na,b,c,d\n").unwrap();
    let session = Session::new(&Engine::bare());
    let page = shown(&session, &format!("%load {}", file.display()));
    assert!(
        page.contains(
            "several columns are named user: a later one is user_3 here, and 1 more likewise"
        ),
        "{page}"
    );
    assert_eq!(
        shown(&session, "_"),
        "{user=a, user_3=b, user_2=c, user_4=d}"
    );
}

#[test]
fn a_script_that_fails_shows_what_came_before() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let bad = write("bad.stellar", "'first'\n1 / 0\n'never'\n");
    let outer = write(
        "outer.stellar",
        &format!("'before'\n%load {bad}\n'behind'\n"),
    );
    let session = Session::new(&Engine::bare());
    let run = |text: &str| {
        let source = stellar::diagnostic::Source::expression(text);
        let mut statements = stellar::syntax::statements(&source);
        session.run(&statements.remove(0)).unwrap()
    };
    let Shown::Several(all, Some(fault)) = run(&format!("%load {bad}")) else {
        panic!("no script");
    };
    assert_eq!(fault.code.name(), "E0206");
    assert_eq!(all[0].print().as_deref(), Some("first"));
    let Shown::Several(_, Some(fault)) = run(&format!("x := %load {outer}")) else {
        panic!("no script");
    };
    assert_eq!(fault.code.name(), "E0206");
    let shown = run(&format!("%load {outer}"));
    assert_eq!(shown.print().as_deref(), Some("before\nfirst"));
    assert!(session.variables.list().is_empty(), "nothing is assigned");
}

#[test]
fn words_of_the_language_have_help() {
    let session = Session::new(&Engine::bare());
    let mut count = 0;
    for word in stellar::syntax::scan::KEYWORDS {
        let page = shown(&session, &format!("?{word}"));
        assert!(page.contains("Usage: "), "{word}: {page}");
    }
    for keyword in KEYWORDS {
        let page = shown(&session, &format!("?{}", keyword.words[0]));
        for line in page.lines() {
            let Some((expression, result)) = line.split_once(" --> ") else {
                continue;
            };
            let all = session.run_text(expression.trim()).unwrap();
            let Some(Shown::Value(value)) = all.last() else {
                panic!("{line}");
            };
            assert_eq!(to_text(value), result, "{line}");
            count += 1;
        }
        let see = page
            .lines()
            .last()
            .unwrap()
            .strip_prefix("See also: ")
            .unwrap();
        for topic in see.split(", ") {
            session.run_text(&format!("?{topic}")).unwrap();
        }
    }
    assert!(count > 20, "{count} examples only");
    assert!(offered(&session, "?defa").contains(&"default".to_string()));
}

#[test]
fn the_store_shows_what_it_holds() {
    let folder = tempfile::tempdir().unwrap();
    let (session, _) = configured(folder.path(), &[]);
    let file = folder.path().join("s.db").display().to_string();
    for text in ["%store", "%store check"] {
        let page = shown(&session, text);
        assert!(
            page.contains(&file) && page.contains("does not exist yet"),
            "{page}"
        );
    }
    // Looking has not made it.
    assert!(!folder.path().join("s.db").exists());
    session
        .run_text("PROFILE_PUT([{'profile': 'p', 'entity': 'e', 'value': 3, 'period': {'period': 9, 'duration': 900000}}])")
        .unwrap();
    let page = shown(&session, "%store");
    assert!(page.contains("profile_measurement  1\n"), "{page}");
    assert!(page.contains("tables are empty"), "{page}");
    let page = shown(&session, "%store check");
    assert!(page.contains("nothing is wrong with it"), "{page}");
    assert_eq!(offered(&session, "%store "), ["check"]);
    assert!(fails(&session, "%store compact").contains("stellar store compact"));
    assert!(fails(&session, "%store redis://h").contains("%connect"));
    assert!(fails(&session, "%store x y").contains("does not know x"));
}

#[test]
fn a_script_is_shown_while_it_runs() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        std::fs::write(folder.path().join(name), text).unwrap();
        folder.path().join(name).display().to_string()
    };
    let inner = write("inner.stellar", "'in'\n");
    let outer = write(
        "outer.stellar",
        &format!("x := 1\n%load {inner}\nx + 1\nNO_SUCH(1)\n4\n"),
    );
    let session = session(&[]);
    let source = Source::expression(format!("%load {outer}"));
    let statement = statements(&source).pop().unwrap();
    let seen = std::cell::RefCell::new(Vec::new());
    // When the last one is seen the variables are there already, and what stands behind has not run.
    let audience = |one: &Shown| {
        let text = one.print().unwrap_or_default();
        seen.borrow_mut()
            .push((text, session.variables.list().len()));
        Ok(())
    };
    let left = session.run_before(&statement, Some(&audience)).unwrap();
    let expected = [("1", 1), ("in", 1), ("2", 1)].map(|(text, count)| (text.to_string(), count));
    assert_eq!(*seen.borrow(), expected);
    let Shown::Several(all, Some(fault)) = left else {
        panic!("a script that failed");
    };
    assert!(all.is_empty());
    assert_eq!(fault.code.name(), "E0201");
    // Who cannot show any more ends the script.
    let refuses = |_: &Shown| Err(Diagnostic::new(Code::CannotWrite, "full"));
    let left = session.run_before(&statement, Some(&refuses)).unwrap();
    assert!(matches!(left, Shown::Several(_, Some(fault)) if fault.code == Code::CannotWrite));
    // An assignment keeps what the script has shown; quit ends the session.
    let good = write("good.stellar", "1\n2\n");
    assert_eq!(shown(&session, &format!("both := %load {good}")), "1\n2");
    let quits = write("quits.stellar", "quit\n1\n");
    let statement = statements(&Source::expression(format!("%load {quits}")))
        .pop()
        .unwrap();
    assert!(
        session
            .run_before(&statement, Some(&audience))
            .unwrap()
            .ends()
    );
}
