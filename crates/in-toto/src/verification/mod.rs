//! The verification of a layout (in-toto 1.0, 5.2) as a state machine.

mod attest;
mod attested;
mod frame;
mod item;
mod need;
mod reason;
mod report;
mod subject;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;

use touchmark_envelope::threshold::{KeySet, Tally};
use touchmark_envelope::{Digest, UnixTime, Unverified, Verified};

use crate::document::{Document, Kind};
use crate::engine::Work;
use crate::error::{Error, cut};
use crate::layout::Layout;
use crate::link::Link;
use crate::parameters::Parameters;
use crate::settings::{Inheritance, Settings};

use self::attest::Collection;
use self::frame::{Frame, Next};
use self::item::Sublayout;
pub use self::need::{Answer, Failure, Found, Inspected, Names, Need};
pub use self::reason::{Class, Reason, Refusal};
pub use self::report::{Answered, Detail, FileReport, ItemReport, PredicateReport, Report, RulesReport, Warning};

/// The verification of one layout, at one time.
///
/// The caller loops: [`need`](Self::need) says what is needed, [`answer`](Self::answer) takes it, and when nothing is needed any more
/// [`finish`](Self::finish) has the outcome. Nothing is read, run or asked of a clock here.
///
/// A file that is broken, hostile or not to be had is reported, and hides none that is good: what decides is whether enough distinct
/// keys vouch for each step, and whether all that count report the same. On failure all reasons are told.
#[derive(Debug)]
pub struct Verification {
    settings: Settings,
    at: UnixTime,
    root: Option<Verified<Layout>>,
    /// The layout and, within each other, the sublayouts that are being verified.
    frames: Vec<Frame>,
    wanted: Option<Need>,
    requests: u32,
    bytes: u64,
    work: Work,
    /// The parameters that something used.
    used: BTreeSet<String>,
    standing: Standing,
    /// The statements that the caller offered.
    offered: Collection,
    ended: Option<(Report, Option<Link>)>,
}

/// The sublayouts and statements that stand for steps, by what was signed, and the first file and step of each.
type Standing = BTreeMap<Digest, (String, String)>;

/// A supply chain that is as its layout says. Only [`Verification::finish`] makes a verified one.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SupplyChain {
    /// The layout.
    pub layout: Layout,
    /// What was found, step by step.
    pub report: Report,
    /// What the first step began with, and the last one ended with; nothing for a layout without steps.
    pub summary: Option<Link>,
}

/// A supply chain that is not verified.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Rejected {
    /// What was found, step by step, and all the reasons.
    pub report: Report,
}

impl Rejected {
    /// What kind of refusal it is.
    pub fn class(&self) -> Class {
        self.report.class().unwrap_or(Class::Unknown)
    }

    pub(crate) fn unfinished() -> Self {
        Self { report: Report::unfinished() }
    }
}

impl Verification {
    /// Begins to verify the layout that `document` is, which every one of `keys` must have signed (in-toto 1.0, 5.2, item 1).
    ///
    /// What is wrong with it is told at the end, like everything else; nothing more is then needed.
    pub fn new(document: Vec<u8>, keys: &KeySet, settings: Settings, at: UnixTime) -> Self {
        let work = Work::new(settings.limits.work);
        let (frames, used) = (Vec::new(), BTreeSet::new());
        let mut verification = Self {
            settings,
            at,
            root: None,
            frames,
            wanted: None,
            requests: 0,
            bytes: 0,
            work,
            used,
            ended: None,
            offered: Collection::default(),
            standing: Standing::new(),
        };
        match verification.root(document, keys) {
            Ok(root) => {
                let (layout, signers) = (root.get().clone(), root.evidence().keys().to_vec());
                let inspectors = verification.settings.inspectors.clone();
                let product = verification.settings.product.clone();
                verification.used.clone_from(&layout.parameters);
                let frame = Frame::new(String::new(), layout, signers, inspectors, at).for_product(product);
                let is_plain = verification.settings.parameters.is_empty();
                verification.frames.push(if is_plain { frame.without_parameters() } else { frame });
                verification.root = Some(root);
                verification.load_offered();
            }
            Err(reasons) => {
                let report = Report { reasons, ..Report::unfinished() };
                verification.ended = Some((report, None));
            }
        }
        verification
    }

