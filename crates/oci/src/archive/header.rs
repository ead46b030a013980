//! One header of a tar (POSIX.1-2017 pax, "ustar Interchange Format"; GNU tar, "Basic Tar Format"): read strictly, written
//! deterministically.
//!
//! Our own code and no crate, because a layout is read in place: all that is wanted of a tar is where each blob begins, and
//! every construct that two readers understand differently (sparse members, contradicting names, links with content) must
//! be refused rather than interpreted.

use super::fault::Fault;

/// Headers and content come in blocks of this many bytes.
pub(crate) const BLOCK: usize = 512;

/// One block.
pub(crate) type Block = [u8; BLOCK];

/// What a member is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A hard link.
    HardLink,
    /// A symbolic link.
    SymbolicLink,
    /// A device or a pipe.
    Special,
    /// A GNU sparse file, whose content is not what is stored.
    Sparse,
    /// GNU: the name of the member that follows.
    LongName,
    /// GNU: the link target of the member that follows.
    LongLink,
    /// pax: records about the member that follows.
    Extended,
    /// pax: records about every member that follows.
    Global,
    /// GNU: the label of the volume.
    Label,
    /// Anything else, GNU's multi-volume and incremental members included.
    Unknown(u8),
}

/// A header, as far as it is wanted here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// What the member is.
    pub(super) kind: Kind,
    /// Its name as stored, with the prefix.
    pub(super) name: Vec<u8>,
    /// Bytes of content after the header.
    pub(super) size: u64,
}

impl Header {
    /// Reads `block`; `None` is a block of zeros, which ends an archive.
    pub(super) fn parse(block: &Block) -> Result<Option<Self>, Fault> {
        if block.iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        if number(field(block, 148, 8), "checksum")? != checksum(block) {
            return Err(Fault::Checksum);
        }
        let mut name = text(field(block, 0, 100)).to_vec();
        // GNU's own format has other things where POSIX has the prefix.
        if field(block, 257, 6) == b"ustar\0" {
            let prefix = text(field(block, 345, 155));
            if !prefix.is_empty() {
                name = [prefix, b"/", &name].concat();
            }
        }
        let kind = match block.get(156).copied().unwrap_or(0) {
            // Before POSIX a folder was a file whose name ends in a slash: for some readers by this header's name, which an extended header
            // may replace. Since then it is the whole name that counts.
            0 if name.last() == Some(&b'/') => Kind::Folder,
            b'0' | b'7' | 0 => Kind::File,
            b'1' => Kind::HardLink,
            b'2' => Kind::SymbolicLink,
            b'3' | b'4' | b'6' => Kind::Special,
            b'5' => Kind::Folder,
            b'L' => Kind::LongName,
            b'K' => Kind::LongLink,
            b'S' => Kind::Sparse,
            b'V' => Kind::Label,
            b'g' => Kind::Global,
            b'x' => Kind::Extended,
            other => Kind::Unknown(other),
        };
        Ok(Some(Self { kind, name, size: number(field(block, 124, 12), "size")? }))
    }
}

fn field(block: &Block, start: usize, length: usize) -> &[u8] {
    block.get(start..start + length).unwrap_or(&[])
}

/// The bytes before the first NUL.
fn text(field: &[u8]) -> &[u8] {
    field.split(|byte| *byte == 0).next().unwrap_or(&[])
}

