//! The driver of a verification: it fetches what is asked for, and decides nothing.

use touchmark_envelope::threshold::KeySet;
use touchmark_envelope::{UnixTime, Verified};
use touchmark_in_toto::{Answer, Need, Rejected, Settings, SupplyChain, Verification};

use super::links::Links;

/// Verifies the layout that `document` is, which every one of `keys` must have signed, against `links`, at the time `at`.
///
/// Nothing is run: an inspection that neither a signed link nor [`Settings::product`] answers is not verified.
///
/// # Errors
/// All the reasons why it is not verified.
pub fn verify(
    document: Vec<u8>,
    keys: &KeySet,
    settings: Settings,
    at: UnixTime,
    links: &dyn Links,
) -> Result<Verified<SupplyChain>, Rejected> {
    let mut verification = Verification::new(document, keys, settings, at);
    while let Some(need) = verification.need() {
        let answer = match need {
            Need::File { path, limit } => links.read(path, *limit),
            // Whoever runs its command runs what a stranger wrote.
            _ => Answer::Absent,
        };
        verification.answer(answer);
    }
    verification.finish()
}
