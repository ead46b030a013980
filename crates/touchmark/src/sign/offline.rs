//! Signing a descriptor, on a machine that has neither the artifact nor a network; and adding a signature to an envelope.

use touchmark_envelope::dsse::{self, Envelope, Limits};
use touchmark_envelope::json;
use touchmark_envelope::key::PublicKey;
use touchmark_envelope::manifest::{Descriptor, is_manifest_type};
use touchmark_envelope::sign::Signer;
use touchmark_envelope::signature::Signature;
use touchmark_envelope::statement::Statement;
use touchmark_envelope::{Name, UnixTime};

use super::store::check_size;
use super::{Claim, Signers, SigningError};

/// Bytes of a descriptor.
const MAX_DESCRIPTOR: usize = 64 * 1024;
/// How far ahead the clock of another signer may be, in seconds.
const CLOCK_SKEW: i64 = 300;

/// What [`co_sign`] did.
#[derive(Clone, Debug)]
pub struct CoSigned {
    /// The envelope with all signatures.
    pub envelope: Vec<u8>,
    /// The keys that signed.
    pub signed_by: Vec<PublicKey>,
    /// The keys that had signed this envelope already.
    pub already: Vec<PublicKey>,
}

/// An envelope over the statement about the manifest that `descriptor` (JSON, as `touchmark resolve --descriptor` prints it) names.
///
/// # Errors
/// It is no descriptor of a manifest, or a key does not sign.
pub fn sign_descriptor(descriptor: &[u8], signers: &Signers, claim: &Claim, now: UnixTime) -> Result<Vec<u8>, SigningError> {
    if signers.is_empty() {
        return Err(SigningError::NoSigner);
    }
    let signers: Vec<&dyn Signer> = signers.iter().map(AsRef::as_ref).collect();
    let signature = built(&read_descriptor(descriptor)?, claim, now)?;
    let envelope = Envelope::sign(dsse::IN_TOTO, signature.to_json(), &signers)?.to_json();
    check_size(&envelope, limit())?;
    Ok(envelope)
}

/// Adds signatures to `envelope`, if it says exactly what the statement would that is built from `descriptor` and `claim`.
///
/// Its time of issue is the first signer's, and must not lie in the future; a lifetime in seconds runs from then. Every byte of the
/// payload is one that this library would write: a co-signer signs nothing that its own command line did not say.
///
/// # Errors
/// [`SigningError::Differs`] and whatever makes the envelope another one, or a key does not sign.
pub fn co_sign(envelope: &[u8], descriptor: &[u8], signers: &Signers, claim: &Claim, now: UnixTime) -> Result<CoSigned, SigningError> {
    if signers.is_empty() {
        return Err(SigningError::NoSigner);
    }
    let mut envelope = Envelope::parse(envelope, Limits::default())?.into_untrusted();
    if envelope.payload_type != dsse::IN_TOTO {
        return Err(differs("its payload type", &envelope.payload_type, dsse::IN_TOTO));
    }
    let theirs = Signature::from_statement(&Statement::parse(&envelope.payload)?)?;
    if now.plus(CLOCK_SKEW).is_none_or(|latest| theirs.issued > latest) {
        return Err(SigningError::IssuedInFuture { issued: theirs.issued, now });
    }
    let ours = built(&read_descriptor(descriptor)?, claim, theirs.issued)?;
    compare(&theirs, &ours)?;
    if ours.to_json() != envelope.payload {
        return Err(differs("the form of the statement", "it in other words", "it as Touchmark writes it"));
    }
    let mut done = CoSigned { envelope: Vec::new(), signed_by: Vec::new(), already: Vec::new() };
    for signer in signers {
        let added = envelope.add_signature(signer.as_ref())?;
        let keys = if added { &mut done.signed_by } else { &mut done.already };
        keys.push(signer.public_key().clone());
    }
    done.envelope = envelope.to_json();
    check_size(&done.envelope, limit())?;
    // The limit on signatures is verify's too.
    Envelope::parse(&done.envelope, Limits::default())?;
    Ok(done)
}

fn limit() -> u64 {
    touchmark_trust::Limits::default().signature
}

fn built(descriptor: &Descriptor, claim: &Claim, issued: UnixTime) -> Result<Signature, SigningError> {
    let mut signature = Signature::of(&[], &descriptor.media_type, issued);
    (signature.size, signature.digests) = (descriptor.size, vec![descriptor.digest]);
    claim.put_into(&mut signature)?;
    Ok(signature)
}

fn read_descriptor(bytes: &[u8]) -> Result<Descriptor, SigningError> {
    let document = json::parse(bytes, MAX_DESCRIPTOR).map_err(|error| SigningError::Descriptor(error.to_string()))?;
    let descriptor = Descriptor::from_json(&document).map_err(|error| SigningError::Descriptor(error.to_string()))?;
    if is_manifest_type(&descriptor.media_type) {
        Ok(descriptor)
    } else {
        Err(SigningError::NotAManifest { media_type: descriptor.media_type })
    }
}

/// Names the first part of the statement in which the two differ.
fn compare(theirs: &Signature, ours: &Signature) -> Result<(), SigningError> {
    let digests = |signature: &Signature| signature.digests.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ");
    let name = |name: &Option<Name>| name.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string);
    let time = |time: Option<UnixTime>| time.map_or_else(|| "none".to_owned(), |time| time.to_string());
    let parts = [
        ("the digest", digests(theirs), digests(ours)),
        ("the media type", theirs.media_type.clone(), ours.media_type.clone()),
        ("the size", theirs.size.to_string(), ours.size.to_string()),
        ("the name", name(&theirs.name), name(&ours.name)),
        ("the expiry", time(theirs.expires), time(ours.expires)),
        ("the annotations", format!("{:?}", theirs.annotations), format!("{:?}", ours.annotations)),
    ];
    match parts.into_iter().find(|(_, theirs, ours)| theirs != ours) {
        Some((what, theirs, ours)) => Err(differs(what, &theirs, &ours)),
        None => Ok(()),
    }
}

fn differs(what: &'static str, theirs: &str, ours: &str) -> SigningError {
    SigningError::Differs { what, theirs: theirs.escape_debug().to_string(), ours: ours.escape_debug().to_string() }
}
