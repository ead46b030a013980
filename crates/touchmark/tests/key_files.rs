//! Key files: modes, refusals, and that nothing is overwritten or left half written.
#![cfg(feature = "sign")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use touchmark::envelope::key::{KeyAlgorithm, KeyError};
use touchmark::envelope::sign::Signer as _;
use touchmark::keys::{Encryption, Held, KeyFileError, KeySource, PassphraseFile, Passphrases, new_key, open_signers, write_key_pair};

const PATIENCE: Duration = Duration::from_secs(60);

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("touchmark-keys-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn source(path: &Path) -> KeySource {
    KeySource::from(path.as_os_str())
}

#[test]
fn a_pair_is_written_and_read() {
    let folder = Folder::new("pair");
    for algorithm in KeyAlgorithm::SIGNING {
        let key = new_key(algorithm).unwrap();
        let pair = write_key_pair(&folder.0.join(algorithm.name()), &key, Encryption::None).unwrap();
        assert_eq!(pair.public, folder.0.join(format!("{algorithm}.pub")));
        assert_eq!(source(&pair.private).private_key(&mut Passphrases::none()).unwrap().public_key(), key.public_key());
        assert_eq!(&source(&pair.public).public_key(PATIENCE).unwrap(), key.public_key());
        let shown = source(&pair.private).any_key(&mut Passphrases::none(), PATIENCE).unwrap();
        assert!(matches!(&shown, Held::Private(held) if held.public_key() == key.public_key()));
        assert!(matches!(source(&pair.public).any_key(&mut Passphrases::none(), PATIENCE).unwrap(), Held::Public(_)));
        // Each where the other is needed.
        let refused = source(&pair.private).public_key(PATIENCE);
        assert!(matches!(refused, Err(KeyFileError::Key { error: KeyError::Private { .. }, .. })));
        let refused = source(&pair.public).private_key(&mut Passphrases::none());
        assert!(matches!(refused, Err(KeyFileError::Key { error: KeyError::Public, .. })));
    }
    assert_eq!(folder.names().len(), 6, "{:?}", folder.names());
}

