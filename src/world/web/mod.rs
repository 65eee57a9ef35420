//! Requests to servers, and the models behind them.

mod client;
mod models;
mod permit;
mod pool;
mod post;
mod settings;
#[cfg(test)]
mod tests;

use crate::config::{Config, mask_text};
use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::eval::collections::Map;
use crate::eval::convert;
use crate::eval::json::{read_prefix, write_json};
use crate::eval::text::{check_length, to_text_within};
use crate::eval::{Call, Limits, Value};
use crate::functions::json::parse_json;
use crate::functions::spec::{
    Family, FunctionSpec, Kind, Parameter, SPEC, fails, optional, required,
};
use crate::store::wait;
use crate::world::files::{Found, files, read_all};
use cap_std::fs::OpenOptions;
use client::{Answer, Asked, Client, Trouble, basic};
use hyper::body::Bytes;
use hyper::header::HeaderMap;
use models::Models;
use permit::Permit;
use pool::Proxy;
pub use post::{Poster, Reply};
use settings::Settings;
use std::sync::Arc;
use url::Url;

/// The service behind requests and models.
#[derive(Default)]
pub struct Web {
    permit: Permit,
    client: Client,
    models: Models,
}

impl Web {
    /// As configured; without a configuration nothing may be reached.
    pub fn new(config: &Config) -> Web {
        Web {
            permit: Permit::new(&config.functions),
            client: Client::default(),
            models: Models::new(&config.models),
        }
    }
}

/// The functions of this family.
pub const FUNCTIONS: &[FunctionSpec] = &[
    REST_GET,
    REST_POST,
    models::MAAS_GET_ENDPOINT,
    models::MAAS_MODEL_APPLY,
];

const URL: Parameter = required("url", Kind::Text, "an http or https address");

const CONFIG: Parameter = optional(
    "config",
    Kind::Map,
    "settings of this request over those of the globals",
);

const QUERY: Parameter = optional(
    "query",
    Kind::Map,
    "parameters to add to the address; names and values are strings",
);

const DETAILS: &str = "Works only where the configuration says functions.network = true; \
    functions.hosts and functions.public_only narrow what may be reached. \
    Settings come from the globals stellar.rest.settings, from stellar.rest.get.settings or stellar.rest.post.settings, \
    and from config, the later over the earlier: timeout (1000 ms for everything), connect.timeout, socket.timeout, \
    connection.request.timeout, response.codes.allowed ([200]), basic.auth.user with basic.auth.password.path \
    (a file that functions.files allows), proxy.host, proxy.port, proxy.basic.auth.user, proxy.basic.auth.password.path, \
    empty.content.override, error.value.override, verify.content.length, enforce.json. \
    The globals pooling.max.total and pooling.default.max.per.route bound the connections. \
    A failure gives error.value.override and is logged: see it with --log warn.";

const REFUSED: &str = "the configuration does not allow it";

const REST_GET: FunctionSpec = FunctionSpec {
    name: "REST_GET",
    family: Family::Web,
    summary: "Gets a JSON object from a server.",
    details: DETAILS,
    parameters: &[URL, CONFIG, QUERY],
    returns: "the object as a map; empty.content.override (null) for an answer without content; \
              error.value.override (null) when the server fails, is late, or answers with something else",
    errors: &[
        "the address is no http or https address",
        "a setting has a wrong value",
        REFUSED,
    ],
    examples: &[
        fails("REST_GET('http://127.0.0.1:8080/asset')", "E0217"),
        fails(
            "REST_GET('http://127.0.0.1:8080/asset', {'timeout' : 500}, {'ip' : '10.0.0.1'})",
            "E0217",
        ),
        fails("REST_GET('127.0.0.1')", "E0204"),
        fails(
            "REST_GET('http://127.0.0.1/', {'timeout' : 'soon'})",
            "E0204",
        ),
        fails("REST_GET(null)", "E0203"),
    ],
    see: &["REST_POST", "MAAS_MODEL_APPLY", "ENRICHMENT_GET"],
    words: &[
        "http", "https", "url", "request", "api", "fetch", "curl", "download",
    ],
    pure: false,
    run: |call| {
        let url = url_of(call)?;
        let settings = settings_of(call, "stellar.rest.get.settings", 1)?;
        let url = with_query(call, url, 2)?;
        answer(call, &settings, url, None)
    },
    ..SPEC
};

