//! The rounds of `input_tail`: which files there are, and what has become of them.

use super::Tail;
use super::copies::Copy;
use super::follow::{Follow, Kind, Pumped, place_at_end};
use super::places::Places;
use crate::input::rotated::{self, Opened, is_packed, open_packed};
use crate::input::{Id, Place, id};
use crate::pipeline::step::Feed;
use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::FileExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

/// So many files are held open.
const OPEN: usize = 200;

/// So many files that are gone are remembered: a compressed copy may come later.
const GONE: usize = 1000;

/// A file is left alone that was changed less than this ago, where it matters.
const REST: Duration = Duration::from_secs(1);

/// How long a renamed file is followed after it was changed last, and one that is removed.
const RENAMED: Duration = Duration::from_secs(60);

fn stamp(found: &Metadata) -> (u64, Option<SystemTime>) {
    (found.len(), found.modified().ok())
}

/// Whether a file has not been changed for a while.
pub(super) fn at_rest(found: &Metadata) -> bool {
    let age = found.modified().ok().map(|at| at.elapsed());
    // A time in the future is a clock that was set.
    age.is_none_or(|age| age.map_or(true, |age| age >= REST))
}

impl Tail {
    /// Looks which files there are.
    pub(super) fn scan(&mut self, feed: &Feed) {
        self.round += 1;
        let mut found = Vec::new();
        for pattern in &self.patterns {
            if let Some(folder) = Path::new(pattern).parent() {
                self.wake.add(folder);
            }
            // A pattern is checked when the file is read.
            let paths = glob::glob(pattern).into_iter().flatten();
            found.extend(paths.filter_map(Result::ok));
        }
        found.retain(|path| !self.exclude.iter().any(|p| p.matches_path(path)));
        let (mut new, mut others) = (Vec::new(), Vec::new());
        for path in found {
            let Ok(there) = std::fs::metadata(&path) else {
                continue;
            };
            if !there.is_file() {
                continue;
            }
            let own = id(&there);
            let Some(file) = self.files.get_mut(&own) else {
                // Those that are known from an earlier run tell which of the others are their copies.
                let unknown = !self.loaded.iter().any(|place| place.id == own);
                new.push((unknown, there.modified().ok(), path, there));
                continue;
            };
            file.seen = self.round;
            if file.place.path != path {
                // A link is no new name.
                let old = std::fs::metadata(&file.place.path);
                let moved = !old.is_ok_and(|old| id(&old) == own);
                // What is read once is known by its length and time: another one may have its inode by now.
                let other = |before| before != stamp(&there);
                if moved && file.kind != Kind::Plain && file.stamp.is_some_and(other) {
                    let file = self.files.remove(&own);
                    others.extend(file.map(|file| file.place));
                    new.push((true, there.modified().ok(), path, there));
                } else if moved {
                    file.place.path = path;
                    file.rotated = Some(Instant::now());
                    file.departed = false;
                }
            }
        }
        for place in others {
            self.remember(place, feed);
        }
        self.growing = 0;
        // The oldest first, as they were written.
        new.sort_by(|a, b| (a.0, a.1, &a.2).cmp(&(b.0, b.1, &b.2)));
        for (_, _, path, there) in new {
            if let Some(folder) = path.parent() {
                self.wake.add(folder);
            }
            self.add(&path, &there, feed);
        }
    }

    /// Follows a file that has not been known.
    fn add(&mut self, path: &Path, there: &Metadata, feed: &Feed) {
        let own = id(there);
        if self.files.contains_key(&own) {
            return;
        }
        let Ok(file) = File::open(path) else {
            // Said when it is read.
            self.insert(Follow::new(
                &self.common,
                Place::start(path, own),
                Kind::Plain,
            ));
            return;
        };
        let packed = is_packed(&file);
        let mut kind = if packed { Kind::Packed } else { Kind::Plain };
        let known = self.loaded.iter().position(|place| place.id == own);
        let known = known.map(|at| self.loaded.swap_remove(at));
        // A compressed file that has the inode of another one now.
        let known = match known {
            Some(place) if packed && open_packed(path, &place).is_none() => {
                self.remember(place, feed);
                None
            }
            known => known,
        };
        let known = known.or_else(|| {
            let had = |place: &&Place| place.id == own && place.at > 0;
            let finished = self.gone.iter().filter(had);
            let finished = finished.filter(|place| place.fits(&file).unwrap_or(false));
            finished.max_by_key(|place| place.at).cloned()
        });
        let mut place = match known {
            Some(place) => Place {
                path: path.to_owned(),
                done: place.done && packed,
                gone: false,
                ..place
            },
            None => match self.copy_of(path, there, &file, packed) {
                Copy::Of(id) => {
                    kind = Kind::Shadow(id);
                    Place::start(path, own)
                }
                Copy::Goes(at) => Place {
                    path: path.to_owned(),
                    id: own,
                    done: false,
                    gone: false,
                    ..at
                },
                Copy::Grows => {
                    self.growing += 1;
                    return;
                }
                Copy::None => Place::start(path, own),
            },
        };
        if self.at_end && kind != Kind::Packed {
            place = place_at_end(path, own, &file, there.len()).unwrap_or(place);
        }
        if self.at_end {
            place.done = kind == Kind::Packed;
            let token = Places::fed(&self.common.places, place.clone());
            feed.events(Vec::new(), Some(token));
        }
        let mut follow = Follow::new(&self.common, place, kind);
        if follow.place.done {
            follow.stamp = Some(stamp(there));
        }
        self.insert(follow);
    }

