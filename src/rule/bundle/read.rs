//! Reading rules of a text: Lua, or JSON in the API's shape.

use super::{Bundle, PARTS, drawn, now};
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome};
use crate::eval::Context;
use crate::rule::identifier;
use crate::rule::model::{
    Entity, EntityKind, Making, Refusal, Relation, Relations, Rule, read_body,
};
use serde_json::{Map, Value as Json, json};

/// What else is said of rules, where they themselves do not say it, or against what they say.
#[derive(Debug, Clone, Default)]
pub struct Given {
    /// The name of a rule that has none.
    pub name: String,
    /// Fields that are taken instead of those of the text.
    pub fields: Map<String, Json>,
    /// Filters beside those of the text: expressions.
    pub filters: Vec<String>,
    /// Modules beside those of the text: names and Lua.
    pub modules: Vec<(String, String)>,
}

/// Fields that list rules where an answer holds them.
const LISTS: [&str; 5] = ["items", "rules", "logmule_go_rules", "data", "results"];

/// Whether a text is rules in JSON; no Lua begins so.
pub fn is_json(text: &str) -> bool {
    text.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}')
        .starts_with(['{', '['])
}

/// The rules of a text. Lua is one rule. JSON is a rule in the API's shape, or several: a list, one after the other, or
/// an answer that lists them; what is missing there is usual. Errors: E0413 with the place.
pub fn read(text: &str, given: &Given, context: &Context) -> Outcome<Vec<Bundle>> {
    if !is_json(text) {
        let mut body = Map::new();
        body.insert("lua".to_string(), json!(text));
        let bundle = Bundle::read(body, given, context).map_err(|refusal| told(&refusal))?;
        return Ok(vec![bundle]);
    }
    let mut bundles = Vec::new();
    for (line, object) in objects(text)? {
        let placed = |refusal: Refusal| match line {
            1 => told(&refusal),
            line => {
                let mut fault = told(&refusal);
                fault.message = format!("line {line}: {}", fault.message);
                fault
            }
        };
        let body = read_body(object.as_bytes()).map_err(placed)?;
        for body in rules_of(body) {
            context.check_cancelled()?;
            bundles.push(Bundle::read(body, given, context).map_err(placed)?);
        }
    }
    match bundles.is_empty() {
        true => Err(Diagnostic::new(Code::BadRule, "there is no rule in it")),
        false => Ok(bundles),
    }
}

/// A refusal as an error.
pub fn told(refusal: &Refusal) -> Fault {
    Diagnostic::new(Code::BadRule, refusal.to_string())
}

/// The objects of a text with their lines, whether they stand in a list, one after the other, or alone.
fn objects(text: &str) -> Outcome<Vec<(usize, &str)>> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let (mut at, mut line) = (0, 1);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'{' => {
                let end = behind(bytes, at);
                let object = text.get(at..end).unwrap_or_default();
                found.push((line, object));
                line += object.matches('\n').count();
                at = end;
                continue;
            }
            b'\n' => line += 1,
            b' ' | b'\t' | b'\r' | b',' | b'[' | b']' | 0xEF | 0xBB | 0xBF => {}
            _ => {
                let rest = text.get(at..).unwrap_or_default();
                let shown: String = rest.chars().take(20).collect();
                let message = format!("line {line}: a rule is an object, not {shown:?}");
                return Err(Diagnostic::new(Code::BadRule, message));
            }
        }
        at += 1;
    }
    Ok(found)
}

/// The end of the object that begins at `at`; the end of all where it is not closed.
fn behind(bytes: &[u8], mut at: usize) -> usize {
    let mut depth = 0usize;
    let mut inside = false;
    while let Some(byte) = bytes.get(at) {
        at += 1;
        match byte {
            b'\\' if inside => at += 1,
            b'"' => inside = !inside,
            _ if inside => {}
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at;
                }
            }
            _ => {}
        }
    }
    bytes.len()
}

/// The rules of an object: itself, or those that it lists.
fn rules_of(mut body: Map<String, Json>) -> Vec<Map<String, Json>> {
    if body.contains_key("lua") || body.contains_key("name") {
        return vec![body];
    }
    for list in LISTS {
        let Some(Json::Array(items)) = body.get(list) else {
            continue;
        };
        if items.iter().all(Json::is_object)
            && let Some(Json::Array(items)) = body.remove(list)
        {
            let map = |item| match item {
                Json::Object(map) => Some(map),
                _ => None,
            };
            return items.into_iter().filter_map(map).collect();
        }
    }
    vec![body]
}

