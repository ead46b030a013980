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

/// Nobody has to look at the snapshot of another: each lets `publish` make it, and they come to an end.
#[test]
fn two_people_with_the_online_keys_publish_in_turn_and_come_to_an_end() {
    let place = Place::new();
    for name in ["one", "two"] {
        place.key(name);
    }
    place.ok("trust init --no-passphrase --quiet --snapshot-key one.pub --snapshot-key two.pub --snapshot-threshold 2 \
         --timestamp-key one.pub --timestamp-key two.pub --timestamp-threshold 2");
    for round in 1..=2 {
        place.run("trust publish --key one").is(5).says("snapshot: 1 of 2 required signatures");
        place.run("trust publish --key two").is(5).says("timestamp: 1 of 2 required signatures");
        place.ok("trust publish --key one");
        refreshed(&place, "client");
        assert_eq!(status(&place, "timestamp")["published"]["version"], json!(round));
        place.ok("trust renew targets");
        place.ok("trust sign --key trust-keys/targets");
    }
}

/// New bins all say the same, and one mailed file is signed for each of them.
#[test]
fn a_signature_counts_for_every_role_that_says_the_same() {
    let place = crate::trust::made();
    place.key("bins");
    place.ok("trust delegate bin --key bins.pub --bins 2");
    copy(&place, "copy");
    place.ok("trust --dir copy sign --key bins --role bin-2");
    place.run("trust --dir copy sign --key bins").is(0).says("  bin-0 to bin-3, 4 roles, version 1, expires");
    let taken = place.ok("trust sign --from copy/staged/bin-2.json");
    assert_eq!(taken.lines().count(), 4, "{taken}");
    for bin in 0..4 {
        assert_eq!(status(&place, &format!("bin-{bin}"))["staged"]["missing"], json!(0), "{bin}");
    }
}

/// A keyid beside a signature is a hint, and what is published has the right one: other clients go by it.
#[test]
fn signatures_are_published_under_the_keyids_of_their_keys() {
    let place = begun();
    place.key("mallory");
    place.ok("trust sign --key alice --key bob");
    let file = "trust/staged/targets.json";
    let mut staged: serde_json::Value = serde_json::from_slice(&place.read(file)).unwrap();
    let right = staged["signatures"].clone();
    // Exchanged, and with somebody else's in a third one's place.
    let (first, second) = (right[0]["keyid"].clone(), right[1]["keyid"].clone());
    staged["signatures"][0]["keyid"] = second;
    staged["signatures"][1]["keyid"] = first;
    staged["signatures"].as_array_mut().unwrap().push(json!({"keyid": "00".repeat(32), "sig": "11".repeat(64)}));
    std::fs::write(place.path(file), serde_json::to_vec(&staged).unwrap()).unwrap();
    place.ok(&format!("trust publish {ONLINE}"));
    let published: serde_json::Value = serde_json::from_slice(&place.read("trust/metadata/1.targets.json")).unwrap();
    assert_eq!(published["signatures"], right);
    refreshed(&place, "client");
}

/// With one key for several roles, who means to sign a snapshot would sign a root.
#[test]
fn a_staged_document_of_another_kind_is_not_signed() {
    let place = Place::new();
    place.key("one");
    place.ok("trust init --no-passphrase --quiet --root-key one --snapshot-key one --timestamp-key one --targets-key one");
    for (role, other) in [("snapshot", "metadata/1.root.json"), ("targets", "metadata/timestamp.json"), ("root", "metadata/1.targets.json")]
    {
        std::fs::copy(place.path(&format!("trust/{other}")), place.path(&format!("trust/staged/{role}.json"))).unwrap();
        let before = place.read(&format!("trust/staged/{role}.json"));
        place.run(&format!("trust sign --key one --role {role}")).is(5).says(&format!("{role}.json: this is metadata of type"));
        place.run("trust publish --key one").is(5);
        assert_eq!(place.read(&format!("trust/staged/{role}.json")), before);
        std::fs::remove_file(place.path(&format!("trust/staged/{role}.json"))).unwrap();
    }
}

