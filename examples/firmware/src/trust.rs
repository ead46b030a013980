//! The trust repository in the tar, and what it says of a name.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use touchmark_envelope::manifest::{Kind, Manifest};
use touchmark_envelope::{Digest, Name, UnixTime};
use touchmark_trust::Standing;
use touchmark_tuf::{self as tuf, Answer, Client, Failure, Step};

use crate::error::Error;
use crate::package::{MAX_DOCUMENT, Package, Unhad};
use crate::tar::Medium;

/// The artifactType of a trust repository (SPEC.md, 23.3).
const TRUST: &str = "application/vnd.touchmark.trust.v1";
/// The title of a layer.
const TITLE: &str = "org.opencontainers.image.title";
/// So many trust repositories in one tar are tried.
const MAX_REPOSITORIES: usize = 8;

/// The client's store in memory.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// A trust repository whose metadata was verified.
pub(crate) struct Trusted {
    client: Client,
    /// What the client keeps.
    pub(crate) files: Files,
    layers: BTreeMap<String, Digest>,
}

/// Whether something in the tar is a trust repository.
pub(crate) fn is_repository(artifact_type: Option<&str>) -> bool {
    artifact_type == Some(TRUST)
}

/// Limits of a device with little memory.
fn settings() -> tuf::Settings {
    let mut settings = tuf::Settings::default();
    let limits = &mut settings.limits;
    (limits.root, limits.roots, limits.timestamp, limits.signatures) = (64 << 10, 64, 16 << 10, 32);
    (limits.snapshot, limits.targets, limits.listed) = (MAX_DOCUMENT, MAX_DOCUMENT, MAX_DOCUMENT);
    (limits.total, limits.roles) = (2 * MAX_DOCUMENT, 16);
    settings
}

/// Whether the device could begin with this root: one that is signed by its own keys.
pub(crate) fn check_root(root: &[u8], at: UnixTime) -> Result<(), tuf::Error> {
    let mut client = Client::new(settings(), at);
    client.step()?;
    client.answer(Answer::Bytes(root.to_vec()));
    client.step().map(drop)
}

/// The newest of the trust repositories in the tar, verified by what is trusted, and what it says of a name: an older one beside it changes
/// nothing, nor does a copy of it that lacks a file.
pub(crate) fn newest(
    package: &mut Package<'_, impl Medium>,
    files: &Files,
    name: &Name,
    at: UnixTime,
) -> Result<(Trusted, Result<Standing, Error>), Error> {
    let is_one = |artifact_type: &Option<String>| is_repository(artifact_type.as_deref());
    let listed = package.listed.iter().map(|listed| &listed.descriptor).filter(|descriptor| is_one(&descriptor.artifact_type));
    let digests: Vec<Digest> = listed.map(|descriptor| descriptor.digest).take(MAX_REPOSITORIES).collect();
    let (mut best, mut failed): (Option<(Trusted, Result<Standing, Error>)>, _) = (None, Error::NoTrust);
    for digest in digests {
        let Some(layers) = layers(package, &digest) else { continue };
        let mut trusted = Trusted { client: Client::new(settings(), at), files: files.clone(), layers };
        match trusted.drive(package) {
            Ok(()) => {
                let standing = trusted.standing(package, name);
                let is_better = best.as_ref().is_none_or(|(known, said)| {
                    let (known, found) = (known.versions(), trusted.versions());
                    known < found || (known == found && said.is_err() && standing.is_ok())
                });
                if is_better {
                    best = Some((trusted, standing));
                }
            }
            Err(error) => failed = Error::Metadata(error),
        }
    }
    best.ok_or(failed)
}

/// The files of a trust repository, by their paths; `None` if it is none.
fn layers(package: &mut Package<'_, impl Medium>, digest: &Digest) -> Option<BTreeMap<String, Digest>> {
    let manifest = Manifest::parse(&package.blob(digest, MAX_DOCUMENT).ok()?).ok()?;
    let Kind::Image { layers: listed, .. } = manifest.kind else { return None };
    let mut layers = BTreeMap::new();
    for layer in listed {
        if let Some(title) = layer.annotations.get(TITLE)
            && layers.insert(title.clone(), layer.digest).is_some()
        {
            return None;
        }
    }
    Some(layers)
}

impl Trusted {
    /// What the metadata says of a name.
    fn standing(&mut self, package: &mut Package<'_, impl Medium>, name: &Name) -> Result<Standing, Error> {
        self.client.look_up(&name.into())?;
        self.drive(package)?;
        Ok(Standing::of(&mut self.client, name)?)
    }

    /// The versions of root and timestamp.
    fn versions(&self) -> Option<(u64, u64)> {
        Some((self.client.root()?.get().header().version, self.client.timestamp()?.get().header().version))
    }

    fn drive(&mut self, package: &mut Package<'_, impl Medium>) -> Result<(), tuf::Error> {
        loop {
            let answer = match self.client.step()? {
                Step::Done => return Ok(()),
                Step::Load { file, .. } => self.files.get(file).cloned().map_or(Answer::Absent, Answer::Bytes),
                Step::Store { file, bytes } => {
                    self.files.insert(file.to_owned(), bytes.to_vec());
                    Answer::Done
                }
                Step::Remove { file } => {
                    self.files.remove(file);
                    Answer::Done
                }
                Step::Fetch { path, limit } => match self.layers.get(path) {
                    None => Answer::Absent,
                    Some(digest) => package.blob(digest, limit).map_or_else(|unhad| Answer::Failed(failure(unhad)), Answer::Bytes),
                },
                _ => return Err(tuf::Error::WrongAnswer),
            };
            self.client.answer(answer);
        }
    }
}

/// What a file that is listed and cannot be had means: never that the repository lacks it.
fn failure(unhad: Unhad) -> Failure {
    match unhad {
        Unhad::Absent => Failure::Unavailable("it is listed, and not in the tar".to_string()),
        Unhad::TooLarge { limit, .. } => Failure::TooLarge { limit },
        Unhad::WrongDigest => Failure::Malformed("its bytes have another digest".to_string()),
        Unhad::Medium => Failure::Unavailable("the medium cannot be read".to_string()),
    }
}
