//! What profiles found out as a source of rows.

use super::Profiles;
use super::period::Period;
use super::store::{Filter, Query, Within};
use crate::diagnostic::{Code, Diagnostic, Outcome, nearest};
use crate::eval::{Context, Value};
use crate::input::{Column, Columns, Polled, Source, Take, Wish, poll};
use smol_str::SmolStr;
use std::sync::Arc;

/// So many series are listed at most.
const SERIES: usize = 1_000_000;

/// So many periods are read at a time.
const PERIODS: i64 = 10_000;

/// The columns besides the time, which is the beginning of the period.
const COLUMNS: [(&str, &str); 6] = [
    ("profile", "str"),
    ("entity", "str"),
    ("groups", "json"),
    ("value", ""),
    ("period", "int8"),
    ("duration", "int8"),
];

/// The measurements of one profile, or of all, in the place that is configured.
#[derive(Default)]
pub struct ProfileRows {
    profile: Option<SmolStr>,
}

impl ProfileRows {
    /// The measurements of a profile.
    pub fn of(profile: &str) -> ProfileRows {
        ProfileRows {
            profile: Some(profile.into()),
        }
    }

    fn filter(&self, context: &Context) -> Outcome<Filter> {
        Ok(Filter {
            place: Some(super::client::place(context, None)?),
            profile: self.profile.clone(),
            ..Filter::default()
        })
    }
}

fn store(context: &Context) -> Outcome<Arc<Profiles>> {
    let missing = || Diagnostic::new(Code::Internal, "there is no store of profiles here");
    context.services.get::<Profiles>().ok_or_else(missing)
}

fn within(context: &Context) -> Within<'_> {
    Within {
        deadline: context.deadline.into(),
        ..Within::context(context)
    }
}

impl Source for ProfileRows {
    fn about(&self) -> String {
        match &self.profile {
            Some(profile) => format!("measurements of the profile {profile}"),
            None => "measurements of all profiles; profile.NAME has those of one".to_owned(),
        }
    }

    fn columns(&self, context: &Context) -> Outcome<Columns> {
        if let Some(profile) = &self.profile {
            let all = Filter {
                profile: None,
                ..self.filter(context)?
            };
            let known = store(context)?.profiles(&all, within(context))?;
            if !known.iter().any(|known| known.profile == *profile) {
                let near = nearest(profile, known.iter().map(|known| known.profile.as_str()));
                let message = format!("there are no measurements of a profile {profile}");
                let near = near.map(|near| format!("profile.{near}"));
                return Err(Diagnostic::new(Code::BadQuery, message).did_you_mean(near.as_deref()));
            }
        }
        let columns = COLUMNS.iter().map(|(name, kind)| Column::new(name, kind));
        Ok(Columns::Fixed(columns.collect()))
    }

    fn read(&self, wish: &Wish<'_>, context: &Context, take: Take<'_>) -> Outcome<()> {
        let store = store(context)?;
        let filter = self.filter(context)?;
        let series = store.list(&filter, SERIES + 1, within(context))?;
        if series.len() > SERIES {
            let message = format!("there are more than {SERIES} series of measurements");
            return Err(Diagnostic::new(Code::CollectionSize, message)
                .help("ask for one profile: from profile.NAME"));
        }
        poll(wish, 0, context, take, |_, batch| {
            for series in &series {
                let groups: Vec<Value> = series.groups.iter().map(Value::text).collect();
                let query = Query {
                    place: series.place.clone(),
                    profile: series.profile.clone(),
                    entity: series.entity.clone(),
                    groups,
                    periods: Vec::new(),
                };
                let span = (series.first, series.last);
                if !rows(&store, query, span, wish, context, batch)? {
                    return Ok(());
                }
            }
            Ok(())
        })
    }
}

/// Passes on the measurements of a series; `false` when nothing more is wanted.
fn rows(
    store: &Profiles,
    mut query: Query,
    (first, last): (Period, Period),
    wish: &Wish<'_>,
    context: &Context,
    batch: &mut Polled<'_, '_>,
) -> Outcome<bool> {
    let duration = first.duration;
    let number = |at: i64| at.div_euclid(duration);
    // The beginning of a period counts.
    let mut from = first
        .number
        .max(number(wish.from.saturating_add(duration - 1)));
    let last = last.number.min(number(wish.to.saturating_sub(1)));
    while from <= last {
        let to = last.min(from.saturating_add(PERIODS - 1));
        let periods = (from..=to).map(|number| Period { number, duration });
        query.periods = periods.collect();
        let values = store.read(&query, within(context))?;
        for (period, value) in query.periods.iter().zip(values) {
            let Some(value) = value else { continue };
            let cell = |name: &SmolStr| match name.as_str() {
                "profile" => Value::Text(query.profile.clone()),
                "entity" => Value::Text(query.entity.clone()),
                "groups" => {
                    Value::List(crate::eval::collections::List::array(query.groups.clone()))
                }
                "value" => value.clone(),
                "period" => Value::Long(period.number),
                "duration" => Value::Long(period.duration),
                _ => Value::Null,
            };
            let time = period.start();
            if !batch.add(time, time, wish.names.iter().map(cell))? {
                return Ok(false);
            }
        }
        from = to.saturating_add(1);
    }
    Ok(true)
}
