//! What a change of a publisher would do is said first: rotations, seals, proposals, and everything else that takes names or keys away.

use crate::harness::{Place, digest};
use crate::trust::ONLINE;
use crate::trust_names::{TARGETS, ask, made, publish, refused};

/// A publisher of whom two of the keys `acme`, `bob` and `carol` must sign.
fn two_of_three() -> Place {
    let place = made();
    for key in ["bob", "carol"] {
        place.key(key);
    }
    place.ok("trust key add acme bob.pub carol.pub --threshold 2");
    publish(&place, "--key acme --key bob");
    place
}

fn effects(document: &serde_json::Value, kind: &str) -> Vec<(String, String)> {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let of = |one: &serde_json::Value| (text(&one["name"]), text(&one["accepted_by"]));
    document["results"][0][kind].as_array().unwrap().iter().map(of).collect()
}

fn pair(name: &str, by: &str) -> (String, String) {
    (name.to_owned(), by.to_owned())
}

#[test]
fn two_of_three_in_separate_envelopes_from_three_machines() {
    let place = two_of_three();
    // Each machine has its own copy of the artifact and one key; the signatures come together in the one place.
    for (key, copy) in [("acme", "first"), ("bob", "second"), ("carol", "third")] {
        place.ok(&format!("copy oci:lay:1 oci:{copy}:1"));
        place.ok(&format!("sign oci:{copy}:1 --key {key} --name acme/tool:1"));
        refused(&place, 1, "threshold", &ask(&format!("oci:{copy}:1"), "acme/tool:1"));
    }
    place.ok("copy oci:first:1 oci:lay:1");
    refused(&place, 1, "threshold", &ask("oci:lay:1", "acme/tool:1"));
    place.ok("copy oci:third:1 oci:lay:1");
    let verdict = place.verify_is(0, &ask("oci:lay:1", "acme/tool:1"));
    assert_eq!(verdict.json["results"][0]["statements"].as_array().unwrap().len(), 2);
    place.ok("copy oci:second:1 oci:lay:1");
    place.verify_is(0, &ask("oci:lay:1", "acme/tool:1"));
}

#[test]
fn two_of_three_in_one_envelope_that_is_co_signed() {
    let place = two_of_three();
    place.ok("sign oci:lay:1 --key carol --key bob --name acme/tool:1");
    let verdict = place.verify_is(0, &ask("oci:lay:1", "acme/tool:1"));
    assert_eq!(verdict.json["results"][0]["statements"].as_array().unwrap().len(), 1, "one envelope");
    place.pack("oci:lay:2", "two");
    place.ok("sign oci:lay:2 --key carol --key carol --name acme/tool:2");
    refused(&place, 1, "threshold", &ask("oci:lay:2", "acme/tool:2"));
}

/// Who gives a key a second keyid by hand has one key all the same.
#[test]
fn the_same_key_under_two_keyids_counts_once() {
    let place = made();
    place.key("bob");
    place.ok("trust key add acme bob.pub --threshold 2");
    let staged: serde_json::Value = serde_json::from_slice(&place.read("trust/staged/targets.json")).unwrap();
    let mut staged = staged;
    let delegations = &mut staged["signed"]["delegations"];
    let keyids = delegations["roles"][0]["keyids"].as_array().unwrap().clone();
    let acme = keyids[0].as_str().unwrap().to_owned();
    let bob = keyids[1].as_str().unwrap().to_owned();
    delegations["keys"][&bob] = delegations["keys"][&acme].clone();
    staged["signatures"] = serde_json::json!([]);
    place.file("trust/staged/targets.json", serde_json::to_vec(&staged).unwrap());
    // Two keyids, one key: the role can never be signed by two, and nothing is published.
    place.ok(&format!("trust sign {TARGETS}"));
    place.ok("trust sign --key acme");
    place.run(&format!("trust publish {ONLINE}")).is(5);
}

#[test]
fn a_publisher_whose_names_overlap_another_s_is_warned_about() {
    let place = made();
    place.key("other");
    let ran = place.run("trust publisher add other --key other.pub --names acme/tools/** --names other/**").is(0);
    ran.says("acme comes before it, and owns what is of acme/*/* too");
}

