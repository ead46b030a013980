#!/usr/bin/env bash
# Breaks the code in each way that mutations.py lists, and fails unless a test notices.
set -euo pipefail
cd "$(dirname "$0")/../.."
exec python3 tests/mutations/mutations.py "$@"
