//! `stellar rule library`: rules that come with the program.

use super::super::args::ListFormat;
use super::super::output;
use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::rule::library::{Entry, LIBRARY, find};
use clap::builder::PossibleValuesParser;
use clap::{Args, ValueEnum};
use serde_json::json;
use std::fmt::Write;

/// `stellar rule library`
#[derive(Debug, Args)]
pub struct LibraryArgs {
    /// The rule to print; without one they are listed.
    #[arg(value_name = "NAME", value_parser = names())]
    pub name: Option<String>,
    /// Prints events to try the rule with in its place.
    #[arg(long, value_enum, requires = "name")]
    pub events: Option<Events>,
    /// json, with a name: the rule in the shape of the API, with its test_data.
    #[arg(long, value_enum)]
    pub format: Option<ListFormat>,
}

/// Which events of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Events {
    /// Those that raise its alerts.
    Alert,
    /// Those that look alike and raise none.
    Quiet,
}

/// The names of the library, as values of an argument.
pub fn names() -> PossibleValuesParser {
    PossibleValuesParser::new(LIBRARY.iter().map(|entry| entry.name))
}

/// Lists the library, or prints one of its rules.
pub fn library(args: &LibraryArgs) -> Outcome<bool> {
    let Some(name) = &args.name else {
        let row = |entry: &Entry| json!({"rule": entry.name, "description": entry.description()});
        let rows = LIBRARY.iter().map(row).collect();
        output::table(
            ListFormat::or_usual(args.format),
            &["rule", "description"],
            rows,
        )?;
        return Ok(true);
    };
    let entry = find(name)?;
    match (args.events, args.format) {
        (Some(Events::Alert), _) => output::line(entry.alert.trim_end())?,
        (Some(Events::Quiet), _) => output::line(entry.quiet.trim_end())?,
        (None, None | Some(ListFormat::Text)) => output::line(entry.lua.trim_end())?,
        (None, Some(ListFormat::Json | ListFormat::Jsonl)) => {
            output::line(&entry.body().to_string())?;
        }
        (None, Some(_)) => {
            let message = "a rule is printed as text or json";
            return Err(Diagnostic::new(Code::Usage, message)
                .help("csv, ids and table are for the list, without a name"));
        }
    }
    Ok(true)
}

/// The page about the library, as Markdown.
pub fn page() -> String {
    let mut text = String::from(ABOUT);
    for entry in LIBRARY {
        let _ = writeln!(text, "\n## {}\n\n{}", entry.name, entry.notes().trim_end());
        let _ = writeln!(text, "\n| setting | unless changed | |\n|---|---|---|");
        for setting in entry.settings() {
            let cell = |text: &str| text.replace('|', "\\|");
            let _ = writeln!(
                text,
                "| `{}` | `{}` | {} |",
                setting.name,
                cell(setting.value),
                cell(setting.meaning)
            );
        }
    }
    text
}

/// What stands before the rules.
const ABOUT: &str = "\
# Library rules

This page is made from the source: `stellar docs --rules`.

These rules come with the program. `stellar rule library` lists them; with a name it prints the rule, which is yours to
change: the settings at its top name the fields of your events, the thresholds and the windows. Each has events that
raise its alerts, and events that look alike and raise none:

```text
stellar rule library brute-force > brute-force.lua
stellar rule library brute-force --events alert > events.jsonl
stellar rule test brute-force.lua --events events.jsonl
stellar rule library brute-force --format json      # the shape of the API, with test_data
stellar rule add --template brute-force --active    # into the store, and to work
```

All of them read the time of an event from `@timestamp` (RFC 3339). Table lists named `library: …` remember what must
outlast a restart; their rows carry times of events, so that a rule finds in an old file what it would have found live.
[What rules may use](rules-lua.md) and [how groups work](rules.md) are told elsewhere.
";
