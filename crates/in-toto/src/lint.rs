//! What an author of a layout should look at again. None of it makes a verification fail.

use alloc::borrow::ToOwned;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use touchmark_envelope::UnixTime;
use touchmark_envelope::key::PublicKey;

use crate::attestation::LayoutForm;
use crate::certificates::CertConstraint;
use crate::glob::{Pattern, Shape};
use crate::key::Unusable;
use crate::layout::Layout;
use crate::rule::{Kind, Rule, Side};

/// A layout that expires later than this many seconds from now is far from doing so: 400 days.
pub const FAR: i64 = 400 * 86_400;

/// Something to look at again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Finding {
    /// It has expired.
    #[error("it expired at {expires}")]
    Expired {
        /// When.
        expires: UnixTime,
    },
    /// Nobody is made to look at it again for a long time.
    #[error("it expires only at {expires}: until then whoever keeps a newer one from you has you accept this one")]
    FarExpiry {
        /// When it expires.
        expires: UnixTime,
    },
    /// One key is enough.
    #[error("step `{}`: one key vouches for it alone", step.escape_debug())]
    OneKey {
        /// The step.
        step: String,
    },
    /// There are too few keys for the threshold.
    #[error("step `{}`: {needed} keys must vouch for it, and {keys} can", step.escape_debug())]
    Unreachable {
        /// The step.
        step: String,
        /// The threshold.
        needed: u64,
        /// The distinct keys that can sign.
        keys: usize,
    },
    /// A keyid that names no key which can sign.
    #[error("step `{}`, key {}: {why}", step.escape_debug(), keyid.escape_debug())]
    Key {
        /// The step.
        step: String,
        /// The keyid.
        keyid: String,
        /// Why.
        why: Unusable,
    },
    /// A key that no step names.
    #[error("key {}: no step names it", keyid.escape_debug())]
    UnusedKey {
        /// The keyid that it is listed under.
        keyid: String,
    },
    /// One key is listed under two keyids, which others count as two functionaries.
    #[error("keys {} and {} are one key, which other implementations count as two", first.escape_debug(), second.escape_debug())]
    KeyTwice {
        /// The first keyid.
        first: String,
        /// The other one.
        second: String,
    },
    /// A KEY object without its keyid, or with another one than it is listed under.
    #[error("key {}: it does not say this as its `keyid`, and the reference implementation refuses such a layout", keyid.escape_debug())]
    NoKeyid {
        /// The keyid that it is listed under.
        keyid: String,
    },
    /// An authority of certificates that is none.
    #[error("authority {}: {why}", keyid.escape_debug())]
    Authority {
        /// The keyid that it is listed under.
        keyid: String,
        /// Why.
        why: Unusable,
    },
    /// A constraint of certificates that none can meet.
    #[error("step `{}`, constraint {} of certificates: it allows no root that the layout has", step.escape_debug(), number + 1)]
    NoRoot {
        /// The step.
        step: String,
        /// Which of these it is, counted from 0.
        number: usize,
    },
    /// What no rule consumes is allowed.
    #[error("`{}`, {side}: the last rule is not DISALLOW *, so that whatever no rule is for is allowed", item.escape_debug())]
    NoFinalDisallow {
        /// The step or the inspection.
        item: String,
        /// The list of rules.
        side: Side,
    },
    /// A rule that does nothing, whatever is there.
    #[error("`{}`, {side}, rule {}, {rule}: {why}", item.escape_debug(), number + 1)]
    Idle {
        /// The step or the inspection.
        item: String,
        /// The list of rules.
        side: Side,
        /// Which of these it is, counted from 0.
        number: usize,
        /// The rule.
        rule: String,
        /// Why.
        why: Idle,
    },
    /// A REQUIRE with what would be a pattern elsewhere.
    #[error("`{}`, {side}, rule {}, {rule}: a REQUIRE is for one name, in which `*`, `?` and `[` stand for themselves", item.escape_debug(), number + 1)]
    RequiredPattern {
        /// The step or the inspection.
        item: String,
        /// The list of rules.
        side: Side,
        /// Which of these it is, counted from 0.
        number: usize,
        /// The rule.
        rule: String,
    },
    /// A pattern that implementations read differently.
    #[error("`{}`, {side}, rule {}, {rule}: implementations read its pattern differently", item.escape_debug(), number + 1)]
    Dialect {
        /// The step or the inspection.
        item: String,
        /// The list of rules.
        side: Side,
        /// Which of these it is, counted from 0.
        number: usize,
        /// The rule.
        rule: String,
    },
    /// A command that other implementations run on the machine of whoever verifies.
    #[error("inspection `{}`: other implementations run `{command}` without asking", inspection.escape_debug())]
    Command {
        /// The inspection.
        inspection: String,
        /// The command, as one line.
        command: String,
    },
}

