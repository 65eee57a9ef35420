//! What running rules know, so that the next process goes on with it.

use super::Rules;
use super::sql::{Cell, Sql};
use crate::diagnostic::Outcome;
use crate::store::Within;

/// A rule, a part of it, and what it knows.
type State = (String, String, Vec<u8>);

fn save(sql: &mut dyn Sql, (rule, part, data): &State, now: i64) -> Outcome<()> {
    sql.execute(
        "INSERT INTO rule_state (rule, part, saved, data) VALUES ($1, $2, $3, $4)
         ON CONFLICT (rule, part) DO UPDATE SET saved = excluded.saved, data = excluded.data",
        &[
            rule.into(),
            part.into(),
            now.into(),
            Cell::Bytes(data.clone()),
        ],
    )?;
    Ok(())
}

/// Whether there is such a rule.
pub(super) fn is_there(sql: &mut dyn Sql, rule: &str) -> Outcome<bool> {
    let found = sql.query("SELECT id FROM rule WHERE id = $1", &[rule.into()])?;
    Ok(!found.is_empty())
}

impl Rules {
    /// Stores what a part of a rule knows, in place of what it knew; `rule` may be any text that names its runner.
    pub fn save_state(
        &self,
        rule: &str,
        part: &str,
        data: Vec<u8>,
        within: Within<'_>,
    ) -> Outcome<()> {
        let (state, now) = ((rule.to_string(), part.to_string(), data), within.now);
        self.write(within, move |sql| save(sql, &state, now))
    }

    /// The same for many parts (rule, part, data) at once, of rules that are there.
    pub fn save_states(&self, states: Vec<State>, within: Within<'_>) -> Outcome<()> {
        if states.is_empty() {
            return Ok(());
        }
        let now = within.now;
        self.write(within, move |sql| {
            for state in &states {
                if is_there(sql, &state.0)? {
                    save(sql, state, now)?;
                }
            }
            Ok(())
        })
    }

    /// What a part of a rule knew, and when that was stored (milliseconds since 1970).
    pub fn state(
        &self,
        rule: &str,
        part: &str,
        within: Within<'_>,
    ) -> Outcome<Option<(i64, Vec<u8>)>> {
        let keys = [Cell::from(rule), part.into()];
        let rows = self.read(within, |sql| {
            sql.query(
                "SELECT saved, data FROM rule_state WHERE rule = $1 AND part = $2",
                &keys,
            )
        })?;
        rows.into_iter()
            .next()
            .map(|mut row| Ok((row.int()?, row.bytes()?)))
            .transpose()
    }

    /// The parts of a rule whose names begin with `prefix`, with when they were stored and what they knew.
    pub fn states(
        &self,
        rule: &str,
        prefix: &str,
        within: Within<'_>,
    ) -> Outcome<Vec<(String, i64, Vec<u8>)>> {
        // Texts are compared by their bytes, and nothing comes behind this character.
        let keys = [
            Cell::from(rule),
            prefix.into(),
            Cell::Text(format!("{prefix}\u{10FFFF}")),
        ];
        let rows = self.read(within, |sql| {
            sql.query(
                "SELECT part, saved, data FROM rule_state
                 WHERE rule = $1 AND part >= $2 AND part < $3 ORDER BY part",
                &keys,
            )
        })?;
        rows.into_iter()
            .map(|mut row| Ok((row.text()?, row.int()?, row.bytes()?)))
            .collect()
    }

    /// Forgets what was stored for a rule that does not exist any more: its groups and its results.
    pub fn sweep(&self, rule: &str, within: Within<'_>) -> Outcome<u64> {
        let rule = rule.to_string();
        self.write(within, move |sql| {
            let mut swept = 0;
            for table in ["rule_state", "rule_result"] {
                swept += sql.execute(
                    &format!(
                        "DELETE FROM {table} WHERE rule = $1
                         AND NOT EXISTS (SELECT 1 FROM rule WHERE id = $1)"
                    ),
                    &[(&rule).into()],
                )?;
            }
            Ok(swept)
        })
    }

    /// Forgets all that a rule knew.
    pub fn forget_states(&self, rule: &str, within: Within<'_>) -> Outcome<u64> {
        let rule = rule.to_string();
        self.write(within, move |sql| {
            sql.execute("DELETE FROM rule_state WHERE rule = $1", &[(&rule).into()])
        })
    }
}
