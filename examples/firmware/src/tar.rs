//! The tar, read where it lies: where each blob of the OCI layout in it begins. Whatever another reader could take for something else is
//! refused: this reader takes files and folders with plain names, which is what `touchmark copy` writes.

use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;

use touchmark_envelope::Digest;
use touchmark_envelope::digest::Algorithm;

/// Headers and content come in blocks of this many bytes.
const BLOCK: usize = 512;
/// So many members are looked at.
const MAX_MEMBERS: usize = 4096;

/// Where the tar is: a card, a partition, the memory that it was received in.
pub trait Medium {
    /// Bytes that it has.
    fn size(&self) -> u64;

    /// Reads from `offset` on, all that is asked for.
    ///
    /// # Errors
    /// It cannot be read, or ends before.
    fn read(&mut self, offset: u64, into: &mut [u8]) -> Result<(), MediumError>;
}

/// The medium cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the medium with the tar cannot be read")]
pub struct MediumError;

impl Medium for &[u8] {
    fn size(&self) -> u64 {
        u64::try_from(self.len()).unwrap_or(u64::MAX)
    }

    fn read(&mut self, offset: u64, into: &mut [u8]) -> Result<(), MediumError> {
        let offset = usize::try_from(offset).map_err(|_| MediumError)?;
        let end = offset.checked_add(into.len()).ok_or(MediumError)?;
        into.copy_from_slice(self.get(offset..end).ok_or(MediumError)?);
        Ok(())
    }
}

/// Why a tar is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TarError {
    /// A header is damaged, or has a number that is none.
    #[error("the header at byte {at} is damaged")]
    Header {
        /// Where it is.
        at: u64,
    },
    /// A member that this reader does not take: a link, a sparse file, a name in an extension.
    #[error("the member at byte {at} is none that an updater takes")]
    Kind {
        /// Where it is.
        at: u64,
    },
    /// The tar ends within a member, or without its end.
    #[error("the tar is cut off")]
    CutOff,
    /// A name is there twice.
    #[error("the member at byte {at} is there a second time")]
    Twice {
        /// Where it is.
        at: u64,
    },
    /// More members than are looked at.
    #[error("the tar has more than {MAX_MEMBERS} members")]
    TooMany,
    /// There is no index.json.
    #[error("the tar holds no OCI layout")]
    NoLayout,
}

/// Where content is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: u64,
    pub(crate) length: u64,
}

/// The members of a tar that belong to an OCI layout.
#[derive(Clone, Debug)]
pub(crate) struct Members {
    pub(crate) index: Span,
    pub(crate) blobs: BTreeMap<Digest, Span>,
}

/// Why there are no members.
pub(crate) enum Unread {
    Medium(MediumError),
    Tar(TarError),
}

impl From<MediumError> for Unread {
    fn from(error: MediumError) -> Self {
        Self::Medium(error)
    }
}

/// Looks through the headers of a tar.
pub(crate) fn members(medium: &mut impl Medium) -> Result<Members, Unread> {
    let (mut index, mut blobs, mut at, mut count) = (None, BTreeMap::new(), 0_u64, 0_usize);
    let block = u64::try_from(BLOCK).unwrap_or(512);
    loop {
        let fits = at.checked_add(block).is_some_and(|end| end <= medium.size());
        if !fits {
            return Err(Unread::Tar(TarError::CutOff));
        }
        let mut header = [0; BLOCK];
        medium.read(at, &mut header)?;
        if header.iter().all(|byte| *byte == 0) {
            break;
        }
        count += 1;
        if count > MAX_MEMBERS {
            return Err(Unread::Tar(TarError::TooMany));
        }
        let (name, is_file, length) = read(&header, at).map_err(Unread::Tar)?;
        let start = at.checked_add(block).ok_or(Unread::Tar(TarError::CutOff))?;
        let blocks = length.div_ceil(block);
        let next = blocks.checked_mul(block).and_then(|content| start.checked_add(content));
        let next = next.filter(|next| *next <= medium.size()).ok_or(Unread::Tar(TarError::CutOff))?;
        let span = Span { start, length };
        let twice = Unread::Tar(TarError::Twice { at });
        if is_file && name == b"index.json" {
            if index.replace(span).is_some() {
                return Err(twice);
            }
        } else if let Some(digest) = blob(&name).filter(|_| is_file)
            && blobs.insert(digest, span).is_some()
        {
            return Err(twice);
        }
        at = next;
    }
    let index = index.ok_or(Unread::Tar(TarError::NoLayout))?;
    Ok(Members { index, blobs })
}

/// The name, whether it is a file, and the length of its content.
fn read(header: &[u8; BLOCK], at: u64) -> Result<(Vec<u8>, bool, u64), TarError> {
    let damaged = TarError::Header { at };
    let field = |start: usize, length: usize| header.get(start..start + length).unwrap_or_default();
    let mut sum = 0_u64;
    for (index, byte) in header.iter().enumerate() {
        // The checksum's own field counts as spaces.
        sum += u64::from(if (148..156).contains(&index) { b' ' } else { *byte });
    }
    if octal(field(148, 8)) != Some(sum) {
        return Err(damaged);
    }
    let text = |field: &[u8]| field.split(|byte| *byte == 0).next().unwrap_or_default().to_vec();
    let (name, prefix) = (text(field(0, 100)), text(field(345, 155)));
    let ustar = field(257, 8) == b"ustar\x0000";
    let name = match (prefix.is_empty(), ustar) {
        (true, _) => name,
        (false, true) => [prefix.as_slice(), b"/", &name].concat(),
        (false, false) => return Err(TarError::Kind { at }),
    };
    let is_file = match header.get(156) {
        Some(b'0' | 0) => true,
        Some(b'5') => false,
        _ => return Err(TarError::Kind { at }),
    };
    let length = octal(field(124, 12)).ok_or(damaged)?;
    if !is_file && length != 0 {
        return Err(TarError::Kind { at });
    }
    Ok((name, is_file, length))
}

/// Octal digits, and after them only spaces and NULs.
fn octal(field: &[u8]) -> Option<u64> {
    let end = field.iter().position(|byte| matches!(byte, 0 | b' ')).unwrap_or(field.len());
    let (digits, padding) = field.split_at_checked(end)?;
    let is_padded = padding.iter().all(|byte| matches!(byte, 0 | b' '));
    let digit = |value: u64, byte: &u8| matches!(byte, b'0'..=b'7').then(|| value * 8 + u64::from(byte - b'0'));
    let value = digits.iter().try_fold(0, digit)?;
    (is_padded && !digits.is_empty()).then_some(value)
}

/// The digest of a blob, by the name of its member.
fn blob(name: &[u8]) -> Option<Digest> {
    let (algorithm, hex) = core::str::from_utf8(name).ok()?.strip_prefix("blobs/")?.split_once('/')?;
    Digest::from_hex(Algorithm::from_name(algorithm)?, hex).ok()
}

/// The bytes at a place.
pub(crate) fn bytes(medium: &mut impl Medium, span: Span) -> Result<Vec<u8>, MediumError> {
    let mut bytes = vec![0; usize::try_from(span.length).map_err(|_| MediumError)?];
    medium.read(span.start, &mut bytes)?;
    Ok(bytes)
}
