//! What whoever serves artifacts or metadata might try with names that publishers own, each beside what is honest, for names with an entry and for
//! names by envelope alone. Both verifiers give each verdict, with its exit code and its reason.

use crate::harness::Place;
use crate::trust_names::{ask, copy_folder, made, publish, refused};

/// How a name is vouched for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Entry,
    Envelopes,
}

const WAYS: [By; 2] = [By::Entry, By::Envelopes];

/// Where the metadata of these tests is served from.
const SERVED: &str = "--root trust/metadata/1.root.json --trust ./served";

impl By {
    /// Vouches for an artifact under a name, by the key `acme`.
    fn vouch(self, place: &Place, name: &str, reference: &str) {
        match self {
            Self::Entry => {
                place.ok(&format!("trust name set {name} {reference} --replace"));
                publish(place, "--key acme");
            }
            Self::Envelopes => {
                place.ok(&format!("sign {reference} --key acme --name {name}"));
            }
        }
    }

    /// How what is not vouched for is refused: by the entry, or since nobody signed it.
    fn refusal(self) -> (i32, &'static str) {
        match self {
            Self::Entry => (1, "entry"),
            Self::Envelopes => (1, "threshold"),
        }
    }
}

/// Serves the metadata as it is published now, or as it was kept in a folder.
fn serve(place: &Place, folder: &str) {
    copy_folder(place, folder, "served");
}

/// A second publisher, beta, with its key.
fn with_beta(place: &Place) {
    place.key("beta");
    place.ok("trust publisher add beta --key beta.pub --names beta/**");
    publish(place, "--key beta");
}

#[test]
fn tag_moved_to_another_signed_artifact() {
    for by in WAYS {
        let place = made();
        place.pack("oci:lay:2", "two");
        by.vouch(&place, "acme/tool:1", "oci:lay:1");
        by.vouch(&place, "acme/other:1", "oci:lay:2");
        let (code, why) = by.refusal();
        place.verify_is(0, &ask("oci:lay:1", "acme/tool:1"));
        place.verify_is(0, &ask("oci:lay:2", "acme/other:1"));
        // Whoever controls the registry points the tag elsewhere: at another good artifact of the same publisher.
        place.ok("copy oci:lay:2 oci:moved:1");
        // Without an envelope beside it the other is unsigned where none is looked at.
        refused(&place, code, why, &ask("oci:moved:1", "acme/tool:1"));
        place.verify_is(0, &ask("oci:moved:1", "acme/other:1"));
    }
}

#[test]
fn older_version_of_a_channel() {
    let place = made();
    place.pack("oci:lay:2", "two");
    for (tag, version) in [("1", "1.0"), ("2", "2.0")] {
        for name in [format!("acme/tool:{version}"), "acme/tool:stable".to_owned()] {
            place.ok(&format!("sign oci:lay:{tag} --key acme --name {name}"));
        }
    }
    // By envelopes alone the older one is accepted as well, and the report says that it may be.
    for tag in ["1", "2"] {
        let verdict = place.verify_is(0, &ask(&format!("oci:lay:{tag}"), "acme/tool:stable"));
        let result = &verdict.json["results"][0];
        assert_eq!((&result["accepted_by"], &result["rollback_protected"]), (&"envelopes".into(), &false.into()));
    }
    // A policy may take nothing but an entry.
    place.file(
        "policy.json",
        r#"{"version":1,"trust":{"ours":{"root":"trust/metadata/1.root.json","source":"trust","store":"none"}},
            "rules":[{"names":"acme/tool:stable","trust":"ours","accepted_by":"entry"}]}"#,
    );
    let by_policy = |tag: &str| format!("oci:lay:{tag} --policy policy.json --name acme/tool:stable");
    for tag in ["1", "2"] {
        place.verify_is(1, &by_policy(tag));
    }
    place.ok("trust name set acme/tool:stable oci:lay:1");
    publish(&place, "--key acme");
    refused(&place, 1, "entry", &ask("oci:lay:2", "acme/tool:stable"));
    place.verify_is(0, &by_policy("1"));
    refused(&place, 1, "entry", &by_policy("2"));
    place.ok("trust name set acme/tool:stable oci:lay:2 --replace");
    publish(&place, "--key acme");
    refused(&place, 1, "entry", &ask("oci:lay:1", "acme/tool:stable"));
    let verdict = place.verify_is(0, &ask("oci:lay:2", "acme/tool:stable"));
    let result = &verdict.json["results"][0];
    assert_eq!((&result["accepted_by"], &result["rollback_protected"]), (&"entry".into(), &true.into()));
    // Its own version is no channel, and stays what it is.
    place.verify_is(0, &ask("oci:lay:1", "acme/tool:1.0"));
    refused(&place, 1, "threshold", &ask("oci:lay:1", "acme/tool:2.0"));
}

