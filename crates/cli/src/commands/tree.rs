//! `touchmark tree`: an artifact, its children and its referrers.

use touchmark::envelope::manifest::Descriptor;
use touchmark::envelope::threshold::KeySet;
use touchmark::oci::beside::Beside;
use touchmark::oci::graph::{Content, Graph, Limits, Line, Node, Relation};
use touchmark::oci::source::Source;
use touchmark::trust::{Candidate, Outcome};
use touchmark::{Evidence, Policy, Request, UnixTime};
use touchmark_verify::exit::Exit;
use touchmark_verify::options::Input;
use touchmark_verify::output::{Failure, Object, Output, Value};

use crate::access::{AccessArgs, standard_inputs};
use crate::commands::repair;
use crate::places;
use crate::wants::input;

/// Shows an artifact, its children, and every signature and piece of evidence at any depth
///
/// Without a tag, every tagged artifact. Exits with 0 if listing succeeded.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The artifact
    #[arg(value_name = "REF")]
    pub(crate) reference: String,
    /// A public key: each signature is shown as verified by it, or why not; may be repeated
    #[arg(long = "key", value_name = "PUB", value_parser = input())]
    pub(crate) keys: Vec<Input>,
    /// Looks for signatures and evidence there and not beside the artifact: HOST/REPO or oci:PATH
    #[arg(long, value_name = "REPO")]
    pub(crate) referrers_from: Option<String>,
    #[command(flatten)]
    pub(crate) access: AccessArgs,
}

/// Prints the tree.
pub(crate) fn run(args: &Args, output: &mut Output<'_>) {
    if let Err(failure) = tree(args, output) {
        output.fail(Some(&args.reference), &failure);
    }
}

fn tree(args: &Args, output: &mut Output<'_>) -> Result<(), Failure> {
    let reference = places::reference(&args.reference)?;
    let beside = args.referrers_from.as_deref().map(|text| touchmark_verify::place("--referrers-from", text)).transpose()?;
    let access = args.access.access([&reference].into_iter().chain(&beside), standard_inputs(&args.keys))?;
    let keys = places::key_set(&args.keys)?;
    let now = touchmark::now().map_err(|error| Failure::new(Exit::Unknown, "clock", error.to_string()))?;
    let place = places::source(&reference, &access)?;
    let referrers = beside.map(|beside| places::source(&beside, &access)).transpose()?;
    let composite = referrers.as_ref().map(|referrers| Beside::new(place.as_ref(), referrers.as_ref()));
    let source: &dyn Source = composite.as_ref().map_or(place.as_ref(), |composite| composite);
    let (tags, roots) = roots(source, &reference)?;
    let graph = Graph::walk(source, &roots, &Limits::default()).map_err(|error| Failure::from(&error))?;
    let lines = graph.lines();
    let view = View { source, graph: &graph, tags: &tags, keys: keys.as_ref(), now };
    let nodes: Vec<Seen> = view.nest(&lines);
    for node in &nodes {
        print(node, "", "", output);
    }
    for finding in graph.findings() {
        output.note(&repair::sentence(finding));
    }
    if let [root] = nodes.as_slice()
        && let Some(root) = root.unusable()
    {
        return Err(root);
    }
    let mut members = Object::new();
    members.insert("reference", Value::from(args.reference.clone()));
    members.insert("complete", Value::from(graph.complete()));
    members.insert("artifacts", Value::Array(nodes.into_iter().map(Seen::into_json).collect()));
    members.insert("findings", repair::findings(graph.findings()));
    if graph.complete() {
        output.result(Exit::Done, members);
    } else {
        let failure = Failure::new(Exit::Unknown, "incomplete", "not everything could be looked at");
        output.fail_with(Some(&args.reference), &failure, members);
    }
    Ok(())
}

/// What is tagged.
type Tags = Vec<(String, Descriptor)>;

