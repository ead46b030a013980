//! Moving artifacts with all that belongs to them.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // outside of test functions clippy takes a panic for a mistake

use std::path::Path;

use touchmark_envelope::digest::Algorithm;
use touchmark_envelope::manifest::{Descriptor, IMAGE_MANIFEST};
use touchmark_oci::copy::{CopyReport, Item, Options, Scope, copy, copy_to_archive, preview, tagged};
use touchmark_oci::graph::{Content, Graph, Limits};
use touchmark_oci::referrer::{self, Role};
use touchmark_oci::{Archive, Class, Error, Layout, Source, Store, Upkeep};

#[path = "support/family.rs"]
mod family;
mod support;
use family::{Family, family, noise, tree};
use support::{Folder, image, listed};

fn whole(report: CopyReport) -> CopyReport {
    assert!(report.is_whole() && report.findings.is_empty(), "{report:?}");
    assert_eq!(report.class(), None);
    report
}

fn v1(source: &dyn Source) -> [Item; 1] {
    [Item { descriptor: source.resolve(Some("v1"), None).unwrap(), tag: Some("v1".to_owned()) }]
}

fn made(folder: &Folder) -> (Layout, Family) {
    let layout = Layout::open_or_create(folder.path("layout")).unwrap();
    let family = family(&layout);
    (layout, family)
}

#[test]
fn a_graph_stays_the_same_from_layout_to_tar_to_layout() {
    let folder = Folder::new();
    let (layout, family) = made(&folder);
    let before = tree(&layout, &family.index);
    // Index, two children, six referrers, cosign's.
    assert_eq!(before.len(), 10, "{before:#?}");

    let file = folder.path("moved.tar");
    let report = whole(copy_to_archive(&layout, &v1(&layout), &file, &Options::default()).unwrap());
    assert_eq!((report.manifests.len(), report.manifests_there), (10, 0));
    assert_eq!(report.items[0].descriptor.digest, family.index.digest);
    let archive = Archive::open(&file).unwrap();
    assert_eq!(tree(&archive, &archive.resolve(Some("v1"), None).unwrap()), before);

    let again = Layout::open_or_create(folder.path("again")).unwrap();
    whole(copy(&archive, &v1(&archive), &again, &Options::default()).unwrap());
    assert_eq!(tree(&again, &again.resolve(None, None).unwrap()), before);
    assert_eq!(again.roots().unwrap().len(), 1);
    for child in &family.children {
        assert_eq!(listed(&again, &child.digest), listed(&layout, &child.digest));
    }
    // Each list is written, so that tools that look nowhere else find them.
    let (index, list) = support::lists(again.root(), &family.children[0].digest);
    assert_eq!(list.len(), 2);
    assert!(family.referrers.iter().all(|referrer| index.contains(&referrer.digest.to_string())));
}

#[test]
fn running_again_merges_and_copies_nothing_twice() {
    let folder = Folder::new();
    let (layout, family) = made(&folder);
    let to = Layout::open_or_create(folder.path("to")).unwrap();
    let file = folder.path("to.tar");
    for _ in 0..2 {
        whole(copy(&layout, &v1(&layout), &to, &Options::default()).unwrap());
        whole(copy_to_archive(&layout, &v1(&layout), &file, &Options::default()).unwrap());
    }
    let (index, tar) = (std::fs::read(folder.path("to/index.json")).unwrap(), std::fs::read(&file).unwrap());
    let report = whole(copy(&layout, &v1(&layout), &to, &Options::default()).unwrap());
    assert_eq!((report.manifests.len(), report.manifests_there, report.blobs, report.bytes), (0, 10, 0, 0));
    whole(copy_to_archive(&layout, &v1(&layout), &file, &Options::default()).unwrap());
    assert_eq!(std::fs::read(folder.path("to/index.json")).unwrap(), index);
    assert!(std::fs::read(&file).unwrap() == tar, "the tar changed");

    // What came since is added, and what only the destination has stays.
    let new = referrer::attach(&layout, &family.index, b"{\"new\":1}", &Role::Signature).unwrap().descriptor.digest;
    let own = referrer::attach(&to, &family.index, b"{\"own\":1}", &Role::Signature).unwrap().descriptor.digest;
    image(&to, "other", Some("other"));
    let report = whole(copy(&layout, &v1(&layout), &to, &Options::default()).unwrap());
    assert_eq!(report.manifests.iter().map(|new| new.digest).collect::<Vec<_>>(), [new]);
    let found = listed(&to, &family.index.digest);
    assert!(found.len() == 3 && found.contains(&new) && found.contains(&own));
    assert!(to.resolve(Some("other"), None).is_ok());
    // The same into the tar, which has blobs of two places then.
    whole(copy_to_archive(&to, &v1(&to), &file, &Options::default()).unwrap());
    whole(copy_to_archive(&to, &tagged(&to, Some("o*")).unwrap(), &file, &Options::default()).unwrap());
    let archive = Archive::open(&file).unwrap();
    assert_eq!(listed(&archive, &family.index.digest).len(), 3);
    assert_eq!(archive.tags().unwrap().len(), 3);
}