/// Two states of one repository: in the older one `oci:lay:1` is accepted as acme/tool:stable, in the newer one `oci:lay:2`.
fn two_states(by: By) -> Place {
    let place = made();
    place.pack("oci:lay:2", "two");
    place.key("next");
    by.vouch(&place, "acme/tool:stable", "oci:lay:1");
    copy_folder(&place, "trust/metadata", "older");
    match by {
        By::Entry => by.vouch(&place, "acme/tool:stable", "oci:lay:2"),
        By::Envelopes => {
            // The key is exchanged, and what it signed is not sealed.
            place.ok("trust publisher rotate acme --remove acme.pub --add next.pub --seal-nothing");
            publish(&place, "--key next");
            place.ok("sign oci:lay:2 --key next --name acme/tool:stable");
        }
    }
    copy_folder(&place, "trust/metadata", "newer");
    place
}

#[test]
fn older_trust_metadata_across_runs() {
    for by in WAYS {
        let place = two_states(by);
        let ask = |tag: &str| format!("oci:lay:{tag} {SERVED} --name acme/tool:stable");
        let (code, why) = by.refusal();
        serve(&place, "older");
        place.verify_is(0, &ask("1"));
        serve(&place, "newer");
        refused(&place, code, why, &ask("1"));
        place.verify_is(0, &ask("2"));
        serve(&place, "older");
        for tag in ["1", "2"] {
            refused(&place, 5, "tuf-rollback", &ask(tag));
        }
        // What was refused leaves no trace.
        serve(&place, "newer");
        place.verify_is(0, &ask("2"));
    }
}

#[test]
fn older_trust_metadata_across_machines_given_one_store() {
    for by in WAYS {
        let place = two_states(by);
        let ask = |store: &str| format!("oci:lay:1 {SERVED} --name acme/tool:stable --store {store}");
        let (code, why) = by.refusal();
        serve(&place, "newer");
        // One machine's store, which it makes by itself, is taken to another.
        refused(&place, code, why, &format!("oci:lay:1 {SERVED} --name acme/tool:stable"));
        let stores = place.path(".local/share/touchmark/trust/stores");
        let store = std::fs::read_dir(&stores).unwrap().next().unwrap().unwrap().path();
        for folder in ["metadata", "roots"] {
            for file in std::fs::read_dir(store.join(folder)).unwrap() {
                let file = file.unwrap();
                place.file(&format!("carried/{folder}/{}", file.file_name().to_str().unwrap()), std::fs::read(file.path()).unwrap());
            }
        }
        place.file("carried/updated", std::fs::read(store.join("updated")).unwrap());
        std::fs::remove_dir_all(place.path(".local")).unwrap();
        serve(&place, "older");
        refused(&place, 5, "tuf-rollback", &ask("carried"));
        // A machine without it cannot know, and says so.
        let verdict = place.verify_is(0, &ask("none"));
        assert!(verdict.stderr.contains("no rollback history"), "{}", verdict.stderr);
    }
}

