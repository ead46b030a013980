//! Files that the top-level targets role vouches for: a signed policy, and the in-toto layouts that policies ask for.

use touchmark_envelope::Verified;
use touchmark_tuf::metadata::{Root, Target};
use touchmark_tuf::{Error, RoleName, TargetPath};

use super::TrustRootError;
use crate::tuf::{check_bytes, fetch_bytes};

/// Below this, a source of metadata has the files of targets. No metadata file's path has a slash.
pub(super) const TARGETS: &str = "targets/";
/// Targets with such a path are files. Others are names of artifacts, which lie elsewhere.
pub(super) const OURS: &str = "_touchmark/";
/// Bytes of a target that is read whole: 16 MiB.
pub const MAX_TARGET: u64 = 16 << 20;

impl super::TrustRoot<'_> {
    /// The bytes of a target that the top-level targets role itself lists: what a role below it lists under the same path is nobody's word
    /// for the repository. `None` if it lists no such target.
    ///
    /// They are taken from the store, if it has them, and otherwise from the source, and then kept.
    ///
    /// # Errors
    /// It is listed and cannot be had, is not what is listed, or is listed as larger than [`MAX_TARGET`].
    pub fn target(&mut self, path: &TargetPath) -> Result<Option<Vec<u8>>, TrustRootError> {
        let Some(listed) = self.listed(path)? else { return Ok(None) };
        if listed.length > MAX_TARGET {
            return Err(TrustRootError::LargeTarget { path: path.to_string(), length: listed.length, limit: MAX_TARGET });
        }
        if let Some(home) = &self.trusted.home
            && let Some(bytes) = home.target(&listed)?
            && check_bytes(&bytes, path, &listed).is_ok()
        {
            return Ok(Some(bytes));
        }
        let consistent = self.trusted.client.root().map(Verified::get).is_some_and(Root::consistent_snapshot);
        let bytes = fetch_bytes(self.source, TARGETS, path, &listed, consistent)?;
        if let (Some(home), Some(_)) = (&self.trusted.home, &self.trusted.lock) {
            home.keep_target(&listed, &bytes, |hash| self.lists(hash))?;
        }
        Ok(Some(bytes))
    }

    /// What the top-level targets role says of a path.
    fn listed(&self, path: &TargetPath) -> Result<Option<Target>, TrustRootError> {
        let targets = self.trusted.client.role(&RoleName::targets()).ok_or(Error::NotReady)?;
        let malformed = |shape| Error::Malformed { file: RoleName::targets().metapath(), shape };
        Ok(targets.get().target(path).map_err(malformed)?)
    }

    /// Whether some file that the top-level targets role lists has a digest of these hexadecimal digits.
    fn lists(&self, hash: &str) -> bool {
        let Some(targets) = self.trusted.client.role(&RoleName::targets()) else { return true };
        let ours = targets.get().targets().filter(|(path, _)| path.starts_with(OURS));
        ours.filter_map(|(_, target)| target.ok()).any(|target| target.hashes.iter().any(|digest| digest.hex() == hash))
    }
}
