//! What is counted, what attests, and manifests that are none.

use touchmark_envelope::digest::Algorithm;
use touchmark_envelope::dsse::IN_TOTO;
use touchmark_envelope::json::Value;
use touchmark_envelope::manifest::{IMAGE_INDEX, IMAGE_MANIFEST};
use touchmark_envelope::signature::Signature;

use super::super::envelopes::sign;
use super::super::{Vectors, coded, list, ok, refused};
use super::{MANIFEST, PROVENANCE, Question, SIGNATURE, accepted, by_alice, case, digest, not_verified, statement, wanted};

pub(super) fn add(vectors: &mut Vectors) {
    counting(vectors);
    attestations(vectors);
    manifests(vectors);
    arguments(vectors);
}

fn counting(vectors: &mut Vectors) {
    let x1 = || statement(MANIFEST, Some("acme/x:1")).to_json();
    let by = |names: &[&str]| sign(IN_TOTO, &x1(), names).to_json();
    let two = ["alice", "bob"];
    let accepted = || accepted().with("name", "acme/x:1".to_owned());
    let ask = |envelopes: Vec<Vec<u8>>, keys: &'static [&'static str], threshold| Question {
        envelopes,
        keys,
        threshold,
        more: wanted("acme/x:1"),
        ..Question::default()
    };
    case(vectors, "nothing", "no envelope at all", "12", ask(vec![], &["alice"], 1), coded("UNSIGNED", "unsigned"));
    case(vectors, "stranger", "signed by a stranger", "12", ask(vec![by(&["mallory"])], &["alice"], 1), not_verified());
    case(vectors, "two-in-one", "two keys signed one envelope", "11", ask(vec![by(&two)], &["alice", "bob"], 2), accepted());
    case(
        vectors,
        "two-in-two",
        "each key signed an envelope of its own",
        "11",
        ask(vec![by(&["alice"]), by(&["bob"])], &["alice", "bob"], 2),
        accepted(),
    );
    case(vectors, "one-of-two", "one of two keys signed", "11", ask(vec![by(&["alice"])], &["alice", "bob"], 2), not_verified());
    case(
        vectors,
        "one-twice",
        "one envelope twice is one key",
        "11",
        ask(vec![by(&["alice"]), by(&["alice"])], &["alice", "bob"], 2),
        not_verified(),
    );
    let bad_first = vec![b"no envelope".to_vec(), by(&["mallory"]), by(&["alice"])];
    case(vectors, "bad-before-good", "bad envelopes hide no good one", "12", ask(bad_first, &["alice"], 1), accepted());
    let split = vec![by(&["alice"]), sign(IN_TOTO, &statement(MANIFEST, Some("acme/x:2")).to_json(), &["bob"]).to_json()];
    case(vectors, "keys-of-two-names", "one key signed another name", "11", ask(split.clone(), &["alice", "bob"], 2), not_verified());
    let question = Question { more: wanted("acme/x:*"), ..ask(split, &["alice", "bob"], 2) };
    case(vectors, "any-version-keys-of-two-versions", "keys are counted for each version alone", "11", question, not_verified());
    let three = ["alice", "carol", "dave"];
    case(vectors, "three-algorithms", "three algorithms", "7", ask(vec![by(&three)], &["alice", "carol", "dave"], 3), accepted());
    case(
        vectors,
        "one-key-twice",
        "one key twice is one key",
        "11",
        ask(vec![by(&["alice"])], &["alice", "alice"], 2),
        refused("INVALID_THRESHOLD"),
    );
}

fn attestations(vectors: &mut Vectors) {
    let subject = |name: Option<&str>, bytes: &[u8]| {
        let name = name.map(|name| format!(r#""name":"{name}","#)).unwrap_or_default();
        format!(r#"{{{name}"digest":{{"sha256":"{}"}}}}"#, Algorithm::Sha256.digest(bytes).hex())
    };
    let of = |predicate_type: &str, subjects: &[String]| {
        let subjects = subjects.join(",");
        let text = format!(
            r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{subjects}],"predicateType":"{predicate_type}","predicate":{{"score":9.8}}}}"#
        );
        by_alice(text.as_bytes())
    };
    let types = |all: &[&str]| ("predicate_types", list(all.iter().map(|one| Value::from((*one).to_owned()))));
    let this = || subject(None, MANIFEST);
    let ask = |envelopes: Vec<Vec<u8>>, wanted: &[&str]| Question { envelopes, more: vec![types(wanted)], ..Question::default() };
    let provenance = || of(PROVENANCE, &[this()]);
    let signature = || by_alice(&statement(MANIFEST, Some("acme/x:1")).to_json());
    case(vectors, "attested", "an attestation of the type that is asked for", "10", ask(vec![provenance()], &[PROVENANCE]), accepted());
    case(
        vectors,
        "attested-other-type",
        "one of another type",
        "10",
        ask(vec![of("https://example.com/other", &[this()])], &[PROVENANCE]),
        not_verified(),
    );
    case(vectors, "attested-no-signature", "a signature is no attestation", "10", ask(vec![signature()], &[PROVENANCE]), not_verified());
    case(vectors, "signed-no-attestation", "an attestation is no signature", "10", ask(vec![provenance()], &[]), not_verified());
    let both = || ask(vec![provenance(), signature()], &[SIGNATURE, PROVENANCE]);
    case(vectors, "attested-and-signed", "both are asked for, and there", "12", both(), accepted());
    let one = ask(vec![provenance()], &[SIGNATURE, PROVENANCE]);
    case(
        vectors,
        "attested-and-not-signed",
        "both are asked for, and nothing failed: there is no signature",
        "12",
        one,
        coded("UNSIGNED", "unsigned"),
    );
    let two = of(PROVENANCE, &[subject(Some("other.tar"), b"x"), this()]);
    case(vectors, "attested-second-subject", "one of several subjects is the artifact", "10", ask(vec![two], &[PROVENANCE]), accepted());
    let other = of(PROVENANCE, &[subject(None, b"x")]);
    case(vectors, "attested-other-artifact", "no subject is the artifact", "10", ask(vec![other], &[PROVENANCE]), not_verified());
    let named = |subjects: &[String], name: &str| {
        let mut question = ask(vec![of(PROVENANCE, subjects)], &[PROVENANCE]);
        question.more.push(("name", Value::from(name.to_owned())));
        question
    };
    let good = accepted().with("name", "acme/x:1".to_owned());
    case(
        vectors,
        "attested-name",
        "the subject has the wanted name",
        "10",
        named(&[subject(Some("acme/x:1"), MANIFEST)], "acme/x:1"),
        good,
    );
    let apart = [subject(Some("acme/x:1"), b"x"), this()];
    case(vectors, "attested-name-of-another-subject", "the name is another subject's", "10", named(&apart, "acme/x:1"), not_verified());
    let file = [subject(Some("./x.tar"), MANIFEST)];
    case(vectors, "attested-name-outside-grammar", "a name outside the grammar is none", "10", named(&file, "acme/x:1"), not_verified());
    let mut annotated = ask(vec![provenance()], &[PROVENANCE]);
    annotated.more.push(("annotations", Value::object([("stage", "production".to_owned())])));
    case(vectors, "attested-annotation", "no attestation has an annotation that is asked for", "10", annotated, not_verified());
}

