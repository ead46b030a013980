//! Root, timestamp, snapshot and the top-level targets (TUF 1.0, 5.2 to 5.6.6), clause by clause.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use touchmark_envelope::{Unverified, Verified};

use super::step::{Given, Wanted};
use super::{Client, Purpose};
use crate::check;
use crate::error::Error;
use crate::metadata::{FileMeta, Root, Signatories, Snapshot, Timestamp, TopLevel};
use crate::path::RoleName;
use crate::settings::Mode;

impl Client {
    /// Takes an answer about root, timestamp or snapshot.
    pub(super) fn take_top_level(&mut self, purpose: Purpose, wanted: &Wanted, given: Given) -> Result<(), Error> {
        match purpose {
            Purpose::LoadRoot => self.loaded_root(given.bytes()),
            Purpose::FetchRoot => self.fetched_root(given.bytes()),
            Purpose::StoreRoot => match self.rotated {
                Some(TopLevel::Timestamp) => self.remove_void(TopLevel::Snapshot),
                Some(_) => self.remove_void(TopLevel::Timestamp),
                None => self.next_root(),
            },
            Purpose::RemoveVoid => match self.rotated.take() {
                Some(witness) => self.remove_void(witness),
                None => self.next_root(),
            },
            Purpose::LoadTimestamp => self.loaded_timestamp(given.bytes()),
            Purpose::FetchTimestamp => self.fetched_timestamp(given.required(wanted)?),
            Purpose::LoadWitness => self.loaded_witness(given.bytes()),
            Purpose::StoreTimestamp => self.update_snapshot(),
            Purpose::LoadSnapshot => self.loaded_snapshot(given.bytes()),
            Purpose::FetchSnapshot => self.fetched_snapshot(given.required(wanted)?),
            Purpose::StoreSnapshot => self.update_targets(),
            _ => Err(Error::WrongAnswer),
        }
    }

    /// 5.2: the root that the store has is trusted, whether or not it has expired. It must hold by its own keys: a damaged file is no root.
    fn loaded_root(&mut self, bytes: Option<Vec<u8>>) -> Result<(), Error> {
        let file = TopLevel::Root.file();
        let document = check::document(file, bytes.ok_or(Error::NoRoot)?, &self.settings.limits)?;
        let listed = Root::read(document.untrusted().clone()).map_err(check::malformed(file))?;
        let own = listed.signatories(TopLevel::Root).ok_or(Error::NoRoot)?;
        let root = check::signatures("root", document, &own)?.try_map(Root::read).map_err(check::malformed(file))?;
        self.root = Some(root);
        self.next_root()
    }

    /// 5.3.2, 5.3.3: asks for the version after the trusted one.
    fn next_root(&mut self) -> Result<(), Error> {
        if self.settings.mode == Mode::StoreOnly {
            return self.update_timestamp();
        }
        let next = self.trusted_root()?.header().version.saturating_add(1);
        let limit = self.settings.limits.root;
        self.ask(Purpose::FetchRoot, Wanted::Fetch { path: format!("{next}.root.json"), limit });
        Ok(())
    }

