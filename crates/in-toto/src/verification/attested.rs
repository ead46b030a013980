//! A step of a layout over attestations, or a subject of one: its statements, and what they come to.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use touchmark_envelope::key::PublicKey;
use touchmark_envelope::sorted;
use touchmark_envelope::threshold::{KeySet, Signers, Tally, ThresholdError};
use touchmark_envelope::{Digest, Unverified};

use crate::artifacts::Digests;
use crate::attestation::{ExpectedPredicate, SUFFIXES};
use crate::digest_index::DigestIndex;
use crate::digest_set::DigestSet;
use crate::key::Keys;
use crate::link::Link;
use crate::predicate::{Class, link};
use crate::work::{OutOfWork, Work};

use super::Standing;
use super::item::Item;
use super::reason::{Reason, Refusal};
use super::report::{Answered, ItemReport, PredicateReport, Warning, spaced};

/// What is expected of the statements of an item, and those that may count.
#[derive(Debug)]
pub(super) struct Attested {
    pub(super) role: Role,
    pub(super) expected: Vec<Expected>,
    pub(super) statements: Vec<Statement>,
    /// Whether those that the caller offered have been looked at.
    pub(super) looked_at_offered: bool,
}

/// What statements are wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// They say what a step began and ended with.
    Step,
    /// They say something of the final product.
    Subject,
}

/// A predicate that is expected, and the keys that may vouch for it.
#[derive(Debug)]
pub(super) struct Expected {
    pub(super) predicate: ExpectedPredicate,
    pub(super) keys: KeySet,
}

/// A statement with a predicate that is expected, by who may vouch for it.
#[derive(Debug)]
pub(super) struct Statement {
    pub(super) path: String,
    pub(super) signers: Signers,
    /// Which of the expected predicates it has.
    pub(super) expected: usize,
    /// Which statement it is.
    pub(super) digest: Digest,
    /// The digests of its subjects.
    pub(super) subjects: Vec<DigestSet>,
    /// What it says that the step began and ended with, if it is asked that.
    pub(super) link: Option<Arc<Link>>,
    /// Whether it is all that is asked.
    pub(super) counts: bool,
    /// Whether it could be meant for the step: it is not, if it is about nothing that the step made.
    pub(super) is_of_step: bool,
    /// Its place among the files of the report.
    pub(super) file: usize,
}

/// Artifacts with the same digests: the first one's name, and how many more there are.
struct Group<'a> {
    name: &'a str,
    more: usize,
}

impl Attested {
    /// Whether something of the link class is expected, so that it says what the step began and ended with.
    pub(super) fn has_links(&self) -> bool {
        self.role == Role::Step && self.expected.iter().any(|one| Class::of(&one.predicate.predicate_type) == Class::Link)
    }

    fn is_link(&self, statement: &Statement) -> bool {
        let expected = self.expected.get(statement.expected);
        expected.is_some_and(|expected| Class::of(&expected.predicate.predicate_type) == Class::Link)
    }

    /// The index of the digests of all subjects, each with the place of its statement.
    fn index(&self) -> DigestIndex<'_, usize> {
        let mut index = DigestIndex::new();
        for (place, statement) in self.statements.iter().enumerate() {
            statement.subjects.iter().for_each(|set| index.add(set.digests(), place));
        }
        index
    }
}

impl Item {
    /// One of these predicates, whose statements are in `folder`.
    pub(super) fn attested(folder: &str, name: &str, role: Role, predicates: &[ExpectedPredicate], keys: &Keys) -> Self {
        let names: Vec<String> = predicates.iter().flat_map(|predicate| predicate.functionaries.iter().cloned()).collect();
        let threshold = predicates.iter().map(|predicate| predicate.threshold).max().unwrap_or(1);
        let mut item = Self::new_with(folder, name, threshold, keys.functionaries(&names), &SUFFIXES);
        let expected = predicates
            .iter()
            .map(|predicate| Expected { predicate: predicate.clone(), keys: keys.functionaries(&predicate.functionaries).keys });
        let expected = expected.collect();
        item.attested = Some(Attested { role, expected, statements: Vec::new(), looked_at_offered: false });
        item
    }

