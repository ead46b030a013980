//! One certificate (RFC 5280): its key, its names, and what its key may be used for.

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::time::Duration;

use der::asn1::{Ia5StringRef, ObjectIdentifier, PrintableStringRef, Utf8StringRef};
use der::{Any, Decode as _, Encode as _, Tag, Tagged as _};
use rustls_pki_types::CertificateDer;
use touchmark_envelope::UnixTime;
use touchmark_envelope::key::{KeyError, PublicKey};
use touchmark_envelope::pem;
use webpki::EndEntityCert;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{BasicConstraints, KeyUsage, SubjectAltName};

use super::requirements::Names;
use super::{MAX_CERTIFICATE, Uncertified};
use crate::error::cut;

const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");
const ORGANIZATION: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.10");

/// A certificate that was read, and that nothing vouches for.
#[derive(Clone, Debug)]
pub(super) struct Certificate {
    pub(super) der: CertificateDer<'static>,
    /// The names of the subject and of who issued it, as they are encoded.
    pub(super) subject: Vec<u8>,
    pub(super) issuer: Vec<u8>,
    shown: String,
    key: Result<PublicKey, KeyError>,
    read: x509_cert::Certificate,
}

impl Certificate {
    /// Reads a PEM with one certificate.
    pub(super) fn from_pem(text: &str) -> Result<Self, Uncertified> {
        if text.len() > MAX_CERTIFICATE {
            return Err(Uncertified::TooLarge);
        }
        Self::from_der(pem::one("CERTIFICATE", text.as_bytes()).map_err(Uncertified::Pem)?)
    }

    fn from_der(der: Vec<u8>) -> Result<Self, Uncertified> {
        let read = x509_cert::Certificate::from_der(&der).map_err(|_| Uncertified::Malformed)?;
        let der = CertificateDer::from(der);
        // Refuses what it does not know and is critical.
        let (subject, issuer) = match EndEntityCert::try_from(&der) {
            Ok(certificate) => (certificate.subject().to_vec(), certificate.issuer().to_vec()),
            Err(webpki::Error::UnsupportedCriticalExtension) => return Err(Uncertified::Extension),
            Err(_) => return Err(Uncertified::Malformed),
        };
        let shown = cut(&read.tbs_certificate().subject().to_string(), 256);
        let spki = read.tbs_certificate().subject_public_key_info().to_der().map_err(|_| Uncertified::Malformed)?;
        let key = PublicKey::from_spki_der(&spki).or_else(|other| {
            PublicKey::rsa_from_spki_der(&spki).map_err(|rsa| match rsa {
                KeyError::Unsupported { .. } => other,
                rsa => rsa,
            })
        });
        Ok(Self { der, subject, issuer, shown, key, read })
    }

    /// Its key, if it is one that signatures of links are checked by.
    pub(super) fn key(&self) -> Option<&PublicKey> {
        self.key.as_ref().ok()
    }

    /// The key that may make signatures of links (RFC 5280, 4.2.1.3).
    pub(super) fn signing_key(&self) -> Result<&PublicKey, Uncertified> {
        let key = self.key.as_ref().map_err(|error| Uncertified::Key(error.clone()))?;
        match self.key_usage()? {
            Some(usage) if !usage.digital_signature() => Err(Uncertified::KeyUsage),
            _ => Ok(key),
        }
    }

    /// Its subject, for people.
    pub(super) fn shown(&self) -> String {
        self.shown.clone()
    }

    /// How many authorities may stand below it, where it is one and says so (RFC 5280, 4.2.1.9): it is marked as one, and its key may
    /// sign certificates.
    pub(super) fn authority(&self) -> Result<Option<usize>, Uncertified> {
        let basic = self.read.tbs_certificate().get_extension::<BasicConstraints>().map_err(|_| Uncertified::Malformed)?;
        let basic = basic.map(|(_, basic)| basic).filter(|basic| basic.ca).ok_or(Uncertified::NotAuthority)?;
        match self.key_usage()? {
            Some(usage) if !usage.key_cert_sign() => Err(Uncertified::NotAuthority),
            _ => Ok(basic.path_len_constraint.map(usize::from)),
        }
    }

    /// Whether it is valid at a time, both ends included (RFC 5280, 4.1.2.5).
    pub(super) fn is_valid(&self, at: UnixTime) -> Result<(), Uncertified> {
        let validity = self.read.tbs_certificate().validity();
        let (from, until) = (time(validity.not_before.to_unix_duration()), time(validity.not_after.to_unix_duration()));
        match (from, until) {
            (Some(from), _) if at < from => Err(Uncertified::NotYetValid { from }),
            (_, Some(until)) if at > until => Err(Uncertified::Expired { until }),
            (Some(_), Some(_)) => Ok(()),
            _ => Err(Uncertified::Malformed),
        }
    }

    /// The names that constraints are about. One that cannot be read might be anything.
    pub(super) fn names(&self) -> Result<Names, Uncertified> {
        let mut names = Names::default();
        for attribute in self.read.tbs_certificate().subject().iter() {
            let list = match attribute.oid {
                COMMON_NAME => &mut names.common_names,
                ORGANIZATION => &mut names.organizations,
                _ => continue,
            };
            list.push(text(&attribute.value).ok_or(Uncertified::Names)?);
        }
        let alternative = self.read.tbs_certificate().get_extension::<SubjectAltName>().map_err(|_| Uncertified::Names)?;
        for name in alternative.into_iter().flat_map(|(_, names)| names.0) {
            match name {
                GeneralName::DnsName(name) => names.dns_names.push(name.to_string()),
                GeneralName::Rfc822Name(name) => names.emails.push(name.to_string()),
                GeneralName::UniformResourceIdentifier(name) => names.uris.push(name.to_string()),
                _ => names.has_others = true,
            }
        }
        Ok(names)
    }

    fn key_usage(&self) -> Result<Option<KeyUsage>, Uncertified> {
        let usage = self.read.tbs_certificate().get_extension::<KeyUsage>().map_err(|_| Uncertified::Malformed)?;
        Ok(usage.map(|(_, usage)| usage))
    }
}

/// The text of a name in one of the forms that certificates are made in now (RFC 5280, 4.1.2.4). How others are to be read is disputed.
fn text(value: &Any) -> Option<String> {
    match value.tag() {
        Tag::Utf8String => value.decode_as::<Utf8StringRef<'_>>().ok().map(|text| text.as_str().into()),
        Tag::PrintableString => value.decode_as::<PrintableStringRef<'_>>().ok().map(|text| text.as_str().into()),
        Tag::Ia5String => value.decode_as::<Ia5StringRef<'_>>().ok().map(|text| text.as_str().into()),
        _ => None,
    }
}

fn time(since: Duration) -> Option<UnixTime> {
    i64::try_from(since.as_secs()).ok().and_then(UnixTime::from_seconds)
}
