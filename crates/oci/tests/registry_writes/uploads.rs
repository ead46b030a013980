//! Storing blobs: whole, in chunks, as a stream, from another repository.

use std::io::{self, Read};

use touchmark_envelope::digest::Algorithm;
use touchmark_oci::{Class, Error, Source, Store};
use touchmark_test_registry::{Action, Fault, Settings, When};

use super::*;

/// Larger than what is sent at once.
const LARGE: usize = (20 << 20) + 7;

fn content(size: usize) -> Vec<u8> {
    let pattern: Vec<u8> = (0..251).collect();
    let mut content = pattern.repeat(size / pattern.len() + 1);
    content.truncate(size);
    content
}

fn described(bytes: &[u8]) -> Descriptor {
    Descriptor::new("application/octet-stream", Algorithm::Sha256.digest(bytes), u64::try_from(bytes.len()).unwrap())
}

/// The requests that were not HEAD.
fn written(server: &TestRegistry) -> Vec<String> {
    requests(server).into_iter().filter(|request| !request.starts_with("HEAD")).collect()
}

const BEGIN: &str = "POST blobs/uploads/";
const WHOLE: &str = "PUT blobs/uploads/...";
const CHUNK: &str = "PATCH blobs/uploads/...";
const STATUS: &str = "GET blobs/uploads/...";
const CANCEL: &str = "DELETE blobs/uploads/...";

#[test]
fn blobs_of_every_size_arrive_whole() {
    let (server, registry) = started(Settings::default());
    for size in [0, 1, (8 << 20) - 1, 8 << 20, (8 << 20) + 1, LARGE] {
        let bytes = content(size);
        let known = described(&bytes);
        assert_eq!(registry.put_blob(Some(&known), &mut bytes.as_slice()).unwrap(), known, "{size}");
        assert_eq!(server.blob(REPOSITORY, &known.digest.to_string()), Some(bytes.clone()), "{size}");
        server.lose_blob(REPOSITORY, &known.digest.to_string());
        // Without knowing what comes.
        assert_eq!(registry.put_blob(None, &mut bytes.as_slice()).unwrap(), known, "{size}");
        assert_eq!(server.blob(REPOSITORY, &known.digest.to_string()), Some(bytes), "{size}");
    }
    assert_eq!(server.open_uploads(), 0);
    let by_sha512 = Descriptor::new("x", Algorithm::Sha512.digest(b"512"), 3);
    assert_eq!(registry.put_blob(Some(&by_sha512), &mut b"512".as_slice()).unwrap(), by_sha512);
}

#[test]
fn what_is_there_is_neither_read_nor_sent() {
    let (server, registry) = started(Settings::default());
    let bytes = content(100);
    registry.put_blob(None, &mut bytes.as_slice()).unwrap();
    server.clear_log();
    struct Unread;
    impl Read for Unread {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            panic!("read")
        }
    }
    registry.put_blob(Some(&described(&bytes)), &mut Unread).unwrap();
    registry.put_blob(None, &mut bytes.as_slice()).unwrap();
    assert_eq!(requests(&server), [format!("HEAD blobs/{}", described(&bytes).digest), format!("HEAD blobs/{}", described(&bytes).digest)]);
}

#[test]
fn small_blobs_take_two_requests_and_large_ones_go_in_chunks() {
    let (server, registry) = started(Settings::default());
    registry.put_blob(Some(&described(b"small")), &mut b"small".as_slice()).unwrap();
    assert_eq!(written(&server), [BEGIN, WHOLE]);
    server.clear_log();
    let bytes = content(LARGE);
    registry.put_blob(Some(&described(&bytes)), &mut bytes.as_slice()).unwrap();
    assert_eq!(written(&server), [BEGIN, CHUNK, CHUNK, CHUNK, WHOLE]);
    let ranges: Vec<String> = server.log().iter().filter_map(|request| request.header("Content-Range").map(str::to_owned)).collect();
    assert_eq!(ranges, ["0-8388607", "8388608-16777215", "16777216-20971526"]);
}

