//! Snapshots of TUF repositories: as a whole document, and as what the snapshot's key has signed.
#![no_main]

use libfuzzer_sys::fuzz_target;
use touchmark_fuzz::tuf;
use touchmark_tuf::RoleName;

fuzz_target!(|data: &[u8]| {
    tuf::unsigned(data);
    let Some(document) = tuf::signed(data, "snapshot") else { return };
    tuf::update_with(&tuf::HONEST.path("snapshot"), &document, |machine, client, outcome| {
        let Some(snapshot) = client.snapshot() else { return assert!(outcome.is_err()) };
        assert_eq!(machine.store["snapshot.json"], document);
        assert_eq!(snapshot.get().header().version, tuf::HONEST.version("snapshot"));
        // Whoever holds the snapshot's key may list an older version, which this repository still serves: it is that one, and no other.
        let listed = snapshot.get().meta()["targets.json"].version;
        let targets = client.role(&RoleName::targets());
        if outcome.is_ok() {
            assert_eq!(targets.map(|targets| targets.get().header().version), Some(listed));
            assert_eq!(machine.store["targets.json"], tuf::HONEST.file(&format!("{listed}.targets.json")));
        }
    });
});
