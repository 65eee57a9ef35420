//! Counts over time as bars, those of several kinds on one another.

use super::clocks::{length, moment};
use super::scale::{Scale, in_words};
use super::svg::{CHARACTER, COLOURS, EDGE};
use super::text::{Stand, cut, plain, quiet};
use super::time::ticks;
use super::{Drawing, Place, Room, Sheet, Size};
use crate::diagnostic::{Page, Style};
use crate::eval::java::date_format::Zone;
use unicode_width::UnicodeWidthStr;

/// One kind with its counts, one for each step.
#[derive(Debug, Clone, PartialEq)]
pub struct Kind {
    /// Its name; empty where there is only one.
    pub name: String,
    /// How many there were in each step.
    pub counts: Vec<f64>,
}

/// A picture of counts over time.
#[derive(Debug, Clone)]
pub struct Bars {
    /// What is shown.
    pub title: String,
    /// What is counted: `events`.
    pub unit: String,
    /// The zone whose clocks count.
    pub zone: Zone,
    /// Where each step begins, in milliseconds since 1970, in order.
    pub starts: Vec<i64>,
    /// Where the last one ends.
    pub end: i64,
    /// The kinds, from below.
    pub kinds: Vec<Kind>,
}

/// How many pixels a bar has at least; where there are more steps, neighbours are put together.
const NARROW: f64 = 2.0;
/// Where what is below the head begins: the legend or the bars.
const LEGEND: f64 = 68.0;
/// How many kinds a terminal shows.
const PANELS: usize = 6;
/// The most characters of a name in the legend.
const NAME: usize = 24;

impl Drawing for Bars {
    fn title(&self) -> String {
        self.heading()
    }

    fn svg(&self, size: Size) -> String {
        self.stacked(size)
    }

    /// Kinds above one another, for a terminal tells no colours apart that are worth it.
    fn page(&self, room: Room) -> Page {
        let kinds = self.told(PANELS);
        let usual = match kinds.len() {
            0 | 1 => 10,
            2 | 3 => 5,
            _ => 3,
        };
        let rows = room.down(usual);
        let sums = |kind: &Kind, each: usize| -> Vec<f64> {
            let sum = |counts: &[f64]| counts.iter().sum();
            kind.counts.chunks(each).map(sum).collect()
        };
        let whole = kinds.iter().all(Kind::is_whole);
        let scale_of = |each: usize| {
            let highest = kinds.iter().flat_map(|kind| sums(kind, each));
            let highest = highest.fold(0.0, f64::max);
            Scale::new(0.0, highest, (rows / 3).max(2), whole)
        };
        let stand = Stand::new(room, self.starts.len(), scale_of);
        let Stand {
            frame,
            scale,
            wide,
            each,
        } = &stand;
        let start = self.starts.first().copied().unwrap_or(0);
        let end = self.end.max(start.saturating_add(1));
        let say = |text: &str| plain(text, room.ascii);
        let mut page = Page::new();
        page.heading(say(&self.heading()));
        quiet(&mut page, &self.below(start, end, *each), room);
        for kind in &kinds {
            if !kind.name.is_empty() {
                page.put(Style::Name, cut(&kind.name, room.across() / 2, room.ascii));
                page.put(Style::Quiet, format!("  {}", in_words(total(kind))))
                    .end();
            }
            stand.draw(&mut page, &sums(kind, *each), rows);
        }
        let column = |at: i64| {
            let step = self.starts.partition_point(|start| *start <= at).max(1) - 1;
            let from = self.starts.get(step).copied().unwrap_or(start);
            let to = self.starts.get(step + 1).copied().unwrap_or(end);
            let share = (at as f64 - from as f64) / (to as f64 - from as f64).max(1.0);
            ((step as f64 + share) / *each as f64 * *wide as f64) as usize
        };
        let ticks = ticks(start, end, frame.columns, &self.zone).into_iter();
        let ticks = ticks.map(|tick| (column(tick.at).min(frame.columns - 1), tick.label));
        frame.below(
            &mut page,
            &scale.label(0.0),
            &ticks.collect::<Vec<_>>(),
            &[],
        );
        page
    }
}

