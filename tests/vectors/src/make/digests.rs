//! Digests, with the values of FIPS 180-4's examples and of lengths around the blocks of both algorithms.

use super::{Case, Vectors, ok};

pub(super) fn add(vectors: &mut Vectors) {
    for (id, algorithm, document, digest) in [
        ("empty-sha256", "sha256", "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc-sha256", "sha256", "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abc-sha512",
            "sha512",
            "abc",
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        ),
    ] {
        let document = vectors.input(&format!("digest/{id}"), document);
        let case = Case::new("digest", &format!("digest-{id}"), "an example of FIPS 180-4", "4").with("algorithm", algorithm.to_owned());
        vectors.add(case.with("document", document).expect(ok().with("digest", format!("{algorithm}:{digest}"))));
    }
}
