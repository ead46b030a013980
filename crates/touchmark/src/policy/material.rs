//! What rules name: keys, roots and in-toto layouts, from the document, files beside it, or targets of a trust repository.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use touchmark_envelope::key::{KeyError, MAX_KEY_BYTES, PublicKey};
use touchmark_envelope::threshold::KeySet;
use touchmark_in_toto::{Inheritance, Limits as InTotoLimits, Parameters};
use touchmark_oci::source::Source;
use touchmark_trust::rules::{Ground, LayoutRule, Matched, Material, PredicateRule, Rule};
use touchmark_trust::{Attested, Policy, SupplyChainDemand};
use touchmark_tuf::TargetPath;

use super::anchor::TrustAnchor;
use super::{PolicyClass, PolicyError};

/// Where a document's materials are.
#[derive(Clone, Copy)]
pub(super) struct Materials<'a> {
    /// What messages call the policy.
    pub(super) policy: &'a str,
    /// The folder of the policy file; none of a signed policy.
    pub(super) folder: Option<&'a Path>,
    /// Whose targets they may be, and where the artifact is.
    pub(super) anchor: Option<(&'a TrustAnchor, &'a dyn Source)>,
}

/// What a rule demands, with everything that it names.
#[derive(Clone)]
pub(super) struct Demands {
    /// Whose keys decide; none where trust metadata does.
    pub(super) keys: Option<(Vec<PublicKey>, usize)>,
    attested: Vec<Attested>,
    supply_chain: Option<SupplyChainDemand>,
    /// Why a part of it is missing here. Nothing is accepted then; a refusal that is certain without it is told first.
    missing: Option<Arc<PolicyError>>,
}

impl Materials<'_> {
    fn signed(&self) -> bool {
        self.folder.is_none()
    }

    fn problem(&self, material: &Material, reason: impl ToString) -> PolicyError {
        PolicyError::Material { policy: self.policy.to_owned(), signed: self.signed(), what: named(material), reason: reason.to_string() }
    }

    pub(super) fn path(&self, path: &str) -> PathBuf {
        self.folder.map_or_else(|| PathBuf::from(path), |folder| folder.join(path))
    }

    /// The bytes of a material, at most `limit`.
    pub(super) fn bytes(&self, material: &Material, limit: u64) -> Result<Vec<u8>, PolicyError> {
        let bytes = match material {
            Material::Inline(text) => text.clone().into_bytes(),
            // A signed document has none; it was refused.
            Material::File(path) => {
                let read = |path: &Path| {
                    let mut bytes = Vec::new();
                    std::fs::File::open(path)?.take(limit.saturating_add(1)).read_to_end(&mut bytes).map(|_| bytes)
                };
                read(&self.path(path)).map_err(|error| self.problem(material, error))?
            }
            Material::Target(path) => {
                let Some((anchor, source)) = self.anchor else { return Err(self.problem(material, "there is no trust repository")) };
                let target = TargetPath::new(path).map_err(|error| self.problem(material, error))?;
                let not_listed = || PolicyError::NotListed { policy: self.policy.to_owned(), path: path.clone() };
                anchor.file(source, &target)?.ok_or_else(not_listed)?
            }
        };
        match u64::try_from(bytes.len()) {
            Ok(length) if length <= limit => Ok(bytes),
            _ => Err(self.problem(material, format!("it has more than {limit} bytes"))),
        }
    }

    /// Keys, each of which is another.
    pub(super) fn keys(
        &self,
        materials: &[Material],
        read: fn(&[u8]) -> Result<PublicKey, KeyError>,
    ) -> Result<Vec<PublicKey>, PolicyError> {
        let mut keys: Vec<PublicKey> = Vec::new();
        for material in materials {
            let bytes = self.bytes(material, u64::try_from(MAX_KEY_BYTES).unwrap_or(u64::MAX))?;
            let of_key = |error| PolicyError::Key { policy: self.policy.to_owned(), signed: self.signed(), what: named(material), error };
            let key = read(&bytes).map_err(of_key)?;
            keys.push(key);
            if KeySet::new(keys.clone()).len() < keys.len() {
                return Err(self.problem(material, "this key is listed twice; keys are counted once"));
            }
        }
        Ok(keys)
    }

    /// What a rule demands, read.
    pub(super) fn demands(&self, matched: &Matched<'_>) -> Result<Demands, PolicyError> {
        let rule = matched.rule;
        let keys = match &rule.ground {
            Ground::Keys { keys, threshold } => Some((self.keys(keys, PublicKey::read)?, *threshold)),
            Ground::Trust { .. } | Ground::Reject => None,
        };
        let mut demands = Demands { keys, attested: Vec::new(), supply_chain: None, missing: None };
        for predicate in &rule.predicates {
            demands.attested.extend(demands.missing.take_in(self.attested(predicate))?);
        }
        if let Some(layout) = &rule.in_toto {
            demands.supply_chain = demands.missing.take_in(self.supply_chain(layout, matched))?;
        }
        Ok(demands)
    }

    /// Reads what of a rule is on this machine. A mistake in it is one whatever a registry or a trust repository says, and if neither can be
    /// asked.
    pub(super) fn at_hand(&self, rule: &Rule) -> Result<(), PolicyError> {
        let is_here = |material: &&Material| !matches!(material, Material::Target(_));
        let here = |materials: &[Material]| materials.iter().filter(is_here).cloned().collect::<Vec<_>>();
        if let Ground::Keys { keys, .. } = &rule.ground {
            self.keys(&here(keys), PublicKey::read)?;
        }
        for keys in rule.predicates.iter().filter_map(|predicate| predicate.keys.as_deref()) {
            self.keys(&here(keys), PublicKey::read)?;
        }
        let Some(in_toto) = &rule.in_toto else { return Ok(()) };
        for keys in [&in_toto.keys, &in_toto.inspectors] {
            self.keys(&here(keys), in_toto_key)?;
        }
        match &in_toto.layout {
            Material::Target(_) => Ok(()),
            layout => self.bytes(layout, InTotoLimits::default().file).map(drop),
        }
    }

    pub(super) fn threshold(&self, error: touchmark_envelope::threshold::ThresholdError) -> PolicyError {
        PolicyError::Threshold { policy: self.policy.to_owned(), signed: self.signed(), error }
    }

    fn attested(&self, predicate: &PredicateRule) -> Result<Attested, PolicyError> {
        let mut wanted = Attested::new(predicate.predicate_type.clone());
        if let Some(keys) = &predicate.keys {
            let keys = self.keys(keys, PublicKey::read)?;
            wanted = wanted.signed_by(keys, predicate.threshold).map_err(|error| self.threshold(error))?;
        }
        Ok(predicate.constraints.iter().cloned().fold(wanted, Attested::constraint))
    }

    fn supply_chain(&self, rule: &LayoutRule, matched: &Matched<'_>) -> Result<SupplyChainDemand, PolicyError> {
        let layout = self.bytes(&rule.layout, InTotoLimits::default().file)?;
        let keys = self.keys(&rule.keys, in_toto_key)?;
        let mut parameters = Parameters::new();
        for (name, value) in &matched.parameters {
            parameters.insert(name, value).map_err(|error| self.problem(&rule.layout, error))?;
        }
        let demand = SupplyChainDemand::new(layout, keys).map_err(|error| self.threshold(error))?;
        let inspectors = self.keys(&rule.inspectors, in_toto_key)?;
        Ok(demand.inspectors(inspectors).parameters(parameters, Inheritance::None))
    }
}

