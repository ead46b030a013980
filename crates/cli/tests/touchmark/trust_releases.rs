//! A publisher's key goes, and all the artifacts that it signed stay accepted, wherever they are, without a new signature on any of them.

use std::collections::BTreeMap;

use touchmark::keys::{DEFAULT_TIMEOUT, KeySource, Passphrases};
use touchmark::oci::access::Access;
use touchmark::oci::layout::Layout;
use touchmark::oci::registry::Registry;
use touchmark::oci::source::Store;
use touchmark::sign::{Claim, Repeat, sign};
use touchmark::{Digest, Reference, UnixTime};
use touchmark_test_registry::Settings;

use crate::harness::Place;
use crate::trust::ONLINE;
use crate::trust_exits::copy;
use crate::trust_names::{TARGETS, made, refused};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const EMPTY: &str = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";

/// A small artifact of its own, in a place that has the empty config.
fn manifest(number: usize) -> Vec<u8> {
    let config = format!(r#"{{"mediaType":"application/vnd.oci.empty.v1+json","digest":"{EMPTY}","size":2}}"#);
    format!(
        r#"{{"schemaVersion":2,"mediaType":"{MANIFEST}","artifactType":"application/vnd.example.test","config":{config},"layers":[{config}],"annotations":{{"number":"{number}"}}}}"#
    )
    .into_bytes()
}

/// Everything that a place has: what is attached to each artifact, and the tags.
fn content(store: &dyn Store) -> BTreeMap<String, Vec<String>> {
    let attached = |digest: &Digest| {
        let listed = store.referrers(digest, 100, 1 << 20).unwrap();
        listed.entries.into_iter().map(|entry| entry.digest.to_string()).collect::<Vec<_>>()
    };
    store.tags().unwrap().into_iter().map(|(tag, found)| (tag, attached(&found.digest))).collect()
}

/// What the verifier says of these tags of a place, by the metadata in this folder: one result for each.
fn verified<'t>(place: &Place, text: &str, tags: impl Iterator<Item = &'t String>, trust: &str, code: i32) -> Vec<serde_json::Value> {
    let references: Vec<String> = tags.map(|tag| format!("{text}:{tag}")).collect();
    let by_root = format!("--root trust/metadata/1.root.json --trust ./{trust} --store none --name acme/tool --any-version");
    let document = place.json(&format!("verify {} {by_root}", references.join(" ")), code);
    let results = document["results"].as_array().unwrap().clone();
    assert_eq!(results.len(), references.len());
    results
}

/// How many: `TOUCHMARK_RELEASES` says it.
fn releases() -> usize {
    std::env::var("TOUCHMARK_RELEASES").ok().map_or(1000, |text| text.parse().expect("TOUCHMARK_RELEASES is a number"))
}

#[test]
fn a_rotation_of_all_releases_in_two_registries_and_a_layout() {
    let count = releases();
    let place = made();
    place.key("next");
    // One that knows referrers, and one that has lists of them under tags.
    let (one, two) = (place.registry(Settings::default()), place.registry(Settings { referrers_api: false, ..Settings::default() }));
    let reach = |text: &str| {
        let reference: Reference = text.parse().unwrap();
        Registry::new(reference.repository().unwrap(), &Access::default()).unwrap()
    };
    let texts = [format!("{}/acme/tool", one.host()), format!("{}/mirror/tool", two.host()), "oci:releases".to_owned()];
    let stores: [Box<dyn Store>; 3] =
        [Box::new(reach(&texts[0])), Box::new(reach(&texts[1])), Box::new(Layout::open_or_create(place.path("releases")).unwrap())];
    let key = |name: &str| KeySource::File(place.path(name)).signer(&mut Passphrases::none(), DEFAULT_TIMEOUT).unwrap();
    let acme = [key("acme")];
    let long_ago = UnixTime::parse_rfc3339("2001-01-01T00:00:00Z").unwrap();
    let put = |number: usize, store: &dyn Store, version: &str, now: UnixTime| {
        store.put_blob(None, &mut &b"{}"[..]).unwrap();
        let put = store.put_manifest(&manifest(number), MANIFEST, Some(version)).unwrap();
        let claim = Claim { name: Some(format!("acme/tool:{version}").parse().unwrap()), ..Claim::default() };
        sign(store, &put.digest, &acme, &claim, Repeat::Skip, now).unwrap();
    };
    // Most in the registries, some in the layout: each with a name of its own in the publisher's list of releases.
    let now = touchmark::now().unwrap();
    let mut list = String::new();
    for number in 0..count {
        let at = if number % 25 == 0 { 2 } else { number % 2 };
        put(number, stores[at].as_ref(), &number.to_string(), now);
        list += &format!("acme/tool:{number} {}:{number}\n", texts[at]);
    }
    place.file("releases.txt", list);
    let before: Vec<_> = stores.iter().map(|store| content(store.as_ref())).collect();
    assert_eq!(before.iter().map(BTreeMap::len).sum::<usize>(), count);

    // Without sealing none would verify any more, and that is said first.
    let rotate = "trust publisher rotate acme --remove acme.pub --add next.pub";
    let compare: String = texts.iter().map(|text| format!(" --compare-with {text}")).collect();
    let document = place.json(&format!("{rotate} --seal-nothing --dry-run{compare}"), 0);
    assert_eq!(document["results"][0]["would_stop"].as_array().unwrap().len(), count);
    copy(&place.path("trust"), &place.path("unsealed"));
    place.ok(&format!("{} --seal-nothing", rotate.replacen("trust", "trust --dir unsealed", 1)));
    place.ok(&format!("trust --dir unsealed sign {TARGETS} --key next"));
    place.ok(&format!("trust --dir unsealed publish {ONLINE}"));
    for (text, tags) in texts.iter().zip(&before) {
        let results = verified(&place, text, tags.keys(), "unsealed", 1);
        assert!(results.iter().all(|one| one["error"]["code"] == "threshold"), "{text}");
    }

    // With their seals none is lost.
    let document = place.json(&format!("{rotate} --seal-list releases.txt{compare}"), 0);
    for kind in ["would_stop", "would_verify", "may_change"] {
        assert_eq!(document["results"][0][kind], serde_json::json!([]), "{kind}");
    }
    place.ok(&format!("trust sign {TARGETS} --key next"));
    place.ok(&format!("trust publish {ONLINE}"));

    // All of them verify where they are, and nothing was added there.
    for (text, tags) in texts.iter().zip(&before) {
        let results = verified(&place, text, tags.keys(), "trust", 0);
        assert!(results.iter().all(|one| one["accepted_by"] == "seal" && one["role"] == "acme"), "{text}");
    }
    let after: Vec<_> = stores.iter().map(|store| content(store.as_ref())).collect();
    assert_eq!(after, before);

    // The old key signs nothing more, whatever it says of when.
    put(count, stores[0].as_ref(), "late", long_ago);
    let name = "--root trust/metadata/1.root.json --trust trust --store none --name acme/tool:late";
    refused(&place, 1, "threshold", &format!("{}:late {name}", texts[0]));
}
