//! What a verification found, as a value.

use alloc::string::{String, ToString as _};
use alloc::sync::Arc;
use alloc::vec::Vec;

use touchmark_envelope::UnixTime;
use touchmark_envelope::json::Value;
use touchmark_envelope::key::PublicKey;

use crate::certificates::Certified;
use crate::engine::{Applied, RuleFailure};
use crate::error::{Error, shortened};
use crate::key::Unusable;
use crate::link::Link;
use crate::rule::{Rule, Side};

use super::reason::{Class, Reason, Refusal};

/// What was found of a layout, or of a sublayout.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Report {
    /// Where its links are looked for: empty for the layout itself, else as in paths of files, with a slash at the end.
    pub folder: String,
    /// The keys that vouch for it.
    pub signed_by: Vec<PublicKey>,
    /// When it expires.
    pub expires: Option<UnixTime>,
    /// Its steps, in their order, as far as it was come.
    pub steps: Vec<ItemReport>,
    /// Its subjects, in their order, as far as it was come. A layout of in-toto 1.0 has none.
    pub subjects: Vec<ItemReport>,
    /// Its inspections, in their order, as far as it was come.
    pub inspections: Vec<ItemReport>,
    /// What does not stop it, and is of no one step.
    pub warnings: Vec<Warning>,
    /// Why it is not verified: nothing if it is.
    pub reasons: Vec<Reason>,
}

/// What was found of a step or an inspection.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ItemReport {
    /// Its name.
    pub name: String,
    /// How many keys must vouch for it: 1 for an inspection that is answered by a link.
    pub threshold: u64,
    /// The keys that may.
    pub functionaries: Vec<PublicKey>,
    /// Keyids that name no key, or no authority, which can, and why.
    pub unusable: Vec<(String, Unusable)>,
    /// The keys that do.
    pub counted: Vec<PublicKey>,
    /// The files that were found.
    pub files: Vec<FileReport>,
    /// How many files were looked for.
    pub looked_for: usize,
    /// How many constraints there are that certificates may meet (ITE-7).
    pub cert_constraints: usize,
    /// The predicates that it expects, as far as they were counted: none in a layout of in-toto 1.0.
    pub predicates: Vec<PredicateReport>,
    /// Who says what is taken of it.
    pub answer: Answered,
    /// What is taken of it; nothing if it does not hold.
    pub link: Option<Arc<Link>>,
    /// What does not stop it.
    pub warnings: Vec<Warning>,
    /// What became of the rules for its materials; nothing if they were not applied.
    pub materials: Option<RulesReport>,
    /// What became of the rules for its products; nothing if they were not applied.
    pub products: Option<RulesReport>,
}

/// What was found of a predicate that a step or a subject expects.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PredicateReport {
    /// Its type.
    pub predicate_type: String,
    /// How many keys must vouch with it.
    pub threshold: u64,
    /// The keys that may.
    pub functionaries: Vec<PublicKey>,
    /// The keys that do; none if they are too few.
    pub counted: Vec<PublicKey>,
}

/// Who says what is taken of a step or an inspection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answered {
    /// Nobody.
    No,
    /// Those whose keys were counted.
    Signed,
    /// The caller, who ran the inspection.
    Run,
    /// The final product, which the inspection looks at and does nothing with.
    Product,
}

/// What was found of a file.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FileReport {
    /// Where it is.
    pub path: String,
    /// Which of several files of that name it is, as the caller calls it; nothing where there is one.
    pub from: Option<String>,
    /// The keys that may sign it and did.
    pub signed_by: Vec<PublicKey>,
    /// Those of them that may by a certificate in the file.
    pub certified: Vec<Certified>,
    /// Why it does not count, if it does not.
    pub refusal: Option<Refusal>,
    /// What was found of the sublayout that it is, if it is one.
    pub sublayout: Option<Report>,
}

/// What an owner should look at and what does not stop a verification.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Warning {
    /// The command that was run is not the one that is expected (in-toto 1.0, 4.3.1).
    #[error("{file}{}: the command was `{found}`, and `{expected}` is expected", and_more(*more))]
    Command {
        /// The first file that says so.
        file: String,
        /// How many files besides have a command that is not expected.
        more: usize,
        /// The command that was run, as one line, cut to 512 bytes.
        found: String,
        /// The command that is expected, as one line, cut to 512 bytes.
        expected: String,
    },
    /// A rule has what would be a parameter if some were given, and none are.
    #[error("a rule of `{}` has {{{parameter}}}, and without parameters braces are only braces", item.escape_debug())]
    Braces {
        /// The step or the inspection.
        item: String,
        /// The first name in braces, at most 128 characters of it.
        parameter: String,
    },
    /// A parameter was given that no rule and no command has.
    #[error("the parameter `{parameter}` is given, and nothing uses it")]
    UnusedParameter {
        /// Its name.
        parameter: String,
    },
    /// Files of the final product that no MATCH against a step's products consumed: a rule allows them, whoever made them.
    #[error("no step is known to have made {}{} of the final product", escaped(names), and_more(*more))]
    ProductLoose {
        /// The first of their names, each cut to 256 bytes.
        names: Vec<String>,
        /// How many there are besides.
        more: usize,
    },
    /// What the caller offered is no statement, and is ignored.
    #[error("{name}: it is ignored: {error}")]
    Offered {
        /// What the caller calls it.
        name: String,
        /// What is wrong with it.
        error: Error,
    },
    /// Who signed a sublayout left one of its inspections to another signer (4.5.3), and is not counted.
    #[error("{file}: signed by {}, who did not answer all its inspections and does not count", keys.join(" "))]
    Silent {
        /// The sublayout.
        file: String,
        /// Touchmark's identifiers of the keys.
        keys: Vec<String>,
    },
}

