//! Blobs: each way to push one, and pulling it whole and in part.

use touchmark_test_registry::{Settings, TestRegistry, sha256, sha512};

use crate::client::{Client, location};

const UPLOADS: &str = "/v2/acme/app/blobs/uploads/";

fn start() -> (TestRegistry, Client) {
    started(Settings::default())
}

fn started(settings: Settings) -> (TestRegistry, Client) {
    let registry = TestRegistry::start(settings);
    let client = Client::new(&registry.host());
    (registry, client)
}

fn blob(digest: &str) -> String {
    format!("/v2/acme/app/blobs/{digest}")
}

#[test]
fn a_blob_is_pushed_by_post_and_put() {
    let (registry, mut client) = start();
    let answer = client.push_blob("acme/app", b"content").is(201);
    assert_eq!(location(&answer), blob(&sha256(b"content")));
    let got = client.get(&location(&answer)).is(200);
    assert_eq!((got.body.as_slice(), got.header("docker-content-digest")), (&b"content"[..], Some(sha256(b"content").as_str())));
    let head = client.send("HEAD", &blob(&sha256(b"content")), &[], b"").is(200);
    assert_eq!((head.header("content-length"), head.body.len()), (Some("7"), 0));
    assert_eq!(client.get(&blob(&sha256(b"other"))).is(404).code(), "BLOB_UNKNOWN");
    assert_eq!(registry.open_uploads(), 0);
    assert_eq!(registry.blobs("acme/app"), [sha256(b"content")]);
}

#[test]
fn a_blob_is_pushed_by_one_post_where_that_is_known() {
    let (registry, mut client) = start();
    let path = format!("{UPLOADS}?digest={}", sha256(b"content"));
    client.send("POST", &path, &[], b"content").is(201);
    assert_eq!(registry.blob("acme/app", &sha256(b"content")).unwrap(), b"content");

    let (registry, mut client) = started(Settings { monolithic_post: false, ..Settings::default() });
    client.send("POST", &path, &[], b"content").is(202);
    assert_eq!(registry.blob("acme/app", &sha256(b"content")), None);
}

#[test]
fn a_blob_under_a_wrong_digest_is_refused() {
    let (registry, mut client) = start();
    let place = location(&client.send("POST", UPLOADS, &[], b"").is(202));
    let put = client.send("PUT", &format!("{place}&digest={}", sha256(b"other")), &[], b"content").is(400);
    assert_eq!(put.code(), "DIGEST_INVALID");
    let post = client.send("POST", &format!("{UPLOADS}?digest={}", sha256(b"other")), &[], b"content").is(400);
    assert_eq!(post.code(), "DIGEST_INVALID");
    assert_eq!(client.send("POST", &format!("{UPLOADS}?digest=sha256:12"), &[], b"content").is(400).code(), "DIGEST_INVALID");
    assert!(registry.blobs("acme/app").is_empty());
}

#[test]
fn sha512_is_a_digest_too_whatever_the_session_hashed() {
    let (registry, mut client) = start();
    for path in [UPLOADS.to_owned(), format!("{UPLOADS}?digest-algorithm=sha512")] {
        let place = location(&client.send("POST", &path, &[], b"").is(202));
        client.send("PUT", &format!("{place}&digest={}", sha512(b"content")), &[], b"content").is(201);
    }
    assert_eq!(registry.blobs("acme/app"), [sha512(b"content")]);
    client.send("POST", &format!("{UPLOADS}?digest-algorithm=md5"), &[], b"").is(400);
}

