//! Decisions about a manifest by keys and envelopes: what a statement must say to count, and what is counted.

use touchmark_envelope::UnixTime;
use touchmark_envelope::digest::Algorithm;
use touchmark_envelope::dsse::IN_TOTO;
use touchmark_envelope::json::Value;
use touchmark_envelope::manifest::{IMAGE_INDEX, IMAGE_MANIFEST};
use touchmark_envelope::signature::Signature;
use touchmark_test_tuf_repository::{NOW, json, remove, set};

use super::envelopes::{key_file, sign};
use super::{Case, Expect, Vectors, coded, list, ok, refused};

mod counting;

/// An image of one layer, whose manifest is this.
pub(super) const MANIFEST: &[u8] = br#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad","size":3}]}"#;
/// The predicate type of a signature.
const SIGNATURE: &str = "urn:touchmark:predicate:signature:v1";
/// That of an attestation.
pub(super) const PROVENANCE: &str = "https://slsa.dev/provenance/v1";

pub(super) fn add(vectors: &mut Vectors) {
    names(vectors);
    times(vectors);
    annotations(vectors);
    mismatches(vectors);
    malformed(vectors);
    counting::add(vectors);
}

/// A question of `verify` that is answered yes, but for what a case changes.
pub(super) struct Question<'a> {
    pub(super) manifest: &'a [u8],
    pub(super) envelopes: Vec<Vec<u8>>,
    pub(super) keys: &'a [&'a str],
    pub(super) threshold: u64,
    pub(super) at: i64,
    pub(super) more: Vec<(&'static str, Value<'static>)>,
}

impl Default for Question<'_> {
    fn default() -> Self {
        Self { manifest: MANIFEST, envelopes: Vec::new(), keys: &["alice"], threshold: 1, at: NOW, more: Vec::new() }
    }
}

fn case(vectors: &mut Vectors, id: &str, why: &str, spec: &str, question: Question<'_>, expect: Expect) {
    let manifest = vectors.file(&format!("manifests/{id}.json"), question.manifest);
    let envelopes = (1..).zip(question.envelopes).map(|(number, bytes)| vectors.file(&format!("statements/{id}.{number}.json"), bytes));
    let envelopes = list(envelopes.collect::<Vec<_>>());
    let keys = list(question.keys.iter().map(|name| key_file(vectors, name)).collect::<Vec<_>>());
    let case = Case::new("verify", &format!("verify-{id}"), why, spec).with("manifest", manifest).with("envelopes", envelopes);
    let case = question.more.into_iter().fold(case, |case, (name, value)| case.with(name, value));
    vectors.add(case.with("keys", keys).with("threshold", question.threshold).with("at", question.at).expect(expect));
}

fn accepted() -> Expect {
    ok().with("digest", digest(MANIFEST))
}

fn not_verified() -> Expect {
    coded("NOT_VERIFIED", "threshold")
}

/// A wanted name.
fn wanted(name: &str) -> Vec<(&'static str, Value<'static>)> {
    vec![("name", Value::from(name.to_owned()))]
}

/// An envelope by alice over a statement.
fn by_alice(statement: &[u8]) -> Vec<u8> {
    sign(IN_TOTO, statement, &["alice"]).to_json()
}

