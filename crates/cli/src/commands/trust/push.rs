//! Where several publish: what is about to be published is pushed first, and of two who do so at once one at most succeeds.
//!
//! There is no compare-and-swap on tags. Each pusher writes the tag of its version, reads it back, sees that the moving tag still leads to what
//! it led to, writes that, and reads both back. Of two who push the same version, whoever wrote the version's tag first finds another there at
//! the end, or else the other one finds that the moving tag has moved.

use touchmark::Reference;
use touchmark::envelope::digest::Algorithm;
use touchmark::envelope::json::{self, Value};
use touchmark::envelope::manifest::IMAGE_MANIFEST;
use touchmark::oci::access::Access;
use touchmark::oci::reference::Scheme;
use touchmark::oci::source::Source;
use touchmark::trust_root::{TrustArtifact, TrustFiles};
use touchmark::tuf::{Fetch, Settings};
use touchmark::{Digest, oci};
use touchmark_verify::exit::Exit;
use touchmark_verify::output::Failure;
use touchmark_verify::root;

use crate::access::AccessArgs;
use crate::places::{self, Target};

/// Bytes of the manifest of a trust repository.
const MAX_MANIFEST: u64 = 4 << 20;

/// Where what is published is pushed.
pub(super) struct Push {
    to: Reference,
    /// The tag that clients follow.
    pub(super) tag: String,
    access: Access,
}

impl Push {
    pub(super) fn new(text: &str, access: &AccessArgs) -> Result<Self, Failure> {
        let to = places::destination(text)?;
        let Some(tag) = to.tag().map(str::to_owned) else {
            return Err(
                Failure::usage(format!("--to {text}: the tag that clients follow is missing")).hint(format!("{}:trust", to.place()))
            );
        };
        let access = access.access([&to], 0)?;
        Ok(Self { to, tag, access })
    }

    /// Pushes what `served` has, unless something is there that `published`, which is what was published here before, does not know. Gives
    /// the pin, and the tag that stays.
    pub(super) fn push(&self, served: &dyn Fetch, published: &dyn Fetch) -> Result<Vec<(String, String)>, Failure> {
        let files = TrustFiles::read(served).map_err(|error| root::failure(&error))?;
        let manifest = files.manifest();
        let digest = Algorithm::Sha256.digest(&manifest);
        let own = self.own_tag(files.root, files.timestamp);
        let pushed = vec![(self.to.pin(digest).to_string(), own.clone())];
        // A tar is somebody's alone from before it is looked at until it is written.
        let archive = match self.to.scheme() {
            Scheme::Archive => Some(Target::new(&self.to.place(), &self.access)?),
            _ => None,
        };
        let before = self.leads_to(&self.tag)?;
        match before {
            Some(there) if there == digest => return Ok(pushed),
            Some(there) => self.assert_known(there, served, published, files.timestamp)?,
            None => {}
        }
        if let Some(target) = archive {
            files.put(target.store(), &[&own, &self.tag]).map_err(|error| root::failure(&error))?;
            target.commit()?;
            return Ok(pushed);
        }
        let target = Target::new(&self.to.place(), &self.access)?;
        files.put(target.store(), &[&own]).map_err(|error| root::failure(&error))?;
        self.assert_leads(&own, Some(digest))?;
        if let Err(lost) = self.assert_leads(&self.tag, before) {
            self.give_back(&own, digest, target.store())?;
            return Err(lost);
        }
        let put = target.store().put_manifest(&manifest, IMAGE_MANIFEST, Some(&self.tag));
        put.map_err(|error| Failure::from(&error))?;
        self.assert_leads(&self.tag, Some(digest))?;
        self.assert_leads(&own, Some(digest))?;
        Ok(pushed)
    }

    /// The tag that stays, of these versions of root and timestamp.
    fn own_tag(&self, root: u64, timestamp: u64) -> String {
        format!("{}-{root}.{timestamp}", self.tag)
    }

    /// What a tag leads to now: of a place that is opened anew, so that nothing is remembered.
    fn leads_to(&self, tag: &str) -> Result<Option<Digest>, Failure> {
        match self.source()? {
            Some(source) => resolved(source.as_ref(), tag),
            None => Ok(None),
        }
    }

