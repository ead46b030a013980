//! The options of `verify`, which `unpack` and `copy --verify` have too.

use std::path::PathBuf;

use clap::builder::{OsStringValueParser, TypedValueParser};
use touchmark::envelope::UnixTime;
use touchmark::envelope::name::Wanted;
use touchmark_verify::options::{self, Caps, Input, Wants};

/// What `verify` asks of an artifact; `unpack` and `copy --verify` ask the same. The texts are read by the functions that
/// read those of the standalone verifier.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "What must hold")]
pub(crate) struct WantsArgs {
    /// A public key that is trusted: a file, - (standard input) or env:VARIABLE; may be repeated
    #[arg(long = "key", value_name = "PUB", value_parser = input())]
    pub(crate) keys: Vec<Input>,
    /// How many of the keys must have signed, 1 unless given
    #[arg(long, value_name = "N", value_parser = options::count)]
    pub(crate) threshold: Option<usize>,
    /// The root.json of a trust root, instead of keys: it says who owns --name; - (standard input) or env:VARIABLE
    #[arg(long, value_name = "FILE", value_parser = input(), requires = "name", conflicts_with_all = ["keys", "threshold"])]
    pub(crate) root: Option<Input>,
    /// Where the trust root's metadata is: a folder, an http(s) URL or the REF of a trust repository; beside the artifact unless given
    #[arg(long, value_name = "DIR|URL|REF")]
    pub(crate) trust: Option<String>,
    /// Where what was accepted of it is kept, or none; among the user's stores unless given
    #[arg(long, value_name = "DIR|none", requires = "root")]
    pub(crate) store: Option<String>,
    /// A policy file, instead of keys and a trust root; unless given, that of $TOUCHMARK_POLICY, the user's
    /// (~/.config/touchmark/policy.json) or the machine's (/etc/touchmark/policy.json)
    #[arg(long, value_name = "FILE", conflicts_with_all = ["keys", "threshold", "root"])]
    pub(crate) policy: Option<PathBuf>,
    /// Accepts nothing that the metadata's source does not confirm now
    #[arg(long, conflicts_with = "keys")]
    pub(crate) require_fresh: bool,
    /// The name that must have been signed; `NAME` means without a version, `NAME:*` any version
    #[arg(long, value_name = "NAME[:VERSION|:*]")]
    pub(crate) name: Option<Wanted>,
    /// Accepts any version of --name, for shells that expand `*`
    #[arg(long, requires = "name")]
    pub(crate) any_version: bool,
    /// An annotation that must have been signed; may be repeated
    #[arg(long = "annotation", value_name = "KEY=VALUE", value_parser = options::annotation)]
    pub(crate) annotations: Vec<(String, String)>,
    /// Asks for an attestation of this type instead of a signature: a URI, or slsa-v1, spdx, cyclonedx, vex; may be repeated
    #[arg(long = "type", value_name = "TYPE", value_parser = options::predicate_type)]
    pub(crate) types: Vec<String>,
    /// Verifies the index REF and answers for its child of this platform
    #[arg(long, value_name = "OS/ARCH[/VARIANT]", conflicts_with = "covered_by")]
    pub(crate) platform: Option<String>,
    /// Accepts REF as a child of this signed index
    #[arg(long, value_name = "INDEX")]
    pub(crate) covered_by: Option<String>,
    /// Uses this envelope, which is not attached; - is standard input; may be repeated
    #[arg(long = "envelope", value_name = "FILE", value_parser = input())]
    pub(crate) envelopes: Vec<Input>,
    /// Judges as of this time (RFC 3339) instead of now
    #[arg(long, value_name = "TIME", value_parser = UnixTime::parse_rfc3339)]
    pub(crate) at: Option<UnixTime>,
    /// Also hashes every blob of the artifact
    #[arg(long)]
    pub(crate) deep: bool,
    /// Takes the artifact that the trust root lists under the name; REF is the place alone
    #[arg(long, conflicts_with_all = ["keys", "covered_by"])]
    pub(crate) resolve: bool,
    /// Fails if the tag of a REF that has both tag and digest leads to another digest
    #[arg(long)]
    pub(crate) check_tag: bool,
    /// Referrers that are looked at
    #[arg(long, value_name = "N", value_parser = options::count, help_heading = "Caps")]
    pub(crate) max_referrers: Option<usize>,
    /// Signatures in one envelope
    #[arg(long, value_name = "N", value_parser = options::count, help_heading = "Caps")]
    pub(crate) max_signatures: Option<usize>,
    /// Bytes of a manifest; sizes take KiB, MiB, GiB
    #[arg(long, value_name = "SIZE", value_parser = options::size, help_heading = "Caps")]
    pub(crate) max_manifest_size: Option<u64>,
    /// Bytes of an envelope
    #[arg(long, value_name = "SIZE", value_parser = options::size, help_heading = "Caps")]
    pub(crate) max_envelope_size: Option<u64>,
    /// Bytes of a list of referrers
    #[arg(long, value_name = "SIZE", value_parser = options::size, help_heading = "Caps")]
    pub(crate) max_list_size: Option<u64>,
    /// Manifests and blobs that --deep hashes
    #[arg(long, value_name = "N", value_parser = options::count, help_heading = "Caps")]
    pub(crate) max_contents: Option<usize>,
    /// Bytes of statements that are kept for the report
    #[arg(long, value_name = "SIZE", value_parser = options::size, help_heading = "Caps")]
    pub(crate) max_reported: Option<u64>,
    /// Bytes of evidence; a signature check counts for 64 KiB more
    #[arg(long, value_name = "SIZE", value_parser = options::size, help_heading = "Caps")]
    pub(crate) max_work: Option<u64>,
}

