//! Reading a layout over attestations. A member that is not known is an error: it could be a demand.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;

use touchmark_envelope::UnixTime;
use touchmark_envelope::json::{self, Object, Value};

use crate::certificates::Authorities;
use crate::constraint::Constraint;
use crate::error::{Error, RuleFault, cut};
use crate::key::Keys;
use crate::layout::{Inspection, Layout, Step, collect};
use crate::limits::{MAX_AUTHORISATIONS, MAX_ITEMS, MAX_KEYS, MAX_VALUES};
use crate::name::is_item_name;
use crate::parameters::Parameters;
use crate::rule::{Rule, compile};

use super::{ExpectedPredicate, LayoutForm, Subject};

/// The members in which parameters stand.
const FILLED: [&str; 4] = ["command", "expectedMaterials", "expectedProducts", "subject"];

/// Reads what is signed in a layout over attestations.
///
/// # Errors
/// Whatever is missing, malformed or not known, and what is wrong with parameters in it.
pub(crate) fn layout(text: &str, parameters: &Parameters) -> Result<Layout, Error> {
    let value = json::parse_bounded(text.as_bytes(), text.len(), MAX_VALUES)?;
    let object = value.as_object().ok_or(Error::Member("_type"))?;
    known(object, "", &["_type", "expires", "readme", "functionaries", "steps", "subjects", "inspections"])?;
    let readme = match object.get("readme") {
        None => String::new(),
        Some(readme) => readme.as_str().ok_or(Error::Member("readme"))?.to_owned(),
    };
    let expires = object.get("expires").and_then(Value::as_str).ok_or(Error::Expires)?;
    let expires = UnixTime::parse_signed(expires).map_err(|_| Error::Expires)?;
    let keys = object.get("functionaries").and_then(Value::as_object).ok_or(Error::Member("functionaries"))?;
    if keys.len() > MAX_KEYS {
        return Err(Error::TooMany { what: "functionaries", limit: MAX_KEYS });
    }
    let keys = Keys::read(keys).ok_or(Error::Member("functionaries"))?;
    let items = |member| object.get(member).and_then(Value::as_array).ok_or(Error::Member(member));
    let (steps, subjects, inspections) = (items("steps")?, items("subjects")?, items("inspections")?);
    match steps.len().saturating_add(subjects.len()).saturating_add(inspections.len()) {
        0 => return Err(Error::NoItem),
        found if found > MAX_ITEMS => return Err(Error::TooMany { what: "steps, subjects and inspections", limit: MAX_ITEMS }),
        _ => {}
    }
    let mut used = BTreeSet::new();
    if !parameters.is_empty() {
        let items = steps.iter().chain(subjects).chain(inspections);
        items.flat_map(|item| FILLED.iter().filter_map(|member| item.get(member))).for_each(|words| collect(words, &mut used));
    }
    let (mut names, mut authorisations) = (BTreeSet::new(), 0_usize);
    let mut layout = Layout {
        form: LayoutForm::Attestations,
        expires,
        readme,
        keys,
        authorities: Authorities::default(),
        steps: Vec::new(),
        subjects: Vec::new(),
        inspections: Vec::new(),
        parameters: used,
    };
    let mut item = |value, member| Item::new(value, member, parameters, &mut names);
    for step in steps {
        let step = item(step, "steps")?.step()?;
        authorisations = authorisations.saturating_add(step.pubkeys.len());
        layout.steps.push(step);
    }
    for subject in subjects {
        let subject = item(subject, "subjects")?.subject(&layout.steps)?;
        authorisations = authorisations.saturating_add(subject.predicates.iter().map(|one| one.functionaries.len()).sum());
        layout.subjects.push(subject);
    }
    for inspection in inspections {
        layout.inspections.push(item(inspection, "inspections")?.inspection()?);
    }
    if authorisations > MAX_AUTHORISATIONS {
        return Err(Error::TooMany { what: "functionaries of steps and subjects", limit: MAX_AUTHORISATIONS });
    }
    Ok(layout)
}

