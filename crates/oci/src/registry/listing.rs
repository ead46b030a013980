//! Writing the list of an artifact's referrers in a registry without the referrers API (distribution spec, "Referrers Tag Schema"),
//! while others write it too.
//!
//! The list is an index under one tag, which everybody reads, changes and overwrites; no registry compares before it swaps. What keeps
//! it whole are the anchors: each referrer is first pushed under a tag of its own, which nobody else writes. Then a writer repeats:
//! 1. it lists the anchors, and reads those that it does not know (not before its first write, where there is nothing to compare);
//! 2. it reads the list;
//! 3. if the list has the writer's own referrers, those of all anchors, and those that were in an earlier state of the list and are
//!    still there, it is done; else it writes the list with these added, and begins anew.
//!
//! **Nothing is lost.** Let X be the writer whose write of the list is the last of all. After it X lists the anchors and reads the
//! list, and would write again if that lacked one of them; so it has every anchor that was there when X listed them. A writer W whose
//! anchor came later read the list after that, so it read what X wrote, and would have written after X if W's referrer was missing.
//! So when all are done the list has everything. This holds whoever writes with whatever old view in between, and needs no clock; it
//! needs that a tag that was set is seen by who lists or reads tags afterwards. Where that is not so (a listing lags behind), or X is
//! killed after its last write, or a program without anchors overwrites the list, the anchors still have what the list lost: who reads
//! all lists finds it, and the next writer, or `repair`, lists it again. A listing that lacks a writer's own anchors is seen to lag, and
//! is asked for again. A second look after a pause ([`SPACING`]) catches most of those programs.
//!
//! **Removing at the same time.** Who removes a referrer takes its anchor away before it looks at the list for the last time. A
//! writer adds only what an anchor names at that moment, or what was in the list before and is still in the registry; so at worst an
//! old view leaves an entry for what is not there, which readers pass over. The referrer itself is never pushed again.
//!
//! **An error is no empty list.** Only 404 says that there is no list; after anything else nothing is written.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use touchmark_envelope::Digest;
use touchmark_envelope::manifest::{Descriptor, IMAGE_INDEX};

use super::anchors::{anchor_digits, anchor_tag};
use super::fallback::Fallback;
use super::manifests::MAX_SMALL;
use super::merge::Changes;
use super::write::Pushed;
use super::{MAX_PARALLEL, Registry};
use crate::error::{Class, Error};
use crate::failpoint::{Guard, is_off};
use crate::index::Index;
use crate::parallel;
use crate::scan::MAX_MANIFEST;
use crate::source::{Finding, FindingKind, Source};
use crate::union::list_tag;

/// At most this many bytes of a list are read.
pub(super) const MAX_LIST: u64 = 16 << 20;
/// How often the list is looked at before it is said that it cannot be kept.
const MAX_ROUNDS: u32 = 50;
/// How often in a row a look may fail for a reason that may pass, besides what is tried for each request; less often if a request is.
const MAX_FAILURES: u32 = 3;
/// How often the listing of anchors may lack one that was just set.
const MAX_LAGS: u32 = 5;
/// Between two looks that find everything.
pub(super) const SPACING: Duration = Duration::from_millis(150);
/// The longest wait of a writer that meets others; the first is 64 times shorter.
const CONTENDED: Duration = Duration::from_secs(1);

/// How the list of one subject came to be as it should.
pub(super) struct Listed {
    /// What it had when it was first read.
    pub(super) before: HashSet<Digest>,
    /// Whether it is as it should be, and not left as it was since it cannot be written.
    pub(super) right: bool,
    /// What the user should know of it.
    pub(super) notices: Vec<Finding>,
}

/// The work on the list of one subject.
pub(super) struct Listing<'a> {
    registry: &'a Registry,
    subject: Digest,
    changes: Changes,
    /// The anchors of what this writer attached.
    anchored: HashSet<String>,
    /// Whether others' anchors are looked at.
    watching: bool,
    /// What anchors that were read name, and `None` for those that name no referrer of the subject.
    read: HashMap<String, Option<Descriptor>>,
    before: Option<HashSet<Digest>>,
    /// Of the list when it was last read; `None` if there was none.
    state: Option<Digest>,
    written: u32,
    lags: u32,
    notices: Vec<Finding>,
}

/// What one look at the list led to.
enum Step {
    /// It was written.
    Written,
    /// It is as it should be.
    Agreed,
    /// It is as it should be as far as was looked.
    Unwatched,
    /// It is to be looked at again.
    Again,
    /// It cannot be written, and why.
    Kept(Error),
}

