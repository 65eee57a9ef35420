//! Filters, modules, findings and table lists in the store.

use super::rules::{missing, next_number, refusable};
use super::sql::{Cell, Row, Sql};
use super::{Answer, Page, Rules, Search, TRIES, crowded, folded, next_revision, pattern};
use crate::diagnostic::Outcome;
use crate::rule::model::{Entity, EntityKind, Refusal};
use crate::store::Within;
use serde_json::{Value as Json, json};

/// Where a thing is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage {
    /// The identifier of a rule that is connected with it.
    pub rule: String,
    /// The name of that rule.
    pub name: String,
}

fn body(entity: &Entity) -> String {
    json!({
        "created_at": entity.created_at,
        "updated_at": entity.updated_at,
        "trace_id": entity.trace_id,
        "description": entity.description,
        "program": entity.program,
        "columns": entity.columns,
    })
    .to_string()
}

fn entity(kind: EntityKind, mut row: Row) -> Outcome<Entity> {
    let (id, name) = (row.text()?, row.text()?);
    let mut body = row.json()?;
    let mut take = |name: &str| body.get_mut(name).map(Json::take).unwrap_or_default();
    let mut text = |name: &str| match take(name) {
        Json::String(text) => Ok(text),
        _ => Err(super::sql::odd()),
    };
    Ok(Entity {
        kind,
        id,
        name,
        created_at: text("created_at")?,
        updated_at: text("updated_at")?,
        trace_id: text("trace_id")?,
        description: text("description")?,
        program: text("program")?,
        columns: take("columns"),
    })
}

fn fold(entity: &Entity) -> String {
    folded(&[&entity.name, &entity.description, &entity.id])
}

fn taken(sql: &mut dyn Sql, entity: &Entity, update: bool) -> Outcome<Vec<&'static str>> {
    let kind = Cell::from(entity.kind.name());
    let mut taken = Vec::new();
    let statement = "SELECT id FROM rule_entity WHERE kind = $1 AND name = $2";
    let named = sql.query(statement, &[kind.clone(), (&entity.name).into()])?;
    if let Some(mut row) = named.into_iter().next()
        && !(update && row.text()? == entity.id)
    {
        taken.push("name");
    }
    if !update {
        let statement = "SELECT id FROM rule_entity WHERE kind = $1 AND id = $2";
        if !sql
            .query(statement, &[kind, (&entity.id).into()])?
            .is_empty()
        {
            taken.push("id");
        }
    }
    Ok(taken)
}

/// Stores a thing unless its name or its identifier is used.
pub(super) fn insert(sql: &mut dyn Sql, entity: &Entity, now: i64) -> Outcome<bool> {
    let number = next_number(sql, "SELECT COALESCE(MAX(number), 0) + 1 FROM rule_entity")?;
    let inserted = sql.execute(
        "INSERT INTO rule_entity (kind, id, name, number, folded, revision, body)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
        &[
            entity.kind.name().into(),
            (&entity.id).into(),
            (&entity.name).into(),
            number.into(),
            (&fold(entity)).into(),
            now.into(),
            (&body(entity)).into(),
        ],
    )?;
    Ok(inserted > 0)
}

impl Rules {
    /// Stores a new thing. Refused: a name or an identifier that another of its kind has.
    pub fn create_entity(&self, entity: &Entity, within: Within<'_>) -> Answer<()> {
        let (entity, now) = (entity.clone(), within.now);
        refusable(self, within, move |sql| {
            Ok(match insert(sql, &entity, now)? {
                true => Ok(()),
                false => Err(Refusal::Taken(taken(sql, &entity, false)?)),
            })
        })
    }

    /// The thing of an identifier.
    pub fn entity(
        &self,
        kind: EntityKind,
        id: &str,
        within: Within<'_>,
    ) -> Outcome<Option<Entity>> {
        self.entity_by("id", kind, id, within)
    }

    /// The thing of a name.
    pub fn entity_named(
        &self,
        kind: EntityKind,
        name: &str,
        within: Within<'_>,
    ) -> Outcome<Option<Entity>> {
        self.entity_by("name", kind, name, within)
    }

    fn entity_by(
        &self,
        column: &str,
        kind: EntityKind,
        key: &str,
        within: Within<'_>,
    ) -> Outcome<Option<Entity>> {
        if key.contains('\0') {
            return Ok(None);
        }
        let statement =
            format!("SELECT id, name, body FROM rule_entity WHERE kind = $1 AND {column} = $2");
        let rows = self.read(within, |sql| {
            sql.query(&statement, &[kind.name().into(), key.into()])
        })?;
        rows.into_iter()
            .next()
            .map(|row| entity(kind, row))
            .transpose()
    }

    /// The things that a search finds, the oldest first; what it says of rules is passed over.
    pub fn entities(
        &self,
        kind: EntityKind,
        search: &Search,
        within: Within<'_>,
    ) -> Outcome<Page<Entity>> {
        let keys = [Cell::from(kind.name()), Cell::Text(pattern(&search.text))];
        let conditions = "kind = $1 AND folded LIKE $2 ESCAPE '\\'";
        self.read(within, |sql| {
            let count = format!("SELECT COUNT(*) FROM rule_entity WHERE {conditions}");
            let total = next_number_of(sql, &count, &keys)?;
            let page = format!(
                "SELECT id, name, body FROM rule_entity WHERE {conditions} ORDER BY number, id LIMIT $3 OFFSET $4"
            );
            let mut parameters = keys.to_vec();
            parameters.push(search.limit.unwrap_or(i64::MAX).max(0).into());
            parameters.push(search.offset.max(0).into());
            let rows = sql.query(&page, &parameters)?.into_iter();
            let items: Outcome<Vec<Entity>> = rows.map(|row| entity(kind, row)).collect();
            Ok(Page {
                items: items?,
                total,
            })
        })
    }

