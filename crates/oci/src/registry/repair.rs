//! Making the lists of referrers say what is there, as far as anything in a registry still names it: its lists and its anchors.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::ControlFlow;

use touchmark_envelope::Digest;
use touchmark_envelope::digest::Algorithm;
use touchmark_envelope::manifest::{Descriptor, Manifest};
use touchmark_envelope::sorted;

use super::fallback::Fallback;
use super::listing::{Listing, MAX_LIST};
use super::manifests::Name;
use super::{MAX_PARALLEL, Registry};
use crate::error::{Class, Error};
use crate::parallel;
use crate::scan::{MAX_MANIFEST, describe, length, unread};
use crate::source::{Finding, FindingKind, RepairReport, Source};
use crate::union::{is_list_tag, list_tag};

/// Where something is listed.
#[derive(Default)]
struct Lists {
    /// By the referrers API, if there is one.
    api: Option<HashSet<Digest>>,
    /// Under the fallback tag, if there is a list.
    tag: Option<Vec<Digest>>,
    /// By an anchor.
    anchors: Vec<Descriptor>,
}

impl Registry {
    /// See [`Upkeep::repair`](crate::source::Upkeep::repair).
    pub(super) fn repair_lists(&self, dry_run: bool, subject: Option<&Digest>) -> Result<RepairReport, Error> {
        let mut report = RepairReport { dry_run, complete: true, ..RepairReport::default() };
        let subjects = match subject {
            Some(subject) => vec![*subject],
            None => self.subjects(&mut report)?,
        };
        for subject in subjects {
            self.repair_list(&subject, &mut report)?;
        }
        Ok(report)
    }

    /// Every subject that has a fallback tag or an anchor.
    fn subjects(&self, report: &mut RepairReport) -> Result<Vec<Digest>, Error> {
        let mut tags: BTreeMap<String, String> = BTreeMap::new();
        self.tag_pages(None, |page, _| {
            for tag in page.into_iter().filter(|tag| is_list_tag(tag)) {
                let list = tag.split('.').next().unwrap_or_default().to_owned();
                tags.entry(list).or_insert(tag);
            }
            ControlFlow::Continue(())
        })?;
        let mut subjects = Vec::new();
        for (list, tag) in tags {
            let whole = list.strip_prefix("sha256-").and_then(|hex| Digest::from_hex(Algorithm::Sha256, hex).ok());
            // A sha512 digest does not fit into a tag; what is under it says it.
            let subject = match whole {
                Some(subject) => Some(subject),
                None => self.fetch(Name::Tag(&tag), MAX_LIST, |fetched| Ok(fetched.bytes))?.and_then(|bytes| subject_of(&bytes)),
            };
            match subject.filter(|subject| list_tag(subject) == list) {
                Some(subject) => subjects.push(subject),
                None => {
                    report.complete = false;
                    let detail = format!("{tag} does not say whose referrers it lists");
                    report.findings.push(Finding { kind: FindingKind::Malformed, digest: None, detail });
                }
            }
        }
        Ok(subjects)
    }

