//! Stretches of time on lines of their own, above one axis of time.

use super::clocks::{Change, clock_changes, length, moment};
use super::svg::{CHARACTER, EDGE};
use super::text::{Frame, cut, filled, plain, quiet, wrapped};
use super::time::ticks;
use super::{Anchor, Drawing, Place, Room, Sheet, Size};
use crate::diagnostic::{Page, Style};
use crate::eval::java::date_format::Zone;
use unicode_width::UnicodeWidthStr;

/// Stretches of time in order, as many as can be told apart.
#[derive(Debug, Clone, Default)]
pub struct Stretches {
    found: Vec<(i64, i64)>,
    /// What is shorter than this cannot be told from what lies beside it.
    finest: i64,
}

/// Into how many pieces that can be told apart a time line is cut.
const PIECES: i64 = 1_600;

/// Stretches shorter than so many pieces that touch one another are drawn as one.
const TOUCHING: i64 = 8;

impl Stretches {
    /// Stretches on a line of this length.
    pub fn on(start: i64, end: i64) -> Stretches {
        Stretches {
            found: Vec::new(),
            finest: end.saturating_sub(start).max(0) / PIECES,
        }
    }

    /// Adds one that begins no earlier than those before.
    pub fn push(&mut self, start: i64, end: i64) {
        let end = end.max(start);
        if let Some((from, to)) = self.found.last_mut() {
            let gap = start.saturating_sub(*to);
            let short = end.saturating_sub(start) < self.finest.saturating_mul(TOUCHING);
            let tiny = end.saturating_sub(*from) <= self.finest.saturating_mul(2);
            if tiny || gap <= self.finest && short {
                *to = end.max(*to);
                return;
            }
        }
        self.found.push((start, end));
    }

    /// The stretches in so many characters: whole ones, halves, and those of which less or more is covered. `place` says
    /// at which column a moment lies.
    fn line(&self, columns: usize, place: impl Fn(i64) -> f64, ascii: bool) -> String {
        // How much of the left and of the right half of a character is covered.
        let mut halves = vec![0.0f64; columns * 2];
        for (start, end) in &self.found {
            let last = (columns * 2) as f64;
            let (from, to) = (place(*start) * 2.0, place(*end) * 2.0);
            let (from, to) = (from.clamp(0.0, last - 0.01), to.clamp(0.0, last));
            let first = from as usize;
            for (index, half) in halves.iter_mut().enumerate().skip(first) {
                let (begin, behind) = (index as f64, index as f64 + 1.0);
                if begin >= to && index > first {
                    break;
                }
                // What is there is seen, however short it is.
                *half += (to.min(behind) - from.max(begin)).max(0.02);
            }
        }
        let signs = halves.chunks(2).map(|pair| {
            let [left, right] = pair else { return ' ' };
            let (full, there) = (|half: f64| half > 0.97, |half: f64| half > 0.0);
            match (ascii, there(*left), there(*right)) {
                (_, false, false) => ' ',
                (true, ..) if left + right > 1.0 => '#',
                (true, ..) => '=',
                (false, true, false) => '▌',
                (false, false, true) => '▐',
                (false, ..) if full(*left) && full(*right) => '█',
                (false, ..) => '▓',
            }
        });
        signs.collect::<String>().trim_end().to_string()
    }
}

/// A line of stretches.
#[derive(Debug, Clone)]
pub struct Lane {
    /// What they are.
    pub name: String,
    /// The class of what is drawn.
    pub class: &'static str,
    /// Where they lie.
    pub stretches: Stretches,
}

/// A picture of stretches of time.
#[derive(Debug, Clone)]
pub struct Spans {
    /// What is shown.
    pub title: String,
    /// What is to be said below the title.
    pub words: Vec<String>,
    /// Where the time line begins.
    pub start: i64,
    /// Where it ends.
    pub end: i64,
    /// The zone whose clocks count.
    pub zone: Zone,
    /// The present, where it matters.
    pub now: Option<i64>,
    /// The lines from above.
    pub lanes: Vec<Lane>,
    /// What is worth a note below.
    pub notes: Vec<String>,
}

