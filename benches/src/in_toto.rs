//! An in-toto layout, verified once: what it takes is what is measured.

use touchmark::envelope::key::PublicKey;
use touchmark::envelope::threshold::KeySet;
use touchmark::in_toto::{self, LinkFolder, Settings};

use crate::Failure;

/// Verifies a layout by a key, with the links of a folder.
pub(crate) fn verify(layout: &str, key: &str, links: &str) -> Result<(), Failure> {
    let keys = KeySet::new([PublicKey::from_pem(&std::fs::read(key)?)?]);
    let links = LinkFolder::open(links)?;
    let chain = in_toto::verify(std::fs::read(layout)?, &keys, Settings::default(), touchmark::now()?, &links);
    let steps = chain.map_err(|rejected| rejected.to_string())?.into_inner().report.steps.len();
    println!("verified, {steps} steps");
    Ok(())
}
