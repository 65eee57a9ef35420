//! Depth, size and time.

use super::super::{After, BadJson, BadKind, Builder, Extractor, Field, parse, parse_event};
use super::Values;
use std::borrow::Cow;
use std::time::{Duration, Instant};

/// What does not take linear time never ends; machines may be busy.
const HANG: Duration = Duration::from_secs(60);

/// Builds nothing, so that dropping a deep value is no question.
struct Nothing;

impl Builder for Nothing {
    type Value = ();
    type List = ();
    type Map = ();
    fn null(&mut self) {}
    fn boolean(&mut self, _: bool) {}
    fn int(&mut self, _: i32) {}
    fn long(&mut self, _: i64) {}
    fn big(&mut self, _: &str) {}
    fn double(&mut self, _: f64) {}
    fn string(&mut self, _: Cow<'_, str>) {}
    fn list(&mut self) {}
    fn push(&mut self, (): &mut (), (): ()) {}
    fn end_list(&mut self, (): ()) {}
    fn map(&mut self) {}
    fn insert(&mut self, (): &mut (), _: Cow<'_, str>, (): ()) {}
    fn end_map(&mut self, (): ()) {}
}

fn on_a_small_stack<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new()
            .stack_size(2 << 20)
            .spawn_scoped(scope, work);
        thread.expect("a thread").join().expect("no overflow")
    })
}

/// An event with `depth` open brackets and braces at its deepest.
fn nested(depth: usize, list_every: usize) -> String {
    let is_list = |level: usize| level > 1 && list_every > 0 && level.is_multiple_of(list_every);
    let open: String = (1..=depth)
        .map(|level| if is_list(level) { "[" } else { "{\"a\":" })
        .collect();
    let close: String = (1..=depth)
        .rev()
        .map(|level| if is_list(level) { "]" } else { "}" })
        .collect();
    format!("{open}1{close}")
}

#[test]
fn the_depth_limit_is_256_on_every_way() {
    let deep_name = vec!["a"; 300].join(".");
    for list_every in [0, 2, 3, 64] {
        for (depth, good) in [
            (1, true),
            (64, true),
            (65, true),
            (255, true),
            (256, true),
            (257, false),
            (300, false),
        ] {
            let line = nested(depth, list_every);
            for names in [
                vec![],
                vec!["b"],
                vec!["a"],
                vec!["a.a.a.a"],
                vec![deep_name.as_str()],
            ] {
                let mut out = vec![Field::Missing; names.len()];
                let read =
                    on_a_small_stack(|| Extractor::new(&names).extract(line.as_bytes(), &mut out));
                assert_eq!(read.is_ok(), good, "{depth} {list_every}");
                let tree = parse_event(line.as_bytes(), &mut Nothing);
                assert_eq!(read, tree);
                if let Err(fault) = read {
                    assert_eq!(fault.kind, BadKind::TooDeep);
                }
            }
        }
    }
    let path = vec!["a"; 256].join(".");
    let line = nested(256, 0);
    let mut out = [Field::Missing];
    Extractor::new(&[&path])
        .extract(line.as_bytes(), &mut out)
        .unwrap();
    assert_eq!(out, [Field::Int(1)]);
}

#[test]
fn the_parser_takes_any_depth_without_recursion() {
    let depth = 1_000_000;
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let text = format!("{}1{}", open.repeat(depth), close.repeat(depth));
        on_a_small_stack(|| {
            assert!(parse(&text, depth, After::Blanks, &mut Nothing).is_ok());
            let fault = parse(&text, depth - 1, After::Blanks, &mut Nothing).unwrap_err();
            assert_eq!(fault.kind, BadKind::TooDeep);
        });
    }
    assert!(parse("1", 0, After::Blanks, &mut Nothing).is_ok());
    assert!(parse("[]", 0, After::Blanks, &mut Nothing).is_err());
}

#[test]
fn a_million_open_brackets_are_refused_at_once() {
    for text in [
        "[".repeat(1_000_000),
        "{\"a\":".repeat(1_000_000),
        "{\"a\":[".repeat(1_000_000),
    ] {
        let started = Instant::now();
        on_a_small_stack(|| {
            for line in [
                text.clone(),
                format!("{{\"a\":{text}"),
                format!("{{\"b\":{text}"),
            ] {
                let mut out = [Field::Missing, Field::Missing];
                assert!(
                    Extractor::new(&["a", "a.a.a"])
                        .extract(line.as_bytes(), &mut out)
                        .is_err()
                );
                assert!(parse_event(line.as_bytes(), &mut Values).is_err());
                assert!(parse(&line, 256, After::Blanks, &mut Values).is_err());
            }
        });
        assert!(started.elapsed() < HANG, "{:?}", started.elapsed());
    }
}

#[test]
fn great_texts_take_linear_time() {
    let mega = 1_000_000;
    let digits = "7".repeat(mega);
    let good = [
        digits.clone(),
        format!("-{digits}"),
        format!("0.{digits}"),
        format!("{digits}.{digits}e-{digits}"),
        format!("1e{digits}"),
        format!("\"{}\"", "\\\\".repeat(mega)),
        format!("\"{}\"", "\\ud800".repeat(mega)),
        format!("\"{}\"", "é".repeat(mega)),
        format!("[{}1]", "1,".repeat(mega)),
        format!("[{}]", "\t".repeat(mega)),
        format!("{{{}\"z\":1}}", "\"a\":1,".repeat(mega)),
        " \n".repeat(mega) + "1",
    ];
    for value in good {
        let line = format!("{{\"a\":{value}}}");
        let started = Instant::now();
        let mut out = [Field::Missing];
        Extractor::new(&["a"])
            .extract(line.as_bytes(), &mut out)
            .unwrap();
        assert!(parse_event(line.as_bytes(), &mut Nothing).is_ok());
        assert!(started.elapsed() < HANG, "{:?}", started.elapsed());
    }
    let line = format!("{{\"a\":{digits}}}");
    let mut out = [Field::Missing];
    Extractor::new(&["a"])
        .extract(line.as_bytes(), &mut out)
        .unwrap();
    assert_eq!(out, [Field::Big(&digits)]);
}

#[test]
fn great_bad_texts_take_linear_time() {
    let mega = 1_000_000;
    for text in [
        "\"".repeat(mega),
        "\\".repeat(mega),
        "{\"a\":\"".to_owned() + &"x".repeat(mega),
        "\0".repeat(mega),
    ] {
        for line in [
            text.clone(),
            format!("{{\"a\":\"{text}"),
            format!("{{\"a\":1}}{text}"),
        ] {
            let started = Instant::now();
            let read: Result<(), BadJson> =
                Extractor::new(&["a"]).extract(line.as_bytes(), &mut [Field::Missing]);
            assert!(read.is_err());
            assert!(started.elapsed() < HANG, "{:?}", started.elapsed());
        }
    }
}
