//! The counters over HTTP: in feedoo's form, as metrics, and whether all is well.

use super::metrics::{Dialect, metrics};
use super::run::Live;
use crate::diagnostic::Outcome;
use crate::store::serve::{Listen, Server, serve};
use axum::Router;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Serialize;
use serde_json::{Value as Json, json};
use std::sync::Arc;
use std::time::Duration;

/// Serves the counters until the server is dropped: `/` in feedoo's form, `/metrics` for Prometheus, `/health`.
/// Errors: E0404 when the address cannot be had.
pub fn serve_states(ip: &str, port: u16, live: Arc<Live>) -> Outcome<Server> {
    let (all, health) = (live.clone(), live.clone());
    let router = Router::new()
        .route("/", get(async move || shown(StatusCode::OK, &all.states())))
        .route(
            "/metrics",
            get(async move |headers: HeaderMap| {
                let dialect = Dialect::of(&headers);
                let head = [(header::CONTENT_TYPE, dialect.content_type())];
                let pipelines: Vec<_> = live.pipelines.iter().collect();
                (head, metrics(&pipelines, dialect)).into_response()
            }),
        )
        .route("/health", get(async move || healthy(&health)));
    let mut listen = Listen::at(ip, port);
    listen.body = 0;
    listen.connections = 64;
    listen.patience = Duration::from_secs(10);
    serve(router, &listen)
}

/// 503 once a pipeline has ended with an error.
fn healthy(live: &Live) -> Response {
    let pipelines = live.pipelines.iter();
    let states = pipelines.map(|pipeline| (pipeline.id.clone(), json!(pipeline.state().name())));
    let states: serde_json::Map<String, Json> = states.collect();
    let good = !live.failed();
    let (code, status) = match good {
        true => (StatusCode::OK, "ok"),
        false => (StatusCode::SERVICE_UNAVAILABLE, "failed"),
    };
    shown(code, &json!({"status": status, "pipelines": states}))
}

fn shown(code: StatusCode, json: &Json) -> Response {
    let mut body = Vec::new();
    let indent = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    let mut writer = serde_json::Serializer::with_formatter(&mut body, indent);
    match json.serialize(&mut writer) {
        Ok(()) => {
            let head = [(header::CONTENT_TYPE, "application/json")];
            (code, head, body).into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