    fn root(&self, document: Vec<u8>, keys: &KeySet) -> Result<Verified<Layout>, Vec<Reason>> {
        let reasons = |reason| alloc::vec![reason];
        let mut tally = Tally::new(keys.clone(), keys.len()).map_err(|_| reasons(Reason::NoKey))?;
        let document = Document::parse(document, &self.settings.limits).map_err(|error| reasons(Reason::Layout(error)))?;
        let signers = document.untrusted().signers(keys);
        tally.count(&signers, || document);
        let missing = keys.keys().iter().filter(|key| !signers.keys().contains(key));
        let missing: Vec<Reason> = missing.map(|key| Reason::Unsigned { key: key.key_id().into_string() }).collect();
        let verified = tally.finish().map_err(|_| missing)?;
        let layout = verified.try_map(|documents| match documents.as_slice() {
            [document, ..] => document.layout(&self.settings.parameters),
            [] => Err(Error::Member("signatures")),
        });
        layout.map_err(|error| reasons(Reason::Layout(error)))
    }

    /// What is needed next: the same until it is answered, and nothing once all is decided.
    pub fn need(&mut self) -> Option<&Need> {
        while self.wanted.is_none() {
            if self.look_at_found() {
                continue;
            }
            let may_ask = !self.frames.iter().any(Frame::has_failed);
            let Some(frame) = self.frames.last_mut() else { break };
            match frame.next(may_ask, &mut self.standing, &mut self.work) {
                Next::File(_) if self.requests >= self.settings.limits.requests => {
                    self.stop(Reason::TooManyFiles { limit: self.settings.limits.requests });
                }
                Next::File(path) => {
                    self.requests += 1;
                    self.wanted = Some(Need::File { path, limit: self.settings.limits.file });
                }
                // A folder is listed as often as files are asked for, at most.
                Next::Names(_) if self.requests == self.settings.limits.requests => {
                    self.stop(Reason::TooManyFiles { limit: self.settings.limits.requests });
                }
                Next::Names(step) => {
                    self.requests += 1;
                    self.wanted = Some(Need::Names { folder: frame.folder().into(), step, limit: self.settings.limits.names });
                }
                Next::Inspection(inspection) => {
                    let folder = frame.folder().into();
                    self.wanted = Some(Need::Inspection { folder, inspection });
                }
                Next::Offered => self.look_at_offered(),
                Next::Again => {}
                Next::End => self.leave(),
            }
        }
        self.wanted.as_ref()
    }

    /// Takes what came of what [`need`](Self::need) needed. An answer when nothing was needed is ignored.
    pub fn answer(&mut self, answer: Answer) {
        match self.wanted.take() {
            None => {}
            Some(Need::Inspection { .. }) => {
                if let Some(frame) = self.frames.last_mut() {
                    frame.answered(answer);
                }
            }
            Some(Need::Names { limit, .. }) => {
                if let Some(item) = self.frames.last_mut().and_then(|frame| frame.item.as_mut()) {
                    match answer {
                        Answer::Names(names) => item.found(names, limit),
                        Answer::Absent => {}
                        Answer::Failed(failure) => item.unlisted(Refusal::Unavailable(failure)),
                        Answer::Bytes(_) | Answer::Files(_) | Answer::Inspected(_) => {
                            item.unlisted(Refusal::Unavailable(Failure::WrongAnswer))
                        }
                    }
                }
            }
            Some(Need::File { path, .. }) => match answer {
                Answer::Absent => {}
                Answer::Bytes(bytes) => {
                    self.is_from(None);
                    self.file(path, bytes);
                }
                Answer::Files(all) => {
                    let more = u32::try_from(all.len().saturating_sub(1)).unwrap_or(u32::MAX);
                    self.requests = self.requests.saturating_add(more);
                    if self.requests > self.settings.limits.requests {
                        return self.stop(Reason::TooManyFiles { limit: self.settings.limits.requests });
                    }
                    if let Some(item) = self.frames.last_mut().and_then(|frame| frame.item.as_mut()) {
                        item.waiting.extend(all.into_iter().map(|found| (path.clone(), found)));
                    }
                }
                Answer::Failed(failure) => {
                    self.is_from(None);
                    self.note(path, Refusal::Unavailable(failure));
                }
                Answer::Inspected(_) | Answer::Names(_) => self.note(path, Refusal::Unavailable(Failure::WrongAnswer)),
            },
        }
    }

