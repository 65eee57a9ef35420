//! TLS for both sides.

use std::path::Path;
use std::sync::Arc;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector};

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let bad = |error: &dyn std::fmt::Display| {
        let file = file.display();
        format!("the certificates of {file} cannot be read: {error}")
    };
    let found = CertificateDer::pem_file_iter(file).map_err(|error| bad(&error))?;
    let found: Result<Vec<_>, _> = found.collect();
    let found = found.map_err(|error| bad(&error))?;
    match found.is_empty() {
        true => Err(format!("{} holds no certificate", file.display())),
        false => Ok(found),
    }
}

/// The server's side, with its certificate and key in PEM. Errors: which file cannot be used.
pub fn acceptor(certificate: &Path, key: &Path) -> Result<TlsAcceptor, String> {
    let chain = certificates(certificate)?;
    // What is wrong with a key is not shown: it might hold a part of it.
    let key = PrivateKeyDer::from_pem_file(key)
        .map_err(|_| format!("the private key of {} cannot be read", key.display()))?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| format!("the certificate and the key cannot be used: {error}"))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// The client's side: the server must prove its name, to the authorities in `roots` or to those that this machine
/// trusts. Errors: what cannot be used.
pub fn connector(roots: Option<&Path>) -> Result<TlsConnector, String> {
    let mut store = RootCertStore::empty();
    match roots {
        Some(file) => {
            for certificate in certificates(file)? {
                store.add(certificate).map_err(|error| {
                    let file = file.display();
                    format!("the certificates of {file} cannot be used: {error}")
                })?;
            }
        }
        None => {
            let found = rustls_native_certs::load_native_certs();
            store.add_parsable_certificates(found.certs);
        }
    }
    if store.is_empty() {
        return Err("this machine has no certificates of authorities for TLS".to_owned());
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(store)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}
