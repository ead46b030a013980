//! Attaching referrers (distribution spec, "Pushing Manifests with Subject") and reading back that they are listed.
//!
//! With the referrers API a manifest is pushed by its digest, and the list is read back twice with a pause between: there are registries
//! that announce the API (`OCI-Subject`) and lose entries when two are pushed at once. What is not listed is pushed again. If that does
//! not help, or without the API, the referrer gets an anchor and an entry in the list under the fallback tag (see
//! [`listing`](super::listing)).
//!
//! Requests of one attached manifest, when nobody else writes: with the API 4 (the list, the manifest, the list twice); without it, once
//! that is known, 6 (the anchor, the list, the list written, the tags, the list, and a HEAD of it). `touchmark sign` takes 11 and 14 in
//! all: it resolves the reference (1), looks for signatures that are there (2, or 3 without the API), and stores the empty config (1, as
//! it is there already) and the envelope (3). A batch takes one request more for each manifest.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use touchmark_envelope::Digest;
use touchmark_envelope::digest::Algorithm;
use touchmark_envelope::manifest::{Descriptor, Manifest};

use super::anchors::anchor_tag;
use super::listing::{Listing, MAX_LIST, SPACING, wait};
use super::write::Pushed;
use super::{Api, MAX_PARALLEL, Registry};
use crate::access::Anchors;
use crate::error::Error;
use crate::parallel;
use crate::scan::{describe, length};
use crate::source::{Attached, Finding, FindingKind, Referrers};

/// How often a manifest is pushed that the referrers API does not list.
const MAX_PUSHES: u32 = 8;
/// At most this many entries of a list are read.
const MAX_ENTRIES: usize = 100_000;
/// How long the referrers API may take to list what was pushed, before it is pushed again; twice as long each time.
const FIRST_WAIT: Duration = Duration::from_millis(100);
/// The longest that it is waited for.
const LONGEST_WAIT: Duration = Duration::from_secs(4);

/// A manifest that is to be attached.
struct Referrer<'a> {
    bytes: &'a [u8],
    manifest: Manifest,
    descriptor: Descriptor,
    subject: Digest,
}

