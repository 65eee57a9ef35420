//! The service that makes tasks and lets them run on threads of their own.

use super::kept::{Changed, Kept, Task};
use super::request::{Definition, Destination, Request};
use super::status::{Move, Status};
use super::work::{Order, Work};
use super::{Denied, Number};
use crate::collect::Collections;
use crate::collect::query::Query;
use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::eval::collections::Map;
use crate::eval::{Context, NoVariables, Notes};
use crate::input::EVENTDATE;
use crate::store::{Deadline, Lock, Store, Within};
use parking_lot::Mutex;
use serde_json::{Value as Json, json};
use smol_str::SmolStr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

/// So many tasks run at once in one process.
const AT_ONCE: usize = 64;

/// The stack of a thread; expressions may nest deep.
const STACK: usize = 8 << 20;

/// So long a task that shall stop is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// So long making a task waits for the store.
const AT_FIRST: Duration = Duration::from_secs(1);

/// How often waiting calls look.
const TICK: Duration = Duration::from_millis(10);

/// How often tasks that nobody runs are looked for.
const ROUND: Duration = Duration::from_secs(1);

/// For whom something is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who {
    /// The domain, whose tasks alone are seen.
    pub domain: SmolStr,
    /// The user; may be empty.
    pub user: SmolStr,
}

/// A task that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Created {
    /// What it is called by programs.
    pub id: String,
    /// What all keys of its entries begin with; `None` where nothing is kept.
    pub base: Option<String>,
    /// What else is to be said; may be empty.
    pub message: String,
    /// Whether it has no end.
    pub endless: bool,
}

impl Created {
    /// The object of the answer.
    pub fn json(&self) -> Json {
        match &self.base {
            Some(base) => json!({ "id": self.id, "redisKeyBase": base }),
            None => json!({ "id": self.id }),
        }
    }
}

/// What a task is made from.
pub enum Given {
    /// A query.
    Query(Request),
    /// Events, and what is done with them.
    Events(Vec<Map>, Definition),
}

/// A task at work.
struct Live {
    name: SmolStr,
    order: Arc<Order>,
    grows: bool,
    thread: JoinHandle<()>,
}

/// The tasks of a program: a service of the context.
pub struct Tasks {
    kept: Kept,
    live: Mutex<Vec<(String, Live)>>,
    /// Set when the program ends.
    closing: AtomicBool,
}

impl Tasks {
    /// The tasks of this file, which must know the room [`super::TASK`]; their entries go where the [`Collections`] of
    /// the context lie.
    pub fn new(store: &Store) -> Tasks {
        Tasks {
            kept: Kept::new(store),
            live: Mutex::default(),
            closing: AtomicBool::new(false),
        }
    }

    /// Makes a task from a request as it is sent to `/search/query`, and starts it.
    pub fn create(&self, request: &Json, who: &Who, context: &Context) -> Result<Created, Denied> {
        let request = Request::read(request, context)?;
        self.make(Given::Query(request), who, context)
    }

    /// Makes a task and starts it. Errors: what is wrong, by name; a name that is taken.
    pub fn make(&self, given: Given, who: &Who, context: &Context) -> Result<Created, Denied> {
        let now = context.clock.now();
        let (request, events, grows, endless) = match given {
            Given::Query(mut request) => {
                let query = Query::compile(&request.query, context)?;
                request.definition.check(&query.columns())?;
                (request, None, query.grows(), query.is_endless())
            }
            Given::Events(events, definition) => {
                if let Some(at) = events
                    .iter()
                    .position(|event| event.get_text(EVENTDATE).is_none())
                {
                    return Err(Denied::invalid(format!(
                        "event number {} has no eventdate, so it could not expire",
                        at + 1
                    )));
                }
                let request = Request {
                    query: String::new(),
                    query_id: None,
                    dated: false,
                    definition,
                };
                (request, Some(events), false, false)
            }
        };
        let redis = request.definition.destination == Destination::Redis;
        let mut message = String::new();
        if request.dated && redis {
            message = format!(
                "from and to are replaced: the task begins {} seconds ago and goes on for ever",
                request.definition.expire_in
            );
        }
        let task = Task {
            id: identifier()?,
            domain: who.domain.clone(),
            owner: who.user.clone(),
            query: request.query,
            query_id: request.query_id,
            status: Status::Created,
            round: 0,
            created: now,
            origin: match redis {
                true => now.saturating_sub(request.definition.life()),
                false => i64::MIN,
            },
            definition: request.definition,
            last: None,
            read: 0,
            kept: 0,
            errors: Vec::new(),
            store: SmolStr::default(),
        };
        let name = task.definition.name.clone();
        if self.running() >= AT_ONCE {
            return Err(crowded());
        }
        // Held before anybody can see the task, so that nobody else begins with it.
        let lock = self.lock(&task)?;
        if !self.kept.add(&task, Within::context(context))? {
            return Err(Denied::invalid(format!(
                "friendlyName: there is a task {name} already in the domain {}",
                who.domain
            ))
            .help("choose another name, or remove that task"));
        }
        let created = Created {
            id: task.id.clone(),
            base: redis.then(|| task.base().to_string()),
            message,
            endless,
        };
        self.launch(task, lock, events, grows, context)?;
        Ok(created)
    }

