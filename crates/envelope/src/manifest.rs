//! OCI manifests and descriptors (OCI image spec: manifest.md, image-index.md, descriptor.md), read from bytes that were hashed.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::digest::{Algorithm, Digest, DigestError};
use crate::json::{self, Object, Value};
use crate::sorted;

/// An OCI image manifest.
pub const IMAGE_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// An OCI image index.
pub const IMAGE_INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// Docker's image manifest, version 2 schema 2.
pub const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
/// Docker's manifest list.
pub const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
/// The config of an artifact that has none: the two bytes `{}`.
pub const EMPTY_CONFIG: &str = "application/vnd.oci.empty.v1+json";
/// Those two bytes.
pub const EMPTY: &[u8] = b"{}";
/// The annotation that holds a layer's file name (OCI image specification, annotations.md).
pub const TITLE: &str = "org.opencontainers.image.title";

/// Whether a descriptor of this media type is of a manifest that [`Manifest::parse`] reads.
pub fn is_manifest_type(media_type: &str) -> bool {
    is_image_type(media_type) || is_index_type(media_type)
}

/// Whether this is a media type of image manifests.
pub fn is_image_type(media_type: &str) -> bool {
    matches!(media_type, IMAGE_MANIFEST | DOCKER_MANIFEST)
}

/// Whether this is a media type of indexes.
pub fn is_index_type(media_type: &str) -> bool {
    matches!(media_type, IMAGE_INDEX | DOCKER_LIST)
}

/// What content is for: an operating system and a processor architecture.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Platform {
    /// The operating system, such as `linux`.
    pub os: String,
    /// The architecture, such as `amd64`.
    pub architecture: String,
    /// The architecture's variant, such as `v7`.
    pub variant: Option<String>,
}

impl Platform {
    /// Whether content for `self` is what `wanted` asks for: the same, or any variant where none is wanted.
    pub fn serves(&self, wanted: &Platform) -> bool {
        self.os == wanted.os && self.architecture == wanted.architecture && (wanted.variant.is_none() || self.variant == wanted.variant)
    }

    /// The platform as a descriptor has it.
    pub fn to_json(&self) -> Value<'static> {
        let variant = self.variant.clone().map(|variant| ("variant", Value::from(variant)));
        let required = [("architecture", Value::from(self.architecture.clone())), ("os", Value::from(self.os.clone()))];
        Value::object(required.into_iter().chain(variant))
    }

    /// Reads the members `os`, `architecture` and `variant`, of a descriptor's platform or an image's config; `None` if one that is
    /// needed is missing, or any is no word of at most 64 letters, digits, `.`, `_` and `-`.
    pub fn from_json(value: &Value<'_>) -> Option<Self> {
        let text = |member| match value.get(member) {
            None => Some(None),
            Some(Value::String(text)) if text.is_empty() => Some(None),
            Some(Value::String(text)) if is_platform_part(text) => Some(Some(text.as_ref().to_owned())),
            Some(_) => None,
        };
        Some(Self { os: text("os")??, architecture: text("architecture")??, variant: text("variant")? })
    }
}

fn is_platform_part(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        match &self.variant {
            Some(variant) => write!(f, "/{variant}"),
            None => Ok(()),
        }
    }
}

impl FromStr for Platform {
    type Err = PlatformError;

    fn from_str(text: &str) -> Result<Self, PlatformError> {
        let parts: Vec<&str> = text.split('/').collect();
        if !parts.iter().all(|part| is_platform_part(part)) {
            return Err(PlatformError);
        }
        match parts.as_slice() {
            [os, architecture] => Ok(Self { os: (*os).into(), architecture: (*architecture).into(), variant: None }),
            [os, architecture, variant] => {
                Ok(Self { os: (*os).into(), architecture: (*architecture).into(), variant: Some((*variant).into()) })
            }
            _ => Err(PlatformError),
        }
    }
}

/// A text that is no platform.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a platform is OS/ARCHITECTURE or OS/ARCHITECTURE/VARIANT, such as linux/amd64")]
pub struct PlatformError;

