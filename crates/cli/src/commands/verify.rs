//! `touchmark verify`: the same as the standalone verifier, which does the work.

use std::io::Write;

use touchmark::Reference;
use touchmark::oci::access::Access;
use touchmark::oci::source::Source;
use touchmark_verify::exit::Exit;
use touchmark_verify::options::{Input, Options, Print};

use crate::access::AccessArgs;
use crate::cli::Global;
use crate::progress::Bar;
use crate::wants::{WantsArgs, input};
use crate::watch::Watched;

/// Checks who signed an artifact, and as what
///
/// Prints the pin of each verified artifact: what was verified, by digest.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// An artifact to verify
    #[arg(value_name = "REF", required_unless_present = "refs_from")]
    pub(crate) references: Vec<String>,
    /// A file with one REF a line, - is standard input
    #[arg(long, value_name = "FILE", value_parser = input())]
    pub(crate) refs_from: Option<Input>,
    #[command(flatten)]
    pub(crate) wants: WantsArgs,
    /// Prints the verified document instead of the pin, one JSON a line
    #[arg(long, value_name = "WHAT")]
    pub(crate) print: Option<Print>,
    /// Looks for signatures there and not beside the artifact: HOST/REPO or oci:PATH
    #[arg(long, value_name = "REPO")]
    pub(crate) referrers_from: Option<String>,
    #[command(flatten)]
    pub(crate) access: AccessArgs,
}

/// Hands everything to the verifier.
pub(crate) fn run(args: Args, global: &Global, out: &mut dyn Write, err: &mut dyn Write) -> Exit {
    let options = Options {
        references: args.references,
        refs_from: args.refs_from,
        wants: args.wants.into(),
        referrers_from: args.referrers_from,
        access: args.access.options(),
        print: args.print,
        format: global.format,
        quiet: global.quiet,
    };
    let open = |reference: &Reference, access: &Access| {
        tracing::info!(place = %reference.place(), "open");
        let bar = options.wants.deep.then(|| Bar::counter("hashing", options.quiet));
        let source: Box<dyn Source> = Box::new(Watched::new(touchmark::open_with(reference, access)?, bar));
        Ok(source)
    };
    touchmark_verify::run_with(&options, &open, out, err)
}