#[test]
fn sub_publisher_cannot_sign_outside_its_names() {
    let place = made();
    place.key("edge");
    place.ok("trust publisher add acme+edge --key edge.pub --names acme/edge/** --names other/** --from acme");
    publish(&place, "--key acme --key edge");
    for name in ["acme/edge/x:1", "acme/x:1", "other/x:1", "acme/edge:1"] {
        place.ok(&format!("sign oci:lay:1 --key edge --name {name}"));
    }
    place.verify_is(0, &ask("oci:lay:1", "acme/edge/x:1"));
    for (name, why) in [("acme/x:1", "threshold"), ("acme/edge:1", "threshold"), ("other/x:1", "no-signers")] {
        refused(&place, 1, why, &ask("oci:lay:1", name));
    }
    // Nor does its document list what is not its.
    place.run("trust target add --role acme+edge acme/x:1 --sha256 00 --length 1").is(2);
}

#[test]
fn undelegating_takes_effect_with_the_next_metadata() {
    let place = made();
    place.ok("sign oci:lay:1 --key acme --name acme/tool:1");
    place.verify_is(0, &ask("oci:lay:1", "acme/tool:1"));
    let ran = place.run("trust undelegate acme --compare-with oci:lay").is(0);
    let ran = ran.says("would not verify any more: acme/tool:1 oci:lay@sha256:");
    ran.says("acme: what it lists, seals and signs under acme/* ");
    // Staged is not published, and published is not yet what a client has.
    place.verify_is(0, &ask("oci:lay:1", "acme/tool:1"));
    let kept = "oci:lay:1 --root trust/metadata/1.root.json --trust trust --store kept --name acme/tool:1";
    place.verify_is(0, kept);
    publish(&place, "");
    refused(&place, 1, "no-signers", kept);
    refused(&place, 1, "no-signers", &ask("oci:lay:1", "acme/tool:1"));
}

#[test]
fn a_change_says_what_would_stop_and_what_would_newly_verify() {
    let place = made();
    place.key("next");
    for (tag, key) in [("2", "acme"), ("3", "next")] {
        place.pack(&format!("oci:lay:{tag}"), tag);
        place.ok(&format!("sign oci:lay:{tag} --key {key} --name acme/tool:{tag}"));
    }
    place.ok("trust name set acme/tool:1 oci:lay:1");
    publish(&place, "--key acme");
    let change = "trust key replace acme acme.pub next.pub";
    let before = place.read("trust/metadata/timestamp.json");
    let document = place.json(&format!("{change} --compare-with oci:lay --dry-run"), 0);
    assert_eq!(effects(&document, "would_stop"), [pair("acme/tool:2", "envelopes")]);
    assert_eq!(effects(&document, "would_verify"), [pair("acme/tool:3", "envelopes")]);
    assert_eq!(effects(&document, "may_change"), []);
    let changed = &document["results"][0]["publishers_changed"][0];
    assert_eq!((&changed["role"], changed["before"]["keyids"] == changed["after"]["keyids"]), (&"acme".into(), false));
    assert_eq!(document["results"][0]["staged"], serde_json::json!([]));
    assert_eq!(document["results"][0]["would_stage"], serde_json::json!(["targets", "acme"]));
    // Nothing was staged, and nothing was left.
    assert_eq!(std::fs::read_dir(place.path("trust/staged")).unwrap().count(), 0);
    assert_eq!(place.read("trust/metadata/timestamp.json"), before);
    // Without a place to look at it says what is not known.
    place.run(&format!("{change} --dry-run")).is(0).says("by signature alone is not known here; --compare-with REPO looks");
    // And it is as it said.
    place.ok(change);
    publish(&place, "--key next");
    refused(&place, 1, "threshold", &ask("oci:lay:2", "acme/tool:2"));
    place.verify_is(0, &ask("oci:lay:3", "acme/tool:3"));
    place.verify_is(0, &ask("oci:lay:1", "acme/tool:1"));
}

