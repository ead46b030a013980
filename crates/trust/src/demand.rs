use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use touchmark_envelope::digest::Digests;
use touchmark_envelope::dsse::{self, DsseError, Envelope};
use touchmark_envelope::key::PublicKey;
use touchmark_envelope::manifest::{Descriptor, Manifest};
use touchmark_envelope::name::{Name, Wanted};
use touchmark_envelope::signature::{self, Asked, Mismatch, Said};
use touchmark_envelope::statement::Statement;
use touchmark_envelope::threshold::{KeySet, Signers, Tally, ThresholdError};
use touchmark_envelope::{Digest, Unverified, Verified};
use touchmark_in_toto::constraint::{self, Constraint};
use touchmark_in_toto::engine::{OutOfWork, Work};

use crate::attested::Attested;
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
    keys: KeySet,
    needed: usize,
    constraints: Vec<Constraint>,
    /// Who may sign it: those whom the policy trusts, or others.
    signers: Signing,
    /// Whether it came beside what the policy asks for otherwise.
    attested: bool,
    /// With any version wanted, keys are counted for each version alone; otherwise there is one group.
    groups: Vec<(Option<Name>, Tally<Accepted>)>,
    /// Whether some envelope has signatures that were not tried with every key.
    untried: bool,
}

/// Whose keys a demand counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Signing {
    /// The policy's.
    Policy,
    /// Its own.
    Own,
}

impl Demand {
    /// All that a policy asks for.
    pub(crate) fn all(policy: &Policy) -> Vec<Self> {
        let named = policy.predicate_types().into_iter().map(|wanted| Self::new(policy, wanted));
        named.chain(policy.attested.iter().map(|wanted| Self::attested(policy, wanted))).collect()
    }

    fn new(policy: &Policy, predicate_type: &str) -> Self {
        Self {
            predicate_type: predicate_type.to_owned(),
            keys: policy.keys.clone(),
            needed: policy.needed(),
            constraints: Vec::new(),
            signers: Signing::Policy,
            attested: false,
            groups: Vec::new(),
            untried: false,
        }
    }

    fn attested(policy: &Policy, wanted: &Attested) -> Self {
        let constraints = wanted.constraints.clone();
        let demand = Self { constraints, attested: true, ..Self::new(policy, &wanted.predicate_type) };
        match &wanted.signers {
            None => demand,
            Some((keys, needed)) => Self { keys: keys.clone(), needed: *needed, signers: Signing::Own, ..demand },
        }
    }

    /// The keys of all of them.
    pub(crate) fn all_keys(demands: &[Self]) -> KeySet {
        let mut demands = demands.iter();
        let mut all = demands.next().map(|first| first.keys.clone()).unwrap_or_else(|| KeySet::new([]));
        demands.flat_map(|demand| demand.keys.keys()).for_each(|key| all.add(key.clone()));
        all
    }

    /// Counts these keys of the policy from now on, unless it has its own.
    pub(crate) fn count_by(&mut self, policy: &Policy) {
        if self.is_by_policy() {
            (self.keys, self.needed) = (policy.keys.clone(), policy.needed());
            self.groups.clear();
        }
    }

    /// Whether those whom the policy trusts are counted.
    pub(crate) fn is_by_policy(&self) -> bool {
        self.signers == Signing::Policy
    }

    /// Whether it is the signature that an entry or a seal stands for.
    pub(crate) fn is_ground(&self) -> bool {
        self.is_signature() && !self.attested
    }

    /// How many keys must vouch for it.
    pub(crate) fn needed(&self) -> usize {
        self.needed
    }

    pub(crate) fn missing(&self) -> usize {
        self.needed.saturating_sub(self.distinct())
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

    pub(crate) fn is_signature(&self) -> bool {
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
                self.groups.push((group, Tally::new(self.keys.clone(), self.needed)?));
                self.groups.len() - 1
            }
        };
        let missed = ThresholdError::Missed { needed: self.needed, found: 0 };
        self.groups.get_mut(index).map(|(_, tally)| tally).ok_or(missed)
    }
}

/// An envelope as it was found.
#[derive(Clone, Copy)]
pub(crate) struct Piece<'a> {
    pub(crate) referrer: Option<Digest>,
    pub(crate) place: Place,
    pub(crate) bytes: &'a [u8],
}

/// A statement, and those who signed it.
#[derive(Clone, Copy)]
struct Signed<'a> {
    statement: &'a Statement<'a>,
    signers: &'a Signers,
    referrer: Option<Digest>,
    payload: &'a [u8],
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

/// What it took to find out who signed a message of this length.
pub(crate) fn work_of(signers: &Signers, length: usize) -> u64 {
    count(signers.checks()).saturating_mul(count(length).saturating_add(CHECK))
}

