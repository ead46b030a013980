//! Keys that `trust init` makes: all of their files are written or none, and never over another one.

use std::path::{Path, PathBuf};

use touchmark::envelope::key::{KeyAlgorithm, PublicKey};
use touchmark::envelope::sign::{PrivateKey, Signer};
use touchmark::keys::{Encryption, KeyPair};
use touchmark::tuf::metadata::TopLevel;
use touchmark_verify::exit::Exit;
use touchmark_verify::output::Failure;

use crate::signers::{self, Passphrase};

/// Keys that are made and not written yet.
#[derive(Default)]
pub(super) struct NewKeys {
    keys: Vec<(TopLevel, PathBuf, PrivateKey)>,
}

impl NewKeys {
    /// Makes the key of a role, which will be in this file.
    pub(super) fn make(&mut self, role: TopLevel, file: PathBuf, kind: KeyAlgorithm) -> Result<PublicKey, Failure> {
        let key = touchmark::keys::new_key(kind).map_err(|error| signers::failure(&error))?;
        let public = key.public_key().clone();
        self.keys.push((role, file, key));
        Ok(public)
    }

    /// Asserts that none of their files is there. Such as a run left that was killed may be used by their names.
    pub(super) fn assert_not_there(&self) -> Result<(), Failure> {
        let files = |file: &Path| [file.to_owned(), public_file(file)];
        let there: Vec<PathBuf> =
            self.keys.iter().flat_map(|(_, file, _)| files(file)).filter(|file| file.symlink_metadata().is_ok()).collect();
        let Some(first) = there.first() else { return Ok(()) };
        let private = self.keys.iter().filter(|(_, file, _)| there.contains(file));
        let by_name: Vec<String> = private.map(|(role, file, _)| format!("--{}-key {}", role.name(), file.display())).collect();
        let go_on = match by_name.is_empty() {
            true => String::new(),
            false => format!("; if a run that was interrupted left them, go on with {}", by_name.join(" ")),
        };
        let message = format!("{}: exists already, and keys are never overwritten", first.display());
        Err(Failure::new(Exit::Usage, "exists", message).hint(format!("name another folder with --keys-to{go_on}")))
    }

    /// Writes all of them, or none.
    pub(super) fn write(&self, plain: bool, passphrase: &Passphrase) -> Result<Vec<KeyPair>, Failure> {
        let mut written = Vec::new();
        for (_, file, key) in &self.keys {
            match write_one(file, key, plain, passphrase) {
                Ok(pair) => written.push(pair),
                Err(failure) => return Err(taken_back(&written, failure)),
            }
        }
        Ok(written)
    }

    /// They sign now.
    pub(super) fn into_signers(self) -> impl Iterator<Item = Box<dyn Signer>> {
        self.keys.into_iter().map(|(_, _, key)| -> Box<dyn Signer> { Box::new(key) })
    }
}

fn write_one(file: &Path, key: &PrivateKey, plain: bool, passphrase: &Passphrase) -> Result<KeyPair, Failure> {
    let failed = |error| signers::failure(&error);
    if let Some(folder) = file.parent() {
        touchmark::oci::files::create_folders(folder).map_err(|error| Failure::from(&error))?;
    }
    let passphrase = match plain {
        true => None,
        false => Some(passphrase.source().for_new_key(&file.display().to_string()).map_err(failed)?),
    };
    let encryption = passphrase.as_ref().map_or(Encryption::None, |passphrase| Encryption::Passphrase(passphrase));
    touchmark::keys::write_key_pair(file, key, encryption).map_err(failed)
}

/// Takes the keys away again that were written for a repository which was not made: nobody has trusted them.
pub(super) fn taken_back(written: &[KeyPair], mut failure: Failure) -> Failure {
    let files = written.iter().flat_map(|pair| [&pair.private, &pair.public]);
    let left: Vec<String> =
        files.filter(|file| std::fs::remove_file(file).is_err() && file.exists()).map(|file| file.display().to_string()).collect();
    for folder in written.iter().filter_map(|pair| pair.private.parent()) {
        // If it is empty.
        let _ = std::fs::remove_dir(folder);
    }
    if !left.is_empty() {
        failure.hint = Some(format!("remove {}, which are keys of nothing", left.join(", ")));
    }
    failure
}

/// What is there when signing or publishing failed, and how to go on.
pub(super) fn kept(dir: &Path, written: &[KeyPair], mut failure: Failure) -> Failure {
    let keys: String = written.iter().map(|pair| format!(" --key {}", pair.private.display())).collect();
    let keys = if keys.is_empty() { " --key KEY".to_owned() } else { keys };
    let dir = dir.display();
    failure.hint = Some(format!(
        "the repository is made, with its keys; go on with touchmark trust --dir {dir} sign{keys}, then touchmark trust --dir {dir} publish{keys}"
    ));
    failure
}

fn public_file(private: &Path) -> PathBuf {
    let mut public = private.as_os_str().to_owned();
    public.push(".pub");
    public.into()
}
