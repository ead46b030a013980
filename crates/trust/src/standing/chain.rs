//! Who may accept an artifact by envelope, and which roles may seal: those of a chain of terminating delegations (SPEC.md, "The decision").

use alloc::collections::BTreeSet;
use alloc::string::{String, ToString};

use touchmark_envelope::key::KeyAlgorithm;
use touchmark_envelope::threshold::KeySet;
use touchmark_tuf::metadata::{Paths, Targets};
use touchmark_tuf::{RoleName, TargetPath};

use super::{StandingError, lost};

/// The roles from the top-level targets down, each the first that its delegator names for the target.
#[derive(Clone, Debug)]
pub(crate) struct Chain {
    /// How many of the roles that a search visits are of it: they are the first ones, in their order. None if a delegation of it is not
    /// terminating, since then another role may vouch for the target too.
    pub(crate) length: usize,
    /// Who accepts by envelope, or why nobody does.
    pub(crate) accepts: Result<Signers, NoSigners>,
}

/// The role whose keys accept by envelope.
#[derive(Clone, Debug)]
pub(crate) struct Signers {
    pub(crate) role: RoleName,
    pub(crate) keys: KeySet,
    pub(crate) threshold: u64,
}

/// Why no role accepts by envelope.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoSigners {
    /// No delegation is for the name, and the top-level role's keys never accept by envelope.
    #[error("no publisher owns the name")]
    NoPublisher,
    /// A delegation of the chain is not terminating.
    #[error("the delegation to {role} is not terminating, so that others may vouch for the name too")]
    NotTerminating {
        /// The role.
        role: String,
    },
    /// An entry of a role above ended the search, so that the others were not looked at.
    #[error("the search ended with the entry of {role}")]
    Listed {
        /// The role.
        role: String,
    },
    /// The delegator allows the role entries only.
    #[error("{delegator} does not let {role} accept by envelope, but by entries only")]
    EntriesOnly {
        /// The role.
        role: String,
        /// Its delegator.
        delegator: String,
    },
}

/// A role of the chain, and what its member says.
pub(crate) struct Link<'a> {
    pub(crate) name: &'a RoleName,
    pub(crate) role: &'a Targets,
    pub(crate) envelopes: &'a BTreeSet<String>,
}

/// Follows the chain for `target` through the roles that a search for it has visited, the last of which is `lister` if it found an entry.
pub(crate) fn follow<'a>(
    target: &TargetPath,
    lister: Option<&RoleName>,
    visited: impl Fn(&RoleName) -> Option<Link<'a>>,
) -> Result<Chain, StandingError> {
    let mut delegators = BTreeSet::new();
    let mut at = RoleName::targets();
    let mut accepts = Err(NoSigners::NoPublisher);
    let mut length = 0;
    loop {
        let link = match (visited(&at), lister) {
            (Some(link), _) => link,
            (None, Some(lister)) => {
                accepts = Err(NoSigners::Listed { role: lister.as_str().into() });
                break;
            }
            (None, None) => return Err(lost(at.as_str())),
        };
        length += 1;
        if !delegators.insert(at.clone()) {
            return Err(StandingError::DelegatedTwice { role: at.as_str().into() });
        }
        // Succinct bins are none of `roles`, and end the chain here.
        let Some(delegations) = link.role.delegations() else { break };
        let Some(next) = delegations.roles.iter().find(|delegation| delegation.covers(target)) else { break };
        if matches!(next.paths, Paths::HashPrefixes(_)) {
            break;
        }
        let role = next.name.clone();
        if !next.terminating {
            return Ok(Chain { length: 0, accepts: Err(NoSigners::NotTerminating { role: role.as_str().into() }) });
        }
        accepts = if link.envelopes.contains(role.as_str()) {
            // RSA keys are for metadata alone.
            let keys = delegations.keys_of(&next.keys);
            let keys = KeySet::new(keys.keys().iter().filter(|key| KeyAlgorithm::SIGNING.contains(&key.algorithm())).cloned());
            Ok(Signers { role: role.clone(), keys, threshold: next.keys.threshold })
        } else {
            Err(NoSigners::EntriesOnly { role: role.as_str().into(), delegator: link.name.as_str().to_string() })
        };
        at = role;
    }
    Ok(Chain { length, accepts })
}
