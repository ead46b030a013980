//! Snapshots of TUF repositories: as a whole document, and as what the snapshot's key has signed.
#![no_main]

use libfuzzer_sys::fuzz_target;
use touchmark_fuzz::tuf;

fuzz_target!(|data: &[u8]| {
    tuf::unsigned(data);
    let Some(document) = tuf::signed(data, "snapshot") else { return };
    tuf::update_with(&tuf::HONEST.path("snapshot"), &document, |machine, client, outcome| {
        let Some(snapshot) = client.snapshot() else { return assert!(outcome.is_err()) };
        assert_eq!(machine.store["snapshot.json"], document);
        assert_eq!(snapshot.get().header().version, tuf::HONEST.version("snapshot"));
        let targets = &snapshot.get().meta()["targets.json"];
        if outcome.is_ok() {
            assert_eq!(targets.version, tuf::HONEST.version("targets"));
        }
    });
});
