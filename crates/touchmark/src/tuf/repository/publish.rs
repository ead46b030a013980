//! Publishing: what is staged becomes what clients get, all of it or nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use touchmark_envelope::UnixTime;
use touchmark_envelope::sign::Signer;
use touchmark_oci::files;
use touchmark_tuf::metadata::TopLevel;
use touchmark_tuf::repository::{self as edit, Age, Document, Listed, Mandate, check_targets, tidy_signatures};
use touchmark_tuf::{Failure, RoleName};

use super::names::refusals_in;
use super::rehearsal::Rehearsal;
use super::sign::{mandates, welcome, well_formed};
use super::state::{Seat, State};
use super::{Repository, RepositoryError};
use crate::tuf::Fetch;
use crate::tuf::folder::decoded;

/// What is published, and how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Publish {
    /// What is taken of what is staged.
    pub scope: Scope,
    /// Whether it is only found out what would be published.
    pub dry_run: bool,
    /// What the clock says, where the time that documents are made for is another one that somebody chose: clients of both must take the
    /// outcome.
    pub clock: Option<UnixTime>,
}

/// What is taken of what is staged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// All of it; nothing is published if a signature is missing.
    #[default]
    All,
    /// What has all its signatures. The rest stays staged.
    Ready,
    /// Nothing: snapshot and timestamp alone are renewed, where half of their life is over.
    Renewal,
}

/// What was published.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Published {
    /// The documents, in the order in which they were written.
    pub documents: Vec<PublishedRole>,
    /// Roles that stay staged, because signatures are missing; of a renewal, those that are due and were not renewed.
    pub waiting: Vec<String>,
    /// Whether a new root has keys without which clients that still have the old one refuse the rest: who comes between the root and the
    /// timestamp, the last two files, waits for the timestamp.
    pub unbridged: bool,
}

/// A document that was published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedRole {
    /// The role.
    pub role: String,
    /// Its version.
    pub version: u64,
    /// When it expires.
    pub expires: UnixTime,
}

/// A document that is about to be published.
struct New {
    role: String,
    document: Document,
    /// Its bytes, unless they are those that the staged document was opened from.
    bytes: Option<Vec<u8>>,
    /// Who signs for a delegated role.
    delegated: Option<Mandate>,
}

/// What a repository serves, with files that are not written yet.
struct AboutToBe<'a> {
    served: Box<dyn Fetch>,
    files: BTreeMap<String, &'a [u8]>,
}

impl Fetch for AboutToBe<'_> {
    fn fetch(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, Failure> {
        match decoded(path).and_then(|name| self.files.get(&name)) {
            Some(bytes) if u64::try_from(bytes.len()).is_ok_and(|length| length > limit) => Err(Failure::TooLarge { limit }),
            Some(bytes) => Ok(Some(bytes.to_vec())),
            None => self.served.fetch(path, limit),
        }
    }

    fn location(&self) -> String {
        self.served.location()
    }
}

impl New {
    fn of(role: &str, document: Document) -> Self {
        let bytes = if document.opened().is_some() { None } else { Some(document.to_bytes()) };
        Self { role: role.to_owned(), bytes, document, delegated: None }
    }

    fn bytes(&self) -> &[u8] {
        self.bytes.as_deref().or_else(|| self.document.opened()).unwrap_or_default()
    }

    fn listed(&self) -> Result<Listed, RepositoryError> {
        Ok(Listed::of(&self.document, self.bytes())?)
    }
}

impl Repository {
    /// Publishes what is staged, with a snapshot and a timestamp that these signers sign. Where their signatures do not suffice, what was
    /// made is staged for others to sign.
    ///
    /// # Errors
    /// Signatures are missing, or a client would refuse the outcome: one that has what is published now, or a new one that begins with the
    /// first root. Nothing that clients get has changed then.
    pub fn publish(&self, signers: &[Box<dyn Signer>], how: Publish, now: UnixTime) -> Result<Published, RepositoryError> {
        self.publish_after(signers, how, now, |_| Ok(()))
    }

