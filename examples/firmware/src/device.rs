//! The update, from the tar to the boot record.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use touchmark_envelope::digest::{Algorithm, Hasher};
use touchmark_envelope::manifest::{Descriptor, Kind, Manifest};
use touchmark_envelope::{Digest, Name, UnixTime};
use touchmark_trust::{AcceptedKind, Answer, Class, Failure, Limits, Need, Policy, Rejected, Request, Search, Standing, Step};

use crate::boot::{self, Record, Slot};
use crate::error::Error;
use crate::flash::{Flash, FlashError};
use crate::package::{MAX_DOCUMENT, Package, Unhad};
use crate::region::Region;
use crate::tar::Medium;
use crate::trust;
use crate::vault::Vault;

/// Bytes of the image that are in memory at a time.
const CHUNK: usize = 4096;
/// So many artifacts of a tar are tried.
const MAX_ARTIFACTS: usize = 16;
/// The name of the trusted root among the client's files.
const ROOT: &str = "root.json";

/// By what an image must be accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accept {
    /// By an entry of the wanted name alone, so that no image that is older than the metadata is ever taken.
    Entries,
    /// Also by seals and signatures, which say nothing of which image is the newest: for development.
    Any,
}

/// What a device wants.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The name of its image, such as `acme/board:stable`.
    pub name: Name,
    /// By what it must be accepted.
    pub accept: Accept,
    /// Bytes of the flash for what is trusted, twice.
    pub vault: usize,
}

/// What an update came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Installed {
    /// This is booted from now on.
    New(Slot),
    /// It was the one that is booted already.
    Already(Slot),
}

/// A device: its flash, and what it wants.
#[derive(Debug)]
pub struct Device<F> {
    flash: F,
    settings: Settings,
    records: [Region; 2],
    vaults: [Region; 2],
    slots: [Region; 2],
}

impl<F: Flash> Device<F> {
    /// Divides the flash: two boot records, twice what is trusted, and two slots.
    ///
    /// # Errors
    /// There is too little flash.
    pub fn new(flash: F, settings: Settings) -> Result<Self, Error> {
        let (size, block) = (flash.size(), flash.erase_block().max(1));
        let mut start = 0_usize;
        let mut pair = |length: usize| {
            let first = Region { start, length };
            let second = Region { start: start.saturating_add(length), length };
            start = second.start.saturating_add(length);
            [first, second]
        };
        let records = pair(block);
        let vaults = pair(settings.vault.div_ceil(block).saturating_mul(block));
        let used = vaults.iter().map(|region| region.start.saturating_add(region.length)).max().unwrap_or(usize::MAX);
        let slot = size.saturating_sub(used) / 2 / block * block;
        if slot == 0 || block < flash.write_block() {
            return Err(Error::TooSmall { size });
        }
        let slots = pair(slot);
        Ok(Self { flash, settings, records, vaults, slots })
    }

    /// Makes a device of it: the root that it trusts, and its first image. This is done once, where it is made.
    ///
    /// # Errors
    /// The root is none, the image does not fit, or the flash fails.
    pub fn provision(&mut self, root: &[u8], image: &[u8], now: UnixTime) -> Result<Slot, Error> {
        trust::check_root(root, now)?;
        for region in self.records.iter().chain(&self.vaults) {
            region.begin(&mut self.flash)?.finish()?;
        }
        let mut vault = Vault::default();
        vault.files.insert(ROOT.into(), root.to_vec());
        vault.commit(&mut self.flash, &self.vaults)?;
        let [first, _] = self.slots;
        let mut writer = first.begin(&mut self.flash)?;
        writer.push(image)?;
        writer.finish()?;
        let length = u64::try_from(image.len()).unwrap_or(u64::MAX);
        let slot = Slot { index: 0, length, digest: Algorithm::Sha256.digest(image) };
        boot::commit(&mut self.flash, &self.records, 0, Record { counter: 1, slot })?;
        self.boot()
    }

