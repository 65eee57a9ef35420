//! The document of OpenAPI 3.1 that describes what is served, made of the endpoints themselves.

use crate::store::serve::{Endpoint, Method, Parameter};
use serde_json::{Map, Value as Json, json};

/// Refusals of the server where a system has no form of its own.
const REFUSAL: &str = "ServerRefusal";

/// What every endpoint may answer that lets in only some.
const GUARDED: [(u16, &str); 2] = [
    (401, "Credentials are missing or wrong."),
    (403, "The right is missing."),
];
/// What comes of a body that is not read.
const BODY: [(u16, &str); 2] = [
    (408, "The body came too slowly."),
    (413, "The body is longer than serve.body."),
];
/// What may always happen.
const ALWAYS: [(u16, &str); 3] = [
    (
        500,
        "The program or its store failed; why stands in the log.",
    ),
    (
        503,
        "There is too much to do, or the server ends; Retry-After says when to try again.",
    ),
    (504, "It took longer than serve.time."),
];

/// The document.
pub fn document(endpoints: &[Endpoint]) -> Json {
    let mut paths: Map<String, Json> = Map::new();
    let mut tags: Vec<&str> = Vec::new();
    let mut schemas = Map::new();
    schemas.insert(REFUSAL.to_owned(), refusal());
    for endpoint in endpoints {
        let path = paths.entry(endpoint.path).or_insert_with(|| json!({}));
        if let Json::Object(path) = path {
            let method = endpoint.method.name().to_lowercase();
            path.insert(method, operation(endpoint));
        }
        if !tags.contains(&tag(endpoint)) {
            tags.push(tag(endpoint));
        }
        if let Some(Json::Object(more)) = endpoint.about.schemas.map(|schemas| schemas()) {
            schemas.extend(more);
        }
    }
    let tags: Vec<Json> = tags.iter().map(|tag| json!({"name": tag})).collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "stellar",
            "summary": "Queries, collections and correlation rules over HTTP.",
            "version": env!("CARGO_PKG_VERSION"),
        },
        "servers": [{"url": "/"}],
        "tags": tags,
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "bearer": {
                    "type": "http", "scheme": "bearer",
                    "description": "One of serve.tokens, or the token of a key.",
                },
                "jwt": {
                    "type": "apiKey", "in": "header", "name": "Authorization",
                    "description": "The word jwt, a blank, and a JSON Web Token signed with serve.jwt_secret.",
                },
                "signature": {
                    "type": "apiKey", "in": "header", "name": "x-logtrust-apikey",
                    "description": "The key, with x-logtrust-timestamp and x-logtrust-sign beside it.",
                },
            },
        },
    })
}

fn tag(endpoint: &Endpoint) -> &'static str {
    match endpoint.about.tag {
        "" => "server",
        tag => tag,
    }
}

/// A name for an operation that no other one has.
fn operation_id(endpoint: &Endpoint) -> String {
    let mut id = endpoint.method.name().to_lowercase();
    for part in endpoint.path.split(['/', '_', '.', '{', '}']) {
        let mut letters = part.chars();
        if let Some(first) = letters.next() {
            id.extend(first.to_uppercase());
            id.push_str(letters.as_str());
        }
    }
    id
}

fn operation(endpoint: &Endpoint) -> Json {
    let about = &endpoint.about;
    let mut parameters: Vec<Json> = Vec::new();
    for name in open_parts(endpoint.path) {
        let known = about.parameters.iter().find(|known| known.name == name);
        let what = known.map_or("", |known| known.what);
        parameters.push(json!({
            "name": name, "in": "path", "required": true, "description": what, "schema": {"type": "string"},
        }));
    }
    let open: Vec<&str> = open_parts(endpoint.path).collect();
    let behind = about.parameters.iter();
    parameters.extend(behind.filter(|one| !open.contains(&one.name)).map(query));
    let mut operation = json!({
        "operationId": operation_id(endpoint),
        "summary": endpoint.summary,
        "tags": [tag(endpoint)],
        "parameters": parameters,
    });
    if let Some(body) = about.body {
        let required = about.body_required;
        operation["requestBody"] = json!({"required": required, "content": content(body)});
    }
    operation["responses"] = responses(endpoint);
    match endpoint.right {
        Some(right) => {
            operation["security"] = json!([{"bearer": []}, {"jwt": []}, {"signature": []}]);
            operation["x-right"] = json!(right.name());
        }
        None => operation["security"] = json!([]),
    }
    operation
}

/// The names of the parts of a path that are open.
fn open_parts(path: &'static str) -> impl Iterator<Item = &'static str> {
    let parts = path.split('/');
    parts.filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

fn query(one: &Parameter) -> Json {
    let mut schema = json!({"type": one.kind});
    if one.kind == "integer" {
        schema["minimum"] = json!(0);
    }
    json!({"name": one.name, "in": "query", "description": one.what, "schema": schema})
}

fn content(schema: &str) -> Json {
    json!({"application/json": {"schema": {"$ref": format!("#/components/schemas/{schema}")}}})
}

fn responses(endpoint: &Endpoint) -> Json {
    let about = &endpoint.about;
    let refusal = about.refusal.unwrap_or(REFUSAL);
    let mut responses = Map::new();
    for (status, what, schema) in about.answers {
        let mut response = json!({"description": what});
        if let Some(schema) = schema {
            response["content"] = content(schema);
        }
        responses.insert(status.to_string(), response);
    }
    if about.answers.is_empty() {
        responses.insert("200".to_owned(), json!({"description": "The answer."}));
    }
    let guarded = endpoint.right.is_some().then_some(GUARDED);
    let reads = matches!(endpoint.method, Method::Post | Method::Put).then_some(BODY);
    let always = (!endpoint.light).then_some(ALWAYS);
    let more = guarded.into_iter().flatten();
    let more = more.chain(reads.into_iter().flatten());
    for (status, what) in more.chain(always.into_iter().flatten()) {
        let response = json!({"description": what, "content": content(refusal)});
        responses.entry(status.to_string()).or_insert(response);
    }
    responses.sort_keys();
    Json::Object(responses)
}

/// The form of [`crate::store::serve::Answer::refuse`].
fn refusal() -> Json {
    json!({
        "type": "object",
        "properties": {
            "msg": {"type": "string", "description": "Why."},
            "status": {"type": "integer", "description": "The status of HTTP."},
            "cid": {"type": "string", "description": "The number of the request in the log."},
            "timestamp": {"type": "integer", "description": "Milliseconds since 1970."},
        },
        "required": ["msg", "status", "cid", "timestamp"],
    })
}
