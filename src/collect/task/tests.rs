#![allow(clippy::unwrap_used, clippy::panic)]
use super::*;
use crate::collect::key::{Field, Kind};
use crate::diagnostic::Code;
use crate::engine::Engine;
use crate::eval::Context;
use crate::input::{Column, Columns};
use serde_json::{Value as Json, json};

fn bare() -> Context {
    Engine::bare().context
}

fn request(params: Json) -> Json {
    json!({
        "query": "from logins select *",
        "destination": {"type": "redis", "params": params},
    })
}

fn params() -> Json {
    json!({"friendlyName": "redis-001", "expireIn": 300, "keyFields": ["domain", "username"]})
}

fn read(json: &Json) -> Result<Request, Denied> {
    Request::read(json, &bare())
}

fn refused(json: &Json) -> String {
    let denied = read(json).unwrap_err();
    assert_eq!(denied.number, Number::Invalid);
    denied.fault.message.clone()
}

#[test]
fn every_move_of_every_status() {
    // Rows are statuses, columns moves: begin, complete, fail, lose, regain, pause, stop, start, remove.
    let table = "
        CREATED      RUNNING - STOPPED - - PAUSED STOPPED - CREATED
        RUNNING      RUNNING COMPLETED STOPPED RECONNECTING RUNNING PAUSED STOPPED - RUNNING
        COMPLETED    - - - - - - - - COMPLETED
        STOPPED      - - - - - - - CREATED STOPPED
        RECONNECTING RUNNING COMPLETED STOPPED RECONNECTING RUNNING PAUSED STOPPED - RECONNECTING
        PAUSED       RUNNING - - - - PAUSED STOPPED CREATED PAUSED";
    let rows: Vec<&str> = table.lines().skip(1).collect();
    assert_eq!(rows.len(), STATUSES.len());
    for (row, status) in rows.iter().zip(STATUSES) {
        let words: Vec<&str> = row.split_whitespace().collect();
        assert_eq!(words[0], status.word());
        assert_eq!(Status::named(words[0]), Some(status));
        assert_eq!(words.len(), MOVES.len() + 1);
        for (word, made) in words[1..].iter().zip(MOVES) {
            let after = status.after(made).map_or("-", Status::word);
            assert_eq!(after, *word, "{status:?} {made:?}");
        }
    }
}

#[test]
fn the_request_of_the_manual_is_read() {
    let request = json!({
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
                "keyFields": [{"name": "domain", "type": "str"}, {"name": "username", "type": "str"}],
                "valueFields": [{"name": "domain", "type": "str"}, {"name": "username", "type": "str"}],
            },
        },
    });
    let read = read(&request).unwrap();
    assert!(read.dated);
    let text = |name: &str| Field::new(name, Kind::Text);
    let fields = vec![text("domain"), text("username")];
    assert_eq!(
        read.definition,
        Definition {
            destination: Destination::Redis,
            name: "redis-rresino-154q".into(),
            description: "description of task".into(),
            expire_in: 30000,
            keys: fields.clone(),
            values: fields,
        }
    );
    // What is kept is read again as it was.
    let kept = read.definition.json();
    let again = Definition::read(Destination::Redis, kept.as_object().unwrap()).unwrap();
    assert_eq!(again, read.definition);
}

#[test]
fn errors_name_the_parameter() {
    let with = |name: &str, value: Json| {
        let mut params = params();
        params[name] = value;
        refused(&request(params))
    };
    let without = |name: &str| {
        let mut params = params();
        params.as_object_mut().unwrap().remove(name);
        refused(&request(params))
    };
    assert_eq!(without("friendlyName"), "friendlyName is missing");
    assert_eq!(with("friendlyName", Json::Null), "friendlyName is missing");
    assert_eq!(with("friendlyName", json!(" ")), "friendlyName is empty");
    assert_eq!(
        with("friendlyName", json!(7)),
        "friendlyName must be a text, not a number"
    );
    assert_eq!(
        with("friendlyName", json!("a\nb")),
        "friendlyName holds a control character"
    );
    assert_eq!(
        with("description", json!("é".repeat(241))),
        "description has 241 characters, at most 240 are allowed"
    );
    assert_eq!(without("expireIn"), "expireIn is missing");
    assert_eq!(
        with("expireIn", json!("300")),
        "expireIn must be a whole number of seconds, not a text"
    );
    assert_eq!(
        with("expireIn", json!(1.5)),
        "expireIn must be a whole number of seconds, not 1.5"
    );
    assert_eq!(
        with("expireIn", json!(0)),
        "expireIn must be at least 1 second, not 0"
    );
    assert!(with("expireIn", json!(i64::MAX)).starts_with("expireIn is at most "));
    assert_eq!(without("keyFields"), "keyFields is missing");
    assert_eq!(with("keyFields", json!([])), "keyFields is empty");
    assert_eq!(
        with("keyFields", json!("domain")),
        "keyFields must be a list of columns, not a text"
    );
    assert_eq!(
        with("keyFields", json!(["a", 5])),
        "keyFields[1] must be the name of a column, or an object with its name and type, not a number"
    );
    assert_eq!(
        with("keyFields", json!(["a", "a"])),
        "keyFields names a twice"
    );
    assert_eq!(
        with("valueFields", json!([{"type": "str"}])),
        "valueFields[0] has no name"
    );
    assert_eq!(
        with("valueFields", json!([{"name": "a", "type": "strr"}])),
        "valueFields[0].type: there is no type strr"
    );
    assert_eq!(
        with("valueFields", json!([{"name": "a", "kind": "str"}])),
        "valueFields[0] has an unknown part kind"
    );
    assert_eq!(
        with("expiresIn", json!(5)),
        "there is no parameter expiresIn"
    );
}

