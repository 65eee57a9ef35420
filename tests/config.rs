//! The configuration: which file counts, what overrides what, what the errors look like.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use stellar::config::{Config, Options, Surroundings};
use stellar::diagnostic::{Code, plain};

fn around(folder: &Path) -> Surroundings {
    Surroundings {
        config_home: Some(folder.join("xdg")),
        home: Some(folder.join("home")),
        folder: folder.to_path_buf(),
        ..Surroundings::of_process()
    }
}

fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    path
}

/// Loads a `stellar.toml` with this text, and overrides.
fn load(text: &str, set: &[&str]) -> Result<Config, Box<stellar::diagnostic::Diagnostic>> {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "t.toml", text);
    let options = Options {
        config: Some("t.toml".into()),
        set: set.iter().map(|s| s.to_string()).collect(),
        ..Options::default()
    };
    Config::load(&options, &around(folder.path()))
}

#[test]
fn first_file_found_is_used_alone() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let domain = |n: u8| format!("[collect]\ndomain = \"d{n}\"\n");
    let mut surroundings = Surroundings {
        named: None,
        ..around(folder)
    };
    let used = |surroundings: &Surroundings, options: &Options| {
        let config = Config::load(options, surroundings).unwrap();
        (
            config.collect.domain.clone(),
            config.run.tz.clone(),
            config.notes().len(),
        )
    };
    let none = Options::default();
    assert_eq!(used(&surroundings, &none), ("self".to_string(), None, 0));

    let xdg = write(
        folder,
        "xdg/stellar/stellar.toml",
        &(domain(1) + "[run]\ntz = \"UTC\"\n"),
    );
    assert_eq!(
        used(&surroundings, &none),
        ("d1".to_string(), Some("UTC".to_string()), 0)
    );
    assert_eq!(
        Config::load(&none, &surroundings).unwrap().origin(),
        Some(xdg.as_path())
    );
    surroundings.config_home = None;
    write(folder, "home/.config/stellar/stellar.toml", &domain(2));
    assert_eq!(used(&surroundings, &none).0, "d2");

    write(folder, "stellar.toml", &domain(3));
    assert_eq!(used(&surroundings, &none), ("d3".to_string(), None, 0));
    // Another user's file in the working folder is passed over, and that is told.
    let mine = surroundings.user;
    surroundings.user = mine.map(|n| n + 1);
    assert_eq!(used(&surroundings, &none), ("d2".to_string(), None, 1));
    surroundings.user = mine;

    surroundings.named = Some(folder.join("gone.toml"));
    assert_eq!(used(&surroundings, &none), ("d3".to_string(), None, 1));
    surroundings.named = Some(write(folder, "named.toml", &domain(4)));
    assert_eq!(used(&surroundings, &none), ("d4".to_string(), None, 0));

    let given = Options {
        config: Some(write(folder, "given.toml", &domain(5))),
        ..Options::default()
    };
    assert_eq!(used(&surroundings, &given).0, "d5");
    let gone = Options {
        config: Some("gone.toml".into()),
        ..Options::default()
    };
    assert_eq!(
        Config::load(&gone, &surroundings).unwrap_err().code,
        Code::CannotRead
    );
}

