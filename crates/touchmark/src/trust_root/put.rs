//! Puts a trust repository beside artifacts, as an OCI artifact of its own.

use std::cell::Cell;
use std::collections::BTreeSet;

use touchmark_envelope::Digest;
use touchmark_envelope::digest::Algorithm;
use touchmark_envelope::json::{self, Value};
use touchmark_envelope::manifest::{Descriptor, IMAGE_MANIFEST};
use touchmark_oci::source::{Store, put_empty_config};
use touchmark_oci::unpack::TITLE;
use touchmark_tuf::{Failure, Limits, RoleName, Settings, TargetPath};

use super::TrustRootError;
use super::artifact::{ARTIFACT_TYPE, LAYER_TYPE};
use super::target::{MAX_TARGET, OURS, TARGETS};
use crate::tuf::{Fetch, UpdateError};

/// What a repository serves: its roots, what its timestamp leads to, and those files of the top-level targets that are no artifacts. Nothing is
/// verified here: whoever reads it does.
#[derive(Clone, Debug)]
pub struct TrustFiles {
    files: Vec<(String, Vec<u8>)>,
    /// The version of the last root.
    pub root: u64,
    /// The version of the timestamp.
    pub timestamp: u64,
}

impl TrustFiles {
    /// Fetches them from `source`, whose roots begin with the first.
    ///
    /// # Errors
    /// A file is missing or could not be had, or says of another what no metadata says; they have more bytes together than a client holds.
    pub fn read(source: &dyn Fetch) -> Result<Self, TrustRootError> {
        Self::read_within(source, &Settings::default().limits)
    }

    fn read_within(source: &dyn Fetch, limits: &Limits) -> Result<Self, TrustRootError> {
        // Nobody has verified yet what is listed.
        let source = &Bounded { source, left: Cell::new(limits.total) };
        let mut files = Vec::new();
        let mut root = 0;
        while let Some(bytes) = fetch(source, &format!("{}.root.json", root + 1), limits.root)? {
            root += 1;
            files.push((format!("{root}.root.json"), bytes));
            if root >= u64::from(limits.roots) {
                break;
            }
        }
        let required = |path: &str, limit| -> Result<Vec<u8>, TrustRootError> {
            fetch(source, path, limit)?.ok_or_else(|| touchmark_tuf::Error::Missing { path: path.to_owned() }.into())
        };
        let timestamp_bytes = required("timestamp.json", limits.timestamp)?;
        let malformed = |file: &str| TrustRootError::NotMetadata { file: file.to_owned() };
        let listed = |file: &str, bytes: &[u8]| {
            let read = json::parse(bytes, bytes.len()).map_err(|_| malformed(file))?;
            let signed = read.get("signed").ok_or_else(|| malformed(file))?;
            let version = signed.get("version").and_then(Value::as_u64).ok_or_else(|| malformed(file))?;
            let meta = signed.get("meta").and_then(Value::as_object).ok_or_else(|| malformed(file))?;
            let entries = meta.iter().map(|(name, entry)| Some((name.to_owned(), entry.get("version")?.as_u64()?)));
            Ok::<_, TrustRootError>((version, entries.collect::<Option<Vec<_>>>().ok_or_else(|| malformed(file))?))
        };
        let (timestamp, entries) = listed("timestamp.json", &timestamp_bytes)?;
        let snapshot = entries.iter().find(|(name, _)| name == "snapshot.json").map(|(_, version)| *version);
        let snapshot_path = format!("{}.snapshot.json", snapshot.ok_or_else(|| malformed("timestamp.json"))?);
        let snapshot_bytes = required(&snapshot_path, limits.listed)?;
        let (_, roles) = listed(&snapshot_path, &snapshot_bytes)?;
        for (name, version) in roles {
            let role = name.strip_suffix(".json").ok_or_else(|| malformed(&snapshot_path))?;
            let role =
                if role == "targets" { RoleName::targets() } else { RoleName::delegated(role).ok_or_else(|| malformed(&snapshot_path))? };
            let path = role.fetch_path(Some(version));
            let bytes = required(&path, limits.listed)?;
            if role == RoleName::targets() {
                files.extend(files_of_targets(source, &path, &bytes)?);
            }
            files.push((path, bytes));
        }
        files.push((snapshot_path, snapshot_bytes));
        files.push(("timestamp.json".to_owned(), timestamp_bytes));
        Ok(Self { files, root, timestamp })
    }

    /// The files, by the paths that clients ask for.
    pub(crate) fn files(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.files.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice()))
    }

    /// The artifact's manifest: that of the same files is the same.
    pub fn manifest(&self) -> Vec<u8> {
        let layer = |(path, bytes): (&str, &[u8])| {
            let mut layer = layer(bytes);
            layer.annotations.insert(TITLE.to_owned(), path.to_owned());
            layer.to_json()
        };
        let head = [("schemaVersion", Value::from(2_u64)), ("mediaType", Value::from(IMAGE_MANIFEST))];
        let rest = [
            ("artifactType", Value::from(ARTIFACT_TYPE)),
            ("config", Descriptor::empty_config().to_json()),
            ("layers", Value::from(self.files().map(layer).collect::<Vec<_>>())),
        ];
        Value::object(head.into_iter().chain(rest)).to_vec()
    }

    /// Stores them in `to` as one artifact, with these tags.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn put(&self, to: &dyn Store, tags: &[&str]) -> Result<Descriptor, TrustRootError> {
        let mut stored = BTreeSet::new();
        for (_, bytes) in self.files() {
            let layer = layer(bytes);
            if stored.insert(layer.digest) {
                to.put_blob(Some(&layer), &mut &*bytes)?;
            }
        }
        put_empty_config(to)?;
        let manifest = self.manifest();
        let mut put = None;
        for tag in tags.iter().map(|tag| Some(*tag)).chain(tags.is_empty().then_some(None)) {
            put = Some(to.put_manifest(&manifest, IMAGE_MANIFEST, tag)?);
        }
        put.ok_or_else(|| TrustRootError::NotMetadata { file: String::new() })
    }
}

