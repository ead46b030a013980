//! The `verify` command: its options, its run, and the output that all commands share (SPEC.md, "Exit codes" and "JSON output").
//!
//! `touchmark-verify` is this and a hand-written command line; `touchmark verify` fills the same [`Options`](options::Options).
#![forbid(unsafe_code)]

pub mod access;
pub mod args;
pub mod check;
pub mod exit;
pub mod options;
pub mod output;
pub mod root;
mod run;

pub use run::{Open, place, run, run_with};
