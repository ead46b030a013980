//! Several people publish one trust repository to one place, each from a folder of their own.

use std::process::Stdio;
use std::sync::Arc;

use touchmark_test_registry::{Action, Fault, Settings, TestRegistry, When};

use crate::harness::{Place, Ran};
use crate::trust::ONLINE;
use crate::trust_names::{TARGETS, copy_folder, made, publish, refused};

/// A repository with the publishers acme and globex, which is published to a registry; and the folders `a` and `b` that were pulled from it.
fn two_publishers() -> (Place, String, Arc<TestRegistry>) {
    let place = made();
    place.key("globex");
    place.ok("trust publisher add globex --key globex.pub --names globex/**");
    publish(&place, "--key globex");
    let registry = place.registry(Settings::default());
    let to = format!("{}/acme/trust:latest", registry.host());
    place.ok(&format!("trust publish --renew {ONLINE} --to {to}"));
    std::fs::copy(place.path("trust/metadata/1.root.json"), place.path("root.json")).unwrap();
    for folder in ["a", "b"] {
        let pulled = place.ok(&format!("trust --dir {folder} pull {to} --root root.json"));
        assert_eq!(pulled, "root 1\ntimestamp 3");
    }
    (place, to, registry)
}

/// The digest that a tag leads to.
fn tag(registry: &TestRegistry, tag: &str) -> String {
    registry.tags("acme/trust").into_iter().find(|(name, _)| name == tag).unwrap().1
}

fn ask(to: &str, name: &str) -> String {
    format!("oci:lay:1 --root root.json --trust {to} --store none --name {name}")
}

#[test]
fn what_is_published_comes_into_a_folder_in_which_it_can_be_changed() {
    let (place, to, _) = two_publishers();
    place.ok("trust --dir a name set acme/tool:1 oci:lay:1");
    place.ok("trust --dir a sign --key acme");
    let pin = place.ok(&format!("trust --dir a publish {ONLINE} --to {to}"));
    assert!(pin.contains("@sha256:"), "{pin}");
    place.verify_is(0, &ask(&to, "acme/tool:1"));
    // The others pull it; what they staged of other roles fits as it is.
    place.ok("trust --dir b name set globex/tool:1 oci:lay:1");
    place.ok("trust --dir b sign --key globex");
    let lost = place.run(&format!("trust --dir b publish {ONLINE} --to {to}")).is(4);
    lost.says("somebody else published").says(&format!("touchmark trust pull {to}, then publish again"));
    let pulled = place.json(&format!("trust --dir b pull {to}"), 0);
    assert_eq!((&pulled["results"][0]["timestamp"], &pulled["results"][0]["stale"]), (&4.into(), &serde_json::json!([])));
    place.ok(&format!("trust --dir b publish {ONLINE} --to {to}"));
    for name in ["acme/tool:1", "globex/tool:1"] {
        place.verify_is(0, &ask(&to, name));
    }
    // It is all there already.
    place.ok(&format!("trust --dir b publish {ONLINE} --to {to}"));
    place.run(&format!("trust --dir b pull {to}")).is(0).says("this was here already");
}

#[test]
fn what_both_have_changed_is_staged_anew_by_the_one_who_came_later() {
    let (place, to, _) = two_publishers();
    place.pack("oci:lay:2", "two");
    for (folder, tag) in [("a", "1"), ("b", "2")] {
        place.ok(&format!("trust --dir {folder} name set acme/tool:{tag} oci:lay:{tag}"));
        place.ok(&format!("trust --dir {folder} sign --key acme"));
    }
    place.ok(&format!("trust --dir a publish {ONLINE} --to {to}"));
    place.run(&format!("trust --dir b publish {ONLINE} --to {to}")).is(4);
    let before = std::fs::read_dir(place.path("b/metadata")).unwrap().count();
    assert_eq!(before, std::fs::read_dir(place.path("a/metadata")).unwrap().count() - 2, "nothing was published in b");
    place.run(&format!("trust --dir b pull {to}")).is(0).says("what is staged of acme was made for an earlier state");
    place.run(&format!("trust --dir b publish {ONLINE} --to {to}")).is(2).says("trust discard acme");
    place.ok("trust --dir b discard acme");
    place.ok("trust --dir b name set acme/tool:2 oci:lay:2");
    place.ok("trust --dir b sign --key acme");
    place.ok(&format!("trust --dir b publish {ONLINE} --to {to}"));
    for tag in ["1", "2"] {
        place.verify_is(0, &format!("oci:lay:{tag} --root root.json --trust {to} --store none --name acme/tool:{tag}"));
    }
}

