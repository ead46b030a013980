//! From what was asked on a command line to the library's answer. `verify`, `unpack` and `copy --verify` all ask here.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use touchmark::envelope::key::{MAX_KEY_BYTES, PublicKey};
use touchmark::envelope::manifest::Platform;
use touchmark::envelope::threshold::KeySet;
use touchmark::oci::access::Access;
use touchmark::oci::error::{Class as StoreClass, Error as StoreError};
use touchmark::oci::source::Source;
use touchmark::policy::{Asked, Decided, DecidedBy, Decider, PolicyError, Refusal};
use touchmark::trust::{Failure as Unfetched, Fault, Limits};
use touchmark::{Artifact, Class, Digest, Policy, Reference, Rejected, Request, Scope, UnixTime, Verified};

use crate::exit::Exit;
use crate::options::{Caps, Input, Wants};
use crate::output::{Failure, Object};
use crate::root::decider;

/// What to verify by, read and checked once for any number of artifacts.
#[derive(Debug)]
pub struct Check {
    judge: Judge,
    wanted: Wanted,
    /// Whether the name leads to the artifact.
    resolve: bool,
    limits: Limits,
    place: Place,
    envelopes: Option<Vec<Vec<u8>>>,
    deep: bool,
    check_tag: bool,
    at: UnixTime,
    notes: Vec<String>,
}

/// Whom the caller trusts.
#[derive(Debug)]
enum Judge {
    /// These keys.
    Keys(Box<Policy>),
    /// A trust root, or a policy file.
    Decider(Box<Decider>),
}

/// What is asked of an artifact beside what a trust root or a policy says.
#[derive(Debug)]
struct Wanted {
    name: Option<touchmark::envelope::name::Wanted>,
    annotations: BTreeMap<String, String>,
    types: Vec<String>,
}

/// Whose signatures decide.
#[derive(Debug)]
enum Place {
    Itself,
    Platform(Platform),
    CoveredBy(Reference),
}

/// An artifact that was verified.
#[derive(Debug)]
pub struct Checked {
    /// Where it is, by digest.
    pub pin: Reference,
    /// What was verified.
    pub artifact: Verified<Artifact>,
    /// What was verified as the trust repository's own policy demanded.
    pub signed: Option<Verified<Artifact>>,
    /// By which policies.
    pub by: DecidedBy,
}

impl Checked {
    /// What JSON output says of it.
    pub fn members(&self) -> Object<'static> {
        let mut members = self.artifact.get().to_json();
        let by = self.by.to_json(self.signed.as_ref().map(Verified::get));
        by.iter().for_each(|(name, value)| members.insert(name.to_owned(), value.clone()));
        members
    }
}

/// An artifact that was not verified.
#[derive(Debug)]
pub struct Refused {
    /// Why, and the exit that follows.
    pub failure: Failure,
    /// What JSON output says beside the error.
    pub members: Object<'static>,
}

impl Check {
    /// Reads the keys and envelopes, and checks that the question can be answered with yes at all.
    ///
    /// # Errors
    /// Exit 2: options that contradict each other, a key that is none or not fit, a threshold above the number of keys.
    pub fn new(wants: &Wants) -> Result<Self, Failure> {
        wants.check().map_err(crate::options::usage)?;
        let at = match wants.at {
            Some(at) => at,
            None => touchmark::now().map_err(|error| Failure::new(Exit::Unknown, "clock", error.to_string()).hint("--at TIME"))?,
        };
        let mut notes = Vec::new();
        let judge = match decider(wants, at)? {
            Some(decider) => {
                notes.extend(decider.file().iter().flat_map(|file| file.notes().iter().map(|note| format!("warning: {note}"))));
                Judge::Decider(Box::new(decider))
            }
            None => Judge::Keys(Box::new(policy_of_keys(wants, &mut notes)?)),
        };
        let name = wants.name.clone().map(|name| if wants.any_version { name.any_version() } else { name });
        let owned = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
        let annotations = annotations(&wants.annotations)?.into_iter().map(owned).collect();
        let wanted = Wanted { name, annotations, types: wants.types.clone() };
        let limits = limits(&wants.caps);
        let envelopes = envelopes(&wants.envelopes, &limits)?;
        let (deep, check_tag) = (wants.deep, wants.check_tag);
        let resolve = wants.resolve;
        Ok(Self { judge, wanted, resolve, limits, place: place(wants)?, envelopes, deep, check_tag, at, notes })
    }

    /// What to tell the user before the answers.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The keys that decide, if they do and not a trust root.
    pub fn keys(&self) -> Option<&KeySet> {
        match &self.judge {
            Judge::Keys(policy) => Some(policy.key_set()),
            Judge::Decider(_) => None,
        }
    }

