//! Searches for evidence in a place: what it lists, what it has, and what it fails to give.

use touchmark_envelope::dsse::IN_TOTO;
use touchmark_envelope::json::Value;
use touchmark_envelope::manifest::{IMAGE_INDEX, IMAGE_MANIFEST};
use touchmark_test_tuf_repository::NOW;

use super::envelopes::{key_file, sign};
use super::statements::{MANIFEST, digest, statement};
use super::{Case, Expect, Vectors, coded, list, ok, refused};

mod indexes;

const SIGNATURES: &str = "application/vnd.touchmark.signature.v1+json";
const ENVELOPE: &str = "application/vnd.dsse.envelope.v1+json";

/// A place, and a question about it.
#[derive(Clone)]
struct Place {
    manifests: Vec<(String, Vec<u8>)>,
    blobs: Vec<(String, Vec<u8>)>,
    referrers: Vec<(String, Vec<String>)>,
    artifact: String,
    keys: Vec<&'static str>,
    threshold: u64,
    more: Vec<(&'static str, Value<'static>)>,
}

impl Place {
    /// One with the image and nothing else, that is asked for.
    fn new() -> Self {
        let mut place = Self {
            manifests: vec![],
            blobs: vec![],
            referrers: vec![],
            artifact: digest(MANIFEST),
            keys: vec!["alice"],
            threshold: 1,
            more: vec![],
        };
        place.manifest(MANIFEST);
        place
    }

    /// Has a manifest. Returns its digest.
    fn manifest(&mut self, bytes: &[u8]) -> String {
        self.manifests.push((digest(bytes), bytes.to_vec()));
        digest(bytes)
    }

    fn blob(&mut self, bytes: &[u8]) -> String {
        self.blobs.push((digest(bytes), bytes.to_vec()));
        digest(bytes)
    }

    /// Lists a descriptor among the referrers of a subject.
    fn list(&mut self, subject: &str, descriptor: String) {
        match self.referrers.iter_mut().find(|(known, _)| known == subject) {
            Some((_, all)) => all.push(descriptor),
            None => self.referrers.push((subject.to_owned(), vec![descriptor])),
        }
    }

    /// Attaches an envelope to a subject with whatever its manifest says. Returns the manifest's digest.
    fn attach(&mut self, subject: &[u8], envelope: &[u8], change: impl Fn(String) -> String) -> String {
        let blob = self.blob(envelope);
        let manifest = change(referrer(subject, &blob, envelope.len()));
        let found = self.manifest(manifest.as_bytes());
        self.list(&digest(subject), descriptor(IMAGE_MANIFEST, &found, manifest.len(), Some(SIGNATURES)));
        found
    }

    fn asked(mut self, name: &'static str, value: impl Into<Value<'static>>) -> Self {
        self.more.push((name, value.into()));
        self
    }

    /// With a wanted name.
    fn named(self, name: &str) -> Self {
        self.asked("name", name.to_owned())
    }

    /// Where these are answered by a failure.
    fn failing(self, digests: &[&str]) -> Self {
        self.asked("failing", list(digests.iter().map(|digest| Value::from((*digest).to_owned()))))
    }

