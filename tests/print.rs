//! The printer and the formatter: what is printed reads as the same tree, and formatting twice changes nothing.
#![allow(clippy::unwrap_used, clippy::panic)]

use proptest::prelude::*;
use std::sync::Arc;
use std::time::{Duration, Instant};
use stellar::diagnostic::{Source, Span};
use stellar::syntax::scan::{TokenKind, tokens};
use stellar::syntax::{
    ArithOp, CompareOp, Expr, ExprKind, LogicOp, ParseLimits, Said, WIDTH, alike, format_script,
    parse, print, print_written, quoted, statements,
};

fn read(text: &str) -> Expr {
    let limits = ParseLimits {
        length: usize::MAX,
        ..ParseLimits::default()
    };
    match parse(&Arc::new(Source::expression(text)), limits) {
        Ok(Some(expr)) => expr,
        Ok(None) => panic!("nothing in {text:?}"),
        Err(fault) => panic!("{text}\n{fault}"),
    }
}

fn format(text: &str) -> String {
    let limits = ParseLimits::default();
    format_script(&Source::named("script", text), limits, WIDTH).text
}

fn node(kind: ExprKind) -> Expr {
    let span = Span::default();
    Expr { kind, span }
}

/// The tree without parentheses.
fn bare(expr: &Expr) -> Expr {
    let boxed = |x: &Expr| Box::new(bare(x));
    let all = |items: &[Expr]| items.iter().map(bare).collect();
    let pairs = |pairs: &[(Expr, Expr)]| pairs.iter().map(|(a, b)| (bare(a), bare(b))).collect();
    node(match &expr.inner().kind {
        ExprKind::Negate(x) => ExprKind::Negate(boxed(x)),
        ExprKind::Not(x) => ExprKind::Not(boxed(x)),
        ExprKind::Arithmetic(first, rest) => ExprKind::Arithmetic(
            boxed(first),
            rest.iter().map(|(op, x)| (*op, bare(x))).collect(),
        ),
        ExprKind::Comparison(first, rest) => ExprKind::Comparison(
            boxed(first),
            rest.iter().map(|(op, x)| (*op, bare(x))).collect(),
        ),
        ExprKind::Logic(operands, operators) => ExprKind::Logic(all(operands), operators.clone()),
        ExprKind::In {
            item,
            container,
            negated,
        } => ExprKind::In {
            item: boxed(item),
            container: boxed(container),
            negated: *negated,
        },
        ExprKind::Conditional {
            branches,
            otherwise,
            words,
        } => ExprKind::Conditional {
            branches: pairs(branches),
            otherwise: boxed(otherwise),
            words: *words,
        },
        ExprKind::Match { clauses, default } => ExprKind::Match {
            clauses: pairs(clauses),
            default: boxed(default),
        },
        ExprKind::Call {
            name, arguments, ..
        } => ExprKind::Call {
            name: name.clone(),
            name_span: Span::default(),
            arguments: all(arguments),
        },
        ExprKind::List(items) => ExprKind::List(all(items)),
        ExprKind::Map(entries) => ExprKind::Map(pairs(entries)),
        ExprKind::Lambda { parameters, body } => ExprKind::Lambda {
            parameters: parameters.clone(),
            body: boxed(body),
        },
        other => other.clone(),
    })
}

fn names() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "a",
        "b",
        "_",
        "x",
        "$x",
        "us:nyc",
        "a::b",
        "in:x",
        "a.b",
        "foo.",
        "e1x",
        "e",
        "def",
        "If",
        "quit",
        "source.ip",
        "not_",
        "default:a",
        "orders",
    ])
}

