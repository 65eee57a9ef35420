//! What the steps of a pipeline are made of.

use super::event::{Event, Time};
use super::record::Record;
use crate::diagnostic::{Fault, Outcome};
use crate::eval::Value;
use crossbeam_channel::Sender;
use parking_lot::{Condvar, Mutex};
use serde_json::Value as Json;
use smol_str::SmolStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A moment as the steps of a pipeline see it, in milliseconds since 1970: the clock's, or the one of the events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Now(pub i64);

impl Now {
    /// The whole seconds.
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }
}

/// What becomes of an event that a step has seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// It goes on to the next step.
    Pass,
    /// It ends here.
    Drop,
}

/// What a step makes of an event. An error is the reason why the event goes to the dead letters; it must be unchanged
/// then.
pub type Done = Result<Flow, String>;

/// A step that knows nothing of other events. It may run on several threads at once.
pub trait Pure: Send + Sync {
    /// Changes an event in place. Events put into `more` follow it, each through all later steps before the next.
    fn apply(&self, event: &mut Event, now: Now, more: &mut Vec<Event>) -> Done;

    /// Whether it waits for others, and so wants to see the events of a batch together first.
    fn waits(&self) -> bool {
        false
    }

    /// Gets ready for events that are about to come, when it [waits](Pure::waits).
    fn ahead(&self, _events: &[&Event], _now: Now) {}

    /// What it has to remember over a stop, if anything; it must not matter for which events it was asked before.
    fn save(&self) -> Option<Json> {
        None
    }

    /// Takes up what was saved. Errors: why that is not possible.
    fn load(&self, _state: &Json) -> Result<(), String> {
        Ok(())
    }

    /// How many answers it holds.
    fn size(&self) -> usize {
        0
    }

    /// How many answers it has thrown out because there were too many.
    fn evicted(&self) -> u64 {
        0
    }
}

/// A step that remembers: it sees all events in order, on one thread.
pub trait Kept: Send {
    /// Changes an event in place. Events put into `more` follow it.
    fn apply(&mut self, event: &mut Event, now: Now, more: &mut Vec<Event>) -> Done;

    /// Time passes; comes some times a second, or as the time of the events goes on.
    fn tick(&mut self, _now: Now, _more: &mut Vec<Event>) -> Result<(), String> {
        Ok(())
    }

    /// Gives what it has worked out beside the events and not given yet; comes some times a second, before states are
    /// saved, and before events that came so far are answered. Errors end the pipeline.
    fn drain(&mut self, _now: Now, _more: &mut Vec<Event>) -> Result<(), String> {
        Ok(())
    }

    /// Writes what waits to be written elsewhere; comes some times a second, and before states are saved. Errors end
    /// the pipeline.
    fn flush(&mut self) -> Outcome<()> {
        Ok(())
    }

    /// No more events will come in this run; `saved` when its state is kept for the next one.
    fn end(&mut self, _now: Now, _saved: bool, _more: &mut Vec<Event>) {}

    /// What it has to remember over a stop, if anything.
    fn save(&self) -> Option<Json> {
        None
    }

    /// Takes up what was saved. Errors: why that is not possible.
    fn load(&mut self, _state: &Json) -> Result<(), String> {
        Ok(())
    }

    /// What else it has counted, by name.
    fn others(&self) -> Vec<(&'static str, u64)> {
        Vec::new()
    }

    /// How many keys or values it holds.
    fn size(&self) -> usize {
        0
    }

    /// How many keys it has thrown out because there were too many.
    fn evicted(&self) -> u64 {
        0
    }
}

/// The half of an output that may run on several threads: from an event to bytes.
pub trait Render: Send + Sync {
    /// Appends what is to be written to `out` and says where it goes: a path, a table; empty where there is one place.
    fn render(&self, event: &Event, route: &mut String, out: &mut Vec<u8>) -> Result<(), String>;

    /// Whether only the order of what goes to the same place matters.
    fn by_route(&self) -> bool {
        true
    }
}

/// The half of an output that writes, in order, on one thread.
pub trait Sink: Send {
    /// Takes what was rendered for one place: `bytes` of `count` events. Errors end the pipeline.
    fn write(&mut self, route: &str, bytes: &[u8], count: usize) -> Outcome<()>;

    /// Time passes; `idle` when no events wait.
    fn tick(&mut self, _now: Now, _idle: bool) -> Outcome<()> {
        Ok(())
    }

    /// Writes everything out, and makes sure that it survives a crash when `durably`.
    fn flush(&mut self, durably: bool) -> Outcome<()>;

    /// Events that it could not write after all, with the reasons, since the last call: dead letters.
    fn refused(&mut self) -> Vec<(Event, String)> {
        Vec::new()
    }

    /// The run ends well: everything that was written is in the next save, and nothing of it comes again.
    fn end(&mut self) {}

    /// Comes once before everything else, with the flag that is set when the pipelines shall end: an output that waits
    /// for something outside gives up some time after that.
    fn until(&mut self, _stop: &Arc<AtomicBool>) {}

