//! A report as lines.

use touchmark::envelope::key::PublicKey;
use touchmark::in_toto::{Answered, FileReport, ItemReport, Report, RulesReport, Side};

/// A line for each step and inspection: what it is, its name, and who says so.
pub(super) fn steps(report: &Report) -> Vec<String> {
    let steps = report.steps.iter().map(|item| ("step", item));
    let subjects = report.subjects.iter().map(|item| ("subject", item));
    let inspections = report.inspections.iter().map(|item| ("inspection", item));
    steps.chain(subjects).chain(inspections).map(|(kind, item)| format!("{kind} {} {}", item.name, vouched(item))).collect()
}

/// All of it, those of sublayouts indented.
pub(super) fn lines(report: &Report) -> Vec<String> {
    let mut lines = Lines::default();
    lines.report(report, 0);
    lines.0
}

/// Who says what is taken of it.
fn vouched(item: &ItemReport) -> String {
    match item.answer {
        Answered::Signed => keys(&item.counted),
        Answered::Product => "the final product".to_owned(),
        Answered::Run => "run".to_owned(),
        _ => "nobody".to_owned(),
    }
}

fn keys(keys: &[PublicKey]) -> String {
    let ids: Vec<String> = keys.iter().map(|key| key.key_id().into_string()).collect();
    if ids.is_empty() { "nobody".to_owned() } else { ids.join(" ") }
}

#[derive(Default)]
struct Lines(Vec<String>);

impl Lines {
    fn add(&mut self, level: usize, text: &str) {
        self.0.push(format!("{}{text}", "  ".repeat(level)));
    }

    fn report(&mut self, report: &Report, level: usize) {
        let what = if report.folder.is_empty() { "layout".to_owned() } else { format!("sublayout {}", report.folder) };
        self.add(level, &format!("{what}: {}", if report.is_verified() { "verified" } else { "not verified" }));
        self.add(level + 1, &format!("signed by {}", keys(&report.signed_by)));
        if let Some(expires) = report.expires {
            self.add(level + 1, &format!("expires {expires}"));
        }
        for warning in &report.warnings {
            self.add(level + 1, &format!("warning: {warning}"));
        }
        for item in &report.steps {
            self.item("step", item, level + 1);
        }
        for item in &report.subjects {
            self.item("subject", item, level + 1);
        }
        for item in &report.inspections {
            self.item("inspection", item, level + 1);
        }
        for reason in &report.reasons {
            self.add(level + 1, &format!("reason: {reason}"));
        }
    }

    fn item(&mut self, kind: &str, item: &ItemReport, level: usize) {
        self.add(level, &format!("{kind} {}: {}", item.name, vouched(item)));
        for one in &item.predicates {
            let (needed, keys) = (one.threshold, (keys(&one.functionaries), keys(&one.counted)));
            self.add(level + 1, &format!("{}: needs {needed} of {}, has {}", one.predicate_type, keys.0, keys.1));
        }
        if kind == "step" && item.predicates.is_empty() {
            self.add(level + 1, &format!("needs {} of {}", item.threshold, keys(&item.functionaries)));
        }
        match item.cert_constraints {
            0 => {}
            1 => self.add(level + 1, "or a certificate that meets its constraint"),
            more => self.add(level + 1, &format!("or certificates that meet one of {more} constraints")),
        }
        for (keyid, unusable) in &item.unusable {
            self.add(level + 1, &format!("key {keyid}: {unusable}"));
        }
        for file in &item.files {
            self.file(file, level + 1);
        }
        for warning in &item.warnings {
            self.add(level + 1, &format!("warning: {warning}"));
        }
        if kind == "subject" {
            return;
        }
        for (side, rules) in [(Side::Materials, &item.materials), (Side::Products, &item.products)] {
            match rules {
                Some(rules) => self.rules(side, rules, item, level + 1),
                None => self.add(level + 1, &format!("{side}: the rules were not applied")),
            }
        }
    }

    fn file(&mut self, file: &FileReport, level: usize) {
        let from = file.from.as_ref().filter(|from| !from.is_empty()).map(|from| format!(" of {from}")).unwrap_or_default();
        match &file.refusal {
            Some(refusal) => self.add(level, &format!("file {}{from}: does not count: {refusal}", file.path)),
            None => self.add(level, &format!("file {}{from}: signed by {}", file.path, keys(&file.signed_by))),
        }
        for one in &file.certified {
            let key = one.key.key_id();
            self.add(
                level + 1,
                &format!("{key} by the certificate of `{}`, under the root {}", one.subject.escape_debug(), one.root.escape_debug()),
            );
        }
        if let Some(sublayout) = &file.sublayout {
            self.report(sublayout, level + 1);
        }
    }

    fn rules(&mut self, side: Side, report: &RulesReport, item: &ItemReport, level: usize) {
        self.add(level, &format!("{side}:"));
        for (number, (rule, outcome)) in report.rules.iter().zip(report.applied.rules()).enumerate() {
            let failed = outcome.failure.as_ref().map(|failure| format!("; {failure}")).unwrap_or_default();
            let text = format!("{}. {rule}: consumed {}, left {}{failed}", number + 1, outcome.consumed, outcome.left);
            self.add(level + 1, &text);
        }
        let Some(link) = &item.link else { return };
        for (artifact, rule) in link.artifacts(side).iter().zip(report.applied.consumed_by()) {
            let by = rule.map_or("left over, and allowed".to_owned(), |rule| format!("rule {}", rule + 1));
            self.add(level + 1, &format!("{}: {by}", artifact.name));
        }
    }
}
