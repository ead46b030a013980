//! `touchmark trust`: makes, signs and publishes a trust repository.

mod consequences;
mod delegate;
mod init;
mod key;
mod keys;
mod known;
mod life;
mod name;
mod new_keys;
mod publish;
mod publisher;
mod pull;
mod push;
mod renewal;
mod rotate;
mod seals;
mod show;
mod sign;
mod stage;
mod status;
mod target;

use std::path::PathBuf;

use touchmark::UnixTime;
use touchmark::tuf::edit::Age;
use touchmark::tuf::repository::{Class, Repository, RepositoryError};
use touchmark_verify::exit::Exit;
use touchmark_verify::output::{Failure, Object, Output, Value};

/// Makes, signs and publishes a trust repository
///
/// A trust repository is a TUF repository in a folder: which keys sign for which names, and which artifacts they vouch for. Every change is
/// staged first, then signed by those whose keys it needs, each on their own machine, then published. DIR/metadata and DIR/targets are what
/// is published; any web server serves them.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The folder of the trust repository
    #[arg(long, global = true, value_name = "DIR", default_value = "trust")]
    pub(crate) dir: PathBuf,
    /// Works as of this time (RFC 3339) instead of now
    #[arg(long, global = true, value_name = "TIME", value_parser = UnixTime::parse_rfc3339)]
    pub(crate) at: Option<UnixTime>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    Init(Box<init::Args>),
    Status(status::Args),
    Sign(sign::Args),
    Publish(publish::Args),
    Pull(Box<pull::Args>),
    Key(Box<key::Args>),
    Delegate(Box<delegate::Args>),
    Redelegate(Box<delegate::Redelegate>),
    Undelegate(Box<delegate::Undelegate>),
    Target(target::Args),
    Publisher(publisher::Args),
    Name(Box<name::Args>),
    Seal(Box<name::Seal>),
    Revoke(Box<name::Revoke>),
    Renew(stage::Renew),
    Discard(stage::Discard),
    Lifetime(life::Args),
}

impl Command {
    /// The name of the command, as the JSON document has it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Init(_) => "trust init",
            Self::Status(_) => "trust status",
            Self::Sign(_) => "trust sign",
            Self::Publish(_) => "trust publish",
            Self::Pull(_) => "trust pull",
            Self::Key(args) => args.command.name(),
            Self::Delegate(_) => "trust delegate",
            Self::Redelegate(_) => "trust redelegate",
            Self::Undelegate(_) => "trust undelegate",
            Self::Target(args) => args.command.name(),
            Self::Publisher(args) => args.command.name(),
            Self::Name(args) => args.command.name(),
            Self::Seal(_) => "trust seal",
            Self::Revoke(_) => "trust revoke",
            Self::Renew(_) => "trust renew",
            Self::Discard(_) => "trust discard",
            Self::Lifetime(_) => "trust lifetime",
        }
    }
}

/// Where a command works, and when.
struct Here<'a> {
    args: &'a Args,
    now: UnixTime,
}

impl Here<'_> {
    fn open(&self) -> Result<Repository, Failure> {
        Repository::open(&self.args.dir).map_err(|error| failure(&error))
    }
}

fn clock() -> Result<UnixTime, Failure> {
    touchmark::now().map_err(|error| Failure::new(Exit::Unknown, "clock", error.to_string()))
}

