//! Models that answer requests: where they are, and what they have said.

use super::settings::Settings;
use super::{ask, content, object, parse_url, service};
use crate::config::{Secretive, mask_text, resolve};
use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::eval::collections::{Map, MapKind};
use crate::eval::text::{to_text, to_text_within};
use crate::eval::{Call, Value};
use crate::functions::spec::{
    Family, FunctionSpec, Kind, SPEC, example, fails, optional, required,
};
use indexmap::IndexMap;
use parking_lot::Mutex;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// How long an answer counts, and how long an address that failed is passed over.
const KEPT: Duration = Duration::from_secs(600);
/// How many answers are kept.
const ANSWERS: usize = 100_000;
/// How many bytes they may have together.
const BYTES: usize = 64 << 20;

/// The configured models and what is known of them.
#[derive(Default)]
pub struct Models {
    /// By name and version.
    configured: Vec<(String, String, String)>,
    turn: AtomicUsize,
    failed: Mutex<HashMap<String, Instant>>,
    answers: Mutex<Answers>,
}

/// A model that was found: an address as it may be shown, and the paths of its functions.
struct Endpoint {
    url: String,
    name: String,
    version: String,
    paths: Vec<(String, String)>,
}

impl Models {
    /// The models of `[models]`.
    pub fn new(models: &IndexMap<String, Secretive>) -> Models {
        let split = |(key, text): (&String, &Secretive)| {
            let (name, version) = key.rsplit_once(':').unwrap_or((key, ""));
            (
                name.to_string(),
                version.to_string(),
                text.raw().to_string(),
            )
        };
        Models {
            configured: models.iter().map(split).collect(),
            ..Models::default()
        }
    }

    /// One of the addresses of a model, the next one at each call; those that failed lately only when all did.
    /// Without a version, the last in the order of texts. Errors: E0501.
    fn find(&self, name: &str, version: Option<&str>) -> Outcome<Option<Endpoint>> {
        let fits = |(known, its, _): &&(String, String, String)| {
            known == name && version.is_none_or(|version| version == its)
        };
        let found = self
            .configured
            .iter()
            .filter(fits)
            .max_by(|a, b| a.1.cmp(&b.1));
        let Some((name, version, text)) = found else {
            return Ok(None);
        };
        let mut urls = Vec::new();
        let mut paths = Vec::new();
        for word in text.split_whitespace() {
            match word.split_once('=') {
                _ if word.contains("://") => urls.push(mask_text(word)),
                Some((function, path)) => paths.push((function.to_string(), path.to_string())),
                None => {
                    let message =
                        format!("models.{name}: {word} is neither an address nor FUNCTION=PATH");
                    return Err(Diagnostic::new(Code::Configuration, message));
                }
            }
        }
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let mut failed = self.failed.lock();
        failed.retain(|_, since| since.elapsed() < KEPT);
        let sound: Vec<&String> = urls
            .iter()
            .filter(|url| !failed.contains_key(*url))
            .collect();
        let from = if sound.is_empty() {
            urls.iter().collect()
        } else {
            sound
        };
        let Some(url) = from.get(turn % from.len().max(1)) else {
            let message = format!("models.{name} names no address such as http://127.0.0.1:8500");
            return Err(Diagnostic::new(Code::Configuration, message));
        };
        Ok(Some(Endpoint {
            url: url.to_string(),
            name: name.clone(),
            version: version.clone(),
            paths,
        }))
    }

    /// The address behind one that was shown: passwords and references are put in. Errors: E0503.
    fn real(&self, shown: &str) -> Outcome<String> {
        let word = self
            .configured
            .iter()
            .flat_map(|(_, _, text)| text.split_whitespace())
            .find(|word| word.contains("://") && mask_text(word) == shown);
        match word {
            Some(word) => Ok(resolve(word)?.expose().to_string()),
            None => Ok(shown.to_string()),
        }
    }
}

/// What identifies an answer: the model (its address when it has no name), the function, the arguments.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Question {
    model: Vec<String>,
    function: String,
    arguments: Vec<(String, String)>,
}

/// Answers as texts: each call makes values of its own, which an expression may change.
#[derive(Default)]
struct Answers {
    known: HashMap<Arc<Question>, (Instant, Arc<str>)>,
    /// The oldest first.
    order: VecDeque<(Arc<Question>, Instant)>,
    bytes: usize,
}

impl Answers {
    fn get(&self, question: &Question) -> Option<Arc<str>> {
        let (since, text) = self.known.get(question)?;
        (since.elapsed() < KEPT).then(|| text.clone())
    }

