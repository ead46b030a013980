//! Trust roots with a store in a folder.

use std::cell::Cell;
use std::ffi::c_void;
use std::path::PathBuf;
use std::rc::Rc;

use touchmark::policy::{Asked, Decider, PolicyError, TrustAnchor};
use touchmark::trust_root::{Note, StoreChoice, TARGETS, TrustRoot, TrustRootError, TrustSettings, folder};
use touchmark::tuf::{Answer, Client, Error, Failure as Unfetched, Fetch, Settings, UpdateError};
use touchmark_envelope::UnixTime;
use touchmark_envelope::json::Value;

use crate::array::handle;
use crate::artifact::touchmark_verified_artifact;
use crate::buffer::touchmark_buffer;
use crate::bytes::touchmark_bytes;
use crate::call;
use crate::error::touchmark_error;
use crate::exclusive::Exclusive;
use crate::failure::Failure;
use crate::fetch::{Fetched, Fetcher, touchmark_fetch_fn};
use crate::path::{path, text};
use crate::source::{scope, touchmark_source};
use crate::standing::touchmark_standing;
use crate::status::{TOUCHMARK_STATUS_NOT_FOUND, touchmark_status};
use crate::time::time;
use crate::tuf_target;

/// A trust root whose metadata is up to date, as far as its notes do not say otherwise (SPEC.md, "Trust roots and names"). One call at a time.
/// Others who open its store wait until it is freed, for a minute; what was made by it stays.
pub struct touchmark_trust_root(Exclusive<Opened>);

struct Opened {
    /// Of the trust root that was opened.
    decider: Decider,
    failed: Failed,
    /// What there is to know of how it was opened. Any number of threads may look at them at once, which the decider is not for.
    notes: Vec<Note>,
}

/// What the caller's function returned that failed last.
type Failed = Rc<Cell<Option<touchmark_status>>>;

/// The caller's functions as a source.
struct Functions {
    metadata: Fetcher,
    target: Option<Fetcher>,
    failed: Failed,
}