/// The tags to show, and the artifact that is named; without tag and digest every tagged one, and if nothing is tagged every one.
fn roots(source: &dyn Source, reference: &touchmark::Reference) -> Result<(Tags, Vec<Descriptor>), Failure> {
    let failed = |error| Failure::from(&error);
    let named = reference.tag().is_some() || reference.digest().is_some();
    if named && reference.repository().is_some() {
        // A registry would be asked for each of its tags.
        let root = places::resolve(source, reference)?;
        let tag = reference.tag().filter(|_| reference.digest().is_none());
        return Ok((tag.map(|tag| (tag.to_owned(), root.clone())).into_iter().collect(), vec![root]));
    }
    let tags = source.tags().map_err(failed)?;
    if named {
        return Ok((tags, vec![places::resolve(source, reference)?]));
    }
    if tags.is_empty() {
        return Ok((tags, source.roots().map_err(failed)?));
    }
    let mut roots: Vec<Descriptor> = Vec::new();
    for (_, tagged) in &tags {
        if !roots.iter().any(|root| root.digest == tagged.digest) {
            roots.push(tagged.clone());
        }
    }
    Ok((tags, roots))
}

/// What the nodes are looked at with.
struct View<'a> {
    source: &'a dyn Source,
    graph: &'a Graph,
    tags: &'a [(String, Descriptor)],
    keys: Option<&'a KeySet>,
    now: UnixTime,
}

/// A node as it is shown.
struct Seen {
    label: String,
    /// Nothing for a child, type and digest for a referrer.
    order: Option<(Option<String>, touchmark::Digest)>,
    failure: Option<Failure>,
    members: Object<'static>,
    below: Vec<Seen>,
}

impl View<'_> {
    /// The lines as trees.
    fn nest(&self, lines: &[Line]) -> Vec<Seen> {
        // The open nodes from the root down to the last line, each with its digest.
        let mut open: Vec<(touchmark::Digest, Seen)> = Vec::new();
        let mut roots = Vec::new();
        for line in lines {
            close(&mut open, line.depth, &mut roots);
            let node = self.graph.node(line.node);
            let seen = self.see(node, line, open.last().map(|(digest, _)| digest));
            open.push((node.descriptor.digest, seen));
        }
        close(&mut open, 0, &mut roots);
        roots
    }

    fn see(&self, node: &Node, line: &Line, above: Option<&touchmark::Digest>) -> Seen {
        let descriptor = &node.descriptor;
        let mut label = Vec::new();
        let mut members = Object::new();
        let relation = line.relation.as_ref().map(|relation| match relation {
            Relation::Child => "child",
            Relation::Referrer => "referrer",
            _ => "cosign-tag",
        });
        if let Some(relation) = relation {
            members.insert("relation", Value::from(relation));
        }
        members.insert("digest", Value::from(descriptor.digest.to_string()));
        members.insert("media_type", Value::from(descriptor.media_type.clone()));
        members.insert("artifact_type", descriptor.artifact_type.clone().map_or(Value::Null, Value::from));
        members.insert("size", Value::from(descriptor.size));
        if let Some(platform) = &descriptor.platform {
            label.push(platform.to_string());
            members.insert("platform", Value::from(platform.to_string()));
        }
        label.push(descriptor.digest.to_string());
        label.push(descriptor.artifact_type.clone().unwrap_or_else(|| descriptor.media_type.clone()));
        let tags: Vec<&str> =
            self.tags.iter().filter(|(_, tagged)| tagged.digest == descriptor.digest).map(|(tag, _)| tag.as_str()).collect();
        if !tags.is_empty() {
            label.push(format!("[{}]", tags.join(", ")));
            members.insert("tags", Value::Array(tags.iter().map(|tag| Value::from((*tag).to_owned())).collect()));
        }
        let mut failure = None;
        if let Content::Unusable(error) = &node.content {
            let unusable = Failure::from(error);
            label.push(format!("unusable: {}", unusable.message));
            members.insert("error", unusable.to_json());
            failure = Some(unusable);
        } else if relation == Some("referrer")
            && let Some(subject) = above
            && let Ok(Some(evidence)) = touchmark::evidence(self.source, &descriptor.digest)
        {
            let (text, value) = self.judge(&evidence, subject);
            label.push(text);
            members.insert("evidence", value);
        }
        if line.repeated {
            label.push("(shown above)".to_owned());
            members.insert("repeated", Value::from(true));
        }
        let order = match relation {
            None | Some("child") => None,
            Some(_) => Some((descriptor.artifact_type.clone(), descriptor.digest)),
        };
        Seen { label: label.join("  "), order, failure, members, below: Vec::new() }
    }

    /// What a signature or attestation says, and what the given keys make of it.
    fn judge(&self, evidence: &Evidence, subject: &touchmark::Digest) -> (String, Value<'static>) {
        let hints = evidence.hints();
        let claims = evidence.claims.as_ref().map(touchmark::Unverified::untrusted);
        let predicate_type = claims.map(|claims| claims.predicate_type.clone());
        let mut members = Object::new();
        members.insert("claimed_predicate_type", predicate_type.clone().map_or(Value::Null, Value::from));
        members.insert("claimed_name", claims.and_then(|claims| claims.name.clone()).map_or(Value::Null, Value::from));
        members.insert("claimed_key_ids", Value::Array(hints.iter().cloned().map(Value::from).collect()));
        let claimed = match hints.as_slice() {
            [] => "an unnamed key".to_owned(),
            hints => format!("key {}", hints.join(", ")),
        };
        let Some(keys) = self.keys else {
            members.insert("verified", Value::Null);
            return (format!("not checked, says it is by {claimed}"), Value::Object(members));
        };
        match self.decide(evidence, subject, keys, predicate_type.as_deref()) {
            Ok((signers, named)) => {
                let text = format!("verified, {named}, by key {}", signers.join(", "));
                members.insert("verified", Value::from(true));
                members.insert("keys", Value::Array(signers.into_iter().map(Value::from).collect()));
                (text, Value::Object(members))
            }
            Err(reason) => {
                let text = format!("not verified: {reason}");
                members.insert("verified", Value::from(false));
                members.insert("keys", Value::Array(Vec::new()));
                members.insert("reason", Value::from(reason));
                (text, Value::Object(members))
            }
        }
    }

    /// The keys that vouch for it and the name that they gave, or why it does not count.
    fn decide(
        &self,
        evidence: &Evidence,
        subject: &touchmark::Digest,
        keys: &KeySet,
        predicate_type: Option<&str>,
    ) -> Result<(Vec<String>, String), String> {
        let mut policy = Policy::keys(keys.keys().to_vec()).map_err(|error| error.to_string())?;
        if let Some(predicate_type) = predicate_type {
            policy = policy.predicate_type(predicate_type);
        }
        let request = Request::new(policy, *subject, self.now).envelopes(vec![evidence.bytes.clone()]);
        let verified = touchmark::decide(self.source, request).map_err(|rejected| match rejected.candidates() {
            [Candidate { outcome: Outcome::Failed(reason) | Outcome::Unknown(reason), .. }] => reason.to_string(),
            _ => rejected.to_string(),
        })?;
        let accepted = verified.get().accepted().iter();
        let signers = accepted.clone().flat_map(|accepted| accepted.keys()).map(|key| key.key_id().to_string()).collect();
        let name = accepted.clone().find_map(|accepted| accepted.said().name.as_ref());
        Ok((signers, name.map_or_else(|| "without a name".to_owned(), |name| format!("as {name}"))))
    }
}

