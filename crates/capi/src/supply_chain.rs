//! in-toto layouts, verified by steps.

use touchmark_envelope::Verified;
use touchmark_envelope::threshold::KeySet;
use touchmark_in_toto::{Answer, Detail, Failure as Unfetched, Names, Need, Settings, SupplyChain, Verification};

use crate::array::{handle, pairs};
use crate::buffer::touchmark_buffer;
use crate::bytes::{slice, touchmark_bytes, touchmark_pair};
use crate::call;
use crate::error::touchmark_error;
use crate::exclusive::Exclusive;
use crate::failure::Failure;
use crate::public_key::{keys as any_keys, touchmark_public_key};
use crate::status::touchmark_status;
use crate::step::{self, Missing, flag, said};
use crate::time::time;

/// Nothing: all is decided. Call `touchmark_supply_chain_finish`.
pub const TOUCHMARK_SUPPLY_CHAIN_DONE: u32 = 0;
/// The bytes of the file at `name` below the folder of links, at most `limit`.
pub const TOUCHMARK_SUPPLY_CHAIN_FILE: u32 = 1;
/// The names of the files in the folder `name`, empty or with a slash at its end, that are links of the step `step`: `STEP.XXXXXXXX.link` with
/// eight of `0-9a-f`; at most `limit` of them, the first ones in their order. For steps that take certificates, and no others.
pub const TOUCHMARK_SUPPLY_CHAIN_NAMES: u32 = 2;
/// The outcome of the inspection `name`, which nobody has signed, of the layout in the folder `step`. Nothing here runs a command:
/// `touchmark_supply_chain_provide_absent` says so, and the inspection is then not verified.
pub const TOUCHMARK_SUPPLY_CHAIN_INSPECTION: u32 = 3;

/// A layout being verified. One call at a time.
pub struct touchmark_supply_chain(Exclusive<Option<Verifying>>);

/// What a layout's verification needs next, by value.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct touchmark_supply_chain_need {
    /// `TOUCHMARK_SUPPLY_CHAIN_...`.
    pub kind: u32,
    /// 0.
    pub reserved: u32,
    /// Which file, folder or inspection; a path has names with a slash between them, none of which is `.` or `..`. A view, valid until the next
    /// call on the verification.
    pub name: touchmark_bytes,
    /// Of names: the step. Of an inspection: the folder of its layout. A view as `name`.
    pub step: touchmark_bytes,
    /// At most so many bytes, or names.
    pub limit: u64,
}

impl touchmark_supply_chain_need {
    const NOTHING: Self =
        Self { kind: TOUCHMARK_SUPPLY_CHAIN_DONE, reserved: 0, name: touchmark_bytes::EMPTY, step: touchmark_bytes::EMPTY, limit: 0 };
}

struct Verifying {
    verification: Verification,
    /// What was asked for and not answered yet.
    asked: Option<Asked>,
    name: String,
    step: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    /// At most so many bytes.
    File(u64),
    Names,
    Inspection,
}

/// A supply chain that is as its layout says. There is one only after a verification that succeeded. Immutable; any number of threads may
/// use one.
pub struct touchmark_verified_supply_chain(pub(crate) Verified<SupplyChain>);

impl Verifying {
    fn next(&mut self) -> touchmark_supply_chain_need {
        self.asked = None;
        let (kind, asked, name, step, limit) = match self.verification.need() {
            None => return touchmark_supply_chain_need::NOTHING,
            Some(Need::File { path, limit }) => (TOUCHMARK_SUPPLY_CHAIN_FILE, Asked::File(*limit), path.clone(), String::new(), *limit),
            Some(Need::Names { folder, step, limit }) => {
                let limit = u64::try_from(*limit).unwrap_or(u64::MAX);
                (TOUCHMARK_SUPPLY_CHAIN_NAMES, Asked::Names, folder.clone(), step.clone(), limit)
            }
            Some(Need::Inspection { folder, inspection }) => {
                (TOUCHMARK_SUPPLY_CHAIN_INSPECTION, Asked::Inspection, inspection.name.clone(), folder.clone(), 0)
            }
            // A need of a later version: nobody can meet it.
            Some(_) => {
                self.verification.answer(Answer::Failed(Unfetched::WrongAnswer));
                return self.next();
            }
        };
        (self.asked, self.name, self.step) = (Some(asked), name, step);
        let view = |text: &String| touchmark_bytes::of(text.as_bytes());
        touchmark_supply_chain_need { kind, reserved: 0, name: view(&self.name), step: view(&self.step), limit }
    }

