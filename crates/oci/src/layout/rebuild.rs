//! Making `index.json` anew when it is damaged: what can be read of it, and the artifacts that are there.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::path::Path;

use touchmark_envelope::Digest;
use touchmark_envelope::digest::Algorithm;
use touchmark_envelope::manifest::{Descriptor, Manifest};
use touchmark_envelope::sorted;

use super::{INDEX_FILE, Layout};
use crate::content::Content;
use crate::error::Error;
use crate::index::Index;
use crate::lock::Lock;
use crate::scan::{MAX_MANIFEST, contains, describe};
use crate::source::{Finding, FindingKind};
use crate::temporary;

/// At most this many artifacts are listed anew.
const MAX_ARTIFACTS: usize = 50_000;

/// A new `index.json`.
pub(super) struct Rebuilt {
    pub(super) index: Index,
    /// What was wrong and what was done.
    pub(super) finding: Finding,
    damaged: Vec<u8>,
}

impl Layout {
    /// A new `index.json`, if the present one is damaged.
    ///
    /// # Errors
    /// It cannot be read, for another reason than what is in it.
    pub(super) fn rebuild(&self) -> Result<Option<Rebuilt>, Error> {
        let reason = match self.index() {
            Ok(_) => return Ok(None),
            Err(Error::Malformed { reason, .. }) => reason,
            Err(error) => return Err(error),
        };
        let damaged = self.index_bytes()?;
        let mut index = Index::salvage(&damaged);
        let saved = index.entries().len();
        for artifact in self.artifacts()? {
            if !index.lists(&artifact.digest) {
                index.push(&artifact);
            }
        }
        let detail = format!(
            "{}: {INDEX_FILE} is damaged ({reason}): {saved} of its entries can be read, and {} artifacts are listed without the tags that they had; \
             what it was is kept as {}",
            self.place(),
            index.entries().len().saturating_sub(saved),
            kept_name(&damaged)
        );
        Ok(Some(Rebuilt { index, finding: Finding { kind: FindingKind::Malformed, digest: None, detail }, damaged }))
    }

    /// Puts a new `index.json` in the place of the damaged one, of which a copy is kept.
    pub(super) fn replace_index(&self, _lock: &Lock, rebuilt: &Rebuilt) -> Result<(), Error> {
        let path = self.path(INDEX_FILE);
        let failed = |source| Error::writing(&path, source);
        let write = |target: &Path, bytes: &[u8]| temporary::write_file_like(&path, &self.root, target, bytes, self.durability);
        write(&self.path(&kept_name(&rebuilt.damaged)), &rebuilt.damaged).map_err(failed)?;
        if self.index_bytes()? != rebuilt.damaged {
            return Err(Error::Contended { path });
        }
        write(&path, &rebuilt.index.to_vec()).map_err(failed)?;
        temporary::sync_folder(&self.root, self.durability).map_err(failed)
    }

    /// Every manifest that refers to nothing, is part of no index, and is no list of referrers.
    fn artifacts(&self) -> Result<Vec<Descriptor>, Error> {
        let mut artifacts = Vec::new();
        let mut parts = HashSet::new();
        let mut referrers = HashSet::new();
        let mut indexes = Vec::new();
        self.each_blob(&mut |digest, size| {
            if size > MAX_MANIFEST || artifacts.len() >= MAX_ARTIFACTS {
                return ControlFlow::Continue(());
            }
            let Some((manifest, is_list)) = self.manifest_at(&digest) else { return ControlFlow::Continue(()) };
            if manifest.subject.is_some() {
                referrers.insert(digest);
            } else if !is_list {
                artifacts.push(Descriptor { annotations: Default::default(), ..describe(&manifest, &digest, size) });
                let children: Vec<Digest> = manifest.children().iter().map(|child| child.digest).collect();
                parts.extend(children.iter().copied());
                indexes.push((digest, children));
            }
            ControlFlow::Continue(())
        })?;
        // An index of nothing but referrers is a list that another tool wrote.
        let is_list = |children: &[Digest]| !children.is_empty() && children.iter().all(|child| referrers.contains(child));
        let lists: HashSet<Digest> = indexes.into_iter().filter(|(_, children)| is_list(children)).map(|(digest, _)| digest).collect();
        artifacts.retain(|artifact| !parts.contains(&artifact.digest) && !lists.contains(&artifact.digest));
        sorted::sort_by(&mut artifacts, |one, other| one.digest.cmp(&other.digest));
        Ok(artifacts)
    }

    /// The blob as a manifest, if it is one, and whether it is a list of referrers that Touchmark wrote.
    fn manifest_at(&self, digest: &Digest) -> Option<(Manifest, bool)> {
        let begins = self.looks_like_json(digest).ok()??;
        if !contains(&begins, br#""schemaVersion""#) || !digest.matches(&begins) {
            return None;
        }
        let manifest = Manifest::parse(&begins).ok()?;
        let is_list = Index::parse(begins).is_ok_and(|index| index.list_of().is_some());
        Some((manifest, is_list))
    }
}

/// Where a damaged `index.json` is kept: another one has another name.
fn kept_name(damaged: &[u8]) -> String {
    let hex = Algorithm::Sha256.digest(damaged).hex();
    format!("{INDEX_FILE}.damaged-{}", hex.get(..12).unwrap_or(&hex))
}
