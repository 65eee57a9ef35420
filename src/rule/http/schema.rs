//! What requests and answers look like, in JSON Schema.

use crate::rule::model::{EntityKind, Relation};
use serde_json::{Map, Value as Json, json};

fn text(what: &str) -> Json {
    json!({"type": "string", "description": what})
}

fn name(what: &str) -> Json {
    json!({"type": "string", "minLength": 1, "maxLength": 1024, "description": what})
}

fn time(what: &str) -> Json {
    json!({"type": "string", "format": "date-time", "description": what})
}

fn count(what: &str) -> Json {
    json!({"type": "integer", "minimum": 0, "description": what})
}

fn flag(what: &str) -> Json {
    json!({"type": "boolean", "description": what})
}

fn free(kind: Json, what: &str) -> Json {
    json!({"type": kind, "description": what})
}

fn named(schema: &str) -> Json {
    json!({"$ref": format!("#/components/schemas/{schema}")})
}

fn list(items: Json) -> Json {
    json!({"type": "array", "items": items})
}

fn object(fields: Vec<(&str, Json)>, required: &[&str]) -> Json {
    let fields: Map<String, Json> = fields
        .into_iter()
        .map(|(name, schema)| (name.to_owned(), schema))
        .collect();
    json!({"type": "object", "properties": fields, "required": required})
}

/// An object with nothing else in it.
fn closed(fields: Vec<(&str, Json)>, required: &[&str]) -> Json {
    let mut schema = object(fields, required);
    schema["additionalProperties"] = json!(false);
    schema
}

/// The same field where it may be null as well.
fn or_null(mut schema: Json) -> Json {
    match schema.get("type").cloned() {
        Some(Json::String(one)) => {
            schema["type"] = json!([one, "null"]);
            schema
        }
        _ => json!({"anyOf": [schema, {"type": "null"}]}),
    }
}

fn page(items: &str) -> Json {
    let fields = vec![
        ("items", list(named(items))),
        ("total", count("How many there are on all pages.")),
        ("offset", count("How many were passed over.")),
        ("limit", count("How many were wanted.")),
        (
            "next",
            or_null(count("The offset of the next page; null at the end.")),
        ),
    ];
    closed(fields, &["items", "total", "offset", "limit", "next"])
}

/// What comes with everything that is stored.
fn head() -> Vec<(&'static str, Json)> {
    vec![
        ("id", name("The identifier.")),
        ("created_at", time("When it was made.")),
        ("updated_at", time("When it was changed.")),
        ("trace_id", text("What the action of a user is known by.")),
    ]
}

/// The fields of a rule that are stored, in their order.
fn rule_fields() -> Vec<(&'static str, Json)> {
    let mut fields = head();
    fields.extend([
        ("name", name("The name, which no other rule has.")),
        ("frontend_data", free(json!(["object", "null"]), "What the visual constructor drew.")),
        ("test_data", json!({"type": ["array", "null"], "items": {"type": "object"}, "description": "Events to try the rule with."})),
        ("settings", json!({
            "description": "How it is run: an object, or a list of one; it comes back as it was sent.",
            "anyOf": [named("SettingRule"), {"type": "array", "items": named("SettingRule"), "minItems": 1, "maxItems": 1}],
        })),
        ("active", flag("Whether it is run.")),
        ("reload", flag("Whether it is loaded anew after a change.")),
        ("finding_id", text("The sort of incident that it is about.")),
        ("description", text("What it is about.")),
        ("lua", text("The program.")),
        ("is_retro", flag("Whether it is run over the past.")),
        ("is_system", flag("Whether it is a rule of the system, which administrators change only.")),
        ("stats", named("Stats")),
        ("is_error", count("How many errors it has had since it was started.")),
        ("running_at", time("When it was started.")),
    ]);
    fields
}

/// What is made when it does not come.
const MADE: [&str; 6] = [
    "id",
    "created_at",
    "updated_at",
    "trace_id",
    "is_error",
    "running_at",
];
/// What may be missing.
const OPTIONAL: [&str; 4] = ["frontend_data", "test_data", "lua", "stats"];

fn names<'a>(fields: &[(&'a str, Json)]) -> Vec<&'a str> {
    fields.iter().map(|(name, _)| *name).collect()
}

