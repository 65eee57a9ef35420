//! What a selector means at a moment, in words and in a picture.

use super::days::{Asked, Days};
use super::lint::place_of;
use super::pick::Interval;
use super::timeline::TimeLine;
use super::tree::{Day, Specifier};
use super::{Setting, Window};
use crate::diagnostic::{Outcome, quoted_list};
use crate::drawing::clocks::{Change, clock, clock_changes, iso, length, moment};
use crate::eval::java::date_format::Zone;
use crate::profile::day::{self, WEEKDAYS};
use crate::profile::holidays::{Edition, Place};
use std::collections::{BTreeMap, VecDeque};

/// How many windows are listed from the beginning, and how many at the end.
const HEAD: usize = 16;
const TAIL: usize = 4;

/// How many holidays are named that leave windows out.
const NAMED: usize = 12;

/// How many days the sums of what is left out look at; the first.
const SUMMED: usize = 5_000;

/// The width of the labels on the left.
const LABEL: usize = 10;

/// Explains a selector in lines of at most `width` characters, where words allow: what it says, its span, the windows
/// and periods of `duration` milliseconds that it picks, a time line, and what is worth a note.
///
/// Errors: those of [`super::window`] and of [`Window::intervals`].
pub fn explain(text: &str, setting: &Setting<'_>, duration: i64, width: usize) -> Outcome<String> {
    let window = super::window(text)?;
    let width = width.clamp(40, 400);
    let view = View::of(&window, setting, duration, width - LABEL)?;
    let mut causes = Causes::of(&window, setting)?;
    let changes = clock_changes(view.start, view.end, setting.zone);
    let mut out = Report {
        text: String::new(),
        width,
    };
    out.labelled(
        "selector",
        &window
            .selector
            .source
            .text
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" "),
    );
    out.labelled("reads", &reading(&window, setting));
    let crossed = !changes.is_empty();
    out.labelled(
        "now",
        &format!(
            "{} {}",
            moment(setting.now, setting.zone, false),
            setting.zone.id()
        ),
    );
    out.labelled(
        "span",
        &format!(
            "{} to {}, {}",
            moment(view.start, setting.zone, crossed),
            moment(view.end, setting.zone, crossed),
            length(view.end.saturating_sub(view.start))
        ),
    );
    out.labelled("windows", &view.count());
    for line in view.left_out_by(&mut causes, setting.edition) {
        out.labelled("left out", &line);
    }
    out.labelled("periods", &view.periods_in_words(duration));
    out.line("");
    let instants: Vec<i64> = changes.iter().map(|change| change.at).collect();
    for line in view.line.draw(setting.zone, &instants) {
        out.line(&format!("{:LABEL$}{line}", ""));
    }
    if view.picked + view.left_out > 0 {
        out.line("");
        view.list(&mut causes, setting, duration, crossed, &mut out);
    }
    let mut notes = clock_notes(&changes, &view, setting.zone);
    notes.extend(period_notes(&window, &view, duration));
    notes.extend(window.lints(setting).iter().map(ToString::to_string));
    if let Some(note) = other_edition(&window, setting, &view, duration)? {
        notes.push(note);
    }
    if !notes.is_empty() {
        out.line("");
    }
    for note in notes {
        out.labelled("note", &note);
    }
    Ok(out.text)
}

/// An interval by the clock of a zone.
fn stretch(interval: Interval, zone: &Zone, crossed: bool) -> String {
    let (start, end) = (
        day::wall(interval.start, zone),
        day::wall(interval.end, zone),
    );
    let begins = moment(interval.start, zone, crossed);
    if start.div_euclid(day::DAY) == end.div_euclid(day::DAY)
        && zone.offset_millis(interval.start) == zone.offset_millis(interval.end)
    {
        format!("{begins} to {}", clock(end))
    } else {
        format!("{begins} to {}", moment(interval.end, zone, crossed))
    }
}

/// The lines so far.
struct Report {
    text: String,
    width: usize,
}

