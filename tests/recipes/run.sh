#!/usr/bin/env bash
# Runs the recipes of docs/ (run.py), after building the programs and getting what they need.
#
#   tests/recipes/run.sh [PAGE...]
set -euo pipefail
cd "$(dirname "$0")/../.."

tests/peers/python/setup.sh
tests/registry/setup.sh
cargo build --locked -p touchmark-cli -p touchmark-verify -p touchmark-test-registry
target/peers/venv/bin/python tests/recipes/run.py "$@"
