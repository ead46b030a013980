//! Chains from a certificate to a root of the layout (RFC 5280, 6.1).

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use rustls_pki_types::{CertificateDer, UnixTime as PkiTime};
use touchmark_envelope::UnixTime;
use touchmark_envelope::key::PublicKey;
use webpki::{EndEntityCert, ExtendedKeyUsageValidator, KeyPurposeId, KeyPurposeIdIter, anchor_from_trusted_cert};

use super::requirements::CertConstraint;
use super::signatures::ALGORITHMS;
use super::x509::Certificate;
use super::{Authorities, Certified, Uncertified};
use crate::error::cut;

/// Authorities between a certificate and its root.
const MAX_DEPTH: usize = 6;
/// So many chains of one certificate are checked. An honest layout has few: one for each authority that was renewed under its name.
const MAX_PATHS: usize = 32;
/// So many authorities are looked at on the way.
const MAX_LOOKS: usize = 4096;

/// What a certificate that signs links is for, if it says so: code signing (1.3.6.1.5.5.7.3.3), anything, or server authentication
/// (1.3.6.1.5.5.7.3.1), which in-toto-golang wants.
const PURPOSES: [KeyPurposeId<'static>; 3] = [
    KeyPurposeId::new(&[0x2b, 6, 1, 5, 5, 7, 3, 3]),
    KeyPurposeId::new(&[0x55, 0x1d, 0x25, 0]),
    KeyPurposeId::new(&[0x2b, 6, 1, 5, 5, 7, 3, 1]),
];

/// Authorities that can be used.
#[derive(Clone, Debug, Default)]
pub(super) struct Pool {
    roots: Vec<Root>,
    others: Vec<Certificate>,
}

#[derive(Clone, Debug)]
struct Root {
    keyid: String,
    certificate: Certificate,
    /// How many authorities may stand between it and a certificate.
    most: Option<usize>,
}

impl Pool {
    pub(super) fn add(&mut self, keyid: &str, certificate: Certificate, is_root: bool) -> Result<(), Uncertified> {
        let most = certificate.authority()?;
        match is_root {
            true => self.roots.push(Root { keyid: keyid.to_owned(), certificate, most }),
            false => self.others.push(certificate),
        }
        Ok(())
    }
}

/// A certificate beside a signature, and its key.
#[derive(Debug)]
pub(crate) struct Presented(Certificate);

impl Presented {
    /// Reads a PEM.
    pub(crate) fn read(text: &str) -> Result<Self, Uncertified> {
        let certificate = Certificate::from_pem(text)?;
        certificate.signing_key()?;
        Ok(Self(certificate))
    }

    /// The key, which nothing vouches for.
    pub(crate) fn key(&self) -> Result<&PublicKey, Uncertified> {
        self.0.signing_key()
    }
}

impl Authorities {
    /// The certificate's key, if one of `constraints` is met at this time: by the names, by a chain to a root, and by that very root.
    pub(crate) fn certify(&self, presented: &Presented, constraints: &[CertConstraint], at: UnixTime) -> Result<Certified, Uncertified> {
        let (certificate, names) = (&presented.0, presented.0.names()?);
        let subject = certificate.shown();
        let met: Vec<&CertConstraint> = constraints.iter().filter(|constraint| constraint.is_met_by(&names)).collect();
        if met.is_empty() {
            return Err(Uncertified::Constraints { subject });
        }
        let is_allowed = |root: &Root| met.iter().any(|constraint| constraint.allows_root(&root.keyid));
        let mut search =
            Search { pool: &self.pool, certificate, at, paths: MAX_PATHS, looks: MAX_LOOKS, gave_up: false, refused: None, root: None };
        match search.climb(certificate, &mut Vec::new(), &is_allowed) {
            Some(root) => Ok(Certified { key: certificate.signing_key()?.clone(), subject, root: root.keyid.clone() }),
            None if search.gave_up => Err(Uncertified::TooManyPaths),
            None => Err(match (search.root, search.refused) {
                (Some(root), _) => Uncertified::Root { subject, root: cut(&root.keyid, 128) },
                (None, refused) => refused.unwrap_or(Uncertified::Untrusted),
            }),
        }
    }
}

/// The search for a chain.
struct Search<'a> {
    pool: &'a Pool,
    certificate: &'a Certificate,
    at: UnixTime,
    paths: usize,
    looks: usize,
    gave_up: bool,
    /// What the first chain that does not hold lacks.
    refused: Option<Uncertified>,
    /// A root that a chain leads to, and that is not allowed.
    root: Option<&'a Root>,
}

