//! What cosign ties to a manifest by a tag that is made of its digest: `sha256-HEX.sig`, `.att` and `.sbom`.

use std::collections::HashMap;

use touchmark_envelope::Digest;
use touchmark_envelope::digest::Algorithm;
use touchmark_envelope::manifest::Descriptor;

use crate::error::{Class, Error};
use crate::parallel;
use crate::source::Source;

/// What such tags end in.
const SUFFIXES: [&str; 3] = ["sig", "att", "sbom"];
/// Tags of registries are no longer (OCI distribution spec, "Pulling manifests").
const MAX_TAG: usize = 128;

/// The digest that a tag of cosign's belongs to: `sha256-HEX.sig`, `.att` and `.sbom`.
pub fn cosign_subject(tag: &str) -> Option<Digest> {
    let (subject, suffix) = tag.split_once('.')?;
    let (algorithm, hex) = subject.split_once('-')?;
    if !SUFFIXES.contains(&suffix) {
        return None;
    }
    Digest::from_hex(Algorithm::from_name(algorithm)?, hex).ok()
}

/// The tags of a place, as far as they are cosign's.
pub(super) enum Tags {
    /// The place tells what every tag names.
    Described(HashMap<Digest, Vec<(String, Descriptor)>>),
    /// The place tells their names.
    Named(HashMap<Digest, Vec<String>>),
    /// The place lists no tags, so that each is asked for.
    Unlisted,
}

/// A tag of cosign's, and what it names.
pub(super) type Tagged = (String, Result<Descriptor, Error>);

impl Tags {
    /// Lists the tags of `source`.
    ///
    /// # Errors
    /// The source cannot be reached, or goes on failing.
    pub(super) fn of(source: &dyn Source) -> Result<Self, Error> {
        if source.repository().is_none() {
            let mut described: HashMap<Digest, Vec<(String, Descriptor)>> = HashMap::new();
            for (tag, descriptor) in source.tags()? {
                if let Some(subject) = cosign_subject(&tag) {
                    described.entry(subject).or_default().push((tag, descriptor));
                }
            }
            return Ok(Tags::Described(described));
        }
        let names = match source.tag_names() {
            Ok(names) => names,
            // What has no list of tags, hides it, or has one that is of no use, has tags all the same.
            Err(error) if is_refusal(&error) => return Ok(Tags::Unlisted),
            Err(error) => return Err(error),
        };
        let mut named: HashMap<Digest, Vec<String>> = HashMap::new();
        for tag in names {
            if let Some(subject) = cosign_subject(&tag) {
                named.entry(subject).or_default().push(tag);
            }
        }
        Ok(Tags::Named(named))
    }

    /// What is tied to each of `subjects`, each subject being asked for once. Of tags that were listed, one that names nothing is an
    /// error.
    pub(super) fn tied(&mut self, source: &dyn Source, subjects: &[Digest]) -> Vec<Vec<Tagged>> {
        let (tags, listed) = match self {
            Tags::Described(described) => {
                let mut tied = |subject| described.remove(subject).unwrap_or_default();
                return subjects.iter().map(|subject| tied(subject).into_iter().map(|(tag, named)| (tag, Ok(named))).collect()).collect();
            }
            Tags::Named(named) => {
                let wanted = subjects.iter().enumerate();
                let tags =
                    wanted.flat_map(|(place, subject)| named.remove(subject).unwrap_or_default().into_iter().map(move |tag| (place, tag)));
                (tags.collect::<Vec<_>>(), true)
            }
            Tags::Unlisted => {
                let wanted = subjects.iter().enumerate();
                let tags = wanted.flat_map(|(place, subject)| possible(subject).map(move |tag| (place, tag)));
                (tags.collect(), false)
            }
        };
        let resolved = parallel::map(&tags, source.readers(), |(_, tag)| source.resolve(Some(tag), None));
        let mut tied: Vec<Vec<Tagged>> = subjects.iter().map(|_| Vec::new()).collect();
        for ((place, tag), found) in tags.into_iter().zip(resolved) {
            let is_none = !listed && found.as_ref().is_err_and(|error| error.class() == Class::NotFound);
            if let Some(tied) = tied.get_mut(place).filter(|_| !is_none) {
                tied.push((tag, found));
            }
        }
        tied
    }
}

/// The tags that cosign may have made for a manifest.
fn possible(subject: &Digest) -> impl Iterator<Item = String> {
    let stem = format!("{}-{}", subject.algorithm(), subject.hex());
    SUFFIXES.into_iter().map(move |suffix| format!("{stem}.{suffix}")).filter(|tag| tag.len() <= MAX_TAG)
}

/// Whether a failure to list tags is an answer, and not the lack of one.
fn is_refusal(error: &Error) -> bool {
    match error {
        Error::Status { status, .. } => (400..500).contains(status) && *status != 429,
        other => !matches!(other.class(), Class::Unavailable),
    }
}