const REST_POST: FunctionSpec = FunctionSpec {
    name: "REST_POST",
    guarded: true,
    family: Family::Web,
    summary: "Posts JSON to a server and gets a JSON object back.",
    details: DETAILS,
    parameters: &[
        URL,
        required(
            "data",
            Kind::Any,
            "what to post: a map becomes JSON, null becomes nothing, anything else its text, \
             which must be a JSON object unless enforce.json is false",
        ),
        CONFIG,
        QUERY,
    ],
    returns: "the object as a map; empty.content.override (null) for an answer without content; \
              error.value.override (null) when the server fails, is late, or answers with something else",
    errors: &[
        "the address is no http or https address",
        "the data are not a JSON object",
        "a setting has a wrong value",
        REFUSED,
    ],
    examples: &[
        fails(
            "REST_POST('http://127.0.0.1:8080/alert', {'score' : 7})",
            "E0217",
        ),
        fails(
            "REST_POST('http://127.0.0.1:8080/alert', 'score 7')",
            "E0216",
        ),
        fails(
            "REST_POST('http://127.0.0.1:8080/alert', 'score 7', {'enforce.json' : false})",
            "E0217",
        ),
        fails("REST_POST(null, {'score' : 7})", "E0203"),
    ],
    see: &["REST_GET", "TO_JSON_MAP"],
    words: &[
        "http", "https", "url", "request", "api", "send", "curl", "webhook",
    ],
    pure: false,
    run: |call| {
        let url = url_of(call)?;
        let settings = settings_of(call, "stellar.rest.post.settings", 2)?;
        let url = with_query(call, url, 3)?;
        let body = data_of(call, &settings)?;
        answer(call, &settings, url, Some(body))
    },
    ..SPEC
};

/// The service. Errors: E0217 when a front end made a context without it.
fn service(call: &Call<'_, '_>) -> Outcome<Arc<Web>> {
    call.context().services.get().ok_or_else(|| {
        Diagnostic::new(
            Code::NotAvailable,
            format!("{} needs the network, and there is none", call.name),
        )
    })
}

fn url_of(call: &Call<'_, '_>) -> Outcome<Url> {
    // Lists count by their first element, as everywhere where Metron converts.
    match convert::to_string(call.arg(0)) {
        Some(text) => parse_url(&text).map_err(|message| call.wrong_value(0, message)),
        None => Err(call.wrong_type(0, "a string")),
    }
}

