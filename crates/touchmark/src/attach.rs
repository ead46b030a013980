use touchmark_envelope::Digest;
use touchmark_envelope::digest::Digests;
use touchmark_envelope::dsse::{self, DsseError, Envelope};
use touchmark_envelope::manifest::{Descriptor, Manifest, ManifestError};
use touchmark_envelope::signature;
use touchmark_envelope::statement::{Statement, StatementError};
use touchmark_oci::Error as StoreError;
use touchmark_oci::referrer::{self, Role};
use touchmark_oci::source::{Attached, Store};
use touchmark_trust::Limits;

/// Attaches envelopes that were made elsewhere to the manifest `subject`: each must be a well-formed statement about it.
/// Whose signatures they hold is not looked at.
///
/// # Errors
/// What is wrong with the first envelope that is not fit, and then none is attached; or the store cannot be read or written.
pub fn attach(store: &dyn Store, subject: &Digest, envelopes: &[Vec<u8>]) -> Result<Vec<Attached>, AttachError> {
    let bytes = store.manifest(subject, Limits::default().manifest)?;
    let manifest = Manifest::parse(&bytes).map_err(|error| AttachError::Manifest { subject: *subject, error })?;
    let descriptor = Descriptor::new(&manifest.media_type, *subject, u64::try_from(bytes.len()).unwrap_or(u64::MAX));
    let (mut roles, digests) = (Vec::new(), Digests::of(&bytes));
    for (place, envelope) in envelopes.iter().enumerate() {
        roles.push(role(envelope, &digests).map_err(|why| AttachError::Unfit { place, why })?);
    }
    let attached = envelopes.iter().zip(&roles).map(|(envelope, role)| referrer::attach(store, &descriptor, envelope, role));
    Ok(attached.collect::<Result<_, _>>()?)
}

/// What an envelope is to the manifest.
fn role(bytes: &[u8], manifest: &Digests) -> Result<Role, Unfit> {
    let limits = dsse::Limits { bytes: usize::try_from(Limits::default().attestation).unwrap_or(usize::MAX), ..dsse::Limits::default() };
    let envelope = Envelope::parse(bytes, limits)?.into_untrusted();
    if envelope.payload_type != dsse::IN_TOTO {
        return Err(Unfit::PayloadType);
    }
    let statement = Statement::parse(&envelope.payload)?;
    if !statement.subjects.iter().any(|subject| subject.is_of(manifest)) {
        return Err(Unfit::OtherArtifact);
    }
    if statement.predicate_type != signature::PREDICATE_TYPE {
        return Ok(Role::Attestation { predicate_type: statement.predicate_type });
    }
    let limit = Limits::default().signature;
    match u64::try_from(bytes.len()) {
        Ok(size) if size <= limit => Ok(Role::Signature),
        _ => Err(Unfit::TooLarge { limit }),
    }
}

/// Why envelopes were not attached.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AttachError {
    /// The store cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What is to be signed is no manifest.
    #[error("{subject} is malformed: {error}")]
    Manifest {
        /// Its digest.
        subject: Digest,
        /// What is wrong with it.
        error: ManifestError,
    },
    /// One of the envelopes is not to be attached.
    #[error("{why}")]
    Unfit {
        /// Which one, from 0.
        place: usize,
        /// Why.
        why: Unfit,
    },
}

/// Why an envelope is not to be attached.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unfit {
    /// It is no envelope.
    #[error("{0}")]
    Envelope(#[from] DsseError),
    /// Its payload type is not in-toto's.
    #[error("its payload type is not {}", dsse::IN_TOTO)]
    PayloadType,
    /// Its payload is no Statement v1.
    #[error("{0}")]
    Statement(#[from] StatementError),
    /// No subject of its statement is the manifest.
    #[error("it is about another artifact")]
    OtherArtifact,
    /// Larger than a verifier reads the envelope of a signature.
    #[error("it is a signature of more than {limit} bytes, which no verifier reads unasked")]
    TooLarge {
        /// The limit, in bytes.
        limit: u64,
    },
}

impl Unfit {
    /// A stable word for it.
    pub const fn code(&self) -> &'static str {
        match self {
            Unfit::Envelope(_) | Unfit::Statement(_) => "malformed",
            Unfit::PayloadType => "payload-type",
            Unfit::OtherArtifact => "other-artifact",
            Unfit::TooLarge { .. } => "too-large",
        }
    }
}