/// The clock's time, so many days later or earlier, as an option.
fn at(days: i64) -> String {
    let now = touchmark::now().unwrap();
    format!("--at {}", touchmark::envelope::UnixTime::from_seconds(now.seconds() + days * 86_400).unwrap())
}

#[test]
fn withheld_updates_past_expiry() {
    for by in WAYS {
        // A store that has seen it does not outlive it, whether the source answers or not.
        let place = made();
        by.vouch(&place, "acme/tool:1", "oci:lay:1");
        serve(&place, "trust/metadata");
        let ask = format!("oci:lay:1 {SERVED} --name acme/tool:1");
        place.verify_is(0, &ask);
        let later = at(8);
        refused(&place, 5, "tuf-expired", &format!("{ask} {later}"));
        std::fs::remove_dir_all(place.path("served")).unwrap();
        place.verify_is(0, &ask);
        refused(&place, 5, "tuf-expired", &format!("{ask} {later}"));
    }
}

#[test]
fn metadata_of_two_publishers_mixed() {
    for by in WAYS {
        let place = made();
        with_beta(&place);
        copy_folder(&place, "trust/metadata", "older");
        place.pack("oci:lay:2", "two");
        by.vouch(&place, "acme/tool:1", "oci:lay:1");
        // Whatever way it is, acme's document has a second version.
        place.ok("trust name set acme/beside:1 oci:lay:1");
        place.ok("trust name set beta/tool:1 oci:lay:2");
        publish(&place, "--key acme --key beta");
        copy_folder(&place, "trust/metadata", "newer");
        let ask = |tag: &str, name: &str| format!("oci:lay:{tag} {SERVED} --store none --name {name}");
        serve(&place, "newer");
        place.verify_is(0, &ask("1", "acme/tool:1"));
        place.verify_is(0, &ask("2", "beta/tool:1"));
        let newest = |role: &str| -> String {
            let is = |name: &String| name.ends_with(&format!(".{role}.json"));
            let names = std::fs::read_dir(place.path("newer")).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
            names.filter(is).max_by_key(|name| name.split('.').next().unwrap().parse::<u64>().unwrap()).unwrap()
        };
        let (acme, beta, snapshot) = (newest("acme"), newest("beta"), newest("snapshot"));
        // The one's document in the place of the other's; an older one of the same publisher; an older snapshot.
        for (from, to, name) in [
            (format!("newer/{beta}"), &acme, "acme/tool:1"),
            (format!("newer/{acme}"), &beta, "beta/tool:1"),
            ("older/1.acme.json".to_owned(), &acme, "acme/tool:1"),
            ("older/2.snapshot.json".to_owned(), &snapshot, "acme/tool:1"),
        ] {
            serve(&place, "newer");
            place.file(&format!("served/{to}"), place.read(&from));
            let tag = if name.starts_with("acme") { "1" } else { "2" };
            let verdict = place.verify_is(5, &ask(tag, name));
            let code = verdict.json["results"][0]["error"]["code"].as_str().unwrap();
            assert!(["tuf-digest", "tuf-length"].contains(&code), "{from} as {to}: {:#}", verdict.json);
        }
        // The other publisher is not touched by it.
        serve(&place, "newer");
        place.file(&format!("served/{acme}"), place.read(&format!("newer/{beta}")));
        place.verify_is(0, &ask("2", "beta/tool:1"));
        // Nor does what the one vouches for count under the other's names.
        serve(&place, "newer");
        place.ok("sign oci:lay:2 --key beta --name acme/tool:2");
        refused(&place, 1, "threshold", &ask("2", "acme/tool:2"));
    }
}

#[test]
fn withheld_role_is_not_empty() {
    let place = made();
    place.ok("sign oci:lay:1 --key acme --name acme/tool:1");
    place.ok("trust revoke oci:lay:1 --reason leaked --role acme");
    publish(&place, "--key acme");
    let ask = format!("oci:lay:1 {SERVED} --store none --name acme/tool:1");
    serve(&place, "trust/metadata");
    refused(&place, 1, "revoked", &ask);
    std::fs::remove_file(place.path("served/2.acme.json")).unwrap();
    refused(&place, 4, "tuf-missing", &ask);
}

