//! Repositories of the registry for tests, filled without the code under test.

use std::sync::Arc;

use serde_json::Value;
use touchmark_test_registry::{Settings, TestRegistry};

use crate::harness::Place;

/// The repository of the tests.
pub const REPOSITORY: &str = "acme/app";

/// Puts all that an OCI layout holds into a repository: blobs, manifests, tags. The lists of referrers that an OCI layout keeps
/// under a tag go along only if the registry has no API for them.
pub fn upload(place: &Place, layout: &str, registry: &TestRegistry, repository: &str, with_lists: bool) {
    for entry in std::fs::read_dir(place.path(&format!("{layout}/blobs/sha256"))).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        registry.put_blob(repository, &bytes);
        let read = serde_json::from_slice::<Value>(&bytes).unwrap_or_default();
        let is_list = read["manifests"].as_array().is_some_and(|entries| entries.iter().any(|entry| entry["artifactType"].is_string()));
        if read["schemaVersion"] == 2 && (with_lists || !is_list) {
            registry.put_manifest(repository, None, &bytes);
        }
    }
    let index: Value = serde_json::from_slice(&place.read(&format!("{layout}/index.json"))).unwrap();
    for entry in index["manifests"].as_array().unwrap() {
        let Some(tag) = entry["annotations"]["org.opencontainers.image.ref.name"].as_str() else { continue };
        if with_lists || !tag.starts_with("sha256-") {
            registry.put_tag(repository, tag, entry["digest"].as_str().unwrap());
        }
    }
}

/// A registry by these settings with [`REPOSITORY`], which holds what the OCI layout `lay` does; gives its host and name too.
pub fn filled(place: &Place, settings: Settings) -> (Arc<TestRegistry>, String) {
    let with_lists = !settings.referrers_api;
    let registry = place.registry(settings);
    upload(place, "lay", &registry, REPOSITORY, with_lists);
    let name = format!("{}/{REPOSITORY}", registry.host());
    (registry, name)
}
