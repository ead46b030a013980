//! Keys come and go, and clients that were there before follow.

use serde_json::json;

use crate::harness::Place;
use crate::trust::{ONLINE, client, downloaded, made, refreshed, status};

#[test]
fn the_root_is_rotated_three_times_and_every_root_is_kept() {
    let place = made();
    refreshed(&place, "old-client");
    let mut old = "trust-keys/root".to_owned();
    for round in 2..=4 {
        let new = format!("root{round}");
        place.key(&new);
        place.ok(&format!("trust key replace root {old}.pub {new}.pub"));
        place.run("trust publish").is(5).says("root: 0 of 1 required signatures by the new keys");
        place.ok(&format!("trust sign --key {new}"));
        place.run("trust publish").is(5).says("by the keys of the published root");
        assert_eq!(place.ok(&format!("trust sign --key {old}")), format!("root version {round}: has all signatures"));
        assert_eq!(place.ok("trust publish").lines().count(), 1);
        if round == 3 {
            refreshed(&place, "middle-client");
        }
        old = new;
    }
    for version in 1..=4 {
        assert!(place.path(&format!("trust/metadata/{version}.root.json")).exists());
    }
    // Whoever has any of the roots comes to the last one.
    for store in ["old-client", "middle-client", "new-client"] {
        refreshed(&place, store);
        let root: serde_json::Value = serde_json::from_slice(&place.read(&format!("{store}/root.json"))).unwrap();
        assert_eq!(root["signed"]["version"], json!(4), "{store}");
    }
    place.run("trust renew root").is(0);
    place.run("trust sign --key trust-keys/root").is(2);
}

#[test]
fn the_key_of_the_targets_is_rotated_and_they_are_signed_anew() {
    let place = made();
    place.file("tool", "content");
    place.ok("trust target add tool");
    place.ok("trust sign --key trust-keys/targets");
    place.ok(&format!("trust publish {ONLINE}"));
    refreshed(&place, "client");
    place.key("new");
    // Nobody has to remember that the new key has to sign what there is.
    assert_eq!(place.ok("trust key replace targets trust-keys/targets.pub new.pub"), "root\ntargets");
    place.ok("trust sign --key trust-keys/root");
    place.run(&format!("trust publish {ONLINE}")).is(5).says("targets: 0 of 1");
    place.ok("trust sign --key new");
    place.ok(&format!("trust publish {ONLINE}"));
    downloaded(&place, "client", "tool", "content");
    downloaded(&place, "new-client", "tool", "content");
}

#[test]
fn the_keys_of_snapshot_and_timestamp_are_rotated() {
    for role in ["snapshot", "timestamp"] {
        let place = made();
        refreshed(&place, "client");
        place.key("new");
        assert_eq!(place.ok(&format!("trust key replace {role} trust-keys/{role}.pub new.pub")), "root");
        place.ok("trust sign --key trust-keys/root");
        place.run(&format!("trust publish {ONLINE}")).is(5).says(&format!("{role}: 0 of 1"));
        place.ok(&format!("trust publish {ONLINE} --key new"));
        refreshed(&place, "client");
        refreshed(&place, "new-client");
        // The old key alone does nothing any more.
        place.run(&format!("trust --at 2099-01-01T00:00:00Z publish --renew --key trust-keys/{role}")).is(5);
    }
}

/// Given the old online key too, a publish is good for clients that have not seen the new root.
#[test]
fn a_timestamp_by_the_old_and_the_new_key_bridges_a_rotation() {
    let place = made();
    place.key("new");
    place.ok("trust key replace timestamp trust-keys/timestamp.pub new.pub");
    place.ok("trust sign --key trust-keys/root");
    place.ok(&format!("trust publish {ONLINE} --key new"));
    let timestamp: serde_json::Value = serde_json::from_slice(&place.read("trust/metadata/timestamp.json")).unwrap();
    assert_eq!(timestamp["signatures"].as_array().unwrap().len(), 2);
    std::fs::rename(place.path("trust/metadata/2.root.json"), place.path("2.root.json")).unwrap();
    refreshed(&place, "client");
    std::fs::rename(place.path("2.root.json"), place.path("trust/metadata/2.root.json")).unwrap();
    refreshed(&place, "client");
}