#[test]
fn large_blobs_go_to_a_tar_and_are_checked_on_the_way() {
    let folder = Folder::new();
    let layout = Layout::open_or_create(folder.path("layout")).unwrap();
    let put = |seed, size| layout.put_blob(None, &mut noise(seed, size).as_slice()).unwrap();
    let (first, second) = (put(1, 9 << 20), put(2, (5 << 20) + 17));
    let config = layout.put_blob(None, &mut b"{}".as_slice()).unwrap();
    let text = |blob: &Descriptor| String::from_utf8(blob.to_json().to_vec()).unwrap();
    let manifest = format!(
        r#"{{"schemaVersion":2,"mediaType":"{IMAGE_MANIFEST}","config":{},"layers":[{},{}]}}"#,
        text(&config),
        text(&first),
        text(&second)
    );
    let artifact = layout.put_manifest(manifest.as_bytes(), IMAGE_MANIFEST, Some("v1")).unwrap();
    // A referrer whose layer is large.
    let sbom = put(3, 6 << 20);
    let manifest = format!(
        r#"{{"schemaVersion":2,"mediaType":"{IMAGE_MANIFEST}","artifactType":"text/sbom","config":{},"layers":[{}],"subject":{}}}"#,
        text(&config),
        text(&sbom),
        text(&artifact)
    );
    let sbom_manifest = layout.attach(manifest.as_bytes()).unwrap().descriptor;
    let file = folder.path("x.tar");
    let report = whole(copy_to_archive(&layout, &v1(&layout), &file, &Options::default()).unwrap());
    assert_eq!(report.bytes, (20 << 20) + 17 + 2);
    let archive = Archive::open(&file).unwrap();
    for blob in [&first, &second, &sbom, &config] {
        let (size, mut reader) = archive.blob(&blob.digest).unwrap();
        assert_eq!(std::io::copy(&mut reader, &mut std::io::sink()).unwrap(), size);
    }
    assert_eq!(listed(&archive, &artifact.digest), [sbom_manifest.digest]);
    // Detached with its layer, and attached again, in the tar.
    let draft = touchmark_oci::archive::Draft::open_or_create(&file).unwrap();
    draft.detach(&artifact.digest, &sbom_manifest.digest).unwrap();
    assert!(draft.commit().unwrap().is_empty());
    let archive = Archive::open(&file).unwrap();
    assert_eq!(archive.size(&sbom.digest).unwrap(), None);
    assert_eq!(archive.size(&first.digest).unwrap(), Some(9 << 20));
    let tar = std::fs::read(&file).unwrap();
    whole(copy_to_archive(&layout, &v1(&layout), &file, &Options::default()).unwrap());
    assert_eq!(listed(&Archive::open(&file).unwrap(), &artifact.digest), [sbom_manifest.digest]);

    // A blob that changed in the folder, without changing its size: left out, reported, and the rest arrives.
    std::fs::write(&file, &tar).unwrap();
    let path = folder.path("layout/blobs/sha256").join(second.digest.hex());
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[4 << 20] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let other = folder.path("other.tar");
    let report = copy_to_archive(&layout, &v1(&layout), &other, &Options::default()).unwrap();
    assert_eq!(report.class(), Some(Class::WrongDigest));
    assert_eq!(report.missing.iter().map(|missing| missing.digest).collect::<Vec<_>>(), [second.digest]);
    assert!(report.missing[0].error.to_string().starts_with("oci:"), "{}", report.missing[0].error);
    let archive = Archive::open(&other).unwrap();
    assert_eq!(archive.size(&second.digest).unwrap(), None);
    assert_eq!(archive.size(&first.digest).unwrap(), Some(9 << 20));
    // A tar that holds it right does not need the folder's.
    whole(copy_to_archive(&layout, &v1(&layout), &file, &Options::default()).unwrap());
}

