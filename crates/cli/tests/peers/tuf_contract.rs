//! The command line that harnesses for TUF clients drive, and what they look at: exits, the requests that were made, the folder of metadata, the
//! folder of targets. Repositories are by python-tuf.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use touchmark_test_registry::{Action, Fault, Site};

use crate::harness::{Place, Ran};
use crate::tool;
use crate::tuf_peer::{Made, Ours, files, versions};

/// A repository in several states, of which one is served, and the client.
struct Scene<'a> {
    made: Made,
    site: Site,
    ours: Ours<'a>,
    into: PathBuf,
}

impl<'a> Scene<'a> {
    /// Serves the first state to a client that trusts its root.
    fn new(place: &'a Place, states: &[Value]) -> Option<Self> {
        let made = Made::new(place, states)?;
        let (site, ours) = (Site::start(&made.folders[0]), Ours::new(place));
        ours.init(&made.root()).is(0);
        Some(Self { made, site, ours, into: place.path("into") })
    }

    /// Serves this state from now on.
    fn show(&self, state: usize) -> &Self {
        self.site.show(&self.made.folders[state]);
        self
    }

    fn refresh(&self) -> Ran {
        self.ours.refresh(&self.site)
    }

    fn download(&self, name: &str) -> Ran {
        self.ours.download(&self.site, name, &self.into)
    }

    /// The paths that were asked for since the last call, without the folder of the metadata.
    fn asked(&self) -> Vec<String> {
        let log = self.site.log();
        self.site.clear_log();
        log.iter().map(|logged| logged.path.trim_start_matches("/metadata/").to_owned()).collect()
    }

    /// The versions in the folder of metadata, of the top-level roles in the order of the workflow; 0 for none.
    fn trusted(&self) -> [u64; 4] {
        let versions = versions(&self.ours.store());
        ["root", "timestamp", "snapshot", "targets"].map(|role| versions.get(role).copied().unwrap_or(0))
    }

    /// The contents in the folder of targets.
    fn downloaded(&self) -> BTreeSet<String> {
        files(&self.into).into_values().map(|content| String::from_utf8(content).unwrap()).collect()
    }
}

/// Targets with this content.
fn content(targets: Value) -> Value {
    json!({ "targets": targets })
}

/// Asserts a failure that says why. Which of the exits that are not 0 it has is not the contract's.
#[track_caller]
fn fails(ran: Ran) -> Ran {
    assert!((1..=6).contains(&ran.code) && !ran.stderr.is_empty(), "{ran:#?}");
    ran
}

fn set(texts: &[&str]) -> BTreeSet<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[test]
fn a_first_refresh_asks_for_each_file_once_and_keeps_it_byte_for_byte() {
    let place = Place::new();
    let Some(scene) = Scene::new(&place, &[json!({ "indent": 2, "sort": false })]) else { return };
    let kept = |name: &str| std::fs::read(scene.ours.store().join(name)).unwrap();
    let published = |name: &str| std::fs::read(scene.made.folders[0].join("metadata").join(name)).unwrap();
    assert_eq!(scene.asked(), [""; 0], "init asks for nothing");
    assert_eq!(kept("root.json"), published("1.root.json"));

    scene.refresh().is(0);
    assert_eq!(scene.asked(), ["2.root.json", "timestamp.json", "1.snapshot.json", "1.targets.json"]);
    for (here, there) in [("root", "1.root"), ("timestamp", "timestamp"), ("snapshot", "1.snapshot"), ("targets", "1.targets")] {
        assert_eq!(kept(&format!("{here}.json")), published(&format!("{there}.json")));
    }
    let json: BTreeSet<PathBuf> =
        files(&scene.ours.store()).into_keys().filter(|path| path.extension().is_some_and(|end| end == "json")).collect();
    assert_eq!(json.len(), 4, "{json:?}");

    let before = files(&scene.ours.store());
    scene.refresh().is(0);
    assert_eq!(scene.asked(), ["2.root.json", "timestamp.json"], "nothing has changed");
    assert_eq!(files(&scene.ours.store()), before);
}

