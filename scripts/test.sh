#!/usr/bin/env bash
# Runs every test that needs nothing but Rust. Arguments go to `cargo test`.
#
# Tests against other tools run too if those are there (tests/peers/setup.sh builds them); else they say what they need.
set -euo pipefail
cd "$(dirname "$0")/.."

# The command-line tests run both programs, whichever package they belong to.
cargo build --locked --workspace --all-features --bins
cargo test --locked --workspace --all-features "$@"