    /// 5.3.3 to 5.3.7.
    fn fetched_root(&mut self, bytes: Option<Vec<u8>>) -> Result<(), Error> {
        // 5.3.3: there is no newer root.
        let Some(bytes) = bytes else { return self.update_timestamp() };
        // 5.3.3: no more than Y in one update. Going on with a root that is known not to be the last would trust keys that may have been
        // taken away.
        let limit = self.settings.limits.roots;
        if self.new_roots >= limit {
            return Err(Error::TooManyRoots { limit });
        }
        let trusted = self.trusted_root()?;
        let expected = trusted.header().version.saturating_add(1);
        let file = format!("{expected}.root.json");
        let before = [TopLevel::Timestamp, TopLevel::Snapshot].map(|role| trusted.signatories(role));
        let document = check::document(&file, bytes, &self.settings.limits)?;
        let again = Unverified::new(document.untrusted().clone());
        // 5.3.4: by a threshold of the keys of the trusted root, and by one of its own.
        let old = trusted.signatories(TopLevel::Root).ok_or(Error::NoRoot)?;
        let by_old = check::signatures("root", document, &old)?.try_map(Root::read).map_err(check::malformed(&file))?;
        let own = by_old.get().signatories(TopLevel::Root).ok_or(Error::NoRoot)?;
        let root = check::signatures("root", again, &own)?.join(by_old, |_, root| root);
        // 5.3.5.
        check::version(&file, root.get().header(), expected)?;
        let after = [TopLevel::Timestamp, TopLevel::Snapshot].map(|role| root.get().signatories(role));
        // 5.3.6: whether it has expired does not matter yet. 5.3.7.
        self.root = Some(root);
        self.new_roots += 1;
        // 5.3.11: recovery from a fast-forward attack. Both files go, whichever role's keys were rotated. That role's goes last: should this
        // be interrupted, then it is there, is none by the new keys, and so shows that the other one is void too.
        let lost = |pair: (&Option<Signatories>, &Option<Signatories>)| match pair {
            (Some(before), Some(after)) => before.lost_one_in(after),
            _ => true,
        };
        let roles = [TopLevel::Timestamp, TopLevel::Snapshot];
        self.rotated = roles.into_iter().zip(before.iter().zip(&after)).find(|(_, pair)| lost(*pair)).map(|(role, _)| role);
        // 5.3.8.
        self.ask(Purpose::StoreRoot, Wanted::Store { file: TopLevel::Root.file().into() });
        Ok(())
    }

    fn remove_void(&mut self, role: TopLevel) -> Result<(), Error> {
        self.ask(Purpose::RemoveVoid, Wanted::Remove { file: role.file().into() });
        Ok(())
    }

    /// 5.3.10, then the timestamp that the store has had is looked at.
    fn update_timestamp(&mut self) -> Result<(), Error> {
        check::unexpired(TopLevel::Root.file(), self.trusted_root()?.header(), self.at)?;
        // One that was taken under another limit is still what a rollback shows by.
        let limit = self.settings.limits.timestamp.max(self.settings.limits.listed);
        self.ask(Purpose::LoadTimestamp, Wanted::Load { file: TopLevel::Timestamp.file().into(), limit });
        Ok(())
    }

    /// The timestamp of the store counts if the trusted root's keys signed it: against it a rollback shows. Its expiry does not matter yet.
    fn loaded_timestamp(&mut self, bytes: Option<Vec<u8>>) -> Result<(), Error> {
        let only = self.settings.mode == Mode::StoreOnly;
        let file = TopLevel::Timestamp.file();
        if only && bytes.is_none() {
            return Err(Error::Missing { path: file.into() });
        }
        let stored = bytes.clone();
        match bytes.map(|bytes| self.read_timestamp(bytes)) {
            Some(Ok(timestamp)) => self.timestamp = Some(timestamp),
            Some(Err(error)) if only => return Err(error),
            // Damaged, or signed by keys that are no longer the role's: as if there were none.
            Some(Err(_)) => self.voided = stored.is_some_and(|bytes| self.is_void(TopLevel::Timestamp, bytes)),
            None => {}
        }
        if only {
            check::unexpired(file, self.trusted_timestamp()?.header(), self.at)?;
            return self.update_snapshot();
        }
        let limit = self.settings.limits.timestamp;
        self.ask(Purpose::FetchTimestamp, Wanted::Fetch { path: file.into(), limit });
        Ok(())
    }

    fn read_timestamp(&self, bytes: Vec<u8>) -> Result<Verified<Timestamp>, Error> {
        let file = TopLevel::Timestamp.file();
        let document = check::document(file, bytes, &self.settings.limits)?;
        let by = self.trusted_root()?.signatories(TopLevel::Timestamp).ok_or(Error::NoRoot)?;
        // 5.4.2.
        check::signatures("timestamp", document, &by)?.try_map(Timestamp::read).map_err(check::malformed(file))
    }

