//! Targets roles, and the search for a target through them (TUF 1.0, 5.6).

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use touchmark_envelope::Verified;

use super::step::Wanted;
use super::{Client, Purpose, State, index};
use crate::check;
use crate::error::Error;
use crate::metadata::{FileMeta, Signatories, Target, Targets, TopLevel};
use crate::path::{RoleName, TargetPath};
use crate::settings::{Index, Mode, Succinct};

/// What a search came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LookUp {
    /// The target, if a role lists it.
    pub found: Option<Found>,
    /// The roles that were visited, in their order: the one that lists the target is the last.
    pub visited: Vec<RoleName>,
}

/// A target that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The role that lists it.
    pub role: RoleName,
    /// What it says of it.
    pub target: Target,
}

/// A pre-order depth-first search (5.6.7).
#[derive(Debug)]
pub(super) struct Search {
    target: TargetPath,
    found: Option<Found>,
    visited: Vec<RoleName>,
    seen: BTreeSet<RoleName>,
    /// What is still to be visited, the next one last.
    ahead: Vec<Ahead>,
}

/// A role to be visited, and who signs for it as its delegator says.
#[derive(Debug)]
struct Ahead {
    name: RoleName,
    by: Option<Signatories>,
}

impl Search {
    pub(super) fn new(target: TargetPath) -> Self {
        let ahead = alloc::vec![Ahead { name: RoleName::targets(), by: None }];
        Self { target, found: None, visited: Vec::new(), seen: BTreeSet::new(), ahead }
    }

    pub(super) fn outcome(self) -> LookUp {
        LookUp { found: self.found, visited: self.visited }
    }
}

impl Client {
    /// Visits roles until one is needed that is not here, or the search is over.
    pub(super) fn go_on_with_search(&mut self) -> Result<(), Error> {
        while let Some(mut search) = self.search.take() {
            let Some(next) = search.ahead.pop().filter(|_| search.found.is_none()) else {
                self.search = Some(search);
                self.state = State::Ready;
                return Ok(());
            };
            // 5.6.7.1: each role once, so that cycles end.
            if search.seen.contains(&next.name) {
                self.search = Some(search);
                continue;
            }
            let limit = self.settings.limits.roles;
            if u32::try_from(search.visited.len()).unwrap_or(u32::MAX) >= limit {
                return Err(Error::TooManyRoles { limit });
            }
            let here = self.roles.get(&next.name).is_some_and(|(_, by)| next.by.as_ref().is_none_or(|now| now.are(by)));
            if !here {
                let name = next.name.clone();
                search.ahead.push(next);
                self.search = Some(search);
                return self.ask_for_role(name);
            }
            self.visit(&mut search, next.name)?;
            self.search = Some(search);
        }
        Ok(())
    }

    /// 5.6.7.1 and 5.6.7.2 for a role that is here and verified as its delegator wants it.
    fn visit(&self, search: &mut Search, name: RoleName) -> Result<(), Error> {
        let Some((role, _)) = self.roles.get(&name) else { return Err(Error::NotReady) };
        let role = role.get();
        search.visited.push(name.clone());
        search.seen.insert(name.clone());
        if let Some(target) = role.find(&search.target).map_err(check::malformed(&name.metapath()))? {
            search.found = Some(Found { role: name, target });
            return Ok(());
        }
        let Some(delegations) = role.delegations() else { return Ok(()) };
        // In the order of appearance; after a terminating one that is for the target, nothing else is, here or further up.
        let mut children = Vec::new();
        let mut terminating = false;
        if let Some(bins) = &delegations.succinct {
            children.push(Ahead { name: bins.bin(&search.target), by: Some(bins.keys.signatories(&delegations.keys)) });
            terminating = self.settings.succinct == Succinct::Terminating;
        }
        for delegation in delegations.roles.iter().filter(|delegation| delegation.covers(&search.target)) {
            children.push(Ahead { name: delegation.name.clone(), by: Some(delegation.keys.signatories(&delegations.keys)) });
            if delegation.terminating {
                terminating = true;
                break;
            }
        }
        if terminating {
            search.ahead.clear();
        }
        search.ahead.extend(children.into_iter().rev());
        Ok(())
    }

    /// Who signs for a role: the root says it of the top-level one, the delegator that the search came by of any other.
    fn signatories_of(&self, name: &RoleName) -> Result<Signatories, Error> {
        if *name == RoleName::targets() {
            return self.trusted_root()?.signatories(TopLevel::Targets).ok_or(Error::NoRoot);
        }
        let next = self.search.as_ref().and_then(|search| search.ahead.last()).filter(|next| next.name == *name);
        next.and_then(|next| next.by.clone()).ok_or(Error::NotReady)
    }

    /// What the snapshot lists of a role.
    fn listed(&self, name: &RoleName) -> Result<FileMeta, Error> {
        let file = name.metapath();
        self.trusted_snapshot()?.meta().get(&file).cloned().ok_or(Error::Unlisted { file })
    }

