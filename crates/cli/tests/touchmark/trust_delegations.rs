//! Delegations of several levels, hash bins, and many targets at once.

use serde_json::json;

use crate::harness::Place;
use crate::trust::{ONLINE, client, downloaded, made, refreshed, sign_and_publish, status};

fn found(place: &Place, store: &str, path: &str) -> bool {
    match client(place, store, &format!("--target-name {path} lookup")).code {
        0 => true,
        1 | 3 | 4 => false,
        code => panic!("{path}: exit {code}"),
    }
}

/// `PATH LENGTH sha256:HEX`, where the content is the path itself.
fn list(paths: impl IntoIterator<Item = String>) -> String {
    let line =
        |path: String| format!("{path} {} sha256:{}\n", path.len(), crate::forge::sha256(path.as_bytes()).trim_start_matches("sha256:"));
    paths.into_iter().map(line).collect()
}

#[test]
fn three_levels_each_with_its_own_keys() {
    let place = made();
    for name in ["a1", "a2", "a3", "b", "c"] {
        place.key(name);
    }
    place.file("tool", "content");
    place.ok("trust delegate a --key a1.pub --key a2.pub --key a3.pub --threshold 2 --path a/** --terminating");
    place.ok("trust delegate a+b --key b.pub --path a/b/** --from a");
    place.ok("trust delegate a+b+c --key c.pub --path a/b/c/* --from a+b");
    place.ok("trust target add tool --prefix a/b/c/ --role a+b+c");
    // Too much for one of the levels above it.
    place.run("trust target add tool --prefix a/x/ --role a+b+c").is(2).says("not delegated");
    place.run("trust delegate a+b --key b.pub --path x/*").is(2).says("is there already");
    place.ok("trust sign --key trust-keys/targets --key a1 --key b --key c");
    place.run(&format!("trust publish {ONLINE}")).is(5).says("a: 1 of 2");
    sign_and_publish(&place, "--key a3");
    downloaded(&place, "client", "a/b/c/tool", "content");
    assert_eq!(status(&place, "a+b+c")["delegated_by"], json!("a+b"));

    // The middle goes: nothing below it is found any more, and clients that were there before go on.
    assert_eq!(place.ok("trust undelegate a+b"), "a");
    sign_and_publish(&place, "--key a1 --key a2");
    for store in ["client", "new-client"] {
        refreshed(&place, store);
        assert!(!found(&place, store, "a/b/c/tool"));
    }
    // Delegated again under its old name, to others, it begins with nothing of what it said before.
    place.ok("trust delegate a+b --key c.pub --path a/b/** --from a");
    assert_eq!(status(&place, "a+b")["staged"]["version"], json!(2));
    sign_and_publish(&place, "--key a1 --key a2 --key c");
    assert!(!found(&place, "client", "a/b/c/tool"));
}

#[test]
fn the_order_of_delegations_decides() {
    let place = made();
    for name in ["one", "two"] {
        place.key(name);
        place.ok(&format!("trust delegate {name} --key {name}.pub --path x/*"));
    }
    for name in ["two", "one"] {
        place.file("tool", name);
        place.ok(&format!("trust target add tool --prefix x/ --role {name}"));
    }
    sign_and_publish(&place, "--key trust-keys/targets --key one --key two");
    downloaded(&place, "client", "x/tool", "one");
    // Taken away and put before the other.
    place.ok("trust undelegate two");
    place.file("tool", "two");
    place.ok("trust delegate two --key two.pub --path x/* --before one --terminating");
    place.ok("trust target add tool --prefix x/ --role two");
    sign_and_publish(&place, "--key trust-keys/targets --key two");
    downloaded(&place, "client", "x/tool", "two");
    // For other paths.
    place.ok("trust redelegate two --path y/*");
    sign_and_publish(&place, "--key trust-keys/targets");
    downloaded(&place, "client", "x/tool", "one");
}

/// What no search would find is not added: it is listed before, or the search ends before.
#[test]
fn a_target_that_a_search_does_not_come_to_is_refused() {
    let place = made();
    for name in ["one", "two", "three"] {
        place.key(name);
        place.ok(&format!("trust delegate {name} --key {name}.pub --path x/*"));
    }
    place.file("tool", "content");
    place.ok("trust target add tool --prefix x/ --role one");
    place.run("trust target add tool --prefix x/ --role two").is(2).says("a search finds it in one first").says("target remove --role one");
    place.ok("trust target remove x/tool --role one");
    place.ok("trust target add tool --prefix x/ --role two");
    place.ok("trust target remove x/tool --role two");
    place.ok("trust target add tool --prefix x/");
    place.run("trust target add tool --prefix x/ --role two").is(2).says("a search finds it in targets first");
    place.ok("trust target remove x/tool");
    place.ok("trust redelegate two --path x/* --path y/* --terminating");
    place.run("trust target add tool --prefix x/ --role three").is(2).says("a search ends at two first");
    place.run("trust target add tool --prefix z/ --role three").is(2).says("not delegated to three");
    // The terminating one is for itself and for what is below it.
    place.ok("trust delegate below --from two --key three.pub --path x/*");
    place.ok("trust target add tool --prefix x/ --role below");
    sign_and_publish(&place, "--key trust-keys/targets --key one --key two --key three");
    downloaded(&place, "client", "x/tool", "content");
}

