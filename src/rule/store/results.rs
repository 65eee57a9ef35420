//! What rules did: their alerts, and how often and with how many errors they ran.

use super::entities::next_number_of;
use super::sql::Cell;
use super::states::is_there;
use super::{Page, Rules};
use crate::diagnostic::Outcome;
use crate::store::Within;
use ahash::AHashMap;
use serde_json::Value as Json;

/// An alert of a rule, as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct NewResult {
    /// Its identifier.
    pub id: String,
    /// The rule that raised it; none when the connection was removed.
    pub rule: Option<String>,
    /// When it was raised, in milliseconds since 1970.
    pub at: i64,
    /// The alert.
    pub alert: Json,
}

/// What happened to a rule since the last time that it was noted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Happened {
    /// Alerts that it raised.
    pub results: i64,
    /// Errors that its calls had.
    pub errors: i64,
    /// When it was started, where it was; `is_error` begins at 0 then.
    pub running_at: Option<String>,
}

impl Rules {
    /// Stores alerts, in this order; those whose identifier is there already are left as they are, and those of a rule
    /// that is there no more are left out. How many were new.
    pub fn add_results(&self, results: Vec<NewResult>, within: Within<'_>) -> Outcome<u64> {
        self.write(within, move |sql| {
            let mut stored = 0;
            let mut rules: AHashMap<&str, bool> = AHashMap::default();
            for one in &results {
                if let Some(rule) = &one.rule {
                    let known = rules.get(rule.as_str()).copied();
                    let there = known.map_or_else(|| is_there(sql, rule), Ok)?;
                    rules.insert(rule, there);
                    if !there {
                        continue;
                    }
                }
                stored += sql.execute(
                    "INSERT INTO rule_result (id, rule, at, alert) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
                    &[
                        (&one.id).into(),
                        one.rule.as_deref().map_or(Cell::Null, Cell::from),
                        one.at.into(),
                        // A text of JSON holds no NUL, whatever the alert does.
                        Cell::Text(one.alert.to_string()),
                    ],
                )?;
            }
            Ok(stored)
        })
    }

    /// The alerts of a rule, the latest first.
    pub fn results(
        &self,
        rule: &str,
        (offset, limit): (i64, i64),
        within: Within<'_>,
    ) -> Outcome<Page<NewResult>> {
        let keys = [Cell::from(rule), limit.max(0).into(), offset.max(0).into()];
        self.read(within, |sql| {
            let count = "SELECT COUNT(*) FROM rule_result WHERE rule = $1";
            let total = next_number_of(sql, count, &keys[..1])?;
            let rows = sql.query(
                "SELECT id, rule, at, alert FROM rule_result WHERE rule = $1 ORDER BY number DESC LIMIT $2 OFFSET $3",
                &keys,
            )?;
            let items: Outcome<Vec<NewResult>> = rows
                .into_iter()
                .map(|mut row| {
                    Ok(NewResult {
                        id: row.text()?,
                        rule: row.maybe_text()?,
                        at: row.int()?,
                        alert: row.json()?,
                    })
                })
                .collect();
            Ok(Page {
                items: items?,
                total,
            })
        })
    }

    /// The rule that raised an alert, as far as it is known.
    pub fn result_rule(&self, id: &str, within: Within<'_>) -> Outcome<Option<String>> {
        if id.contains('\0') {
            return Ok(None);
        }
        let rows = self.read(within, |sql| {
            sql.query("SELECT rule FROM rule_result WHERE id = $1", &[id.into()])
        })?;
        let owner = rows.into_iter().next().map(|mut row| row.maybe_text());
        Ok(owner.transpose()?.flatten())
    }

    /// Removes alerts from before a time, and says how many.
    pub fn results_clean(&self, before: i64, within: Within<'_>) -> Outcome<u64> {
        self.write(within, move |sql| {
            sql.execute("DELETE FROM rule_result WHERE at < $1", &[before.into()])
        })
    }

    /// Adds to what is counted of a rule; false when there is none. The rule is not loaded anew for that.
    pub fn note(&self, rule: &str, happened: &Happened, within: Within<'_>) -> Outcome<bool> {
        let noted = self.note_all(vec![(rule.to_string(), happened.clone())], within)?;
        Ok(noted > 0)
    }

    /// The same for many rules at once; how many of them there are.
    pub fn note_all(&self, all: Vec<(String, Happened)>, within: Within<'_>) -> Outcome<u64> {
        if all.is_empty() {
            return Ok(0);
        }
        self.write(within, move |sql| {
            let mut noted = 0;
            for (rule, happened) in &all {
                let errors = Cell::from(happened.errors);
                noted += match &happened.running_at {
                    None => sql.execute(
                        "UPDATE rule SET results = results + $1, errors = errors + $2, is_error = is_error + $2
                         WHERE id = $3",
                        &[happened.results.into(), errors, rule.into()],
                    )?,
                    Some(time) => sql.execute(
                        "UPDATE rule SET results = results + $1, errors = errors + $2, is_error = $2, running_at = $3
                         WHERE id = $4",
                        &[happened.results.into(), errors, time.into(), rule.into()],
                    )?,
                };
            }
            Ok(noted)
        })
    }
}