fn remove(layout: &Path, digest: &touchmark_envelope::Digest) {
    std::fs::remove_file(layout.join("blobs").join(digest.algorithm().name()).join(digest.hex())).unwrap();
}

#[test]
fn what_is_missing_is_reported_and_the_rest_is_copied() {
    let folder = Folder::new();
    let (layout, family) = made(&folder);
    remove(layout.root(), &family.referrers[1].digest);
    remove(layout.root(), &family.children[1].digest);
    // The attestation's envelope is too large to be inlined.
    let envelope = {
        let manifest = layout.manifest(&family.referrers[3].digest, 1 << 20).unwrap();
        let manifest = touchmark_envelope::manifest::Manifest::parse(&manifest).unwrap();
        referrer::envelope(&manifest).unwrap().digest
    };
    remove(layout.root(), &envelope);
    // A small one that is inlined is not missed.
    let inlined = Algorithm::Sha256.digest(b"{\"of\":\"index\"}");
    remove(layout.root(), &inlined);

    let to = Layout::open_or_create(folder.path("to")).unwrap();
    let file = folder.path("to.tar");
    let mut reports = vec![preview(&layout, &v1(&layout), None, &Options::default()).unwrap()];
    assert!(!file.exists() && to.tags().unwrap().is_empty());
    reports.push(copy(&layout, &v1(&layout), &to, &Options::default()).unwrap());
    reports.push(copy_to_archive(&layout, &v1(&layout), &file, &Options::default()).unwrap());
    for (number, report) in reports.iter().enumerate() {
        let missing: Vec<_> = report.missing.iter().map(|missing| missing.digest).collect();
        assert!(!report.is_whole());
        assert_eq!(report.class(), Some(Class::NotFound), "{report:?}");
        let mut wanted = vec![family.referrers[1].digest, family.children[1].digest, envelope];
        if number > 0 {
            // A referrer whose layer is missing is not listed anew.
            wanted.push(family.referrers[3].digest);
        }
        assert!(wanted.iter().all(|digest| missing.contains(digest)), "{number}: {report:?}");
        assert_eq!(missing.len(), wanted.len(), "{number}: {report:?}");
    }
    let archive = Archive::open(&file).unwrap();
    let places: [&dyn Source; 2] = [&to, &archive];
    for place in places {
        assert_eq!(place.resolve(Some("v1"), None).unwrap().digest, family.index.digest);
        assert_eq!(listed(place, &family.index.digest), [family.referrers[0].digest]);
        assert_eq!(listed(place, &family.children[0].digest), []);
        // The child is gone; what was said of it is not.
        assert_eq!(listed(place, &family.children[1].digest), [family.referrers[2].digest]);
    }
}

#[test]
fn bytes_of_another_digest_are_not_carried_on() {
    let folder = Folder::new();
    let (layout, family) = made(&folder);
    let path = |digest: &touchmark_envelope::Digest| layout.root().join("blobs/sha256").join(digest.hex());
    let layer = Algorithm::Sha256.digest(b"arm64");
    std::fs::write(path(&layer), b"ARM64").unwrap();
    std::fs::copy(path(&family.referrers[1].digest), path(&family.referrers[2].digest)).unwrap();
    let to = Layout::open_or_create(folder.path("to")).unwrap();
    let report = copy(&layout, &v1(&layout), &to, &Options::default()).unwrap();
    assert_eq!(report.class(), Some(Class::WrongDigest));
    let missing: Vec<_> = report.missing.iter().map(|missing| missing.digest).collect();
    assert!(missing.contains(&layer) && missing.contains(&family.referrers[2].digest) && missing.len() == 2, "{report:?}");
    assert_eq!(Source::size(&to, &layer).unwrap(), None);
    assert_eq!(Source::size(&to, &family.referrers[2].digest).unwrap(), None);
    assert_eq!(listed(&to, &family.index.digest).len(), 1);
}

