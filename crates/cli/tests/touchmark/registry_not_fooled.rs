//! Registries that lie. What is verified is what was hashed, whatever a registry says of it.

use serde_json::json;
use touchmark_test_registry::{Action, Fault, Settings};

use crate::forge::{Folder, Forger, MANIFEST, SIGNATURE, digest_of, signature_statement};
use crate::harness::{Place, digest};
use crate::remote::{REPOSITORY, filled};

/// `oci:lay:v1`, signed by alice, and `oci:lay:other`, signed by nobody; to be taken to a registry.
fn signed() -> Place {
    let place = Place::new();
    place.key("alice");
    place.key("bob");
    place.pack("oci:lay:v1", "content");
    place.ok("sign oci:lay:v1 --key alice --name acme/app:1.0 --quiet");
    place.pack("oci:lay:other", "malware");
    place
}

fn both_kinds() -> [Settings; 2] {
    [Settings::default(), Settings::docker_registry()]
}

#[test]
fn other_bytes_for_the_artifact_are_refused() {
    let place = signed();
    let pin = digest(&place.ok("resolve oci:lay:v1")).to_owned();
    for settings in both_kinds() {
        let (registry, name) = filled(&place, settings);
        // Asked for by digest, the bytes of another manifest.
        registry.fault(Fault::new(Action::Manifest("other".to_owned())).get().path(&format!("/manifests/{pin}")));
        let verdict = place.verify_is(6, &format!("{name}@{pin} --key alice.pub"));
        assert_eq!(verdict.json["results"][0]["error"]["code"], "wrong-digest", "{:#}", verdict.json);
        // The same, one byte changed.
        registry.clear_faults();
        let mut bytes = registry.manifest(REPOSITORY, &pin).unwrap().bytes.to_vec();
        bytes.push(b' ');
        registry.fault(Fault::new(Action::Body(bytes)).get().path(&format!("/manifests/{pin}")));
        place.verify_is(6, &format!("{name}@{pin} --key alice.pub"));
        place.run(&format!("copy {name}@{pin} oci:far:v1")).is(6);
        assert!(!place.path("far").join("blobs/sha256").join(&pin[7..]).exists());
    }
}

#[test]
fn another_digest_header_is_refused() {
    let place = signed();
    let other = digest(&place.ok("resolve oci:lay:other")).to_owned();
    for settings in both_kinds() {
        let (registry, name) = filled(&place, settings);
        let pin = digest(&place.ok(&format!("resolve {name}:v1"))).to_owned();
        registry.fault(Fault::new(Action::Header("Docker-Content-Digest".to_owned(), Some(other.clone()))).get().path("/manifests/"));
        place.verify_is(6, &format!("{name}:v1 --key alice.pub"));
        place.verify_is(6, &format!("{name}@{pin} --key alice.pub"));
        registry.clear_faults();
        // None at all is no lie: what was hashed is what counts.
        registry.fault(Fault::new(Action::Header("Docker-Content-Digest".to_owned(), None)).get().path("/manifests/"));
        place.verify_is(0, &format!("{name}:v1 --key alice.pub"));
    }
}

#[test]
fn another_content_type_is_refused() {
    let place = signed();
    for settings in both_kinds() {
        let (registry, name) = filled(&place, settings);
        let index = "application/vnd.oci.image.index.v1+json";
        registry.fault(Fault::new(Action::Header("Content-Type".to_owned(), Some(index.to_owned()))).get().path("/manifests/v1"));
        place.verify_is(6, &format!("{name}:v1 --key alice.pub"));
        registry.clear_faults();
        // What is no type of manifests says nothing of it.
        registry.fault(Fault::new(Action::Header("Content-Type".to_owned(), Some("text/plain".to_owned()))).get().path("/manifests/v1"));
        place.verify_is(0, &format!("{name}:v1 --key alice.pub"));
    }
}

/// Whatever type the list of referrers claims for a signature or for something else, its own manifest decides.
#[test]
fn a_lying_artifact_type_neither_hides_nor_makes_a_signature() {
    let place = signed();
    let folder = Folder::open(&place, "lay");
    let other = place.ok("resolve oci:lay:other --descriptor");
    let other: serde_json::Value = serde_json::from_str(&other).unwrap();
    // A sound envelope by alice, attached as something else than a signature; its list entry says that it is one.
    let envelope = Forger::read(&place, "alice").statement(&signature_statement(&other, None)).to_string();
    let referrer = folder.referrer("application/vnd.example.note", &other, envelope.as_bytes());
    let note = folder.blob(MANIFEST, referrer.to_string().as_bytes());
    let (registry, name) = filled(&place, Settings::default());
    let subject = digest_of(&other);
    let list = |artifact_type: &str, entry: &serde_json::Value| {
        let mut entry = entry.clone();
        entry["artifactType"] = artifact_type.into();
        let index = json!({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [entry]});
        Action::Body(index.to_string().into_bytes())
    };
    registry.fault(Fault::new(list(SIGNATURE, &note)).get().path(&format!("/referrers/{subject}")));
    let verdict = place.verify(&format!("{name}:other --key alice.pub"));
    assert!([1, 3].contains(&verdict.code), "{:#}", verdict.json);
    registry.clear_faults();

    // The real signature, listed as something else.
    let signed = place.json("signature list oci:lay:v1", 0);
    let signature = digest(signed["results"][0]["signatures"][0]["pin"].as_str().unwrap()).to_owned();
    let size = registry.manifest(REPOSITORY, &signature).unwrap().bytes.len();
    let entry = json!({"mediaType": MANIFEST, "digest": signature, "size": size});
    for claimed in ["application/vnd.example.note", "application/vnd.dev.sigstore.bundle.v0.3+json", "application/vnd.in-toto+json"] {
        registry.fault(Fault::new(list(claimed, &entry)).get().path("/referrers/"));
        let verdict = place.verify(&format!("{name}:v1 --key alice.pub"));
        // Found all the same, or not known to be there; but never "there is none".
        assert!([0, 4].contains(&verdict.code), "{claimed}: {:#}", verdict.json);
        registry.clear_faults();
    }
    // Without any type.
    let index = json!({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [entry]});
    registry.fault(Fault::new(Action::Body(index.to_string().into_bytes())).get().path("/referrers/"));
    place.verify_is(0, &format!("{name}:v1 --key alice.pub"));
}

