//! What each command does when all is well, and what it says when it is not.

use serde_json::json;

use crate::forge::{Folder, digest_of};
use crate::harness::{Place, Ran, digest};

fn signed() -> Place {
    let place = Place::new();
    place.key("alice");
    place.key("bob");
    place.pack("oci:lay:v1", "content");
    place.ok("sign oci:lay:v1 --key alice --name acme/app:1.0 --quiet");
    place
}

#[test]
fn what_was_packed_is_unpacked() {
    let place = signed();
    place.file("a/one.bin", [0, 159, 146, 150]);
    place.file("two.txt", "");
    place.ok("pack a/one.bin two.txt --to oci:lay:two --artifact-type application/vnd.acme.app --annotation a=b");
    place.ok("sign oci:lay:two --key alice --quiet");
    let files = place.ok("unpack oci:lay:two --out out/here --key alice.pub");
    assert_eq!(files.lines().count(), 2);
    assert_eq!(place.read("out/here/one.bin"), [0, 159, 146, 150]);
    assert_eq!(place.read("out/here/two.txt"), b"");
    // The same files make the same digest.
    assert_eq!(
        digest(&place.ok("pack a/one.bin two.txt --to oci:other:x --artifact-type application/vnd.acme.app --annotation a=b")),
        digest(&place.ok("resolve oci:lay:two"))
    );
}

#[test]
fn unpack_is_whole_or_not_at_all() {
    let place = signed();
    place.file("one.txt", "one");
    place.file("two.txt", "two");
    let pin = place.ok("pack one.txt two.txt --to oci:lay:two");
    let folder = Folder::open(&place, "lay");
    let second = folder.read_json(digest(&pin))["layers"][1]["digest"].as_str().unwrap().to_owned();
    place.file(&folder.blob_path(&second), "TWO");
    place.run("unpack oci:lay:two --out files --unverified").is(6);
    assert!(!place.path("files/one.txt").exists() && !place.path("files/two.txt").exists());
    place.run("unpack oci:lay:v1 --out files --unverified --key alice.pub").is(2);
    // Nor is a folder left that was made on the way.
    place.run("unpack oci:lay:two --out new/deep/files --unverified").is(6);
    assert!(!place.path("new").exists());
    std::fs::create_dir(place.path("there")).unwrap();
    place.run("unpack oci:lay:two --out there/deep/files --unverified").is(6);
    assert_eq!(std::fs::read_dir(place.path("there")).unwrap().count(), 0);
    place.file("a-file", "");
    place.run("unpack oci:lay:v1 --out a-file --unverified").is(2).says("a-file: is a file");
}

#[test]
fn resolve_prints_what_offline_signing_needs() {
    let place = signed();
    let pin = place.ok("resolve oci:lay");
    assert_eq!(place.ok("resolve oci:lay:v1"), pin);
    assert_eq!(place.ok(&format!("resolve {pin}")), pin);
    assert_eq!(place.ok(&format!("resolve ocidir:lay@{}", digest(&pin))), pin);
    let descriptor: serde_json::Value = serde_json::from_str(&place.ok("resolve oci:lay:v1 --descriptor")).unwrap();
    assert_eq!(descriptor["digest"], digest(&pin));
    assert_eq!(descriptor.as_object().unwrap().len(), 3, "{descriptor}");
}

#[test]
fn several_artifacts_without_a_tag_are_listed_as_choices() {
    let place = signed();
    place.pack("oci:lay:v2", "another");
    place.run("resolve oci:lay").is(2).says("v1").says("v2");
}

#[test]
fn tree_says_who_verified_and_why_others_do_not() {
    let place = signed();
    place.ok("sign oci:lay:v1 --key bob --name acme/app:1.0 --quiet");
    let plain = place.ok("tree oci:lay:v1");
    assert_eq!(plain.lines().count(), 3, "{plain}");
    assert_eq!(plain.matches("not checked").count(), 2, "{plain}");
    let checked = place.ok("tree oci:lay:v1 --key alice.pub");
    assert_eq!(checked.matches("verified, as acme/app:1.0").count(), 1, "{checked}");
    assert_eq!(checked.matches("not verified: none of the given keys signed it").count(), 1, "{checked}");
    let document = place.json("tree oci:lay:v1 --key alice.pub", 0);
    let below = document["results"][0]["artifacts"][0]["below"].as_array().unwrap();
    let verified: Vec<_> = below.iter().map(|node| node["evidence"]["verified"].as_bool().unwrap()).collect();
    assert_eq!(verified.iter().filter(|verified| **verified).count(), 1, "{document:#}");
}

