//! The departures from the specification that were seen in real registries.

use std::time::Duration;

use serde_json::json;
use touchmark_test_registry::{Action, Fault, Filter, Immutable, Order, Parameter, Settings, TestRegistry, sha256};

use crate::client::{Client, INDEX, MANIFEST, manifest, subject};

fn started(settings: Settings) -> (TestRegistry, Client) {
    let registry = TestRegistry::start(settings);
    registry.put_blob("acme/app", b"{}");
    let client = Client::new(&registry.host());
    (registry, client)
}

fn path(reference: &str) -> String {
    format!("/v2/acme/app/manifests/{reference}")
}

#[test]
fn without_the_referrers_api_its_paths_are_unknown_but_nothing_is_forgotten() {
    let (registry, mut client) = started(Settings::without_referrers_api());
    let referrer = manifest(&json!({ "subject": subject(b"image") }));
    assert_eq!(client.put(&path("x"), MANIFEST, &referrer).is(201).header("oci-subject"), None);
    let list = format!("/v2/acme/app/referrers/{}", sha256(b"image"));
    let answer = client.get(&list).is(404);
    assert_eq!((answer.header("content-type"), answer.text().as_str()), (Some("text/plain; charset=utf-8"), "404 page not found\n"));
    // A registry that is upgraded.
    registry.change(|settings| settings.referrers_api = true);
    assert_eq!(client.get(&list).is(200).json()["manifests"][0]["digest"], sha256(&referrer));
}

#[test]
fn filters_are_applied_in_silence_ignored_or_feigned() {
    let (registry, mut client) = started(Settings::default());
    for artifact_type in ["a/b", "c/d"] {
        registry.put_manifest("acme/app", None, &manifest(&json!({ "subject": subject(b"image"), "artifactType": artifact_type })));
    }
    for (filter, count, said) in
        [(Filter::Applied, 1, true), (Filter::Unannounced, 1, false), (Filter::Ignored, 2, false), (Filter::Feigned, 2, true)]
    {
        registry.change(|settings| settings.filter = filter);
        let answer = client.get(&format!("/v2/acme/app/referrers/{}?artifactType=a/b", sha256(b"image"))).is(200);
        assert_eq!(answer.json()["manifests"].as_array().unwrap().len(), count, "{filter:?}");
        assert_eq!(answer.header("oci-filters-applied").is_some(), said, "{filter:?}");
    }
}

#[test]
fn naive_entries_say_nothing_of_what_they_list() {
    let (_registry, mut client) = started(Settings::naive());
    let referrer = manifest(&json!({ "subject": subject(b"image"), "artifactType": "a/b", "annotations": { "k": "v" } }));
    assert_eq!(client.put(&path("x"), MANIFEST, &referrer).is(201).header("oci-subject"), None);
    let list = client.get(&format!("/v2/acme/app/referrers/{}", sha256(b"image"))).is(200).json();
    assert_eq!(list["manifests"], json!([{ "mediaType": MANIFEST, "digest": sha256(&referrer), "size": referrer.len() }]));
    client.put(&path(&sha256(b"another")), MANIFEST, &referrer).is(201);
    assert_eq!(client.get(&path(&sha256(b"another"))).is(200).body, referrer, "a wrong digest");
}

#[test]
fn parameters_of_tags_are_ignored_and_tags_unsorted() {
    let (registry, mut client) = started(Settings::default());
    let digest = registry.put_manifest("acme/app", None, &manifest(&json!({})));
    let sorted = ["a", "b", "c", "d", "e"];
    for tag in sorted {
        registry.put_tag("acme/app", tag, &digest);
    }
    let mut tags = |query: &str| client.get(&format!("/v2/acme/app/tags/list{query}")).is(200).json()["tags"].clone();
    registry.change(|settings| settings.tags_last = Parameter::Ignored);
    assert_eq!(tags("?n=2&last=c"), json!(["a", "b"]));
    registry.change(|settings| settings.tags_n = Parameter::Ignored);
    assert_eq!(tags("?n=2&last=c"), json!(sorted));
    registry.change(|settings| {
        (settings.tags_last, settings.tags_n) = (Parameter::Honoured, Parameter::Honoured);
        settings.tags_order = Order::None;
    });
    let unsorted = tags("");
    assert_ne!(unsorted, json!(sorted));
    assert_eq!(unsorted.as_array().unwrap().len(), 5);
    // Its pages hold together nonetheless.
    let third = unsorted[2].as_str().unwrap();
    assert_eq!(tags(&format!("?last={third}")), json!(unsorted.as_array().unwrap()[3..]));
    registry.change(|settings| (settings.tags_order, settings.tags_page) = (Order::Bytes, Some(3)));
    assert_eq!(tags("?n=1000"), json!(["a", "b", "c"]));
}

#[test]
fn tags_are_refused() {
    let (registry, mut client) = started(Settings::default());
    for status in [401, 403, 404, 405] {
        registry.change(|settings| settings.tags_refused = Some(status));
        client.get("/v2/acme/app/tags/list").is(status);
    }
}

