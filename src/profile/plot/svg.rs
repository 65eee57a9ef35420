//! A figure as SVG, written out here: no script, no font, no file beside it.

use super::scale::Scale;
use super::series::{Edge, Stroke, edges, marks, strokes};
use super::{Figure, Panel};
use std::fmt::Write as _;

/// The size of the picture in pixels.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// The width of the whole.
    pub width: usize,
    /// The height of each entity's picture; less for several unless given.
    pub height: Option<usize>,
}

impl Default for Size {
    fn default() -> Size {
        Size {
            width: 860,
            height: None,
        }
    }
}

/// How narrow and how wide a picture may be.
const WIDTHS: (usize, usize) = (320, 10_000);
/// How low and how high an entity's picture may be.
const HEIGHTS: (usize, usize) = (40, 4_000);

/// The width of a character of the small labels, about.
const CHARACTER: f64 = 6.7;

/// Light colours, and dark ones where the reader wants them. All rules begin with the class of the picture, so that they
/// change nothing else on a page.
const STYLE: &str = "\
.stellar-plot{font-family:system-ui,-apple-system,'Segoe UI','DejaVu Sans',sans-serif}\
.stellar-plot .ground{fill:#fff}\
.stellar-plot text{fill:#59636e;font-size:11px}\
.stellar-plot .title{fill:#1f2328;font-size:15px;font-weight:600}\
.stellar-plot .name{fill:#1f2328;font-size:13px;font-weight:600}\
.stellar-plot .grid{stroke:#d1d9e0;stroke-opacity:.5;fill:none}\
.stellar-plot .begins{stroke-opacity:.8}\
.stellar-plot .axis{stroke:#818b98;fill:none}\
.stellar-plot .clocks{stroke:#9a6700;stroke-dasharray:2 3;fill:none}\
.stellar-plot .band{fill:#0969da;fill-opacity:.15}\
.stellar-plot .line{stroke:#0969da;stroke-width:1.6;stroke-linejoin:round;stroke-linecap:round;fill:none}\
.stellar-plot .dot{fill:#0969da}\
.stellar-plot .mark{fill:#d1242f;stroke:#fff;stroke-width:1.2}\
@media(prefers-color-scheme:dark){\
.stellar-plot .ground{fill:#0d1117}\
.stellar-plot text{fill:#9198a1}\
.stellar-plot .title,.stellar-plot .name{fill:#f0f6fc}\
.stellar-plot .grid{stroke:#3d444d}\
.stellar-plot .axis{stroke:#656c76}\
.stellar-plot .clocks{stroke:#d29922}\
.stellar-plot .band{fill:#4493f8;fill-opacity:.22}\
.stellar-plot .line{stroke:#4493f8}\
.stellar-plot .dot{fill:#4493f8}\
.stellar-plot .mark{fill:#f85149;stroke:#0d1117}}";

/// Where everything stands.
struct Layout {
    left: f64,
    right: f64,
    top: f64,
    height: f64,
    gap: f64,
    bottom: f64,
    whole: (f64, f64),
}

pub(super) fn draw(figure: &Figure, size: Size) -> String {
    let width = size.width.clamp(WIDTHS.0, WIDTHS.1);
    let usual = match figure.panels.len() {
        0 | 1 => 240,
        2 | 3 => 150,
        _ => 110,
    };
    let height = size.height.unwrap_or(usual).clamp(HEIGHTS.0, HEIGHTS.1);
    let scales = figure.scales((height / 45).max(2));
    let labels = scales
        .iter()
        .flat_map(|s| s.ticks.iter().map(|tick| s.label(*tick)));
    let widest = labels.map(|label| label.len()).max().unwrap_or(1);
    let notes = notes(figure);
    let (height, gap, top) = (height as f64, 34.0, 84.0);
    let count = figure.panels.len().max(1) as f64;
    let bottom = top + count * height + (count - 1.0) * gap;
    let layout = Layout {
        left: (widest as f64 * CHARACTER + 22.0).round(),
        right: width as f64 - 20.0,
        top,
        height,
        gap,
        bottom,
        whole: (width as f64, bottom + 36.0 + notes.len() as f64 * 16.0),
    };
    let mut out = String::new();
    head(&mut out, figure, &layout);
    legend(&mut out, figure, &layout);
    time_grid(&mut out, figure, &layout);
    for (index, (panel, scale)) in figure.panels.iter().zip(&scales).enumerate() {
        let top = layout.top + index as f64 * (layout.height + layout.gap);
        one(&mut out, figure, panel, scale, &layout, top);
    }
    for (index, note) in notes.iter().enumerate() {
        let y = layout.bottom + 42.0 + index as f64 * 16.0;
        text(&mut out, "", 20.0, y, "start", note);
    }
    out.push_str("</svg>\n");
    out
}

