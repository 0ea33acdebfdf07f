#!/bin/sh
# SPDX-License-Identifier: MIT
# What documents name exists: files by their path, names of the library, and functions that are said to be
# in a file (`socket.c: on_event`). The changelog may name what is gone.
. "$(dirname -- "$0")/common.sh"

scratch=$(mktemp -d)
trap 'rm -r "$scratch"' EXIT
files >"$scratch/files"
sed 's|/[^/]*$||' "$scratch/files" | sort -u >"$scratch/directories"
grep -E '^(src|include|tests|examples)/' "$scratch/files" | grep -E '\.([ch]|cc|hpp|map)$' | while IFS= read -r file; do
    grep -ohE '[A-Za-z_][A-Za-z_0-9]*' -- "$file" | sort -u | sed "s|$|	$file|"
done >"$scratch/names"
cut -f 1 "$scratch/names" | sort -u >"$scratch/identifiers"
grep -E '\.md$' "$scratch/files" | grep -vx CHANGELOG.md >"$scratch/documents"

is_identifier() { grep -qx -e "$1" "$scratch/identifiers"; }

# Paths from the top. What has an ellipsis, a star or capitals in it stands for several.
paths() {
    grep -onE '(^|[^A-Za-z0-9_./-])(src|include|tests|examples|docs|cmake|packaging|tools)/[A-Za-z0-9_./*-]*' "$1" |
        sed 's/^\([0-9]*:\)[^a-z]*/\1/; s/[.-]*$//' | grep -vE '\*|\.\.|[A-Z]' | while IFS=: read -r line path; do
        case $path in
            */) grep -qE "^${path%/}(/|$)" "$scratch/directories" ;;
            *.*) grep -qxF -e "$path" "$scratch/files" ;;
            *) grep -qE "^$path(/|$)" "$scratch/directories" || [ -e "$path" ] || [ -f "tests/$path.sh" ] ;;
        esac || printf '%s:%s: there is no %s\n' "$1" "$line" "$path"
    done
}

# Names of ours, but for what ends in an underscore: a prefix.
library() {
    grep -onE '(^|[^A-Za-z0-9_./-])(stook_|stook__|STOOK_)[A-Za-z0-9_]*' "$1" | sed 's/^\([0-9]*:\).*[^A-Za-z0-9_]/\1/' |
        grep -vE '_$' | while IFS=: read -r line name; do
        case $name in
            STOOK_*) is_identifier "$name" || grep -rqwF -e "$name" CMakeLists.txt cmake tests/*.txt tests/bench tests/lint tests/*.sh packaging examples ;;
            *) is_identifier "$name" || grep -qrwF -e "$name" CMakeLists.txt cmake packaging/*.txt tests/lint ;;
        esac || printf '%s:%s: there is no %s\n' "$1" "$line" "$name"
    done
}

# `file.c` or `room/file.c`, from src/, from the document's directory or alone; `file.c: name` is in it.
parts() {
    grep -onE '`[a-z_0-9/]+\.([ch]|cc)(: [a-z_0-9]+|[^a-z_0-9])' "$1" | tr -d '`(,;) ' | while IFS=: read -r line file name; do
        file=${file%:}
        found=$(grep -E "(^|/)$file$" "$scratch/files" || :)
        if [ -z "$found" ]; then
            case $file in
                stook.h | uv.h | curl/* | */uv.h) continue ;;
            esac
            printf '%s:%s: there is no %s\n' "$1" "$line" "$file"
        elif [ -n "$name" ]; then
            for one in $found; do
                grep -qwF -e "$name" "$one" && continue 2
            done
            printf '%s:%s: %s has no %s\n' "$1" "$line" "$file" "$name"
        fi
    done
}

while IFS= read -r document; do
    paths "$document"
    library "$document"
    parts "$document"
done <"$scratch/documents" | refuse "what documents name"