impl Fetch for Functions {
    fn fetch(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, Unfetched> {
        let fetched = match (path.strip_prefix(TARGETS), &self.target) {
            (None, _) => self.metadata.ask(path, limit),
            (Some(path), Some(target)) => target.ask(path, limit),
            (Some(_), None) => return Err(Unfetched::Unavailable("no function that fetches targets was given".to_owned())),
        };
        match fetched {
            Fetched::Bytes(bytes) => Ok(Some(bytes)),
            Fetched::Absent => Ok(None),
            Fetched::TooLarge => Err(Unfetched::TooLarge { limit }),
            Fetched::Failed(status, why) => {
                self.failed.set(Some(status));
                Err(Unfetched::Unavailable(why))
            }
        }
    }

    fn location(&self) -> String {
        "the caller's function".to_owned()
    }
}

/// Whether it is a root by its own keys. What is none makes no store, which then no other root could open.
fn check_root(root: &[u8], at: UnixTime) -> Result<(), Failure> {
    let mut client = Client::new(Settings::default(), at);
    // It asks for the root first.
    client.step()?;
    client.answer(Answer::Bytes(root.to_vec()));
    client.step()?;
    Ok(())
}

/// Opens a trust root.
fn opened(root: &[u8], source: Box<dyn Fetch>, failed: Failed, store: PathBuf, at: UnixTime) -> Result<touchmark_trust_root, Failure> {
    check_root(root, at)?;
    let settings = TrustSettings::new(StoreChoice::At(store));
    match TrustRoot::owning(root, source, &settings, at) {
        Ok(trust) => {
            let notes = trust.notes().to_vec();
            let decider = Decider::by_root(TrustAnchor::opened(trust), at);
            Ok(touchmark_trust_root(Exclusive::new(Opened { decider, failed, notes })))
        }
        Err(error) => Err(told(&error, &failed)),
    }
}

/// Why a trust root says nothing, and whether the caller's function is why.
fn told(error: &TrustRootError, failed: &Failed) -> Failure {
    Failure::from(error).callback(callback_status(Some(error), failed))
}

/// The error of the trust root that a policy was refused for.
fn trust_fault(error: &PolicyError) -> Option<&TrustRootError> {
    match error {
        PolicyError::Trust(error) => Some(error),
        PolicyError::Shared(error) => trust_fault(error),
        _ => None,
    }
}

/// What the caller's function returned, if that is why there is this error.
fn callback_status(error: Option<&TrustRootError>, failed: &Failed) -> Option<touchmark_status> {
    let unavailable = |failure: &Unfetched| matches!(failure, Unfetched::Unavailable(_));
    let is_unfetched = match error {
        Some(TrustRootError::Update(UpdateError::Metadata(Error::Fetch { failure, .. }) | UpdateError::TargetFetch { failure, .. })) => {
            unavailable(failure)
        }
        _ => false,
    };
    failed.get().filter(|_| is_unfetched)
}

impl Opened {
    fn ask<T>(&mut self, ask: impl FnOnce(&mut TrustRoot<'static>) -> Result<T, TrustRootError>) -> Result<T, Failure> {
        self.failed.set(None);
        let asked = self.decider.trust_anchor().and_then(|anchor| anchor.ask_opened(ask));
        asked.ok_or_else(|| Failure::internal("no trust root"))?.map_err(|error| told(&error, &self.failed))
    }

    fn decide(&mut self, source: &touchmark_source, asked: &Asked<'_>, at: UnixTime) -> Result<touchmark_verified_artifact, Failure> {
        self.failed.set(None);
        self.decider.judge_at(at);
        match self.decider.decide(source.source.as_ref(), asked) {
            Ok(decided) => source.decided(decided),
            Err(refusal) => {
                let status = callback_status(trust_fault(&refusal.error), &self.failed);
                Err(Failure::from(refusal).callback(status))
            }
        }
    }
}

/// Brings the metadata that `root`, a root.json that the caller trusts, leads to up to what the folder `metadata_folder` has, as of the time
/// `at`, in seconds since 1970. What is accepted is kept in `store_folder`, which is made if it is not there, so that nothing older is accepted
/// later; and so is `at`, before which nothing is judged later. Files of targets are in `targets` beside a folder that is called `metadata`, else below
/// it. If the folder cannot be read, what the store has is taken until it expires, and a note says so.
///
/// `TOUCHMARK_STATUS_UNTRUSTED_METADATA`, `TOUCHMARK_STATUS_EXPIRED_METADATA` and `TOUCHMARK_STATUS_ROLLBACK` for what is not to be trusted;
/// `TOUCHMARK_STATUS_UNKNOWN` for what could not be had; `TOUCHMARK_STATUS_IO_ERROR` if the store cannot be written or is in use;
/// `TOUCHMARK_STATUS_INVALID_ARGUMENT` for an empty path, and for a store that began with another root.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_trust_root_open(
    root: touchmark_bytes,
    metadata_folder: touchmark_bytes,
    store_folder: touchmark_bytes,
    at: i64,
    out: *mut *mut touchmark_trust_root,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promises about views and outs.
    unsafe {
        call::give(out, error, || {
            let root = root.read("root")?;
            let source = folder(text(metadata_folder, "folder of the metadata")?);
            let (store, at) = (path(store_folder, "folder of the store")?, time(at, "time of the update")?);
            opened(root, source, Failed::default(), store, at)
        })
    }
}

/// As `touchmark_trust_root_open`, with metadata that a function of the caller fetches, and so targets, where `fetch_target` is not NULL. A
/// function that fails is as a place that cannot be reached: what the store has is taken until it expires, and otherwise the call is
/// `TOUCHMARK_STATUS_UNKNOWN`, with what `touchmark_sink_fail` said in the message and the function's status as `callback_status` in the JSON. The functions
/// and `userdata` are used until the trust root is freed; those who fetch must not use it themselves.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_trust_root_open_with(
    root: touchmark_bytes,
    fetch_metadata: touchmark_fetch_fn,
    fetch_target: touchmark_fetch_fn,
    userdata: *mut c_void,
    store_folder: touchmark_bytes,
    at: i64,
    out: *mut *mut touchmark_trust_root,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promises about views, callbacks and outs.
    unsafe {
        call::give(out, error, || {
            let root = root.read("root")?;
            let failed = Failed::default();
            let target = match fetch_target {
                None => None,
                given => Some(Fetcher::new(given, userdata, "function that fetches targets")?),
            };
            let metadata = Fetcher::new(fetch_metadata, userdata, "function that fetches metadata")?;
            let (store, at) = (path(store_folder, "folder of the store")?, time(at, "time of the update")?);
            opened(root, Box::new(Functions { metadata, target, failed: failed.clone() }), failed, store, at)
        })
    }
}

