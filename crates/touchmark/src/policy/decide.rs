//! Artifacts are decided by a policy file, or by a trust root that the caller names; and by the policy that the trust root's repository signs.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use touchmark_envelope::digest::Algorithm;
use touchmark_envelope::name::Wanted;
use touchmark_envelope::{Digest, UnixTime, Verified};
use touchmark_oci::access::Access;
use touchmark_oci::reference::Reference;
use touchmark_oci::source::Source;
use touchmark_trust::rules::{Children, Ground, Matched, NormalReference, Origin, PolicyDocument, Question, SIGNED_TARGET};
use touchmark_trust::{Artifact, Attested, Limits, Policy, Request, Scope, Standing};
use touchmark_tuf::{Settings, TargetPath};

use super::anchor::Names;
use super::error::is_by_index;
use super::material::{Demands, Materials};
use super::{Decided, DecidedBy, PolicyError, PolicyFile, Refusal, RuleUsed, TrustAnchor, TrustSource, user_stores};
use crate::trust_root::{Note, StoreChoice, TrustSettings};

/// How often an artifact is decided about anew because the metadata changed meanwhile.
const MAX_CHANGES: usize = 3;
/// What messages call the policy of a trust repository.
const OWN: &str = "the trust repository's own policy";

/// An artifact, and what is asked of it beside what policies say.
#[derive(Clone, Debug)]
pub struct Asked<'a> {
    /// The reference as the user gave it: what rules of references match, and captures come from.
    pub reference: &'a Reference,
    /// The manifest that it leads to.
    pub digest: Digest,
    /// Whose signatures decide. A rule must let an index decide.
    pub scope: Scope,
    /// The wanted name. A rule that expects another one is an error.
    pub name: Option<Wanted>,
    /// Annotations that must have been signed, beside those of the rule.
    pub annotations: BTreeMap<String, String>,
    /// Attestations that must be there: beside what a rule demands, and instead of a signature where a trust root was named.
    pub types: Vec<String>,
    /// Envelopes that are the only evidence.
    pub envelopes: Option<Vec<Vec<u8>>>,
    /// The limits.
    pub limits: Limits,
    /// Whether every manifest and blob below the artifact is hashed.
    pub deep: bool,
}

impl<'a> Asked<'a> {
    /// Asks for the manifest `digest`, to which `reference` leads, and for nothing beside what policies say.
    pub fn new(reference: &'a Reference, digest: Digest) -> Self {
        Self {
            reference,
            digest,
            scope: Scope::Itself,
            name: None,
            annotations: BTreeMap::new(),
            types: Vec::new(),
            envelopes: None,
            limits: Limits::default(),
            deep: false,
        }
    }

    /// The manifest whose signatures decide.
    fn subject(&self) -> &Digest {
        match &self.scope {
            Scope::CoveredBy(index) => index,
            _ => &self.digest,
        }
    }
}

/// Decides about any number of artifacts, each trust root being brought up to date once.
#[derive(Debug)]
pub struct Decider {
    by: By,
    now: UnixTime,
    at: Option<UnixTime>,
    require_fresh: bool,
    access: Access,
    /// The trust roots of a policy file that were asked, by their names in it.
    anchors: RefCell<BTreeMap<String, Rc<TrustAnchor>>>,
}

/// Whom the caller trusts.
#[derive(Debug)]
enum By {
    Root(Box<TrustAnchor>),
    File(PolicyFile),
}

impl Decider {
    /// Decides by a policy file, at the time `now`.
    pub fn by_file(file: PolicyFile, now: UnixTime) -> Self {
        Self::new(By::File(file), now)
    }

    /// Decides by a trust root, at the time `now`.
    pub fn by_root(anchor: TrustAnchor, now: UnixTime) -> Self {
        Self::new(By::Root(Box::new(anchor)), now)
    }

    fn new(by: By, now: UnixTime) -> Self {
        Self { by, now, at: None, require_fresh: false, access: Access::default(), anchors: RefCell::default() }
    }

