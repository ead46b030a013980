//! Targets of TUF repositories and the search through them: as a whole document, and as what the targets' key has signed.
#![no_main]

use libfuzzer_sys::fuzz_target;
use touchmark_envelope::json;
use touchmark_fuzz::tuf;
use touchmark_tuf::TargetPath;

fuzz_target!(|data: &[u8]| {
    tuf::unsigned(data);
    let Some(document) = tuf::signed(data, "targets") else { return };
    tuf::update_with(&tuf::HONEST.path("targets"), &document, |machine, mut client, outcome| {
        if outcome.is_err() {
            return assert!(!machine.store.contains_key("targets.json"));
        }
        // Another reader of the same text, which makes a map of it.
        let read = json::parse(data, data.len()).expect("it was read");
        let listed = read.get("targets").and_then(|targets| targets.as_object()).expect("an object");
        let names = listed.iter().map(|(name, _)| name).take(8).chain(tuf::TARGETS);
        for name in names.map(str::to_owned).collect::<Vec<_>>() {
            let Ok(target) = TargetPath::new(&name) else { continue };
            let Ok(outcome) = machine.look_up(&mut client, &target) else { continue };
            match outcome.found {
                Some(found) if found.role.as_str() == "targets" => {
                    let entry = listed.get(&name).expect("it is listed");
                    assert_eq!(entry.get("length").and_then(|length| length.as_u64()), Some(found.target.length));
                    assert!(!found.target.hashes.is_empty());
                }
                _ => assert!(listed.get(&name).is_none()),
            }
        }
    });
});
