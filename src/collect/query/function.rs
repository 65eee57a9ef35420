//! QUERY.

use super::{Query, Range, Saved, time};
use crate::diagnostic::{Code, Diagnostic, Outcome, nearest};
use crate::eval::collections::{List, Map, check_size};
use crate::eval::{Call, Context, Notes, Value};
use crate::functions::spec::{
    Family, FunctionSpec, Kind, SPEC, example, fails, optional, required,
};
use crate::store::Within;
use smol_str::SmolStr;

/// The functions of this file.
pub const FUNCTIONS: &[FunctionSpec] = &[QUERY];

/// The names of parameters.
const PARAMETERS: [&str; 3] = ["from", "to", "limit"];

const QUERY: FunctionSpec = FunctionSpec {
    name: "QUERY",
    family: Family::Collected,
    summary: "Asks a source: rows through conditions, columns and groups.",
    details: "A query is from SOURCE, then in any order where CONDITION, select COLUMN, EXPRESSION as NAME, group every 5m by COLUMN, \
        every 5m, limit 10, offset 10; conditions and columns are Stellar expressions. After a group there are count(), sum, avg, min, max, \
        first, last and countdistinct. Sources are those of the configuration ([sources.NAME]), events (the event store), profile and profile.NAME \
        (measurements) and tasks; stellar query sources lists them. The text may be the name of a saved query. from and to are \
        seconds since 1970 or texts such as '2026-01-10T08:00:00Z', 'now()-2h', 'today()'. What grows is read to its end of now. Rows that are \
        bad or fail are left out and told as notes.",
    parameters: &[
        required("query", Kind::Text, "the query, or the name of a saved one"),
        optional(
            "params",
            Kind::Map,
            "from and to (the time of rows), limit (so many rows at most)",
        ),
    ],
    returns: "a list of maps, one for each row",
    errors: &[
        "the query cannot be read, or its source or a column does not exist",
        "the source cannot be read",
        "there are more rows than a list may hold",
    ],
    examples: &[
        example(
            "EVENT_INSERT([{'ID': 'e1', 'DetectTime': '2026-01-10T08:00:00Z', 'Category': ['Test']}, \
             {'ID': 'e2', 'DetectTime': '2026-01-10T08:03:00Z', 'Category': ['Test']}])",
            "[e1, e2]",
        ),
        example(
            "QUERY('from events group every 5m by category select eventdate, category, count() as n')",
            "[{eventdate=1768032000000, category=[Test], n=2}]",
        ),
        example(
            "QUERY('from events where \"Test\" in category select id', {'from': '2026-01-10T08:01:00Z', 'limit': 1})",
            "[{id=e2}]",
        ),
        fails("QUERY('from nowhere')", "E0410"),
        fails("QUERY('from events select colour')", "E0410"),
        fails("QUERY('nightly')", "E0410"),
        fails("QUERY('from events', {'since': 1})", "E0204"),
        fails("QUERY(1)", "E0203"),
    ],
    see: &["EVENT_SEARCH", "PROFILE_GET"],
    words: &["LINQ", "select", "where", "group", "SQL", "Devo", "hunt"],
    pure: false,
    run: query,
    ..SPEC
};

fn query(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let Value::Text(text) = call.take(0) else {
        return Err(call.wrong_type(0, "a query as a string"));
    };
    let params = match call.take(1) {
        Value::Null => Map::of_texts(Vec::<(SmolStr, Value)>::new()),
        Value::Map(params) => params,
        _ => return Err(call.wrong_type(1, "a map of parameters")),
    };
    for (name, _) in params.entries() {
        let name = name.as_text().unwrap_or_default();
        if !PARAMETERS.contains(&name) {
            let near = nearest(name, PARAMETERS);
            let message = format!("{name:?} is no parameter; there are from, to and limit");
            return Err(call.wrong_value(1, message).did_you_mean(near));
        }
    }
    let context = Context {
        deadline: call.deadline(),
        ..call.context().clone()
    };
    let range = Range {
        from: moment(call, &params, "from")?.unwrap_or(i64::MIN),
        to: moment(call, &params, "to")?.unwrap_or(i64::MAX),
        follow: false,
    };
    let most = match params.get_text("limit") {
        None | Some(Value::Null) => usize::MAX,
        Some(limit) => crate::eval::convert::to_long(&limit)
            .and_then(|limit| usize::try_from(limit).ok())
            .ok_or_else(|| call.wrong_value(1, "limit is no number of rows"))?,
    };
    let text = match Saved::is_name(&text) {
        true => saved(&text, call)?,
        false => text.to_string(),
    };
    let query = Query::compile(&text, &context)?;
    let mut rows = Vec::new();
    let room = context.limits.collection;
    if most == 0 {
        return Ok(Value::List(List::array(rows)));
    }
    let totals = query.run(
        range,
        &context,
        &mut |row| {
            call.step()?;
            check_size(rows.len() + 1, room)?;
            rows.push(Value::Map(row.map()));
            Ok(rows.len() < most)
        },
        &mut |_| Ok(()),
    )?;
    if let Some(notes) = context.services.get::<Notes>() {
        for problem in &totals.problems {
            notes.say(problem.clone());
        }
        let told = totals.problems.len() as u64;
        let wrong = totals.bad + totals.failed;
        if wrong > told {
            notes.say(format!("{} more rows are bad or failed", wrong - told));
        }
    }
    Ok(Value::List(List::array(rows)))
}

fn moment(call: &Call<'_, '_>, params: &Map, name: &str) -> Outcome<Option<i64>> {
    let text = match params.get_text(name) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Text(text)) => text,
        Some(value @ (Value::Int(_) | Value::Long(_))) => crate::eval::text::to_text(&value),
        Some(other) => {
            let found = other.kind_in_words();
            return Err(call.wrong_value(1, format!("{name} is {found}, and no time")));
        }
    };
    time(&text, call.context())
        .map(Some)
        .map_err(|fault| call.wrong_value(1, format!("{name}: {}", fault.message)))
}

/// The text of a saved query.
fn saved(name: &str, call: &Call<'_, '_>) -> Outcome<String> {
    match call.context().services.get::<Saved>() {
        Some(saved) => saved.text(name, Within::call(call)),
        None => {
            let message = format!("there is no saved query {name}");
            Err(Diagnostic::new(Code::BadQuery, message))
        }
    }
}
