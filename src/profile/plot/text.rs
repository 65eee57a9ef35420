//! A figure in characters.

use super::scale::Scale;
use super::series::{Point, edges, marks, strokes};
use super::{Axis, Figure, Panel};
use crate::diagnostic::{Page, Style};
use crate::drawing::canvas::{ACROSS, Canvas, DOWN};
use crate::drawing::text::{Frame, Tick, plain as in_signs, quiet};

pub use crate::diagnostic::Room as Size;
pub use crate::drawing::text::wants_ascii;

/// How many points that stand out are told.
const TOLD: usize = 5;

pub(super) fn draw(figure: &Figure, size: Size) -> Page {
    let usual = match figure.panels.len() {
        0 | 1 => 12,
        2 | 3 => 8,
        _ => 6,
    };
    let height = size.down(usual);
    let plain = |text: &str| in_signs(text, size.ascii);
    let mut page = Page::new();
    page.heading(plain(&figure.heading()));
    let from_to = figure.from_to();
    if !from_to.is_empty() {
        page.put(Style::Quiet, plain(&from_to)).end();
    }
    let scales = figure.scales((height / 3).max(2));
    let labels: Vec<String> = scales.iter().flat_map(Scale::labels).collect();
    let frame = Frame::new(size.across(), labels.iter().map(String::as_str), size.ascii);
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
        let canvas = drawn(panel, scale, &place, frame.columns, height);
        let mut at_row: Vec<String> = vec![String::new(); height];
        for tick in &scale.ticks {
            let row = canvas.down(scale.place(*tick)) as usize / DOWN;
            if let Some(slot) = at_row.get_mut(row)
                && slot.is_empty()
            {
                *slot = scale.label(*tick);
            }
        }
        for (row, label) in at_row.iter().enumerate() {
            frame.open(&mut page, label);
            canvas.put_row(&mut page, row, size.ascii);
            page.end();
        }
    }
    let half = match figure.axis {
        Axis::Number => 0.5,
        Axis::Time { .. } => 0.0,
    };
    let ticks = figure.ticks(frame.columns).into_iter().map(|tick| {
        let share = (tick.at as f64 + half - start as f64) / (end as f64 - start as f64);
        let column = ((share * frame.columns as f64) as usize).min(frame.columns - 1);
        (column, tick.label)
    });
    frame.below(&mut page, "", &ticks.collect::<Vec<Tick>>(), &[]);
    notes(&mut page, figure, size, &plain);
    page
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

fn notes(page: &mut Page, figure: &Figure, size: Size, plain: &dyn Fn(&str) -> String) {
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
    let changes = figure.clock_changes().into_iter().map(|(_, change)| change);
    for note in figure.about_band().into_iter().chain(changes) {
        quiet(page, &note, size);
    }
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
