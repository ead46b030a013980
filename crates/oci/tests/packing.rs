//! Artifacts from files, indexes of artifacts, and files from artifacts.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // outside of test functions clippy takes a panic for a mistake

use std::collections::BTreeMap;
use std::path::PathBuf;

use touchmark_envelope::digest::Algorithm;
use touchmark_envelope::manifest::{Descriptor, Kind, Manifest, Platform};
use touchmark_oci::image;
use touchmark_oci::pack::{self, About, Child, FILE, UNKNOWN_ARTIFACT, index};
use touchmark_oci::referrer::{self, Role};
use touchmark_oci::unpack::{Existing, TITLE, unpack};
use touchmark_oci::{Class, Error, Layout, Source, Store};

#[path = "support/family.rs"]
mod family;
mod support;
use family::noise;
use support::{Folder, Foreign, image, listed, temporaries};

fn pack(files: &[PathBuf], to: &dyn Store, about: &About, tag: Option<&str>) -> Result<Descriptor, Error> {
    pack::pack(files, to, about, tag, &|_, _| {})
}

fn files(folder: &Folder, names: &[&str]) -> Vec<PathBuf> {
    let write = |name: &&str| {
        let path = folder.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, name).unwrap();
        path
    };
    names.iter().map(write).collect()
}

#[test]
fn files_are_packed_and_unpacked() {
    let folder = Folder::new();
    let layout = Layout::open_or_create(folder.path("layout")).unwrap();
    let mut inputs = files(&folder, &["b.txt", "some/a.txt", "empty"]);
    std::fs::write(&inputs[2], b"").unwrap();
    let large = folder.path("large");
    std::fs::write(&large, noise(1, 3 << 20)).unwrap();
    inputs.push(large);
    let annotations = BTreeMap::from([("key".to_owned(), "a \"value\"".to_owned())]);
    let about = About { artifact_type: Some("application/x-tool".to_owned()), annotations };
    let packed = pack(&inputs, &layout, &about, Some("v1")).unwrap();
    assert_eq!(layout.resolve(Some("v1"), None).unwrap().digest, packed.digest);

    let manifest = Manifest::parse(&layout.manifest(&packed.digest, 1 << 20).unwrap()).unwrap();
    assert_eq!(manifest.artifact_type(), Some("application/x-tool"));
    assert_eq!(manifest.annotations, about.annotations);
    let Kind::Image { config, layers } = manifest.kind else { unreachable!() };
    assert_eq!(config.data.as_deref(), Some(b"{}".as_slice()));
    let titles: Vec<&str> = layers.iter().map(|layer| layer.annotations[TITLE].as_str()).collect();
    assert_eq!(titles, ["b.txt", "a.txt", "empty", "large"]);
    assert!(layers.iter().all(|layer| layer.media_type == FILE));

    // The same files make the same artifact, wherever they are.
    let other = Folder::new();
    let again = Layout::open_or_create(other.path("layout")).unwrap();
    let mut copies = Vec::new();
    for input in &inputs {
        copies.push(other.path(input.file_name().unwrap().to_str().unwrap()));
        std::fs::copy(input, copies.last().unwrap()).unwrap();
    }
    assert_eq!(pack(&copies, &again, &about, None).unwrap().digest, packed.digest);
    assert_ne!(pack(&copies, &again, &About::default(), None).unwrap().digest, packed.digest);

    // Into a folder that is not there, and into one that is.
    std::fs::create_dir(folder.path("there")).unwrap();
    std::fs::write(folder.path("there/mine"), "mine").unwrap();
    for out in ["new/out", "there"] {
        let out = folder.path(out);
        let unpacked = unpack(&layout, &packed.digest, &out, Existing::Refuse).unwrap();
        assert_eq!(
            unpacked.files.iter().map(|file| &file.path).collect::<Vec<_>>(),
            ["b.txt", "a.txt", "empty", "large"].map(|name| out.join(name)).iter().collect::<Vec<_>>()
        );
        assert!(unpacked.files.iter().all(|file| !file.replaced) && unpacked.unnamed.is_empty());
        for (file, input) in unpacked.files.iter().zip(&inputs) {
            assert!(std::fs::read(&file.path).unwrap() == std::fs::read(input).unwrap());
        }
        assert!(temporaries(&out).is_empty() && temporaries(out.parent().unwrap()).is_empty());
    }
    assert_eq!(std::fs::read(folder.path("there/mine")).unwrap(), b"mine");
    assert_eq!(std::fs::read_dir(folder.path("new/out")).unwrap().count(), 4);
}

