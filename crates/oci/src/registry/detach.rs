//! Removing a referrer for good.
//!
//! The order is: its entry in the list, the manifest, the anchor, and once more the list, which a writer may have given the entry again
//! as long as the anchor was there. Whoever is killed before the manifest goes finds it by its anchor and can do it again; afterwards,
//! at worst, an entry for what is not there is left, which readers pass over and [`repair`](crate::source::Upkeep::repair) takes away. Blobs are the registry's to
//! collect, and so are manifests that an index lists: a registry does not tell which these are.

use std::collections::HashSet;
use std::time::Duration;

use touchmark_envelope::Digest;
use touchmark_envelope::digest::Algorithm;

use super::Registry;
use super::anchors::anchor_tag;
use super::listing::{Listing, MAX_LIST, wait};
use super::manifests::Name;
use crate::error::Error;
use crate::scan::MAX_MANIFEST;
use crate::source::Source;

/// How often the referrers API may list what is not there any more, and how long it is waited in between.
const MAX_LOOKS: u32 = 6;
const FIRST_WAIT: Duration = Duration::from_millis(100);

impl Registry {
    /// See [`Upkeep::detach`](crate::source::Upkeep::detach).
    pub(super) fn detach_manifest(&self, subject: &Digest, referrer: &Digest) -> Result<(), Error> {
        let location = self.location();
        let bytes = self.fetch(Name::Digest(referrer), MAX_MANIFEST, |fetched| Ok(fetched.bytes))?;
        if let Some(bytes) = &bytes {
            let manifest = self.parse_manifest(referrer, bytes)?;
            if manifest.subject.is_none_or(|found| found.digest != *subject) {
                return Err(Error::OtherSubject { location, subject: *subject, referrer: *referrer });
            }
            self.check_deletes()?;
        }
        let listed = self.unlist(subject, referrer)?;
        if bytes.is_some()
            && let Some(error) = self.delete(&referrer.to_string())?
        {
            return Err(error);
        }
        self.cache.forget(referrer);
        // Most registries delete a manifest's tags with it, and some delete no others.
        let anchor = anchor_tag(subject, referrer);
        let anchored = self.is_anchor(&anchor, referrer)?;
        if anchored && let Some(error) = self.delete(&anchor)? {
            return Err(error);
        }
        if bytes.is_none() {
            return if listed || anchored { Ok(()) } else { Err(Error::NoSuchBlob { location, digest: *referrer }) };
        }
        if listed {
            self.unlist(subject, referrer)?;
        }
        self.check_unlisted(subject, referrer)
    }

    /// Whether the registry deletes anything at all, asked by what it cannot have: where it does not, nothing is changed.
    fn check_deletes(&self) -> Result<(), Error> {
        let nothing = format!("{}:{}", Algorithm::Sha256, "0".repeat(64));
        match self.delete(&nothing)? {
            Some(error @ Error::Status { status: 403 | 405, .. }) => Err(error),
            _ => Ok(()),
        }
    }

    fn is_anchor(&self, tag: &str, referrer: &Digest) -> Result<bool, Error> {
        let same = |said: Digest| said == *referrer || said.algorithm() != referrer.algorithm();
        Ok(self.tagged(tag)?.is_some_and(|said| said.is_none_or(same)))
    }

    /// Takes a referrer out of the list under the fallback tag, if there is one. Returns whether it was in it.
    fn unlist(&self, subject: &Digest, referrer: &Digest) -> Result<bool, Error> {
        let mut listing = Listing::new(self, subject, HashSet::from([*referrer]));
        if self.anchors == crate::access::Anchors::Omitted {
            listing.unwatched();
        }
        Ok(listing.agree()?.before.contains(referrer))
    }

    /// Sees to it that the referrers API, if there is one, does not list it.
    fn check_unlisted(&self, subject: &Digest, referrer: &Digest) -> Result<(), Error> {
        for look in 1..=MAX_LOOKS {
            let Some(list) = self.api_list(subject, usize::MAX, MAX_LIST)? else { return Ok(()) };
            if list.entries.iter().all(|entry| entry.digest != *referrer) {
                return Ok(());
            }
            wait(FIRST_WAIT * (1 << look));
        }
        let url = format!("GET {}/referrers/{subject}", self.location());
        Err(Error::Protocol { url, reason: format!("{referrer} is listed, and was deleted") })
    }
}
