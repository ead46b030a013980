//! `touchmark tuf`: a client of a TUF repository, for scripts and for test harnesses. Trust roots for verification have commands of their
//! own; this is what is under them.

use std::path::PathBuf;
use std::time::Duration;

use touchmark::UnixTime;
use touchmark::oci::access::{Access, DEFAULT_TIMEOUT};
use touchmark::tuf::metadata::Header;
use touchmark::tuf::{
    self, Downloads, Error, Failure as Refusal, Fetch, Found, Index, Limits, MetadataStore, Mode, Settings, Succinct, TargetPath,
    UpdateError, UpdateSettings, Updater,
};
use touchmark_verify::exit::Exit;
use touchmark_verify::options;
use touchmark_verify::output::{Failure, Object, Output, Value};

use crate::access::AccessArgs;
use crate::places;

/// Follows a TUF repository: refresh, look up, download
///
/// The options stand before the verb. What was verified stays in the metadata folder, whatever fails after it.
#[derive(Debug, clap::Args)]
#[command(mut_arg("plain-http", |plain_http| plain_http.hide(true)))]
pub(crate) struct Args {
    /// The folder with the metadata that is trusted
    #[arg(long, value_name = "FOLDER")]
    pub(crate) metadata_dir: PathBuf,
    /// Where the repository's metadata is: an http(s) or file URL, or a folder
    #[arg(long, value_name = "URL")]
    pub(crate) metadata_url: Option<String>,
    /// A target to look up or download; may be repeated
    #[arg(long = "target-name", value_name = "PATH")]
    pub(crate) target_names: Vec<String>,
    /// The folder that targets are downloaded to; the whole path, percent-encoded, is a file's name
    #[arg(long, value_name = "FOLDER")]
    pub(crate) target_dir: Option<PathBuf>,
    /// Where the repository's targets are: an http(s) or file URL, or a folder
    #[arg(long, value_name = "URL")]
    pub(crate) target_base_url: Option<String>,
    /// Judges expiry as of this time (RFC 3339) instead of now
    #[arg(long, value_name = "TIME", value_parser = UnixTime::parse_rfc3339)]
    pub(crate) at: Option<UnixTime>,
    /// Uses the metadata folder alone, and asks nobody
    #[arg(long)]
    pub(crate) offline: bool,
    /// Ends an update that takes longer, all of its searches included, such as 10m
    #[arg(long, value_name = "TIME", value_parser = options::duration)]
    pub(crate) max_time: Option<Duration>,
    /// Ends a search at the succinct hash bin that it reaches, as python-tuf and go-tuf do
    #[arg(long)]
    pub(crate) succinct_terminating: bool,
    #[command(flatten)]
    caps: CapArgs,
    #[command(flatten)]
    access: AccessArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// How much is taken in of a repository.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Caps")]
struct CapArgs {
    /// Bytes of a root; sizes take KiB, MiB, GiB
    #[arg(long, value_name = "SIZE", value_parser = options::size)]
    max_root_size: Option<u64>,
    /// New roots in one update
    #[arg(long, value_name = "N", value_parser = number)]
    max_roots: Option<u32>,
    /// Bytes of the timestamp
    #[arg(long, value_name = "SIZE", value_parser = options::size)]
    max_timestamp_size: Option<u64>,
    /// Bytes of a snapshot of which the timestamp lists no length
    #[arg(long, value_name = "SIZE", value_parser = options::size)]
    max_snapshot_size: Option<u64>,
    /// Bytes of a targets file of which the snapshot lists no length
    #[arg(long, value_name = "SIZE", value_parser = options::size)]
    max_targets_size: Option<u64>,
    /// Bytes of a snapshot or targets file whose length is listed
    #[arg(long, value_name = "SIZE", value_parser = options::size)]
    max_listed_size: Option<u64>,
    /// Bytes of the documents of all roles that are held at a time
    #[arg(long, value_name = "SIZE", value_parser = options::size)]
    max_total_size: Option<u64>,
    /// Bytes of a target that is downloaded: 16 GiB unless given
    #[arg(long, value_name = "SIZE", value_parser = options::size)]
    max_target_size: Option<u64>,
    /// Roles visited in one search
    #[arg(long, value_name = "N", value_parser = number)]
    max_roles: Option<u32>,
    /// Signatures of one document
    #[arg(long, value_name = "N", value_parser = options::count)]
    max_signatures: Option<usize>,
}

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Begins to trust a root
    Init {
        /// The root.json that is trusted
        #[arg(value_name = "ROOT")]
        root: PathBuf,
    },
    /// Brings the metadata folder up to the repository
    Refresh,
    /// As refresh; then prints length, digests and path of each target
    Lookup,
    /// As refresh; then fetches the targets, and prints each one's file
    Download,
}

impl Command {
    /// The name, as the JSON document has it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Command::Init { .. } => "tuf init",
            Command::Refresh => "tuf refresh",
            Command::Lookup => "tuf lookup",
            Command::Download => "tuf download",
        }
    }
}