    /// The outcome. All reasons for a refusal are in the report.
    ///
    /// # Errors
    /// The layout is not verified, or the verification was not carried to its end.
    pub fn finish(mut self) -> Result<Verified<SupplyChain>, Rejected> {
        if self.need().is_some() {
            self.wanted = None;
            self.stop(Reason::Unfinished);
            self.need();
        }
        match (self.ended, self.root) {
            (Some((report, summary)), Some(root)) if report.is_verified() => Ok(root.map(|layout| SupplyChain { layout, report, summary })),
            (Some((report, _)), _) => Err(Rejected { report }),
            // Whatever ends has a report.
            (None, _) => Err(Rejected { report: Report::unfinished() }),
        }
    }

    /// Looks at one more of the files of a name, if there is one. A sublayout among them is gone through before the next.
    fn look_at_found(&mut self) -> bool {
        let found = self.frames.last_mut().and_then(|frame| frame.item.as_mut()?.waiting.pop_front());
        let Some((path, found)) = found else { return false };
        self.is_from(Some(found.from));
        match found.file {
            Ok(bytes) => self.file(path, bytes),
            Err(failure) => self.note(path, Refusal::Unavailable(failure)),
        }
        true
    }

    /// Says where the file is from that is looked at.
    fn is_from(&mut self, from: Option<String>) {
        if let Some(item) = self.frames.last_mut().and_then(|frame| frame.item.as_mut()) {
            item.from = from;
        }
    }

    /// Looks at a file that was found.
    fn file(&mut self, path: String, bytes: Vec<u8>) {
        let found = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.bytes = self.bytes.saturating_add(found);
        if self.bytes > self.settings.limits.files {
            return self.stop(Reason::TooManyBytes { limit: self.settings.limits.files });
        }
        let depth = self.frames.len();
        let Some(frame) = self.frames.last_mut() else { return };
        let at_inspection = frame.is_at_inspection();
        let product = frame.product().filter(|_| at_inspection).cloned();
        if frame.item.as_ref().is_some_and(|item| item.attested.is_some()) {
            return self.attest(path, bytes);
        }
        let malformed = |error| Refusal::Malformed(error);
        let document = match Document::parse(bytes, &self.settings.limits).map(Unverified::into_untrusted) {
            Ok(document) => document,
            Err(error) => return self.note(path, malformed(error)),
        };
        let (certified, uncertified) = frame.certified(&document);
        let Some(item) = &mut frame.item else { return };
        item.certify(&certified);
        let mut keys = item.functionaries.keys.clone();
        certified.iter().for_each(|one| keys.add(one.key.clone()));
        let signers = document.signers(&keys);
        // Others may have signed it, too: beside those that were found, nothing of the file would say so.
        item.unavailable |= signers.gave_up() || uncertified.as_ref().is_some_and(|why| why.is_unknown());
        if signers.keys().is_empty() {
            let refusal = match document.is_signed_by_gpg() {
                true => Refusal::Gpg,
                false if signers.gave_up() => Refusal::TooManyChecks,
                false => uncertified.map_or(Refusal::Signature, Refusal::Certificate),
            };
            return self.note(path, refusal);
        }
        let signed_by = signers.keys().to_vec();
        let report = |refusal| {
            let (path, signed_by, certified) = (path.clone(), signed_by.clone(), certified.clone());
            FileReport { path, from: None, signed_by, certified, refusal, sublayout: None }
        };
        let refused = |refusal| report(Some(refusal));
        match document.kind() {
            // in-toto 1.0, 4.5.3: what answers an inspection is a link.
            Ok(Kind::Layout) if !at_inspection => {
                if depth > self.settings.limits.depth {
                    return item.note(refused(Refusal::TooDeep { limit: self.settings.limits.depth }));
                }
                let none = Parameters::new();
                let parameters = match self.settings.inheritance {
                    Inheritance::None => &none,
                    Inheritance::All => &self.settings.parameters,
                };
                match document.layout(parameters) {
                    Ok(layout) => {
                        // in-toto 1.0, 4.5.2 and 4.5.3: a folder named like the file, and its signers' links for its inspections.
                        let folder = alloc::format!("{}/", path.strip_suffix(".link").unwrap_or(&path));
                        let inspectors = KeySet::new(signed_by.iter().cloned());
                        item.sublayout = Some(Sublayout { path, signers, certified, digest: document.digest() });
                        self.used.extend(layout.parameters.iter().cloned());
                        let frame = Frame::new(folder, layout, signed_by, inspectors, self.at);
                        self.frames.push(if parameters.is_empty() { frame.without_parameters() } else { frame });
                    }
                    Err(error) => item.note(refused(malformed(error))),
                }
            }
            Ok(_) => match document.link() {
                Ok(link) if link.name != item.name() => item.note(refused(Refusal::OtherName { found: cut(&link.name, 128) })),
                Ok(link) if product.is_some_and(|product| !product.is_among(&link.materials)) => item.note(refused(Refusal::OtherProduct)),
                Ok(link) => {
                    item.note(report(None));
                    item.add(path, signers, link);
                }
                Err(error) => item.note(refused(malformed(error))),
            },
            Err(error) => item.note(refused(malformed(error))),
        }
    }

