//! Devo's own client in Python against `stellar serve`, over TLS: queries, tasks, and the calls about them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use serde_json::{Value as Json, json};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};
use support::{Home, Talk};

fn main() {
    support::live::run(
        "STELLAR_TEST_DEVO",
        &[
            ("rows_come_in_every_form", rows_come_in_every_form),
            ("refusals_are_understood", refusals_are_understood),
            ("a_task_is_driven_to_its_end", a_task_is_driven_to_its_end),
            ("tasks_that_keep_nothing", tasks_that_keep_nothing),
        ],
    );
}

/// A server with a certificate, and the client.
struct Both {
    home: Home,
    _server: Talk,
    client: Child,
    say: ChildStdin,
    hear: BufReader<ChildStdout>,
}

impl Both {
    fn start(command: &str) -> Both {
        Both::start_with(command, "")
    }

    /// With more settings of the source.
    fn start_with(command: &str, source: &str) -> Both {
        let home = Home::new();
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed(names).unwrap();
        home.write("cert.pem", cert.pem());
        home.write("key.pem", signing_key.serialize_pem());
        let config = "[serve]\ntls_cert = \"cert.pem\"\ntls_key = \"key.pem\"\ntokens = [\"all the rights\"]\n\
             jwt_secret = \"what tokens are signed with\"\n\
             [serve.keys.analyst]\nkey = \"myapikey\"\nsecret = \"myapisecret\"\n\
             [serve.keys.other]\nkey = \"otherkey\"\nsecret = \"othersecret\"\ndomain = \"other\"\n";
        let source = format!(
            "[sources.\"siem.logtrust.web.activity\"]\nfiles = \"activity.jsonl\"\n{source}"
        );
        home.write("stellar.toml", source + config);
        let now = now();
        let rows = (0..100).map(|n| {
            let row = json!({
                "eventdate": now - 1000 * (100 - n), "domain": format!("d{}", n % 3),
                "username": format!("u{}", n % 10), "level": "INFO", "srcPort": 40_000 + n,
            });
            format!("{row}\n")
        });
        home.write("activity.jsonl", rows.collect::<String>());
        let server = home.talk(&["serve", "--listen", "127.0.0.1:0"]);
        let line = server.hear();
        let address = line.strip_prefix("listening at https://").unwrap();
        let mut client = Command::new(command)
            .arg(address.trim_end_matches('/'))
            .arg(home.path("cert.pem"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        Both {
            home,
            _server: server,
            say: client.stdin.take().unwrap(),
            hear: BufReader::new(client.stdout.take().unwrap()),
            client,
        }
    }

    /// What the client gives or raises for a call.
    fn call(&mut self, mut asked: Json) -> Json {
        if asked["auth"].is_null() {
            asked["auth"] = json!({"key": "myapikey", "secret": "myapisecret"});
        }
        writeln!(self.say, "{asked}").unwrap();
        let mut line = String::new();
        self.hear.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("{asked}: {line:?}"))
    }

    #[track_caller]
    fn gave(&mut self, asked: Json) -> Json {
        let answer = self.call(asked.clone());
        assert!(answer["raised"].is_null(), "{asked}: {answer}");
        answer["gave"].clone()
    }

    /// Waits until a task has a status.
    #[track_caller]
    fn until(&mut self, id: &str, status: &str) -> Json {
        let patience = Instant::now() + Duration::from_secs(120);
        loop {
            let job = self.gave(json!({"call": "get_job", "id": id}));
            assert_eq!(job["status"], 0, "{job}");
            if job["object"]["status"] == status {
                return job["object"].clone();
            }
            assert!(Instant::now() < patience, "{job}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Both {
    fn drop(&mut self) {
        let _ = self.client.kill();
        let _ = self.client.wait();
    }
}

fn now() -> i64 {
    let since = std::time::UNIX_EPOCH.elapsed().unwrap();
    i64::try_from(since.as_millis()).unwrap()
}

const ALL: &str = "from siem.logtrust.web.activity select eventdate, level, srcPort";

fn rows_come_in_every_form(command: &str) {
    let mut both = Both::start(command);
    let rows = |form: &str, processor: &str, stream: bool| {
        json!({
            "call": "query", "query": ALL, "dates": {"from": "now()-hour()", "to": "now()"},
            "response": form, "processor": processor, "stream": stream, "limit": 2, "offset": 1,
        })
    };
    let json = both.gave(rows("json", "json", false));
    assert_eq!((&json["msg"], &json["status"]), (&json!(""), &json!(0)));
    assert_eq!(json["object"][0]["srcPort"], 40_001);
    assert_eq!(json["object"].as_array().unwrap().len(), 2);
    let arrays = both.gave(rows("json/compact", "jsoncompact_to_array", false));
    assert_eq!(
        (&arrays[1][1], &arrays[1][2]),
        (&json!("INFO"), &json!(40_002))
    );
    let lines = both.gave(rows("json/simple", "json_simple", true));
    assert_eq!(lines[0], json["object"][0]);
    let arrays = both.gave(rows(
        "json/simple/compact",
        "jsoncompactsimple_to_array",
        true,
    ));
    assert_eq!(arrays[0][2], 40_001);
    let objects = both.gave(rows(
        "json/simple/compact",
        "jsoncompactsimple_to_obj",
        true,
    ));
    assert_eq!(objects[1], json["object"][1]);
    let lines = both.gave(rows("csv", "default", true));
    assert_eq!(lines[0], "eventdate,level,srcPort");
    assert!(
        lines[2].as_str().unwrap().ends_with(",INFO,40002"),
        "{lines}"
    );
    let text = both.gave(rows("tsv", "default", false));
    assert!(
        text.as_str()
            .unwrap()
            .starts_with("eventdate\tlevel\tsrcPort\n")
    );
    // What the client asks for by itself: the last hour, line by line.
    let asked = json!({
        "call": "query", "query": format!("{ALL} limit 3"), "response": "json/simple/compact", "stream": true,
        "processor": "jsoncompactsimple_to_array",
    });
    assert_eq!(both.gave(asked).as_array().unwrap().len(), 3);
    // A row in the middle that cannot be written ends the answer with its reason.
    let late = "from siem.logtrust.web.activity select *";
    both.home.write("activity.jsonl", {
        let row = |n: i64, more: &str| format!("{{\"eventdate\":{},\"n\":{n}{more}}}\n", now());
        (0..3000).map(|n| row(n, "")).collect::<String>() + &row(1, ",\"late\":1")
    });
    let asked = json!({
        "call": "query", "query": late, "response": "json/simple/compact", "stream": true,
        "processor": "jsoncompactsimple_to_array",
    });
    let answer = both.call(asked);
    assert_eq!(
        answer["raised"], "DevoClientDataResponseException",
        "{answer}"
    );
    assert!(
        answer["message"].as_str().unwrap().contains("'late'"),
        "{answer}"
    );
    assert_eq!(answer["code"], 400);
}

fn refusals_are_understood(command: &str) {
    let mut both = Both::start(command);
    let auth =
        |auth: Json| json!({"call": "query", "query": format!("{ALL} limit 1"), "auth": auth});
    both.gave(auth(json!({"token": "all the rights"})));
    for (wrong, status) in [
        (json!({"key": "myapikey", "secret": "other"}), 401),
        (json!({"key": "other", "secret": "myapisecret"}), 401),
        (json!({"token": "other"}), 401),
        (json!({"jwt": "eyJhbGciOiJub25lIn0.e30."}), 401),
    ] {
        let answer = both.call(auth(wrong.clone()));
        assert_eq!(
            answer["raised"], "DevoClientRequestException",
            "{wrong}: {answer}"
        );
        assert_eq!(answer["status"], status, "{wrong}: {answer}");
    }
    let answer = both.call(json!({"call": "query", "query": "from nothing select *"}));
    assert_eq!(answer["message"], "there is no source nothing");
    assert_eq!(
        (&answer["status"], &answer["code"]),
        (&json!(400), &json!("E0410"))
    );
}

/// The request of the public example, through the client.
fn destination(name: &str, kind: &str) -> Json {
    match kind {
        "redis" => json!({"type": "redis", "params": {
            "friendlyName": name, "description": "description of task", "expireIn": 30_000,
            "keyFields": [{"name": "domain", "type": "str"}, {"name": "username", "type": "str"}],
            "valueFields": [{"name": "domain", "type": "str"}, {"name": "username", "type": "str"}],
        }}),
        _ => json!({"type": kind, "params": {"friendlyName": name}}),
    }
}

fn a_task_is_driven_to_its_end(command: &str) {
    let mut both = Both::start(command);
    let make = |limit: &str| {
        json!({
            "call": "query", "query": format!("from siem.logtrust.web.activity select *{limit}"),
            "dates": {"from": "yesterday()", "to": "now()"}, "response": "json", "processor": "json",
            "destination": destination("redis-001", "redis"),
        })
    };
    let made = both.gave(make(""));
    assert_eq!(made["status"], 0, "{made}");
    let base = "self#affa6b69ce8e06a43b6cc4e206798326";
    assert_eq!(made["object"]["redisKeyBase"], base);
    let id = made["object"]["id"].as_str().unwrap().to_owned();
    // A file that nobody follows has an end.
    let task = both.until(&id, "COMPLETED");
    assert_eq!(task["extra"]["redisKeyBase"], base);
    assert_eq!(
        (&task["type"], &task["error"]),
        (&json!("redis"), &json!([]))
    );
    assert_eq!(
        (&task["eventGenerated"], &task["eventsSent"]),
        (&json!(100), &json!(100))
    );
    assert!(task["lastDatetime"].is_i64(), "{task}");
    let again = both.call(make(""));
    assert_eq!(again["status"], 400, "{again}");
    assert!(
        again["message"].as_str().unwrap().contains("redis-001"),
        "{again}"
    );
    let jobs = both.gave(json!({"call": "jobs"}));
    assert_eq!(jobs["object"].as_array().unwrap().len(), 1, "{jobs}");
    let foreign = json!({"key": "otherkey", "secret": "othersecret"});
    let jobs = both.gave(json!({"call": "jobs", "auth": foreign}));
    assert_eq!(jobs["object"], json!([]));
    let hidden = both.gave(json!({"call": "get_job", "id": id, "auth": foreign}));
    assert_eq!(hidden["status"], 100, "{hidden}");
    let stopped = both.gave(json!({"call": "stop_job", "id": id}));
    assert_eq!(stopped["status"], 108, "{stopped}");
    let removed = both.gave(json!({"call": "remove_job", "id": id}));
    assert_eq!(removed["object"]["status"], "REMOVED", "{removed}");
    let gone = both.gave(json!({"call": "start_job", "id": id}));
    assert_eq!(gone["status"], 100, "{gone}");
}

fn tasks_that_keep_nothing(command: &str) {
    // Followed, so that it runs until it is stopped.
    let mut both = Both::start_with(command, "follow = true\n");
    let made = both.gave(json!({
        "call": "query", "query": "from siem.logtrust.web.activity select *", "response": "json",
        "processor": "json", "destination": destination("devo-sdk-test", "donothing"),
    }));
    let id = made["object"]["id"].as_str().unwrap().to_owned();
    both.until(&id, "RUNNING");
    let stopped = both.gave(json!({"call": "stop_job", "id": id}));
    assert_eq!(stopped["object"]["status"], "STOPPED", "{stopped}");
    let started = both.gave(json!({"call": "start_job", "id": id}));
    assert_eq!(started["object"]["status"], "RUNNING", "{started}");
    let running = both.gave(json!({"call": "start_job", "id": id}));
    assert_eq!(running["status"], 101, "{running}");
    let removed = both.gave(json!({"call": "remove_job", "id": id}));
    assert_eq!(removed["object"]["status"], "REMOVED", "{removed}");
}
