//! Policies: whom the caller trusts, and what it wants to have been said.

use touchmark_envelope::name::Wanted;
#[cfg(feature = "supply-chain")]
use touchmark_trust::SupplyChainDemand;
use touchmark_trust::{AcceptedKind, Policy};

use crate::array::handle;
use crate::bytes::touchmark_bytes;
use crate::call;
use crate::error::touchmark_error;
use crate::exclusive::Exclusive;
use crate::failure::Failure;
#[cfg(feature = "supply-chain")]
use crate::public_key::keys as any_keys;
use crate::public_key::{artifact_keys, touchmark_public_key};
use crate::standing::touchmark_standing;
use crate::status::{TOUCHMARK_STATUS_INVALID_THRESHOLD, touchmark_status};

/// `touchmark_policy_builder_accept_only`: an entry of the trust metadata.
pub const TOUCHMARK_ACCEPT_ENTRY: u32 = 1;
/// `touchmark_policy_builder_accept_only`: a seal of the trust metadata.
pub const TOUCHMARK_ACCEPT_SEAL: u32 = 2;
/// `touchmark_policy_builder_accept_only`: envelopes, signed by a role's keys or by those of the caller.
pub const TOUCHMARK_ACCEPT_ENVELOPES: u32 = 4;

/// A policy being made. One call at a time.
pub struct touchmark_policy_builder(Exclusive<Policy>);

/// A policy. Immutable; any number of threads may use one.
pub struct touchmark_policy {
    pub(crate) policy: Policy,
}

/// A policy that trusts these keys: signatures by so many distinct ones of them. The same key twice is one.
///
/// `TOUCHMARK_STATUS_INVALID_THRESHOLD` if the threshold is zero or above the number of distinct keys, so also without a key;
/// `TOUCHMARK_STATUS_INVALID_KEY` for an RSA key.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_policy_builder_from_keys(
    keys: *const *const touchmark_public_key,
    count: usize,
    threshold: usize,
    out: *mut *mut touchmark_policy_builder,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promises about handles, views and outs.
    unsafe {
        call::give(out, error, || {
            let keys = artifact_keys(keys, count)?;
            if keys.is_empty() {
                return Err(Failure::new(
                    TOUCHMARK_STATUS_INVALID_THRESHOLD,
                    "threshold",
                    "there is no key, so that nothing could be accepted",
                ));
            }
            let policy = Policy::by_keys(keys)?.threshold(threshold)?;
            Ok(touchmark_policy_builder(Exclusive::new(policy)))
        })
    }
}

/// A policy that trusts what trust metadata says of a name: entries, seals, and the envelopes of the keys that it lets accept the
/// name's artifacts. The name is the standing's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_policy_builder_from_standing(
    standing: *const touchmark_standing,
    out: *mut *mut touchmark_policy_builder,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promises about handles and outs.
    unsafe {
        call::give(out, error, || {
            let standing = handle(standing, "standing")?.standing.clone();
            Ok(touchmark_policy_builder(Exclusive::new(Policy::trust(standing))))
        })
    }
}

/// Wants this name to have been signed: NAME, NAME:VERSION, or NAME:* for any version. Without it, a policy of keys does not check names.
///
/// `TOUCHMARK_STATUS_WRONG_STATE` for another name than the standing's, where the policy is by one, and for another than was wanted before.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_policy_builder_set_name(
    builder: *mut touchmark_policy_builder,
    wanted: touchmark_bytes,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promises about handles, views and outs.
    unsafe {
        change(builder, error, |policy| {
            let wanted: Wanted = wanted.text("name")?.parse::<Wanted>()?;
            // That of trust metadata was asked for with the standing. The last one alone would be less than what was asked for.
            match policy.wanted_name().filter(|before| **before != wanted) {
                Some(before) => Err(Failure::state(format!("the name {before} is wanted already, and a policy has one"))),
                None => Ok(policy.name(wanted)),
            }
        })
    }
}

/// Wants each counted signature to have this annotation.
///
/// `TOUCHMARK_STATUS_INVALID_ARGUMENT` if another value is wanted of the same key already: no signature has both.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_policy_builder_require_annotation(
    builder: *mut touchmark_policy_builder,
    key: touchmark_bytes,
    value: touchmark_bytes,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promises about handles, views and outs.
    unsafe {
        change(builder, error, |policy| {
            let (key, value) = (key.text("annotation's key")?, value.text("annotation's value")?);
            if policy.wanted_annotations().get(key).is_some_and(|before| before != value) {
                return Err(Failure::argument(format!("the annotation {key} is wanted with two values, and no signature has both")));
            }
            Ok(policy.annotation(key, value))
        })
    }
}

/// Wants an attestation of this predicate type instead of a signature; called several times, one of each.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_policy_builder_require_predicate(
    builder: *mut touchmark_policy_builder,
    predicate_type: touchmark_bytes,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promises about handles, views and outs.
    unsafe {
        change(builder, error, |policy| match predicate_type.text("predicate type")? {
            "" => Err(Failure::argument("the predicate type is empty")),
            predicate_type => Ok(policy.predicate_type(predicate_type)),
        })
    }
}