/// An index of `oci:lay:1` and `oci:lay:2` under the tag `all`, which acme vouches for as acme/all:1.
fn with_index(by: By) -> Place {
    let place = made();
    place.pack("oci:lay:2", "two");
    place.pack("oci:lay:3", "three");
    place.ok("index oci:lay:1 oci:lay:2 --to oci:lay:all --platform linux/amd64 --platform linux/arm64");
    by.vouch(&place, "acme/all:1", "oci:lay:all");
    place
}

#[test]
fn index_entry_child_substitution() {
    for by in WAYS {
        let place = with_index(by);
        let covered = |tag: &str, index: &str| ask(&format!("oci:lay:{tag} --covered-by oci:lay:{index}"), "acme/all:1");
        place.verify_is(0, &covered("1", "all"));
        refused(&place, 1, "not-covered", &covered("3", "all"));
        // An index that lists the signed one's child beside another artifact is another index.
        place.ok("index oci:lay:1 oci:lay:3 --to oci:lay:evil --platform linux/amd64 --platform linux/arm64");
        let verdict = place.verify(&covered("1", "evil"));
        let code = verdict.json["results"][0]["error"]["code"].clone();
        assert_eq!((verdict.code, code), if by == By::Entry { (1, "entry".into()) } else { (3, "unsigned".into()) });
        // A child alone is not what was vouched for.
        let verdict = place.verify(&ask("oci:lay:1", "acme/all:1"));
        assert_eq!(verdict.code, if by == By::Entry { 1 } else { 3 });
    }
}

#[test]
fn revoked_child_of_signed_index() {
    for by in WAYS {
        let place = with_index(by);
        place.ok("trust revoke oci:lay:2 --reason leaked --role acme");
        publish(&place, "--key acme");
        refused(&place, 1, "revoked", &ask("oci:lay:2 --covered-by oci:lay:all", "acme/all:1"));
    }
}

#[test]
fn index_with_a_revoked_child() {
    for by in WAYS {
        let place = with_index(by);
        place.verify_is(0, &ask("oci:lay:all", "acme/all:1"));
        place.ok("trust revoke oci:lay:2 --reason leaked --role acme");
        publish(&place, "--key acme");
        refused(&place, 1, "revoked", &ask("oci:lay:all", "acme/all:1"));
        // Nor is its other child accepted through it.
        refused(&place, 1, "revoked", &ask("oci:lay:1 --covered-by oci:lay:all", "acme/all:1"));
    }
}

#[test]
fn undelegating_keeps_revocations() {
    let place = made();
    place.pack("oci:lay:2", "two");
    place.ok("trust name set acme/tool:1 oci:lay:2");
    place.ok("trust name remove acme/tool:1");
    place.ok("trust revoke oci:lay:1 --reason leaked --role acme");
    publish(&place, "--key acme");
    place.ok("trust publisher remove acme");
    publish(&place, "");
    // Whoever gets the names next, with the same key, revives neither.
    place.ok("trust publisher add acme --key acme.pub --names acme/**");
    publish(&place, "--key acme");
    for (tag, name) in [("1", "acme/new:1"), ("2", "acme/tool:1")] {
        place.ok(&format!("sign oci:lay:{tag} --key acme --name {name}"));
    }
    let verdict = place.verify_is(1, &ask("oci:lay:1", "acme/new:1"));
    assert_eq!(verdict.json["results"][0]["error"]["code"], "revoked");
    assert!(verdict.stderr.contains("leaked"), "{}", verdict.stderr);
    refused(&place, 1, "entry", &ask("oci:lay:2", "acme/tool:1"));
}

