//! How registries are reached: what the command line's options say, without any registry's name.

use std::path::PathBuf;
use std::time::Duration;

/// How long a server may be silent, unless [`Access::timeout`] says otherwise.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);
/// How often a request is tried again, unless [`Access::retries`] says otherwise.
pub const DEFAULT_RETRIES: u32 = 4;

/// How a registry is reached. The default suits one with a certificate that the system trusts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// HTTP without TLS. To a loopback address this is tried by itself, unless a TLS option is given.
    pub plain_http: bool,
    /// TLS without checking the certificate.
    pub insecure: bool,
    /// Certificates (PEM) of authorities that are trusted besides the system's.
    pub ca_file: Option<PathBuf>,
    /// The client's certificate and its key (PEM).
    pub client_certificate: Option<(PathBuf, PathBuf)>,
    /// The credentials' file, in place of those that are looked for (SPEC.md, section "Authentication").
    pub registry_config: Option<PathBuf>,
    /// A user name and password, in place of any file.
    pub login: Option<Login>,
    /// How long the server may be silent; [`DEFAULT_TIMEOUT`] unless given.
    pub timeout: Option<Duration>,
    /// How often a request is tried again after 429, 5xx or a broken connection; [`DEFAULT_RETRIES`] times unless given.
    pub retries: Option<u32>,
    /// Whether anchor tags are written.
    pub anchors: Anchors,
    /// Bytes of the manifest that a reference names: 4 MiB unless given.
    pub max_manifest: Option<u64>,
}

/// A user name and a password, which Debug does not show. By the user name `<token>` the password is an identity token.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// The user name.
    pub username: String,
    /// The password.
    pub password: String,
}

/// The password is wiped from memory.
#[cfg(feature = "registry")]
impl Drop for Login {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.password);
    }
}

impl core::fmt::Debug for Login {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Login").field("username", &self.username).finish_non_exhaustive()
    }
}

/// Whether a tag of its own keeps each referrer in a registry without the referrers API.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Anchors {
    /// Each signature and attestation gets one.
    #[default]
    Written,
    /// None is written: concurrent writers may lose signatures.
    Omitted,
}
