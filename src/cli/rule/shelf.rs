//! `stellar rule add|remove|activate|deactivate|export`: what lies in the store of rules.

use super::named::{self, Named, gather, looks_like_file, rules};
use crate::cli::output;
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome};
use crate::engine::Engine;
use crate::input::read_text;
use crate::rule::active::find_rule;
use crate::rule::bundle::{Bundle, Given, Stored};
use crate::rule::model::{EntityKind, Refusal, Rule};
use crate::rule::store::Rules;
use crate::store::Within;
use clap::Args;
use serde_json::{Map, Value as Json, json};
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// `stellar rule add`
#[derive(Debug, Args)]
pub struct AddArgs {
    /// Rules as JSON (the API's shape; one, a list, or what export gives), or Lua; - is standard input.
    #[arg(required_unless_present = "template", value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// A rule that comes with the program (stellar rule library); may be given several times.
    #[arg(long, value_name = "NAME", value_parser = super::library::names())]
    pub template: Vec<String>,
    /// The name of the rule; else that in the JSON, else that of the file without its ending.
    #[arg(long)]
    pub name: Option<String>,
    /// What the rule is about.
    #[arg(long, value_name = "TEXT")]
    pub description: Option<String>,
    /// The rule is active at once.
    #[arg(long, conflicts_with = "inactive")]
    pub active: bool,
    /// The rule is not active, whatever the JSON says.
    #[arg(long)]
    pub inactive: bool,
    /// The rule is one for the past, which runs over stored events.
    #[arg(long)]
    pub retro: bool,
    /// Only events for which this Stellar expression is true reach the rule; may be given several times.
    #[arg(long, value_name = "EXPR")]
    pub filter: Vec<String>,
    /// Lua that is run before the rule, from a file or a module of the store; may be given several times.
    #[arg(long, value_name = "FILE|NAME")]
    pub module: Vec<String>,
    /// Changes a rule that is there already; what is not given stays.
    #[arg(long)]
    pub replace: bool,
}

/// `stellar rule export`
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// Names or identifiers of rules, or files; all rules of the store when none is named.
    #[arg(value_name = "RULE")]
    pub rules: Vec<String>,
    /// Only the Lua, also of what the visual constructor drew.
    #[arg(long, conflicts_with = "json")]
    pub lua: bool,
    /// JSON as the API answers, with filters, modules and finding; the usual form.
    #[arg(long)]
    pub json: bool,
    /// The same JSON, a line for each rule.
    #[arg(long, conflicts_with_all = ["lua", "json", "into"])]
    pub jsonl: bool,
    /// Writes a file for each rule into a folder.
    #[arg(long, value_name = "FOLDER")]
    pub into: Option<PathBuf>,
}

/// A refusal on the command line.
fn refused(refusal: &Refusal, name: &str) -> Fault {
    let fault = Diagnostic::new(
        Code::BadRule,
        match refusal {
            Refusal::Taken(fields) => {
                format!(
                    "{name}: the store has a rule with this {} already",
                    fields.join(" and ")
                )
            }
            other => format!("{name}: {other}"),
        },
    );
    match refusal {
        Refusal::Taken(_) => fault.help("--replace changes it; --name gives another name"),
        _ => fault,
    }
}

/// What the command line says of the rules to add.
fn given(engine: &Engine, rules: &Rules, args: &AddArgs) -> Outcome<Given> {
    let mut fields = Map::new();
    if let Some(name) = &args.name {
        fields.insert("name".to_string(), json!(name));
    }
    if let Some(text) = &args.description {
        fields.insert("description".to_string(), json!(text));
    }
    if args.active || args.inactive {
        fields.insert("active".to_string(), json!(args.active));
    }
    if args.retro {
        fields.insert("is_retro".to_string(), json!(true));
    }
    let mut modules = Vec::new();
    for module in &args.module {
        let within = Within::context(&engine.context);
        let stored = match looks_like_file(module) {
            true => None,
            false => rules.entity_named(EntityKind::Module, module, within)?,
        };
        modules.push(match stored {
            Some(stored) => (stored.name, stored.program),
            None => {
                let path = Path::new(module);
                let stem = path.file_stem().unwrap_or_default().to_string_lossy();
                (stem.into_owned(), read_text(path)?)
            }
        });
    }
    Ok(Given {
        name: String::new(),
        fields,
        filters: args.filter.clone(),
        modules,
    })
}

/// Runs `stellar rule add`: all rules are checked before the first one is stored.
pub fn add(engine: &Engine, args: &AddArgs) -> Outcome<bool> {
    let rules = rules(engine)?;
    let given = given(engine, &rules, args)?;
    let mut all: Vec<Named> = Vec::new();
    for file in &args.files {
        all.append(&mut named::of_file(engine, file, &given)?);
    }
    for name in &args.template {
        all.append(&mut named::of_library(engine, name, &given)?);
    }
    if args.name.is_some() && all.len() > 1 {
        let message = format!("--name names one rule; there are {}", all.len());
        return Err(Diagnostic::new(Code::Usage, message));
    }
    let mut names = HashSet::new();
    if let Some(twice) = all.iter().find(|one| !names.insert(&one.bundle.rule.name)) {
        let message = format!("two of the rules are named {}", twice.bundle.rule.name);
        return Err(Diagnostic::new(Code::BadRule, message));
    }
    let mut good = true;
    for one in &all {
        one.bundle.notes.iter().for_each(|note| output::note(note));
        match super::check::load(engine, one) {
            Ok(running) if running.takes_events() => {}
            Ok(_) => {
                let name = &one.bundle.rule.name;
                output::note(&format!(
                    "{name} has no function on_logline, so it takes no events"
                ));
            }
            Err(fault) => {
                output::complain(&one.placed(fault));
                good = false;
            }
        }
    }
    if !good {
        return Ok(false);
    }
    for one in &all {
        store(engine, &rules, one, args.replace)?;
    }
    Ok(true)
}

