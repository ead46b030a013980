//! Indexes that cover images, and attestations.

use touchmark_envelope::dsse::IN_TOTO;
use touchmark_envelope::json::Value;
use touchmark_envelope::manifest::{IMAGE_INDEX, IMAGE_MANIFEST};
use touchmark_envelope::signature::Signature;

use super::super::envelopes::sign;
use super::super::statements::{MANIFEST, PROVENANCE, digest, statement};
use super::super::{Vectors, coded, list, ok, refused};
use super::{Place, SIGNATURES, accepted, as_it_is, descriptor, envelope};

pub(super) fn add(vectors: &mut Vectors) {
    indexes(vectors);
    attestations(vectors);
}

/// An index that is signed covers the images that it lists, if it is named.
fn indexes(vectors: &mut Vectors) {
    let arm = String::from_utf8(MANIFEST.to_vec()).expect("text").replacen("\"size\":3}", "\"size\":4}", 1).into_bytes();
    let platform = |descriptor: String, platform: &str| {
        let (os, rest) = platform.split_once('/').unwrap_or((platform, ""));
        let (architecture, variant) = rest.split_once('/').map_or((rest, None), |(architecture, variant)| (architecture, Some(variant)));
        let variant = variant.map(|variant| format!(r#","variant":"{variant}""#)).unwrap_or_default();
        descriptor.replacen('}', &format!(r#","platform":{{"os":"{os}","architecture":"{architecture}"{variant}}}}}"#), 1)
    };
    let entry = |bytes: &[u8], size: usize| descriptor(IMAGE_MANIFEST, &digest(bytes), size, None);
    let index = |entries: &[String]| {
        format!(r#"{{"schemaVersion":2,"mediaType":"{IMAGE_INDEX}","manifests":[{}]}}"#, entries.join(",")).into_bytes()
    };
    let sign_index = |place: &mut Place, index: &[u8], keys: &[&str]| {
        let signed = Signature { media_type: IMAGE_INDEX.to_owned(), ..statement(index, Some("acme/x:1")) };
        place.manifest(index);
        place.attach(index, &sign(IN_TOTO, &signed.to_json(), keys).to_json(), |manifest| {
            manifest.replacen(
                &format!(r#""subject":{{"mediaType":"{IMAGE_MANIFEST}""#),
                &format!(r#""subject":{{"mediaType":"{IMAGE_INDEX}""#),
                1,
            )
        });
    };
    let good = index(&[platform(entry(MANIFEST, MANIFEST.len()), "linux/amd64"), platform(entry(&arm, arm.len()), "linux/arm64/v8")]);
    let mut place = Place::new();
    place.manifest(&arm);
    sign_index(&mut place, &good, &["alice"]);
    let covered = |place: &Place, index: &[u8]| place.clone().asked("covered_by", digest(index));
    covered(&place, &good).case(vectors, "covered", "the index that lists the image is signed", accepted());
    place.clone().case(
        vectors,
        "not-covered-unless-named",
        "the index is not named, and the image not signed",
        coded("UNSIGNED", "unsigned"),
    );
    covered(&place, &good).named("acme/x:1").case(
        vectors,
        "covered-name",
        "the name is the index's",
        accepted().with("name", "acme/x:1".to_owned()),
    );
    let mut of_index = place.clone();
    of_index.artifact = digest(&good);
    let by_platform = |wanted: &str| of_index.clone().asked("platform", wanted.to_owned());
    by_platform("linux/amd64").case(vectors, "platform", "the image of a platform", accepted());
    by_platform("linux/arm64").case(
        vectors,
        "platform-any-variant",
        "the only one of an architecture, whatever its variant",
        ok().with("digest", digest(&arm)),
    );
    by_platform("linux/arm64/v8").case(vectors, "platform-variant", "a variant that is listed", ok().with("digest", digest(&arm)));
    by_platform("linux").case(vectors, "platform-malformed", "no platform", refused("INVALID_ARGUMENT"));
    by_platform("windows/amd64").case(vectors, "platform-none", "a platform that is not listed", coded("UNKNOWN", "no-platform"));
    of_index.clone().case(vectors, "index-itself", "the index itself", ok().with("digest", digest(&good)));
    let mut unsigned = Place::new();
    unsigned.manifest(&good);
    covered(&unsigned, &good).case(vectors, "covered-by-unsigned", "the index is not signed", coded("UNSIGNED", "unsigned"));
    let mut stranger = Place::new();
    sign_index(&mut stranger, &good, &["mallory"]);
    covered(&stranger, &good).case(vectors, "covered-by-stranger", "a stranger signed the index", coded("NOT_VERIFIED", "threshold"));
    let twice = index(&[platform(entry(MANIFEST, MANIFEST.len()), "linux/amd64"), platform(entry(&arm, arm.len()), "linux/amd64")]);
    let mut many = Place::new();
    many.manifest(&arm);
    sign_index(&mut many, &twice, &["alice"]);
    many.artifact = digest(&twice);
    many.asked("platform", "linux/amd64".to_owned()).case(
        vectors,
        "platform-several",
        "two images of one platform",
        coded("UNKNOWN", "many-for-platform"),
    );
    for (id, bytes, why) in [
        ("does-not-list", index(&[entry(&arm, arm.len())]), "the index lists another image"),
        ("other-size", index(&[entry(MANIFEST, 1)]), "the index lists the image with another size"),
        (
            "other-type",
            index(&[entry(MANIFEST, MANIFEST.len()).replacen(IMAGE_MANIFEST, "text/plain", 1)]),
            "the index lists the image with another media type",
        ),
        ("nothing", index(&[]), "the index lists nothing"),
    ] {
        let mut place = Place::new();
        sign_index(&mut place, &bytes, &["alice"]);
        covered(&place, &bytes).case(vectors, &format!("covered-{id}"), why, coded("NOT_VERIFIED", "not-covered"));
    }
    let mut image = Place::new();
    image.manifest(&arm);
    image.attach(&arm, &envelope(&arm, "acme/x:1", &["alice"]), as_it_is);
    covered(&image, &arm).case(vectors, "covered-by-image", "what is named as the index is an image", coded("NOT_VERIFIED", "no-index"));
    let mut missing = Place::new();
    missing.attach(MANIFEST, &envelope(MANIFEST, "acme/x:1", &["alice"]), as_it_is);
    covered(&missing, b"x").case(vectors, "covered-by-missing", "the index is not there", coded("UNKNOWN", "not-found"));
    let outer = index(&[descriptor(IMAGE_INDEX, &digest(&good), good.len(), None)]);
    let mut nested = Place::new();
    nested.manifest(&good);
    sign_index(&mut nested, &outer, &["alice"]);
    covered(&nested, &outer).case(
        vectors,
        "covered-two-levels",
        "an index of an index covers nothing below it",
        coded("NOT_VERIFIED", "not-covered"),
    );
}

/// Attestations are found among manifests of their own type.
fn attestations(vectors: &mut Vectors) {
    let hex = digest(MANIFEST);
    let (_, hex) = hex.split_once(':').unwrap_or_default();
    let text = format!(
        r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"digest":{{"sha256":"{hex}"}}}}],"predicateType":"{PROVENANCE}","predicate":{{}}}}"#
    );
    let attested = sign(IN_TOTO, text.as_bytes(), &["alice"]).to_json();
    let types = || list([Value::from(PROVENANCE.to_owned())]);
    let mut place = Place::new();
    place.attach(MANIFEST, &attested, |manifest| manifest.replacen(SIGNATURES, IN_TOTO, 1));
    place.clone().asked("predicate_types", types()).case(vectors, "attested", "an attestation is attached", accepted());
    place.case(vectors, "attested-and-not-signed", "an attestation is no signature", coded("UNSIGNED", "unsigned"));
    let mut place = Place::new();
    place.attach(MANIFEST, &attested, as_it_is);
    let why = "an attestation is looked for in manifests of attestations only";
    place.asked("predicate_types", types()).case(vectors, "attested-among-signatures", why, coded("UNSIGNED", "unsigned"));
    let mut place = Place::new();
    place.attach(MANIFEST, &envelope(MANIFEST, "acme/x:1", &["alice"]), |manifest| manifest.replacen(SIGNATURES, IN_TOTO, 1));
    place.case(
        vectors,
        "signed-among-attestations",
        "a signature is looked for in manifests of signatures only",
        coded("UNSIGNED", "unsigned"),
    );
}
