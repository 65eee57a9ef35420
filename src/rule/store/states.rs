//! What running rules know, so that the next process goes on with it.

use super::Rules;
use super::sql::Cell;
use crate::diagnostic::Outcome;
use crate::store::Within;

impl Rules {
    /// Stores what a part of a rule knows, in place of what it knew; `rule` may be any text that names its runner.
    pub fn save_state(
        &self,
        rule: &str,
        part: &str,
        data: Vec<u8>,
        within: Within<'_>,
    ) -> Outcome<()> {
        let (rule, part, now) = (rule.to_string(), part.to_string(), within.now);
        self.write(within, move |sql| {
            sql.execute(
                "INSERT INTO rule_state (rule, part, saved, data) VALUES ($1, $2, $3, $4)
                 ON CONFLICT (rule, part) DO UPDATE SET saved = excluded.saved, data = excluded.data",
                &[
                    (&rule).into(),
                    (&part).into(),
                    now.into(),
                    Cell::Bytes(data.clone()),
                ],
            )?;
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

    /// Forgets all that a rule knew.
    pub fn forget_states(&self, rule: &str, within: Within<'_>) -> Outcome<u64> {
        let rule = rule.to_string();
        self.write(within, move |sql| {
            sql.execute("DELETE FROM rule_state WHERE rule = $1", &[(&rule).into()])
        })
    }
}
