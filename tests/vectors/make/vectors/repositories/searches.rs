//! The search through delegations (TUF 1.0, 5.6.7).

use touchmark_envelope::digest::Algorithm;
use touchmark_test_tuf_repository::{Delegation, Key, NOW, Repository};

use super::super::{Vectors, coded, ok, refused};
use super::{Updates, found, target};

pub(super) fn add(vectors: &mut Vectors) {
    orders(vectors);
    patterns(vectors);
    bins(vectors);
    keys(vectors);
}

/// An update of a repository, and what is found.
fn case(vectors: &mut Vectors, id: &str, why: &str, repository: &Repository, targets: Vec<touchmark_envelope::json::Value<'static>>) {
    let mut updates = Updates::new(&format!("search-{id}"), repository);
    updates.update(vectors, repository, NOW, ok(), targets);
    updates.finish(vectors, why, "21.4");
}

fn orders(vectors: &mut Vectors) {
    let two = |first: Delegation, second: Delegation| {
        let mut repository = Repository::new();
        repository.delegate("targets", first);
        repository.delegate("targets", second);
        repository
    };
    let plain = |name: &str| Delegation::new(name).paths(&["x/*"]);
    let none = || target("x/a", refused("NOT_FOUND"));
    let mut first = two(plain("one"), plain("two"));
    first.add_target("one", "x/a", b"of one");
    first.add_target("two", "x/a", b"of two");
    first.publish();
    case(vectors, "first-decides", "the first role that lists a target decides", &first, vec![found("x/a", "one", b"of one")]);
    let mut order = two(plain("b"), plain("a"));
    order.add_target("a", "x/a", b"of a");
    order.add_target("b", "x/a", b"of b");
    order.publish();
    case(vectors, "order", "in the order of the document, not of the names (CVE-2024-47534)", &order, vec![found("x/a", "b", b"of b")]);
    let mut second = two(plain("one"), plain("two"));
    second.add_target("two", "x/a", b"of two");
    second.publish();
    case(vectors, "second", "the second, where the first lists nothing", &second, vec![found("x/a", "two", b"of two")]);
    let mut terminating = two(plain("one").terminating(), plain("two"));
    terminating.add_target("two", "x/a", b"of two");
    terminating.publish();
    case(vectors, "terminating", "a terminating delegation ends the search (CVE-2025-2886)", &terminating, vec![none()]);
    let mut elsewhere = two(Delegation::new("one").paths(&["y/*"]).terminating(), plain("two"));
    elsewhere.add_target("two", "x/a", b"of two");
    elsewhere.publish();
    case(vectors, "terminating-elsewhere", "one that is not for the target ends nothing", &elsewhere, vec![found("x/a", "two", b"of two")]);
    let mut above = two(plain("one"), plain("two"));
    above.add_target("targets", "x/a", b"of targets");
    above.add_target("one", "x/a", b"of one");
    above.publish();
    case(vectors, "delegator-first", "a role before those that it delegates to", &above, vec![found("x/a", "targets", b"of targets")]);
    let mut deep = two(plain("one"), plain("two"));
    deep.delegate("one", Delegation::new("below").paths(&["x/a"]));
    deep.add_target("below", "x/a", b"of below");
    deep.add_target("two", "x/a", b"of two");
    deep.publish();
    case(vectors, "depth-first", "depth first", &deep, vec![found("x/a", "below", b"of below")]);
    let mut chain = Repository::new();
    chain.delegate("targets", Delegation::new("one").paths(&["x/*"]));
    chain.delegate("one", Delegation::new("below").paths(&["*", "*/*"]));
    chain.add_target("below", "x/a", b"a");
    chain.add_target("below", "y/a", b"a");
    chain.publish();
    let why = "a target must be in the paths of every delegation of the chain";
    case(vectors, "every-delegation", why, &chain, vec![found("x/a", "below", b"a"), target("y/a", refused("NOT_FOUND"))]);
    let mut cycle = Repository::new();
    cycle.delegate("targets", Delegation::new("one").paths(&["*"]));
    cycle.delegate("one", Delegation::new("two").paths(&["*"]));
    cycle.delegate("two", Delegation::new("one").paths(&["*"]));
    cycle.add_target("two", "a", b"a");
    cycle.publish();
    case(vectors, "cycle", "each role is visited once", &cycle, vec![found("a", "two", b"a"), target("b", refused("NOT_FOUND"))]);
    let mut unlisted = super::honest();
    unlisted.delegate("targets", Delegation::new("unlisted").paths(&["unlisted"]));
    unlisted.bump("targets");
    unlisted.push("targets");
    let expect = coded("UNTRUSTED_METADATA", "tuf-role-unlisted");
    case(
        vectors,
        "unlisted",
        "a role that the snapshot does not list",
        &unlisted,
        vec![target("unlisted", expect), found("file", "targets", b"content")],
    );
    let mut lost = two(plain("one"), plain("two"));
    lost.add_target("two", "x/a", b"of two");
    lost.publish();
    let path = lost.path("one");
    lost.lose(&path);
    let why = "a role that is missing is not passed over: what it lists is not known";
    case(vectors, "missing", why, &lost, vec![target("x/a", coded("UNKNOWN", "tuf-missing"))]);
}