impl<'a> Listing<'a> {
    /// Work that takes `gone` out of the list and keeps everything else in it.
    pub(super) fn new(registry: &'a Registry, subject: &Digest, gone: HashSet<Digest>) -> Self {
        Self {
            registry,
            subject: *subject,
            changes: Changes { gone, ..Changes::default() },
            anchored: HashSet::new(),
            watching: true,
            read: HashMap::new(),
            before: None,
            state: None,
            written: 0,
            lags: 0,
            notices: Vec::new(),
        }
    }

    /// Adds a referrer that this writer attached; `anchored` says whether it has an anchor.
    pub(super) fn own(&mut self, descriptor: Descriptor, anchored: bool) {
        if anchored {
            self.anchored.insert(anchor_tag(&self.subject, &descriptor.digest));
        }
        self.read.insert(anchor_tag(&self.subject, &descriptor.digest), Some(descriptor.clone()));
        self.changes.own.insert(descriptor.digest, descriptor);
    }

    /// Looks at no anchors: others' may be there, and are left to others.
    pub(super) fn unwatched(&mut self) {
        self.watching = false;
    }

    /// Tells the user something of the list.
    pub(super) fn notice(&mut self, detail: String) {
        self.notices.push(Finding { kind: FindingKind::Unconfirmed, digest: Some(self.subject), detail });
    }

    /// Writes the list until it is as it should be.
    ///
    /// # Errors
    /// The registry cannot be read or written, something else than a list is under the tag and there are no anchors to do without it,
    /// or others rewrite it all the time.
    pub(super) fn agree(mut self) -> Result<Listed, Error> {
        let (mut confirmed, mut failures) = (0, 0);
        // Before anything was written there is no view of one's own that could be old.
        let mut look = false;
        for _ in 0..MAX_ROUNDS {
            let step = match self.step(look) {
                Ok(step) => step,
                Err(error) if may_pass(&error) && failures < self.registry.patience() => {
                    failures += 1;
                    // What was written may have arrived although the answer did not.
                    look = true;
                    wait(CONTENDED);
                    continue;
                }
                Err(error) => return Err(error),
            };
            failures = 0;
            match step {
                Step::Written if is_off(Guard::Merge) => return Ok(self.listed()),
                Step::Written => {
                    confirmed = 0;
                    if self.written > 1 {
                        wait(CONTENDED / 64 * (1 << self.written.min(6)));
                    }
                }
                Step::Unwatched if self.changes.own.is_empty() => return Ok(self.listed()),
                Step::Unwatched | Step::Again => {}
                Step::Agreed => {
                    confirmed += 1;
                    // Without anchors, who overwrites an entry must be noticed in time.
                    let needed = if self.watching { 2 } else { 3 };
                    while confirmed < needed {
                        wait(SPACING * confirmed);
                        if !self.is_unchanged()? {
                            break;
                        }
                        confirmed += 1;
                    }
                    if confirmed >= needed {
                        return Ok(self.listed());
                    }
                }
                Step::Kept(error) => return self.keep(error),
            }
            look = true;
        }
        let digest = self.changes.own.keys().next().or(self.changes.gone.iter().next()).copied().unwrap_or(self.subject);
        Err(Error::NotListed { location: self.registry.location(), digest })
    }

    fn listed(self) -> Listed {
        Listed { before: self.before.unwrap_or_default(), right: true, notices: self.notices }
    }

    /// Looks at the list, and at the anchors if told to, and writes what is missing.
    fn step(&mut self, look: bool) -> Result<Step, Error> {
        let registry = self.registry;
        let anchors = if look { self.anchors()? } else { Vec::new() };
        if look && self.lags(&anchors) {
            wait(CONTENDED);
            return Ok(Step::Again);
        }
        let mut list = match self.read_list()? {
            Ok(list) => list,
            Err(error) => return Ok(Step::Kept(error)),
        };
        let unknown = self.unknown(&anchors, list.as_ref());
        if !unknown.is_empty() {
            self.read_anchors(&unknown)?;
            // The list may have what was unknown by now; and the older it is, the more is overwritten.
            if !self.is_unchanged()? {
                list = match self.read_list()? {
                    Ok(list) => list,
                    Err(error) => return Ok(Step::Kept(error)),
                };
            }
        }
        let named = anchors.iter().filter_map(|tag| self.read.get(tag)?.clone());
        self.changes.others = named.map(|descriptor| (descriptor.digest, descriptor)).collect();
        self.remember(list.as_ref())?;
        let changes = if is_off(Guard::Merge) { &Changes { own: self.changes.own.clone(), ..Changes::default() } } else { &self.changes };
        let Some(bytes) = changes.merge(&self.subject, list.as_ref()) else {
            return Ok(if look || is_off(Guard::Merge) { Step::Agreed } else { Step::Unwatched });
        };
        let digest = touchmark_envelope::digest::Algorithm::Sha256.digest(&bytes);
        match registry.push_manifest(&list_tag(&self.subject), &digest, &bytes, IMAGE_INDEX)? {
            Pushed::Stored => {
                self.written = self.written.saturating_add(1);
                Ok(Step::Written)
            }
            Pushed::Refused(error) if self.drop_dangling(&error, &bytes)? => Ok(Step::Again),
            Pushed::Refused(error) => Ok(Step::Kept(error)),
        }
    }

