//! The two traits that everything else is written against: a place to read artifacts from, and one to write them to.

use std::collections::HashMap;
use std::io::Read;

use touchmark_envelope::Digest;
use touchmark_envelope::digest::{Algorithm, Hasher};
use touchmark_envelope::manifest::{Descriptor, EMPTY};

use crate::error::Error;
use crate::parallel;
use crate::reference::Repository;

/// The artifactType of a trust repository, which lies beside artifacts: a reference without tag and digest does not mean it.
pub const TRUST_REPOSITORY: &str = "application/vnd.touchmark.trust.v1";

/// How much of a blob is hashed at a time, in bytes.
const CHUNK: usize = 256 << 10;

/// A place that holds artifacts: manifests, the blobs that they name, and lists of who refers to whom.
///
/// Nothing that a source says about content is to be believed before the content was hashed; where a method has hashed it, its
/// description says so.
pub trait Source: Send + Sync {
    /// The place, as a reference without tag and digest, for messages and pins: `oci:PATH`.
    fn location(&self) -> String;

    /// The descriptor of the artifact that a reference names (SPEC.md, section 13). With a digest the tag is not looked at;
    /// with neither it is the only artifact of the place.
    ///
    /// By digest, the descriptor is made from the bytes; by tag, it is what the place says and is to be checked against the
    /// manifest.
    ///
    /// # Errors
    /// No such tag or artifact, several artifacts to choose from, or the place cannot be read.
    fn resolve(&self, tag: Option<&str>, digest: Option<&Digest>) -> Result<Descriptor, Error>;

    /// The bytes of a manifest, at most `limit`. They were hashed and have this digest.
    ///
    /// # Errors
    /// Not there, larger than `limit`, or of another digest.
    fn manifest(&self, digest: &Digest, limit: u64) -> Result<Vec<u8>, Error>;

