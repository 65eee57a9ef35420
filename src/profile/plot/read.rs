//! Figures of what is stored.

use super::band::{History, WEEKS};
use super::values::{Numbers, Wanted, drawn};
use super::{Axis, Figure, Panel, Point};
use crate::diagnostic::Outcome;
use crate::eval::text::to_text;
use crate::eval::{Context, Value};
use crate::profile::client;
use crate::profile::day::DAY;
use crate::profile::period::Period;
use crate::profile::store::{Filter, Profiles, Query, Reason, Series, Within, span};
use crate::profile::window::{self, Setting};
use smol_str::SmolStr;

/// Of when.
#[derive(Debug, Clone, Default)]
pub struct When {
    /// A selector of PROFILE_WINDOW; without one all there is.
    pub window: Option<String>,
    /// The first moment, in milliseconds since 1970.
    pub begin: Option<i64>,
    /// The moment at which it ends.
    pub end: Option<i64>,
}

/// What is wanted of the store.
#[derive(Debug, Clone)]
pub struct Request {
    /// The name of the profile.
    pub profile: SmolStr,
    /// The entities, each above the next.
    pub entities: Vec<SmolStr>,
    /// The groups of all of them.
    pub groups: Vec<Value>,
    /// Of when.
    pub when: When,
    /// What makes numbers of the values.
    pub expression: Option<String>,
    /// What else.
    pub wanted: Wanted,
}

/// How many lengths of periods of one entity are told apart.
const LENGTHS: usize = 100;

/// The picture, if anything was measured, and what is to be said beside it. Errors: those of the store, of the selector
/// and of the expression; E0203 for values that are no numbers.
pub fn figure(
    request: &Request,
    profiles: &Profiles,
    context: &Context,
) -> Outcome<(Option<Figure>, Vec<String>)> {
    let within = Within::context(context);
    let numbers = Numbers::new(request.expression.as_deref(), context)?;
    let place = client::place(context, None)?;
    let mut notes = Vec::new();
    let mut there: Vec<Series> = Vec::new();
    for entity in &request.entities {
        let filter = Filter {
            place: Some(place.clone()),
            profile: Some(request.profile.clone()),
            entity: Some(entity.clone()),
            groups: Some(request.groups.clone()),
        };
        there.extend(profiles.list(&filter, LENGTHS, within)?);
    }
    // Periods of another length are shown where there are no others: the picture says how long they are.
    let wanted = client::period_duration(context, None)?;
    let duration = match there.iter().any(|series| series.first.duration == wanted) {
        true => wanted,
        false => there.first().map_or(wanted, |series| series.first.duration),
    };
    if duration != wanted {
        notes.push(format!(
            "these periods are of {}, and {} says {}",
            span(duration),
            client::DURATION,
            span(wanted)
        ));
    }
    there.retain(|series| series.first.duration == duration);
    let period = |number: i64| Period { number, duration };
    let picked = picked(&request.when, &there, duration, context)?;
    let earliest = there.iter().map(|series| series.first.number).min();
    let mut panels = Vec::new();
    for entity in &request.entities {
        context.check_cancelled()?;
        let query = |numbers: &[i64]| Query {
            place: place.clone(),
            profile: request.profile.clone(),
            entity: entity.clone(),
            groups: request.groups.clone(),
            periods: numbers.iter().copied().map(period).collect(),
        };
        let asked = query(&picked);
        let read = match (request.wanted.width, earliest) {
            (Some(_), Some(earliest)) => query(&before(&picked, earliest, duration, context)),
            _ => asked.clone(),
        };
        let found = profiles.read(&read, within)?;
        let mut unfit = 0;
        let mut values: Vec<(i64, Option<f64>)> = Vec::with_capacity(found.len());
        let first = picked.first().copied().unwrap_or(0);
        for (period, value) in read.periods.iter().zip(found) {
            let number = match value {
                None => None,
                Some(value) => {
                    let number = numbers.of(&value, entity).map_err(|fault| {
                        let at = super::moment(period.start(), &context.zone, true);
                        fault.note(format!("it was measured of {entity} at {at}"))
                    })?;
                    let mut earlier = 0;
                    let counted = if period.number < first {
                        &mut earlier
                    } else {
                        &mut unfit
                    };
                    drawn(number, counted)
                }
            };
            values.push((period.number, number));
        }
        let mut history = request.wanted.width.map(|width| {
            let known = values
                .iter()
                .filter_map(|(number, value)| Some((period(*number).start(), (*value)?)));
            History::new(known, &context.zone, width)
        });
        let points: Vec<Point> = picked
            .iter()
            .map(|number| {
                let period = period(*number);
                let at = values.binary_search_by_key(number, |(number, _)| *number);
                let value = at
                    .ok()
                    .and_then(|at| values.get(at))
                    .and_then(|(_, value)| *value);
                let start = period.start();
                let history = history.as_mut();
                Point {
                    start,
                    end: period.end(),
                    value,
                    band: history.and_then(|history| history.expected(start, &context.zone)),
                }
            })
            .collect();
        let panel = Panel {
            name: entity.to_string(),
            points,
            unfit,
        };
        if panel.measured() == 0 {
            notes.extend(reasons(&panel, asked, profiles, context)?);
        } else {
            panels.push(panel);
        }
    }
    if panels.is_empty() {
        return Ok((None, notes));
    }
    let mut title = format!("profile {}", request.profile);
    if let [entity] = request.entities.as_slice() {
        title = format!("{title} · {entity}");
    }
    if !request.groups.is_empty() {
        let groups: Vec<String> = request
            .groups
            .iter()
            .map(|g| to_text(g).to_string())
            .collect();
        title = format!("{title} · groups {}", groups.join(", "));
    }
    if let ([panel], [_]) = (panels.as_mut_slice(), request.entities.as_slice()) {
        panel.name.clear();
    }
    let figure = Figure {
        title,
        expression: request.expression.clone(),
        axis: Axis::Time {
            zone: context.zone.clone(),
            period: Some(duration),
        },
        panels,
        same_scale: request.wanted.same_scale,
        width: request.wanted.width,
    };
    Ok((Some(figure), notes))
}

