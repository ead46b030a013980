//! What the bindings are measured against: one envelope, read and verified by a key that was read before.

use touchmark_envelope::dsse::{Envelope, Limits};
use touchmark_envelope::key::PublicKey;
use touchmark_envelope::threshold::{KeySet, Tally};

use crate::Failure;

/// Verifies so many times; benches/bindings.py measures the process.
pub(crate) fn verify(envelope: &str, key: &str, calls: &str) -> Result<(), Failure> {
    let bytes = std::fs::read(envelope)?;
    let keys = KeySet::new([PublicKey::read(&std::fs::read(key)?)?]);
    for _ in 0..calls.parse::<u32>()? {
        let envelope = Envelope::parse(&bytes, Limits::default())?;
        let mut tally = Tally::new(keys.clone(), 1)?;
        let unverified = envelope.untrusted();
        let signers = keys.signers(&unverified.signed_bytes(), &unverified.signatures);
        tally.count(&signers, || envelope.clone());
        std::hint::black_box(tally.finish()?);
    }
    Ok(())
}