#[test]
fn entries_that_move_go_or_are_forgotten_are_told_first() {
    let place = made();
    place.pack("oci:lay:2", "two");
    place.ok("sign oci:lay:1 --key acme --name acme/tool:stable");
    place.ok("trust name set acme/tool:stable oci:lay:1");
    publish(&place, "--key acme");
    let document = place.json("trust name set acme/tool:stable oci:lay:2 --replace --dry-run", 0);
    assert_eq!(effects(&document, "would_stop"), [pair("acme/tool:stable", "entry")]);
    assert_eq!(effects(&document, "would_verify"), [pair("acme/tool:stable", "entry")]);
    let document = place.json("trust name remove acme/tool:stable --dry-run", 0);
    assert_eq!(effects(&document, "would_stop"), [pair("acme/tool:stable", "entry")]);
    place.ok("trust name remove acme/tool:stable");
    publish(&place, "--key acme");
    // Forgotten, what was signed counts again.
    let document = place.json("trust name remove acme/tool:stable --forget --compare-with oci:lay --dry-run", 0);
    assert_eq!(effects(&document, "would_verify"), [pair("acme/tool:stable", "envelopes")]);
    let document = place.json("trust revoke oci:lay:1 --reason leaked --dry-run --compare-with oci:lay", 0);
    assert_eq!(effects(&document, "would_stop"), [], "the withdrawn entry refuses it already");
    place.ok("trust name remove acme/tool:stable --forget");
    publish(&place, "--key acme");
    let document = place.json("trust revoke oci:lay:1 --reason leaked --role acme --dry-run --compare-with oci:lay", 0);
    assert_eq!(effects(&document, "would_stop"), [pair("acme/tool:stable", "envelopes")]);
}

#[test]
fn an_artifact_that_is_not_at_hand_may_be_accepted_by_its_signatures() {
    let place = made();
    place.ok("trust name set acme/tool:1 oci:lay:1");
    publish(&place, "--key acme");
    let document = place.json("trust name remove acme/tool:1 --forget --dry-run", 0);
    assert_eq!((effects(&document, "may_change"), effects(&document, "would_stop")), (vec![pair("acme/tool:1", "entry")], vec![]));
    // Of a publisher whose signatures do not count it is known.
    place.key("careful");
    place.ok("trust publisher add careful --key careful.pub --names careful/** --entries-only");
    place.ok("trust name set careful/x:1 oci:lay:1");
    publish(&place, "--key careful");
    let document = place.json("trust name remove careful/x:1 --forget --dry-run", 0);
    assert_eq!(effects(&document, "would_stop"), [pair("careful/x:1", "entry")]);
}

const ROTATE: &str = "trust publisher rotate acme --remove acme.pub --add next.pub";

#[test]
fn a_proposal_is_what_the_keys_have_signed_and_stages_nothing() {
    let place = made();
    place.key("next");
    place.key("mallory");
    place.pack("oci:lay:2", "two");
    place.pack("oci:lay:3", "three");
    place.ok("sign oci:lay:1 --key acme --name acme/tool:1");
    place.ok("sign oci:lay:2 --key mallory --name acme/tool:2");
    place.ok("sign oci:lay:3 --key mallory --name other/tool:3");
    let ran = place.run(&format!("{ROTATE} --propose-from oci:lay")).is(0);
    let lines: Vec<&str> = ran.stdout.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(lines.len(), 1, "{}", ran.stdout);
    assert!(lines[0].starts_with("acme/tool:1 oci:lay@sha256:"), "{}", ran.stdout);
    let ran = ran.says("1 more are said to be acme's").says("nothing was staged");
    assert_eq!(std::fs::read_dir(place.path("trust/staged")).unwrap().count(), 0);
    // Given back, it is sealed.
    place.file("proposed.txt", &ran.stdout);
    let document = place.json(&format!("{ROTATE} --propose-from oci:lay --proposal again.txt"), 0);
    assert_eq!(document["results"][0]["proposed"][0]["name"], "acme/tool:1");
    assert_eq!(place.read("again.txt"), place.read("proposed.txt"));
    let document = place.json(&format!("{ROTATE} --seal-list proposed.txt --compare-with oci:lay"), 0);
    assert_eq!((effects(&document, "would_stop"), effects(&document, "would_verify")), (vec![], vec![]));
    publish(&place, "--key next");
    let verdict = place.verify_is(0, &ask("oci:lay:1", "acme/tool:1"));
    assert_eq!(verdict.json["results"][0]["accepted_by"], "seal");
}

