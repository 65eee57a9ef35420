//! Events in the embedded file: what every store must do, and what only this one does.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::cell::Cell;
use std::sync::Arc;
use stellar::event::{EVENT, Embedded, Events};
use stellar::store::Store;
use support::events::suite;
use tempfile::TempDir;

#[test]
fn it_does_what_every_store_must_do() {
    let folder = TempDir::new().unwrap();
    let count = Cell::new(0);
    suite(|| {
        count.set(count.get() + 1);
        let file = Store::new(
            &folder.path().join(format!("{}.db", count.get())),
            &[&EVENT],
        );
        Events::new(Arc::new(Embedded::new(&file)))
    });
}
