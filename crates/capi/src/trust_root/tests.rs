use std::ptr;

use touchmark_test_tuf_repository::{Delegation, EXPIRES_SECONDS, Fetched as Had, NOW, Repository, Served};

use super::*;
use crate::sink::{touchmark_sink, touchmark_sink_append, touchmark_sink_fail};
use crate::source::tests::{json, signed};
use crate::standing::touchmark_standing_expires;
use crate::status::{TOUCHMARK_STATUS_IO_ERROR, TOUCHMARK_STATUS_WRONG_STATE};
use crate::testing::{Owned, Seen, failed, made, text as shown, view};
use crate::testing_folder::{Folder, buffer};
use crate::tuf::tests::{NAME, repository};

const FILE: &str = "_touchmark/policy.json";

fn root() -> Vec<u8> {
    repository().file("1.root.json").to_vec()
}

fn open(metadata: &str, store: &str, at: i64) -> Result<Owned<touchmark_trust_root>, Seen> {
    let root = root();
    // SAFETY: the views and the places are the test's.
    made(|out, error| unsafe { touchmark_trust_root_open(view(&root), view(metadata), view(store), at, out, error) })
}

fn standing(trust: &Owned<touchmark_trust_root>, name: &str) -> Result<Owned<touchmark_standing>, Seen> {
    // SAFETY: the handle, the view and the places are the test's.
    made(|out, error| unsafe { touchmark_trust_root_standing(trust.0, view(name), out, error) })
}

fn target(trust: &Owned<touchmark_trust_root>, path: &str) -> Result<String, Seen> {
    // SAFETY: the handle, the view and the places are the test's.
    buffer(made(|out, error| unsafe { touchmark_trust_root_target(trust.0, view(path), out, error) }))
}

fn notes(trust: &Owned<touchmark_trust_root>) -> String {
    // SAFETY: the handle and the places are the test's.
    buffer(made(|out, error| unsafe { touchmark_trust_root_notes_json(trust.0, out, error) })).unwrap()
}

/// What the functions of a test work on.
struct World {
    repository: Repository,
    /// They fail, saying this.
    failing: Option<&'static str>,
    /// They give a byte more than they are asked for.
    overflowing: bool,
    trust: *mut touchmark_trust_root,
    again: Vec<touchmark_status>,
}

impl World {
    fn new(repository: Repository) -> Self {
        Self { repository, failing: None, overflowing: false, trust: ptr::null_mut(), again: Vec::new() }
    }

    fn open(&mut self, store: &str, targets: touchmark_fetch_fn) -> Result<Owned<touchmark_trust_root>, Seen> {
        // The one before may be freed by now.
        self.trust = ptr::null_mut();
        let (root, world) = (root(), ptr::from_mut(self).cast());
        // SAFETY: the views, the functions and the places are the test's.
        let opened = made(|out, error| unsafe {
            touchmark_trust_root_open_with(view(&root), Some(fetch_metadata), targets, world, view(store), NOW, out, error)
        })?;
        self.trust = opened.0;
        Ok(opened)
    }

    /// # Safety
    /// `userdata` is a world that nobody else uses, and the sink lives.
    unsafe fn fetched(
        userdata: *mut c_void,
        limit: u64,
        sink: *mut touchmark_sink,
        had: impl FnOnce(&Repository) -> Had,
    ) -> touchmark_status {
        // SAFETY: the promise that this function asks for; the trust root is the test's.
        unsafe {
            let world = &mut *userdata.cast::<Self>();
            if !world.trust.is_null() {
                let mut out = ptr::null_mut();
                world.again.push(touchmark_trust_root_notes_json(world.trust, &raw mut out, ptr::null_mut()));
                world.again.push(touchmark_trust_root_target(world.trust, view(FILE), &raw mut out, ptr::null_mut()));
            }
            if let Some(why) = world.failing {
                touchmark_sink_fail(sink, view(why));
                return TOUCHMARK_STATUS_IO_ERROR;
            }
            if world.overflowing {
                let more = vec![b' '; usize::try_from(limit).unwrap() + 1];
                return touchmark_sink_append(sink, view(&more));
            }
            match had(&world.repository) {
                Had::File(bytes) => touchmark_sink_append(sink, view(&bytes)),
                Had::Absent => TOUCHMARK_STATUS_NOT_FOUND,
                Had::Failed | Had::TooLong => TOUCHMARK_STATUS_IO_ERROR,
            }
        }
    }
}

