//! Layouts: who may do which step, and what may go from one to the next (in-toto 1.0, 4.3).

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;

use touchmark_envelope::UnixTime;
use touchmark_envelope::json::{self, Value};

use crate::attestation::{ExpectedPredicate, LayoutForm, Subject};
use crate::certificates::{Authorities, CertConstraint, MAX_CERT_CONSTRAINTS};
use crate::error::{Error, cut};
use crate::key::Keys;
use crate::limits::{MAX_AUTHORISATIONS, MAX_ITEMS, MAX_KEYS, MAX_VALUES};
use crate::name::is_item_name;
use crate::parameters::{Parameters, placeholders};
use crate::rule::{Rule, Side};

/// A layout, with the values of parameters in it.
#[derive(Clone, Debug)]
pub struct Layout {
    /// What vouches for its steps.
    pub form: LayoutForm,
    /// When it is not to be trusted any more.
    pub expires: UnixTime,
    /// What its author says of it.
    pub readme: String,
    /// The keys that steps may name.
    pub keys: Keys,
    /// The authorities whose certificates steps may take (ITE-7).
    pub authorities: Authorities,
    /// The steps, in their order.
    pub steps: Vec<Step>,
    /// What must be said of the final product: nothing in a layout of in-toto 1.0.
    pub subjects: Vec<Subject>,
    /// The inspections, in their order.
    pub inspections: Vec<Inspection>,
    /// The names of the parameters whose values are in it.
    pub parameters: BTreeSet<String>,
}

/// A step (in-toto 1.0, 4.3.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its name, which no other step and no inspection of the layout has.
    pub name: String,
    /// How many distinct keys must vouch for it: at least 1. Of a step that expects predicates, the most that one of these needs.
    pub threshold: u64,
    /// The keyids of who may. Of a step that expects predicates, the functionaries of all.
    pub pubkeys: Vec<String>,
    /// What a certificate must be like whose key may, too (ITE-7): one of these. Without one, none is.
    pub cert_constraints: Vec<CertConstraint>,
    /// The command that is expected; another one is a warning.
    pub expected_command: Vec<String>,
    /// What its materials must be.
    pub expected_materials: Vec<Rule>,
    /// What its products must be.
    pub expected_products: Vec<Rule>,
    /// The predicates that vouch for it; none in a layout of in-toto 1.0, where links do.
    pub predicates: Vec<ExpectedPredicate>,
}

/// An inspection (in-toto 1.0, 4.3.2). Nothing here runs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// Its name, which no step and no other inspection of the layout has.
    pub name: String,
    /// The command that the layout wants run: at least one word.
    pub run: Vec<String>,
    /// What its materials must be.
    pub expected_materials: Vec<Rule>,
    /// What its products must be.
    pub expected_products: Vec<Rule>,
}

impl Layout {
    /// Reads what is signed in a layout. All rules are validated here, before any is applied.
    ///
    /// What the specification has must be there: a misspelt `expected_products` would be no rule at all. Members that it does not have
    /// are ignored. `null` stands for an empty list, as Go writes it.
    ///
    /// # Errors
    /// Whatever is missing or malformed, and what is wrong with parameters in it.
    pub(crate) fn read(text: &str, parameters: &Parameters) -> Result<Self, Error> {
        let value = json::parse_bounded(text.as_bytes(), text.len(), MAX_VALUES)?;
        let readme = match value.get("readme") {
            None | Some(Value::Null) => String::new(),
            Some(readme) => readme.as_str().ok_or(Error::Member("readme"))?.to_owned(),
        };
        let expires = value.get("expires").and_then(Value::as_str).ok_or(Error::Expires)?;
        let expires = UnixTime::parse_signed(expires).map_err(|_| Error::Expires)?;
        let keys = value.get("keys").and_then(Value::as_object).ok_or(Error::Member("keys"))?;
        if keys.len() > MAX_KEYS {
            return Err(Error::TooMany { what: "keys", limit: MAX_KEYS });
        }
        let keys = Keys::read(keys).ok_or(Error::Member("keys"))?;
        let authorities = Authorities::read(&value)?;
        let steps = list(value.get("steps")).ok_or(Error::Member("steps"))?;
        let inspections = list(value.get("inspect")).ok_or(Error::Member("inspect"))?;
        match steps.len().saturating_add(inspections.len()) {
            0 => return Err(Error::NoItem),
            found if found > MAX_ITEMS => return Err(Error::TooMany { what: "steps and inspections", limit: MAX_ITEMS }),
            _ => {}
        }
        let mut names = BTreeSet::new();
        let mut name = |value: &Value<'_>, member| {
            let name = value.get("name").and_then(Value::as_str).ok_or(Error::Member(member))?;
            if !is_item_name(name) {
                return Err(Error::ItemName { name: cut(name, 128) });
            }
            if !names.insert(name.to_owned()) {
                return Err(Error::ItemTwice { name: name.to_owned() });
            }
            Ok(name.to_owned())
        };
        let mut used = BTreeSet::new();
        if !parameters.is_empty() {
            let words = steps.iter().chain(inspections).flat_map(|item| FILLED.iter().filter_map(|member| item.get(member)));
            words.for_each(|words| collect(words, &mut used));
        }
        let (form, steps_read, subjects) = (LayoutForm::Links, Vec::new(), Vec::new());
        let mut layout =
            Self { form, expires, readme, keys, authorities, steps: steps_read, subjects, inspections: Vec::new(), parameters: used };
        let mut authorisations = 0_usize;
        for step in steps {
            let step = Step::read(step, name(step, "steps")?, parameters)?;
            authorisations = authorisations.saturating_add(step.pubkeys.len());
            if authorisations > MAX_AUTHORISATIONS {
                return Err(Error::TooMany { what: "keyids of steps", limit: MAX_AUTHORISATIONS });
            }
            layout.steps.push(step);
        }
        for inspection in inspections {
            layout.inspections.push(Inspection::read(inspection, name(inspection, "inspect")?, parameters)?);
        }
        Ok(layout)
    }
}

