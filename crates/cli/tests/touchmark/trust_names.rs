//! Names that publishers own, from the first key to the verdict: both verifiers give each.

use serde_json::{Value, json};

use crate::forge::{Folder, sha256};
use crate::harness::Place;
use crate::trust::ONLINE;

/// Keys of the top-level targets.
pub const TARGETS: &str = "--key trust-keys/targets";
/// How a verifier asks by the trust root.
const BY_ROOT: &str = "--root trust/metadata/1.root.json --trust trust --store none";

/// A trust repository with the publisher acme, whose key is `acme`, and its artifact `oci:lay:1`.
pub fn made() -> Place {
    let place = crate::trust::made();
    place.key("acme");
    place.ok("trust publisher add acme --key acme.pub --names acme/**");
    publish(&place, "--key acme");
    place.pack("oci:lay:1", "one");
    place
}

/// Signs by the targets' key and these, and publishes.
#[track_caller]
pub fn publish(place: &Place, keys: &str) {
    place.ok(&format!("trust sign {TARGETS} {keys}"));
    place.ok(&format!("trust publish {ONLINE}"));
}

pub fn ask(reference: &str, name: &str) -> String {
    format!("{reference} {BY_ROOT} --name {name}")
}

#[track_caller]
pub fn refused(place: &Place, code: i32, why: &str, words: &str) {
    let verdict = place.verify_is(code, words);
    assert_eq!(verdict.json["results"][0]["error"]["code"], why, "{:#}", verdict.json);
}

#[test]
fn a_publisher_s_signature_is_accepted_under_its_names_and_no_one_else_s_is() {
    let place = made();
    place.key("mallory");
    refused(&place, 3, "unsigned", &ask("oci:lay:1", "acme/tool:1"));
    place.ok("sign oci:lay:1 --key mallory --name acme/tool:1");
    refused(&place, 1, "threshold", &ask("oci:lay:1", "acme/tool:1"));
    place.ok("sign oci:lay:1 --key acme --name acme/tool:1");
    let verdict = place.verify_is(0, &ask("oci:lay:1", "acme/tool:1"));
    let result = &verdict.json["results"][0];
    assert_eq!(
        (&result["accepted_by"], &result["rollback_protected"], &result["role"]),
        (&"envelopes".into(), &false.into(), &"acme".into())
    );
    assert_eq!(result["metadata"].as_array().unwrap().len(), 5);
    assert!(verdict.stderr.contains("no rollback history"), "{}", verdict.stderr);
    refused(&place, 1, "threshold", &ask("oci:lay:1", "acme/tool"));
    refused(&place, 1, "no-signers", &ask("oci:lay:1", "other/tool:1"));
}

#[test]
fn a_name_that_is_set_stands_for_one_artifact_and_moves_with_replace_alone() {
    let place = made();
    place.pack("oci:lay:2", "two");
    for tag in ["1", "2"] {
        place.ok(&format!("sign oci:lay:{tag} --key acme --name acme/tool:stable"));
    }
    // By signatures alone the older one is accepted, too, and the output says so.
    place.verify_is(0, &ask("oci:lay:1", "acme/tool:stable"));
    place.ok("trust name set acme/tool:stable oci:lay:1");
    publish(&place, "--key acme");
    let verdict = place.verify_is(0, &ask("oci:lay:1", "acme/tool:stable"));
    assert_eq!(verdict.json["results"][0]["rollback_protected"], true);
    refused(&place, 1, "entry", &ask("oci:lay:2", "acme/tool:stable"));
    let error = place.run("trust name set acme/tool:stable oci:lay:2").is(2);
    assert!(error.stderr.contains("--replace"), "{}", error.stderr);
    place.ok("trust name set acme/tool:stable oci:lay:2 --replace");
    publish(&place, "--key acme");
    refused(&place, 1, "entry", &ask("oci:lay:1", "acme/tool:stable"));
    place.verify_is(0, &ask("oci:lay:2", "acme/tool:stable"));
    let listed = place.ok("trust name list");
    assert!(listed.starts_with("acme/tool:stable sha256:"), "{listed}");
    // Withdrawn, nothing is accepted; forgotten, signatures count again.
    place.ok("trust name remove acme/tool:stable");
    publish(&place, "--key acme");
    for tag in ["1", "2"] {
        refused(&place, 1, "entry", &ask(&format!("oci:lay:{tag}"), "acme/tool:stable"));
    }
    assert_eq!(place.ok("trust name list"), "acme/tool:stable withdrawn");
    place.ok("trust name remove acme/tool:stable --forget");
    publish(&place, "--key acme");
    place.verify_is(0, &ask("oci:lay:1", "acme/tool:stable"));
    place.run("trust name remove acme/tool:stable --forget").is(2);
}

