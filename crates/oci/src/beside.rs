//! An artifact in one place with its referrers in another: for artifacts whose place may only be read (SPEC.md, section "Storage
//! in registries").

use std::collections::HashSet;
use std::io::Read;
use std::sync::{Mutex, PoisonError};

use touchmark_envelope::Digest;
use touchmark_envelope::digest::Algorithm;
use touchmark_envelope::manifest::{Descriptor, Manifest};

use crate::error::{Class, Error};
use crate::reference::Repository;
use crate::source::{AllReferrers, Attached, Referrers, RepairReport, Source, Store, Upkeep};

/// At most this many digests are known to be of the second place; for others both places are asked.
const MAX_KNOWN: usize = 100_000;

/// An artifact's place, and beside it the place of its referrers. What is written goes to the second place alone, where the
/// artifact need not be.
pub struct Beside<'a, R: ?Sized> {
    artifact: &'a dyn Source,
    referrers: &'a R,
    /// What is known to be with the referrers, so that the artifact's place is not asked for it.
    theirs: Mutex<HashSet<Digest>>,
}

impl<'a, R: Source + ?Sized> Beside<'a, R> {
    /// The artifacts of `artifact`, to which what `referrers` holds refers. Referrers that are in `artifact` are not looked at.
    pub fn new(artifact: &'a dyn Source, referrers: &'a R) -> Self {
        Self { artifact, referrers, theirs: Mutex::new(HashSet::new()) }
    }

    fn remember(&self, digests: impl Iterator<Item = Digest>) {
        let mut theirs = self.theirs.lock().unwrap_or_else(PoisonError::into_inner);
        for digest in digests {
            if theirs.len() >= MAX_KNOWN {
                return;
            }
            theirs.insert(digest);
        }
    }

    fn is_theirs(&self, digest: &Digest) -> bool {
        self.theirs.lock().unwrap_or_else(PoisonError::into_inner).contains(digest)
    }

    /// What the likelier place gives, or else the other. Which one answers does not matter: it is hashed. `true` if it was the
    /// place of the referrers.
    fn either<'s, T>(
        &'s self,
        digest: &Digest,
        ours: impl FnOnce(&'s dyn Source) -> Result<T, Error>,
        theirs: impl FnOnce(&'s R) -> Result<T, Error>,
    ) -> Result<(T, bool), Error> {
        let not_found = |error: &Error| error.class() == Class::NotFound;
        if self.is_theirs(digest) {
            match theirs(self.referrers) {
                Err(error) if not_found(&error) => ours(self.artifact).map(|got| (got, false)).map_err(|last| either_error(error, last)),
                answer => answer.map(|got| (got, true)),
            }
        } else {
            match ours(self.artifact) {
                Err(error) if not_found(&error) => theirs(self.referrers).map(|got| (got, true)).map_err(|last| either_error(error, last)),
                answer => answer.map(|got| (got, false)),
            }
        }
    }

    /// Remembers where the blobs of a referrer's manifest are.
    fn learn(&self, bytes: &[u8]) {
        if let Ok(manifest) = Manifest::parse(bytes) {
            self.remember(manifest.blobs().map(|blob| blob.digest));
        }
    }
}

/// The error of two places of which the first has not what was asked for.
fn either_error(first: Error, last: Error) -> Error {
    if last.class() == Class::NotFound { first } else { last }
}

impl<R: Source + ?Sized> Source for Beside<'_, R> {
    fn location(&self) -> String {
        self.artifact.location()
    }

    fn resolve(&self, tag: Option<&str>, digest: Option<&Digest>) -> Result<Descriptor, Error> {
        self.artifact.resolve(tag, digest)
    }

    fn manifest(&self, digest: &Digest, limit: u64) -> Result<Vec<u8>, Error> {
        let (bytes, theirs) = self.either(digest, |ours| ours.manifest(digest, limit), |theirs| theirs.manifest(digest, limit))?;
        if theirs {
            self.learn(&bytes);
        }
        Ok(bytes)
    }

