//! What is kept beside a large targets file in the store, so that it is verified and read once and not at every start.
//!
//! An index says of one file, by its SHA-256: which keys validly signed it, and where its targets stand. It is made when all of that was
//! checked, and used only for a file whose digest the snapshot lists, under keys that the file's delegator still lists. It knows no name,
//! length or digest of any target: these are read from the file. So a forged one can hide targets and spare the counting of signatures,
//! but not bring in a file that the snapshot's keys do not vouch for.
//!
//! With it the file is hashed, and otherwise only those parts of it are read that are needed.

use alloc::vec::Vec;

use touchmark_envelope::digest::Algorithm;
use touchmark_envelope::key::PublicKey;
use touchmark_envelope::signed;
use touchmark_envelope::threshold::hazmat;
use touchmark_envelope::{Digest, Verified};

use crate::metadata::{FileMeta, Places, Signatories, Targets};

/// What an index begins with; the last byte is its version.
const MAGIC: [u8; 8] = *b"tmtuf\0i\x01";
/// A smaller file is read anew in no time.
const SMALLEST: usize = 64 << 10;
/// What stands before and behind the targets is read in one piece, of at most so many bytes.
const MAX_PIECE: u64 = 16 << 20;
/// Bytes of a SHA-256.
const HASH: usize = 32;
/// Their number has one byte.
const MAX_SIGNERS: usize = 255;

/// Whether a role may have an index: the snapshot lists a digest of its file, and no length that is small.
pub(super) fn is_for(meta: &FileMeta) -> bool {
    !meta.hashes.is_empty() && meta.length.is_none_or(|length| usize::try_from(length).is_ok_and(|length| length >= SMALLEST))
}

/// Whether a file of this length and these digests is the one that the snapshot lists (5.6.1, 5.6.2).
pub(super) fn fits(length: u64, digests: &[Digest], meta: &FileMeta) -> bool {
    meta.length.is_none_or(|listed| listed == length) && meta.hashes.iter().all(|digest| digests.contains(digest))
}

/// The index of a role whose signatures were counted just now; none for a small one, and for one that was itself recalled.
///
/// A role that two delegators lead to by different keys has one index: it goes on naming the keys that it is `known` to be signed by, as
/// long as its file is the same.
pub(super) fn make(role: &Verified<Targets>, meta: &FileMeta, known: Option<&Signed>) -> Option<Vec<u8>> {
    let document = role.get().document().filter(|document| document.bytes().len() >= SMALLEST)?;
    let outline = document.outline()?;
    let listed = meta.hashes.iter().find(|digest| digest.algorithm() == Algorithm::Sha256).copied();
    let file = listed.unwrap_or_else(|| Algorithm::Sha256.digest(document.bytes()));
    let mut signers: Vec<Digest> = role.evidence().keys().iter().map(fingerprint).collect();
    for signer in known.filter(|known| known.file == file).map(|known| known.signers.as_slice()).unwrap_or_default() {
        if signers.len() < MAX_SIGNERS && !signers.contains(signer) {
            signers.push(*signer);
        }
    }
    let count = u8::try_from(signers.len()).ok()?;
    let mut index = Vec::with_capacity(outline.len().saturating_add(1 << 10));
    index.extend_from_slice(&MAGIC);
    index.extend_from_slice(file.as_bytes());
    index.push(count);
    for signer in signers {
        index.extend_from_slice(signer.as_bytes());
    }
    index.extend_from_slice(&outline);
    let checksum = Algorithm::Sha256.digest(&index);
    index.extend_from_slice(checksum.as_bytes());
    Some(index)
}

/// What identifies a key: its algorithm and its decoded value.
fn fingerprint(key: &PublicKey) -> Digest {
    let mut text = Vec::from(key.algorithm().name().as_bytes());
    text.push(0);
    text.extend_from_slice(key.as_raw());
    Algorithm::Sha256.digest(&text)
}

/// Which keys validly signed a file.
#[derive(Clone, Debug)]
pub(super) struct Signed {
    /// The SHA-256 of the file.
    file: Digest,
    signers: Vec<Digest>,
}

impl Signed {
    /// Whether enough of them sign for the role (5.6.3).
    pub(super) fn suffices(&self, by: &Signatories) -> bool {
        let counted = by.keys.keys().iter().filter(|key| self.has(key)).count();
        usize::try_from(by.threshold).is_ok_and(|needed| counted >= needed)
    }

    fn has(&self, key: &PublicKey) -> bool {
        self.signers.contains(&fingerprint(key))
    }
}

