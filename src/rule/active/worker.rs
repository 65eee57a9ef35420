//! The thread of a lane.

use super::fleet::{Keep, Manner, Outcomes};
use super::identity::Told;
use super::lane::{Lane, Said};
use super::metrics::Metrics;
use super::pending::Pending;
use super::ready::Ready;
use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::eval::Context;
use crate::rule::event::Event;
use crate::rule::lua::{Note, NoteKind, Options, Saved};
use crate::rule::store::Happened;
use ahash::AHashMap;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use parking_lot::Mutex;
use smol_str::SmolStr;
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// How often an idle lane looks whether its groups are to be saved.
const TICK: Duration = Duration::from_millis(250);
/// How many bytes the saved groups of a rule may have before they are packed.
pub const STATE: usize = 256 << 20;
/// How much that was said waits for the next batch.
const SAID: usize = 10_000;
/// How often it is looked whether all shall stop.
const EVENTS: usize = 64;

/// The groups of rules by their identifiers.
pub(super) type States = Vec<(SmolStr, Saved)>;

/// What rules remember of the events that raised alerts, by their identifiers.
pub(super) type Memories = Vec<(SmolStr, Told)>;

/// What a lane is to do.
pub(super) enum Job {
    /// Events for all its rules.
    Batch(Arc<Vec<Event>>),
    /// A rule is new or has changed; its groups as they were saved, and who waits for the answer.
    Take(
        Box<(Arc<Ready>, Option<Saved>)>,
        Option<Sender<Outcome<()>>>,
    ),
    /// A rule is to be run no more.
    Remove(SmolStr),
    /// The groups of all its rules, where they are wanted, and what the rules remember.
    Save(bool, Sender<(States, Memories)>),
    /// The same for its rules; how many rules have their groups.
    Load(States, Arc<Memories>, Sender<Outcome<usize>>),
    /// No more will come.
    End,
}

/// What lanes share with the fleet.
#[derive(Clone, Default)]
pub(super) struct Board {
    /// What the rules of each lane did.
    pub metrics: Arc<Mutex<AHashMap<SmolStr, Metrics>>>,
    /// Why rules, or their latest forms, could not be loaded.
    pub faults: Arc<Mutex<AHashMap<SmolStr, Metrics>>>,
    /// What is to be stored.
    pub pending: Arc<Pending>,
}

impl Board {
    /// What all rules did; those that could not be loaded are among them.
    pub fn all(&self) -> AHashMap<SmolStr, Metrics> {
        let faults = self.faults.lock();
        let mut all = self.metrics.lock().clone();
        for (id, faulty) in faults.iter() {
            let one = all.entry(id.clone()).or_insert_with(|| faulty.clone());
            one.fault.clone_from(&faulty.fault);
        }
        all
    }

    /// Notes that a rule cannot be loaded; the text is said as well.
    pub fn fault(&self, id: &SmolStr, name: &str, text: String) {
        let metrics = Metrics {
            id: id.to_string(),
            name: name.to_string(),
            fault: Some(text),
            ..Metrics::default()
        };
        self.faults.lock().insert(id.clone(), metrics);
        let failed = Happened {
            errors: 1,
            ..Happened::default()
        };
        self.pending.with(|held| held.add(id, failed));
    }
}

/// A lane on its thread.
pub(super) struct Worker {
    lane: Lane,
    context: Context,
    options: Options,
    manner: Manner,
    board: Board,
    /// What is said with the next batch.
    said: Vec<Said>,
    shown: Instant,
    /// Whether something happened since then.
    unseen: bool,
    saved: Instant,
}

impl Worker {
    pub fn new(context: Context, options: Options, manner: Manner, board: Board) -> Worker {
        Worker {
            lane: Lane::new(&context, options.clone(), manner.pace).of(manner.runner.clone()),
            context,
            options,
            manner,
            board,
            said: Vec::new(),
            shown: Instant::now(),
            unseen: false,
            saved: Instant::now(),
        }
    }

