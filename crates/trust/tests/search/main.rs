//! The search over a source in memory.
#![allow(clippy::as_conversions, reason = "sizes in tests are small")]

#[cfg(test)]
mod attacker;
#[cfg(test)]
mod attacks;
#[cfg(test)]
mod bounds;
#[cfg(test)]
#[cfg(feature = "supply-chain")]
mod chain;
#[cfg(test)]
mod demands;
mod lists;
#[cfg(test)]
mod model;
#[cfg(test)]
mod shelf;
#[cfg(test)]
mod standing;
#[cfg(test)]
#[cfg(feature = "supply-chain")]
mod supply_chain;
#[cfg(test)]
mod world;
