//! `stellar profile`: what profiles have measured.

mod apply;
mod heard;

pub use apply::ApplyArgs;

use super::args::{Common, ListFormat, ProfileCommand, ProfileGetArgs};
use super::missing::{Gaps, instant, with_gaps};
use super::{output, profile_server, setup};
use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::engine::Engine;
use crate::eval::json::to_json;
use crate::eval::text::to_text;
use crate::eval::{Context, Value};
use crate::profile::Profiles;
use crate::profile::client;
use crate::profile::period::Period;
use crate::profile::store::{Filter, Place, Query, Within};
use crate::profile::window::{self, Setting};
use serde_json::{Value as Json, json};
use smol_str::SmolStr;

/// Runs `stellar profile`.
pub fn profile(common: &Common, command: &ProfileCommand) -> Outcome<bool> {
    let engine = setup::engine(common)?;
    let Some(profiles) = engine.context.services.get::<Profiles>() else {
        return Err(Diagnostic::new(
            Code::NotAvailable,
            "there is no store for profiles",
        ));
    };
    let within = Within::context(&engine.context);
    match command {
        ProfileCommand::Apply(args) => apply::apply(&engine, &profiles, args),
        ProfileCommand::Get(args) => get(&engine, &profiles, args),
        ProfileCommand::List {
            profile,
            limit,
            format,
        } => {
            let format = ListFormat::or_usual(*format);
            match profile {
                Some(profile) => entities(&engine, &profiles, profile, *limit, format),
                None => list(&profiles, within, format),
            }
        }
        ProfileCommand::Library {
            names,
            fields,
            format,
        } => super::library::library(&engine, names, fields, *format),
        ProfileCommand::Plot(args) => super::plot::plot(common, &engine, &profiles, args),
        ProfileCommand::CreateTable => profile_server::create_table(&engine),
        ProfileCommand::Spool { command, format } => {
            profile_server::spool(&engine, command.as_ref(), *format)
        }
        ProfileCommand::Delete {
            profile,
            entity,
            groups,
        } => {
            let filter = Filter {
                place: Some(client::place(&engine.context, None)?),
                profile: Some(profile.into()),
                entity: entity.as_ref().map(SmolStr::from),
                groups: (!groups.is_empty()).then(|| groups.iter().map(Value::text).collect()),
            };
            let removed = profiles.delete(&filter, within)?;
            let s = if removed == 1 { "" } else { "s" };
            output::line(&format!(
                "{removed} measurement{s} of profile {profile} removed"
            ))?;
            Ok(true)
        }
    }
}

/// Shows the profiles everywhere: one that lies in the wrong table is what somebody may look for.
fn list(profiles: &Profiles, within: Within<'_>, format: ListFormat) -> Outcome<bool> {
    let rows = profiles.profiles(&Filter::default(), within)?;
    let rows = rows.into_iter().map(|found| {
        let Place {
            table,
            family,
            divisor,
        } = found.place;
        json!({
            "profile": found.profile.as_str(), "duration": found.duration, "series": found.series,
            "table": table.as_str(), "column_family": family.as_str(), "salt_divisor": divisor,
        })
    });
    let columns = [
        "profile",
        "duration",
        "series",
        "table",
        "column_family",
        "salt_divisor",
    ];
    output::table(format, &columns, rows.collect())?;
    profiles
        .notices()
        .iter()
        .for_each(|notice| output::note(notice));
    Ok(true)
}

