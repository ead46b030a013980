//! Links as referrers of an artifact, to which everybody may add: `touchmark in-toto attach` and `verify --links REF`.

use serde_json::{Value, json};
use touchmark_test_registry::Settings;

use crate::harness::{Place, digest};
use crate::in_toto::{AT, Chain, Form, Key, file, inspection, layout, link, rules, sign, step};

/// A chain whose last step made the artifact at `place`, with its links in `links` and its layout in `root.layout`.
pub fn chain(form: Form, place: &str) -> (Chain, String) {
    let mut chain = Chain::new(form);
    let pin = chain.place.pack(place, "first");
    made(&mut chain, &pin);
    (chain, pin)
}

/// Says that carol's step made the artifact of this pin.
pub fn made(chain: &mut Chain, pin: &str) {
    let hex = digest(pin).strip_prefix("sha256:").unwrap().to_owned();
    let mut packed = link("pack", &["app"], &["app"]);
    packed["products"][format!("blobs/sha256/{hex}")] = json!({"sha256": hex});
    chain.link("links", &packed, "carol");
    chain.layout["steps"][1]["expected_products"] = rules(&["CREATE blobs/*", "ALLOW app", "DISALLOW *"]);
    chain.layout["inspect"] =
        json!([inspection("product", "true", &["MATCH blobs/* WITH PRODUCTS FROM pack", "ALLOW blobs/*", "DISALLOW *"])]);
    chain.place.file("root.layout", sign(&chain.layout, &["owner"], chain.form));
}

fn verify(place: &Place, links: &str, more: &str, code: i32) -> Value {
    let line = format!("in-toto verify --layout-key owner.pub --links {links} --at {AT} {more} --format json");
    place.run(&line).is(code).json()["results"][0].clone()
}

const LAYOUT: &str = "--layout root.layout";

#[test]
fn links_and_layout_are_found_where_they_were_attached() {
    for form in crate::in_toto::FORMS {
        for place in ["oci:release:one", "oci-archive:release.tar:one"] {
            let (chain, pin) = chain(form, place);
            let referrer = chain.place.ok(&format!("in-toto attach {place} --links links --layout root.layout"));
            let result = verify(&chain.place, place, "", 0);
            assert_eq!(result["product"], pin);
            assert_eq!(result["attached"]["sets"][0]["digest"], digest(&referrer));
            verify(&chain.place, &pin, LAYOUT, 0);
            // Again it is the same.
            assert_eq!(chain.place.ok(&format!("in-toto attach {place} --links links --layout root.layout")), referrer);
            assert_eq!(verify(&chain.place, place, "", 0)["attached"]["sets"].as_array().unwrap().len(), 1);
        }
    }
}

#[test]
fn links_in_a_registry_are_found_with_and_without_the_referrers_api_and_go_with_a_copy() {
    for settings in [Settings::default(), Settings { referrers_api: false, ..Settings::default() }] {
        let registry = Chain::new(Form::Dsse).place.registry(settings);
        let place = format!("{}/acme/app:one", registry.host());
        let (chain, _) = chain(Form::Dsse, &place);
        chain.place.ok(&format!("in-toto attach {place} --links links --layout root.layout"));
        verify(&chain.place, &place, "", 0);
        chain.place.ok(&format!("copy {place} oci:copied:one"));
        verify(&chain.place, "oci:copied:one", "", 0);
    }
}

#[test]
fn an_artifact_with_nothing_attached_is_not_verified_and_neither_is_another() {
    let (chain, _) = chain(Form::Dsse, "oci:release:one");
    assert_eq!(verify(&chain.place, "oci:release:one", "", 4)["error"]["code"], "in-toto-no-layout");
    assert_eq!(verify(&chain.place, "oci:release:one", LAYOUT, 1)["error"]["code"], "in-toto-threshold");
    verify(&chain.place, "oci:release:two", LAYOUT, 4);
    verify(&chain.place, "oci:nowhere:one", LAYOUT, 4);
    // The links of one artifact, attached to another, do not make it the one that the step made.
    chain.place.pack("oci:release:two", "second");
    chain.place.ok("in-toto attach oci:release:two --links links --layout root.layout");
    assert_eq!(verify(&chain.place, "oci:release:two", "", 1)["error"]["code"], "in-toto-product-unmatched");
    // Links may lie with another artifact, if that is said.
    verify(&chain.place, "oci:release:two", "--product oci:release:one", 0);
}

