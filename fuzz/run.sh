#!/usr/bin/env bash
# Builds every fuzz target and runs each for SECONDS from its seeds; prints how many inputs each saw, and fails on a crash or on none.
#
#   fuzz/run.sh SECONDS [TARGET...]
#
# The targets are those of `cargo fuzz`, built by plain cargo with the flags that cargo-fuzz 0.13 gives it, which spares installing it.
# What a run finds beyond the seeds stays in fuzz/corpus, what crashes is in fuzz/artifacts.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:?usage: fuzz/run.sh SECONDS [TARGET...]}
shift
if [ $# -gt 0 ]; then targets=("$@"); else mapfile -t targets < <(sed -n 's/^path = "fuzz_targets\/\(.*\)\.rs"$/\1/p' fuzz/Cargo.toml); fi
host=$(rustc -vV | sed -n 's/^host: //p')

export RUSTC_BOOTSTRAP=1
export RUSTFLAGS="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
-Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares -Zsanitizer=address \
-Cllvm-args=-simplifycfg-branch-fold-threshold=0 -Ccodegen-units=1 --cfg fuzzing"
cargo build --locked --quiet --release --manifest-path fuzz/Cargo.toml --target "$host" --target-dir fuzz/target

python3 fuzz/seeds.py fuzz/target/seeds
# Layouts and tars are written for every input, so to memory where there is such a folder; to one of its own, since several may run.
memory=/dev/shm
[ -d "$memory" ] || memory=${TMPDIR:-/tmp}
TMPDIR=$(mktemp -d "$memory/touchmark-fuzz.XXXXXX")
export TMPDIR
trap 'rm -rf "$TMPDIR"' EXIT

failed=0
for target in "${targets[@]}"; do
    seeds=fuzz/target/seeds/$target
    count=$(find "$seeds" -type f | wc -l)
    if [ "$count" -eq 0 ]; then
        echo "error: $target has no seeds" >&2
        exit 1
    fi
    mkdir -p "fuzz/corpus/$target" "fuzz/artifacts/$target"
    log=fuzz/target/$target.log
    status=0
    "fuzz/target/$host/release/$target" "fuzz/corpus/$target" "$seeds" -max_total_time="$seconds" -timeout=10 -max_len=65536 -rss_limit_mb=2048 \
        -print_final_stats=1 -artifact_prefix="fuzz/artifacts/$target/" >"$log" 2>&1 || status=$?
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    printf '%-14s %10s runs from %s seeds\n' "$target" "${runs:-0}" "$count"
    if [ "$status" -ne 0 ] || [ "${runs:-0}" -eq 0 ]; then
        tail -n 40 "$log" >&2
        echo "error: $target failed; the input is in fuzz/artifacts/$target" >&2
        failed=1
    fi
done
exit "$failed"
