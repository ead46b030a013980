//! Where links are, a folder or an artifact that they are attached to, and the verification by them.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;

use touchmark::envelope::digest::Algorithm;
use touchmark::envelope::threshold::KeySet;
use touchmark::in_toto::attached::{AttachedLinks, RefusedSet, SetLimits, verify_attached};
use touchmark::in_toto::{Answer, Class, Document, Inspector, LinkFolder, Links, Report, Settings, verify_with};
use touchmark::oci::reference::Scheme;
use touchmark::oci::source::Source;
use touchmark::{Digest, Reference, UnixTime};
use touchmark_verify::exit::Exit;
use touchmark_verify::output::{Failure, Value};

use crate::commands::in_toto::record_failure;
use crate::places;

/// What `--links` names.
pub(super) enum Place {
    /// A folder.
    Folder(LinkFolder),
    /// An artifact.
    Artifact {
        /// The place that it is in.
        source: Box<dyn Source>,
        /// Its digest.
        subject: Digest,
        /// Its pin.
        pin: Reference,
    },
}

/// The artifact that `--links` names, if it names none that is a folder: what has a scheme, or is no folder that is there and reads as a
/// reference to a registry.
pub(super) fn reference(text: &str) -> Result<Option<Reference>, Failure> {
    let has_scheme = ["oci:", "ocidir:", "oci-archive:"].iter().any(|scheme| text.starts_with(scheme));
    if has_scheme {
        return places::reference(text).map(Some);
    }
    let is_registry = |reference: &Reference| reference.scheme() == Scheme::Registry;
    Ok(if Path::new(text).exists() { None } else { text.parse().ok().filter(is_registry) })
}

/// What is asked of the links.
pub(super) struct Asked<'a> {
    pub(super) keys: &'a KeySet,
    pub(super) settings: &'a Settings,
    pub(super) at: UnixTime,
    /// How much is looked at of what is attached.
    pub(super) sets: SetLimits,
    pub(super) inspector: &'a dyn Inspector,
}

/// What a verification came to.
pub(super) struct Outcome {
    /// What was found.
    pub(super) report: Report,
    /// What kind of refusal it is, if it is one.
    pub(super) refused: Option<Class>,
    /// The layout that was verified.
    pub(super) layout: Vec<u8>,
    /// The set that verifies by itself, where not all of them do together.
    pub(super) alone: Option<Digest>,
    /// The sets that were taken, and the files of each, in JSON.
    pub(super) sets: Vec<Value<'static>>,
    /// What was refused as a set.
    pub(super) refused_sets: Vec<RefusedSet>,
    /// The digests of the files that count.
    pub(super) evidence: Vec<(String, Digest)>,
}

impl Place {
    /// Opens the folder.
    pub(super) fn folder(text: &str) -> Result<Self, Failure> {
        LinkFolder::open(text).map(Self::Folder).map_err(|error| record_failure(&error))
    }

    /// Verifies `layout`, or without one each that is attached and that all keys signed, until one holds.
    pub(super) fn verify(&self, layout: Option<Vec<u8>>, asked: &Asked<'_>) -> Result<Outcome, Failure> {
        match self {
            Self::Folder(folder) => {
                let layout = layout.ok_or_else(|| Failure::usage("there is no layout to verify").hint("--layout FILE"))?;
                Ok(by_folder(folder, layout, asked))
            }
            Self::Artifact { source, subject, .. } => {
                let links = AttachedLinks::open(source.as_ref(), subject, asked.sets).map_err(|error| Failure::from(&error))?;
                by_attached(&links, layout, asked)
            }
        }
    }
}

fn by_folder(folder: &LinkFolder, layout: Vec<u8>, asked: &Asked<'_>) -> Outcome {
    let noted = Noted { links: folder, digests: RefCell::default() };
    let verified = verify_with(layout.clone(), asked.keys, asked.settings.clone(), asked.at, &noted, asked.inspector);
    let (report, refused) = match verified {
        Ok(chain) => (chain.into_inner().report, None),
        Err(rejected) => {
            let class = rejected.class();
            (rejected.report, Some(class))
        }
    };
    let digests = noted.digests.into_inner();
    let evidence = counted(&report, &|path, _| digests.get(path).copied());
    Outcome { report, refused, layout, alone: None, sets: Vec::new(), refused_sets: Vec::new(), evidence }
}

