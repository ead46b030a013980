//! The manifest that carries an envelope (SPEC.md, section 14): an image manifest with a `subject`, the empty config, and one
//! layer, the envelope.
//!
//! It is made from the subject and the envelope alone, with no time and nothing random in it: whoever stores the same envelope
//! again stores the same manifest. Everything in it is a hint; what counts is under the envelope's signatures.

use std::io::Read;

use touchmark_envelope::digest::Algorithm;
use touchmark_envelope::json::{Object, Value};
use touchmark_envelope::manifest::{Descriptor, EMPTY, IMAGE_MANIFEST, Kind, Manifest};
use touchmark_envelope::{dsse, signature};

use crate::error::Error;
use crate::source::{Attached, Store, put_empty_config};

/// The annotation of an attestation's manifest that holds its predicate type.
pub const PREDICATE_TYPE: &str = "in-toto.io/predicate-type";
/// An envelope of at most this many bytes is inlined in the descriptor of its layer, so that one request less verifies it.
pub const MAX_INLINE: usize = 8 << 10;

/// How often an envelope that goes away while it is attached is stored again.
const ATTEMPTS: usize = 8;

/// What an envelope says of the artifact, as far as its manifest tells.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Role {
    /// A Touchmark signature.
    Signature,
    /// An in-toto attestation of another predicate type.
    Attestation {
        /// The predicate type; empty if the manifest does not say.
        predicate_type: String,
    },
}

impl Role {
    /// The artifact type of the manifest.
    pub fn artifact_type(&self) -> &'static str {
        match self {
            Role::Signature => signature::ARTIFACT_TYPE,
            Role::Attestation { .. } => dsse::IN_TOTO,
        }
    }

    /// The role of a manifest with this artifact type and these annotations, be they of the manifest or of its descriptor.
    pub fn of(descriptor: &Descriptor) -> Option<Self> {
        match descriptor.artifact_type.as_deref()? {
            signature::ARTIFACT_TYPE => Some(Role::Signature),
            dsse::IN_TOTO => {
                let predicate_type = descriptor.annotations.get(PREDICATE_TYPE).cloned().unwrap_or_default();
                Some(Role::Attestation { predicate_type })
            }
            _ => None,
        }
    }
}

/// The bytes of the manifest that carries `envelope` for `subject`.
pub fn manifest(subject: &Descriptor, envelope: &[u8], role: &Role) -> Vec<u8> {
    let config = Descriptor { data: Some(EMPTY.to_vec()), ..Descriptor::empty_config() };
    // Of the subject its type, digest and size: its tag, platform and annotations are of the place where it was found.
    let subject = Descriptor::new(&subject.media_type, subject.digest, subject.size);
    let mut document = Object::new();
    document.insert("schemaVersion", 2_u64);
    document.insert("mediaType", IMAGE_MANIFEST);
    document.insert("artifactType", role.artifact_type());
    document.insert("config", config.to_json());
    document.insert("layers", vec![layer(envelope).to_json()]);
    document.insert("subject", subject.to_json());
    if let Role::Attestation { predicate_type } = role {
        document.insert("annotations", Value::object([(PREDICATE_TYPE, predicate_type.clone())]));
    }
    Value::from(document).to_vec()
}

fn layer(envelope: &[u8]) -> Descriptor {
    let size = u64::try_from(envelope.len()).unwrap_or(u64::MAX);
    let mut layer = Descriptor::new(dsse::MEDIA_TYPE, Algorithm::Sha256.digest(envelope), size);
    layer.data = (envelope.len() <= MAX_INLINE).then(|| envelope.to_vec());
    layer
}

/// Stores `envelope` as a referrer of `subject`: the blobs, then the manifest, listed and read back.
///
/// # Errors
/// The store cannot be written, or does not list it.
pub fn attach(store: &dyn Store, subject: &Descriptor, envelope: &[u8], role: &Role) -> Result<Attached, Error> {
    put_empty_config(store)?;
    let manifest = manifest(subject, envelope, role);
    let mut attempt = 1;
    loop {
        store.put_blob(Some(&layer(envelope)), &mut { envelope })?;
        match store.attach(&manifest) {
            // Someone removed another referrer with this envelope, and the envelope with it, after it was found to be there.
            Err(Error::MissingBlob { .. }) if attempt < ATTEMPTS => attempt += 1,
            attached => return attached,
        }
    }
}

