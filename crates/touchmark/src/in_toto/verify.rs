//! The driver of a verification: it fetches what is asked for, and decides nothing.

use touchmark_envelope::threshold::KeySet;
use touchmark_envelope::{UnixTime, Verified};
use touchmark_in_toto::{Answer, Inspection, Need, Rejected, Settings, SupplyChain, Verification};

use super::links::Links;

/// Who answers inspections that neither a signed link nor the final product answers, where a caller wants that.
pub trait Inspector {
    /// What came of this inspection, which is one of the layout itself. [`Answer::Absent`] leaves it unanswered.
    fn inspect(&self, inspection: &Inspection) -> Answer;
}

/// Runs nothing.
struct Nobody;

impl Inspector for Nobody {
    fn inspect(&self, _: &Inspection) -> Answer {
        Answer::Absent
    }
}

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
    verify_with(document, keys, settings, at, links, &Nobody)
}

/// As [`verify`], but inspections of the layout itself that nobody answers are answered by `inspector`. Those of sublayouts are not:
/// whoever may do one step would run what they like here.
///
/// # Errors
/// The same.
pub fn verify_with(
    document: Vec<u8>,
    keys: &KeySet,
    settings: Settings,
    at: UnixTime,
    links: &dyn Links,
    inspector: &dyn Inspector,
) -> Result<Verified<SupplyChain>, Rejected> {
    let mut verification = Verification::new(document, keys, settings, at);
    while let Some(need) = verification.need() {
        let answer = match need {
            Need::File { path, limit } => links.read(path, *limit),
            Need::Inspection { folder, inspection } if folder.is_empty() => inspector.inspect(inspection),
            Need::Names { folder, step, limit } => links.names(folder, step, *limit),
            // Whoever runs its command runs what a stranger wrote.
            _ => Answer::Absent,
        };
        verification.answer(answer);
    }
    verification.finish()
}
