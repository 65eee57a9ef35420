//! What arguments name: files, or rules of the store.

use crate::cli::output;
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome, Source};
use crate::engine::Engine;
use crate::input::read_text;
use crate::rule::active::{Ready, find_rule};
use crate::rule::bundle::{self, Bundle, Given};
use crate::rule::library;
use crate::rule::store::{Rules, Search};
use crate::store::Within;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A rule that an argument names.
pub struct Named {
    /// The rule with what belongs to it.
    pub bundle: Bundle,
    /// The file that it stands in; none for a rule of the store.
    pub file: Option<PathBuf>,
    /// Whether its file is Lua.
    lua: bool,
}

/// The store of rules. Errors: E0217.
pub fn rules(engine: &Engine) -> Outcome<Arc<Rules>> {
    let rules = engine.context.services.get::<Rules>();
    rules.ok_or_else(|| Diagnostic::new(Code::NotAvailable, "there is no store of rules"))
}

/// Whether an argument is a file by its look: `-`, something with a slash, or with an ending that rules have.
pub fn looks_like_file(argument: &str) -> bool {
    let ending = |ending: &str| {
        let at = argument.len().checked_sub(ending.len());
        at.and_then(|at| argument.get(at..))
            .is_some_and(|end| end.eq_ignore_ascii_case(ending))
    };
    argument == "-"
        || argument.contains('/')
        || ending(".lua")
        || ending(".json")
        || ending(".jsonl")
}

/// The rules that arguments name, in their order. Errors: E0403 and others of files, E0413 for names that no rule has.
pub fn gather(engine: &Engine, arguments: &[String]) -> Outcome<Vec<Named>> {
    let mut all = Vec::new();
    for argument in arguments {
        all.append(&mut one(engine, argument)?);
    }
    Ok(all)
}

fn one(engine: &Engine, argument: &str) -> Outcome<Vec<Named>> {
    if looks_like_file(argument) {
        return of_file(engine, Path::new(argument), &Given::default());
    }
    let rules = rules(engine)?;
    let there = Path::new(argument).is_file();
    match find_rule(&rules, argument, &engine.context) {
        Ok(rule) => {
            if there {
                let text = format!("{argument} is a rule of the store; the file is ./{argument}");
                output::note(&text);
            }
            let bundle = Bundle::of(&rules, rule, Within::context(&engine.context))?;
            Ok(vec![Named::stored(bundle)])
        }
        Err(_) if there => of_file(engine, Path::new(argument), &Given::default()),
        Err(fault) => Err(fault),
    }
}

/// The rules of the store that a search finds.
pub fn all(engine: &Engine, search: &Search) -> Outcome<Vec<Named>> {
    let rules = rules(engine)?;
    let within = Within::context(&engine.context);
    let page = rules.rules(search, within)?;
    let stored = |rule| Ok(Named::stored(Bundle::of(&rules, rule, within)?));
    page.items.into_iter().map(stored).collect()
}

/// The rules of a file. Errors: E0403, E0402, E0413 with the name of the file.
pub fn of_file(engine: &Engine, path: &Path, given: &Given) -> Outcome<Vec<Named>> {
    let text = read_text(path)?;
    let lua = !bundle::is_json(&text);
    let mut given = given.clone();
    if given.name.is_empty() {
        given.name = match path.file_stem() {
            Some(stem) if path.as_os_str() != "-" => stem.to_string_lossy().into_owned(),
            _ => "rule".to_string(),
        };
    }
    let read = bundle::read(&text, &given, &engine.context);
    let bundles = read.map_err(|mut fault| {
        fault.message = format!("{}: {}", path.display(), fault.message);
        fault
    })?;
    let named = |bundle| Named {
        bundle,
        file: Some(path.to_path_buf()),
        lua,
    };
    Ok(bundles.into_iter().map(named).collect())
}

/// A rule that comes with the program. Errors: E0204 for an unknown name.
pub fn of_library(engine: &Engine, name: &str, given: &Given) -> Outcome<Vec<Named>> {
    let body = library::find(name)?.body().to_string();
    let bundles = bundle::read(&body, given, &engine.context)?;
    Ok(bundles.into_iter().map(Named::stored).collect())
}

impl Named {
    /// A rule of the store.
    pub fn stored(bundle: Bundle) -> Named {
        Named {
            bundle,
            file: None,
            lua: false,
        }
    }

    /// What it is called on the screen: the path of a Lua file, else the name of the rule.
    pub fn label(&self) -> String {
        match &self.file {
            Some(file) if self.lua => file.display().to_string(),
            Some(file) => format!("{}: {}", file.display(), self.bundle.rule.name),
            None => self.bundle.rule.name.clone(),
        }
    }

    /// The rule ready to run. Errors: those of its filters and settings.
    pub fn ready(&self, engine: &Engine) -> Outcome<Ready> {
        let bundle = &self.bundle;
        Ready::whole(
            bundle.rule.clone(),
            bundle.filters.clone(),
            bundle.modules.clone(),
            bundle.finding.clone(),
            &engine.context,
        )
    }

    /// An error of the rule's text with the name of its file.
    pub fn placed(&self, mut fault: Fault) -> Fault {
        let own = |source: &Arc<Source>| *source.text == self.bundle.rule.lua;
        if fault.source.as_ref().is_some_and(own) {
            let source = Source::named(self.label(), self.bundle.rule.lua.as_str());
            fault.source = Some(Arc::new(source));
        } else if !fault.message.starts_with(&self.bundle.rule.name) {
            fault.message = format!("{}: {}", self.label(), fault.message);
        }
        fault
    }
}