/// Two processes at the same moment, again and again: of each two one at most succeeds, the others pull and publish again, and nothing that
/// anybody published is lost.
#[test]
fn of_two_who_publish_at_once_one_at_most_succeeds_and_nothing_is_lost() {
    let (place, to, _) = two_publishers();
    publish_at_once(&place, &to);
}

/// The same, with a tar, which is written as a whole.
#[test]
fn of_two_who_publish_to_one_tar_at_once_one_at_most_succeeds_and_nothing_is_lost() {
    let (place, _, _) = two_publishers();
    let to = "oci-archive:trust.tar:latest";
    place.ok(&format!("trust publish --renew {ONLINE} --to {to}"));
    publish_at_once(&place, to);
}

fn publish_at_once(place: &Place, to: &str) {
    let runs = std::env::var("TOUCHMARK_RACES").ok().map_or(4, |text| text.parse().expect("TOUCHMARK_RACES is a number"));
    let publishers = [("a", "acme"), ("b", "globex")];
    for run in 0..runs {
        for (folder, key) in publishers {
            place.ok(&format!("trust --dir {folder} pull {to}"));
            place.ok(&format!("trust --dir {folder} name set {key}/tool:{run} oci:lay:1"));
            place.ok(&format!("trust --dir {folder} sign --key {key}"));
        }
        let started: Vec<_> = publishers
            .iter()
            .map(|(folder, _)| {
                let line = format!("trust --dir {folder} publish {ONLINE} --to {to}");
                let mut command = place.touchmark(&line);
                (line, command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
            })
            .collect();
        let ran: Vec<Ran> = started.into_iter().map(|(line, child)| Ran::of(&line, child.wait_with_output().unwrap())).collect();
        let codes: Vec<i32> = ran.iter().map(|one| one.code).collect();
        assert!(codes.iter().all(|code| [0, 4].contains(code)) && codes != [0, 0], "{ran:#?}");
        for ((folder, _), code) in publishers.iter().zip(codes) {
            if code != 0 {
                place.ok(&format!("trust --dir {folder} pull {to}"));
                place.ok(&format!("trust --dir {folder} publish {ONLINE} --to {to}"));
            }
        }
        for (_, key) in publishers {
            place.verify_is(0, &ask(to, &format!("{key}/tool:{run}")));
        }
    }
}

/// The moving tag moves between the two looks at it.
#[test]
fn who_finds_the_tag_moved_gives_the_version_s_tag_back() {
    let (place, to, registry) = two_publishers();
    for (folder, key) in [("a", "acme"), ("b", "globex")] {
        place.ok(&format!("trust --dir {folder} name set {key}/tool:1 oci:lay:1"));
        place.ok(&format!("trust --dir {folder} sign --key {key}"));
    }
    let before = tag(&registry, "latest");
    place.ok(&format!("trust --dir a publish {ONLINE} --to {to}"));
    let won = tag(&registry, "latest");
    assert_eq!(tag(&registry, "latest-1.4"), won);
    // What b sees first is what a saw: the tag has not moved yet.
    registry.fault(Fault::new(Action::Manifest(before)).path("/manifests/latest").when(When::First(1)));
    place.run(&format!("trust --dir b publish {ONLINE} --to {to}")).is(4).says("the tag latest leads to");
    let overwritten = registry.log().iter().filter(|one| one.method == "PUT" && one.path.ends_with("/manifests/latest-1.4")).count();
    assert_eq!(overwritten, 3, "a's, b's and a's again");
    assert_eq!((tag(&registry, "latest"), tag(&registry, "latest-1.4")), (won.clone(), won));
    place.verify_is(0, &ask(&to, "acme/tool:1"));
}

/// A policy is a file that the repository lists: it comes along, is in force for who verifies by the folder, and can be replaced from there.
#[test]
fn the_repository_s_own_policy_is_pulled_with_it() {
    let (place, to, _) = two_publishers();
    place.ok("sign oci:lay:1 --key acme --name acme/tool:1");
    let policy = |accepted: &str| {
        let rule = serde_json::json!({"names": "acme/**", "trust": "self", "accepted_by": accepted});
        place.file("own.json", serde_json::json!({"version": 1, "rules": [rule]}).to_string());
    };
    policy("entry");
    place.ok("trust --dir a target add own.json --name _touchmark/policy.json");
    place.ok(&format!("trust --dir a sign {TARGETS}"));
    place.ok(&format!("trust --dir a publish {ONLINE} --to {to}"));
    place.ok(&format!("trust --dir b pull {to}"));
    place.ok(&format!("trust --dir new pull {to} --root root.json"));
    for folder in ["a", "b", "new"] {
        let file = std::fs::read_dir(place.path(&format!("{folder}/targets/_touchmark"))).unwrap().next().unwrap().unwrap().path();
        assert_eq!(std::fs::read(file).unwrap(), place.read("own.json"), "{folder}");
        refused(&place, 1, "accepted-by", &ask(&format!("./{folder}"), "acme/tool:1"));
    }
    policy("envelopes");
    place.ok("trust --dir new target add own.json --name _touchmark/policy.json");
    place.ok(&format!("trust --dir new sign {TARGETS}"));
    place.ok(&format!("trust --dir new publish {ONLINE} --to {to}"));
    place.verify_is(0, &ask(&to, "acme/tool:1"));
    // What is not what the repository lists is not taken.
    let targets = std::fs::read_dir(place.path("new/targets/_touchmark")).unwrap();
    targets.for_each(|file| std::fs::write(file.unwrap().path(), "other").unwrap());
    refused(&place, 6, "target-length", &ask("./new", "acme/tool:1"));
    let error = place.json("trust --dir other pull ./new --root root.json", 5);
    assert_eq!(error["results"][0]["error"]["code"], "not-as-listed");
    assert!(!place.path("other").exists());
}

#[test]
fn a_folder_that_is_made_by_a_pull_says_how_long_documents_live_in_it() {
    let (place, to, _) = two_publishers();
    let pulled = place.json(&format!("trust --dir new pull {to} --root root.json"), 0);
    let written: serde_json::Value = serde_json::from_slice(&place.read("new/settings.json")).unwrap();
    assert_eq!(pulled["results"][0]["lifetimes"], written["lifetimes"]);
    assert_eq!(written["lifetimes"]["timestamp"], 7 * 24 * 3600);
    place.run(&format!("trust --dir newer pull {to} --root root.json")).is(0).says("timestamp=7d").says("touchmark trust lifetime");
    // Those of a folder that was there are as they were.
    place.file("new/settings.json", String::from_utf8(place.read("new/settings.json")).unwrap().replace("604800", "604801"));
    let before = place.read("new/settings.json");
    let pulled = place.json(&format!("trust --dir new pull {to}"), 0);
    assert_eq!(pulled["results"][0]["lifetimes"], serde_json::Value::Null);
    assert_eq!(place.read("new/settings.json"), before);
}

#[test]
fn older_foreign_and_forked_repositories_are_not_pulled() {
    let (place, to, _) = two_publishers();
    copy_folder(&place, "trust/metadata", "old/metadata");
    place.ok("trust --dir a name set acme/tool:1 oci:lay:1");
    place.ok("trust --dir a sign --key acme");
    place.ok(&format!("trust --dir a publish {ONLINE} --to {to}"));
    // Older than what is here.
    let refused = place.json("trust --dir a pull ./old", 5);
    assert_eq!(refused["results"][0]["error"]["code"], "tuf-rollback");
    // A root that is not one of its.
    let stranger = crate::trust::made();
    std::fs::copy(stranger.path("trust/metadata/1.root.json"), place.path("foreign.json")).unwrap();
    let refused = place.json(&format!("trust --dir new pull {to} --root foreign.json"), 5);
    assert_eq!(refused["results"][0]["error"]["code"], "other-root");
    assert!(!place.path("new").exists());
    let refused = place.json(&format!("trust --dir new pull {to}"), 2);
    assert_eq!(refused["results"][0]["error"]["code"], "root-needed");
    // Another one's, into this folder.
    std::fs::rename(stranger.path("trust"), place.path("stranger")).unwrap();
    let refused = place.json("trust --dir a pull ./stranger", 5);
    assert_eq!(refused["results"][0]["error"]["code"], "forked");
    // Published here alone, while the others went on.
    place.ok("trust --dir b name set globex/tool:1 oci:lay:1");
    place.ok("trust --dir b sign --key globex");
    place.ok(&format!("trust --dir b publish {ONLINE}"));
    let refused = place.json(&format!("trust --dir b pull {to}"), 5);
    assert_eq!(refused["results"][0]["error"]["code"], "forked");
    place.run(&format!("trust --dir b publish --renew {ONLINE} --to {to}")).is(4).says("is not what is published here");
}

#[test]
fn a_role_that_its_delegator_s_keys_have_not_signed_is_not_pulled() {
    let (place, _, _) = two_publishers();
    for damage in ["1.acme.json", "1.globex.json"] {
        copy_folder(&place, "trust/metadata", "served/metadata");
        let text = String::from_utf8(place.read(&format!("served/metadata/{damage}"))).unwrap();
        place.file(&format!("served/metadata/{damage}"), text.replace("\"version\":1", "\"version\":1 "));
        place.run("trust --dir new pull ./served --root root.json").is(5);
        assert!(!place.path("new").exists());
    }
    copy_folder(&place, "trust/metadata", "served/metadata");
    place.ok("trust --dir new pull ./served --root root.json");
    place.ok("trust --dir new status");
}
