//! OCI layouts in tars: ours are read by others, others' by us, and what two readers would understand differently by nobody.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)] // outside of test functions clippy takes a panic for a mistake

use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use touchmark_envelope::digest::Algorithm;
use touchmark_envelope::manifest::IMAGE_MANIFEST;
use touchmark_oci::archive::{Draft, Fault, Instead};
use touchmark_oci::copy::{Options, copy, copy_to_archive, tagged};
use touchmark_oci::referrer::{self, Role};
use touchmark_oci::{Archive, Class, Error, Layout, Source, Store, Upkeep};

#[path = "support/family.rs"]
mod family;
mod support;
use family::{family, noise, tree};
use support::{Folder, image, listed};

/// A layout with the whole family, and an artifact whose digests are sha512, so that names are long.
fn made(folder: &Folder) -> (Layout, Vec<String>) {
    let layout = Layout::open_or_create(folder.path("layout")).unwrap();
    let index = family(&layout).index;
    let (manifest, blobs) = support::image_manifest("long");
    for blob in blobs {
        layout.put_blob(None, &mut blob.as_slice()).unwrap();
    }
    layout.put_manifest_as(Algorithm::Sha512, manifest.as_bytes(), IMAGE_MANIFEST, Some("long")).unwrap();
    let tree = tree(&layout, &index);
    (layout, tree)
}

fn exported(layout: &Layout, file: &Path) {
    let report = copy_to_archive(layout, &tagged(layout, None).unwrap(), file, &Options::default()).unwrap();
    assert!(report.is_whole(), "{report:?}");
}

fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn python(script: &str, arguments: &[&Path]) -> String {
    let arguments: Vec<&str> = arguments.iter().map(|path| path.to_str().unwrap()).collect();
    run("python3", &[&["-c", script], arguments.as_slice()].concat())
}

/// Checks a layout against the tree that it was made from.
fn check(source: &dyn Source, wanted: &[String]) {
    assert_eq!(tree(source, &source.resolve(Some("v1"), None).unwrap()), wanted);
    let long = source.resolve(Some("long"), None).unwrap();
    assert_eq!(long.digest.algorithm(), Algorithm::Sha512);
    source.manifest(&long.digest, 1 << 20).unwrap();
}

#[test]
fn ours_are_extracted_by_gnu_tar_and_python() {
    let folder = Folder::new();
    let (layout, tree) = made(&folder);
    let file = folder.path("x.tar");
    exported(&layout, &file);
    for (name, extract) in [("gnu", None), ("python", Some("import sys, tarfile; tarfile.open(sys.argv[1]).extractall(sys.argv[2])"))] {
        let to = folder.path(name);
        std::fs::create_dir(&to).unwrap();
        match extract {
            None => drop(run("tar", &["-xf", file.to_str().unwrap(), "-C", to.to_str().unwrap()])),
            Some(script) => drop(python(script, &[&file, &to])),
        }
        check(&Layout::open(&to).unwrap(), &tree);
    }
    let members = run("tar", &["--utc", "--numeric-owner", "-tvf", file.to_str().unwrap()]);
    let names: Vec<&str> = members.lines().map(|line| line.split_whitespace().last().unwrap()).collect();
    assert_eq!(names[..4], ["oci-layout", "index.json", "blobs/", "blobs/sha256/"]);
    assert!(names[2..].is_sorted(), "{names:#?}");
    assert!(members.lines().all(|line| line.contains(" 0/0 ") && line.contains(" 1970-01-01 00:00 ")), "{members}");
}

#[test]
fn the_same_content_makes_the_same_tar() {
    let folder = Folder::new();
    let (layout, _) = made(&folder);
    exported(&layout, &folder.path("one.tar"));
    exported(&layout, &folder.path("two.tar"));
    let again = Layout::open_or_create(folder.path("again")).unwrap();
    let one = Archive::open(folder.path("one.tar")).unwrap();
    copy(&one, &tagged(&one, None).unwrap(), &again, &Options::default()).unwrap();
    let tar = std::fs::read(folder.path("one.tar")).unwrap();
    assert!(tar == std::fs::read(folder.path("two.tar")).unwrap());
    assert_eq!(tar.len() % 512, 0);
}

