//! The decision by steps: it says what it needs next, is given it or told why not.

use touchmark_envelope::Digest;
use touchmark_envelope::json::{self, Value};
use touchmark_envelope::manifest::Descriptor;
use touchmark_trust::{Answer, Failure as Unfetched, Need, Request, Search, Step};

use crate::array::handle;
use crate::artifact::touchmark_verified_artifact;
use crate::bytes::touchmark_bytes;
use crate::call;
use crate::error::touchmark_error;
use crate::exclusive::Exclusive;
use crate::failure::Failure;
use crate::request::touchmark_request;
use crate::status::touchmark_status;
use crate::step::{self, Missing, flag, said};

/// Nothing: it has decided. Call `touchmark_search_finish`.
pub const TOUCHMARK_NEED_DONE: u32 = 0;
/// The bytes of the manifest with this digest.
pub const TOUCHMARK_NEED_MANIFEST: u32 = 1;
/// The manifests that name this one as their subject, as an OCI image index.
pub const TOUCHMARK_NEED_REFERRERS: u32 = 2;
/// The bytes of the blob with this digest.
pub const TOUCHMARK_NEED_BLOB: u32 = 3;
/// The digest and size of the blob that is stored under this digest, computed from all of its bytes.
pub const TOUCHMARK_NEED_HASH: u32 = 4;

/// JSON values for each referrer that a list may have.
const VALUES: usize = 64;

/// The manifest that decides comes first, and then the image that it covers; what is hashed below an artifact is not kept.
const LEADING: usize = 2;

/// A decision under way. One call at a time.
pub struct touchmark_search(Exclusive<Option<Deciding>>);

/// What a search needs next, by value.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct touchmark_need {
    /// `TOUCHMARK_NEED_...`.
    pub kind: u32,
    /// Of referrers: 0 for what the source tells quickly, 1 for all that it can find out.
    pub thorough: u32,
    /// The digest of what is needed, `sha256:...`. A view, valid until the next call on the search.
    pub digest: touchmark_bytes,
    /// At most so many bytes; of a hash, the size that it should have.
    pub limit: u64,
    /// Of referrers: at most so many.
    pub entries: u64,
}

impl touchmark_need {
    const NOTHING: Self = Self { kind: TOUCHMARK_NEED_DONE, thorough: 0, digest: touchmark_bytes::EMPTY, limit: 0, entries: 0 };
}

struct Deciding {
    search: Search,
    /// What was asked for and not answered yet.
    asked: Option<Need>,
    /// Its digest as text.
    digest: String,
    /// The manifests that were given first, at most [`LEADING`]: of these, one is the artifact's.
    manifests: Vec<(Digest, Vec<u8>)>,
    /// Whether more of them may come.
    leading: bool,
}

impl Deciding {
    fn new(request: Request) -> Self {
        Self { search: Search::new(request), asked: None, digest: String::new(), manifests: Vec::new(), leading: true }
    }

    fn next(&mut self) -> touchmark_need {
        let Step::Need(need) = self.search.next() else {
            self.asked = None;
            return touchmark_need::NOTHING;
        };
        let (kind, thorough, digest, limit, entries) = match &need {
            Need::Manifest { digest, limit } => (TOUCHMARK_NEED_MANIFEST, false, digest, *limit, 0),
            Need::Referrers { subject, entries, bytes, thorough } => (TOUCHMARK_NEED_REFERRERS, *thorough, subject, *bytes, *entries),
            Need::Blob { digest, limit } => (TOUCHMARK_NEED_BLOB, false, digest, *limit, 0),
            Need::Hash { digest, size } => (TOUCHMARK_NEED_HASH, false, digest, *size, 0),
            // A need of a later version: nobody can meet it.
            _ => {
                self.search.answer(Answer::Failed(Unfetched::WrongAnswer));
                return self.next();
            }
        };
        self.leading &= matches!(need, Need::Manifest { .. });
        self.digest = digest.to_string();
        let entries = u64::try_from(entries).unwrap_or(u64::MAX);
        let asked = touchmark_need { kind, thorough: thorough.into(), digest: touchmark_bytes::of(self.digest.as_bytes()), limit, entries };
        self.asked = Some(need);
        asked
    }

    /// Takes what was asked for, if it is of the kind that the answer is for.
    fn take(&mut self, is_for: impl Fn(&Need) -> bool) -> Result<Need, Failure> {
        step::take(&mut self.asked, is_for, "touchmark_search_next")
    }