#[test]
fn options_stand_before_the_verb_in_any_order() {
    let place = Place::new();
    let Some(scene) = Scene::new(&place, &[content(json!({ "a": "of a", "b/c": "of c" }))]) else { return };
    let metadata = format!("{}metadata/", scene.site.url());
    let targets = format!("{}targets/", scene.site.url());
    let mut options: Vec<[OsString; 2]> = vec![
        ["--metadata-url".into(), metadata.into()],
        ["--metadata-dir".into(), scene.ours.store().into()],
        ["--target-name".into(), "a".into()],
        ["--target-dir".into(), scene.into.clone().into()],
        ["--target-base-url".into(), targets.into()],
        ["--target-name".into(), "b/c".into()],
    ];
    for _ in 0..options.len() {
        let _ = std::fs::remove_dir_all(&scene.into);
        std::fs::create_dir(&scene.into).unwrap();
        let words: Vec<OsString> = options.iter().flatten().cloned().chain(["download".into()]).collect();
        scene.ours.run(&words).is(0);
        assert_eq!(scene.downloaded(), set(&["of a", "of c"]));
        options.rotate_left(1);
    }
    options.retain(|option| option[0].to_string_lossy().starts_with("--metadata"));
    for _ in 0..2 {
        options.reverse();
        let words: Vec<OsString> = options.iter().flatten().cloned().chain(["refresh".into()]).collect();
        scene.ours.run(&words).is(0);
    }
}

#[test]
fn a_root_that_does_not_verify_is_no_beginning() {
    let place = Place::new();
    let Some(made) = Made::new(&place, &[json!({})]) else { return };
    let root: Value = serde_json::from_slice(&std::fs::read(made.root()).unwrap()).unwrap();
    let (mut unversioned, mut unsigned, mut misnamed) = (root.clone(), root.clone(), root);
    unversioned["signed"].as_object_mut().unwrap().remove("version");
    unsigned["signatures"][0]["sig"] = json!("00".repeat(64));
    misnamed["signed"]["_type"] = json!("targets");
    for (number, bad) in [unversioned, unsigned, misnamed].iter().enumerate() {
        let place = Place::new();
        let (site, ours) = (Site::start(&made.folders[0]), Ours::new(&place));
        // Whether this fails or the next does is not the harness's.
        let _ = ours.init(&place.file("bad.json", bad.to_string()));
        fails(ours.refresh(&site));
        assert!(site.log().is_empty(), "{number}: {:?}", site.log());
    }
}

#[test]
fn a_step_that_fails_keeps_what_was_verified_before_it() {
    let late = |role: &str| json!({ "expires": { role: "2001-01-01T00:00:00Z" }, "roles": { "root": { "keys": ["ed25519/new"] } }, "targets": { "a": "1" } });
    let good = json!({ "roles": { "root": { "keys": ["ed25519/new"] } }, "targets": { "a": "2" } });
    let asked = ["2.root.json", "3.root.json", "timestamp.json", "2.snapshot.json", "2.targets.json"];
    for (role, trusted, asks) in
        [("root", [2, 1, 1, 1], 2), ("timestamp", [2, 1, 1, 1], 3), ("snapshot", [2, 2, 1, 1], 4), ("targets", [2, 2, 2, 1], 5)]
    {
        let place = Place::new();
        let Some(scene) = Scene::new(&place, &[json!({}), late(role), good.clone()]) else { return };
        scene.refresh().is(0);
        scene.asked();
        fails(scene.show(1).refresh());
        assert_eq!((scene.trusted(), scene.asked()), (trusted, asked[..asks].iter().map(|name| (*name).to_owned()).collect()), "{role}");
        // It stays so, and does not stand in the way of what is good.
        fails(scene.refresh());
        assert_eq!(scene.trusted(), trusted, "{role}");
        scene.show(2).refresh().is(0);
    }
}

#[test]
fn an_answer_that_is_no_404_is_no_end_of_the_roots() {
    let place = Place::new();
    let Some(scene) = Scene::new(&place, &[json!({}), content(json!({ "a": "1" }))]) else { return };
    scene.refresh().is(0);
    scene.asked();
    scene.show(1).site.fault(Fault::new(Action::status(500)).path("2.root.json"));
    fails(scene.refresh());
    assert!(!scene.asked().contains(&"timestamp.json".to_owned()));
    assert_eq!(scene.trusted(), [1, 1, 1, 1]);
    scene.site.clear_faults();
    scene.refresh().is(0);
    assert_eq!(scene.trusted(), [1, 2, 2, 2]);
}

