#!/bin/sh
# SPDX-License-Identifier: MIT
# Every file of tests/mutation/ is in its form and still fits the source; its test is there, and what
# docs/internals/engine.md names is there. That each is noticed takes `sh tests/mutation.sh`.
. "$(dirname -- "$0")/common.sh"

tests=$(mktemp)
trap 'rm "$tests"' EXIT
sh tests/list.sh >"$tests"

# What the last column of the tables names, a name a line.
named() { awk -F'|' '/^\|/ { print $(NF - 1) }' docs/internals/engine.md | grep -o '`[^`]*`' | tr -d '`' | sort -u; }

{
    for file in tests/mutation/*; do
        case $file in
            *.mutation) ;;
            */apply.awk) continue ;;
            *) printf '%s: its name does not end in .mutation\n' "$file" && continue ;;
        esac
        awk -v check=1 -f tests/mutation/apply.awk "$file" || [ $? -eq 1 ] || printf '%s: cannot be read\n' "$file"
        sed -n 's/^test: //p' "$file" | while IFS= read -r test; do
            grep -qE "^${test%.*} ${test##*.}( |$)" "$tests" || printf '%s: %s is no test\n' "$file" "$test"
        done
    done
    named | while IFS= read -r name; do
        [ -f "tests/mutation/$name.mutation" ] || printf 'docs/internals/engine.md: there is no tests/mutation/%s.mutation\n' "$name"
    done
} | refuse "mutations that do not fit"