    fn bytes(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let need = self.take(|need| matches!(need, Need::Manifest { .. } | Need::Blob { .. }))?;
        let (digest, limit, option) = match need {
            Need::Blob { digest, limit } => (digest, limit, "--max-envelope-size"),
            Need::Manifest { digest, limit } => (digest, limit, "--max-manifest-size"),
            _ => return Err(Failure::internal("another need")),
        };
        if size(bytes) > limit {
            self.search.answer(Answer::Failed(Unfetched::TooLarge { limit, option }));
            return Ok(());
        }
        if self.leading && self.manifests.len() < LEADING {
            self.manifests.push((digest, bytes.to_vec()));
        }
        self.search.answer(Answer::Bytes(bytes.to_vec()));
        Ok(())
    }

    fn finish(self) -> Result<touchmark_verified_artifact, Failure> {
        let artifact = self.search.finish()?;
        let digest = artifact.get().descriptor().digest;
        let kept = self.manifests.into_iter().find(|(given, _)| *given == digest);
        let (_, manifest) = kept.ok_or_else(|| Failure::internal("the manifest of the artifact was not kept"))?;
        Ok(touchmark_verified_artifact::new(artifact, manifest))
    }
}

/// Begins to decide a request, which stays as it is.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_search_new(
    request: *const touchmark_request,
    out: *mut *mut touchmark_search,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promises about handles and outs.
    unsafe {
        call::give(out, error, || {
            let request = handle(request, "request")?.asked()?;
            Ok(touchmark_search(Exclusive::new(Some(Deciding::new(request)))))
        })
    }
}

/// What it needs next. Asked again without an answer, it says the same again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_search_next(
    search: *mut touchmark_search,
    out: *mut touchmark_need,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promises about handles and outs.
    unsafe { call::fill(out, touchmark_need::NOTHING, error, || with(search, |deciding| Ok(deciding.next()))) }
}

/// Gives the bytes of the manifest or the blob that was asked for. They are hashed here: other bytes, or too many, are no error of this
/// call but something that the decision takes in.
///
/// `TOUCHMARK_STATUS_WRONG_STATE` if something else was asked for, or nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_search_provide_bytes(
    search: *mut touchmark_search,
    bytes: touchmark_bytes,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promises about handles, views and outs.
    unsafe { call::run(error, || with(search, |deciding| deciding.bytes(bytes.read("bytes")?))) }
}

/// Gives the digest and the size of the blob that was asked for, which the caller computed from all of its bytes.
///
/// `TOUCHMARK_STATUS_WRONG_STATE` if something else was asked for, or nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_search_provide_hash(
    search: *mut touchmark_search,
    digest: touchmark_bytes,
    size: u64,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promises about handles, views and outs.
    unsafe {
        call::run(error, || {
            with(search, |deciding| {
                let digest = digest.text("digest")?.parse::<Digest>()?;
                deciding.take(|need| matches!(need, Need::Hash { .. }))?;
                deciding.search.answer(Answer::Hashed { digest, size });
                Ok(())
            })
        })
    }
}

/// Gives the referrers that were asked for, as an OCI image index, which is what the referrers API of registries answers. `complete`: 1 if
/// these are all that were asked for. `more`: 1 if a thorough question may find others. Entries that are malformed are left out; a list
/// that is none at all is no error of this call but one that could not be had.
///
/// `TOUCHMARK_STATUS_WRONG_STATE` if something else was asked for, or nothing; `TOUCHMARK_STATUS_INVALID_ARGUMENT` if one of the two is
/// neither 0 nor 1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_search_provide_referrers(
    search: *mut touchmark_search,
    index_json: touchmark_bytes,
    complete: u32,
    more: u32,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promises about handles, views and outs.
    unsafe {
        call::run(error, || {
            with(search, |deciding| {
                let (index, complete, more) = (index_json.read("list of referrers")?, flag(complete)?, flag(more)?);
                let Need::Referrers { entries, bytes, .. } = deciding.take(|need| matches!(need, Need::Referrers { .. }))? else {
                    return Err(Failure::internal("another need"));
                };
                deciding.search.answer(listed(index, entries, bytes, complete, more));
                Ok(())
            })
        })
    }
}