    /// 5.6.1: a role is looked for in the store, and fetched if that has not the version that the snapshot lists.
    pub(super) fn ask_for_role(&mut self, name: RoleName) -> Result<(), Error> {
        let meta = self.listed(&name)?;
        self.index = None;
        if self.settings.index == Index::Kept && index::is_for(&meta) {
            // A document has more bytes than its index.
            let wanted = Wanted::Load { file: name.index_file(), limit: self.role_limit(&meta) };
            self.ask(Purpose::LoadIndex(name), wanted);
            return Ok(());
        }
        self.load_role(name)
    }

    pub(super) fn loaded_index(&mut self, name: RoleName, bytes: Option<Vec<u8>>) -> Result<(), Error> {
        self.index = bytes;
        self.load_role(name)
    }

    fn load_role(&mut self, name: RoleName) -> Result<(), Error> {
        let limit = self.role_limit(&self.listed(&name)?);
        let wanted = Wanted::Load { file: name.file(), limit };
        self.ask(Purpose::LoadRole(name), wanted);
        Ok(())
    }

    fn role_limit(&self, meta: &FileMeta) -> u64 {
        let limits = &self.settings.limits;
        meta.length.map_or(limits.targets, |length| length.min(limits.listed))
    }

    /// What the store has of a role is verified as if it had been fetched, by the keys that its delegator lists now.
    pub(super) fn loaded_role(&mut self, name: RoleName, bytes: Option<Vec<u8>>) -> Result<(), Error> {
        let by = self.signatories_of(&name)?;
        let only = self.settings.mode == Mode::StoreOnly;
        let index = self.index.take();
        match bytes.map(|bytes| self.read_role(&name, bytes, index.as_deref(), &by)) {
            Some(Ok((role, recalled))) => {
                check::unexpired(&name.metapath(), role.get().header(), self.at)?;
                self.roles.insert(name.clone(), (role, by));
                return if recalled || only { self.role_is_here() } else { self.store_index(name) };
            }
            Some(Err(error)) if only => return Err(error),
            None if only => return Err(Error::Missing { path: name.file() }),
            // Of another version, damaged, or signed by other keys.
            Some(Err(_)) | None => {}
        }
        let meta = self.listed(&name)?;
        let version = self.trusted_root()?.consistent_snapshot().then_some(meta.version);
        let wanted = Wanted::Fetch { path: name.fetch_path(version), limit: self.role_limit(&meta) };
        self.ask(Purpose::FetchRole(name), wanted);
        Ok(())
    }

    /// 5.6.1 to 5.6.5.
    pub(super) fn fetched_role(&mut self, name: RoleName, bytes: Vec<u8>) -> Result<(), Error> {
        let by = self.signatories_of(&name)?;
        let (role, _) = self.read_role(&name, bytes, None, &by)?;
        // 5.6.5.
        check::unexpired(&name.metapath(), role.get().header(), self.at)?;
        self.roles.insert(name.clone(), (role, by));
        // 5.6.6.
        let file = name.file();
        self.ask(Purpose::StoreRole(name), Wanted::Store { file });
        Ok(())
    }

    /// Keeps the index of a role that was verified just now, if there is to be one.
    pub(super) fn store_index(&mut self, name: RoleName) -> Result<(), Error> {
        let meta = self.listed(&name)?;
        if self.settings.index == Index::Kept && index::is_for(&meta) {
            self.index = self.role(&name).and_then(|role| index::make(role, &meta));
        }
        if self.index.is_none() {
            return self.role_is_here();
        }
        let file = name.index_file();
        self.ask(Purpose::StoreIndex(name), Wanted::Store { file });
        Ok(())
    }

    /// A targets role is verified, and kept.
    pub(super) fn role_is_here(&mut self) -> Result<(), Error> {
        self.index = None;
        if self.search.is_some() {
            return self.go_on_with_search();
        }
        self.refreshed = true;
        self.state = State::Ready;
        Ok(())
    }

    /// 5.6.1 to 5.6.4 and the document's form, which are the same for the store and the repository.
    ///
    /// With the index that was made of this very file, it says so, and only the form of what stands beside the targets is looked at again.
    fn read_role(
        &self,
        name: &RoleName,
        bytes: Vec<u8>,
        index: Option<&[u8]>,
        by: &Signatories,
    ) -> Result<(Verified<Targets>, bool), Error> {
        let file = name.metapath();
        let meta = self.listed(name)?;
        // 5.6.1, 5.6.2.
        check::listed(&file, &bytes, &meta)?;
        let recalled = match index {
            Some(index) => index::recall(bytes, index, &meta, by),
            None => Err(bytes),
        };
        let (signed, recalled) = match recalled {
            Ok(signed) => (signed, true),
            Err(bytes) => {
                let document = check::document(&file, bytes, &self.settings.limits)?;
                // 5.6.3.
                (check::signatures(name.as_str(), document, by)?, false)
            }
        };
        let role = signed.try_map(Targets::read).map_err(check::malformed(&file))?;
        // 5.6.4.
        check::version(&file, role.get().header(), meta.version)?;
        Ok((role, recalled))
    }
}
