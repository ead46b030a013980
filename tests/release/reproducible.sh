#!/usr/bin/env bash
# Two builds of one commit in two folders give the same bytes.
set -euo pipefail
cd "$(dirname "$0")/../.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
host=x86_64-unknown-linux-gnu
for copy in one two/longer; do
    mkdir -p "$work/$copy"
    git archive HEAD | tar -x -C "$work/$copy"
    (
        cd "$work/$copy"
        remap="--remap-path-prefix=$PWD=/touchmark --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo"
        RUSTFLAGS="$remap" cargo build --quiet --locked --release -p touchmark-cli
        RUSTFLAGS="$remap -C target-feature=+crt-static" cargo build --quiet --locked --release -p touchmark-verify --target "$host" \
            --config crates/verify/small.toml
    )
done
for program in target/release/touchmark "target/$host/release/touchmark-verify"; do
    cmp "$work/one/$program" "$work/two/longer/$program"
    sha256sum "$work/one/$program" | awk -v name="$program" '{ print name ": " $1 }'
done
