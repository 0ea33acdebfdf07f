#!/bin/sh
# SPDX-License-Identifier: MIT
# A file is one idea. Above 500 lines it is asked whether it still is; above 700 it is not. The public
# header is the manual too, and has twice that. A source under 70 lines has a reason in docs/architecture.md,
# "Short sources". No line has more than 100 columns, comments included, which clang-format leaves alone.
. "$(dirname -- "$0")/common.sh"

# The patterns of that table, one a line.
excused=$(awk '/^## / { inside = $0 == "## Short sources" } inside && /^\| `/ { print $0 }' docs/architecture.md |
    sed 's/^| //; s/ | .*//' | grep -o '`[^`]*`' | tr -d '`')

is_excused() {
    for pattern in $excused; do
        # shellcheck disable=SC2254 # it is a pattern
        case $1 in src/$pattern) return 0 ;; esac
    done
    return 1
}

set -f # patterns are not names of files
{
    files src include | while IFS= read -r file; do
        lines=$(wc -l <"$file")
        awk -v file="$file" 'length($0) > 100 { printf "%s:%d: %d columns\n", file, FNR, length($0) }' "$file"
        case $file in
            include/*) lines=$((lines / 2)) ;;
            *.c) [ "$lines" -ge 70 ] || is_excused "$file" || printf '%s: %d lines\n' "$file" "$lines" ;;
        esac
        if [ "$lines" -gt 500 ]; then
            printf 'warning: %s has %d lines\n' "$file" "$lines" >&2
        fi
        if [ "$lines" -gt 700 ]; then
            printf '%s: %d lines\n' "$file" "$lines"
        fi
    done
    # The main path is read at one go: what it declares and says has at most 600 lines.
    lines=$(cat include/stook/base.h include/stook/client.h include/stook/batch.h include/stook/result.h |
        grep -cvE '^ *$|^#|^extern|extern "C"')
    [ "$lines" -le 600 ] || printf 'the headers of the main path: %d lines\n' "$lines"
    for pattern in $excused; do
        short=
        for file in $(files src); do
            # shellcheck disable=SC2254 # it is a pattern
            case $file in src/$pattern) [ "$(wc -l <"$file")" -ge 70 ] || short=1 ;; esac
        done
        [ -n "$short" ] || printf 'docs/architecture.md: no %s is short\n' "$pattern"
    done
} | refuse "too long, too wide, or short without a reason"
