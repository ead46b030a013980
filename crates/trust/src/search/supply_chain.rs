//! Level 3: the in-toto layout that the policy wants, by what is attached to the manifest that decides.
//!
//! What is attached is gathered first: sets of links, and for a layout over attestations single statements. Then the layout is verified by
//! it; and if that does not suffice, more is gathered, in the order in which signatures are looked for: what is listed as something else,
//! then what only a thorough question finds. What strangers attached hides nothing: it is bounded, and the largest goes first.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

use touchmark_envelope::digest::Digests;
use touchmark_envelope::manifest::{Descriptor, Manifest};
use touchmark_envelope::{Digest, Verified};
use touchmark_in_toto::attached::{AttachedNeed, AttachedRefusal, MAX_FILES};
use touchmark_in_toto::{self as in_toto, Product, Report, SupplyChain};

use super::evidence::{Bare, Supply};
use super::{Bound, Search, State, checked, length};
use crate::limits::Limits;
use crate::need::{Answer, Failure, Need};
use crate::policy::Policy;
use crate::report::{Artifact, Class, Fault, Rejected};

/// So many files of sets are kept for each referrer that is looked at, and no fewer than two whole sets have.
const FILES_PER_REFERRER: usize = 8;

/// What is gathered for the supply chain that is asked for, and what was found of it if it does not hold.
#[derive(Debug, Default)]
pub(super) struct Supplied {
    gathered: Option<Box<Supply>>,
    refused: Option<Box<Report>>,
}

/// What may be evidence, and is wanted.
#[derive(Debug)]
pub(super) enum Evidence {
    /// The manifest of a referrer.
    Referrer(Digest),
    /// The envelope of a single statement.
    Statement { referrer: Digest, digest: Digest, size: u64 },
    /// A file of a set of links.
    File { digest: Digest, size: u64 },
}

/// The supply chain that was verified.
pub(super) struct Chain(Option<Verified<SupplyChain>>);

/// The one that the policy asks for, if it asks for one.
pub(super) struct Held(Option<Verified<SupplyChain>>);

/// What was found of one that does not.
pub(super) struct Refusal(Option<Box<Report>>);

impl Supplied {
    /// What came of it.
    pub(super) fn outcome(&mut self) -> (Chain, Refusal) {
        let verified = self.gathered.as_mut().and_then(|supply| supply.verified.take());
        (Chain(verified), Refusal(self.refused.take()))
    }
}

impl Evidence {
    pub(super) fn need(&self, limits: &Limits) -> Need {
        match self {
            Evidence::Referrer(digest) => Need::Manifest { digest: *digest, limit: limits.manifest },
            Evidence::Statement { digest, size, .. } | Evidence::File { digest, size } => Need::Blob { digest: *digest, limit: *size },
        }
    }
}

impl Chain {
    /// Nothing if the policy asks for one that was not verified.
    pub(super) fn held(self, policy: &Policy) -> Option<Held> {
        match policy.supply_chain {
            None => Some(Held(None)),
            Some(_) => self.0.map(|chain| Held(Some(chain))),
        }
    }
}

impl Held {
    pub(super) fn join(self, artifact: Verified<Artifact>) -> Verified<Artifact> {
        let Some(chain) = self.0 else { return artifact };
        artifact.join(chain, |artifact, chain| Artifact { supply_chain: Some(Box::new(chain)), ..artifact })
    }
}

impl Refusal {
    pub(super) fn told_in(self, rejected: Rejected) -> Rejected {
        rejected.with_supply_chain(self.0)
    }
}

impl Search {
    /// With the manifest that decides: begins to gather what the policy's supply chain needs.
    pub(super) fn demand_supply_chain(&mut self, subject: &Digests, bytes: &[u8]) -> Result<(), Box<Fault>> {
        let Some(demand) = &self.request.policy.supply_chain else { return Ok(()) };
        let product = Product::oci(bytes).map_err(|error| Box::new(fault(error.to_string(), None)))?;
        let supply = Supply::new(Arc::clone(demand), product, subject.clone(), &self.request.limits, self.request.at);
        self.supply.gathered = Some(Box::new(supply));
        Ok(())
    }

