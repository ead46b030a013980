#!/usr/bin/env bash
# Measures TUF clients beside each other, which BENCHMARKS.md reports: touchmark, python-tuf and sigstore-tuf. Some five minutes, and as
# many once, to build sigstore-tuf.
set -euo pipefail
cd "$(dirname "$0")/.."

tests/release/build.sh
tests/peers/python/setup.sh
tests/peers/rust-tuf/setup.sh
grep -m 1 "model name" /proc/cpuinfo || true
echo "$(uname -srm), $(rustc --version), load $(cut -d ' ' -f 1-3 /proc/loadavg)"
target/peers/venv/bin/python benches/tuf.py
