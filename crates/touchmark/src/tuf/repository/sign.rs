//! One person's signatures on what is staged.

use touchmark_envelope::digest::Algorithm;
use touchmark_envelope::key::PublicKey;
use touchmark_envelope::sign::Signer;
use touchmark_envelope::threshold::Signature;
use touchmark_envelope::{Digest, UnixTime};
use touchmark_oci::files;
use touchmark_tuf::metadata::TopLevel;
use touchmark_tuf::repository::{self as edit, Differences, Document, EditError, Mandate, Standing};

use super::state::State;
use super::{Repository, RepositoryError};

/// A staged document that some keys sign for, as it is before they do.
#[derive(Clone, Debug)]
pub struct ToSign {
    /// The role.
    pub role: String,
    /// Its version.
    pub version: u64,
    /// When it expires.
    pub expires: UnixTime,
    /// What it changes of the published one.
    pub changes: Differences,
    /// The SHA-256 of what signatures are over: the canonical form of `signed`.
    pub digest: Digest,
    document: Document,
    mandates: Vec<Mandate>,
    welcome: Vec<Mandate>,
}

/// What was signed of a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedRole {
    /// The role.
    pub role: String,
    /// The version of its staged document.
    pub version: u64,
    /// When that expires.
    pub expires: UnixTime,
    /// What it changes of the published one.
    pub changes: Differences,
    /// The SHA-256 of what was signed.
    pub digest: Digest,
    /// The keys that signed it now.
    pub signed_by: Vec<PublicKey>,
    /// The keys that had signed it before.
    pub already: Vec<PublicKey>,
    /// How many signatures are still needed: of the new root, by whichever of the old and the new keys lack more.
    pub missing: u64,
}

impl Repository {
    /// The staged documents that these keys sign for, or that of one role: what whoever has the keys is to look at before
    /// [`sign_these`](Self::sign_these).
    ///
    /// # Errors
    /// Nothing is staged that these keys sign for; a document is [`RepositoryError::Stale`], or one that
    /// [some clients refuse](edit::assert_well_formed); a snapshot or timestamp is not what a publish
    /// would make.
    pub fn to_sign(&self, keys: &[PublicKey], role: Option<&str>, now: UnixTime) -> Result<Vec<ToSign>, RepositoryError> {
        let mut state = self.state()?;
        let names = match role {
            Some(role) => {
                state.seat(role)?;
                if state.staged(role)?.is_none() {
                    return Err(RepositoryError::NothingStaged { role: role.to_owned() });
                }
                vec![role.to_owned()]
            }
            None => state.staged_names()?,
        };
        let mut chosen = Vec::new();
        for name in names {
            let (mandates, welcome) = (mandates(&mut state, &name)?, welcome(&mut state, &name)?);
            if mandates.iter().chain(&welcome).any(|mandate| keys.iter().any(|key| mandate.keyid(key).is_some())) {
                state.fresh(&name)?;
                self.assert_made(&mut state, &name, now)?;
                let changes = state.changes(&name)?;
                well_formed(&mut state, &name)?;
                chosen.push((name, mandates, welcome, changes));
            }
        }
        if chosen.is_empty() {
            return Err(RepositoryError::NothingToSign { role: role.map(str::to_owned) });
        }
        // Once all of them were looked at: each may say who signs for the next one.
        let mut documents = Vec::with_capacity(chosen.len());
        for (role, mandates, welcome, changes) in chosen {
            let Some(document) = state.take_staged(&role)? else { continue };
            let (version, expires, digest) = (document.version()?, document.expires()?, signed_digest(&document)?);
            documents.push(ToSign { role, version, expires, changes, digest, document, mandates, welcome });
        }
        Ok(documents)
    }

    /// Adds the signatures of these signers to documents that [`to_sign`](Self::to_sign) gave. With `expected`, nothing is signed unless the
    /// digest of each is among them.
    ///
    /// What is signed are the very bytes that the digest is of. The signers may take their time: nothing is locked meanwhile. What they
    /// signed is then added to what is there, if that still says the same.
    ///
    /// # Errors
    /// [`RepositoryError::NotExpected`]; a signer fails; [`RepositoryError::Changed`].
    pub fn sign_these(
        &self,
        documents: Vec<ToSign>,
        signers: &[Box<dyn Signer>],
        expected: Option<&[Digest]>,
    ) -> Result<Vec<SignedRole>, RepositoryError> {
        if let Some(expected) = expected
            && let Some(other) = documents.iter().find(|one| !expected.contains(&one.digest))
        {
            return Err(RepositoryError::NotExpected { what: other.role.clone(), digest: other.digest });
        }
        documents.into_iter().map(|one| self.sign_one(one, signers)).collect()
    }

    /// Adds the signatures of these signers to every staged document that one of their keys signs for, or to those of one role:
    /// [`to_sign`](Self::to_sign) and [`sign_these`](Self::sign_these) in one.
    ///
    /// # Errors
    /// Those of both.
    pub fn sign(&self, signers: &[Box<dyn Signer>], role: Option<&str>, now: UnixTime) -> Result<Vec<SignedRole>, RepositoryError> {
        let keys: Vec<PublicKey> = signers.iter().map(|signer| signer.public_key().clone()).collect();
        self.sign_these(self.to_sign(&keys, role, now)?, signers, None)
    }

