#!/bin/sh
# SPDX-License-Identifier: MIT
# The sources, the headers and the examples are as .clang-format says, by the version that it is written for.
. "$(dirname -- "$0")/common.sh"

clang-format --version 2>/dev/null | grep -q 'version 14\.' || exit 77

files src include examples | grep '\.[ch]$' | while IFS= read -r file; do
    clang-format "$file" | cmp -s - "$file" || printf '%s\n' "$file"
done | refuse "not formatted: clang-format -i FILE"