/// A file that can be executed.
#[cfg(unix)]
fn program(folder: &Folder, name: &str, content: &[u8]) -> PathBuf {
    use std::os::unix::fs::PermissionsExt as _;
    let path = folder.path(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, content).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
    path
}

/// The headers of the members of a tar, and what is in them.
#[cfg(unix)]
fn members(tar: &[u8]) -> Vec<(String, String, Vec<u8>)> {
    let text = |block: &[u8], start: usize, end: usize| {
        String::from_utf8(block[start..end].iter().copied().take_while(|byte| *byte != 0).collect()).unwrap()
    };
    let (mut members, mut rest) = (Vec::new(), tar);
    while rest[0] != 0 {
        let (head, content) = rest.split_at(512);
        let size = usize::from_str_radix(&text(head, 124, 136), 8).unwrap();
        // Mode, owner, group, and the time.
        let facts = format!("{} {} {} {}", text(head, 100, 108), text(head, 108, 116), text(head, 116, 124), text(head, 136, 148));
        members.push((text(head, 0, 100), facts, content[..size].to_vec()));
        rest = &content[size.next_multiple_of(512)..];
    }
    assert_eq!((rest.len(), rest.iter().any(|byte| *byte != 0)), (1024, false));
    members
}

#[cfg(unix)]
#[test]
fn a_program_becomes_an_image_whose_layer_is_the_tar_that_its_config_says() {
    let folder = Folder::new();
    let layout = Layout::open_or_create(folder.path("layout")).unwrap();
    let inputs = [program(&folder, "bin/tool", &noise(3, 70_000)), folder.path("data")];
    std::fs::write(&inputs[1], b"").unwrap();
    let platform = "linux/arm/v7".parse::<Platform>().unwrap();
    let about = About { annotations: BTreeMap::from([("key".to_owned(), "value".to_owned())]), ..About::default() };
    let seen = std::cell::Cell::new((0, 0));
    let made = image::image(&inputs, &platform, &layout, &about, Some("v1"), &|done, all| seen.set((done, all))).unwrap();
    assert_eq!(seen.get(), (70_000, 70_000));

    let manifest = Manifest::parse(&layout.manifest(&made.digest, 1 << 20).unwrap()).unwrap();
    assert_eq!((manifest.artifact_type.as_deref(), &manifest.annotations), (None, &about.annotations));
    let Kind::Image { config, layers } = manifest.kind else { unreachable!() };
    assert_eq!((config.media_type.as_str(), layers.len()), (image::CONFIG, 1));
    assert_eq!(layers[0].media_type, image::LAYER);
    let read = |descriptor: &Descriptor| std::fs::read(layout.root().join("blobs/sha256").join(descriptor.digest.hex())).unwrap();
    let tar = read(&layers[0]);
    assert_eq!(u64::try_from(tar.len()).unwrap(), layers[0].size);
    let root = |mode: &str| format!("{mode} 0000000 0000000 00000000000");
    assert_eq!(members(&tar), [("tool".to_owned(), root("0000755"), noise(3, 70_000)), ("data".to_owned(), root("0000644"), Vec::new())]);
    // The digest of the layer's tar, which is the layer, since it is not compressed.
    let expected = format!(
        r#"{{"architecture":"arm","os":"linux","variant":"v7","config":{{"Entrypoint":["/tool"]}},"rootfs":{{"type":"layers","diff_ids":["{}"]}}}}"#,
        Algorithm::Sha256.digest(&tar)
    );
    assert_eq!(String::from_utf8(read(&config)).unwrap(), expected);

    // The same elsewhere, later, with other permissions for others.
    let other = Folder::new();
    let again = Layout::open_or_create(other.path("layout")).unwrap();
    let copies = [program(&other, "tool", &noise(3, 70_000)), other.path("data")];
    std::fs::write(&copies[1], b"").unwrap();
    std::fs::set_permissions(&copies[0], std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
    assert_eq!(image::image(&copies, &platform, &again, &about, None, &|_, _| {}).unwrap().digest, made.digest);
    // An index takes the platform from it.
    let child = Child { from: &layout, descriptor: made, platform: None };
    let (index, _) = index(&[child], &again, &About::default(), None).unwrap();
    let listed = Manifest::parse(&again.manifest(&index.digest, 1 << 20).unwrap()).unwrap();
    assert_eq!(listed.children()[0].platform, Some(platform));
}

#[cfg(unix)]
#[test]
fn what_makes_no_image_is_refused_before_anything_is_written() {
    let folder = Folder::new();
    let layout = Layout::open_or_create(folder.path("layout")).unwrap();
    let tool = program(&folder, "tool", b"program");
    let plain = files(&folder, &["plain", "b/tool"]);
    let platform = "linux/amd64".parse::<Platform>().unwrap();
    let refused = |inputs: &[PathBuf]| image::image(inputs, &platform, &layout, &About::default(), None, &|_, _| {}).unwrap_err();
    for (inputs, why) in [
        (vec![plain[0].clone()], "cannot be executed"),
        (vec![plain[0].clone(), tool.clone()], "cannot be executed"),
        (vec![tool.clone(), plain[1].clone()], "another file of that name"),
        (vec![tool.clone(), folder.path("b")], "a folder"),
        (vec![tool.clone(), PathBuf::from("/dev/null")], "no regular file"),
        (vec![], "no file was named"),
    ] {
        let error = refused(&inputs);
        assert_eq!((error.class(), error.code()), (Class::Usage, "bad-input"), "{inputs:?}");
        assert!(error.to_string().contains(why), "{error}");
    }
    assert!(layout.roots().unwrap().is_empty());
    assert_eq!(std::fs::read_dir(layout.root().join("blobs/sha256")).unwrap().count(), 0);
}

#[test]
fn what_cannot_be_packed_is_refused_before_anything_is_written() {
    let folder = Folder::new();
    let layout = Layout::open_or_create(folder.path("layout")).unwrap();
    let inputs = files(&folder, &["a", "b/a"]);
    let refused = |inputs: &[PathBuf]| pack(inputs, &layout, &About::default(), Some("v1")).unwrap_err();
    for inputs in [&inputs[..], &[], &[folder.path("b")], &[PathBuf::from("..")]] {
        let error = refused(inputs);
        assert_eq!((error.class(), error.code()), (Class::Usage, "bad-input"), "{inputs:?}");
    }
    assert!(refused(&[folder.path("b")]).hint().unwrap().contains("tar -cf"));
    let missing = refused(&[inputs[0].clone(), folder.path("none")]);
    assert_eq!(missing.class(), Class::NotFound);
    assert!(missing.to_string().contains("none"));
    assert!(layout.roots().unwrap().is_empty());
    assert_eq!(std::fs::read_dir(layout.root().join("blobs/sha256")).unwrap().count(), 0);
    assert_eq!(pack(&inputs[..1], &layout, &About::default(), None).unwrap().artifact_type.as_deref(), Some(UNKNOWN_ARTIFACT));
}

#[test]
fn an_index_takes_platforms_from_configs_or_the_caller_and_brings_signatures_along() {
    let folder = Folder::new();
    let from = Layout::open_or_create(folder.path("from")).unwrap();
    let to = Layout::open_or_create(folder.path("to")).unwrap();
    let platform = |text: &str| Some(text.parse::<Platform>().unwrap());
    // A container image says what it is for.
    let foreign = Foreign::new(folder.path("foreign"));
    let config = r#"{"architecture":"arm","os":"linux","variant":"v7","rootfs":{}}"#;
    let config = Descriptor::new("application/vnd.oci.image.config.v1+json", foreign.blob(config), config.len().try_into().unwrap());
    let text = format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{},"layers":[]}}"#,
        support::entry(&config, "")
    );
    let container = foreign.manifest("application/vnd.oci.image.manifest.v1+json", &text);
    foreign.index(&format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, support::entry(&container, "")));
    let foreign = Layout::open(folder.path("foreign")).unwrap();
    // A packed file does not.
    let input = files(&folder, &["tool"]);
    let tool = pack(&input, &from, &About::default(), Some("amd64")).unwrap();
    referrer::attach(&from, &tool, b"{}", &Role::Signature).unwrap();

    let children = [
        Child { from: &foreign, descriptor: container.clone(), platform: None },
        Child { from: &from, descriptor: tool.clone(), platform: platform("linux/amd64") },
    ];
    let about = About { artifact_type: Some("application/x-index".to_owned()), ..About::default() };
    let (made, reports) = index(&children, &to, &about, Some("v1")).unwrap();
    assert!(reports.iter().all(|report| report.is_whole()));
    let manifest = Manifest::parse(&to.manifest(&made.digest, 1 << 20).unwrap()).unwrap();
    let platforms: Vec<_> = manifest.children().iter().map(|child| child.platform.as_ref().unwrap().to_string()).collect();
    assert_eq!(platforms, ["linux/arm/v7", "linux/amd64"]);
    assert_eq!(manifest.children()[1].artifact_type.as_deref(), Some(UNKNOWN_ARTIFACT));
    assert_eq!(manifest.artifact_type(), Some("application/x-index"));
    assert_eq!(listed(&to, &tool.digest).len(), 1);
    // The index is the only artifact there: its children are parts of it.
    assert_eq!(to.resolve(None, None).unwrap().digest, made.digest);

    let refused = |children: &[Child<'_>]| index(children, &to, &about, None).map(drop).unwrap_err();
    let tool_for = |text| Child { from: &from, descriptor: tool.clone(), platform: platform(text) };
    let other = pack(&files(&folder, &["other"]), &from, &about, None).unwrap();
    assert_eq!(refused(&[]).class(), Class::Usage);
    assert!(refused(&[tool_for("a/b"), tool_for("a/c")]).to_string().contains("twice"));
    let same = Child { from: &from, descriptor: other, platform: platform("a/b") };
    assert!(refused(&[tool_for("a/b"), same]).to_string().contains("same platform"));
    // A child that is not whole makes no index.
    let layer = Algorithm::Sha256.digest(b"tool");
    std::fs::remove_file(from.root().join("blobs/sha256").join(layer.hex())).unwrap();
    let fresh = Layout::open_or_create(folder.path("fresh")).unwrap();
    let error = index(&[tool_for("a/b")], &fresh, &about, Some("v1")).map(drop).unwrap_err();
    assert_eq!(error.class(), Class::NotFound);
    assert!(fresh.resolve(Some("v1"), None).is_err());
}

