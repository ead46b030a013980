//! OCI layouts as oras, regctl, cosign, crane and skopeo write them: their referrers are found, ours are added, and nothing of
//! theirs is lost.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // outside of test functions clippy takes a panic for a mistake

use touchmark_envelope::digest::Algorithm;
use touchmark_envelope::manifest::{Descriptor, IMAGE_INDEX, IMAGE_MANIFEST};
use touchmark_oci::referrer::{self, Role};
use touchmark_oci::{Layout, Source, Store, Upkeep};

mod support;
use support::{Folder, Foreign, entry, image_manifest, listed, lists, referrer_manifest};

const TAGGED: &str = r#","annotations":{"org.opencontainers.image.ref.name":"v1"}"#;

/// Attaches one of ours, and checks that it and `theirs` are found, opened anew, and that each is in every list after a repair.
fn attach_ours(layout: &Layout, subject: &Descriptor, theirs: &[&Descriptor]) {
    let ours = referrer::attach(layout, subject, b"{\"ours\":1}", &Role::Signature).unwrap().descriptor;
    let all: Vec<_> = theirs.iter().map(|one| one.digest).chain([ours.digest]).collect();
    let found = listed(&Layout::open(layout.root()).unwrap(), &subject.digest);
    assert!(found.len() == all.len() && all.iter().all(|one| found.contains(one)), "{found:?}");
    layout.repair(false, None).unwrap();
    let (index, list) = lists(layout.root(), &subject.digest);
    for one in &all {
        assert!(index.contains(&one.to_string()) && list.contains(&one.to_string()), "{one}");
    }
    assert_eq!(listed(layout, &subject.digest).len(), all.len());
    assert!(layout.repair(false, None).unwrap().is_clean());
    assert_eq!(layout.resolve(None, None).unwrap().digest, subject.digest);
}

