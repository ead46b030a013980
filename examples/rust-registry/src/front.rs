//! What may be served: the decisions.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use touchmark::envelope::digest::Digests;
use touchmark::envelope::dsse::{self, Envelope};
use touchmark::envelope::manifest::{Descriptor, EMPTY_CONFIG, Kind, Manifest};
use touchmark::envelope::signature;
use touchmark::oci::error::{Class as StoreClass, Error as StoreError};
use touchmark::trust::Limits;
use touchmark::trust::rules::SIGNED_TARGET;
use touchmark::trust_root::{StateSettings, StoreChoice, TrustRootError, TrustSettings, TrustState};
use touchmark::tuf::{TargetPath, UpdateClass};
use touchmark::{AsyncSource, Class, Digest, Name, Policy, Rejected, Request, Scope, UnixTime, verify_async};

use crate::Failure;
use crate::arguments::Arguments;
use crate::grounds::{Ground, Grounds};
use crate::own;
use crate::trust::TrustRepository;
use crate::upstream::{Repository, Upstream};

/// So many names are tried for a manifest that is asked for by its digest.
const MAX_NAMES: usize = 16;

/// The registry front.
pub(crate) struct Front {
    upstream: Upstream,
    trust: TrustState<TrustRepository>,
    /// Where the trust repository has its own policy.
    policy: TargetPath,
    grounds: Mutex<Grounds>,
}

/// A manifest that may be served.
pub(crate) struct Served {
    pub(crate) digest: Digest,
    pub(crate) media_type: String,
    pub(crate) bytes: Vec<u8>,
}

/// Why something is not served.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// The trust root does not verify it.
    Denied {
        /// A stable word for the reason.
        reason: String,
        message: String,
    },
    /// Whether it does could not be found out.
    Unknown { message: String },
    /// It is not there.
    Missing { message: String },
}

impl Front {
    pub(crate) fn new(arguments: Arguments) -> Result<Self, Failure> {
        let store = arguments.store.map_or(StoreChoice::Nowhere, StoreChoice::At);
        let settings = StateSettings::new(TrustSettings::new(store)).fresh_for(arguments.fresh_for);
        let trust = TrustState::new(arguments.root, TrustRepository::new(arguments.trust), settings);
        let policy = TargetPath::new(SIGNED_TARGET)?;
        Ok(Self { upstream: arguments.upstream, trust, policy, grounds: Mutex::default() })
    }

    /// Opens a repository.
    pub(crate) async fn repository(&self, name: &Name) -> Result<Repository, Refusal> {
        Ok(self.upstream.open(name).await?)
    }

    /// The manifest that a tag names, if it is verified under the name with this tag as its version.
    pub(crate) async fn by_tag(&self, repository: &Name, tag: &str) -> Result<Served, Refusal> {
        let place = self.repository(repository).await?;
        let asked = tag.to_owned();
        let digest = place.ask(move |source| source.resolve(Some(&asked), None)).await?.digest;
        let name = format!("{}:{tag}", repository.path()).parse().map_err(|error| Refusal::Denied {
            reason: "no-name".to_owned(),
            message: format!("{}:{tag} is no name that anything is signed under: {error}", repository.path()),
        })?;
        self.decide(&place, Ground { name, artifact: digest, covered_by: None }).await
    }

