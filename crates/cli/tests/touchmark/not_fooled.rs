//! Attacks on verification. Each test is named by the attack and the verdict, and both verifiers must give it.

use serde_json::{Value, json};

use crate::forge::{ENVELOPE, Folder, Forger, INDEX, MANIFEST, PAYLOAD, SIGNATURE, digest_of, sha256, signature_statement};
use crate::harness::{Place, Verdict};

/// A place with the keys `alice` and `bob`, and the artifact `oci:lay:v1`, unsigned.
struct Stage {
    place: Place,
    alice: Forger,
    artifact: Value,
}

impl Stage {
    fn new() -> Self {
        let place = Place::new();
        place.key("alice");
        place.key("bob");
        let alice = Forger::read(&place, "alice");
        let artifact = Folder::new(&place, "lay").artifact("v1", "the artifact");
        Self { place, alice, artifact }
    }

    fn folder(&self) -> Folder<'_> {
        Folder::open(&self.place, "lay")
    }

    fn statement(&self) -> Value {
        signature_statement(&self.artifact, Some("acme/app:1.0"))
    }

    /// Attaches an envelope by alice over this statement.
    fn attach(&self, statement: &Value) {
        self.folder().attach(&self.artifact, &self.alice.statement(statement));
    }

    #[track_caller]
    fn verify_is(&self, code: i32) -> Verdict {
        self.place.verify_is(code, "oci:lay:v1 --key alice.pub")
    }
}

/// What the other tests change one thing of does verify.
#[test]
fn the_unchanged_signature_is_verified() {
    let stage = Stage::new();
    stage.attach(&stage.statement());
    let verdict = stage.verify_is(0);
    assert_eq!(verdict.stdout.trim_end(), format!("oci:lay@{}", digest_of(&stage.artifact)));
    stage.place.verify_is(0, "oci:lay:v1 --key alice.pub --name acme/app:1.0");
}

#[test]
fn another_artifact_under_the_same_tag_is_unsigned() {
    let stage = Stage::new();
    stage.attach(&stage.statement());
    let folder = stage.folder();
    let mut index = folder.index();
    index["manifests"].as_array_mut().unwrap().remove(0);
    folder.write_index(&index);
    folder.artifact("v1", "malware");
    stage.verify_is(3);
}

#[test]
fn another_artifact_of_the_same_signer_under_the_same_tag_is_refused_by_name() {
    let stage = Stage::new();
    let folder = stage.folder();
    let other = folder.artifact("firmware", "firmware");
    folder.attach(&other, &stage.alice.statement(&signature_statement(&other, Some("acme/firmware:1.0"))));
    let mut index = folder.index();
    index["manifests"].as_array_mut().unwrap().remove(0);
    index["manifests"][0]["annotations"]["org.opencontainers.image.ref.name"] = "v1".into();
    folder.write_index(&index);
    stage.place.verify_is(1, "oci:lay:v1 --key alice.pub --name acme/app:1.0");
    stage.place.verify_is(1, "oci:lay:v1 --key alice.pub --name acme/app:*");
    stage.place.verify_is(0, "oci:lay:v1 --key alice.pub --name acme/firmware:*");
}

#[test]
fn same_key_but_another_name_is_not_verified() {
    let stage = Stage::new();
    stage.attach(&stage.statement());
    for name in ["acme/application:1.0", "acme/ap:1.0", "evil/app:1.0", "acme/app/x:1.0"] {
        let verdict = stage.place.verify_is(1, &format!("oci:lay:v1 --key alice.pub --name {name}"));
        assert!(verdict.stderr.contains("acme/app:1.0"), "{}", verdict.stderr);
    }
}

#[test]
fn same_key_but_another_version_is_not_verified() {
    let stage = Stage::new();
    stage.attach(&stage.statement());
    for name in ["acme/app:1.1", "acme/app:1", "acme/app:1.0.0", "acme/app"] {
        stage.place.verify_is(1, &format!("oci:lay:v1 --key alice.pub --name {name}"));
    }
    let verdict = stage.place.verify_is(1, "oci:lay:v1 --key alice.pub --name acme/app");
    assert!(verdict.stderr.contains("--any-version"), "{}", verdict.stderr);
    stage.place.verify_is(0, "oci:lay:v1 --key alice.pub --name acme/app --any-version");
    stage.place.verify_is(0, "oci:lay:v1 --key alice.pub --name acme/app:*");
}