#[test]
fn chunks_are_as_large_as_the_registry_wants() {
    let bytes = content(LARGE);
    let (server, registry) = started(Settings { chunk_min_length: Some(9 << 20), ..Settings::default() });
    registry.put_blob(Some(&described(&bytes)), &mut bytes.as_slice()).unwrap();
    assert_eq!(written(&server), [BEGIN, CHUNK, CHUNK, CHUNK, WHOLE]);
    assert_eq!(server.log().iter().find_map(|request| request.header("Content-Range").map(str::to_owned)), Some("0-9437183".to_owned()));
    // Larger than what is held in memory.
    let (server, registry) = started(Settings { chunk_min_length: Some(1 << 30), ..Settings::default() });
    registry.put_blob(Some(&described(&bytes)), &mut bytes.as_slice()).unwrap();
    assert_eq!(written(&server), [BEGIN, CANCEL, BEGIN, WHOLE]);
    assert_eq!(server.blob(REPOSITORY, &described(&bytes).digest.to_string()), Some(bytes));
}

#[test]
fn a_registry_without_chunks_gets_a_stream() {
    let (server, registry) = started(Settings { chunked: false, ..Settings::default() });
    let bytes = content(LARGE);
    registry.put_blob(Some(&described(&bytes)), &mut bytes.as_slice()).unwrap();
    assert_eq!(written(&server), [BEGIN, CHUNK, CANCEL, BEGIN, WHOLE]);
    assert_eq!(server.blob(REPOSITORY, &described(&bytes).digest.to_string()), Some(bytes.clone()));
    assert_eq!(server.open_uploads(), 0);
    // A stream needs the digest before its first byte.
    server.lose_blob(REPOSITORY, &described(&bytes).digest.to_string());
    let error = registry.put_blob(None, &mut bytes.as_slice()).unwrap_err();
    assert!(matches!(error, Error::Status { status: 405, .. }), "{error:?}");
}

/// Answers that are lost, and chunks of which nothing arrived: the registry is asked how much it has.
#[test]
fn a_chunk_that_broke_off_goes_on_where_the_registry_says() {
    for action in [Action::status(500), Action::Reset, Action::Lost, Action::Carried(503)] {
        for nth in 1..=3 {
            let (server, registry) = started(Settings::default());
            server.fault(Fault::new(action.clone()).method("PATCH").nth(nth));
            let bytes = content(LARGE);
            registry.put_blob(Some(&described(&bytes)), &mut bytes.as_slice()).unwrap();
            assert_eq!(server.blob(REPOSITORY, &described(&bytes).digest.to_string()).as_ref(), Some(&bytes), "{action:?} {nth}");
            assert!(written(&server).contains(&STATUS.to_owned()));
        }
    }
}

#[test]
fn a_chunk_that_always_fails_is_given_up_and_the_upload_cancelled() {
    let (server, registry) = started(Settings::default());
    server.fault(Fault::new(Action::status(503)).method("PATCH").when(When::From(2)));
    let bytes = content(LARGE);
    let error = registry.put_blob(Some(&described(&bytes)), &mut bytes.as_slice()).unwrap_err();
    assert!(error.is_retryable(), "{error:?}");
    assert_eq!(server.open_uploads(), 0);
    assert_eq!(server.blobs(REPOSITORY).len(), 0);
    server.clear_faults();
    registry.put_blob(Some(&described(&bytes)), &mut bytes.as_slice()).unwrap();
}

/// The blob is stored, and the answer lost: the session is gone when it is tried again.
#[test]
fn a_lost_answer_to_the_last_request_is_no_failure() {
    for size in [100, LARGE] {
        let (server, registry) = started(Settings::default());
        server.fault(Fault::new(Action::Lost).method("PUT").path("blobs/uploads/").nth(1));
        let bytes = content(size);
        registry.put_blob(Some(&described(&bytes)), &mut bytes.as_slice()).unwrap();
        assert_eq!(server.blob(REPOSITORY, &described(&bytes).digest.to_string()), Some(bytes));
    }
    // Gone, and nothing there: begun again.
    let (server, registry) = started(Settings::default());
    server.fault(Fault::new(Action::status(404)).method("PUT").path("blobs/uploads/").nth(1));
    registry.put_blob(Some(&described(b"again")), &mut b"again".as_slice()).unwrap();
    assert_eq!(written(&server), [BEGIN, WHOLE, BEGIN, WHOLE]);
}

