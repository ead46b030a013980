//! What is sealed: what is accepted now, as it was accepted, from the publisher's own list or from a proposal that a person confirms.

use std::collections::BTreeMap;
use std::path::Path;

use touchmark::trust::standing::{Claim, Details};
use touchmark::trust::{AcceptedBy, Artifact};
use touchmark::trust_root::{StoreChoice, TrustRoot, TrustRootError, TrustSettings};
use touchmark::tuf::FolderSource;
use touchmark::tuf::repository::Repository;
use touchmark::{Name, Policy, Request, UnixTime};
use touchmark_verify::exit::Exit;
use touchmark_verify::output::Failure;

use super::failure;
use super::known::{Found, Places};
use crate::access::AccessArgs;
use crate::places;

/// Bytes of a list of what is to be sealed.
const MAX_LIST: u64 = 64 << 20;
/// How a list begins that was drawn from a place, and is nobody's record.
const PROPOSED: &str = "# touchmark proposal:";

/// What is to be sealed.
pub(super) struct Sealed {
    pub(super) claims: Vec<(Name, Claim)>,
    /// The artifacts, in the same order.
    pub(super) artifacts: Vec<(Name, Found)>,
}

/// Clients of what is published.
struct Clients {
    root: Vec<u8>,
    metadata: FolderSource,
    settings: TrustSettings,
    now: UnixTime,
}

impl Clients {
    fn of(repository: &Repository, now: UnixTime) -> Result<Self, Failure> {
        let root = repository.published_root().map_err(|error| failure(&error))?;
        let metadata = FolderSource::new(repository.metadata_folder());
        Ok(Self { root, metadata, settings: TrustSettings::new(StoreChoice::Nowhere), now })
    }

    fn open(&self) -> Result<TrustRoot<'_>, Failure> {
        TrustRoot::open(&self.root, &self.metadata, &self.settings, self.now).map_err(|error| of_trust(&error))
    }
}

fn of_trust(error: &TrustRootError) -> Failure {
    Failure::new(Exit::UntrustedMetadata, error.code(), format!("what is published: {error}"))
}

/// What is to be sealed, each of which clients of what is published accept under its name now: all of them, or the first failure.
pub(super) fn accepted(repository: &Repository, wanted: &[(Name, String)], access: &AccessArgs, now: UnixTime) -> Result<Sealed, Failure> {
    let mut sealed = Sealed { claims: Vec::new(), artifacts: Vec::new() };
    if wanted.is_empty() {
        return Ok(sealed);
    }
    let clients = Clients::of(repository, now)?;
    let mut trust = clients.open()?;
    let mut places = Places::of(wanted.iter().map(|(_, reference)| reference.as_str()), access)?;
    let mut published = Listings::of(repository);
    for (name, reference) in wanted {
        let found = places.find(reference)?;
        let standing = trust.standing(name).map_err(|error| of_trust(&error))?;
        let request = Request::new(Policy::trust(standing), found.descriptor.digest, now);
        let accepted = touchmark::decide(found.source.as_ref(), request).map_err(|rejected| {
            let message = format!("{reference}: it is not accepted as {name} now, and so cannot be sealed: {rejected}");
            Failure::new(Exit::from(rejected.class()), rejected.fault().code(), message)
        })?;
        let mut claim = found.claim();
        claim.details = details(&mut published, name, &claim, accepted.get())?;
        sealed.claims.push((name.clone(), claim));
        sealed.artifacts.push((name.clone(), found));
    }
    Ok(sealed)
}

/// What roles have published, each read once.
struct Listings {
    published: Repository,
    by_role: BTreeMap<String, BTreeMap<Name, Vec<Claim>>>,
}

impl Listings {
    fn of(repository: &Repository) -> Self {
        Self { published: repository.draft_of_published(), by_role: BTreeMap::new() }
    }

    /// What a role seals under a name.
    fn seals(&mut self, role: &str, name: &Name) -> Result<Vec<Claim>, Failure> {
        if !self.by_role.contains_key(role) {
            let mut seals: BTreeMap<Name, Vec<Claim>> = BTreeMap::new();
            let listed = self.published.names(Some(role)).map_err(|error| failure(&error))?;
            for one in listed.into_iter().filter(|one| one.is_seal) {
                seals.entry(one.name).or_default().push(one.claim);
            }
            self.by_role.insert(role.to_owned(), seals);
        }
        Ok(self.by_role.get(role).and_then(|seals| seals.get(name)).cloned().unwrap_or_default())
    }
}