    /// The anchors of the subject, if they can be listed; a failure that may pass is one of the whole step.
    fn anchors(&mut self) -> Result<Vec<String>, Error> {
        if !self.watching {
            return Ok(Vec::new());
        }
        let found = self.registry.anchor_tags(&self.subject);
        if let Some(error) = found.stopped {
            if may_pass(&error) || matches!(error, Error::Status { status: 429, .. }) {
                return Err(error);
            }
            self.notice(format!("attached, and whether it stays listed could not be confirmed: the tags are not listed: {error}"));
            self.watching = false;
        }
        Ok(found.tags)
    }

    /// Whether a listing of anchors lacks one that was set before. After some such listings the registry's are not believed.
    fn lags(&mut self, anchors: &[String]) -> bool {
        if !self.watching || self.anchored.iter().all(|anchor| anchors.contains(anchor)) {
            return false;
        }
        self.lags = self.lags.saturating_add(1);
        if self.lags <= MAX_LAGS {
            return true;
        }
        self.watching = false;
        self.notice("attached, and whether it stays listed could not be confirmed: the list of tags lacks one that was set".to_owned());
        false
    }

    /// Reads the list. What is no list, and must not be overwritten, is an error in the result.
    fn read_list(&mut self) -> Result<Result<Option<Index>, Error>, Error> {
        let tag = list_tag(&self.subject);
        let location = self.registry.location();
        let list = match self.registry.fallback(&self.subject, MAX_LIST) {
            Ok(Fallback::None) => None,
            Ok(Fallback::List { list, digest }) => Some((list, digest)),
            Ok(Fallback::Other { reason }) => return Ok(Err(Error::Malformed { location, what: tag, reason })),
            Err(error) if matches!(error.class(), Class::Cap | Class::Malformed) => return Ok(Err(error)),
            Err(error) => return Err(error),
        };
        let (list, state) = list.unzip();
        self.state = state;
        let entries = list.iter().flat_map(|list: &Index| list.entries()).filter_map(|entry| entry.digest);
        self.before.get_or_insert_with(|| entries.collect());
        Ok(Ok(list))
    }

