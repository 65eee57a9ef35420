//! Patterns of paths, for names of any bytes.

use glob::MatchOptions;
use std::ffi::{OsStr, OsString};
use std::io::{self, ErrorKind};
use std::path::{Component, Path, PathBuf};

const OPTIONS: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: true,
};

/// A pattern of whole paths: `*`, `?` and `[...]` within a name, `**` for any folders. Names with a dot before them
/// must be asked for with a dot. A relative one counts from the working folder.
pub struct Paths {
    parts: Vec<Part>,
}

enum Part {
    Name(OsString),
    Some(glob::Pattern),
    Folders,
}

impl Part {
    fn takes(&self, name: &OsStr) -> bool {
        match self {
            Part::Name(own) => own == name,
            // What is no text is matched as it is shown.
            Part::Some(pattern) => pattern.matches_with(&name.to_string_lossy(), OPTIONS),
            Part::Folders => !name.as_encoded_bytes().starts_with(b"."),
        }
    }
}

fn names(path: &Path) -> impl Iterator<Item = &OsStr> {
    path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name),
        Component::ParentDir => Some(OsStr::new("..")),
        Component::Prefix(_) | Component::RootDir | Component::CurDir => None,
    })
}

impl Paths {
    /// Compiles a pattern. Errors: why it is none.
    pub fn new(text: &str) -> Result<Paths, String> {
        glob::Pattern::new(text).map_err(|error| error.msg.to_owned())?;
        let mut parts = Vec::new();
        if !text.starts_with('/') {
            let here = std::env::current_dir().map_err(|error| error.to_string())?;
            parts.extend(names(&here).map(|name| Part::Name(name.to_owned())));
        }
        for name in text.split('/').filter(|name| !matches!(*name, "" | ".")) {
            parts.push(match name {
                "**" => Part::Folders,
                _ if !name.contains(['*', '?', '[']) => Part::Name(name.into()),
                _ => Part::Some(glob::Pattern::new(name).map_err(|error| error.msg.to_owned())?),
            });
        }
        Ok(Paths { parts })
    }

    /// Which parts may come next, after those before `at`: `**` may stand for nothing.
    fn with_empty(&self, states: &mut [bool]) {
        for (at, part) in self.parts.iter().enumerate() {
            if matches!(part, Part::Folders)
                && states.get(at) == Some(&true)
                && let Some(next) = states.get_mut(at + 1)
                // A `**` at the end needs something.
                && at + 1 < self.parts.len()
            {
                *next = true;
            }
        }
    }

    /// Up to where the names of an absolute path lead.
    fn states(&self, path: &Path) -> Vec<bool> {
        let mut states = vec![false; self.parts.len() + 1];
        if let Some(first) = states.first_mut() {
            *first = true;
        }
        self.with_empty(&mut states);
        for name in names(path) {
            let mut next = vec![false; states.len()];
            for (at, part) in self.parts.iter().enumerate() {
                if states.get(at) != Some(&true) || !part.takes(name) {
                    continue;
                }
                let folders = matches!(part, Part::Folders);
                let last = at + 1 == self.parts.len();
                for to in [(folders, at), (!folders || last, at + 1)] {
                    if let (true, Some(state)) = (to.0, next.get_mut(to.1)) {
                        *state = true;
                    }
                }
            }
            self.with_empty(&mut next);
            states = next;
        }
        states
    }

    /// Whether an absolute path matches as a whole.
    pub fn matches(&self, path: &Path) -> bool {
        self.states(path).last() == Some(&true)
    }

    /// Whether something below a folder can match.
    pub fn below(&self, folder: &Path) -> bool {
        let states = self.states(folder);
        states.iter().rev().skip(1).any(|state| *state)
    }

    /// All files that match, in order. `problem` is told what cannot be read.
    pub fn find(&self, problem: &mut dyn FnMut(&Path, io::Error)) -> Vec<PathBuf> {
        let mut found = Vec::new();
        look(Path::new("/"), &self.parts, &mut found, problem);
        found.sort();
        found.dedup();
        found
    }
}

fn look(
    at: &Path,
    parts: &[Part],
    found: &mut Vec<PathBuf>,
    problem: &mut dyn FnMut(&Path, io::Error),
) {
    let Some((part, rest)) = parts.split_first() else {
        if at.is_file() {
            found.push(at.to_owned());
        }
        return;
    };
    if let Part::Name(name) = part {
        return look(&at.join(name), rest, found, problem);
    }
    let folders = matches!(part, Part::Folders);
    if folders && !rest.is_empty() {
        look(at, rest, found, problem);
    }
    let entries = match std::fs::read_dir(at) {
        Ok(entries) => entries,
        Err(error) => {
            if !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) {
                problem(at, error);
            }
            return;
        }
    };
    for entry in entries.filter_map(Result::ok) {
        let name = entry.file_name();
        if !part.takes(&name) {
            continue;
        }
        let path = at.join(name);
        if !folders {
            if rest.is_empty() || path.is_dir() {
                look(&path, rest, found, problem);
            }
        } else if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            // Links are not followed, so that there are no rounds.
            look(&path, parts, found, problem);
        } else if rest.is_empty() {
            look(&path, rest, found, problem);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStrExt;

    #[test]
    fn paths_match_as_shells_have_it() {
        for (pattern, path, expected) in [
            ("/a/*.log", "/a/x.log", true),
            ("/a/*.log", "/a/b/x.log", false),
            ("/a/*", "/a/.x", false),
            ("/a/.*", "/a/.x", true),
            ("/a/**/*.log", "/a/x.log", true),
            ("/a/**/*.log", "/a/b/c/x.log", true),
            ("/a/**/*.log", "/a/.b/x.log", false),
            ("/a/**", "/a/b/c", true),
            ("/a/**", "/a", false),
            ("/**/b/**/c", "/b/x/b/c", true),
            ("/**/b/**/c", "/x/c", false),
            ("/a/./[!x]?", "/a/bé", true),
            ("/a/[!x]?", "/a/xb", false),
            ("/a", "/a", true),
            ("/a", "/a/b", false),
        ] {
            let paths = Paths::new(pattern).unwrap();
            assert_eq!(paths.matches(Path::new(path)), expected, "{pattern} {path}");
        }
        assert!(Paths::new("/a/***").is_err());
        assert!(Paths::new("/a/[").is_err());
        let odd = Path::new(OsStr::from_bytes(b"/a/\xff.log"));
        assert!(Paths::new("/a/?.log").unwrap().matches(odd));
        let relative = Paths::new("x/*").unwrap();
        assert!(relative.matches(&std::env::current_dir().unwrap().join("x/y")));
    }

    #[test]
    fn it_is_known_what_can_match_below_a_folder() {
        for (pattern, folder, expected) in [
            ("/a/b/*.log", "/a", true),
            ("/a/b/*.log", "/a/b", true),
            ("/a/b/*.log", "/a/c", false),
            ("/a/b/*.log", "/a/b/x.log", false),
            ("/a/*/x", "/a/b", true),
            ("/**/x", "/q/r", true),
            ("/a/**", "/a/b/c", true),
        ] {
            let paths = Paths::new(pattern).unwrap();
            assert_eq!(
                paths.below(Path::new(folder)),
                expected,
                "{pattern} {folder}"
            );
        }
    }
}
