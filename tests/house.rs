//! The rules of the house: which room may use which, and what no file may hold.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use regex::Regex;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The rooms of `src`; one may use those in the lines above its own.
const ROOMS: &[&[&str]] = &[
    &["diagnostic"],
    &["syntax"],
    &["eval"],
    &["drawing"],
    &["functions"],
    &["config"],
    &["store"],
    &["input"],
    &["world"],
    &["profile", "event", "pipeline", "collect", "rule"],
    &["engine"],
    &["shell"],
    &["kernel"],
    &["server"],
    &["cli"],
];

/// The files that know pest.
const PEST: &[&str] = &[
    "src/syntax/parse.rs",
    "src/syntax/complain.rs",
    "src/profile/window/parse.rs",
    "src/collect/query/parse.rs",
];

/// How many lines a file of `src` may have.
const LINES: usize = 600;

/// Longer files, each with the reason why it is one file.
const LONG: &[(&str, &str)] = &[];

/// Traces of one machine; written in two parts so that this file does not hold them.
const MACHINE: &[&str] = &[
    concat!("/wor", "k/"),
    concat!("/tmp/", "scratch"),
    concat!("/roo", "t/"),
];

/// Fails with all complaints at once.
#[track_caller]
fn none(complaints: Vec<String>) {
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

/// All Rust files of `src` by path, without those that are tests.
fn sources() -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for entry in glob::glob("src/**/*.rs").unwrap() {
        let path = entry.unwrap();
        let test = path
            .components()
            .any(|part| matches!(part.as_os_str().to_str(), Some("tests" | "tests.rs")));
        if !test {
            let text = std::fs::read_to_string(&path).unwrap();
            found.insert(path.to_str().unwrap().to_string(), text);
        }
    }
    assert!(found.len() > 20, "{} sources only", found.len());
    found
}

/// The program in a file: no comments, nothing inside of literals, no tests. Lines keep their numbers.
fn program(text: &str) -> String {
    without_tests(&without_words(text))
}

/// Rust without comments and without what stands in literals.
fn without_words(text: &str) -> String {
    let skip = Regex::new(concat!(
        r"(?s)//[^\n]*",
        r"|/\*.*?\*/",
        r##"|\bb?r"[^"]*""##,
        r###"|\bb?r#".*?"#"###,
        r####"|\bb?r##".*?"##"####,
        r#"|b?"(?:[^"\\]|\\.)*""#,
        r"|b?'(?:[^'\\\n]|\\[^\n]|\\u\{[0-9A-Fa-f]+\}|\\x[0-9A-Fa-f]{2})'",
    ))
    .unwrap();
    skip.replace_all(text, |found: &regex::Captures<'_>| {
        let found = &found[0];
        let lines = "\n".repeat(found.matches('\n').count());
        match found.starts_with('/') {
            true => lines,
            false => format!("\"{lines}\""),
        }
    })
    .into_owned()
}

/// Rust without the items behind `#[cfg(test)]`.
fn without_tests(code: &str) -> String {
    let marker = "#[cfg(test)]";
    let mut kept = String::new();
    let mut rest = code;
    while let Some(at) = rest.find(marker) {
        kept.push_str(&rest[..at]);
        let mut depth = 0usize;
        let end = rest[at..].char_indices().find_map(|(i, c)| {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                _ => {}
            }
            (depth == 0 && matches!(c, '}' | ';')).then_some(at + i + 1)
        });
        let end = end.unwrap_or(rest.len());
        kept.push_str(&"\n".repeat(rest[at..end].matches('\n').count()));
        rest = &rest[end..];
    }
    kept + rest
}

fn line_of(code: &str, at: usize) -> usize {
    1 + code[..at].matches('\n').count()
}

/// What follows each `crate::` in the code, also inside of braces, with its place.
fn uses(code: &str) -> Vec<(usize, String)> {
    let name = Regex::new(r"^[a-z_]\w*").unwrap();
    let mut found = Vec::new();
    for start in Regex::new(r"\bcrate::").unwrap().find_iter(code) {
        let rest = &code[start.end()..];
        let Some(group) = rest.strip_prefix('{') else {
            found.extend(
                name.find(rest)
                    .map(|n| (start.start(), n.as_str().to_string())),
            );
            continue;
        };
        let mut depth = 0usize;
        let mut first = true;
        for (at, c) in group.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => first = true,
                c if first && !c.is_whitespace() => {
                    found.extend(
                        name.find(&group[at..])
                            .map(|n| (start.start(), n.as_str().to_string())),
                    );
                    first = false;
                }
                _ => {}
            }
        }
    }
    found
}

fn rank(room: &str) -> Option<usize> {
    ROOMS.iter().position(|rooms| rooms.contains(&room))
}

/// The room of a file, and how many modules deep it lies: `src/eval/java/mod.rs` is two deep in `eval`.
fn room(path: &str) -> (String, usize) {
    let inner = path.strip_prefix("src/").unwrap().trim_end_matches(".rs");
    let inner = inner.trim_end_matches("/mod");
    let room = inner.split('/').next().unwrap();
    (room.to_string(), inner.split('/').count())
}

