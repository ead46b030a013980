//! Repositories that `touchmark trust` made, as sigstore-tuf and tough see them: everything, but for what they do not do.
//!
//! They are built for the long run alone (`tests/peers/rust-tuf/setup.sh`); without them a test says so and passes.

use touchmark_test_registry::Site;

use crate::harness::Place;
use crate::tuf_made::{self, Make, is_none};
use crate::tuf_peer::{Client, Ours, Peer, Seen};

const ALL: [(&str, Make); 8] = [
    ("key types and thresholds", tuf_made::key_types_and_thresholds),
    ("three levels", tuf_made::three_levels),
    ("hash bins", tuf_made::hash_bins),
    ("succinct bins", tuf_made::succinct_bins),
    ("bins below paths", tuf_made::bins_below_paths),
    ("rotated three times", tuf_made::rotated_three_times),
    ("names and custom", tuf_made::names_and_custom),
    ("removed", tuf_made::removed),
];

/// What each of all repositories looks like to a client, beside what we see.
fn each(client: &'static str, check: impl Fn(&str, &Seen, &Seen)) {
    for (what, make) in ALL {
        let place = Place::new();
        let Some(mut peer) = Peer::rust(&place, client) else { return };
        let names = make(&place);
        let site = Site::start(place.path("trust"));
        let root = place.path("trust/metadata/1.root.json");
        let ours = Ours::new(&place).see(&site, &root, &names);
        assert!(ours.refused.is_none() && names.iter().all(|name| ours.found[*name].is_none() == is_none(name)), "{what}: {ours:#?}");
        check(what, &ours, &peer.see(&site, &root, &names));
    }
}

#[test]
fn sigstore_tuf_finds_all_but_succinct_bins() {
    each("sigstore-tuf", |what, ours, seen| {
        assert!(seen.refused.is_none(), "{what}: {seen:#?}");
        match what {
            // It knows no succinct delegations and finds nothing where there is one.
            "succinct bins" | "bins below paths" => assert!(seen.found.values().all(Option::is_none), "{what}: {seen:#?}"),
            _ => assert_eq!(seen.found, ours.found, "{what}: {seen:#?}"),
        }
    });
}

#[test]
fn tough_finds_what_lies_in_no_folder_and_reads_no_succinct_bins() {
    each("tough", |what, ours, seen| {
        // A succinct delegation anywhere makes it refuse the whole repository.
        if matches!(what, "succinct bins" | "bins below paths") {
            assert!(seen.refused.as_ref().is_some_and(|why| why.contains("missing field `roles`")), "{what}: {seen:#?}");
            return;
        }
        assert!(seen.refused.is_none(), "{what}: {seen:#?}");
        for (name, found) in &seen.found {
            // It asks for HASH.folder/name, where the specification says folder/HASH.name.
            let elsewhere = name.contains('/') && ours.found[name].is_some();
            let unfetched = seen.said.iter().any(|said| said.starts_with(&format!("{name}: ")) && said.contains("file not found"));
            assert_eq!(unfetched, elsewhere, "{what}, {name}: {seen:#?}");
            assert!(elsewhere || *found == ours.found[name], "{what}, {name}: {seen:#?}");
        }
    });
}
