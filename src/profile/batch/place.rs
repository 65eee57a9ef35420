//! Where a follower stands in an input, over all the files that rotation makes of it.

use crate::diagnostic::Outcome;
use crate::input::{Id, Input, Opened, Place, Trace, cannot_read, id, rotated};
use serde_json::{Value as Json, json};
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Which of the files of an input, and the place in it.
pub type At = (u32, u64);

/// A file that begins to be read.
pub struct Begun {
    /// Its device and inode.
    pub id: Id,
    /// From where on it is read.
    pub at: u64,
    /// How far an earlier run has read it.
    pub known: Option<Place>,
    /// Whether it is the last one, which grows.
    pub grows: bool,
}

/// A file that has been left for another one.
pub struct Left {
    /// How it begins.
    pub begun: Begun,
    /// It stands at that place.
    pub opened: Opened,
}

/// What is read of an input, and in which order.
#[derive(Default)]
pub struct Course {
    /// Files that have other names now.
    pub left: Vec<Left>,
    /// The place in the file that grows, when that was known before.
    pub known: Option<Place>,
    /// From where on that is read.
    pub at: u64,
    /// Whether a file of which something was read is not found.
    pub lost: bool,
}

/// Where an input stands.
pub struct Where {
    path: PathBuf,
    id: Id,
    /// How many files were left.
    number: u32,
    trace: Trace,
    /// How far an earlier run has read this file.
    known: Option<Place>,
    begun: bool,
    /// Files that were left, of which events of open periods may be read again.
    past: VecDeque<(u32, Place)>,
    /// Files that an earlier run has read as far as that, and this one has not begun.
    ahead: VecDeque<Place>,
}

/// What a mark says of an input: from where on its first file is read, and how far each was read.
struct Marked {
    at: u64,
    files: Vec<Place>,
}

impl Marked {
    /// Reads what [`Where::json`] has written.
    fn read(json: &Json) -> Option<Marked> {
        let files: Option<Vec<Place>> = json["files"].as_array()?.iter().map(Place::read).collect();
        Some(Marked {
            at: json["at"].as_u64()?,
            files: files?,
        })
    }

    /// The mark of a file that nobody has read.
    fn fresh(path: &Path) -> Marked {
        let there = std::fs::metadata(path).ok();
        let place = there.map(|there| Place::start(path, id(&there)));
        Marked {
            at: 0,
            files: place.into_iter().collect(),
        }
    }

    /// Looks for the files: where they are now, what has come since, and what is lost. Errors: when the input cannot
    /// be read.
    fn course(self, path: &Path) -> io::Result<Course> {
        let live = File::open(path)?;
        let there = id(&live.metadata()?);
        let mut course = Course {
            at: self.at,
            ..Course::default()
        };
        let mut taken = vec![there];
        let mut newest: Option<SystemTime> = None;
        let last = self.files.len().saturating_sub(1);
        for (index, mut place) in self.files.into_iter().enumerate() {
            place.path = path.to_owned();
            if index == last && place.id == there && place.fits(&live)? {
                course.known = Some(place);
                return Ok(course);
            }
            let found = rotated::find(&place, &|id| taken.contains(&id));
            let opened = found.and_then(|rest| {
                let opened = open_from(&rest.path, &rest.opened, course.at).ok()?;
                taken.push(rest.id);
                let changed = std::fs::metadata(&rest.path).and_then(|found| found.modified());
                Some((opened, changed.ok()))
            });
            match opened {
                Some((opened, changed)) => {
                    newest = newest.max(changed);
                    let begun = Begun {
                        id: place.id,
                        at: course.at,
                        known: Some(place),
                        grows: false,
                    };
                    course.left.push(Left { begun, opened });
                }
                // The file is where it was, and the device has another number: after a restart of the machine.
                None if index == last && place.at > 0 && place.fits(&live)? => {
                    place.id = there;
                    course.known = Some(place);
                    return Ok(course);
                }
                None => course.lost = true,
            }
            course.at = 0;
        }
        // Another file grows there now; there may have been others between.
        let between = newest.map(|newest| rotated::since(path, newest, &|id| taken.contains(&id)));
        for (path, id) in between.into_iter().flatten() {
            let Ok(file) = File::open(&path) else {
                continue;
            };
            let kind = match rotated::is_packed(&file) {
                true => Opened::Packed(Box::new(file)),
                false => Opened::Plain(file),
            };
            if let Ok(opened) = open_from(&path, &kind, 0) {
                let begun = Begun {
                    id,
                    at: 0,
                    known: None,
                    grows: false,
                };
                course.left.push(Left { begun, opened });
            }
        }
        Ok(course)
    }
}