#[test]
fn content_that_is_not_as_announced_is_not_stored() {
    for size in [100, LARGE] {
        let (server, registry) = started(Settings::default());
        let bytes = content(size);
        let right = described(&bytes);
        let shorter = Descriptor { size: right.size - 1, ..right.clone() };
        let longer = Descriptor { size: right.size + 1, ..right.clone() };
        let other = Descriptor { digest: Algorithm::Sha256.digest(b"other"), ..right.clone() };
        for (expected, class) in [(shorter, Class::Malformed), (longer, Class::Malformed), (other, Class::WrongDigest)] {
            let error = registry.put_blob(Some(&expected), &mut bytes.as_slice()).unwrap_err();
            assert_eq!(error.class(), class, "{size}: {error:?}");
        }
        let broken = Error::NoSuchBlob { location: "there".to_owned(), digest: right.digest };
        let mut failing = bytes.as_slice().take(right.size - 1).chain(Failing(Some(broken)));
        let error = registry.put_blob(Some(&right), &mut failing).unwrap_err();
        assert!(matches!(error, Error::NoSuchBlob { .. }), "{error:?}");
        assert_eq!((server.blobs(REPOSITORY).len(), server.open_uploads()), (0, 0), "{size}");
    }
    // Neither by a stream.
    let (server, registry) = started(Settings { chunked: false, ..Settings::default() });
    let bytes = content(LARGE);
    let other = Descriptor { digest: Algorithm::Sha256.digest(b"other"), ..described(&bytes) };
    assert!(registry.put_blob(Some(&other), &mut bytes.as_slice()).is_err());
    let mut failing = bytes[..LARGE - 1].chain(Failing(Some(Error::Empty { location: "there".to_owned() })));
    let error = registry.put_blob(Some(&described(&bytes)), &mut failing).unwrap_err();
    assert!(matches!(error, Error::Empty { .. }), "{error:?}");
    assert_eq!(server.blobs(REPOSITORY).len(), 0);
}

/// A source that breaks off.
struct Failing(Option<Error>);

impl Read for Failing {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        match self.0.take() {
            Some(error) => Err(error.into()),
            None => Ok(0),
        }
    }
}

#[test]
fn a_blob_of_the_same_registry_is_mounted() {
    let (server, registry) = started(Settings::default());
    let blob = described(b"mounted");
    server.put_blob("acme/base", b"mounted");
    let base = format!("{}/acme/base", server.host()).parse().unwrap();
    assert!(registry.mount(&blob, &base).unwrap());
    assert_eq!(requests(&server), [BEGIN]);
    assert_eq!(server.blob(REPOSITORY, &blob.digest.to_string()), Some(b"mounted".to_vec()));
    // What is not there, what is elsewhere, and a registry that mounts nothing.
    assert!(!registry.mount(&described(b"missing"), &base).unwrap());
    assert!(!registry.mount(&blob, &"registry.example.com/acme/base".parse().unwrap()).unwrap());
    let (other, without) = started(Settings { mount: false, ..Settings::default() });
    other.put_blob("acme/base", b"mounted");
    assert!(!without.mount(&blob, &format!("{}/acme/base", other.host()).parse().unwrap()).unwrap());
    assert_eq!((server.open_uploads(), other.open_uploads()), (0, 0), "what was opened was cancelled");
    let refusing = Fault::new(Action::status(403)).method("POST");
    server.fault(refusing);
    assert!(!registry.mount(&blob, &base).unwrap());
}

#[test]
fn four_blobs_are_sent_at_the_same_time() {
    let (server, registry) = started(Settings::default());
    assert_eq!(registry.writers(), 4);
    std::thread::scope(|scope| {
        for mark in 0..4_usize {
            let registry = &registry;
            scope.spawn(move || {
                let bytes = content(LARGE + mark);
                registry.put_blob(Some(&described(&bytes)), &mut bytes.as_slice()).unwrap();
            });
        }
    });
    assert_eq!(server.blobs(REPOSITORY).len(), 4);
    assert!(registry.size(&described(&content(LARGE)).digest).unwrap().is_some());
}
