//! Asks name servers over UDP whether names have an address (RFC 1035), many at once.

use std::collections::{HashMap, VecDeque};
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

/// So many questions are on their way at once.
const FLIGHT: usize = 200;

/// The largest answer that is read; a longer one is cut by its sender.
const LARGEST: usize = 4096;

/// What a name server says of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It has an address.
    There,
    /// It has none.
    Nowhere,
    /// Nobody knows, for this reason.
    Failed(String),
}

/// The name servers of the system.
pub fn system_servers() -> Vec<SocketAddr> {
    let text = std::fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
    let servers = text.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let server = words.next().filter(|word| *word == "nameserver");
        let address = words.next().filter(|_| server.is_some())?;
        let address: IpAddr = address.split('%').next()?.parse().ok()?;
        Some(SocketAddr::new(address, 53))
    });
    let mut servers: Vec<SocketAddr> = servers.collect();
    if servers.is_empty() {
        servers.push(SocketAddr::from(([127, 0, 0, 1], 53)));
    }
    servers
}

/// A name as it stands in a question; `None` when it cannot be one.
pub fn wire_name(name: &str) -> Option<Vec<u8>> {
    let mut wire = Vec::with_capacity(name.len() + 2);
    for label in name.split('.') {
        let length = u8::try_from(label.len()).ok()?;
        if length == 0 || length > 63 || !label.is_ascii() {
            return None;
        }
        wire.push(length);
        wire.extend(label.bytes().map(|b| b.to_ascii_lowercase()));
    }
    wire.push(0);
    (wire.len() <= 255).then_some(wire)
}

struct Asked {
    /// Which of the names.
    name: usize,
    again_at: Instant,
    until: Instant,
    tries: usize,
}

struct Asking<'a> {
    names: &'a [Vec<u8>],
    servers: Vec<SocketAddr>,
    socket: UdpSocket,
    timeout: Duration,
    flying: HashMap<u16, Asked>,
    answers: Vec<Answer>,
}

/// Asks for all names; each waits at most `timeout` for its answer.
pub fn ask(names: &[Vec<u8>], servers: &[SocketAddr], timeout: Duration) -> Vec<Answer> {
    let failed = |reason: String| vec![Answer::Failed(reason); names.len()];
    let Some(first) = servers.first() else {
        return failed("there is no name server".to_owned());
    };
    let any = match first {
        SocketAddr::V4(_) => "0.0.0.0:0",
        SocketAddr::V6(_) => "[::]:0",
    };
    let same = servers.iter().filter(|s| s.is_ipv4() == first.is_ipv4());
    let socket = match UdpSocket::bind(any) {
        Ok(socket) => socket,
        Err(error) => return failed(format!("no socket can be had: {error}")),
    };
    let mut asking = Asking {
        names,
        servers: same.copied().collect(),
        socket,
        timeout,
        flying: HashMap::new(),
        answers: vec![Answer::Nowhere; names.len()],
    };
    asking.run();
    asking.answers
}

impl Asking<'_> {
    fn run(&mut self) {
        let mut waiting: VecDeque<usize> = (0..self.names.len()).collect();
        let mut buffer = [0_u8; LARGEST];
        while !waiting.is_empty() || !self.flying.is_empty() {
            while self.flying.len() < FLIGHT {
                let Some(name) = waiting.pop_front() else {
                    break;
                };
                let now = Instant::now();
                let asked = Asked {
                    name,
                    again_at: now + self.timeout / 3,
                    until: now + self.timeout,
                    tries: 0,
                };
                self.send(asked);
            }
            self.wait(&mut buffer);
            self.look_at_the_clock();
        }
    }

    fn send(&mut self, asked: Asked) {
        let mut id = [0_u8; 2];
        loop {
            if let Err(error) = getrandom::fill(&mut id) {
                let reason = format!("no random numbers can be had: {error}");
                return self.settle(asked.name, Answer::Failed(reason));
            }
            if !self.flying.contains_key(&u16::from_be_bytes(id)) {
                break;
            }
        }
        let Some(name) = self.names.get(asked.name) else {
            return;
        };
        let mut message = Vec::with_capacity(name.len() + 16);
        message.extend_from_slice(&id);
        // A standard question, recursion desired; one question.
        message.extend_from_slice(&[1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
        message.extend_from_slice(name);
        // An address of the Internet.
        message.extend_from_slice(&[0, 1, 0, 1]);
        let server = self.servers.get(asked.tries % self.servers.len().max(1));
        if let Some(server) = server {
            // What is not sent is not answered; the next try may be luckier.
            let _ = self.socket.send_to(&message, server);
        }
        self.flying.insert(u16::from_be_bytes(id), asked);
    }

    fn settle(&mut self, name: usize, answer: Answer) {
        if let Some(slot) = self.answers.get_mut(name) {
            *slot = answer;
        }
    }

    /// Takes all answers that are there, after waiting for the first one.
    fn wait(&mut self, buffer: &mut [u8]) {
        let now = Instant::now();
        let next = self.flying.values().map(|a| a.again_at.min(a.until)).min();
        let pause = next.map_or(Duration::ZERO, |at| at.saturating_duration_since(now));
        let pause = pause.clamp(Duration::from_millis(1), Duration::from_millis(500));
        if self.socket.set_read_timeout(Some(pause)).is_err() {
            return;
        }
        match self.socket.recv_from(buffer) {
            Ok((length, from)) => {
                let message = buffer.get(..length).unwrap_or_default();
                if self.servers.contains(&from) {
                    self.take(message);
                }
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            // A refused port is told on the next call; the clock ends the wait.
            Err(_) => std::thread::sleep(Duration::from_millis(1)),
        }
    }

    fn take(&mut self, message: &[u8]) {
        let Some((&[a, b, flags, codes, _, _, c, d, ..], _)) = message.split_first_chunk::<12>()
        else {
            return;
        };
        let id = u16::from_be_bytes([a, b]);
        let Some(asked) = self.flying.get(&id) else {
            return;
        };
        let name = asked.name;
        let question = self.names.get(name).map(Vec::as_slice).unwrap_or_default();
        let echoed = message.get(12..12 + question.len()).unwrap_or_default();
        if flags & 0x80 == 0 || !echoed.eq_ignore_ascii_case(question) {
            return;
        }
        self.flying.remove(&id);
        let some = u16::from_be_bytes([c, d]) > 0 || flags & 0x02 != 0;
        let answer = match codes & 0x0f {
            0 if some => Answer::There,
            0 | 3 => Answer::Nowhere,
            2 => Answer::Failed("the name server failed".to_owned()),
            5 => Answer::Failed("the name server refused".to_owned()),
            code => Answer::Failed(format!("the name server said {code}")),
        };
        self.settle(name, answer);
    }

    fn look_at_the_clock(&mut self) {
        let now = Instant::now();
        let due = |asked: &Asked| asked.again_at <= now || asked.until <= now;
        let ids: Vec<u16> = self
            .flying
            .iter()
            .filter(|(_, asked)| due(asked))
            .map(|(id, _)| *id)
            .collect();
        for id in ids {
            let Some(asked) = self.flying.remove(&id) else {
                continue;
            };
            if asked.until <= now {
                let reason = format!("no answer within {} s", self.timeout.as_secs_f64());
                self.settle(asked.name, Answer::Failed(reason));
                continue;
            }
            self.send(Asked {
                again_at: now + self.timeout / 3,
                tries: asked.tries + 1,
                ..asked
            });
        }
    }
}
