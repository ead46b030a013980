#!/usr/bin/env bash
# Measures verifiers of in-toto layouts beside each other, which BENCHMARKS.md reports: touchmark, python's in-toto and in-toto-golang. Some
# three minutes.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD

tests/release/build.sh
cargo build --locked --release -p touchmark-benches --examples
tests/peers/python/setup.sh
(cd tests/peers/go && GOBIN="$root/target/peers/bin" GOFLAGS="-mod=readonly -buildvcs=false" go install ./in-toto-peer)
grep -m 1 "model name" /proc/cpuinfo || true
echo "$(uname -srm), $(rustc --version), load $(cut -d ' ' -f 1-3 /proc/loadavg)"
target/peers/venv/bin/python benches/in_toto_verifiers.py
