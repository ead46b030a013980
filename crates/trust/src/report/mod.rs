//! What a decision comes to, as a value and as JSON.

#[cfg(feature = "supply-chain")]
use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use touchmark_envelope::json::{Object, Value};
use touchmark_envelope::key::PublicKey;
use touchmark_envelope::manifest::Descriptor;
use touchmark_envelope::name::Wanted;
use touchmark_envelope::signature::Said;
use touchmark_envelope::{Digest, UnixTime};
#[cfg(feature = "supply-chain")]
use touchmark_in_toto::{Detail, SupplyChain};

use crate::candidate::{Candidate, key_ids};
use crate::standing::Standing;

mod accepted_by;
mod fault;
mod rejected;

pub use accepted_by::{AcceptedBy, AcceptedKind};
pub use fault::{Class, Fault};
pub use rejected::Rejected;
pub(crate) use rejected::reasons;

/// An artifact that a policy accepts, and how it came to. Only a [`Search`](crate::Search) makes one.
#[derive(Clone, Debug)]
pub struct Artifact {
    pub(crate) descriptor: Descriptor,
    pub(crate) covered_by: Option<Descriptor>,
    pub(crate) accepted: Vec<Accepted>,
    pub(crate) wanted: Option<Wanted>,
    pub(crate) needed: usize,
    pub(crate) at: UnixTime,
    pub(crate) hashed: Option<usize>,
    pub(crate) candidates: Vec<Candidate>,
    pub(crate) accepted_by: AcceptedBy,
    pub(crate) standing: Option<Standing>,
    #[cfg(feature = "supply-chain")]
    pub(crate) supply_chain: Option<Box<SupplyChain>>,
}

impl Artifact {
    /// The manifest: its media type, digest, size and artifact type, all from the bytes.
    pub fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    /// The signed index whose signatures decided, from its bytes, where the artifact's own did not.
    pub fn covered_by(&self) -> Option<&Descriptor> {
        self.covered_by.as_ref()
    }

    /// What was said and counted; the keys of all are at least as many as needed for each predicate type.
    pub fn accepted(&self) -> &[Accepted] {
        &self.accepted
    }

    /// The name that was asked for; `None` if the name was not checked.
    pub fn wanted(&self) -> Option<&Wanted> {
        self.wanted.as_ref()
    }

    /// How many keys were needed.
    pub fn needed(&self) -> usize {
        self.needed
    }

    /// By what it was accepted.
    pub fn accepted_by(&self) -> &AcceptedBy {
        &self.accepted_by
    }

    /// What trust metadata said of the name, if it decided.
    pub fn standing(&self) -> Option<&Standing> {
        self.standing.as_ref()
    }

    /// The supply chain that the policy wanted to hold, with what was found of each step.
    #[cfg(feature = "supply-chain")]
    pub fn supply_chain(&self) -> Option<&SupplyChain> {
        self.supply_chain.as_deref()
    }

    /// The time of the verification.
    pub fn at(&self) -> UnixTime {
        self.at
    }

    /// How many manifests and blobs below the artifact a deep verification hashed; `None` if it was not deep.
    pub fn hashed(&self) -> Option<usize> {
        self.hashed
    }

    /// All the evidence that was looked at, up to the point where it sufficed.
    pub fn candidates(&self) -> &[Candidate] {
        &self.candidates
    }

    /// The artifact as JSON; the members are those of SPEC.md, "JSON output".
    pub fn to_json(&self) -> Object<'static> {
        let mut object = Object::new();
        object.insert("digest", Value::from(self.descriptor.digest.to_string()));
        object.insert("media_type", Value::from(self.descriptor.media_type.clone()));
        object.insert("size", Value::from(self.descriptor.size));
        object.insert("covered_by", self.covered_by.as_ref().map_or(Value::Null, |by| Value::from(by.digest.to_string())));
        object.insert("accepted_by", Value::from(self.accepted_by.code()));
        object.insert("rollback_protected", Value::from(self.accepted_by.is_rollback_protected()));
        if let Some(role) = self.accepted_by.role() {
            object.insert("role", Value::from(role.to_string()));
        }
        if let Some(standing) = &self.standing {
            object.insert("metadata", standing.to_json());
        }
        object.insert("name_checked", Value::from(self.wanted.is_some()));
        object.insert("threshold", Value::from(u64::try_from(self.needed).unwrap_or(u64::MAX)));
        object.insert("at", Value::from(self.at.to_string()));
        if let Some(hashed) = self.hashed {
            object.insert("hashed", Value::from(u64::try_from(hashed).unwrap_or(u64::MAX)));
        }
        object.insert("statements", Value::from(self.accepted.iter().map(Accepted::to_json).collect::<Vec<_>>()));
        object.insert("candidates", Value::from(self.candidates.iter().map(Candidate::to_json).collect::<Vec<_>>()));
        #[cfg(feature = "supply-chain")]
        if let Some(chain) = &self.supply_chain {
            object.insert("supply_chain", chain.report.to_json(Detail::Rules));
        }
        object
    }
}

/// A statement that counted, and for a key that no earlier one had counted for.
#[derive(Clone, Debug)]
pub struct Accepted {
    pub(crate) referrer: Option<Digest>,
    pub(crate) keys: Vec<PublicKey>,
    pub(crate) said: Said,
    pub(crate) statement: Vec<u8>,
}

impl Accepted {
    /// The referrer's manifest; `None` for an envelope that the caller gave.
    pub fn referrer(&self) -> Option<&Digest> {
        self.referrer.as_ref()
    }

    /// The keys that signed it.
    pub fn keys(&self) -> &[PublicKey] {
        &self.keys
    }

    /// What it says.
    pub fn said(&self) -> &Said {
        &self.said
    }

    /// The statement itself, as it was signed.
    pub fn statement(&self) -> &[u8] {
        &self.statement
    }

    /// The statement as JSON: `{predicate_type, name, claimed_issued, expires, annotations, keys, referrer}`.
    pub fn to_json(&self) -> Value<'static> {
        let text = |value: Option<String>| value.map_or(Value::Null, Value::from);
        Value::object([
            ("predicate_type", Value::from(self.said.predicate_type.clone())),
            ("name", text(self.said.name.as_ref().map(ToString::to_string))),
            ("claimed_issued", text(self.said.issued.map(|time| time.to_string()))),
            ("expires", text(self.said.expires.map(|time| time.to_string()))),
            ("annotations", Value::from(Object::from_map(&self.said.annotations))),
            ("keys", key_ids(&self.keys)),
            ("referrer", text(self.referrer.map(|digest| digest.to_string()))),
        ])
    }
}
