//! The embedded file in one process.
#![allow(clippy::unwrap_used, clippy::panic)]

use rusqlite::Connection;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use stellar::diagnostic::{Code, Diagnostic, Outcome};
use stellar::store::{Deadline, Room, RoomVersion, Store};

static GO: AtomicBool = AtomicBool::new(false);

const NOTES: &str =
    "CREATE TABLE note_item (id INTEGER PRIMARY KEY, text TEXT NOT NULL, until INTEGER)";
static OLD: Room = Room {
    name: "note",
    migrations: &[NOTES],
    expire: None,
};
static NEW: Room = Room {
    name: "note",
    migrations: &[NOTES, "ALTER TABLE note_item ADD COLUMN extra TEXT"],
    expire: Some(|conn, now| {
        let sql = "DELETE FROM note_item WHERE id IN (SELECT id FROM note_item WHERE until <= ?1 LIMIT 2)";
        Ok(conn.execute(sql, [now])?)
    }),
};
static OTHER: Room = Room {
    name: "other",
    migrations: &[
        "CREATE TABLE other_child (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES other_child DEFERRABLE INITIALLY DEFERRED)",
    ],
    expire: None,
};

fn add(store: &Store, room: &'static Room, text: &str) -> Outcome<i64> {
    let text = text.to_string();
    store.write(room, Deadline::NONE, &GO, move |conn| {
        conn.execute("INSERT INTO note_item (text) VALUES (?1)", [&text])?;
        Ok(conn.last_insert_rowid())
    })
}

fn count(conn: &Connection) -> Outcome<i64> {
    Ok(conn.query_row("SELECT count(*) FROM note_item", [], |row| row.get(0))?)
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn reads_make_no_file_and_writes_make_a_private_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a/b/s.db");
    let store = Store::new(&path, &[&OLD, &OTHER]);
    assert_eq!(store.read(&OLD, count).unwrap(), 0);
    assert_eq!(store.read(&OLD, count).unwrap(), 0);
    assert!(!store.check().unwrap().exists);
    assert_eq!(store.compact().unwrap().after, 0);
    assert_eq!(
        store.expire(0, Deadline::NONE, &Arc::default()).unwrap(),
        []
    );
    assert_eq!(
        store.backup(&folder.path().join("c.db")).unwrap_err().code,
        Code::StoreOpen
    );
    let written = store.read(&OLD, |conn| Ok(conn.execute("DELETE FROM note_item", [])?));
    assert_eq!(written.unwrap_err().code, Code::StoreFailed);
    assert!(!folder.path().join("a").exists());

    assert_eq!(add(&store, &OLD, "x").unwrap(), 1);
    assert_eq!(store.read(&OLD, count).unwrap(), 1);
    for name in ["s.db", "s.db-wal", "s.db-shm"] {
        assert_eq!(mode(&path.with_file_name(name)), 0o600, "{name}");
    }
    assert_eq!(
        (
            mode(&folder.path().join("a")),
            mode(&folder.path().join("a/b"))
        ),
        (0o700, 0o700)
    );
    // A room that the file does not know reads as empty and leaves no trace.
    let none = store.read(&OTHER, |c| {
        Ok(c.query_row("SELECT count(*) FROM other_child", [], |r| {
            r.get::<_, i64>(0)
        })?)
    });
    assert_eq!(none.unwrap(), 0);
    assert_eq!(store.check().unwrap().rooms.len(), 1);
    let written = store.read(&OLD, |conn| Ok(conn.execute("DELETE FROM note_item", [])?));
    assert_eq!(written.unwrap_err().code, Code::StoreFailed);
    drop(store);
    // The last handle closes the file tidily.
    assert!(!path.with_file_name("s.db-wal").exists());
}

