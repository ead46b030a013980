//! The command line, run as its users run it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    unreachable_pub,
    reason = "a test may fail by panicking, and helpers outside of #[test] functions are not seen as test code"
)]

mod children;
mod commands;
mod disks;
mod exits;
mod forge;
mod graph;
mod harness;
mod hostile_stores;
mod in_toto;
mod in_toto_attached;
mod in_toto_attestation;
mod in_toto_exits;
mod in_toto_fail_open;
mod in_toto_hostile;
mod in_toto_inspections;
mod in_toto_layouts;
mod in_toto_products;
mod in_toto_run;
mod in_toto_summary;
mod in_toto_verify;
mod interrupted;
mod keys;
mod logins;
mod moves;
mod not_fooled;
mod output;
mod policy;
mod policy_verify;
mod races;
mod registry_bounded;
mod registry_commands;
mod registry_credentials;
mod registry_kills;
mod registry_moves;
mod registry_not_fooled;
mod registry_races;
mod registry_refusals;
mod registry_requests;
mod registry_unknown;
mod remote;
mod schema;
mod signing;
mod stock;
mod supply_chain;
mod trust;
mod trust_attacks;
mod trust_ceremony;
mod trust_changes;
mod trust_commands;
mod trust_delegations;
mod trust_exits;
mod trust_forged;
mod trust_init;
mod trust_late;
mod trust_names;
mod trust_pull;
mod trust_races;
mod trust_releases;
mod trust_renewal;
mod trust_rotation;
mod trust_signing;
mod trust_staging;
mod trust_targets;
mod trust_thieves;
mod tuf;