/// Why a rule does nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Idle {
    /// A rule before it consumes all that it is for, or fails if there is any.
    #[error("a rule before it leaves it nothing")]
    Covered,
    /// A rule before it consumes what it requires, or fails if that is there.
    #[error("a rule before it leaves nothing of what it requires, so that it always fails")]
    Required,
    /// CREATE for materials, or DELETE for products.
    #[error("it is never for what this list has")]
    Side,
    /// MATCH against something that the layout does not have, or that is not there yet.
    #[error("there is no such step to match with")]
    From,
}

impl Finding {
    /// A stable name for this kind of finding.
    pub fn code(&self) -> &'static str {
        match self {
            Finding::Expired { .. } => "lint-expired",
            Finding::FarExpiry { .. } => "lint-far-expiry",
            Finding::OneKey { .. } => "lint-one-key",
            Finding::Unreachable { .. } => "lint-unreachable-threshold",
            Finding::Key { .. } => "lint-key",
            Finding::UnusedKey { .. } => "lint-unused-key",
            Finding::KeyTwice { .. } => "lint-key-twice",
            Finding::NoKeyid { .. } => "lint-no-keyid",
            Finding::Authority { .. } => "lint-authority",
            Finding::NoRoot { .. } => "lint-no-root",
            Finding::RequiredPattern { .. } => "lint-required-pattern",
            Finding::NoFinalDisallow { .. } => "lint-no-final-disallow",
            Finding::Idle { .. } => "lint-idle-rule",
            Finding::Dialect { .. } => "lint-dialect",
            Finding::Command { .. } => "lint-command",
        }
    }
}

/// Looks a layout over, at a time.
pub fn lint(layout: &Layout, now: UnixTime) -> Vec<Finding> {
    let mut findings = Vec::new();
    if layout.expires <= now {
        findings.push(Finding::Expired { expires: layout.expires });
    } else if now.plus(FAR).is_none_or(|far| layout.expires > far) {
        findings.push(Finding::FarExpiry { expires: layout.expires });
    }
    keys(layout, &mut findings);
    let steps: BTreeSet<&str> = layout.steps.iter().map(|step| step.name.as_str()).collect();
    for step in &layout.steps {
        let functionaries = layout.keys.functionaries(&step.pubkeys);
        let (name, keys) = (step.name.clone(), functionaries.keys.len());
        for (keyid, why) in functionaries.unusable {
            findings.push(Finding::Key { step: name.clone(), keyid, why });
        }
        let has_root = |constraint: &CertConstraint| layout.authorities.roots().any(|root| constraint.allows_root(root));
        let rootless = (0..).zip(&step.cert_constraints).filter(|(_, constraint)| !has_root(constraint));
        findings.extend(rootless.map(|(number, _)| Finding::NoRoot { step: name.clone(), number }));
        // Nobody knows how many have a certificate.
        let keys = if step.cert_constraints.iter().any(has_root) { usize::MAX } else { keys };
        match usize::try_from(step.threshold) {
            Ok(1) if keys > 0 => findings.push(Finding::OneKey { step: name }),
            Ok(needed) if needed <= keys => {}
            _ => findings.push(Finding::Unreachable { step: name, needed: step.threshold, keys }),
        }
        for side in [Side::Materials, Side::Products] {
            list(&step.name, side, step.rules(side), &steps, &mut findings);
        }
    }
    let all: BTreeSet<&str> = steps.into_iter().chain(layout.inspections.iter().map(|inspection| inspection.name.as_str())).collect();
    for inspection in &layout.inspections {
        if inspection.run != ["true"] {
            findings.push(Finding::Command {
                inspection: inspection.name.clone(),
                command: inspection.run.join(" ").escape_debug().to_string(),
            });
        }
        for side in [Side::Materials, Side::Products] {
            list(&inspection.name, side, inspection.rules(side), &all, &mut findings);
        }
    }
    findings
}

