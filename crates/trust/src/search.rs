use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use touchmark_envelope::digest::Digests;
use touchmark_envelope::dsse;
use touchmark_envelope::manifest::{Descriptor, Kind, Manifest, Platform, is_manifest_type};
use touchmark_envelope::signature;
use touchmark_envelope::{Digest, Name, Verified};

use crate::candidate::{Candidate, Outcome, Reason};
use crate::demand::{self, Demand, Place, Room, Subject};
use crate::need::{Answer, Failure, Need, Step};
use crate::queue::Queue;
use crate::report::{AcceptedBy, Artifact, Class, Fault, Rejected, reasons};
use crate::request::{Request, Scope};
use crate::standing::{Decision, Found, Signers};

/// A decision under way: order, limits and outcome are its own, and the caller only fetches.
///
/// ```
/// # use touchmark_envelope::{Digest, UnixTime, key::PublicKey};
/// # use touchmark_trust::{Answer, Failure, Policy, Request, Search, Step, Class};
/// # fn fetch(_: &touchmark_trust::Need) -> Answer { Answer::Failed(Failure::NotFound) }
/// # fn decide(key: PublicKey, digest: Digest, now: UnixTime) -> Result<(), Box<dyn std::error::Error>> {
/// let policy = Policy::keys([key])?.name("acme/net-monitor:1.2.0".parse()?);
/// let mut search = Search::new(Request::new(policy, digest, now));
/// while let Step::Need(need) = search.next() {
///     search.answer(fetch(&need));
/// }
/// let artifact = search.finish()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Search {
    request: Request,
    state: State,
    demands: Vec<Demand>,
    /// The manifest whose signatures decide.
    subject: Option<Subject>,
    /// The image that a signed index covers.
    child: Option<(Descriptor, Manifest)>,
    /// By what the artifact is accepted, as far as signatures are not asked for any more.
    accepted_by: AcceptedBy,
    queue: Queue,
    /// Whether a thorough question may find more referrers.
    more: bool,
    candidates: Vec<Candidate>,
    /// Why some of the evidence was not seen, other than by a candidate's own fault.
    unseen: Option<String>,
    /// What the source said then, if it gave nothing.
    cause: Option<Failure>,
    /// What is left of the limits on work and on statements that are kept.
    work: u64,
    kept: u64,
    contents: VecDeque<Descriptor>,
    /// What was met below the artifact, with the size that it was listed with.
    seen: BTreeMap<Digest, u64>,
    hashed: usize,
}

#[derive(Debug)]
enum State {
    /// An answer is being taken in; a search that stays here has decided nothing.
    Lost,
    /// Wants the manifest whose signatures decide: the artifact itself or the covering index.
    Subject(Digest),
    /// Wants the covered image.
    Child {
        digest: Digest,
        listed: Option<Descriptor>,
    },
    /// Wants a list of referrers.
    Referrers {
        thorough: bool,
    },
    /// Wants the manifest of the referrer at the head of the queue.
    Referrer(Descriptor),
    /// Wants the envelope of a referrer.
    Envelope {
        referrer: Digest,
        place: Place,
        layer: Descriptor,
    },
    /// Wants content below the artifact: `true` for a manifest.
    Content {
        descriptor: Descriptor,
        manifest: bool,
    },
    Accepted,
    Refused(Class, Fault),
}

impl Search {
    /// Begins to decide `request`.
    pub fn new(request: Request) -> Self {
        let demands = request.policy.predicate_types().into_iter().map(|wanted| Demand::new(&request.policy, wanted)).collect();
        let subject = match &request.scope {
            Scope::CoveredBy(index) => *index,
            Scope::Itself | Scope::Platform(_) => request.artifact,
        };
        let (work, kept) = (request.limits.work, request.limits.reported);
        Self {
            request,
            state: State::Subject(subject),
            demands,
            subject: None,
            child: None,
            accepted_by: AcceptedBy::Keys,
            queue: Queue::default(),
            more: false,
            candidates: Vec::new(),
            unseen: None,
            cause: None,
            contents: VecDeque::new(),
            work,
            kept,
            seen: BTreeMap::new(),
            hashed: 0,
        }
    }

