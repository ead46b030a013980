//! What roles leave behind that lose names: what they refused is not to be forgotten, and goes to their delegator.

use std::collections::{BTreeMap, BTreeSet};

use touchmark_envelope::{Digest, Name};
use touchmark_trust::standing::MEMBER;
use touchmark_tuf::TargetPath;
use touchmark_tuf::metadata::{Delegation, Paths};
use touchmark_tuf::repository::{Document, EditError, TargetChanges, lists_target};

use super::RepositoryError;
use super::names::{add_revocations, edit_ours, listed_by, member_of, names_of, nothing, put_names};
use super::state::State;

/// What is done about a role that loses names and whose document cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// It keeps them.
    Refused,
    /// It loses them, and nothing of it is kept: somehow one must get rid of it.
    PassedOver,
}

/// What roles refused of names that they lose.
#[derive(Debug, Default)]
pub(super) struct Legacy {
    revoked: BTreeMap<Digest, String>,
    withdrawn: BTreeSet<Name>,
    /// The roles that go altogether.
    gone: BTreeSet<String>,
}

impl Legacy {
    /// That of these roles of `by`, which go, and of those below them.
    pub(super) fn of(state: &mut State, by: &str, gone: &[String], unreadable: Unreadable) -> Result<Self, RepositoryError> {
        let legacy = Self { gone: gone.iter().cloned().collect(), ..Self::default() };
        legacy.gathered(state, by, gone, None, unreadable)
    }

    /// That of a role of `by` which stays, for these paths alone, and of those below it. Of roles that lose no names there is nothing.
    pub(super) fn of_narrowed(state: &mut State, by: &str, role: &str, paths: &Paths) -> Result<Self, RepositoryError> {
        let family = state.family(by)?;
        let before = family.as_ref().and_then(|family| family.delegations.roles.iter().find(|one| one.name.as_str() == role));
        match before {
            Some(before) if !is_within(&before.paths, paths) => {
                let after = Delegation { paths: paths.clone(), ..before.clone() };
                Self::default().gathered(state, by, &[role.to_owned()], Some(&after), Unreadable::Refused)
            }
            _ => Ok(Self::default()),
        }
    }

    /// That of a role alone, as it is published.
    pub(super) fn of_published(state: &mut State, role: &str) -> Result<Self, RepositoryError> {
        let (revoked, withdrawn) = Self::said_by(state, role)?;
        Ok(Self { revoked, withdrawn: withdrawn.into_iter().collect(), ..Self::default() })
    }

    /// With what these roles of `by`, and those below them, say of names that they lose: all, or those that are not for `after`. A name was
    /// withdrawn if a search for it came to the role that says so.
    fn gathered(
        mut self,
        state: &mut State,
        by: &str,
        roles: &[String],
        after: Option<&Delegation>,
        unreadable: Unreadable,
    ) -> Result<Self, RepositoryError> {
        let mut seen = BTreeSet::new();
        let mut ahead: Vec<Vec<(String, String)>> = roles.iter().map(|role| vec![(by.to_owned(), role.clone())]).collect();
        while let Some(way) = ahead.pop() {
            let Some((_, role)) = way.last().filter(|(_, role)| seen.insert(role.clone())) else { continue };
            let read = Self::said_by(state, role).and_then(|said| Ok((said, state.family(role)?)));
            let ((revoked, withdrawn), family) = match read {
                Ok(read) => read,
                Err(_) if unreadable == Unreadable::PassedOver => continue,
                Err(error) => return Err(error),
            };
            self.add_revoked(revoked);
            for name in withdrawn {
                let target = TargetPath::from(&name);
                // Whom a search asks before the first of the roles is as before, so that it comes there if that is for the name.
                let mut leaves = after.is_none_or(|after| !after.covers(&target));
                for (above, role) in &way {
                    leaves &= state.family(above)?.is_some_and(|family| family.covering(&target).0.contains(role));
                }
                if leaves {
                    self.withdrawn.insert(name);
                }
            }
            let Some(family) = family else { continue };
            let stays = |child: &str| {
                let delegation = family.delegations.roles.iter().find(|one| one.name.as_str() == child);
                after.zip(delegation).is_some_and(|(after, delegation)| is_within(&delegation.paths, &after.paths))
            };
            let below = family.names().filter(|child| !stays(child));
            ahead.extend(below.map(|child| way.iter().cloned().chain([(role.clone(), child.to_owned())]).collect()));
        }
        if !self.is_empty() {
            // A malformed one is not mended by writing into it.
            member_of(state, by)?;
        }
        Ok(self)
    }

