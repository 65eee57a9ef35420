//! Rules in the store, and their connections.

use super::sql::{Cell, Row, Sql, odd};
use super::{Answer, Page, Rules, Search, TRIES, crowded, folded, next_revision, pattern};
use crate::diagnostic::Outcome;
use crate::rule::model::{Reason, Refusal, Relation, Relations, Rule, Stats};
use crate::store::Within;
use serde_json::Value as Json;

const COLUMNS: &str =
    "id, name, active, is_retro, is_system, results, errors, is_error, running_at, body";

/// What a running server looks at, to see which rules have changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watched {
    /// The rule.
    pub id: String,
    /// Grows when the rule is to be loaded anew.
    pub revision: i64,
    /// Grows when a filter or a module of it changes.
    pub parts: i64,
}

/// What a change makes of a rule: its new form and connections, or why not.
pub type Changed = Result<(Rule, Relations), Refusal>;

/// What of a rule lies in the column `body`.
fn body(rule: &Rule) -> String {
    serde_json::json!({
        "created_at": rule.created_at,
        "updated_at": rule.updated_at,
        "trace_id": rule.trace_id,
        "frontend_data": rule.frontend_data,
        "test_data": rule.test_data,
        "settings": rule.settings,
        "reload": rule.reload,
        "finding_id": rule.finding_id,
        "description": rule.description,
        "lua": rule.lua,
    })
    .to_string()
}

fn rule(mut row: Row) -> Outcome<Rule> {
    let (id, name) = (row.text()?, row.text()?);
    let (active, is_retro, is_system) = (row.int()? != 0, row.int()? != 0, row.int()? != 0);
    let stats = Stats {
        result_count: row.int()?,
        error_count: row.int()?,
    };
    let (is_error, running_at) = (row.int()?, row.text()?);
    let mut body = row.json()?;
    let mut take = |name: &str| body.get_mut(name).map(Json::take).ok_or_else(odd);
    let mut text = |name: &str| match take(name)? {
        Json::String(text) => Ok(text),
        _ => Err(odd()),
    };
    Ok(Rule {
        created_at: text("created_at")?,
        updated_at: text("updated_at")?,
        trace_id: text("trace_id")?,
        finding_id: text("finding_id")?,
        description: text("description")?,
        lua: text("lua")?,
        frontend_data: take("frontend_data")?,
        test_data: take("test_data")?,
        settings: take("settings")?,
        reload: take("reload")?.as_bool().ok_or_else(odd)?,
        id,
        name,
        active,
        is_retro,
        is_system,
        stats,
        is_error,
        running_at,
    })
}

fn fold(rule: &Rule) -> String {
    folded(&[&rule.name, &rule.description, &rule.id])
}

/// Which fields of a rule another one has already.
fn taken(sql: &mut dyn Sql, rule: &Rule, update: bool) -> Outcome<Vec<&'static str>> {
    let mut taken = Vec::new();
    let named = sql.query(
        "SELECT id FROM rule WHERE name = $1",
        &[(&rule.name).into()],
    )?;
    let mut named = named.into_iter().map(|mut row| row.text());
    if let Some(id) = named.next().transpose()?
        && !(update && id == rule.id)
    {
        taken.push("name");
    }
    if !update {
        let same = sql.query("SELECT id FROM rule WHERE id = $1", &[(&rule.id).into()])?;
        if !same.is_empty() {
            taken.push("id");
        }
    }
    Ok(taken)
}

