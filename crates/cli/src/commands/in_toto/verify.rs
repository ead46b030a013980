//! `touchmark in-toto verify`: a layout against links.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use touchmark::UnixTime;
use touchmark::envelope::dsse::DsseError;
use touchmark::envelope::signed::SignedError;
use touchmark::envelope::threshold::KeySet;
use touchmark::in_toto::{
    self, Class, DEFAULT_INSPECTION_TIMEOUT, Detail, Document, Error, Exclusion, Failure as Unavailable, FileReport, Inheritance, Limits,
    LinkFolder, NamedInspections, Product, Reason, Recorder, Refusal, Report, Settings, SymbolicLinks, Told,
};
use touchmark_verify::exit::Exit;
use touchmark_verify::options;
use touchmark_verify::output::{Failure, Object, Output, Value};

use crate::access::AccessArgs;
use crate::places;
use crate::progress::Bar;

use super::{exclusion, explain, now, public_keys, record_failure};

/// Verifies an in-toto layout against links, and runs nothing unasked
///
/// Every --layout-key must have signed the layout. The link of a step is looked for in DIR as STEP.KEYID.link, with the first 8 characters
/// of the keyid in any of its forms, that of a sublayout's step in the folder STEP.KEYID. Prints each step and the keys that vouch for it;
/// on failure all reasons. No command of the layout is run but those that --run-inspection names, and none of a sublayout: an inspection is
/// answered by a link that an --inspection-key signed, or, if its command is `true`, by --product or --products; otherwise nothing is
/// verified. Without one of these two nothing at hand is held
/// against what the steps made.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The in-toto layout; - is standard input
    #[arg(long, value_name = "FILE")]
    layout: PathBuf,
    /// A public key that must have signed the layout: a file, - (standard input) or env:VARIABLE; may be repeated
    #[arg(long = "layout-key", required = true, value_name = "PUB")]
    layout_keys: Vec<OsString>,
    /// The folder with the links. Links of the file system are not followed in it
    #[arg(long, value_name = "DIR")]
    links: PathBuf,
    /// The final product: an OCI artifact, whose manifest a step must have made
    #[arg(long, value_name = "REF", conflicts_with = "products", group = "final_product")]
    product: Option<String>,
    /// The final product: every file below this folder is offered to the inspections whose command is `true`
    #[arg(long, value_name = "DIR", group = "final_product")]
    products: Option<PathBuf>,
    /// Leaves files and folders out of --products: a name, or with a slash a path from DIR; * and ? are wild; may be repeated
    #[arg(long = "exclude", value_name = "GLOB", requires = "products", value_parser = exclusion)]
    exclude: Vec<Exclusion>,
    /// A public key whose links answer inspections of the layout itself, of the final product; may be repeated
    #[arg(long = "inspection-key", requires = "final_product", value_name = "PUB")]
    inspection_keys: Vec<OsString>,
    /// Runs this inspection of the layout itself, without a shell, in a folder of its own with a copy of --products, or an empty one; may
    /// be repeated. Its command has your rights. It is ended with all that it leaves running
    #[arg(long = "run-inspection", conflicts_with = "product", value_name = "NAME")]
    run_inspections: Vec<String>,
    /// How long the command of an inspection may take, such as 10s or 2m; 60s unless given
    #[arg(long, requires = "run_inspections", value_name = "TIME", value_parser = options::duration)]
    inspection_timeout: Option<Duration>,
    /// The value of a parameter, not empty: {NAME} in rules and commands of the layout; may be repeated
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = parameter)]
    parameters: Vec<(String, String)>,
    /// Gives the parameters to sublayouts too
    #[arg(long, requires = "parameters")]
    pass_params: bool,
    /// Judges expiry as of this time (RFC 3339) instead of now
    #[arg(long, value_name = "TIME", value_parser = UnixTime::parse_rfc3339)]
    at: Option<UnixTime>,
    /// Tells every file, key, rule and artifact, and which rule consumed it
    #[arg(long)]
    explain: bool,
    #[command(flatten)]
    caps: CapArgs,
    #[command(flatten)]
    access: AccessArgs,
}

/// How much is taken in and computed.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Caps")]
struct CapArgs {
    /// Bytes of the layout or of a link; sizes take KiB, MiB, GiB
    #[arg(long, value_name = "SIZE", value_parser = options::size)]
    max_link_size: Option<u64>,
    /// Bytes of all links together
    #[arg(long, value_name = "SIZE", value_parser = options::size)]
    max_total_size: Option<u64>,
    /// Files that are looked for: about five for each key of a step
    #[arg(long, value_name = "N", value_parser = options::count)]
    max_requests: Option<usize>,
    /// Sublayouts within each other
    #[arg(long, value_name = "N", value_parser = options::count)]
    max_depth: Option<usize>,
    /// Signatures of one document
    #[arg(long, value_name = "N", value_parser = options::count)]
    max_signatures: Option<usize>,
    /// What rules may compute: a unit for each artifact that one looks at and each character that a pattern is tried with
    #[arg(long, value_name = "N", value_parser = options::count)]
    max_work: Option<usize>,
}

