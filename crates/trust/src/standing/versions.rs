//! Which versions of a name the metadata knows for one artifact.

use alloc::collections::BTreeSet;

use touchmark_envelope::Name;
use touchmark_envelope::digest::Digests;
use touchmark_tuf::{Client, LookUp};

use super::known::Members;
use super::member::MEMBER;
use super::{StandingError, lost};

/// So many versions of one artifact are told.
const MAX_VERSIONS: usize = 1024;

/// The versions of `path` that entries and seals of the roles that `search` visited have for an artifact with these digests, 1024 at most: what
/// [`Standing`](super::Standing) is then to be asked for one by one. Nothing follows from one being missing.
///
/// # Errors
/// A role is not held, or what is ours in it is malformed.
pub fn versions(
    known: &mut Members,
    client: &Client,
    search: &LookUp,
    path: &str,
    digests: &Digests,
) -> Result<BTreeSet<Name>, StandingError> {
    known.keep_of(client);
    let mut versions = BTreeSet::new();
    let version = |text: &str| {
        let rest = text.strip_prefix(path)?;
        rest.starts_with(':').then(|| text.parse::<Name>().ok())?
    };
    for visited in &search.visited {
        let role = client.role(visited).ok_or_else(|| lost(visited.as_str()))?.get();
        for (text, target) in role.targets() {
            if versions.len() >= MAX_VERSIONS {
                return Ok(versions);
            }
            let Some(name) = version(&text) else { continue };
            if target.is_ok_and(|target| target.hashes.iter().any(|digest| digests.contain(digest))) {
                versions.insert(name);
            }
        }
        let malformed = |malformed| StandingError::Malformed { role: visited.as_str().into(), malformed };
        let Some(ours) = known.of(visited, role.member(MEMBER)).map_err(malformed)? else { continue };
        let room = MAX_VERSIONS.saturating_sub(versions.len());
        versions.extend(ours.versions(path, digests).map_err(malformed)?.into_iter().take(room));
    }
    Ok(versions)
}