    /// Notes a file that does not count.
    fn note(&mut self, path: String, refusal: Refusal) {
        if let Some(item) = self.frames.last_mut().and_then(|frame| frame.item.as_mut()) {
            item.note(FileReport {
                path,
                from: None,
                signed_by: Vec::new(),
                certified: Vec::new(),
                refusal: Some(refusal),
                sublayout: None,
            });
        }
    }

    /// Goes back from a layout that is through to the one that it is a sublayout of.
    fn leave(&mut self) {
        let Some((mut report, summary)) = self.frames.pop().map(Frame::end) else { return };
        let Some(item) = self.frames.last_mut().and_then(|frame| frame.item.as_mut()) else {
            // After a failure, a sublayout that was not come to may use it.
            if report.is_verified() {
                let unused = self.settings.parameters.names().filter(|name| !self.used.contains(*name));
                report.warnings.extend(unused.map(|name| Warning::UnusedParameter { parameter: name.into() }));
            }
            self.ended = Some((report, summary));
            return;
        };
        let Some(Sublayout { path, signers, certified, digest }) = item.sublayout.take() else { return };
        let signed_by = signers.keys().to_vec();
        // in-toto 1.0, 4.5.3: one key signs a sublayout and the links of its inspections. Who left one to others vouches for nothing.
        let signers = signers.only(|key| report.is_answered_by(key));
        let silent: Vec<String> =
            signed_by.iter().filter(|key| !signers.keys().contains(key)).map(|key| key.key_id().into_string()).collect();
        // What a signer says of an inspection may be where it could not be had.
        let answers = report.inspections.iter().flat_map(|inspection| &inspection.files);
        item.unavailable |= !silent.is_empty() && answers.filter_map(|file| file.refusal.as_ref()).any(Refusal::is_unknown);
        let refusal = report.class().map(Refusal::Sublayout);
        let refusal = refusal.or_else(|| signers.keys().is_empty().then_some(Refusal::Inspections));
        // A layout has no name: without this one that its author signed once would stand for any step that he may do.
        let step = item.step();
        let first = self.standing.get(&digest).filter(|(_, of)| refusal.is_none() && *of != step).map(|(first, _)| first.clone());
        let refusal = refusal.or_else(|| first.clone().map(|other| Refusal::OtherStep { other }));
        if refusal.is_none() && !silent.is_empty() {
            item.warn(Warning::Silent { file: path.clone(), keys: silent });
        }
        let counts = refusal.is_none();
        item.note(FileReport { path: path.clone(), from: None, signed_by, certified, refusal, sublayout: Some(report) });
        if let Some(summary) = summary.filter(|_| counts) {
            self.standing.entry(digest).or_insert_with(|| (path.clone(), step));
            item.add(path, signers, summary);
        } else if let Some(first) = first {
            // The first one may have been concluded, wherever it is: with it the whole is not verified.
            self.frames.iter_mut().for_each(|frame| frame.refuse(&first, &path));
            if let Some(root) = self.frames.first_mut() {
                root.fail(Reason::OneForTwo { first, second: path });
            }
        }
    }

    /// Ends all of it, where a limit was reached.
    fn stop(&mut self, reason: Reason) {
        while let Some(mut frame) = self.frames.pop() {
            frame.stop(reason.clone());
            self.frames.push(frame);
            self.leave();
        }
    }
}

impl Report {
    fn unfinished() -> Self {
        let (steps, subjects, inspections, warnings) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let reasons = alloc::vec![Reason::Unfinished];
        Self { folder: String::new(), signed_by: Vec::new(), expires: None, steps, subjects, inspections, warnings, reasons }
    }
}

/// Shows all the reasons, one a line.
impl core::fmt::Display for Rejected {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        for (place, reason) in self.report.reasons.iter().enumerate() {
            write!(f, "{}{reason}", if place == 0 { "" } else { "\n" })?;
        }
        Ok(())
    }
}

impl core::error::Error for Rejected {}
