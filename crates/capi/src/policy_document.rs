//! Policy documents: read, checked, asked which rule decides.

use touchmark_envelope::json::Value;
use touchmark_envelope::name::Wanted;
use touchmark_trust::rules::{Finding, NormalReference, Origin, PolicyDocument, Question, RuleFault};

use crate::array::handle;
use crate::buffer::touchmark_buffer;
use crate::bytes::touchmark_bytes;
use crate::call;
use crate::error::touchmark_error;
use crate::failure::Failure;
use crate::status::{
    TOUCHMARK_STATUS_INVALID_REFERENCE, TOUCHMARK_STATUS_MALFORMED_POLICY, TOUCHMARK_STATUS_POLICY_REJECTED, TOUCHMARK_STATUS_UNSUPPORTED,
    touchmark_status,
};

/// The user's own document.
pub const TOUCHMARK_ORIGIN_LOCAL: u32 = 1;
/// A document that a trust repository signs, which can name neither files nor other repositories.
pub const TOUCHMARK_ORIGIN_SIGNED: u32 = 2;

/// A policy document (SPEC.md, "Policy"). Immutable; any number of threads may use one.
pub struct touchmark_policy_document(PolicyDocument);

/// Reads a policy document of at most 1 MiB: `TOUCHMARK_STATUS_MALFORMED_POLICY` if it is none, with the place in the message,
/// and `TOUCHMARK_STATUS_UNSUPPORTED` if it demands an in-toto layout and this library verifies none.
/// `TOUCHMARK_STATUS_INVALID_ARGUMENT` for an origin that is none of `TOUCHMARK_ORIGIN_...`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_policy_document_read(
    document: touchmark_bytes,
    origin: u32,
    out: *mut *mut touchmark_policy_document,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promises about views and outs.
    unsafe {
        call::give(out, error, || {
            let origin = match origin {
                TOUCHMARK_ORIGIN_LOCAL => Origin::Local,
                TOUCHMARK_ORIGIN_SIGNED => Origin::Signed,
                other => return Err(Failure::argument(format!("{other} names no origin: TOUCHMARK_ORIGIN_..."))),
            };
            let read = PolicyDocument::parse(document.read("document")?, origin);
            Ok(touchmark_policy_document(read.map_err(|error| {
                let status = match error.fault {
                    RuleFault::NoSupplyChains => TOUCHMARK_STATUS_UNSUPPORTED,
                    _ => TOUCHMARK_STATUS_MALFORMED_POLICY,
                };
                let failure = Failure::new(status, error.code(), error.to_string());
                match error.hint() {
                    Some(hint) => failure.hint(hint),
                    None => failure,
                }
            })?))
        })
    }
}

/// What of a document is probably not meant, as a JSON array of `{"level", "at", "code", "message", "hint"}` (SPEC.md, "What is probably not
/// meant"). What it names is not looked at.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_policy_document_check(
    document: *const touchmark_policy_document,
    out: *mut *mut touchmark_buffer,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promises about handles and outs.
    unsafe {
        call::give(out, error, || {
            let findings = handle(document, "policy document")?.0.check();
            Ok(touchmark_buffer::new(Value::from(findings.iter().map(Finding::to_json).collect::<Vec<_>>()).to_vec()))
        })
    }
}

/// Which rule decides about an artifact at `reference`, in its normal form as `HOST/REPOSITORY:TAG` or `oci:PATH:TAG`, that is wanted as `name`, NAME,
/// NAME:VERSION or NAME:*; either may be empty. The rule is a JSON object, `{"rule", "pattern", "expected_name", "captures", "parameters", "demands"}`
/// (SPEC.md, "Which rule decides"). It says what must hold, and nothing of whether it does.
///
/// `TOUCHMARK_STATUS_POLICY_REJECTED` if no rule is for it (the code `no-rule`), or it is one that rejects (`policy-rejects`);
/// `TOUCHMARK_STATUS_INVALID_ARGUMENT` if a rule comes first that cannot decide this, as one that expects another name;
/// `TOUCHMARK_STATUS_INVALID_REFERENCE` and `TOUCHMARK_STATUS_INVALID_NAME` for what is no reference in normal form, or no name.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_policy_document_decide(
    document: *const touchmark_policy_document,
    reference: touchmark_bytes,
    name: touchmark_bytes,
    out: *mut *mut touchmark_buffer,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promises about handles, views and outs.
    unsafe {
        call::give(out, error, || {
            let document = handle(document, "policy document")?;
            let reference = reference.optional_text("reference")?.map(NormalReference::new).transpose();
            let reference = reference.map_err(|error| Failure::new(TOUCHMARK_STATUS_INVALID_REFERENCE, error.code(), error.to_string()))?;
            let name = name.optional_text("name")?.map(str::parse::<Wanted>).transpose()?;
            let question = Question { reference: reference.as_ref(), name: name.as_ref() };
            let no_rule = || {
                let message = "no rule of the policy is for what is asked: nothing is accepted";
                Failure::new(TOUCHMARK_STATUS_POLICY_REJECTED, "no-rule", message)
            };
            let matched = document.0.decide(&question)?.ok_or_else(no_rule)?;
            Ok(touchmark_buffer::new(Value::Object(matched.to_json()).to_vec()))
        })
    }
}

/// Frees a policy document. NULL is nothing to free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_policy_document_free(document: *mut touchmark_policy_document) {
    // SAFETY: the caller's promise about handles.
    unsafe { call::free(document) }
}

#[cfg(test)]
mod tests;
