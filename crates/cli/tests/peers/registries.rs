//! The signed index moves through registries and OCI layouts, by Touchmark and by other tools, and is whole wherever it comes.

use serde_json::Value;
use touchmark_test_registry::{DockerRegistry, DockerSettings, Settings, TestRegistry, Untagged};

use crate::graph::{graph, signed_index};
use crate::harness::{Place, digest};
use crate::tool::{self, listed};

const SIGNATURE: &str = "application/vnd.touchmark.signature.v1+json";
const ATTESTATION: &str = "application/vnd.in-toto+json";

/// Asserts that the three are signed, attested and not signed by somebody else at `stop`, and that the index's graph is `expected`.
#[track_caller]
fn whole_at(place: &Place, stop: &str, pins: &[String; 3], expected: &Value) {
    for pin in pins {
        let pin = format!("{stop}@{}", digest(pin));
        place.verify_is(0, &format!("{pin} --key alice.pub --name acme/app:1.0"));
        place.verify_is(0, &format!("{pin} --key bob.pub --type spdx"));
        place.verify_is(1, &format!("{pin} --key bob.pub"));
    }
    assert_eq!(&graph(place, &format!("{stop}@{}", digest(&pins[0]))), expected, "{stop}");
}

/// What the graph says is attached to the index and its two children: signatures and attestations.
fn attached(place: &Place, stop: &str, pin: &str) -> [Vec<String>; 2] {
    let list = place.json(&format!("signature list {stop}@{}", digest(pin)), 0);
    let signatures = list["results"][0]["signatures"].as_array().unwrap();
    let of = |predicate: &dyn Fn(&str) -> bool| {
        let mut digests: Vec<String> = signatures
            .iter()
            .filter(|entry| predicate(entry["artifact_type"].as_str().unwrap_or_default()))
            .map(|entry| digest(entry["pin"].as_str().unwrap()).to_owned())
            .collect();
        digests.sort();
        digests
    };
    [of(&|found| found == SIGNATURE), of(&|found| found == ATTESTATION)]
}

/// What oras discovers. `reference` is its own words for the place, with the switches that it needs.
fn by_oras(place: &Place, reference: &str) -> [Vec<String>; 2] {
    let found = tool::json(place, "oras", &format!("discover {reference} --format json --depth 1"));
    [SIGNATURE, ATTESTATION].map(|artifact_type| listed(&found["referrers"], artifact_type))
}

/// What regctl lists.
fn by_regctl(place: &Place, switches: &str, reference: &str) -> [Vec<String>; 2] {
    let found = tool::json(place, "regctl", &format!("{switches} artifact list {reference} --format {{{{.Descriptors|json}}}}"));
    [SIGNATURE, ATTESTATION].map(|artifact_type| listed(&found, artifact_type))
}

/// The switch that lets regctl speak plain HTTP to these hosts.
fn plain(hosts: &[&str]) -> String {
    hosts.iter().map(|host| format!("--host reg={host},tls=disabled ")).collect()
}

#[test]
fn a_signed_index_moves_from_registry_to_registry_by_way_of_a_tar_and_is_whole_at_each_stop() {
    tool::need!("oras", "regctl", "crane");
    let Some(docker) = DockerRegistry::start(DockerSettings::default()) else { return };
    let modern = TestRegistry::start(Settings::default());
    let (old, new) = (docker.host(), modern.host());
    let place = Place::new();
    let pins = signed_index(&place, &format!("{old}/acme/app"));
    let expected = graph(&place, &format!("{old}/acme/app:all"));
    let stops = [
        format!("{old}/acme/app"),
        "oci:lay".to_owned(),
        "oci-archive:way.tar".to_owned(),
        "oci:far".to_owned(),
        format!("{new}/acme/app"),
        format!("{old}/mirror/app"),
    ];
    for two in stops.windows(2) {
        for tag in ["all", "amd", "arm"] {
            place.ok(&format!("copy {}:{tag} {}:{tag}", two[0], two[1]));
        }
    }

    for stop in &stops {
        whole_at(&place, stop, &pins, &expected);
    }
    // A signature, and two attestations of which one is about the signature.
    for pin in &pins {
        let of_digest = digest(pin);
        let known = attached(&place, &stops[0], pin);
        assert_eq!(known.each_ref().map(Vec::len), [1, 1], "{pin}");
        for stop in &stops {
            let oras = match stop.split_once(':') {
                Some(("oci", folder)) => format!("--oci-layout {folder}@{of_digest}"),
                Some(("oci-archive", file)) => format!("--oci-layout {file}@{of_digest}"),
                _ => format!("--plain-http {stop}@{of_digest}"),
            };
            assert_eq!(by_oras(&place, &oras), known, "oras at {stop}");
            let regctl = match stop.split_once(':') {
                Some(("oci", folder)) => Some(format!("ocidir://{folder}@{of_digest}")),
                // It reads no tars.
                Some(("oci-archive", _)) => None,
                _ => Some(format!("{stop}@{of_digest}")),
            };
            if let Some(reference) = regctl {
                assert_eq!(by_regctl(&place, &plain(&[&old, &new]), &reference), known, "regctl at {stop}");
            }
        }
    }
    // crane reads no OCI layouts and knows no referrers: in registries it finds the index, and where the list has a tag, the list.
    let fallback = digest(&pins[0]).replace(':', "-");
    for stop in [&stops[0], &stops[4], &stops[5]] {
        assert_eq!(tool::ok(&place, "crane", &format!("digest {stop}:all")).trim(), digest(&pins[0]), "{stop}");
        let tags = tool::ok(&place, "crane", &format!("ls {stop}"));
        assert_eq!(tags.lines().any(|tag| tag == fallback), *stop != stops[4], "{stop}: {tags}");
    }
    let list = tool::json(&place, "crane", &format!("manifest {}:{fallback}", stops[5]));
    let known = attached(&place, &stops[5], &pins[0]);
    assert_eq!([SIGNATURE, ATTESTATION].map(|artifact_type| listed(&list["manifests"], artifact_type)), known);
}

