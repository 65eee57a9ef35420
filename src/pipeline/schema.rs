//! A JSON Schema of the files of pipelines, for editors, and the reference of all actions.

use super::spec::{ActionSpec, Actions, ParameterKind, ParameterSpec, usual};
use serde_json::{Map, Value as Json, json};
use std::fmt::Write as _;

/// The schema, in the draft of 2020-12.
pub fn schema(actions: &Actions) -> Json {
    let names: Vec<&str> = actions.iter().map(|spec| spec.name).collect();
    let of_action = |spec: &ActionSpec| {
        json!({
            "if": {"properties": {"name": {"const": spec.name}}, "required": ["name"]},
            "then": {"$ref": format!("#/$defs/{}", spec.name)},
        })
    };
    let mut defs = Map::new();
    defs.insert(
        "step".to_owned(),
        json!({
            "type": "object",
            "required": ["name"],
            "properties": {"name": {"enum": names, "description": "The action."}},
            "allOf": actions.iter().map(of_action).collect::<Vec<_>>(),
        }),
    );
    for spec in actions.iter() {
        defs.insert(spec.name.to_owned(), action(spec));
    }
    let map = |about: &str| json!({"type": ["object", "null"], "description": about});
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Pipelines",
        "description": "Tagged events through actions, for `stellar pipeline run`.",
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "pipelines": {
                "type": ["object", "null"],
                "description": "Lists of steps by name.",
                "additionalProperties": {
                    "type": "array",
                    "maxItems": 1000,
                    "items": {"$ref": "#/$defs/step"},
                },
            },
            "variables": map("Values that {name} stands for in texts."),
            "include": {"type": ["string", "null"], "description": "A pattern of files, each a list of steps."},
            "states": {
                "type": ["object", "null"],
                "description": "Where counters are served.",
                "additionalProperties": false,
                "properties": {
                    "ip": {"type": "string"},
                    "port": {"type": "integer", "minimum": 0, "maximum": 65535},
                },
            },
            "privileges": map("Accepted; nothing is done."),
            "tests": {"type": ["array", "null"], "items": {"type": "object"}, "description": "Cases for `stellar pipeline test`."},
        },
        "$defs": defs,
    })
}

fn action(spec: &ActionSpec) -> Json {
    let mut properties = Map::new();
    properties.insert("name".to_owned(), json!({"const": spec.name}));
    let (mut required, mut either) = (vec!["name"], Vec::new());
    for parameter in usual(spec.kind).iter().chain(spec.parameters) {
        properties.insert(parameter.name.to_owned(), described(parameter));
        for old in parameter.also {
            let mut old_one = described(parameter);
            if let Some(fields) = old_one.as_object_mut() {
                fields.insert("deprecated".to_owned(), json!(true));
            }
            properties.insert((*old).to_owned(), old_one);
        }
        match (parameter.required, parameter.also) {
            (true, []) => required.push(parameter.name),
            (true, also) => {
                let names = std::iter::once(&parameter.name).chain(also);
                let names: Vec<Json> = names.map(|name| json!({"required": [name]})).collect();
                either.push(json!({"anyOf": names}));
            }
            (false, _) => {}
        }
    }
    let mut json = json!({
        "type": "object",
        "description": spec.summary,
        "required": required,
        "additionalProperties": false,
        "properties": properties,
    });
    if let (false, Some(fields)) = (either.is_empty(), json.as_object_mut()) {
        fields.insert("allOf".to_owned(), Json::Array(either));
    }
    json
}

/// What may stand for a parameter. A text with braces may be a variable of any kind.
fn described(parameter: &ParameterSpec) -> Json {
    let template = json!({"type": "string", "pattern": "\\{"});
    let or_text = |kind: &str, pattern: &str| json!([{"type": kind}, {"type": "string", "pattern": pattern}, template]);
    let (key, value) = match parameter.kind {
        ParameterKind::Text
        | ParameterKind::Path
        | ParameterKind::Pattern
        | ParameterKind::Expression => ("anyOf", json!([{"type": "string"}])),
        ParameterKind::Texts => (
            "anyOf",
            json!([{"type": "string"}, {"type": "array", "items": {"type": "string"}}]),
        ),
        ParameterKind::Whole => ("anyOf", or_text("integer", "^\\s*[+-]?[0-9]+\\s*$")),
        ParameterKind::Number => (
            "anyOf",
            or_text("number", "^\\s*[+-]?[0-9.]+([eE][+-]?[0-9]+)?\\s*$"),
        ),
        ParameterKind::Seconds => (
            "anyOf",
            or_text(
                "number",
                "^\\s*[0-9.]+\\s*([mM][sS]|[sS]|[mM]|[mM][iI][nN]|[hH]|[dD])?\\s*$",
            ),
        ),
        ParameterKind::Flag => (
            "anyOf",
            or_text(
                "boolean",
                "^([tT][rR][uU][eE]|[yY][eE][sS]|[oO][nN]|[fF][aA][lL][sS][eE]|[nN][oO]|[oO][fF][fF])$",
            ),
        ),
        ParameterKind::Choice(words) => ("anyOf", json!([{"enum": words}, template])),
        ParameterKind::Map => ("anyOf", json!([{"type": "object"}])),
        ParameterKind::Any => ("description", json!(parameter.about)),
    };
    let mut fields = Map::new();
    fields.insert(key.to_owned(), value);
    let null = !parameter.required && parameter.kind != ParameterKind::Any;
    if let (true, Some(Json::Array(forms))) = (null, fields.get_mut("anyOf")) {
        forms.push(json!({"type": "null"}));
    }
    fields.insert("description".to_owned(), json!(parameter.about));
    if !parameter.default.is_empty() {
        let about = format!("{} ({} unless given)", parameter.about, parameter.default);
        fields.insert("description".to_owned(), json!(about));
    }
    Json::Object(fields)
}

/// All actions as Markdown.
pub fn reference(actions: &Actions) -> String {
    let mut text = String::from(
        "# Actions\n\nWhat may stand in the steps of [pipelines](pipelines.md). This page is made of the declarations \
         by `stellar pipeline list --markdown`.\n",
    );
    let mut kind = None;
    for spec in actions.iter() {
        if kind.replace(spec.kind) != Some(spec.kind) {
            let name = spec.kind.name();
            let (first, rest) = name.split_at(1);
            let _ = writeln!(text, "\n## {}{rest}s", first.to_uppercase());
        }
        let _ = writeln!(text, "\n### {}\n\n{}", spec.name, spec.summary);
        if !spec.details.is_empty() {
            let _ = writeln!(text, "\n{}", spec.details);
        }
        let _ = writeln!(
            text,
            "\n| parameter | what | unless given | |\n|---|---|---|---|"
        );
        for parameter in usual(spec.kind).iter().chain(spec.parameters) {
            let cell = |text: &str| text.replace('|', "\\|");
            let unless = match (parameter.required, parameter.default) {
                (true, _) => "required".to_owned(),
                (false, "") => String::new(),
                (false, default) => format!("`{}`", cell(default)),
            };
            let mut about = cell(parameter.about);
            if !parameter.also.is_empty() {
                let _ = write!(about, " (formerly {})", parameter.also.join(", "));
            }
            let kind = cell(&parameter.kind.in_words());
            let _ = writeln!(
                text,
                "| `{}` | {kind} | {unless} | {about} |",
                parameter.name
            );
        }
        for example in spec.examples {
            let _ = writeln!(text, "\n```yaml\n{example}\n```");
        }
    }
    text
}
