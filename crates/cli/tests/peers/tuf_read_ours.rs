//! Repositories that `touchmark trust` made, as python-tuf, go-tuf and `touchmark tuf` see them.

use touchmark_test_registry::Site;

use crate::harness::Place;
use crate::tuf_made::{self, Make, ROTATIONS, add, is_none, keys, publish, simple, stage};
use crate::tuf_peer::{Client, Ours, Peer, Seen, assert_equal};

/// Whether go-tuf finds what is there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Go {
    Finds,
    /// Not what is only reached by hash prefixes: it compares them with the hash in base64.
    FindsNoHashPrefix,
}

/// Asserts that all three refresh, and find and download what is there and nothing else.
#[track_caller]
fn is_read(make: Make, go: Go) {
    let place = Place::new();
    let (Some(mut python), Some(mut go_tuf), mut ours) = (Peer::python(&place), Peer::go(&place), Ours::new(&place)) else { return };
    let names = make(&place);
    let site = Site::start(place.path("trust"));
    let root = place.path("trust/metadata/1.root.json");
    let reference = python.see(&site, &root, &names);
    assert!(reference.refused.is_none(), "{reference:#?}");
    for (name, found) in &reference.found {
        assert_eq!(found.is_none(), is_none(name), "{name}: {reference:#?}");
    }
    assert_equal((python.name(), &reference), (ours.name(), &ours.see(&site, &root, &names)), "fresh");
    let by_go = go_tuf.see(&site, &root, &names);
    match go {
        Go::Finds => assert_equal((python.name(), &reference), (go_tuf.name(), &by_go), "fresh"),
        Go::FindsNoHashPrefix => assert!(by_go.refused.is_none() && by_go.found.values().all(Option::is_none), "{by_go:#?}"),
    }
}

#[test]
fn key_types_and_thresholds() {
    is_read(tuf_made::key_types_and_thresholds, Go::Finds);
}

#[test]
fn three_levels_of_delegation() {
    is_read(tuf_made::three_levels, Go::Finds);
}

#[test]
fn hash_bins() {
    is_read(tuf_made::hash_bins, Go::FindsNoHashPrefix);
}

#[test]
fn succinct_bins() {
    is_read(tuf_made::succinct_bins, Go::Finds);
}

#[test]
fn bins_below_paths() {
    is_read(tuf_made::bins_below_paths, Go::Finds);
}

#[test]
fn a_root_that_was_rotated_three_times() {
    is_read(tuf_made::rotated_three_times, Go::Finds);
}

#[test]
fn names_and_custom() {
    is_read(tuf_made::names_and_custom, Go::Finds);
}

#[test]
fn what_was_removed_is_gone() {
    is_read(tuf_made::removed, Go::Finds);
}

#[test]
fn clients_follow_three_rotations_one_by_one() {
    let place = Place::new();
    let (Some(python), Some(go), ours) = (Peer::python(&place), Peer::go(&place), Ours::new(&place)) else { return };
    let mut clients: [Box<dyn Client + '_>; 3] = [Box::new(python), Box::new(go), Box::new(ours)];
    simple(&place);
    add(&place, "targets", "a", "before");
    publish(&place, &["targets"]);
    let site = Site::start(place.path("trust"));
    let root = place.path("trust/metadata/1.root.json");
    let mut all = || clients.iter_mut().map(|client| (client.name(), client.see(&site, &root, &["a"]))).collect::<Vec<(&str, Seen)>>();
    let mut rotations = ROTATIONS.iter();
    for version in 1.. {
        let seen = all();
        for (name, seen) in &seen {
            assert!(seen.refused.is_none() && seen.found["a"].is_some(), "{name}: {seen:#?}");
            assert_eq!(seen.version("root"), version, "{name}: {seen:#?}");
        }
        let Some(rotate) = rotations.next() else { break };
        rotate(&place);
    }
    // What is published is what a web server needs, and every root is still there.
    for version in 1..=4 {
        assert_eq!(tuf_made::document(&place, &format!("{version}.root.json"))["signed"]["version"], version);
    }
}

#[test]
fn signatures_that_were_made_on_several_machines_are_one_document() {
    let place = Place::new();
    let (Some(mut python), mut ours) = (Peer::python(&place), Ours::new(&place)) else { return };
    keys(&place, &["ecdsa-a", "b", "c", "targets", "snapshot", "timestamp"]);
    let online = "--targets-key targets.pub --snapshot-key snapshot.pub --timestamp-key timestamp.pub";
    place.ok(&format!("trust init --root-key ecdsa-a.pub --root-key b.pub --root-key c.pub --root-threshold 3 {online}"));
    // Everybody takes the same copy home.
    for person in ["ecdsa-a", "b", "c"] {
        std::fs::create_dir_all(place.path(&format!("{person}-home"))).unwrap();
        std::fs::copy(place.path("trust/staged/root.json"), place.path(&format!("{person}-home/root.json"))).unwrap();
        std::fs::create_dir_all(place.path(&format!("{person}-dir/staged"))).unwrap();
        copy_folder(&place, "trust", &format!("{person}-dir"));
        place.ok(&format!("trust --dir {person}-dir sign --role root --key {person}"));
    }
    for person in ["c", "ecdsa-a", "b"] {
        stage(&place, &format!("sign --from {person}-dir"));
    }
    add(&place, "targets", "a", "content");
    publish(&place, &["targets"]);
    let site = Site::start(place.path("trust"));
    let root = place.path("trust/metadata/1.root.json");
    let (theirs, by_us) = (python.see(&site, &root, &["a"]), ours.see(&site, &root, &["a"]));
    assert!(theirs.refused.is_none() && theirs.found["a"].is_some(), "{theirs:#?}");
    assert_equal((python.name(), &theirs), (ours.name(), &by_us), "fresh");
    assert_eq!(tuf_made::document(&place, "1.root.json")["signatures"].as_array().unwrap().len(), 3);
}

/// Copies a folder with all that is in it.
fn copy_folder(place: &Place, from: &str, to: &str) {
    let from = place.path(from);
    for (path, content) in crate::tuf_peer::files(&from) {
        place.file(&format!("{to}/{}", path.strip_prefix(&from).unwrap().display()), content);
    }
}
