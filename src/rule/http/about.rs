//! What calls need and give, for OpenAPI.

use crate::rule::model::EntityKind;
use crate::store::serve::{About, Parameter};

const TAG: &str = "rules";

const fn parameter(name: &'static str, kind: &'static str, what: &'static str) -> Parameter {
    Parameter { name, kind, what }
}

const TRACE: Parameter = parameter(
    "trace_id",
    "string",
    "What the action of a user is known by, for the log.",
);
const ID: Parameter = parameter("id", "string", "The identifier.");
const KEY: Parameter = parameter("key", "string", "The key of the row.");
const TEXT: Parameter = parameter(
    "text",
    "string",
    "A part of the name, the description or the identifier, in any case.",
);
const OFFSET: Parameter = parameter("offset", "integer", "How many to pass over.");
const LIMIT: Parameter = parameter(
    "limit",
    "integer",
    "How many to give: 100 unless said otherwise, 1000 at most.",
);
const ACTIVE: Parameter = parameter(
    "active",
    "boolean",
    "Only rules that are active, or only others.",
);
const RETRO: Parameter = parameter(
    "retro",
    "boolean",
    "Only rules for the past, or only others.",
);

type Answers = &'static [(u16, &'static str, Option<&'static str>)];

/// A description; the schemas depend on how strict the server is.
const fn about(
    parameters: &'static [Parameter],
    body: Option<&'static str>,
    answers: Answers,
) -> About {
    About {
        tag: TAG,
        parameters,
        body,
        body_required: body.is_some(),
        answers,
        refusal: Some("Refusal"),
        schemas: None,
    }
}

const BAD: (u16, &str, Option<&str>) = (
    400,
    "Fields are missing or wrong; nothing was done.",
    Some("Refusal"),
);
const MISSING: (u16, &str, Option<&str>) = (404, "There is no such thing.", Some("Refusal"));
const TAKEN: (u16, &str, Option<&str>) = (
    409,
    "Another one has this name or identifier; nothing was done.",
    Some("Refusal"),
);

macro_rules! answers {
    ($status:literal $schema:literal $what:literal $(, $more:ident)*) => {
        &[($status, $what, Some($schema)) $(, $more)*]
    };
}

/// Descriptions of calls.
pub const RULE_CREATE: About = about(
    &[TRACE],
    Some("NewRule"),
    answers!(201 "Rule" "The rule as it is stored.", BAD, TAKEN),
);
/// See [`RULE_CREATE`].
pub const RULE_LIST: About = about(
    &[TEXT, ACTIVE, RETRO, OFFSET, LIMIT, TRACE],
    None,
    answers!(200 "RulePage" "A part of the rules.", BAD),
);
/// See [`RULE_CREATE`].
pub const RULE_SHOW: About = about(
    &[ID, TRACE],
    None,
    answers!(200 "Rule" "The rule.", MISSING),
);
/// See [`RULE_CREATE`].
pub const RULE_UPDATE: About = about(
    &[ID, TRACE],
    Some("RuleChange"),
    answers!(200 "Rule" "The rule as it is now.", BAD, MISSING, TAKEN),
);
/// See [`RULE_CREATE`].
pub const RULE_DELETE: About = about(
    &[ID, TRACE],
    None,
    answers!(200 "Rule" "The rule as it was.", MISSING),
);
/// See [`RULE_CREATE`].
pub const RULE_ACTIVE: About = about(
    &[ID, TRACE],
    None,
    answers!(200 "Rule" "The rule as it is now.", MISSING),
);
/// See [`RULE_CREATE`].
pub const RULE_RELATIONS: About = about(
    &[ID, TRACE],
    None,
    answers!(200 "Relations" "What the rule is connected with.", MISSING),
);
/// See [`RULE_CREATE`].
pub const RULE_RESULTS: About = about(
    &[ID, OFFSET, LIMIT, TRACE],
    None,
    answers!(200 "ResultPage" "A part of the alerts.", BAD, MISSING),
);
/// See [`RULE_CREATE`].
pub const RULE_RUN: About = About {
    body_required: false,
    ..about(
        &[ID, TRACE],
        Some("Run"),
        answers!(200 "Report" "What the rule did.", BAD, MISSING),
    )
};
/// See [`RULE_CREATE`].
pub const ROW_LIST: About = about(
    &[ID, OFFSET, LIMIT, TRACE],
    None,
    answers!(200 "RowPage" "A part of the rows.", BAD, MISSING),
);
/// See [`RULE_CREATE`].
pub const ROWS_PUT: About = about(
    &[ID, TRACE],
    Some("NewRows"),
    answers!(200 "Stored" "How many rows were written.", BAD, MISSING),
);
/// See [`RULE_CREATE`].
pub const ROWS_CLEAR: About = about(
    &[ID, TRACE],
    None,
    answers!(200 "Removed" "How many rows were removed.", MISSING),
);
/// See [`RULE_CREATE`].
pub const ROW_SHOW: About = about(
    &[ID, KEY, TRACE],
    None,
    answers!(200 "Row" "The row.", MISSING),
);
/// See [`RULE_CREATE`].
pub const ROW_PUT: About = about(
    &[ID, KEY, TRACE],
    Some("RowChange"),
    answers!(200 "Row" "The row as it is now.", BAD, MISSING),
);
/// See [`RULE_CREATE`].
pub const ROW_DELETE: About = about(
    &[ID, KEY, TRACE],
    None,
    answers!(200 "Removed" "How many rows were removed.", MISSING),
);

/// The calls about filters, modules, findings or table lists: create, list, show, update, delete, usage.
pub fn of_kind(kind: EntityKind) -> [About; 6] {
    macro_rules! kind {
        ($name:literal) => {
            [
                const { about(&[TRACE], Some(concat!("New", $name)), answers!(201 $name "It as it is stored.", BAD, TAKEN)) },
                const { about(&[TEXT, OFFSET, LIMIT, TRACE], None, &[(200, "A part of them.", Some(concat!($name, "Page"))), BAD]) },
                const { about(&[ID, TRACE], None, answers!(200 $name "It.", MISSING)) },
                const { about(&[ID, TRACE], Some(concat!($name, "Change")), answers!(200 $name "It as it is now.", BAD, MISSING, TAKEN)) },
                const { about(&[ID, TRACE], None, answers!(200 $name "It as it was.", MISSING)) },
                const { about(&[ID, TRACE], None, answers!(200 "Usage" "The rules that are connected with it.", MISSING)) },
            ]
        };
    }
    match kind {
        EntityKind::Filter => kind!("Filter"),
        EntityKind::Module => kind!("Module"),
        EntityKind::Finding => kind!("Finding"),
        EntityKind::Table => kind!("Table"),
    }
}
