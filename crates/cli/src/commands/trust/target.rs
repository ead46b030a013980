//! `touchmark trust target`: what a role vouches for.

use std::fs::File;
use std::io::{BufRead, BufReader, Read as _};
use std::path::{Path, PathBuf};

use touchmark::envelope::digest::Algorithm;
use touchmark::in_toto::{Document, Limits, Parameters};
use touchmark::trust::rules::{MAX_BYTES, Origin, PolicyDocument, SIGNED_TARGET};
use touchmark::tuf::TargetPath;
use touchmark::tuf::edit::{self, EditError, TargetChanges};
use touchmark::tuf::repository::{Repository, RepositoryError, assert_no_private_key, files_below, read_list, read_removals};
use touchmark_verify::exit::Exit;
use touchmark_verify::output::{Failure, Output};

use super::{Here, failure, staged};

/// Targets with such paths are files that clients read, and no names.
const FILES: &str = "_touchmark/";
/// Among them, in-toto layouts.
const LAYOUTS: &str = "_touchmark/layouts/";

/// Adds and removes targets
///
/// ROLE is targets unless given, a delegated role, or the prefix of hash bins, of which each target comes to its own. Prints the roles that
/// are staged for it.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Adds files, the files of folders, or what a list names
    ///
    /// Files are copied to DIR/targets. In folders, what has a name that begins with a dot is left out; a file that holds a private key is
    /// refused. A list only says what the targets are; the files may be anywhere.
    Add(Box<Add>),
    /// Removes targets
    Remove {
        /// The path of a target
        #[arg(required_unless_present = "from_list", value_name = "PATH")]
        paths: Vec<String>,
        /// Removes the paths in this file, one a line; - is standard input
        #[arg(long, value_name = "FILE")]
        from_list: Option<PathBuf>,
        /// The role that lists them
        #[arg(long, value_name = "ROLE", default_value = "targets")]
        role: String,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct Add {
    /// A file, or a folder whose files are added under their paths in it
    #[arg(required_unless_present = "from_list", value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The path of the one file
    #[arg(long, value_name = "PATH", conflicts_with_all = ["prefix", "from_list"])]
    name: Option<String>,
    /// What comes before the names of files, such as acme/
    #[arg(long, value_name = "PATH/", default_value = "", hide_default_value = true)]
    prefix: String,
    /// Adds what this file lists in lines of PATH LENGTH sha256:HEX; - is standard input
    #[arg(long, value_name = "FILE")]
    from_list: Option<PathBuf>,
    /// The role that vouches for them
    #[arg(long, value_name = "ROLE", default_value = "targets")]
    role: String,
    /// What is said of each besides, a JSON object
    #[arg(long, value_name = "JSON")]
    custom: Option<String>,
    /// The hash of files that are added: sha256 or sha512; may be repeated
    #[arg(long = "hash", value_name = "ALGORITHM", value_parser = algorithm, default_value = "sha256")]
    hashes: Vec<Algorithm>,
}

impl Command {
    /// The name of the command, as the JSON document has it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Add(_) => "trust target add",
            Self::Remove { .. } => "trust target remove",
        }
    }
}

fn algorithm(text: &str) -> Result<Algorithm, String> {
    Algorithm::from_name(text).ok_or_else(|| "it is sha256 or sha512".to_owned())
}

/// Stages the change.
pub(super) fn run(here: &Here<'_>, args: &Args, output: &mut Output<'_>) -> Result<(), Failure> {
    let repository = here.open()?;
    let mut changes = TargetChanges::new();
    let role = match &args.command {
        Command::Add(args) => {
            add(&repository, args, &mut changes, output)?;
            &args.role
        }
        Command::Remove { paths, from_list, role } => {
            paths.iter().for_each(|path| changes.remove(path));
            if let Some(list) = from_list {
                read_removals(lines(list)?, &mut changes).map_err(|error| failure(&error))?;
            }
            role
        }
    };
    let roles = repository.change_targets(role, &changes, here.now).map_err(|error| failure(&error))?;
    staged(here, &roles, output)
}

