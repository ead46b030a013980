#!/usr/bin/env bash
# Gets the python packages of requirements.txt into target/peers/venv.
set -euo pipefail
cd "$(dirname "$0")/../../.."

if [ ! -x target/peers/venv/bin/python ]; then
    mkdir -p target/peers
    python3 -m venv target/peers/venv
fi
target/peers/venv/bin/python -m pip install --quiet --disable-pip-version-check --requirement tests/peers/python/requirements.txt
