//! Counts of names as bars that lie, one a row.

use super::scale::{Scale, in_words};
use super::svg::{CHARACTER, EDGE, LETTER};
use super::text::{cut, filled, lying, plain, quiet};
use super::{Anchor, Drawing, Place, Room, Sheet, Size};
use crate::diagnostic::{Page, Style};
use unicode_width::UnicodeWidthStr;

/// A picture of what is counted, or otherwise known as a number, of names.
#[derive(Debug, Clone)]
pub struct Counts {
    /// What is shown.
    pub title: String,
    /// The names with their numbers, which are finite.
    pub rows: Vec<(String, f64)>,
    /// How many names have no number or none that can be drawn.
    pub left_out: usize,
}

/// How many rows are drawn; of more the largest ones.
const MOST: usize = 40;
/// From one row to the next.
const ROW: f64 = 22.0;
/// The height of a bar.
const BAR: f64 = 14.0;

/// The rows that are drawn, and what the others are.
struct Shown {
    rows: Vec<(String, f64)>,
    rest: Option<String>,
    /// The lower and the upper end, which hold zero.
    reach: (f64, f64),
}

impl Counts {
    fn shown(&self) -> Shown {
        let mut rows = self.rows.clone();
        let mut rest = None;
        if rows.len() > MOST {
            rows.sort_by(|a, b| b.1.total_cmp(&a.1));
            let others = rows.split_off(MOST);
            let sum: f64 = others.iter().map(|(_, value)| value).sum();
            rest = Some(format!(
                "and {} smaller ones, {} together",
                others.len(),
                in_words(sum)
            ));
        }
        let low = rows.iter().map(|(_, value)| *value).fold(0.0, f64::min);
        let high = rows.iter().map(|(_, value)| *value).fold(0.0, f64::max);
        let reach = match low == high {
            true => (0.0, 1.0),
            false => (low, high),
        };
        Shown { rows, rest, reach }
    }

    fn below(&self) -> String {
        let sum: f64 = self.rows.iter().map(|(_, value)| value).sum();
        let names = self.rows.len();
        let mut below = format!("{names} name{}", if names == 1 { "" } else { "s" });
        if sum.is_finite() && self.rows.iter().all(|(_, value)| *value >= 0.0) {
            below += &format!(", {} together", in_words(sum));
        }
        if self.left_out > 0 {
            below += &format!(", {} without a number that can be drawn", self.left_out);
        }
        below
    }
}

/// Where a value lies from 0 to 1, also where the reach is more than a double holds.
fn place(value: f64, (low, high): (f64, f64)) -> f64 {
    let place = (value / 2.0 - low / 2.0) / (high / 2.0 - low / 2.0);
    if place.is_finite() {
        place.clamp(0.0, 1.0)
    } else {
        0.0
    }
}

impl Drawing for Counts {
    fn title(&self) -> String {
        self.title.clone()
    }

    fn page(&self, room: Room) -> Page {
        let Shown { rows, rest, reach } = self.shown();
        let width = room.across();
        let numbers: Vec<String> = rows.iter().map(|(_, value)| in_words(*value)).collect();
        let names: Vec<String> = rows
            .iter()
            .map(|(name, _)| cut(name, width / 3, room.ascii))
            .collect();
        let widest = |texts: &[String]| texts.iter().map(|text| text.width()).max().unwrap_or(0);
        let (left, right) = (widest(&names), widest(&numbers));
        let columns = width.saturating_sub(left + right + 5).max(8);
        let whole = (columns * 8) as f64;
        // Bars below zero end where those above it begin.
        let zero = (place(0.0, reach) * columns as f64).round() as usize;
        let axis = if room.ascii { '|' } else { '│' };
        let mut page = Page::new();
        page.heading(plain(&self.title, room.ascii));
        quiet(&mut page, &self.below(), room);
        for ((name, number), (_, value)) in names.iter().zip(&numbers).zip(&rows) {
            page.put(Style::Name, filled(name, left));
            let length = (place(*value, reach) - place(0.0, reach)).abs() * whole;
            let least = if *value == 0.0 { 0 } else { 1 };
            let eighths = (length.round() as usize).max(least);
            page.text(" ");
            if *value < 0.0 {
                let sign = if room.ascii { "#" } else { "█" };
                let cells = eighths.div_ceil(8).min(zero);
                page.text(" ".repeat(zero - cells));
                page.put(Style::Warning, sign.repeat(cells));
                page.put(Style::Quiet, axis.to_string());
            } else {
                page.text(" ".repeat(zero));
                page.put(Style::Quiet, axis.to_string());
                page.put(
                    Style::Code,
                    lying(eighths.min((columns - zero) * 8), room.ascii),
                );
            }
            page.line(format!(" {number}"));
        }
        if let Some(rest) = rest {
            quiet(&mut page, &rest, room);
        }
        page
    }