/// Manifests that are none: malformed, whoever signed them.
fn manifests(vectors: &mut Vectors) {
    let text = std::str::from_utf8(MANIFEST).expect("text");
    for (id, manifest, why) in [
        ("no-json", "{".to_owned(), "no JSON"),
        ("empty", String::new(), "nothing"),
        ("schema-1", text.replacen("\"schemaVersion\":2", "\"schemaVersion\":1", 1), "a schema of version 1"),
        ("no-schema", text.replacen("\"schemaVersion\":2,", "", 1), "without `schemaVersion`"),
        (
            "both-kinds",
            text.replacen("\"schemaVersion\":2,", "\"schemaVersion\":2,\"manifests\":[],", 1),
            "an image and an index at once (GHSA-qq97-vm5h-rrhg)",
        ),
        (
            "fs-layers",
            text.replacen("\"schemaVersion\":2,", "\"schemaVersion\":2,\"fsLayers\":[],", 1),
            "members of an older kind of manifest",
        ),
        ("media-type-of-index", text.replacen("image.manifest.v1", "image.index.v1", 1), "a media type that the members contradict"),
        (
            "lookalike",
            text.replacen("\"schemaVersion\":2,", "\"schemaVersion\":2,\"Layers\":[],", 1),
            "a member that some readers take for another",
        ),
        ("duplicate", text.replacen("\"schemaVersion\":2,", "\"schemaVersion\":2,\"layers\":[],", 1), "two lists of layers"),
        ("no-config", text.replacen("\"config\":", "\"confi\":", 1), "without a config"),
        ("digest-md5", text.replacen("sha256:4413", "md5:4413", 1), "a config by another algorithm"),
        ("size-negative", text.replacen("\"size\":2", "\"size\":-2", 1), "a negative size"),
    ] {
        let signed = by_alice(&statement(manifest.as_bytes(), None).to_json());
        let question = Question { manifest: manifest.as_bytes(), envelopes: vec![signed], ..Question::default() };
        case(vectors, &format!("manifest-{id}"), why, "4", question, coded("MALFORMED", "malformed"));
    }
    for (id, manifest, media_type, why) in [
        (
            "no-media-type",
            text.replacen("\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",", "", 1),
            IMAGE_MANIFEST,
            "without a media type it is OCI's",
        ),
        ("pretty", format!("\n{text}\n"), IMAGE_MANIFEST, "white space around it is part of its bytes"),
        ("index", r#"{"schemaVersion":2,"manifests":[]}"#.to_owned(), IMAGE_INDEX, "an index"),
        (
            "docker",
            text.replacen("vnd.oci.image.manifest.v1", "vnd.docker.distribution.manifest.v2", 1),
            "application/vnd.docker.distribution.manifest.v2+json",
            "an image of Docker's media type",
        ),
    ] {
        let signed = Signature { media_type: media_type.to_owned(), ..statement(manifest.as_bytes(), None) };
        let question = Question { manifest: manifest.as_bytes(), envelopes: vec![by_alice(&signed.to_json())], ..Question::default() };
        case(vectors, &format!("manifest-{id}"), why, "4", question, ok().with("digest", digest(manifest.as_bytes())));
    }
}

fn arguments(vectors: &mut Vectors) {
    let envelopes = || vec![by_alice(&statement(MANIFEST, None).to_json())];
    for (id, keys, threshold) in [("zero", ["alice"].as_slice(), 0), ("two-of-one", &["alice"], 2), ("no-keys", &[], 1)] {
        let question = Question { envelopes: envelopes(), keys, threshold, ..Question::default() };
        case(
            vectors,
            &format!("threshold-{id}"),
            "a threshold that nothing could reach, or anything",
            "11",
            question,
            refused("INVALID_THRESHOLD"),
        );
    }
}
