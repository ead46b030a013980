//! The driver of a verification by what is attached: it fetches what is asked for, and decides nothing.

use touchmark_envelope::threshold::KeySet;
use touchmark_envelope::{Digest, UnixTime, Verified};
use touchmark_in_toto::attached::{AttachedNeed, AttachedRefusal, AttachedVerification};
use touchmark_in_toto::{Answer, Settings, SupplyChain};

use super::source::AttachedLinks;
use crate::in_toto::verify::Inspector;

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
    let mut verification = AttachedVerification::new(document.to_vec(), keys.clone(), settings.clone(), at, links.lend());
    while let Some(need) = verification.need() {
        let answer = match need {
            AttachedNeed::File { digest, size } => links.fetch(&digest, size).map_or_else(Answer::Failed, Answer::Bytes),
            AttachedNeed::Inspection { inspection } => inspector.inspect(&inspection),
            _ => Answer::Absent,
        };
        verification.answer(answer);
    }
    let (outcome, sets) = verification.finish();
    links.give_back(sets);
    outcome.map_err(Box::new)
}