/// Verifies, and says what holds or all that does not.
pub(super) fn run(args: &Args, output: &mut Output<'_>) -> Result<(), Failure> {
    let (layout, keys, mut settings) = args.prepare()?;
    let product = args.product(output)?;
    let pin = product.as_ref().and_then(|(_, pin)| pin.clone());
    settings.product = product.map(|(product, _)| product);
    let at = now(args.at)?;
    let links = LinkFolder::open(&args.links).map_err(|error| record_failure(&error))?;
    tracing::info!(links = %links.path().display(), %at, "verify");
    let inspections = args.inspections();
    let (report, refused) = match in_toto::verify_with(layout, &keys, settings, at, &links, &inspections) {
        Ok(chain) => (chain.into_inner().report, None),
        Err(rejected) => {
            let class = rejected.class();
            (rejected.report, Some(class))
        }
    };
    tell_inspections(&inspections.told(), output);
    let told = if args.explain { explain::lines(&report) } else { explain::steps(&report) };
    if args.explain || refused.is_none() {
        told.iter().for_each(|line| output.line(line));
    }
    warnings(&report).iter().for_each(|warning| output.warn(warning));
    let members = args.members(&report, pin.as_deref(), at);
    match refused {
        None => {
            if args.product.is_none() && args.products.is_none() {
                output.note("note: no final product was given, so that nothing at hand was held against what the steps made");
            }
            output.result(Exit::Done, members);
        }
        Some(class) => {
            let failure = failure(&report, class, output);
            output.fail_with(Some(&args.layout.display().to_string()), &failure, members);
        }
    }
    Ok(())
}

impl Args {
    /// What is verified, by whose keys, and how.
    fn prepare(&self) -> Result<(Vec<u8>, KeySet, Settings), Failure> {
        self.assert_one_standard_input()?;
        let mut settings = Settings::default();
        settings.limits = self.caps.limits();
        for (name, value) in &self.parameters {
            let given = settings.parameters.insert(name, value);
            given.map_err(|error| Failure::new(Exit::Usage, error.code(), format!("--param {name}: {error}")))?;
        }
        if self.pass_params {
            settings.inheritance = Inheritance::All;
        }
        let keys = KeySet::new(public_keys(&self.layout_keys)?);
        settings.inspectors = KeySet::new(public_keys(&self.inspection_keys)?);
        let layout = read_layout(&self.layout, settings.limits.file)?;
        self.assert_inspections(&layout, &settings)?;
        Ok((layout, keys, settings))
    }

    /// Asserts that the layout has the inspections that are to be run. What is wrong with the layout itself its verification tells.
    fn assert_inspections(&self, layout: &[u8], settings: &Settings) -> Result<(), Failure> {
        let Some(first) = self.run_inspections.first() else { return Ok(()) };
        let Ok(document) = Document::parse(layout.to_vec(), &settings.limits) else { return Ok(()) };
        let Ok(layout) = document.into_untrusted().layout(&settings.parameters) else { return Ok(()) };
        let has = |name: &String| layout.inspections.iter().any(|inspection| inspection.name == *name);
        match self.run_inspections.iter().find(|name| !has(name)) {
            None => Ok(()),
            Some(name) => {
                let message = format!("--run-inspection {name}: the layout has no such inspection");
                let names: Vec<&str> = layout.inspections.iter().take(8).map(|inspection| inspection.name.as_str()).collect();
                let hint =
                    if names.is_empty() { format!("leave --run-inspection {first} out") } else { format!("it has {}", names.join(", ")) };
                Err(Failure::new(Exit::Usage, "in-toto-no-inspection", message).hint(hint))
            }
        }
    }

    /// Who runs the inspections that are named.
    fn inspections(&self) -> NamedInspections {
        let named = NamedInspections::new(self.run_inspections.iter().cloned());
        let named = named.within(self.inspection_timeout.unwrap_or(DEFAULT_INSPECTION_TIMEOUT));
        match &self.products {
            Some(folder) => named.with_product(self.recorder(folder)),
            None => named,
        }
    }

    fn recorder(&self, folder: &Path) -> Recorder {
        Recorder::new(folder, SymbolicLinks::Within).without(self.exclude.iter().cloned())
    }

    /// The final product, and the pin of an OCI artifact.
    fn product(&self, output: &Output<'_>) -> Result<Option<(Product, Option<String>)>, Failure> {
        match (&self.product, &self.products) {
            (Some(text), _) => self.artifact(text).map(Some),
            (None, Some(folder)) => Ok(Some((self.files(folder, output)?, None))),
            (None, None) => Ok(None),
        }
    }

    fn artifact(&self, text: &str) -> Result<(Product, Option<String>), Failure> {
        let reference = places::reference(text)?;
        let access = self.access.access([&reference], self.standard_inputs())?;
        let source = places::source(&reference, &access)?;
        let found = places::resolve(source.as_ref(), &reference)?;
        let manifest =
            source.manifest(&found.digest, touchmark::trust::Limits::default().manifest).map_err(|error| Failure::from(&error))?;
        let malformed = |error: Error| Failure::new(Exit::Malformed, error.code(), format!("{text}: {error}"));
        Ok((Product::oci(&manifest).map_err(malformed)?, Some(reference.pin(found.digest).to_string())))
    }