    /// The manifest with this digest, if it is verified under any name of the repository, or covered by an index that is.
    pub(crate) async fn by_digest(&self, repository: &Name, digest: Digest) -> Result<Served, Refusal> {
        let place = self.repository(repository).await?;
        let known = self.grounds().of(repository, &digest);
        let mut refusals = Vec::new();
        for ground in &known {
            match self.decide(&place, ground.clone()).await {
                Ok(served) => return Ok(served),
                Err(refusal) => refusals.push(refusal),
            }
        }
        let served = self.manifest(&place, digest).await?;
        if let Some(evidence) = evidence(&served) {
            self.grounds().learn(&Ground { name: repository.clone(), artifact: digest, covered_by: None }, &evidence.manifest);
            return Ok(served);
        }
        let (names, more) = self.names(&place, repository, &served).await?;
        for name in names {
            let ground = Ground { name, artifact: digest, covered_by: None };
            if known.contains(&ground) {
                continue;
            }
            match self.decide(&place, ground).await {
                Ok(served) => return Ok(served),
                Err(refusal) => refusals.push(refusal),
            }
        }
        if more {
            let message = format!("what is attached to {digest} claims more than {MAX_NAMES} names, of which not all were tried");
            refusals.push(Refusal::Unknown { message });
        }
        // Of several names the first that could not be found out says that another answer is possible.
        let unknown = refusals.iter().position(|refusal| matches!(refusal, Refusal::Unknown { .. }));
        let first = unknown.or((!refusals.is_empty()).then_some(0)).map(|index| refusals.swap_remove(index));
        Err(first.unwrap_or_else(|| Refusal::Denied {
            reason: "unsigned".to_owned(),
            message: format!("{digest} is neither listed nor signed under any name of {}", repository.path()),
        }))
    }

    /// Whether a blob belongs to something that is verified now. The manifest is asked for first, as clients do.
    pub(crate) async fn blob(&self, repository: &Name, digest: &Digest) -> Result<Repository, Refusal> {
        let place = self.repository(repository).await?;
        let mut refused = None;
        let grounds = self.grounds().of(repository, digest);
        for ground in grounds {
            let evidence = self.manifest(&place, ground.artifact).await.ok().as_ref().and_then(evidence);
            let allowed = match evidence {
                Some(evidence) => envelope(&place, &evidence, digest).await,
                None => self.decide(&place, ground).await.map(drop),
            };
            match allowed {
                Ok(()) => return Ok(place),
                Err(refusal) => refused = Some(refusal),
            }
        }
        Err(refused.unwrap_or_else(|| Refusal::Denied {
            reason: "no-manifest".to_owned(),
            message: format!("{digest} is part of no manifest that was verified here; pull the manifest first"),
        }))
    }

    /// The manifest, if it is verified.
    async fn decide(&self, place: &Repository, ground: Ground) -> Result<Served, Refusal> {
        let now = now()?;
        let standing = self.trust.standing(&ground.name, now).await?;
        let scope = ground.covered_by.map_or(Scope::Itself, Scope::CoveredBy);
        let policy = match self.trust.target(&self.policy, now).await? {
            None => Policy::trust(standing),
            Some(bytes) => own::narrowed(&bytes, standing, ground.covered_by.is_some())?,
        };
        let request = Request::new(policy, ground.artifact, now).scope(scope);
        let artifact = verify_async(place, request).await?;
        let served = self.manifest(place, artifact.get().descriptor().digest).await?;
        let manifest = Manifest::parse(&served.bytes).map_err(|error| malformed(&served.digest, &error))?;
        self.grounds().learn(&ground, &manifest);
        Ok(served)
    }

    /// A manifest as it is, whose bytes have its digest.
    async fn manifest(&self, place: &Repository, digest: Digest) -> Result<Served, Refusal> {
        let bytes = place.ask(move |source| source.manifest(&digest, Limits::default().manifest)).await?;
        let manifest = Manifest::parse(&bytes).map_err(|error| malformed(&digest, &error))?;
        Ok(Served { digest, media_type: manifest.media_type, bytes })
    }