/// An artifact of `layers`: title and content.
fn artifact(layout: &Layout, layers: &[(Option<&str>, &[u8])]) -> Descriptor {
    let config = layout.put_blob(None, &mut b"{}".as_slice()).unwrap();
    let layers = layers.iter().map(|(title, content)| {
        let mut layer = layout.put_blob(None, &mut { *content }).unwrap();
        layer.annotations.extend(title.map(|title| (TITLE.to_owned(), title.to_owned())));
        support::entry(&layer, "")
    });
    let text = format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{},"layers":[{}]}}"#,
        support::entry(&config, ""),
        layers.collect::<Vec<_>>().join(",")
    );
    layout.put_manifest(text.as_bytes(), "application/vnd.oci.image.manifest.v1+json", None).unwrap()
}

#[test]
fn folders_within_names_are_made() {
    let folder = Folder::new();
    let layout = Layout::open_or_create(folder.path("layout")).unwrap();
    let nested = artifact(&layout, &[(Some("a/b/c"), b"1"), (Some("a/d"), b"2"), (None, b"3")]);
    std::fs::create_dir_all(folder.path("there/a")).unwrap();
    for out in ["new", "there"] {
        let unpacked = unpack(&layout, &nested.digest, &folder.path(out), Existing::Refuse).unwrap();
        assert_eq!((unpacked.files.len(), unpacked.unnamed.len()), (2, 1));
        assert_eq!(std::fs::read(folder.path(out).join("a/b/c")).unwrap(), b"1");
    }
}