#[test]
fn a_description_counts_characters() {
    let mut all = params();
    all["description"] = json!("é".repeat(240));
    assert!(read(&request(all)).is_ok());
}

#[test]
fn errors_name_the_part_of_the_request() {
    let all = request(params());
    let with = |name: &str, value: Json| {
        let mut request = all.clone();
        request[name] = value;
        refused(&request)
    };
    assert_eq!(
        refused(&json!([])),
        "the request must be an object, not a list"
    );
    assert_eq!(with("query", Json::Null), "query is missing");
    assert_eq!(with("query", json!("  ")), "query is empty");
    assert_eq!(
        with("queryId", json!("x")),
        "query and queryId exclude each other"
    );
    assert_eq!(with("from", json!("soon")), "from: \"soon\" is no time");
    assert_eq!(with("to", json!({})), "to must be a time, not an object");
    assert_eq!(
        with("limit", json!(-1)),
        "limit must be a whole number from 0 on, not a number"
    );
    assert_eq!(with("destination", Json::Null), "destination is missing");
    assert_eq!(
        with("destination", json!({})),
        "destination.type is missing"
    );
    assert_eq!(
        with("destination", json!({"type": "email", "params": {}})),
        "destination.type: there is no destination email"
    );
    assert_eq!(
        with("destination", json!({"type": "redis"})),
        "destination.params is missing"
    );
    let saved = json!({"queryId": "logins", "destination": all["destination"]});
    assert_eq!(refused(&saved), "queryId: there is no saved query logins");
    let mut limited = all.clone();
    limited["offset"] = json!(2);
    limited["limit"] = json!(10);
    assert_eq!(
        read(&limited).unwrap().query,
        "from logins select * offset 2 limit 10"
    );
}

#[test]
fn fields_are_columns_of_the_result() {
    let columns = |names: &[&str]| {
        let kinds = |name: &&str| Column::new(name, if *name == "n" { "int8" } else { "str" });
        Columns::Fixed(names.iter().map(kinds).collect())
    };
    let mut definition = read(&request(params())).unwrap().definition;
    let denied = definition
        .check(&columns(&["domain", "username"]))
        .unwrap_err();
    assert!(denied.fault.message.contains("no column eventdate"));
    let help = denied.fault.help.clone().unwrap();
    assert!(help.contains("select *"), "{help}");
    let denied = definition
        .check(&columns(&["eventdate", "domain", "user_name"]))
        .unwrap_err();
    assert_eq!(
        denied.fault.message,
        "keyFields: the result has no column \"username\""
    );
    assert_eq!(
        denied.fault.help.as_deref(),
        Some("did you mean user_name?")
    );
    definition.values = vec![Field::new("n", Kind::Any)];
    definition
        .check(&columns(&["eventdate", "domain", "username", "n"]))
        .unwrap();
    assert_eq!(definition.values, [Field::new("n", Kind::Whole)]);
    assert_eq!(definition.keys[0], Field::new("domain", Kind::Text));
    definition.check(&Columns::Open).unwrap();
}

#[test]
fn a_task_looks_as_the_manual_shows_it() {
    let text = |name: &str| Field::new(name, Kind::Text);
    let task = Task {
        id: "8e10f496-27bc-4c47-9113-653aff8d0edd".to_owned(),
        domain: "self".into(),
        owner: "".into(),
        query: "from siem.logtrust.web.activityAll group every 5m by domain, username every 5m"
            .to_owned(),
        query_id: None,
        definition: Definition {
            destination: Destination::Redis,
            name: "redis-001".into(),
            description: "descripcion de la tarea que vamos a iniciar de redis".to_owned(),
            expire_in: 300,
            keys: vec![text("domain"), text("username")],
            values: Vec::new(),
        },
        status: Status::Running,
        round: 1,
        created: 0,
        origin: 0,
        last: Some(1_515_398_134_810),
        read: 0,
        kept: 0,
        errors: Vec::new(),
        store: "".into(),
    };
    let shown = task.json();
    let manual = json!({
        "status": "RUNNING",
        "id": "8e10f496-27bc-4c47-9113-653aff8d0edd",
        "lastDatetime": 1_515_398_134_810_i64,
        "extra": {
            "redisKeyBase": "self#affa6b69ce8e06a43b6cc4e206798326",
            "keyFields": [{"name": "domain", "type": "str"}, {"name": "username", "type": "str"}],
            "description": "descripcion de la tarea que vamos a iniciar de redis",
            "expireIn": 300
        },
        "type": "redis",
        "friendlyName": "redis-001",
        "query": "from siem.logtrust.web.activityAll group every 5m by domain, username every 5m",
        "error": []
    });
    for (name, value) in manual.as_object().unwrap() {
        assert_eq!(shown[name], *value, "{name}");
    }
}

#[test]
fn denials_have_the_numbers_of_the_manual() {
    let numbers = [
        (Number::Invalid, 1),
        (Number::NotFound, 100),
        (Number::Status, 101),
        (Number::Remove, 102),
        (Number::Stop, 103),
        (Number::Restart, 104),
        (Number::NotRunning, 108),
    ];
    for (number, value) in numbers {
        assert_eq!(number as i32, value);
    }
    assert_eq!(Denied::unknown("x").fault.code, Code::BadTask);
}

#[test]
fn what_keeps_nothing_can_be_kept_itself() {
    let params = json!({"friendlyName": "devo-sdk-test"});
    let made = Definition::read(Destination::DoNothing, params.as_object().unwrap()).unwrap();
    let kept = made.json();
    let read = Definition::read(Destination::DoNothing, kept.as_object().unwrap()).unwrap();
    assert_eq!(read, made);
}