#[test]
fn rooms_use_those_above_them() {
    let up = Regex::new(r"(?:\bsuper::)+").unwrap();
    let mut complaints = Vec::new();
    for (path, text) in sources() {
        if matches!(path.as_str(), "src/lib.rs" | "src/main.rs") {
            continue;
        }
        let (own, depth) = room(&path);
        let Some(own_rank) = rank(&own) else {
            complaints.push(format!("{path}: {own} is no room of the house"));
            continue;
        };
        let code = program(&text);
        for (at, used) in uses(&code) {
            let line = line_of(&code, at);
            match rank(&used) {
                None => complaints.push(format!("{path}:{line}: {used} is no room of the house")),
                Some(rank) if rank >= own_rank && used != own => complaints.push(format!(
                    "{path}:{line}: {own} uses {used}, which is not above it"
                )),
                Some(_) => {}
            }
        }
        for found in up.find_iter(&code) {
            if found.as_str().matches("super").count() >= depth {
                let line = line_of(&code, found.start());
                complaints.push(format!(
                    "{path}:{line}: super leads out of {own}; say crate::"
                ));
            }
        }
    }
    none(complaints);
}

#[test]
fn only_the_parser_knows_pest() {
    let pest = Regex::new(r"\bpest\w*").unwrap();
    let mut complaints = Vec::new();
    for (path, text) in sources() {
        let code = program(&text);
        for found in pest.find_iter(&code) {
            if !PEST.contains(&path.as_str()) {
                let line = line_of(&code, found.start());
                complaints.push(format!("{path}:{line}: {} is named", found.as_str()));
            }
        }
    }
    none(complaints);
}

#[test]
fn nothing_may_panic() {
    let wrong = Regex::new(
        r"\bunsafe\b|\.unwrap\(\)|\.expect\(|\b(?:panic|todo|unimplemented|unreachable|dbg)!",
    )
    .unwrap();
    let mut complaints = Vec::new();
    for (path, text) in sources() {
        let code = program(&text);
        for found in wrong.find_iter(&code) {
            let line = line_of(&code, found.start());
            complaints.push(format!("{path}:{line}: {}", found.as_str()));
        }
    }
    none(complaints);
}

#[test]
fn files_are_short() {
    let mut complaints = Vec::new();
    let mut counts = BTreeMap::new();
    for entry in glob::glob("src/**/*.rs").unwrap() {
        let path = entry.unwrap();
        let lines = std::fs::read_to_string(&path).unwrap().lines().count();
        counts.insert(path.to_str().unwrap().to_string(), lines);
    }
    for (path, lines) in &counts {
        if *lines > LINES && !LONG.iter().any(|(long, _)| long == path) {
            complaints.push(format!("{path} has {lines} lines; {LINES} are allowed"));
        }
    }
    for (path, reason) in LONG {
        if counts.get(*path).is_none_or(|lines| *lines <= LINES) {
            complaints.push(format!("{path} needs no exception"));
        }
        if reason.len() < 20 {
            complaints.push(format!("{path} needs a reason"));
        }
    }
    none(complaints);
}

/// The files of the project: what git knows or would take, else all but what is built.
fn files() -> Vec<PathBuf> {
    let listed = Command::new("git")
        .args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .output();
    if let Ok(output) = listed
        && output.status.success()
    {
        return String::from_utf8_lossy(&output.stdout)
            .split_terminator('\0')
            .map(PathBuf::from)
            .collect();
    }
    let built = |path: &Path| path.starts_with("target") || path.starts_with(".git");
    glob::glob("**/*")
        .unwrap()
        .filter_map(Result::ok)
        .filter(|path| !built(path))
        .collect()
}

#[test]
fn no_file_names_a_machine() {
    let mut complaints = Vec::new();
    for path in files().iter().filter(|path| path.is_file()) {
        let text = String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned();
        for (number, line) in text.lines().enumerate() {
            for trace in MACHINE.iter().filter(|trace| line.contains(**trace)) {
                complaints.push(format!("{}:{}: {trace}", path.display(), number + 1));
            }
        }
    }
    none(complaints);
}

#[test]
fn a_value_has_24_bytes() {
    assert_eq!(size_of::<stellar::eval::Value>(), 24);
}

#[test]
fn the_guards_see_what_they_guard() {
    let code = program(
        "use crate::{eval::{A, b}, syntax::C};\n/* .unwrap() */ let c = '\"'; let s = \"crate::cli \\\" x\";\n\
         fn f<'a>(x: &'a str) { crate::store::g(x, r#\"panic!(\"\")\"#) } // todo!()\n\
         #[cfg(test)]\nmod tests {\n    fn t() { x.unwrap(); }\n}\nfn end() {}\n",
    );
    let names: Vec<String> = uses(&code).into_iter().map(|(_, name)| name).collect();
    assert_eq!(names, ["eval", "syntax", "store"]);
    for gone in ["unwrap", "panic", "todo", "cli"] {
        assert!(!code.contains(gone), "{gone} in {code}");
    }
    assert_eq!(line_of(&code, code.find("fn end").unwrap()), 8);
    assert_eq!(room("src/eval/java/mod.rs"), ("eval".to_string(), 2));
    assert_eq!(room("src/engine.rs"), ("engine".to_string(), 1));
}