#[test]
fn theirs_are_read() {
    let folder = Folder::new();
    let (layout, tree) = made(&folder);
    let root = layout.root().to_str().unwrap();
    let file = folder.path("x.tar");
    let name = file.to_str().unwrap();
    for format in ["gnu", "oldgnu", "pax"] {
        run("tar", &["--format", format, "-C", root, "-cf", name, "."]);
        check(&Archive::open(&file).unwrap(), &tree);
        run("tar", &["--format", format, "-b", "1", "-C", root, "-cf", name, "blobs", "index.json", "oci-layout"]);
        check(&Archive::open(&file).unwrap(), &tree);
    }
    for format in ["GNU_FORMAT", "PAX_FORMAT"] {
        let script = format!(
            "import sys, tarfile\nwith tarfile.open(sys.argv[1], 'w', format=tarfile.{format}) as out: out.add(sys.argv[2], arcname='.')"
        );
        python(&script, &[&file, layout.root()]);
        check(&Archive::open(&file).unwrap(), &tree);
    }
    // These have no room for the long names.
    std::fs::remove_dir_all(layout.root().join("blobs/sha512")).unwrap();
    for format in ["ustar", "v7"] {
        run("tar", &["--format", format, "-C", root, "-cf", name, "."]);
        let archive = Archive::open(&file).unwrap();
        assert_eq!(tree, self::tree(&archive, &archive.resolve(Some("v1"), None).unwrap()));
    }
}

fn open_fault(file: &Path) -> Fault {
    match Archive::open(file).unwrap_err() {
        Error::Archive { fault, .. } => fault,
        other => panic!("{other}"),
    }
}

#[test]
fn what_is_no_plain_tar_of_a_layout_is_refused_with_a_hint() {
    let folder = Folder::new();
    let (layout, _) = made(&folder);
    let file = folder.path("x.tar");
    let name = file.to_str().unwrap();
    let root = layout.root().to_str().unwrap();
    exported(&layout, &file);
    run("gzip", &["-k", name]);
    let error = Archive::open(folder.path("x.tar.gz")).unwrap_err();
    assert_eq!((error.class(), error.code()), (Class::Usage, "bad-archive"));
    assert!(error.hint().unwrap().contains("gunzip"), "{:?}", error.hint());
    // One folder too many.
    run("tar", &["-C", folder.root().to_str().unwrap(), "-cf", name, "layout"]);
    assert_eq!(open_fault(&file), Fault::NoLayout { missing: "index.json", found: Instead::Nested { folder: "layout".to_owned() } });
    // Before docker save wrote OCI layouts.
    let docker = folder.path("docker");
    std::fs::create_dir(&docker).unwrap();
    std::fs::write(docker.join("manifest.json"), "[]").unwrap();
    run("tar", &["-C", docker.to_str().unwrap(), "-cf", name, "manifest.json"]);
    let error = Archive::open(&file).unwrap_err();
    assert!(error.hint().unwrap().contains("skopeo copy docker-archive:"), "{:?}", error.hint());
    // Changed with tar -r: the index is there twice.
    std::fs::remove_file(&file).unwrap();
    exported(&layout, &file);
    run("tar", &["-C", root, "-rf", name, "index.json"]);
    let error = Archive::open(&file).unwrap_err();
    assert!(matches!(&error, Error::Archive { fault: Fault::Duplicate { name }, .. } if name == "index.json"), "{error}");
    assert_eq!(error.class(), Class::Malformed);
    // Sparse, in the old way.
    run("tar", &["--format", "gnu", "-C", root, "-cf", name, "index.json", "oci-layout"]);
    std::fs::File::create(layout.root().join("hole")).unwrap().set_len(1 << 20).unwrap();
    run("tar", &["--format", "gnu", "--sparse", "-C", root, "-cf", name, "hole", "index.json", "oci-layout"]);
    assert!(matches!(open_fault(&file), Fault::Type { flag: 'S', .. }));
    // In the new way a sparse file is told apart, and the rest is read.
    run("tar", &["--format", "pax", "--sparse", "-C", root, "-cf", name, "hole", "index.json", "oci-layout", "blobs"]);
    let archive = Archive::open(&file).unwrap();
    assert_eq!(archive.findings().len(), 1, "{:?}", archive.findings());
    assert!(archive.resolve(Some("v1"), None).is_ok());
    // No file at all.
    assert_eq!(Archive::open(folder.path("none")).unwrap_err().class(), Class::NotFound);
    assert!(matches!(Archive::open(folder.root()).unwrap_err(), Error::Irregular { found: "a folder", .. }));
    run("mkfifo", &[folder.path("pipe").to_str().unwrap()]);
    assert!(matches!(Archive::open(folder.path("pipe")).unwrap_err(), Error::Irregular { .. }));
    std::fs::write(&file, "").unwrap();
    assert_eq!(open_fault(&file), Fault::NoEnd);
}