/// Brings the connections of a rule to what is wanted; refused with the identifiers that mean nothing.
fn connect(sql: &mut dyn Sql, id: &str, relations: &Relations) -> Answer<()> {
    let mut unknown = Vec::new();
    for relation in Relation::ALL {
        for (index, target) in relations
            .get(relation)
            .unwrap_or_default()
            .iter()
            .enumerate()
        {
            let found = match kind(relation) {
                Some(kind) => sql.query(
                    "SELECT id FROM rule_entity WHERE kind = $1 AND id = $2",
                    &[kind.into(), target.into()],
                )?,
                None => sql.query("SELECT id FROM rule_result WHERE id = $1", &[target.into()])?,
            };
            if found.is_empty() {
                let path = format!("_relations.{}.{index}", relation.key());
                unknown.push(Reason::new(path, format!("{target:?} is not known")));
            }
        }
    }
    if !unknown.is_empty() {
        return Ok(Err(Refusal::Bad(unknown)));
    }
    for relation in Relation::ALL {
        let Some(targets) = relations.get(relation) else {
            continue;
        };
        match kind(relation) {
            Some(kind) => {
                sql.execute(
                    "DELETE FROM rule_link WHERE rule = $1 AND kind = $2",
                    &[id.into(), kind.into()],
                )?;
                for (place, target) in (0i64..).zip(targets) {
                    sql.execute(
                        "INSERT INTO rule_link (rule, kind, target, place) VALUES ($1, $2, $3, $4)",
                        &[id.into(), kind.into(), target.into(), place.into()],
                    )?;
                }
            }
            // A result belongs to one rule; without a link it stays, as nobody's.
            None => {
                sql.execute(
                    "UPDATE rule_result SET rule = NULL WHERE rule = $1",
                    &[id.into()],
                )?;
                for target in targets {
                    sql.execute(
                        "UPDATE rule_result SET rule = $1 WHERE id = $2",
                        &[id.into(), target.into()],
                    )?;
                }
            }
        }
    }
    Ok(Ok(()))
}

/// The entities that a relation leads to; results are none.
fn kind(relation: Relation) -> Option<&'static str> {
    match relation {
        Relation::Filters => Some("filter"),
        Relation::Modules => Some("module"),
        Relation::Finding => Some("finding"),
        Relation::Results => None,
    }
}

/// The number behind all numbers of a table.
pub(super) fn next_number(sql: &mut dyn Sql, statement: &str) -> Outcome<i64> {
    let rows = sql.query(statement, &[])?;
    match rows.into_iter().next() {
        Some(mut row) => row.int(),
        None => Err(odd()),
    }
}

