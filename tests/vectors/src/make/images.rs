//! OCI layouts, as folders and as tars.

use touchmark_test_tuf_repository::NOW;

use super::{Case, Vectors, coded, list, ok, testdata, testdata_file};

pub(super) fn add(vectors: &mut Vectors) {
    let folder = vectors.folder("layouts/signed", testdata("layouts/signed"));
    let key = vectors.file("layouts/alice.pub", testdata_file("layouts/alice.pub"));
    for (tag, expect) in [("v1", ok()), ("unsigned", coded("UNSIGNED", "unsigned"))] {
        let case = Case::new("layout", &format!("layout-{tag}"), "an OCI layout that openssl signed", "14")
            .with("reference", format!("oci:{folder}:{tag}"));
        vectors.add(case.with("keys", list([key.clone()])).with("threshold", 1_u64).with("at", NOW).expect(expect));
    }
}
