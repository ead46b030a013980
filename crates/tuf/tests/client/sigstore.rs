//! What sigstore's roots have been since 2021: published ones (testdata/tuf/sigstore), and by hand the traits of those before.

use touchmark_test_tuf_repository::{Form, Key, Repository, assemble, json, set, signature};

use crate::attack::{accepted, honest, refused, renew};
use crate::machine::Machine;

/// The published roots, and how many distinct keys of the root role signed each.
const ROOTS: [(&str, u64, usize, &[u8]); 4] = [
    ("5", 5, 4, include_bytes!("../../../../testdata/tuf/sigstore/5.root.json")),
    ("15", 15, 5, include_bytes!("../../../../testdata/tuf/sigstore/15.root.json")),
    ("staging 14", 14, 2, include_bytes!("../../../../testdata/tuf/sigstore/staging-14.root.json")),
    ("staging 1", 1, 1, include_bytes!("../../../../testdata/tuf/sigstore/staging-1.root.json")),
];

/// Runs a client that trusts `root` against a repository without any file, in 2022, and says with what it ends.
fn begin(root: &[u8]) -> (Machine, touchmark_tuf::Error) {
    let mut nothing = Repository::new();
    for path in nothing.metadata().keys().cloned().collect::<Vec<_>>() {
        nothing.lose(&path);
    }
    let mut machine = Machine::trusting(root);
    machine.at = 1_660_000_000;
    let error = machine.refresh(&nothing).unwrap_err();
    (machine, error)
}

#[test]
fn published_roots_are_trusted() {
    for (name, version, _, root) in ROOTS {
        let (machine, error) = begin(root);
        assert_eq!(error.code(), "tuf-missing", "{name}: {error}");
        assert_eq!(machine.fetched(), [format!("{}.root.json", version + 1).as_str(), "timestamp.json"], "{name}");
    }
}

#[test]
fn published_roots_are_signed_by_so_many_of_their_keys() {
    for (name, _, signers, root) in ROOTS {
        let mut client = touchmark_tuf::Client::new(Default::default(), touchmark_tuf::UnixTime::from_seconds(0).unwrap());
        client.answer(touchmark_tuf::Answer::Bytes(root.to_vec()));
        client.step().unwrap();
        assert_eq!(client.root().unwrap().evidence().keys().len(), signers, "{name}");
    }
}

#[test]
fn published_roots_that_were_changed_are_refused() {
    for (name, version, _, root) in ROOTS {
        let text = String::from_utf8(root.to_vec()).unwrap();
        let lower = [format!("\"version\": {version}"), format!("\"version\":{version}")];
        let changed = lower.iter().fold(text.clone(), |text, version| text.replace(version.as_str(), &version.replace(':', ":1")));
        assert_ne!(changed, text, "{name}");
        let (machine, error) = begin(changed.as_bytes());
        assert!(matches!(error.code(), "tuf-threshold" | "tuf-document"), "{name}: {error}");
        assert!(machine.fetched().is_empty());
    }
}

/// A repository as sigstore's was at first: P-256 points in hexadecimal, no consistent snapshots, spec_version "1.0", indented.
fn first() -> Repository {
    let mut repository = Repository::new();
    repository.form = Form::Indented;
    let keys: Vec<Key> = (0..5).map(|number| Key::p256_point(&format!("holder {number}"))).collect();
    for role in ["root", "targets"] {
        repository.set_keys(role, 3, &keys);
    }
    for role in ["timestamp", "snapshot"] {
        repository.set_keys(role, 1, &[Key::p256_point(role)]);
    }
    repository.set("root", "/consistent_snapshot", false);
    for role in ["root", "timestamp", "snapshot", "targets"] {
        repository.set(role, "/spec_version", "1.0");
    }
    repository.add_target("targets", "fulcio.crt.pem", b"certificate");
    repository.publish();
    repository.bump("snapshot");
    repository.push("snapshot");
    repository
}