#[test]
fn immutable_tags_are_set_once() {
    let fallback = format!("sha256-{}", "a".repeat(64));
    let (one, other) = (manifest(&json!({})), manifest(&json!({ "annotations": { "other": "1" } })));
    for (immutable, fallback_moves, tag_moves) in [
        (Immutable::None, true, true),
        (Immutable::All, false, false),
        (Immutable::Fallback, false, true),
        (Immutable::Prefix("1.".to_owned()), true, false),
    ] {
        let (_registry, mut client) = started(Settings { immutable_tags: immutable.clone(), ..Settings::default() });
        for (tag, moves) in [(fallback.as_str(), fallback_moves), ("1.0", tag_moves)] {
            client.put(&path(tag), MANIFEST, &one).is(201);
            client.put(&path(tag), MANIFEST, &one).is(201);
            let moved = client.put(&path(tag), MANIFEST, &other);
            assert_eq!(moved.status, if moves { 201 } else { 409 }, "{immutable:?} {tag}");
        }
        // An anchor is no fallback tag.
        let anchor = format!("{fallback}.0123456789ab");
        client.put(&path(&anchor), MANIFEST, &one).is(201);
        client.put(&path(&anchor), MANIFEST, &other).is(if immutable == Immutable::All { 409 } else { 201 });
    }
}

#[test]
fn a_tag_that_is_being_set_is_torn() {
    let window = Duration::from_secs(1);
    let (registry, mut client) = started(Settings { torn_tags: Some(window), ..Settings::default() });
    let bytes = manifest(&json!({}));
    let mut writer = Client::new(&registry.host());
    writer.write("PUT", &path("1.0"), &[("Content-Type", MANIFEST)], &bytes).unwrap();
    // Before it there is no such tag; then its reads fail; then it is there.
    let mut statuses: Vec<u16> = Vec::new();
    while statuses.last() != Some(&200) {
        statuses.push(client.get(&path("1.0")).status);
    }
    statuses.dedup();
    writer.read(false).unwrap().is(201);
    assert!(statuses.ends_with(&[500, 200]), "{statuses:?}");
    client.get(&path(&sha256(&bytes))).is(200);
}

#[test]
fn a_race_loses_referrers() {
    let race = Some(Duration::from_millis(300));
    let (registry, _client) = started(Settings { referrers_race: race, ..Settings::default() });
    let referrers: Vec<Vec<u8>> =
        (0..4).map(|number| manifest(&json!({ "subject": subject(b"image"), "annotations": { "n": number.to_string() } }))).collect();
    // Each has read the list when the first is told that it is written.
    let mut writers: Vec<Client> = referrers.iter().map(|_| Client::new(&registry.host())).collect();
    for (writer, bytes) in writers.iter_mut().zip(&referrers) {
        writer.write("PUT", &path(&sha256(bytes)), &[("Content-Type", MANIFEST)], bytes).unwrap();
    }
    for mut writer in writers {
        assert_eq!(writer.read(false).unwrap().is(201).header("oci-subject"), Some(sha256(b"image").as_str()));
    }
    let listed = registry.referrers("acme/app", &sha256(b"image")).len();
    assert!((1..4).contains(&listed), "{listed} of 4");
    // Pushing what was lost once more lists it.
    registry.change(|settings| settings.referrers_race = None);
    let mut client = Client::new(&registry.host());
    for bytes in &referrers {
        client.put(&path(&sha256(bytes)), MANIFEST, bytes).is(201);
    }
    assert_eq!(registry.referrers("acme/app", &sha256(b"image")).len(), 4);
}

#[test]
fn types_must_be_accepted() {
    let (registry, mut client) = started(Settings { needs_accept: true, ..Settings::default() });
    registry.put_manifest("acme/app", Some("1.0"), &manifest(&json!({})));
    client.get(&path("1.0")).is(404);
    client.send("GET", &path("1.0"), &[("Accept", INDEX)], b"").is(404);
    client.send("GET", &path("1.0"), &[("Accept", &format!("{INDEX}, {MANIFEST}"))], b"").is(200);
    client.send("GET", &path("1.0"), &[("Accept", INDEX), ("Accept", MANIFEST)], b"").is(200);
}

#[test]
fn another_artifact_is_under_the_tag_the_second_time() {
    let (registry, mut client) = started(Settings::default());
    let (one, other) = (manifest(&json!({})), manifest(&json!({ "annotations": { "other": "1" } })));
    registry.put_manifest("acme/app", Some("1.0"), &one);
    let digest = registry.put_manifest("acme/app", None, &other);
    registry.fault(Fault::new(Action::Manifest(digest.clone())).path("/manifests/1.0").nth(2));
    assert_eq!(client.get(&path("1.0")).is(200).body, one);
    let second = client.get(&path("1.0")).is(200);
    assert_eq!((second.body.as_slice(), second.header("docker-content-digest")), (other.as_slice(), Some(digest.as_str())));
    assert_eq!(client.get(&path("1.0")).is(200).body, one);
}