    /// The slot that is booted now. The image in it was verified when it was written, and is hashed again.
    ///
    /// # Errors
    /// The flash is damaged, or was never provisioned.
    pub fn boot(&self) -> Result<Slot, Error> {
        boot::select(&self.flash, &self.records, &self.slots)
    }

    /// Installs the image of a tar, if it is verified at the time `now`. Of a device whose clock is not set, that may be any time before: the
    /// later one of it and the last update is what counts.
    ///
    /// # Errors
    /// Nothing was installed, and what was booted before still is. The same call may be made again.
    pub fn update(&mut self, tar: &mut impl Medium, now: UnixTime) -> Result<Installed, Error> {
        let (record, place) = boot::newest(&self.flash, &self.records)?.ok_or(Error::NoRecord)?;
        let mut vault = Vault::load(&self.flash, &self.vaults)?;
        let at = vault.updated().map_or(now, |updated| updated.max(now));
        let mut package = Package::open(tar)?;
        let (trusted, standing) = trust::newest(&mut package, &vault.files, &self.settings.name, at)?;
        // Kept before anything is done by it: nothing older is accepted from here on, whatever comes of the image.
        let before = core::mem::replace(&mut vault.files, trusted.files);
        if vault.files != before {
            vault.update(at);
            vault.commit(&mut self.flash, &self.vaults)?;
        }
        let layer = self.verified(&mut package, &standing?, at)?;
        let region = *self.slots.get(1 - record.slot.index).ok_or(FlashError)?;
        if layer.size == 0 || !usize::try_from(layer.size).is_ok_and(|size| size <= region.length) {
            return Err(Error::NoImage { why: "it does not fit a slot" });
        }
        if layer.digest == record.slot.digest
            && let Ok(slot) = self.boot()
        {
            return Ok(Installed::Already(slot));
        }
        let digest = write(&mut self.flash, region, &mut package, &layer)?;
        if region.hash(&self.flash, layer.size)? != Some(digest) {
            return Err(FlashError.into());
        }
        let slot = Slot { index: 1 - record.slot.index, length: layer.size, digest };
        let record = Record { counter: record.counter.saturating_add(1), slot };
        boot::commit(&mut self.flash, &self.records, place, record)?;
        Ok(Installed::New(slot))
    }

    /// Reads the image of a slot.
    ///
    /// # Errors
    /// There is nothing there, or the flash fails.
    pub fn read(&self, slot: &Slot, offset: usize, into: &mut [u8]) -> Result<(), FlashError> {
        self.slots.get(slot.index).ok_or(FlashError)?.read(&self.flash, offset, into)
    }

    /// The flash.
    pub fn flash_mut(&mut self) -> &mut F {
        &mut self.flash
    }

    /// The flash alone.
    pub fn into_flash(self) -> F {
        self.flash
    }

    /// The image's descriptor, of the artifact that is verified under the wanted name.
    fn verified(&self, package: &mut Package<'_, impl Medium>, standing: &Standing, at: UnixTime) -> Result<Descriptor, Error> {
        let others = |listed: &&crate::package::Listed| {
            listed.subject.is_none() && !trust::is_repository(listed.descriptor.artifact_type.as_deref())
        };
        let artifacts: Vec<Digest> =
            package.listed.iter().filter(others).map(|listed| listed.descriptor.digest).take(MAX_ARTIFACTS).collect();
        let mut refused: Option<Rejected> = None;
        for artifact in artifacts {
            let mut policy = Policy::trust(standing.clone());
            if self.settings.accept == Accept::Entries {
                policy = policy.accept_only([AcceptedKind::Entry]);
            }
            match decide(package, Request::new(policy, artifact, at).limits(limits())) {
                Ok(digest) => return layer(package, &digest),
                // One that could not be found out may be the right one.
                Err(rejected) if refused.is_none() || rejected.class() == Class::Unknown => refused = Some(rejected),
                Err(_) => {}
            }
        }
        Err(refused.map_or(Error::NoArtifact, Error::Rejected))
    }
}