    /// What it needs next. Asking again without an answer says the same again.
    pub fn next(&self) -> Step {
        let limits = &self.request.limits;
        let manifest = |digest: &Digest| Need::Manifest { digest: *digest, limit: limits.manifest };
        Step::Need(match &self.state {
            State::Subject(digest) | State::Child { digest, .. } => manifest(digest),
            State::Referrers { thorough } => match &self.subject {
                Some(subject) => Need::Referrers {
                    subject: subject.descriptor.digest,
                    entries: limits.referrers,
                    bytes: limits.referrers_bytes,
                    thorough: *thorough,
                },
                None => return Step::Done,
            },
            State::Referrer(entry) => manifest(&entry.digest),
            State::Envelope { layer, .. } => Need::Blob { digest: layer.digest, limit: layer.size },
            State::Content { descriptor, manifest: true } => manifest(&descriptor.digest),
            State::Content { descriptor, manifest: false } => Need::Hash { digest: descriptor.digest, size: descriptor.size },
            State::Accepted | State::Refused(..) | State::Lost => return Step::Done,
        })
    }

    /// What it will very likely ask for after that, in this order and at most `most`: for those who can fetch several things at the
    /// same time. Never does it name more candidates than keys are missing, or than were looked at in vain before: one good signature
    /// is found without another being fetched.
    ///
    /// `held` gives the manifests that were fetched already; of these, the envelopes that are not inlined are named. A manifest's
    /// limit is the size that it is listed with, so if it turns out to be larger, that is no failure: it will be asked for by itself.
    pub fn ahead<'a>(&self, most: usize, held: &dyn Fn(&Digest) -> Option<&'a [u8]>) -> Vec<Need> {
        let limit = self.request.limits.manifest;
        let manifest = |listed: &Descriptor| Need::Manifest { digest: listed.digest, limit: listed.size.min(limit) };
        match &self.state {
            State::Referrer(_) | State::Envelope { .. } => {
                let likely = self.queue.ahead().filter_map(|entry| match held(&entry.digest) {
                    None => Some(manifest(entry)),
                    Some(bytes) => self.layer_to_fetch(bytes).map(|layer| Need::Blob { digest: layer.digest, limit: layer.size }),
                });
                likely.take(most).collect()
            }
            State::Content { .. } => {
                let likely = self.contents.iter().map(|listed| match is_manifest_type(&listed.media_type) {
                    true => manifest(listed),
                    false => Need::Hash { digest: listed.digest, size: listed.size },
                });
                likely.take(most).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Takes in the answer to what [`Search::next`] asked for.
    pub fn answer(&mut self, answer: Answer) {
        match core::mem::replace(&mut self.state, State::Lost) {
            State::Subject(digest) => match self.loaded("the artifact", digest, answer) {
                Ok((descriptor, manifest, digests)) => self.subject_loaded(Subject { descriptor, manifest, digests }),
                Err(refused) => self.state = *refused,
            },
            State::Child { digest, listed } => match self.loaded("the artifact", digest, answer) {
                Ok((descriptor, manifest, digests)) => self.child_loaded(descriptor, manifest, &digests, listed),
                Err(refused) => self.state = *refused,
            },
            State::Referrers { thorough } => self.referrers_listed(answer, thorough),
            State::Referrer(entry) => self.referrer_loaded(&entry, answer),
            State::Envelope { referrer, place, layer } => {
                let bound = Bound { bytes: layer.size, option: "--max-envelope-size" };
                match checked(answer, &layer.digest, bound) {
                    Ok(bytes) if length(&bytes) == layer.size => self.examine(Some(referrer), place, &bytes),
                    // Longer or shorter than its manifest says: no limit that is raised would help.
                    Ok(_) | Err(Failure::TooLarge { .. }) => self.note(Some(referrer), Outcome::Failed(Reason::OtherEnvelope)),
                    Err(failure) => self.note(Some(referrer), Outcome::Unknown(Reason::Unavailable(failure))),
                }
                self.next_candidate();
            }
            State::Content { descriptor, manifest } => match (answer, manifest) {
                (Answer::Hashed { digest, size }, false) => self.content_hashed(&descriptor, digest, size),
                (answer, true) => match self.loaded("a manifest below the artifact", descriptor.digest, answer) {
                    Ok((found, manifest, _)) => {
                        self.hashed += 1;
                        let pushed = match found.size == descriptor.size {
                            true => self.push_contents(&manifest),
                            false => Err(Box::new(wrong_content(&descriptor))),
                        };
                        match pushed {
                            Ok(()) => self.next_content(),
                            Err(refused) => self.state = *refused,
                        }
                    }
                    Err(refused) => self.state = *refused,
                },
                (Answer::Failed(failure), false) => self.state = unavailable("the blob", descriptor.digest, failure),
                (_, false) => self.state = unavailable("the blob", descriptor.digest, Failure::WrongAnswer),
            },
            done @ (State::Accepted | State::Refused(..) | State::Lost) => self.state = done,
        }
    }

    /// The verdict.
    ///
    /// # Errors
    /// The policy does not accept the artifact, or the search was left before it had decided.
    pub fn finish(self) -> Result<Verified<Artifact>, Rejected> {
        let at = self.request.at;
        let rejected = |class, fault, candidates| Err(Rejected::new(class, fault, candidates, at));
        let group = self.satisfied();
        let Some(subject) = self.subject else {
            let (class, fault) = self.state.refusal(self.request.artifact);
            return rejected(class, fault, self.candidates);
        };
        if !matches!(self.state, State::Accepted) {
            let (class, fault) = self.state.refusal(self.request.artifact);
            return rejected(class, fault, self.candidates);
        }
        // An entry or a seal needs no signature.
        let needed = if self.demands.is_empty() { 0 } else { self.request.policy.needed() };
        let short = || Fault::Threshold { needed, found: 0, why: String::new() };
        let Some(group) = group else { return rejected(Class::NotVerified, short(), self.candidates) };
        let standing = self.request.policy.standing.clone();
        let mut verified: Option<Verified<Vec<_>>> = standing.as_ref().map(|standing| standing.verified().map(|()| Vec::new()));
        for demand in self.demands {
            let Ok(more) = demand.finish(&group) else { return rejected(Class::NotVerified, short(), self.candidates) };
            verified = Some(match verified {
                None => more,
                Some(before) => before.join(more, |all, more| all.into_iter().chain(more).collect()),
            });
        }
        let Some(verified) = verified else { return rejected(Class::NotVerified, short(), self.candidates) };
        let wanted = self.request.policy.wanted_name().cloned();
        let hashed = self.request.deep.then_some(self.hashed);
        let (descriptor, covered_by) = match self.child {
            Some((child, _)) => (child, Some(subject.descriptor)),
            None => (subject.descriptor, None),
        };
        let (candidates, accepted_by) = (self.candidates, self.accepted_by);
        Ok(verified.map(|accepted| Artifact {
            descriptor,
            covered_by,
            accepted,
            wanted,
            needed,
            at,
            hashed,
            candidates,
            accepted_by,
            standing,
        }))
    }

    fn subject_loaded(&mut self, subject: Subject) {
        let next = match &self.request.scope {
            Scope::Itself => None,
            Scope::CoveredBy(index) if !is_index(&subject.manifest) => {
                self.state = State::Refused(Class::NotVerified, Fault::NoIndex { digest: *index });
                return;
            }
            Scope::CoveredBy(_) => Some(State::Child { digest: self.request.artifact, listed: None }),
            Scope::Platform(platform) => match choose(&subject, platform) {
                Ok(listed) => Some(State::Child { digest: listed.digest, listed: Some(listed.clone()) }),
                Err(fault) => {
                    self.state = State::Refused(Class::Unknown, *fault);
                    return;
                }
            },
        };
        self.subject = Some(subject);
        match next {
            Some(state) => self.state = state,
            None => self.ask_metadata(None),
        }
    }

    /// Checks that the signed index covers the image: one level, image manifests only, and the media type, digest and size
    /// that it lists are those of the bytes.
    fn child_loaded(&mut self, found: Descriptor, manifest: Manifest, digests: &Digests, listed: Option<Descriptor>) {
        let Some(subject) = &self.subject else { return };
        let entries = subject.manifest.children();
        let covers =
            |entry: &Descriptor| entry.media_type == found.media_type && entry.size == found.size && digests.contain(&entry.digest);
        let why = match (&manifest.kind, &listed) {
            (Kind::Index { .. }, _) => Some("it is an index, and an index covers images only"),
            (_, Some(listed)) if !covers(listed) => Some("it is listed with another media type or size"),
            (_, None) if !entries.iter().any(|entry| digests.contain(&entry.digest)) => Some("it is not listed"),
            (_, None) if !entries.iter().any(covers) => Some("it is listed with another media type or size"),
            _ => None,
        };
        if let Some(why) = why {
            let fault = Fault::NotCovered { index: subject.descriptor.digest, artifact: found.digest, why };
            self.state = State::Refused(Class::NotVerified, fault);
            return;
        }
        self.child = Some((found, manifest));
        self.ask_metadata(Some(digests));
    }

    /// Decides by trust metadata, if that is whom the policy trusts, as far as it does without envelopes. `child` are the digests of the
    /// image that the index covers.
    fn ask_metadata(&mut self, child: Option<&Digests>) {
        let (Some(standing), Some(subject)) = (self.request.policy.standing.clone(), &self.subject) else { return self.begin_candidates() };
        let found = Found {
            digests: &subject.digests,
            media_type: &subject.descriptor.media_type,
            annotations: &self.request.policy.annotations,
            at: self.request.at,
        };
        let decision = standing.decide(found, subject.manifest.children(), child);
        match decision {
            Decision::Refused(class, fault) => self.state = State::Refused(class, *fault),
            Decision::Accepted(by) => {
                self.accepted_by = by;
                self.demands.retain(|demand| demand.predicate_type() != signature::PREDICATE_TYPE);
                // What else is asked for is attested to by those who may sign.
                match standing.signers() {
                    Ok(signers) => self.count_by(signers),
                    Err(why) if !self.demands.is_empty() => {
                        let fault = Fault::NoSigners { name: standing.name().clone(), why: why.clone() };
                        self.state = State::Refused(Class::NotVerified, fault);
                        return;
                    }
                    Err(_) => {}
                }
                match self.demands.is_empty() {
                    true => self.begin_contents(),
                    false => self.begin_candidates(),
                }
            }
            Decision::Envelopes(signers) => {
                self.accepted_by = AcceptedBy::Envelopes { role: signers.role.as_str().to_string() };
                self.count_by(signers);
                self.begin_candidates();
            }
        }
    }

    /// Counts the keys of a role from now on. Where it has fewer than its threshold nothing is ever enough.
    fn count_by(&mut self, signers: &Signers) {
        let policy = &mut self.request.policy;
        policy.keys = signers.keys.clone();
        policy.threshold = usize::try_from(signers.threshold).unwrap_or(usize::MAX);
        for demand in &mut self.demands {
            *demand = Demand::new(policy, demand.predicate_type());
        }
    }

    fn begin_candidates(&mut self) {
        match self.request.envelopes.take() {
            None => self.state = State::Referrers { thorough: false },
            Some(envelopes) => {
                for envelope in &envelopes {
                    if self.satisfied().is_some() {
                        break;
                    }
                    self.examine(None, Place::Given, envelope);
                }
                self.next_candidate();
            }
        }
    }

    /// Takes in a list of referrers. What a thorough answer says of its completeness holds for the quick one before it too.
    fn referrers_listed(&mut self, answer: Answer, thorough: bool) {
        let limits = self.request.limits;
        (self.unseen, self.more) = match answer {
            Answer::Referrers { entries, complete, more, why } => {
                let full = entries.len() > limits.referrers || (!complete && entries.len() == limits.referrers);
                let wanted: Vec<&str> = self.demands.iter().map(Demand::artifact_type).collect();
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
        self.next_candidate();
    }

    /// The group, of those that tell versions apart, that every demand has enough keys for: one version for all of them.
    fn satisfied(&self) -> Option<Option<Name>> {
        let Some((first, others)) = self.demands.split_first() else {
            // Trust metadata has accepted it, and nothing else is asked for.
            return matches!(self.accepted_by, AcceptedBy::Entry { .. } | AcceptedBy::Seal { .. }).then_some(None);
        };
        first.reached().find(|group| others.iter().all(|demand| demand.has_reached(group))).cloned()
    }

    fn next_candidate(&mut self) {
        if self.satisfied().is_some() {
            self.begin_contents();
            return;
        }
        let demands = self.demands.iter().filter(|demand| !demand.is_reached());
        self.queue.looked_at(demands.map(|demand| self.request.policy.needed().saturating_sub(demand.distinct())).sum());
        if self.work == 0 && !self.queue.is_empty() {
            let limit = self.request.limits.work;
            self.unseen = Some(alloc::format!("the evidence takes more work than {limit} bytes' worth; raise the limit with --max-work"));
            self.queue.clear();
            self.more = false;
        }
        self.state = match self.queue.pop() {
            Some(entry) => State::Referrer(entry),
            None if self.more => State::Referrers { thorough: true },
            None => self.refusal(),
        };
    }

    fn referrer_loaded(&mut self, entry: &Descriptor, answer: Answer) {
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
    fn layer_to_fetch(&self, manifest: &[u8]) -> Option<Descriptor> {
        let (_, layer) = self.layer(manifest).ok().flatten()?;
        layer.data.is_none().then_some(layer)
    }

    /// The layer that is the envelope of a referrer; `None` if it is something else than what is asked for.
    fn envelope_layer(&mut self, entry: &Descriptor, answer: Answer) -> Result<Option<(Place, Descriptor)>, Outcome> {
        let bytes =
            checked(answer, &entry.digest, self.manifest_limit()).map_err(|failure| Outcome::Unknown(Reason::Unavailable(failure)))?;
        self.work = self.work.saturating_sub(length(&bytes));
        self.layer(&bytes)
    }

    /// The same of a manifest's bytes.
    fn layer(&self, bytes: &[u8]) -> Result<Option<(Place, Descriptor)>, Outcome> {
        let failed = |reason| Err(Outcome::Failed(reason));
        let manifest = Manifest::parse(bytes).map_err(|error| Outcome::Failed(Reason::Manifest(error)))?;
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

    fn envelope_limit(&self) -> u64 {
        let limits = &self.request.limits;
        let attested = self.demands.iter().any(|demand| demand.predicate_type() != signature::PREDICATE_TYPE);
        if attested { limits.attestation.max(limits.signature) } else { limits.signature }
    }

    /// Looks at one envelope, and notes what became of it unless it is about something else than what is asked for.
    fn examine(&mut self, referrer: Option<Digest>, place: Place, bytes: &[u8]) {
        let Some(subject) = &self.subject else { return };
        let envelope = dsse::Limits {
            bytes: usize::try_from(self.envelope_limit()).unwrap_or(usize::MAX),
            signatures: self.request.limits.signatures,
        };
        self.work = self.work.saturating_sub(length(bytes));
        let room = Room { envelope, work: &mut self.work, kept: &mut self.kept };
        let outcome = demand::examine(&mut self.demands, &self.request, subject, referrer, place, bytes, room);
        if let Some(outcome) = outcome {
            self.note(referrer, outcome);
        }
    }

    fn note(&mut self, referrer: Option<Digest>, outcome: Outcome) {
        self.candidates.push(Candidate { referrer, outcome });
    }

    /// What it comes to when the evidence is exhausted: among alternatives unknown, not verified, unsigned; among demands the
    /// reverse.
    fn refusal(&self) -> State {
        let unseen = self.unseen.is_some() || self.candidates.iter().any(|c| matches!(c.outcome, Outcome::Unknown(_)));
        let mut worst: Option<(Class, Fault)> = None;
        for demand in self.demands.iter().filter(|demand| !demand.is_reached()) {
            let (needed, found) = (self.request.policy.needed(), demand.distinct());
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
        let needed = self.request.policy.needed();
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
    fn cause(&self) -> Option<Failure> {
        let unknown = self.candidates.iter().find_map(|candidate| match &candidate.outcome {
            Outcome::Unknown(Reason::Unavailable(failure)) => Some(failure),
            _ => None,
        });
        self.cause.as_ref().or(unknown).cloned()
    }

    fn begin_contents(&mut self) {
        self.state = State::Accepted;
        if !self.request.deep {
            return;
        }
        let manifest = self.child.as_ref().map(|(_, manifest)| manifest).or(self.subject.as_ref().map(|s| &s.manifest)).cloned();
        match manifest.map_or(Ok(()), |manifest| self.push_contents(&manifest)) {
            Ok(()) => self.next_content(),
            Err(refused) => self.state = *refused,
        }
    }

    /// Queues what is below a manifest; or the refusal, if it contradicts what was listed before or cannot be followed.
    fn push_contents(&mut self, manifest: &Manifest) -> Result<(), Box<State>> {
        if let Some(child) = manifest.children().iter().find(|child| !is_manifest_type(&child.media_type)) {
            return Err(Box::new(State::Refused(Class::Unknown, Fault::UnknownChild { digest: child.digest })));
        }
        for descriptor in manifest.children().iter().chain(manifest.blobs()) {
            match self.seen.insert(descriptor.digest, descriptor.size) {
                None => self.contents.push_back(descriptor.clone()),
                Some(size) if size == descriptor.size => {}
                Some(_) => return Err(Box::new(wrong_content(descriptor))),
            }
        }
        Ok(())
    }

    fn next_content(&mut self) {
        let limit = self.request.limits.contents;
        self.state = match self.contents.pop_front() {
            None => State::Accepted,
            Some(_) if self.seen.len() > limit => State::Refused(Class::Unknown, Fault::TooManyContents { limit }),
            Some(descriptor) => {
                let manifest = is_manifest_type(&descriptor.media_type);
                State::Content { descriptor, manifest }
            }
        };
    }

    fn content_hashed(&mut self, descriptor: &Descriptor, digest: Digest, size: u64) {
        if digest == descriptor.digest && size == descriptor.size {
            self.hashed += 1;
            self.next_content();
        } else {
            self.state = wrong_content(descriptor);
        }
    }

    /// The manifest of this digest, from bytes that have it; or the refusal that follows.
    fn loaded(&self, what: &'static str, digest: Digest, answer: Answer) -> Result<(Descriptor, Manifest, Digests), Box<State>> {
        let bytes = checked(answer, &digest, self.manifest_limit()).map_err(|failure| Box::new(unavailable(what, digest, failure)))?;
        let manifest = Manifest::parse(&bytes)
            .map_err(|error| Box::new(State::Refused(Class::Malformed, Fault::Malformed { what, digest, error })))?;
        let mut descriptor = Descriptor::new(&manifest.media_type, digest, length(&bytes));
        descriptor.artifact_type = manifest.artifact_type().map(ToString::to_string);
        Ok((descriptor, manifest, Digests::of(&bytes)))
    }

    fn manifest_limit(&self) -> Bound {
        Bound { bytes: self.request.limits.manifest, option: "--max-manifest-size" }
    }
}

/// How many bytes were asked for at most, and the option that asks for more.
#[derive(Clone, Copy)]
struct Bound {
    bytes: u64,
    option: &'static str,
}

impl State {
    fn refusal(self, artifact: Digest) -> (Class, Fault) {
        match self {
            State::Refused(class, fault) => (class, fault),
            _ => {
                let failure = Failure::Unavailable("the search was left before it had decided".to_string());
                (Class::Unknown, Fault::Unavailable { what: "the artifact", digest: artifact, failure })
            }
        }
    }
}

fn is_index(manifest: &Manifest) -> bool {
    matches!(manifest.kind, Kind::Index { .. })
}

/// The one entry of an index that serves `platform`.
fn choose<'a>(subject: &'a Subject, platform: &Platform) -> Result<&'a Descriptor, Box<Fault>> {
    if !is_index(&subject.manifest) {
        return Err(Box::new(Fault::NoIndex { digest: subject.descriptor.digest }));
    }
    let entries = subject.manifest.children();
    let exact = |entry: &&Descriptor| entry.platform.as_ref() == Some(platform);
    let serves = |entry: &&Descriptor| entry.platform.as_ref().is_some_and(|found| found.serves(platform));
    let mut found: Vec<&Descriptor> = entries.iter().filter(exact).collect();
    if found.is_empty() {
        found = entries.iter().filter(serves).collect();
    }
    found.dedup_by_key(|entry| entry.digest);
    match found.as_slice() {
        [one] => Ok(one),
        found => {
            let names: Vec<String> = entries.iter().filter_map(|e| e.platform.as_ref()).take(32).map(ToString::to_string).collect();
            let (platform, listed) = (platform.to_string(), names.join(", ").escape_debug().to_string());
            Err(Box::new(match found.len() {
                0 => Fault::NoPlatform { platform, listed },
                found => Fault::ManyForPlatform { platform, found, listed },
            }))
        }
    }
}

/// The bytes of an answer, if they are no more than asked for and have this digest.
fn checked(answer: Answer, digest: &Digest, bound: Bound) -> Result<Vec<u8>, Failure> {
    match answer {
        Answer::Bytes(bytes) if length(&bytes) > bound.bytes => Err(Failure::TooLarge { limit: bound.bytes, option: bound.option }),
        Answer::Bytes(bytes) if digest.matches(&bytes) => Ok(bytes),
        Answer::Bytes(_) => Err(Failure::WrongDigest),
        Answer::Failed(failure) => Err(failure),
        _ => Err(Failure::WrongAnswer),
    }
}

fn unavailable(what: &'static str, digest: Digest, failure: Failure) -> State {
    let class = match failure {
        Failure::WrongDigest | Failure::Malformed(_) => Class::Malformed,
        _ => Class::Unknown,
    };
    State::Refused(class, Fault::Unavailable { what, digest, failure })
}

fn wrong_content(descriptor: &Descriptor) -> State {
    unavailable("the blob", descriptor.digest, Failure::WrongDigest)
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
