#!/usr/bin/env bash
# Installs Debian packages that are missing: `need.sh pkg-config nlohmann-json3-dev`. Needs root and
# apt-get for that; says what is missing otherwise.
set -euo pipefail
missing=()
for package in "$@"; do
    if ! command -v "$package" >/dev/null && ! dpkg-query -W -f '${Status}\n' "$package" 2>/dev/null | grep -q ' installed$'; then
        missing+=("$package")
    fi
done
if [ ${#missing[@]} -eq 0 ]; then exit 0; fi
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo "error: missing: ${missing[*]}; install with the system's package manager" >&2
    exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -qq --yes --no-install-recommends "${missing[@]}" >/dev/null </dev/null
