//! Files that the top-level targets role vouches for: a signed policy, and the in-toto layouts that policies ask for.

#[cfg(feature = "async")]
use touchmark_envelope::UnixTime;
use touchmark_envelope::Verified;
use touchmark_tuf::metadata::{Root, Target};
use touchmark_tuf::{Error, RoleName, TargetPath};

use super::TrustRootError;
use super::opening::Trusted;
#[cfg(feature = "async")]
use crate::tuf::{UpdateError, refused, target_paths};
use crate::tuf::{check_bytes, fetch_bytes};

/// Below this, a source of metadata has the files of targets. No metadata file's path has a slash.
pub const TARGETS: &str = "targets/";
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
        let Some(listed) = self.trusted.listed(path)? else { return Ok(None) };
        if let Some(bytes) = self.trusted.kept(path, &listed)? {
            return Ok(Some(bytes));
        }
        let bytes = fetch_bytes(self.source.get(), TARGETS, path, &listed, self.trusted.is_consistent())?;
        self.trusted.keep_target(&listed, &bytes)?;
        Ok(Some(bytes))
    }
}

/// As [`TrustRoot::target`](super::TrustRoot::target), with a source that is read asynchronously.
#[cfg(feature = "async")]
pub(super) async fn target_of(
    trusted: &mut Trusted,
    source: &impl crate::tuf::AsyncFetch,
    path: &TargetPath,
) -> Result<Option<Vec<u8>>, TrustRootError> {
    let Some(listed) = trusted.listed(path)? else { return Ok(None) };
    if let Some(bytes) = trusted.kept(path, &listed)? {
        return Ok(Some(bytes));
    }
    for file in target_paths(path, &listed, trusted.is_consistent())? {
        match source.fetch(&format!("{TARGETS}{file}"), listed.length).await {
            Ok(Some(bytes)) => {
                check_bytes(&bytes, path, &listed)?;
                trusted.keep_target(&listed, &bytes)?;
                return Ok(Some(bytes));
            }
            Ok(None) => {}
            Err(failure) => return Err(refused(path, &listed, failure).into()),
        }
    }
    Err(UpdateError::TargetMissing { target: path.clone(), location: TARGETS.to_owned() }.into())
}

impl Trusted {
    /// What the top-level targets role says of a path.
    fn listed(&self, path: &TargetPath) -> Result<Option<Target>, TrustRootError> {
        let targets = self.client.role(&RoleName::targets()).ok_or(Error::NotReady)?;
        let malformed = |shape| Error::Malformed { file: RoleName::targets().metapath(), shape };
        let listed = targets.get().target(path).map_err(malformed)?;
        match listed {
            Some(Target { length, .. }) if length > MAX_TARGET => {
                Err(TrustRootError::LargeTarget { path: path.to_string(), length, limit: MAX_TARGET })
            }
            listed => Ok(listed),
        }
    }

    /// The bytes in the store, if they are what is listed.
    fn kept(&self, path: &TargetPath, listed: &Target) -> Result<Option<Vec<u8>>, TrustRootError> {
        let kept = self.home.as_ref().map(|home| home.target(listed)).transpose()?.flatten();
        Ok(kept.filter(|bytes| check_bytes(bytes, path, listed).is_ok()))
    }

    fn keep_target(&self, listed: &Target, bytes: &[u8]) -> Result<(), TrustRootError> {
        match (&self.home, &self.lock) {
            (Some(home), Some(_)) => home.keep_target(listed, bytes, |hash| self.lists(hash)),
            _ => Ok(()),
        }
    }

    fn is_consistent(&self) -> bool {
        self.client.root().map(Verified::get).is_some_and(Root::consistent_snapshot)
    }

    /// Whether some file that the top-level targets role lists has a digest of these hexadecimal digits.
    fn lists(&self, hash: &str) -> bool {
        let Some(targets) = self.client.role(&RoleName::targets()) else { return true };
        let ours = targets.get().targets().filter(|(path, _)| path.starts_with(OURS));
        ours.filter_map(|(_, target)| target.ok()).any(|target| target.hashes.iter().any(|digest| digest.hex() == hash))
    }

    /// When what the top-level targets role says ceases to be good.
    #[cfg(feature = "async")]
    pub(super) fn expires(&self) -> Option<UnixTime> {
        Some(self.first_to_expire()?.1)
    }

    /// What of it has expired at this time.
    #[cfg(feature = "async")]
    pub(super) fn expired(&self, at: UnixTime) -> Option<Error> {
        let (file, expires) = self.first_to_expire()?;
        (at >= expires).then(|| Error::Expired { file: file.to_owned(), expires, at })
    }

    #[cfg(feature = "async")]
    fn first_to_expire(&self) -> Option<(&'static str, UnixTime)> {
        let root = self.client.root()?.get().header().expires;
        let timestamp = self.client.timestamp()?.get().header().expires;
        let snapshot = self.client.snapshot()?.get().header().expires;
        let targets = self.client.role(&RoleName::targets())?.get().header().expires;
        let all = [("root.json", root), ("timestamp.json", timestamp), ("snapshot.json", snapshot), ("targets.json", targets)];
        all.into_iter().min_by_key(|(_, expires)| *expires)
    }
}
