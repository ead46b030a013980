//! Everything that can be asked of verify, whichever command line it came from.

use std::ffi::OsString;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use touchmark::envelope::UnixTime;
use touchmark::envelope::name::Wanted;

use crate::access::AccessOptions;
use crate::output::Format;

/// The options of `verify`. `touchmark verify` and `touchmark-verify` both fill this and call [`run`](crate::run).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// REF...: what to verify, as typed.
    pub references: Vec<String>,
    /// `--refs-from FILE|-`: further references, one a line; empty lines and lines that begin with `#` are skipped.
    pub refs_from: Option<Input>,
    /// What to ask of each of them.
    pub wants: Wants,
    /// `--referrers-from REPO`: where signatures are looked for, in place of beside the artifact.
    pub referrers_from: Option<String>,
    /// How registries are reached.
    pub access: AccessOptions,
    /// `--print`: what replaces the pins on standard output.
    pub print: Option<Print>,
    /// `--format`.
    pub format: Format,
    /// `--quiet`: no notes on standard error.
    pub quiet: bool,
}

/// What must hold of an artifact: the options that `verify` shares with `unpack` and `copy --verify`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wants {
    /// `--key`: public keys.
    pub keys: Vec<Input>,
    /// `--threshold`: how many of them must vouch; 1 unless given.
    pub threshold: Option<usize>,
    /// `--root`: the root.json of a trust root, in place of keys.
    pub root: Option<Input>,
    /// `--trust DIR|URL|REF`: where its metadata is; beside the artifact unless given.
    pub trust: Option<String>,
    /// `--store DIR|none`: where what was accepted of it is kept; among the user's stores unless given.
    pub store: Option<String>,
    /// `--policy FILE`: a policy file, in place of keys and a trust root.
    pub policy: Option<PathBuf>,
    /// `--require-fresh`: what its source does not confirm now is not accepted.
    pub require_fresh: bool,
    /// `--name`.
    pub name: Option<Wanted>,
    /// `--any-version`: whatever version `name` was signed with.
    pub any_version: bool,
    /// `--annotation K=V`: annotations that the signed statement must hold.
    pub annotations: Vec<(String, String)>,
    /// `--type`: predicate types that must be attested, in place of a signature; aliases are expanded.
    pub types: Vec<String>,
    /// `--platform OS/ARCH[/VARIANT]`: the child of the named index that is meant.
    pub platform: Option<String>,
    /// `--covered-by INDEX`: the signed index that lists the artifact.
    pub covered_by: Option<String>,
    /// `--envelope FILE`: an envelope that is no referrer.
    pub envelopes: Vec<Input>,
    /// `--at`: the time to judge by, in place of the clock.
    pub at: Option<UnixTime>,
    /// `--deep`: hash every blob of the artifact too.
    pub deep: bool,
    /// `--resolve`: the artifact is the one that the trust root lists under the name.
    pub resolve: bool,
    /// `--check-tag`: a reference's tag must lead to its digest.
    pub check_tag: bool,
    /// The caps.
    pub caps: Caps,
}

impl Options {
    /// Checks what concerns several options together; each alone was checked when it was read.
    ///
    /// # Errors
    /// Says which options contradict each other, or what is missing.
    pub fn check(&self) -> Result<(), String> {
        if self.references.is_empty() && self.refs_from.is_none() {
            return Err("nothing to verify: give a REF, such as HOST/REPO:TAG or oci:FOLDER:TAG, or --refs-from".to_owned());
        }
        let stdin = self.wants.keys.iter().chain(&self.wants.envelopes).chain(&self.wants.root).chain(&self.refs_from);
        if stdin.filter(|input| **input == Input::Stdin).count() + usize::from(self.access.password_stdin) > 1 {
            return Err(ONE_STDIN.to_owned());
        }
        self.access.check()?;
        self.wants.check()
    }
}

