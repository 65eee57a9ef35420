//! Connections that wait for the next use, and trying again.

use super::session::{Link, Session};
use super::settings::Settings;
use super::{Answer, Failure, Kind, tls};
use crate::config::Secretive;
use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::store::deadline::{TICK, proceed};
use crate::store::retry::sleep;
use crate::store::{Backoff, Deadline, Within, wait};
use parking_lot::{Condvar, Mutex};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a server that was there may be away, as when it starts again.
const AWAY: Duration = Duration::from_secs(10);
/// How often a transaction gives way to others.
const CONFLICTS: u32 = 10;

/// The connections to one database. Cheap to clone; nothing is connected before it is used.
#[derive(Clone)]
pub struct Pool(Arc<Inner>);

struct Inner {
    settings: Settings,
    state: Mutex<State>,
    freed: Condvar,
}

#[derive(Default)]
struct State {
    idle: Vec<Link>,
    used: usize,
}

/// A place in the pool, with the connection that goes back there.
pub(super) struct Lease {
    pub link: Option<Link>,
    pool: Arc<Inner>,
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut state = self.pool.state.lock();
        state.used -= 1;
        if let Some(link) = self.link.take().filter(|link| !link.client.is_closed()) {
            state.idle.push(link);
        }
        drop(state);
        self.pool.freed.notify_one();
    }
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Pool")
            .field(&self.0.settings.shown())
            .finish()
    }
}

impl Pool {
    /// A pool for the database at `address`. Touches no network. E0501.
    pub fn new(address: &Secretive) -> Outcome<Pool> {
        Ok(Pool(Arc::new(Inner {
            settings: Settings::new(address)?,
            state: Mutex::default(),
            freed: Condvar::new(),
        })))
    }

    /// The address, passwords masked.
    pub fn shown(&self) -> String {
        self.0.settings.shown()
    }

    /// A connection; waits for one when all are in use.
    pub fn session(&self, within: Within<'_>) -> Answer<Session> {
        let mut lease = self.lease(within)?;
        if lease.link.is_none() {
            lease.link = Some(self.connect(within)?);
        }
        Ok(Session::new(lease))
    }

    /// Runs `work`, each statement committed by itself, and once more when the connection was lost (`work` learns which
    /// attempt it is, from 1: what it did may have been done), and when others were in the way.
    pub fn run<T>(
        &self,
        within: Within<'_>,
        mut work: impl FnMut(&mut Session, u32) -> Answer<T>,
    ) -> Answer<T> {
        self.trying(within, |mut session, attempt| work(&mut session, attempt))
    }

    /// As [`Pool::run`], in one transaction: all of it is kept, or nothing.
    pub fn transaction<T>(
        &self,
        within: Within<'_>,
        mut work: impl FnMut(&mut Session, u32) -> Answer<T>,
    ) -> Answer<T> {
        self.trying(within, |mut session, attempt| {
            session.begin();
            let answer = work(&mut session, attempt);
            ended(&mut session, answer, within)
        })
    }

    /// As [`Pool::run`], on one state of the database, and without changes to it.
    pub fn reading<T>(
        &self,
        within: Within<'_>,
        mut work: impl FnMut(&mut Session, u32) -> Answer<T>,
    ) -> Answer<T> {
        self.trying(within, |mut session, attempt| {
            session.begin_reading();
            let answer = work(&mut session, attempt);
            // A connection that was given up on the way has given its answer nevertheless.
            match session.usable() {
                true => ended(&mut session, answer, within),
                false => answer,
            }
        })
    }

    /// A connection with a transaction that the server has opened, so that it was there at that moment.
    pub fn begun(&self, within: Within<'_>) -> Answer<Session> {
        self.trying(within, |mut session, _| {
            session.begin();
            session.batch("", within)?;
            Ok(session)
        })
    }

    /// Closes the connections that are not in use.
    pub fn close(&self) {
        self.0.state.lock().idle.clear();
    }

