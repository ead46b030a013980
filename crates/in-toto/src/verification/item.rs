//! One step or inspection: its files, one by one, and what they come to.

use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use touchmark_envelope::sorted;
use touchmark_envelope::threshold::{Signers, Tally, ThresholdError};
use touchmark_envelope::{Digest, Unverified};

use crate::certificates::{Authorities, Certified};
use crate::key::Functionaries;
use crate::link::Link;
use crate::name::is_link;

use super::attested::Attested;
use super::need::{Found, Names};
use super::reason::{Reason, Refusal};
use super::report::{Answered, FileReport, ItemReport, Warning, spaced};

/// So many files and keys are told of where a threshold is missed; the report has all.
const MAX_WHY: usize = 4;

/// A step or an inspection whose files are being looked for.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) functionaries: Functionaries,
    /// The files that were not asked for yet.
    pub(super) files: VecDeque<String>,
    /// Whether there may be files whose names nobody knows before.
    wants_names: bool,
    folder: String,
    /// The keys that may sign by a certificate, in the files that have it.
    certified: Vec<touchmark_envelope::key::PublicKey>,
    /// Files that were found and not looked at yet: their name, and what is there.
    pub(super) waiting: VecDeque<(String, Found)>,
    /// Where the file that is looked at is from.
    pub(super) from: Option<String>,
    /// Links that may count: signed by someone who may, and of this item.
    candidates: Vec<Candidate>,
    /// The sublayout that is being verified.
    pub(super) sublayout: Option<Sublayout>,
    /// Whether something that might count could not be had, beside what the report says of files.
    pub(super) unavailable: bool,
    /// What it expects of statements, and those that may count, where no links are wanted.
    pub(super) attested: Option<Attested>,
    pub(super) report: ItemReport,
}

/// A file that is a sublayout, and who signed it.
#[derive(Debug)]
pub(super) struct Sublayout {
    pub(super) path: String,
    pub(super) signers: Signers,
    pub(super) certified: Vec<Certified>,
    /// The digest of what was signed.
    pub(super) digest: Digest,
}

#[derive(Debug)]
struct Candidate {
    path: String,
    signers: Signers,
    link: Arc<Link>,
}

impl Item {
    /// One whose links are in `folder`.
    pub(super) fn new(folder: &str, name: &str, threshold: u64, functionaries: Functionaries) -> Self {
        Self::new_with(folder, name, threshold, functionaries, &["link"])
    }

    /// One whose files have these ends.
    pub(super) fn new_with(folder: &str, name: &str, threshold: u64, functionaries: Functionaries, ends: &[&str]) -> Self {
        // in-toto 1.0, 4.4: the name of the step and the beginning of the keyid.
        let files = functionaries.prefixes.iter().flat_map(|prefix| ends.iter().map(move |end| format!("{folder}{name}.{prefix}.{end}")));
        let files: VecDeque<String> = files.collect();
        let report = ItemReport {
            name: name.into(),
            threshold,
            functionaries: functionaries.keys.keys().to_vec(),
            unusable: functionaries.unusable.clone(),
            counted: Vec::new(),
            files: Vec::new(),
            looked_for: files.len(),
            cert_constraints: 0,
            answer: Answered::No,
            predicates: Vec::new(),
            link: None,
            warnings: Vec::new(),
            materials: None,
            products: None,
        };
        let (folder, certified, candidates) = (folder.into(), Vec::new(), Vec::new());
        Self {
            functionaries,
            files,
            wants_names: false,
            folder,
            certified,
            waiting: VecDeque::new(),
            from: None,
            candidates,
            sublayout: None,
            unavailable: false,
            attested: None,
            report,
        }
    }

    /// The same, for a step that takes certificates of some authorities (ITE-7).
    pub(super) fn with_certificates(mut self, constraints: usize, authorities: &Authorities) -> Self {
        if constraints > 0 {
            self.report.cert_constraints = constraints;
            self.report.unusable.extend(authorities.unusable().iter().cloned());
            self.wants_names = authorities.has_root();
        }
        self
    }

    /// Whether names of files are wanted, which they are once.
    pub(super) fn takes_names(&mut self) -> bool {
        core::mem::take(&mut self.wants_names)
    }

    /// Takes the names of files that were found: the first ones of the form that a link's name has.
    pub(super) fn found(&mut self, names: Names, limit: usize) {
        let asked = sorted::set(self.functionaries.prefixes.iter().map(String::as_str));
        let is_new = |name: &String| name.rsplit('.').nth(1).is_some_and(|digits| !asked.contains(digits));
        let Names { names, is_complete } = names;
        let names = sorted::set(names.into_iter().filter(|name| is_link(name, &self.report.name)).filter(is_new));
        if names.len() > limit || !is_complete {
            self.unlisted(Refusal::TooManyNames { limit });
        }
        self.report.looked_for += names.len().min(limit);
        self.files.extend(names.into_iter().take(limit).map(|name| format!("{}{name}", self.folder)));
    }

    /// Notes that there may be files that were not looked at.
    pub(super) fn unlisted(&mut self, refusal: Refusal) {
        let path = format!("{}{}.????????.link", self.folder, self.report.name);
        self.note(FileReport { path, from: None, signed_by: Vec::new(), certified: Vec::new(), refusal: Some(refusal), sublayout: None });
    }

