//! Compares answers with those that Metron's own classes gave, prints agreement by family,
//! and checks the list of exceptions.
//!
//! `cargo test --test conformance -- [-v] [TEXT]`: -v shows every row that differs, TEXT picks rows by id.
#![allow(clippy::unwrap_used, clippy::panic)]

use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use stellar::engine::Engine;
use stellar::eval::java::date_format::Zone;
use stellar::eval::{Value, Variables, json, look_up};
use stellar::profile::period::Period;

/// Families whose functions are not built yet.
const LATER: &[&str] = &[];

struct Row<'a>(&'a Json);

impl Variables for RowVariables {
    fn get(&self, name: &str) -> Option<Value> {
        look_up(name, |n| {
            self.0.iter().find(|(k, _)| k == n).map(|(_, v)| v.clone())
        })
    }

    fn all(&self) -> Vec<(smol_str::SmolStr, Value)> {
        self.0.clone()
    }
}

struct RowVariables(Vec<(smol_str::SmolStr, Value)>);

enum Verdict {
    Agrees,
    /// Accepted although Metron's parser refuses it.
    Accepted(String),
    Differs(String),
}

fn main() {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| !a.starts_with("--"))
        .collect();
    let verbose = arguments.iter().any(|a| a == "-v");
    let pick = arguments
        .iter()
        .find(|a| !a.starts_with('-'))
        .cloned()
        .unwrap_or_default();
    let exceptions: toml::Table = std::fs::read_to_string("tests/conformance/exceptions.toml")
        .unwrap()
        .parse()
        .unwrap();
    let names = |key: &str| -> BTreeSet<String> {
        exceptions[key]
            .as_table()
            .unwrap()
            .keys()
            .cloned()
            .collect()
    };
    let (differs, accepted) = (names("differs"), names("accepted"));
    for (id, reason) in exceptions["differs"].as_table().unwrap() {
        assert!(
            reason.as_str().is_some_and(|r| r.len() > 10),
            "exception {id} needs a reason"
        );
    }

    let differences = std::fs::read_to_string("docs/differences.md").unwrap();
    let headings: BTreeSet<&str> = differences
        .lines()
        .filter_map(|line| line.strip_prefix('#'))
        .map(|line| line.trim_start_matches('#').trim())
        .collect();
    for (id, heading) in exceptions["accepted"].as_table().unwrap() {
        assert!(
            heading.as_str().is_some_and(|h| headings.contains(h)),
            "{id}: docs/differences.md has no heading {heading}"
        );
    }

    let mut families: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let mut wrong = Vec::new();
    let mut surplus = Vec::new();
    let mut unseen: BTreeSet<String> = differs.union(&accepted).cloned().collect();
    for (file, zone) in [
        ("expressions", "UTC"),
        ("newyork", "America/New_York"),
        ("calls", "UTC"),
    ] {
        let text =
            std::fs::read_to_string(format!("tests/conformance/stellar/{file}.jsonl")).unwrap();
        let mut engine = Engine::bare();
        engine.context.zone = Zone::from_name_strict(zone).unwrap();
        for line in text.lines() {
            let row: Json = serde_json::from_str(line).unwrap();
            let id = row["id"].as_str().unwrap().to_string();
            let family = row["family"].as_str().unwrap();
            if LATER.contains(&family) || !id.contains(&pick) {
                continue;
            }
            let id = if file == "newyork" {
                format!("newyork-{id}")
            } else {
                id
            };
            let label = if file == "newyork" {
                format!("{family} (New York)")
            } else {
                family.to_string()
            };
            unseen.remove(&id);
            let count = families.entry(label).or_default();
            count.1 += 1;
            let verdict = judge(&engine, &Row(&row));
            let agrees = match &verdict {
                Verdict::Agrees => {
                    if differs.contains(&id) || accepted.contains(&id) {
                        surplus.push(id.clone());
                    }
                    true
                }
                Verdict::Accepted(_) => accepted.contains(&id),
                Verdict::Differs(_) => differs.contains(&id),
            };
            count.0 += usize::from(matches!(verdict, Verdict::Agrees | Verdict::Accepted(_)));
            if !agrees {
                let what = match verdict {
                    Verdict::Differs(what) => what,
                    Verdict::Accepted(value) => format!("accepted, gives {value}"),
                    Verdict::Agrees => String::new(),
                };
                wrong.push(format!(
                    "{id}: {}\n    {what}",
                    row["expr"].as_str().unwrap()
                ));
            }
        }
    }
    println!("agreement with Metron");
    for (family, (good, all)) in &families {
        println!("  {family:<24} {good:>5} of {all:>5}");
    }
    let shown = if verbose {
        wrong.len()
    } else {
        wrong.len().min(20)
    };
    for line in &wrong[..shown] {
        println!("{line}");
    }
    for id in &surplus {
        println!("{id}: is in the list of exceptions and needs no exception");
    }
    if pick.is_empty() {
        for id in &unseen {
            println!("{id}: is in the list of exceptions and is no row");
        }
        surplus.extend(unseen);
    }
    let good: usize = families.values().map(|f| f.1).sum::<usize>() - wrong.len();
    println!(
        "conformance: {good} agree, {} differ",
        wrong.len() + surplus.len()
    );
    if !wrong.is_empty() || !surplus.is_empty() {
        std::process::exit(1);
    }
}