/// Runs the one that is asked for.
pub(crate) fn run(args: &Args, output: &mut Output<'_>) {
    let now = match args.at {
        Some(at) => Ok(at),
        None => clock(),
    };
    let done = now.and_then(|now| {
        let here = Here { args, now };
        let done = match &args.command {
            Command::Init(args) => init::run(&here, args, output),
            Command::Status(args) => status::run(&here, args, output),
            Command::Sign(args) => sign::run(&here, args, output),
            Command::Publish(args) => publish::run(&here, args, output),
            Command::Pull(args) => pull::run(&here, args, output),
            Command::Key(args) => key::run(&here, args, output),
            Command::Delegate(args) => delegate::run(&here, args, output),
            Command::Redelegate(args) => delegate::redelegate(&here, args, output),
            Command::Undelegate(args) => delegate::undelegate(&here, args, output),
            Command::Target(args) => target::run(&here, args, output),
            Command::Publisher(args) => publisher::run(&here, args, output),
            Command::Name(args) => name::run(&here, args, output),
            Command::Seal(args) => name::seal(&here, args, output),
            Command::Revoke(args) => name::revoke(&here, args, output),
            Command::Renew(args) => stage::renew(&here, args, output),
            Command::Discard(args) => stage::discard(&here, args, output),
            Command::Lifetime(args) => life::run(&here, args, output),
        };
        // Whatever was asked for and came of it, who looks after the repository learns in time what is about to expire.
        warn(&here, output);
        done
    });
    if let Err(failure) = done {
        output.fail(None, &failure);
    }
}

/// So many delegated roles are named in a warning.
const NAMED_ROLES: usize = 10;

/// Warns of roles in the last quarter of their life. That it cannot be found out is no failure of the command.
fn warn(here: &Here<'_>, output: &mut Output<'_>) {
    let Ok(repository) = here.open() else { return };
    let (top, delegated): (Vec<_>, Vec<_>) =
        repository.late(here.now).unwrap_or_default().into_iter().partition(|(role, ..)| is_top_level(role));
    for (role, expires, age) in top.iter().chain(delegated.iter().take(NAMED_ROLES)) {
        let how = match role.as_str() {
            "timestamp" | "snapshot" => "touchmark trust publish --renew".to_owned(),
            _ => format!("touchmark trust renew {role}, sign, publish"),
        };
        let what = if *age == Age::Expired { "expired" } else { "expires soon," };
        output.warn(&format!("{role} {what} at {expires}; {how}"));
    }
    if let more @ 1.. = delegated.len().saturating_sub(NAMED_ROLES) {
        output.warn(&format!("and {more} more roles expire soon or have expired; touchmark trust status shows them"));
    }
}

fn is_top_level(role: &str) -> bool {
    matches!(role, "root" | "targets" | "snapshot" | "timestamp")
}

/// Says what was staged, and who has to sign it.
fn staged(here: &Here<'_>, roles: &[String], output: &mut Output<'_>) -> Result<(), Failure> {
    tell_staged(here, roles, false, Object::new(), output)
}

/// As [`staged`], with what else there is to say; of a dry run, what would have been staged.
fn tell_staged(
    here: &Here<'_>,
    roles: &[String],
    dry_run: bool,
    mut members: Object<'static>,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    for role in roles {
        output.line(role);
    }
    match roles {
        [] => output.note("nothing changed"),
        _ if dry_run => output.note("this would be staged; nothing was"),
        _ => output.note("staged; touchmark trust sign --key KEY signs it, touchmark trust status shows whose signatures it needs"),
    }
    members.insert("dir", Value::from(here.args.dir.display().to_string()));
    members.insert("dry_run", dry_run);
    members.insert("staged", strings(if dry_run { &[] } else { roles }));
    if dry_run {
        members.insert("would_stage", strings(roles));
    }
    output.result(Exit::Done, members);
    Ok(())
}

fn strings(strings: &[String]) -> Value<'static> {
    Value::Array(strings.iter().map(|one| Value::from(one.clone())).collect())
}

/// What the failure of a repository ends the command with.
fn failure(error: &RepositoryError) -> Failure {
    let exit = match error.class() {
        Class::Usage => Exit::Usage,
        Class::Untrusted => Exit::UntrustedMetadata,
        Class::Unexpected => Exit::Malformed,
        _ => Exit::Unknown,
    };
    let mut failure = Failure::new(exit, error.code(), error.to_string());
    failure.hint = error.hint();
    failure.retryable = error.is_retryable();
    failure
}
