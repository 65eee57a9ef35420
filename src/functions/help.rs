//! The documentation of functions as text: `?NAME`, `stellar docs`, the reference.

use super::registry::Registry;
use super::spec::{Expected, Family, FunctionSpec, Presence};
use crate::diagnostic::Outcome;
use crate::eval::{Context, Definition};
use std::fmt::Write;

/// The documentation of a function by name; `None` when there is no such function.
///
/// Errors: a library that does not parse.
pub fn help(registry: &Registry, name: &str, context: &Context) -> Outcome<Option<String>> {
    use crate::eval::Functions;
    if let Some(spec) = registry.spec(name) {
        return Ok(Some(of_spec(spec)));
    }
    Ok(registry
        .defined(name, context)?
        .map(|definition| of_definition(&definition)))
}

/// A declaration as text; the first line is the name.
pub fn of_spec(spec: &FunctionSpec) -> String {
    let mut text = format!("{}\n{}\n", spec.name, spec.summary);
    if !spec.details.is_empty() {
        let _ = writeln!(text, "{}", spec.details);
    }
    let _ = writeln!(text, "\nUsage: {}", spec.signature());
    if !spec.parameters.is_empty() {
        text.push_str("\nArguments:\n");
        for parameter in spec.parameters {
            let presence = match parameter.presence {
                Presence::Required => String::new(),
                Presence::Optional => ", optional".to_string(),
                Presence::Default(value) => format!(", {value} unless given"),
                Presence::Repeated => ", any number".to_string(),
            };
            let _ = writeln!(
                text,
                "  {} ({}{presence}) - {}",
                parameter.name,
                parameter.kind.name(),
                parameter.text
            );
        }
    }
    let _ = writeln!(text, "\nReturns: {}", spec.returns);
    if !spec.errors.is_empty() {
        let _ = writeln!(text, "Fails with: {}", spec.errors.join("; "));
    }
    if !spec.examples.is_empty() {
        text.push_str("\nExamples:\n");
        for example in spec.examples {
            let _ = match example.result {
                Expected::Text(result) => writeln!(text, "  {} --> {result}", example.expression),
                Expected::Error(code) => {
                    writeln!(text, "  {} --> error {code}", example.expression)
                }
            };
        }
    }
    if !spec.see.is_empty() {
        let _ = writeln!(text, "\nSee also: {}", spec.see.join(", "));
    }
    text.truncate(text.trim_end().len());
    text
}

/// A definition as text; the first line is the name.
pub fn of_definition(definition: &Definition) -> String {
    let (examples, words): (Vec<&str>, Vec<&str>) = definition
        .documentation
        .lines()
        .partition(|line| line.contains("-->"));
    let mut text = format!("{}\n{}\n", definition.name, words.join("\n"));
    let _ = writeln!(
        text,
        "\nUsage: {}({})",
        definition.name,
        definition.parameters.join(", ")
    );
    if !examples.is_empty() {
        text.push_str("\nExamples:\n");
        for example in examples {
            let _ = writeln!(text, "  {example}");
        }
    }
    let _ = writeln!(
        text,
        "\nDefined in Stellar:\n  {}",
        definition.source.text.trim()
    );
    text.truncate(text.trim_end().len());
    text
}

/// The whole reference as Markdown: every family, every function. Errors: a library that does not parse.
pub fn reference(registry: &Registry, context: &Context) -> Outcome<String> {
    let specs = registry.specs();
    let library = registry.library(context)?;
    let mut families: Vec<Family> = specs.iter().map(|spec| spec.family).collect();
    families.sort();
    families.dedup();
    let mut text = String::from(
        "# Functions\n\nThis page is made from the declarations in the source: `stellar docs --markdown`.\n",
    );
    let _ = writeln!(text, "\n| family | functions |\n|---|---|");
    for family in &families {
        let count = specs.iter().filter(|spec| spec.family == *family).count();
        let _ = writeln!(text, "| {} | {count} |", family.title());
    }
    let _ = writeln!(text, "| {} | {} |", Family::Library.title(), library.len());
    let section = |text: &mut String, name: &str, body: &str| {
        let body = body.split_once('\n').map_or("", |(_, rest)| rest);
        let _ = writeln!(text, "\n### {name}\n\n```text\n{body}\n```");
    };
    for family in families {
        let _ = writeln!(text, "\n## {}", family.title());
        for spec in specs.iter().filter(|spec| spec.family == family) {
            section(&mut text, spec.name, &of_spec(spec));
        }
    }
    let _ = writeln!(text, "\n## {}", Family::Library.title());
    for definition in library {
        section(&mut text, &definition.name, &of_definition(&definition));
    }
    Ok(text)
}
