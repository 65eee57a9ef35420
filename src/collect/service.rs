//! Collections as functions, tasks and pipelines see them.

use super::entry::{About, Entry, Found};
use super::key::{Base, Key};
use super::store::{CollectionStore, Written};
use crate::diagnostic::Outcome;
use crate::store::Within;
use smol_str::SmolStr;
use std::sync::Arc;

/// The collections of this program: where they lie, and whose they are.
pub struct Collections {
    store: Arc<dyn CollectionStore>,
    domain: SmolStr,
}

impl Collections {
    /// Collections in a store; names mean those of the domain.
    pub fn new(store: Arc<dyn CollectionStore>, domain: &str) -> Collections {
        Collections {
            store,
            domain: domain.into(),
        }
    }

    /// The domain of names that come without one (`[collect] domain`).
    pub fn domain(&self) -> &SmolStr {
        &self.domain
    }

    /// What the store is and where.
    pub fn place(&self) -> String {
        self.store.place()
    }

    /// Makes a collection known, or says anew what it is.
    pub fn describe(&self, about: &About, within: Within<'_>) -> Outcome<()> {
        self.store.describe(about, within)
    }

    /// All collections that are known.
    pub fn list(&self, within: Within<'_>) -> Outcome<Vec<About>> {
        self.store.list(within)
    }

    /// Stores entries, as [`CollectionStore::put`].
    pub fn put(&self, entries: &[Entry], within: Within<'_>) -> Outcome<Written> {
        self.store.put(entries, within)
    }

    /// What is known about each key.
    pub fn get(&self, keys: &[Key], within: Within<'_>) -> Outcome<Vec<Option<Found>>> {
        self.store.get(keys, within)
    }

    /// Forgets a collection with all its entries; how many entries there were.
    pub fn remove(&self, base: &Base, within: Within<'_>) -> Outcome<u64> {
        self.store.remove(base, within)
    }

    /// Makes sure that the store answers. E0604 when it does not.
    pub fn reach(&self, within: Within<'_>) -> Outcome<()> {
        self.store.reach(within)
    }
}