    /// The filters, modules or findings that a rule is connected with, in the order in which they were given.
    pub fn entities_of(
        &self,
        rule: &str,
        kind: EntityKind,
        within: Within<'_>,
    ) -> Outcome<Vec<Entity>> {
        let rows = self.read(within, |sql| {
            sql.query(
                "SELECT e.id, e.name, e.body FROM rule_link l
                 JOIN rule_entity e ON e.kind = l.kind AND e.id = l.target
                 WHERE l.rule = $1 AND l.kind = $2 ORDER BY l.place",
                &[rule.into(), kind.name().into()],
            )
        })?;
        rows.into_iter().map(|row| entity(kind, row)).collect()
    }

    /// The rules that are connected with a filter, a module or a finding.
    pub fn usage(&self, kind: EntityKind, id: &str, within: Within<'_>) -> Outcome<Vec<Usage>> {
        let rows = self.read(within, |sql| {
            sql.query(
                "SELECT r.id, r.name FROM rule_link l JOIN rule r ON r.id = l.rule
                 WHERE l.kind = $1 AND l.target = $2 ORDER BY r.number, r.id",
                &[kind.name().into(), id.into()],
            )
        })?;
        rows.into_iter()
            .map(|mut row| {
                Ok(Usage {
                    rule: row.text()?,
                    name: row.text()?,
                })
            })
            .collect()
    }

    /// Changes a thing; `change` says how, and may be asked again when somebody else was faster. The rows of a table
    /// list go with its name.
    pub fn update_entity(
        &self,
        kind: EntityKind,
        id: &str,
        change: &dyn Fn(&Entity) -> Result<Entity, Refusal>,
        within: Within<'_>,
    ) -> Answer<Entity> {
        for _ in 0..TRIES {
            let Some(before) = self.entity(kind, id, within)? else {
                return Ok(Err(missing(id)));
            };
            let after = match change(&before) {
                Ok(changed) => changed,
                Err(refusal) => return Ok(Err(refusal)),
            };
            let (entity, now) = (after.clone(), within.now);
            let stored = refusable(self, within, move |sql| {
                let used = taken(sql, &entity, true)?;
                if !used.is_empty() {
                    return Ok(Err(Refusal::Taken(used)));
                }
                let key = [Cell::from(kind.name()), (&entity.id).into()];
                let statement = "SELECT revision FROM rule_entity WHERE kind = $1 AND id = $2";
                let Some(mut row) = sql.query(statement, &key)?.into_iter().next() else {
                    return Ok(Ok(false));
                };
                let changed = sql.execute(
                    "UPDATE rule_entity SET name = $1, folded = $2, revision = $3, body = $4
                     WHERE kind = $5 AND id = $6 AND name = $7 AND body = $8",
                    &[
                        (&entity.name).into(),
                        (&fold(&entity)).into(),
                        next_revision(row.int()?, now).into(),
                        (&body(&entity)).into(),
                        kind.name().into(),
                        (&entity.id).into(),
                        (&before.name).into(),
                        (&body(&before)).into(),
                    ],
                )?;
                if changed > 0 && kind == EntityKind::Table && entity.name != before.name {
                    super::lists::rename(sql, &before.name, &entity.name)?;
                }
                Ok(Ok(changed > 0))
            })?;
            match stored {
                Ok(true) => return Ok(Ok(after)),
                Ok(false) => {}
                Err(refusal) => return Ok(Err(refusal)),
            }
        }
        Err(crowded())
    }

    /// Removes a thing, its connections, and the rows of a table list; false when there is none. Rules that were
    /// connected with it are loaded anew.
    pub fn delete_entity(&self, kind: EntityKind, id: &str, within: Within<'_>) -> Outcome<bool> {
        let Some(found) = self.entity(kind, id, within)? else {
            return Ok(false);
        };
        let now = within.now;
        self.write(within, move |sql| {
            let key = [Cell::from(kind.name()), (&found.id).into()];
            let removed =
                sql.execute("DELETE FROM rule_entity WHERE kind = $1 AND id = $2", &key)?;
            if removed == 0 {
                return Ok(false);
            }
            sql.execute(
                "UPDATE rule SET revision = CASE WHEN revision >= $3 THEN revision + 1 ELSE $3 END
                 WHERE id IN (SELECT rule FROM rule_link WHERE kind = $1 AND target = $2)",
                &[key[0].clone(), key[1].clone(), now.into()],
            )?;
            sql.execute(
                "DELETE FROM rule_link WHERE kind = $1 AND target = $2",
                &key,
            )?;
            if kind == EntityKind::Table {
                super::lists::clear(sql, &found.name)?;
            }
            Ok(true)
        })
    }
}

/// The one number that a statement gives.
pub(super) fn next_number_of(sql: &mut dyn Sql, statement: &str, keys: &[Cell]) -> Outcome<i64> {
    let rows = sql.query(statement, keys)?;
    rows.into_iter().next().map_or(Ok(0), |mut row| row.int())
}