fn rule() -> Json {
    let mut fields = rule_fields();
    for relation in Relation::ALL {
        fields.push((
            relation.field(),
            json!({"type": "null", "description": "A relation: always null here."}),
        ));
    }
    let names = names(&fields);
    closed(fields, &names)
}

/// What a new rule has; `None` for a change, which needs nothing.
fn given_rule(strict: Option<bool>) -> Json {
    let fields = rule_fields();
    let mut required = names(&fields);
    let strict_here = strict == Some(true);
    required.retain(|name| {
        let made = MADE.contains(name) && !strict_here;
        strict.is_some() && !OPTIONAL.contains(name) && !made
    });
    let may_be_null = |name: &str| match strict {
        Some(true) => OPTIONAL.contains(&name),
        _ => OPTIONAL.contains(&name) || MADE.contains(&name),
    };
    let mut fields: Vec<_> = fields
        .into_iter()
        .map(|(name, schema)| {
            match may_be_null(name)
                && schema["type"] != json!(["object", "null"])
                && schema["type"] != json!(["array", "null"])
            {
                true => (name, or_null(schema)),
                false => (name, schema),
            }
        })
        .collect();
    for relation in Relation::ALL {
        fields.push((
            relation.field(),
            json!({"description": "Ignored: see _relations."}),
        ));
    }
    fields.push(("_relations", or_null(named("GivenRelations"))));
    object(fields, &required)
}

fn ids(most: Option<u64>) -> Json {
    let mut ids = list(name("An identifier."));
    if let Some(most) = most {
        ids["maxItems"] = json!(most);
    }
    ids
}

