//! Roles in the last quarter of their life, found without reading more than it takes: every command warns of them.

use std::io::Read as _;

use touchmark_envelope::UnixTime;
use touchmark_oci::files;
use touchmark_tuf::metadata::TopLevel;
use touchmark_tuf::repository::{Age, Document};

use super::state::State;
use super::{Repository, RepositoryError};

/// Of a document, so much is read first for its expiry.
const HEAD: u64 = 16 << 10;

/// A document of more bytes is not read for its expiry alone, where its beginning says it.
const LARGE: u64 = 1 << 20;

impl Repository {
    /// The published roles whose life is in its last quarter or over: the top-level ones, then the delegated ones by name.
    ///
    /// Of delegated roles, which may be many and among them large ones, only the beginning is read. Delegators are read if one of them is
    /// late: the snapshot also lists roles that nobody delegates to any more.
    ///
    /// # Errors
    /// The document of a top-level role cannot be read. A delegated one that cannot is passed over.
    pub fn late(&self, now: UnixTime) -> Result<Vec<(String, UnixTime, Age)>, RepositoryError> {
        let mut state = self.state()?;
        state.ignore_staged();
        let mut late = Vec::new();
        for role in TopLevel::ALL {
            if let Some(expires) = state.published_expiry(role.name())? {
                let age = self.lifetimes.of(role.name()).age(expires, now);
                if age >= Age::Late {
                    late.push((role.name().to_owned(), expires, age));
                }
            }
        }
        let names: Vec<String> = state.listed.keys().filter_map(|path| path.strip_suffix(".json")).map(str::to_owned).collect();
        let mut delegated = Vec::new();
        for name in names.into_iter().filter(|name| name != "targets") {
            if let Ok(Some(expires)) = state.published_expiry(&name) {
                let age = self.lifetimes.of(&name).age(expires, now);
                if age >= Age::Late {
                    delegated.push((name, expires, age));
                }
            }
        }
        // What nobody delegates to any more is nobody's affair.
        late.extend(delegated.into_iter().filter(|(name, ..)| state.seat(name).is_ok()));
        Ok(late)
    }
}

impl State {
    /// When the published document of a role expires. Only as much of it is read as it takes: it is for a warning.
    fn published_expiry(&mut self, role: &str) -> Result<Option<UnixTime>, RepositoryError> {
        // These were read already.
        if !matches!(role, "root" | "snapshot" | "timestamp")
            && let Some(version) = self.published_version(role)?
        {
            let path = self.folders.published_file(role, version)?;
            let size = files::size(&path)?.unwrap_or_default();
            for most in [HEAD, LARGE] {
                let Some(file) = files::open(&path)? else { break };
                let mut head = Vec::new();
                let read = file.take(most).read_to_end(&mut head);
                read.map_err(|source| touchmark_oci::Error::Io { action: "read", path: path.clone(), source })?;
                if let Some(expires) = expiry_in(&head) {
                    return Ok(Some(expires));
                }
                if size <= most {
                    break;
                }
            }
        }
        Ok(self.published(role)?.map(Document::expires).transpose()?)
    }
}

/// The expiry in the beginning of a targets document in the written form.
fn expiry_in(head: &[u8]) -> Option<UnixTime> {
    const BEFORE: &str = r#""signed":{"_type":"targets","#;
    let head = String::from_utf8_lossy(head);
    let (_, rest) = head.split_once(BEFORE)?;
    let rest = match rest.strip_prefix(r#""delegations":"#) {
        Some(delegations) => after_object(delegations)?.strip_prefix(',')?,
        None => rest,
    };
    UnixTime::parse_signed(rest.strip_prefix(r#""expires":""#)?.split_once('"')?.0).ok()
}

/// What comes after the JSON object that `text` begins with.
fn after_object(text: &str) -> Option<&str> {
    let (mut depth, mut in_string, mut escaped) = (0_u32, false, false);
    for (place, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' | b'[' => depth = depth.checked_add(1)?,
            b'}' | b']' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return text.get(place + 1..);
                }
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use touchmark_tuf::repository::{Appointment, Place, delegate, hash_bins, new_targets};

    #[test]
    fn the_beginning_of_a_document_says_when_it_expires() {
        let expires = UnixTime::parse_signed("2030-01-01T00:00:00Z").unwrap();
        let mut document = new_targets(expires).unwrap();
        assert_eq!(expiry_in(&document.to_bytes()), Some(expires));
        let key = touchmark_envelope::sign::PrivateKey::from_raw(touchmark_envelope::key::KeyAlgorithm::Ed25519, &[7; 32]).unwrap();
        let signers = Appointment { keys: vec![touchmark_envelope::sign::Signer::public_key(&key).clone()], threshold: 1 };
        delegate(&mut document, &hash_bins("bin", 3, &signers).unwrap(), &Place::Last).unwrap();
        let bytes = document.to_bytes();
        assert_eq!(expiry_in(&bytes), Some(expires));
        for length in 0..bytes.len() {
            assert!(expiry_in(&bytes[..length]).is_none_or(|found| found == expires), "{length}");
        }
        for other in [
            &b""[..],
            br#""signed":{"_type":"targets","expires":"soon""#,
            br#""signed":{"_type":"root","expires":"2030-01-01T00:00:00Z""#,
            br#""signed":{"_type":"targets","delegations":]"#,
            br#""signed":{"_type":"targets","more":"\"expires\":\"2030-01-01T00:00:00Z\"","#,
        ] {
            assert_eq!(expiry_in(other), None);
        }
    }

    #[test]
    fn an_object_ends_where_it_ends() {
        assert_eq!(after_object(r#"{"a}":["\"}",{}]},x"#), Some(",x"));
        assert_eq!(after_object("{}"), Some(""));
        for unended in ["", "{", r#"{"}"#, r#"{"a":"\"#, "]"] {
            assert_eq!(after_object(unended), None, "{unended}");
        }
    }
}
