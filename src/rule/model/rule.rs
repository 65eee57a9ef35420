//! A rule as the API knows it.

use super::body::kind;
use super::fields::{Absent, CODE, Fields, NAME, PROSE};
use super::{Reason, Refusal, Relation, Relations};
use crate::rule::trial::wrong_choices;
use serde_json::{Map, Value as Json, json};

/// The program of a rule that comes without one: it logs that an event came.
pub const DEFAULT_LUA: &str = include_str!("default.lua");
/// How many events the test data of a rule has at most.
pub const TEST_EVENTS: usize = 10_000;

/// How rules are made of requests.
pub struct Making<'a> {
    /// Whether all fields that a rule needs must be there, but for `lua`; else identifiers and times are made up.
    pub strict: bool,
    /// Now, as RFC 3339 writes it.
    pub now: &'a str,
    /// Makes an identifier that nothing else has.
    pub id: &'a dyn Fn() -> String,
    /// Makes the program of what the visual constructor drew; paths count from `frontend_data`.
    pub compile: &'a dyn Fn(&Json) -> Result<String, Vec<Reason>>,
}

/// What a rule did, as far as it is counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// How many alerts it raised.
    pub result_count: i64,
    /// How many errors its runs had.
    pub error_count: i64,
}

/// How a rule is run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// Whether calls are counted and timed.
    pub function_metrics: bool,
    /// Whether the visual constructor made it.
    pub is_constructor: bool,
    /// After how many alerts it is suspended.
    pub max_alerts: Option<i64>,
    /// How many alerts a second are let through.
    pub max_alerts_per_second: Option<i64>,
    /// How much memory it may take, in MiB.
    pub max_rule_memory_mb: Option<i64>,
}

impl Settings {
    /// Reads settings: an object, or a list of one.
    pub fn read(value: &Json) -> Result<Settings, Refusal> {
        let (map, prefix) = match value {
            Json::Object(map) => (map, "settings"),
            Json::Array(list) => match list.as_slice() {
                [Json::Object(map)] => (map, "settings.0"),
                [other] => {
                    let reason = format!("must be an object, not {}", kind(other));
                    return Err(Refusal::bad("settings.0", reason));
                }
                list => {
                    let reason = format!("must be a list of one object, not of {}", list.len());
                    return Err(Refusal::bad("settings", reason));
                }
            },
            other => {
                let reason = format!("must be an object or a list of one, not {}", kind(other));
                return Err(Refusal::bad("settings", reason));
            }
        };
        let mut fields = Fields::new(map, prefix);
        let settings = Settings {
            function_metrics: fields
                .boolean("function_metrics", Absent::Allowed)
                .unwrap_or(false),
            is_constructor: fields
                .boolean("is_constructor", Absent::Allowed)
                .unwrap_or(false),
            max_alerts: fields.count("max_alerts", Absent::Allowed),
            max_alerts_per_second: fields.count("max_alerts_per_second", Absent::Allowed),
            max_rule_memory_mb: fields.count("max_rule_memory_mb", Absent::Allowed),
        };
        fields.end()?;
        Ok(settings)
    }
}

/// A rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Its identifier.
    pub id: String,
    /// When it was made, as it was written.
    pub created_at: String,
    /// When it was changed.
    pub updated_at: String,
    /// What the action of a user is known by.
    pub trace_id: String,
    /// Its name, which no other rule has.
    pub name: String,
    /// What the visual constructor drew: an object or null.
    pub frontend_data: Json,
    /// Events to try it with: a list of objects, or null.
    pub test_data: Json,
    /// How it is run, in the form in which it was sent.
    pub settings: Json,
    /// Whether it is run.
    pub active: bool,
    /// Whether it is loaded anew after a change.
    pub reload: bool,
    /// The sort of incident that it is about.
    pub finding_id: String,
    /// What it is about.
    pub description: String,
    /// Its program.
    pub lua: String,
    /// Whether it is run over the past.
    pub is_retro: bool,
    /// Whether it is a rule of the system.
    pub is_system: bool,
    /// What it did.
    pub stats: Stats,
    /// How many errors it has.
    pub is_error: i64,
    /// When it was started.
    pub running_at: String,
}