#[test]
fn every_section_is_read() {
    let config = load(
        r#"
[store]
path = "data/s.db"
event = "postgres://user@127.0.0.1/mentat"
[run]
tz = "Europe/Prague"
locale = "cs_CZ"
[limits]
expression = "128KiB"
depth = 10
time = "10s"
string = 1_000
[functions]
network = true
files = ["in", "/abs", "~/x", "${HOME}/y"]
[shell]
startup = "x := 1"
[serve]
listen = "0.0.0.0:1"
tokens = ["${A_TOKEN}"]
[models]
anything = "goes"
[globals]
"profiler.client.period.duration" = 15
b = [1, 2.5, true, "x", 2020-01-02]
c = { d = { e = 1 } }
a = "${PW}"
"#,
        &[],
    )
    .unwrap();
    let folder = config
        .store
        .path
        .as_ref()
        .unwrap()
        .parent()
        .unwrap()
        .parent()
        .unwrap();
    assert!(folder.is_absolute());
    assert_eq!(
        config.store.event.as_ref().unwrap().raw(),
        "postgres://user@127.0.0.1/mentat"
    );
    assert_eq!(config.limits.expression, 131072);
    assert_eq!((config.limits.depth, config.limits.string), (10, 1000));
    assert_eq!(config.limits.time, Duration::from_secs(10));
    assert_eq!(config.limits.line, 16 << 20);
    let expected: Vec<PathBuf> = vec![
        folder.join("in"),
        "/abs".into(),
        "~/x".into(),
        "${HOME}/y".into(),
    ];
    assert_eq!(config.functions.files, expected);
    assert_eq!(config.shell.startup, ["x := 1"]);
    assert_eq!(config.models["anything"].raw(), "goes");
    assert_eq!(
        serde_json::to_string(&config.globals).unwrap(),
        r#"{"profiler.client.period.duration":15,"b":[1,2.5,true,"x","2020-01-02"],"c":{"d":{"e":1}},"a":"${PW}"}"#
    );
}

#[test]
fn overrides_come_last_and_in_order() {
    let config = load(
        "[limits]\ndepth = 1\nsteps = 2\n[globals]\na = {b = 1, c = 2}\n",
        &[
            "limits.depth=5",
            "limits.depth = 6",
            "limits.time=10s",
            "run.tz=Europe/Prague",
            "store.path=rel/s.db",
            "functions.files=[\"a\", \"b\"]",
            "globals.\"profiler.client.period.duration\"=30",
            "globals.a.b={x = 1}",
            "globals.text=no = toml",
            "globals.comment=1 # one",
            "globals.quoted=\"30\"",
            "globals.empty=",
            "globals.list=[1,\n2]",
            "models.\"a=b\"=m",
        ],
    )
    .unwrap();
    assert_eq!((config.limits.depth, config.limits.steps), (6, 2));
    assert_eq!(config.limits.time, Duration::from_secs(10));
    assert_eq!(config.run.tz.as_deref(), Some("Europe/Prague"));
    assert_eq!(config.store.path, Some(PathBuf::from("rel/s.db")));
    assert_eq!(
        config.functions.files,
        [PathBuf::from("a"), PathBuf::from("b")]
    );
    assert_eq!(config.models["a=b"].raw(), "m");
    assert_eq!(
        serde_json::to_string(&config.globals).unwrap(),
        r##"{"a":{"b":{"x":1},"c":2},"profiler.client.period.duration":30,"text":"no = toml","comment":"1 # one","quoted":"30","empty":"","list":[1,2]}"##
    );
    let origin = |key: &str| {
        config
            .describe()
            .into_iter()
            .find(|d| d.key == key)
            .unwrap()
            .origin
    };
    assert_eq!(origin("limits.depth"), "--set");
    assert_eq!(origin("limits.steps"), "t.toml:3");
    assert_eq!(origin("limits.line"), "default");
    assert_eq!(
        origin("globals.\"profiler.client.period.duration\""),
        "--set"
    );

    for (set, code) in [
        ("limits.depth", Code::Usage),
        ("=1", Code::Usage),
        ("a b=1", Code::Usage),
        ("limits=1", Code::Configuration),
        ("limits.depth=ten", Code::Configuration),
        ("limits.dept=1", Code::UnknownKey),
        ("globals=1", Code::Configuration),
        ("depth=1", Code::UnknownKey),
    ] {
        assert_eq!(load("", &[set]).unwrap_err().code, code, "{set}");
    }
}

#[test]
fn unquoted_profiler_keys_are_noticed() {
    let config = load("[globals]\nprofiler.client.period.duration = 5\n", &[]).unwrap();
    assert!(
        config.notes()[0].contains("in quotes"),
        "{:?}",
        config.notes()
    );
}