impl Step {
    fn read(value: &Value<'_>, name: String, parameters: &Parameters) -> Result<Self, Error> {
        let item = Item { value, name: &name, parameters };
        item.is("step")?;
        let threshold = value.get("threshold").and_then(Value::as_u64).filter(|threshold| *threshold > 0);
        let pubkeys = item.strings("pubkeys")?;
        if pubkeys.len() > MAX_KEYS {
            return Err(Error::TooMany { what: "keyids of a step", limit: MAX_KEYS });
        }
        Ok(Self {
            threshold: threshold.ok_or_else(|| item.malformed("threshold"))?,
            pubkeys,
            cert_constraints: item.cert_constraints()?,
            expected_command: if value.get("expected_command").is_some() { item.command("expected_command")? } else { Vec::new() },
            expected_materials: item.rules("expected_materials")?,
            expected_products: item.rules("expected_products")?,
            predicates: Vec::new(),
            name,
        })
    }

    /// The rules for its materials, or for its products.
    pub fn rules(&self, side: Side) -> &[Rule] {
        match side {
            Side::Materials => &self.expected_materials,
            Side::Products => &self.expected_products,
        }
    }
}

impl Inspection {
    fn read(value: &Value<'_>, name: String, parameters: &Parameters) -> Result<Self, Error> {
        let item = Item { value, name: &name, parameters };
        item.is("inspection")?;
        let run = item.command("run")?;
        if run.is_empty() {
            return Err(item.malformed("run"));
        }
        let (expected_materials, expected_products) = (item.rules("expected_materials")?, item.rules("expected_products")?);
        Ok(Self { name, run, expected_materials, expected_products })
    }

    /// The rules for its materials, or for its products.
    pub fn rules(&self, side: Side) -> &[Rule] {
        match side {
            Side::Materials => &self.expected_materials,
            Side::Products => &self.expected_products,
        }
    }
}

/// A step or an inspection that is being read.
struct Item<'a> {
    value: &'a Value<'a>,
    name: &'a str,
    parameters: &'a Parameters,
}