#[test]
fn a_sub_publisher_signs_its_names_and_no_others() {
    let place = made();
    place.key("edge");
    place.run("trust publisher add edge --key edge.pub --names acme/edge/** --from acme").is(2);
    place.ok("trust publisher add acme+edge --key edge.pub --names acme/edge/** --from acme");
    publish(&place, "--key acme --key edge");
    for name in ["acme/edge/x:1", "acme/x:1"] {
        place.ok(&format!("sign oci:lay:1 --key edge --name {name}"));
    }
    place.verify_is(0, &ask("oci:lay:1", "acme/edge/x:1"));
    refused(&place, 1, "threshold", &ask("oci:lay:1", "acme/x:1"));
    // Nor is what acme signs accepted under a name that it gave away.
    place.pack("oci:lay:2", "two");
    place.ok("sign oci:lay:2 --key acme --name acme/edge/x:1");
    refused(&place, 1, "threshold", &ask("oci:lay:2", "acme/edge/x:1"));
    // Taken away, acme owns it again.
    place.ok("trust publisher remove acme+edge");
    publish(&place, "--key acme");
    refused(&place, 1, "threshold", &ask("oci:lay:1", "acme/edge/x:1"));
    place.verify_is(0, &ask("oci:lay:2", "acme/edge/x:1"));
}

#[test]
fn a_publisher_of_entries_only_is_not_believed_by_signature() {
    let place = made();
    place.key("careful");
    place.ok("trust publisher add careful --key careful.pub --names careful/** --entries-only");
    publish(&place, "--key careful");
    place.ok("sign oci:lay:1 --key careful --name careful/x:1");
    refused(&place, 1, "no-signers", &ask("oci:lay:1", "careful/x:1"));
    place.ok("trust name set careful/x:1 oci:lay:1");
    publish(&place, "--key careful");
    place.verify_is(0, &ask("oci:lay:1", "careful/x:1"));
    let listed = place.json("trust publisher list", 0);
    let of = |role: &str| listed["results"].as_array().unwrap().iter().find(|one| one["role"] == role).unwrap()["envelopes"].clone();
    assert_eq!((of("acme"), of("careful")), (true.into(), false.into()));
}

#[test]
fn revoked_but_listed_is_rejected_and_stays_so_when_the_publisher_is_taken_away() {
    let place = made();
    place.ok("trust name set acme/tool:1 oci:lay:1");
    publish(&place, "--key acme");
    place.verify_is(0, &ask("oci:lay:1", "acme/tool:1"));
    place.ok("trust revoke oci:lay:1 --reason leaked --role acme");
    publish(&place, "--key acme");
    let verdict = place.verify_is(1, &ask("oci:lay:1", "acme/tool:1"));
    assert_eq!(verdict.json["results"][0]["error"]["code"], "revoked");
    assert!(verdict.stderr.contains("leaked"), "{}", verdict.stderr);
    place.ok("trust publisher remove acme");
    publish(&place, "");
    refused(&place, 1, "revoked", &ask("oci:lay:1", "acme/tool:1"));
    refused(&place, 1, "revoked", &ask("oci:lay:1", "other/tool:1"));
}