/// Looks the keys and the authorities over.
fn keys(layout: &Layout, findings: &mut Vec<Finding>) {
    let named: Vec<PublicKey> = layout
        .steps
        .iter()
        .flat_map(|step| layout.keys.functionaries(&step.pubkeys).keys.keys().to_vec())
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    let mut known: BTreeMap<&PublicKey, &str> = BTreeMap::new();
    for (keyid, key) in layout.keys.usable() {
        match known.get(key) {
            Some(first) => findings.push(Finding::KeyTwice { first: (*first).to_owned(), second: keyid.to_owned() }),
            None if named.binary_search(key).is_err() => findings.push(Finding::UnusedKey { keyid: keyid.to_owned() }),
            None => {}
        }
        known.entry(key).or_insert(keyid);
    }
    // Those who refuse it read no layouts over attestations.
    if layout.form == LayoutForm::Links {
        findings.extend(layout.keys.unnamed().map(|keyid| Finding::NoKeyid { keyid: keyid.to_owned() }));
    }
    let unusable = layout.authorities.unusable().iter();
    findings.extend(unusable.map(|(keyid, why)| Finding::Authority { keyid: keyid.clone(), why: why.clone() }));
}

/// Looks a list of rules over, which may name `items`.
fn list(item: &str, side: Side, rules: &[Rule], items: &BTreeSet<&str>, findings: &mut Vec<Finding>) {
    // What rules before consume or refuse, and of that what is refused.
    let (mut before, mut refused): (Vec<&Pattern>, Vec<&Pattern>) = (Vec::new(), Vec::new());
    for (number, rule) in rules.iter().enumerate() {
        let (pattern, wide, from) = match rule.kind() {
            Kind::Match(rule) => (Some(&rule.pattern), false, Some(rule)),
            // Behind one that passes, nothing that it is for is left.
            Kind::Allow(pattern) | Kind::Disallow(pattern) => (Some(pattern), true, None),
            Kind::Create(pattern) | Kind::Delete(pattern) | Kind::Modify(pattern) => (Some(pattern), false, None),
            Kind::Require(_) => (None, false, None),
        };
        let covered_by = |before: &[&Pattern]| match (pattern, from) {
            // What a MATCH is for begins with its prefix, of which the pattern says nothing.
            (Some(pattern), Some(from)) => before.iter().any(|wide| covers(wide, &from.source, pattern)),
            (Some(pattern), None) => before.iter().any(|wide| covers(wide, "", pattern)),
            (None, _) => false,
        };
        let (covered, twice) = (covered_by(&before), covered_by(&refused));
        let required = matches!(rule.kind(), Kind::Require(name) if before.iter().any(|wide| wide.matches(name)));
        let never = matches!((rule.kind(), side), (Kind::Create(_), Side::Materials) | (Kind::Delete(_), Side::Products));
        let why = match from {
            Some(from) if !items.contains(from.from.as_str()) => Some(Idle::From),
            _ if never => Some(Idle::Side),
            _ if covered => Some(Idle::Covered),
            _ if required => Some(Idle::Required),
            _ => None,
        };
        // The last word on a list may refuse again what is refused already. Behind what allows everything it says what is not so.
        let last_word = number + 1 == rules.len() && is_final(rule) && twice;
        let (item, shown) = (item.to_owned(), rule.to_string());
        if let Some(why) = why.filter(|_| !last_word) {
            findings.push(Finding::Idle { item: item.clone(), side, number, rule: shown.clone(), why });
        }
        if matches!(rule.kind(), Kind::Require(name) if name.contains(['*', '?', '['])) {
            findings.push(Finding::RequiredPattern { item: item.clone(), side, number, rule: shown.clone() });
        }
        if pattern.is_some() && rule.words().get(1).is_some_and(|text| is_dialect(text)) {
            findings.push(Finding::Dialect { item, side, number, rule: shown });
        }
        before.extend(pattern.filter(|_| wide));
        refused.extend(pattern.filter(|_| matches!(rule.kind(), Kind::Disallow(_))));
    }
    if !rules.last().is_some_and(is_final) {
        findings.push(Finding::NoFinalDisallow { item: item.to_owned(), side });
    }
}

/// Whether the rule is DISALLOW *.
fn is_final(rule: &Rule) -> bool {
    matches!(rule.kind(), Kind::Disallow(pattern) if pattern.head().is_empty() && pattern.shape() == Shape::Prefix)
}

/// Whether all that `prefix` and `pattern` are for is what `wide` matches, as far as their beginnings tell.
fn covers(wide: &Pattern, prefix: &str, pattern: &Pattern) -> bool {
    let head = || prefix.chars().chain(pattern.head().chars());
    let begins = || wide.head().chars().zip(head()).all(|(wide, narrow)| wide == narrow);
    match wide.shape() {
        Shape::Prefix => head().count() >= wide.head().chars().count() && begins(),
        _ => prefix.is_empty() && wide == pattern,
    }
}

