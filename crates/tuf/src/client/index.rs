//! What is kept beside a large targets file in the store, so that it is verified and read once and not at every start.
//!
//! An index says of one file, by its SHA-256: which keys validly signed it, and where its targets stand. It is made when all of that was
//! checked, and used only for a file whose digest the snapshot lists, under keys that the file's delegator still lists. It knows no name,
//! length or digest of any target: these are read from the file. So a forged one can hide targets and spare the counting of signatures,
//! but not bring in a file that the snapshot's keys do not vouch for.

use alloc::vec::Vec;

use touchmark_envelope::digest::Algorithm;
use touchmark_envelope::key::PublicKey;
use touchmark_envelope::signed::Signed;
use touchmark_envelope::threshold::hazmat;
use touchmark_envelope::{Digest, Verified};

use crate::metadata::{FileMeta, Signatories, Targets};

/// What an index begins with; the last byte is its version.
const MAGIC: [u8; 8] = *b"tmtuf\0i\x01";
/// A smaller file is read anew in no time.
const SMALLEST: usize = 64 << 10;
/// Bytes of a SHA-256.
const HASH: usize = 32;

/// The index of a role whose signatures were counted just now; none for a small one.
pub(super) fn make(role: &Verified<Targets>, meta: &FileMeta) -> Option<Vec<u8>> {
    let document = role.get().document();
    if document.bytes().len() < SMALLEST {
        return None;
    }
    let listed = meta.hashes.iter().find(|digest| digest.algorithm() == Algorithm::Sha256).copied();
    let file = listed.unwrap_or_else(|| Algorithm::Sha256.digest(document.bytes()));
    let outline = document.outline()?;
    let signers = role.evidence().keys();
    let count = u8::try_from(signers.len()).ok()?;
    let mut index = Vec::with_capacity(outline.len().saturating_add(1 << 10));
    index.extend_from_slice(&MAGIC);
    index.extend_from_slice(file.as_bytes());
    index.push(count);
    for key in signers {
        index.extend_from_slice(fingerprint(key).as_bytes());
    }
    index.extend_from_slice(&outline);
    let checksum = Algorithm::Sha256.digest(&index);
    index.extend_from_slice(checksum.as_bytes());
    Some(index)
}

/// Whether a role may have an index: the snapshot lists a digest of its file, and no length that is small.
pub(super) fn is_for(meta: &FileMeta) -> bool {
    !meta.hashes.is_empty() && meta.length.is_none_or(|length| usize::try_from(length).is_ok_and(|length| length >= SMALLEST))
}

/// The document that `bytes`, which are as `meta` lists them, are, if the index is this file's and enough of the keys that signed it still sign for the role; else the bytes
/// are given back.
pub(super) fn recall(bytes: Vec<u8>, index: &[u8], meta: &FileMeta, by: &Signatories) -> Result<Verified<Signed>, Vec<u8>> {
    let is_of = |file: &Digest| meta.hashes.contains(file) || file.matches(&bytes);
    let Some(index) = Index::read(index).filter(|index| is_of(&index.file)) else { return Err(bytes) };
    let needed = usize::try_from(by.threshold).unwrap_or(usize::MAX);
    let signed = |key: &PublicKey| index.signers.contains(&fingerprint(key));
    if by.keys.keys().iter().filter(|key| signed(key)).count() < needed {
        return Err(bytes);
    }
    let document = Signed::recall(bytes, "targets", index.outline)?;
    hazmat::recall(&by.keys, needed, signed, document).map_err(|_| Vec::new())
}

/// What identifies a key: its algorithm and its decoded value.
fn fingerprint(key: &PublicKey) -> Digest {
    let mut text = Vec::from(key.algorithm().name().as_bytes());
    text.push(0);
    text.extend_from_slice(key.as_raw());
    Algorithm::Sha256.digest(&text)
}

struct Index<'a> {
    file: Digest,
    signers: Vec<Digest>,
    outline: &'a [u8],
}

impl<'a> Index<'a> {
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let sha256 = |bytes: &[u8]| Digest::from_bytes(Algorithm::Sha256, bytes);
        let (content, checksum) = bytes.split_at_checked(bytes.len().checked_sub(HASH)?)?;
        sha256(checksum)?.matches(content).then_some(())?;
        let rest = content.strip_prefix(&MAGIC)?;
        let (file, rest) = rest.split_at_checked(HASH)?;
        let (count, rest) = rest.split_first()?;
        let (signers, outline) = rest.split_at_checked(usize::from(*count).checked_mul(HASH)?)?;
        Some(Self { file: sha256(file)?, signers: signers.chunks(HASH).map(sha256).collect::<Option<_>>()?, outline })
    }
}
