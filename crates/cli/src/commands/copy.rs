//! `touchmark copy`: artifacts with everything that belongs to them.

use std::collections::BTreeMap;

use touchmark::oci::access::Access;
use touchmark::oci::copy::{self, CopyReport, Item, Options, Scope};
use touchmark::oci::error::Class;
use touchmark::oci::layout::Layout;
use touchmark::oci::reference::Scheme;
use touchmark::oci::registry::Registry;
use touchmark::oci::source::Source;
use touchmark::policy::TrustSource;
use touchmark::trust_root::TrustFiles;
use touchmark::{Digest, Reference};
use touchmark_verify::check::{Check, Refused};
use touchmark_verify::exit::Exit;
use touchmark_verify::options::Wants;
use touchmark_verify::output::{Failure, Object, Output, Value};
use touchmark_verify::root;

use crate::access::{AnchorArgs, SidesArgs, standard_inputs};
use crate::commands::repair;
use crate::places::{self, Target, number};
use crate::progress::Bar;
use crate::wants::WantsArgs;

/// Copies artifacts with everything that belongs to them
///
/// Children of indexes, signatures and evidence at any depth go along, and are read back at the destination. Copying again
/// merges. With --trust the trust repository is put beside them, so that they verify there by its root alone. Prints the pin of each artifact
/// at the destination.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The artifacts, and last the destination
    #[arg(value_name = "SRC... DST", required = true, num_args = 2..)]
    pub(crate) references: Vec<String>,
    /// Refuses to copy what does not verify
    #[arg(long)]
    pub(crate) verify: bool,
    /// Copies every tagged artifact
    #[arg(long, conflicts_with = "tags")]
    pub(crate) all_tags: bool,
    /// Copies the artifacts whose tag matches, where * is any text and ? any letter; may be repeated
    #[arg(long, value_name = "GLOB")]
    pub(crate) tags: Vec<String>,
    /// Copies only signatures and evidence, to where the artifact already is
    #[arg(long)]
    pub(crate) referrers_only: bool,
    /// Says what would be copied, and copies nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) wants: WantsArgs,
    #[command(flatten)]
    pub(crate) anchors: AnchorArgs,
    #[command(flatten)]
    pub(crate) access: SidesArgs,
}

/// Copies each source, and prints the pins at the destination.
pub(crate) fn run(args: Args, output: &mut Output<'_>) {
    let Some((destination, sources)) = args.references.split_last() else { return };
    let sources: Vec<_> = sources.iter().map(|text| (text, places::reference(text))).collect();
    let begun = Plan::new(&args, destination, &sources);
    let plan = match begun {
        Ok(plan) => plan,
        Err(failure) => return output.fail(None, &failure),
    };
    // Nothing is copied unless everything verifies.
    let mut found = Vec::new();
    let before = output.exit();
    for (text, reference) in sources {
        match reference.map_err(Refused::from).and_then(|reference| plan.find(reference, output)) {
            Ok(origin) => found.push((text, origin)),
            Err(refused) => output.fail_with(Some(text), &refused.failure, refused.members),
        }
    }
    if plan.check.is_some() && output.exit() != before {
        return plan.note_trust(output);
    }
    if let Some(failure) = contended_tag(found.iter().flat_map(|(_, origin)| &origin.items)) {
        return output.fail(None, &failure);
    }
    found.retain(|(text, origin)| {
        let checked = plan.check_subjects(origin);
        if let Err(failure) = &checked {
            output.fail(Some(text), failure);
        }
        checked.is_ok()
    });
    if found.is_empty() {
        return plan.note_trust(output);
    }
    // Before the artifacts: what is looked at there is decided by it.
    if let Err(failure) = plan.put_trust(output) {
        output.fail(None, &failure);
    }
    for (text, origin) in found {
        if let Err(failure) = plan.copy(text, &origin, output) {
            output.fail(Some(text), &failure);
        }
    }
    plan.note_trust(output);
}

/// What is to be done with each source.
struct Plan<'a> {
    args: &'a Args,
    to: Reference,
    from_access: Access,
    to_access: Access,
    check: Option<Check>,
    /// The trust repository that is put beside what is copied.
    trust: Option<TrustSource>,
    tagging: bool,
}

/// What a source names.
struct Origin {
    reference: Reference,
    source: Box<dyn Source>,
    items: Vec<Item>,
    /// The trust repositories among the artifacts there by which these were verified.
    trust: Vec<Item>,
}

