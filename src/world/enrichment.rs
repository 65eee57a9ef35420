//! Enrichments: what is known about an address, a host, a user, looked up by type and indicator.

use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::eval::collections::{Entries, Map, MapKind};
use crate::eval::json::{read_object, write_json};
use crate::eval::text::to_text;
use crate::eval::{Call, Value};
use crate::functions::spec::{Family, FunctionSpec, Kind, Parameter, SPEC, example, required};
use crate::store::{Deadline, Room, Store};
use parking_lot::Mutex;
use rusqlite::{OptionalExtension, params};
use smol_str::SmolStr;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Where enrichments lie in the embedded file.
pub static ENRICHMENT: Room = Room {
    name: "enrichment",
    migrations: &["CREATE TABLE enrichment_value (
        source TEXT NOT NULL, family TEXT NOT NULL, type TEXT NOT NULL, indicator TEXT NOT NULL,
        value TEXT NOT NULL, PRIMARY KEY (source, family, type, indicator)) WITHOUT ROWID"],
    expire: None,
};

/// How many answers are kept; then all are forgotten.
const CACHED: usize = 65_536;

/// Which enrichment is meant.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    /// The table.
    pub table: SmolStr,
    /// The column family.
    pub family: SmolStr,
    /// The type of enrichment.
    pub kind: SmolStr,
    /// What is looked up.
    pub indicator: SmolStr,
}

/// The answers already known: the entries, or that there are none.
type Cache = HashMap<Key, Option<Arc<Entries>>, crate::eval::collections::Hashing>;

/// The service behind ENRICHMENT_GET and ENRICHMENT_EXISTS.
pub struct Enrichments {
    store: Store,
    cache: Mutex<Cache>,
}

impl Enrichments {
    /// Enrichments in this store.
    pub fn new(store: &Store) -> Enrichments {
        Enrichments {
            store: store.clone(),
            cache: Mutex::default(),
        }
    }

    /// What is known; `None` when nothing is. Errors: E0603, and E0306 after the deadline.
    pub fn get(
        &self,
        key: &Key,
        deadline: Deadline,
        cancel: &Arc<AtomicBool>,
    ) -> Outcome<Option<Arc<Entries>>> {
        if let Some(known) = self.cache.lock().get(key) {
            return Ok(known.clone());
        }
        let text: Option<String> = self.store.read_within(&ENRICHMENT, deadline, cancel, |conn| {
            let mut statement = conn.prepare_cached(
                "SELECT value FROM enrichment_value WHERE source = ?1 AND family = ?2 AND type = ?3 AND indicator = ?4",
            )?;
            let row = statement.query_row(
                params![key.table.as_str(), key.family.as_str(), key.kind.as_str(), key.indicator.as_str()],
                |row| row.get(0),
            );
            Ok(row.optional()?)
        })?;
        let found = match text {
            Some(text) => Some(Arc::new(read_object(&text, 256)?.with(Entries::clone))),
            None => None,
        };
        let mut cache = self.cache.lock();
        if cache.len() >= CACHED {
            cache.clear();
        }
        cache.insert(key.clone(), found.clone());
        Ok(found)
    }

    /// Stores enrichments of one type; an indicator that is there gets the new value. Errors: E0603.
    pub fn put(
        &self,
        table: &str,
        family: &str,
        kind: &str,
        rows: Vec<(SmolStr, Map)>,
    ) -> Outcome<()> {
        let mut texts = Vec::with_capacity(rows.len());
        for (indicator, value) in rows {
            let mut text = Vec::new();
            write_json(&Value::Map(value), &mut text)?;
            texts.push((indicator, String::from_utf8_lossy(&text).into_owned()));
        }
        let (table, family, kind) = (table.to_string(), family.to_string(), kind.to_string());
        let written = self.store.write(&ENRICHMENT, Deadline::NONE, &AtomicBool::new(false), move |conn| {
            let mut statement = conn.prepare_cached(
                "INSERT INTO enrichment_value (source, family, type, indicator, value) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT DO UPDATE SET value = excluded.value",
            )?;
            for (indicator, text) in &texts {
                statement.execute(params![table, family, kind, indicator.as_str(), text])?;
            }
            Ok(())
        });
        // Behind the write: what was looked up meanwhile is forgotten too.
        self.cache.lock().clear();
        written
    }

