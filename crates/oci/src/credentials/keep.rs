//! Keeping credentials, and forgetting them: what `login` and `logout` do to helpers and files.

use std::io;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::credential::Credential;
use super::document::{Document, MAX_BYTES};
use super::surroundings::{Place, read_file};
use super::{Search, environment, helper};
use crate::access::Access;
use crate::error::Error;
use crate::lock::Lock;
use crate::platform;
use crate::temporary::{self, Durability, Temporary};

/// How often a change begins anew because another program changed the file.
const ATTEMPTS: usize = 64;

/// Who keeps credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keeper {
    /// A helper's program, `docker-credential-NAME`.
    Helper(String),
    /// A file, which holds them without encryption.
    File(PathBuf),
}

impl std::fmt::Display for Keeper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Keeper::Helper(name) => f.write_str(name),
            Keeper::File(path) => write!(f, "{}", path.display()),
        }
    }
}

/// What became of credentials that were to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Who keeps them.
    pub keeper: Keeper,
    /// What is looked at before, and has credentials for the same registry: these are used.
    pub overridden_by: Option<String>,
}

/// What became of credentials that were to be forgotten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forgotten {
    /// Who kept them, and does not any more.
    pub keepers: Vec<Keeper>,
    /// What else has credentials for the same registry, and still is used.
    pub remaining: Option<String>,
}

/// Keeps the credentials for the registry at `host`: by the helper that the credentials' file names for it, else in the file itself.
/// That is the file that [`find`](super::find) looks at first; it is made, for its owner alone, if it is not there.
///
/// # Errors
/// [`Error::Configuration`]: the file or the helper cannot be used; or the file cannot be written.
pub fn store(host: &str, credential: &Credential, access: &Access) -> Result<Kept, Error> {
    Search::new(host, "", &environment, helper::TIME_LIMIT).store(credential, access)
}

/// Forgets the credentials for the registry at `host`, where [`store`] keeps them.
///
/// # Errors
/// As for [`store`].
pub fn erase(host: &str, access: &Access) -> Result<Forgotten, Error> {
    Search::new(host, "", &environment, helper::TIME_LIMIT).erase(access)
}

impl Search<'_> {
    pub(super) fn store(&self, credential: &Credential, access: &Access) -> Result<Kept, Error> {
        let path = self.surroundings.file(access)?;
        let keeper = self.with_document(&path, |document| {
            let helper = self.helper(document, &path.display().to_string())?;
            let Some(helper) = helper else { return Ok(None) };
            helper.store(self.server.key(), credential)?;
            // What the file holds besides would only be a copy that nobody looks at.
            Ok(Some((Keeper::Helper(helper.name().to_owned()), document.has_entry(&self.server))))
        })?;
        let keeper = match keeper {
            Some((keeper, copied)) => {
                if copied {
                    self.edit(&path, None)?;
                }
                keeper
            }
            None => {
                self.edit(&path, Some(credential))?;
                Keeper::File(path)
            }
        };
        let before: Vec<Place> = self.surroundings.places(access).into_iter().filter(|place| *place == Place::Variable).collect();
        let overridden_by = self.first(&before)?.map(|(place, _)| place.to_string());
        Ok(Kept { keeper, overridden_by })
    }

    pub(super) fn erase(&self, access: &Access) -> Result<Forgotten, Error> {
        let path = self.surroundings.file(access)?;
        let mut keepers = Vec::new();
        let written = self.with_document(&path, |document| {
            if let Some(helper) = self.helper(document, &path.display().to_string())?
                && helper.erase(self.server.key())?
            {
                keepers.push(Keeper::Helper(helper.name().to_owned()));
            }
            Ok(document.has_entry(&self.server))
        })?;
        if written {
            self.edit(&path, None)?;
            keepers.push(Keeper::File(path));
        }
        // A named file that is not there holds nothing.
        let places = self.surroundings.places(access).into_iter().map(|place| match place {
            Place::Named(path) => Place::File(path),
            place => place,
        });
        let remaining = self.first(&places.collect::<Vec<_>>())?.map(|(place, _)| place.to_string());
        Ok(Forgotten { keepers, remaining })
    }

    /// What `look` finds in the document at `path`; one that is not there is empty.
    fn with_document<T>(&self, path: &Path, look: impl FnOnce(&Document<'_>) -> Result<T, Error>) -> Result<T, Error> {
        let bytes = read_file(path)?.unwrap_or_default();
        look(&Document::parse(&bytes).map_err(|reason| wrong(path, reason))?)
    }

    /// Puts the credential into the file at `path`, or takes out what is there: under the lock, whole or not at all, and anew if another
    /// program, which takes no lock, changed it in between. What a link leads to is changed, as Docker does.
    fn edit(&self, path: &Path, credential: Option<&Credential>) -> Result<(), Error> {
        let target = match std::fs::symlink_metadata(path) {
            Ok(metadata) if metadata.is_symlink() => {
                std::fs::canonicalize(path).map_err(|error| wrong(path, format!("is a link that leads nowhere: {error}")))?
            }
            _ => path.to_owned(),
        };
        let failed = |error: io::Error| Error::writing(&target, error);
        let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        platform::create_private_folders(folder).map_err(failed)?;
        let _lock = Lock::take(folder)?;
        temporary::sweep(folder).map_err(failed)?;
        for _ in 0..ATTEMPTS {
            let before = read_file(&target)?;
            let after = self.changed(path, before.as_deref().map_or(&[], Vec::as_slice), credential)?;
            let mut temporary = Temporary::create_private(folder).map_err(failed)?;
            temporary.keep_owner(&target);
            temporary.keep_permissions(&target).map_err(failed)?;
            temporary.write(&after).map_err(failed)?;
            temporary.sync(Durability::Synced).map_err(failed)?;
            if read_file(&target)? == before {
                temporary.publish(&target).map_err(failed)?;
                return temporary::sync_folder(folder, Durability::Synced).map_err(failed);
            }
        }
        Err(Error::Contended { path: target })
    }

    fn changed(&self, path: &Path, bytes: &[u8], credential: Option<&Credential>) -> Result<Zeroizing<Vec<u8>>, Error> {
        let document = Document::parse(bytes).map_err(|reason| wrong(path, reason))?;
        let after = document.with(&self.server, credential).map_err(|reason| wrong(path, reason))?;
        // What could not be read again is not written.
        if after.len() > MAX_BYTES { Err(wrong(path, "would be larger than 1 MiB".to_owned())) } else { Ok(after) }
    }
}