    /// All tasks of a domain in the order in which they were made.
    pub fn list(&self, who: &Who, context: &Context) -> Outcome<Vec<Task>> {
        self.shown(self.kept.all(Some(&who.domain), Within::context(context))?)
    }

    /// All tasks of all domains.
    pub fn all(&self, context: &Context) -> Outcome<Vec<Task>> {
        self.shown(self.kept.all(None, Within::context(context))?)
    }

    /// The task with this identifier or name.
    pub fn get(&self, id: &str, who: &Who, context: &Context) -> Result<Task, Denied> {
        let found = self.kept.find(&who.domain, id, Within::context(context))?;
        let task = found.ok_or_else(|| Denied::unknown(id))?;
        Ok(self.seen(task)?)
    }

    /// Stops a task; it can be started again.
    pub fn stop(&self, id: &str, who: &Who, context: &Context) -> Result<Task, Denied> {
        let task = self.get(id, who, context)?;
        let within = Within::context(context);
        let changed = self.kept.change(&task.id, None, Move::Stop, within);
        match changed.map_err(Denied::of(Number::Stop))? {
            Changed::Yes(_) => {}
            Changed::No(status) => {
                let message = format!(
                    "the collection task {} is {}, it does not run",
                    task.definition.name,
                    status.word()
                );
                return Err(Denied::new(Number::NotRunning, message));
            }
            Changed::Gone => return Err(Denied::unknown(id)),
        }
        self.end(&task.id, context)?;
        self.get(&task.id, who, context)
    }

    /// Starts a task again where it had got to.
    pub fn start(&self, id: &str, who: &Who, context: &Context) -> Result<Created, Denied> {
        let task = self.get(id, who, context)?;
        let within = Within::context(context);
        let refused = |status: Status| {
            let name = &task.definition.name;
            let denied = Denied::new(
                Number::Status,
                format!("the collection task {name} is {}", status.word()),
            );
            match status {
                Status::Completed => denied.help("it has all rows; make another one"),
                _ => denied.help("it runs already"),
            }
        };
        if task.status.after(Move::Start).is_none() {
            return Err(refused(task.status));
        }
        if task.query.is_empty() {
            let message = "the task was made from events, which are not kept";
            return Err(Denied::new(Number::Status, message));
        }
        let query = Query::compile(&task.query, context)?;
        if self.running() >= AT_ONCE {
            return Err(crowded());
        }
        let lock = self.lock(&task)?;
        // Whoever ran it may have died.
        self.kept
            .change(&task.id, Some(task.round), Move::Pause, within)?;
        let changed = self
            .kept
            .change(&task.id, Some(task.round), Move::Start, within);
        let started = match changed.map_err(Denied::of(Number::Restart))? {
            Changed::Yes(started) => *started,
            Changed::No(status) => return Err(refused(status)),
            Changed::Gone => return Err(Denied::unknown(id)),
        };
        let redis = task.definition.destination == Destination::Redis;
        let created = Created {
            id: task.id.clone(),
            base: redis.then(|| task.base().to_string()),
            message: String::new(),
            endless: query.is_endless(),
        };
        self.launch(started, lock, None, query.grows(), context)?;
        Ok(created)
    }

