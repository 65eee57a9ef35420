//! `stellar rule results`, `stellar rule clean`: the alerts that the store keeps.

use super::named::rules;
use crate::cli::args::ListFormat;
use crate::cli::output;
use crate::config::parse_now;
use crate::diagnostic::Outcome;
use crate::engine::Engine;
use crate::rule::active::find_rule;
use crate::store::Within;
use clap::Args;
use serde_json::{Value as Json, json};

/// `stellar rule results`
#[derive(Debug, Args)]
pub struct ResultsArgs {
    /// The rule that raised them: its name or identifier.
    #[arg(value_name = "RULE")]
    pub rule: String,
    /// How many of the latest are shown.
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub limit: u32,
    /// How to print the list.
    #[arg(long, value_enum)]
    pub format: Option<ListFormat>,
}

/// `stellar rule clean`
#[derive(Debug, Args)]
pub struct CleanArgs {
    /// Alerts from before this time go: ISO 8601, or milliseconds since 1970.
    #[arg(long, value_name = "TIME")]
    pub before: String,
}

/// Shows the alerts of a rule, the latest first.
pub fn results(engine: &Engine, args: &ResultsArgs) -> Outcome<bool> {
    let rules = rules(engine)?;
    let rule = find_rule(&rules, &args.rule, &engine.context)?;
    let within = Within::context(&engine.context);
    let page = rules.results(&rule.id, (0, i64::from(args.limit)), within)?;
    let format = ListFormat::or_usual(args.format);
    let columns: &[&str] = match format {
        ListFormat::Ids => &["id"],
        _ => &["time", "risk", "asset", "text", "id"],
    };
    let whole = matches!(format, ListFormat::Json | ListFormat::Jsonl);
    let mut rows = output::Rows::new(format, columns);
    for one in &page.items {
        let field = |name: &str| one.alert.get(name).cloned().unwrap_or_default();
        let time = chrono::DateTime::from_timestamp_millis(one.at);
        let time = time.map_or(Json::Null, |time| json!(time.to_rfc3339()));
        rows.put(match whole {
            true => json!({"id": one.id, "time": time, "alert": one.alert}),
            false => json!({
                "time": time,
                "risk": field("risk_level"),
                "asset": field("asset_hostname"),
                "text": field("text"),
                "id": one.id,
            }),
        })?;
    }
    rows.end()?;
    let shown = i64::try_from(page.items.len()).unwrap_or(i64::MAX);
    if shown < page.total {
        output::note(&format!(
            "the latest {shown} of {} alerts; --limit shows more",
            page.total
        ));
    }
    Ok(true)
}

/// Removes old alerts, and rows of table lists whose time is over.
pub fn clean(engine: &Engine, args: &CleanArgs) -> Outcome<bool> {
    let rules = rules(engine)?;
    let zone = &engine.context.zone;
    let before = parse_now(&args.before, |utc| zone.offset_millis(utc))?;
    let alerts = rules.results_clean(before, Within::context(&engine.context))?;
    let rows = rules.lists_expire(Within::context(&engine.context))?;
    output::line(&format!(
        "{alerts} alerts and {rows} rows of table lists removed"
    ))?;
    Ok(true)
}
