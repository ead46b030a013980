#!/usr/bin/env bash
# Checks the types, makes the package, installs it into a new folder as a user would, and runs from there the tests, the README's example and the test
# vectors. TOUCHMARK_PREFIX names an installed libtouchmark; without it one is built.
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$PWD
unset TOUCHMARK_LIBRARY

if [ -z "${TOUCHMARK_PREFIX-}" ]; then scripts/capi.sh target/capi; fi
TOUCHMARK_PREFIX=$(cd "${TOUCHMARK_PREFIX:-target/capi}" && pwd)
export TOUCHMARK_PREFIX

npm=(--no-audit --no-fund --no-update-notifier --loglevel=error)
cd bindings/node
npm ci --ignore-scripts "${npm[@]}"
npm run --silent types
TOUCHMARK_LIBRARY=$TOUCHMARK_PREFIX/lib/libtouchmark.so npm test --silent

work=$root/target/bindings/node
rm -rf "$work"
mkdir -p "$work/user"
npm pack --silent --pack-destination "$work" "${npm[@]}" >/dev/null
echo "node: $(basename "$work"/*.tgz), $(wc -c <"$(echo "$work"/*.tgz)") bytes, node $(node --version)"

# koffi is in npm's cache by now.
cd "$work/user"
echo '{ "name": "user", "private": true }' >package.json
npm install --ignore-scripts --prefer-offline "${npm[@]}" "$work"/touchmark-*.tgz
for part in native/libtouchmark.so LICENSE-APACHE LICENSE-MIT THIRD-PARTY-NOTICES.md; do
    test -s "node_modules/touchmark/$part" || { echo "the package has no $part" >&2; exit 1; }
done
sed -n '/^```js$/,/^```$/{/^```/d;p}' "$root/bindings/node/README.md" >example.mjs
node example.mjs | tee shown
grep -Eq '^verified acme/net-monitor:1\.2\.0 sha256:[0-9a-f]{64}$' shown
grep -qx 'refused NOT_VERIFIED' shown
node --eval "require('touchmark').checkName('acme/x')"
cp "$root/bindings/node/test/vectors.mjs" "$root/bindings/node/bench.mjs" .
node bench.mjs
node vectors.mjs "$root/testdata/vectors"
