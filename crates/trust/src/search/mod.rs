//! The decision as a state machine: in which order what is asked, and what it comes to.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use touchmark_envelope::manifest::{Descriptor, Manifest, is_manifest_type};
use touchmark_envelope::threshold::KeySet;
use touchmark_envelope::{Digest, Verified};

use crate::candidate::{Candidate, Outcome, Reason};
use crate::demand::{Demand, Place, Subject};
use crate::need::{Answer, Failure, Need, Step};
use crate::queue::Queue;
use crate::report::{AcceptedBy, Artifact, Class, Fault, Rejected};
use crate::request::{Request, Scope};

mod candidates;
mod contents;
#[cfg(feature = "supply-chain")]
mod evidence;
mod metadata;
mod subject;
#[cfg_attr(not(feature = "supply-chain"), path = "no_supply_chain.rs")]
mod supply_chain;

use self::subject::Loaded;
use self::supply_chain::{Evidence, Supplied};

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
    /// The keys of all demands.
    keys: KeySet,
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
    /// The supply chain that is asked for.
    supply: Supplied,
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
    /// Wants something that may be evidence of a supply chain.
    #[cfg_attr(not(feature = "supply-chain"), expect(dead_code, reason = "nobody can ask for one"))]
    Evidence(Evidence),
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
    pub fn new(mut request: Request) -> Self {
        if let Some(standing) = &request.policy.standing {
            request.at = request.at.max(standing.at());
        }
        let demands = Demand::all(&request.policy);
        let keys = Demand::all_keys(&demands);
        let subject = match &request.scope {
            Scope::CoveredBy(index) => *index,
            Scope::Itself | Scope::Platform(_) => request.artifact,
        };
        let (work, kept) = (request.limits.work, request.limits.reported);
        Self {
            request,
            state: State::Subject(subject),
            demands,
            keys,
            subject: None,
            child: None,
            accepted_by: AcceptedBy::Keys,
            queue: Queue::default(),
            more: false,
            candidates: Vec::new(),
            unseen: None,
            cause: None,
            supply: Supplied::default(),
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
            State::Evidence(evidence) => evidence.need(limits),
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
            State::Evidence(evidence) => self.evidence_ahead(evidence, most),
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
                Ok((Loaded { descriptor, manifest, digests }, bytes)) => {
                    self.subject_loaded(Subject { descriptor, manifest, digests }, &bytes);
                }
                Err(refused) => self.state = *refused,
            },
            State::Child { digest, listed } => match self.loaded("the artifact", digest, answer) {
                Ok((Loaded { descriptor, manifest, digests }, _)) => self.child_loaded(descriptor, manifest, &digests, listed),
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
            State::Evidence(evidence) => self.evidence_loaded(evidence, answer),
            State::Content { descriptor, manifest } => match (answer, manifest) {
                (Answer::Hashed { digest, size }, false) => self.content_hashed(&descriptor, digest, size),
                (answer, true) => match self.loaded("a manifest below the artifact", descriptor.digest, answer) {
                    Ok((Loaded { descriptor: found, manifest, .. }, _)) => {
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
    pub fn finish(mut self) -> Result<Verified<Artifact>, Rejected> {
        let at = self.request.at;
        let (chain, refusal) = self.supply.outcome();
        let rejected = |class, fault, candidates| Err(refusal.told_in(Rejected::new(class, fault, candidates, at)));
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
        let needed = self.demands.iter().find(|demand| demand.is_by_policy()).map_or(0, Demand::needed);
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
        let Some(held) = chain.held(&self.request.policy) else {
            let fault = Fault::SupplyChain { why: "nothing was looked at".to_string(), cause: None };
            return rejected(Class::Unknown, fault, self.candidates);
        };
        let wanted = self.request.policy.wanted_name().cloned();
        let hashed = self.request.deep.then_some(self.hashed);
        let (descriptor, covered_by) = match self.child {
            Some((child, _)) => (child, Some(subject.descriptor)),
            None => (subject.descriptor, None),
        };
        let (candidates, accepted_by) = (self.candidates, self.accepted_by);
        let verified = verified.map(|accepted| Artifact {
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
            #[cfg(feature = "supply-chain")]
            supply_chain: None,
        });
        Ok(held.join(verified))
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

/// The bytes of an answer, if they are no more than asked for and have this digest.
fn checked(answer: Answer, digest: &Digest, bound: Bound) -> Result<Vec<u8>, Failure> {
    let bytes = bounded(answer, bound)?;
    if digest.matches(&bytes) { Ok(bytes) } else { Err(Failure::WrongDigest) }
}

/// The bytes of an answer, if they are no more than asked for. They are yet to be hashed.
fn bounded(answer: Answer, bound: Bound) -> Result<Vec<u8>, Failure> {
    match answer {
        Answer::Bytes(bytes) if length(&bytes) > bound.bytes => Err(Failure::TooLarge { limit: bound.bytes, option: bound.option }),
        Answer::Bytes(bytes) => Ok(bytes),
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
