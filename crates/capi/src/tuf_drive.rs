//! The Update Framework: a client by functions of the caller.

use std::ffi::c_void;

use touchmark_tuf::{Answer, Error, Failure as Unfetched, Step};

use crate::array::handle;
use crate::bytes::{null, slice, touchmark_bytes};
use crate::call;
use crate::error::touchmark_error;
use crate::failure::Failure;
use crate::fetch::{Fetched, Fetcher, returned, touchmark_fetch_fn};
use crate::status::{
    TOUCHMARK_STATUS_CALLBACK_FAILED, TOUCHMARK_STATUS_NOT_FOUND, TOUCHMARK_STATUS_OK, TOUCHMARK_STATUS_UNSUPPORTED, touchmark_status,
};
use crate::tuf::{Updating, touchmark_tuf_client};

/// A function of the caller that keeps `bytes` as the file `file` of its store, whole or not at all, in place of what was there. It must not
/// unwind or jump out.
pub type touchmark_store_fn =
    Option<unsafe extern "C" fn(userdata: *mut c_void, file: touchmark_bytes, bytes: touchmark_bytes) -> touchmark_status>;

/// A function of the caller that removes the file `file` of its store, if it is there; `TOUCHMARK_STATUS_NOT_FOUND` if it is not, which is as good.
/// It must not unwind or jump out.
pub type touchmark_remove_fn = Option<unsafe extern "C" fn(userdata: *mut c_void, file: touchmark_bytes) -> touchmark_status>;

/// The functions of the caller that a TUF client is driven by. Begin with all zeros, so that members of later versions are too.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct touchmark_tuf_callbacks {
    /// `sizeof(touchmark_tuf_callbacks)`.
    pub struct_size: usize,
    /// What each of the functions is given.
    pub userdata: *mut c_void,
    /// Fetches a file of the repository, by its path below the metadata URL. Not needed if the client is offline.
    pub fetch: touchmark_fetch_fn,
    /// Reads a file of the store.
    pub load: touchmark_fetch_fn,
    /// Writes a file of the store. Not needed if the client is offline.
    pub store: touchmark_store_fn,
    /// Removes a file of the store. Not needed if the client is offline.
    pub remove: touchmark_remove_fn,
}

/// No version of the structure is larger.
const MAX_SIZE: usize = 4096;

/// Does the steps of an update, or of a search, by these functions, until it is done: after `touchmark_tuf_client_new` for the update, after each
/// `touchmark_tuf_client_look_up` for the search. `callbacks` is read during the call and not kept.
///
/// Its failures are those of `touchmark_tuf_client_next`. A file of the repository that `fetch` does not get is one that could not be had
/// (`TOUCHMARK_STATUS_UNKNOWN`, retryable). A file of the store that `load`, `store` or `remove` fails for is `TOUCHMARK_STATUS_CALLBACK_FAILED`. In both
/// cases the error's message has what `touchmark_sink_fail` said, and its JSON the function's status as `callback_status`.
/// `TOUCHMARK_STATUS_INVALID_ARGUMENT` if `struct_size` is not that of any version; `TOUCHMARK_STATUS_UNSUPPORTED` if it has members that this
/// library does not know.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_tuf_client_drive(
    client: *mut touchmark_tuf_client,
    callbacks: *const touchmark_tuf_callbacks,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promises about handles, views, callbacks and outs.
    unsafe {
        call::run(error, || {
            let mut updating = handle(client, "client")?.0.enter()?;
            let mut functions = Functions::new(read(callbacks)?, updating.offline)?;
            updating.drive(&mut functions)
        })
    }
}

/// The functions as this version knows them.
///
/// # Safety
/// The caller's promise about views: `struct_size` bytes can be read.
unsafe fn read(callbacks: *const touchmark_tuf_callbacks) -> Result<touchmark_tuf_callbacks, Failure> {
    if callbacks.is_null() {
        return Err(null("structure of functions"));
    }
    if !callbacks.is_aligned() {
        return Err(Failure::argument("the structure of functions is not aligned"));
    }
    let known = size_of::<touchmark_tuf_callbacks>();
    // SAFETY: not NULL and aligned; its first member can be read by the promise that this function asks for.
    let size = unsafe { (&raw const (*callbacks).struct_size).read() };
    if !(known..=MAX_SIZE).contains(&size) {
        return Err(Failure::argument(format!("struct_size is {size}, and that of touchmark_tuf_callbacks is {known}")));
    }
    // SAFETY: it has at least the size of what is read, by what it says.
    let callbacks = unsafe {
        let rest = slice(callbacks.cast::<u8>().add(known), size - known, "structure of functions")?;
        if rest.iter().any(|byte| *byte != 0) {
            let message = "the structure of functions has members that this library does not know";
            return Err(Failure::new(TOUCHMARK_STATUS_UNSUPPORTED, "unsupported", message));
        }
        callbacks.read()
    };
    Ok(callbacks)
}