/// Stores one rule and says so.
pub fn store(engine: &Engine, rules: &Rules, one: &Named, replace: bool) -> Outcome<()> {
    let stored = one.bundle.store(rules, replace, &engine.context)?;
    let name = &one.bundle.rule.name;
    let stored = stored.map_err(|refusal| refused(&refusal, name))?;
    let rule = stored.rule();
    let what = match &stored {
        Stored::Created(_) => "added",
        Stored::Replaced(_) => "changed",
    };
    let state = match rule.active {
        true => "active",
        false => "not active; stellar rule activate sets it to work",
    };
    output::note(&format!("{name} is {what}: {state}"));
    output::line(&rule.id)
}

/// Every rule that is named, each once. Errors: those of the first name that no rule has.
fn named_rules(engine: &Engine, rules: &Rules, names: &[String]) -> Outcome<Vec<Rule>> {
    let mut found: Vec<Rule> = Vec::new();
    for name in names {
        let rule = find_rule(rules, name, &engine.context)?;
        if !found.iter().any(|known| known.id == rule.id) {
            found.push(rule);
        }
    }
    Ok(found)
}

/// Runs `stellar rule remove`; nothing is removed when a name is wrong.
pub fn remove(engine: &Engine, names: &[String]) -> Outcome<bool> {
    let rules = rules(engine)?;
    for rule in named_rules(engine, &rules, names)? {
        let removed = rules.delete(&rule.id, Within::context(&engine.context))?;
        output::note(&match removed {
            true => format!(
                "{} is removed, with its results and saved groups",
                rule.name
            ),
            false => format!("{} was removed meanwhile", rule.name),
        });
    }
    Ok(true)
}

/// Runs `stellar rule activate` and `deactivate`.
pub fn set_active(engine: &Engine, names: &[String], active: bool) -> Outcome<bool> {
    let rules = rules(engine)?;
    for rule in named_rules(engine, &rules, names)? {
        if active {
            let bundle = Bundle::of(&rules, rule.clone(), Within::context(&engine.context))?;
            let one = Named::stored(bundle);
            if let Err(fault) = super::check::load(engine, &one) {
                return Err(one.placed(fault));
            }
        }
        rules.set_active(&rule.id, active, Within::context(&engine.context))?;
        let state = if active {
            "active"
        } else {
            "not active any more"
        };
        output::note(&format!("{} is {state}", rule.name));
    }
    Ok(true)
}

/// Runs `stellar rule export`.
pub fn export(engine: &Engine, args: &ExportArgs) -> Outcome<bool> {
    let all = match args.rules.is_empty() {
        false => gather(engine, &args.rules)?,
        true => super::named::all(engine, &Default::default())?,
    };
    if args.lua && args.into.is_none() && all.len() != 1 {
        let message = format!("--lua prints one rule; there are {}", all.len());
        return Err(
            Diagnostic::new(Code::Usage, message).help("--into FOLDER writes a file for each")
        );
    }
    let text = |one: &Named| match args.lua {
        true => one.bundle.rule.lua.clone(),
        false => pretty(&one.bundle.to_json()),
    };
    if args.jsonl {
        for one in &all {
            output::line(&one.bundle.to_json().to_string())?;
        }
        return Ok(true);
    }
    let Some(folder) = &args.into else {
        return match all.as_slice() {
            [one] if !args.rules.is_empty() => output::line(text(one).trim_end_matches('\n')),
            all => {
                let list = all.iter().map(|one| one.bundle.to_json()).collect();
                output::line(&pretty(&Json::Array(list)))
            }
        }
        .map(|()| true);
    };
    let failed = |path: &Path, error: std::io::Error| {
        let message = format!("{} cannot be written: {error}", path.display());
        Diagnostic::new(Code::CannotWrite, message)
    };
    std::fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
    let mut used = HashSet::new();
    for one in &all {
        let ending = if args.lua { "lua" } else { "json" };
        let stem = file_name(&one.bundle.rule.name);
        let mut name = format!("{stem}.{ending}");
        let mut number = 1;
        // File systems that do not tell small letters from large ones.
        while !used.insert(name.to_lowercase()) {
            number += 1;
            name = format!("{stem}-{number}.{ending}");
        }
        let path = folder.join(name);
        let mut text = text(one);
        if !text.ends_with('\n') {
            text.push('\n');
        }
        std::fs::write(&path, text).map_err(|error| failed(&path, error))?;
    }
    let count = match all.len() {
        1 => "1 rule".to_owned(),
        n => format!("{n} rules"),
    };
    output::note(&format!("{count} in {}", folder.display()));
    Ok(true)
}

fn pretty(json: &Json) -> String {
    serde_json::to_string_pretty(json).unwrap_or_else(|_| json.to_string())
}

/// A name that every file system takes.
fn file_name(name: &str) -> String {
    let safe = |c: char| match c.is_alphanumeric() || matches!(c, '-' | '_' | ' ' | '(' | ')') {
        true => c,
        false => '_',
    };
    let text: String = name.chars().take(80).map(safe).collect();
    match text.trim() {
        "" => "rule".to_string(),
        text => text.to_string(),
    }
}
