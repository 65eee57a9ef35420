//! The authorities that vouch for servers.

use std::path::Path;
use tokio_rustls::rustls::RootCertStore;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;

/// The authorities of a file in PEM, or those that this machine trusts. Errors: there are none, in words.
pub fn authorities(file: Option<&Path>) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    match file {
        Some(file) => {
            let bad = |error: &dyn std::fmt::Display| {
                format!(
                    "the certificates of {} cannot be read: {error}",
                    file.display()
                )
            };
            let found = CertificateDer::pem_file_iter(file).map_err(|error| bad(&error))?;
            for certificate in found {
                let certificate = certificate.map_err(|error| bad(&error))?;
                roots.add(certificate).map_err(|error| bad(&error))?;
            }
        }
        None => {
            let found = rustls_native_certs::load_native_certs();
            roots.add_parsable_certificates(found.certs);
        }
    }
    if roots.is_empty() {
        return Err(match file {
            Some(file) => format!("{} holds no certificates", file.display()),
            None => "this machine has no certificates of authorities for TLS".to_string(),
        });
    }
    Ok(roots)
}
