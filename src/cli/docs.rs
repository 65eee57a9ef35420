//! `stellar docs` and `stellar completions`: everything that is made from declarations.

use super::args::{Args, Common, CompletionsArgs, DocsArgs};
use super::{library, output, setup};
use crate::diagnostic::{CODES, Code, Diagnostic, Outcome};
use crate::engine::Engine;
use crate::functions::help;
use crate::functions::spec::{Expected, FunctionSpec};
use clap::CommandFactory;
use serde_json::{Value as Json, json};
use std::fmt::Write;

/// Runs `stellar docs`.
pub fn docs(common: &Common, args: &DocsArgs) -> Outcome<bool> {
    if args.man {
        let mut page = Vec::new();
        output::written(clap_mangen::Man::new(Args::command()).render(&mut page))?;
        output::line(String::from_utf8_lossy(&page).trim_end())?;
        return Ok(true);
    }
    if args.errors {
        output::line(errors().trim_end())?;
        return Ok(true);
    }
    if args.lints {
        output::line(lints().trim_end())?;
        return Ok(true);
    }
    if args.rules {
        output::line(super::rule::library::page().trim_end())?;
        return Ok(true);
    }
    let engine = setup::engine(common)?;
    let (registry, context) = (&engine.registry, &engine.context);
    let text = match &args.name {
        None if args.profiles => library::page(&engine)?,
        Some(name) if args.json => match registry.spec(name) {
            Some(spec) => object(spec).to_string(),
            None => return Err(unknown(&engine, name)),
        },
        Some(name) => match help::help(registry, name, context)? {
            Some(page) => output::page(&page),
            None => return Err(unknown(&engine, name)),
        },
        None if args.json => {
            Json::Array(registry.specs().into_iter().map(object).collect()).to_string()
        }
        None if args.families => help::families_table(registry, context)?,
        None if args.markdown => help::reference(registry, context)?,
        None => summary(&engine)?,
    };
    output::line(text.trim_end())?;
    Ok(true)
}

fn unknown(engine: &Engine, name: &str) -> crate::diagnostic::Fault {
    Diagnostic::new(
        Code::UnknownFunction,
        format!("there is no function {name}"),
    )
    .did_you_mean(engine.context.functions.nearest(name).as_deref())
}

/// One line a function, by family.
fn summary(engine: &Engine) -> Outcome<String> {
    let mut specs = engine.registry.specs();
    specs.sort_by_key(|spec| (spec.family, spec.name));
    let mut text = String::new();
    let mut family = None;
    for spec in specs {
        if family.replace(spec.family) != Some(spec.family) {
            let _ = writeln!(text, "\n{}", spec.family.title());
        }
        let _ = writeln!(text, "  {:<22} {}", spec.name, spec.summary);
    }
    let _ = writeln!(text, "\nLibrary");
    for definition in engine.registry.library(&engine.context)? {
        let first = definition.documentation.lines().next().unwrap_or_default();
        let _ = writeln!(text, "  {:<22} {first}", definition.name);
    }
    Ok(text.trim_start().to_string())
}

/// All error codes as Markdown.
fn errors() -> String {
    let mut text = String::from(
        "# Error codes\n\nThis page is made from the source: `stellar docs --errors`.\n",
    );
    for info in CODES.iter().filter(|info| info.lint.is_none()) {
        let _ = writeln!(
            text,
            "\n## {}: {}\n\n{}\n\n{}",
            info.name, info.title, info.cause, info.cure
        );
        if !info.example.is_empty() {
            let _ = writeln!(text, "\nExample: `{}`", info.example);
        }
    }
    text
}

/// What stands before the list of lints.
const ABOUT_LINTS: &str = "\
# Lints

This page is made from the source: `stellar docs --lints`.

A lint points at a place where an expression may not mean what was meant, or does nothing. `stellar check` mentions
them behind the errors; `stellar help mixed-and-or` or `stellar help L0101` explains one. The exit code stays 0 when
there is nothing but lints; with `--deny-warnings` it is 1 when there is a warning. Notes never count.

To silence a lint, by its name or its code:

- in a script, for one statement: `# stellar: allow(mixed-and-or)` or `// stellar: allow(L0101, L0102)` in a line of
  comment directly before it, or `// stellar: allow(mixed-and-or)` behind it;
- in a script, for all of it: `# stellar: allow-file(unused-assignment)`;
- for one run: `stellar check --allow mixed-and-or`;
- always, also at the shell: `allow = [\"mixed-and-or\"]` below `[check]` in `stellar.toml`. `all` means every one.

`stellar check --fix` writes those changes into the scripts that keep the meaning: parentheses that say what Stellar
reads, and lists for the groups of PROFILE_GET. Other suggestions are for a person to decide; `--format jsonl` gives
both to an editor.
";

/// All lints as Markdown.
fn lints() -> String {
    let mut text = String::from(ABOUT_LINTS);
    for (info, lint) in CODES.iter().filter_map(|info| Some((info, info.lint?))) {
        let _ = writeln!(
            text,
            "\n## {} {}: {}\n\nA {}. {}\n\n{}",
            info.name,
            lint.name,
            info.title,
            lint.level.name(),
            info.cause,
            info.cure
        );
        if !info.example.is_empty() {
            let _ = writeln!(text, "\nExample: `{}`", info.example);
        }
    }
    text
}

fn object(spec: &FunctionSpec) -> Json {
    let parameters: Vec<Json> = spec
        .parameters
        .iter()
        .map(|p| {
            json!({"name": p.name, "kind": p.kind.name(), "text": p.text, "presence": format!("{:?}", p.presence)})
        })
        .collect();
    let examples: Vec<Json> = spec
        .examples
        .iter()
        .map(|e| match e.result {
            Expected::Text(text) => json!({"expression": e.expression, "text": text}),
            Expected::Error(code) => json!({"expression": e.expression, "error": code}),
        })
        .collect();
    json!({
        "name": spec.name, "family": spec.family.title(), "summary": spec.summary, "details": spec.details,
        "signature": spec.signature(), "parameters": parameters, "returns": spec.returns, "errors": spec.errors,
        "examples": examples, "see": spec.see,
    })
}

/// Runs `stellar completions`.
pub fn completions(args: &CompletionsArgs) -> Outcome<bool> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), "stellar", &mut script);
    output::line(String::from_utf8_lossy(&script).trim_end())?;
    Ok(true)
}