#[test]
fn oras_lists_referrers_untagged_in_the_index() {
    let folder = Folder::new();
    let foreign = Foreign::new(folder.path("layout"));
    let subject = foreign.image("one");
    let theirs = ["a", "b"].map(|name| foreign.manifest(IMAGE_MANIFEST, &referrer_manifest(&subject, name)));
    foreign.blob(b"{}");
    std::fs::create_dir(folder.path("layout/ingest")).unwrap();
    // One with artifact type and annotations, one without: oras writes both.
    let typed = entry(&theirs[1], r#","artifactType":"application/x-b","annotations":{"name":"b"}"#);
    foreign.index(&format!(r#"{{"schemaVersion":2,"manifests":[{},{},{typed}]}}"#, entry(&subject, TAGGED), entry(&theirs[0], "")));
    let layout = Layout::open(folder.path("layout")).unwrap();
    assert_eq!(listed(&layout, &subject.digest), theirs.each_ref().map(|one| one.digest));
    let entries = layout.referrers(&subject.digest, 10, 10_000).unwrap().entries;
    assert_eq!(entries[1].artifact_type.as_deref(), Some("application/x-b"));
    attach_ours(&layout, &subject, &[&theirs[0], &theirs[1]]);
}

#[test]
fn regctl_lists_referrers_in_an_index_under_a_tag() {
    let folder = Folder::new();
    let foreign = Foreign::new(folder.path("layout"));
    let subject = foreign.image("one");
    foreign.blob(b"{}");
    let theirs = foreign.manifest(IMAGE_MANIFEST, &referrer_manifest(&subject, "a"));
    let list = format!(
        r#"{{"schemaVersion":2,"mediaType":"{IMAGE_INDEX}","manifests":[{}]}}"#,
        entry(&theirs, r#","artifactType":"application/x-a","annotations":{"name":"a"}"#)
    );
    let list = foreign.manifest(IMAGE_INDEX, &list);
    let tag = format!(r#","annotations":{{"org.opencontainers.image.ref.name":"sha256-{}","x":"y"}}"#, subject.digest.hex());
    foreign.index(&format!(r#"{{"schemaVersion":2,"manifests":[{},{}]}}"#, entry(&subject, TAGGED), entry(&list, &tag)));
    let layout = Layout::open(folder.path("layout")).unwrap();
    assert_eq!(listed(&layout, &subject.digest), [theirs.digest]);
    assert_eq!(layout.tags().unwrap().len(), 1, "a list of referrers is no artifact");
    attach_ours(&layout, &subject, &[&theirs]);
    let text = std::fs::read_to_string(folder.path("layout/index.json")).unwrap();
    assert!(text.contains(r#""x":"y""#), "{text}");
    // The list that was replaced was not ours, so it stays; one of ours does not.
    assert!(layout.size(&list.digest).unwrap().is_some());
    let blobs = || std::fs::read_dir(folder.path("layout/blobs/sha256")).unwrap().count();
    let before = blobs();
    referrer::attach(&layout, &subject, b"{\"ours\":2}", &Role::Signature).unwrap();
    assert_eq!(blobs(), before + 2, "an envelope and its manifest; the list takes the place of the one before");
}

#[test]
fn cosign_save_leaves_referrers_in_no_list() {
    let folder = Folder::new();
    let foreign = Foreign::new(folder.path("layout"));
    let subject = foreign.image("one");
    foreign.blob(b"{}");
    let theirs = foreign.manifest(IMAGE_MANIFEST, &referrer_manifest(&subject, "bundle"));
    let kind = r#","annotations":{"kind":"dev.cosignproject.cosign/image","org.opencontainers.image.ref.name":"r.example/x:v1"}"#;
    foreign.index(&format!(r#"{{"schemaVersion":2,"mediaType":"{IMAGE_INDEX}","manifests":[{}]}}"#, entry(&subject, kind)));
    let layout = Layout::open(folder.path("layout")).unwrap();
    assert_eq!(listed(&layout, &subject.digest), [theirs.digest]);
    let found = layout.referrers(&subject.digest, 10, 10_000).unwrap();
    assert_eq!(found.entries[0].artifact_type.as_deref(), Some("application/x-bundle"));
    assert_eq!(found.entries[0].annotations.get("name").map(String::as_str), Some("bundle"));
    assert_eq!(layout.resolve(Some("r.example/x:v1"), None).unwrap().digest, subject.digest);
    attach_ours(&layout, &subject, &[&theirs]);
}

#[test]
fn crane_writes_an_artifact_without_a_tag() {
    let folder = Folder::new();
    let foreign = Foreign::new(folder.path("layout"));
    let subject = foreign.image("one");
    let more = r#","artifactType":"application/vnd.oci.image.config.v1+json","annotations":{"k":"v"}"#;
    foreign.index(&format!("{{\n   \"schemaVersion\": 2,\n   \"manifests\": [\n      {}\n   ]\n}}", entry(&subject, more)));
    let layout = Layout::open(folder.path("layout")).unwrap();
    assert!(listed(&layout, &subject.digest).is_empty());
    attach_ours(&layout, &subject, &[]);
}

#[test]
fn skopeo_keeps_other_entries_and_so_do_we() {
    let folder = Folder::new();
    let foreign = Foreign::new(folder.path("layout"));
    let (one, two) = (foreign.image("one"), foreign.image("two"));
    let other = r#"{"mediaType":"application/xml","size":7143,"digest":"sha256:b3d63d132d21c3ff4c35a061adf23cf43da8ae054247e32faa95494d904a007e","annotations":{"org.freedesktop.specifications.metainfo.version":"1.0"},"urls":["https://example.com/a b"],"n":1.50e3}"#;
    let odd = r#"{"digest":"sha384:00","annotations":{"org.opencontainers.image.ref.name":"odd"}}"#;
    foreign.index(&format!(
        r#"{{"schemaVersion":2,"com.example":{{"a":[1,2.0]}},"manifests":[{},{other},{odd}],"annotations":{{"com.example.index.revision":"r124356"}}}}"#,
        entry(&one, r#","platform":{"architecture":"ppc64le","os":"linux","os.version":"7"},"annotations":{"org.opencontainers.image.ref.name":"v1"}"#)
    ));
    let layout = Layout::open(folder.path("layout")).unwrap();
    let (manifest, _) = image_manifest("two");
    layout.put_manifest(manifest.as_bytes(), IMAGE_MANIFEST, Some("v2")).unwrap();
    let attached = referrer::attach(&layout, &one, b"{}", &Role::Signature).unwrap();
    layout.detach(&one.digest, &attached.descriptor.digest).unwrap();
    layout.repair(false, None).unwrap();
    let text = std::fs::read_to_string(folder.path("layout/index.json")).unwrap();
    for kept in [other, odd, r#""com.example":{"a":[1,2.0]}"#, r#""os.version":"7""#, r#""com.example.index.revision":"r124356""#] {
        assert!(text.contains(kept), "{kept} is not in {text}");
    }
    assert_eq!(layout.resolve(Some("v2"), None).unwrap().digest, two.digest);
    assert!(layout.resolve(Some("odd"), None).is_err());
}

/// What cosign verifies and oras, regctl and skopeo read: an entry with tag and kind, entries for referrers, a list under a tag.
#[test]
fn what_we_write_has_every_tool_s_list() {
    let folder = Folder::new();
    let layout = Layout::open_or_create(folder.path("layout")).unwrap();
    let subject = support::image(&layout, "one", Some("v1"));
    let role = Role::Attestation { predicate_type: "https://slsa.dev/provenance/v1".to_owned() };
    let attached = referrer::attach(&layout, &subject, b"{}", &role).unwrap().descriptor;
    let text = std::fs::read_to_string(folder.path("layout/index.json")).unwrap();
    assert!(text.contains(r#""annotations":{"kind":"dev.cosignproject.cosign/image","org.opencontainers.image.ref.name":"v1"}"#), "{text}");
    let theirs =
        r#""artifactType":"application/vnd.in-toto+json","annotations":{"in-toto.io/predicate-type":"https://slsa.dev/provenance/v1"}"#;
    assert!(text.contains(theirs), "{text}");
    let (index, list) = lists(layout.root(), &subject.digest);
    assert_eq!((index, list), (vec![attached.digest.to_string()], vec![attached.digest.to_string()]));
    assert_eq!(std::fs::read(folder.path("layout/oci-layout")).unwrap(), br#"{"imageLayoutVersion":"1.0.0"}"#);
    assert!(layout.size(&Algorithm::Sha256.digest(b"{}")).unwrap().is_some(), "the empty config is a blob");
}