#[test]
fn tree_without_a_tag_shows_every_tagged_artifact() {
    let place = signed();
    place.pack("oci:lay:v2", "another");
    let tree = place.ok("tree oci:lay");
    assert!(tree.contains("[v1]") && tree.contains("[v2]"), "{tree}");
}

#[test]
fn copy_takes_all_tags_or_those_that_match() {
    let place = signed();
    for tag in ["v2", "w1"] {
        place.pack(&format!("oci:lay:{tag}"), tag);
    }
    assert_eq!(place.ok("copy oci:lay oci:all --all-tags").lines().count(), 3);
    assert_eq!(place.ok("copy oci:lay oci:some --tags v*").lines().count(), 2);
    place.verify_is(0, "oci:some:v1 --key alice.pub");
    place.run("resolve oci:some:w1").is(4);
    place.run("copy oci:lay oci:none --tags x*").is(4);
    place.run("copy oci:lay:v1 oci:none --all-tags").is(2);
    place.run("copy oci:lay oci:none:x --all-tags").is(2);
}

#[test]
fn a_dry_run_of_copy_writes_nothing() {
    let place = signed();
    let document = place.json("copy oci:lay:v1 oci:far:v1 --dry-run", 0);
    assert_eq!(document["results"][0]["manifests"], json!(2));
    assert!(!place.path("far").exists());
    place.ok("copy oci:lay:v1 oci:far:v1");
    let document = place.json("copy oci:lay:v1 oci:far:v1 --dry-run", 0);
    assert_eq!(document["results"][0]["manifests"], json!(0));
}

#[test]
fn referrers_alone_are_copied_to_where_the_artifact_is() {
    let place = signed();
    place.pack("oci:far:v1", "content");
    place.verify_is(3, "oci:far:v1 --key alice.pub");
    place.ok("copy oci:lay:v1 oci:far:v1 --referrers-only");
    place.verify_is(0, "oci:far:v1 --key alice.pub");
}

#[test]
fn copy_with_verify_copies_nothing_that_does_not_verify() {
    let place = signed();
    place.pack("oci:lay:v2", "unsigned");
    place.run("copy oci:lay:v1 oci:far:v1 --verify --key alice.pub --name acme/app:1.1").is(1);
    place.run("copy oci:lay oci:far --all-tags --verify --key alice.pub").is(3);
    assert!(!place.path("far").exists());
    place.run("copy oci:lay:v1 oci:far:v1 --verify --key alice.pub --name acme/app:1.0 --deep").is(0);
    place.verify_is(0, "oci:far:v1 --key alice.pub");
    // Asking for anything without --verify would look like a check.
    for wants in [
        "--key alice.pub",
        "--name acme/zzz",
        "--threshold 5",
        "--type slsa-v1",
        "--covered-by oci:zzz",
        "--deep",
        "--check-tag",
        "--at 2030-01-01T00:00:00Z",
        "--platform linux/amd64",
        "--annotation a=b",
        "--envelope none.json",
        "--max-work 1GiB",
    ] {
        place.run(&format!("copy oci:lay:v1 oci:far:v1 {wants}")).is(2).says("--verify");
    }
}

#[test]
fn copy_with_verify_checks_the_tag_too() {
    let place = signed();
    let pin = place.ok("resolve oci:lay:v1");
    place.pack("oci:lay:v2", "another");
    let crossed = format!("oci:lay:v2@{}", digest(&pin));
    place.run(&format!("copy {crossed} oci:far:v1 --verify --key alice.pub --check-tag")).is(1).says("leads to");
    assert!(!place.path("far").exists());
    place.run(&format!("copy {crossed} oci:far:v1 --verify --key alice.pub")).is(0);
}

#[test]
fn copy_verifies_again_what_arrived() {
    let place = signed();
    let folder = Folder::open(&place, "lay");
    let mut index = folder.index();
    let listed = index["manifests"].as_array_mut().unwrap();
    let signature = listed.iter().find(|entry| entry["artifactType"] == "application/vnd.touchmark.signature.v1+json").unwrap();
    let blob = place.path(&folder.blob_path(signature["digest"].as_str().unwrap()));
    listed.retain(|entry| entry["annotations"]["org.opencontainers.image.ref.name"] == "v1");
    place.file("without.json", index.to_string());
    // Somebody takes the signature away after it was verified, when the destination is begun.
    place.file("thief.sh", format!("cp without.json lay/index.json\nrm -f {}\n", blob.display()));
    let mut copy = place.touchmark("copy oci:lay:v1 oci:far:v1 --verify --key alice.pub");
    let ran = Ran::of("copy", copy.env("TOUCHMARK_FAILPOINT_RUN", "1:sh thief.sh").output().unwrap());
    assert!(!blob.exists(), "the thief was there");
    ran.is(3);
    place.verify_is(3, "oci:far:v1 --key alice.pub");
}

