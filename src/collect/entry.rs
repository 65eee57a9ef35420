//! What a collection holds, and what is known about it.

use super::key::{Base, Field, Key, Kind};
use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::eval::Value;
use serde_json::{Value as Json, json};
use smol_str::SmolStr;

/// The field of an entry with values that holds the date of its event.
pub const EVENTDATE: &str = "eventdate";

/// Something that was seen. Times are milliseconds since 1970.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its key.
    pub key: Key,
    /// When it was seen.
    pub date: i64,
    /// When it is forgotten.
    pub expires: i64,
    /// What came with it, where the collection keeps that; a null is left out. [`EVENTDATE`] is not among it.
    pub fields: Option<Vec<(SmolStr, Value)>>,
}

/// What a store knows about a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// When it was last seen.
    pub date: i64,
    /// When it is forgotten, by the clock of the store; `None` for never.
    pub expires: Option<i64>,
    /// What came with it, as texts, by name.
    pub fields: Option<Vec<(SmolStr, SmolStr)>>,
}

/// What is known about a collection, kept beside its entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// The name that people call it by (`friendlyName`).
    pub name: SmolStr,
    /// Whose it is.
    pub domain: SmolStr,
    /// What it is for.
    pub description: SmolStr,
    /// For how many seconds an entry is kept after its event.
    pub expire_in: i64,
    /// What its keys are made of.
    pub key_fields: Vec<Field>,
    /// What is kept with each key; empty for the date alone.
    pub value_fields: Vec<Field>,
}

impl About {
    /// What its keys begin with.
    pub fn base(&self) -> Base {
        Base::new(&self.domain, &self.name)
    }

    /// The JSON that stores keep.
    pub fn json(&self) -> Json {
        let fields = |fields: &[Field]| {
            let field = |f: &Field| json!({"name": f.name.as_str(), "type": f.kind.name()});
            fields.iter().map(field).collect::<Vec<_>>()
        };
        json!({
            "friendlyName": self.name.as_str(),
            "domain": self.domain.as_str(),
            "description": self.description.as_str(),
            "expireIn": self.expire_in,
            "keyFields": fields(&self.key_fields),
            "valueFields": fields(&self.value_fields),
        })
    }

    /// Reads what [`About::json`] wrote; parts that may be left out may be missing. E0605 for what it cannot be.
    pub fn read(text: &str) -> Outcome<About> {
        let damaged = |what: String| {
            let message = format!("what is kept about a collection cannot be read: {what}");
            Diagnostic::new(Code::DamagedValue, message)
        };
        let tree: Json = serde_json::from_str(text).map_err(|error| damaged(error.to_string()))?;
        let text = |key: &str| tree.get(key).and_then(Json::as_str);
        let missing = |key: &str| damaged(format!("{key} is missing"));
        let fields = |key: &str| -> Outcome<Vec<Field>> {
            let list = tree.get(key).and_then(Json::as_array);
            let list = list.map_or(&[][..], Vec::as_slice);
            let field = |field: &Json| {
                let name = field.as_str().or_else(|| field.get("name")?.as_str());
                let kind = field.get("type").and_then(Json::as_str).unwrap_or("");
                let kind = Kind::named(kind).unwrap_or_default();
                name.map(|name| Field::new(name, kind))
                    .ok_or_else(|| damaged(format!("{key} has a field without a name")))
            };
            list.iter().map(field).collect()
        };
        Ok(About {
            name: text("friendlyName")
                .ok_or_else(|| missing("friendlyName"))?
                .into(),
            domain: text("domain").ok_or_else(|| missing("domain"))?.into(),
            description: text("description").unwrap_or("").into(),
            expire_in: tree.get("expireIn").and_then(Json::as_i64).unwrap_or(0),
            key_fields: fields("keyFields")?,
            value_fields: fields("valueFields")?,
        })
    }
}
