//! Several people, each with a key and a machine of their own.

use serde_json::json;

use crate::harness::Place;
use crate::interrupted::copy_folder;
use crate::trust::{downloaded, refreshed, status};

const ONLINE: &str = "--key online";

/// Three people of whom two must sign root and targets; none of their private keys is where the repository is made.
fn begun() -> Place {
    let place = Place::new();
    for name in ["alice", "bob", "carol", "online"] {
        place.key(name);
    }
    let people = |role: &str| ["alice", "bob", "carol"].map(|name| format!("--{role}-key {name}.pub")).join(" ");
    let line = format!(
        "trust init {} --root-threshold 2 {} --targets-threshold 2 --snapshot-key online.pub --timestamp-key online.pub",
        people("root"),
        people("targets")
    );
    let document = place.json(&line, 0);
    assert_eq!(document["results"][0]["published"], json!(false));
    assert_eq!(document["results"][0]["root"], json!("trust/staged/root.json"));
    let job = document["results"][0]["renewal_job"].as_str().unwrap();
    assert!(job.ends_with(&format!("--renew --key {}", place.path("online").display())), "{document:#}");
    place
}

fn copy(place: &Place, to: &str) {
    let _ = std::fs::remove_dir_all(place.path(to));
    copy_folder(&place.path("trust"), &place.path(to));
}

#[test]
fn two_of_three_people_sign_in_two_copies_of_the_folder() {
    let place = begun();
    copy(&place, "bob-has");
    place.run(&format!("trust publish {ONLINE}")).is(5).says("root: 0 of 2 required signatures");

    let signed = place.ok("trust sign --key alice");
    assert_eq!(signed, "root version 1: needs 1 more signature\ntargets version 1: needs 1 more signature");
    place.run(&format!("trust publish {ONLINE}")).is(5).says("root: 1 of 2 required signatures");
    place.ok("trust --dir bob-has sign --key bob");
    // Neither has lost what the other has.
    assert_eq!(status(&place, "root")["staged"]["missing"], json!(1));
    let taken = place.ok("trust sign --from bob-has");
    assert_eq!(taken, "root: has all signatures\ntargets: has all signatures");
    place.ok(&format!("trust publish {ONLINE}"));
    refreshed(&place, "client");
    let standing = &status(&place, "root")["published"]["signatures"];
    assert_eq!((&standing["threshold"], &standing["valid"]), (&json!(2), &json!(2)));

    // Later: a target, signed by two others, of whom one gets one file by mail.
    place.file("tool", "content");
    place.ok("trust target add tool");
    copy(&place, "carol-has");
    place.ok("trust --dir carol-has sign --key carol");
    std::fs::rename(place.path("carol-has/staged/targets.json"), place.path("mail.json")).unwrap();
    let document = place.json("trust sign --from mail.json --key bob", 0);
    let missing: Vec<_> = document["results"].as_array().unwrap().iter().map(|result| result["missing"].clone()).collect();
    assert_eq!(missing, [json!(1), json!(0)]);
    place.ok(&format!("trust publish {ONLINE}"));
    downloaded(&place, "client", "tool", "content");
}

#[test]
fn a_signature_on_something_else_is_refused() {
    let place = begun();
    copy(&place, "bob-has");
    // Somebody changed what bob is shown.
    place.key("mallory");
    place.ok("trust --dir bob-has key add root mallory.pub");
    place.ok("trust --dir bob-has sign --key bob --role root");
    place.run("trust sign --from bob-has/staged/root.json").is(2).says("says something else");
    assert_eq!(status(&place, "root")["staged"]["missing"], json!(2));
    // A stranger's signature over the right thing is no signature.
    copy(&place, "mallory-has");
    place.run("trust --dir mallory-has sign --key mallory").is(2);
}

#[test]
fn a_change_after_a_signature_drops_it() {
    let place = begun();
    place.ok("trust sign --key alice --key bob");
    place.ok("trust key add root online.pub");
    assert_eq!(status(&place, "root")["staged"]["missing"], json!(2));
    assert_eq!(status(&place, "targets")["staged"]["missing"], json!(0));
}

/// Snapshots by two of two: what one has signed waits for the other, and is then published as it was signed.
#[test]
fn snapshots_and_timestamps_too_are_signed_by_several() {
    let place = Place::new();
    for name in ["one", "two"] {
        place.key(name);
    }
    let line = "trust init --no-passphrase --quiet --snapshot-key one --snapshot-key two.pub --snapshot-threshold 2 \
                --timestamp-key one --timestamp-key two.pub --timestamp-threshold 2";
    place.ok(line);
    assert_eq!(status(&place, "snapshot")["staged"]["missing"], json!(1));
    place.ok("trust sign --key two");
    place.run("trust publish --key one").is(5).says("timestamp: 1 of 2 required signatures");
    place.ok("trust sign --key two");
    place.ok("trust publish");
    refreshed(&place, "client");
    assert!(std::fs::read_dir(place.path("trust/staged")).unwrap().next().is_none());
}

/// Two publishers: the one who is done is not kept waiting.
#[test]
fn what_is_ready_is_published_and_the_rest_waits() {
    let place = begun();
    place.ok("trust sign --key alice --key bob");
    place.ok(&format!("trust publish {ONLINE}"));
    for name in ["acme", "beta"] {
        place.key(name);
        place.ok(&format!("trust delegate {name} --key {name}.pub --path {name}/*"));
    }
    place.ok("trust sign --key alice --key bob --key acme --key beta");
    place.ok(&format!("trust publish {ONLINE}"));
    place.file("tool", "content");
    for name in ["acme", "beta"] {
        place.ok(&format!("trust target add tool --prefix {name}/ --role {name}"));
    }
    place.ok("trust sign --key acme");
    place.run(&format!("trust publish {ONLINE}")).is(5).says("beta: 0 of 1");
    place.run(&format!("trust publish --ready {ONLINE}")).is(0).says("beta stays staged");
    downloaded(&place, "client", "acme/tool", "content");
    assert_eq!(status(&place, "beta")["staged"]["version"], json!(2));
    place.ok("trust sign --key beta");
    place.ok(&format!("trust publish {ONLINE}"));
    downloaded(&place, "client", "beta/tool", "content");
}

/// Bob's copy was published from meanwhile: what alice has staged on the old version is told from what is current.
#[test]
fn what_is_staged_on_an_old_version_is_refused() {
    let place = begun();
    place.ok("trust sign --key alice --key bob");
    place.ok(&format!("trust publish {ONLINE}"));
    place.ok("trust renew targets");
    copy(&place, "other");
    place.file("tool", "content");
    place.ok("trust --dir other target add tool");
    place.ok("trust --dir other sign --key bob --key carol");
    place.ok(&format!("trust --dir other publish {ONLINE}"));
    // As git would merge it: what was published comes here, and what was staged here stays.
    copy_folder(&place.path("other/metadata"), &place.path("trust/metadata"));
    assert_eq!(status(&place, "targets")["stale"], json!(true));
    for line in ["trust sign --key alice", "trust publish --key online", "trust target add tool --name other"] {
        place.run(line).is(2).says("version 2 is staged, and version 2 is published").says("trust discard targets");
    }
    place.ok("trust discard targets");
    place.ok("trust renew targets");
    refreshed(&place, "client");
}
