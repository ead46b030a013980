//! Lists of rules, beside the reference implementation: verdict and what is left in the queue.

use std::collections::BTreeMap;

use touchmark_envelope::json::{Object, Value};
use touchmark_in_toto::engine::{self, Work};
use touchmark_in_toto::{Artifacts, Error, Link, Origin, Parameters, Rule, Side};

use crate::python::{Peer, Random};

/// Digests by algorithm.
type Digests = Vec<(&'static str, &'static str)>;
type Names = BTreeMap<String, Digests>;
/// Artifacts as a case lists them.
type Listed<'a> = &'a [(&'a str, Digests)];
/// Materials and products.
type Sides<'a> = (Listed<'a>, Listed<'a>);

#[derive(Clone, Debug)]
struct Case {
    rules: Vec<Vec<String>>,
    side: Side,
    /// Materials and products of the item `it` and of others.
    links: BTreeMap<String, (Names, Names)>,
}

#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Pass(Vec<String>),
    Fail,
    Malformed,
}

impl Case {
    fn ours(&self) -> Verdict {
        let read = || -> Result<(Vec<Rule>, BTreeMap<&str, Link>), Error> {
            let rules = self.rules.iter().map(|rule| Rule::new(rule, &Parameters::new())).collect::<Result<_, _>>()?;
            let mut links = BTreeMap::new();
            for (name, (materials, products)) in &self.links {
                let artifacts =
                    |names: &Names| Artifacts::new(names.iter().map(|(name, digests)| (name.as_str(), digests.iter().copied())));
                let (materials, products) = (artifacts(materials)?, artifacts(products)?);
                links.insert(name.as_str(), Link { name: name.clone(), command: Vec::new(), materials, products, origin: Origin::Link });
            }
            Ok((rules, links))
        };
        let Ok((rules, links)) = read() else { return Verdict::Malformed };
        let item = &links["it"];
        let applied = engine::apply(&rules, self.side, item, |name| links.get(name), &mut Work::new(1 << 20)).unwrap();
        assert_eq!(applied.rules().len(), rules.len());
        let names = item.artifacts(self.side).iter().zip(applied.consumed_by());
        let left: Vec<String> = names.filter(|(_, rule)| rule.is_none()).map(|(artifact, _)| artifact.name.to_owned()).collect();
        // What each rule says that it left is what is left.
        assert_eq!(applied.rules().last().map_or(item.artifacts(self.side).len(), |last| last.left), left.len());
        if applied.is_passed() { Verdict::Pass(left) } else { Verdict::Fail }
    }

    fn question(&self) -> Value<'static> {
        let words = |rule: &Vec<String>| Value::from(rule.iter().cloned().map(Value::from).collect::<Vec<_>>());
        let artifacts = |names: &Names| {
            let digests = |digests: &Digests| Value::object(digests.iter().map(|(algorithm, digest)| (*algorithm, Value::from(*digest))));
            Value::object(names.iter().map(|(name, all)| (name.clone(), digests(all))))
        };
        let mut links = Object::new();
        for (name, (materials, products)) in &self.links {
            links.insert(name.clone(), Value::object([("materials", artifacts(materials)), ("products", artifacts(products))]));
        }
        Value::object([
            ("op", Value::from("rules")),
            ("rules", Value::from(self.rules.iter().map(words).collect::<Vec<_>>())),
            ("side", Value::from(self.side.name())),
            ("item", Value::from("it")),
            ("links", Value::from(links)),
        ])
    }

    fn theirs(&self, peer: &mut Peer) -> Verdict {
        let answer = peer.ask(&self.question());
        match answer.get("verdict").and_then(Value::as_str).unwrap() {
            "pass" => {
                let queue = answer.get("queue").and_then(Value::as_array).unwrap();
                let mut queue: Vec<String> = queue.iter().map(|name| name.as_str().unwrap().to_owned()).collect();
                // By the bytes of UTF-8, as here.
                queue.sort();
                Verdict::Pass(queue)
            }
            "fail" => Verdict::Fail,
            _ => Verdict::Malformed,
        }
    }
}