#[test]
fn a_referrer_by_itself_is_listed_as_one() {
    let folder = Folder::new();
    let (layout, family) = made(&folder);
    let to = Layout::open_or_create(folder.path("to")).unwrap();
    let item = Item { descriptor: family.referrers[1].clone(), tag: None };
    whole(copy(&layout, &[item], &to, &Options::default()).unwrap());
    let (index, list) = support::lists(to.root(), &family.children[0].digest);
    assert_eq!((index.len(), list.len()), (1, 1));
    assert_eq!(listed(&to, &family.children[0].digest), [family.referrers[1].digest]);
}

#[test]
fn a_source_that_lies_takes_nothing_from_a_tar() {
    let folder = Folder::new();
    let layout = Layout::open_or_create(folder.path("layout")).unwrap();
    let content = noise(7, 5 << 20);
    let blob = layout.put_blob(None, &mut content.as_slice()).unwrap();
    let text = |blob: &Descriptor, size: usize| format!(r#"{{"mediaType":"x","digest":"{}","size":{size}}}"#, blob.digest);
    let config = layout.put_blob(None, &mut b"{}".as_slice()).unwrap();
    let tag = |size: usize, name: &str| {
        let (config, layer) = (text(&config, 2), text(&blob, size));
        let manifest = format!(r#"{{"schemaVersion":2,"mediaType":"{IMAGE_MANIFEST}","config":{config},"layers":[{layer}]}}"#);
        layout.put_manifest(manifest.as_bytes(), IMAGE_MANIFEST, Some(name)).unwrap();
    };
    tag(content.len(), "honest");
    let file = folder.path("x.tar");
    let items = |pattern| tagged(&layout, Some(pattern)).unwrap();
    whole(copy_to_archive(&layout, &items("honest"), &file, &Options::default()).unwrap());
    let path = folder.path("layout/blobs/sha256").join(blob.digest.hex());
    for (size, bytes) in [(3, &content[..]), (3, b"abc"), (content.len() - 1, &content[1..]), (content.len(), &noise(8, content.len()))] {
        tag(size, "lying");
        std::fs::write(&path, bytes).unwrap();
        let report = copy_to_archive(&layout, &items("lying"), &file, &Options::default()).unwrap();
        assert_eq!(report.is_whole(), size == content.len(), "{report:?}");
        let archive = Archive::open(&file).unwrap();
        let (found, mut reader) = archive.blob(&blob.digest).unwrap();
        assert_eq!(std::io::copy(&mut reader, &mut std::io::sink()).unwrap(), found);
        assert_eq!(found, blob.size);
    }
    // One that is damaged in the tar gives way to the right one.
    std::fs::write(&path, &content).unwrap();
    let mut tar = std::fs::read(&file).unwrap();
    let at = tar.windows(64).position(|window| *window == content[..64]).unwrap();
    tar[at] ^= 1;
    std::fs::write(&file, tar).unwrap();
    whole(copy_to_archive(&layout, &items("honest"), &file, &Options::default()).unwrap());
    let archive = Archive::open(&file).unwrap();
    std::io::copy(&mut archive.blob(&blob.digest).unwrap().1, &mut std::io::sink()).unwrap();
}

#[test]
fn only_referrers() {
    let folder = Folder::new();
    let (layout, family) = made(&folder);
    let to = Layout::open_or_create(folder.path("to")).unwrap();
    let only = Options { scope: Scope::Referrers, ..Options::default() };
    // Where the artifact is not, nobody would find them.
    let file = folder.path("to.tar");
    for refused in [
        copy(&layout, &v1(&layout), &to, &only),
        copy_to_archive(&layout, &v1(&layout), &file, &only),
        preview(&layout, &v1(&layout), Some(&to), &only),
    ] {
        assert!(matches!(refused, Err(Error::NoSuchBlob { digest, .. }) if digest == family.index.digest));
    }
    assert!(to.roots().unwrap().is_empty() && !file.exists());
    let bytes = layout.manifest(&family.index.digest, 1 << 20).unwrap();
    to.put_blob(Some(&family.index), &mut bytes.as_slice()).unwrap();
    let report = whole(copy(&layout, &v1(&layout), &to, &only).unwrap());
    // Six referrers and what cosign has.
    assert_eq!((report.manifests.len(), report.items.len()), (7, 0), "{report:?}");
    assert!(Source::size(&to, &family.children[0].digest).unwrap().is_none());
    // Where the artifact is already, this completes it.
    let shallow = Layout::open_or_create(folder.path("shallow")).unwrap();
    for child in &family.children {
        let bytes = layout.manifest(&child.digest, 1 << 20).unwrap();
        shallow.put_blob(Some(child), &mut bytes.as_slice()).unwrap();
    }
    let bytes = layout.manifest(&family.index.digest, 1 << 20).unwrap();
    let index = shallow.put_manifest(&bytes, &family.index.media_type, Some("mine")).unwrap();
    whole(copy(&layout, &v1(&layout), &shallow, &only).unwrap());
    assert_eq!(tree(&shallow, &index), tree(&layout, &family.index));
}

#[test]
fn tags_by_pattern() {
    let folder = Folder::new();
    let layout = Layout::open_or_create(folder.path("layout")).unwrap();
    for tag in ["v1", "v1.2", "v2", "latest"] {
        image(&layout, tag, Some(tag));
    }
    let names = |pattern| tagged(&layout, pattern).unwrap().into_iter().map(|item| item.tag.unwrap()).collect::<Vec<_>>();
    assert_eq!(names(None), ["v1", "v1.2", "v2", "latest"]);
    assert_eq!(names(Some("v*")), ["v1", "v1.2", "v2"]);
    assert_eq!(names(Some("v?")), ["v1", "v2"]);
    assert_eq!(names(Some("*.*")), ["v1.2"]);
    assert_eq!(names(Some("*t*t")), ["latest"]);
    assert_eq!(names(Some("v")), [""; 0]);
    assert_eq!(names(Some("")), [""; 0]);
    // Many stars do not take forever.
    assert_eq!(names(Some(&"*a".repeat(100))), [""; 0]);
    let to = Layout::open_or_create(folder.path("to")).unwrap();
    whole(copy(&layout, &tagged(&layout, Some("v1*")).unwrap(), &to, &Options::default()).unwrap());
    assert_eq!(to.tags().unwrap().len(), 2);
}

#[test]
fn every_digest_algorithm_is_carried() {
    let folder = Folder::new();
    let layout = Layout::open_or_create(folder.path("layout")).unwrap();
    let (manifest, blobs) = support::image_manifest("x");
    for blob in blobs {
        layout.put_blob(None, &mut blob.as_slice()).unwrap();
    }
    let artifact = layout.put_manifest_as(Algorithm::Sha512, manifest.as_bytes(), IMAGE_MANIFEST, Some("v1")).unwrap();
    let signature = referrer::attach(&layout, &artifact, b"{}", &Role::Signature).unwrap().descriptor;
    let bytes = layout.manifest(&signature.digest, 1 << 20).unwrap();
    let second = layout.attach_as(Algorithm::Sha512, &[&bytes]).unwrap()[0].descriptor.digest;
    let file = folder.path("x.tar");
    whole(copy_to_archive(&layout, &v1(&layout), &file, &Options::default()).unwrap());
    let archive = Archive::open(&file).unwrap();
    let to = Layout::open_or_create(folder.path("to")).unwrap();
    whole(copy(&archive, &v1(&archive), &to, &Options::default()).unwrap());
    let found = listed(&to, &artifact.digest);
    assert!(found.len() == 2 && found.contains(&second) && found.contains(&signature.digest));
}

#[test]
fn hundreds_of_referrers_are_listed_in_few_writes() {
    let folder = Folder::new();
    let layout = Layout::open_or_create(folder.path("layout")).unwrap();
    let subject = image(&layout, "x", Some("v1"));
    let manifests: Vec<Vec<u8>> =
        (0..600).map(|n| referrer::manifest(&subject, format!("{{\"n\":{n}}}").as_bytes(), &Role::Signature)).collect();
    let manifests: Vec<&[u8]> = manifests.iter().map(Vec::as_slice).collect();
    layout.attach_as(Algorithm::Sha256, &manifests).unwrap();
    let file = folder.path("x.tar");
    whole(copy_to_archive(&layout, &v1(&layout), &file, &Options::default()).unwrap());
    let archive = Archive::open(&file).unwrap();
    assert_eq!(listed(&archive, &subject.digest).len(), 600);
    let graph = Graph::walk(&archive, &[subject], &Limits::default()).unwrap();
    assert_eq!(graph.nodes().filter(|(_, node)| matches!(node.content, Content::Manifest { .. })).count(), 601);
}