#[test]
fn chunks_come_in_order_and_the_session_says_how_far_it_got() {
    let (registry, mut client) = start();
    let place = location(&client.send("POST", UPLOADS, &[], b"").is(202));
    let first = client.send("PATCH", &place, &[("Content-Range", "0-3")], b"cont").is(202);
    assert_eq!(first.header("range"), Some("0-3"));
    let again = client.send("PATCH", &location(&first), &[("Content-Range", "0-3")], b"cont").is(416);
    assert_eq!(again.header("range"), Some("0-3"));
    client.send("PATCH", &location(&first), &[("Content-Range", "5-6")], b"nt").is(416);
    client.send("PATCH", &location(&first), &[("Content-Range", "4-6")], b"en").is(400);
    let status = client.get(&location(&first)).is(204);
    assert_eq!(status.header("range"), Some("0-3"));
    let put = format!("{}&digest={}", location(&status), sha256(b"content"));
    client.send("PUT", &put, &[("Content-Range", "3-5")], b"ent").is(416);
    client.send("PUT", &put, &[("Content-Range", "4-6")], b"ent").is(201);
    assert_eq!(registry.blob("acme/app", &sha256(b"content")).unwrap(), b"content");
    assert_eq!(client.get(&location(&status)).is(404).code(), "BLOB_UPLOAD_UNKNOWN");
}

#[test]
fn an_upload_that_broke_off_goes_on_where_it_was() {
    let (registry, mut client) = start();
    let place = location(&client.send("POST", UPLOADS, &[], b"").is(202));
    let mut breaking = Client::new(&registry.host());
    breaking.raw(format!("PATCH {place} HTTP/1.1\r\nHost: x\r\nContent-Length: 7\r\nContent-Range: 0-6\r\n\r\ncont").as_bytes()).unwrap();
    drop(breaking);
    // It has come when the session, which is locked meanwhile, says so.
    let status = (0..10_000).map(|_| client.get(&place).is(204)).find(|status| status.header("range") == Some("0-3"));
    let rest = format!("{}&digest={}", location(&status.unwrap()), sha256(b"content"));
    client.send("PUT", &rest, &[("Content-Range", "4-6")], b"ent").is(201);
    assert_eq!(registry.blob("acme/app", &sha256(b"content")).unwrap(), b"content");
}

#[test]
fn a_session_is_cancelled_and_belongs_to_its_location() {
    let (registry, mut client) = start();
    let place = location(&client.send("POST", UPLOADS, &[], b"").is(202));
    assert_eq!(registry.open_uploads(), 1);
    client.get(place.split('?').next().unwrap()).is(404);
    client.get(&place.replace("acme/app", "acme/other")).is(404);
    client.send("DELETE", &place, &[], b"").is(204);
    assert_eq!(registry.open_uploads(), 0);
    client.send("PATCH", &place, &[], b"content").is(404);
}

#[test]
fn a_blob_is_mounted_from_another_repository() {
    let (registry, mut client) = start();
    let digest = registry.put_blob("acme/app", b"content");
    let mount = |from: &str| format!("/v2/acme/other/blobs/uploads/?mount={digest}{from}");
    client.send("POST", &mount("&from=acme/none"), &[], b"").is(202);
    let answer = client.send("POST", &mount("&from=acme/app"), &[], b"").is(201);
    assert_eq!(location(&answer), format!("/v2/acme/other/blobs/{digest}"));
    client.get(&location(&answer)).is(200);

    let (registry, mut client) = started(Settings { mount: false, ..Settings::default() });
    registry.put_blob("acme/app", b"content");
    client.send("POST", &mount("&from=acme/app"), &[], b"").is(202);
    assert_eq!(registry.blobs("acme/other"), [""; 0]);
}

#[test]
fn a_least_chunk_is_named_and_asked_for() {
    let (_registry, mut client) = started(Settings { chunk_min_length: Some(4), ..Settings::default() });
    let begun = client.send("POST", UPLOADS, &[], b"").is(202);
    assert_eq!(begun.header("oci-chunk-min-length"), Some("4"));
    let first = location(&client.send("PATCH", &location(&begun), &[("Content-Range", "0-3")], b"cont").is(202));
    let short = location(&client.send("PATCH", &first, &[("Content-Range", "4-5")], b"en").is(202));
    client.send("PATCH", &short, &[("Content-Range", "6-9")], b"tent").is(400);
}

