//! What is ours in the roles that searches come to, read once for all names.

use alloc::borrow::ToOwned;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use touchmark_envelope::digest::Digests;
use touchmark_envelope::sorted;
use touchmark_envelope::{Digest, Name};
use touchmark_tuf::{Client, RoleName};

use super::claim::Claim;
use super::member::{Malformed, RoleMember, claims};

/// What is ours in the roles that a client holds, as far as names were asked for: a role that has sealed a thousand artifacts is not read a
/// thousand times for them.
///
/// It hangs on no client: each role's text is compared with the one that was read, and another one is read anew. What a client has dropped
/// is dropped here with the next question.
#[derive(Debug, Default)]
pub struct Members(BTreeMap<RoleName, Member>);

/// One role's member.
#[derive(Debug)]
pub(super) struct Member {
    /// The text that this was read from.
    text: String,
    pub(super) envelopes: Arc<BTreeSet<String>>,
    pub(super) revoked: Arc<BTreeMap<Digest, String>>,
    /// The names that are sealed, in their order, and the texts of what is sealed under each.
    sealed: Vec<(String, String)>,
    /// What is sealed under the versions of the path that was asked for last, by digest.
    versions: Option<(String, BTreeMap<Digest, BTreeSet<Name>>)>,
}

impl Members {
    /// What is ours in this role's text.
    pub(super) fn of(&mut self, role: &RoleName, text: Option<&str>) -> Result<Option<&mut Member>, Malformed> {
        let Some(text) = text else { return Ok(None) };
        if self.0.get(role).is_none_or(|known| known.text != text) {
            self.0.insert(role.clone(), Member::read(text)?);
        }
        Ok(self.0.get_mut(role))
    }

    /// Drops what the client holds no more.
    pub(super) fn keep_of(&mut self, client: &Client) {
        self.0.retain(|role, _| client.role(role).is_some());
    }
}

impl Member {
    fn read(text: &str) -> Result<Self, Malformed> {
        let (read, mut sealed) = RoleMember::read_parts(text)?;
        sorted::sort(&mut sealed);
        let RoleMember { envelopes, revoked, .. } = read;
        Ok(Self { text: text.to_owned(), envelopes: Arc::new(envelopes), revoked: Arc::new(revoked), sealed, versions: None })
    }

    /// What it seals under a name.
    pub(super) fn seals(&self, name: &str) -> Result<Vec<Claim>, Malformed> {
        match self.sealed.binary_search_by(|(sealed, _)| sealed.as_str().cmp(name)) {
            Ok(at) => self.sealed.get(at).map_or(Ok(Vec::new()), |(_, text)| claims(text)),
            Err(_) => Ok(Vec::new()),
        }
    }

    /// The versions of the name `path` under which it seals an artifact with one of these digests.
    pub(super) fn versions(&mut self, path: &str, digests: &Digests) -> Result<BTreeSet<Name>, Malformed> {
        if self.versions.as_ref().is_none_or(|(of, _)| of != path) {
            let mut by_digest: BTreeMap<Digest, BTreeSet<Name>> = BTreeMap::new();
            for (sealed, text) in &self.sealed {
                if !sealed.strip_prefix(path).is_some_and(|rest| rest.starts_with(':')) {
                    continue;
                }
                let claims = claims(text)?;
                let Ok(name) = sealed.parse::<Name>() else { continue };
                for digest in claims.iter().flat_map(|claim| &claim.hashes) {
                    by_digest.entry(*digest).or_default().insert(name.clone());
                }
            }
            self.versions = Some((path.to_owned(), by_digest));
        }
        let known = self.versions.as_ref().map(|(_, by_digest)| by_digest);
        let of = |digest: &Digest| known.and_then(|known| known.get(digest)).cloned().unwrap_or_default();
        Ok(sorted::set(digests.all().iter().flat_map(of)))
    }
}