impl Kind {
    fn is_whole(&self) -> bool {
        self.counts.iter().all(|count| *count == count.trunc())
    }
}

impl Bars {
    /// The kinds that are told apart, at most so many, the most frequent ones; the others are summed up.
    pub fn told(&self, most: usize) -> Vec<Kind> {
        if self.kinds.len() <= most {
            return self.kinds.clone();
        }
        let mut order: Vec<(usize, f64)> = self.kinds.iter().map(total).enumerate().collect();
        order.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        let (own, rest) = order.split_at(most.max(1) - 1);
        let mut own: Vec<usize> = own.iter().map(|(index, _)| *index).collect();
        own.sort_unstable();
        let mut kinds: Vec<Kind> = own
            .iter()
            .filter_map(|i| self.kinds.get(*i).cloned())
            .collect();
        let mut others = vec![0.0; self.starts.len()];
        for kind in rest.iter().filter_map(|(i, _)| self.kinds.get(*i)) {
            others
                .iter_mut()
                .zip(&kind.counts)
                .for_each(|(sum, count)| *sum += count);
        }
        kinds.push(Kind {
            name: format!("{} others", rest.len()),
            counts: others,
        });
        kinds
    }

    fn stacked(&self, size: Size) -> String {
        let (width, height) = (size.across(), size.down(240));
        let kinds = self.told(COLOURS);
        // The width of the labels is not known yet, and hardly matters here.
        let bars = ((width - 80.0) / NARROW) as usize;
        let each = self.starts.len().div_ceil(bars.max(1)).max(1);
        let stacks = self.stacks(&kinds, each);
        let highest = stacks.iter().map(|stack| stack.sum).fold(0.0, f64::max);
        let whole = stacks.iter().all(|stack| stack.sum == stack.sum.trunc());
        let scale = Scale::new(0.0, highest, (height as usize / 45).max(2), whole);
        let widest = scale
            .ticks
            .iter()
            .map(|tick| scale.label(*tick).len())
            .max();
        let left = (widest.unwrap_or(1) as f64 * CHARACTER + 22.0).round();
        let right = width - EDGE;
        let legend = legend(&kinds, right - left);
        let top = LEGEND + legend.len() as f64 * 20.0;
        let bottom = top + height;
        let start = self.starts.first().copied().unwrap_or(0);
        let end = self.end.max(start.saturating_add(1));
        let (title, below) = (self.heading(), self.below(start, end, each));
        let mut sheet = Sheet::new(
            size.theme,
            width,
            bottom + 36.0,
            &title,
            &self.description(&kinds, &below),
        );
        sheet.heading(&title, &below);
        for (row, entries) in legend.iter().enumerate() {
            let mut x = left;
            for (name, class, room) in entries {
                let y = LEGEND + 6.0 + row as f64 * 18.0;
                let sign = Place {
                    x,
                    y: y - 9.0,
                    width: 10.0,
                    height: 10.0,
                };
                sheet.rect(class, sign, 2.0, "");
                sheet.text_within(
                    "word",
                    x + 15.0,
                    y,
                    name,
                    NAME as f64 * CHARACTER,
                    CHARACTER,
                );
                x += room;
            }
        }
        let x = |at: i64| {
            let (start, end) = (start as f64, end as f64);
            left + ((at as f64 - start) / (end - start)).clamp(0.0, 1.0) * (right - left)
        };
        let down = |value: f64| bottom - scale.place(value) * height;
        sheet.grid(&scale, left, right, down);
        let room = ((right - left) / CHARACTER) as usize;
        let ticks = ticks(start, end, room, &self.zone);
        sheet.time_axis(&ticks, |tick| x(tick.at), left, &[(top, height)], bottom);
        for stack in &stacks {
            let (from, to) = (x(stack.start), x(stack.end));
            let gap = if to - from >= 5.0 { 1.0 } else { 0.0 };
            let mut below = 0.0;
            for (index, count) in stack
                .counts
                .iter()
                .enumerate()
                .filter(|(_, count)| **count > 0.0)
            {
                let (low, high) = (down(below), down(below + count));
                below += count;
                let name = kinds.get(index).map_or("", |kind| kind.name.as_str());
                let colon = if name.is_empty() { "" } else { ": " };
                let title = format!(
                    "{}{}{name}{colon}{}",
                    moment(stack.start, &self.zone, false),
                    if name.is_empty() { ": " } else { " · " },
                    in_words(*count)
                );
                let place = Place {
                    x: from,
                    y: high,
                    width: (to - from - gap).max(0.8),
                    height: (low - high).max(0.6),
                };
                sheet.rect(self.class(&kinds, index), place, 0.0, &title);
            }
        }
        sheet.path("axis", &format!("M{left} {bottom:.1}H{right}"), "");
        sheet.finish()
    }

