//! What people see before they sign, and what is not signed.

use serde_json::{Value, json};

use crate::forge::sha256;
use crate::harness::{Place, Ran};
use crate::trust::{ONLINE, made, refreshed, sign_and_publish, status};

/// What somebody makes of a document.
type Change = fn(&mut Value);

/// The digest of what the signatures of a document in the written form are over.
fn signed_digest(document: &[u8]) -> String {
    let text = std::str::from_utf8(document).unwrap();
    sha256(text.split_once(r#","signed":"#).unwrap().1.strip_suffix('}').unwrap().as_bytes())
}

fn digest(place: &Place, role: &str) -> String {
    status(place, role)["staged"]["digest"].as_str().unwrap().to_owned()
}

fn missing(place: &Place, role: &str) -> Value {
    status(place, role)["staged"]["missing"].clone()
}

/// Rewrites a JSON file.
fn edit(place: &Place, file: &str, change: impl FnOnce(&mut Value)) {
    let mut document: Value = serde_json::from_slice(&place.read(file)).unwrap();
    change(&mut document);
    place.file(file, document.to_string());
}

#[cfg(unix)]
#[test]
fn what_is_signed_is_shown_before_it_is_signed() {
    let place = made();
    place.key("second");
    place.ok("trust key add root second.pub");
    let shown = place.ok("trust status --role root");
    let digest = digest(&place, "root");
    assert!(shown.contains(&digest), "{shown}");
    assert_eq!(digest, signed_digest(&place.read("trust/staged/root.json")));
    // A signer that says which key it has, and then signs nothing.
    let public = String::from_utf8(place.read("trust-keys/root.pub")).unwrap().replace('\n', "\\\\n");
    place.program(
        "no-signer",
        &format!("#!/bin/sh\nread request\ncase $request in *message*) exit 1;; esac\nprintf '{{\"touchmarkSigner\":1,\"publicKey\":\"{public}\"}}\\n'\n"),
    );
    let ran = place.run("trust sign --key exec:./no-signer").is(4).says("about to be signed");
    for shown in ["root version 2, expires 20", &digest, "root: key "] {
        assert!(ran.stderr.contains(shown), "`{shown}` is missing in {ran:#?}");
    }
    assert_eq!(missing(&place, "root"), json!(1));
}

#[test]
fn a_document_that_is_not_expected_is_refused_and_nothing_is_signed() {
    let place = Place::new();
    for name in ["alice", "online"] {
        place.key(name);
    }
    place.ok("trust init --quiet --root-key alice.pub --targets-key alice.pub --snapshot-key online.pub --timestamp-key online.pub");
    let (root, targets) = (digest(&place, "root"), digest(&place, "targets"));
    // Only one of the two that the key signs for.
    for one in [&root, &targets] {
        let ran = place.run(&format!("trust sign --key alice --expect {one} --format json")).is(6).says("not what you expect");
        assert_eq!(ran.json()["results"][0]["error"]["code"], json!("not-expected"));
        assert_eq!((missing(&place, "root"), missing(&place, "targets")), (json!(1), json!(1)));
    }
    // Changed after it was looked at.
    place.file("tool", "content");
    place.ok("trust target add tool");
    place.run(&format!("trust sign --key alice --expect {root} --expect {targets}")).is(6).says("targets: is sha256:");
    let targets = digest(&place, "targets");
    let document = place.json(&format!("trust sign --key alice --expect {root} --expect {targets}"), 0);
    assert_eq!((&document["results"][0]["digest"], &document["results"][1]["digest"]), (&json!(root), &json!(targets)));
    assert_eq!((missing(&place, "root"), missing(&place, "targets")), (json!(0), json!(0)));
    place.ok("trust renew targets");
    // By its digest, one role alone.
    place.ok(&format!("trust sign --key alice --role targets --expect {}", digest(&place, "targets")));
    place.run(&format!("trust sign --from trust --expect {root}")).is(2).says("--key");
    for bad in ["sha256:00", "sha512:00", "00"] {
        place.run(&format!("trust sign --key alice --expect {bad}")).is(2);
    }
}

/// A repository whose snapshots and timestamps two people sign; a snapshot is staged.
fn two_publishers() -> Place {
    let place = Place::new();
    for name in ["one", "two"] {
        place.key(name);
    }
    place.ok("trust init --no-passphrase --quiet --snapshot-key one --snapshot-key two.pub --snapshot-threshold 2 \
         --timestamp-key one --timestamp-key two.pub --timestamp-threshold 2");
    for _ in 0..2 {
        place.ok("trust sign --key two");
        place.run("trust publish --key one");
    }
    place.file("tool", "content");
    place.ok("trust target add tool");
    place.ok("trust sign --key trust-keys/targets");
    place.run("trust publish --key one").is(5).says("snapshot: 1 of 2");
    place
}

#[test]
fn a_snapshot_or_timestamp_that_no_publish_makes_is_not_signed() {
    let place = two_publishers();
    let good = String::from_utf8(place.read("trust/staged/snapshot.json")).unwrap();
    let attacks: [(&str, Change); 6] = [
        ("lists an old version", |document| document["signed"]["meta"]["targets.json"]["version"] = json!(1)),
        ("lists another file", |document| document["signed"]["meta"]["targets.json"]["length"] = json!(7)),
        ("lists no digest", |document| _ = document["signed"]["meta"]["targets.json"].as_object_mut().unwrap().remove("hashes")),
        ("lists what is not there", |document| document["signed"]["meta"]["evil.json"] = json!({"version": 1})),
        ("lives longer", |document| document["signed"]["expires"] = json!("2090-01-01T00:00:00Z")),
        ("says more", |document| document["signed"]["more"] = json!(1)),
    ];
    for (attack, change) in attacks {
        place.file("trust/staged/snapshot.json", &good);
        edit(&place, "trust/staged/snapshot.json", change);
        let before = place.read("trust/staged/snapshot.json");
        let ran = place.run("trust sign --key two");
        assert!(ran.code == 2 && ran.stderr.contains("not what a publish makes"), "{attack}: {ran:#?}");
        assert_eq!(place.read("trust/staged/snapshot.json"), before, "{attack}");
    }
    place.file("trust/staged/snapshot.json", &good);
    place.ok("trust sign --key two");
    place.run("trust publish --key one").is(5).says("timestamp: 1 of 2");
    let good = String::from_utf8(place.read("trust/staged/timestamp.json")).unwrap();
    let attacks: [(&str, Change); 3] = [
        ("lists an old version", |document| document["signed"]["meta"]["snapshot.json"]["version"] = json!(1)),
        ("lists another file", |document| document["signed"]["meta"]["snapshot.json"]["length"] = json!(7)),
        ("lives longer", |document| document["signed"]["expires"] = json!("2090-01-01T00:00:00Z")),
    ];
    for (attack, change) in attacks {
        place.file("trust/staged/timestamp.json", &good);
        edit(&place, "trust/staged/timestamp.json", change);
        let ran = place.run("trust sign --key two");
        assert!(ran.code == 2 && ran.stderr.contains("not what a publish makes"), "{attack}: {ran:#?}");
    }
    place.file("trust/staged/timestamp.json", &good);
    place.ok("trust sign --key two");
    place.ok("trust publish");
    refreshed(&place, "client");
}

/// What a stranger adds beside the signatures that count is not published, and in nobody's way.
#[test]
fn signatures_of_strangers_do_not_keep_a_snapshot_from_being_signed() {
    let place = two_publishers();
    place.ok("trust discard snapshot");
    place.key("stranger");
    place.ok("trust sign --alone trust/staged/targets.json --key stranger");
    place.run("trust publish --key one").is(5).says("snapshot: 1 of 2");
    place.ok("trust sign --key two");
    place.run("trust publish --key one").is(5).says("timestamp: 1 of 2");
    place.ok("trust sign --key two");
    place.ok("trust publish");
    refreshed(&place, "client");
}

/// What keeps others from signing something that is of no use any more is in nobody else's way.
#[test]
fn a_stale_document_of_others_is_in_nobodys_way() {
    let place = two_publishers();
    edit(&place, "trust/staged/snapshot.json", |document| document["signed"]["version"] = json!(9));
    place.run("trust sign --key two").is(2).says("trust discard snapshot");
    place.ok("trust renew root");
    place.ok("trust sign --key trust-keys/root");
}

#[test]
fn a_document_is_signed_by_mail_without_the_repository() {
    let place = made();
    place.key("bob");
    place.ok("trust key add root bob.pub --threshold 2");
    place.ok("trust sign --key trust-keys/root");
    // Bob has his key and what he was sent, pretty-printed by somebody on the way.
    let sent: Value = serde_json::from_slice(&place.read("trust/staged/root.json")).unwrap();
    place.file("bob-has/mail.json", serde_json::to_string_pretty(&sent).unwrap());
    std::fs::rename(place.path("bob"), place.path("bob-has/key")).unwrap();
    let digest = digest(&place, "root");
    let bob = |line: &str| {
        let mut command = place.touchmark(line);
        Ran::of(line, command.current_dir(place.path("bob-has")).output().unwrap())
    };
    let other = format!("sha256:{}", "00".repeat(32));
    let before = place.read("bob-has/mail.json");
    bob(&format!("trust sign --alone mail.json --key key --expect {other}")).is(6).says(&digest);
    assert_eq!(place.read("bob-has/mail.json"), before);
    let ran = bob(&format!("trust sign --alone mail.json --key key --expect {digest}")).is(0);
    for shown in ["root version 2, expires 20", digest.as_str(), "root: 2 must sign", "timestamp: key "] {
        assert!(ran.stderr.contains(shown), "`{shown}` is missing in {ran:#?}");
    }
    bob("trust sign --alone mail.json --key key").is(0).says("has signed it already");
    let json = bob("trust sign --alone mail.json --key key --format json").is(0).json();
    assert_eq!((&json["results"][0]["type"], &json["results"][0]["digest"]), (&json!("root"), &json!(digest)));
    assert!(!place.path("bob-has/trust").exists());

    // Whatever keyid it says, the signature is taken by its key, and takes nobody else's place.
    let alice = sent["signatures"][0]["keyid"].clone();
    edit(&place, "bob-has/mail.json", |document| {
        let signatures = document["signatures"].as_array_mut().unwrap();
        signatures.retain(|signature| signature["keyid"] != alice);
        signatures[0]["keyid"] = alice;
    });
    assert_eq!(place.ok("trust sign --from bob-has/mail.json"), "root: has all signatures");
    place.ok(&format!("trust publish {ONLINE}"));
    refreshed(&place, "client");
}

#[test]
fn what_cannot_be_judged_by_itself_is_signed_only_if_it_is_expected() {
    let place = two_publishers();
    std::fs::copy(place.path("trust/staged/snapshot.json"), place.path("mail.json")).unwrap();
    place.run("trust sign --alone mail.json --key two").is(2).says("if its digest is expected");
    let digest = digest(&place, "snapshot");
    place.ok(&format!("trust sign --alone mail.json --key two --expect {digest}"));
    assert_eq!(place.ok("trust sign --from mail.json"), "snapshot: has all signatures");
    place.file("targets.json", place.read("trust/metadata/1.targets.json"));
    place.ok("trust sign --alone targets.json --key two");
    place.run("trust sign --alone missing.json --key two").is(2).says("no such file");
    place.file("other.json", "{}");
    place.run("trust sign --alone other.json --key two").is(5).says("other.json");
}

/// What was mailed is not read further than a copy of what is staged can reach.
#[test]
fn a_mailed_file_without_end_is_not_read() {
    let place = made();
    place.ok("trust renew root");
    let mut copy = place.read("trust/staged/root.json");
    let most = 2 * copy.len() + (1 << 20);
    copy.resize(most, b' ');
    place.file("mail.json", &copy);
    place.run("trust sign --from mail.json").is(0);
    copy.push(b' ');
    place.file("mail.json", &copy);
    place.run("trust sign --from mail.json").is(2).says("says something else");
}

/// The key of one signer is in nobody else's environment.
#[cfg(unix)]
#[test]
fn an_external_signer_does_not_see_keys_in_the_environment() {
    let place = Place::new();
    for name in ["own", "secret", "new"] {
        place.key(name);
    }
    let signer = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/external-signer/openssl-signer.py")).unwrap();
    place.file("signer.py", signer);
    place.program("spy", "#!/bin/sh\nenv >>seen\nexec python3 signer.py\n");
    let secret = String::from_utf8(place.read("secret")).unwrap();
    let unseen = |line: &str| {
        let ran = place.touchmark(line).env("SIGNER_KEY", "own").env("SECRET", &secret).output().unwrap();
        Ran::of(line, ran).is(0);
        let seen = String::from_utf8(place.read("seen")).unwrap();
        assert!(seen.contains("SIGNER_KEY=own") && !seen.contains("SECRET="), "{line}");
    };
    unseen("trust init --no-passphrase --root-key env:SECRET --targets-key exec:./spy");
    unseen("trust key add snapshot exec:./spy env:SECRET");
    unseen("trust key replace root env:SECRET exec:./spy");
    unseen("trust key remove snapshot exec:./spy env:SECRET");
    unseen("trust delegate acme --key env:SECRET --key exec:./spy --path acme/*");
    unseen("trust sign --key env:SECRET --key exec:./spy");
}

/// Each makes python-tuf refuse the whole repository, though our own client reads on past it.
#[test]
fn what_other_clients_refuse_to_read_is_neither_signed_nor_published() {
    let place = made();
    place.key("a");
    place.ok("trust delegate a --key a.pub --path a/*");
    sign_and_publish(&place, "--key trust-keys/targets --key a");
    place.ok("trust renew targets");
    let staged = place.read("trust/staged/targets.json");
    let malformed: [(Change, &str); 7] = [
        (|signed| signed["targets"]["bad"] = Value::Null, "bad"),
        (|signed| signed["targets"]["bad"] = json!({"length": 5}), "bad"),
        (|signed| signed["targets"]["bad"] = json!({"length": 5, "hashes": {}}), "bad"),
        (|signed| signed["targets"]["bad"] = json!({"length": -5, "hashes": {"sha256": "0".repeat(64)}}), "bad"),
        (|signed| drop(signed["delegations"]["roles"][0].as_object_mut().unwrap().remove("terminating")), "terminating"),
        (|signed| signed["delegations"]["roles"][0]["keyids"] = json!(["k", "k"]), "keyids"),
        (|signed| signed["delegations"]["keys"]["k"] = json!({"keytype": "x", "scheme": "y", "keyval": {}}), "public"),
    ];
    for (change, says) in malformed {
        place.file("trust/staged/targets.json", &staged);
        edit(&place, "trust/staged/targets.json", |document| change(&mut document["signed"]));
        let document = place.json("trust sign --key trust-keys/targets", 5);
        assert_eq!(document["results"][0]["error"]["code"], json!("metadata-malformed"), "{says}: {document:#}");
        place.run("trust sign --key trust-keys/targets").is(5).says(says).says("trust discard targets");
        // Nor when it was signed elsewhere.
        place.ok("trust sign --key trust-keys/targets --alone trust/staged/targets.json");
        let before = crate::tuf::names(&place, "trust/metadata");
        place.run(&format!("trust publish {ONLINE}")).is(5).says(says);
        assert_eq!(crate::tuf::names(&place, "trust/metadata"), before);
    }
    // What is well-formed is.
    place.file("trust/staged/targets.json", &staged);
    edit(&place, "trust/staged/targets.json", |document| {
        document["signed"]["targets"]["good"] = json!({"length": 5, "hashes": {"sha256": "0".repeat(64)}});
    });
    place.ok("trust sign --key trust-keys/targets");
}

/// The key id of a key file, as `touchmark key show` prints it.
fn key_id(place: &Place, file: &str) -> String {
    place.ok(&format!("key show {file}")).split_whitespace().last().unwrap().to_owned()
}

/// The KEY object that a change of the role's keys would list for this key, and its keyid.
fn key_object(place: &Place, name: &str) -> (String, Value) {
    place.ok(&format!("trust key add timestamp {name}.pub"));
    let root: Value = serde_json::from_slice(&place.read("trust/staged/root.json")).unwrap();
    place.ok("trust discard root");
    let keyid = root["signed"]["roles"]["timestamp"]["keyids"][1].as_str().unwrap().to_owned();
    let object = root["signed"]["keys"][&keyid].clone();
    (keyid, object)
}

#[test]
fn a_key_that_is_exchanged_under_its_keyid_in_a_staged_root_is_shown() {
    let place = made();
    place.key("evil");
    let (_, object) = key_object(&place, "evil");
    let (honest, evil) = (key_id(&place, "trust-keys/targets.pub"), key_id(&place, "evil.pub"));
    assert!(place.ok("trust status").contains(&format!("signed     {honest} ")));
    place.ok("trust renew root");
    let mut keyid = String::new();
    edit(&place, "trust/staged/root.json", |document| {
        keyid = document["signed"]["roles"]["targets"]["keyids"][0].as_str().unwrap().to_owned();
        document["signed"]["keys"][&keyid] = object;
    });
    let line = format!("targets: keyid {keyid} stands for key {evil} (listed as {keyid}) now, not for key {honest}");
    assert!(place.ok("trust status --role root").contains(&line));
    assert_eq!(status(&place, "root")["changes"], json!([line]));
    // What was mailed says whose key it is.
    place.file("mail.json", place.read("trust/staged/root.json"));
    let ran = place.run("trust sign --alone mail.json --key trust-keys/root").is(0);
    assert!(ran.stderr.contains(&format!("targets: key {evil} (listed as {keyid}) may sign")) && !ran.stderr.contains(&honest), "{ran:#?}");
    place.run("trust sign --key trust-keys/root").is(0).says(&line);
}

#[test]
fn a_key_that_is_exchanged_under_its_keyid_in_a_delegation_is_shown() {
    let place = made();
    for name in ["acme", "evil"] {
        place.key(name);
    }
    let (_, object) = key_object(&place, "evil");
    place.ok("trust delegate acme --key acme.pub --path acme/*");
    sign_and_publish(&place, "--key trust-keys/targets --key acme");
    place.ok("trust renew targets");
    let mut keyid = String::new();
    edit(&place, "trust/staged/targets.json", |document| {
        let delegations = &mut document["signed"]["delegations"];
        keyid = delegations["roles"][0]["keyids"][0].as_str().unwrap().to_owned();
        delegations["keys"][&keyid] = object;
    });
    let (honest, evil) = (key_id(&place, "acme.pub"), key_id(&place, "evil.pub"));
    let line = format!("acme: keyid {keyid} stands for key {evil} (listed as {keyid}) now, not for key {honest}");
    assert_eq!(status(&place, "targets")["changes"], json!([line]));
    place.run("trust sign --key trust-keys/targets").is(0).says(&line);
}

/// The search goes by their order: who comes first decides what a name is.
#[test]
fn the_place_of_a_new_delegation_is_shown_where_it_is_not_the_last() {
    let place = made();
    for name in ["acme", "zed"] {
        place.key(name);
    }
    place.ok("trust delegate acme --key acme.pub --path acme/*");
    sign_and_publish(&place, "--key trust-keys/targets --key acme");
    for (place_of_it, line) in [("--first", "zed: is delegated acme/*, before acme"), ("", "zed: is delegated acme/*")] {
        place.ok(&format!("trust delegate zed --key zed.pub --path acme/* {place_of_it}"));
        assert_eq!(status(&place, "targets")["changes"][0], json!(line));
        place.ok("trust discard targets zed");
    }
}

#[test]
fn a_key_whose_keyid_another_key_has_is_not_added() {
    let place = made();
    for name in ["bob", "evil"] {
        place.key(name);
    }
    let ((keyid, _), (_, object)) = (key_object(&place, "bob"), key_object(&place, "evil"));
    place.ok("trust renew root");
    edit(&place, "trust/staged/root.json", |document| document["signed"]["keys"][&keyid] = object);
    let before = place.read("trust/staged/root.json");
    let ran = place.run("trust key add targets bob.pub --format json").is(2);
    assert_eq!(ran.json()["results"][0]["error"]["code"], json!("keyid-taken"));
    assert_eq!(place.read("trust/staged/root.json"), before);
    let evil = key_id(&place, "evil.pub");
    assert_eq!(status(&place, "root")["changes"], json!([format!("key {evil} (listed as {keyid}) is listed, and no role has it")]));
}

/// The text of `trust status` is what `trust key remove` takes, whatever the keyid is.
#[test]
fn a_key_is_removed_by_the_key_id_that_status_shows() {
    let place = made();
    place.key("bob");
    place.ok("trust key add root bob.pub");
    let bob = key_id(&place, "bob.pub");
    assert!(place.ok("trust status --role root").contains(&bob));
    place.ok(&format!("trust key remove root {}", &bob[..12]));
    assert!(!place.ok("trust status --role root").contains(&bob));
}

#[cfg(unix)]
#[test]
fn what_is_no_document_among_copies_is_passed_over_and_by_itself_an_error() {
    let place = made();
    place.ok("trust renew targets");
    let unsigned = place.read("trust/staged/targets.json");
    place.ok("trust sign --key trust-keys/targets");
    place.file("copies/staged/targets.json", place.read("trust/staged/targets.json"));
    place.file("trust/staged/targets.json", unsigned);
    place.file("copies/staged/a.json", "no document");
    place.file("copies/staged/b.json/file", "in a folder");
    std::os::unix::fs::symlink(place.path("trust/staged/targets.json"), place.path("copies/staged/c.json")).unwrap();
    place.run("trust sign --from copies/staged/a.json").is(5);
    place.ok("trust sign --from copies");
    assert_eq!(missing(&place, "targets"), json!(0));
}