impl<'a> Plan<'a> {
    fn new(args: &'a Args, destination: &str, sources: &[(&String, Result<Reference, Failure>)]) -> Result<Self, Failure> {
        let to = places::reference(destination)?;
        let many = args.all_tags || !args.tags.is_empty() || sources.len() > 1;
        if to.digest().is_some() {
            return Err(Failure::usage(format!("{destination}: a destination has no digest; what is copied keeps its own")));
        }
        if many && to.tag().is_some() {
            return Err(Failure::usage(format!("{destination}: several artifacts cannot all have one tag"))
                .hint("leave the tag out; each keeps its own"));
        }
        let mut wants = Wants::from(args.wants.clone());
        let trust = wants.trust.as_deref().map(root::trust_source).transpose()?;
        let decides = args.verify && wants.root.is_some();
        if trust.is_some() && to.scheme() == Scheme::Registry && !decides {
            return Err(Failure::usage(format!(
                "{destination}: a registry lists nothing beside an artifact, so that --trust would not be found"
            ))
            .hint("touchmark trust publish --to REF, and verify --trust REF"));
        }
        // At a registry it decides and is not put anywhere.
        let trust = trust.filter(|_| to.scheme() != Scheme::Registry);
        if !decides {
            wants.trust = None;
        }
        if !args.verify && wants != Wants::default() {
            return Err(Failure::usage("what must hold is given, and without --verify nothing is checked").hint("add --verify"));
        }
        let from: Vec<Reference> = sources.iter().filter_map(|(_, reference)| reference.clone().ok()).collect();
        let (from_access, to_access) =
            args.access.access(&from, &to, standard_inputs(wants.keys.iter().chain(&wants.envelopes).chain(&wants.root)))?;
        let to_access = args.anchors.put_into(to_access);
        let check = args.verify.then(|| Check::new(&wants)).transpose()?.map(|check| check.reaching(&from_access));
        Ok(Self { args, to, from_access, to_access, check, trust, tagging: many })
    }

    /// What to tell of the trust root's metadata that decided.
    fn note_trust(&self, output: &mut Output<'_>) {
        self.check.iter().flat_map(Check::trust_notes).for_each(|note| output.note(&note));
    }

    /// Puts the trust repository beside what was copied.
    fn put_trust(&self, output: &mut Output<'_>) -> Result<(), Failure> {
        let Some(trust) = self.trust.as_ref().filter(|_| !self.args.dry_run) else { return Ok(()) };
        let files = trust.with(&self.from_access, |fetch| TrustFiles::read(fetch).map_err(|error| root::failure(&error)))?;
        let target = Target::new(&self.to.place(), &self.to_access)?;
        let put = files.put(target.store(), &[]).map_err(|error| root::failure(&error))?;
        target.commit()?;
        output.note(&format!("the trust repository is beside it: {}, root {}, timestamp {}", put.digest, files.root, files.timestamp));
        Ok(())
    }

    /// Finds what `reference` names, and verifies it if that was asked for.
    fn find(&self, reference: Reference, output: &mut Output<'_>) -> Result<Origin, Refused> {
        self.check.as_ref().map_or(Ok(()), |check| check.foresee(&reference))?;
        let source = places::source(&reference, &self.from_access)?;
        let named = self.check.as_ref().map(|check| check.reference(source.as_ref(), &reference)).transpose()?;
        let items = self.items(named.as_ref().unwrap_or(&reference), source.as_ref(), output)?;
        if let Some(check) = &self.check {
            check.notes().iter().for_each(|note| output.note(note));
            check.check_tag(source.as_ref(), &reference)?;
            for item in &items {
                let checked = check.verify_as(source.as_ref(), &reference.pin(item.descriptor.digest), &reference)?;
                checked.by.lines().iter().for_each(|line| output.note(line));
            }
        }
        let trust = self.trust_of(&reference, source.as_ref(), output)?;
        Ok(Origin { reference, source, items, trust })
    }

    /// What of the place goes along so that the artifacts verify at the destination by the same metadata. A registry lists nothing beside them.
    fn trust_of(&self, reference: &Reference, source: &dyn Source, output: &mut Output<'_>) -> Result<Vec<Item>, Failure> {
        let digests = self.check.as_ref().map(|check| check.trust_beside(source)).unwrap_or_default();
        if self.to.scheme() == Scheme::Registry {
            return Ok(Vec::new());
        }
        let item = |digest| {
            output.note(&format!("the trust repository by which it is verified goes along: {digest}"));
            Ok(Item { descriptor: places::resolve(source, &reference.pin(digest))?, tag: None })
        };
        digests.into_iter().map(item).collect()
    }

    fn items(&self, reference: &Reference, source: &dyn Source, output: &mut Output<'_>) -> Result<Vec<Item>, Failure> {
        let named = reference.tag().is_some() || reference.digest().is_some();
        if self.args.all_tags || !self.args.tags.is_empty() {
            if named {
                return Err(Failure::usage("--all-tags and --tags say which artifacts; REF is then the place alone"));
            }
            return self.tagged(reference, source, output);
        }
        let descriptor = places::resolve(source, reference)?;
        let tag = match self.to.tag() {
            Some(tag) => Some(tag.to_owned()),
            None if self.tagging || reference.digest().is_none() => reference.tag().map(str::to_owned),
            None => None,
        };
        Ok(vec![Item { descriptor, tag }])
    }