/// Does what the verb says.
pub(crate) fn run(args: &Args, output: &mut Output<'_>) {
    let done = match &args.command {
        Command::Init { root } => init(args, root, output),
        Command::Refresh => refresh(args, output),
        Command::Lookup => look_up(args, output),
        Command::Download => download(args, output),
    };
    if let Err(failure) = done {
        output.fail(None, &failure);
    }
}

fn init(args: &Args, root: &std::path::Path, output: &mut Output<'_>) -> Result<(), Failure> {
    let limit = args.settings().limits.root;
    let bytes = places::read_file(root, "root", limit)?;
    let store = MetadataStore::init_with(&args.metadata_dir, &bytes, limit).map_err(|error| args.failure(&error))?;
    tracing::info!(folder = %store.folder().display(), "trusted");
    output.result(Exit::Done, args.members());
    Ok(())
}

fn refresh(args: &Args, output: &mut Output<'_>) -> Result<(), Failure> {
    let source = args.source(&args.access(None)?)?;
    let store = args.store()?;
    let updater = args.updater(source.as_ref(), &store)?;
    let mut listed = Vec::new();
    for (role, header) in headers(&updater) {
        output.line(&format!("{role} {} {}", header.version, header.expires));
        listed.push(Value::object([
            ("role", Value::from(role)),
            ("version", Value::from(header.version)),
            ("expires", Value::from(header.expires.to_string())),
        ]));
    }
    let mut members = args.members();
    members.insert("at", Value::from(updater.client().at().to_string()));
    members.insert("roles", Value::Array(listed));
    output.result(Exit::Done, members);
    Ok(())
}

/// Role, version and expiry of the top-level roles.
fn headers<'u>(updater: &'u Updater<'_>) -> impl Iterator<Item = (&'static str, &'u Header)> {
    let client = updater.client();
    let root = client.root().map(|root| root.get().header());
    let timestamp = client.timestamp().map(|timestamp| timestamp.get().header());
    let snapshot = client.snapshot().map(|snapshot| snapshot.get().header());
    let targets = client.role(&tuf::RoleName::targets()).map(|targets| targets.get().header());
    let all = [("root", root), ("timestamp", timestamp), ("snapshot", snapshot), ("targets", targets)];
    all.into_iter().filter_map(|(role, header)| Some((role, header?)))
}

fn look_up(args: &Args, output: &mut Output<'_>) -> Result<(), Failure> {
    let targets = args.targets()?;
    let source = args.source(&args.access(None)?)?;
    let store = args.store()?;
    let mut updater = args.updater(source.as_ref(), &store)?;
    for target in &targets {
        match updater.target(source.as_ref(), target) {
            Ok(found) => {
                let digests: Vec<String> = found.target.hashes.iter().map(ToString::to_string).collect();
                output.line(&format!("{} {} {target}", found.target.length, digests.join(",")));
                output.result(Exit::Done, args.target_members(target, &found));
            }
            Err(error) => output.fail(None, &args.failure(&error)),
        }
    }
    Ok(())
}

fn download(args: &Args, output: &mut Output<'_>) -> Result<(), Failure> {
    let targets = args.targets()?;
    let folder = args.target_dir.as_ref().ok_or_else(|| missing("--target-dir"))?;
    let base = args.target_base_url.as_deref().ok_or_else(|| missing("--target-base-url"))?;
    let access = args.access(Some(base))?;
    let (source, store) = (args.source(&access)?, args.store()?);
    let contents = tuf::source(base, &access).map_err(|error| args.failure(&error))?;
    let mut downloads = Downloads::begin(folder, &store).map_err(|error| args.failure(&error))?;
    if let Some(limit) = args.caps.max_target_size {
        downloads = downloads.limit(limit);
    }
    let mut updater = args.updater(source.as_ref(), &store)?;
    let found: Vec<_> = targets.iter().map(|target| (target, updater.target(source.as_ref(), target))).collect();
    let consistent = updater.has_consistent_snapshots();
    // Others may update while targets come, however long that takes.
    drop(updater);
    for (target, found) in found {
        let fetched = found.and_then(|found| {
            let downloaded = downloads.fetch(contents.as_ref(), target, &found.target, consistent)?;
            Ok((found, downloaded))
        });
        match fetched {
            Ok((found, downloaded)) => {
                let path = downloaded.path.display().to_string();
                output.line(&path);
                let mut members = args.target_members(target, &found);
                members.insert("path", Value::from(path));
                members.insert("fetched", Value::from(downloaded.fetched));
                output.result(Exit::Done, members);
            }
            Err(error) => output.fail(None, &args.failure(&error)),
        }
    }
    Ok(())
}

impl Args {
    fn settings(&self) -> Settings {
        let caps = &self.caps;
        let mut settings = Settings::default();
        settings.mode = if self.offline { Mode::StoreOnly } else { Mode::Online };
        settings.index = Index::Kept;
        settings.succinct = if self.succinct_terminating { Succinct::Terminating } else { Succinct::NonTerminating };
        let Limits { root, roots, timestamp, snapshot, targets, listed, total, roles, signatures, .. } = &mut settings.limits;
        for (limit, given) in [
            (root, caps.max_root_size),
            (timestamp, caps.max_timestamp_size),
            (snapshot, caps.max_snapshot_size),
            (targets, caps.max_targets_size),
            (listed, caps.max_listed_size),
            (total, caps.max_total_size),
        ] {
            *limit = given.unwrap_or(*limit);
        }
        *roots = caps.max_roots.unwrap_or(*roots);
        *roles = caps.max_roles.unwrap_or(*roles);
        *signatures = caps.max_signatures.unwrap_or(*signatures);
        settings
    }

