//! One request and its answer: names, connections, proxies, TLS, redirects, bodies of bounded size.

use super::permit::Permit;
use super::pool::{Lease, Pool, Proxy, Route, Sender};
use crate::diagnostic::Fault;
use crate::store::authorities;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{
    ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderMap, LOCATION,
    PROXY_AUTHORIZATION, USER_AGENT,
};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use std::future::Future;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, crypto::ring};
use url::{Host, Url};

/// How many redirects are followed, as Metron's client does.
const REDIRECTS: usize = 50;

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Where to.
    pub url: Url,
    /// What to post; `None` gets.
    pub body: Option<Bytes>,
    /// Headers over the usual ones, in the place of those of the same name.
    pub headers: HeaderMap,
    /// The header that names the user to the server.
    pub credentials: Option<String>,
    /// The proxy between.
    pub proxy: Option<Proxy>,
    /// For one attempt to connect.
    pub connect_timeout: Option<Duration>,
    /// For a connection to become free.
    pub lease_timeout: Option<Duration>,
    /// For the next part of the answer.
    pub socket_timeout: Option<Duration>,
    /// Connections at the same time.
    pub most: usize,
    /// Connections on one route at the same time.
    pub most_per_route: usize,
    /// The most bytes that an answer may have.
    pub longest: usize,
}

/// What came.
#[derive(Debug)]
pub struct Answer {
    /// The status code.
    pub status: StatusCode,
    /// The length that the server announced.
    pub announced: Option<u64>,
    /// The length that came.
    pub length: usize,
    /// The text of the body.
    pub text: String,
}

/// Why there is no answer.
#[derive(Debug)]
pub enum Trouble {
    /// Something on the way failed.
    Failed(String),
    /// The configuration does not allow it.
    Forbidden(Fault),
}

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Trouble {
        Trouble::Forbidden(fault)
    }
}

fn failed(message: impl Into<String>) -> Trouble {
    Trouble::Failed(message.into())
}

type Attempt<T> = Result<T, Trouble>;

/// The header value of basic authentication.
pub fn basic(user: &str, password: &str) -> String {
    format!(
        "Basic {}",
        BASE64_STANDARD.encode(format!("{user}:{password}"))
    )
}

/// Sends requests.
#[derive(Default)]
pub struct Client {
    pool: Pool,
    /// The file of the authorities that count; else those that this machine trusts.
    roots: Option<PathBuf>,
    tls: OnceLock<Result<TlsConnector, String>>,
}

impl Client {
    /// One that believes the authorities of a file.
    pub fn with_roots(roots: Option<PathBuf>) -> Client {
        Client {
            roots,
            ..Client::default()
        }
    }

    /// The answer to a request, redirects followed as far as `permit` allows.
    pub async fn ask(&self, permit: &Permit, asked: &Asked) -> Attempt<Answer> {
        let mut asked = asked.clone();
        let mut seen: Vec<Url> = Vec::new();
        permit.check_url(&asked.url)?;
        loop {
            let reply = match self.ask_once(permit, &asked).await {
                // Where a server leads is the server's doing, not the expression's.
                Err(Trouble::Forbidden(fault)) if !seen.is_empty() => return Err(led(&fault)),
                reply => reply?,
            };
            let location = match reply {
                Reply::Answer(answer) => return Ok(answer),
                Reply::Elsewhere(status, location) => {
                    if status == StatusCode::SEE_OTHER {
                        asked.body = None;
                    }
                    location
                }
            };
            let next = asked.url.join(&location).map_err(|error| {
                failed(format!("the server redirects to {location:?}: {error}"))
            })?;
            permit.check_url(&next).map_err(|fault| led(&fault))?;
            if next.origin() != asked.url.origin() {
                asked.credentials = None;
            }
            seen.push(std::mem::replace(&mut asked.url, next));
            if seen.len() > REDIRECTS || seen.contains(&asked.url) {
                return Err(failed("the server redirects in circles"));
            }
        }
    }