#[test]
fn a_file_that_is_not_the_one_that_was_promised_is_refused() {
    let state = |meta: &str, content: &str| json!({ "meta": meta, "targets": { "a": content } });
    for meta in ["all", "none"] {
        for (path, trusted) in [("/timestamp.json", [1, 1, 1, 1]), ("/2.snapshot.json", [1, 2, 1, 1]), ("/2.targets.json", [1, 2, 2, 1])] {
            let place = Place::new();
            let Some(scene) = Scene::new(&place, &[state(meta, "1"), state(meta, "2")]) else { return };
            scene.refresh().is(0);
            scene.show(1);
            let file = scene.made.folders[1].join("metadata").join(path.trim_start_matches('/'));
            let honest = std::fs::read_to_string(&file).unwrap();
            for instead in
                [honest.replace("2100-", "2101-"), honest.replace("\"version\":2", "\"version\":3"), String::new(), "{}".to_owned()]
            {
                scene.site.fault(Fault::new(Action::Body(instead.into_bytes())).path(path));
                fails(scene.refresh());
                assert_eq!(scene.trusted(), trusted, "{meta} {path}");
                scene.site.clear_faults();
            }
            scene.refresh().is(0);
            assert_eq!(scene.trusted(), [1, 2, 2, 2], "{meta} {path}");
        }
    }
}

#[test]
fn metadata_that_has_expired_here_serves_to_compare_with() {
    let state = |year: usize, version: u64, content: &str| {
        let expires = format!("{year}-01-01T00:00:00Z");
        json!({ "expires": { "timestamp": expires, "snapshot": expires }, "versions": { "timestamp": version }, "targets": { "a": content } })
    };
    let place = Place::new();
    let Some(scene) = Scene::new(&place, &[state(2050, 5, "1"), state(2060, 6, "2"), state(2060, 4, "3")]) else { return };
    scene.refresh().is(0);
    let metadata = format!("{}metadata/", scene.site.url());
    let later = |words: &[&str]| {
        let store = scene.ours.store();
        let options: [&std::ffi::OsStr; 5] =
            ["--metadata-url".as_ref(), metadata.as_ref(), "--metadata-dir".as_ref(), store.as_os_str(), "refresh".as_ref()];
        let words: Vec<&std::ffi::OsStr> = words.iter().map(AsRef::as_ref).chain(options).collect();
        scene.ours.run(&words)
    };
    let at = ["--at", "2055-06-01T00:00:00Z"];
    fails(later(&at));
    scene.show(2);
    fails(later(&at));
    scene.show(1);
    later(&at).is(0);
    assert_eq!(scene.trusted(), [1, 6, 2, 2]);
    fails(later(&["--at", "2060-01-01T00:00:00Z"]));
}

/// Harnesses put `faketime` before the command.
#[test]
fn the_clock_is_the_systems_also_where_it_is_a_faked_one() {
    tool::need!("faketime");
    let place = Place::new();
    let state = json!({ "expires": { "timestamp": "2050-01-01T00:00:00Z" } });
    let Some(scene) = Scene::new(&place, &[state]) else { return };
    let refresh = |time: &str| {
        let mut command = tool::command(&place, "faketime", "");
        command.arg(time).arg(env!("CARGO_BIN_EXE_touchmark")).arg("tuf").arg("--metadata-dir").arg(scene.ours.store());
        command.args(["--metadata-url", &format!("{}metadata/", scene.site.url()), "refresh"]);
        Ran::of("faketime", command.output().unwrap())
    };
    refresh("2049-12-31 00:00:00").is(0);
    fails(refresh("2050-01-02 00:00:00"));
}

#[test]
fn a_target_is_fetched_once_and_again_when_it_changes() {
    let place = Place::new();
    let Some(scene) =
        Scene::new(&place, &[content(json!({ "dir/a": "first", "b": "of b" })), content(json!({ "dir/a": "second", "b": "of b" }))])
    else {
        return;
    };
    scene.download("dir/a").is(0);
    let of_targets = |asked: Vec<String>| asked.into_iter().filter(|path| path.starts_with("/targets/")).collect::<Vec<_>>();
    let asked = of_targets(scene.asked());
    let hash = touchmark_test_registry::sha256(b"first");
    assert_eq!(asked, [format!("/targets/dir/{}.a", hash.trim_start_matches("sha256:"))]);
    let (path, _) = files(&scene.into).pop_first().unwrap();

    scene.download("dir/a").is(0);
    assert_eq!(of_targets(scene.asked()), [""; 0]);
    scene.download("b").is(0);
    scene.show(1).download("dir/a").is(0);
    assert_eq!(scene.downloaded(), set(&["second", "of b"]));
    assert_eq!(std::fs::read(&path).unwrap(), b"second");

    // What somebody changed here is fetched again; another length, too.
    for other in ["secomd", "second and more", ""] {
        std::fs::write(&path, other).unwrap();
        scene.asked();
        scene.download("dir/a").is(0);
        assert_eq!((of_targets(scene.asked()).len(), std::fs::read(&path).unwrap()), (1, b"second".to_vec()));
    }
}

