//! Inputs that grow: each has a thread that waits for more, and hands over whole lines with their places.

use crate::diagnostic::{Fault, Outcome};
use crate::input::{Growing, Input, Whole, cannot_read};
use crossbeam_channel::{Receiver, Sender, bounded};
use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// So much is read at a time.
const PIECE: usize = 1 << 18;

/// How often a file is looked at for more.
const PATIENCE: Duration = Duration::from_millis(100);

/// What is new about an input.
pub struct News {
    /// Which input.
    pub input: usize,
    /// What it is.
    pub what: What,
}

/// What is new about an input.
pub enum What {
    /// Whole lines that begin at this place.
    Lines(u64, Vec<u8>),
    /// A line that is too long to be held, up to this place.
    TooLong(u64),
    /// The file of this number begins; another one was there before, or it was emptied.
    Begins(u64),
    /// Nothing more will come; why, when that is a failure.
    Ends(Option<Fault>),
}

/// Where the reading of a file begins: the number of the file that is meant, and the place.
pub type Place = Option<(u64, u64)>;

/// Starts a thread for each input. They end when one of `stop` is set, or when nobody listens any more.
pub fn tail(
    inputs: &[Input],
    places: &[Place],
    longest: usize,
    stop: &[Arc<AtomicBool>],
) -> Outcome<Receiver<News>> {
    let (sender, receiver) = bounded(8);
    for (index, input) in inputs.iter().enumerate() {
        let mut tail = Tail {
            input: index,
            sender: sender.clone(),
            stop: stop.to_vec(),
            lines: Growing::new(longest, 0),
            longest,
        };
        let place = places.get(index).copied().flatten();
        let input = input.clone();
        let run = move || {
            let ended = match &input {
                Input::File(path) if !input.is_live() => tail.file(path, place),
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

/// The number of a file, by which it is known when it has another name.
pub fn number(path: &Path) -> Option<u64> {
    std::fs::metadata(path).ok().map(|found| found.ino())
}

struct Tail {
    input: usize,
    sender: Sender<News>,
    stop: Vec<Arc<AtomicBool>>,
    longest: usize,
    lines: Growing,
}

/// `false` when nobody listens.
fn pass_on(sender: &Sender<News>, input: usize, whole: Whole) -> bool {
    let what = match whole {
        Whole::Lines(at, lines) => What::Lines(at, lines),
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

    /// Reads a file as it grows, and the one that takes its place.
    fn file(&mut self, path: &PathBuf, place: Place) -> Result<(), Fault> {
        let name = path.display().to_string();
        let failed = |error: std::io::Error| cannot_read(&name, &error);
        let mut file = File::open(path).map_err(failed)?;
        let mut found = file.metadata().map_err(failed)?;
        if let Some((number, at)) = place
            && number == found.ino()
            && at <= found.len()
        {
            self.lines = Growing::new(self.longest, at);
            file.seek(SeekFrom::Start(at)).map_err(failed)?;
        } else if !self.tell(What::Begins(found.ino())) {
            return Ok(());
        }
        let mut piece = vec![0; PIECE];
        while !self.stopped() {
            match file.read(&mut piece) {
                Ok(0) => {}
                Ok(read) => {
                    if !self.take(piece.get(..read).unwrap_or_default()) {
                        return Ok(());
                    }
                    continue;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(failed(error)),
            }
            std::thread::sleep(PATIENCE);
            // For a moment there may be no file at that place.
            let Ok(now) = std::fs::metadata(path) else {
                continue;
            };
            let read = self.lines.end();
            if now.ino() == found.ino() && now.len() >= read {
                continue;
            }
            let Ok(next) = File::open(path) else {
                continue;
            };
            // What was written to the old file at the very end.
            let mut rest = Vec::new();
            if now.ino() != found.ino() && file.read_to_end(&mut rest).is_ok() && !self.take(&rest)
            {
                return Ok(());
            }
            if !self.last() {
                return Ok(());
            }
            found = next.metadata().map_err(failed)?;
            file = next;
            self.lines = Growing::new(self.longest, 0);
            if !self.tell(What::Begins(found.ino())) {
                return Ok(());
            }
        }
        Ok(())
    }
}
