//! Hash bins by `path_hash_prefixes`, told from roles that only have such names.

use touchmark_tuf::metadata::{Delegation, Delegations, Paths};
use touchmark_tuf::repository::{self as edit, Appointment};

/// Bins are 2 to this power at most.
const MAX_BITS: u32 = 16;

/// The bins that one delegation to `2^N` of this prefix has made: all of them are there, each with its name and its share of the hashes. A
/// role of a similar name that was delegated to by itself is none.
pub(super) fn bins_of<'a>(delegations: &'a Delegations, prefix: &str) -> Vec<&'a Delegation> {
    let begins = |role: &&Delegation| role.name.as_str().strip_prefix(prefix).is_some_and(|rest| rest.starts_with('-'));
    let mut named: Vec<&Delegation> = delegations.roles.iter().filter(begins).collect();
    named.sort_by_key(|role| role.name.as_str());
    let nobody = Appointment { keys: Vec::new(), threshold: 1 };
    for bits in (1..=MAX_BITS).rev().filter(|bits| 1_usize << bits <= named.len()) {
        let Ok(made) = edit::hash_bins(prefix, bits, &nobody) else { continue };
        let find = |made: &edit::NewDelegation| {
            let place = named.binary_search_by(|role| role.name.as_str().cmp(&made.name)).ok()?;
            named.get(place).copied().filter(|role| is(&role.paths, &made.paths))
        };
        if let Some(bins) = made.iter().map(find).collect() {
            return bins;
        }
    }
    Vec::new()
}

fn is(found: &Paths, made: &Paths) -> bool {
    matches!((found, made), (Paths::HashPrefixes(found), Paths::HashPrefixes(made)) if found == made)
}
