//! A figure in characters.

use super::canvas::{ACROSS, Canvas, DOWN};
use super::scale::Scale;
use super::series::{Point, edges, marks, strokes};
use super::{Axis, Figure, Panel};
use crate::diagnostic::{Page, Style};

/// The room for a figure.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// The characters of a line.
    pub width: usize,
    /// The lines of each entity's picture; fewer for several unless given.
    pub height: Option<usize>,
    /// Whether only ASCII may be used.
    pub ascii: bool,
}

impl Default for Size {
    fn default() -> Size {
        Size {
            width: 80,
            height: None,
            ascii: false,
        }
    }
}

/// How narrow and how wide a figure may be.
const WIDTHS: (usize, usize) = (40, 1_000);

/// How low and how high an entity's picture may be.
const HEIGHTS: (usize, usize) = (3, 200);

/// How many points that stand out are told.
const TOLD: usize = 5;

pub(super) fn draw(figure: &Figure, size: Size) -> Page {
    let width = size.width.clamp(WIDTHS.0, WIDTHS.1);
    let usual = match figure.panels.len() {
        0 | 1 => 12,
        2 | 3 => 8,
        _ => 6,
    };
    let height = size.height.unwrap_or(usual).clamp(HEIGHTS.0, HEIGHTS.1);
    let plain = |text: &str| match size.ascii {
        true => in_ascii(text),
        false => text.to_string(),
    };
    let mut page = Page::new();
    page.heading(plain(&figure.heading()));
    let from_to = figure.from_to();
    if !from_to.is_empty() {
        page.put(Style::Quiet, plain(&from_to)).end();
    }
    let scales = figure.scales((height / 3).max(2));
    let labels = scales.iter().map(gutter).max().unwrap_or(1);
    let columns = width.saturating_sub(labels + 2).max(10);
    let (start, end) = figure.reach();
    let place = |at: f64| {
        let (start, end) = (start as f64, end as f64);
        (at - start) / (end - start)
    };
    for (panel, scale) in figure.panels.iter().zip(&scales) {
        page.put(Style::Name, panel.name.as_str());
        let gap = if panel.name.is_empty() { "" } else { "  " };
        page.put(
            Style::Quiet,
            format!("{gap}{}", plain(&figure.remarks(panel))),
        );
        page.end();
        let canvas = drawn(panel, scale, &place, columns, height);
        let mut at_row: Vec<Option<String>> = vec![None; height];
        for tick in &scale.ticks {
            let row = canvas.down(scale.place(*tick)) as usize / DOWN;
            if let Some(slot) = at_row.get_mut(row)
                && slot.is_none()
            {
                *slot = Some(scale.label(*tick));
            }
        }
        for (row, label) in at_row.iter().enumerate() {
            let label_text = label.as_deref().unwrap_or("");
            let axis = match (label.is_some(), size.ascii) {
                (true, false) => '┤',
                (false, false) => '│',
                (true, true) => '+',
                (false, true) => '|',
            };
            page.put(Style::Quiet, format!("{label_text:>labels$} {axis}"));
            canvas.put_row(&mut page, row, size.ascii);
            page.end();
        }
    }
    axis(&mut page, figure, (start, end), labels, columns, size.ascii);
    notes(&mut page, figure, &plain);
    page
}

fn gutter(scale: &Scale) -> usize {
    let labels = scale.ticks.iter().map(|tick| scale.label(*tick).len());
    labels.max().unwrap_or(1)
}

fn drawn(
    panel: &Panel,
    scale: &Scale,
    place: &impl Fn(f64) -> f64,
    columns: usize,
    rows: usize,
) -> Canvas {
    let mut canvas = Canvas::new(columns, rows);
    let dots = columns * ACROSS;
    for edge in edges(&panel.points, place, dots) {
        let mut edge = edge.iter().copied().peekable();
        while let Some((x, low, high)) = edge.next() {
            let from = canvas.across(x);
            // Up to the next vertex, so that wide periods leave no stripes.
            let to = edge.peek().map_or(from, |next| canvas.across(next.0) - 1);
            let (top, bottom) = (
                canvas.down(scale.place(high)),
                canvas.down(scale.place(low)),
            );
            for x in from..=to.max(from) {
                canvas.shade(x, top, bottom);
            }
        }
    }
    for stroke in strokes(&panel.points, place, dots) {
        let at = |(x, value): (f64, f64)| (canvas.across(x), canvas.down(scale.place(value)));
        let vertices: Vec<(i64, i64)> = stroke.into_iter().map(at).collect();
        if let [only] = vertices.as_slice() {
            canvas.dot(only.0, only.1);
        }
        for pair in vertices.windows(2) {
            if let [from, to] = pair {
                canvas.line(*from, *to);
            }
        }
    }
    for point in marks(&panel.points, place, columns) {
        let y = canvas.down(scale.place(point.value.unwrap_or(0.0)));
        canvas.mark(canvas.across(place(point.middle())), y);
    }
    canvas
}

