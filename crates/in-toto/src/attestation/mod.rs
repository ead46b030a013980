//! Layouts over attestations (after ITE-10 and ITE-11): which predicates a step must have, by whom, and what they must say.
//!
//! Such a layout is a [`Layout`](crate::Layout) like any other, of the form [`LayoutForm::Attestations`]: the steps have rules, which the
//! one engine applies, and beside them predicates that are expected. It is signed in a DSSE envelope. The drafts leave its members, its
//! type and its signature open; SPEC.md, "Layouts over attestations", says what is taken.

mod evidence;
mod read;

use alloc::string::String;
use alloc::vec::Vec;

use crate::constraint::Constraint;
use crate::glob::Pattern;

pub(crate) use evidence::{Evidence, predicate_type};
pub(crate) use read::layout;

/// The `_type` of a layout over attestations. No reader of layouts of in-toto 1.0, or of statements, takes it for one.
pub const LAYOUT_TYPE: &str = "urn:touchmark:in-toto:attestation-layout:v1";

/// Statements of a bundle, and statements that the caller offers.
pub const MAX_STATEMENTS: usize = 4096;

/// What the ends of names of files are in which a step's statements are looked for (envelope.md and bundle.md, "File naming convention").
pub(crate) const SUFFIXES: [&str; 3] = ["json", "link", "intoto.jsonl"];

/// Whether a file of this name is a bundle: an envelope a line (bundle.md).
pub(crate) fn is_bundle(name: &str) -> bool {
    name.ends_with(".jsonl")
}

/// What vouches for the steps of a layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LayoutForm {
    /// Links (in-toto 1.0).
    Links,
    /// Statements with the predicates that each step expects.
    Attestations,
}

/// A predicate that must be there of a step, or of a subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpectedPredicate {
    /// Its type. A step or a subject expects no other of this type.
    pub predicate_type: String,
    /// Who may vouch for it: names, or keyids, of the layout's keys.
    pub functionaries: Vec<String>,
    /// How many distinct keys must, each with a statement that alone is all that is asked: at least 1.
    pub threshold: u64,
    /// What the predicate must be.
    pub constraints: Vec<Constraint>,
}

/// What must be said of the final product (ITE-10, "Role of Inspections", the second kind).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// Its name, which no step, no inspection and no other subject of the layout has.
    pub name: String,
    /// The artifacts of the final product that it is about: those that one of these matches.
    pub patterns: Vec<Pattern>,
    /// If there are any: each of the artifacts must, by its digests, be a product of one of these steps.
    pub products_of: Vec<String>,
    /// What must be said of each of the artifacts.
    pub predicates: Vec<ExpectedPredicate>,
}

/// What a caller has of statements, wherever they are from, beside those in files of a step's name: an envelope, or if its name ends with
/// `.jsonl` a bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offered {
    /// What it is called in a report.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}
