//! What clients would say of names once everything that is staged is signed and published: found out before anybody signs.

use std::cell::RefCell;
use std::collections::BTreeMap;

use touchmark_envelope::UnixTime;
use touchmark_envelope::json::Value;
use touchmark_envelope::key::KeyAlgorithm;
use touchmark_envelope::sign::{PrivateKey, Signer as _};
use touchmark_tuf::metadata::TopLevel;
use touchmark_tuf::repository::{self as edit, Appointment, Document, Listed, key_id, key_object, tidy_signatures};
use touchmark_tuf::{Failure, RoleName};

use super::state::State;
use super::{Repository, RepositoryError};
use crate::keys::new_key;
use crate::trust_root::{StoreChoice, TrustRoot, TrustRootError, TrustSettings};
use crate::tuf::Fetch;

/// A role that needs more signatures is not looked into.
const MAX_THRESHOLD: u64 = 64;

/// The metadata that clients would get, for clients of this process alone: [`Repository::outlook`].
///
/// It is the repository's documents, signed by keys that exist for this alone. Each role has as many of them beside its own keys as it
/// needs signatures, so that whose signatures of artifacts count is as it will be, and the client and the decision are the real ones.
pub struct Outlook {
    root: Vec<u8>,
    /// Snapshot and timestamp.
    files: BTreeMap<String, Vec<u8>>,
    /// The roles by the paths of their documents.
    roles: BTreeMap<String, String>,
    signing: RefCell<Signing>,
    now: UnixTime,
}

/// What the documents are made of as they are asked for.
struct Signing {
    state: State,
    keys: Vec<PrivateKey>,
}

impl std::fmt::Debug for Outlook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outlook").field("roles", &self.roles).finish_non_exhaustive()
    }
}

impl Repository {
    /// What clients would say once everything that is staged is signed and published at the time `now`. Of a
    /// [draft of what is published](Self::draft_of_published), what they say now, if snapshot and timestamp are renewed in time.
    ///
    /// # Errors
    /// A document cannot be read.
    pub fn outlook(&self, now: UnixTime) -> Result<Outlook, RepositoryError> {
        let mut state = self.state()?;
        let key = new_key(KeyAlgorithm::Ed25519).map_err(|error| RepositoryError::NoKey { reason: error.to_string() })?;
        let signers = Appointment { keys: vec![key.public_key().clone()], threshold: 1 };
        let roles = TopLevel::ALL.into_iter().map(|role| (role, signers.clone())).collect();
        let mut root = edit::new_root(&roles, self.expires("root", now)?)?;
        root.sign(&key, None)?;
        let mut versions: BTreeMap<RoleName, u64> = BTreeMap::new();
        let published: Vec<String> = state.listed.keys().filter_map(|path| path.strip_suffix(".json")).map(str::to_owned).collect();
        for name in published.into_iter().chain(state.staged_names()?) {
            let Some(role) = role_name(&name) else { continue };
            let staged = state.staged(&name)?.map(Document::version).transpose()?;
            let version = staged.map_or_else(|| state.published_version(&name), |version| Ok(Some(version)))?;
            versions.extend(version.map(|version| (role, version)));
        }
        let mut snapshot = edit::new_snapshot(&BTreeMap::new(), self.expires("snapshot", now)?)?;
        let entry = |version: u64| Value::object([("version", Value::from(version))]);
        snapshot.set("meta", &Value::object(versions.iter().map(|(role, version)| (role.metapath(), entry(*version)))))?;
        snapshot.sign(&key, None)?;
        let bytes = snapshot.to_bytes();
        let mut timestamp = edit::new_timestamp(&Listed::of(&snapshot, &bytes)?, self.expires("timestamp", now)?)?;
        timestamp.sign(&key, None)?;
        let file = format!("{}.snapshot.json", snapshot.version()?);
        let files = BTreeMap::from([(file, bytes), ("timestamp.json".to_owned(), timestamp.to_bytes())]);
        let roles = versions.iter().map(|(role, version)| (role.fetch_path(Some(*version)), role.as_str().to_owned())).collect();
        let signing = RefCell::new(Signing { state, keys: vec![key] });
        Ok(Outlook { root: root.to_bytes(), files, roles, signing, now })
    }
}

