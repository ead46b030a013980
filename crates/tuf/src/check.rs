//! The checks that every document goes through, each in one place.

use alloc::borrow::ToOwned;
use alloc::string::ToString as _;
use alloc::vec::Vec;

use touchmark_envelope::signed::{Options, Signed};
use touchmark_envelope::threshold::{Signers, Tally, ThresholdError};
use touchmark_envelope::{UnixTime, Unverified, Verified};

use crate::error::{Error, Shape};
use crate::limits::Limits;
use crate::metadata::{FileMeta, Header, Signatories};

/// At most so many bytes are hashed to check the signatures of one document, of which each check takes as many as the document has and
/// [`PER_CHECK`] more.
const MAX_WORK: u64 = 4 << 30;
/// What a check costs beside the bytes that are hashed, in bytes.
const PER_CHECK: u64 = 64 << 10;
/// So many checks are made of a document of any length.
const LEAST_CHECKS: u64 = 16;

/// Reads a signed document, and makes an index of its targets. Nothing of it is trusted yet.
pub(crate) fn document(file: &str, bytes: Vec<u8>, limits: &Limits) -> Result<Unverified<Signed>, Error> {
    let options = Options { max_bytes: bytes.len(), max_signatures: limits.signatures, index: Some("targets") };
    Signed::parse(bytes, options).map_err(|source| Error::Document { file: file.to_owned(), source })
}

/// That a threshold of distinct keys of `role` signed the document (TUF 1.0, 5.3.4, 5.4.2, 5.5.3, 5.6.3).
pub(crate) fn signatures(role: &str, document: Unverified<Signed>, by: &Signatories) -> Result<Verified<Signed>, Error> {
    let needed = usize::try_from(by.threshold).unwrap_or(usize::MAX);
    let mut tally = Tally::new(by.keys.clone(), needed).map_err(|error| threshold_error(role, by, &error))?;
    let signers = signers(document.untrusted().signed_bytes(), document.untrusted(), by);
    #[cfg(feature = "olpc-dialect")]
    let signers = match signers.keys().len() < needed {
        true => signers_of_dialect(document.untrusted(), by).filter(|signers| signers.keys().len() >= needed).unwrap_or(signers),
        false => signers,
    };
    tally.count(&signers, || document);
    let valid = tally.distinct();
    let missed = || match signers.gave_up() {
        true => Error::TooMuchWork { role: role.to_owned(), needed: by.threshold, valid },
        false => Error::Threshold { role: role.to_owned(), needed: by.threshold, valid },
    };
    tally.finish().map_err(|_| missed())?.try_map(|mut counted| counted.pop().ok_or_else(missed))
}

/// The keys that signed the document, whose canonical form `message` is.
pub(crate) fn signers(message: &[u8], document: &Signed, by: &Signatories) -> Signers {
    // A key is checked at the price of hashing the document, so that a large one with many hopeless signatures would keep a client busy.
    let length = u64::try_from(message.len()).unwrap_or(u64::MAX);
    let most = (MAX_WORK / length.saturating_add(PER_CHECK)).max(LEAST_CHECKS);
    by.keys.signers_within(message, document.signatures(), usize::try_from(most).unwrap_or(usize::MAX))
}

/// The keys that signed the document in the canonical form of olpc-cjson (feature `olpc-dialect`); `None` if it has none, as where two
/// members have names that are one to it.
#[cfg(feature = "olpc-dialect")]
fn signers_of_dialect(document: &Signed, by: &Signatories) -> Option<Signers> {
    let text = document.signed_text().as_bytes();
    let message = touchmark_envelope::canonical::olpc::to_vec(text, text.len()).ok()?;
    Some(signers(&message, document, by))
}

fn threshold_error(role: &str, by: &Signatories, error: &ThresholdError) -> Error {
    match error {
        ThresholdError::Missed { found, .. } => Error::Threshold { role: role.to_owned(), needed: by.threshold, valid: *found },
        _ => Error::Unreachable { role: role.to_owned(), needed: by.threshold, keys: by.keys.len() },
    }
}

