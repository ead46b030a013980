//! The authorities that a layout lists (ITE-7, `rootcas` and `intermediatecas`).

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use touchmark_envelope::UnixTime;
use touchmark_envelope::json::{Object, Value};

#[cfg(feature = "x509")]
use super::MAX_CERTIFICATES;
use super::{CertConstraint, Certified, MAX_AUTHORITIES, Uncertified};
use crate::document::Document;
use crate::error::Error;
use crate::key::{Unusable, decode};

#[cfg(feature = "x509")]
use super::path::Pool;
#[cfg(not(feature = "x509"))]
type Pool = ();

/// The authorities of a layout.
#[derive(Clone, Debug, Default)]
pub struct Authorities {
    #[cfg_attr(not(feature = "x509"), allow(dead_code, reason = "nothing is checked without it"))]
    pub(super) pool: Pool,
    /// The keyids of roots that can be used.
    roots: Vec<String>,
    unusable: Vec<(String, Unusable)>,
}

impl Authorities {
    /// Reads the two members of a layout. An authority that cannot be used is none, and is told of.
    pub(crate) fn read(layout: &Value<'_>) -> Result<Self, Error> {
        let mut read = Self::default();
        for (member, is_root) in [("rootcas", true), ("intermediatecas", false)] {
            let listed = match layout.get(member) {
                None | Some(Value::Null) => continue,
                Some(listed) => listed.as_object().ok_or(Error::Member(member))?,
            };
            if listed.len() > MAX_AUTHORITIES {
                return Err(Error::TooMany { what: member, limit: MAX_AUTHORITIES });
            }
            for (keyid, key) in listed.iter() {
                let key = key.as_object().ok_or(Error::Member(member))?;
                match read.add(keyid, key, is_root) {
                    Ok(()) if is_root => read.roots.push(keyid.to_owned()),
                    Ok(()) => {}
                    Err(why) => read.unusable.push((keyid.to_owned(), why)),
                }
            }
        }
        Ok(read)
    }

    /// Whether there is a root that a chain could lead to.
    pub fn has_root(&self) -> bool {
        !self.roots.is_empty()
    }

    /// The keyids of the roots.
    pub fn roots(&self) -> impl Iterator<Item = &str> {
        self.roots.iter().map(String::as_str)
    }

    /// The keyids of authorities that are none, and why.
    pub fn unusable(&self) -> &[(String, Unusable)] {
        &self.unusable
    }

    #[cfg(feature = "x509")]
    fn add(&mut self, keyid: &str, key: &Object<'_>, is_root: bool) -> Result<(), Unusable> {
        let refused = Unusable::Certificate;
        // Go writes the certificate beside the key, and ITE-7 in its place.
        let pem = |member| key.get("keyval").and_then(|keyval| keyval.get(member)).and_then(Value::as_str).filter(|pem| !pem.is_empty());
        let text = pem("certificate").or_else(|| pem("public")).ok_or(refused(Uncertified::Malformed))?;
        let certificate = super::x509::Certificate::from_pem(text).map_err(refused)?;
        let listed = decode(key);
        if matches!(listed, Err(Unusable::Private)) {
            return Err(Unusable::Private);
        }
        let is_other_key = listed.is_ok_and(|listed| certificate.key().is_none_or(|key| *key != listed));
        let is_other_keyid = key.get("keyid").is_some_and(|listed| listed.as_str() != Some(keyid));
        if is_other_key || is_other_keyid {
            return Err(refused(Uncertified::Contradiction));
        }
        self.pool.add(keyid, certificate, is_root).map_err(refused)
    }

    #[cfg(not(feature = "x509"))]
    fn add(&mut self, _: &str, key: &Object<'_>, _: bool) -> Result<(), Unusable> {
        match decode(key) {
            Err(Unusable::Private) => Err(Unusable::Private),
            _ => Err(Unusable::Certificate(Uncertified::Build)),
        }
    }
    /// The keys that validly sign `document` and whose certificates in it meet one of `constraints`, and why the first other one does not.
    ///
    /// A certificate belongs to the signature that it stands beside: its key is tried with no other. That is tried first, so that nobody
    /// who holds no key of a certificate has its chain checked.
    #[cfg(feature = "x509")]
    pub(crate) fn certified(
        &self,
        document: &Document,
        constraints: &[CertConstraint],
        at: UnixTime,
    ) -> (Vec<Certified>, Option<Uncertified>) {
        let (mut certified, mut refused) = (Vec::new(), None);
        let message = document.message();
        for (number, (signature, text)) in document.certificates().enumerate() {
            let one = || {
                if number >= MAX_CERTIFICATES {
                    return Err(Uncertified::TooMany);
                }
                let presented = super::path::Presented::read(text)?;
                match presented.key().map(|key| key.verify(&message, &signature.bytes))? {
                    Ok(_valid) => self.certify(&presented, constraints, at),
                    Err(_) => Err(Uncertified::Signature),
                }
            };
            match one() {
                Ok(one) => certified.push(one),
                // What was not tried might count, whatever else does not.
                Err(why) if why.is_unknown() => refused = Some(why),
                Err(why) => refused = refused.or(Some(why)),
            }
            if number >= MAX_CERTIFICATES {
                break;
            }
        }
        (certified, refused)
    }

    /// Nobody: this build checks no certificates.
    #[cfg(not(feature = "x509"))]
    pub(crate) fn certified(&self, document: &Document, _: &[CertConstraint], _: UnixTime) -> (Vec<Certified>, Option<Uncertified>) {
        (Vec::new(), document.certificates().next().map(|_| Uncertified::Build))
    }
}