fn names(all: Listed<'_>) -> Names {
    all.iter().map(|(name, digests)| ((*name).to_owned(), digests.clone())).collect()
}

fn case(rules: &[&str], side: Side, it: Sides<'_>, other: Sides<'_>) -> Case {
    let rules = rules.iter().map(|rule| rule.split(' ').map(str::to_owned).collect()).collect();
    let links = [("it", it), ("other", other)].map(|(name, (materials, products))| (name.to_owned(), (names(materials), names(products))));
    Case { rules, side, links: links.into() }
}

fn one(digest: &'static str) -> Digests {
    vec![("sha256", digest)]
}

/// Each clause of 4.3.3 and each case in which implementations part ways.
fn edges() -> Vec<Case> {
    let (m, p) = (Side::Materials, Side::Products);
    let both = vec![("sha256", "aa"), ("sha512", "bb")];
    let turned = vec![("sha512", "bb"), ("sha256", "aa")];
    let upper = one("AA");
    let none: Sides<'_> = (&[], &[]);
    let made: Listed<'_> = &[("same", one("00")), ("mod", one("00")), ("old", one("00"))];
    let after: Listed<'_> = &[("same", one("00")), ("mod", one("01")), ("new", one("00"))];
    let libs: Listed<'_> = &[("lib/a", one("00")), ("lib/b", one("01")), ("a", one("00")), ("liba", one("00")), ("lib/lib/a", one("00"))];
    let there: Listed<'_> = &[("a", one("00")), ("b", one("00")), ("out/a", one("00")), ("out/lib/a", one("00"))];
    let mut cases = Vec::new();
    for side in [m, p] {
        for rule in ["CREATE *", "DELETE *", "MODIFY *", "ALLOW *", "DISALLOW *", "REQUIRE same", "REQUIRE *", "create NEW", "aLLow s*"] {
            for last in ["", "DISALLOW *", "REQUIRE same", "DISALLOW old", "DISALLOW n?w"] {
                let rules: Vec<&str> = [rule, last].into_iter().filter(|rule| !rule.is_empty()).collect();
                cases.push(case(&rules, side, (made, after), none));
            }
        }
        for rule in [
            "MATCH * WITH PRODUCTS FROM other",
            "MATCH * WITH MATERIALS FROM other",
            "MATCH * WITH PRODUCTS FROM missing",
            "MATCH * WITH PRODUCTS FROM Other",
            "MATCH * WITH PRODUCTS FROM it",
            "MATCH a WITH PRODUCTS FROM other",
            "MATCH a IN lib WITH PRODUCTS FROM other",
            "MATCH a IN lib/ WITH PRODUCTS FROM other",
            "MATCH * IN lib WITH PRODUCTS FROM other",
            "MATCH * IN li WITH PRODUCTS FROM other",
            "MATCH * IN l* WITH PRODUCTS FROM other",
            "MATCH * WITH PRODUCTS IN out FROM other",
            "MATCH * WITH PRODUCTS IN out/ FROM other",
            "MATCH * IN lib WITH PRODUCTS IN out FROM other",
            "MATCH * IN lib/lib WITH PRODUCTS IN out FROM other",
            "MATCH lib/* IN lib WITH PRODUCTS IN out FROM other",
            "MATCH *a IN lib WITH PRODUCTS IN out FROM other",
            "match * in lib with products in out from other",
        ] {
            for last in ["", "DISALLOW *", "REQUIRE lib/a", "DISALLOW lib/*"] {
                let rules: Vec<&str> = [rule, last].into_iter().filter(|rule| !rule.is_empty()).collect();
                cases.push(case(&rules, side, (libs, libs), (there, there)));
            }
        }
        // Digests are compared as whole sets and as text.
        for (ours, theirs) in [(&both, &turned), (&both, &one("aa")), (&one("aa"), &both), (&one("aa"), &upper), (&both, &both)] {
            let (ours, theirs): (&[_], &[_]) = (&[("x", ours.clone())], &[("x", theirs.clone())]);
            cases.push(case(&["MATCH x WITH PRODUCTS FROM other", "DISALLOW *"], side, (ours, ours), (theirs, theirs)));
            cases.push(case(&["MODIFY x", "DISALLOW *"], side, (ours, theirs), none));
        }
        // What was consumed is gone, what only failed is not.
        for rules in [
            &["ALLOW *", "REQUIRE same"][..],
            &["REQUIRE same", "ALLOW *"],
            &["ALLOW *", "DISALLOW *"],
            &["DISALLOW x", "ALLOW *", "DISALLOW *"],
            &["DISALLOW same", "ALLOW *"],
            &[],
            &["ALLOW same", "ALLOW same", "MODIFY *", "DISALLOW same"],
        ] {
            cases.push(case(rules, side, (made, after), none));
        }
        // Malformed for both.
        for rule in ["ALLOW", "ALLOW a b", "PERMIT *", "MATCH * WITH PRODUCT FROM other", "MATCH * WITH PRODUCTS", "MATCH *", "REQUIRE"] {
            cases.push(case(&["ALLOW *", rule], side, (made, after), none));
        }
    }
    cases
}