/// What is said if standard input should be read for two things.
pub const ONE_STDIN: &str = "standard input (-) can be read for one option only";

/// What a check of the options says.
pub(crate) fn usage(message: String) -> crate::output::Failure {
    crate::output::Failure::usage(message)
}

impl Wants {
    /// As [`Options::check`].
    ///
    /// # Errors
    /// Says which options contradict each other, or what is missing.
    pub fn check(&self) -> Result<(), String> {
        let judges = [("--key", !self.keys.is_empty()), ("--root", self.root.is_some()), ("--policy", self.policy.is_some())];
        let given: Vec<&str> = judges.iter().filter(|(_, given)| *given).map(|(name, _)| *name).collect();
        if let [one, other, ..] = given.as_slice() {
            return Err(format!("{one} and {other} exclude each other: each says whose word counts"));
        }
        if self.root.is_some() && self.threshold.is_some() {
            return Err("--root and --threshold exclude each other: the metadata says how many keys must sign".to_owned());
        }
        if self.root.is_some() && self.name.is_none() {
            return Err(crate::root::NO_NAME.to_owned());
        }
        if self.policy.is_some() {
            crate::root::check_with_policy(self).map_err(|failure| failure.message)?;
        }
        if !self.keys.is_empty() && (self.trust.is_some() || self.store.is_some() || self.require_fresh) {
            return Err("--trust, --store and --require-fresh need --root".to_owned());
        }
        if !self.keys.is_empty() && self.resolve {
            return Err("--resolve needs --root or --policy: keys list nothing".to_owned());
        }
        if self.resolve && self.covered_by.is_some() {
            return Err("--resolve and --covered-by exclude each other: the name leads to the artifact itself".to_owned());
        }
        if self.any_version && self.name.is_none() {
            return Err("--any-version needs --name".to_owned());
        }
        if self.platform.is_some() && self.covered_by.is_some() {
            return Err("--platform and --covered-by exclude each other: the first names the index, the second the child".to_owned());
        }
        Ok(())
    }
}

/// Caps as given on the command line; what is `None` has its default (SPEC.md, "Limits").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Caps {
    /// `--max-referrers`.
    pub referrers: Option<usize>,
    /// `--max-signatures`: signatures in one envelope.
    pub signatures: Option<usize>,
    /// `--max-manifest-size`, in bytes.
    pub manifest_size: Option<u64>,
    /// `--max-envelope-size`, in bytes.
    pub envelope_size: Option<u64>,
    /// `--max-list-size`: bytes of a list of referrers.
    pub list_size: Option<u64>,
    /// `--max-contents`: manifests and blobs that `--deep` hashes.
    pub contents: Option<usize>,
    /// `--max-reported`: bytes of statements that are kept for the report.
    pub reported: Option<u64>,
    /// `--max-work`: bytes of evidence, where a signature check counts for 64 KiB more.
    pub work: Option<u64>,
}

/// Where bytes come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// `-`: standard input.
    Stdin,
    /// `env:VAR`: an environment variable.
    Environment(String),
    /// A file.
    File(PathBuf),
}

impl From<OsString> for Input {
    fn from(text: OsString) -> Self {
        match text.to_str() {
            Some("-") => Self::Stdin,
            Some(name) if name.starts_with("env:") => Self::Environment(name.trim_start_matches("env:").to_owned()),
            _ => Self::File(text.into()),
        }
    }
}

impl std::fmt::Display for Input {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Stdin => f.write_str("standard input"),
            Self::Environment(name) => write!(f, "environment variable {name}"),
            Self::File(path) => write!(f, "{}", path.display()),
        }
    }
}

/// What `--print` prints, one JSON document a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Print {
    /// The predicate of each accepted statement.
    Predicate,
    /// Each accepted statement.
    Statement,
}

impl FromStr for Print {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "predicate" => Ok(Self::Predicate),
            "statement" => Ok(Self::Statement),
            other => Err(format!("`{other}` cannot be printed: predicate or statement")),
        }
    }
}