#[test]
fn a_target_that_is_not_what_was_promised_is_not_kept() {
    let place = Place::new();
    let Some(scene) =
        Scene::new(&place, &[content(json!({ "a": "content", "b": "other" })), content(json!({ "a": "changed", "b": "other" }))])
    else {
        return;
    };
    scene.download("a").is(0);
    scene.show(1);
    for instead in ["Changed", "changed and more", "chang", ""] {
        scene.site.fault(Fault::new(Action::Body(instead.into())).path("/targets/"));
        fails(scene.download("a"));
        fails(scene.download("b"));
        assert_eq!(scene.downloaded(), set(&["content"]));
        scene.site.clear_faults();
    }
    fails(scene.download("none"));
    assert_eq!(scene.downloaded(), set(&["content"]));
    scene.download("a").is(0);
    assert_eq!(scene.downloaded(), set(&["changed"]));
}

#[test]
fn of_several_targets_one_that_is_not_there_fails_the_command() {
    let place = Place::new();
    let Some(scene) = Scene::new(&place, &[content(json!({ "a": "of a", "b": "of b" }))]) else { return };
    std::fs::create_dir(&scene.into).unwrap();
    let (metadata, targets) = (format!("{}metadata/", scene.site.url()), format!("{}targets/", scene.site.url()));
    let store = scene.ours.store();
    let words: [&std::ffi::OsStr; 15] = [
        "--metadata-url".as_ref(),
        metadata.as_ref(),
        "--metadata-dir".as_ref(),
        store.as_os_str(),
        "--target-dir".as_ref(),
        scene.into.as_os_str(),
        "--target-base-url".as_ref(),
        targets.as_ref(),
        "--target-name".as_ref(),
        "a".as_ref(),
        "--target-name".as_ref(),
        "none".as_ref(),
        "--target-name".as_ref(),
        "b".as_ref(),
        "download".as_ref(),
    ];
    fails(scene.ours.run(&words)).says("none");
    assert!(scene.downloaded().is_subset(&set(&["of a", "of b"])));
}

#[test]
fn names_of_targets_stay_in_the_folder() {
    let names = ["../escaped", "/absolute", "a/../../escaped", "..", "dir/.."];
    let targets: serde_json::Map<String, Value> = names.iter().map(|name| ((*name).to_owned(), json!("content"))).collect();
    let place = Place::new();
    let Some(scene) = Scene::new(&place, &[content(targets.into())]) else { return };
    // No web server has such files; a hostile one says what it likes.
    scene.site.fault(Fault::new(Action::Fill(b"content".into(), 0, Some(7))).path("/targets/"));
    let outside = |scene: &Scene<'_>| {
        let mut outside = files(Path::new(&place.path("")));
        outside.retain(|path, _| !path.starts_with(&scene.into) && !path.starts_with(scene.ours.store()));
        outside
    };
    let before = outside(&scene);
    for name in names {
        let ran = scene.download(name);
        assert!(ran.code == 0 || !ran.stderr.is_empty(), "{ran:#?}");
        assert_eq!(outside(&scene), before, "{name}");
    }
}