fn leaves() -> impl Strategy<Value = Expr> {
    let number = prop_oneof![
        any::<i32>().prop_map(ExprKind::Int),
        (-20..20).prop_map(ExprKind::Int),
        any::<i64>().prop_map(ExprKind::Long),
        prop::num::f32::ANY
            .prop_filter("no literal", |x| !x.is_nan())
            .prop_map(ExprKind::Float),
        prop::num::f64::ANY.prop_map(ExprKind::Double),
        (-99..99).prop_map(|x| ExprKind::Double(f64::from(x) / 4.0)),
    ];
    let text = prop_oneof![
        "[a-c '\"\\\\\n\r\t:/#ü😀,)]{0,12}",
        Just("// no comment".to_string()),
        "[a-z ]{0,60}",
    ];
    prop_oneof![
        Just(ExprKind::Null),
        any::<bool>().prop_map(ExprKind::Bool),
        number,
        text.prop_map(|text| ExprKind::Text(text.into())),
        names().prop_map(|name| ExprKind::Name(name.into())),
        names().prop_map(|name| ExprKind::Exists(name.into())),
    ]
    .prop_map(node)
}

fn trees() -> impl Strategy<Value = Expr> {
    leaves().prop_recursive(6, 60, 5, |inner| {
        let one = || inner.clone().prop_map(Box::new);
        let many = |least| prop::collection::vec(inner.clone(), least..5);
        let pairs = |least| prop::collection::vec((inner.clone(), inner.clone()), least..4usize);
        let level = prop::sample::select(vec![
            vec![ArithOp::Add, ArithOp::Subtract],
            vec![ArithOp::Multiply],
            vec![ArithOp::Divide],
        ]);
        let arithmetic = (level, many(2), any::<u64>()).prop_map(|(level, mut items, seed)| {
            let first = items.remove(0);
            let rest = items.into_iter().enumerate();
            let op = |i: usize| level[(seed >> i) as usize % level.len()];
            ExprKind::Arithmetic(Box::new(first), rest.map(|(i, x)| (op(i), x)).collect())
        });
        let compare = prop::sample::select(vec![
            CompareOp::Equal,
            CompareOp::Unequal,
            CompareOp::Less,
            CompareOp::AtMost,
            CompareOp::Greater,
            CompareOp::AtLeast,
        ]);
        let comparison = (one(), prop::collection::vec((compare, inner.clone()), 1..3))
            .prop_map(|(first, rest)| ExprKind::Comparison(first, rest));
        let logic = (many(2), any::<u64>()).prop_map(|(operands, seed)| {
            let op = |i: usize| match (seed >> i) & 1 {
                0 => LogicOp::And,
                _ => LogicOp::Or,
            };
            let operators = (1..operands.len()).map(op).collect();
            ExprKind::Logic(operands, operators)
        });
        let membership =
            (one(), one(), any::<bool>()).prop_map(|(item, container, negated)| ExprKind::In {
                item,
                container,
                negated,
            });
        let conditional =
            (pairs(1), one(), any::<bool>()).prop_map(|(branches, otherwise, words)| {
                ExprKind::Conditional {
                    branches,
                    otherwise,
                    words,
                }
            });
        let matching =
            (pairs(1), one()).prop_map(|(clauses, default)| ExprKind::Match { clauses, default });
        let call = (names(), many(0)).prop_map(|(name, arguments)| ExprKind::Call {
            name: name.into(),
            name_span: Span::default(),
            arguments,
        });
        let lambda = (prop::collection::vec(names(), 0..3), one()).prop_map(|(names, body)| {
            ExprKind::Lambda {
                parameters: names
                    .into_iter()
                    .map(|name| (name.into(), Span::default()))
                    .collect(),
                body,
            }
        });
        prop_oneof![
            one().prop_map(ExprKind::Negate),
            one().prop_map(ExprKind::Not),
            one().prop_map(ExprKind::Group),
            arithmetic,
            comparison,
            logic,
            membership,
            conditional,
            matching,
            call,
            many(0).prop_map(ExprKind::List),
            pairs(0).prop_map(ExprKind::Map),
            lambda,
        ]
        .prop_map(node)
    })
}

