#!/usr/bin/env bash
# Writes the C header and the list of its symbols from crates/capi/src; with --check, says whether the committed ones are those.
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target}/header"
if [ "${1-}" = --check ]; then cargo test --quiet --locked --manifest-path tools/header/Cargo.toml; fi
cargo run --quiet --locked --manifest-path tools/header/Cargo.toml -- . "$@"
