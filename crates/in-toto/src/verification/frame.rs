//! One layout that is being verified: the layout itself, or a sublayout.

use alloc::borrow::ToOwned;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString as _};
use alloc::sync::Arc;
use alloc::vec::Vec;

use touchmark_envelope::UnixTime;
use touchmark_envelope::key::PublicKey;
use touchmark_envelope::sorted;
use touchmark_envelope::threshold::KeySet;

use crate::attestation::LayoutForm;
use crate::certificates::{Certified, Uncertified};
use crate::document::Document;
use crate::engine::{self, OutOfWork, Work};
use crate::error::{cut, shortened};
use crate::key::Functionaries;
use crate::layout::{Inspection, Layout};
use crate::link::{Link, Origin};
use crate::parameters::placeholders;
use crate::product::Product;
use crate::rule::{Kind, Rule, Side};

use super::Standing;
use super::attested::Role;
use super::item::Item;
use super::need::{Answer, Failure};
use super::reason::{Reason, Refusal};
use super::report::{Answered, ItemReport, Report, RulesReport, Warning};
use super::subject::subject_of_product;

/// So many files of the product that no step is known to have made are told, and so many bytes of each name.
const MAX_LOOSE: usize = 16;
const MAX_NAME: usize = 256;

/// A layout, and how far its verification is.
#[derive(Debug)]
pub(super) struct Frame {
    layout: Layout,
    /// The time of the verification.
    at: UnixTime,
    /// Whose links answer its inspections.
    inspectors: KeySet,
    /// The final product that it is verified for.
    product: Option<Product>,
    stage: Stage,
    /// The step or the inspection that is looked at.
    pub(super) item: Option<Item>,
    /// What is taken of each step and inspection, by name.
    links: BTreeMap<String, Arc<Link>>,
    report: Report,
    /// What subjects tie of the final product to the supply chain.
    tied: Tied,
}

/// What subjects of a layout over attestations are about, of those that tie it to what the steps made.
#[derive(Debug, Default)]
struct Tied {
    /// The names of the artifacts.
    names: BTreeSet<String>,
    /// Whether one of these subjects does not hold.
    is_open: bool,
}

#[derive(Clone, Copy, Debug)]
enum Stage {
    /// The step of this number.
    Step(usize),
    /// The subject of this number.
    Subject(usize),
    /// The inspection of this number.
    Inspection(usize),
    /// All is done.
    End,
}

/// What a frame wants.
pub(super) enum Next {
    /// A file.
    File(String),
    /// The names of files of this step.
    Names(String),
    /// The outcome of an inspection.
    Inspection(Inspection),
    /// The statements that the caller offered.
    Offered,
    /// To go on: something was concluded.
    Again,
    /// Nothing: it is over.
    End,
}

impl Frame {
    pub(super) fn new(folder: String, layout: Layout, signed_by: Vec<PublicKey>, inspectors: KeySet, at: UnixTime) -> Self {
        let mut reasons = Vec::new();
        // in-toto 1.0, 5.2, item 2.
        if layout.expires <= at {
            reasons.push(Reason::Expired { expires: layout.expires, at });
        }
        let expires = Some(layout.expires);
        let (subjects, warnings) = (Vec::new(), Vec::new());
        let report = Report { folder, signed_by, expires, steps: Vec::new(), subjects, inspections: Vec::new(), warnings, reasons };
        Self {
            layout,
            at,
            inspectors,
            product: None,
            stage: Stage::Step(0),
            item: None,
            links: BTreeMap::new(),
            report,
            tied: Tied::default(),
        }
    }

    /// The same, told of braces in its rules: no parameters were given that they could be of.
    pub(super) fn without_parameters(mut self) -> Self {
        let steps = self.layout.steps.iter().map(|step| (&step.name, [step.rules(Side::Materials), step.rules(Side::Products)]));
        let inspections = self.layout.inspections.iter();
        let inspections = inspections.map(|one| (&one.name, [one.rules(Side::Materials), one.rules(Side::Products)]));
        let braces = steps.chain(inspections).filter_map(|(name, rules)| {
            let words = rules.into_iter().flatten().flat_map(|rule| rule.words().iter().skip(1));
            let parameter = words.flat_map(|word| placeholders(word)).next()?;
            Some(Warning::Braces { item: name.clone(), parameter: cut(parameter, 128) })
        });
        self.report.warnings.extend(braces);
        self
    }