/// An index that was read, and what was read with it of its file.
#[derive(Debug)]
pub(super) struct Recalled {
    by: Signed,
    /// Where `signed` begins, and the value of its `targets` begins and ends.
    signed: u32,
    targets: core::ops::Range<u32>,
    /// Where each target begins, by name.
    starts: Vec<u32>,
    /// The length of the file.
    length: u64,
    /// What stands before the targets.
    head: Vec<u8>,
}

impl Recalled {
    /// Reads an index. `None` if it is damaged.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let sha256 = |bytes: &[u8]| Digest::from_bytes(Algorithm::Sha256, bytes);
        let (content, checksum) = bytes.split_at_checked(bytes.len().checked_sub(HASH)?)?;
        sha256(checksum)?.matches(content).then_some(())?;
        let rest = content.strip_prefix(&MAGIC)?;
        let (file, rest) = rest.split_at_checked(HASH)?;
        let (count, rest) = rest.split_first()?;
        let (signers, outline) = rest.split_at_checked(usize::from(*count).checked_mul(HASH)?)?;
        let (words, []) = outline.as_chunks::<4>() else { return None };
        let mut words = words.iter().map(|word| u32::from_le_bytes(*word));
        let (signed, from, to) = (words.next()?, words.next()?, words.next()?);
        let starts: Vec<u32> = words.collect();
        let inside = starts.iter().all(|start| from < *start && *start < to);
        (signed < from && from < to && inside).then_some(())?;
        let signers = signers.chunks(HASH).map(sha256).collect::<Option<_>>()?;
        let by = Signed { file: sha256(file)?, signers };
        Some(Self { by, signed, targets: from..to, starts, length: 0, head: Vec::new() })
    }

    /// Which keys signed the file.
    pub(super) fn signed(&self) -> &Signed {
        &self.by
    }

    /// Bytes that are held of the file with it, at most.
    pub(super) fn held(&self) -> u64 {
        let beside = self.length.saturating_sub(u64::from(self.targets.end - self.targets.start));
        u64::try_from(self.starts.len()).unwrap_or(u64::MAX).saturating_mul(4).saturating_add(beside)
    }

    /// The algorithms by which the file is to be hashed: those by which the snapshot lists it, and the index's.
    pub(super) fn algorithms(meta: &FileMeta) -> Vec<Algorithm> {
        let listed = |algorithm: &Algorithm| meta.hashes.iter().any(|digest| digest.algorithm() == *algorithm);
        Algorithm::ALL.into_iter().filter(|algorithm| *algorithm == Algorithm::Sha256 || listed(algorithm)).collect()
    }

    /// Takes the length and the digests of the stored file. Whether it is the one that the index is of.
    pub(super) fn is_of(&mut self, length: u64, digests: &[Digest]) -> bool {
        self.length = length;
        digests.contains(&self.by.file) && u64::from(self.targets.end) < length
    }

    /// The piece of the file before the targets: where it begins, and its length.
    pub(super) fn before(&self) -> Option<(u64, u64)> {
        let length = u64::from(self.targets.start.checked_sub(self.signed)?);
        (length <= MAX_PIECE).then_some((self.signed.into(), length))
    }

    pub(super) fn take_head(&mut self, bytes: Vec<u8>) {
        self.head = bytes;
    }

    /// The piece of the file behind the targets.
    pub(super) fn behind(&self) -> Option<(u64, u64)> {
        let length = self.length.checked_sub(self.targets.end.into())?;
        (length <= MAX_PIECE).then_some((self.targets.end.into(), length))
    }

    /// The role, with the piece behind its targets: everything but these is read anew, from the file.
    pub(super) fn finish(mut self, tail: &[u8], by: &Signatories) -> Option<Verified<Targets>> {
        let mut beside = core::mem::take(&mut self.head);
        let from = beside.len();
        beside.extend_from_slice(b"{}");
        let to = beside.len();
        beside.extend_from_slice(tail);
        let outline = [0, from, to].map(|word| u32::try_from(word).map(u32::to_le_bytes));
        let outline: Vec<u8> = outline.into_iter().collect::<Result<Vec<_>, _>>().ok()?.concat();
        let beside = signed::Signed::recall(beside, "targets", &outline).ok()?;
        let needed = usize::try_from(by.threshold).ok()?;
        let places = Places::new(core::mem::take(&mut self.starts), self.targets.end);
        let beside = hazmat::recall(&by.keys, needed, |key| self.by.has(key), beside).ok()?;
        beside.try_map(|beside| Targets::read_stored(beside, places)).ok()
    }
}