    /// Judges as of `at`, and keeps nothing in stores.
    #[must_use]
    pub fn at(self, at: UnixTime) -> Self {
        Self { at: Some(at), ..self }
    }

    /// Accepts nothing that the source of a trust root does not confirm now, whatever the policy file says.
    #[must_use]
    pub fn require_fresh(self) -> Self {
        Self { require_fresh: true, ..self }
    }

    /// Reaches registries and servers so.
    #[must_use]
    pub fn reaching(mut self, access: &Access) -> Self {
        if let By::Root(anchor) = &mut self.by {
            anchor.reach(access);
        }
        self.access = access.clone();
        self
    }

    /// The time of the decision.
    fn time(&self) -> UnixTime {
        self.at.unwrap_or(self.now)
    }

    /// The trust root, if one decides.
    pub fn trust_anchor(&self) -> Option<&TrustAnchor> {
        match &self.by {
            By::Root(anchor) => Some(anchor),
            By::File(_) => None,
        }
    }

    /// Judges as of `at` from now on. Trust roots that were opened stay as they are, and judge nothing as of a time before that of their metadata.
    pub fn judge_at(&mut self, at: UnixTime) {
        self.at = Some(at);
    }

    /// The policy file, if one decides.
    pub fn file(&self) -> Option<&PolicyFile> {
        match &self.by {
            By::Root(_) => None,
            By::File(file) => Some(file),
        }
    }

    /// What a user should know of the metadata of the trust roots that were asked, each once.
    pub fn notes(&self) -> Vec<Note> {
        match &self.by {
            By::Root(anchor) => anchor.notes(),
            By::File(_) => {
                let mut notes: Vec<Note> = Vec::new();
                for note in self.anchors.borrow().values().flat_map(|anchor| anchor.notes()) {
                    if !notes.contains(&note) {
                        notes.push(note);
                    }
                }
                notes
            }
        }
    }

    /// Whether a policy file has a rule for `reference`, as the user gave it, and `name`, whose keys, roots and in-toto layouts can be read: all
    /// that is certain before any place is asked.
    ///
    /// # Errors
    /// As [`decide`](Self::decide) would say.
    pub fn foresee(&self, reference: &Reference, name: Option<&Wanted>) -> Result<(), Refusal> {
        let By::File(file) = &self.by else { return Ok(()) };
        let mut by = DecidedBy { file: Some(file.path.clone()), ..DecidedBy::default() };
        let matched = matched(file, reference, name).map_err(|error| Refusal::new(error, &by))?;
        by.rule = Some(used(&matched));
        self.at_hand(file, &matched).map_err(|error| Refusal::new(error, &by))
    }

    /// Reads what of the rule is on this machine.
    fn at_hand(&self, file: &PolicyFile, matched: &Matched<'_>) -> Result<(), PolicyError> {
        let policy = file.path.display().to_string();
        Materials { policy: &policy, folder: Some(file.folder()), anchor: None }.at_hand(matched.rule)?;
        match &matched.rule.ground {
            Ground::Trust { name, .. } => self.anchor(file, name).map(drop),
            Ground::Keys { .. } | Ground::Reject => Ok(()),
        }
    }

