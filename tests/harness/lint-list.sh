#!/bin/sh
# SPDX-License-Identifier: MIT
# Every TEST has a line in list.txt, and every line a TEST: none is forgotten, none is a ghost.
set -eu
cd "$1"
scratch=$(mktemp -d)
trap 'rm -r "$scratch"' EXIT

for file in api/*.c faults/*.c flow/*.c peers/*.c sim/*.c trap/*.c unit/*.c; do
    [ -e "$file" ] || continue
    sed -n "s|^TEST\(_[A-Z]*\)\{0,1\}(\([a-z0-9_]*\)).*|${file%.c} \2|p" "$file"
done | sort >"$scratch/written"
sed -n 's|^\([a-z][^ ]*\)  *\([^ ]*\).*|\1 \2|p' list.txt | sort >"$scratch/listed"

[ -s "$scratch/written" ] || { echo "no tests found"; exit 1; }
comm -23 "$scratch/written" "$scratch/listed" | sed 's/^/not in list.txt: /' >"$scratch/wrong"
comm -13 "$scratch/written" "$scratch/listed" | sed 's/^/in list.txt and nowhere else: /' >>"$scratch/wrong"
uniq -d "$scratch/listed" | sed 's/^/twice in list.txt: /' >>"$scratch/wrong"

# What the tables of docs/internals name is there too.
grep -hoE '`(api|faults|flow|peers|sim|trap|unit)/[a-z0-9_]+\.[a-z0-9_]+`' ../docs/internals/*.md | tr -d '`' |
    tr . ' ' | sort -u | comm -23 - "$scratch/listed" | sed 's/^/in docs\/internals and not in list.txt: /' >>"$scratch/wrong"
cat "$scratch/wrong"
[ ! -s "$scratch/wrong" ]