#[test]
fn two_artifacts_do_not_take_one_tag() {
    let place = signed();
    place.pack("oci:other:v1", "another");
    place.run("copy oci:lay:v1 oci:other:v1 oci:far").is(2).says("both be tagged v1");
    assert!(!place.path("far").exists());
    place.run("copy oci:lay:v1 oci:lay:v1 oci:far").is(0);
    place.run("copy oci:other:v1 oci:far:v1").is(0).says("the tag v1 led to");
}

#[test]
fn a_copy_with_something_missing_says_what_and_fails() {
    let place = signed();
    let folder = Folder::open(&place, "lay");
    let pin = place.ok("resolve oci:lay:v1");
    let layer = folder.read_json(digest(&pin))["layers"][0]["digest"].as_str().unwrap().to_owned();
    std::fs::remove_file(place.path(&folder.blob_path(&layer))).unwrap();
    place.run("copy oci:lay:v1 oci:far:v1").is(4).says(&layer);
    let document = place.json("copy oci:lay:v1 oci:far:v1", 4);
    assert_eq!(document["results"][0]["missing"][0]["digest"], json!(layer));
}

#[test]
fn repair_lists_what_other_tools_dropped() {
    let place = signed();
    let folder = Folder::open(&place, "lay");
    let mut index = folder.index();
    index["manifests"].as_array_mut().unwrap().retain(|entry| entry["annotations"]["org.opencontainers.image.ref.name"] == "v1");
    folder.write_index(&index);
    // A verifier finds it all the same.
    place.verify_is(0, "oci:lay:v1 --key alice.pub");
    let would = place.ok("repair oci:lay --dry-run");
    assert!(would.contains("would list"), "{would}");
    assert_eq!(folder.index(), index);
    let done = place.ok("repair oci:lay");
    assert!(done.contains("listed"), "{done}");
    assert!(folder.index()["manifests"].as_array().unwrap().len() > 1);
    assert_eq!(place.ok("repair oci:lay"), "");
}

#[test]
fn a_deleted_signature_is_not_revived() {
    let place = signed();
    place.ok("sign oci:lay:v1 --key bob --quiet");
    let document = place.json("signature list oci:lay:v1 --signed-by bob.pub", 0);
    let pin = document["results"][0]["signatures"][0]["pin"].as_str().unwrap().to_owned();
    assert_eq!(place.ok(&format!("signature delete {pin}")), pin);
    place.ok("repair oci:lay");
    place.verify_is(1, "oci:lay:v1 --key bob.pub");
    place.verify_is(0, "oci:lay:v1 --key alice.pub");
    place.run(&format!("signature delete {pin}")).is(4);
}

#[test]
fn a_signature_by_others_too_is_not_deleted_by_one_key() {
    let place = signed();
    let pin = place.pack("oci:lay:v2", "by both");
    place.ok(&format!("sign {pin} --key alice --key bob"));
    place.run(&format!("signature delete {pin} --signed-by bob.pub")).is(1).says("kept");
    // What is by the key alone is deleted beside it.
    place.ok(&format!("sign {pin} --key bob --name acme/app:2.0"));
    let result = place.json(&format!("signature delete {pin} --signed-by bob.pub"), 1)["results"][0].clone();
    let (deleted, kept) = (result["deleted"].as_array().unwrap(), result["kept"].as_array().unwrap());
    assert_eq!((deleted.len(), kept.len(), &result["error"]["code"]), (1, 1, &json!("kept")));
    place.verify_is(1, &format!("{pin} --key bob.pub --name acme/app:2.0"));
    place.verify_is(0, &format!("{pin} --key alice.pub --key bob.pub --threshold 2"));
    let result = place.json(&format!("signature delete {pin} --signed-by bob.pub --signed-by alice.pub"), 0)["results"][0].clone();
    assert_eq!((&result["deleted"], &result["kept"]), (&json!(kept), &json!([])));
    place.verify_is(3, &format!("{pin} --key alice.pub"));
}

