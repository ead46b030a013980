//! Level 3: the in-toto layout that the policy wants, by what is attached to the manifest that decides.
//!
//! What is attached is gathered first: sets of links, and for a layout over attestations single statements. Then the layout is verified by
//! it; and if that does not suffice, more is gathered, in the order in which signatures are looked for: what is listed as something else,
//! then what only a thorough question finds. What strangers attached hides nothing: it is bounded, and the largest goes first.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use touchmark_envelope::manifest::{Descriptor, Manifest};
use touchmark_envelope::{Digest, Verified};
use touchmark_in_toto::attached::{AttachedNeed, AttachedRefusal, MAX_FILES};
use touchmark_in_toto::{self as in_toto, SupplyChain};

use super::evidence::Bare;
use super::{Bound, Search, State, checked, length};
use crate::need::{Answer, Failure, Need};
use crate::report::{Class, Fault};

/// So many files of sets are kept for each referrer that is looked at, and no fewer than two whole sets have.
const FILES_PER_REFERRER: usize = 8;

impl Search {
    /// Once everything else holds: the supply chain, if one is asked for.
    pub(super) fn begin_supply_chain(&mut self) {
        let given = self.request.envelopes.take();
        let Some(supply) = &mut self.supply else {
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
    pub(super) fn next_evidence(&mut self) {
        let whole = self.request.limits.work;
        let out_of_work = || alloc::format!("the evidence takes more work than {whole} bytes' worth; raise the limit with --max-work");
        loop {
            let (no_work, more, listing) = (self.work == 0, self.more, self.unseen.is_some());
            let Some(supply) = &mut self.supply else { return };
            if let Some(verification) = &mut supply.verification {
                match verification.need() {
                    Some(AttachedNeed::File { .. }) if no_work => {
                        verification.answer(in_toto::Answer::Failed(in_toto::Failure::Unavailable(out_of_work())));
                    }
                    Some(AttachedNeed::File { digest, size }) => return self.state = State::File { digest, size },
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
                return self.state = State::Evidence(entry);
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

    /// The manifest of a referrer that may be evidence.
    pub(super) fn evidence_loaded(&mut self, digest: Digest, answer: Answer) {
        let (most, bound) = (self.most_files(), self.manifest_limit());
        let (Some(supply), Some(subject)) = (&mut self.supply, &self.subject) else { return };
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
        let Some(supply) = &mut self.supply else { return };
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
            None => return self.state = State::Statement { referrer, digest: layer.digest, size: layer.size },
        }
        self.next_evidence();
    }

    /// The envelope of a single statement.
    pub(super) fn statement_loaded(&mut self, referrer: Digest, digest: Digest, size: u64, answer: Answer) {
        let Some(supply) = &mut self.supply else { return };
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
    pub(super) fn file_loaded(&mut self, digest: Digest, size: u64, answer: Answer) {
        let Some(supply) = &mut self.supply else { return };
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
    pub(super) fn most_files(&self) -> usize {
        self.request.limits.referrers.saturating_mul(FILES_PER_REFERRER).max(MAX_FILES.saturating_mul(2))
    }

    /// What will likely be needed after the file or the referrer that is.
    pub(super) fn evidence_ahead(&self, most: usize) -> Vec<Need> {
        let Some(supply) = &self.supply else { return Vec::new() };
        match &supply.verification {
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

    /// The supply chain that holds.
    pub(super) fn verified_supply_chain(&mut self) -> Option<Verified<SupplyChain>> {
        self.supply.as_mut().and_then(|supply| supply.verified.take())
    }

    fn refuse_supply_chain(&mut self, refusal: AttachedRefusal) {
        let supply = self.supply.as_ref();
        let class = match refusal.class {
            in_toto::Class::UntrustedMetadata => Class::UntrustedMetadata,
            // A layout that does not go with what the policy gives it is never met.
            in_toto::Class::NotVerified | in_toto::Class::Usage => Class::NotVerified,
            _ => Class::Unknown,
        };
        let unseen = self.unseen.clone().or(supply.and_then(|supply| supply.unseen.clone())).filter(|_| class == Class::Unknown);
        let cause = supply.and_then(|supply| supply.cause.clone()).or(self.cause.clone()).filter(|_| class == Class::Unknown);
        self.state = State::Refused(class, fault(why(&refusal, unseen), cause));
        self.refused_chain = Some(Box::new(refusal.rejected.report));
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
