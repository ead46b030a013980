//! The checks that every document goes through, each in one place.

use alloc::borrow::ToOwned;
use alloc::string::ToString as _;
use alloc::vec::Vec;

use touchmark_envelope::signed::{Options, Signed};
use touchmark_envelope::threshold::{Tally, ThresholdError};
use touchmark_envelope::{UnixTime, Unverified, Verified};

use crate::error::{Error, Shape};
use crate::limits::Limits;
use crate::metadata::{FileMeta, Header, Signatories};

/// At most so many bytes are hashed to check the signatures of one document, of which each check takes as many as the document has and
/// [`PER_CHECK`] more.
const MAX_WORK: usize = 4 << 30;
/// What a check costs beside the bytes that are hashed, in bytes.
const PER_CHECK: usize = 64 << 10;
/// So many checks are made of a document of any length.
const LEAST_CHECKS: usize = 16;

/// Reads a signed document, and makes an index of its targets. Nothing of it is trusted yet.
pub(crate) fn document(file: &str, bytes: Vec<u8>, limits: &Limits) -> Result<Unverified<Signed>, Error> {
    let options = Options { max_bytes: bytes.len(), max_signatures: limits.signatures, index: Some("targets") };
    Signed::parse(bytes, options).map_err(|source| Error::Document { file: file.to_owned(), source })
}

/// That a threshold of distinct keys of `role` signed the document (TUF 1.0, 5.3.4, 5.4.2, 5.5.3, 5.6.3).
pub(crate) fn signatures(role: &str, document: Unverified<Signed>, by: &Signatories) -> Result<Verified<Signed>, Error> {
    let needed = usize::try_from(by.threshold).unwrap_or(usize::MAX);
    let mut tally = Tally::new(by.keys.clone(), needed).map_err(|error| threshold_error(role, by, &error))?;
    let read = document.untrusted();
    let message = read.signed_bytes();
    // A key is checked at the price of hashing the document, so that a large one with many hopeless signatures would keep a client busy.
    let most = (MAX_WORK / message.len().saturating_add(PER_CHECK)).max(LEAST_CHECKS);
    let signers = by.keys.signers_within(message, read.signatures(), most);
    tally.count(&signers, || document);
    let valid = tally.distinct();
    let missed = || match signers.gave_up() {
        true => Error::TooMuchWork { role: role.to_owned(), needed: by.threshold, valid },
        false => Error::Threshold { role: role.to_owned(), needed: by.threshold, valid },
    };
    tally.finish().map_err(|_| missed())?.try_map(|mut counted| counted.pop().ok_or_else(missed))
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
