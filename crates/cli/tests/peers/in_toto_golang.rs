//! Supply chains by in-toto-golang, and ones made here before it: what all three verify, and what is refused, by all for one reason.

use serde_json::{Value, json};

use crate::harness::Place;
use crate::in_toto_peer::{Peers, Refused, Verdicts, any_file, change, listed, the_file};

const FORMS: [&str; 2] = ["dsse", "legacy"];

#[test]
fn a_chain_by_go_with_a_sublayout_and_keys_of_every_kind_is_verified_by_all() {
    for form in FORMS {
        let place = Place::new();
        let Some(mut peers) = Peers::start(&place) else { return };
        let keys = peers.made_by_go("go", form, json!({}));
        assert_eq!(peers.verify("go", &keys, ""), Verdicts::all(Ok(())), "{form}");
        let report = place.json("in-toto verify --layout go/root.layout --layout-key go/owner.pub --links go --products go/final", 0);
        let layouts = &report["results"][0]["report"]["layouts"];
        let counted: Vec<usize> =
            layouts[0]["steps"].as_array().unwrap().iter().map(|step| step["counted"].as_array().unwrap().len()).collect();
        assert_eq!(counted, [1, 2, 1]);
        assert_eq!(layouts[1]["steps"].as_array().unwrap().len(), 2);
    }
}

/// What is done to a chain in a folder, and why it is refused then.
struct Tampering {
    what: &'static str,
    does: fn(&Place, &str),
    reason: Refused,
}

const fn tampering(what: &'static str, does: fn(&Place, &str), reason: Refused) -> Tampering {
    Tampering { what, does, reason }
}

const TAMPERINGS: [Tampering; 6] = [
    tampering(
        "the product was changed",
        |place, folder| drop(place.file(&format!("{folder}/final/app.tar"), "something else")),
        Refused::Rules,
    ),
    tampering(
        "a file was added to the product",
        |place, folder| drop(place.file(&format!("{folder}/final/backdoor"), "x")),
        Refused::Rules,
    ),
    tampering(
        "a link is missing",
        |place, folder| std::fs::remove_file(place.path(&the_file(place, folder, "package.", ".link"))).unwrap(),
        Refused::Links,
    ),
    tampering(
        "a link was changed",
        |place, folder| change(place, &the_file(place, folder, "package.", ".link"), |text| text.replace("app.tar", "app.tgz")),
        Refused::Links,
    ),
    tampering(
        "what another signed for another step is in a link's place",
        |place, folder| {
            let other = place.read(&any_file(place, folder, "build.", ".link"));
            place.file(&the_file(place, folder, "package.", ".link"), other);
        },
        Refused::Links,
    ),
    tampering(
        "the layout was changed",
        // It says the same still.
        |place, folder| change(place, &format!("{folder}/root.layout"), |text| text.replacen("ALLOW", "allow", 1)),
        Refused::Signature,
    ),
];

#[test]
fn a_chain_by_go_that_is_tampered_with_is_refused_by_all_for_the_same_reason() {
    for form in FORMS {
        for Tampering { what, does, reason } in TAMPERINGS {
            let place = Place::new();
            let Some(mut peers) = Peers::start(&place) else { return };
            let keys = peers.made_by_go("go", form, json!({}));
            does(&place, "go");
            assert_eq!(peers.verify("go", &keys, ""), Verdicts::all(Err(reason)), "{form}: {what}");
        }
    }
}

#[test]
fn a_link_of_a_sublayout_by_go_that_was_changed_or_is_missing_is_refused_by_all_for_the_same_reason() {
    for form in FORMS {
        let place = Place::new();
        let Some(mut peers) = Peers::start(&place) else { return };
        let keys = peers.made_by_go("go", form, json!({}));
        let folder = the_file(&place, "go", "clone.", ".link").replace(".link", "");
        let link = the_file(&place, &folder, "patch.", ".link");
        change(&place, &link, |text| text.replace("patched", "hatched"));
        assert_eq!(peers.verify("go", &keys, ""), Verdicts::all(Err(Refused::Links)), "{form}: changed");
        std::fs::remove_file(place.path(&link)).unwrap();
        assert_eq!(peers.verify("go", &keys, ""), Verdicts::all(Err(Refused::Links)), "{form}: missing");
    }
}