/// Puts comments and line breaks at random places inside the brackets of an expression, and a backslash
/// here and there outside of them.
fn disturbed(text: &str, mut seed: u64) -> (String, usize) {
    let mut disturbed = String::new();
    let (mut depth, mut comments) = (0usize, 0);
    for token in tokens(text) {
        let part = &text[token.span.start..token.span.end];
        depth -= usize::from(token.kind == TokenKind::Close);
        seed = seed
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        // Between `not` and `in`, and in front of a colon that is glued to a string, nothing may come.
        if depth > 0 && token.kind == TokenKind::Blank && !disturbed.ends_with("not") {
            disturbed.push_str(match (seed >> 33) % 12 {
                0 => "\n  ",
                1 => " // glued\n",
                2 => "\n // alone\n\n",
                3 => " //\n // second\n \t",
                _ => part,
            });
            comments += match (seed >> 33) % 12 {
                1 | 2 => 1,
                3 => 2,
                _ => 0,
            };
        } else if token.kind == TokenKind::Blank
            && !disturbed.ends_with("not")
            && (seed >> 33).is_multiple_of(8)
        {
            disturbed.push_str(" \\\n ");
        } else {
            disturbed.push_str(part);
        }
        depth += usize::from(token.kind == TokenKind::Open);
    }
    (disturbed, comments)
}

fn comments(text: &str) -> usize {
    tokens(text)
        .filter(|token| token.kind == TokenKind::Comment)
        .count()
}

