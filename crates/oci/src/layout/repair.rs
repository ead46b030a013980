//! Making the lists of referrers say what is there.

use std::collections::{BTreeMap, HashSet};
use std::ops::ControlFlow;

use touchmark_envelope::Digest;
use touchmark_envelope::digest::Algorithm;
use touchmark_envelope::manifest::{Descriptor, Manifest, is_manifest_type};
use touchmark_envelope::sorted;

use super::Layout;
use super::write::Pending;
use crate::content::Content;
use crate::error::{Class, Error};
use crate::index::Index;
use crate::scan::{MAX_MANIFEST, Scan, unread};
use crate::source::{Finding, FindingKind, RepairReport};
use crate::union::{is_list_tag, list_tag};

/// Every referrer that is there, by subject: those that `index.json` lists first, in its order.
type Present = BTreeMap<Digest, Vec<Descriptor>>;

impl Layout {
    /// See [`Upkeep::repair`](crate::source::Upkeep::repair).
    pub(super) fn repair_lists(&self, dry_run: bool, subject: Option<&Digest>) -> Result<RepairReport, Error> {
        if dry_run {
            let rebuilt = self.rebuild()?;
            let (mut index, finding) = match rebuilt {
                Some(rebuilt) => (rebuilt.index, Some(rebuilt.finding)),
                None => (self.index()?, None),
            };
            return Ok(with_rebuilt(self.mend(&mut index, subject, None)?, finding));
        }
        let lock = self.lock()?;
        let rebuilt = self.rebuild()?;
        if let Some(rebuilt) = &rebuilt {
            self.replace_index(&lock, rebuilt)?;
        }
        let report = self.edit(&lock, |index, pending| self.mend(index, subject, Some(pending)))?;
        Ok(with_rebuilt(report, rebuilt.map(|rebuilt| rebuilt.finding)))
    }

    /// Mends `index`, and writes lists if `pending` is given.
    fn mend(&self, index: &mut Index, only: Option<&Digest>, mut pending: Option<&mut Pending>) -> Result<RepairReport, Error> {
        let mut report = RepairReport { dry_run: pending.is_none(), complete: true, ..RepairReport::default() };
        let mut dangling = Vec::new();
        let present = self.present(index, only, &mut report, &mut dangling)?;

        let mut listed: HashSet<(Digest, Digest)> = HashSet::new();
        let known: HashSet<Digest> = index.entries().iter().filter_map(|entry| entry.digest).collect();
        for (subject, referrers) in &present {
            for referrer in referrers.iter().filter(|referrer| !known.contains(&referrer.digest)) {
                index.push(referrer);
                if listed.insert((*subject, referrer.digest)) {
                    report.listed.push((*subject, referrer.clone()));
                }
            }
        }
        let mut removed: HashSet<Digest> = HashSet::new();
        for subject in self.subjects(index, &present, only) {
            let referrers = present.get(&subject).map(Vec::as_slice).unwrap_or_default();
            let old = self.old_list(index, &subject, &mut report)?;
            let mut list = Index::list(&subject, old.as_ref());
            self.drop_strangers(&mut list, &subject, &present, &mut removed);
            let in_list: HashSet<Digest> = list.entries().iter().filter_map(|entry| entry.digest).collect();
            for referrer in referrers.iter().filter(|referrer| !in_list.contains(&referrer.digest)) {
                list.push(referrer);
                if listed.insert((subject, referrer.digest)) {
                    report.listed.push((subject, referrer.clone()));
                }
            }
            let changed = old.is_none_or(|old| !same_entries(&old, &list));
            if let Some(pending) = pending.as_deref_mut().filter(|_| changed) {
                self.set_list(index, &subject, &list, pending)?;
            }
        }
        // What is not there and was listed as a referrer goes; an artifact whose content lies elsewhere stays.
        let mut gone = HashSet::new();
        for (digest, artifact_type) in dangling {
            if removed.contains(&digest) || (artifact_type && only.is_none()) {
                gone.insert(digest);
            } else if only.is_none() {
                let detail = format!("{}: {digest} is listed and not there", self.place());
                report.findings.push(Finding { kind: FindingKind::Dangling, digest: Some(digest), detail });
            }
        }
        index.retain(|entry| entry.tag.is_some() || !entry.digest.is_some_and(|digest| gone.contains(&digest)));
        removed.extend(gone);
        report.removed = removed.into_iter().collect();
        sorted::sort(&mut report.removed);
        Ok(report)
    }