/// Opens a file at a place, unpacked where that is how it was found.
fn open_from(path: &Path, found: &Opened, at: u64) -> io::Result<Opened> {
    match found {
        Opened::Plain(file) => {
            let mut file = file.try_clone()?;
            file.seek(SeekFrom::Start(at))?;
            Ok(Opened::Plain(file))
        }
        Opened::Packed(_) => {
            let input = Input::File(path.to_owned());
            let opened = input.open(Default::default(), Vec::new());
            let mut unpacked = opened.map_err(|fault| io::Error::other(fault.message))?;
            io::copy(&mut (&mut unpacked).take(at), &mut io::sink())?;
            Ok(Opened::Packed(unpacked))
        }
    }
}

/// Where an input stands and what is read of it, by its entry among those of a mark, which is taken out. An input without
/// a path cannot be read twice.
pub fn begin(
    input: &Input,
    path: Option<&Path>,
    entries: &mut Vec<Json>,
) -> Outcome<(Where, Option<Course>)> {
    let Some(path) = path else {
        return Ok((Where::new(Path::new("-"), &Course::default()), None));
    };
    let name = path.display().to_string();
    let entry = entries
        .iter()
        .position(|entry| entry["name"] == name.as_str());
    let marked = entry.and_then(|entry| Marked::read(&entries.remove(entry)));
    let marked = marked.unwrap_or_else(|| Marked::fresh(path));
    let course = marked.course(path);
    let course = course.map_err(|error| cannot_read(&input.name(), &error))?;
    Ok((Where::new(path, &course), Some(course)))
}

/// What is said when a file of which something was read is not there any more.
pub fn lost(name: &str) -> String {
    format!(
        "{name} is another file than the one that was followed, which is not found in its folder: its last events and those \
         of periods that are not measured yet may be missing"
    )
}

impl Where {
    /// Before anything is read.
    pub fn new(path: &Path, course: &Course) -> Where {
        let left = course.left.iter();
        let known = left.filter_map(|left| left.begun.known.clone());
        Where {
            path: path.to_owned(),
            id: (0, 0),
            number: 0,
            trace: Trace::from(
                None,
                course.left.first().map_or(course.at, |left| left.begun.at),
            ),
            known: None,
            begun: false,
            past: VecDeque::new(),
            ahead: known.chain(course.known.clone()).collect(),
        }
    }

    /// The place that was reached.
    pub fn at(&self) -> At {
        (self.number, self.trace.at())
    }

    /// Whether an earlier run has read on from here.
    pub fn again(&self) -> bool {
        let known = self.known.as_ref();
        known.is_some_and(|known| self.trace.at() < known.at)
    }

    /// Whether there is something that an earlier run has read and this one has not.
    pub fn behind(&self) -> bool {
        !self.ahead.is_empty() || self.again()
    }

    /// Goes on in another file.
    pub fn begins(&mut self, begun: Begun) {
        if self.begun {
            self.past.push_back((self.number, self.place()));
            self.number += 1;
        }
        match (begun.grows, &begun.known) {
            // What was to come before it cannot be read any more.
            (true, _) => self.ahead.clear(),
            (false, Some(_)) => drop(self.ahead.pop_front()),
            (false, None) => {}
        }
        self.begun = true;
        self.id = begun.id;
        self.trace = Trace::from(begun.known.as_ref().map(|known| known.head), begun.at);
        self.known = begun.known;
    }

    /// Takes bytes that were read, which are whole lines.
    pub fn pass(&mut self, bytes: &[u8]) {
        self.trace.pass(bytes);
    }

    /// Goes on behind a line that is too long.
    pub fn skip(&mut self, to: u64) {
        self.trace.skip(to);
    }

    fn place(&self) -> Place {
        match &self.known {
            Some(known) if self.trace.at() < known.at => known.clone(),
            _ => self.trace.place(&self.path, self.id),
        }
    }

    /// What a mark says: to be read again from `first` on, or else from here. Files before that are forgotten.
    pub fn json(&mut self, first: Option<At>) -> Json {
        let (number, at) = first.unwrap_or(self.at());
        while self.past.front().is_some_and(|(own, _)| *own < number) {
            self.past.pop_front();
        }
        let past = self.past.iter().map(|(_, place)| place.json());
        let own = self.begun.then(|| self.place().json());
        let ahead = self.ahead.iter().map(Place::json);
        let files: Vec<Json> = past.chain(own).chain(ahead).collect();
        json!({"name": self.path.display().to_string(), "at": at, "files": files})
    }
}
