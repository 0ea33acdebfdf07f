#!/bin/sh
# SPDX-License-Identifier: MIT
# A file of src/api checks arguments, and calls the room that owns the struct. It cannot touch clients,
# batches and attempts: no header with their structs, NAME_state.h, reaches it, so they are incomplete
# types there. Of requests only result.c sees the struct, which it reads.
. "$(dirname -- "$0")/common.sh"

# All headers of src/ that a file includes, directly or through others.
reached() {
    todo=$1
    seen=' '
    while [ -n "$todo" ]; do
        file=${todo%% *}
        todo=${todo#"$file"}
        todo=${todo# }
        for name in $(bare "$file" | sed -n 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*"\([^"]*\)".*/\1/p'); do
            case $seen in *" $name "*) continue ;; esac
            seen="$seen$name "
            todo="${todo:+$todo }src/$name"
        done
    done
    # shellcheck disable=SC2086 # words
    printf '%s\n' $seen
}

files src/api | while IFS= read -r file; do
    case $file in */result.c) hidden='_state\.h$' ;; *) hidden='_state\.h$|^core/record\.h$' ;; esac
    reached "$file" | grep -E "$hidden" | sed "s|^|$file: sees the structs of |"
done | refuse "files of src/api that see structs of other rooms"
