//! PROFILE_GET and PROFILE_VERBOSE: what was measured.

use super::lints;
use super::periods::ago;
use crate::diagnostic::Outcome;
use crate::eval::collections::{List, Map, MapKind};
use crate::eval::convert::to_string;
use crate::eval::text::to_text;
use crate::eval::{Call, Notes, Value};
use crate::functions::spec::{
    Family, FunctionSpec, Kind, SPEC, default, example, fails, optional, required,
};
use crate::profile::client::{self, PROVIDER};
use crate::profile::period::Period;
use crate::profile::store::{Query, Reason, Within};
use smol_str::SmolStr;

/// The functions of this file.
pub const FUNCTIONS: &[FunctionSpec] = &[PROFILE_GET, PROFILE_VERBOSE];

const PROFILE_GET: FunctionSpec = FunctionSpec {
    name: "PROFILE_GET",
    family: Family::Profiler,
    summary: "Gives the values that a profile has measured for an entity in some periods.",
    details: "The values stand in the order of the periods, and a period that stands there twice gives its value twice. \
        A period without a measurement is left out, or has the value profiler.default.value if that is set. \
        Groups must be those of the profile's groupBy; their texts put together are what counts. \
        They may also be given one by one from the fourth argument on; then there are no overrides. \
        The overrides are profiler.client.hbase.table ('profiler'), profiler.client.hbase.column.family ('P'), \
        profiler.client.salt.divisor (1000) and profiler.default.value; what they leave out the globals say. \
        hbase.provider.impl is accepted and means nothing. \
        A profile that was written under other settings is not found, and the shell says so. \
        The old form PROFILE_GET(profile, entity, 1, 'HOURS', groups, config_overrides) means PROFILE_FIXED(1, 'HOURS').",
    parameters: &[
        required("profile", Kind::Text, "the name of the profile"),
        required("entity", Kind::Text, "what it is about, such as an address"),
        required(
            "periods",
            Kind::List,
            "of when: what PROFILE_FIXED or PROFILE_WINDOW gives; null is no period",
        ),
        optional(
            "groups",
            Kind::List,
            "the groups; anything else, and what stands behind it, are groups one by one",
        ),
        default(
            "config_overrides",
            Kind::Map,
            "settings for this call, behind a list of groups",
            "{}",
        ),
    ],
    returns: "a list of values",
    errors: &[
        "the profile or the entity is null",
        "the periods are neither a list of periods nor null",
        "the overrides are no map, or stand behind groups that are no list",
        "the salt divisor is 0",
        "the store cannot be read, or holds a damaged value",
    ],
    examples: &[
        example(
            "PROFILE_GET('logins', 'alice', PROFILE_FIXED(1, 'HOURS'))",
            "[]",
        ),
        example(
            "PROFILE_GET('logins', 'alice', PROFILE_WINDOW('1 hour', 1502665200001L), [], {'profiler.default.value': 0})",
            "[0, 0, 0, 0]",
        ),
        example("PROFILE_GET('logins', 'alice', 2, 'HOURS')", "[]"),
        fails("PROFILE_GET('logins', 'alice', [1, 2])", "E0203"),
        fails(
            "PROFILE_GET('logins', 'alice', PROFILE_FIXED(1, 'HOURS'), 'weekends', {'profiler.default.value': 0})",
            "E0203",
        ),
    ],
    see: &[
        "PROFILE_FIXED",
        "PROFILE_WINDOW",
        "PROFILE_VERBOSE",
        "PROFILE_PUT",
    ],
    words: &["baseline", "history", "measurement", "usual", "past"],
    pure: false,
    borrows: false,
    lint: Some(lints::get),
    run: get,
    ..SPEC
};

const PROFILE_VERBOSE: FunctionSpec = FunctionSpec {
    name: "PROFILE_VERBOSE",
    family: Family::Profiler,
    summary: "Gives what a profile has measured for an entity in some periods, with the periods.",
    details: "As PROFILE_GET, but a map for every value. There are no overrides: the globals alone count.",
    parameters: &[
        required("profile", Kind::Text, "the name of the profile"),
        required("entity", Kind::Text, "what it is about, such as an address"),
        required(
            "periods",
            Kind::List,
            "of when: what PROFILE_FIXED or PROFILE_WINDOW gives",
        ),
        default("groups", Kind::List, "the groups", "[]"),
    ],
    returns: "a list of maps with period.start, period, profile, period.end, groups, value and entity",
    errors: &[
        "the profile or the entity is null",
        "the periods are no list of periods",
        "the groups are no list",
        "the store cannot be read, or holds a damaged value",
    ],
    examples: &[
        example(
            "PROFILE_VERBOSE('logins', 'alice', PROFILE_FIXED(1, 'HOURS'))",
            "[]",
        ),
        example(
            "MAP(PROFILE_VERBOSE('logins', 'alice', []), m -> MAP_GET('value', m))",
            "[]",
        ),
        fails(
            "PROFILE_VERBOSE('logins', 'alice', PROFILE_FIXED(1, 'HOURS'), 'weekends')",
            "E0203",
        ),
    ],
    see: &["PROFILE_GET", "PROFILE_FIXED", "PROFILE_WINDOW"],
    words: &["baseline", "history", "measurement", "table"],
    pure: false,
    borrows: false,
    run: verbose,
    ..SPEC
};

/// The periods in the list at `index`. Errors: E0203.
fn periods(call: &Call<'_, '_>, index: usize) -> Outcome<Vec<Period>> {
    let wanted = "a list of periods, as PROFILE_FIXED and PROFILE_WINDOW give it,";
    let Value::List(list) = call.arg(index) else {
        return Err(call.wrong_type(index, wanted));
    };
    list.with(|items| {
        let mut found = Vec::with_capacity(items.len());
        for item in items {
            call.step()?;
            let Some(period) = item.as_object::<Period>() else {
                return Err(call
                    .wrong_type(index, wanted)
                    .note(format!("it holds {}", item.kind_in_words())));
            };
            found.push(*period);
        }
        Ok(found)
    })
}