/// Two people's folders may each delegate to the same name; whose keys count would hang on the search's path.
#[test]
fn a_role_with_two_delegators_is_not_published() {
    let place = made();
    for name in ["one", "two"] {
        place.key(name);
        place.ok(&format!("trust delegate {name} --key {name}.pub --path {name}/* "));
    }
    sign_and_publish(&place, "--key trust-keys/targets --key one --key two");
    place.ok("trust delegate shared --from one --key one.pub --path one/x/*");
    std::fs::rename(place.path("trust/staged"), place.path("aside")).unwrap();
    place.ok("trust delegate shared --from two --key two.pub --path two/x/*");
    std::fs::rename(place.path("aside/one.json"), place.path("trust/staged/one.json")).unwrap();
    place.ok("trust sign --key one --key two");
    place.run(&format!("trust publish {ONLINE}")).is(5).says("shared: is delegated by one and by two");
    place.ok("trust discard two");
    place.ok(&format!("trust publish {ONLINE}"));
    refreshed(&place, "client");
}

#[test]
fn targets_come_to_their_hash_bins() {
    for (option, staged) in [("--bins", 9), ("--succinct-bins", 9)] {
        let place = made();
        for name in ["bins", "new"] {
            place.key(name);
        }
        let roles = place.ok(&format!("trust delegate bin --key bins.pub {option} 3"));
        assert_eq!(roles.lines().count(), staged, "{roles}");
        let paths: Vec<String> = (0..40).map(|number| format!("dir/file{number}")).collect();
        place.file("list", list(paths.clone()));
        assert_eq!(place.ok("trust target add --from-list list --role bin").lines().count(), 8);
        sign_and_publish(&place, "--key trust-keys/targets --key bins");
        for path in &paths {
            assert!(found(&place, "client", path), "{option} {path}");
        }
        // One bin changes, and no other is signed anew.
        place.file("new-list", list(["dir/another".to_owned()]));
        let changed = place.ok("trust target add --from-list new-list --role bin");
        assert_eq!(changed.lines().count(), 1, "{changed}");
        sign_and_publish(&place, "--key bins");
        assert!(found(&place, "client", "dir/another"));
        // All of them get another key.
        let changed = place.ok("trust key replace bin bins.pub new.pub");
        assert_eq!(changed.lines().count(), 9, "{changed}");
        sign_and_publish(&place, "--key trust-keys/targets --key new");
        assert!(found(&place, "client", "dir/file7"));
        // And all of them go.
        assert_eq!(place.ok("trust undelegate bin"), "targets");
        sign_and_publish(&place, "--key trust-keys/targets");
        assert!(!found(&place, "client", "dir/file7"));
    }
}

#[test]
fn thousands_of_targets_come_from_a_list_and_a_folder() {
    let place = made();
    let paths = || (0..5000).map(|number| format!("dir/file{number}"));
    let added = place.run_with_input("trust target add --from-list - --custom {\"k\":1}", list(paths()).as_bytes()).is(0);
    assert_eq!(added.stdout, "targets\n");
    sign_and_publish(&place, "--key trust-keys/targets");
    assert!(found(&place, "client", "dir/file4999"));
    let removed: String = paths().skip(10).map(|path| path + "\n").collect();
    place.run_with_input("trust target remove --from-list -", removed.as_bytes()).is(0);
    for (path, content) in [("files/a", "one"), ("files/b/c", "two"), ("files/b/d", "three")] {
        place.file(path, content);
    }
    place.ok("trust target add files --prefix from/");
    sign_and_publish(&place, "--key trust-keys/targets");
    for (path, content) in [("from/a", "one"), ("from/b/c", "two"), ("from/b/d", "three")] {
        downloaded(&place, "client", path, content);
    }
    let targets: serde_json::Value = serde_json::from_slice(&place.read("trust/metadata/3.targets.json")).unwrap();
    assert_eq!(targets["signed"]["targets"].as_object().unwrap().len(), 13);
    assert_eq!(targets["signed"]["targets"]["dir/file3"]["custom"], json!({"k": 1}));

    // A line that is wrong stages nothing.
    let ran = place.run_with_input("trust target add --from-list -", b"dir/x 1 sha256:00\n").is(2);
    assert!(ran.stderr.contains("line 1"), "{ran:?}");
    assert_eq!(status(&place, "targets")["staged"], json!(null));
}

/// Clients give up after 64 roles.
#[test]
fn a_target_behind_more_roles_than_clients_visit_is_refused() {
    let place = made();
    place.key("many");
    for role in 1..=64 {
        place.ok(&format!("trust delegate role-{role} --key many.pub --path x/*"));
    }
    place.file("tool", "content");
    place.run("trust target add tool --prefix x/ --role role-64").is(2).says("clients visit 64 roles in a search");
    place.ok("trust target add tool --prefix x/ --role role-63");
    sign_and_publish(&place, "--key trust-keys/targets --key many");
    downloaded(&place, "client", "x/tool", "content");
}