    fn insert(&mut self, mut file: Follow) {
        file.seen = self.round;
        self.files.insert(file.place.id, file);
    }

    /// Finishes files that were not found at their paths.
    pub(super) fn take_up(&mut self, feed: &Feed) {
        for place in std::mem::take(&mut self.loaded) {
            if place.done {
                self.remember(place, feed);
                continue;
            }
            let files = &self.files;
            match rotated::find(&place, &|id| files.contains_key(&id)) {
                Some(rest) => {
                    let kind = match rest.opened {
                        Opened::Plain(_) => Kind::Plain,
                        Opened::Packed(_) => Kind::Packed,
                    };
                    let mut file = Follow::new(&self.common, place, kind);
                    file.opened = Some(rest.opened);
                    file.departed = true;
                    file.rotated = Some(Instant::now());
                    file.rest = Some((rest.id, rest.path));
                    self.insert(file);
                }
                // It may be on its way into a compressed file.
                None => self.remember(place, feed),
            }
        }
    }

    /// The files, the oldest first.
    pub(super) fn in_order(&self) -> Vec<Id> {
        let mut ids: Vec<(bool, Option<SystemTime>, Id)> = self
            .files
            .values()
            .map(|file| (!file.departed, file.stamp.and_then(|s| s.1), file.place.id))
            .collect();
        ids.sort_unstable();
        ids.into_iter().map(|(_, _, id)| id).collect()
    }

    /// Reads what is new of a file, and says whether there may be more; nothing when the pipeline has ended.
    pub(super) fn look(&mut self, of: Id, feed: &Feed) -> Option<bool> {
        let mut file = self.files.remove(&of)?;
        let looked = match file.kind {
            Kind::Shadow(_) => Ok(self.shadow(&mut file)),
            Kind::Packed if !file.departed => self.packed(&mut file, feed),
            _ => self.plain(&mut file, feed),
        };
        let more = match looked {
            Ok(Pumped::Ended) => None,
            Ok(Pumped::More) => Some(true),
            Ok(Pumped::Empty) => Some(false),
            Err(error) => {
                // Said once; tried again when it has changed.
                let there = std::fs::metadata(&file.place.path).ok();
                let stamp = there.as_ref().map(stamp);
                let news = file.stamp != stamp || stamp.is_none();
                file.stamp = stamp;
                file.place.done |= file.kind == Kind::Packed;
                let alive = !news || file.complain(&error.to_string(), &self.common, feed);
                alive.then_some(false)
            }
        };
        if let (true, Some((id, path))) = (file.place.done, file.rest.take()) {
            self.is_read(id, &path, &file.place, feed);
        }
        if !(file.departed && file.place.done) {
            self.files.insert(of, file);
        } else {
            self.remember(file.place, feed);
        }
        more
    }

    /// Keeps in mind a file that is gone: a compressed copy may come.
    fn remember(&mut self, place: Place, feed: &Feed) {
        let place = Place {
            gone: true,
            ..place
        };
        let token = Places::went(&self.common.places, place.clone());
        feed.events(Vec::new(), Some(token));
        self.gone.push_back(place);
        while self.gone.len() > GONE {
            if let Some(old) = self.gone.pop_front() {
                Places::forget(&self.common.places, &old);
            }
        }
    }

