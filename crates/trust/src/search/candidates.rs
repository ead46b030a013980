//! The envelopes: those that the caller gave, or those among the referrers.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use touchmark_envelope::manifest::{Descriptor, Kind, Manifest};
use touchmark_envelope::{Digest, Name, dsse, signature};

use super::{Search, State, checked, length};
use crate::candidate::{Candidate, Outcome, Reason};
use crate::demand::{self, Demand, Piece, Place, Room};
use crate::need::{Answer, Failure};
use crate::report::{AcceptedBy, Class, Fault, reasons};

impl Search {
    pub(super) fn begin_candidates(&mut self) {
        match self.request.envelopes.take() {
            None => self.state = State::Referrers { thorough: false },
            Some(envelopes) => {
                self.give_evidence(&envelopes);
                for envelope in &envelopes {
                    if self.satisfied().is_some() {
                        break;
                    }
                    if self.work == 0 {
                        self.unseen = Some(self.out_of_work());
                        break;
                    }
                    self.examine(None, Place::Given, envelope);
                }
                self.next_candidate();
            }
        }
    }

    /// Takes in a list of referrers. What a thorough answer says of its completeness holds for the quick one before it too.
    pub(super) fn referrers_listed(&mut self, answer: Answer, thorough: bool) {
        let limits = self.request.limits;
        (self.unseen, self.more) = match answer {
            Answer::Referrers { entries, complete, more, why } => {
                let full = entries.len() > limits.referrers || (!complete && entries.len() == limits.referrers);
                let wanted: Vec<&str> = self.demands.iter().map(Demand::artifact_type).collect();
                self.list_evidence(&entries);
                let fits = self.queue.take_in(entries, &wanted, limits.referrers);
                let unseen = if full || !fits {
                    let limit = limits.referrers;
                    Some(alloc::format!("there are more than {limit} referrers; raise the limit with --max-referrers"))
                } else if complete {
                    None
                } else {
                    let of_size = || {
                        let bytes = limits.referrers_bytes;
                        alloc::format!("not all of it was had within {bytes} bytes; raise the limit with --max-list-size")
                    };
                    Some(alloc::format!("the list of referrers is incomplete: {}", why.unwrap_or_else(of_size)))
                };
                // No more than the limit are looked at, whatever else may be found.
                (unseen, more && !thorough && !full && fits)
            }
            Answer::Failed(failure) => {
                let unseen = alloc::format!("the list of referrers: {failure}");
                self.cause = Some(failure);
                (Some(unseen), false)
            }
            _ => (Some(alloc::format!("the list of referrers: {}", Failure::WrongAnswer)), false),
        };
        if !self.resume_supply_chain() {
            self.next_candidate();
        }
    }

    /// The group, of those that tell versions apart, that every demand has enough keys for: one version for all of them.
    pub(super) fn satisfied(&self) -> Option<Option<Name>> {
        let Some((first, others)) = self.demands.split_first() else {
            // Trust metadata has accepted it, and nothing else is asked for.
            return matches!(self.accepted_by, AcceptedBy::Entry { .. } | AcceptedBy::Seal { .. }).then_some(None);
        };
        first.reached().find(|group| others.iter().all(|demand| demand.has_reached(group))).cloned()
    }

    pub(super) fn next_candidate(&mut self) {
        if self.satisfied().is_some() {
            self.begin_supply_chain();
            return;
        }
        let demands = self.demands.iter().filter(|demand| !demand.is_reached());
        self.queue.looked_at(demands.fold(0, |sum: usize, demand| sum.saturating_add(demand.missing())));
        if self.work == 0 && !self.queue.is_empty() {
            self.unseen = Some(self.out_of_work());
            self.queue.clear();
            self.more = false;
        }
        self.state = match self.queue.pop() {
            Some(entry) => State::Referrer(entry),
            None if self.more => State::Referrers { thorough: true },
            None => self.refusal(),
        };
    }

    /// Why evidence was not looked at.
    fn out_of_work(&self) -> String {
        let limit = self.request.limits.work;
        alloc::format!("the evidence takes more work than {limit} bytes' worth; raise the limit with --max-work")
    }

    pub(super) fn referrer_loaded(&mut self, entry: &Descriptor, answer: Answer) {
        let referrer = Some(entry.digest);
        match self.envelope_layer(entry, answer) {
            Ok(None) => self.next_candidate(),
            Ok(Some((place, mut layer))) => match layer.data.take() {
                Some(data) if layer.digest.matches(&data) && length(&data) == layer.size => {
                    self.examine(referrer, place, &data);
                    self.next_candidate();
                }
                Some(_) => {
                    self.note(referrer, Outcome::Failed(Reason::OtherEnvelope));
                    self.next_candidate();
                }
                None => self.state = State::Envelope { referrer: entry.digest, place, layer },
            },
            Err(outcome) => {
                self.note(referrer, outcome);
                self.next_candidate();
            }
        }
    }

    /// The envelope of a referrer that may be one, if it is not inlined.
    pub(super) fn layer_to_fetch(&self, manifest: &[u8]) -> Option<Descriptor> {
        let (_, layer) = self.layer(&Manifest::parse(manifest).ok()?).ok().flatten()?;
        layer.data.is_none().then_some(layer)
    }

