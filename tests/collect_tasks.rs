//! Tasks that keep collections filled, as users see them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use serde_json::{Value as Json, json};
use std::io::Write;
use std::time::{Duration, Instant, SystemTime};
use support::{Home, Talk};

/// What the manual of Devo sends, word for word.
const REQUEST: &str = r#"{
  "query": "from siem.logtrust.web.activity select * limit 10",
  "from": "yesterday()",
  "to": "now()",
  "mode": {"type": "json"},
  "destination": {
    "type": "redis",
    "params": {
      "friendlyName": "redis-rresino-154q",
      "description": "description of task",
      "expireIn": 30000,
      "keyFields": [
        {"name": "domain", "type": "str"},
        {"name": "username", "type": "str"}
      ],
      "valueFields": [
        {"name": "domain", "type": "str"},
        {"name": "username", "type": "str"}
      ]
    }
  }
}"#;

/// Now, in milliseconds since 1970.
fn now() -> i64 {
    let time = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    i64::try_from(time.unwrap().as_millis()).unwrap()
}

/// Logins of the last minutes, the oldest first.
fn logins(count: i64) -> String {
    let from = now() - 600_000;
    let line = |n: i64| {
        let (domain, user) = (format!("d{}", n % 3), format!("u{}", n % 20));
        let line = json!({"eventdate": from + n * 10, "domain": domain, "username": user, "n": n});
        format!("{line}\n")
    };
    (0..count).map(line).collect()
}

fn home(count: i64) -> Home {
    let home = Home::new();
    home.write("logins.jsonl", logins(count));
    home.write("live.jsonl", logins(count));
    home.write(
        "stellar.toml",
        "[store]\npath = \"stellar.db\"\n\
         [sources.\"siem.logtrust.web.activity\"]\nfiles = \"logins.jsonl\"\n\
         [sources.live]\nfiles = \"live.jsonl\"\nfollow = true\nlag = \"0s\"\n",
    );
    home
}

fn task(home: &Home, file: &str, name: &str, query: &str) {
    let params = json!({"friendlyName": name, "expireIn": 3600, "keyFields": ["username"], "valueFields": ["n"]});
    let task = json!({"query": query, "destination": {"type": "redis", "params": params}});
    home.write(file, task.to_string());
}

fn show(home: &Home, name: &str) -> Json {
    let ran = home.run(&["collect", "show", name], "").ended(0);
    serde_json::from_str(ran.out()).unwrap()
}

/// Waits until a task looks as wanted.
#[track_caller]
fn until(home: &Home, name: &str, wanted: impl Fn(&Json) -> bool) -> Json {
    let began = Instant::now();
    loop {
        let ran = home.run(&["collect", "show", name], "");
        let task = serde_json::from_str(ran.out()).unwrap_or(Json::Null);
        if wanted(&task) {
            return task;
        }
        assert!(began.elapsed() < Duration::from_secs(90), "{task}");
        std::thread::sleep(Duration::from_millis(30));
    }
}

fn is(status: &str) -> impl Fn(&Json) -> bool {
    move |task| task["status"] == status
}

/// A task at work, as soon as it has said what it is called.
fn started(home: &Home, arguments: &[&str]) -> (Talk, String) {
    let talk = home.talk(arguments);
    let answer: Json = serde_json::from_str(&talk.hear()).unwrap();
    (talk, answer["id"].as_str().unwrap().to_owned())
}

fn add(home: &Home, text: &str) {
    let file = std::fs::OpenOptions::new()
        .append(true)
        .open(home.path("live.jsonl"));
    file.unwrap().write_all(text.as_bytes()).unwrap();
}

