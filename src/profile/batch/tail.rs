//! Inputs that grow: each has a thread that waits for more, and hands over whole lines with their places.

use super::place::{Begun, Course, Left};
use crate::diagnostic::{Fault, Outcome};
use crate::input::{Growing, Id, Input, Opened, Place, Trace, Whole, cannot_read, id, rotated};
use crossbeam_channel::{Receiver, Sender, bounded};
use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// So much is read at a time.
const PIECE: usize = 1 << 18;

/// How often a file is looked at for more.
const PATIENCE: Duration = Duration::from_millis(100);

/// A file that was renamed is read until nothing has come for so long: who writes may go on for a moment.
const QUIET: Duration = Duration::from_secs(1);

/// What is new about an input.
pub struct News {
    /// Which input.
    pub input: usize,
    /// What it is.
    pub what: What,
}

/// What is new about an input.
pub enum What {
    /// Whole lines.
    Lines(Vec<u8>),
    /// A line that is too long to be held, up to this place.
    TooLong(u64),
    /// A file begins; another one was there before, or it was emptied.
    Begins(Begun),
    /// Nothing more will come; why, when that is a failure.
    Ends(Option<Fault>),
}

/// Starts a thread for each input. They end when one of `stop` is set, or when nobody listens any more.
pub fn tail(
    inputs: &[Input],
    courses: Vec<Option<Course>>,
    longest: usize,
    stop: &[Arc<AtomicBool>],
) -> Outcome<Receiver<News>> {
    let (sender, receiver) = bounded(8);
    for ((index, input), course) in inputs.iter().enumerate().zip(courses) {
        let mut tail = Tail {
            input: index,
            sender: sender.clone(),
            stop: stop.to_vec(),
            lines: Growing::new(longest, 0),
            trace: Trace::default(),
            longest,
        };
        let input = input.clone();
        let run = move || {
            let ended = match (&input, course) {
                (Input::File(path), Some(course)) => tail.file(path, course),
                _ => tail.stream(&input),
            };
            tail.tell(What::Ends(ended.err()));
        };
        let builder = std::thread::Builder::new().name("tail".into());
        let name = inputs.get(index).map(Input::name).unwrap_or_default();
        builder
            .spawn(run)
            .map_err(|error| cannot_read(&name, &error))?;
    }
    Ok(receiver)
}

struct Tail {
    input: usize,
    sender: Sender<News>,
    stop: Vec<Arc<AtomicBool>>,
    longest: usize,
    lines: Growing,
    /// What was read of this file.
    trace: Trace,
}

/// `false` when nobody listens.
fn pass_on(sender: &Sender<News>, input: usize, whole: Whole) -> bool {
    let what = match whole {
        Whole::Lines(_, lines) => What::Lines(lines),
        Whole::TooLong { end, .. } => What::TooLong(end),
    };
    sender.send(News { input, what }).is_ok()
}

impl Tail {
    fn stopped(&self) -> bool {
        self.stop.iter().any(|flag| flag.load(Ordering::Relaxed))
    }

    /// `false` when nobody listens.
    fn tell(&self, what: What) -> bool {
        let input = self.input;
        self.sender.send(News { input, what }).is_ok()
    }

    /// Takes what was read; `false` when nobody listens.
    fn take(&mut self, bytes: &[u8]) -> bool {
        let (input, sender) = (self.input, &self.sender);
        self.trace.pass(bytes);
        self.lines
            .take(bytes, &mut |whole| pass_on(sender, input, whole))
    }

    /// What stands behind the last line end is a line when nothing can follow it.
    fn last(&mut self) -> bool {
        let (input, sender) = (self.input, &self.sender);
        self.lines.last(&mut |whole| pass_on(sender, input, whole))
    }

    /// Reads what ends one day.
    fn stream(&mut self, input: &Input) -> Result<(), Fault> {
        let mut reader = input.open(Arc::default(), self.stop.clone())?;
        let mut piece = vec![0; PIECE];
        loop {
            match reader.read(&mut piece) {
                // A line that the end has cut short is not passed on.
                Ok(0) if self.stopped() => return Ok(()),
                Ok(0) => {
                    self.last();
                    return Ok(());
                }
                Ok(read) if !self.take(piece.get(..read).unwrap_or_default()) => return Ok(()),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(cannot_read(&input.name(), &error)),
            }
        }
    }

