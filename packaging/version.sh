#!/usr/bin/env bash
# Prints the version of the workspace, which Cargo.toml says once.
set -euo pipefail
version=$(sed -n '/^\[workspace\.package\]/,/^\[/s/^version = "\(.*\)"$/\1/p' "$(dirname "$0")/../Cargo.toml")
case $version in
*.*.*) echo "$version" ;;
*) echo "error: no version under [workspace.package] in Cargo.toml" >&2; exit 1 ;;
esac
