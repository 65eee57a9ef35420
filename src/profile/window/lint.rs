//! What is legal in a selector and hardly meant.

use super::days::{Date, WEEK, home, place};
use super::tree::{Day, Specifier};
use super::{Setting, Window};
use crate::diagnostic::{Code, Span, quoted_list};
use crate::drawing::clocks::iso;
use crate::profile::day;
use crate::profile::holidays::{Edition, Holiday, Place};

/// A warning about a place in a selector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lint {
    /// Which lint it is.
    pub code: Code,
    /// Where it stands.
    pub span: Span,
    /// A plain sentence without a full stop.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl Lint {
    fn new(span: Span, message: String) -> Lint {
        Lint {
            code: Code::WindowSelector,
            span,
            message,
            help: None,
        }
    }

    fn help(self, text: impl Into<String>) -> Lint {
        Lint {
            help: Some(text.into()),
            ..self
        }
    }
}

impl std::fmt::Display for Lint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)?;
        match &self.help {
            Some(help) => write!(f, "; {help}"),
            None => Ok(()),
        }
    }
}

impl Window {
    /// All warnings at a moment, in the order of the text.
    pub fn lints(&self, setting: &Setting<'_>) -> Vec<Lint> {
        let mut lints = Vec::new();
        let mut compared = Vec::new();
        let selector = &self.selector;
        self.never_fits(&mut lints);
        let lists = [
            (&selector.include, &self.include),
            (&selector.exclude, &self.exclude),
        ];
        for (specifiers, days) in lists {
            let mut dates = days.dates.iter();
            for specifier in specifiers {
                let date = match specifier.day {
                    Day::Date => dates.next(),
                    _ => None,
                };
                self.arguments(specifier, date, setting, &mut lints);
                if let Some(place) = place_of(specifier, setting)
                    && !compared.contains(&place)
                {
                    compared.push(place);
                    self.editions(specifier, place, setting, &mut lints);
                }
            }
        }
        self.nothing_left(&mut lints);
        lints.sort_by_key(|lint| lint.span.start);
        lints
    }

    /// A window wider than where it may lie.
    fn never_fits(&self, lints: &mut Vec<Lint>) {
        let (Some(width), Some(reach)) = (self.selector.width, self.selector.reach) else {
            return;
        };
        if self.width > self.older - self.newer {
            let between = match reach.to {
                Some(to) => format!("between {} and {to} ago", reach.from),
                None => format!("in the last {}", reach.from),
            };
            let message = format!("a window of {width} does not fit {between}: there is none");
            lints.push(Lint::new(width.span, message));
        }
    }

    /// Days of the week that are included and all excluded again.
    fn nothing_left(&self, lints: &mut Vec<Lint>) {
        let (include, exclude) = (&self.include, &self.exclude);
        let only_weekdays = include.any
            && !include.this_day
            && include.dates.is_empty()
            && include.places.is_empty()
            && include.at_home.is_none();
        let wanted = if only_weekdays {
            include.weekdays
        } else {
            WEEK
        };
        if wanted & !exclude.weekdays == 0
            && let Some(first) = self.selector.exclude.first()
        {
            let message = "every day that is included is excluded too: no window is ever picked";
            lints.push(Lint::new(first.span, message.to_string()));
        }
    }

    fn arguments(
        &self,
        specifier: &Specifier,
        date: Option<&Date>,
        setting: &Setting<'_>,
        lints: &mut Vec<Lint>,
    ) {
        let takes = match specifier.day {
            Day::Holidays => usize::MAX,
            Day::Date => 2,
            _ => 0,
        };
        if let Some(extra) = specifier.arguments.get(takes) {
            let message = format!("{} has no meaning here", self.selector.text(extra.span));
            lints.push(Lint::new(extra.span, message));
        }
        for argument in specifier.arguments.iter().take(takes) {
            if argument.bare {
                let written = self.selector.text(argument.span);
                let message = format!(
                    "{written} without a colon loses its first digit and counts as '{}'",
                    argument.text
                );
                lints.push(
                    Lint::new(argument.span, message)
                        .help(format!("write :{written}, or a comma before a new day")),
                );
            }
        }
        if let (Some(date), Some(argument)) = (date, specifier.arguments.first())
            && let Some((written, found)) = date.written(setting)
            && written != argument.text
        {
            let message = format!("{} is read as {}", argument.text, iso(found));
            lints.push(
                Lint::new(argument.span, message)
                    .help("days and months roll over, and what follows the form is ignored"),
            );
        }
        if specifier.day == Day::Holidays
            && let Ok(Some(found)) = place(specifier)
            && let Some(unknown) = specifier.arguments.get(found.used)
        {
            lints.push(self.unknown_part(found.place, specifier, unknown.span, &unknown.text));
        }
    }

