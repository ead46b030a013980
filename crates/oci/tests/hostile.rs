//! OCI layouts that try to lead astray: links, pipes, names that leave the folder, content that is not what it should be.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // outside of test functions clippy takes a panic for a mistake

use std::io::Read;
use std::os::unix::fs::symlink;

use touchmark_envelope::digest::Algorithm;
use touchmark_envelope::manifest::{Descriptor, IMAGE_MANIFEST, Manifest};
use touchmark_oci::referrer::{self, Role};
use touchmark_oci::source::FindingKind;
use touchmark_oci::{Class, Error, Layout, Source, Store, Upkeep};

mod support;
use support::{Folder, Foreign, entry, image, listed, referrer_manifest};

/// A layout with one artifact and one signature.
fn signed(folder: &Folder) -> (Layout, Descriptor, Descriptor) {
    let layout = Layout::open_or_create(folder.path("layout")).unwrap();
    let subject = image(&layout, "one", Some("v1"));
    let attached = referrer::attach(&layout, &subject, b"{}", &Role::Signature).unwrap().descriptor;
    (layout, subject, attached)
}

/// Moves a file or folder of the layout out of it, and puts a link to it in its place.
fn replace_by_link(folder: &Folder, name: &str) {
    std::fs::rename(folder.path("layout").join(name), folder.path("outside")).unwrap();
    symlink(folder.path("outside"), folder.path("layout").join(name)).unwrap();
}

#[test]
fn a_link_in_place_of_any_part_is_refused() {
    for name in ["oci-layout", "index.json", "blobs", "blobs/sha256"] {
        let folder = Folder::new();
        let (layout, subject, _) = signed(&folder);
        replace_by_link(&folder, name);
        let refused = match Layout::open(layout.root()) {
            Err(error) => error,
            Ok(opened) => opened.manifest(&subject.digest, 1 << 20).unwrap_err(),
        };
        assert!(matches!(refused, Error::Irregular { found: "a link", .. }), "{name}: {refused}");
        assert_eq!(refused.class(), Class::Malformed);
        if name != "oci-layout" {
            assert!(matches!(referrer::attach(&layout, &subject, b"{\"x\":1}", &Role::Signature), Err(Error::Irregular { .. })), "{name}");
        }
    }
}

