//! A verification by what is attached, which everybody may add to.
//!
//! All sets are first taken as one folder, so that functionaries may each attach their own links. In it, what is malformed or not signed
//! counts for nothing; but a valid link of an earlier release, which a stranger attached here too, contradicts the right one. So if that
//! does not hold, each set is taken by itself: one that has all links stands, whatever others attached.

use touchmark_envelope::threshold::KeySet;
use touchmark_envelope::{Digest, UnixTime, Verified};
use touchmark_in_toto::{Class, Rejected, Settings, SupplyChain};

use super::source::AttachedLinks;
use crate::in_toto::verify::{Inspector, verify_with};

/// So many sets are tried by themselves.
const MAX_ALONE: usize = 256;

/// Why what is attached does not verify.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AttachedRefusal {
    /// What was found with all sets as one folder.
    pub rejected: Rejected,
    /// What it comes to: among several sets, "could not find out" if that was so for any.
    pub class: Class,
    /// How many sets were tried by themselves after that.
    pub alone: usize,
}

/// Verifies the layout that `document` is by what is attached: all sets as one folder, or else any set by itself, whose digest is then
/// given.
///
/// # Errors
/// No set verifies, nor all of them.
pub fn verify_attached(
    document: &[u8],
    keys: &KeySet,
    settings: &Settings,
    at: UnixTime,
    links: &AttachedLinks<'_>,
    inspector: &dyn Inspector,
) -> Result<(Verified<SupplyChain>, Option<Digest>), Box<AttachedRefusal>> {
    let rejected = match verify_with(document.to_vec(), keys, settings.clone(), at, links, inspector) {
        Ok(chain) => return Ok((chain, None)),
        Err(rejected) => rejected,
    };
    let mut class = rejected.class();
    let mut alone = 0;
    // What is wrong with the layout no set mends.
    if matches!(class, Class::NotVerified | Class::Unknown) && links.sets().len() > 1 {
        for set in links.sets().iter().take(MAX_ALONE) {
            alone += 1;
            match verify_with(document.to_vec(), keys, settings.clone(), at, &links.alone(set), inspector) {
                Ok(chain) => return Ok((chain, Some(set.referrer))),
                Err(rejected) if rejected.class() == Class::Unknown => class = Class::Unknown,
                Err(_) => {}
            }
        }
        if links.sets().len() > MAX_ALONE || !links.is_complete() {
            class = Class::Unknown;
        }
    }
    Err(Box::new(AttachedRefusal { rejected, class, alone }))
}
