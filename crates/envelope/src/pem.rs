//! PEM (RFC 7468): text blocks around DER, read with the laxity that the RFC asks for and written strictly.

use alloc::string::String;
use alloc::vec::Vec;

use base64ct::{Base64, Encoding as _};
use zeroize::Zeroizing;

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";
const LINE: usize = 64;

/// One block: what is between its `BEGIN` and `END` lines is not decoded yet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Block<'a> {
    /// The label, such as `PUBLIC KEY`.
    pub(crate) label: &'a str,
    body: &'a str,
}

/// Why a text is no PEM.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PemError {
    /// The text is not UTF-8, or a boundary line is damaged.
    #[error("a BEGIN or END line is damaged")]
    Boundary,
    /// The `END` line is missing or carries another label.
    #[error("the END line is missing or has another label than the BEGIN line")]
    End,
    /// Header lines, as in the encrypted form that OpenSSL wrote before PKCS#8.
    #[error("the block has header lines, as in OpenSSL's old encrypted form")]
    Headers,
    /// What is between the boundaries is not base64.
    #[error("the text between the BEGIN and END lines is not base64")]
    Base64,
    /// There is not exactly one block, or it is one of something else.
    #[error("there is not exactly one block, of the kind that is wanted")]
    Blocks,
}

/// What the one block of `text` holds, which has this label.
///
/// # Errors
/// No PEM; no block, or several, whatever the others hold; a block with another label.
pub fn one(label: &str, text: &[u8]) -> Result<Vec<u8>, PemError> {
    match blocks(text)?.as_slice() {
        [block] if block.label == label => Ok(block.decode()?.to_vec()),
        _ => Err(PemError::Blocks),
    }
}

/// Whether `bytes` are meant to be PEM.
pub(crate) fn is_pem(bytes: &[u8]) -> bool {
    bytes.windows(BEGIN.len()).any(|window| window == BEGIN.as_bytes())
}

/// The blocks in `bytes`, in their order. Text outside of the blocks is skipped (RFC 7468, section 2).
pub(crate) fn blocks(bytes: &[u8]) -> Result<Vec<Block<'_>>, PemError> {
    let mut rest = core::str::from_utf8(bytes).map_err(|_| PemError::Boundary)?;
    let mut found = Vec::new();
    while let Some((_, after)) = split_at_line(rest, BEGIN) {
        let (label, after) = after.split_once(DASHES).ok_or(PemError::Boundary)?;
        if label.is_empty() || label.contains(['\r', '\n']) {
            return Err(PemError::Boundary);
        }
        let (body, after) = split_at_line(after, END).ok_or(PemError::End)?;
        let after = after.strip_prefix(label).and_then(|after| after.strip_prefix(DASHES)).ok_or(PemError::End)?;
        found.push(Block { label, body });
        rest = after;
    }
    Ok(found)
}

impl Block<'_> {
    /// The DER inside. It is wiped on drop, since the block may hold a private key; the decoding takes constant time.
    pub(crate) fn decode(&self) -> Result<Zeroizing<Vec<u8>>, PemError> {
        if self.body.contains(':') {
            return Err(PemError::Headers);
        }
        let mut text = Zeroizing::new(Vec::with_capacity(self.body.len()));
        text.extend(self.body.bytes().filter(|byte| !matches!(byte, b' ' | b'\t' | b'\r' | b'\n')));
        let mut der = Zeroizing::new(alloc::vec![0; text.len()]);
        let length = Base64::decode(text.as_slice(), der.as_mut_slice()).map_err(|_| PemError::Base64)?.len();
        der.truncate(length);
        Ok(der)
    }
}

