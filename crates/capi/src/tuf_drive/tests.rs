use std::mem;
use std::ptr;

use touchmark_test_tuf_repository::{EXPIRES_SECONDS, Fetched as Had, NOW, Repository, Served};

use super::*;
use crate::sink::{touchmark_sink, touchmark_sink_append, touchmark_sink_fail};
use crate::status::{TOUCHMARK_STATUS_IO_ERROR, TOUCHMARK_STATUS_NOT_FOUND, TOUCHMARK_STATUS_TOO_LARGE, TOUCHMARK_STATUS_WRONG_STATE};
use crate::testing::{Seen, done, failed, text, view};
use crate::tuf::tests::{Client, NAME, Store, repository, store};
use crate::tuf::{touchmark_tuf_client_look_up, touchmark_tuf_client_next};

/// What the functions of a test work on, and what they do wrong.
struct World {
    repository: Repository,
    store: Store,
    wrong: Wrong,
    client: *mut touchmark_tuf_client,
    /// What came of a call on the client out of a function.
    again: Vec<touchmark_status>,
    fetched: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Wrong {
    Nothing,
    /// The function of the repository fails, and says why.
    Fetch,
    /// It fails, and says nothing, with a number that is no status.
    FetchSilently,
    /// It says why it fails, and returns success.
    FetchSaysSo,
    /// It gives a byte more than it was asked for, and returns this.
    FetchMore(touchmark_status),
    Load,
    Store,
    Remove,
    /// It says that what it removes is not there.
    RemoveNothing,
    /// They use the client themselves.
    Again,
}

impl World {
    fn new(repository: Repository, wrong: Wrong) -> Self {
        let store = store(&repository);
        Self { repository, store, wrong, client: ptr::null_mut(), again: Vec::new(), fetched: 0 }
    }

    /// # Safety
    /// `userdata` is a world, which nobody else uses.
    unsafe fn of<'a>(userdata: *mut c_void) -> &'a mut Self {
        // SAFETY: the promise that this function asks for.
        unsafe { &mut *userdata.cast::<Self>() }
    }

    fn drive(&mut self, client: &Client) -> Result<(), Seen> {
        self.client = client.0.0;
        self.drive_by(client, |_| {})
    }