    /// The same, for a final product.
    pub(super) fn for_product(self, product: Option<Product>) -> Self {
        Self { product, ..self }
    }

    pub(super) fn product(&self) -> Option<&Product> {
        self.product.as_ref()
    }

    pub(super) fn form(&self) -> LayoutForm {
        self.layout.form
    }

    pub(super) fn warn(&mut self, warnings: Vec<Warning>) {
        self.report.warnings.extend(warnings);
    }

    pub(super) fn folder(&self) -> &str {
        &self.report.folder
    }

    pub(super) fn has_failed(&self) -> bool {
        !self.report.is_verified()
    }

    /// Whether what is looked at is an inspection, which no sublayout answers.
    pub(super) fn is_at_inspection(&self) -> bool {
        matches!(self.stage, Stage::Inspection(_))
    }

    /// The keys that sign a file and may, by the certificates in it (ITE-7), and why the first other one may not.
    pub(super) fn certified(&self, document: &Document) -> (Vec<Certified>, Option<Uncertified>) {
        let Stage::Step(number) = self.stage else { return (Vec::new(), None) };
        let constraints = self.layout.steps.get(number).map(|step| step.cert_constraints.as_slice()).unwrap_or_default();
        if constraints.is_empty() {
            return (Vec::new(), None);
        }
        self.layout.authorities.certified(document, constraints, self.at)
    }

    /// Goes on, until something is wanted. `may_ask` is whether nothing has failed anywhere.
    pub(super) fn next(&mut self, may_ask: bool, standing: &mut Standing, work: &mut Work) -> Next {
        match self.stage {
            Stage::Step(number) => {
                let Some(step) = self.layout.steps.get(number) else {
                    self.apply(Items::Steps, work);
                    self.stage = Stage::Subject(0);
                    return Next::Again;
                };
                let (keys, folder, authorities) = (&self.layout.keys, &self.report.folder, &self.layout.authorities);
                let item = self.item.get_or_insert_with(|| match self.layout.form {
                    LayoutForm::Links => {
                        let item = Item::new(folder, &step.name, step.threshold, keys.functionaries(&step.pubkeys));
                        item.with_certificates(step.cert_constraints.len(), authorities)
                    }
                    LayoutForm::Attestations => Item::attested(folder, &step.name, Role::Step, &step.predicates, keys),
                });
                if let Some(file) = item.files.pop_front() {
                    return Next::File(file);
                }
                if item.takes_names() {
                    return Next::Names(step.name.clone());
                }
                match &item.attested {
                    None => {}
                    Some(attested) if !attested.looked_at_offered => return Next::Offered,
                    Some(_) => {
                        let expected = step.expected_command.clone();
                        self.conclude_step(&expected, Stage::Step(number + 1), standing, work);
                        return Next::Again;
                    }
                }
                let expected = Some(step.expected_command.clone());
                self.conclude(expected.as_deref(), Stage::Step(number + 1));
            }
            Stage::Subject(number) => {
                let Some(subject) = self.layout.subjects.get(number) else {
                    self.stage = Stage::Inspection(0);
                    return Next::Again;
                };
                let (keys, folder) = (&self.layout.keys, &self.report.folder);
                let item = self.item.get_or_insert_with(|| Item::attested(folder, &subject.name, Role::Subject, &subject.predicates, keys));
                if let Some(file) = item.files.pop_front() {
                    return Next::File(file);
                }
                if item.attested.as_ref().is_some_and(|attested| !attested.looked_at_offered) {
                    return Next::Offered;
                }
                self.conclude_subject(number, work);
            }
            Stage::Inspection(number) => {
                let Some(inspection) = self.layout.inspections.get(number) else {
                    self.apply(Items::Inspections, work);
                    let missed = self.product_is_missed();
                    self.report.reasons.extend(missed);
                    self.stage = Stage::End;
                    return Next::Again;
                };
                if let Some(product) = self.product.as_ref().filter(|_| Product::answers(inspection)) {
                    let (name, artifacts) = (inspection.name.clone(), product.artifacts.clone());
                    self.item = Some(Item::new("", &name, 1, Functionaries::of(KeySet::new([]))));
                    let (command, materials, origin) = (inspection.run.clone(), artifacts.clone(), Origin::Link);
                    let link = Link { name, command, materials, products: artifacts, origin };
                    self.inspected(Ok((Answered::Product, link)));
                    return Next::Again;
                }
                let (folder, inspectors) = (&self.report.folder, &self.inspectors);
                let item = self.item.get_or_insert_with(|| Item::new(folder, &inspection.name, 1, Functionaries::of(inspectors.clone())));
                if let Some(file) = item.files.pop_front() {
                    return Next::File(file);
                }
                if item.has_candidates() {
                    self.conclude(None, Stage::Inspection(number + 1));
                } else if may_ask && !self.has_failed() {
                    return Next::Inspection(inspection.clone());
                } else {
                    let inspection = inspection.name.clone();
                    self.inspected(Err(Reason::NotReached { inspection }));
                }
            }
            Stage::End => return Next::End,
        }
        Next::Again
    }