#[test]
fn a_seal_keeps_what_was_accepted_when_the_key_goes() {
    let place = made();
    place.pack("oci:lay:2", "two");
    refused_seal(&place, "acme/tool:1", "oci:lay:1", 3);
    for tag in ["1", "2"] {
        place.ok(&format!("sign oci:lay:{tag} --key acme --name acme/tool:{tag}"));
    }
    refused_seal(&place, "acme/tool:2", "oci:lay:1", 1);
    place.ok("trust seal acme/tool:1 oci:lay:1");
    place.key("next");
    place.ok("trust key add acme next.pub");
    place.ok("trust key remove acme acme.pub");
    publish(&place, "--key acme --key next");
    let verdict = place.verify_is(0, &ask("oci:lay:1", "acme/tool:1"));
    assert_eq!(verdict.json["results"][0]["accepted_by"], "seal");
    refused(&place, 1, "threshold", &ask("oci:lay:2", "acme/tool:2"));
    place.ok("sign oci:lay:2 --key next --name acme/tool:2");
    place.verify_is(0, &ask("oci:lay:2", "acme/tool:2"));
}

/// Many artifacts under two places are signed, the key is exchanged, and all verify without a new signature on any of them.
#[test]
fn a_rotation_seals_what_was_signed_and_the_old_key_signs_nothing_new() {
    let place = made();
    place.key("next");
    let mut list = String::new();
    for number in 0..12 {
        let layout = ["one", "two"][number % 2];
        place.pack(&format!("oci:{layout}:{number}"), &format!("artifact {number}"));
        place.ok(&format!("sign oci:{layout}:{number} --key acme --name acme/tool:{number}"));
        list += &format!("acme/tool:{number} oci:{layout}:{number}\n");
    }
    place.file("list.txt", format!("# our releases\n\n{list}"));
    let rotate = "trust publisher rotate acme --remove acme.pub --add next.pub";
    let refused_at_first = place.run(rotate).is(2);
    assert!(refused_at_first.stderr.contains("--seal-nothing"), "{}", refused_at_first.stderr);
    // One that is not accepted now, and one that another owns: nothing is staged.
    place.pack("oci:one:unsigned", "unsigned");
    place.run(&format!("{rotate} --seal-list list.txt --seal acme/tool:x=oci:one:unsigned")).is(3);
    place.run(&format!("{rotate} --seal acme/tool:1=oci:one:0")).is(1);
    place.run(&format!("{rotate} --seal nonsense")).is(2);
    let ran = place.run(&format!("{rotate} --seal-list list.txt")).is(0);
    assert!(ran.stderr.contains("12 artifacts are sealed"), "{}", ran.stderr);
    publish(&place, "--key next");
    for number in 0..12 {
        let layout = ["one", "two"][number % 2];
        let ran = place.run(&format!("verify {}", ask(&format!("oci:{layout}:{number}"), &format!("acme/tool:{number}"))));
        ran.is(0);
    }
    place.pack("oci:one:late", "late");
    place.ok("sign oci:one:late --key acme --name acme/tool:late");
    refused(&place, 1, "threshold", &ask("oci:one:late", "acme/tool:late"));
    place.ok("sign oci:one:late --key next --name acme/tool:late");
    place.verify_is(0, &ask("oci:one:late", "acme/tool:late"));
}

#[track_caller]
fn refused_seal(place: &Place, name: &str, reference: &str, code: i32) {
    let error = place.run(&format!("trust seal {name} {reference}")).is(code);
    assert!(error.stderr.contains("cannot be sealed"), "{}", error.stderr);
}

#[test]
fn any_version_is_one_that_is_signed_or_listed_for_the_artifact() {
    let place = made();
    place.key("mallory");
    let ask = |name: &str| format!("oci:lay:1 {BY_ROOT} --name {name} --any-version");
    refused(&place, 3, "unsigned", &ask("acme/tool"));
    place.ok("sign oci:lay:1 --key mallory --name acme/tool:9");
    refused(&place, 1, "threshold", &ask("acme/tool"));
    place.ok("sign oci:lay:1 --key acme --name acme/tool");
    refused(&place, 1, "threshold", &ask("acme/tool"));
    place.ok("sign oci:lay:1 --key acme --name acme/tool:1.0");
    let verdict = place.verify_is(0, &ask("acme/tool"));
    assert_eq!(verdict.json["results"][0]["statements"][0]["name"], "acme/tool:1.0");
    refused(&place, 1, "no-version", &ask("acme/other"));
    place.ok("trust name set acme/other:3 oci:lay:1");
    publish(&place, "--key acme");
    let verdict = place.verify_is(0, &ask("acme/other"));
    assert_eq!(verdict.json["results"][0]["accepted_by"], "entry");
}

