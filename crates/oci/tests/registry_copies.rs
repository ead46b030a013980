//! Moving artifacts from and to repositories in registries.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // outside of test functions clippy takes a panic for a mistake

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use touchmark_envelope::digest::Algorithm;
use touchmark_envelope::manifest::{Descriptor, IMAGE_INDEX, IMAGE_MANIFEST};
use touchmark_oci::copy::{CopyReport, Item, Options, Scope, copy, copy_to_archive, preview, tagged};
use touchmark_oci::graph::{Graph, Limits};
use touchmark_oci::referrer::{self, Role};
use touchmark_oci::source::FindingKind;
use touchmark_oci::{Access, Archive, Class, Error, Layout, Registry, Source, Store, Upkeep};
use touchmark_test_registry::{Action, Fault, Settings, TestRegistry, When};

#[path = "support/family.rs"]
mod family;
mod support;
use family::{family, noise, tree};
use support::{Folder, image, listed};

fn plain() -> TestRegistry {
    TestRegistry::start(Settings::default())
}

/// As docker-registry: no referrers API.
fn without_api() -> TestRegistry {
    TestRegistry::start(Settings { referrers_api: false, oci_subject: false, ..Settings::default() })
}

fn open(registry: &TestRegistry, repository: &str) -> Registry {
    let access = Access { retries: Some(1), ..Access::default() };
    Registry::new(format!("{}/{repository}", registry.host()).parse().unwrap(), &access).unwrap()
}

fn whole(report: CopyReport) -> CopyReport {
    assert!(report.is_whole() && report.findings.is_empty(), "{report:?}");
    report
}

fn v1(source: &dyn Source) -> [Item; 1] {
    [Item { descriptor: source.resolve(Some("v1"), None).unwrap(), tag: Some("v1".to_owned()) }]
}

/// How often a method was asked for on a path that contains this.
fn count(registry: &TestRegistry, method: &str, part: &str) -> usize {
    registry.log().iter().filter(|logged| logged.method == method && logged.path.contains(part)).count()
}

#[test]
fn a_graph_stays_the_same_between_registries_layouts_and_tars() {
    let folder = Folder::new();
    let (first, second, third) = (without_api(), plain(), without_api());
    let start = open(&first, "acme/app");
    let family = family(&start);
    let before = tree(&open(&first, "acme/app"), &family.index);
    assert_eq!(before.len(), 10, "{before:#?}");

    let layout = Layout::open_or_create(folder.path("layout")).unwrap();
    whole(copy(&start, &v1(&start), &layout, &Options::default()).unwrap());
    assert_eq!(tree(&layout, &family.index), before);
    let tar = folder.path("moved.tar");
    whole(copy_to_archive(&layout, &v1(&layout), &tar, &Options::default()).unwrap());
    let archive = Archive::open(&tar).unwrap();
    let again = Layout::open_or_create(folder.path("again")).unwrap();
    whole(copy(&archive, &v1(&archive), &again, &Options::default()).unwrap());
    assert_eq!(tree(&again, &family.index), before);
    let (there, back) = (open(&second, "mirror/app"), open(&third, "deep/er/app"));
    whole(copy(&again, &v1(&again), &there, &Options::default()).unwrap());
    assert_eq!(tree(&open(&second, "mirror/app"), &family.index), before);
    let report = whole(copy(&there, &v1(&there), &back, &Options::default()).unwrap());
    assert_eq!((report.manifests.len(), report.manifests_there), (10, 0));
    assert_eq!(tree(&open(&third, "deep/er/app"), &family.index), before);
    assert_eq!(open(&third, "deep/er/app").roots().unwrap().len(), 1);
    // Straight from a registry to a tar too.
    let tar = folder.path("straight.tar");
    whole(copy_to_archive(&back, &v1(&back), &tar, &Options::default()).unwrap());
    assert_eq!(tree(&Archive::open(&tar).unwrap(), &family.index), before);
    // Neither lists nor anchors are tags of artifacts, and no list is copied as one.
    for registry in [&first, &third] {
        let tags = if std::ptr::eq(registry, &first) { start.tag_names() } else { back.tag_names() }.unwrap();
        assert_eq!(tags.len(), 2, "{tags:?}");
    }
    assert_eq!(second.tags("mirror/app").len(), 2, "with the API no list is needed");
}