    fn source(&self) -> Result<Option<Box<dyn Source>>, Failure> {
        match places::source(&self.to, &self.access) {
            Ok(source) => Ok(Some(source)),
            // A folder that is to be made.
            Err(_) if self.to.scheme() != Scheme::Registry && !self.to.path().exists() => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    fn assert_leads(&self, tag: &str, expected: Option<Digest>) -> Result<(), Failure> {
        let found = self.leads_to(tag)?;
        if found == expected {
            return Ok(());
        }
        let named = |digest: Option<Digest>| digest.map_or_else(|| "nothing".to_owned(), |digest| digest.to_string());
        Err(self.lost(&format!("the tag {tag} leads to {}, not to {}", named(found), named(expected))))
    }

    /// Who has written over the tag of a version that was somebody else's gives it back.
    fn give_back(&self, own: &str, digest: Digest, store: &dyn oci::source::Store) -> Result<(), Failure> {
        let Some(source) = self.source()? else { return Ok(()) };
        let Some(winner) = resolved(source.as_ref(), &self.tag)?.filter(|winner| *winner != digest) else { return Ok(()) };
        let artifact = TrustArtifact::open(source.as_ref(), winner).map_err(|error| root::failure(&error))?;
        let there = TrustFiles::read(&artifact).map_err(|error| root::failure(&error))?;
        if self.own_tag(there.root, there.timestamp) == own {
            let manifest = source.manifest(&winner, MAX_MANIFEST).map_err(|error| Failure::from(&error))?;
            store.put_manifest(&manifest, IMAGE_MANIFEST, Some(own)).map_err(|error| Failure::from(&error))?;
        }
        Ok(())
    }

    /// Asserts that what is there is an earlier state of what is published here. Its layers' digests say that, so that its timestamp alone is
    /// fetched.
    fn assert_known(&self, there: Digest, served: &dyn Fetch, published: &dyn Fetch, timestamp: u64) -> Result<(), Failure> {
        let Some(source) = self.source()? else { return Ok(()) };
        let artifact = TrustArtifact::open(source.as_ref(), there).map_err(|error| root::failure(&error))?;
        let fetch = |from: &dyn Fetch, path: &str, limit: u64| {
            let unavailable = |failure: touchmark::tuf::Failure| Failure::new(Exit::Unknown, "tuf-fetch", format!("{path}: {failure}"));
            from.fetch(path, limit).map_err(unavailable)
        };
        for (path, layer) in artifact.files() {
            // What targets documents list, and these are looked at.
            if path == "timestamp.json" || path.contains('/') {
                continue;
            }
            let here = fetch(served, path, layer.size.saturating_add(1)).ok().flatten();
            if here.is_none_or(|here| layer.digest.algorithm().digest(&here) != layer.digest) {
                return Err(self.lost(&format!("{path}, which is there, is not what is published here")));
            }
        }
        let limit = Settings::default().limits.timestamp;
        let bytes = fetch(&artifact, "timestamp.json", limit)?.unwrap_or_default();
        let read = json::parse(&bytes, bytes.len()).ok();
        let version = read.as_ref().and_then(|read| read.get("signed")?.get("version").and_then(Value::as_u64)).unwrap_or(u64::MAX);
        let here = fetch(published, "timestamp.json", limit).ok().flatten();
        if version > timestamp || (version == timestamp && here.as_ref() != Some(&bytes)) {
            return Err(self.lost(&format!("the timestamp that is there has version {version}, and here it would be {timestamp}")));
        }
        Ok(())
    }

    fn lost(&self, why: &str) -> Failure {
        let to = self.to.to_string();
        Failure::new(Exit::Unknown, "push-lost", format!("{to}: somebody else published: {why}; nothing was published here")).hint(format!(
            "touchmark trust pull {to}, then publish again; what is staged of a role that they changed too is to be discarded, staged anew and signed"
        ))
    }
}

fn resolved(source: &dyn Source, tag: &str) -> Result<Option<Digest>, Failure> {
    match source.resolve(Some(tag), None) {
        Ok(found) => Ok(Some(found.digest)),
        Err(error) if error.class() == oci::Class::NotFound => Ok(None),
        Err(error) => Err(Failure::from(&error)),
    }
}