#[test]
fn any_version_does_not_accept_the_versionless_name() {
    let stage = Stage::new();
    stage.attach(&signature_statement(&stage.artifact, Some("acme/app")));
    stage.place.verify_is(0, "oci:lay:v1 --key alice.pub --name acme/app");
    stage.place.verify_is(1, "oci:lay:v1 --key alice.pub --name acme/app:*");
}

#[test]
fn a_statement_without_a_name_does_not_satisfy_a_wanted_name() {
    let stage = Stage::new();
    stage.attach(&signature_statement(&stage.artifact, None));
    stage.verify_is(0);
    stage.place.verify_is(1, "oci:lay:v1 --key alice.pub --name acme/app");
}

#[test]
fn a_signed_attestation_offered_as_a_signature_is_not_verified() {
    let stage = Stage::new();
    let mut verdict = stage.statement();
    verdict["predicateType"] = "https://example.com/scan-verdict/v1".into();
    verdict["predicate"] = json!({"verdict": "malware, do not deploy"});
    stage.attach(&verdict);
    stage.verify_is(1);
}

#[test]
fn an_attestation_with_the_members_of_a_signature_is_not_verified() {
    let stage = Stage::new();
    let mut statement = stage.statement();
    statement["predicateType"] = "https://example.com/scan-verdict/v1".into();
    stage.attach(&statement);
    stage.verify_is(1);
}

#[test]
fn a_changed_predicate_type_is_not_verified() {
    for changed in
        ["urn:touchmark:predicate:signature:v2", "urn:touchmark:predicate:signature:v1 ", "URN:touchmark:predicate:signature:v1", ""]
    {
        let stage = Stage::new();
        let mut statement = stage.statement();
        statement["predicateType"] = changed.into();
        stage.attach(&statement);
        stage.verify_is(1);
    }
}

#[test]
fn a_changed_payload_type_is_not_verified() {
    for changed in ["application/vnd.in-toto", "application/json", "", "application/vnd.in-toto+json;v=2"] {
        let stage = Stage::new();
        let payload = stage.statement().to_string();
        stage.folder().attach(&stage.artifact, &stage.alice.envelope(changed, payload.as_bytes()));
        stage.verify_is(1);
    }
}

/// The signature stays valid for the payload alone, and DSSE signs the type with it.
#[test]
fn a_payload_type_exchanged_after_signing_is_not_verified() {
    let stage = Stage::new();
    let mut envelope = stage.alice.envelope("application/octet-stream", stage.statement().to_string().as_bytes());
    envelope["payloadType"] = PAYLOAD.into();
    stage.folder().attach(&stage.artifact, &envelope);
    stage.verify_is(1);
}

#[test]
fn a_payload_exchanged_after_signing_is_not_verified() {
    let stage = Stage::new();
    let mut envelope = stage.alice.statement(&signature_statement(&stage.artifact, Some("acme/app:0.9")));
    envelope["payload"] = stage.alice.statement(&stage.statement())["payload"].clone();
    stage.folder().attach(&stage.artifact, &envelope);
    stage.verify_is(1);
}

#[test]
fn another_media_type_than_the_manifests_is_not_verified() {
    for changed in [json!(INDEX), json!("application/vnd.docker.distribution.manifest.v2+json"), json!(null), json!(7)] {
        let stage = Stage::new();
        let mut statement = stage.statement();
        statement["predicate"]["mediaType"] = changed;
        stage.attach(&statement);
        stage.verify_is(1);
    }
}

#[test]
fn another_size_than_the_manifests_is_not_verified() {
    for difference in [-1, 1] {
        let stage = Stage::new();
        let mut statement = stage.statement();
        statement["predicate"]["size"] = (stage.artifact["size"].as_i64().unwrap() + difference).into();
        stage.attach(&statement);
        stage.verify_is(1);
    }
    for changed in [json!("401"), json!(-1), json!(1.5), json!(null)] {
        let stage = Stage::new();
        let mut statement = stage.statement();
        statement["predicate"]["size"] = changed;
        stage.attach(&statement);
        stage.verify_is(1);
    }
}