#[test]
fn a_failing_write_takes_back_only_itself() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(&folder.path().join("s.db"), &[&OLD, &OTHER]);
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let store = store.clone();
            scope.spawn(move || {
                for round in 0..20 {
                    let outcome = store.write(&OLD, Deadline::NONE, &GO, move |conn| {
                        conn.execute("INSERT INTO note_item (text) VALUES ('x')", [])?;
                        match (thread + round) % 4 {
                            0 => Err(Diagnostic::new(Code::ArgumentValue, "no")),
                            1 if round % 2 == 0 => panic!("a test panics"),
                            2 => Ok(conn.execute("INSERT INTO nowhere VALUES (1)", [])?),
                            _ => Ok(0),
                        }
                    });
                    match (thread + round) % 4 {
                        0 => assert_eq!(outcome.unwrap_err().code, Code::ArgumentValue),
                        1 if round % 2 == 0 => {
                            assert_eq!(outcome.unwrap_err().code, Code::Internal)
                        }
                        2 => {
                            let fault = outcome.unwrap_err();
                            assert_eq!(fault.code, Code::StoreFailed);
                            assert!(
                                fault.message.contains("s.db failed: no such table"),
                                "{}",
                                fault.message
                            );
                        }
                        _ => assert_eq!(outcome.unwrap(), 0),
                    }
                    // A broken reference comes out at the commit, which the others share.
                    let orphan = store.write(&OTHER, Deadline::NONE, &GO, |conn| {
                        Ok(conn.execute("INSERT INTO other_child (parent) VALUES (99)", [])?)
                    });
                    assert_eq!(orphan.unwrap_err().code, Code::StoreFailed);
                }
            });
        }
    });
    let expected: i64 = (0..8)
        .map(|t| {
            (0..20)
                .filter(|r| matches!((t + r) % 4, 3) || (t + r) % 4 == 1 && r % 2 == 1)
                .count() as i64
        })
        .sum();
    assert_eq!(store.read(&OLD, count).unwrap(), expected);
    let panicked = store.read(&OLD, |_| -> Outcome<()> { panic!("a test panics") });
    assert_eq!(panicked.unwrap_err().code, Code::Internal);
}

#[test]
fn many_small_writers_share_commits() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(&folder.path().join("s.db"), &[&OLD]);
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..16 {
            let store = store.clone();
            scope
                .spawn(move || (0..100).for_each(|_| assert!(add(&store, &OLD, "x").unwrap() > 0)));
        }
    });
    println!("1600 writes of 16 threads in {:?}", begun.elapsed());
    assert_eq!(store.read(&OLD, count).unwrap(), 1600);
}

#[test]
fn versions() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    add(&Store::new(&path, &[&OLD]), &OLD, "old").unwrap();
    // A read by a newer program brings the tables up to date.
    let new = Store::new(&path, &[&NEW]);
    let extra = new.read(&NEW, |c| {
        Ok(c.query_row(
            "SELECT count(*) FROM note_item WHERE extra IS NULL",
            [],
            |r| r.get::<_, i64>(0),
        )?)
    });
    assert_eq!(extra.unwrap(), 1);
    let old = Store::new(&path, &[&OLD]);
    for fault in [
        add(&old, &OLD, "x").unwrap_err(),
        old.read(&OLD, count).unwrap_err(),
    ] {
        assert_eq!(fault.code, Code::StoreVersion);
        let expected = format!(
            "{} has version 2 of its note tables; this program knows version 1",
            path.display()
        );
        assert_eq!(fault.message, expected);
    }
    assert_eq!(
        old.check().unwrap().problems,
        ["the note tables are of a newer program"]
    );
}

#[test]
fn a_failed_migration_leaves_nothing() {
    static BROKEN: Room = Room {
        name: "note",
        migrations: &[NOTES, "CREATE TABLE note_b (x); SELEC"],
        expire: None,
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    let store = Store::new(&path, &[&BROKEN]);
    assert_eq!(
        add(&store, &BROKEN, "x").unwrap_err().code,
        Code::StoreFailed
    );
    assert_eq!(store.check().unwrap().tables, []);
    assert_eq!(add(&Store::new(&path, &[&OLD]), &OLD, "x").unwrap(), 1);
}

#[test]
fn foreign_files_are_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let sqlite = folder.path().join("other.db");
    Connection::open(&sqlite)
        .unwrap()
        .execute_batch("CREATE TABLE t (x)")
        .unwrap();
    let text = folder.path().join("text.db");
    std::fs::write(
        &text,
        "no database at all, but long enough to have a header of one hundred bytes. ".repeat(3),
    )
    .unwrap();
    for path in [sqlite, text] {
        let before = std::fs::read(&path).unwrap();
        let store = Store::new(&path, &[&OLD]);
        let faults = [
            add(&store, &OLD, "x").unwrap_err(),
            store.read(&OLD, count).unwrap_err(),
            store.check().unwrap_err(),
            store.backup(&folder.path().join("b.db")).unwrap_err(),
        ];
        for fault in faults {
            assert_eq!(fault.code, Code::StoreOpen);
            assert!(
                fault.message.ends_with(".db belongs to another program"),
                "{}",
                fault.message
            );
        }
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }
}