fn wrong(path: &Path, reason: String) -> Error {
    Error::Configuration { what: path.display().to_string(), reason }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credentials::testing::{Home, basic, configuration};
    use std::time::Duration;

    fn store(home: &Home, credential: &Credential, access: &Access) -> Result<Kept, Error> {
        home.with("localhost:5000", "", Duration::from_secs(20), |search| search.store(credential, access))
    }

    fn erase(home: &Home, access: &Access) -> Result<Forgotten, Error> {
        home.with("localhost:5000", "", Duration::from_secs(20), |search| search.erase(access))
    }

    fn names(path: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn what_is_kept_is_found_and_forgotten() {
        let home = Home::new();
        let file = home.path(".docker/config.json");
        assert_eq!(erase(&home, &Access::default()).unwrap(), Forgotten { keepers: vec![], remaining: None });
        let kept = store(&home, &basic("alice", "one"), &Access::default()).unwrap();
        assert_eq!(kept, Kept { keeper: Keeper::File(file.clone()), overridden_by: None });
        assert_eq!(home.find().unwrap(), Some(basic("alice", "one")));
        store(&home, &basic("alice", "two"), &Access::default()).unwrap();
        assert_eq!(home.find().unwrap(), Some(basic("alice", "two")));
        assert_eq!(names(&home.path(".docker")), [".touchmark.lock", "config.json"]);
        assert_eq!(erase(&home, &Access::default()).unwrap(), Forgotten { keepers: vec![Keeper::File(file)], remaining: None });
        assert_eq!(home.find().unwrap(), None);
    }

    #[cfg(unix)]
    #[test]
    fn a_new_file_is_its_owners_alone_and_an_old_one_stays_as_it_is() {
        use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
        let home = Home::new();
        let mode = |name: &str| std::fs::metadata(home.path(name)).unwrap().permissions().mode() & 0o7777;
        store(&home, &basic("a", "b"), &Access::default()).unwrap();
        assert_eq!((mode(".docker"), mode(".docker/config.json")), (0o700, 0o600));
        std::fs::set_permissions(home.path(".docker/config.json"), std::fs::Permissions::from_mode(0o640)).unwrap();
        // Only the superuser can make a file that is another's.
        let superuser = std::os::unix::fs::chown(home.path(".docker/config.json"), Some(12345), Some(12346)).is_ok();
        store(&home, &basic("a", "c"), &Access::default()).unwrap();
        assert_eq!(mode(".docker/config.json"), 0o640);
        let metadata = std::fs::metadata(home.path(".docker/config.json")).unwrap();
        assert!(!superuser || (metadata.uid(), metadata.gid()) == (12345, 12346));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_and_what_it_leads_to_is_written() {
        let home = Home::new();
        let target = home.file("dotfiles/docker.json", r#"{"psFormat":"x"}"#);
        home.file(".docker/other", "");
        std::os::unix::fs::symlink("../dotfiles/docker.json", home.path(".docker/config.json")).unwrap();
        store(&home, &basic("a", "b"), &Access::default()).unwrap();
        assert!(std::fs::symlink_metadata(home.path(".docker/config.json")).unwrap().is_symlink());
        let text = home.read("dotfiles/docker.json");
        assert!(text.contains("psFormat") && text.contains("localhost:5000"), "{text}");
        assert_eq!(names(&home.path(".docker")), ["config.json", "other"]);
        std::fs::remove_file(target).unwrap();
        assert!(configuration(store(&home, &basic("a", "b"), &Access::default())).contains("leads nowhere"));
    }

    #[test]
    fn the_file_that_is_named_is_written() {
        let mut home = Home::new();
        let option = Access { registry_config: Some(home.path("new/option.json")), ..Access::default() };
        assert_eq!(store(&home, &basic("o", "p"), &option).unwrap().keeper, Keeper::File(home.path("new/option.json")));
        home.set("DOCKER_CONFIG", home.path("docker"));
        assert_eq!(store(&home, &basic("d", "p"), &Access::default()).unwrap().keeper, Keeper::File(home.path("docker/config.json")));
        home.set("REGISTRY_AUTH_FILE", home.path("podman.json"));
        assert_eq!(store(&home, &basic("r", "p"), &Access::default()).unwrap().keeper, Keeper::File(home.path("podman.json")));
        assert_eq!(home.find().unwrap(), Some(basic("r", "p")));
        assert_eq!(erase(&home, &option).unwrap().keepers, [Keeper::File(home.path("new/option.json"))]);
        assert_eq!(home.find().unwrap(), Some(basic("r", "p")));
    }

    #[test]
    fn credentials_elsewhere_are_reported() {
        let mut home = Home::new();
        home.set("DOCKER_AUTH_CONFIG", r#"{"auths":{"https://localhost:5000":{"auth":"YTpi"}}}"#);
        let kept = store(&home, &basic("alice", "one"), &Access::default()).unwrap();
        assert_eq!(kept.overridden_by.as_deref(), Some("DOCKER_AUTH_CONFIG"));
        assert_eq!(erase(&home, &Access::default()).unwrap().remaining.as_deref(), Some("DOCKER_AUTH_CONFIG"));
        home.unset("DOCKER_AUTH_CONFIG");
        let podman = home.file(".config/containers/auth.json", r#"{"auths":{"localhost:5000":{"auth":"YTpi"}}}"#);
        assert_eq!(store(&home, &basic("alice", "one"), &Access::default()).unwrap().overridden_by, None);
        assert_eq!(erase(&home, &Access::default()).unwrap().remaining, Some(podman.display().to_string()));
    }

    #[test]
    fn a_broken_file_is_left_as_it_is() {
        let home = Home::new();
        let text = r#"{"auths":{"localhost:5000":{}},}"#;
        home.file(".docker/config.json", text);
        assert!(configuration(store(&home, &basic("a", "b"), &Access::default())).contains("config.json: "));
        assert!(configuration(erase(&home, &Access::default())).contains("config.json: "));
        assert_eq!(home.read(".docker/config.json"), text);
        let text = format!(r#"{{"x":"{}"}}"#, "x".repeat(MAX_BYTES - 10));
        home.file(".docker/config.json", &text);
        assert!(configuration(store(&home, &basic("a", "b"), &Access::default())).contains("would be larger"));
        assert_eq!(home.read(".docker/config.json"), text);
    }

    #[cfg(unix)]
    #[test]
    fn a_helper_keeps_what_it_is_named_for() {
        let home = Home::new();
        let kept = home.path("kept");
        let file = kept.display();
        let script = format!(
            "case $1 in store) cat >{file} ;; get) cat {file} 2>/dev/null || {{ echo credentials not found; exit 1; }} ;; erase) rm {file} ;; esac"
        );
        home.helper("x", &script);
        home.file(".docker/config.json", r#"{"credsStore":"x","auths":{"localhost:5000":{"auth":"b2xkOm9sZA=="},"other":{}}}"#);
        let stored = store(&home, &basic("alice", "one"), &Access::default()).unwrap();
        assert_eq!(stored.keeper, Keeper::Helper("docker-credential-x".to_owned()));
        assert_eq!(home.find().unwrap(), Some(basic("alice", "one")));
        // The old copy is gone, and the new one is nowhere in the file.
        let text = home.read(".docker/config.json");
        assert!(!text.contains("localhost:5000") && text.contains("\"other\": {}"), "{text}");
        let forgotten = erase(&home, &Access::default()).unwrap();
        assert_eq!(forgotten.keepers, [Keeper::Helper("docker-credential-x".to_owned())]);
        assert!(!kept.exists());
        home.helper("x", "echo locked; exit 1");
        assert!(configuration(store(&home, &basic("a", "b"), &Access::default())).contains("docker-credential-x: store failed"));
    }

    #[test]
    fn writers_at_the_same_time_lose_nothing() {
        let home = Home::new();
        let home = &home;
        std::thread::scope(|scope| {
            for number in 0..8 {
                scope.spawn(move || {
                    let host = format!("localhost:{}", 5000 + number);
                    let store = |search: &Search<'_>| search.store(&basic("a", "b"), &Access::default());
                    let variables = |name: &str| (name == crate::platform::HOME_VARIABLE).then(|| home.path("").into_os_string());
                    store(&Search::new(&host, "", &variables, Duration::from_secs(20))).unwrap();
                });
            }
        });
        let text = home.read(".docker/config.json");
        assert!((0..8).all(|number| text.contains(&format!("\"localhost:{}\"", 5000 + number))), "{text}");
    }
}