fn head(out: &mut String, figure: &Figure, layout: &Layout) {
    let (width, height) = layout.whole;
    let summary = figure.panels.iter().map(|panel| {
        let name = if panel.name.is_empty() { "" } else { ": " };
        format!("{}{name}{}", panel.name, figure.remarks(panel))
    });
    let summary: Vec<String> = summary.collect();
    let (title, summary) = (figure.heading(), summary.join("; "));
    let from_to = figure.from_to();
    let stop = if from_to.is_empty() { "" } else { ". " };
    let description = format!("{from_to}{stop}{summary}.");
    // Several pictures on one page need names of their own.
    let id = format!("stellar-plot-{:08x}", fingerprint(&[&title, &description]));
    let _ = write!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"stellar-plot\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" role=\"img\" aria-labelledby=\"{id}-title {id}-desc\">\n\
         <title id=\"{id}-title\">{}</title>\n<desc id=\"{id}-desc\">{}</desc>\n<style>{STYLE}</style>\n\
         <rect class=\"ground\" width=\"{width}\" height=\"{height}\" rx=\"6\"/>\n",
        escaped(&title),
        escaped(&description),
    );
    text(out, "title", 20.0, 30.0, "start", &title);
    text(out, "", 20.0, 49.0, "start", &figure.from_to());
}

/// What the signs mean, at the right below the title.
fn legend(out: &mut String, figure: &Figure, layout: &Layout) {
    let banded = figure.panels.iter().any(Panel::banded);
    let outside = figure.panels.iter().any(|panel| panel.outside() > 0);
    let mut x = layout.right;
    let y = 49.0;
    let mut entry = |words: &str, sign: &dyn Fn(f64) -> String| {
        x -= words.len() as f64 * CHARACTER;
        text(out, "", x, y, "start", words);
        x -= 24.0;
        out.push_str(&sign(x));
        x -= 12.0;
    };
    if outside {
        entry("outside of the band", &|x| {
            let (x, y) = (x + 12.0, y - 4.0);
            format!("<circle class=\"mark\" cx=\"{x:.1}\" cy=\"{y}\" r=\"4\"/>\n")
        });
    }
    if banded {
        entry("expected", &|x| {
            let y = y - 9.0;
            format!("<rect class=\"band\" x=\"{x:.1}\" y=\"{y}\" width=\"18\" height=\"10\"/>\n")
        });
        entry("measured", &|x| {
            let y = y - 4.0;
            format!("<path class=\"line\" d=\"M{x:.1} {y}h18\"/>\n")
        });
    }
}

/// The lines of round times through all panels, and what stands below them.
fn time_grid(out: &mut String, figure: &Figure, layout: &Layout) {
    let room = layout.right - layout.left;
    let ticks = figure.ticks((room / CHARACTER) as usize);
    let (start, end) = figure.reach();
    let x = |at: i64| layout.left + (at as f64 - start as f64) / (end as f64 - start as f64) * room;
    let panels = figure.panels.len().max(1);
    let through = |x: f64| {
        let mut path = String::new();
        for index in 0..panels {
            let top = layout.top + index as f64 * (layout.height + layout.gap);
            let _ = write!(path, "M{x:.1} {top:.1}v{:.1}", layout.height);
        }
        path
    };
    let numbered = matches!(figure.axis, super::Axis::Number);
    for tick in &ticks {
        let at = if numbered {
            (x(tick.at) + x(tick.at + 1)) / 2.0
        } else {
            x(tick.at)
        };
        let class = if tick.begins { "grid begins" } else { "grid" };
        let _ = writeln!(out, "<path class=\"{class}\" d=\"{}\"/>", through(at));
        let half = tick.label.chars().count() as f64 * CHARACTER / 2.0;
        let at = at.clamp(
            layout.left - 10.0 + half.min(10.0),
            layout.whole.0 - half - 6.0,
        );
        text(out, "", at, layout.bottom + 18.0, "middle", &tick.label);
    }
    for (at, change) in figure.clock_changes() {
        let path = through(x(at));
        let title = escaped(&change);
        let _ = writeln!(
            out,
            "<path class=\"clocks\" d=\"{path}\"><title>{title}</title></path>"
        );
    }
}

