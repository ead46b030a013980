//! Hash bins: 2^n roles that share the targets of one by the hash of their paths.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::keys::Appointment;
use super::{EditError, NewDelegation};
use crate::metadata::Paths;

/// The largest exponent that is offered: each bin is a file.
const MAX_BITS: u32 = 16;

/// Asserts that there may be 2^`bits` bins.
pub(super) fn check_bits(bits: u32) -> Result<(), EditError> {
    if (1..=MAX_BITS).contains(&bits) { Ok(()) } else { Err(EditError::Bins { least: 1, most: MAX_BITS, found: bits }) }
}

/// 2^`bits` delegations by `path_hash_prefixes` (TUF 1.0, 4.5), which together take every path. They are named `PREFIX-` and the number
/// of the bin, in as many hexadecimal digits as the last one has, as succinct bins are (TAP 15).
///
/// # Errors
/// More or fewer bins than are offered.
pub fn hash_bins(name_prefix: &str, bits: u32, signers: &Appointment) -> Result<Vec<NewDelegation>, EditError> {
    check_bits(bits)?;
    let digits = bits.div_ceil(4);
    // How many prefixes of so many digits a bin takes.
    let share = 1_u32 << (4 * digits - bits);
    let width = usize::try_from(digits).unwrap_or_default();
    let bins = 0..1_u32 << bits;
    Ok(bins
        .map(|bin| {
            let first = bin * share;
            let prefixes: Vec<String> = (first..first + share).map(|prefix| format!("{prefix:0width$x}")).collect();
            NewDelegation {
                name: format!("{name_prefix}-{bin:0width$x}"),
                signers: signers.clone(),
                paths: Paths::HashPrefixes(prefixes),
                terminating: false,
            }
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeSet;

    #[test]
    fn every_prefix_belongs_to_one_bin() {
        let signers = Appointment { keys: Vec::new(), threshold: 1 };
        for bits in 1..=9 {
            let bins = hash_bins("b", bits, &signers).unwrap();
            assert_eq!(bins.len(), 1 << bits);
            let mut all = BTreeSet::new();
            for bin in &bins {
                let Paths::HashPrefixes(prefixes) = &bin.paths else { panic!("patterns") };
                for prefix in prefixes {
                    assert!(all.insert(prefix.clone()), "{prefix} twice");
                }
            }
            assert_eq!(all.len(), 16_usize.pow(bits.div_ceil(4)));
        }
        let names: Vec<String> = hash_bins("b", 5, &signers).unwrap().into_iter().map(|bin| bin.name).collect();
        assert_eq!((names[0].as_str(), names[31].as_str()), ("b-00", "b-1f"));
        assert!(hash_bins("b", 0, &signers).is_err() && hash_bins("b", 17, &signers).is_err());
    }
}
