#!/usr/bin/env bash
# Installs Debian packages that are missing: `need.sh pkg-config nlohmann-json3-dev`. Needs root and apt-get for that; says what is missing otherwise.
# On another system a package that is no program is taken to be there: a compiler will say if it is not.
set -euo pipefail
missing=()
for package in "$@"; do
    if command -v "$package" >/dev/null; then continue; fi
    if ! command -v dpkg-query >/dev/null; then
        case $package in *-dev) continue ;; esac
    elif dpkg-query -W -f '${Status}\n' "$package" 2>/dev/null | grep -q ' installed$'; then
        continue
    fi
    missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then exit 0; fi
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo "error: missing: ${missing[*]}; install with the system's package manager" >&2
    exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -qq --yes --no-install-recommends "${missing[@]}" >/dev/null </dev/null
