#!/usr/bin/env bash
# Runs the recipes of docs/ (run.py), after building the programs and getting what they need.
#
#   tests/recipes/run.sh [PAGE...]
set -euo pipefail
cd "$(dirname "$0")/../.."

tests/peers/python/setup.sh
tests/registry/setup.sh
cargo build --locked -p touchmark-cli -p touchmark-verify -p touchmark-test-registry
# What docs/release.md verifies; the stage before it in CI has made it.
[ -e target/dist/SHA256SUMS ] || scripts/dist.sh
target/peers/venv/bin/python tests/recipes/run.py "$@"
