//! Why nothing was signed.

use touchmark_envelope::dsse::DsseError;
use touchmark_envelope::json;
use touchmark_envelope::manifest::ManifestError;
use touchmark_envelope::sign::SignError;
use touchmark_envelope::signature::{MAX_ANNOTATIONS, Mismatch, PREDICATE_TYPE};
use touchmark_envelope::statement::StatementError;
use touchmark_envelope::{Digest, UnixTime};
use touchmark_oci::error::{Class, Error as StoreError};

/// Why nothing was signed or attached.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SigningError {
    /// The artifact cannot be read, or the signature not be stored.
    #[error(transparent)]
    Store(Box<StoreError>),
    /// A key did not sign.
    #[error(transparent)]
    Signer(#[from] SignError),
    /// There is no key to sign with.
    #[error("no key to sign with")]
    NoSigner,
    /// The artifact is no manifest that could be verified.
    #[error("{digest} cannot be signed: {error}")]
    Manifest {
        /// The artifact.
        digest: Digest,
        /// What is wrong with it.
        error: ManifestError,
    },
    /// The descriptor to be signed is none.
    #[error("the descriptor cannot be read: {0}")]
    Descriptor(String),
    /// The descriptor is of something else than a manifest.
    #[error("the descriptor is of `{}`, and only manifests and indexes are signed", media_type.escape_debug())]
    NotAManifest {
        /// Its media type.
        media_type: String,
    },
    /// More annotations than a signature may have.
    #[error("{found} annotations, more than the {MAX_ANNOTATIONS} that a signature may have")]
    TooManyAnnotations {
        /// How many.
        found: usize,
    },
    /// The signature would never count.
    #[error("the signature would expire at {expires}, before it is issued at {issued}")]
    ExpiresBeforeIssue {
        /// The time of issue.
        issued: UnixTime,
        /// The end.
        expires: UnixTime,
    },
    /// A time beyond the year 9999.
    #[error("the signature would expire after the year 9999")]
    Calendar,
    /// Larger than what is verified.
    #[error("the envelope would have {size} bytes, more than the {limit} that are verified")]
    TooLarge {
        /// Its size in bytes.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// More children than are signed at once.
    #[error("{digest} has more than {limit} children at all depths")]
    TooManyChildren {
        /// The index.
        digest: Digest,
        /// The limit.
        limit: usize,
    },
    /// The envelope to be co-signed cannot be read.
    #[error("the envelope cannot be read: {0}")]
    Envelope(#[from] DsseError),
    /// The payload of the envelope to be co-signed is no statement.
    #[error("the envelope holds no statement: {0}")]
    Statement(#[from] StatementError),
    /// The envelope to be co-signed holds something else than a signature.
    #[error("the envelope holds no Touchmark signature: {0}")]
    NotASignature(#[from] Mismatch),
    /// The envelope to be co-signed says something else than the co-signer.
    #[error("the envelope says {theirs} for {what}, and you say {ours}; it is not co-signed")]
    Differs {
        /// Which part of the statement.
        what: &'static str,
        /// What is in the envelope.
        theirs: String,
        /// What the co-signer's command line says.
        ours: String,
    },
    /// The envelope to be co-signed says that it was issued later than now.
    #[error("the envelope says that it was issued at {issued}, and it is {now}; it is not co-signed")]
    IssuedInFuture {
        /// What it says.
        issued: UnixTime,
        /// The time.
        now: UnixTime,
    },
    /// An attestation must not look like a signature.
    #[error("`{PREDICATE_TYPE}` is the type of signatures; an attestation has another")]
    SignatureType,
    /// The predicate type is no URI.
    #[error("`{}` is no predicate type: it is a URI", found.escape_debug())]
    PredicateType {
        /// What was given.
        found: String,
    },
    /// The predicate is no JSON object.
    #[error("the predicate is no JSON: {0}")]
    Predicate(#[from] json::Error),
    /// The predicate is JSON and no object.
    #[error("the predicate is no JSON object")]
    PredicateNoObject,
    /// A whole statement was given as a predicate.
    #[error("the file holds a whole in-toto statement, and its predicate alone is needed")]
    WholeStatement,
}

impl SigningError {
    /// What it means to the caller; exit codes derive from it as for errors of stores.
    pub fn class(&self) -> Class {
        match self {
            SigningError::Store(error) => error.class(),
            SigningError::Signer(_) => Class::Unavailable,
            SigningError::Manifest { .. } => Class::Malformed,
            SigningError::TooManyChildren { .. } => Class::Cap,
            _ => Class::Usage,
        }
    }

    /// A stable name for programs.
    pub fn code(&self) -> &'static str {
        match self {
            SigningError::Store(error) => error.code(),
            SigningError::Signer(error) => error.code(),
            SigningError::NoSigner => "no-key",
            SigningError::Manifest { .. } => "malformed",
            SigningError::Descriptor(_) => "bad-descriptor",
            SigningError::NotAManifest { .. } => "not-a-manifest",
            SigningError::TooManyAnnotations { .. } => "too-many-annotations",
            SigningError::ExpiresBeforeIssue { .. } => "expires-before-issue",
            SigningError::Calendar => "expires-too-late",
            SigningError::TooLarge { .. } => "too-large",
            SigningError::TooManyChildren { .. } => "too-many-children",
            SigningError::Envelope(_) | SigningError::Statement(_) | SigningError::NotASignature(_) => "bad-envelope",
            SigningError::Differs { .. } => "co-sign-differs",
            SigningError::IssuedInFuture { .. } => "co-sign-future",
            SigningError::SignatureType => "attest-signature",
            SigningError::PredicateType { .. } => "bad-predicate-type",
            SigningError::Predicate(_) | SigningError::PredicateNoObject | SigningError::WholeStatement => "bad-predicate",
        }
    }

    /// What to try, where there is something to say.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            SigningError::Store(error) => return error.hint(),
            SigningError::NoSigner => "give --key PRIVATE-KEY",
            SigningError::Descriptor(_) | SigningError::NotAManifest { .. } => {
                "`touchmark resolve REF --descriptor` prints the one to sign"
            }
            SigningError::Differs { .. } => "give the same options as the first signer, or ask them why theirs differ",
            SigningError::IssuedInFuture { .. } => "check the clocks of both machines",
            SigningError::SignatureType => "`touchmark sign` makes signatures",
            SigningError::WholeStatement => "give the value of its member `predicate`",
            SigningError::ExpiresBeforeIssue { .. } | SigningError::Calendar => "give another --expires",
            _ => return None,
        };
        Some(hint.to_owned())
    }

    /// Whether the same call may succeed later.
    pub fn is_retryable(&self) -> bool {
        match self {
            SigningError::Store(error) => error.is_retryable(),
            SigningError::Signer(SignError::Refused { retryable, .. }) => *retryable,
            _ => false,
        }
    }
}

impl From<StoreError> for SigningError {
    fn from(error: StoreError) -> Self {
        SigningError::Store(Box::new(error))
    }
}
