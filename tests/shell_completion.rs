//! What completion offers, wherever the cursor stands, and what the commands of the shell do.
#![allow(clippy::unwrap_used, clippy::panic)]

use stellar::engine::Engine;
use stellar::shell::complete::complete;
use stellar::shell::editor::hint;
use stellar::shell::{Session, Shown};

fn session(statements: &[&str]) -> Session {
    let session = Session::new(&Engine::bare());
    for statement in statements {
        session.run_text(statement).unwrap();
    }
    session
}

/// What is offered where `|` stands.
fn offered(session: &Session, text: &str) -> Vec<String> {
    let at = text.find('|').unwrap();
    let text = text.replacen('|', "", 1);
    let found = complete(session, &text, at);
    found.candidates.into_iter().map(|c| c.text).collect()
}

/// The text after the only candidate was taken.
fn taken(session: &Session, text: &str) -> String {
    let at = text.find('|').unwrap();
    let text = text.replacen('|', "", 1);
    let found = complete(session, &text, at);
    let [only] = found.candidates.as_slice() else {
        panic!("{text}: {:?}", found.candidates);
    };
    format!(
        "{}{}{}",
        &text[..found.replaces.start],
        only.text,
        &text[at..]
    )
}

#[test]
fn functions_are_completed_anywhere() {
    let session = session(&[]);
    for (typed, full) in [
        ("SUBSTRI|", "SUBSTRING("),
        ("1 + (SUBSTRI|", "1 + (SUBSTRING("),
        ("LENGTH(SUBSTRI|", "LENGTH(SUBSTRING("),
        ("[1,SUBSTRI|, 2]", "[1,SUBSTRING(, 2]"),
        ("x := SUBSTRI|", "x := SUBSTRING("),
        ("MAP([1], x->SUBSTRI|", "MAP([1], x->SUBSTRING("),
        ("substri|", "SUBSTRING("),
        ("a\nSUBSTRI|", "a\nSUBSTRING("),
        ("%time SUBSTRI|", "%time SUBSTRING("),
        ("%define a := SUBSTRI|", "%define a := SUBSTRING("),
        ("?SUBSTRI|", "?SUBSTRING"),
        ("help E020|5", "help E0205"),
    ] {
        if typed.contains("E020") {
            assert!(offered(&session, typed).contains(&"E0205".to_string()));
        } else {
            assert_eq!(taken(&session, typed), full, "{typed}");
        }
    }
}

#[test]
fn variables_parameters_and_keys_are_completed() {
    let session = session(&[
        "x_axis := {'alpha': 1, 'beta': {'gamma': 2, 'two words': 3}}",
        "x_only := 1",
    ]);
    assert_eq!(offered(&session, "x_|"), ["x_axis", "x_only"]);
    assert_eq!(offered(&session, "LENGTH(x_|)"), ["x_axis", "x_only"]);
    assert_eq!(
        offered(&session, "x_axis.|"),
        ["x_axis.alpha", "x_axis.beta"]
    );
    assert_eq!(
        taken(&session, "1 + x_axis.beta.g|"),
        "1 + x_axis.beta.gamma"
    );
    assert_eq!(
        taken(&session, "MAP_GET('al|, x_axis)"),
        "MAP_GET('alpha', x_axis)"
    );
    assert_eq!(
        taken(&session, "MAP_GET('al|', x_axis)"),
        "MAP_GET('alpha', x_axis)"
    );
    assert_eq!(taken(&session, "MAP_GET(\"al|"), "MAP_GET(\"alpha\"");
    assert_eq!(
        taken(&session, "MAP([1], element -> elem|"),
        "MAP([1], element -> element"
    );
    let found = offered(&session, "REDUCE([1], (total, item) -> |");
    for name in ["total", "item", "x_axis"] {
        assert!(found.contains(&name.to_string()), "{found:?}");
    }
}

#[test]
fn nothing_is_offered_where_nothing_fits() {
    let session = session(&["x := 1"]);
    for text in [
        "# SUBSTRI|",
        "'SUBSTRI|'x",
        "12|",
        "x // SUBSTRI|",
        "%vars |",
    ] {
        assert_eq!(offered(&session, text), [""; 0], "{text}");
    }
}

