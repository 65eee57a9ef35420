#![allow(clippy::unwrap_used, clippy::panic)]

use super::list::permission;
use crate::config::{Config, Surroundings};
use crate::engine::{Engine, Overrides};
use crate::eval::text::to_text;
use crate::eval::{Value, Variables};
use smol_str::SmolStr;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

/// Paths and contents that a test gives as variables.
struct Given(Vec<(SmolStr, Value)>);

impl Variables for Given {
    fn get(&self, name: &str) -> Option<Value> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.clone())
    }

    fn all(&self) -> Vec<(SmolStr, Value)> {
        self.0.clone()
    }
}

/// A folder `in` that is allowed, a folder `out` beside it that is not.
struct Place(TempDir);

impl Place {
    fn new() -> Place {
        let place = Place(tempfile::tempdir().unwrap());
        fs::create_dir(place.path("in")).unwrap();
        fs::create_dir(place.path("out")).unwrap();
        fs::write(place.path("out/secret"), "secret").unwrap();
        place
    }

    fn path(&self, way: &str) -> PathBuf {
        self.0.path().join(way)
    }

    fn engine(&self, allowed: &[&str]) -> Engine {
        let mut config = Config::default();
        config.functions.files = allowed.iter().map(|way| self.path(way)).collect();
        let around = Surroundings {
            home: Some(self.path("in")),
            folder: self.path("in"),
            ..Surroundings::default()
        };
        let overrides = Overrides {
            tz: Some("UTC".into()),
            ..Overrides::default()
        };
        Engine::new(config, &around, &overrides).unwrap()
    }

    /// What a call gives, with `p` as the path.
    fn ask(&self, call: &str, path: impl AsRef<Path>) -> String {
        ask(&self.engine(&["in"]), call, path.as_ref().to_str().unwrap())
    }
}

fn ask(engine: &Engine, call: &str, path: &str) -> String {
    let mut engine = engine.clone();
    engine.context.variables = Arc::new(Given(vec![("p".into(), path.into())]));
    match engine.evaluate(call) {
        Ok(value) => to_text(&value).to_string(),
        Err(fault) => format!("{} {}", fault.code.name(), fault.message),
    }
}

const CALLS: &[&str] = &[
    "LOCAL_READ(p)",
    "LOCAL_READ_LINES(p)",
    "LOCAL_WRITE('x', p)",
    "LOCAL_RM(p)",
    "LOCAL_LS(p)",
    "OBJECT_GET(p)",
    "ENRICHMENT_OBJECT_GET(p, 'x')",
];

#[test]
fn what_is_written_is_read() {
    let place = Place::new();
    let file = place.path("in/new/deep/file.txt");
    for text in ["plain", "é日本\\n\\r\\nlast", ""] {
        assert_eq!(
            place.ask(&format!("LOCAL_WRITE('{text}', p)"), &file),
            "true"
        );
        assert_eq!(
            place.ask("LOCAL_READ(p)", &file),
            text.replace("\\n", "\n").replace("\\r", "\r")
        );
    }
    // Relative paths start from the working folder.
    assert_eq!(place.ask("LOCAL_WRITE('é', p)", "new/other"), "true");
    assert_eq!(
        fs::read(place.path("in/new/other")).unwrap(),
        "é".as_bytes()
    );
    let uri = format!("file://{}", place.path("in/new/other").display());
    assert_eq!(place.ask("LOCAL_READ(p)", uri), "é");
    assert_eq!(place.ask("LOCAL_RM(p)", place.path("in/new")), "false");
    assert_eq!(place.ask("LOCAL_RM(p, true)", place.path("in/new")), "true");
    assert_eq!(place.ask("LOCAL_RM(p)", place.path("in/new")), "true");
    assert!(!place.path("in/new").exists());
}