/// Bytes of a command that a warning tells.
const MAX_COMMAND: usize = 512;

impl Warning {
    /// A stable word for it.
    pub fn code(&self) -> &'static str {
        match self {
            Warning::Command { .. } => "in-toto-command",
            Warning::Braces { .. } => "in-toto-braces",
            Warning::UnusedParameter { .. } => "in-toto-parameter-unused",
            Warning::ProductLoose { .. } => "in-toto-product-unmatched",
            Warning::Offered { .. } => "in-toto-offered",
            Warning::Silent { .. } => "in-toto-inspection-by-another",
        }
    }
}

/// A list of rules, and what became of it.
#[derive(Clone, Debug)]
pub struct RulesReport {
    /// The rules.
    pub rules: Vec<Rule>,
    /// What became of them.
    pub applied: Applied,
}

/// How much of a report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// What became of each rule.
    Rules,
    /// And which rule consumed each artifact.
    Artifacts,
}

impl Report {
    /// Whether it is verified.
    pub fn is_verified(&self) -> bool {
        self.reasons.is_empty()
    }

    /// Whether each inspection that a signed link answers is answered by one of this key.
    pub(super) fn is_answered_by(&self, key: &PublicKey) -> bool {
        self.inspections.iter().all(|item| item.answer != Answered::Signed || item.counted.contains(key))
    }

    /// What kind of refusal it is, if it is one.
    pub fn class(&self) -> Option<Class> {
        self.reasons.iter().map(Reason::class).reduce(Class::and)
    }

    /// What decides a refusal: the first reason of the kind that it is.
    pub fn deciding(&self) -> Option<&Reason> {
        let class = self.class()?;
        self.reasons.iter().find(|reason| reason.class() == class)
    }

    /// The report as JSON: `{verified, class, layouts}`, where the layout itself comes first and its sublayouts follow, each with
    /// `{folder, verified, signed_by, expires, steps, subjects, inspections, warnings, reasons}`. A file that is a sublayout names the folder of its report.
    ///
    /// They are side by side and not within each other, so that readers with a bound on depth, such as this library's, read it.
    pub fn to_json(&self, detail: Detail) -> Value<'static> {
        let mut layouts = Vec::new();
        self.collect(detail, &mut layouts);
        Value::object([
            ("verified", Value::from(self.is_verified())),
            ("class", self.class().map_or(Value::Null, |class| Value::from(class.code()))),
            ("layouts", Value::from(layouts)),
        ])
    }

    fn collect(&self, detail: Detail, layouts: &mut Vec<Value<'static>>) {
        let items = |items: &[ItemReport]| Value::from(items.iter().map(|item| item.to_json(detail)).collect::<Vec<_>>());
        let reasons = self.reasons.iter().map(|reason| coded(reason.code(), reason.to_string()));
        layouts.push(Value::object([
            ("folder", Value::from(self.folder.clone())),
            ("verified", Value::from(self.is_verified())),
            ("signed_by", keys(&self.signed_by)),
            ("expires", self.expires.map_or(Value::Null, |time| Value::from(time.to_string()))),
            ("steps", items(&self.steps)),
            ("subjects", items(&self.subjects)),
            ("inspections", items(&self.inspections)),
            ("warnings", warnings(&self.warnings)),
            ("reasons", Value::from(reasons.collect::<Vec<_>>())),
        ]));
        for sublayout in self.steps.iter().flat_map(|step| &step.files).filter_map(|file| file.sublayout.as_ref()) {
            sublayout.collect(detail, layouts);
        }
    }
}

impl ItemReport {
    fn to_json(&self, detail: Detail) -> Value<'static> {
        let unusable = self.unusable.iter().map(|(keyid, unusable)| {
            let keyid = ("keyid", Value::from(keyid.clone()));
            Value::object([keyid, ("code", Value::from(unusable.code())), ("message", Value::from(unusable.to_string()))])
        });
        let answer = match self.answer {
            Answered::No => "no",
            Answered::Signed => "signed",
            Answered::Run => "run",
            Answered::Product => "product",
        };
        let rules = |report: &Option<RulesReport>, side| match (report, &self.link) {
            (Some(report), Some(link)) => report.to_json(link, side, detail),
            _ => Value::Null,
        };
        Value::object([
            ("name", Value::from(self.name.clone())),
            ("threshold", Value::from(self.threshold)),
            ("functionaries", keys(&self.functionaries)),
            ("cert_constraints", number(self.cert_constraints)),
            ("unusable", Value::from(unusable.collect::<Vec<_>>())),
            ("counted", keys(&self.counted)),
            ("files", Value::from(self.files.iter().map(FileReport::to_json).collect::<Vec<_>>())),
            ("looked_for", number(self.looked_for)),
            ("predicates", Value::from(self.predicates.iter().map(PredicateReport::to_json).collect::<Vec<_>>())),
            ("answer", Value::from(answer)),
            ("warnings", warnings(&self.warnings)),
            ("materials", rules(&self.materials, Side::Materials)),
            ("products", rules(&self.products, Side::Products)),
        ])
    }
}