    /// Reads what is left of files, then the one that grows, and those that take its place.
    fn file(&mut self, path: &Path, course: Course) -> Result<(), Fault> {
        let name = path.display().to_string();
        let failed = |error: std::io::Error| cannot_read(&name, &error);
        for Left { begun, mut opened } in course.left {
            if !self.begin(begun) || !self.rest(&mut opened, Duration::ZERO).map_err(failed)? {
                return Ok(());
            }
        }
        let mut file = File::open(path).map_err(failed)?;
        let mut own = id(&file.metadata().map_err(failed)?);
        let known = course.known.filter(|known| known.id == own);
        let at = known.as_ref().map_or(0, |_| course.at);
        file.seek(SeekFrom::Start(at)).map_err(failed)?;
        if !self.begin(grows(own, at, known)) {
            return Ok(());
        }
        let mut piece = vec![0; PIECE];
        let mut idle = false;
        while !self.stopped() {
            // For a moment there may be no file at that place.
            let now = idle.then(|| std::fs::metadata(path).ok()).flatten();
            let renamed = now.as_ref().is_some_and(|now| id(now) != own);
            let emptied = idle && {
                let length = file.metadata().map_err(failed)?.len();
                length < self.trace.at() || length > self.trace.at() && !self.trace.fits(&file)
            };
            if !renamed && !emptied {
                match file.read(&mut piece) {
                    Ok(0) => {
                        std::thread::sleep(PATIENCE);
                        idle = true;
                    }
                    Ok(read) if !self.take(piece.get(..read).unwrap_or_default()) => return Ok(()),
                    Ok(_) => idle = false,
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(error) => return Err(failed(error)),
                }
                continue;
            }
            let Ok(next) = File::open(path) else {
                std::thread::sleep(PATIENCE);
                continue;
            };
            let alive = match emptied {
                // A copy may have what was written before.
                true => match rotated::find(&self.trace.place(path, own), &|id| id == own) {
                    Some(mut rest) => {
                        if let Opened::Plain(copy) = &mut rest.opened {
                            copy.seek(SeekFrom::Start(self.trace.at()))
                                .map_err(failed)?;
                        }
                        self.rest(&mut rest.opened, Duration::ZERO)
                    }
                    None => Ok(self.last()),
                },
                false => self.rest(&mut Opened::Plain(file), QUIET),
            };
            if !alive.map_err(failed)? {
                return Ok(());
            }
            own = id(&next.metadata().map_err(failed)?);
            file = next;
            if !self.begin(grows(own, 0, None)) {
                return Ok(());
            }
            idle = false;
        }
        Ok(())
    }

    /// Reads a file that was left until nothing more has come for some time; `false` when nobody listens.
    fn rest(&mut self, opened: &mut Opened, quiet: Duration) -> std::io::Result<bool> {
        let mut piece = vec![0; PIECE];
        let mut since = Instant::now();
        while !self.stopped() {
            let read = match opened {
                Opened::Plain(file) => file.read(&mut piece),
                Opened::Packed(unpacked) => unpacked.read(&mut piece),
            };
            match read {
                Ok(0) if since.elapsed() >= quiet => return Ok(self.last()),
                Ok(0) => std::thread::sleep(PATIENCE),
                Ok(read) if !self.take(piece.get(..read).unwrap_or_default()) => return Ok(false),
                Ok(_) => since = Instant::now(),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(false)
    }

    /// A file begins; `false` when nobody listens.
    fn begin(&mut self, begun: Begun) -> bool {
        self.lines = Growing::new(self.longest, begun.at);
        self.trace = Trace::from(begun.known.as_ref().map(|known| known.head), begun.at);
        self.tell(What::Begins(begun))
    }
}

fn grows(id: Id, at: u64, known: Option<Place>) -> Begun {
    Begun {
        id,
        at,
        known,
        grows: true,
    }
}