#[test]
fn a_signature_of_one_key_twice_is_of_that_key_alone() {
    let place = signed();
    let pin = place.pack("oci:lay:v2", "by bob and bob");
    let folder = Folder::open(&place, "lay");
    let manifest = crate::forge::descriptor(crate::forge::MANIFEST, &folder.read(digest(&pin)));
    let mut envelope = crate::forge::Forger::read(&place, "bob").statement(&crate::forge::signature_statement(&manifest, None));
    let again = envelope["signatures"][0].clone();
    envelope["signatures"].as_array_mut().unwrap().push(again);
    folder.attach(&manifest, &envelope);
    assert_eq!(place.ok(&format!("signature delete {pin} --signed-by bob.pub")).lines().count(), 1);
    place.verify_is(3, &format!("{pin} --key bob.pub"));
}

/// What cannot be read may be a signature: nothing says that there is none, and what can be done is done.
#[test]
fn what_cannot_be_read_is_never_no_signature() {
    for how in ["missing", "other bytes", "too large"] {
        let place = signed();
        let pin = place.pack("oci:lay:v2", how);
        place.ok(&format!("sign {pin} --key bob"));
        let folder = Folder::open(&place, "lay");
        let manifest = crate::forge::descriptor(crate::forge::MANIFEST, &folder.read(digest(&pin)));
        let statement = crate::forge::signature_statement(&manifest, None);
        let mut envelope = crate::forge::Forger::read(&place, "alice").statement(&statement).to_string();
        if how == "too large" {
            envelope.push_str(&" ".repeat(1 << 20));
        }
        folder.attach_as(crate::forge::SIGNATURE, &manifest, envelope.as_bytes());
        let blob = folder.blob_path(&crate::forge::sha256(envelope.as_bytes()));
        match how {
            "missing" => std::fs::remove_file(place.path(&blob)).unwrap(),
            "other bytes" => drop(place.file(&blob, envelope.replace('a', "b"))),
            _ => {}
        }
        let listed = place.json(&format!("signature list {pin}"), 4);
        assert_eq!(listed["results"][0]["signatures"].as_array().unwrap().len(), 1, "{how}");
        assert_eq!(listed["results"][0]["findings"].as_array().unwrap().len(), 1, "{how}");
        assert_eq!(place.json(&format!("signature list {pin} --signed-by alice.pub"), 4)["results"][0]["signatures"], json!([]));
        let exported = place.json(&format!("signature export {pin} --out files"), 4);
        assert_eq!(exported["results"][0]["files"].as_array().unwrap().len(), 1, "{how}");
        // None by alice was found, which is not to say that there is none; and bob's goes all the same.
        place.run(&format!("signature delete {pin} --signed-by alice.pub")).is(4);
        let deleted = place.json(&format!("signature delete {pin} --signed-by bob.pub"), 4);
        assert_eq!(deleted["results"][0]["deleted"].as_array().unwrap().len(), 1, "{how}");
        assert_eq!(place.json(&format!("signature list {pin}"), 4)["results"][0]["signatures"], json!([]));
    }
}

#[test]
fn signatures_travel_as_files() {
    let place = signed();
    let files = place.ok("signature export oci:lay:v1 --out files");
    assert_eq!(files.lines().count(), 1);
    place.verify_is(0, &format!("oci:lay:v1 --key alice.pub --envelope {files}"));
    place.pack("oci:far:v1", "content");
    place.ok(&format!("signature attach oci:far:v1 {files}"));
    place.verify_is(0, "oci:far:v1 --key alice.pub --name acme/app:1.0");
    // The same envelope makes the same manifest: nothing is there twice.
    place.run(&format!("signature attach oci:lay:v1 {files}")).is(0).says("attached already");
    place.run("signature attach oci:lay:v1 payload.txt").is(6).says("payload.txt");
}

#[test]
fn index_takes_artifacts_from_elsewhere_with_their_signatures() {
    let place = signed();
    let index = place.ok("index oci:lay:v1 --to oci:far:all --platform linux/amd64");
    place.verify_is(0, &format!("oci:far@{} --key alice.pub", digest(&place.ok("resolve oci:lay:v1"))));
    let manifest = Folder::open(&place, "far").read_json(digest(&index));
    assert_eq!(manifest["manifests"][0]["platform"], json!({"os": "linux", "architecture": "amd64"}));
    assert_eq!(digest_of(&manifest["manifests"][0]), digest(&place.ok("resolve oci:lay:v1")));
}
