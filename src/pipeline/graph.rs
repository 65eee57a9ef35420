//! A pipeline as a picture: a box for each step, an arrow wherever a tag can go.

use super::config::{File, Pipeline, StepPlan};
use super::spec::{ActionKind, ParameterKind};
use super::tag::Pattern;
use crate::diagnostic::{Page, Style};
use crate::drawing::svg::{CHARACTER, EDGE, TITLE};
use crate::drawing::text::{cut, filled, plain};
use crate::drawing::{Anchor, Drawing, Place, Room, Sheet, Size};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use unicode_width::UnicodeWidthStr;

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

/// The height of a box, and from one to the next.
const HEIGHT: f64 = 44.0;
const NEXT: f64 = 78.0;
/// How far apart arrows are that pass others by.
const LANE: f64 = 22.0;
/// How wide a box may be.
const WIDE: f64 = 480.0;
/// How many characters of tags stand beside an arrow.
const TAGS: usize = 40;

/// As a picture of its own.
pub fn svg(file: &File) -> String {
    Graph::of(file).svg(Size::default())
}

/// The pipelines of a file, ready to be drawn.
pub struct Graph {
    pipelines: Vec<Drawn>,
}

/// A pipeline.
struct Drawn {
    name: String,
    steps: Vec<Step>,
    arrows: Vec<Arrow>,
}

impl Graph {
    /// Those of a file.
    pub fn of(file: &File) -> Graph {
        let pipelines = file.pipelines.iter().map(|pipeline| {
            let (steps, arrows) = arrows(pipeline);
            Drawn {
                name: pipeline.id.to_string(),
                steps,
                arrows,
            }
        });
        Graph {
            pipelines: pipelines.collect(),
        }
    }
}

impl Arrow {
    /// Whether it leads to a step that does not stand below.
    fn passes(&self) -> bool {
        self.to != self.from + 1
    }
}

impl Drawing for Graph {
    fn title(&self) -> String {
        let names: Vec<&str> = self.pipelines.iter().map(|p| p.name.as_str()).collect();
        match names.as_slice() {
            [only] => format!("pipeline {only}"),
            names => format!("pipelines {}", names.join(", ")),
        }
    }

    /// A line for each step, with the tags that go on below it.
    fn page(&self, room: Room) -> Page {
        let mut page = Page::new();
        for (number, pipeline) in self.pipelines.iter().enumerate() {
            if number > 0 {
                page.end();
            }
            page.heading(plain(&pipeline.name, room.ascii));
            pipeline.lines(&mut page, room);
        }
        page
    }

    fn svg(&self, size: Size) -> String {
        let labels = self.pipelines.iter().flat_map(|pipeline| &pipeline.steps);
        let labels = labels.map(|step| {
            let (name, label) = (step.name.width() as f64, step.label.width() as f64);
            (name * TITLE).max(label * CHARACTER)
        });
        let width = (labels.fold(112.0, f64::max) + 40.0).min(WIDE);
        let beside = self.pipelines.iter().map(|pipeline| {
            let lanes = pipeline
                .arrows
                .iter()
                .filter(|arrow| arrow.passes())
                .count();
            let tags = |arrow: &Arrow| tags(arrow).width().min(TAGS) as f64 * CHARACTER;
            let right = pipeline
                .arrows
                .iter()
                .filter(|a| a.passes())
                .map(tags)
                .fold(0.0, f64::max);
            let below = pipeline
                .arrows
                .iter()
                .filter(|a| !a.passes())
                .map(tags)
                .fold(0.0, f64::max);
            let right = lanes as f64 * LANE + right + if lanes > 0 { 8.0 } else { 0.0 };
            right.max(below + 8.0 - width / 2.0)
        });
        let names = self.pipelines.iter().map(|p| p.name.width() as f64 * TITLE);
        let least = names.fold(0.0, f64::max).min(WIDE) + 2.0 * EDGE;
        let whole = (width + 2.0 * EDGE + beside.fold(0.0, f64::max)).max(least);
        let heights = self
            .pipelines
            .iter()
            .map(|p| 50.0 + p.steps.len() as f64 * NEXT);
        // Below the last step is no arrow.
        let height = heights.sum::<f64>() + 20.0 - (NEXT - HEIGHT - 14.0);
        let told = self.pipelines.iter().map(|pipeline| {
            let steps: Vec<String> = pipeline.steps.iter().map(Step::words).collect();
            format!("{}: {}", pipeline.name, steps.join(", "))
        });
        let told: Vec<String> = told.collect();
        let mut sheet = Sheet::new(
            size.theme,
            whole,
            height.max(80.0),
            &self.title(),
            &told.join("; "),
        );
        let mut top = 20.0;
        for pipeline in &self.pipelines {
            let room = whole - 2.0 * EDGE;
            sheet.text_within("title", EDGE, top + 10.0, &pipeline.name, room, TITLE);
            pipeline.draw(&mut sheet, top, width);
            top += 50.0 + pipeline.steps.len() as f64 * NEXT;
        }
        sheet.finish()
    }
}