impl<'a> Search<'a> {
    /// An allowed root that a chain leads to which goes on from `last`, with the authorities of `path` before that.
    fn climb(&mut self, last: &'a Certificate, path: &mut Vec<usize>, is_allowed: &dyn Fn(&Root) -> bool) -> Option<&'a Root> {
        let pool = self.pool;
        for root in pool.roots.iter().filter(|root| root.certificate.subject == last.issuer) {
            if self.paths == 0 {
                self.gave_up = true;
                return None;
            }
            self.paths -= 1;
            match self.check(path, root) {
                Ok(()) if is_allowed(root) => return Some(root),
                Ok(()) => self.root = self.root.or(Some(root)),
                Err(why) => self.refused = self.refused.take().or(Some(why)),
            }
        }
        if path.len() == MAX_DEPTH {
            return None;
        }
        for (place, authority) in pool.others.iter().enumerate() {
            let Some(looks) = self.looks.checked_sub(1) else {
                self.gave_up = true;
                return None;
            };
            self.looks = looks;
            if authority.subject != last.issuer || path.contains(&place) {
                continue;
            }
            path.push(place);
            let found = self.climb(authority, path, is_allowed);
            path.pop();
            if found.is_some() {
                return found;
            }
        }
        None
    }

    /// Whether this chain holds.
    fn check(&self, path: &[usize], root: &Root) -> Result<(), Uncertified> {
        // What is trusted is looked at here: the library takes an anchor's name and key as they are.
        root.certificate.is_valid(self.at)?;
        if root.most.is_some_and(|most| path.len() > most) {
            return Err(Uncertified::PathLength);
        }
        let anchor = anchor_from_trusted_cert(&root.certificate.der).map_err(|_| Uncertified::Malformed)?;
        let others = path.iter().filter_map(|place| self.pool.others.get(*place));
        let others: Vec<CertificateDer<'_>> = others.map(|other| CertificateDer::from(other.der.as_ref())).collect();
        let certificate = EndEntityCert::try_from(&self.certificate.der).map_err(|_| Uncertified::Malformed)?;
        let seconds = u64::try_from(self.at.seconds()).map_err(|_| Uncertified::Malformed)?;
        let at = PkiTime::since_unix_epoch(Duration::from_secs(seconds));
        // Every certificate of the chain, in its order: another order of the same ones is another chain.
        let is_this = |found: &webpki::VerifiedPath<'_>| {
            let found = found.intermediate_certificates().map(|one| one.der());
            if found.eq(others.iter().cloned()) { Ok(()) } else { Err(webpki::Error::UnknownIssuer) }
        };
        match certificate.verify_for_usage(ALGORITHMS, &[anchor], &others, at, Purposes, None, Some(&is_this)) {
            Ok(_) => Ok(()),
            Err(error) => Err(reason(error)),
        }
    }
}

/// Whether a certificate is for signing links, and each authority may make such.
struct Purposes;

impl ExtendedKeyUsageValidator for Purposes {
    fn validate(&self, purposes: KeyPurposeIdIter<'_, '_>) -> Result<(), webpki::Error> {
        let mut is_any = true;
        for purpose in purposes {
            is_any = false;
            if PURPOSES.contains(&purpose?) {
                return Ok(());
            }
        }
        if is_any { Ok(()) } else { Err(webpki::Error::EmptyEkuExtension) }
    }
}

fn reason(error: webpki::Error) -> Uncertified {
    let time = |time: PkiTime| i64::try_from(time.as_secs()).ok().and_then(UnixTime::from_seconds);
    match error {
        webpki::Error::CertExpired { not_after, .. } => {
            time(not_after).map_or(Uncertified::Malformed, |until| Uncertified::Expired { until })
        }
        webpki::Error::CertNotValidYet { not_before, .. } => {
            time(not_before).map_or(Uncertified::Malformed, |from| Uncertified::NotYetValid { from })
        }
        webpki::Error::CaUsedAsEndEntity => Uncertified::Authority,
        webpki::Error::EndEntityUsedAsCa => Uncertified::NotAuthority,
        webpki::Error::EmptyEkuExtension => Uncertified::Purpose,
        webpki::Error::PathLenConstraintViolated => Uncertified::PathLength,
        webpki::Error::NameConstraintViolation
        | webpki::Error::MalformedNameConstraint
        | webpki::Error::InvalidNetworkMaskConstraint
        | webpki::Error::MaximumNameConstraintComparisonsExceeded => Uncertified::NameConstraints,
        webpki::Error::UnsupportedCriticalExtension => Uncertified::Extension,
        webpki::Error::UnsupportedSignatureAlgorithmContext(_) | webpki::Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => {
            Uncertified::Algorithm
        }
        webpki::Error::UnknownIssuer | webpki::Error::InvalidSignatureForPublicKey => Uncertified::Untrusted,
        _ => Uncertified::Malformed,
    }
}