    /// Decides about an artifact in `source`.
    ///
    /// # Errors
    /// It is refused, or it could not be found out, or the policy cannot be asked.
    pub fn decide(&self, source: &dyn Source, asked: &Asked<'_>) -> Result<Decided, Refusal> {
        let file = match &self.by {
            By::Root(anchor) => return self.by_anchor(source, asked, anchor, None, DecidedBy::default()),
            By::File(file) => file,
        };
        let mut by = DecidedBy { file: Some(file.path.clone()), ..DecidedBy::default() };
        let policy = file.path.display().to_string();
        let matched = matched(file, asked.reference, asked.name.as_ref()).map_err(|error| Refusal::new(error, &by))?;
        by.rule = Some(used(&matched));
        let asks = check(&matched, asked, &policy).and_then(|()| self.at_hand(file, &matched));
        asks.map_err(|error| Refusal::new(error, &by))?;
        let name = match &matched.rule.ground {
            Ground::Reject => return Err(Refusal::new(PolicyError::rejects(&policy, false, matched.index), &by)),
            Ground::Trust { name, .. } => name,
            Ground::Keys { .. } => {
                let materials = Materials { policy: &policy, folder: Some(file.folder()), anchor: None };
                let accepted = materials.demands(&matched).and_then(|mut demands| {
                    let mut keyed = by_keys(&mut demands, &materials)?;
                    if let Some(expected) = &matched.expected {
                        keyed = keyed.name(expected.clone());
                    }
                    let complete = demands.complete();
                    let rule = Some(named_rule(&matched, &policy));
                    let accepted = self.run(source, asked, with_asked(demands.of(&matched, keyed), asked), asked.deep, rule, self.time());
                    both(accepted, complete).map(|(artifact, ())| artifact)
                });
                let artifact = accepted.map_err(|error| Refusal::new(error, &by))?;
                return Ok(Decided { artifact, signed: None, by });
            }
        };
        let anchor = self.anchor(file, name).map_err(|error| Refusal::new(error, &by))?;
        self.by_anchor(source, asked, &anchor, Some((&matched, file)), by)
    }

    /// Which artifact a trust root's entry for the name is: what a reference without tag and digest leads to where it is asked for.
    ///
    /// # Errors
    /// There is no entry, the rule trusts keys, or the trust root cannot be asked.
    pub fn resolve(&self, source: &dyn Source, reference: &Reference, name: Option<&Wanted>) -> Result<Digest, Refusal> {
        let mut by = DecidedBy::default();
        let resolved = match &self.by {
            By::Root(anchor) => listed(source, anchor, name.cloned()),
            By::File(file) => {
                by.file = Some(file.path.clone());
                matched(file, reference, name).and_then(|matched| {
                    by.rule = Some(used(&matched));
                    let Ground::Trust { name, .. } = &matched.rule.ground else {
                        return Err(PolicyError::Unresolvable { reason: "the rule trusts keys, which list nothing" });
                    };
                    listed(source, self.anchor(file, name)?.as_ref(), matched.expected)
                })
            }
        };
        resolved.map_err(|error| Refusal::new(error, &by))
    }

    /// The artifacts of `source` whose metadata trust roots were asked of, since no other place of it was named. Where the artifacts go without
    /// these, nobody can decide about them by the root alone.
    pub fn trust_beside(&self, source: &dyn Source) -> BTreeSet<Digest> {
        match &self.by {
            By::Root(anchor) => anchor.beside(source).into_iter().collect(),
            By::File(_) => self.anchors.borrow().values().filter_map(|anchor| anchor.beside(source)).collect(),
        }
    }

    /// The trust root that a policy file calls `name`.
    fn anchor(&self, file: &PolicyFile, name: &str) -> Result<Rc<TrustAnchor>, PolicyError> {
        if let Some(known) = self.anchors.borrow().get(name) {
            return Ok(Rc::clone(known));
        }
        let policy = file.path.display().to_string();
        let materials = Materials { policy: &policy, folder: Some(file.folder()), anchor: None };
        let missing = || PolicyError::Material {
            policy: policy.clone(),
            signed: false,
            what: name.to_owned(),
            reason: "no such trust repository is named".to_owned(),
        };
        let place = file.document.trust(name).ok_or_else(missing)?;
        let root = materials.bytes(&place.root, Settings::default().limits.root)?;
        let store = match place.store.as_deref() {
            Some("none") => StoreChoice::Nowhere,
            Some(folder) => StoreChoice::At(materials.path(folder)),
            None => user_stores().map_or(StoreChoice::Nowhere, StoreChoice::Among),
        };
        let mut settings = TrustSettings::new(store);
        settings.at = self.at;
        settings.require_fresh = place.require_fresh || self.require_fresh;
        let source = place.source.as_deref().map(|text| trust_source(file.folder(), text)).transpose()?;
        let mut anchor = TrustAnchor::new(root, source, settings, self.now);
        anchor.reach(&self.access);
        let anchor = Rc::new(anchor);
        self.anchors.borrow_mut().insert(name.to_owned(), Rc::clone(&anchor));
        Ok(anchor)
    }