    fn conclude(&mut self, expected_command: Option<&[String]>, stage: Stage) {
        if let Some(item) = self.item.take() {
            let (report, reason) = item.conclude(expected_command);
            self.keep(report, reason);
        }
        self.stage = stage;
    }

    fn conclude_step(&mut self, expected_command: &[String], stage: Stage, standing: &mut Standing, work: &mut Work) {
        let Some(item) = self.item.take() else { return };
        let name = item.name().to_owned();
        match item.conclude_step(expected_command, standing, work) {
            Ok((report, reasons)) => {
                for reason in &reasons {
                    // The step that it counted for is concluded.
                    if let Reason::OneForTwo { first, second } = reason {
                        self.refuse(first, second);
                    }
                }
                self.keep(report, reasons);
                self.stage = stage;
            }
            Err(OutOfWork) => self.stop(Reason::TooMuchWork { item: name }),
        }
    }

    /// What is said of the final product, and whether that ties it to what the steps made.
    fn conclude_subject(&mut self, number: usize, work: &mut Work) {
        let (Some(item), Some(subject)) = (self.item.take(), self.layout.subjects.get(number)) else { return };
        let (name, made) = (subject.name.clone(), |name: &str| self.links.get(name).map(AsRef::as_ref));
        let concluded = subject_of_product(item, subject, self.product.as_ref(), made, work);
        let ties = !subject.products_of.is_empty() || self.layout.steps.is_empty();
        match concluded {
            Ok(found) => {
                // What a subject lacks that would tie it is a reason already.
                self.tied.is_open |= ties && !found.reasons.is_empty();
                self.tied.names.extend(found.about.into_iter().filter(|_| ties));
                self.keep(found.report, found.reasons);
                self.stage = Stage::Subject(number + 1);
            }
            Err(OutOfWork) => self.stop(Reason::TooMuchWork { item: name }),
        }
    }

    /// Takes what the caller says of the inspection that was asked for.
    pub(super) fn answered(&mut self, answer: Answer) {
        let Some(inspection) = self.item.as_ref().map(|item| item.name().to_owned()) else { return };
        let outcome = match answer {
            Answer::Inspected(inspected) if inspected.return_value == 0 => {
                let (materials, products) = (inspected.materials, inspected.products);
                Ok((Answered::Run, Link { name: inspection, command: Vec::new(), materials, products, origin: Origin::Link }))
            }
            Answer::Inspected(inspected) => Err(Reason::Inspection { inspection, return_value: inspected.return_value }),
            Answer::Absent => Err(Reason::Unanswered { inspection }),
            Answer::Failed(failure) => Err(Reason::NotRun { inspection, failure }),
            Answer::Bytes(_) | Answer::Files(_) | Answer::Names(_) => Err(Reason::NotRun { inspection, failure: Failure::WrongAnswer }),
        };
        self.inspected(outcome);
    }

