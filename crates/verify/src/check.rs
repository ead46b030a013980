//! From what was asked on a command line to the library's answer. `verify`, `unpack` and `copy --verify` all ask here.

use std::collections::BTreeMap;
use std::io::Read;

use touchmark::envelope::key::{MAX_KEY_BYTES, PublicKey};
use touchmark::envelope::manifest::Platform;
use touchmark::envelope::threshold::KeySet;
use touchmark::oci::access::Access;
use touchmark::oci::error::{Class as StoreClass, Error as StoreError};
use touchmark::oci::source::Source;
use touchmark::trust::{Failure as Unfetched, Fault, Limits};
use touchmark::{Artifact, Class, Digest, Policy, Reference, Rejected, Request, Scope, UnixTime, Verified};

use crate::exit::Exit;
use crate::options::{Caps, Input, Wants};
use crate::output::{Failure, Object};
use crate::root::{Alternatives, RootJudge};

/// What to verify by, read and checked once for any number of artifacts.
#[derive(Debug)]
pub struct Check {
    judge: Judge,
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
    Keys(Policy),
    /// This trust root.
    Root(Box<RootJudge>),
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
        let judge = match RootJudge::new(wants, at)? {
            Some(root) => Judge::Root(Box::new(root)),
            None => Judge::Keys(policy_of_keys(wants, &mut notes)?),
        };
        let limits = limits(&wants.caps);
        let envelopes = envelopes(&wants.envelopes, &limits)?;
        let (deep, check_tag) = (wants.deep, wants.check_tag);
        Ok(Self { judge, limits, place: place(wants)?, envelopes, deep, check_tag, at, notes })
    }

    /// What to tell the user before the answers.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The keys that decide, if they do and not a trust root.
    pub fn keys(&self) -> Option<&KeySet> {
        match &self.judge {
            Judge::Keys(policy) => Some(policy.key_set()),
            Judge::Root(_) => None,
        }
    }

    /// Reaches the place of a trust root's metadata so.
    #[must_use]
    pub fn reaching(mut self, access: &Access) -> Self {
        if let Judge::Root(root) = &mut self.judge {
            root.reach(access);
        }
        self
    }

    /// What to tell the user of the trust root's metadata, once artifacts were looked at.
    pub fn trust_notes(&self) -> Vec<String> {
        match &self.judge {
            Judge::Keys(_) => Vec::new(),
            Judge::Root(root) => root.notes(),
        }
    }

    /// Verifies the artifact that `reference` names.
    ///
    /// # Errors
    /// Why not, with all that was looked at.
    pub fn verify_in(&self, source: &dyn Source, reference: &Reference) -> Result<Checked, Refused> {
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
        let decide = |policy: Policy| {
            let mut request = Request::new(policy, digest, self.at).scope(scope.clone()).limits(self.limits);
            if let Some(envelopes) = &self.envelopes {
                request = request.envelopes(envelopes.clone());
            }
            if self.deep {
                request = request.deep();
            }
            match touchmark::decide(source, request) {
                Ok(artifact) => Ok(Checked { pin: reference.pin(artifact.get().descriptor().digest), artifact }),
                Err(rejected) => Err(refused(&rejected)),
            }
        };
        let root = match &self.judge {
            Judge::Keys(policy) => return decide(policy.clone()),
            Judge::Root(root) => root,
        };
        let subject = match &scope {
            Scope::CoveredBy(index) => *index,
            _ => digest,
        };
        let Alternatives { policies, otherwise } = root.policies(source, &subject)?;
        let mut worst = otherwise.map(Refused::from);
        for policy in policies {
            match decide(policy) {
                Ok(checked) => return Ok(checked),
                Err(refused) => {
                    let before = worst.as_ref().map(|worst| worst.failure.exit);
                    if before.is_none_or(|before| before.or(refused.failure.exit) != before) {
                        worst = Some(refused);
                    }
                }
            }
        }
        Err(worst.unwrap_or_else(|| Failure::new(Exit::Unknown, "unknown", "nothing was decided").into()))
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