    /// As [`publish`](Self::publish), and before anything is written in the folder, `first` is given what is about to be served from it: to
    /// bring it where others publish too. If that fails, nothing is published, and everything stays staged. Of a dry run nothing is given.
    ///
    /// # Errors
    /// As for `publish`; what `first` says.
    pub fn publish_after<E: From<RepositoryError>>(
        &self,
        signers: &[Box<dyn Signer>],
        how: Publish,
        now: UnixTime,
        first: impl FnOnce(&dyn Fetch) -> Result<(), E>,
    ) -> Result<Published, E> {
        // Of a draft it is only found out.
        let how = Publish { dry_run: how.dry_run || self.folders.is_draft(), ..how };
        // Whoever only looks leaves no trace.
        let _lock = if how.dry_run { None } else { self.lock()? };
        let mut state = self.state()?;
        let (published, new) = self.prepare(&mut state, signers, how, now)?;
        if how.dry_run {
            return Ok(published);
        }
        let mut files = BTreeMap::new();
        for one in &new {
            let file = self.published_name(one)?;
            files.extend(file.file_name().and_then(|name| name.to_str()).map(|name| (name.to_owned(), one.bytes())));
        }
        first(&AboutToBe { served: self.served(), files })?;
        // Of a publish that was interrupted at its end.
        for name in std::mem::take(&mut state.left) {
            files::remove(&self.folders.staged_file(&name)).map_err(RepositoryError::from)?;
        }
        if !new.is_empty() {
            self.write(&new, how.scope)?;
            self.remove_undelegated(&mut state)?;
        }
        Ok(published)
    }

    /// What is to be published, once a client has taken it.
    fn prepare(
        &self,
        state: &mut State,
        signers: &[Box<dyn Signer>],
        how: Publish,
        now: UnixTime,
    ) -> Result<(Published, Vec<New>), RepositoryError> {
        let mut published = Published::default();
        self.choose(state, how.scope, &mut published.waiting)?;
        let mut new: Vec<New> = Vec::new();
        if how.scope != Scope::Renewal {
            self.targets(state, now, &mut new)?;
        }
        let root = state.staged("root")?.cloned();
        if let Some(root) = &root {
            unexpired("root", root, now)?;
        }
        let snapshot = match self.snapshot(state, &new, signers, how, now) {
            Err(RepositoryError::Unsigned { .. }) if how.scope == Scope::Renewal && state.is_good("snapshot", now)? => {
                // The timestamp is renewed without it.
                published.waiting.push("snapshot".to_owned());
                None
            }
            snapshot => snapshot?,
        };
        let listed = snapshot.as_ref().map(New::listed).transpose()?;
        let timestamp = match self.timestamp(state, listed.as_ref(), signers, how, now) {
            Err(error @ RepositoryError::Unsigned { .. }) => {
                // Else the next one who signs would have another snapshot made, and no two would ever sign one timestamp.
                if let Some(snapshot) = snapshot.filter(|_| !how.dry_run) {
                    self.keep_staged(state, "snapshot", &snapshot.document, how)?;
                }
                return Err(error);
            }
            timestamp => timestamp?,
        };
        new.extend(snapshot);
        let root = root.map(|root| New::of("root", root));
        // The timestamp is the last file and makes all others count, but for a new root, which counts as soon as it is there: it comes right
        // before. If it rotates keys, clients that come between the two are kept waiting, unless all of what is new is signed by the keys of
        // the old root too; then the timestamp comes first, and nobody is.
        if root.is_some() && self.is_bridge(state, &new, timestamp.as_ref())? {
            new.extend(timestamp);
            new.extend(root);
        } else {
            published.unbridged = root.is_some() && timestamp.is_some() && state.published("root")?.is_some();
            new.extend(root);
            new.extend(timestamp);
        }
        if !new.is_empty() {
            for time in std::iter::once(now).chain(how.clock) {
                self.rehearse(state, &new, time)?;
            }
        }
        for one in &new {
            let (version, expires) = (one.document.version()?, one.document.expires()?);
            published.documents.push(PublishedRole { role: one.role.clone(), version, expires });
        }
        Ok((published, new))
    }

    /// Drops from what is staged what is not to be published now.
    fn choose(&self, state: &mut State, scope: Scope, waiting: &mut Vec<String>) -> Result<(), RepositoryError> {
        if scope == Scope::Renewal {
            state.ignore_staged_roles()?;
            return Ok(());
        }
        // Whatever is dropped may give others back the keys that they had: those that are described in it are looked at again.
        loop {
            let mut dropped: Vec<String> = Vec::new();
            for name in state.staged_names()? {
                let by = match state.seat(&name)? {
                    Seat::Root(_) => "root".to_owned(),
                    Seat::Delegated { by, .. } => by,
                };
                if matches!(name.as_str(), "snapshot" | "timestamp") || dropped.contains(&by) {
                    continue;
                }
                let mandates = mandates(state, &name)?;
                let all: Vec<Mandate> = mandates.iter().cloned().chain(welcome(state, &name)?).collect();
                state.fresh(&name)?;
                well_formed(state, &name)?;
                let Some(mut document) = state.take_staged(&name)? else { continue };
                tidy_signatures(&mut document, &all.iter().collect::<Vec<_>>())?;
                // What is left is valid, and under the right keyids.
                let signed = |mandate: &Mandate| u64::try_from(mandate.announced(&document)).unwrap_or_default() >= mandate.threshold();
                let complete = mandates.iter().all(signed);
                if !complete && scope == Scope::All {
                    return Err(unsigned(&name, &document, &mandates)?);
                }
                if complete {
                    state.put_back(&name, Some(document));
                } else {
                    state.put_staged(&name, None);
                    dropped.push(name);
                }
            }
            if dropped.is_empty() {
                match self.held_back(state, waiting)? {
                    Some(delegator) if scope == Scope::Ready => {
                        state.put_staged(&delegator, None);
                        dropped.push(delegator);
                    }
                    _ => return Ok(()),
                }
            }
            waiting.extend(dropped);
        }
    }

