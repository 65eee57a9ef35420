//! `stellar profile library`: profiles that come with the program.

use super::args::ListFormat;
use super::output;
use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::engine::Engine;
use crate::profile::library::{LIBRARY, joined};
use serde_json::json;
use smol_str::SmolStr;
use std::fmt::Write;

/// Lists the library, or prints the definitions of some of it as one file.
pub fn library(
    engine: &Engine,
    names: &[String],
    fields: &[String],
    format: Option<ListFormat>,
) -> Outcome<bool> {
    let context = &engine.context;
    if names.is_empty() {
        let mut rows = Vec::new();
        for entry in LIBRARY {
            let fields = entry.fields(context)?;
            let fields: Vec<&str> = fields.iter().map(SmolStr::as_str).collect();
            rows.push(json!({
                "profile": entry.name, "description": entry.description().as_str(),
                "fields": fields.join(", "),
            }));
        }
        let columns = ["profile", "description", "fields"];
        output::table(ListFormat::or_usual(format), &columns, rows)?;
        return Ok(true);
    }
    let names: Vec<SmolStr> = names.iter().map(SmolStr::from).collect();
    let mut renamed = Vec::new();
    for field in fields {
        let Some((old, new)) = field.split_once('=') else {
            let message = format!("--field {field} lacks a =");
            return Err(Diagnostic::new(Code::Usage, message)
                .help("write the field of the definitions and its name in the messages: --field user=account"));
        };
        renamed.push((SmolStr::new(old.trim()), SmolStr::new(new.trim())));
    }
    output::line(joined(&names, &renamed, context)?.trim_end())?;
    Ok(true)
}

/// The page about the library, as Markdown.
pub fn page(engine: &Engine) -> Outcome<String> {
    let mut text = String::from(ABOUT);
    for entry in LIBRARY {
        let _ = writeln!(text, "\n## {}\n\n{}", entry.name, entry.notes().trim_end());
        let fields = entry.fields(&engine.context)?;
        let fields: Vec<String> = fields.iter().map(|field| format!("`{field}`")).collect();
        let _ = writeln!(text, "\nFields: {}", fields.join(", "));
        let _ = writeln!(text, "\n```json\n{}\n```", entry.json().trim_end());
    }
    Ok(text)
}

/// What stands before the profiles.
const ABOUT: &str = "\
# Library profiles

This page is made from the source: `stellar docs --profiles`.

These profiles come with the program. `stellar profile library` lists them; with names it prints their definitions as
one file, which is yours to change. `--field OLD=NEW` writes the names that the fields have in your messages:

    stellar profile library traffic-by-host rare-ports --field ip_src_addr=id.orig_h > profiles.json

In the language `PROFILER_LIBRARY` gives the same text:

    p := PROFILER_INIT(PROFILER_LIBRARY(['traffic-by-host', 'rare-ports'], {'ip_src_addr' : 'id.orig_h'}))

All take the time of a message from the field `timestamp`, in milliseconds since 1970. The expressions that ask for
them are meant for an event whose fields are variables, as in `stellar map`, `stellar filter` or a profile; at the
shell put values in their place. [The guide](profiler.md) explains definitions, windows and stores.
";