#[test]
fn metron_globals() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write(
        folder,
        "stellar.toml",
        "[globals]\n\"profiler.client.period.duration\" = 1\nkept = 1\n",
    );
    let load = |name: &str, text: &str| {
        let options = Options {
            globals: Some(write(folder, name, text)),
            set: vec!["globals.last=1".into()],
            ..Options::default()
        };
        Config::load(&options, &around(folder))
    };
    let config = load(
        "profiler.properties",
        "# Profiler\nprofiler.period.duration=20\nprofiler.period.duration.units=SECONDS\n\
         profiler.hbase.salt.divisor = 10\nprofiler.hbase.table: t\nprofiler.hbase.column.family f\n",
    )
    .unwrap();
    assert_eq!(
        serde_json::to_string_pretty(&config.globals).unwrap(),
        r#"{
  "profiler.client.period.duration": "20",
  "kept": 1,
  "profiler.period.duration": "20",
  "profiler.period.duration.units": "SECONDS",
  "profiler.hbase.salt.divisor": "10",
  "profiler.hbase.table": "t",
  "profiler.hbase.column.family": "f",
  "profiler.client.period.duration.units": "SECONDS",
  "profiler.client.salt.divisor": "10",
  "profiler.client.hbase.table": "t",
  "profiler.client.hbase.column.family": "f",
  "last": 1
}"#
    );
    let config = load(
        "global.json",
        r#"{"profiler.period.duration": 3, "x": {"y": [1e3, null]}}"#,
    )
    .unwrap();
    assert_eq!(config.globals["profiler.client.period.duration"], 3);
    assert_eq!(config.globals["x"].to_string(), r#"{"y":[1e+3,null]}"#);
    let both = r#"{"profiler.period.duration": 3, "profiler.client.period.duration": 4}"#;
    let config = load("global.json", both).unwrap();
    assert_eq!(config.globals["profiler.client.period.duration"], 4);
    assert_eq!(config.notes().len(), 1);

    assert_eq!(
        load("global.json", "[1]").unwrap_err().code,
        Code::Configuration
    );
    let fault = load("global.json", "{\"a\": 1,\n \"password\": \"hunter2\" 7}").unwrap_err();
    let name = folder.join("global.json").display().to_string();
    assert_eq!(
        plain(&fault).replace(&name, "global.json"),
        r#"
error[E0501]: this is not JSON: expected `,` or `}`
 --> global.json:2:24
  |
2 |  "password": "*******" *}
  |                        ^"#
            .trim_start()
    );
}

#[test]
fn golden_errors() {
    for (text, expected) in [
        (
            "[limits]\nsteps = 5\ndeph = 3\n",
            r#"
error[E0502]: unknown configuration key limits.deph
 --> t.toml:3:1
  |
3 | deph = 3
  | ^^^^ no such key
  |
  = help: did you mean limits.depth?"#,
        ),
        (
            "[store]\ndomain = 'x'\n",
            r#"
error[E0502]: unknown configuration key store.domain
 --> t.toml:2:1
  |
2 | domain = 'x'
  | ^^^^^^ no such key
  |
  = note: known keys: path, profile, collection, event, rule
  = help: did you mean collect.domain?"#,
        ),
        (
            "[limit]\ndepth = 3\n",
            r#"
error[E0502]: unknown configuration key limit
 --> t.toml:1:2
  |
1 | [limit]
  |  ^^^^^ no such key
  |
  = help: did you mean limits?"#,
        ),
        (
            "[limits]\ndepth = \"three\"\n",
            r#"
error[E0501]: limits.depth wants a whole number
 --> t.toml:2:9
  |
2 | depth = "three"
  |         ^^^^^^^ this is a text"#,
        ),
        (
            "[limits]\nline = \"3 apples\"\n",
            r#"
error[E0501]: limits.line cannot have this value
 --> t.toml:2:8
  |
2 | line = "3 apples"
  |        ^^^^^^^^^^ "apples" is no unit of size: use B, KiB, MiB, GiB, KB, MB or GB"#,
        ),
        (
            "[serve]\ntokens = [\"hunter2\", 5]\n",
            r#"
error[E0501]: serve.tokens wants a list of texts
 --> t.toml:2:10
  |
2 | tokens = ["*******", *]
  |          ^^^^^^^^^^^^^^ not every element is a text"#,
        ),
        (
            "[store]\nevent = postgres://me:hunter2@host/db\n",
            r#"
error[E0501]: this is not TOML: string values must be quoted, expected literal string
 --> t.toml:2:9
  |
2 | event = postgres://me:*******@host/db
  |         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^"#,
        ),
    ] {
        assert_eq!(plain(&load(text, &[]).unwrap_err()), expected.trim_start());
    }
    assert_eq!(
        plain(&load("", &["limits.dept=3"]).unwrap_err()),
        r#"
error[E0502]: unknown configuration key limits.dept
 --> --set:1:8
  |
1 | limits.dept=3
  |        ^^^^ no such key
  |
  = help: did you mean limits.depth?"#
            .trim_start()
    );
}

