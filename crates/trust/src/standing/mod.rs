//! What trust metadata says of one name (design level 2), whichever artifact it will be held against.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

use touchmark_envelope::digest::Digests;
use touchmark_envelope::json::Value;
use touchmark_envelope::manifest::Descriptor;
use touchmark_envelope::{Digest, Name, UnixTime, Verified};
use touchmark_tuf::metadata::{Header, Targets, TopLevel};
use touchmark_tuf::{Client, RoleName, TargetPath};

mod chain;
mod claim;
mod known;
mod member;
mod versions;

pub use chain::NoSigners;
pub(crate) use chain::Signers;
use chain::{Chain, Link};
pub(crate) use claim::Found;
pub use claim::{Claim, Details, Unmet};
pub use known::Members;
pub use member::{MEMBER, Malformed, RoleMember, VERSION};
pub use versions::versions;

use crate::report::{AcceptedBy, Class, Fault};

/// What the roles that a TUF search for a name visits say of it: what they revoke, list and seal, and whose envelopes count.
///
/// It comes from verified metadata, holds for every artifact, and is good until the first of its documents expires; a clone shares it.
///
/// ```
/// # use touchmark_envelope::{Digest, Name, UnixTime};
/// # use touchmark_trust::{Policy, Request, Standing, StandingError};
/// # fn decide(client: &mut touchmark_tuf::Client, name: Name, digest: Digest, now: UnixTime) -> Result<(), Box<dyn std::error::Error>> {
/// // The client has updated its metadata, and is driven through its search here.
/// client.look_up(&(&name).into())?;
/// let standing = Standing::of(client, &name)?;
/// let request = Request::new(Policy::trust(standing), digest, now);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Standing(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    name: Name,
    /// The time that the metadata was judged by.
    at: UnixTime,
    /// Root, timestamp and snapshot.
    top: Vec<Document>,
    /// The roles that the search visited, in their order.
    roles: Vec<Role>,
    /// What the last of them lists under the name.
    entry: Option<Claim>,
    chain: Chain,
    /// The keys of the roles.
    verified: Verified<()>,
}

/// A document that the outcome rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Its role.
    pub role: String,
    /// Its version.
    pub version: u64,
    /// When it expires.
    pub expires: UnixTime,
}

#[derive(Debug)]
struct Role {
    document: Document,
    revoked: Arc<BTreeMap<Digest, String>>,
    seals: Vec<Claim>,
}

/// Why nothing is known of a name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StandingError {
    /// The client did not search for this name, or its search has no outcome.
    #[error("the metadata was not searched for {name}")]
    NotSearched {
        /// The name.
        name: String,
    },
    /// A document that the search rests on is not held.
    #[error("the metadata of {role} is not held")]
    NotLoaded {
        /// The role.
        role: String,
    },
    /// What is ours in a role's document is malformed.
    #[error("{role}: {malformed}")]
    Malformed {
        /// The role.
        role: String,
        /// What is.
        malformed: Malformed,
    },
    /// A role is delegated to by two others, so that it is not said whose it is.
    #[error("the role {role} is delegated to twice")]
    DelegatedTwice {
        /// The role.
        role: String,
    },
}

impl StandingError {
    /// A stable word for it.
    pub fn code(&self) -> &'static str {
        match self {
            StandingError::NotSearched { .. } | StandingError::NotLoaded { .. } => "trust-not-searched",
            StandingError::Malformed { .. } => "trust-malformed",
            StandingError::DelegatedTwice { .. } => "trust-delegated-twice",
        }
    }

    /// The kind of refusal that follows.
    pub fn class(&self) -> Class {
        match self {
            StandingError::NotSearched { .. } | StandingError::NotLoaded { .. } => Class::Unknown,
            StandingError::Malformed { .. } | StandingError::DelegatedTwice { .. } => Class::UntrustedMetadata,
        }
    }
}

/// What a standing says of an artifact.
pub(crate) enum Decision<'a> {
    Accepted(AcceptedBy),
    /// Those may accept it by envelope.
    Envelopes(&'a Signers),
    Refused(Class, Box<Fault>),
}

impl Standing {
    /// Takes the outcome of the client's search for the name.
    ///
    /// # Errors
    /// The client was not driven through a search for this name to its end; what is ours in the metadata is malformed; or a role is
    /// delegated to by two others.
    pub fn of(client: &mut Client, name: &Name) -> Result<Self, StandingError> {
        Self::among(&mut Members::default(), client, name)
    }