/// The layer of a manifest that is an envelope: the only one of that media type. It is `None` for other artifacts.
pub fn envelope(manifest: &Manifest) -> Option<&Descriptor> {
    let Kind::Image { layers, .. } = &manifest.kind else { return None };
    let mut envelopes = layers.iter().filter(|layer| layer.media_type == dsse::MEDIA_TYPE);
    envelopes.next().filter(|_| envelopes.next().is_none())
}

/// The envelope that a layer describes: what is inlined, if it has the layer's size and digest, or else what `read` gives, hashed.
///
/// # Errors
/// `read` fails, or gives other bytes, or more than `limit`.
pub fn read_envelope<'a>(
    location: &str,
    layer: &Descriptor,
    limit: u64,
    read: impl FnOnce() -> Result<(u64, Box<dyn Read + 'a>), Error>,
) -> Result<Vec<u8>, Error> {
    let matches = |bytes: &[u8]| u64::try_from(bytes.len()) == Ok(layer.size) && layer.digest.matches(bytes);
    let size = layer.size;
    if size > limit {
        return Err(Error::TooLarge { location: location.to_owned(), what: layer.digest.to_string(), size, limit });
    }
    if let Some(data) = layer.data.as_ref().filter(|data| matches(data)) {
        return Ok(data.clone());
    }
    let (found, reader) = read()?;
    if found != size {
        return Err(Error::WrongSize { location: location.to_owned(), digest: layer.digest, expected: size, found });
    }
    let mut bytes = Vec::new();
    reader.take(size).read_to_end(&mut bytes).map_err(|source| Error::content(location, source))?;
    if matches(&bytes) {
        return Ok(bytes);
    }
    let found = layer.digest.algorithm().digest(&bytes);
    Err(Error::WrongDigest { location: location.to_owned(), expected: layer.digest, found })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject() -> Descriptor {
        let mut subject = Descriptor::new(IMAGE_MANIFEST, Algorithm::Sha256.digest(b"subject"), 7);
        subject.annotations.insert("org.opencontainers.image.ref.name".to_owned(), "v1".to_owned());
        subject
    }

    #[test]
    fn the_same_envelope_makes_the_same_manifest() {
        let bytes = manifest(&subject(), b"{}", &Role::Signature);
        assert_eq!(bytes, manifest(&subject(), b"{}", &Role::Signature));
        let read = Manifest::parse(&bytes).unwrap();
        assert_eq!(read.artifact_type(), Some("application/vnd.touchmark.signature.v1+json"));
        assert_eq!(read.subject.as_ref().unwrap(), &Descriptor::new(IMAGE_MANIFEST, subject().digest, 7));
        assert!(read.annotations.is_empty());
        assert_eq!(envelope(&read).and_then(|layer| layer.data.clone()), Some(b"{}".to_vec()));
        assert!(!String::from_utf8(bytes).unwrap().contains("ref.name"));
    }

    #[test]
    fn an_attestation_says_its_predicate_type() {
        let role = Role::Attestation { predicate_type: "https://slsa.dev/provenance/v1".to_owned() };
        let bytes = manifest(&subject(), b"{}", &role);
        let read = Manifest::parse(&bytes).unwrap();
        let described = crate::scan::describe(&read, &Algorithm::Sha256.digest(&bytes), 1);
        assert_eq!(Role::of(&described), Some(role));
        assert_eq!(Role::of(&subject()), None);
    }

    #[test]
    fn only_small_envelopes_are_inlined() {
        for (length, inlined) in [(MAX_INLINE, true), (MAX_INLINE + 1, false)] {
            let read = Manifest::parse(&manifest(&subject(), &vec![b' '; length], &Role::Signature)).unwrap();
            assert_eq!(envelope(&read).unwrap().data.is_some(), inlined);
        }
    }

    #[test]
    fn inlined_bytes_of_another_digest_are_not_taken() {
        let mut layer = layer(b"{}");
        let stored = |bytes: &'static [u8]| -> Result<(u64, Box<dyn Read>), Error> { Ok((2, Box::new(bytes))) };
        layer.data = Some(b"[]".to_vec());
        assert_eq!(read_envelope("oci:x", &layer, 10, || stored(b"{}")).unwrap(), b"{}");
        assert!(matches!(read_envelope("oci:x", &layer, 10, || stored(b"[]")), Err(Error::WrongDigest { .. })));
        assert!(matches!(read_envelope("oci:x", &layer, 1, || stored(b"{}")), Err(Error::TooLarge { .. })));
    }
}