    /// Whether the list is still the one that was last read, as far as the registry says. To be told of its digest is no proof of
    /// anything but a change.
    fn is_unchanged(&self) -> Result<bool, Error> {
        match self.registry.tagged(&list_tag(&self.subject)) {
            Ok(Some(said)) => Ok(said.is_some() && said == self.state),
            Ok(None) => Ok(self.state.is_none()),
            Err(error) if may_pass(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The anchors that neither the list nor this writer knows.
    fn unknown(&self, anchors: &[String], list: Option<&Index>) -> Vec<String> {
        let listed = list.iter().flat_map(|list| list.entries()).filter_map(|entry| entry.digest);
        let listed: HashSet<String> = listed.map(|digest| anchor_tag(&self.subject, &digest)).collect();
        anchors.iter().filter(|tag| !listed.contains(*tag) && !self.read.contains_key(*tag)).cloned().collect()
    }

    fn read_anchors(&mut self, tags: &[String]) -> Result<(), Error> {
        let (registry, subject) = (self.registry, self.subject);
        for tags in tags.chunks(MAX_PARALLEL) {
            for (tag, read) in tags.iter().zip(parallel::map(tags, MAX_PARALLEL, |tag| registry.read_anchor(tag, &subject, MAX_SMALL))) {
                // Large ones are read one after the other: two dozen at once take too much memory.
                let read = match read {
                    Err(error) if error.class() == Class::Cap => registry.read_anchor(tag, &subject, MAX_MANIFEST),
                    read => read,
                };
                match read {
                    // An anchor that is being set is listed before it can be read. Its writer looks at the list after this one.
                    Ok(None) => {}
                    Ok(Some(descriptor)) => {
                        let own_name = tag.ends_with(&anchor_digits(&descriptor.digest));
                        self.read.insert(tag.clone(), own_name.then_some(descriptor));
                    }
                    Err(error) if matches!(error.class(), Class::Usage | Class::Malformed | Class::Cap | Class::WrongDigest) => {
                        self.read.insert(tag.clone(), None);
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }

    /// Keeps the entries of this state of the list for later, and finds those of earlier states that were overwritten: what is still
    /// in the registry is listed again.
    fn remember(&mut self, list: Option<&Index>) -> Result<(), Error> {
        let mut lost = std::mem::take(&mut self.changes.earlier);
        let mut now = BTreeMap::new();
        for entry in list.iter().flat_map(|list| list.entries()) {
            if let (Some(digest), Some(list)) = (entry.digest, list) {
                lost.remove(&digest);
                now.insert(digest, list.text(entry).to_vec());
            }
        }
        let lost: Vec<(Digest, Vec<u8>)> = lost
            .into_iter()
            .filter(|(digest, _)| !self.changes.own.contains_key(digest) && !self.changes.others.contains_key(digest))
            .collect();
        let there = parallel::map(&lost, MAX_PARALLEL, |(digest, _)| self.registry.has_manifest(digest));
        for ((digest, text), there) in lost.into_iter().zip(there) {
            if there? {
                now.insert(digest, text);
            }
        }
        self.changes.earlier = now;
        Ok(())
    }

    /// A registry that wants every manifest of an index to be there refuses a list with an entry for one that is not. Those entries
    /// go; `false` if there are none.
    fn drop_dangling(&mut self, refusal: &Error, bytes: &[u8]) -> Result<bool, Error> {
        if !matches!(refusal, Error::Status { status: 400 | 404, .. }) {
            return Ok(false);
        }
        let Ok(list) = Index::parse_list(bytes.to_vec()) else { return Ok(false) };
        let digests: Vec<Digest> = list.entries().iter().filter_map(|entry| entry.digest).collect();
        let there = parallel::map(&digests, MAX_PARALLEL, |digest| self.registry.has_manifest(digest));
        let mut dropped = false;
        for (digest, there) in digests.into_iter().zip(there) {
            dropped |= !there? && !self.changes.own.contains_key(&digest) && self.changes.gone.insert(digest);
        }
        Ok(dropped)
    }

    /// The end if the list cannot be written, or is none: anchors suffice, but only where they are listed.
    fn keep(mut self, error: Error) -> Result<Listed, Error> {
        let tag = list_tag(&self.subject);
        if self.changes.own.is_empty() {
            self.notice(format!("{tag} stays as it is: {error}"));
            return Ok(Listed { right: false, ..self.listed() });
        }
        if self.anchored.len() < self.changes.own.len() {
            return Err(error);
        }
        loop {
            let anchors = self.anchors()?;
            if !self.lags(&anchors) {
                break;
            }
            wait(CONTENDED);
        }
        // In neither list, nobody would find it.
        if !self.watching {
            return Err(error);
        }
        self.notice(format!("{tag} cannot be written, so that tools that know no anchor tags do not find the referrer: {error}"));
        Ok(Listed { right: false, ..self.listed() })
    }
}

impl Registry {
    /// How often in a row a step of several requests is done again.
    fn patience(&self) -> u32 {
        self.retries.min(MAX_FAILURES)
    }

    /// Does `work` again after a failure that may pass: a referrer of which one half is done is worth more than one request's tries.
    pub(super) fn patiently<T>(&self, work: impl Fn() -> Result<T, Error>) -> Result<T, Error> {
        let mut failures = 0;
        loop {
            match work() {
                Err(error) if may_pass(&error) && failures < self.patience() => {
                    failures += 1;
                    wait(CONTENDED);
                }
                done => return done,
            }
        }
    }
}

/// Whether a failure of one look is worth another.
fn may_pass(error: &Error) -> bool {
    matches!(error, Error::Connection { .. } | Error::Status { status: 500..=599, .. })
}

/// Waits for at most this long and at least half of it, so that writers who met part.
pub(super) fn wait(most: Duration) {
    let random = getrandom::u32().unwrap_or(u32::MAX / 2);
    let half = most / 2;
    let part = u128::from(random).saturating_mul(half.as_nanos()) / u128::from(u32::MAX);
    std::thread::sleep(half.saturating_add(Duration::from_nanos(u64::try_from(part).unwrap_or(0))));
}
