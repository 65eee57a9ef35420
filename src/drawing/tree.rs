//! A whole and its parts as a tree, one part a row.

use super::svg::{CHARACTER, EDGE, LETTER};
use super::text::{filled, plain};
use super::{Anchor, Drawing, Place, Room, Sheet, Size};
use crate::diagnostic::{Page, Style};
use unicode_width::UnicodeWidthStr;

/// What became of a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Became {
    /// A value of a type.
    Value {
        /// The value as a text.
        text: String,
        /// The name of its type.
        kind: String,
    },
    /// It failed.
    Failed,
    /// Nothing: it was not evaluated.
    Unused,
}

/// A part.
#[derive(Debug, Clone)]
pub struct Node {
    /// How many parts it stands inside of.
    pub depth: usize,
    /// Its source.
    pub code: String,
    /// What became of it.
    pub became: Became,
    /// How often it was evaluated.
    pub count: u64,
}

/// A picture of a whole and its parts.
#[derive(Debug, Clone)]
pub struct Tree {
    /// What is shown.
    pub title: String,
    /// What is to be said below the title.
    pub below: String,
    /// The parts; a whole stands before its parts.
    pub nodes: Vec<Node>,
}

/// From one row to the next.
const ROW: f64 = 30.0;
/// The height of a box.
const BOX: f64 = 22.0;
/// How far parts are indented.
const INDENT: f64 = 22.0;
/// Deeper parts are indented no further.
const DEEPEST: usize = 16;
/// How many parts are drawn.
const MOST: usize = 300;

/// How many characters of a part and of a value a terminal shows.
const SHORT: usize = 40;

/// The beginning of a text.
fn short(text: &str) -> String {
    let mut beginning: String = text.chars().take(SHORT).collect();
    if beginning.len() < text.len() {
        beginning.truncate(beginning.trim_end().len());
        beginning.push('…');
    }
    beginning
}

impl Drawing for Tree {
    fn title(&self) -> String {
        self.title.clone()
    }

    /// The parts alone, each with its value behind it.
    fn page(&self, room: Room) -> Page {
        let say = |text: &str| plain(text, room.ascii);
        let label = |node: &Node| format!("{}{}", "  ".repeat(node.depth), say(&short(&node.code)));
        let width = self.nodes.iter().map(|node| label(node).width()).max();
        let mut page = Page::new();
        for node in &self.nodes {
            page.put(Style::Code, filled(&label(node), width.unwrap_or(0) + 2));
            match &node.became {
                Became::Value { text, kind } => {
                    page.put(Style::Result, say(&short(text)));
                    page.put(Style::Quiet, format!("  {kind}"))
                }
                Became::Failed => page.put(Style::Warning, "failed"),
                Became::Unused => page.put(Style::Quiet, "not evaluated"),
            };
            if node.count > 1 {
                page.put(Style::Quiet, say(&format!("  {}×", node.count)));
            }
            page.end();
        }
        page
    }

    fn svg(&self, size: Size) -> String {
        let width = size.across();
        let nodes = self.nodes.get(..MOST).unwrap_or(&self.nodes);
        let hidden = self.nodes.len() - nodes.len();
        let left = |node: &Node| EDGE + node.depth.min(DEEPEST) as f64 * INDENT;
        let wide = |node: &Node| node.code.width() as f64 * LETTER + 18.0;
        // The parts take what they need, up to a little more than half.
        let ends = nodes.iter().map(|node| left(node) + wide(node));
        let column = ends.fold(180.0, f64::max).min(width * 0.56) + 22.0;
        let top = 72.0;
        let bottom = top + nodes.len() as f64 * ROW;
        let whole = bottom + if hidden > 0 { 34.0 } else { 14.0 };
        let mut sheet = Sheet::new(
            size.theme,
            width,
            whole,
            &self.title,
            &self.description(nodes),
        );
        sheet.heading(&self.title, &self.below);
        let middle = |index: usize| top + index as f64 * ROW + BOX / 2.0;
        // The last part so far of each depth, to which the next one is joined.
        let mut open: Vec<usize> = Vec::new();
        for (index, node) in nodes.iter().enumerate() {
            let around = |at: &usize| {
                nodes
                    .get(*at)
                    .is_some_and(|outer| outer.depth >= node.depth)
            };
            while open.last().is_some_and(around) {
                open.pop();
            }
            if let Some((at, outer)) = open.last().and_then(|at| Some((*at, nodes.get(*at)?))) {
                let x = left(outer) + 10.0;
                let (from, y) = (middle(at) + BOX / 2.0, middle(index));
                let to = left(node).max(x);
                sheet.path("way", &format!("M{x:.1} {from:.1}V{y:.1}H{to:.1}"), "");
            }
            open.push(index);
        }
        for (index, node) in nodes.iter().enumerate() {
            let (x, y) = (left(node), middle(index));
            let room = wide(node).min(column - 22.0 - x).max(30.0);
            let class = match node.became {
                Became::Value { .. } => "box",
                Became::Failed => "box fails",
                Became::Unused => "box unused",
            };
            let place = Place {
                x,
                y: y - BOX / 2.0,
                width: room,
                height: BOX,
            };
            sheet.rect(class, place, 5.0, "");
            let code = if node.became == Became::Unused {
                "code quiet"
            } else {
                "code"
            };
            sheet.text_within(code, x + 9.0, y + 4.0, &node.code, room - 14.0, LETTER);
            let times = match node.count {
                0 | 1 => String::new(),
                count => format!("{count}×"),
            };
            let end = width - EDGE;
            match &node.became {
                Became::Value { text, kind } => {
                    let words = match times.is_empty() {
                        true => kind.clone(),
                        false => format!("{times}  {kind}"),
                    };
                    sheet.text("", end, y + 4.0, Anchor::End, &words);
                    let room = end - column - words.width() as f64 * CHARACTER - 12.0;
                    if room >= 3.0 * LETTER {
                        sheet.text_within("code", column, y + 4.0, text, room, LETTER);
                    }
                }
                Became::Failed => sheet.text("bad", column, y + 4.0, Anchor::Start, "failed"),
                Became::Unused => {
                    sheet.text("quiet", column, y + 4.0, Anchor::Start, "not evaluated");
                }
            }
        }
        if hidden > 0 {
            let words = format!("and {hidden} more parts");
            sheet.text("", EDGE, bottom + 14.0, Anchor::Start, &words);
        }
        sheet.finish()
    }
}

impl Tree {
    fn description(&self, nodes: &[Node]) -> String {
        let rows = nodes.iter().map(|node| match &node.became {
            Became::Value { text, kind } => format!("{} is {text}, a {kind}", node.code),
            Became::Failed => format!("{} failed", node.code),
            Became::Unused => format!("{} was not evaluated", node.code),
        });
        rows.collect::<Vec<_>>().join("; ")
    }
}