#[test]
fn deadline_and_cancellation() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    let store = Store::new(&path, &[&OLD]);
    add(&store, &OLD, "x").unwrap();
    let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) INSERT INTO note_item (text) SELECT 'y' FROM n WHERE i < 0";
    let slow = move |conn: &Connection| Ok(conn.execute(endless, [])?);
    let short = || Deadline::after(Duration::from_millis(100));

    let begun = Instant::now();
    // Another write shares the transaction that is taken back; it must be there in the end.
    let other = store.clone();
    let beside = std::thread::spawn(move || add(&other, &OLD, "beside"));
    assert_eq!(
        store.write(&OLD, short(), &GO, slow).unwrap_err().code,
        Code::Timeout
    );
    beside.join().unwrap().unwrap();
    let cancel = Arc::new(AtomicBool::new(false));
    let flag = cancel.clone();
    let setter = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(50));
        flag.store(true, Ordering::Relaxed);
    });
    assert_eq!(
        store
            .write(&OLD, Deadline::NONE, &cancel, slow)
            .unwrap_err()
            .code,
        Code::Interrupted
    );
    setter.join().unwrap();
    let long =
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
    let read = |conn: &Connection| Ok(conn.query_row(long, [], |row| row.get::<_, i64>(0))?);
    assert_eq!(
        store
            .read_within(&OLD, short(), &Arc::default(), read)
            .unwrap_err()
            .code,
        Code::Timeout
    );
    assert_eq!(
        store
            .read_within(&OLD, Deadline::NONE, &cancel, read)
            .unwrap_err()
            .code,
        Code::Interrupted
    );

    // While another holds the lock, a queued write can be given up, and is not done later.
    let holder = Connection::open(&path).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_eq!(
        store
            .write(&OLD, short(), &GO, |c| Ok(
                c.execute("DELETE FROM note_item", [])?
            ))
            .unwrap_err()
            .code,
        Code::Timeout
    );
    assert!(
        begun.elapsed() < Duration::from_secs(60),
        "{:?}",
        begun.elapsed()
    );
    holder.execute_batch("COMMIT").unwrap();
    add(&store, &OLD, "z").unwrap();
    assert_eq!(store.read(&OLD, count).unwrap(), 3);
}

#[test]
fn a_busy_file_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    let store = Store::new(&path, &[&OLD]);
    add(&store, &OLD, "x").unwrap();
    let holder = Connection::open(&path).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    let begun = Instant::now();
    let fault = add(&store, &OLD, "y").unwrap_err();
    assert!(begun.elapsed() >= Duration::from_secs(5));
    assert_eq!(fault.code, Code::StoreFailed);
    let expected = format!(
        "the embedded file {} is busy: another process has been writing for too long",
        path.display()
    );
    assert_eq!(fault.message, expected);
    // Readers do not wait for writers.
    assert_eq!(store.read(&OLD, count).unwrap(), 1);
}

#[test]
fn nested_writes_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(&folder.path().join("s.db"), &[&OLD]);
    let inner = store.clone();
    let nested = store.write(&OLD, Deadline::NONE, &GO, move |_| add(&inner, &OLD, "x"));
    assert_eq!(nested.unwrap_err().code, Code::Internal);
    assert_eq!(add(&store, &NEW, "x").unwrap_err().code, Code::Internal);
    // The last handle may die on the writing thread itself.
    let last = store.clone();
    store
        .write(&OLD, Deadline::NONE, &GO, move |_| Ok(last.path().exists()))
        .unwrap();
}

#[test]
fn a_replaced_file_is_opened_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    let store = Store::new(&path, &[&OLD]);
    add(&store, &OLD, "x").unwrap();
    assert_eq!(store.read(&OLD, count).unwrap(), 1);
    for name in ["s.db", "s.db-wal", "s.db-shm"] {
        std::fs::remove_file(path.with_file_name(name)).unwrap();
    }
    assert_eq!(store.read(&OLD, count).unwrap(), 0);
    add(&store, &OLD, "y").unwrap();
    add(&store, &OLD, "z").unwrap();
    assert_eq!(store.read(&OLD, count).unwrap(), 2);
}