/// Writes a tar with Python: pairs of name and content, or name and a line of Python that changes the member `t`.
fn crafted(file: &Path, layout: &Layout, members: &str) {
    let script = format!(
        "import sys, tarfile, io, os\n\
         out = tarfile.open(sys.argv[1], 'w', format=tarfile.GNU_FORMAT)\n\
         def put(name, data=b'', **kw):\n    t = tarfile.TarInfo(name); t.size = len(data)\n    for k, v in kw.items(): setattr(t, k, v)\n    out.addfile(t, io.BytesIO(data))\n\
         root = sys.argv[2]\n\
         def add(*names):\n    for name in names: out.add(os.path.join(root, name), arcname=name)\n\
         {members}\nout.close()\n"
    );
    python(&script, &[file, layout.root()]);
}

#[test]
fn links_and_devices_never_satisfy_a_blob() {
    let folder = Folder::new();
    let layout = Layout::open_or_create(folder.path("layout")).unwrap();
    let artifact = image(&layout, "one", Some("v1"));
    let blob = format!("blobs/sha256/{}", artifact.digest.hex());
    let content = layout.manifest(&artifact.digest, 1 << 20).unwrap();
    std::fs::write(folder.path("content"), &content).unwrap();
    let others = "add('oci-layout', 'index.json')";
    let file = folder.path("x.tar");
    for (what, class, member) in [
        (
            "symbolic link",
            Class::Malformed,
            format!("put('{blob}', type=tarfile.SYMTYPE, linkname='{}')", folder.path("content").display()),
        ),
        (
            "hard link",
            Class::Malformed,
            format!("add('{blob}'); out.members.clear(); put('{blob}', type=tarfile.LNKTYPE, linkname='{blob}')"),
        ),
        ("hard link alone", Class::Malformed, format!("put('{blob}', type=tarfile.LNKTYPE, linkname='index.json')")),
        ("device", Class::Malformed, format!("put('{blob}', type=tarfile.CHRTYPE, devmajor=1, devminor=5)")),
        ("pipe", Class::Malformed, format!("put('{blob}', type=tarfile.FIFOTYPE)")),
        ("folder", Class::Malformed, format!("put('{blob}', type=tarfile.DIRTYPE)")),
    ] {
        crafted(&file, &layout, &format!("{others}\n{member}"));
        let archive = match Archive::open(&file) {
            // The file and the link of one name.
            Err(error) => {
                assert_eq!((what, error.class()), ("hard link", Class::Malformed), "{error}");
                continue;
            }
            Ok(archive) => archive,
        };
        let listed = archive.resolve(Some("v1"), None).unwrap();
        let error = archive.manifest(&listed.digest, 1 << 20).unwrap_err();
        assert_eq!(error.class(), class, "{what}: {error}");
        assert!(archive.blob(&listed.digest).is_err(), "{what}");
        assert!(archive.findings().len() == 1 || what == "folder", "{what}: {:?}", archive.findings());
        // Nor does it get into a folder.
        let to = Layout::open_or_create(folder.path("to")).unwrap();
        let report = copy(&archive, &tagged(&archive, None).unwrap(), &to, &Options::default()).unwrap();
        assert_eq!(report.class(), Some(class), "{what}");
        assert_eq!(Source::size(&to, &artifact.digest).unwrap(), None, "{what}");
    }
    // The index itself.
    crafted(&file, &layout, "add('oci-layout'); put('index.json', type=tarfile.SYMTYPE, linkname='oci-layout')");
    assert_eq!(open_fault(&file), Fault::NoFile { name: "index.json", what: "a symbolic link" });
}

