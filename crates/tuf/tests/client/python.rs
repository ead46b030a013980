//! A repository by python-tuf with every type of key that it signs with (testdata/tuf/python), RSA among them.

use touchmark_test_tuf_repository::Repository;

use crate::machine::Machine;

/// The repository, and a client that trusts its root.
fn repository() -> (Repository, Machine) {
    let mut repository = Repository::new();
    for path in repository.metadata().keys().cloned().collect::<Vec<_>>() {
        repository.lose(&path);
    }
    for (path, bytes) in [
        ("1.root.json", include_bytes!("../../../../testdata/tuf/python/1.root.json").as_slice()),
        ("timestamp.json", include_bytes!("../../../../testdata/tuf/python/timestamp.json")),
        ("1.snapshot.json", include_bytes!("../../../../testdata/tuf/python/1.snapshot.json")),
        ("1.targets.json", include_bytes!("../../../../testdata/tuf/python/1.targets.json")),
        ("1.acme.json", include_bytes!("../../../../testdata/tuf/python/1.acme.json")),
        ("1.hashed.json", include_bytes!("../../../../testdata/tuf/python/1.hashed.json")),
        ("1.bin-0.json", include_bytes!("../../../../testdata/tuf/python/1.bin-0.json")),
        ("1.bin-1.json", include_bytes!("../../../../testdata/tuf/python/1.bin-1.json")),
    ] {
        repository.serve(path, bytes.to_vec());
    }
    let machine = Machine::new(&repository);
    (repository, machine)
}

#[test]
#[cfg(feature = "rsa")]
fn a_repository_by_python_tuf_with_rsa_keys_is_read() {
    let (repository, mut machine) = repository();
    for (target, role, length) in [("file", "targets", 7), ("acme/tool", "acme", 4), ("x/y", "bin-", 8)] {
        let found = machine.find(&repository, target).unwrap().found.unwrap();
        assert!(found.role.as_str().starts_with(role) && found.target.length == length, "{target}: {found:?}");
    }
    assert_eq!(machine.find(&repository, "none").unwrap().found, None);
}

#[test]
#[cfg(feature = "rsa")]
fn an_rsa_signature_over_other_bytes_is_refused() {
    let (mut repository, mut machine) = repository();
    let changed = String::from_utf8(repository.file("timestamp.json").to_vec()).unwrap().replace("2040-01-01", "2041-01-01");
    repository.serve("timestamp.json", changed.into_bytes());
    assert_eq!(machine.refresh(&repository).unwrap_err().code(), "tuf-threshold");
}

#[test]
#[cfg(not(feature = "rsa"))]
fn without_the_feature_an_rsa_key_counts_for_nothing() {
    let (repository, mut machine) = repository();
    assert_eq!(machine.refresh(&repository).unwrap_err().code(), "tuf-threshold-unreachable");
}
