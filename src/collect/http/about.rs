//! What the calls about queries and tasks need and give, for OpenAPI.

use super::wish::{MODES, NAMES};
use crate::store::serve::{About, Parameter};
use serde_json::{Map, Value as Json, json};

/// The schema of refusals of queries.
const FAILED: &str = "QueryRefusal";

const TYPE: Parameter = Parameter {
    name: "type",
    kind: "string",
    what: "Only tasks with this destination.",
};
const NAME: Parameter = Parameter {
    name: "name",
    kind: "string",
    what: "Only tasks whose names begin so.",
};
const ID: Parameter = Parameter {
    name: "id",
    kind: "string",
    what: "The id or the friendlyName.",
};

/// Of a query.
pub const QUERY: About = About {
    tag: "queries",
    parameters: &[],
    body: Some("Query"),
    body_required: true,
    answers: &[
        (
            200,
            "Rows in the form that mode names (without one this), or the task that was made.",
            Some("QueryAnswer"),
        ),
        (
            400,
            "The request is wrong; object and error say how.",
            Some(FAILED),
        ),
        (502, "A store does not answer.", Some(FAILED)),
    ],
    refusal: None,
    schemas: Some(schemas),
};

const JOBS: About = About {
    tag: "tasks",
    body: None,
    answers: &[(
        200,
        "The tasks; or, with a status that is not 0, why not.",
        Some("TaskList"),
    )],
    ..QUERY
};

/// Of a list of tasks.
pub const LIST: About = About {
    parameters: &[TYPE, NAME],
    ..JOBS
};

/// Of the list of all tasks.
pub const ALL: About = JOBS;

/// Of one task.
pub const ONE: About = About {
    parameters: &[ID],
    answers: &[(
        200,
        "The task; or, with a status that is not 0, why not.",
        Some("TaskAnswer"),
    )],
    ..JOBS
};

fn answer(object: &Json) -> Json {
    json!({
        "type": "object",
        "properties": {
            "msg": {"type": "string", "description": "Why not; empty when all is well."},
            "status": {"type": "integer", "description": "0 when all is well."},
            "cid": {"type": "string", "description": "The number of the request in the log."},
            "timestamp": {"type": "integer", "description": "Milliseconds since 1970."},
            "object": object,
        },
        "required": ["msg", "status", "cid", "timestamp"],
    })
}

fn schemas() -> Json {
    let kind = |name: &str| match name {
        "query" | "queryId" | "timeZone" => json!({"type": ["string", "null"]}),
        "from" | "to" => json!({"type": ["string", "number", "null"]}),
        "limit" | "offset" | "skip" => json!({"type": ["integer", "null"], "minimum": 0}),
        "timeUnit" => json!({"enum": ["SECONDS", "MILLISECONDS", null]}),
        "dateFormat" => json!({"enum": ["default", "sql", "iso", null]}),
        "destination" | "keepAlive" => json!({"type": ["object", "null"]}),
        "mode" => {
            let modes: Vec<&str> = MODES.iter().map(|(name, _)| *name).collect();
            let modes = json!({"enum": modes});
            json!({"anyOf": [modes, {"type": "object", "properties": {"type": modes}}, {"type": "null"}]})
        }
        _ => json!({}),
    };
    let fields: Map<String, Json> = NAMES
        .iter()
        .map(|name| ((*name).to_owned(), kind(name)))
        .collect();
    let task = json!({"$ref": "#/components/schemas/Task"});
    let mut failed = answer(&json!({"type": "array"}));
    failed["properties"]["error"] =
        json!({"type": "object", "description": "The code, the place and what helps."});
    json!({
        "Query": {"type": "object", "properties": fields, "additionalProperties": false},
        "QueryAnswer": answer(&json!({"type": ["array", "object"]})),
        "QueryRefusal": failed,
        "Task": {
            "type": "object",
            "properties": {
                "id": {"type": "string"},
                "status": {"type": "string"},
                "type": {"type": "string"},
                "friendlyName": {"type": "string"},
                "query": {"type": "string"},
                "queryId": {"type": "string"},
                "lastDatetime": {"type": ["integer", "null"]},
                "domain": {"type": "string"},
                "owner": {"type": "string"},
                "eventGenerated": {"type": "integer"},
                "eventsSent": {"type": "integer"},
                "error": {"type": "array"},
                "extra": {"type": "object"},
            },
            "required": ["id", "status", "type", "friendlyName", "query", "domain"],
        },
        "TaskList": answer(&json!({"type": "array", "items": task})),
        "TaskAnswer": answer(&task),
    })
}