    fn put(&mut self, question: Question, text: &str) {
        let (question, now) = (Arc::new(question), Instant::now());
        self.forget(&question);
        self.bytes += text.len();
        self.order.push_back((question.clone(), now));
        self.known.insert(question, (now, text.into()));
        while self.known.len() > ANSWERS
            || self.bytes > BYTES
            || self
                .order
                .front()
                .is_some_and(|(_, since)| since.elapsed() >= KEPT)
        {
            let Some((oldest, since)) = self.order.pop_front() else {
                break;
            };
            // It may have been answered anew since.
            if self.known.get(&oldest).is_some_and(|(at, _)| *at == since) {
                self.forget(&oldest);
            }
        }
    }

    fn forget(&mut self, question: &Question) {
        if let Some((_, text)) = self.known.remove(question) {
            self.bytes = self.bytes.saturating_sub(text.len());
        }
    }
}

pub(super) const MAAS_GET_ENDPOINT: FunctionSpec = FunctionSpec {
    name: "MAAS_GET_ENDPOINT",
    family: Family::Web,
    summary: "Finds where a model answers requests.",
    details: "The section [models] of the configuration names models: NAME or NAME:VERSION with one address or several, \
              and with paths where a function of the model has another one than its name: \
              \"dga:1.0\" = \"http://127.0.0.1:8500 apply=predict\". \
              Several addresses take turns; one that failed is passed over for ten minutes while others are left. \
              Passwords and references in addresses are shown masked and still work.",
    parameters: &[
        required("name", Kind::Text, "the name of the model"),
        optional(
            "version",
            Kind::Text,
            "its version; the last in the order of texts when left out",
        ),
    ],
    returns: "a map of url, name, version, and endpoint:FUNCTION for every path; null when there is no such model",
    errors: &[
        "name or version is null",
        "the configuration names no models, or the model's line is of no use",
    ],
    examples: &[
        fails("MAAS_GET_ENDPOINT('dga')", "E0217"),
        fails("MAAS_GET_ENDPOINT(null)", "E0203"),
    ],
    see: &["MAAS_MODEL_APPLY", "REST_GET"],
    words: &[
        "machine learning",
        "model as a service",
        "classifier",
        "discovery",
    ],
    pure: false,
    run: |call| {
        for index in 0..call.count().min(2) {
            if call.arg(index).is_null() {
                return Err(call.wrong_type(index, "a string"));
            }
        }
        let web = service(call)?;
        if web.models.configured.is_empty() {
            let message = format!("{} finds no models", call.name);
            return Err(Diagnostic::new(Code::NotAvailable, message).help(
                "name them in [models] of the configuration: dga = \"http://127.0.0.1:8500\"",
            ));
        }
        let name = to_text(call.arg(0));
        let version = (call.count() > 1).then(|| to_text(call.arg(1)));
        let Some(found) = web.models.find(&name, version.as_deref())? else {
            return Ok(Value::Null);
        };
        let entries = [
            ("url", found.url),
            ("name", found.name),
            ("version", found.version),
        ];
        let entries = entries.map(|(key, text)| (key.to_string(), Value::string(text)));
        let paths = found
            .paths
            .into_iter()
            .map(|(function, path)| (format!("endpoint:{function}"), Value::string(path)));
        let map = Map::of_texts(entries.into_iter().chain(paths));
        Ok(Value::Map(Map::new(MapKind::Hash, map.with(Clone::clone))))
    },
    ..SPEC
};

pub(super) const MAAS_MODEL_APPLY: FunctionSpec = FunctionSpec {
    name: "MAAS_MODEL_APPLY",
    family: Family::Web,
    summary: "Asks a model and gives its answer.",
    details: "Gets URL/FUNCTION with the arguments as parameters, by the rules and settings of REST_GET \
              (functions.network = true, the global stellar.rest.settings and so on). \
              The endpoint's entry endpoint:FUNCTION names another path; where arguments are given, \
              its entry endpoint:apply comes before everything else. \
              Answers are kept for ten minutes by model, function and arguments. \
              A failure is logged (see it with --log warn), and the address is passed over by MAAS_GET_ENDPOINT for a while.",
    parameters: &[
        required(
            "endpoint",
            Kind::Map,
            "a map with url, name and version, as MAAS_GET_ENDPOINT gives it",
        ),
        required(
            "function",
            Kind::Text,
            "the function of the model; may be left out: apply",
        ),
        optional("args", Kind::Map, "the arguments for the model, by name"),
    ],
    returns: "the model's answer as a map; null when the endpoint is no map, or when the model fails",
    errors: &[
        "only a function is given, no arguments",
        "the configuration does not allow requests",
    ],
    examples: &[
        example("MAAS_MODEL_APPLY(null, {'domain' : 'example.com'})", "null"),
        example(
            "MAAS_MODEL_APPLY('dga', 'apply', {'domain' : 'example.com'})",
            "null",
        ),
        fails(
            "MAAS_MODEL_APPLY({'url' : 'http://127.0.0.1:8500', 'name' : 'dga', 'version' : '1'}, {'domain' : 'example.com'})",
            "E0217",
        ),
        fails(
            "MAAS_MODEL_APPLY({'url' : 'http://127.0.0.1:8500'}, 'apply')",
            "E0202",
        ),
    ],
    see: &["MAAS_GET_ENDPOINT", "REST_GET"],
    words: &[
        "machine learning",
        "model as a service",
        "classifier",
        "score",
        "predict",
    ],
    pure: false,
    run: apply,
    ..SPEC
};

