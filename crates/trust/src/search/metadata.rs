//! What trust metadata decides without envelopes.

use alloc::boxed::Box;
use alloc::string::ToString;

use touchmark_envelope::digest::Digests;

use super::{Search, State};
use crate::demand::Demand;
use crate::report::{AcceptedBy, Class, Fault};
use crate::standing::{Decision, Found, Signers};

impl Search {
    /// Decides by trust metadata, if that is whom the policy trusts, as far as it does without envelopes. `child` are the digests of the
    /// image that the index covers.
    pub(super) fn ask_metadata(&mut self, child: Option<&Digests>) {
        let Some(standing) = self.request.policy.standing.clone() else { return self.begin_if_taken(AcceptedBy::Keys) };
        let Some(subject) = &self.subject else { return };
        let found = Found {
            digests: &subject.digests,
            media_type: &subject.descriptor.media_type,
            annotations: &self.request.policy.annotations,
            at: self.request.at,
        };
        let decision = standing.decide(found, subject.manifest.children(), child);
        match decision {
            Decision::Refused(class, fault) => self.state = State::Refused(class, *fault),
            Decision::Accepted(by) => {
                if let Err(fault) = self.taken(&by) {
                    self.state = State::Refused(Class::NotVerified, *fault);
                    return;
                }
                self.accepted_by = by;
                self.demands.retain(|demand| !demand.is_ground());
                // What else is asked for is attested to by those who may sign.
                match standing.signers() {
                    Ok(signers) => self.count_by(signers),
                    Err(why) if self.demands.iter().any(Demand::is_by_policy) => {
                        let fault = Fault::NoSigners { name: standing.name().clone(), why: why.clone() };
                        self.state = State::Refused(Class::NotVerified, fault);
                        return;
                    }
                    Err(_) => self.keys = Demand::all_keys(&self.demands),
                }
                match self.demands.is_empty() {
                    true => self.begin_supply_chain(),
                    false => self.begin_candidates(),
                }
            }
            Decision::Envelopes(signers) => {
                self.count_by(signers);
                self.begin_if_taken(AcceptedBy::Envelopes { role: signers.role.as_str().to_string() });
            }
        }
    }

    /// Looks for envelopes, if the policy takes what would accept the artifact then.
    fn begin_if_taken(&mut self, by: AcceptedBy) {
        match self.taken(&by) {
            Ok(()) => {
                self.accepted_by = by;
                self.begin_candidates();
            }
            Err(fault) => self.state = State::Refused(Class::NotVerified, *fault),
        }
    }

    /// Whether the policy takes an artifact that this accepts.
    fn taken(&self, by: &AcceptedBy) -> Result<(), Box<Fault>> {
        let policy = &self.request.policy;
        if let Some(wanted) = policy.kinds.as_deref().filter(|kinds| !kinds.contains(&by.kind())) {
            let (found, wanted) = (by.kind(), wanted.to_vec());
            return Err(Box::new(Fault::AcceptedBy { found, wanted }));
        }
        match &policy.role {
            Some(wanted) if by.role() != Some(&**wanted) => {
                Err(Box::new(Fault::OtherRole { found: by.role().map(ToString::to_string), wanted: wanted.to_string() }))
            }
            _ => Ok(()),
        }
    }

    /// Counts the keys of a role from now on. Where it has fewer than its threshold nothing is ever enough.
    pub(super) fn count_by(&mut self, signers: &Signers) {
        let policy = &mut self.request.policy;
        policy.keys = signers.keys.clone();
        policy.threshold = usize::try_from(signers.threshold).unwrap_or(usize::MAX);
        self.demands.iter_mut().for_each(|demand| demand.count_by(policy));
        self.keys = Demand::all_keys(&self.demands);
    }
}