#[test]
fn a_link_in_place_of_a_blob_is_refused_even_to_the_right_content() {
    let folder = Folder::new();
    let (layout, subject, signature) = signed(&folder);
    replace_by_link(&folder, &format!("blobs/sha256/{}", signature.digest.hex()));
    assert!(matches!(layout.manifest(&signature.digest, 1 << 20), Err(Error::Irregular { .. })));
    assert!(matches!(layout.blob(&signature.digest), Err(Error::Irregular { .. })));
    // A list names it, so it is still offered, for the search to say what is wrong with it.
    assert_eq!(layout.referrers(&subject.digest, 10, 10_000).unwrap().entries.len(), 1);
    // Without a list it could have been a signature: that is not "none".
    let foreign = std::fs::read_to_string(folder.path("layout/index.json")).unwrap();
    let only = Foreign(folder.path("layout"));
    only.index(&format!(r#"{{"manifests":[{}]}}"#, entry(&subject, "")));
    let found = layout.referrers(&subject.digest, 10, 10_000).unwrap();
    assert!(found.entries.is_empty() && !found.complete, "{:?}", found.findings);
    only.index(&foreign);
}

#[test]
fn a_pipe_in_place_of_a_blob_is_refused_without_waiting() {
    let folder = Folder::new();
    let (layout, subject, _) = signed(&folder);
    let digest = Algorithm::Sha256.digest(b"pipe");
    let path = folder.path("layout/blobs/sha256").join(digest.hex());
    assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
    assert!(matches!(layout.blob(&digest), Err(Error::Irregular { .. })));
    let found = layout.referrers(&subject.digest, 10, 10_000).unwrap();
    assert_eq!((found.entries.len(), found.complete), (1, false));
}

#[test]
fn a_link_in_place_of_the_lock_is_refused_and_its_target_untouched() {
    let folder = Folder::new();
    let (layout, subject, _) = signed(&folder);
    std::fs::remove_file(folder.path("layout/.touchmark.lock")).unwrap();
    symlink(folder.path("made"), folder.path("layout/.touchmark.lock")).unwrap();
    assert!(matches!(referrer::attach(&layout, &subject, b"{\"x\":1}", &Role::Signature), Err(Error::Irregular { .. })));
    assert!(!folder.path("made").exists());
}

/// Nothing is written in place, so a hard link leads nowhere: the file outside keeps its content.
#[test]
fn files_outside_that_are_hard_links_are_never_written() {
    let folder = Folder::new();
    let (layout, subject, signature) = signed(&folder);
    let outside = |name: &str| folder.path("layout").join(name);
    let names = ["index.json".to_owned(), ".touchmark.lock".to_owned(), format!("blobs/sha256/{}", signature.digest.hex())];
    let before: Vec<Vec<u8>> = names.iter().map(|name| std::fs::read(outside(name)).unwrap()).collect();
    for (number, name) in names.iter().enumerate() {
        std::fs::hard_link(outside(name), folder.path(&number.to_string())).unwrap();
    }
    referrer::attach(&layout, &subject, b"{\"x\":1}", &Role::Signature).unwrap();
    layout.detach(&subject.digest, &signature.digest).unwrap();
    for (number, before) in before.iter().enumerate() {
        assert_eq!(std::fs::read(folder.path(&number.to_string())).unwrap(), *before);
    }
}

#[test]
fn digests_that_leave_the_folder_are_no_digests() {
    let folder = Folder::new();
    let foreign = Foreign::new(folder.path("layout"));
    let subject = foreign.image("one");
    std::fs::write(folder.path("secret"), "{}").unwrap();
    for bad in ["sha256:../../../secret", "sha256:/etc/passwd", "../sha256:00", "sha256:"] {
        let entry = format!(
            r#"{{"mediaType":"{IMAGE_MANIFEST}","digest":"{bad}","size":2,"annotations":{{"org.opencontainers.image.ref.name":"bad"}}}}"#
        );
        foreign.index(&format!(r#"{{"schemaVersion":2,"manifests":[{entry}]}}"#));
        let layout = Layout::open(folder.path("layout")).unwrap();
        let error = layout.resolve(Some("bad"), None).unwrap_err();
        assert_eq!(error.class(), Class::Malformed, "{error}");
        assert!(listed(&layout, &subject.digest).is_empty());
        assert!(layout.roots().unwrap().is_empty());
    }
}

#[test]
fn content_of_another_digest_is_an_error_at_its_end_and_a_finding_in_lists() {
    let folder = Folder::new();
    let (layout, subject, signature) = signed(&folder);
    let path = |digest: &touchmark_envelope::Digest| folder.path("layout/blobs/sha256").join(digest.hex());
    let mut changed = std::fs::read(path(&signature.digest)).unwrap();
    *changed.last_mut().unwrap() = b' ';
    std::fs::write(path(&signature.digest), &changed).unwrap();
    assert!(matches!(layout.manifest(&signature.digest, 1 << 20), Err(Error::WrongDigest { .. })));
    let mut read = Vec::new();
    let error = layout.blob(&signature.digest).unwrap().1.read_to_end(&mut read).unwrap_err();
    assert!(matches!(Error::carried(error), Ok(Error::WrongDigest { .. })));
    layout.unhashed_blob(&signature.digest).unwrap().1.read_to_end(&mut read).unwrap();
    // Listed by index.json alone, it could have been a signature.
    Foreign(folder.path("layout")).index(&format!(r#"{{"manifests":[{},{}]}}"#, entry(&subject, ""), entry(&signature, "")));
    let found = layout.referrers(&subject.digest, 10, 10_000).unwrap();
    assert!(!found.complete && found.entries.is_empty());
    assert_eq!(found.findings[0].kind, FindingKind::WrongDigest);
    // Writing the right content again mends it.
    let right = Layout::open(layout.root()).unwrap();
    referrer::attach(&right, &subject, b"{}", &Role::Signature).unwrap();
    assert_eq!(listed(&layout, &subject.digest), [signature.digest]);
}

#[test]
fn what_is_stored_must_be_what_was_announced() {
    let folder = Folder::new();
    let layout = Layout::open_or_create(folder.path("layout")).unwrap();
    let right = Descriptor::new("x", Algorithm::Sha512.digest(b"content"), 7);
    for (content, expected) in [
        (b"contenT".as_slice(), right.clone()),
        (b"conten", right.clone()),
        (b"contents", right.clone()),
        (b"content", Descriptor { size: 6, ..right.clone() }),
        (b"content", Descriptor { size: u64::MAX, ..right.clone() }),
    ] {
        let error = layout.put_blob(Some(&expected), &mut { content }).unwrap_err();
        assert!(matches!(error, Error::WrongDigest { .. } | Error::WrongSize { .. }), "{error}");
    }
    assert!(layout.size(&right.digest).unwrap().is_none());
    assert!(support::temporaries(layout.root()).is_empty());
    layout.put_blob(Some(&right), &mut b"content".as_slice()).unwrap();
    // A damaged one is replaced.
    let path = folder.path("layout/blobs/sha512").join(right.digest.hex());
    std::fs::write(&path, b"conTent").unwrap();
    layout.put_blob(Some(&right), &mut b"content".as_slice()).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"content");
}

#[test]
fn malformed_referrers_around_a_good_one_are_found_and_left() {
    let folder = Folder::new();
    let foreign = Foreign::new(folder.path("layout"));
    let subject = foreign.image("one");
    let good = foreign.manifest(IMAGE_MANIFEST, &referrer_manifest(&subject, "good"));
    let mut entries = Vec::new();
    for number in 0..120 {
        let name = format!("bad{number}");
        let text = referrer_manifest(&subject, &name);
        // Two subjects; both kinds of manifest in one; no JSON.
        let text = match number % 3 {
            0 => text.replacen('{', &format!(r#"{{"subject":{},"#, String::from_utf8(subject.to_json().to_vec()).unwrap()), 1),
            1 => text.replacen('{', r#"{"manifests":[],"#, 1),
            _ => text.replace("]", "}"),
        };
        entries.push(entry(&foreign.manifest(IMAGE_MANIFEST, &text), ""));
    }
    entries.insert(60, entry(&good, ""));
    foreign.index(&format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, entries.join(",")));
    let layout = Layout::open(folder.path("layout")).unwrap();
    let found = layout.referrers(&subject.digest, 10_000, 1 << 20).unwrap();
    assert_eq!(found.entries.iter().map(|entry| entry.digest).collect::<Vec<_>>(), [good.digest]);
    assert!(found.complete && found.findings.iter().all(|finding| finding.kind == FindingKind::Malformed));
    assert_eq!(found.findings.len(), 100, "findings are bounded too");
}

#[test]
fn what_is_no_layout_is_said_to_be_none() {
    let folder = Folder::new();
    let code = |result: Result<Layout, Error>| result.unwrap_err().code();
    assert_eq!(Layout::open(folder.path("nothing")).unwrap_err().class(), Class::NotFound);
    assert_eq!(code(Layout::open(folder.root())), "not-a-layout");
    std::fs::write(folder.path("notes.txt"), "").unwrap();
    assert_eq!(code(Layout::open_or_create(folder.root())), "not-a-layout");
    assert_eq!(std::fs::read_dir(folder.root()).unwrap().count(), 1, "nothing was added to it");
    for (marker, expected) in [
        (r#"{"imageLayoutVersion":"1.1.0"}"#, "layout-version"),
        (r#"{"imageLayoutVersion":1}"#, "malformed"),
        (r#"{"imageLayoutVersion":"1.0.0","imageLayoutVersion":"1.0.0"}"#, "malformed"),
        ("", "malformed"),
        (r#"{"imageLayoutVersion":"1.0.0","more":[]}"#, "not-a-layout"),
    ] {
        std::fs::write(folder.path("oci-layout"), marker).unwrap();
        assert_eq!(code(Layout::open(folder.root())), expected, "{marker}");
    }
    std::fs::write(folder.path("index.json"), "{}").unwrap();
    assert!(Layout::open(folder.root()).is_ok(), "an index without a list and no blobs are an empty layout");
    std::fs::write(folder.path("index.json"), "[]").unwrap();
    assert_eq!(Layout::open(folder.root()).unwrap().tags().unwrap_err().class(), Class::Malformed);
}

/// Each of them is read once, and only some are.
#[test]
fn a_thousand_lists_under_one_tag_are_not_all_read() {
    let folder = Folder::new();
    let foreign = Foreign::new(folder.path("layout"));
    let subject = foreign.image("one");
    let tag = format!(r#","annotations":{{"org.opencontainers.image.ref.name":"sha256-{}"}}"#, subject.digest.hex());
    let lists: Vec<Descriptor> = (0..8)
        .map(|number| {
            foreign.manifest("application/vnd.oci.image.index.v1+json", &format!(r#"{{"schemaVersion":2,"n":{number},"manifests":[]}}"#))
        })
        .collect();
    let index = |lists: Vec<&Descriptor>| {
        let entries: Vec<String> = lists.into_iter().map(|list| entry(list, &tag)).collect();
        foreign.index(&format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, entries.join(",")));
        Layout::open(folder.path("layout")).unwrap().referrers(&subject.digest, 10, 10_000).unwrap()
    };
    let same = index(vec![&lists[0]; 1000]);
    assert!(same.complete);
    let many = index(lists.iter().collect());
    assert!(!many.complete && many.findings[0].kind == FindingKind::Stopped);
}

#[test]
fn white_space_and_escapes_hide_no_manifest_from_a_removal() {
    for hide in [
        |text: &str| format!("{}{text}", " ".repeat(600)),
        // The first hexadecimal digit of every digest, escaped.
        |text: &str| {
            let digit = |at: usize| u32::from(text.as_bytes()[at]);
            let parts: Vec<&str> = text.split("sha256:").collect();
            let mut at = 0;
            let mut hidden = String::new();
            for (n, part) in parts.iter().enumerate() {
                if n > 0 {
                    hidden.push_str(&format!("sha256:\\u{:04x}{}", digit(at), &part[1..]));
                } else {
                    hidden.push_str(part);
                }
                at += part.len() + "sha256:".len();
            }
            hidden
        },
    ] {
        let folder = Folder::new();
        let layout = Layout::open_or_create(folder.path("layout")).unwrap();
        let victim = image(&layout, "victim", None);
        let plain = String::from_utf8(layout.manifest(&victim.digest, 1 << 20).unwrap()).unwrap();
        let hidden = hide(&plain);
        let hidden = layout.put_manifest(hidden.as_bytes(), IMAGE_MANIFEST, Some("hidden")).unwrap();
        let layer = Manifest::parse(plain.as_bytes()).unwrap().blobs().last().unwrap().clone();
        // A referrer names the layer as its own config; with its removal the layer must not go.
        let subject = image(&layout, "one", Some("v1"));
        let hostile = format!(
            r#"{{"schemaVersion":2,"mediaType":"{IMAGE_MANIFEST}","artifactType":"a/b","config":{},"layers":[],"subject":{}}}"#,
            String::from_utf8(layer.to_json().to_vec()).unwrap(),
            String::from_utf8(subject.to_json().to_vec()).unwrap(),
        );
        let attached = layout.attach(hostile.as_bytes()).unwrap().descriptor;
        std::fs::remove_file(folder.path("layout/blobs/sha256").join(victim.digest.hex())).unwrap();
        layout.detach(&subject.digest, &attached.digest).unwrap();
        assert!(layout.manifest(&hidden.digest, 1 << 20).is_ok());
        assert_eq!(layout.size(&layer.digest).unwrap(), Some(layer.size), "the layer of the hidden manifest is still there");
    }
}

#[test]
fn white_space_hides_no_unlisted_referrer() {
    let folder = Folder::new();
    let (layout, subject, signature) = signed(&folder);
    let manifest = layout.manifest(&signature.digest, 1 << 20).unwrap();
    let padded = [vec![b' '; 600], manifest].concat();
    let orphan = layout.put_blob(None, &mut padded.as_slice()).unwrap();
    let found = layout.referrers(&subject.digest, 10, 1 << 20).unwrap();
    assert!(found.entries.iter().any(|entry| entry.digest == orphan.digest), "{:?}", found.entries);
}

#[test]
fn the_list_stays_as_private_as_it_was() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::new();
    let layout = Layout::open_or_create(folder.path("layout")).unwrap();
    let index = folder.path("layout/index.json");
    std::fs::set_permissions(&index, std::fs::Permissions::from_mode(0o600)).unwrap();
    image(&layout, "one", Some("v1"));
    assert_eq!(std::fs::metadata(&index).unwrap().permissions().mode() & 0o777, 0o600);
}

/// A referrer that names `blob` as its config, attached to a new artifact and removed again.
fn attach_and_remove_what_names(layout: &Layout, blob: &Descriptor) {
    let subject = image(layout, "one", Some("v1"));
    let hostile = format!(
        r#"{{"schemaVersion":2,"mediaType":"{IMAGE_MANIFEST}","artifactType":"a/b","config":{},"layers":[],"subject":{}}}"#,
        String::from_utf8(blob.to_json().to_vec()).unwrap(),
        String::from_utf8(subject.to_json().to_vec()).unwrap(),
    );
    let attached = layout.attach(hostile.as_bytes()).unwrap().descriptor;
    layout.detach(&subject.digest, &attached.digest).unwrap();
    assert!(layout.size(&attached.digest).unwrap().is_none());
}

#[test]
fn a_removal_takes_no_manifest_that_no_list_has() {
    let folder = Folder::new();
    let (layout, subject, signature) = signed(&folder);
    let manifest = layout.manifest(&signature.digest, 1 << 20).unwrap();
    // As cosign leaves it: among the blobs, and in no list.
    let unlisted = layout.put_blob(None, &mut [manifest.as_slice(), b"\n"].concat().as_slice()).unwrap();
    attach_and_remove_what_names(&layout, &unlisted);
    assert_eq!(layout.size(&unlisted.digest).unwrap(), Some(unlisted.size), "it was somebody's signature");
    let found = layout.referrers(&subject.digest, 10, 1 << 20).unwrap();
    assert!(found.entries.iter().any(|entry| entry.digest == unlisted.digest));
}

#[test]
fn a_removal_spares_what_a_large_document_names() {
    // Larger than a manifest that is read; and with the digest wherever the document is cut to be searched.
    for padding in [4 << 20].into_iter().chain(((1 << 20) + 300..(1 << 20) + 520).step_by(20)) {
        let folder = Folder::new();
        let layout = Layout::open_or_create(folder.path("layout")).unwrap();
        let layer = layout.put_blob(None, &mut b"a layer".as_slice()).unwrap();
        let large = format!(r#"{{"schemaVersion":2,"x":"{}","layers":[{}]}}"#, "x".repeat(padding), entry(&layer, ""));
        layout.put_blob(None, &mut large.as_bytes()).unwrap();
        attach_and_remove_what_names(&layout, &layer);
        assert_eq!(layout.size(&layer.digest).unwrap(), Some(layer.size), "{padding}");
    }
}

#[test]
fn a_large_layer_keeps_nothing_from_being_removed() {
    let folder = Folder::new();
    let layout = Layout::open_or_create(folder.path("layout")).unwrap();
    let layer = layout.put_blob(None, &mut b"a layer".as_slice()).unwrap();
    layout.put_blob(None, &mut vec![7; 5 << 20].as_slice()).unwrap();
    attach_and_remove_what_names(&layout, &layer);
    assert_eq!(layout.size(&layer.digest).unwrap(), None);
}

#[test]
fn a_list_that_is_made_anew_stays_as_private_as_it_was() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::new();
    let layout = Layout::open_or_create(folder.path("layout")).unwrap();
    image(&layout, "one", Some("v1"));
    let index = folder.path("layout/index.json");
    std::fs::write(&index, "{").unwrap();
    std::fs::set_permissions(&index, std::fs::Permissions::from_mode(0o600)).unwrap();
    assert!(layout.repair(false, None).unwrap().rebuilt);
    for entry in std::fs::read_dir(folder.path("layout")).unwrap().map(Result::unwrap) {
        if entry.file_name().to_string_lossy().starts_with("index.json") {
            assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", entry.file_name());
        }
    }
}