/// Each of these is a good OCI layout for one reader, and another one for the next.
#[test]
fn what_two_readers_unpack_differently_is_refused() {
    let folder = Folder::new();
    let layout = Layout::open_or_create(folder.path("layout")).unwrap();
    let artifact = image(&layout, "one", Some("v1"));
    let blob = format!("blobs/sha256/{}", artifact.digest.hex());
    let file = folder.path("x.tar");
    for (what, members) in [
        ("absolute", "put('/index.json', b'{}')".to_owned()),
        ("dots", "put('blobs/../index.json', b'{}')".to_owned()),
        ("dots at the start", "put('../index.json', b'{}')".to_owned()),
        ("dots that GNU tar cuts", "put('x/y/../index.json', b'{}')".to_owned()),
        ("through a link", "put('x', type=tarfile.SYMTYPE, linkname='.'); put('x/index.json', b'{}')".to_owned()),
        ("over a link", "put('x', type=tarfile.SYMTYPE, linkname='index.json'); put('x', b'{}')".to_owned()),
        ("over a hard link", "put('x', type=tarfile.LNKTYPE, linkname='index.json'); put('x', b'{}')".to_owned()),
        ("another case", "put('INDEX.JSON', b'{}')".to_owned()),
        ("another case of the folder", format!("put('Blobs{}', b'x')", blob.trim_start_matches("blobs"))),
        (
            "another case of the digest",
            format!("put('{}', b'x')", blob.replace(artifact.digest.hex().as_str(), &artifact.digest.hex().to_uppercase())),
        ),
        ("a drive", "put('C:/index.json', b'{}')".to_owned()),
        ("a backslash", "put('.\\\\index.json', b'{}')".to_owned()),
        ("below a file", "put('index.json/x', b'{}')".to_owned()),
        ("a blob by dots", format!("put('x/../{blob}', b'x')")),
        ("a blob by an absolute name", format!("put('/{blob}', b'x')")),
    ] {
        crafted(&file, &layout, &format!("add('oci-layout', 'index.json', 'blobs')\n{members}"));
        let fault = open_fault(&file);
        assert!(matches!(fault, Fault::Ambiguous { .. } | Fault::ThroughLink { .. }), "{what}: {fault}");
    }
    crafted(&file, &layout, "add('oci-layout', 'index.json')\nput('blobs', type=tarfile.SYMTYPE, linkname='x')");
    assert_eq!(open_fault(&file), Fault::Ambiguous { name: "blobs".to_owned() });
    // What leads elsewhere is left out and reported, and the rest is read.
    crafted(
        &file,
        &layout,
        "add('oci-layout', 'index.json', 'blobs'); put('/etc/passwd'); put('../x'); put('y', type=tarfile.SYMTYPE, linkname='/')",
    );
    let archive = Archive::open(&file).unwrap();
    assert_eq!(archive.findings().len(), 3);
    assert!(archive.manifest(&artifact.digest, 1 << 20).is_ok());
}

#[test]
fn a_blob_of_another_digest_is_refused_when_it_is_read() {
    let folder = Folder::new();
    let layout = Layout::open_or_create(folder.path("layout")).unwrap();
    let artifact = image(&layout, "one", Some("v1"));
    let file = folder.path("x.tar");
    exported(&layout, &file);
    let tar = std::fs::read(&file).unwrap();
    let manifest = layout.manifest(&artifact.digest, 1 << 20).unwrap();
    let at = tar.windows(manifest.len()).position(|window| window == manifest).unwrap();
    let mut changed = tar.clone();
    changed[at + manifest.len() - 1] = b' ';
    std::fs::write(&file, changed).unwrap();
    let archive = Archive::open(&file).unwrap();
    assert_eq!(archive.manifest(&artifact.digest, 1 << 20).unwrap_err().class(), Class::WrongDigest);
    let copied = std::io::copy(&mut archive.blob(&artifact.digest).unwrap().1, &mut std::io::sink());
    assert_eq!(Error::carried(copied.unwrap_err()).unwrap().class(), Class::WrongDigest);
}

#[test]
fn a_tar_that_is_cut_anywhere_is_refused() {
    let folder = Folder::new();
    let layout = Layout::open_or_create(folder.path("layout")).unwrap();
    image(&layout, "one", Some("v1"));
    let file = folder.path("x.tar");
    exported(&layout, &file);
    let tar = std::fs::read(&file).unwrap();
    for length in (0..tar.len() - 1024).step_by(97) {
        std::fs::write(&file, &tar[..length]).unwrap();
        assert!(matches!(open_fault(&file), Fault::Truncated | Fault::NoEnd), "{length}");
    }
    // Cut while it is read.
    std::fs::write(&file, &tar).unwrap();
    let archive = Archive::open(&file).unwrap();
    std::fs::OpenOptions::new().write(true).open(&file).unwrap().set_len(1024).unwrap();
    assert!(archive.resolve(Some("v1"), None).is_err());
}

