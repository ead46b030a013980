//! A flash in memory, whose power can be cut at any step: for tests, and for the program that runs the updater on a host.

use alloc::vec;
use alloc::vec::Vec;

use crate::flash::{Flash, FlashError};

/// What becomes of the block that is erased or programmed while the power is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tear {
    /// It is as it was.
    Nothing,
    /// The first half of it is done.
    Half,
    /// Some of its bits are done, here and there.
    Noise,
    /// All of it is done, and nobody was told.
    Whole,
}

/// Flash that counts its steps, each of which erases or programs one block.
#[derive(Clone, Debug)]
pub struct SimulatedFlash {
    bytes: Vec<u8>,
    erase_block: usize,
    write_block: usize,
    steps: u64,
    cut: Option<(u64, Tear)>,
    is_off: bool,
}

impl SimulatedFlash {
    /// A new one, in which everything is erased.
    pub fn new(size: usize, erase_block: usize, write_block: usize) -> Self {
        Self::holding(vec![0xff; size], erase_block, write_block)
    }

    /// One that holds these bytes.
    pub fn holding(bytes: Vec<u8>, erase_block: usize, write_block: usize) -> Self {
        Self { bytes, erase_block, write_block, steps: 0, cut: None, is_off: false }
    }

    /// All that it holds.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// So many steps were begun.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Cuts the power during a step; the first one is 1.
    pub fn cut_at(&mut self, step: u64, tear: Tear) {
        self.cut = Some((step, tear));
    }

    /// Whether the power was cut.
    pub fn is_off(&self) -> bool {
        self.is_off
    }

    /// Switches the power on again.
    pub fn switch_on(&mut self) {
        (self.is_off, self.cut, self.steps) = (false, None, 0);
    }

    /// Does a step: each bit of the block becomes what `becomes` makes of the old byte and its index.
    fn step(&mut self, address: usize, length: usize, becomes: impl Fn(usize, u8) -> u8) -> Result<(), FlashError> {
        if self.is_off {
            return Err(FlashError);
        }
        self.steps += 1;
        let tear = self.cut.filter(|(step, _)| *step == self.steps).map(|(_, tear)| tear);
        let end = address.checked_add(length).ok_or(FlashError)?;
        let steps = self.steps;
        let block = self.bytes.get_mut(address..end).ok_or(FlashError)?;
        for (index, byte) in block.iter_mut().enumerate() {
            let (old, new) = (*byte, becomes(index, *byte));
            *byte = match tear {
                None | Some(Tear::Whole) => new,
                Some(Tear::Nothing) => old,
                Some(Tear::Half) => {
                    if index < length / 2 {
                        new
                    } else {
                        old
                    }
                }
                Some(Tear::Noise) => {
                    let mask = noise(steps, index);
                    new & mask | old & !mask
                }
            };
        }
        if tear.is_some() {
            self.is_off = true;
            return Err(FlashError);
        }
        Ok(())
    }
}

/// A byte that looks like chance, and is the same in every run.
fn noise(step: u64, index: usize) -> u8 {
    let mut value = step.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ u64::try_from(index).unwrap_or_default().wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value ^= value >> 29;
    value = value.wrapping_mul(0x94d0_49bb_1331_11eb);
    value.to_be_bytes().first().copied().unwrap_or_default()
}

impl Flash for SimulatedFlash {
    fn size(&self) -> usize {
        self.bytes.len()
    }

    fn erase_block(&self) -> usize {
        self.erase_block
    }

    fn write_block(&self) -> usize {
        self.write_block
    }

    fn read(&self, address: usize, into: &mut [u8]) -> Result<(), FlashError> {
        let end = address.checked_add(into.len()).ok_or(FlashError)?;
        let bytes = self.bytes.get(address..end).filter(|_| !self.is_off).ok_or(FlashError)?;
        into.copy_from_slice(bytes);
        Ok(())
    }

    fn erase(&mut self, address: usize) -> Result<(), FlashError> {
        if !address.is_multiple_of(self.erase_block) {
            return Err(FlashError);
        }
        self.step(address, self.erase_block, |_, _| 0xff)
    }

    fn program(&mut self, address: usize, bytes: &[u8]) -> Result<(), FlashError> {
        let end = address.checked_add(bytes.len()).ok_or(FlashError)?;
        let is_erased = self.bytes.get(address..end).is_some_and(|block| block.iter().all(|byte| *byte == 0xff));
        if bytes.len() != self.write_block || !address.is_multiple_of(self.write_block) || !is_erased {
            return Err(FlashError);
        }
        self.step(address, bytes.len(), |index, old| old & bytes.get(index).copied().unwrap_or(0xff))
    }
}