    /// As [`of`](Self::of), for who asks for many names: what is ours in the roles is read once.
    ///
    /// # Errors
    /// The same.
    pub fn among(known: &mut Members, client: &mut Client, name: &Name) -> Result<Self, StandingError> {
        let target = TargetPath::from(name);
        let not_searched = || StandingError::NotSearched { name: name.to_string() };
        let outcome = client.found().filter(|outcome| outcome.target == target).ok_or_else(not_searched)?;
        let client = &*client;
        known.keep_of(client);
        let mut verified: Option<Verified<()>> = None;
        let mut members = BTreeMap::new();
        let mut roles = Vec::new();
        for visited in &outcome.visited {
            let role = client.role(visited).ok_or_else(|| lost(visited.as_str()))?;
            let here = role.clone().map(|_| ());
            verified = Some(match verified {
                None => here,
                Some(before) => before.join(here, |(), ()| ()),
            });
            let malformed = |malformed| StandingError::Malformed { role: visited.as_str().into(), malformed };
            let ours = known.of(visited, role.get().member(MEMBER)).map_err(malformed)?.map(|ours| &*ours);
            roles.push(Role {
                document: document(visited.as_str(), role.get().header()),
                revoked: ours.map(|ours| Arc::clone(&ours.revoked)).unwrap_or_default(),
                seals: ours.map(|ours| ours.seals(target.as_str())).transpose().map_err(malformed)?.unwrap_or_default(),
            });
            members.insert(visited, (role.get(), ours.map(|ours| Arc::clone(&ours.envelopes)).unwrap_or_default()));
        }
        distinct(members.iter().map(|(name, (role, _))| (*name, *role)))?;
        let chain = chain::follow(&target, outcome.found.as_ref().map(|found| &found.role), |name| {
            members.get_key_value(name).map(|(name, (role, envelopes))| Link { name, role, envelopes })
        })?;
        let entry = outcome.found.map(|found| {
            let details = Details::of_target(found.target.custom.as_deref());
            let details = details.map_err(|malformed| StandingError::Malformed { role: found.role.as_str().into(), malformed })?;
            Ok(Claim { length: found.target.length, hashes: found.target.hashes, details })
        });
        Ok(Self(Arc::new(Inner {
            name: name.clone(),
            at: client.at(),
            top: top(client)?,
            roles,
            entry: entry.transpose()?,
            chain,
            verified: verified.ok_or_else(not_searched)?,
        })))
    }

    /// The name.
    pub fn name(&self) -> &Name {
        &self.0.name
    }

    /// The documents that it rests on: root, timestamp, snapshot, and the roles that the search visited, in their order.
    pub fn documents(&self) -> impl Iterator<Item = &Document> {
        self.0.top.iter().chain(self.0.roles.iter().map(|role| &role.document))
    }

    /// The time that its metadata was verified at. Nothing is decided by it as of an earlier time: a clock that was set back since, or that is
    /// behind the last update, would let count again what has expired.
    pub fn at(&self) -> UnixTime {
        self.0.at
    }

    /// When it ceases to be good: when the first of its documents expires.
    pub fn expires(&self) -> Option<UnixTime> {
        self.documents().map(|document| document.expires).min()
    }

    /// What the name's entry lists, if there is one.
    pub fn entry(&self) -> Option<&Claim> {
        self.0.entry.as_ref()
    }

    /// Whose envelopes count for the name, whatever else accepts it.
    pub(crate) fn signers(&self) -> Result<&Signers, &NoSigners> {
        self.0.chain.accepts.as_ref()
    }

    /// The keys of the roles vouch for it.
    pub(crate) fn verified(&self) -> Verified<()> {
        self.0.verified.clone()
    }