impl Report {
    fn line(&mut self, line: &str) {
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    /// A label and words behind it, broken between words.
    fn labelled(&mut self, label: &str, words: &str) {
        let room = self.width - LABEL;
        let mut line = String::new();
        let mut head = label;
        for word in words.split(' ') {
            if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > room {
                self.line(&format!("{head:LABEL$}{line}"));
                head = "";
                line.clear();
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        self.line(&format!("{head:LABEL$}{line}"));
    }
}

/// What a walk over the windows showed.
struct View {
    start: i64,
    end: i64,
    line: TimeLine,
    picked: usize,
    left_out: usize,
    periods: Vec<i64>,
    head: Vec<(Interval, bool)>,
    tail: VecDeque<(Interval, bool)>,
    /// How many windows that are left out begin on each day.
    unwanted: BTreeMap<i64, usize>,
    /// Days that steps of 24 hours jump over, and days they meet twice.
    skipped: Vec<i64>,
    doubled: Vec<i64>,
}

impl View {
    fn of(window: &Window, setting: &Setting<'_>, duration: i64, room: usize) -> Outcome<View> {
        let (start, end) = window.bounds(setting.now);
        let mut view = View {
            start,
            end,
            line: TimeLine::new(start, end, room),
            picked: 0,
            left_out: 0,
            periods: window.periods(setting, duration)?,
            head: Vec::new(),
            tail: VecDeque::new(),
            unwanted: BTreeMap::new(),
            skipped: Vec::new(),
            doubled: Vec::new(),
        };
        let daily = window.every == Some(day::DAY);
        let mut before: Option<i64> = None;
        window.walk(setting, &mut |interval, picked| {
            view.line.mark(interval, picked);
            *(if picked {
                &mut view.picked
            } else {
                &mut view.left_out
            }) += 1;
            if view.head.len() < HEAD + TAIL {
                view.head.push((interval, picked));
            } else {
                view.tail.push_back((interval, picked));
                if view.tail.len() > TAIL {
                    view.tail.pop_front();
                }
            }
            let begins = day::local(interval.start, setting.zone);
            if !picked {
                *view.unwanted.entry(begins).or_default() += 1;
            }
            if let Some(before) = before.filter(|_| daily) {
                match begins - before {
                    0 => view.doubled.push(begins),
                    2 => view.skipped.push(begins - 1),
                    _ => {}
                }
            }
            before = Some(begins);
            Ok(())
        })?;
        Ok(view)
    }

    fn count(&self) -> String {
        let all = self.picked + self.left_out;
        match (self.picked, self.left_out) {
            (0, 0) => "none fits".to_string(),
            (1, 0) => "1".to_string(),
            (_, 0) => format!("{all}"),
            _ => format!("{} of {all}", self.picked),
        }
    }

    /// What leaves windows out: how many, and which holidays.
    fn left_out_by(&self, causes: &mut Causes, edition: Edition) -> Vec<String> {
        let mut sums: Vec<(String, usize, Vec<String>)> = Vec::new();
        for (begins, count) in self.unwanted.iter().take(SUMMED) {
            let (words, name) = causes.of_day(*begins, edition);
            let at = match sums.iter().position(|(known, ..)| known == words) {
                Some(at) => at,
                None => {
                    sums.push((words.to_string(), 0, Vec::new()));
                    sums.len() - 1
                }
            };
            if let Some((_, sum, days)) = sums.get_mut(at) {
                *sum += count;
                days.extend(name.map(|name| format!("{} {name}", iso(*begins))));
            }
        }
        let line = |(words, count, days): (String, usize, Vec<String>)| {
            let mut line = match words.is_empty() {
                true => format!("{count} not included"),
                false => format!("{count} by {words}"),
            };
            if !days.is_empty() {
                let shown = days.len().min(NAMED);
                line += &format!(": {}", days[..shown].join(", "));
            }
            if days.len() > NAMED {
                line += &format!(" and {} more days", days.len() - NAMED);
            }
            line
        };
        sums.into_iter().map(line).collect()
    }

    fn periods_in_words(&self, duration: i64) -> String {
        let each = length(duration);
        match (self.periods.first(), self.periods.last()) {
            (Some(first), Some(last)) if first != last => {
                format!("{} of {each}, {first} to {last}", self.periods.len())
            }
            (Some(only), _) => format!("1 of {each}, {only}"),
            _ => format!("none (of {each})"),
        }
    }

    fn list(
        &self,
        causes: &mut Causes,
        setting: &Setting<'_>,
        duration: i64,
        crossed: bool,
        out: &mut Report,
    ) {
        let mut row = |(interval, picked): &(Interval, bool)| {
            let (mark, what) = if *picked {
                ('#', periods_of(*interval, duration))
            } else {
                let begins = day::local(interval.start, setting.zone);
                let what = match causes.of_day(begins, setting.edition) {
                    ("", _) => "not included".to_string(),
                    (words, Some(name)) => format!("{words} {name}"),
                    (words, None) => words.to_string(),
                };
                ('-', what)
            };
            let times = stretch(*interval, setting.zone, crossed);
            format!("{mark} {times:<40}  {what}")
        };
        let all = self.picked + self.left_out;
        let hidden = all.saturating_sub(self.head.len() + self.tail.len());
        // When everything was kept, everything is shown.
        let shown = if hidden == 0 { self.head.len() } else { HEAD };
        self.head
            .iter()
            .take(shown)
            .for_each(|window| out.line(&row(window)));
        if hidden > 0 {
            out.line(&format!("  … {} more", all - HEAD - self.tail.len()));
        }
        self.tail.iter().for_each(|window| out.line(&row(window)));
    }
}

fn periods_of(interval: Interval, duration: i64) -> String {
    match interval.periods(duration) {
        (first, last) if first > last => "no period".to_string(),
        (first, last) if first == last => format!("1 period, {first}"),
        (first, last) => format!("{} periods, {first} to {last}", last - first + 1),
    }
}

/// The specifiers that exclude, each ready to be asked alone.
struct Causes(Vec<Cause>);

struct Cause {
    words: String,
    days: Asked,
    place: Option<Place>,
}

impl Causes {
    fn of(window: &Window, setting: &Setting<'_>) -> Outcome<Causes> {
        let cause = |specifier: &Specifier| {
            Ok(Cause {
                words: window.selector.text(specifier.span).to_string(),
                days: Days::compile(std::slice::from_ref(specifier))?.at(setting)?,
                place: place_of(specifier, setting),
            })
        };
        let causes: Outcome<Vec<Cause>> = window.selector.exclude.iter().map(cause).collect();
        causes.map(Causes)
    }

    /// Why a window that begins on a day is left out: the words that exclude it, none when it is not included, and
    /// the name of the holiday.
    fn of_day(&mut self, begins: i64, edition: Edition) -> (&str, Option<&'static str>) {
        let mut causes = self.0.iter_mut();
        let cause = causes.find_map(|cause| {
            let holds = cause.days.contains(begins).unwrap_or(false);
            holds.then_some(cause)
        });
        let Some(cause) = cause else {
            return ("", None);
        };
        let year = day::date(begins).0;
        let holidays = cause
            .place
            .and_then(|place| place.holidays(edition, year).ok());
        let name = holidays.and_then(|all| all.into_iter().find(|found| found.day == begins));
        (&cause.words, name.map(|holiday| holiday.name))
    }
}

/// The selector in plain words.
pub(super) fn reading(window: &Window, setting: &Setting<'_>) -> String {
    let selector = &window.selector;
    let span = selector.reach.map(|reach| match reach.to {
        Some(to) => {
            let (older, newer) = if reach.from.millis() >= to.millis() {
                (reach.from, to)
            } else {
                (to, reach.from)
            };
            format!("from {older} ago to {newer} ago")
        }
        None => format!("from {} ago to now", reach.from),
    });
    let mut words = match (selector.width, selector.every, span) {
        (Some(width), Some(every), Some(span)) => {
            format!("windows of {width}, one every {every}, {span}, counted from the older end")
        }
        (Some(width), None, Some(span)) => {
            format!("one window of {width} at the older end of the span {span}")
        }
        (Some(width), _, None) => format!("one window, the last {width}"),
        (None, _, Some(span)) => format!("one window {span}"),
        (None, _, None) => String::new(),
    };
    let many = selector.every.is_some();
    let list = |specifiers: &[Specifier]| {
        let days: Vec<String> = specifiers.iter().map(|s| in_words(s, setting)).collect();
        quoted_list(&days.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let begins = if many {
        "those that begin"
    } else {
        "only if it begins"
    };
    if !selector.include.is_empty() {
        words += &format!("; {begins} on {}", list(&selector.include));
    }
    if !selector.exclude.is_empty() {
        let not = if many {
            "none that begins"
        } else {
            "not if it begins"
        };
        words += &format!("; {not} on {}", list(&selector.exclude));
    }
    words
}

fn in_words(specifier: &Specifier, setting: &Setting<'_>) -> String {
    let name = |n: u8| WEEKDAYS.get(usize::from(n)).copied().unwrap_or("");
    match specifier.day {
        Day::Weekday(n) => format!("a {}", name(n)),
        Day::Weekdays => "a day from Monday to Friday".to_string(),
        Day::Weekend => "a Saturday or Sunday".to_string(),
        Day::ThisDay => {
            let today = day::weekday(day::local(setting.now, setting.zone));
            format!("a {}, as now", name(today))
        }
        Day::Date => {
            let days = Days::compile(std::slice::from_ref(specifier));
            let found = days.ok().and_then(|days| days.dates.first()?.day(setting));
            found.map_or_else(|| "a date".to_string(), iso)
        }
        Day::Holidays => {
            let title = place_of(specifier, setting)
                .map(|here| here.title())
                .unwrap_or_default();
            format!("a holiday of {title}")
        }
    }
}

/// How many changes of clocks are told one by one.
const TOLD: usize = 4;

fn clock_notes(changes: &[Change], view: &View, zone: &Zone) -> Vec<String> {
    let mut notes = Vec::new();
    for change in changes.iter().take(TOLD) {
        let side = if change.by > 0 { "forward" } else { "back" };
        let by = change.by.abs();
        let shift = if change.by > 0 { "earlier" } else { "later" };
        notes.push(format!(
            "^ clocks go {side} by {} on {}; a day is 24 hours here, so what lies before is {} {shift} by the clock",
            length(by),
            moment(change.at, zone, true),
            length(by)
        ));
    }
    if changes.len() > TOLD {
        notes.push(format!(
            "clocks change {} times in this span",
            changes.len()
        ));
    }
    let days = |days: &[i64]| {
        let names = days.iter().take(TOLD).map(|number| {
            let name = WEEKDAYS.get(usize::from(day::weekday(*number))).copied();
            format!("{} {}", name.unwrap_or(""), iso(*number))
        });
        names.collect::<Vec<_>>().join(", ")
    };
    if !view.skipped.is_empty() {
        notes.push(format!("no window begins on {}", days(&view.skipped)));
    }
    if !view.doubled.is_empty() {
        notes.push(format!("two windows begin on {}", days(&view.doubled)));
    }
    notes
}

fn period_notes(window: &Window, view: &View, duration: i64) -> Vec<String> {
    let mut notes = Vec::new();
    if view.start < 0 {
        notes.push("the span begins before 1970, so there is no window".to_string());
        return notes;
    }
    if view.picked == 0 {
        return notes;
    }
    let aligned = view.start % duration.max(1) == 0
        && window
            .every
            .is_none_or(|every| every % duration.max(1) == 0);
    if window.width < duration {
        notes.push(format!(
            "a window of {} is shorter than a period: it picks one only if a period begins in it",
            length(window.width)
        ));
    } else if aligned && window.width % duration.max(1) == 0 {
        notes.push(
            "both ends of a window count: the period that begins where it ends is picked too"
                .to_string(),
        );
    } else if !aligned {
        notes.push(
            "a period counts where it begins: the one that runs when a window begins is left out"
                .to_string(),
        );
    }
    notes
}

/// How many windows and periods the other edition of holidays picks, when they are others.
fn other_edition(
    window: &Window,
    setting: &Setting<'_>,
    view: &View,
    duration: i64,
) -> Outcome<Option<String>> {
    let asks = |days: &Days| !days.places.is_empty() || days.at_home.is_some();
    if !asks(&window.include) && !asks(&window.exclude) {
        return Ok(None);
    }
    let edition = setting.edition.other();
    let other = Setting {
        edition,
        ..*setting
    };
    let mut picked = 0;
    window.walk(&other, &mut |_, yes| {
        picked += usize::from(yes);
        Ok(())
    })?;
    let periods = window.periods(&other, duration)?;
    if picked == view.picked && periods == view.periods {
        return Ok(None);
    }
    let counted = |count: usize, what: &str| match count {
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    };
    Ok(Some(format!(
        "by the {} edition of holidays {} and {} are picked instead",
        other.edition.name(),
        counted(picked, "window"),
        counted(periods.len(), "period"),
    )))
}
