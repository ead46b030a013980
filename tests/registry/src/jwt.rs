//! Tokens that docker-registry reads: JSON web tokens, signed with ES256, with the certificate in `x5c` (RFC 7515, RFC 7518).

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rcgen::SigningKey as _;
use serde_json::{Value, json};

use crate::random::uuid;
use crate::tls::{Authority, Issued};

/// Who signs the tokens of a token service.
pub struct TokenIssuer {
    authority: Arc<Authority>,
    issued: Issued,
}

impl std::fmt::Debug for TokenIssuer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenIssuer")
    }
}

impl TokenIssuer {
    /// The `iss` of its tokens.
    pub const NAME: &'static str = "test token service";

    /// A new one, with a new authority.
    ///
    /// # Panics
    /// The system has no random numbers.
    #[must_use]
    pub fn new() -> Arc<Self> {
        let authority = Authority::new();
        let issued = authority.issue_signer().unwrap_or_else(|error| panic!("no token issuer: {error}"));
        Arc::new(Self { authority, issued })
    }

    /// Writes the certificate of the authority: docker-registry's `rootcertbundle`.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write_bundle(&self, path: &Path) -> std::io::Result<()> {
        self.authority.write(path)
    }

    /// A token for `subject` that is good for `lifetime`.
    pub(crate) fn token(&self, subject: &str, service: &str, on: &[(String, Vec<String>)], lifetime: Duration) -> Result<String, String> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(|error| error.to_string())?.as_secs();
        let access: Vec<Value> =
            on.iter().map(|(name, actions)| json!({ "type": "repository", "name": name, "actions": actions })).collect();
        let header = json!({ "typ": "JWT", "alg": "ES256", "x5c": [STANDARD.encode(self.issued.certificate.der())] });
        let claims = json!({
            "iss": Self::NAME, "sub": subject, "aud": service, "jti": uuid(), "access": access,
            "iat": now, "nbf": now.saturating_sub(60), "exp": now + lifetime.as_secs(),
        });
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&header), part(&claims));
        let der = self.issued.key.sign(signed.as_bytes()).map_err(|error| error.to_string())?;
        let signature = fixed(&der).ok_or("not an ECDSA signature")?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

/// An ECDSA signature over P-256 as JSON web tokens hold it, r and s in 32 bytes each (RFC 7518, 3.4), from DER.
fn fixed(der: &[u8]) -> Option<Vec<u8>> {
    let (header, mut rest) = der.split_first_chunk::<2>()?;
    if header.first() != Some(&0x30) {
        return None;
    }
    let mut both = Vec::with_capacity(64);
    for _ in 0..2 {
        let ([tag, length], after) = rest.split_first_chunk::<2>()?;
        let (number, after) = after.split_at_checked(usize::from(*length))?;
        let number = number.strip_prefix(&[0]).unwrap_or(number);
        if *tag != 0x02 || number.len() > 32 {
            return None;
        }
        both.resize(both.len() + 32 - number.len(), 0);
        both.extend_from_slice(number);
        rest = after;
    }
    rest.is_empty().then_some(both)
}

#[cfg(test)]
mod tests {
    use super::fixed;

    #[test]
    fn numbers_are_padded_and_unpadded() {
        let mut der = vec![0x30, 0];
        der.extend([0x02, 33, 0]);
        der.extend([0xff; 32]);
        der.extend([0x02, 2, 1, 2]);
        let mut expected = vec![0xff; 32];
        expected.extend([0; 30]);
        expected.extend([1, 2]);
        assert_eq!(fixed(&der), Some(expected));
        der.push(0);
        assert_eq!(fixed(&der), None, "bytes after the signature");
        assert_eq!(fixed(&[0x30, 2, 0x02]), None, "cut off");
    }
}