    /// 5.4.1 to 5.4.4.
    fn fetched_timestamp(&mut self, bytes: Vec<u8>) -> Result<(), Error> {
        let file = TopLevel::Timestamp.file();
        let new = self.read_timestamp(bytes)?;
        if let Some(trusted) = self.timestamp.as_ref().map(Verified::get) {
            let (found, had) = (new.get().header().version, trusted.header().version);
            // 5.4.3.1: an older one is a rollback; one of the same version is discarded, and the trusted one stays.
            if found < had {
                return self.doubt(new, Error::Rollback { file: file.into(), trusted: had, found });
            }
            if found == had {
                check::unexpired(file, trusted.header(), self.at)?;
                return self.update_snapshot();
            }
            // 5.4.3.2.
            let (found, had) = (new.get().snapshot().version, trusted.snapshot().version);
            if found < had {
                return self.doubt(new, Error::Rollback { file: TopLevel::Snapshot.file().into(), trusted: had, found });
            }
        }
        self.newer_timestamp(new)
    }

    /// A timestamp is a rollback, unless the trusted one is void: then what the store has as the snapshot is none by the root's keys.
    fn doubt(&mut self, new: Verified<Timestamp>, rollback: Error) -> Result<(), Error> {
        self.doubted = Some((new, rollback));
        let limit = self.settings.limits.snapshot.max(self.settings.limits.listed);
        self.ask(Purpose::LoadWitness, Wanted::Load { file: TopLevel::Snapshot.file().into(), limit });
        Ok(())
    }

    fn loaded_witness(&mut self, bytes: Option<Vec<u8>>) -> Result<(), Error> {
        let (new, rollback) = self.doubted.take().ok_or(Error::NotReady)?;
        if !bytes.is_some_and(|bytes| self.is_void(TopLevel::Snapshot, bytes)) {
            return Err(rollback);
        }
        self.voided = true;
        self.newer_timestamp(new)
    }

    /// Whether a stored document is one of its role by keys that the root does not list any more (5.3.11): it names another one, and none
    /// of the root's has signed it. One that only has too few signatures since a threshold was raised is still what a rollback shows by, and
    /// so is one beside a document that is damaged.
    fn is_void(&self, role: TopLevel, bytes: Vec<u8>) -> bool {
        let Ok(root) = self.trusted_root() else { return false };
        let (Some(by), Some(listed)) = (root.signatories(role), root.role(role)) else { return false };
        let Ok(document) = check::document(role.file(), bytes, &self.settings.limits) else { return false };
        let signatures = document.untrusted().signatures();
        let names_another = signatures.iter().filter_map(|signature| signature.keyid.as_ref()).any(|keyid| !listed.keyids.contains(keyid));
        names_another && check::signers(document.untrusted().signed_bytes(), document.untrusted(), &by).keys().is_empty()
    }

    fn newer_timestamp(&mut self, new: Verified<Timestamp>) -> Result<(), Error> {
        let file = TopLevel::Timestamp.file();
        // 5.4.4.
        check::unexpired(file, new.get().header(), self.at)?;
        self.timestamp = Some(new);
        // 5.4.5.
        self.ask(Purpose::StoreTimestamp, Wanted::Store { file: file.into() });
        Ok(())
    }

    /// 5.5: first whether the store has the snapshot already.
    fn update_snapshot(&mut self) -> Result<(), Error> {
        let limit = self.snapshot_limit(self.trusted_timestamp()?.snapshot());
        // One that the timestamp before listed may have been longer.
        let limit = limit.max(self.settings.limits.listed);
        self.ask(Purpose::LoadSnapshot, Wanted::Load { file: TopLevel::Snapshot.file().into(), limit });
        Ok(())
    }

    fn snapshot_limit(&self, meta: &FileMeta) -> u64 {
        let limits = &self.settings.limits;
        meta.length.map_or(limits.snapshot, |length| length.min(limits.listed))
    }