    /// The referrers that are there, of one subject or of all. `dangling` gets the untagged entries of what is not there, and
    /// whether they have an artifact type.
    fn present(
        &self,
        index: &Index,
        only: Option<&Digest>,
        report: &mut RepairReport,
        dangling: &mut Vec<(Digest, bool)>,
    ) -> Result<Present, Error> {
        let mut present = Present::new();
        let mut seen = HashSet::new();
        for entry in index.entries() {
            let Some(digest) = entry.digest.filter(|digest| seen.insert(*digest)) else { continue };
            let Ok(descriptor) = index.descriptor(entry) else { continue };
            if !is_manifest_type(&descriptor.media_type) || entry.tag.as_deref().is_some_and(is_list_tag) {
                continue;
            }
            let manifest = match self.read(&digest, MAX_MANIFEST) {
                Ok(bytes) => Manifest::parse(&bytes).map_err(|error| self.malformed(&digest.to_string(), error.to_string())),
                Err(error) if error.class() == Class::Unavailable => return Err(error),
                Err(error) => Err(error),
            };
            match manifest {
                Ok(manifest) => {
                    let subject = manifest.subject.map(|subject| subject.digest);
                    if let Some(subject) = subject.filter(|subject| only.is_none_or(|only| only == subject)) {
                        let mut descriptor = descriptor;
                        descriptor.annotations.remove(crate::index::REF_NAME);
                        present.entry(subject).or_default().push(descriptor);
                    }
                }
                Err(error) if error.class() == Class::NotFound && entry.tag.is_none() => {
                    dangling.push((digest, descriptor.artifact_type.is_some()));
                }
                Err(error) => report.findings.push(unread(&digest, &error)),
            }
        }
        let mut scan = Scan::new(self, only);
        report.complete = scan.run(&mut seen, &mut |found| {
            present.entry(found.subject).or_default().push(found.descriptor.clone());
            ControlFlow::Continue(())
        })?;
        report.findings.append(&mut scan.findings);
        Ok(present)
    }

    /// Every subject that has a referrer or a list.
    fn subjects(&self, index: &Index, present: &Present, only: Option<&Digest>) -> Vec<Digest> {
        if let Some(only) = only {
            return vec![*only];
        }
        let mut subjects: Vec<Digest> = present.keys().copied().collect();
        for entry in index.entries() {
            let Some(tag) = entry.tag.as_deref().filter(|tag| is_list_tag(tag)) else { continue };
            let whole = tag.strip_prefix("sha256-").and_then(|hex| Digest::from_hex(Algorithm::Sha256, hex).ok());
            // A sha512 digest does not fit into a tag; a list that Touchmark wrote says it.
            let subject = whole.or_else(|| self.read_index(entry.digest.as_ref()?).ok()?.list_of());
            subjects.extend(subject.filter(|subject| list_tag(subject) == tag && !present.contains_key(subject)));
        }
        subjects
    }

    /// The list of a subject as it is; `None` if it has none that can be read.
    fn old_list(&self, index: &Index, subject: &Digest, report: &mut RepairReport) -> Result<Option<Index>, Error> {
        let Some(digest) = index.tagged(&list_tag(subject)).and_then(|entry| entry.digest) else { return Ok(None) };
        match self.read_index(&digest) {
            Ok(list) => Ok(Some(list)),
            Err(error) if error.class() == Class::Unavailable => Err(error),
            Err(error) => {
                report.findings.push(unread(&digest, &error));
                Ok(None)
            }
        }
    }

    /// Takes out of a list what is not there (`removed` gets it), and what is there and refers to something else.
    fn drop_strangers(&self, list: &mut Index, subject: &Digest, present: &Present, removed: &mut HashSet<Digest>) {
        let referrers: HashSet<Digest> = present.get(subject).into_iter().flatten().map(|referrer| referrer.digest).collect();
        let mut strangers = HashSet::new();
        for digest in list.entries().iter().filter_map(|entry| entry.digest).filter(|digest| !referrers.contains(digest)) {
            match self.read(&digest, MAX_MANIFEST) {
                Ok(bytes) => {
                    if Manifest::parse(&bytes).is_ok_and(|manifest| manifest.subject.is_none_or(|found| found.digest != *subject)) {
                        strangers.insert(digest);
                    }
                }
                Err(error) if error.class() == Class::NotFound => {
                    strangers.insert(digest);
                    removed.insert(digest);
                }
                // Damaged or too large: it stays listed, so that nobody takes the artifact for unsigned.
                Err(_) => {}
            }
        }
        list.retain(|entry| !entry.digest.is_some_and(|digest| strangers.contains(&digest)));
    }
}

fn with_rebuilt(mut report: RepairReport, finding: Option<Finding>) -> RepairReport {
    report.rebuilt = finding.is_some();
    report.findings.splice(0..0, finding);
    report
}

fn same_entries(one: &Index, other: &Index) -> bool {
    let texts = |index: &Index| -> Vec<Vec<u8>> { index.entries().iter().map(|entry| index.text(entry).to_vec()).collect() };
    texts(one) == texts(other)
}
