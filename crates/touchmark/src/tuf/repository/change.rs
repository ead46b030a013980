//! Changes, each staged as the next version of a role.

use std::collections::BTreeMap;

use touchmark_envelope::UnixTime;
use touchmark_tuf::metadata::Paths;
use touchmark_tuf::repository::{
    self as edit, Appointment, Change, Document, EditError, Mandate, NewDelegation, Place, TargetChanges, tidy_signatures,
};

use super::bins::bins_of;
use super::legacy::{Legacy, Unreadable};
use super::names::seals_in;
use super::router::Router;
use super::sign::welcome;
use super::state::{Seat, State};
use super::{Repository, RepositoryError};

/// A delegation to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delegate {
    /// To roles, in their order.
    Roles(Vec<NewDelegation>, Place),
    /// To 2^`bit_length` bins by one description (TAP 15).
    Succinct {
        /// What the names of the bins begin with.
        name_prefix: String,
        /// How many bits of the hash number the bin.
        bit_length: u32,
        /// Who signs for every bin.
        signers: Appointment,
    },
}

impl Repository {
    /// Changes a targets role, or the root. What is staged of it already is changed further, and loses its signatures. Gives whether
    /// anything changed.
    ///
    /// # Errors
    /// No such role; what the edit says.
    pub fn edit(
        &self,
        role: &str,
        now: UnixTime,
        change: impl FnOnce(&mut Document) -> Result<(), EditError>,
    ) -> Result<bool, RepositoryError> {
        let _lock = self.lock()?;
        self.stage_edit(&mut self.state()?, role, now, change)
    }

    /// As [`edit`](Self::edit), under the lock.
    pub(super) fn stage_edit(
        &self,
        state: &mut State,
        role: &str,
        now: UnixTime,
        change: impl FnOnce(&mut Document) -> Result<(), EditError>,
    ) -> Result<bool, RepositoryError> {
        match state.seat(role)? {
            Seat::Delegated { prefix: true, .. } => return Err(RepositoryError::Bins { role: role.to_owned() }),
            _ if matches!(role, "snapshot" | "timestamp") => return Err(RepositoryError::NotEdited { role: role.to_owned() }),
            _ => {}
        }
        self.stage(state, role, now, Touch::IfChanged, change)
    }

    /// Changes who signs for a role, or for hash bins by their prefix; gives the roles that are staged for it. Documents that the new keys
    /// have not signed are staged too, to be signed by them.
    ///
    /// # Errors
    /// No such role or key, or an outcome that could never verify.
    pub fn change_keys(&self, role: &str, changes: &[Change], now: UnixTime) -> Result<Vec<String>, RepositoryError> {
        let _lock = self.lock()?;
        self.stage_keys(&mut self.state()?, role, changes, now)
    }

    /// As [`change_keys`](Self::change_keys), under the lock.
    pub(super) fn stage_keys(
        &self,
        state: &mut State,
        role: &str,
        changes: &[Change],
        now: UnixTime,
    ) -> Result<Vec<String>, RepositoryError> {
        let mut staged = Vec::new();
        let affected = match state.seat(role) {
            Ok(Seat::Root(top)) => {
                if self.stage(state, "root", now, Touch::IfChanged, |root| edit::change_top_level(root, top, changes))? {
                    staged.push("root".to_owned());
                }
                // Roots are signed by old and new keys anyway; snapshot and timestamp are made when something is published.
                Vec::from_iter((role == "targets").then(|| role.to_owned()))
            }
            Ok(Seat::Delegated { by, prefix }) => {
                let change = |document: &mut Document| edit::change_delegated(document, role, changes);
                if self.stage(state, &by, now, Touch::IfChanged, change)? {
                    staged.push(by.clone());
                }
                match prefix {
                    true => state.family(&by)?.iter().flat_map(|family| family.names()).map(str::to_owned).collect(),
                    false => vec![role.to_owned()],
                }
            }
            Err(RepositoryError::NoSuchRole { .. }) => {
                let (by, bins) = hash_bins(state, role)?;
                let change = |document: &mut Document| bins.iter().try_for_each(|bin| edit::change_delegated(document, bin, changes));
                if self.stage(state, &by, now, Touch::IfChanged, change)? {
                    staged.push(by);
                }
                bins
            }
            Err(error) => return Err(error),
        };
        for name in affected {
            if self.have_signed_again(state, &name, now)? {
                staged.push(name);
            }
        }
        Ok(staged)
    }