impl Step {
    fn words(&self) -> String {
        format!("{} {}", self.name, self.label)
    }
}

impl Drawn {
    /// The steps in boxes of this width, below a title.
    fn draw(&self, sheet: &mut Sheet, top: f64, width: f64) {
        let y = |at: usize| top + 36.0 + at as f64 * NEXT;
        let mut lane = 0.0;
        let mut labels = Vec::new();
        for arrow in &self.arrows {
            let (begin, end) = (y(arrow.from) + HEIGHT, y(arrow.to));
            let (label_x, label_y) = if arrow.passes() {
                lane += 1.0;
                let (left, x) = (EDGE + width, EDGE + width + lane * LANE);
                let (from, to) = (
                    begin - HEIGHT / 2.0,
                    end + HEIGHT / 2.0 + (lane % 3.0) * 5.0 - 5.0,
                );
                sheet.path("way", &format!("M{left} {from}H{x}V{to}H{left}"), "");
                head(sheet, left, to, true);
                (x + 6.0, (begin - HEIGHT / 2.0 + to) / 2.0 + 4.0)
            } else {
                let x = EDGE + width / 2.0;
                sheet.path("way", &format!("M{x} {begin}V{end}"), "");
                head(sheet, x, end, false);
                (x + 8.0, (begin + end) / 2.0 + 4.0)
            };
            labels.push((label_x, label_y, tags(arrow)));
        }
        // Over the lines that they cross.
        for (x, y, words) in &labels {
            let room = TAGS as f64 * CHARACTER;
            sheet.text_within("over", *x, *y, words, room, CHARACTER);
        }
        for (at, step) in self.steps.iter().enumerate() {
            let (y, middle) = (y(at), EDGE + width / 2.0);
            let place = Place {
                x: EDGE,
                y,
                width,
                height: HEIGHT,
            };
            let class = format!("box {}", step.kind.name());
            sheet.rect(&class, place, 6.0, "");
            sheet.text("name", middle, y + 18.0, Anchor::Middle, step.name);
            let most = ((width - 20.0) / CHARACTER) as usize;
            let label = cut(&step.label, most, false);
            sheet.text("", middle, y + 35.0, Anchor::Middle, &label);
        }
    }

    /// A line for each step: its number, its name, what it matches; below it what goes on to the next one, behind it
    /// what comes from others.
    fn lines(&self, page: &mut Page, room: Room) {
        let most = room.across() / 2;
        let say = |text: &str| cut(&plain(text, room.ascii), most, room.ascii);
        let digits = self.steps.len().to_string().len();
        let names = self
            .steps
            .iter()
            .map(|step| step.name.width())
            .max()
            .unwrap_or(0);
        let (sign, way, from) = match room.ascii {
            true => ('o', '|', "<-"),
            false => ('●', '│', "←"),
        };
        for (at, step) in self.steps.iter().enumerate() {
            let style = match step.kind {
                ActionKind::Input => Style::Name,
                ActionKind::Output => Style::Result,
                _ => Style::Code,
            };
            page.put(Style::Quiet, format!("{:>digits$} {sign} ", at + 1));
            page.put(style, filled(step.name, names));
            page.text(format!("  {}", say(&step.label)));
            let others = self
                .arrows
                .iter()
                .filter(|arrow| arrow.to == at && arrow.passes());
            for arrow in others {
                let comes = format!("  {from} {} {}", arrow.from + 1, say(&tags(arrow)));
                page.put(Style::Quiet, comes);
            }
            page.end();
            let mut onward = self.arrows.iter().filter(|a| a.from == at && !a.passes());
            match onward.next() {
                Some(arrow) => {
                    let blank = " ".repeat(digits + 1);
                    page.put(Style::Quiet, format!("{blank}{way} {}", say(&tags(arrow))))
                        .end()
                }
                None if at + 1 < self.steps.len() => page.end(),
                None => page,
            };
        }
    }
}

fn head(sheet: &mut Sheet, x: f64, y: f64, left: bool) {
    let (ax, ay, bx, by) = match left {
        true => (x + 8.0, y - 4.0, x + 8.0, y + 4.0),
        false => (x - 4.0, y - 8.0, x + 4.0, y - 8.0),
    };
    sheet.path("tip", &format!("M{x} {y}L{ax} {ay}L{bx} {by}z"), "");
}
