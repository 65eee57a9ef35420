//! What may be there once only: names of pipelines, files of states.

use super::{File, bad};
use crate::diagnostic::Fault;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The file that a path leads to, as far as it is there.
fn file_of(path: &Path) -> PathBuf {
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let beside = || {
        let folder = whole.parent()?.canonicalize().ok()?;
        Some(folder.join(whole.file_name()?))
    };
    let there = whole.canonicalize().ok().or_else(beside);
    there.unwrap_or(whole)
}

/// A fault for every second step with one `db_path`, and every second pipeline with one name: one would write over what
/// the other has saved.
pub fn faults(file: &File) -> Vec<Fault> {
    let mut found = Vec::new();
    let (mut paths, mut ids) = (BTreeMap::new(), BTreeMap::new());
    for pipeline in &file.pipelines {
        let first = pipeline.steps.first();
        if let (Some(step), Some(())) = (first, ids.insert(pipeline.id.as_str(), ())) {
            let text = format!("there are two pipelines with the name {}", pipeline.id);
            found.push(bad(&step.source, step.parameters.span, text));
        }
        for step in &pipeline.steps {
            let Some(path) = &step.db_path else { continue };
            if let Some(other) = paths.insert(file_of(path), step.spec.name) {
                let path = path.display();
                let text = format!("{path} is the db_path of another step, {other}, too");
                let fault = step.parameters.fault("db_path", text);
                let fault = fault.in_source(&step.source);
                found.push(fault.help("give each step a file of its own"));
            }
        }
    }
    found
}