    /// What was asked for, if the answer is one to that.
    fn take(&mut self, is_for: impl Fn(Asked) -> bool) -> Result<Asked, Failure> {
        step::take(&mut self.asked, |asked| is_for(*asked), "touchmark_supply_chain_next")
    }

    fn bytes(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let Asked::File(limit) = self.take(|asked| matches!(asked, Asked::File(_)))? else {
            return Err(Failure::internal("another question"));
        };
        let fits = u64::try_from(bytes.len()).is_ok_and(|found| found <= limit);
        self.verification.answer(if fits { Answer::Bytes(bytes.to_vec()) } else { Answer::Failed(Unfetched::TooLarge { limit }) });
        Ok(())
    }

    fn failed(&mut self, missing: Missing, why: String) -> Result<(), Failure> {
        let or = |otherwise: &str| if why.is_empty() { otherwise.to_owned() } else { why.clone() };
        let answer = match (missing, self.take(|_| true)?) {
            (Missing::NotFound, _) => Answer::Absent,
            (Missing::TooLarge, Asked::File(limit)) => Answer::Failed(Unfetched::TooLarge { limit }),
            (Missing::TooLarge, _) => Answer::Failed(Unfetched::Unavailable(or("too large"))),
            (Missing::Malformed, _) => Answer::Failed(Unfetched::NoFile(or("malformed"))),
            (Missing::Denied, _) => Answer::Failed(Unfetched::Unavailable(or("denied"))),
            (Missing::Unavailable, _) => Answer::Failed(Unfetched::Unavailable(or("unavailable"))),
        };
        self.verification.answer(answer);
        Ok(())
    }
}

/// The settings with these parameters.
///
/// # Safety
/// The caller's promise about views.
pub(crate) unsafe fn settings(parameters: *const touchmark_pair, count: usize) -> Result<Settings, Failure> {
    let mut settings = Settings::default();
    // SAFETY: the promise that this function asks for.
    for (name, value) in unsafe { pairs(parameters, count, "parameter")? } {
        settings.parameters.insert(name, value).map_err(|error| Failure::argument(error.to_string()).code(error.code()))?;
    }
    Ok(settings)
}

/// Begins to verify an in-toto layout, which every one of the keys must have signed, as of the time `at`, in seconds since 1970. `parameters` are
/// the values of the layout's parameters; there may be none. What is wrong with the layout is told at the end, like everything else.
///
/// `TOUCHMARK_STATUS_INVALID_ARGUMENT` for a parameter that can be none, or is there twice.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_supply_chain_new(
    layout: touchmark_bytes,
    keys: *const *const touchmark_public_key,
    count: usize,
    parameters: *const touchmark_pair,
    parameter_count: usize,
    at: i64,
    out: *mut *mut touchmark_supply_chain,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promises about handles, views and outs.
    unsafe {
        call::give(out, error, || {
            let (layout, keys) = (layout.read("layout")?.to_vec(), KeySet::new(any_keys(keys, count)?));
            let (settings, at) = (settings(parameters, parameter_count)?, time(at, "time of the verification")?);
            let verification = Verification::new(layout, &keys, settings, at);
            let (asked, name, step) = (None, String::new(), String::new());
            Ok(touchmark_supply_chain(Exclusive::new(Some(Verifying { verification, asked, name, step }))))
        })
    }
}

/// What it needs next. Asked again without an answer, it says the same again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_supply_chain_next(
    chain: *mut touchmark_supply_chain,
    out: *mut touchmark_supply_chain_need,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promises about handles and outs.
    unsafe { call::fill(out, touchmark_supply_chain_need::NOTHING, error, || with(chain, |verifying| Ok(verifying.next()))) }
}

/// Gives the bytes of the file that was asked for. That they are no link, or too many, is no error of this call but something that the
/// verification takes in.
///
/// `TOUCHMARK_STATUS_WRONG_STATE` if something else was asked for, or nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_supply_chain_provide_bytes(
    chain: *mut touchmark_supply_chain,
    bytes: touchmark_bytes,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promises about handles, views and outs.
    unsafe { call::run(error, || with(chain, |verifying| verifying.bytes(bytes.read("bytes")?))) }
}

/// Says that there is no such file or folder, or that the inspection is not run.
///
/// `TOUCHMARK_STATUS_WRONG_STATE` if nothing was asked for.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_supply_chain_provide_absent(
    chain: *mut touchmark_supply_chain,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promises about handles and outs.
    unsafe {
        call::run(error, || {
            with(chain, |verifying| {
                verifying.take(|_| true)?;
                verifying.verification.answer(Answer::Absent);
                Ok(())
            })
        })
    }
}