    fn svg(&self, size: Size) -> String {
        let Shown { rows, rest, reach } = self.shown();
        let width = size.across();
        let names = rows.iter().map(|(name, _)| name.width() as f64 * LETTER);
        let names = names.fold(40.0, f64::max).min(width * 0.4);
        let numbers = rows
            .iter()
            .map(|(_, value)| in_words(*value).len() as f64 * CHARACTER);
        let numbers = numbers.fold(20.0, f64::max) + 8.0;
        let (left, right) = (EDGE + names + 12.0, width - EDGE - numbers);
        let scale = Scale::new(
            reach.0,
            reach.1,
            ((right - left) / 90.0) as usize,
            self.is_whole(),
        );
        let reach = (scale.low, scale.high);
        let top = 68.0;
        let bottom = top + rows.len() as f64 * ROW;
        let whole = bottom + if rest.is_some() { 52.0 } else { 32.0 };
        let told = rows
            .iter()
            .map(|(name, value)| format!("{name}: {}", in_words(*value)));
        let told: Vec<String> = told.collect();
        let description = format!("{}. {}.", self.below(), told.join("; "));
        let mut sheet = Sheet::new(size.theme, width, whole, &self.title, &description);
        sheet.heading(&self.title, &self.below());
        let across = |value: f64| left + place(value, reach) * (right - left);
        for tick in &scale.ticks {
            let x = across(*tick);
            sheet.path("grid", &format!("M{x:.1} {:.1}V{bottom:.1}", top - 6.0), "");
        }
        let ticks = scale
            .ticks
            .iter()
            .map(|tick| (across(*tick), scale.label(*tick)));
        sheet.value_axis(&ticks.collect::<Vec<_>>(), bottom + 16.0);
        let zero = across(0.0);
        for (index, (name, value)) in rows.iter().enumerate() {
            let y = top + index as f64 * ROW;
            sheet.text_within("code", EDGE, y + 11.0, name, names + 2.0, LETTER);
            let (from, to) = (zero.min(across(*value)), zero.max(across(*value)));
            if *value != 0.0 {
                let bar = Place {
                    x: from,
                    y,
                    width: (to - from).max(1.0),
                    height: BAR,
                };
                let class = if *value < 0.0 { "c1" } else { "c0" };
                sheet.rect(class, bar, 2.0, &format!("{name}: {}", in_words(*value)));
            }
            sheet.text(
                "word",
                to.max(zero) + 7.0,
                y + 11.0,
                Anchor::Start,
                &in_words(*value),
            );
        }
        sheet.path(
            "axis",
            &format!("M{zero:.1} {:.1}V{bottom:.1}", top - 6.0),
            "",
        );
        if let Some(rest) = rest {
            sheet.text("", EDGE, bottom + 36.0, Anchor::Start, &rest);
        }
        sheet.finish()
    }
}

impl Counts {
    fn is_whole(&self) -> bool {
        self.rows.iter().all(|(_, value)| *value == value.trunc())
    }
}
