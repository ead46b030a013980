//! What is attached to the manifest that decides, gathered for its supply chain.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use touchmark_envelope::digest::Digests;
use touchmark_envelope::dsse::Envelope;
use touchmark_envelope::manifest::{Descriptor, Kind, Manifest};
use touchmark_envelope::statement::Statement;
use touchmark_envelope::threshold::KeySet;
use touchmark_envelope::{Digest, UnixTime, Verified, dsse};
use touchmark_in_toto::attached::{ARTIFACT_TYPE, AttachedRefusal, AttachedVerification, Set, Sets};
use touchmark_in_toto::attestation::{LayoutForm, Offered};
use touchmark_in_toto::{self as in_toto, Document, Product, Settings, SupplyChain};

use super::length;
use crate::demand::work_of;
use crate::limits::Limits;
use crate::need::Failure;
use crate::supply_chain::SupplyChainDemand;

/// What is known of what is attached, and how far its verification is.
#[derive(Debug)]
pub(super) struct Supply {
    pub(super) demand: Arc<SupplyChainDemand>,
    pub(super) settings: Settings,
    /// The digests of the manifest that decides.
    pub(super) subject: Digests,
    pub(super) at: UnixTime,
    /// The keys of a layout over attestations: what none of them signed says nothing to it. Other layouts take no single statements.
    pub(super) functionaries: Option<KeySet>,
    pub(super) begun: bool,
    /// Whether there is a list of referrers, or none is to be asked for.
    pub(super) listed: bool,
    /// Referrers that are still to be looked at.
    pub(super) entries: BTreeMap<Digest, Listed>,
    /// Those that were looked at.
    pub(super) known: BTreeSet<Digest>,
    /// Whether those that are listed as something else are looked at.
    pub(super) wide: bool,
    pub(super) sets: BTreeMap<(usize, Digest), Set>,
    pub(super) files: usize,
    /// Statements by their sizes and what they are called, and which of them is of what is signed and by whom.
    pub(super) offered: BTreeMap<(usize, String), Vec<u8>>,
    pub(super) statements: BTreeMap<(Digest, String), (usize, String)>,
    pub(super) offered_bytes: u64,
    /// How many bytes of them are kept.
    pub(super) most_offered: u64,
    /// Why some of what is attached was not seen.
    pub(super) unseen: Option<String>,
    pub(super) cause: Option<Failure>,
    /// Whether something is new since the last verification.
    pub(super) changed: bool,
    /// Whether that took what was gathered for all there is.
    pub(super) ran_as: Option<bool>,
    pub(super) verification: Option<Box<AttachedVerification>>,
    pub(super) refusal: Option<AttachedRefusal>,
    pub(super) verified: Option<Verified<SupplyChain>>,
}

/// How a referrer is listed. None of it is believed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Listed {
    /// As what is looked for, or as nothing.
    pub(super) likely: bool,
    pub(super) size: u64,
}

/// What a verification by no evidence at all comes to.
pub(super) enum Bare {
    /// What is attached decides.
    Open,
    /// What is wrong with the layout nothing that is attached mends.
    Refused(AttachedRefusal),
}

impl Supply {
    pub(super) fn new(demand: Arc<SupplyChainDemand>, product: Product, subject: Digests, limits: &Limits, at: UnixTime) -> Self {
        let mut settings = Settings::default();
        settings.limits = demand.limits.unwrap_or_else(|| limits.of_links());
        settings.parameters = demand.parameters.clone();
        settings.inheritance = demand.inheritance;
        settings.inspectors = demand.inspectors.clone();
        settings.product = Some(product);
        let functionaries = functionaries(&demand, &settings);
        Self {
            demand,
            settings,
            subject,
            at,
            functionaries,
            begun: false,
            listed: false,
            entries: BTreeMap::new(),
            known: BTreeSet::new(),
            wide: false,
            sets: BTreeMap::new(),
            files: 0,
            offered: BTreeMap::new(),
            statements: BTreeMap::new(),
            offered_bytes: 0,
            most_offered: limits.reported,
            unseen: None,
            cause: None,
            changed: true,
            ran_as: None,
            verification: None,
            refusal: None,
            verified: None,
        }
    }