    /// What the statements of a step come to: what it began and ended with, if all that is expected is there and says the same. On failure
    /// all reasons.
    pub(super) fn conclude_step(
        mut self,
        expected_command: &[String],
        standing: &mut Standing,
        work: &mut Work,
    ) -> Result<(ItemReport, Vec<Reason>), OutOfWork> {
        let Some(mut attested) = self.attested.take() else { return Ok((self.report, Vec::new())) };
        self.warn_of_commands(&attested, expected_command);
        let (has_links, common) = (attested.has_links(), self.common(&attested));
        match &common {
            Ok(Some(link)) if has_links => self.drop_others(&mut attested, link, work)?,
            _ => {}
        }
        let mut reasons = self.twice(&attested);
        reasons.extend(self.one_for_two(&mut attested, standing));
        let mut counted = Vec::new();
        for place in 0..attested.expected.len() {
            match self.count(&attested, place, None) {
                Ok(keys) => self.note_counted(&attested, place, &keys, &mut counted),
                Err(reason) => {
                    self.note_counted(&attested, place, &[], &mut counted);
                    reasons.push(reason);
                }
            }
        }
        let common = common.unwrap_or_else(|reason| {
            reasons.push(reason);
            None
        });
        if reasons.is_empty() {
            self.report.link = common;
            self.report.counted = counted;
            self.report.answer = Answered::Signed;
        }
        Ok((self.report, reasons))
    }

    /// What all that says what the step began and ended with says alike, if it does.
    fn common(&self, attested: &Attested) -> Result<Option<Arc<Link>>, Reason> {
        let has_links = attested.has_links();
        let says = |one: &&Statement| one.counts && (!has_links || attested.is_link(one));
        let all: Vec<(&Statement, &Arc<Link>)> =
            attested.statements.iter().filter(says).filter_map(|one| Some((one, one.link.as_ref()?))).collect();
        let links: Vec<&Arc<Link>> = all.iter().map(|(_, link)| *link).collect();
        match (Link::common(&links), all.as_slice()) {
            (Some(common), _) => Ok(Some(common)),
            (None, []) => Ok(None),
            (None, [(first, link), others @ ..]) => {
                let differs = |(_, other): &&(&Statement, &Arc<Link>)| Link::common(&[*link, *other]).is_none();
                let other = others.iter().find(differs).or(others.last()).map_or_else(String::new, |(other, _)| other.path.clone());
                Err(Reason::Disagreement { item: self.report.name.clone(), first: first.path.clone(), other })
            }
        }
    }

    /// Lets no statement count that says something of anything else than what the step made.
    fn drop_others(&mut self, attested: &mut Attested, link: &Link, work: &mut Work) -> Result<(), OutOfWork> {
        let mut products = DigestIndex::new();
        link.products.iter().for_each(|product| products.add(product.digests, ()));
        for place in 0..attested.statements.len() {
            let Some(statement) = attested.statements.get(place).filter(|statement| !attested.is_link(statement)) else { continue };
            let (mut is_made, mut is_of_step) = (true, false);
            for digest in &statement.subjects {
                let is_product = products.has(digest.digests(), work)?;
                (is_made, is_of_step) = (is_made && is_product, is_of_step || is_product);
            }
            if !is_made {
                self.refuse(attested, place, Refusal::OtherSubject);
            }
            attested.statements.get_mut(place).into_iter().for_each(|statement| statement.is_of_step = is_of_step);
        }
        Ok(())
    }