#[test]
fn secrets_never_show() {
    let config = load(
        r#"
[store]
profile = "hbase://me:hunter2@host"
event = "postgres://me:${PW}@host/db"
[shell]
startup = ["REST_GET('http://me:hunter2@host/?token=hunter2')"]
[serve]
tokens = ["hunter2", "${TOKEN}"]
[models]
api_key = "hunter2"
name = "small"
[globals]
"stellar.rest.password" = "hunter2"
proxy = {address = "http://u:hunter2@h", credentials = {user = "hunter2", list = ["hunter2"]}}
pin_key = 7654321
plain = "seen ${X}"
"#,
        &["serve.tls_key=/etc/key.pem"],
    )
    .unwrap();
    let shown = format!(
        "{config:?} {:?} {:?} {:#?}",
        config.describe(),
        config.store,
        config.serve
    );
    assert!(
        !shown.contains("hunter2") && !shown.contains("7654321"),
        "{shown}"
    );
    for part in [
        "postgres://me:${PW}@host/db",
        "${TOKEN}",
        "small",
        "seen ${X}",
        "/etc/key.pem",
    ] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    for text in [
        "[serve]\ntokens = [\"hunter2\"\n",
        "[serve]\ntokens = hunter2\n",
        "[serve]\ntoken = \"hunter2\"\n",
        "[store]\nevents = \"postgres://me:hunter2@h\"\n",
        "[globals]\npassword = \"hunter2\" x\n",
        "[globals]\npassword = hunter2\n",
        "password = \"hunter2\"\n",
        "[serve]\ntokens = [\n  [\"hunter2\"],\n]\n",
        "[serve]\ntokens = \"\"\"hunter2",
    ] {
        let fault = load(text, &[]).unwrap_err();
        let all = format!("{fault} {fault:?} {}", stellar::diagnostic::json(&fault));
        assert!(!all.contains("hunter2"), "{all}");
    }
    for set in [
        "serve.token=hunter2",
        "serve.tokens=[7, \"hunter2\"]",
        "a b=hunter2",
    ] {
        let all = format!("{:?}", load("", &[set]).unwrap_err());
        assert!(!all.contains("hunter2"), "{all}");
    }
}

#[test]
fn the_place_of_the_embedded_file() {
    let folder = tempfile::tempdir().unwrap();
    let at = |text: &str, surroundings: &Surroundings| {
        let set = vec![format!("store.path={text}")];
        Config::load(
            &Options {
                set,
                ..Options::default()
            },
            surroundings,
        )
        .unwrap()
        .store_path(surroundings)
    };
    let mut surroundings = Surroundings {
        data_home: None,
        ..around(folder.path())
    };
    let home = folder.path().join("home");
    assert_eq!(
        Config::default().store_path(&surroundings).unwrap(),
        home.join(".local/share/stellar/stellar.db")
    );
    assert_eq!(at("~/s.db", &surroundings).unwrap(), home.join("s.db"));
    assert_eq!(
        at("${STELLAR_NO_SUCH}/s.db", &surroundings)
            .unwrap_err()
            .code,
        Code::Secret
    );
    surroundings.data_home = Some("/data".into());
    assert_eq!(
        Config::default().store_path(&surroundings).unwrap(),
        PathBuf::from("/data/stellar/stellar.db")
    );
    surroundings.data_home = None;
    surroundings.home = None;
    assert_eq!(
        Config::default()
            .store_path(&surroundings)
            .unwrap_err()
            .code,
        Code::StoreOpen
    );
}