/// The text at `index`. Errors: E0203 for null.
fn text(call: &Call<'_, '_>, index: usize) -> Outcome<SmolStr> {
    to_string(call.arg(index)).ok_or_else(|| call.wrong_type(index, "a string"))
}

/// The groups and the overrides that begin at `at`.
fn groups(call: &Call<'_, '_>, at: usize) -> Outcome<(Vec<Value>, Option<Map>)> {
    if call.count() <= at {
        return Ok((Vec::new(), None));
    }
    if let Value::List(list) = call.arg(at) {
        let overrides = match call.arg(at + 1) {
            Value::Map(map) => Some(map.clone()),
            _ if call.count() <= at + 1 => None,
            _ => return Err(call.wrong_type(at + 1, "a map")),
        };
        return Ok((list.items(), overrides));
    }
    // A map would become a part of the row key, and nothing would ever be found.
    for index in at..call.count() {
        if let Value::Map(_) = call.arg(index) {
            return Err(call
                .wrong_type(index, "a group, or a list of groups before the overrides,")
                .help("write the groups as a list, then the overrides: [], {..}"));
        }
    }
    let each = (at..call.count()).map(|index| match to_string(call.arg(index)) {
        Some(text) => Value::Text(text),
        None => Value::text("null"),
    });
    Ok((each.collect(), None))
}

/// What the query asks for, and with `explain` a note why that is nothing.
fn answer(call: &Call<'_, '_>, query: &Query, explain: bool) -> Outcome<Vec<Option<Value>>> {
    let service = super::service(call)?;
    let within = Within::call(call);
    let found = service.read(query, within)?;
    if explain
        && found.iter().all(Option::is_none)
        && let Some(notes) = call.context().services.get::<Notes>()
        && !notes.full()
    {
        // An explanation that cannot be had is no reason to fail.
        for reason in service.explain_empty(query, within).unwrap_or_default() {
            notes.say(format!("{} finds nothing: {reason}", call.name));
        }
    }
    Ok(found)
}

fn get(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let old = call.arg(2).is_number() && call.arg(3).as_text().is_some();
    let (groups, overrides) = groups(call, if old { 4 } else { 3 })?;
    let context = call.context();
    let notes = || context.services.get::<Notes>();
    let periods = match call.arg(2) {
        Value::Null => Vec::new(),
        count if old => {
            let found = ago(call, 2, 3, overrides.as_ref())?;
            if let (Some(notes), Value::Text(unit)) = (notes(), call.arg(3)) {
                let count = to_text(count);
                notes.say_once(format!(
                    "PROFILE_GET(.., {count}, '{unit}') is the old form: write PROFILE_GET(.., PROFILE_FIXED({count}, '{unit}'))"
                ));
            }
            found
        }
        _ => periods(call, 2)?,
    };
    let provider = client::setting(context, overrides.as_ref(), PROVIDER, to_string);
    if let (Some(_), Some(notes)) = (provider, notes()) {
        notes.say_once(lints::NO_PROVIDER);
    }
    if periods.is_empty() {
        no_periods(call);
        return Ok(Value::List(List::array(Vec::new())));
    }
    let query = Query {
        place: client::place(context, overrides.as_ref())?,
        profile: text(call, 0)?,
        entity: text(call, 1)?,
        groups,
        periods,
    };
    let default = client::default_value(context, overrides.as_ref());
    let found = answer(call, &query, default.is_none())?;
    let values = found
        .into_iter()
        .filter_map(|value| value.or_else(|| default.clone()));
    Ok(Value::List(List::array(values.collect())))
}

fn no_periods(call: &Call<'_, '_>) {
    if let Some(notes) = call.context().services.get::<Notes>() {
        notes.say(format!(
            "{} finds nothing: {}",
            call.name,
            Reason::NoPeriods
        ));
    }
}

fn verbose(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let periods = periods(call, 2)?;
    let groups = match call.arg(3) {
        Value::List(list) => list.items(),
        _ if call.count() < 4 => Vec::new(),
        _ => return Err(call.wrong_type(3, "a list of groups")),
    };
    let context = call.context();
    if let (true, Some(notes)) = (call.count() > 4, context.services.get::<Notes>()) {
        notes.say("PROFILE_VERBOSE takes no overrides: what stands behind the groups is ignored");
    }
    if periods.is_empty() {
        no_periods(call);
        return Ok(Value::List(List::array(Vec::new())));
    }
    let query = Query {
        place: client::place(context, None)?,
        profile: text(call, 0)?,
        entity: text(call, 1)?,
        groups,
        periods,
    };
    let default = client::default_value(context, None);
    let found = answer(call, &query, default.is_none())?;
    let names = [
        "period.start",
        "period",
        "profile",
        "period.end",
        "groups",
        "value",
        "entity",
    ]
    .map(Value::text);
    let groups = Value::List(List::array(query.groups.clone()));
    let mut rows = Vec::with_capacity(found.len());
    for (period, value) in query.periods.iter().zip(found) {
        let Some(value) = value.or_else(|| default.clone()) else {
            continue;
        };
        let cells = [
            Value::Long(period.start()),
            Value::Long(period.number),
            Value::Text(query.profile.clone()),
            Value::Long(period.end()),
            groups.clone(),
            value,
            Value::Text(query.entity.clone()),
        ];
        let entries = names.iter().cloned().zip(cells).collect();
        rows.push(Value::Map(Map::new(MapKind::Hash, entries)));
    }
    Ok(Value::List(List::array(rows)))
}
