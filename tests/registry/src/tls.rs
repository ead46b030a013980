//! TLS with certificates that are made when the registry starts.

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};

/// The year in which other certificates expire.
const FAR: i32 = 4000;

/// TLS, and who makes the certificates.
#[derive(Clone, Debug)]
pub struct Tls {
    /// Who signs the server's certificate.
    pub authority: Arc<Authority>,
    /// The names and addresses in the server's certificate.
    pub names: Vec<String>,
    /// Whether a client must show a certificate of the same authority.
    pub client_certificates: bool,
    /// Whether the server's certificate has expired, in 2001.
    pub expired: bool,
}

impl Tls {
    /// TLS for 127.0.0.1, 127.0.0.2, ::1 and localhost.
    #[must_use]
    pub fn new(authority: &Arc<Authority>) -> Self {
        let names = ["127.0.0.1", "127.0.0.2", "::1", "localhost"].map(str::to_owned).to_vec();
        Self { authority: Arc::clone(authority), names, client_certificates: false, expired: false }
    }

    pub(crate) fn config(&self) -> Result<Arc<ServerConfig>, String> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let until = if self.expired { 2001 } else { FAR };
        let issued = self.authority.issue_until(&self.names, ExtendedKeyUsagePurpose::ServerAuth, until)?;
        let text = |error: &dyn std::fmt::Display| error.to_string();
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| text(&error))?;
        let builder = if self.client_certificates {
            let mut roots = RootCertStore::empty();
            roots.add(self.authority.certificate.der().clone()).map_err(|error| text(&error))?;
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().map_err(|error| text(&error))?;
            builder.with_client_cert_verifier(verifier)
        } else {
            builder.with_no_client_auth()
        };
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(issued.key.serialize_der()));
        builder.with_single_cert(vec![issued.certificate.der().clone()], key).map(Arc::new).map_err(|error| text(&error))
    }
}

/// A certificate authority of its own for a test.
pub struct Authority {
    certificate: rcgen::Certificate,
    issuer: Issuer<'static, KeyPair>,
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Authority")
    }
}

/// A certificate and its key.
pub(crate) struct Issued {
    pub(crate) certificate: rcgen::Certificate,
    pub(crate) key: KeyPair,
}

/// A certificate and its key, in files (PEM).
#[derive(Clone, Debug)]
pub struct Identity {
    /// The certificate.
    pub certificate: PathBuf,
    /// The key.
    pub key: PathBuf,
}

impl Authority {
    /// A new authority.
    ///
    /// # Panics
    /// The system has no random numbers.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::new(Self::make().unwrap_or_else(|error| panic!("no certificate authority: {error}")))
    }

    fn make() -> Result<Self, rcgen::Error> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.distinguished_name.push(DnType::CommonName, "test authority");
        let certificate = params.self_signed(&key)?;
        Ok(Self { certificate, issuer: Issuer::new(params, key) })
    }

    /// The authority's certificate (PEM).
    #[must_use]
    pub fn pem(&self) -> String {
        self.certificate.pem()
    }

    /// Writes the authority's certificate (PEM) to `path`, for `--ca-file` and `SSL_CERT_FILE`.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, path: &Path) -> std::io::Result<()> {
        std::fs::write(path, self.pem())
    }

    /// Makes a client's certificate, and writes it and its key into `folder`.
    ///
    /// # Errors
    /// The files cannot be written.
    pub fn client(&self, folder: &Path) -> std::io::Result<Identity> {
        self.identity(folder, "client", &["client"], ExtendedKeyUsagePurpose::ClientAuth)
    }

    /// Makes a server's certificate for these names and addresses, and writes it and its key into `folder`.
    ///
    /// # Errors
    /// The files cannot be written.
    pub fn server(&self, folder: &Path, names: &[&str]) -> std::io::Result<Identity> {
        self.identity(folder, "server", names, ExtendedKeyUsagePurpose::ServerAuth)
    }

    /// A certificate and a key to sign tokens with.
    pub(crate) fn issue_signer(&self) -> Result<Issued, String> {
        self.issue(&["token service".to_owned()], ExtendedKeyUsagePurpose::Any)
    }

    fn identity(&self, folder: &Path, stem: &str, names: &[&str], usage: ExtendedKeyUsagePurpose) -> std::io::Result<Identity> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let issued = self.issue(&names, usage).map_err(std::io::Error::other)?;
        let identity = Identity { certificate: folder.join(format!("{stem}.pem")), key: folder.join(format!("{stem}.key")) };
        std::fs::write(&identity.certificate, issued.certificate.pem())?;
        std::fs::write(&identity.key, issued.key.serialize_pem())?;
        Ok(identity)
    }

    fn issue(&self, names: &[String], usage: ExtendedKeyUsagePurpose) -> Result<Issued, String> {
        self.issue_until(names, usage, FAR)
    }

    /// A certificate that expires with the beginning of that year.
    fn issue_until(&self, names: &[String], usage: ExtendedKeyUsagePurpose, year: i32) -> Result<Issued, String> {
        let issue = || {
            let key = KeyPair::generate()?;
            let mut params = CertificateParams::new(names)?;
            params.distinguished_name.push(DnType::CommonName, names.first().map_or("test", String::as_str));
            params.not_after = rcgen::date_time_ymd(year, 1, 1);
            params.extended_key_usages = vec![usage];
            params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
            let certificate = params.signed_by(&key, &self.issuer)?;
            Ok(Issued { certificate, key })
        };
        issue().map_err(|error: rcgen::Error| error.to_string())
    }
}

/// A connection that speaks TLS; none if the client spoke plain HTTP, which is answered as Go's servers do.
pub(crate) fn accept(config: &Arc<ServerConfig>, mut stream: TcpStream) -> Option<StreamOwned<ServerConnection, TcpStream>> {
    use std::io::{Read as _, Write as _};
    let mut first = [0];
    if stream.peek(&mut first).ok()? == 1 && first != [0x16] {
        let _ = stream.read(&mut [0; 4096]);
        let _ = stream.write_all(b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n");
        return None;
    }
    Some(StreamOwned::new(ServerConnection::new(Arc::clone(config)).ok()?, stream))
}
