//! How values are distributed.

use super::scale::{Scale, in_words};
use super::svg::{CHARACTER, EDGE, HEAD};
use super::text::{Stand, plain, quiet, wrapped};
use super::{Anchor, Drawing, Place, Room, Sheet, Size};
use crate::diagnostic::{Page, Style};

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
    /// Whether each bar is that of one whole number.
    pub whole: bool,
    /// Whether the counts are reckoned from quantiles and not counted.
    pub reckoned: bool,
    /// Values with names, such as the median.
    pub marks: Vec<(&'static str, f64)>,
    /// What is worth a note below.
    pub notes: Vec<String>,
}

impl Drawing for Histogram {
    fn title(&self) -> String {
        self.title.clone()
    }

    fn page(&self, room: Room) -> Page {
        let rows = room.down(10);
        let heights = |each: usize| -> Vec<f64> {
            let sum = |counts: &[f64]| counts.iter().sum();
            self.counts.chunks(each).map(sum).collect()
        };
        let scale_of = |each: usize| {
            let highest = heights(each).into_iter().fold(0.0, f64::max);
            Scale::new(0.0, highest, (rows / 3).max(2), !self.reckoned)
        };
        // Where there is little room, neighbours are put together.
        let stand = Stand::new(room, self.counts.len(), scale_of);
        let Stand {
            frame,
            scale,
            wide,
            each,
        } = &stand;
        let say = |text: &str| plain(text, room.ascii);
        let mut page = Page::new();
        page.heading(say(&self.title));
        quiet(&mut page, &self.below, room);
        stand.draw(&mut page, &heights(*each), rows);
        let count = (self.counts.len() * wide) as f64 / *each as f64;
        let column = |value: f64| ((self.place(value) * count) as usize).min(frame.columns - 1);
        let below = Scale::new(self.low, self.high, frame.columns / 10, self.whole);
        let inside = |tick: &&f64| (self.low..=self.high).contains(*tick);
        let ticks = below.ticks.iter().filter(inside);
        let ticks: Vec<_> = ticks
            .map(|tick| (column(*tick), below.label(*tick)))
            .collect();
        let marks = self.told();
        let columns: Vec<usize> = marks.iter().map(|(_, value)| column(*value)).collect();
        frame.below(&mut page, &scale.label(0.0), &ticks, &columns);
        if !marks.is_empty() {
            let words: Vec<String> = marks.iter().map(|(words, _)| words.clone()).collect();
            page.put(Style::Warning, say("▲ "));
            page.line(words.join(", "));
        }
        for note in &self.notes {
            quiet(&mut page, note, room);
        }
        page
    }

    fn svg(&self, size: Size) -> String {
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
        let letters = ((width - 2.0 * EDGE) / CHARACTER) as usize;
        let said: Vec<String> = self
            .notes
            .iter()
            .flat_map(|note| wrapped(note, letters))
            .collect();
        let notes = said.len() as f64 * 16.0;
        let whole = bottom + 36.0 + notes;
        let told: Vec<String> = self
            .marks
            .iter()
            .map(|(n, v)| format!("{n} {}", in_words(*v)))
            .collect();
        let description = format!("{}. {}.", self.below, told.join(", "));
        let mut sheet = Sheet::new(size.theme, width, whole, &self.title, &description);
        sheet.heading(&self.title, &self.below);
        let down = |value: f64| bottom - scale.place(value) * height;
        sheet.grid(&scale, left, right, down);
        let across = |value: f64| left + self.place(value) * (right - left);
        let count = self.counts.len().max(1) as f64;
        for (index, value) in self.counts.iter().enumerate().filter(|(_, v)| **v > 0.0) {
            let at = |index: f64| left + index / count * (right - left);
            let (from, to) = (at(index as f64), at(index as f64 + 1.0));
            let edge = |index: f64| self.low + (self.high / count - self.low / count) * index;
            let about = if self.reckoned { "about " } else { "" };
            let reach = match self.whole {
                true => in_words((edge(index as f64) + 0.5).round()),
                false => format!(
                    "{} to {}",
                    in_words(edge(index as f64)),
                    in_words(edge(index as f64 + 1.0))
                ),
            };
            let title = format!(
                "{reach}: {about}{}",
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
        let below = Scale::new(
            self.low,
            self.high,
            ((right - left) / 90.0) as usize,
            self.whole,
        );
        let inside = |tick: &&f64| (self.low..=self.high).contains(*tick);
        let ticks = below.ticks.iter().filter(inside);
        let ticks: Vec<_> = ticks
            .map(|tick| (across(*tick), below.label(*tick)))
            .collect();
        for (x, _) in &ticks {
            sheet.path("axis", &format!("M{x:.1} {bottom:.1}v4"), "");
        }
        sheet.value_axis(&ticks, bottom + 18.0);
        for ((words, value), row) in rows {
            let (x, y) = (across(value), top - 8.0 - row as f64 * 14.0);
            sheet.path(
                "rule",
                &format!("M{x:.1} {:.1}V{bottom:.1}", y + 3.0),
                &words,
            );
            let half = words.len() as f64 * CHARACTER / 2.0;
            let x = x.clamp((left + half).min(right), (right - half).max(left));
            sheet.text("word over", x, y, Anchor::Middle, &words);
        }
        for (index, note) in said.iter().enumerate() {
            let y = bottom + 42.0 + index as f64 * 16.0;
            sheet.text("", EDGE, y, Anchor::Start, note);
        }
        sheet.finish()
    }
}

impl Histogram {
    /// The marks inside of the picture in order, in words; those at one value are one.
    fn told(&self) -> Vec<(String, f64)> {
        let mut marks = self.marks.clone();
        marks.retain(|(_, value)| (self.low..=self.high).contains(value));
        marks.sort_by(|a, b| a.1.total_cmp(&b.1));
        let same = marks.chunk_by(|a, b| in_words(a.1) == in_words(b.1));
        let told = same.filter_map(|same| {
            let names: Vec<&str> = same.iter().map(|(name, _)| *name).collect();
            let value = same.first()?.1;
            Some((format!("{} {}", names.join(", "), in_words(value)), value))
        });
        told.collect()
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

    /// The marks, each in the lowest row where its words touch no others.
    fn rows(&self, left: f64, right: f64) -> Vec<((String, f64), usize)> {
        let mut ends: Vec<f64> = Vec::new();
        let mut rows = Vec::new();
        for (words, value) in self.told() {
            let half = words.len() as f64 * CHARACTER / 2.0;
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
            rows.push(((words, value), row));
        }
        rows
    }
}
