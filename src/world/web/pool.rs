//! Connections that are kept for the next request, and how many there may be.

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::client::conn::http1::SendRequest;
use parking_lot::Mutex;
use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// A connection that requests go out on.
pub type Sender = SendRequest<Full<Bytes>>;

/// Servers close what is silent for longer.
const KEPT: Duration = Duration::from_secs(30);

/// What a connection leads to: requests of equal routes may share connections.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Route {
    /// Whether the server is spoken to through TLS.
    pub secure: bool,
    /// The server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The proxy between, with what it wants to be told.
    pub proxy: Option<Proxy>,
}

/// A proxy.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Proxy {
    /// Its host.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The header that names the user to it.
    pub credentials: Option<String>,
}

/// All connections of a process to servers that functions ask.
#[derive(Default)]
pub struct Pool {
    state: Mutex<State>,
    freed: Notify,
}

#[derive(Default)]
struct State {
    leased: HashMap<Route, usize>,
    total: usize,
    /// The longest unused first.
    idle: VecDeque<(Route, Sender, Instant)>,
}

/// Leave to have one connection.
pub struct Lease<'p> {
    pool: &'p Pool,
    route: Route,
}

impl Pool {
    /// Waits until there may be one connection more on a route.
    pub async fn lease(&self, route: &Route, most: usize, most_per_route: usize) -> Lease<'_> {
        loop {
            let mut freed = std::pin::pin!(self.freed.notified());
            // What is freed between the look and the wait counts too.
            freed.as_mut().enable();
            {
                let mut state = self.state.lock();
                let here = state.leased.get(route).copied().unwrap_or(0);
                if state.total < most && here < most_per_route {
                    state.total += 1;
                    state.leased.insert(route.clone(), here + 1);
                    // Those kept count as well.
                    while state.total + state.idle.len() > most && state.idle.len() > 1 {
                        state.idle.pop_front();
                    }
                    return Lease {
                        pool: self,
                        route: route.clone(),
                    };
                }
            }
            freed.await;
        }
    }
}

impl Lease<'_> {
    /// A kept connection of this route, if there is one that still lives.
    pub fn kept(&self) -> Option<Sender> {
        let mut state = self.pool.state.lock();
        state
            .idle
            .retain(|(_, sender, since)| !sender.is_closed() && since.elapsed() < KEPT);
        let at = state
            .idle
            .iter()
            .rposition(|(route, _, _)| *route == self.route)?;
        state.idle.remove(at).map(|(_, sender, _)| sender)
    }

    /// Keeps a connection for the next request.
    pub fn keep(&self, sender: Sender) {
        if !sender.is_closed() {
            let mut state = self.pool.state.lock();
            state
                .idle
                .push_back((self.route.clone(), sender, Instant::now()));
        }
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        let mut state = self.pool.state.lock();
        state.total = state.total.saturating_sub(1);
        if let Some(here) = state.leased.get_mut(&self.route) {
            *here = here.saturating_sub(1);
            if *here == 0 {
                state.leased.remove(&self.route);
            }
        }
        drop(state);
        self.pool.freed.notify_waiters();
    }
}