    /// What it has to remember over a stop, if anything.
    fn save(&self) -> Option<Json> {
        None
    }

    /// Takes up what was saved. Errors: why that is not possible.
    fn load(&mut self, _state: &Json) -> Result<(), String> {
        Ok(())
    }

    /// What else it has counted, by name.
    fn others(&self) -> Vec<(&'static str, u64)> {
        Vec::new()
    }
}

/// Where events come from.
pub trait Input: Send {
    /// Feeds events until there are no more (with [`Feed::once`]: no more for now) or [`Feed::stopped`]. It has a
    /// thread of its own. Errors end the input and are said.
    fn run(&mut self, feed: &Feed) -> Outcome<()>;

    /// Whether its first round waits for the first rounds of the inputs above it.
    fn in_turn(&self) -> bool {
        false
    }

    /// Takes up the position that a token saved. Errors: why that is not possible.
    fn load(&mut self, _position: &Json) -> Result<(), String> {
        Ok(())
    }
}

/// What an input learns when all outputs have durably taken what it fed.
pub trait Token: Send + Sync {
    /// The place from which to go on after a stop.
    fn position(&self) -> Option<Json> {
        None
    }

    /// Everything up to here has been taken.
    fn acknowledge(&self) {}

    /// Whether somebody waits for the answer.
    fn urgent(&self) -> bool {
        false
    }
}

/// A step as an action makes it.
pub enum Step {
    /// Events come from here.
    Input(Box<dyn Input>),
    /// Knows one event at a time.
    Pure(Arc<dyn Pure>),
    /// Remembers.
    Kept(Box<dyn Kept>),
    /// Writes.
    Output(Arc<dyn Render>, Box<dyn Sink>),
}

/// What an input feeds at once.
pub enum Events {
    /// Made by the input.
    Made(Vec<Event>),
    /// Lines that become events `{"log": line}` on the way.
    Lines {
        /// Whole lines in UTF-8, as they stand in the file.
        bytes: Vec<u8>,
        /// The tag of all events.
        tag: SmolStr,
        /// A field that all events have besides.
        also: Option<(SmolStr, SmolStr)>,
    },
    /// An event that the input could make nothing of, with the reason: a dead letter.
    Bad(Event, String),
    /// Bytes of which events are made on the way.
    Packed(Box<dyn Packed>),
}

/// An event, or one that could not be read, with the reason.
pub type Unpacked = Result<Event, (Event, String)>;

/// Bytes that become events on the threads that run steps.
pub trait Packed: Send + Sync {
    /// Gives the events in their order.
    fn unpack(&self, take: &mut dyn FnMut(Unpacked));

    /// How many bytes it holds.
    fn size(&self) -> usize {
        0
    }
}

impl Events {
    /// How many bytes they hold, as far as that is known.
    fn size(&self) -> usize {
        match self {
            Events::Made(_) | Events::Bad(..) => 0,
            Events::Lines { bytes, .. } => bytes.len(),
            Events::Packed(packed) => packed.size(),
        }
    }
}

/// A number of events with their place in the order.
pub struct Batch {
    pub(super) number: u64,
    pub(super) input: usize,
    pub(super) events: Events,
    pub(super) token: Option<Arc<dyn Token>>,
    pub(super) time: Time,
    pub(super) sent: Instant,
    /// How many bytes it came with.
    pub(super) size: usize,
}

/// The way of an input into its pipeline.
pub struct Feed {
    pub(super) input: usize,
    pub(super) line: Arc<Line>,
    pub(super) stop: Arc<AtomicBool>,
    pub(super) once: bool,
    pub(super) turn: usize,
    pub(super) clock: Arc<dyn crate::eval::Clock>,
    /// Whether the places of the input are kept.
    pub(super) keeps: bool,
    /// Is told at once what goes wrong.
    pub(super) complain: Arc<dyn Fn(&Fault) + Send + Sync>,
    pub(super) faults: Arc<Mutex<Vec<Fault>>>,
    /// Is told what there is to say, such as where an input listens, and what is odd.
    pub(super) say: Arc<dyn Fn(&str) + Send + Sync>,
}

/// So many bytes are on the way at most, but for one batch that is larger.
const LOAD: usize = 64 << 20;

/// How many bytes are on the way.
#[derive(Default)]
pub(super) struct Load {
    bytes: Mutex<usize>,
    less: Condvar,
}

impl Load {
    /// Puts bytes on the way as soon as there is room. False when `ended`.
    fn add(&self, size: usize, ended: &AtomicBool) -> bool {
        let mut bytes = self.bytes.lock();
        while *bytes > 0 && *bytes + size > LOAD {
            if ended.load(Ordering::Relaxed) {
                return false;
            }
            self.less.wait_for(&mut bytes, Duration::from_millis(50));
        }
        *bytes += size;
        true
    }

    /// Takes them off.
    pub fn done(&self, size: usize) {
        if size > 0 {
            let mut bytes = self.bytes.lock();
            *bytes = bytes.saturating_sub(size);
            self.less.notify_all();
        }
    }
}

