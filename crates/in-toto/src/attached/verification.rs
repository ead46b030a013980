//! A verification by what is attached, which everybody may add to, as a state machine.
//!
//! All sets are first taken as one folder, so that functionaries may each attach their own links. In it, what is malformed or not signed
//! counts for nothing; but a valid link of an earlier release, which a stranger attached here too, contradicts the right one. So if that
//! does not hold, each set is taken by itself: one that has all links stands, whatever others attached.

use alloc::vec::Vec;

use touchmark_envelope::threshold::KeySet;
use touchmark_envelope::{Digest, UnixTime, Verified};

use super::files::{Lookup, Sets};
use crate::layout::Inspection;
use crate::settings::Settings;
use crate::verification::{Answer, Class, Failure, Need, Rejected, SupplyChain, Verification};

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

/// What it needs next.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AttachedNeed {
    /// The bytes of a file of a set.
    File {
        /// Its digest.
        digest: Digest,
        /// The size that its set lists it with: more need not be read.
        size: u64,
    },
    /// The outcome of an inspection of the layout itself that neither a signed link nor the final product answers. Whoever runs its command
    /// runs what the layout's author wrote; [`Answer::Absent`] leaves it unanswered. Those of sublayouts are never asked for: whoever may
    /// do one step would say what is run.
    Inspection {
        /// What is to be run.
        inspection: Inspection,
    },
}

/// The verification of a layout by attached sets: all of them as one folder, or else any of them by itself.
///
/// As with [`Verification`], the caller loops: [`need`](Self::need), [`answer`](Self::answer), and [`finish`](Self::finish).
#[derive(Debug)]
pub struct AttachedVerification {
    document: Vec<u8>,
    keys: KeySet,
    settings: Settings,
    at: UnixTime,
    sets: Sets,
    turn: Turn,
    /// The verification of this turn, until it is through.
    verification: Option<Verification>,
    lookup: Option<Lookup>,
    /// What all sets as one folder came to.
    together: Option<Rejected>,
    class: Class,
    outcome: Option<(Verified<SupplyChain>, Option<Digest>)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    Together,
    Alone(usize),
}

impl AttachedVerification {
    /// Begins to verify the layout that `document` is, which every one of `keys` must have signed, by `sets`.
    pub fn new(document: Vec<u8>, keys: KeySet, settings: Settings, at: UnixTime, sets: Sets) -> Self {
        let verification = Some(Verification::new(document.clone(), &keys, settings.clone(), at));
        let (turn, lookup, together, outcome) = (Turn::Together, None, None, None);
        Self { document, keys, settings, at, sets, turn, verification, lookup, together, class: Class::Unknown, outcome }
    }

    /// What is needed next: the same until it is answered, and nothing once all is decided.
    pub fn need(&mut self) -> Option<AttachedNeed> {
        loop {
            if let Some(lookup) = &mut self.lookup {
                if let Some((digest, size)) = self.sets.wanted(lookup) {
                    return Some(AttachedNeed::File { digest, size });
                }
                self.looked_up();
                continue;
            }
            let verification = self.verification.as_mut()?;
            let answer = match (verification.need(), self.turn) {
                (None, _) => {
                    self.conclude();
                    continue;
                }
                (Some(Need::File { path, limit }), turn) => {
                    self.lookup = Some(match turn {
                        Turn::Together => self.sets.together(path, *limit),
                        Turn::Alone(number) => self.sets.alone(number, path, *limit),
                    });
                    continue;
                }
                (Some(Need::Names { folder, step, limit }), Turn::Together) => self.sets.names(folder, step, *limit),
                (Some(Need::Names { folder, step, limit }), Turn::Alone(number)) => self.sets.names_alone(number, folder, step, *limit),
                (Some(Need::Inspection { folder, inspection }), _) if folder.is_empty() => {
                    return Some(AttachedNeed::Inspection { inspection: inspection.clone() });
                }
                // Whoever runs its command runs what a stranger wrote.
                (Some(Need::Inspection { .. }), _) => Answer::Absent,
            };
            verification.answer(answer);
        }
    }

