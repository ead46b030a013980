//! What a signer says of an artifact.

use std::collections::BTreeMap;

use touchmark_envelope::signature::{MAX_ANNOTATIONS, Signature};
use touchmark_envelope::{Name, UnixTime};

use super::SigningError;

/// What a signer says of an artifact, beside which one it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claim {
    /// The name that the publisher gives it.
    pub name: Option<Name>,
    /// How long the signature counts; for ever without.
    pub lifetime: Option<Lifetime>,
    /// What else the signer says.
    pub annotations: BTreeMap<String, String>,
}

/// How long a signature counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifetime {
    /// For so many seconds from when it was issued.
    Seconds(i64),
    /// Until this time.
    Until(UnixTime),
}

impl Lifetime {
    /// When a signature issued at `issued` stops to count; `None` if the calendar ends before.
    pub fn end(self, issued: UnixTime) -> Option<UnixTime> {
        match self {
            Lifetime::Seconds(seconds) => issued.plus(seconds),
            Lifetime::Until(time) => Some(time),
        }
    }
}

impl Claim {
    /// Puts the claim into a signature that has the artifact and the time of issue.
    pub(super) fn put_into(&self, signature: &mut Signature) -> Result<(), SigningError> {
        if self.annotations.len() > MAX_ANNOTATIONS {
            return Err(SigningError::TooManyAnnotations { found: self.annotations.len() });
        }
        signature.name.clone_from(&self.name);
        signature.annotations.clone_from(&self.annotations);
        signature.expires = match self.lifetime {
            None => None,
            Some(lifetime) => Some(lifetime.end(signature.issued).ok_or(SigningError::Calendar)?),
        };
        match signature.expires {
            Some(expires) if expires <= signature.issued => Err(SigningError::ExpiresBeforeIssue { issued: signature.issued, expires }),
            _ => Ok(()),
        }
    }

    /// Whether `existing` says at `now` what a signature made of this claim and `built` would, so that another adds nothing.
    ///
    /// Of a lifetime in seconds at least half must be left: a publisher who signs anew every week for ninety days wants the
    /// signature renewed in time, and one whose pipeline runs twice does not want two.
    pub(super) fn is_said_by(&self, existing: &Signature, built: &Signature, now: UnixTime) -> bool {
        let same = existing.media_type == built.media_type
            && existing.size == built.size
            && existing.digests == built.digests
            && existing.name == built.name
            && existing.annotations == built.annotations;
        let lives = match (self.lifetime, existing.expires) {
            (None, None) => true,
            (Some(Lifetime::Until(until)), Some(expires)) => expires == until && now < expires,
            (Some(Lifetime::Seconds(seconds)), Some(expires)) => {
                existing.issued.plus(seconds) == Some(expires) && now.plus(seconds / 2).is_some_and(|half| half <= expires)
            }
            _ => false,
        };
        same && lives
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400;

    fn at(seconds: i64) -> UnixTime {
        UnixTime::from_seconds(seconds).unwrap()
    }

    fn made(claim: &Claim, issued: i64) -> Signature {
        let mut signature = Signature::of(b"{}", "type", at(issued));
        claim.put_into(&mut signature).unwrap();
        signature
    }

    #[test]
    fn a_signature_is_renewed_when_half_of_its_time_is_over() {
        let claim = Claim { lifetime: Some(Lifetime::Seconds(90 * DAY)), ..Claim::default() };
        let existing = made(&claim, 0);
        let said = |now: i64| claim.is_said_by(&existing, &made(&claim, now), at(now));
        assert!(said(0) && said(DAY) && said(45 * DAY));
        assert!(!said(45 * DAY + 1) && !said(90 * DAY) && !said(1000 * DAY));
    }

    #[test]
    fn another_claim_is_not_said() {
        let claim = Claim { name: Some("acme/x:1".parse().unwrap()), ..Claim::default() };
        let existing = made(&claim, 0);
        let mut others = [claim.clone(), claim.clone(), claim.clone(), claim.clone()];
        others[0].name = None;
        others[1].name = Some("acme/x".parse().unwrap());
        others[2].annotations.insert("a".to_owned(), "b".to_owned());
        others[3].lifetime = Some(Lifetime::Until(at(DAY)));
        assert!(claim.is_said_by(&existing, &made(&claim, 5), at(5)));
        for other in others {
            assert!(!other.is_said_by(&existing, &made(&other, 5), at(5)), "{other:?}");
            assert!(!claim.is_said_by(&made(&other, 0), &made(&claim, 5), at(5)), "{other:?}");
        }
        let mut of_another = existing.clone();
        of_another.size += 1;
        assert!(!claim.is_said_by(&of_another, &existing, at(5)));
    }

    #[test]
    fn a_given_end_is_kept() {
        let claim = Claim { lifetime: Some(Lifetime::Until(at(DAY))), ..Claim::default() };
        let existing = made(&claim, 0);
        assert_eq!(existing.expires, Some(at(DAY)));
        assert!(claim.is_said_by(&existing, &made(&claim, DAY - 1), at(DAY - 1)));
        assert!(!claim.is_said_by(&existing, &existing, at(DAY)));
        let mut late = Signature::of(b"{}", "type", at(DAY));
        assert!(matches!(claim.put_into(&mut late), Err(SigningError::ExpiresBeforeIssue { .. })));
    }

    #[test]
    fn what_could_not_be_verified_is_not_signed() {
        let mut signature = Signature::of(b"{}", "type", at(0));
        let refuse = |claim: Claim, signature: &mut Signature| claim.put_into(signature).unwrap_err();
        let lifetime = |lifetime| Claim { lifetime: Some(lifetime), ..Claim::default() };
        assert!(matches!(refuse(lifetime(Lifetime::Seconds(i64::MAX)), &mut signature), SigningError::Calendar));
        assert!(matches!(refuse(lifetime(Lifetime::Seconds(0)), &mut signature), SigningError::ExpiresBeforeIssue { .. }));
        assert!(matches!(
            refuse(lifetime(Lifetime::Seconds(-1)), &mut signature),
            SigningError::ExpiresBeforeIssue { .. } | SigningError::Calendar
        ));
        let annotations = (0..=MAX_ANNOTATIONS).map(|n| (n.to_string(), String::new())).collect();
        let refused = refuse(Claim { annotations, ..Claim::default() }, &mut signature);
        assert!(matches!(refused, SigningError::TooManyAnnotations { .. }));
    }
}