    /// Decides by a trust root, for each name that may be meant, and by its repository's own policy; `rule` is the policy file's.
    ///
    /// Names, policies and files are asked for one after the other. What whoever serves them shows as two states is the word of neither, so
    /// that nothing is decided by both.
    fn by_anchor(
        &self,
        source: &dyn Source,
        asked: &Asked<'_>,
        anchor: &TrustAnchor,
        rule: Option<(&Matched<'_>, &PolicyFile)>,
        by: DecidedBy,
    ) -> Result<Decided, Refusal> {
        for _ in 0..=MAX_CHANGES {
            let before = anchor.changes();
            let outcome = self.by_one_state(source, asked, anchor, rule, by.clone());
            if anchor.changes() == before {
                return outcome;
            }
        }
        Err(Refusal::new(PolicyError::TrustChanging, &by))
    }

    fn by_one_state(
        &self,
        source: &dyn Source,
        asked: &Asked<'_>,
        anchor: &TrustAnchor,
        rule: Option<(&Matched<'_>, &PolicyFile)>,
        mut by: DecidedBy,
    ) -> Result<Decided, Refusal> {
        let prepared = self.prepare(source, asked, anchor, rule, &mut by);
        let Prepared { names, own, demands } = prepared.map_err(|error| Refusal::new(error, &by))?;
        let mut refused = names.otherwise.map(|error| Refusal::new(error, &by));
        for name in names.names {
            let mut by = by.clone();
            let standing = anchor.standing(source, &name);
            let standing = standing.map_err(|error| Refusal::new(error, &by))?;
            let demanded = match (rule, &demands) {
                (Some((matched, _)), Some(demands)) => with_asked(demands.clone().of(matched, Policy::trust(standing.clone())), asked),
                _ => by_root(Policy::trust(standing.clone()), asked),
            };
            let named = rule.map(|(matched, file)| named_rule(matched, &file.path.display().to_string()));
            let local = self.run(source, asked, demanded, asked.deep, named, self.time());
            let local = both(local, demands.as_ref().map_or(Ok(()), Demands::complete)).map(|(artifact, ())| artifact);
            let signed = match &own {
                Ok(None) => Ok(None),
                Ok(Some(own)) => self.by_own(source, asked, anchor, own, &standing, &mut by).map(Some),
                Err(error) => Err(PolicyError::Shared(Arc::clone(error))),
            };
            let error = match both(local, signed) {
                Ok((artifact, signed)) => return Ok(Decided { artifact, signed, by }),
                Err(error) => error,
            };
            if refused.as_ref().is_none_or(|before| error.class().outweighs(before.error.class())) {
                refused = Some(Refusal::new(error, &by));
            }
        }
        Err(refused.unwrap_or_else(|| PolicyError::NoName.into()))
    }

    /// What is the same for all names: the names themselves, the repository's own policy, and what the rule demands.
    fn prepare(
        &self,
        source: &dyn Source,
        asked: &Asked<'_>,
        anchor: &TrustAnchor,
        rule: Option<(&Matched<'_>, &PolicyFile)>,
        by: &mut DecidedBy,
    ) -> Result<Prepared, PolicyError> {
        let expected = rule.and_then(|(matched, _)| matched.expected.clone()).or_else(|| asked.name.clone());
        let expected = expected.ok_or(PolicyError::NoName)?;
        let names = anchor.names(source, asked.subject(), &expected)?;
        let own = own_policy(anchor.learn(source, &names.names, &own_path()?)?, by);
        let demands = match rule {
            Some((matched, file)) => {
                let policy = file.path.display().to_string();
                let materials = Materials { policy: &policy, folder: Some(file.folder()), anchor: Some((anchor, source)) };
                Some(materials.demands(matched)?)
            }
            None => None,
        };
        Ok(Prepared { names, own, demands })
    }

    /// Decides by the policy that the trust repository signs, for one name.
    fn by_own(
        &self,
        source: &dyn Source,
        asked: &Asked<'_>,
        anchor: &TrustAnchor,
        own: &PolicyDocument,
        standing: &Standing,
        by: &mut DecidedBy,
    ) -> Result<Verified<Artifact>, PolicyError> {
        let wanted = Wanted::Exact(standing.name().clone());
        let failed = |error| PolicyError::Document { policy: OWN.to_owned(), signed: true, error };
        let matched = own.decide(&Question { reference: None, name: Some(&wanted) }).map_err(failed)?;
        let no_rule = || PolicyError::NoRule { policy: OWN.to_owned(), signed: true, asked: wanted.to_string() };
        let matched = matched.ok_or_else(no_rule)?;
        by.signed_rule = Some(used(&matched));
        check(&matched, &Asked { annotations: BTreeMap::new(), ..asked.clone() }, OWN)?;
        let materials = Materials { policy: OWN, folder: None, anchor: Some((anchor, source)) };
        let mut demands = materials.demands(&matched)?;
        let policy = match &matched.rule.ground {
            Ground::Keys { .. } => by_keys(&mut demands, &materials)?.name(wanted),
            Ground::Trust { .. } => Policy::trust(standing.clone()),
            Ground::Reject => return Err(PolicyError::rejects(OWN, true, matched.index)),
        };
        let complete = demands.complete();
        // What is below it was hashed for the other decision, whose time this one has: never one before that of the metadata.
        let at = self.time().max(standing.at());
        let decided = self.run(source, asked, demands.of(&matched, policy), false, Some(named_rule(&matched, OWN)), at);
        both(decided, complete).map(|(artifact, ())| artifact)
    }

    fn run(
        &self,
        source: &dyn Source,
        asked: &Asked<'_>,
        policy: Policy,
        deep: bool,
        rule: Option<String>,
        at: UnixTime,
    ) -> Result<Verified<Artifact>, PolicyError> {
        let mut request = Request::new(policy, asked.digest, at).scope(asked.scope.clone()).limits(asked.limits);
        if let Some(envelopes) = &asked.envelopes {
            request = request.envelopes(envelopes.clone());
        }
        if deep {
            request = request.deep();
        }
        crate::decide(source, request).map_err(|rejected| PolicyError::Rejected { rejected: Box::new(rejected), rule })
    }
}

/// The artifact that the trust root's entry for a name is.
fn listed(source: &dyn Source, anchor: &TrustAnchor, wanted: Option<Wanted>) -> Result<Digest, PolicyError> {
    let name = match wanted.ok_or(PolicyError::NoName)? {
        Wanted::Exact(name) => name,
        Wanted::AnyVersion(_) => return Err(PolicyError::Unresolvable { reason: "any version is asked for" }),
    };
    let standing = anchor.standing(source, &name)?;
    let none = |withdrawn| PolicyError::NoEntry { wanted: Wanted::Exact(name.clone()), withdrawn };
    let entry = standing.entry().ok_or_else(|| none(false))?;
    if entry.length == 0 {
        return Err(none(true));
    }
    let by = |algorithm| entry.hashes.iter().find(move |digest| digest.algorithm() == algorithm);
    by(Algorithm::Sha256).or_else(|| by(Algorithm::Sha512)).copied().ok_or_else(|| none(false))
}

/// What is the same for all names of one artifact.
struct Prepared {
    names: Names,
    /// The repository's own policy, or why that is not known: a refusal that is certain is told first.
    own: Result<Option<PolicyDocument>, Arc<PolicyError>>,
    demands: Option<Demands>,
}

/// What holds if both do; otherwise the weightier refusal, and of two of one weight the first.
fn both<T, U>(one: Result<T, PolicyError>, other: Result<U, PolicyError>) -> Result<(T, U), PolicyError> {
    match (one, other) {
        (Ok(one), Ok(other)) => Ok((one, other)),
        (Err(one), Err(other)) if one.class().and(other.class()) != one.class() => Err(other),
        (Err(error), _) | (_, Err(error)) => Err(error),
    }
}

fn own_path() -> Result<TargetPath, PolicyError> {
    let failed = |error: touchmark_tuf::TargetPathError| PolicyError::Material {
        policy: OWN.to_owned(),
        signed: true,
        what: SIGNED_TARGET.to_owned(),
        reason: error.to_string(),
    };
    TargetPath::new(SIGNED_TARGET).map_err(failed)
}

/// Reads the policy that a trust repository signs, if it has one.
fn own_policy(bytes: Result<Option<Vec<u8>>, PolicyError>, by: &mut DecidedBy) -> Result<Option<PolicyDocument>, Arc<PolicyError>> {
    let bytes = bytes.map_err(Arc::new)?;
    by.signed = bytes.is_some();
    let malformed = |error| Arc::new(PolicyError::Document { policy: OWN.to_owned(), signed: true, error });
    bytes.map(|bytes| PolicyDocument::parse(&bytes, Origin::Signed)).transpose().map_err(malformed)
}

/// The rule of a file that decides.
pub(super) fn matched<'f>(file: &'f PolicyFile, reference: &Reference, name: Option<&Wanted>) -> Result<Matched<'f>, PolicyError> {
    let policy = || file.path.display().to_string();
    let failed = |error| PolicyError::Document { policy: policy(), signed: false, error };
    let normal = NormalReference::new(&reference.to_string()).map_err(failed)?;
    let found = file.document.decide(&Question { reference: Some(&normal), name }).map_err(failed)?;
    let asked = || match name {
        Some(name) => format!("{normal} as {name}"),
        None => normal.to_string(),
    };
    found.ok_or_else(|| PolicyError::NoRule { policy: policy(), signed: false, asked: asked() })
}

/// What a rule does not let be asked.
fn check(matched: &Matched<'_>, asked: &Asked<'_>, policy: &str) -> Result<(), PolicyError> {
    let (policy, rule) = (policy.to_owned(), matched.index + 1);
    if is_by_index(&asked.scope) && matched.rule.children == Children::Deny {
        return Err(PolicyError::Children { policy, rule });
    }
    let other = |(key, value): &(&String, &String)| matched.rule.annotations.get(*key).is_some_and(|wanted| wanted != *value);
    match asked.annotations.iter().find(other) {
        Some((key, _)) => Err(PolicyError::Annotation { policy, rule, key: key.clone() }),
        None => Ok(()),
    }
}

/// A policy of a rule's keys.
fn by_keys(demands: &mut Demands, materials: &Materials<'_>) -> Result<Policy, PolicyError> {
    let (keys, threshold) = demands.keys.take().unwrap_or_default();
    Policy::keys(keys).and_then(|policy| policy.threshold(threshold)).map_err(|error| materials.threshold(error))
}

/// With what the caller asks for beside a rule: nothing of the rule goes.
fn with_asked(mut policy: Policy, asked: &Asked<'_>) -> Policy {
    for (key, value) in &asked.annotations {
        policy = policy.annotation(key.clone(), value.clone());
    }
    asked.types.iter().fold(policy, |policy, one| policy.attested(Attested::new(one.clone())))
}

/// With what the caller asks for, where no rule does.
fn by_root(mut policy: Policy, asked: &Asked<'_>) -> Policy {
    for (key, value) in &asked.annotations {
        policy = policy.annotation(key.clone(), value.clone());
    }
    asked.types.iter().fold(policy, |policy, one| policy.predicate_type(one.clone()))
}

/// What messages call a rule.
fn named_rule(matched: &Matched<'_>, policy: &str) -> String {
    format!("rule {} of {policy}", matched.index + 1)
}

fn used(matched: &Matched<'_>) -> RuleUsed {
    RuleUsed { rule: matched.index + 1, pattern: matched.pattern.to_owned() }
}

/// The source that a policy file names: a relative folder or file begins at the policy's folder, wherever the process runs.
fn trust_source(folder: &Path, text: &str) -> Result<TrustSource, PolicyError> {
    let not_text = || PolicyError::BadTrustSource { text: text.to_owned(), error: None };
    // Not by `TrustSource::read`, which would look into the working directory for a folder of this name.
    let artifact = |reference: &str| match reference.parse() {
        Ok(reference) => Ok(TrustSource::Artifact(reference)),
        Err(error) => Err(PolicyError::BadTrustSource { text: text.to_owned(), error: Some(Box::new(error)) }),
    };
    if text.contains("://") {
        return TrustSource::read(text);
    }
    for scheme in ["oci:", "ocidir:", "oci-archive:"] {
        if let Some(path) = text.strip_prefix(scheme) {
            let path = folder.join(path);
            return artifact(&format!("{scheme}{}", path.to_str().ok_or_else(not_text)?));
        }
    }
    let path = folder.join(text);
    if text.starts_with(['.', '/']) || path.is_dir() {
        let metadata = path.join("metadata");
        let path = if metadata.is_dir() { metadata } else { path };
        return Ok(TrustSource::Repository(path.to_str().ok_or_else(not_text)?.to_owned()));
    }
    artifact(text)
}

#[cfg(test)]
#[cfg(feature = "sign")]
mod state_tests;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::PolicyClass;
    use crate::testing::Folder;
    use touchmark_trust::Class;