    fn plain(&mut self, file: &mut Follow, feed: &Feed) -> io::Result<Pumped> {
        if !file.departed {
            let there = std::fs::metadata(&file.place.path);
            match there {
                Ok(there) if id(&there) == file.place.id => {
                    if file.stamp == Some(stamp(&there)) && file.lines.end() >= there.len() {
                        return self.wait(file, &there, feed);
                    }
                    if file.opened.is_none() {
                        let opened = File::open(&file.place.path)?;
                        if id(&opened.metadata()?) != file.place.id {
                            return Ok(Pumped::More);
                        }
                        file.opened = Some(Opened::Plain(opened));
                    }
                }
                _ => {
                    file.departed = true;
                    file.rotated = Some(Instant::now());
                }
            }
        }
        if file.opened.is_none() {
            let files = &self.files;
            let rest = rotated::find(&file.place, &|id| reads_itself(files, id));
            match rest {
                Some(rest) => {
                    file.rest = Some((rest.id, rest.path));
                    file.opened = Some(rest.opened);
                    file.lines = crate::input::Growing::new(self.common.longest, file.place.at);
                }
                None => {
                    file.place.done = true;
                    return Ok(match file.last(&self.common, feed) {
                        true => Pumped::Empty,
                        false => Pumped::Ended,
                    });
                }
            }
        }
        let Some(mut opened) = file.opened.take() else {
            return Ok(Pumped::Empty);
        };
        let pumped = match &opened {
            Opened::Packed(_) => file.pump(&mut opened, &self.common, feed)?,
            Opened::Plain(own) => {
                let there = own.metadata()?;
                let before = file.stamp.replace(stamp(&there));
                let end = file.lines.end();
                if before != file.stamp && (there.len() < end || !file.place.fits(own)?) {
                    file.opened = Some(opened);
                    return Ok(match self.emptied(file, feed)? {
                        true => Pumped::More,
                        false => Pumped::Ended,
                    });
                }
                if file.lines.end() == 0 && is_packed(own) {
                    // It was empty when it was found, or has the inode of another one.
                    return Ok(self.anew(file));
                }
                file.learn(own)?;
                file.pump(&mut opened, &self.common, feed)?
            }
        };
        if file.lines.end() > 0 && pumped == Pumped::More {
            file.rotated = file.rotated.map(|_| Instant::now());
        }
        let waited = match (&opened, pumped) {
            (Opened::Plain(own), Pumped::Empty) => {
                let there = own.metadata()?;
                self.wait(file, &there, feed)?
            }
            (Opened::Packed(_), Pumped::Empty) => {
                file.place.done = true;
                match file.last(&self.common, feed) {
                    true => Pumped::Empty,
                    false => Pumped::Ended,
                }
            }
            _ => pumped,
        };
        file.opened = Some(opened);
        Ok(waited)
    }

    /// Everything has been read; a rotated file is finished after a while.
    fn wait(&mut self, file: &mut Follow, there: &Metadata, feed: &Feed) -> io::Result<Pumped> {
        let Some(since) = file.rotated else {
            return Ok(Pumped::Empty);
        };
        let patience = match there.nlink() {
            0 => REST,
            _ => RENAMED,
        };
        let rest = since.elapsed() >= patience && at_rest(there);
        if !rest && !feed.once() {
            return Ok(Pumped::Empty);
        }
        if feed.once() && file.lines.waits() && !at_rest(there) {
            return Ok(Pumped::Empty);
        }
        file.rotated = None;
        file.place.done = file.departed;
        match file.last(&self.common, feed) {
            true => Ok(Pumped::Empty),
            false => Ok(Pumped::Ended),
        }
    }

    /// A file was emptied, or another one has its inode: its rest is read first, where it can be found. False when the
    /// pipeline has ended.
    fn emptied(&mut self, file: &mut Follow, feed: &Feed) -> io::Result<bool> {
        let files = &self.files;
        let own = file.place.id;
        let rest = match file.place.at {
            0 => None,
            _ => rotated::find(&file.place, &|id| id == own || reads_itself(files, id)),
        };
        if let Some(mut rest) = rest {
            file.lines = crate::input::Growing::new(self.common.longest, file.place.at);
            loop {
                match file.pump(&mut rest.opened, &self.common, feed)? {
                    Pumped::More => {}
                    Pumped::Empty => break,
                    Pumped::Ended => return Ok(false),
                }
            }
            if !file.last(&self.common, feed) {
                return Ok(false);
            }
            self.is_read(rest.id, &rest.path, &file.place, feed);
        } else {
            if !file.last(&self.common, feed) {
                return Ok(false);
            }
            // A copy may come later.
            if file.place.at > 0 {
                self.remember(file.place.clone(), feed);
            }
        }
        file.restart(&self.common);
        Ok(true)
    }

    /// What was read as the rest of another file is not read again.
    fn is_read(&mut self, id: Id, path: &Path, as_far: &Place, feed: &Feed) {
        if id == as_far.id {
            return;
        }
        let place = Place {
            path: path.to_owned(),
            id,
            done: true,
            ..as_far.clone()
        };
        let token = Places::fed(&self.common.places, place.clone());
        feed.events(Vec::new(), Some(token));
        // A shadow of itself stays one.
        let file = Follow::new(&self.common, place, Kind::Shadow(id));
        self.insert(file);
    }

