//! Targets roles, and the search for a target through them (TUF 1.0, 5.6).

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use touchmark_envelope::Verified;

use super::index::Recalled;
use super::step::{Given, Wanted};
use super::{Client, Purpose, State, index};
use crate::check;
use crate::error::Error;
use crate::metadata::{FileMeta, Probe, Probed, Signatories, Sought, Target, Targets, TopLevel};
use crate::path::{RoleName, TargetPath};
use crate::settings::{Index, Mode, Succinct};

/// What a search came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LookUp {
    /// What was searched for.
    pub target: TargetPath,
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
    /// How far the search in the stored document of the next one is.
    probe: Option<Probe>,
}

/// What came of a visit.
enum Visited {
    /// It is over.
    Done,
    /// This piece of the role's stored document is needed.
    Wants { start: u32, length: u32 },
    /// The role's stored document is not what its index is of.
    Wrong,
}

/// A role to be visited, and where it stands who signs for it.
#[derive(Debug)]
struct Ahead {
    name: RoleName,
    by: By,
}

/// Where it stands who signs for a role. It is read when the role's turn comes: a delegator may list thousands that are never visited.
#[derive(Debug)]
enum By {
    /// The root says it.
    Root,
    /// The delegation at this place among those of the role.
    Delegation(RoleName, usize),
    /// The role's succinct delegation.
    Bins(RoleName),
}

impl Search {
    pub(super) fn new(target: TargetPath) -> Self {
        let ahead = alloc::vec![Ahead { name: RoleName::targets(), by: By::Root }];
        Self { target, found: None, visited: Vec::new(), seen: BTreeSet::new(), ahead, probe: None }
    }

    pub(super) fn has_visited(&self, name: &RoleName) -> bool {
        self.seen.contains(name)
    }

