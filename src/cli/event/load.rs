//! `stellar event load`: messages from files into the store.

use super::Desk;
use super::args::LoadArgs;
use crate::cli::output;
use crate::cli::progress::{Complaints, Progress};
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome};
use crate::event::store::Loaded;
use crate::event::{Message, Options, Row};
use crate::input::{ChunkReader, Format, Input, Problem, inputs, lines, once};
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// How many events are stored at a time.
const ROWS: usize = 5_000;

/// How many bytes of lines wait at most to be stored together.
const BYTES: usize = 16 << 20;

/// Where a line comes from.
struct Place {
    input: usize,
    line: u64,
    /// The line itself, for the reject file.
    text: Vec<u8>,
}

/// Events on their way to the store.
#[derive(Default)]
struct Parcel {
    rows: Vec<Row>,
    places: Vec<Place>,
    bytes: usize,
}

/// What the store made of a parcel.
type Stored = (Vec<Place>, Outcome<Loaded>);

/// What a line of an input holds.
pub enum Found<'a> {
    /// The line, and the message in it.
    Line(&'a [u8], Outcome<Message>),
    /// A part of a line that is too long to be held, or nothing of it; the last part comes with what is wrong.
    Part(&'a [u8], Option<Fault>),
}

/// Reads lines of JSON as messages and gives each to `take`, with its number. What cannot be read to its end is said
/// when everything else is done.
pub fn messages(
    desk: &Desk,
    options: &Options,
    reader: &mut ChunkReader,
    mut take: impl FnMut(usize, u64, Found<'_>) -> Outcome<()>,
) -> Outcome<Option<Fault>> {
    let context = &desk.engine.context;
    let longest = context.limits.line;
    let too_long = || {
        let message = format!("the line has more than {longest} bytes");
        Diagnostic::new(Code::LineLength, message)
    };
    let mut damage = None;
    let mut buffer = Vec::new();
    loop {
        context.check_cancelled()?;
        let chunk = match reader.next(std::mem::take(&mut buffer)) {
            Ok(Some(chunk)) => chunk,
            Ok(None) => return Ok(damage),
            Err(fault) => {
                // The other files are read all the same.
                match damage {
                    None => damage = Some(fault),
                    Some(_) => output::complain(&fault),
                }
                continue;
            }
        };
        let (input, before) = (chunk.input, chunk.lines_before);
        if chunk.too_long {
            let fault = (!chunk.goes_on).then(too_long);
            take(input, before + 1, Found::Part(&chunk.bytes, fault))?;
        } else {
            for line in lines(&chunk) {
                let message = match line.whole.len() > longest {
                    true => Err(too_long()),
                    false => Message::parse(line.text, options),
                };
                take(input, line.before + 1, Found::Line(line.whole, message))?;
            }
        }
        buffer = chunk.bytes;
    }
}

/// How messages of files are read.
pub fn options(desk: &Desk, private_key: &str) -> Options {
    Options {
        private_key: private_key.into(),
        storage_time: Some(desk.now()),
        ..Options::default()
    }
}

/// Runs the command.
pub fn load(desk: &Desk, args: &LoadArgs) -> Outcome<bool> {
    let found = once(inputs(&args.files)?, output::named_twice);
    let mut rejects = Rejects::new(&found, args.reject.as_deref())?;
    let context = &desk.engine.context;
    let mut reader = ChunkReader::new(&found, Some(Format::JsonLines), context.limits.line)
        .cancelled_by(&context.cancel)
        .in_parts();
    let mut tally = Tally {
        complaints: Complaints::new(&found),
        progress: Progress::new(&found, reader.taken.clone()),
        loaded: 0,
        known: 0,
        rejected: 0,
    };
    // So that a store that is not there, or lacks something, is noticed before a file is read.
    desk.events.database_create(desk.within())?;
    let options = options(desk, &args.private_key);
    let ended = std::thread::scope(|scope| {
        let (parcels, arriving) = sync_channel::<Parcel>(1);
        let (answers, answered) = sync_channel::<Stored>(8);
        scope.spawn(move || storing(desk, &arriving, &answers));
        let mut parcel = Parcel::default();
        let read = messages(desk, &options, &mut reader, |input, line, found| {
            let (text, message) = match found {
                Found::Line(text, message) => (text, message),
                Found::Part(text, fault) => {
                    rejects.put(input, text, fault.is_some())?;
                    fault
                        .into_iter()
                        .for_each(|fault| tally.complain(input, line, fault));
                    return Ok(());
                }
            };
            let place = Place {
                input,
                line,
                text: text.to_vec(),
            };
            match message.and_then(|message| message.to_row()) {
                Ok(row) => parcel.put(row, place),
                Err(fault) => tally.reject(place, fault, &mut rejects)?,
            }
            if parcel.is_full() {
                send(&parcels, &mut parcel, &answered, &mut tally, &mut rejects)?;
            }
            Ok(())
        });
        let sent = read.and_then(|damage| {
            send(&parcels, &mut parcel, &answered, &mut tally, &mut rejects)?;
            Ok(damage)
        });
        drop(parcels);
        let mut ended = sent;
        while let Ok(stored) = answered.recv() {
            let settled = tally.settle(stored, &mut rejects);
            if let (Ok(_), Err(fault)) = (&ended, settled) {
                ended = Err(fault);
            }
        }
        ended
    });
    tally.progress.clear();
    tally.complaints.count_the_rest(tally.rejected);
    let written = rejects.finish()?;
    if matches!(ended, Ok(None)) {
        rejects.clear()?;
    }
    let Tally {
        loaded,
        known,
        rejected,
        ..
    } = tally;
    let names: Vec<String> = written.iter().map(|p| p.display().to_string()).collect();
    let places = match names.is_empty() {
        true => String::new(),
        false => format!(" ({})", names.join(", ")),
    };
    let s = if loaded == 1 { "" } else { "s" };
    output::line(&format!(
        "{loaded} event{s} loaded, {known} known already, {rejected} rejected{places}"
    ))?;
    match ended {
        Ok(None) => Ok(rejected == 0),
        Ok(Some(damage)) => Err(damage),
        Err(fault) => Err(fault.note("what is loaded stays; the load can be run again")),
    }
}

/// Stores parcels as they come, until there are no more or one cannot be stored.
fn storing(desk: &Desk, arriving: &Receiver<Parcel>, answers: &SyncSender<Stored>) {
    while let Ok(parcel) = arriving.recv() {
        let loaded = desk.events.load(parcel.rows, desk.within());
        let failed = loaded.is_err();
        if answers.send((parcel.places, loaded)).is_err() || failed {
            return;
        }
    }
}

/// Sends a parcel, and takes the answers that are there.
fn send(
    parcels: &SyncSender<Parcel>,
    parcel: &mut Parcel,
    answered: &Receiver<Stored>,
    tally: &mut Tally,
    rejects: &mut Rejects,
) -> Outcome<()> {
    tally.progress.step();
    // A parcel that nobody takes any more follows one that failed, whose answer says why.
    let _ = parcels.send(std::mem::take(parcel));
    while let Ok(stored) = answered.try_recv() {
        tally.settle(stored, rejects)?;
    }
    Ok(())
}

impl Parcel {
    fn put(&mut self, row: Row, place: Place) {
        self.bytes += place.text.len();
        self.rows.push(row);
        self.places.push(place);
    }

    fn is_full(&self) -> bool {
        self.rows.len() >= ROWS || self.bytes >= BYTES
    }
}

/// What became of the lines so far.
struct Tally {
    complaints: Complaints,
    progress: Progress,
    loaded: u64,
    known: u64,
    rejected: u64,
}

impl Tally {
    /// Counts what the store says of a parcel.
    fn settle(&mut self, (places, loaded): Stored, rejects: &mut Rejects) -> Outcome<()> {
        let loaded = loaded?;
        self.loaded += loaded.stored;
        self.known += loaded.known;
        let mut places: Vec<Option<Place>> = places.into_iter().map(Some).collect();
        for (index, fault) in loaded.refused {
            if let Some(place) = places.get_mut(index).and_then(Option::take) {
                self.reject(place, fault, rejects)?;
            }
        }
        Ok(())
    }

    fn reject(&mut self, place: Place, fault: Fault, rejects: &mut Rejects) -> Outcome<()> {
        rejects.put(place.input, &place.text, true)?;
        self.complain(place.input, place.line, fault);
        Ok(())
    }

    fn complain(&mut self, input: usize, line: u64, fault: Fault) {
        self.rejected += 1;
        let problem = Problem { line, fault };
        self.complaints
            .show(input, std::iter::once(&problem), &self.progress);
    }
}

/// The files with what could not be stored.
struct Rejects {
    /// The file of each input, and whether what is there stays.
    paths: Vec<(PathBuf, bool)>,
    open: Option<(PathBuf, BufWriter<File>)>,
    written: Vec<PathBuf>,
}

impl Rejects {
    /// Decides where lines go. E0504 when that is one of the inputs.
    fn new(found: &[Input], asked: Option<&Path>) -> Outcome<Rejects> {
        let paths = found.iter().map(|input| match (asked, input) {
            (Some(asked), _) => (asked.to_path_buf(), true),
            (None, Input::Standard) => (PathBuf::from("stdin.rejected"), true),
            (None, Input::File(path)) => {
                let mut name = path.as_os_str().to_os_string();
                name.push(".rejected");
                (PathBuf::from(name), false)
            }
        });
        let paths: Vec<(PathBuf, bool)> = paths.collect();
        let same = |path: &Path, input: &Input| match input {
            Input::Standard => false,
            Input::File(file) => {
                file == path
                    || matches!((file.canonicalize(), path.canonicalize()), (Ok(a), Ok(b)) if a == b)
            }
        };
        for (path, _) in &paths {
            if found.iter().any(|input| same(path, input)) {
                let message = format!(
                    "{} is read, so nothing can be rejected into it",
                    path.display()
                );
                return Err(
                    Diagnostic::new(Code::Usage, message).help("--reject names another file")
                );
            }
        }
        Ok(Rejects {
            paths,
            open: None,
            written: Vec::new(),
        })
    }

    /// Writes a line, or a part of one: the next one goes on behind it unless it is the `last`.
    fn put(&mut self, input: usize, text: &[u8], last: bool) -> Outcome<()> {
        let Some((path, keep)) = self.paths.get(input) else {
            return Ok(());
        };
        let failed = |error: std::io::Error| {
            let message = format!("{} cannot be written: {error}", path.display());
            Diagnostic::new(Code::CannotWrite, message)
        };
        let mut file = match self.open.take() {
            Some((open, file)) if open == *path => file,
            open => {
                if let Some((path, file)) = open {
                    flushed(&path, file)?;
                }
                let keep = *keep || self.written.contains(path);
                let mut how = OpenOptions::new();
                how.create(true).append(keep).write(true).truncate(!keep);
                BufWriter::new(how.open(path).map_err(failed)?)
            }
        };
        if !self.written.contains(path) {
            self.written.push(path.clone());
        }
        file.write_all(text).map_err(failed)?;
        if last {
            file.write_all(b"\n").map_err(failed)?;
        }
        self.open = Some((path.clone(), file));
        Ok(())
    }

    /// The files that were written.
    fn finish(&mut self) -> Outcome<Vec<PathBuf>> {
        if let Some((path, file)) = self.open.take() {
            flushed(&path, file)?;
        }
        Ok(self.written.clone())
    }

    /// Removes what an earlier load has left beside inputs of which everything is stored now.
    fn clear(&self) -> Outcome<()> {
        for (path, keep) in &self.paths {
            if *keep || self.written.contains(path) || !path.is_file() {
                continue;
            }
            std::fs::remove_file(path).map_err(|error| {
                let message = format!("{} cannot be removed: {error}", path.display());
                Diagnostic::new(Code::CannotWrite, message)
            })?;
        }
        Ok(())
    }
}

/// Makes sure that what was written is in the file.
fn flushed(path: &Path, mut file: BufWriter<File>) -> Outcome<()> {
    let done = file.flush().and_then(|()| file.get_ref().sync_all());
    done.map_err(|error| {
        let message = format!("{} cannot be written: {error}", path.display());
        Diagnostic::new(Code::CannotWrite, message)
    })
}
