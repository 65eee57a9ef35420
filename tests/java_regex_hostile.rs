//! Patterns and texts made to hang, overflow or exhaust: each must answer or err quickly.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::time::{Duration, Instant};

use stellar::eval::java::regex::{JavaRegex, RegexErrorKind, RegexLimits};

/// What blows up never ends; 100 ms are the aim of an optimised build, and machines may be busy.
const PATIENCE: Duration = Duration::from_secs(60);

const ROOMY: RegexLimits = RegexLimits {
    max_pattern_bytes: 1 << 20,
    max_program_bytes: 2 << 20,
    backtrack_limit: 1_000_000,
};

fn quick<T>(what: &str, work: impl Fn() -> T) -> T {
    let start = Instant::now();
    let result = work();
    let took = start.elapsed();
    println!("{took:>12.1?}  {what}");
    assert!(took < PATIENCE, "{what} took {took:?}");
    result
}

/// Compiles and uses a pattern in every way; gives the kinds of the errors met.
fn exercise(pattern: &str, text: &str) -> Vec<RegexErrorKind> {
    let name: String = pattern.chars().take(40).collect();
    let compiled = quick(&format!("compile {name}"), || {
        JavaRegex::compile(pattern, &ROOMY)
    });
    let regex = match compiled {
        Ok(regex) => regex,
        Err(e) => return vec![e.kind],
    };
    let mut kinds = Vec::new();
    let matched = quick(&format!("match   {name}"), || regex.is_full_match(text));
    let groups = quick(&format!("groups  {name}"), || regex.full_match_groups(text));
    let found = quick(&format!("find    {name}"), || regex.find(text));
    kinds.extend(matched.err().map(|e| e.kind));
    kinds.extend(groups.err().map(|e| e.kind));
    kinds.extend(found.err().map(|e| e.kind));
    kinds
}

#[test]
fn catastrophic_patterns_answer_or_err() {
    let text = format!("{}!", "a".repeat(100_000));
    for pattern in [
        "(a+)+$",
        "(a|aa)+$",
        "(.*)*x",
        r"(?=(a+))a*b\1",
        "(a*)*b",
        "(?:(?=a*x)a)*b",
        "(?!a*b)a++x",
        "(?>a*)(?>a*)(?>a*)x",
        r"(.)\1*b",
        "(?<=a{1,200})b",
        "(?<!a*x)b",
        "(a|a)*?b(?=c)",
        "((a?){50}){50}(?!b)x",
        "(?:a?){5000}a{5000}(?=!)",
        "(?:(?:(?:a*)*)*)*(?=b)",
        r"(a)*\1(?<=b)",
        r"\b(a+\b)+(?=x)",
        "(?:a|(?=b)|a?)*!!",
    ] {
        let kinds = exercise(pattern, &text);
        assert!(
            kinds.iter().all(|k| *k == RegexErrorKind::TooManySteps),
            "{pattern}: {kinds:?}"
        );
    }
}

#[test]
fn simple_patterns_still_answer_on_long_texts() {
    let text = "lorem ipsum dolor 12345 ".repeat(5_000);
    for pattern in [
        r"(\w+) \1",
        r"foo(?=bar)",
        r"(?<!\d)\d{6}",
        r"(?i)\bdolores\b",
        "x$",
    ] {
        let regex = JavaRegex::compile(pattern, &ROOMY).unwrap();
        assert_eq!(quick(pattern, || regex.find(&text)), Ok(false), "{pattern}");
    }
}