    /// Reaches the place of a trust root's metadata so.
    #[must_use]
    pub fn reaching(self, access: &Access) -> Self {
        let judge = match self.judge {
            Judge::Keys(policy) => Judge::Keys(policy),
            Judge::Decider(decider) => Judge::Decider(Box::new(decider.reaching(access))),
        };
        Self { judge, ..self }
    }

    /// What to tell the user of the trust root's metadata, once artifacts were looked at.
    pub fn trust_notes(&self) -> Vec<String> {
        match &self.judge {
            Judge::Keys(_) => Vec::new(),
            Judge::Decider(decider) => decider.notes().iter().map(ToString::to_string).collect(),
        }
    }

    /// The artifacts of `source` whose metadata a trust root was asked of.
    pub fn trust_beside(&self, source: &dyn Source) -> BTreeSet<Digest> {
        match &self.judge {
            Judge::Keys(_) => BTreeSet::new(),
            Judge::Decider(decider) => decider.trust_beside(source),
        }
    }

    /// Whether anything could be accepted at all as `reference`, which the user gave: before any place is asked.
    ///
    /// # Errors
    /// The policy has no rule for it, or what the rule names cannot be read.
    pub fn foresee(&self, reference: &Reference) -> Result<(), Refused> {
        match &self.judge {
            Judge::Keys(_) => Ok(()),
            Judge::Decider(decider) => decider.foresee(reference, self.wanted.name.as_ref()).map_err(|refusal| refused_by(&refusal)),
        }
    }

    /// Verifies the artifact that `reference`, as the user gave it, names.
    ///
    /// # Errors
    /// Why not, with all that was looked at.
    pub fn verify_in(&self, source: &dyn Source, reference: &Reference) -> Result<Checked, Refused> {
        self.verify_as(source, &self.reference(source, reference)?, reference)
    }

    /// As [`verify_in`](Self::verify_in), where the user gave another reference, which policies are asked by.
    ///
    /// # Errors
    /// As for `verify_in`.
    pub fn verify_as(&self, source: &dyn Source, reference: &Reference, given: &Reference) -> Result<Checked, Refused> {
        let digest = self.resolve(source, reference)?;
        let scope = match &self.place {
            Place::Itself => Scope::Itself,
            Place::Platform(platform) => Scope::Platform(platform.clone()),
            Place::CoveredBy(index) if index.place() == reference.place() => Scope::CoveredBy(self.resolve(source, index)?),
            Place::CoveredBy(index) => {
                let message = format!("--covered-by {index}: the index must be where the artifact is");
                return Err(Failure::usage(message).hint("copy the index there; its children and signatures go along").into());
            }
        };
        let pin = |artifact: &Verified<Artifact>| reference.pin(artifact.get().descriptor().digest);
        match &self.judge {
            Judge::Keys(policy) => {
                let mut request = Request::new(policy.as_ref().clone(), digest, self.at).scope(scope).limits(self.limits);
                if let Some(envelopes) = &self.envelopes {
                    request = request.envelopes(envelopes.clone());
                }
                if self.deep {
                    request = request.deep();
                }
                let artifact = touchmark::decide(source, request).map_err(|rejected| refused(&rejected))?;
                Ok(Checked { pin: pin(&artifact), artifact, signed: None, by: DecidedBy::default() })
            }
            Judge::Decider(decider) => {
                let mut asked = Asked::new(given, digest);
                asked.scope = scope;
                asked.name.clone_from(&self.wanted.name);
                asked.annotations.clone_from(&self.wanted.annotations);
                asked.types.clone_from(&self.wanted.types);
                asked.envelopes.clone_from(&self.envelopes);
                (asked.limits, asked.deep) = (self.limits, self.deep);
                let Decided { artifact, signed, by } = decider.decide(source, &asked).map_err(|refusal| refused_by(&refusal))?;
                Ok(Checked { pin: pin(&artifact), artifact, signed, by })
            }
        }
    }

    /// The reference itself; with `--resolve`, the pin of the artifact that the trust root lists under the name.
    ///
    /// # Errors
    /// It lists none, or cannot be asked; the reference has a tag or a digest.
    pub fn reference(&self, source: &dyn Source, reference: &Reference) -> Result<Reference, Refused> {
        if !self.resolve {
            return Ok(reference.clone());
        }
        if reference.tag().is_some() || reference.digest().is_some() {
            let message = format!("{reference}: --resolve takes the place alone; the name leads to the artifact");
            return Err(Failure::usage(message).hint(reference.place().to_string()).into());
        }
        let Judge::Decider(decider) = &self.judge else {
            return Err(Failure::usage("--resolve needs --root or --policy: keys list nothing").into());
        };
        let digest = decider.resolve(source, reference, self.wanted.name.as_ref()).map_err(|refusal| refused_by(&refusal))?;
        Ok(reference.pin(digest))
    }