#[test]
fn the_request_of_the_manual() {
    let home = home(100);
    home.write("task.json", REQUEST);
    let ran = home.run(&["collect", "run", "task.json"], "").ended(0);
    let answer = &ran.json()[0];
    let base = answer["redisKeyBase"].as_str().unwrap();
    assert!(base.starts_with("self#") && base.len() == 37, "{base}");
    assert!(ran.err.contains("from and to are replaced"), "{}", ran.err);
    assert!(
        ran.err.contains("COMPLETED: 10 rows, 10 entries stored"),
        "{}",
        ran.err
    );
    let shown = show(&home, "redis-rresino-154q");
    assert_eq!(shown["id"], answer["id"]);
    assert_eq!(shown["status"], "COMPLETED");
    assert_eq!(shown["type"], "redis");
    assert_eq!(shown["error"], json!([]));
    assert_eq!(
        shown["extra"],
        json!({
            "redisKeyBase": base,
            "keyFields": [{"name": "domain", "type": "str"}, {"name": "username", "type": "str"}],
            "description": "description of task",
            "expireIn": 30000,
            "valueFields": [{"name": "domain", "type": "str"}, {"name": "username", "type": "str"}],
        })
    );
    assert!(shown["lastDatetime"].as_i64().unwrap() > now() - 3_600_000);
    // The name is taken now, also by the same request, as the task is done.
    let again = home.run(&["collect", "run", "task.json"], "").ended(1);
    assert!(
        again.err.contains("E0411") && again.err.contains("friendlyName"),
        "{}",
        again.err
    );
    let refused = home
        .run(&["collect", "start", "redis-rresino-154q"], "")
        .ended(1);
    assert!(refused.err.contains("is COMPLETED"), "{}", refused.err);
    let refused = home
        .run(&["collect", "stop", "redis-rresino-154q"], "")
        .ended(1);
    assert!(refused.err.contains("does not run"), "{}", refused.err);
    home.run(&["collect", "remove", "redis-rresino-154q"], "")
        .ended(0);
    let gone = home
        .run(&["collect", "show", "redis-rresino-154q"], "")
        .ended(1);
    assert!(
        gone.err.contains("there is no collection task"),
        "{}",
        gone.err
    );
}

#[test]
fn what_follows_is_stopped_started_and_removed_from_elsewhere() {
    let home = home(100);
    task(&home, "task.json", "live", "from live select *");
    let (mut talk, id) = started(&home, &["collect", "run", "task.json"]);
    until(&home, "live", |task| {
        task["eventsSent"] == 100 && is("RUNNING")(task)
    });
    // Nobody else runs it.
    let other = home.run(&["collect", "start", &id], "").ended(1);
    assert!(other.err.contains("is RUNNING"), "{}", other.err);
    home.run(&["collect", "run", "task.json"], "").ended(1);
    let late = json!({"eventdate": now(), "username": "late", "n": 1}).to_string() + "\n";
    add(&home, &late);
    let before = until(&home, "live", |task| task["eventsSent"] == 101);
    home.run(&["collect", "stop", "live"], "").ended(0);
    assert_eq!(talk.end().0, Some(0));
    assert_eq!(show(&home, "live")["status"], "STOPPED");
    // It goes on from its last event: what came before is not written again.
    add(&home, &late.replace("late", "later"));
    let (mut talk, again) = started(&home, &["collect", "start", "live"]);
    assert_eq!(again, id);
    let after = until(&home, "live", |task| {
        task["eventGenerated"].as_i64() > before["eventGenerated"].as_i64() && is("RUNNING")(task)
    });
    assert!(after["eventGenerated"].as_i64().unwrap() < 150, "{after}");
    // Ctrl-C pauses.
    talk.interrupt();
    assert_eq!(talk.end().0, Some(0));
    assert_eq!(show(&home, "live")["status"], "PAUSED");
    let (mut talk, _) = started(&home, &["collect", "run", "task.json"]);
    until(&home, "live", is("RUNNING"));
    home.run(&["collect", "remove", "live"], "").ended(0);
    assert_eq!(talk.end().0, Some(0));
    home.run(&["collect", "show", "live"], "").ended(1);
}

#[test]
fn a_limit_ends_what_follows() {
    let home = home(3);
    task(&home, "task.json", "five", "from live select * limit 5");
    let (mut talk, _) = started(&home, &["collect", "run", "task.json"]);
    until(&home, "five", |task| task["eventsSent"] == 3);
    add(&home, &logins(4));
    assert_eq!(talk.end().0, Some(0));
    let task = show(&home, "five");
    assert_eq!(
        (&task["status"], &task["eventGenerated"]),
        (&json!("COMPLETED"), &json!(5))
    );
}

#[test]
fn scripts_wait_for_what_ends_and_pause_what_does_not() {
    let home = home(2000);
    let params = |name: &str| {
        format!(
            "{{'friendlyName': '{name}', 'expireIn': 3600, 'keyFields': ['username', 'domain']}}"
        )
    };
    let source = "siem.logtrust.web.activity";
    let script = format!(
        "REDIS_COLLECT('from {source} select *', {})\nREDIS_COLLECT('from live select *', {})\n\
         COLLECTION_HAS('follows', 'nobody', 'd9')\n",
        params("ends"),
        params("follows"),
    );
    let ran = home.run(&[], &script).ended(0);
    // The collection is known as soon as its task is made.
    assert_eq!(ran.lines()[2..], ["false"]);
    assert!(
        ran.err.contains("the collection task follows is paused"),
        "{}",
        ran.err
    );
    assert_eq!(show(&home, "ends")["status"], "COMPLETED");
    assert_eq!(show(&home, "follows")["status"], "PAUSED");
    // With wait the end has come when the next statement begins.
    let script = format!(
        "t := REDIS_COLLECT('from {source} where n < 7 select eventdate, username, domain', {}, {{'wait': true}})\n\
         MAP_GET('status', COLLECTION_TASK(MAP_GET('id', t)))\n\
         MAP_GET('eventGenerated', COLLECTION_TASK('waits'))\n\
         MAP(COLLECTION_TASKS(), x -> MAP_GET('friendlyName', x))\n",
        params("waits"),
    );
    let ran = home.run(&[], &script).ended(0);
    let lines = ran.lines();
    assert_eq!(lines[1..], ["COMPLETED", "7", "[ends, follows, waits]"]);
    let rows = home
        .run(
            &[
                "query",
                "from system.internal.serrea.task.redis where status == 'COMPLETED' select friendlyName, expireIn",
            ],
            "",
        )
        .ended(0);
    assert_eq!(
        rows.json(),
        [
            json!({"friendlyName": "ends", "expireIn": 3600}),
            json!({"friendlyName": "waits", "expireIn": 3600})
        ]
    );
}

