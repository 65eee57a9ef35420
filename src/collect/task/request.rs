//! What is asked for: the query and the parameters of a destination, each checked.

use super::Denied;
use crate::collect::key::{Field, Kind};
use crate::collect::query::{Saved, time};
use crate::diagnostic::nearest;
use crate::eval::Context;
use crate::input::{Columns, EVENTDATE};
use crate::store::Within;
use serde_json::{Map, Value as Json, json};
use smol_str::SmolStr;

/// The most characters of a description.
const DESCRIPTION: usize = 240;

/// The most characters of a name.
const NAME: usize = 1_000;

/// The most fields that make a key or a value.
const FIELDS: usize = 100;

/// The longest life of an entry in seconds: a thousand years, so that no sum of times overflows.
const LONGEST: i64 = 1000 * 365 * 86_400;

/// Where results go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Destination {
    /// Into a collection.
    Redis,
    /// Nowhere: rows are only counted.
    DoNothing,
}

impl Destination {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Destination::Redis => "redis",
            Destination::DoNothing => "donothing",
        }
    }

    /// The destination with this word.
    pub fn named(word: &str) -> Option<Destination> {
        [Destination::Redis, Destination::DoNothing]
            .into_iter()
            .find(|known| known.word() == word)
    }
}

/// A field as it stands in a task.
pub fn field_json(field: &Field) -> Json {
    let kind = match field.kind {
        Kind::Any => "any",
        kind => kind.name(),
    };
    json!({ "name": field.name.as_str(), "type": kind })
}

/// The parameters of a destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// Where results go.
    pub destination: Destination,
    /// The name that people give it.
    pub name: SmolStr,
    /// What else they say about it; may be empty.
    pub description: String,
    /// So many seconds an entry lives after its event.
    pub expire_in: i64,
    /// What makes the key.
    pub keys: Vec<Field>,
    /// What is kept beside the date.
    pub values: Vec<Field>,
}

const PARAMETERS: [&str; 5] = [
    "friendlyName",
    "description",
    "expireIn",
    "keyFields",
    "valueFields",
];

impl Definition {
    /// Reads and checks the parameters of a destination. Errors name the parameter.
    pub fn read(
        destination: Destination,
        params: &Map<String, Json>,
    ) -> Result<Definition, Denied> {
        if let Some(wrong) = params
            .keys()
            .find(|name| !PARAMETERS.contains(&name.as_str()))
        {
            let denied = Denied::invalid(format!("there is no parameter {wrong}"));
            return Err(match nearest(wrong, PARAMETERS) {
                Some(near) => denied.help(format!("did you mean {near}?")),
                None => denied.help(format!("there are {}", PARAMETERS.join(", "))),
            });
        }
        let given = |name: &str| params.get(name).filter(|value| !value.is_null());
        let redis = destination == Destination::Redis;
        Ok(Definition {
            destination,
            name: friendly_name(given("friendlyName"))?,
            description: given("description").map_or(Ok(String::new()), description)?,
            expire_in: match given("expireIn") {
                None if !redis => 0,
                value => expire_in(value)?,
            },
            keys: match given("keyFields") {
                None if !redis => Vec::new(),
                Some(Json::Array(none)) if none.is_empty() && !redis => Vec::new(),
                None => {
                    return Err(Denied::invalid("keyFields is missing")
                        .help("name the columns that make the key: [\"domain\", \"username\"]"));
                }
                Some(value) => fields("keyFields", value)?,
            },
            values: match given("valueFields") {
                None => Vec::new(),
                Some(Json::Array(none)) if none.is_empty() => Vec::new(),
                Some(value) => fields("valueFields", value)?,
            },
        })
    }

    /// The parameters as they are kept.
    pub fn json(&self) -> Json {
        let fields = |fields: &[Field]| fields.iter().map(field_json).collect::<Vec<_>>();
        // Where nothing is kept, nothing expires.
        let expire_in = Some(self.expire_in).filter(|seconds| *seconds > 0);
        json!({
            "friendlyName": self.name.as_str(),
            "description": self.description,
            "expireIn": expire_in,
            "keyFields": fields(&self.keys),
            "valueFields": fields(&self.values),
        })
    }

    /// The milliseconds that an entry lives after its event.
    pub fn life(&self) -> i64 {
        self.expire_in * 1000
    }

    /// Takes the types of fields that were not said from another definition.
    pub fn fill(&mut self, other: &Definition) {
        let pairs = self.keys.iter_mut().zip(&other.keys);
        for (own, other) in pairs.chain(self.values.iter_mut().zip(&other.values)) {
            if own.kind == Kind::Any {
                own.kind = other.kind;
            }
        }
    }

