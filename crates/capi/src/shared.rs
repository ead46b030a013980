//! Which handles threads may share: the compiler looks at what is in them, since C's pointers tell it nothing.
//!
//! Not here are those with something of the caller in them, or a trait object: sources (`source.rs` says why they are shared), signers (of a
//! function, if the function may be), and trust roots, which one thread at a time may use.

const fn by_any_number_at_once<T: Send + Sync>() {}

const _: () = {
    by_any_number_at_once::<crate::error::touchmark_error>();
    by_any_number_at_once::<crate::buffer::touchmark_buffer>();
    by_any_number_at_once::<crate::public_key::touchmark_public_key>();
    by_any_number_at_once::<crate::envelope::touchmark_envelope>();
    by_any_number_at_once::<crate::envelope::touchmark_verified_envelope>();
    by_any_number_at_once::<crate::policy::touchmark_policy>();
    by_any_number_at_once::<crate::policy_document::touchmark_policy_document>();
    by_any_number_at_once::<crate::artifact::touchmark_verified_artifact>();
    by_any_number_at_once::<crate::standing::touchmark_standing>();
    by_any_number_at_once::<crate::tuf_target::touchmark_tuf_target>();
    // Calls on these exclude each other (`Exclusive`).
    by_any_number_at_once::<crate::digest::touchmark_hasher>();
    by_any_number_at_once::<crate::policy::touchmark_policy_builder>();
    by_any_number_at_once::<crate::request::touchmark_request>();
    by_any_number_at_once::<crate::search::touchmark_search>();
    by_any_number_at_once::<crate::tuf::touchmark_tuf_client>();
};

#[cfg(feature = "supply-chain")]
const _: () = {
    by_any_number_at_once::<crate::supply_chain::touchmark_verified_supply_chain>();
    by_any_number_at_once::<crate::supply_chain::touchmark_supply_chain>();
};

#[cfg(feature = "sign")]
const _: () = by_any_number_at_once::<crate::private_key::touchmark_private_key>();

#[cfg(feature = "io")]
const _: () = by_any_number_at_once::<crate::policy_file::touchmark_policy_file>();
