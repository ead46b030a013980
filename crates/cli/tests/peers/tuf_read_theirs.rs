//! Repositories that python-tuf made, as `touchmark tuf`, python-tuf and go-tuf see them: the same targets, versions and refusals.

use serde_json::{Value, json};
use touchmark_test_registry::Site;

use crate::harness::Place;
use crate::tuf_peer::{Client, Made, Ours, Peer, Seen, assert_equal};

/// What go-tuf makes of a repository.
#[derive(Clone, Copy)]
enum Go {
    Agrees,
    /// It finds nothing of what is only reached by hash prefixes: it compares them with the hash in base64.
    FindsNoHashPrefix,
}

/// Asserts that the three clients, each with a store that it keeps from state to state, agree on every state; gives what was seen.
#[track_caller]
fn agree_but(go: Go, states: &[Value], names: &[&str]) -> Option<Vec<Seen>> {
    let place = Place::new();
    let made = Made::new(&place, states)?;
    let (mut python, mut go_tuf, mut ours) = (Peer::python(&place)?, Peer::go(&place)?, Ours::new(&place));
    let site = Site::start(&made.folders[0]);
    let mut seen = Vec::new();
    for (number, folder) in made.folders.iter().enumerate() {
        site.show(folder);
        let state = format!("state {number}");
        let reference = python.see(&site, &made.root(), names);
        let by_go = go_tuf.see(&site, &made.root(), names);
        match go {
            Go::Agrees => assert_equal((python.name(), &reference), (go_tuf.name(), &by_go), &state),
            Go::FindsNoHashPrefix => assert!(by_go.refused.is_none() && by_go.found.values().all(Option::is_none), "{by_go:#?}"),
        }
        let by_us = ours.see(&site, &made.root(), names);
        assert_equal((python.name(), &reference), (ours.name(), &by_us), &state);
        if by_us.refused.is_none() {
            for role in ["root", "timestamp", "snapshot", "targets"] {
                assert_eq!(made.versions[number][role], by_us.version(role), "{state}: {role}");
            }
        }
        seen.push(by_us);
    }
    Some(seen)
}

/// The same, for what is accepted in every state with all of the names but those that begin with `none`.
#[track_caller]
fn agree(states: &[Value], names: &[&str]) {
    agree_on(Go::Agrees, states, names);
}

#[track_caller]
fn agree_on(go: Go, states: &[Value], names: &[&str]) {
    let Some(seen) = agree_but(go, states, names) else { return };
    for seen in seen {
        assert!(seen.refused.is_none(), "{seen:#?}");
        assert!(seen.found.iter().all(|(name, found)| found.is_some() != name.starts_with("none")), "{seen:#?}");
    }
}

/// The same, for what is accepted in all states but the last, which is refused.
#[track_caller]
fn refused(states: &[Value], names: &[&str]) {
    let Some(seen) = agree_but(Go::Agrees, states, names) else { return };
    let (last, before) = seen.split_last().unwrap();
    assert!(before.iter().all(|seen| seen.refused.is_none()), "{before:#?}");
    assert!(last.refused.is_some(), "{last:#?}");
}

fn three(kind: &str, role: &str) -> Value {
    json!({ "keys": [format!("{kind}/{role} 1"), format!("{kind}/{role} 2"), format!("{kind}/{role} 3")], "threshold": 2 })
}

#[test]
fn two_of_three_keys_of_every_type_are_enough() {
    for kind in ["ed25519", "ecdsa", "ecdsa384", "rsa"] {
        // Of RSA one key serves for everything: making one takes a while.
        let role = |role: &str| if kind == "rsa" { json!({ "keys": ["rsa/one"] }) } else { three(kind, role) };
        let roles =
            json!({ "root": role("root"), "timestamp": role("timestamp"), "snapshot": role("snapshot"), "targets": role("targets") });
        agree(&[json!({ "roles": roles, "targets": { "a": "content of a" } })], &["a", "none"]);
    }
}

