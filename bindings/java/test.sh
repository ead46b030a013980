#!/usr/bin/env bash
# Tests the Java binding: everything that Maven verifies, the vectors that all languages share, the jar by itself, and the example of the
# README. TOUCHMARK_PREFIX is an installed library; without it target/capi is, and is built.
set -euo pipefail
cd "$(dirname "$0")"
root=$(cd ../.. && pwd)

if [ -z "${TOUCHMARK_PREFIX-}" ]; then
    TOUCHMARK_PREFIX=$root/target/capi
    "$root/scripts/capi.sh" "$TOUCHMARK_PREFIX"
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Maven writes escapes among the lines, also where nobody wants colours.
mvn -q -B clean verify -Dtouchmark.prefix="$TOUCHMARK_PREFIX" 2>&1 | sed 's/\x1b\[[0-9;]*m//g'
jar=$PWD/target/touchmark-0.1.0.jar
jna=$PWD/target/lib/jna-5.17.0.jar

echo "-- the example of the README, with the library that is in the jar"
jar tf "$jar" >"$work/contents"
for part in 'linux-.*/libtouchmark.so' META-INF/LICENSE-APACHE META-INF/LICENSE-MIT META-INF/THIRD-PARTY-NOTICES.md; do
    grep -qx "$part" "$work/contents" || { echo "the jar has no $part" >&2; exit 1; }
done
sed -n '/^```java$/,/^```$/p' README.md | sed '/^```/d' >"$work/Example.java"
javac -Xlint:all -Werror -cp "$jar:$jna" -d "$work" "$work/Example.java"
(cd "$root/testdata/layouts" && java -cp "$jar:$jna:$work" Example) | grep -x 'verified sha256:[0-9a-f]\{64\}'

echo "-- the same with a library by its path"
(cd "$root/testdata/layouts" && java -Dtouchmark.library="$TOUCHMARK_PREFIX/lib/libtouchmark.so" -cp "$jar:$jna:$work" Example) >/dev/null

echo "-- the bench runs"
java -cp "$jar:$jna:target/test-classes" dev.touchmark.Bench 20
