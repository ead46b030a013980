//! The Update Framework: a client by steps.

use touchmark_envelope::Name;
use touchmark_envelope::json::Value;
use touchmark_trust::Standing;
use touchmark_trust::standing::Members;
use touchmark_tuf::{Answer, Client, Failure as Unfetched, LookUp, Mode, Settings, Step, TargetPath};

use crate::array::handle;
use crate::buffer::touchmark_buffer;
use crate::bytes::touchmark_bytes;
use crate::call;
use crate::error::touchmark_error;
use crate::exclusive::Exclusive;
use crate::failure::Failure;
use crate::standing::touchmark_standing;
use crate::status::{TOUCHMARK_STATUS_NOT_FOUND, touchmark_status};
use crate::step::{self, Missing, flag, said};
use crate::time::time;
use crate::tuf_target::{path, touchmark_tuf_target};

/// Nothing: the update or the search is over.
pub const TOUCHMARK_TUF_DONE: u32 = 0;
/// The bytes of the store's file `name`, at most `limit`: `touchmark_tuf_client_provide_bytes` or `_absent`.
pub const TOUCHMARK_TUF_LOAD: u32 = 1;
/// The bytes of the repository's file at `name` below the metadata URL, at most `limit`: `touchmark_tuf_client_provide_bytes` or `_absent`.
pub const TOUCHMARK_TUF_FETCH: u32 = 2;
/// To keep `bytes` as the store's file `name`, whole or not at all, in place of what was there: `touchmark_tuf_client_provide_done`.
pub const TOUCHMARK_TUF_STORE: u32 = 3;
/// To remove the store's file `name`, if it is there: `touchmark_tuf_client_provide_done`.
pub const TOUCHMARK_TUF_REMOVE: u32 = 4;

/// A client of one TUF repository, for one update and any number of searches after it (SPEC.md, "The Update Framework"). One call at a time.
///
/// The store is the caller's: a flat folder, or anything that keeps files by name. It begins with the trusted root as `root.json`, and has
/// whatever was verified, so that nothing older is accepted later.
pub struct touchmark_tuf_client(pub(crate) Exclusive<Updating>);

/// What a TUF client wants done next, by value.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct touchmark_tuf_step {
    /// `TOUCHMARK_TUF_...`.
    pub kind: u32,
    /// 0.
    pub reserved: u32,
    /// Which file: a name without a folder in it; of the repository, one segment of a URL, percent-encoded. A view, valid until the next
    /// call on the client.
    pub name: touchmark_bytes,
    /// What is to be stored. A view, valid until the next call on the client.
    pub bytes: touchmark_bytes,
    /// At most so many bytes are taken.
    pub limit: u64,
}

impl touchmark_tuf_step {
    const NOTHING: Self =
        Self { kind: TOUCHMARK_TUF_DONE, reserved: 0, name: touchmark_bytes::EMPTY, bytes: touchmark_bytes::EMPTY, limit: 0 };
}

/// A client, and what it was last asked.
pub(crate) struct Updating {
    pub(crate) client: Client,
    pub(crate) offline: bool,
    members: Members,
    /// What was asked for and not answered yet.
    asked: Option<Asked>,
    /// The name of its file.
    name: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    /// Bytes, at most so many.
    Bytes(u64),
    Store,
    Remove,
}

impl Updating {
    fn next(&mut self) -> Result<touchmark_tuf_step, Failure> {
        let Self { client, asked, name, .. } = self;
        *asked = None;
        let (kind, of, file, bytes, limit) = match client.step()? {
            Step::Done => return Ok(touchmark_tuf_step::NOTHING),
            Step::Load { file, limit } => (TOUCHMARK_TUF_LOAD, Asked::Bytes(limit), file, touchmark_bytes::EMPTY, limit),
            Step::Fetch { path, limit } => (TOUCHMARK_TUF_FETCH, Asked::Bytes(limit), path, touchmark_bytes::EMPTY, limit),
            Step::Store { file, bytes } => (TOUCHMARK_TUF_STORE, Asked::Store, file, touchmark_bytes::of(bytes), 0),
            Step::Remove { file } => (TOUCHMARK_TUF_REMOVE, Asked::Remove, file, touchmark_bytes::EMPTY, 0),
            // Pieces of files, of a client that keeps an index; this one keeps none.
            _ => return Err(Failure::internal("the client asks for what it was told not to ask for")),
        };
        name.clear();
        name.push_str(file);
        *asked = Some(of);
        Ok(touchmark_tuf_step { kind, reserved: 0, name: touchmark_bytes::of(name.as_bytes()), bytes, limit })
    }

    /// What was asked for, if the answer is one to that.
    fn take(&mut self, is_for: impl Fn(Asked) -> bool) -> Result<Asked, Failure> {
        step::take(&mut self.asked, |asked| is_for(*asked), "touchmark_tuf_client_next")
    }

