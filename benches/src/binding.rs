//! What the bindings are measured against: one envelope, read and verified by a key that was read before.

use std::path::Path;
use std::time::Instant;

use touchmark_envelope::dsse::{Envelope, Limits};
use touchmark_envelope::key::PublicKey;
use touchmark_envelope::threshold::{KeySet, Tally};

use crate::Failure;
use crate::envelope::median;

/// Rounds of which the median counts, and verifications in each.
const ROUNDS: usize = 20;
const CALLS: u32 = 500;

/// Prints a line of JSON as the programs of the bindings do.
pub(crate) fn measure(envelope: &str, key: &str) -> Result<(), Failure> {
    let bytes = std::fs::read(Path::new(envelope))?;
    let keys = KeySet::new([PublicKey::read(&std::fs::read(key)?)?]);
    round(&bytes, &keys)?;
    let mut rounds = (0..ROUNDS).map(|_| round(&bytes, &keys)).collect::<Result<Vec<_>, _>>()?;
    println!(r#"{{"language":"rust","ns":{:.0}}}"#, median(&mut rounds));
    Ok(())
}

/// Nanoseconds for each verification of a round.
fn round(bytes: &[u8], keys: &KeySet) -> Result<f64, Failure> {
    let begin = Instant::now();
    for _ in 0..CALLS {
        let envelope = Envelope::parse(bytes, Limits::default())?;
        let mut tally = Tally::new(keys.clone(), 1)?;
        let unverified = envelope.untrusted();
        let signers = keys.signers(&unverified.signed_bytes(), &unverified.signatures);
        tally.count(&signers, || envelope.clone());
        std::hint::black_box(tally.finish()?);
    }
    Ok(begin.elapsed().as_secs_f64() * 1e9 / f64::from(CALLS))
}
