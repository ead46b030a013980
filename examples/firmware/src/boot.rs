//! Which slot is booted. This is all that the boot loader needs.
//!
//! There are two boot records, and the one with the higher counter counts. A new one is written in the place of the other, in one piece with its
//! checksum: whatever the power does meanwhile, the former one is untouched, and half of a record is none. A record names a slot and the digest of
//! the image in it, which is hashed before it runs.

use alloc::vec::Vec;

use touchmark_envelope::Digest;
use touchmark_envelope::digest::Algorithm;

use crate::error::Error;
use crate::flash::{Flash, FlashError};
use crate::region::Region;

/// What a record begins with.
const MAGIC: &[u8; 8] = b"TMBOOT\x00\x01";
/// Bytes that the checksum is of.
const COVERED: usize = 64;
/// Bytes of a record.
const LENGTH: usize = COVERED + 32;

/// An image in a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// The slot: 0 or 1.
    pub index: usize,
    /// Bytes of the image.
    pub length: u64,
    /// Its SHA-256.
    pub digest: Digest,
}

/// A boot record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) counter: u64,
    pub(crate) slot: Slot,
}

impl Record {
    fn to_bytes(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(LENGTH);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&self.counter.to_be_bytes());
        bytes.extend_from_slice(&u64::try_from(self.slot.index).unwrap_or(u64::MAX).to_be_bytes());
        bytes.extend_from_slice(&self.slot.length.to_be_bytes());
        bytes.extend_from_slice(self.slot.digest.as_bytes());
        let checksum = Algorithm::Sha256.digest(&bytes);
        bytes.extend_from_slice(checksum.as_bytes());
        bytes
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (covered, checksum) = bytes.split_at_checked(COVERED)?;
        if Algorithm::Sha256.digest(covered).as_bytes() != checksum {
            return None;
        }
        let rest = covered.strip_prefix(MAGIC)?;
        let (counter, rest) = number(rest)?;
        let (index, rest) = number(rest)?;
        let (length, digest) = number(rest)?;
        let index = usize::try_from(index).ok().filter(|index| *index < 2)?;
        Some(Self { counter, slot: Slot { index, length, digest: Digest::from_bytes(Algorithm::Sha256, digest)? } })
    }
}

/// A big-endian number, and what follows.
pub(crate) fn number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (first, rest) = bytes.split_first_chunk::<8>()?;
    Some((u64::from_be_bytes(*first), rest))
}

/// The newest record, and the place of the other one.
pub(crate) fn newest(flash: &impl Flash, places: &[Region; 2]) -> Result<Option<(Record, usize)>, FlashError> {
    let mut newest: Option<(Record, usize)> = None;
    for (index, place) in places.iter().enumerate() {
        let mut bytes = [0; LENGTH];
        place.read(flash, 0, &mut bytes)?;
        let record = Record::read(&bytes);
        if let Some(record) = record.filter(|record| newest.is_none_or(|(known, _)| known.counter < record.counter)) {
            newest = Some((record, 1 - index));
        }
    }
    Ok(newest)
}

/// The slot that is booted: that of the newest record, if the image in it is the one that was verified. Never the other one: that is older, or
/// is being written.
pub(crate) fn select(flash: &impl Flash, records: &[Region; 2], slots: &[Region; 2]) -> Result<Slot, Error> {
    let (Record { slot, .. }, _) = newest(flash, records)?.ok_or(Error::NoRecord)?;
    let region = slots.get(slot.index).ok_or(Error::NoRecord)?;
    match region.hash(flash, slot.length)? {
        Some(found) if found == slot.digest => Ok(slot),
        _ => Err(Error::Damaged { slot: slot.index }),
    }
}

/// Lets a record count from now on.
pub(crate) fn commit(flash: &mut impl Flash, places: &[Region; 2], place: usize, record: Record) -> Result<(), FlashError> {
    let mut writer = places.get(place).ok_or(FlashError)?.begin(flash)?;
    writer.push(&record.to_bytes())?;
    writer.finish()
}
