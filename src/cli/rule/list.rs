//! `stellar rule list`

use super::named::rules;
use crate::cli::args::ListFormat;
use crate::cli::output;
use crate::diagnostic::Outcome;
use crate::engine::Engine;
use crate::rule::bundle::summary;
use crate::rule::store::Search;
use crate::store::Within;
use clap::Args;
use serde_json::{Value as Json, json};

/// `stellar rule list`
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Only rules with this in their name, description or identifier.
    #[arg(value_name = "TEXT")]
    pub text: Option<String>,
    /// Only active rules.
    #[arg(long, conflicts_with = "inactive")]
    pub active: bool,
    /// Only rules that are not active.
    #[arg(long)]
    pub inactive: bool,
    /// Only rules for the past.
    #[arg(long)]
    pub retro: bool,
    /// What each function of the rules did, as far as a server or a pipeline noted it.
    #[arg(long)]
    pub metrics: bool,
    /// How to print the list.
    #[arg(long, value_enum)]
    pub format: Option<ListFormat>,
}

impl ListArgs {
    /// What is looked for.
    pub fn search(&self) -> Search {
        Search {
            text: self.text.clone().unwrap_or_default(),
            active: match (self.active, self.inactive) {
                (true, _) => Some(true),
                (_, true) => Some(false),
                _ => None,
            },
            retro: self.retro.then_some(true),
            ..Search::default()
        }
    }
}

/// The columns of a list.
const COLUMNS: [&str; 10] = [
    "name",
    "active",
    "retro",
    "alerts",
    "errors",
    "filters",
    "modules",
    "finding",
    "started",
    "description",
];

/// Runs the command.
pub fn list(engine: &Engine, args: &ListArgs) -> Outcome<bool> {
    let rules = rules(engine)?;
    let page = rules.rules(&args.search(), Within::context(&engine.context))?;
    let format = ListFormat::or_usual(args.format);
    if args.metrics {
        return super::metrics::metrics(engine, &rules, &page.items, format);
    }
    let whole = matches!(format, ListFormat::Json | ListFormat::Jsonl);
    let columns: &[&str] = match format {
        ListFormat::Ids => &["id"],
        _ => &COLUMNS,
    };
    let mut rows = output::Rows::new(format, columns);
    for rule in &page.items {
        engine.context.check_cancelled()?;
        let row = summary(&rules, rule, Within::context(&engine.context))?;
        rows.put(if whole { row } else { flat(row) })?;
    }
    rows.end()?;
    Ok(true)
}

/// Names in a cell of a table, not as JSON.
fn flat(mut row: Json) -> Json {
    for name in ["filters", "modules"] {
        let names = row[name].as_array().into_iter().flatten();
        let names: Vec<&str> = names.filter_map(Json::as_str).collect();
        row[name] = json!(names.join(", "));
    }
    row
}