    /// The size of a blob in bytes, and its content. The reader hashes what passes through it: after exactly that many bytes it
    /// ends if they have this digest, and fails otherwise ([`Error::carried`] has the reason).
    ///
    /// # Errors
    /// Not there, or not to be read.
    fn blob(&self, digest: &Digest) -> Result<(u64, Box<dyn Read + '_>), Error>;

    /// As [`blob`](Self::blob), but the reader hashes nothing: for a [`Store`] that hashes what it takes in, so that no byte is
    /// hashed twice.
    ///
    /// # Errors
    /// Not there, or not to be read.
    fn unhashed_blob(&self, digest: &Digest) -> Result<(u64, Box<dyn Read + '_>), Error>;

    /// Whether a blob or manifest of this digest is there, without reading it: its size in bytes.
    ///
    /// # Errors
    /// The place cannot be read.
    fn size(&self, digest: &Digest) -> Result<Option<u64>, Error>;

    /// The manifests whose `subject` is this digest: the union of every list that tools keep (SPEC.md, section 14).
    ///
    /// At most `max_entries` of them, whose entries take at most `max_bytes`; [`Referrers::complete`] says whether these were
    /// all. What the entries say (artifactType, annotations, subject) are hints.
    ///
    /// # Errors
    /// The place cannot be read.
    fn referrers(&self, subject: &Digest, max_entries: usize, max_bytes: u64) -> Result<Referrers, Error>;

    /// Every referrer that the place has, by subject, if the place can tell that at once: for those who ask for many subjects. The
    /// limits are for all of them together.
    ///
    /// # Errors
    /// The place cannot be read.
    fn all_referrers(&self, _max_entries: usize, _max_bytes: u64) -> Result<Option<AllReferrers>, Error> {
        Ok(None)
    }

    /// As [`referrers`](Self::referrers), but only what the place tells cheaply: [`Referrers::more`] says whether `referrers` may
    /// know of others.
    ///
    /// # Errors
    /// The place cannot be read.
    fn quick_referrers(&self, subject: &Digest, max_entries: usize, max_bytes: u64) -> Result<Referrers, Error> {
        self.referrers(subject, max_entries, max_bytes)
    }

    /// How many things may be read at the same time, to some gain: more than one where each answer takes its time.
    fn readers(&self) -> usize {
        1
    }

    /// Several manifests as [`manifest`](Self::manifest) gives them, in the order asked for. A place behind a network fetches
    /// them at the same time.
    fn manifests(&self, digests: &[Digest], limit: u64) -> Vec<Result<Vec<u8>, Error>> {
        parallel::map(digests, self.readers(), |digest| self.manifest(digest, limit))
    }

    /// The bytes of several blobs, each with a limit, in the order asked for. They were hashed and have these digests.
    fn blobs(&self, blobs: &[(Digest, u64)]) -> Vec<Result<Vec<u8>, Error>> {
        parallel::map(blobs, self.readers(), |(digest, limit)| whole_blob(self, digest, *limit))
    }

    /// The digests and sizes of several blobs, computed from their bytes and by the algorithm of the digest that is asked for. Each is
    /// read no further than to just beyond the size given with it.
    fn hashes(&self, blobs: &[(Digest, u64)]) -> Vec<Result<(Digest, u64), Error>> {
        parallel::map(blobs, self.readers(), |(digest, size)| hash(self, digest, *size))
    }

    /// Several answers of [`size`](Self::size), in the order asked for.
    fn sizes(&self, digests: &[Digest]) -> Vec<Result<Option<u64>, Error>> {
        parallel::map(digests, self.readers(), |digest| self.size(digest))
    }

    /// As [`size`](Self::size), of what can be read as a [`blob`](Self::blob): a registry keeps manifests apart, and one that has the
    /// same bytes is no blob.
    ///
    /// # Errors
    /// As for [`size`](Self::size).
    fn size_as_blob(&self, digest: &Digest) -> Result<Option<u64>, Error> {
        self.size(digest)
    }

    /// Several answers of [`size_as_blob`](Self::size_as_blob), in the order asked for.
    fn sizes_as_blobs(&self, digests: &[Digest]) -> Vec<Result<Option<u64>, Error>> {
        parallel::map(digests, self.readers(), |digest| self.size_as_blob(digest))
    }

    /// The names of all tags, except of those that are lists of referrers, or anchors of them.
    ///
    /// # Errors
    /// The place cannot be read.
    fn tag_names(&self) -> Result<Vec<String>, Error> {
        Ok(self.tags()?.into_iter().map(|(tag, _)| tag).collect())
    }

    /// The repository in a registry that this is, if it is one.
    fn repository(&self) -> Option<&Repository> {
        None
    }

    /// Forgets what was read before, so that it is read anew.
    fn forget(&self) {}

    /// Every tag with what it names, in the order of the place. Tags that are lists of referrers are left out.
    ///
    /// # Errors
    /// The place cannot be read.
    fn tags(&self) -> Result<Vec<(String, Descriptor)>, Error>;

    /// Every artifact that is listed, refers to nothing and is part of no index; each once.
    ///
    /// # Errors
    /// The place cannot be read.
    fn roots(&self) -> Result<Vec<Descriptor>, Error>;
}

/// Stores the config of an artifact that has none, and gives its descriptor with the bytes in it.
///
/// # Errors
/// The store cannot be written.
pub fn put_empty_config(store: &dyn Store) -> Result<Descriptor, Error> {
    let config = Descriptor::empty_config();
    store.put_blob(Some(&config), &mut &*EMPTY)?;
    Ok(Descriptor { data: Some(EMPTY.to_vec()), ..config })
}

fn whole_blob<S: Source + ?Sized>(source: &S, digest: &Digest, limit: u64) -> Result<Vec<u8>, Error> {
    let (size, content) = source.blob(digest)?;
    if size > limit {
        return Err(Error::TooLarge { location: source.location(), what: digest.to_string(), size, limit });
    }
    let mut bytes = Vec::new();
    content.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(|error| Error::content(&source.location(), error))?;
    Ok(bytes)
}

fn hash<S: Source + ?Sized>(source: &S, digest: &Digest, size: u64) -> Result<(Digest, u64), Error> {
    let (_, mut content) = source.unhashed_blob(digest)?;
    let mut hasher = Hasher::new(digest.algorithm());
    let mut buffer = vec![0; CHUNK];
    let mut read = 0_u64;
    while read <= size {
        let count = match content.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(Error::content(&source.location(), error)),
        };
        hasher.update(buffer.get(..count).unwrap_or_default());
        read = read.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
    }
    Ok((hasher.finish(), read))
}

/// A [`Source`] that can be written.
///
/// Every file is there whole or not at all, and whatever was there before a call that failed or was killed is still there.
pub trait Store: Source {
    /// Stores what `content` gives, hashing it on the way; with `expected`, it must have that size and digest. A blob that is
    /// there already and right is left alone, and then `content` may stay unread.
    ///
    /// # Errors
    /// `content` fails or is not as expected, or the store cannot be written.
    fn put_blob(&self, expected: Option<&Descriptor>, content: &mut dyn Read) -> Result<Descriptor, Error>;