impl Rule {
    /// The rule that a request describes, and what it is to be connected with.
    pub fn create(
        body: &Map<String, Json>,
        making: &Making<'_>,
    ) -> Result<(Rule, Relations), Refusal> {
        let wrong = options(body);
        match Rule::read(body, making) {
            Err(Refusal::Bad(reasons)) => Err(Refusal::Bad([reasons, wrong].concat())),
            Ok(_) if !wrong.is_empty() => Err(Refusal::Bad(wrong)),
            other => other,
        }
    }

    fn read(body: &Map<String, Json>, making: &Making<'_>) -> Result<(Rule, Relations), Refusal> {
        let generated = match making.strict {
            true => Absent::Refused,
            false => Absent::Allowed,
        };
        let mut fields = Fields::new(body, "");
        let id = fields.name("id", generated);
        let created_at = fields.time("created_at", generated);
        let updated_at = fields.time("updated_at", generated);
        let trace_id = fields.text("trace_id", generated, NAME);
        let name = fields.name("name", Absent::Refused);
        let frontend_data = fields.object("frontend_data", Absent::Allowed);
        let frontend_data = frontend_data.map_or(Json::Null, |map| Json::Object(map.clone()));
        let test_data = test_data(&mut fields);
        let settings = fields.get("settings", Absent::Refused);
        let read = settings.map(Settings::read);
        let active = fields.boolean("active", Absent::Refused);
        let reload = fields.boolean("reload", Absent::Refused);
        let finding_id = fields.text("finding_id", Absent::Refused, NAME);
        let description = fields.text("description", Absent::Refused, PROSE);
        let lua = fields.text("lua", Absent::Allowed, CODE);
        let is_retro = fields.boolean("is_retro", Absent::Refused);
        let is_system = fields.boolean("is_system", Absent::Refused);
        let stats = stats(&mut fields);
        let is_error = fields.count("is_error", generated);
        let running_at = fields.time("running_at", generated);
        let relations = Relations::read(body, &mut fields.reasons);
        let mut reasons = std::mem::take(&mut fields.reasons);
        let read = match read {
            Some(Ok(settings)) => settings,
            Some(Err(Refusal::Bad(wrong))) => {
                reasons.extend(wrong);
                Settings::default()
            }
            _ => Settings::default(),
        };
        let drawn = read.is_constructor && !frontend_data.is_null() && !body.contains_key("lua");
        let lua = match lua {
            Some(lua) if !lua.is_empty() => lua,
            _ if drawn && reasons.is_empty() => match (making.compile)(&frontend_data) {
                Ok(lua) => lua,
                Err(wrong) => {
                    reasons.extend(wrong.into_iter().map(|one| Reason {
                        path: match one.path.as_str() {
                            "" => "frontend_data".to_string(),
                            path => format!("frontend_data.{path}"),
                        },
                        reason: one.reason,
                    }));
                    String::new()
                }
            },
            _ => DEFAULT_LUA.to_string(),
        };
        let now = || making.now.to_string();
        // What is missing here was noted above as a reason.
        let rule = Rule {
            id: id.unwrap_or_else(|| (making.id)()),
            created_at: created_at.unwrap_or_else(now),
            updated_at: updated_at.unwrap_or_else(now),
            trace_id: trace_id.unwrap_or_else(|| (making.id)()),
            name: name.unwrap_or_default(),
            frontend_data,
            test_data,
            settings: settings.cloned().unwrap_or_default(),
            active: active.unwrap_or_default(),
            reload: reload.unwrap_or_default(),
            finding_id: finding_id.unwrap_or_default(),
            description: description.unwrap_or_default(),
            lua,
            is_retro: is_retro.unwrap_or_default(),
            is_system: is_system.unwrap_or_default(),
            stats,
            is_error: is_error.unwrap_or_default(),
            running_at: running_at.unwrap_or_else(now),
        };
        match reasons.is_empty() {
            true => Ok((rule, relations)),
            false => Err(Refusal::Bad(reasons)),
        }
    }

