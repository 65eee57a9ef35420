//! REST_GET over TLS: which servers are believed, directly and behind a proxy.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use std::io::{BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use support::http::{Server, answer, read};
use support::{Home, Ran};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned};

/// A server that speaks TLS for these names, and its certificate.
fn secure(names: &[&str]) -> (u16, String) {
    let names: Vec<String> = names.iter().map(|name| name.to_string()).collect();
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(names).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let connection = ServerConnection::new(config.clone()).unwrap();
            let mut stream = BufReader::new(StreamOwned::new(connection, stream.unwrap()));
            if read(&mut stream).is_some() {
                let _ = stream
                    .get_mut()
                    .write_all(&answer("200 OK", "{\"secure\": 1}"));
                let _ = stream.get_mut().flush();
            }
        }
    });
    (port, cert.pem())
}

/// A proxy that makes one tunnel at a time, wherever it is asked to.
fn tunnelling(port: u16) -> Server {
    Server::start(move |_, stream| {
        let upstream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream
            .write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")
            .unwrap();
        let (mut from, mut to) = (stream.try_clone().unwrap(), upstream.try_clone().unwrap());
        let there = std::thread::spawn(move || std::io::copy(&mut from, &mut to));
        let _ = std::io::copy(&mut &upstream, stream);
        let _ = stream.shutdown(std::net::Shutdown::Both);
        let _ = there.join();
        false
    })
}

fn eval(home: &Home, trusted: &str, expression: &str) -> Ran {
    home.write("trusted.pem", trusted);
    let mut command = home.command(&[
        "--set",
        "functions.network=true",
        "--log",
        "warn",
        "eval",
        expression,
    ]);
    let output = command
        .env("SSL_CERT_FILE", home.path("trusted.pem"))
        .output()
        .unwrap();
    Ran {
        code: output.status.code(),
        bytes: output.stdout,
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

#[test]
fn only_certificates_that_are_trusted_and_fit() {
    let home = Home::new();
    let (port, pem) = secure(&["localhost", "127.0.0.1"]);
    for host in ["localhost", "127.0.0.1"] {
        let ask = format!("REST_GET('https://{host}:{port}/', {{'timeout' : 10000}})");
        let ran = eval(&home, &pem, &ask).ended(0);
        assert_eq!(ran.out(), "{secure=1}\n", "{}", ran.err);
    }
    let ask = format!("REST_GET('https://localhost:{port}/', {{'timeout' : 10000}})");
    let (_, other) = secure(&["localhost"]);
    let ran = eval(&home, &other, &ask).ended(0);
    assert_eq!(ran.out(), "null\n");
    assert!(ran.err.contains("certificate"), "{}", ran.err);
    let (port, pem) = secure(&["other.example"]);
    let ask = format!("REST_GET('https://localhost:{port}/', {{'timeout' : 10000}})");
    let ran = eval(&home, &pem, &ask).ended(0);
    assert_eq!(ran.out(), "null\n");
    assert!(ran.err.contains("not valid for name"), "{}", ran.err);
}

#[test]
fn a_tunnel_through_a_proxy() {
    let home = Home::new();
    let (port, pem) = secure(&["service.example"]);
    let proxy = tunnelling(port);
    let ask = format!(
        "REST_GET('https://service.example/', {{'timeout' : 10000, 'proxy.host' : '127.0.0.1', 'proxy.port' : {}}})",
        proxy.port
    );
    let ran = eval(&home, &pem, &ask).ended(0);
    assert_eq!(ran.out(), "{secure=1}\n", "{}", ran.err);
    assert_eq!(proxy.seen()[0].line, "CONNECT service.example:443 HTTP/1.1");
}