impl Item<'_> {
    fn is(&self, expected: &str) -> Result<(), Error> {
        match self.value.get("_type").and_then(Value::as_str) {
            Some(found) if found == expected => Ok(()),
            _ => Err(self.malformed("_type")),
        }
    }

    fn strings(&self, member: &'static str) -> Result<Vec<String>, Error> {
        strings(self.value.get(member)).ok_or_else(|| self.malformed(member))
    }

    /// What a certificate must be like. There may be no such member, which makes nobody a functionary.
    fn cert_constraints(&self) -> Result<Vec<CertConstraint>, Error> {
        const MEMBER: &str = "cert_constraints";
        let listed = match self.value.get(MEMBER) {
            None => &[],
            listed => list(listed).ok_or_else(|| self.malformed(MEMBER))?,
        };
        if listed.len() > MAX_CERT_CONSTRAINTS {
            return Err(Error::TooMany { what: "constraints of certificates of a step", limit: MAX_CERT_CONSTRAINTS });
        }
        listed.iter().map(|one| CertConstraint::read(one).ok_or_else(|| self.malformed(MEMBER))).collect()
    }

    /// A command, with the values of parameters in it.
    fn command(&self, member: &'static str) -> Result<Vec<String>, Error> {
        let words = self.strings(member)?;
        words.iter().map(|word| self.parameters.fill(word).map_err(|error| self.within(member, error))).collect()
    }

    fn rules(&self, member: &'static str) -> Result<Vec<Rule>, Error> {
        let rules = list(self.value.get(member)).ok_or_else(|| self.malformed(member))?;
        let mut read = Vec::with_capacity(rules.len());
        for rule in rules {
            let words = rule.as_array().map(|_| rule).and_then(|rule| strings(Some(rule))).ok_or_else(|| self.malformed(member))?;
            read.push(Rule::new(&words, self.parameters).map_err(|error| self.within(member, error))?);
        }
        Ok(read)
    }

    fn malformed(&self, what: &'static str) -> Error {
        Error::Item { item: self.name.to_owned(), what }
    }

    fn within(&self, what: &'static str, error: Error) -> Error {
        Error::Within { item: self.name.to_owned(), what, error: Box::new(error) }
    }
}

/// The members of steps and inspections in which parameters stand.
const FILLED: [&str; 4] = ["expected_command", "expected_materials", "expected_products", "run"];

/// Adds the names of the parameters in a list of words, or in a list of such lists.
pub(crate) fn collect(words: &Value<'_>, used: &mut BTreeSet<String>) {
    match words {
        Value::Array(words) => words.iter().for_each(|words| collect(words, used)),
        words => words.as_str().into_iter().flat_map(placeholders).for_each(|name| {
            used.insert(name.to_owned());
        }),
    }
}

/// The items of a list, which is there; `null` has none.
fn list<'a>(value: Option<&'a Value<'a>>) -> Option<&'a [Value<'a>]> {
    match value? {
        Value::Null => Some(&[]),
        value => value.as_array(),
    }
}

