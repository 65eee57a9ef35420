//! Compares the module with what Java 17 answered, written down in `java_regex.tsv`.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeSet;

use stellar::eval::java::regex::{Groups, JavaRegex, RegexErrorKind, RegexLimits};

fn decode(field: &str) -> String {
    let bytes = field.as_bytes();
    let mut out = Vec::new();
    let mut i = 0;
    while i < bytes.len() {
        if bytes[i] == b'%' {
            out.push(u8::from_str_radix(&field[i + 1..i + 3], 16).unwrap());
            i += 3;
        } else {
            out.push(bytes[i]);
            i += 1;
        }
    }
    String::from_utf8(out).unwrap()
}

fn spans(groups: &Groups) -> String {
    let show = |g| match groups.get(g) {
        Some((a, b)) => format!("{a}:{b}"),
        None => "-".to_owned(),
    };
    (0..=groups.count()).map(show).collect::<Vec<_>>().join(",")
}

/// What differs from a line of the table, if anything.
fn difference(line: &str) -> Option<String> {
    let fields: Vec<&str> = line.split('\t').collect();
    let [
        pattern,
        text,
        replacement,
        status,
        matches,
        groups,
        find,
        replaced,
    ] = fields[..]
    else {
        return Some("not eight fields".to_owned());
    };
    let (pattern, text, replacement) = (decode(pattern), decode(text), decode(replacement));
    let regex = match JavaRegex::compile(&pattern, &RegexLimits::default()) {
        Err(e) if status == "error" && e.kind != RegexErrorKind::Unsupported => return None,
        Err(e) => return Some(format!("refused: {e}")),
        Ok(_) if status == "error" => return Some("accepted".to_owned()),
        Ok(regex) => regex,
    };
    let mut wrong = Vec::new();
    let mut check = |what: &str, got: String, want: &str| {
        if got != want && want != "!overflow" {
            wrong.push(format!("{what}: {got} instead of {want}"));
        }
    };
    check("matches", show(regex.is_full_match(&text)), matches);
    let got = match regex.full_match_groups(&text) {
        Ok(found) => found.map(|g| spans(&g)).unwrap_or_default(),
        Err(e) => format!("!{e}"),
    };
    check("groups", got, groups);
    let want = if find == "none" { "false" } else { "true" };
    check("find", show(regex.find(&text)), want);
    let got = match regex.replace_all(&text, &replacement, 1 << 20) {
        Ok(out) => format!("={out}"),
        Err(e) => format!("!{}", e.message),
    };
    check("replaced", got, &decode(replaced));
    (!wrong.is_empty()).then(|| wrong.join("; "))
}

fn show(answer: Result<bool, impl std::fmt::Display>) -> String {
    match answer {
        Ok(yes) => yes.to_string(),
        Err(e) => format!("!{e}"),
    }
}

#[test]
fn answers_as_java_17() {
    let path = std::env::var("JAVA_REGEX_TABLE").ok();
    let table = match &path {
        Some(path) => std::fs::read_to_string(path).unwrap(),
        None => include_str!("java_regex.tsv").to_owned(),
    };
    let mut wrong = Vec::new();
    let mut patterns = BTreeSet::new();
    let mut count = 0;
    for line in table.lines().filter(|l| !l.starts_with("# ")) {
        count += 1;
        patterns.insert(line.split('\t').next().unwrap());
        if let Some(difference) = difference(line) {
            wrong.push(format!("{line}\n    {difference}"));
        }
    }
    println!("{count} cases, {} patterns", patterns.len());
    assert!(
        wrong.is_empty(),
        "{} of {count}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(path.is_some() || (count >= 250 && patterns.len() >= 200));
}

/// Where this module is known to differ: pattern, text, what Java gives for the groups of the match
/// (or for `find()`), and what is given here.
#[test]
fn known_differences() {
    let limits = RegexLimits::default();
    let groups = |pattern: &str, text: &str| {
        let regex = JavaRegex::compile(pattern, &limits).unwrap();
        spans(&regex.full_match_groups(text).unwrap().unwrap())
    };
    // Java leaves a group unset when an optional round took nothing: 0:0,-
    assert_eq!(groups("()*", ""), "0:0,0:0");
    // Java keeps the inner group of a round it gave back: 0:5,0:2,2:3
    assert_eq!(groups("((a)b)*abc", "ababc"), "0:5,0:2,0:1");
    // Java's sum of two unbounded lengths overflows, and it finds nothing.
    let regex = JavaRegex::compile("(?<=a+b*)c", &limits).unwrap();
    assert_eq!(regex.find("aac"), Ok(true));
    // Java matches the empty string within a surrogate pair.
    let regex = JavaRegex::compile("x*", &limits).unwrap();
    assert_eq!(regex.replace_all("😀", "-", 100).unwrap(), "-😀-");
    for pattern in [
        r"\X",
        r"\b{g}",
        r"\N{DIGIT ONE}",
        r"\p{javaMirrored}",
        "(?c)a",
    ] {
        let error = JavaRegex::compile(pattern, &limits).unwrap_err();
        assert_eq!(error.kind, RegexErrorKind::Unsupported, "{pattern}");
    }
}

#[test]
fn errors_point_into_the_pattern() {
    for (pattern, message) in [
        ("a(b", "unclosed group at offset 1"),
        ("a)b", "unmatched closing ')' at offset 1"),
        ("é*+*", "dangling '*' at offset 4"),
        ("x[a-", "unclosed character class at offset 1"),
        ("x{2", "unclosed counted quantifier at offset 1"),
        (
            "x{,2}",
            "illegal repetition: '{' without a number at offset 1",
        ),
        (r"\p{Nope}", "unknown character property 'Nope' at offset 0"),
        ("[z-a]", "illegal character range at offset 2"),
    ] {
        let error = JavaRegex::compile(pattern, &RegexLimits::default()).unwrap_err();
        assert_eq!(error.to_string(), message, "{pattern}");
    }
}

#[test]
fn threads_share_the_cache() {
    let work = |seed: usize| {
        for i in 0..3000 {
            let n = (i * 7 + seed) % 700;
            let limits = RegexLimits::default();
            let regex = stellar::eval::java::regex::cached(&format!("a{{{n}}}"), &limits).unwrap();
            assert_eq!(regex.is_full_match(&"a".repeat(n)), Ok(true));
        }
    };
    std::thread::scope(|scope| {
        for seed in 0..4 {
            scope.spawn(move || work(seed));
        }
    });
}