#[test]
fn functionaries_may_each_attach_their_own_links() {
    let (chain, _) = chain(Form::Dsse, "oci:release:one");
    for (step, who) in [("build", "bob"), ("pack", "carol")] {
        let name = file(step, who);
        chain.place.file(&format!("{who}/{name}"), chain.place.read(&format!("links/{name}")));
        verify(&chain.place, "oci:release:one", LAYOUT, 1);
        chain.place.ok(&format!("in-toto attach oci:release:one --links {who}"));
    }
    assert!(verify(&chain.place, "oci:release:one", LAYOUT, 0)["attached"]["alone"].is_null());
}

#[test]
fn sublayouts_are_found_in_their_folders() {
    let (chain, _) = chain(Form::Dsse, "oci:release:one");
    let below = layout(&["bob"], vec![step("build", &["bob"], &[], &[])], Vec::new());
    chain.put("links", "build", &below, "bob");
    let folder = format!("links/build.{}", &Key::of("bob").keyid()[..8]);
    chain.link(&folder, &link("build", &[], &["app"]), "bob");
    chain.place.ok("in-toto attach oci:release:one --links links");
    let result = verify(&chain.place, "oci:release:one", LAYOUT, 0);
    assert_eq!(result["report"]["layouts"].as_array().unwrap().len(), 2);
}