/// A number: octal digits between spaces and NULs, or, with the first bit set, GNU's base 256.
fn number(field: &[u8], what: &'static str) -> Result<u64, Fault> {
    if let Some((first, rest)) = field.split_first()
        && first & 0x80 != 0
    {
        // 0xff begins a negative number, and more than 63 bits are no size of a file.
        return rest
            .iter()
            .try_fold(u64::from(first & 0x7f), |value, byte| value.checked_mul(256)?.checked_add(u64::from(*byte)))
            .filter(|value| i64::try_from(*value).is_ok())
            .ok_or(Fault::Number { what });
    }
    let padding = |byte: &u8| *byte == 0 || *byte == b' ';
    let start = field.iter().position(|byte| *byte != b' ').unwrap_or(field.len());
    let digits = field.get(start..).unwrap_or(&[]);
    let end = digits.iter().position(padding).unwrap_or(digits.len());
    let (digits, after) = digits.split_at_checked(end).unwrap_or((digits, &[]));
    if !after.iter().all(padding) {
        return Err(Fault::Number { what });
    }
    digits
        .iter()
        .try_fold(0u64, |value, digit| match digit {
            b'0'..=b'7' => value.checked_mul(8)?.checked_add(u64::from(digit - b'0')),
            _ => None,
        })
        .ok_or(Fault::Number { what })
}

/// The sum of all bytes, those of the checksum taken as spaces.
fn checksum(block: &Block) -> u64 {
    let sum: u64 = block.iter().map(|byte| u64::from(*byte)).sum();
    let own: u64 = field(block, 148, 8).iter().map(|byte| u64::from(*byte)).sum();
    sum - own + 8 * u64::from(b' ')
}

/// The headers of a member, without owner and time, so that equal content makes equal archives.
///
/// A name over 100 bytes or a size over 8 GiB goes into a pax header before the member's own.
pub(super) fn write(name: &str, kind: Kind, size: u64) -> Vec<u8> {
    let (flag, mode) = if kind == Kind::Folder { (b'5', 0o755) } else { (b'0', 0o644) };
    member(name, flag, size, mode)
}

/// As [`write`], for a file with these permissions.
pub(crate) fn file(name: &str, size: u64, mode: u32) -> Vec<u8> {
    member(name, b'0', size, mode)
}

fn member(name: &str, flag: u8, size: u64, mode: u32) -> Vec<u8> {
    let mut records = Vec::new();
    if name.len() > 100 {
        push_record(&mut records, "path", name);
    }
    if size > OCTAL_MAX {
        push_record(&mut records, "size", &size.to_string());
    }
    let mut out = Vec::new();
    if !records.is_empty() {
        // The records are shorter than 1 KiB: a name and a number.
        let length = u64::try_from(records.len()).unwrap_or(u64::MAX);
        out.extend_from_slice(&block("././@PaxHeader", b'x', length, 0o644));
        out.extend_from_slice(&records);
        out.resize(out.len().next_multiple_of(BLOCK), 0);
    }
    out.extend_from_slice(&block(name, flag, size, mode));
    out
}

/// The largest number in eleven octal digits.
const OCTAL_MAX: u64 = 0o777_7777_7777;

fn push_record(records: &mut Vec<u8>, key: &str, value: &str) {
    // The length counts itself: "LENGTH key=value\n".
    let rest = key.len() + value.len() + 3;
    let mut length = rest + 1;
    while length != rest + length.to_string().len() {
        length = rest + length.to_string().len();
    }
    records.extend_from_slice(format!("{length} {key}={value}\n").as_bytes());
}

fn block(name: &str, flag: u8, size: u64, mode: u32) -> Block {
    let mut block = [0; BLOCK];
    put(&mut block, 0, name.as_bytes().get(..100).unwrap_or(name.as_bytes()));
    put(&mut block, 100, format!("{mode:07o}").as_bytes());
    put(&mut block, 108, b"0000000");
    put(&mut block, 116, b"0000000");
    // What does not fit stands in the pax header; with the largest number a reader without pax fails, and misreads nothing.
    put(&mut block, 124, format!("{:011o}", size.min(OCTAL_MAX)).as_bytes());
    put(&mut block, 136, b"00000000000");
    put(&mut block, 156, &[flag]);
    put(&mut block, 257, b"ustar\x0000");
    let sum = checksum(&block);
    put(&mut block, 148, format!("{sum:06o}\0 ").as_bytes());
    block
}

