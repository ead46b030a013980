#!/usr/bin/env bash
# Installs Debian's docker-registry, which tests start for themselves, unless it is there. Needs root and apt-get. The service that
# comes with the package is not started.
set -euo pipefail
if command -v docker-registry >/dev/null; then
    exit 0
fi
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo "docker-registry is missing; as root on Debian, tests/registry/setup.sh gets it" >&2
    exit 1
fi
export DEBIAN_FRONTEND=noninteractive
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
fi
apt-get update -qq
apt-get install -qq --yes --no-install-recommends docker-registry >/dev/null </dev/null
command -v docker-registry >/dev/null