/// From one line to the next.
const LANE: f64 = 30.0;
/// The height of a stretch.
const HIGH: f64 = 18.0;
/// How many lines are drawn.
const LANES: usize = 60;
/// How many changes of clocks are drawn.
const CHANGES: usize = 20;
/// How many of them are told below.
const TOLD: usize = 2;

impl Drawing for Spans {
    fn title(&self) -> String {
        self.title.clone()
    }

    fn page(&self, room: Room) -> Page {
        let width = room.across();
        let say = |text: &str| plain(text, room.ascii);
        let mut page = Page::new();
        for line in wrapped(&say(&self.title), width) {
            page.heading(line);
        }
        let mut words = vec![self.reach()];
        words.extend(self.words.iter().cloned());
        words.iter().for_each(|line| quiet(&mut page, line, room));
        let lanes = self.lanes.get(..LANES).unwrap_or(&self.lanes);
        let names = lanes
            .iter()
            .map(|lane| cut(&lane.name, width / 3, room.ascii));
        let names: Vec<String> = names.collect();
        let frame = Frame::new(width, names.iter().map(String::as_str), room.ascii);
        let span = (self.end as f64 - self.start as f64).max(1.0);
        let columns = frame.columns as f64;
        let place = |at: i64| (at as f64 - self.start as f64) / span * columns;
        for (name, lane) in names.iter().zip(lanes) {
            page.put(
                Style::Quiet,
                filled(name, frame.labels) + if room.ascii { " |" } else { " │" },
            );
            let style = if lane.class == "out" {
                Style::Quiet
            } else {
                Style::Code
            };
            page.put(style, lane.stretches.line(frame.columns, place, room.ascii))
                .end();
        }
        let column = |at: i64| (place(at).max(0.0) as usize).min(frame.columns - 1);
        let ticks = ticks(self.start, self.end, frame.columns, &self.zone).into_iter();
        let ticks: Vec<_> = ticks.map(|tick| (column(tick.at), tick.label)).collect();
        let now = self.now.filter(|now| (self.start..=self.end).contains(now));
        let marks: Vec<usize> = now.map(column).into_iter().collect();
        frame.below(&mut page, "", &ticks, &marks);
        if now.is_some() {
            page.put(Style::Warning, say("▲ "));
            page.line("now");
        }
        let hidden = self.lanes.len() - lanes.len();
        if hidden > 0 {
            page.put(Style::Quiet, format!("and {hidden} more lines"))
                .end();
        }
        let changes = clock_changes(self.start, self.end, &self.zone);
        let changes = changes
            .iter()
            .take(TOLD)
            .map(|change| told(change, &self.zone));
        for note in changes.chain(self.notes.iter().cloned()) {
            quiet(&mut page, &note, room);
        }
        page
    }