/// At a terminal a person is asked; util-linux's `script` makes one. What is not a plain yes stages nothing.
#[cfg(target_os = "linux")]
#[test]
fn a_person_at_a_terminal_is_asked_whether_to_seal_a_proposal() {
    let place = made();
    place.key("next");
    place.ok("sign oci:lay:1 --key acme --name acme/tool:1");
    let line = format!("{ROTATE} --propose-from oci:lay");
    let answered = |answer: &str| {
        let inner = place.touchmark(&line);
        let words = std::iter::once(inner.get_program()).chain(inner.get_args()).map(|word| format!("'{}'", word.to_str().unwrap()));
        let mut terminal = std::process::Command::new("script");
        terminal.args(["-qec", &words.collect::<Vec<_>>().join(" "), "/dev/null"]).current_dir(inner.get_current_dir().unwrap());
        for (name, value) in inner.get_envs() {
            match value {
                Some(value) => terminal.env(name, value),
                None => terminal.env_remove(name),
            };
        }
        crate::harness::Ran::of(&line, crate::harness::with_input(terminal, answer.as_bytes())).is(0)
    };
    for answer in ["n\n", "\n", "yes, please\n", "\u{4}"] {
        let ran = answered(answer);
        assert!(ran.stdout.contains("these 1 artifacts to be sealed? [y/N]") && ran.stdout.contains("nothing was staged"), "{ran:#?}");
        assert_eq!(std::fs::read_dir(place.path("trust/staged")).unwrap().count(), 0, "{answer:?}");
    }
    let ran = answered("y\n");
    assert!(ran.stdout.contains("1 artifacts are sealed, and stay"), "{ran:#?}");
    publish(&place, "--key next");
    let verdict = place.verify_is(0, &ask("oci:lay:1", "acme/tool:1"));
    assert_eq!(verdict.json["results"][0]["accepted_by"], "seal");
}

#[test]
fn seal_skips_one_of_two() {
    let place = two_of_three();
    place.key("next");
    place.pack("oci:lay:2", "two");
    place.ok("sign oci:lay:1 --key acme --key bob --name acme/tool:1");
    place.ok("sign oci:lay:2 --key acme --name acme/tool:2");
    let ran = place.run(&format!("{ROTATE} --propose-from oci:lay")).is(0);
    assert!(ran.stdout.contains("acme/tool:1 ") && !ran.stdout.contains("acme/tool:2"), "{}", ran.stdout);
    let refused_seal = place.run(&format!("{ROTATE} --seal acme/tool:1=oci:lay:1 --seal acme/tool:2=oci:lay:2")).is(1);
    refused_seal.says("oci:lay:2: it is not accepted as acme/tool:2 now");
    assert_eq!(std::fs::read_dir(place.path("trust/staged")).unwrap().count(), 0, "all or nothing");
    place.ok(&format!("{ROTATE} --seal acme/tool:1=oci:lay:1"));
    publish(&place, "--key bob --key next");
    place.verify_is(0, &ask("oci:lay:1", "acme/tool:1"));
    // Its one old signature and a new one are no two of the keys now.
    place.ok("sign oci:lay:2 --key next --name acme/tool:2");
    refused(&place, 1, "threshold", &ask("oci:lay:2", "acme/tool:2"));
}

#[test]
fn seal_skips_planted_when_compromised() {
    let place = made();
    place.key("next");
    place.ok("sign oci:lay:1 --key acme --name acme/tool:1");
    // What a thief has put beside it, by the same key.
    place.pack("oci:lay:planted", "planted");
    place.ok("sign oci:lay:planted --key acme --name acme/tool:9");
    let ran = place.run(&format!("{ROTATE} --propose-from oci:lay --compromised")).is(2);
    ran.says("nothing tells them from the publisher's");
    let proposal = place.run(&format!("{ROTATE} --propose-from oci:lay")).is(0).stdout;
    place.file("proposed.txt", &proposal);
    place.run(&format!("{ROTATE} --seal-list proposed.txt --compromised")).is(2).says("was proposed from what a place has");
    assert_eq!(std::fs::read_dir(place.path("trust/staged")).unwrap().count(), 0);
    place.file("own.txt", "acme/tool:1 oci:lay:1\n");
    let ran = place.run(&format!("{ROTATE} --seal-list own.txt --compromised --compare-with oci:lay")).is(0);
    let ran = ran.says("acme/tool:1 oci:lay@sha256:").says("is sealed on the word of your list");
    ran.says("would not verify any more: acme/tool:9 ");
    publish(&place, "--key next");
    place.verify_is(0, &ask("oci:lay:1", "acme/tool:1"));
    refused(&place, 1, "threshold", &ask("oci:lay:planted", "acme/tool:9"));
}

#[test]
fn seal_two_digests_one_name() {
    let place = made();
    place.key("next");
    let nightly = ["1", "2", "3"];
    for tag in nightly {
        let pin = place.pack(&format!("oci:lay:{tag}"), &format!("nightly {tag}"));
        place.ok(&format!("sign {pin} --key acme --name acme/tool:nightly"));
    }
    place.ok(&format!("{ROTATE} --seal acme/tool:nightly=oci:lay:1 --seal acme/tool:nightly=oci:lay:2"));
    publish(&place, "--key next");
    for tag in ["1", "2"] {
        let verdict = place.verify_is(0, &ask(&format!("oci:lay:{tag}"), "acme/tool:nightly"));
        assert_eq!(verdict.json["results"][0]["accepted_by"], "seal");
    }
    // A seal says nothing of others: they are as well signed as they are.
    refused(&place, 1, "threshold", &ask("oci:lay:3", "acme/tool:nightly"));
    place.ok("sign oci:lay:3 --key next --name acme/tool:nightly");
    place.verify_is(0, &ask("oci:lay:3", "acme/tool:nightly"));
}

