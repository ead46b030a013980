#!/usr/bin/env bash
# Builds what is shipped into target/dist, and keeps both programs unstripped for the check of their symbols.
set -euo pipefail
cd "$(dirname "$0")/../.."

target=${CARGO_TARGET_DIR:-target}
host=x86_64-unknown-linux-gnu
export CARGO_PROFILE_RELEASE_STRIP=none
RUSTFLAGS=$(scripts/rustflags.sh)
export RUSTFLAGS
cargo build --locked --release -p touchmark-cli
# Its own invocation: with another package in it, that package's features would be unified into the verifier.
# With --target, the flags are not given to build scripts and procedural macros.
RUSTFLAGS="$RUSTFLAGS -C target-feature=+crt-static" cargo build --locked --release -p touchmark-verify --target "$host" \
    --config crates/verify/small.toml

mkdir -p target/dist
strip --strip-all -o target/dist/touchmark "$target/release/touchmark"
strip --strip-all -o target/dist/touchmark-verify "$target/$host/release/touchmark-verify"
ldd target/dist/touchmark-verify 2>&1 | grep -q "statically linked" || { echo "error: touchmark-verify is not static" >&2; exit 1; }
echo "touchmark-verify: statically linked"
