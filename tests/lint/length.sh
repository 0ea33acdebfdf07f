#!/bin/sh
# SPDX-License-Identifier: MIT
# A file is one idea. Above 500 lines it is asked whether it still is; above 700 it is not. The public
# header is the manual too, and has twice that.
. "$(dirname -- "$0")/common.sh"

files src include | while IFS= read -r file; do
    lines=$(wc -l <"$file")
    case $file in include/*) lines=$((lines / 2)) ;; esac
    if [ "$lines" -gt 500 ]; then
        printf 'warning: %s has %d lines\n' "$file" "$lines" >&2
    fi
    if [ "$lines" -gt 700 ]; then
        printf '%s: %d lines\n' "$file" "$lines"
    fi
done | refuse "longer than 700 lines"