impl Outlook {
    /// A client that has brought itself up to date with it, and is asked for the standing of names.
    ///
    /// # Errors
    /// Clients would not take it, whoever signed it.
    pub fn client(&self) -> Result<TrustRoot<'_>, TrustRootError> {
        TrustRoot::open(&self.root, self, &TrustSettings::new(StoreChoice::Nowhere), self.now)
    }
}

impl Fetch for Outlook {
    fn fetch(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, Failure> {
        let bytes = match (self.files.get(path), self.roles.get(path)) {
            (Some(bytes), _) => Some(bytes.clone()),
            (None, Some(role)) => self.signing.borrow_mut().document(role).map_err(|error| Failure::Unavailable(error.to_string()))?,
            (None, None) => None,
        };
        match bytes {
            Some(bytes) if u64::try_from(bytes.len()).is_ok_and(|length| length > limit) => Err(Failure::TooLarge { limit }),
            bytes => Ok(bytes),
        }
    }

    fn location(&self) -> String {
        "what is staged".to_owned()
    }
}

impl Signing {
    /// The document of a role with the signatures that it needs.
    fn document(&mut self, role: &str) -> Result<Option<Vec<u8>>, RepositoryError> {
        let needed = match role {
            "targets" => 1,
            _ => self.state.mandate(role)?.threshold(),
        };
        let Some(mut document) = self.state.current(role)?.cloned() else { return Ok(None) };
        self.appoint(&mut document)?;
        // Those of the document as it was.
        tidy_signatures(&mut document, &[])?;
        for key in self.keys(needed)? {
            document.sign(key, None)?;
        }
        Ok(Some(document.to_bytes()))
    }

    /// Lets these keys sign for every role that the document delegates to, beside those that do.
    fn appoint(&mut self, document: &mut Document) -> Result<(), RepositoryError> {
        let Some(delegations) = edit::delegations(document)? else { return Ok(()) };
        let described = delegations.roles.iter().map(|role| &role.keys).chain(delegations.succinct.iter().map(|bins| &bins.keys));
        let most = described.map(|keys| keys.threshold).max().unwrap_or_default().min(MAX_THRESHOLD);
        let keys = self.keys(most)?;
        let keyids = keys.iter().map(|key| key_id(key.public_key())).collect::<Result<Vec<_>, _>>()?;
        let mut value = match document.value("delegations")?.map(Value::into_owned) {
            Some(Value::Object(value)) => value,
            _ => return Ok(()),
        };
        let mut ring = value.get("keys").and_then(Value::as_object).cloned().unwrap_or_default();
        for (keyid, key) in keyids.iter().zip(keys) {
            ring.insert(keyid.clone(), key_object(key.public_key()));
        }
        value.insert("keys", Value::Object(ring));
        let more = |role: &Value<'static>| {
            let mut role = role.as_object().cloned().unwrap_or_default();
            let needed = role.get("threshold").and_then(Value::as_u64).unwrap_or_default();
            let own = role.get("keyids").and_then(Value::as_array).unwrap_or_default().to_vec();
            let added = keyids.iter().zip(0..needed).map(|(keyid, _)| Value::from(keyid.clone()));
            role.insert("keyids", Value::from(own.into_iter().chain(added).collect::<Vec<_>>()));
            Value::Object(role)
        };
        if let Some(roles) = value.get("roles").and_then(Value::as_array).map(|roles| roles.iter().map(more).collect::<Vec<_>>()) {
            value.insert("roles", Value::from(roles));
        }
        if let Some(bins) = value.get("succinct_roles").map(more) {
            value.insert("succinct_roles", bins);
        }
        Ok(document.set("delegations", &Value::Object(value))?)
    }

    /// So many keys, or as many as there are at most.
    fn keys(&mut self, needed: u64) -> Result<&[PrivateKey], RepositoryError> {
        let needed = usize::try_from(needed.min(MAX_THRESHOLD)).unwrap_or_default();
        while self.keys.len() < needed {
            let key = new_key(KeyAlgorithm::Ed25519).map_err(|error| RepositoryError::NoKey { reason: error.to_string() })?;
            self.keys.push(key);
        }
        Ok(self.keys.get(..needed).unwrap_or_default())
    }
}

fn role_name(name: &str) -> Option<RoleName> {
    if name == "targets" { Some(RoleName::targets()) } else { RoleName::delegated(name) }
}