    /// Whether the signatures of an index decide, which lies beside the artifact.
    pub fn is_by_index(&self) -> bool {
        matches!(self.place, Place::CoveredBy(_))
    }

    /// With `--check-tag`, sees to it that the tag of a reference that has both leads to its digest.
    ///
    /// # Errors
    /// It leads elsewhere, or nowhere.
    pub fn check_tag(&self, source: &dyn Source, reference: &Reference) -> Result<(), Failure> {
        let (true, Some(tag), Some(digest)) = (self.check_tag, reference.tag(), reference.digest()) else { return Ok(()) };
        let tagged = source.resolve(Some(tag), None).map_err(|error| Failure::from(&error))?.digest;
        if tagged != *digest {
            let message = format!("the tag {tag} leads to {tagged}, not to {digest}");
            return Err(Failure::new(Exit::NotVerified, "tag-moved", message).hint("without --check-tag the digest decides"));
        }
        Ok(())
    }

    fn resolve(&self, source: &dyn Source, reference: &Reference) -> Result<Digest, Failure> {
        let resolve = |tag, digest| source.resolve(tag, digest).map(|found| found.digest).map_err(|error| Failure::from(&error));
        let resolved = resolve(reference.tag(), reference.digest())?;
        // A pinned digest is the caller's, whatever the source says that it resolves to.
        let found = reference.digest().copied().unwrap_or(resolved);
        self.check_tag(source, reference)?;
        Ok(found)
    }
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        Self { failure, members: Object::new() }
    }
}

impl From<Class> for Exit {
    fn from(class: Class) -> Self {
        match class {
            Class::NotVerified => Self::NotVerified,
            Class::Unsigned => Self::Unsigned,
            Class::UntrustedMetadata => Self::UntrustedMetadata,
            Class::Malformed => Self::Malformed,
            // A kind of refusal that this version does not know is no answer.
            _ => Self::Unknown,
        }
    }
}

impl From<&StoreError> for Failure {
    fn from(error: &StoreError) -> Self {
        let exit = match error.class() {
            StoreClass::Usage => Exit::Usage,
            StoreClass::WrongDigest | StoreClass::Malformed => Exit::Malformed,
            _ => Exit::Unknown,
        };
        let mut failure = Self::new(exit, error.code(), error.to_string());
        failure.hint = error.hint();
        failure.retryable = error.class() == StoreClass::Unavailable;
        failure
    }
}

fn refused(rejected: &Rejected) -> Refused {
    let exit = Exit::from(rejected.class());
    let mut failure = Failure::new(exit, rejected.fault().code(), rejected.to_string());
    let cause = rejected.fault().cause();
    failure.hint = match cause {
        Some(Unfetched::Denied { hint, .. }) => hint.clone(),
        _ => hint(rejected.fault()).map(str::to_owned),
    };
    failure.retryable = exit == Exit::Unknown && cause.is_some_and(Unfetched::is_retryable);
    Refused { failure, members: rejected.to_json() }
}

/// As [`refused`], by a trust root or a policy.
fn refused_by(refusal: &Refusal) -> Refused {
    let mut refused = match refusal.error.as_ref() {
        PolicyError::Rejected { rejected, .. } => refused(rejected),
        error => Refused::from(Failure::from(error)),
    };
    refused.failure.message = refusal.error.to_string();
    let by = refusal.by.to_json(None);
    by.iter().for_each(|(name, value)| refused.members.insert(name.to_owned(), value.clone()));
    refused
}

/// The policy of `--key` and `--threshold`, with what to tell the user of it.
fn policy_of_keys(wants: &Wants, notes: &mut Vec<String>) -> Result<Policy, Failure> {
    let keys = wants.keys.iter().map(read_key).collect::<Result<Vec<_>, _>>()?;
    let mut policy = Policy::keys(keys).map_err(|error| Failure::usage(error.to_string()))?;
    let distinct = policy.key_set().len();
    if let Some(threshold) = wants.threshold {
        policy = policy.threshold(threshold).map_err(|error| Failure::new(Exit::Usage, "threshold", error.to_string()))?;
    }
    if let Some(name) = &wants.name {
        let name = name.clone();
        policy = policy.name(if wants.any_version { name.any_version() } else { name });
    }
    for (key, value) in annotations(&wants.annotations)? {
        policy = policy.annotation(key, value);
    }
    for predicate_type in &wants.types {
        policy = policy.predicate_type(predicate_type);
    }
    if distinct < wants.keys.len() {
        notes.push(format!("{} keys were given, {distinct} of them distinct", wants.keys.len()));
    }
    if wants.threshold.is_none() && distinct > 1 {
        notes.push(format!("1 of {distinct} keys suffices; --threshold asks for more"));
    }
    Ok(policy)
}