    /// Works until nobody gives it anything more.
    pub fn run(mut self, jobs: &Receiver<Job>, answers: &Sender<Outcomes>) {
        loop {
            match jobs.recv_timeout(TICK) {
                Ok(Job::Batch(events)) => {
                    let outcomes = self.batch(&events);
                    if answers.send(outcomes).is_err() {
                        break;
                    }
                }
                Ok(Job::Take(given, answer)) => {
                    let (ready, saved) = *given;
                    let taken = self.take(&ready, saved.as_ref());
                    let report = self.lane.report();
                    self.note(report.happened);
                    self.said.extend(report.said);
                    self.said.truncate(SAID);
                    self.show();
                    if let Some(answer) = answer {
                        let _ = answer.send(taken);
                    }
                }
                Ok(Job::Remove(id)) => {
                    self.save();
                    let happened = self.lane.remove(&id);
                    self.board.faults.lock().remove(&id);
                    self.board.metrics.lock().remove(&id);
                    self.note(
                        happened
                            .map(|happened| (id, happened))
                            .into_iter()
                            .collect(),
                    );
                }
                Ok(Job::Save(groups, answer)) => {
                    let states = match groups {
                        true => self.lane.save(false),
                        false => States::new(),
                    };
                    let _ = answer.send((states, self.lane.told()));
                }
                Ok(Job::Load(states, memories, answer)) => {
                    for (id, told) in memories.iter() {
                        self.lane.remember(id, told);
                    }
                    let _ = answer.send(self.load(states));
                }
                Ok(Job::End) | Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    if self.unseen {
                        self.show();
                    }
                }
            }
            if self.saved.elapsed() >= self.manner.save {
                self.save();
            }
        }
        let report = self.lane.report();
        self.note(report.happened);
        self.save();
        self.show();
    }

    fn batch(&mut self, events: &[Event]) -> Outcomes {
        let mut raised = Vec::new();
        for (at, event) in events.iter().enumerate() {
            if at % EVENTS == 0 && self.context.cancel.load(Ordering::Relaxed) {
                break;
            }
            self.lane.event(at, event, &mut raised);
        }
        self.lane.end_batch(events.len(), &mut raised);
        let report = self.lane.report();
        if self.manner.results {
            self.board.pending.results(&raised, (self.options.now)());
        }
        self.note(report.happened);
        self.unseen = true;
        if self.shown.elapsed() >= TICK {
            self.show();
        }
        let mut said = std::mem::take(&mut self.said);
        said.extend(report.said);
        Outcomes {
            events: events.len(),
            raised,
            said,
            lost: report.lost,
            told: Vec::new(),
        }
    }

    fn note(&self, happened: Vec<(SmolStr, Happened)>) {
        if self.manner.counts && !happened.is_empty() {
            self.board.pending.with(|held| {
                for (id, happened) in happened {
                    held.add(&id, happened);
                }
            });
        }
    }

    fn take(&mut self, ready: &Arc<Ready>, saved: Option<&Saved>) -> Outcome<()> {
        // What runs knows more than what was saved.
        let runs = self.lane.rules().any(|id| *id == ready.id);
        let saved = saved.filter(|_| !runs);
        let taken = self.lane.take(ready.clone());
        match &taken {
            Ok(()) => {
                self.board.faults.lock().remove(&ready.id);
            }
            Err(fault) => {
                let text = located(fault);
                self.board.fault(&ready.id, ready.name(), text.clone());
                self.say(ready, NoteKind::Error, text);
            }
        }
        taken?;
        if let Some(saved) = saved
            && let Err(fault) = self.lane.restore(&ready.id, saved)
        {
            self.say(ready, NoteKind::Warning, fault.message.clone());
        }
        Ok(())
    }

    fn say(&mut self, ready: &Ready, kind: NoteKind, text: String) {
        self.said.push(Said {
            rule: ready.id.clone(),
            name: ready.name().clone(),
            note: Note {
                kind,
                entry: SmolStr::new_static("load"),
                line: None,
                text,
            },
        });
    }

    fn load(&mut self, states: States) -> Outcome<usize> {
        let mut found = 0;
        for (id, saved) in states {
            found += usize::from(self.lane.restore(&id, &saved)?);
        }
        Ok(found)
    }

    /// Shows what the rules did.
    fn show(&mut self) {
        self.shown = Instant::now();
        self.unseen = false;
        let metrics = self.lane.metrics();
        let mut board = self.board.metrics.lock();
        for one in metrics {
            board.insert(SmolStr::new(&one.id), one);
        }
    }

    /// Hands over the groups that have changed to be stored.
    fn save(&mut self) {
        self.saved = Instant::now();
        if self.manner.keep != Keep::Store {
            return;
        }
        for (id, saved) in self.lane.save(true) {
            let shown = id.clone();
            let kept = pack(&saved).and_then(|packed| {
                let pending = &self.board.pending;
                match pending.with(|held| held.keep_state(id, packed)) {
                    true => Ok(()),
                    false => Err(cannot("too much waits for the store")),
                }
            });
            if let Err(fault) = kept {
                let text = format!("rule {shown}: {}", fault.message);
                self.board.pending.tell(text);
            }
        }
    }
}

/// A fault in one line, with its place.
pub(super) fn located(fault: &Diagnostic) -> String {
    match fault.position() {
        Some(at) => format!("line {}: {}", at.line, fault.message),
        None => fault.message.clone(),
    }
}

fn cannot(why: impl std::fmt::Display) -> crate::diagnostic::Fault {
    let message = format!("its groups are not saved: {why}");
    Diagnostic::new(Code::DamagedValue, message)
}

/// Saved groups as they lie in the store.
fn pack(saved: &Saved) -> Outcome<Vec<u8>> {
    let bytes: usize = saved.groupers.iter().map(String::len).sum();
    if bytes > STATE {
        let why = format!("they have {} MiB, more than {}", bytes >> 20, STATE >> 20);
        return Err(cannot(why));
    }
    let text = serde_json::to_vec(saved).map_err(cannot)?;
    zstd::encode_all(text.as_slice(), 1).map_err(cannot)
}

/// Saved groups of the store. Errors: E0605.
pub(super) fn unpack(bytes: &[u8]) -> Outcome<Saved> {
    let damaged = |why: String| {
        let message = format!("the saved groups of a rule cannot be read: {why}");
        Diagnostic::new(Code::DamagedValue, message)
    };
    let reader = zstd::Decoder::with_buffer(bytes).map_err(|e| damaged(e.to_string()))?;
    let mut text = Vec::new();
    // What quotes need is not much more than the text.
    let most = (STATE * 2) as u64;
    reader
        .take(most)
        .read_to_end(&mut text)
        .map_err(|e| damaged(e.to_string()))?;
    serde_json::from_slice(&text).map_err(|e| damaged(e.to_string()))
}
