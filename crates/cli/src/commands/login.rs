//! `touchmark login`: asks a registry whether it takes credentials, and keeps them.

use std::io::{BufRead as _, IsTerminal as _, Read as _, Write as _};

use touchmark::oci::credentials::{self, Asked, Credential, Keeper};
use touchmark::oci::{Error, Repository};
use touchmark_verify::access::{self, AccessOptions};
use touchmark_verify::exit::Exit;
use touchmark_verify::output::{Failure, Object, Output, Value};
use zeroize::Zeroizing;

use crate::access::AccessArgs;

/// Keeps credentials for a registry, once it has accepted them
///
/// Without --password-stdin or --identity-token-stdin a terminal is asked. A credential helper that config.json names keeps them,
/// else config.json itself, without encryption.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The registry, such as `ghcr.io` or `localhost:5000`
    #[arg(value_name = "HOST[:PORT]")]
    pub(crate) host: String,
    /// Reads an identity token from standard input, in place of a user name and a password
    #[arg(long, conflicts_with_all = ["username", "password-stdin"])]
    pub(crate) identity_token_stdin: bool,
    #[command(flatten)]
    pub(crate) access: AccessArgs,
}

/// Logs in, and says where the credentials are.
pub(crate) fn run(args: &Args, output: &mut Output<'_>) {
    if let Err(failure) = login(args, output) {
        output.fail(None, &failure);
    }
}

fn login(args: &Args, output: &mut Output<'_>) -> Result<(), Failure> {
    let host = host(&args.host)?;
    let mut options = args.access.options();
    let credential = credential(&mut options, args.identity_token_stdin, &host)?;
    let access = options.access()?;
    let asked = credentials::check(&host, &credential, &access).map_err(|error| refused(&host, &error))?;
    let kept = credentials::store(&host, &credential, &access).map_err(|error| Failure::from(&error))?;
    if asked == Asked::No {
        output.note(&format!("{host} asked for no credentials: whether it accepts these is not known"));
    }
    match &kept.keeper {
        Keeper::Helper(program) => output.note(&format!("{host}: logged in; {program} keeps the credentials")),
        Keeper::File(path) => output.note(&format!("{host}: logged in; the credentials are in {}, not encrypted", path.display())),
    }
    if let Some(place) = &kept.overridden_by {
        output.warn(&format!("{place} has credentials for {host} too, and comes first: these are not used"));
    }
    let username = if let Credential::Basic { username, .. } = &credential { Value::from(username.clone()) } else { Value::Null };
    let (helper, file) = match kept.keeper {
        Keeper::Helper(program) => (Value::from(program), Value::Null),
        Keeper::File(path) => (Value::Null, Value::from(path.display().to_string())),
    };
    let mut members = Object::new();
    members.insert("registry", host);
    members.insert("username", username);
    members.insert("checked", asked == Asked::Yes);
    members.insert("helper", helper);
    members.insert("file", file);
    members.insert("overridden_by", kept.overridden_by.map_or(Value::Null, Value::from));
    output.result(Exit::Done, members);
    Ok(())
}

/// Reads `HOST[:PORT]`.
pub(crate) fn host(text: &str) -> Result<String, Failure> {
    // A name of two parts is one everywhere, Docker Hub included.
    match format!("{text}/a/b").parse::<Repository>() {
        Ok(repository) if repository.name() == "a/b" => Ok(repository.host().to_owned()),
        _ => Err(Failure::usage(format!("`{text}` is no registry"))
            .hint("HOST or HOST:PORT, such as ghcr.io or localhost:5000, without https:// and path")),
    }
}

/// The credentials that are typed or on standard input; user and password are taken out of `options`.
fn credential(options: &mut AccessOptions, token: bool, host: &str) -> Result<Credential, Failure> {
    let wrong = |reason: &str| Failure::usage(format!("the credentials for {host} cannot be used: {reason}"));
    let input = || access::password(&mut std::io::stdin().lock()).map(Zeroizing::new);
    if token {
        return Credential::identity(input()?).map_err(wrong);
    }
    if options.password_stdin {
        options.check().map_err(Failure::usage)?;
    }
    let username = options.username.take();
    if std::mem::take(&mut options.password_stdin) {
        return Credential::login(&username.unwrap_or_default(), input()?).map_err(wrong);
    }
    if !(std::io::stdin().is_terminal() && std::io::stderr().is_terminal()) {
        return Err(Failure::usage("no password, and no terminal to ask for it").hint("--username USER --password-stdin < FILE"));
    }
    let unreadable = |error: std::io::Error| Failure::new(Exit::Usage, "unreadable", format!("the terminal: {error}"));
    let username = match username {
        Some(username) => username,
        None => typed(&format!("User name for {host}: ")).map_err(unreadable)?,
    };
    let password = rpassword::prompt_password(format!("Password of {username}: ")).map(Zeroizing::new).map_err(unreadable)?;
    if password.is_empty() {
        return Err(wrong("the password is empty"));
    }
    Credential::login(&username, password).map_err(wrong)
}

/// A line that is typed, and may be seen.
fn typed(question: &str) -> std::io::Result<String> {
    let mut err = std::io::stderr().lock();
    err.write_all(question.as_bytes())?;
    err.flush()?;
    let mut line = String::new();
    std::io::stdin().lock().take(4096).read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// What a registry says to credentials. Wrong ones are the user's mistake, as a wrong passphrase is.
fn refused(host: &str, error: &Error) -> Failure {
    let mut failure = Failure::from(error);
    if let Error::Status { status: 401 | 403, .. } = error {
        failure.exit = Exit::Usage;
        failure.message = format!("{host} does not accept these credentials, and they are not kept: {error}");
        failure.hint = Some("look at the user name; many registries want an access token in place of the password".to_owned());
    }
    failure
}