    /// Takes the envelopes that the caller gave.
    pub(super) fn give_evidence(&mut self, envelopes: &[Vec<u8>]) {
        if let Some(supply) = &mut self.supply.gathered {
            supply.give(envelopes, &mut self.work);
        }
    }

    /// Takes a list of referrers.
    pub(super) fn list_evidence(&mut self, entries: &[Descriptor]) {
        if let Some(supply) = &mut self.supply.gathered {
            supply.list(entries, self.request.limits.referrers);
        }
    }

    /// Looks at a manifest that was fetched for a signature's sake.
    pub(super) fn glance_for_evidence(&mut self, referrer: Digest, manifest: &Manifest) {
        let most = self.most_files();
        if let (Some(supply), Some(subject)) = (&mut self.supply.gathered, &self.subject) {
            supply.glance(referrer, manifest, &subject.digests, most);
        }
    }

    /// After a list of referrers: goes on gathering, if it was for that. Says whether it was.
    pub(super) fn resume_supply_chain(&mut self) -> bool {
        match &mut self.supply.gathered {
            Some(supply) if supply.is_begun() => {
                supply.is_listed();
                self.next_evidence();
                true
            }
            _ => false,
        }
    }

    /// Once everything else holds: the supply chain, if one is asked for.
    pub(super) fn begin_supply_chain(&mut self) {
        let given = self.request.envelopes.take();
        let Some(supply) = &mut self.supply.gathered else {
            // It is made with the manifest that decides; without it nothing was verified.
            match self.request.policy.supply_chain {
                None => self.begin_contents(),
                Some(_) => self.state = State::Refused(Class::Unknown, fault("nothing was looked at".to_owned(), None)),
            }
            return;
        };
        supply.begun = true;
        if let Some(envelopes) = given {
            supply.give(&envelopes, &mut self.work);
        }
        if let Bare::Refused(refusal) = supply.bare() {
            return self.refuse_supply_chain(refusal);
        }
        self.next_evidence();
    }

    /// Goes on gathering, or verifying by what was gathered.
    fn next_evidence(&mut self) {
        let whole = self.request.limits.work;
        let out_of_work = || alloc::format!("the evidence takes more work than {whole} bytes' worth; raise the limit with --max-work");
        loop {
            let (no_work, more, listing) = (self.work == 0, self.more, self.unseen.is_some());
            let Some(supply) = &mut self.supply.gathered else { return };
            if let Some(verification) = &mut supply.verification {
                match verification.need() {
                    Some(AttachedNeed::File { .. }) if no_work => {
                        verification.answer(in_toto::Answer::Failed(in_toto::Failure::Unavailable(out_of_work())));
                    }
                    Some(AttachedNeed::File { digest, size }) => return self.state = State::Evidence(Evidence::File { digest, size }),
                    // Nobody runs what a stranger may have written.
                    Some(_) => verification.answer(in_toto::Answer::Absent),
                    None => match supply.verification.take().map(|verification| verification.finish().0) {
                        Some(Ok((chain, _))) => {
                            supply.verified = Some(chain);
                            return self.begin_contents();
                        }
                        Some(Err(refusal)) => supply.refusal = Some(refusal),
                        None => {}
                    },
                }
                continue;
            }
            if !supply.listed {
                return self.state = State::Referrers { thorough: false };
            }
            if let Some(entry) = supply.next_entry() {
                if no_work {
                    supply.is_unseen(out_of_work(), None);
                    supply.entries.clear();
                    continue;
                }
                return self.state = State::Evidence(Evidence::Referrer(entry));
            }
            // Nothing more is looked at without work that is left, and whatever that might have been is not known to be nothing.
            if no_work && more && !supply.changed && supply.entries.is_empty() {
                supply.is_unseen(out_of_work(), None);
                self.more = false;
                continue;
            }
            // Whether there is more to look at, should this not suffice.
            let is_last = supply.entries.is_empty() && !more;
            let complete = is_last && !listing && supply.unseen.is_none();
            // What was not seen matters once nothing else can be looked at.
            if supply.changed || (is_last && supply.ran_as != Some(complete)) {
                supply.verify(complete || !is_last);
                continue;
            }
            if !supply.entries.is_empty() && !supply.wide {
                supply.wide = true;
                continue;
            }
            if !is_last {
                return self.state = State::Referrers { thorough: true };
            }
            match supply.refusal.take() {
                Some(refusal) => return self.refuse_supply_chain(refusal),
                None => return self.state = State::Refused(Class::Unknown, fault("nothing was looked at".to_owned(), None)),
            }
        }
    }

