//! Tells whether anything has happened in folders, so that quiet files need not be looked at.

use std::path::Path;

/// What has happened.
#[derive(Debug, Clone, Copy, Default)]
pub struct News {
    /// A file has been written to.
    pub written: bool,
    /// A file has come, gone or got another name.
    pub listed: bool,
}

#[cfg(target_os = "linux")]
mod system {
    use super::{News, Path};
    use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
    use std::collections::BTreeSet;
    use std::path::PathBuf;

    /// Watches folders by inotify; where that cannot be had, there is always news.
    pub struct Wake {
        inotify: Option<Inotify>,
        folders: BTreeSet<PathBuf>,
    }

    impl Wake {
        pub fn new() -> Wake {
            let flags = InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC;
            Wake {
                inotify: Inotify::init(flags).ok(),
                folders: BTreeSet::new(),
            }
        }

        /// Watches a folder, too.
        pub fn add(&mut self, folder: &Path) {
            let folder = match folder.as_os_str().is_empty() {
                true => Path::new("."),
                false => folder,
            };
            if self.folders.contains(folder) || !folder.is_dir() {
                return;
            }
            let flags = AddWatchFlags::IN_MODIFY
                | AddWatchFlags::IN_CREATE
                | AddWatchFlags::IN_MOVE
                | AddWatchFlags::IN_DELETE
                | AddWatchFlags::IN_ONLYDIR;
            let added = self.inotify.as_ref().map(|i| i.add_watch(folder, flags));
            match added {
                Some(Ok(_)) => {
                    self.folders.insert(folder.to_owned());
                }
                // There are too many: files are looked at again and again.
                _ => self.inotify = None,
            }
        }

        /// What has happened since the last call.
        pub fn news(&mut self) -> News {
            let mut news = News::default();
            let Some(inotify) = &self.inotify else {
                return News {
                    written: true,
                    listed: false,
                };
            };
            while let Ok(events) = inotify.read_events() {
                for event in events {
                    match event.mask.intersects(AddWatchFlags::IN_MODIFY) {
                        true => news.written = true,
                        false => news.listed = true,
                    }
                }
            }
            news
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use super::{News, Path};

    /// Knows nothing: there is always news.
    pub struct Wake;

    impl Wake {
        pub fn new() -> Wake {
            Wake
        }

        pub fn add(&mut self, _: &Path) {}

        pub fn news(&mut self) -> News {
            News {
                written: true,
                listed: false,
            }
        }
    }
}

pub use system::Wake;