fn hint(fault: &Fault) -> Option<&'static str> {
    match fault {
        Fault::Unsigned { .. } => {
            Some("`touchmark tree REF` shows what is attached; a copy by another tool may have left signatures behind")
        }
        Fault::Threshold { .. } => Some("`touchmark tree REF --key KEY` shows each signature, and why it does not count"),
        Fault::NoPlatform { .. } | Fault::ManyForPlatform { .. } => Some("name the child by its digest with --covered-by INDEX"),
        Fault::NoIndex { .. } => Some("--platform and --covered-by need an index, which lists other manifests"),
        Fault::NotCovered { .. } => Some("a signature of the artifact itself would be found without --covered-by"),
        _ => None,
    }
}

pub(crate) fn annotations(given: &[(String, String)]) -> Result<BTreeMap<&str, &str>, Failure> {
    let mut annotations = BTreeMap::new();
    for (key, value) in given {
        if annotations.insert(key.as_str(), value.as_str()).is_some_and(|before| before != value) {
            return Err(Failure::usage(format!("--annotation {key} is given with two values, and no signature has both")));
        }
    }
    Ok(annotations)
}

fn place(wants: &Wants) -> Result<Place, Failure> {
    Ok(match (&wants.platform, &wants.covered_by) {
        (None, None) => Place::Itself,
        (Some(platform), _) => {
            Place::Platform(platform.parse().map_err(|error| Failure::usage(format!("--platform {platform}: {error}")))?)
        }
        (None, Some(index)) => Place::CoveredBy(index.parse().map_err(|error| Failure::usage(format!("--covered-by {index}: {error}")))?),
    })
}

fn envelopes(inputs: &[Input], limits: &Limits) -> Result<Option<Vec<Vec<u8>>>, Failure> {
    if inputs.is_empty() {
        return Ok(None);
    }
    let limit = limits.attestation.max(limits.signature);
    inputs.iter().map(|input| read(input, "--envelope", limit)).collect::<Result<_, _>>().map(Some)
}

fn limits(caps: &Caps) -> Limits {
    let mut limits = Limits::default();
    let Caps { referrers, signatures, manifest_size, envelope_size, list_size, contents, reported, work } = *caps;
    limits.referrers = referrers.unwrap_or(limits.referrers);
    limits.signatures = signatures.unwrap_or(limits.signatures);
    limits.manifest = manifest_size.unwrap_or(limits.manifest);
    limits.signature = envelope_size.unwrap_or(limits.signature);
    limits.attestation = envelope_size.unwrap_or(limits.attestation);
    limits.referrers_bytes = list_size.unwrap_or(limits.referrers_bytes);
    limits.contents = contents.unwrap_or(limits.contents);
    limits.reported = reported.unwrap_or(limits.reported);
    limits.work = work.unwrap_or(limits.work);
    limits
}

fn read_key(input: &Input) -> Result<PublicKey, Failure> {
    let limit = u64::try_from(MAX_KEY_BYTES).unwrap_or(u64::MAX);
    let bytes = read(input, "--key", limit)?;
    PublicKey::read(&bytes).map_err(|error| Failure::new(Exit::Usage, error.code(), format!("--key {input}: {error}")).hint(error.hint()))
}

/// Reads what the user named, up to one byte more than `limit`, so that its reader sees that it is too large.
pub(crate) fn read(input: &Input, option: &str, limit: u64) -> Result<Vec<u8>, Failure> {
    let failed = |error: std::io::Error| Failure::new(Exit::Usage, "unreadable", format!("{option} {input}: {error}"));
    let mut bytes = Vec::new();
    let limit = limit.saturating_add(1);
    match input {
        Input::Stdin => std::io::stdin().lock().take(limit).read_to_end(&mut bytes).map_err(failed)?,
        Input::File(path) => std::fs::File::open(path).map_err(failed)?.take(limit).read_to_end(&mut bytes).map_err(failed)?,
        Input::Environment(name) => {
            let value = std::env::var(name).map_err(|error| Failure::usage(format!("{option} {input}: {error}")))?;
            bytes = value.into_bytes();
            bytes.len()
        }
    };
    Ok(bytes)
}
