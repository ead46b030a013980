use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use touchmark_envelope::digest::Digests;
use touchmark_envelope::dsse::{self, DsseError, Envelope};
use touchmark_envelope::manifest::{Descriptor, Manifest};
use touchmark_envelope::name::{Name, Wanted};
use touchmark_envelope::signature::{self, Asked};
use touchmark_envelope::statement::Statement;
use touchmark_envelope::threshold::{Tally, ThresholdError};
use touchmark_envelope::{Digest, Unverified, Verified};

use crate::candidate::{Outcome, Reason};
use crate::policy::Policy;
use crate::report::Accepted;
use crate::request::Request;

/// The manifest whose signatures decide.
#[derive(Clone, Debug)]
pub(crate) struct Subject {
    pub(crate) descriptor: Descriptor,
    pub(crate) manifest: Manifest,
    pub(crate) digests: Digests,
}

/// What an envelope was offered as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// By the caller, as what was asked for.
    Given,
    /// By a manifest of a signature's artifactType.
    Signature,
    /// By a manifest of an attestation's artifactType.
    Attestation,
}

/// One predicate type that is asked for, and the keys that vouch for it so far.
#[derive(Debug)]
pub(crate) struct Demand {
    predicate_type: String,
    needed: usize,
    /// With any version wanted, keys are counted for each version alone; otherwise there is one group.
    groups: Vec<(Option<Name>, Tally<Accepted>)>,
    /// Whether some envelope has signatures that were not tried with every key.
    untried: bool,
}

impl Demand {
    pub(crate) fn new(policy: &Policy, predicate_type: &str) -> Self {
        Self { predicate_type: predicate_type.to_owned(), needed: policy.needed(), groups: Vec::new(), untried: false }
    }

    pub(crate) fn predicate_type(&self) -> &str {
        &self.predicate_type
    }

    /// The artifactType of the manifests that carry what is asked for.
    pub(crate) fn artifact_type(&self) -> &'static str {
        if self.is_signature() { signature::ARTIFACT_TYPE } else { dsse::IN_TOTO }
    }

    pub(crate) fn what(&self) -> String {
        if self.is_signature() { "signature".to_owned() } else { alloc::format!("attestation of type {}", self.predicate_type) }
    }

    pub(crate) fn is_reached(&self) -> bool {
        self.reached().next().is_some()
    }

    /// The groups that enough keys vouch for.
    pub(crate) fn reached(&self) -> impl Iterator<Item = &Option<Name>> {
        self.groups.iter().filter(|(_, tally)| tally.is_reached()).map(|(group, _)| group)
    }

    pub(crate) fn has_reached(&self, group: &Option<Name>) -> bool {
        self.reached().any(|reached| reached == group)
    }

    /// Whether keys may have signed that were not counted.
    pub(crate) fn is_untried(&self) -> bool {
        self.untried
    }

    pub(crate) fn distinct(&self) -> usize {
        self.groups.iter().map(|(_, tally)| tally.distinct()).max().unwrap_or(0)
    }

    pub(crate) fn finish(self, group: &Option<Name>) -> Result<Verified<Vec<Accepted>>, ThresholdError> {
        match self.groups.into_iter().find(|(known, _)| known == group) {
            Some((_, tally)) => tally.finish(),
            None => Err(ThresholdError::Missed { needed: self.needed, found: 0 }),
        }
    }

    fn takes(&self, place: Place) -> bool {
        match place {
            Place::Given => true,
            Place::Signature => self.is_signature(),
            Place::Attestation => !self.is_signature(),
        }
    }

    fn is_signature(&self) -> bool {
        self.predicate_type == signature::PREDICATE_TYPE
    }

    fn tally(&mut self, policy: &Policy, name: Option<&Name>) -> Result<&mut Tally<Accepted>, ThresholdError> {
        let group = match policy.wanted_name() {
            Some(Wanted::AnyVersion(_)) => name.cloned(),
            Some(Wanted::Exact(_)) | None => None,
        };
        let index = match self.groups.iter().position(|(known, _)| *known == group) {
            Some(index) => index,
            None => {
                self.groups.push((group, Tally::new(policy.keys.clone(), policy.threshold)?));
                self.groups.len() - 1
            }
        };
        let missed = ThresholdError::Missed { needed: self.needed, found: 0 };
        self.groups.get_mut(index).map(|(_, tally)| tally).ok_or(missed)
    }
}

