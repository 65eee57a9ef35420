//! REDIS_COLLECT, COLLECTION_TASKS and COLLECTION_TASK.

use super::source::tasks;
use super::{Definition, Denied, Destination, Given, Number, Request, Status, Task};
use crate::collect::query::Saved;
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome};
use crate::eval::collections::{List, Map};
use crate::eval::{Call, Notes, Value, json};
use crate::functions::spec::{
    Family, FunctionSpec, Kind, SPEC, example, fails, optional, required,
};
use serde_json::{Value as Json, json};

/// The functions of this file.
pub const FUNCTIONS: &[FunctionSpec] = &[REDIS_COLLECT, COLLECTION_TASKS, COLLECTION_TASK];

/// What can go wrong in every function.
const UNREACHABLE: &str = "the embedded file cannot be used";

const REDIS_COLLECT: FunctionSpec = FunctionSpec {
    name: "REDIS_COLLECT",
    guarded: true,
    family: Family::Collected,
    summary: "Keeps a collection filled with the results of a query, or with events.",
    details: "It makes a task, gives its identifier at once, and works in the background. The task begins at now less expireIn; \
        where the rows come for ever (a followed file, a growing table), it goes on until it is stopped. Parameters: friendlyName (the name of the collection, each \
        once), expireIn (seconds that an entry lives after its eventdate), keyFields (the columns that make the key), and if wanted \
        description (at most 240 characters) and valueFields (columns that are kept beside the date). Fields are names, or maps with \
        name and type. The result must have eventdate: select it, or write select *. {'wait': true} among the parameters or as third \
        argument waits until a task that has an end is done. What goes wrong later stands in COLLECTION_TASK(id). Leaving the shell or \
        a script pauses a task that goes on for ever and waits for others; stellar serve goes on with it.",
    parameters: &[
        required(
            "query",
            Kind::Any,
            "the query: from SOURCE …, or the name of a saved one; or a list of events, which are maps with eventdate in milliseconds or as ISO text",
        ),
        required("params", Kind::Map, "the parameters of the collection"),
        optional("options", Kind::Map, "{'wait': true} waits for the end"),
    ],
    returns: "a map with id, the identifier of the task, and redisKeyBase, with which all its keys begin",
    errors: &[
        "a parameter is missing or wrong, a column does not exist, or the name is taken",
        "the query cannot be read, or its result has no eventdate",
        "with wait: what has stopped the task",
        UNREACHABLE,
    ],
    examples: &[
        example(
            "MAP_GET('redisKeyBase', REDIS_COLLECT([{'eventdate': 1769504400000L, 'user': 'ada', 'ip': '192.0.2.7'}], \
             {'friendlyName': 'redis-001', 'expireIn': 86400, 'keyFields': ['user'], 'valueFields': ['ip'], 'wait': true}))",
            "self#affa6b69ce8e06a43b6cc4e206798326",
        ),
        example(
            "MAP_EXISTS('id', REDIS_COLLECT([{'eventdate': '2026-01-27T09:00:00Z', 'user': 'bob'}], \
             {'friendlyName': 'users', 'expireIn': 3600, 'keyFields': ['user']}, {'wait': true}))",
            "true",
        ),
        fails(
            "REDIS_COLLECT('from nowhere select *', {'friendlyName': 'n', 'expireIn': 60, 'keyFields': ['user']})",
            "E0410",
        ),
        fails(
            "REDIS_COLLECT([{'eventdate': 0, 'user': 'ada'}], {'friendlyName': 'n', 'expireIn': 60})",
            "E0411",
        ),
        fails(
            "REDIS_COLLECT([{'user': 'ada'}], {'friendlyName': 'n', 'expireIn': 60, 'keyFields': ['user']})",
            "E0411",
        ),
        fails("REDIS_COLLECT(7, {})", "E0203"),
    ],
    see: &["COLLECTION_TASK", "COLLECTION_TASKS"],
    words: &[
        "Redis",
        "Devo",
        "cchas",
        "ccget",
        "LINQ",
        "destination",
        "lookup",
        "watchlist",
    ],
    pure: false,
    run: collect,
    ..SPEC
};

const COLLECTION_TASKS: FunctionSpec = FunctionSpec {
    name: "COLLECTION_TASKS",
    family: Family::Collected,
    summary: "Lists the tasks that keep collections filled.",
    details: "The tasks of the domain of [collect], in the order in which they were made.",
    parameters: &[],
    returns: "a list of maps, each as COLLECTION_TASK gives it",
    errors: &[UNREACHABLE],
    examples: &[
        example("COLLECTION_TASKS()", "[]"),
        example(
            "MAP(COLLECTION_TASKS(), t -> MAP_GET('friendlyName', t))",
            "[]",
        ),
    ],
    see: &["COLLECTION_TASK", "REDIS_COLLECT"],
    words: &["jobs", "status", "background"],
    pure: false,
    run: list,
    ..SPEC
};

const COLLECTION_TASK: FunctionSpec = FunctionSpec {
    name: "COLLECTION_TASK",
    family: Family::Collected,
    summary: "Tells what a task that keeps a collection filled is doing.",
    details: "status is CREATED, RUNNING, COMPLETED (all rows have come), STOPPED (by somebody, or by an error), RECONNECTING (what it \
        reads or writes is away) or PAUSED (the program that ran it has ended). lastDatetime is the date of its latest row in \
        milliseconds, error lists what went wrong, extra holds redisKeyBase, keyFields, expireIn and description.",
    parameters: &[required(
        "id",
        Kind::Text,
        "its identifier, or its friendlyName",
    )],
    returns: "a map; null when there is no such task",
    errors: &["the identifier is no string", UNREACHABLE],
    examples: &[
        example(
            "MAP_GET('status', COLLECTION_TASK(MAP_GET('id', REDIS_COLLECT([{'eventdate': 0, 'user': 'ada'}], {'friendlyName': 'old', \
             'expireIn': 60, 'keyFields': ['user'], 'wait': true}))))",
            "COMPLETED",
        ),
        example("MAP_GET('lastDatetime', COLLECTION_TASK('old'))", "0"),
        example("COLLECTION_TASK('none')", "null"),
        fails("COLLECTION_TASK(5)", "E0203"),
    ],
    see: &["COLLECTION_TASKS", "REDIS_COLLECT"],
    words: &["job", "background", "running"],
    pure: false,
    run: show,
    ..SPEC
};

