//! The policy document: which artifacts are accepted on whose word, as JSON (SPEC.md, "Policy").
//!
//! A document is a list of rules. The first that is for what was asked decides, and where none is, the answer is no. Nothing here reads a
//! file: a rule names keys, roots and in-toto layouts as [`Material`], which the caller gets.
//!
//! ```
//! use touchmark_trust::rules::{NormalReference, Origin, PolicyDocument, Question};
//!
//! let document = PolicyDocument::parse(br#"{
//!     "version": 1,
//!     "rules": [
//!         {"reference": "registry.prod.example/acme/(*):(*)", "name": "acme/$1:$2", "keys": ["a.pub", "b.pub"], "threshold": 2}
//!     ]
//! }"#, Origin::Local)?;
//! let reference = NormalReference::new("registry.prod.example/acme/net-monitor:1.2.0")?;
//! let matched = document.decide(&Question { reference: Some(&reference), name: None })?.ok_or("no rule is for it")?;
//! assert_eq!(matched.expected.map(|name| name.to_string()).as_deref(), Some("acme/net-monitor:1.2.0"));
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```

mod check;
mod decide;
mod document;
mod error;
mod glob;
mod host;
mod material;
mod pattern;
mod read;
mod rule;
mod template;
mod write;

pub use check::{Finding, Weakness};
pub use decide::{Matched, NormalReference, Question};
pub use document::{MAX_BYTES, MAX_PATTERNS, MAX_RULES, MAX_TRUST, Origin, PolicyDocument, SELF, SIGNED_TARGET, TrustPlace, VERSION};
pub use error::{RuleError, RuleFault};
pub use material::{MAX_PATH, Material, TARGETS};
pub use pattern::{MAX_PATTERN, NamePattern, PatternFault, ReferencePattern};
pub use rule::{Children, Ground, LayoutRule, MAX_LISTED, PredicateRule, Rule, Selector};
pub use template::{Template, TemplateFault};