#[test]
fn a_role_of_any_name_is_asked_for_and_kept_under_its_encoded_name() {
    for (role, encoded) in [
        ("?", "%3F"),
        ("#", "%23"),
        ("/delegated", "%2Fdelegated"),
        ("../delegated", "..%2Fdelegated"),
        ("a b", "a%20b"),
        ("100%", "100%25"),
        ("größe", "gr%C3%B6%C3%9Fe"),
    ] {
        let place = Place::new();
        let delegations = json!([{ "name": role, "keys": ["ed25519/d"], "paths": ["*"], "targets": { "x": "content" } }]);
        let Some(scene) = Scene::new(&place, &[json!({ "delegations": delegations })]) else { return };
        fails(scene.download("none"));
        assert_eq!(scene.asked().last().unwrap(), &format!("1.{encoded}.json"), "{role}");
        let store = files(&scene.ours.store());
        let json: Vec<_> = store.keys().filter(|path| path.extension().is_some_and(|end| end == "json")).collect();
        assert_eq!(json.len(), 5, "{role}: {json:?}");
        assert!(json.contains(&&scene.ours.store().join(format!("{encoded}.json"))), "{role}: {json:?}");
        scene.download("x").is(0);
        assert_eq!(scene.downloaded(), set(&["content"]), "{role}");
    }
}

#[test]
fn roles_are_asked_for_in_their_order_depth_first_and_no_more_than_are_needed() {
    fn role(name: &str, paths: &[&str], terminating: bool, below: Value) -> Value {
        json!({ "name": name, "keys": ["ed25519/d"], "paths": paths, "terminating": terminating, "delegations": below, "targets": { format!("{name}.txt"): name } })
    }
    let any = ["*"];
    for (what, delegations, visited) in [
        ("in order", json!([role("A", &any, false, json!([])), role("B", &any, false, json!([]))]), vec!["A", "B"]),
        (
            "children first",
            json!([
                role(
                    "A",
                    &any,
                    false,
                    json!([role("C", &any, false, json!([role("D", &any, false, json!([]))])), role("E", &any, false, json!([]))])
                ),
                role("B", &any, false, json!([]))
            ]),
            vec!["A", "C", "D", "E", "B"],
        ),
        (
            "only those whose paths match",
            json!([
                role("A", &["*.py"], false, json!([role("C", &any, false, json!([]))])),
                role("B", &["no*", "B.*"], false, json!([])),
                role("D", &["n/*"], false, json!([]))
            ]),
            vec!["B"],
        ),
        (
            "nothing after one that terminates but what is below it",
            json!([
                role(
                    "A",
                    &any,
                    false,
                    json!([role("C", &any, true, json!([role("D", &any, false, json!([]))])), role("E", &any, false, json!([]))])
                ),
                role("B", &any, false, json!([]))
            ]),
            vec!["A", "C", "D"],
        ),
        (
            "one that terminates and is not for it is passed",
            json!([role("A", &["*.py"], true, json!([])), role("B", &any, false, json!([]))]),
            vec!["B"],
        ),
    ] {
        let place = Place::new();
        let Some(scene) = Scene::new(&place, &[json!({ "delegations": delegations })]) else { return };
        scene.refresh().is(0);
        scene.asked();
        fails(scene.download("nothing"));
        let expected: Vec<String> = ["2.root.json", "timestamp.json"]
            .iter()
            .map(|name| (*name).to_owned())
            .chain(visited.iter().map(|name| format!("1.{name}.json")))
            .collect();
        assert_eq!(scene.asked(), expected, "{what}");
        // The first that lists a target ends the search, and what is here is not fetched again.
        scene.download(&format!("{}.txt", visited[0])).is(0);
        assert!(scene.asked().iter().all(|path| path.ends_with(".txt") || !path.contains("1.")), "{what}");
    }
}

#[test]
fn new_keys_for_snapshot_and_timestamp_end_a_fast_forward() {
    let keys =
        |name: &str| json!({ "snapshot": { "keys": [format!("ed25519/{name}")] }, "timestamp": { "keys": [format!("ecdsa/{name}")] } });
    let stolen = json!({ "roles": keys("old"), "versions": { "timestamp": 99_999, "snapshot": 99_999, "targets": 99_999 } });
    let mended = json!({ "roles": keys("new"), "versions": { "timestamp": 1, "snapshot": 1, "targets": 1 }, "targets": { "a": "1" } });
    let place = Place::new();
    let Some(scene) = Scene::new(&place, &[json!({ "roles": keys("old") }), stolen, mended]) else { return };
    scene.show(1).refresh().is(0);
    assert_eq!(scene.trusted(), [1, 99_999, 99_999, 99_999]);
    scene.show(2).refresh().is(0);
    assert_eq!(scene.trusted(), [2, 1, 1, 1]);
    scene.download("a").is(0);
}
