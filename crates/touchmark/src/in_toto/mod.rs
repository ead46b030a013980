//! in-toto over files: the verification of [`touchmark_in_toto`] with links in a [folder](LinkFolder) and products that a [`Recorder`]
//! hashes. Nothing here decides anything, and nothing of a layout is run but the inspections that a caller [names](NamedInspections).
//!
//! ```
//! use touchmark::envelope::key::PublicKey;
//! use touchmark::envelope::threshold::KeySet;
//! use touchmark::in_toto::{self, Class, LinkFolder, Settings};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # std::env::set_current_dir("../../testdata/layouts")?;
//! let owner = PublicKey::from_pem(&std::fs::read("alice.pub")?)?;
//! # let layout = br#"{"signed": {}, "signatures": []}"#.to_vec();
//! let links = LinkFolder::open(".")?;
//! let now = touchmark::now()?;
//! match in_toto::verify(layout, &KeySet::new([owner]), Settings::default(), now, &links) {
//!     Ok(chain) => println!("verified, {} steps", chain.get().report.steps.len()),
//!     Err(rejected) => {
//!         assert_eq!(rejected.class(), Class::UntrustedMetadata);
//!         println!("{rejected}");
//!     }
//! }
//! # Ok(())
//! # }
//! ```

mod artifacts;
pub mod attached;
mod error;
mod exclude;
mod inspect;
#[cfg(feature = "sign")]
mod link;
mod links;
#[cfg(feature = "sign")]
mod sign;
#[cfg(feature = "sign")]
mod source;
#[cfg(feature = "sign")]
mod template;
#[cfg(feature = "sign")]
mod unfinished;
mod verify;

pub use touchmark_in_toto::lint;
pub use touchmark_in_toto::name::is_item_name;
pub use touchmark_in_toto::{
    Answer, Answered, Artifact, Artifacts, Class, Detail, DigestSet, Document, Error, Failure, FileReport, Found, Inheritance, Inspected,
    Inspection, ItemReport, Layout, Limits, Names, Parameters, Product, Reason, Refusal, Rejected, Report, Rule, RulesReport, Settings,
    Side, SupplyChain,
};
pub use touchmark_in_toto::{attestation, constraint, predicate};

pub use artifacts::{Excluded, LeftOut, MAX_EXCLUDED, MAX_FILES, Recorded, Recorder, SymbolicLinks};
pub use error::{RecordClass, RecordError};
pub use exclude::Exclusion;
pub use inspect::{DEFAULT_INSPECTION_TIMEOUT, NamedInspections, Told};
#[cfg(feature = "sign")]
pub use link::{Byproducts, link, link_file};
pub use links::{LinkFolder, Links};
#[cfg(feature = "sign")]
pub use sign::{Envelopes, SignDocumentError, SignedDocument, key_object, keyid, listed_key, sign};
#[cfg(feature = "sign")]
pub use source::LayoutFile;
#[cfg(feature = "sign")]
pub use template::template;
#[cfg(feature = "sign")]
pub use unfinished::{UnfinishedError, materials_of_unfinished, unfinished};
pub use verify::{Inspector, verify, verify_with};
