#!/usr/bin/env bash
# Prints the flags of rustc (RUSTFLAGS) with which what is shipped is built: no path of this machine is in it, so that it is the same
# wherever it is built.
set -euo pipefail
cd "$(dirname "$0")/.."
echo "--remap-path-prefix=$PWD=/touchmark --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo"
