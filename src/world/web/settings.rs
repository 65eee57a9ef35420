//! The settings of requests: what globals say, and over it what the call says.

use crate::config::resolve;
use crate::diagnostic::{Code, Diagnostic, Outcome, nearest};
use crate::eval::collections::Map;
use crate::eval::convert::{to_bool, to_long, to_string};
use crate::eval::{Context, Value};
use std::time::Duration;

/// Settings of all requests.
const ALL: &str = "stellar.rest.settings";

/// Every key that a map of settings may hold.
const KEYS: &[&str] = &[
    "basic.auth.user",
    "basic.auth.password.path",
    "proxy.host",
    "proxy.port",
    "proxy.basic.auth.user",
    "proxy.basic.auth.password.path",
    "timeout",
    "connect.timeout",
    "connection.request.timeout",
    "socket.timeout",
    "response.codes.allowed",
    "empty.content.override",
    "error.value.override",
    "pooling.max.total",
    "pooling.default.max.per.route",
    "verify.content.length",
    "enforce.json",
];

/// How a request is made and what becomes of its answer.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Who the server shall think this is.
    pub user: Option<String>,
    /// The file with that user's password.
    pub password_path: Option<String>,
    /// The proxy's host.
    pub proxy_host: Option<String>,
    /// The proxy's port.
    pub proxy_port: Option<u16>,
    /// Who the proxy shall think this is.
    pub proxy_user: Option<String>,
    /// The file with that user's password.
    pub proxy_password_path: Option<String>,
    /// For everything together.
    pub timeout: Duration,
    /// For one attempt to connect.
    pub connect_timeout: Option<Duration>,
    /// For a connection to become free.
    pub lease_timeout: Option<Duration>,
    /// For the next part of an answer.
    pub socket_timeout: Option<Duration>,
    /// The status codes that count as success.
    pub codes: Vec<i64>,
    /// The value of an answer without content.
    pub empty: Value,
    /// The value of a failure.
    pub error: Value,
    /// Connections at the same time.
    pub most: usize,
    /// Connections to one server at the same time.
    pub most_per_route: usize,
    /// Whether the answer must say how long it is.
    pub verify_length: bool,
    /// Whether data to post must be a JSON object.
    pub enforce_json: bool,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            user: None,
            password_path: None,
            proxy_host: None,
            proxy_port: None,
            proxy_user: None,
            proxy_password_path: None,
            timeout: Duration::from_millis(1000),
            connect_timeout: None,
            lease_timeout: None,
            socket_timeout: None,
            codes: vec![200],
            empty: Value::Null,
            error: Value::Null,
            most: 64,
            most_per_route: 16,
            verify_length: false,
            enforce_json: true,
        }
    }
}

impl Settings {
    /// The defaults, over them the globals for all requests, over these the globals named `own`.
    ///
    /// Errors: E0501 for a global that is of no use, E0503.
    pub fn of_globals(context: &Context, own: &str) -> Outcome<Settings> {
        let mut settings = Settings::default();
        let globals = context.globals.read();
        let wrong = |name: &str, message: String| {
            Diagnostic::new(Code::Configuration, format!("the global {name}: {message}"))
        };
        for name in [ALL, own] {
            match globals.get(name) {
                None | Some(Value::Null) => {}
                Some(Value::Map(map)) => {
                    for (key, value) in map.entries() {
                        let Some(key) = to_string(&key) else { continue };
                        // Only the configuration may refer to the environment, never an expression.
                        let value = match &value {
                            Value::Text(text) if text.contains("${") => {
                                Value::text(resolve(text)?.expose())
                            }
                            _ => value,
                        };
                        settings
                            .set(&key, &value)
                            .map_err(|message| wrong(name, message))?;
                    }
                }
                Some(other) => {
                    let message = format!("a map is expected, not {}", other.kind_in_words());
                    return Err(wrong(name, message));
                }
            }
        }
        // Metron reads these two here.
        for name in ["pooling.max.total", "pooling.default.max.per.route"] {
            if let Some(value) = globals.get(name) {
                settings
                    .set(name, value)
                    .map_err(|message| wrong(name, message))?;
            }
        }
        Ok(settings)
    }

    /// Puts the settings of a call over these. Errors: what is wrong, in words.
    pub fn take(&mut self, map: &Map) -> Result<(), String> {
        for (key, value) in map.entries() {
            let Some(key) = to_string(&key) else { continue };
            // One call cannot make room for itself.
            if !key.starts_with("pooling.") {
                self.set(&key, &value)?;
            }
        }
        Ok(())
    }

    fn set(&mut self, key: &str, value: &Value) -> Result<(), String> {
        let usual = Settings::default();
        let wants = |what: &str| format!("{key} wants {what}, this is {}", value.kind_in_words());
        // Null takes a setting back.
        let text = || to_string(value).map(|text| text.to_string());
        let flag = |usual: bool| match value {
            Value::Null => Ok(usual),
            other => to_bool(other).ok_or_else(|| wants("true or false")),
        };
        let number = || match value {
            Value::Null => Ok(None),
            other => to_long(other)
                .map(Some)
                .ok_or_else(|| wants("a whole number")),
        };
        let count = |usual: usize| match number()? {
            None => Ok(usual),
            Some(n) => usize::try_from(n)
                .ok()
                .filter(|n| *n > 0)
                .ok_or_else(|| format!("{key} must be at least 1")),
        };
        // As in Java: nothing and less than nothing wait for ever.
        let time = || {
            Ok::<_, String>(
                number()?
                    .and_then(|n| u64::try_from(n).ok())
                    .filter(|n| *n > 0)
                    .map(Duration::from_millis),
            )
        };
        match key {
            "basic.auth.user" => self.user = text(),
            "basic.auth.password.path" => self.password_path = text(),
            "proxy.host" => self.proxy_host = text(),
            "proxy.port" => {
                self.proxy_port = match number()? {
                    None => None,
                    Some(port) => Some(
                        u16::try_from(port)
                            .ok()
                            .filter(|port| *port > 0)
                            .ok_or_else(|| format!("{key} must be between 1 and 65535"))?,
                    ),
                }
            }
            "proxy.basic.auth.user" => self.proxy_user = text(),
            "proxy.basic.auth.password.path" => self.proxy_password_path = text(),
            "timeout" => {
                self.timeout = number()?.map_or(usual.timeout, |n| {
                    Duration::from_millis(u64::try_from(n).unwrap_or(0))
                });
            }
            "connect.timeout" => self.connect_timeout = time()?,
            "connection.request.timeout" => self.lease_timeout = time()?,
            "socket.timeout" => self.socket_timeout = time()?,
            "response.codes.allowed" => {
                self.codes = match value {
                    Value::Null => usual.codes,
                    Value::List(list) => list.with(|items| {
                        items
                            .iter()
                            .map(|item| {
                                to_long(item).ok_or_else(|| wants("a list of whole numbers"))
                            })
                            .collect::<Result<_, _>>()
                    })?,
                    _ => return Err(wants("a list of whole numbers")),
                }
            }
            "empty.content.override" => self.empty = value.clone(),
            "error.value.override" => self.error = value.clone(),
            "pooling.max.total" => self.most = count(usual.most)?,
            "pooling.default.max.per.route" => self.most_per_route = count(usual.most_per_route)?,
            "verify.content.length" => self.verify_length = flag(usual.verify_length)?,
            "enforce.json" => self.enforce_json = flag(usual.enforce_json)?,
            other => {
                let near = nearest(other, KEYS.iter().copied()).unwrap_or("nothing known");
                tracing::warn!("requests have no setting {other}; it is near {near}");
            }
        }
        Ok(())
    }
}
