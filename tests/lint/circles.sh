#!/bin/sh
# SPDX-License-Identifier: MIT
# A foo.c and its foo.h are one file here. Files of a room that include each other in a circle can only be
# understood together, so a circle has three files at most: what all need goes into a file below them.
. "$(dirname -- "$0")/common.sh"

files src | grep '\.[ch]$' | while IFS= read -r file; do
    stem=${file#src/}
    bare "$file" | sed -n 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*"\([^"]*\)\.[ch]".*/\1/p' |
        sed "s|^|${stem%.*} |"
done | awk '
    function room(stem) { split(stem, part, "/"); return part[1] }

    $1 != $2 && room($1) == room($2) {
        includes[$1, $2] = reaches[$1, $2] = 1
        if (!known[$1]++) stems[++count] = $1
        if (!known[$2]++) stems[++count] = $2
    }

    # All files of a circle reach each other, and it has no file that does not.
    END {
        for (via = 1; via <= count; via++)
            for (from = 1; from <= count; from++)
                if ((stems[from], stems[via]) in reaches)
                    for (to = 1; to <= count; to++)
                        if ((stems[via], stems[to]) in reaches)
                            reaches[stems[from], stems[to]] = 1
        for (first = 1; first <= count; first++) {
            size = 0
            for (other = first; other <= count; other++)
                if (!told[stems[other]] && ((stems[first], stems[other]) in reaches) && ((stems[other], stems[first]) in reaches))
                    circle[++size] = stems[other]
            for (i = 1; i <= size; i++) told[circle[i]] = 1
            if (size <= 3) continue
            printf "src/%s: a circle of %d files\n", room(circle[1]), size
            for (i = 1; i <= size; i++) {
                printf "  %s includes", circle[i]
                for (j = 1; j <= size; j++)
                    if ((circle[i], circle[j]) in includes) printf " %s", circle[j]
                print ""
            }
        }
    }' | refuse "circles of more than three files inside a room"