/// The picture of one entity.
fn one(out: &mut String, figure: &Figure, panel: &Panel, scale: &Scale, layout: &Layout, top: f64) {
    let (start, end) = figure.reach();
    let room = layout.right - layout.left;
    let place = |at: f64| (at - start as f64) / (end as f64 - start as f64);
    let across = |place: f64| layout.left + place * room;
    let down = |value: f64| top + (1.0 - scale.place(value)) * layout.height;
    text(out, "name", layout.left, top - 9.0, "start", &panel.name);
    text(
        out,
        "",
        layout.right,
        top - 9.0,
        "end",
        &figure.remarks(panel),
    );
    for tick in &scale.ticks {
        let y = down(*tick);
        let (left, right) = (layout.left, layout.right);
        let _ = writeln!(out, "<path class=\"grid\" d=\"M{left} {y:.1}H{right}\"/>");
        text(out, "", left - 8.0, y + 4.0, "end", &scale.label(*tick));
    }
    let columns = room as usize;
    for edge in edges(&panel.points, place, columns) {
        let path = around(&edge, &across, &down);
        let _ = writeln!(out, "<path class=\"band\" d=\"{path}\"/>");
    }
    let (left, right, bottom) = (layout.left, layout.right, top + layout.height);
    let _ = writeln!(
        out,
        "<path class=\"axis\" d=\"M{left} {bottom:.1}H{right}\"/>"
    );
    for stroke in strokes(&panel.points, place, columns) {
        match stroke.as_slice() {
            [(x, value)] => {
                let (x, y) = (across(*x), down(*value));
                let _ = writeln!(
                    out,
                    "<circle class=\"dot\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"2\"/>"
                );
            }
            _ => {
                let path = along(&stroke, &across, &down);
                let _ = writeln!(out, "<path class=\"line\" d=\"{path}\"/>");
            }
        }
    }
    for point in marks(&panel.points, place, columns / 3) {
        let (x, y) = (
            across(place(point.middle())),
            down(point.value.unwrap_or(0.0)),
        );
        let title = escaped(&figure.of_point(point));
        let _ = writeln!(
            out,
            "<circle class=\"mark\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\"><title>{title}</title></circle>"
        );
    }
}

fn along(stroke: &Stroke, across: &impl Fn(f64) -> f64, down: &impl Fn(f64) -> f64) -> String {
    let mut path = String::new();
    for (index, (x, value)) in stroke.iter().enumerate() {
        let letter = if index == 0 { 'M' } else { 'L' };
        let _ = write!(path, "{letter}{:.1} {:.1}", across(*x), down(*value));
    }
    path
}

/// There along the upper ends and back along the lower ones.
fn around(edge: &Edge, across: &impl Fn(f64) -> f64, down: &impl Fn(f64) -> f64) -> String {
    let upper = edge.iter().map(|(x, _, high)| (*x, *high));
    let lower = edge.iter().rev().map(|(x, low, _)| (*x, *low));
    let mut path = along(&upper.chain(lower).collect(), across, down);
    path.push('Z');
    path
}

fn notes(figure: &Figure) -> Vec<String> {
    let changes = figure.clock_changes().into_iter().map(|(_, change)| change);
    figure.about_band().into_iter().chain(changes).collect()
}

fn text(out: &mut String, class: &str, x: f64, y: f64, anchor: &str, words: &str) {
    if words.is_empty() {
        return;
    }
    let class = match class {
        "" => String::new(),
        class => format!(" class=\"{class}\""),
    };
    let words = escaped(words);
    let _ = writeln!(
        out,
        "<text{class} x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{words}</text>"
    );
}

/// Text as XML takes it; characters that XML cannot hold become U+FFFD.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' | '\r' => out.push(' '),
            '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}' => {
                out.push(char::REPLACEMENT_CHARACTER);
            }
            other => out.push(other),
        }
    }
    out
}

/// A number that texts have nearly for themselves (FNV-1a).
fn fingerprint(texts: &[&str]) -> u32 {
    let bytes = texts.iter().flat_map(|text| text.bytes());
    bytes.fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}