    /// A staged document that a role waits for which is not signed as it says, or not there; or which takes from the role, whose own document
    /// is `waiting`, keys that this may replace by seals. Or that of a role which lists or revokes less than the published one, and whose
    /// delegator is `waiting`: it was delegated anew, and is still what it was.
    fn held_back(&self, state: &mut State, waiting: &[String]) -> Result<Option<String>, RepositoryError> {
        for role in state.tree()? {
            let by = role.by.unwrap_or_else(|| "root".to_owned());
            if by != "root" && waiting.contains(&by) && state.refuses_less(&role.name)? {
                return Ok(Some(role.name));
            }
            if state.staged(&role.name)?.is_some() || state.staged(&by)?.is_none() {
                continue;
            }
            if waiting.contains(&role.name) && state.takes_signers(&by, &role.name)? {
                return Ok(Some(by));
            }
            let suffices = match state.published(&role.name)? {
                Some(document) => role.mandate.suffices(document)?,
                None => false,
            };
            if !suffices {
                return Ok(Some(by));
            }
        }
        Ok(None)
    }

    /// The staged targets roles, once every role that a search may come to was found good.
    fn targets(&self, state: &mut State, now: UnixTime, new: &mut Vec<New>) -> Result<(), RepositoryError> {
        let tree = state.tree()?;
        let staged: Vec<String> = state.staged_names()?;
        state.each_once(&staged.iter().map(String::as_str).collect::<Vec<_>>())?;
        for role in tree {
            if let Some(document) = state.take_staged(&role.name)? {
                unexpired(&role.name, &document, now)?;
                let delegated = role.by.is_some().then_some(role.mandate);
                new.push(New { delegated, ..New::of(&role.name, document) });
                continue;
            }
            let delegator = match &role.by {
                Some(by) => new.iter().any(|one| one.role == *by),
                None => state.staged("root")?.is_some(),
            };
            let Some(document) = state.published(&role.name)? else {
                return Err(RepositoryError::NoMetadata { role: role.name });
            };
            // What nobody changed was found good when it was published. That a delegated role has expired since is its own affair.
            if delegator && !role.mandate.suffices(document)? {
                return Err(unsigned(&role.name, document, &[role.mandate])?);
            }
        }
        Ok(())
    }

    /// The snapshot that lists what is new; none if what is published will do.
    fn snapshot(
        &self,
        state: &mut State,
        new: &[New],
        signers: &[Box<dyn Signer>],
        how: Publish,
        now: UnixTime,
    ) -> Result<Option<New>, RepositoryError> {
        let mut listed = BTreeMap::new();
        for one in new {
            let name = RoleName::delegated(&one.role).unwrap_or_else(RoleName::targets);
            listed.insert(name, one.listed()?);
        }
        let expires = self.expires("snapshot", now)?;
        let document = match state.published("snapshot")? {
            None => edit::new_snapshot(&listed, expires)?,
            Some(published) => {
                let mut document = published.clone();
                if !edit::list_in_snapshot(&mut document, &listed)? && !self.is_due(state, TopLevel::Snapshot, &document, now)? {
                    return Ok(None);
                }
                document
            }
        };
        self.finish(state, TopLevel::Snapshot, document, signers, how, now).map(Some)
    }

    /// The timestamp that lists the new snapshot; none if what is published will do.
    fn timestamp(
        &self,
        state: &mut State,
        snapshot: Option<&Listed>,
        signers: &[Box<dyn Signer>],
        how: Publish,
        now: UnixTime,
    ) -> Result<Option<New>, RepositoryError> {
        let expires = self.expires("timestamp", now)?;
        let document = match (state.published("timestamp")?, snapshot) {
            (None, None) => return Ok(None),
            (None, Some(snapshot)) => edit::new_timestamp(snapshot, expires)?,
            (Some(published), snapshot) => {
                let mut document = published.clone();
                let changed = match snapshot {
                    Some(snapshot) => edit::list_in_timestamp(&mut document, snapshot)?,
                    None => false,
                };
                if !changed && !self.is_due(state, TopLevel::Timestamp, &document, now)? {
                    return Ok(None);
                }
                document
            }
        };
        self.finish(state, TopLevel::Timestamp, document, signers, how, now).map(Some)
    }