#[test]
fn an_encrypted_key_needs_its_passphrase() {
    let folder = Folder::new("encrypted");
    let key = new_key(KeyAlgorithm::Ed25519).unwrap();
    let path = folder.0.join("key");
    let refused = write_key_pair(&path, &key, Encryption::Passphrase(b""));
    assert!(matches!(refused, Err(KeyFileError::Key { error: KeyError::EmptyPassphrase, .. })));
    assert!(folder.names().is_empty());
    write_key_pair(&path, &key, Encryption::Passphrase(b"secret")).unwrap();
    assert!(fs::read_to_string(&path).unwrap().starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"));
    let read = |content: &str| {
        let file = folder.0.join("passphrase");
        fs::write(&file, content).unwrap();
        source(&path).private_key(&mut Passphrases::none().file(PassphraseFile::File(file)))
    };
    assert_eq!(read("secret\n").unwrap().public_key(), key.public_key());
    assert!(matches!(read("Secret\n"), Err(KeyFileError::Key { error: KeyError::WrongPassphrase, .. })));
    let refused = source(&path).private_key(&mut Passphrases::none());
    assert!(matches!(refused, Err(KeyFileError::Key { error: KeyError::PassphraseNeeded, .. })));
}

#[test]
fn nothing_is_overwritten() {
    let folder = Folder::new("exists");
    let (key, other) = (new_key(KeyAlgorithm::Ed25519).unwrap(), new_key(KeyAlgorithm::Ed25519).unwrap());
    let path = folder.0.join("key");
    write_key_pair(&path, &key, Encryption::None).unwrap();
    let before = (fs::read(&path).unwrap(), fs::read(folder.0.join("key.pub")).unwrap());
    assert!(matches!(write_key_pair(&path, &other, Encryption::None), Err(KeyFileError::Exists { path: found }) if found == path));
    // Only the public key is there: the private one is not written either.
    fs::remove_file(&path).unwrap();
    let refused = write_key_pair(&path, &other, Encryption::None);
    assert!(matches!(refused, Err(KeyFileError::Exists { path }) if path.ends_with("key.pub")));
    assert_eq!(folder.names(), ["key.pub"]);
    assert_eq!(fs::read(folder.0.join("key.pub")).unwrap(), before.1);
}

#[test]
fn what_cannot_be_written_leaves_nothing() {
    let folder = Folder::new("unwritable");
    let key = new_key(KeyAlgorithm::Ed25519).unwrap();
    let refused = write_key_pair(&folder.0.join("none/key"), &key, Encryption::None);
    assert!(matches!(refused, Err(KeyFileError::Write { .. })));
    assert!(folder.names().is_empty());
}

#[test]
fn one_key_in_two_files_is_one_signer() {
    let folder = Folder::new("twice");
    let key = new_key(KeyAlgorithm::EcdsaP256).unwrap();
    write_key_pair(&folder.0.join("a"), &key, Encryption::None).unwrap();
    write_key_pair(&folder.0.join("b"), &key, Encryption::None).unwrap();
    let sources = [source(&folder.0.join("a")), source(&folder.0.join("b"))];
    assert_eq!(open_signers(&sources, &mut Passphrases::none(), PATIENCE).unwrap().len(), 1);
}

#[test]
fn sources_that_are_not_there_say_so() {
    let read = |text: &str| KeySource::from(std::ffi::OsStr::new(text)).private_key(&mut Passphrases::none());
    assert!(matches!(read("env:TOUCHMARK_TEST_NO_SUCH_VARIABLE"), Err(KeyFileError::NoVariable { .. })));
    assert!(matches!(read("/nonexistent/key"), Err(KeyFileError::Read { .. })));
    assert!(matches!(read("exec:true"), Err(KeyFileError::NotAKeyFile { .. })));
}

#[cfg(unix)]
mod modes {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn a_private_key_is_its_owners_alone() {
        let folder = Folder::new("modes");
        let key = new_key(KeyAlgorithm::Ed25519).unwrap();
        let pair = write_key_pair(&folder.0.join("key"), &key, Encryption::None).unwrap();
        assert_eq!(mode(&pair.private), 0o600);
        assert_eq!(mode(&pair.public) & !0o044, 0o600);
        let read = || source(&pair.private).private_key(&mut Passphrases::none());
        let show = || source(&pair.private).any_key(&mut Passphrases::none(), PATIENCE);
        for unsafe_mode in [0o640, 0o604, 0o620, 0o602, 0o610, 0o644, 0o666, 0o777] {
            fs::set_permissions(&pair.private, fs::Permissions::from_mode(unsafe_mode)).unwrap();
            assert!(matches!(read(), Err(KeyFileError::UnsafeMode { mode, .. }) if mode == unsafe_mode));
            assert!(matches!(show(), Err(KeyFileError::UnsafeMode { .. })));
        }
        for safe_mode in [0o400, 0o600, 0o700] {
            fs::set_permissions(&pair.private, fs::Permissions::from_mode(safe_mode)).unwrap();
            assert!(read().is_ok() && show().is_ok());
        }
        // A link is as safe as what it leads to.
        let link = folder.0.join("link");
        std::os::unix::fs::symlink(&pair.private, &link).unwrap();
        assert!(source(&link).private_key(&mut Passphrases::none()).is_ok());
        fs::set_permissions(&pair.private, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(source(&link).private_key(&mut Passphrases::none()), Err(KeyFileError::UnsafeMode { .. })));
        // Anybody may read a public key.
        assert!(source(&pair.public).public_key(PATIENCE).is_ok());
    }

    #[test]
    fn a_dangling_link_is_not_written_through() {
        let folder = Folder::new("dangling");
        let key = new_key(KeyAlgorithm::Ed25519).unwrap();
        std::os::unix::fs::symlink(folder.0.join("elsewhere"), folder.0.join("key")).unwrap();
        assert!(matches!(write_key_pair(&folder.0.join("key"), &key, Encryption::None), Err(KeyFileError::Exists { .. })));
        assert_eq!(folder.names(), ["key"]);
    }
}
