//! Repositories of The Update Framework.

use touchmark_envelope::json::Value;
use touchmark_test_tuf_repository::{EXPIRES_SECONDS, NOW, Repository, Served};

use super::{Case, Expect, Files, Vectors, coded, list, ok};

pub(super) fn add(vectors: &mut Vectors) {
    let mut repository = Repository::new();
    repository.add_target("targets", "acme/x:1", b"abc");
    repository.publish();
    let root = vectors.input("tuf/plain.root.json", repository.file("1.root.json"));
    let folder = vectors.folder("tuf/plain", served(&repository));
    let target = ok().with("length", 3_u64).with("sha256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad".to_owned());
    let targets = list([
        Value::object([("path", Value::from("acme/x:1")), ("expect", target.with("role", "targets".to_owned()).into())]),
        Value::object([("path", Value::from("acme/y:1")), ("expect", super::refused("NOT_FOUND").into())]),
    ]);
    let good = update(&folder, NOW, ok().with("versions", versions(1, 2, 2, 2)));
    let Value::Object(mut good) = good else { panic!("an update is an object") };
    good.insert("targets", targets);
    let expired = update(&folder, EXPIRES_SECONDS, coded("EXPIRED_METADATA", "tuf-expired"));
    let case = Case::new("tuf", "tuf-plain", "an update, and one at the second at which everything expires", "21.3").with("root", root);
    vectors.add(case.with("updates", list([good.into(), expired])));
}

/// An update.
pub(super) fn update(folder: &str, at: i64, expect: Expect) -> Value<'static> {
    Value::object([("repository", Value::from(folder.to_owned())), ("at", Value::from(at)), ("expect", expect.into())])
}

/// The versions that are trusted after an update.
pub(super) fn versions(root: u64, timestamp: u64, snapshot: u64, targets: u64) -> Value<'static> {
    Value::object([("root", root), ("timestamp", timestamp), ("snapshot", snapshot), ("targets", targets)])
}

/// What a repository serves of metadata.
pub(super) fn served(repository: &Repository) -> Files {
    let file = |(path, served): (&String, &Served)| match served {
        Served::File(bytes) => Some((path.clone(), bytes.clone())),
        Served::Failure | Served::Endless => None,
    };
    repository.metadata().iter().filter_map(file).collect()
}
