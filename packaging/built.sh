# Sourced in the root: sees to it that there are an installed library, $TOUCHMARK_PREFIX, and the program touchmark in $TOUCHMARK_BIN.
if [ -z "${TOUCHMARK_PREFIX-}" ]; then
    scripts/capi.sh target/capi || exit 1
    TOUCHMARK_PREFIX=$PWD/target/capi
fi
if [ -z "${TOUCHMARK_BIN-}" ]; then
    cargo build --locked --release -p touchmark-cli -p touchmark-verify || exit 1
    TOUCHMARK_BIN=${CARGO_TARGET_DIR:-$PWD/target}/release
fi
export TOUCHMARK_PREFIX TOUCHMARK_BIN