    /// Whether clients that have the published root take what is new.
    fn is_bridge(&self, state: &mut State, new: &[New], timestamp: Option<&New>) -> Result<bool, RepositoryError> {
        let Some(root) = state.published("root")?.cloned() else { return Ok(false) };
        for role in [TopLevel::Targets, TopLevel::Snapshot, TopLevel::Timestamp] {
            let changed = new.iter().chain(timestamp).find(|one| one.role == role.name());
            let Some(changed) = changed else { continue };
            if !Mandate::of_root(&root, role)?.suffices(&changed.document)? {
                return Ok(false);
            }
        }
        Ok(timestamp.is_some())
    }

    /// Whether a published document is to be made anew: half of its life is over, it lives longer than one that is made now, such as one
    /// of a clock that went wrong, or its keys are others.
    fn is_due(&self, state: &mut State, role: TopLevel, document: &Document, now: UnixTime) -> Result<bool, RepositoryError> {
        let expires = document.expires()?;
        let age = self.lifetimes.of(role.name()).age(expires, now);
        Ok(age >= Age::Due || expires > self.expires(role.name(), now)? || !state.top_level(role)?.suffices(document)?)
    }

    /// Gives a snapshot or timestamp its version, expiry and signatures: those of the signers, and those that were collected before for
    /// one that says the same.
    fn finish(
        &self,
        state: &mut State,
        role: TopLevel,
        mut document: Document,
        signers: &[Box<dyn Signer>],
        how: Publish,
        now: UnixTime,
    ) -> Result<New, RepositoryError> {
        let name = role.name();
        document.set_version(state.next_version(name)?)?;
        document.set_expires(self.expires(name, now)?)?;
        if let Some(staged) = state.staged(name)? {
            let mut same = document.clone();
            same.set_expires(staged.expires()?)?;
            let fits = staged.expires()? <= document.expires()? && self.lifetimes.of(name).age(staged.expires()?, now) < Age::Late;
            if fits && same.says_the_same_as(staged) {
                document = staged.clone();
            }
        }
        let mandate = state.top_level(role)?;
        // The keys of the root that is in force now too, if they are given: clients that have not seen the new root yet go on.
        let before = match state.published("root")? {
            Some(root) => Some(Mandate::of_root(root, role)?),
            None => None,
        };
        tidy_signatures(&mut document, &std::iter::once(&mandate).chain(&before).collect::<Vec<_>>())?;
        for signer in signers {
            let key = signer.public_key();
            let keyid = mandate.keyid(key).or_else(|| before.as_ref().and_then(|before| before.keyid(key)));
            if let Some(keyid) = keyid
                && !document.signatures().iter().any(|signature| signature.keyid.as_deref() == Some(keyid))
            {
                document.sign(signer.as_ref(), Some(keyid))?;
            }
        }
        // A key that both roots list may have another keyid in each.
        tidy_signatures(&mut document, &std::iter::once(&mandate).chain(&before).collect::<Vec<_>>())?;
        if mandate.standing(&document)?.missing() > 0 {
            if !how.dry_run {
                self.keep_staged(state, name, &document, how)?;
            }
            return Err(unsigned(name, &document, &[mandate])?);
        }
        Ok(New::of(name, document))
    }

    /// Stages a snapshot or timestamp for others to sign. A renewal, which nobody looks at, leaves what people have signed.
    fn keep_staged(&self, state: &mut State, name: &str, document: &Document, how: Publish) -> Result<(), RepositoryError> {
        let signed = match state.staged(name)? {
            Some(staged) => !staged.says_the_same_as(document) && !staged.signatures().is_empty(),
            None => false,
        };
        if how.scope == Scope::Renewal && signed {
            return Ok(());
        }
        self.write_staged(name, document)
    }

    /// Lets clients see what they would get.
    fn rehearse(&self, state: &State, new: &[New], now: UnixTime) -> Result<(), RepositoryError> {
        let mut rehearsal = Rehearsal::new(self.folders.metadata(), now);
        for one in new {
            // An update comes to no delegated role.
            if let (Some(mandate), Some(name)) = (&one.delegated, RoleName::delegated(&one.role)) {
                check_targets(&name, one.bytes().to_vec(), mandate, now)
                    .map_err(|source| RepositoryError::Client { who: "a client that looks for a target", source })?;
            }
            let file = self.published_name(one)?;
            if let Some(name) = file.file_name().and_then(|name| name.to_str()) {
                rehearsal.put(name, one.bytes());
            }
        }
        rehearsal.run(&state.roots)
    }

