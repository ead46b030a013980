use std::io::Read;

use touchmark_envelope::digest::Algorithm;
use touchmark_oci::Source;
use touchmark_oci::error::{Class, Error};
use touchmark_test_registry::{Action, Fault, Settings, When};

use super::*;

/// Bytes that differ from place to place.
fn content(size: usize) -> Vec<u8> {
    (0..size).map(|at| u8::try_from((at * 7 + at / 251) % 256).unwrap()).collect()
}

fn read(registry: &Registry, digest: &Digest) -> Result<Vec<u8>, Error> {
    let (size, mut reader) = registry.blob(digest)?;
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes).map_err(|error| Error::carried(error).unwrap())?;
    assert_eq!(u64::try_from(bytes.len()).unwrap(), size);
    Ok(bytes)
}

#[test]
fn a_blob_is_read_whole_and_its_size_is_told() {
    let (server, registry) = started(Settings::default());
    for size in [0, 1, 100_000] {
        let bytes = content(size);
        let digest: Digest = server.put_blob(REPOSITORY, &bytes).parse().unwrap();
        assert_eq!(registry.size(&digest).unwrap(), Some(u64::try_from(size).unwrap()));
        assert_eq!(read(&registry, &digest).unwrap(), bytes);
    }
    let missing = Algorithm::Sha256.digest(b"missing");
    assert!(matches!(registry.blob(&missing).err(), Some(Error::NoSuchBlob { .. })));
}

#[test]
fn a_download_that_breaks_off_goes_on_where_it_broke() {
    for action in [Action::ResetBody(40_000), Action::Truncate(40_000)] {
        for ranges in [true, false] {
            let (server, registry) = started(Settings { ranges, ..Settings::default() });
            let bytes = content(300_000);
            let digest: Digest = server.put_blob(REPOSITORY, &bytes).parse().unwrap();
            server.fault(Fault::new(action.clone()).path("/blobs/").nth(1));
            assert_eq!(read(&registry, &digest).unwrap(), bytes, "{action:?}");
            let log = server.log();
            assert_eq!(log.len(), 2);
            let range = log[1].header("Range").unwrap().strip_prefix("bytes=").unwrap().strip_suffix('-').unwrap();
            // What the system had taken in when the connection was reset may be lost.
            let from: usize = range.parse().unwrap();
            assert!(from <= 40_000);
            assert_eq!(log[1].status, Some(if ranges { 206 } else { 200 }));
        }
    }
}

#[test]
fn a_download_that_goes_on_breaking_off_fails_and_is_not_taken_for_whole() {
    for action in [Action::ResetBody(1000), Action::Truncate(1000)] {
        let (server, registry) = started(Settings::default());
        let digest: Digest = server.put_blob(REPOSITORY, &content(300_000)).parse().unwrap();
        server.fault(Fault::new(action.clone()).path("/blobs/"));
        let error = read(&registry, &digest).unwrap_err();
        assert_eq!((error.class(), error.code()), (Class::Unavailable, "connection"), "{action:?}");
        // The first time and one attempt to go on.
        assert_eq!(server.log().len(), 2, "{action:?}");
    }
}

#[test]
fn other_bytes_after_a_break_are_found_out() {
    let (server, registry) = started(Settings::default());
    let digest: Digest = server.put_blob(REPOSITORY, &content(300_000)).parse().unwrap();
    server.fault(Fault::new(Action::Truncate(40_000)).path("/blobs/").nth(1));
    server.fault(Fault::new(Action::Body(vec![0; 300_000])).path("/blobs/").when(When::From(2)));
    let error = read(&registry, &digest).unwrap_err();
    assert!(matches!(error.class(), Class::WrongDigest | Class::Unavailable), "{error}");
}

#[test]
fn other_bytes_are_refused() {
    let (server, registry) = started(Settings::default());
    let digest = Algorithm::Sha256.digest(b"content");
    server.put_blob_as(REPOSITORY, &digest.to_string(), b"CONTENT");
    let error = read(&registry, &digest).unwrap_err();
    assert!(matches!(error, Error::WrongDigest { expected, .. } if expected == digest));
    let mut unhashed = Vec::new();
    registry.unhashed_blob(&digest).unwrap().1.read_to_end(&mut unhashed).unwrap();
    assert_eq!(unhashed, b"CONTENT");
}

#[test]
fn a_blob_is_never_larger_than_its_limit_whatever_its_head_says() {
    let (server, registry) = started(Settings::default());
    let digest: Digest = server.put_blob(REPOSITORY, &content(1000)).parse().unwrap();
    assert_eq!(registry.blobs(&[(digest, 999)])[0].as_ref().unwrap_err().class(), Class::Cap);
    assert_eq!(registry.blobs(&[(digest, 1000)])[0].as_ref().unwrap().len(), 1000);
    server.fault(Fault::new(Action::Fill(Vec::new(), b' ', None)).path("/blobs/"));
    assert_eq!(registry.blobs(&[(digest, 1000)])[0].as_ref().unwrap_err().class(), Class::Unavailable);
}

#[test]
fn blobs_behind_a_redirect_are_read() {
    let (server, registry) = started(Settings::default());
    let (storage, _) = started(Settings::default());
    let digest: Digest = storage.put_blob(REPOSITORY, b"content").parse().unwrap();
    let url = format!("{}/v2/{REPOSITORY}/blobs/{digest}", storage.url());
    server.fault(Fault::new(Action::Redirect(url)).path("/blobs/"));
    assert_eq!(read(&registry, &digest).unwrap(), b"content");
}

#[test]
fn another_part_than_was_asked_for_is_refused() {
    for range in [None, Some("bytes 0-299999/300000"), Some("bytes 40000-299999/300001"), Some("bytes */300000")] {
        let (server, registry) = started(Settings::default());
        let digest: Digest = server.put_blob(REPOSITORY, &content(300_000)).parse().unwrap();
        server.fault(Fault::new(Action::Truncate(40_000)).path("/blobs/").nth(1));
        server.fault(Fault::new(Action::Header("Content-Range".to_owned(), range.map(str::to_owned))).path("/blobs/").nth(2));
        let error = read(&registry, &digest).unwrap_err();
        assert_eq!((error.class(), error.code()), (Class::Unavailable, "protocol"), "{range:?}");
    }
}
