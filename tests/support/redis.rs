//! Redis servers that tests start, stop and talk to as another program would.
#![allow(dead_code)]

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long a server may take to start.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server of a test's own, that keeps what it is given.
pub struct Server {
    folder: TempDir,
    pub port: u16,
    child: Option<Child>,
}

impl Server {
    pub fn start() -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        drop(listener);
        let mut server = Server {
            folder: TempDir::new().expect("a folder"),
            port,
            child: None,
        };
        server.again();
        server
    }

    pub fn address(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Starts it on the same port, with what it had when it was stopped.
    pub fn again(&mut self) {
        self.begin();
        let since = Instant::now();
        while cli(&self.address(), &["ping"]) != "PONG" {
            assert!(since.elapsed() < PATIENCE, "the server does not start");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// As [`Server::again`], without waiting until it answers.
    pub fn begin(&mut self) {
        let child = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--port", &self.port.to_string()])
            .args([
                "--save",
                "",
                "--appendonly",
                "yes",
                "--appendfsync",
                "always",
            ])
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("redis-server");
        self.child = Some(child);
    }

    /// Ends it at once.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("a killed server");
            child.wait().expect("an ended server");
        }
    }

    /// Forgets what it was given, while it is stopped.
    pub fn forget(&self) {
        for entry in std::fs::read_dir(self.folder.path()).expect("a folder") {
            let path = entry.expect("an entry").path();
            match path.is_dir() {
                true => std::fs::remove_dir_all(path).expect("a removed folder"),
                false => std::fs::remove_file(path).expect("a removed file"),
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// What redis-cli prints, without the last end of a line.
pub fn cli(address: &str, arguments: &[&str]) -> String {
    let mut command = Command::new("redis-cli");
    let (address, authority) = address.split_once("?ca=").unwrap_or((address, ""));
    if !authority.is_empty() {
        command.args(["--cacert", authority]);
    }
    let output = command
        .args(["--no-auth-warning", "-u", address])
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .expect("redis-cli");
    String::from_utf8_lossy(&output.stdout)
        .trim_end()
        .to_string()
}