    /// Checks the fields against the columns of a result and fills in the types that were not said.
    pub fn check(&mut self, columns: &Columns) -> Result<(), Denied> {
        let Columns::Fixed(columns) = columns else {
            return Ok(());
        };
        let names = || columns.iter().map(|column| column.name.as_str());
        if self.destination == Destination::Redis && !names().any(|name| name == EVENTDATE) {
            return Err(Denied::invalid(
                "the result has no column eventdate, so nothing could expire",
            )
            .help("select eventdate besides, or write select *"));
        }
        for (parameter, fields) in [
            ("keyFields", &mut self.keys),
            ("valueFields", &mut self.values),
        ] {
            for field in fields {
                let Some(column) = columns.iter().find(|column| column.name == field.name) else {
                    let message = format!("{parameter}: the result has no column {:?}", field.name);
                    let denied = Denied::invalid(message);
                    return Err(match nearest(&field.name, names()) {
                        Some(near) => denied.help(format!("did you mean {near}?")),
                        None => denied.help(format!(
                            "there are {}",
                            names().collect::<Vec<_>>().join(", ")
                        )),
                    });
                };
                if field.kind == Kind::Any {
                    field.kind = Kind::named(column.kind).unwrap_or_default();
                }
            }
        }
        Ok(())
    }
}

fn wrong_type(name: &str, expected: &str, found: &Json) -> Denied {
    Denied::invalid(format!(
        "{name} must be {expected}, not {}",
        in_words(found)
    ))
}

fn in_words(value: &Json) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => "true or false",
        Json::Number(_) => "a number",
        Json::String(_) => "a text",
        Json::Array(_) => "a list",
        Json::Object(_) => "an object",
    }
}

fn friendly_name(value: Option<&Json>) -> Result<SmolStr, Denied> {
    let Some(value) = value else {
        return Err(Denied::invalid("friendlyName is missing").help("give the task a name"));
    };
    let Json::String(name) = value else {
        return Err(wrong_type("friendlyName", "a text", value));
    };
    if name.trim().is_empty() {
        return Err(Denied::invalid("friendlyName is empty"));
    }
    if name.chars().count() > NAME {
        return Err(Denied::invalid(format!(
            "friendlyName has more than {NAME} characters"
        )));
    }
    if name.chars().any(char::is_control) {
        return Err(Denied::invalid("friendlyName holds a control character"));
    }
    Ok(name.into())
}

fn description(value: &Json) -> Result<String, Denied> {
    let Json::String(text) = value else {
        return Err(wrong_type("description", "a text", value));
    };
    let count = text.chars().count();
    if count > DESCRIPTION {
        return Err(Denied::invalid(format!(
            "description has {count} characters, at most {DESCRIPTION} are allowed"
        )));
    }
    Ok(text.clone())
}

fn expire_in(value: Option<&Json>) -> Result<i64, Denied> {
    let Some(value) = value else {
        return Err(Denied::invalid("expireIn is missing")
            .help("say for how many seconds an entry lives after its event"));
    };
    let Json::Number(number) = value else {
        return Err(wrong_type("expireIn", "a whole number of seconds", value));
    };
    let Some(seconds) = number.as_i64() else {
        return Err(Denied::invalid(format!(
            "expireIn must be a whole number of seconds, not {number}"
        )));
    };
    if seconds < 1 {
        return Err(Denied::invalid(format!(
            "expireIn must be at least 1 second, not {seconds}"
        )));
    }
    if seconds > LONGEST {
        return Err(Denied::invalid(format!(
            "expireIn is at most {LONGEST} seconds"
        )));
    }
    Ok(seconds)
}

/// A list of columns: texts, or objects with a name and a type.
fn fields(parameter: &str, value: &Json) -> Result<Vec<Field>, Denied> {
    let Json::Array(items) = value else {
        return Err(wrong_type(parameter, "a list of columns", value));
    };
    if items.is_empty() {
        return Err(Denied::invalid(format!("{parameter} is empty"))
            .help("name one column of the result at least"));
    }
    if items.len() > FIELDS {
        return Err(Denied::invalid(format!(
            "{parameter} has {} columns, at most {FIELDS} are allowed",
            items.len()
        )));
    }
    let mut found: Vec<Field> = Vec::with_capacity(items.len());
    for (number, item) in items.iter().enumerate() {
        let place = format!("{parameter}[{number}]");
        let field = match item {
            Json::String(name) => Field::new(name, Kind::Any),
            Json::Object(parts) => described(&place, parts)?,
            other => {
                let expected = "the name of a column, or an object with its name and type";
                return Err(wrong_type(&place, expected, other));
            }
        };
        if field.name.is_empty() {
            return Err(Denied::invalid(format!("{place} has an empty name")));
        }
        if found.iter().any(|known| known.name == field.name) {
            return Err(Denied::invalid(format!(
                "{parameter} names {} twice",
                field.name
            )));
        }
        found.push(field);
    }
    Ok(found)
}