impl From<WantsArgs> for Wants {
    fn from(args: WantsArgs) -> Self {
        Self {
            keys: args.keys,
            threshold: args.threshold,
            root: args.root,
            trust: args.trust,
            store: args.store,
            policy: args.policy,
            require_fresh: args.require_fresh,
            name: args.name,
            any_version: args.any_version,
            annotations: args.annotations,
            types: args.types,
            platform: args.platform,
            covered_by: args.covered_by,
            envelopes: args.envelopes,
            at: args.at,
            deep: args.deep,
            resolve: args.resolve,
            check_tag: args.check_tag,
            caps: Caps {
                referrers: args.max_referrers,
                signatures: args.max_signatures,
                manifest_size: args.max_manifest_size,
                envelope_size: args.max_envelope_size,
                list_size: args.max_list_size,
                contents: args.max_contents,
                reported: args.max_reported,
                work: args.max_work,
            },
        }
    }
}

/// Reads where the bytes of a key or an envelope come from.
pub(crate) fn input() -> impl TypedValueParser<Value = Input> {
    OsStringValueParser::new().map(Input::from)
}

/// Ids of the options of [`WantsArgs`].
pub(crate) const WANTS: [&str; 26] = [
    "keys",
    "threshold",
    "root",
    "trust",
    "store",
    "policy",
    "require_fresh",
    "name",
    "any_version",
    "annotations",
    "types",
    "platform",
    "covered_by",
    "envelopes",
    "at",
    "deep",
    "resolve",
    "check_tag",
    "max_referrers",
    "max_signatures",
    "max_manifest_size",
    "max_envelope_size",
    "max_list_size",
    "max_contents",
    "max_reported",
    "max_work",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unverified_conflicts_with_every_option_of_verify() {
        use clap::Args as _;
        let wants = WantsArgs::augment_args(clap::Command::new("wants"));
        let mut defined: Vec<&str> = wants.get_arguments().map(|argument| argument.get_id().as_str()).collect();
        let mut listed = WANTS.to_vec();
        defined.sort_unstable();
        listed.sort_unstable();
        assert_eq!(defined, listed);
    }
}