/// Looks at one envelope: first who signed it, so that nothing is said of statements that no given key signed, then what it
/// says; only a statement that alone satisfies everything is counted. `None` if it is an attestation of a type not asked for.
pub(crate) fn examine(
    demands: &mut [Demand],
    keys: &KeySet,
    request: &Request,
    subject: &Subject,
    piece: Piece<'_>,
    mut room: Room<'_>,
) -> Option<Outcome> {
    let Piece { referrer, place, bytes } = piece;
    let envelope = match Envelope::parse(bytes, room.envelope) {
        Ok(envelope) => envelope,
        Err(error) => return Some(unread(error)),
    };
    let envelope = envelope.untrusted();
    if envelope.payload_type != dsse::IN_TOTO {
        return Some(Outcome::Failed(Reason::PayloadType));
    }
    let message = envelope.signed_bytes();
    let signers = keys.signers(&message, &envelope.signatures);
    *room.work = room.work.saturating_sub(work_of(&signers, message.len()));
    if signers.keys().is_empty() {
        return Some(no_key(&signers));
    }
    let statement = match Statement::parse(&envelope.payload) {
        Ok(statement) => statement,
        Err(error) => return Some(Outcome::Failed(Reason::Statement(error))),
    };
    let is_asked = |demand: &Demand| demand.takes(place) && demand.predicate_type == statement.predicate_type;
    if !demands.iter().any(is_asked) {
        // Among attestations, one of another type is nothing that was asked for; offered as what was asked for, it is a failure.
        let demand = demands.iter().find(|demand| place != Place::Attestation && demand.takes(place))?;
        return Some(mismatched(asked(demand, request, subject).satisfied_by(&statement), signers.keys()));
    }
    let mut worst: Option<Outcome> = None;
    let mut counted: Vec<PublicKey> = Vec::new();
    for demand in demands.iter_mut().filter(|demand| is_asked(demand)) {
        // Who may vouch for another demand may not for this one.
        let signers = signers.clone().only(|key| demand.keys.keys().contains(key));
        let signed = Signed { statement: &statement, signers: &signers, referrer, payload: &envelope.payload };
        match count_for(demand, request, subject, signed, &mut room) {
            Ok(()) => counted.extend(signers.keys().iter().filter(|key| !counted.contains(key)).cloned().collect::<Vec<_>>()),
            Err(outcome @ Outcome::Unknown(_)) => worst = Some(outcome),
            Err(outcome) => worst = worst.or(Some(outcome)),
        }
    }
    match worst {
        // What is unknown of one demand may be what it lacks.
        Some(Outcome::Unknown(reason)) => Some(Outcome::Unknown(reason)),
        Some(outcome) if counted.is_empty() => Some(outcome),
        _ => Some(Outcome::Counted { keys: counted }),
    }
}

/// Counts a statement for one demand, if it alone is all that this asks for; or what became of it.
fn count_for(demand: &mut Demand, request: &Request, subject: &Subject, signed: Signed<'_>, room: &mut Room<'_>) -> Result<(), Outcome> {
    let Signed { statement, signers, referrer, payload } = signed;
    if signers.keys().is_empty() {
        return Err(no_key(signers));
    }
    let said = asked(demand, request, subject).satisfied_by(statement);
    let said = said.map_err(|mismatch| mismatched(Err(mismatch), signers.keys()))?;
    let mut work = Work::new(*room.work);
    let unmet = constraint::unmet(statement.predicate, &demand.constraints, &mut work);
    *room.work = work.left();
    let keys = || signers.keys().to_vec();
    match unmet {
        Ok(Ok(unmet)) if unmet.is_empty() => {}
        Ok(Ok(unmet)) => return Err(Outcome::Failed(Reason::Unmet { keys: keys(), unmet })),
        Ok(Err(OutOfWork)) => {
            *room.work = 0;
            let limit = request.limits.work;
            return Err(Outcome::Unknown(Reason::Limit { what: "the work for what its predicate must meet", limit, option: "--max-work" }));
        }
        Err(error) => return Err(Outcome::Failed(Reason::Predicate { keys: keys(), error: error.to_string() })),
    }
    demand.untried |= signers.gave_up();
    let size = count(payload.len());
    for said in said {
        // Kept at most once for each new key; what adds no key is not kept.
        if size > *room.kept {
            let limit = request.limits.reported;
            return Err(Outcome::Unknown(Reason::Limit { what: "the size of the statements to report", limit, option: "--max-reported" }));
        }
        let Ok(tally) = demand.tally(&request.policy, said.name.as_ref()) else { return Err(Outcome::Failed(Reason::NoKey)) };
        let accepted = || Accepted { referrer, keys: keys(), said, statement: payload.to_vec() };
        if tally.count(signers, || Unverified::new(accepted())) {
            *room.kept = room.kept.saturating_sub(size.saturating_add(KEPT));
        }
    }
    Ok(())
}

/// What one statement must alone satisfy for a demand.
fn asked<'a>(demand: &'a Demand, request: &'a Request, subject: &'a Subject) -> Asked<'a> {
    Asked {
        predicate_type: &demand.predicate_type,
        manifest: &subject.digests,
        media_type: &subject.descriptor.media_type,
        name: request.policy.name.as_ref(),
        annotations: if demand.attested { &NO_ANNOTATIONS } else { &request.policy.annotations },
        at: request.at,
    }
}

/// An attestation that is asked for beside the signature has none.
static NO_ANNOTATIONS: BTreeMap<String, String> = BTreeMap::new();

/// What becomes of what no key signed that may.
fn no_key(signers: &Signers) -> Outcome {
    match signers.gave_up() {
        true => Outcome::Unknown(Reason::Untried { checks: signers.checks() }),
        false => Outcome::Failed(Reason::NoKey),
    }
}

fn mismatched(said: Result<Vec<Said>, Mismatch>, keys: &[PublicKey]) -> Outcome {
    match said {
        Ok(_) => Outcome::Counted { keys: keys.to_vec() },
        Err(mismatch) => Outcome::Failed(Reason::Mismatch { keys: keys.to_vec(), mismatch: Box::new(mismatch) }),
    }
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
