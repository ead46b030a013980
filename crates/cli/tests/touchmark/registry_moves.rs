//! Artifacts travel between registries, OCI layouts and tars, whole; and what cannot be whole is said.

use touchmark_test_registry::{Action, DockerRegistry, DockerSettings, Fault, Settings, TestRegistry};

use crate::graph::{count, graph, signed_index};
use crate::harness::{Place, Ran, digest};

fn with_api() -> TestRegistry {
    TestRegistry::start(Settings::default())
}

fn without_api() -> TestRegistry {
    TestRegistry::start(Settings::without_referrers_api())
}

/// From a registry without the referrers API through an OCI layout, a tar and another OCI layout to a registry with it, and on to one
/// without.
fn travels(first: &str, second: &str, third: &str) {
    let place = Place::new();
    let stops = [
        format!("{first}/acme/app"),
        "oci:lay".to_owned(),
        "oci-archive:way.tar".to_owned(),
        "oci:far".to_owned(),
        format!("{second}/mirror/of/app"),
        format!("{third}/app"),
    ];
    let pins = signed_index(&place, &stops[0]);
    let at_home = graph(&place, &format!("{}:all", stops[0]));
    // 3 manifests, each with a signature, an attestation, and an attestation of the signature.
    assert_eq!(count(&at_home, &|members| members.contains_key("artifact_type")), 12, "{at_home:#}");
    for way in stops.windows(2) {
        let pin = place.ok(&format!("copy {}:all {}:all", way[0], way[1]));
        assert_eq!(pin, format!("{}@{}", way[1], digest(&pins[0])));
    }
    for stop in &stops {
        for pin in &pins {
            let pin = format!("{stop}@{}", digest(pin));
            place.verify_is(0, &format!("{pin} --key alice.pub --name acme/app:1.0"));
            place.verify_is(0, &format!("{pin} --key bob.pub --type spdx --deep"));
            place.verify_is(1, &format!("{pin} --key bob.pub"));
        }
        place.verify_is(0, &format!("{stop}:all --key alice.pub --platform linux/arm64"));
        assert_eq!(graph(&place, &format!("{stop}:all")), at_home, "{stop}");
    }
}

#[test]
fn an_index_goes_from_registry_to_layout_to_tar_to_layout_to_registry_to_registry() {
    // They run as long as they are held.
    let (first, second, third) = (without_api(), with_api(), without_api());
    travels(&first.host(), &second.host(), &third.host());
}

#[test]
fn an_index_goes_from_docker_registry_through_all_and_back() {
    let Some(docker) = DockerRegistry::start(DockerSettings::default()) else { return };
    let other = with_api();
    travels(&docker.host(), &other.host(), &docker.host());
}

/// Everything that is tagged, with what cosign keeps under tags, to a registry without the referrers API and back.
#[test]
fn a_whole_repository_is_mirrored() {
    let place = Place::new();
    let (from, to) = (with_api(), without_api());
    let home = format!("{}/acme/app", from.host());
    let [pin, ..] = signed_index(&place, &home);
    let other = place.pack(&format!("{home}:other"), "another");
    place.ok(&format!("sign {other} --key bob"));
    // What cosign would attach: it looks for these tags alone.
    for (suffix, content) in [("sig", "signature"), ("att", "attestation"), ("sbom", "sbom")] {
        place.pack(&format!("{home}:{}.{suffix}", digest(&pin).replace(':', "-")), content);
    }
    let mirror = format!("{}/mirror/app", to.host());
    place.ok(&format!("copy {home} {mirror} --all-tags"));
    let back = format!("{}/back", from.host());
    place.ok(&format!("copy {mirror} {back} --all-tags"));
    let tags = |registry: &TestRegistry, repository: &str| {
        let mut tags = registry.tags(repository);
        tags.sort_unstable();
        tags
    };
    assert_eq!(tags(&from, "back"), tags(&from, "acme/app"));
    assert_eq!(tags(&from, "back").len(), 7);
    for place_of in [&home, &mirror, &back] {
        for tag in ["all", "amd", "arm"] {
            place.verify_is(0, &format!("{place_of}:{tag} --key alice.pub --name acme/app:1.0"));
        }
        place.verify_is(0, &format!("{place_of}:other --key bob.pub"));
        assert_eq!(graph(&place, &format!("{place_of}:all")), graph(&place, &format!("{home}:all")));
    }
    // An artifact that is copied alone takes what cosign ties to it along.
    place.ok(&format!("copy {mirror}:all {}/alone:all", from.host()));
    assert_eq!(tags(&from, "alone").len(), 4);
}