    fn said_by(state: &mut State, role: &str) -> Result<(BTreeMap<Digest, String>, Vec<Name>), RepositoryError> {
        let revoked = member_of(state, role)?.revoked;
        let withdrawn = listed_by(state, role)?.into_iter().filter(|one| one.claim.length == 0);
        Ok((revoked, withdrawn.map(|one| one.name).collect()))
    }

    fn add_revoked(&mut self, revoked: BTreeMap<Digest, String>) {
        for (digest, reason) in revoked {
            self.revoked.entry(digest).or_insert(reason);
        }
    }

    /// Writes it into a document, whose own entries stay as they are.
    pub(super) fn keep_in(&self, document: &mut Document) -> Result<(), EditError> {
        let listed = document.value(MEMBER)?.map(|member| names_of(member.get("envelopes"))).unwrap_or_default();
        if !self.revoked.is_empty() || !listed.is_disjoint(&self.gone) {
            edit_ours(document, |member| {
                put_names(member, listed.difference(&self.gone).cloned().collect());
                add_revocations(member, &self.revoked);
            })?;
        }
        let mut changes = TargetChanges::new();
        for target in self.withdrawn.iter().map(TargetPath::from) {
            if !lists_target(document, &target)? {
                changes.add(&target, &nothing())?;
            }
        }
        if changes.is_empty() { Ok(()) } else { changes.apply(document) }
    }

    fn is_empty(&self) -> bool {
        self.revoked.is_empty() && self.withdrawn.is_empty()
    }
}

/// Whether every path that is of `inner` is certainly of `outer`, too. Of patterns that overlap in other ways, or several that are so only
/// together, it is not found out.
fn is_within(inner: &Paths, outer: &Paths) -> bool {
    match (inner, outer) {
        (Paths::Patterns(inner), Paths::Patterns(outer)) => {
            inner.iter().all(|inner| outer.iter().any(|outer| is_pattern_within(inner, outer)))
        }
        (Paths::HashPrefixes(inner), Paths::HashPrefixes(outer)) => {
            inner.iter().all(|inner| outer.iter().any(|outer| inner.starts_with(outer.as_str())))
        }
        _ => false,
    }
}

/// A `*` alone is for whatever another wildcard is for.
fn is_pattern_within(inner: &str, outer: &str) -> bool {
    let same = |(inner, outer): (&str, &str)| outer == "*" || outer == inner;
    inner.split('/').count() == outer.split('/').count() && inner.split('/').zip(outer.split('/')).all(same)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_within_others_if_every_path_certainly_is() {
        let patterns = |patterns: &[&str]| Paths::Patterns(patterns.iter().map(|&one| one.to_owned()).collect());
        let prefixes = |prefixes: &[&str]| Paths::HashPrefixes(prefixes.iter().map(|&one| one.to_owned()).collect());
        for (inner, outer) in [
            (patterns(&["acme/*"]), patterns(&["acme/*/*", "acme/*"])),
            (patterns(&["acme/x*", "acme/?/y"]), patterns(&["*/*", "acme/*/*"])),
            (patterns(&["acme/x?"]), patterns(&["acme/x?"])),
            (prefixes(&["0a", "1"]), prefixes(&["0", "1"])),
        ] {
            assert!(is_within(&inner, &outer), "{inner:?} {outer:?}");
        }
        for (inner, outer) in [
            (patterns(&["acme/*", "acme/*/*"]), patterns(&["acme/*"])),
            (patterns(&["acme/*"]), patterns(&["acme/x", "acme/?", "acme/x*", "other/*", "acme/*/*"])),
            (prefixes(&["0"]), prefixes(&["0a", "1"])),
            (patterns(&["acme/*"]), prefixes(&["0"])),
            (prefixes(&["0"]), patterns(&["acme/*"])),
        ] {
            assert!(!is_within(&inner, &outer), "{inner:?} {outer:?}");
        }
    }
}