#[test]
fn chunks_may_be_refused_and_locations_be_absolute() {
    let origin = "http://127.0.0.2:9".to_owned();
    let (_registry, mut client) = started(Settings { chunked: false, upload_origin: Some(origin.clone()), ..Settings::default() });
    let begun = client.send("POST", UPLOADS, &[], b"").is(202);
    assert!(begun.header("location").unwrap().starts_with(&origin));
    client.send("PATCH", &location(&begun), &[], b"content").is(405);
    client.send("PUT", &format!("{}&digest={}", location(&begun), sha256(b"content")), &[], b"content").is(201);
}

#[test]
fn bodies_come_chunked_and_after_being_asked_for() {
    let (registry, mut client) = start();
    let place = location(&client.send("POST", UPLOADS, &[], b"").is(202));
    client
        .raw(
            format!("PATCH {place} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ncont\r\n3;x=y\r\nent\r\n0\r\n\r\n")
                .as_bytes(),
        )
        .unwrap();
    assert_eq!(client.read(false).unwrap().is(202).header("range"), Some("0-6"));
    let put =
        format!("PUT {place}&digest={} HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n", sha256(b"content!"));
    client.raw(put.as_bytes()).unwrap();
    assert_eq!(client.read(false).unwrap().status, 100);
    client.raw(b"!").unwrap();
    client.read(false).unwrap().is(201);
    assert_eq!(registry.blob("acme/app", &sha256(b"content!")).unwrap(), b"content!");
    assert_eq!(registry.log().last().unwrap().connection, 1, "one connection");
}

#[test]
fn a_part_of_a_blob_is_pulled() {
    let (registry, mut client) = start();
    let digest = registry.put_blob("acme/app", b"content");
    let part = client.send("GET", &blob(&digest), &[("Range", "bytes=3-")], b"").is(206);
    assert_eq!((part.text().as_str(), part.header("content-range")), ("tent", Some("bytes 3-6/7")));
    let outside = client.send("GET", &blob(&digest), &[("Range", "bytes=7-")], b"").is(416);
    assert_eq!(outside.header("content-range"), Some("bytes */7"));
    registry.change(|settings| settings.ranges = false);
    assert_eq!(client.send("GET", &blob(&digest), &[("Range", "bytes=3-")], b"").is(200).text(), "content");
}

#[test]
fn blobs_are_deleted_unless_that_is_off() {
    let (registry, mut client) = start();
    let digest = registry.put_blob("acme/app", b"content");
    registry.change(|settings| settings.delete_manifests = false);
    client.send("DELETE", &blob(&digest), &[], b"").is(405);
    registry.change(|settings| settings.delete_manifests = true);
    client.send("DELETE", &blob(&digest), &[], b"").is(202);
    client.send("DELETE", &blob(&digest), &[], b"").is(404);
    client.get(&blob(&digest)).is(404);
}

#[test]
fn large_blobs_lie_in_the_folder_as_long_as_the_registry_holds_them() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("test-registry-folder");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    let files = || std::fs::read_dir(&folder).unwrap().count();
    let (registry, mut client) = started(Settings { folder: Some(folder.clone()), ..Settings::default() });
    let large: Vec<u8> = (0..3_000_000_u32).map(|number| number.to_le_bytes()[0]).collect();
    client.push_blob("acme/app", b"small").is(201);
    assert_eq!(files(), 0);
    client.push_blob("acme/app", &large).is(201);
    assert_eq!(files(), 1);
    assert!(client.get(&blob(&sha256(&large))).is(200).body == large);
    let part = client.send("GET", &blob(&sha256(&large)), &[("Range", "bytes=2999990-")], b"").is(206);
    assert_eq!(part.body, large[2_999_990..]);
    drop((registry, client));
    assert_eq!(files(), 0);
}