/// The axis below: a line with ticks, and what stands at them.
fn axis(
    page: &mut Page,
    figure: &Figure,
    (start, end): (i64, i64),
    labels: usize,
    columns: usize,
    ascii: bool,
) {
    let ticks = figure.ticks(columns);
    let (corner, line, cross) = match ascii {
        true => ('+', '-', '+'),
        false => ('└', '─', '┬'),
    };
    let mut ruler = vec![line; columns];
    let offset = labels + 2;
    let mut below = vec![' '; offset + columns];
    let mut free = 0;
    for tick in ticks {
        let half = if matches!(figure.axis, Axis::Number) {
            0.5
        } else {
            0.0
        };
        let share = (tick.at as f64 + half - start as f64) / (end as f64 - start as f64);
        let column = ((share * columns as f64) as usize).min(columns - 1);
        if let Some(mark) = ruler.get_mut(column) {
            *mark = cross;
        }
        let length = tick.label.chars().count();
        let begin = (offset + column).saturating_sub(length / 2);
        let begin = begin.min((offset + columns).saturating_sub(length));
        if begin < free {
            continue;
        }
        free = begin + length + 1;
        for (cell, character) in below.iter_mut().skip(begin).zip(tick.label.chars()) {
            *cell = character;
        }
    }
    let ruler: String = ruler.into_iter().collect();
    page.put(Style::Quiet, format!("{:labels$} {corner}{ruler}", ""))
        .end();
    let below: String = below.into_iter().collect();
    page.put(Style::Quiet, below.trim_end()).end();
}

fn notes(page: &mut Page, figure: &Figure, plain: &dyn Fn(&str) -> String) {
    let several = figure.panels.len() > 1;
    for panel in &figure.panels {
        let mut outside: Vec<&Point> = panel.points.iter().filter(|p| p.stands_out()).collect();
        let count = outside.len();
        outside.sort_by(|a, b| b.distance().total_cmp(&a.distance()));
        for point in outside.into_iter().take(TOLD) {
            let name = if several {
                format!("{} ", panel.name)
            } else {
                String::new()
            };
            page.put(Style::Warning, plain("● "));
            page.line(format!("{name}{}", plain(&figure.of_point(point))));
        }
        if count > TOLD {
            let of = if several {
                format!(" of {}", panel.name)
            } else {
                String::new()
            };
            let rest = format!("and {} nearer to the band{of}", count - TOLD);
            page.put(Style::Quiet, rest).end();
        }
    }
    if let Some(about) = figure.about_band() {
        page.put(Style::Quiet, plain(&about)).end();
    }
    for (_, change) in figure.clock_changes() {
        page.put(Style::Quiet, plain(&change)).end();
    }
}

/// Whether the terminal or the locale asks for ASCII. `get` gives environment variables; without a locale nothing is
/// asked for.
pub fn wants_ascii(get: impl Fn(&str) -> Option<String>) -> bool {
    if get("TERM").as_deref() == Some("dumb") {
        return true;
    }
    let names = ["LC_ALL", "LC_CTYPE", "LANG"];
    let locale = names
        .iter()
        .filter_map(|name| get(name))
        .find(|value| !value.is_empty());
    locale.is_some_and(|locale| {
        let locale = locale.to_ascii_lowercase();
        !locale.contains("utf-8") && !locale.contains("utf8")
    })
}

/// The signs of this drawing that ASCII lacks.
fn in_ascii(text: &str) -> String {
    text.replace(" · ", ", ")
        .replace('±', "+-")
        .replace('×', "*")
        .replace('●', "O")
        .replace('…', "...")
}

impl Figure {
    /// The ticks of the axis below, for so many characters.
    pub fn ticks(&self, room: usize) -> Vec<super::time::TimeTick> {
        let (start, end) = self.reach();
        match &self.axis {
            Axis::Time { zone, .. } => super::time::ticks(start, end, room, zone),
            Axis::Number => numbers(start, end, room / 8),
        }
    }
}

/// The ticks of values without times, each in the middle of its value.
fn numbers(start: i64, end: i64, most: usize) -> Vec<super::time::TimeTick> {
    let scale = Scale::new(start as f64, end as f64, most.max(1), true);
    let inside = scale.ticks.iter().filter(|tick| {
        let tick = **tick as i64;
        (start.max(1)..end).contains(&tick)
    });
    inside
        .map(|tick| super::time::TimeTick {
            at: *tick as i64,
            label: format!("{tick}"),
            begins: false,
        })
        .collect()
}