    /// Whether signatures do not concern it any more.
    pub(super) fn is_begun(&self) -> bool {
        self.begun
    }

    /// Notes that a list of referrers was asked for, also if there is none.
    pub(super) fn is_listed(&mut self) {
        self.listed = true;
    }

    /// Takes no referrers: the evidence is given, and nothing else is.
    pub(super) fn give(&mut self, envelopes: &[Vec<u8>], work: &mut u64) {
        self.listed = true;
        for (number, envelope) in (1_usize..).zip(envelopes) {
            self.offer(alloc::format!("envelope {number}"), envelope.clone(), work);
        }
    }

    /// Takes in a list of referrers, no more than `limit` from all lists together. One that is listed twice is what it may be.
    pub(super) fn list(&mut self, listed: &[Descriptor], limit: usize) {
        self.listed = true;
        for entry in listed {
            let likely = entry.artifact_type.as_deref().is_none_or(|hint| hint == ARTIFACT_TYPE || hint == dsse::IN_TOTO);
            if self.known.contains(&entry.digest) {
                continue;
            }
            let is_full = self.entries.len().saturating_add(self.known.len()) >= limit;
            match self.entries.get_mut(&entry.digest) {
                Some(before) => before.likely |= likely,
                None if is_full => {}
                None => drop(self.entries.insert(entry.digest, Listed { likely, size: entry.size })),
            }
        }
    }

    /// Takes in the manifest of a referrer; gives the layer of a single statement that is to be looked at.
    pub(super) fn meet(&mut self, referrer: Digest, manifest: &Manifest, subject: &Digests, most: usize) -> Option<Descriptor> {
        self.entries.remove(&referrer);
        if !self.known.insert(referrer) {
            return None;
        }
        // What says that it is a set and is malformed is none.
        if let Ok(set) = Set::of(referrer, |found| subject.contain(found), manifest) {
            self.add(set, most);
        }
        let is_subject = manifest.subject.as_ref().is_some_and(|found| subject.contain(&found.digest));
        let Kind::Image { layers, .. } = &manifest.kind else { return None };
        let [layer] = layers.as_slice() else { return None };
        let is_statement = manifest.artifact_type() == Some(dsse::IN_TOTO) && layer.media_type == dsse::MEDIA_TYPE;
        (self.functionaries.is_some() && is_subject && is_statement).then(|| layer.clone())
    }

    /// The same of a manifest that was fetched for a signature's sake, so that it need not be fetched again.
    pub(super) fn glance(&mut self, referrer: Digest, manifest: &Manifest, subject: &Digests, most: usize) {
        let may_be_statement = self.functionaries.is_some() && manifest.artifact_type() == Some(dsse::IN_TOTO);
        if !may_be_statement {
            self.meet(referrer, manifest, subject, most);
        }
    }

    /// Keeps a set. Where there are more files than are kept, those of the largest sets go, whatever the order is.
    pub(super) fn add(&mut self, set: Set, most: usize) {
        self.changed = true;
        self.files = self.files.saturating_add(set.files.len());
        self.sets.insert((set.files.len(), set.referrer), set);
        while self.files > most
            && let Some((_, largest)) = self.sets.pop_last()
        {
            self.files = self.files.saturating_sub(largest.files.len());
            self.is_unseen(alloc::format!("the attached sets have more than {most} files; raise the limit with --max-referrers"), None);
        }
    }