    /// The layer that is the envelope of a referrer; `None` if it is something else than what is asked for.
    pub(super) fn envelope_layer(&mut self, entry: &Descriptor, answer: Answer) -> Result<Option<(Place, Descriptor)>, Outcome> {
        let bytes =
            checked(answer, &entry.digest, self.manifest_limit()).map_err(|failure| Outcome::Unknown(Reason::Unavailable(failure)))?;
        self.work = self.work.saturating_sub(length(&bytes));
        let manifest = Manifest::parse(&bytes).map_err(|error| Outcome::Failed(Reason::Manifest(error)))?;
        self.glance_for_evidence(entry.digest, &manifest);
        self.layer(&manifest)
    }

    /// The same of a manifest.
    fn layer(&self, manifest: &Manifest) -> Result<Option<(Place, Descriptor)>, Outcome> {
        let failed = |reason| Err(Outcome::Failed(reason));
        let wanted = |demand: &Demand| manifest.artifact_type() == Some(demand.artifact_type());
        if !self.demands.iter().any(wanted) {
            return Ok(None);
        }
        let Kind::Image { layers, .. } = &manifest.kind else { return Ok(None) };
        let is_subject = |subject: &Descriptor| self.subject.as_ref().is_some_and(|s| s.digests.contain(&subject.digest));
        if !manifest.subject.as_ref().is_some_and(is_subject) {
            return failed(Reason::OtherSubject);
        }
        let [layer] = layers.as_slice() else { return failed(Reason::Layers) };
        if layer.media_type != dsse::MEDIA_TYPE {
            return failed(Reason::Layers);
        }
        let limit = self.envelope_limit();
        if layer.size > limit {
            let reason = Reason::Limit { what: "the size of its envelope", limit, option: "--max-envelope-size" };
            return Err(Outcome::Unknown(reason));
        }
        let place = if manifest.artifact_type() == Some(signature::ARTIFACT_TYPE) { Place::Signature } else { Place::Attestation };
        Ok(Some((place, layer.clone())))
    }

    pub(super) fn envelope_limit(&self) -> u64 {
        let limits = &self.request.limits;
        let attested = self.demands.iter().any(|demand| !demand.is_signature());
        if attested { limits.attestation.max(limits.signature) } else { limits.signature }
    }

    /// Looks at one envelope, and notes what became of it unless it is about something else than what is asked for.
    pub(super) fn examine(&mut self, referrer: Option<Digest>, place: Place, bytes: &[u8]) {
        let Some(subject) = &self.subject else { return };
        let envelope = dsse::Limits {
            bytes: usize::try_from(self.envelope_limit()).unwrap_or(usize::MAX),
            signatures: self.request.limits.signatures,
        };
        self.work = self.work.saturating_sub(length(bytes));
        let room = Room { envelope, work: &mut self.work, kept: &mut self.kept };
        let outcome = demand::examine(&mut self.demands, &self.keys, &self.request, subject, Piece { referrer, place, bytes }, room);
        if let Some(outcome) = outcome {
            self.note(referrer, outcome);
        }
    }

    pub(super) fn note(&mut self, referrer: Option<Digest>, outcome: Outcome) {
        self.candidates.push(Candidate { referrer, outcome });
    }

    /// What it comes to when the evidence is exhausted: among alternatives unknown, not verified, unsigned; among demands the
    /// reverse.
    pub(super) fn refusal(&self) -> State {
        let unseen = self.unseen.is_some() || self.candidates.iter().any(|c| matches!(c.outcome, Outcome::Unknown(_)));
        let mut worst: Option<(Class, Fault)> = None;
        for demand in self.demands.iter().filter(|demand| !demand.is_reached()) {
            let (needed, found) = (demand.needed(), demand.distinct());
            let class = if unseen || demand.is_untried() {
                Class::Unknown
            } else if found > 0 || self.candidates.iter().any(|c| matches!(c.outcome, Outcome::Failed(_))) {
                Class::NotVerified
            } else {
                Class::Unsigned
            };
            let fault = match class {
                Class::Unknown => {
                    let untried = demand.is_untried().then(|| "an envelope has too many signatures without a keyid".to_string());
                    let why = self.unseen.clone().or(untried).unwrap_or_else(|| reasons(&self.candidates, true));
                    Fault::Incomplete { needed, found, why, cause: self.cause() }
                }
                Class::Unsigned => Fault::Unsigned { what: demand.what() },
                _ => Fault::Threshold { needed, found, why: reasons(&self.candidates, false) },
            };
            worst = match worst {
                Some((before, kept)) if before.and(class) == before => Some((before, kept)),
                _ => Some((class, fault)),
            };
        }
        let needed = self.demands.first().map_or(0, Demand::needed);
        match worst {
            Some((class, fault)) => State::Refused(class, fault),
            // Each is there, for different versions.
            None if unseen => {
                let why = self.unseen.clone().unwrap_or_else(|| reasons(&self.candidates, true));
                State::Refused(Class::Unknown, Fault::Incomplete { needed, found: 0, why, cause: self.cause() })
            }
            None => {
                let why = "what was asked for is signed for different versions".to_string();
                State::Refused(Class::NotVerified, Fault::Threshold { needed, found: 0, why })
            }
        }
    }

    /// What the source said of the first evidence that could not be had.
    pub(super) fn cause(&self) -> Option<Failure> {
        let unknown = self.candidates.iter().find_map(|candidate| match &candidate.outcome {
            Outcome::Unknown(Reason::Unavailable(failure)) => Some(failure),
            _ => None,
        });
        self.cause.as_ref().or(unknown).cloned()
    }
}