    /// How the servers are reached. What is said of one of them is refused where there are two.
    fn access(&self, other: Option<&str>) -> Result<Access, Failure> {
        let mut options = self.access.options();
        // No request is waited for longer than the whole update may take.
        if let Some(time) = self.max_time {
            options.timeout = Some(options.timeout.unwrap_or(DEFAULT_TIMEOUT).min(time));
        }
        if options.plain_http {
            return Err(Failure::usage("--plain-http: the URL says whether TLS is spoken").hint("http://HOST/PATH/"));
        }
        let hosts = [self.metadata_url.as_deref(), other].map(|url| url.and_then(host));
        let personal = options.username.as_ref().map(|_| "--username").or(options.cert_file.as_ref().map(|_| "--cert-file"));
        if let ([Some(one), Some(other)], Some(option)) = (&hosts, personal)
            && one != other
        {
            return Err(Failure::usage(format!("{option} is for one server, and both {one} and {other} are named"))
                .hint("touchmark login to each, or targets and metadata in two commands"));
        }
        options.access()
    }

    fn source(&self, access: &Access) -> Result<Box<dyn Fetch>, Failure> {
        match &self.metadata_url {
            Some(url) => tuf::source(url, access).map_err(|error| self.failure(&error)),
            None if self.offline => Ok(Box::new(tuf::FolderSource::new(&self.metadata_dir))),
            None => Err(missing("--metadata-url")),
        }
    }

    fn store(&self) -> Result<MetadataStore, Failure> {
        MetadataStore::open(&self.metadata_dir).map_err(|error| self.failure(&error))
    }

    fn updater<'s>(&self, source: &dyn Fetch, store: &'s MetadataStore) -> Result<Updater<'s>, Failure> {
        let at = match self.at {
            Some(at) => at,
            None => touchmark::now().map_err(|error| Failure::new(Exit::Unknown, "no-clock", error.to_string()).hint("--at TIME"))?,
        };
        tracing::info!(source = %source.location(), %at, "refresh");
        let settings = UpdateSettings::from(self.settings());
        let settings = self.max_time.map_or(settings, |time| settings.within(time));
        Updater::refresh(settings, at, source, store).map_err(|error| self.failure(&error))
    }

    fn targets(&self) -> Result<Vec<TargetPath>, Failure> {
        if self.target_names.is_empty() {
            return Err(missing("--target-name"));
        }
        let path = |name: &String| TargetPath::new(name).map_err(|error| Failure::usage(format!("--target-name {name}: {error}")));
        self.target_names.iter().map(path).collect()
    }

    fn members(&self) -> Object<'static> {
        let mut members = Object::new();
        members.insert("metadata_dir", Value::from(self.metadata_dir.display().to_string()));
        members
    }

    fn target_members(&self, target: &TargetPath, found: &Found) -> Object<'static> {
        let mut members = self.members();
        for (name, value) in found.to_json(target).iter() {
            members.insert(name.to_owned(), value.clone());
        }
        members
    }

    /// A failure, with the exit that its class has, and with the option that helps.
    fn failure(&self, error: &UpdateError) -> Failure {
        let mut failure = Failure::from(error);
        failure.hint = failure.hint.or_else(|| self.too_large(error));
        failure
    }

    /// The option that raises the limit that was met, by a file of the repository or one that was stored under a higher limit.
    fn too_large(&self, error: &UpdateError) -> Option<String> {
        let UpdateError::Metadata(
            Error::Fetch { path, failure: Refusal::TooLarge { limit } } | Error::Store { file: path, failure: Refusal::TooLarge { limit } },
        ) = error
        else {
            return None;
        };
        let limits = self.settings().limits;
        let file = path.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start_matches('.');
        let (own, option) = match file {
            "root.json" => (limits.root, "--max-root-size"),
            "timestamp.json" => (limits.timestamp, "--max-timestamp-size"),
            "snapshot.json" => (limits.snapshot, "--max-snapshot-size"),
            _ => (limits.targets, "--max-targets-size"),
        };
        let option = if *limit == own {
            option
        } else if *limit == limits.listed {
            "--max-listed-size"
        } else {
            return None;
        };
        Some(format!("raise the limit with {option}"))
    }
}

fn missing(option: &str) -> Failure {
    Failure::usage(format!("{option} is missing")).hint("touchmark tuf --help")
}

/// Server and port of a URL.
fn host(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    rest.split('/').next().filter(|host| !host.is_empty()).map(str::to_ascii_lowercase)
}

/// Reads a count of at least 1.
fn number(text: &str) -> Result<u32, String> {
    let count = options::count(text)?;
    u32::try_from(count).map_err(|_| format!("`{text}` is too much"))
}