fn apply(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let Value::Map(endpoint) = call.arg(0) else {
        return Ok(Value::Null);
    };
    let limit = call.context().limits.string;
    // What is not there has the text null, as in Metron.
    let entry = |key: &str| to_text(&endpoint.get_text(key).unwrap_or_default()).to_string();
    let path = |key: &str| {
        endpoint
            .get_text(key)
            .map(|path| to_text(&path).to_string())
    };
    let mut function = "apply".to_string();
    let mut at = 1;
    if let Value::Text(name) = call.arg(1) {
        function = path(&format!("endpoint:{name}")).unwrap_or_else(|| name.to_string());
        at = 2;
        if call.count() < 3 {
            return Err(call.wrong_count("the arguments for the model after its function"));
        }
    }
    let mut arguments = Vec::new();
    if let Value::Map(map) = call.arg(at) {
        function = path("endpoint:apply").unwrap_or(function);
        for (name, value) in map.entries() {
            let (name, value) = (
                to_text_within(&name, limit)?,
                to_text_within(&value, limit)?,
            );
            arguments.push((name.to_string(), value.to_string()));
        }
    }
    let (shown, name, version) = (entry("url"), entry("name"), entry("version"));
    let named = ["name", "version"]
        .iter()
        .all(|key| endpoint.get_text(key).is_some());
    let mut sorted = arguments.clone();
    sorted.sort();
    let question = Question {
        model: if named {
            vec![name, version]
        } else {
            vec![shown.clone()]
        },
        function: function.clone(),
        arguments: sorted,
    };
    let web = service(call)?;
    web.permit.check_network(call.name)?;
    let limits = &call.context().limits;
    let known = web.models.answers.lock().get(&question);
    if let Some(map) = known.and_then(|text| object(&text, limits).ok()) {
        return Ok(Value::Map(map));
    }
    let settings = Settings::of_globals(call.context(), "stellar.rest.get.settings")?;
    let real = web.models.real(&shown)?;
    let place = format!(
        "{}/{}",
        real.strip_suffix('/').unwrap_or(&real),
        function.strip_prefix('/').unwrap_or(&function)
    );
    let came = match parse_url(&place) {
        Ok(mut url) => {
            url.query_pairs_mut().extend_pairs(arguments);
            ask(&web, call, &settings, url, None)?
        }
        Err(message) => Err(message),
    };
    let value = came.and_then(|answer| {
        let text = content(&answer, &settings)?;
        let map = object(text, limits)?;
        web.models.answers.lock().put(question, text);
        Ok(map)
    });
    match value {
        Ok(map) => Ok(Value::Map(map)),
        Err(reason) => {
            tracing::warn!("{} of {}: {reason}", call.name, mask_text(&shown));
            web.models.failed.lock().insert(shown, Instant::now());
            Ok(Value::Null)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(n: usize) -> Question {
        Question {
            model: vec!["m".into()],
            function: "apply".into(),
            arguments: vec![("n".into(), n.to_string())],
        }
    }

    #[test]
    fn answers_are_bounded() {
        let mut answers = Answers::default();
        let text = "x".repeat(BYTES / 4);
        for n in 0..10 {
            answers.put(question(n), &text);
        }
        assert_eq!((answers.known.len(), answers.bytes), (4, BYTES));
        assert!(answers.get(&question(5)).is_none());
        assert!(answers.get(&question(9)).is_some());
        for n in 0..ANSWERS + 10 {
            answers.put(question(n), "{}");
        }
        assert_eq!(
            (answers.known.len(), answers.order.len()),
            (ANSWERS, ANSWERS)
        );
        assert!(answers.get(&question(0)).is_none());
    }

    #[test]
    fn an_answer_of_the_same_question_replaces() {
        let mut answers = Answers::default();
        answers.put(question(1), "first");
        answers.put(question(1), "2nd");
        assert_eq!((answers.known.len(), answers.bytes), (1, 3));
        assert_eq!(answers.get(&question(1)).as_deref(), Some("2nd"));
    }
}
