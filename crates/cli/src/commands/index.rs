//! `touchmark index`: one index of several artifacts.

use touchmark::envelope::manifest::Platform;
use touchmark::oci::pack::{self, About, Child};
use touchmark_verify::exit::Exit;
use touchmark_verify::options;
use touchmark_verify::output::{Failure, Output};

use crate::access::{AccessArgs, AnchorArgs};
use crate::commands::copy;
use crate::places::{self, Target};

/// Makes an index of artifacts, such as one for each platform
///
/// Artifacts that lie elsewhere are copied beside the index. Prints the pin of the index.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// An artifact that the index lists
    #[arg(required = true, value_name = "REF")]
    pub(crate) references: Vec<String>,
    /// Where the index goes, such as `HOST/REPO:TAG` or `oci:PATH:TAG`
    #[arg(long, value_name = "REF")]
    pub(crate) to: String,
    /// The platform of the REF in the same place, such as `linux/arm64`; repeated once for each REF
    #[arg(long = "platform", value_name = "OS/ARCH")]
    pub(crate) platforms: Vec<Platform>,
    /// An annotation of the index; may be repeated
    #[arg(long = "annotation", value_name = "KEY=VALUE", value_parser = options::annotation)]
    pub(crate) annotations: Vec<(String, String)>,
    #[command(flatten)]
    pub(crate) anchors: AnchorArgs,
    #[command(flatten)]
    pub(crate) access: AccessArgs,
}

/// Makes the index, and prints its pin.
pub(crate) fn run(args: &Args, output: &mut Output<'_>) {
    if let Err(failure) = index(args, output) {
        output.fail(None, &failure);
    }
}

fn index(args: &Args, output: &mut Output<'_>) -> Result<(), Failure> {
    if !args.platforms.is_empty() && args.platforms.len() != args.references.len() {
        let message = format!("{} --platform for {} REFs", args.platforms.len(), args.references.len());
        return Err(Failure::usage(message).hint("give one for each REF, in the same order, or none to take them from the artifacts"));
    }
    let to = places::destination(&args.to)?;
    let references = args.references.iter().map(|text| places::reference(text)).collect::<Result<Vec<_>, _>>()?;
    let access = args.anchors.put_into(args.access.access(references.iter().chain([&to]), 0)?);
    let mut found = Vec::new();
    for reference in references {
        let source = places::source(&reference, &access)?;
        let descriptor = places::resolve(source.as_ref(), &reference)?;
        found.push((source, descriptor));
    }
    let mut platforms = args.platforms.iter().cloned();
    let children = found.iter().map(|(source, descriptor)| Child {
        from: source.as_ref(),
        descriptor: descriptor.clone(),
        platform: platforms.next(),
    });
    let children: Vec<Child<'_>> = children.collect();
    let about = About { artifact_type: None, annotations: args.annotations.iter().cloned().collect() };
    let target = Target::new(&to, &access)?;
    let (made, reports) = pack::index(&children, target.store(), &about, to.tag()).map_err(|error| Failure::from(&error))?;
    target.commit()?;
    let pin = to.pin(made.digest);
    let mut incomplete = None;
    for report in &reports {
        incomplete = copy::lost(report, output).or(incomplete);
    }
    let members = places::members(&args.to, &pin, &made);
    output.line(&pin.to_string());
    match incomplete {
        Some(failure) => output.fail_with(None, &failure, members),
        None => output.result(Exit::Done, members),
    }
    Ok(())
}