/// Takes nothing but these, `TOUCHMARK_ACCEPT_...` added up; called several times, what all of the calls have.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_policy_builder_accept_only(
    builder: *mut touchmark_policy_builder,
    kinds: u32,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promises about handles and outs.
    unsafe {
        change(builder, error, |policy| {
            let all = [
                (TOUCHMARK_ACCEPT_ENTRY, AcceptedKind::Entry),
                (TOUCHMARK_ACCEPT_SEAL, AcceptedKind::Seal),
                (TOUCHMARK_ACCEPT_ENVELOPES, AcceptedKind::Envelopes),
            ];
            if kinds == 0 || kinds > all.iter().map(|(bit, _)| bit).sum() {
                return Err(Failure::argument(format!("{kinds} is no sum of TOUCHMARK_ACCEPT_...")));
            }
            Ok(policy.accept_only(all.iter().filter(|(bit, _)| kinds & bit != 0).map(|(_, kind)| *kind)))
        })
    }
}

/// Wants this role of the trust metadata to decide. Where no trust metadata decides, nothing is accepted.
///
/// `TOUCHMARK_STATUS_WRONG_STATE` if another role is wanted already: one decides.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_policy_builder_by_role(
    builder: *mut touchmark_policy_builder,
    role: touchmark_bytes,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promises about handles, views and outs.
    unsafe {
        change(builder, error, |policy| match role.text("role")? {
            "" => Err(Failure::argument("the role is empty")),
            role => match policy.wanted_role().filter(|before| *before != role) {
                Some(_) => Err(Failure::state("another role is wanted already, and one decides")),
                None => Ok(policy.by_role(role)),
            },
        })
    }
}

/// Wants this in-toto layout to hold for the artifact, by what is attached to it, once everything else does. All of the keys must have
/// signed the layout, which is told when it is verified.
///
/// `TOUCHMARK_STATUS_INVALID_THRESHOLD` without a key; `TOUCHMARK_STATUS_WRONG_STATE` if a layout is wanted already: a policy has one.
#[cfg(feature = "supply-chain")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_policy_builder_require_supply_chain(
    builder: *mut touchmark_policy_builder,
    layout: touchmark_bytes,
    keys: *const *const touchmark_public_key,
    count: usize,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promises about handles, views and outs.
    unsafe {
        change(builder, error, |policy| {
            let demand = SupplyChainDemand::new(layout.read("layout")?.to_vec(), any_keys(keys, count)?)?;
            // The last one alone would be less than what was asked for.
            match policy.wanted_supply_chain() {
                Some(_) => Err(Failure::state("a layout is wanted already, and a policy has one")),
                None => Ok(policy.supply_chain(demand)),
            }
        })
    }
}

/// The policy. The builder stays as it is.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_policy_builder_build(
    builder: *const touchmark_policy_builder,
    out: *mut *mut touchmark_policy,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promises about handles and outs.
    unsafe { call::give(out, error, || Ok(touchmark_policy { policy: handle(builder, "builder")?.0.look()?.clone() })) }
}

/// Frees a builder. NULL is nothing to free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_policy_builder_free(builder: *mut touchmark_policy_builder) {
    // SAFETY: the caller's promise about handles.
    unsafe { call::free(builder) }
}

/// Frees a policy. NULL is nothing to free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_policy_free(policy: *mut touchmark_policy) {
    // SAFETY: the caller's promise about handles.
    unsafe { call::free(policy) }
}