/// The tag leads elsewhere from the second request on: what was resolved first is what is verified, and what the pin says.
#[test]
fn another_artifact_under_the_tag_between_two_requests_changes_nothing() {
    let place = signed();
    let pin = digest(&place.ok("resolve oci:lay:v1")).to_owned();
    for settings in both_kinds() {
        let (registry, name) = filled(&place, settings);
        for program in ["verify", "unpack"] {
            registry.clear_faults();
            let moved = Fault::new(Action::Manifest("other".to_owned())).get().path("/manifests/v1");
            registry.fault(moved.when(touchmark_test_registry::When::From(2)));
            let out = if program == "unpack" { "--out files-of-the-tag" } else { "" };
            let ran = place.run(&format!("{program} {name}:v1 --key alice.pub {out}")).is(0);
            if program == "verify" {
                assert_eq!(digest(ran.stdout.trim_end()), pin);
            } else {
                assert_eq!(place.read("files-of-the-tag/payload.txt"), b"content");
                std::fs::remove_dir_all(place.path("files-of-the-tag")).unwrap();
            }
        }
        registry.clear_faults();
        // From the first request on it is the other artifact, which nobody signed.
        registry.fault(Fault::new(Action::Manifest("other".to_owned())).get().path("/manifests/v1"));
        place.verify_is(3, &format!("{name}:v1 --key alice.pub"));
    }
}

#[test]
fn tag_and_digest_that_disagree() {
    let place = signed();
    let pin = digest(&place.ok("resolve oci:lay:v1")).to_owned();
    for settings in both_kinds() {
        let (registry, name) = filled(&place, settings);
        // The digest decides, and the tag is not even asked for.
        registry.clear_log();
        let verdict = place.verify_is(0, &format!("{name}:other@{pin} --key alice.pub"));
        assert_eq!(verdict.stdout.trim_end(), format!("{name}@{pin}"));
        assert!(registry.log().iter().all(|logged| !logged.path.contains("/manifests/other")));
        let verdict = place.verify_is(1, &format!("{name}:other@{pin} --key alice.pub --check-tag"));
        assert_eq!(verdict.json["results"][0]["error"]["code"], "tag-moved");
        place.verify_is(0, &format!("{name}:v1@{pin} --key alice.pub --check-tag"));
        place.verify_is(4, &format!("{name}:nothing@{pin} --key alice.pub --check-tag"));
        place.run(&format!("resolve {name}:other@{pin} --check-tag")).is(1);
        place.run(&format!("resolve {name}:other@{pin}")).is(0);
    }
}

/// Signatures of another artifact, or of another's name, do not become this one's by being listed for it.
#[test]
fn a_signature_of_another_artifact_in_the_list_counts_for_nothing() {
    let place = signed();
    let signed = place.json("signature list oci:lay:v1", 0);
    let signature = digest(signed["results"][0]["signatures"][0]["pin"].as_str().unwrap()).to_owned();
    let other = digest(&place.ok("resolve oci:lay:other")).to_owned();
    let (registry, name) = filled(&place, Settings::default());
    registry.put_referrer(REPOSITORY, &other, &signature);
    let verdict = place.verify(&format!("{name}:other --key alice.pub"));
    assert!([1, 3].contains(&verdict.code), "{:#}", verdict.json);
}

/// A list of referrers that is none is no empty list.
#[test]
fn what_is_no_list_of_referrers_is_not_an_empty_one() {
    let place = signed();
    let (registry, name) = filled(&place, Settings::default());
    for body in ["", "{}", "[]", "<html>login</html>", r#"{"schemaVersion":2,"manifests":{}}"#] {
        registry.fault(Fault::new(Action::Body(body.as_bytes().to_vec())).get().path("/referrers/"));
        let verdict = place.verify(&format!("{name}:v1 --key alice.pub"));
        assert_eq!(verdict.code, 4, "{body}: {:#}", verdict.json);
        registry.clear_faults();
    }
}

/// Other bytes for the signature alone: it is not read, and that is not "there is none".
#[test]
fn other_bytes_for_the_signature_are_no_signature_and_no_answer() {
    let place = signed();
    let signed = place.json("signature list oci:lay:v1", 0);
    let signature = digest(signed["results"][0]["signatures"][0]["pin"].as_str().unwrap()).to_owned();
    for settings in both_kinds() {
        let (registry, name) = filled(&place, settings);
        registry.fault(Fault::new(Action::Manifest("other".to_owned())).get().path(&format!("/manifests/{signature}")));
        place.verify_is(4, &format!("{name}:v1 --key alice.pub"));
    }
}
