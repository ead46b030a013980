//! Timestamps of TUF repositories: as a whole document, and as what the timestamp's key has signed.
#![no_main]

use libfuzzer_sys::fuzz_target;
use touchmark_fuzz::tuf;

fuzz_target!(|data: &[u8]| {
    tuf::unsigned(data);
    let Some(document) = tuf::signed(data, "timestamp") else { return };
    tuf::update_with("timestamp.json", &document, |machine, client, outcome| {
        let stored = machine.store.get("timestamp.json");
        assert_eq!(stored.is_some(), client.timestamp().is_some());
        if let Some(timestamp) = client.timestamp() {
            assert_eq!(stored, Some(&document));
            assert!(timestamp.get().header().version >= 1 && timestamp.get().snapshot().version >= 1);
        } else {
            assert!(outcome.is_err());
        }
    });
});
