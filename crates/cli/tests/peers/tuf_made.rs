//! Repositories that `touchmark trust` makes, in the folder `trust` of a place: one for each thing that a TUF repository can have. Each says which
//! targets are looked up; those whose names begin with `none` are not there.

use serde_json::{Value, json};

use crate::harness::Place;

/// The online keys, with which each repository is published.
const ONLINE: &str = "--key snapshot --key timestamp";

/// A repository, and what is looked up in it.
pub type Make = fn(&Place) -> Vec<&'static str>;

/// Makes keys, of the type that a name begins with.
pub fn keys(place: &Place, names: &[&str]) {
    for name in names {
        let kind = if name.starts_with("ecdsa") { "ecdsa-p256" } else { "ed25519" };
        place.ok(&format!("key generate --type {kind} --no-passphrase --quiet --out {name}"));
    }
}

/// Stages a change.
#[track_caller]
pub fn stage(place: &Place, words: &str) {
    place.ok(&format!("trust {words}"));
}

/// Has these people sign what is staged, and publishes.
#[track_caller]
pub fn publish(place: &Place, signers: &[&str]) {
    for signer in signers {
        place.ok(&format!("trust sign --key {signer}"));
    }
    place.ok(&format!("trust publish {ONLINE}"));
}

/// Adds a target with this content.
#[track_caller]
pub fn add(place: &Place, role: &str, path: &str, content: &str) {
    place.file("content", content);
    let mut command = place.touchmark("trust target add content --role");
    let output = command.args([role, "--name", path]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A repository whose root and targets have one key each.
pub fn simple(place: &Place) {
    keys(place, &["root", "targets", "snapshot", "timestamp"]);
    place.ok("trust init --root-key root --targets-key targets --snapshot-key snapshot --timestamp-key timestamp");
}

/// Keys of each type, and two of three people for root, targets and a delegated role.
pub fn key_types_and_thresholds(place: &Place) -> Vec<&'static str> {
    keys(place, &["ecdsa-a", "b", "ecdsa-c", "snapshot"]);
    place.ok("key generate --type ecdsa-p256 --no-passphrase --quiet --out timestamp");
    let three = |role: &str| ["ecdsa-a", "b", "ecdsa-c"].map(|key| format!("--{role}-key {key}.pub ")).concat();
    let online = "--snapshot-key snapshot.pub --timestamp-key timestamp.pub";
    place.ok(&format!("trust init {} --root-threshold 2 {} --targets-threshold 2 {online}", three("root"), three("targets")));
    stage(place, "delegate d --key ecdsa-a.pub --key b.pub --key ecdsa-c.pub --threshold 2 --path d/*");
    add(place, "targets", "a", "of two of three");
    add(place, "d", "d/x", "of two of three, too");
    publish(place, &["b", "ecdsa-c"]);
    // Others of the three go on.
    add(place, "d", "d/y", "of two others");
    publish(place, &["ecdsa-a", "b"]);
    vec!["a", "d/x", "d/y", "none"]
}

/// Three levels of delegation by paths, with what lies outside of them.
pub fn three_levels(place: &Place) -> Vec<&'static str> {
    simple(place);
    keys(place, &["acme", "ecdsa-net", "tools"]);
    stage(place, "delegate acme --key acme.pub --path acme/* --path acme/*/* --path acme/*/*/* --terminating");
    stage(place, "delegate acme+net --key ecdsa-net.pub --path acme/net/* --path acme/net/*/* --from acme");
    stage(place, "delegate acme+net+tools --key tools.pub --key ecdsa-net.pub --threshold 2 --path acme/net/tools/* --from acme+net");
    stage(place, "delegate rest --key tools.pub --path *");
    add(place, "targets", "top", "of targets");
    add(place, "acme", "acme/a", "of acme");
    add(place, "acme+net", "acme/net/n", "of net");
    add(place, "acme+net+tools", "acme/net/tools/t", "of tools");
    add(place, "rest", "other", "of the rest");
    publish(place, &["targets", "acme", "ecdsa-net", "tools"]);
    vec!["top", "acme/a", "acme/net/n", "acme/net/tools/t", "other", "none", "acme/net/none"]
}

/// Sixteen bins by hash prefixes, and eight of them below a delegation by paths.
pub fn hash_bins(place: &Place) -> Vec<&'static str> {
    simple(place);
    keys(place, &["ecdsa-bins"]);
    stage(place, "delegate bin --key ecdsa-bins.pub --bins 4");
    for (path, content) in [("a", "1"), ("b/c", "2"), ("d/e/f", "3"), ("größe", "4")] {
        add(place, "bin", path, content);
    }
    publish(place, &["targets", "ecdsa-bins"]);
    vec!["a", "b/c", "d/e/f", "größe", "none"]
}