    /// What is tagged. A tag that leads to nothing usable is told, and the others are copied.
    fn tagged(&self, reference: &Reference, source: &dyn Source, output: &mut Output<'_>) -> Result<Vec<Item>, Failure> {
        let mut items: Vec<Item> = Vec::new();
        let mut told: Vec<String> = Vec::new();
        let patterns: Vec<Option<&str>> = match self.args.all_tags {
            true => vec![None],
            false => self.args.tags.iter().map(|pattern| Some(pattern.as_str())).collect(),
        };
        for pattern in patterns {
            let found = copy::tagged_each(source, pattern).map_err(|error| Failure::from(&error))?;
            if found.items.is_empty() && found.unusable.is_empty() {
                return Err(Failure::new(
                    Exit::Unknown,
                    "no-such-tag",
                    match pattern {
                        // A registry says the same of a repository that is misspelt, or that one may not see.
                        None => "no artifact is tagged, so that there is nothing to copy".to_owned(),
                        Some(pattern) => format!("no tag matches {pattern}"),
                    },
                ));
            }
            for (tag, error) in found.unusable {
                if !told.contains(&tag) {
                    output.fail(Some(&format!("{reference}:{tag}")), &Failure::from(&error));
                    told.push(tag);
                }
            }
            items.extend(found.items.into_iter().filter(|item| !items.contains(item)).collect::<Vec<_>>());
        }
        Ok(items)
    }

    fn copy(&self, text: &str, origin: &Origin, output: &mut Output<'_>) -> Result<(), Failure> {
        let bar = Bar::new("copying", output);
        let progress = |done, all| bar.show(done, all);
        let options = Options {
            scope: if self.args.referrers_only { Scope::Referrers } else { Scope::Everything },
            progress: &progress,
            ..Options::default()
        };
        let moved = self.moved_tags(origin);
        let report = self.run(origin, &options)?;
        drop(bar);
        moved.iter().for_each(|note| output.note(note));
        let verified = self.verify_copies(&origin.reference, &report, output);
        let verb = if self.args.dry_run { "would copy" } else { "copied" };
        output.note(&format!(
            "{verb} {} manifests and {} blobs of {} bytes; {} manifests and {} blobs were there",
            report.manifests.len(),
            report.blobs,
            report.bytes,
            report.manifests_there,
            report.blobs_there
        ));
        let mut pins = Vec::new();
        if !self.args.dry_run && verified.is_ok() {
            for item in &report.items {
                let pin = self.to.pin(item.descriptor.digest).to_string();
                output.line(&pin);
                pins.push(Value::from(pin));
            }
        }
        let failure = lost(&report, output).or(verified.err().map(|refused| refused.failure));
        let mut members = describe(&report);
        members.insert("reference", Value::from(text.to_owned()));
        members.insert("dry_run", Value::from(self.args.dry_run));
        members.insert("pins", Value::Array(pins));
        match failure {
            Some(failure) => output.fail_with(Some(text), &failure, members),
            None => output.result(Exit::Done, members),
        }
        Ok(())
    }

    /// Verifies at the destination what verified at the source: in between, somebody may have taken a signature away.
    fn verify_copies(&self, given: &Reference, report: &CopyReport, output: &mut Output<'_>) -> Result<(), Refused> {
        let Some(check) = self.check.as_ref().filter(|_| !self.args.dry_run && !report.items.is_empty()) else { return Ok(()) };
        if check.is_by_index() {
            output.note("the index that covers it is not copied along; copy the index to verify at the destination");
            return Ok(());
        }
        if !self.args.wants.envelopes.is_empty() {
            output.note("the envelopes of --envelope are not attached at the destination; `touchmark signature attach` does that");
        }
        let there = places::source(&self.to, &self.to_access)?;
        for item in &report.items {
            check.verify_as(there.as_ref(), &self.to.pin(item.descriptor.digest), given)?;
        }
        Ok(())
    }

    /// What to say of tags at the destination that will lead elsewhere than before.
    fn moved_tags(&self, origin: &Origin) -> Vec<String> {
        let there = if self.args.dry_run { None } else { self.destination().ok().flatten() };
        let Some(there) = there else { return Vec::new() };
        let moved = origin.items.iter().filter_map(|item| {
            let tag = item.tag.as_deref()?;
            let before = there.resolve(Some(tag), None).ok()?.digest;
            (before != item.descriptor.digest).then(|| format!("the tag {tag} led to {before} before"))
        });
        moved.collect()
    }