/// A source of so many bytes in all.
struct Bounded<'a> {
    source: &'a dyn Fetch,
    left: Cell<u64>,
}

impl Fetch for Bounded<'_> {
    fn fetch(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, Failure> {
        let left = self.left.get();
        let bytes = self.source.fetch(path, limit.min(left))?;
        let length = bytes.as_ref().map_or(0, Vec::len);
        let length = u64::try_from(length).unwrap_or(u64::MAX);
        self.left.set(left.checked_sub(length).ok_or(Failure::TooLarge { limit: left })?);
        Ok(bytes)
    }

    fn location(&self) -> String {
        self.source.location()
    }
}

fn layer(bytes: &[u8]) -> Descriptor {
    Descriptor::new(LAYER_TYPE, Algorithm::Sha256.digest(bytes), u64::try_from(bytes.len()).unwrap_or(u64::MAX))
}

/// The files that the top-level targets role lists, each under all of the names that a client may ask for.
fn files_of_targets(source: &dyn Fetch, file: &str, targets: &[u8]) -> Result<Vec<(String, Vec<u8>)>, TrustRootError> {
    let malformed = || TrustRootError::NotMetadata { file: file.to_owned() };
    let document = json::members(targets, targets.len()).map_err(|_| malformed())?;
    let signed = document.iter().find(|(name, _)| name == "signed").map(|(_, text)| *text).ok_or_else(malformed)?;
    let signed = json::members(signed.as_bytes(), signed.len()).map_err(|_| malformed())?;
    let listed = signed.iter().find(|(name, _)| name == "targets").map(|(_, text)| *text).ok_or_else(malformed)?;
    let mut files = Vec::new();
    for (path, entry) in json::members(listed.as_bytes(), listed.len()).map_err(|_| malformed())? {
        if !path.starts_with(OURS) {
            continue;
        }
        let target = TargetPath::new(&path).map_err(|_| malformed())?;
        let entry = json::parse(entry.as_bytes(), entry.len()).map_err(|_| malformed())?;
        let length = entry.get("length").and_then(Value::as_u64).ok_or_else(malformed)?;
        if length > MAX_TARGET {
            return Err(TrustRootError::LargeTarget { path: path.into_owned(), length, limit: MAX_TARGET });
        }
        let hashes = entry.get("hashes").and_then(Value::as_object).ok_or_else(malformed)?;
        let digest = |algorithm: Algorithm| Digest::from_hex(algorithm, hashes.get(algorithm.name())?.as_str()?).ok();
        let digests = [Algorithm::Sha256, Algorithm::Sha512].into_iter().filter_map(digest);
        let names = digests.map(|digest| target.fetch_path(Some(&digest))).chain([target.fetch_path(None)]);
        let mut found = false;
        for name in names.map(|name| format!("{TARGETS}{name}")) {
            if let Some(bytes) = fetch(source, &name, length)? {
                files.push((name, bytes));
                found = true;
            }
        }
        if !found {
            return Err(UpdateError::TargetMissing { target, location: source.location() }.into());
        }
    }
    Ok(files)
}

fn fetch(source: &dyn Fetch, path: &str, limit: u64) -> Result<Option<Vec<u8>>, TrustRootError> {
    let failed = |failure| UpdateError::from(touchmark_tuf::Error::Fetch { path: path.to_owned(), failure });
    Ok(source.fetch(path, limit).map_err(failed)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A mirror with no key: it lists a thousand documents of 1 MiB.
    struct Endless;

    impl Fetch for Endless {
        fn fetch(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, Failure> {
            let roles: String = (0..1000).map(|role| format!(r#","r{role}.json":{{"version":1}}"#)).collect();
            let text = match path {
                "timestamp.json" => r#"{"signed":{"version":1,"meta":{"snapshot.json":{"version":1}}}}"#.to_owned(),
                "1.snapshot.json" => format!(r#"{{"signed":{{"version":1,"meta":{{"r.json":{{"version":1}}{roles}}}}}}}"#),
                _ if path.ends_with("root.json") => return Ok(None),
                _ if limit < 1 << 20 => return Err(Failure::TooLarge { limit }),
                _ => " ".repeat(1 << 20),
            };
            Ok(Some(text.into_bytes()))
        }

        fn location(&self) -> String {
            "a mirror".to_owned()
        }
    }

    #[test]
    fn a_mirror_that_lists_more_than_is_held_is_not_read_to_its_end() {
        let mut limits = Limits::default();
        limits.total = 4 << 20;
        let error = TrustFiles::read_within(&Endless, &limits).err().unwrap();
        let TrustRootError::Update(UpdateError::Metadata(touchmark_tuf::Error::Fetch { failure, .. })) = error else { panic!("{error}") };
        assert!(matches!(failure, Failure::TooLarge { .. }), "{failure:?}");
    }
}
