//! TUF 1.0, 5.6.7: the search for a target through delegations.

use touchmark_envelope::digest::Algorithm;
use touchmark_test_tuf_repository::{Delegation, Key, Repository, json, set};
use touchmark_tuf::metadata::MAX_KEYIDS;
use touchmark_tuf::{Class, Error, LookUp, Settings, Succinct};

use crate::attack::{honest, is, renew};
use crate::bins::BINS;
use crate::machine::Machine;

/// The names of the roles that were visited.
fn visited(outcome: &LookUp) -> Vec<&str> {
    outcome.visited.iter().map(|role| role.as_str()).collect()
}

/// Looks a target up with a new client.
fn find(repository: &Repository, target: &str) -> Result<LookUp, Error> {
    Machine::new(repository).find(repository, target)
}

/// A repository with these delegations, each `delegator > role` with a `!` at its end if it is terminating, all for every path.
fn graph(edges: &[&str]) -> Repository {
    let mut repository = Repository::new();
    for edge in edges {
        let (delegator, role) = edge.split_once(" > ").unwrap();
        let delegation = Delegation::new(role.trim_end_matches('!')).paths(&["*", "*/*"]);
        repository.delegate(delegator, if role.ends_with('!') { delegation.terminating() } else { delegation });
    }
    repository.publish();
    repository
}

/// The names of the roles that are visited in a search for what no role has.
fn order(edges: &[&str]) -> String {
    let outcome = find(&graph(edges), "x").unwrap();
    assert_eq!(outcome.found, None);
    visited(&outcome).join(" ")
}

#[test]
fn s5_6_7_the_search_is_pre_order_depth_first_in_the_order_of_appearance() {
    assert_eq!(order(&[]), "targets");
    assert_eq!(order(&["targets > b", "targets > a", "b > d", "b > c", "a > e", "d > f"]), "targets b d f c a e");
}

#[test]
fn s5_6_7_the_first_role_that_lists_the_target_decides() {
    let mut repository = graph(&["targets > a", "targets > b", "a > c"]);
    for (role, content) in [("b", "from b"), ("c", "by the order, first"), ("targets", "top level: first of all")] {
        repository.add_target(role, "x", content.as_bytes());
        repository.publish();
        let outcome = find(&repository, "x").unwrap();
        let found = outcome.found.as_ref().unwrap();
        assert_eq!((found.role.as_str(), found.target.length), (role, content.len() as u64));
        assert_eq!(outcome.visited.last(), Some(&found.role));
    }
}

#[test]
fn s5_6_7_roles_are_loaded_only_as_the_search_reaches_them() {
    let mut repository = graph(&["targets > a", "targets > b", "a > c"]);
    repository.add_target("a", "x", b"x");
    repository.publish();
    let mut machine = Machine::new(&repository);
    machine.find(&repository, "x").unwrap();
    assert!(machine.fetched().ends_with(&["3.snapshot.json", "2.targets.json", "2.a.json"]), "{:?}", machine.fetched());
    // And a role that is never reached may be as bad as it likes.
    repository.serve("1.b.json", b"}".to_vec());
    repository.lose("1.c.json");
    assert!(Machine::new(&repository).find(&repository, "x").unwrap().found.is_some());
}

#[test]
fn s5_6_7_a_delegation_that_is_not_for_the_target_is_not_followed() {
    let mut repository = Repository::new();
    repository.delegate("targets", Delegation::new("other").paths(&["other/*"]).terminating());
    repository.delegate("targets", Delegation::new("acme").paths(&["acme/*"]));
    repository.add_target("other", "acme/tool", b"outside of what is delegated");
    repository.add_target("acme", "acme/tool", b"inside");
    repository.publish();
    let outcome = find(&repository, "acme/tool").unwrap();
    assert_eq!(visited(&outcome), ["targets", "acme"]);
    assert_eq!(outcome.found.unwrap().target.length, 6);
}

#[test]
fn s4_5_a_target_must_be_in_the_paths_of_every_delegation_of_the_chain() {
    let mut repository = Repository::new();
    repository.delegate("targets", Delegation::new("acme").paths(&["acme/*"]));
    repository.delegate("acme", Delegation::new("greedy").paths(&["*", "*/*"]));
    for target in ["file", "acme/file"] {
        repository.add_target("greedy", target, b"content");
    }
    repository.publish();
    assert_eq!(find(&repository, "file").unwrap().found, None);
    assert!(find(&repository, "acme/file").unwrap().found.is_some());
}