/// What looking at one envelope takes, and may not exceed.
pub(crate) struct Room<'a> {
    pub(crate) envelope: dsse::Limits,
    /// What is left of the search's work.
    pub(crate) work: &'a mut u64,
    /// What is left for statements that are kept.
    pub(crate) kept: &'a mut u64,
}

/// What a signature check costs, beside the length of what is signed, in the measure of a search's work.
const CHECK: u64 = 64 << 10;

/// Looks at one envelope: first who signed it, so that nothing is said of statements that no given key signed, then what it
/// says; only a statement that alone satisfies everything is counted. `None` if it is an attestation of a type not asked for.
pub(crate) fn examine(
    demands: &mut [Demand],
    request: &Request,
    subject: &Subject,
    referrer: Option<Digest>,
    place: Place,
    bytes: &[u8],
    room: Room<'_>,
) -> Option<Outcome> {
    let envelope = match Envelope::parse(bytes, room.envelope) {
        Ok(envelope) => envelope,
        Err(error) => return Some(unread(error)),
    };
    let envelope = envelope.untrusted();
    if envelope.payload_type != dsse::IN_TOTO {
        return Some(Outcome::Failed(Reason::PayloadType));
    }
    let message = envelope.signed_bytes();
    let signers = request.policy.keys.signers(&message, &envelope.signatures);
    *room.work = room.work.saturating_sub(count(signers.checks()).saturating_mul(count(message.len()).saturating_add(CHECK)));
    if signers.keys().is_empty() {
        return Some(if signers.gave_up() {
            Outcome::Unknown(Reason::Untried { checks: signers.checks() })
        } else {
            Outcome::Failed(Reason::NoKey)
        });
    }
    let statement = match Statement::parse(&envelope.payload) {
        Ok(statement) => statement,
        Err(error) => return Some(Outcome::Failed(Reason::Statement(error))),
    };
    let exact = demands.iter().position(|demand| demand.takes(place) && demand.predicate_type == statement.predicate_type);
    let demand = match exact {
        Some(index) => demands.get_mut(index)?,
        // Among attestations, one of another type is nothing that was asked for; offered as what was asked for, it is a failure.
        None if place == Place::Attestation => return None,
        None => demands.iter_mut().find(|demand| demand.takes(place))?,
    };
    let asked = Asked {
        predicate_type: &demand.predicate_type,
        manifest: &subject.digests,
        media_type: &subject.descriptor.media_type,
        name: request.policy.name.as_ref(),
        annotations: &request.policy.annotations,
        at: request.at,
    };
    let said = match asked.satisfied_by(&statement) {
        Ok(said) => said,
        Err(mismatch) => {
            return Some(Outcome::Failed(Reason::Mismatch { keys: signers.keys().to_vec(), mismatch: Box::new(mismatch) }));
        }
    };
    demand.untried |= signers.gave_up();
    let size = count(envelope.payload.len());
    for said in said {
        // Kept at most once for each new key; what adds no key is not kept.
        if size > *room.kept {
            let limit = request.limits.reported;
            return Some(Outcome::Unknown(Reason::Limit { what: "the size of the statements to report", limit, option: "--max-reported" }));
        }
        let Ok(tally) = demand.tally(&request.policy, said.name.as_ref()) else { return Some(Outcome::Failed(Reason::NoKey)) };
        let accepted = || Accepted { referrer, keys: signers.keys().to_vec(), said, statement: envelope.payload.clone() };
        if tally.count(&signers, || Unverified::new(accepted())) {
            *room.kept = room.kept.saturating_sub(size.saturating_add(KEPT));
        }
    }
    Some(Outcome::Counted { keys: signers.keys().to_vec() })
}

/// What a kept statement takes beside its own size, about.
const KEPT: u64 = 1 << 10;

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

fn unread(error: DsseError) -> Outcome {
    let limit = count;
    match error {
        DsseError::TooLarge { limit: bytes, .. } => {
            Outcome::Unknown(Reason::Limit { what: "the size of its envelope", limit: limit(bytes), option: "--max-envelope-size" })
        }
        DsseError::TooManySignatures { limit: signatures, .. } => {
            Outcome::Unknown(Reason::Limit { what: "the number of its signatures", limit: limit(signatures), option: "--max-signatures" })
        }
        error => Outcome::Failed(Reason::Envelope(error)),
    }
}
