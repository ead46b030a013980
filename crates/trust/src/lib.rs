//! The trust decision for OCI artifacts, without I/O: [`Search`] says what it needs next, is given it or told why not, and
//! ends in [`Verified<Artifact>`](touchmark_envelope::Verified) or in every reason why not (SPEC.md, "The search and its outcome").
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod attested;
mod candidate;
mod demand;
mod limits;
mod need;
mod policy;
mod queue;
mod report;
mod request;
pub mod rules;
mod search;
pub mod standing;
#[cfg(feature = "supply-chain")]
mod supply_chain;

pub use attested::Attested;
pub use candidate::{Candidate, Outcome, Reason};
pub use limits::Limits;
pub use need::{Answer, Failure, Need, Step};
pub use policy::Policy;
pub use report::{Accepted, AcceptedBy, AcceptedKind, Artifact, Class, Fault, Rejected};
pub use request::{Request, Scope};
pub use search::Search;
pub use standing::{Standing, StandingError};
#[cfg(feature = "supply-chain")]
pub use supply_chain::SupplyChainDemand;
/// What layouts, links and constraints are made of.
pub use touchmark_in_toto as in_toto;

/// What a supply chain that holds comes to.
#[cfg(feature = "supply-chain")]
pub use touchmark_in_toto::SupplyChain;