/// A pointer to content: its type, digest and size, and hints about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Descriptor {
    /// The content's media type.
    pub media_type: String,
    /// The content's digest.
    pub digest: Digest,
    /// The content's size in bytes.
    pub size: u64,
    /// The artifact type of the manifest pointed to.
    pub artifact_type: Option<String>,
    /// Free text.
    pub annotations: BTreeMap<String, String>,
    /// What the content is for.
    pub platform: Option<Platform>,
    /// The content itself, as it was given; whoever uses it compares digest and size first.
    pub data: Option<Vec<u8>>,
}

impl Descriptor {
    /// A descriptor without hints.
    pub fn new(media_type: &str, digest: Digest, size: u64) -> Self {
        let (artifact_type, platform, data) = (None, None, None);
        Self { media_type: media_type.to_owned(), digest, size, artifact_type, annotations: BTreeMap::new(), platform, data }
    }

    /// That of the config of an artifact that has none.
    pub fn empty_config() -> Self {
        Self::new(EMPTY_CONFIG, Algorithm::Sha256.digest(EMPTY), u64::try_from(EMPTY.len()).unwrap_or_default())
    }

    /// Reads a descriptor. Members that the specification does not have are ignored.
    ///
    /// # Errors
    /// A required member missing or malformed, or a digest that is neither sha256 nor sha512.
    pub fn from_json(value: &Value<'_>) -> Result<Self, ManifestError> {
        refuse_lookalikes(value, DESCRIPTOR_MEMBERS)?;
        let text = |member: &'static str| match value.get(member) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_ref())),
            Some(_) => Err(ManifestError::Member(member)),
        };
        let media_type = text("mediaType")?.ok_or(ManifestError::Member("mediaType"))?;
        let digest = text("digest")?.ok_or(ManifestError::Member("digest"))?.parse()?;
        let size = value.get("size").and_then(Value::as_u64).ok_or(ManifestError::Member("size"))?;
        let data = text("data")?.map(|data| STANDARD.decode(data).map_err(|_| ManifestError::Member("data"))).transpose()?;
        Ok(Self {
            media_type: media_type.to_owned(),
            digest,
            size,
            artifact_type: text("artifactType")?.filter(|text| !text.is_empty()).map(ToOwned::to_owned),
            annotations: annotations(value)?,
            platform: value.get("platform").and_then(Platform::from_json),
            data,
        })
    }

    /// The descriptor as JSON.
    pub fn to_json(&self) -> Value<'static> {
        let mut object = Object::new();
        object.insert("mediaType", Value::from(self.media_type.clone()));
        object.insert("digest", Value::from(alloc::format!("{}", self.digest)));
        object.insert("size", Value::from(self.size));
        if let Some(data) = &self.data {
            object.insert("data", Value::from(STANDARD.encode(data)));
        }
        if let Some(artifact_type) = &self.artifact_type {
            object.insert("artifactType", Value::from(artifact_type.clone()));
        }
        if let Some(platform) = &self.platform {
            object.insert("platform", platform.to_json());
        }
        if !self.annotations.is_empty() {
            object.insert("annotations", Value::from(Object::from_map(&self.annotations)));
        }
        Value::from(object)
    }
}

/// An image manifest or an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// Its media type: what it says, or else what its members mean in OCI.
    pub media_type: String,
    /// The `artifactType` member.
    pub artifact_type: Option<String>,
    /// What it refers to.
    pub subject: Option<Descriptor>,
    /// Free text.
    pub annotations: BTreeMap<String, String>,
    /// What it consists of.
    pub kind: Kind,
}

/// What a manifest consists of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An image manifest: a config and layers.
    Image {
        /// The config.
        config: Box<Descriptor>,
        /// The layers, in order.
        layers: Vec<Descriptor>,
    },
    /// An index: manifests.
    Index {
        /// The manifests, in order.
        manifests: Vec<Descriptor>,
    },
}