impl Rules {
    /// Stores a new rule. Refused, with nothing stored: a name or an identifier that is used, connections with what
    /// does not exist.
    pub fn create(&self, rule: &Rule, relations: &Relations, within: Within<'_>) -> Answer<()> {
        let (rule, relations, now) = (rule.clone(), relations.clone(), within.now);
        refusable(self, within, move |sql| {
            let number = next_number(sql, "SELECT COALESCE(MAX(number), 0) + 1 FROM rule")?;
            let inserted = sql.execute(
                "INSERT INTO rule (id, name, number, active, is_retro, is_system, folded, revision, results, errors,
                                   is_error, running_at, body)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT DO NOTHING",
                &[
                    (&rule.id).into(),
                    (&rule.name).into(),
                    number.into(),
                    rule.active.into(),
                    rule.is_retro.into(),
                    rule.is_system.into(),
                    (&fold(&rule)).into(),
                    now.into(),
                    rule.stats.result_count.into(),
                    rule.stats.error_count.into(),
                    rule.is_error.into(),
                    (&rule.running_at).into(),
                    (&body(&rule)).into(),
                ],
            )?;
            if inserted == 0 {
                return Ok(Err(Refusal::Taken(taken(sql, &rule, false)?)));
            }
            connect(sql, &rule.id, &relations)
        })
    }

    /// The rule of an identifier.
    pub fn rule(&self, id: &str, within: Within<'_>) -> Outcome<Option<Rule>> {
        self.one(
            &format!("SELECT {COLUMNS} FROM rule WHERE id = $1"),
            id,
            within,
        )
    }

    /// The rule of a name.
    pub fn rule_named(&self, name: &str, within: Within<'_>) -> Outcome<Option<Rule>> {
        self.one(
            &format!("SELECT {COLUMNS} FROM rule WHERE name = $1"),
            name,
            within,
        )
    }

    fn one(&self, sql: &str, key: &str, within: Within<'_>) -> Outcome<Option<Rule>> {
        if key.contains('\0') {
            return Ok(None);
        }
        let rows = self.read(within, |session| session.query(sql, &[key.into()]))?;
        rows.into_iter().next().map(rule).transpose()
    }

    /// The rules that a search finds, the oldest first.
    pub fn rules(&self, search: &Search, within: Within<'_>) -> Outcome<Page<Rule>> {
        let wanted = |one: Option<bool>| Cell::from(one.map(i64::from));
        let conditions = "folded LIKE $1 ESCAPE '\\' AND ($2 IS NULL OR active = $2) AND ($3 IS NULL OR is_retro = $3)";
        // PostgreSQL wants to know the type of a parameter that may be missing.
        let conditions = conditions.replace("$2 IS", "CAST($2 AS bigint) IS");
        let conditions = conditions.replace("$3 IS", "CAST($3 AS bigint) IS");
        let mut parameters = vec![
            Cell::Text(pattern(&search.text)),
            wanted(search.active),
            wanted(search.retro),
        ];
        self.read(within, |sql| {
            let count = format!("SELECT COUNT(*) FROM rule WHERE {conditions}");
            let total = sql.query(&count, &parameters)?;
            let total = total.into_iter().next().map_or(Ok(0), |mut row| row.int())?;
            let page = format!(
                "SELECT {COLUMNS} FROM rule WHERE {conditions} ORDER BY number, id LIMIT $4 OFFSET $5"
            );
            parameters.truncate(3);
            parameters.push(search.limit.unwrap_or(i64::MAX).max(0).into());
            parameters.push(search.offset.max(0).into());
            let rows = sql.query(&page, &parameters)?;
            parameters.truncate(3);
            let items: Outcome<Vec<Rule>> = rows.into_iter().map(rule).collect();
            Ok(Page {
                items: items?,
                total,
            })
        })
    }

    /// Changes a rule; `change` says how, and may be asked again when somebody else was faster. What is counted stays.
    /// A rule whose `reload` is false is not loaded anew, unless it is activated or suspended.
    pub fn update(
        &self,
        id: &str,
        change: &dyn Fn(&Rule) -> Changed,
        within: Within<'_>,
    ) -> Answer<Rule> {
        for _ in 0..TRIES {
            let Some((before, revision)) = self.revised(id, within)? else {
                return Ok(Err(missing(id)));
            };
            let (after, relations) = match change(&before) {
                Ok(changed) => changed,
                Err(refusal) => return Ok(Err(refusal)),
            };
            let anew = after.reload || after.active != before.active;
            let next = match anew {
                true => next_revision(revision, within.now),
                false => revision,
            };
            let rule = after.clone();
            let old = body(&before);
            let stored = refusable(self, within, move |sql| {
                let used = taken(sql, &rule, true)?;
                if !used.is_empty() {
                    return Ok(Err(Refusal::Taken(used)));
                }
                let changed = sql.execute(
                    "UPDATE rule SET name = $1, active = $2, is_retro = $3, is_system = $4, folded = $5, revision = $6,
                                     body = $7
                     WHERE id = $8 AND revision = $9 AND body = $10",
                    &[
                        (&rule.name).into(),
                        rule.active.into(),
                        rule.is_retro.into(),
                        rule.is_system.into(),
                        (&fold(&rule)).into(),
                        next.into(),
                        (&body(&rule)).into(),
                        (&rule.id).into(),
                        revision.into(),
                        (&old).into(),
                    ],
                )?;
                if changed == 0 {
                    return Ok(Ok(false));
                }
                Ok(connect(sql, &rule.id, &relations)?.map(|()| true))
            })?;
            match stored {
                Ok(true) => return Ok(Ok(after)),
                Ok(false) => {}
                Err(refusal) => return Ok(Err(refusal)),
            }
        }
        Err(crowded())
    }

    fn revised(&self, id: &str, within: Within<'_>) -> Outcome<Option<(Rule, i64)>> {
        if id.contains('\0') {
            return Ok(None);
        }
        self.read(within, |sql| {
            let found = sql.query("SELECT revision FROM rule WHERE id = $1", &[id.into()])?;
            let Some(mut row) = found.into_iter().next() else {
                return Ok(None);
            };
            let statement = format!("SELECT {COLUMNS} FROM rule WHERE id = $1");
            let found = sql.query(&statement, &[id.into()])?;
            let revision = row.int()?;
            let rule = found.into_iter().next().map(rule).transpose()?;
            Ok(rule.map(|rule| (rule, revision)))
        })
    }

    /// Activates or suspends a rule; false when there is none.
    pub fn set_active(&self, id: &str, active: bool, within: Within<'_>) -> Outcome<bool> {
        let (id, now) = (id.to_string(), within.now);
        if id.contains('\0') {
            return Ok(false);
        }
        self.write(within, move |sql| {
            let next = "revision = CASE WHEN revision >= $2 THEN revision + 1 ELSE $2 END";
            let changed = sql.execute(
                &format!("UPDATE rule SET active = $1, {next} WHERE id = $3"),
                &[active.into(), now.into(), (&id).into()],
            )?;
            Ok(changed > 0)
        })
    }

    /// Removes a rule with its results and saved groups; false when there is none.
    pub fn delete(&self, id: &str, within: Within<'_>) -> Outcome<bool> {
        let id = id.to_string();
        if id.contains('\0') {
            return Ok(false);
        }
        self.write(within, move |sql| {
            let key = [Cell::from(&id)];
            let removed = sql.execute("DELETE FROM rule WHERE id = $1", &key)?;
            if removed > 0 {
                sql.execute("DELETE FROM rule_link WHERE rule = $1", &key)?;
                sql.execute("DELETE FROM rule_result WHERE rule = $1", &key)?;
                sql.execute("DELETE FROM rule_state WHERE rule = $1", &key)?;
            }
            Ok(removed > 0)
        })
    }

    /// The active rules and what tells that they have changed.
    pub fn watch(&self, within: Within<'_>) -> Outcome<Vec<Watched>> {
        let rows = self.read(within, |sql| {
            sql.query(
                "SELECT r.id, r.revision, COALESCE(MAX(e.revision), 0) FROM rule r
                 LEFT JOIN rule_link l ON l.rule = r.id
                 LEFT JOIN rule_entity e ON e.kind = l.kind AND e.id = l.target
                 WHERE r.active = 1 GROUP BY r.id, r.revision, r.number ORDER BY r.number, r.id",
                &[],
            )
        })?;
        rows.into_iter()
            .map(|mut row| {
                Ok(Watched {
                    id: row.text()?,
                    revision: row.int()?,
                    parts: row.int()?,
                })
            })
            .collect()
    }

    /// The identifiers that a rule is connected with, in the order in which they were given.
    pub fn connected(
        &self,
        id: &str,
        relation: Relation,
        within: Within<'_>,
    ) -> Outcome<Vec<String>> {
        let rows = self.read(within, |sql| match kind(relation) {
            Some(kind) => sql.query(
                "SELECT target FROM rule_link WHERE rule = $1 AND kind = $2 ORDER BY place",
                &[id.into(), kind.into()],
            ),
            None => sql.query(
                "SELECT id FROM rule_result WHERE rule = $1 ORDER BY number",
                &[id.into()],
            ),
        })?;
        rows.into_iter().map(|mut row| row.text()).collect()
    }
}

/// There is no such rule.
pub(super) fn missing(id: &str) -> Refusal {
    let shown: String = id.chars().take(100).collect();
    Refusal::Missing(format!("{shown:?} is not known"))
}

/// Runs work that may be refused half-way: nothing of it stays then.
pub(super) fn refusable<T: Send + 'static>(
    rules: &Rules,
    within: Within<'_>,
    mut work: impl FnMut(&mut dyn Sql) -> Answer<T> + Send + 'static,
) -> Answer<T> {
    let refused = std::sync::Arc::new(parking_lot::Mutex::new(None));
    let noted = refused.clone();
    let answer = rules.write(within, move |sql| {
        *noted.lock() = None;
        match work(sql)? {
            Ok(done) => Ok(done),
            Err(refusal) => {
                *noted.lock() = Some(refusal);
                // A failing transaction takes back what it did.
                Err(super::unanswered())
            }
        }
    });
    match refused.lock().take() {
        Some(refusal) => Ok(Err(refusal)),
        None => Ok(Ok(answer?)),
    }
}