/// Limits of a device with little memory.
fn limits() -> Limits {
    Limits {
        manifest: MAX_DOCUMENT,
        referrers: 64,
        referrers_bytes: MAX_DOCUMENT,
        signature: MAX_DOCUMENT,
        signatures: 32,
        work: 64 << 20,
        reported: MAX_DOCUMENT,
        ..Limits::default()
    }
}

/// Drives the decision; the digest of what is verified.
fn decide(package: &mut Package<'_, impl Medium>, request: Request) -> Result<Digest, Rejected> {
    let mut search = Search::new(request);
    while let Step::Need(need) = search.next() {
        let answer = match need {
            Need::Manifest { digest, limit } | Need::Blob { digest, limit } => {
                package.blob(&digest, limit).map_or_else(|unhad| Answer::Failed(failure(unhad)), Answer::Bytes)
            }
            Need::Referrers { subject, entries, .. } => {
                let all = package.listed.iter().filter(|listed| listed.subject == Some(subject));
                let found: Vec<Descriptor> = all.map(|listed| listed.descriptor.clone()).take(entries).collect();
                Answer::Referrers { entries: found, complete: package.complete, more: false, why: None }
            }
            _ => Answer::Failed(Failure::WrongAnswer),
        };
        search.answer(answer);
    }
    search.finish().map(|artifact| artifact.get().descriptor().digest)
}

fn failure(unhad: Unhad) -> Failure {
    match unhad {
        Unhad::Absent => Failure::NotFound,
        Unhad::TooLarge { limit, .. } => Failure::TooLarge { limit, option: "a limit of the device" },
        Unhad::WrongDigest => Failure::WrongDigest,
        Unhad::Medium => Failure::Unavailable("the medium cannot be read".into()),
    }
}

/// The one layer of the artifact, which is the image.
fn layer(package: &mut Package<'_, impl Medium>, artifact: &Digest) -> Result<Descriptor, Error> {
    let bytes = package.blob(artifact, MAX_DOCUMENT).map_err(|_| Error::OtherImage)?;
    let manifest = Manifest::parse(&bytes).map_err(|_| Error::OtherImage)?;
    let Kind::Image { layers, .. } = manifest.kind else { return Err(Error::NoImage { why: "it is an index" }) };
    match <[Descriptor; 1]>::try_from(layers) {
        Ok([layer]) => Ok(layer),
        Err(_) => Err(Error::NoImage { why: "it does not have exactly one layer" }),
    }
}

/// Copies the image to the slot that is not in use, hashing it on the way; its SHA-256.
fn write(flash: &mut impl Flash, region: Region, package: &mut Package<'_, impl Medium>, layer: &Descriptor) -> Result<Digest, Error> {
    let span = package.place(&layer.digest).filter(|span| span.length == layer.size).ok_or(Error::OtherImage)?;
    let mut hashers: BTreeMap<&str, Hasher> = BTreeMap::new();
    for algorithm in [Algorithm::Sha256, layer.digest.algorithm()] {
        hashers.insert(algorithm.name(), Hasher::new(algorithm));
    }
    let mut writer = region.begin(flash)?;
    let (mut buffer, mut offset) = ([0; CHUNK], 0_u64);
    while offset < span.length {
        let count = usize::try_from(span.length - offset).unwrap_or(CHUNK).min(CHUNK);
        let chunk = buffer.get_mut(..count).ok_or(FlashError)?;
        package.read(span, offset, chunk)?;
        hashers.values_mut().for_each(|hasher| hasher.update(chunk));
        writer.push(chunk)?;
        offset += u64::try_from(count).unwrap_or(u64::MAX);
    }
    writer.finish()?;
    let mut digests: BTreeMap<&str, Digest> = hashers.into_iter().map(|(name, hasher)| (name, hasher.finish())).collect();
    if digests.get(layer.digest.algorithm().name()) != Some(&layer.digest) {
        return Err(Error::OtherImage);
    }
    digests.remove(Algorithm::Sha256.name()).ok_or(Error::OtherImage)
}