#[test]
fn errors_of_tasks_are_told() {
    let home = home(10);
    let collect = |query: &str, keys: &str| {
        let text = format!(
            "REDIS_COLLECT('{query}', {{'friendlyName': 'x', 'expireIn': 60, 'keyFields': {keys}}})"
        );
        let ran = home.run(&["eval", &text], "").ended(1);
        ran.err
    };
    let source = "siem.logtrust.web.activity";
    let text = collect(&format!("from {source} select username"), "['username']");
    assert!(text.contains("no column eventdate"), "{text}");
    let text = collect(
        &format!("from {source} select eventdate, username"),
        "['user_name']",
    );
    assert!(
        text.contains("keyFields: the result has no column")
            && text.contains("did you mean username?"),
        "{text}"
    );
    let text = collect("from siem.logtrust.web.activityy select *", "['username']");
    assert!(text.contains("E0410"), "{text}");
    assert!(
        home.run(&["collect", "list"], "")
            .ended(0)
            .lines()
            .is_empty()
    );
    // A column that may be there: the task says that it never was.
    task(
        &home,
        "task.json",
        "odd",
        &format!("from {source} select *"),
    );
    let text = std::fs::read_to_string(home.path("task.json")).unwrap();
    home.write("task.json", text.replace("\"username\"", "\"user_name\""));
    let ran = home.run(&["collect", "run", "task.json"], "").ended(1);
    assert!(
        ran.err
            .contains("keyFields: no row has had a value of user_name"),
        "{}",
        ran.err
    );
    // An error while it runs stops it.
    task(&home, "task.json", "gone", "from missing select *");
    let toml = std::fs::read_to_string(home.path("stellar.toml")).unwrap();
    home.write(
        "stellar.toml",
        format!("{toml}[sources.missing]\nfiles = \"none.jsonl\"\n"),
    );
    let ran = home.run(&["collect", "run", "task.json"], "").ended(1);
    assert!(
        ran.err.contains("has stopped") && ran.err.contains("none.jsonl"),
        "{}",
        ran.err
    );
    let task = show(&home, "gone");
    assert_eq!(task["status"], "STOPPED");
    let error = task["error"][0].as_str().unwrap();
    assert!(error.contains("none.jsonl"), "{error}");
    let text = "REDIS_COLLECT('from missing select *', {'friendlyName': 'y', 'expireIn': 60, 'keyFields': ['a'], 'wait': true})";
    let ran = home.run(&["eval", text], "").ended(1);
    assert!(
        ran.err.contains("E0411") && ran.err.contains("none.jsonl"),
        "{}",
        ran.err
    );
}

#[test]
fn saved_queries_are_named() {
    let home = home(10);
    let query = "from siem.logtrust.web.activity where n < 4 select *";
    home.run(&["query", "save", "few", query], "").ended(0);
    task(&home, "task.json", "by-name", "");
    let text = std::fs::read_to_string(home.path("task.json")).unwrap();
    home.write(
        "task.json",
        text.replace("\"query\":\"\"", "\"queryId\":\"few\""),
    );
    home.run(&["collect", "run", "task.json"], "").ended(0);
    let task = show(&home, "by-name");
    assert_eq!(
        (&task["query"], &task["queryId"]),
        (&json!(query), &json!("few"))
    );
    assert_eq!(task["eventGenerated"], 4);
    home.write(
        "task.json",
        text.replace("\"query\":\"\"", "\"queryId\":\"fewer\""),
    );
    let ran = home.run(&["collect", "run", "task.json"], "").ended(1);
    assert!(
        ran.err.contains("queryId: there is no saved query fewer"),
        "{}",
        ran.err
    );
}
