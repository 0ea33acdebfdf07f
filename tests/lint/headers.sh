#!/bin/sh
# SPDX-License-Identifier: MIT
# A header of src/ declares only functions that the .c of the same name defines: who reads a call knows
# where its code is.
. "$(dirname -- "$0")/common.sh"

functions() { bare "$1" | awk -f "$here/declarations.awk"; }

files src | grep '\.h$' | while IFS= read -r header; do
    source=${header%.h}.c
    own=
    if [ -f "$source" ]; then
        own=$(functions "$source" | sed -n 's/^defines \([^ ]*\) .*/\1/p')
    fi
    functions "$header" | while read -r what name line; do
        [ "$what" = declares ] || continue
        printf '%s\n' "$own" | grep -qx -e "$name" || printf '%s:%s: %s is not defined in %s\n' "$header" "$line" "$name" "$source"
    done
done | refuse "functions that another file defines"