    fn sign_one(&self, one: ToSign, signers: &[Box<dyn Signer>]) -> Result<SignedRole, RepositoryError> {
        let ToSign { role, version, expires, changes, digest, mut document, mandates, welcome } = one;
        let all: Vec<Mandate> = mandates.iter().chain(&welcome).cloned().collect();
        let standings = |document: &Document| all.iter().map(|mandate| mandate.standing(document)).collect::<Result<Vec<_>, _>>();
        let mut before = standings(&document)?;
        let (mut new, mut signed_by, mut already) = (Vec::new(), Vec::new(), Vec::new());
        for signer in signers {
            let key = signer.public_key();
            let Some(keyid) = all.iter().find_map(|mandate| mandate.keyid(key)) else { continue };
            if before.iter().any(|standing| has_signed(standing, key)) {
                already.push(key.clone());
                continue;
            }
            let bytes = signer.sign(&document.signed_bytes()?).map_err(EditError::from)?;
            new.push(Signature { keyid: Some(keyid.to_owned()), bytes });
            signed_by.push(key.clone());
        }
        if !new.is_empty() {
            let _lock = self.lock()?;
            let file = self.folders.staged_file(&role);
            // Nearly always nothing has changed meanwhile; else it may be others' signatures.
            let same = document.opened().map(|bytes| files::holds(&file, bytes)).transpose()?.unwrap_or_default();
            if !same {
                let there = super::state::read(&file)?.filter(|there| there.says_the_same_as(&document));
                document = there.ok_or_else(|| RepositoryError::Changed { role: role.clone() })?;
                before = standings(&document)?;
            }
            new.into_iter().for_each(|signature| document.add(signature));
            self.write_staged(&role, &document)?;
        }
        // Those that were made now need no check.
        let missing = mandates.iter().zip(&before).map(|(mandate, standing)| {
            let new = signed_by.iter().filter(|key| mandate.keyid(key).is_some() && !has_signed(standing, key)).count();
            standing.missing().saturating_sub(u64::try_from(new).unwrap_or(u64::MAX))
        });
        let missing = missing.max().unwrap_or_default();
        Ok(SignedRole { role, version, expires, changes, digest, signed_by, already, missing })
    }

    /// Adds the signatures of a document to the staged one, under the lock; gives that, and how many were new.
    pub(super) fn merge_staged(&self, name: &str, document: &Document, mandates: &[Mandate]) -> Result<(Document, usize), RepositoryError> {
        let _lock = self.lock()?;
        let file = self.folders.staged_file(name);
        let Some(mut there) = super::state::read(&file)? else {
            return Err(RepositoryError::Changed { role: name.to_owned() });
        };
        if !there.says_the_same_as(document) {
            return Err(RepositoryError::Changed { role: name.to_owned() });
        }
        let mut added = 0;
        for mandate in mandates {
            added += mandate.gather(&mut there, document)?;
        }
        if added > 0 {
            self.write_staged(name, &there)?;
        }
        Ok((there, added))
    }
}

/// Asserts that every client can read the staged document of a role. The published one is read only if it may excuse something.
pub(super) fn well_formed(state: &mut State, name: &str) -> Result<(), RepositoryError> {
    state.staged(name)?;
    let check = |state: &State| {
        let (before, after) = state.both(name);
        after.map_or(Ok(()), |after| edit::assert_well_formed(before, after))
    };
    let outcome = check(state).or_else(|error| {
        let there = state.published(name).is_ok_and(|published| published.is_some());
        if there { check(state) } else { Err(error) }
    });
    let file = state.folders.staged_file(name);
    let told = |source| RepositoryError::Staged { role: name.to_owned(), source: Box::new(RepositoryError::Document { file, source }) };
    outcome.map_err(told)
}

/// Who signs for the staged document of a role: of a new root the keys of the published one too (TUF 1.0, 6.1).
pub(super) fn mandates(state: &mut State, name: &str) -> Result<Vec<Mandate>, RepositoryError> {
    let mut mandates = vec![state.mandate(name)?];
    if name == "root"
        && let Some(published) = state.published("root")?
    {
        mandates.push(Mandate::of_root(published, TopLevel::Root)?);
    }
    Ok(mandates)
}

/// Who is not needed for the staged document of a role, and makes a rotation smooth: those who sign for the top-level targets by the
/// published root, if another one is staged. Clients that come between the two then take the document too.
pub(super) fn welcome(state: &mut State, name: &str) -> Result<Vec<Mandate>, RepositoryError> {
    if name != "targets" || state.staged("root")?.is_none() {
        return Ok(Vec::new());
    }
    let root = state.published("root")?;
    Ok(root.map(|root| Mandate::of_root(root, TopLevel::Targets)).transpose()?.into_iter().collect())
}

/// The SHA-256 of what signatures of a document are over.
pub(super) fn signed_digest(document: &Document) -> Result<Digest, RepositoryError> {
    Ok(Algorithm::Sha256.digest(&document.signed_bytes()?))
}

fn has_signed(standing: &Standing, key: &PublicKey) -> bool {
    standing.keys.iter().any(|other| other.signed && other.key.as_ref() == Some(key))
}

/// How many signatures the document still needs.
pub(super) fn missing(document: &Document, mandates: &[Mandate]) -> Result<u64, RepositoryError> {
    let mut missing = 0;
    for mandate in mandates {
        missing = mandate.standing(document)?.missing().max(missing);
    }
    Ok(missing)
}