    /// The names that it may be verified under: that of the repository, those that the trust root lists for it, and those that are claimed in
    /// what is attached to it, whoever signed that; and whether that claims more than are tried.
    async fn names(&self, place: &Repository, repository: &Name, served: &Served) -> Result<(BTreeSet<Name>, bool), Refusal> {
        let mut names = self.trust.versions(repository, &Digests::of(&served.bytes), now()?).await?;
        names.insert(repository.clone());
        let digest = served.digest;
        let attached = place.ask(move |source| touchmark::attachments(source, &digest)).await?;
        let claimed = attached.evidence.iter().filter_map(|one| one.claims.as_ref()?.untrusted().name.as_deref()?.parse::<Name>().ok());
        let claimed: BTreeSet<Name> = claimed.filter(|name| name.path() == repository.path() && !names.contains(name)).collect();
        let more = claimed.len() > MAX_NAMES;
        names.extend(claimed.into_iter().take(MAX_NAMES));
        Ok((names, more))
    }

    /// No lock is held while anything is waited for.
    fn grounds(&self) -> MutexGuard<'_, Grounds> {
        self.grounds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The manifest of a signature or an attestation, and its one envelope.
struct Evidence {
    manifest: Manifest,
    envelope: Descriptor,
}

/// What nobody makes anything of that runs, since it has no config and no content but an envelope: it is served without being judged, as the
/// ones who judge for themselves need it.
fn evidence(served: &Served) -> Option<Evidence> {
    let manifest = Manifest::parse(&served.bytes).ok()?;
    let Kind::Image { config, layers } = &manifest.kind else { return None };
    let kind = matches!(manifest.artifact_type(), Some(signature::ARTIFACT_TYPE | dsse::IN_TOTO));
    let [envelope] = layers.as_slice() else { return None };
    let is_evidence = kind
        && manifest.subject.is_some()
        && config.media_type == EMPTY_CONFIG
        && config.digest.matches(b"{}")
        && envelope.media_type == dsse::MEDIA_TYPE;
    let envelope = envelope.clone();
    is_evidence.then_some(Evidence { manifest, envelope })
}

/// That a blob of evidence is the empty config, or an envelope indeed: whoever may attach something would otherwise have any content served.
async fn envelope(place: &Repository, evidence: &Evidence, digest: &Digest) -> Result<(), Refusal> {
    if digest.matches(b"{}") {
        return Ok(());
    }
    let limits = Limits::default();
    if evidence.envelope.size > limits.attestation {
        return Err(Refusal::Unknown { message: format!("the envelope {digest} has more than {} bytes", limits.attestation) });
    }
    let bytes = place.blob(digest, evidence.envelope.size).await.map_err(|failure| Refusal::Unknown { message: failure.to_string() })?;
    let limits = dsse::Limits { bytes: bytes.len(), signatures: limits.signatures };
    Envelope::parse(&bytes, limits).map(drop).map_err(|error| malformed(digest, &error))
}

fn now() -> Result<UnixTime, Refusal> {
    touchmark::now().map_err(|error| Refusal::Unknown { message: error.to_string() })
}

fn malformed(digest: &Digest, error: &dyn std::error::Error) -> Refusal {
    Refusal::Denied { reason: "malformed".to_owned(), message: format!("{digest}: {error}") }
}

impl From<Rejected> for Refusal {
    fn from(rejected: Rejected) -> Self {
        match rejected.class() {
            Class::Unknown => Self::Unknown { message: rejected.to_string() },
            _ => Self::Denied { reason: rejected.fault().code().to_owned(), message: rejected.to_string() },
        }
    }
}

impl From<Arc<TrustRootError>> for Refusal {
    fn from(error: Arc<TrustRootError>) -> Self {
        match error.class() {
            UpdateClass::Untrusted | UpdateClass::WrongContent => {
                Self::Denied { reason: error.code().to_owned(), message: error.to_string() }
            }
            _ => Self::Unknown { message: error.to_string() },
        }
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        match error.class() {
            // In whose folders it is not is nobody's business.
            StoreClass::NotFound | StoreClass::Usage => Self::Missing { message: "there is no such manifest or repository".to_owned() },
            StoreClass::WrongDigest | StoreClass::Malformed => Self::Denied { reason: error.code().to_owned(), message: error.to_string() },
            _ => Self::Unknown { message: error.to_string() },
        }
    }
}
