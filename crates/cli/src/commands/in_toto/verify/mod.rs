//! `touchmark in-toto verify`: a layout against links.

mod links;
mod reasons;
mod summary;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use touchmark::envelope::threshold::KeySet;
use touchmark::in_toto::attached::SetLimits;
use touchmark::in_toto::{
    DEFAULT_INSPECTION_TIMEOUT, Detail, Document, Error, Excluded, Exclusion, Inheritance, Limits, NamedInspections, Product, Recorder,
    Settings, SymbolicLinks, Told,
};
use touchmark::oci::source::Source;
use touchmark::{Digest, Reference, UnixTime};
use touchmark_verify::exit::Exit;
use touchmark_verify::options;
use touchmark_verify::output::{Failure, Object, Output, Value};

use crate::access::AccessArgs;
use crate::places;
use crate::progress::Bar;

use self::links::{Asked, Outcome, Place};
use self::reasons::{failure, warnings};
use self::summary::SummaryArgs;
use super::{exclusion, explain, now, product_failure, public_keys};

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
    /// The in-toto layout; - is standard input. Unless given, one that is attached beside the links of REF
    #[arg(long, value_name = "FILE")]
    layout: Option<PathBuf>,
    /// A public key that must have signed the layout: a file, - (standard input) or env:VARIABLE; may be repeated
    #[arg(long = "layout-key", required = true, value_name = "PUB")]
    layout_keys: Vec<OsString>,
    /// The folder with the links, in which links of the file system are not followed; or the OCI artifact that they are attached to, which
    /// then is the final product unless another is given
    #[arg(long, value_name = "DIR|REF")]
    links: String,
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
    summary: SummaryArgs,
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
    /// Referrers of REF that are looked at
    #[arg(long, value_name = "N", value_parser = options::count)]
    max_referrers: Option<usize>,
    /// What rules may compute: a unit for each artifact that one looks at and each character that a pattern is tried with
    #[arg(long, value_name = "N", value_parser = options::count)]
    max_work: Option<usize>,
}

/// Verifies, and says what holds or all that does not.
pub(super) fn run(args: &Args, output: &mut Output<'_>) -> Result<(), Failure> {
    let (layout, keys, mut settings) = args.prepare()?;
    let place = args.place()?;
    let product = args.product(&place, output)?;
    settings.product = product.as_ref().map(|given| given.product.clone());
    let at = now(args.at)?;
    tracing::info!(links = %args.links, %at, "verify");
    let summary = args.summary.plan(product.as_ref(), at)?;
    let inspections = args.inspections(product.as_ref());
    let asked = Asked { keys: &keys, settings: &settings, at, sets: args.caps.sets(), inspector: &inspections };
    let found = place.verify(layout, &asked)?;
    tell_inspections(&inspections.told(), output);
    let told = if args.explain { explain::lines(&found.report) } else { explain::steps(&found.report) };
    if args.explain || found.refused.is_none() {
        told.iter().for_each(|line| output.line(line));
    }
    warnings(&found.report).iter().for_each(|warning| output.warn(warning));
    tell_sets(&found, output);
    let mut members = args.members(&found, &place, product.as_ref(), at);
    if let Some(plan) = summary {
        let written = match plan.write(&found, at, &args.access, output) {
            // The refusal decides.
            Err(failure) if found.refused.is_some() => {
                output.warn(&format!("no summary was written: {}", failure.message));
                Value::Null
            }
            written => written?,
        };
        members.insert("summary", written);
    }
    match found.refused {
        None => {
            if product.is_none() {
                output.note("note: no final product was given, so that nothing at hand was held against what the steps made");
            }
            output.result(Exit::Done, members);
        }
        Some(class) => {
            let failure = failure(&found.report, class, output);
            output.fail_with(Some(&args.layout_name()), &failure, members);
        }
    }
    Ok(())
}

/// The final product.
struct Given {
    product: Product,
    /// The pin of an OCI artifact, and its digest.
    pin: Option<(Reference, Digest)>,
    /// What was left out of a folder.
    excluded: Excluded,
}