#[test]
fn points_in_hexadecimal_and_spec_version_1_0_are_accepted() {
    let repository = first();
    let mut machine = Machine::new(&repository);
    assert!(machine.find(&repository, "fulcio.crt.pem").unwrap().found.is_some());
    assert!(machine.fetched().ends_with(&["timestamp.json", "snapshot.json", "targets.json"]));
    // Then the same keys in PEM, under other keyids, and consistent snapshots.
    let mut later = repository.clone();
    let keys: Vec<Key> = (0..5).map(|number| Key::p256_old_type(&format!("holder {number}"))).collect();
    for role in ["root", "targets"] {
        later.set_keys(role, 3, &keys);
    }
    later.set("root", "/consistent_snapshot", true);
    later.publish();
    later.bump("targets");
    later.push("targets");
    assert!(machine.find(&later, "fulcio.crt.pem").unwrap().found.is_some());
    assert_eq!(machine.version("root.json"), Some(3));
}

#[test]
fn empty_signatures_of_keys_that_have_not_signed_are_ignored() {
    let repository = first();
    let mut later = repository.clone();
    later.set("targets", "/x-tuf-on-ci-expiry-period", 365_u64);
    later.publish();
    later.tamper("targets", |document| {
        let keyids: Vec<String> = (3..5).map(|number| Key::p256_point(&format!("holder {number}")).keyid().to_owned()).collect();
        for (index, keyid) in keyids.iter().enumerate() {
            set(document, &format!("/signatures/{index}"), signature(keyid, ""));
        }
    });
    assert!(Machine::new(&later).find(&later, "fulcio.crt.pem").unwrap().found.is_some());
    later.tamper("targets", |document| {
        let keyids: Vec<String> = (0..5).map(|number| Key::p256_point(&format!("holder {number}")).keyid().to_owned()).collect();
        for (index, keyid) in keyids.iter().take(3).enumerate() {
            set(document, &format!("/signatures/{index}"), signature(keyid, ""));
        }
    });
    assert_eq!(Machine::new(&later).find(&later, "fulcio.crt.pem").unwrap_err().code(), "tuf-threshold");
}

#[test]
fn more_signatures_than_root_keys_are_accepted() {
    let mut repository = first();
    let signed = repository.signed("root").clone();
    let both = |number: usize| [Key::p256_point(&format!("holder {number}")), Key::p256_old_type(&format!("holder {number}"))];
    let keys: Vec<Key> = (0..5).flat_map(both).chain([Key::ed25519("root")]).collect();
    let document = repository.written(&assemble(&signed, &keys));
    repository.serve("2.root.json", document);
    let mut client = Machine::new(&repository).refresh(&repository).unwrap();
    assert_eq!(client.root().unwrap().evidence().keys().len(), 6);
    assert!(client.found().is_none());
}

#[test]
fn times_with_fractions_and_offsets_as_in_the_first_three_roots_are_refused() {
    // TUF 1.0, 4.2.3, has one form. A repository that wrote another one long ago is begun with a later root.
    for expires in ["2030-12-18T13:28:12.99008-06:00", "2030-12-18T13:28:12-06:00", "2030-12-18T13:28:12.5Z"] {
        refused(&honest(), "tuf-malformed", |repository| {
            repository.set("root", "/expires", expires);
            repository.sign("root");
        });
    }
}

#[test]
fn a_snapshot_that_lists_hashes_of_some_files_and_roles_of_nobody_is_accepted() {
    // Mixed in the snapshot: with and without length and hashes, and roles that nobody delegates to any more.
    let mut repository = honest().with_hashes();
    renew(&mut repository);
    accepted(&repository, |repository| {
        repository.set("snapshot", "/meta/rekor.json", json(r#"{"version":3}"#));
        repository.set(
            "snapshot",
            "/meta/revocation.json",
            json(r#"{"hashes":{"sha256":"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"},"length":12,"version":1}"#),
        );
        repository.unset("snapshot", "/meta/acme.json/hashes");
        repository.unset("snapshot", "/meta/acme.json/length");
        repository.push("snapshot");
    });
}
