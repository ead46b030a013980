//! One pass over the headers of a tar: where `oci-layout`, `index.json` and each blob begin.

use std::collections::BTreeMap;
use std::io::{self, BufRead as _, BufReader, Read, Seek};

use touchmark_envelope::digest::Digest;
use touchmark_envelope::sorted;

use super::fault::{Fault, Instead};
use super::header::{BLOCK, Block, Header, Kind};
use super::names::{Places, blob_name, path, shown};

/// At most this many members. 10,000 referrers are some 30,000.
pub(super) const MAX_MEMBERS: usize = 1 << 18;
/// At most this many bytes in a long name or a pax header.
const MAX_LONG_HEADER: u64 = 64 << 10;
/// At most this many ignored members are named.
const MAX_IGNORED: usize = 100;
/// [`BLOCK`], as an offset.
const BLOCK_SIZE: u64 = 512;

/// Where a member's content lies in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    /// Of its first byte.
    pub(super) offset: u64,
    /// In bytes.
    pub(super) size: u64,
}

/// What stands under the name of a blob.
pub(super) type Member = Result<Extent, &'static str>;

/// What a tar holds.
#[derive(Debug)]
pub(super) struct Catalogue {
    /// `oci-layout`.
    pub(super) marker: Extent,
    /// `index.json`.
    pub(super) index: Extent,
    /// Every blob, or why what has its name is none; sorted by digest.
    pub(super) blobs: Vec<(Digest, Member)>,
    /// Files that are no part of an OCI layout: some tools add theirs.
    pub(super) others: BTreeMap<String, Extent>,
    /// Names of members that can be no part of an OCI layout and were left out, with the reason.
    pub(super) ignored: Vec<(String, &'static str)>,
}

impl Catalogue {
    /// What stands under the name of the blob `digest`.
    pub(super) fn blob(&self, digest: &Digest) -> Option<Member> {
        let place = self.blobs.binary_search_by(|(other, _)| other.cmp(digest)).ok()?;
        self.blobs.get(place).map(|(_, member)| *member)
    }
}

/// Why a scan ended.
#[derive(Debug)]
pub(super) enum ScanError {
    /// The file could not be read.
    Io(io::Error),
    /// It is wrong at this byte.
    Fault {
        /// Of the header at fault.
        offset: u64,
        /// What is wrong.
        fault: Fault,
    },
}

/// Reads every header of `file`, whose length is `length`, and no content.
pub(super) fn scan<R: Read + Seek>(file: R, length: u64, max_members: usize) -> Result<Catalogue, ScanError> {
    let mut scanner = Scanner { file: BufReader::new(file), length, offset: 0 };
    let mut found = Found::default();
    let result = match scanner.compression().map_err(ScanError::Io)? {
        Some(with) => Err(Fault::Compressed { with }.into()),
        None => found.take_all(&mut scanner, max_members),
    };
    match result.and_then(|()| found.into_catalogue().map_err(Stop::Fault)) {
        Ok(catalogue) => Ok(catalogue),
        Err(Stop::Io(error)) => Err(ScanError::Io(error)),
        Err(Stop::Fault(fault)) => Err(ScanError::Fault { offset: scanner.offset, fault }),
    }
}

enum Stop {
    Io(io::Error),
    Fault(Fault),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// Walks from header to header.
struct Scanner<R> {
    file: BufReader<R>,
    length: u64,
    /// Of the next header.
    offset: u64,
}

/// A member with its final name and size.
struct Entry {
    kind: Kind,
    name: Vec<u8>,
    content: Extent,
}

impl<R: Read + Seek> Scanner<R> {
    /// The program that wrote a compressed file, known by its first bytes.
    fn compression(&mut self) -> io::Result<Option<&'static str>> {
        let start = self.file.fill_buf()?;
        let known: [(&[u8], _); 4] = [(b"\x1f\x8b", "gzip"), (b"\x28\xb5\x2f\xfd", "zstd"), (b"\xfd7zXZ\0", "xz"), (b"BZh", "bzip2")];
        Ok(known.into_iter().find(|(magic, _)| start.starts_with(magic)).map(|(_, program)| program))
    }