#[test]
fn a_seal_restricts_what_it_accepts_as_the_signatures_did() {
    let place = made();
    place.key("next");
    let expires = "2090-01-01T00:00:00Z";
    place.ok(&format!("sign oci:lay:1 --key acme --name acme/tool:1 --expires {expires} --annotation channel=beta"));
    let manifest = digest(&place.ok("resolve oci:lay:1")).to_owned();
    place.ok(&format!("{ROTATE} --seal acme/tool:1=oci:lay:1"));
    publish(&place, "--key next");
    let document: serde_json::Value = serde_json::from_slice(&place.read("trust/metadata/2.acme.json")).unwrap();
    let seal = &document["signed"]["x-touchmark"]["seals"]["acme/tool:1"][0];
    assert_eq!((&seal["expires"], &seal["annotations"]), (&expires.into(), &serde_json::json!({"channel": "beta"})));
    assert_eq!(seal["mediaType"], "application/vnd.oci.image.manifest.v1+json");
    assert_eq!(format!("sha256:{}", seal["hashes"]["sha256"].as_str().unwrap()), manifest);
    assert!(seal["hashes"]["sha512"].is_string() && seal["length"].as_u64() > Some(0));
    place.verify_is(0, &format!("{} --annotation channel=beta", ask("oci:lay:1", "acme/tool:1")));
    place.verify_is(1, &format!("{} --annotation channel=stable", ask("oci:lay:1", "acme/tool:1")));
    // Sealed again when the next key goes, it says the same.
    place.key("third");
    place.ok("trust publisher rotate acme --remove next.pub --add third.pub --seal acme/tool:1=oci:lay:1");
    publish(&place, "--key third");
    let document: serde_json::Value = serde_json::from_slice(&place.read("trust/metadata/3.acme.json")).unwrap();
    assert_eq!(document["signed"]["x-touchmark"]["seals"]["acme/tool:1"].as_array().unwrap().len(), 1);
}

/// One of two keys goes, and the one that stays has signed the publisher's document before: without a check, the end of the key could be
/// published alone.
#[test]
fn publish_refuses_removal_without_the_signed_seal() {
    let place = made();
    place.key("bob");
    place.ok("trust key add acme bob.pub");
    publish(&place, "--key acme --key bob");
    place.ok("trust renew acme");
    place.ok("trust sign --key bob");
    place.ok(&format!("trust publish {ONLINE}"));
    place.ok("sign oci:lay:1 --key acme --name acme/tool:1");
    place.ok("trust publisher rotate acme --remove acme.pub --seal acme/tool:1=oci:lay:1");
    place.ok(&format!("trust sign {TARGETS}"));
    place.run(&format!("trust publish {ONLINE}")).is(5).says("acme: 0 of 1 required signatures");
    let ran = place.run(&format!("trust publish --ready {ONLINE}")).is(0);
    ran.says("acme stays staged").says("targets stays staged");
    place.verify_is(0, &ask("oci:lay:1", "acme/tool:1"));
    // The key that goes cannot sign the seal, and the seal cannot be given up alone.
    place.run("trust sign --key acme").is(2);
    place.run("trust discard acme").is(2).says("the seals that are staged of it").says("trust discard acme targets");
    place.ok("trust sign --key bob");
    place.ok(&format!("trust publish {ONLINE}"));
    let verdict = place.verify_is(0, &ask("oci:lay:1", "acme/tool:1"));
    assert_eq!(verdict.json["results"][0]["accepted_by"], "seal");
}

#[test]
fn both_sides_of_a_rotation_are_given_up_together() {
    let place = made();
    place.key("next");
    place.ok("sign oci:lay:1 --key acme --name acme/tool:1");
    place.ok(&format!("{ROTATE} --seal acme/tool:1=oci:lay:1"));
    place.run("trust discard acme").is(2);
    place.ok("trust discard acme targets");
    place.run(&format!("trust publish {ONLINE}")).is(0).says("nothing is staged");
    place.verify_is(0, &ask("oci:lay:1", "acme/tool:1"));
}

