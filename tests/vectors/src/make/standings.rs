//! What trust metadata says of names.

use touchmark_test_tuf_repository::{Delegation, NOW, Repository};

use super::repositories::served;
use super::statements::{MANIFEST, digest};
use super::{Case, Vectors, list, ok};

pub(super) fn add(vectors: &mut Vectors) {
    let mut repository = Repository::new();
    repository.delegate("targets", Delegation::new("acme").paths(&["acme/*"]).terminating());
    repository.add_target("acme", "acme/x:1", MANIFEST);
    repository.publish();
    let root = vectors.input("trust/entry.root.json", repository.file("1.root.json"));
    let folder = vectors.folder("trust/entry", served(&repository));
    let manifest = vectors.file("manifests/image.json", MANIFEST);
    let case = Case::new("standing", "standing-entry", "the role acme lists the artifact", "23.2").with("root", root);
    let case = case.with("repository", folder).with("at", NOW).with("name", "acme/x:1".to_owned());
    let expect = ok().with("digest", digest(MANIFEST)).with("accepted_by", "entry".to_owned());
    vectors.add(case.with("manifest", manifest).with("envelopes", list([])).expect(expect));
}
