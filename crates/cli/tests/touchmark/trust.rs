//! What the tests of trust repositories have in common: keys, a repository, and our own client over what it publishes.

use crate::harness::{Place, Ran};

/// The keys of snapshot and timestamp.
pub const ONLINE: &str = "--key trust-keys/snapshot --key trust-keys/timestamp";

/// A repository that `trust init` has made, with one key a role.
pub fn made() -> Place {
    let place = Place::new();
    place.ok("trust init --no-passphrase --quiet");
    place
}

/// Signs by the key of the top-level targets, and publishes.
#[track_caller]
pub fn sign_and_publish(place: &Place, keys: &str) {
    place.ok(&format!("trust sign {keys}"));
    place.ok(&format!("trust publish {ONLINE}"));
    refreshed(place, "client");
}

/// Lets our own client refresh over what is published: one that was made before, or a new one with the first root.
#[track_caller]
pub fn refreshed(place: &Place, store: &str) {
    client(place, store, "refresh").is(0);
}

/// Runs our own client, with the store of this name.
pub fn client(place: &Place, store: &str, verb: &str) -> Ran {
    if !place.path(store).exists() {
        place.ok(&format!("tuf --metadata-dir {store} init trust/metadata/1.root.json"));
    }
    place.run(&format!("tuf --metadata-dir {store} --metadata-url trust/metadata/ {verb}"))
}

/// Downloads a target by our own client, and asserts what is in it.
#[track_caller]
pub fn downloaded(place: &Place, store: &str, path: &str, content: &str) {
    let verb = format!("--target-name {path} --target-dir got --target-base-url trust/targets/ download");
    client(place, store, &verb).is(0);
    let file = path.replace('/', "%2F");
    assert_eq!(String::from_utf8(place.read(&format!("got/{file}"))).unwrap(), content);
}

/// What `trust status` says of a role, as JSON.
pub fn status(place: &Place, role: &str) -> serde_json::Value {
    place.json(&format!("trust status --role {role}"), 0)["results"][0]["roles"][0].clone()
}