#[test]
fn keys_of_several_types_count_together() {
    let mixed = json!({ "keys": ["ed25519/a", "ecdsa/b", "rsa/one"], "threshold": 3 });
    let roles = json!({ "root": mixed, "targets": mixed });
    agree(&[json!({ "roles": roles, "targets": { "a": "content" } })], &["a"]);
}

#[test]
fn one_of_three_keys_where_two_are_needed_is_refused() {
    for role in ["timestamp", "snapshot", "targets"] {
        let mut keys = three("ed25519", role);
        let good = json!({ "roles": { role: keys }, "targets": { "a": "1" } });
        keys["signers"] = json!([format!("ed25519/{role} 2")]);
        refused(&[good, json!({ "roles": { role: keys }, "targets": { "a": "2" } })], &["a"]);
    }
}

#[test]
fn signatures_of_keys_that_the_role_does_not_have_are_ignored() {
    let mut keys = three("ed25519", "targets");
    keys["signers"] = json!(["ecdsa/stranger", "ed25519/targets 1", "ed25519/stranger", "ed25519/targets 3"]);
    agree(&[json!({ "roles": { "targets": keys }, "targets": { "a": "1" } })], &["a"]);
}

#[test]
fn three_levels_of_delegation_by_paths_lead_to_the_target() {
    let c = json!([{ "name": "c", "keys": ["rsa/one", "ed25519/c"], "threshold": 2, "paths": ["acme/net/*.bin"],
        "targets": { "acme/net/monitor.bin": "monitor", "acme/net/none.txt": "not in the path" } }]);
    let b =
        json!([{ "name": "b", "keys": ["ecdsa/b"], "paths": ["acme/net/*"], "delegations": c, "targets": { "acme/net/b.txt": "of b" } }]);
    let a = json!([{ "name": "a", "keys": ["ed25519/a"], "paths": ["acme/*", "acme/*/*"], "delegations": b, "targets": { "acme/a": "of a" } },
        { "name": "second", "keys": ["ed25519/second"], "paths": ["*"], "targets": { "s": "of second", "acme/a": "a is asked first" } }]);
    let names = ["acme/net/monitor.bin", "acme/net/b.txt", "acme/a", "s", "top"];
    agree(&[json!({ "targets": { "top": "of targets" }, "delegations": a })], &names);
    let Some(seen) = agree_but(Go::Agrees, &[json!({ "delegations": a })], &["acme/net/none.txt"]) else { return };
    assert_eq!(seen[0].found["acme/net/none.txt"], None);
}

#[test]
fn a_terminating_delegation_ends_the_search() {
    let delegations = |terminating: bool| {
        json!([{ "name": "first", "keys": ["ed25519/a"], "paths": ["x/*"], "terminating": terminating, "targets": { "x/1": "of first" } },
            { "name": "second", "keys": ["ed25519/b"], "paths": ["x/*"], "targets": { "x/1": "of second", "x/2": "of second" } }])
    };
    let states = [json!({ "delegations": delegations(false) }), json!({ "delegations": delegations(true) })];
    let Some(seen) = agree_but(Go::Agrees, &states, &["x/1", "x/2"]) else { return };
    assert_eq!(seen[0].found["x/1"], seen[1].found["x/1"]);
    assert!(seen[0].found["x/2"].is_some() && seen[1].found["x/2"].is_none(), "{seen:#?}");
}

#[test]
fn targets_lie_in_hash_bins() {
    let names = ["a", "b/c", "d/e/f", "größe", "none"];
    let targets = json!({ "a": "1", "b/c": "2", "d/e/f": "3", "größe": "4" });
    for bits in [1, 4, 5, 8] {
        let bins =
            json!({ "bit_length": bits, "name_prefix": "bin", "keys": ["ecdsa/bins", "ed25519/bins"], "threshold": 2, "targets": targets });
        agree(&[json!({ "delegations": { "succinct": bins } })], &names);
        agree_on(Go::FindsNoHashPrefix, &[json!({ "delegations": { "bins": bins } })], &names);
    }
}

