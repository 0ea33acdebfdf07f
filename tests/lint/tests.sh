#!/bin/sh
# SPDX-License-Identifier: MIT
# No test is there twice, every label is one that tests/CMakeLists.txt knows, and what the tables of docs/internals
# name is there.
. "$(dirname -- "$0")/common.sh"

scratch=$(mktemp -d)
trap 'rm -r "$scratch"' EXIT
sh tests/list.sh >"$scratch/tests"
[ -s "$scratch/tests" ] || { echo "no tests found" >&2; exit 1; }
cut -d ' ' -f 1,2 "$scratch/tests" | sort >"$scratch/names"
{
    uniq -d "$scratch/names" | sed 's/^/twice: /'
    awk '{ for (i = 3; i <= NF; i++) if ($i !~ /^(slow|valgrind|nginx|httpbin)$/) print "no such label: " $0 }' "$scratch/tests"
    grep -hoE '`(faults|integration|interop|regress|sim|unit)/[a-z0-9_]+\.[a-z0-9_]+`' docs/internals/*.md | tr -d '`' |
        tr . ' ' | sort -u | comm -23 - "$scratch/names" | sed 's/^/in docs\/internals and no test: /'
} | refuse "tests"
