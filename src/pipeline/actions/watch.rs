//! Which files below a folder have been written and closed.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// A file's time and length, which tell whether it is the one that was read.
pub type Stamp = (Option<SystemTime>, u64);

/// The stamp of a file; `None` when it is no file.
pub fn stamp(path: &Path) -> Option<Stamp> {
    let data = std::fs::metadata(path).ok()?;
    data.is_file().then(|| (data.modified().ok(), data.len()))
}

/// All folders below a folder, itself included. Links are not followed.
fn folders(root: &Path) -> Vec<PathBuf> {
    let mut found = vec![root.to_owned()];
    let mut at = 0;
    while let Some(folder) = found.get(at).cloned() {
        at += 1;
        let Ok(entries) = std::fs::read_dir(&folder) else {
            continue;
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
    use super::{HashMap, Path, PathBuf, Stamp, files, folders, io, stamp};
    use nix::errno::Errno;
    use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify, WatchDescriptor};

    /// Watches a folder and all below by inotify.
    pub struct Watch {
        inotify: Inotify,
        folders: HashMap<WatchDescriptor, PathBuf>,
        /// Files that were there when their folder came under watch.
        early: HashMap<PathBuf, Stamp>,
    }

    impl Watch {
        /// Watches `root`. Errors: it cannot be watched.
        pub fn new(root: &Path) -> io::Result<Watch> {
            let mut watch = Watch {
                inotify: Inotify::init(InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC)?,
                folders: HashMap::new(),
                early: HashMap::new(),
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
            let found = folders(root);
            for folder in &found {
                match self.inotify.add_watch(folder.as_path(), flags) {
                    Ok(descriptor) => {
                        self.folders.insert(descriptor, folder.clone());
                    }
                    // It has gone meanwhile.
                    Err(Errno::ENOENT | Errno::ENOTDIR) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            Ok(found)
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
    use super::{HashMap, Path, PathBuf, Stamp, files, folders, io, stamp};

    /// Watches a folder by looking again and again; a file counts as closed when two looks find it the same.
    pub struct Watch {
        root: PathBuf,
        known: HashMap<PathBuf, (Stamp, bool)>,
    }

    impl Watch {
        /// Watches `root`. Errors: it cannot be read.
        pub fn new(root: &Path) -> io::Result<Watch> {
            std::fs::read_dir(root)?;
            let mut watch = Watch {
                root: root.to_owned(),
                known: HashMap::new(),
            };
            for file in folders(root).iter().flat_map(|folder| files(folder)) {
                if let Some(stamp) = stamp(&file) {
                    watch.known.insert(file, (stamp, true));
                }
            }
            Ok(watch)
        }

        /// The files that were written since the last call.
        pub fn written(&mut self) -> io::Result<Vec<PathBuf>> {
            let mut written = Vec::new();
            for file in folders(&self.root).iter().flat_map(|folder| files(folder)) {
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
