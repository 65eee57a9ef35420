//! `%time`, `%cost`, `%explain`.

use super::{Request, bad};
use crate::diagnostic::{Drawing, Outcome, Page, Picture, Style, plain};
use crate::drawing::shares::{Share, Shares};
use crate::drawing::tree::{Became, Node, Tree};
use crate::eval::text::to_text;
use crate::eval::{Part, Traced, Value, compile_tree, trace};
use crate::shell::room;
use crate::shell::session::{Session, Shown};
use std::time::{Duration, Instant};

/// How many characters of a part and of a value are kept.
const WIDE: usize = 120;

/// How many rows `%cost` shows.
const ROWS: usize = 20;

/// The most evaluations that `%time` makes.
const MOST: usize = 10_000_000;

pub(super) fn time(session: &Session, request: &Request<'_>) -> Outcome<Shown> {
    let (count, text) = counted(request.rest)?;
    let started = Instant::now();
    let tree = request.wanted_expression(session, text)?;
    let parsed = started.elapsed();
    let engine = session.engine();
    let started = Instant::now();
    let program = compile_tree(Some(&tree), request.source(), &[], &engine.context);
    let compiled = started.elapsed();
    let mut times = Vec::with_capacity(count);
    let mut value = Value::Null;
    for _ in 0..count {
        engine.context.check_cancelled()?;
        let started = Instant::now();
        value = program.evaluate(&engine.context)?;
        times.push(started.elapsed());
    }
    let mut page = Page::new();
    if count == 1 {
        if !value.is_null() {
            page.line(to_text(&value).as_str());
        }
        let all: Duration = times.iter().sum();
        let note = format!("evaluated in {}", span(all));
        page.put(Style::Heading, note);
        let before = format!(", read in {}, compiled in {}", span(parsed), span(compiled));
        page.put(Style::Quiet, before).end();
        return Ok(Shown::Page(page, Some(value)));
    }
    times.sort_unstable();
    let at = |percent: usize| {
        let index = (times.len() * percent).div_ceil(100).max(1) - 1;
        times.get(index).copied().unwrap_or_default()
    };
    let total: Duration = times.iter().sum();
    let mean = total / u32::try_from(times.len()).unwrap_or(u32::MAX);
    page.put(Style::Heading, format!("{count} evaluations"));
    page.line(format!(" in {}", span(total)));
    let figures = [
        ("least", at(0)),
        ("median", at(50)),
        ("mean", mean),
        ("95 %", at(95)),
        ("99 %", at(99)),
        ("most", at(100)),
    ];
    for (name, time) in figures {
        page.line(format!("  {name:<8}{:>10}", span(time)));
    }
    Ok(Shown::Page(page, Some(value)))
}

/// The count behind `-n` and what follows it. A name may begin with an n: `-name` is an expression.
pub fn split_count(rest: &str) -> (Option<&str>, &str) {
    let counts = |c: char| c.is_whitespace() || c.is_ascii_digit();
    match rest
        .strip_prefix("-n")
        .filter(|behind| behind.starts_with(counts))
    {
        Some(behind) => {
            let behind = behind.trim_start();
            let end = behind.find(char::is_whitespace).unwrap_or(behind.len());
            let (count, text) = behind.split_at(end);
            (Some(count), text.trim_start())
        }
        None => (None, rest),
    }
}

fn counted(rest: &str) -> Outcome<(usize, &str)> {
    let (count, text) = split_count(rest);
    match count.map_or(Ok(1), str::parse) {
        Ok(count) if (1..=MOST).contains(&count) => Ok((count, text)),
        _ => Err(bad(format!("behind -n stands a count from 1 to {MOST}"))),
    }
}

/// A duration in the unit that fits.
fn span(time: Duration) -> String {
    let nanos = time.as_nanos();
    match nanos {
        0..10_000 => format!("{nanos} ns"),
        10_000..10_000_000 => format!("{} µs", nanos / 1_000),
        10_000_000..10_000_000_000 => format!("{} ms", nanos / 1_000_000),
        _ => format!("{:.1} s", time.as_secs_f64()),
    }
}

fn traced(session: &Session, request: &Request<'_>) -> Outcome<Traced> {
    let tree = request.wanted_expression(session, request.rest)?;
    Ok(trace(
        Some(&tree),
        request.source(),
        &session.engine().context,
    ))
}