/// Whether implementations part ways on the pattern (SPEC.md, "Rules and patterns").
fn is_dialect(text: &str) -> bool {
    text.contains(['[', '\\']) || text.contains("**")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parameters::Parameters;
    use alloc::format;

    const NOW: &str = "2026-11-28T00:00:00Z";

    fn findings(layout: &str) -> Vec<Finding> {
        lint(&Layout::read(layout, &Parameters::new()).unwrap(), UnixTime::parse_signed(NOW).unwrap())
    }

    fn layout(expires: &str, threshold: u64, materials: &str, products: &str) -> String {
        let key = format!(
            r#"{{"keyid":"aa","keytype":"ed25519","scheme":"ed25519","keyval":{{"public":"{}"}}}}"#,
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
        );
        let step = format!(
            r#"{{"_type":"step","name":"s","threshold":{threshold},"pubkeys":["aa"],"expected_materials":[{materials}],"expected_products":[{products}]}}"#
        );
        format!(r#"{{"_type":"layout","expires":"{expires}","keys":{{"aa":{key}}},"steps":[{step}],"inspect":[]}}"#)
    }

    /// The codes of what is found in two lists of rules, beside the one key.
    fn of_rules(materials: &str, products: &str) -> Vec<&'static str> {
        let found = findings(&layout("2027-01-01T00:00:00Z", 1, materials, products));
        assert_eq!(found[0].code(), "lint-one-key");
        found[1..].iter().map(Finding::code).collect()
    }

    const FINAL: &str = r#"["DISALLOW","*"]"#;

    #[test]
    fn expiry_and_thresholds_are_looked_at() {
        let codes =
            |expires: &str, threshold| findings(&layout(expires, threshold, FINAL, FINAL)).iter().map(Finding::code).collect::<Vec<_>>();
        assert_eq!(codes("2026-11-28T00:00:00Z", 1), ["lint-expired", "lint-one-key"]);
        assert_eq!(codes("2028-01-02T00:00:00Z", 1), ["lint-one-key"]);
        assert_eq!(codes("2028-01-03T00:00:00Z", 1), ["lint-far-expiry", "lint-one-key"]);
        assert_eq!(codes("9999-12-31T23:59:59Z", 2), ["lint-far-expiry", "lint-unreachable-threshold"]);
        let unlisted = layout(NOW, 1, FINAL, FINAL).replace(r#"["aa"]"#, r#"["bb"]"#);
        assert_eq!(
            findings(&unlisted)[1..].iter().map(Finding::code).collect::<Vec<_>>(),
            ["lint-unused-key", "lint-key", "lint-unreachable-threshold"]
        );
    }

    #[test]
    fn a_list_without_an_end_is_found() {
        assert_eq!(of_rules("", FINAL), ["lint-no-final-disallow"]);
        assert_eq!(of_rules(r#"["ALLOW","a"]"#, r#"["DISALLOW","a*"]"#), ["lint-no-final-disallow"; 2]);
        assert_eq!(of_rules(FINAL, r#"["ALLOW","a"],["DISALLOW","***"]"#), ["lint-dialect"]);
    }

    #[test]
    fn rules_that_do_nothing_are_found() {
        for (rules, idle) in [
            (r#"["ALLOW","src/*"],["ALLOW","src/a"]"#, true),
            (r#"["ALLOW","src/*"],["MATCH","*","IN","src","WITH","PRODUCTS","FROM","s"]"#, true),
            (r#"["ALLOW","src/*"],["MATCH","*","WITH","PRODUCTS","FROM","s"]"#, false),
            (r#"["ALLOW","src/a"],["ALLOW","src/a"]"#, true),
            (r#"["DISALLOW","src/*"],["CREATE","src/b"]"#, true),
            (r#"["ALLOW","src/a"],["ALLOW","src/*"]"#, false),
            (r#"["CREATE","src/*"],["ALLOW","src/*"]"#, false),
            (r#"["DELETE","*"]"#, true),
            (r#"["MATCH","*","WITH","PRODUCTS","FROM","nobody"]"#, true),
            (r#"["REQUIRE","a"],["ALLOW","b*"],["DISALLOW","b"]"#, true),
            (r#"["ALLOW","a*"],["REQUIRE","ab"]"#, true),
            (r#"["DISALLOW","a"],["REQUIRE","a"]"#, true),
            (r#"["ALLOW","a*"],["REQUIRE","b"]"#, false),
            (r#"["REQUIRE","ab"],["ALLOW","a*"]"#, false),
            (r#"["MATCH","*","WITH","PRODUCTS","FROM","s"],["REQUIRE","a"]"#, false),
            (r#"["DISALLOW","*"]"#, false),
        ] {
            let expected: &[&str] = if idle { &["lint-idle-rule"] } else { &[] };
            assert_eq!(of_rules(FINAL, &format!("{rules},{FINAL}")), expected, "{rules}");
        }
        assert_eq!(of_rules(&format!(r#"["CREATE","a"],{FINAL}"#), FINAL), ["lint-idle-rule"]);
    }

    #[test]
    fn what_is_behind_a_rule_that_allows_everything_is_found_to_do_nothing() {
        assert_eq!(of_rules(FINAL, &format!(r#"["ALLOW","*"],{FINAL}"#)), ["lint-idle-rule"]);
        assert_eq!(of_rules(FINAL, r#"["ALLOW","*"],["REQUIRE","a"]"#), ["lint-idle-rule", "lint-no-final-disallow"]);
        let text = findings(&layout("2027-01-01T00:00:00Z", 1, FINAL, r#"["ALLOW","*"],["REQUIRE","a"]"#))[1].to_string();
        assert!(text.contains("always fails"), "{text}");
    }

    #[test]
    fn a_required_name_with_what_is_a_pattern_elsewhere_is_found() {
        for name in ["a*", "a?", "[a]"] {
            assert_eq!(of_rules(FINAL, &format!(r#"["REQUIRE","{name}"],{FINAL}"#)), ["lint-required-pattern"], "{name}");
        }
        assert_eq!(of_rules(FINAL, &format!(r#"["REQUIRE","a]"],{FINAL}"#)), [""; 0]);
    }

    #[test]
    fn keys_that_nobody_names_or_two_name_and_keys_without_a_keyid_are_found() {
        let plain = layout("2027-01-01T00:00:00Z", 1, FINAL, FINAL);
        let codes = |layout: &str| findings(layout).iter().map(Finding::code).collect::<Vec<_>>();
        assert_eq!(codes(&plain), ["lint-one-key"]);
        assert_eq!(codes(&plain.replace(r#""keyid":"aa","#, "")), ["lint-no-keyid", "lint-one-key"]);
        assert_eq!(codes(&plain.replace(r#""keyid":"aa","#, r#""keyid":"bb","#)), ["lint-no-keyid", "lint-one-key"]);
        let key = |keyid: &str, public: &str| {
            format!(r#""{keyid}":{{"keyid":"{keyid}","keytype":"ed25519","scheme":"ed25519","keyval":{{"public":"{public}"}}}},"#)
        };
        let with = |key: String| plain.replace(r#""keys":{"#, &format!(r#""keys":{{{key}"#));
        let other = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
        assert_eq!(codes(&with(key("ab", other))), ["lint-unused-key", "lint-one-key"]);
        let same = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
        assert_eq!(codes(&with(key("ab", same))), ["lint-key-twice", "lint-one-key"]);
    }

    #[test]
    fn constraints_of_certificates_that_no_root_meets_are_found() {
        let plain = layout("2027-01-01T00:00:00Z", 1, FINAL, FINAL);
        let with = |roots: &str| plain.replace(r#""pubkeys":["#, &format!(r#""cert_constraints":[{{"roots":[{roots}]}}],"pubkeys":["#));
        for roots in ["", r#""*""#, r#""r""#] {
            let found = findings(&with(roots));
            assert_eq!(found.iter().map(Finding::code).collect::<Vec<_>>(), ["lint-no-root", "lint-one-key"], "{roots}");
        }
        let authority = with(r#""r""#).replacen('{', r#"{"rootcas":{"r":{}},"#, 1);
        assert_eq!(findings(&authority)[0].code(), "lint-authority");
    }

    #[test]
    fn patterns_that_are_read_differently_are_found() {
        for (pattern, found) in [("[ab]", true), ("a**", true), (r"a\\b", true), ("a/*", false), ("a?", false)] {
            let expected: &[&str] = if found { &["lint-dialect"] } else { &[] };
            assert_eq!(of_rules(FINAL, &format!(r#"["ALLOW","{pattern}"],{FINAL}"#)), expected, "{pattern}");
        }
    }

    #[test]
    fn commands_that_others_run_are_found() {
        let inspection = |run: &str| {
            let inspect = format!(
                r#""inspect":[{{"_type":"inspection","name":"i","run":[{run}],"expected_materials":[{FINAL}],"expected_products":[["MATCH","*","WITH","MATERIALS","FROM","i"],{FINAL}]}}]"#
            );
            findings(&layout("2027-01-01T00:00:00Z", 1, FINAL, FINAL).replace(r#""inspect":[]"#, &inspect))[1..].to_vec()
        };
        assert_eq!(inspection("\"true\""), []);
        assert_eq!(inspection("\"rm\",\"x\\ny\"")[0].to_string(), r"inspection `i`: other implementations run `rm x\ny` without asking");
    }
}