/// What clients would refuse of a delegated role is not published, although no update comes to it.
#[test]
fn a_delegated_role_that_clients_refuse_is_not_published() {
    let place = crate::trust::made();
    place.key("acme");
    place.ok("trust delegate acme --key acme.pub --path acme/*");
    let file = "trust/staged/acme.json";
    let good = place.read(file);
    let mut staged: serde_json::Value = serde_json::from_slice(&good).unwrap();
    staged["signed"]["spec_version"] = json!("2.0");
    std::fs::write(place.path(file), serde_json::to_vec(&staged).unwrap()).unwrap();
    place.ok("trust sign --key trust-keys/targets --key acme");
    let online = crate::trust::ONLINE;
    place.run(&format!("trust publish {online}")).is(5).says("a client that looks for a target would refuse it").says("spec_version");
    std::fs::write(place.path(file), good).unwrap();
    place.ok("trust sign --key acme");
    place.ok(&format!("trust publish {online}"));
}

/// A file's name makes no root, and a repository does not begin again when a file is lost.
#[test]
fn what_is_published_is_not_believed_by_its_name() {
    let place = crate::trust::made();
    let mut root: serde_json::Value = serde_json::from_slice(&place.read("trust/metadata/1.root.json")).unwrap();
    let second = place.path("trust/metadata/2.root.json");
    std::fs::copy(place.path("trust/metadata/1.root.json"), &second).unwrap();
    place.run("trust status").is(5).says("2.root.json: `version`");
    root["signed"]["version"] = json!(2);
    std::fs::write(&second, serde_json::to_vec(&root).unwrap()).unwrap();
    place.run("trust status").is(5).says("2.root.json: is not validly signed by the keys of root version 1");
    std::fs::remove_file(&second).unwrap();
    place.ok("trust renew targets");
    crate::trust::sign_and_publish(&place, "--key trust-keys/targets");
    std::fs::remove_file(place.path("trust/metadata/timestamp.json")).unwrap();
    place.run("trust status").is(5).says("timestamp.json: is missing");
    // Nor after one publish.
    let place = crate::trust::made();
    std::fs::remove_file(place.path("trust/metadata/timestamp.json")).unwrap();
    place.run(&format!("trust publish {}", crate::trust::ONLINE)).is(5).says("timestamp.json: is missing");
}

/// A root is ready and what its new keys have to sign is not: neither is published, and the rest is.
#[test]
fn what_waits_for_another_document_stays_staged_with_it() {
    let place = crate::trust::made();
    for name in ["acme", "new", "other"] {
        place.key(name);
    }
    place.ok("trust delegate acme --key acme.pub --path acme/*");
    crate::trust::sign_and_publish(&place, "--key trust-keys/targets --key acme");
    let ready = format!("trust publish --ready {}", crate::trust::ONLINE);
    let waiting = |line: &str| place.json(line, 0)["results"][0]["waiting"].clone();
    place.ok("trust key replace targets trust-keys/targets.pub new.pub");
    place.file("tool", "content");
    place.ok("trust target add tool --prefix acme/ --role acme");
    place.ok("trust sign --key trust-keys/root --key acme");
    assert_eq!(waiting(&ready), json!(["targets", "root"]));
    downloaded(&place, "client", "acme/tool", "content");
    assert_eq!(status(&place, "root")["published"]["version"], json!(1));
    place.ok("trust sign --key new");
    assert_eq!(waiting(&ready), json!([]));
    refreshed(&place, "client");
    // A new role that its holder has not signed keeps its delegator waiting.
    place.ok("trust delegate other --key other.pub --path other/*");
    place.ok("trust renew acme");
    place.ok("trust sign --key new --key acme");
    assert_eq!(waiting(&ready), json!(["other", "targets"]));
    assert_eq!(status(&place, "acme")["published"]["version"], json!(3));
    place.ok("trust sign --key other");
    assert_eq!(waiting(&ready), json!([]));
    refreshed(&place, "client");
}