    /// Writes the files in their order, then takes away what was staged.
    fn write(&self, new: &[New], scope: Scope) -> Result<(), RepositoryError> {
        for one in new {
            // What clients have seen, whatever the staged file holds by now.
            files::write(&self.published_name(one)?, one.bytes())?;
        }
        for one in new {
            files::remove(&self.folders.staged_file(&one.role))?;
        }
        // What people sign of a snapshot is no affair of a renewal; otherwise it was for a state that is not to come any more.
        for made in ["snapshot", "timestamp"].into_iter().filter(|_| scope != Scope::Renewal) {
            files::remove(&self.folders.staged_file(made))?;
        }
        Ok(())
    }

    /// Takes away what is staged of roles to which nobody delegates any more.
    fn remove_undelegated(&self, state: &mut State) -> Result<(), RepositoryError> {
        let reached: BTreeSet<String> = state.tree()?.into_iter().map(|role| role.name).collect();
        for name in state.listed.keys().filter_map(|path| path.strip_suffix(".json")).filter(|name| !reached.contains(*name)) {
            let file = self.folders.staged_file(name);
            if files::size(&file)?.is_some() {
                files::remove(&file)?;
            }
        }
        Ok(())
    }

    fn published_name(&self, new: &New) -> Result<PathBuf, RepositoryError> {
        self.folders.published_file(&new.role, new.document.version()?)
    }
}

impl State {
    /// Whether the staged document of a delegator counts less of what a role's keys have signed than the published one: a key goes, or more of
    /// them must have signed.
    pub(super) fn takes_signers(&mut self, by: &str, role: &str) -> Result<bool, RepositoryError> {
        // The keys that the root names sign no artifacts.
        if by == "root" {
            return Ok(false);
        }
        let described = |document: Option<&Document>| -> Result<_, RepositoryError> {
            let Some(delegations) = document.map(edit::delegations).transpose()?.flatten() else { return Ok(None) };
            let found = delegations.roles.iter().find(|delegation| delegation.name.as_str() == role);
            Ok(found.map(|found| (delegations.keys_of(&found.keys), found.keys.threshold)))
        };
        let Some((before, needed)) = described(self.published(by)?)? else { return Ok(false) };
        let Some((after, needed_after)) = described(self.staged(by)?)? else { return Ok(false) };
        Ok(needed_after > needed || before.keys().iter().any(|key| !after.keys().contains(key)))
    }

    /// Whether the staged document of a role lists or revokes less than the published one.
    fn refuses_less(&mut self, role: &str) -> Result<bool, RepositoryError> {
        let Some(after) = self.staged(role)?.map(refusals_in).transpose()? else { return Ok(false) };
        let before = self.published(role)?.map(refusals_in).transpose()?.unwrap_or_default();
        Ok(!before.is_subset(&after))
    }

    /// Whether clients take the published document of a top-level role, by its expiry and its signatures.
    fn is_good(&mut self, name: &str, now: UnixTime) -> Result<bool, RepositoryError> {
        let mandate = self.mandate(name)?;
        let Some(published) = self.published(name)? else { return Ok(false) };
        Ok(published.expires()? > now && mandate.suffices(published)?)
    }
}

fn unexpired(role: &str, document: &Document, now: UnixTime) -> Result<(), RepositoryError> {
    let expires = document.expires()?;
    if expires > now { Ok(()) } else { Err(RepositoryError::Expired { role: role.to_owned(), expires }) }
}

/// Which signatures a document lacks.
fn unsigned(role: &str, document: &Document, mandates: &[Mandate]) -> Result<RepositoryError, RepositoryError> {
    let whose = [Some("by the new keys"), Some("by the keys of the published root")];
    for (mandate, by) in mandates.iter().zip(whose) {
        let standing = mandate.standing(document)?;
        if standing.missing() > 0 {
            let needed = standing.keys.iter().filter(|key| !key.signed).map(|key| key.keyid.clone()).collect();
            let by = by.filter(|_| mandates.len() > 1);
            return Ok(RepositoryError::Unsigned {
                role: role.to_owned(),
                valid: standing.valid,
                threshold: standing.threshold,
                by,
                needed,
            });
        }
    }
    // All of them are there, under other keyids than the keys have now.
    Ok(RepositoryError::OldKeyids { role: role.to_owned() })
}
