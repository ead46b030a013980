//! What the process finds about it: environment variables, and by them the files that may hold credentials.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::document::MAX_BYTES;
use crate::access::Access;
use crate::error::Error;
use crate::platform;

/// A document in a variable.
pub(super) const DOCUMENT_VARIABLE: &str = "DOCKER_AUTH_CONFIG";
/// podman's: the file in place of the usual ones.
const FILE_VARIABLE: &str = "REGISTRY_AUTH_FILE";
/// Docker's: the folder of config.json.
const FOLDER_VARIABLE: &str = "DOCKER_CONFIG";

/// The environment, or a test's.
pub(super) struct Surroundings<'a> {
    variables: &'a dyn Fn(&str) -> Option<OsString>,
}

/// Where a document with credentials may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In [`DOCUMENT_VARIABLE`].
    Variable,
    /// In a file that may not be there.
    File(PathBuf),
    /// In a file that somebody named, and that must be there.
    Named(PathBuf),
}

impl<'a> Surroundings<'a> {
    /// Of these variables.
    pub(super) fn of(variables: &'a dyn Fn(&str) -> Option<OsString>) -> Self {
        Self { variables }
    }

    /// A variable, unless it is empty.
    pub(super) fn variable(&self, name: &str) -> Option<OsString> {
        (self.variables)(name).filter(|value| !value.is_empty())
    }

    /// The places that are looked at, in this order.
    ///
    /// A named file is the only one. Otherwise the variable with a document comes first, as for Docker since 28.3; then the file that
    /// podman's variable names, which takes the place of all others as it does for podman; else Docker's file, which most
    /// programs write, and then podman's.
    pub(super) fn places(&self, access: &Access) -> Vec<Place> {
        if let Some(path) = &access.registry_config {
            return vec![Place::Named(path.clone())];
        }
        let mut places = Vec::new();
        if self.variable(DOCUMENT_VARIABLE).is_some() {
            places.push(Place::Variable);
        }
        if let Some(path) = self.variable(FILE_VARIABLE) {
            places.push(Place::Named(path.into()));
            return places;
        }
        places.extend(self.docker_file().map(Place::File));
        let podman = |folder: PathBuf| Place::File(folder.join("containers").join("auth.json"));
        places.extend(self.variable("XDG_RUNTIME_DIR").map(PathBuf::from).map(podman));
        let configuration = self.variable("XDG_CONFIG_HOME").map(PathBuf::from).or_else(|| Some(self.home()?.join(".config")));
        places.extend(configuration.map(podman));
        places
    }

    /// The file that credentials are written to: the one that is looked at first.
    ///
    /// # Errors
    /// Nothing says where the user's files are.
    pub(super) fn file(&self, access: &Access) -> Result<PathBuf, Error> {
        let named = access.registry_config.clone().or_else(|| self.variable(FILE_VARIABLE).map(PathBuf::from));
        named.or_else(|| self.docker_file()).ok_or_else(|| Error::Configuration {
            what: platform::HOME_VARIABLE.to_owned(),
            reason: "is not set, and neither is DOCKER_CONFIG: nothing says where the credentials' file is".to_owned(),
        })
    }

    fn docker_file(&self) -> Option<PathBuf> {
        let folder = self.variable(FOLDER_VARIABLE).map(PathBuf::from).or_else(|| Some(self.home()?.join(".docker")));
        folder.map(|folder| folder.join("config.json"))
    }

    fn home(&self) -> Option<PathBuf> {
        self.variable(platform::HOME_VARIABLE).map(PathBuf::from)
    }

    /// The bytes of the document at a place; `None` if there is none.
    ///
    /// # Errors
    /// [`Error::Configuration`]: it cannot be read, or is too large; or a named one is not there.
    pub(super) fn read(&self, place: &Place) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
        let path = match place {
            Place::Variable => {
                let bytes = self.variable(DOCUMENT_VARIABLE).map(|value| Zeroizing::new(value.into_encoded_bytes()));
                return match bytes {
                    Some(bytes) if bytes.len() > MAX_BYTES => Err(place.error("is larger than 1 MiB".to_owned())),
                    bytes => Ok(bytes),
                };
            }
            Place::File(path) | Place::Named(path) => path,
        };
        match read_file(path) {
            Ok(None) => match place {
                Place::Named(_) => Err(place.error("is not there".to_owned())),
                _ => Ok(None),
            },
            read => read,
        }
    }
}

impl Place {
    /// An error of this document.
    pub(super) fn error(&self, reason: String) -> Error {
        Error::Configuration { what: self.to_string(), reason }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Place::Variable => f.write_str(DOCUMENT_VARIABLE),
            Place::File(path) | Place::Named(path) => write!(f, "{}", path.display()),
        }
    }
}

/// The bytes of a credentials' file, which may be a link; `None` if it is not there.
///
/// # Errors
/// [`Error::Configuration`]: it cannot be read, or is too large.
pub(super) fn read_file(path: &Path) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
    let failed = |reason: String| Error::Configuration { what: path.display().to_string(), reason };
    let limit = MAX_BYTES + 1;
    let read = || -> io::Result<Zeroizing<Vec<u8>>> {
        let file = File::open(path)?;
        // In one piece, so that no copy is left behind while it grows.
        let expected = usize::try_from(file.metadata()?.len()).unwrap_or(limit).min(limit);
        let mut bytes = Zeroizing::new(Vec::with_capacity(expected.max(4096) + 32));
        file.take(u64::try_from(limit).unwrap_or(u64::MAX)).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    match read() {
        Ok(bytes) if bytes.len() > MAX_BYTES => Err(failed("is larger than 1 MiB".to_owned())),
        Ok(bytes) => Ok(Some(bytes)),
        // A home that is no folder, such as /dev/null, has no files.
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(failed(format!("cannot be read: {error}"))),
    }
}
