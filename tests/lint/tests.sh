#!/bin/sh
# SPDX-License-Identifier: MIT
# No test is there twice, every label is one that tests/CMakeLists.txt knows, and what the tables of docs/internals
# name is there: tests, and in engine.md files and functions as well.
. "$(dirname -- "$0")/common.sh"

scratch=$(mktemp -d)
trap 'rm -r "$scratch"' EXIT
sh tests/list.sh >"$scratch/tests"
[ -s "$scratch/tests" ] || { echo "no tests found" >&2; exit 1; }
files src tests | grep '\.[ch]$' >"$scratch/sources"
cut -d ' ' -f 1,2 "$scratch/tests" | sort >"$scratch/names"
{
    uniq -d "$scratch/names" | sed 's/^/twice: /'
    awk '{ for (i = 3; i <= NF; i++) if ($i !~ /^(slow|valgrind|nginx|httpbin)$/) print "no such label: " $0 }' "$scratch/tests"
    grep -hoE '`(faults|integration|interop|regress|sim|unit)/[a-z0-9_]+\.[a-z0-9_]+`' docs/internals/*.md | tr -d '`' |
        tr . ' ' | sort -u | comm -23 - "$scratch/names" | sed 's/^/in docs\/internals and no test: /'
    grep -oE '`[a-z0-9_/]+\.[ch](: [a-z0-9_]+)?`' docs/internals/engine.md | tr -d '`' | sort -u |
        while IFS=': ' read -r file function; do
            found=$(grep -E "(^|/)$file\$" "$scratch/sources") || printf 'in engine.md and no file: %s\n' "$file"
            # shellcheck disable=SC2086 # one word each
            [ -z "$function" ] || [ -z "$found" ] || grep -q -- "\<$function(" $found ||
                printf 'in engine.md and not in %s: %s\n' "$file" "$function"
        done
} | refuse "tests"
