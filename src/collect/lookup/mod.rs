//! Collections as functions, tasks and pipelines see them: what was found lately is kept for a while, and the
//! questions of many events are asked together.

mod batch;
mod cache;

pub use cache::{Answer, BRIEF, THERE, Want};

use super::entry::{About, Entry};
use super::key::{Base, Key};
use super::store::{CollectionStore, Written};
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome};
use crate::eval::{Context, Later};
use crate::store::{Deadline, Within};
use batch::{Batch, Question};
use cache::Cache;
use parking_lot::{Mutex, RwLock};
use smol_str::SmolStr;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// How long a look-up waits for its store.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// How long what a collection is, is believed; that there is none, as briefly as an answer.
const KNOWN: Duration = Duration::from_secs(5);

/// How long a store that has not answered is not asked again by look-ups.
const DOWN: Duration = Duration::from_secs(1);

/// How many names of collections are remembered.
const NAMES: usize = 1024;

/// A collection that is looked up.
#[derive(Debug)]
pub struct Collection {
    id: u32,
    /// What its keys begin with.
    pub base: Base,
    /// What is known about it.
    pub about: About,
}

struct Known {
    collection: Option<Arc<Collection>>,
    good: Instant,
}

/// The collections of this program: where they lie, and whose they are.
pub struct Collections {
    store: Arc<dyn CollectionStore>,
    domain: SmolStr,
    known: RwLock<HashMap<SmolStr, Known, ahash::RandomState>>,
    cache: Cache,
    next: AtomicU32,
    down: Mutex<Option<(Instant, Fault)>>,
}

impl Collections {
    /// Collections in a store; names mean those of the domain.
    pub fn new(store: Arc<dyn CollectionStore>, domain: &str) -> Collections {
        Collections {
            store,
            domain: domain.into(),
            known: RwLock::default(),
            cache: Cache::default(),
            next: AtomicU32::new(0),
            down: Mutex::default(),
        }
    }

    /// The same collections as another domain sees them.
    pub fn of_domain(&self, domain: &str) -> Collections {
        Collections::new(self.store.clone(), domain)
    }

    /// The domain of names that come without one (`[collect] domain`).
    pub fn domain(&self) -> &SmolStr {
        &self.domain
    }

    /// The store behind it, which remembers nothing of what was looked up.
    pub fn store(&self) -> &dyn CollectionStore {
        &*self.store
    }

    /// What the store is and where.
    pub fn place(&self) -> String {
        self.store.place()
    }

    /// Makes a collection known, or says anew what it is.
    pub fn describe(&self, about: &About, within: Within<'_>) -> Outcome<()> {
        self.store.describe(about, within)?;
        self.known.write().remove(&about.name);
        Ok(())
    }

    /// All collections that are known.
    pub fn list(&self, within: Within<'_>) -> Outcome<Vec<About>> {
        self.store.list(within)
    }

    /// Stores entries, as [`CollectionStore::put`].
    pub fn put(&self, entries: &[Entry], within: Within<'_>) -> Outcome<Written> {
        let written = self.store.put(entries, within);
        // Whoever writes and looks up in one program sees what was written.
        let ids: HashMap<Base, u32> = self
            .known
            .read()
            .values()
            .filter_map(|known| known.collection.as_ref())
            .map(|collection| (collection.base.clone(), collection.id))
            .collect();
        if !ids.is_empty() {
            for entry in entries {
                if let Some(id) = ids.get(&entry.key.base) {
                    self.cache.remove(&(*id, entry.key.hash));
                }
            }
        }
        written
    }

    /// Forgets a collection with all its entries; how many entries there were.
    pub fn remove(&self, base: &Base, within: Within<'_>) -> Outcome<u64> {
        let removed = self.store.remove(base, within);
        // With its number go the answers.
        self.known
            .write()
            .retain(|_, known| known.collection.as_ref().is_none_or(|c| c.base != *base));
        removed
    }

    /// Which life of the store this is, as [`CollectionStore::incarnation`].
    pub fn incarnation(&self, within: Within<'_>) -> Outcome<SmolStr> {
        self.store.incarnation(within)
    }

    /// Makes sure that the store answers. E0604 when it does not.
    pub fn reach(&self, within: Within<'_>) -> Outcome<()> {
        self.store.reach(within)
    }