fn patterns(vectors: &mut Vectors) {
    for (id, pattern, path, is_for) in [
        ("star", "x/*", "x/a", true),
        ("star-is-no-slash", "x/*", "x/a/b", false),
        ("question", "x/?", "x/a", true),
        ("question-is-one", "x/?", "x/ab", false),
        ("exact", "x/a", "x/a", true),
        ("prefix", "x", "x/a", false),
        ("case", "X/*", "x/a", false),
        ("dot", "x/a.b", "x/acb", false),
        ("star-within", "x/a*c", "x/abc", true),
        ("brackets-are-no-set", "x/[ab]", "x/a", false),
        ("brackets-are-themselves", "x/[ab]", "x/[ab]", true),
        ("backslash", "x\\a", "x/a", false),
        ("hidden", "*", ".a", true),
        ("everything", "*", "x/a", false),
        ("outside-ascii", "x/\u{e9}", "x/\u{e9}", true),
        ("not-normalised", "x/\u{e9}", "x/e\u{301}", false),
    ] {
        let mut repository = Repository::new();
        repository.delegate("targets", Delegation::new("role").paths(&[pattern]));
        repository.add_target("role", path, b"a");
        repository.publish();
        let expect = if is_for { found(path, "role", b"a") } else { target(path, refused("NOT_FOUND")) };
        case(vectors, &format!("pattern-{id}"), "whether a path is in a pattern", &repository, vec![expect]);
    }
}

fn bins(vectors: &mut Vectors) {
    let mut repository = Repository::new();
    for digit in 0..16 {
        repository.delegate("targets", Delegation::new(&format!("bin-{digit:x}")).prefixes(&[&format!("{digit:x}")]));
    }
    let paths = ["dir/file0", "dir/file1", "file2"];
    let mut targets = Vec::new();
    for path in paths {
        let hash = Algorithm::Sha256.digest(path.as_bytes()).hex();
        let role = format!("bin-{}", &hash[..1]);
        repository.add_target(&role, path, path.as_bytes());
        targets.push(found(path, &role, path.as_bytes()));
    }
    repository.publish();
    targets.push(target("none", refused("NOT_FOUND")));
    case(vectors, "prefixes", "sixteen roles by the first digit of the path's hash", &repository, targets);
    // SHA-256 of these paths, by sha256sum, begins with 0x56, 0xc1 and 0x33.
    for (bits, roles) in [(1, ["bin-0", "bin-1", "bin-0"]), (4, ["bin-5", "bin-c", "bin-3"]), (5, ["bin-0a", "bin-18", "bin-06"])] {
        let mut repository = Repository::new();
        repository.delegate("targets", Delegation::bins("bin", bits));
        let mut targets = Vec::new();
        for (path, role) in ["file0", "file1", "file2"].into_iter().zip(roles) {
            repository.add_target(role, path, path.as_bytes());
            targets.push(found(path, role, path.as_bytes()));
        }
        repository.publish();
        targets.push(target("none", refused("NOT_FOUND")));
        case(vectors, &format!("succinct-{bits}"), "succinct hash bins (TAP 15)", &repository, targets);
    }
    let mut after = Repository::new();
    after.delegate("targets", Delegation::new("namespace").paths(&["*"]));
    after.delegate("namespace", Delegation::bins("bin", 1));
    after.delegate("targets", Delegation::new("after").paths(&["*"]));
    after.add_target("after", "x", b"x");
    after.publish();
    case(vectors, "succinct-not-terminating", "bins are not terminating (TAP 15)", &after, vec![found("x", "after", b"x")]);
}