pub(super) fn explain(session: &Session, request: &Request<'_>) -> Outcome<Shown> {
    let traced = traced(session, request)?;
    let source = &request.source().text;
    let tree = drawn_tree(&traced, source, request.rest);
    let mut page = tree.page(room(session.look()));
    if !traced.parts.is_empty() {
        page.draw(Picture::new(tree));
    }
    match traced.result {
        Ok(value) => {
            if traced.parts.is_empty() {
                page.put(Style::Result, to_text(&value).as_str());
                page.put(Style::Quiet, format!("  {}", value.type_name()))
                    .end();
            }
            Ok(Shown::Page(page, Some(value)))
        }
        Err(fault) => {
            page.line(plain(&fault));
            Ok(Shown::Page(page, Some(Value::Null)))
        }
    }
}

/// The parts as a tree.
fn drawn_tree(traced: &Traced, source: &str, title: &str) -> Tree {
    let node = |part: &Part| Node {
        depth: part.depth.saturating_sub(1),
        code: one_line(
            source.get(part.span.start..part.span.end).unwrap_or(""),
            WIDE,
        ),
        became: match &part.value {
            _ if part.failed => Became::Failed,
            Some(value) => Became::Value {
                text: seen(value),
                kind: value.type_name().to_string(),
            },
            None => Became::Unused,
        },
        count: part.count,
    };
    Tree {
        title: one_line(title, WIDE),
        below: match &traced.result {
            Ok(value) => format!("gives {}", seen(value)),
            Err(fault) => format!("{}: {}", fault.code.name(), one_line(&fault.message, WIDE)),
        },
        nodes: traced.parts.iter().map(node).collect(),
    }
}

/// A value on one line. Strings stand between quotes: blanks at their ends are often what is looked for.
fn seen(value: &Value) -> String {
    let Value::Text(text) = value else {
        return one_line(&to_text(value), WIDE);
    };
    let mut line = String::from("'");
    for (count, c) in text.chars().enumerate() {
        if count == WIDE {
            line.push('…');
            break;
        }
        match c {
            '\n' => line.push_str("\\n"),
            '\r' => line.push_str("\\r"),
            '\t' => line.push_str("\\t"),
            '\'' | '\\' => line.extend(['\\', c]),
            _ => line.push(c),
        }
    }
    line.push('\'');
    line
}

/// A text on one line, cut to a number of characters.
fn one_line(text: &str, most: usize) -> String {
    let mut line = String::new();
    let mut blank = false;
    for (count, c) in text.chars().enumerate() {
        // Looking further at a long text would take time for nothing.
        if count > 4 * most || line.chars().count() >= most {
            line.push('…');
            break;
        }
        if c.is_whitespace() || c.is_control() {
            blank = true;
            continue;
        }
        if blank && !line.is_empty() {
            line.push(' ');
        }
        blank = false;
        line.push(c);
    }
    line
}

pub(super) fn cost(session: &Session, request: &Request<'_>) -> Outcome<Shown> {
    let traced = traced(session, request)?;
    let value = traced.result?;
    let own = own_times(&traced.parts);
    let mut rows: Vec<(&Part, Duration)> = traced.parts.iter().zip(own).collect();
    rows.retain(|(part, _)| part.count > 0);
    rows.sort_by_key(|(_, own)| std::cmp::Reverse(*own));
    let total = traced.time.max(Duration::from_nanos(1));
    let shares = rows.iter().take(ROWS).map(|(part, own)| {
        let text = request.source().text.get(part.span.start..part.span.end);
        Share {
            code: one_line(text.unwrap_or(""), WIDE),
            share: own.as_secs_f64() / total.as_secs_f64(),
            time: span(*own),
            count: part.count,
        }
    });
    let drawn = Shares {
        title: one_line(request.rest, WIDE),
        time: span(traced.time),
        below: format!("{} calls and steps of loops", traced.steps),
        shares: shares.collect(),
        more: rows.len().saturating_sub(ROWS),
    };
    let mut page = drawn.page(room(session.look()));
    page.draw(Picture::new(drawn));
    Ok(Shown::Page(page, Some(value)))
}

/// The time of every part without that of the parts inside. Creating a lambda takes no time: what its body
/// takes belongs to the function that calls it.
fn own_times(parts: &[Part]) -> Vec<Duration> {
    let mut own: Vec<Duration> = parts.iter().map(|part| part.time).collect();
    let mut around: Vec<usize> = Vec::new();
    for (index, part) in parts.iter().enumerate() {
        while around
            .last()
            .and_then(|i| parts.get(*i))
            .is_some_and(|outer| outer.depth >= part.depth)
        {
            around.pop();
        }
        let lambda = matches!(part.value, Some(Value::Lambda(_)));
        let outer = around.iter().rev().find(|i| {
            let value = parts.get(**i).and_then(|part| part.value.as_ref());
            !matches!(value, Some(Value::Lambda(_)))
        });
        if let Some(time) = outer.and_then(|i| own.get_mut(*i))
            && !lambda
        {
            *time = time.saturating_sub(part.time);
        }
        around.push(index);
    }
    own
}
