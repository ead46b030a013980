//! Changing the lists of an OCI layout: tags that move, referrers that go for good, lists that are mended, and their bounds.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // outside of test functions clippy takes a panic for a mistake

use touchmark_envelope::Digest;
use touchmark_envelope::digest::Algorithm;
use touchmark_envelope::manifest::{Descriptor, IMAGE_INDEX, IMAGE_MANIFEST};
use touchmark_oci::referrer::{self, Role};
use touchmark_oci::source::FindingKind;
use touchmark_oci::{Error, Layout, Source, Store, Upkeep};

mod support;
use support::{Folder, Foreign, entry, image, image_manifest, listed, lists, referrer_manifest};

fn layout(folder: &Folder) -> (Layout, Descriptor) {
    let layout = Layout::open_or_create(folder.path("layout")).unwrap();
    let subject = image(&layout, "one", Some("v1"));
    (layout, subject)
}

fn sign(layout: &Layout, subject: &Descriptor, envelope: &[u8]) -> Descriptor {
    referrer::attach(layout, subject, envelope, &Role::Signature).unwrap().descriptor
}

fn blobs(layout: &Layout) -> usize {
    std::fs::read_dir(layout.root().join("blobs/sha256")).unwrap().count()
}

#[test]
fn a_tag_moves_and_what_had_it_stays_listed() {
    let folder = Folder::new();
    let (layout, one) = layout(&folder);
    let two = image(&layout, "two", Some("v1"));
    assert_eq!(layout.resolve(Some("v1"), None).unwrap().digest, two.digest);
    assert_eq!(layout.tags().unwrap().len(), 1);
    let roots: Vec<Digest> = layout.roots().unwrap().iter().map(|root| root.digest).collect();
    assert_eq!(roots, [two.digest, one.digest]);
    match layout.resolve(None, None) {
        Err(Error::Ambiguous { choices, .. }) => assert_eq!(choices, ["v1".to_owned(), one.digest.to_string()]),
        other => panic!("{other:?}"),
    }
    // A second tag, and the first again: nothing is listed twice.
    let (manifest, _) = image_manifest("two");
    layout.put_manifest(manifest.as_bytes(), IMAGE_MANIFEST, Some("v2")).unwrap();
    layout.put_manifest(manifest.as_bytes(), IMAGE_MANIFEST, Some("v1")).unwrap();
    layout.put_manifest(manifest.as_bytes(), IMAGE_MANIFEST, None).unwrap();
    let (manifest, _) = image_manifest("one");
    layout.put_manifest(manifest.as_bytes(), IMAGE_MANIFEST, Some("old")).unwrap();
    let tags: Vec<(String, Digest)> = layout.tags().unwrap().into_iter().map(|(tag, entry)| (tag, entry.digest)).collect();
    assert_eq!(tags, [("old".to_owned(), one.digest), ("v1".to_owned(), two.digest), ("v2".to_owned(), two.digest)]);
    assert_eq!(layout.roots().unwrap().len(), 2);
    assert!(lists(layout.root(), &one.digest).0.is_empty(), "no entry is left without a tag");
}