#[test]
fn commands_and_their_arguments_are_completed() {
    let session = session(&["%define a_global := 1"]);
    assert_eq!(taken(&session, "%und|"), "%undefine");
    assert_eq!(taken(&session, "%undefine a|"), "%undefine a_global");
    assert_eq!(taken(&session, "y := %var|").as_str(), "y := %vars");
    assert_eq!(taken(&session, "%mode j|"), "%mode json");
    assert_eq!(taken(&session, "%set limits.de|"), "%set limits.depth");
    assert_eq!(taken(&session, "%connect ev|"), "%connect event ");
    assert_eq!(offered(&session, ":|"), [":go", ":next", ":prev"]);
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("events.jsonl"), "").unwrap();
    std::fs::create_dir(folder.path().join("more")).unwrap();
    let path = folder.path().display();
    assert_eq!(
        taken(&session, &format!("%load {path}/ev|")),
        format!("%load {path}/events.jsonl")
    );
    assert_eq!(
        taken(&session, &format!("%load {path}/m|")),
        format!("%load {path}/more/")
    );
}

#[test]
fn fields_of_events_are_completed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("e.jsonl");
    std::fs::write(
        &file,
        "{\"ip\":1,\"geo\":{\"city\":\"x\"}}\n{\"ip\":2,\"later\":3}\n",
    )
    .unwrap();
    let session = session(&[&format!("%load {}", file.display())]);
    assert_eq!(
        offered(&session, "LENGTH(|"),
        ["_", "geo", "geo.city", "ip", "later"]
    );
    assert_eq!(taken(&session, "geo.|"), "geo.city");
    assert_eq!(taken(&session, "_.geo.|"), "_.geo.city");
    assert_eq!(taken(&session, "lat|"), "later");
}

#[test]
fn hints_show_the_parameters_still_wanted() {
    let session = session(&["def AREA(width, height) := width * height"]);
    let shown = |text: &str| hint(&session, text).map(|hint| hint.display);
    for (text, wanted) in [
        ("SUBSTRING(", "input, start, end?)"),
        ("SUBSTRING('a'", ", start, end?)"),
        ("SUBSTRING('a',", " start, end?)"),
        ("SUBSTRING('a', ", "start, end?)"),
        ("SUBSTRING('a', 1, LENGTH('b'), ", ")"),
        ("LENGTH(SUBSTRING('a', [1, 2]", ", end?)"),
        ("x := AREA(1, ", "height)"),
        ("%time AREA(", "width, height)"),
    ] {
        assert_eq!(shown(text).as_deref(), Some(wanted), "{text}");
    }
    for text in [
        "SUBSTRING",
        "SUBSTRING('a",
        "(1 + ",
        "NO_SUCH(",
        "SUBSTRING('a', 1)",
        "# LENGTH(",
    ] {
        assert_eq!(shown(text), None, "{text}");
    }
}

fn printed(session: &Session, text: &str) -> String {
    let shown = session.run_text(text).unwrap();
    shown
        .iter()
        .filter_map(Shown::print)
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn events_of_every_form_are_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let cases = [
        write("list.json", b"[{\"a\": 1},\n {\"a\": 2}]"),
        write("one.json", b"{\n  \"a\": 1\n}\n"),
        write(
            "lines.jsonl",
            b"\xef\xbb\xbf{\"a\":1}\n\n{\"a\":2}\nbroken\n",
        ),
        write("table.csv", b"a,b\n1,x\n2,y\n"),
        write(
            "zeek.log",
            b"#separator \\x09\n#fields\ta\tb\n#types\tint\tstring\n1\tx\n",
        ),
    ];
    for path in &cases {
        let session = session(&[&format!("%load {path}")]);
        assert_eq!(printed(&session, "a"), "1", "{path}");
        assert_eq!(printed(&session, "_.a + 1"), "2", "{path}");
    }
    let text = write("notes.txt", "erste Zeile\nzweite\n".as_bytes());
    let session = session(&[&format!("all := %load '{text}'")]);
    assert_eq!(printed(&session, "LENGTH(all)"), "2");
    session.run_text(":next").unwrap();
    assert_eq!(printed(&session, "TO_UPPER(_)"), "ZWEITE");
    let fails = |text: &str| session.run_text(text).err().unwrap().code.name();
    assert_eq!(fails(":next"), "E0116");
    assert_eq!(fails(":go 0"), "E0116");
    assert_eq!(printed(&session, "_"), "zweite");
    assert_eq!(
        fails(&format!("%load {}", write("empty.jsonl", b""))),
        "E0403"
    );
    assert_eq!(
        fails(&format!("%load {}", write("bytes.txt", b"a\xff\n"))),
        "E0402"
    );
    assert_eq!(fails("%load no such file"), "E0403");
    session.run_text("%unload").unwrap();
    assert_eq!(fails(":prev"), "E0116");
    let script = write("tools.stellar", b"ten := 10\ndef PLUS(a) := a + ten\n");
    session.run_text(&format!("%load {script}")).unwrap();
    assert_eq!(printed(&session, "PLUS(1)"), "11");
    let endless = write("endless.stellar", b"");
    std::fs::write(&endless, format!("%load {endless}\n")).unwrap();
    assert_eq!(fails(&format!("%load {endless}")), "E0116");
}