    fn svg(&self, size: Size) -> String {
        let width = size.across();
        let letters = ((width - 2.0 * EDGE) / CHARACTER) as usize;
        let mut words: Vec<String> = wrapped(&self.reach(), letters);
        words.extend(self.words.iter().flat_map(|line| wrapped(line, letters)));
        let changes = clock_changes(self.start, self.end, &self.zone);
        let changes: Vec<(i64, String)> = changes
            .iter()
            .take(CHANGES)
            .map(|change| (change.at, told(change, &self.zone)))
            .collect();
        let of_clocks = changes.iter().take(TOLD).map(|(_, words)| words);
        let mut notes: Vec<String> = of_clocks
            .chain(&self.notes)
            .flat_map(|line| wrapped(line, letters))
            .collect();
        let lanes = self.lanes.get(..LANES).unwrap_or(&self.lanes);
        let hidden = self.lanes.len() - lanes.len();
        let names = lanes
            .iter()
            .map(|lane| lane.name.width() as f64 * CHARACTER);
        let gutter = names.fold(0.0, f64::max).min(width * 0.3);
        let (left, right) = (EDGE + gutter + 14.0, width - EDGE);
        if hidden > 0 {
            notes.insert(0, format!("and {hidden} more lines"));
        }
        let top = 49.0 + words.len() as f64 * 16.0 + 18.0;
        let bottom = top + lanes.len() as f64 * LANE;
        let below = notes.len() as f64 * 16.0;
        let whole = bottom + 34.0 + below + if below > 0.0 { 8.0 } else { 0.0 };
        let mut sheet = Sheet::new(
            size.theme,
            width,
            whole,
            &self.title,
            &self.description(&words),
        );
        sheet.heading(&self.title, "");
        for (index, line) in words.iter().enumerate() {
            let y = 49.0 + index as f64 * 16.0;
            sheet.text("", EDGE, y, Anchor::Start, line);
        }
        let (start, end) = (
            self.start as f64,
            (self.end as f64).max(self.start as f64 + 1.0),
        );
        let x =
            |at: i64| left + ((at as f64 - start) / (end - start)).clamp(0.0, 1.0) * (right - left);
        let stretches = [(top - 6.0, bottom - top + 6.0)];
        let room = ((right - left) / CHARACTER) as usize;
        let ticks = ticks(self.start, self.end, room, &self.zone);
        sheet.time_axis(&ticks, |tick| x(tick.at), left, &stretches, bottom);
        sheet.clock_changes(&changes, x, &stretches);
        for (index, lane) in lanes.iter().enumerate() {
            let y = top + index as f64 * LANE;
            let middle = y + HIGH / 2.0 + 4.0;
            sheet.text_before("word", left - 14.0, middle, &lane.name, gutter, CHARACTER);
            for (from, to) in &lane.stretches.found {
                let (from_x, to_x) = (x(*from), x(*to));
                // What touches the next one is told from it by a gap.
                let width = (to_x - from_x - 0.8).max(2.2);
                let place = Place {
                    x: from_x.min(right - width),
                    y,
                    width,
                    height: HIGH,
                };
                let title = format!(
                    "{} to {}",
                    moment(*from, &self.zone, false),
                    moment(*to, &self.zone, false)
                );
                sheet.rect(
                    lane.class,
                    place,
                    if width > 6.0 { 2.0 } else { 0.0 },
                    &title,
                );
            }
        }
        sheet.path("axis", &format!("M{left:.1} {bottom:.1}H{right:.1}"), "");
        if let Some(now) = self.now.filter(|now| (self.start..=self.end).contains(now)) {
            let at = x(now);
            sheet.path(
                "rule",
                &format!("M{at:.1} {:.1}V{bottom:.1}", top - 8.0),
                "now",
            );
            sheet.text("bad", at, top - 12.0, Anchor::End, "now");
        }
        for (index, line) in notes.iter().enumerate() {
            let y = bottom + 44.0 + index as f64 * 16.0;
            sheet.text("", EDGE, y, Anchor::Start, line);
        }
        sheet.finish()
    }
}

impl Spans {
    fn reach(&self) -> String {
        format!(
            "{} to {}, {} · {}",
            moment(self.start, &self.zone, false),
            moment(self.end, &self.zone, false),
            length(self.end.saturating_sub(self.start)),
            self.zone.id()
        )
    }

    fn description(&self, words: &[String]) -> String {
        let lanes: Vec<&str> = self.lanes.iter().map(|lane| lane.name.as_str()).collect();
        format!("{}. {}.", words.join(". "), lanes.join(", "))
    }
}

fn told(change: &Change, zone: &Zone) -> String {
    let way = if change.by > 0 { "forward" } else { "back" };
    let by = length(change.by.abs());
    format!("clocks go {way} by {by}: {}", moment(change.at, zone, true))
}