    /// Stops a task and forgets it. Its entries stay until their time is over.
    pub fn remove(&self, id: &str, who: &Who, context: &Context) -> Result<Task, Denied> {
        let task = self.get(id, who, context)?;
        let within = Within::context(context);
        let changed = self.kept.change(&task.id, None, Move::Remove, within);
        let changed = changed.map_err(Denied::of(Number::Remove))?;
        self.end(&task.id, context)?;
        match changed {
            Changed::Gone => Err(Denied::unknown(id)),
            _ => Ok(task),
        }
    }

    /// Waits until a task does not run here any more. E0306 and E0307 when the wait must end first; the task goes on.
    pub fn wait(&self, id: &str, deadline: Deadline, cancel: &AtomicBool) -> Outcome<()> {
        while self.is_live(id) {
            crate::store::proceed(deadline, cancel)?;
            std::thread::sleep(TICK);
        }
        Ok(())
    }

    /// Goes on with all tasks that nobody runs, now and whenever there are some, until [`Tasks::leave`].
    pub fn look_after(self: &Arc<Self>, context: &Context) -> Outcome<()> {
        let (tasks, context) = (self.clone(), context.clone());
        let builder = Builder::new().name("tasks".to_owned()).stack_size(STACK);
        let work = move || {
            while !tasks.closing.load(Ordering::SeqCst) {
                if let Err(fault) = tasks.resume(&context) {
                    tracing::warn!("collection tasks: {}", fault.message);
                }
                let began = Instant::now();
                while began.elapsed() < ROUND && !tasks.closing.load(Ordering::SeqCst) {
                    std::thread::sleep(TICK);
                }
            }
        };
        builder.spawn(work).map_err(|error| no_thread(&error))?;
        Ok(())
    }

    /// Goes on with all tasks that nobody runs.
    fn resume(&self, context: &Context) -> Outcome<()> {
        for task in self.all(context)? {
            // What was given as events is gone with the program.
            if task.status != Status::Paused || task.query.is_empty() {
                continue;
            }
            if self.closing.load(Ordering::SeqCst) || self.running() >= AT_ONCE {
                break;
            }
            // A query that cannot be compiled any more says so in its task.
            let grows = Query::compile(&task.query, context).is_ok_and(|query| query.grows());
            let name = task.definition.name.clone();
            let launched = self
                .lock(&task)
                .and_then(|lock| self.launch(task, lock, None, grows, context));
            if let Err(denied) = launched {
                tracing::warn!("the collection task {name}: {}", denied.fault.message);
            }
        }
        Ok(())
    }

    /// Ends what runs here, as the program ends: tasks whose rows may come for ever are paused, the others are waited for
    /// unless `cancel` is set. `say` hears for which.
    pub fn leave(&self, cancel: &AtomicBool, say: &dyn Fn(&str)) {
        self.closing.store(true, Ordering::SeqCst);
        let began = Instant::now();
        let mut told = false;
        loop {
            let mut waits = Vec::new();
            let mut live = self.live.lock();
            live.retain(|(_, live)| !live.thread.is_finished());
            let none = live.is_empty();
            for (_, live) in live.iter() {
                if live.grows || cancel.load(Ordering::Relaxed) {
                    if live.order.pause() {
                        say(&format!(
                            "the collection task {} is paused; stellar serve goes on with it, or stellar collect start",
                            live.name
                        ));
                    }
                } else {
                    waits.push(live.name.clone());
                }
            }
            drop(live);
            if none {
                return;
            }
            if !told && !waits.is_empty() && began.elapsed() > Duration::from_secs(1) {
                told = true;
                say(&format!(
                    "waiting for {} to end; Ctrl-C pauses",
                    waits.join(", ")
                ));
            }
            if waits.is_empty() && began.elapsed() > PATIENCE && cancel.load(Ordering::Relaxed) {
                return;
            }
            std::thread::sleep(TICK);
        }
    }

    /// Keeps other processes from running a task.
    fn lock(&self, task: &Task) -> Result<Lock, Denied> {
        Lock::take(&self.lock_path(&task.id))?.ok_or_else(|| {
            let name = &task.definition.name;
            let message = format!("another process runs the collection task {name}");
            Denied::new(Number::Status, message)
        })
    }

