//! `touchmark pack`: an artifact of any files.

use std::path::PathBuf;

use touchmark::envelope::manifest::Platform;
use touchmark::oci::image;
use touchmark::oci::pack::{self, About};
use touchmark_verify::exit::Exit;
use touchmark_verify::options;
use touchmark_verify::output::{Failure, Output};

use crate::access::AccessArgs;
use crate::places::{self, Target};
use crate::progress::Bar;

/// Makes an artifact of any files
///
/// Each file becomes a layer under its own file name. With --image, all become one layer of a container image, and the first
/// is the program that it runs. Prints the pin of the artifact.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A file to pack
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Where the artifact goes, such as `HOST/REPO:TAG` or `oci:PATH:TAG`
    #[arg(long, value_name = "REF")]
    pub(crate) to: String,
    /// The type of the artifact, a media type
    #[arg(long, value_name = "TYPE", value_parser = options::media_type)]
    pub(crate) artifact_type: Option<String>,
    /// Makes a container image for this platform, such as `linux/amd64`
    #[arg(long, value_name = "OS/ARCH", conflicts_with = "artifact_type")]
    pub(crate) image: Option<Platform>,
    /// An annotation of the manifest; may be repeated
    #[arg(long = "annotation", value_name = "KEY=VALUE", value_parser = options::annotation)]
    pub(crate) annotations: Vec<(String, String)>,
    #[command(flatten)]
    pub(crate) access: AccessArgs,
}

/// Packs, and prints the pin.
pub(crate) fn run(args: &Args, output: &mut Output<'_>) {
    if let Err(failure) = pack(args, output) {
        output.fail(None, &failure);
    }
}

fn pack(args: &Args, output: &mut Output<'_>) -> Result<(), Failure> {
    let reference = places::destination(&args.to)?;
    let about = About { artifact_type: args.artifact_type.clone(), annotations: args.annotations.iter().cloned().collect() };
    let bar = Bar::new("packing", output);
    let access = args.access.access([&reference], 0)?;
    let target = Target::new(&reference, &access)?;
    let progress = |done, all| bar.show(done, all);
    let packed = match &args.image {
        Some(platform) => image::image(&args.files, platform, target.store(), &about, reference.tag(), &progress),
        None => pack::pack(&args.files, target.store(), &about, reference.tag(), &progress),
    };
    let packed = packed.map_err(|error| Failure::from(&error))?;
    target.commit()?;
    drop(bar);
    let pin = reference.pin(packed.digest);
    output.line(&pin.to_string());
    output.result(Exit::Done, places::members(&args.to, &pin, &packed));
    Ok(())
}