    /// The destination as it is; none if it is a folder or file that is to be made.
    fn destination(&self) -> Result<Option<Box<dyn Source>>, Failure> {
        let there = self.to.scheme() == Scheme::Registry || self.to.path().exists();
        there.then(|| places::source(&self.to, &self.to_access)).transpose()
    }

    /// Referrers alone go to where the artifact is: elsewhere nobody would look for them.
    fn check_subjects(&self, origin: &Origin) -> Result<(), Failure> {
        if !self.args.referrers_only {
            return Ok(());
        }
        let there = self.destination()?;
        for item in &origin.items {
            let digest = &item.descriptor.digest;
            let size = there.as_ref().map_or(Ok(None), |there| there.size(digest)).map_err(|error| Failure::from(&error))?;
            if size.is_none() {
                let message = format!("{}: {digest} is not there, and only what refers to it would be copied", self.to.place());
                return Err(Failure::new(Exit::Unknown, "not-found", message).hint("copy it without --referrers-only"));
            }
        }
        Ok(())
    }

    fn run(&self, origin: &Origin, options: &Options<'_>) -> Result<CopyReport, Failure> {
        tracing::info!(from = %origin.reference, to = %self.to, "copy");
        // Of the trust repository everything is needed, also where of the artifacts only what refers to them is.
        if self.args.referrers_only && !origin.trust.is_empty() {
            self.move_items(origin, &origin.trust, &Options { scope: Scope::Everything, ..*options })?;
            return self.move_items(origin, &origin.items, options);
        }
        let items: Vec<Item> = origin.trust.iter().chain(&origin.items).cloned().collect();
        let mut report = self.move_items(origin, &items, options)?;
        report.items.retain(|item| origin.items.contains(item) || !origin.trust.contains(item));
        Ok(report)
    }

    fn move_items(&self, origin: &Origin, items: &[Item], options: &Options<'_>) -> Result<CopyReport, Failure> {
        let from = origin.source.as_ref();
        let copied = if self.args.dry_run {
            copy::preview(from, items, self.destination()?.as_deref(), options)
        } else if let Some(repository) = self.to.repository() {
            Registry::new(repository, &self.to_access).and_then(|to| copy::copy(from, items, &to, options))
        } else if self.to.scheme() == Scheme::Archive {
            copy::copy_to_archive(from, items, self.to.path(), options)
        } else {
            Layout::open_or_create(self.to.path()).and_then(|to| copy::copy(from, items, &to, options))
        };
        copied.map_err(|error| Failure::from(&error))
    }
}

/// Two artifacts that would have one tag at the destination.
fn contended_tag<'i>(items: impl Iterator<Item = &'i Item>) -> Option<Failure> {
    let mut taken: BTreeMap<&str, Digest> = BTreeMap::new();
    for item in items {
        let Some(tag) = item.tag.as_deref() else { continue };
        let digest = *taken.entry(tag).or_insert(item.descriptor.digest);
        if digest != item.descriptor.digest {
            let message = format!("{digest} and {} would both be tagged {tag} at the destination", item.descriptor.digest);
            return Some(Failure::usage(message).hint("copy one after the other, each to a tag of its own"));
        }
    }
    None
}

/// Says what is missing, and what the command ends with because of it.
pub(crate) fn lost(report: &CopyReport, output: &mut Output<'_>) -> Option<Failure> {
    for finding in &report.findings {
        output.warn(&repair::sentence(finding));
    }
    for missing in &report.missing {
        output.warn(&format!("missing at the destination: {}: {}", missing.digest, missing.error));
    }
    let class = report.class()?;
    let exit = if matches!(class, Class::WrongDigest | Class::Malformed) { Exit::Malformed } else { Exit::Unknown };
    let message = match report.missing.len() {
        0 => "not everything that belongs to it could be looked at, so some of it may be missing at the destination".to_owned(),
        count => format!("{count} manifests or blobs are missing at the destination"),
    };
    Some(Failure::new(exit, "missing", message).hint("what is there was copied; run it again from a source that has the rest"))
}

/// What was copied, in JSON output.
fn describe(report: &CopyReport) -> Object<'static> {
    let mut members = Object::new();
    members.insert("complete", Value::from(report.complete));
    members.insert("manifests", number(report.manifests.len()));
    members.insert("manifests_there", number(report.manifests_there));
    members.insert("blobs", number(report.blobs));
    members.insert("blobs_there", number(report.blobs_there));
    members.insert("bytes", Value::from(report.bytes));
    let missing = report.missing.iter().map(|missing| {
        Value::object([
            ("digest", Value::from(missing.digest.to_string())),
            ("needed_by", missing.needed_by.map_or(Value::Null, |digest| Value::from(digest.to_string()))),
            ("error", Failure::from(&missing.error).to_json()),
        ])
    });
    members.insert("missing", Value::Array(missing.collect()));
    members.insert("findings", repair::findings(&report.findings));
    members
}
