//! Roots of TUF repositories: as a whole document, and as what the trusted root's keys have signed.
#![no_main]

use libfuzzer_sys::fuzz_target;
use touchmark_fuzz::tuf;
use touchmark_tuf::metadata::TopLevel;

fuzz_target!(|data: &[u8]| {
    tuf::unsigned(data);
    let Some(document) = tuf::signed(data, "root") else { return };
    tuf::update_with("2.root.json", &document, |machine, client, _| {
        let root = client.root().expect("the trusted one at least").get();
        if machine.store["root.json"] != document {
            assert_eq!(root.header().version, 1);
            return;
        }
        assert_eq!(root.header().version, 2);
        for role in TopLevel::ALL {
            let keys = root.role(role).expect("every role");
            assert!(keys.threshold >= 1 && keys.threshold <= keys.keyids.len() as u64);
        }
    });
});
