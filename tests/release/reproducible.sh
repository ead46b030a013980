#!/usr/bin/env bash
# Two builds of one commit in two folders give the same bytes: both programs, and with --long everything that `make dist` makes, signatures included.
set -euo pipefail
cd "$(dirname "$0")/../.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# Each builds in its own folder, from nothing.
unset CARGO_TARGET_DIR RUSTFLAGS
TOUCHMARK_COMMIT=$(git rev-parse HEAD)
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
TOUCHMARK_RELEASE_KEY=$work/key
export TOUCHMARK_COMMIT SOURCE_DATE_EPOCH TOUCHMARK_RELEASE_KEY
openssl genpkey -algorithm ed25519 -out "$work/key"
chmod 600 "$work/key"

copies=(one two/longer)
for copy in "${copies[@]}"; do
    mkdir -p "$work/$copy"
    git archive HEAD | tar -x -C "$work/$copy"
    case ${1-} in
    --long) "$work/$copy/scripts/dist.sh" >/dev/null ;;
    *) "$work/$copy/tests/release/build.sh" >/dev/null ;;
    esac
done
one=$work/${copies[0]}/target/dist two=$work/${copies[1]}/target/dist
cmp <(cd "$one" && ls) <(cd "$two" && ls)
for file in "$one"/*; do
    cmp "$file" "$two/${file##*/}"
    sha256sum "$file" | awk -v name="${file##*/}" '{ print name ": " $1 }'
done