fn relations() -> [(&'static str, Json); 2] {
    let mut given = Vec::new();
    for relation in Relation::ALL {
        let most = (relation == Relation::Finding).then_some(1);
        given.push((relation.key(), ids(most)));
        if relation.field() != relation.key() {
            given.push((relation.field(), ids(most)));
        }
    }
    let mut schema = closed(given, &[]);
    schema["description"] = json!(
        "What the rule becomes connected with. Not there: nothing changes; an empty list: nothing any more."
    );
    let shown = vec![
        ("filters", ids(None)),
        ("modules", ids(None)),
        ("finding", ids(Some(1))),
    ];
    [
        ("GivenRelations", schema),
        (
            "Relations",
            closed(shown, &["filters", "modules", "finding"]),
        ),
    ]
}

/// The schemas of filters, modules, findings or table lists: as they are, new, changed, in a page.
fn entities(kind: EntityKind) -> Vec<(String, Json)> {
    let title = match kind {
        EntityKind::Filter => "Filter",
        EntityKind::Module => "Module",
        EntityKind::Finding => "Finding",
        EntityKind::Table => "Table",
    };
    let mut fields = head();
    fields.push(("name", name("The name, which no other of its kind has.")));
    fields.push(("description", text("What it is about.")));
    let mut needed = vec!["name"];
    match kind {
        EntityKind::Filter => {
            fields.push((
                "expression",
                text("A Stellar expression over the fields of an event."),
            ));
            needed.push("expression");
        }
        EntityKind::Module => {
            fields.push(("content", text("Lua that runs before the rules.")));
            needed.push("content");
        }
        EntityKind::Table => {
            let what = "What the columns are, as it was sent.";
            fields.push((
                "values_scheme",
                free(json!(["object", "array", "null"]), what),
            ));
        }
        EntityKind::Finding => {}
    }
    let all = names(&fields);
    let given = || {
        let fields = fields.iter().cloned();
        let fields =
            fields.map(
                |(name, schema)| match needed.contains(&name) || name == "values_scheme" {
                    true => (name, schema),
                    false => (name, or_null(schema)),
                },
            );
        fields.collect::<Vec<_>>()
    };
    vec![
        (title.to_owned(), closed(fields.clone(), &all)),
        (format!("New{title}"), object(given(), &needed)),
        (format!("{title}Change"), object(given(), &[])),
        (format!("{title}Page"), page(title)),
    ]
}

fn report() -> Json {
    let note = |more: Vec<(&'static str, Json)>| {
        let mut fields = vec![
            ("event", count("The number of the event, from 0.")),
            ("text", text("What was said.")),
        ];
        fields.extend(more);
        list(object(fields, &["event", "text"]))
    };
    let place = || {
        vec![
            ("function", text("The function of the rule.")),
            (
                "line",
                json!({"type": ["integer", "null"], "minimum": 1, "description": "The line of the rule."}),
            ),
        ]
    };
    let numbers = |names: &[&'static str]| {
        let mut fields = vec![("function", text("The function of the rule."))];
        fields.extend(names.iter().map(|name| (*name, count(""))));
        let names = self::names(&fields);
        list(object(fields, &names))
    };
    let fields = vec![
        ("events", count("How many events were given.")),
        ("alerts", list(named("Alert"))),
        ("logs", note(place())),
        ("errors", note(place())),
        ("warnings", note(place())),
        ("calls", numbers(&["calls", "errors", "stops"])),
        ("groups", numbers(&["fed", "groups", "late"])),
        ("changes", list(group(true))),
        ("left", list(group(false))),
        (
            "suspended",
            free(json!(["string", "null"]), "Why the rule was suspended."),
        ),
        (
            "filtered",
            count("How many events the filters of the rule kept away."),
        ),
        ("filter_errors", note(Vec::new())),
    ];
    let names = names(&fields);
    closed(fields, &names)
}

/// A group as it is after an event, or as it is left.
fn group(changed: bool) -> Json {
    let mut fields = vec![
        ("function", text("The function of its grouper.")),
        ("key", list(text("A value that it is grouped by."))),
        (
            "events",
            count("How many events it has; 0 when it is gone."),
        ),
        ("unique", count("How many different values they have.")),
    ];
    if changed {
        fields.push(("event", count("The number of the event, from 0.")));
    }
    let names = names(&fields);
    closed(fields, &names)
}

fn alert() -> Json {
    let mut fields = vec![
        ("rule", text("The name of the rule.")),
        (
            "time",
            json!({"type": "integer", "description": "The time of the event, in milliseconds since 1970."}),
        ),
        ("text", text("What the template says.")),
        ("template", text("The template.")),
        (
            "template_error",
            free(json!(["string", "null"]), "Why the template failed."),
        ),
        (
            "risk_level",
            json!({"type": "number", "minimum": 0, "maximum": 10}),
        ),
    ];
    for name in [
        "asset_ip",
        "asset_hostname",
        "asset_fqdn",
        "asset_mac",
        "incident_identifier",
        "incident_group",
    ] {
        fields.push((name, json!({"type": "string"})));
    }
    for name in [
        "create_incident",
        "assign_to_customer",
        "first_and_last_logs",
    ] {
        fields.push((name, json!({"type": "boolean"})));
    }
    fields.extend([
        ("trim_logs", count("How many events are kept at most.")),
        ("logs_total", count("How many events the rule gave.")),
        ("logs", list(json!({"type": "object"}))),
        ("mitre", list(json!({"type": "string"}))),
        ("meta", json!({"description": "What else the rule gave."})),
        ("event", count("The number of the event, from 0.")),
    ]);
    let names = names(&fields);
    object(fields, &names)
}

fn rows() -> Vec<(&'static str, Json)> {
    let cells =
        || json!({"type": "object", "maxProperties": 256, "description": "Cells by column."});
    let until = || or_null(time("When the row is gone; null for never."));
    let ttl = || {
        free(
            json!(["string", "null"]),
            "For how long it lives, such as 90m or 24h.",
        )
    };
    let key = || json!({"type": "string", "maxLength": 1024, "description": "The key."});
    let all = vec![("key", key()), ("cells", cells()), ("until", until())];
    let given = vec![
        ("key", key()),
        ("cells", cells()),
        ("until", until()),
        ("ttl", ttl()),
    ];
    let mut changed = given.clone();
    changed.push(("trace_id", text("")));
    let mut many = list(named("NewRow"));
    many["maxItems"] = json!(super::rows::ROWS);
    vec![
        ("Row", closed(all, &["key", "cells", "until"])),
        ("NewRow", closed(given, &["key", "cells"])),
        ("RowChange", closed(changed, &["cells"])),
        (
            "NewRows",
            closed(vec![("rows", many), ("trace_id", text(""))], &["rows"]),
        ),
        ("RowPage", page("Row")),
        (
            "Stored",
            closed(vec![("stored", count("How many."))], &["stored"]),
        ),
        (
            "Removed",
            closed(vec![("removed", count("How many."))], &["removed"]),
        ),
    ]
}

fn refusal() -> Json {
    let reason = closed(
        vec![
            ("path", text("Where it stands; empty for the whole body.")),
            ("reason", text("What was expected and what was found.")),
        ],
        &["path", "reason"],
    );
    let fields = json!({
        "type": "array",
        "description": "With 400 and 413 what is wrong; with 409 the names of the fields whose values are used.",
        "items": {"anyOf": [reason, {"type": "string"}]},
    });
    let extra = closed(
        vec![
            ("fields", fields),
            ("reason", text("Why, with other statuses.")),
        ],
        &[],
    );
    let fields = vec![
        (
            "error",
            text("The text of the status; name_already_used with 409."),
        ),
        (
            "error_code",
            json!({"type": "integer", "minimum": 400, "maximum": 599}),
        ),
        ("extra", extra),
    ];
    closed(fields, &["error", "error_code"])
}

fn schemas(strict: bool) -> Json {
    let settings = object(
        vec![
            (
                "function_metrics",
                free(
                    json!(["boolean", "null"]),
                    "Whether calls are counted and timed.",
                ),
            ),
            (
                "is_constructor",
                free(
                    json!(["boolean", "null"]),
                    "Whether the visual constructor made it.",
                ),
            ),
            (
                "max_alerts",
                or_null(count("After how many alerts it is suspended.")),
            ),
            (
                "max_alerts_per_second",
                or_null(count("How many alerts a second are let through.")),
            ),
            (
                "max_rule_memory_mb",
                or_null(count("How much memory it may take, in MiB.")),
            ),
        ],
        &[],
    );
    let stats = vec![
        ("result_count", or_null(count("How many alerts it raised."))),
        ("error_count", or_null(count("How many errors it had."))),
    ];
    let result = vec![
        ("id", name("The identifier.")),
        ("rule", text("The rule that raised it.")),
        ("created_at", time("When it was raised.")),
        (
            "alert",
            json!({"type": "object", "description": "The alert."}),
        ),
    ];
    let used = closed(
        vec![("id", text("The rule.")), ("name", text("Its name."))],
        &["id", "name"],
    );
    let usage = vec![("items", list(used)), ("total", count("How many."))];
    let events = list(json!({"type": "object"}));
    let run = closed(
        vec![
            ("events", or_null(events.clone())),
            (
                "options",
                free(
                    json!(["object", "null"]),
                    "Choices among readings, as RULE_EVAL takes them.",
                ),
            ),
            ("trace_id", text("What the action of a user is known by.")),
        ],
        &[],
    );
    let mut all: Map<String, Json> = Map::new();
    let mut add = |name: &str, schema| all.insert(name.to_owned(), schema);
    add("Rule", rule());
    add("NewRule", given_rule(Some(strict)));
    add("RuleChange", given_rule(None));
    add("RulePage", page("Rule"));
    add("SettingRule", settings);
    add("Stats", object(stats, &[]));
    for (name, schema) in relations() {
        add(name, schema);
    }
    add(
        "Result",
        closed(result, &["id", "rule", "created_at", "alert"]),
    );
    add("ResultPage", page("Result"));
    add(
        "Run",
        json!({"description": "Events, or an object with them; without a body the rule's own test_data.", "anyOf": [events, run]}),
    );
    add("Report", report());
    add("Alert", alert());
    add("Usage", closed(usage, &["items", "total"]));
    add("Refusal", refusal());
    for (name, schema) in rows() {
        add(name, schema);
    }
    for kind in EntityKind::ALL {
        for (name, schema) in entities(kind) {
            add(&name, schema);
        }
    }
    Json::Object(all)
}

/// What the names mean.
pub fn lenient() -> Json {
    schemas(false)
}

/// What the names mean where new rules need every field but `lua`.
pub fn strict() -> Json {
    schemas(true)
}