fn entities(
    engine: &Engine,
    profiles: &Profiles,
    profile: &str,
    limit: usize,
    format: ListFormat,
) -> Outcome<bool> {
    let filter = Filter {
        place: Some(client::place(&engine.context, None)?),
        profile: Some(profile.into()),
        ..Filter::default()
    };
    let within = Within::context(&engine.context);
    let found = profiles.list(&filter, limit.saturating_add(1), within)?;
    let cut = found.len() > limit;
    let none = found.is_empty();
    let rows: Vec<Json> = found
        .into_iter()
        .take(limit)
        .map(|series| {
            let groups: Vec<&str> = series.groups.iter().map(SmolStr::as_str).collect();
            json!({
                "entity": series.entity.as_str(), "groups": groups,
                "from": instant(series.first.start()), "to": instant(series.last.end()),
                "duration": series.first.duration,
            })
        })
        .collect();
    output::table(
        format,
        &["entity", "groups", "from", "to", "duration"],
        rows,
    )?;
    if none {
        let query = Query {
            place: client::place(&engine.context, None)?,
            profile: profile.into(),
            periods: picked(&engine.context, "1 day")?,
            ..Query::default()
        };
        for reason in profiles.explain_empty(&query, within)? {
            output::note(&format!("nothing was found: {reason}"));
        }
    }
    if cut {
        output::note(&format!("there are more than {limit}: --limit shows more"));
    }
    Ok(true)
}

/// The periods that a selector picks under the settings of a context.
fn picked(context: &Context, selector: &str) -> Outcome<Vec<Period>> {
    let duration = client::period_duration(context, None)?;
    let setting = Setting {
        edition: client::edition(context, None)?,
        most: context.limits.collection,
        ..Setting::new(context.clock.now(), &context.zone, &context.locale)
    };
    let numbers = window::window(selector)?.periods(&setting, duration)?;
    let period = |number| Period { number, duration };
    Ok(numbers.into_iter().map(period).collect())
}

fn get(engine: &Engine, profiles: &Profiles, args: &ProfileGetArgs) -> Outcome<bool> {
    let context = &engine.context;
    let within = Within::context(context);
    let mut query = Query {
        place: client::place(context, None)?,
        profile: args.profile.as_str().into(),
        entity: args.entity.as_str().into(),
        groups: args.groups.iter().map(Value::text).collect(),
        periods: Vec::new(),
    };
    query.periods = match &args.window {
        Some(selector) => picked(context, selector)?,
        None => all(profiles, &query, context)?,
    };
    let found = profiles.read(&query, within)?;
    // What JSON cannot hold is shown by its text, as a sketch.
    let shown = |value| to_json(&value).unwrap_or_else(|_| Json::from(to_text(&value).as_str()));
    let found = found.into_iter().map(|value| value.map(shown));
    let format = ListFormat::or_usual(args.format);
    let gaps = match (args.missing, format) {
        (true, _) => Gaps::Each,
        (false, ListFormat::Table) => Gaps::Together,
        (false, _) => Gaps::LeftOut,
    };
    let rows = with_gaps(query.periods.iter().copied().zip(found), gaps);
    if rows.is_empty() {
        if query.periods.is_empty() && args.window.is_none() {
            // So that the reason is what is wrong with the rest.
            query.periods = picked(context, "1 day")?;
        }
        for reason in profiles.explain_empty(&query, within)? {
            output::note(&format!("nothing was found: {reason}"));
        }
    }
    let columns = ["from", "to", "value", "period", "duration"];
    output::table(format, &columns, rows)?;
    Ok(true)
}

/// All periods in which the query's series may have values, the latest ones if they are too many.
fn all(profiles: &Profiles, query: &Query, context: &Context) -> Outcome<Vec<Period>> {
    let filter = Filter {
        place: Some(query.place.clone()),
        profile: Some(query.profile.clone()),
        entity: Some(query.entity.clone()),
        groups: Some(query.groups.clone()),
    };
    let most = i64::try_from(context.limits.collection).unwrap_or(i64::MAX);
    let mut periods = Vec::new();
    for series in profiles.list(&filter, 100, Within::context(context))? {
        let (first, last) = (series.first.number, series.last.number);
        let duration = series.first.duration;
        let begin = first.max(last.saturating_sub(most - 1));
        if begin > first {
            output::note(&format!(
                "the measurements begin in {}; only the latest {most} periods are looked at, from {} on: --window asks for others",
                instant(series.first.start()),
                instant(
                    Period {
                        number: begin,
                        duration
                    }
                    .start()
                ),
            ));
        }
        let first = begin;
        periods.extend((first..=last).map(|number| Period { number, duration }));
    }
    Ok(periods)
}