#[test]
fn lines_end_as_in_java() {
    let place = Place::new();
    let file = place.path("in/lines");
    for (text, count, lines) in [
        ("", 0, "[]"),
        ("a", 1, "[a]"),
        ("a\n", 1, "[a]"),
        ("\n", 1, "[]"),
        ("\r\n\r", 2, "[, ]"),
        ("a\r\nb\rc\n\nd", 5, "[a, b, c, , d]"),
    ] {
        fs::write(&file, text).unwrap();
        assert_eq!(place.ask("LOCAL_READ_LINES(p)", &file), lines, "{text:?}");
        let found = place.ask("LENGTH(LOCAL_READ_LINES(p))", &file);
        assert_eq!(found, count.to_string(), "{text:?}");
    }
    fs::write(&file, b"a\xff\xfeb\n").unwrap();
    assert_eq!(place.ask("LOCAL_READ(p)", &file), "a\u{fffd}\u{fffd}b\n");
}

#[test]
fn what_is_not_there_gives_what_metron_gives() {
    let place = Place::new();
    let missing = place.path("in/missing");
    assert_eq!(place.ask("LOCAL_READ(p)", &missing), "null");
    assert_eq!(place.ask("LOCAL_READ_LINES(p)", &missing), "null");
    assert_eq!(place.ask("LOCAL_RM(p)", &missing), "true");
    assert!(place.ask("LOCAL_LS(p)", &missing).contains("(empty)"));
    assert_eq!(place.ask("LOCAL_READ(p)", place.path("in")), "null");
    assert_eq!(place.ask("LOCAL_WRITE('x', p)", place.path("in")), "false");
    assert!(place.ask("OBJECT_GET(p)", &missing).starts_with("E0403"));
    for call in [
        "LOCAL_READ(5)",
        "LOCAL_WRITE(5, p)",
        "LOCAL_WRITE('x', 5)",
        "LOCAL_RM([])",
        "LOCAL_LS({})",
        "LOCAL_RM(p, 'x')",
    ] {
        let found = place.ask(call, &missing);
        assert!(found.starts_with("E0203"), "{call}: {found}");
    }
    for path in ["", "a\0b"] {
        for call in CALLS {
            let found = place.ask(call, path);
            assert!(found.starts_with("E0204"), "{call} {path:?}: {found}");
        }
    }
}

#[test]
fn nothing_outside_is_reached() {
    let place = Place::new();
    symlink(place.path("out"), place.path("in/folder")).unwrap();
    symlink(place.path("out/secret"), place.path("in/file")).unwrap();
    symlink(place.path("out/none"), place.path("in/dangling")).unwrap();
    symlink("../out/secret", place.path("in/relative")).unwrap();
    symlink("loop", place.path("in/loop")).unwrap();
    let outside = [
        place.path("out/secret"),
        place.path("in/../out/secret"),
        place.path("in/folder/secret"),
        place.path("in/folder/../out/secret"),
        place.path("in/nowhere/../../out/secret"),
        place.path("in/folder/new/file"),
        PathBuf::from("../out/secret"),
        PathBuf::from("/etc/passwd"),
        PathBuf::from("/proc/self/environ"),
        PathBuf::from("/"),
    ];
    for path in &outside {
        for call in CALLS {
            let found = place.ask(call, path);
            assert!(found.starts_with("E0217"), "{call} {path:?}: {found}");
            assert!(found.contains("functions.files"), "{found}");
        }
    }
    // Links to files: what they lead to is meant, except where they are removed themselves.
    for link in ["in/file", "in/relative", "in/folder"] {
        for call in CALLS.iter().filter(|call| !call.starts_with("LOCAL_RM")) {
            let found = place.ask(call, place.path(link));
            assert!(found.starts_with("E0217"), "{call} {link}: {found}");
        }
    }
    assert!(
        place
            .ask("LOCAL_WRITE('x', p)", place.path("in/dangling"))
            .starts_with("E0217")
    );
    assert!(!place.path("out/none").exists());
    assert_eq!(place.ask("LOCAL_READ(p)", place.path("in/loop")), "null");
    assert_eq!(
        place.ask("LOCAL_RM(p, true)", place.path("in/folder")),
        "true"
    );
    assert_eq!(
        fs::read_to_string(place.path("out/secret")).unwrap(),
        "secret"
    );
    // A folder whose name begins alike is another one.
    fs::create_dir(place.path("inner")).unwrap();
    assert!(
        place
            .ask("LOCAL_LS(p)", place.path("inner"))
            .starts_with("E0217")
    );
    assert!(
        place
            .ask("LOCAL_RM(p, true)", place.path("in"))
            .starts_with("E0204")
    );
    assert!(place.path("in").exists());
}

