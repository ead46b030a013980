//! Anchor tags: one for each referrer in a registry without the referrers API, so that none is lost when the list under the fallback
//! tag is overwritten, and none is collected as garbage (SPEC.md, section "Storage in registries").

use std::ops::ControlFlow;

use touchmark_envelope::Digest;
use touchmark_envelope::manifest::{Descriptor, Manifest, ManifestError};
use touchmark_envelope::sorted;

use super::Registry;
use super::manifests::Name;
use crate::error::Error;
use crate::scan::{describe, length};
use crate::source::Source;
use crate::union::{is_list_tag, list_tag};

/// At most this many bytes of annotations, which are hints, are kept of a referrer that was found by its anchor.
const MAX_ANNOTATIONS: usize = 64 << 10;
/// So many tags one after the other do not happen to be sorted.
const EVIDENCE: usize = 50;
/// At most this many anchors of one subject are listed.
const MAX_ANCHORS: usize = 100_000;

/// Why something is no anchor that is nothing like a manifest: a registry holds no such thing under a tag, so it came in the place of
/// what it holds.
pub(super) const UNLIKE: &str = "it is nothing like a manifest";

/// The anchor tags of a subject.
#[derive(Default)]
pub(super) struct AnchorTags {
    /// The tags, in the order of the registry.
    pub(super) tags: Vec<String>,
    /// Why these may not be all.
    pub(super) stopped: Option<Error>,
}

/// The anchor tag of a referrer: the fallback tag of its subject, a dot, and 12 digits of its own digest.
pub(super) fn anchor_tag(subject: &Digest, referrer: &Digest) -> String {
    format!("{}.{}", list_tag(subject), anchor_digits(referrer))
}

/// The digits by which an anchor names a referrer.
pub(super) fn anchor_digits(referrer: &Digest) -> String {
    let mut hex = referrer.hex();
    hex.truncate(12);
    hex
}

impl Registry {
    /// Lists the anchor tags of `subject`.
    ///
    /// Most repositories have one page of tags. Of those with more, all pages are read, unless the registry plainly sorts its tags:
    /// then those between the first page and the anchors are skipped by `last`, and the search ends at the first tag that is past them.
    /// (There are registries with tags in the order of their making, whose `last` skips anchors too.)
    pub(super) fn anchor_tags(&self, subject: &Digest) -> AnchorTags {
        let prefix = list_tag(subject);
        let mut search =
            Search { prefix: prefix.clone(), tags: Vec::new(), sorted_until: Some(String::new()), sorted: 0, began_before: false };
        let mut skip = false;
        let mut listed = self.tag_pages(None, |tags, more| {
            let seen = search.see(tags);
            skip = more && search.is_sorted() && search.sorted_until.as_ref().is_some_and(|last| *last < prefix);
            if skip { ControlFlow::Break(()) } else { seen }
        });
        if skip {
            let mut empty = true;
            search.sorted_until = Some(prefix.clone());
            listed = self.tag_pages(Some(&prefix), |tags, _| {
                empty &= tags.is_empty();
                search.see(tags)
            });
            if search.tags.len() <= MAX_ANCHORS && (listed.is_err() || empty || search.sorted_until.is_none()) {
                search.sorted_until = None;
                listed = self.tag_pages(None, |tags, _| search.see(tags));
            }
        }
        if search.tags.len() > MAX_ANCHORS {
            let what = format!("the list of the anchors of {subject}");
            listed = Err(Error::TooMany { location: self.location(), what, limit: MAX_ANCHORS });
        }
        sorted::sort(&mut search.tags);
        search.tags.dedup();
        AnchorTags { tags: search.tags, stopped: listed.err() }
    }

    /// The referrer that an anchor tag of `subject` names, as it is listed; `None` if there is no such tag any more.
    ///
    /// # Errors
    /// Not to be read, more than `limit` bytes, no manifest, or the referrer of something else.
    pub(super) fn read_anchor(&self, tag: &str, subject: &Digest, limit: u64) -> Result<Option<Descriptor>, Error> {
        self.fetch(Name::Tag(tag), limit, |fetched| {
            let digest = fetched.digest;
            let bytes = self.keep(fetched);
            let manifest = Manifest::parse(&bytes).map_err(|error| {
                let unlike = matches!(error, ManifestError::Json(_) | ManifestError::Member("schemaVersion"));
                let reason = if unlike { UNLIKE.to_owned() } else { error.to_string() };
                Error::Malformed { location: self.location(), what: tag.to_owned(), reason }
            })?;
            if manifest.subject.as_ref().is_none_or(|found| found.digest != *subject) {
                return Err(Error::OtherSubject { location: self.location(), subject: *subject, referrer: digest });
            }
            let mut descriptor = describe(&manifest, &digest, length(&bytes));
            let annotations: usize = descriptor.annotations.iter().map(|(name, text)| name.len().saturating_add(text.len())).sum();
            if annotations > MAX_ANNOTATIONS {
                descriptor.annotations.clear();
            }
            Ok(descriptor)
        })
    }
}

/// Looks through pages of tags for anchors.
struct Search {
    prefix: String,
    tags: Vec<String>,
    /// The last tag, as long as each came after the one before it; `None` once one did not.
    sorted_until: Option<String>,
    /// How many these were.
    sorted: usize,
    /// Whether one came before the anchors. Where none did, tags in the order of their making may look sorted.
    began_before: bool,
}

impl Search {
    /// Whether the registry sorts its tags, by all that was seen.
    fn is_sorted(&self) -> bool {
        self.sorted_until.is_some() && self.sorted >= EVIDENCE
    }

    fn see(&mut self, tags: Vec<String>) -> ControlFlow<()> {
        for tag in &tags {
            self.sorted_until = self.sorted_until.take().filter(|before| before < tag).map(|_| tag.clone());
            self.sorted = self.sorted.saturating_add(1);
        }
        let prefix = self.prefix.as_str();
        self.began_before |= tags.first().is_some_and(|first| first.as_str() < prefix);
        self.tags.extend(tags.into_iter().filter(|tag| tag.starts_with(prefix) && tag.len() > prefix.len() && is_list_tag(tag)));
        let past = self.is_sorted()
            && self.began_before
            && self.sorted_until.as_ref().is_some_and(|last| last.as_str() > prefix && !last.starts_with(prefix));
        if past || self.tags.len() > MAX_ANCHORS { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use touchmark_envelope::digest::Algorithm;

    #[test]
    fn an_anchor_is_a_tag_whatever_the_algorithms() {
        for algorithm in Algorithm::ALL {
            let tag = anchor_tag(&algorithm.digest(b"subject"), &algorithm.digest(b"referrer"));
            assert_eq!(tag.len(), algorithm.name().len() + 1 + 64 + 1 + 12);
            assert!(is_list_tag(&tag) && touchmark_envelope::name::is_version(&tag));
        }
    }
}