    /// Stages the next version of a role that its keys, as they are now, have not signed. Of what is staged, signatures of keys that left
    /// are dropped.
    fn have_signed_again(&self, state: &mut State, name: &str, now: UnixTime) -> Result<bool, RepositoryError> {
        let mandate = state.mandate(name)?;
        let welcome = welcome(state, name)?;
        if let Some(staged) = state.staged(name)? {
            let mut staged = staged.clone();
            let all: Vec<&Mandate> = std::iter::once(&mandate).chain(&welcome).collect();
            if tidy_signatures(&mut staged, &all)? {
                self.write_staged(name, &staged)?;
                state.put_staged(name, Some(staged));
            }
            return Ok(false);
        }
        let Some(published) = state.published(name)? else { return Ok(false) };
        if mandate.suffices(published)? {
            return Ok(false);
        }
        self.stage(state, name, now, Touch::Always, |_| Ok(()))
    }

    /// Delegates from `by`, and stages an empty document of each new role. Gives the roles that are staged.
    ///
    /// # Errors
    /// A name that is taken anywhere, a pattern that no client would match, keys that could never reach the threshold.
    pub fn delegate(&self, by: &str, delegate: &Delegate, now: UnixTime) -> Result<Vec<String>, RepositoryError> {
        let _lock = self.lock()?;
        let mut state = self.state()?;
        match state.seat(by)? {
            Seat::Delegated { prefix: true, .. } => return Err(RepositoryError::Bins { role: by.to_owned() }),
            Seat::Root(_) if by != "targets" => return Err(RepositoryError::NotEdited { role: by.to_owned() }),
            _ => {}
        }
        let taken: std::collections::BTreeSet<String> = state.tree()?.into_iter().map(|role| role.name.to_ascii_lowercase()).collect();
        let names: Vec<String> = match delegate {
            Delegate::Roles(roles, _) => roles.iter().map(|role| role.name.clone()).collect(),
            Delegate::Succinct { name_prefix, bit_length, .. } => {
                edit::hash_bins(name_prefix, *bit_length, &Appointment { keys: Vec::new(), threshold: 1 })?
                    .into_iter()
                    .map(|bin| bin.name)
                    .collect()
            }
        };
        if let Some(name) = names.iter().find(|name| taken.contains(&name.to_ascii_lowercase())) {
            return Err(RepositoryError::Edit(EditError::RoleExists { role: name.clone() }));
        }
        self.stage(&mut state, by, now, Touch::IfChanged, |document| match delegate {
            Delegate::Roles(roles, place) => edit::delegate(document, roles, place),
            Delegate::Succinct { name_prefix, bit_length, signers } => edit::delegate_succinct(document, name_prefix, *bit_length, signers),
        })?;
        let mut published = state.without_staged()?;
        for name in &names {
            // Empty, also where a role of that name was delegated before: its targets were other people's.
            let mut document = edit::new_targets(self.expires(name, now)?)?;
            document.set_version(state.next_version(name)?)?;
            // But for what it refuses for as long as it is delegated in what is published: this may come to be published before its end.
            if state.published_version(name)?.is_some() && published.seat(name).is_ok() {
                Legacy::of_published(&mut published, name)?.keep_in(&mut document)?;
            }
            self.write_staged(name, &document)?;
        }
        Ok(std::iter::once(by.to_owned()).chain(names).collect())
    }

    /// Takes a delegation away, or that to hash bins by their prefix; gives the role that is staged for it. What was revoked and withdrawn there
    /// goes to the delegator, as far as it can be read.
    ///
    /// # Errors
    /// No such role; what is ours in the delegator's document is malformed.
    pub fn undelegate(&self, role: &str, now: UnixTime) -> Result<String, RepositoryError> {
        self.undelegate_with(role, Unreadable::PassedOver, now)
    }

