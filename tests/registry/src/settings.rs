//! How the registry behaves: by the specification unless a setting says otherwise. Each departure was seen in a real registry.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::time::Duration;

use crate::auth::Auth;
use crate::tls::Tls;

/// How a [registry](crate::TestRegistry) behaves. The default follows OCI distribution spec 1.1 in everything, on plain HTTP.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where it listens.
    pub address: IpAddr,
    /// The port; 0 takes a free one.
    pub port: u16,
    /// TLS in place of plain HTTP.
    pub tls: Option<Tls>,
    /// Who may do what.
    pub auth: Auth,
    /// What each answer waits for: a simulated round trip.
    pub delay: Duration,

    /// The referrers API; without it its paths are unknown (docker-registry, distribution, Docker Hub, GHCR).
    pub referrers_api: bool,
    /// `OCI-Subject` in answers to pushed manifests with a subject (go-containerregistry leaves it out).
    pub oci_subject: bool,
    /// What `artifactType` does in a query for referrers.
    pub filter: Filter,
    /// How many referrers a page has; everything in one unless given.
    pub page: Option<usize>,
    /// Entries of referrers have mediaType, digest and size alone (go-containerregistry).
    pub naive_referrers: bool,
    /// Referrers pushed within this time of each other overwrite each other's entry (olareg).
    pub referrers_race: Option<Duration>,

    /// `last` of `tags/list` (docker-registry ignores it).
    pub tags_last: Parameter,
    /// `n` of `tags/list` (docker-registry ignores it).
    pub tags_n: Parameter,
    /// `Link` in pages of tags (go-containerregistry leaves it out).
    pub tags_link: bool,
    /// How tags are ordered.
    pub tags_order: Order,
    /// How many tags a page has at most, whatever `n` says.
    pub tags_page: Option<usize>,
    /// `tags/list` answers this status.
    pub tags_refused: Option<u16>,
    /// Which tags cannot be moved once they are set.
    pub immutable_tags: Immutable,
    /// What an attempt to move one is answered: 400 (ECR), 403, 409 or 412 (Harbor).
    pub immutable_status: u16,
    /// Reads of a tag answer 500 this long while it is being set (docker-registry 2.8).
    pub torn_tags: Option<Duration>,

    /// A manifest is not found unless `Accept` names its type (docker-registry, for OCI's types).
    pub needs_accept: bool,
    /// DELETE of a tag works; otherwise 400 (docker-registry).
    pub delete_tags: bool,
    /// DELETE of a manifest and of a blob works; otherwise 405.
    pub delete_manifests: bool,
    /// Manifests and blobs are stored under whatever digest they are pushed by (go-containerregistry).
    pub accept_wrong_digest: bool,
    /// Manifests are stored though their blobs are missing (go-containerregistry).
    pub accept_missing_blobs: bool,
    /// sha512 as a digest of manifests (docker-registry and distribution: 400).
    pub sha512_manifests: bool,
    /// How many bytes a manifest has at most; more is 413.
    pub manifest_limit: u64,

    /// Mounting from another repository; otherwise 202, an ordinary upload.
    pub mount: bool,
    /// Mounting without `from`, of what lies in any repository, is an ordinary upload too.
    pub mount_needs_from: bool,
    /// PATCH of uploads; otherwise 405.
    pub chunked: bool,
    /// `POST ?digest=` with a body; otherwise 202, an ordinary upload (docker-registry).
    pub monolithic_post: bool,
    /// `OCI-Chunk-Min-Length`, and smaller chunks but the last are refused.
    pub chunk_min_length: Option<u64>,
    /// Ranges of blobs.
    pub ranges: bool,
    /// The scheme and host that `Location` of uploads begins with, such as `http://127.0.0.2:5000`; a path alone unless given.
    pub upload_origin: Option<String>,
    /// `_catalog`; otherwise 404.
    pub catalog: bool,

    /// A folder for blobs of more than a MiB; they are held in memory unless given.
    pub folder: Option<PathBuf>,
}