    fn manifests(&self, digests: &[Digest], limit: u64) -> Vec<Result<Vec<u8>, Error>> {
        let (theirs, ours): (Vec<Digest>, Vec<Digest>) = digests.iter().partition(|digest| self.is_theirs(digest));
        let (mut from_theirs, mut from_ours) =
            (self.referrers.manifests(&theirs, limit).into_iter(), self.artifact.manifests(&ours, limit).into_iter());
        let theirs: HashSet<Digest> = theirs.into_iter().collect();
        let merged = digests.iter().map(|digest| {
            let beside = theirs.contains(digest);
            let fetched = if beside { from_theirs.next() } else { from_ours.next() };
            match fetched {
                Some(Err(error)) if error.class() != Class::NotFound => Err(error),
                Some(Ok(bytes)) => {
                    if beside {
                        self.learn(&bytes);
                    }
                    Ok(bytes)
                }
                // Not where it was likeliest.
                _ => self.manifest(digest, limit),
            }
        });
        merged.collect()
    }

    fn blob(&self, digest: &Digest) -> Result<(u64, Box<dyn Read + '_>), Error> {
        self.either(digest, |ours| ours.blob(digest), |theirs| theirs.blob(digest)).map(|(blob, _)| blob)
    }

    fn unhashed_blob(&self, digest: &Digest) -> Result<(u64, Box<dyn Read + '_>), Error> {
        self.either(digest, |ours| ours.unhashed_blob(digest), |theirs| theirs.unhashed_blob(digest)).map(|(blob, _)| blob)
    }

    fn size(&self, digest: &Digest) -> Result<Option<u64>, Error> {
        if self.is_theirs(digest)
            && let Some(size) = self.referrers.size(digest)?
        {
            return Ok(Some(size));
        }
        match self.artifact.size(digest)? {
            Some(size) => Ok(Some(size)),
            None => self.referrers.size(digest),
        }
    }

    fn referrers(&self, subject: &Digest, max_entries: usize, max_bytes: u64) -> Result<Referrers, Error> {
        let found = self.referrers.referrers(subject, max_entries, max_bytes)?;
        self.remember(found.entries.iter().map(|entry| entry.digest));
        Ok(found)
    }

    fn quick_referrers(&self, subject: &Digest, max_entries: usize, max_bytes: u64) -> Result<Referrers, Error> {
        let found = self.referrers.quick_referrers(subject, max_entries, max_bytes)?;
        self.remember(found.entries.iter().map(|entry| entry.digest));
        Ok(found)
    }

    fn all_referrers(&self, max_entries: usize, max_bytes: u64) -> Result<Option<AllReferrers>, Error> {
        let found = self.referrers.all_referrers(max_entries, max_bytes)?;
        if let Some(all) = &found {
            self.remember(all.by_subject.values().flatten().map(|entry| entry.digest));
        }
        Ok(found)
    }

    fn readers(&self) -> usize {
        self.artifact.readers().max(self.referrers.readers())
    }

    fn forget(&self) {
        self.artifact.forget();
        self.referrers.forget();
    }

    fn tag_names(&self) -> Result<Vec<String>, Error> {
        self.artifact.tag_names()
    }

    fn tags(&self) -> Result<Vec<(String, Descriptor)>, Error> {
        self.artifact.tags()
    }

    fn roots(&self) -> Result<Vec<Descriptor>, Error> {
        self.artifact.roots()
    }
}

impl<R: Store + ?Sized> Store for Beside<'_, R> {
    fn put_blob(&self, expected: Option<&Descriptor>, content: &mut dyn Read) -> Result<Descriptor, Error> {
        self.referrers.put_blob(expected, content)
    }

    fn put_manifest_as(&self, algorithm: Algorithm, bytes: &[u8], media_type: &str, tag: Option<&str>) -> Result<Descriptor, Error> {
        self.referrers.put_manifest_as(algorithm, bytes, media_type, tag)
    }

    fn put_unlisted(&self, manifest: &Descriptor, bytes: &[u8]) -> Result<(), Error> {
        self.referrers.put_unlisted(manifest, bytes)
    }

    fn attach_as(&self, algorithm: Algorithm, manifests: &[&[u8]]) -> Result<Vec<Attached>, Error> {
        self.referrers.attach_as(algorithm, manifests)
    }

    fn mount(&self, blob: &Descriptor, from: &Repository) -> Result<bool, Error> {
        self.referrers.mount(blob, from)
    }

    fn writers(&self) -> usize {
        self.referrers.writers()
    }
}