/// Refuses an object with a member that is none of `names`.
fn known(object: &Object<'_>, item: &str, names: &[&str]) -> Result<(), Error> {
    match object.iter().find(|(name, _)| !names.contains(name)) {
        None => Ok(()),
        Some((name, _)) => Err(Error::UnknownMember { item: cut(item, 128), member: cut(name, 128) }),
    }
}

/// A step, a subject or an inspection that is being read.
struct Item<'a> {
    object: &'a Object<'a>,
    name: String,
    parameters: &'a Parameters,
}

impl<'a> Item<'a> {
    fn new(value: &'a Value<'a>, member: &'static str, parameters: &'a Parameters, names: &mut BTreeSet<String>) -> Result<Self, Error> {
        let object = value.as_object().ok_or(Error::Member(member))?;
        let name = object.get("name").and_then(Value::as_str).ok_or(Error::Member(member))?;
        if !is_item_name(name) {
            return Err(Error::ItemName { name: cut(name, 128) });
        }
        if !names.insert(name.to_owned()) {
            return Err(Error::ItemTwice { name: name.to_owned() });
        }
        Ok(Self { object, name: name.to_owned(), parameters })
    }

    fn step(self) -> Result<Step, Error> {
        self.known(&["name", "command", "expectedMaterials", "expectedProducts", "expectedPredicates"])?;
        let predicates = self.predicates()?;
        if predicates.is_empty() {
            return Err(self.malformed("expectedPredicates"));
        }
        let (mut seen, mut pubkeys) = (BTreeSet::new(), Vec::new());
        for name in predicates.iter().flat_map(|predicate| &predicate.functionaries).filter(|name| seen.insert(*name)) {
            pubkeys.push(name.clone());
        }
        if pubkeys.len() > MAX_KEYS {
            return Err(Error::TooMany { what: "functionaries of a step", limit: MAX_KEYS });
        }
        Ok(Step {
            threshold: predicates.iter().map(|predicate| predicate.threshold).max().unwrap_or(1),
            pubkeys,
            cert_constraints: Vec::new(),
            expected_command: if self.object.contains("command") { self.command()? } else { Vec::new() },
            expected_materials: self.rules("expectedMaterials")?,
            expected_products: self.rules("expectedProducts")?,
            predicates,
            name: self.name,
        })
    }

    fn subject(self, steps: &[Step]) -> Result<Subject, Error> {
        self.known(&["name", "subject", "productsOf", "expectedPredicates"])?;
        let patterns = self.strings("subject")?.iter().map(|text| self.pattern(text)).collect::<Result<Vec<_>, _>>()?;
        let products_of = if self.object.contains("productsOf") { self.strings("productsOf")? } else { Vec::new() };
        let is_step = |name: &String| steps.iter().any(|step| step.name == *name);
        if patterns.is_empty() {
            return Err(self.malformed("subject"));
        }
        if self.object.contains("productsOf") && (products_of.is_empty() || !products_of.iter().all(is_step)) {
            return Err(self.malformed("productsOf"));
        }
        let predicates = self.predicates()?;
        if predicates.is_empty() && products_of.is_empty() {
            return Err(self.malformed("expectedPredicates"));
        }
        Ok(Subject { patterns, products_of, predicates, name: self.name })
    }

    fn inspection(self) -> Result<Inspection, Error> {
        // Those over subjects are subjects here, and what a command says is a link (ITE-10, "Role of Inspections").
        self.known(&["name", "command", "expectedMaterials", "expectedProducts"])?;
        let run = self.command()?;
        if run.is_empty() {
            return Err(self.malformed("command"));
        }
        let (expected_materials, expected_products) = (self.rules("expectedMaterials")?, self.rules("expectedProducts")?);
        Ok(Inspection { run, expected_materials, expected_products, name: self.name })
    }