#[test]
fn names_that_lead_out_are_refused_and_nothing_is_written() {
    let folder = Folder::new();
    let layout = Layout::open_or_create(folder.path("layout")).unwrap();
    for title in ["../evil", "/evil", "a/../../evil", "", ".", "a//b", "a\u{0}b"] {
        let bad = artifact(&layout, &[(Some("good"), b"1"), (Some(title), b"2")]);
        for (out, made) in [("new", false), ("there", true)] {
            if made {
                std::fs::create_dir_all(folder.path(out)).unwrap();
            }
            let error = unpack(&layout, &bad.digest, &folder.path(out), Existing::Replace).unwrap_err();
            assert_eq!(error.class(), Class::Malformed, "{title:?}: {error}");
            assert_eq!(folder.path(out).exists(), made);
        }
        assert_eq!(std::fs::read_dir(folder.path("there")).unwrap().count(), 0);
    }
    assert!(!folder.path("evil").exists());
    for titles in [["a", "a"], ["a", "a/b"], ["a/b", "a"]] {
        let bad = artifact(&layout, &[(Some(titles[0]), b"1"), (Some(titles[1]), b"2")]);
        assert!(unpack(&layout, &bad.digest, &folder.path("new"), Existing::Refuse).is_err(), "{titles:?}");
        assert!(!folder.path("new").exists() && temporaries(folder.root()).is_empty());
    }
}