    /// Stores a manifest under its digest by `algorithm` and lists it, with `tag` if one is given; what had that tag stays listed
    /// without it.
    ///
    /// A manifest with a `subject` belongs to [`attach`](Self::attach), which lists it where referrers are looked for.
    ///
    /// # Errors
    /// `bytes` are no manifest of that media type, the tag is none, or the store cannot be written.
    fn put_manifest_as(&self, algorithm: Algorithm, bytes: &[u8], media_type: &str, tag: Option<&str>) -> Result<Descriptor, Error>;

    /// As [`put_manifest_as`](Self::put_manifest_as), with sha256.
    ///
    /// # Errors
    /// The same.
    fn put_manifest(&self, bytes: &[u8], media_type: &str, tag: Option<&str>) -> Result<Descriptor, Error> {
        self.put_manifest_as(Algorithm::Sha256, bytes, media_type, tag)
    }

    /// Stores a manifest that an index lists, or that gets its tag later, and lists it nowhere.
    ///
    /// # Errors
    /// `bytes` are not as `manifest` says, or the store cannot be written.
    fn put_unlisted(&self, manifest: &Descriptor, bytes: &[u8]) -> Result<(), Error> {
        // In an OCI layout manifests are blobs like others; a registry keeps them apart, and lists what has a tag.
        match self.repository() {
            None => self.put_blob(Some(manifest), &mut &*bytes).map(drop),
            Some(_) => self.put_manifest_as(manifest.digest.algorithm(), bytes, &manifest.media_type, None).map(drop),
        }
    }

    /// Stores manifests that have a `subject` under their digests by `algorithm`, lists each as a referrer of its subject, and
    /// reads manifests and lists back. What they name must be there already or be inlined. Each list is written once for all.
    ///
    /// # Errors
    /// No manifest, no subject, a blob is missing, one is not listed when the list is read back, or the store cannot be written.
    /// Then none is listed, unless the last steps, reading back or syncing, failed.
    fn attach_as(&self, algorithm: Algorithm, manifests: &[&[u8]]) -> Result<Vec<Attached>, Error>;

    /// As [`attach_as`](Self::attach_as), for one manifest, with sha256.
    ///
    /// # Errors
    /// The same.
    fn attach(&self, manifest: &[u8]) -> Result<Attached, Error> {
        let attached = self.attach_as(Algorithm::Sha256, &[manifest])?;
        let digest = Algorithm::Sha256.digest(manifest);
        attached.into_iter().next().ok_or_else(|| Error::NotListed { location: self.location(), digest })
    }

    /// Takes over a blob from another repository of the same registry without moving its bytes (OCI distribution spec, "Mounting a
    /// blob from another repository"). `false` if that is not possible here: then it is to be put.
    ///
    /// # Errors
    /// The store cannot be written.
    fn mount(&self, _blob: &Descriptor, _from: &Repository) -> Result<bool, Error> {
        Ok(false)
    }

    /// How many blobs may be written at the same time, from as many threads.
    fn writers(&self) -> usize {
        1
    }
}

/// What else is done where artifacts are stored: taking referrers away, and mending the lists of them. Apart from [`Store`], so that a program
/// that only adds has nothing of it.
pub trait Upkeep: Store {
    /// Removes a referrer: from every list, then the manifest, then those of its blobs that nothing else names, so that no
    /// [`repair`](Self::repair) finds it again.
    ///
    /// # Errors
    /// Not there, the referrer of something else, part of an index, or the store cannot be written.
    fn detach(&self, subject: &Digest, referrer: &Digest) -> Result<(), Error>;