/// Somebody puts a link in the place of a folder and takes it away again, as quickly as possible.
#[test]
fn a_race_is_not_won() {
    let place = Place::new();
    fs::create_dir(place.path("in/folder")).unwrap();
    fs::write(place.path("in/folder/secret"), "harmless").unwrap();
    let done = std::sync::atomic::AtomicBool::new(false);
    let order = std::sync::atomic::Ordering::Relaxed;
    let engine = place.engine(&["in"]);
    let path = place.path("in/folder/secret");
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let (folder, aside, link) = (
                place.path("in/folder"),
                place.path("in/aside"),
                place.path("in/link"),
            );
            symlink(place.path("out"), &link).unwrap();
            // Writing makes the folder anew when it finds none, so that moving can fail.
            while !done.load(order) {
                let _ = fs::rename(&folder, &aside);
                let _ = fs::rename(&link, &folder);
                let _ = fs::rename(&folder, &link);
                if fs::rename(&aside, &folder).is_err() {
                    let _ = fs::remove_dir_all(&folder);
                }
            }
        });
        let mut read = 0;
        for _ in 0..500 {
            let found = ask(&engine, "LOCAL_READ(p)", path.to_str().unwrap());
            assert_ne!(found, "secret");
            read += usize::from(found == "harmless");
            ask(
                &engine,
                "LOCAL_WRITE('harmless', p)",
                path.to_str().unwrap(),
            );
        }
        done.store(true, order);
        assert!(read > 0);
    });
    assert_eq!(
        fs::read_to_string(place.path("out/secret")).unwrap(),
        "secret"
    );
}

#[test]
fn a_link_inside_may_be_followed() {
    let place = Place::new();
    fs::write(place.path("in/real"), "text").unwrap();
    symlink("real", place.path("in/link")).unwrap();
    symlink(place.path("in/real"), place.path("in/absolute")).unwrap();
    for link in ["in/link", "in/absolute"] {
        assert_eq!(place.ask("LOCAL_READ(p)", place.path(link)), "text");
        assert_eq!(place.ask("LOCAL_RM(p)", place.path(link)), "true");
    }
    assert!(place.path("in/real").exists());
}

#[test]
fn a_file_alone_can_be_allowed_and_nothing_without_the_key() {
    let place = Place::new();
    fs::write(place.path("in/a"), "1").unwrap();
    fs::write(place.path("in/b"), "2").unwrap();
    let engine = place.engine(&["missing", "in/a"]);
    let path = |way: &str| place.path(way).to_str().unwrap().to_string();
    assert_eq!(ask(&engine, "LOCAL_READ(p)", &path("in/a")), "1");
    assert!(ask(&engine, "LOCAL_READ(p)", &path("in/b")).starts_with("E0217"));
    for engine in [place.engine(&[]), Engine::bare()] {
        for call in CALLS {
            let found = ask(&engine, call, &path("in/a"));
            assert!(
                found.starts_with("E0217") && found.contains("functions.files"),
                "{found}"
            );
        }
    }
}

