//! Who has stolen which keys: what they are good for, and what they are not (SPEC.md, "Threat model"). Both verifiers give each verdict.

use touchmark_test_tuf_repository::Key;

use crate::harness::digest;
use crate::trust_forged::{ASK, Forged};
use crate::trust_names::{ask, copy_folder, made, refused};

const NAME: &str = "acme/tool:stable";

#[test]
fn a_thief_of_a_publisher_s_key_signs_what_has_no_entry_and_moves_none_that_has() {
    let mut forged = Forged::new();
    forged.repository.add_target("acme", NAME, b"the artifact that is listed");
    forged.serve();
    let thief = |name: &str| forged.place.ok(&format!("sign oci:lay:1 --key acme --name {name}"));
    for name in [NAME, "acme/free:1", "other/tool:1"] {
        thief(name);
    }
    // What has no entry is his until the key is taken away; what has one is not, and names of others never.
    forged.accepted("envelopes", "acme/free:1");
    forged.refused(1, "entry", NAME);
    forged.refused(1, "no-signers", "other/tool:1");
    // A document by the publisher's key is none without the snapshot's and the timestamp's.
    let manifest = forged.manifest.clone();
    let mut evil = forged.repository.clone();
    evil.add_target("acme", NAME, &manifest);
    evil.sign("acme");
    evil.write_to(&forged.place.path("served")).unwrap();
    refused(&forged.place, 5, "tuf-length", &format!("oci:lay:1 {ASK} {NAME}"));
    // A publisher of entries only gives him nothing at all.
    forged.repository.unset("targets", "/x-touchmark/envelopes");
    forged.refused(1, "no-signers", "acme/free:1");
}

#[test]
fn a_thief_of_the_online_keys_vouches_for_nothing_and_turns_back_only_who_has_no_history() {
    let mut forged = Forged::new();
    forged.enter("acme", NAME);
    forged.repository.publish();
    let (older, version) = (forged.repository.file(&forged.repository.path("acme")).to_vec(), forged.repository.version("acme"));
    let pin = forged.place.pack("oci:lay:2", "two");
    let second = forged.place.read(&format!("lay/blobs/sha256/{}", digest(&pin).trim_start_matches("sha256:")));
    forged.repository.add_target("acme", NAME, &second);
    forged.serve();
    let known = format!("{} {NAME}", ASK.replace("--store none", ""));
    forged.place.verify_is(0, &format!("oci:lay:2 {known}"));
    let honest = forged.repository.clone();

    // A document that the publisher has not signed is refused, whoever describes it.
    let manifest = forged.manifest.clone();
    forged.repository.add_target("acme", NAME, &manifest);
    forged.repository.set_signers("acme", &[Key::ed25519("mallory")]);
    forged.repository.bump("acme");
    forged.repository.push("acme");
    forged.repository.write_to(&forged.place.path("served")).unwrap();
    for words in [format!("oci:lay:1 {ASK} {NAME}"), format!("oci:lay:1 {known}")] {
        refused(&forged.place, 5, "tuf-threshold", &words);
    }

    // An older one that it has signed is taken by who has no history, and by nobody else.
    forged.repository = honest.clone();
    forged.repository.set("acme", "/version", version);
    let path = forged.repository.path("acme");
    forged.repository.serve(&path, older);
    forged.repository.describe("acme");
    // Beyond what the thief above has published, so that it is no older timestamp.
    for role in ["snapshot", "timestamp"] {
        let version = honest.version(role) + 5;
        forged.repository.set(role, "/version", version);
    }
    forged.repository.push("snapshot");
    forged.repository.write_to(&forged.place.path("served")).unwrap();
    forged.place.verify_is(0, &format!("oci:lay:1 {ASK} {NAME}"));
    refused(&forged.place, 1, "entry", &format!("oci:lay:2 {ASK} {NAME}"));
    refused(&forged.place, 5, "tuf-rollback", &format!("oci:lay:1 {known}"));

    // He can say for ever that nothing is new, and nobody believes it longer than the publisher's document lives.
    forged.repository = honest;
    for role in ["snapshot", "timestamp"] {
        forged.repository.expire(role, "2099-01-01T00:00:00Z");
    }
    forged.serve();
    forged.place.verify_is(0, &format!("oci:lay:2 {ASK} {NAME} --at 2029-12-31T00:00:00Z"));
    refused(&forged.place, 5, "tuf-expired", &format!("oci:lay:2 {ASK} {NAME} --at 2030-01-02T00:00:00Z"));
}

#[test]
fn a_retired_root_key_leads_astray_only_who_begins_with_the_root_that_it_signed() {
    let place = made();
    place.ok("sign oci:lay:1 --key acme --name acme/tool:1");
    place.key("mallory");
    place.key("next");
    copy_folder(&place, "trust/metadata", "fork/metadata");
    copy_folder(&place, "trust/staged", "fork/staged");
    place.file("fork/settings.json", place.read("trust/settings.json"));
    // The honest repository exchanges its root key, and a client sees it.
    place.ok("trust key replace root trust-keys/root.pub next.pub");
    place.ok("trust sign --key trust-keys/root --key next");
    place.ok(&format!("trust publish {}", crate::trust::ONLINE));
    let by = |root: u8, trust: &str| format!("--root trust/metadata/{root}.root.json --trust ./{trust} --name acme/tool:1");
    place.verify_is(0, &format!("oci:lay:1 {}", by(1, "trust")));
    // Who has the old key signs another second root, by which everything is his.
    place.pack("oci:lay:evil", "evil");
    place.ok("sign oci:lay:evil --key mallory --name acme/tool:1");
    for role in ["root", "targets", "snapshot", "timestamp"] {
        place.ok(&format!("trust --dir fork key replace {role} trust-keys/{role}.pub mallory.pub"));
    }
    place.ok("trust --dir fork key replace acme acme.pub mallory.pub");
    place.ok("trust --dir fork sign --key trust-keys/root --key mallory");
    place.ok("trust --dir fork publish --key mallory");
    // A client that has seen the honest second root takes nothing from it, and neither does one that begins with that.
    let known = place.verify(&format!("oci:lay:evil {}", by(1, "fork")));
    assert_eq!(known.code, 5, "{}", known.stderr);
    let begun = place.verify(&format!("oci:lay:evil {} --store none", by(2, "fork")));
    assert_eq!(begun.code, 5, "{}", begun.stderr);
    // One that begins with the first cannot tell them apart: new clients are given the newest root.
    place.verify_is(0, &format!("oci:lay:evil {} --store none", by(1, "fork")));
    place.verify_is(0, &ask("oci:lay:1", "acme/tool:1"));
}