    /// Lets no statement count that counts for another step: nothing but a link says which one it is of, so that what was signed once would
    /// stand for any step that its signer may do. What does not count for a step, in the end, is free for another.
    fn one_for_two(&mut self, attested: &mut Attested, standing: &mut Standing) -> Vec<Reason> {
        let (step, mut reasons) = (self.step(), Vec::new());
        for place in 0..attested.statements.len() {
            let Some(statement) = attested.statements.get(place).filter(|statement| statement.counts) else { continue };
            let (first, of) = standing.entry(statement.digest).or_insert_with(|| (statement.path.clone(), step.clone()));
            if *of != step {
                reasons.push(Reason::OneForTwo { first: first.clone(), second: statement.path.clone() });
                let other = first.clone();
                self.refuse(attested, place, Refusal::OtherStep { other });
            }
        }
        reasons
    }

    /// What the statements say of the artifacts of the final product that a subject is about. On failure all reasons.
    pub(super) fn conclude_subject(
        mut self,
        artifacts: &[(&str, Digests<'_>)],
        work: &mut Work,
    ) -> Result<(ItemReport, Vec<Reason>), OutOfWork> {
        let Some(mut attested) = self.attested.take() else { return Ok((self.report, Vec::new())) };
        // Artifacts with the same digests are one: as many as a product has, and as many subjects as a statement has, are empty files.
        let (mut groups, mut known): (Vec<Group<'_>>, BTreeMap<Digests<'_>, usize>) = (Vec::new(), BTreeMap::new());
        for (name, digests) in artifacts {
            let place = *known.entry(*digests).or_insert(groups.len());
            match groups.get_mut(place) {
                Some(group) => group.more += 1,
                None => groups.push(Group { name, more: 0 }),
            }
        }
        let mut about: Vec<Vec<usize>> = alloc::vec![Vec::new(); groups.len()];
        let index = attested.index();
        for (digests, group) in &known {
            let mut places = index.find(*digests, work)?;
            sorted::sort(&mut places);
            places.dedup();
            about.get_mut(*group).into_iter().for_each(|about| core::mem::swap(about, &mut places));
        }
        let mut is_about = alloc::vec![false; attested.statements.len()];
        about.iter().flatten().for_each(|place| is_about.get_mut(*place).into_iter().for_each(|is_about| *is_about = true));
        for (place, _) in is_about.iter().enumerate().filter(|(_, is_about)| !**is_about) {
            self.refuse(&mut attested, place, Refusal::OtherSubject);
        }
        let (mut reasons, mut counted) = (Vec::new(), Vec::new());
        for place in 0..attested.expected.len() {
            let mut keys: Vec<PublicKey> = Vec::new();
            // One reason, however many artifacts there are.
            let mut missed: Option<(Reason, usize)> = None;
            for (Group { name, more: same }, about) in groups.iter().zip(&about) {
                work.spend(u64::try_from(about.len()).unwrap_or(u64::MAX).saturating_add(1))?;
                match (self.count(&attested, place, Some((name, about))), &mut missed) {
                    (Ok(found), _) => keys.extend(found.into_iter().filter(|key| !keys.contains(key)).collect::<Vec<_>>()),
                    (Err(_), Some((_, more))) => *more += same + 1,
                    (Err(reason), None) => missed = Some((reason, *same)),
                }
            }
            if let Some((reason, more)) = missed {
                reasons.push(reason.and_more(more));
                keys.clear();
            }
            self.note_counted(&attested, place, &keys, &mut counted);
        }
        if reasons.is_empty() {
            self.report.counted = counted;
            self.report.answer = Answered::Signed;
        }
        Ok((self.report, reasons))
    }

    /// The distinct keys that vouch with an expected predicate: by the statements at these places for an artifact, or else by all.
    fn count(&self, attested: &Attested, place: usize, of: Option<(&str, &[usize])>) -> Result<Vec<PublicKey>, Reason> {
        let Some(expected) = attested.expected.get(place) else { return Ok(Vec::new()) };
        let (needed, item) = (expected.predicate.threshold, self.report.name.clone());
        let predicate_type = crate::error::shortened(&expected.predicate.predicate_type, 256);
        let keys = expected.keys.len();
        let unreachable =
            || Reason::PredicateUnreachable { item: item.clone(), predicate_type: predicate_type.clone(), needed, keys, why: self.why() };
        let mut tally = Tally::new(expected.keys.clone(), usize::try_from(needed).unwrap_or(usize::MAX)).map_err(|_| unreachable())?;
        let vouches = |statement: &&Statement| statement.expected == place && statement.counts;
        let all: Vec<&Statement> = match of {
            Some((_, places)) => places.iter().filter_map(|place| attested.statements.get(*place)).collect(),
            None => attested.statements.iter().collect(),
        };
        for statement in all.into_iter().filter(vouches) {
            tally.count(&statement.signers, || Unverified::new(statement.digest));
        }
        let verified = tally.finish().map_err(|error| match error {
            ThresholdError::Missed { found, .. } => Reason::Predicate {
                item: item.clone(),
                artifact: of.map(|(name, _)| crate::error::shortened(name, 256)),
                more: 0,
                predicate_type: predicate_type.clone(),
                needed,
                found,
                unavailable: self.has_unavailable(),
                why: self.why(),
            },
            _ => unreachable(),
        })?;
        Ok(verified.evidence().keys().to_vec())
    }

    /// Keys that signed several statements of one type for a step, which do not say which of them is meant.
    fn twice(&self, attested: &Attested) -> Vec<Reason> {
        let mut reasons = Vec::new();
        for (place, expected) in attested.expected.iter().enumerate() {
            for key in expected.keys.keys() {
                let is_signed = |one: &&Statement| one.expected == place && one.is_of_step && one.signers.keys().contains(key);
                let mut signed = attested.statements.iter().filter(is_signed);
                let Some(first) = signed.next() else { continue };
                if let Some(other) = signed.find(|other| other.digest != first.digest) {
                    reasons.push(Reason::Twice {
                        step: self.report.name.clone(),
                        predicate_type: crate::error::shortened(&expected.predicate.predicate_type, 256),
                        key: key.key_id().into_string(),
                        first: first.path.clone(),
                        other: other.path.clone(),
                    });
                }
            }
        }
        reasons
    }

    fn refuse(&mut self, attested: &mut Attested, place: usize, refusal: Refusal) {
        let Some(statement) = attested.statements.get_mut(place) else { return };
        statement.counts = false;
        if let Some(file) = self.report.files.get_mut(statement.file).filter(|file| file.refusal.is_none()) {
            file.refusal = Some(refusal);
        }
    }

    fn note_counted(&mut self, attested: &Attested, place: usize, keys: &[PublicKey], all: &mut Vec<PublicKey>) {
        let Some(expected) = attested.expected.get(place) else { return };
        self.report.predicates.push(PredicateReport {
            predicate_type: expected.predicate.predicate_type.clone(),
            threshold: expected.predicate.threshold,
            functionaries: expected.keys.keys().to_vec(),
            counted: keys.to_vec(),
        });
        let new: Vec<PublicKey> = keys.iter().filter(|key| !all.contains(key)).cloned().collect();
        all.extend(new);
    }

    /// One warning, whoever signs. Only links have a command.
    fn warn_of_commands(&mut self, attested: &Attested, expected: &[String]) {
        let is_link =
            |one: &&Statement| attested.expected.get(one.expected).is_some_and(|expected| expected.predicate.predicate_type == link::TYPE);
        let links = attested.statements.iter().filter(is_link).filter_map(|one| Some((one, one.link.as_ref()?)));
        let mut others = links.filter(|(_, link)| *expected != *link.command);
        if let Some((statement, link)) = others.next() {
            let (found, expected) = (spaced(&link.command), spaced(expected));
            self.warn(Warning::Command { file: statement.path.clone(), more: others.count(), found, expected });
        }
    }
}
