//! Devices, images, and tars as `touchmark copy --trust` writes them.

use std::collections::BTreeMap;

use touchmark_envelope::digest::Algorithm;
use touchmark_envelope::json::Value;
use touchmark_envelope::manifest::{Descriptor, EMPTY_CONFIG, IMAGE_MANIFEST};
use touchmark_envelope::{Digest, UnixTime};
use touchmark_example_firmware::simulated::SimulatedFlash;
use touchmark_example_firmware::{Accept, Device, Settings};
use touchmark_test_tuf_repository::{Delegation, NOW, Repository, Served};

pub(crate) const NAME: &str = "acme/board:stable";
const TRUST: &str = "application/vnd.touchmark.trust.v1";
const LAYER: &str = "application/vnd.touchmark.tuf.metadata.v1+json";
const TITLE: &str = "org.opencontainers.image.title";

pub(crate) fn now() -> UnixTime {
    UnixTime::from_seconds(NOW).unwrap()
}

pub(crate) fn settings(accept: Accept) -> Settings {
    Settings { name: NAME.parse().unwrap(), accept, vault: 16 << 10 }
}

/// An image, which is no multiple of anything.
pub(crate) fn image(number: u8) -> Vec<u8> {
    (0..2_000_u32 + u32::from(number)).map(|index| u8::try_from(index % 251).unwrap() ^ number).collect()
}

pub(crate) fn digest(image: &[u8]) -> Digest {
    Algorithm::Sha256.digest(image)
}

/// The manifest of an image's artifact.
pub(crate) fn manifest(image: &[u8]) -> Vec<u8> {
    let config = Descriptor::new(EMPTY_CONFIG, Algorithm::Sha256.digest(b"{}"), 2);
    let layer = Descriptor::new("application/octet-stream", digest(image), length(image));
    document("application/vnd.acme.firmware", &config, vec![layer])
}

fn length(bytes: &[u8]) -> u64 {
    bytes.len().try_into().unwrap()
}

fn document(artifact_type: &str, config: &Descriptor, layers: Vec<Descriptor>) -> Vec<u8> {
    let layers: Vec<Value<'static>> = layers.iter().map(Descriptor::to_json).collect();
    Value::object([
        ("schemaVersion", Value::from(2_u64)),
        ("mediaType", Value::from(IMAGE_MANIFEST)),
        ("artifactType", Value::from(artifact_type.to_owned())),
        ("config", config.to_json()),
        ("layers", Value::from(layers)),
    ])
    .to_vec()
}

/// A repository in which the publisher acme lists an image as [`NAME`].
pub(crate) fn repository(image: &[u8]) -> Repository {
    let mut repository = Repository::new();
    repository.delegate("targets", Delegation::new("acme").paths(&["acme/*"]).terminating());
    repository.add_target("acme", NAME, &manifest(image));
    repository.publish();
    repository
}

/// The next state of it, in which another image is listed.
pub(crate) fn release(repository: &mut Repository, image: &[u8]) {
    repository.add_target("acme", NAME, &manifest(image));
    repository.publish();
}

/// A tar with images and repositories.
pub(crate) fn tar(images: &[&[u8]], repositories: &[&Repository]) -> Vec<u8> {
    let mut blobs: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let mut listed = Vec::new();
    let mut put = |bytes: Vec<u8>| {
        let digest = Algorithm::Sha256.digest(&bytes);
        let size = length(&bytes);
        blobs.insert(format!("blobs/sha256/{}", digest.hex()), bytes);
        (digest, size)
    };
    put(b"{}".to_vec());
    for image in images {
        put(image.to_vec());
        let (digest, size) = put(manifest(image));
        listed.push(Descriptor::new(IMAGE_MANIFEST, digest, size).to_json());
    }
    for repository in repositories {
        let mut layers = Vec::new();
        for (path, served) in repository.metadata() {
            let Served::File(bytes) = served else { panic!("{path} is no file") };
            let (digest, size) = put(bytes.clone());
            let mut layer = Descriptor::new(LAYER, digest, size);
            layer.annotations.insert(TITLE.to_owned(), path.clone());
            layers.push(layer);
        }
        let config = Descriptor::new(EMPTY_CONFIG, Algorithm::Sha256.digest(b"{}"), 2);
        let (digest, size) = put(document(TRUST, &config, layers));
        listed.push(Descriptor::new(IMAGE_MANIFEST, digest, size).to_json());
    }
    let index = Value::object([("schemaVersion", Value::from(2_u64)), ("manifests", Value::from(listed))]).to_vec();
    let mut tar = Vec::new();
    member(&mut tar, "oci-layout", b'0', br#"{"imageLayoutVersion":"1.0.0"}"#);
    member(&mut tar, "index.json", b'0', &index);
    member(&mut tar, "blobs/sha256/", b'5', b"");
    for (name, bytes) in blobs {
        member(&mut tar, &name, b'0', &bytes);
    }
    tar.extend_from_slice(&[0; 1024]);
    tar
}

/// Adds a member to a tar.
pub(crate) fn member(tar: &mut Vec<u8>, name: &str, kind: u8, content: &[u8]) {
    let mut header = [0_u8; 512];
    header[..name.len()].copy_from_slice(name.as_bytes());
    header[124..135].copy_from_slice(format!("{:011o}", content.len()).as_bytes());
    header[148..156].fill(b' ');
    header[156] = kind;
    header[257..265].copy_from_slice(b"ustar\x0000");
    let sum: u64 = header.iter().map(|byte| u64::from(*byte)).sum();
    header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    tar.extend_from_slice(&header);
    tar.extend_from_slice(content);
    tar.resize(tar.len().next_multiple_of(512), 0);
}

/// A device that was made with the first image, and a repository that lists it.
pub(crate) fn device() -> (Device<SimulatedFlash>, Repository) {
    let repository = repository(&image(1));
    let mut device = Device::new(SimulatedFlash::new(64 << 10, 1024, 64), settings(Accept::Entries)).unwrap();
    device.provision(repository.file("1.root.json"), &image(1), now()).unwrap();
    (device, repository)
}

/// Another device with the same flash.
pub(crate) fn again(device: &mut Device<SimulatedFlash>) -> Device<SimulatedFlash> {
    Device::new(device.flash_mut().clone(), settings(Accept::Entries)).unwrap()
}
