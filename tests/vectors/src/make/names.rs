//! Names.

use super::{Case, Vectors, ok, refused};

pub(super) fn add(vectors: &mut Vectors) {
    for (id, name, why) in
        [("plain", "acme/net-monitor", "two components"), ("version", "acme/net-monitor:1.2.0", "a version has the grammar of an OCI tag")]
    {
        vectors.add(Case::new("name", &format!("name-{id}"), why, "5").with("name", name.to_owned()).expect(ok()));
    }
    for (id, name, why) in
        [("one-component", "acme", "a publisher alone is no name"), ("any-version", "acme/x:*", "`:*` occurs only in wanted names")]
    {
        vectors.add(Case::new("name", &format!("name-{id}"), why, "5").with("name", name.to_owned()).expect(refused("INVALID_NAME")));
    }
}
