//! The body of `/search/query`: what is wanted, checked name by name.

use crate::collect::query::time;
use crate::collect::task::Denied;
use crate::diagnostic::nearest;
use crate::eval::Context;
use crate::eval::java::date_format::Zone;
use serde_json::{Map, Value as Json};

/// All that may stand in a request. Some of it changes nothing here: addresses are texts anyway, and how urgent a query is
/// nobody asks.
pub const NAMES: [&str; 15] = [
    "query",
    "queryId",
    "from",
    "to",
    "limit",
    "offset",
    "skip",
    "mode",
    "destination",
    "timeZone",
    "timeUnit",
    "dateFormat",
    "keepAlive",
    "ipAsString",
    "progressInfo",
];

/// The longest text that may say that an answer still comes.
const TOKEN: usize = 64;

/// In which form rows come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// One document with an object for each row.
    Json,
    /// One document with an array for each row.
    Compact,
    /// A line with an object for each row.
    Simple,
    /// A line with an array for each row.
    SimpleCompact,
    /// Comma-separated values.
    Csv,
    /// Tab-separated values.
    Tsv,
}

/// All forms by name.
pub const MODES: [(&str, Mode); 6] = [
    ("json", Mode::Json),
    ("json/compact", Mode::Compact),
    ("json/simple", Mode::Simple),
    ("json/simple/compact", Mode::SimpleCompact),
    ("csv", Mode::Csv),
    ("tsv", Mode::Tsv),
];

impl Mode {
    /// Whether rows can be used before the last one has come.
    pub fn is_stream(self) -> bool {
        !matches!(self, Mode::Json | Mode::Compact)
    }

    /// Whether a row is an array, so that columns must be known first.
    pub fn has_head(self) -> bool {
        !matches!(self, Mode::Json | Mode::Simple)
    }
}

/// How dates stand in csv and tsv.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dates {
    /// `2026-11-22 10:30:15.000`
    Sql,
    /// `2026-11-22T10:30:15.000Z`
    Iso,
}

/// What is sent while no row comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Idle {
    /// Nothing.
    Nothing,
    /// A text.
    Token(String),
    /// A row without values.
    Empty,
}

/// A query and how its rows are wanted.
#[derive(Debug, Clone)]
pub struct Wish {
    pub query: String,
    pub from: i64,
    /// `None` when rows are wanted for ever.
    pub to: Option<i64>,
    pub offset: u64,
    pub limit: Option<u64>,
    pub mode: Mode,
    pub zone: Option<Zone>,
    pub dates: Dates,
    pub idle: Idle,
}

/// The object that a body is. Errors: what is wrong with it.
pub fn object(body: &[u8]) -> Result<Map<String, Json>, Denied> {
    match serde_json::from_slice(body) {
        Ok(Json::Object(object)) => {
            let wrong = object.keys().find(|name| !NAMES.contains(&name.as_str()));
            match wrong {
                None => Ok(object),
                Some(wrong) => {
                    let denied = Denied::invalid(format!("there is no parameter {wrong:?}"));
                    Err(match nearest(wrong, NAMES) {
                        Some(near) => denied.help(format!("did you mean {near}?")),
                        None => denied.help(format!("there are {}", NAMES.join(", "))),
                    })
                }
            }
        }
        Ok(_) => Err(Denied::invalid("the body is no JSON object")),
        Err(error) => {
            let (line, column) = (error.line(), error.column());
            Err(Denied::invalid(format!(
                "the body is no JSON: line {line}, column {column}"
            )))
        }
    }
}

impl Wish {
    /// Reads what is wanted. Errors: what is missing or wrong, by name.
    pub fn read(
        given: &Map<String, Json>,
        query: String,
        context: &Context,
    ) -> Result<Wish, Denied> {
        let get = |name: &str| given.get(name).filter(|value| !value.is_null());
        let mut context = context.clone();
        let zone = match get("timeZone") {
            None => None,
            Some(name) => Some(zone_of(name)?),
        };
        if let Some(zone) = &zone {
            context.zone = zone.clone();
        }
        let millis = match get("timeUnit").map(|unit| (unit.as_str(), unit)) {
            None | Some((Some("SECONDS"), _)) => false,
            Some((Some("MILLISECONDS"), _)) => true,
            Some((_, other)) => return Err(one_of("timeUnit", "SECONDS, MILLISECONDS", other)),
        };
        let moment = |name| moment(name, get(name), millis, &context);
        let (from, to) = (moment("from")?, moment("to")?);
        if let (Some(from), Some(to)) = (from, to)
            && from > to
        {
            return Err(Denied::invalid("from is later than to"));
        }
        let mode = match get("mode") {
            None => Mode::Json,
            Some(mode) => mode_of(mode)?,
        };
        Ok(Wish {
            query,
            from: from.unwrap_or(i64::MIN),
            to,
            offset: match get("offset").or(get("skip")) {
                None => 0,
                Some(number) => whole("offset", number)?,
            },
            limit: get("limit")
                .map(|number| whole("limit", number))
                .transpose()?,
            mode,
            zone,
            dates: match get("dateFormat").map(|form| (form.as_str(), form)) {
                None | Some((Some("default" | "sql"), _)) => Dates::Sql,
                Some((Some("iso"), _)) => Dates::Iso,
                Some((_, other)) => return Err(one_of("dateFormat", "default, sql, iso", other)),
            },
            idle: match get("keepAlive") {
                None => Idle::Nothing,
                Some(idle) => idle_of(idle)?,
            },
        })
    }
}