/// Gives the names of files that were asked for, without their folder. Those that are none of links are ignored, also because they are not
/// UTF-8. `complete`: 1 if these are all.
///
/// `TOUCHMARK_STATUS_WRONG_STATE` if something else was asked for, or nothing; `TOUCHMARK_STATUS_INVALID_ARGUMENT` if `complete` is neither 0 nor 1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_supply_chain_provide_names(
    chain: *mut touchmark_supply_chain,
    names: *const touchmark_bytes,
    count: usize,
    complete: u32,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promises about handles, views and outs.
    unsafe {
        call::run(error, || {
            with(chain, |verifying| {
                let is_complete = flag(complete)?;
                let mut texts = Vec::new();
                for name in slice(names, count, "names")? {
                    texts.extend(std::str::from_utf8(name.read("name")?).ok().map(str::to_owned));
                }
                verifying.take(|asked| asked == Asked::Names)?;
                verifying.verification.answer(Answer::Names(Names { names: texts, is_complete }));
                Ok(())
            })
        })
    }
}

/// Says why what was asked for is not to be had: `TOUCHMARK_FAILURE_...`, and in words, which may be none. `TOUCHMARK_FAILURE_NOT_FOUND` is as
/// `touchmark_supply_chain_provide_absent`.
///
/// `TOUCHMARK_STATUS_WRONG_STATE` if nothing was asked for; `TOUCHMARK_STATUS_INVALID_ARGUMENT` for another number.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_supply_chain_provide_failure(
    chain: *mut touchmark_supply_chain,
    failure: u32,
    message: touchmark_bytes,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promises about handles, views and outs.
    unsafe {
        call::run(error, || {
            let (missing, why) = (Missing::from_number(failure)?, said(message.read("message")?));
            with(chain, |verifying| verifying.failed(missing, why))
        })
    }
}

/// The verdict: the supply chain, verified; or why not, with all that was found in the error's JSON under `report`.
///
/// `TOUCHMARK_STATUS_SUPPLY_CHAIN_NOT_VERIFIED` if there is not the evidence that the layout asks for; `TOUCHMARK_STATUS_UNTRUSTED_METADATA` if the
/// layout is not signed by every key, is malformed or has expired; `TOUCHMARK_STATUS_INVALID_ARGUMENT` without a key, or if the parameters do
/// not go with the layout; `TOUCHMARK_STATUS_UNKNOWN` if it could not be found out. `TOUCHMARK_STATUS_WRONG_STATE` before all is decided, and
/// the second time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_supply_chain_finish(
    chain: *mut touchmark_supply_chain,
    out: *mut *mut touchmark_verified_supply_chain,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promises about handles and outs.
    unsafe {
        call::give(out, error, || {
            let mut state = handle(chain, "verification")?.0.enter()?;
            if state.as_mut().ok_or_else(finished)?.verification.need().is_some() {
                return Err(Failure::state("it has not decided yet; call touchmark_supply_chain_next"));
            }
            let verifying = state.take().ok_or_else(finished)?;
            Ok(touchmark_verified_supply_chain(verifying.verification.finish()?))
        })
    }
}

/// Frees a verification, wherever it stands. NULL is nothing to free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_supply_chain_free(chain: *mut touchmark_supply_chain) {
    // SAFETY: the caller's promise about handles.
    unsafe { call::free(chain) }
}

/// What was found, as JSON: the report of SPEC.md, "The report", step by step and with the rule that consumed each artifact.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_verified_supply_chain_to_json(
    chain: *const touchmark_verified_supply_chain,
    out: *mut *mut touchmark_buffer,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promises about handles and outs.
    unsafe {
        call::give(out, error, || {
            let chain = handle(chain, "supply chain")?.0.get();
            Ok(touchmark_buffer::new(chain.report.to_json(Detail::Artifacts).to_vec()))
        })
    }
}

/// Frees a supply chain. NULL is nothing to free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_verified_supply_chain_free(chain: *mut touchmark_verified_supply_chain) {
    // SAFETY: the caller's promise about handles.
    unsafe { call::free(chain) }
}

/// Does something with a verification that is not finished.
///
/// # Safety
/// The caller's promise about handles.
unsafe fn with<T>(chain: *mut touchmark_supply_chain, act: impl FnOnce(&mut Verifying) -> Result<T, Failure>) -> Result<T, Failure> {
    // SAFETY: the promise that this function asks for.
    let chain = unsafe { handle(chain, "verification")? };
    act(chain.0.enter()?.as_mut().ok_or_else(finished)?)
}

fn finished() -> Failure {
    Failure::state("the verification has been finished")
}

#[cfg(test)]
pub(crate) mod tests;