    fn inspected(&mut self, outcome: Result<(Answered, Link), Reason>) {
        let (Some(item), Stage::Inspection(number)) = (self.item.take(), self.stage) else { return };
        // Nothing was signed that counts.
        let (mut report, _) = item.conclude(None);
        let reason = match outcome {
            Ok((answer, link)) => {
                (report.answer, report.link) = (answer, Some(Arc::new(link)));
                None
            }
            Err(reason) => Some(reason),
        };
        self.keep(report, reason);
        self.stage = Stage::Inspection(number + 1);
    }

    fn keep(&mut self, report: ItemReport, reasons: impl IntoIterator<Item = Reason>) {
        if let Some(link) = &report.link {
            self.links.insert(report.name.clone(), Arc::clone(link));
        }
        self.report.reasons.extend(reasons);
        match self.stage {
            Stage::Step(_) => self.report.steps.push(report),
            Stage::Subject(_) => self.report.subjects.push(report),
            _ => self.report.inspections.push(report),
        }
    }

    /// Adds a reason.
    pub(super) fn fail(&mut self, reason: Reason) {
        self.report.reasons.push(reason);
    }

    /// Takes back what was concluded of the step that `file` counted for, which is one of another step's, too.
    pub(super) fn refuse(&mut self, file: &str, other: &str) {
        for step in &mut self.report.steps {
            // One of the same name may have been refused at other steps.
            if let Some(report) = step.files.iter_mut().find(|report| report.path == file && report.refusal.is_none()) {
                report.refusal = Some(Refusal::OtherStep { other: other.into() });
                (step.link, step.counted, step.answer) = (None, Vec::new(), Answered::No);
                self.links.remove(&step.name);
            }
        }
    }

    /// Ends it where it is.
    pub(super) fn stop(&mut self, reason: Reason) {
        if let Some(item) = self.item.take() {
            let (report, _) = item.conclude(None);
            self.keep(report, None);
        }
        self.report.reasons.push(reason);
        self.stage = Stage::End;
    }

    /// Applies the rules of all steps, or of all inspections (in-toto 1.0, 5.2, items 5 and 7).
    fn apply(&mut self, items: Items, work: &mut Work) {
        let Self { layout, links, report, .. } = self;
        let lists: Vec<[&[Rule]; 2]> = match items {
            Items::Steps => layout.steps.iter().map(|step| [step.rules(Side::Materials), step.rules(Side::Products)]).collect(),
            Items::Inspections => {
                layout.inspections.iter().map(|inspection| [inspection.rules(Side::Materials), inspection.rules(Side::Products)]).collect()
            }
        };
        let missing_steps = report.steps.iter().map(|step| step.name.clone()).filter(|name| !links.contains_key(name)).collect::<Vec<_>>();
        let reports = match items {
            Items::Steps => &mut report.steps,
            Items::Inspections => &mut report.inspections,
        };
        // What did not hold is a reason already. Rules that look at it would fail for no other.
        let missing: BTreeSet<String> =
            reports.iter().map(|item| &item.name).filter(|name| !links.contains_key(*name)).cloned().chain(missing_steps).collect();
        let is_missing = |rule: &Rule| matches!(rule.kind(), Kind::Match(rule) if missing.contains(&rule.from));
        for (item, [materials, products]) in reports.iter_mut().zip(lists) {
            let Some(link) = links.get(&item.name) else { continue };
            for (side, rules) in [(Side::Materials, materials), (Side::Products, products)] {
                if rules.iter().any(is_missing) {
                    continue;
                }
                let Ok(applied) = engine::apply(rules, side, link, |name| links.get(name).map(AsRef::as_ref), work) else {
                    report.reasons.push(Reason::TooMuchWork { item: item.name.clone() });
                    return;
                };
                for (number, (rule, outcome)) in rules.iter().zip(applied.rules()).enumerate() {
                    report.reasons.extend(outcome.failure.clone().map(|failure| Reason::Rule {
                        item: item.name.clone(),
                        side,
                        number,
                        rule: rule.to_string(),
                        failure,
                    }));
                }
                let applied = Some(RulesReport { rules: rules.to_vec(), applied });
                match side {
                    Side::Materials => item.materials = applied,
                    Side::Products => item.products = applied,
                }
            }
        }
    }