impl<R: Upkeep + ?Sized> Upkeep for Beside<'_, R> {
    fn detach(&self, subject: &Digest, referrer: &Digest) -> Result<(), Error> {
        self.referrers.detach(subject, referrer)
    }

    fn repair(&self, dry_run: bool, subject: Option<&Digest>) -> Result<RepairReport, Error> {
        self.referrers.repair(dry_run, subject)
    }
}

#[cfg(test)]
mod tests {
    use touchmark_envelope::manifest::IMAGE_MANIFEST;

    use super::*;
    use crate::layout::Layout;
    use crate::referrer::{self, Role};
    use crate::testing::Folder;

    const ENVELOPE: &[u8] = br#"{"payloadType":"application/vnd.in-toto+json","payload":"","signatures":[]}"#;

    /// Two places, of which the first holds an artifact.
    fn places(folder: &Folder) -> (Layout, Layout, Descriptor) {
        let [first, second] = ["first", "second"].map(|name| Layout::open_or_create(folder.path(name)).unwrap());
        let config = first.put_blob(None, &mut b"{}".as_slice()).unwrap();
        let manifest =
            format!(r#"{{"schemaVersion":2,"config":{{"mediaType":"application/x","digest":"{}","size":2}},"layers":[]}}"#, config.digest);
        let artifact = first.put_manifest(manifest.as_bytes(), IMAGE_MANIFEST, Some("v1")).unwrap();
        (first, second, artifact)
    }

    #[test]
    fn what_is_attached_goes_to_the_second_place_alone() {
        let folder = Folder::new();
        let (first, second, artifact) = places(&folder);
        let before = std::fs::read(folder.path("first/index.json")).unwrap();
        let large = [ENVELOPE, &vec![b' '; referrer::MAX_INLINE]].concat();
        let attached = referrer::attach(&Beside::new(&first, &second), &artifact, &large, &Role::Signature).unwrap();
        assert_eq!(std::fs::read(folder.path("first/index.json")).unwrap(), before);
        assert_eq!(second.size(&artifact.digest).unwrap(), None);

        let beside = Beside::new(&first, &second);
        assert_eq!(beside.resolve(Some("v1"), None).unwrap().digest, artifact.digest);
        for found in [beside.referrers(&artifact.digest, 10, 1 << 20), beside.quick_referrers(&artifact.digest, 10, 1 << 20)] {
            let found = found.unwrap();
            assert!(found.complete && found.entries == [attached.descriptor.clone()], "{found:?}");
        }
        let wanted = [artifact.digest, attached.descriptor.digest, artifact.digest];
        let manifests: Vec<Vec<u8>> = beside.manifests(&wanted, 1 << 20).into_iter().map(Result::unwrap).collect();
        assert!(wanted.iter().zip(&manifests).all(|(digest, bytes)| digest.matches(bytes)));
        let layer = Manifest::parse(&manifests[1]).unwrap().blobs().last().unwrap().digest;
        let mut read = Vec::new();
        beside.blob(&layer).unwrap().1.read_to_end(&mut read).unwrap();
        assert_eq!(read, large);
        // The empty config is in both, and a place that was not asked before says the same.
        let anew = Beside::new(&first, &second);
        assert_eq!(anew.manifest(&attached.descriptor.digest, 1 << 20).unwrap(), manifests[1]);
        assert_eq!(anew.size(&layer).unwrap(), u64::try_from(large.len()).ok());
        assert_eq!(anew.manifests(&[attached.descriptor.digest], 1 << 20)[0].as_ref().unwrap(), &manifests[1]);
    }

    #[test]
    fn referrers_of_the_first_place_are_not_looked_at() {
        let folder = Folder::new();
        let (first, second, artifact) = places(&folder);
        referrer::attach(&first, &artifact, ENVELOPE, &Role::Signature).unwrap();
        let beside = Beside::new(&first, &second);
        assert!(beside.referrers(&artifact.digest, 10, 1 << 20).unwrap().entries.is_empty());
        let nowhere = Algorithm::Sha256.digest(b"nowhere");
        assert_eq!(beside.manifest(&nowhere, 1 << 20).unwrap_err().class(), Class::NotFound);
        assert_eq!(beside.size(&nowhere).unwrap(), None);
    }
}
