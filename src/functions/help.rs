//! The documentation of functions: `?NAME`, `stellar docs`, the reference.

use super::keywords::keyword;
use super::registry::Registry;
use super::spec::{Expected, Family, FunctionSpec, Presence};
use crate::diagnostic::{Code, Diagnostic, Outcome, Page, Style};
use crate::eval::{Context, Definition, Functions};
use std::fmt::Write;

/// The documentation of a function or a word of the language by name; `None` when there is neither.
///
/// Errors: a library that does not parse; E0220 for functions of Metron that are known and not here.
pub fn help(registry: &Registry, name: &str, context: &Context) -> Outcome<Option<Page>> {
    if let Some(spec) = registry.spec(name) {
        return Ok(Some(of_spec(spec)));
    }
    if let Some(definition) = registry.defined(name, context)? {
        return Ok(Some(of_definition(&definition)));
    }
    if let Some(page) = keyword(name) {
        return Ok(Some(page));
    }
    match registry.unavailable(name) {
        Some((message, hint)) => Err(Diagnostic::new(Code::NotWanted, message).help(hint)),
        None => Ok(None),
    }
}

/// A declaration as a page; the first line is the name.
pub fn of_spec(spec: &FunctionSpec) -> Page {
    let mut page = Page::new();
    page.put(Style::Name, spec.name).end();
    page.line(spec.summary);
    if !spec.details.is_empty() {
        page.line(spec.details);
    }
    page.end().put(Style::Heading, "Usage:").text(" ");
    page.put(Style::Code, spec.signature()).end();
    if !spec.parameters.is_empty() {
        page.end().heading("Arguments:");
        for parameter in spec.parameters {
            let presence = match parameter.presence {
                Presence::Required => String::new(),
                Presence::Optional => ", optional".to_string(),
                Presence::Default(value) => format!(", {value} unless given"),
                Presence::Repeated => ", any number".to_string(),
            };
            page.text("  ").put(Style::Code, parameter.name);
            let kind = format!(" ({}{presence})", parameter.kind.name());
            page.put(Style::Quiet, kind);
            page.line(format!(" - {}", parameter.text));
        }
    }
    page.end().put(Style::Heading, "Returns:");
    page.line(format!(" {}", spec.returns));
    if !spec.errors.is_empty() {
        page.put(Style::Heading, "Fails with:");
        page.line(format!(" {}", spec.errors.join("; ")));
    }
    if !spec.examples.is_empty() {
        page.end().heading("Examples:");
        for example in spec.examples {
            page.text("  ").put(Style::Code, example.expression);
            page.put(Style::Quiet, " --> ");
            match example.result {
                Expected::Text(result) => page.put(Style::Result, result),
                Expected::Error(code) => page.put(Style::Warning, format!("error {code}")),
            };
            page.end();
        }
    }
    if !spec.see.is_empty() {
        page.end().put(Style::Heading, "See also:").text(" ");
        page.put(Style::Name, spec.see.join(", ")).end();
    }
    page
}

/// A definition as a page; the first line is the name.
pub fn of_definition(definition: &Definition) -> Page {
    let (examples, words): (Vec<&str>, Vec<&str>) = definition
        .documentation
        .lines()
        .partition(|line| line.contains("-->"));
    let mut page = Page::new();
    page.put(Style::Name, definition.name.as_str()).end();
    if !words.is_empty() {
        page.line(words.join("\n"));
    }
    page.end().put(Style::Heading, "Usage:").text(" ");
    page.put(Style::Code, signature(definition)).end();
    if !examples.is_empty() {
        page.end().heading("Examples:");
        for example in examples {
            let (expression, result) = example.split_once("-->").unwrap_or((example, ""));
            page.text("  ").put(Style::Code, expression.trim());
            page.put(Style::Quiet, " --> ");
            page.put(Style::Result, result.trim()).end();
        }
    }
    page.end().heading("Defined in Stellar:");
    page.text("  ");
    page.put(Style::Code, definition.source.text.trim()).end();
    page
}

/// How a definition is called: `DOUBLE(x)`.
pub fn signature(definition: &Definition) -> String {
    format!("{}({})", definition.name, definition.parameters.join(", "))
}

fn families_of(specs: &[&FunctionSpec]) -> Vec<Family> {
    let mut families: Vec<Family> = specs.iter().map(|spec| spec.family).collect();
    families.sort();
    families.dedup();
    families
}

/// How many functions each family has, as a table of Markdown. Errors: a library that does not parse.
pub fn families_table(registry: &Registry, context: &Context) -> Outcome<String> {
    let specs = registry.specs();
    let library = registry.library(context)?.len();
    let mut text = String::from("| family | functions |\n|---|---|\n");
    for family in families_of(&specs) {
        let count = specs.iter().filter(|spec| spec.family == family).count();
        let _ = writeln!(text, "| {} | {count} |", family.title());
    }
    let _ = writeln!(text, "| {} | {library} |", Family::Library.title());
    let _ = writeln!(text, "| **all** | **{}** |", specs.len() + library);
    Ok(text)
}

/// The whole reference as Markdown: every family, every function. Errors: a library that does not parse.
pub fn reference(registry: &Registry, context: &Context) -> Outcome<String> {
    let specs = registry.specs();
    let library = registry.library(context)?;
    let families = families_of(&specs);
    let mut text = String::from(
        "# Functions\n\nThis page is made from the declarations in the source: `stellar docs --markdown`.\n\n",
    );
    text.push_str(&families_table(registry, context)?);
    let section = |text: &mut String, name: &str, body: &str| {
        let body = body.split_once('\n').map_or("", |(_, rest)| rest);
        let _ = writeln!(text, "\n### {name}\n\n```text\n{body}\n```");
    };
    for family in families {
        let _ = writeln!(text, "\n## {}", family.title());
        for spec in specs.iter().filter(|spec| spec.family == family) {
            section(&mut text, spec.name, &of_spec(spec).plain());
        }
    }
    let _ = writeln!(text, "\n## {}", Family::Library.title());
    for definition in library {
        section(
            &mut text,
            &definition.name,
            &of_definition(&definition).plain(),
        );
    }
    Ok(text)
}