#[test]
fn pipes_and_devices_are_refused_at_once() {
    let place = Place::new();
    let made = std::process::Command::new("mkfifo")
        .arg(place.path("in/pipe"))
        .status();
    assert!(made.unwrap().success());
    for call in [
        "LOCAL_READ(p)",
        "LOCAL_READ_LINES(p)",
        "LOCAL_WRITE('x', p)",
        "OBJECT_GET(p)",
    ] {
        let found = place.ask(call, place.path("in/pipe"));
        assert!(found.starts_with("E0204"), "{call}: {found}");
    }
    let mut config = Config::default();
    config.functions.files = vec!["/dev".into()];
    let around = Surroundings {
        home: Some(place.path("in")),
        ..Surroundings::default()
    };
    let engine = Engine::new(config, &around, &Overrides::default()).unwrap();
    for device in ["/dev/zero", "/dev/null"] {
        for call in ["LOCAL_READ(p)", "LOCAL_WRITE('x', p)"] {
            let found = ask(&engine, call, device);
            assert!(found.starts_with("E0204"), "{call} {device}: {found}");
        }
    }
}

#[test]
fn large_files_are_refused() {
    let place = Place::new();
    let file = place.path("in/large");
    // Without blocks on the disk.
    fs::File::create(&file).unwrap().set_len(1 << 40).unwrap();
    for call in ["LOCAL_READ(p)", "LOCAL_READ_LINES(p)"] {
        let found = place.ask(call, &file);
        assert!(found.starts_with("E0303"), "{call}: {found}");
    }
    let found = place.ask("OBJECT_GET(p)", &file);
    assert!(
        found.starts_with("E0204") && found.contains("object.cache.max.file.size"),
        "{found}"
    );
    fs::write(&file, "x\n".repeat(50)).unwrap();
    let mut engine = place.engine(&["in"]);
    engine.context.limits.collection = 49;
    let found = ask(&engine, "LOCAL_READ_LINES(p)", file.to_str().unwrap());
    assert!(found.starts_with("E0304"), "{found}");
}

#[test]
fn a_folder_is_listed_by_time_and_name() {
    let place = Place::new();
    fs::create_dir(place.path("in/sub")).unwrap();
    for (name, seconds) in [
        ("b.txt", 1_484_245_000),
        ("a.txt", 1_484_245_000),
        ("old é", 1_000),
    ] {
        let file = place.path("in/sub").join(name);
        fs::write(&file, "12345").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds);
        fs::File::options()
            .write(true)
            .open(&file)
            .unwrap()
            .set_modified(time)
            .unwrap();
    }
    let table = place.ask("LOCAL_LS(p)", place.path("in/sub"));
    let rows: Vec<Vec<&str>> = table
        .lines()
        .filter(|line| line.starts_with('║'))
        .map(|line| line.trim_matches('║').split('│').map(str::trim).collect())
        .collect();
    assert_eq!(
        rows[0],
        [
            "PERMISSION",
            "OWNER",
            "GROUP",
            "SIZE",
            "LAST MOD TIME",
            "NAME"
        ]
    );
    let names: Vec<&str> = rows[1..].iter().map(|row| row[5]).collect();
    assert_eq!(names, ["old é", "a.txt", "b.txt"]);
    assert_eq!((rows[2][0], rows[2][3]), ("rw-r-----", "5"));
    assert_eq!(rows[1][4], "Jan 1, 1970, 12:16:40 AM");
    assert_eq!(rows[2][4], "Jan 12, 2017, 6:16:40 PM");
    // A file is listed alone, the home folder without an argument.
    assert_eq!(
        place
            .ask("LOCAL_LS(p)", place.path("in/sub/a.txt"))
            .matches("a.txt")
            .count(),
        1
    );
    assert!(place.ask("LOCAL_LS()", "").contains("│ sub "));
    for (mode, text) in [
        (0o644, "rw-r--r--"),
        (0o1777, "rwxrwxrwt"),
        (0o1770, "rwxrwx--T"),
        (0, "---------"),
    ] {
        assert_eq!(permission(mode), text);
    }
}

