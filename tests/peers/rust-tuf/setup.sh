#!/usr/bin/env bash
# Builds the TUF clients by sigstore-tuf and tough (versions in Cargo.lock) into target/peers/bin. Some five minutes of CPU, once: only
# .ci/run --long and benches/tuf.sh do it.
set -euo pipefail
cd "$(dirname "$0")/../../.."
root=$PWD

mkdir -p target/peers/bin
CARGO_TARGET_DIR="$root/target/peers/rust-tuf" cargo build --quiet --locked --release --manifest-path tests/peers/rust-tuf/Cargo.toml
for client in sigstore-tuf-client tough-client; do
    cp "target/peers/rust-tuf/release/$client" target/peers/bin/
done
echo "peers: sigstore-tuf and tough, $(grep -c '^name = ' tests/peers/rust-tuf/Cargo.lock) crates"