    async fn ask_once(&self, permit: &Permit, asked: &Asked) -> Attempt<Reply> {
        let (lease, sender, response) = self.begin(permit, asked).await?;
        receive(&lease, sender, asked, response).await
    }

    /// The head of the answer to one request, and the connection on which the rest comes.
    pub(super) async fn begin(
        &self,
        permit: &Permit,
        asked: &Asked,
    ) -> Attempt<(Lease<'_>, Sender, Response<Incoming>)> {
        let route = Route {
            secure: asked.url.scheme() == "https",
            host: asked.url.host_str().unwrap_or_default().to_string(),
            port: asked.url.port_or_known_default().unwrap_or(80),
            proxy: asked.proxy.clone(),
        };
        let lease = within(asked.lease_timeout, "no connection became free", async {
            Ok(self
                .pool
                .lease(&route, asked.most, asked.most_per_route)
                .await)
        })
        .await?;
        while let Some(mut sender) = lease.kept() {
            if sender.ready().await.is_err() {
                continue;
            }
            match send(&mut sender, asked, request(asked)?).await {
                Ok(response) => return Ok((lease, sender, response)),
                // The server closed while it was kept: that says nothing about this request.
                Err(Unsent { again: true, .. }) => continue,
                Err(unsent) => return Err(unsent.trouble),
            }
        }
        let mut sender = self.connect(permit, asked, &route).await?;
        match send(&mut sender, asked, request(asked)?).await {
            Ok(response) => Ok((lease, sender, response)),
            Err(unsent) => Err(unsent.trouble),
        }
    }

    async fn connect(&self, permit: &Permit, asked: &Asked, route: &Route) -> Attempt<Sender> {
        let limit = asked.connect_timeout;
        let (host, port) = match &route.proxy {
            Some(proxy) => (proxy.host.as_str(), proxy.port),
            None => (route.host.as_str(), route.port),
        };
        let stream = reach(permit, host, port, limit).await?;
        if !route.secure {
            return shake_hands(TokioIo::new(stream)).await;
        }
        let tls = self
            .tls
            .get_or_init(|| connector(self.roots.as_deref()))
            .as_ref()
            .map_err(|message| failed(message.as_str()))?;
        let server = ServerName::try_from(route.host.trim_matches(['[', ']']).to_string())
            .map_err(|_| failed(format!("{} is no name for TLS", route.host)))?;
        let late = "no TLS session came about";
        match &route.proxy {
            None => {
                let greeting = async {
                    tls.connect(server, stream)
                        .await
                        .map_err(|error| failed(format!("TLS with {host} fails: {error}")))
                };
                shake_hands(TokioIo::new(within(limit, late, greeting).await?)).await
            }
            Some(proxy) => {
                let tunnel = within(limit, "the proxy gives no tunnel", async {
                    tunnel(stream, proxy, route).await
                })
                .await?;
                let greeting = async {
                    tls.connect(server, TokioIo::new(tunnel))
                        .await
                        .map_err(|error| failed(format!("TLS with {} fails: {error}", route.host)))
                };
                shake_hands(TokioIo::new(within(limit, late, greeting).await?)).await
            }
        }
    }
}

fn led(fault: &Fault) -> Trouble {
    failed(format!("the server redirects, but {}", fault.message))
}

/// An answer, or the place where the answer is.
enum Reply {
    Answer(Answer),
    Elsewhere(StatusCode, String),
}

/// Why a request has no answer.
struct Unsent {
    trouble: Trouble,
    /// Whether it may be sent once more: it did not go out, or it only asks.
    again: bool,
}

/// What `work` gives, unless it takes longer than `limit`.
async fn within<T>(
    limit: Option<Duration>,
    late: &str,
    work: impl Future<Output = Attempt<T>>,
) -> Attempt<T> {
    match limit {
        None => work.await,
        Some(limit) => tokio::time::timeout(limit, work)
            .await
            .unwrap_or_else(|_| Err(failed(format!("{late} within {} ms", limit.as_millis())))),
    }
}