/// Attaches a folder with one file of this name, as a stranger may.
fn strange(chain: &Chain, name: &str, content: &str) {
    static NEXT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    let folder = format!("strange-{}", NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
    chain.place.file(&format!("{folder}/{name}"), content);
    chain.place.ok(&format!("in-toto attach oci:release:one --links {folder}"));
}

#[test]
fn a_strangers_files_under_the_names_of_good_ones_are_told_and_hide_none() {
    for first in [true, false] {
        let (chain, _) = chain(Form::Dsse, "oci:release:one");
        let honest = || drop(chain.place.ok("in-toto attach oci:release:one --links links --layout root.layout"));
        if !first {
            honest();
        }
        let by_dora = sign(&link("build", &[], &["app", "backdoor"]), &["dora"], Form::Dsse);
        strange(&chain, &file("build", "bob"), &by_dora);
        strange(&chain, &file("build", "bob"), &sign(&link("pack", &[], &["app"]), &["bob"], Form::Dsse));
        if first {
            honest();
        }
        let result = verify(&chain.place, "oci:release:one", "", 0);
        let files = result["report"]["layouts"][0]["steps"][0]["files"].as_array().unwrap();
        let refused: Vec<&Value> = files.iter().filter(|file| !file["refused"].is_null()).collect();
        assert_eq!((files.len(), refused.len()), (3, 2), "{files:#?}");
        assert!(files.iter().all(|file| file["from"].as_str().unwrap().starts_with("sha256:")));
    }
}

#[test]
fn a_link_of_an_earlier_release_that_a_stranger_attaches_hides_no_complete_set() {
    let (chain, _) = chain(Form::Dsse, "oci:release:one");
    let set = chain.place.ok("in-toto attach oci:release:one --links links --layout root.layout");
    // Validly signed by who may, and of other artifacts.
    strange(&chain, &file("build", "bob"), &sign(&link("build", &["old"], &["app"]), &["bob"], Form::Dsse));
    let result = verify(&chain.place, "oci:release:one", "", 0);
    assert_eq!(result["attached"]["alone"], digest(&set));
    // Where no set is complete by itself, nobody knows which is right.
    let (other, _) = self::chain(Form::Dsse, "oci:release:one");
    for (step, who) in [("build", "bob"), ("pack", "carol")] {
        strange(&other, &file(step, who), &String::from_utf8(other.place.read(&format!("links/{}", file(step, who)))).unwrap());
    }
    strange(&other, &file("build", "bob"), &sign(&link("build", &["old"], &["app"]), &["bob"], Form::Dsse));
    assert_eq!(verify(&other.place, "oci:release:one", LAYOUT, 1)["error"]["code"], "in-toto-disagreement");
}

#[test]
fn a_layout_that_the_owner_did_not_sign_is_not_taken_and_hides_no_good_one() {
    let (chain, _) = chain(Form::Dsse, "oci:release:one");
    let lax = layout(&["dora"], vec![step("build", &["dora"], &[], &[])], Vec::new());
    chain.place.file("lax.layout", sign(&lax, &["dora"], Form::Dsse));
    chain.place.file("dora/x.link", sign(&link("x", &[], &[]), &["dora"], Form::Dsse));
    chain.place.ok("in-toto attach oci:release:one --links dora --layout lax.layout");
    verify(&chain.place, "oci:release:one", "", 5);
    // What it comes to is what the owner's comes to.
    let bob = file("build", "bob");
    chain.place.file(&format!("part/{bob}"), chain.place.read(&format!("links/{bob}")));
    chain.place.ok("in-toto attach oci:release:one --links part --layout root.layout");
    assert_eq!(verify(&chain.place, "oci:release:one", "", 1)["error"]["code"], "in-toto-threshold");
    chain.place.ok("in-toto attach oci:release:one --links links --layout root.layout");
    verify(&chain.place, "oci:release:one", "", 0);
}

#[test]
fn a_set_that_is_listed_and_not_there_leaves_it_open_and_hides_no_good_one() {
    let (chain, _) = chain(Form::Dsse, "oci:release:one");
    let set = chain.place.ok("in-toto attach oci:release:one --links links");
    let name = format!("release/blobs/sha256/{}", digest(&set).strip_prefix("sha256:").unwrap());
    let manifest = chain.place.read(&name);
    std::fs::remove_file(chain.place.path(&name)).unwrap();
    verify(&chain.place, "oci:release:one", LAYOUT, 4);
    chain.place.file(&name, manifest);
    verify(&chain.place, "oci:release:one", LAYOUT, 0);
}

#[test]
fn a_set_with_paths_that_lead_elsewhere_is_refused_and_told() {
    let (chain, pin) = chain(Form::Dsse, "oci:release:one");
    let set = chain.place.ok("in-toto attach oci:release:one --links links");
    // The same manifest with another path, put beside it as any tool may.
    let name = format!("release/blobs/sha256/{}", digest(&set).strip_prefix("sha256:").unwrap());
    let text = String::from_utf8(chain.place.read(&name)).unwrap();
    let hostile = text.replace(&file("build", "bob"), &format!("../{}", file("build", "bob")));
    assert_ne!(text, hostile);
    chain.place.ok(&format!("signature delete {set}"));
    verify(&chain.place, "oci:release:one", LAYOUT, 1);
    let hex = crate::in_toto::hex(&<sha2::Sha256 as sha2::Digest>::digest(&hostile));
    chain.place.file(&format!("release/blobs/sha256/{hex}"), &hostile);
    let result = verify(&chain.place, &pin, LAYOUT, 1);
    assert_eq!(result["attached"]["refused"][0]["digest"], format!("sha256:{hex}"));
}

#[test]
fn a_set_whose_files_are_not_there_leaves_it_open_and_hides_no_good_one() {
    let (chain, _) = chain(Form::Dsse, "oci:release:one");
    chain.place.ok("in-toto attach oci:release:one --links links");
    let content = chain.place.read(&format!("links/{}", file("build", "bob")));
    let hex = crate::in_toto::hex(&<sha2::Sha256 as sha2::Digest>::digest(&content));
    let blob = format!("release/blobs/sha256/{hex}");
    std::fs::remove_file(chain.place.path(&blob)).unwrap();
    verify(&chain.place, "oci:release:one", LAYOUT, 4);
    chain.place.file(&blob, "other bytes");
    verify(&chain.place, "oci:release:one", LAYOUT, 4);
    chain.place.file(&blob, &content);
    verify(&chain.place, "oci:release:one", LAYOUT, 0);
}

#[test]
fn a_cap_that_was_reached_is_could_not_find_out_and_names_its_option() {
    let (chain, _) = chain(Form::Dsse, "oci:release:one");
    for number in 0..4 {
        strange(&chain, "x.00000000.link", &sign(&link(&format!("x{number}"), &[], &[]), &["dora"], Form::Dsse));
    }
    for (step, who) in [("build", "bob"), ("pack", "carol")] {
        strange(&chain, &file(step, who), &String::from_utf8(chain.place.read(&format!("links/{}", file(step, who)))).unwrap());
    }
    verify(&chain.place, "oci:release:one", &format!("{LAYOUT} --max-referrers 1"), 4);
    verify(&chain.place, "oci:release:one", &format!("{LAYOUT} --max-total-size 10"), 4);
    verify(&chain.place, "oci:release:one", LAYOUT, 0);
}

#[test]
fn attached_links_are_deleted_as_one_and_nothing_else_is() {
    let (chain, pin) = chain(Form::Dsse, "oci:release:one");
    let set = chain.place.ok("in-toto attach oci:release:one --links links --layout root.layout");
    chain.place.run(&format!("signature delete {pin}")).is(2);
    chain.place.ok(&format!("signature delete {set}"));
    verify(&chain.place, "oci:release:one", LAYOUT, 1);
    verify(&chain.place, "oci:release:one", "", 4);
}

#[test]
fn what_is_no_metadata_is_not_attached_and_then_nothing_is() {
    let (chain, _) = chain(Form::Dsse, "oci:release:one");
    let before = chain.place.read("release/index.json");
    chain.place.file("bad/x.link", "{}");
    chain.place.file("bad/a.link", sign(&link("a", &[], &[]), &["dora"], Form::Dsse));
    chain.place.run("in-toto attach oci:release:one --links bad").is(6).says("x.link");
    chain.place.file("empty/notes.txt", "");
    chain.place.run("in-toto attach oci:release:one --links empty").is(2).says("no link");
    chain.place.run("in-toto attach oci:release:one --links none").is(4);
    chain.place.run("in-toto attach oci:release:two --links links").is(4);
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("/etc/passwd", chain.place.path("bad/y.link")).unwrap();
        let ran = chain.place.run("in-toto attach oci:release:one --links bad").is(6).says("leads out of the folder");
        assert!(!ran.stderr.contains("--exclude"), "{ran:#?}");
    }
    assert_eq!(chain.place.read("release/index.json"), before);
    chain.place.file("links/notes.txt", "");
    chain.place.run("in-toto attach oci:release:one --links links").is(0).says("notes.txt: is no link");
}

