//! `stellar pipeline test|schema|graph`: tools for those who write pipelines.

use super::args::ListFormat;
use super::output;
use crate::diagnostic::{Drawing, Outcome};
use crate::engine::Engine;
use crate::pipeline::config::File;
use crate::pipeline::{graph, schema, trial};
use clap::ValueEnum;
use serde_json::json;
use std::path::Path;

/// How a picture is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GraphFormat {
    /// A picture of its own.
    Svg,
    /// For Mermaid.
    Mermaid,
    /// For Graphviz.
    Dot,
    /// Lines for a terminal.
    Text,
}

/// Prints a pipeline as a picture.
pub fn draw(file: &File, format: GraphFormat) -> Outcome<bool> {
    let text = match format {
        GraphFormat::Svg => graph::svg(file),
        GraphFormat::Mermaid => graph::mermaid(file),
        GraphFormat::Dot => graph::dot(file),
        GraphFormat::Text => {
            let page = graph::Graph::of(file).page(output::room());
            output::page(&page)
        }
    };
    output::line(text.trim_end())?;
    Ok(true)
}

/// Prints the schema.
pub fn print_schema() -> Outcome<bool> {
    let schema = schema::schema(&Engine::actions());
    output::line(&format!("{schema:#}"))?;
    Ok(true)
}

/// Runs the cases of files that have been read. False when one has failed or there are none.
pub fn test(engine: &Engine, files: &[(&Path, File)], format: Option<ListFormat>) -> Outcome<bool> {
    let (mut passed, mut failed, mut rows) = (0, 0, Vec::new());
    for (path, file) in files {
        let cases = match trial::load(path, file, &engine.context) {
            Ok(cases) => cases,
            Err(faults) => {
                faults.iter().for_each(output::complain);
                return Ok(false);
            }
        };
        if cases.is_empty() {
            let beside = trial::beside(path);
            output::note(&format!(
                "{} has no tests, and there is no {}",
                path.display(),
                beside.display()
            ));
            failed += 1;
        }
        for case in &cases {
            let verdict = match trial::run(case, file, &engine.context) {
                Ok(verdict) => verdict,
                Err(faults) => {
                    faults.iter().for_each(output::complain);
                    return Ok(false);
                }
            };
            let good = verdict.failures.is_empty();
            passed += usize::from(good);
            failed += usize::from(!good);
            let places = verdict.failures.iter();
            let failures: Vec<String> = places
                .map(|(line, column, text)| format!("{}:{line}:{column}: {text}", case.source.name))
                .collect();
            if format.is_some() {
                rows.push(json!({
                    "file": case.source.name.as_str(), "line": case.line(), "test": case.name,
                    "passed": good, "failures": failures,
                }));
                continue;
            }
            let word = if good { "passed" } else { "FAILED" };
            output::line(&format!(
                "{word}  {}:{}: {}",
                case.source.name,
                case.line(),
                case.name
            ))?;
            for failure in failures {
                output::line(&format!("        {failure}"))?;
            }
        }
    }
    match format {
        Some(format) => output::table(
            format,
            &["file", "line", "test", "passed", "failures"],
            rows,
        )?,
        None => output::line(&format!("{passed} passed, {failed} failed"))?,
    }
    Ok(failed == 0)
}

/// Says what is wrong with the cases of a file, without running them.
pub fn check(engine: &Engine, path: &Path, file: &File) -> bool {
    match trial::load(path, file, &engine.context) {
        Ok(_) => true,
        Err(faults) => {
            faults.iter().for_each(output::complain);
            false
        }
    }
}