    fn refused(class: Class) -> Result<(), PolicyError> {
        let wanted = Wanted::Exact("acme/x:1".parse().unwrap());
        Err(match class {
            Class::NotVerified => PolicyError::NoVersion { wanted },
            Class::Unsigned => PolicyError::Unsigned { wanted },
            _ => PolicyError::VersionsUnknown { wanted },
        })
    }

    #[test]
    fn of_two_policies_that_refuse_the_certain_refusal_is_told() {
        let told = |one, other| both(one, other).map_err(|error| error.class());
        let (no, none, unknown) = (|| refused(Class::NotVerified), || refused(Class::Unsigned), || refused(Class::Unknown));
        let class = |class| Err(PolicyClass::Refused(class));
        assert_eq!(told(Ok(()), Ok(())), Ok(((), ())));
        assert_eq!(told(Ok(()), unknown()), class(Class::Unknown));
        assert_eq!(told(unknown(), Ok(())), class(Class::Unknown));
        assert_eq!(told(unknown(), no()), class(Class::NotVerified));
        assert_eq!(told(no(), unknown()), class(Class::NotVerified));
        assert_eq!(told(unknown(), none()), class(Class::Unsigned));
        assert_eq!(told(Err(PolicyError::NoName), no()), Err(PolicyClass::Usage));
    }