fn only_expression(script: &str) -> Expr {
    let statements = statements(&Source::expression(script));
    assert_eq!(statements.len(), 1, "{script}");
    match statements[0].read(ParseLimits::default()) {
        Ok(Said::Expression(Some(expr))) => expr,
        Ok(_) => panic!("no expression: {script}"),
        Err(fault) => panic!("{script}\n{fault}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_trees_read_as_they_were(tree in trees(), narrow in 10usize..60) {
        for width in [narrow, WIDTH, usize::MAX] {
            let text = print(&tree, width);
            let again = read(&text);
            prop_assert!(alike(&bare(&again), &bare(&tree)), "{text}\n{tree:?}");
            prop_assert_eq!(print(&again, width), text.clone());
            prop_assert!(text.lines().all(|line| line == line.trim_end()));
            // A statement is one even when it is printed over several lines.
            prop_assert_eq!(statements(&Source::expression(&*text)).len(), 1);
        }
    }

    #[test]
    fn random_scripts_keep_comments_and_meaning(tree in trees(), seed in any::<u64>()) {
        let text = print(&tree, usize::MAX);
        let (script, count) = disturbed(&text, seed);
        let script = format!("{script} // end");
        // The shell's own words are no expressions, and long scripts are beyond the limit.
        prop_assume!(script.len() < 20_000);
        let before = only_expression(&script);
        let formatted = format(&script);
        prop_assert!(alike(&only_expression(&formatted), &before), "{script}\n{formatted}");
        prop_assert_eq!(comments(&formatted), count + 1, "{}\n{}", script, formatted);
        prop_assert_eq!(format(&formatted), formatted.clone(), "{}", script);
    }

    #[test]
    fn any_text_formats_to_a_fixed_point(text in "([a-c1-3 ()\\[\\]{}:,'\"/#%?\\\\+\\-]|:=| \\\\\n|\n|\r\n|and |not |//|///|def ){0,40}") {
        let formatted = format(&text);
        prop_assert_eq!(format(&formatted), formatted.clone(), "{:?}", text);
        let texts = |text: &str| -> Vec<String> {
            let strip = |s: &stellar::syntax::Statement| s.documentation.clone() + if s.read(ParseLimits::default()).is_ok() { "good" } else { s.text() };
            statements(&Source::expression(text)).iter().map(strip).collect()
        };
        prop_assert_eq!(texts(&formatted), texts(&text));
    }
}

#[test]
fn recorded_expressions_read_as_they_were() {
    let rows = std::fs::read_to_string("tests/conformance/stellar/expressions.jsonl").unwrap();
    let mut count = 0;
    for row in rows.lines() {
        let row: serde_json::Value = serde_json::from_str(row).unwrap();
        let text = row["expr"].as_str().unwrap();
        let source = Arc::new(Source::expression(text));
        let Ok(Some(tree)) = parse(&source, ParseLimits::default()) else {
            continue;
        };
        count += 1;
        for printed in [print(&tree, WIDTH), print_written(&tree, text, 30)] {
            assert!(alike(&read(&printed), &tree), "{text}\n{printed}");
        }
        // A line break outside of brackets would end the statement.
        if !text.contains('\n') {
            let formatted = format(text);
            assert_eq!(format(&formatted), formatted);
            if !text.contains("//") {
                assert_eq!(formatted, print_written(&tree, text, WIDTH) + "\n");
            }
            assert!(
                alike(&only_expression(&formatted), &tree),
                "{text}\n{formatted}"
            );
        }
    }
    assert!(count > 2000, "only {count} expressions");
}

#[test]
fn spelling_of_literals() {
    for (written, printed) in [
        ("1.50", "1.50"),
        ("1E+3", "1e+3"),
        ("2l", "2L"),
        ("1.0F", "1.0f"),
        ("5D", "5d"),
        (".5", ".5"),
        ("1.", "1."),
        ("-.5", "-.5"),
        ("- 5", "- 5"),
        ("--x", "- -x"),
        ("-2147483648", "-2147483648"),
        ("\"it's\"", "\"it's\""),
        ("'it\\'s'", "\"it's\""),
        ("\"a\"", "'a'"),
        ("'\\\\d\\n'", "'\\\\d\\n'"),
        ("'a\n b'", "'a\n b'"),
        ("'tab\there'", "'tab\\there'"),
    ] {
        assert_eq!(print_written(&read(written), written, WIDTH), printed);
    }
    for (written, printed) in [("1e3", "1000.0"), ("1.5F", "1.5f"), ("1e999", "1e999")] {
        assert_eq!(print(&read(written), WIDTH), printed);
    }
    assert_eq!(quoted("a'b\"c'"), "\"a'b\\\"c'\"");
}

#[test]
fn spans_end_where_the_text_ends() {
    for text in ["a", "x -> a", "a ? b : c", "if a then b else c", "a + b"] {
        let span = |padded: &str| read(padded).span;
        assert_eq!(span(&format!("{text}  // c\n ")), Span::new(0, text.len()));
        let ExprKind::Group(inner) = read(&format!("({text}  )")).kind else {
            panic!("no group");
        };
        assert_eq!(inner.span, Span::new(1, 1 + text.len()));
    }
}

#[test]
fn parentheses_where_they_are_needed() {
    let name = |name: &str| node(ExprKind::Name(name.into()));
    let boxed = |name_of: &str| Box::new(name(name_of));
    let lambda = || {
        node(ExprKind::Lambda {
            parameters: vec![("x".into(), Span::default())],
            body: boxed("x"),
        })
    };
    let sum = || {
        node(ExprKind::Arithmetic(
            boxed("a"),
            vec![(ArithOp::Add, name("b"))],
        ))
    };
    let cases = [
        (ExprKind::Negate(Box::new(sum())), "-(a + b)"),
        (
            ExprKind::Arithmetic(boxed("c"), vec![(ArithOp::Subtract, sum())]),
            "c - (a + b)",
        ),
        (
            ExprKind::Logic(vec![lambda(), lambda()], vec![LogicOp::And]),
            "(x -> x) and x -> x",
        ),
        (
            ExprKind::Conditional {
                branches: vec![(lambda(), lambda())],
                otherwise: Box::new(lambda()),
                words: false,
            },
            "(x -> x) ? x -> x : x -> x",
        ),
        (
            ExprKind::Conditional {
                branches: vec![(lambda(), lambda())],
                otherwise: Box::new(lambda()),
                words: true,
            },
            "if x -> x then x -> x else x -> x",
        ),
    ];
    for (kind, text) in cases {
        assert_eq!(print(&node(kind), WIDTH), text);
    }
}

/// Runs with as little stack as the threads of a test or a server have.
fn on_small_stack(work: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new()
        .stack_size(2 << 20)
        .spawn(work)
        .unwrap()
        .join()
        .unwrap();
}

#[test]
fn deep_trees_need_no_stack() {
    on_small_stack(|| {
        let mut tree = node(ExprKind::Int(1));
        for _ in 0..250 {
            tree = node(ExprKind::Logic(
                vec![
                    node(ExprKind::Comparison(
                        Box::new(node(ExprKind::Arithmetic(
                            Box::new(node(ExprKind::List(vec![node(ExprKind::Null), tree]))),
                            vec![(ArithOp::Add, node(ExprKind::Int(2)))],
                        ))),
                        vec![(CompareOp::Equal, node(ExprKind::Null))],
                    )),
                    node(ExprKind::Null),
                ],
                vec![LogicOp::Or],
            ));
        }
        let started = Instant::now();
        let text = print(&tree, WIDTH);
        assert!(text.len() > 10_000);
        assert!(alike(&tree, &tree));
        assert!(started.elapsed() < Duration::from_secs(60));
    });
    let texts = [
        ("(", "1", ")"),
        ("[null, ", "1", "]"),
        ("{'a': ", "1", "}"),
        ("f(", "1", ")"),
        ("not(", "a", ")"),
        ("(if a then b else ", "1", ")"),
        ("match{ a => ", "1", ", default => 2 }"),
    ];
    for (open, inside, close) in texts {
        let depth = if open.contains("if") { 120 } else { 250 };
        let text = format!("{}{inside}{}", open.repeat(depth), close.repeat(depth));
        // The parser has a bigger stack in the program; only the printer is looked at here.
        let tree = std::thread::Builder::new()
            .stack_size(64 << 20)
            .spawn(move || read(&text))
            .unwrap()
            .join()
            .unwrap();
        on_small_stack(move || assert!(!print(&tree, WIDTH).is_empty()));
    }
}

#[test]
fn long_chains_take_linear_time() {
    let names = |count: usize| vec![node(ExprKind::Name("ab".into())); count];
    let logic = |count: usize| ExprKind::Logic(names(count), vec![LogicOp::And; count - 1]);
    let sum = |count: usize| {
        let rest = names(count - 1).into_iter().map(|x| (ArithOp::Add, x));
        ExprKind::Arithmetic(Box::new(node(ExprKind::Null)), rest.collect())
    };
    let took = |kind: ExprKind, width: usize| {
        let tree = node(ExprKind::Group(Box::new(node(kind))));
        let time = || {
            let started = Instant::now();
            assert!(!print(&tree, width).is_empty());
            started.elapsed()
        };
        // The machine may be busy: the best one counts.
        (0..5).map(|_| time()).min().unwrap()
    };
    for width in [WIDTH, usize::MAX] {
        for (short, long) in [
            (took(logic(2_000), width), took(logic(16_000), width)),
            (took(sum(2_000), width), took(sum(16_000), width)),
            (
                took(ExprKind::List(names(2_000)), width),
                took(ExprKind::List(names(16_000)), width),
            ),
        ] {
            assert!(
                long < short * 8 * 6 + Duration::from_millis(100),
                "{short:?}, then {long:?}"
            );
        }
    }
    let list = print(&node(ExprKind::List(names(16_000))), WIDTH);
    assert!(list.lines().all(|line| line.len() <= WIDTH));
    assert!(alike(&read(&list), &node(ExprKind::List(names(16_000)))));
}