    fn case(self, vectors: &mut Vectors, id: &str, why: &str, expect: Expect) {
        let mut files = |kind: &str, all: Vec<(String, Vec<u8>)>| {
            let input = |(digest, bytes): (String, Vec<u8>)| {
                // Not all of it has the digest under which it is had.
                let hex = super::statements::digest(&bytes).replacen("sha256:", "", 1);
                let input = vectors.file(&format!("search/{kind}/{}", &hex[..16]), bytes);
                (digest, input)
            };
            Value::object(all.into_iter().map(input).collect::<Vec<_>>())
        };
        let (manifests, blobs) = (files("manifests", self.manifests), files("blobs", self.blobs));
        let referrers = self.referrers.into_iter().map(|(subject, all)| {
            let index = format!(r#"{{"schemaVersion":2,"mediaType":"{IMAGE_INDEX}","manifests":[{}]}}"#, all.join(","));
            (subject, index)
        });
        let referrers = (1..).zip(referrers).map(|(number, (subject, index))| {
            let input = vectors.input(&format!("search/referrers/{id}.{number}.json"), index);
            (subject, input)
        });
        let store =
            Value::object([("manifests", manifests), ("blobs", blobs), ("referrers", Value::object(referrers.collect::<Vec<_>>()))]);
        let keys = list(self.keys.iter().map(|name| key_file(vectors, name)).collect::<Vec<_>>());
        let case = Case::new("search", &format!("search-{id}"), why, "12").with("store", store).with("artifact", self.artifact);
        let case = self.more.into_iter().fold(case, |case, (name, value)| case.with(name, value));
        vectors.add(case.with("keys", keys).with("threshold", self.threshold).with("at", NOW).expect(expect));
    }
}

/// The manifest of an envelope that is attached to a subject.
fn referrer(subject: &[u8], envelope: &str, size: usize) -> String {
    let empty = digest(b"{}");
    let subject = descriptor(IMAGE_MANIFEST, &digest(subject), subject.len(), None);
    format!(
        r#"{{"schemaVersion":2,"mediaType":"{IMAGE_MANIFEST}","artifactType":"{SIGNATURES}","config":{{"mediaType":"application/vnd.oci.empty.v1+json","digest":"{empty}","size":2}},"layers":[{{"mediaType":"{ENVELOPE}","digest":"{envelope}","size":{size}}}],"subject":{subject}}}"#
    )
}

fn descriptor(media_type: &str, digest: &str, size: usize, artifact_type: Option<&str>) -> String {
    let artifact_type = artifact_type.map(|text| format!(r#","artifactType":"{text}""#)).unwrap_or_default();
    format!(r#"{{"mediaType":"{media_type}","digest":"{digest}","size":{size}{artifact_type}}}"#)
}

/// An envelope over a statement about a manifest.
fn envelope(manifest: &[u8], name: &str, keys: &[&str]) -> Vec<u8> {
    sign(IN_TOTO, &statement(manifest, Some(name)).to_json(), keys).to_json()
}

fn as_it_is(manifest: String) -> String {
    manifest
}

pub(super) fn add(vectors: &mut Vectors) {
    plain(vectors);
    hostile(vectors);
    unreachable(vectors);
    indexes::add(vectors);
}

fn accepted() -> Expect {
    ok().with("digest", digest(MANIFEST))
}

fn plain(vectors: &mut Vectors) {
    let x1 = |keys: &[&str]| envelope(MANIFEST, "acme/x:1", keys);
    Place::new().case(vectors, "unsigned", "there are no referrers", coded("UNSIGNED", "unsigned"));
    let mut place = Place::new();
    place.attach(MANIFEST, &x1(&["alice"]), as_it_is);
    place.clone().case(vectors, "signed", "a signature is attached", accepted());
    place.clone().named("acme/x:1").case(vectors, "named", "under the wanted name", accepted().with("name", "acme/x:1".to_owned()));
    place.clone().named("acme/x:*").case(vectors, "any-version", "in any version", accepted().with("name", "acme/x:1".to_owned()));
    place.clone().named("acme/x:2").case(vectors, "other-name", "under another name", coded("NOT_VERIFIED", "threshold"));
    let mut both = place.clone();
    (both.keys, both.threshold) = (vec!["alice", "bob"], 2);
    both.clone().case(vectors, "one-of-two", "one of two keys signed", coded("NOT_VERIFIED", "threshold"));
    both.attach(MANIFEST, &x1(&["bob"]), as_it_is);
    both.case(vectors, "two-of-two", "each key attached a signature of its own", accepted());
    let mut stranger = Place::new();
    stranger.attach(MANIFEST, &x1(&["mallory"]), as_it_is);
    stranger.case(vectors, "stranger", "a stranger attached a signature", coded("NOT_VERIFIED", "threshold"));
    let mut inlined = Place::new();
    let bytes = x1(&["alice"]);
    inlined.attach(MANIFEST, &bytes, |manifest| with_data(&manifest, &bytes));
    inlined.blobs.clear();
    inlined.case(vectors, "inlined", "the envelope stands in its manifest, and is not fetched", accepted());
    let mut bad = place.clone();
    bad.artifact = "sha256:00".to_owned();
    bad.case(vectors, "digest-malformed", "a digest that is none", refused("INVALID_DIGEST"));
    let mut md5 = place;
    md5.artifact = "md5:d41d8cd98f00b204e9800998ecf8427e".to_owned();
    md5.case(vectors, "digest-md5", "a digest by an algorithm that is not taken", refused("INVALID_DIGEST"));
}

/// The manifest with the envelope as its layer's data.
fn with_data(manifest: &str, bytes: &[u8]) -> String {
    use base64::Engine as _;
    let data = base64::engine::general_purpose::STANDARD.encode(bytes);
    manifest.replacen(&format!(r#""mediaType":"{ENVELOPE}","#), &format!(r#""mediaType":"{ENVELOPE}","data":"{data}","#), 1)
}

/// Referrers that are not what they say.
fn hostile(vectors: &mut Vectors) {
    let good = envelope(MANIFEST, "acme/x:1", &["alice"]);
    let not_verified = || coded("NOT_VERIFIED", "threshold");
    let other = [MANIFEST, b" "].concat();
    let one = |change: &dyn Fn(String) -> String| {
        let mut place = Place::new();
        place.attach(MANIFEST, &good, change);
        place
    };
    let to_other: &dyn Fn(String) -> String = &|manifest| manifest.replace(&digest(MANIFEST), &digest(&other));
    let (digest_of_good, digest_of_x) = (digest(&good), digest(b"x"));
    for (id, change, expect, why) in [
        ("other-subject", to_other, not_verified(), "a referrer of another manifest is listed"),
        ("two-layers", &|manifest: String| two_layers(&manifest), not_verified(), "a referrer of two layers"),
        (
            "other-layer",
            &|manifest: String| manifest.replacen(ENVELOPE, "application/json", 1),
            not_verified(),
            "a layer of another media type",
        ),
        (
            "other-type",
            &|manifest: String| manifest.replacen(SIGNATURES, "application/vnd.example", 1),
            coded("UNSIGNED", "unsigned"),
            "its manifest says that it is something else: what the list says is not believed",
        ),
        ("no-manifest", &|_| "{}".to_owned(), not_verified(), "a referrer that is no manifest"),
        (
            "other-size",
            &|manifest: String| manifest.replacen(&format!(r#""size":{}}}],"subject""#, good.len()), r#""size":1}],"subject""#, 1),
            not_verified(),
            "an envelope of another size than its manifest says",
        ),
        (
            "data-of-another",
            &|manifest: String| with_data(&manifest, b"x"),
            not_verified(),
            "data that has not the digest of its descriptor",
        ),
        (
            "envelope-missing",
            &|manifest: String| manifest.replacen(&digest_of_good, &digest_of_x, 1),
            coded("UNKNOWN", "incomplete"),
            "an envelope that is listed and not there: there may have been evidence",
        ),
    ] {
        one(change).case(vectors, id, why, expect);
        // None of them hides a good one.
        let mut place = one(change);
        place.attach(MANIFEST, &envelope(MANIFEST, "acme/x:1", &["alice", "bob"]), as_it_is);
        place.case(vectors, &format!("{id}-and-good"), "a good one behind it", accepted());
    }
    let mut wrong = Place::new();
    let found = wrong.attach(MANIFEST, &good, as_it_is);
    for (place, bytes) in &mut wrong.manifests {
        if *place == found {
            bytes.push(b' ');
        }
    }
    wrong.case(vectors, "other-bytes-of-referrer", "the place returns other bytes for a referrer", coded("UNKNOWN", "incomplete"));
    let mut wrong = Place::new();
    wrong.attach(MANIFEST, &good, as_it_is);
    wrong.blobs[0].1 = envelope(MANIFEST, "acme/x:1", &["bob"]);
    wrong.case(vectors, "other-bytes-of-envelope", "the place returns another envelope of the same size", coded("UNKNOWN", "incomplete"));
    let mut wrong = Place::new();
    wrong.manifests[0].1 = other.clone();
    wrong.case(vectors, "other-bytes-of-artifact", "the place returns other bytes for the artifact", coded("MALFORMED", "wrong-digest"));
    let mut twice = Place::new();
    let found = twice.attach(MANIFEST, &envelope(MANIFEST, "acme/x:1", &["alice"]), as_it_is);
    twice.list(&digest(MANIFEST), descriptor(IMAGE_MANIFEST, &found, 1, None));
    (twice.keys, twice.threshold) = (vec!["alice", "bob"], 2);
    twice.case(vectors, "listed-twice", "one referrer that is listed twice is one", not_verified());
    let mut place = Place::new();
    place.attach(&other, &envelope(&other, "acme/x:1", &["alice"]), as_it_is);
    let stolen = place.referrers.pop().map(|(_, all)| all).unwrap_or_default();
    place.referrers.push((digest(MANIFEST), stolen));
    place.case(vectors, "signature-of-another", "another artifact's signature is listed", not_verified());
    let mut hints = Place::new();
    let found = hints.attach(MANIFEST, &good, as_it_is);
    let all = vec![descriptor("text/plain", &found, 7, Some("application/vnd.example"))];
    hints.referrers = vec![(digest(MANIFEST), all)];
    hints.case(vectors, "hints-that-lie", "type and size in a list are hints", accepted());
}

fn two_layers(manifest: &str) -> String {
    let layer = format!(r#"{{"mediaType":"{ENVELOPE}","digest":"{}","size":1}},"#, digest(b"x"));
    manifest.replacen(r#""layers":["#, &format!(r#""layers":[{layer}"#), 1)
}

/// What could not be had is unknown, and never "unsigned".
fn unreachable(vectors: &mut Vectors) {
    let good = envelope(MANIFEST, "acme/x:1", &["alice"]);
    let mut place = Place::new();
    let found = place.attach(MANIFEST, &good, as_it_is);
    let incomplete = || coded("UNKNOWN", "incomplete");
    place.clone().failing(&[&found]).case(vectors, "referrer-fails", "a referrer cannot be had", incomplete());
    place.clone().failing(&[&digest(&good)]).case(vectors, "envelope-fails", "an envelope cannot be had", incomplete());
    place.clone().failing(&[&digest(MANIFEST)]).case(
        vectors,
        "artifact-fails",
        "the artifact cannot be had",
        coded("UNKNOWN", "unavailable"),
    );
    let mut gone = place.clone();
    gone.manifests.retain(|(digest, _)| *digest != found);
    gone.case(vectors, "referrer-missing", "a referrer is listed and not there", incomplete());
    let mut nothing = Place::new();
    nothing.manifests.clear();
    nothing.case(vectors, "artifact-missing", "the artifact is not there", coded("UNKNOWN", "not-found"));
    let mut second = place;
    second.attach(MANIFEST, &envelope(MANIFEST, "acme/x:1", &["alice", "bob"]), as_it_is);
    second.failing(&[&found]).case(vectors, "one-fails-and-good", "one cannot be had, and another suffices", accepted());
    let mut stranger = Place::new();
    stranger.attach(MANIFEST, &envelope(MANIFEST, "acme/x:1", &["mallory"]), as_it_is);
    let fails = stranger.attach(MANIFEST, &good, as_it_is);
    stranger.failing(&[&fails]).case(vectors, "bad-and-one-fails", "a bad one, and one that cannot be had: unknown", incomplete());
}