/// Whether the trust root accepts what the source's reference names under `name`, a NAME, NAME:VERSION or NAME:*, as of the time `at`, in seconds
/// since 1970, or that of which the metadata was verified if it is later: by entries, seals or the signatures of those whom the metadata lets sign for it,
/// and by the policy that the repository signs itself, where it has one (`_touchmark/policy.json`; SPEC.md, "The policy that a trust repository signs").
/// `platform`, `linux/amd64` or `linux/arm/v7`, lets an index decide for the one image that it lists for it; empty for what the reference names itself.
///
/// `TOUCHMARK_STATUS_INVALID_NAME` and `TOUCHMARK_STATUS_INVALID_ARGUMENT` for a name and a platform that are none; `TOUCHMARK_STATUS_POLICY_REJECTED` if the
/// repository's own policy has no rule for the name, or one that rejects it or lets no index decide; all others as for `touchmark_source_verify` and
/// `touchmark_trust_root_open`. The error's JSON says under `report` which policy and rule were asked.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_trust_root_verify(
    trust_root: *mut touchmark_trust_root,
    source: *const touchmark_source,
    name: touchmark_bytes,
    platform: touchmark_bytes,
    at: i64,
    out: *mut *mut touchmark_verified_artifact,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promises about handles, views and outs.
    unsafe {
        call::give(out, error, || {
            let (trust_root, source) = (handle(trust_root, "trust root")?, handle(source, "source")?);
            let name = name.text("name")?.parse()?;
            let asked = source.asked(Some(name), scope(platform.text("platform")?)?)?;
            let at = time(at, "time of the decision")?;
            trust_root.0.enter()?.decide(source, &asked, at)
        })
    }
}

/// What the metadata says of a NAME or NAME:VERSION, for `touchmark_policy_builder_from_standing`, and no more than that: the policy that the
/// repository signs itself is asked by `touchmark_trust_root_verify`. Statuses are those of `touchmark_tuf_client_standing` and
/// `touchmark_trust_root_open`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_trust_root_standing(
    trust_root: *mut touchmark_trust_root,
    name: touchmark_bytes,
    out: *mut *mut touchmark_standing,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promises about handles, views and outs.
    unsafe {
        call::give(out, error, || {
            let name = crate::name::read(name)?;
            let standing = handle(trust_root, "trust root")?.0.enter()?.ask(|trust| trust.standing(&name))?;
            Ok(touchmark_standing { standing })
        })
    }
}

/// The bytes of a file that the top-level targets role lists, such as `_touchmark/policy.json`; they are what is listed. At most 16 MiB.
///
/// `TOUCHMARK_STATUS_NOT_FOUND` if it lists no such file, which is certain; `TOUCHMARK_STATUS_NOT_VERIFIED` if what is there is something else;
/// `TOUCHMARK_STATUS_UNKNOWN` if it could not be had; `TOUCHMARK_STATUS_TOO_LARGE` if it is listed as larger; `TOUCHMARK_STATUS_INVALID_NAME` for what
/// is no path of a target.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_trust_root_target(
    trust_root: *mut touchmark_trust_root,
    path: touchmark_bytes,
    out: *mut *mut touchmark_buffer,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promises about handles, views and outs.
    unsafe {
        call::give(out, error, || {
            let path = tuf_target::path(path)?;
            let bytes = handle(trust_root, "trust root")?.0.enter()?.ask(|trust| trust.target(&path))?;
            let unlisted = || {
                let message = format!("{path}: the top-level targets do not list it");
                Failure::new(TOUCHMARK_STATUS_NOT_FOUND, "target-not-listed", message)
            };
            Ok(touchmark_buffer::new(bytes.ok_or_else(unlisted)?))
        })
    }
}

/// What a user should know of how the metadata came to be trusted, as a JSON array of texts: that there was no history before, since when it was
/// not refreshed, that the clock is behind.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_trust_root_notes_json(
    trust_root: *const touchmark_trust_root,
    out: *mut *mut touchmark_buffer,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promises about handles and outs.
    unsafe {
        call::give(out, error, || {
            let opened = handle(trust_root, "trust root")?.0.look()?;
            let notes: Vec<_> = opened.notes.iter().map(|note| Value::from(note.to_string())).collect();
            Ok(touchmark_buffer::new(Value::from(notes).to_vec()))
        })
    }
}

/// Frees a trust root, and lets others use its store. NULL is nothing to free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_trust_root_free(trust_root: *mut touchmark_trust_root) {
    // SAFETY: the caller's promise about handles.
    unsafe { call::free(trust_root) }
}

#[cfg(test)]
mod tests;
