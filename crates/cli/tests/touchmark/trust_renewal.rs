//! Renewals, by a job that has the online keys or some of them, and clocks that are wrong.

use serde_json::json;

use crate::harness::Place;
use crate::trust::{ONLINE, made, refreshed, status};

/// As of that day of January 2030.
fn at(day: u32) -> String {
    format!("trust --at 2030-01-{day:02}T12:00:00Z")
}

/// A repository of 2030-01-01 whose timestamps live for four days, and snapshots for eight; with these options besides.
fn begun(options: &str) -> Place {
    let place = Place::new();
    for name in ["one", "two"] {
        place.key(name);
    }
    let lives = "--lifetime timestamp=4d --lifetime snapshot=8d";
    place.ok(&format!("trust --at 2030-01-01T00:00:00Z init --no-passphrase --quiet {lives} {options}"));
    place
}

/// The roles and versions that a command has published, and those that wait.
fn published(place: &Place, line: &str) -> String {
    let document = place.json(line, 0);
    let result = &document["results"][0];
    let roles = result["published"].as_array().unwrap().iter();
    let roles: Vec<String> = roles.map(|role| format!("{} {}", role["role"].as_str().unwrap(), role["version"])).collect();
    format!("{}; {}", roles.join(", "), result["waiting"])
}

/// Snapshot keys may be at home while a job renews the timestamp.
#[test]
fn a_timestamp_is_renewed_although_the_snapshot_that_is_due_cannot_be() {
    let place = begun("");
    let renew = |day| format!("{} publish --renew --key trust-keys/timestamp", at(day));
    assert_eq!(published(&place, &renew(3)), "timestamp 2; []");
    assert_eq!(published(&place, &renew(6)), r#"timestamp 3; ["snapshot"]"#);
    place.run(&renew(8)).is(0).says("snapshot is due and was not renewed");
    // Over is over.
    place.run(&renew(12)).is(5).says("snapshot: 0 of 1 required signatures");
    assert_eq!(published(&place, &format!("{} publish --renew {ONLINE}", at(12))), "snapshot 2, timestamp 5; []");
}

/// A job looks at nothing, and takes away nothing that people look at.
#[test]
fn a_renewal_leaves_a_staged_snapshot_that_people_sign() {
    let place = begun("--snapshot-key one --snapshot-key two --snapshot-threshold 2");
    place.run(&format!("{} publish --key one", at(6))).is(5).says("snapshot: 1 of 2");
    let staged = place.read("trust/staged/snapshot.json");
    let renew = format!("{} publish --renew --key trust-keys/timestamp", at(6));
    assert_eq!(published(&place, &renew), r#"timestamp 2; ["snapshot"]"#);
    assert_eq!(place.read("trust/staged/snapshot.json"), staged);
    // Nor when it would make another one.
    let renew = format!("{} publish --renew --key trust-keys/timestamp --key two", at(8));
    place.ok(&format!("{} renew targets", at(8)));
    place.ok(&format!("{} sign --key trust-keys/targets", at(8)));
    place.run(&format!("{} publish --key one --key trust-keys/timestamp", at(8))).is(5).says("snapshot: 1 of 2");
    let staged = place.read("trust/staged/snapshot.json");
    assert_eq!(published(&place, &renew), r#"timestamp 3; ["snapshot"]"#);
    assert_eq!(place.read("trust/staged/snapshot.json"), staged);
    place.ok(&format!("{} publish --key two --key trust-keys/timestamp", at(8)));
    assert_eq!(status(&place, "snapshot")["published"]["version"], json!(2));
}

/// The time is chosen with `--at`, and clients have their own.
#[test]
fn what_clients_refuse_today_is_not_published_by_another_time() {
    let place = made();
    place.ok("trust renew targets");
    place.ok("trust sign --key trust-keys/targets");
    let before = place.read("trust/metadata/timestamp.json");
    place.run(&format!("trust --at 2020-01-01T00:00:00Z publish {ONLINE}")).is(5).says("expired");
    assert_eq!(place.read("trust/metadata/timestamp.json"), before);
    place.ok(&format!("trust publish {ONLINE}"));
    refreshed(&place, "client");
}

/// A clock that was years ahead leaves a timestamp that clients would take for years.
#[test]
fn what_lives_too_long_is_due() {
    let place = Place::new();
    place.ok("trust init --no-passphrase --quiet --lifetime root=30000d --lifetime targets=30000d");
    assert_eq!(published(&place, &format!("trust publish --renew {ONLINE}")), "; []");
    assert_eq!(published(&place, &format!("trust --at 2090-01-01T00:00:00Z publish --renew {ONLINE}")), "snapshot 2, timestamp 2; []");
    assert_eq!(published(&place, &format!("trust publish --renew {ONLINE}")), "snapshot 3, timestamp 3; []");
    assert_eq!(published(&place, &format!("trust publish --renew {ONLINE}")), "; []");
    refreshed(&place, "client");
}