    /// The next member; `None` at the end of the archive.
    fn entry(&mut self) -> Result<Option<Entry>, Stop> {
        let mut records = Records::default();
        let mut extended = false;
        loop {
            if self.offset >= self.length {
                return Err(Fault::NoEnd.into());
            }
            let Some(header) = Header::parse(&self.block()?)? else {
                if extended {
                    return Err(Fault::Extended.into());
                }
                // Some writers end with one block only.
                if self.offset + BLOCK_SIZE < self.length && self.block()?.iter().any(|byte| *byte != 0) {
                    return Err(Fault::AfterEnd.into());
                }
                return Ok(None);
            };
            match header.kind {
                Kind::LongName => {
                    let content = self.long_header(header.size)?;
                    let name = content.split(|byte| *byte == 0).next().unwrap_or(&[]).to_vec();
                    records.set_path(name)?;
                    extended = true;
                }
                Kind::LongLink => {
                    self.long_header(header.size)?;
                    extended = true;
                }
                Kind::Extended => {
                    records.take(&self.long_header(header.size)?)?;
                    extended = true;
                }
                Kind::Global => {
                    let mut global = Records::default();
                    global.take(&self.long_header(header.size)?)?;
                    if global != Records::default() {
                        return Err(Fault::Pax.into());
                    }
                }
                kind => return self.finish(kind, header, records).map(Some),
            }
        }
    }

    fn finish(&mut self, kind: Kind, header: Header, records: Records) -> Result<Entry, Stop> {
        let sparse = records.sparse || records.sparse_name.is_some();
        let name = records.sparse_name.or(records.path).unwrap_or(header.name);
        let size = records.size.unwrap_or(header.size);
        let kind = match kind {
            Kind::File if sparse => Kind::Sparse,
            Kind::File if name.last() == Some(&b'/') => Kind::Folder,
            other => other,
        };
        match kind {
            Kind::File => {}
            // An old sparse header can be followed by blocks that describe holes and are counted nowhere.
            Kind::Sparse if header.kind == Kind::Sparse => return Err(Fault::Type { name: shown(&name), flag: 'S' }.into()),
            Kind::Unknown(flag) => return Err(Fault::Type { name: shown(&name), flag: char::from(flag) }.into()),
            Kind::Sparse => {}
            _ if size != 0 => return Err(Fault::Content { name: shown(&name) }.into()),
            _ => {}
        }
        let content = Extent { offset: self.offset + BLOCK_SIZE, size };
        self.skip(size, 0)?;
        Ok(Entry { kind, name, content })
    }

    /// The block at the current offset.
    fn block(&mut self) -> Result<Block, Stop> {
        let mut block = [0; BLOCK];
        match self.file.read_exact(&mut block) {
            Ok(()) => Ok(block),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(Fault::Truncated.into()),
            Err(error) => Err(error.into()),
        }
    }

    /// The content of a long name or pax header, after which the next header is the current one.
    fn long_header(&mut self, size: u64) -> Result<Vec<u8>, Stop> {
        if size > MAX_LONG_HEADER {
            return Err(Fault::LongHeader { size, limit: MAX_LONG_HEADER }.into());
        }
        let mut content = Vec::new();
        (&mut self.file).take(size).read_to_end(&mut content)?;
        self.skip(size, size)?;
        Ok(content)
    }