#[test]
fn parts_of_an_index_and_referrers_are_no_artifacts_of_their_own() {
    let folder = Folder::new();
    let (layout, one) = layout(&folder);
    let (manifest, _) = image_manifest("one");
    layout.put_manifest(manifest.as_bytes(), IMAGE_MANIFEST, None).unwrap();
    let child = image(&layout, "child", None);
    assert_eq!(layout.roots().unwrap().len(), 2);
    let index = format!(r#"{{"schemaVersion":2,"mediaType":"{IMAGE_INDEX}","manifests":[{},{}]}}"#, entry(&child, ""), entry(&one, ""));
    let index = layout.put_manifest(index.as_bytes(), IMAGE_INDEX, Some("all")).unwrap();
    sign(&layout, &child, b"{}");
    let roots: Vec<Digest> = layout.roots().unwrap().iter().map(|root| root.digest).collect();
    assert_eq!(roots, [index.digest]);
    assert_eq!(layout.resolve(Some("v1"), None).unwrap().digest, one.digest, "a tag names it all the same");
    let wrong = layout.put_manifest(b"{}", IMAGE_MANIFEST, None).unwrap_err();
    assert_eq!(wrong.code(), "malformed");
    let (manifest, _) = image_manifest("one");
    assert_eq!(layout.put_manifest(manifest.as_bytes(), IMAGE_INDEX, None).unwrap_err().code(), "malformed");
    let list = format!("sha256-{}", one.digest.hex());
    assert_eq!(layout.put_manifest(manifest.as_bytes(), IMAGE_MANIFEST, Some(&list)).unwrap_err().code(), "bad-tag");
}

#[test]
fn a_removed_referrer_is_gone_with_its_blobs_and_stays_gone() {
    let folder = Folder::new();
    let (layout, subject) = layout(&folder);
    let before = blobs(&layout);
    let first = sign(&layout, &subject, b"{\"first\":1}");
    let kept = blobs(&layout);
    let second = sign(&layout, &subject, b"{\"second\":1}");
    let nested = sign(&layout, &second, b"{\"nested\":1}");
    layout.detach(&second.digest, &nested.digest).unwrap();
    layout.detach(&subject.digest, &second.digest).unwrap();
    assert_eq!(listed(&layout, &subject.digest), [first.digest]);
    assert_eq!(lists(layout.root(), &subject.digest).1, [first.digest.to_string()]);
    assert_eq!(blobs(&layout), kept, "manifests, envelopes and lists of the removed ones are gone");
    assert!(layout.repair(false, None).unwrap().is_clean());
    assert_eq!(layout.detach(&subject.digest, &second.digest).unwrap_err().code(), "not-found");
    layout.detach(&subject.digest, &first.digest).unwrap();
    assert_eq!(lists(layout.root(), &subject.digest), (vec![], vec![]));
    // The empty config stays: every other manifest may count on it.
    assert_eq!(blobs(&layout), before);
    // Attached again, it is there again.
    assert_eq!(sign(&layout, &subject, b"{\"second\":1}"), second);
    assert_eq!(listed(&layout, &subject.digest), [second.digest]);
}

#[test]
fn what_others_need_is_not_removed() {
    let folder = Folder::new();
    let (layout, one) = layout(&folder);
    let two = image(&layout, "two", Some("v2"));
    let (first, second) = (sign(&layout, &one, b"{\"shared\":1}"), sign(&layout, &two, b"{\"shared\":1}"));
    let envelope = Algorithm::Sha256.digest(b"{\"shared\":1}");
    assert_eq!(layout.detach(&two.digest, &first.digest).unwrap_err().code(), "other-subject");
    assert_eq!(layout.detach(&one.digest, &one.digest).unwrap_err().code(), "other-subject");
    layout.detach(&one.digest, &first.digest).unwrap();
    assert!(layout.size(&envelope).unwrap().is_some(), "the other signature has the same envelope");
    let index = format!(r#"{{"schemaVersion":2,"mediaType":"{IMAGE_INDEX}","manifests":[{}]}}"#, entry(&second, ""));
    layout.put_manifest(index.as_bytes(), IMAGE_INDEX, Some("bundle")).unwrap();
    assert_eq!(layout.detach(&two.digest, &second.digest).unwrap_err().code(), "still-listed");
    assert_eq!(listed(&layout, &two.digest), [second.digest]);
}

#[test]
fn a_referrer_needs_a_subject_and_its_blobs() {
    let folder = Folder::new();
    let (layout, subject) = layout(&folder);
    let (manifest, _) = image_manifest("one");
    assert_eq!(layout.attach(manifest.as_bytes()).unwrap_err().code(), "no-subject");
    // Small ones are inlined, so they need no blob; larger ones do.
    let small = layout.attach(&referrer::manifest(&subject, b"{\"x\":1}", &Role::Signature)).unwrap();
    assert!(layout.size(&Algorithm::Sha256.digest(b"{\"x\":1}")).unwrap().is_some());
    let large = vec![b' '; referrer::MAX_INLINE + 1];
    let large = referrer::manifest(&subject, &large, &Role::Signature);
    assert_eq!(layout.attach(&large).unwrap_err().code(), "missing-blob");
    assert_eq!(listed(&layout, &subject.digest), [small.descriptor.digest]);
    assert_eq!(layout.attach(b"{}").unwrap_err().code(), "malformed");
}

#[test]
fn many_are_attached_at_once_to_several_subjects() {
    let folder = Folder::new();
    let (layout, one) = layout(&folder);
    let two = image(&layout, "two", None);
    let manifests: Vec<Vec<u8>> = (0..40)
        .map(|number| referrer::manifest([&one, &two][number % 2], format!("{{\"n\":{number}}}").as_bytes(), &Role::Signature))
        .collect();
    let mut bytes: Vec<&[u8]> = manifests.iter().map(Vec::as_slice).collect();
    bytes.push(&manifests[0]);
    let attached = layout.attach_as(Algorithm::Sha512, &bytes).unwrap();
    assert_eq!(attached.iter().filter(|attached| attached.already).count(), 1);
    assert!(attached.iter().all(|attached| attached.descriptor.digest.algorithm() == Algorithm::Sha512));
    assert_eq!((listed(&layout, &one.digest).len(), listed(&layout, &two.digest).len()), (20, 20));
    assert_eq!(lists(layout.root(), &two.digest).1.len(), 20);
}

#[test]
fn a_subject_of_sha512_has_a_list_under_half_of_its_digest() {
    let folder = Folder::new();
    let layout = Layout::open_or_create(folder.path("layout")).unwrap();
    let (manifest, blobs) = image_manifest("one");
    for blob in blobs {
        layout.put_blob(None, &mut blob.as_slice()).unwrap();
    }
    let subject = layout.put_manifest_as(Algorithm::Sha512, manifest.as_bytes(), IMAGE_MANIFEST, Some("v1")).unwrap();
    let attached = sign(&layout, &subject, b"{}");
    assert_eq!(listed(&layout, &subject.digest), [attached.digest]);
    assert_eq!(lists(layout.root(), &subject.digest).1, [attached.digest.to_string()]);
    let text = std::fs::read_to_string(layout.root().join("index.json")).unwrap();
    assert!(text.contains(&format!(r#""sha512-{}""#, &subject.digest.hex()[..64])));
    // The list knows whole digests, so it is mended even when nothing else does.
    std::fs::remove_file(layout.root().join("blobs/sha256").join(attached.digest.hex())).unwrap();
    assert_eq!(layout.repair(false, None).unwrap().removed, [attached.digest]);
    assert_eq!(lists(layout.root(), &subject.digest), (vec![], vec![]));
}

#[test]
fn repair_lists_what_is_there_and_nothing_else() {
    let folder = Folder::new();
    let foreign = Foreign::new(folder.path("layout"));
    let (one, two) = (foreign.image("one"), foreign.image("two"));
    foreign.blob(b"{}");
    let refer = |subject: &Descriptor, name: &str| foreign.manifest(IMAGE_MANIFEST, &referrer_manifest(subject, name));
    let (orphan, indexed, other) = (refer(&one, "orphan"), refer(&one, "indexed"), refer(&two, "other"));
    let gone = Descriptor::new(IMAGE_MANIFEST, Algorithm::Sha256.digest(b"gone"), 4);
    let elsewhere = Descriptor::new(IMAGE_MANIFEST, Algorithm::Sha256.digest(b"elsewhere"), 4);
    // A list with a referrer of something else, and with one that is not there.
    let list = format!(
        r#"{{"schemaVersion":2,"mediaType":"{IMAGE_INDEX}","manifests":[{},{}]}}"#,
        entry(&other, r#","artifactType":"lie""#),
        entry(&gone, "")
    );
    let list = foreign.manifest(IMAGE_INDEX, &list);
    let tag = format!(r#","annotations":{{"org.opencontainers.image.ref.name":"sha256-{}"}}"#, one.digest.hex());
    foreign.index(&format!(
        r#"{{"manifests":[{},{},{},{},{},{}]}}"#,
        entry(&one, r#","annotations":{"org.opencontainers.image.ref.name":"v1"}"#),
        entry(&list, &tag),
        entry(&indexed, ""),
        entry(&gone, r#","artifactType":"application/x-gone""#),
        entry(&elsewhere, ""),
        entry(&two, "")
    ));
    let layout = Layout::open(folder.path("layout")).unwrap();
    let before = std::fs::read(layout.root().join("index.json")).unwrap();
    let dry = layout.repair(true, None).unwrap();
    assert_eq!(std::fs::read(layout.root().join("index.json")).unwrap(), before);
    let report = layout.repair(false, None).unwrap();
    for report in [&dry, &report] {
        let mut mended: Vec<(Digest, Digest)> = report.listed.iter().map(|(subject, entry)| (*subject, entry.digest)).collect();
        mended.sort();
        let mut expected = vec![(one.digest, orphan.digest), (one.digest, indexed.digest), (two.digest, other.digest)];
        expected.sort();
        assert_eq!(mended, expected);
        assert_eq!(report.removed, [gone.digest]);
        assert_eq!(
            report.findings.iter().map(|finding| (finding.kind, finding.digest)).collect::<Vec<_>>(),
            [(FindingKind::Dangling, Some(elsewhere.digest))]
        );
    }
    let (index, list) = lists(layout.root(), &one.digest);
    let mut expected = [orphan.digest.to_string(), indexed.digest.to_string()];
    expected.sort();
    let mut list = list;
    list.sort();
    assert_eq!(list, expected);
    assert!(index.contains(&elsewhere.digest.to_string()) && !index.contains(&gone.digest.to_string()));
    assert_eq!(lists(layout.root(), &two.digest).1, [other.digest.to_string()]);
    assert!(layout.repair(false, None).unwrap().is_clean());
}

#[test]
fn repair_of_one_subject_leaves_the_others() {
    let folder = Folder::new();
    let (layout, one) = layout(&folder);
    let two = image(&layout, "two", Some("v2"));
    sign(&layout, &one, b"{\"one\":1}");
    sign(&layout, &two, b"{\"two\":1}");
    let only = Foreign(folder.path("layout"));
    only.index(&format!(r#"{{"manifests":[{},{}]}}"#, entry(&one, ""), entry(&two, "")));
    let report = layout.repair(false, Some(&one.digest)).unwrap();
    assert_eq!(report.listed.iter().map(|(subject, _)| *subject).collect::<Vec<_>>(), [one.digest]);
    assert_eq!((lists(layout.root(), &one.digest).1.len(), lists(layout.root(), &two.digest).1.len()), (1, 0));
    // A list that cannot be read is made anew, of what is there.
    let (_, list) = lists(layout.root(), &one.digest);
    let text = std::fs::read_to_string(layout.root().join("index.json")).unwrap();
    let entry = text.split(r#"{"mediaType":"application/vnd.oci.image.index.v1+json","digest":"sha256:"#).nth(1).unwrap();
    std::fs::write(layout.root().join("blobs/sha256").join(&entry[..64]), "damaged").unwrap();
    let found = layout.referrers(&one.digest, 10, 10_000).unwrap();
    assert_eq!((found.entries.len(), found.complete), (1, false));
    sign(&layout, &one, b"{\"three\":1}");
    assert_eq!(lists(layout.root(), &one.digest).1.len(), 2);
    assert!(lists(layout.root(), &one.digest).1.contains(&list[0]));
}

#[test]
fn a_bound_that_is_reached_is_said() {
    let folder = Folder::new();
    let (layout, subject) = layout(&folder);
    let manifests: Vec<Vec<u8>> =
        (0..21).map(|number| referrer::manifest(&subject, format!("{{\"n\":{number}}}").as_bytes(), &Role::Signature)).collect();
    layout.attach_as(Algorithm::Sha256, &manifests.iter().map(Vec::as_slice).collect::<Vec<_>>()).unwrap();
    let all = layout.referrers(&subject.digest, 21, u64::MAX).unwrap();
    assert_eq!((all.entries.len(), all.complete, all.findings.len()), (21, true, 0));
    let some = layout.referrers(&subject.digest, 20, u64::MAX).unwrap();
    assert_eq!((some.entries.len(), some.complete, some.findings[0].kind), (20, false, FindingKind::Stopped));
    let few = layout.referrers(&subject.digest, 21, 1000).unwrap();
    assert!(few.entries.len() < 5 && !few.complete);
    let large = layout.manifest(&subject.digest, 10).unwrap_err();
    assert_eq!((large.code(), large.class()), ("too-large", touchmark_oci::Class::Cap));
}

/// As a program leaves it that is stopped while it writes the file in place.
#[test]
fn an_index_that_is_damaged_is_made_anew_from_what_is_left() {
    let folder = Folder::new();
    let (layout, one) = layout(&folder);
    let two = image(&layout, "two", Some("v2"));
    let child = image(&layout, "child", None);
    let index = format!(r#"{{"schemaVersion":2,"mediaType":"{IMAGE_INDEX}","manifests":[{}]}}"#, entry(&child, ""));
    let index = layout.put_manifest(index.as_bytes(), IMAGE_INDEX, Some("all")).unwrap();
    let signatures = [sign(&layout, &one, b"{\"1\":1}"), sign(&layout, &two, b"{\"2\":1}"), sign(&layout, &child, b"{\"3\":1}")];
    let path = layout.root().join("index.json");
    let whole = std::fs::read_to_string(&path).unwrap();
    let second = whole.find(&two.digest.to_string()).unwrap();
    for (kept, tags) in [(0, 0), (1, 0), (second, 1), (whole.len() - 1, 3)] {
        std::fs::write(&path, &whole[..kept]).unwrap();
        assert_eq!(layout.tags().unwrap_err().code(), "malformed");
        let dry = layout.repair(true, None).unwrap();
        assert!(dry.rebuilt && !dry.is_clean());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), whole[..kept]);
        let report = layout.repair(false, None).unwrap();
        assert!(report.rebuilt && report.findings[0].detail.contains("index.json is damaged"), "{report:?}");
        assert_eq!(layout.tags().unwrap().len(), tags, "{kept}");
        let mut roots: Vec<Digest> = layout.roots().unwrap().iter().map(|root| root.digest).collect();
        let mut expected = vec![one.digest, two.digest, index.digest];
        roots.sort();
        expected.sort();
        assert_eq!(roots, expected);
        for (subject, signature) in [&one, &two, &child].into_iter().zip(&signatures) {
            assert_eq!(listed(&layout, &subject.digest), [signature.digest]);
            assert_eq!(lists(layout.root(), &subject.digest).1, [signature.digest.to_string()]);
        }
        assert!(layout.repair(false, None).unwrap().is_clean());
    }
    let kept = std::fs::read_dir(layout.root()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(kept.filter(|name| name.starts_with("index.json.damaged-")).count(), 4, "nothing that was damaged is thrown away");
}
