//! What each of several parts takes of a whole.

use super::svg::{CHARACTER, EDGE, LETTER};
use super::text::plain;
use super::{Anchor, Drawing, Place, Room, Sheet, Size};
use crate::diagnostic::{Page, Style};
use unicode_width::UnicodeWidthStr;

/// A part.
#[derive(Debug, Clone)]
pub struct Share {
    /// Its source.
    pub code: String,
    /// What it takes, from 0 to 1.
    pub share: f64,
    /// How long it takes, in words.
    pub time: String,
    /// How often it does.
    pub count: u64,
}

/// A picture of what parts take of a whole.
#[derive(Debug, Clone)]
pub struct Shares {
    /// What is shown.
    pub title: String,
    /// How long the whole takes, in words.
    pub time: String,
    /// What else is to be said of it.
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
/// The room for the percentages behind the bars.
const PERCENT: f64 = 50.0;
/// How many characters of a part a terminal shows.
const SHORT: usize = 40;

impl Share {
    /// How long, and how often.
    fn words(&self) -> String {
        match self.count {
            0 | 1 => self.time.clone(),
            count => format!("{} in {count} times", self.time),
        }
    }
}

impl Drawing for Shares {
    fn title(&self) -> String {
        self.title.clone()
    }

    fn page(&self, room: Room) -> Page {
        let say = |text: &str| plain(text, room.ascii);
        let mut page = Page::new();
        page.put(Style::Heading, format!("evaluated in {}", say(&self.time)));
        page.line(format!(", {}", self.below));
        let head = format!("  {:>6}  {:>9}  {:>9}  part", "share", "time", "times");
        page.put(Style::Quiet, head).end();
        for share in &self.shares {
            let percent = 100.0 * share.share;
            page.text(format!(
                "  {percent:>5.1}%  {:>9}  {:>9}  ",
                say(&share.time),
                share.count
            ));
            let mut code: String = share.code.chars().take(SHORT).collect();
            if code.len() < share.code.len() {
                code.push('…');
            }
            page.put(Style::Code, say(&code)).end();
        }
        if self.more > 0 {
            page.put(Style::Quiet, format!("  and {} more parts", self.more))
                .end();
        }
        page
    }

    fn svg(&self, size: Size) -> String {
        let width = size.across();
        // Where there is little room, how often is said by those who are asked only.
        let small = width < 420.0;
        let said = |share: &Share| match small {
            true => share.time.clone(),
            false => share.words(),
        };
        let names = self
            .shares
            .iter()
            .map(|share| share.code.width() as f64 * LETTER);
        let names = names.fold(60.0, f64::max).min(width * 0.4);
        let words = self
            .shares
            .iter()
            .map(|share| said(share).width() as f64 * CHARACTER);
        let words = words.fold(0.0, f64::max) + PERCENT;
        let left = EDGE + names + 12.0;
        let right = (width - EDGE - words).max(left + 40.0);
        let top = 68.0;
        let bottom = top + self.shares.len() as f64 * ROW;
        let whole = bottom + if self.more > 0 { 52.0 } else { 32.0 };
        let told = self.shares.iter().map(|share| {
            format!(
                "{}: {:.1} %, {}",
                share.code,
                100.0 * share.share,
                share.words()
            )
        });
        let description = told.collect::<Vec<_>>().join("; ");
        let mut sheet = Sheet::new(size.theme, width, whole, &self.title, &description);
        let below = format!(
            "evaluated in {}, {}; the time of each part without the parts inside",
            self.time, self.below
        );
        sheet.heading(&self.title, &below);
        let across = |share: f64| left + share.clamp(0.0, 1.0) * (right - left);
        // Where there is little room, only the ends are named.
        let parts = if right - left < 220.0 { 1 } else { 4 };
        for part in 0..=parts {
            let x = across(f64::from(part) / f64::from(parts));
            sheet.path("grid", &format!("M{x:.1} {:.1}V{bottom:.1}", top - 6.0), "");
            let label = format!("{} %", part * 100 / parts);
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
            sheet.text("", width - EDGE, y + 12.0, Anchor::End, &said(share));
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
