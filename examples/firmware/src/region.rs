//! A part of the flash that is written as a whole.

use alloc::vec;
use alloc::vec::Vec;

use touchmark_envelope::Digest;
use touchmark_envelope::digest::{Algorithm, Hasher};

use crate::flash::{Flash, FlashError};

/// Bytes that are read at a time.
const CHUNK: usize = 1024;

/// Whole erase blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Region {
    pub(crate) start: usize,
    pub(crate) length: usize,
}

impl Region {
    /// Reads from `offset` on.
    pub(crate) fn read(&self, flash: &impl Flash, offset: usize, into: &mut [u8]) -> Result<(), FlashError> {
        let end = offset.checked_add(into.len()).ok_or(FlashError)?;
        if end > self.length {
            return Err(FlashError);
        }
        flash.read(self.start.checked_add(offset).ok_or(FlashError)?, into)
    }

    /// The SHA-256 of its first bytes; `None` if it has fewer.
    pub(crate) fn hash(&self, flash: &impl Flash, length: u64) -> Result<Option<Digest>, FlashError> {
        let Some(length) = usize::try_from(length).ok().filter(|length| *length <= self.length) else { return Ok(None) };
        let (mut hasher, mut buffer, mut offset) = (Hasher::new(Algorithm::Sha256), [0; CHUNK], 0);
        while offset < length {
            let count = CHUNK.min(length - offset);
            let chunk = buffer.get_mut(..count).ok_or(FlashError)?;
            self.read(flash, offset, chunk)?;
            hasher.update(chunk);
            offset += count;
        }
        Ok(Some(hasher.finish()))
    }

    /// Erases it, and gives what it is written by.
    pub(crate) fn begin<'f, F: Flash>(&self, flash: &'f mut F) -> Result<Writer<'f, F>, FlashError> {
        let block = flash.erase_block();
        for offset in (0..self.length).step_by(block.max(1)) {
            flash.erase(self.start + offset)?;
        }
        let buffer = Vec::with_capacity(flash.write_block());
        Ok(Writer { flash, region: *self, buffer, written: 0 })
    }
}

/// Writes a region from its beginning.
pub(crate) struct Writer<'f, F: Flash> {
    flash: &'f mut F,
    region: Region,
    /// Less than a write block.
    buffer: Vec<u8>,
    written: usize,
}

impl<F: Flash> Writer<'_, F> {
    /// Writes what follows.
    pub(crate) fn push(&mut self, mut bytes: &[u8]) -> Result<(), FlashError> {
        let block = self.flash.write_block();
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(block.saturating_sub(self.buffer.len())));
            self.buffer.extend_from_slice(now);
            bytes = later;
            if self.buffer.len() >= block {
                self.flush()?;
            }
        }
        Ok(())
    }

    /// Writes the rest of the last block as ones, which is nothing on flash.
    pub(crate) fn finish(mut self) -> Result<(), FlashError> {
        if !self.buffer.is_empty() {
            let missing = self.flash.write_block().saturating_sub(self.buffer.len());
            self.buffer.extend_from_slice(&vec![0xff; missing]);
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), FlashError> {
        if self.written.saturating_add(self.buffer.len()) > self.region.length {
            return Err(FlashError);
        }
        self.flash.program(self.region.start + self.written, &self.buffer)?;
        self.written += self.buffer.len();
        self.buffer.clear();
        Ok(())
    }
}
