#!/usr/bin/env bash
# Measures what BENCHMARKS.md reports: the library against its peers, the programs against openssl and cp, and with registries against
# cosign, notation and curl. Some fifteen minutes, and ten more once, to build cosign.
set -euo pipefail
cd "$(dirname "$0")/.."

tests/release/build.sh
cargo build --locked --release -p touchmark-benches --examples -p touchmark-test-registry --bins
tests/peers/bench-setup.sh
grep -m 1 "model name" /proc/cpuinfo || true
echo "$(uname -srm), $(rustc --version), $(openssl version), load $(cut -d ' ' -f 1-3 /proc/loadavg)"
target/release/examples/touchmark-benches
python3 benches/programs.py
python3 benches/registries.py