#[test]
fn what_is_saved_can_be_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let session = session(&[
        "/// Doubles.\ndef TWICE(a) := a * 2",
        "rows := [{'a': 1, 'b': 'x,\"y'}, {'a': 2, 'c': null}]",
    ]);
    session
        .run_text(&format!("%save {}", path("r.jsonl")))
        .unwrap();
    session
        .run_text(&format!("%save {} rows", path("r.csv")))
        .unwrap();
    session
        .run_text(&format!("%save {} TWICE(21)", path("n.txt")))
        .unwrap();
    session
        .run_text(&format!("%save '{}'", path("a session.stellar")))
        .unwrap();
    let read = |name: &str| std::fs::read_to_string(path(name)).unwrap();
    assert_eq!(
        read("r.jsonl"),
        "{\"a\":1,\"b\":\"x,\\\"y\"}\n{\"a\":2,\"c\":null}\n"
    );
    assert_eq!(read("r.csv"), "a,b,c\n1,\"x,\"\"y\",\n2,,\n");
    assert_eq!(read("n.txt"), "42\n");
    let other = Session::new(&Engine::bare());
    other
        .run_text(&format!("%load {}", path("a session.stellar")))
        .unwrap();
    assert_eq!(printed(&other, "TWICE(LENGTH(rows))"), "4");
    // Assignments come in the order they were made, not in that of the names.
    let ordered = path("ordered.stellar");
    for statement in ["p := 1", "q := 10", "p := q + p", "%define g := 4"] {
        session.run_text(statement).unwrap();
    }
    session.run_text(&format!("%save {ordered}")).unwrap();
    other.run_text(&format!("%load {ordered}")).unwrap();
    assert_eq!(printed(&other, "[p, q]"), "[11, 10]");
    assert_eq!(printed(&other, "%globals"), "{g=4}");
    // A file is replaced only when that is said.
    let again = format!("%save {} 1", path("n.txt"));
    assert!(session.run_text(&again).is_err());
    assert_eq!(read("n.txt"), "42\n");
    session
        .run_text(&again.replace("%save", "%save -f"))
        .unwrap();
    assert_eq!(read("n.txt"), "1\n");
}

#[test]
fn devices_pipes_and_folders_are_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let session = session(&["x := [1]"]);
    let fails = |text: &str| session.run_text(text).err().unwrap().code.name();
    let pipe = path("pipe.jsonl");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    assert_eq!(fails(&format!("%load {pipe}")), "E0403");
    for target in [pipe, path("")] {
        assert_eq!(fails(&format!("%save -f {target} x")), "E0404");
    }
    assert_eq!(fails("%save -f"), "E0116");
    // A link stays, and what it points to keeps who may read it.
    std::fs::write(path("real.txt"), "old").unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o640);
    std::fs::set_permissions(path("real.txt"), mode).unwrap();
    std::os::unix::fs::symlink(path("real.txt"), path("link.txt")).unwrap();
    session
        .run_text(&format!("%save -f {} x", path("link.txt")))
        .unwrap();
    assert_eq!(std::fs::read_to_string(path("real.txt")).unwrap(), "[1]\n");
    let real = std::fs::symlink_metadata(path("real.txt")).unwrap();
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(&real.permissions()) & 0o777,
        0o640
    );
    assert!(
        std::fs::symlink_metadata(path("link.txt"))
            .unwrap()
            .is_symlink()
    );
}

#[test]
fn data_cannot_steer_the_terminal() {
    colored::control::set_override(false);
    let session =
        session(&[r#"m := TO_JSON_MAP('{"v": "\\u001b]0;owned\\u0007\\u202e\\u009b"}')"#]);
    for window in [Some((80, 24)), Some((20, 5))] {
        session.set_window(window);
        for text in [
            "m",
            "m.v",
            "[m]",
            "%last",
            "%explain m.v",
            "%mode json",
            "m",
            "%mode table",
            "m",
        ] {
            for shown in session.run_text(text).unwrap() {
                let text = shown.print_as(session.look()).unwrap().unwrap_or_default();
                let steers = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
                // Without colours nothing but what the data brought could be there.
                assert!(!text.contains(steers), "{text:?}");
            }
        }
    }
}

#[test]
fn remarks_are_made_where_they_help() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("e.jsonl");
    std::fs::write(&file, "{\"user\":\"a\"}\n").unwrap();
    let session = session(&[&format!("%load {}", file.display())]);
    let remarks = |text: &str| -> Vec<&'static str> {
        let source = stellar::diagnostic::Source::expression(text);
        let statements = stellar::syntax::statements(&source);
        let found = statements.iter().flat_map(|s| session.remarks(s));
        found.map(|fault| fault.code.name()).collect()
    };
    for text in ["%each usr", "usr == 'a'", "%explain {'u': usr}"] {
        assert_eq!(remarks(text), ["L0402"], "{text}");
    }
    for text in [
        "help",
        "if exists(usr) then usr else 1",
        "IS_EMPTY(usr)",
        "usr == null or usr == 'a'",
        "%each user",
        "%vars",
    ] {
        assert_eq!(remarks(text), [""; 0], "{text}");
    }
}

