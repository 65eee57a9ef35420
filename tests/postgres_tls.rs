//! TLS to PostgreSQL: what each `sslmode` believes. The server of the tests knows no TLS itself; what stands before it
//! does.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use std::sync::Arc;
use stellar::config::Secretive;
use stellar::store::postgres::{Answer, Failure, Kind, Pool};
use support::postgres::within;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

fn main() {
    support::live::run(
        "STELLAR_TEST_POSTGRES",
        &[
            (
                "only_verify_full_asks_who_it_is",
                only_verify_full_asks_who_it_is,
            ),
            (
                "files_of_authorities_must_be_right",
                files_of_authorities_must_be_right,
            ),
        ],
    );
}

/// Takes connections with TLS for a name, and passes on what they say: its port and its certificate.
fn before(server: &str, name: &str) -> (u16, String) {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(vec![name.to_string()]).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let (_, place) = server.rsplit_once('@').unwrap();
    let place = place.split('/').next().unwrap().to_string();
    let (told, port) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async move {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            told.send(listener.local_addr().unwrap().port()).unwrap();
            loop {
                let (mut plain, _) = listener.accept().await.unwrap();
                let (acceptor, place) = (acceptor.clone(), place.clone());
                tokio::spawn(async move {
                    // The request for TLS: eight bytes, answered by one.
                    let mut asked = [0; 8];
                    plain.read_exact(&mut asked).await.unwrap();
                    assert_eq!(asked, [0, 0, 0, 8, 4, 210, 22, 47]);
                    plain.write_all(b"S").await.unwrap();
                    if let Ok(mut secret) = acceptor.accept(plain).await {
                        let mut behind = TcpStream::connect(place).await.unwrap();
                        let _ = copy_bidirectional(&mut secret, &mut behind).await;
                    }
                });
            }
        });
    });
    (port.recv().unwrap(), cert.pem())
}

fn one(address: &str) -> Answer<i32> {
    let pool = Pool::new(&Secretive::new(address)).unwrap();
    let cancel = Arc::default();
    pool.run(within(&cancel), |session, _| {
        let rows = session.query("SELECT 1", &[], within(&cancel))?;
        Ok(rows[0].try_get(0)?)
    })
}

fn with(server: &str, host: &str, port: u16, options: &str) -> String {
    let (front, back) = server.rsplit_once('@').unwrap();
    let (_, database) = back.split_once('/').unwrap();
    format!("{front}@{host}:{port}/{database}?{options}")
}

#[track_caller]
fn refused(answer: Answer<i32>, word: &str) {
    let failure = answer.unwrap_err();
    let message = match failure {
        Failure::Fault(fault) => fault.message,
        other => {
            assert_eq!(other.kind(), Some(Kind::Connection), "{other:?}");
            other.report().unwrap().message.clone()
        }
    };
    assert!(message.contains(word), "{message}");
}

fn only_verify_full_asks_who_it_is(server: &str) {
    let folder = tempfile::tempdir().unwrap();
    let (port, pem) = before(server, "localhost");
    let file = folder.path().join("authorities.pem");
    std::fs::write(&file, &pem).unwrap();
    for options in ["sslmode=require", "sslmode=prefer", ""] {
        assert_eq!(
            one(&with(server, "localhost", port, options)).unwrap(),
            1,
            "{options}"
        );
    }
    let full = format!("sslmode=verify-full&sslrootcert={}", file.display());
    assert_eq!(one(&with(server, "localhost", port, &full)).unwrap(), 1);
    // Another name, and authorities that do not know it.
    refused(
        one(&with(server, "127.0.0.1", port, &full)),
        "not valid for name",
    );
    let (port, _) = before(server, "localhost");
    refused(one(&with(server, "localhost", port, &full)), "certificate");
    // Nothing is sent in the open where TLS is demanded, and TLS is left alone where it is not wanted.
    refused(one(&format!("{server}?sslmode=require")), "TLS");
    refused(one(&format!("{server}?{full}")), "TLS");
    assert_eq!(one(&format!("{server}?sslmode=disable")).unwrap(), 1);
}

fn files_of_authorities_must_be_right(server: &str) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("none.pem");
    let options = format!("sslmode=verify-full&sslrootcert={}", file.display());
    refused(one(&format!("{server}?{options}")), "cannot be read");
    std::fs::write(&file, "nothing\n").unwrap();
    refused(one(&format!("{server}?{options}")), "holds no certificates");
}
