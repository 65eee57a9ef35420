//! The counters over HTTP, in feedoo's form.

use super::run::Live;
use crate::diagnostic::{Code, Diagnostic, Outcome};
use serde::Serialize;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// How long a client may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// How often a quiet server looks whether it shall end.
const LOOK: Duration = Duration::from_millis(50);

/// A running server; it ends when this goes.
pub struct StatesServer {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Drop for StatesServer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // It cannot fail but by a fault that has been said.
            let _ = thread.join();
        }
    }
}

/// Serves the counters: `GET /` gives JSON, everything else is 404. Errors: E0404 when the address cannot be had.
pub fn serve_states(ip: &str, port: u16, live: Arc<Live>) -> Outcome<StatesServer> {
    let failed = |error: std::io::Error| {
        let text = format!("states cannot be served at {ip}:{port}: {error}");
        Diagnostic::new(Code::CannotWrite, text)
    };
    let listener = TcpListener::bind((ip, port)).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let stop = Arc::new(AtomicBool::new(false));
    let seen = stop.clone();
    let serve = move || {
        while !seen.load(Ordering::Relaxed) {
            match listener.accept() {
                // A client that goes away is its own matter.
                Ok((client, _)) => drop(answer(client, &live)),
                Err(_) => std::thread::sleep(LOOK),
            }
        }
    };
    let builder = std::thread::Builder::new().name("states".into());
    let thread = Some(builder.spawn(serve).map_err(failed)?);
    Ok(StatesServer {
        stop,
        thread,
        address,
    })
}

fn answer(client: TcpStream, live: &Live) -> std::io::Result<()> {
    client.set_nonblocking(false)?;
    client.set_read_timeout(Some(PATIENCE))?;
    client.set_write_timeout(Some(PATIENCE))?;
    let mut reader = BufReader::new(client.try_clone()?.take(16 << 10));
    let mut request = String::new();
    reader.read_line(&mut request)?;
    let mut header = String::new();
    while reader.read_line(&mut header)? > 2 {
        header.clear();
    }
    let mut words = request.split(' ');
    let (method, path) = (words.next(), words.next());
    let mut client = client;
    if method != Some("GET") || path != Some("/") {
        return client.write_all(
            b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        );
    }
    let mut body = Vec::new();
    let indent = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    let mut writer = serde_json::Serializer::with_formatter(&mut body, indent);
    live.states().serialize(&mut writer)?;
    let length = body.len();
    write!(
        client,
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    )?;
    client.write_all(&body)
}
