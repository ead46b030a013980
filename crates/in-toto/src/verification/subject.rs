//! What a layout over attestations asks of the final product itself (ITE-10, "Role of Inspections").

use alloc::string::String;
use alloc::vec::Vec;

use crate::artifacts::Artifact;
use crate::attestation::Subject;
use crate::digest_index::DigestIndex;
use crate::error::shortened;
use crate::link::Link;
use crate::product::Product;
use crate::work::{OutOfWork, Work};

use super::item::Item;
use super::reason::Reason;
use super::report::ItemReport;

/// What is found of a subject.
pub(super) struct Found {
    pub(super) report: ItemReport,
    /// All reasons why it does not hold.
    pub(super) reasons: Vec<Reason>,
    /// The names of the artifacts that it is about.
    pub(super) about: Vec<String>,
}

/// What is found of a subject whose statements are in `item`.
///
/// Artifacts are matched by their digests, as the framework wants it of subjects (statement.md): whatever a builder calls an image, what it
/// built is the one with its digest.
pub(super) fn subject_of_product<'a>(
    item: Item,
    subject: &Subject,
    product: Option<&Product>,
    made: impl Fn(&str) -> Option<&'a Link>,
    work: &mut Work,
) -> Result<Found, OutOfWork> {
    let name = || subject.name.clone();
    let (mut about, mut nothing) = (Vec::new(), None);
    match product {
        None => nothing = Some(Reason::SubjectWithoutProduct { subject: name() }),
        Some(product) => {
            // Of an OCI artifact, statements are about its manifest.
            let is_offered = |artifact: &Artifact<'_>| product.manifest().is_none_or(|manifest| manifest == artifact.name);
            for artifact in product.artifacts().iter().filter(is_offered) {
                let mut is_matched = false;
                for pattern in &subject.patterns {
                    is_matched = is_matched || pattern.matches_within(artifact.name, work)?;
                }
                if is_matched {
                    about.push((artifact.name, artifact.digests));
                }
            }
            if about.is_empty() {
                nothing = Some(Reason::SubjectEmpty { subject: name() });
            }
        }
    }
    let (report, mut reasons) = item.conclude_subject(&about, work)?;
    if let Some(nothing) = nothing {
        // Without an artifact nothing was missed.
        return Ok(Found { report, reasons: alloc::vec![nothing], about: Vec::new() });
    }
    let steps: Vec<&Link> = subject.products_of.iter().filter_map(|step| made(step)).collect();
    // A step that does not hold is a reason already.
    if !subject.products_of.is_empty() && steps.len() == subject.products_of.len() {
        let mut products = DigestIndex::new();
        steps.iter().flat_map(|step| step.products.iter()).for_each(|product| products.add(product.digests, ()));
        let mut missing = Vec::new();
        for (artifact, digests) in &about {
            if !products.has(*digests, work)? {
                missing.push(*artifact);
            }
        }
        if let [first, others @ ..] = missing.as_slice() {
            let (artifact, steps) = (shortened(first, 256), subject.products_of.clone());
            reasons.push(Reason::SubjectUnproduced { subject: name(), artifact, more: others.len(), steps });
        }
    }
    Ok(Found { report, reasons, about: about.into_iter().map(|(name, _)| name.into()).collect() })
}
