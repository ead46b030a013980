//! One person's signatures on what is staged.

use touchmark_envelope::UnixTime;
use touchmark_envelope::key::PublicKey;
use touchmark_envelope::sign::Signer;
use touchmark_tuf::metadata::TopLevel;
use touchmark_tuf::repository::{Differences, Document, Mandate};

use super::state::State;
use super::{Repository, RepositoryError};

/// What was signed of a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedRole {
    /// The role.
    pub role: String,
    /// The version of its staged document.
    pub version: u64,
    /// What it changes of the published one.
    pub changes: Differences,
    /// The keys that signed it now.
    pub signed_by: Vec<PublicKey>,
    /// The keys that had signed it before.
    pub already: Vec<PublicKey>,
    /// How many signatures are still needed: of the new root, by whichever of the old and the new keys lack more.
    pub missing: u64,
}

impl Repository {
    /// Adds the signatures of these signers to every staged document that one of their keys signs for, or to those of one role.
    ///
    /// The signers may take their time: nothing is locked meanwhile. What they signed is then added to what is there, if that still says
    /// the same.
    ///
    /// # Errors
    /// Nothing is staged that these keys sign for; a signer fails; [`RepositoryError::Changed`].
    pub fn sign(&self, signers: &[Box<dyn Signer>], role: Option<&str>, _now: UnixTime) -> Result<Vec<SignedRole>, RepositoryError> {
        let mut state = self.state()?;
        let staged = match role {
            Some(role) => {
                state.seat(role)?;
                vec![role.to_owned()]
            }
            None => state.staged_names()?,
        };
        let mut signed = Vec::new();
        for name in staged {
            let mandates = mandates(&mut state, &name)?;
            let welcome = welcome(&mut state, &name)?;
            let Some(document) = state.fresh(&name)?.cloned() else {
                return Err(RepositoryError::NothingStaged { role: name });
            };
            if let Some(mut outcome) = self.sign_one(&name, document, &mandates, &welcome, signers)? {
                outcome.changes = state.changes(&name)?;
                signed.push(outcome);
            }
        }
        if signed.is_empty() {
            return Err(RepositoryError::NothingToSign { role: role.map(str::to_owned) });
        }
        Ok(signed)
    }

    fn sign_one(
        &self,
        name: &str,
        mut document: Document,
        mandates: &[Mandate],
        welcome: &[Mandate],
        signers: &[Box<dyn Signer>],
    ) -> Result<Option<SignedRole>, RepositoryError> {
        let all: Vec<Mandate> = mandates.iter().chain(welcome).cloned().collect();
        let listed = |key: &PublicKey| all.iter().find_map(|mandate| mandate.keyid(key).map(str::to_owned));
        let (mut signed_by, mut already) = (Vec::new(), Vec::new());
        for signer in signers {
            let key = signer.public_key();
            let Some(keyid) = listed(key) else { continue };
            if has_signed(&document, &all, key)? {
                already.push(key.clone());
                continue;
            }
            document.sign(signer.as_ref(), Some(&keyid))?;
            signed_by.push(key.clone());
        }
        if signed_by.is_empty() && already.is_empty() {
            return Ok(None);
        }
        if !signed_by.is_empty() {
            document = self.merge_staged(name, &document, &all)?.0;
        }
        let version = document.version()?;
        let changes = Differences::default();
        Ok(Some(SignedRole { role: name.to_owned(), version, changes, signed_by, already, missing: missing(&document, mandates)? }))
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

fn has_signed(document: &Document, mandates: &[Mandate], key: &PublicKey) -> Result<bool, RepositoryError> {
    for mandate in mandates {
        if mandate.standing(document)?.keys.iter().any(|other| other.signed && other.key.as_ref() == Some(key)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// How many signatures the document still needs.
pub(super) fn missing(document: &Document, mandates: &[Mandate]) -> Result<u64, RepositoryError> {
    let mut missing = 0;
    for mandate in mandates {
        missing = mandate.standing(document)?.missing().max(missing);
    }
    Ok(missing)
}
