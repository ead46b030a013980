//! Artifact rules and their patterns, against a queue that does what the specification says and nothing else.
//!
//! The input is lines. Those before an empty one are rules, words divided by spaces; each of those behind it is an artifact: a letter for
//! where it is (`m` and `p` the item's materials and products, `n` and `q` another's), a digit for its digest, and its name.
#![no_main]

use std::collections::{BTreeMap, BTreeSet};

use libfuzzer_sys::fuzz_target;
use touchmark_in_toto::engine::{self, Work};
use touchmark_in_toto::glob::Pattern;
use touchmark_in_toto::{Artifacts, Link, Origin, Parameters, Rule, RuleKind, Side};

type Names = BTreeMap<String, &'static str>;

/// Whether the pattern without sets matches, by a table: row after row for its characters, a column for each place in the name.
fn by_definition(pattern: &str, name: &str) -> bool {
    let name: Vec<char> = name.chars().collect();
    let mut row = vec![false; name.len() + 1];
    row[0] = true;
    for wanted in pattern.chars() {
        let mut next = vec![false; row.len()];
        for at in 0..row.len() {
            next[at] = match wanted {
                '*' => row[at] || (at > 0 && next[at - 1]),
                '?' => at > 0 && row[at - 1],
                literal => at > 0 && row[at - 1] && name[at - 1] == literal,
            };
        }
        row = next;
    }
    row[name.len()]
}

/// What is left, and whether a rule failed.
fn plainly(rules: &[Rule], side: Side, item: [&Names; 2], other: [&Names; 2]) -> (BTreeSet<String>, bool) {
    let [materials, products] = item;
    let side_of = |names: [&Names; 2], side| if side == Side::Materials { names[0].clone() } else { names[1].clone() };
    let mine = side_of(item, side);
    let mut queue: BTreeSet<String> = mine.keys().cloned().collect();
    let mut failed = false;
    for rule in rules {
        let matched = |pattern: &Pattern| queue.iter().filter(|name| pattern.matches(name)).cloned().collect::<Vec<_>>();
        let consumed: Vec<String> = match rule.kind() {
            RuleKind::Allow(pattern) => matched(pattern),
            RuleKind::Create(pattern) => {
                matched(pattern).into_iter().filter(|name| products.contains_key(name) && !materials.contains_key(name)).collect()
            }
            RuleKind::Delete(pattern) => {
                matched(pattern).into_iter().filter(|name| materials.contains_key(name) && !products.contains_key(name)).collect()
            }
            RuleKind::Modify(pattern) => {
                let differs = |name: &String| matches!((materials.get(name), products.get(name)), (Some(one), Some(other)) if one != other);
                matched(pattern).into_iter().filter(differs).collect()
            }
            RuleKind::Disallow(pattern) => {
                failed |= !matched(pattern).is_empty();
                vec![]
            }
            RuleKind::Require(name) => {
                failed |= !queue.contains(name);
                vec![]
            }
            RuleKind::Match(rule) => {
                let theirs = match rule.from.as_str() {
                    "it" => side_of(item, rule.side),
                    "other" => side_of(other, rule.side),
                    _ => Names::new(),
                };
                let same = |name: &&String| {
                    let rest = name.strip_prefix(&rule.source).filter(|rest| rule.pattern.matches(rest));
                    rest.is_some_and(|rest| theirs.get(&format!("{}{rest}", rule.destination)) == mine.get(*name))
                };
                queue.iter().filter(same).cloned().collect()
            }
            _ => unreachable!("every kind of rule"),
        };
        queue.retain(|name| !consumed.contains(name));
    }
    (queue, failed)
}

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (rules, artifacts) = text.split_once("\n\n").unwrap_or((text, ""));
    let words = rules.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    let rules: Vec<Rule> = words.filter_map(|words| Rule::new(&words, &Parameters::new()).ok()).collect();
    let mut lists = [const { Names::new() }; 4];
    for line in artifacts.lines() {
        let mut characters = line.chars();
        let list = characters.next().and_then(|place| "mpnq".find(place));
        let digest = characters.next().and_then(|digit| ["00", "01", "02"].into_iter().find(|digest| digest.ends_with(digit)));
        if let (Some(list), Some(digest)) = (list, digest) {
            lists[list].insert(characters.as_str().into(), digest);
        }
    }
    let [materials, products, other_materials, other_products] = &lists;
    for pattern in rules.iter().filter_map(|rule| rule.words().get(1)).filter(|pattern| !pattern.contains('[')) {
        for name in materials.keys().filter(|name| name.len() * pattern.len() < 1 << 16) {
            assert_eq!(Pattern::new(pattern).matches(name), by_definition(pattern, name), "{pattern:?} {name:?}");
        }
    }
    let artifacts = |names: &Names| Artifacts::new(names.iter().map(|(name, digest)| (name.as_str(), [("sha256", *digest)])));
    let link = |materials, products| {
        let (materials, products) = (artifacts(materials).ok()?, artifacts(products).ok()?);
        Some(Link { name: String::new(), command: vec![], materials, products, origin: Origin::Link })
    };
    let (Some(item), Some(other)) = (link(materials, products), link(other_materials, other_products)) else { return };
    let others = |name: &str| match name {
        "it" => Some(&item),
        "other" => Some(&other),
        _ => None,
    };
    for side in [Side::Materials, Side::Products] {
        let Ok(applied) = engine::apply(&rules, side, &item, others, &mut Work::new(1 << 24)) else { continue };
        let names = item.artifacts(side).iter().zip(applied.consumed_by());
        let left: BTreeSet<String> = names.filter(|(_, rule)| rule.is_none()).map(|(artifact, _)| artifact.name.to_owned()).collect();
        assert_eq!((left, !applied.is_passed()), plainly(&rules, side, [materials, products], [other_materials, other_products]));
    }
});