unsafe extern "C" fn fetch_metadata(
    userdata: *mut c_void,
    path: touchmark_bytes,
    limit: u64,
    sink: *mut touchmark_sink,
) -> touchmark_status {
    // SAFETY: the library calls it with the test's world, and with a sink and a view that live as long.
    unsafe { World::fetched(userdata, limit, sink, |repository| repository.fetch(&shown(path), limit)) }
}

unsafe extern "C" fn fetch_target(userdata: *mut c_void, path: touchmark_bytes, limit: u64, sink: *mut touchmark_sink) -> touchmark_status {
    // SAFETY: the library calls it with the test's world, and with a sink and a view that live as long.
    unsafe { World::fetched(userdata, limit, sink, |repository| repository.fetch_target(&shown(path), limit)) }
}

#[test]
fn a_folder_is_brought_up_to_date_and_asked() {
    let folder = Folder::new();
    let mut repository = repository();
    repository.write_to(folder.path("served").as_ref()).unwrap();
    let (metadata, store) = (folder.path("served/metadata"), folder.path("store"));
    let trust = open(&metadata, &store, NOW).unwrap();
    assert!(notes(&trust).starts_with(r#"["no rollback history"#));
    let known = standing(&trust, NAME).unwrap();
    assert_eq!(target(&trust, FILE).unwrap(), "a policy");
    assert_eq!(failed(target(&trust, "_touchmark/none")), ("NOT_FOUND", "target-not-listed".into()));
    assert_eq!(failed(target(&trust, "/x")).0, "INVALID_NAME");
    assert_eq!(failed(standing(&trust, "Not a name")).0, "INVALID_NAME");
    drop(trust);
    // What was made by it stays.
    // SAFETY: the handle is the test's.
    assert_eq!(unsafe { touchmark_standing_expires(known.0) }, EXPIRES_SECONDS);
    assert_eq!(notes(&open(&metadata, &store, NOW).unwrap()), "[]");
    // An older one is not accepted any more, in this store.
    let older = repository.clone();
    repository.bump("timestamp");
    repository.push("timestamp");
    repository.write_to(folder.path("served").as_ref()).unwrap();
    open(&metadata, &store, NOW).unwrap();
    older.write_to(folder.path("served").as_ref()).unwrap();
    assert_eq!(failed(open(&metadata, &store, NOW)), ("ROLLBACK", "tuf-rollback".into()));
    assert_eq!(failed(open(&metadata, &folder.path("other"), EXPIRES_SECONDS)), ("EXPIRED_METADATA", "tuf-expired".into()));
}

#[test]
fn a_folder_that_is_not_there_is_not_asked_and_what_the_store_has_is_taken() {
    let folder = Folder::new();
    repository().write_to(folder.path("served").as_ref()).unwrap();
    let (metadata, store) = (folder.path("served/metadata"), folder.path("store"));
    assert_eq!(failed(open(&folder.path("none"), &store, NOW)).0, "UNKNOWN");
    standing(&open(&metadata, &store, NOW).unwrap(), NAME).unwrap();
    let trust = open(&folder.path("none"), &store, NOW).unwrap();
    assert!(notes(&trust).contains("not refreshed since 2026-11-28T00:00:00Z"));
    assert!(standing(&trust, NAME).is_ok());
    drop(trust);
    assert_eq!(failed(open(&folder.path("none"), &store, EXPIRES_SECONDS)).0, "EXPIRED_METADATA");
}

#[test]
fn functions_of_the_caller_are_asked() {
    let (folder, mut world) = (Folder::new(), World::new(repository()));
    let store = folder.path("store");
    let trust = world.open(&store, Some(fetch_target)).unwrap();
    assert!(standing(&trust, NAME).is_ok());
    assert_eq!(target(&trust, FILE).unwrap(), "a policy");
    // Out of them the trust root cannot be used.
    assert!(!world.again.is_empty() && world.again.iter().all(|status| *status == TOUCHMARK_STATUS_WRONG_STATE), "{:?}", world.again);
    drop(trust);
    world.trust = ptr::null_mut();
    // Kept: a function that fetches targets is not needed for it.
    let trust = world.open(&store, None).unwrap();
    assert_eq!(target(&trust, FILE).unwrap(), "a policy");
    drop(trust);
    world.trust = ptr::null_mut();
    let trust = world.open(&folder.path("other"), None).unwrap();
    let seen = target(&trust, FILE).err().unwrap();
    assert!(seen.status == "UNKNOWN" && seen.message.contains("no function"), "{seen:?}");
}

#[test]
fn a_function_that_fails_is_a_place_that_cannot_be_reached() {
    let (folder, mut world) = (Folder::new(), World::new(repository()));
    let store = folder.path("store");
    world.failing = Some("no route");
    let seen = world.open(&store, None).err().unwrap();
    assert_eq!((seen.status, seen.code.as_str()), ("UNKNOWN", "tuf-fetch"));
    assert!(seen.message.contains("no route") && seen.json.contains(r#""callback_status":702"#), "{seen:?}");
    // With what was accepted before it goes on, and says so.
    world.failing = None;
    drop(world.open(&store, None).unwrap());
    (world.failing, world.trust) = (Some("no route"), ptr::null_mut());
    let trust = world.open(&store, Some(fetch_target)).unwrap();
    assert!(notes(&trust).contains("no route"));
    // What it never had, it cannot know now: who takes the store alone fetches no metadata.
    assert_eq!(failed(standing(&trust, NAME)), ("UNKNOWN", "tuf-missing".into()));
    let seen = target(&trust, FILE).err().unwrap();
    assert_eq!((seen.status, seen.code.as_str()), ("UNKNOWN", "target-fetch"));
    assert!(seen.message.contains("no route") && seen.json.contains(r#""callback_status":702"#), "{seen:?}");
    world.failing = None;
    assert_eq!(target(&trust, FILE).unwrap(), "a policy");
}

#[test]
fn a_function_that_gives_too_much_has_found_nothing_that_is_taken() {
    let (folder, mut world) = (Folder::new(), World::new(repository()));
    world.overflowing = true;
    let seen = world.open(&folder.path("none"), None).err().unwrap();
    assert!(seen.status == "UNKNOWN" && seen.code == "tuf-fetch" && !seen.json.contains("callback_status"), "{seen:?}");
    world.overflowing = false;
    let trust = world.open(&folder.path("store"), Some(fetch_target)).unwrap();
    world.overflowing = true;
    // With so many bytes it is not the file that is listed.
    assert_eq!(failed(target(&trust, FILE)), ("NOT_VERIFIED", "target-length".into()));
    world.overflowing = false;
    assert_eq!(target(&trust, FILE).unwrap(), "a policy");
}

#[test]
fn targets_that_are_others_are_not_given() {
    let folder = Folder::new();
    let mut other = repository();
    let paths: Vec<String> = other.targets().keys().filter(|path| path.starts_with("_touchmark")).cloned().collect();
    for path in paths {
        other.serve_target(&path, Served::File(b"a Policy".to_vec()));
    }
    other.write_to(folder.path("served").as_ref()).unwrap();
    let trust = open(&folder.path("served/metadata"), &folder.path("store"), NOW).unwrap();
    assert_eq!(failed(target(&trust, FILE)), ("NOT_VERIFIED", "target-hash".into()));
}

#[test]
fn arguments_are_checked_before_anything_is_made() {
    let folder = Folder::new();
    repository().write_to(folder.path("served").as_ref()).unwrap();
    let (metadata, store) = (folder.path("served/metadata"), folder.path("store"));
    assert_eq!(failed(open("", &store, NOW)).0, "INVALID_ARGUMENT");
    assert_eq!(failed(open(&metadata, "", NOW)).0, "INVALID_ARGUMENT");
    assert_eq!(failed(open(&metadata, &store, 0)).0, "INVALID_TIME");
    let root = root();
    // SAFETY: the views and the places are the test's; NULL is no function.
    let none = made(|out, error| unsafe {
        touchmark_trust_root_open_with(view(&root), None, None, ptr::null_mut(), view(&store), NOW, out, error)
    });
    assert_eq!(failed(none).0, "NULL_POINTER");
    assert!(!std::path::Path::new(&store).exists());
    let open_by = |root: &[u8]| {
        // SAFETY: the views and the places are the test's.
        made(|out, error| unsafe { touchmark_trust_root_open(view(root), view(&metadata), view(&store), NOW, out, error) })
    };
    for garbage in [&b""[..], b"{", b"\xff", b"{\"signed\":{},\"signatures\":[]}"] {
        assert_eq!(failed(open_by(garbage)).0, "UNTRUSTED_METADATA");
        assert!(!std::path::Path::new(&store).exists());
    }
    drop(open_by(&root).unwrap());
    let mut other = repository();
    other.expire("root", "2031-01-01T00:00:00Z");
    other.publish();
    assert_eq!(failed(open_by(other.file("2.root.json"))), ("INVALID_ARGUMENT", "trust-another-history".into()));
    drop(open_by(&root).unwrap());
}

fn verify(trust: &Owned<touchmark_trust_root>, tag: &str, name: &str, platform: &str) -> Result<Owned<touchmark_verified_artifact>, Seen> {
    let source = signed(tag);
    // SAFETY: the handles, the views and the places are the test's.
    made(|out, error| unsafe { touchmark_trust_root_verify(trust.0, source.0, view(name), view(platform), NOW, out, error) })
}

/// A repository whose entry for `acme/x:1` is the artifact `v1`, with a policy of its own.
fn with_policy(policy: Option<&str>) -> (Folder, Owned<touchmark_trust_root>) {
    let (folder, source) = (Folder::new(), signed("v1"));
    // SAFETY: the handle and the places are the test's.
    let manifest = buffer(made(|out, error| unsafe { crate::source::touchmark_source_manifest(source.0, out, error) })).unwrap();
    let mut repository = Repository::new();
    repository.delegate("targets", Delegation::new("acme").paths(&["acme/*"]).terminating());
    repository.add_target("acme", "acme/x:1", manifest.as_bytes());
    if let Some(policy) = policy {
        repository.add_target("targets", FILE, policy.as_bytes());
    }
    repository.publish();
    repository.write_to(folder.path("served").as_ref()).unwrap();
    let (root, metadata, store) = (repository.file("1.root.json").to_vec(), folder.path("served/metadata"), folder.path("store"));
    // SAFETY: the views and the places are the test's.
    let trust = made(|out, error| unsafe { touchmark_trust_root_open(view(&root), view(&metadata), view(&store), NOW, out, error) });
    (folder, trust.unwrap())
}

#[test]
fn a_trust_root_decides_with_the_policy_that_its_repository_signs() {
    let own = |rule: &str| with_policy(Some(&format!(r#"{{"version":1,"rules":[{rule}]}}"#)));
    for (policy, rejected) in [
        (r#"{"names":"acme/**","trust":"self"}"#, None),
        (r#"{"names":"acme/**","reject":true}"#, Some(("POLICY_REJECTED", "policy-rejects"))),
        (r#"{"names":"other/**","trust":"self"}"#, Some(("POLICY_REJECTED", "no-rule"))),
        (r#"{"names":"acme/**","trust":"self","role":"other"}"#, Some(("NOT_VERIFIED", "other-role"))),
    ] {
        let (_folder, trust) = own(policy);
        let verified = verify(&trust, "v1", "acme/x:1", "");
        match rejected {
            Some((status, code)) => assert_eq!(failed(verified), (status, code.into()), "{policy}"),
            None => {
                let told = json(&verified.unwrap());
                assert!(told.contains(r#""accepted_by":"entry""#) && told.contains(r#""signed_policy":{"rule":1"#), "{told}");
            }
        }
        // What the metadata says of the name is no more than that.
        standing(&trust, "acme/x:1").unwrap();
    }
    let (_folder, trust) = own("{}");
    assert_eq!(failed(verify(&trust, "v1", "acme/x:1", "")).0, "UNTRUSTED_METADATA");
}

#[test]
fn a_trust_root_decides_under_a_name() {
    let (_folder, trust) = with_policy(None);
    for name in ["acme/x:1", "acme/x:*"] {
        assert!(json(&verify(&trust, "v1", name, "").unwrap()).contains(r#""rollback_protected":true"#), "{name}");
    }
    assert_eq!(failed(verify(&trust, "unsigned", "acme/x:1", "")).0, "NOT_VERIFIED");
    assert_eq!(failed(verify(&trust, "v1", "acme/y:1", "")).0, "NOT_VERIFIED");
    assert_eq!(failed(verify(&trust, "none", "acme/x:1", "")).0, "UNKNOWN");
    for name in ["", "acme", "x\0"] {
        assert_eq!(failed(verify(&trust, "v1", name, "")).0, "INVALID_NAME", "{name}");
    }
    assert_eq!(failed(verify(&trust, "v1", "acme/x:1", "linux")).0, "INVALID_ARGUMENT");
    assert_eq!(failed(verify(&trust, "v1", "acme/x:1", "linux/amd64")).0, "UNKNOWN");
}

/// The repository lists a policy, and nobody fetches it: whether it accepts is not known.
#[test]
fn a_policy_that_cannot_be_had_is_not_one_that_accepts() {
    let (folder, source) = (Folder::new(), signed("v1"));
    // SAFETY: the handle and the places are the test's.
    let manifest = buffer(made(|out, error| unsafe { crate::source::touchmark_source_manifest(source.0, out, error) })).unwrap();
    let mut repository = repository();
    repository.add_target("targets", NAME, manifest.as_bytes());
    repository.publish();
    let mut world = World::new(repository);
    let store = folder.path("store");
    let trust = world.open(&store, None).unwrap();
    assert_eq!(failed(verify(&trust, "v1", NAME, "")).0, "UNKNOWN");
    drop(trust);
    world.failing = None;
    let trust = world.open(&store, Some(fetch_metadata)).unwrap();
    world.failing = Some("no way");
    let seen = verify(&trust, "v1", NAME, "").err().unwrap();
    assert!(seen.status == "UNKNOWN" && seen.json.contains("\"callback_status\""), "{seen:?}");
}

/// Notes are looked at by several threads at once, or not at all: a look never breaks another.
#[test]
fn threads_may_look_at_notes_at_once() {
    let (_folder, trust) = with_policy(None);
    let expected = notes(&trust);
    let at = trust.0.expose_provenance();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..500 {
                    let shared = std::mem::ManuallyDrop::new(Owned(ptr::with_exposed_provenance_mut::<touchmark_trust_root>(at)));
                    assert_eq!(notes(&shared), expected);
                }
            });
        }
    });
}

/// As with the command line, which ends with 6 and 4: a place that gives something else is malformed, and no evidence that does not suffice.
#[test]
fn a_policy_that_is_not_what_is_listed_is_malformed_and_a_huge_one_is_not_to_be_had() {
    let (folder, source) = (Folder::new(), signed("v1"));
    // SAFETY: the handle and the places are the test's.
    let manifest = buffer(made(|out, error| unsafe { crate::source::touchmark_source_manifest(source.0, out, error) })).unwrap();
    let mut other = repository();
    other.add_target("targets", NAME, manifest.as_bytes());
    other.publish();
    let mut huge = other.clone();
    huge.set("targets", "/targets/_touchmark~1policy.json/length", 1_u64 << 30);
    huge.publish();
    let paths: Vec<String> = other.targets().keys().filter(|path| path.starts_with("_touchmark")).cloned().collect();
    for path in paths {
        other.serve_target(&path, Served::File(b"a Policy".to_vec()));
    }
    for (repository, place, expected) in [(other, "other", ("MALFORMED", "target-hash")), (huge, "huge", ("UNKNOWN", "target-too-large"))] {
        repository.write_to(folder.path(place).as_ref()).unwrap();
        let metadata = folder.path(&format!("{place}/metadata"));
        let trust = open(&metadata, &folder.path(&format!("{place}/store")), NOW).unwrap();
        assert_eq!(failed(verify(&trust, "v1", NAME, "")), (expected.0, expected.1.into()));
    }
}