/// The text of the query, or what finds it among the saved ones.
pub fn query_of(
    given: &Map<String, Json>,
    saved: impl FnOnce(&str) -> Result<String, Denied>,
) -> Result<String, Denied> {
    let get = |name: &str| given.get(name).filter(|value| !value.is_null());
    match (get("query"), get("queryId")) {
        (Some(_), Some(_)) => Err(Denied::invalid("query and queryId exclude each other")),
        (Some(Json::String(query)), None) if !query.trim().is_empty() => Ok(query.clone()),
        (Some(Json::String(_)), None) => Err(Denied::invalid("query is empty")),
        (Some(other), None) => Err(wrong("query", "a text", other)),
        (None, Some(Json::String(id))) => saved(id),
        (None, Some(other)) => Err(wrong("queryId", "a text", other)),
        (None, None) => Err(Denied::invalid("query is missing")),
    }
}

fn moment(
    name: &str,
    given: Option<&Json>,
    millis: bool,
    context: &Context,
) -> Result<Option<i64>, Denied> {
    let text = match given {
        None => return Ok(None),
        Some(Json::String(text)) => text.clone(),
        Some(Json::Number(number)) if millis => {
            let whole = number.as_i64();
            let whole =
                whole.ok_or_else(|| Denied::invalid(format!("{name}: {number} is no time")))?;
            return Ok(Some(whole));
        }
        // Fractions of seconds do no harm.
        Some(Json::Number(number)) => match number.as_i64() {
            Some(whole) => whole.to_string(),
            None => number
                .as_f64()
                .map_or(String::new(), |real| format!("{real:.0}")),
        },
        Some(other) => return Err(wrong(name, "a time", other)),
    };
    time(&text, context).map(Some).map_err(|mut fault| {
        fault.message = format!("{name}: {}", fault.message);
        Denied::from(fault)
    })
}

fn zone_of(name: &Json) -> Result<Zone, Denied> {
    let Json::String(name) = name else {
        return Err(wrong("timeZone", "a text", name));
    };
    Zone::from_name_strict(name).ok_or_else(|| {
        Denied::invalid(format!("timeZone: there is no time zone {name:?}"))
            .help("write a name such as Europe/Prague, GMT+1 or UTC")
    })
}

fn mode_of(mode: &Json) -> Result<Mode, Denied> {
    let kind = match mode {
        Json::Object(mode) => mode.get("type").unwrap_or(&Json::Null),
        text @ Json::String(_) => text,
        other => return Err(wrong("mode", "an object", other)),
    };
    let Json::String(kind) = kind else {
        return Err(wrong("mode.type", "a text", kind));
    };
    let mut modes = MODES.iter();
    let found = modes.find(|(name, _)| name == kind);
    found.map(|(_, mode)| *mode).ok_or_else(|| {
        let all = MODES.map(|(name, _)| name).join(", ");
        Denied::invalid(format!("mode.type: rows do not come as {kind:?}"))
            .help(format!("there are {all}"))
    })
}

fn idle_of(idle: &Json) -> Result<Idle, Denied> {
    let Json::Object(idle) = idle else {
        return Err(wrong("keepAlive", "an object", idle));
    };
    match idle.get("type").and_then(Json::as_str) {
        Some("none") => Ok(Idle::Nothing),
        Some("empty") => Ok(Idle::Empty),
        Some("token") => match idle.get("token") {
            None | Some(Json::Null) => Ok(Idle::Token("\n".to_owned())),
            Some(Json::String(token)) if token.len() <= TOKEN => Ok(Idle::Token(token.clone())),
            Some(_) => Err(Denied::invalid(format!(
                "keepAlive.token is a text of at most {TOKEN} bytes"
            ))),
        },
        _ => Err(Denied::invalid(
            "keepAlive.type is one of token, empty, none",
        )),
    }
}

fn whole(name: &str, number: &Json) -> Result<u64, Denied> {
    let whole = number.as_u64();
    whole.ok_or_else(|| wrong(name, "a whole number from 0 on", number))
}

fn one_of(name: &str, all: &str, given: &Json) -> Denied {
    Denied::invalid(format!("{name} is one of {all}, not {}", shown(given)))
}

fn wrong(name: &str, wants: &str, given: &Json) -> Denied {
    Denied::invalid(format!("{name} wants {wants}, not {}", shown(given)))
}

/// A value of a request in an answer: its begin.
fn shown(given: &Json) -> String {
    let text = given.to_string();
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}