fn by_attached(links: &AttachedLinks<'_>, layout: Option<Vec<u8>>, asked: &Asked<'_>) -> Result<Outcome, Failure> {
    let layouts = match layout {
        Some(layout) => vec![layout],
        None => signed_layouts(links, asked.keys, asked.settings)?,
    };
    let digest = |path: &str, from: &str| {
        let set = links.sets().iter().find(|set| set.referrer.to_string() == from)?;
        set.files.get(path).map(|(digest, _)| *digest)
    };
    let outcome = |report: Report, refused, layout, alone| {
        let evidence = counted(&report, &|path, from| digest(path, from?));
        let sets = links.sets().iter().map(|set| {
            let files = set.files.keys().cloned().map(Value::from).collect::<Vec<_>>();
            Value::object([("digest", Value::from(set.referrer.to_string())), ("files", Value::from(files))])
        });
        Outcome { report, refused, layout, alone, sets: sets.collect(), refused_sets: links.refused().to_vec(), evidence }
    };
    let mut last: Option<Outcome> = None;
    for layout in layouts {
        match verify_attached(&layout, asked.keys, asked.settings, asked.at, links, asked.inspector) {
            Ok((chain, alone)) => return Ok(outcome(chain.into_inner().report, None, layout, alone)),
            // Among several layouts, one of which nothing could be found out decides, and one that has expired says least.
            Err(refusal) if last.as_ref().is_none_or(|last| rank(refusal.class) > last.refused.map_or(0, rank)) => {
                last = Some(outcome(refusal.rejected.report, Some(refusal.class), layout, None));
            }
            Err(_) => {}
        }
    }
    last.ok_or_else(no_layout)
}

/// Which refusal decides among several layouts: the greatest.
fn rank(class: Class) -> u8 {
    match class {
        Class::Unknown => 3,
        Class::NotVerified => 2,
        _ => 1,
    }
}

/// The attached layouts that all keys signed, or, so that what is missing is told, the first of those that not all did.
fn signed_layouts(links: &AttachedLinks<'_>, keys: &KeySet, settings: &Settings) -> Result<Vec<Vec<u8>>, Failure> {
    let (layouts, complete) = links.layouts(settings.limits.file);
    let is_signed = |layout: &&Vec<u8>| {
        Document::parse((*layout).clone(), &settings.limits)
            .is_ok_and(|document| document.untrusted().signers(keys).keys().len() == keys.keys().len())
    };
    let signed: Vec<Vec<u8>> = layouts.iter().filter(is_signed).cloned().collect();
    match (signed.is_empty(), layouts.into_iter().next()) {
        (false, _) => Ok(signed),
        (true, Some(layout)) if complete => Ok(vec![layout]),
        _ => Err(no_layout()),
    }
}

fn no_layout() -> Failure {
    Failure::new(Exit::Unknown, "in-toto-no-layout", "no in-toto layout by these keys was found beside the links").hint("--layout FILE")
}

/// The digests of the files that count, those of sublayouts among them.
fn counted(report: &Report, digest: &dyn Fn(&str, Option<&str>) -> Option<Digest>) -> Vec<(String, Digest)> {
    let items = report.steps.iter().chain(&report.inspections);
    let files = items.flat_map(|item| &item.files).filter(|file| file.refusal.is_none());
    files
        .flat_map(|file| {
            let own = digest(&file.path, file.from.as_deref()).map(|digest| (file.path.clone(), digest));
            let below = file.sublayout.as_ref().map(|report| counted(report, digest)).unwrap_or_default();
            own.into_iter().chain(below)
        })
        .collect()
}

/// Links whose digests are noted as they are read, so that what is said of them is said of the very bytes.
struct Noted<'a> {
    links: &'a LinkFolder,
    digests: RefCell<BTreeMap<String, Digest>>,
}

impl Links for Noted<'_> {
    fn read(&self, path: &str, limit: u64) -> Answer {
        let answer = self.links.read(path, limit);
        if let Answer::Bytes(bytes) = &answer {
            self.digests.borrow_mut().insert(path.to_owned(), Algorithm::Sha256.digest(bytes));
        }
        answer
    }
    fn names(&self, folder: &str, step: &str, limit: usize) -> Answer {
        self.links.names(folder, step, limit)
    }
}