/// What is said of an artifact by what accepts it: a seal restricts no less.
fn details(published: &mut Listings, name: &Name, claim: &Claim, artifact: &Artifact) -> Result<Details, Failure> {
    let media_type = claim.details.media_type.clone();
    let listed = match artifact.accepted_by() {
        AcceptedBy::Entry { .. } => artifact.standing().and_then(|standing| standing.entry()).map(|entry| entry.details.clone()),
        AcceptedBy::Seal { role } => {
            let sealed = published.seals(role, name)?.into_iter();
            let same = sealed.filter(|one| one.hashes.iter().all(|hash| claim.hashes.contains(hash)));
            // Of several that are alike, the one that lasts longest.
            same.map(|one| one.details).max_by_key(|details| (details.expires.is_none(), details.expires))
        }
        _ => None,
    };
    if let Some(listed) = listed {
        return Ok(Details { media_type: listed.media_type.or(media_type), ..listed });
    }
    // Of the statements that counted, those that count longest, as many as it takes: what all of them say.
    let mut statements: Vec<_> = artifact.accepted().iter().collect();
    statements.sort_by_key(|one| std::cmp::Reverse((one.said().expires.is_none(), one.said().expires)));
    let (mut keys, mut taken) = (Vec::new(), Vec::new());
    for one in statements {
        taken.push(one.said());
        for key in one.keys() {
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        if keys.len() >= artifact.needed() {
            break;
        }
    }
    let expires = taken.iter().filter_map(|said| said.expires).min();
    let mut annotations = taken.first().map(|said| said.annotations.clone()).unwrap_or_default();
    annotations.retain(|key, value| taken.iter().all(|said| said.annotations.get(key) == Some(value)));
    Ok(Details { media_type, expires, annotations })
}

/// What a place has that a publisher's keys accept by signature now, a full threshold of them.
pub(super) struct Proposal {
    pub(super) from: String,
    pub(super) lines: Vec<(Name, String)>,
    /// What is said to be the publisher's and is not accepted so.
    pub(super) left_out: usize,
}

impl Proposal {
    /// Looks at every artifact of the place, under every name of the publisher that a statement about it has.
    pub(super) fn draw(repository: &Repository, role: &str, from: &str, access: &AccessArgs, now: UnixTime) -> Result<Self, Failure> {
        let clients = Clients::of(repository, now)?;
        let mut trust = clients.open()?;
        let published = repository.draft_of_published();
        let mut proposal = Self { from: from.to_owned(), lines: Vec::new(), left_out: 0 };
        let found = Places::of([from], access)?.all(from)?;
        let claimed = found.iter().map(Found::claimed_names).collect::<Result<Vec<_>, _>>()?;
        let owned = published.owned(role, claimed.iter().flatten()).map_err(|error| failure(&error))?;
        for (found, names) in found.iter().zip(&claimed) {
            for name in names.iter().filter(|name| owned.contains(*name)).cloned() {
                let standing = trust.standing(&name).map_err(|error| of_trust(&error))?;
                let request = Request::new(Policy::trust(standing), found.descriptor.digest, now);
                match touchmark::decide(found.source.as_ref(), request) {
                    Ok(accepted) if matches!(accepted.get().accepted_by(), AcceptedBy::Envelopes { .. }) => {
                        proposal.lines.push((name, found.pin.clone()));
                    }
                    Ok(_) => {}
                    Err(rejected) if rejected.class() == touchmark::Class::Unknown => {
                        return Err(Failure::new(Exit::Unknown, rejected.fault().code(), format!("{}: {rejected}", found.pin)));
                    }
                    Err(_) => proposal.left_out += 1,
                }
            }
        }
        proposal.lines.sort();
        Ok(proposal)
    }

    /// As a list of what is to be sealed.
    pub(super) fn text(&self, role: &str) -> Vec<String> {
        let mut lines = vec![
            format!("{PROPOSED} what {} has that {role}'s keys have signed", self.from),
            "# Whoever has the keys may have put it there. Strike out what is not the publisher's own.".to_owned(),
        ];
        lines.extend(self.lines.iter().map(|(name, reference)| format!("{name} {reference}")));
        lines
    }
}

/// A list of what is to be sealed.
pub(super) struct List {
    pub(super) lines: Vec<(Name, String)>,
    /// Whether it was drawn from a place.
    pub(super) is_proposal: bool,
}

impl List {
    /// Reads lines of NAME REF; empty ones and those that begin with # are passed over.
    pub(super) fn read(list: &Path) -> Result<Self, Failure> {
        let bytes = places::read_file(list, "list", MAX_LIST)?;
        let text = String::from_utf8(bytes).map_err(|_| Failure::usage(format!("{}: not UTF-8", list.display())))?;
        let mut read = Self { lines: Vec::new(), is_proposal: false };
        for (number, line) in text.lines().enumerate().map(|(number, line)| (number + 1, line.trim())) {
            if line.is_empty() || line.starts_with('#') {
                read.is_proposal |= line.starts_with(PROPOSED);
                continue;
            }
            let wrong = |reason: String| Failure::usage(format!("{}: line {number}: {reason}", list.display())).hint("a line is NAME REF");
            let (name, reference) = line.split_once(char::is_whitespace).ok_or_else(|| wrong("no REF".to_owned()))?;
            let name = name.parse().map_err(|error: touchmark::envelope::name::NameError| wrong(error.to_string()))?;
            read.lines.push((name, reference.trim().to_owned()));
        }
        Ok(read)
    }
}
