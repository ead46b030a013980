#!/usr/bin/env bash
# Measures what BENCHMARKS.md reports: the library against its peers, then the programs against openssl and cp. Some ten minutes.
set -euo pipefail
cd "$(dirname "$0")/.."

tests/release/build.sh
cargo build --locked --release -p touchmark-benches
grep -m 1 "model name" /proc/cpuinfo || true
echo "$(uname -srm), $(rustc --version), $(openssl version), load $(cut -d ' ' -f 1-3 /proc/loadavg)"
target/release/touchmark-benches
python3 benches/programs.py
