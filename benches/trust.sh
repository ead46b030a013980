#!/usr/bin/env bash
# Measures what a trust root costs beside a key, which BENCHMARKS.md reports: the verifier, and the library as a registry embeds it. Some two
# minutes after the build.
set -euo pipefail
cd "$(dirname "$0")/.."

tests/release/build.sh
cargo build --locked --release -p touchmark-benches --examples
grep -m 1 "model name" /proc/cpuinfo || true
echo "$(uname -srm), $(rustc --version), load $(cut -d ' ' -f 1-3 /proc/loadavg)"
target/release/examples/touchmark-benches trust
python3 benches/trust.py
