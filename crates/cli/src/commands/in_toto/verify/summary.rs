//! The result of a verification as a signed statement: a verification summary (VSA) or a simple verification result (SVR).
//!
//! It is made of a decision alone. What could not be found out, and a layout that nobody signed, say nothing of the product.

use std::ffi::OsString;
use std::path::PathBuf;

use touchmark::envelope::digest::Algorithm;
use touchmark::envelope::dsse::{self, Envelope};
use touchmark::envelope::sign::Signer;
use touchmark::in_toto::predicate::vsa::Outcome as Verdict;
use touchmark::in_toto::predicate::{ResourceDescriptor, svr, vsa};
use touchmark::in_toto::{Class, DigestSet, Error};
use touchmark::{Digest, Reference, UnixTime};
use touchmark_verify::exit::Exit;
use touchmark_verify::output::{Failure, Object, Output, Value};

use super::Given;
use super::links::Outcome;
use crate::access::{AccessArgs, AnchorArgs};
use crate::files;
use crate::places::Target;
use crate::signers::{Passphrase, Signers};

/// The property of a product that an in-toto layout verifies, in a simple verification result.
const PROPERTY: &str = "TOUCHMARK_IN_TOTO_VERIFIED";

/// What is written of the result.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Summary")]
pub(super) struct SummaryArgs {
    /// Signs what the verification came to: vsa, a verification summary, whether it passed or failed; or svr, a simple verification result,
    /// if it passed. Nothing is written if it could not be found out
    #[arg(long = "write-summary", value_name = "vsa|svr", value_parser = kind, requires_all = ["summary_key", "verifier_id"])]
    kind: Option<Kind>,
    /// The private key that signs it: a file, - (standard input), env:VARIABLE or exec:PROGRAM
    #[arg(long, requires = "kind", value_name = "KEY")]
    summary_key: Option<OsString>,
    #[command(flatten)]
    passphrase: Passphrase,
    /// The new file that it is written to
    #[arg(long, requires = "kind", conflicts_with = "attach_summary", value_name = "FILE")]
    summary_out: Option<PathBuf>,
    /// Attaches it to the OCI artifact that is the final product
    #[arg(long, requires = "kind")]
    attach_summary: bool,
    /// Who verifies: a URI
    #[arg(long, requires = "kind", value_name = "URI")]
    verifier_id: Option<String>,
    /// As what the product is verified: a URI, where consumers fetch it; for vsa
    #[arg(long, requires = "kind", value_name = "URI")]
    resource_uri: Option<String>,
    /// Where the in-toto layout can be had: a URI; for vsa, and for svr if there is one
    #[arg(long, requires = "kind", value_name = "URI")]
    policy_uri: Option<String>,
    #[command(flatten)]
    anchors: AnchorArgs,
}

/// The kinds of summaries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Vsa,
    Svr,
}

fn kind(text: &str) -> Result<Kind, String> {
    match text {
        "vsa" => Ok(Kind::Vsa),
        "svr" => Ok(Kind::Svr),
        _ => Err("it is vsa or svr".to_owned()),
    }
}

/// What is to be written, once it is known what to say: all that can be wrong with it is found before the verification.
pub(super) struct Plan<'a> {
    kind: Kind,
    args: &'a SummaryArgs,
    signers: Vec<Box<dyn Signer>>,
    subjects: Vec<ResourceDescriptor>,
    /// The artifact that it is attached to.
    attach_to: Option<(Reference, Digest)>,
}

impl SummaryArgs {
    /// Whether one is wanted.
    pub(super) fn is_wanted(&self) -> bool {
        self.kind.is_some()
    }

    /// How often standard input is named.
    pub(super) fn standard_inputs(&self) -> usize {
        usize::from(self.is_wanted() && self.signers().reads_standard_input())
    }

    fn signers(&self) -> Signers {
        Signers { keys: self.summary_key.clone().into_iter().collect(), passphrase: self.passphrase.clone() }
    }

    /// Opens the key, and asserts that everything is there that is to be said.
    pub(super) fn plan(&self, product: Option<&Given>, at: UnixTime) -> Result<Option<Plan<'_>>, Failure> {
        let Some(kind) = self.kind else { return Ok(None) };
        let product =
            product.ok_or_else(|| Failure::usage("--write-summary says something of a final product").hint("--product or --products"))?;
        let subjects = subjects(product)?;
        let attach_to = match (&self.summary_out, self.attach_summary, &product.pin) {
            (Some(out), _, _) => files::check_free(out, None).map(|_| None)?,
            (None, true, Some((pin, digest))) => Some((pin.clone(), *digest)),
            (None, true, None) => {
                return Err(Failure::usage("files have nothing that a summary could be attached to").hint("--summary-out FILE"));
            }
            (None, false, _) => return Err(Failure::usage("the summary goes nowhere").hint("--summary-out FILE or --attach-summary")),
        };
        let plan = Plan { kind, args: self, signers: self.signers().open()?, subjects, attach_to };
        // What is malformed is so whatever comes out.
        plan.statement(Verdict::Passed, &Algorithm::Sha256.digest(b""), &[], at)?;
        Ok(Some(plan))
    }
}