const POOL: [&str; 14] =
    ["a", "b", "a/b", "lib/a", "lib/b", "lib/lib/a", "liba", "src/x.c", "src/y.h", ".hidden", "é", "x y", "a\nb", "[a]"];
const PATTERNS: [&str; 20] = [
    "*", "*", "*", "a", "b", "lib/*", "lib/?", "?", "a*", "*a", "*/*", "src/*.c", "[ab]", "[!a]", "[]a]*", "[a", "lib/a", "**", "x y", ".*",
];
const PREFIXES: [&str; 6] = ["lib", "lib/", "lib/lib", "src", "nowhere", "out"];

fn random_case(random: &mut Random) -> Case {
    let digests: [Digests; 5] = [one("00"), one("01"), one("02"), vec![("sha256", "00"), ("sha512", "00")], vec![("sha512", "00")]];
    let artifacts = |random: &mut Random| -> Names {
        let mut names = Names::new();
        for name in POOL {
            if random.often(1, 3) {
                let prefix = if random.often(1, 8) { "out/" } else { "" };
                let digest = if random.often(3, 4) { &digests[0] } else { random.pick(&digests) };
                names.insert(format!("{prefix}{name}"), digest.clone());
            }
        }
        names
    };
    let mut links = BTreeMap::new();
    for name in ["it", "other", "third"] {
        let materials = artifacts(random);
        let mut products = artifacts(random);
        // Steps keep most of what they began with.
        products.extend(materials.iter().filter(|_| random.often(1, 2)).map(|(name, digests)| (name.clone(), digests.clone())));
        links.insert(name.to_owned(), (materials, products));
    }
    let mut rules = Vec::new();
    for _ in 0..random.below(6) {
        rules.push(random_rule(random));
    }
    if random.often(1, 2) {
        rules.push(vec!["DISALLOW".into(), (*random.pick(&PATTERNS)).into()]);
    }
    Case { rules, side: *random.pick(&[Side::Materials, Side::Products]), links }
}