    fn known(&self, names: &[&str]) -> Result<(), Error> {
        known(self.object, &self.name, names)
    }

    fn predicates(&self) -> Result<Vec<ExpectedPredicate>, Error> {
        const WHAT: &str = "expectedPredicates";
        let listed = self.object.get(WHAT).and_then(Value::as_array).ok_or_else(|| self.malformed(WHAT))?;
        let (mut types, mut predicates) = (BTreeSet::new(), Vec::with_capacity(listed.len()));
        for one in listed {
            let one = one.as_object().ok_or_else(|| self.malformed(WHAT))?;
            known(one, &self.name, &["predicateType", "functionaries", "threshold", "expectedAttributes"])?;
            let predicate_type = one.get("predicateType").and_then(Value::as_str).filter(|text| !text.is_empty());
            let predicate_type = predicate_type.ok_or_else(|| self.malformed("predicateType"))?.to_owned();
            if !types.insert(predicate_type.clone()) {
                return Err(self.malformed("list of predicates, in which no two have one type,"));
            }
            let functionaries = strings(one.get("functionaries")).ok_or_else(|| self.malformed("functionaries"))?;
            if functionaries.len() > MAX_KEYS {
                return Err(Error::TooMany { what: "functionaries of a predicate", limit: MAX_KEYS });
            }
            let threshold = one.get("threshold").and_then(Value::as_u64).filter(|threshold| *threshold > 0);
            let threshold = threshold.ok_or_else(|| self.malformed("threshold"))?;
            let constraints = one.get("expectedAttributes").and_then(Value::as_array);
            let constraints = constraints.ok_or_else(|| self.malformed("expectedAttributes"))?.iter().map(Constraint::read);
            let constraints = constraints.collect::<Result<_, _>>().map_err(|error| self.within("expectedAttributes", error))?;
            predicates.push(ExpectedPredicate { predicate_type, functionaries, threshold, constraints });
        }
        Ok(predicates)
    }

    fn strings(&self, member: &'static str) -> Result<Vec<String>, Error> {
        strings(self.object.get(member)).ok_or_else(|| self.malformed(member))
    }

    fn command(&self) -> Result<Vec<String>, Error> {
        let words = self.strings("command")?;
        words.iter().map(|word| self.parameters.fill(word).map_err(|error| self.within("command", error))).collect()
    }

    /// Rules, each of which is a list of words. A text that is split at its spaces could name no path with a space (ITE-10's prototype).
    fn rules(&self, member: &'static str) -> Result<Vec<Rule>, Error> {
        let rules = self.object.get(member).and_then(Value::as_array).ok_or_else(|| self.malformed(member))?;
        let rule = |rule| {
            let words = strings(Some(rule)).ok_or_else(|| self.malformed(member))?;
            Rule::new(&words, self.parameters).map_err(|error| self.within(member, error))
        };
        rules.iter().map(rule).collect()
    }

    fn pattern(&self, text: &str) -> Result<crate::glob::Pattern, Error> {
        let malformed = |fault| Error::Rule { words: alloc::vec![text.to_owned()], fault };
        let pattern = compile(text, self.parameters).and_then(|pattern| match pattern {
            Some(pattern) if pattern.can_match_name() => Ok(pattern),
            Some(_) => Err(malformed(RuleFault::Pattern)),
            None => Err(malformed(RuleFault::ParameterInSet)),
        });
        pattern.map_err(|error| self.within("subject", error))
    }

    fn malformed(&self, what: &'static str) -> Error {
        Error::Item { item: self.name.clone(), what }
    }

    fn within(&self, what: &'static str, error: Error) -> Error {
        Error::Within { item: self.name.clone(), what, error: Box::new(error) }
    }
}

fn strings(value: Option<&Value<'_>>) -> Option<Vec<String>> {
    value?.as_array()?.iter().map(|one| one.as_str().map(ToOwned::to_owned)).collect()
}
