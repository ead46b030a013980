#!/usr/bin/env bash
# Runs the recipes of docs/ (run.py), after building the programs and getting what they need.
#
#   tests/recipes/run.sh [PAGE...]
set -euo pipefail
cd "$(dirname "$0")/../.."

tests/peers/python/setup.sh
if ! command -v docker-registry >/dev/null; then
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
        echo "error: docker-registry is missing; install it with the system's package manager" >&2
        exit 1
    fi
    apt-get update -qq
    apt-get install -qq --yes --no-install-recommends docker-registry >/dev/null
fi
cargo build --locked -p touchmark-cli -p touchmark-verify -p touchmark-test-registry
target/peers/venv/bin/python tests/recipes/run.py "$@"
