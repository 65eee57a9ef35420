//! What each of several parts takes of a whole.

use super::svg::{EDGE, LETTER};
use super::{Anchor, Place, Sheet, Size};
use unicode_width::UnicodeWidthStr;

/// A part.
#[derive(Debug, Clone)]
pub struct Share {
    /// Its source.
    pub code: String,
    /// What it takes, from 0 to 1.
    pub share: f64,
    /// What else is to be said: how long, how often.
    pub words: String,
}

/// A picture of what parts take of a whole.
#[derive(Debug, Clone)]
pub struct Shares {
    /// What is shown.
    pub title: String,
    /// What is to be said below the title.
    pub below: String,
    /// The parts, the largest one first.
    pub shares: Vec<Share>,
    /// How many more there are.
    pub more: usize,
}

/// From one row to the next.
const ROW: f64 = 26.0;
/// The height of a bar.
const BAR: f64 = 16.0;
/// The room for the words behind the bars.
const WORDS: f64 = 130.0;

impl Shares {
    /// The picture.
    pub fn svg(&self, size: Size) -> String {
        let width = size.across();
        let names = self
            .shares
            .iter()
            .map(|share| share.code.width() as f64 * LETTER);
        let names = names.fold(60.0, f64::max).min(width * 0.4);
        let (left, right) = (EDGE + names + 12.0, width - EDGE - WORDS);
        let top = 68.0;
        let bottom = top + self.shares.len() as f64 * ROW;
        let whole = bottom + if self.more > 0 { 52.0 } else { 32.0 };
        let told = self.shares.iter().map(|share| {
            format!(
                "{}: {:.1} %, {}",
                share.code,
                100.0 * share.share,
                share.words
            )
        });
        let description = told.collect::<Vec<_>>().join("; ");
        let mut sheet = Sheet::new(width, whole, &self.title, &description);
        sheet.heading(&self.title, &self.below);
        let across = |share: f64| left + share.clamp(0.0, 1.0) * (right - left);
        for quarter in 0..=4 {
            let x = across(f64::from(quarter) / 4.0);
            sheet.path("grid", &format!("M{x:.1} {:.1}V{bottom:.1}", top - 6.0), "");
            let label = format!("{} %", quarter * 25);
            sheet.text("", x, bottom + 16.0, Anchor::Middle, &label);
        }
        for (index, share) in self.shares.iter().enumerate() {
            let y = top + index as f64 * ROW;
            let room = names + 2.0;
            sheet.text_within("code", EDGE, y + 12.0, &share.code, room, LETTER);
            let percent = format!("{:.1} %", 100.0 * share.share);
            let end = across(share.share);
            let place = Place {
                x: left,
                y,
                width: (end - left).max(1.0),
                height: BAR,
            };
            sheet.rect("c0", place, 2.0, &percent);
            sheet.text(
                "word",
                end.max(left + 1.0) + 7.0,
                y + 12.0,
                Anchor::Start,
                &percent,
            );
            sheet.text("", width - EDGE, y + 12.0, Anchor::End, &share.words);
        }
        sheet.path(
            "axis",
            &format!("M{left:.1} {:.1}V{bottom:.1}", top - 6.0),
            "",
        );
        if self.more > 0 {
            let words = format!("and {} more parts", self.more);
            sheet.text("", EDGE, bottom + 36.0, Anchor::Start, &words);
        }
        sheet.finish()
    }
}
