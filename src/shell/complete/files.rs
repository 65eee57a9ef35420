//! Names of files.

use super::{Candidate, Completions, Kind};
use crate::shell::events::path_of;

/// More entries of one folder are not offered.
const MOST: usize = 2_000;

/// Files as words of a command: those with blanks in their paths stand in quotation marks.
pub fn complete_word(typed: &str, at: usize) -> Completions {
    let mut found = complete(typed, at);
    if !typed.starts_with(['"', '\'']) {
        for candidate in &mut found.candidates {
            let text = &mut candidate.text;
            if text.contains(char::is_whitespace) {
                let end = if text.ends_with('/') { "" } else { "'" };
                *text = format!("'{text}{end}");
            }
        }
    }
    found
}

/// Files whose path begins with `typed`, which ends at byte `at`.
pub fn complete(typed: &str, at: usize) -> Completions {
    let bare = typed.trim_start_matches(['"', '\'']);
    let from = at - bare.len();
    let (folder, start) = match bare.rfind('/') {
        Some(i) => bare.split_at(i + 1),
        None => ("", bare),
    };
    let path = match folder {
        "" => path_of("."),
        folder => path_of(folder),
    };
    let mut candidates = Vec::new();
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    for entry in entries {
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        // Hidden files are offered to those who ask for them.
        if !name.starts_with(start) || (name.starts_with('.') && !start.starts_with('.')) {
            continue;
        }
        let slash = if entry.path().is_dir() { "/" } else { "" };
        candidates.push(Candidate {
            text: format!("{folder}{name}{slash}"),
            kind: Kind::File,
        });
        if candidates.len() >= MOST {
            break;
        }
    }
    candidates.sort_by(|a, b| a.text.cmp(&b.text));
    Completions {
        replaces: from..at,
        candidates,
    }
}
