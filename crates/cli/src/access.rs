//! The options that say how registries are reached.

use std::path::PathBuf;
use std::time::Duration;

use touchmark::Reference;
use touchmark::oci::access::{Access, Anchors};
use touchmark_verify::access::{self, AccessOptions, Side};
use touchmark_verify::options::{self, Input, ONE_STDIN};
use touchmark_verify::output::Failure;

/// The options, which `copy` has once more for each side. `touchmark-verify` has the first of them.
macro_rules! access_args {
    ($(#[$doc:meta])* $name:ident, $side:expr, $heading:literal, $prefix:literal, $where:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, clap::Args)]
        #[command(next_help_heading = $heading)]
        pub(crate) struct $name {
            #[arg(
                id = concat!($prefix, "plain-http"),
                long = concat!($prefix, "plain-http"),
                help = concat!("HTTP without TLS", $where, "; to this machine it is tried by itself")
            )]
            plain_http: bool,
            #[arg(
                id = concat!($prefix, "insecure"),
                long = concat!($prefix, "insecure"),
                help = concat!("TLS without checking the certificate", $where)
            )]
            insecure: bool,
            #[arg(
                id = concat!($prefix, "ca-file"),
                long = concat!($prefix, "ca-file"),
                value_name = "FILE",
                help = concat!("Trusts these authorities (PEM) besides the system's", $where)
            )]
            ca_file: Option<PathBuf>,
            #[arg(
                id = concat!($prefix, "cert-file"),
                long = concat!($prefix, "cert-file"),
                value_name = "FILE",
                help = concat!("The client's certificate (PEM)", $where)
            )]
            cert_file: Option<PathBuf>,
            #[arg(
                id = concat!($prefix, "key-file"),
                long = concat!($prefix, "key-file"),
                value_name = "FILE",
                help = "The private key of that certificate (PEM)"
            )]
            key_file: Option<PathBuf>,
            #[arg(
                id = concat!($prefix, "registry-config"),
                long = concat!($prefix, "registry-config"),
                value_name = "FILE",
                help = concat!("Credentials", $where, ", in place of those that are looked for")
            )]
            registry_config: Option<PathBuf>,
            #[arg(
                id = concat!($prefix, "username"),
                long = concat!($prefix, "username"),
                value_name = "USER",
                help = concat!("Whose password is used", $where)
            )]
            username: Option<String>,
            #[arg(
                id = concat!($prefix, "password-stdin"),
                long = concat!($prefix, "password-stdin"),
                help = "Reads the password from standard input"
            )]
            password_stdin: bool,
            #[arg(
                id = concat!($prefix, "timeout"),
                long = concat!($prefix, "timeout"),
                value_name = "TIME",
                value_parser = options::duration,
                help = "How long the registry may be silent, such as 10s or 2m; 30s unless given"
            )]
            timeout: Option<Duration>,
            #[arg(
                id = concat!($prefix, "retries"),
                long = concat!($prefix, "retries"),
                value_name = "N",
                value_parser = options::retries,
                help = "How often a request that failed for now is tried again, 4 times unless given"
            )]
            retries: Option<u32>,
        }

        impl $name {
            /// The options as the verifier has them.
            pub(crate) fn options(&self) -> AccessOptions {
                AccessOptions {
                    side: $side,
                    plain_http: self.plain_http,
                    insecure: self.insecure,
                    ca_file: self.ca_file.clone(),
                    cert_file: self.cert_file.clone(),
                    key_file: self.key_file.clone(),
                    registry_config: self.registry_config.clone(),
                    username: self.username.clone(),
                    password_stdin: self.password_stdin,
                    timeout: self.timeout,
                    retries: self.retries,
                }
            }
        }
    };
}

access_args! {
    /// How registries are reached.
    AccessArgs, Side::All, "Registry", "", ""
}
access_args! {
    /// How registries are reached that are copied from.
    FromArgs, Side::From, "Registry that is copied from", "from-", " where it is copied from"
}
access_args! {
    /// How the registry is reached that is copied to.
    ToArgs, Side::To, "Registry that is copied to", "to-", " where it is copied to"
}

/// Whether each signature and attestation gets a tag of its own.
#[derive(Clone, Copy, Debug, clap::Args)]
#[command(next_help_heading = "Registry")]
pub(crate) struct AnchorArgs {
    /// Writes no tags that keep signatures in registries without the referrers API; concurrent signers may then lose some
    #[arg(long)]
    no_anchors: bool,
}

impl AnchorArgs {
    /// The same access, with or without anchors.
    pub(crate) fn put_into(self, access: Access) -> Access {
        Access { anchors: if self.no_anchors { Anchors::Omitted } else { Anchors::Written }, ..access }
    }
}

impl AccessArgs {
    /// How the registries of `references` are reached; `other_inputs` says how many other options read standard input, which only
    /// one may do.
    pub(crate) fn access<'r>(&self, references: impl IntoIterator<Item = &'r Reference>, other_inputs: usize) -> Result<Access, Failure> {
        let options = self.options();
        one_input(other_inputs, [&options])?;
        options.check_hosts(references)?;
        options.access()
    }
}

/// How many of `inputs` are standard input.
pub(crate) fn standard_inputs<'i>(inputs: impl IntoIterator<Item = &'i Input>) -> usize {
    inputs.into_iter().filter(|input| **input == Input::Stdin).count()
}