/// What people have signed of a role is there until nobody delegates to it in what is published.
#[test]
fn an_undelegation_that_is_given_up_leaves_what_was_signed() {
    let place = crate::trust::made();
    place.key("acme");
    place.ok("trust delegate acme --key acme.pub --path acme/*");
    crate::trust::sign_and_publish(&place, "--key trust-keys/targets --key acme");
    place.ok("trust renew acme");
    place.ok("trust sign --key acme");
    place.ok("trust undelegate acme");
    place.ok("trust discard targets");
    assert_eq!(status(&place, "acme")["staged"]["missing"], json!(0));
    place.ok("trust undelegate acme");
    crate::trust::sign_and_publish(&place, "--key trust-keys/targets");
    assert!(!place.path("trust/staged/acme.json").exists());
}

/// While a signer takes its time, somebody puts another file in the place of what is about to be published.
#[cfg(unix)]
#[test]
fn what_is_published_is_what_was_checked() {
    let place = crate::trust::made();
    place.file("tool", "content");
    place.ok("trust target add tool");
    place.ok("trust sign --key trust-keys/targets");
    let signed = place.read("trust/staged/targets.json");
    let mut other: serde_json::Value = serde_json::from_slice(&signed).unwrap();
    other["signed"]["targets"] = json!({});
    place.file("other.json", serde_json::to_string_pretty(&other).unwrap());
    let signer = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/external-signer/openssl-signer.py")).unwrap();
    place.file("signer.py", signer);
    place.program(
        "swaps",
        "#!/bin/sh\nread request\ncase $request in *message*) cp other.json trust/staged/targets.json;; esac\nprintf '%s\\n' \"$request\" | exec python3 signer.py\n",
    );
    let line = "trust publish --key exec:./swaps --key trust-keys/timestamp";
    let ran = place.touchmark(line).env("SIGNER_KEY", "trust-keys/snapshot").output().unwrap();
    crate::harness::Ran::of(line, ran).is(0);
    assert_eq!(place.read("trust/metadata/2.targets.json"), signed);
    downloaded(&place, "client", "tool", "content");
}

/// A key that comes back has the keyid that is computed of it, and other clients look for its signatures under that.
#[test]
fn documents_are_signed_anew_where_their_keys_have_other_keyids() {
    for role in ["targets", "snapshot", "timestamp"] {
        let place = Place::new();
        let roles = ["root", "targets", "snapshot", "timestamp"];
        roles.iter().chain(&["other"]).for_each(|name| place.key(name));
        place.ok(&format!("trust init {}", roles.map(|role| format!("--{role}-key {role}.pub")).join(" ")));
        // As another tool might have named them.
        let mut root = String::from_utf8(place.read("trust/staged/root.json")).unwrap();
        for role in roles {
            let keyid = status(&place, role)["staged"]["signatures"]["keys"][0]["keyid"].clone();
            let keyid = match keyid.as_str() {
                Some(keyid) => keyid.to_owned(),
                None => serde_json::from_str::<serde_json::Value>(&root).unwrap()["signed"]["roles"][role]["keyids"][0]
                    .as_str()
                    .unwrap()
                    .to_owned(),
            };
            root = root.replace(&keyid, &format!("id-{role}"));
        }
        place.file("trust/staged/root.json", &root);
        place.ok("trust sign --key root --key targets");
        place.ok("trust publish --key snapshot --key timestamp");
        refreshed(&place, "client");
        place.ok(&format!("trust key replace {role} {role}.pub other.pub"));
        place.ok(&format!("trust key replace {role} other.pub {role}.pub"));
        place.ok(&format!("trust sign --key root{}", if role == "targets" { " --key targets" } else { "" }));
        place.ok("trust publish --key snapshot --key timestamp");
        refreshed(&place, "client");
        let document = |file: &str| serde_json::from_slice::<serde_json::Value>(&place.read(&format!("trust/metadata/{file}"))).unwrap();
        let file = if role == "timestamp" { "timestamp.json".to_owned() } else { format!("2.{role}.json") };
        let listed = &document("2.root.json")["signed"]["roles"][role]["keyids"];
        assert_ne!(listed, &json!([format!("id-{role}")]));
        let signatures = document(&file)["signatures"].clone();
        let under: Vec<_> = signatures.as_array().unwrap().iter().map(|signature| &signature["keyid"]).collect();
        assert!(under.contains(&&listed[0]), "{role}: {signatures} and {listed}");
    }
}