#[test]
fn bins_lie_below_a_delegation_by_paths() {
    let bins = json!({ "bit_length": 3, "name_prefix": "acme", "keys": ["ed25519/bins"], "targets": { "acme/1": "1", "acme/2": "2", "other": "not in the path" } });
    let delegations = json!([{ "name": "acme", "keys": ["ed25519/acme"], "paths": ["acme/*"], "delegations": { "succinct": bins } }]);
    agree(&[json!({ "delegations": delegations })], &["acme/1", "acme/2", "none"]);
}

#[test]
fn the_root_is_rotated_three_times_with_other_keys_and_thresholds() {
    let state = |number: usize, keys: &[&str], threshold: usize, timestamp: &str| {
        let roles = json!({ "root": { "keys": keys, "threshold": threshold }, "timestamp": { "keys": [timestamp] } });
        json!({ "roles": roles, "targets": { "a": format!("content {number}") } })
    };
    let states = [
        state(0, &["ed25519/a"], 1, "ed25519/t"),
        // Two more people and a threshold.
        state(1, &["ed25519/a", "ecdsa/b", "rsa/one"], 2, "ed25519/t"),
        // One leaves; the timestamp's key is replaced.
        state(2, &["ecdsa/b", "rsa/one"], 2, "ecdsa/t"),
        // Nobody of the first is left, and one suffices again.
        state(3, &["ed25519/d", "ecdsa/e"], 1, "ecdsa/t"),
    ];
    let Some(seen) = agree_but(Go::Agrees, &states, &["a"]) else { return };
    assert_eq!(seen.iter().map(|seen| seen.version("root")).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert!(seen.iter().all(|seen| seen.refused.is_none() && seen.found["a"].is_some()), "{seen:#?}");
    // Whoever saw none of it meets all four at once.
    let place = Place::new();
    let (Some(made), Some(mut python)) = (Made::new(&place, &states), Peer::python(&place)) else { return };
    let site = Site::start(&made.folders[3]);
    let late = Ours::new(&place).see(&site, &made.root(), &["a"]);
    assert_eq!((late.version("root"), &late.found), (4, &seen[3].found));
    assert_equal(("touchmark", &late), ("python-tuf", &python.see(&site, &made.root(), &["a"])), "late");
}

#[test]
fn a_root_that_the_old_keys_did_not_sign_is_refused() {
    let roles = |keys: Value| json!({ "roles": { "root": keys }, "targets": { "a": "1" } });
    let new = ["ed25519/c", "ed25519/d"];
    refused(
        &[
            roles(json!({ "keys": ["ed25519/a", "ed25519/b"], "threshold": 2 })),
            roles(json!({ "keys": new, "signers": [new[0], new[1], "ed25519/a"] })),
        ],
        &["a"],
    );
    refused(
        &[roles(json!({ "keys": ["ed25519/a"] })), roles(json!({ "keys": new, "threshold": 2, "signers": ["ed25519/a", new[0]] }))],
        &["a"],
    );
}

#[test]
fn snapshots_are_consistent_or_not() {
    let state = |consistent: bool, content: &str| {
        let delegations = json!([{ "name": "d", "keys": ["ed25519/d"], "paths": ["d/*"], "targets": { "d/x": content } }]);
        json!({ "consistent_snapshot": consistent, "targets": { "a": content }, "delegations": delegations })
    };
    agree(&[state(true, "1"), state(true, "2")], &["a", "d/x"]);
    agree(&[state(false, "1"), state(false, "2")], &["a", "d/x"]);
    agree(&[state(false, "1"), state(true, "2"), state(false, "3")], &["a", "d/x"]);
}

#[test]
fn lengths_and_hashes_in_the_snapshot_are_there_or_not_or_some_are() {
    let roles = |number: usize| json!([{ "name": format!("d{number}"), "keys": ["ecdsa/d"], "paths": [format!("d{number}/*")], "targets": { format!("d{number}/x"): "x" } }]);
    let all: Vec<Value> = (0..6).flat_map(|number| roles(number).as_array().unwrap().clone()).collect();
    let names = ["d0/x", "d1/x", "d2/x", "d3/x", "d4/x", "d5/x"];
    let states: Vec<Value> =
        ["none", "mixed", "all"].iter().map(|meta| json!({ "meta": meta, "targets": { (*meta): *meta }, "delegations": all })).collect();
    agree(&states, &names);
}

#[test]
fn members_that_nobody_knows_are_signed_with_the_rest() {
    let unknown =
        json!({ "x-first": [1, null, true, -7], "x-second": { "text": "tab\t, line\n, \"quoted\" \\ and größer 😀", "empty": {} } });
    let delegations = json!([{ "name": "d", "keys": ["ed25519/d"], "paths": ["d/*"], "targets": { "d/x": "x" } }]);
    let state = json!({ "unknown": unknown, "custom": { "about": unknown }, "targets": { "a": "1" }, "delegations": delegations });
    agree(&[state], &["a", "d/x"]);
}

#[test]
fn keyids_are_any_names() {
    let delegations =
        json!([{ "name": "d", "keys": ["ed25519/d", "ecdsa/d"], "threshold": 2, "paths": ["d/*"], "targets": { "d/x": "x" } }]);
    agree(&[json!({ "keyids": "names", "targets": { "a": "1" }, "delegations": delegations })], &["a", "d/x"]);
}

#[test]
fn names_of_any_script_are_found() {
    // Ordered by code points the first of the last two comes first, by UTF-16 the second.
    let names = ["größe.txt", "日本/語 版.txt", "a b+c~d.txt", "e\u{301}", "\u{e9}", "\u{ff21}.txt", "\u{1f600}.txt"];
    let targets: Value =
        names.iter().map(|name| ((*name).to_owned(), json!(format!("content of {name}")))).collect::<serde_json::Map<_, _>>().into();
    agree(&[json!({ "targets": targets })], &names);
    agree(&[json!({ "targets": targets, "ascii": false, "indent": 2 })], &names);
}

#[test]
fn serialisation_is_compact_or_indented_in_order_or_not() {
    let delegations = json!([{ "name": "d", "keys": ["ed25519/d"], "paths": ["d/*"], "targets": { "d/y": "y", "d/x": "x" } }]);
    for indent in [json!(null), json!(0), json!(1), json!(4)] {
        for sort in [true, false] {
            let state = json!({ "indent": indent, "sort": sort, "targets": { "z": "1", "a": "2" }, "delegations": delegations });
            agree(&[state], &["a", "z", "d/x", "d/y"]);
        }
    }
}

#[test]
fn sha512_beside_sha256_or_alone_is_checked() {
    for hashes in [json!(["sha256", "sha512"]), json!(["sha512"])] {
        agree(&[json!({ "hashes": hashes, "targets": { "a/b": "1" } })], &["a/b"]);
    }
}

#[test]
fn expired_roles_are_refused() {
    let good = json!({ "targets": { "a": "1" } });
    for role in ["root", "timestamp", "snapshot", "targets"] {
        let late = json!({ "expires": { role: "2001-01-01T00:00:00Z" }, "targets": { "a": "2" } });
        refused(&[good.clone(), late], &["a"]);
    }
}

#[test]
fn an_expired_delegated_role_takes_only_its_own_targets_with_it() {
    let delegations = json!([{ "name": "d", "keys": ["ed25519/d"], "paths": ["d/*"], "targets": { "d/x": "1" } },
        { "name": "e", "keys": ["ed25519/e"], "paths": ["e/*"], "targets": { "e/x": "1" } }]);
    let state = json!({ "expires": { "d": "2001-01-01T00:00:00Z" }, "targets": { "a": "1" }, "delegations": delegations });
    let Some(seen) = agree_but(Go::Agrees, &[state], &["a", "d/x", "e/x"]) else { return };
    assert!(seen[0].refused.is_none() && seen[0].found["a"].is_some() && seen[0].found["e/x"].is_some(), "{seen:#?}");
    assert!(seen[0].found["d/x"].is_none(), "{seen:#?}");
}

#[test]
fn versions_that_go_back_are_refused() {
    let state = |role: &str, version: u64, content: &str| json!({ "versions": { role: version }, "targets": { "a": content } });
    for role in ["timestamp", "snapshot", "targets"] {
        refused(&[state(role, 9, "1"), state(role, 8, "2")], &["a"]);
    }
}