fn one_input<'o>(others: usize, options: impl IntoIterator<Item = &'o AccessOptions>) -> Result<(), Failure> {
    let passwords = options.into_iter().filter(|options| options.password_stdin).count();
    if others + passwords > 1 { Err(Failure::usage(ONE_STDIN)) } else { Ok(()) }
}

/// The options of `copy`: of both sides, or of one.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct SidesArgs {
    #[command(flatten)]
    both: AccessArgs,
    #[command(flatten)]
    from: FromArgs,
    #[command(flatten)]
    to: ToArgs,
}

impl SidesArgs {
    /// How the sources' registries and the destination's are reached.
    ///
    /// What is said of both is refused where it would be said of two registries: a password, a certificate, and being without
    /// TLS belong to one.
    pub(crate) fn access(&self, from: &[Reference], to: &Reference, other_inputs: usize) -> Result<(Access, Access), Failure> {
        let (both, own_from, own_to) = (self.both.options(), self.from.options(), self.to.options());
        one_input(other_inputs, [&both, &own_from, &own_to])?;
        for options in [&both, &own_from, &own_to] {
            options.check().map_err(Failure::usage)?;
        }
        if let ([one, other, ..], [option, ..]) = (access::hosts(from.iter().chain([to])).as_slice(), both.of_one_registry().as_slice()) {
            let name = option.trim_start_matches('-');
            return Err(Failure::usage(format!("{option} is for one registry, and both {one} and {other} are named"))
                .hint(format!("--from-{name} or --to-{name}")));
        }
        let (from_options, to_options) = (merge(&both, own_from), merge(&both, own_to));
        from_options.check_hosts(from)?;
        let reads = from_options.password_stdin || to_options.password_stdin;
        let password = reads.then(|| access::password(&mut std::io::stdin().lock())).transpose()?;
        Ok((from_options.access_with(password.as_deref())?, to_options.access_with(password.as_deref())?))
    }
}

/// What is said of one side, and for the rest what is said of both.
fn merge(both: &AccessOptions, side: AccessOptions) -> AccessOptions {
    // A user and a password, and a certificate and its key, belong together.
    let (username, password_stdin) = match side.username {
        Some(_) => (side.username, side.password_stdin),
        None => (both.username.clone(), both.password_stdin),
    };
    let (cert_file, key_file) = match side.cert_file {
        Some(_) => (side.cert_file, side.key_file),
        None => (both.cert_file.clone(), both.key_file.clone()),
    };
    AccessOptions {
        side: side.side,
        plain_http: side.plain_http || both.plain_http,
        insecure: side.insecure || both.insecure,
        ca_file: side.ca_file.or_else(|| both.ca_file.clone()),
        cert_file,
        key_file,
        registry_config: side.registry_config.or_else(|| both.registry_config.clone()),
        username,
        password_stdin,
        timeout: side.timeout.or(both.timeout),
        retries: side.retries.or(both.retries),
    }
}

#[cfg(test)]
mod tests {
    use clap::FromArgMatches as _;

    use super::*;

    fn sides(line: &str) -> SidesArgs {
        use clap::Args as _;
        let command = SidesArgs::augment_args(clap::Command::new("copy").no_binary_name(true));
        SidesArgs::from_arg_matches(&command.try_get_matches_from(line.split_whitespace()).unwrap()).unwrap()
    }

    fn reach(line: &str, from: &[&str], to: &str) -> Result<(Access, Access), Failure> {
        let from: Vec<Reference> = from.iter().map(|text| text.parse().unwrap()).collect();
        sides(line).access(&from, &to.parse().unwrap(), 0)
    }

    #[test]
    fn a_side_is_told_apart_from_the_other() {
        let (from, to) = reach("--from-plain-http --to-insecure --retries 2 --to-retries 7", &["a.io/x"], "b.io/x").unwrap();
        assert_eq!((from.plain_http, from.insecure, from.retries), (true, false, Some(2)));
        assert_eq!((to.plain_http, to.insecure, to.retries), (false, true, Some(7)));
        assert!(reach("--plain-http --to-ca-file c", &["a.io/x"], "oci:y").is_err());
    }

    #[test]
    fn what_is_said_of_both_sides_is_refused_for_two_registries() {
        for option in [
            "--plain-http",
            "--insecure",
            "--ca-file f",
            "--cert-file f --key-file f",
            "--registry-config f",
            "--username u --password-stdin",
        ] {
            let refused = reach(option, &["a.io/x"], "b.io/x").unwrap_err();
            let name = option.split(' ').next().unwrap().trim_start_matches('-');
            assert_eq!(refused.hint, Some(format!("--from-{name} or --to-{name}")));
            assert!(reach(option, &["a.io/x", "oci:y", "b.io/z"], "oci:z").is_err(), "{option}");
            if !option.contains("password") {
                assert!(reach(option, &["a.io/x", "oci:y"], "a.io/z").is_ok(), "{option}");
            }
        }
        assert!(reach("--timeout 5s --retries 1", &["a.io/x"], "b.io/x").is_ok());
    }

    #[test]
    fn one_standard_input_holds_one_password() {
        let line = "--from-username a --from-password-stdin --to-username b --to-password-stdin";
        assert_eq!(reach(line, &["a.io/x"], "b.io/x").unwrap_err().message, ONE_STDIN);
        assert!(reach("--from-username a --from-password-stdin", &["a.io/x", "c.io/x"], "b.io/x").is_err());
        assert!(reach("--from-username a --to-password-stdin", &["a.io/x"], "b.io/x").is_err());
    }
}
