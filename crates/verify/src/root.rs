//! `--root` and `--policy`: who decides, where trust metadata comes from, and what a failure of either ends a command with.

use std::path::PathBuf;

use touchmark::UnixTime;
use touchmark::policy::{Decider, PolicyClass, PolicyError, PolicyFile, TrustAnchor, TrustSource, user_stores};
use touchmark::trust_root::{StoreChoice, TrustRootError, TrustSettings};
use touchmark::tuf::{Settings, UpdateClass, UpdateError};

use crate::check;
use crate::exit::Exit;
use crate::options::Wants;
use crate::output::Failure;

/// What is said where `--root` has no `--name`.
pub(crate) const NO_NAME: &str = "--root needs --name: a trust root says who owns which names";

/// What `--root`, `--trust`, `--store` and `--require-fresh` say, read once; or what `--policy` names, or else is configured. `None` if keys
/// were given.
///
/// # Errors
/// Exit 2: a file cannot be read, or is none; none of keys, root and policy is there.
pub(crate) fn decider(wants: &Wants, now: UnixTime) -> Result<Option<Decider>, Failure> {
    let decider = match (&wants.root, &wants.policy) {
        (Some(input), _) => {
            let root = check::read(input, "--root", Settings::default().limits.root)?;
            if wants.name.is_none() {
                return Err(Failure::usage(NO_NAME));
            }
            let mut settings = TrustSettings::new(store(wants.store.as_deref()));
            settings.at = wants.at;
            settings.require_fresh = wants.require_fresh;
            let place = wants.trust.as_deref().map(trust_source).transpose()?;
            Decider::by_root(TrustAnchor::new(root, place, settings, now), now)
        }
        (None, Some(path)) => Decider::by_file(PolicyFile::open(path)?, now),
        (None, None) if wants.keys.is_empty() => match PolicyFile::configured()? {
            Some(file) => {
                check_with_policy(wants)?;
                Decider::by_file(file, now)
            }
            None => return Err(no_judge()),
        },
        (None, None) => return Ok(None),
    };
    let decider = if wants.require_fresh { decider.require_fresh() } else { decider };
    Ok(Some(match wants.at {
        Some(at) => decider.at(at),
        None => decider,
    }))
}

/// What a policy file says, and options must not.
pub(crate) fn check_with_policy(wants: &Wants) -> Result<(), Failure> {
    if wants.threshold.is_some() {
        return Err(Failure::usage("--threshold needs --key: a policy says how many keys must sign"));
    }
    if wants.trust.is_some() || wants.store.is_some() {
        return Err(Failure::usage("--trust and --store need --root: a policy says where its trust roots' metadata is"));
    }
    Ok(())
}

/// Nobody says whom to trust.
fn no_judge() -> Failure {
    let hint = "--key PUB, with the public key of whoever should have signed it; --root ROOT --name NAME; --policy FILE; or a policy in \
                $TOUCHMARK_POLICY, ~/.config/touchmark/policy.json or /etc/touchmark/policy.json";
    Failure::usage("no key to verify by, no trust root and no policy").hint(hint)
}

/// Reads `--trust`.
///
/// # Errors
/// Exit 2: it is neither a folder, nor a URL, nor a reference.
pub fn trust_source(text: &str) -> Result<TrustSource, Failure> {
    TrustSource::read(text).map_err(|error| {
        let mut failure = Failure::from(error);
        failure.message = format!("--trust {}", failure.message);
        failure
    })
}

/// Reads `--store`, or finds the user's stores.
fn store(text: Option<&str>) -> StoreChoice {
    match text {
        Some("none") => StoreChoice::Nowhere,
        Some(folder) => StoreChoice::At(PathBuf::from(folder)),
        None => user_stores().map_or(StoreChoice::Nowhere, StoreChoice::Among),
    }
}

/// What the failure of a trust root ends a command with.
pub fn failure(error: &TrustRootError) -> Failure {
    match error {
        TrustRootError::Update(update) => Failure::from(update),
        _ => Failure::new(Exit::from(error.class()), error.code(), error.to_string()),
    }
}

impl From<PolicyClass> for Exit {
    fn from(class: PolicyClass) -> Self {
        match class {
            PolicyClass::Usage => Self::Usage,
            PolicyClass::Refused(class) => Self::from(class),
        }
    }
}

impl From<&PolicyError> for Failure {
    fn from(error: &PolicyError) -> Self {
        let mut failure = Self::new(Exit::from(error.class()), error.code(), error.to_string());
        failure.hint = error.hint();
        failure.retryable = error.is_retryable();
        failure
    }
}

impl From<PolicyError> for Failure {
    fn from(error: PolicyError) -> Self {
        Self::from(&error)
    }
}

impl From<UpdateClass> for Exit {
    fn from(class: UpdateClass) -> Self {
        match class {
            UpdateClass::Usage => Self::Usage,
            UpdateClass::Untrusted => Self::UntrustedMetadata,
            UpdateClass::WrongContent => Self::Malformed,
            _ => Self::Unknown,
        }
    }
}

impl From<&UpdateError> for Failure {
    fn from(error: &UpdateError) -> Self {
        let mut failure = Self::new(Exit::from(error.class()), error.code(), error.to_string());
        failure.hint = error.hint();
        failure.retryable = error.is_retryable();
        failure
    }
}