/// A role is verified by the keys of whoever delegates to it.
fn keys(vectors: &mut Vectors) {
    let mut diamond = Repository::new();
    for side in ["left", "right"] {
        let path = format!("{side}/*");
        diamond.delegate("targets", Delegation::new(side).paths(&[&path]));
        let key = Key::ed25519(&format!("shared of {side}"));
        diamond.delegate(side, Delegation::new("shared").paths(&[&path]).keys(1, &[key]));
        diamond.add_target("shared", &format!("{side}/x"), side.as_bytes());
    }
    diamond.publish();
    let left = || found("left/x", "shared", b"left");
    case(
        vectors,
        "diamond",
        "a role under two delegators that both keys signed",
        &diamond,
        vec![left(), found("right/x", "shared", b"right")],
    );
    let mut one_sided = diamond.clone();
    one_sided.forge_by("shared", &[Key::ed25519("shared of left")], |_| ());
    let refusal = || target("right/x", coded("UNTRUSTED_METADATA", "tuf-threshold"));
    let why = "it is verified by each delegator's keys, also when it was loaded for the other";
    case(vectors, "diamond-one-sided", why, &one_sided, vec![left(), refusal(), left()]);
    let key = Key::ed25519("one");
    let twice = [key.clone().with_keyid("1"), key.with_keyid("2")];
    let mut unreachable = Repository::new();
    unreachable.delegate("targets", Delegation::new("acme").paths(&["acme/*"]).keys(2, &twice));
    unreachable.delegate("targets", Delegation::new("other").paths(&["other"]));
    unreachable.add_target("acme", "acme/x", b"x");
    unreachable.add_target("other", "other", b"other");
    unreachable.publish();
    let expect = coded("UNTRUSTED_METADATA", "tuf-threshold-unreachable");
    case(
        vectors,
        "one-key-as-two",
        "one key under two keyids reaches no threshold of two",
        &unreachable,
        vec![target("acme/x", expect), found("other", "other", b"other")],
    );
    let three = [Key::p256("one"), Key::p256_old_type("one"), Key::p256_point("one")];
    let mut described = Repository::new();
    described.delegate("targets", Delegation::new("acme").paths(&["acme/*"]).keys(2, &three));
    described.add_target("acme", "acme/x", b"x");
    described.publish();
    let expect = coded("UNTRUSTED_METADATA", "tuf-threshold-unreachable");
    case(vectors, "one-key-in-three-descriptions", "one key, described in three ways", &described, vec![target("acme/x", expect)]);
    let mut changed = super::honest();
    let mut updates = Updates::new("search-key-taken-away", &changed);
    updates.update(vectors, &changed, NOW, ok(), super::both());
    let new = Key::ed25519("new key of acme");
    changed.set("targets", "/delegations/roles", touchmark_test_tuf_repository::json("[]"));
    changed.set_signers("acme", std::slice::from_ref(&new));
    changed.delegate("targets", Delegation::new("acme").paths(&["acme/*"]).keys(1, std::slice::from_ref(&new)));
    changed.publish();
    updates.update(vectors, &changed, NOW, ok(), vec![target("acme/tool", coded("UNTRUSTED_METADATA", "tuf-threshold"))]);
    changed.sign("acme");
    updates.update(vectors, &changed, NOW, ok(), super::both());
    updates.finish(vectors, "what is stored is verified by the delegator's keys of today", "21.4");
    let paths = ["../x", "/x", "a//b", "a/./b", "a/../b", "", "a/", "a\u{0}b", "a\nb"];
    let paths = paths.into_iter().map(|path| target(path, refused("INVALID_NAME"))).collect();
    case(vectors, "paths-that-lead-elsewhere", "paths that cannot be asked for (CVE-2021-41149)", &super::honest(), paths);
}