    /// Why the final product is not tied to the supply chain, once the rules of inspections are applied.
    fn product_is_missed(&mut self) -> Option<Reason> {
        let product = self.product.as_ref()?;
        let is_step = |name: &String| self.layout.steps.iter().any(|step| step.name == *name);
        let made = |rule: &Rule| matches!(rule.kind(), Kind::Match(rule) if rule.side == Side::Products && is_step(&rule.from));
        // An inspection that nobody answered might have looked at files, and is a reason already.
        let is_silent = self.report.inspections.iter().any(|item| item.answer == Answered::No);
        let mut is_open = self.tied.is_open || (is_silent && product.manifest.is_none());
        let mut matched = sorted::set(self.tied.names.iter().map(String::as_str));
        let mut looked = !matched.is_empty();
        let answers = |item: &&ItemReport| match item.answer {
            Answered::Product | Answered::Signed => true,
            // A command that was run began with the files of the product.
            Answered::Run => product.manifest.is_none(),
            Answered::No => false,
        };
        for item in self.report.inspections.iter().filter(answers) {
            looked = true;
            // Rules that were not applied have their reasons already.
            is_open |= item.materials.is_none() || item.products.is_none();
            for (side, report) in [(Side::Materials, &item.materials), (Side::Products, &item.products)] {
                let (Some(report), Some(link)) = (report, &item.link) else { continue };
                for (artifact, rule) in link.artifacts(side).iter().zip(report.applied.consumed_by()) {
                    let rule = rule.and_then(|rule| report.rules.get(rule));
                    if rule.is_some_and(made) && product.artifacts.get(artifact.name) == Some(artifact.digests) {
                        matched.insert(artifact.name);
                    }
                }
            }
        }
        match &product.manifest {
            Some(manifest) if matched.contains(manifest.as_str()) || is_open => None,
            Some(manifest) => Some(Reason::ProductUnmatched { manifest: manifest.clone() }),
            None if is_open => None,
            None if !looked => Some(Reason::ProductIgnored),
            None if matched.is_empty() => Some(Reason::ProductUntied),
            None => {
                let mut others = product.artifacts.iter().map(|artifact| artifact.name).filter(|name| !matched.contains(name));
                let names: Vec<String> = others.by_ref().take(MAX_LOOSE).map(|name| shortened(name, MAX_NAME)).collect();
                if !names.is_empty() {
                    self.report.warnings.push(Warning::ProductLoose { names, more: others.count() });
                }
                None
            }
        }
    }

    /// What it comes to: its report, and what stands for it in the layout above (in-toto 1.0, 4.5.1), if it is verified and has a step.
    pub(super) fn end(mut self) -> (Report, Option<Link>) {
        if !self.report.is_verified() {
            return (self.report, None);
        }
        let link = |step: Option<&crate::layout::Step>| step.and_then(|step| self.links.get(&step.name));
        let summary = match (link(self.layout.steps.first()), link(self.layout.steps.last())) {
            (Some(first), Some(last)) => Some(Link {
                name: last.name.clone(),
                command: last.command.clone(),
                materials: first.materials.clone(),
                products: last.products.clone(),
                origin: first.origin.and(last.origin),
            }),
            _ => None,
        };
        // A layout may be of inspections alone; a sublayout stands for a step.
        if summary.is_none() && !self.report.folder.is_empty() {
            self.report.reasons.push(Reason::NoStep);
        }
        (self.report, summary)
    }
}

/// Whose rules.
#[derive(Clone, Copy)]
enum Items {
    Steps,
    Inspections,
}
