//! A figure as SVG.

use super::scale::Scale;
use super::series::{Edge, Stroke, edges, marks, strokes};
use super::{Figure, Panel};
use crate::drawing::svg::{CHARACTER, EDGE, HEAD, NAME};
use crate::drawing::{Anchor, Sheet, wrapped};
use std::fmt::Write as _;
use unicode_width::UnicodeWidthStr;

pub use crate::diagnostic::Size;

/// How many changes of clocks are told.
const CHANGES: usize = 4;

/// Where everything stands.
struct Layout {
    left: f64,
    right: f64,
    top: f64,
    height: f64,
    gap: f64,
    bottom: f64,
}

pub(super) fn draw(figure: &Figure, size: Size) -> String {
    let usual = match figure.panels.len() {
        0 | 1 => 240,
        2 | 3 => 150,
        _ => 110,
    };
    let (width, height) = (size.across(), size.down(usual));
    let scales = figure.scales((height as usize / 45).max(2));
    let labels = scales
        .iter()
        .flat_map(|s| s.ticks.iter().map(|tick| s.label(*tick)));
    let widest = labels.map(|label| label.len()).max().unwrap_or(1);
    let notes = notes(figure, width);
    let left = (widest as f64 * CHARACTER + 22.0).round();
    let right = width - EDGE;
    let legend = legend(figure, width);
    let legend_width = Sheet::legend_width(&legend);
    let from_to = figure.from_to();
    // Where the legend has no room behind the times it stands below them.
    let beside = from_to.width() as f64 * CHARACTER + 24.0 + legend_width <= right - EDGE;
    let lower = if beside { 0.0 } else { 16.0 };
    let (gap, top) = (34.0, HEAD + lower);
    let count = figure.panels.len().max(1) as f64;
    let bottom = top + count * height + (count - 1.0) * gap;
    let layout = Layout {
        left,
        right,
        top,
        height,
        gap,
        bottom,
    };
    let whole = bottom + 36.0 + notes.len() as f64 * 16.0;
    let mut sheet = Sheet::new(
        size.theme,
        width,
        whole,
        &figure.heading(),
        &description(figure),
    );
    sheet.heading(&figure.heading(), &from_to);
    sheet.legend(layout.right, 49.0 + lower, &legend);
    time_grid(&mut sheet, figure, &layout);
    for (index, (panel, scale)) in figure.panels.iter().zip(&scales).enumerate() {
        let top = layout.top + index as f64 * (layout.height + layout.gap);
        one(&mut sheet, figure, panel, scale, &layout, top);
    }
    for (index, note) in notes.iter().enumerate() {
        let y = layout.bottom + 42.0 + index as f64 * 16.0;
        sheet.text("", EDGE, y, Anchor::Start, note);
    }
    sheet.finish()
}

fn description(figure: &Figure) -> String {
    let summary = figure.panels.iter().map(|panel| {
        let name = if panel.name.is_empty() { "" } else { ": " };
        format!("{}{name}{}", panel.name, figure.remarks(panel))
    });
    let summary: Vec<String> = summary.collect();
    let from_to = figure.from_to();
    let stop = if from_to.is_empty() { "" } else { ". " };
    format!("{from_to}{stop}{}.", summary.join("; "))
}

/// What the signs mean.
fn legend(figure: &Figure, width: f64) -> Vec<(&'static str, &'static str)> {
    let mut entries = Vec::new();
    if figure.panels.iter().any(Panel::banded) {
        entries.extend([("measured", "line"), ("expected", "band")]);
    }
    if figure.panels.iter().any(|panel| panel.outside() > 0) {
        let words = match width < 420.0 {
            true => "outside",
            false => "outside of the band",
        };
        entries.push((words, "mark"));
    }
    entries
}

/// The lines of round times through all panels, and what stands below them.
fn time_grid(sheet: &mut Sheet, figure: &Figure, layout: &Layout) {
    let room = layout.right - layout.left;
    let ticks = figure.ticks((room / CHARACTER) as usize);
    let (start, end) = figure.reach();
    let x = |at: i64| layout.left + (at as f64 - start as f64) / (end as f64 - start as f64) * room;
    let panels = 0..figure.panels.len().max(1);
    let top = |index| layout.top + index as f64 * (layout.height + layout.gap);
    let panels: Vec<(f64, f64)> = panels.map(|index| (top(index), layout.height)).collect();
    let numbered = matches!(figure.axis, super::Axis::Number);
    let at = |tick: &super::time::TimeTick| match numbered {
        true => (x(tick.at) + x(tick.at + 1)) / 2.0,
        false => x(tick.at),
    };
    sheet.time_axis(&ticks, at, layout.left, &panels, layout.bottom);
    sheet.clock_changes(&figure.clock_changes(), x, &panels);
}

/// The picture of one entity.
fn one(
    sheet: &mut Sheet,
    figure: &Figure,
    panel: &Panel,
    scale: &Scale,
    layout: &Layout,
    top: f64,
) {
    let (start, end) = figure.reach();
    let (left, right) = (layout.left, layout.right);
    let room = right - left;
    let place = |at: f64| (at - start as f64) / (end as f64 - start as f64);
    let across = |place: f64| left + place * room;
    let down = |value: f64| top + (1.0 - scale.place(value)) * layout.height;
    let remarks = figure.remarks(panel);
    let (wide, said) = (
        panel.name.width() as f64 * NAME,
        remarks.width() as f64 * CHARACTER,
    );
    // A long name leaves the remarks a half, and they leave it the rest.
    let said = match wide + said + 12.0 > room {
        true => said.min((room - wide).max(room / 2.0) - 12.0),
        false => said,
    };
    sheet.text_within(
        "name",
        left,
        top - 9.0,
        &panel.name,
        room - said - 12.0,
        NAME,
    );
    sheet.text_before("", right, top - 9.0, &remarks, said, CHARACTER);
    sheet.grid(scale, left, right, down);
    let columns = room.max(1.0) as usize;
    for edge in edges(&panel.points, place, columns) {
        sheet.path("band", &around(&edge, &across, &down), "");
    }
    let bottom = top + layout.height;
    sheet.path("axis", &format!("M{left} {bottom:.1}H{right}"), "");
    for stroke in strokes(&panel.points, place, columns) {
        match stroke.as_slice() {
            [(x, value)] => sheet.circle("dot", across(*x), down(*value), 2.4, ""),
            _ => sheet.path("line", &along(&stroke, &across, &down), ""),
        }
    }
    for point in marks(&panel.points, place, columns / 3) {
        let (x, y) = (
            across(place(point.middle())),
            down(point.value.unwrap_or(0.0)),
        );
        sheet.circle("mark", x, y, 4.0, &figure.of_point(point));
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

fn notes(figure: &Figure, width: f64) -> Vec<String> {
    let letters = ((width - 2.0 * EDGE) / CHARACTER) as usize;
    let changes = figure
        .clock_changes()
        .into_iter()
        .take(CHANGES)
        .map(|(_, change)| change);
    let notes = figure.about_band().into_iter().chain(changes);
    notes.flat_map(|note| wrapped(&note, letters)).collect()
}