/// Says why what was asked for is not to be had: `TOUCHMARK_FAILURE_...`, and in words, which may be none.
///
/// `TOUCHMARK_STATUS_WRONG_STATE` if nothing was asked for; `TOUCHMARK_STATUS_INVALID_ARGUMENT` for another number.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_search_provide_failure(
    search: *mut touchmark_search,
    failure: u32,
    message: touchmark_bytes,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promises about handles, views and outs.
    unsafe {
        call::run(error, || {
            with(search, |deciding| {
                let (missing, said) = (Missing::from_number(failure)?, said(message.read("message")?));
                let need = deciding.take(|_| true)?;
                deciding.search.answer(Answer::Failed(unfetched(missing, said, &need)));
                Ok(())
            })
        })
    }
}

/// The verdict: the artifact, verified; or as for `touchmark_verify_manifest` why not, with all the reasons in the error's JSON.
///
/// `TOUCHMARK_STATUS_WRONG_STATE` before it has decided, and the second time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_search_finish(
    search: *mut touchmark_search,
    out: *mut *mut touchmark_verified_artifact,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promises about handles and outs.
    unsafe {
        call::give(out, error, || {
            let mut state = handle(search, "search")?.0.enter()?;
            let deciding = state.as_ref().ok_or_else(finished)?;
            if let Step::Need(_) = deciding.search.next() {
                return Err(Failure::state("it has not decided yet; call touchmark_search_next"));
            }
            state.take().ok_or_else(finished)?.finish()
        })
    }
}

/// Frees a search, wherever it stands. NULL is nothing to free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_search_free(search: *mut touchmark_search) {
    // SAFETY: the caller's promise about handles.
    unsafe { call::free(search) }
}

/// Does something with a search that is not finished.
///
/// # Safety
/// The caller's promise about handles.
unsafe fn with<T>(search: *mut touchmark_search, act: impl FnOnce(&mut Deciding) -> Result<T, Failure>) -> Result<T, Failure> {
    // SAFETY: the promise that this function asks for.
    let search = unsafe { handle(search, "search")? };
    act(search.0.enter()?.as_mut().ok_or_else(finished)?)
}

fn finished() -> Failure {
    Failure::state("the search has been finished")
}

/// The referrers of a list.
fn listed(index: &[u8], entries: usize, bytes: u64, complete: bool, more: bool) -> Answer {
    if size(index) > bytes {
        return Answer::Failed(Unfetched::TooLarge { limit: bytes, option: "--max-list-size" });
    }
    let malformed = |why: String| Answer::Failed(Unfetched::Malformed(format!("the list of referrers is no image index: {why}")));
    let most = entries.saturating_mul(VALUES).max(VALUES);
    let document = match json::parse_bounded(index, index.len(), most) {
        Ok(document) => document,
        Err(error) => return malformed(error.to_string()),
    };
    let Some(manifests) = document.get("manifests").and_then(Value::as_array) else {
        return malformed("it has no manifests".to_owned());
    };
    let mut found: Vec<Descriptor> = manifests.iter().filter_map(|entry| Descriptor::from_json(entry).ok()).collect();
    let fits = found.len() <= entries;
    found.truncate(entries);
    let why = (!complete).then(|| "the source says so".to_owned());
    Answer::Referrers { entries: found, complete: complete && fits, more, why }
}

fn unfetched(missing: Missing, said: String, need: &Need) -> Unfetched {
    let or = |said: String, otherwise: &str| if said.is_empty() { otherwise.to_owned() } else { said };
    match missing {
        Missing::NotFound => Unfetched::NotFound,
        Missing::Unavailable => Unfetched::Unavailable(or(said, "unavailable")),
        Missing::Denied => Unfetched::Denied { message: or(said, "denied"), hint: None },
        Missing::Malformed => Unfetched::Malformed(or(said, "malformed")),
        Missing::TooLarge => match need {
            Need::Manifest { limit, .. } => Unfetched::TooLarge { limit: *limit, option: "--max-manifest-size" },
            Need::Referrers { bytes, .. } => Unfetched::TooLarge { limit: *bytes, option: "--max-list-size" },
            Need::Blob { limit, .. } => Unfetched::TooLarge { limit: *limit, option: "--max-envelope-size" },
            Need::Hash { size, .. } => Unfetched::TooLarge { limit: *size, option: "--max-contents" },
            _ => Unfetched::Unavailable("too large".to_owned()),
        },
    }
}

fn size(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
