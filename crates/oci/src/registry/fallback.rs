//! The list of an artifact's referrers under its fallback tag (distribution spec, "Referrers Tag Schema").

use touchmark_envelope::Digest;
use touchmark_envelope::manifest::{IMAGE_INDEX, Manifest, is_index_type};

use super::Registry;
use super::manifests::{Name, media_type};
use crate::content::index_error;
use crate::error::Error;
use crate::index::{Fault, Index, MAX_ENTRIES, MAX_PART};
use crate::scan::{MAX_MANIFEST, length};
use crate::source::Source as _;
use crate::union::list_tag;

/// What is under a fallback tag.
pub(super) enum Fallback<T> {
    /// Nothing: the registry answered 404.
    None,
    /// A list.
    List {
        /// The list.
        list: T,
        /// Of its bytes.
        digest: Digest,
    },
    /// Something else, which must not be overwritten.
    Other {
        /// Why it is no list.
        reason: String,
    },
}

impl Registry {
    /// Reads the list under the fallback tag of `subject`, never from the cache.
    ///
    /// # Errors
    /// Any answer but a manifest and 404, what is no manifest, and more bytes than `max_bytes` or entries than are read.
    pub(super) fn fallback(&self, subject: &Digest, max_bytes: u64) -> Result<Fallback<Index>, Error> {
        self.fallback_as(subject, max_bytes, Index::parse_list)
    }

    /// As [`fallback`](Self::fallback), read by `parse`.
    pub(super) fn fallback_as<T>(
        &self,
        subject: &Digest,
        max_bytes: u64,
        parse: impl FnOnce(Vec<u8>) -> Result<T, Fault>,
    ) -> Result<Fallback<T>, Error> {
        let found = self.fetch(Name::Tag(&list_tag(subject)), max_bytes, |fetched| {
            let digest = fetched.digest;
            // An index that is none is damaged; only of something else a tree is built, and only if it is no larger than manifests are.
            let is_other = length(&fetched.bytes) <= MAX_MANIFEST
                && media_type(&fetched.bytes).is_some_and(|found| !is_index_type(&found))
                && Manifest::parse(&fetched.bytes).is_ok();
            if let Some(said) = fetched.media_type.filter(|said| is_other && !is_index_type(said)) {
                return Ok(Fallback::Other { reason: format!("it is {said}, and no {IMAGE_INDEX}") });
            }
            match parse(fetched.bytes) {
                Ok(list) => Ok(Fallback::List { list, digest }),
                Err(Fault::Malformed(reason)) if is_other => Ok(Fallback::Other { reason }),
                // It may be one, damaged or with more than is read: that is not to be taken for none.
                Err(fault) => Err(index_error(&self.location(), &list_tag(subject), fault)),
            }
        });
        found.map(|found| found.unwrap_or(Fallback::None))
    }
}

/// Why something is no list of referrers.
pub(super) fn reason(fault: Fault) -> String {
    match fault {
        Fault::CutOff => "it is cut off".to_owned(),
        Fault::Malformed(reason) => reason,
        Fault::TooMany => format!("it has more than {MAX_ENTRIES} entries"),
        Fault::TooLarge { size } => format!("a part of it has {size} bytes, more than {MAX_PART}"),
    }
}
