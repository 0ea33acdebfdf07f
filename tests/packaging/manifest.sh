#!/bin/sh
# SPDX-License-Identifier: MIT
# What is installed is what packaging/manifest.txt lists.
. "$(dirname -- "$0")/common.sh"

sed "s/@VERSION@/$version/" "$root/packaging/manifest.txt" >"$work/manifest.expected"
(cd -- "$prefix" && find . ! -type d | sed 's|^\./||' | LC_ALL=C sort) >"$work/manifest.installed"
diff -u "$work/manifest.expected" "$work/manifest.installed" ||
    fail "the installed files are not those of packaging/manifest.txt"