#[test]
fn what_was_accepted_is_not_taken_back() {
    let place = made();
    place.ok("trust name set acme/tool:1 oci:lay:1");
    publish(&place, "--key acme");
    let words = "oci:lay:1 --root trust/metadata/1.root.json --trust ./served --name acme/tool:1";
    copy_folder(&place, "trust/metadata", "old");
    copy_folder(&place, "old", "served");
    place.verify_is(0, words);
    place.ok("trust revoke oci:lay:1 --reason leaked");
    publish(&place, "");
    copy_folder(&place, "trust/metadata", "served");
    refused(&place, 1, "revoked", words);
    copy_folder(&place, "old", "served");
    refused(&place, 5, "tuf-rollback", words);
    // Without a store it is not known, and with the store of another root neither.
    let verdict = place.verify_is(0, &format!("{words} --store none"));
    assert!(verdict.stderr.contains("no rollback history"), "{}", verdict.stderr);
    // A source that is gone leaves the store, which says what it knew last.
    std::fs::remove_dir_all(place.path("served")).unwrap();
    refused(&place, 1, "revoked", words);
    refused(&place, 4, "tuf-fetch", &format!("{words} --require-fresh"));
}

#[test]
fn expired_metadata_is_refused_as_of_then() {
    let place = made();
    place.ok("sign oci:lay:1 --key acme --name acme/tool:1");
    let words = format!("{} --at 2099-01-01T00:00:00Z", ask("oci:lay:1", "acme/tool:1"));
    refused(&place, 5, "tuf-expired", &words);
}

#[test]
fn wrong_questions_are_usage_errors() {
    let place = made();
    for words in [
        "oci:lay:1 --root trust/metadata/1.root.json",
        "oci:lay:1 --root trust/metadata/1.root.json --name acme/tool:1 --key acme.pub",
        "oci:lay:1 --root trust/metadata/1.root.json --name acme/tool:1 --threshold 1",
        "oci:lay:1 --key acme.pub --trust trust",
        "oci:lay:1 --key acme.pub --store none",
        "oci:lay:1 --key acme.pub --require-fresh",
        "oci:lay:1 --root missing.json --name acme/tool:1",
        "oci:lay:1 --root trust/metadata/1.root.json --name acme/tool:1 --trust :",
    ] {
        place.verify_is(2, words);
    }
    // A root that is none, and one without metadata beside the artifact.
    refused(&place, 5, "tuf-document", "oci:lay:1 --root acme.pub --name acme/tool:1 --trust trust --store none");
    refused(&place, 4, "trust-nowhere", "oci:lay:1 --root trust/metadata/1.root.json --name acme/tool:1 --store none");
}

/// Copies the files of a folder over those of another.
pub fn copy_folder(place: &Place, from: &str, to: &str) {
    let _ = std::fs::remove_dir_all(place.path(to));
    for file in std::fs::read_dir(place.path(from)).unwrap() {
        let file = file.unwrap();
        place.file(&format!("{to}/{}", file.file_name().to_str().unwrap()), std::fs::read(file.path()).unwrap());
    }
}

#[test]
fn a_tar_verifies_by_its_root_alone_and_older_metadata_beside_newer_changes_nothing() {
    let place = made();
    place.ok("sign oci:lay:1 --key acme --name acme/tool:1");
    place.ok("copy oci:lay:1 oci-archive:all.tar:1 --trust trust");
    std::fs::copy(place.path("trust/metadata/1.root.json"), place.path("root.json")).unwrap();
    let ask = "oci-archive:all.tar:1 --root root.json --name acme/tool:1 --store none";
    place.verify_is(0, ask);
    refused(&place, 1, "no-signers", "oci-archive:all.tar:1 --root root.json --name other/tool:1 --store none");
    // Revoked in newer metadata, which comes into the tar beside the older.
    place.ok("trust revoke oci:lay:1 --reason leaked");
    publish(&place, "");
    place.verify_is(0, ask);
    place.ok("copy oci:lay:1 oci-archive:all.tar:1 --trust trust");
    refused(&place, 1, "revoked", ask);
    // Once more with the older last, and with a stranger's repository.
    let stranger = crate::trust::made();
    std::fs::rename(stranger.path("trust"), place.path("stranger")).unwrap();
    place.ok("copy oci:lay:1 oci-archive:all.tar:1 --trust ./stranger");
    refused(&place, 1, "revoked", ask);
    place.run("copy oci:lay:1 127.0.0.1:1/x:1 --trust trust").is(2);
}