#[test]
fn running_again_sends_nothing_twice() {
    let (from, to) = (plain(), without_api());
    let source = open(&from, "acme/app");
    let family = family(&source);
    let report = whole(copy(&source, &v1(&source), &open(&to, "acme/app"), &Options::default()).unwrap());
    assert_eq!(report.blobs, to.blobs("acme/app").len());
    to.clear_log();
    let report = whole(copy(&source, &v1(&source), &open(&to, "acme/app"), &Options::default()).unwrap());
    assert_eq!((report.manifests.len(), report.manifests_there, report.blobs, report.bytes), (0, 10, 0, 0));
    assert_eq!((count(&to, "POST", ""), count(&to, "PATCH", "")), (0, 0));
    // What was missing is added, and nothing is taken away.
    let new = referrer::attach(&source, &family.index, b"{\"new\":1}", &Role::Signature).unwrap().descriptor.digest;
    let own = referrer::attach(&open(&to, "acme/app"), &family.index, b"{\"own\":1}", &Role::Signature).unwrap().descriptor.digest;
    let report = whole(copy(&source, &v1(&source), &open(&to, "acme/app"), &Options::default()).unwrap());
    assert_eq!(report.manifests.iter().map(|new| new.digest).collect::<Vec<_>>(), [new]);
    let found = listed(&open(&to, "acme/app"), &family.index.digest);
    assert!(found.len() == 3 && found.contains(&new) && found.contains(&own));
}