fn put(block: &mut Block, start: usize, bytes: &[u8]) {
    for (to, from) in block.iter_mut().skip(start).zip(bytes) {
        *to = *from;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `block` with another field and the checksum made right again.
    fn with(start: usize, bytes: &[u8]) -> Block {
        let mut block = block("a", b'0', 5, 0o644);
        put(&mut block, start, bytes);
        let sum = checksum(&block);
        put(&mut block, 148, format!("{sum:06o}\0 ").as_bytes());
        block
    }

    fn size(field: &[u8]) -> Result<u64, Fault> {
        Header::parse(&with(124, field)).map(|header| header.unwrap().size)
    }

    #[test]
    fn what_is_written_is_read() {
        for (kind, size) in [(Kind::File, 0), (Kind::File, OCTAL_MAX), (Kind::Folder, 0)] {
            let written = write("blobs/sha256/abc", kind, size);
            let header = Header::parse(&written.try_into().unwrap()).unwrap().unwrap();
            assert_eq!(header, Header { kind, name: b"blobs/sha256/abc".to_vec(), size });
        }
        assert_eq!(Header::parse(&[0; BLOCK]), Ok(None));
    }

    #[test]
    fn long_names_and_large_sizes_get_a_pax_header() {
        let name = "n".repeat(141);
        assert_eq!(write(&name, Kind::File, 1).get(BLOCK..BLOCK + 151), Some(format!("151 path={name}\n").as_bytes()));
        assert_eq!(write("a", Kind::File, OCTAL_MAX + 1).get(BLOCK..BLOCK + 19), Some(b"19 size=8589934592\n".as_slice()));
        // The length's own digits grow from two to three where it passes 99.
        for length in 80..120 {
            let mut records = Vec::new();
            push_record(&mut records, "path", &"n".repeat(length));
            let (number, _) = std::str::from_utf8(&records).unwrap().split_once(' ').unwrap();
            assert_eq!(number.parse(), Ok(records.len()));
        }
    }

    #[test]
    fn every_changed_byte_fails_the_checksum() {
        let good = block("blobs/sha256/abc", b'0', 5, 0o644);
        for position in (0..BLOCK).filter(|position| !(148..156).contains(position)) {
            let mut bad = good;
            bad[position] ^= 1;
            assert_eq!(Header::parse(&bad), Err(Fault::Checksum), "{position}");
        }
    }

    #[test]
    fn sizes_in_octal_and_base_256() {
        assert_eq!(size(b"00000000017\0"), Ok(15));
        assert_eq!(size(b"777777777777"), Ok(0o777_777_777_777));
        assert_eq!(size(b"     17 \0\0\0\0"), Ok(15));
        assert_eq!(size(&[0; 12]), Ok(0));
        assert_eq!(size(b"\x80\0\0\0\0\0\0\x02\0\0\0\0"), Ok(2 << 32));
        assert_eq!(size(b"\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff"), Ok(u64::MAX >> 1));
        for bad in [
            b"\x80\0\0\0\x80\0\0\0\0\0\0\0",
            b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
            b"\x80\x01\0\0\0\0\0\0\0\0\0\0",
            b"00000000018\0",
            b"-0000000017\0",
            b"0000000 017\0",
            b"0000000\x00017\0",
            b"00000000x17\0",
        ] {
            assert_eq!(size(bad), Err(Fault::Number { what: "size" }), "{bad:?}");
        }
    }

    #[test]
    fn only_posix_headers_have_a_prefix() {
        let name = |block: Block| Header::parse(&block).unwrap().unwrap().name;
        assert_eq!(name(with(345, b"blobs/sha256")), b"blobs/sha256/a");
        let mut gnu = with(345, b"blobs/sha256");
        put(&mut gnu, 257, b"ustar  \0");
        let sum = checksum(&gnu);
        put(&mut gnu, 148, format!("{sum:06o}\0 ").as_bytes());
        assert_eq!(name(gnu), b"a");
        assert_eq!(name(with(0, &[b'n'; 100])), [b'n'; 100]);
    }
}
