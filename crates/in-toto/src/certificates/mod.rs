//! Functionaries who are known by a certificate (ITE-7): whose certificates a layout takes, and by which authorities.
//!
//! A layout lists authorities (`rootcas`, `intermediatecas`), and a step says what a certificate must be like (`cert_constraints`). The
//! certificate stands beside a signature. It makes its own public key one that may sign for the step, in the one file that has it, and
//! nothing else: what is counted are distinct public keys, as everywhere.
//!
//! Paths are checked by `rustls-webpki`, one at a time, with the signatures of this library. What that leaves to its callers is checked
//! here: the root itself, key usage, and the names.

mod authorities;
#[cfg(feature = "x509")]
mod path;
mod requirements;
#[cfg(feature = "x509")]
mod signatures;
#[cfg(feature = "x509")]
mod x509;

use alloc::string::String;

use touchmark_envelope::UnixTime;
use touchmark_envelope::key::{KeyError, PublicKey};
use touchmark_envelope::pem::PemError;

pub use self::authorities::Authorities;
pub use self::requirements::{Allowed, CertConstraint};

/// Authorities of a layout, of roots and of others each.
pub const MAX_AUTHORITIES: usize = 64;
/// Constraints of a step.
pub const MAX_CERT_CONSTRAINTS: usize = 256;
/// Certificates that are looked at in one file: the first ones.
pub const MAX_CERTIFICATES: usize = 16;
/// Bytes of a certificate, as PEM.
pub const MAX_CERTIFICATE: usize = 64 << 10;

/// A public key that may sign in one file, since its certificate does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certified {
    /// The key.
    pub key: PublicKey,
    /// The subject of the certificate (RFC 4514), at most 256 characters of it.
    pub subject: String,
    /// The keyid of the root that its chain leads to.
    pub root: String,
}

/// Why a certificate makes nobody a functionary, or an authority is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Uncertified {
    /// The library was built without the feature for certificates.
    #[error("this build checks no certificates")]
    Build,
    /// No PEM with exactly one certificate.
    #[error("it is no certificate in PEM: {0}")]
    Pem(PemError),
    /// Larger than [`MAX_CERTIFICATE`].
    #[error("the certificate has more than {MAX_CERTIFICATE} bytes")]
    TooLarge,
    /// Not an X.509 certificate of version 3 that can be read.
    #[error("it is no X.509 certificate of version 3, or a malformed one")]
    Malformed,
    /// A critical extension that nobody here knows, or one that must not be there.
    #[error("the certificate has a critical extension that is not known")]
    Extension,
    /// Its key is none that signatures are checked by.
    #[error("the certificate's key is not taken: {0}")]
    Key(KeyError),
    /// What the layout lists beside the certificate is another key, or another keyid, than it lists it under.
    #[error("the layout lists the certificate with another key or keyid")]
    Contradiction,
    /// The signature that it stands beside is not by its key.
    #[error("the signature is not one of the certificate beside it")]
    Signature,
    /// Its key may not make signatures (RFC 5280, 4.2.1.3).
    #[error("the certificate's key usage does not have digital signatures")]
    KeyUsage,
    /// It is for something else (RFC 5280, 4.2.1.12).
    #[error("the certificate's extended key usage has neither code signing nor server authentication")]
    Purpose,
    /// It is not that of an authority (RFC 5280, 4.2.1.9 and 4.2.1.3).
    #[error("the certificate is not one of an authority")]
    NotAuthority,
    /// It is that of an authority, which signs certificates and nothing else.
    #[error("the certificate is one of an authority")]
    Authority,
    /// It, or one in its chain, is not valid yet.
    #[error("a certificate is valid only from {from}")]
    NotYetValid {
        /// From when on.
        from: UnixTime,
    },
    /// It, or one in its chain, is not valid any more.
    #[error("a certificate was valid only until {until}")]
    Expired {
        /// Until when.
        until: UnixTime,
    },
    /// There are more authorities below one than it allows (RFC 5280, 4.2.1.9).
    #[error("the chain is longer than an authority in it allows")]
    PathLength,
    /// A name that an authority may not vouch for, or constraints of a kind that is not checked (RFC 5280, 4.2.1.10).
    #[error("an authority of the chain may not vouch for its names, or has constraints that are not checked")]
    NameConstraints,
    /// A certificate of the chain is signed in a way that is not checked.
    #[error("a certificate of the chain is signed by an algorithm that is not taken")]
    Algorithm,
    /// Nothing leads to a root of the layout, or what would is not signed by it.
    #[error("no chain of the certificate leads to a root of the layout")]
    Untrusted,
    /// There are so many possible chains that not all were tried.
    #[error("the layout's authorities make so many chains that not all were tried")]
    TooManyPaths,
    /// More than [`MAX_CERTIFICATES`] in one file.
    #[error("the file has more than {MAX_CERTIFICATES} certificates")]
    TooMany,
    /// A name in a form that is not read, so that nothing can be said of it.
    #[error("the certificate has a name in a form that is not read")]
    Names,
    /// No constraint of the step is met by its names (ITE-7).
    #[error("the names of the certificate `{}` meet no constraint of the step", subject.escape_debug())]
    Constraints {
        /// Its subject, at most 256 characters of it.
        subject: String,
    },
    /// The constraints that its names meet are for other roots (ITE-7).
    #[error("the chain of the certificate `{}` leads to `{}`, and the constraints that its names meet are for other roots", subject.escape_debug(), root.escape_debug())]
    Root {
        /// Its subject, at most 256 characters of it.
        subject: String,
        /// The keyid of the root, at most 128 characters of it.
        root: String,
    },
}

impl Uncertified {
    /// A stable name for the reason.
    pub fn code(&self) -> &'static str {
        match self {
            Uncertified::Build => "in-toto-certificate-build",
            Uncertified::Pem(_) | Uncertified::TooLarge | Uncertified::Malformed | Uncertified::Names => "in-toto-certificate-malformed",
            Uncertified::Extension => "in-toto-certificate-extension",
            Uncertified::Key(_) => "in-toto-certificate-key",
            Uncertified::Contradiction => "in-toto-certificate-contradiction",
            Uncertified::Signature => "in-toto-certificate-signature",
            Uncertified::KeyUsage | Uncertified::Purpose => "in-toto-certificate-usage",
            Uncertified::NotAuthority | Uncertified::Authority => "in-toto-certificate-authority",
            Uncertified::NotYetValid { .. } | Uncertified::Expired { .. } => "in-toto-certificate-time",
            Uncertified::PathLength | Uncertified::NameConstraints | Uncertified::Algorithm | Uncertified::Untrusted => {
                "in-toto-certificate-chain"
            }
            Uncertified::TooManyPaths | Uncertified::TooMany => "in-toto-certificate-limit",
            Uncertified::Constraints { .. } => "in-toto-certificate-constraints",
            Uncertified::Root { .. } => "in-toto-certificate-root",
        }
    }

    /// Whether it might count if a limit were higher.
    pub(crate) fn is_unknown(&self) -> bool {
        matches!(self, Uncertified::TooManyPaths | Uncertified::TooMany)
    }
}