#[test]
fn a_folder_that_is_there_is_no_reference_and_a_layout_in_it_is_not_looked_for() {
    let (chain, _) = chain(Form::Dsse, "oci:release:one");
    std::fs::create_dir_all(chain.place.path("localhost:1/links")).unwrap();
    verify(&chain.place, "localhost:1/links", &format!("{LAYOUT} --product oci:release:one"), 1);
    chain.place.run(&format!("in-toto verify --layout-key owner.pub --links links --at {AT}")).is(2).says("--layout");
}

/// Puts a manifest beside the set with this pin, as any tool may: the same, changed.
fn beside(chain: &Chain, set: &str, change: impl FnOnce(&mut Value)) {
    let name = |hex: &str| format!("release/blobs/sha256/{hex}");
    let mut manifest = serde_json::from_slice(&chain.place.read(&name(digest(set).strip_prefix("sha256:").unwrap()))).unwrap();
    change(&mut manifest);
    let text = manifest.to_string();
    let hex = crate::in_toto::hex(&<sha2::Sha256 as sha2::Digest>::digest(&text));
    chain.place.file(&name(&hex), text);
}

/// Takes a set out of all lists, in which it comes before what is in none. Its manifest and its files stay.
fn unlist(chain: &Chain, set: &str) {
    let blobs = chain.place.path("release/blobs/sha256");
    let kept: Vec<_> = std::fs::read_dir(blobs).unwrap().map(|entry| entry.unwrap().path()).collect();
    let kept: Vec<_> = kept.into_iter().map(|path| (std::fs::read(&path).unwrap(), path)).collect();
    chain.place.ok(&format!("signature delete {set}"));
    kept.into_iter().for_each(|(bytes, path)| std::fs::write(path, bytes).unwrap());
}

#[test]
fn a_file_that_a_stranger_lists_with_another_size_is_there_for_others() {
    let (chain, _) = chain(Form::Dsse, "oci:release:one");
    let set = chain.place.ok("in-toto attach oci:release:one --links links --layout root.layout");
    unlist(&chain, &set);
    verify(&chain.place, "oci:release:one", "", 0);
    for size in [0_u64, 1, 1 << 24, 1 << 40] {
        beside(&chain, &set, |manifest| {
            manifest["layers"].as_array_mut().unwrap().iter_mut().for_each(|layer| layer["size"] = size.into());
        });
    }
    let result = verify(&chain.place, "oci:release:one", "", 0);
    assert_eq!(result["attached"]["sets"].as_array().unwrap().len(), 5);
    assert!(result["attached"]["alone"].is_null(), "{result:#}");
}