#[test]
fn huge_patterns_answer_or_err() {
    let kilo64 = |unit: &str| unit.repeat((64 << 10) / unit.len());
    let text = "ab".repeat(1000);
    let long = "ab".repeat(50_000);
    for pattern in [
        "((a{1000}){1000}){1000}".to_owned(),
        "(?=((a{1000}){1000}){1000})".to_owned(),
        "a{2147483646}".to_owned(),
        "(?:(?:a?){300}b?){10}c".to_owned(),
        "(?:[ab]{0,1000}c?){0,5}d".to_owned(),
        r"[\p{L} ]{1,60}".to_owned(),
        kilo64("(a?)"),
        "(a?)".repeat(1000),
        "(?:a{0,1000}){0,1000}b".to_owned(),
        kilo64("a"),
        kilo64("a|"),
        kilo64("(a)"),
        kilo64("()"),
        kilo64(r"\p{L}"),
        kilo64(r"[\p{L}_]"),
        kilo64(r"(?=\p{L})"),
        kilo64(r"[^\W\d]"),
        kilo64("(?U)\\w"),
        kilo64("(?=a)"),
        kilo64("(?!b)"),
        kilo64("(?<=a)"),
        kilo64("(?>a)"),
        kilo64("a*+"),
        kilo64("a*"),
        kilo64("a?"),
        kilo64("(a*)*"),
        kilo64(r"\1"),
        kilo64("[a&&b]"),
        kilo64("(?iu)[a-z]"),
        kilo64("(?iu)[ -\u{FFFF}]"),
        kilo64("é"),
        kilo64("\\Q[\\E"),
        kilo64("(?x) # \n"),
        kilo64("a{9}"),
        kilo64("(?:ab){0,9}"),
        kilo64("$"),
        kilo64("(?m)^"),
        kilo64(r"\b"),
        format!("[{}]", kilo64("a-z")),
        format!("[{}]", kilo64("&&a")),
        format!("(?<=x{{0,9}}{})", kilo64("a?")),
        kilo64(r"(?i)ab"),
    ] {
        // A long text takes its time only with the short patterns.
        let text = if pattern.len() < 100 { &long } else { &text };
        for kind in exercise(&pattern, text) {
            assert_ne!(kind, RegexErrorKind::Syntax, "{:.40}", pattern);
            assert_ne!(kind, RegexErrorKind::Unsupported, "{:.40}", pattern);
        }
    }
}

#[test]
fn deep_nesting_needs_little_stack() {
    let run = || {
        let wrap =
            |open: &str, close: &str, n: usize| format!("{}a{}", open.repeat(n), close.repeat(n));
        for (open, close) in [
            ("(", ")"),
            ("(", ")*"),
            ("(?:b|", "|c)+"),
            ("(?=", ")"),
            ("(?<=", ")"),
            ("(?>", ")"),
            ("(?:", ")*+"),
            ("(?i:x?", "y?)*?"),
            ("[", "]"),
            ("[^b[", "]]"),
            ("[a&&[", "]]"),
            ("[a&&", ""),
            ("(", ""),
            ("[", ""),
        ] {
            for n in [60, 99, 199, 10_000] {
                let kinds = exercise(&wrap(open, close, n), "aaaa");
                exercise(&format!("(?=){}", wrap(open, close, n)), "aaaa");
                if n == 10_000 {
                    assert_eq!(kinds, [RegexErrorKind::TooBig], "{open}");
                }
            }
        }
    };
    std::thread::Builder::new()
        .stack_size(2 << 20)
        .spawn(run)
        .unwrap()
        .join()
        .unwrap();
}

#[test]
fn replacing_is_bounded() {
    let regex = |p: &str| JavaRegex::compile(p, &ROOMY).unwrap();
    let text = "A".repeat(100_000);
    let error = regex("A")
        .replace_all(&text, "0123456789", 1 << 16)
        .unwrap_err();
    assert_eq!(error.kind, RegexErrorKind::TooBig);
    // Each match makes the engine look at all that follows.
    let start = Instant::now();
    let slow = regex(".*[^A-Z]|[A-Z]").replace_all(&text, "-", 1 << 20);
    println!("quadratic: {:?} {:?}", slow.map(|_| ()), start.elapsed());
    assert!(start.elapsed() < PATIENCE);
    let slow = quick("look-ahead at each place", || {
        regex("(?=.*b)|A").replace_all(&text, "-", 1 << 20)
    });
    assert_eq!(slow.unwrap_err().kind, RegexErrorKind::TooManySteps);
    let many = quick("100,000 matches", || {
        regex("A(?=A)").replace_all(&text, "[$0]", 1 << 20)
    });
    assert_eq!(many.unwrap().len(), 99_999 * 3 + 1);
}

#[test]
fn limits_are_kept() {
    let tight = RegexLimits {
        max_pattern_bytes: 10,
        max_program_bytes: 1 << 10,
        backtrack_limit: 10,
    };
    let kind = |p: &str| JavaRegex::compile(p, &tight).unwrap_err().kind;
    assert_eq!(kind("aaaaaaaaaaa"), RegexErrorKind::TooBig);
    assert_eq!(kind(r"\p{L}"), RegexErrorKind::TooBig);
    assert_eq!(kind(r"\X"), RegexErrorKind::Unsupported);
    let regex = JavaRegex::compile(r"(?=(a+))b", &tight).unwrap();
    let error = regex.is_full_match(&"a".repeat(1000)).unwrap_err();
    assert_eq!(error.kind, RegexErrorKind::TooManySteps);
    let error = JavaRegex::compile("é(b", &ROOMY).unwrap_err();
    assert_eq!(
        (error.kind, error.offset),
        (RegexErrorKind::Syntax, Some(2))
    );
    assert_eq!(error.to_string(), "unclosed group at offset 2");
}