#[test]
fn garbage_collection_of_an_old_registry_deletes_no_signature() {
    let Some(docker) = DockerRegistry::start(DockerSettings::default()) else { return };
    let place = Place::new();
    let (here, mirror) = (format!("{}/acme/app", docker.host()), format!("{}/mirror/app", docker.host()));
    let pins = signed_index(&place, &here);
    let expected = graph(&place, &format!("{here}:all"));
    for tag in ["all", "amd", "arm"] {
        place.ok(&format!("copy {here}:{tag} {mirror}:{tag}"));
    }
    docker.collect_garbage(Untagged::Deleted);
    for repository in [&here, &mirror] {
        whole_at(&place, repository, &pins, &expected);
    }

    // It is the anchors that keep them.
    let bare = place.pack(&format!("{}/bare/app:1.0", docker.host()), "without anchors");
    place.ok(&format!("sign {bare} --key alice --no-anchors"));
    place.verify_is(0, &format!("{bare} --key alice.pub"));
    docker.collect_garbage(Untagged::Deleted);
    assert_ne!(place.verify(&format!("{bare} --key alice.pub")).code, 0);
}

#[test]
fn what_oras_copies_between_registries_still_verifies() {
    tool::need!("oras");
    let Some(docker) = DockerRegistry::start(DockerSettings::default()) else { return };
    let modern = TestRegistry::start(Settings::default());
    let (old, new) = (docker.host(), modern.host());
    let place = Place::new();
    let pins = signed_index(&place, &format!("{old}/acme/app"));
    let expected = graph(&place, &format!("{old}/acme/app:all"));
    let copy = |from: &str, to: &str| {
        tool::ok(&place, "oras", &format!("cp --recursive --from-plain-http --to-plain-http {from} {to}"));
    };
    copy(&format!("{old}/acme/app:all"), &format!("{new}/acme/app:all"));
    whole_at(&place, &format!("{new}/acme/app"), &pins, &expected);
    copy(&format!("{new}/acme/app:all"), &format!("{old}/mirror/app:all"));
    whole_at(&place, &format!("{old}/mirror/app"), &pins, &expected);
}

#[test]
fn what_regctl_copies_between_registries_still_verifies() {
    tool::need!("regctl");
    let Some(docker) = DockerRegistry::start(DockerSettings::default()) else { return };
    let modern = TestRegistry::start(Settings::default());
    let (old, new) = (docker.host(), modern.host());
    let place = Place::new();
    let pins = signed_index(&place, &format!("{old}/acme/app"));
    let expected = graph(&place, &format!("{old}/acme/app:all"));
    let copy = |from: &str, to: &str| {
        tool::ok(&place, "regctl", &format!("{} image copy --referrers {from} {to}", plain(&[&old, &new])));
    };
    copy(&format!("{old}/acme/app:all"), &format!("{new}/acme/app:all"));
    whole_at(&place, &format!("{new}/acme/app"), &pins, &expected);
    copy(&format!("{new}/acme/app:all"), &format!("{old}/mirror/app:all"));
    whole_at(&place, &format!("{old}/mirror/app"), &pins, &expected);
}

#[test]
fn a_mirror_that_dropped_its_signatures_is_mended() {
    tool::need!("crane");
    let Some(docker) = DockerRegistry::start(DockerSettings::default()) else { return };
    let modern = TestRegistry::start(Settings::default());
    let place = Place::new();
    let here = format!("{}/acme/app", docker.host());
    let pins = signed_index(&place, &here);
    let expected = graph(&place, &format!("{here}:all"));
    for mirror in [format!("{}/mirror/app", docker.host()), format!("{}/mirror/app", modern.host())] {
        // crane copies the index and its children, and nothing that refers to them.
        tool::ok(&place, "crane", &format!("copy {here}:all {mirror}:all"));
        for pin in &pins {
            place.verify_is(3, &format!("{mirror}@{} --key alice.pub", digest(pin)));
        }
        place.ok(&format!("copy --referrers-only {here}:all {mirror}:all"));
        whole_at(&place, &mirror, &pins, &expected);
    }
}