/// Thirty-two succinct bins with two keys.
pub fn succinct_bins(place: &Place) -> Vec<&'static str> {
    simple(place);
    keys(place, &["one", "ecdsa-two"]);
    stage(place, "delegate bin --key one.pub --key ecdsa-two.pub --threshold 2 --succinct-bins 5");
    for (path, content) in [("a", "1"), ("b/c", "2"), ("d/e/f", "3"), ("größe", "4")] {
        add(place, "bin", path, content);
    }
    publish(place, &["targets", "one", "ecdsa-two"]);
    vec!["a", "b/c", "d/e/f", "größe", "none"]
}

/// Succinct bins below a delegation by paths.
pub fn bins_below_paths(place: &Place) -> Vec<&'static str> {
    simple(place);
    keys(place, &["acme", "bins"]);
    stage(place, "delegate acme --key acme.pub --path acme/*");
    stage(place, "delegate acme+bin --key bins.pub --succinct-bins 3 --from acme");
    add(place, "acme+bin", "acme/1", "1");
    add(place, "acme+bin", "acme/2", "2");
    publish(place, &["targets", "acme", "bins"]);
    vec!["acme/1", "acme/2", "acme/none", "none"]
}

/// A root that was rotated three times: a second person and a threshold, another key of the timestamp, nobody of the first.
pub fn rotated_three_times(place: &Place) -> Vec<&'static str> {
    simple(place);
    add(place, "targets", "a", "before");
    publish(place, &["targets"]);
    for rotation in ROTATIONS {
        rotation(place);
    }
    vec!["a", "none"]
}

/// The rotations, for clients that follow them one by one.
pub const ROTATIONS: [fn(&Place); 3] = [
    |place| {
        keys(place, &["ecdsa-second", "third"]);
        stage(place, "key add root ecdsa-second.pub third.pub --threshold 2");
        publish(place, &["root", "ecdsa-second"]);
    },
    |place| {
        keys(place, &["ecdsa-fresh"]);
        stage(place, "key replace timestamp timestamp.pub ecdsa-fresh.pub");
        stage(place, "key replace targets targets.pub third.pub");
        for signer in ["root", "third"] {
            place.ok(&format!("trust sign --key {signer}"));
        }
        place.ok("trust publish --key snapshot --key ecdsa-fresh");
        // From now on the online key has the old one's name.
        for (new, old) in [("ecdsa-fresh", "timestamp"), ("ecdsa-fresh.pub", "timestamp.pub")] {
            std::fs::rename(place.path(new), place.path(old)).unwrap();
        }
    },
    |place| {
        keys(place, &["fourth"]);
        stage(place, "key remove root root.pub");
        stage(place, "key replace root ecdsa-second.pub fourth.pub");
        add(place, "targets", "a", "after");
        publish(place, &["root", "ecdsa-second", "third", "fourth"]);
    },
];

/// Targets of any name, with SHA-512 and what is said of them besides.
pub fn names_and_custom(place: &Place) -> Vec<&'static str> {
    simple(place);
    let names = ["größe.txt", "日本/語.txt", "a+c~d.txt", "\u{ff21}.txt", "\u{1f600}.txt"];
    for name in names {
        add(place, "targets", name, name);
    }
    place.file("content", "of sha512");
    let custom = json!({ "about": [1, -2, null, true, { "text": "\"quoted\" \\ größer" }] }).to_string();
    let mut command = place.touchmark("trust target add content --name both --hash sha256 --hash sha512 --custom");
    assert!(command.arg(custom).output().unwrap().status.success());
    publish(place, &["targets"]);
    names.into_iter().chain(["both", "none"]).collect()
}

/// What was there once: a removed target, a role that is delegated no more, and other content.
pub fn removed(place: &Place) -> Vec<&'static str> {
    simple(place);
    keys(place, &["gone", "stays"]);
    stage(place, "delegate gone --key gone.pub --path gone/*");
    stage(place, "delegate stays --key stays.pub --path stays/*");
    for (role, path) in [("targets", "a"), ("targets", "none-removed"), ("gone", "gone/x"), ("stays", "stays/x"), ("stays", "stays/none")] {
        add(place, role, path, "at first");
    }
    publish(place, &["targets", "gone", "stays"]);
    stage(place, "target remove none-removed");
    stage(place, "target remove stays/none --role stays");
    stage(place, "undelegate gone");
    add(place, "targets", "a", "and then");
    publish(place, &["targets", "stays"]);
    vec!["a", "none-removed", "gone/x", "stays/x", "stays/none"]
}

/// Whether a name is looked up in vain.
pub fn is_none(name: &str) -> bool {
    name.starts_with("gone/") || name.rsplit('/').next().is_some_and(|last| last.starts_with("none"))
}

/// What is published, as JSON.
pub fn document(place: &Place, file: &str) -> Value {
    serde_json::from_slice(&place.read(&format!("trust/metadata/{file}"))).unwrap()
}
