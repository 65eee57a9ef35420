//! The database of a configured address, which nobody looks at before it is used.

use super::{Change, EventStore, Look, Postgres, Transaction};
use crate::config::{Secretive, mask_text};
use crate::diagnostic::Outcome;
use crate::store::Within;
use parking_lot::Mutex;

/// Events in PostgreSQL at an address that may be wrong: only who uses it minds.
pub struct Configured {
    address: Secretive,
    opened: Mutex<Option<Postgres>>,
}

impl Configured {
    /// A store at an address such as `postgres://user:${NAME}@host/database`.
    pub fn new(address: &Secretive) -> Configured {
        Configured {
            address: address.clone(),
            opened: Mutex::default(),
        }
    }

    /// The store, always the same one. E0501 and E0503 when the address is none.
    pub fn postgres(&self) -> Outcome<Postgres> {
        let mut opened = self.opened.lock();
        if let Some(store) = opened.as_ref() {
            return Ok(store.clone());
        }
        Ok(opened.insert(Postgres::new(&self.address)?).clone())
    }
}

impl EventStore for Configured {
    fn place(&self) -> String {
        match self.postgres() {
            Ok(store) => store.place(),
            Err(_) => format!("PostgreSQL at {}", mask_text(self.address.raw())),
        }
    }

    fn is_there(&self, within: Within<'_>) -> Outcome<bool> {
        self.postgres()?.is_there(within)
    }

    fn read(&self, within: Within<'_>, work: Look<'_>) -> Outcome<()> {
        self.postgres()?.read(within, work)
    }

    fn write(&self, within: Within<'_>, work: Change) -> Outcome<()> {
        self.postgres()?.write(within, work)
    }

    fn begin(&self, within: Within<'_>) -> Outcome<Box<dyn Transaction>> {
        self.postgres()?.begin(within)
    }

    fn close(&self) {
        if let Some(store) = self.opened.lock().as_ref() {
            store.close();
        }
    }
}