/// The root, a policy that trusts it, neither of which says where metadata is, and `oci:from:1` with the trust repository beside it.
fn carried() -> Place {
    let place = made();
    place.ok("sign oci:lay:1 --key acme --name acme/tool:1");
    place.ok("copy oci:lay:1 oci:from:1 --trust trust");
    std::fs::copy(place.path("trust/metadata/1.root.json"), place.path("root.json")).unwrap();
    let rules = r#"[{"names": "acme/**", "trust": "ours"}]"#;
    place.file("p.json", format!(r#"{{"version": 1, "trust": {{"ours": {{"root": "root.json", "store": "none"}}}}, "rules": {rules}}}"#));
    place
}

const CARRIED_BY: [&str; 2] = ["--root root.json --store none --name acme/tool:1", "--policy p.json --name acme/tool:1"];

#[test]
fn copy_verify_takes_along_the_trust_repository_by_which_it_verified() {
    let place = carried();
    for (index, by) in CARRIED_BY.iter().enumerate() {
        for to in [format!("oci:to-{index}"), format!("oci-archive:to-{index}.tar")] {
            let ran = place.run(&format!("copy oci:from:1 {to}:1 --verify {by}")).is(0).says("goes along: sha256:");
            assert_eq!(ran.stdout.lines().count(), 1, "the pin of the artifact alone: {ran:#?}");
            place.verify_is(0, &format!("{to}:1 {by}"));
            // Further on, and once more over what is there.
            place.ok(&format!("copy {to}:1 oci:further-{index}:1 --verify {by}"));
            place.ok(&format!("copy oci:from:1 {to}:1 --verify {by}"));
            // Signatures alone, to where the artifact is.
            place.ok(&format!("copy oci:lay:1 oci:bare-{index}:1"));
            place.ok(&format!("copy oci:from:1 oci:bare-{index}:1 --referrers-only --verify {by}"));
            place.verify_is(0, &format!("oci:bare-{index}:1 {by}"));
        }
        place.run(&format!("copy oci:from:1 oci:none-{index}:1 --dry-run --verify {by}")).is(0);
        assert!(!place.path(&format!("none-{index}")).exists());
    }
}

#[test]
fn copy_verify_from_a_registry_puts_the_trust_repository_beside_before_it_verifies_there() {
    let place = carried();
    let registry = place.registry(touchmark_test_registry::Settings::default());
    let from = format!("{}/some/where:1", registry.host());
    place.ok(&format!("copy oci:lay:1 {from}"));
    place.ok(&format!("copy {from} oci-archive:all.tar:1 --verify {} --trust trust", CARRIED_BY[0]));
    place.verify_is(0, &format!("oci-archive:all.tar:1 {}", CARRIED_BY[0]));
    place.verify_is(0, &format!("oci-archive:all.tar:1 {}", CARRIED_BY[1]));
    // At a registry nothing is beside: where the metadata is must be said, and it decides there as it did here.
    let to = format!("{}/else/where:1", registry.host());
    let refused = place.run(&format!("copy oci:from:1 {to} --verify {}", CARRIED_BY[0])).is(4);
    assert!(refused.stdout.is_empty() && refused.stderr.contains("--trust"), "{refused:#?}");
    place.ok(&format!("copy oci:from:1 {to} --verify {} --trust trust", CARRIED_BY[0]));
    place.run(&format!("copy oci:from:1 {to} --trust trust")).is(2);
}

#[test]
fn copy_verify_is_decided_at_the_destination_by_newer_metadata_that_is_there() {
    for by in CARRIED_BY {
        let place = carried();
        place.pack("oci:to:2", "two");
        place.ok("trust revoke oci:lay:1 --reason leaked");
        publish(&place, "");
        place.ok("copy oci:to:2 oci:to:2 --trust trust");
        let ran = place.run(&format!("copy oci:from:1 oci:to:1 --verify {by}")).is(1).says("revoked");
        assert_eq!(ran.stdout, "");
    }
}

#[test]
fn more_trust_repositories_than_are_looked_at_are_told_where_none_of_these_is_the_root_s() {
    let place = carried();
    let layout = Folder::open(&place, "from");
    let genuine = layout.index();
    let manifest = |number: usize| {
        let config = json!({"mediaType": "application/vnd.oci.empty.v1+json", "digest": sha256(b"{}"), "size": 2});
        let head = json!({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": config, "layers": []});
        let mut manifest = head;
        manifest["artifactType"] = json!("application/vnd.touchmark.trust.v1");
        manifest["annotations"] = json!({"number": number.to_string()});
        let mut entry = layout.blob("application/vnd.oci.image.manifest.v1+json", manifest.to_string().as_bytes());
        entry["artifactType"] = manifest["artifactType"].clone();
        entry
    };
    let strangers: Vec<Value> = (0..64).map(manifest).collect();
    for by in CARRIED_BY {
        let with = |count: usize| {
            let listed = strangers.iter().take(count).chain(genuine["manifests"].as_array().unwrap());
            layout.write_index(&json!({"schemaVersion": 2, "manifests": listed.collect::<Vec<_>>()}));
        };
        with(63);
        place.verify_is(0, &format!("oci:from:1 {by}"));
        with(64);
        refused(&place, 4, "trust-many", &format!("oci:from:1 {by}"));
        place.run(&format!("verify oci:from:1 {by}")).is(4).says("none of the first 64 trust repositories").says("--trust");
    }
    place.verify_is(0, &format!("oci:from:1 {} --trust trust", CARRIED_BY[0]));
}

#[test]
fn the_only_artifact_beside_its_trust_repository_needs_no_tag() {
    let place = made();
    place.ok("sign oci:lay:1 --key acme --name acme/tool:1");
    for to in ["oci-archive:one.tar", "oci:one"] {
        place.ok(&format!("copy oci:lay:1 {to}:1 --trust trust"));
        place.verify_is(0, &format!("{to} --root trust/metadata/1.root.json --name acme/tool:1 --store none"));
        place.verify_is(0, &format!("{to} --key acme.pub --name acme/tool:1"));
        // A second artifact, and a trust repository that somebody chose to tag, are to be chosen from.
        place.pack("oci:lay:2", "two");
        place.ok(&format!("copy oci:lay:2 {to}:2"));
        place.verify_is(2, &format!("{to} --key acme.pub"));
    }
    place.ok(&format!("trust publish --renew {ONLINE} --to oci:pushed:trust"));
    place.ok("copy oci:lay:1 oci:pushed:1");
    place.verify_is(2, "oci:pushed --key acme.pub");
}

#[test]
fn a_pushed_trust_repository_is_followed_and_an_older_one_is_not_pushed_over_it() {
    let place = made();
    place.ok("sign oci:lay:1 --key acme --name acme/tool:1");
    copy_folder(&place, "trust/metadata", "old/metadata");
    let pin = place.ok(&format!("trust publish --renew {ONLINE} --to oci:pushed:trust"));
    assert!(pin.contains("oci:pushed@sha256:"), "{pin}");
    let ask = "oci:lay:1 --root trust/metadata/1.root.json --trust oci:pushed:trust --name acme/tool:1 --store none";
    place.verify_is(0, ask);
    place.ok("trust revoke oci:lay:1 --reason leaked");
    place.ok(&format!("trust sign {TARGETS}"));
    place.ok(&format!("trust publish {ONLINE} --to oci:pushed:trust"));
    refused(&place, 1, "revoked", ask);
    let tags = place.ok("tree oci:pushed:trust-1.2");
    assert!(tags.contains("sha256:"), "each push keeps a tag of its own: {tags}");
    // Who has not got the last publication does not overwrite it.
    copy_folder(&place, "old/metadata", "trust/metadata");
    let lost = place.run(&format!("trust publish --renew {ONLINE} --to oci:pushed:trust")).is(4);
    assert!(lost.stderr.contains("somebody else published"), "{}", lost.stderr);
    refused(&place, 1, "revoked", ask);
    place.run(&format!("trust publish --renew {ONLINE} --to oci:pushed")).is(2);
}
