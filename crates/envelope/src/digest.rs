//! Content digests (OCI image spec, "Digests"): sha256 and sha512, in one go or streamed.

use alloc::string::String;
use core::fmt;
use core::str::FromStr;

use sha2::Digest as _;

/// The digest algorithms that count. sha1, md5 and everything else never do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// SHA-256, 32 bytes.
    Sha256,
    /// SHA-512, 64 bytes.
    Sha512,
}

impl Algorithm {
    /// Every supported algorithm, the preferred one first.
    pub const ALL: [Algorithm; 2] = [Algorithm::Sha256, Algorithm::Sha512];

    /// The name used in digests, in statements and in TUF metadata.
    pub const fn name(self) -> &'static str {
        match self {
            Algorithm::Sha256 => "sha256",
            Algorithm::Sha512 => "sha512",
        }
    }

    /// The algorithm of this exact name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|a| a.name() == name)
    }

    /// Bytes in a digest.
    pub const fn length(self) -> usize {
        match self {
            Algorithm::Sha256 => 32,
            Algorithm::Sha512 => 64,
        }
    }

    /// The digest of `bytes`.
    pub fn digest(self, bytes: &[u8]) -> Digest {
        let mut hasher = Hasher::new(self);
        hasher.update(bytes);
        hasher.finish()
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A digest of a supported algorithm, written `sha256:` and lower-case hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest {
    algorithm: Algorithm,
    // Unused bytes of a shorter digest are zero.
    bytes: [u8; 64],
}

impl Digest {
    /// The digest with these raw bytes; `None` if their number is not the algorithm's.
    pub fn from_bytes(algorithm: Algorithm, raw: &[u8]) -> Option<Self> {
        if raw.len() != algorithm.length() {
            return None;
        }
        let mut bytes = [0; 64];
        bytes.get_mut(..raw.len())?.copy_from_slice(raw);
        Some(Self { algorithm, bytes })
    }

    /// The digest whose hexadecimal form, in lower case, is `hex`.
    ///
    /// # Errors
    /// Another length, or a character outside `0-9a-f`.
    pub fn from_hex(algorithm: Algorithm, hex: &str) -> Result<Self, DigestError> {
        let hex = hex.as_bytes();
        if hex.len() != algorithm.length() * 2 {
            return Err(DigestError::Length { algorithm, found: hex.len() });
        }
        let mut bytes = [0; 64];
        for (byte, pair) in bytes.iter_mut().zip(hex.chunks_exact(2)) {
            for digit in pair {
                let value = match digit {
                    b'0'..=b'9' => digit - b'0',
                    b'a'..=b'f' => digit - b'a' + 10,
                    _ => return Err(DigestError::Hex),
                };
                *byte = *byte << 4 | value;
            }
        }
        Ok(Self { algorithm, bytes })
    }

    /// Its algorithm.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Its raw bytes: 32 or 64.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.algorithm.length()).unwrap_or(&self.bytes)
    }

    /// Its lower-case hexadecimal form, without the algorithm.
    pub fn hex(&self) -> String {
        hex(self.as_bytes())
    }

    /// Whether `bytes` have this digest.
    pub fn matches(&self, bytes: &[u8]) -> bool {
        self.algorithm.digest(bytes) == *self
    }
}

/// The digests of some bytes by every supported algorithm, computed once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digests {
    all: [Digest; 2],
    size: u64,
}

impl Digests {
    /// Those of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self { all: Algorithm::ALL.map(|algorithm| algorithm.digest(bytes)), size: u64::try_from(bytes.len()).unwrap_or(u64::MAX) }
    }

    /// Whether `digest` is one of them.
    pub fn contain(&self, digest: &Digest) -> bool {
        self.all.contains(digest)
    }

    /// All of them, one for each algorithm.
    pub fn all(&self) -> &[Digest] {
        &self.all
    }

    /// How many bytes there were.
    pub fn size(&self) -> u64 {
        self.size
    }
}

/// The lower-case hexadecimal form of `bytes`.
pub fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        for nibble in [byte >> 4, byte & 15] {
            out.push(char::from_digit(nibble.into(), 16).unwrap_or('?'));
        }
    }
    out
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.algorithm, self.hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let (name, hex) = text.split_once(':').ok_or(DigestError::Form)?;
        let algorithm = Algorithm::from_name(name).ok_or(DigestError::Algorithm)?;
        Self::from_hex(algorithm, hex)
    }
}

/// Why a text is no digest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DigestError {
    /// There is no `:`.
    #[error("a digest is ALGORITHM:HEX, and this has no colon")]
    Form,
    /// Neither sha256 nor sha512.
    #[error("the digest's algorithm is neither sha256 nor sha512")]
    Algorithm,
    /// The number of digits is not the algorithm's.
    #[error("a {algorithm} digest has {} hexadecimal digits, this has {found}", algorithm.length() * 2)]
    Length {
        /// The algorithm named.
        algorithm: Algorithm,
        /// How many digits (bytes) there were.
        found: usize,
    },
    /// A character that is not a lower-case hexadecimal digit.
    #[error("a digest has lower-case hexadecimal digits only")]
    Hex,
}

/// Computes a digest piece by piece.
#[derive(Clone)]
pub struct Hasher(State);

#[derive(Clone)]
enum State {
    Sha256(sha2::Sha256),
    Sha512(sha2::Sha512),
}

impl Hasher {
    /// A hasher that has seen nothing.
    pub fn new(algorithm: Algorithm) -> Self {
        Self(match algorithm {
            Algorithm::Sha256 => State::Sha256(sha2::Sha256::new()),
            Algorithm::Sha512 => State::Sha512(sha2::Sha512::new()),
        })
    }

    /// Takes in the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            State::Sha256(state) => state.update(bytes),
            State::Sha512(state) => state.update(bytes),
        }
    }

    /// The digest of all that was taken in.
    pub fn finish(self) -> Digest {
        let mut bytes = [0; 64];
        let algorithm = match self.0 {
            State::Sha256(state) => {
                for (to, from) in bytes.iter_mut().zip(state.finalize()) {
                    *to = from;
                }
                Algorithm::Sha256
            }
            State::Sha512(state) => {
                for (to, from) in bytes.iter_mut().zip(state.finalize()) {
                    *to = from;
                }
                Algorithm::Sha512
            }
        };
        Digest { algorithm, bytes }
    }
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hasher")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn known_digests() {
        // FIPS 180-4 examples for "abc".
        assert_eq!(Algorithm::Sha256.digest(b"abc").to_string(), "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert!(Algorithm::Sha512.digest(b"abc").to_string().starts_with("sha512:ddaf35a193617aba"));
    }

    #[test]
    fn round_trip_and_refusals() {
        for algorithm in Algorithm::ALL {
            let digest = algorithm.digest(b"x");
            assert_eq!(digest.to_string().parse::<Digest>(), Ok(digest));
            assert_eq!(digest.as_bytes().len(), algorithm.length());
        }
        let good = Algorithm::Sha256.digest(b"x").hex();
        assert_eq!("sha256".parse::<Digest>(), Err(DigestError::Form));
        assert_eq!("sha1:00".parse::<Digest>(), Err(DigestError::Algorithm));
        assert_eq!(alloc::format!("sha256:{}", good.to_uppercase()).parse::<Digest>(), Err(DigestError::Hex));
        for bad in ["sha256:../../x", "sha256:", "sha512:00"] {
            assert!(matches!(bad.parse::<Digest>(), Err(DigestError::Length { .. })), "{bad}");
        }
    }
}