impl Registry {
    /// See [`Store::attach_as`](crate::source::Store::attach_as).
    pub(super) fn attach_manifests(&self, algorithm: Algorithm, manifests: &[&[u8]]) -> Result<Vec<Attached>, Error> {
        let mut subjects: Vec<(Digest, Vec<Referrer<'_>>)> = Vec::new();
        let mut order = Vec::with_capacity(manifests.len());
        for bytes in manifests {
            let digest = algorithm.digest(bytes);
            let manifest = self.parse_manifest(&digest, bytes)?;
            let subject = manifest.subject.as_ref().ok_or(Error::NoSubject { digest })?.digest;
            let descriptor = describe(&manifest, &digest, length(bytes));
            order.push((subject, digest));
            let referrer = Referrer { bytes, manifest, descriptor, subject };
            match subjects.iter_mut().find(|(known, _)| *known == subject) {
                Some((_, referrers)) if referrers.iter().any(|known| known.descriptor.digest == digest) => {}
                Some((_, referrers)) => referrers.push(referrer),
                None => subjects.push((subject, vec![referrer])),
            }
        }
        let mut attached = Vec::with_capacity(manifests.len());
        for done in parallel::map(&subjects, MAX_PARALLEL, |(subject, referrers)| self.attach_to(subject, referrers)) {
            attached.extend(done?);
        }
        let place = |wanted: &(Digest, Digest)| attached.iter().find(|one| (one.subject, one.descriptor.digest) == *wanted).cloned();
        Ok(order.iter().filter_map(place).collect())
    }

    fn attach_to(&self, subject: &Digest, referrers: &[Referrer<'_>]) -> Result<Vec<Attached>, Error> {
        match self.referrers_listed(subject)? {
            Some(before) => self.attach_by_api(subject, referrers, before),
            // Registries that do not know the subject may have the API all the same, and know it afterwards.
            None if self.api() == Api::Unknown => {
                self.push_all(referrers)?;
                match self.referrers_listed(subject)? {
                    Some(_) => self.attach_by_api(subject, referrers, Referrers::default()),
                    None => self.attach_by_tag(subject, referrers),
                }
            }
            None => self.attach_by_tag(subject, referrers),
        }
    }

    /// What the referrers API lists, if there is one.
    fn referrers_listed(&self, subject: &Digest) -> Result<Option<Referrers>, Error> {
        self.patiently(|| self.api_list(subject, MAX_ENTRIES, MAX_LIST))
    }

    fn push_all(&self, referrers: &[Referrer<'_>]) -> Result<(), Error> {
        parallel::map(referrers, MAX_PARALLEL, |referrer| self.push_referrer(referrer)).into_iter().collect()
    }

    /// Pushes a referrer by its digest.
    fn push_referrer(&self, referrer: &Referrer<'_>) -> Result<(), Error> {
        let Referrer { bytes, manifest, descriptor, .. } = referrer;
        let name = descriptor.digest.to_string();
        let pushed = self.patiently(|| self.push_manifest(&name, &descriptor.digest, bytes, &descriptor.media_type))?;
        pushed.stored().map_err(|error| self.explain(error, &descriptor.digest, manifest))
    }

    /// Pushes until the referrers API lists everything, and goes on listing it.
    fn attach_by_api(&self, subject: &Digest, referrers: &[Referrer<'_>], before: Referrers) -> Result<Vec<Attached>, Error> {
        let mut listed = digests(&before);
        // That it is listed does not say that it is there.
        let there = parallel::map(referrers, MAX_PARALLEL, |referrer| {
            let digest = &referrer.descriptor.digest;
            if listed.contains(digest) { self.has_manifest(digest) } else { Ok(false) }
        });
        let already = there.into_iter().collect::<Result<Vec<bool>, Error>>()?;
        let attached = |notices: Vec<Finding>| {
            let each = referrers.iter().zip(&already);
            each.map(|(referrer, already)| referrer.attached(*already, notices.clone())).collect()
        };
        let mut lacking: Vec<&Referrer<'_>> =
            referrers.iter().zip(&already).filter(|(_, already)| !**already).map(|(referrer, _)| referrer).collect();
        if lacking.is_empty() {
            return Ok(attached(Vec::new()));
        }
        let new = lacking.clone();
        listed.extend(new.iter().map(|referrer| referrer.descriptor.digest));
        let (mut pushes, mut confirmed, mut needed) = (0_u32, 0_u32, 2);
        let mut spacing = SPACING;
        while pushes < MAX_PUSHES {
            let begun = Instant::now();
            for pushed in parallel::map(&lacking, MAX_PARALLEL, |referrer| self.push_referrer(referrer)) {
                pushed?;
            }
            pushes += 1;
            // Only another manifest that the registry is taking in now can cost this one its entry, and it takes about as long.
            spacing = spacing.max((begun.elapsed() * 4).min(LONGEST_WAIT));
            let mut waited = false;
            loop {
                let Some(found) = self.referrers_listed(subject)? else {
                    return self.attach_by_tag(subject, referrers);
                };
                let found = digests(&found);
                lacking = new.iter().filter(|referrer| !found.contains(&referrer.descriptor.digest)).copied().collect();
                if lacking.is_empty() {
                    // Where others write at the same time, an entry may yet be lost.
                    if std::mem::replace(&mut listed, found) != listed || pushes > 1 {
                        needed = 3;
                    }
                    confirmed += 1;
                    if confirmed >= needed {
                        return Ok(attached(Vec::new()));
                    }
                    wait(spacing * confirmed);
                } else if waited {
                    break;
                } else {
                    confirmed = 0;
                    waited = true;
                    wait((FIRST_WAIT * (1 << pushes.min(6))).min(LONGEST_WAIT));
                }
            }
        }
        let mut attached = self.attach_by_tag(subject, referrers)?;
        for one in &mut attached {
            let detail = "the referrers API does not list it, and it is listed under the fallback tag instead".to_owned();
            one.notices.push(Finding { kind: FindingKind::Unconfirmed, digest: Some(one.descriptor.digest), detail });
        }
        Ok(attached)
    }

    /// Pushes each with an anchor, then lists all under the fallback tag.
    fn attach_by_tag(&self, subject: &Digest, referrers: &[Referrer<'_>]) -> Result<Vec<Attached>, Error> {
        let mut listing = Listing::new(self, subject, HashSet::new());
        if self.anchors == Anchors::Omitted {
            self.push_all(referrers)?;
            listing.unwatched();
            referrers.iter().for_each(|referrer| listing.own(referrer.descriptor.clone(), false));
        } else {
            let anchored = parallel::map(referrers, MAX_PARALLEL, |referrer| self.push_anchor(referrer));
            for (referrer, refused) in referrers.iter().zip(anchored) {
                let refused = refused?;
                listing.own(referrer.descriptor.clone(), refused.is_none());
                if let Some(error) = refused {
                    listing.notice(format!("the registry takes no anchor tag, and concurrent writers may lose the referrer: {error}"));
                }
            }
        }
        let listed = listing.agree()?;
        let each = referrers.iter();
        Ok(each.map(|referrer| referrer.attached(listed.before.contains(&referrer.descriptor.digest), listed.notices.clone())).collect())
    }

    /// Pushes a referrer under its anchor or, if the registry refuses that, by its digest: then the result says why.
    fn push_anchor(&self, referrer: &Referrer<'_>) -> Result<Option<Error>, Error> {
        let Referrer { bytes, descriptor, subject, .. } = referrer;
        let digest = &descriptor.digest;
        // Under a tag alone a registry chooses the algorithm of the digest.
        if digest.algorithm() != Algorithm::Sha256 {
            self.push_referrer(referrer)?;
        }
        let tag = anchor_tag(subject, digest);
        let refused = match self.patiently(|| self.push_manifest(&tag, digest, bytes, &descriptor.media_type))? {
            Pushed::Stored => return Ok(None),
            Pushed::Refused(error) => error,
        };
        // A tag that cannot be set again is right if it is this manifest's already.
        if let Some(Some(said)) = self.tagged(&tag)?
            && said.algorithm().digest(bytes) == said
        {
            return Ok(None);
        }
        self.push_referrer(referrer)?;
        Ok(Some(refused))
    }
}

impl Referrer<'_> {
    fn attached(&self, already: bool, notices: Vec<Finding>) -> Attached {
        Attached { descriptor: self.descriptor.clone(), subject: self.subject, already, notices }
    }
}

fn digests(list: &Referrers) -> HashSet<Digest> {
    list.entries.iter().map(|entry| entry.digest).collect()
}
