//! Which files below a folder have been written and closed.

use std::collections::HashMap;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// What tells whether a file is the one that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    pub inode: u64,
    /// When it was changed last.
    pub seconds: i64,
    pub nanos: i64,
    pub length: u64,
}

impl Stamp {
    /// The stamp of what was found.
    pub fn of(found: &std::fs::Metadata) -> Stamp {
        Stamp {
            inode: found.ino(),
            seconds: found.mtime(),
            nanos: found.mtime_nsec(),
            length: found.len(),
        }
    }
}

/// The stamp of a file; `None` when it is no file.
pub fn stamp(path: &Path) -> Option<Stamp> {
    let found = std::fs::metadata(path).ok()?;
    found.is_file().then(|| Stamp::of(&found))
}

/// What could not be read, and why.
pub type Problem = (PathBuf, io::Error);

/// All folders below a folder, itself included. Links are not followed.
fn folders(root: &Path, problems: &mut Vec<Problem>) -> Vec<PathBuf> {
    let mut found = vec![root.to_owned()];
    let mut at = 0;
    while let Some(folder) = found.get(at).cloned() {
        at += 1;
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) => {
                if error.kind() != io::ErrorKind::NotFound {
                    problems.push((folder, error));
                }
                continue;
            }
        };
        let inner = entries.filter_map(Result::ok);
        let inner = inner.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        found.extend(inner.map(|entry| entry.path()));
    }
    found
}

/// The files of a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = entries
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| path.is_file())
        .collect();
    files.sort();
    files
}

#[cfg(target_os = "linux")]
pub use linux::Watch;

#[cfg(target_os = "linux")]
mod linux {
    use super::{HashMap, Path, PathBuf, Problem, Stamp, files, folders, io, stamp};
    use nix::errno::Errno;
    use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify, WatchDescriptor};

    /// Watches a folder and all below by inotify.
    pub struct Watch {
        root: PathBuf,
        inotify: Inotify,
        folders: HashMap<WatchDescriptor, PathBuf>,
        /// Files that were there when their folder came under watch.
        early: HashMap<PathBuf, Stamp>,
        problems: Vec<Problem>,
        missed: bool,
    }

    impl Watch {
        /// Watches `root`. Errors: it cannot be watched.
        pub fn new(root: &Path) -> io::Result<Watch> {
            let mut watch = Watch {
                root: root.to_owned(),
                inotify: Inotify::init(InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC)?,
                folders: HashMap::new(),
                early: HashMap::new(),
                problems: Vec::new(),
                missed: false,
            };
            std::fs::read_dir(root)?;
            watch.add(root)?;
            Ok(watch)
        }

        fn add(&mut self, root: &Path) -> io::Result<Vec<PathBuf>> {
            let flags = AddWatchFlags::IN_CLOSE_WRITE
                | AddWatchFlags::IN_CREATE
                | AddWatchFlags::IN_MOVED_TO
                | AddWatchFlags::IN_ONLYDIR;
            let found = folders(root, &mut self.problems);
            for folder in &found {
                match self.inotify.add_watch(folder.as_path(), flags) {
                    Ok(descriptor) => {
                        self.folders.insert(descriptor, folder.clone());
                    }
                    // It has gone meanwhile.
                    Err(Errno::ENOENT | Errno::ENOTDIR) => {}
                    Err(error) => {
                        let known = self.problems.iter().any(|(path, _)| path == folder);
                        if folder == &self.root {
                            return Err(error.into());
                        } else if !known {
                            self.problems.push((folder.clone(), error.into()));
                        }
                    }
                }
            }
            Ok(found)
        }

        /// Whether more was written since the last call than the system could tell. Folders are all watched then.
        pub fn missed(&mut self) -> io::Result<bool> {
            let missed = std::mem::take(&mut self.missed);
            if missed {
                let root = self.root.clone();
                self.early.clear();
                self.add(&root)?;
            }
            Ok(missed)
        }

        /// What could not be watched since the last call.
        pub fn problems(&mut self) -> Vec<Problem> {
            std::mem::take(&mut self.problems)
        }

        /// The files that were written and closed since the last call, in order.
        pub fn written(&mut self) -> io::Result<Vec<PathBuf>> {
            let events = match self.inotify.read_events() {
                Ok(events) => events,
                Err(Errno::EAGAIN | Errno::EINTR) => return Ok(Vec::new()),
                Err(error) => return Err(error.into()),
            };
            let mut written = Vec::new();
            for event in events {
                self.missed |= event.mask.contains(AddWatchFlags::IN_Q_OVERFLOW);
                let folder = self.folders.get(&event.wd);
                let Some(path) = folder
                    .zip(event.name)
                    .map(|(folder, name)| folder.join(name))
                else {
                    continue;
                };
                if event.mask.contains(AddWatchFlags::IN_ISDIR) {
                    for folder in self.add(&path)? {
                        for file in files(&folder) {
                            if let Some(stamp) = stamp(&file) {
                                self.early.insert(file.clone(), stamp);
                                written.push(file);
                            }
                        }
                    }
                } else if event.mask.contains(AddWatchFlags::IN_CLOSE_WRITE) {
                    // What was read when its folder was found is not read again.
                    let early = self.early.remove(&path);
                    if early.is_none() || early != stamp(&path) {
                        written.push(path);
                    }
                }
            }
            Ok(written)
        }
    }
}

#[cfg(not(target_os = "linux"))]
pub use other::Watch;

#[cfg(not(target_os = "linux"))]
mod other {
    use super::{HashMap, Path, PathBuf, Problem, Stamp, files, folders, io, stamp};

    /// Watches a folder by looking again and again; a file counts as closed when two looks find it the same.
    pub struct Watch {
        root: PathBuf,
        known: HashMap<PathBuf, (Stamp, bool)>,
        /// What could not be read, and what of it has been said.
        problems: Vec<Problem>,
        said: Vec<PathBuf>,
    }

    impl Watch {
        /// Watches `root`. Errors: it cannot be read.
        pub fn new(root: &Path) -> io::Result<Watch> {
            std::fs::read_dir(root)?;
            let mut watch = Watch {
                root: root.to_owned(),
                known: HashMap::new(),
                problems: Vec::new(),
                said: Vec::new(),
            };
            for file in folders(root, &mut watch.problems)
                .iter()
                .flat_map(|folder| files(folder))
            {
                if let Some(stamp) = stamp(&file) {
                    watch.known.insert(file, (stamp, true));
                }
            }
            Ok(watch)
        }

        /// Every look is a whole one.
        pub fn missed(&mut self) -> io::Result<bool> {
            Ok(false)
        }

        /// What could not be read, once.
        pub fn problems(&mut self) -> Vec<Problem> {
            let mut problems = std::mem::take(&mut self.problems);
            problems.retain(|(path, _)| !self.said.contains(path));
            self.said
                .extend(problems.iter().map(|(path, _)| path.clone()));
            problems
        }

        /// The files that were written since the last call.
        pub fn written(&mut self) -> io::Result<Vec<PathBuf>> {
            let mut written = Vec::new();
            for file in folders(&self.root, &mut self.problems)
                .iter()
                .flat_map(|folder| files(folder))
            {
                let Some(now) = stamp(&file) else { continue };
                match self.known.get_mut(&file) {
                    Some((known, true)) if *known == now => {}
                    Some((known, told)) if *known == now => {
                        *told = true;
                        written.push(file);
                    }
                    _ => {
                        self.known.insert(file, (now, false));
                    }
                }
            }
            Ok(written)
        }
    }
}