    /// The decision, up to the envelopes: expired, revoked, entry, seals, and then whose envelopes count.
    ///
    /// `also` is the image that `subject`, an index, covers: it must not be revoked either.
    pub(crate) fn decide(&self, found: Found<'_>, children: &[Descriptor], also: Option<&Digests>) -> Decision<'_> {
        if let Some(document) = self.documents().find(|document| found.at >= document.expires) {
            let Document { role, expires, .. } = document.clone();
            return refused(Class::UntrustedMetadata, Fault::ExpiredMetadata { role, expires, at: found.at });
        }
        if let Some((role, digest, reason)) = self.revoked(found.digests, children, also) {
            let (role, reason) = (role.document.role.clone(), reason.to_owned());
            return refused(Class::NotVerified, Fault::Revoked { digest, role, reason });
        }
        if let (Some(claim), Some(last)) = (&self.0.entry, self.0.roles.last()) {
            let role = last.document.role.clone();
            return match claim.check(found) {
                Ok(()) => Decision::Accepted(AcceptedBy::Entry { role }),
                Err(unmet) => refused(Class::NotVerified, Fault::Entry { name: self.0.name.clone(), role, unmet }),
            };
        }
        for role in self.0.roles.iter().take(self.0.chain.length) {
            if role.seals.iter().any(|claim| claim.check(found).is_ok()) {
                return Decision::Accepted(AcceptedBy::Seal { role: role.document.role.clone() });
            }
        }
        match &self.0.chain.accepts {
            Ok(signers) => Decision::Envelopes(signers),
            Err(why) => refused(Class::NotVerified, Fault::NoSigners { name: self.0.name.clone(), why: why.clone() }),
        }
    }

    /// What the metadata alone says of the artifact that a claim describes and that is not at hand: what accepts it, or `None` if nothing but
    /// signatures may.
    ///
    /// # Errors
    /// Why nothing accepts it.
    pub fn vouches(&self, claim: &Claim, at: UnixTime) -> Result<Option<AcceptedBy>, Fault> {
        let at = at.max(self.0.at);
        if let Some(document) = self.documents().find(|document| at >= document.expires) {
            let Document { role, expires, .. } = document.clone();
            return Err(Fault::ExpiredMetadata { role, expires, at });
        }
        for role in &self.0.roles {
            if let Some((digest, reason)) = claim.hashes.iter().find_map(|digest| role.revoked.get_key_value(digest)) {
                return Err(Fault::Revoked { digest: *digest, role: role.document.role.clone(), reason: reason.clone() });
            }
        }
        if let (Some(entry), Some(last)) = (&self.0.entry, self.0.roles.last()) {
            let role = last.document.role.clone();
            return match entry.describes(claim, at) {
                Ok(()) => Ok(Some(AcceptedBy::Entry { role })),
                Err(unmet) => Err(Fault::Entry { name: self.0.name.clone(), role, unmet }),
            };
        }
        let mut sealing = self.0.roles.iter().take(self.0.chain.length);
        if let Some(role) = sealing.find(|role| role.seals.iter().any(|seal| seal.describes(claim, at).is_ok())) {
            return Ok(Some(AcceptedBy::Seal { role: role.document.role.clone() }));
        }
        match &self.0.chain.accepts {
            Ok(_) => Ok(None),
            Err(why) => Err(Fault::NoSigners { name: self.0.name.clone(), why: why.clone() }),
        }
    }

    /// The first revocation, of any role that the search visited, of the artifact, of what it lists or of what it covers.
    fn revoked(&self, subject: &Digests, children: &[Descriptor], also: Option<&Digests>) -> Option<(&Role, Digest, &str)> {
        for role in self.0.roles.iter().filter(|role| !role.revoked.is_empty()) {
            let own = subject.all().iter().chain(also.iter().flat_map(|also| also.all()));
            let listed = children.iter().map(|child| &child.digest);
            if let Some((digest, reason)) = own.chain(listed).find_map(|digest| role.revoked.get_key_value(digest)) {
                return Some((role, *digest, reason));
            }
        }
        None
    }

    /// The documents as JSON: `[{role, version, expires}]`.
    pub fn to_json(&self) -> Value<'static> {
        let one = |document: &Document| {
            Value::object([
                ("role", Value::from(document.role.clone())),
                ("version", Value::from(document.version)),
                ("expires", Value::from(document.expires.to_string())),
            ])
        };
        Value::from(self.documents().map(one).collect::<Vec<_>>())
    }
}

fn refused(class: Class, fault: Fault) -> Decision<'static> {
    Decision::Refused(class, Box::new(fault))
}

fn lost(role: &str) -> StandingError {
    StandingError::NotLoaded { role: role.into() }
}

fn document(role: &str, header: &Header) -> Document {
    Document { role: role.into(), version: header.version, expires: header.expires }
}

fn top(client: &Client) -> Result<Vec<Document>, StandingError> {
    let root = client.root().map(|root| document(TopLevel::Root.name(), root.get().header()));
    let timestamp = client.timestamp().map(|timestamp| document(TopLevel::Timestamp.name(), timestamp.get().header()));
    let snapshot = client.snapshot().map(|snapshot| document(TopLevel::Snapshot.name(), snapshot.get().header()));
    let all = [(root, TopLevel::Root), (timestamp, TopLevel::Timestamp), (snapshot, TopLevel::Snapshot)];
    all.into_iter().map(|(document, top)| document.ok_or_else(|| lost(top.name()))).collect()
}

/// That no role is delegated to by two of these, or by one that it is above.
fn distinct<'a>(visited: impl Iterator<Item = (&'a RoleName, &'a Targets)>) -> Result<(), StandingError> {
    let mut names = BTreeSet::from(["targets"]);
    for (_, role) in visited {
        let delegations = role.delegations().into_iter().flat_map(|delegations| &delegations.roles);
        for delegation in delegations {
            if !names.insert(delegation.name.as_str()) {
                return Err(StandingError::DelegatedTwice { role: delegation.name.as_str().into() });
            }
        }
    }
    Ok(())
}
