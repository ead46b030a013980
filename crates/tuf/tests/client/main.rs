//! The client against a repository in memory, clause by clause and attack by attack.
#![allow(clippy::as_conversions, reason = "sizes in tests are small")]

#[cfg(test)]
mod attack;
#[cfg(test)]
mod bins;
#[cfg(test)]
mod diamonds;
#[cfg(test)]
mod documents;
#[cfg(test)]
mod flips;
#[cfg(test)]
mod held;
#[cfg(test)]
mod index;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod machine;
#[cfg(test)]
mod past_faults;
#[cfg(test)]
mod patterns;
#[cfg(test)]
mod probes;
#[cfg(test)]
mod python;
#[cfg(test)]
mod root;
#[cfg(test)]
mod search;
#[cfg(test)]
mod shapes;
#[cfg(test)]
mod sigstore;
#[cfg(test)]
mod snapshot;
#[cfg(test)]
mod store;
#[cfg(test)]
mod targets;
#[cfg(test)]
mod timestamp;