/// Changes what is being made; a failure changes nothing.
///
/// # Safety
/// The caller's promises about handles and outs.
unsafe fn change(
    builder: *mut touchmark_policy_builder,
    error: *mut *mut touchmark_error,
    change: impl FnOnce(Policy) -> Result<Policy, Failure>,
) -> touchmark_status {
    // SAFETY: the promise that this function asks for.
    unsafe {
        call::run(error, || {
            let mut policy = handle(builder, "builder")?.0.enter()?;
            *policy = change(policy.clone())?;
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::public_key::{TOUCHMARK_KEY_RSA_PSS, touchmark_public_key_from_raw};
    use crate::testing::{Owned, Seen, done, failed, made, pointers, public, view};

    fn of_keys(keys: &[u8], threshold: usize) -> Result<Owned<touchmark_policy_builder>, Seen> {
        let keys: Vec<_> = keys.iter().map(|number| public(*number)).collect();
        let keys = pointers(&keys);
        // SAFETY: the handles are not freed yet, the array and the places are the test's.
        made(|out, error| unsafe { touchmark_policy_builder_from_keys(keys.as_ptr(), keys.len(), threshold, out, error) })
    }

    #[test]
    fn thresholds_that_cannot_be_reached_are_refused() {
        assert!(of_keys(&[1, 2], 2).is_ok());
        for (keys, threshold) in [(&[][..], 0), (&[], 1), (&[1], 0), (&[1, 1], 2)] {
            assert_eq!(failed(of_keys(keys, threshold)).0, "INVALID_THRESHOLD");
        }
    }

    #[test]
    fn an_rsa_key_decides_over_no_artifact() {
        let modulus = [&[0x00, 0xc1][..], &[0x55; 254], &[0x01]].concat();
        let integer = [&[0x02, 0x82, 0x01, 0x01][..], &modulus].concat();
        let key = [&[0x30, 0x82, 0x01, 0x0a][..], &integer, &[0x02, 0x03, 0x01, 0x00, 0x01]].concat();
        // SAFETY: the views, the array and the places are the test's; the key is not freed yet.
        unsafe {
            let read = made(|out, error| touchmark_public_key_from_raw(TOUCHMARK_KEY_RSA_PSS, view(&key), out, error)).unwrap();
            let keys = [read.0.cast_const()];
            let refused = made(|out, error| touchmark_policy_builder_from_keys(keys.as_ptr(), 1, 1, out, error));
            assert_eq!(failed(refused), ("INVALID_KEY", "key-unsupported".to_owned()));
        }
    }

    #[test]
    fn demands_that_nothing_meets_are_refused_and_change_nothing() {
        let builder = of_keys(&[1], 1).unwrap();
        // SAFETY: the builder is not freed yet, the views and the places are the test's.
        unsafe {
            let annotation = |value| done(|error| touchmark_policy_builder_require_annotation(builder.0, view("k"), view(value), error));
            annotation("a").unwrap();
            annotation("a").unwrap();
            assert_eq!(failed(annotation("b")).0, "INVALID_ARGUMENT");
            let name = |name| done(|error| touchmark_policy_builder_set_name(builder.0, view(name), error));
            assert_eq!(failed(name("acme")).0, "INVALID_NAME");
            for good in ["acme/x", "acme/x:1", "acme/x:*"] {
                let fresh = of_keys(&[1], 1).unwrap();
                done(|error| touchmark_policy_builder_set_name(fresh.0, view(good), error)).unwrap();
            }
            for same in ["acme/x:*", "acme/x:*"] {
                name(same).unwrap();
            }
            // The last of several demands alone would be less than all of them.
            for other in ["acme/x", "acme/x:1", "acme/y:*"] {
                assert_eq!(failed(name(other)).0, "WRONG_STATE");
            }
            for kinds in [0, 8, u32::MAX] {
                assert_eq!(failed(done(|error| touchmark_policy_builder_accept_only(builder.0, kinds, error))).0, "INVALID_ARGUMENT");
            }
            done(|error| touchmark_policy_builder_accept_only(builder.0, TOUCHMARK_ACCEPT_SEAL | TOUCHMARK_ACCEPT_ENVELOPES, error))
                .unwrap();
            assert_eq!(failed(done(|error| touchmark_policy_builder_require_predicate(builder.0, view(""), error))).0, "INVALID_ARGUMENT");
            assert_eq!(failed(done(|error| touchmark_policy_builder_by_role(builder.0, view(""), error))).0, "INVALID_ARGUMENT");
            for _ in 0..2 {
                done(|error| touchmark_policy_builder_by_role(builder.0, view("acme"), error)).unwrap();
            }
            assert_eq!(failed(done(|error| touchmark_policy_builder_by_role(builder.0, view("other"), error))).0, "WRONG_STATE");
            let policy = made(|out, error| touchmark_policy_builder_build(builder.0, out, error)).unwrap();
            let policy = &(*policy.0).policy;
            assert_eq!(policy.wanted_annotations().get("k").map(String::as_str), Some("a"));
            assert_eq!(policy.wanted_name().map(ToString::to_string).as_deref(), Some("acme/x:*"));
            assert_eq!(policy.accepted_kinds(), Some(&[AcceptedKind::Seal, AcceptedKind::Envelopes][..]));
            assert_eq!(policy.wanted_role(), Some("acme"));
        }
    }

    #[test]
    #[cfg(feature = "supply-chain")]
    fn a_policy_has_one_layout() {
        let builder = of_keys(&[1], 1).unwrap();
        let key = public(1);
        // SAFETY: the handles are not freed yet, the views and the places are the test's.
        unsafe {
            let layout = |keys: &[*const touchmark_public_key]| {
                done(|error| touchmark_policy_builder_require_supply_chain(builder.0, view("{}"), keys.as_ptr(), keys.len(), error))
            };
            assert_eq!(failed(layout(&[])).0, "INVALID_THRESHOLD");
            layout(&[key.0]).unwrap();
            assert_eq!(failed(layout(&[key.0])).0, "WRONG_STATE");
            let policy = made(|out, error| touchmark_policy_builder_build(builder.0, out, error)).unwrap();
            assert!((*policy.0).policy.wanted_supply_chain().is_some());
        }
    }
}
