//! What is said of a report beside it: reasons, what to try, and warnings.

use touchmark::envelope::dsse::DsseError;
use touchmark::envelope::signed::SignedError;
use touchmark::in_toto::{Class, Error, Failure as Unavailable, FileReport, Reason, Refusal, Report};
use touchmark_verify::exit::Exit;
use touchmark_verify::output::{Failure, Output};

/// Says all reasons, and gives what they come to.
pub(super) fn failure(report: &Report, class: Class, output: &mut Output<'_>) -> Failure {
    let exit = match class {
        Class::Usage => Exit::Usage,
        Class::UntrustedMetadata => Exit::UntrustedMetadata,
        Class::NotVerified => Exit::NotVerified,
        _ => Exit::Unknown,
    };
    // What decides is the first reason of the kind that does.
    let deciding = report.reasons.iter().find(|reason| reason.class() == class);
    // Among several sets of links, one that could not be read may be the one that decides.
    let code = deciding.map_or("in-toto-undecided", Reason::code);
    let message = match report.reasons.as_slice() {
        [only] => only.to_string(),
        reasons => {
            reasons.iter().for_each(|reason| output.reason(&reason.to_string()));
            format!("not verified, for {} reasons", reasons.len())
        }
    };
    let mut failure = Failure::new(exit, code, message);
    let undecided = || {
        let hint = "not all that is attached could be looked at: --max-referrers, or delete what does not belong there";
        (class == Class::Unknown && deciding.is_none()).then(|| hint.to_owned())
    };
    failure.hint = hint(report, class).or_else(undecided);
    failure
}

/// What to try: the option that raises a limit, or that gives what is missing.
fn hint(report: &Report, class: Class) -> Option<String> {
    let raise = |option| format!("raise the limit with {option}");
    let files = report.steps.iter().chain(&report.inspections).flat_map(|item| &item.files);
    report.reasons.iter().filter(|reason| reason.class() == class).find_map(|reason| match reason {
        Reason::Layout(error) if class == Class::Usage => Some(match inner(error) {
            Error::ParameterMissing { name } => format!("--param {name}=VALUE"),
            _ => "give --param only to a layout that has parameters".to_owned(),
        }),
        Reason::Layout(Error::TooLarge { .. }) => Some(raise("--max-link-size")),
        Reason::Threshold { unavailable: true, .. } => files.clone().find_map(cap).map(raise),
        Reason::TooManyFiles { .. } => Some(raise("--max-requests")),
        Reason::TooManyBytes { .. } => Some(raise("--max-total-size")),
        Reason::TooMuchWork { .. } => Some(raise("--max-work")),
        Reason::Unanswered { .. } => {
            let how = "--inspection-key for a signed link of it, --run-inspection to run it, or, if its command is `true`, --product or --products";
            Some(how.to_owned())
        }
        _ => None,
    })
}

fn inner(error: &Error) -> &Error {
    match error {
        Error::Within { error, .. } => inner(error),
        error => error,
    }
}

/// The option that raises the limit which kept a file from counting.
fn cap(file: &FileReport) -> Option<&'static str> {
    match file.refusal.as_ref()? {
        Refusal::Unavailable(Unavailable::TooLarge { .. }) | Refusal::Malformed(Error::TooLarge { .. }) => Some("--max-link-size"),
        Refusal::Malformed(Error::Dsse(DsseError::TooManySignatures { .. }) | Error::Signed(SignedError::TooManySignatures { .. })) => {
            Some("--max-signatures")
        }
        Refusal::TooDeep { .. } => Some("--max-depth"),
        Refusal::Sublayout(_) => {
            let report = file.sublayout.as_ref()?;
            report.steps.iter().chain(&report.inspections).flat_map(|item| &item.files).find_map(cap)
        }
        _ => None,
    }
}

/// So many files that do not count are told of a step. Everybody can attach more.
const MAX_REFUSED: usize = 16;

/// What does not stop it, and the files of steps that hold which do not count: somebody put them there.
pub(super) fn warnings(report: &Report) -> Vec<String> {
    let place = if report.folder.is_empty() { String::new() } else { format!("{}: ", report.folder) };
    let of_layout = report.warnings.iter().map(|warning| format!("{place}{warning}"));
    let items = report.steps.iter().chain(&report.inspections);
    let of_item = items.flat_map(|item| {
        let warned = item.warnings.iter().map(|warning| format!("`{}`: {warning}", item.name));
        let of_files = item.files.iter().filter(|_| item.link.is_some()).filter_map(|file| Some((file, file.refusal.as_ref()?)));
        let more = of_files.clone().count().saturating_sub(MAX_REFUSED);
        let more = (more > 0).then(|| format!("`{}`: {more} more files do not count", item.name));
        let refused = of_files.take(MAX_REFUSED).map(|(file, refusal)| {
            let from = file.from.as_ref().filter(|from| !from.is_empty()).map(|from| format!(" of {from}")).unwrap_or_default();
            format!("`{}`: {}{from} does not count: {refusal}", item.name, file.path)
        });
        let below = item.files.iter().filter_map(|file| file.sublayout.as_ref()).flat_map(warnings);
        warned.chain(refused).chain(more).chain(below).collect::<Vec<_>>()
    });
    of_layout.chain(of_item).collect()
}
