use alloc::vec::Vec;

use touchmark_envelope::manifest::Platform;
use touchmark_envelope::{Digest, UnixTime};

use crate::{Limits, Policy};

/// What is to be decided.
#[derive(Clone, Debug)]
pub struct Request {
    pub(crate) policy: Policy,
    pub(crate) artifact: Digest,
    pub(crate) scope: Scope,
    pub(crate) envelopes: Option<Vec<Vec<u8>>>,
    pub(crate) limits: Limits,
    pub(crate) deep: bool,
    pub(crate) at: UnixTime,
}

/// Which manifest's signatures decide.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scope {
    /// The artifact's own.
    Itself,
    /// Those of this index, which must list the artifact.
    CoveredBy(Digest),
    /// The artifact is an index: its own, for the one image that it lists for this platform.
    Platform(Platform),
}

impl Request {
    /// Asks whether `policy` accepts the manifest with this digest at the time `at`; where trust metadata decides, no earlier than it was
    /// [verified](crate::Standing::at).
    pub fn new(policy: Policy, artifact: Digest, at: UnixTime) -> Self {
        Self { policy, artifact, scope: Scope::Itself, envelopes: None, limits: Limits::default(), deep: false, at }
    }

    /// Lets another manifest's signatures decide.
    #[must_use]
    pub fn scope(mut self, scope: Scope) -> Self {
        self.scope = scope;
        self
    }

    /// Takes these envelopes as the only evidence; no referrers are asked for.
    #[must_use]
    pub fn envelopes(mut self, envelopes: Vec<Vec<u8>>) -> Self {
        self.envelopes = Some(envelopes);
        self
    }

    /// Sets other limits.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Also has every manifest and blob below the artifact hashed.
    #[must_use]
    pub fn deep(mut self) -> Self {
        self.deep = true;
        self
    }
}
