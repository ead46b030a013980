//! Of several trust repositories at one place, the one that decides.

use touchmark_envelope::UnixTime;
use touchmark_tuf::{Class, Limits, RoleName, TargetPath};

use super::target::OURS;
use super::{StoreChoice, TrustRoot, TrustRootError, TrustSettings};
use crate::tuf::{Fetch, UpdateClass, UpdateError};

/// The one of several sources whose metadata, verified from `root` at the time `now`, is the newest: older metadata beside it changes nothing,
/// and neither does a copy of it without some roles, wherever it stands among them. `None` if there is no source.
///
/// # Errors
/// Of several none has metadata that is to be trusted. What is told is that of the root's own which has expired, or else what could not be had,
/// or else why one is not to be trusted. One alone is not looked at.
pub fn newest<'f>(
    root: &[u8],
    sources: impl IntoIterator<Item = &'f dyn Fetch>,
    settings: &TrustSettings,
    now: UnixTime,
) -> Result<Option<&'f dyn Fetch>, TrustRootError> {
    let sources: Vec<_> = sources.into_iter().collect();
    if let [one] = sources.as_slice() {
        // Whether it is to be trusted shows when it is opened.
        return Ok(Some(*one));
    }
    let mut settings = settings.clone();
    settings.store = StoreChoice::Nowhere;
    let (mut best, mut failed): (Option<(_, _)>, Option<TrustRootError>) = (None, None);
    for source in sources {
        match TrustRoot::open(root, source, &settings, now) {
            Ok(mut found) => {
                let version = |header: Option<u64>| header.unwrap_or_default();
                let root = version(found.client().root().map(|root| root.get().header().version));
                let timestamp = version(found.client().timestamp().map(|timestamp| timestamp.get().header().version));
                let rank = (root, timestamp, found.is_whole(&settings.client.limits));
                if best.as_ref().is_none_or(|(known, _)| *known < rank) {
                    best = Some((rank, source));
                }
            }
            Err(error) if failed.as_ref().is_none_or(|known| weight(known) < weight(&error)) => failed = Some(error),
            Err(_) => {}
        }
    }
    match (best, failed) {
        (Some((_, source)), _) => Ok(Some(source)),
        (None, Some(error)) => Err(error),
        (None, None) => Ok(None),
    }
}

/// How much the failure of one of several says: what has expired was signed by the root's keys.
fn weight(error: &TrustRootError) -> u8 {
    match error {
        TrustRootError::Update(UpdateError::Metadata(error)) if error.class() == Class::Expired => 2,
        error if error.class() == UpdateClass::Unknown => 1,
        _ => 0,
    }
}

impl TrustRoot<'_> {
    /// Whether the source has each document that the snapshot lists, of the length and digests that it lists, and the files of ours.
    fn is_whole(&mut self, limits: &Limits) -> bool {
        let (Some(root), Some(snapshot)) = (self.client().root(), self.client().snapshot()) else { return false };
        let consistent = root.get().consistent_snapshot();
        let roles = snapshot.get().meta().iter().all(|(file, meta)| {
            let name = file.strip_suffix(".json").unwrap_or_default();
            let Some(role) = (if name == "targets" { Some(RoleName::targets()) } else { RoleName::delegated(name) }) else { return true };
            let path = role.fetch_path(consistent.then_some(meta.version));
            let limit = meta.length.map_or(limits.targets, |length| length.min(limits.listed));
            let is_listed = |bytes: &[u8]| {
                meta.length.is_none_or(|length| u64::try_from(bytes.len()) == Ok(length))
                    && meta.hashes.iter().all(|digest| digest.matches(bytes))
            };
            matches!(self.source.get().fetch(&path, limit), Ok(Some(bytes)) if is_listed(&bytes))
        });
        let Some(targets) = self.client().role(&RoleName::targets()).filter(|_| roles) else { return false };
        let files: Vec<TargetPath> = targets
            .get()
            .targets()
            .filter(|(path, _)| path.starts_with(OURS))
            .filter_map(|(path, _)| TargetPath::new(&path).ok())
            .collect();
        files.iter().all(|path| self.target(path).is_ok())
    }
}
