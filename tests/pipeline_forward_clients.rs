//! Real clients of the forward protocol: npm's, PyPI's and Go's. What is sent with an acknowledgement asked for has come
//! when the client says that it was sent.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use support::{Home, Talk};

fn main() {
    support::live::run(
        "STELLAR_TEST_FLUENT",
        &[
            ("node_in_all_modes", node_in_all_modes),
            ("node_with_key_and_tls", node_with_key_and_tls),
            ("node_with_a_wrong_key", node_with_a_wrong_key),
            ("python", python),
            ("golang", golang),
        ],
    );
}

const COUNT: usize = 500;

fn start(home: &Home, more: &str) -> (Talk, String) {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    home.write(
        "p.yaml",
        format!("pipelines:\n  p:\n    - {{name: input_forward, port: {port}, server_hostname: srv{more}}}\n    - {{name: output_stdout, match: '*'}}\n"),
    );
    let talk = home.talk(&["pipeline", "run", "p.yaml"]);
    let begin = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(begin.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(10));
    }
    (talk, port.to_string())
}

/// Runs a client, if it is there: what it said.
fn client(folder: &str, name: &str, arguments: &[&str]) -> Option<(bool, String)> {
    let program = Path::new(folder).join(name);
    if !program.exists() {
        println!("    no client {name}: not run");
        return None;
    }
    let ran = Command::new(program).args(arguments).output().unwrap();
    let said = [ran.stdout, ran.stderr].concat();
    Some((
        ran.status.success(),
        String::from_utf8_lossy(&said).into_owned(),
    ))
}

#[track_caller]
fn sent(ran: &(bool, String)) {
    assert!(ran.0 && ran.1.contains("sent"), "{}", ran.1);
}

fn all(talk: &mut Talk, tag: &str) {
    for n in 0..COUNT {
        let line = talk.hear();
        let (head, record) = line.split_once("]: ").unwrap();
        assert!(head.starts_with(&format!("{tag}[")), "{line}");
        // Go's maps have no order.
        for part in [
            format!("'n': {n}"),
            "'text': 'žluť'".to_owned(),
            "'deep': {'list': [1, None, True, 1.5]}".to_owned(),
        ] {
            assert!(record.contains(&part), "{line}");
        }
    }
    talk.interrupt();
    assert_eq!(talk.end().0, Some(0));
}

fn node_in_all_modes(folder: &str) {
    for mode in [
        "Message",
        "Forward",
        "PackedForward",
        "CompressedPackedForward",
    ] {
        for more in [&[][..], &["ack"]] {
            let home = Home::new();
            let (mut talk, port) = start(&home, "");
            let count = COUNT.to_string();
            let arguments = [&[mode, &port, &count], more].concat();
            let Some(ran) = client(folder, "node", &arguments) else {
                return;
            };
            sent(&ran);
            all(&mut talk, &format!("npm.{mode}"));
        }
    }
}

fn node_with_key_and_tls(folder: &str) {
    let home = Home::new();
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(vec!["localhost".to_string()]).unwrap();
    let path = home.write("crt.pem", cert.pem());
    home.write("key.pem", signing_key.serialize_pem());
    let ca = format!("ca={}", path.display());
    let tls = ", tls_enable: true, crt_file: crt.pem, key_file: key.pem";
    for (server, arguments) in [
        (", shared_key: k".to_owned(), vec!["key=k"]),
        (
            ", shared_key: k, users: {joe: pw}".to_owned(),
            vec!["key=k", "user=joe", "password=pw"],
        ),
        (tls.to_owned(), vec![ca.as_str()]),
        (
            format!("{tls}, shared_key: k, users: {{joe: pw}}"),
            vec![&ca, "key=k", "user=joe", "password=pw"],
        ),
    ] {
        let (mut talk, port) = start(&home, &server);
        let count = COUNT.to_string();
        let arguments = [vec!["PackedForward", &port, &count, "ack"], arguments].concat();
        let Some(ran) = client(folder, "node", &arguments) else {
            return;
        };
        sent(&ran);
        all(&mut talk, "npm.PackedForward");
    }
}

fn node_with_a_wrong_key(folder: &str) {
    let home = Home::new();
    let (mut talk, port) = start(&home, ", shared_key: geheim");
    let Some((good, said)) = client(
        folder,
        "node",
        &["Forward", &port, "1", "ack", "key=falsch", "late=3000"],
    ) else {
        return;
    };
    assert!(!good, "{said}");
    talk.interrupt();
    assert_eq!(talk.end().0, Some(0));
    assert!(talk.is_silent(Duration::from_millis(10)));
}

fn python(folder: &str) {
    let home = Home::new();
    let (mut talk, port) = start(&home, "");
    if let Some(ran) = client(folder, "python", &[&port, &COUNT.to_string()]) {
        sent(&ran);
        all(&mut talk, "py.label");
    }
}

fn golang(folder: &str) {
    let home = Home::new();
    let (mut talk, port) = start(&home, "");
    if let Some(ran) = client(folder, "golang", &[&port, &COUNT.to_string()]) {
        sent(&ran);
        all(&mut talk, "go");
    }
}