#[test]
fn settings_change_for_the_session_and_variables_stay() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("s.db");
    let around = stellar::config::Surroundings::default();
    let options = stellar::config::Options {
        set: vec![format!("store.path={}", store.display())],
        ..Default::default()
    };
    let config = stellar::config::Config::load(&options, &around).unwrap();
    let engine = Engine::new(config, &around, &Default::default()).unwrap();
    let session = Session::new(&engine);
    for statement in [
        "x := 5",
        "def F(a) := a + x",
        "%define g := 7",
        "%set limits.depth 3",
    ] {
        session.run_text(statement).unwrap();
    }
    assert_eq!(printed(&session, "F(1)"), "6");
    assert_eq!(printed(&session, "%globals"), "{g=7}");
    let deep = session.run_text("((((1))))").err().unwrap();
    assert_eq!(deep.code.name(), "E0302");
    assert_eq!(
        session
            .run_text("%set limits.dept 4")
            .err()
            .unwrap()
            .code
            .name(),
        "E0502"
    );
    session.run_text("%set limits.depth=64").unwrap();
    assert_eq!(printed(&session, "((((1))))"), "1");
    session.run_text("%set globals.\"a.b\" 3").unwrap();
    assert_eq!(printed(&session, "%globals"), "{g=7, a.b=3}");
}

#[test]
fn the_shell_tells_what_stood_behind_assignments() {
    let session = session(&["a := 1 + 1", "b := 'x'"]);
    session.load([("c".into(), stellar::eval::Value::Int(3))]);
    assert_eq!(printed(&session, "SHELL_GET_EXPRESSION('a')"), "1 + 1");
    assert_eq!(
        printed(&session, "SHELL_VARS2MAP('b', 'c', 'a', 'd')"),
        "{b='x', a=1 + 1}"
    );
    assert_eq!(printed(&session, "SHELL_GET_EXPRESSION('c')"), "");
    let table = printed(&session, "SHELL_LIST_VARS()");
    assert!(
        table.contains("║ a        │ 2     │ 1 + 1      ║"),
        "{table}"
    );
    assert!(
        table.contains("║ c        │ 3     │            ║"),
        "{table}"
    );
}

#[test]
fn explain_marks_what_was_not_evaluated() {
    let session = session(&["x := 3"]);
    let page = printed(
        &session,
        "%explain if x > 2 then TO_UPPER('a') else MISSING(x)",
    );
    let lines: Vec<&str> = page.lines().map(str::trim).collect();
    assert!(
        lines
            .iter()
            .any(|l| l.starts_with("x > 2") && l.ends_with("true  Boolean")),
        "{page}"
    );
    assert!(
        lines
            .iter()
            .any(|l| l.starts_with("MISSING(x)") && l.ends_with("not evaluated"))
    );
    let page = printed(&session, "%explain MAP([1, 2, 3], e -> e * x)");
    assert!(page.contains("e * x"), "{page}");
    assert!(page.contains("9  Integer  3×"), "{page}");
    let page = printed(&session, "%explain 1 + 1 / (x - 3)");
    assert!(page.contains("failed") && page.contains("E0206"), "{page}");
    // What an expression gives is not changed by looking at it.
    assert_eq!(
        printed(&session, "y := %explain [x, 'a' + x]")
            .lines()
            .last(),
        Some("[3, a3]")
    );
}

#[test]
fn names_of_rules_are_completed() {
    use std::sync::Arc;
    use stellar::rule::store::{Embedded, RULE, Rules};
    let folder = tempfile::tempdir().unwrap();
    let store = stellar::store::Store::new(&folder.path().join("rules.db"), &[&RULE]);
    let mut engine = Engine::bare();
    let rules = Rules::new(Arc::new(Embedded::new(&store)));
    engine.context.services.add(Arc::new(rules));
    let rule = "RULE_LOAD('function on_logline(e) end', {'name': 'brute force'})";
    engine.evaluate(rule).unwrap();
    let session = Session::new(&engine);
    assert_eq!(offered(&session, "RULE_EVAL('br|"), ["brute force'"]);
    assert_eq!(offered(&session, "1 + RULE_TEST('|"), ["brute force'"]);
    assert_eq!(offered(&session, "RULE_EVAL('x|"), [""; 0]);
}