/// The functions, and which of them failed last.
struct Functions {
    fetch: Option<Fetcher>,
    load: Fetcher,
    store: touchmark_store_fn,
    remove: touchmark_remove_fn,
    userdata: *mut c_void,
    failed: Option<touchmark_status>,
}

impl Functions {
    /// # Safety
    /// The caller's promise about callbacks, for as long as this is used.
    unsafe fn new(callbacks: touchmark_tuf_callbacks, offline: bool) -> Result<Self, Failure> {
        let touchmark_tuf_callbacks { userdata, fetch, load, store, remove, .. } = callbacks;
        if !offline && (store.is_none() || remove.is_none()) {
            return Err(null("function of the store"));
        }
        // SAFETY: the promise that this function asks for.
        let (fetch, load) = unsafe {
            let fetch = if offline { None } else { Some(Fetcher::new(fetch, userdata, "function that fetches")?) };
            (fetch, Fetcher::new(load, userdata, "function that loads")?)
        };
        Ok(Self { fetch, load, store, remove, userdata, failed: None })
    }

    fn answer(&mut self, step: &Step<'_>) -> Answer {
        self.failed = None;
        let fetched = match *step {
            Step::Load { file, limit } => (self.load.ask(file, limit), limit),
            Step::Fetch { path, limit } => match &self.fetch {
                Some(fetch) => (fetch.ask(path, limit), limit),
                None => return self.unavailable(TOUCHMARK_STATUS_OK, "the client is offline".to_owned()),
            },
            Step::Store { file, bytes } => {
                let (Some(store), file, bytes) = (self.store, touchmark_bytes::of(file.as_bytes()), touchmark_bytes::of(bytes)) else {
                    return self.unavailable(TOUCHMARK_STATUS_OK, "the client is offline".to_owned());
                };
                // SAFETY: the caller's promise about callbacks, which `new` asks for; the views live until it returns.
                return self.did(unsafe { store(self.userdata, file, bytes) });
            }
            Step::Remove { file } => {
                let (Some(remove), file) = (self.remove, touchmark_bytes::of(file.as_bytes())) else {
                    return self.unavailable(TOUCHMARK_STATUS_OK, "the client is offline".to_owned());
                };
                // SAFETY: the caller's promise about callbacks, which `new` asks for; the view lives until it returns.
                return match unsafe { remove(self.userdata, file) } {
                    // What is not there need not be removed.
                    TOUCHMARK_STATUS_NOT_FOUND => Answer::Done,
                    status => self.did(status),
                };
            }
            // Pieces of files, of a client that keeps an index; this one keeps none.
            _ => return Answer::Absent,
        };
        match fetched {
            (Fetched::Bytes(bytes), _) => Answer::Bytes(bytes),
            (Fetched::Absent, _) => Answer::Absent,
            (Fetched::TooLarge, limit) => Answer::Failed(Unfetched::TooLarge { limit }),
            (Fetched::Failed(status, why), _) => self.unavailable(status, why),
        }
    }

    fn did(&mut self, status: touchmark_status) -> Answer {
        if status == TOUCHMARK_STATUS_OK { Answer::Done } else { self.unavailable(status, returned(status)) }
    }

    fn unavailable(&mut self, status: touchmark_status, why: String) -> Answer {
        self.failed = Some(status);
        Answer::Failed(Unfetched::Unavailable(why))
    }

    /// What a client ended with, and whether one of the functions is why.
    fn told(&self, error: Error) -> Failure {
        match (&error, self.failed) {
            (Error::Store { failure: Unfetched::Unavailable(_), .. }, Some(status)) => {
                Failure::new(TOUCHMARK_STATUS_CALLBACK_FAILED, error.code(), error.to_string()).callback(status)
            }
            (Error::Fetch { failure: Unfetched::Unavailable(_), .. }, Some(status)) => Failure::from(error).callback(status),
            _ => error.into(),
        }
    }
}

impl Updating {
    fn drive(&mut self, functions: &mut Functions) -> Result<(), Failure> {
        self.forget_question();
        loop {
            let answer = match self.client.step() {
                Ok(Step::Done) => return Ok(()),
                Ok(step) => functions.answer(&step),
                Err(error) => return Err(functions.told(error)),
            };
            self.client.answer(answer);
        }
    }
}

#[cfg(test)]
mod tests;