#[test]
fn a_gigabyte_in_place_of_a_manifest_is_refused_unread() {
    let folder = Folder::new();
    let layout = Layout::open_or_create(folder.path("layout")).unwrap();
    let artifact = image(&layout, "one", Some("v1"));
    let file = folder.path("x.tar");
    let blob = format!("blobs/sha256/{}", artifact.digest.hex());
    // The header says a gibibyte, and the file has one, as a hole.
    crafted(&file, &layout, "add('oci-layout', 'index.json')");
    let plain = std::fs::read(&file).unwrap();
    let used = plain.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    let end = u64::try_from(used.next_multiple_of(512)).unwrap();
    let header = run(
        "python3",
        &[
            "-c",
            &format!(
                "import tarfile, sys; t = tarfile.TarInfo('{blob}'); t.size = 1 << 30; sys.stdout.write(t.tobuf(tarfile.USTAR_FORMAT).decode())"
            ),
        ],
    );
    let mut tar = std::fs::OpenOptions::new().write(true).open(&file).unwrap();
    tar.set_len(end).unwrap();
    tar.seek(SeekFrom::Start(end)).unwrap();
    tar.write_all(header.as_bytes()).unwrap();
    tar.set_len(end + 512 + (1 << 30) + 1024).unwrap();
    let archive = Archive::open(&file).unwrap();
    assert_eq!(archive.size(&artifact.digest).unwrap(), Some(1 << 30));
    let error = archive.manifest(&artifact.digest, 4 << 20).unwrap_err();
    assert!(matches!(error, Error::TooLarge { size, limit, .. } if size == 1 << 30 && limit == 4 << 20), "{error}");
    assert_eq!(error.class(), Class::Cap);
}