    /// Takes keys as those of functionaries, since their certificates are.
    pub(super) fn certify(&mut self, certified: &[Certified]) {
        self.certified.extend(certified.iter().map(|one| one.key.clone()));
    }

    pub(super) fn name(&self) -> &str {
        &self.report.name
    }

    /// Where its files are, and its name: the step that it is of all those of the verification.
    pub(super) fn step(&self) -> String {
        format!("{}{}", self.folder, self.report.name)
    }

    pub(super) fn note(&mut self, file: FileReport) {
        self.report.files.push(FileReport { from: self.from.clone(), ..file });
    }

    /// Notes a file, and says which it is among them.
    pub(super) fn note_at(&mut self, file: FileReport) -> usize {
        self.note(file);
        self.report.files.len() - 1
    }

    pub(super) fn add(&mut self, path: String, signers: Signers, link: Link) {
        self.candidates.push(Candidate { path, signers, link: Arc::new(link) });
    }

    pub(super) fn warn(&mut self, warning: Warning) {
        self.report.warnings.push(warning);
    }

    pub(super) fn has_candidates(&self) -> bool {
        !self.candidates.is_empty()
    }

    /// What the files come to: the one thing that all who count report, if enough do (in-toto 1.0, 4.3.1 and 5.2, item 4).
    pub(super) fn conclude(mut self, expected_command: Option<&[String]>) -> (ItemReport, Option<Reason>) {
        // One warning, whoever signs: a command may be as long as a link.
        if let Some(expected) = expected_command {
            let mut others = self.candidates.iter().filter(|candidate| *expected != *candidate.link.command);
            if let Some(Candidate { path, link, .. }) = others.next() {
                let (found, expected) = (spaced(&link.command), spaced(expected));
                self.report.warnings.push(Warning::Command { file: path.clone(), more: others.count(), found, expected });
            }
        }
        let outcome = self.counted();
        if let Ok((link, counted)) = &outcome {
            self.report.link = Some(Arc::clone(link));
            self.report.counted.clone_from(counted);
            self.report.answer = Answered::Signed;
        }
        (self.report, outcome.err())
    }

    fn counted(&self) -> Result<(Arc<Link>, Vec<touchmark_envelope::key::PublicKey>), Reason> {
        let (step, needed) = (&self.report.name, self.report.threshold);
        let missed = |found| {
            let unavailable = self.has_unavailable();
            Reason::Threshold { step: step.clone(), needed, found, unavailable, why: self.why() }
        };
        let mut keys = self.functionaries.keys.clone();
        self.certified.iter().for_each(|key| keys.add(key.clone()));
        let unreachable = Reason::Unreachable { step: step.clone(), needed, keys: keys.len(), why: self.why() };
        let mut tally = match Tally::new(keys, usize::try_from(needed).unwrap_or(usize::MAX)) {
            Ok(tally) => tally,
            // Whoever has a certificate may still come.
            Err(_) if self.report.cert_constraints > 0 => return Err(missed(self.distinct())),
            Err(_) => return Err(unreachable),
        };
        // Who may sign and reports something else is a contradiction, whatever the threshold and whichever file comes first.
        let links: Vec<&Arc<Link>> = self.candidates.iter().map(|candidate| &candidate.link).collect();
        let Some(common) = Link::common(&links) else {
            let [first, others @ ..] = self.candidates.as_slice() else { return Err(missed(0)) };
            let differs = |other: &&Candidate| Link::common(&[&first.link, &other.link]).is_none();
            let other = others.iter().find(differs).or(others.last()).map_or_else(String::new, |other| other.path.clone());
            return Err(Reason::Disagreement { item: step.clone(), first: first.path.clone(), other });
        };
        for candidate in &self.candidates {
            tally.count(&candidate.signers, || Unverified::new(Arc::clone(&candidate.link)));
        }
        let verified = tally.finish().map_err(|error| match error {
            ThresholdError::Missed { found, .. } => missed(found),
            _ => unreachable,
        })?;
        let counted = verified.evidence().keys().to_vec();
        // What was counted all says this.
        Ok((common, counted))
    }

    /// How many distinct keys signed what may count.
    fn distinct(&self) -> usize {
        sorted::set(self.candidates.iter().flat_map(|candidate| candidate.signers.keys())).len()
    }

    /// Whether something that might count could not be had.
    pub(super) fn has_unavailable(&self) -> bool {
        let mut refusals = self.report.files.iter().filter_map(|file| file.refusal.as_ref());
        self.unavailable || refusals.any(Refusal::is_unknown)
    }

    /// What keeps files and keys from counting: the first few, in one line.
    pub(super) fn why(&self) -> String {
        let files = self.report.files.iter().filter_map(|file| Some(format!("{}: {}", file.path, file.refusal.as_ref()?)));
        let keys = self.report.unusable.iter().map(|(keyid, why)| {
            let keyid: String = keyid.chars().take(16).flat_map(char::escape_debug).collect();
            format!("key {keyid}: {why}")
        });
        let mut all: Vec<String> = files.chain(keys).take(MAX_WHY + 1).collect();
        if self.report.files.is_empty() {
            all.insert(0, format!("none of the {} files that it could be in was found", self.report.looked_for));
        }
        if all.len() > MAX_WHY {
            all.truncate(MAX_WHY);
            all.push("…".into());
        }
        all.join("; ")
    }
}