    /// Lists again every referrer that is there, and takes out of the lists those that are not; for one `subject` or for all.
    /// With `dry_run` it only says what it would do.
    ///
    /// # Errors
    /// The store cannot be read, or written.
    fn repair(&self, dry_run: bool, subject: Option<&Digest>) -> Result<RepairReport, Error>;
}

/// What a place knows of an artifact's referrers.
#[derive(Clone, Debug, Default)]
pub struct Referrers {
    /// The referrers, each once: first as the lists have them, then those that no list has.
    pub entries: Vec<Descriptor>,
    /// Whether these are all. If not, a finding says why, and "none found" means nothing.
    pub complete: bool,
    /// Whether other lists of the place were not asked yet; see [`Source::quick_referrers`].
    pub more: bool,
    /// What is wrong with the lists or the content.
    pub findings: Vec<Finding>,
}

/// What a place knows of who refers to what.
#[derive(Clone, Debug, Default)]
pub struct AllReferrers {
    /// The referrers of each subject, each once.
    pub by_subject: HashMap<Digest, Vec<Descriptor>>,
    /// Whether these are all.
    pub complete: bool,
    /// What is wrong with the lists or the content.
    pub findings: Vec<Finding>,
}

/// Something wrong in a store that does not stop the work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What kind of thing.
    pub kind: FindingKind,
    /// What it concerns, if it has a digest.
    pub digest: Option<Digest>,
    /// For people.
    pub detail: String,
}

/// The kinds of [`Finding`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum FindingKind {
    /// A list names a manifest that is not there.
    Dangling,
    /// A referrer that a list should have and has not.
    Unlisted,
    /// Bytes of another digest than the one that they are stored under.
    WrongDigest,
    /// Something that breaks its format and was left out.
    Malformed,
    /// Larger than what is looked at.
    TooLarge,
    /// A limit ended the search.
    Stopped,
    /// Not to be read, for a reason outside the format.
    Unreadable,
    /// Attached, but whether it stays listed could not be confirmed, or other tools may not find it.
    Unconfirmed,
}

impl FindingKind {
    /// A stable name for programs.
    pub const fn code(self) -> &'static str {
        match self {
            FindingKind::Dangling => "dangling",
            FindingKind::Unlisted => "unlisted",
            FindingKind::WrongDigest => "wrong-digest",
            FindingKind::Malformed => "malformed",
            FindingKind::TooLarge => "too-large",
            FindingKind::Stopped => "stopped",
            FindingKind::Unreadable => "unreadable",
            FindingKind::Unconfirmed => "unconfirmed",
        }
    }
}

/// A referrer that was attached and read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attached {
    /// The referrer, as it is listed.
    pub descriptor: Descriptor,
    /// What it refers to.
    pub subject: Digest,
    /// Whether it was stored and listed before.
    pub already: bool,
    /// What the user should know of how it is listed.
    pub notices: Vec<Finding>,
}

/// What [`Upkeep::repair`] did, or would do.
#[derive(Clone, Debug, Default)]
pub struct RepairReport {
    /// Referrers that a list had not: subject and referrer.
    pub listed: Vec<(Digest, Descriptor)>,
    /// Entries for what is not there, which were taken out of the lists.
    pub removed: Vec<Digest>,
    /// Whether `index.json` was damaged and is made anew; the first finding says what was done.
    pub rebuilt: bool,
    /// What was found and left as it is.
    pub findings: Vec<Finding>,
    /// Whether the search saw everything, and what was to be changed could be.
    pub complete: bool,
    /// Whether nothing was written.
    pub dry_run: bool,
}

impl RepairReport {
    /// Whether there was nothing to repair.
    pub fn is_clean(&self) -> bool {
        self.listed.is_empty() && self.removed.is_empty() && !self.rebuilt
    }
}