#[test]
fn drafts_of_one_tar_wait_for_one_another() {
    let folder = Folder::new();
    let file = folder.path("x.tar");
    let draft = Draft::open_or_create(&file).unwrap();
    let artifact = image(&draft, "one", Some("v1"));
    assert!(!file.exists());
    assert!(draft.commit().unwrap().is_empty());
    std::thread::scope(|scope| {
        for number in 0..8 {
            let (file, artifact) = (&file, &artifact);
            scope.spawn(move || {
                let draft = Draft::open_or_create(file).unwrap();
                referrer::attach(&draft, artifact, format!("{{\"n\":{number}}}").as_bytes(), &Role::Signature).unwrap();
                draft.commit().unwrap();
            });
        }
    });
    assert_eq!(listed(&Archive::open(&file).unwrap(), &artifact.digest).len(), 8);
    let left: Vec<PathBuf> = std::fs::read_dir(folder.root()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(left, [file], "something was left behind");
}

/// Programs that know nothing of the lock: what they wrote is not lost.
#[test]
fn a_tar_that_another_program_wrote_in_the_meantime_is_left() {
    let folder = Folder::new();
    let layout = Layout::open_or_create(folder.path("layout")).unwrap();
    let artifact = image(&layout, "one", Some("v1"));
    let file = folder.path("x.tar");
    exported(&layout, &file);
    let ours = std::fs::read(&file).unwrap();
    let later = || std::time::SystemTime::now() + std::time::Duration::from_secs(60);
    let renamed = |content: &[u8]| {
        let modified = std::fs::metadata(&file).unwrap().modified().unwrap();
        std::fs::write(folder.path("theirs"), content).unwrap();
        std::fs::File::options().write(true).open(folder.path("theirs")).unwrap().set_modified(modified).unwrap();
        std::fs::rename(folder.path("theirs"), &file).unwrap();
    };
    let rewritten = |content: &[u8]| {
        std::fs::write(&file, content).unwrap();
        std::fs::File::options().write(true).open(&file).unwrap().set_modified(later()).unwrap();
    };
    let appended = |content: &[u8]| {
        let modified = std::fs::metadata(&file).unwrap().modified().unwrap();
        std::fs::write(&file, content).unwrap();
        std::fs::File::options().write(true).open(&file).unwrap().set_modified(modified).unwrap();
    };
    let longer = [ours.as_slice(), &[0; 512]].concat();
    type Change<'a> = (&'a str, &'a dyn Fn(&[u8]), &'a [u8]);
    let changes: [Change<'_>; 3] = [("renamed", &renamed, &ours), ("rewritten", &rewritten, &ours), ("appended", &appended, &longer)];
    for (what, change, theirs) in changes {
        std::fs::write(&file, &ours).unwrap();
        let draft = Draft::open_or_create(&file).unwrap();
        referrer::attach(&draft, &artifact, b"{}", &Role::Signature).unwrap();
        change(theirs);
        let error = draft.commit().unwrap_err();
        assert!(matches!(&error, Error::Contended { path } if path.ends_with("x.tar")), "{what}: {error}");
        assert!(error.class() == Class::Unavailable && error.is_retryable());
        assert_eq!(std::fs::read(&file).unwrap(), theirs, "{what}");
        // Once more, it works.
        let draft = Draft::open_or_create(&file).unwrap();
        referrer::attach(&draft, &artifact, b"{}", &Role::Signature).unwrap();
        draft.commit().unwrap();
        assert_eq!(listed(&Archive::open(&file).unwrap(), &artifact.digest).len(), 1);
    }
    // One that is made where none was, and one that is removed.
    let draft = Draft::open_or_create(folder.path("new.tar")).unwrap();
    image(&draft, "two", Some("v2"));
    std::fs::write(folder.path("new.tar"), "theirs").unwrap();
    assert!(matches!(draft.commit(), Err(Error::Contended { .. })));
    assert_eq!(std::fs::read(folder.path("new.tar")).unwrap(), b"theirs");
    let draft = Draft::open_or_create(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    assert!(matches!(draft.commit(), Err(Error::Contended { .. })));
    assert!(!file.exists());
    let mut left: Vec<_> = std::fs::read_dir(folder.root()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort_unstable();
    assert_eq!(left, ["layout", "new.tar"], "something was left behind");
}

#[test]
fn a_draft_keeps_what_it_does_not_change() {
    let folder = Folder::new();
    let layout = Layout::open_or_create(folder.path("layout")).unwrap();
    let artifact = image(&layout, "one", Some("v1"));
    let large = layout.put_blob(None, &mut noise(1, 5 << 20).as_slice()).unwrap();
    std::fs::write(layout.root().join("README"), "theirs").unwrap();
    let file = folder.path("x.tar");
    run("tar", &["-C", layout.root().to_str().unwrap(), "-cf", file.to_str().unwrap(), "."]);
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    std::os::unix::fs::symlink(&file, folder.path("link.tar")).unwrap();
    let draft = Draft::open_or_create(folder.path("link.tar")).unwrap();
    assert_eq!(draft.location(), format!("oci-archive:{}", folder.path("link.tar").display()));
    let signature = referrer::attach(&draft, &artifact, b"{}", &Role::Signature).unwrap().descriptor.digest;
    // Dropped without being committed, it leaves no trace.
    drop(draft);
    assert_eq!(listed(&Archive::open(&file).unwrap(), &artifact.digest), []);
    let draft = Draft::open_or_create(folder.path("link.tar")).unwrap();
    referrer::attach(&draft, &artifact, b"{}", &Role::Signature).unwrap();
    draft.commit().unwrap();
    use std::os::unix::fs::PermissionsExt;
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    // The link is still one.
    assert!(folder.path("link.tar").symlink_metadata().unwrap().is_symlink());
    let archive = Archive::open(&file).unwrap();
    assert_eq!(listed(&archive, &artifact.digest), [signature]);
    let (size, mut reader) = archive.blob(&large.digest).unwrap();
    assert_eq!(std::io::copy(&mut reader, &mut std::io::sink()).unwrap(), size);
    assert_eq!(run("tar", &["-xOf", file.to_str().unwrap(), "README"]), "theirs");
    // Repair and detach work on it as on a folder.
    let draft = Draft::open_or_create(&file).unwrap();
    assert!(draft.repair(false, None).unwrap().is_clean());
    draft.detach(&artifact.digest, &signature).unwrap();
    draft.commit().unwrap();
    let archive = Archive::open(&file).unwrap();
    assert_eq!(listed(&archive, &artifact.digest), []);
    assert_eq!(archive.size(&signature).unwrap(), None);
}