    fn bytes(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let Asked::Bytes(limit) = self.take(|asked| matches!(asked, Asked::Bytes(_)))? else {
            return Err(Failure::internal("another question"));
        };
        let fits = u64::try_from(bytes.len()).is_ok_and(|found| found <= limit);
        self.client.answer(if fits { Answer::Bytes(bytes.to_vec()) } else { Answer::Failed(Unfetched::TooLarge { limit }) });
        Ok(())
    }

    fn failed(&mut self, missing: Missing, why: String) -> Result<(), Failure> {
        let or = |otherwise: &str| if why.is_empty() { otherwise.to_owned() } else { why.clone() };
        let answer = match (missing, self.take(|_| true)?) {
            (Missing::NotFound, Asked::Bytes(_)) => Answer::Absent,
            // What is not there need not be removed.
            (Missing::NotFound, Asked::Remove) => Answer::Done,
            (Missing::TooLarge, Asked::Bytes(limit)) => Answer::Failed(Unfetched::TooLarge { limit }),
            (Missing::Denied, _) => Answer::Failed(Unfetched::Denied { message: or("denied"), hint: None }),
            (Missing::Malformed, _) => Answer::Failed(Unfetched::Malformed(or("malformed"))),
            (Missing::NotFound, Asked::Store) => Answer::Failed(Unfetched::Unavailable(or("not found"))),
            (Missing::TooLarge, Asked::Store | Asked::Remove) => Answer::Failed(Unfetched::Unavailable(or("too large"))),
            (Missing::Unavailable, _) => Answer::Failed(Unfetched::Unavailable(or("unavailable"))),
        };
        self.client.answer(answer);
        Ok(())
    }

    /// What was asked for is answered otherwise.
    pub(crate) fn forget_question(&mut self) {
        self.asked = None;
    }

    fn look_up(&mut self, target: &TargetPath) -> Result<(), Failure> {
        self.asked = None;
        Ok(self.client.look_up(target)?)
    }

    /// The outcome of the last search, which stays there to be asked for again: the roles that it visited are held, so that it is the same.
    fn outcome(&mut self) -> Result<LookUp, Failure> {
        let searching = || Failure::state("no search has come to its end; call touchmark_tuf_client_look_up, and then take its steps");
        let outcome = self.client.found().ok_or_else(searching)?;
        self.client.look_up(&outcome.target)?;
        Ok(outcome)
    }

    fn found(&mut self) -> Result<touchmark_tuf_target, Failure> {
        let LookUp { target, found, .. } = self.outcome()?;
        let unlisted = || Failure::new(TOUCHMARK_STATUS_NOT_FOUND, "no-such-target", format!("{target}: no role lists this target"));
        let found = found.ok_or_else(unlisted)?;
        let consistent = self.client.root().is_some_and(|root| root.get().consistent_snapshot());
        Ok(touchmark_tuf_target { target, found, consistent })
    }

    fn standing(&mut self, name: &Name) -> Result<touchmark_standing, Failure> {
        let target = TargetPath::from(name);
        if self.outcome()?.target != target {
            return Err(Failure::state(format!("the last search was for something else than {name}")));
        }
        let standing = Standing::among(&mut self.members, &mut self.client, name);
        self.client.look_up(&target)?;
        Ok(touchmark_standing { standing: standing? })
    }
}

/// A client that begins an update as of the time `at`, in seconds since 1970. `offline`: 0, or 1 to take what the store has, which is verified
/// again and must not have expired, and to fetch and store nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_tuf_client_new(
    offline: u32,
    at: i64,
    out: *mut *mut touchmark_tuf_client,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promise about outs.
    unsafe {
        call::give(out, error, || {
            let offline = flag(offline)?;
            let mut settings = Settings::default();
            settings.mode = if offline { Mode::StoreOnly } else { Mode::Online };
            let client = Client::new(settings, time(at, "time of the update")?);
            let (members, asked, name) = (Members::default(), None, String::new());
            Ok(touchmark_tuf_client(Exclusive::new(Updating { client, offline, members, asked, name })))
        })
    }
}

/// What is to be done next. Asked again without an answer, it says the same again.
///
/// What ends an update stays its end: `TOUCHMARK_STATUS_UNTRUSTED_METADATA`, `TOUCHMARK_STATUS_EXPIRED_METADATA` and
/// `TOUCHMARK_STATUS_ROLLBACK` for metadata that is not to be trusted, `TOUCHMARK_STATUS_UNKNOWN` where something was not to be had or a limit was
/// reached. What was verified before is in the store, where a new client goes on. After a search that ended so another may begin.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_tuf_client_next(
    client: *mut touchmark_tuf_client,
    out: *mut touchmark_tuf_step,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promises about handles and outs.
    unsafe { call::fill(out, touchmark_tuf_step::NOTHING, error, || handle(client, "client")?.0.enter()?.next()) }
}