fn random_rule(random: &mut Random) -> Vec<String> {
    let keyword = *random.pick(&["MATCH", "MATCH", "MATCH", "CREATE", "DELETE", "MODIFY", "ALLOW", "ALLOW", "DISALLOW", "REQUIRE"]);
    let spelt = if random.often(1, 8) { keyword.to_lowercase() } else { keyword.to_owned() };
    let mut rule = vec![spelt, (*random.pick(&PATTERNS)).to_owned()];
    match keyword {
        "REQUIRE" => rule[1] = (*random.pick(&POOL)).to_owned(),
        "DISALLOW" if random.often(3, 4) => rule[1] = (*random.pick(&["nothing", "z*", "src/*", "[z-a]"])).to_owned(),
        "MATCH" => {
            if random.often(1, 3) {
                rule.extend(["IN".to_owned(), (*random.pick(&PREFIXES)).to_owned()]);
            }
            rule.extend(["WITH".to_owned(), (*random.pick(&["MATERIALS", "PRODUCTS", "products"])).to_owned()]);
            if random.often(1, 3) {
                rule.extend(["IN".to_owned(), (*random.pick(&PREFIXES)).to_owned()]);
            }
            rule.extend(["FROM".to_owned(), (*random.pick(&["other", "third", "it", "nobody"])).to_owned()]);
        }
        _ => {}
    }
    rule
}

const CASES: usize = 6_000;

#[test]
fn rules_have_the_verdict_and_the_queue_of_the_reference_implementation() {
    let Some(mut peer) = Peer::start() else { return };
    let mut cases = edges();
    let mut random = Random::seeded(6);
    cases.extend((0..CASES).map(|_| random_case(&mut random)));
    let (mut passed, mut failed) = (0, 0);
    for case in &cases {
        let theirs = case.theirs(&mut peer);
        assert_eq!(case.ours(), theirs, "{case:#?}");
        match theirs {
            Verdict::Pass(_) => passed += 1,
            Verdict::Fail => failed += 1,
            Verdict::Malformed => {}
        }
    }
    assert!(passed > CASES / 4 && failed > CASES / 4, "{passed} pass, {failed} fail");
    println!("{} lists of rules, {passed} that pass and {failed} that fail, are judged alike", cases.len());
}

#[test]
fn what_the_reference_implementation_takes_and_this_one_does_not_is_written_down() {
    let Some(mut peer) = Peer::start() else { return };
    let (p, none): (_, Sides<'_>) = (Side::Products, (&[], &[]));
    let safe: Listed<'_> = &[("a", one("00"))];
    for name in ["safe/../../etc/passwd", "./a", "/a", "a//b", "a/", ".."] {
        let unsafe_name: Listed<'_> = &[(name, one("00"))];
        let case = case(&["ALLOW *"], p, (&[], unsafe_name), none);
        assert_eq!((case.theirs(&mut peer), case.ours()), (Verdict::Pass(vec![]), Verdict::Malformed), "{name}");
    }
    // An artifact without a digest would match any other without one.
    let bare: Listed<'_> = &[("a", vec![])];
    let case_of_bare = case(&["MATCH a WITH PRODUCTS FROM other", "DISALLOW *"], p, (&[], bare), (&[], bare));
    assert_eq!((case_of_bare.theirs(&mut peer), case_of_bare.ours()), (Verdict::Pass(vec![]), Verdict::Malformed));
    // Rules that can match nothing, and that others read as something else.
    for rule in [
        "MATCH * IN lib// WITH PRODUCTS FROM other",
        "MATCH * IN ./lib WITH PRODUCTS FROM other",
        "MATCH * WITH PRODUCTS IN ../x FROM other",
        "MATCH * WITH PRODUCTS IN /x FROM other",
        "MATCH * WITH PRODUCTS FROM ",
        "MATCH * WITH PRODUCTS FROM a/b",
        "DISALLOW ./secret/*",
        "DISALLOW secret//*",
        "DISALLOW /secret/*",
        "DISALLOW secret/../secret/*",
        "DISALLOW secret/",
        "ALLOW b/./*",
        "MATCH ../* WITH PRODUCTS FROM other",
    ] {
        let case = case(&[rule], p, (&[], safe), none);
        assert_eq!((case.theirs(&mut peer), case.ours()), (Verdict::Pass(vec!["a".into()]), Verdict::Malformed), "{rule}");
    }
    // It would fail whatever is there.
    let case = case(&["REQUIRE ./a"], p, (&[], safe), none);
    assert_eq!((case.theirs(&mut peer), case.ours()), (Verdict::Fail, Verdict::Malformed));
}