/// A fault of a task as one of the call.
fn faulty(call: &Call<'_, '_>, denied: Denied, argument: usize) -> Fault {
    let mut fault = denied.fault;
    if fault.code == Code::BadTask {
        fault.message = format!("{}: {}", call.name, fault.message);
        return fault.of_argument(argument);
    }
    fault
}

fn collect(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let events = match call.arg(0) {
        Value::Text(_) => None,
        Value::List(list) => Some(events(call, list)?),
        _ => return Err(call.wrong_type(0, "a query or a list of events")),
    };
    let Value::Map(params) = call.arg(1) else {
        return Err(call.wrong_type(1, "a map of parameters"));
    };
    let Json::Object(mut params) = json::to_json(&Value::Map(params.clone()))? else {
        return Err(call.wrong_type(1, "a map of parameters"));
    };
    let mut waits = wait(call, 1, params.remove("wait"))?;
    match call.arg(2) {
        Value::Null => {}
        options @ Value::Map(_) => {
            let Json::Object(mut options) = json::to_json(options)? else {
                return Err(call.wrong_type(2, "a map of options"));
            };
            waits |= wait(call, 2, options.remove("wait"))?;
            if let Some(other) = options.keys().next() {
                return Err(call
                    .wrong_value(2, format!("there is no option {other}"))
                    .help("there is wait"));
            }
        }
        _ => return Err(call.wrong_type(2, "a map of options")),
    }
    let context = call.context();
    let (tasks, who) = tasks(context)?;
    let created = match events {
        Some(events) => Definition::read(Destination::Redis, &params)
            .and_then(|definition| tasks.make(Given::Events(events, definition), &who, context)),
        None => {
            let text = call.arg(0).as_text().unwrap_or_default();
            let mut request = match Saved::is_name(text) {
                true => json!({ "queryId": text }),
                false => json!({ "query": text }),
            };
            for name in ["from", "to", "offset", "limit"] {
                if let Some(value) = params.remove(name) {
                    request[name] = value;
                }
            }
            request["destination"] = json!({ "type": "redis", "params": params });
            Request::read(&request, context)
                .and_then(|request| tasks.make(Given::Query(request), &who, context))
        }
    };
    let created = created.map_err(|denied| faulty(call, denied, 1))?;
    let notes = context.services.get::<Notes>();
    let say = |text: &str| {
        if let Some(notes) = notes.as_ref().filter(|_| !text.is_empty()) {
            notes.say(format!("{}: {text}", call.name));
        }
    };
    say(&created.message);
    if waits && created.endless {
        say("the rows come for ever, so the end is not waited for");
    } else if waits {
        tasks
            .wait(&created.id, call.deadline().into(), &context.cancel)
            .map_err(|fault| fault.note("the task goes on"))?;
        let task = tasks.get(&created.id, &who, context);
        if let Some(fault) = task.ok().and_then(|task| failure(&task)) {
            return Err(fault);
        }
    }
    json::from_json(&created.json(), context.limits.depth)
}

/// Why a task has stopped by itself.
fn failure(task: &Task) -> Option<Fault> {
    let why = task.errors.last()?;
    let message = format!(
        "the collection task {} has stopped: {why}",
        task.definition.name
    );
    (task.status == Status::Stopped).then(|| Diagnostic::new(Code::BadTask, message))
}

fn wait(call: &Call<'_, '_>, index: usize, value: Option<Json>) -> Outcome<bool> {
    match value {
        None | Some(Json::Null) => Ok(false),
        Some(Json::Bool(wait)) => Ok(wait),
        Some(other) => Err(call.wrong_value(index, format!("wait is true or false, not {other}"))),
    }
}

fn events(call: &Call<'_, '_>, list: &List) -> Outcome<Vec<Map>> {
    let mut events = Vec::new();
    for item in list.items() {
        call.step()?;
        let Value::Map(event) = &item else {
            let fault = call.wrong_type(0, "a list of events");
            return Err(fault.note(format!("it holds {}", item.kind_in_words())));
        };
        // Nobody changes it while the task works.
        let entries = event.entries().into_iter().collect();
        events.push(Map::new(
            crate::eval::collections::MapKind::Ordered,
            entries,
        ));
    }
    Ok(events)
}

fn value(call: &Call<'_, '_>, task: &Task) -> Outcome<Value> {
    json::from_json(&task.json(), call.context().limits.depth)
}

fn list(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let (tasks, who) = tasks(call.context())?;
    let all = tasks.list(&who, call.context())?;
    let values = all.iter().map(|task| value(call, task));
    Ok(Value::List(List::array(values.collect::<Outcome<_>>()?)))
}

fn show(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let Value::Text(id) = call.arg(0) else {
        return Err(call.wrong_type(0, "a string"));
    };
    let (tasks, who) = tasks(call.context())?;
    match tasks.get(id, &who, call.context()) {
        Ok(task) => value(call, &task),
        Err(denied) if denied.number == Number::NotFound => Ok(Value::Null),
        Err(denied) => Err(faulty(call, denied, 0)),
    }
}