fn described(place: &str, parts: &Map<String, Json>) -> Result<Field, Denied> {
    if let Some(wrong) = parts
        .keys()
        .find(|key| !matches!(key.as_str(), "name" | "type"))
    {
        return Err(
            Denied::invalid(format!("{place} has an unknown part {wrong}"))
                .help("an object names a column by name and type"),
        );
    }
    let text = |part: &str| match parts.get(part) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::String(text)) => Ok(Some(SmolStr::from(text))),
        Some(other) => Err(wrong_type(&format!("{place}.{part}"), "a text", other)),
    };
    let Some(name) = text("name")? else {
        return Err(Denied::invalid(format!("{place} has no name")));
    };
    let kind = match text("type")? {
        None => Kind::Any,
        Some(word) => Kind::named(&word).ok_or_else(|| {
            let denied = Denied::invalid(format!("{place}.type: there is no type {word}"));
            denied.help(format!(
                "there are {}",
                Kind::names().collect::<Vec<_>>().join(", ")
            ))
        })?,
    };
    Ok(Field::new(name, kind))
}

/// The text of a saved query.
fn saved(id: &str, context: &Context) -> Result<String, Denied> {
    let Some(saved) = context.services.get::<Saved>() else {
        return Err(Denied::invalid(format!(
            "queryId: there is no saved query {id}"
        )));
    };
    saved
        .text(id, Within::context(context))
        .map_err(|mut fault| {
            fault.message = format!("queryId: {}", fault.message);
            Denied::from(fault)
        })
}

/// A request for a task.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// The query.
    pub query: String,
    /// The name of the saved query that it is.
    pub query_id: Option<String>,
    /// Whether it says from when to when, which a collection does not heed.
    pub dated: bool,
    /// What is done with the rows.
    pub definition: Definition,
}

impl Request {
    /// Reads a request as it is sent to `/search/query`: `query`, or `queryId` that names a saved query, and a
    /// `destination`. Errors: what is missing or wrong, by name.
    pub fn read(json: &Json, context: &Context) -> Result<Request, Denied> {
        let Json::Object(all) = json else {
            return Err(wrong_type("the request", "an object", json));
        };
        let given = |name: &str| all.get(name).filter(|value| !value.is_null());
        let text = |name: &'static str| match given(name) {
            None => Ok(None),
            Some(Json::String(text)) => Ok(Some(text.clone())),
            Some(other) => Err(wrong_type(name, "a text", other)),
        };
        let (query_id, mut query) = match (text("query")?, text("queryId")?) {
            (Some(_), Some(_)) => {
                return Err(Denied::invalid("query and queryId exclude each other"));
            }
            (Some(query), None) => (None, query),
            (None, Some(id)) => {
                let query = saved(&id, context)?;
                (Some(id), query)
            }
            (None, None) => return Err(Denied::invalid("query is missing")),
        };
        if query.trim().is_empty() {
            return Err(Denied::invalid("query is empty"));
        }
        let mut dated = false;
        for name in ["from", "to"] {
            let moment = match given(name) {
                None => continue,
                Some(Json::String(moment)) => moment.clone(),
                Some(Json::Number(number)) => number.to_string(),
                Some(other) => return Err(wrong_type(name, "a time", other)),
            };
            dated = true;
            time(&moment, context).map_err(|mut fault| {
                fault.message = format!("{name}: {}", fault.message);
                Denied::from(fault)
            })?;
        }
        for name in ["offset", "limit"] {
            match given(name) {
                None => {}
                Some(Json::Number(number)) if number.as_u64().is_some() => {
                    query.push_str(&format!(" {name} {number}"));
                }
                Some(other) => {
                    return Err(wrong_type(name, "a whole number from 0 on", other));
                }
            }
        }
        let destination = match given("destination") {
            Some(Json::Object(destination)) => destination,
            Some(other) => return Err(wrong_type("destination", "an object", other)),
            None => {
                return Err(Denied::invalid("destination is missing")
                    .help("write \"destination\": {\"type\": \"redis\", \"params\": {…}}"));
            }
        };
        let to = match destination.get("type") {
            Some(Json::String(word)) => Destination::named(word).ok_or_else(|| {
                Denied::invalid(format!("destination.type: there is no destination {word}"))
                    .help("there is redis")
            })?,
            Some(other) => return Err(wrong_type("destination.type", "a text", other)),
            None => return Err(Denied::invalid("destination.type is missing")),
        };
        let params = match destination.get("params") {
            Some(Json::Object(params)) => params,
            Some(other) if !other.is_null() => {
                return Err(wrong_type("destination.params", "an object", other));
            }
            _ => return Err(Denied::invalid("destination.params is missing")),
        };
        Ok(Request {
            query,
            query_id,
            dated,
            definition: Definition::read(to, params)?,
        })
    }
}
