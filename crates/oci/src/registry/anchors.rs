//! Anchor tags: one for each referrer in a registry without the referrers API, so that none is lost when the list under the fallback
//! tag is overwritten, and none is collected as garbage (SPEC.md, section "Storage in registries").

use std::ops::ControlFlow;

use touchmark_envelope::Digest;
use touchmark_envelope::manifest::Descriptor;

use super::Registry;
use super::manifests::Name;
use crate::error::Error;
use crate::scan::{describe, length};
use crate::source::Source;
use crate::union::{is_list_tag, list_tag};

/// At most this many bytes of annotations, which are hints, are kept of a referrer that was found by its anchor.
const MAX_ANNOTATIONS: usize = 64 << 10;

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
    /// Only where the registry plainly gave what was asked for, sorted tags after the fallback tag, does the search end at the first
    /// that is past it; else all pages are read.
    pub(super) fn anchor_tags(&self, subject: &Digest) -> AnchorTags {
        let prefix = list_tag(subject);
        let mut search = Search { sorted_until: Some(prefix.clone()), prefix, tags: Vec::new(), empty: true };
        let mut listed = self.tag_pages(Some(&search.prefix.clone()), |tags| search.see(tags));
        // There are registries that give nothing after a tag that they do not have.
        if listed.is_ok() && search.empty {
            search.sorted_until = None;
            listed = self.tag_pages(None, |tags| search.see(tags));
        }
        search.tags.sort_unstable();
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
            let manifest = self.parsed(tag, &bytes)?;
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
    /// Up to which tag all were sorted and after the one that was asked for; `None` if they were not.
    sorted_until: Option<String>,
    tags: Vec<String>,
    /// No tag was seen.
    empty: bool,
}

impl Search {
    fn see(&mut self, tags: Vec<String>) -> ControlFlow<()> {
        self.empty &= tags.is_empty();
        for tag in &tags {
            self.sorted_until = self.sorted_until.take().filter(|before| before < tag).map(|_| tag.clone());
        }
        let prefix = self.prefix.as_str();
        self.tags.extend(tags.into_iter().filter(|tag| tag.starts_with(prefix) && tag.len() > prefix.len() && is_list_tag(tag)));
        let past = self.sorted_until.as_ref().is_some_and(|last| !last.starts_with(prefix));
        if past { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
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
