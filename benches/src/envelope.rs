//! An envelope from bytes to evidence, against the signature check that it holds.

use std::collections::BTreeMap;
use std::process::Command;

use touchmark_envelope::UnixTime;
use touchmark_envelope::digest::{Algorithm, Digests};
use touchmark_envelope::dsse::{self, Envelope, Limits};
use touchmark_envelope::key::{KeyAlgorithm, PublicKey};
use touchmark_envelope::name::Wanted;
use touchmark_envelope::sign::{PrivateKey, Signer as _};
use touchmark_envelope::signature::{Asked, PREDICATE_TYPE, Signature};
use touchmark_envelope::statement::Statement;
use touchmark_envelope::threshold::KeySet;

use crate::Failure;
use crate::stopwatch::paired;

const MEDIA_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";

/// Processes in which each algorithm is measured. The time of an Ed25519 check differs by a quarter with where the stack happens to begin.
const PROCESSES: usize = 25;

/// Prints times and the ratio for each algorithm: the medians of many processes.
pub(crate) fn compare() -> Result<(), Failure> {
    println!("an envelope of one signature: read, check, read the statement and compare it with a manifest of 1 KiB");
    for algorithm in [KeyAlgorithm::Ed25519, KeyAlgorithm::EcdsaP256, KeyAlgorithm::EcdsaP384] {
        let (mut bare, mut whole) = (Vec::new(), Vec::new());
        for _ in 0..PROCESSES {
            let child = Command::new(std::env::current_exe()?).args(["envelope", algorithm.name()]).output()?;
            let line = String::from_utf8(child.stdout)?;
            let (first, second) = line.trim().split_once(' ').ok_or("a process was not measured")?;
            bare.push(first.parse::<f64>()?);
            whole.push(second.parse::<f64>()?);
        }
        let (bare, whole) = (median(&mut bare), median(&mut whole));
        println!("  {:<12} signature check alone {bare:>7.1} us, all {whole:>7.1} us, ratio {:.3}", algorithm.name(), whole / bare);
    }
    Ok(())
}

/// Measures one algorithm in this process and prints both times in microseconds.
pub(crate) fn measure(algorithm: &str) -> Result<(), Failure> {
    let case = Case::new(KeyAlgorithm::from_name(algorithm).ok_or("no such algorithm")?)?;
    case.verify()?;
    let (bare, whole) = paired(200, || case.check(), || case.verify().is_ok());
    println!("{} {}", bare.as_secs_f64() * 1e6, whole.as_secs_f64() * 1e6);
    Ok(())
}

pub(crate) fn median(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

struct Case {
    envelope: Vec<u8>,
    keys: KeySet,
    manifest: Digests,
    wanted: Wanted,
    at: UnixTime,
    // What the signature check alone needs, ready.
    key: PublicKey,
    message: Vec<u8>,
    signature: Vec<u8>,
}

impl Case {
    fn new(algorithm: KeyAlgorithm) -> Result<Self, Failure> {
        let secret = [7; 48];
        let length = if algorithm == KeyAlgorithm::EcdsaP384 { 48 } else { 32 };
        let private = PrivateKey::from_raw(algorithm, secret.get(..length).unwrap_or_default())?;
        let at = UnixTime::parse_signed("2026-11-01T00:00:00Z")?;
        let manifest = vec![b' '; 1024];
        let mut signature = Signature::of(&manifest, MEDIA_TYPE, at);
        signature.name = Some("acme/net-monitor:1.2.0".parse()?);
        let envelope = Envelope::sign(dsse::IN_TOTO, signature.to_json(), &[&private])?;
        let signature = envelope.signatures.first().ok_or("no signature")?.bytes.clone();
        let key = private.public_key().clone();
        Ok(Self {
            envelope: envelope.to_json(),
            keys: KeySet::new([key.clone()]),
            manifest: Digests::of(&manifest),
            wanted: "acme/net-monitor:*".parse()?,
            at,
            key,
            message: envelope.signed_bytes(),
            signature,
        })
    }

    fn check(&self) -> bool {
        self.key.verify(&self.message, &self.signature).is_ok()
    }

    fn verify(&self) -> Result<(), Failure> {
        let envelope = Envelope::parse(&self.envelope, Limits::default())?.into_untrusted();
        let signers = self.keys.signers(&envelope.signed_bytes(), &envelope.signatures);
        if signers.keys().is_empty() {
            return Err("not signed".into());
        }
        let statement = Statement::parse(&envelope.payload)?;
        let annotations = BTreeMap::new();
        let asked = Asked {
            predicate_type: PREDICATE_TYPE,
            manifest: &self.manifest,
            media_type: MEDIA_TYPE,
            name: Some(&self.wanted),
            annotations: &annotations,
            at: self.at,
        };
        asked.satisfied_by(&statement)?;
        Ok(())
    }
}

/// Prints the rate of SHA-256, to compare with `openssl speed`.
pub(crate) fn digests() {
    let bytes = vec![0x5a; 64 << 20];
    for algorithm in Algorithm::ALL {
        let time = crate::stopwatch::best(3, || algorithm.digest(&bytes));
        println!("{algorithm}: {:.0} MB/s", crate::stopwatch::rate(bytes.len(), time));
    }
}
