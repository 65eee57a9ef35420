//! How values are distributed.

use super::scale::{Scale, in_words};
use super::svg::{CHARACTER, EDGE, HEAD};
use super::{Anchor, Place, Sheet, Size};

/// A picture of how values are distributed.
#[derive(Debug, Clone)]
pub struct Histogram {
    /// What is shown.
    pub title: String,
    /// What is to be said below the title.
    pub below: String,
    /// Where the first bar begins.
    pub low: f64,
    /// Where the last one ends.
    pub high: f64,
    /// How many values there are in each of the bars, which are equally wide.
    pub counts: Vec<f64>,
    /// Whether the counts are reckoned from quantiles and not counted.
    pub reckoned: bool,
    /// Values with names, such as the median.
    pub marks: Vec<(&'static str, f64)>,
    /// What is worth a note below.
    pub notes: Vec<String>,
}

impl Histogram {
    /// The picture.
    pub fn svg(&self, size: Size) -> String {
        let (width, height) = (size.across(), size.down(200));
        let highest = self.counts.iter().copied().fold(0.0, f64::max);
        let scale = Scale::new(0.0, highest, (height as usize / 45).max(2), !self.reckoned);
        let widest = scale
            .ticks
            .iter()
            .map(|tick| scale.label(*tick).len())
            .max();
        let left = (widest.unwrap_or(1) as f64 * CHARACTER + 22.0).round();
        let right = width - EDGE;
        let rows = self.rows(left, right);
        let top = HEAD - 8.0 + rows.iter().map(|(_, row)| *row).max().unwrap_or(0) as f64 * 14.0;
        let bottom = top + height;
        let notes = self.notes.len() as f64 * 16.0;
        let whole = bottom + 36.0 + notes;
        let told: Vec<String> = self
            .marks
            .iter()
            .map(|(n, v)| format!("{n} {}", in_words(*v)))
            .collect();
        let description = format!("{}. {}.", self.below, told.join(", "));
        let mut sheet = Sheet::new(width, whole, &self.title, &description);
        sheet.heading(&self.title, &self.below);
        let down = |value: f64| bottom - scale.place(value) * height;
        for tick in &scale.ticks {
            let y = down(*tick);
            sheet.path("grid", &format!("M{left} {y:.1}H{right}"), "");
            sheet.text("", left - 8.0, y + 4.0, Anchor::End, &scale.label(*tick));
        }
        let across = |value: f64| left + self.place(value) * (right - left);
        let count = self.counts.len().max(1) as f64;
        for (index, value) in self.counts.iter().enumerate().filter(|(_, v)| **v > 0.0) {
            let at = |index: f64| left + index / count * (right - left);
            let (from, to) = (at(index as f64), at(index as f64 + 1.0));
            let edge = |index: f64| self.low + (self.high / count - self.low / count) * index;
            let about = if self.reckoned { "about " } else { "" };
            let title = format!(
                "{} to {}: {about}{}",
                in_words(edge(index as f64)),
                in_words(edge(index as f64 + 1.0)),
                in_words(if self.reckoned { value.round() } else { *value })
            );
            let place = Place {
                x: from,
                y: down(*value).min(bottom - 0.8),
                width: (to - from - 1.0).max(0.8),
                height: (bottom - down(*value)).max(0.8),
            };
            sheet.rect("c0", place, 0.0, &title);
        }
        sheet.path("axis", &format!("M{left} {bottom:.1}H{right}"), "");
        let below = Scale::new(self.low, self.high, ((right - left) / 90.0) as usize, false);
        for tick in &below.ticks {
            if (self.low..=self.high).contains(tick) {
                let x = across(*tick);
                sheet.path("axis", &format!("M{x:.1} {bottom:.1}v4"), "");
                sheet.text("", x, bottom + 18.0, Anchor::Middle, &below.label(*tick));
            }
        }
        for ((name, value), row) in rows {
            let (x, y) = (across(value), top - 8.0 - row as f64 * 14.0);
            let words = format!("{name} {}", in_words(value));
            sheet.path(
                "rule",
                &format!("M{x:.1} {:.1}V{bottom:.1}", y + 3.0),
                &words,
            );
            let half = words.len() as f64 * CHARACTER / 2.0;
            let x = x.clamp((left + half).min(right), (right - half).max(left));
            sheet.text("word", x, y, Anchor::Middle, &words);
        }
        for (index, note) in self.notes.iter().enumerate() {
            let y = bottom + 42.0 + index as f64 * 16.0;
            sheet.text("", EDGE, y, Anchor::Start, note);
        }
        sheet.finish()
    }

    /// Where a value lies, from 0 to 1.
    fn place(&self, value: f64) -> f64 {
        let place = (value / 2.0 - self.low / 2.0) / (self.high / 2.0 - self.low / 2.0);
        if place.is_finite() {
            place.clamp(0.0, 1.0)
        } else {
            0.5
        }
    }

    /// The marks inside of the picture, each in the lowest row where its words touch no others.
    fn rows(&self, left: f64, right: f64) -> Vec<((&'static str, f64), usize)> {
        let mut marks = self.marks.clone();
        marks.retain(|(_, value)| (self.low..=self.high).contains(value));
        marks.sort_by(|a, b| a.1.total_cmp(&b.1));
        let mut ends: Vec<f64> = Vec::new();
        let mut rows = Vec::new();
        for (name, value) in marks {
            let half = (name.len() + 1 + in_words(value).len()) as f64 * CHARACTER / 2.0;
            let x = left + self.place(value) * (right - left);
            let x = x.clamp((left + half).min(right), (right - half).max(left));
            let row = ends
                .iter()
                .position(|end| *end + 8.0 < x - half)
                .unwrap_or(ends.len());
            match ends.get_mut(row) {
                Some(end) => *end = x + half,
                None => ends.push(x + half),
            }
            rows.push(((name, value), row));
        }
        rows
    }
}