    #[test]
    fn a_source_in_a_policy_begins_at_its_folder() {
        let folder = Folder::new();
        folder.file("etc/near/1.root.json", "");
        folder.file("etc/kept/metadata/1.root.json", "");
        let etc = folder.path("etc");
        let path = |name: &str| folder.path(name).to_str().unwrap().to_owned();
        let read = |text: &str| trust_source(&etc, text).unwrap();
        assert_eq!(read("near"), TrustSource::Repository(path("etc/near")));
        assert_eq!(read("kept"), TrustSource::Repository(path("etc/kept/metadata")));
        assert_eq!(read("./none"), TrustSource::Repository(path("etc/./none")));
        assert_eq!(read("/srv/trust"), TrustSource::Repository("/srv/trust".to_owned()));
        assert_eq!(read("https://t.example/metadata"), TrustSource::Repository("https://t.example/metadata".to_owned()));
        assert_eq!(read("oci:lay:trust"), TrustSource::Artifact(format!("oci:{}:trust", path("etc/lay")).parse().unwrap()));
        assert_eq!(read("r.example/acme/trust:1"), TrustSource::Artifact("r.example/acme/trust:1".parse().unwrap()));
        assert!(matches!(trust_source(&etc, "acme/trust"), Err(PolicyError::BadTrustSource { .. })));
    }
}