/// That the bytes have the length and every supported digest that are listed of them (5.5.1, 5.5.2, 5.6.1, 5.6.2).
pub(crate) fn listed(file: &str, bytes: &[u8], meta: &FileMeta) -> Result<(), Error> {
    let found = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    if let Some(expected) = meta.length.filter(|expected| *expected != found) {
        return Err(Error::Length { file: file.to_owned(), expected, found });
    }
    match meta.hashes.iter().find(|digest| !digest.matches(bytes)) {
        Some(digest) => Err(Error::Hash { file: file.to_owned(), algorithm: digest.algorithm() }),
        None => Ok(()),
    }
}

/// That the version is the one that is listed or must follow (5.3.5, 5.5.4, 5.6.4).
pub(crate) fn version(file: &str, header: &Header, expected: u64) -> Result<(), Error> {
    if header.version == expected {
        return Ok(());
    }
    Err(Error::Version { file: file.to_owned(), expected, found: header.version })
}

/// That it expires after the fixed time of the update (5.3.10, 5.4.4, 5.5.6, 5.6.5).
pub(crate) fn unexpired(file: &str, header: &Header, at: UnixTime) -> Result<(), Error> {
    if header.expires > at {
        return Ok(());
    }
    Err(Error::Expired { file: file.to_owned(), expires: header.expires, at })
}

/// Makes an error of what is wrong with a file's shape.
pub(crate) fn malformed(file: &str) -> impl FnOnce(Shape) -> Error + use<> {
    let file = file.to_string();
    move |shape| Error::Malformed { file, shape }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Keys;
    use crate::metadata::RoleKeys;
    use alloc::format;
    use alloc::string::String;
    use touchmark_envelope::canonical;
    use touchmark_envelope::digest::hex;
    use touchmark_envelope::json::parse;
    use touchmark_envelope::key::KeyAlgorithm;
    use touchmark_envelope::sign::{PrivateKey, Signer as _};

    fn key() -> PrivateKey {
        PrivateKey::from_raw(KeyAlgorithm::Ed25519, &[7; 32]).unwrap()
    }

    fn signatories() -> Signatories {
        let public = hex(key().public_key().as_raw());
        let keys = format!(r#"{{"k":{{"keytype":"ed25519","scheme":"ed25519","keyval":{{"public":"{public}"}}}}}}"#);
        let keys = Keys::read(parse(keys.as_bytes(), keys.len()).unwrap().as_object().unwrap()).unwrap();
        RoleKeys { keyids: alloc::vec!["k".into()], threshold: 1 }.signatories(&keys)
    }

    /// What comes of a document whose signature is over `message`.
    fn check(signed: &str, message: &[u8]) -> Result<(), Error> {
        let signature = hex(&key().sign(message).unwrap());
        let bytes = format!(r#"{{"signatures":[{{"keyid":"k","sig":"{signature}"}}],"signed":{signed}}}"#).into_bytes();
        signatures("targets", document("targets.json", bytes, &Limits::default())?, &signatories()).map(|_| ())
    }

    /// olpc-cjson puts the second name before the first.
    const SORTED_OTHERWISE: &str = r#"{"foo":1,"foo bar":2}"#;

    #[test]
    fn signatures_are_over_canonical_json() {
        let canonical = canonical::to_vec(SORTED_OTHERWISE.as_bytes(), 100).unwrap();
        assert_eq!(check(SORTED_OTHERWISE, &canonical), Ok(()));
        assert_eq!(check(r#"{ "foo bar" : 2, "foo" : 1 }"#, &canonical), Ok(()));
        let missed = Err(Error::Threshold { role: String::from("targets"), needed: 1, valid: 0 });
        assert_eq!(check(SORTED_OTHERWISE, b"something else"), missed);
        let dialect = check(SORTED_OTHERWISE, br#"{"foo bar":2,"foo":1}"#);
        assert_eq!(dialect, if cfg!(feature = "olpc-dialect") { Ok(()) } else { missed });
    }

    #[cfg(feature = "olpc-dialect")]
    #[test]
    fn a_member_that_the_dialect_drops_is_not_accepted() {
        // Both are one name to olpc-cjson, which signs the one that comes first or last.
        let both = "{\"\u{e9}\":\"good\",\"e\u{301}\":\"evil\"}";
        for dropped in ["{\"\u{e9}\":\"good\"}", "{\"\u{e9}\":\"evil\"}"] {
            assert!(check(dropped, dropped.as_bytes()).is_ok());
            assert!(matches!(check(both, dropped.as_bytes()), Err(Error::Threshold { .. })));
        }
    }
}
