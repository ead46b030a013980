//! in-toto's reference implementation, at the version of `tests/peers/python/requirements.txt`, beside this one.
//!
//! Without it a test says what it needs and passes; with TOUCHMARK_PEERS_REQUIRED=1, as in CI, it fails.

#[cfg(test)]
mod attestations;
#[cfg(test)]
#[allow(dead_code, reason = "these tests use a part of it")]
#[path = "../verification/chain.rs"]
mod chain;
#[cfg(test)]
mod chains;
#[cfg(test)]
mod globs;
#[cfg(test)]
mod python;
#[cfg(test)]
mod rules;