/// Connects to the first address behind a name that is allowed and answers. What is checked is what is connected to.
async fn reach(
    permit: &Permit,
    host: &str,
    port: u16,
    limit: Option<Duration>,
) -> Attempt<TcpStream> {
    let addresses: Vec<SocketAddr> = match Host::parse(host) {
        Ok(Host::Ipv4(address)) => vec![(address, port).into()],
        Ok(Host::Ipv6(address)) => vec![(address, port).into()],
        _ => tokio::net::lookup_host((host, port))
            .await
            .map_err(|error| failed(format!("{host} has no address: {error}")))?
            .collect(),
    };
    let mut trouble = failed(format!("{host} has no address"));
    for address in addresses {
        let name = host.trim_matches(['[', ']']);
        if let Err(fault) = permit.check_address(name, address.ip()) {
            trouble = fault.into();
            continue;
        }
        let connecting = async {
            TcpStream::connect(address)
                .await
                .map_err(|error| failed(format!("{address} cannot be reached: {error}")))
        };
        match within(limit, &format!("{address} did not answer"), connecting).await {
            Ok(stream) => {
                // Requests are small; waiting to fill a packet only delays them.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Err(failure) => trouble = failure,
        }
    }
    Err(trouble)
}

async fn shake_hands<T>(stream: T) -> Attempt<Sender>
where
    T: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
{
    let (sender, connection) = http1::handshake(stream)
        .await
        .map_err(|error| failed(reasons(&error)))?;
    // It ends when the sender is dropped or the server closes; who sends hears of its errors.
    tokio::spawn(connection);
    Ok(sender)
}

/// A tunnel to the server of `route` through its proxy.
async fn tunnel(
    stream: TcpStream,
    proxy: &Proxy,
    route: &Route,
) -> Attempt<hyper::upgrade::Upgraded> {
    let (mut sender, connection) = http1::handshake::<_, Full<Bytes>>(TokioIo::new(stream))
        .await
        .map_err(|error| failed(reasons(&error)))?;
    tokio::spawn(connection.with_upgrades());
    let place = format!("{}:{}", route.host, route.port);
    let mut request = Request::connect(&place).header(HOST, &place);
    if let Some(credentials) = &proxy.credentials {
        request = request.header(PROXY_AUTHORIZATION, credentials);
    }
    let request = request
        .body(Full::default())
        .map_err(|error| failed(error.to_string()))?;
    let response = sender
        .send_request(request)
        .await
        .map_err(|error| failed(format!("the proxy fails: {}", reasons(&error))))?;
    if !response.status().is_success() {
        return Err(failed(format!("the proxy refuses: {}", response.status())));
    }
    hyper::upgrade::on(response)
        .await
        .map_err(|error| failed(format!("the proxy gives no tunnel: {}", reasons(&error))))
}

/// TLS with the authorities of a file, or those that this machine trusts.
fn connector(roots: Option<&Path>) -> Result<TlsConnector, String> {
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(authorities(roots)?)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

fn request(asked: &Asked) -> Attempt<Request<Full<Bytes>>> {
    let url = &asked.url;
    let path = match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_string(),
    };
    let host = match (url.host_str().unwrap_or_default(), url.port()) {
        (host, Some(port)) => format!("{host}:{port}"),
        (host, None) => host.to_string(),
    };
    // A proxy of plain HTTP wants to see the whole address.
    let plain_proxy = asked.proxy.as_ref().filter(|_| url.scheme() == "http");
    let target = match plain_proxy {
        Some(_) => format!("http://{host}{path}"),
        None => path,
    };
    let method = match asked.body {
        Some(_) => Method::POST,
        None => Method::GET,
    };
    let mut request = Request::builder()
        .method(method)
        .uri(target)
        .header(HOST, host)
        .header(ACCEPT, "application/json")
        .header(USER_AGENT, concat!("stellar/", env!("CARGO_PKG_VERSION")));
    if let Some(body) = &asked.body {
        request = request
            .header(CONTENT_TYPE, "application/json")
            .header(CONTENT_LENGTH, body.len());
    }
    if let Some(credentials) = &asked.credentials {
        request = request.header(AUTHORIZATION, credentials);
    }
    if let Some(credentials) = plain_proxy.and_then(|proxy| proxy.credentials.as_ref()) {
        request = request.header(PROXY_AUTHORIZATION, credentials);
    }
    let mut request = request
        .body(Full::new(asked.body.clone().unwrap_or_default()))
        .map_err(|error| failed(error.to_string()))?;
    for (name, value) in &asked.headers {
        request.headers_mut().insert(name.clone(), value.clone());
    }
    Ok(request)
}

async fn send(
    sender: &mut Sender,
    asked: &Asked,
    request: Request<Full<Bytes>>,
) -> Result<Response<Incoming>, Unsent> {
    let sending = async {
        sender.try_send_request(request).await.map_err(|mut error| {
            let again = error.take_message().is_some() || asked.body.is_none();
            let trouble = failed(reasons(error.error()));
            Unsent { trouble, again }
        })
    };
    match asked.socket_timeout {
        None => sending.await,
        Some(limit) => tokio::time::timeout(limit, sending)
            .await
            .unwrap_or_else(|_| {
                Err(Unsent {
                    trouble: silent(limit),
                    again: false,
                })
            }),
    }
}

fn silent(limit: Duration) -> Trouble {
    failed(format!(
        "the server was silent for {} ms",
        limit.as_millis()
    ))
}

async fn receive(
    lease: &Lease<'_>,
    sender: Sender,
    asked: &Asked,
    response: Response<Incoming>,
) -> Attempt<Reply> {
    let (head, mut body) = response.into_parts();
    if let Some(location) = redirected(asked, head.status, &head.headers) {
        return Ok(Reply::Elsewhere(head.status, location));
    }
    let announced = head
        .headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse().ok());
    let too_long = || failed(format!("the answer has more than {} bytes", asked.longest));
    if body.size_hint().lower() > asked.longest as u64 {
        return Err(too_long());
    }
    let mut bytes = Vec::new();
    loop {
        let frame = match asked.socket_timeout {
            None => body.frame().await,
            Some(limit) => tokio::time::timeout(limit, body.frame())
                .await
                .map_err(|_| silent(limit))?,
        };
        let Some(frame) = frame else { break };
        let frame = frame.map_err(|error| failed(reasons(&error)))?;
        if let Some(data) = frame.data_ref() {
            if bytes.len() + data.len() > asked.longest {
                return Err(too_long());
            }
            bytes.extend_from_slice(data);
        }
    }
    lease.keep(sender);
    Ok(Reply::Answer(Answer {
        status: head.status,
        announced,
        length: bytes.len(),
        text: decode(bytes, &head.headers),
    }))
}

/// Where a redirect that is to be followed leads: getting is always redirected, posting only to a result.
fn redirected(asked: &Asked, status: StatusCode, headers: &HeaderMap) -> Option<String> {
    let followed = match status.as_u16() {
        303 => true,
        301 | 302 | 307 | 308 => asked.body.is_none(),
        _ => false,
    };
    let location = headers.get(LOCATION).filter(|_| followed)?;
    Some(String::from_utf8_lossy(location.as_bytes()).into_owned())
}

/// JSON is UTF-8 unless the server says otherwise.
fn decode(bytes: Vec<u8>, headers: &HeaderMap) -> String {
    let kind = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
        .to_ascii_lowercase();
    let latin = ["charset=iso-8859-1", "charset=\"iso-8859-1\""]
        .iter()
        .any(|charset| kind.contains(charset));
    if latin {
        return bytes.into_iter().map(char::from).collect();
    }
    String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// An error with what lies behind it.
fn reasons(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