    /// Table, column family, type and number of all enrichments. Errors: E0603.
    pub fn list(&self) -> Outcome<Vec<(String, String, String, i64)>> {
        self.store.read(&ENRICHMENT, |conn| {
            let mut statement = conn.prepare(
                "SELECT source, family, type, count(*) FROM enrichment_value GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
            )?;
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Removes all enrichments of one type and says how many there were. Errors: E0603.
    pub fn remove(&self, table: &str, family: &str, kind: &str) -> Outcome<usize> {
        let (table, family, kind) = (table.to_string(), family.to_string(), kind.to_string());
        let removed = self.store.write(
            &ENRICHMENT,
            Deadline::NONE,
            &AtomicBool::new(false),
            move |conn| {
                Ok(conn.execute(
                    "DELETE FROM enrichment_value WHERE source = ?1 AND family = ?2 AND type = ?3",
                    params![table, family, kind],
                )?)
            },
        );
        self.cache.lock().clear();
        removed
    }
}

const PARAMETERS: &[Parameter] = &[
    required(
        "type",
        Kind::Text,
        "the type of enrichment, as given to stellar enrich load --type",
    ),
    required(
        "indicator",
        Kind::Text,
        "what to look up, such as an address",
    ),
    required(
        "table",
        Kind::Text,
        "the table; 'enrichment' unless chosen otherwise when loading",
    ),
    required(
        "column_family",
        Kind::Text,
        "the column family; 't' unless chosen otherwise when loading",
    ),
];

/// The functions of this family.
pub const FUNCTIONS: &[FunctionSpec] = &[
    FunctionSpec {
        name: "ENRICHMENT_GET",
        family: Family::Enrichment,
        summary: "Looks up what is known about an indicator.",
        details: "Fill the embedded store with: stellar enrich load FILE --type TYPE --indicator FIELD. \
                  The library's ENRICH(type, indicator) saves the last two arguments.",
        parameters: PARAMETERS,
        returns: "a map of what is known; an empty map when nothing is, or when type or indicator is null",
        errors: &["the store cannot be read"],
        examples: &[
            example("ENRICHMENT_GET('asset', null, 'enrichment', 't')", "{}"),
            example(
                "MAP_GET('owner', ENRICHMENT_GET('asset', '192.0.2.1', 'enrichment', 't'), 'nobody')",
                "nobody",
            ),
        ],
        see: &["ENRICHMENT_EXISTS", "MAP_GET"],
        words: &["lookup", "asset", "threat intel", "join"],
        pure: false,
        strict: true,
        run: |call| match find(call)? {
            Some(entries) => Ok(Value::Map(Map::new(
                MapKind::Ordered,
                entries.as_ref().clone(),
            ))),
            None => Ok(Value::Map(Map::empty(MapKind::Hash))),
        },
        ..SPEC
    },
    FunctionSpec {
        name: "ENRICHMENT_EXISTS",
        family: Family::Enrichment,
        summary: "Tells whether anything is known about an indicator.",
        parameters: PARAMETERS,
        returns: "true or false; false when type or indicator is null",
        errors: &["the store cannot be read"],
        examples: &[
            example(
                "ENRICHMENT_EXISTS('asset', '192.0.2.1', 'enrichment', 't')",
                "false",
            ),
            example(
                "ENRICHMENT_EXISTS(null, '192.0.2.1', 'enrichment', 't')",
                "false",
            ),
        ],
        see: &["ENRICHMENT_GET"],
        words: &["lookup", "watch list", "block list"],
        pure: false,
        strict: true,
        run: |call| Ok(Value::Bool(find(call)?.is_some())),
        ..SPEC
    },
];

fn find(call: &mut Call<'_, '_>) -> Outcome<Option<Arc<Entries>>> {
    if call.arg(0).is_null() || call.arg(1).is_null() {
        return Ok(None);
    }
    let context = call.context();
    let Some(service) = context.services.get::<Enrichments>() else {
        return Err(Diagnostic::new(
            Code::NotAvailable,
            format!("{} needs a store, and there is none", call.name),
        ));
    };
    let [kind, indicator, table, family] = [0, 1, 2, 3].map(|i| to_text(call.arg(i)));
    let key = Key {
        table,
        family,
        kind,
        indicator,
    };
    service.get(&key, call.deadline().into(), &context.cancel)
}
