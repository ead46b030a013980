//! DSSE envelopes: what is read is bounded, and is the same when it is written and read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use touchmark_envelope::dsse::{Envelope, Limits, pae};
use touchmark_envelope::key::{KeyAlgorithm, PublicKey};
use touchmark_envelope::statement::Statement;
use touchmark_envelope::threshold::KeySet;

fuzz_target!(|data: &[u8]| {
    let limits = Limits { bytes: 1 << 16, signatures: 4 };
    let Ok(envelope) = Envelope::parse(data, limits) else { return };
    let envelope = envelope.into_untrusted();
    assert!(data.len() <= limits.bytes && envelope.signatures.len() <= limits.signatures);

    let message = envelope.signed_bytes();
    assert_eq!(message, pae(&envelope.payload_type, &envelope.payload));
    let written = envelope.to_json();
    // URL-safe base64 may do without padding, which makes the standard form up to two bytes longer in each field.
    let room = Limits { bytes: written.len(), ..limits };
    assert_eq!(Envelope::parse(&written, room).map(|envelope| envelope.into_untrusted()).as_ref(), Ok(&envelope));

    let _ = Statement::parse(&envelope.payload);
    // RFC 8032, 7.1, test 1. Nobody can forge its signatures.
    let key =
        b"\xd7\x5a\x98\x01\x82\xb1\x0a\xb7\xd5\x4b\xfe\xd3\xc9\x64\x07\x3a\x0e\xe1\x72\xf3\xda\xa6\x23\x25\xaf\x02\x1a\x68\xf7\x07\x51\x1a";
    let key = PublicKey::from_raw(KeyAlgorithm::Ed25519, key).expect("a key");
    let signers = KeySet::new([key]).signers(&message, &envelope.signatures);
    assert!(signers.keys().is_empty());
});
