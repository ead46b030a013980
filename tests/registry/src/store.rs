//! What the registry holds.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex};

use serde_json::Value;

use crate::answer::Content;
use crate::uploads::Upload;

/// Everything that was pushed.
#[derive(Default)]
pub(crate) struct Store {
    pub(crate) repositories: Mutex<BTreeMap<String, Repository>>,
    pub(crate) uploads: Mutex<HashMap<String, Arc<Mutex<Upload>>>>,
}

/// One repository.
#[derive(Default)]
pub(crate) struct Repository {
    pub(crate) blobs: HashMap<String, Content>,
    pub(crate) manifests: HashMap<String, Arc<Manifest>>,
    pub(crate) tags: BTreeMap<String, String>,
    /// Tags that are being set.
    pub(crate) busy: HashSet<String>,
    /// By subject, in the order in which they were pushed.
    pub(crate) referrers: HashMap<String, Vec<String>>,
}

/// A manifest that was pushed, as it was pushed.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// The digest that it is stored under.
    pub digest: String,
    /// The type that it was pushed as.
    pub media_type: String,
    /// Its bytes.
    pub bytes: Arc<Vec<u8>>,
    /// The digest of its subject.
    pub subject: Option<String>,
    pub(crate) json: Value,
}

impl Manifest {
    /// Reads what was pushed.
    pub(crate) fn parse(bytes: Vec<u8>, content_type: Option<&str>, digest: String) -> Result<Self, &'static str> {
        let json: Value = serde_json::from_slice(&bytes).map_err(|_| "not JSON")?;
        if !json.is_object() {
            return Err("not a JSON object");
        }
        let said = json.get("mediaType").and_then(Value::as_str);
        let sent = content_type.map(|value| value.split(';').next().unwrap_or_default().trim());
        let media_type = match (said, sent) {
            (Some(said), Some(sent)) if said != sent => return Err("mediaType differs from Content-Type"),
            (Some(said), _) => said,
            (None, Some(sent)) => sent,
            (None, None) => "application/vnd.oci.image.manifest.v1+json",
        }
        .to_owned();
        let subject = json.get("subject").and_then(|subject| subject.get("digest")).and_then(Value::as_str).map(str::to_owned);
        Ok(Self { digest, media_type, bytes: Arc::new(bytes), subject, json })
    }

    /// The digests of the blobs that it names.
    pub(crate) fn blobs(&self) -> impl Iterator<Item = &str> {
        let config = self.json.get("config").into_iter();
        let many = ["layers", "blobs"].into_iter().filter_map(|member| self.json.get(member)).filter_map(Value::as_array).flatten();
        // What may lie elsewhere need not lie here (OCI image spec, "Non-distributable layers").
        config.chain(many.filter(|layer| layer.get("urls").is_none())).filter_map(|descriptor| descriptor.get("digest")?.as_str())
    }

    /// The digests of the manifests that it lists.
    pub(crate) fn children(&self) -> impl Iterator<Item = &str> {
        self.json.get("manifests").and_then(Value::as_array).into_iter().flatten().filter_map(|child| child.get("digest")?.as_str())
    }

    /// The type of the artifact by the specification ("Listing Referrers").
    pub(crate) fn artifact_type(&self) -> Option<&str> {
        let own = self.json.get("artifactType").and_then(Value::as_str).filter(|own| !own.is_empty());
        own.or_else(|| self.json.get("config")?.get("mediaType")?.as_str())
    }

    /// Its entry in a list of referrers.
    pub(crate) fn entry(&self, naive: bool) -> Value {
        let mut entry = serde_json::Map::new();
        entry.insert("mediaType".to_owned(), self.media_type.as_str().into());
        entry.insert("digest".to_owned(), self.digest.as_str().into());
        entry.insert("size".to_owned(), self.bytes.len().into());
        if !naive {
            if let Some(artifact_type) = self.artifact_type() {
                entry.insert("artifactType".to_owned(), artifact_type.into());
            }
            if let Some(annotations) = self.json.get("annotations") {
                entry.insert("annotations".to_owned(), annotations.clone());
            }
        }
        Value::Object(entry)
    }
}

impl Repository {
    /// The manifest that a tag or a digest names.
    pub(crate) fn find(&self, reference: &str) -> Option<&Arc<Manifest>> {
        let digest = if reference.contains(':') { reference } else { self.tags.get(reference)? };
        self.manifests.get(digest)
    }
}