#[test]
fn the_key_of_a_delegated_role_is_rotated_by_its_delegator() {
    let place = made();
    for name in ["acme", "new", "third"] {
        place.key(name);
    }
    place.file("tool", "content");
    place.ok("trust delegate acme --key acme.pub --path acme/*");
    place.ok("trust target add tool --prefix acme/ --role acme");
    place.ok("trust sign --key trust-keys/targets --key acme");
    place.ok(&format!("trust publish {ONLINE}"));
    downloaded(&place, "client", "acme/tool", "content");
    assert_eq!(place.ok("trust key replace acme acme.pub new.pub"), "targets\nacme");
    place.ok("trust sign --key trust-keys/targets");
    place.run(&format!("trust publish {ONLINE}")).is(5).says("acme: 0 of 1");
    place.ok("trust sign --key new");
    place.ok(&format!("trust publish {ONLINE}"));
    downloaded(&place, "client", "acme/tool", "content");
    // A key more, and two of two: the document needs the other one's signature.
    assert_eq!(place.ok("trust key add acme third.pub --threshold 2"), "targets\nacme");
    place.ok("trust sign --key trust-keys/targets --key new --key third");
    place.ok(&format!("trust publish {ONLINE}"));
    downloaded(&place, "new-client", "acme/tool", "content");
    // Back to one: what is signed by two is good for one, and the role has nothing to sign.
    assert_eq!(place.ok("trust key threshold acme 1"), "targets");
    // By a keyid, shortened.
    let keyid = status(&place, "acme")["published"]["signatures"]["keys"][1]["keyid"].as_str().unwrap()[..10].to_owned();
    assert_eq!(place.ok(&format!("trust key remove acme {keyid}")), "targets");
    place.ok("trust sign --key trust-keys/targets");
    place.ok(&format!("trust publish {ONLINE}"));
    refreshed(&place, "client");
    assert_eq!(status(&place, "acme")["published"]["signatures"]["keys"].as_array().unwrap().len(), 1);
    assert_eq!(client(&place, "client", "--target-name acme/tool lookup").code, 0);
}

#[test]
fn every_kind_of_key_signs_every_role() {
    for kind in ["ed25519", "ecdsa-p256"] {
        let place = Place::new();
        place.ok(&format!("trust init --no-passphrase --quiet --type {kind}"));
        place.file("tool", "content");
        place.ok("trust target add tool");
        place.ok("trust sign --key trust-keys/targets");
        place.ok(&format!("trust publish {ONLINE}"));
        downloaded(&place, "client", "tool", "content");
    }
}

/// Keys as in `sign`: encrypted, from the environment, by an external program.
#[cfg(unix)]
#[test]
fn keys_come_from_where_they_come_for_sign() {
    let place = Place::new();
    let run = |line: &str| {
        let ran = place.touchmark(line).env("TOUCHMARK_PASSPHRASE", "secret").output().unwrap();
        crate::harness::Ran::of(line, ran).is(0)
    };
    run("trust init --quiet");
    assert!(String::from_utf8(place.read("trust-keys/root")).unwrap().contains("ENCRYPTED"));
    place.run("trust renew targets").is(0);
    place.run("trust sign --key trust-keys/targets").is(2).says("passphrase");
    run("trust sign --key trust-keys/targets");
    place.key("plain");
    let key = String::from_utf8(place.read("plain")).unwrap();
    run("trust key replace timestamp trust-keys/timestamp.pub plain.pub");
    run("trust sign --key trust-keys/root");
    let line = "trust publish --key trust-keys/snapshot --key env:ONLINE";
    let ran = place.touchmark(line).env("TOUCHMARK_PASSPHRASE", "secret").env("ONLINE", key).output().unwrap();
    crate::harness::Ran::of(line, ran).is(0);
    refreshed(&place, "client");
}