/// What all inputs of a pipeline share.
pub(super) struct Line {
    /// How many batches have been sent; held while sending, so that numbers and order agree.
    pub sent: Mutex<u64>,
    pub batches: Sender<Batch>,
    /// Room for batches on the way; one is put in for each, and taken out when it is done.
    pub room: Sender<()>,
    pub turns: Mutex<usize>,
    pub turned: Condvar,
    /// How many batches are on the way.
    pub waiting: Arc<AtomicU64>,
    /// Set when the pipeline has ended.
    pub ended: Arc<AtomicBool>,
    /// How many bytes are on the way.
    pub load: Arc<Load>,
}

impl Feed {
    /// Whether the input shall end.
    pub fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed) || self.line.ended.load(Ordering::Relaxed)
    }

    /// Whether the input shall end when there is nothing more for now.
    pub fn once(&self) -> bool {
        self.once
    }

    /// Whether positions are kept over a stop.
    pub fn keeps(&self) -> bool {
        self.keeps
    }

    /// Says what went wrong without ending the input. Where the pipelines end by themselves it counts for how.
    pub fn tell(&self, fault: Fault) {
        (self.complain)(&fault);
        if self.once {
            self.faults.lock().push(fault);
        }
    }

    /// Says what is odd but no error.
    pub fn note(&self, text: &str) {
        (self.say)(text);
    }

    /// Which of the pipeline's steps the input is.
    pub fn step(&self) -> usize {
        self.input
    }

    /// The time of a new event.
    pub fn time(&self) -> Time {
        Time::Whole(self.clock.now().div_euclid(1000))
    }

    /// A new event.
    pub fn event(&self, tag: &SmolStr, record: Record) -> Event {
        Event {
            tag: tag.clone(),
            time: self.time(),
            record,
        }
    }

    /// Feeds events; waits while the pipeline is full. False when the pipeline has ended.
    pub fn events(&self, events: Vec<Event>, token: Option<Arc<dyn Token>>) -> bool {
        self.send(Events::Made(events), token)
    }

    /// Feeds lines, which become events `{"log": line}`: a line ends as in Python's text files, blanks at its end go.
    pub fn lines(&self, tag: &SmolStr, bytes: Vec<u8>, token: Option<Arc<dyn Token>>) -> bool {
        self.send(
            Events::Lines {
                bytes,
                tag: tag.clone(),
                also: None,
            },
            token,
        )
    }

    /// As [`Feed::lines`], with a field that all events have besides.
    pub fn lines_with(
        &self,
        tag: &SmolStr,
        bytes: Vec<u8>,
        also: Option<(SmolStr, SmolStr)>,
        token: Option<Arc<dyn Token>>,
    ) -> bool {
        let tag = tag.clone();
        self.send(Events::Lines { bytes, tag, also }, token)
    }

    /// Feeds what is no event, with the reason: it becomes a dead letter.
    pub fn bad(&self, event: Event, reason: String, token: Option<Arc<dyn Token>>) -> bool {
        self.send(Events::Bad(event, reason), token)
    }

    /// Feeds bytes of which events are made on the way.
    pub fn packed(&self, bytes: Box<dyn Packed>, token: Option<Arc<dyn Token>>) -> bool {
        self.send(Events::Packed(bytes), token)
    }

    fn send(&self, events: Events, token: Option<Arc<dyn Token>>) -> bool {
        let size = events.size();
        if self.line.room.send(()).is_err() || !self.line.load.add(size, &self.line.ended) {
            return false;
        }
        let mut sent = self.line.sent.lock();
        self.line.waiting.fetch_add(1, Ordering::SeqCst);
        let batch = Batch {
            number: *sent,
            input: self.input,
            events,
            token,
            time: self.time(),
            sent: Instant::now(),
            size,
        };
        *sent += 1;
        self.line.batches.send(batch).is_ok()
    }

    /// Tells the user something, such as where the input listens.
    pub fn say(&self, text: &str) {
        (self.say)(text);
    }

    /// Waits until the inputs above have had their first round.
    pub fn wait_turn(&self) {
        let mut turns = self.line.turns.lock();
        while *turns < self.turn && !self.stopped() {
            self.line
                .turned
                .wait_for(&mut turns, Duration::from_millis(50));
        }
    }

    /// Says that the first round is done.
    pub fn turn_done(&self) {
        let mut turns = self.line.turns.lock();
        *turns = (*turns).max(self.turn + 1);
        self.line.turned.notify_all();
    }

    /// Waits for a while, less when the input shall end. False when it shall.
    pub fn pause(&self, time: Duration) -> bool {
        let end = Instant::now() + time;
        while !self.stopped() {
            let rest = end.saturating_duration_since(Instant::now());
            if rest.is_zero() {
                return true;
            }
            std::thread::sleep(rest.min(Duration::from_millis(20)));
        }
        false
    }
}

/// A whole number as short as it can be.
pub fn whole(number: i64) -> Value {
    i32::try_from(number).map_or(Value::Long(number), Value::Int)
}