#[test]
fn objects_are_read_once_and_kept() {
    let place = Place::new();
    let file = place.path("in/assets.json");
    let path = file.to_str().unwrap();
    fs::write(&file, r#"{"10.0.0.1": {"owner": "bob"}, "n": 5}"#).unwrap();
    let engine = place.engine(&["in"]);
    let get = "ENRICHMENT_OBJECT_GET(p, '10.0.0.1')";
    assert_eq!(ask(&engine, get, path), "{owner=bob}");
    assert_eq!(
        ask(&engine, "OBJECT_GET(p)", path),
        "{10.0.0.1={owner=bob}, n=5}"
    );
    // A change of the value is no change of what is kept.
    assert_eq!(
        ask(
            &engine,
            "MAP_PUT('owner', 'eve', ENRICHMENT_OBJECT_GET(p, '10.0.0.1'))",
            path
        ),
        "{owner=eve}"
    );
    fs::write(&file, "{}").unwrap();
    assert_eq!(ask(&engine, get, path), "{owner=bob}");
    assert_eq!(
        ask(&engine, "ENRICHMENT_OBJECT_GET(p, 'none')", path),
        "null"
    );
    assert_eq!(ask(&engine, "ENRICHMENT_OBJECT_GET(p, null)", path), "null");
    // The settings of the one function change nothing for the other.
    let own = Value::Map(crate::eval::collections::Map::of_texts([(
        "object.cache.expiration",
        Value::Int(0),
    )]));
    engine
        .context
        .globals
        .write()
        .insert("enrichment.object.get.settings".into(), own);
    assert_eq!(ask(&engine, get, path), "null");
    assert_eq!(
        ask(&engine, "OBJECT_GET(p)", path),
        "{10.0.0.1={owner=bob}, n=5}"
    );
    engine
        .context
        .globals
        .write()
        .insert("object.cache.expiration.minutes".into(), Value::Int(0));
    assert_eq!(ask(&engine, "OBJECT_GET(p)", path), "{}");
    for (key, value) in [
        ("object.cache.size", "many"),
        ("object.cache.expiration.minutes", "-1"),
    ] {
        engine
            .context
            .globals
            .write()
            .insert(key.into(), value.into());
        let found = ask(&engine, "OBJECT_GET(p)", path);
        assert!(found.starts_with("E0204") && found.contains(key), "{found}");
        engine.context.globals.write().shift_remove(key);
    }
    engine
        .context
        .globals
        .write()
        .insert("object.cache.time.unit".into(), "WEEKS".into());
    assert!(ask(&engine, "OBJECT_GET(p)", path).contains("object.cache.time.unit"));
}

#[test]
fn as_many_objects_are_kept_as_allowed() {
    let place = Place::new();
    let engine = place.engine(&["in"]);
    engine
        .context
        .globals
        .write()
        .insert("object.cache.size".into(), Value::Int(2));
    let path = |i: usize| place.path(&format!("in/{i}")).to_str().unwrap().to_string();
    for i in 0..4 {
        fs::write(path(i), "1").unwrap();
        assert_eq!(ask(&engine, "OBJECT_GET(p)", &path(i)), "1");
        fs::write(path(i), "2").unwrap();
    }
    let found: Vec<String> = (0..4)
        .rev()
        .map(|i| ask(&engine, "OBJECT_GET(p)", &path(i)))
        .collect();
    assert_eq!(found, ["1", "1", "2", "2"]);
}

#[test]
fn objects_that_are_none_are_named() {
    let place = Place::new();
    let file = place.path("in/object");
    for (bytes, whole, entry) in [
        (&b""[..], "null", "E0216"),
        (b"[1, 2]", "[1, 2]", "E0216"),
        (b"\"text\"", "text", "E0216"),
        (b"{\"x\": 1} rest", "E0216", "E0216"),
        (b"\x01\x00java.util.HashMap", "E0216", "E0216"),
        (b"\xff\xfe", "E0216", "E0216"),
        (&[b'['; 100_000], "E0216", "E0216"),
    ] {
        fs::write(&file, bytes).unwrap();
        let found = place.ask("OBJECT_GET(p)", &file);
        assert!(found.starts_with(whole), "{found}");
        let found = place.ask("ENRICHMENT_OBJECT_GET(p, 'x')", &file);
        assert!(found.starts_with(entry), "{found}");
    }
}