/// The statement of a signature about the image, changed.
fn changed(change: impl FnOnce(&mut Value<'static>)) -> Vec<u8> {
    let mut value = json(std::str::from_utf8(&statement(MANIFEST, Some("acme/x:1")).to_json()).expect("text"));
    change(&mut value);
    value.to_vec()
}

fn names(vectors: &mut Vectors) {
    for (id, signed, name, found) in [
        ("exact", Some("acme/x:1"), Some("acme/x:1"), Some("acme/x:1")),
        ("no-name-wanted", Some("acme/x:1"), None, None),
        ("no-name-at-all", None, None, None),
        ("versionless", Some("acme/x"), Some("acme/x"), Some("acme/x")),
        ("any-version", Some("acme/x:1"), Some("acme/x:*"), Some("acme/x:1")),
    ] {
        let envelopes = vec![by_alice(&statement(MANIFEST, signed).to_json())];
        let expect = found.map_or_else(accepted, |found| accepted().with("name", found.to_owned()));
        let question = Question { envelopes, more: name.map(wanted).unwrap_or_default(), ..Question::default() };
        case(vectors, &format!("name-{id}"), "the name that was signed is the one that is wanted", "5", question, expect);
    }
    for (id, signed, name, why) in [
        ("other-version", Some("acme/x:1"), "acme/x:2", "another version"),
        ("other-path", Some("acme/x:1"), "acme/y:1", "another path"),
        ("other-publisher", Some("acme/x:1"), "evil/x:1", "another publisher"),
        ("prefix", Some("acme/x:1"), "acme/x:10", "a name that begins like the signed one"),
        ("sub-path", Some("acme/x:1"), "acme/x/y:1", "a path below the signed one"),
        ("version-not-signed", Some("acme/x"), "acme/x:1", "a version is wanted, and none was signed"),
        ("version-not-wanted", Some("acme/x:1"), "acme/x", "no version is wanted, and one was signed"),
        ("any-version-of-none", Some("acme/x"), "acme/x:*", "any version is never the versionless name"),
        ("none-signed", None, "acme/x:1", "no name was signed"),
        ("version-case", Some("acme/x:V1"), "acme/x:v1", "names are compared byte for byte"),
    ] {
        let envelopes = vec![by_alice(&statement(MANIFEST, signed).to_json())];
        let question = Question { envelopes, more: wanted(name), ..Question::default() };
        case(vectors, &format!("name-{id}"), why, "5", question, not_verified());
    }
    for (id, name) in [("one-component", "acme"), ("upper-case", "Acme/x:1"), ("star", "acme/*:1"), ("empty", "")] {
        let envelopes = vec![by_alice(&statement(MANIFEST, Some("acme/x:1")).to_json())];
        let question = Question { envelopes, more: wanted(name), ..Question::default() };
        case(vectors, &format!("name-wanted-{id}"), "the wanted name is none", "5", question, refused("INVALID_NAME"));
    }
}

fn times(vectors: &mut Vectors) {
    let until = |seconds: i64| {
        let expires = UnixTime::from_seconds(seconds);
        Signature { expires, ..statement(MANIFEST, Some("acme/x:1")) }.to_json()
    };
    for (id, expires, at, expect, why) in [
        ("before", NOW + 1, NOW, accepted(), "a second before it expires"),
        ("at", NOW, NOW, not_verified(), "at the second at which it expires"),
        ("after", NOW - 1, NOW, not_verified(), "a second after it expired"),
        ("years-after", NOW, NOW + 1_000_000_000, not_verified(), "years after it expired"),
        ("before-issued", NOW + 1, NOW - 900_000, accepted(), "before it was issued, by which nothing is decided"),
    ] {
        let question = Question { envelopes: vec![by_alice(&until(expires))], at, ..Question::default() };
        case(vectors, &format!("expires-{id}"), why, "10", question, expect);
    }
    let never = || vec![by_alice(&statement(MANIFEST, None).to_json())];
    let question = Question { envelopes: never(), at: 253_402_300_799, ..Question::default() };
    case(vectors, "expires-never", "the last second of the year 9999", "6", question, accepted());
    for (id, at) in [("zero", 0), ("negative", -1), ("after-9999", 253_402_300_800), ("smallest", i64::MIN), ("largest", i64::MAX)] {
        let question = Question { envelopes: never(), at, ..Question::default() };
        case(
            vectors,
            &format!("time-{id}"),
            "a clock that says so is an error, and never \"not expired\"",
            "6",
            question,
            refused("INVALID_TIME"),
        );
    }
    for (id, expires) in [
        ("fraction", "2030-01-01T00:00:00.5Z"),
        ("offset", "2030-01-01T00:00:00+00:00"),
        ("lower-case", "2030-01-01t00:00:00z"),
        ("no-such-day", "2030-02-30T00:00:00Z"),
        ("leap-second", "2030-06-30T23:59:60Z"),
        ("date", "2030-01-01"),
        ("empty", ""),
    ] {
        let statement = changed(|statement| set(statement, "/predicate/expires", expires.to_owned()));
        let question = Question { envelopes: vec![by_alice(&statement)], ..Question::default() };
        case(vectors, &format!("expires-malformed-{id}"), "a time has one form", "6", question, not_verified());
    }
    let statement = changed(|statement| set(statement, "/predicate/expires", Value::Null));
    let question = Question { envelopes: vec![by_alice(&statement)], ..Question::default() };
    case(vectors, "expires-null", "`null` is no time", "10", question, not_verified());
    let statement = changed(|statement| set(statement, "/predicate/expires", 1_893_456_000_u64));
    let question = Question { envelopes: vec![by_alice(&statement)], ..Question::default() };
    case(vectors, "expires-number", "a number is no time", "10", question, not_verified());
}

fn annotations(vectors: &mut Vectors) {
    let with = |pairs: &[(&str, &str)]| {
        let annotations = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        by_alice(&Signature { annotations, ..statement(MANIFEST, None) }.to_json())
    };
    let asked = |pairs: &[(&str, &str)]| {
        let pairs = pairs.iter().map(|(key, value)| ((*key).to_owned(), Value::from((*value).to_owned())));
        vec![("annotations", Value::object(pairs))]
    };
    let signed = [("stage", "production"), ("team", "a")];
    for (id, wanted, expect) in [
        ("one", vec![("stage", "production")], accepted()),
        ("all", signed.to_vec(), accepted()),
        ("none", vec![], accepted()),
        ("other-value", vec![("stage", "test")], not_verified()),
        ("other-case", vec![("Stage", "production")], not_verified()),
        ("missing", vec![("reviewed", "yes")], not_verified()),
        ("one-of-two", vec![("stage", "production"), ("reviewed", "yes")], not_verified()),
        ("empty-value", vec![("stage", "")], not_verified()),
        ("prefix", vec![("stage", "prod")], not_verified()),
    ] {
        let question = Question { envelopes: vec![with(&signed)], more: asked(&wanted), ..Question::default() };
        case(
            vectors,
            &format!("annotation-{id}"),
            "each annotation that is asked for must have been signed with that value",
            "10",
            question,
            expect,
        );
    }
    let apart = vec![with(&signed[..1]), with(&signed[1..])];
    let question = Question { envelopes: apart, more: asked(&signed), ..Question::default() };
    case(vectors, "annotation-in-two-statements", "nothing is put together from two statements", "11", question, not_verified());
    for (id, value) in [("number", Value::from(1_u64)), ("null", Value::Null), ("list", list([]))] {
        let statement = changed(|statement| set(statement, "/predicate/annotations", Value::object([("stage", value)])));
        let question = Question { envelopes: vec![by_alice(&statement)], ..Question::default() };
        case(vectors, &format!("annotation-{id}"), "annotations are texts", "10", question, not_verified());
    }
    let many = |count: u64| {
        let annotations = (0..count).map(|number| (format!("a{number}"), String::new())).collect();
        vec![by_alice(&Signature { annotations, ..statement(MANIFEST, None) }.to_json())]
    };
    let question = Question { envelopes: many(256), ..Question::default() };
    case(vectors, "annotation-256", "256 annotations are taken", "10", question, accepted());
    let question = Question { envelopes: many(257), ..Question::default() };
    case(vectors, "annotation-257", "257 annotations are malformed", "10", question, not_verified());
}

/// Signatures of something else.
fn mismatches(vectors: &mut Vectors) {
    let other = [MANIFEST, b" "].concat();
    let statements = [
        ("other-artifact", statement(&other, Some("acme/x:1")).to_json(), "it is about another artifact"),
        (
            "other-media-type",
            changed(|statement| set(statement, "/predicate/mediaType", IMAGE_INDEX.to_owned())),
            "signed as an index, and it is an image",
        ),
        ("other-size", changed(|statement| set(statement, "/predicate/size", 1_u64)), "signed with another size"),
        ("predicate-type", changed(|statement| set(statement, "/predicateType", PROVENANCE.to_owned())), "another predicate type"),
        (
            "predicate-type-prefix",
            changed(|statement| set(statement, "/predicateType", format!("{SIGNATURE}.1"))),
            "a type that begins like the one of signatures",
        ),
        ("predicate-type-case", changed(|statement| set(statement, "/predicateType", SIGNATURE.to_uppercase())), "the type in upper case"),
        (
            "sha512-of-another",
            changed(|statement| set(statement, "/subject/0/digest/sha512", Algorithm::Sha512.digest(b"x").hex())),
            "of two digests one is another's",
        ),
        (
            "two-subjects",
            changed(|statement| {
                let subject = touchmark_test_tuf_repository::at(statement, "/subject/0").clone();
                set(statement, "/subject/-", subject);
            }),
            "a signature has one subject",
        ),
        (
            "only-md5",
            changed(|statement| set(statement, "/subject/0/digest", json(r#"{"md5":"d41d8cd98f00b204e9800998ecf8427e"}"#))),
            "a digest by an algorithm that never counts",
        ),
        ("no-digest", changed(|statement| set(statement, "/subject/0/digest", json("{}"))), "no digest"),
    ];
    for (id, statement, why) in statements {
        let question = Question { envelopes: vec![by_alice(&statement)], ..Question::default() };
        case(vectors, id, why, "10", question, not_verified());
    }
    let both = changed(|statement| set(statement, "/subject/0/digest/sha512", Algorithm::Sha512.digest(MANIFEST).hex()));
    let alone = changed(|statement| {
        set(statement, "/subject/0/digest", Value::object([("sha512", Algorithm::Sha512.digest(MANIFEST).hex())]));
    });
    let md5 = changed(|statement| set(statement, "/subject/0/digest/md5", "00".to_owned()));
    for (id, statement, why) in [
        ("sha512-too", both, "both digests"),
        ("sha512-alone", alone, "sha512 alone"),
        ("md5-beside", md5, "a digest by an algorithm that is not known, beside one that is"),
        (
            "more-members",
            changed(|statement| set(statement, "/predicate/reviewer", "a".to_owned())),
            "members of later versions are ignored",
        ),
    ] {
        let question = Question { envelopes: vec![by_alice(&statement)], ..Question::default() };
        case(vectors, id, why, "10", question, accepted());
    }
}

/// What is signed and is no signature.
fn malformed(vectors: &mut Vectors) {
    let good = statement(MANIFEST, Some("acme/x:1")).to_json();
    let text = String::from_utf8(good.clone()).expect("text");
    for (id, statement, why) in [
        ("no-type", changed(|statement| drop(remove(statement, "/_type"))), "without `_type`"),
        (
            "statement-0.1",
            changed(|statement| set(statement, "/_type", "https://in-toto.io/Statement/v0.1".to_owned())),
            "an older statement",
        ),
        ("no-subject", changed(|statement| set(statement, "/subject", list([]))), "without a subject"),
        ("no-predicate", changed(|statement| drop(remove(statement, "/predicate"))), "without a predicate"),
        ("predicate-list", changed(|statement| set(statement, "/predicate", list([]))), "a predicate that is no object"),
        ("no-media-type", changed(|statement| drop(remove(statement, "/predicate/mediaType"))), "without a media type"),
        ("no-size", changed(|statement| drop(remove(statement, "/predicate/size"))), "without a size"),
        ("size-text", changed(|statement| set(statement, "/predicate/size", MANIFEST.len().to_string())), "a size that is a text"),
        ("size-float", text.replacen("\"size\":", "\"size\":1.0,\"x\":", 1).into_bytes(), "a size with a fraction"),
        ("no-issued", changed(|statement| drop(remove(statement, "/predicate/issued"))), "without the time of issue"),
        (
            "digest-upper-case",
            changed(|statement| set(statement, "/subject/0/digest/sha256", Algorithm::Sha256.digest(MANIFEST).hex().to_uppercase())),
            "a digest in upper case",
        ),
        ("digest-short", changed(|statement| set(statement, "/subject/0/digest/sha256", "00".to_owned())), "a digest of another length"),
        ("name-outside-grammar", changed(|statement| set(statement, "/subject/0/name", "Acme".to_owned())), "a name outside the grammar"),
        ("name-number", changed(|statement| set(statement, "/subject/0/name", 1_u64)), "a name that is no text"),
        (
            "duplicate-size",
            text.replacen("\"size\":", "\"size\":1,\"size\":", 1).into_bytes(),
            "two sizes: readers disagree on which counts",
        ),
        ("duplicate-subject", text.replacen("{\"_type\"", "{\"subject\":[],\"_type\"", 1).into_bytes(), "two lists of subjects"),
        ("trailing", format!("{text} x").into_bytes(), "something behind the statement"),
        ("empty", Vec::new(), "nothing"),
    ] {
        let question = Question { envelopes: vec![by_alice(&statement)], ..Question::default() };
        case(vectors, &format!("statement-{id}"), why, "10", question, not_verified());
    }
    let types = [
        ("text/plain", "other"),
        ("application/vnd.in-toto+JSON", "case"),
        ("", "empty"),
        ("application/vnd.in-toto+json; charset=utf-8", "parameter"),
    ];
    for (payload_type, id) in types {
        let envelopes = vec![sign(payload_type, &good, &["alice"]).to_json()];
        let question = Question { envelopes, ..Question::default() };
        case(vectors, &format!("payload-type-{id}"), "another payload type: what is signed is no statement", "9", question, not_verified());
    }
    let question = Question { envelopes: vec![b"{}".to_vec()], ..Question::default() };
    case(vectors, "envelope-malformed", "an envelope that is none", "9", question, not_verified());
}

/// The statement of a signature about a manifest of an image.
pub(super) fn statement(manifest: &[u8], name: Option<&str>) -> Signature {
    let issued = UnixTime::from_seconds(NOW - 86_400).expect("a time");
    let name = name.map(|name| name.parse().expect("a name"));
    Signature { name, ..Signature::of(manifest, IMAGE_MANIFEST, issued) }
}

/// The SHA-256 digest of bytes.
pub(super) fn digest(bytes: &[u8]) -> String {
    Algorithm::Sha256.digest(bytes).to_string()
}