#[test]
fn a_chain_by_go_that_never_held_is_refused_by_all_for_the_same_reason() {
    for form in FORMS {
        for (made, reason) in [
            (json!({"expires": "2020-01-01T00:00:00Z"}), Refused::Expired),
            (json!({"package_by": "tester"}), Refused::Links),
            (json!({"between": "a backdoor"}), Refused::Rules),
        ] {
            let place = Place::new();
            let Some(mut peers) = Peers::start(&place) else { return };
            let keys = peers.made_by_go("go", form, made.clone());
            assert_eq!(peers.verify("go", &keys, ""), Verdicts::all(Err(reason)), "{form}: {made}");
        }
    }
}

/// Its canonical JSON has the line ends of PEM as they are, so that what it puts into an envelope is no JSON.
#[test]
fn a_dsse_layout_with_keys_in_pem_as_go_s_own_function_writes_it_is_read_by_nobody() {
    let place = Place::new();
    let Some(mut peers) = Peers::start(&place) else { return };
    let keys = peers.made_by_go("go", "dsse-by-library", json!({}));
    assert_eq!(peers.verify("go", &keys, ""), Verdicts::all(Err(Refused::Unreadable)));
}

/// Bob builds, carol packs, here; gives the owner's key as the others take it. `members` are added to each key that the layout lists.
fn made_here(place: &Place, envelope: &str, members: &str) -> Value {
    for (name, kind) in [("owner", "ed25519"), ("bob", "ed25519"), ("carol", "ecdsa-p256")] {
        place.ok(&format!("key generate --type {kind} --no-passphrase --quiet --out {name}"));
    }
    place.file("src/main.c", "x");
    for folder in ["out", "ours", "ours/final"] {
        std::fs::create_dir(place.path(folder)).unwrap();
    }
    std::fs::copy(place.path("owner.pub"), place.path("ours/owner.pub")).unwrap();
    place.ok("in-toto new --functionary bob.pub --functionary carol.pub --out template");
    let text = String::from_utf8(place.read("template")).unwrap();
    place.file("one", text.replace("\"threshold\": 2", "\"threshold\": 1").replace("\"keytype\":", &format!("{members}\"keytype\":")));
    place.ok(&format!("in-toto sign one --key owner --envelope {envelope} --out ours/root.layout --quiet"));
    let run = |line: &str| place.ok(&format!("in-toto run --envelope {envelope} --out-dir ours --quiet {line}"));
    run("--step build --key bob --materials src --products src --products out -- cp src/main.c out/app");
    run("--step package --key carol --materials out --products out --products app.tar -- tar cf app.tar out/app");
    std::fs::rename(place.path("app.tar"), place.path("ours/final/app.tar")).unwrap();
    let (id, key) = listed(place, "owner.pub");
    json!({ id: key })
}

/// The members that a KEY object of Go has and one of python's, or of ours, has not.
const GO_S: &str = "\"keyid_hash_algorithms\":[\"sha256\",\"sha512\"],";

#[test]
fn a_chain_that_was_made_here_is_verified_by_all() {
    for (envelope, members) in [("dsse", ""), ("dsse", GO_S), ("legacy", GO_S)] {
        let place = Place::new();
        let Some(mut peers) = Peers::start(&place) else { return };
        let keys = made_here(&place, envelope, members);
        assert_eq!(peers.verify("ours", &keys, ""), Verdicts::all(Ok(())), "{envelope} {members}");
    }
}

/// Go checks the older form on what it wrote again of what it understood, and there it adds a member to such keys.
#[test]
fn a_legacy_layout_with_keys_as_python_lists_them_is_verified_by_all_but_go() {
    let place = Place::new();
    let Some(mut peers) = Peers::start(&place) else { return };
    let keys = made_here(&place, "legacy", "");
    assert_eq!(peers.verify("ours", &keys, ""), Verdicts { go: Err(Refused::Signature), ..Verdicts::all(Ok(())) });
}

#[test]
fn a_chain_that_was_made_here_and_is_tampered_with_is_refused_by_all_for_the_same_reason() {
    for envelope in FORMS {
        for Tampering { what, does, reason } in TAMPERINGS {
            let place = Place::new();
            let Some(mut peers) = Peers::start(&place) else { return };
            let keys = made_here(&place, envelope, GO_S);
            does(&place, "ours");
            assert_eq!(peers.verify("ours", &keys, ""), Verdicts::all(Err(reason)), "{envelope}: {what}");
        }
    }
}