/// Reads `K=V`.
///
/// # Errors
/// There is no `=`, or nothing before it.
pub fn annotation(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err(format!("`{text}` is no annotation: KEY=VALUE")),
    }
}

/// Reads a predicate type: a URI, or a short word for a common one.
///
/// # Errors
/// Neither.
pub fn predicate_type(text: &str) -> Result<String, String> {
    let known = PREDICATE_TYPES.iter().find(|(word, _)| *word == text).map(|(_, uri)| *uri);
    match known {
        Some(uri) => Ok(uri.to_owned()),
        // RFC 3986, 3.1: a scheme of letters, digits, `+`, `-` and `.`, and then a colon.
        None if text.split_once(':').is_some_and(|(scheme, rest)| is_scheme(scheme) && !rest.is_empty()) => Ok(text.to_owned()),
        None => {
            let words: Vec<&str> = PREDICATE_TYPES.iter().map(|(word, _)| *word).collect();
            Err(format!("`{text}` is no predicate type: a URI, or one of {}", words.join(", ")))
        }
    }
}

/// The short words for predicate types, and what they stand for.
pub const PREDICATE_TYPES: [(&str, &str); 4] = [
    ("slsa-v1", "https://slsa.dev/provenance/v1"),
    ("spdx", "https://spdx.dev/Document"),
    ("cyclonedx", "https://cyclonedx.org/bom"),
    ("vex", "https://openvex.dev/ns/v0.2.0"),
];

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
}

/// Reads a number of bytes: digits, then nothing, `KiB`, `MiB` or `GiB`.
///
/// # Errors
/// Another form, 0, or a number past 2^64 - 1.
pub fn size(text: &str) -> Result<u64, String> {
    let (digits, unit) = match text.find(|c: char| !c.is_ascii_digit()) {
        Some(at) => text.split_at(at),
        None => (text, ""),
    };
    let factor: Option<u64> = match unit {
        "" => Some(1),
        "KiB" => Some(1 << 10),
        "MiB" => Some(1 << 20),
        "GiB" => Some(1 << 30),
        _ => None,
    };
    factor
        .and_then(|factor| digits.parse::<u64>().ok()?.checked_mul(factor))
        .filter(|bytes| *bytes > 0)
        .ok_or_else(|| format!("`{text}` is no size: a number of bytes, or one followed by KiB, MiB or GiB"))
}

/// Reads a media type: `TYPE/SUBTYPE` (RFC 6838, 4.2), without parameters.
///
/// # Errors
/// Another form.
pub fn media_type(text: &str) -> Result<String, String> {
    let word = |word: &str| {
        let first = word.starts_with(|c: char| c.is_ascii_alphanumeric());
        first && word.len() <= 127 && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte))
    };
    match text.split_once('/') {
        Some((kind, subtype)) if word(kind) && word(subtype) => Ok(text.to_owned()),
        _ => Err(format!("`{text}` is no media type: TYPE/SUBTYPE, such as application/vnd.example.app.v1")),
    }
}

