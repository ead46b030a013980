//! Which role lists a target: the one that is named, or one of its hash bins.

use std::collections::{BTreeMap, BTreeSet};

use touchmark_tuf::TargetPath;
use touchmark_tuf::metadata::{Delegations, Paths, SuccinctRoles};

use super::RepositoryError;
use super::bins::bins_of;
use super::state::{Seat, State, children};

/// Where targets that are given to one role go.
pub(super) struct Router {
    goal: Goal,
    /// What a search has to follow to come there: each delegator's delegations and the role that it delegates to.
    way: Vec<(Delegations, String)>,
}

enum Goal {
    One(String),
    Succinct(SuccinctRoles),
    /// Names of bins by the prefix that they take, and how long prefixes are.
    Prefixes {
        bins: BTreeMap<String, String>,
        lengths: BTreeSet<usize>,
    },
}

impl Router {
    /// To the role `name`, or to the bins whose names begin with it and a hyphen.
    pub(super) fn new(state: &mut State, name: &str) -> Result<Self, RepositoryError> {
        let (goal, delegator) = match state.seat(name) {
            Ok(Seat::Root(_)) if name == "targets" => (Goal::One(name.to_owned()), None),
            Ok(Seat::Root(_)) => return Err(RepositoryError::NotEdited { role: name.to_owned() }),
            Ok(Seat::Delegated { by, prefix: true }) => {
                let succinct = state.delegations(&by)?.and_then(|delegations| delegations.succinct);
                (Goal::Succinct(succinct.ok_or_else(|| RepositoryError::NoSuchRole { role: name.to_owned() })?), Some(by))
            }
            Ok(Seat::Delegated { by, prefix: false }) => (Goal::One(name.to_owned()), Some(by)),
            Err(RepositoryError::NoSuchRole { role }) => match prefixes(state, name)? {
                Some((goal, by)) => (goal, Some(by)),
                None => return Err(RepositoryError::NoSuchRole { role }),
            },
            Err(error) => return Err(error),
        };
        let mut way = Vec::new();
        if let (Goal::One(_), Some(by)) = (&goal, &delegator)
            && let Some(delegations) = state.delegations(by)?
        {
            way.push((delegations, name.to_owned()));
        }
        let mut role = delegator.unwrap_or_else(|| "targets".to_owned());
        // A role is no deeper than there are roles; a cycle ends.
        let mut seen = BTreeSet::new();
        while role != "targets" && seen.insert(role.clone()) {
            let Seat::Delegated { by, .. } = state.seat(&role)? else { break };
            if let Some(delegations) = state.delegations(&by)? {
                way.push((delegations, role));
            }
            role = by;
        }
        Ok(Self { goal, way })
    }

    /// The role that lists this target. A search for it must come there.
    pub(super) fn role(&self, path: &TargetPath) -> Result<String, RepositoryError> {
        for (delegations, role) in &self.way {
            if !covers(delegations, role, path) {
                return Err(RepositoryError::NotDelegated { path: path.as_str().to_owned(), role: role.clone() });
            }
        }
        match &self.goal {
            Goal::One(name) => Ok(name.clone()),
            Goal::Succinct(bins) => Ok(bins.bin(path).as_str().to_owned()),
            Goal::Prefixes { bins, lengths } => {
                let hash = path.hash().hex();
                let found = lengths.iter().find_map(|length| bins.get(hash.get(..*length)?));
                found.cloned().ok_or_else(|| RepositoryError::NotDelegated { path: path.as_str().to_owned(), role: "any bin".to_owned() })
            }
        }
    }
}

/// The hash bins of the prefix `name`, and their delegator.
fn prefixes(state: &mut State, name: &str) -> Result<Option<(Goal, String)>, RepositoryError> {
    let mut ahead = std::collections::VecDeque::from(["targets".to_owned()]);
    let mut seen: BTreeSet<String> = ahead.iter().cloned().collect();
    while let Some(by) = ahead.pop_front() {
        let Some(delegations) = state.delegations(&by)? else { continue };
        let (mut bins, mut lengths) = (BTreeMap::new(), BTreeSet::new());
        for role in bins_of(&delegations, name) {
            if let Paths::HashPrefixes(prefixes) = &role.paths {
                lengths.extend(prefixes.iter().map(String::len));
                bins.extend(prefixes.iter().map(|prefix| (prefix.clone(), role.name.as_str().to_owned())));
            }
        }
        if !bins.is_empty() {
            return Ok(Some((Goal::Prefixes { bins, lengths }, by)));
        }
        ahead.extend(children(&delegations).into_iter().map(|(child, _)| child).filter(|child| seen.insert(child.clone())));
    }
    Ok(None)
}

fn covers(delegations: &Delegations, role: &str, path: &TargetPath) -> bool {
    let in_bin = delegations.succinct.as_ref().is_some_and(|bins| bins.bin(path).as_str() == role);
    in_bin || delegations.roles.iter().any(|delegation| delegation.name.as_str() == role && delegation.covers(path))
}