/// A publisher is taken away and made anew, and what was published has not changed yet.
#[test]
fn a_publisher_that_is_made_anew_forgets_nothing_before_its_delegator_is_published() {
    let place = made();
    place.pack("oci:lay:2", "two");
    place.pack("oci:lay:3", "three");
    place.ok("trust name set acme/tool:1 oci:lay:2");
    place.ok("trust name set acme/tool:3 oci:lay:3");
    place.ok("trust name remove acme/tool:1");
    place.ok("trust revoke oci:lay:1 --reason leaked --role acme");
    publish(&place, "--key acme");
    for (tag, name) in [("1", "acme/new:1"), ("2", "acme/tool:1"), ("2", "acme/tool:3")] {
        place.ok(&format!("sign oci:lay:{tag} --key acme --name {name}"));
    }
    let all_refused = || {
        refused(&place, 1, "revoked", &ask("oci:lay:1", "acme/new:1"));
        refused(&place, 1, "entry", &ask("oci:lay:2", "acme/tool:1"));
    };
    place.ok("trust publisher remove acme");
    place.ok("trust publisher add acme --key acme.pub --names acme/**");
    place.ok("trust sign --key acme");
    place.ok(&format!("trust publish --ready {}", crate::trust::ONLINE));
    all_refused();
    refused(&place, 1, "entry", &ask("oci:lay:2", "acme/tool:3"));
    // The end of the old one is given up, and what was made anew is not.
    place.ok("trust discard targets");
    place.ok(&format!("trust publish {}", crate::trust::ONLINE));
    all_refused();
}

#[test]
fn plain_undelegating_keeps_revocations_also_of_roles_below() {
    let place = made();
    for tag in ["2", "3"] {
        place.pack(&format!("oci:lay:{tag}"), tag);
    }
    place.key("edge");
    place.key("beta");
    place.ok("trust publisher add acme+edge --from acme --key edge.pub --names acme/edge/**");
    place.ok("trust publisher add beta --key beta.pub --names acme/**");
    publish(&place, "--key acme --key edge --key beta");
    place.ok("trust name set acme/edge/tool:1 oci:lay:2");
    place.ok("trust name remove acme/edge/tool:1");
    place.ok("trust revoke oci:lay:1 --reason leaked --role acme+edge");
    place.ok("trust revoke oci:lay:3 --reason stolen --role acme");
    publish(&place, "--key acme --key edge");
    place.ok("trust undelegate acme");
    publish(&place, "");
    let asked = [("1", "acme/edge/new:1", "revoked"), ("2", "acme/edge/tool:1", "entry"), ("3", "acme/new:1", "revoked")];
    for (tag, name, why) in asked {
        place.ok(&format!("sign oci:lay:{tag} --key beta --name {name}"));
        refused(&place, 1, why, &ask(&format!("oci:lay:{tag}"), name));
    }
    place.ok("sign oci:lay:2 --key beta --name acme/fine:1");
    place.verify_is(0, &ask("oci:lay:2", "acme/fine:1"));
}

#[test]
fn a_publisher_made_anew_for_entries_only_is_not_believed_by_signature() {
    let place = made();
    place.ok("sign oci:lay:1 --key acme --name acme/new:1");
    place.verify_is(0, &ask("oci:lay:1", "acme/new:1"));
    place.ok("trust undelegate acme");
    publish(&place, "");
    place.ok("trust publisher add acme --key acme.pub --names acme/** --entries-only");
    publish(&place, "--key acme");
    refused(&place, 1, "no-signers", &ask("oci:lay:1", "acme/new:1"));
}

