//! What the device trusts, on its flash: the files of the TUF client's store, and the time of the last update.
//!
//! There are two areas, of which the one with the higher counter counts, and all of it is written at once to the other: it is there whole, with
//! its digest, or not at all.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use touchmark_envelope::UnixTime;
use touchmark_envelope::digest::Algorithm;

use crate::boot::number;
use crate::error::Error;
use crate::flash::{Flash, FlashError};
use crate::region::Region;

const MAGIC: &[u8; 8] = b"TMTRUST\x01";
/// Magic, digest, counter and length.
const HEADER: usize = 8 + 32 + 8 + 8;
/// The time of the last update, in seconds; no file of the client has such a name.
const UPDATED: &str = "updated";

/// What is trusted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Vault {
    counter: u64,
    /// The area that is written next.
    next: usize,
    pub(crate) files: BTreeMap<String, Vec<u8>>,
}

impl Vault {
    /// Reads it; empty where there is none.
    pub(crate) fn load(flash: &impl Flash, areas: &[Region; 2]) -> Result<Self, FlashError> {
        let mut newest = Self::default();
        for (index, area) in areas.iter().enumerate() {
            if let Some((counter, files)) = read(flash, area)?
                && counter > newest.counter
            {
                newest = Self { counter, next: 1 - index, files };
            }
        }
        Ok(newest)
    }

    /// Writes it.
    pub(crate) fn commit(&mut self, flash: &mut impl Flash, areas: &[Region; 2]) -> Result<(), Error> {
        let area = areas.get(self.next).ok_or(FlashError)?;
        let counter = self.counter.saturating_add(1);
        let mut content = Vec::new();
        content.extend_from_slice(&counter.to_be_bytes());
        let files = self.files();
        content.extend_from_slice(&length(&files).to_be_bytes());
        content.extend_from_slice(&files);
        let needed = content.len() + HEADER - 16;
        if needed > area.length {
            return Err(Error::VaultFull { needed, size: area.length });
        }
        let mut writer = area.begin(flash)?;
        writer.push(MAGIC)?;
        writer.push(Algorithm::Sha256.digest(&content).as_bytes())?;
        writer.push(&content)?;
        writer.finish()?;
        (self.counter, self.next) = (counter, 1 - self.next);
        Ok(())
    }

    /// When the last update was accepted.
    pub(crate) fn updated(&self) -> Option<UnixTime> {
        let (seconds, _) = number(self.files.get(UPDATED)?)?;
        i64::try_from(seconds).ok().and_then(UnixTime::from_seconds)
    }

    /// Notes that an update was accepted. The time never goes back.
    pub(crate) fn update(&mut self, at: UnixTime) {
        if self.updated().is_none_or(|before| before < at) {
            let seconds = u64::try_from(at.seconds()).unwrap_or_default();
            self.files.insert(UPDATED.into(), seconds.to_be_bytes().to_vec());
        }
    }

    fn files(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (name, content) in &self.files {
            for part in [name.as_bytes(), content] {
                bytes.extend_from_slice(&length(part).to_be_bytes());
                bytes.extend_from_slice(part);
            }
        }
        bytes
    }
}

type Read = (u64, BTreeMap<String, Vec<u8>>);

/// What an area holds; `None` if it is not what was written there.
fn read(flash: &impl Flash, area: &Region) -> Result<Option<Read>, FlashError> {
    let mut header = [0; HEADER];
    area.read(flash, 0, &mut header)?;
    let Some(rest) = header.strip_prefix(MAGIC) else { return Ok(None) };
    let Some((digest, rest)) = rest.split_at_checked(32) else { return Ok(None) };
    let Some((counter, rest)) = number(rest) else { return Ok(None) };
    let Some((count, _)) = number(rest) else { return Ok(None) };
    let room = area.length.saturating_sub(HEADER);
    let Some(count) = usize::try_from(count).ok().filter(|count| *count <= room) else { return Ok(None) };
    let mut content = vec![0; 16 + count];
    area.read(flash, HEADER - 16, &mut content)?;
    if Algorithm::Sha256.digest(&content).as_bytes() != digest {
        return Ok(None);
    }
    let mut files = BTreeMap::new();
    let mut rest = content.get(16..).unwrap_or_default();
    while !rest.is_empty() {
        let Some((name, after)) = part(rest) else { return Ok(None) };
        let Some((content, after)) = part(after) else { return Ok(None) };
        let Ok(name) = core::str::from_utf8(name) else { return Ok(None) };
        files.insert(name.into(), content.to_vec());
        rest = after;
    }
    Ok(Some((counter, files)))
}

/// Bytes after their number, and what follows.
fn part(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (count, rest) = number(bytes)?;
    rest.split_at_checked(usize::try_from(count).ok()?)
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