#[test]
fn another_subject_digest_is_not_verified() {
    let right = |stage: &Stage| digest_of(&stage.artifact).trim_start_matches("sha256:").to_owned();
    let stage = Stage::new();
    let hex = right(&stage);
    let other = sha256(b"other").trim_start_matches("sha256:").to_owned();
    for digest in [
        json!({"sha256": other}),
        json!({}),
        json!({"sha1": "da39a3ee5e6b4b0d3255bfef95601890afd80709"}),
        // Every digest that is listed must match, not only one.
        json!({"sha256": hex, "sha512": "0".repeat(128)}),
        json!({"sha256": hex.to_uppercase()}),
        json!({"sha256": hex[..62]}),
        json!({"SHA256": hex}),
    ] {
        let stage = Stage::new();
        let mut statement = stage.statement();
        statement["subject"][0]["digest"] = digest.clone();
        stage.attach(&statement);
        let verdict = stage.place.verify("oci:lay:v1 --key alice.pub");
        assert_eq!(verdict.code, 1, "{digest} {}", verdict.stderr);
    }
}

#[test]
fn two_subjects_are_not_verified() {
    let stage = Stage::new();
    let mut statement = stage.statement();
    let other = json!({"name": "acme/other:1.0", "digest": {"sha256": "0".repeat(64)}});
    statement["subject"].as_array_mut().unwrap().push(other);
    stage.attach(&statement);
    stage.verify_is(1);
}

#[test]
fn no_subject_is_not_verified() {
    let stage = Stage::new();
    let mut statement = stage.statement();
    statement["subject"] = json!([]);
    stage.attach(&statement);
    stage.verify_is(1);
}

#[test]
fn a_signature_of_another_artifact_attached_here_is_not_verified() {
    let stage = Stage::new();
    let folder = stage.folder();
    let other = folder.artifact("other", "another artifact");
    folder.attach(&stage.artifact, &stage.alice.statement(&signature_statement(&other, Some("acme/app:1.0"))));
    stage.verify_is(1);
}

/// The list says that it is a signature of this artifact; the manifest says that it is one of another.
#[test]
fn a_referrer_listed_under_another_subject_is_not_verified() {
    let stage = Stage::new();
    let folder = stage.folder();
    let other = folder.artifact("other", "another artifact");
    let referrer = folder.attach(&other, &stage.alice.statement(&signature_statement(&other, Some("acme/app:1.0"))));
    let fallback = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [referrer]});
    let fallback = folder.blob(INDEX, fallback.to_string().as_bytes());
    folder.tag(&fallback, &digest_of(&stage.artifact).replace(':', "-"));
    let verdict = stage.place.verify("oci:lay:v1 --key alice.pub");
    assert!([1, 3].contains(&verdict.code), "{}", verdict.stderr);
}

#[test]
fn a_document_with_both_layers_and_manifests_is_malformed() {
    for media_type in [MANIFEST, INDEX] {
        let stage = Stage::new();
        let folder = stage.folder();
        let mut confused = folder.read_json(digest_of(&stage.artifact));
        confused["manifests"] = json!([]);
        confused["mediaType"] = media_type.into();
        let confused = folder.blob(media_type, confused.to_string().as_bytes());
        folder.tag(&confused, "confused");
        folder.attach(&confused, &stage.alice.statement(&signature_statement(&confused, None)));
        stage.place.verify_is(6, "oci:lay:confused --key alice.pub");
    }
}