/// What a publisher has withdrawn that was never its own, or is another's by an entry above it, is nobody's loss.
#[test]
fn a_publisher_that_goes_withdraws_no_names_of_others() {
    let place = made();
    with_beta(&place);
    place.pack("oci:lay:2", "two");
    place.ok("trust name set acme/tool:1 oci:lay:1");
    place.ok("trust name remove acme/tool:1");
    publish(&place, "--key acme");
    // By hand, since no command lists what no search would find.
    let mut document: serde_json::Value = serde_json::from_slice(&place.read("trust/metadata/2.acme.json")).unwrap();
    let withdrawn = document["signed"]["targets"]["acme/tool:1"].clone();
    document["signed"]["targets"]["beta/tool:1"] = withdrawn;
    document["signed"]["version"] = serde_json::json!(3);
    document["signatures"] = serde_json::json!([]);
    place.file("trust/staged/acme.json", document.to_string());
    publish(&place, "--key acme");
    place.ok("sign oci:lay:2 --key beta --name beta/tool:1");
    place.verify_is(0, &ask("oci:lay:2", "beta/tool:1"));
    place.ok("trust publisher remove acme");
    publish(&place, "");
    place.verify_is(0, &ask("oci:lay:2", "beta/tool:1"));
}

/// A publisher keeps some of its names, and who owns the others next has the same of them as if all had gone.
#[test]
fn redelegating_to_fewer_names_keeps_what_was_refused_of_the_others() {
    let place = made();
    for tag in ["2", "3"] {
        place.pack(&format!("oci:lay:{tag}"), tag);
    }
    place.key("edge");
    place.ok("trust publisher add acme+edge --from acme --key edge.pub --names acme/edge/**");
    publish(&place, "--key acme --key edge");
    let withdrawn = ["acme/tool:1", "acme/kept/tool:1", "acme/edge/tool:1"];
    for name in withdrawn {
        place.ok(&format!("trust name set {name} oci:lay:2"));
        place.ok(&format!("trust name remove {name}"));
    }
    place.ok("trust revoke oci:lay:1 --reason leaked --role acme");
    place.ok("trust revoke oci:lay:3 --reason stolen --role acme+edge");
    publish(&place, "--key acme --key edge");
    place.key("beta");
    // Delegator and all in one document, so that there is no moment at which the names are free.
    assert_eq!(place.ok("trust redelegate acme --path acme/kept/** --terminating"), "targets");
    publish(&place, "");
    place.ok("trust publisher add beta --key beta.pub --names acme/**");
    publish(&place, "--key beta");
    let asked =
        [("1", "acme/new:1", "revoked"), ("3", "acme/new:1", "revoked"), ("2", "acme/tool:1", "entry"), ("2", "acme/edge/tool:1", "entry")];
    for (tag, name, why) in asked {
        place.ok(&format!("sign oci:lay:{tag} --key beta --name {name}"));
        refused(&place, 1, why, &ask(&format!("oci:lay:{tag}"), name));
    }
    place.ok("sign oci:lay:2 --key beta --name acme/fine:1");
    place.verify_is(0, &ask("oci:lay:2", "acme/fine:1"));
    // What it kept is its own, to be withdrawn and given back.
    place.ok("sign oci:lay:2 --key acme --name acme/kept/tool:1");
    refused(&place, 1, "entry", &ask("oci:lay:2", "acme/kept/tool:1"));
    place.ok("trust name remove acme/kept/tool:1 --forget");
    publish(&place, "--key acme");
    place.verify_is(0, &ask("oci:lay:2", "acme/kept/tool:1"));
}

/// Of a role below that loses no names nothing moves; nor of one that gets more.
#[test]
fn redelegating_moves_nothing_of_roles_that_lose_no_names() {
    let place = made();
    place.key("edge");
    place.ok("trust publisher add acme+edge --from acme --key edge.pub --names acme/edge/**");
    place.ok("trust revoke oci:lay:1 --reason leaked --role acme+edge");
    publish(&place, "--key acme --key edge");
    for paths in ["--path acme/** --path more/**", "--path acme/edge/**"] {
        let document = place.json(&format!("trust redelegate acme {paths} --terminating"), 0);
        assert_eq!(document["results"][0]["revocations_moved"], serde_json::json!([]), "{paths}");
    }
    publish(&place, "");
    let document: serde_json::Value = serde_json::from_slice(&place.read("trust/metadata/3.targets.json")).unwrap();
    assert_eq!(document["signed"]["x-touchmark"]["revoked"], serde_json::Value::Null);
}
