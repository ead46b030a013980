//! A user's home for the tests of this folder: files, variables, and helpers that are shell scripts.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use super::surroundings::Surroundings;
use super::{Credential, Search};
use crate::access::Access;
use crate::error::Error;
use crate::testing::Folder;

/// The home, removed when dropped.
pub(super) struct Home {
    folder: Folder,
    variables: BTreeMap<String, OsString>,
}

impl Home {
    /// An empty one, with a folder for programs in `PATH`.
    pub(super) fn new() -> Self {
        let folder = Folder::new();
        std::fs::create_dir(folder.path("bin")).unwrap();
        let path = std::env::join_paths([folder.path("bin"), PathBuf::from("/bin"), PathBuf::from("/usr/bin")]).unwrap();
        let home = folder.root().as_os_str().to_owned();
        let variables = [(crate::platform::HOME_VARIABLE.to_owned(), home), ("PATH".to_owned(), path)];
        Self { folder, variables: variables.into() }
    }

    pub(super) fn set(&mut self, name: &str, value: impl Into<OsString>) {
        self.variables.insert(name.to_owned(), value.into());
    }

    pub(super) fn unset(&mut self, name: &str) {
        self.variables.remove(name);
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path(name)
    }

    /// Writes a file, and the folders above it.
    pub(super) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    pub(super) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// Makes a helper of this shell script. Another process writes it: a program that this one has open for writing, be it for a
    /// child of another thread that is about to begin, cannot be run.
    #[cfg(unix)]
    pub(super) fn helper(&self, name: &str, script: &str) {
        use std::io::Write as _;
        let path = self.path("bin").join(format!("docker-credential-{name}"));
        let mut writer = std::process::Command::new("sh");
        writer.args(["-c", r#"cat >"$0" && chmod 755 "$0""#]).arg(&path).stdin(std::process::Stdio::piped());
        let mut writer = writer.spawn().unwrap();
        write!(writer.stdin.take().unwrap(), "#!/bin/sh\n{script}\n").unwrap();
        assert!(writer.wait().unwrap().success());
    }

    /// Searches here.
    pub(super) fn with<T>(&self, host: &str, repository: &str, patience: Duration, look: impl FnOnce(&Search<'_>) -> T) -> T {
        let variables = |name: &str| self.variables.get(name).cloned();
        look(&Search::new(host, repository, &variables, patience))
    }

    pub(super) fn surroundings<T>(&self, look: impl FnOnce(&Surroundings<'_>) -> T) -> T {
        let variables = |name: &str| self.variables.get(name).cloned();
        look(&Surroundings::of(&variables))
    }

    /// What is found here for a repository.
    pub(super) fn find_by(&self, host: &str, repository: &str, access: &Access) -> Result<Option<Credential>, Error> {
        self.with(host, repository, Duration::from_secs(20), |search| {
            let places = search.surroundings.places(access);
            Ok(search.first(&places)?.map(|(_, credential)| credential))
        })
    }

    /// What is found here for `localhost:5000/acme/app`.
    pub(super) fn find(&self) -> Result<Option<Credential>, Error> {
        self.find_by("localhost:5000", "acme/app", &Access::default())
    }
}

/// A user name and a password.
pub(super) fn basic(username: &str, password: &str) -> Credential {
    Credential::login(username, zeroize::Zeroizing::new(password.to_owned())).unwrap()
}

/// The reason of an [`Error::Configuration`], with what it is about before it.
#[track_caller]
pub(super) fn configuration<T: std::fmt::Debug>(result: Result<T, Error>) -> String {
    match result {
        Err(error @ Error::Configuration { .. }) => error.to_string(),
        other => panic!("no error of the configuration: {other:?}"),
    }
}