fn add(repository: &Repository, args: &Add, changes: &mut TargetChanges, output: &mut Output<'_>) -> Result<(), Failure> {
    let failed = |error: RepositoryError| failure(&error);
    let custom = match &args.custom {
        Some(text) => Some(edit::custom(text).map_err(|error| Failure::usage(format!("--custom: {error}")))?),
        None => None,
    };
    let mut named: Vec<(String, &Path)> = Vec::new();
    let below = args.files.iter().map(|file| if file.is_dir() { files_below(file).map(Some) } else { Ok(None) });
    let below = below.collect::<Result<Vec<_>, _>>().map_err(failed)?;
    for (file, below) in args.files.iter().zip(&below) {
        if let Some(below) = below {
            below.hidden.iter().for_each(|hidden| output.note(&format!("{}: left out, for its name begins with a dot", hidden.display())));
            named.extend(below.files.iter().map(|(path, file)| (format!("{}{path}", args.prefix), file.as_path())));
        } else {
            let name = file.file_name().and_then(|name| name.to_str());
            let name = name.ok_or_else(|| Failure::usage(format!("{}: has no name that is UTF-8", file.display())))?;
            named.push((format!("{}{name}", args.prefix), file));
        }
    }
    if let Some(name) = &args.name {
        let [(path, _)] = named.as_mut_slice() else {
            return Err(Failure::usage("--name is for one file").hint("--prefix is for several"));
        };
        path.clone_from(name);
    }
    for (path, file) in named.iter().filter(|(path, _)| path.starts_with(FILES)) {
        check_file(path, file, &args.role)?;
    }
    // Before anything is copied that cannot be listed, or should not be.
    let mut paths = Vec::with_capacity(named.len());
    for (path, file) in &named {
        let reason = |reason: String| failed(RepositoryError::Edit(EditError::Target { path: path.clone(), reason }));
        let target_path = TargetPath::new(path).map_err(|error| reason(error.to_string()))?;
        edit::check_target_path(&target_path).map_err(|error| failed(error.into()))?;
        assert_no_private_key(file).map_err(failed)?;
        paths.push(target_path);
    }
    repository.assert_routed(&args.role, &paths).map_err(failed)?;
    if let Some(list) = &args.from_list {
        read_list(lines(list)?, custom.as_ref(), changes).map_err(failed)?;
    }
    for ((_, file), path) in named.iter().zip(&paths) {
        let target = repository.take_file(file, path, &args.hashes, custom.as_ref()).map_err(failed)?;
        changes.add(path, &target).map_err(|error| failed(error.into()))?;
    }
    Ok(())
}

/// Refuses, before anybody signs for it, a file of the trust repository that no client could use: one that another role would list than the
/// top-level targets, a policy that is none, an in-toto layout that is none.
fn check_file(path: &str, file: &Path, role: &str) -> Result<(), Failure> {
    if role != "targets" {
        let message = format!("{path}: clients take files below {FILES} from the top-level targets alone, and {role} is another role");
        return Err(Failure::usage(message).hint("without --role"));
    }
    let read =
        |limit: u64| read_up_to(file, limit).map_err(|error| Failure::new(Exit::Unknown, "io", format!("{}: {error}", file.display())));
    if path == SIGNED_TARGET {
        let bytes = read(u64::try_from(MAX_BYTES).unwrap_or(u64::MAX))?;
        PolicyDocument::parse(&bytes, Origin::Signed).map_err(|error| {
            let failure = Failure::new(Exit::Usage, error.code(), format!("{}: {error}", file.display()));
            error.hint().map_or(failure.clone(), |hint| failure.hint(hint))
        })?;
    } else if path.starts_with(LAYOUTS) {
        let limits = Limits::default();
        // Without parameters, braces are characters.
        let layout = Document::parse(read(limits.file)?, &limits).and_then(|document| document.untrusted().layout(&Parameters::new()));
        layout.map_err(|error| Failure::new(Exit::Usage, error.code(), format!("{}: no in-toto layout: {error}", file.display())))?;
    }
    Ok(())
}

/// All of a file, and one byte more than `limit` if it has more.
fn read_up_to(file: &Path, limit: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(file)?.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The lines of a file or of standard input.
fn lines(list: &Path) -> Result<Box<dyn BufRead>, Failure> {
    if list.as_os_str() == "-" {
        return Ok(Box::new(std::io::stdin().lock()));
    }
    let unreadable = |error| Failure::new(Exit::Unknown, "io", format!("{}: cannot be read: {error}", list.display()));
    Ok(Box::new(BufReader::with_capacity(1 << 20, File::open(list).map_err(unreadable)?)))
}