impl PredicateReport {
    fn to_json(&self) -> Value<'static> {
        Value::object([
            ("type", Value::from(self.predicate_type.clone())),
            ("threshold", Value::from(self.threshold)),
            ("functionaries", keys(&self.functionaries)),
            ("counted", keys(&self.counted)),
        ])
    }
}

impl FileReport {
    fn to_json(&self) -> Value<'static> {
        let refusal = self.refusal.as_ref().map_or(Value::Null, |refusal| coded(refusal.code(), refusal.to_string()));
        let certified = self.certified.iter().map(|one| {
            Value::object([
                ("key", Value::from(one.key.key_id().into_string())),
                ("subject", Value::from(one.subject.clone())),
                ("root", Value::from(one.root.clone())),
            ])
        });
        Value::object([
            ("path", Value::from(self.path.clone())),
            ("from", self.from.clone().map_or(Value::Null, Value::from)),
            ("signed_by", keys(&self.signed_by)),
            ("certified", Value::from(certified.collect::<Vec<_>>())),
            ("refused", refusal),
            ("sublayout", self.sublayout.as_ref().map_or(Value::Null, |report| Value::from(report.folder.clone()))),
        ])
    }
}

impl RulesReport {
    fn to_json(&self, link: &Link, side: Side, detail: Detail) -> Value<'static> {
        let rules = self.rules.iter().zip(self.applied.rules()).map(|(rule, outcome)| {
            let words: Vec<Value<'static>> = rule.words().iter().cloned().map(Value::from).collect();
            let failure = outcome.failure.as_ref().map_or(Value::Null, |failure| match failure {
                RuleFailure::Disallowed { names, found } => {
                    let names: Vec<Value<'static>> = names.iter().cloned().map(Value::from).collect();
                    Value::object([("disallowed", Value::from(names)), ("found", number(*found))])
                }
                RuleFailure::Required { name, consumed } => {
                    Value::object([("required", Value::from(name.clone())), ("consumed", Value::from(*consumed))])
                }
            });
            Value::object([
                ("rule", Value::from(words)),
                ("consumed", number(outcome.consumed)),
                ("left", number(outcome.left)),
                ("failure", failure),
            ])
        });
        let rules = Value::from(rules.collect::<Vec<_>>());
        match detail {
            Detail::Rules => Value::object([("rules", rules)]),
            Detail::Artifacts => {
                let artifacts = link.artifacts(side).iter().zip(self.applied.consumed_by()).map(|(artifact, rule)| {
                    let digests =
                        artifact.digests.iter().map(|(algorithm, digest)| (algorithm.to_string(), Value::from(digest.to_string())));
                    Value::object([
                        ("name", Value::from(artifact.name.to_string())),
                        ("digest", Value::object(digests)),
                        ("consumed_by", rule.map_or(Value::Null, number)),
                    ])
                });
                Value::object([("rules", rules), ("artifacts", Value::from(artifacts.collect::<Vec<_>>()))])
            }
        }
    }
}

fn coded(code: &'static str, message: String) -> Value<'static> {
    Value::object([("code", Value::from(code)), ("message", Value::from(message))])
}

fn warnings(warnings: &[Warning]) -> Value<'static> {
    Value::from(warnings.iter().map(|warning| coded(warning.code(), warning.to_string())).collect::<Vec<_>>())
}

fn keys(keys: &[PublicKey]) -> Value<'static> {
    Value::from(keys.iter().map(|key| Value::from(key.key_id().into_string())).collect::<Vec<_>>())
}

fn number(number: usize) -> Value<'static> {
    Value::from(u64::try_from(number).unwrap_or(u64::MAX))
}

/// A command as one line, cut to [`MAX_COMMAND`] bytes before it is copied: it is as long as whoever signed it wants.
pub(super) fn spaced(words: &[String]) -> String {
    let mut out = String::new();
    for (place, word) in words.iter().enumerate() {
        if place > 0 {
            out.push(' ');
        }
        out.extend(word.chars().take(128).flat_map(char::escape_debug));
        if out.len() > MAX_COMMAND {
            break;
        }
    }
    shortened(&out, MAX_COMMAND)
}

fn and_more(files: usize) -> String {
    match files {
        0 => String::new(),
        more => alloc::format!(" and {more} more"),
    }
}

/// Names, as one line.
fn escaped(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| name.escape_debug().collect()).collect();
    names.join(", ")
}