#[test]
fn a_layer_that_is_wrong_or_missing_leaves_nothing() {
    let folder = Folder::new();
    let layout = Layout::open_or_create(folder.path("layout")).unwrap();
    let packed = artifact(&layout, &[(Some("first"), b"first"), (Some("second"), b"second")]);
    let path = layout.root().join("blobs/sha256").join(Algorithm::Sha256.digest(b"second").hex());
    std::fs::create_dir_all(folder.path("there")).unwrap();
    for (content, class) in [(Some("SECOND"), Class::WrongDigest), (Some("longer than it"), Class::WrongDigest), (None, Class::NotFound)] {
        match content {
            Some(content) => std::fs::write(&path, content).unwrap(),
            None => std::fs::remove_file(&path).unwrap(),
        }
        for out in ["new", "there"] {
            let error = unpack(&layout, &packed.digest, &folder.path(out), Existing::Replace).unwrap_err();
            assert_eq!(error.class(), class, "{error}");
        }
        assert!(!folder.path("new").exists());
        assert_eq!(std::fs::read_dir(folder.path("there")).unwrap().count(), 0);
        assert!(temporaries(folder.root()).is_empty());
    }
}

#[test]
fn files_that_are_there_stay_unless_replacing_was_asked_for() {
    let folder = Folder::new();
    let layout = Layout::open_or_create(folder.path("layout")).unwrap();
    let packed = artifact(&layout, &[(Some("first"), b"first"), (Some("second"), b"second")]);
    let out = folder.path("out");
    std::fs::create_dir_all(&out).unwrap();
    std::fs::write(out.join("second"), "mine").unwrap();
    let error = unpack(&layout, &packed.digest, &out, Existing::Refuse).unwrap_err();
    assert!(matches!(&error, Error::Exists { path } if *path == out.join("second")), "{error}");
    assert_eq!(std::fs::read(out.join("second")).unwrap(), b"mine");
    assert!(!out.join("first").exists());
    let unpacked = unpack(&layout, &packed.digest, &out, Existing::Replace).unwrap();
    assert_eq!(unpacked.files.iter().map(|file| file.replaced).collect::<Vec<_>>(), [false, true]);
    assert_eq!(std::fs::read(out.join("second")).unwrap(), b"second");
}

#[cfg(unix)]
#[test]
fn links_in_the_folder_are_not_followed() {
    let folder = Folder::new();
    let layout = Layout::open_or_create(folder.path("layout")).unwrap();
    let packed = artifact(&layout, &[(Some("a/file"), b"new"), (Some("b"), b"new")]);
    let outside = folder.path("outside");
    std::fs::create_dir_all(&outside).unwrap();
    std::fs::write(outside.join("file"), "mine").unwrap();
    for (link, target) in [("a", &outside), ("b", &outside.join("file"))] {
        let out = folder.path("out");
        let _ = std::fs::remove_dir_all(&out);
        std::fs::create_dir_all(&out).unwrap();
        std::os::unix::fs::symlink(target, out.join(link)).unwrap();
        let error = unpack(&layout, &packed.digest, &out, Existing::Replace).unwrap_err();
        assert!(matches!(error, Error::Irregular { .. }), "{error}");
        assert_eq!(std::fs::read(outside.join("file")).unwrap(), b"mine");
        assert_eq!(std::fs::read_dir(&outside).unwrap().count(), 1);
        assert!(temporaries(&out).is_empty());
    }
}

#[test]
fn what_has_no_files_says_what_it_is() {
    let folder = Folder::new();
    let layout = Layout::open_or_create(folder.path("layout")).unwrap();
    let family = family::family(&layout);
    let error = unpack(&layout, &family.index.digest, &folder.path("out"), Existing::Refuse).unwrap_err();
    assert!(matches!(error, Error::NoFiles { found: "an index", .. }) && error.hint().unwrap().contains("tree"));
    let plain = image(&layout, "x", None);
    let error = unpack(&layout, &plain.digest, &folder.path("out"), Existing::Refuse).unwrap_err();
    assert_eq!((error.class(), error.code()), (Class::Usage, "no-files"));
    assert!(!folder.path("out").exists());
}
