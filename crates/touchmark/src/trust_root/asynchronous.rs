//! A trust root over a source that is read asynchronously.

use core::time::Duration;
use std::collections::BTreeSet;

use touchmark_envelope::digest::Digests;
use touchmark_envelope::{Name, UnixTime};
use touchmark_trust::{Standing, standing};
use touchmark_tuf::{Client, Error, TargetPath};

use super::opening::{Opening, Trusted};
use super::target::target_of;
use super::{Note, TrustRootError, TrustSettings, advance};
use crate::tuf::{AsyncFetch, fetched};

/// As [`TrustRoot`](super::TrustRoot), with a source that is read asynchronously, and no runtime of its own.
///
/// It is for one update and the names that are asked for at that time; what lives longer keeps a [`TrustState`](super::TrustState).
/// Stores are files of this machine, which are read and written in between. A store that another update has in use is not waited for:
/// a named one is an error with the code `locked`, which may be tried again.
pub struct AsyncTrustRoot<S> {
    source: S,
    trusted: Trusted,
}

impl<S> std::fmt::Debug for AsyncTrustRoot<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AsyncTrustRoot").field("notes", &self.trusted.notes).finish_non_exhaustive()
    }
}

impl<S: AsyncFetch> AsyncTrustRoot<S> {
    /// As [`TrustRoot::open`](super::TrustRoot::open).
    ///
    /// # Errors
    /// The same.
    pub async fn open(root: &[u8], source: S, settings: &TrustSettings, now: UnixTime) -> Result<Self, TrustRootError> {
        let mut opening = Opening::begin(root, settings, now, Duration::ZERO)?;
        let outcome = update(&mut opening, &source).await;
        let trusted = opening.settle(outcome).map_err(|(error, _)| error)?;
        Ok(Self { source, trusted })
    }

    /// As [`TrustRoot::standing`](super::TrustRoot::standing).
    ///
    /// # Errors
    /// The same.
    pub async fn standing(&mut self, name: &Name) -> Result<Standing, TrustRootError> {
        standing_of(&mut self.trusted, &self.source, name).await
    }

    /// As [`TrustRoot::versions`](super::TrustRoot::versions).
    ///
    /// # Errors
    /// The same.
    pub async fn versions(&mut self, path: &Name, digests: &Digests) -> Result<BTreeSet<Name>, TrustRootError> {
        versions_of(&mut self.trusted, &self.source, path, digests).await
    }

    /// As [`TrustRoot::target`](super::TrustRoot::target).
    ///
    /// # Errors
    /// The same.
    pub async fn target(&mut self, path: &TargetPath) -> Result<Option<Vec<u8>>, TrustRootError> {
        target_of(&mut self.trusted, &self.source, path).await
    }

    /// What a user should know.
    pub fn notes(&self) -> &[Note] {
        &self.trusted.notes
    }

    /// What is trusted.
    pub fn client(&self) -> &Client {
        &self.trusted.client
    }
}

/// Brings the metadata up to date.
pub(super) async fn update(opening: &mut Opening, source: &impl AsyncFetch) -> Result<(), TrustRootError> {
    while let Some((path, limit)) = opening.advance()? {
        let answer = fetched(source.fetch(&path, limit).await);
        opening.client.answer(answer);
    }
    Ok(())
}

/// What the metadata says of a name.
pub(super) async fn standing_of(trusted: &mut Trusted, source: &impl AsyncFetch, name: &Name) -> Result<Standing, TrustRootError> {
    search(trusted, source, &name.into()).await?;
    Ok(Standing::among(&mut trusted.members, &mut trusted.client, name)?)
}

/// Which versions of a name it has for an artifact.
pub(super) async fn versions_of(
    trusted: &mut Trusted,
    source: &impl AsyncFetch,
    path: &Name,
    digests: &Digests,
) -> Result<BTreeSet<Name>, TrustRootError> {
    search(trusted, source, &path.into()).await?;
    let search = trusted.client.found().ok_or(Error::NotReady)?;
    Ok(standing::versions(&mut trusted.members, &trusted.client, &search, path.path(), digests)?)
}

async fn search(trusted: &mut Trusted, source: &impl AsyncFetch, target: &TargetPath) -> Result<(), TrustRootError> {
    trusted.client.look_up(target)?;
    loop {
        let wanted = advance(&mut trusted.client, trusted.keep.as_ref(), None)?;
        let Some((path, limit)) = wanted else { return Ok(()) };
        let answer = fetched(source.fetch(&path, limit).await);
        trusted.client.answer(answer);
    }
}