#[test]
fn upkeep() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    let store = Store::new(&path, &[&NEW, &OTHER]);
    store
        .write(&NEW, Deadline::NONE, &GO, |conn| {
            for n in 0..2000 {
                conn.execute(
                    "INSERT INTO note_item (text, until) VALUES (?1, ?2)",
                    ("x".repeat(500), n),
                )?;
            }
            Ok(())
        })
        .unwrap();
    let report = store.check().unwrap();
    assert!(report.exists && report.problems.is_empty(), "{report:?}");
    assert_eq!(
        report.rooms,
        [RoomVersion {
            room: "note".into(),
            found: 2,
            known: Some(2)
        }]
    );
    assert_eq!(
        report.tables,
        [("meta".to_string(), 1), ("note_item".to_string(), 2000)]
    );

    let copy = folder.path().join("copy.db");
    store.backup(&copy).unwrap();
    assert_eq!(mode(&copy), 0o600);
    assert_eq!(store.backup(&copy).unwrap_err().code, Code::CannotWrite);
    assert_eq!(
        store
            .backup(&folder.path().join("no/copy.db"))
            .unwrap_err()
            .code,
        Code::CannotWrite
    );

    assert_eq!(
        store.expire(1995, Deadline::NONE, &Arc::default()).unwrap(),
        [("note", 1996)]
    );
    let done = store.compact().unwrap();
    assert!(done.after < done.before / 10, "{done:?}");
    assert_eq!(store.read(&NEW, count).unwrap(), 4);

    let restored = Store::new(&copy, &[&NEW]);
    assert_eq!(restored.read(&NEW, count).unwrap(), 2000);
    assert_eq!(restored.check().unwrap().problems, [] as [String; 0]);
    assert_eq!(add(&restored, &NEW, "y").unwrap(), 2001);
}

#[test]
fn damage_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    let store = Store::new(&path, &[&OLD]);
    for _ in 0..500 {
        store
            .write(&OLD, Deadline::NONE, &GO, |c| {
                Ok(c.execute(
                    "INSERT INTO note_item (text) VALUES (?1)",
                    ["x".repeat(900)],
                )?)
            })
            .unwrap();
    }
    drop(store);
    let mut bytes = std::fs::read(&path).unwrap();
    let (from, to) = (bytes.len() / 4, bytes.len() / 2);
    bytes[from..to].fill(0xa5);
    std::fs::write(&path, bytes).unwrap();
    let store = Store::new(&path, &[&OLD]);
    let report = store.check().unwrap();
    assert!(!report.problems.is_empty());
    let fault = store.read(&OLD, |c| {
        Ok(
            c.query_row("SELECT sum(length(text)) FROM note_item", [], |r| {
                r.get::<_, i64>(0)
            })?,
        )
    });
    let fault = fault.unwrap_err();
    assert_eq!(
        fault.message,
        format!("the embedded file {} is damaged", path.display())
    );
}

/// Needs the right to mount; skipped without it.
#[test]
fn full_disk() {
    struct Mount<'a>(&'a Path);
    impl Drop for Mount<'_> {
        fn drop(&mut self) {
            let _ = std::process::Command::new("umount")
                .arg("-l")
                .arg(self.0)
                .status();
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let mut mount = std::process::Command::new("mount");
    mount
        .args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"])
        .arg(folder.path());
    if !mount.output().is_ok_and(|out| out.status.success()) {
        println!("skipped: full_disk (cannot mount a small disk)");
        return;
    }
    let _mount = Mount(folder.path());
    let path = folder.path().join("s.db");
    let store = Store::new(&path, &[&OLD]);
    let mut stored = 0;
    let fault = loop {
        match add(&store, &OLD, &"x".repeat(10_000)) {
            Ok(_) => stored += 1,
            Err(fault) => break fault,
        }
        assert!(stored < 1000);
    };
    assert_eq!(fault.code, Code::StoreFailed);
    assert_eq!(
        fault.message,
        format!(
            "the embedded file {} has no room: the disk is full",
            path.display()
        )
    );
    assert!(stored > 5);
    assert_eq!(store.read(&OLD, count).unwrap(), stored);
    assert_eq!(store.check().unwrap().problems, [] as [String; 0]);
    drop(store);
    let store = Store::new(&path, &[&OLD]);
    assert_eq!(store.read(&OLD, count).unwrap(), stored);
}