/// A block with this label around `der`, in lines of 64 characters, with a newline at the end.
pub(crate) fn encode(label: &str, der: &[u8]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(alloc::vec![0; Base64::encoded_len(der)]);
    let text = Base64::encode(der, text.as_mut_slice()).unwrap_or_default();
    let lines = text.len().div_ceil(LINE);
    // Reserved in one piece: a String that grows would leave copies of a private key behind.
    let mut out = Zeroizing::new(String::with_capacity(text.len() + lines + 2 * label.len() + 64));
    let mut push = |parts: [&str; 3]| parts.into_iter().for_each(|part| out.push_str(part));
    push([BEGIN, label, "-----\n"]);
    let mut rest = text;
    while !rest.is_empty() {
        let (line, after) = rest.split_at(LINE.min(rest.len()));
        push([line, "\n", ""]);
        rest = after;
    }
    push([END, label, "-----\n"]);
    out
}

/// What is before and after `mark`, which must stand at the beginning of a line.
fn split_at_line<'a>(text: &'a str, mark: &str) -> Option<(&'a str, &'a str)> {
    text.match_indices(mark).find_map(|(at, _)| {
        let (before, after) = text.split_at_checked(at)?;
        (before.is_empty() || before.ends_with('\n')).then_some((before, after.strip_prefix(mark)?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(text: &str) -> Result<Vec<u8>, PemError> {
        let blocks = blocks(text.as_bytes())?;
        assert_eq!(blocks.len(), 1);
        blocks[0].decode().map(|der| der.to_vec())
    }

    #[test]
    fn what_is_written_is_read() {
        for length in [0, 1, 47, 48, 49, 500] {
            let der: Vec<u8> = (0..=255).cycle().take(length).collect();
            let text = encode("PUBLIC KEY", &der);
            assert!(text.lines().all(|line| line.len() <= 64));
            assert_eq!(only(&text), Ok(der.clone()));
            assert_eq!(only(&text.replace('\n', "\r\n")), Ok(der));
        }
    }

    #[test]
    fn text_around_and_several_blocks() {
        let text = alloc::format!("a comment\n{}\nmore\n{}", &*encode("A", b"1"), &*encode("B C", b"2"));
        let blocks = blocks(text.as_bytes()).unwrap();
        assert_eq!(blocks.iter().map(|block| block.label).collect::<Vec<_>>(), ["A", "B C"]);
        assert_eq!(*blocks[1].decode().unwrap(), b"2");
    }

    #[test]
    fn the_one_block_is_of_the_wanted_kind() {
        let (a, b) = (encode("A", b"1"), encode("B", b"2"));
        assert_eq!(one("A", a.as_bytes()), Ok(b"1".to_vec()));
        for other in ["", &*b, &*alloc::format!("{}{}", *a, *b), &*alloc::format!("{}{}", *a, *a)] {
            assert_eq!(one("A", other.as_bytes()), Err(PemError::Blocks), "{other}");
        }
    }

    #[test]
    fn damaged_text_is_refused() {
        let good = encode("X", b"some bytes");
        assert_eq!(only(&good.replace("END X", "END Y")), Err(PemError::End));
        assert_eq!(blocks(good.split("-----END").next().unwrap().as_bytes()).unwrap_err(), PemError::End);
        assert_eq!(blocks(b"-----BEGIN X").unwrap_err(), PemError::Boundary);
        assert_eq!(blocks(b"-----BEGIN \n-----\n").unwrap_err(), PemError::Boundary);
        assert_eq!(blocks(b"-----BEGIN \xff-----\n").unwrap_err(), PemError::Boundary);
        assert_eq!(only("-----BEGIN X-----\nab*d\n-----END X-----\n"), Err(PemError::Base64));
        assert_eq!(only("-----BEGIN X-----\nQUJ=\n-----END X-----\n"), Err(PemError::Base64), "trailing bits");
        assert_eq!(only("-----BEGIN X-----\nProc-Type: 4,ENCRYPTED\n\nQUJD\n-----END X-----\n"), Err(PemError::Headers));
        assert!(blocks(b"text -----BEGIN X-----\nQUJD\n-----END X-----\n").unwrap().is_empty(), "not at a line's beginning");
    }
}