    /// Goes to the next header from within the current member, whose content has `size` bytes, of which `read` were read.
    fn skip(&mut self, size: u64, read: u64) -> Result<(), Stop> {
        if size > self.length.saturating_sub(self.offset + BLOCK_SIZE) {
            return Err(Fault::Truncated.into());
        }
        // The padding of the last member may be missing, but then the end is too, which the next step reports.
        let padded = size.next_multiple_of(BLOCK_SIZE);
        self.file.seek_relative(i64::try_from(padded - read).map_err(|_| Fault::Truncated)?)?;
        self.offset += BLOCK_SIZE + padded;
        Ok(())
    }
}

/// What extended headers say of the member that follows.
#[derive(Default, PartialEq, Eq)]
struct Records {
    path: Option<Vec<u8>>,
    size: Option<u64>,
    link: bool,
    sparse: bool,
    sparse_name: Option<Vec<u8>>,
}

impl Records {
    /// pax, "pax Extended Header": `LENGTH KEYWORD=VALUE` and a line feed, again and again.
    fn take(&mut self, mut content: &[u8]) -> Result<(), Fault> {
        while !content.is_empty() {
            let space = content.iter().position(|byte| *byte == b' ').ok_or(Fault::Pax)?;
            let length = decimal(content.get(..space).unwrap_or(&[])).ok_or(Fault::Pax)?;
            let length = usize::try_from(length).map_err(|_| Fault::Pax)?;
            let (record, rest) = content.split_at_checked(length).ok_or(Fault::Pax)?;
            let record = record.get(space + 1..).and_then(|record| record.strip_suffix(b"\n")).ok_or(Fault::Pax)?;
            let equals = record.iter().position(|byte| *byte == b'=').ok_or(Fault::Pax)?;
            let (key, value) = record.split_at_checked(equals).ok_or(Fault::Pax)?;
            let value = value.get(1..).unwrap_or(&[]);
            match key {
                b"path" => self.set_path(value.to_vec())?,
                b"size" if self.size.is_some() => return Err(Fault::Extended),
                b"size" => self.size = Some(decimal(value).filter(|size| i64::try_from(*size).is_ok()).ok_or(Fault::Pax)?),
                b"linkpath" => self.link = true,
                // The member's own name is then one that GNU tar made up.
                b"GNU.sparse.name" => self.sparse_name = Some(value.to_vec()),
                _ if key.starts_with(b"GNU.sparse.") => self.sparse = true,
                _ => {}
            }
            content = rest;
        }
        Ok(())
    }

    fn set_path(&mut self, path: Vec<u8>) -> Result<(), Fault> {
        if self.path.is_some() {
            return Err(Fault::Extended);
        }
        if path.is_empty() || path.contains(&0) {
            return Err(Fault::Pax);
        }
        self.path = Some(path);
        Ok(())
    }
}

fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || digits.len() > 20 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// What is known of an archive during the pass.
#[derive(Default)]
struct Found {
    marker: Option<Member>,
    index: Option<Member>,
    blobs: Vec<(Digest, Member)>,
    others: BTreeMap<String, Extent>,
    ignored: Vec<(String, &'static str)>,
    docker: bool,
    nested: Option<String>,
    places: Places,
}

impl Found {
    fn take_all<R: Read + Seek>(&mut self, scanner: &mut Scanner<R>, max_members: usize) -> Result<(), Stop> {
        let mut members = 0;
        while let Some(entry) = scanner.entry()? {
            members += 1;
            if members > max_members {
                return Err(Fault::Members { limit: max_members }.into());
            }
            self.take(&entry)?;
        }
        Ok(())
    }

    fn take(&mut self, entry: &Entry) -> Result<(), Fault> {
        let name = path(&entry.name);
        self.places.take(&entry.name, name.as_deref().ok(), entry.kind)?;
        let name = match name {
            Ok(name) => name,
            Err(reason) => {
                self.ignore(&entry.name, reason);
                return Ok(());
            }
        };
        let member = content(entry);
        match name.as_str() {
            "oci-layout" => once(&mut self.marker, member, &name)?,
            "index.json" => once(&mut self.index, member, &name)?,
            _ => {
                if let Some(digest) = blob_name(&name) {
                    self.blobs.push((digest, member));
                } else if let Ok(extent) = member {
                    self.others.insert(name.clone(), extent);
                }
                match name.as_str() {
                    "manifest.json" | "repositories" => self.docker = true,
                    name => {
                        if let Some((folder, "index.json" | "oci-layout")) = name.split_once('/') {
                            self.nested = Some(folder.to_owned());
                        }
                    }
                }
                if let Err(reason) = member
                    && entry.kind != Kind::Folder
                {
                    self.ignore(&entry.name, reason);
                }
            }
        }
        Ok(())
    }

