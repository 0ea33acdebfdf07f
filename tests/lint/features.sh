#!/bin/sh
# SPDX-License-Identifier: MIT
# docs/features.md against the header and the tests: every name of a table is there, and every
# function of the header, and every member of what programs fill in, is in a table.
. "$(dirname -- "$0")/common.sh"

tests=$(mktemp)
trap 'rm "$tests"' EXIT
sh tests/list.sh >"$tests"

headers='include/stook.h include/stook/*.h'

# Column $1 of all rows: what stands there between backquotes, a name a line.
names() {
    awk -F'|' -v column="$1" '/^\|/ { print $(column + 1) }' docs/features.md | grep -o '`[^`]*`' | tr -d '`' | sort -u
}

functions() {
    sed -n 's/^STOOK_API [^(]*[ *]\(stook_[a-z_0-9]*\)(.*/\1/p' $headers
}

members() {
    for header in $headers; do bare "$header"; done | awk '
        /^struct stook_(client_options|request|part|gather_options) \{/ { inside = 1; next }
        /^};/ { inside = 0 }
        inside && /[a-z_0-9]+;/ { match($0, /[a-z_0-9]+;/); print substr($0, RSTART, RLENGTH - 1) }' |
        grep -vx size
}

{
    names 2 | while IFS= read -r name; do
        grep -qw -e "$name" $headers || printf '%s: in no header\n' "$name"
    done
    names 3 | while IFS= read -r name; do
        grep -qE "^${name%.*} ${name##*.}( |$)" "$tests" || printf '%s: is no test\n' "$name"
    done
    { functions; members; } | sort -u | while IFS= read -r name; do
        names 2 | grep -qx -e "$name" || printf '%s: in no table of docs/features.md\n' "$name"
    done
} | refuse "names of docs/features.md"