fn strings(value: Option<&Value<'_>>) -> Option<Vec<String>> {
    list(value)?.iter().map(|one| one.as_str().map(ToOwned::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::RuleFault;
    use alloc::format;

    const STEP: &str = r#"{"_type":"step","name":"s","threshold":1,"pubkeys":["00"],"expected_command":[],"expected_materials":[],"expected_products":[["ALLOW","*"]]}"#;
    const INSPECTION: &str = r#"{"_type":"inspection","name":"i","run":["true"],"expected_materials":[],"expected_products":[]}"#;

    fn layout(steps: &str, inspections: &str) -> String {
        format!(
            r#"{{"_type":"layout","expires":"2030-01-01T00:00:00Z","readme":"","keys":{{}},"steps":[{steps}],"inspect":[{inspections}]}}"#
        )
    }

    fn read(text: &str) -> Result<Layout, Error> {
        Layout::read(text, &Parameters::new())
    }

    #[test]
    fn a_layout_is_read_whoever_wrote_it() {
        let read_one = read(&layout(STEP, INSPECTION)).unwrap();
        assert_eq!((read_one.steps.len(), read_one.inspections.len()), (1, 1));
        // Go writes null for lists without items; nobody writes a member that the specification does not have, and it is ignored.
        let go =
            layout(&STEP.replace("[]", "null").replace(r#"["00"]"#, "null"), "").replace(r#""inspect":[]"#, r#""inspect":null,"x":1.5"#);
        let step = &read(&go).unwrap().steps[0];
        assert!(step.pubkeys.is_empty() && step.expected_materials.is_empty() && step.expected_command.is_empty());
    }

    #[test]
    fn a_layout_that_never_expires_is_refused() {
        let good = layout(STEP, "");
        for expires in [r#""""#, "null", "1", r#""2030-01-01""#, r#""2030-01-01T00:00:00.5Z""#, r#""2030-01-01T00:00:00+01:00""#] {
            let bad = good.replace(r#""2030-01-01T00:00:00Z""#, expires);
            assert_eq!(read(&bad).unwrap_err(), Error::Expires, "{expires}");
        }
        assert_eq!(read(&good.replace("expires", "EXPIRES")).unwrap_err(), Error::Expires);
        let twice = good.replace(r#""readme":"""#, r#""expires":"2031-01-01T00:00:00Z""#);
        assert!(matches!(read(&twice), Err(Error::Json(_))));
    }

    #[test]
    fn what_the_specification_has_must_be_there() {
        for member in ["keys", "steps", "inspect"] {
            assert_eq!(read(&layout(STEP, INSPECTION).replace(&format!("\"{member}\""), "\"other\"")).unwrap_err(), Error::Member(member));
        }
        for what in ["_type", "threshold", "pubkeys", "expected_materials", "expected_products"] {
            let bad = layout(&STEP.replace(&format!("\"{what}\""), "\"other\""), "");
            assert_eq!(read(&bad).unwrap_err(), Error::Item { item: "s".into(), what }, "{what}");
        }
        for what in ["_type", "run", "expected_materials", "expected_products"] {
            let bad = layout("", &INSPECTION.replace(&format!("\"{what}\""), "\"other\""));
            assert_eq!(read(&bad).unwrap_err(), Error::Item { item: "i".into(), what }, "{what}");
        }
        assert_eq!(read(&layout("", "")).unwrap_err(), Error::NoItem);
        assert_eq!(read(&layout("", &INSPECTION.replace(r#"["true"]"#, "[]"))).unwrap_err(), Error::Item { item: "i".into(), what: "run" });
    }

    #[test]
    fn thresholds_are_whole_and_at_least_one() {
        for threshold in ["0", "-1", "1.0", "1e0", "true", "\"1\"", "null", "18446744073709551616", "NaN"] {
            assert!(read(&layout(&STEP.replace(r#""threshold":1"#, &format!(r#""threshold":{threshold}"#)), "")).is_err(), "{threshold}");
        }
    }

    #[test]
    fn names_are_distinct_over_steps_and_inspections() {
        let twice = Error::ItemTwice { name: "s".into() };
        assert_eq!(read(&layout(&format!("{STEP},{STEP}"), "")).unwrap_err(), twice);
        assert_eq!(read(&layout(STEP, &INSPECTION.replace(r#""i""#, r#""s""#))).unwrap_err(), twice);
        for name in ["../outside", "a/b", "", "..", r"a\\b"] {
            for bad in [
                layout(&STEP.replace(r#""s""#, &format!("\"{name}\"")), ""),
                layout(STEP, &INSPECTION.replace(r#""i""#, &format!("\"{name}\""))),
            ] {
                assert!(matches!(read(&bad), Err(Error::ItemName { .. })), "{name}");
            }
        }
    }

    #[test]
    fn a_malformed_rule_anywhere_is_an_error_of_the_layout() {
        for (rule, fault) in
            [("[]", Some(RuleFault::Length)), (r#"["ALLOWED","*"]"#, Some(RuleFault::Keyword)), ("null", None), ("[1]", None)]
        {
            for bad in [
                layout(&STEP.replace(r#""expected_materials":[]"#, &format!(r#""expected_materials":[{rule}]"#)), ""),
                layout(STEP, &INSPECTION.replace(r#""expected_products":[]"#, &format!(r#""expected_products":[{rule}]"#))),
            ] {
                match (read(&bad).unwrap_err(), fault) {
                    (Error::Within { error, .. }, Some(fault)) => {
                        assert!(matches!(*error, Error::Rule { fault: found, .. } if found == fault))
                    }
                    (Error::Item { .. }, None) => {}
                    (other, _) => panic!("{rule}: {other}"),
                }
            }
        }
    }

    #[test]
    fn parameters_are_in_rules_and_commands() {
        let mut parameters = Parameters::new();
        parameters.insert("V", "1.*").unwrap();
        let step = STEP
            .replace(r#"["ALLOW","*"]"#, r#"["ALLOW","a-{V}"]"#)
            .replace(r#""expected_command":[]"#, r#""expected_command":["make","{V}"]"#);
        let inspection = INSPECTION.replace("true", "check-{V}");
        let layout = Layout::read(&layout(&step, &inspection), &parameters).unwrap();
        assert_eq!(layout.steps[0].expected_command, ["make", "1.*"]);
        assert_eq!(layout.inspections[0].run, ["check-1.*"]);
        assert_eq!(layout.steps[0].expected_products[0].words(), ["ALLOW", "a-1.*"]);
        let missing = STEP.replace(r#""expected_command":[]"#, r#""expected_command":["{X}"]"#);
        match Layout::read(&super::tests::layout(&missing, ""), &parameters).unwrap_err() {
            Error::Within { error, what: "expected_command", .. } => assert_eq!(*error, Error::ParameterMissing { name: "X".into() }),
            other => panic!("{other}"),
        }
    }
}
