//! Signatures that come back from elsewhere.

use std::path::{Path, PathBuf};

use touchmark_oci::files;
use touchmark_tuf::repository::Mandate;

use super::sign::{mandates, missing, welcome};
use super::{Repository, RepositoryError, state};

/// Bytes of signatures that a copy may have besides.
const SIGNATURES: u64 = 1 << 20;

/// What was taken from a document that came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gathered {
    /// The file.
    pub file: PathBuf,
    /// The role whose staged document says the same.
    pub role: String,
    /// How many signatures were new.
    pub added: usize,
    /// How many are still needed.
    pub missing: u64,
}

impl Repository {
    /// Takes the signatures from a copy of a staged document, whatever its name, or from all of those in the folder `staged` of a copy of
    /// the repository. Only signatures are taken, and only of documents that say what is staged here.
    ///
    /// # Errors
    /// [`RepositoryError::SaysOther`] of a file that says something else.
    pub fn gather(&self, from: &Path) -> Result<Vec<Gathered>, RepositoryError> {
        let folder = from.is_dir();
        let files = if folder { documents(from)? } else { vec![from.to_owned()] };
        let mut state = self.state()?;
        let staged = state.staged_names()?;
        let limit = self.longest_copy(&staged)?;
        let mut gathered = Vec::new();
        for file in files {
            let document = match state::read_at_most(&file, limit) {
                Ok(Some(document)) => document,
                Ok(None) => return Err(RepositoryError::Missing { file }),
                // What lies beside the copies in a folder is in nobody's way: no document, a link or folder, or longer than a copy can be.
                Err(
                    RepositoryError::Document { .. }
                    | RepositoryError::File(touchmark_oci::Error::TooLarge { .. } | touchmark_oci::Error::Irregular { .. }),
                ) if folder => continue,
                Err(RepositoryError::File(touchmark_oci::Error::TooLarge { .. })) => return Err(RepositoryError::SaysOther { file }),
                Err(error) => return Err(error),
            };
            let before = gathered.len();
            // Documents of several roles may say the same, such as those of new bins.
            for role in &staged {
                if !state.staged(role)?.is_some_and(|staged| staged.says_the_same_as(&document)) {
                    continue;
                }
                let mandates = mandates(&mut state, role)?;
                let all: Vec<Mandate> = mandates.iter().cloned().chain(welcome(&mut state, role)?).collect();
                let (merged, added) = self.merge_staged(role, &document, &all)?;
                let missing = missing(&merged, &mandates)?;
                gathered.push(Gathered { file: file.clone(), role: role.clone(), added, missing });
            }
            // Of a whole copy there may be more than is staged here.
            if gathered.len() == before && !folder {
                return Err(RepositoryError::SaysOther { file });
            }
        }
        if gathered.is_empty() {
            return Err(RepositoryError::SaysOther { file: from.to_owned() });
        }
        Ok(gathered)
    }

    /// The bytes that a copy of any of these staged documents has at most: with every signature that a document may have, and white space.
    fn longest_copy(&self, staged: &[String]) -> Result<u64, RepositoryError> {
        let mut longest = 0;
        for name in staged {
            longest = files::size(&self.folders.staged_file(name))?.unwrap_or_default().max(longest);
        }
        Ok(longest.saturating_mul(2).saturating_add(SIGNATURES))
    }
}

/// The documents in a folder, or in the folder `staged` in it.
fn documents(folder: &Path) -> Result<Vec<PathBuf>, RepositoryError> {
    let below = folder.join("staged");
    let folder = if below.is_dir() { below } else { folder.to_owned() };
    let failed = |source| touchmark_oci::Error::Io { action: "list", path: folder.clone(), source };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(&folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let ours = path.file_name().and_then(|name| name.to_str()).is_some_and(files::is_ours);
        if path.extension().is_some_and(|extension| extension == "json") && !ours {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
