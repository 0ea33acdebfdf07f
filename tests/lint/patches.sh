#!/bin/sh
# SPDX-License-Identifier: MIT
# Every patch of tests/broken applies, exactly where it was made for; that it is noticed takes `sh tests/broken.sh`.
. "$(dirname -- "$0")/common.sh"

command -v patch >/dev/null 2>&1 || exit 77

for file in tests/broken/*.patch; do
    patch -p1 -s -f --fuzz=0 --dry-run <"$file" >/dev/null 2>&1 || printf '%s\n' "$file"
done | refuse "patches that do not apply"