impl Bundle {
    /// A rule that is given in the API's shape; what is missing is usual. Refused: what the API refuses.
    pub fn read(
        mut body: Map<String, Json>,
        given: &Given,
        context: &Context,
    ) -> Result<Bundle, Refusal> {
        body.extend(given.fields.clone());
        into_settings(&mut body);
        let unnamed = body.get("name").is_none_or(Json::is_null);
        if unnamed && !given.name.is_empty() {
            body.insert("name".to_string(), json!(given.name));
        }
        let now = now(context);
        let making = Making {
            strict: false,
            now: &now,
            id: &identifier,
            compile: &drawn,
        };
        let mut whole = body.clone();
        for (name, usual) in usual() {
            if whole.get(name).is_none_or(Json::is_null) {
                whole.insert(name.to_string(), usual);
            }
        }
        let (rule, relations) = Rule::create(&whole, &making)?;
        let mut bundle = Bundle {
            rule,
            given: body,
            filters: Vec::new(),
            modules: Vec::new(),
            finding: None,
            relations,
            notes: Vec::new(),
        };
        for (relation, kind) in PARTS {
            bundle.take_parts(relation, kind, &making)?;
        }
        let add = |kind: EntityKind, name: String, program: &str| {
            let mut body = Map::new();
            body.insert("name".to_string(), json!(name));
            if let Some(field) = kind.program() {
                body.insert(field.to_string(), json!(program));
            }
            Entity::create(kind, &body, &making)
        };
        for (number, filter) in given.filters.iter().enumerate() {
            let name = match number {
                0 => format!("{}: filter", bundle.rule.name),
                number => format!("{}: filter {}", bundle.rule.name, number + 1),
            };
            let entity = add(EntityKind::Filter, name, filter)?;
            bundle.filters.push(entity);
        }
        for (name, lua) in &given.modules {
            let entity = add(EntityKind::Module, name.clone(), lua)?;
            bundle.modules.push(entity);
        }
        bundle.connect();
        Ok(bundle)
    }

    /// Takes what stands in the place of a relation.
    fn take_parts(
        &mut self,
        relation: Relation,
        kind: EntityKind,
        making: &Making<'_>,
    ) -> Result<(), Refusal> {
        let field = relation.field();
        let items = match self.given.get(field) {
            Some(Json::Array(items)) => items.clone(),
            Some(one @ Json::Object(_)) => vec![one.clone()],
            _ => return Ok(()),
        };
        for (index, item) in items.iter().enumerate() {
            let Json::Object(body) = item else { continue };
            let known = body.get("name").is_some_and(Json::is_string);
            let program = kind.program();
            if !known || program.is_some_and(|field| !body.get(field).is_some_and(Json::is_string))
            {
                let what = match kind {
                    EntityKind::Filter => "a filter without a name and a Stellar expression",
                    EntityKind::Module => "a module without a name and content",
                    _ => "a finding without a name",
                };
                let note = format!("{}: {field}.{index}: {what} is left out", self.rule.name);
                self.notes.push(note);
                continue;
            }
            let entity = Entity::create(kind, body, making).map_err(|refusal| match refusal {
                Refusal::Bad(reasons) => Refusal::Bad(
                    reasons
                        .into_iter()
                        .map(|mut one| {
                            one.path = format!("{field}.{index}.{}", one.path);
                            one
                        })
                        .collect(),
                ),
                other => other,
            })?;
            match kind {
                EntityKind::Filter => self.filters.push(entity),
                EntityKind::Module => self.modules.push(entity),
                _ => self.finding = Some(entity),
            }
        }
        Ok(())
    }

    /// Connects the rule with what came with it.
    fn connect(&mut self) {
        for (relation, kind) in PARTS {
            let parts: Vec<String> = self.parts(kind).iter().map(|one| one.id.clone()).collect();
            let named = self.relations.get(relation).map(<[String]>::to_vec);
            if parts.is_empty() && named.is_none() {
                continue;
            }
            let mut ids = named.unwrap_or_default();
            for id in parts {
                if !ids.contains(&id) {
                    ids.push(id);
                }
            }
            self.relations.set(relation, ids);
        }
        // Results lie in the store of the one that raised them.
        let mut relations = Relations::default();
        for (relation, _) in PARTS {
            if let Some(ids) = self.relations.get(relation) {
                relations.set(relation, ids.to_vec());
            }
        }
        self.relations = relations;
    }
}

/// Choices among readings may stand beside the settings, and lie in them.
fn into_settings(body: &mut Map<String, Json>) {
    let Some(options @ Json::Object(_)) = body.get("options").cloned() else {
        return;
    };
    let settings = body.entry("settings").or_insert(Json::Null);
    if settings.is_null() {
        *settings = json!({});
    }
    let settings = match settings {
        Json::Array(list) => list.first_mut(),
        other => Some(other),
    };
    if let Some(Json::Object(settings)) = settings {
        settings.entry("options").or_insert(options);
    }
}

/// What a rule in a file need not say.
fn usual() -> [(&'static str, Json); 7] {
    [
        ("settings", json!({})),
        ("active", json!(false)),
        ("reload", json!(true)),
        ("finding_id", json!("")),
        ("description", json!("")),
        ("is_retro", json!(false)),
        ("is_system", json!(false)),
    ]
}