    fn unknown_part(&self, place: Place, specifier: &Specifier, span: Span, part: &str) -> Lint {
        let message = format!(
            "{} knows no {part}: {} means the holidays of {}",
            place.path(),
            self.selector.text(specifier.span),
            place.title()
        );
        let lint = Lint::new(span, message);
        let parts = place.parts();
        match place.suggest(part) {
            Some(path) => lint.help(format!("did you mean holidays:{path}?")),
            None if parts.is_empty() => lint.help("it has no parts"),
            None => {
                let shown = &parts[..parts.len().min(12)];
                let more = if shown.len() < parts.len() {
                    ", …"
                } else {
                    ""
                };
                lint.help(format!("its parts are {}{more}", shown.join(", ")))
            }
        }
    }

    /// Says when the editions differ within the span.
    fn editions(
        &self,
        specifier: &Specifier,
        place: Place,
        setting: &Setting<'_>,
        lints: &mut Vec<Lint>,
    ) {
        let (start, end) = self.bounds(setting.now);
        let days = (
            day::local(start.max(0), setting.zone),
            day::local(end, setting.zone),
        );
        let recorded = between(place, Edition::Recorded, days);
        let current = between(place, Edition::Current, days);
        let only = |these: &[Holiday], those: &[Holiday]| -> Vec<String> {
            these
                .iter()
                .filter(|holiday| those.iter().all(|other| other.day != holiday.day))
                .map(|holiday| {
                    format!("{} {}", iso(holiday.day), holiday.name)
                        .trim()
                        .to_string()
                })
                .collect()
        };
        let say = |only: Vec<String>, edition: Edition| {
            let shown: Vec<&str> = only.iter().take(4).map(String::as_str).collect();
            let more = match only.len().saturating_sub(shown.len()) {
                0 => String::new(),
                n => format!(" and {n} more days"),
            };
            let words = match more.is_empty() {
                true => quoted_list(&shown).replace(" or ", " and "),
                false => shown.join(", "),
            };
            (!only.is_empty())
                .then(|| format!("{words}{more} only in the {} edition", edition.name()))
        };
        let differences: Vec<String> = [
            say(only(&current, &recorded), Edition::Current),
            say(only(&recorded, &current), Edition::Recorded),
        ]
        .into_iter()
        .flatten()
        .collect();
        if differences.is_empty() {
            return;
        }
        let message = format!(
            "the editions of holidays differ for {} in this span: {}",
            self.selector.text(specifier.span),
            differences.join("; ")
        );
        let used = setting.edition;
        let lint = Lint::new(specifier.span, message).help(format!(
            "the {} edition is used; {} = \"{}\" chooses the other",
            used.name(),
            Edition::KEY,
            used.other().name()
        ));
        lints.push(Lint {
            code: Code::HolidayEditions,
            ..lint
        });
    }
}

/// Whose holidays a specifier means.
pub(super) fn place_of(specifier: &Specifier, setting: &Setting<'_>) -> Option<Place> {
    match place(specifier).ok()? {
        Some(found) if specifier.day == Day::Holidays => Some(found.place),
        None if specifier.day == Day::Holidays => home(setting.locale, specifier.span).ok(),
        _ => None,
    }
}

/// The most years of a span that are compared; the latest.
const COMPARED: i64 = 50;

/// The holidays from one day to another.
fn between(place: Place, edition: Edition, (first, last): (i64, i64)) -> Vec<Holiday> {
    let end = day::date(last).0;
    let begin = day::date(first).0.max(end.saturating_sub(COMPARED));
    (begin..=end)
        .filter_map(|year| {
            place
                .holidays(edition, year)
                .ok()
                .map(|found| (year, found))
        })
        .flat_map(|(year, found)| {
            found
                .into_iter()
                .filter(move |h| day::date(h.day).0 == year)
        })
        .filter(|holiday| (first..=last).contains(&holiday.day))
        .collect()
}