/// A tag that leads nowhere, or to what is no manifest, is told, and stops no other; with --verify everything has to be right.
#[test]
fn a_tag_that_leads_nowhere_stops_no_other() {
    let place = Place::new();
    let (from, to) = (with_api(), without_api());
    let home = format!("{}/acme/app", from.host());
    signed_index(&place, &home);
    from.put_tag("acme/app", "gone", &format!("sha256:{}", "0".repeat(64)));
    from.put_manifest("acme/app", Some("odd"), br#"{"schemaVersion":1}"#);
    let mirror = format!("{}/mirror/app", to.host());
    let verified = place.run(&format!("copy {home} {mirror} --all-tags --verify --key alice.pub")).is(6);
    assert!(verified.stdout.is_empty() && to.tags("mirror/app").is_empty(), "{verified:#?}");
    let copied = place.run(&format!("copy {home} {mirror} --all-tags")).is(6);
    for tag in ["gone", "odd"] {
        assert!(copied.stderr.contains(&format!("{home}:{tag}")), "{copied:#?}");
        assert!(to.tags("mirror/app").iter().all(|(known, _)| known != tag));
    }
    for tag in ["all", "amd", "arm"] {
        place.verify_is(0, &format!("{mirror}:{tag} --key alice.pub --name acme/app:1.0"));
    }
    place.run(&format!("copy {home} {mirror} --tags a* --tags gone")).is(4);
}

/// A mirror made by a tool that drops signatures is completed.
#[test]
fn a_mirror_without_signatures_is_mended() {
    for to in [with_api(), without_api()] {
        let place = Place::new();
        let from = without_api();
        let (home, mirror) = (format!("{}/acme/app", from.host()), format!("{}/mirror/app", to.host()));
        let place_of_pins = signed_index(&place, &home);
        let nothing = place.run(&format!("copy {home}:all {mirror} --referrers-only")).is(4);
        assert!(nothing.stderr.contains("is not there"), "{nothing:#?}");
        // Blobs and manifests without what refers to them, as another tool copies them.
        for blob in from.blobs("acme/app") {
            to.put_blob("mirror/app", &from.blob("acme/app", &blob).unwrap());
        }
        for (pin, tag) in place_of_pins.iter().rev().zip([None, None, Some("all")]) {
            to.put_manifest("mirror/app", tag, &from.manifest("acme/app", digest(pin)).unwrap().bytes);
        }
        place.verify_is(3, &format!("{mirror}:all --key alice.pub"));
        place.ok(&format!("copy {home}:all {mirror} --referrers-only"));
        for pin in &place_of_pins {
            place.verify_is(0, &format!("{mirror}@{} --key alice.pub --name acme/app:1.0", digest(pin)));
        }
        assert_eq!(graph(&place, &format!("{mirror}:all")), graph(&place, &format!("{home}:all")));
    }
}

#[test]
fn dangling_entries_are_told_one_by_one_and_the_rest_is_copied() {
    let place = Place::new();
    let (from, to) = (without_api(), with_api());
    let home = format!("{}/acme/app", from.host());
    place.key("alice");
    place.key("bob");
    let pin = place.pack(&format!("{home}:v1"), "content");
    let signatures: Vec<String> = (0..3)
        .map(|n| {
            place.ok(&format!("sign {pin} --key bob --name acme/app:{n}"));
            let listed = place.json(&format!("signature list {pin}"), 0);
            let all = listed["results"][0]["signatures"].as_array().unwrap();
            digest(all.last().unwrap()["pin"].as_str().unwrap()).to_owned()
        })
        .collect();
    place.ok(&format!("sign {pin} --key alice"));
    let gone: std::collections::BTreeSet<&String> = signatures.iter().take(2).collect();
    // As after a garbage collection that does not know the list.
    gone.iter().for_each(|digest| from.lose_manifest("acme/app", digest));
    for run in 0..2 {
        let ran = place.run(&format!("copy {home}:v1 {}/mirror:v1", to.host())).is(4);
        for digest in &gone {
            assert_eq!(ran.stderr.matches(&format!("missing at the destination: {digest}")).count(), 1, "{run}: {ran:#?}");
        }
    }
    place.verify_is(0, &format!("{}/mirror:v1 --key alice.pub", to.host()));
    let document = place.json(&format!("copy {home}:v1 {}/mirror:v1", to.host()), 4);
    let missing = document["results"][0]["missing"].as_array().unwrap();
    assert_eq!(missing.len(), gone.len(), "{document:#}");
    assert!(missing.iter().all(|entry| entry["error"]["code"] == "not-found"), "{document:#}");
}

#[test]
fn a_fallback_tag_that_is_no_index_is_told_and_hides_nothing() {
    let place = Place::new();
    let (from, to) = (without_api(), with_api());
    let home = format!("{}/acme/app", from.host());
    place.key("alice");
    let pin = place.pack(&format!("{home}:v1"), "content");
    place.ok(&format!("sign {pin} --key alice"));
    let other = place.pack(&format!("{home}:other"), "another");
    let tag = digest(&pin).replace(':', "-");
    from.put_tag("acme/app", &tag, digest(&other));
    place.verify_is(0, &format!("{home}:v1 --key alice.pub"));
    let ran = place.run(&format!("copy {home}:v1 {}/mirror:v1", to.host())).is(0);
    assert!(ran.stderr.contains(&tag), "{ran:#?}");
    place.verify_is(0, &format!("{}/mirror:v1 --key alice.pub", to.host()));
    assert_eq!(to.tags("mirror").len(), 1);
}

#[test]
fn a_destination_that_may_not_be_written_is_said_at_once() {
    let place = Place::new();
    let (from, to) = (with_api(), with_api());
    let pin = place.pack(&format!("{}/acme/app:v1", from.host()), "content");
    to.fault(Fault::new(Action::status(403)).method("POST").path("/blobs/uploads/"));
    let ran = place.run(&format!("copy {pin} {}/mirror:v1", to.host()));
    ran.is(4).says(&to.host()).says("403");
    assert!(to.repositories().is_empty());
}

/// `kill -9` before each request that changes the destination. The same command, run again, ends whole, and sends no blob that is
/// there.
fn copy_killed(make: impl Fn() -> TestRegistry) {
    let place = Place::new();
    let from = with_api();
    let home = format!("{}/acme/app", from.host());
    let pins = signed_index(&place, &home);
    let before = graph(&place, &format!("{home}:all"));
    let line = |to: &TestRegistry| format!("copy {home}:all {}/mirror:all --quiet", to.host());
    let whole = make();
    let ran = place.touchmark(&line(&whole)).env("TOUCHMARK_FAILPOINT_COUNT", "requests").output().unwrap();
    Ran::of("copy", ran).is(0);
    let requests = String::from_utf8(place.read("requests")).unwrap().lines().count();
    assert!(requests > 20, "{requests}");
    let blobs = whole.blobs("mirror").len();
    for number in 1..=requests {
        let to = make();
        let line = line(&to);
        let killed = place.touchmark(&line).env("TOUCHMARK_FAILPOINT", number.to_string()).output().unwrap();
        assert_eq!(killed.status.code(), None, "not killed before request {number}: {:?}", Ran::of(&line, killed));
        // Whoever sees the tag sees everything.
        if to.tags("mirror").iter().any(|(tag, _)| tag == "all") {
            place.run(&format!("verify {}/mirror:all --key alice.pub --name acme/app:1.0 --quiet", to.host())).is(0);
        }
        let there = to.blobs("mirror");
        to.clear_log();
        place.run(&line).is(0);
        // What the killed process sent last may come in late, and is of other blobs.
        let log = to.log();
        let sent = log.iter().filter(|logged| logged.method == "PUT").filter_map(|logged| logged.path.split_once("digest="));
        let again = sent.filter(|(_, digest)| there.contains(&digest.replace("%3A", ":")));
        assert_eq!(again.collect::<Vec<_>>(), [], "after a kill before request {number}");
        assert_eq!(to.blobs("mirror").len(), blobs);
        for pin in &pins {
            let mirrored = format!("{}/mirror@{}", to.host(), digest(pin));
            place.run(&format!("verify {mirrored} --key alice.pub --name acme/app:1.0 --deep --quiet")).is(0);
        }
        assert_eq!(graph(&place, &format!("{}/mirror:all", to.host())), before, "after a kill before request {number}");
    }
    println!("killed before each of {requests} requests");
}

#[test]
fn copy_killed_at_every_request_is_completed_with_the_referrers_api() {
    copy_killed(with_api);
}

#[test]
fn copy_killed_at_every_request_is_completed_without_it() {
    copy_killed(without_api);
}