    /// Starts the thread of a task.
    fn launch(
        &self,
        task: Task,
        lock: Lock,
        events: Option<Vec<Map>>,
        grows: bool,
        context: &Context,
    ) -> Result<(), Denied> {
        let Some(collections) = context.services.get::<Collections>() else {
            let message = "a collection task needs a store, and there is none";
            return Err(Diagnostic::new(Code::NotAvailable, message).into());
        };
        // Look-ups that follow at once find the collection; the task says it again once the store answers.
        if let Some(about) = task.about() {
            let within = Within {
                deadline: Deadline::after(AT_FIRST),
                ..Within::context(context)
            };
            let _ = collections.describe(&about, within);
        }
        let order = Arc::new(Order::default());
        let mut own = context.with_variables(Arc::new(NoVariables));
        own.cancel = order.cancel.clone();
        own.deadline = None;
        let (id, name) = (task.id.clone(), task.definition.name.clone());
        let notes = context.services.get::<Notes>();
        let work = Work {
            kept: self.kept.clone(),
            collections,
            context: own,
            events,
            order: order.clone(),
            notes,
            task,
            lock,
        };
        let builder = Builder::new().name("task".to_owned()).stack_size(STACK);
        let spawned = builder.spawn(move || work.run());
        let thread = spawned.map_err(|error| Denied::from(no_thread(&error)))?;
        let live = Live {
            name,
            order,
            grows,
            thread,
        };
        self.live.lock().push((id, live));
        Ok(())
    }

    /// Waits until a task that shall not run any more has ended, here or in another process.
    fn end(&self, id: &str, context: &Context) -> Outcome<()> {
        let until = Deadline::after(PATIENCE);
        for (_, live) in self.live.lock().iter().filter(|(known, _)| known == id) {
            live.order.cancel();
        }
        while self.is_live(id) || Lock::held(&self.lock_path(id))? {
            context.check_cancelled()?;
            if until.passed() {
                break;
            }
            std::thread::sleep(TICK);
        }
        Ok(())
    }

    /// How many run here.
    fn running(&self) -> usize {
        let mut live = self.live.lock();
        live.retain(|(_, live)| !live.thread.is_finished());
        live.len()
    }

    fn is_live(&self, id: &str) -> bool {
        let mut live = self.live.lock();
        live.retain(|(_, live)| !live.thread.is_finished());
        live.iter().any(|(known, _)| known == id)
    }

    fn lock_path(&self, id: &str) -> PathBuf {
        self.kept.store().lock_path(&format!("task-{id}"))
    }

    fn shown(&self, tasks: Vec<Task>) -> Outcome<Vec<Task>> {
        tasks.into_iter().map(|task| self.seen(task)).collect()
    }

    /// A task that should be at work and that nobody works on is paused.
    fn seen(&self, mut task: Task) -> Outcome<Task> {
        if task.status.works() && !self.is_live(&task.id) && !Lock::held(&self.lock_path(&task.id))?
        {
            // It may have ended since it was read.
            let cancel = Arc::default();
            let within = Within {
                now: 0,
                deadline: Deadline::NONE,
                cancel: &cancel,
            };
            task = self
                .kept
                .find(&task.domain, &task.id, within)?
                .unwrap_or(task);
            if task.status.works() {
                task.status = Status::Paused;
            }
        }
        Ok(task)
    }
}

fn crowded() -> Denied {
    Denied::new(
        Number::Status,
        format!("{AT_ONCE} collection tasks run already, more cannot at once"),
    )
    .help("stop one of them")
}

fn no_thread(error: &std::io::Error) -> crate::diagnostic::Fault {
    let message = format!("no thread can be started: {error}");
    Diagnostic::new(Code::Internal, message)
}

/// A random UUID of version 4 (RFC 9562).
fn identifier() -> Outcome<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| {
        let message = format!("the system has no random numbers: {error}");
        Diagnostic::new(Code::Internal, message)
    })?;
    let bits = u128::from_be_bytes(bytes);
    let bits = bits & !(0xf << 76) | 4 << 76;
    let bits = bits & !(3 << 62) | 2 << 62;
    let mut hex = format!("{bits:032x}");
    for place in [20, 16, 12, 8] {
        hex.insert(place, '-');
    }
    Ok(hex)
}
