//! Documents with signatures beside them, read in one pass, against the reader of values and the canonicaliser.
#![no_main]

#[path = "../../crates/envelope/tests/oracles/signed.rs"]
mod oracle;

use libfuzzer_sys::fuzz_target;
use touchmark_envelope::json;
use touchmark_envelope::signed::Index;

fuzz_target!(|data: &[u8]| {
    oracle::check(data, "targets");

    // Whatever offset a damaged index holds, what is found there stands there, and was read as strictly as any document.
    let Ok(text) = core::str::from_utf8(data) else { return };
    for (start, _) in text.match_indices('"').take(8) {
        let Ok((name, value)) = json::member_at(text, start) else { continue };
        assert!(json::parse(value.as_bytes(), value.len()).is_ok());
        let index = Index::from_starts(vec![u32::try_from(start).expect("small")]);
        assert_eq!(index.find(text, &name), Ok(Some(value)));
    }
});
