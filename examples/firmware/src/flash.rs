/// The flash of a device: it is erased in large blocks to ones, and programmed in small ones. Sizes and addresses are in bytes, and the size of
/// an erase block is a multiple of that of a write block.
pub trait Flash {
    /// All of it; a multiple of [`erase_block`](Self::erase_block).
    fn size(&self) -> usize;

    /// What is erased at once.
    fn erase_block(&self) -> usize;

    /// What is programmed at once.
    fn write_block(&self) -> usize;

    /// Reads from `address` on.
    ///
    /// # Errors
    /// The flash does not answer, or there is no such address.
    fn read(&self, address: usize, into: &mut [u8]) -> Result<(), FlashError>;

    /// Erases the block that begins at `address`.
    ///
    /// # Errors
    /// It could not be done, or not wholly: the block may hold anything then.
    fn erase(&mut self, address: usize) -> Result<(), FlashError>;

    /// Programs the write block that begins at `address`, which was erased.
    ///
    /// # Errors
    /// It could not be done, or not wholly: the block may hold anything then.
    fn program(&mut self, address: usize, bytes: &[u8]) -> Result<(), FlashError>;
}

/// The flash did not do what it was told to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the flash cannot be read or written")]
pub struct FlashError;
