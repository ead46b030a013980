//! Signing artifacts where they are stored.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use touchmark_envelope::dsse::{self, Envelope};
use touchmark_envelope::key::PublicKey;
use touchmark_envelope::manifest::{Descriptor, Manifest, is_manifest_type};
use touchmark_envelope::sign::Signer;
use touchmark_envelope::signature::{ARTIFACT_TYPE, Signature};
use touchmark_envelope::statement::Statement;
use touchmark_envelope::threshold::KeySet;
use touchmark_envelope::{Digest, UnixTime};
use touchmark_oci::Class;
use touchmark_oci::referrer::{self, Role};
use touchmark_oci::source::{Attached, Source, Store};
use touchmark_trust::Limits;

use super::{Claim, Signers, SigningError};
use crate::evidence::each_evidence;

/// At most this many manifests are signed by one call with all their children.
pub const MAX_RECURSION: usize = 10_000;

/// What is done for a key that has said the same already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// Nothing: a pipeline that runs twice leaves one signature.
    Skip,
    /// Another signature is added.
    Again,
}

/// What [`sign`] did.
#[derive(Clone, Debug)]
pub struct Signed {
    /// The artifact, from its bytes.
    pub subject: Descriptor,
    /// The signature that was added, by all the keys that signed; `None` if none had to.
    pub attached: Option<Attached>,
    /// The keys that signed.
    pub signed_by: Vec<PublicKey>,
    /// The keys that had said the same already, each with the signature that says it.
    pub already: Vec<(PublicKey, Digest)>,
    /// The envelope that was added.
    pub envelope: Option<Vec<u8>>,
}

/// Signs an artifact of `store` with each of `signers` and attaches the signature, read back.
///
/// # Errors
/// The artifact cannot be read or is no manifest, a key does not sign, or the signature cannot be stored.
pub fn sign(
    store: &dyn Store,
    artifact: &Digest,
    signers: &Signers,
    claim: &Claim,
    repeat: Repeat,
    now: UnixTime,
) -> Result<Signed, SigningError> {
    if signers.is_empty() {
        return Err(SigningError::NoSigner);
    }
    let (subject, bytes) = subject(store, artifact)?;
    let mut signature = Signature::of(&bytes, &subject.media_type, now);
    if !signature.digests.contains(artifact) {
        signature.digests.push(*artifact);
    }
    claim.put_into(&mut signature)?;
    let already = match repeat {
        Repeat::Again => Vec::new(),
        Repeat::Skip => said(store, artifact, signers, |existing| claim.is_said_by(existing, &signature, now))?,
    };
    if store.repository().is_some() {
        list_again(store, &already)?;
    }
    let mut new: Vec<&dyn Signer> = Vec::new();
    for signer in signers {
        if !already.iter().any(|(key, _)| key == signer.public_key()) {
            new.push(signer.as_ref());
        }
    }
    let mut signed = Signed { subject, attached: None, signed_by: Vec::new(), already, envelope: None };
    if !new.is_empty() {
        let envelope = Envelope::sign(dsse::IN_TOTO, signature.to_json(), &new)?.to_json();
        check_size(&envelope, Limits::default().signature)?;
        signed.attached = Some(referrer::attach(store, &signed.subject, &envelope, &Role::Signature)?);
        signed.signed_by = new.iter().map(|signer| signer.public_key().clone()).collect();
        signed.envelope = Some(envelope);
    }
    Ok(signed)
}

/// Attaches signatures to a registry again that are there: whoever attached them may have been stopped before they were listed
/// everywhere. Who may not write, or cannot, as a blob of theirs is gone, leaves them as they are.
fn list_again(store: &dyn Store, already: &[(PublicKey, Digest)]) -> Result<(), SigningError> {
    for digest in already.iter().map(|(_, digest)| *digest).collect::<BTreeSet<_>>() {
        let manifest = store.manifest(&digest, Limits::default().manifest)?;
        match store.attach_as(digest.algorithm(), &[&manifest]) {
            Ok(_) | Err(touchmark_oci::Error::MissingBlob { .. }) => {}
            Err(error) if error.class() == Class::Denied => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// The artifact and, if it is an index, every manifest that it lists at any depth, each once, parents first.
///
/// # Errors
/// One of them cannot be read, or there are more than [`MAX_RECURSION`].
pub fn with_children(source: &dyn Source, artifact: &Digest) -> Result<Vec<Digest>, SigningError> {
    let (mut found, mut seen) = (vec![*artifact], BTreeSet::from([*artifact]));
    let mut next = 0;
    while let Some(digest) = found.get(next).copied() {
        next += 1;
        let bytes = source.manifest(&digest, Limits::default().manifest)?;
        let manifest = Manifest::parse(&bytes).map_err(|error| SigningError::Manifest { digest, error })?;
        for child in manifest.children().iter().filter(|child| is_manifest_type(&child.media_type)) {
            if seen.insert(child.digest) {
                found.push(child.digest);
            }
            if found.len() > MAX_RECURSION {
                return Err(SigningError::TooManyChildren { digest: *artifact, limit: MAX_RECURSION });
            }
        }
    }
    Ok(found)
}

/// The artifact's descriptor, made from its bytes alone, and its bytes.
pub(super) fn subject(source: &dyn Source, artifact: &Digest) -> Result<(Descriptor, Vec<u8>), SigningError> {
    let bytes = source.manifest(artifact, Limits::default().manifest)?;
    let manifest = Manifest::parse(&bytes).map_err(|error| SigningError::Manifest { digest: *artifact, error })?;
    let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    Ok((Descriptor::new(&manifest.media_type, *artifact, size), bytes))
}

/// Refuses an envelope that verify would not read.
pub(super) fn check_size(envelope: &[u8], limit: u64) -> Result<(), SigningError> {
    let size = u64::try_from(envelope.len()).unwrap_or(u64::MAX);
    if size > limit { Err(SigningError::TooLarge { size, limit }) } else { Ok(()) }
}

/// Which of `signers` have signed a statement that `is_same`, each with the first referrer that has it. What cannot be read is no
/// such statement.
fn said(
    store: &dyn Store,
    artifact: &Digest,
    signers: &Signers,
    is_same: impl Fn(&Signature) -> bool,
) -> Result<Vec<(PublicKey, Digest)>, SigningError> {
    let keys = KeySet::new(signers.iter().map(|signer| signer.public_key().clone()));
    let limits = Limits::default();
    let mut said: Vec<(PublicKey, Digest)> = Vec::new();
    let listed = store.referrers(artifact, limits.referrers, limits.referrers_bytes)?;
    let signatures = listed.entries.iter().filter(|entry| entry.artifact_type.as_deref() == Some(ARTIFACT_TYPE));
    let signatures: Vec<Digest> = signatures.map(|entry| entry.digest).collect();
    each_evidence(store, &signatures, |referrer, found| {
        if said.len() == keys.len() {
            return ControlFlow::Break(());
        }
        let Ok(Some(found)) = found else { return ControlFlow::Continue(()) };
        let envelope = found.envelope.untrusted();
        let signature = (envelope.payload_type == dsse::IN_TOTO)
            .then(|| Statement::parse(&envelope.payload).ok())
            .flatten()
            .and_then(|statement| Signature::from_statement(&statement).ok());
        if found.subject == *artifact && signature.is_some_and(|signature| is_same(&signature)) {
            for key in found.signed_by(&keys) {
                if !said.iter().any(|(known, _)| *known == key) {
                    said.push((key, *referrer));
                }
            }
        }
        ControlFlow::Continue(())
    });
    Ok(said)
}