    /// Takes in what was wanted.
    pub(super) fn evidence_loaded(&mut self, evidence: Evidence, answer: Answer) {
        match evidence {
            Evidence::Referrer(digest) => self.referrer_of_evidence_loaded(digest, answer),
            Evidence::Statement { referrer, digest, size } => self.statement_loaded(referrer, digest, size, answer),
            Evidence::File { digest, size } => self.file_loaded(digest, size, answer),
        }
    }

    /// The manifest of a referrer that may be evidence.
    fn referrer_of_evidence_loaded(&mut self, digest: Digest, answer: Answer) {
        let (most, bound) = (self.most_files(), self.manifest_limit());
        let (Some(supply), Some(subject)) = (&mut self.supply.gathered, &self.subject) else { return };
        match checked(answer, &digest, bound) {
            Ok(bytes) => {
                self.work = self.work.saturating_sub(length(&bytes));
                // What is malformed is nothing.
                let layer = match Manifest::parse(&bytes) {
                    Ok(manifest) => supply.meet(digest, &manifest, &subject.digests, most),
                    Err(_) => {
                        supply.entries.remove(&digest);
                        supply.known.insert(digest);
                        None
                    }
                };
                if let Some(layer) = layer {
                    return self.statement(digest, layer);
                }
            }
            Err(failure) => {
                supply.entries.remove(&digest);
                supply.known.insert(digest);
                if !matches!(failure, Failure::Malformed(_)) {
                    supply.is_unseen(alloc::format!("a referrer could not be looked at: {failure}"), Some(failure));
                }
            }
        }
        self.next_evidence();
    }

    /// The envelope of a single statement: what is inlined, or what is to be fetched.
    fn statement(&mut self, referrer: Digest, mut layer: Descriptor) {
        let Some(supply) = &mut self.supply.gathered else { return };
        let limit = supply.settings.limits.file;
        match layer.data.take() {
            Some(data) if layer.digest.matches(&data) && length(&data) == layer.size => {
                supply.offer(referrer.to_string(), data, &mut self.work);
            }
            Some(_) => {}
            None if layer.size > limit => {
                let why = alloc::format!("a statement has more than {limit} bytes; raise the limit with --max-envelope-size");
                supply.is_unseen(why, None);
            }
            None => {
                let (digest, size) = (layer.digest, layer.size);
                return self.state = State::Evidence(Evidence::Statement { referrer, digest, size });
            }
        }
        self.next_evidence();
    }

    /// The envelope of a single statement.
    fn statement_loaded(&mut self, referrer: Digest, digest: Digest, size: u64, answer: Answer) {
        let Some(supply) = &mut self.supply.gathered else { return };
        match checked(answer, &digest, Bound { bytes: size, option: "--max-envelope-size" }) {
            Ok(bytes) => {
                self.work = self.work.saturating_sub(length(&bytes));
                if length(&bytes) == size {
                    supply.offer(referrer.to_string(), bytes, &mut self.work);
                }
            }
            // Longer than its manifest says: no limit that is raised would help.
            Err(Failure::TooLarge { .. } | Failure::Malformed(_)) => {}
            Err(failure) => supply.is_unseen(alloc::format!("a statement could not be had: {failure}"), Some(failure)),
        }
        self.next_evidence();
    }