/// Reads a time span of at most a day: digits, then `ms`, `s`, `m` or `h`.
///
/// # Errors
/// Another form, 0, or more.
pub fn duration(text: &str) -> Result<Duration, String> {
    let (digits, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let factor: Option<u64> = match unit {
        "ms" => Some(1),
        "s" => Some(1_000),
        "m" => Some(60_000),
        "h" => Some(3_600_000),
        _ => None,
    };
    let span = factor.and_then(|factor| digits.parse::<u64>().ok()?.checked_mul(factor));
    span.filter(|span| (1..=86_400_000).contains(span))
        .map(Duration::from_millis)
        .ok_or_else(|| format!("`{text}` is no time span: a whole number and ms, s, m or h, such as 30s"))
}

/// Reads how often something is tried again: at most [`MAX_RETRIES`] times.
///
/// # Errors
/// Another form, or more.
pub fn retries(text: &str) -> Result<u32, String> {
    let retries = text.parse().ok().filter(|count| *count <= MAX_RETRIES);
    retries.ok_or_else(|| format!("`{text}` is no number of retries: a whole number from 0 to {MAX_RETRIES}"))
}

/// The most that `--retries` takes.
pub const MAX_RETRIES: u32 = 20;

/// Reads a count of at least 1.
///
/// # Errors
/// Another form, or 0.
pub fn count(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|count| *count > 0).ok_or_else(|| format!("`{text}` is no count: a whole number from 1 on"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_that_do_not_go_together_are_refused() {
        let good = || Options {
            references: vec!["oci:a".to_owned()],
            wants: Wants { keys: vec![Input::File("k".into())], ..Wants::default() },
            ..Options::default()
        };
        assert_eq!(good().check(), Ok(()));
        let changes: [fn(&mut Options); 7] = [
            |options| options.references.clear(),
            |options| options.wants.policy = Some("p.json".into()),
            |options| options.wants.any_version = true,
            |options| (options.wants.platform, options.wants.covered_by) = (Some("linux/amd64".into()), Some("oci:b".into())),
            |options| (options.wants.keys, options.refs_from) = (vec![Input::Stdin], Some(Input::Stdin)),
            |options| options.access.password_stdin = true,
            |options| {
                (options.access.username, options.access.password_stdin) = (Some("u".into()), true);
                options.refs_from = Some(Input::Stdin);
            },
        ];
        for (number, change) in changes.iter().enumerate() {
            let mut options = good();
            change(&mut options);
            assert!(options.check().is_err(), "change {number}");
        }
    }

    #[test]
    fn inputs() {
        assert_eq!(Input::from(OsString::from("-")), Input::Stdin);
        assert_eq!(Input::from(OsString::from("env:KEY")), Input::Environment("KEY".into()));
        assert_eq!(Input::from(OsString::from("./-")), Input::File("./-".into()));
    }

    #[test]
    fn sizes() {
        assert_eq!(size("4194304"), Ok(4 << 20));
        assert_eq!(size("4MiB"), Ok(4 << 20));
        for bad in ["", "0", "MiB", "4M", "-1", "1.5MiB", "18446744073709551616", "17179869184GiB"] {
            assert!(size(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn media_types() {
        assert!(media_type("application/vnd.acme.app.v1+json").is_ok());
        for bad in [
            "",
            "app",
            "application/",
            "/json",
            "a/b/c",
            "a b/c",
            "text/plain; charset=utf-8",
            ".a/b",
            "é/b",
            &format!("a/{}", "b".repeat(128)),
        ] {
            assert!(media_type(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn time_spans_and_retries() {
        assert_eq!(duration("30s"), Ok(Duration::from_secs(30)));
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!((duration("2m"), duration("24h")), (Ok(Duration::from_secs(120)), Ok(Duration::from_secs(86_400))));
        for bad in ["", "30", "s", "0s", "-1s", "+1s", "1.5s", "1 s", "25h", "1d", "99999999999999999999s", "9223372036854775807h"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
        assert_eq!((retries("0"), retries("20")), (Ok(0), Ok(20)));
        assert!(retries("21").is_err() && retries("-1").is_err() && retries("").is_err());
    }

    #[test]
    fn predicate_types() {
        assert_eq!(predicate_type("slsa-v1").as_deref(), Ok("https://slsa.dev/provenance/v1"));
        assert_eq!(predicate_type("urn:x:y").as_deref(), Ok("urn:x:y"));
        for bad in ["", "slsa", ":x", "a:", "1:x", "a b:c"] {
            assert!(predicate_type(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn annotations() {
        assert_eq!(annotation("a=b=c"), Ok(("a".into(), "b=c".into())));
        assert!(annotation("a").is_err() && annotation("=b").is_err());
    }
}