    /// The colour of a kind; what is summed up has the last one.
    fn class(&self, kinds: &[Kind], index: usize) -> &'static str {
        let summed = self.kinds.len() > kinds.len() && index + 1 == kinds.len();
        colour(if summed { COLOURS - 1 } else { index })
    }

    /// The steps, so many put together.
    fn stacks(&self, kinds: &[Kind], each: usize) -> Vec<Stack> {
        let mut stacks = Vec::new();
        for first in (0..self.starts.len()).step_by(each) {
            let behind = (first + each).min(self.starts.len());
            let of = |kind: &Kind| kind.counts.get(first..behind).unwrap_or(&[]).iter().sum();
            let counts: Vec<f64> = kinds.iter().map(of).collect();
            stacks.push(Stack {
                start: self.starts.get(first).copied().unwrap_or(0),
                end: self.starts.get(behind).copied().unwrap_or(self.end),
                sum: counts.iter().sum(),
                counts,
            });
        }
        stacks
    }

    fn heading(&self) -> String {
        // The first step may be a shorter one.
        let step = match self.starts.as_slice() {
            [.., one, last] => last.saturating_sub(*one),
            [only] => self.end.saturating_sub(*only),
            [] => 0,
        };
        format!(
            "{} · steps of {} · {}",
            self.title,
            length(step),
            self.zone.id()
        )
    }

    fn below(&self, start: i64, end: i64, each: usize) -> String {
        let sum: f64 = self.kinds.iter().map(total).sum();
        let mut below = format!(
            "{} to {} · {} {}",
            moment(start, &self.zone, false),
            moment(end, &self.zone, false),
            in_words(sum),
            self.unit
        );
        if each > 1 {
            below += &format!(" · each bar is {each} steps");
        }
        below
    }

    fn description(&self, kinds: &[Kind], below: &str) -> String {
        let named = kinds.iter().filter(|kind| !kind.name.is_empty());
        let sums: Vec<String> = named
            .map(|kind| format!("{}: {}", kind.name, in_words(total(kind))))
            .collect();
        match sums.is_empty() {
            true => format!("{below}."),
            false => format!("{below}. {}.", sums.join("; ")),
        }
    }
}

/// What stands at one place.
struct Stack {
    start: i64,
    end: i64,
    counts: Vec<f64>,
    sum: f64,
}

fn total(kind: &Kind) -> f64 {
    kind.counts.iter().sum()
}

/// The class of a colour.
fn colour(index: usize) -> &'static str {
    const CLASSES: [&str; COLOURS] = ["c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7"];
    CLASSES.get(index).copied().unwrap_or("c7")
}

/// The names with their colours and the room that each takes, in rows that fit.
fn legend(kinds: &[Kind], room: f64) -> Vec<Vec<(String, &'static str, f64)>> {
    let mut rows: Vec<Vec<(String, &'static str, f64)>> = Vec::new();
    let mut taken = 0.0;
    let named = kinds
        .iter()
        .enumerate()
        .filter(|(_, kind)| !kind.name.is_empty());
    for (index, kind) in named {
        let wide = kind.name.width().min(NAME) as f64 * CHARACTER + 34.0;
        if rows.is_empty() || taken + wide > room {
            rows.push(Vec::new());
            taken = 0.0;
        }
        taken += wide;
        if let Some(row) = rows.last_mut() {
            row.push((kind.name.clone(), colour(index), wide));
        }
    }
    rows
}
