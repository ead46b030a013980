//! in-toto (specification 1.0): who did which step of a supply chain, and whether what they report fits together.
//!
//! - [`Verification`] is the workflow of section 5.2 as a state machine: it says which file it needs next and how many bytes at most, is
//!   given it or told why not, and ends in a verified [`SupplyChain`] or in a [`Rejected`] with all the reasons.
//! - [`attached`] is links as referrers of an OCI artifact, and a verification by all that anybody attached.
//! - [`Document`], [`Layout`] and [`Link`] are the metadata (section 4), in both of its envelopes.
//! - [`Rule`] and [`engine`] are the artifact rules (section 4.3.3), [`glob`] is their patterns.
//! - [`attestation`] is layouts over attestations (ITE-10, ITE-11), which the same workflow verifies: [`predicate`] reads what statements
//!   say, and [`constraint`] says what that must be.
//!
//! Nothing here runs a command. An inspection is a need that the caller may answer, and one that nobody answers is not verified.
//!
//! ```
//! use touchmark_envelope::threshold::KeySet;
//! use touchmark_in_toto::{Answer, Class, Need, Settings, UnixTime, Verification};
//!
//! let now = UnixTime::from_seconds(1_800_000_000).ok_or("a time")?;
//! let layout = br#"{"signed": {}, "signatures": []}"#.to_vec();
//! let keys = KeySet::new([touchmark_envelope::key::PublicKey::from_pem(
//!     b"-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC KEY-----\n",
//! )?]);
//! let mut verification = Verification::new(layout, &keys, Settings::default(), now);
//! while let Some(need) = verification.need() {
//!     let answer = match need {
//!         // A driver reads at most `limit` bytes of `path` in the folder of the links.
//!         Need::File { .. } => Answer::Absent,
//!         // The files of those who sign by a certificate, whose names nobody knows before.
//!         Need::Names { .. } => Answer::Absent,
//!         // Whoever runs this runs what a stranger wrote.
//!         Need::Inspection { .. } => Answer::Absent,
//!         _ => Answer::Absent,
//!     };
//!     verification.answer(answer);
//! }
//! let rejected = verification.finish().map(|_| ()).unwrap_err();
//! assert_eq!(rejected.class(), Class::UntrustedMetadata);
//! assert_eq!(rejected.report.reasons[0].code(), "in-toto-layout-signature");
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod artifacts;
pub mod attached;
pub mod attestation;
mod certificates;
pub mod constraint;
mod digest_index;
mod digest_set;
mod document;
pub mod engine;
mod error;
pub mod glob;
mod key;
mod layout;
mod limits;
mod link;
pub mod lint;
pub mod name;
mod parameters;
pub mod predicate;
mod product;
mod queue;
mod rule;
mod settings;
mod verification;
mod work;

pub use artifacts::{Artifact, Artifacts, Digests};
pub use certificates::{
    Allowed, Authorities, CertConstraint, Certified, MAX_AUTHORITIES, MAX_CERT_CONSTRAINTS, MAX_CERTIFICATE, MAX_CERTIFICATES, Uncertified,
};
pub use digest_set::DigestSet;
pub use document::{Document, Kind as DocumentKind};
pub use error::{Error, RuleFault};
pub use key::{Keys, Unusable};
pub use layout::{Inspection, Layout, Step};
pub use limits::{Limits, MAX_AUTHORISATIONS, MAX_ITEMS, MAX_KEYS, MAX_VALUES};
pub use link::{Link, Origin, PREDICATE_TYPE};
pub use parameters::Parameters;
pub use product::Product;
pub use rule::{Kind as RuleKind, Match, Rule, Side};
pub use settings::{Inheritance, Settings};
pub use touchmark_envelope::UnixTime;
pub use verification::{
    Answer, Answered, Class, Detail, Failure, FileReport, Found, Inspected, ItemReport, Names, Need, PredicateReport, Reason, Refusal,
    Rejected, Report, RulesReport, SupplyChain, Verification, Warning,
};