#[test]
fn s5_6_7_each_role_is_visited_once_and_cycles_end() {
    assert_eq!(order(&["targets > a", "a > a"]), "targets a");
    assert_eq!(order(&["targets > a", "a > b", "b > a"]), "targets a b");
    assert_eq!(order(&["targets > a", "a > b", "b > c", "c > a", "c > b", "targets > c"]), "targets a b c");
    assert_eq!(order(&["targets > a", "targets > b", "a > c", "b > c", "c > d"]), "targets a c d b");
}

#[test]
fn s5_6_7_2_1_a_terminating_delegation_ends_the_search() {
    assert_eq!(order(&["targets > a!", "targets > b"]), "targets a");
    assert_eq!(order(&["targets > a", "targets > b!", "targets > c"]), "targets a b");
    // After what it delegates was searched.
    assert_eq!(order(&["targets > a!", "targets > b", "a > c", "c > d"]), "targets a c d");
    // Further up too.
    assert_eq!(order(&["targets > a", "targets > b", "a > c!", "a > d"]), "targets a c");
    // A delegation before it is searched as ever.
    assert_eq!(order(&["targets > a", "targets > b!", "a > c", "a > d", "targets > e"]), "targets a c d b");
}

#[test]
fn s5_6_7_2_1_a_terminating_delegation_that_is_not_for_the_target_ends_nothing() {
    let mut repository = Repository::new();
    repository.delegate("targets", Delegation::new("a").paths(&["other"]).terminating());
    repository.delegate("targets", Delegation::new("b").paths(&["x"]));
    repository.publish();
    assert_eq!(visited(&find(&repository, "x").unwrap()), ["targets", "b"]);
}

#[test]
fn s5_6_7_2_1_a_terminating_delegation_to_a_visited_role_ends_the_search() {
    assert_eq!(order(&["targets > a", "a > b!", "b > a", "b > c", "targets > d"]), "targets a b c");
    assert_eq!(order(&["targets > a", "targets > a2", "a > b", "a2 > b!", "a2 > c"]), "targets a b a2");
}

#[test]
fn s5_6_7_1_no_more_than_so_many_roles() {
    let names: Vec<String> = (0..100).map(|number| format!("role{number}")).collect();
    let edges: Vec<String> = names.iter().map(|name| format!("targets > {name}")).collect();
    let mut repository = graph(&edges.iter().map(String::as_str).collect::<Vec<_>>());
    let mut machine = Machine::new(&repository);
    let error = machine.find(&repository, "x").unwrap_err();
    assert_eq!((error.code(), error.class()), ("tuf-too-many-roles", Class::Unknown));
    let limit = machine.settings.limits.roles as usize;
    assert_eq!(machine.fetched().iter().filter(|path| path.contains("role")).count(), limit - 1);
    // What the last one of them lists is found, and what the next one lists is not.
    repository.add_target(&names[limit - 2], "last", b"");
    repository.add_target(&names[limit - 1], "next", b"");
    repository.publish();
    assert!(machine.find(&repository, "last").unwrap().found.is_some());
    assert_eq!(machine.find(&repository, "next").unwrap_err().code(), "tuf-too-many-roles");
    machine.settings.limits.roles += 1;
    assert!(machine.find(&repository, "next").unwrap().found.is_some());
}

#[test]
fn s5_6_7_1_a_search_that_ends_with_the_last_allowed_role_found_nothing() {
    let repository = graph(&["targets > a", "targets > b"]);
    let mut machine = Machine::new(&repository);
    machine.settings.limits.roles = 3;
    assert_eq!(machine.find(&repository, "x").unwrap().found, None);
    machine.settings.limits.roles = 2;
    assert_eq!(machine.find(&repository, "x").unwrap_err().code(), "tuf-too-many-roles");
}