#[test]
fn duplicate_members_in_the_manifest_are_malformed() {
    let stage = Stage::new();
    let folder = stage.folder();
    let text = String::from_utf8(folder.read(digest_of(&stage.artifact))).unwrap();
    let doubled = text.replacen('{', r#"{"layers":[],"#, 1);
    let doubled = folder.blob(MANIFEST, doubled.as_bytes());
    folder.tag(&doubled, "doubled");
    folder.attach(&doubled, &stage.alice.statement(&signature_statement(&doubled, None)));
    stage.place.verify_is(6, "oci:lay:doubled --key alice.pub");
}

#[test]
fn duplicate_members_in_the_envelope_are_not_verified() {
    let stage = Stage::new();
    let good = stage.alice.statement(&stage.statement()).to_string();
    let payload = stage.alice.statement(&signature_statement(&stage.artifact, Some("evil/app")))["payload"].to_string();
    let doubled = good.replacen('{', &format!(r#"{{"payload":{payload},"#), 1);
    stage.folder().attach_as(SIGNATURE, &stage.artifact, doubled.as_bytes());
    stage.verify_is(1);
}

#[test]
fn duplicate_members_in_the_statement_are_not_verified() {
    let stage = Stage::new();
    let good = stage.statement().to_string();
    let doubled = good.replacen('{', r#"{"predicateType":"https://example.com/other","#, 1);
    stage.folder().attach(&stage.artifact, &stage.alice.envelope(PAYLOAD, doubled.as_bytes()));
    stage.verify_is(1);
}

#[test]
fn a_good_signature_among_120_malformed_referrers_is_verified() {
    let stage = Stage::new();
    let folder = stage.folder();
    let good = stage.alice.statement(&stage.statement());
    for number in 0..120 {
        if number == 60 {
            folder.attach(&stage.artifact, &good);
        }
        match number % 6 {
            0 => folder.attach_as(SIGNATURE, &stage.artifact, format!("not JSON {number}").as_bytes()),
            1 => folder.attach_bytes(SIGNATURE, format!("{{\"schemaVersion\":2,\"number\":{number}").as_bytes()),
            2 => {
                let mut referrer = folder.referrer(SIGNATURE, &stage.artifact, format!("{number}").as_bytes());
                referrer["layers"] = json!(number);
                folder.attach_manifest(SIGNATURE, &referrer)
            }
            3 => {
                let mut envelope = good.clone();
                envelope["signatures"][0]["sig"] = format!("AAAA{number:04}").into();
                folder.attach(&stage.artifact, &envelope)
            }
            4 => {
                let mut referrer = folder.referrer(SIGNATURE, &stage.artifact, b"{}");
                referrer["layers"][0]["digest"] = sha256(format!("missing {number}").as_bytes()).into();
                folder.attach_manifest(SIGNATURE, &referrer)
            }
            _ => folder.attach(&stage.artifact, &json!({"payload": "", "payloadType": PAYLOAD, "signatures": [], "number": number})),
        };
    }
    stage.verify_is(0);
    // 20 of them could not be read, and might be by bob.
    stage.place.verify_is(4, "oci:lay:v1 --key bob.pub");
}

#[test]
fn a_signature_that_the_list_calls_something_else_is_verified() {
    let stage = Stage::new();
    let folder = stage.folder();
    let referrer = folder.referrer(SIGNATURE, &stage.artifact, stage.alice.statement(&stage.statement()).to_string().as_bytes());
    folder.attach_manifest("application/vnd.example.sbom", &referrer);
    stage.verify_is(0);
}

#[test]
fn something_else_that_the_list_calls_a_signature_is_not_verified() {
    let stage = Stage::new();
    let folder = stage.folder();
    let sbom = json!({"schemaVersion": 2, "mediaType": MANIFEST, "artifactType": "application/vnd.example.sbom", "config": folder.blob("application/vnd.oci.empty.v1+json", b"{}"), "layers": [folder.blob("text/plain", b"sbom")], "subject": stage.artifact});
    folder.attach_manifest(SIGNATURE, &sbom);
    stage.verify_is(3);
}

#[test]
fn one_key_named_twice_does_not_reach_a_threshold_of_two() {
    let stage = Stage::new();
    stage.attach(&stage.statement());
    std::fs::copy(stage.place.path("alice.pub"), stage.place.path("copy.pub")).unwrap();
    stage.place.verify_is(2, "oci:lay:v1 --key alice.pub --key copy.pub --threshold 2");
    stage.place.verify_is(2, "oci:lay:v1 --key alice.pub --key alice.pub --threshold 2");
}

#[test]
fn one_key_under_two_keyids_does_not_reach_a_threshold_of_two() {
    let stage = Stage::new();
    let mut envelope = stage.alice.statement(&stage.statement());
    let mut second = envelope["signatures"][0].clone();
    second["keyid"] = Forger::read(&stage.place, "bob").keyid().into();
    envelope["signatures"].as_array_mut().unwrap().push(second);
    stage.folder().attach(&stage.artifact, &envelope);
    // And a second envelope by the same key.
    stage.attach(&signature_statement(&stage.artifact, None));
    stage.place.verify_is(1, "oci:lay:v1 --key alice.pub --key bob.pub --threshold 2");
    stage.place.verify_is(0, "oci:lay:v1 --key alice.pub --key bob.pub");
}

/// The two encodings of one P-256 public key: the point compressed and uncompressed.
#[test]
fn one_key_in_two_encodings_does_not_reach_a_threshold_of_two() {
    let stage = Stage::new();
    stage.place.ok("key generate --type ecdsa-p256 --no-passphrase --quiet --out carol");
    let public = String::from_utf8(stage.place.read("carol.pub")).unwrap();
    let der = crate::forge::der(&public);
    let point = &der[der.len() - 65..];
    assert_eq!((point[0], der.len()), (4, 91));
    let mut compressed = vec![0x30, 0x39];
    compressed.extend_from_slice(&der[2..der.len() - 68]);
    compressed.extend_from_slice(&[0x03, 0x22, 0x00, 2 + (point[64] & 1)]);
    compressed.extend_from_slice(&point[1..33]);
    stage.place.file("compressed.pub", crate::forge::pem("PUBLIC KEY", &compressed));
    stage.place.ok("sign oci:lay:v1 --key carol");
    stage.place.verify_is(0, "oci:lay:v1 --key compressed.pub");
    stage.place.verify_is(2, "oci:lay:v1 --key carol.pub --key compressed.pub --threshold 2");
}

#[test]
fn two_statements_that_only_together_say_what_was_asked_are_not_verified() {
    let stage = Stage::new();
    let mut named = stage.statement();
    named["predicate"]["annotations"] = json!({"channel": "nightly"});
    stage.attach(&named);
    let mut annotated = signature_statement(&stage.artifact, Some("acme/app:0.9"));
    annotated["predicate"]["annotations"] = json!({"channel": "stable"});
    stage.attach(&annotated);
    stage.place.verify_is(0, "oci:lay:v1 --key alice.pub --name acme/app:1.0 --annotation channel=nightly");
    stage.place.verify_is(1, "oci:lay:v1 --key alice.pub --name acme/app:1.0 --annotation channel=stable");
}

/// Each of two keys signed something, and only one of them what was asked.
#[test]
fn keys_of_different_statements_are_not_added_up() {
    let stage = Stage::new();
    let bob = Forger::read(&stage.place, "bob");
    stage.attach(&stage.statement());
    stage.folder().attach(&stage.artifact, &bob.statement(&signature_statement(&stage.artifact, Some("acme/app:0.9"))));
    stage.place.verify_is(1, "oci:lay:v1 --key alice.pub --key bob.pub --threshold 2 --name acme/app:1.0");
    stage.folder().attach(&stage.artifact, &bob.statement(&stage.statement()));
    stage.place.verify_is(0, "oci:lay:v1 --key alice.pub --key bob.pub --threshold 2 --name acme/app:1.0");
}

#[test]
fn an_expired_statement_is_not_verified() {
    let stage = Stage::new();
    let mut statement = stage.statement();
    statement["predicate"]["expires"] = "2026-02-01T00:00:00Z".into();
    stage.attach(&statement);
    stage.place.verify_is(0, "oci:lay:v1 --key alice.pub --at 2026-01-31T23:59:59Z");
    stage.place.verify_is(1, "oci:lay:v1 --key alice.pub --at 2026-02-01T00:00:00Z");
    for malformed in [json!("soon"), json!(1_800_000_000), json!(null), json!("2099-02-01T00:00:00+00:00")] {
        let stage = Stage::new();
        let mut statement = stage.statement();
        statement["predicate"]["expires"] = malformed;
        stage.attach(&statement);
        stage.verify_is(1);
    }
}

#[test]
fn a_weak_ed25519_key_is_a_usage_error() {
    let stage = Stage::new();
    stage.attach(&stage.statement());
    // Points of small order: under them, one signature verifies for every message.
    for point in [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ] {
        let mut spki = stage.alice.spki();
        spki.truncate(12);
        spki.extend((0..64).step_by(2).map(|at| u8::from_str_radix(&point[at..at + 2], 16).unwrap()));
        stage.place.file("weak.pub", crate::forge::pem("PUBLIC KEY", &spki));
        stage.place.verify_is(2, "oci:lay:v1 --key weak.pub");
        stage.place.run("key show weak.pub").is(2);
    }
}

#[test]
fn a_key_inside_the_envelope_is_not_trusted() {
    let stage = Stage::new();
    let mallory = Forger::read(&stage.place, "bob");
    let mut envelope = mallory.statement(&stage.statement());
    let pem = String::from_utf8(stage.place.read("bob.pub")).unwrap();
    envelope["signatures"][0]["keyid"] = stage.alice.keyid().into();
    envelope["signatures"][0]["publicKey"] = pem.clone().into();
    envelope["signatures"][0]["cert"] = pem.clone().into();
    envelope["verificationMaterial"] = json!({"publicKey": {"rawBytes": pem}});
    stage.folder().attach(&stage.artifact, &envelope);
    stage.verify_is(1);
}

#[test]
fn a_private_key_given_to_verify_is_a_usage_error() {
    let stage = Stage::new();
    stage.attach(&stage.statement());
    stage.place.verify_is(2, "oci:lay:v1 --key alice");
}

#[test]
fn a_digest_with_a_path_in_it_is_a_usage_error() {
    let stage = Stage::new();
    stage.place.file("x", "secret");
    for digest in
        ["sha256:../../x", "sha256:..%2f..%2fx", "sha256:", "sha256:abc", &format!("sha256:{}", "A".repeat(64)), "sha256:../../../x"]
    {
        stage.place.verify_is(2, &format!("oci:lay@{digest} --key alice.pub"));
    }
}

/// The same in documents: no file outside of the OCI layout is opened, and nothing verifies.
#[test]
fn a_digest_with_a_path_in_a_document_is_malformed() {
    let stage = Stage::new();
    let folder = stage.folder();
    stage.place.file("x", "secret");
    let mut manifest = folder.read_json(digest_of(&stage.artifact));
    manifest["layers"][0]["digest"] = "sha256:../../../x".into();
    let bad = folder.blob(MANIFEST, manifest.to_string().as_bytes());
    folder.tag(&bad, "bad");
    folder.attach(&bad, &stage.alice.statement(&signature_statement(&bad, None)));
    stage.place.verify_is(6, "oci:lay:bad --key alice.pub");
    let mut index = folder.index();
    index["manifests"][0]["digest"] = "sha256:../../../x".into();
    folder.write_index(&index);
    let verdict = stage.place.verify("oci:lay:v1 --key alice.pub");
    assert!([4, 6].contains(&verdict.code), "{}", verdict.stderr);
}

#[test]
fn a_signature_whose_envelope_lies_outside_by_a_path_is_not_verified() {
    let stage = Stage::new();
    let folder = stage.folder();
    stage.place.file("x", stage.alice.statement(&stage.statement()).to_string());
    let mut referrer = folder.referrer(SIGNATURE, &stage.artifact, b"{}");
    referrer["layers"][0] = json!({"mediaType": ENVELOPE, "digest": "sha256:../../../x", "size": 400});
    folder.attach_manifest(SIGNATURE, &referrer);
    let verdict = stage.place.verify("oci:lay:v1 --key alice.pub");
    assert!([1, 3].contains(&verdict.code), "{}", verdict.stderr);
}

#[test]
fn bytes_of_another_digest_are_malformed() {
    let stage = Stage::new();
    stage.attach(&stage.statement());
    let path = stage.folder().blob_path(digest_of(&stage.artifact));
    let mut bytes = stage.place.read(&path);
    let at = bytes.windows(4).position(|window| window == b"test").unwrap();
    bytes[at] = b'T';
    stage.place.file(&path, bytes);
    stage.verify_is(6);
}

/// A layer is read only when `--deep` asks for it.
#[test]
fn a_damaged_layer_is_found_by_deep_alone() {
    let stage = Stage::new();
    stage.attach(&stage.statement());
    let folder = stage.folder();
    let layer = folder.read_json(digest_of(&stage.artifact))["layers"][0]["digest"].as_str().unwrap().to_owned();
    stage.place.verify_is(0, "oci:lay:v1 --key alice.pub --deep");
    stage.place.file(&folder.blob_path(&layer), "the artefact");
    stage.verify_is(0);
    stage.place.verify_is(6, "oci:lay:v1 --key alice.pub --deep");
}
