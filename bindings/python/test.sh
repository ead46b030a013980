#!/usr/bin/env bash
# Builds the wheel, installs it into a new environment, and runs from there the tests, the README's example and the test vectors; checks the types.
# TOUCHMARK_PREFIX names an installed libtouchmark; without it one is built. Needs python3 and openssl, by which a trust repository of the tests is signed.
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$PWD
export PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONDONTWRITEBYTECODE=1
unset TOUCHMARK_LIBRARY PYTHONPATH

if [ -z "${TOUCHMARK_PREFIX-}" ]; then scripts/capi.sh target/capi; fi
TOUCHMARK_PREFIX=$(cd "${TOUCHMARK_PREFIX:-target/capi}" && pwd)
export TOUCHMARK_PREFIX

work=$root/target/bindings/python
mkdir -p "$work"
rm -rf "$work/venv" "$work/wheel"
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip wheel --quiet --no-deps --no-index --wheel-dir "$work/wheel" bindings/python
"$work/venv/bin/python" -m pip install --quiet --no-deps --no-index "$work"/wheel/touchmark-*.whl
echo "python: $(basename "$work"/wheel/*.whl), $(wc -c <"$(echo "$work"/wheel/*.whl)") bytes, $("$work/venv/bin/python" --version)"

# The same inputs give the same bytes.
mkdir "$work/wheel/again"
"$work/venv/bin/python" -m pip wheel --quiet --no-deps --no-index --wheel-dir "$work/wheel/again" bindings/python
cmp "$work"/wheel/*.whl "$work"/wheel/again/*.whl

cd "$work"
venv/bin/python -m unittest discover --start-directory "$root/bindings/python/tests"
venv/bin/python "$root/bindings/python/bench.py"

if [ ! -x types/bin/mypy ] || ! cmp -s types/requirements "$root/bindings/python/requirements-types.txt"; then
    rm -rf types
    python3 -m venv types
    types/bin/python -m pip install --quiet --requirement "$root/bindings/python/requirements-types.txt"
    cp "$root/bindings/python/requirements-types.txt" types/requirements
fi
(
    cd "$root/bindings/python"
    for version in 3.9 3.13; do
        MYPYPATH=src:tests "$work/types/bin/mypy" --config-file pyproject.toml --python-version "$version" --cache-dir "$work/types/cache" \
            src tests/*.py bench.py backend/touchmark_build.py ../../examples/python/*.py
    done
)

venv/bin/python "$root/bindings/python/tests/vectors.py" "$root/testdata/vectors"