    /// Takes what came of what [`need`](Self::need) needed: [`Answer::Bytes`] or [`Answer::Failed`] for a file, any of an inspection's answers
    /// for an inspection.
    pub fn answer(&mut self, answer: Answer) {
        match (&mut self.lookup, &mut self.verification) {
            (Some(lookup), _) => {
                let file = match answer {
                    Answer::Bytes(bytes) => Ok(bytes),
                    Answer::Failed(failure) => Err(failure),
                    _ => Err(Failure::WrongAnswer),
                };
                self.sets.give(lookup, file);
            }
            (None, Some(verification)) => {
                if let Some(Need::Inspection { .. }) = verification.need() {
                    verification.answer(answer);
                }
            }
            (None, None) => {}
        }
    }

    /// The files that will likely be needed after the one that is, with the sizes that sets list them with.
    pub fn ahead(&self) -> Vec<(Digest, u64)> {
        self.lookup.as_ref().map(|lookup| self.sets.ahead(lookup)).unwrap_or_default()
    }

    /// The outcome: the supply chain, and the set that verifies by itself where not all of them do together; and the sets, for whoever tries
    /// another layout.
    ///
    /// # Errors
    /// No set verifies, nor all of them; or the verification was not carried to its end.
    #[allow(clippy::type_complexity, reason = "it is what a verification says, and what is given back")]
    pub fn finish(mut self) -> (Result<(Verified<SupplyChain>, Option<Digest>), AttachedRefusal>, Sets) {
        if self.need().is_some()
            && let Some(verification) = self.verification.take()
            && let Err(rejected) = verification.finish()
        {
            self.class = Class::Unknown;
            self.together.get_or_insert(rejected);
        }
        let alone = match self.turn {
            Turn::Together => 0,
            Turn::Alone(number) => number.saturating_add(1),
        };
        let outcome = match (self.outcome, self.together) {
            (Some(outcome), _) => Ok(outcome),
            (None, Some(rejected)) => Err(AttachedRefusal { rejected, class: self.class, alone }),
            // Whatever ends has an outcome.
            (None, None) => Err(AttachedRefusal { rejected: Rejected::unfinished(), class: Class::Unknown, alone }),
        };
        (outcome, self.sets)
    }

    /// All that is under a path was had.
    fn looked_up(&mut self) {
        let (Some(lookup), Some(verification)) = (self.lookup.take(), &mut self.verification) else { return };
        verification.answer(match self.turn {
            Turn::Together => self.sets.answer(lookup),
            Turn::Alone(_) => match lookup.found().collect::<Vec<_>>() {
                found if found.is_empty() => Answer::Absent,
                found => Answer::Files(found),
            },
        });
    }

    /// A turn is through: it holds, or the next one begins.
    fn conclude(&mut self) {
        let Some(verification) = self.verification.take() else { return };
        let rejected = match (verification.finish(), self.turn) {
            (Ok(chain), Turn::Together) => return self.outcome = Some((chain, None)),
            (Ok(chain), Turn::Alone(number)) => {
                return self.outcome = Some((chain, self.sets.sets().get(number).map(|set| set.referrer)));
            }
            (Err(rejected), _) => rejected,
        };
        let next = match self.turn {
            Turn::Together => {
                self.class = rejected.class();
                let is_of_layout = !matches!(self.class, Class::NotVerified | Class::Unknown);
                self.together = Some(rejected);
                // What is wrong with the layout no set mends.
                if is_of_layout {
                    return;
                }
                // What else there may be might be all that is needed by itself.
                if !self.sets.is_complete() || self.sets.sets().len() > MAX_ALONE {
                    self.class = Class::Unknown;
                }
                if self.sets.sets().len() > 1 { 0 } else { return }
            }
            Turn::Alone(number) => {
                if rejected.class() == Class::Unknown {
                    self.class = Class::Unknown;
                }
                number.saturating_add(1)
            }
        };
        if next < self.sets.sets().len().min(MAX_ALONE) {
            self.turn = Turn::Alone(next);
            self.verification = Some(Verification::new(self.document.clone(), &self.keys, self.settings.clone(), self.at));
        }
    }
}
