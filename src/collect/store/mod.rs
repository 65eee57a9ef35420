//! Where entries of collections lie: one way in, whatever is behind it.

mod redis;
mod sqlite;

pub use redis::{BOOK, Redis, STORE};
pub use sqlite::{COLLECT, Embedded};

use super::entry::{About, Entry, Found};
use super::key::{Base, Key};
use crate::diagnostic::Outcome;
use crate::store::Within;
use smol_str::SmolStr;

/// What became of entries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    /// How many were stored; entries of the same date are stored again.
    pub stored: u64,
    /// How many were left out because a later event is there.
    pub older: u64,
    /// How many were left out because their time was over.
    pub expired: u64,
}

impl std::ops::AddAssign for Written {
    fn add_assign(&mut self, other: Written) {
        self.stored += other.stored;
        self.older += other.older;
        self.expired += other.expired;
    }
}

/// Where entries lie. Each call ends with E0306 and E0307 when it has to.
pub trait CollectionStore: Send + Sync {
    /// What it is and where: `the embedded file …`, `Redis at …` (without secrets).
    fn place(&self) -> String;

    /// Makes a collection known, or says anew what it is.
    fn describe(&self, about: &About, within: Within<'_>) -> Outcome<()>;

    /// What is known about a collection; `None` when it was never described.
    fn about(&self, base: &Base, within: Within<'_>) -> Outcome<Option<About>>;

    /// All collections that are known, by domain and name.
    fn list(&self, within: Within<'_>) -> Outcome<Vec<About>>;

    /// Stores entries. One that is there with a later date stays; one whose time is over is not stored. All are stored
    /// when this succeeds; after a failure some may be, and putting all again gives the same content.
    fn put(&self, entries: &[Entry], within: Within<'_>) -> Outcome<Written>;

    /// Until when each key is there (by the clock of the store; `i64::MAX` for ever), `None` when it is not.
    fn has(&self, keys: &[Key], within: Within<'_>) -> Outcome<Vec<Option<i64>>>;

    /// What is known about each key.
    fn get(&self, keys: &[Key], within: Within<'_>) -> Outcome<Vec<Option<Found>>>;

    /// How many entries a collection has that are not over. May take long.
    fn count(&self, base: &Base, within: Within<'_>) -> Outcome<u64>;

    /// Forgets a collection with all its entries; how many entries there were.
    fn remove(&self, base: &Base, within: Within<'_>) -> Outcome<u64>;

    /// The clock by which entries expire, in milliseconds since 1970.
    fn now(&self, within: Within<'_>) -> i64;

    /// Which life of the store this is. When it changes, the store has begun anew and may have lost what it was given:
    /// who keeps a collection filled stores again what is not over yet.
    fn incarnation(&self, within: Within<'_>) -> Outcome<SmolStr>;

    /// Makes sure that it answers. E0604 when it does not.
    fn reach(&self, within: Within<'_>) -> Outcome<()>;
}