/// Hangs every open node from `depth` on below the one above it. Children stay in the order of their index; what refers to a
/// node, which every place lists in an order of its own, comes after them and by type and digest.
fn close(open: &mut Vec<(touchmark::Digest, Seen)>, depth: usize, roots: &mut Vec<Seen>) {
    while open.len() > depth
        && let Some((_, mut done)) = open.pop()
    {
        done.below.sort_by(|one, other| one.order.cmp(&other.order));
        match open.last_mut() {
            Some((_, above)) => above.below.push(done),
            None => roots.push(done),
        }
    }
}

impl Seen {
    /// Why the artifact itself cannot be shown.
    fn unusable(&self) -> Option<Failure> {
        self.failure.clone().filter(|_| self.below.is_empty())
    }

    fn into_json(self) -> Value<'static> {
        let mut members = self.members;
        members.insert("below", Value::Array(self.below.into_iter().map(Seen::into_json).collect()));
        Value::Object(members)
    }
}

fn print(node: &Seen, branch: &str, indent: &str, output: &mut Output<'_>) {
    output.line(&format!("{branch}{}", node.label));
    let last = node.below.len().saturating_sub(1);
    for (number, below) in node.below.iter().enumerate() {
        let (branch, further) = if number == last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        print(below, &format!("{indent}{branch}"), &format!("{indent}{further}"), output);
    }
}