impl Manifest {
    /// Reads a manifest. Members that the specification does not have are ignored, but a document that is both an image
    /// manifest and an index is refused (GHSA-qq97-vm5h-rrhg), as is a `mediaType` that its members contradict.
    ///
    /// # Errors
    /// Not JSON, neither of the two kinds or both, or a member malformed.
    pub fn parse(bytes: &[u8]) -> Result<Self, ManifestError> {
        let document = json::parse_bounded(bytes, bytes.len(), MAX_VALUES)?;
        refuse_lookalikes(&document, MEMBERS)?;
        if document.get("schemaVersion").and_then(Value::as_u64) != Some(2) {
            return Err(ManifestError::Member("schemaVersion"));
        }
        let has = |members: &[&str]| members.iter().any(|member| document.get(member).is_some());
        let (image, index) = (has(&["config", "layers", "blobs", "fsLayers"]), has(&["manifests"]));
        if image && index {
            return Err(ManifestError::Both);
        }
        if has(&["blobs", "fsLayers"]) {
            return Err(ManifestError::Foreign);
        }
        let kind = if index {
            Kind::Index { manifests: descriptors(&document, "manifests")? }
        } else {
            let config = document.get("config").ok_or(ManifestError::Member("config"))?;
            Kind::Image { config: Box::new(Descriptor::from_json(config)?), layers: descriptors(&document, "layers")? }
        };
        let text = |member: &'static str| match document.get(member) {
            None => Ok(None),
            Some(Value::String(text)) if text.is_empty() => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_ref())),
            Some(_) => Err(ManifestError::Member(member)),
        };
        let media_type = match text("mediaType")? {
            None if index => IMAGE_INDEX,
            None => IMAGE_MANIFEST,
            Some(said) if is_index_type(said) == index && is_image_type(said) != index => said,
            Some(said) => return Err(ManifestError::MediaType { said: said.chars().take(128).collect() }),
        };
        Ok(Self {
            media_type: media_type.to_owned(),
            artifact_type: text("artifactType")?.map(ToOwned::to_owned),
            subject: document.get("subject").filter(|subject| **subject != Value::Null).map(Descriptor::from_json).transpose()?,
            annotations: annotations(&document)?,
            kind,
        })
    }

    /// The artifact type: the member of that name, or else an image's config media type (distribution spec, "Listing Referrers").
    pub fn artifact_type(&self) -> Option<&str> {
        match (&self.artifact_type, &self.kind) {
            (Some(artifact_type), _) => Some(artifact_type),
            (None, Kind::Image { config, .. }) => Some(&config.media_type),
            (None, Kind::Index { .. }) => None,
        }
    }

    /// The manifests that an index lists; none for an image.
    pub fn children(&self) -> &[Descriptor] {
        match &self.kind {
            Kind::Index { manifests } => manifests,
            Kind::Image { .. } => &[],
        }
    }

    /// The blobs that an image names, the config first; none for an index.
    pub fn blobs(&self) -> impl Iterator<Item = &Descriptor> {
        let (config, layers) = match &self.kind {
            Kind::Image { config, layers } => (Some(config.as_ref()), layers.as_slice()),
            Kind::Index { .. } => (None, [].as_slice()),
        };
        config.into_iter().chain(layers)
    }
}

/// At most this many JSON values in a manifest, some 50,000 descriptors: four megabytes of brackets would be a hundred of values.
const MAX_VALUES: usize = 1 << 18;

const MEMBERS: &[&str] =
    &["schemaVersion", "mediaType", "artifactType", "config", "layers", "manifests", "blobs", "fsLayers", "subject", "annotations"];
const DESCRIPTOR_MEMBERS: &[&str] = &["mediaType", "digest", "size", "urls", "annotations", "data", "artifactType", "platform"];

