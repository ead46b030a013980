#!/usr/bin/env bash
# Runs every test that needs nothing but Rust and a registry. Arguments go to `cargo test`.
#
# The registry is Debian's docker-registry, which is installed if this runs as root on Debian; the tests start it as they need it.
# Where it cannot be had, those tests say so and pass; in CI that is a failure. Tests against other tools run too if those are
# there (tests/peers/setup.sh builds them); else they say what they need.
set -euo pipefail
cd "$(dirname "$0")/.."

if tests/registry/setup.sh; then
    # From here on, a test that does not find it fails.
    export TOUCHMARK_DOCKER_REGISTRY_REQUIRED=1
elif [ -n "${CI-}" ]; then
    exit 1
fi

# The command-line tests run both programs, whichever package they belong to.
cargo build --locked --workspace --all-features --bins
cargo test --locked --workspace --all-features "$@"