/// A registry keeps manifests apart from blobs: a layer that is there as a manifest is not there.
#[test]
fn a_layer_that_is_a_manifest_at_the_destination_is_copied() {
    for settings in [Settings { accept_missing_blobs: true, ..Settings::default() }, Settings::docker_registry()] {
        let folder = Folder::new();
        let registry = TestRegistry::start(settings);
        let (layout, there) = (Layout::open_or_create(folder.path("layout")).unwrap(), open(&registry, "acme/app"));
        let stored = image(&there, "inner", None);
        let inner = there.manifest(&stored.digest, 1 << 20).unwrap();
        let layer = layout.put_blob(None, &mut inner.as_slice()).unwrap();
        assert_eq!(layer.digest, stored.digest);
        let config = layout.put_blob(None, &mut b"{}".as_slice()).unwrap();
        let part = |blob: &Descriptor| format!(r#"{{"mediaType":"application/x","digest":"{}","size":{}}}"#, blob.digest, blob.size);
        let outer =
            format!(r#"{{"schemaVersion":2,"mediaType":"{IMAGE_MANIFEST}","config":{},"layers":[{}]}}"#, part(&config), part(&layer));
        layout.put_manifest(outer.as_bytes(), IMAGE_MANIFEST, Some("v1")).unwrap();
        whole(copy(&layout, &v1(&layout), &there, &Options::default()).unwrap());
        assert_eq!(there.blob(&layer.digest).unwrap().0, layer.size);
    }
}

#[test]
fn within_one_registry_blobs_are_mounted() {
    let registry = plain();
    let source = open(&registry, "acme/app");
    let family = family(&source);
    registry.clear_log();
    let to = open(&registry, "mirror/app");
    whole(copy(&source, &v1(&source), &to, &Options::default()).unwrap());
    assert_eq!(tree(&open(&registry, "mirror/app"), &family.index), tree(&source, &family.index));
    let mounts = count(&registry, "POST", "mount=");
    assert_eq!(mounts, registry.blobs("mirror/app").len());
    assert_eq!((count(&registry, "POST", ""), count(&registry, "PATCH", "")), (mounts, 0), "nothing was uploaded");
    // A registry that mounts nothing gets the content.
    registry.change(|settings| settings.mount = false);
    let to = open(&registry, "other/app");
    whole(copy(&source, &v1(&source), &to, &Options::default()).unwrap());
    assert_eq!(registry.blobs("other/app").len(), mounts);
    assert_eq!(registry.open_uploads(), 0);
    // To itself there is nothing to do but the tag.
    registry.clear_log();
    let [item] = v1(&source);
    let item = Item { tag: Some("v2".to_owned()), ..item };
    let report = whole(copy(&source, &[item], &open(&registry, "acme/app"), &Options::default()).unwrap());
    assert_eq!((report.manifests.len(), report.blobs), (0, 0));
    assert_eq!((count(&registry, "POST", ""), count(&registry, "PUT", "/manifests/v2")), (0, 1));
}

/// A dangling entry, a fallback tag that is no index, and a blob that is gone are told; all else is copied.
#[test]
fn what_dangles_is_told_and_the_rest_is_copied() {
    let (from, to) = (without_api(), plain());
    let source = open(&from, "acme/app");
    let family = family(&source);
    let gone = [family.referrers[1].digest, family.referrers[5].digest];
    // Garbage collection took them, and their anchors.
    for digest in gone {
        from.lose_manifest("acme/app", &digest.to_string());
    }
    let missing = family.children[1].digest;
    from.lose_manifest("acme/app", &missing.to_string());
    let report = copy(&open(&from, "acme/app"), &v1(&source), &open(&to, "acme/app"), &Options::default()).unwrap();
    assert!(!report.is_whole());
    assert_eq!(report.class(), Some(Class::NotFound));
    let mut lost: Vec<_> = report.missing.iter().map(|missing| missing.digest).collect();
    lost.sort_unstable();
    let mut wanted = vec![gone[0], gone[1], missing];
    // A registry takes no index of what it has not.
    wanted.push(family.index.digest);
    wanted.sort_unstable();
    assert_eq!(lost, wanted, "{report:#?}");
    let there = open(&to, "acme/app");
    assert_eq!(listed(&there, &family.children[0].digest), [family.referrers[3].digest]);
    assert_eq!(listed(&there, &family.children[1].digest), [family.referrers[2].digest]);
    assert_eq!(listed(&there, &family.referrers[3].digest), [family.referrers[4].digest]);
}

#[test]
fn a_fallback_tag_that_is_no_list_hides_nothing() {
    let (from, to) = (without_api(), plain());
    let source = open(&from, "acme/app");
    let subject = image(&source, "one", Some("v1"));
    let signature = referrer::attach(&source, &subject, b"{}", &Role::Signature).unwrap().descriptor.digest;
    let other = image(&source, "another", None);
    from.put_tag("acme/app", &format!("sha256-{}", subject.digest.hex()), &other.digest.to_string());
    let report = copy(&open(&from, "acme/app"), &v1(&source), &open(&to, "acme/app"), &Options::default()).unwrap();
    assert!(report.is_whole(), "the anchor is found: {report:?}");
    assert_eq!(report.findings.iter().map(|finding| finding.kind).collect::<Vec<_>>(), [FindingKind::Malformed]);
    assert_eq!(listed(&open(&to, "acme/app"), &subject.digest), [signature]);
}

#[test]
fn a_destination_that_lost_something_is_not_whole() {
    for lose in [0, 1, 2] {
        let (from, to) = (plain(), plain());
        let source = open(&from, "acme/app");
        let family = family(&source);
        let lost = [family.referrers[0].digest, family.children[0].digest, Algorithm::Sha256.digest(b"arm64")][lose];
        // From the moment that the tag is there, and everything was read back once.
        let path = if lose == 2 { format!("/blobs/{lost}") } else { format!("/manifests/{lost}") };
        let method = if lose == 2 { "HEAD" } else { "GET" };
        // The first question is whether it is there.
        to.fault(Fault::new(Action::status(404)).method(method).path(&path));
        let report = copy(&source, &v1(&source), &open(&to, "acme/app"), &Options::default());
        match report {
            Ok(report) => {
                assert!(!report.is_whole(), "{report:?}");
                assert_eq!(report.missing.iter().map(|missing| missing.digest).collect::<Vec<_>>(), [lost], "{report:?}");
            }
            // Attaching reads back by itself.
            Err(error) => assert!(lose == 0 && error.class() != Class::Usage, "{lose}: {error}"),
        }
    }
}

#[test]
fn a_destination_that_refuses_ends_it_at_once() {
    let folder = Folder::new();
    let layout = Layout::open_or_create(folder.path("layout")).unwrap();
    family(&layout);
    for (method, path) in [("POST", "/blobs/uploads/"), ("PUT", "/manifests/")] {
        let to = plain();
        to.fault(Fault::new(Action::status(403)).method(method).path(path));
        let error = copy(&layout, &v1(&layout), &open(&to, "acme/app"), &Options::default()).unwrap_err();
        assert_eq!(error.class(), Class::Denied, "{error}");
        assert!(error.to_string().contains(&to.host()) && error.to_string().contains("403"), "{error}");
        assert!(to.tags("acme/app").is_empty());
        assert!(count(&to, method, path) <= 4, "no more than are under way at the same time");
    }
}

/// Registries answer 400, 409 or 412 where a tag must not be moved.
#[test]
fn a_tag_that_cannot_be_moved_stops_no_other() {
    let folder = Folder::new();
    let layout = Layout::open_or_create(folder.path("layout")).unwrap();
    for status in [400, 409, 412] {
        let to = plain();
        to.fault(Fault::new(Action::status(status)).method("PUT").path("/manifests/v1"));
        let items = ["v1", "v2"].map(|tag| Item { descriptor: image(&layout, tag, Some(tag)), tag: Some(tag.to_owned()) });
        let report = copy(&layout, &items, &open(&to, "acme/app"), &Options::default()).unwrap();
        assert_eq!((report.missing.len(), report.items.len()), (1, 1), "{report:?}");
        assert_eq!(to.tags("acme/app").into_iter().map(|(tag, _)| tag).collect::<Vec<_>>(), ["v2"]);
    }
}

#[test]
fn only_referrers_to_where_the_artifact_is() {
    let (from, to) = (without_api(), plain());
    let source = open(&from, "acme/app");
    let family = family(&source);
    let only = Options { scope: Scope::Referrers, ..Options::default() };
    let there = open(&to, "acme/app");
    let refused = copy(&source, &v1(&source), &there, &only).unwrap_err();
    assert!(matches!(refused, Error::NoSuchBlob { digest, .. } if digest == family.index.digest), "{refused}");
    assert_eq!((count(&to, "PUT", ""), count(&to, "POST", "")), (0, 0));
    // A mirror without the signatures.
    whole(copy(&source, &v1(&source), &there, &Options::default()).unwrap());
    for referrer in &family.referrers {
        there.detach(&subject_of(&source, referrer), &referrer.digest).unwrap_or_else(|error| assert_eq!(error.class(), Class::NotFound));
    }
    whole(copy(&source, &v1(&source), &open(&to, "acme/app"), &only).unwrap());
    assert_eq!(tree(&open(&to, "acme/app"), &family.index), tree(&source, &family.index));
}

fn subject_of(source: &dyn Source, referrer: &Descriptor) -> touchmark_envelope::Digest {
    let bytes = source.manifest(&referrer.digest, 1 << 20).unwrap();
    touchmark_envelope::manifest::Manifest::parse(&bytes).unwrap().subject.unwrap().digest
}

#[test]
fn nothing_is_written_by_a_preview() {
    let (from, to) = (plain(), plain());
    let source = open(&from, "acme/app");
    family(&source);
    let there = open(&to, "acme/app");
    let report = whole(preview(&source, &v1(&source), Some(&there), &Options::default()).unwrap());
    assert_eq!((report.manifests.len(), report.blobs), (10, from.blobs("acme/app").len()));
    assert!(to.log().iter().all(|logged| matches!(logged.method.as_str(), "GET" | "HEAD")));
    assert!(to.repositories().is_empty());
}

#[test]
fn a_whole_repository_moves() {
    let (from, to) = (without_api(), plain());
    let source = open(&from, "acme/app");
    let family = family(&source);
    let nested = format!(r#"{{"schemaVersion":2,"mediaType":"{IMAGE_INDEX}","manifests":[{0}]}}"#, text(&family.index));
    let nested = source.put_manifest(nested.as_bytes(), IMAGE_INDEX, Some("nested")).unwrap();
    for tag in ["v2", "v3"] {
        let artifact = image(&source, tag, Some(tag));
        referrer::attach(&source, &artifact, b"{}", &Role::Signature).unwrap();
    }
    let items = tagged(&source, None).unwrap();
    assert_eq!(items.len(), 5, "v1, v2, v3, nested and cosign's: {items:?}");
    let there = open(&to, "acme/app");
    whole(copy(&source, &items, &there, &Options::default()).unwrap());
    let mut tags = there.tag_names().unwrap();
    tags.sort_unstable();
    let mut wanted: Vec<_> = items.iter().map(|item| item.tag.clone().unwrap()).collect();
    wanted.sort_unstable();
    assert_eq!(tags, wanted);
    assert_eq!(tree(&open(&to, "acme/app"), &nested), tree(&source, &nested));
    assert_eq!(tagged(&source, Some("v?")).unwrap().len(), 3);
}

fn text(descriptor: &Descriptor) -> String {
    String::from_utf8(descriptor.to_json().to_vec()).unwrap()
}

#[test]
fn where_tags_cannot_be_listed_cosign_s_are_asked_for() {
    let (from, to) = (plain(), plain());
    let source = open(&from, "acme/app");
    let family = family(&source);
    let before = tree(&source, &family.index);
    from.change(|settings| settings.tags_refused = Some(403));
    let source = open(&from, "acme/app");
    whole(copy(&source, &v1(&source), &open(&to, "acme/app"), &Options::default()).unwrap());
    assert_eq!(tree(&open(&to, "acme/app"), &family.index), before);
    assert_eq!(count(&from, "GET", ".sbom"), 10, "once for each manifest");
}

#[test]
fn blobs_of_every_size_arrive_and_progress_only_grows() {
    let folder = Folder::new();
    let layout = Layout::open_or_create(folder.path("layout")).unwrap();
    let mut layers = Vec::new();
    for n in 0..30_u8 {
        let size = if n < 3 { (9 << 20) + usize::from(n) } else { usize::from(n) * 1000 };
        layers.push(text(&layout.put_blob(None, &mut noise(n, size).as_slice()).unwrap()));
    }
    let config = layout.put_blob(None, &mut b"{}".as_slice()).unwrap();
    let manifest =
        format!(r#"{{"schemaVersion":2,"mediaType":"{IMAGE_MANIFEST}","config":{},"layers":[{}]}}"#, text(&config), layers.join(","));
    layout.put_manifest(manifest.as_bytes(), IMAGE_MANIFEST, Some("v1")).unwrap();
    let (first, second) = (plain(), plain());
    let (source, last) = (AtomicU64::new(0), Mutex::new((0, 0)));
    let progress = |done, all| {
        let mut last = last.lock().unwrap();
        assert!(done >= last.0 && done <= all, "{done} of {all} after {last:?}");
        *last = (done, all);
        source.fetch_add(1, Ordering::Relaxed);
    };
    let options = Options { progress: &progress, ..Options::default() };
    let one = open(&first, "acme/app");
    let report = whole(copy(&layout, &v1(&layout), &one, &options).unwrap());
    assert_eq!(*last.lock().unwrap(), (report.bytes, report.bytes));
    *last.lock().unwrap() = (0, 0);
    let report = whole(copy(&one, &v1(&one), &open(&second, "acme/app"), &options).unwrap());
    assert_eq!(*last.lock().unwrap(), (report.bytes, report.bytes));
    assert_eq!((report.blobs, report.bytes), (31, 3 * (9 << 20) + 3 + (3..30).sum::<u64>() * 1000 + 2));
    let graph = Graph::walk(&open(&second, "acme/app"), &[v1(&layout)[0].descriptor.clone()], &Limits::default()).unwrap();
    assert!(graph.complete() && graph.findings().is_empty());
    for digest in second.blobs("acme/app") {
        assert_eq!(second.blob("acme/app", &digest), first.blob("acme/app", &digest));
    }
}

/// Every request to the destination fails in turn and takes everything after it along, as when the process is killed. Another run
/// ends whole, and sends no blob that is there.
#[test]
fn a_copy_that_ends_at_any_request_is_completed_by_another() {
    for api in [true, false] {
        let from = plain();
        let source = open(&from, "acme/app");
        let child = image(&source, "amd64", None);
        let index = format!(r#"{{"schemaVersion":2,"mediaType":"{IMAGE_INDEX}","manifests":[{}]}}"#, text(&child));
        let index = source.put_manifest(index.as_bytes(), IMAGE_INDEX, Some("v1")).unwrap();
        let signature = referrer::attach(&source, &index, b"{\"of\":\"index\"}", &Role::Signature).unwrap();
        referrer::attach(&source, &signature.descriptor, &noise(1, 9_000), &Role::Signature).unwrap();
        let before = tree(&source, &index);
        let items = v1(&source);
        let to = || TestRegistry::start(Settings { referrers_api: api, oci_subject: api, ..Settings::default() });
        let access = Access { retries: Some(0), ..Access::default() };
        let open = |to: &TestRegistry| Registry::new(format!("{}/acme/app", to.host()).parse().unwrap(), &access).unwrap();
        let all = to();
        whole(copy(&source, &items, &open(&all), &Options::default()).unwrap());
        let requests = u64::try_from(all.log().len()).unwrap();
        assert!(requests > 25, "{requests}");
        let (failed, next) = (AtomicU64::new(0), AtomicU64::new(1));
        let run = || {
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                if n > requests {
                    break;
                }
                let to = to();
                to.fault(Fault::new(Action::Reset).when(When::From(n)));
                let ended = copy(&source, &items, &open(&to), &Options::default());
                failed.fetch_add(u64::from(!ended.is_ok_and(|report| report.is_whole())), Ordering::Relaxed);
                to.clear_faults();
                let there = to.blobs("acme/app").len();
                to.clear_log();
                let report = whole(copy(&source, &items, &open(&to), &Options::default()).unwrap());
                assert_eq!(report.blobs_there, there, "request {n} of {requests}");
                assert_eq!(count(&to, "POST", "/uploads/"), report.blobs);
                assert_eq!(tree(&open(&to), &index), before, "request {n} of {requests}");
            }
        };
        // Most of the time is spent waiting before what failed is tried again.
        std::thread::scope(|scope| (0..8).for_each(|_| drop(scope.spawn(run))));
        // Not every run has as many requests.
        assert!(failed.into_inner() > requests * 3 / 4);
    }
}