fn judge(engine: &Engine, row: &Row<'_>) -> Verdict {
    let row = row.0;
    let variables = match row["vars"].as_object() {
        Some(vars) => vars
            .iter()
            .map(|(k, v)| (k.as_str().into(), json::from_json(v, 256).unwrap()))
            .collect(),
        None => Vec::new(),
    };
    let context = engine
        .context
        .with_variables(Arc::new(RowVariables(variables)));
    let result = stellar::eval::compile(
        &Arc::new(stellar::diagnostic::Source::expression(
            row["expr"].as_str().unwrap(),
        )),
        &context,
    )
    .and_then(|program| program.evaluate(&context));
    match (result, row.get("error").and_then(Json::as_str)) {
        (Err(_), Some(_)) => Verdict::Agrees,
        (Ok(value), Some("syntax")) => Verdict::Accepted(format!("{value:?}")),
        (Ok(value), Some(_)) => Verdict::Differs(format!("should fail, gives {value:?}")),
        (Err(fault), None) => Verdict::Differs(format!("fails: {}", fault.message)),
        (Ok(value), None) if row.get("periods").is_some() => periods(&value, &row["periods"]),
        (Ok(value), None) => {
            let typed = json::to_typed(&value).unwrap();
            let expected = &row["result"];
            if !same(&typed, expected) {
                return Verdict::Differs(format!("is {typed}, should be {expected}"));
            }
            Verdict::Agrees
        }
    }
}

/// A list of periods by their length and numbers.
fn periods(value: &Value, expected: &Json) -> Verdict {
    let Value::List(list) = value else {
        return Verdict::Differs(format!("is no list: {value:?}"));
    };
    let items = list.items();
    let ours: Vec<Period> = items
        .iter()
        .filter_map(|item| item.as_object::<Period>().copied())
        .collect();
    let ids: Vec<i64> = ours.iter().map(|period| period.number).collect();
    let theirs: Vec<i64> = expected["ids"]
        .as_array()
        .unwrap()
        .iter()
        .map(|id| id.as_i64().unwrap())
        .collect();
    let duration = expected["duration_ms"].as_i64().unwrap();
    if ours.len() == items.len()
        && ids == theirs
        && ours.iter().all(|period| period.duration == duration)
    {
        return Verdict::Agrees;
    }
    let ends = |ids: &[i64]| format!("{} from {:?} to {:?}", ids.len(), ids.first(), ids.last());
    Verdict::Differs(format!("is {}, should be {}", ends(&ids), ends(&theirs)))
}

/// Typed values by content: maps and sets in any order, doubles to 1e-12, floats to 1e-6.
fn same(ours: &Json, theirs: &Json) -> bool {
    let kind = ours["type"].as_str().unwrap_or("");
    if Some(kind) != theirs["type"].as_str() {
        return false;
    }
    let (a, b) = (&ours["value"], &theirs["value"]);
    let lists = || (a.as_array().unwrap(), b.as_array().unwrap());
    match kind {
        "null" => true,
        "Double" => close(a, b, 1e-12),
        "Float" => close(a, b, 1e-6),
        "List" => {
            let (a, b) = lists();
            a.len() == b.len() && a.iter().zip(b).all(|(x, y)| same(x, y))
        }
        "Set" => {
            let (a, b) = lists();
            a.len() == b.len() && a.iter().all(|x| b.iter().any(|y| same(x, y)))
        }
        "Map" => {
            let (a, b) = lists();
            a.len() == b.len()
                && a.iter()
                    .all(|x| b.iter().any(|y| same(&x[0], &y[0]) && same(&x[1], &y[1])))
        }
        _ => a == b,
    }
}

fn close(a: &Json, b: &Json, tolerance: f64) -> bool {
    let number = |j: &Json| {
        j.as_str()
            .and_then(|t| t.replace("Infinity", "inf").parse::<f64>().ok())
    };
    match (number(a), number(b)) {
        (Some(x), Some(y)) => {
            x == y
                || (x.is_nan() && y.is_nan())
                || (x - y).abs() <= tolerance * x.abs().max(y.abs())
        }
        _ => a == b,
    }
}