    /// Keeps a statement of the manifest that decides, if someone signed it whom the layout asks: once for the same signers, in its smallest form, since anybody can write
    /// it down in many. Where they have more bytes than are kept, the largest go.
    pub(super) fn offer(&mut self, name: String, bytes: Vec<u8>, work: &mut u64) {
        let Some(functionaries) = &self.functionaries else { return };
        let Ok(document) = Document::parse(bytes.clone(), &self.settings.limits) else { return };
        let document = document.untrusted();
        if !self.is_about_subject(&bytes) {
            return;
        }
        let signers = document.signers(functionaries);
        // No shorter than what is signed.
        *work = work.saturating_sub(work_of(&signers, bytes.len()));
        if signers.keys().is_empty() && !signers.gave_up() {
            return;
        }
        let keys: Vec<String> = signers.keys().iter().map(|key| key.key_id().into_string()).collect();
        let signed = (document.digest(), keys.join(" "));
        let found = (bytes.len(), name);
        if self.statements.get(&signed).is_some_and(|known| *known <= found) {
            return;
        }
        self.changed = true;
        self.offered_bytes = self.offered_bytes.saturating_add(length(&bytes));
        self.offered.insert(found.clone(), bytes);
        if let Some(larger) = self.statements.insert(signed, found) {
            self.withdraw(&larger);
        }
        while self.offered_bytes > self.most_offered
            && let Some(largest) = self.offered.keys().next_back().cloned()
        {
            self.withdraw(&largest);
            let most = self.most_offered;
            self.is_unseen(alloc::format!("the statements have more than {most} bytes; raise the limit with --max-reported"), None);
        }
    }

    /// Whether an envelope's statement is about the manifest that decides. One of another release, which anybody can attach here, must not
    /// stand beside the right one.
    fn is_about_subject(&self, bytes: &[u8]) -> bool {
        let limits = dsse::Limits { bytes: bytes.len(), signatures: self.settings.limits.signatures };
        let Ok(envelope) = Envelope::parse(bytes, limits) else { return false };
        let statement = Statement::parse(&envelope.untrusted().payload);
        statement.is_ok_and(|statement| statement.subjects.iter().any(|subject| subject.is_of(&self.subject)))
    }

    fn withdraw(&mut self, offered: &(usize, String)) {
        if let Some(bytes) = self.offered.remove(offered) {
            self.offered_bytes = self.offered_bytes.saturating_sub(length(&bytes));
        }
    }

    /// Notes why something was not seen: the first reason is told.
    pub(super) fn is_unseen(&mut self, why: String, cause: Option<Failure>) {
        self.unseen.get_or_insert(why);
        self.cause = self.cause.take().or(cause);
    }

    /// The next referrer to look at.
    pub(super) fn next_entry(&self) -> Option<Digest> {
        self.next_entries().next().map(|(digest, _)| *digest)
    }

    pub(super) fn next_entries(&self) -> impl Iterator<Item = (&Digest, &Listed)> {
        self.entries.iter().filter(|(_, listed)| listed.likely || self.wide)
    }

    /// Verifies the layout by nothing at all.
    pub(super) fn bare(&self) -> Bare {
        let (layout, keys, settings) = (self.demand.layout.clone(), self.demand.keys.clone(), self.settings.clone());
        let mut verification = AttachedVerification::new(layout, keys, settings, self.at, Sets::new(Vec::new(), true, 0));
        while verification.need().is_some() {
            verification.answer(in_toto::Answer::Absent);
        }
        match verification.finish().0 {
            Err(refusal) if matches!(refusal.class, in_toto::Class::Usage | in_toto::Class::UntrustedMetadata) => Bare::Refused(refusal),
            // Nothing holds by nothing; what is attached is looked at, and says why.
            _ => Bare::Open,
        }
    }

    /// Begins a verification by what was gathered. `complete` says whether that is all there is.
    pub(super) fn verify(&mut self, complete: bool) {
        let mut settings = self.settings.clone();
        settings.attestations =
            self.offered.iter().map(|((_, name), bytes)| Offered { name: name.clone(), bytes: bytes.clone() }).collect();
        let sets = Sets::new(self.sets.values().cloned().collect(), complete, settings.limits.files);
        let (layout, keys) = (self.demand.layout.clone(), self.demand.keys.clone());
        (self.changed, self.ran_as) = (false, Some(complete));
        self.verification = Some(Box::new(AttachedVerification::new(layout, keys, settings, self.at, sets)));
    }
}

/// The keys of a layout over attestations.
fn functionaries(demand: &SupplyChainDemand, settings: &Settings) -> Option<KeySet> {
    let document = Document::parse(demand.layout.clone(), &settings.limits).ok()?;
    let layout = document.untrusted().layout(&settings.parameters).ok()?;
    let keys = layout.keys.keyids().filter_map(|keyid| layout.keys.get(keyid).ok());
    (layout.form == LayoutForm::Attestations).then(|| KeySet::new(keys.cloned()))
}
