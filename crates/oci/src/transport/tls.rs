//! Certificates: those that are trusted, and the client's own (RFC 8446; RFC 5280).

use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig};
use zeroize::Zeroizing;

use crate::access::Access;
use crate::error::Error;

/// Bytes of a file with certificates or a key.
const MAX_FILE: u64 = 16 << 20;

/// What is trusted, and who the client is. The system's certificates are read when they are first needed, since most of what is
/// done on one machine goes without TLS; the files that the user named are read at once.
#[derive(Debug)]
pub(super) struct Tls {
    insecure: bool,
    authorities: Vec<Certificate<'static>>,
    client: Option<ClientCert>,
}

impl Tls {
    /// Reads the files that `access` names.
    pub(super) fn new(access: &Access) -> Result<Self, Error> {
        let authorities = access.ca_file.as_deref().map(authorities).transpose()?.unwrap_or_default();
        let client = match &access.client_certificate {
            Some((certificate, key)) => Some(client(certificate, key)?),
            None => None,
        };
        Ok(Self { insecure: access.insecure, authorities, client })
    }

    /// What the HTTP library is told. `identified` is whether the client shows its certificate: only to the registry itself.
    pub(super) fn config(&self, identified: bool) -> Result<TlsConfig, Error> {
        let mut trusted = self.authorities.clone();
        if !self.insecure {
            let system = rustls_native_certs::load_native_certs();
            let none = trusted.is_empty() && system.certs.is_empty();
            if let Some(error) = system.errors.first().filter(|_| none) {
                return Err(Error::Configuration { what: "the system's certificates".to_owned(), reason: error.to_string() });
            }
            trusted.extend(system.certs.iter().map(|certificate| Certificate::from_der(certificate).to_owned()));
        }
        let client = self.client.clone().filter(|_| identified);
        Ok(TlsConfig::builder()
            .unversioned_rustls_crypto_provider(Arc::new(ring::default_provider()))
            .root_certs(RootCerts::new_with_certs(&trusted))
            .client_cert(client)
            .disable_verification(self.insecure)
            .build())
    }

    /// Whether the client has a certificate.
    pub(super) fn has_client(&self) -> bool {
        self.client.is_some()
    }
}

fn authorities(path: &Path) -> Result<Vec<Certificate<'static>>, Error> {
    let certificates = certificates(path)?;
    for certificate in &certificates {
        // What cannot be an authority is refused here, where the file's name is known.
        let mut store = rustls::RootCertStore::empty();
        store.add(certificate.clone()).map_err(|error| configuration(path, &error.to_string()))?;
    }
    Ok(certificates.iter().map(|certificate| Certificate::from_der(certificate).to_owned()).collect())
}

fn client(certificate: &Path, key: &Path) -> Result<ClientCert, Error> {
    let chain = certificates(certificate)?;
    let pem = read(key)?;
    let parsed = PrivateKeyDer::from_pem_slice(&pem).map_err(|_| configuration(key, "no unencrypted private key in PEM"))?;
    // The HTTP library takes for granted that key and certificate belong together.
    let provider = Arc::new(ring::default_provider());
    rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_root_certificates(rustls::RootCertStore::empty()).with_client_auth_cert(chain.clone(), parsed))
        .map_err(|error| configuration(certificate, &format!("not usable with {}: {error}", key.display())))?;
    let key = PrivateKey::from_pem(&pem).map_err(|error| configuration(key, &error.to_string()))?;
    let chain: Vec<Certificate<'static>> = chain.iter().map(|certificate| Certificate::from_der(certificate).to_owned()).collect();
    Ok(ClientCert::new_with_certs(&chain, key))
}

/// The certificates of a PEM file, at least one.
fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let pem = read(path)?;
    let certificates = CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>();
    match certificates {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        Ok(_) => Err(configuration(path, "no certificate in PEM")),
        Err(error) => Err(configuration(path, &format!("no certificate in PEM: {error}"))),
    }
}

/// Wiped when dropped, for it may be a private key.
fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, Error> {
    let mut bytes = Zeroizing::new(Vec::new());
    let file = std::fs::File::open(path).map_err(|error| configuration(path, &error.to_string()))?;
    let mut file = file.take(MAX_FILE);
    file.read_to_end(&mut bytes).map_err(|error| configuration(path, &error.to_string()))?;
    Ok(bytes)
}

fn configuration(path: &Path, reason: &str) -> Error {
    Error::Configuration { what: path.display().to_string(), reason: reason.to_owned() }
}