impl Args {
    /// What is verified, by whose keys, and how.
    fn prepare(&self) -> Result<(Option<Vec<u8>>, KeySet, Settings), Failure> {
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
        let layout = self.layout.as_ref().map(|layout| read_layout(layout, settings.limits.file)).transpose()?;
        self.assert_inspections(layout.as_deref(), &settings)?;
        Ok((layout, keys, settings))
    }

    /// Where the links are.
    fn place(&self) -> Result<Place, Failure> {
        let Some(reference) = links::reference(&self.links)? else {
            if self.layout.is_none() {
                return Err(Failure::usage("links in a folder have no layout beside them").hint("--layout FILE"));
            }
            return Place::folder(&self.links);
        };
        let access = self.access.access([&reference], self.standard_inputs())?;
        let source = places::source(&reference, &access)?;
        let subject = places::resolve(source.as_ref(), &reference)?.digest;
        let pin = reference.pin(subject);
        Ok(Place::Artifact { source, subject, pin })
    }

    /// What the layout is called.
    fn layout_name(&self) -> String {
        self.layout.as_ref().map_or_else(|| self.links.clone(), |layout| layout.display().to_string())
    }

    /// Asserts that the layout has the inspections that are to be run. What is wrong with the layout itself its verification tells.
    fn assert_inspections(&self, layout: Option<&[u8]>, settings: &Settings) -> Result<(), Failure> {
        let Some(first) = self.run_inspections.first() else { return Ok(()) };
        // Of which layout it is, whoever runs it must know.
        let layout = layout.ok_or_else(|| Failure::usage("--run-inspection is of a layout that is given").hint("--layout FILE"))?;
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
    fn inspections(&self, product: Option<&Given>) -> NamedInspections {
        let named = NamedInspections::new(self.run_inspections.iter().cloned());
        let named = named.within(self.inspection_timeout.unwrap_or(DEFAULT_INSPECTION_TIMEOUT));
        match (&self.products, product) {
            (Some(folder), Some(given)) if !self.run_inspections.is_empty() => {
                named.with_product(self.recorder(folder), given.product.artifacts().clone())
            }
            _ => named,
        }
    }

    fn recorder(&self, folder: &Path) -> Recorder {
        Recorder::new(folder, SymbolicLinks::Within).without(self.exclude.iter().cloned())
    }

    /// The final product: what is given, or the artifact that the links are attached to.
    fn product(&self, place: &Place, output: &mut Output<'_>) -> Result<Option<Given>, Failure> {
        match (&self.product, &self.products, place) {
            (Some(text), _, _) => {
                let reference = places::reference(text)?;
                let access = self.access.access([&reference], self.standard_inputs())?;
                let source = places::source(&reference, &access)?;
                let found = places::resolve(source.as_ref(), &reference)?;
                artifact(text, source.as_ref(), found.digest, reference.pin(found.digest)).map(Some)
            }
            (None, Some(folder), _) => self.files(folder, output).map(Some),
            // As with --product: a command would see none of it, and say that there is nothing to find.
            (None, None, Place::Artifact { .. }) if !self.run_inspections.is_empty() => {
                Err(Failure::usage("--run-inspection is of files, and the artifact is none").hint("--products DIR"))
            }
            (None, None, Place::Artifact { source, subject, pin }) => {
                output.note(&format!("note: the final product is what the links are attached to, {pin}"));
                artifact(&self.links, source.as_ref(), *subject, pin.clone()).map(Some)
            }
            (None, None, Place::Folder(_)) => Ok(None),
        }
    }

    /// The files of the product. Without any, nothing would be verified for it: the folder is another than was meant.
    fn files(&self, folder: &Path, output: &mut Output<'_>) -> Result<Given, Failure> {
        let bar = Bar::counter("hashing", output.is_quiet());
        let recorded = self.recorder(folder).record(&["."], &|bytes| bar.add(bytes)).map_err(|error| product_failure(&error))?;
        drop(bar);
        let excluded = recorded.excluded;
        if !excluded.names.is_empty() {
            let more = if excluded.more == 0 { String::new() } else { format!(" and {} more", excluded.more) };
            output.note(&format!("note: --exclude left out of the product: {}{more}", excluded.names.join(", ")));
        }
        match recorded.artifacts.is_empty() {
            true => Err(Failure::new(Exit::Usage, "in-toto-no-product", format!("--products {}: there is no file", folder.display()))),
            false => Ok(Given { product: Product::files(recorded.artifacts), pin: None, excluded }),
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
        let keys = keys + self.summary.standard_inputs();
        keys + usize::from(self.layout.as_ref().is_some_and(|layout| layout.as_os_str() == "-"))
    }

    fn members(&self, found: &Outcome, place: &Place, product: Option<&Given>, at: UnixTime) -> Object<'static> {
        let text = |text: Option<String>| text.map_or(Value::Null, Value::from);
        let mut members = Object::new();
        members.insert("layout", Value::from(self.layout_name()));
        members.insert("links", Value::from(self.links.clone()));
        members.insert("product", text(product.and_then(|given| Some(given.pin.as_ref()?.0.to_string()))));
        members.insert("products", text(self.products.as_ref().map(|folder| folder.display().to_string())));
        if self.products.is_some() {
            let excluded = product.map(|given| given.excluded.clone()).unwrap_or_default();
            let names = Value::from(excluded.names.into_iter().map(Value::from).collect::<Vec<_>>());
            members.insert("excluded", Value::object([("names", names), ("more", places::number(excluded.more))]));
        }
        if let Place::Artifact { pin, .. } = place {
            let refused = found.refused_sets.iter().map(|refused| {
                let digest = text(refused.referrer.map(|digest| digest.to_string()));
                Value::object([("digest", digest), ("message", Value::from(refused.why.clone()))])
            });
            members.insert(
                "attached",
                Value::object([
                    ("pin", Value::from(pin.to_string())),
                    ("sets", Value::from(found.sets.clone())),
                    ("refused", Value::from(refused.collect::<Vec<_>>())),
                    ("alone", text(found.alone.map(|digest| digest.to_string()))),
                ]),
            );
        }
        members.insert("at", Value::from(at.to_string()));
        members.insert("report", found.report.to_json(if self.explain { Detail::Artifacts } else { Detail::Rules }));
        members
    }
}

/// An OCI artifact as the final product.
fn artifact(text: &str, source: &dyn Source, digest: Digest, pin: Reference) -> Result<Given, Failure> {
    let manifest = source.manifest(&digest, touchmark::trust::Limits::default().manifest).map_err(|error| Failure::from(&error))?;
    let malformed = |error: Error| Failure::new(Exit::Malformed, error.code(), format!("{text}: {error}"));
    Ok(Given { product: Product::oci(&manifest).map_err(malformed)?, pin: Some((pin, digest)), excluded: Excluded::default() })
}

/// Says what was refused of what is attached, and which set verifies alone.
fn tell_sets(found: &Outcome, output: &mut Output<'_>) {
    for refused in found.refused_sets.iter().take(MAX_TOLD) {
        let digest = refused.referrer.map(|digest| format!("{digest}: ")).unwrap_or_default();
        output.warn(&format!("{digest}{}", refused.why));
    }
    if let Some(more) = found.refused_sets.len().checked_sub(MAX_TOLD).filter(|more| *more > 0) {
        output.warn(&format!("{more} more referrers are no sets of links, or could not be read"));
    }
    if let Some(alone) = found.alone {
        output.warn(&format!("what is attached does not verify together, and {alone} does alone: somebody attached other links beside it"));
    }
}

/// So many refused referrers are told one by one.
const MAX_TOLD: usize = 16;

impl CapArgs {
    /// How much is looked at of what is attached.
    fn sets(&self) -> SetLimits {
        let mut limits = SetLimits::default();
        limits.referrers = self.max_referrers.unwrap_or(limits.referrers);
        limits.bytes = self.max_total_size.unwrap_or(limits.bytes);
        limits
    }

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

/// Says what the commands of inspections printed, where they did not return 0.
fn tell_inspections(told: &[Told], output: &mut Output<'_>) {
    for inspection in told.iter().filter(|inspection| inspection.returned != Some(0)) {
        for line in String::from_utf8_lossy(&inspection.output).lines() {
            output.note(&format!("{}: {line}", inspection.name));
        }
    }
}