    /// A file of a set.
    fn file_loaded(&mut self, digest: Digest, size: u64, answer: Answer) {
        let Some(supply) = &mut self.supply.gathered else { return };
        let file = match checked(answer, &digest, Bound { bytes: size, option: "--max-envelope-size" }) {
            Ok(bytes) => {
                self.work = self.work.saturating_sub(length(&bytes));
                in_toto::Answer::Bytes(bytes)
            }
            Err(Failure::TooLarge { .. }) => {
                in_toto::Answer::Failed(in_toto::Failure::NoFile("it has more bytes than its set lists it with".to_owned()))
            }
            Err(Failure::Malformed(why)) => in_toto::Answer::Failed(in_toto::Failure::NoFile(why)),
            Err(failure) => {
                let why = failure.to_string();
                supply.cause = supply.cause.take().or(Some(failure));
                in_toto::Answer::Failed(in_toto::Failure::Unavailable(why))
            }
        };
        if let Some(verification) = &mut supply.verification {
            verification.answer(file);
        }
        self.next_evidence();
    }

    /// The files of sets that are kept.
    fn most_files(&self) -> usize {
        self.request.limits.referrers.saturating_mul(FILES_PER_REFERRER).max(MAX_FILES.saturating_mul(2))
    }

    /// What will likely be needed after the file or the referrer that is.
    pub(super) fn evidence_ahead(&self, evidence: &Evidence, most: usize) -> Vec<Need> {
        let Some(supply) = &self.supply.gathered else { return Vec::new() };
        match &supply.verification {
            _ if matches!(evidence, Evidence::Statement { .. }) => Vec::new(),
            Some(verification) => {
                let files = verification.ahead().into_iter().take(most);
                files.map(|(digest, size)| Need::Blob { digest, limit: size }).collect()
            }
            None => {
                let limit = self.request.limits.manifest;
                let entries = supply.next_entries().skip(1).take(most);
                entries.map(|(digest, listed)| Need::Manifest { digest: *digest, limit: listed.size.min(limit) }).collect()
            }
        }
    }

    fn refuse_supply_chain(&mut self, refusal: AttachedRefusal) {
        let supply = self.supply.gathered.as_deref();
        let class = match refusal.class {
            in_toto::Class::UntrustedMetadata => Class::UntrustedMetadata,
            // A layout that does not go with what the policy gives it is never met.
            in_toto::Class::NotVerified | in_toto::Class::Usage => Class::NotVerified,
            _ => Class::Unknown,
        };
        let unseen = self.unseen.clone().or(supply.and_then(|supply| supply.unseen.clone())).filter(|_| class == Class::Unknown);
        let cause = supply.and_then(|supply| supply.cause.clone()).or(self.cause.clone()).filter(|_| class == Class::Unknown);
        self.state = State::Refused(class, fault(why(&refusal, unseen), cause));
        self.supply.refused = Some(Box::new(refusal.rejected.report));
    }
}

fn fault(why: String, cause: Option<Failure>) -> Fault {
    Fault::SupplyChain { why, cause }
}

/// Why a layout does not hold, in a line: the reasons that decide, as far as it holds them.
fn why(refusal: &AttachedRefusal, unseen: Option<String>) -> String {
    let reasons = &refusal.rejected.report.reasons;
    let deciding = reasons.iter().filter(|reason| reason.class() == refusal.class);
    let mut told: Vec<String> = deciding.take(3).map(ToString::to_string).collect();
    if told.is_empty() {
        told.extend(reasons.iter().take(3).map(ToString::to_string));
    }
    let limit = reasons.iter().any(|reason| reason.code() == "in-toto-limit");
    if limit {
        told.push("raise the limit with --max-work".to_owned());
    }
    told.extend(unseen.map(|unseen| alloc::format!("not all that is attached could be looked at: {unseen}")));
    if refusal.alone > 0 {
        told.push(alloc::format!("nor does it hold by any of {} attached sets alone", refusal.alone));
    }
    told.join("; ")
}