/// Why nothing is drawn of an entity.
fn reasons(
    panel: &Panel,
    mut query: Query,
    profiles: &Profiles,
    context: &Context,
) -> Outcome<Vec<String>> {
    let entity = &query.entity;
    if panel.unfit > 0 {
        return Ok(vec![format!("no value of {entity} is a finite number")]);
    }
    let entity = entity.clone();
    if query.periods.is_empty() {
        let now = context.clock.now();
        let duration = client::period_duration(context, None)?;
        let number = now.div_euclid(duration).max(0);
        // So that the reason is what is wrong with the rest.
        query.periods = vec![Period { number, duration }];
    }
    let found = profiles.explain_empty(&query, Within::context(context))?;
    if found.is_empty() {
        return Ok(vec![format!(
            "nothing was found of {entity}: {}",
            Reason::NoPeriods
        )]);
    }
    let told = found
        .iter()
        .map(|reason| format!("nothing was found of {entity}: {reason}"));
    Ok(told.collect())
}

/// The numbers of the periods to show, in order, each once.
fn picked(when: &When, there: &[Series], duration: i64, context: &Context) -> Outcome<Vec<i64>> {
    if let Some(selector) = &when.window {
        let setting = Setting {
            edition: client::edition(context, None)?,
            most: context.limits.collection,
            ..Setting::new(context.clock.now(), &context.zone, &context.locale)
        };
        let mut numbers = window::window(selector)?.periods(&setting, duration)?;
        numbers.sort_unstable();
        numbers.dedup();
        return Ok(numbers);
    }
    let first = there.iter().map(|series| series.first.number).min();
    let last = there.iter().map(|series| series.last.number).max();
    let begin = when.begin.map(|at| at.div_euclid(duration));
    let end = when.end.map(|at| at.saturating_sub(1).div_euclid(duration));
    let (Some(first), Some(last)) = (begin.or(first), end.or(last)) else {
        return Ok(Vec::new());
    };
    Ok(latest(first.max(0), last, context))
}

/// The periods from one to another, without the oldest if they are too many.
fn latest(first: i64, last: i64, context: &Context) -> Vec<i64> {
    let most = i64::try_from(context.limits.collection).unwrap_or(i64::MAX);
    (first.max(last.saturating_sub(most.saturating_sub(1)))..=last).collect()
}

/// The periods to show and those of the weeks before, from the first one that was measured on.
fn before(picked: &[i64], earliest: i64, duration: i64, context: &Context) -> Vec<i64> {
    let (Some(first), Some(last)) = (picked.first(), picked.last()) else {
        return Vec::new();
    };
    // The hour in which a period begins may have begun before it, and clocks may have changed.
    let weeks = (WEEKS * 7 * DAY + 2 * DAY / 24).div_euclid(duration) + 1;
    let begin = first.saturating_sub(weeks).max(earliest).min(*first);
    latest(begin, *last, context)
}
