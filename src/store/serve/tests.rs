#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use crate::store::Workers;
use axum::routing::{get, post};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::time::Instant;

fn router() -> Router {
    let slow = || async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        "slow"
    };
    let echo = |request: Request<Body>| async {
        match read_body(request.into_body(), 50, Duration::from_millis(300)).await {
            Ok(bytes) => format!("{} bytes", bytes.len()),
            Err(unread) => format!("{unread:?}"),
        }
    };
    Router::new()
        .route("/", get(|| async { "here" }))
        .route("/slow", get(slow))
        .route("/echo", post(echo))
}

fn start(change: impl FnOnce(&mut Listen)) -> Server {
    let mut listen = Listen::at("127.0.0.1", 0);
    listen.patience = Duration::from_millis(400);
    change(&mut listen);
    serve(router(), &listen).unwrap()
}

fn ask(server: &Server, text: &str) -> String {
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.write_all(text.as_bytes()).unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    answer
}

fn posted(head: &str, body: &str) -> String {
    format!("POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{head}\r\n{body}")
}

#[test]
fn answers_and_bounds_bodies() {
    let server = start(|_| {});
    assert!(!server.is_public());
    let here = ask(
        &server,
        "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    );
    assert!(
        here.starts_with("HTTP/1.1 200") && here.ends_with("here"),
        "{here}"
    );
    let long = "x".repeat(60);
    for (head, body, expected) in [
        ("Content-Length: 3\r\n", "abc", "3 bytes"),
        ("Content-Length: 60\r\n", &long, "TooLong"),
        ("Content-Length: 9\r\n", "slow", "Late"),
        (
            "Transfer-Encoding: chunked\r\n",
            "2\r\nab\r\n0\r\n\r\n",
            "2 bytes",
        ),
    ] {
        let answer = ask(&server, &posted(head, body));
        assert!(answer.ends_with(expected), "{head}: {answer}");
    }
    let tight = start(|listen| listen.body = 10);
    let answer = ask(
        &tight,
        &posted(
            "Transfer-Encoding: chunked\r\n",
            "f\r\n123456789012345\r\n0\r\n\r\n",
        ),
    );
    assert!(answer.ends_with("TooLong"), "{answer}");
}

#[test]
fn silent_clients_are_dropped_and_make_room() {
    let server = start(|listen| listen.connections = 2);
    let silent = [(); 2].map(|()| TcpStream::connect(server.address).unwrap());
    let started = Instant::now();
    let answer = ask(&server, "GET / HTTP/1.0\r\n\r\n");
    assert!(answer.ends_with("here"), "{answer}");
    assert!(
        started.elapsed() >= Duration::from_millis(250),
        "{:?}",
        started.elapsed()
    );
    drop(silent);
}

#[test]
fn what_has_begun_is_finished() {
    let server = start(|_| {});
    let address = server.address;
    let (sender, began) = channel();
    let client = std::thread::spawn(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream
            .write_all(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
            .unwrap();
        sender.send(()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    });
    began.recv().unwrap();
    std::thread::sleep(Duration::from_millis(100));
    server.stop();
    let answer = client.join().unwrap();
    assert!(answer.ends_with("slow"), "{answer}");
    let patience = Instant::now();
    while !server.is_done() && patience.elapsed() < Duration::from_secs(10) {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(server.is_done());
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn a_dropped_server_is_gone() {
    let server = start(|_| {});
    let mut open = TcpStream::connect(server.address).unwrap();
    open.set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    assert!(ask(&server, "GET / HTTP/1.0\r\n\r\n").ends_with("here"));
    drop(server);
    assert_eq!(open.read(&mut [0; 8]).unwrap_or(0), 0);
    let _ = open.shutdown(Shutdown::Both);
}

#[test]
fn a_taken_port_and_bad_certificates_are_told() {
    let server = start(|_| {});
    let mut listen = Listen::at("127.0.0.1", server.address.port());
    let fault = serve(router(), &listen).err().unwrap();
    assert_eq!(fault.code, Code::CannotWrite);
    listen.tls = Some((file!().into(), "missing.pem".into()));
    let fault = serve(router(), &listen).err().unwrap();
    assert_eq!(fault.code, Code::CannotRead);
}

#[test]
fn tokens_are_compared() {
    let tokens = [digest("one"), digest("")];
    let with = |text: &str| {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, text.parse().unwrap());
        bears(&headers, &tokens[..1])
    };
    assert!(with("Bearer one") && with("bearer one"));
    assert!(!with("Bearer two") && !with("one") && !with("Basic one") && !with("Bearer "));
    assert!(!bears(&HeaderMap::new(), &tokens[..1]));
}

#[test]
fn workers_do_what_blocks_and_refuse_when_full() {
    let workers = Workers::start("test", 1, 1).unwrap();
    let done = Arc::new(AtomicUsize::new(0));
    let (go, wait) = channel::<()>();
    let wait = Arc::new(parking_lot::Mutex::new(wait));
    let results = runtime().unwrap().block_on(async {
        let mut running = JoinSet::new();
        for n in 0..3 {
            let (workers, done, wait) = (workers.clone(), done.clone(), wait.clone());
            running.spawn(async move {
                workers
                    .run(move || {
                        let _ = wait.lock().recv();
                        done.fetch_add(1, Ordering::SeqCst);
                        n
                    })
                    .await
            });
            // The first is taken off the queue before the second comes.
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        drop(go);
        running.join_all().await
    });
    assert_eq!(results.iter().filter(|result| result.is_none()).count(), 1);
    assert_eq!(done.load(Ordering::SeqCst), 2);
    let panics = runtime()
        .unwrap()
        .block_on(workers.run(|| -> () { panic_of_a_test() }));
    assert_eq!(panics.unwrap().unwrap_err().code, Code::Internal);
}

#[allow(clippy::panic)]
fn panic_of_a_test() {
    panic!("a test panics")
}