    fn trying<T>(
        &self,
        within: Within<'_>,
        mut work: impl FnMut(Session, u32) -> Answer<T>,
    ) -> Answer<T> {
        let seed = std::ptr::from_ref(&*self.0).addr() as u64;
        let mut backoff = Backoff::new(seed ^ u64::from(std::process::id()));
        let (mut lost, mut stale, mut conflicts) = (false, false, 0);
        for attempt in 1.. {
            let session = match lost {
                false => self.session(within)?,
                true => self.session_again(within)?,
            };
            let failure = match work(session, attempt) {
                Ok(value) => return Ok(value),
                Err(failure) => failure,
            };
            match failure.kind() {
                Some(Kind::Connection) if !lost => {
                    lost = true;
                    // The others were lost at the same time, most likely.
                    self.0.state.lock().idle.clear();
                }
                Some(Kind::Stale) if !stale => stale = true,
                Some(Kind::Conflict) if conflicts < CONFLICTS => {
                    conflicts += 1;
                    sleep(backoff.pause(), within.deadline, within.cancel)?;
                }
                _ => return Err(failure),
            }
        }
        Err(Failure::new(Kind::Other, "tried too often"))
    }

    /// A connection to a server that was there a moment ago.
    fn session_again(&self, within: Within<'_>) -> Answer<Session> {
        let begun = Instant::now();
        let mut backoff = Backoff::new(u64::from(std::process::id()));
        loop {
            match self.session(within) {
                Err(failure)
                    if failure.kind() == Some(Kind::Connection) && begun.elapsed() < AWAY =>
                {
                    sleep(backoff.pause(), within.deadline, within.cancel)?;
                }
                answer => return answer,
            }
        }
    }

    fn lease(&self, within: Within<'_>) -> Answer<Lease> {
        let mut state = self.0.state.lock();
        while state.used >= self.0.settings.connections {
            self.0
                .freed
                .wait_for(&mut state, within.deadline.at_most(TICK));
            proceed(within.deadline, within.cancel)?;
        }
        state.used += 1;
        let mut link = state.idle.pop();
        while link.as_ref().is_some_and(|link| link.client.is_closed()) {
            link = state.idle.pop();
        }
        drop(state);
        Ok(Lease {
            link,
            pool: self.0.clone(),
        })
    }

    fn connect(&self, within: Within<'_>) -> Answer<Link> {
        let resolved = self.0.settings.resolve()?;
        let place = resolved.place();
        let unusable = |why: String| Diagnostic::new(Code::Configuration, why);
        let tls = tls::connector(resolved.mode, resolved.roots.as_deref()).map_err(unusable)?;
        let config = resolved.config;
        let own_time = config.get_connect_timeout().copied().unwrap_or(AWAY);
        let hosts = u32::try_from(config.get_hosts().len()).unwrap_or(1).max(1);
        let connecting = async {
            let (client, connection) = config.connect(tls.clone()).await?;
            tokio::spawn(async move {
                // What ends a connection is told to the statement that waits for it.
                let _ = connection.await;
            });
            Ok::<_, tokio_postgres::Error>(client)
        };
        let own = Deadline::after(own_time * hosts);
        let deadline = match within.deadline.moment() {
            Some(moment) if own.moment().is_none_or(|own| moment < own) => within.deadline,
            _ => own,
        };
        match wait(connecting, deadline, within.cancel) {
            Ok(Ok(client)) => Ok(Link::new(client, tls)),
            Ok(Err(error)) => Err(Failure::from(error).at(&place)),
            // Its own time was up, not the caller's.
            Err(fault) if fault.code == Code::Timeout && !within.deadline.passed() => {
                let seconds = own_time.as_secs_f64();
                let message = format!("{place} does not answer within {seconds} s");
                Err(Failure::new(Kind::Connection, message))
            }
            Err(fault) => Err(fault.into()),
        }
    }
}

/// Ends a transaction as its work ended.
fn ended<T>(session: &mut Session, answer: Answer<T>, within: Within<'_>) -> Answer<T> {
    match answer {
        Ok(value) => {
            session.commit(within)?;
            Ok(value)
        }
        Err(failure) => {
            if session.usable() {
                // When this fails too, the connection is closed, which does the same.
                let _ = session.rollback(within);
            }
            Err(failure)
        }
    }
}