impl Plan<'_> {
    /// Writes it, if there is a decision, and says where.
    pub(super) fn write(
        self,
        found: &Outcome,
        at: UnixTime,
        access: &AccessArgs,
        output: &mut Output<'_>,
    ) -> Result<Value<'static>, Failure> {
        let verdict = match (found.refused, self.kind) {
            (None, _) => Verdict::Passed,
            (Some(Class::NotVerified), Kind::Vsa) => Verdict::Failed,
            _ => {
                output.note("note: no summary was written: there is no result that it could say");
                return Ok(Value::Null);
            }
        };
        let payload = self.statement(verdict, &Algorithm::Sha256.digest(&found.layout), &found.evidence, at)?;
        let signers: Vec<&dyn Signer> = self.signers.iter().map(AsRef::as_ref).collect();
        let signed = Envelope::sign(dsse::IN_TOTO, payload, &signers);
        let signed = signed.map_err(|error| Failure::new(Exit::Unknown, error.code(), error.to_string()))?.to_json();
        let mut members = Object::new();
        members.insert("type", Value::from(if self.kind == Kind::Vsa { vsa::TYPE } else { svr::TYPE }));
        if let Some(out) = &self.args.summary_out {
            files::write(out, &signed, None)?;
            output.note(&format!("note: the summary is in {}", out.display()));
            members.insert("file", Value::from(out.display().to_string()));
        } else if let Some((pin, digest)) = &self.attach_to {
            let access = self.args.anchors.put_into(access.access([pin], 0)?);
            let target = Target::existing(pin, &access)?;
            let attached = touchmark::attach(target.store(), digest, &[signed]).map_err(|error| match error {
                touchmark::AttachError::Store(error) => Failure::from(&error),
                error => Failure::new(Exit::Malformed, "malformed", error.to_string()),
            })?;
            target.commit()?;
            for manifest in attached {
                let referrer = pin.pin(manifest.descriptor.digest).to_string();
                output.note(&format!("note: the summary is {referrer}"));
                members.insert("attached", Value::from(referrer));
            }
        }
        Ok(Value::Object(members))
    }

    /// The statement.
    fn statement(&self, verdict: Verdict, layout: &Digest, evidence: &[(String, Digest)], at: UnixTime) -> Result<Vec<u8>, Failure> {
        let malformed = |error: Error| Failure::new(Exit::Usage, error.code(), format!("the summary cannot be written: {error}"));
        let verifier = self.args.verifier_id.as_deref().unwrap_or_default();
        let wanted = |what: &Option<String>, option: &str| {
            let missing = || Failure::usage(format!("a verification summary needs {option}")).hint(format!("{option} URI"));
            what.clone().ok_or_else(missing)
        };
        match self.kind {
            Kind::Vsa => {
                let resource = wanted(&self.args.resource_uri, "--resource-uri")?;
                let policy = ResourceDescriptor::at(&wanted(&self.args.policy_uri, "--policy-uri")?, Some(layout));
                let mut summary = vsa::Summary::new(verdict, verifier, &resource, policy, at, &[]).map_err(malformed)?;
                summary.input_attestations = evidence.iter().map(|(path, digest)| ResourceDescriptor::of(Some(path), digest)).collect();
                summary.statement(&self.subjects).map_err(malformed)
            }
            Kind::Svr => {
                let policy = match &self.args.policy_uri {
                    Some(uri) => ResourceDescriptor::at(uri, Some(layout)),
                    None => ResourceDescriptor::of(None, layout),
                };
                let result = svr::Result::new(verifier, vec![policy], at, &[PROPERTY]).map_err(malformed)?;
                result.statement(&self.subjects).map_err(malformed)
            }
        }
    }
}

/// What the summary is of: the manifest, or every file.
fn subjects(product: &Given) -> Result<Vec<ResourceDescriptor>, Failure> {
    if let Some((_, digest)) = &product.pin {
        return Ok(vec![ResourceDescriptor::of(None, digest)]);
    }
    let file = |artifact: touchmark::in_toto::Artifact<'_>| {
        let mut subject = ResourceDescriptor::default();
        subject.name = Some(artifact.name.to_owned());
        subject.digest = DigestSet::new(artifact.digests.iter());
        subject
    };
    Ok(product.product.artifacts().iter().map(file).collect())
}