/// Gives the bytes of the file that was asked for. That they are others, or too many, is no error of this call but something that the client
/// takes in.
///
/// `TOUCHMARK_STATUS_WRONG_STATE` if something else was asked for, or nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_tuf_client_provide_bytes(
    client: *mut touchmark_tuf_client,
    bytes: touchmark_bytes,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promises about handles, views and outs.
    unsafe { call::run(error, || handle(client, "client")?.0.enter()?.bytes(bytes.read("bytes")?)) }
}

/// Says that there surely is no such file as was asked for.
///
/// `TOUCHMARK_STATUS_WRONG_STATE` if something else was asked for, or nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_tuf_client_provide_absent(
    client: *mut touchmark_tuf_client,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promises about handles and outs.
    unsafe {
        call::run(error, || {
            let mut updating = handle(client, "client")?.0.enter()?;
            updating.take(|asked| matches!(asked, Asked::Bytes(_)))?;
            updating.client.answer(Answer::Absent);
            Ok(())
        })
    }
}

/// Says that what was to be stored is stored, or what was to be removed is not there any more.
///
/// `TOUCHMARK_STATUS_WRONG_STATE` if something else was asked for, or nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_tuf_client_provide_done(
    client: *mut touchmark_tuf_client,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promises about handles and outs.
    unsafe {
        call::run(error, || {
            let mut updating = handle(client, "client")?.0.enter()?;
            updating.take(|asked| matches!(asked, Asked::Store | Asked::Remove))?;
            updating.client.answer(Answer::Done);
            Ok(())
        })
    }
}

/// Says why the step could not be done: `TOUCHMARK_FAILURE_...`, and in words, which may be none. `TOUCHMARK_FAILURE_NOT_FOUND` of a file that was
/// asked for is as `touchmark_tuf_client_provide_absent`.
///
/// `TOUCHMARK_STATUS_WRONG_STATE` if nothing was asked for; `TOUCHMARK_STATUS_INVALID_ARGUMENT` for another number.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_tuf_client_provide_failure(
    client: *mut touchmark_tuf_client,
    failure: u32,
    message: touchmark_bytes,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promises about handles, views and outs.
    unsafe {
        call::run(error, || {
            let (missing, why) = (Missing::from_number(failure)?, said(message.read("message")?));
            handle(client, "client")?.0.enter()?.failed(missing, why)
        })
    }
}

/// Begins to search for a target, whose steps `touchmark_tuf_client_next` then says. A search that was under way is given up.
///
/// `TOUCHMARK_STATUS_WRONG_STATE` before the update is done; `TOUCHMARK_STATUS_INVALID_NAME` for what is no path of a target; what ends the search
/// at once as for `touchmark_tuf_client_next`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_tuf_client_look_up(
    client: *mut touchmark_tuf_client,
    target_path: touchmark_bytes,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promises about handles, views and outs.
    unsafe { call::run(error, || handle(client, "client")?.0.enter()?.look_up(&path(target_path)?)) }
}

/// The target that was searched for, once its steps are done. It may be asked for again.
///
/// `TOUCHMARK_STATUS_NOT_FOUND` if no role lists it, which is certain; `TOUCHMARK_STATUS_WRONG_STATE` if no search has come to its end.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_tuf_client_found(
    client: *mut touchmark_tuf_client,
    out: *mut *mut touchmark_tuf_target,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promises about handles and outs.
    unsafe { call::give(out, error, || handle(client, "client")?.0.enter()?.found()) }
}

/// What the metadata says of a NAME or NAME:VERSION, once a search for that is done: what `touchmark_policy_builder_from_standing` takes. A name
/// that no role lists has one too.
///
/// `TOUCHMARK_STATUS_WRONG_STATE` if the last search was for something else or has not come to its end; `TOUCHMARK_STATUS_INVALID_NAME` for
/// what is no name; `TOUCHMARK_STATUS_UNTRUSTED_METADATA` if what is Touchmark's in the metadata is malformed or contradicts itself;
/// `TOUCHMARK_STATUS_UNKNOWN` if some of it is not there any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_tuf_client_standing(
    client: *mut touchmark_tuf_client,
    name: touchmark_bytes,
    out: *mut *mut touchmark_standing,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promises about handles, views and outs.
    unsafe { call::give(out, error, || handle(client, "client")?.0.enter()?.standing(&crate::name::read(name)?)) }
}

/// What is trusted so far, as JSON: `{"at", "root", "timestamp", "snapshot", "targets"}`, each role `{"version", "expires"}` or null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_tuf_client_state_json(
    client: *const touchmark_tuf_client,
    out: *mut *mut touchmark_buffer,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promises about handles and outs.
    unsafe {
        call::give(out, error, || {
            let state = handle(client, "client")?.0.look()?.client.to_json();
            Ok(touchmark_buffer::new(Value::Object(state).to_vec()))
        })
    }
}

/// Frees a client, wherever it stands. NULL is nothing to free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_tuf_client_free(client: *mut touchmark_tuf_client) {
    // SAFETY: the caller's promise about handles.
    unsafe { call::free(client) }
}

#[cfg(test)]
pub(crate) mod tests;