/// An address as strict as Java takes it, without its fragment. Errors: what is wrong, in words.
fn parse_url(text: &str) -> Result<Url, String> {
    let shown = mask_text(text);
    let misplaced = |c: &char| c.is_whitespace() || c.is_control() || r#""<>\^`{|}"#.contains(*c);
    if let Some(c) = text.chars().find(misplaced) {
        return Err(format!(
            "{shown} is no address: {c:?} must be percent-encoded"
        ));
    }
    let escaped = |rest: &str| rest.bytes().take(2).filter(u8::is_ascii_hexdigit).count() == 2;
    if !text.split('%').skip(1).all(escaped) {
        return Err(format!(
            "{shown} is no address: a % must be followed by two hexadecimal digits"
        ));
    }
    // "host:80" would parse as a scheme and a path.
    if !text.contains("://") {
        return Err(format!(
            "{shown} is no address: it must begin with http:// or https://"
        ));
    }
    let mut url = Url::parse(text).map_err(|error| format!("{shown} is no address: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("{shown} is neither an http nor an https address"));
    }
    url.set_fragment(None);
    Ok(url)
}

/// The settings of a call whose own ones are the argument at `index`.
fn settings_of(call: &Call<'_, '_>, globals: &str, index: usize) -> Outcome<Settings> {
    let mut settings = Settings::of_globals(call.context(), globals)?;
    match call.arg(index) {
        Value::Null => {}
        Value::Map(map) => settings
            .take(map)
            .map_err(|message| call.wrong_value(index, message))?,
        _ => return Err(call.wrong_type(index, "a map of settings")),
    }
    Ok(settings)
}

/// The address with the parameters of the argument at `index`, which counts only as the last one.
fn with_query(call: &Call<'_, '_>, mut url: Url, index: usize) -> Outcome<Url> {
    if call.count() != index + 1 {
        return Ok(url);
    }
    let map = match call.arg(index) {
        Value::Null => return Ok(url),
        Value::Map(map) => map,
        _ => return Err(call.wrong_type(index, "a map of parameters")),
    };
    let mut pairs = Vec::new();
    for (name, value) in map.entries() {
        let (Value::Text(name), Value::Text(value)) = (&name, &value) else {
            let message = format!(
                "names and values of parameters are strings, not {} and {}",
                name.kind_in_words(),
                value.kind_in_words()
            );
            return Err(call.wrong_value(index, message));
        };
        pairs.push((name.clone(), value.clone()));
    }
    if !pairs.is_empty() {
        url.query_pairs_mut().extend_pairs(pairs);
    }
    Ok(url)
}

/// The bytes to post.
fn data_of(call: &Call<'_, '_>, settings: &Settings) -> Outcome<Bytes> {
    let limits = &call.context().limits;
    match call.arg(1) {
        Value::Null => Ok(Bytes::new()),
        Value::Map(_) => {
            let mut bytes = Vec::new();
            write_json(call.arg(1), &mut bytes)?;
            check_length(bytes.len(), limits.string)?;
            Ok(bytes.into())
        }
        other => {
            let text = to_text_within(other, limits.string)?;
            let object = matches!(read_prefix(&text, limits.depth), Ok(Value::Map(_)));
            if settings.enforce_json && !object {
                let message = format!("{} expects the JSON text of an object to post", call.name);
                return Err(Diagnostic::new(Code::NotJson, message)
                    .of_argument(1)
                    .help("set 'enforce.json' to false in the settings to post other texts"));
            }
            Ok(Bytes::copy_from_slice(text.as_bytes()))
        }
    }
}

/// The value of a request: what the server says, or the settings' value of a failure.
fn answer(
    call: &Call<'_, '_>,
    settings: &Settings,
    url: Url,
    body: Option<Bytes>,
) -> Outcome<Value> {
    let web = service(call)?;
    let shown = mask_text(url.as_str());
    let limits = &call.context().limits;
    let came = ask(&web, call, settings, url, body)?;
    let value = came.and_then(|answer| match content(&answer, settings)? {
        "" => Ok(settings.empty.clone()),
        text => object(text, limits).map(Value::Map),
    });
    Ok(value.unwrap_or_else(|reason| {
        tracing::warn!("{} of {shown}: {reason}", call.name);
        settings.error.clone()
    }))
}

/// Asks and waits. The inner error is a failure of the server or on the way to it.
///
/// Errors: E0217 for what is forbidden, E0306, E0307.
fn ask(
    web: &Web,
    call: &Call<'_, '_>,
    settings: &Settings,
    url: Url,
    body: Option<Bytes>,
) -> Outcome<Result<Answer, String>> {
    let context = call.context();
    web.permit.check_network(call.name)?;
    web.permit.check_url(&url)?;
    let credentials = match user(call, settings, &url) {
        Ok(credentials) => credentials,
        // A file that is missing is a failure like others; one that is forbidden is not.
        Err(fault) if fault.code == Code::CannotRead => return Ok(Err(fault.message)),
        Err(fault) => return Err(fault),
    };
    let proxy = match proxy(call, web, settings) {
        Ok(proxy) => proxy,
        Err(fault) if fault.code == Code::CannotRead => return Ok(Err(fault.message)),
        Err(fault) => return Err(fault),
    };
    let asked = Asked {
        url: anonymous(url),
        body,
        headers: HeaderMap::new(),
        credentials,
        proxy,
        connect_timeout: settings.connect_timeout,
        lease_timeout: settings.lease_timeout,
        socket_timeout: settings.socket_timeout,
        most: settings.most,
        most_per_route: settings.most_per_route,
        longest: context.limits.string,
    };
    let work =
        async { tokio::time::timeout(settings.timeout, web.client.ask(&web.permit, &asked)).await };
    match wait(work, call.deadline().into(), &context.cancel)? {
        Ok(Ok(answer)) => Ok(Ok(answer)),
        Ok(Err(Trouble::Failed(reason))) => Ok(Err(reason)),
        Ok(Err(Trouble::Forbidden(mut fault))) => {
            fault.message = format!("{}: {}", call.name, fault.message);
            Err(fault)
        }
        Err(_) => {
            let millis = settings.timeout.as_millis();
            Ok(Err(format!("no complete answer within {millis} ms")))
        }
    }
}

/// The header for the server: the configured user before the one in the address.
fn user(call: &Call<'_, '_>, settings: &Settings, url: &Url) -> Outcome<Option<String>> {
    if let (Some(user), Some(path)) = (&settings.user, &settings.password_path) {
        let password = password(call, "basic.auth.password.path", path)?;
        return Ok(Some(basic(user, &password)));
    }
    Ok(credentials(url))
}

/// The header for the user that an address names.
fn credentials(url: &Url) -> Option<String> {
    let password = url.password().unwrap_or_default();
    let named = !url.username().is_empty();
    named.then(|| basic(&unescape(url.username()), &unescape(password)))
}

/// The address without its user.
fn anonymous(mut url: Url) -> Url {
    // Neither fails for http and https.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url
}

/// The text of a password file, without its last line break. The path may come from the globals, so no argument is to
/// blame. Errors: E0217 outside of `functions.files`, E0403, E0303 for a file that is no password.
fn password(call: &Call<'_, '_>, key: &str, path: &str) -> Outcome<String> {
    const NO_ARGUMENT: usize = usize::MAX;
    const LONGEST: usize = 64 << 10;
    let spot = files(call)?.spot(call, NO_ARGUMENT, path, false)?;
    let bytes = match spot.open(call, NO_ARGUMENT, OpenOptions::new().read(true))? {
        Found::Open(file) => read_all(call, file, LONGEST)?,
        Found::Nothing => None,
    };
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    let Some(mut text) = text else {
        let message = format!("{key}: {path} cannot be read as text");
        return Err(Diagnostic::new(Code::CannotRead, message));
    };
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    Ok(text)
}

/// A part of an address without its percent signs.
fn unescape(text: &str) -> String {
    percent_encoding::percent_decode_str(text)
        .decode_utf8_lossy()
        .into_owned()
}

fn proxy(call: &Call<'_, '_>, web: &Web, settings: &Settings) -> Outcome<Option<Proxy>> {
    let (Some(host), Some(port)) = (&settings.proxy_host, settings.proxy_port) else {
        return Ok(None);
    };
    // A proxy is reached like any other host.
    let place = format!("http://{host}:{port}");
    let place = Url::parse(&place).map_err(|error| {
        Diagnostic::new(Code::ArgumentValue, format!("proxy.host {host:?}: {error}"))
    })?;
    web.permit.check_url(&place)?;
    let credentials = match (&settings.proxy_user, &settings.proxy_password_path) {
        (Some(user), Some(path)) => {
            let password = password(call, "proxy.basic.auth.password.path", path)?;
            Some(basic(user, &password))
        }
        _ => None,
    };
    Ok(Some(Proxy {
        host: place.host_str().unwrap_or_default().to_string(),
        port,
        credentials,
    }))
}

/// The content of an answer that counts as success. Errors: why it does not.
fn content<'a>(answer: &'a Answer, settings: &Settings) -> Result<&'a str, String> {
    const SHOWN: usize = 200;
    let status = i64::from(answer.status.as_u16());
    if !settings.codes.contains(&status) {
        let start: String = answer.text.chars().take(SHOWN).collect();
        let (codes, status) = (&settings.codes, answer.status);
        return Err(format!(
            "expected one of {codes:?}, got {status}: {start:?}"
        ));
    }
    let length = answer.length as u64;
    // An answer without content need not say so.
    if settings.verify_length && status != 204 && answer.announced != Some(length) {
        return Err(match answer.announced {
            Some(said) => format!("the server announced {said} bytes and sent {length}"),
            None => format!("the server announced no length and sent {length} bytes"),
        });
    }
    Ok(&answer.text)
}

/// A JSON object as a map. Errors: why it is none.
fn object(text: &str, limits: &Limits) -> Result<Map, String> {
    match parse_json(text, true, limits) {
        Ok(Value::Map(map)) => Ok(map),
        Ok(other) => Err(format!(
            "the answer is no JSON object but {}",
            other.kind_in_words()
        )),
        Err(fault) => Err(format!("the answer is no JSON object: {}", fault.message)),
    }
}