    /// As [`undelegate`](Self::undelegate): all of it in one document, so that no interruption leaves the one without the other.
    pub(super) fn undelegate_with(&self, role: &str, unreadable: Unreadable, now: UnixTime) -> Result<String, RepositoryError> {
        let _lock = self.lock()?;
        let mut state = self.state()?;
        let (by, named, gone) = match state.seat(role) {
            Ok(Seat::Delegated { by, prefix: true }) => {
                let bins = state.family(&by)?.iter().flat_map(|family| family.names()).map(str::to_owned).collect();
                (by, vec![role.to_owned()], bins)
            }
            Ok(Seat::Delegated { by, prefix: false }) => (by, vec![role.to_owned()], vec![role.to_owned()]),
            Err(RepositoryError::NoSuchRole { .. }) => {
                let (by, bins) = hash_bins(&mut state, role)?;
                (by, bins.clone(), bins)
            }
            Ok(Seat::Root(_)) => return Err(RepositoryError::NoSuchRole { role: role.to_owned() }),
            Err(error) => return Err(error),
        };
        let legacy = Legacy::of(&mut state, &by, &gone, unreadable)?;
        let change = |document: &mut Document| {
            named.iter().try_for_each(|name| edit::undelegate(document, name))?;
            legacy.keep_in(document)
        };
        self.stage(&mut state, &by, now, Touch::IfChanged, change)?;
        for name in &gone {
            // What is published goes when this is: until then it may be given up, and what was signed is there.
            if state.published_version(name)?.is_none() {
                self.folders.unstage(name)?;
            }
        }
        Ok(by)
    }

    /// Changes what a delegated role may vouch for; gives the role that is staged for it. If names may leave the role, what it and the roles
    /// below it revoked goes to the delegator, and those of their withdrawn names that leave, in the same document.
    ///
    /// # Errors
    /// No such role, or a pattern that no client would match; names may leave, and what is ours in one of the documents is malformed.
    pub fn change_paths(&self, role: &str, paths: &Paths, terminating: bool, now: UnixTime) -> Result<String, RepositoryError> {
        let _lock = self.lock()?;
        let mut state = self.state()?;
        let Seat::Delegated { by, prefix: false } = state.seat(role)? else { return Err(RepositoryError::Bins { role: role.to_owned() }) };
        let legacy = Legacy::of_narrowed(&mut state, &by, role, paths)?;
        let change = |document: &mut Document| {
            edit::change_paths(document, role, paths, terminating)?;
            legacy.keep_in(document)
        };
        self.stage(&mut state, &by, now, Touch::IfChanged, change)?;
        Ok(by)
    }

    /// Adds targets to a role, or removes them, or to the hash bins whose names begin with `role` and a hyphen. Gives the roles that are
    /// staged for it.
    ///
    /// # Errors
    /// A target that no client would look for there, or that is to be removed and not listed. Nothing is staged then.
    pub fn change_targets(&self, role: &str, changes: &TargetChanges, now: UnixTime) -> Result<Vec<String>, RepositoryError> {
        let _lock = self.lock()?;
        let mut state = self.state()?;
        let router = Router::new(&mut state, role)?;
        let mut by_role: BTreeMap<String, TargetChanges> = BTreeMap::new();
        for (path, change) in changes.iter() {
            let target = touchmark_tuf::TargetPath::new(path);
            let target = target.map_err(|error| EditError::Target { path: path.to_owned(), reason: error.to_string() })?;
            let name = match change {
                Some(_) => router.role(&mut state, &target)?,
                // What was listed where nobody looks can be taken away all the same.
                None => router
                    .role(&mut state, &target)
                    .or_else(|error| if state.seat(role).is_ok() { Ok(role.to_owned()) } else { Err(error) })?,
            };
            by_role.entry(name).or_default().take(path, changes);
        }
        // All of them are tried before one is written.
        for (name, changes) in &by_role {
            if let Some(document) = state.current(name)? {
                changes.check(document)?;
            }
        }
        let mut staged = Vec::new();
        for (name, changes) in &by_role {
            if self.stage(&mut state, name, now, Touch::IfChanged, |document| changes.apply(document))? {
                staged.push(name.clone());
            }
        }
        Ok(staged)
    }