    /// A copy that is none after all is read.
    fn shadow(&mut self, file: &mut Follow) -> Pumped {
        let Ok(there) = std::fs::metadata(&file.place.path) else {
            file.departed = true;
            file.place.done = true;
            return Pumped::Empty;
        };
        if id(&there) != file.place.id {
            file.departed = true;
            file.place.done = true;
            return Pumped::Empty;
        }
        let before = file.stamp.replace(stamp(&there));
        if before.is_some_and(|before| there.len() < before.0) {
            return self.anew(file);
        }
        let Kind::Shadow(of) = file.kind else {
            return Pumped::Empty;
        };
        let grown = before.is_none_or(|before| there.len() > before.0);
        let Some(of) = self.files.get(&of).filter(|_| grown) else {
            return Pumped::Empty;
        };
        let same = || -> io::Result<bool> {
            let (own, other) = (File::open(&file.place.path)?, File::open(&of.place.path)?);
            // One that was emptied is read to its end in this copy.
            if is_packed(&own) || !of.place.fits(&other)? {
                return Ok(true);
            }
            let from = there.len().saturating_sub(64);
            let mut ends = [[0; 64]; 2];
            let own = own.read_at(&mut ends[0], from)?;
            let other = other.read_at(&mut ends[1], from)?;
            Ok(own == other && ends[0] == ends[1])
        };
        if same().unwrap_or(true) {
            return Pumped::Empty;
        }
        file.kind = Kind::Plain;
        file.stamp = None;
        Pumped::More
    }

    /// The next look at the folder finds a file anew.
    fn anew(&mut self, file: &mut Follow) -> Pumped {
        (file.departed, file.place.done) = (true, true);
        self.growing += 1;
        Pumped::More
    }

    /// A compressed file is read once.
    fn packed(&mut self, file: &mut Follow, feed: &Feed) -> io::Result<Pumped> {
        let there = match std::fs::metadata(&file.place.path) {
            Ok(there) if id(&there) == file.place.id => there,
            // It has gone, or another one stands there.
            _ => {
                file.departed = true;
                file.place.done |= file.opened.is_none();
                return Ok(Pumped::More);
            }
        };
        if file.place.done && file.stamp.is_some_and(|before| before != stamp(&there)) {
            // Another one with the same inode: what is known of the old one tells whether it is a copy.
            return Ok(self.anew(file));
        }
        if file.place.done || !at_rest(&there) {
            return Ok(Pumped::Empty);
        }
        let mut opened = match file.opened.take() {
            Some(opened) => opened,
            None => match open_packed(&file.place.path, &file.place) {
                Some(unpacked) => Opened::Packed(unpacked),
                None => return Err(io::Error::other("it is damaged, or has become another one")),
            },
        };
        let pumped = file.pump(&mut opened, &self.common, feed)?;
        if pumped == Pumped::Empty {
            file.place.done = true;
            if !file.last(&self.common, feed) {
                return Ok(Pumped::Ended);
            }
            file.stamp = Some(stamp(&there));
            let token = Places::fed(&self.common.places, file.place.clone());
            feed.events(Vec::new(), Some(token));
        } else {
            file.opened = Some(opened);
        }
        Ok(pumped)
    }

    /// Closes files that have nothing new, when too many are open.
    pub(super) fn close_some(&mut self) {
        let open = self.files.values().filter(|file| file.opened.is_some());
        let surplus = open.count().saturating_sub(OPEN);
        if surplus == 0 {
            return;
        }
        let mut idle: Vec<(Option<SystemTime>, Id)> = self
            .files
            .values()
            .filter(|file| file.opened.is_some() && !file.departed && file.kind == Kind::Plain)
            .map(|file| (file.stamp.and_then(|s| s.1), file.place.id))
            .collect();
        idle.sort_unstable();
        for (_, id) in idle.iter().take(surplus) {
            if let Some(file) = self.files.get_mut(id) {
                file.opened = None;
            }
        }
    }

    /// Whether no line is being written.
    pub(super) fn rested(&self) -> bool {
        let mut files = self.files.values();
        self.growing == 0
            && files.all(|file| {
                let there = || std::fs::metadata(&file.place.path);
                let waits = match file.kind {
                    Kind::Packed => !file.place.done,
                    _ => file.lines.waits(),
                };
                !waits || there().map_or(true, |there| at_rest(&there))
            })
    }

    /// The last lines, at the end of `--once`.
    pub(super) fn finish(&mut self, feed: &Feed) {
        for id in self.in_order() {
            if let Some(file) = self.files.get_mut(&id)
                && !file.last(&self.common, feed)
            {
                return;
            }
        }
    }
}

/// Whether a file is followed, and is no copy.
fn reads_itself(files: &ahash::AHashMap<Id, Follow>, id: Id) -> bool {
    files
        .get(&id)
        .is_some_and(|file| !matches!(file.kind, Kind::Shadow(_)))
}