    /// The rule after a request that changes some of its fields. What it counts and when it was started stay; when it
    /// was changed is now, unless the request says another time than the rule does.
    pub fn update(
        &self,
        body: &Map<String, Json>,
        making: &Making<'_>,
    ) -> Result<(Rule, Relations), Refusal> {
        match body.get("id") {
            None | Some(Json::Null) => {}
            Some(Json::String(id)) if *id == self.id => {}
            Some(_) => return Err(Refusal::bad("id", "cannot be changed")),
        }
        let Json::Object(mut whole) = self.to_json() else {
            return Err(Refusal::bad("", "the stored rule is no object"));
        };
        let kept = [
            "id",
            "created_at",
            "updated_at",
            "trace_id",
            "is_error",
            "running_at",
        ];
        for (name, value) in body {
            if !(value.is_null() && kept.contains(&name.as_str())) {
                whole.insert(name.clone(), value.clone());
            }
        }
        let drawn_anew = body.get("frontend_data").is_some_and(Json::is_object);
        if drawn_anew && !body.contains_key("lua") {
            // The program belongs to what was drawn before, where the constructor made it.
            let settings = whole.get("settings").map(Settings::read);
            if settings.is_some_and(|read| read.is_ok_and(|settings| settings.is_constructor)) {
                whole.remove("lua");
            }
        }
        let lenient = Making {
            strict: false,
            ..*making
        };
        // What was stored before options were looked at can still be changed.
        let (rule, relations) = match body.contains_key("settings") {
            true => Rule::create(&whole, &lenient)?,
            false => Rule::read(&whole, &lenient)?,
        };
        let updated_at = match rule.updated_at == self.updated_at {
            true => making.now.to_string(),
            false => rule.updated_at,
        };
        let rule = Rule {
            updated_at,
            stats: self.stats,
            is_error: self.is_error,
            running_at: self.running_at.clone(),
            ..rule
        };
        Ok((rule, relations))
    }

    /// How it is run.
    pub fn settings(&self) -> Settings {
        // They were read before they were stored.
        Settings::read(&self.settings).unwrap_or_default()
    }

    /// The events to try it with.
    pub fn test_events(&self) -> &[Json] {
        self.test_data.as_array().map_or(&[], Vec::as_slice)
    }

    /// The rule as the API answers: every field, relations null.
    pub fn to_json(&self) -> Json {
        let mut json = json!({
            "id": self.id,
            "created_at": self.created_at,
            "updated_at": self.updated_at,
            "trace_id": self.trace_id,
            "name": self.name,
            "frontend_data": self.frontend_data,
            "test_data": self.test_data,
            "settings": self.settings,
            "active": self.active,
            "reload": self.reload,
            "finding_id": self.finding_id,
            "description": self.description,
            "lua": self.lua,
            "is_retro": self.is_retro,
            "is_system": self.is_system,
            "stats": {
                "result_count": self.stats.result_count,
                "error_count": self.stats.error_count,
            },
            "is_error": self.is_error,
            "running_at": self.running_at,
        });
        if let Json::Object(map) = &mut json {
            for relation in Relation::ALL {
                map.insert(relation.field().to_string(), Json::Null);
            }
        }
        json
    }
}

/// What is wrong with the choices in the settings of a request.
fn options(body: &Map<String, Json>) -> Vec<Reason> {
    let (settings, prefix) = match body.get("settings") {
        Some(Json::Array(list)) => (list.first(), "settings.0"),
        settings => (settings, "settings"),
    };
    let options = settings.and_then(|settings| settings.get("options"));
    let wrong = options.map(wrong_choices).unwrap_or_default().into_iter();
    let reason = |(key, why): (String, String)| match key.as_str() {
        "" => Reason::new(format!("{prefix}.options"), why),
        key => Reason::new(format!("{prefix}.options.{key}"), why),
    };
    wrong.map(reason).collect()
}

/// A list of objects, or null.
fn test_data(fields: &mut Fields<'_>) -> Json {
    let Some(list) = fields.list("test_data", Absent::Allowed) else {
        return Json::Null;
    };
    if list.len() > TEST_EVENTS {
        let reason = format!("has {} events; {TEST_EVENTS} are allowed", list.len());
        fields.wrong("test_data", reason);
    }
    for (index, event) in list.iter().enumerate() {
        if !event.is_object() {
            let reason = format!("must be an object, not {}", kind(event));
            fields.wrong(&format!("test_data.{index}"), reason);
        }
    }
    Json::Array(list.clone())
}

fn stats(fields: &mut Fields<'_>) -> Stats {
    let Some(map) = fields.object("stats", Absent::Allowed) else {
        return Stats::default();
    };
    let mut inner = Fields::new(map, "stats");
    let stats = Stats {
        result_count: inner
            .count("result_count", Absent::Allowed)
            .unwrap_or_default(),
        error_count: inner
            .count("error_count", Absent::Allowed)
            .unwrap_or_default(),
    };
    fields.reasons.extend(inner.reasons);
    stats
}
