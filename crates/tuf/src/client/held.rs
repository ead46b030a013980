//! What one client holds of targets documents. Each is bounded by itself, and all of them together: a search visits many roles, which
//! strangers may sign.

use alloc::collections::BTreeMap;

use touchmark_envelope::Verified;

use super::step::Wanted;
use super::{Client, Failure, Purpose};
use crate::error::Error;
use crate::metadata::{FileMeta, Signatories, Targets, TopLevel};
use crate::path::RoleName;

/// Targets roles that were verified, each with who vouched for it.
#[derive(Debug, Default)]
pub(super) struct Held {
    roles: BTreeMap<RoleName, (Verified<Targets>, Signatories)>,
    bytes: u64,
}

impl Held {
    pub(super) fn get(&self, name: &RoleName) -> Option<&(Verified<Targets>, Signatories)> {
        self.roles.get(name)
    }

    pub(super) fn insert(&mut self, name: RoleName, role: Verified<Targets>, by: Signatories) {
        self.remove(&name);
        self.bytes = self.bytes.saturating_add(role.get().held());
        self.roles.insert(name, (role, by));
    }

    pub(super) fn remove(&mut self, name: &RoleName) {
        if let Some((role, _)) = self.roles.remove(name) {
            self.bytes = self.bytes.saturating_sub(role.get().held());
        }
    }

    fn retain(&mut self, keep: impl Fn(&RoleName) -> bool) {
        self.roles.retain(|name, _| keep(name));
        self.bytes = self.roles.values().map(|(role, _)| role.get().held()).fold(0, u64::saturating_add);
    }
}

impl Client {
    /// So many more bytes may be held. Should they be fewer than `wanted`, then the roles are dropped that earlier searches have visited
    /// and this one has not: what remains is what its outcome rests on.
    pub(super) fn room(&mut self, wanted: u64) -> u64 {
        let total = self.settings.limits.total;
        if self.roles.bytes.saturating_add(wanted) > total {
            let search = self.search.as_ref();
            self.roles.retain(|name| *name == RoleName::targets() || search.is_some_and(|search| search.has_visited(name)));
        }
        total.saturating_sub(self.roles.bytes)
    }

    /// Bytes of a role's document by itself: as many as are listed, or as many as are taken where no length is.
    pub(super) fn own_limit(&self, meta: &FileMeta) -> u64 {
        let limits = &self.settings.limits;
        meta.length.map_or(limits.targets, |length| length.min(limits.listed))
    }

    /// So many bytes of a role's document are taken in now: its own limit, as far as there is room.
    pub(super) fn role_limit(&mut self, name: &RoleName, meta: &FileMeta) -> Result<u64, Error> {
        let own = self.own_limit(meta);
        let room = self.room(own);
        if room == 0 || (meta.length.is_some() && own > room) {
            return Err(self.too_much(name));
        }
        Ok(own.min(room))
    }

    fn too_much(&self, name: &RoleName) -> Error {
        Error::TooMuchMetadata { role: name.as_str().into(), limit: self.settings.limits.total }
    }

    /// What it means that a file has more bytes than were asked for: where so many are listed, it is not the one that is listed (5.5.1,
    /// 5.6.1); where fewer were asked for than one document may have, there was no more room. Else it is the error that it was.
    pub(super) fn exceeded(&self, purpose: &Purpose, wanted: &Wanted, error: Error) -> Error {
        let (Wanted::Load { limit: asked, .. } | Wanted::Fetch { limit: asked, .. }) = wanted else { return error };
        let (Error::Fetch { failure: Failure::TooLarge { limit }, .. } | Error::Store { failure: Failure::TooLarge { limit }, .. }) =
            &error
        else {
            return error;
        };
        let (name, meta) = match purpose {
            Purpose::LoadSnapshot | Purpose::FetchSnapshot => (None, self.timestamp.as_ref().map(|known| known.get().snapshot())),
            Purpose::LoadRole(name) | Purpose::FetchRole(name) => {
                let snapshot = self.snapshot.as_ref().map(|known| known.get());
                (Some(name), snapshot.and_then(|snapshot| snapshot.meta().get(&name.metapath())))
            }
            _ => return error,
        };
        let Some(meta) = meta.filter(|_| limit >= asked) else { return error };
        match name {
            _ if meta.length == Some(*asked) => {
                let file = name.map_or(TopLevel::Snapshot.file().into(), RoleName::metapath);
                Error::Length { file, expected: *asked, found: asked.saturating_add(1) }
            }
            Some(name) if *asked < self.own_limit(meta) => self.too_much(name),
            _ => error,
        }
    }
}
