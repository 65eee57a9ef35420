//! A pipeline as a picture: a box for each step, an arrow wherever a tag can go.

use super::config::{File, Pipeline, StepPlan};
use super::spec::{ActionKind, ParameterKind};
use super::tag::Pattern;
use crate::drawing::svg::TITLE;
use crate::drawing::{Anchor, Place, Sheet};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// What a box stands for.
struct Step {
    name: &'static str,
    kind: ActionKind,
    /// The tag of an input, the pattern of the others.
    label: String,
}

/// From a step to a later one.
struct Arrow {
    from: usize,
    to: usize,
    tags: BTreeSet<String>,
}

/// Any tag: the value of a field, or what a client says.
const ANY: &str = "…";

/// The arrows of a pipeline.
fn arrows(pipeline: &Pipeline) -> (Vec<Step>, Vec<Arrow>) {
    let mut steps = Vec::new();
    let mut arrows: Vec<Arrow> = Vec::new();
    // Which tags there are, and which step gave them last.
    let mut live: BTreeSet<(String, usize)> = BTreeSet::new();
    for (at, plan) in pipeline.steps.iter().enumerate() {
        let own = plan.parameters.text("tag").map(|tag| said(plan, &tag));
        if plan.spec.kind == ActionKind::Input {
            let tag = own.unwrap_or(ANY.to_owned());
            live.insert((tag.clone(), at));
            steps.push(step(plan, tag));
            continue;
        }
        steps.push(step(plan, plan.matches.clone()));
        let every = plan.pattern.is_none() || plan.matches == "*";
        let exact = !plan.matches.contains(['*', '?', '[']);
        let matches = |tag: &str| {
            let pattern = plan.pattern.as_ref();
            tag != ANY && pattern.is_none_or(|pattern: &Pattern| pattern.matches(tag))
        };
        let found = live.iter().filter(|(tag, _)| matches(tag));
        let mut taken: Vec<(String, usize)> = found.cloned().collect();
        for gone in &taken {
            live.remove(gone);
        }
        // Any tag may be this one, too; that is worth an arrow only where nothing else gives it.
        if !exact || taken.is_empty() {
            let any = live.iter().filter(|(tag, _)| tag == ANY);
            let any: Vec<(String, usize)> = any.cloned().collect();
            if every {
                live.clear();
            }
            let known = |from| match exact {
                true => (plan.matches.clone(), from),
                false => (ANY.to_owned(), from),
            };
            taken.extend(any.into_iter().map(|(_, from)| known(from)));
        }
        let mut after = BTreeSet::new();
        for (tag, from) in &taken {
            match arrows.iter_mut().find(|a| a.from == *from && a.to == at) {
                Some(arrow) => drop(arrow.tags.insert(tag.clone())),
                None => arrows.push(Arrow {
                    from: *from,
                    to: at,
                    tags: BTreeSet::from([tag.clone()]),
                }),
            }
            after.insert((tag.clone(), at));
        }
        if taken.is_empty() {
            continue;
        }
        if plan.spec.name == "filter_retag" {
            after.clear();
            after.extend(plan.parameters.text("value").map(|tag| (tag.into(), at)));
            if plan.parameters.has("key") {
                after.insert((ANY.to_owned(), at));
            }
        } else if let Some(tag) = own {
            // What an expression says is the tag of every event.
            if is_expression(plan) {
                after.clear();
            }
            after.insert((tag, at));
        }
        live.extend(after);
    }
    (steps, arrows)
}

/// Whether the tag of a step is an expression.
fn is_expression(plan: &StepPlan) -> bool {
    let mut parameters = plan.spec.parameters.iter();
    parameters.any(|known| known.name == "tag" && known.kind == ParameterKind::Expression)
}

/// The tag that a step gives: of an expression that is a text, the text, of others any.
fn said(plan: &StepPlan, tag: &str) -> String {
    if !is_expression(plan) {
        return tag.to_owned();
    }
    let text = tag.trim();
    let inside = ['\'', '"'].into_iter().find_map(|mark| {
        let inside = text.strip_prefix(mark)?.strip_suffix(mark)?;
        (!inside.contains([mark, '\\'])).then(|| inside.to_owned())
    });
    inside.unwrap_or_else(|| ANY.to_owned())
}

fn step(plan: &StepPlan, label: String) -> Step {
    Step {
        name: plan.spec.name,
        kind: plan.spec.kind,
        label,
    }
}

fn tags(arrow: &Arrow) -> String {
    arrow.tags.iter().cloned().collect::<Vec<_>>().join(", ")
}

/// For Mermaid.
pub fn mermaid(file: &File) -> String {
    let quoted = |text: &str| {
        text.replace('&', "#amp;")
            .replace('"', "#quot;")
            .replace('<', "#lt;")
            .replace('>', "#gt;")
            .replace('|', "#124;")
            .replace(['\n', '\r'], " ")
    };
    let mut out = "flowchart TD\n".to_owned();
    for (number, pipeline) in file.pipelines.iter().enumerate() {
        let (steps, arrows) = arrows(pipeline);
        let _ = writeln!(out, "  subgraph p{number}[\"{}\"]", quoted(&pipeline.id));
        for (at, step) in steps.iter().enumerate() {
            let (open, close) = match step.kind {
                ActionKind::Input => ("([", "])"),
                ActionKind::Output => ("[(", ")]"),
                _ => ("[", "]"),
            };
            let label = quoted(&step.label);
            let _ = writeln!(
                out,
                "    p{number}s{at}{open}\"{}<br/>{label}\"{close}",
                step.name
            );
        }
        for arrow in &arrows {
            let (from, to) = (arrow.from, arrow.to);
            let _ = writeln!(
                out,
                "    p{number}s{from} -->|\"{}\"| p{number}s{to}",
                quoted(&tags(arrow))
            );
        }
        out.push_str("  end\n");
    }
    out
}