/// What `artifactType` does in a query for referrers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Filter {
    /// It filters, and `OCI-Filters-Applied` says so.
    #[default]
    Applied,
    /// It filters in silence (olareg).
    Unannounced,
    /// It does nothing (go-containerregistry).
    Ignored,
    /// `OCI-Filters-Applied` says so, and nothing was filtered.
    Feigned,
}

/// What is done with a parameter of a query.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Parameter {
    /// What the specification says.
    #[default]
    Honoured,
    /// Nothing.
    Ignored,
}

/// How tags are ordered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// By their bytes.
    #[default]
    Bytes,
    /// By their lower-case letters, which the specification allows too.
    Letters,
    /// As the pages of a hash table come: not at all, but always the same.
    None,
}

/// Which tags cannot be moved once they are set. Setting one to what it is already is allowed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Immutable {
    /// Each can.
    #[default]
    None,
    /// None can.
    All,
    /// Those of the referrers tag schema cannot: an algorithm, a hyphen and hexadecimal digits.
    Fallback,
    /// Those that begin so cannot.
    Prefix(String),
}

impl Immutable {
    /// Whether `tag` cannot be moved.
    pub fn covers(&self, tag: &str) -> bool {
        match self {
            Self::None => false,
            Self::All => true,
            Self::Fallback => tag.split_once('-').is_some_and(|(algorithm, hex)| {
                matches!(algorithm, "sha256" | "sha512") && hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit())
            }),
            Self::Prefix(prefix) => tag.starts_with(prefix),
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 0,
            tls: None,
            auth: Auth::None,
            delay: Duration::ZERO,
            referrers_api: true,
            oci_subject: true,
            filter: Filter::Applied,
            page: None,
            naive_referrers: false,
            referrers_race: None,
            tags_last: Parameter::Honoured,
            tags_n: Parameter::Honoured,
            tags_link: true,
            tags_order: Order::Bytes,
            tags_page: None,
            tags_refused: None,
            immutable_tags: Immutable::None,
            immutable_status: 409,
            torn_tags: None,
            needs_accept: false,
            delete_tags: true,
            delete_manifests: true,
            accept_wrong_digest: false,
            accept_missing_blobs: false,
            sha512_manifests: true,
            manifest_limit: 4 << 20,
            mount: true,
            mount_needs_from: false,
            chunked: true,
            monolithic_post: true,
            chunk_min_length: None,
            ranges: true,
            upload_origin: None,
            catalog: true,
            folder: None,
        }
    }
}

impl Settings {
    /// As docker-registry 2.8: no referrers API, tags that cannot be deleted and come in no order, `n` and `last` ignored, no sha512
    /// manifests, types that must be accepted, 500 while a tag is being set.
    #[must_use]
    pub fn docker_registry() -> Self {
        Self {
            referrers_api: false,
            tags_last: Parameter::Ignored,
            tags_n: Parameter::Ignored,
            tags_order: Order::None,
            needs_accept: true,
            delete_tags: false,
            sha512_manifests: false,
            monolithic_post: false,
            torn_tags: Some(Duration::from_millis(1)),
            ..Self::default()
        }
    }

    /// As a registry by the specification, but without the referrers API.
    #[must_use]
    pub fn without_referrers_api() -> Self {
        Self { referrers_api: false, ..Self::default() }
    }

    /// As go-containerregistry's with its referrers switched on: naive entries, no `OCI-Subject`, nothing filtered or checked.
    #[must_use]
    pub fn naive() -> Self {
        Self {
            oci_subject: false,
            filter: Filter::Ignored,
            naive_referrers: true,
            tags_link: false,
            accept_wrong_digest: true,
            accept_missing_blobs: true,
            mount: false,
            manifest_limit: 64 << 20,
            ..Self::default()
        }
    }
}
