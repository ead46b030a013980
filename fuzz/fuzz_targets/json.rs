//! The JSON reader against serde_json, and canonical JSON against olpc-cjson, in its dialect and where implementations agree.
#![no_main]

#[path = "../../crates/envelope/tests/oracles/mod.rs"]
mod oracles;

#[path = "../../crates/envelope/tests/oracles/nfc.rs"]
mod nfc;

use libfuzzer_sys::fuzz_target;
use oracles::{olpc, same};
use touchmark_envelope::canonical;
use touchmark_envelope::digest::{Algorithm, Hasher};
use touchmark_envelope::json::{self, Kind};

fuzz_target!(|data: &[u8]| {
    let ours = json::parse(data, data.len());
    let theirs = serde_json::from_slice::<serde_json::Value>(data);
    match (&ours, theirs) {
        (Ok(ours), Ok(theirs)) => assert!(same(ours, &theirs)),
        // Ours keeps any number as its text.
        (Ok(_), Err(error)) => assert!(error.to_string().starts_with("number out of range"), "{error}"),
        (Err(error), Ok(_)) => assert!(matches!(error.kind, Kind::Duplicate(_) | Kind::Depth), "{error}"),
        (Err(_), Err(_)) => {}
    }

    // What reads a document's members without building their values takes the same documents.
    match (ours.as_ref().ok().and_then(json::Value::as_object), json::members(data, data.len())) {
        (Some(object), Ok(members)) => {
            assert_eq!(object.len(), members.len());
            for ((name, value), (same, text)) in object.iter().zip(&members) {
                assert_eq!(name, same);
                assert_eq!(json::parse(text.as_bytes(), text.len()).as_ref(), Ok(value));
            }
        }
        (None, Err(_)) => {}
        (_, members) => panic!("{members:?}"),
    }

    let canonical = canonical::to_vec(data, data.len());
    match (&ours, &canonical) {
        (Ok(value), Ok(bytes)) => {
            assert!(bytes.len() <= data.len());
            assert_eq!(canonical::write_unrestricted(value).as_ref(), Ok(bytes));
            for written in [value.to_vec(), value.to_pretty()] {
                assert_eq!(json::parse(&written, written.len()).as_ref(), Ok(value));
                assert_eq!(canonical::to_vec(&written, written.len()).as_ref(), Ok(bytes));
            }
            if canonical::write(value).is_ok() {
                assert_eq!(&olpc(data), bytes);
            }
            // The dialect of olpc-cjson, which drops one of two members whose names are equal under NFC.
            match canonical::olpc::to_vec(data, data.len()) {
                Ok(bytes) => assert!(olpc(data) == bytes && !nfc::has_equal_names(value)),
                Err(canonical::Error::NfcEqual { .. }) => assert!(nfc::has_equal_names(value)),
                Err(error) => panic!("{error}"),
            }
            let mut hasher = Hasher::new(Algorithm::Sha256);
            assert_eq!(canonical::stream(data, data.len(), &mut hasher), Ok(()));
            assert!(hasher.finish().matches(bytes));
        }
        (Ok(value), Err(error)) => {
            assert!(!matches!(error, canonical::Error::Json(_)), "{error}");
            assert!(canonical::write_unrestricted(value).is_err());
        }
        (Err(_), canonical) => assert!(canonical.is_err()),
    }
});