    /// The collection of a name in the domain; `None` when there is none. E0604.
    pub fn named(&self, name: &str, context: &Context) -> Outcome<Option<Arc<Collection>>> {
        let moment = Instant::now();
        if let Some(known) = self.known.read().get(name)
            && known.good > moment
        {
            return Ok(known.collection.clone());
        }
        let base = Base::new(&self.domain, name);
        let about = self.asked(context, |within| self.store.about(&base, within))?;
        let mut known = self.known.write();
        if known.len() >= NAMES {
            known.clear();
        }
        let before = known.remove(name).and_then(|known| known.collection);
        let collection = about.map(|about| match before {
            // What was found of it stays known.
            Some(same) if same.about == about => same,
            _ => Arc::new(Collection {
                id: self.next.fetch_add(1, Ordering::Relaxed),
                base,
                about,
            }),
        });
        let believed = if collection.is_some() { KNOWN } else { BRIEF };
        known.insert(
            name.into(),
            Known {
                collection: collection.clone(),
                good: moment + believed,
            },
        );
        Ok(collection)
    }

    /// What is known about a key, from what was found lately or from the store. E0604, E0307; where many events ask
    /// together, an error that nobody sees.
    pub fn look(
        self: &Arc<Self>,
        collection: &Arc<Collection>,
        key: Key,
        want: Want,
        context: &Context,
    ) -> Outcome<Answer> {
        let name = (collection.id, key.hash);
        let now = self.store.now(Within::context(context));
        if let Some(answer) = self.cache.get(&name, want, Instant::now(), now) {
            return Ok(answer);
        }
        let question = Question {
            collection: collection.clone(),
            key,
            want,
        };
        let later = context.services.get::<Later>();
        if let Some(later) = later.filter(|later| later.gathers()) {
            let batch = later.asker(|| Batch::new(self));
            return batch.look(question).unwrap_or_else(|| Err(later.leave()));
        }
        let answers = self.fetch(std::slice::from_ref(&question), context)?;
        answers
            .into_iter()
            .next()
            .ok_or_else(|| Diagnostic::new(Code::Internal, "a look-up gave no answer"))
    }

    /// Asks the store, and keeps what it says.
    fn fetch(&self, questions: &[Question], context: &Context) -> Outcome<Vec<Answer>> {
        let of = |want: Want| -> Vec<Key> {
            let wanted = questions.iter().filter(|question| question.want == want);
            wanted.map(|question| question.key.clone()).collect()
        };
        let (presence, entries) = (of(Want::Presence), of(Want::Entry));
        let (there, found) = self.asked(context, |within| {
            let there = match presence.is_empty() {
                true => Vec::new(),
                false => self.store.has(&presence, within)?,
            };
            let found = match entries.is_empty() {
                true => Vec::new(),
                false => self.store.get(&entries, within)?,
            };
            Ok((there, found))
        })?;
        let (mut there, mut found) = (there.into_iter(), found.into_iter());
        let moment = Instant::now();
        let answers = questions.iter().map(|question| {
            let answer = match question.want {
                Want::Presence => there.next().flatten().map(Answer::There),
                Want::Entry => found.next().flatten().map(|f| Answer::Entry(Arc::new(f))),
            };
            let answer = answer.unwrap_or(Answer::Gone);
            self.cache.put(question.name(), &answer, moment);
            answer
        });
        Ok(answers.collect())
    }

    /// Asks the store; one that has just not answered is not asked.
    fn asked<T>(
        &self,
        context: &Context,
        ask: impl FnOnce(Within<'_>) -> Outcome<T>,
    ) -> Outcome<T> {
        context.check_cancelled()?;
        if let Some((since, fault)) = &*self.down.lock()
            && since.elapsed() < DOWN
        {
            return Err(fault.clone());
        }
        let time = match context.limits.time {
            time if time.is_zero() => PATIENCE,
            time => time.min(PATIENCE),
        };
        let time = Deadline::from(context.deadline).at_most(time);
        let within = Within {
            deadline: Deadline::after(time),
            ..Within::context(context)
        };
        let fault = match ask(within) {
            Ok(answer) => return Ok(answer),
            Err(fault) if fault.code == Code::Timeout => {
                let seconds = time.as_secs_f64();
                let place = self.store.place();
                let message = format!("{place} has not answered in {seconds:.1} s");
                Diagnostic::new(Code::ServerFailed, message)
            }
            Err(fault) => fault,
        };
        if fault.code == Code::ServerFailed {
            *self.down.lock() = Some((Instant::now(), fault.clone()));
        }
        Err(fault)
    }
}