    /// Stages the next version of each of these roles, which says the same and expires later: of all of them or of none.
    ///
    /// # Errors
    /// No such role; [`RepositoryError::Stale`].
    pub fn renew(&self, roles: &[String], now: UnixTime) -> Result<(), RepositoryError> {
        let _lock = self.lock()?;
        let mut state = self.state()?;
        for role in roles {
            match state.seat(role)? {
                Seat::Delegated { prefix: true, .. } => return Err(RepositoryError::Bins { role: role.to_owned() }),
                _ if matches!(role.as_str(), "snapshot" | "timestamp") => return Err(RepositoryError::NotEdited { role: role.to_owned() }),
                _ => {}
            }
            state.fresh(role)?;
            state.next_version(role)?;
        }
        roles.iter().try_for_each(|role| self.stage(&mut state, role, now, Touch::Always, |_| Ok(())).map(|_| ()))
    }

    /// Gives up what is staged of these roles, with its signatures, whatever is in the files: of all of them or of none.
    ///
    /// # Errors
    /// Nothing is staged of one of them; one holds the seals for keys that go in another, which is to stay staged.
    pub fn discard(&self, roles: &[String]) -> Result<(), RepositoryError> {
        let _lock = self.lock()?;
        let files: Vec<_> = roles.iter().map(|role| self.folders.staged_file(role)).collect();
        if let Some((role, _)) = roles.iter().zip(&files).find(|(_, file)| file.symlink_metadata().is_err()) {
            return Err(RepositoryError::NothingStaged { role: role.to_owned() });
        }
        let mut state = self.state()?;
        for role in roles {
            self.assert_no_seals_needed(&mut state, role, roles)?;
        }
        roles.iter().try_for_each(|role| self.folders.unstage(role))
    }

    /// That what is staged of a role has no seals for keys of it that go in what is staged of its delegator, but for one of `others`.
    fn assert_no_seals_needed(&self, state: &mut State, role: &str, others: &[String]) -> Result<(), RepositoryError> {
        // What cannot be read has none.
        let Ok(Seat::Delegated { by, prefix: false }) = state.seat(role) else { return Ok(()) };
        if others.contains(&by) || !state.takes_signers(&by, role).unwrap_or_default() {
            return Ok(());
        }
        let published = state.published(role)?.map(seals_in).transpose()?.unwrap_or_default();
        let Ok(Some(staged)) = state.staged(role).map(|staged| staged.map(seals_in)) else { return Ok(()) };
        match staged?.is_subset(&published) {
            true => Ok(()),
            false => Err(RepositoryError::SealsNeeded { role: role.to_owned(), by }),
        }
    }

    /// Stages a change of a role, under the lock. Gives whether anything was staged.
    fn stage(
        &self,
        state: &mut State,
        name: &str,
        now: UnixTime,
        touch: Touch,
        change: impl FnOnce(&mut Document) -> Result<(), EditError>,
    ) -> Result<bool, RepositoryError> {
        let expires = self.expires(name, now)?;
        let version = state.next_version(name)?;
        let mut document = match state.fresh(name)?.is_some() {
            true => state.take_staged(name)?,
            // The root is asked for again and again, and small.
            false if name == "root" => state.published(name)?.cloned(),
            false => state.take_published(name)?,
        };
        // It is delegated, and what was staged of it was given up.
        let mut document = match document.take() {
            Some(document) => document,
            None => edit::new_targets(expires)?,
        };
        change(&mut document)?;
        if touch == Touch::IfChanged && !document.is_changed() {
            // What was taken is read again if it is needed.
            state.forget(name);
            return Ok(false);
        }
        document.set_version(version)?;
        document.set_expires(expires)?;
        self.write_staged(name, &document)?;
        state.put_staged(name, Some(document));
        Ok(true)
    }
}

/// The delegator of the hash bins of this prefix, and their names.
fn hash_bins(state: &mut State, prefix: &str) -> Result<(String, Vec<String>), RepositoryError> {
    let found = state.first_delegator(|family| !bins_of(&family.delegations, prefix).is_empty())?;
    let (by, family) = found.ok_or_else(|| RepositoryError::NoSuchRole { role: prefix.to_owned() })?;
    Ok((by, bins_of(&family.delegations, prefix).iter().map(|role| role.name.as_str().to_owned()).collect()))
}

/// When a document is staged.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Touch {
    /// If the edit has changed it.
    IfChanged,
    /// In any case.
    Always,
}