/// For Graphviz.
pub fn dot(file: &File) -> String {
    let quoted = |text: &str| {
        let text = text.replace('\\', "\\\\").replace('"', "\\\"");
        format!("\"{}\"", text.replace(['\n', '\r'], " "))
    };
    let mut out = "digraph pipelines {\n  node [shape=box, style=rounded, fontname=\"sans-serif\"];\n  edge [fontname=\"sans-serif\", fontsize=10];\n".to_owned();
    for (number, pipeline) in file.pipelines.iter().enumerate() {
        let (steps, arrows) = arrows(pipeline);
        let _ = writeln!(
            out,
            "  subgraph cluster_{number} {{\n    label={};",
            quoted(&pipeline.id)
        );
        for (at, step) in steps.iter().enumerate() {
            let text = quoted(&format!("{}: {}", step.name, step.label));
            let _ = writeln!(out, "    p{number}s{at} [label={text}];");
        }
        for arrow in &arrows {
            let (from, to) = (arrow.from, arrow.to);
            let _ = writeln!(
                out,
                "    p{number}s{from} -> p{number}s{to} [label={}];",
                quoted(&tags(arrow))
            );
        }
        out.push_str("  }\n");
    }
    out.push_str("}\n");
    out
}

/// The width of a character, about; of a box; its height; from one to the next.
const CHARACTER: f64 = 7.0;
const HEIGHT: f64 = 44.0;
const NEXT: f64 = 78.0;
/// How far apart arrows are that pass others by.
const LANE: f64 = 22.0;

/// As a picture of its own.
pub fn svg(file: &File) -> String {
    let drawn: Vec<_> = file.pipelines.iter().map(|p| (p, arrows(p))).collect();
    let longest = |steps: &[Step]| {
        let lengths = steps
            .iter()
            .map(|step| step.name.len().max(step.label.chars().count()));
        lengths.max().unwrap_or(0) as f64
    };
    let widest = drawn
        .iter()
        .map(|(_, (steps, _))| longest(steps))
        .fold(16.0, f64::max);
    let width = (widest * CHARACTER + 40.0).min(900.0);
    let lanes = drawn.iter().map(|(_, (_, arrows))| {
        arrows
            .iter()
            .filter(|arrow| arrow.to > arrow.from + 1)
            .count()
    });
    let labels = drawn
        .iter()
        .flat_map(|(_, (_, arrows))| arrows.iter().map(|a| tags(a).chars().count()));
    let label = labels.max().unwrap_or(0).min(40) as f64 * CHARACTER;
    let whole = width + 60.0 + (lanes.max().unwrap_or(0) as f64 * LANE) + label;
    let height: f64 = drawn
        .iter()
        .map(|(_, (steps, _))| 50.0 + steps.len() as f64 * NEXT)
        .sum();
    let height = height + 20.0;
    let names: Vec<&str> = file.pipelines.iter().map(|p| p.id.as_str()).collect();
    let mut sheet = Sheet::new(whole, height, "Pipelines", &names.join(", "));
    let mut top = 20.0;
    for (pipeline, (steps, arrows)) in &drawn {
        let room = whole - 40.0;
        sheet.text_within("title", 20.0, top + 16.0, &pipeline.id, room, TITLE);
        let y = |at: usize| top + 36.0 + at as f64 * NEXT;
        let mut lane = 0.0;
        for arrow in arrows {
            let (begin, end) = (y(arrow.from) + HEIGHT, y(arrow.to));
            let (label_x, label_y) = if arrow.to == arrow.from + 1 {
                let x = 20.0 + width / 2.0;
                sheet.path("way", &format!("M{x} {begin}V{end}"), "");
                head(&mut sheet, x, end, false);
                (x + 8.0, (begin + end) / 2.0 + 4.0)
            } else {
                lane += 1.0;
                let (left, x) = (20.0 + width, 20.0 + width + lane * LANE);
                let (from, to) = (
                    begin - HEIGHT / 2.0,
                    end + HEIGHT / 2.0 + (lane % 3.0) * 5.0 - 5.0,
                );
                sheet.path("way", &format!("M{left} {from}H{x}V{to}H{left}"), "");
                head(&mut sheet, left, to, true);
                (x + 4.0, to - 8.0)
            };
            let room = 40.0 * CHARACTER;
            sheet.text_within("", label_x, label_y, &tags(arrow), room, CHARACTER);
        }
        for (at, step) in steps.iter().enumerate() {
            let (y, middle) = (y(at), 20.0 + width / 2.0);
            let place = Place {
                x: 20.0,
                y,
                width,
                height: HEIGHT,
            };
            let class = format!("box {}", step.kind.name());
            sheet.rect(&class, place, 6.0, "");
            sheet.text("name", middle, y + 18.0, Anchor::Middle, step.name);
            sheet.text("", middle, y + 35.0, Anchor::Middle, &step.label);
        }
        top += 50.0 + steps.len() as f64 * NEXT;
    }
    sheet.finish()
}

fn head(sheet: &mut Sheet, x: f64, y: f64, left: bool) {
    let (ax, ay, bx, by) = match left {
        true => (x + 8.0, y - 4.0, x + 8.0, y + 4.0),
        false => (x - 4.0, y - 8.0, x + 4.0, y - 8.0),
    };
    sheet.path("tip", &format!("M{x} {y}L{ax} {ay}L{bx} {by}z"), "");
}
