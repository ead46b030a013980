//! One document by itself, signed where there is no copy of its repository.

use std::path::{Path, PathBuf};

use touchmark_envelope::key::PublicKey;
use touchmark_envelope::sign::Signer;
use touchmark_envelope::{Digest, UnixTime};
use touchmark_oci::files;
use touchmark_tuf::metadata::TopLevel;
use touchmark_tuf::repository::{Differences, Document, EditError, Mandate, differences};

use super::RepositoryError;
use super::open::write_document;
use super::report::NAMED_TARGETS;
use super::sign::signed_digest;

/// Bytes of a document that a client reads (SPEC.md, 21.9).
const MAX_DOCUMENT: u64 = 1 << 30;

/// A staged document that came without its repository, such as by mail. Nothing but the document says what it is, and which role it is for
/// is not in it.
#[derive(Clone, Debug)]
pub struct LoneDocument {
    /// The file.
    pub file: PathBuf,
    /// Its `_type`: `root`, `timestamp`, `snapshot` or `targets`.
    pub kind: &'static str,
    /// Its version.
    pub version: u64,
    /// When it expires.
    pub expires: UnixTime,
    /// What it says: of a root its keys and thresholds, else delegations and targets.
    pub says: Differences,
    /// The SHA-256 of what signatures are over: the canonical form of `signed`.
    pub digest: Digest,
    document: Document,
    /// As they were read.
    bytes: Vec<u8>,
}

/// What was signed of a document by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedAlone {
    /// The keys that signed it now.
    pub signed_by: Vec<PublicKey>,
    /// The keys that had signed it before.
    pub already: Vec<PublicKey>,
}

impl LoneDocument {
    /// Reads a document.
    ///
    /// # Errors
    /// It is not there, no signed document, or larger than any client reads.
    pub fn open(file: &Path) -> Result<Self, RepositoryError> {
        let bytes = files::read(file, MAX_DOCUMENT)?;
        let bytes = bytes.ok_or_else(|| RepositoryError::Input { file: file.to_owned(), reason: "there is no such file".to_owned() })?;
        let malformed = |source| RepositoryError::Document { file: file.to_owned(), source };
        let document = Document::open(bytes.clone()).map_err(malformed)?;
        Ok(Self {
            file: file.to_owned(),
            kind: document.kind().map_err(malformed)?,
            version: document.version().map_err(malformed)?,
            expires: document.expires().map_err(malformed)?,
            says: differences(None, &document, NAMED_TARGETS).map_err(malformed)?,
            digest: signed_digest(&document)?,
            document,
            bytes,
        })
    }

    /// Asserts that its digest is among those that are expected, if any are. A snapshot or timestamp must be expected: whether it is what a
    /// publish would make shows in a copy of the repository alone.
    ///
    /// # Errors
    /// [`RepositoryError::NotExpected`]; [`RepositoryError::Input`].
    pub fn assert_expected(&self, expected: Option<&[Digest]>) -> Result<(), RepositoryError> {
        match expected {
            Some(expected) if expected.contains(&self.digest) => Ok(()),
            Some(_) => Err(RepositoryError::NotExpected { what: self.file.display().to_string(), digest: self.digest }),
            None if matches!(self.kind, "snapshot" | "timestamp") => {
                let reason = format!("a {} is signed in a copy of the repository, or if its digest is expected", self.kind);
                Err(RepositoryError::Input { file: self.file.clone(), reason })
            }
            None => Ok(()),
        }
    }

    /// Adds the signatures of these signers, and writes the file anew. What is signed are the very bytes that the digest is of.
    ///
    /// The keyid beside a signature is that under which a root lists the key, else the one that is computed of it: whoever takes the
    /// signature over goes by the key.
    ///
    /// # Errors
    /// Those of [`assert_expected`](Self::assert_expected); a signer fails; [`RepositoryError::Changed`] if the file has been changed since.
    pub fn sign(&self, signers: &[Box<dyn Signer>], expected: Option<&[Digest]>) -> Result<SignedAlone, RepositoryError> {
        self.assert_expected(expected)?;
        let mut document = self.document.clone();
        let mandate = if self.kind == "root" { Some(Mandate::of_root(&document, TopLevel::Root)?) } else { None };
        let (mut signed_by, mut already) = (Vec::new(), Vec::new());
        for signer in signers {
            let key = signer.public_key();
            if has_signed(&document, key)? {
                already.push(key.clone());
            } else {
                document.sign(signer.as_ref(), mandate.as_ref().and_then(|mandate| mandate.keyid(key)))?;
                signed_by.push(key.clone());
            }
        }
        if !signed_by.is_empty() {
            if !files::holds(&self.file, &self.bytes)? {
                return Err(RepositoryError::Changed { role: self.file.display().to_string() });
            }
            write_document(&self.file, &document)?;
        }
        Ok(SignedAlone { signed_by, already })
    }
}

/// Whether a valid signature by this key is there, under whatever keyid.
fn has_signed(document: &Document, key: &PublicKey) -> Result<bool, EditError> {
    let message = document.signed_bytes()?;
    Ok(document.signatures().iter().any(|signature| key.verify(&message, &signature.bytes).is_ok()))
}
