//! The command line of `touchmark-verify`, read by hand: the same options as `touchmark verify` without that parser's code.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};

use touchmark::envelope::UnixTime;

use crate::options::{Input, Options, annotation, count, duration, predicate_type, retries, size};

/// What the command line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Verify.
    Verify(Box<Options>),
    /// `--help`.
    Help,
    /// `--version`.
    Version,
}

/// A command line that cannot be followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Usage {
    /// What is wrong.
    pub message: String,
    /// Whether `--format json` was on the command line, so that the answer can be in it.
    pub json: bool,
}

/// What `--help` prints.
pub const HELP: &str = "\
Verify who signed an OCI artifact, and as what, wherever it lies.

Usage: touchmark-verify REF... --key PUBLIC-KEY [OPTIONS]
       touchmark-verify REF... --root ROOT --name NAME [OPTIONS]
       touchmark-verify REF... [--policy FILE] [OPTIONS]

A REF is HOST[:PORT]/REPO, oci:FOLDER or oci-archive:FILE.tar, each with [:TAG][@DIGEST]; with both the digest decides.
In a registry no tag is assumed.

What must hold:
  --key FILE                a public key (PEM); - is standard input, env:VAR a variable; repeat for several
  --threshold N             how many of the keys must have signed [default: 1]
  --root FILE               the root.json of a trust root, instead of keys: it says who owns --name
  --trust DIR|URL|REF       where its metadata is [default: beside the artifact]
  --store DIR|none          where what was accepted of it is kept [default: among the user's stores]
  --policy FILE             a policy file, instead of keys and a root [default: that of $TOUCHMARK_POLICY,
                            ~/.config/touchmark/policy.json or /etc/touchmark/policy.json]
  --require-fresh           accepts nothing that the metadata's source does not confirm now
  --name NAME[:VERSION]     the name that it must be signed as; NAME:* is any version
  --any-version             any version of --name
  --annotation KEY=VALUE    an annotation that must be signed; repeat for several
  --type TYPE               an attestation of this type instead of a signature: a URI, slsa-v1, spdx,
                            cyclonedx or vex; repeat for several, all of which must be there
  --at TIME                 judge as of this time (RFC 3339) instead of now

What is verified:
  --refs-from FILE          more REFs, one a line; - is standard input
  --platform OS/ARCH        REF is a signed index: its child for this platform
  --covered-by INDEX        REF is a child of this signed index
  --envelope FILE           use this envelope, which is not attached; repeat for several
  --referrers-from REPO     signatures are looked for there, not beside the artifact: HOST/REPO or oci:FOLDER
  --check-tag               the TAG of a REF must lead to its DIGEST
  --resolve                 the artifact is the one that the trust root lists under --name; REF is its place
  --deep                    hash every blob of the artifact too

What is printed:
  --print WHAT              predicate or statement, one JSON document a line, instead of pins
  --format FORMAT           text or json [default: text]
  -q, --quiet               nothing but data and errors

Caps (sizes take KiB, MiB, GiB):
  --max-referrers N         referrers looked at [default: 10000]
  --max-signatures N        signatures in one envelope [default: 128]
  --max-manifest-size SIZE  bytes of a manifest [default: 4MiB]
  --max-envelope-size SIZE  bytes of an envelope [default: 1MiB, with --type 64MiB]
  --max-list-size SIZE      bytes of a list of referrers [default: 16MiB]
  --max-contents N          manifests and blobs that --deep hashes [default: 100000]
  --max-reported SIZE       bytes of statements kept for the report [default: 64MiB]
  --max-work SIZE           bytes of evidence; a signature check is 64 KiB more [default: 8192MiB]

Registry:
  --plain-http              HTTP without TLS; to this machine it is tried by itself
  --insecure                TLS without checking the registry's certificate
  --ca-file FILE            trusts these authorities (PEM) besides the system's
  --cert-file FILE          the client's certificate (PEM), with --key-file
  --key-file FILE           its private key (PEM)
  --registry-config FILE    credentials, in place of those that are looked for
  --username USER           whose password is used, with --password-stdin
  --password-stdin          reads the password from standard input
  --timeout TIME            how long a registry may be silent, such as 10s or 2m [default: 30s]
  --retries N               how often a request that failed for now is tried again [default: 4]

  -h, --help
  -V, --version

Exit: 0 verified, 1 not verified, 2 usage, 3 no signature, 4 could not find out,
      5 untrusted metadata, 6 malformed artifact.
";

/// Reads the arguments after the program's name.
///
/// An option's value is the next argument or follows `=`; after `--` everything is a REF. An option that takes one
/// value and is given twice is refused, for nobody knows which was meant. What concerns several options together is checked by
/// [`run`](crate::run), as for `touchmark verify`.
///
/// # Errors
/// Says which argument is wrong, and why.
pub fn parse(arguments: impl Iterator<Item = OsString>) -> Result<Command, Usage> {
    let arguments: Vec<OsString> = arguments.collect();
    let json = wants_json(&arguments);
    read(arguments.into_iter()).map_err(|message| Usage { message, json })
}

/// Whether the answer to a wrong command line should be JSON.
fn wants_json(arguments: &[OsString]) -> bool {
    let before_refs = || arguments.iter().take_while(|argument| *argument != "--");
    before_refs().any(|argument| argument == "--format=json")
        || before_refs().zip(before_refs().skip(1)).any(|(name, value)| name == "--format" && value == "json")
}

fn read(mut arguments: impl Iterator<Item = OsString>) -> Result<Command, String> {
    let mut options = Options::default();
    let mut seen = BTreeSet::new();
    while let Some(argument) = arguments.next() {
        let Some(text) = argument.to_str() else {
            options.references.push(reference(argument)?);
            continue;
        };
        match text {
            "--" => {
                for rest in arguments.by_ref() {
                    options.references.push(reference(rest)?);
                }
            }
            "-h" | "--help" => return Ok(Command::Help),
            "-V" | "--version" => return Ok(Command::Version),
            _ if text.starts_with('-') && text != "-" => {
                let (name, inline) = match text.split_once('=') {
                    Some((name, value)) => (name.to_owned(), Some(OsString::from(value))),
                    None => (text.to_owned(), None),
                };
                let taken = option(&mut options, &mut seen, &name, inline, &mut arguments);
                taken.map_err(|problem| if problem.starts_with("unknown") { problem } else { format!("{name}: {problem}") })?;
            }
            _ => options.references.push(text.to_owned()),
        }
    }
    Ok(Command::Verify(Box::new(options)))
}

fn option(
    options: &mut Options,
    seen: &mut BTreeSet<String>,
    name: &str,
    inline: Option<OsString>,
    arguments: &mut impl Iterator<Item = OsString>,
) -> Result<(), String> {
    let repeatable = matches!(name, "--key" | "--annotation" | "--type" | "--envelope" | "-q" | "--quiet");
    if !repeatable && !seen.insert(name.to_owned()) {
        return Err("given twice".to_owned());
    }
    let (wants, access) = (&mut options.wants, &mut options.access);
    let flag = match name {
        "-q" | "--quiet" => Some(&mut options.quiet),
        "--require-fresh" => Some(&mut wants.require_fresh),
        "--any-version" => Some(&mut wants.any_version),
        "--deep" => Some(&mut wants.deep),
        "--resolve" => Some(&mut wants.resolve),
        "--check-tag" => Some(&mut wants.check_tag),
        "--plain-http" => Some(&mut access.plain_http),
        "--insecure" => Some(&mut access.insecure),
        "--password-stdin" => Some(&mut access.password_stdin),
        _ => None,
    };
    if let Some(flag) = flag {
        *flag = true;
        return if inline.is_some() { Err("takes no value".to_owned()) } else { Ok(()) };
    }
    let value = || inline.or_else(|| arguments.next()).ok_or_else(|| "its value is missing".to_owned());
    match name {
        "--key" => wants.keys.push(Input::from(value()?)),
        "--envelope" => wants.envelopes.push(Input::from(value()?)),
        "--refs-from" => options.refs_from = Some(Input::from(value()?)),
        "--threshold" => wants.threshold = Some(count(&text(value()?)?)?),
        "--root" => wants.root = Some(Input::from(value()?)),
        "--policy" => wants.policy = Some(value()?.into()),
        "--trust" => wants.trust = Some(text(value()?)?),
        "--store" => wants.store = Some(text(value()?)?),
        "--name" => wants.name = Some(text(value()?)?.parse().map_err(display)?),
        "--annotation" => wants.annotations.push(annotation(&text(value()?)?)?),
        "--type" => wants.types.push(predicate_type(&text(value()?)?)?),
        "--platform" => wants.platform = Some(text(value()?)?),
        "--covered-by" => wants.covered_by = Some(text(value()?)?),
        "--at" => wants.at = Some(UnixTime::parse_rfc3339(&text(value()?)?).map_err(display)?),
        "--referrers-from" => options.referrers_from = Some(text(value()?)?),
        "--ca-file" => access.ca_file = Some(value()?.into()),
        "--cert-file" => access.cert_file = Some(value()?.into()),
        "--key-file" => access.key_file = Some(value()?.into()),
        "--registry-config" => access.registry_config = Some(value()?.into()),
        "--username" => access.username = Some(text(value()?)?),
        "--timeout" => access.timeout = Some(duration(&text(value()?)?)?),
        "--retries" => access.retries = Some(retries(&text(value()?)?)?),
        "--print" => options.print = Some(text(value()?)?.parse()?),
        "--format" => options.format = text(value()?)?.parse()?,
        "--max-referrers" => wants.caps.referrers = Some(count(&text(value()?)?)?),
        "--max-signatures" => wants.caps.signatures = Some(count(&text(value()?)?)?),
        "--max-manifest-size" => wants.caps.manifest_size = Some(size(&text(value()?)?)?),
        "--max-envelope-size" => wants.caps.envelope_size = Some(size(&text(value()?)?)?),
        "--max-list-size" => wants.caps.list_size = Some(size(&text(value()?)?)?),
        "--max-contents" => wants.caps.contents = Some(count(&text(value()?)?)?),
        "--max-reported" => wants.caps.reported = Some(size(&text(value()?)?)?),
        "--max-work" => wants.caps.work = Some(size(&text(value()?)?)?),
        _ => return Err(format!("unknown option {name}; --help lists them")),
    }
    Ok(())
}

fn text(value: OsString) -> Result<String, String> {
    value.into_string().map_err(|value| format!("{} is not UTF-8", lossy(&value)))
}

fn reference(argument: OsString) -> Result<String, String> {
    argument.into_string().map_err(|argument| format!("the reference {} is not UTF-8", lossy(&argument)))
}

fn lossy(text: &OsStr) -> String {
    format!("`{}`", text.to_string_lossy())
}

fn display(error: impl std::fmt::Display) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Print;
    use crate::output::Format;

    fn parse_line(line: &str) -> Result<Command, Usage> {
        parse(line.split_whitespace().map(OsString::from))
    }

    fn options(line: &str) -> Options {
        match parse_line(line) {
            Ok(Command::Verify(options)) => *options,
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn every_option_is_read() {
        let read = options(
            "oci:a --key k.pub --key=env:K --key - --threshold 2 --name acme/x:1 --any-version --annotation a=b --type slsa-v1 \
             --print predicate --platform linux/arm64 --envelope e.json --at 2026-11-30T12:00:00Z --deep --check-tag --format json -q \
             --max-referrers 5 --max-signatures 6 --max-manifest-size 7KiB --max-envelope-size 8 --max-list-size 9 --refs-from list \
             --referrers-from a.io/b --plain-http --insecure --ca-file ca --cert-file c --key-file=k --registry-config r --username u \
             --password-stdin --timeout 2s --retries 0 -- -b",
        );
        let access = &read.access;
        assert!(access.plain_http && access.insecure && access.password_stdin);
        let files = [&access.ca_file, &access.cert_file, &access.key_file, &access.registry_config];
        assert_eq!(files.map(|file| file.as_deref().and_then(std::path::Path::to_str)), [Some("ca"), Some("c"), Some("k"), Some("r")]);
        assert_eq!((access.username.as_deref(), read.referrers_from.as_deref()), (Some("u"), Some("a.io/b")));
        assert_eq!((access.timeout, access.retries), (Some(std::time::Duration::from_secs(2)), Some(0)));
        assert_eq!(read.references, ["oci:a", "-b"]);
        assert_eq!(read.refs_from, Some(Input::File("list".into())));
        assert_eq!(read.wants.keys, [Input::File("k.pub".into()), Input::Environment("K".into()), Input::Stdin]);
        assert_eq!(read.wants.threshold, Some(2));
        assert_eq!(read.wants.name.as_ref().map(ToString::to_string).as_deref(), Some("acme/x:1"));
        assert_eq!(read.wants.annotations, [("a".into(), "b".into())]);
        assert_eq!(read.wants.types, ["https://slsa.dev/provenance/v1"]);
        assert_eq!(read.wants.platform.as_deref(), Some("linux/arm64"));
        assert_eq!(read.wants.envelopes, [Input::File("e.json".into())]);
        assert_eq!(read.wants.at.map(|at| at.to_string()).as_deref(), Some("2026-11-30T12:00:00Z"));
        assert!(read.wants.any_version && read.wants.deep && read.wants.check_tag && read.quiet);
        assert_eq!((read.print, read.format), (Some(Print::Predicate), Format::Json));
        let caps = read.wants.caps;
        assert_eq!((caps.referrers, caps.signatures, caps.manifest_size), (Some(5), Some(6), Some(7 << 10)));
        assert_eq!((caps.envelope_size, caps.list_size), (Some(8), Some(9)));
    }

    #[test]
    fn wrong_lines_are_refused() {
        for line in [
            "oci:a --key",
            "oci:a --key k --threshold 0",
            "oci:a --key k --threshold 1 --threshold 2",
            "oci:a --key k --nmae x/y",
            "oci:a --key k --deep=yes",
            "oci:a --key k --name x",
            "oci:a --key k --at tomorrow",
            "oci:a --key k --print all",
            "oci:a --key k --format yaml",
            "oci:a --key k -x",
            "a.io/b:1 --key k --timeout 30",
            "a.io/b:1 --key k --retries many",
            "a.io/b:1 --key k --plain-http=yes",
            "a.io/b:1 --key k --password secret",
            "a.io/b:1 --key k --username u --username v",
        ] {
            assert!(parse_line(line).is_err(), "{line}");
        }
    }

    #[test]
    fn a_wrong_line_still_answers_in_the_asked_format() {
        assert!(parse_line("oci:a --format json --nmae x").unwrap_err().json);
        assert!(parse_line("oci:a --nmae --format=json").unwrap_err().json);
        assert!(!parse_line("oci:a --nmae -- --format=json").unwrap_err().json);
    }

    /// SPEC.md, "Limits".
    #[test]
    fn help_and_specification_name_the_limits_that_hold() {
        let limits = touchmark::trust::Limits::default();
        let mib = |bytes: u64| format!("{}MiB", bytes >> 20);
        let defaults = [
            ("--max-referrers", limits.referrers.to_string()),
            ("--max-signatures", limits.signatures.to_string()),
            ("--max-manifest-size", mib(limits.manifest)),
            ("--max-envelope-size", mib(limits.signature)),
            ("--max-envelope-size", mib(limits.attestation)),
            ("--max-list-size", mib(limits.referrers_bytes)),
            ("--max-contents", limits.contents.to_string()),
            ("--max-reported", mib(limits.reported)),
            ("--max-work", mib(limits.work)),
            ("--timeout", format!("{}s", touchmark::oci::access::DEFAULT_TIMEOUT.as_secs())),
            ("--retries", touchmark::oci::access::DEFAULT_RETRIES.to_string()),
        ];
        let specification = include_str!("../../../SPEC.md").replace(" MiB", "MiB").replace(" s |", "s |");
        for (option, default) in defaults {
            let helped = HELP.lines().find(|line| line.trim_start().starts_with(option)).unwrap();
            assert!(helped.contains(&default), "{helped}: {default}");
            let with_commas = default.strip_suffix("000").map_or(default.clone(), |thousands| format!("{thousands},000"));
            let specified = |line: &str| line.contains(&format!("`{option}`")) && line.contains(&format!("| {with_commas} |"));
            assert!(specification.lines().any(specified), "{option}: {default}");
        }
    }

    #[test]
    fn help_names_every_option() {
        let source = include_str!("args.rs").split("#[cfg(test)]").next().unwrap();
        let arms = source.split("match name {").skip(1).flat_map(|part| part.lines()).filter_map(|line| line.trim().strip_prefix('"'));
        let names: Vec<&str> = arms.filter_map(|arm| arm.split('"').next()).filter(|name| name.starts_with("--")).collect();
        assert!(names.len() > 15);
        for name in names {
            assert!(HELP.contains(&format!("{name} ")), "{name}");
        }
    }
}