/// Whoever has had its key may have listed artifacts of others.
#[test]
fn revocations_that_move_to_the_delegator_are_told() {
    let place = made();
    let manifest = digest(&place.ok("resolve oci:lay:1")).to_owned();
    place.ok("trust revoke oci:lay:1 --reason leaked --role acme");
    publish(&place, "--key acme");
    for change in ["publisher remove acme", "undelegate acme", "redelegate acme --path acme/x/* --terminating"] {
        let document = place.json(&format!("trust {change} --dry-run"), 0);
        let moved = document["results"][0]["revocations_moved"].as_array().unwrap();
        assert_eq!(moved.len(), 2, "both digests: {change}");
        let of_manifest = serde_json::json!({"to": "targets", "digest": manifest, "reason": "leaked"});
        assert!(moved.contains(&of_manifest), "{change}: {moved:?}");
        let ran = place.run(&format!("trust {change} --dry-run")).is(0);
        let ran = ran.says(&format!("revocation that moves to targets: {manifest}: leaked"));
        ran.says("they hold for all names of targets from then on").says("may have been planted there");
    }
    // What the delegator has revoked itself does not move.
    place.ok("trust revoke oci:lay:1 --reason leaked");
    let document = place.json("trust undelegate acme", 0);
    assert_eq!(document["results"][0]["revocations_moved"], serde_json::json!([]));
}

/// Between two locks somebody else could give up the seals, and the end of the key that they are for would be staged alone. While the seals are
/// written, what is locked is taken away: whoever locks again fails.
#[cfg(unix)]
#[test]
fn a_rotation_is_staged_under_one_lock() {
    let place = made();
    place.key("next");
    place.ok("sign oci:lay:1 --key acme --name acme/tool:1");
    let line = format!("{ROTATE} --seal acme/tool:1=oci:lay:1");
    let steps = crate::interrupted::boundaries(&place, &line);
    place.ok("trust discard acme targets");
    let at = |file: &str| steps.iter().position(|step| step.contains(" Rename ") && step.ends_with(file)).unwrap() + 1;
    assert!(at("staged/acme.json") < at("staged/targets.json"), "{steps:?}");
    let plan = format!("{}:mv trust/.touchmark.lock locked && mkdir trust/.touchmark.lock", at("staged/acme.json"));
    let ran = place.touchmark(&line).env("TOUCHMARK_FAILPOINT_RUN", plan).output().unwrap();
    assert_eq!(crate::harness::Ran::of(&line, ran).is(0).stdout.trim(), "acme\ntargets");
    assert!(place.path("locked").is_file());
    place.run("trust discard acme").is(4);
    std::fs::remove_dir(place.path("trust/.touchmark.lock")).unwrap();
    place.run("trust discard acme").is(2).says("the seals that are staged of it");
    publish(&place, "--key next");
    place.verify_is(0, &ask("oci:lay:1", "acme/tool:1"));
}

#[test]
fn a_publisher_is_shown_whole() {
    let place = made();
    place.key("edge");
    place.ok("sign oci:lay:1 --key acme --name acme/tool:1");
    place.ok("trust seal acme/tool:1 oci:lay:1");
    place.ok("trust name set acme/tool:stable oci:lay:1");
    place.ok("trust publisher add acme+edge --key edge.pub --names acme/edge/** --from acme");
    place.pack("oci:lay:2", "two");
    place.ok("trust revoke oci:lay:2 --reason leaked --role acme");
    let shown = place.json("trust publisher show acme", 0);
    let shown = &shown["results"][0];
    assert_eq!((&shown["role"], &shown["threshold"], &shown["envelopes"]), (&"acme".into(), &1.into(), &true.into()));
    assert_eq!(
        (&shown["published"]["version"], &shown["staged"]["version"], &shown["staged"]["missing"]),
        (&1.into(), &2.into(), &1.into())
    );
    assert_eq!(shown["below"], serde_json::json!(["acme+edge"]));
    let states: Vec<_> = shown["listed"].as_array().unwrap().iter().map(|one| one["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["set", "sealed"]);
    assert_eq!(shown["revoked"].as_array().unwrap().len(), 2);
    let text = place.ok("trust publisher show acme");
    for words in ["1 of 1 keys must sign", "1 signatures missing", "publisher below: acme+edge", "acme/tool:1 sealed sha256:", ": leaked"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    place.run("trust publisher show nobody").is(2);
}