    /// The files of the product. Without any, nothing would be verified for it: the folder is another than was meant.
    fn files(&self, folder: &Path, output: &Output<'_>) -> Result<Product, Failure> {
        let bar = Bar::counter("hashing", output.is_quiet());
        let recorded = self.recorder(folder).record(&["."], &|bytes| bar.add(bytes)).map_err(|error| record_failure(&error))?;
        match recorded.artifacts.is_empty() {
            true => Err(Failure::new(Exit::Usage, "in-toto-no-product", format!("--products {}: there is no file", folder.display()))),
            false => Ok(Product::files(recorded.artifacts)),
        }
    }

    fn assert_one_standard_input(&self) -> Result<(), Failure> {
        match self.standard_inputs() {
            0 | 1 => Ok(()),
            _ => Err(Failure::usage("standard input (-) is named more than once")),
        }
    }

    /// How often standard input is named.
    fn standard_inputs(&self) -> usize {
        let keys = self.layout_keys.iter().chain(&self.inspection_keys).filter(|key| *key == "-").count();
        keys + usize::from(self.layout.as_os_str() == "-")
    }

    fn members(&self, report: &Report, pin: Option<&str>, at: UnixTime) -> Object<'static> {
        let mut members = Object::new();
        members.insert("layout", Value::from(self.layout.display().to_string()));
        members.insert("links", Value::from(self.links.display().to_string()));
        members.insert("product", pin.map_or(Value::Null, |pin| Value::from(pin.to_owned())));
        members.insert("products", self.products.as_ref().map_or(Value::Null, |folder| Value::from(folder.display().to_string())));
        members.insert("at", Value::from(at.to_string()));
        members.insert("report", report.to_json(if self.explain { Detail::Artifacts } else { Detail::Rules }));
        members
    }
}

impl CapArgs {
    fn limits(&self) -> Limits {
        let mut limits = Limits::default();
        limits.file = self.max_link_size.unwrap_or(limits.file);
        limits.files = self.max_total_size.unwrap_or(limits.files);
        limits.depth = self.max_depth.unwrap_or(limits.depth);
        limits.signatures = self.max_signatures.unwrap_or(limits.signatures);
        limits.requests = self.max_requests.map_or(limits.requests, |requests| u32::try_from(requests).unwrap_or(u32::MAX));
        limits.work = self.max_work.map_or(limits.work, |work| u64::try_from(work).unwrap_or(u64::MAX));
        limits
    }
}

fn read_layout(path: &Path, limit: u64) -> Result<Vec<u8>, Failure> {
    places::read_file(path, "--layout", limit).map_err(|failure| match failure.code.as_str() {
        "too-large" => failure.hint("raise the limit with --max-link-size"),
        _ => failure,
    })
}

fn parameter(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("it is NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Says all reasons, and gives what they come to.
fn failure(report: &Report, class: Class, output: &mut Output<'_>) -> Failure {
    let exit = match class {
        Class::Usage => Exit::Usage,
        Class::UntrustedMetadata => Exit::UntrustedMetadata,
        Class::NotVerified => Exit::NotVerified,
        _ => Exit::Unknown,
    };
    // What decides is the first reason of the kind that does.
    let deciding = report.reasons.iter().find(|reason| reason.class() == class);
    let code = deciding.map_or("in-toto-unfinished", Reason::code);
    let message = match report.reasons.as_slice() {
        [only] => only.to_string(),
        reasons => {
            reasons.iter().for_each(|reason| output.reason(&reason.to_string()));
            format!("not verified, for {} reasons", reasons.len())
        }
    };
    let mut failure = Failure::new(exit, code, message);
    failure.hint = hint(report, class);
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

/// Says what the commands of inspections printed, where they did not return 0.
fn tell_inspections(told: &[Told], output: &mut Output<'_>) {
    for inspection in told.iter().filter(|inspection| inspection.returned != Some(0)) {
        for line in String::from_utf8_lossy(&inspection.output).lines() {
            output.note(&format!("{}: {line}", inspection.name));
        }
    }
}

/// What does not stop it, and the files of steps that hold which do not count: somebody put them there.
fn warnings(report: &Report) -> Vec<String> {
    let place = if report.folder.is_empty() { String::new() } else { format!("{}: ", report.folder) };
    let of_layout = report.warnings.iter().map(|warning| format!("{place}{warning}"));
    let items = report.steps.iter().chain(&report.inspections);
    let of_item = items.flat_map(|item| {
        let warned = item.warnings.iter().map(|warning| format!("`{}`: {warning}", item.name));
        let refused = item.files.iter().filter(|_| item.link.is_some()).filter_map(|file| {
            let refusal = file.refusal.as_ref()?;
            Some(format!("`{}`: {} does not count: {refusal}", item.name, file.path))
        });
        let below = item.files.iter().filter_map(|file| file.sublayout.as_ref()).flat_map(warnings);
        warned.chain(refused).chain(below).collect::<Vec<_>>()
    });
    of_layout.chain(of_item).collect()
}