    pub(super) fn outcome(self) -> LookUp {
        LookUp { target: self.target, found: self.found, visited: self.visited }
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
            let here = match self.roles.get(&next.name) {
                Some((_, by)) => self.signatories_by(&next.by)?.are(by),
                None => false,
            };
            if !here {
                let name = next.name.clone();
                search.ahead.push(next);
                self.search = Some(search);
                return self.ask_for_role(name);
            }
            match self.visit(&mut search, &next.name)? {
                Visited::Done => self.search = Some(search),
                Visited::Wants { start, length } => {
                    let name = next.name.clone();
                    search.ahead.push(next);
                    self.search = Some(search);
                    let wanted = Wanted::Read { file: name.file(), start: start.into(), length: length.into() };
                    self.ask(Purpose::ReadTarget(name), wanted);
                    return Ok(());
                }
                Visited::Wrong => {
                    let name = next.name.clone();
                    search.ahead.push(next);
                    self.search = Some(search);
                    return self.load_again(name);
                }
            }
        }
        Ok(())
    }

    /// 5.6.7.1 and 5.6.7.2 for a role that is here and verified as its delegator wants it.
    fn visit(&self, search: &mut Search, name: &RoleName) -> Result<Visited, Error> {
        let Some((role, _)) = self.roles.get(name) else { return Err(Error::NotReady) };
        let role = role.get();
        let malformed = || check::malformed(&name.metapath());
        let target = match role.find(&search.target).map_err(malformed())? {
            Sought::Known(target) => target,
            Sought::Stored(places) => {
                let probe = search.probe.get_or_insert_with(|| places.probe());
                match places.go_on(probe, search.target.as_str()) {
                    Probed::Piece(start, length) => return Ok(Visited::Wants { start, length }),
                    Probed::Wrong => return Ok(Visited::Wrong),
                    Probed::Entry(entry) => entry.map(|entry| Target::read(&entry, &search.target)).transpose().map_err(malformed())?,
                }
            }
        };
        search.probe = None;
        search.visited.push(name.clone());
        search.seen.insert(name.clone());
        if let Some(target) = target {
            search.found = Some(Found { role: name.clone(), target });
            return Ok(Visited::Done);
        }
        let Some(delegations) = role.delegations() else { return Ok(Visited::Done) };
        // In the order of appearance; after a terminating one that is for the target, nothing else is, here or further up.
        let mut children = Vec::new();
        let mut terminating = false;
        if let Some(bins) = &delegations.succinct {
            children.push(Ahead { name: bins.bin(&search.target), by: By::Bins(name.clone()) });
            terminating = self.settings.succinct == Succinct::Terminating;
        }
        // One more than can be visited shows that there are too many.
        let room = usize::try_from(self.settings.limits.roles).unwrap_or(usize::MAX).saturating_sub(search.visited.len()).saturating_add(1);
        let hash = search.target.hash().hex();
        let covering = delegations.roles.iter().enumerate().filter(|(_, delegation)| delegation.covers_hash(&search.target, &hash));
        for (place, delegation) in covering {
            if children.len() < room && !search.seen.contains(&delegation.name) {
                children.push(Ahead { name: delegation.name.clone(), by: By::Delegation(name.clone(), place) });
            }
            if delegation.terminating {
                terminating = true;
                break;
            }
        }
        if terminating {
            search.ahead.clear();
        }
        search.ahead.extend(children.into_iter().rev());
        Ok(Visited::Done)
    }

    /// Takes a piece of a stored document, which a search goes on in.
    pub(super) fn read_target(&mut self, name: RoleName, wanted: &Wanted, bytes: Option<Vec<u8>>) -> Result<(), Error> {
        let (Some(bytes), Wanted::Read { start, .. }) = (bytes, wanted) else { return self.load_again(name) };
        let probe = self.search.as_mut().and_then(|search| search.probe.as_mut());
        match (probe, u32::try_from(*start)) {
            (Some(probe), Ok(start)) => probe.take(start, bytes),
            _ => return self.load_again(name),
        }
        self.go_on_with_search()
    }

    /// Reads a document whole, the pieces of which do not fit.
    fn load_again(&mut self, name: RoleName) -> Result<(), Error> {
        self.roles.remove(&name);
        if let Some(search) = &mut self.search {
            search.probe = None;
        }
        self.load_role(name)
    }

    /// Who signs for a role: the root says it of the top-level one, the delegator that the search came by of any other.
    fn signatories_of(&self, name: &RoleName) -> Result<Signatories, Error> {
        if *name == RoleName::targets() {
            return self.signatories_by(&By::Root);
        }
        let next = self.search.as_ref().and_then(|search| search.ahead.last()).filter(|next| next.name == *name);
        self.signatories_by(&next.ok_or(Error::NotReady)?.by)
    }

    fn signatories_by(&self, by: &By) -> Result<Signatories, Error> {
        let delegator = match by {
            By::Root => return self.trusted_root()?.signatories(TopLevel::Targets).ok_or(Error::NoRoot),
            By::Delegation(delegator, _) | By::Bins(delegator) => delegator,
        };
        let delegations = self.role(delegator).and_then(|role| role.get().delegations()).ok_or(Error::NotReady)?;
        let keys = match by {
            By::Delegation(_, place) => delegations.roles.get(*place).map(|delegation| &delegation.keys),
            _ => delegations.succinct.as_ref().map(|bins| &bins.keys),
        };
        Ok(keys.ok_or(Error::NotReady)?.signatories(&delegations.keys))
    }

    /// What the snapshot lists of a role.
    fn listed(&self, name: &RoleName) -> Result<FileMeta, Error> {
        let file = name.metapath();
        self.trusted_snapshot()?.meta().get(&file).cloned().ok_or(Error::Unlisted { file })
    }

    /// 5.6.1: a role is looked for in the store, and fetched if that has not the version that the snapshot lists.
    pub(super) fn ask_for_role(&mut self, name: RoleName) -> Result<(), Error> {
        let meta = self.listed(&name)?;
        (self.recalled, self.known, self.index) = (None, None, None);
        // Without a repository to ask everything is verified again.
        if self.settings.index == Index::Kept && self.settings.mode == Mode::Online && index::is_for(&meta) {
            // A document has more bytes than its index.
            let own = self.own_limit(&meta);
            let limit = own.min(self.room(own));
            let file = name.index_file();
            self.ask(Purpose::LoadIndex(name), Wanted::Load { file, limit });
            return Ok(());
        }
        self.load_role(name)
    }

    /// With an index that is good for the role's keys, the store's file is hashed; without one it is read.
    pub(super) fn loaded_index(&mut self, name: RoleName, bytes: Option<Vec<u8>>) -> Result<(), Error> {
        let (by, meta) = (self.signatories_of(&name)?, self.listed(&name)?);
        let recalled = bytes.and_then(|bytes| Recalled::read(&bytes));
        self.known = recalled.as_ref().map(|recalled| recalled.signed().clone());
        self.recalled = recalled.filter(|recalled| recalled.signed().suffices(&by));
        if self.recalled.is_none() {
            return self.load_role(name);
        }
        let algorithms = Recalled::algorithms(&meta);
        let wanted = Wanted::Hash { file: name.file(), algorithms, limit: self.own_limit(&meta) };
        self.ask(Purpose::HashRole(name), wanted);
        Ok(())
    }

    /// 5.6.1, 5.6.2 for a file that stays in the store.
    pub(super) fn hashed_role(&mut self, name: RoleName, given: Given) -> Result<(), Error> {
        let meta = self.listed(&name)?;
        let (Some(recalled), Given::Hashed(length, digests)) = (&mut self.recalled, given) else { return self.load_role(name) };
        if !index::fits(length, &digests, &meta) {
            // An older one.
            return self.fetch_role(name);
        }
        let before = recalled.is_of(length, &digests).then(|| recalled.before()).flatten();
        let held = recalled.held();
        let Some((start, length)) = before.filter(|_| held <= self.room(held)) else { return self.load_role(name) };
        let wanted = Wanted::Read { file: name.file(), start, length };
        self.ask(Purpose::ReadHead(name), wanted);
        Ok(())
    }

    pub(super) fn read_head(&mut self, name: RoleName, bytes: Option<Vec<u8>>) -> Result<(), Error> {
        let (Some(recalled), Some(bytes)) = (&mut self.recalled, bytes) else { return self.load_role(name) };
        recalled.take_head(bytes);
        let Some((start, length)) = recalled.behind() else { return self.load_role(name) };
        let wanted = Wanted::Read { file: name.file(), start, length };
        self.ask(Purpose::ReadTail(name), wanted);
        Ok(())
    }

    /// 5.6.3 was checked when the index was made, for the same file; 5.6.4 and 5.6.5 are checked anew.
    pub(super) fn read_tail(&mut self, name: RoleName, bytes: Option<Vec<u8>>) -> Result<(), Error> {
        let (by, meta) = (self.signatories_of(&name)?, self.listed(&name)?);
        let role = self.recalled.take().and_then(|recalled| recalled.finish(&bytes?, &by));
        let Some(role) = role else { return self.load_role(name) };
        let (file, header) = (name.metapath(), role.get().header());
        check::version(&file, header, meta.version)?;
        check::unexpired(&file, header, self.at)?;
        self.roles.insert(name, role, by);
        self.role_is_here()
    }

    fn load_role(&mut self, name: RoleName) -> Result<(), Error> {
        let limit = self.role_limit(&name, &self.listed(&name)?)?;
        let wanted = Wanted::Load { file: name.file(), limit };
        self.ask(Purpose::LoadRole(name), wanted);
        Ok(())
    }

    /// What the store has of a role is verified as if it had been fetched, by the keys that its delegator lists now.
    pub(super) fn loaded_role(&mut self, name: RoleName, bytes: Option<Vec<u8>>) -> Result<(), Error> {
        let by = self.signatories_of(&name)?;
        let only = self.settings.mode == Mode::StoreOnly;
        match bytes.map(|bytes| self.read_role(&name, bytes, &by)) {
            Some(Ok(role)) => match check::unexpired(&name.metapath(), role.get().header(), self.at) {
                Ok(()) => {
                    self.roles.insert(name.clone(), role, by);
                    return if only { self.role_is_here() } else { self.store_index(name) };
                }
                Err(error) if only || !self.listed(&name)?.hashes.is_empty() => return Err(error),
                // Without a listed digest the repository may have another document of the same version.
                Err(_) => {}
            },
            Some(Err(error)) if only => return Err(error),
            None if only => return Err(Error::Missing { path: name.file() }),
            // Of another version, damaged, or signed by other keys.
            Some(Err(_)) | None => {}
        }
        self.fetch_role(name)
    }

    fn fetch_role(&mut self, name: RoleName) -> Result<(), Error> {
        let meta = self.listed(&name)?;
        let version = self.trusted_root()?.consistent_snapshot().then_some(meta.version);
        let wanted = Wanted::Fetch { path: name.fetch_path(version), limit: self.role_limit(&name, &meta)? };
        self.ask(Purpose::FetchRole(name), wanted);
        Ok(())
    }

    /// 5.6.1 to 5.6.5.
    pub(super) fn fetched_role(&mut self, name: RoleName, bytes: Vec<u8>) -> Result<(), Error> {
        let by = self.signatories_of(&name)?;
        let role = self.read_role(&name, bytes, &by)?;
        // 5.6.5.
        check::unexpired(&name.metapath(), role.get().header(), self.at)?;
        self.roles.insert(name.clone(), role, by);
        // 5.6.6.
        let file = name.file();
        self.ask(Purpose::StoreRole(name), Wanted::Store { file });
        Ok(())
    }

    /// Keeps the index of a role that was verified just now, if there is to be one.
    pub(super) fn store_index(&mut self, name: RoleName) -> Result<(), Error> {
        let meta = self.listed(&name)?;
        if self.settings.index == Index::Kept && index::is_for(&meta) {
            self.index = self.role(&name).and_then(|role| index::make(role, &meta, self.known.as_ref()));
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
        (self.recalled, self.known, self.index) = (None, None, None);
        if self.search.is_some() {
            return self.go_on_with_search();
        }
        self.refreshed = true;
        self.state = State::Ready;
        Ok(())
    }

    /// 5.6.1 to 5.6.4 and the document's form, which are the same for the store and the repository.
    fn read_role(&self, name: &RoleName, bytes: Vec<u8>, by: &Signatories) -> Result<Verified<Targets>, Error> {
        let file = name.metapath();
        let meta = self.listed(name)?;
        // 5.6.1, 5.6.2.
        check::listed(&file, &bytes, &meta)?;
        let document = check::document(&file, bytes, &self.settings.limits)?;
        // 5.6.3.
        let signed = check::signatures(name.as_str(), document, by)?;
        let role = signed.try_map(Targets::read).map_err(check::malformed(&file))?;
        // 5.6.4.
        check::version(&file, role.get().header(), meta.version)?;
        Ok(role)
    }
}