    /// The snapshot of the store counts if the trusted root's keys signed it. It is the one wanted if the timestamp lists it; else a new one
    /// is compared with it.
    fn loaded_snapshot(&mut self, bytes: Option<Vec<u8>>) -> Result<(), Error> {
        let file = TopLevel::Snapshot.file();
        let meta = self.trusted_timestamp()?.snapshot().clone();
        let only = self.settings.mode == Mode::StoreOnly;
        if only && bytes.is_none() {
            return Err(Error::Missing { path: file.into() });
        }
        let fits = bytes.as_ref().map(|bytes| check::listed(file, bytes, &meta));
        match bytes.map(|bytes| self.read_snapshot(bytes)) {
            Some(Ok(snapshot)) => self.snapshot = Some(snapshot),
            Some(Err(error)) if only => return Err(error),
            Some(Err(_)) | None => {}
        }
        if let (Some(snapshot), Some(fits)) = (&self.snapshot, fits) {
            let header = snapshot.get().header();
            let fits = fits.and_then(|()| check::version(file, header, meta.version));
            // One that has expired is fetched anew where the timestamp lists no digest, and so may mean another document.
            let fits = fits.and_then(|()| check::unexpired(file, header, self.at));
            match fits {
                Ok(()) => return self.update_targets(),
                Err(error) if only || (matches!(error, Error::Expired { .. }) && !meta.hashes.is_empty()) => return Err(error),
                Err(_) => {}
            }
        }
        if self.voided {
            self.snapshot = None;
        }
        let version = self.trusted_root()?.consistent_snapshot().then_some(meta.version);
        let path = version.map_or(String::from(file), |version| format!("{version}.{file}"));
        let limit = self.snapshot_limit(&meta);
        self.ask(Purpose::FetchSnapshot, Wanted::Fetch { path, limit });
        Ok(())
    }

    fn read_snapshot(&self, bytes: Vec<u8>) -> Result<Verified<Snapshot>, Error> {
        let file = TopLevel::Snapshot.file();
        let document = check::document(file, bytes, &self.settings.limits)?;
        let by = self.trusted_root()?.signatories(TopLevel::Snapshot).ok_or(Error::NoRoot)?;
        // 5.5.3.
        check::signatures("snapshot", document, &by)?.try_map(Snapshot::read).map_err(check::malformed(file))
    }

    /// 5.5.1 to 5.5.6.
    fn fetched_snapshot(&mut self, bytes: Vec<u8>) -> Result<(), Error> {
        let file = TopLevel::Snapshot.file();
        let meta = self.trusted_timestamp()?.snapshot().clone();
        // 5.5.1, 5.5.2.
        check::listed(file, &bytes, &meta)?;
        let new = self.read_snapshot(bytes)?;
        // 5.5.4.
        check::version(file, new.get().header(), meta.version)?;
        if let Some(trusted) = &self.snapshot {
            not_older(trusted.get(), new.get())?;
        }
        // 5.5.6.
        check::unexpired(file, new.get().header(), self.at)?;
        self.snapshot = Some(new);
        // 5.5.7.
        self.ask(Purpose::StoreSnapshot, Wanted::Store { file: file.into() });
        Ok(())
    }

    /// 5.6.
    fn update_targets(&mut self) -> Result<(), Error> {
        self.ask_for_role(RoleName::targets())
    }

    pub(super) fn trusted_root(&self) -> Result<&Root, Error> {
        self.root.as_ref().map(Verified::get).ok_or(Error::NoRoot)
    }

    fn trusted_timestamp(&self) -> Result<&Timestamp, Error> {
        self.timestamp.as_ref().map(Verified::get).ok_or(Error::NotReady)
    }

    pub(super) fn trusted_snapshot(&self) -> Result<&Snapshot, Error> {
        self.snapshot.as_ref().map(Verified::get).ok_or(Error::NotReady)
    }
}

/// 5.5.5: no role's version goes back, and none that was listed is gone. That the snapshot's own version does not go back either follows
/// for whoever has the timestamp of the snapshot that is trusted; it is checked for a store that lost it.
fn not_older(trusted: &Snapshot, new: &Snapshot) -> Result<(), Error> {
    let (found, had) = (new.header().version, trusted.header().version);
    if found < had {
        return Err(Error::Rollback { file: TopLevel::Snapshot.file().into(), trusted: had, found });
    }
    for (file, had) in trusted.meta() {
        let now = new.meta().get(file).ok_or_else(|| Error::Disappeared { file: file.clone() })?;
        if now.version < had.version {
            return Err(Error::Rollback { file: file.clone(), trusted: had.version, found: now.version });
        }
    }
    Ok(())
}