    fn ignore(&mut self, name: &[u8], reason: &'static str) {
        if self.ignored.len() < MAX_IGNORED {
            self.ignored.push((shown(name), reason));
        }
    }

    fn into_catalogue(mut self) -> Result<Catalogue, Fault> {
        sorted::sort_by(&mut self.blobs, |(one, _), (other, _)| one.cmp(other));
        if let Some((digest, _)) = self.blobs.windows(2).find_map(|pair| match pair {
            [first, second] if first.0 == second.0 => Some(first),
            _ => None,
        }) {
            return Err(Fault::Duplicate { name: format!("blobs/{}/{}", digest.algorithm(), digest.hex()) });
        }
        self.places.check_links()?;
        let found = match (self.docker, self.nested) {
            (_, Some(folder)) => Instead::Nested { folder },
            (true, None) => Instead::DockerSave,
            (false, None) => Instead::Other,
        };
        let file = |name, member: Option<Member>| match member {
            Some(Ok(extent)) => Ok(extent),
            Some(Err(what)) => Err(Fault::NoFile { name, what }),
            None => Err(Fault::NoLayout { missing: name, found: found.clone() }),
        };
        let index = file("index.json", self.index)?;
        let marker = file("oci-layout", self.marker)?;
        Ok(Catalogue { marker, index, blobs: self.blobs, others: self.others, ignored: self.ignored })
    }
}

fn once(place: &mut Option<Member>, member: Member, name: &str) -> Result<(), Fault> {
    if place.is_some() {
        return Err(Fault::Duplicate { name: name.to_owned() });
    }
    *place = Some(member);
    Ok(())
}

fn content(entry: &Entry) -> Member {
    match entry.kind {
        Kind::File => Ok(entry.content),
        Kind::Folder => Err("a folder"),
        Kind::HardLink => Err("a hard link"),
        Kind::SymbolicLink => Err("a symbolic link"),
        Kind::Sparse => Err("a sparse file"),
        _ => Err("a device, a pipe or a label"),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use touchmark_envelope::digest::Algorithm;

    use super::super::header;
    use super::*;

    const HEX: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn tar(members: &[(&str, Kind, &[u8])]) -> Vec<u8> {
        let mut out = Vec::new();
        for (name, kind, content) in members {
            push(&mut out, header::write(name, *kind, content.len().try_into().unwrap()), content);
        }
        out.extend([0; 2 * BLOCK]);
        out
    }

    fn push(out: &mut Vec<u8>, header: Vec<u8>, content: &[u8]) {
        out.extend(header);
        out.extend(content);
        out.resize(out.len().next_multiple_of(BLOCK), 0);
    }

    /// The header of a member of any type, with a right checksum.
    fn raw(name: &str, flag: u8, size: u64) -> Vec<u8> {
        let mut block = header::write(name, Kind::File, size);
        block[156] = flag;
        let sum: u32 = block.iter().enumerate().map(|(at, byte)| if (148..156).contains(&at) { 32 } else { u32::from(*byte) }).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        block
    }

    /// A layout with further members before the end.
    fn layout_and(further: &[u8]) -> Vec<u8> {
        let mut out = tar(&[("oci-layout", Kind::File, b"{}"), ("index.json", Kind::File, b"{ }")]);
        out.truncate(out.len() - 2 * BLOCK);
        out.extend(further);
        out.extend([0; 2 * BLOCK]);
        out
    }

    fn scanned(bytes: &[u8]) -> Result<Catalogue, Fault> {
        scan(Cursor::new(bytes), bytes.len().try_into().unwrap(), 100).map_err(|error| match error {
            ScanError::Fault { fault, .. } => fault,
            ScanError::Io(error) => panic!("{error}"),
        })
    }

    #[test]
    fn finds_the_layout_and_its_blobs() {
        let name = format!("./blobs//sha256/{HEX}");
        let bytes = tar(&[
            ("./", Kind::Folder, b""),
            ("./blobs/sha256/", Kind::Folder, b""),
            (&name, Kind::File, b"abc"),
            ("./index.json", Kind::File, b"{ }"),
            ("oci-layout", Kind::File, b"{}"),
            ("README", Kind::File, b"x"),
        ]);
        let catalogue = scanned(&bytes).unwrap();
        let read = |extent: Extent| &bytes[extent.offset.try_into().unwrap()..][..extent.size.try_into().unwrap()];
        assert_eq!(read(catalogue.index), b"{ }");
        assert_eq!(read(catalogue.marker), b"{}");
        let digest = Algorithm::Sha256.digest(b"abc");
        assert_eq!(read(catalogue.blob(&digest).unwrap().unwrap()), b"abc");
        assert_eq!(catalogue.blob(&Algorithm::Sha256.digest(b"x")), None);
        assert!(catalogue.ignored.is_empty());
    }

    #[test]
    fn names_by_gnu_and_pax_and_sizes_by_pax() {
        let name = format!("blobs/sha512/{HEX}{HEX}");
        let digest = format!("sha512:{HEX}{HEX}").parse().unwrap();
        // Ours: pax.
        let mut member = Vec::new();
        push(&mut member, header::write(&name, Kind::File, 3), b"abc");
        let bytes = layout_and(&member);
        let extent = scanned(&bytes).unwrap().blob(&digest).unwrap().unwrap();
        assert_eq!(bytes[usize::try_from(extent.offset).unwrap()..][..3], *b"abc");
        // GNU: a long link is skipped, a long name taken.
        let mut member = Vec::new();
        push(&mut member, raw("././@LongLink", b'K', 4), b"abc\0");
        push(&mut member, raw("././@LongLink", b'L', 142), format!("{name}\0").as_bytes());
        push(&mut member, raw("short", b'0', 3), b"abc");
        assert!(scanned(&layout_and(&member)).unwrap().blob(&digest).unwrap().is_ok());
        // What is cut to a folder's name in the header proper is a file by its whole name; not in a header of the old kind, of which some
        // readers make a folder before they know that name.
        for (flag, readable) in [(b'0', true), (0, false)] {
            let mut member = Vec::new();
            push(&mut member, raw("././@LongLink", b'L', 7), b"x/note\0");
            push(&mut member, raw("x/", flag, 3), b"abc");
            assert_eq!(scanned(&layout_and(&member)).is_ok(), readable);
        }
        // pax gives the size.
        let mut member = Vec::new();
        push(&mut member, raw("x", b'x', 9), b"9 size=3\n");
        push(&mut member, raw(&format!("blobs/sha256/{HEX}"), b'0', 0), b"abc");
        let digest = format!("sha256:{HEX}").parse().unwrap();
        assert_eq!(scanned(&layout_and(&member)).unwrap().blob(&digest).unwrap().unwrap().size, 3);
    }

    #[test]
    fn what_is_no_file_is_no_blob() {
        let name = format!("blobs/sha256/{HEX}");
        for (flag, what) in [(b'1', "a hard link"), (b'2', "a symbolic link"), (b'5', "a folder"), (b'3', "a device, a pipe or a label")] {
            let catalogue = scanned(&layout_and(&raw(&name, flag, 0))).unwrap();
            assert_eq!(catalogue.blobs.first().unwrap().1, Err(what));
        }
        // GNU sparse in pax form, under the name that it had.
        let mut member = Vec::new();
        let records = format!("22 GNU.sparse.major=1\n97 GNU.sparse.name={name}\n");
        push(&mut member, raw("x", b'x', records.len().try_into().unwrap()), records.as_bytes());
        push(&mut member, raw("GNUSparseFile.0/x", b'0', 3), b"abc");
        assert_eq!(scanned(&layout_and(&member)).unwrap().blobs.first().unwrap().1, Err("a sparse file"));
    }

    #[test]
    fn names_that_lead_elsewhere_are_left_out() {
        for name in ["../index.json", "/index.json", "blobs/../index.json", "blobs\\index.json", "INDEX.JSON"] {
            let fault = scanned(&layout_and(&raw(name, b'0', 0))).unwrap_err();
            assert_eq!(fault, Fault::Ambiguous { name: shown(name.as_bytes()) });
        }
        let through = [raw("x", b'2', 0), raw("x/index.json", b'0', 0)].concat();
        assert!(matches!(scanned(&layout_and(&through)), Err(Fault::ThroughLink { .. })));
        for name in ["../x", "/x", "a/../x", "a\\x"] {
            let catalogue = scanned(&layout_and(&raw(name, b'0', 0))).unwrap();
            assert_eq!(catalogue.ignored.len(), 1, "{name}");
        }
        let mut bytes = raw("x", b'0', 0);
        bytes[0] = 0xff;
        bytes[148..156].copy_from_slice(&raw("\u{7f}", b'0', 0)[148..156]);
        // 0xff is 0x80 more than 0x7f.
        let sum = u32::from_str_radix(std::str::from_utf8(&bytes[148..154]).unwrap(), 8).unwrap() + 0x80;
        bytes[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        assert_eq!(scanned(&layout_and(&bytes)).unwrap().ignored, [("\u{fffd}".to_owned(), "its name is not UTF-8")]);
    }

    #[test]
    fn two_of_one_name_are_refused() {
        for name in ["index.json", "./index.json", "oci-layout"] {
            assert!(matches!(scanned(&layout_and(&raw(name, b'0', 0))), Err(Fault::Duplicate { .. })), "{name}");
        }
        let blob = raw(&format!("blobs/sha256/{HEX}"), b'0', 0);
        let link = raw(&format!("blobs/./sha256/{HEX}"), b'2', 0);
        assert!(matches!(scanned(&layout_and(&[blob, link].concat())), Err(Fault::Duplicate { .. })));
    }

    #[test]
    fn what_readers_disagree_on_is_refused() {
        let long = |name: &str| {
            let mut out = Vec::new();
            push(&mut out, raw("././@LongLink", b'L', name.len().try_into().unwrap()), name.as_bytes());
            out
        };
        let pax = |records: &str, flag| {
            let mut out = Vec::new();
            push(&mut out, raw("x", flag, records.len().try_into().unwrap()), records.as_bytes());
            out
        };
        let file = || raw("x", b'0', 0);
        for (what, wanted, further) in [
            ("two long names", "Extended", [long("a"), long("b"), file()].concat()),
            ("long name and pax path", "Extended", [long("a"), pax("9 path=b\n", b'x'), file()].concat()),
            ("two sizes", "Extended", [pax("9 size=1\n9 size=1\n", b'x'), file()].concat()),
            ("nothing after a long name", "Extended", long("a")),
            ("nothing after a pax header", "Extended", pax("9 path=b\n", b'x')),
            ("a path for every member", "Pax", [pax("9 path=b\n", b'g'), file()].concat()),
            ("a size for every member", "Pax", [pax("9 size=1\n", b'g'), file()].concat()),
            ("a short record", "Pax", [pax("8 path=b\n", b'x'), file()].concat()),
            ("a long record", "Pax", [pax("11 path=b\n", b'x'), file()].concat()),
            ("a record without length", "Pax", [pax("path=b\n", b'x'), file()].concat()),
            ("a record of length 0", "Pax", [pax("0 path=b\n", b'x'), file()].concat()),
            ("a huge length", "Pax", [pax("99999999999999999999999 path=b\n", b'x'), file()].concat()),
            ("a negative size", "Pax", [pax("11 size=-1\n", b'x'), file()].concat()),
            ("an empty path", "Pax", [pax("8 path=\n", b'x'), file()].concat()),
            ("a NUL in a path", "Pax", [pax("11 path=\0b\n", b'x'), file()].concat()),
            ("a link with content", "Content", [raw("x", b'2', 512), vec![1; 512]].concat()),
            ("a hard link with content", "Content", [raw("x", b'1', 512), vec![1; 512]].concat()),
            ("a folder with content", "Content", [raw("x/", b'5', 512), vec![1; 512]].concat()),
            ("a file with a folder's name and content", "Content", [raw("x/", b'0', 512), vec![1; 512]].concat()),
            ("an old sparse file", "Type", raw("x", b'S', 0)),
            ("a volume continued", "Type", raw("x", b'M', 0)),
            ("an unknown type", "Type", raw("x", b'Q', 0)),
            ("one block of zeros, then a member", "AfterEnd", [vec![0; 512], file()].concat()),
            ("a long header over the limit", "LongHeader", raw("x", b'L', 70_000)),
        ] {
            let fault = format!("{:?}", scanned(&layout_and(&further)).unwrap_err());
            assert!(fault.starts_with(wanted), "{what}: {fault}");
        }
        assert!(scanned(&layout_and(&pax("17 comment=abcde\n", b'g'))).is_ok());
    }

    #[test]
    fn every_cut_is_noticed() {
        let bytes = layout_and(&raw("x", b'0', 0));
        for length in 0..=bytes.len() - 2 * BLOCK {
            let fault = scanned(&bytes[..length]).unwrap_err();
            assert!(matches!(fault, Fault::Truncated | Fault::NoEnd), "{length}: {fault}");
        }
        assert!(scanned(&bytes[..bytes.len() - BLOCK]).is_ok());
    }

    #[test]
    fn a_size_beyond_the_file_is_refused() {
        let mut member = raw("x", b'0', 0);
        member[124..136].copy_from_slice(b"\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff");
        let sum: u32 = member.iter().enumerate().map(|(at, byte)| if (148..156).contains(&at) { 32 } else { u32::from(*byte) }).sum();
        member[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        assert_eq!(scanned(&layout_and(&member)).unwrap_err(), Fault::Truncated);
    }

    #[test]
    fn members_are_bounded() {
        let many: Vec<u8> = (0..99).flat_map(|_| raw("x", b'0', 0)).collect();
        assert_eq!(scanned(&layout_and(&many)).unwrap_err(), Fault::Members { limit: 100 });
    }

    #[test]
    fn what_is_no_layout_says_what_it_is() {
        let found = |members: &[(&str, Kind, &[u8])]| match scanned(&tar(members)).unwrap_err() {
            Fault::NoLayout { found, .. } => found,
            other => panic!("{other}"),
        };
        assert_eq!(found(&[]), Instead::Other);
        assert_eq!(found(&[("manifest.json", Kind::File, b"[]"), ("repositories", Kind::File, b"{}")]), Instead::DockerSave);
        assert_eq!(found(&[("out/index.json", Kind::File, b"{}")]), Instead::Nested { folder: "out".to_owned() });
        assert_eq!(found(&[("index.json", Kind::File, b"{}")]), Instead::Other);
        for (magic, program) in
            [(b"\x1f\x8b\x08\0\0\0", "gzip"), (b"\x28\xb5\x2f\xfd\0\0", "zstd"), (b"\xfd7zXZ\0", "xz"), (b"BZh91A", "bzip2")]
        {
            let fault = scanned(magic).unwrap_err();
            assert_eq!(fault, Fault::Compressed { with: program });
            assert!(fault.hint().contains("un"), "{}", fault.hint());
        }
        assert_eq!(scanned(&[b'x'; 1024]).unwrap_err(), Fault::Number { what: "checksum" });
    }
}