    fn drive_by(&mut self, client: &Client, change: impl FnOnce(&mut touchmark_tuf_callbacks)) -> Result<(), Seen> {
        let mut callbacks = touchmark_tuf_callbacks {
            struct_size: size_of::<touchmark_tuf_callbacks>(),
            userdata: ptr::from_mut(self).cast(),
            fetch: Some(fetch),
            load: Some(load),
            store: Some(keep),
            remove: Some(remove),
        };
        change(&mut callbacks);
        // SAFETY: the handle, the structure and the place are the test's.
        done(|error| unsafe { touchmark_tuf_client_drive(client.0.0, &raw const callbacks, error) })
    }
}

unsafe extern "C" fn fetch(userdata: *mut c_void, path: touchmark_bytes, limit: u64, sink: *mut touchmark_sink) -> touchmark_status {
    // SAFETY: the library calls it with the test's world, and with a sink and a view that live as long.
    unsafe {
        let world = World::of(userdata);
        world.fetched += 1;
        match world.wrong {
            Wrong::Fetch => {
                touchmark_sink_fail(sink, view("no route to the mirror"));
                return TOUCHMARK_STATUS_IO_ERROR;
            }
            Wrong::FetchSilently => return 123_456,
            Wrong::FetchSaysSo => {
                touchmark_sink_fail(sink, view("half of it"));
                return TOUCHMARK_STATUS_OK;
            }
            Wrong::FetchMore(status) if limit < 1 << 24 => {
                let more = vec![b' '; usize::try_from(limit).unwrap() + 1];
                assert_eq!(touchmark_sink_append(sink, view(&more)), TOUCHMARK_STATUS_TOO_LARGE);
                assert_eq!(touchmark_sink_append(sink, view("")), TOUCHMARK_STATUS_TOO_LARGE);
                return status;
            }
            _ => {}
        }
        match world.repository.fetch(&text(path), limit) {
            // In pieces.
            Had::File(bytes) => bytes.chunks(100).map(|piece| touchmark_sink_append(sink, view(piece))).max().unwrap_or_default(),
            Had::Absent => TOUCHMARK_STATUS_NOT_FOUND,
            Had::Failed | Had::TooLong => TOUCHMARK_STATUS_IO_ERROR,
        }
    }
}

unsafe extern "C" fn load(userdata: *mut c_void, file: touchmark_bytes, _: u64, sink: *mut touchmark_sink) -> touchmark_status {
    // SAFETY: the library calls it with the test's world, and with a sink and a view that live as long; the client is the test's.
    unsafe {
        let world = World::of(userdata);
        if world.wrong == Wrong::Again {
            let mut step = mem::MaybeUninit::uninit();
            world.again.push(touchmark_tuf_client_next(world.client, step.as_mut_ptr(), ptr::null_mut()));
            world.again.push(touchmark_tuf_client_look_up(world.client, view(NAME), ptr::null_mut()));
        }
        if world.wrong == Wrong::Load {
            touchmark_sink_fail(sink, view("the disk is gone"));
            return TOUCHMARK_STATUS_IO_ERROR;
        }
        match world.store.get(&text(file)) {
            Some(bytes) => touchmark_sink_append(sink, view(bytes)),
            None => TOUCHMARK_STATUS_NOT_FOUND,
        }
    }
}

unsafe extern "C" fn keep(userdata: *mut c_void, file: touchmark_bytes, bytes: touchmark_bytes) -> touchmark_status {
    // SAFETY: the library calls it with the test's world, and with views that live as long.
    let world = unsafe { World::of(userdata) };
    if world.wrong == Wrong::Store {
        return TOUCHMARK_STATUS_IO_ERROR;
    }
    world.store.insert(text(file), crate::testing::shown(bytes));
    TOUCHMARK_STATUS_OK
}

unsafe extern "C" fn remove(userdata: *mut c_void, file: touchmark_bytes) -> touchmark_status {
    // SAFETY: the library calls it with the test's world, and with a view that lives as long.
    let world = unsafe { World::of(userdata) };
    if world.wrong == Wrong::Remove {
        return TOUCHMARK_STATUS_IO_ERROR;
    }
    world.store.remove(&text(file));
    if world.wrong == Wrong::RemoveNothing { TOUCHMARK_STATUS_NOT_FOUND } else { TOUCHMARK_STATUS_OK }
}

fn client() -> Client {
    Client::new(0, NOW).unwrap()
}

#[test]
fn an_update_and_a_search_are_driven() {
    let (mut world, client) = (World::new(repository(), Wrong::Nothing), client());
    world.drive(&client).unwrap();
    assert!(client.state().contains(r#""targets":{"version":"#));
    assert!(world.store.contains_key("timestamp.json"));
    client.look_up(NAME).unwrap();
    world.drive(&client).unwrap();
    assert!(client.found().is_ok() && client.standing(NAME).is_ok());
    // Nothing is left to do.
    let fetched = world.fetched;
    world.drive(&client).unwrap();
    assert_eq!(world.fetched, fetched);
}

#[test]
fn what_cannot_be_fetched_could_not_be_found_out() {
    let said = |wrong| World::new(repository(), wrong).drive(&client()).err().unwrap();
    let seen = said(Wrong::Fetch);
    assert_eq!((seen.status, seen.code.as_str()), ("UNKNOWN", "tuf-fetch"));
    assert!(seen.message.contains("no route to the mirror"), "{seen:?}");
    assert!(seen.json.contains(r#""callback_status":702"#) && seen.json.contains(r#""retryable":true"#), "{seen:?}");
    let seen = said(Wrong::FetchSilently);
    assert!(seen.status == "UNKNOWN" && seen.json.contains(r#""callback_status":123456"#) && seen.message.contains("123456"), "{seen:?}");
    let seen = said(Wrong::FetchSaysSo);
    assert!(seen.status == "UNKNOWN" && seen.message.contains("half of it"), "{seen:?}");
    // What is too much is not the function's failure, whatever it returns.
    for status in [TOUCHMARK_STATUS_OK, TOUCHMARK_STATUS_TOO_LARGE, TOUCHMARK_STATUS_NOT_FOUND] {
        let seen = said(Wrong::FetchMore(status));
        assert!(seen.status == "UNKNOWN" && seen.code == "tuf-fetch" && !seen.json.contains("callback_status"), "{seen:?}");
    }
    let mut gone = repository();
    gone.lose("timestamp.json");
    assert_eq!(failed(World::new(gone, Wrong::Nothing).drive(&client())), ("UNKNOWN", "tuf-missing".into()));
    let mut late = repository();
    late.answer("timestamp.json", Served::Failure);
    let seen = World::new(late, Wrong::Nothing).drive(&client()).err().unwrap();
    assert!(seen.message.contains("IO_ERROR"), "{seen:?}");
}

#[test]
fn a_store_that_fails_is_the_callers_failure() {
    for wrong in [Wrong::Load, Wrong::Store] {
        let (mut world, client) = (World::new(repository(), wrong), client());
        let seen = world.drive(&client).err().unwrap();
        assert_eq!((seen.status, seen.code.as_str()), ("CALLBACK_FAILED", "tuf-store"));
        assert!(seen.json.contains(r#""callback_status":702"#), "{seen:?}");
        assert!(wrong != Wrong::Load || seen.message.contains("the disk is gone"), "{seen:?}");
        // It stays the end of this update; a new client goes on with what is in the store.
        world.wrong = Wrong::Nothing;
        assert_eq!(failed(world.drive(&client)), ("UNKNOWN", "tuf-store".into()));
        world.drive(&Client::new(0, NOW).unwrap()).unwrap();
    }
    // Something is to be removed if a root takes keys from the timestamp.
    let mut rotated = repository();
    let mut world = World::new(rotated.clone(), Wrong::Nothing);
    world.drive(&client()).unwrap();
    rotated.set_keys("timestamp", 1, &[touchmark_test_tuf_repository::Key::ed25519("another")]);
    rotated.publish();
    rotated.bump("timestamp");
    rotated.push("timestamp");
    let before = world.store.clone();
    (world.repository, world.wrong) = (rotated, Wrong::Remove);
    assert_eq!(failed(world.drive(&client())).0, "CALLBACK_FAILED");
    // What is not there need not be removed, as by steps.
    (world.store, world.wrong) = (before, Wrong::RemoveNothing);
    world.drive(&client()).unwrap();
}

#[test]
fn a_function_that_uses_the_client_is_refused() {
    let (mut world, client) = (World::new(repository(), Wrong::Again), client());
    world.drive(&client).unwrap();
    assert!(!world.again.is_empty() && world.again.iter().all(|status| *status == TOUCHMARK_STATUS_WRONG_STATE), "{:?}", world.again);
}

#[test]
fn an_offline_client_needs_no_more_than_a_function_that_loads() {
    let mut world = World::new(repository(), Wrong::Nothing);
    world.drive(&client()).unwrap();
    let only_load = |callbacks: &mut touchmark_tuf_callbacks| (callbacks.fetch, callbacks.store, callbacks.remove) = (None, None, None);
    let offline = Client::new(1, NOW).unwrap();
    world.drive_by(&offline, only_load).unwrap();
    assert!(offline.state().contains(r#""timestamp":{"version":"#));
    let late = Client::new(1, EXPIRES_SECONDS).unwrap();
    assert_eq!(failed(world.drive_by(&late, only_load)), ("EXPIRED_METADATA", "tuf-expired".into()));
    for missing in 0..4 {
        let change = |callbacks: &mut touchmark_tuf_callbacks| match missing {
            0 => callbacks.fetch = None,
            1 => callbacks.load = None,
            2 => callbacks.store = None,
            _ => callbacks.remove = None,
        };
        assert_eq!(failed(world.drive_by(&client(), change)), ("NULL_POINTER", "null-pointer".into()));
    }
}

#[test]
fn the_size_says_which_version_of_the_structure_it_is() {
    let mut world = World::new(repository(), Wrong::Nothing);
    let known = size_of::<touchmark_tuf_callbacks>();
    for size in [0, 1, known - 1, usize::MAX, MAX_SIZE + 1] {
        assert_eq!(failed(world.drive_by(&client(), |callbacks| callbacks.struct_size = size)).0, "INVALID_ARGUMENT");
    }
    /// The structure of a later version.
    #[repr(C)]
    struct Later {
        now: touchmark_tuf_callbacks,
        later: usize,
    }
    for (later, expected) in [(0, None), (1, Some("UNSUPPORTED"))] {
        let now = touchmark_tuf_callbacks {
            struct_size: size_of::<Later>(),
            userdata: ptr::from_mut(&mut world).cast(),
            fetch: Some(fetch),
            load: Some(load),
            store: Some(keep),
            remove: Some(remove),
        };
        let (callbacks, client) = (Later { now, later }, client());
        // SAFETY: the handle, the structure and the place are the test's.
        let driven = done(|error| unsafe { touchmark_tuf_client_drive(client.0.0, (&raw const callbacks).cast(), error) });
        assert_eq!(driven.err().map(|seen| seen.status), expected);
    }
    let client = client();
    // SAFETY: the handle and the place are the test's; NULL is no structure.
    assert_eq!(failed(done(|error| unsafe { touchmark_tuf_client_drive(client.0.0, ptr::null(), error) })).0, "NULL_POINTER");
    // SAFETY: NULL is no handle.
    assert_eq!(failed(done(|error| unsafe { touchmark_tuf_client_drive(ptr::null_mut(), ptr::null(), error) })).0, "NULL_POINTER");
}
