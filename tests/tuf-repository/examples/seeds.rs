//! Writes the inputs that the fuzz targets of TUF start from: `seeds FOLDER`, which is testdata/seeds.

use std::fs;
use std::path::{Path, PathBuf};

use touchmark_test_tuf_repository::{Delegation, Key, Repository, json};

fn write(folder: &Path, target: &str, name: &str, content: &[u8]) -> std::io::Result<()> {
    let folder = folder.join(target);
    fs::create_dir_all(&folder)?;
    fs::write(folder.join(name), content)
}

/// An answer of the target `tuf_client`.
fn answer(kind: u8, bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
    [&[kind], length.to_le_bytes().as_slice(), bytes].concat()
}

fn main() -> std::io::Result<()> {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| "testdata/seeds".to_owned()));
    let mut repository = Repository::new().with_hashes();
    let keys = [Key::ed25519("acme"), Key::p256("acme"), Key::p384("acme"), Key::p256_point("acme")];
    repository.delegate("targets", Delegation::new("acme").paths(&["acme/*", "?/*.tar"]).keys(2, &keys).terminating());
    repository.delegate("targets", Delegation::new("hashes").prefixes(&["0", "f1"]));
    repository.add_target("targets", "file", b"content");
    repository.set("targets", "/targets/file/custom", json(r#"{"a":[1,null,"é"]}"#));
    repository.publish();
    repository.set_keys("root", 1, &[Key::ed25519("root"), Key::p256("root")]);
    repository.publish();
    let mut bins = Repository::new();
    bins.delegate("targets", Delegation::bins("bin", 1));
    for (role, target) in [("root", "tuf_root"), ("timestamp", "tuf_timestamp"), ("snapshot", "tuf_snapshot"), ("targets", "tuf_targets")] {
        write(&folder, target, "document.json", repository.file(&repository.path(role)))?;
        repository.set(role, "/version", if matches!(role, "root" | "snapshot" | "targets") { 2_u64 } else { 5 });
        write(&folder, target, "signed.json", &repository.signed(role).to_vec())?;
        write(&folder, target, "indented.json", &repository.signed(role).to_pretty())?;
    }
    bins.set("targets", "/version", 2_u64);
    write(&folder, "tuf_targets", "bins.json", &bins.signed("targets").to_vec())?;

    let honest = |answers: usize| answer(0, b"").repeat(answers);
    // The first byte: which target, and which runs.
    write(&folder, "tuf_client", "honest", &[b"\xc3", honest(8).as_slice()].concat())?;
    for (name, kind, bytes) in [
        ("absent", 1, b"".as_slice()),
        ("failed", 2, b""),
        ("too_large", 3, b""),
        ("bytes", 4, b"{\"signatures\":[],\"signed\":{}}"),
        ("changed", 5, b"\x40\0\"\x50\0x"),
        ("another", 6, b"\x04"),
    ] {
        for at in [0, 1, 2, 3, 5] {
            let plan = u8::try_from(at).unwrap_or(0) + 0x80;
            let input = [&[plan], honest(at).as_slice(), &answer(kind, bytes)].concat();
            write(&folder, "tuf_client", &format!("{name}-{at}"), &input)?;
        }
    }
    for (at, role) in [(0, "root"), (1, "timestamp"), (2, "snapshot"), (3, "targets")] {
        let input = [b"\x01", honest(at).as_slice(), &answer(7, &repository.signed(role).to_vec())].concat();
        write(&folder, "tuf_client", &format!("signed-{role}"), &input)?;
    }

    for (name, pattern, path) in [
        ("star", "targets/*.tgz", "targets/foo.tgz"),
        ("question", "foo-version-?.tgz", "foo-version-2.tgz"),
        ("deep", "*/*/c", "a/b/c"),
        ("backtrack", "*a*b*c*", "xxaxxbxxcxx"),
        ("unicode", "caf?/*", "caf\u{e9}/\u{1f600}"),
        ("names", "../x", "..%2Fx"),
        ("cases", "ROOT", "Root"),
    ] {
        write(&folder, "tuf_pattern", name, format!("{pattern}\n{path}").as_bytes())?;
    }
    Ok(())
}
