//! What rules are connected with: filters, modules, findings; and table lists.

use super::fields::{Absent, CODE, Fields, NAME, PROSE};
use super::{Making, Refusal};
use serde_json::{Map, Value as Json, json};

/// A sort of thing with an identifier and a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EntityKind {
    /// A filter of the stream: a Stellar expression.
    Filter,
    /// A module: Lua that rules use.
    Module,
    /// A sort of incident.
    Finding,
    /// A table list, whose rows lie elsewhere.
    Table,
}

impl EntityKind {
    /// All of them.
    pub const ALL: [EntityKind; 4] = [
        EntityKind::Filter,
        EntityKind::Module,
        EntityKind::Finding,
        EntityKind::Table,
    ];

    /// Its name in stores.
    pub fn name(self) -> &'static str {
        match self {
            EntityKind::Filter => "filter",
            EntityKind::Module => "module",
            EntityKind::Finding => "finding",
            EntityKind::Table => "table",
        }
    }

    /// The field with its program, if it has one.
    pub fn program(self) -> Option<&'static str> {
        match self {
            EntityKind::Filter => Some("expression"),
            EntityKind::Module => Some("content"),
            EntityKind::Finding | EntityKind::Table => None,
        }
    }
}

/// A filter, a module, a finding or a table list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entity {
    /// What it is.
    pub kind: EntityKind,
    /// Its identifier.
    pub id: String,
    /// When it was made, as it was written.
    pub created_at: String,
    /// When it was changed.
    pub updated_at: String,
    /// What the action of a user is known by.
    pub trace_id: String,
    /// Its name, which no other of its kind has.
    pub name: String,
    /// What it is about.
    pub description: String,
    /// The expression of a filter, the Lua of a module; empty for the others.
    pub program: String,
    /// The columns of a table list, as they were sent.
    pub columns: Json,
}

impl Entity {
    /// The thing that a request describes. Programs are texts here; whether they can be run is for others to say.
    pub fn create(
        kind: EntityKind,
        body: &Map<String, Json>,
        making: &Making<'_>,
    ) -> Result<Entity, Refusal> {
        let mut fields = Fields::new(body, "");
        let now = || making.now.to_string();
        let id = fields.name("id", Absent::Allowed);
        let created_at = fields.time("created_at", Absent::Allowed);
        let updated_at = fields.time("updated_at", Absent::Allowed);
        let trace_id = fields.text("trace_id", Absent::Allowed, NAME);
        let name = fields.name("name", Absent::Refused);
        let description = fields.text("description", Absent::Allowed, PROSE);
        let program = kind
            .program()
            .and_then(|field| fields.text(field, Absent::Refused, CODE));
        let columns = match kind {
            EntityKind::Table => fields.get("values_scheme", Absent::Allowed).cloned(),
            _ => None,
        };
        if columns
            .as_ref()
            .is_some_and(|c| !(c.is_object() || c.is_array()))
        {
            fields.wrong("values_scheme", "must be an object or a list");
        }
        fields.end()?;
        Ok(Entity {
            kind,
            id: id.unwrap_or_else(|| (making.id)()),
            created_at: created_at.unwrap_or_else(now),
            updated_at: updated_at.unwrap_or_else(now),
            trace_id: trace_id.unwrap_or_else(|| (making.id)()),
            name: name.unwrap_or_default(),
            description: description.unwrap_or_default(),
            program: program.unwrap_or_default(),
            columns: columns.unwrap_or_default(),
        })
    }

    /// The thing after a request that changes some of its fields.
    pub fn update(&self, body: &Map<String, Json>, making: &Making<'_>) -> Result<Entity, Refusal> {
        match body.get("id") {
            None | Some(Json::Null) => {}
            Some(Json::String(id)) if *id == self.id => {}
            Some(_) => return Err(Refusal::bad("id", "cannot be changed")),
        }
        let Json::Object(mut whole) = self.to_json() else {
            return Err(Refusal::bad("", "what is stored is no object"));
        };
        for (name, value) in body {
            let kept = ["id", "created_at", "updated_at", "trace_id"].contains(&name.as_str());
            if !(value.is_null() && kept) {
                whole.insert(name.clone(), value.clone());
            }
        }
        let changed = Entity::create(self.kind, &whole, making)?;
        let updated_at = match changed.updated_at == self.updated_at {
            true => making.now.to_string(),
            false => changed.updated_at,
        };
        Ok(Entity {
            updated_at,
            ..changed
        })
    }

    /// The thing as the API answers.
    pub fn to_json(&self) -> Json {
        let mut json = json!({
            "id": self.id,
            "created_at": self.created_at,
            "updated_at": self.updated_at,
            "trace_id": self.trace_id,
            "name": self.name,
            "description": self.description,
        });
        if let Json::Object(map) = &mut json {
            if let Some(field) = self.kind.program() {
                map.insert(field.to_string(), json!(self.program));
            }
            if self.kind == EntityKind::Table {
                map.insert("values_scheme".to_string(), self.columns.clone());
            }
        }
        json
    }
}
