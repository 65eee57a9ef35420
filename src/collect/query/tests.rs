//! Reading queries.
#![allow(clippy::unwrap_used, clippy::panic)]

use super::parse;
use super::tree::{Clause, Item};
use crate::diagnostic::Code;
use crate::syntax::{ParseLimits, print};

/// A query written anew from its tree.
fn shown(text: &str) -> String {
    let tree = match parse(text, ParseLimits::default()) {
        Ok(tree) => tree,
        Err(fault) => panic!("{}", crate::diagnostic::plain(&fault)),
    };
    let item = |item: &Item| match item {
        Item::All(_) => "*".to_owned(),
        Item::One(written, None) => print(&written.tree, 200),
        Item::One(written, Some(name)) => format!("{} as {}", print(&written.tree, 200), name.name),
    };
    let list = |items: &[Item]| items.iter().map(item).collect::<Vec<_>>().join(" | ");
    let mut out = tree.from.name.to_string();
    for clause in &tree.clauses {
        out.push_str("; ");
        out.push_str(&match clause {
            Clause::Where(all) => {
                let all: Vec<String> = all.iter().map(|w| print(&w.tree, 200)).collect();
                format!("where {}", all.join(" | "))
            }
            Clause::Select(items, _) => format!("select {}", list(items)),
            Clause::Group { every, by, .. } => {
                format!("group {:?} {}", every.map(|every| every.millis), list(by))
            }
            Clause::Every(every) => format!("every {}", every.millis),
            Clause::Limit(n, _) => format!("limit {n}"),
            Clause::Offset(n, _) => format!("offset {n}"),
        });
    }
    out
}

fn fault(text: &str) -> String {
    let fault = parse(text, ParseLimits::default()).unwrap_err();
    crate::diagnostic::plain(&fault)
}

#[test]
fn the_queries_of_the_public_examples() {
    assert_eq!(
        shown("from siem.logtrust.web.activity select * limit 10"),
        "siem.logtrust.web.activity; select *; limit 10"
    );
    assert_eq!(
        shown("from siem.logtrust.web.activityAll group every 5m by domain, username every 5m"),
        "siem.logtrust.web.activityAll; group Some(300000) domain | username; every 300000"
    );
}

#[test]
fn expressions_end_where_the_language_goes_on() {
    assert_eq!(
        shown(
            "FROM web where elsewhere == 'group by, (' and IN_SUBNET(ip, '10.0.0.0/8', \"select\"), (status >= 400) \
             Group every 1h by domain as d, {'as': [by_user]} select count() as n, max(bytes_in) / 2 as half, * \
             where n > 3"
        ),
        "web; where elsewhere == 'group by, (' and IN_SUBNET(ip, '10.0.0.0/8', 'select') | (status >= 400); \
         group Some(3600000) domain as d | {'as': [by_user]}; select count() as n | max(bytes_in) / 2 as half | *; \
         where n > 3"
    );
    assert_eq!(
        shown("from a select if x == 1 then 'as' else y as z limit 1"),
        "a; select if x == 1 then 'as' else y as z; limit 1"
    );
}

#[test]
fn what_is_no_query_is_told_with_its_place() {
    for (text, said) in [
        ("", "the query is empty"),
        ("select *", "unexpected select\n --> query:1:1"),
        ("from", "the query ends too early"),
        ("from a wher x", "did you mean where"),
        ("from a where", "the query ends too early"),
        ("from a where x == 'b", "quotation mark is never closed"),
        ("from a where f(x", "( is never closed"),
        (
            "from a group every 0m by x",
            "this is no length of time\n --> query:1:20",
        ),
        ("from a limit x", "unexpected x"),
        (
            "from a limit 99999999999999999999",
            "this number is too large",
        ),
        ("from a select x as", "the query ends too early"),
        ("from a where x ==", "query:1:18"),
        ("from a where é +* 2 limit 3", "query:1:"),
    ] {
        let told = fault(text);
        assert!(told.contains(said), "{text}: {told}");
    }
    let deep = format!("from a where {}x", "(".repeat(60_000));
    assert!(fault(&deep).contains("E0"), "deep");
}

#[test]
fn what_programs_say_about_a_query_changes_nothing() {
    // As the public client of Devo sends it.
    let pragmas = " pragma comment.id:\"python-sdk-app\" pragma comment.user:\"python-sdk-user\"";
    for text in [
        "from a select * limit 10",
        "from a where b == 'x'",
        "from a group every 5m by domain, username every 5m",
    ] {
        assert_eq!(shown(&format!("{text}{pragmas}")), shown(text));
        assert_eq!(
            shown(&format!("{text}{pragmas} limit 5")),
            format!("{}; limit 5", shown(text))
        );
    }
    assert_eq!(shown("from a select pragma, b"), "a; select pragma | b");
}

#[test]
fn times_as_people_and_devo_write_them() {
    use crate::config::FixedClock;
    // 2026-11-22T10:30:15Z
    let now: i64 = 1_795_343_415_000;
    let mut context = crate::engine::Engine::bare().context;
    context.clock = std::sync::Arc::new(FixedClock(now));
    let hour = 3_600_000;
    let midnight = now - now % (24 * hour);
    for (text, expected) in [
        ("1795343415", now),
        ("1795343415000", now),
        ("now()", now),
        ("now", now),
        ("now() - 2h", now - 2 * hour),
        ("now()-2*hour()", now - 2 * hour),
        ("now() - day() + hour()*3", now - 21 * hour),
        ("2h", now - 2 * hour),
        ("1d", now - 24 * hour),
        ("today()", midnight),
        ("yesterday()", midnight - 24 * hour),
        ("now() @ 1d", midnight),
        ("(now() - 1d) @ 1d", midnight - 24 * hour),
        ("now() @ 1h", now - now % hour),
        ("2026-11-22T10:30:15Z", now),
    ] {
        assert_eq!(super::time(text, &context).ok(), Some(expected), "{text}");
    }
    for text in [
        "",
        "soon",
        "now() -",
        "now() - 2",
        "(now()",
        "now())",
        "now() @ 2d",
        "2 apples",
    ] {
        assert!(super::time(text, &context).is_err(), "{text}");
    }
}

#[test]
fn brackets_that_are_never_closed_are_told_at_once() {
    for bracket in ["(", "[", "{", "f(", "([{"] {
        for count in [30, 300] {
            let text = format!("from a where {}1", bracket.repeat(count));
            // With two ways for each bracket this would not end.
            assert!(parse(&text, ParseLimits::default()).is_err());
        }
    }
}

#[test]
fn levels_beyond_the_limit_are_refused_at_once() {
    let limits = ParseLimits::default();
    for open in ["(", "[", "{", "f(["] {
        let text = format!(
            "from a where {}",
            open.repeat(limits.length / open.len() - 20)
        );
        let fault = parse(&text, limits).unwrap_err();
        assert_eq!(fault.code, Code::Nesting, "{open}");
        let at = fault.span.map(|span| span.start);
        assert!(at.is_some_and(|at| at >= 13 + limits.depth), "{at:?}");
    }
    // Brackets in texts are none.
    let text = format!("from a where x == '{}'", "(".repeat(1000));
    parse(&text, limits).unwrap();
}