    fn repair_list(&self, subject: &Digest, report: &mut RepairReport) -> Result<(), Error> {
        let lists = self.lists(subject, report)?;
        let named: BTreeSet<Digest> = lists
            .anchors
            .iter()
            .map(|anchor| anchor.digest)
            .chain(lists.api.iter().flatten().copied())
            .chain(lists.tag.iter().flatten().copied())
            .collect();
        let named: Vec<Digest> = named.into_iter().collect();
        let mut present: HashMap<Digest, Descriptor> = HashMap::new();
        let mut absent: HashSet<Digest> = HashSet::new();
        for (digest, read) in named.iter().zip(parallel::map(&named, MAX_PARALLEL, |digest| self.referrer(digest, subject))) {
            match read {
                Ok(Some(descriptor)) => drop(present.insert(*digest, descriptor)),
                Ok(None) => drop(absent.insert(*digest)),
                Err(error) => {
                    report.complete &= error.class() == Class::Malformed;
                    report.findings.push(unread(digest, &error));
                }
            }
        }
        if let Some(api) = &lists.api {
            for descriptor in present.values().filter(|descriptor| !api.contains(&descriptor.digest)) {
                report.listed.push((*subject, descriptor.clone()));
                if !report.dry_run {
                    let bytes = self.manifest(&descriptor.digest, MAX_MANIFEST)?;
                    self.attach_manifests(descriptor.digest.algorithm(), &[&bytes])?;
                }
            }
        }
        let in_tag: HashSet<Digest> = lists.tag.iter().flatten().copied().collect();
        let gone: HashSet<Digest> = absent.intersection(&in_tag).copied().collect();
        let lacking = |descriptor: &&Descriptor| lists.api.is_none() && !in_tag.contains(&descriptor.digest);
        let mut lacking: Vec<&Descriptor> = present.values().filter(lacking).collect();
        sorted::sort_by(&mut lacking, |one, other| one.digest.cmp(&other.digest));
        let nothing = lacking.is_empty() && gone.is_empty();
        if !(report.dry_run || nothing) {
            let mut listing = Listing::new(self, subject, gone.clone());
            let anchored: HashSet<Digest> = lists.anchors.iter().map(|anchor| anchor.digest).collect();
            lacking.iter().for_each(|descriptor| listing.own((*descriptor).clone(), anchored.contains(&descriptor.digest)));
            let listed = listing.agree()?;
            report.findings.extend(listed.notices);
            if !listed.right {
                report.complete = false;
                return Ok(());
            }
        }
        report.listed.extend(lacking.into_iter().map(|descriptor| (*subject, descriptor.clone())));
        report.removed.extend(&gone);
        Ok(())
    }

    fn lists(&self, subject: &Digest, report: &mut RepairReport) -> Result<Lists, Error> {
        let mut lists = Lists::default();
        if let Some(api) = self.api_list(subject, usize::MAX, MAX_LIST)? {
            report.complete &= api.complete;
            report.findings.extend(api.findings);
            lists.api = Some(api.entries.iter().map(|entry| entry.digest).collect());
        }
        match self.fallback(subject, MAX_LIST) {
            Ok(Fallback::None) => {}
            Ok(Fallback::List { list, .. }) => lists.tag = Some(list.entries().iter().filter_map(|entry| entry.digest).collect()),
            Err(error) if error.class() == Class::Malformed => {
                report.complete = false;
                report.findings.push(unread(subject, &error));
            }
            Err(error) => return Err(error),
            Ok(Fallback::Other { reason }) => {
                let detail = format!("{} is no list of referrers, and stays: {reason}", list_tag(subject));
                report.findings.push(Finding { kind: FindingKind::Malformed, digest: Some(*subject), detail });
            }
        }
        let anchors = self.anchor_tags(subject);
        if let Some(error) = anchors.stopped {
            report.complete = false;
            report.findings.push(unread(subject, &error));
        }
        for (tag, read) in
            anchors.tags.iter().zip(parallel::map(&anchors.tags, MAX_PARALLEL, |tag| self.read_anchor(tag, subject, MAX_MANIFEST)))
        {
            match read {
                Ok(read) => lists.anchors.extend(read),
                Err(error) => {
                    report.complete &= matches!(error.class(), Class::Malformed | Class::Usage);
                    report.findings.push(Finding { detail: format!("{tag}: {error}"), ..unread(subject, &error) });
                }
            }
        }
        Ok(lists)
    }

    /// A referrer of `subject` as it is listed. `None` if it is not there, or refers to something else.
    fn referrer(&self, digest: &Digest, subject: &Digest) -> Result<Option<Descriptor>, Error> {
        let bytes = self.fetch(Name::Digest(digest), MAX_MANIFEST, |fetched| Ok(fetched.bytes))?;
        let Some(bytes) = bytes else { return Ok(None) };
        let manifest = self.parse_manifest(digest, &bytes)?;
        let refers = manifest.subject.as_ref().is_some_and(|found| found.digest == *subject);
        Ok(refers.then(|| describe(&manifest, digest, length(&bytes))))
    }
}

/// What a list that Touchmark wrote, or a referrer, says that it belongs to.
fn subject_of(bytes: &[u8]) -> Option<Digest> {
    if let Ok(list) = crate::index::Index::parse_list(bytes.to_vec())
        && let Some(subject) = list.list_of()
    {
        return Some(subject);
    }
    Some(Manifest::parse(bytes).ok()?.subject?.digest)
}