/// Where the first reason is kept why something is missing.
trait TakeIn {
    /// What was had. A mistake of the user's is one at once.
    fn take_in<T>(&mut self, had: Result<T, PolicyError>) -> Result<Option<T>, PolicyError>;
}

impl TakeIn for Option<Arc<PolicyError>> {
    fn take_in<T>(&mut self, had: Result<T, PolicyError>) -> Result<Option<T>, PolicyError> {
        match had {
            Ok(had) => Ok(Some(had)),
            Err(error) if error.class() == PolicyClass::Usage => Err(error),
            Err(error) => {
                self.get_or_insert_with(|| Arc::new(error));
                Ok(None)
            }
        }
    }
}

/// A key of in-toto's metadata, which may be an RSA key too.
pub(super) fn in_toto_key(bytes: &[u8]) -> Result<PublicKey, KeyError> {
    match PublicKey::read(bytes) {
        Err(KeyError::Unsupported { .. }) => PublicKey::rsa_from_pem(bytes),
        read => read,
    }
}

impl Demands {
    /// That nothing of it is missing.
    pub(super) fn complete(&self) -> Result<(), PolicyError> {
        self.missing.as_ref().map_or(Ok(()), |error| Err(PolicyError::Shared(Arc::clone(error))))
    }

    /// The demands, of what the trust root or the keys of the rule accept.
    pub(super) fn of(self, matched: &Matched<'_>, mut policy: Policy) -> Policy {
        let rule = matched.rule;
        if let Some(kinds) = &rule.accepted_by {
            policy = policy.accept_only(kinds.iter().copied());
        }
        if let Ground::Trust { role: Some(role), .. } = &rule.ground {
            policy = policy.by_role(role.clone());
        }
        for (key, value) in &rule.annotations {
            policy = policy.annotation(key.clone(), value.clone());
        }
        for attested in self.attested {
            policy = policy.attested(attested);
        }
        match self.supply_chain {
            Some(demand) => policy.supply_chain(demand),
            None => policy,
        }
    }
}

/// What messages call a material.
pub(super) fn named(material: &Material) -> String {
    match material {
        Material::Inline(_) => "what stands in the policy".to_owned(),
        Material::File(path) => path.clone(),
        Material::Target(path) => format!("the target {path}"),
    }
}