#[test]
fn large_files_that_strangers_list_leave_room_for_a_complete_set() {
    let (chain, _) = chain(Form::Dsse, "oci:release:one");
    let set = chain.place.ok("in-toto attach oci:release:one --links links --layout root.layout");
    unlist(&chain, &set);
    // As much as is read of all together, and more, under the names of the good ones.
    let name = format!("release/blobs/sha256/{}", digest(&set).strip_prefix("sha256:").unwrap());
    for number in 0..40 {
        if number == 20 {
            // Folders are listed in the order in which files were made, or in its reverse.
            let manifest = chain.place.read(&name);
            std::fs::remove_file(chain.place.path(&name)).unwrap();
            chain.place.file(&name, manifest);
        }
        beside(&chain, &set, |manifest| {
            for (index, layer) in manifest["layers"].as_array_mut().unwrap().iter_mut().enumerate() {
                layer["size"] = (64_u64 << 20).into();
                layer["digest"] = format!("sha256:{number:032x}{index:032x}").into();
            }
        });
    }
    verify(&chain.place, "oci:release:one", "", 0);
}

#[test]
fn of_many_files_that_do_not_count_some_are_told_and_how_many_more() {
    let (chain, _) = chain(Form::Dsse, "oci:release:one");
    let set = chain.place.ok("in-toto attach oci:release:one --links links --layout root.layout");
    for (number, more) in [(16, false), (20, true)] {
        for other in number - 16..number {
            beside(&chain, &set, |manifest| {
                manifest["layers"]
                    .as_array_mut()
                    .unwrap()
                    .retain(|layer| layer["annotations"]["org.opencontainers.image.title"] == file("build", "bob"));
                manifest["layers"][0]["digest"] = format!("sha256:{other:064x}").into();
            });
        }
        let ran = chain.place.run(&format!("in-toto verify --layout-key owner.pub --links oci:release:one --at {AT}")).is(0);
        assert_eq!(ran.stderr.matches("does not count").count(), 16);
        assert_eq!(ran.stderr.contains("`build`: 4 more files do not count"), more, "{ran:#?}");
    }
}

#[test]
fn of_several_layouts_one_that_has_expired_hides_not_why_another_is_not_verified() {
    for first in [true, false] {
        let (chain, _) = chain(Form::Dsse, "oci:release:one");
        let mut old = chain.layout.clone();
        old["expires"] = "2020-01-01T00:00:00Z".into();
        // The order is that of sizes.
        old["readme"] = if first { "" } else { "an older one, and longer" }.into();
        old["steps"].as_array_mut().unwrap().truncate(if first { 1 } else { 2 });
        chain.place.file("old.layout", sign(&old, &["owner"], Form::Dsse));
        chain.place.file("dora/x.link", sign(&link("x", &[], &[]), &["dora"], Form::Dsse));
        chain.place.ok("in-toto attach oci:release:one --links dora --layout old.layout");
        verify(&chain.place, "oci:release:one", "", 5);
        chain.place.ok("in-toto attach oci:release:one --links dora --layout root.layout");
        assert_eq!(verify(&chain.place, "oci:release:one", "", 1)["error"]["code"], "in-toto-threshold");
    }
}

#[cfg(unix)]
#[test]
fn an_inspection_is_run_once_however_many_sets_are_attached() {
    let (mut chain, _) = chain(Form::Dsse, "oci:release:one");
    chain.place.file("out/app", "app");
    let mut look = inspection("look", "sh", &["MATCH app WITH PRODUCTS FROM pack", "DISALLOW *"]);
    look["run"] = json!(["sh", "-c", format!("echo run >>{}; exit 1", chain.place.path("runs").display())]);
    chain.layout["inspect"] = json!([look]);
    chain.place.file("root.layout", sign(&chain.layout, &["owner"], chain.form));
    let set = chain.place.ok("in-toto attach oci:release:one --links links");
    for number in 0..3 {
        beside(&chain, &set, |manifest| manifest["annotations"] = json!({"number": number.to_string()}));
    }
    let result = verify(&chain.place, "oci:release:one", &format!("{LAYOUT} --products out --run-inspection look"), 1);
    assert_eq!(result["attached"]["sets"].as_array().unwrap().len(), 4);
    assert_eq!(chain.place.read("runs"), b"run\n");
}

#[cfg(unix)]
#[test]
fn an_inspection_of_an_artifact_that_is_no_folder_of_files_is_a_mistake_and_not_run() {
    let (mut chain, _) = chain(Form::Dsse, "oci:release:one");
    let mut look = inspection("look", "sh", &["DISALLOW *"]);
    look["run"] = json!(["sh", "-c", format!("echo run >>{}", chain.place.path("runs").display())]);
    chain.inspect(look);
    chain.place.file("root.layout", sign(&chain.layout, &["owner"], chain.form));
    chain.place.ok("in-toto attach oci:release:one --links links");
    verify(&chain.place, "oci:release:one", &format!("{LAYOUT} --run-inspection look"), 2);
    assert!(!chain.place.path("runs").exists());
}
