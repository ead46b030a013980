//! Canonical JSON, digests, names, keys, signatures and envelopes.

use touchmark_envelope::digest::{Algorithm, Hasher};
use touchmark_envelope::dsse::{Envelope, Limits};
use touchmark_envelope::json::Value;
use touchmark_envelope::key::{KeyAlgorithm, KeyError, PublicKey};
use touchmark_envelope::threshold::{KeySet, Tally};
use touchmark_envelope::{Name, canonical};

use super::status::Refused;
use super::{Outcome, Said};
use crate::index::{Case, Found};

pub(super) fn canonical_json(case: &Case<'_>) -> Found<Outcome> {
    case.only(&["document"])?;
    let document = case.input("document")?;
    let output = canonical::to_vec(&document, document.len()).map_err(Refused::from);
    Ok(output.map(|output| vec![("output", Said::Bytes(output))]))
}

pub(super) fn digest(case: &Case<'_>) -> Found<Outcome> {
    case.only(&["algorithm", "document"])?;
    let algorithm = Algorithm::from_name(case.text("algorithm")?).ok_or("unknown algorithm")?;
    let document = case.input("document")?;
    let digest = algorithm.digest(&document);
    for size in [1, 7, 64] {
        let mut hasher = Hasher::new(algorithm);
        document.chunks(size).for_each(|piece| hasher.update(piece));
        if hasher.finish() != digest {
            return Err(format!("another digest in pieces of {size} bytes"));
        }
    }
    Ok(Ok(vec![("digest", digest.to_string().into())]))
}

pub(super) fn name(case: &Case<'_>) -> Found<Outcome> {
    case.only(&["name"])?;
    let name: Result<Name, _> = case.text("name")?.parse();
    Ok(name.map(|_| Vec::new()).map_err(|_| Refused::new("INVALID_NAME")))
}

pub(super) fn public_key(case: &Case<'_>) -> Found<Outcome> {
    case.only(&["key"])?;
    let key = read_key(&case.input("key")?);
    let said = |key: PublicKey| {
        let algorithm = match key.algorithm() {
            KeyAlgorithm::RsaPssSha256 => "rsa-pss",
            other => other.name(),
        };
        vec![("algorithm", algorithm.to_owned().into()), ("key_id", key.key_id().into_string().into())]
    };
    Ok(key.map(said).map_err(Refused::from))
}

pub(super) fn signature(case: &Case<'_>) -> Found<Outcome> {
    case.only(&["key", "message", "signature"])?;
    let key = read_key(&case.input("key")?).map_err(|error| error.to_string())?;
    let valid = key.verify(&case.input("message")?, &case.input("signature")?);
    Ok(valid.map(|_| Vec::new()).map_err(|_| Refused::new("BAD_SIGNATURE")))
}

pub(super) fn envelope(case: &Case<'_>) -> Found<Outcome> {
    case.only(&["envelope", "keys", "threshold"])?;
    let (keys, threshold) = (case.inputs("keys")?, case.count("threshold")?);
    Ok(verified(&case.input("envelope")?, &keys, threshold))
}

fn verified(envelope: &[u8], keys: &[Vec<u8>], threshold: usize) -> Outcome {
    let envelope = Envelope::parse(envelope, Limits::default())?;
    let keys = artifact_keys(keys)?;
    let mut tally = Tally::new(keys.clone(), threshold)?;
    let untrusted = envelope.untrusted();
    let signers = keys.signers(&untrusted.signed_bytes(), &untrusted.signatures);
    tally.count(&signers, || envelope);
    if !tally.is_reached() && signers.gave_up() {
        return Err(Refused::new("UNKNOWN"));
    }
    let verified = tally.finish()?;
    let mut ids: Vec<String> = verified.evidence().keys().iter().map(|key| key.key_id().into_string()).collect();
    ids.sort();
    let Some(envelope) = verified.into_inner().into_iter().next() else { return Err(Refused::new("INTERNAL")) };
    Ok(vec![
        ("payload", Said::Bytes(envelope.payload)),
        ("payload_type", envelope.payload_type.into()),
        ("keys", Said::Value(ids.into_iter().map(Value::from).collect::<Vec<_>>().into())),
    ])
}

/// A key of any kind. Who reads RSA keys asks for them; what is neither is told by the first error.
pub(super) fn read_key(bytes: &[u8]) -> Result<PublicKey, KeyError> {
    let is_pem = bytes.windows(11).any(|window| window == b"-----BEGIN ");
    match PublicKey::read(bytes) {
        Err(error @ KeyError::Unsupported { .. }) => {
            match if is_pem { PublicKey::rsa_from_pem(bytes) } else { PublicKey::rsa_from_spki_der(bytes) } {
                Err(KeyError::Unsupported { .. }) => Err(error),
                read => read,
            }
        }
        other => other,
    }
}

/// Keys that sign artifacts, which RSA keys do not.
pub(super) fn artifact_keys(keys: &[Vec<u8>]) -> Result<KeySet, Refused> {
    let keys: Vec<PublicKey> = keys.iter().map(|key| read_key(key)).collect::<Result<_, KeyError>>()?;
    match keys.iter().any(|key| key.algorithm() == KeyAlgorithm::RsaPssSha256) {
        true => Err(Refused::coded("INVALID_KEY", "key-unsupported")),
        false => Ok(KeySet::new(keys)),
    }
}