#[test]
fn s5_6_7_ten_thousand_delegations_are_bounded() {
    let mut repository = Repository::new();
    let key = Key::ed25519("all");
    set(repository.signed("targets"), "/delegations", json(r#"{"keys":{},"roles":[]}"#));
    set(repository.signed("targets"), &format!("/delegations/keys/{}", key.keyid()), key.json().clone());
    let roles: Vec<String> = (0..10_000)
        .map(|n| format!(r#"{{"name":"r{n}","keyids":["{}"],"threshold":1,"paths":["*"],"terminating":false}}"#, key.keyid()))
        .collect();
    repository.set("targets", "/delegations/roles", json(&format!("[{}]", roles.join(","))));
    repository.add_target("targets", "file", b"content");
    repository.publish();
    let mut machine = Machine::new(&repository);
    assert!(machine.find(&repository, "file").unwrap().found.is_some());
    let before = machine.steps.len();
    // None of them is listed in the snapshot.
    assert_eq!(machine.find(&repository, "x").unwrap_err().code(), "tuf-role-unlisted");
    assert!(machine.steps.len() <= before);
}

#[test]
fn s4_3_a_role_with_more_keyids_than_any_has_is_refused() {
    let key = Key::ed25519("acme");
    for (number, good) in [(MAX_KEYIDS, true), (MAX_KEYIDS + 1, false)] {
        let mut repository = honest();
        let keyids: Vec<_> = (1..number).map(|number| number.to_string().into()).chain([key.keyid().to_owned().into()]).collect();
        repository.set("targets", "/delegations/roles/0/keyids", keyids);
        repository.publish();
        let outcome = find(&repository, "acme/tool").map(|outcome| outcome.found.is_some());
        assert_eq!(outcome.map_err(|error| error.code()), if good { Ok(true) } else { Err("tuf-malformed") });
    }
}

#[test]
fn s5_6_7_a_deep_chain_of_delegations_is_bounded() {
    let edges: Vec<String> = ["targets > r0".to_owned()].into_iter().chain((0..100).map(|n| format!("r{n} > r{}", n + 1))).collect();
    let repository = graph(&edges.iter().map(String::as_str).collect::<Vec<_>>());
    let mut machine = Machine::new(&repository);
    assert_eq!(machine.find(&repository, "x").unwrap_err().code(), "tuf-too-many-roles");
    assert!(machine.fetched().len() <= 4 + machine.settings.limits.roles as usize);
}

#[test]
fn s5_6_7_a_role_that_cannot_be_had_or_verified_ends_the_search() {
    // Going on would let whoever withholds a role choose who decides.
    let mut repository = graph(&["targets > a", "targets > b"]);
    repository.add_target("b", "x", b"of less trust");
    repository.publish();
    let mut gone = repository.clone();
    gone.lose("1.a.json");
    assert_eq!(find(&gone, "x").unwrap_err().code(), "tuf-missing");
    let mut bad = repository.clone();
    bad.forge_by("a", &[Key::ed25519("b")], |_| ());
    let error = find(&bad, "x").unwrap_err();
    assert_eq!(error.code(), "tuf-threshold");
    is(&error, Class::Untrusted);
    assert_eq!(find(&repository, "x").unwrap().found.unwrap().role.as_str(), "b");
}

#[test]
fn s5_6_7_after_a_search_that_failed_other_targets_are_found() {
    let mut repository = honest();
    repository.delegate("targets", Delegation::new("bad").paths(&["bad/*"]));
    repository.publish();
    repository.forge_by("bad", &[Key::ed25519("stranger")], |_| ());
    let mut machine = Machine::new(&repository);
    let mut client = machine.refresh(&repository).unwrap();
    for _ in 0..2 {
        assert_eq!(machine.look_up(&mut client, &repository, "bad/x").unwrap_err().code(), "tuf-threshold");
        assert!(machine.look_up(&mut client, &repository, "acme/tool").unwrap().found.is_some());
        assert!(machine.look_up(&mut client, &repository, "file").unwrap().found.is_some());
        assert_eq!(machine.look_up(&mut client, &repository, "none").unwrap().found, None);
    }
    // Roles that are here are not asked for again.
    assert_eq!(machine.fetched().iter().filter(|path| path.contains("acme")).count(), 1);
}

#[test]
fn s5_6_7_a_search_that_is_given_up_leaves_nothing_to_the_next() {
    let mut repository = graph(&["targets > a", "targets > b", "a > c"]);
    repository.add_target("b", "in b", b"b");
    repository.publish();
    let [other, target] = ["no such target", "in b"].map(|path| touchmark_tuf::TargetPath::new(path).unwrap());
    // After every number of steps, with an answer that was not taken, and without.
    for steps in 0..10 {
        for answered in [false, true] {
            let mut machine = Machine::new(&repository);
            let mut client = machine.refresh(&repository).unwrap();
            client.look_up(&other).unwrap();
            for _ in 0..steps {
                machine.step(&mut client, &repository).unwrap();
            }
            if answered {
                client.answer(touchmark_tuf::Answer::Bytes(b"}".to_vec()));
            }
            client.look_up(&target).unwrap();
            machine.drive(&mut client, &repository).unwrap();
            let outcome = client.found().unwrap();
            assert_eq!((visited(&outcome), outcome.found.is_some()), (vec!["targets", "a", "c", "b"], true), "{steps}");
        }
    }
}

#[test]
fn s5_6_7_a_search_that_failed_has_no_outcome() {
    let mut repository = honest();
    repository.delegate("targets", Delegation::new("unlisted").paths(&["unlisted"]));
    repository.push("targets");
    repository.delegate("targets", Delegation::new("gone").paths(&["gone"]));
    repository.publish();
    repository.lose("1.gone.json");
    let mut machine = Machine::new(&repository);
    for target in ["unlisted", "gone"] {
        repository.unset("snapshot", "/meta/unlisted.json");
        repository.push("snapshot");
        let mut client = machine.refresh(&repository).unwrap();
        assert!(machine.look_up(&mut client, &repository, target).is_err());
        assert_eq!(client.found(), None, "{target}");
        repository.describe("unlisted");
        machine = Machine::new(&repository);
    }
}

#[test]
fn s5_6_7_a_search_needs_a_finished_update() {
    let repository = honest();
    let mut client = touchmark_tuf::Client::new(Settings::default(), touchmark_tuf::UnixTime::from_seconds(0).unwrap());
    let target = touchmark_tuf::TargetPath::new("file").unwrap();
    assert_eq!(client.look_up(&target), Err(Error::NotReady));
    assert_eq!(client.found(), None);
    let mut machine = Machine::new(&repository);
    let mut evil = repository.clone();
    evil.lose("timestamp.json");
    assert!(machine.drive(&mut client, &evil).is_err());
    assert_eq!(client.look_up(&target), Err(Error::NotReady));
    // Nor while it goes on with what an earlier one stored, which it is about to replace.
    let mut machine = Machine::refreshed(&repository);
    let mut newer = repository.clone();
    renew(&mut newer);
    let mut client = touchmark_tuf::Client::new(Settings::default(), touchmark_tuf::UnixTime::from_seconds(machine.at).unwrap());
    while !machine.steps.contains(&"fetch 3.snapshot.json".to_owned()) {
        assert_eq!(client.look_up(&target), Err(Error::NotReady), "{:?}", machine.steps);
        machine.step(&mut client, &newer).unwrap();
    }
    assert_eq!(client.look_up(&target), Err(Error::NotReady));
    machine.drive(&mut client, &newer).unwrap();
    assert!(machine.look_up(&mut client, &newer, "file").unwrap().found.is_some());
}

// Diamonds: one role, two delegators.

/// `targets` delegates to `left` and `right`, and both to `shared`, each by a key of its own.
fn diamond() -> Repository {
    let mut repository = Repository::new();
    for (side, path) in [("left", "left/*"), ("right", "right/*")] {
        repository.delegate("targets", Delegation::new(side).paths(&[path]));
        let key = Key::ed25519(&format!("shared of {side}"));
        repository.delegate(side, Delegation::new("shared").paths(&[path]).keys(1, &[key]));
        repository.add_target("shared", &format!("{side}/x"), side.as_bytes());
    }
    repository.publish();
    repository
}

#[test]
fn a_diamond_signed_for_both_delegators_is_found_by_both() {
    let repository = diamond();
    let mut machine = Machine::new(&repository);
    let mut client = machine.refresh(&repository).unwrap();
    for side in ["left", "right"] {
        let found = machine.look_up(&mut client, &repository, &format!("{side}/x")).unwrap();
        assert_eq!(visited(&found), ["targets", side, "shared"]);
    }
    assert_eq!(machine.fetched().iter().filter(|path| path.contains("shared")).count(), 1);
}

#[test]
fn a_diamond_signed_for_one_delegator_is_refused_by_the_other_in_one_run_and_in_the_next() {
    let mut repository = diamond();
    repository.forge_by("shared", &[Key::ed25519("shared of left")], |_| ());
    let mut machine = Machine::new(&repository);
    let mut client = machine.refresh(&repository).unwrap();
    for _ in 0..2 {
        assert!(machine.look_up(&mut client, &repository, "left/x").unwrap().found.is_some());
        assert_eq!(machine.look_up(&mut client, &repository, "right/x").unwrap_err().code(), "tuf-threshold");
    }
    // The other way round, and with what the last run stored.
    for _ in 0..2 {
        assert_eq!(machine.find(&repository, "right/x").unwrap_err().code(), "tuf-threshold");
        assert!(machine.find(&repository, "left/x").unwrap().found.is_some());
    }
}

#[test]
fn a_diamond_with_a_higher_threshold_on_one_side_is_verified_by_it() {
    let mut repository = Repository::new();
    let keys = ["a", "b"].map(Key::ed25519);
    for (side, threshold) in [("one", 1), ("two", 2)] {
        let path = format!("{side}/*");
        repository.delegate("targets", Delegation::new(side).paths(&[&path]));
        repository.delegate(side, Delegation::new("shared").paths(&[&path]).keys(threshold, &keys));
        repository.add_target("shared", &format!("{side}/x"), b"x");
    }
    repository.publish();
    repository.forge_by("shared", &keys[..1], |_| ());
    let mut machine = Machine::new(&repository);
    let mut client = machine.refresh(&repository).unwrap();
    assert!(machine.look_up(&mut client, &repository, "one/x").unwrap().found.is_some());
    assert_eq!(machine.look_up(&mut client, &repository, "two/x").unwrap_err().code(), "tuf-threshold");
}

#[test]
fn a_stored_role_is_verified_by_the_delegator_s_keys_of_today() {
    // The delegator took the key of `acme` away, and nothing of `acme` itself changed.
    let mut repository = honest();
    let mut machine = Machine::new(&repository);
    machine.find(&repository, "acme/tool").unwrap();
    let new = Key::ed25519("new key of acme");
    repository.set("targets", "/delegations/roles", json("[]"));
    repository.set_signers("acme", std::slice::from_ref(&new));
    repository.delegate("targets", Delegation::new("acme").paths(&["acme/*"]).keys(1, std::slice::from_ref(&new)));
    repository.publish();
    assert_eq!(machine.find(&repository, "acme/tool").unwrap_err().code(), "tuf-threshold");
    repository.sign("acme");
    assert!(machine.find(&repository, "acme/tool").unwrap().found.is_some());
}

#[test]
fn one_keyid_may_be_different_keys_of_different_delegators() {
    // TAP 12: the keyids of a delegator are its own.
    let mut repository = Repository::new();
    for side in ["left", "right"] {
        let path = format!("{side}/*");
        repository.delegate("targets", Delegation::new(side).paths(&[&path]));
        let key = Key::ed25519(side).with_keyid("1");
        repository.delegate(side, Delegation::new("shared").paths(&[&path]).keys(1, &[key]));
        repository.add_target("shared", &format!("{side}/x"), b"x");
    }
    repository.publish();
    for side in ["left", "right"] {
        assert!(find(&repository, &format!("{side}/x")).unwrap().found.is_some());
    }
}

// Hash prefixes and bins.

#[test]
fn s4_5_path_hash_prefixes_are_of_the_hexadecimal_sha256_of_the_path() {
    let hash = Algorithm::Sha256.digest(b"dir/file.txt").hex();
    for (prefix, covered) in [(&hash[..1], true), (&hash[..4], true), (&hash, true), ("", true), ("g", false), (&hash[1..5], false)] {
        let mut repository = Repository::new();
        repository.delegate("targets", Delegation::new("bin").prefixes(&["0000000000", prefix]));
        repository.add_target("bin", "dir/file.txt", b"content");
        repository.publish();
        let outcome = find(&repository, "dir/file.txt");
        // What is no hexadecimal text is malformed, or covers nothing.
        assert_eq!(outcome.is_ok_and(|outcome| outcome.found.is_some()), covered, "{prefix}");
    }
}

#[test]
fn s4_5_sixteen_bins_by_prefix_share_all_paths() {
    let mut repository = Repository::new();
    let digits: Vec<String> = (0..16).map(|digit| format!("{digit:x}")).collect();
    for digit in &digits {
        repository.delegate("targets", Delegation::new(&format!("bin-{digit}")).prefixes(&[digit]));
    }
    let paths: Vec<String> = (0..40).map(|number| format!("dir/file{number}")).collect();
    for path in &paths {
        let hash = Algorithm::Sha256.digest(path.as_bytes()).hex();
        repository.add_target(&format!("bin-{}", &hash[..1]), path, path.as_bytes());
    }
    repository.publish();
    let mut machine = Machine::new(&repository);
    let mut client = machine.refresh(&repository).unwrap();
    for path in &paths {
        assert_eq!(machine.look_up(&mut client, &repository, path).unwrap().visited.len(), 2, "{path}");
    }
    assert_eq!(machine.look_up(&mut client, &repository, "none").unwrap().found, None);
}

#[test]
fn tap_15_bins_are_named_and_chosen_by_the_first_bits() {
    // From python-tuf 7.0.1: SuccinctRoles([], 1, bits, "bin").get_role_for_target(path).
    for (bits, path, bin) in BINS {
        let mut repository = Repository::new();
        let key = Key::ed25519("bins");
        repository.set("targets", "/delegations", json(r#"{"keys":{}}"#));
        repository.set("targets", &format!("/delegations/keys/{}", key.keyid()), key.json().clone());
        let bins = format!(r#"{{"keyids":["{}"],"threshold":1,"bit_length":{bits},"name_prefix":"bin"}}"#, key.keyid());
        repository.set("targets", "/delegations/succinct_roles", json(&bins));
        repository.publish();
        let error = find(&repository, path).unwrap_err();
        assert!(matches!(&error, Error::Unlisted { file } if *file == format!("{bin}.json")), "{bits} {path}: {error}");
    }
}

#[test]
fn tap_15_every_bin_is_found() {
    for bits in 1..=5 {
        let mut repository = Repository::new();
        repository.delegate("targets", Delegation::bins("b", bits).keys(1, &[Key::ed25519("bins")]));
        for number in 0..50_u32 {
            let path = format!("file{number}");
            let first = Algorithm::Sha256.digest(path.as_bytes()).as_bytes()[0];
            let bin = u32::from(first) >> (8 - bits);
            let role = if bits <= 4 { format!("b-{bin:x}") } else { format!("b-{bin:02x}") };
            repository.add_target(&role, &path, b"content");
        }
        repository.publish();
        let mut machine = Machine::new(&repository);
        let mut client = machine.refresh(&repository).unwrap();
        for number in 0..50 {
            let outcome = machine.look_up(&mut client, &repository, &format!("file{number}")).unwrap();
            assert!(outcome.found.is_some() && outcome.visited.len() == 2, "{bits} bits, file{number}");
        }
    }
}

#[test]
fn tap_15_bins_are_not_terminating_unless_the_caller_wants_them_to_be() {
    let mut repository = Repository::new();
    repository.delegate("targets", Delegation::new("namespace").paths(&["*"]));
    repository.delegate("namespace", Delegation::bins("bin", 1));
    repository.delegate("targets", Delegation::new("after").paths(&["*"]));
    repository.add_target("after", "x", b"x");
    repository.publish();
    let mut machine = Machine::new(&repository);
    assert_eq!(machine.find(&repository, "x").unwrap().found.unwrap().role.as_str(), "after");
    machine.settings.succinct = Succinct::Terminating;
    let outcome = machine.find(&repository, "x").unwrap();
    assert_eq!((outcome.found, outcome.visited.len()), (None, 3));
}

#[test]
fn tap_15_a_bin_that_is_missing_is_not_passed_over() {
    let mut repository = Repository::new();
    repository.delegate("targets", Delegation::bins("bin", 1));
    repository.publish();
    for path in ["1.bin-0.json", "1.bin-1.json"] {
        repository.lose(path);
    }
    assert_eq!(find(&repository, "x").unwrap_err().code(), "tuf-missing");
}

#[test]
fn tap_15_bad_descriptions_of_bins_are_refused() {
    let mut repository = Repository::new();
    repository.delegate("targets", Delegation::bins("bin", 1));
    repository.publish();
    for (pointer, value) in [
        ("/delegations/succinct_roles/bit_length", "0"),
        ("/delegations/succinct_roles/bit_length", "33"),
        ("/delegations/succinct_roles/bit_length", "-1"),
        ("/delegations/succinct_roles/bit_length", "18446744073709551617"),
        ("/delegations/succinct_roles/bit_length", "\"1\""),
        ("/delegations/succinct_roles/threshold", "0"),
        ("/delegations/succinct_roles/name_prefix", "1"),
        ("/delegations/succinct_roles/keyids", "{}"),
        ("/delegations/succinct_roles", "[]"),
        // One or the other.
        ("/delegations/roles", "[]"),
    ] {
        let mut evil = repository.clone();
        evil.forge("targets", |signed| set(signed, pointer, json(value)));
        let error = find(&evil, "x").unwrap_err();
        assert!(matches!(error.code(), "tuf-malformed" | "tuf-document"), "{pointer} {value}: {error}");
    }
}

#[test]
fn tap_15_names_of_bins_lead_nowhere_else() {
    for prefix in ["../../x", "/abs", "a\\b", "root", ""] {
        let mut repository = Repository::new();
        repository.delegate("targets", Delegation::bins(prefix, 1));
        repository.add_target(&format!("{prefix}-0"), "x", b"0");
        repository.add_target(&format!("{prefix}-1"), "x", b"1");
        repository.publish();
        // The machine asserts that no name leaves the store or the metadata URL.
        assert!(find(&repository, "x").unwrap().found.is_some(), "{prefix}");
    }
}

#[test]
fn a_search_after_an_update_goes_by_the_new_metadata() {
    let mut repository = honest();
    let mut machine = Machine::new(&repository);
    machine.find(&repository, "acme/tool").unwrap();
    repository.add_target("acme", "acme/tool", b"newer content");
    renew(&mut repository);
    assert_eq!(machine.find(&repository, "acme/tool").unwrap().found.unwrap().target.length, 13);
}

#[test]
fn what_is_trusted_and_found_is_told_as_json() {
    let mut repository = honest();
    repository.delegate("targets", Delegation::new("a").paths(&["dir/*"]));
    repository.add_target("a", "dir/file", b"content");
    repository.publish();
    let text = |object: touchmark_envelope::json::Object<'static>| {
        String::from_utf8(touchmark_envelope::json::Value::Object(object).to_vec()).unwrap()
    };
    let mut client = touchmark_tuf::Client::new(Settings::default(), touchmark_tuf::UnixTime::from_seconds(0).unwrap());
    let nothing = r#"{"at":"1970-01-01T00:00:00Z","root":null,"timestamp":null,"snapshot":null,"targets":null}"#;
    assert_eq!(text(client.to_json()), nothing);
    let mut machine = Machine::new(&repository);
    client = machine.refresh(&repository).unwrap();
    let role = |name: &str| format!(r#""{name}":{{"version":{},"expires":"2030-01-01T00:00:00Z"}}"#, repository.version(name));
    let roles = ["root", "timestamp", "snapshot", "targets"].map(role).join(",");
    assert_eq!(text(client.to_json()), format!(r#"{{"at":"2026-11-28T00:00:00Z",{roles}}}"#));
    let outcome = machine.look_up(&mut client, &repository, "dir/file").unwrap();
    let hash = touchmark_envelope::digest::Algorithm::Sha256.digest(b"content").hex();
    let found = format!(r#"{{"target":"dir/file","role":"a","length":7,"hashes":{{"sha256":"{hash}"}}}}"#);
    assert_eq!(text(outcome.found.unwrap().to_json(&outcome.target)), found);
}