/// Refuses a member that differs from a known one only in case: Go's JSON reader, which most tools that read manifests use, takes it
/// for the known one, so that they would see another document (GHSA-qq97-vm5h-rrhg once more).
fn refuse_lookalikes(object: &Value<'_>, known: &[&'static str]) -> Result<(), ManifestError> {
    for (name, _) in object.as_object().into_iter().flat_map(Object::iter) {
        // A known one looks like no other: they differ in more than case.
        if known.contains(&name) {
            continue;
        }
        // Beside ASCII case, Go folds these two letters.
        let folded = |c: char| match c {
            '\u{17f}' => 's',
            '\u{212a}' => 'k',
            c => c.to_ascii_lowercase(),
        };
        for known in known {
            if name.len() <= 3 * known.len() && name.chars().map(folded).eq(known.chars().map(folded)) {
                return Err(ManifestError::Lookalike(known));
            }
        }
    }
    Ok(())
}

fn descriptors(document: &Value<'_>, member: &'static str) -> Result<Vec<Descriptor>, ManifestError> {
    let listed = document.get(member).and_then(Value::as_array).ok_or(ManifestError::Member(member))?;
    listed.iter().map(Descriptor::from_json).collect()
}

fn annotations(value: &Value<'_>) -> Result<BTreeMap<String, String>, ManifestError> {
    let Some(listed) = value.get("annotations").filter(|listed| **listed != Value::Null) else { return Ok(BTreeMap::new()) };
    let pairs = listed.as_object().ok_or(ManifestError::Member("annotations"))?.iter();
    let text =
        |(key, value): (&str, &Value<'_>)| Ok((key.to_owned(), value.as_str().ok_or(ManifestError::Member("annotations"))?.to_owned()));
    sorted::try_map(pairs.map(text))
}

/// Why bytes are no manifest, or a value no descriptor.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// Not JSON as this library reads it.
    #[error("the manifest is no JSON: {0}")]
    Json(#[from] json::Error),
    /// An image manifest and an index in one.
    #[error("the manifest has the members of an image manifest and of an index")]
    Both,
    /// Members of other kinds of manifest: Docker's schema 1 (`fsLayers`) or the withdrawn artifact manifest (`blobs`).
    #[error("the manifest has the members of a kind that is not supported: blobs or fsLayers")]
    Foreign,
    /// A member whose name differs from a known one only in case, so that some readers take it for that one.
    #[error("the manifest has a member that some readers take for `{0}`, and others do not")]
    Lookalike(&'static str),
    /// The media type is unknown, or contradicts the members.
    #[error("the manifest says that it is `{}`, which its members are not", said.escape_debug())]
    MediaType {
        /// What `mediaType` says, at most 128 characters of it.
        said: String,
    },
    /// A member is missing or malformed.
    #[error("the manifest's `{0}` is missing or malformed")]
    Member(&'static str),
    /// A digest is malformed, or of an unsupported algorithm.
    #[error("the manifest has a malformed descriptor: {0}")]
    Digest(#[from] DigestError),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Algorithm;
    use alloc::format;
    use alloc::string::ToString;

    fn descriptor(media_type: &str) -> String {
        format!(r#"{{"mediaType":"{media_type}","digest":"{}","size":2}}"#, Algorithm::Sha256.digest(b"{}"))
    }

    fn image(extra: &str) -> String {
        format!(r#"{{"schemaVersion":2,{extra}"config":{},"layers":[{}]}}"#, descriptor("c"), descriptor("l"))
    }

    #[test]
    fn an_image_and_an_index_are_read() {
        let manifest = Manifest::parse(image("").as_bytes()).unwrap();
        assert_eq!((manifest.media_type.as_str(), manifest.artifact_type()), (IMAGE_MANIFEST, Some("c")));
        assert_eq!(manifest.blobs().count(), 2);
        let index = format!(r#"{{"schemaVersion":2,"mediaType":"{DOCKER_LIST}","manifests":[{}]}}"#, descriptor(IMAGE_MANIFEST));
        let manifest = Manifest::parse(index.as_bytes()).unwrap();
        assert_eq!((manifest.children().len(), manifest.artifact_type()), (1, None));
    }

    #[test]
    fn confusions_are_refused() {
        let both = image(r#""manifests":[],"#);
        assert_eq!(Manifest::parse(both.as_bytes()), Err(ManifestError::Both));
        let lying = image(&format!(r#""mediaType":"{IMAGE_INDEX}","#));
        assert!(matches!(Manifest::parse(lying.as_bytes()), Err(ManifestError::MediaType { .. })));
        let unknown = image(r#""mediaType":"text/plain","#);
        assert!(matches!(Manifest::parse(unknown.as_bytes()), Err(ManifestError::MediaType { .. })));
        assert_eq!(Manifest::parse(br#"{"schemaVersion":2}"#), Err(ManifestError::Member("config")));
        assert_eq!(Manifest::parse(br#"{"schemaVersion":1}"#), Err(ManifestError::Member("schemaVersion")));
        let traversal = image("").replace("sha256:", "sha256:../../");
        assert!(matches!(Manifest::parse(traversal.as_bytes()), Err(ManifestError::Digest(_))));
        let negative = image("").replace("\"size\":2", "\"size\":-2");
        assert_eq!(Manifest::parse(negative.as_bytes()), Err(ManifestError::Member("size")));
    }

    #[test]
    fn members_that_differ_in_case_are_refused() {
        for lookalike in ["Manifests", "MANIFESTS", "manife\u{17f}ts", "Layers", "MediaType", "schemaversion"] {
            let text = image(&format!(r#""{lookalike}":[],"#));
            assert!(matches!(Manifest::parse(text.as_bytes()), Err(ManifestError::Lookalike(_))), "{lookalike}");
        }
        let text = image("").replacen(r#""digest""#, r#""Digest":"sha256:00","digest""#, 1);
        assert_eq!(Manifest::parse(text.as_bytes()), Err(ManifestError::Lookalike("digest")));
        assert_eq!(Manifest::parse(image(r#""blobs":[],"#).as_bytes()), Err(ManifestError::Foreign));
        assert!(Manifest::parse(image(r#""x-layers":[],"#).as_bytes()).is_ok());
    }

    #[test]
    fn brackets_do_not_fill_the_memory() {
        let nested = format!("{}{}", "[".repeat(30), "]".repeat(30));
        let many = [format!("[{}]", [nested.as_str(); 10_000].join(",")), format!("[{}0]", "0,".repeat(MAX_VALUES))];
        for many in many {
            let text = image(&format!(r#""x":{many},"#));
            assert!(matches!(Manifest::parse(text.as_bytes()), Err(ManifestError::Json(_))));
        }
        let layers = [descriptor("l").as_str(); 50_000].join(",");
        let large = format!(r#"{{"schemaVersion":2,"config":{},"layers":[{layers}]}}"#, descriptor("c"));
        assert_eq!(Manifest::parse(large.as_bytes()).unwrap().blobs().count(), 50_001);
    }

    #[test]
    fn descriptors_round_trip() {
        let mut one = Descriptor::new(IMAGE_MANIFEST, Algorithm::Sha512.digest(b"x"), 1);
        one.artifact_type = Some("a".to_owned());
        one.annotations.insert("k".to_owned(), "v".to_owned());
        one.platform = Some("linux/arm64/v8".parse().unwrap());
        one.data = Some(b"x".to_vec());
        assert_eq!(Descriptor::from_json(&one.to_json()), Ok(one));
    }

    #[test]
    fn platforms() {
        let wanted: Platform = "linux/arm64".parse().unwrap();
        let found: Platform = "linux/arm64/v8".parse().unwrap();
        assert!(found.serves(&wanted) && !wanted.serves(&found));
        assert_eq!(found.to_string(), "linux/arm64/v8");
        let odd = json::parse(br#"{"os":"linux","architecture":"amd64","variant":7}"#, 100).unwrap();
        assert_eq!(Platform::from_json(&odd), None);
        for bad in ["", "linux", "linux/", "linux/a/b/c", "linux/a b"] {
            assert!(bad.parse::<Platform>().is_err(), "{bad}");
        }
    }
}
