//! Which role lists a target: the one that is named, or one of its hash bins. A search for it must come there.

use std::collections::{BTreeMap, BTreeSet};

use touchmark_tuf::metadata::{Delegation, Paths, SuccinctRoles};
use touchmark_tuf::repository as edit;
use touchmark_tuf::{Limits, TargetPath};

use super::RepositoryError;
use super::bins::bins_of;
use super::state::{Family, Seat, State};

/// Where targets that are given to one role go.
pub(super) enum Router {
    /// To one role.
    One(String),
    /// To the bin of a succinct delegation.
    Succinct(SuccinctRoles),
    /// To the bin that takes their prefix: names by prefixes, and how long these are.
    Prefixes { bins: BTreeMap<String, String>, lengths: BTreeSet<usize> },
}

/// How a search ends.
enum End {
    /// At the role that it is to come to.
    There,
    /// At another one that lists the target.
    Listed(String),
    /// Nowhere yet when a client gives up.
    TooFar,
    /// Nowhere; after a terminating delegation to this role, if there was one.
    Nowhere(Option<String>),
}

impl Router {
    /// To the role `name`, or to the hash bins of this prefix.
    pub(super) fn new(state: &mut State, name: &str) -> Result<Self, RepositoryError> {
        let no_role = || RepositoryError::NoSuchRole { role: name.to_owned() };
        match state.seat(name) {
            Ok(Seat::Root(_)) if name != "targets" => Err(RepositoryError::NotEdited { role: name.to_owned() }),
            Ok(Seat::Root(_) | Seat::Delegated { prefix: false, .. }) => Ok(Self::One(name.to_owned())),
            Ok(Seat::Delegated { by, prefix: true }) => {
                let family = state.family(&by)?;
                family.and_then(|family| family.delegations.succinct.clone()).map(Self::Succinct).ok_or_else(no_role)
            }
            Err(RepositoryError::NoSuchRole { .. }) => {
                let found = state.first_delegator(|family| !bins_of(&family.delegations, name).is_empty())?;
                let (_, family) = found.ok_or_else(no_role)?;
                let bins = bins(&family, name);
                let lengths = bins.iter().map(|(prefix, _)| prefix.len()).collect();
                Ok(Self::Prefixes { bins: bins.into_iter().collect(), lengths })
            }
            Err(error) => Err(error),
        }
    }

    /// The role that lists this target.
    pub(super) fn role(&self, state: &mut State, path: &TargetPath) -> Result<String, RepositoryError> {
        let not_delegated = |role: &str| RepositoryError::NotDelegated { path: path.as_str().to_owned(), role: role.to_owned() };
        let role = match self {
            Self::One(name) => name.clone(),
            Self::Succinct(bins) => bins.bin(path).as_str().to_owned(),
            Self::Prefixes { bins, lengths } => {
                let hash = path.hash().hex();
                let found = lengths.iter().find_map(|length| bins.get(hash.get(..*length)?));
                found.cloned().ok_or_else(|| not_delegated("any bin"))?
            }
        };
        let shadowed =
            |by: String, lists: bool| RepositoryError::Shadowed { path: path.as_str().to_owned(), role: role.clone(), by, lists };
        match search(state, &role, path, true)? {
            End::There => Ok(role),
            End::TooFar => Err(RepositoryError::TooFar { path: path.as_str().to_owned(), role, limit: Limits::default().roles }),
            End::Listed(by) => Err(shadowed(by, true)),
            // Would it have come there without the one that is terminating?
            End::Nowhere(Some(by)) if !matches!(search(state, &role, path, false)?, End::Nowhere(_)) => Err(shadowed(by, false)),
            End::Nowhere(_) => Err(not_delegated(&role)),
        }
    }
}

/// The bins by hash prefixes of this name, each with a prefix that it takes.
fn bins(family: &Family, name: &str) -> Vec<(String, String)> {
    let prefixes = |role: &Delegation| match &role.paths {
        Paths::HashPrefixes(prefixes) => prefixes.clone(),
        _ => Vec::new(),
    };
    let bins = bins_of(&family.delegations, name).into_iter();
    bins.flat_map(|role| prefixes(role).into_iter().map(|prefix| (prefix, role.name.as_str().to_owned()))).collect()
}

/// A client's search for `path` (TUF 1.0, 5.6.7) in what is there once everything is published, until it comes to `goal`.
fn search(state: &mut State, goal: &str, path: &TargetPath, terminates: bool) -> Result<End, RepositoryError> {
    let mut ahead = vec!["targets".to_owned()];
    let (mut seen, mut ended) = (BTreeSet::new(), None);
    let limit = usize::try_from(Limits::default().roles).unwrap_or(usize::MAX);
    while let Some(name) = ahead.pop() {
        if seen.len() >= limit && !seen.contains(&name) {
            return Ok(End::TooFar);
        }
        if name == goal {
            return Ok(End::There);
        }
        if !seen.insert(name.clone()) {
            continue;
        }
        if let Some(document) = state.current(&name)?
            && edit::lists_target(document, path)?
        {
            return Ok(End::Listed(name));
        }
        let Some(family) = state.family(&name)? else { continue };
        let (children, terminating) = family.covering(path);
        if let (Some(last), true, true) = (children.last(), terminating, terminates) {
            ahead.clear();
            ended = Some(last.clone());
        }
        let taken = if terminates { children } else { family.all_covering(path) };
        ahead.extend(taken.into_iter().rev());
    }
    Ok(End::Nowhere(ended))
}
